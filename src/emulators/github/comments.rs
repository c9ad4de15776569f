//! Comments on pull requests (REST API: issue comments; a pull request is an issue too).

use serde_json::{Value, json};

use super::GitHub;
use super::git::{moment, paged};
use super::reply::{Outcome, Reply, created, invalid, not_found, ok, refusal, text};
use super::repository::{Comment, Repository};
use super::route::Call;

/// The longest comment, in characters (GitHub answers longer ones with 422).
const LONGEST: usize = 65_536;

impl GitHub {
    /// `GET /repos/{owner}/{repo}/issues/{issue_number}/comments`, oldest first.
    pub(super) fn get_comments(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        if !repo.pulls.contains_key(&call.number(0)) {
            return Err(not_found());
        }
        let all = repo
            .comments
            .values()
            .filter(|comment| comment.number == call.number(0));
        let found: Vec<Value> = all
            .map(|comment| self.comment_document(repo, comment))
            .collect();
        paged(call, &found)
    }

    /// `POST /repos/{owner}/{repo}/issues/{issue_number}/comments`
    pub(super) fn post_comment(&mut self, call: &Call) -> Outcome {
        let body = body(call)?;
        let id = self.take_id();
        let repo = self.repo_mut(call)?;
        if !repo.pulls.contains_key(&call.number(0)) {
            return Err(not_found());
        }
        let comment = Comment {
            id,
            number: call.number(0),
            by: call.user.login.clone(),
            body,
            created_at: call.now,
            updated_at: call.now,
        };
        repo.comments.insert(id, comment.clone());
        let repo = self.repo(call)?;
        created(self.comment_document(repo, &comment))
    }

    /// `PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}`
    pub(super) fn patch_comment(&mut self, call: &Call) -> Outcome {
        let body = body(call)?;
        self.own(call)?;
        let repo = self.repo_mut(call)?;
        let comment = repo
            .comments
            .get_mut(&call.number(0))
            .ok_or_else(not_found)?;
        comment.body = body;
        comment.updated_at = call.now;
        let comment = comment.clone();
        let repo = self.repo(call)?;
        ok(self.comment_document(repo, &comment))
    }

    /// `DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}`
    pub(super) fn delete_comment(&mut self, call: &Call) -> Outcome {
        self.own(call)?;
        let repo = self.repo_mut(call)?;
        repo.comments
            .remove(&call.number(0))
            .ok_or_else(not_found)?;
        Ok(Reply::bare(204))
    }

    /// One's own comments, and with write access everybody's.
    fn own(&self, call: &Call) -> Result<(), Reply> {
        let comment = self
            .repo(call)?
            .comments
            .get(&call.number(0))
            .ok_or_else(not_found)?;
        if comment.by == call.user.login || call.user.writes {
            Ok(())
        } else {
            Err(refusal(403, "Must have admin rights to Repository."))
        }
    }

    fn comment_document(&self, repo: &Repository, comment: &Comment) -> Value {
        let url = format!("{}/issues/comments/{}", self.repo_url(repo), comment.id);
        let html_url = format!(
            "{}/{}/{}/pull/{}#issuecomment-{}",
            self.site, repo.owner, repo.name, comment.number, comment.id
        );
        json!({ "id": comment.id, "url": url, "html_url": html_url, "body": comment.body,
            "user": self.user_document(&comment.by), "created_at": moment(comment.created_at),
            "updated_at": moment(comment.updated_at),
            "issue_url": format!("{}/issues/{}", self.repo_url(repo), comment.number) })
    }
}

fn body(call: &Call) -> Result<String, Reply> {
    let body = text(&call.body, "body", "IssueComment")?;
    if body.chars().count() > LONGEST {
        let sentence = format!("body is too long (maximum is {LONGEST} characters)");
        return Err(invalid("IssueComment", "body", "unprocessable", &sentence));
    }
    Ok(body.to_owned())
}
