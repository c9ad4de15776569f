//! Entity properties of one issue: data beside the fields that JQL does not see.

use serde_json::{Value, json};

use super::Jira;
use super::changes::Stamp;
use super::packed::Packed;
use super::reply::{Outcome, Reply, no_content, ok, refusal};
use super::route::Call;
use crate::emulators::journal::Journal;

/// Most characters of a property's JSON (Jira REST v3: set issue property).
const VALUE_MOST: usize = 32_768;
/// Most characters of a property key (Jira REST v3).
pub(super) const KEY_MOST: usize = 255;

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
        ok(json!({"key": key, "value": value.value()}))
    }

    /// 201 for a new key, 200 for a replaced value; never a merge (Jira REST v3: set issue property).
    pub(super) fn put_property(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        self.require_edit(call, id)?;
        let (key, value) = (call.param(1).to_owned(), call.body.clone());
        check_property(&key, &value)?;
        let link = format!("{}/properties/{key}", self.issue_link(id, call.version));
        let is_new = self.set_property(&call.stamp(), id, key, value.into(), call.journal);
        Ok(Reply::new(
            if is_new { 201 } else { 200 },
            json!({"self": link}),
        ))
    }

    pub(super) fn delete_property(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        self.require_edit(call, id)?;
        let key = call.param(1).to_owned();
        if self.drop_property(&call.stamp(), id, &key, call.journal) {
            return no_content();
        }
        Err(no_property(&key))
    }

    /// Removes a property; false when there was none.
    pub(super) fn drop_property(
        &mut self,
        stamp: &Stamp,
        id: u64,
        key: &str,
        journal: &mut Journal,
    ) -> bool {
        let issue = self.issues.get_mut(&id);
        let removed = issue.and_then(|issue| issue.properties.remove(key));
        if removed.is_some() {
            self.note_side_edit(stamp, id, format!("property:{key}"), journal);
        }
        removed.is_some()
    }

    /// Sets a property; true when the key is new.
    pub(super) fn set_property(
        &mut self,
        stamp: &Stamp,
        id: u64,
        key: String,
        value: Packed,
        journal: &mut Journal,
    ) -> bool {
        let Some(issue) = self.issues.get_mut(&id) else {
            return false;
        };
        let is_new = issue.properties.insert(key.clone(), value).is_none();
        self.note_side_edit(stamp, id, format!("property:{key}"), journal);
        is_new
    }

    pub(super) fn require_edit(&self, call: &Call<'_>, id: u64) -> Result<(), Reply> {
        let text = "You do not have permission to edit issues in this project.";
        self.require_on(call, "EDIT_ISSUES", id, text)
    }
}

/// The `properties` member of a create, edit or transition: a list of `{key, value}`.
pub(super) fn read_properties(list: &Value) -> Result<Vec<(String, Packed)>, Reply> {
    let rows = list.as_array().into_iter().flatten();
    rows.map(|row| {
        let key = row["key"].as_str().unwrap_or_default().to_owned();
        check_property(&key, &row["value"])?;
        Ok((key, Packed::from(&row["value"])))
    })
    .collect()
}

pub(super) fn check_property(key: &str, value: &Value) -> Result<(), Reply> {
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

pub(super) fn no_property(key: &str) -> Reply {
    refusal(
        404,
        format!("The property with key '{key}' does not exist."),
    )
}
