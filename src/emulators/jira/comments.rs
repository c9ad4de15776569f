//! Comments of an issue.

use serde_json::{Value, json};

use super::Jira;
use super::fields::comment_body;
use super::reply::{Outcome, created, ok, one_field, refusal};
use super::route::Call;

impl Jira {
    pub(super) fn get_comments(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let (start, most) = call.page(5_000, 5_000);
        let with_properties = call
            .query_list("expand")
            .iter()
            .any(|one| one == "properties");
        let mut comments: Vec<_> = self
            .issues
            .get(&id)
            .into_iter()
            .flat_map(|issue| &issue.comments)
            .collect();
        if call
            .query("orderBy")
            .is_some_and(|order| order == "-created")
        {
            comments.reverse();
        }
        let shown: Vec<Value> = comments
            .iter()
            .skip(start)
            .take(most)
            .map(|comment| self.comment_json(id, comment, call.version, with_properties))
            .collect();
        ok(
            json!({"startAt": start, "maxResults": most, "total": comments.len(), "comments": shown}),
        )
    }

    pub(super) fn get_comment(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let at = self.comment_position(id, call.param(1));
        let comment = at.and_then(|at| self.issues.get(&id)?.comments.get(at));
        let comment = comment.ok_or_else(|| no_comment(call.param(1)))?;
        ok(self.comment_json(id, comment, call.version, true))
    }

    pub(super) fn post_comment(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        if !self.may(&call.user.account_id, "ADD_COMMENTS") {
            return Err(refusal(
                400,
                "You do not have the permission to comment on this issue.",
            ));
        }
        let body = comment_body(&call.body["body"], call.is_v2())
            .map_err(|text| one_field("comment", text))?;
        if self
            .issues
            .get(&id)
            .is_some_and(|issue| issue.comments.len() >= self.comment_cap)
        {
            let text = format!(
                "The issue has reached its limit of {} comments.",
                self.comment_cap
            );
            return Err(refusal(413, text));
        }
        let properties = match &call.body["properties"] {
            Value::Array(list) => Value::Array(list.clone()),
            _ => json!([]),
        };
        self.add_comment(&call.stamp(), id, body, properties, call.journal);
        let comment = self.issues.get(&id).and_then(|issue| issue.comments.last());
        let comment = comment.ok_or_else(|| no_comment(""))?;
        created(self.comment_json(id, comment, call.version, true))
    }

    /// Own comments only (Jira REST v3: update comment, *Edit own comments*).
    pub(super) fn edit_comment(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let body = comment_body(&call.body["body"], call.is_v2())
            .map_err(|text| one_field("comment", text))?;
        let at = self
            .comment_position(id, call.param(1))
            .ok_or_else(|| no_comment(call.param(1)))?;
        if let Some(comment) = self
            .issues
            .get_mut(&id)
            .and_then(|issue| issue.comments.get_mut(at))
        {
            if comment.author != call.user.account_id {
                return Err(refusal(
                    400,
                    "You do not have the permission to edit this comment.",
                ));
            }
            comment.body = body;
        }
        self.record(&call.stamp(), id, Vec::new(), None);
        self.note_side_edit(&call.stamp(), id, "comment".into(), call.journal);
        self.get_comment(call)
    }

    fn comment_position(&self, issue: u64, comment: &str) -> Option<usize> {
        self.issues
            .get(&issue)?
            .comments
            .iter()
            .position(|known| known.id.to_string() == comment)
    }
}

fn no_comment(id: &str) -> super::reply::Reply {
    refusal(404, format!("Can not find a comment for the id: {id}."))
}
