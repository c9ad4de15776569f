//! Properties of many issues at once: checked here, set by a task (Jira REST v3: issue properties).

use serde_json::Value;

use super::Jira;
use super::packed::Packed;
use super::properties::check_property;
use super::reply::{Outcome, Reply, bad_payload, refusal};
use super::route::Call;
use super::tasks::Work;

/// Most properties for an issue, and most issues, in one request (Jira REST v3).
const PROPERTIES_MOST: usize = 10;
const ISSUES_MOST: usize = 10_000;
const ISSUES_OF_MULTI_MOST: usize = 100;

/// Issue id, key, value; no value removes.
type Change = (u64, String, Option<Packed>);

impl Jira {
    /// The same properties for many issues, all or none.
    pub(super) fn set_properties_of_issues(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["entitiesIds", "properties"])?;
        let ids = ids(&call.body["entitiesIds"]);
        if ids.is_empty() || ids.len() > ISSUES_MOST {
            return Err(bad_payload());
        }
        let properties = read(&call.body["properties"])?;
        let changes = ids.iter().flat_map(|id| {
            properties
                .iter()
                .map(|(key, value)| (*id, key.clone(), Some(value.clone())))
        });
        let changes = changes.collect();
        self.change_properties(call, changes, true)
    }

    /// Properties of their own for each issue; one that fails leaves the others.
    pub(super) fn set_many_properties(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["issues"])?;
        let rows = call.body["issues"].as_array().ok_or_else(bad_payload)?;
        if rows.is_empty() || rows.len() > ISSUES_OF_MULTI_MOST {
            return Err(bad_payload());
        }
        let mut changes = Vec::new();
        for row in rows {
            let id = row["issueID"].as_u64().ok_or_else(bad_payload)?;
            let properties = read(&row["properties"])?;
            changes.extend(
                properties
                    .into_iter()
                    .map(|(key, value)| (id, key, Some(value))),
            );
        }
        self.change_properties(call, changes, false)
    }

    /// One value for the issues that a filter lets through: `currentValue` makes a compare-and-set.
    pub(super) fn set_property_by_filter(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["expression", "filter", "value"])?;
        if !call.body["expression"].is_null() {
            return Err(refusal(501, "The emulator does not know Jira expressions."));
        }
        let key = call.param(0).to_owned();
        check_property(&key, &call.body["value"])?;
        let filter = call.body["filter"].clone();
        if filter["hasProperty"] == Value::Bool(false) && !filter["currentValue"].is_null() {
            let text =
                "The filter is contradictory: an issue without the property has no current value.";
            return Err(refusal(400, text));
        }
        let value = Packed::from(&call.body["value"]);
        let found = self.filtered(call, &key, &filter);
        let changes = found
            .into_iter()
            .map(|id| (id, key.clone(), Some(value.clone())));
        let changes = changes.collect();
        self.change_properties(call, changes, true)
    }

    pub(super) fn delete_property_by_filter(&mut self, call: &mut Call<'_>) -> Outcome {
        if !call.body.is_null() {
            call.require_closed(&["currentValue", "entityIds"])?;
        }
        let key = call.param(0).to_owned();
        let found = self.filtered(call, &key, &call.body);
        let changes = found
            .into_iter()
            .map(|id| (id, key.clone(), None))
            .collect();
        self.change_properties(call, changes, true)
    }

    /// The issues that the caller may edit and the filter lets through; without ids, all of them.
    fn filtered(&self, call: &Call<'_>, key: &str, filter: &Value) -> Vec<u64> {
        let only = filter["entityIds"]
            .is_array()
            .then(|| ids(&filter["entityIds"]));
        let current =
            (!filter["currentValue"].is_null()).then(|| Packed::from(&filter["currentValue"]));
        self.issues
            .values()
            .filter(|issue| only.as_ref().is_none_or(|ids| ids.contains(&issue.id)))
            .filter(|issue| {
                let value = issue.properties.get(key);
                current
                    .as_ref()
                    .is_none_or(|current| value == Some(current))
                    && filter["hasProperty"]
                        .as_bool()
                        .is_none_or(|has| has == value.is_some())
            })
            .filter(|issue| self.may_on(&call.user.account_id, "EDIT_ISSUES", issue))
            .map(|issue| issue.id)
            .collect()
    }

    fn change_properties(
        &mut self,
        call: &Call<'_>,
        changes: Vec<Change>,
        is_transactional: bool,
    ) -> Outcome {
        let work = Work::Properties {
            changes,
            is_transactional,
        };
        let task = self.start(call, "Bulk set issue properties", work);
        let mut reply = self.see_task(call, task)?;
        reply.body = None;
        Ok(reply)
    }
}

fn ids(list: &Value) -> Vec<u64> {
    let rows = list.as_array().into_iter().flatten();
    rows.filter_map(Value::as_u64).collect()
}

fn read(properties: &Value) -> Result<Vec<(String, Packed)>, Reply> {
    let map = properties.as_object().ok_or_else(bad_payload)?;
    if map.is_empty() || map.len() > PROPERTIES_MOST {
        return Err(bad_payload());
    }
    map.iter()
        .map(|(key, value)| {
            check_property(key, value)?;
            Ok((key.clone(), Packed::from(value)))
        })
        .collect()
}
