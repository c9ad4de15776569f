//! What a client reads about the site itself: server, fields, priorities, issue types. Changes nothing.

use serde_json::{Value, json};

use super::reply::{Outcome, Reply, ok, refusal};
use super::route::Call;
use super::{Jira, render};

/// Id of the issue type *Task*.
pub(super) const TASK_TYPE_ID: &str = "10002";
/// Id of the issue type *Sub-task*.
pub(super) const SUBTASK_TYPE_ID: &str = "10003";

/// Issue types of every project: id, name, whether it is a sub-task.
pub(super) const ISSUE_TYPES: [(&str, &str, bool); 2] = [
    (TASK_TYPE_ID, "Task", false),
    (SUBTASK_TYPE_ID, "Sub-task", true),
];

/// Priority ids and names of a new site.
pub(super) const PRIORITIES: [(&str, &str); 5] = [
    ("1", "Highest"),
    ("2", "High"),
    ("3", "Medium"),
    ("4", "Low"),
    ("5", "Lowest"),
];

/// System fields: id, name, type, and the type of array items.
pub(super) const FIELDS: [(&str, &str, &str, Option<&str>); 17] = [
    ("summary", "Summary", "string", None),
    ("description", "Description", "string", None),
    ("labels", "Labels", "array", Some("string")),
    ("priority", "Priority", "priority", None),
    ("status", "Status", "status", None),
    ("resolution", "Resolution", "resolution", None),
    ("project", "Project", "project", None),
    ("issuetype", "Work type", "issuetype", None),
    ("parent", "Parent", "issuelink", None),
    ("subtasks", "Sub-tasks", "array", Some("issuelinks")),
    ("assignee", "Assignee", "user", None),
    ("reporter", "Reporter", "user", None),
    ("creator", "Creator", "user", None),
    ("created", "Created", "datetime", None),
    ("updated", "Updated", "datetime", None),
    ("resolutiondate", "Resolved", "datetime", None),
    ("duedate", "Due date", "date", None),
];

impl Jira {
    pub(super) fn get_server_info(&mut self, call: &mut Call<'_>) -> Outcome {
        let (version, numbers, kind) = if self.is_data_center {
            ("10.3.4", [10, 3, 4], "Server")
        } else {
            ("1001.0.0-SNAPSHOT", [1001, 0, 0], "Cloud")
        };
        ok(json!({
            "baseUrl": self.site, "displayUrl": self.site, "version": version,
            "versionNumbers": numbers, "deploymentType": kind, "buildNumber": 100_294,
            "buildDate": "2026-10-01T00:00:00.000+0000", "serverTime": render::time(call.now),
            "scmInfo": "emulated", "serverTitle": "Jira", "serverTimeZone": "Etc/UTC",
        }))
    }

    /// The plan of each application (Jira REST v3: get license).
    pub(super) fn get_license(&mut self, _: &mut Call<'_>) -> Outcome {
        let plan = if self.is_free_plan { "FREE" } else { "PAID" };
        ok(json!({"applications": [
            {"id": "jira-core", "plan": plan}, {"id": "jira-product-discovery", "plan": "FREE"},
            {"id": "jira-software", "plan": plan},
        ]}))
    }

    /// The id under which Atlassian's gateway knows the site.
    pub(super) fn get_tenant(&mut self, _: &mut Call<'_>) -> Outcome {
        ok(json!({ "cloudId": self.cloud_id }))
    }

    pub(super) fn get_fields(&mut self, _: &mut Call<'_>) -> Outcome {
        let system = FIELDS.iter().map(|(id, name, kind, items)| {
            json!({
                "id": id, "key": id, "name": name, "custom": false, "orderable": true, "navigable": true,
                "searchable": true, "clauseNames": [id], "schema": schema(id, kind, *items),
            })
        });
        let custom = self.custom_fields.iter().map(|(id, name)| {
            json!({
                "id": id, "key": id, "name": name, "custom": true, "orderable": true, "navigable": true,
                "searchable": true, "clauseNames": [name], "schema": schema_of(id),
            })
        });
        ok(system.chain(custom).collect())
    }

    /// The name of a field, or its id.
    pub(super) fn field_name(&self, id: &str) -> String {
        let system = FIELDS.iter().find(|(known, ..)| *known == id);
        match (system, self.custom_fields.get(id)) {
            (Some((_, name, ..)), _) => (*name).to_owned(),
            (None, Some(name)) => name.clone(),
            (None, None) => id.to_owned(),
        }
    }

    pub(super) fn get_priorities(&mut self, call: &mut Call<'_>) -> Outcome {
        ok(PRIORITIES
            .iter()
            .map(|(id, _)| priority_json(id, &self.site, call.version))
            .collect())
    }

    pub(super) fn get_priority(&mut self, call: &mut Call<'_>) -> Outcome {
        let known = PRIORITIES.iter().find(|(id, _)| *id == call.param(0));
        let (id, _) = known.ok_or_else(|| refusal(404, "The priority does not exist."))?;
        ok(priority_json(id, &self.site, call.version))
    }

    pub(super) fn get_issue_types(&mut self, call: &mut Call<'_>) -> Outcome {
        ok(self.issue_types_json(call.version))
    }

    pub(super) fn get_issue_type(&mut self, call: &mut Call<'_>) -> Outcome {
        if !self.has_issue_type(call.param(0)) {
            return Err(no_issue_type());
        }
        ok(issue_type_json(call.param(0), &self.site, call.version))
    }

    pub(super) fn issue_types_json(&self, version: &str) -> Value {
        ISSUE_TYPES
            .iter()
            .map(|(id, ..)| issue_type_json(id, &self.site, version))
            .collect()
    }

    pub(super) fn has_issue_type(&self, id: &str) -> bool {
        ISSUE_TYPES.iter().any(|(known, ..)| *known == id)
    }
}

pub(super) fn no_issue_type() -> Reply {
    refusal(404, "The issue type selected is invalid.")
}

pub(super) fn schema(id: &str, kind: &str, items: Option<&str>) -> Value {
    match items {
        Some(items) => json!({"type": kind, "items": items, "system": id}),
        None => json!({"type": kind, "system": id}),
    }
}

/// The schema of a field by id; custom fields hold text.
pub(super) fn schema_of(id: &str) -> Value {
    match FIELDS.iter().find(|(known, ..)| *known == id) {
        Some((id, _, kind, items)) => schema(id, kind, *items),
        None => {
            let number = id.trim_start_matches("customfield_").parse().unwrap_or(0);
            let kind = "com.atlassian.jira.plugin.system.customfieldtypes:textfield";
            json!({"type": "string", "custom": kind, "customId": number})
        }
    }
}

pub(super) fn priority_name(id: &str) -> &'static str {
    PRIORITIES
        .iter()
        .find(|(known, _)| *known == id)
        .map_or("Medium", |(_, name)| name)
}

pub(super) fn priority_json(id: &str, site: &str, version: &str) -> Value {
    let name = priority_name(id);
    json!({
        "self": format!("{site}/rest/api/{version}/priority/{id}"), "id": id, "name": name,
        "iconUrl": format!("{site}/images/icons/priorities/{}.svg", name.to_lowercase()),
    })
}

pub(super) fn issue_type_json(id: &str, site: &str, version: &str) -> Value {
    let known = ISSUE_TYPES.iter().find(|(known, ..)| *known == id);
    let (name, is_subtask) = known.map_or(("Task", false), |(_, name, sub)| (*name, *sub));
    json!({
        "self": format!("{site}/rest/api/{version}/issuetype/{id}"), "id": id,
        "description": "", "iconUrl": format!("{site}/images/icons/issuetypes/{}.svg", name.to_lowercase()),
        "name": name, "subtask": is_subtask, "hierarchyLevel": if is_subtask { -1 } else { 0 },
    })
}
