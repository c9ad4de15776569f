//! Comments of an issue, and their properties.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Jira;
use super::edits::Edit;
use super::fields::comment_body;
use super::issue::{Comment, Issue};
use super::properties::read_properties;
use super::reply::{Outcome, Reply, bad_payload, created, no_content, ok, one_field, refusal};
use super::route::Call;
use super::webhooks::events::Event;
use super::{packed::Packed, render};

/// Most comments in one list by ids (Jira REST v3: get comments by ids).
const LIST_MOST: usize = 1_000;

impl Jira {
    pub(super) fn get_comments(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let (start, most) = call.page(5_000, 5_000)?;
        let with_properties = call.expands("properties");
        let order = call.query("orderBy").unwrap_or("created");
        let field = order.trim_start_matches(['+', '-']);
        if field != "created" {
            let text = format!(
                "The field to order by should be one of [created]. Instead, it was: {field}."
            );
            return Err(refusal(400, text));
        }
        let mut comments: Vec<_> = self.readable_comments(call, id).collect();
        if order.starts_with('-') {
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

    fn readable_comments<'a>(
        &'a self,
        call: &'a Call<'_>,
        id: u64,
    ) -> impl Iterator<Item = &'a Comment> {
        let issue = self.issues.get(&id);
        let comments = issue.into_iter().flat_map(|issue| &issue.comments);
        comments.filter(move |comment| self.reads(&call.user.account_id, comment, issue))
    }

    /// A comment may be for a group or for a project role alone (Jira REST v3: comment, visibility).
    fn reads(&self, account: &str, comment: &Comment, issue: Option<&Issue>) -> bool {
        let visibility = &comment.visibility;
        let named = visibility["identifier"]
            .as_str()
            .or(visibility["value"].as_str());
        let (Some(named), Some(issue)) = (named, issue) else {
            return true;
        };
        match visibility["type"].as_str() {
            Some("group") => {
                let group = self.people.group(named);
                group.is_some_and(|group| self.people.is_in_group(account, &group.id))
            }
            Some("role") => {
                let project = self.projects.get(&issue.project);
                let mut roles = self.people.roles.values();
                let role = roles.find(|role| role.name == named || role.id.to_string() == named);
                project
                    .zip(role)
                    .is_some_and(|(project, role)| self.holds_role(account, role.id, project))
            }
            _ => true,
        }
    }

    fn readable_comment(&self, call: &Call<'_>, id: u64, comment: &str) -> Result<&Comment, Reply> {
        let issue = self.issues.get(&id);
        let comments = issue.into_iter().flat_map(|issue| &issue.comments);
        comments
            .filter(|known| self.reads(&call.user.account_id, known, issue))
            .find(|known| known.id.to_string() == comment)
            .ok_or_else(|| no_comment(comment))
    }

    pub(super) fn get_comment(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let comment = self.readable_comment(call, id, call.param(1))?;
        ok(self.comment_json(id, comment, call.version, true))
    }

    /// Comments of any issues that the caller sees, by id (Jira REST v3: get comments by ids).
    pub(super) fn get_comments_by_ids(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["ids"])?;
        let ids = call.body["ids"].as_array().ok_or_else(bad_payload)?;
        if ids.is_empty() || ids.len() > LIST_MOST {
            return Err(refusal(400, "1 to 1,000 comment ids must be given."));
        }
        let with_properties = call.expands("properties");
        let rows: Vec<Value> = ids
            .iter()
            .filter_map(Value::as_u64)
            .filter_map(|comment| {
                let id = *self.commented.get(&comment)?;
                let is_seen = self.may_on_id(&call.user.account_id, "BROWSE_PROJECTS", id);
                let comment = self.readable_comment(call, id, &comment.to_string()).ok()?;
                is_seen.then(|| self.comment_json(id, comment, call.version, with_properties))
            })
            .collect();
        let link = format!("{}/rest/api/{}/comment/list", self.site, call.version);
        let total = rows.len();
        ok(render::page(&link, (0, total.max(1)), rows))
    }

    pub(super) fn post_comment(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        if !self.may_on_id(&call.user.account_id, "ADD_COMMENTS", id) {
            return Err(refusal(
                400,
                "You do not have the permission to comment on this issue.",
            ));
        }
        let body = comment_body(&call.body["body"], call.is_v2())
            .map_err(|text| one_field("comment", text))?;
        self.require_room_for_comments(id, &[Edit::Comment(body.clone())])?;
        let properties = read_properties(&call.body["properties"])?;
        let properties = properties.into_iter().collect();
        let visibility = call.body["visibility"].clone();
        let stamp = call.stamp();
        let comment = self.add_comment(&stamp, id, body, properties, visibility, call.journal);
        let issue = self.issues.get(&id);
        let mut comments = issue.into_iter().flat_map(|issue| &issue.comments);
        let known = comments.find(|known| known.id == comment);
        let known = known.ok_or_else(|| no_comment(""))?;
        created(self.comment_json(id, known, call.version, true))
    }

    /// An issue takes only so many comments (Jira REST v3: issue limit report; 413).
    pub(super) fn require_room_for_comments(&self, id: u64, edits: &[Edit]) -> Result<(), Reply> {
        let more = edits
            .iter()
            .filter(|edit| matches!(edit, Edit::Comment(_)))
            .count();
        let have = self.issues.get(&id).map_or(0, |issue| issue.comments.len());
        if more > 0 && have + more > self.comment_cap {
            let text = format!(
                "The issue has reached its limit of {} comments.",
                self.comment_cap
            );
            return Err(refusal(413, text));
        }
        Ok(())
    }

    /// Own comments with *Edit own comments*, others' with *Edit all comments* (Jira REST v3: update comment).
    pub(super) fn edit_comment(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let body = comment_body(&call.body["body"], call.is_v2())
            .map_err(|text| one_field("comment", text))?;
        let text = "You do not have the permission to edit this comment.";
        let comment =
            self.own_comment(call, id, ("EDIT_OWN_COMMENTS", "EDIT_ALL_COMMENTS"), text)?;
        let editor = call.user.account_id.clone();
        self.change_comment(id, comment, |comment| {
            comment.body = body;
            comment.editor = editor;
            comment.updated = call.now;
        });
        self.record(&call.stamp(), id, Vec::new(), None);
        self.note_side_edit(&call.stamp(), id, "comment".into(), call.journal);
        self.tell(&call.stamp(), Event::CommentEdited(comment), id);
        self.get_comment(call)
    }

    pub(super) fn delete_comment(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let text = "You do not have the permission to delete this comment.";
        let comment = self.own_comment(
            call,
            id,
            ("DELETE_OWN_COMMENTS", "DELETE_ALL_COMMENTS"),
            text,
        )?;
        let gone = self.issues.get_mut(&id).and_then(|issue| {
            let at = issue
                .comments
                .iter()
                .position(|known| known.id == comment)?;
            Some(issue.comments.remove(at))
        });
        self.commented.remove(&comment);
        self.record(&call.stamp(), id, Vec::new(), None);
        self.note_side_edit(&call.stamp(), id, "comment".into(), call.journal);
        if let Some(gone) = gone {
            self.tell(&call.stamp(), Event::CommentDeleted(gone), id);
        }
        no_content()
    }

    /// The id of the comment that a request names, if the caller may treat it so.
    fn own_comment(
        &self,
        call: &Call<'_>,
        id: u64,
        (own, all): (&str, &str),
        text: &str,
    ) -> Result<u64, Reply> {
        let comment = self.readable_comment(call, id, call.param(1))?;
        let account = &call.user.account_id;
        let is_own = comment.author == *account;
        if (is_own && self.may_on_id(account, own, id)) || self.may_on_id(account, all, id) {
            return Ok(comment.id);
        }
        Err(refusal(400, text))
    }

    fn change_comment(&mut self, id: u64, comment: u64, change: impl FnOnce(&mut Comment)) {
        let issue = self.issues.get_mut(&id);
        let mut comments = issue.into_iter().flat_map(|issue| &mut issue.comments);
        if let Some(comment) = comments.find(|known| known.id == comment) {
            change(comment);
        }
    }

    /// The issue and the comment of a request for a comment's properties.
    fn comment_of_properties(&self, call: &Call<'_>) -> Result<(u64, &Comment), Reply> {
        let asked = call.param(0);
        let id = asked
            .parse()
            .ok()
            .and_then(|id: u64| self.commented.get(&id));
        let id = id
            .filter(|id| self.may_on_id(&call.user.account_id, "BROWSE_PROJECTS", **id))
            .ok_or_else(|| no_comment(asked))?;
        Ok((*id, self.readable_comment(call, *id, asked)?))
    }

    pub(super) fn get_comment_property_keys(&mut self, call: &mut Call<'_>) -> Outcome {
        let (_, comment) = self.comment_of_properties(call)?;
        let link = format!(
            "{}/rest/api/{}/comment/{}/properties",
            self.site, call.version, comment.id
        );
        let keys: Vec<Value> = comment
            .properties
            .keys()
            .map(|key| json!({"self": format!("{link}/{key}"), "key": key}))
            .collect();
        ok(json!({ "keys": keys }))
    }

    pub(super) fn get_comment_property(&mut self, call: &mut Call<'_>) -> Outcome {
        let (_, comment) = self.comment_of_properties(call)?;
        let key = call.param(1);
        let value = comment.properties.get(key);
        let value = value.ok_or_else(|| super::properties::no_property(key))?;
        ok(json!({"key": key, "value": value.value()}))
    }

    pub(super) fn put_comment_property(&mut self, call: &mut Call<'_>) -> Outcome {
        let (key, value) = (call.param(1).to_owned(), Packed::from(&call.body));
        super::properties::check_property(&key, &call.body)?;
        let known =
            self.change_comment_properties(call, |properties| properties.insert(key, value))?;
        let link = format!(
            "{}/rest/api/{}/comment/{}/properties/{}",
            self.site,
            call.version,
            call.param(0),
            call.param(1)
        );
        let status = if known.is_some() { 200 } else { 201 };
        Ok(Reply::new(status, json!({ "self": link })))
    }

    pub(super) fn delete_comment_property(&mut self, call: &mut Call<'_>) -> Outcome {
        let key = call.param(1).to_owned();
        let known = self.change_comment_properties(call, |properties| properties.remove(&key))?;
        known.ok_or_else(|| super::properties::no_property(&key))?;
        no_content()
    }

    /// For the author with *Edit own comments*, for others with *Edit all comments* (Jira REST v3: set comment property).
    fn change_comment_properties(
        &mut self,
        call: &mut Call<'_>,
        change: impl FnOnce(&mut BTreeMap<String, Packed>) -> Option<Packed>,
    ) -> Result<Option<Packed>, Reply> {
        let (id, comment) = self.comment_of_properties(call)?;
        let account = &call.user.account_id;
        let is_own = comment.author == *account;
        let comment = comment.id;
        let may = (is_own && self.may_on_id(account, "EDIT_OWN_COMMENTS", id))
            || self.may_on_id(account, "EDIT_ALL_COMMENTS", id);
        if !may {
            let text = "You do not have the permission to edit this comment.";
            return Err(refusal(403, text));
        }
        let mut before = None;
        self.change_comment(id, comment, |comment| {
            before = change(&mut comment.properties)
        });
        self.note_side_edit(&call.stamp(), id, "comment".into(), call.journal);
        Ok(before)
    }
}

fn no_comment(id: &str) -> Reply {
    refusal(404, format!("Can not find a comment for the id: {id}."))
}
