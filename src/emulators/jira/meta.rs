//! What a client reads about the site: who am I, permissions, users, fields, statuses. Changes nothing.

use serde_json::{Map, Value, json};

use super::reply::{Outcome, field_refusal, ok, refusal};
use super::route::Call;
use super::users::{PERMISSIONS, Role, User};
use super::workflow::{self, RESOLUTIONS};
use super::{Jira, render};

/// Id of the issue type *Task*.
pub(super) const TASK_TYPE_ID: &str = "10002";

/// Priority ids and names of a new site.
pub(super) const PRIORITIES: [(&str, &str); 5] = [
    ("1", "Highest"),
    ("2", "High"),
    ("3", "Medium"),
    ("4", "Low"),
    ("5", "Lowest"),
];

/// System fields: id, name, type, and the type of array items.
pub(super) const FIELDS: [(&str, &str, &str, Option<&str>); 15] = [
    ("summary", "Summary", "string", None),
    ("description", "Description", "string", None),
    ("labels", "Labels", "array", Some("string")),
    ("priority", "Priority", "priority", None),
    ("status", "Status", "status", None),
    ("resolution", "Resolution", "resolution", None),
    ("project", "Project", "project", None),
    ("issuetype", "Work type", "issuetype", None),
    ("assignee", "Assignee", "user", None),
    ("reporter", "Reporter", "user", None),
    ("creator", "Creator", "user", None),
    ("created", "Created", "datetime", None),
    ("updated", "Updated", "datetime", None),
    ("resolutiondate", "Resolved", "datetime", None),
    ("duedate", "Due date", "date", None),
];

impl Jira {
    pub(super) fn get_myself(&mut self, call: &mut Call<'_>) -> Outcome {
        let mut me = call.user.json(&self.site, call.version);
        let groups: Vec<Value> = call
            .user
            .groups
            .iter()
            .map(|name| json!({"name": name}))
            .collect();
        me["locale"] = json!("en_US");
        me["groups"] = json!({"size": groups.len(), "items": groups});
        me["applicationRoles"] = json!({"size": 1, "items": []});
        me["expand"] = json!("groups,applicationRoles");
        ok(me)
    }

    pub(super) fn get_server_info(&mut self, call: &mut Call<'_>) -> Outcome {
        ok(json!({
            "baseUrl": self.site, "displayUrl": self.site, "version": "1001.0.0-SNAPSHOT",
            "versionNumbers": [1001, 0, 0], "deploymentType": "Cloud", "buildNumber": 100_294,
            "buildDate": "2026-10-01T00:00:00.000+0000", "serverTime": render::time(call.now),
            "scmInfo": "emulated", "serverTitle": "Jira", "serverTimeZone": "Etc/UTC",
        }))
    }

    pub(super) fn get_my_permissions(&mut self, call: &mut Call<'_>) -> Outcome {
        let asked = call.query_list("permissions");
        if asked.is_empty() {
            return Err(refusal(
                400,
                "The 'permissions' query parameter is required.",
            ));
        }
        let unknown: Map<String, Value> = asked
            .iter()
            .filter(|key| !PERMISSIONS.iter().any(|(known, ..)| known == key))
            .map(|key| (key.clone(), json!("Unrecognized permission")))
            .collect();
        if !unknown.is_empty() {
            return Err(field_refusal(unknown));
        }
        let project = call
            .query("projectKey")
            .or(call.query("projectId"))
            .map(ToOwned::to_owned);
        if let Some(project) = project {
            self.visible_project(&call.user, &project)?;
        }
        let known = PERMISSIONS
            .iter()
            .filter(|(key, ..)| asked.iter().any(|one| one == key));
        let permissions: Map<String, Value> = known
            .map(|(key, id, name, is_global)| {
                let entry = json!({
                    "id": id, "key": key, "name": name, "type": if *is_global { "GLOBAL" } else { "PROJECT" },
                    "description": name, "havePermission": self.may(&call.user.account_id, key),
                });
                ((*key).to_owned(), entry)
            })
            .collect();
        ok(json!({"permissions": permissions}))
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
                "searchable": true, "clauseNames": [name], "schema": {"type": "string", "custom": "text"},
            })
        });
        ok(system.chain(custom).collect())
    }

    pub(super) fn get_statuses(&mut self, call: &mut Call<'_>) -> Outcome {
        ok(self.statuses_json(call.version))
    }

    pub(super) fn get_status_categories(&mut self, call: &mut Call<'_>) -> Outcome {
        use workflow::Category::{Done, Indeterminate, New};
        let categories = [New, Indeterminate, Done];
        ok(categories
            .into_iter()
            .map(|c| workflow::category_json(c, &self.site, call.version))
            .collect())
    }

    pub(super) fn get_priorities(&mut self, call: &mut Call<'_>) -> Outcome {
        ok(PRIORITIES
            .iter()
            .map(|(id, _)| priority_json(id, &self.site, call.version))
            .collect())
    }

    pub(super) fn get_resolutions(&mut self, call: &mut Call<'_>) -> Outcome {
        ok(RESOLUTIONS
            .iter()
            .map(|(id, _)| resolution_json(id, &self.site, call.version))
            .collect())
    }

    pub(super) fn get_issue_types(&mut self, call: &mut Call<'_>) -> Outcome {
        ok(json!([task_type_json(&self.site, call.version)]))
    }

    pub(super) fn get_user(&mut self, call: &mut Call<'_>) -> Outcome {
        let asked = call.query("accountId").unwrap_or_default();
        let user = self.account(asked).ok_or_else(|| {
            refusal(
                404,
                "Specified user does not exist or you do not have required permissions",
            )
        })?;
        ok(user.json(&self.site, call.version))
    }

    pub(super) fn get_all_users(&mut self, call: &mut Call<'_>) -> Outcome {
        let (start, most) = call.page(50, 1_000);
        let users = self.users.iter().skip(start).take(most);
        ok(users
            .map(|user| user.json(&self.site, call.version))
            .collect())
    }

    pub(super) fn get_assignable_users(&mut self, call: &mut Call<'_>) -> Outcome {
        let wanted = call.query("query").unwrap_or_default().to_lowercase();
        let (start, most) = call.page(50, 1_000);
        let fits = |user: &&User| {
            user.active
                && self.may(&user.account_id, "ASSIGNABLE_USER")
                && (user.display_name.to_lowercase().contains(&wanted)
                    || user.email.contains(&wanted))
        };
        let found = self.users.iter().filter(fits).skip(start).take(most);
        ok(found
            .map(|user| user.json(&self.site, call.version))
            .collect())
    }

    pub(super) fn get_group_members(&mut self, call: &mut Call<'_>) -> Outcome {
        let by_id = call
            .query("groupId")
            .and_then(|id| Role::ALL.into_iter().find(|role| role.group().0 == id));
        let name = by_id
            .map(|role| role.group().1)
            .or(call.query("groupname"))
            .unwrap_or_default()
            .to_owned();
        let with_inactive = call.query("includeInactiveUsers") == Some("true");
        let members: Vec<Value> = self
            .users
            .iter()
            .filter(|user| user.groups.contains(&name) && (user.active || with_inactive))
            .map(|user| user.json(&self.site, call.version))
            .collect();
        if members.is_empty() && !Role::ALL.iter().any(|role| role.group().1 == name) {
            return Err(refusal(
                404,
                format!("The group named '{name}' does not exist."),
            ));
        }
        ok(render::page(
            &format!("{}/rest/api/{}/group/member", self.site, call.version),
            call.page(50, 50),
            members,
        ))
    }
}

pub(super) fn schema(id: &str, kind: &str, items: Option<&str>) -> Value {
    match items {
        Some(items) => json!({"type": kind, "items": items, "system": id}),
        None => json!({"type": kind, "system": id}),
    }
}

pub(super) fn priority_json(id: &str, site: &str, version: &str) -> Value {
    let name = PRIORITIES
        .iter()
        .find(|(known, _)| *known == id)
        .map_or("Medium", |(_, name)| name);
    json!({
        "self": format!("{site}/rest/api/{version}/priority/{id}"), "id": id, "name": name,
        "iconUrl": format!("{site}/images/icons/priorities/{}.svg", name.to_lowercase()),
    })
}

pub(super) fn resolution_json(id: &str, site: &str, version: &str) -> Value {
    json!({
        "self": format!("{site}/rest/api/{version}/resolution/{id}"), "id": id, "description": "",
        "name": workflow::resolution_name(id),
    })
}

pub(super) fn task_type_json(site: &str, version: &str) -> Value {
    json!({
        "self": format!("{site}/rest/api/{version}/issuetype/{TASK_TYPE_ID}"), "id": TASK_TYPE_ID,
        "description": "", "iconUrl": format!("{site}/images/icons/issuetypes/task.svg"), "name": "Task",
        "subtask": false, "hierarchyLevel": 0,
    })
}
