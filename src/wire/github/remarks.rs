//! What is said on a pull request: one comment that is kept up to date, and one check run with annotations.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{GitHub, WRITE_SCOPE, encode};
use crate::ignore::report::Annotation;
use crate::wire::error::WireError;
use crate::wire::http::Operation;

/// Annotations in one request (REST API: check runs); more come by updates.
const ANNOTATIONS_PER_CALL: usize = 50;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// All is well.
    Success,
    /// Somebody should look, and nothing is blocked.
    Neutral,
    /// The change must not be merged as it is.
    Failure,
}

/// What a check run shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRun {
    /// The check's name: protected branches require it by this name.
    pub name: String,
    /// The commit that was looked at.
    pub head: String,
    /// How it ended.
    pub conclusion: Conclusion,
    /// One line.
    pub title: String,
    /// Markdown, at most 65,535 characters.
    pub summary: String,
    /// At lines of the change.
    pub annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Comment {
    id: u64,
    body: Option<String>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Created {
    id: u64,
}

const COMMENTS: &str = "Pull requests: write, for this repository";
const CHECKS: &str = "Checks: write, for this repository";

impl GitHub {
    /// Keeps one comment of ours on a pull request: the first one that carries the mark is rewritten if it differs,
    /// further ones are deleted. Others' comments are left alone, whatever mark they carry.
    ///
    /// # Errors
    /// A request that failed; calling again repairs what was left undone.
    pub async fn keep_comment(
        &self,
        number: u64,
        by: &str,
        mark: &str,
        body: &str,
    ) -> Result<(), WireError> {
        let what = format!(
            "keeping the comment on pull request #{number} of {}",
            self.name()
        );
        let list = Operation::read(
            "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
            &*what,
            COMMENTS,
        );
        let rest = format!("/issues/{}/comments", encode(&number.to_string()));
        let request = self.request(Method::GET, &rest);
        let all: Vec<Comment> = self.pages(&list, &request, 5_000).await?;
        let mut ours = all.into_iter().filter(|comment| {
            let by_us = comment.user.as_ref().is_some_and(|user| user.login == by);
            by_us
                && comment
                    .body
                    .as_ref()
                    .is_some_and(|body| body.contains(mark))
        });
        match ours.next() {
            None => {
                let create = Operation::write(
                    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
                    &*what,
                    COMMENTS,
                )
                .on(WRITE_SCOPE.to_owned());
                let request = self
                    .request(Method::POST, &rest)
                    .json(json!({ "body": body }));
                self.send(&create, request).await?;
            }
            Some(comment) if comment.body.as_deref() == Some(body) => {}
            Some(comment) => {
                let update = Operation::write(
                    "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
                    &*what,
                    COMMENTS,
                )
                .repeatable()
                .on(WRITE_SCOPE.to_owned());
                let request = self
                    .request(Method::PATCH, &format!("/issues/comments/{}", comment.id))
                    .json(json!({ "body": body }));
                self.send(&update, request).await?;
            }
        }
        let delete = Operation::write(
            "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}",
            what,
            COMMENTS,
        )
        .repeatable()
        .on(WRITE_SCOPE.to_owned())
        .answered_by(&[404]);
        for surplus in ours {
            let rest = format!("/issues/comments/{}", surplus.id);
            self.send(&delete, self.request(Method::DELETE, &rest))
                .await?;
        }
        Ok(())
    }

    /// Publishes a check run with all its annotations. A newer one of the same name and commit takes the place of an
    /// older one.
    ///
    /// # Errors
    /// A request that failed.
    pub async fn publish_check(&self, check: &CheckRun) -> Result<(), WireError> {
        let what = format!("publishing the check on {} of {}", check.head, self.name());
        let create = Operation::write("POST /repos/{owner}/{repo}/check-runs", &*what, CHECKS)
            .repeatable()
            .on(WRITE_SCOPE.to_owned());
        let mut batches = check.annotations.chunks(ANNOTATIONS_PER_CALL);
        let output = |annotations: &[Annotation]| json!({ "title": check.title, "summary": check.summary, "annotations": annotations });
        let request = self.request(Method::POST, "/check-runs").json(json!({
            "name": check.name, "head_sha": check.head, "status": "completed", "conclusion": check.conclusion,
            "output": output(batches.next().unwrap_or_default()),
        }));
        let created: Created = self.send(&create, request).await?.decode(&create)?;
        let update = Operation::write(
            "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
            what,
            CHECKS,
        )
        .on(WRITE_SCOPE.to_owned());
        for batch in batches {
            let request = self
                .request(Method::PATCH, &format!("/check-runs/{}", created.id))
                .json(json!({ "output": output(batch) }));
            self.send(&update, request).await?;
        }
        Ok(())
    }
}
