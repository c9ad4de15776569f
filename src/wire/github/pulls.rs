//! Proposing a change: a branch, one file, a pull request. A second try finds what the first one left.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::{GitHub, WRITE_SCOPE, encode, encode_path};
use crate::wire::error::WireError;
use crate::wire::http::{Idempotency, Operation};

const WRITE: &str = "Contents: write and Pull requests: write, for this repository";

/// A change of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The branch that it is for.
    pub base: String,
    /// The commit that it starts from.
    pub from: String,
    /// The branch that is made.
    pub branch: String,
    /// The file's path.
    pub path: String,
    /// Its new text.
    pub text: String,
    /// The pull request's title, and the commit's.
    pub title: String,
    /// The pull request's text.
    pub body: String,
}

/// The pull request of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct Proposed {
    /// Its number.
    pub number: u64,
    /// Its address.
    pub html_url: String,
}

#[derive(Deserialize)]
struct Contents {
    sha: String,
    content: String,
    encoding: String,
}

impl GitHub {
    /// Opens the pull request, or gives the one that is open already for the same branch.
    ///
    /// # Errors
    /// A request that failed; calling again goes on where it stopped.
    pub async fn propose(&self, proposal: &Proposal) -> Result<Proposed, WireError> {
        if let Some(open) = self.open_pull(proposal).await? {
            return Ok(open);
        }
        self.make_branch(proposal).await?;
        self.write_file(proposal).await?;
        let operation = Operation {
            idempotency: Idempotency::Unsafe,
            ..Operation::read(
                "POST /repos/{owner}/{repo}/pulls",
                format!("opening a pull request in {}", self.name()),
                WRITE,
            )
        }
        .on(WRITE_SCOPE.to_owned())
        .answered_by(&[422]);
        let request = self.request(Method::POST, "/pulls").json(json!({
            "title": proposal.title, "head": proposal.branch, "base": proposal.base, "body": proposal.body,
            "maintainer_can_modify": true,
        }));
        match self.send(&operation, request).await {
            Ok(answer) if answer.status != 422 => answer.decode(&operation),
            // It may have been made all the same.
            outcome => match (self.open_pull(proposal).await?, outcome) {
                (Some(open), _) => Ok(open),
                (None, Err(error)) => Err(error),
                (None, Ok(answer)) => Err(WireError::Refused {
                    what: operation.what,
                    status: answer.status,
                    code: None,
                    message: crate::wire::http::error_words(&answer.body),
                }),
            },
        }
    }

    async fn open_pull(&self, proposal: &Proposal) -> Result<Option<Proposed>, WireError> {
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/pulls",
            format!(
                "looking for pull requests of {} in {}",
                proposal.branch,
                self.name()
            ),
            "Pull requests: read, for this repository",
        );
        let request = self
            .request(Method::GET, "/pulls")
            .with("state", "open")
            .with("base", &proposal.base)
            .with("head", format!("{}:{}", self.owner(), proposal.branch));
        let open: Vec<Proposed> = self.send(&operation, request).await?.decode(&operation)?;
        Ok(open.into_iter().next())
    }

    /// 422 says that the branch exists: an earlier try made it.
    async fn make_branch(&self, proposal: &Proposal) -> Result<(), WireError> {
        let operation = Operation::write(
            "POST /repos/{owner}/{repo}/git/refs",
            format!("making branch {} in {}", proposal.branch, self.name()),
            WRITE,
        )
        .repeatable()
        .on(WRITE_SCOPE.to_owned())
        .answered_by(&[422]);
        let request = self.request(Method::POST, "/git/refs").json(json!({
            "ref": format!("refs/heads/{}", proposal.branch), "sha": proposal.from,
        }));
        let answer = self.send(&operation, request).await?;
        if answer.status == 422 && !self.has_branch(&proposal.branch).await? {
            return Err(WireError::Refused {
                what: operation.what,
                status: 422,
                code: None,
                message: crate::wire::http::error_words(&answer.body),
            });
        }
        Ok(())
    }

    async fn has_branch(&self, branch: &str) -> Result<bool, WireError> {
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/git/ref/{ref}",
            format!("looking for branch {branch} in {}", self.name()),
            "Contents: read, for this repository",
        );
        let rest = format!("/git/ref/heads/{}", encode_path(branch));
        match self
            .send(&operation, self.request(Method::GET, &rest))
            .await
        {
            Ok(_) => Ok(true),
            Err(WireError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes the file on the branch, unless it says so already. The content's id keeps it from overwriting what
    /// somebody else wrote in between.
    async fn write_file(&self, proposal: &Proposal) -> Result<(), WireError> {
        let rest = format!("/contents/{}", encode_path(&proposal.path));
        let reading = Operation::read(
            "GET /repos/{owner}/{repo}/contents/{path}",
            format!("reading {} of {}", proposal.path, self.name()),
            "Contents: read, for this repository",
        );
        let request = self
            .request(Method::GET, &rest)
            .with("ref", &proposal.branch);
        let present: Option<Contents> = match self.send(&reading, request).await {
            Ok(answer) => Some(answer.decode(&reading)?),
            Err(WireError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let same = present.as_ref().is_some_and(|present| {
            let text = super::rules::decoded(&present.encoding, &present.content);
            text.as_deref() == Some(proposal.text.as_str())
        });
        if same {
            return Ok(());
        }
        // The same write twice is refused the second time, because the content's id has changed.
        let operation = Operation::write(
            "PUT /repos/{owner}/{repo}/contents/{path}",
            format!(
                "writing {} to branch {} of {}",
                proposal.path,
                proposal.branch,
                self.name()
            ),
            WRITE,
        )
        .on(WRITE_SCOPE.to_owned());
        let mut body = json!({
            "message": proposal.title, "branch": proposal.branch,
            "content": STANDARD.encode(proposal.text.as_bytes()),
        });
        if let Some(present) = present {
            body["sha"] = json!(present.sha);
        }
        let request = self.request(Method::PUT, &rest).json(body);
        self.send(&operation, request).await.map(drop)
    }

    /// The commit that a pull request proposes to merge, and the branch that it is for.
    ///
    /// # Errors
    /// A request that failed.
    pub async fn pull_head(&self, number: u64) -> Result<(String, String), WireError> {
        #[derive(Deserialize)]
        struct Pull {
            head: Side,
            base: Side,
        }
        #[derive(Deserialize)]
        struct Side {
            sha: String,
            #[serde(rename = "ref")]
            branch: String,
        }
        let operation = Operation::read(
            "GET /repos/{owner}/{repo}/pulls/{pull_number}",
            format!("reading pull request #{number} of {}", self.name()),
            "Pull requests: read, for this repository",
        );
        let rest = format!("/pulls/{}", encode(&number.to_string()));
        let pull: Pull = self
            .send(&operation, self.request(Method::GET, &rest))
            .await?
            .decode(&operation)?;
        Ok((pull.head.sha, pull.base.branch))
    }
}
