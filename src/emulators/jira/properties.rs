//! Entity properties and remote links of an issue: data beside the fields that JQL does not see.

use serde_json::{Value, json};

use super::Jira;
use super::changes::Stamp;
use super::issue::{HistoryItem, RemoteLink};
use super::reply::{Outcome, Reply, no_content, ok, one_field, refusal};
use super::route::Call;
use crate::emulators::journal::Journal;

/// Most characters of a property's JSON (Jira REST v3: set issue property).
const VALUE_MOST: usize = 32_768;
/// Most characters of a property key and of a remote link's global id (Jira REST v3).
const KEY_MOST: usize = 255;

impl Jira {
    pub(super) fn get_property_keys(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let link = self.issue_link(id, call.version);
        let keys = self
            .issues
            .get(&id)
            .into_iter()
            .flat_map(|issue| issue.properties.keys());
        let keys: Vec<Value> = keys
            .map(|key| json!({"self": format!("{link}/properties/{key}"), "key": key}))
            .collect();
        ok(json!({"keys": keys}))
    }

    pub(super) fn get_property(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let key = call.param(1);
        let value = self
            .issues
            .get(&id)
            .and_then(|issue| issue.properties.get(key));
        let value = value.ok_or_else(|| no_property(key))?;
        ok(json!({"key": key, "value": value}))
    }

    /// 201 for a new key, 200 for a replaced value; never a merge (Jira REST v3: set issue property).
    pub(super) fn put_property(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        self.require_edit(call)?;
        let (key, value) = (call.param(1).to_owned(), call.body.clone());
        check_property(&key, &value)?;
        let link = format!("{}/properties/{key}", self.issue_link(id, call.version));
        let is_new = self.set_property(&call.stamp(), id, key, value, call.journal);
        Ok(Reply::new(
            if is_new { 201 } else { 200 },
            json!({"self": link}),
        ))
    }

    pub(super) fn delete_property(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        self.require_edit(call)?;
        let key = call.param(1).to_owned();
        let removed = self
            .issues
            .get_mut(&id)
            .and_then(|issue| issue.properties.remove(&key));
        removed.ok_or_else(|| no_property(&key))?;
        self.note_side_edit(&call.stamp(), id, format!("property:{key}"), call.journal);
        no_content()
    }

    /// Sets a property; true when the key is new.
    pub(super) fn set_property(
        &mut self,
        stamp: &Stamp,
        id: u64,
        key: String,
        value: Value,
        journal: &mut Journal,
    ) -> bool {
        let Some(issue) = self.issues.get_mut(&id) else {
            return false;
        };
        let is_new = issue.properties.insert(key.clone(), value).is_none();
        self.note_side_edit(stamp, id, format!("property:{key}"), journal);
        is_new
    }

    pub(super) fn get_remote_links(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let links = self
            .issues
            .get(&id)
            .map_or(&[][..], |issue| &issue.remote_links);
        if let Some(global_id) = call.query("globalId") {
            let link = links
                .iter()
                .find(|link| link.global_id.as_deref() == Some(global_id));
            let link = link
                .ok_or_else(|| refusal(404, "The requested remote issue link does not exist."))?;
            return ok(self.remote_link_json(id, link, call.version));
        }
        ok(links
            .iter()
            .map(|link| self.remote_link_json(id, link, call.version))
            .collect())
    }

    /// An upsert by `globalId`; members left out become null (Jira REST v3: create or update remote issue link).
    pub(super) fn post_remote_link(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        if !self.may(&call.user.account_id, "LINK_ISSUES") {
            return Err(refusal(403, "You do not have permission to link issues."));
        }
        let object = &call.body["object"];
        for member in ["url", "title"] {
            if object[member].as_str().is_none_or(str::is_empty) {
                return Err(one_field(member, format!("'{member}' is required.")));
            }
        }
        let global_id = call.body["globalId"].as_str().map(ToOwned::to_owned);
        if global_id
            .as_ref()
            .is_some_and(|global_id| global_id.chars().count() > KEY_MOST)
        {
            return Err(one_field(
                "globalId",
                format!("'globalId' must be at most {KEY_MOST} characters."),
            ));
        }
        let fresh = self.take_id();
        let Some(issue) = self.issues.get_mut(&id) else {
            return Err(super::reply::no_issue());
        };
        let known = issue
            .remote_links
            .iter_mut()
            .find(|link| global_id.is_some() && link.global_id == global_id);
        let (link_id, status, item) = match known {
            Some(link) => {
                link.body = call.body.clone();
                (link.id, 200, None)
            }
            None => {
                let title = object["title"].as_str().unwrap_or_default();
                let text = format!("This issue links to \"{title}\"");
                issue.remote_links.push(RemoteLink {
                    id: fresh,
                    global_id,
                    body: call.body.clone(),
                });
                (
                    fresh,
                    201,
                    Some(HistoryItem::text("RemoteIssueLink", "", &text)),
                )
            }
        };
        self.record(&call.stamp(), id, item.into_iter().collect(), None);
        self.note_side_edit(&call.stamp(), id, "remotelink".into(), call.journal);
        let link = format!("{}/remotelink/{link_id}", self.issue_link(id, call.version));
        Ok(Reply::new(status, json!({"id": link_id, "self": link})))
    }

    fn remote_link_json(&self, issue: u64, link: &RemoteLink, version: &str) -> Value {
        let mut body = json!({
            "id": link.id, "self": format!("{}/remotelink/{}", self.issue_link(issue, version), link.id),
            "application": {}, "object": link.body["object"],
        });
        for member in ["globalId", "application", "relationship"] {
            if let Some(value) = link.body.get(member) {
                body[member] = value.clone();
            }
        }
        body
    }

    fn require_edit(&self, call: &Call<'_>) -> Result<(), Reply> {
        if self.may(&call.user.account_id, "EDIT_ISSUES") {
            return Ok(());
        }
        Err(refusal(
            403,
            "You do not have permission to edit issues in this project.",
        ))
    }
}

/// The `properties` member of a create, edit or transition: a list of `{key, value}`.
pub(super) fn read_properties(list: &Value) -> Result<Vec<(String, Value)>, Reply> {
    let rows = list.as_array().into_iter().flatten();
    rows.map(|row| {
        let key = row["key"].as_str().unwrap_or_default().to_owned();
        check_property(&key, &row["value"])?;
        Ok((key, row["value"].clone()))
    })
    .collect()
}

fn check_property(key: &str, value: &Value) -> Result<(), Reply> {
    if key.is_empty() || key.chars().count() > KEY_MOST {
        return Err(refusal(
            400,
            format!("The property key must be 1 to {KEY_MOST} characters."),
        ));
    }
    if value.is_null() {
        return Err(refusal(
            400,
            "The property value must be a valid, non-empty JSON.",
        ));
    }
    if value.to_string().chars().count() > VALUE_MOST {
        return Err(refusal(
            400,
            format!("The property value must be at most {VALUE_MOST} characters."),
        ));
    }
    Ok(())
}

fn no_property(key: &str) -> Reply {
    refusal(
        404,
        format!("The property with key '{key}' does not exist."),
    )
}
