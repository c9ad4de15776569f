//! The review behind a text: which commits touched a file, by which pull request a commit came, and who approved it.

use http::Method;
use serde::Deserialize;

use super::rules::decoded;
use super::{GitHub, encode, encode_path};
use crate::model::RuleOrigin;
use crate::wire::error::WireError;
use crate::wire::http::Operation;

/// How many commits of a file are looked at.
const COMMITS_MAX: usize = 100;

const READ: &str = "Contents: read and Pull requests: read, for this repository";

#[derive(Deserialize)]
struct Commit {
    sha: String,
}

#[derive(Deserialize)]
struct Contents {
    content: String,
    encoding: String,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    html_url: String,
    user: Option<User>,
    merged_at: Option<String>,
}

#[derive(Deserialize)]
struct MergedPull {
    merged_by: Option<User>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Review {
    user: Option<User>,
    state: String,
}

impl GitHub {
    /// The commits that touched a file up to a commit, newest first; at most 100.
    ///
    /// # Errors
    /// A request that failed.
    pub async fn commits_of(&self, path: &str, up_to: &str) -> Result<Vec<String>, WireError> {
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/commits",
            format!("reading the history of {path} in {}", self.name()),
            READ,
        );
        let request = self
            .request(Method::GET, "/commits")
            .with("path", path)
            .with("sha", up_to);
        let commits: Vec<Commit> = self.pages(&operation, &request, COMMITS_MAX).await?;
        Ok(commits.into_iter().map(|commit| commit.sha).collect())
    }

    /// The text of a file at a commit; `None` when it was not there.
    ///
    /// # Errors
    /// A request that failed.
    pub async fn text_at(&self, commit: &str, path: &str) -> Result<Option<String>, WireError> {
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/contents/{path}",
            format!("reading {path} of {} at {commit}", self.name()),
            READ,
        );
        let request = self
            .request(Method::GET, &format!("/contents/{}", encode_path(path)))
            .with("ref", commit);
        let answer = match self.send(&operation, request).await {
            Err(WireError::NotFound { .. }) => return Ok(None),
            other => other?,
        };
        let found: Contents = answer.decode(&operation)?;
        Ok(decoded(&found.encoding, &found.content))
    }

    /// The pull request by which a commit came to its branch, and who approved it.
    ///
    /// # Errors
    /// A request that failed.
    pub async fn origin(&self, commit: &str) -> Result<RuleOrigin, WireError> {
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls",
            format!(
                "finding the pull request of commit {commit} in {}",
                self.name()
            ),
            READ,
        );
        let rest = format!("/commits/{}/pulls", encode(commit));
        let request = self.request(Method::GET, &rest);
        let pulls: Vec<Pull> = self.send(&operation, request).await?.decode(&operation)?;
        let mut origin = RuleOrigin {
            commit: commit.to_owned(),
            ..RuleOrigin::default()
        };
        let Some(pull) = pulls.into_iter().find(|pull| pull.merged_at.is_some()) else {
            return Ok(origin);
        };
        origin.pull_request = Some(pull.number);
        origin.url = Some(pull.html_url);
        origin.author = pull.user.map(|user| user.login);
        origin.merged_by = self.merged_by(pull.number).await?;
        origin.approved_by = self.approved_by(pull.number).await?;
        Ok(origin)
    }

    async fn merged_by(&self, number: u64) -> Result<Option<String>, WireError> {
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/pulls/{pull_number}",
            format!("reading pull request #{number} of {}", self.name()),
            READ,
        );
        let request = self.request(Method::GET, &format!("/pulls/{number}"));
        let pull: MergedPull = self.send(&operation, request).await?.decode(&operation)?;
        Ok(pull.merged_by.map(|user| user.login))
    }

    /// Those whose last word was an approval.
    async fn approved_by(&self, number: u64) -> Result<Vec<String>, WireError> {
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
            format!(
                "reading the reviews of pull request #{number} of {}",
                self.name()
            ),
            READ,
        );
        let request = self.request(Method::GET, &format!("/pulls/{number}/reviews"));
        let reviews: Vec<Review> = self.pages(&operation, &request, 1_000).await?;
        let mut approving: Vec<String> = Vec::new();
        for review in reviews {
            let Some(user) = review.user else { continue };
            match review.state.as_str() {
                "APPROVED" if !approving.contains(&user.login) => approving.push(user.login),
                "CHANGES_REQUESTED" | "DISMISSED" => {
                    approving.retain(|login| *login != user.login);
                }
                _ => {}
            }
        }
        Ok(approving)
    }
}
