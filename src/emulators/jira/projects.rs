//! Projects, their roles, statuses and create screens. Changes nothing.

use serde_json::{Map, Value, json};

use super::meta::{FIELDS, PRIORITIES, TASK_TYPE_ID, priority_json, schema, task_type_json};
use super::reply::{Outcome, Reply, ok, refusal};
use super::route::Call;
use super::users::{Role, User};
use super::{Jira, Project, render, workflow};

impl Jira {
    pub(super) fn search_projects(&mut self, call: &mut Call<'_>) -> Outcome {
        let keys = call.query_list("keys");
        let query = call.query("query").unwrap_or_default().to_lowercase();
        let fits = |project: &&Project| {
            self.sees(&call.user.account_id, project.id)
                && (keys.is_empty() || keys.contains(&project.key))
                && (project.key.to_lowercase().contains(&query)
                    || project.name.to_lowercase().contains(&query))
        };
        let mut found: Vec<&Project> = self.projects.values().filter(fits).collect();
        found.sort_by(|a, b| a.key.cmp(&b.key));
        let rows = found
            .into_iter()
            .map(|project| self.project_json(project, call.version, false))
            .collect();
        let link = format!("{}/rest/api/{}/project/search", self.site, call.version);
        ok(render::page(&link, call.page(50, 100), rows))
    }

    pub(super) fn get_projects(&mut self, call: &mut Call<'_>) -> Outcome {
        let seen = self
            .projects
            .values()
            .filter(|project| self.sees(&call.user.account_id, project.id));
        ok(seen
            .map(|project| self.project_json(project, call.version, false))
            .collect())
    }

    pub(super) fn get_project(&mut self, call: &mut Call<'_>) -> Outcome {
        let project = self.visible_project(&call.user, call.param(0))?;
        ok(self.project_json(project, call.version, true))
    }

    pub(super) fn get_project_statuses(&mut self, call: &mut Call<'_>) -> Outcome {
        self.visible_project(&call.user, call.param(0))?;
        ok(json!([{
            "self": format!("{}/rest/api/{}/issuetype/{TASK_TYPE_ID}", self.site, call.version),
            "id": TASK_TYPE_ID, "name": "Task", "subtask": false, "statuses": self.statuses_json(call.version),
        }]))
    }

    pub(super) fn get_roles(&mut self, call: &mut Call<'_>) -> Outcome {
        let roles = Role::ALL.map(|role| {
            let (id, name) = role.project_role();
            json!({"self": format!("{}/rest/api/{}/role/{id}", self.site, call.version), "id": id, "name": name, "description": ""})
        });
        ok(json!(roles))
    }

    pub(super) fn get_project_roles(&mut self, call: &mut Call<'_>) -> Outcome {
        let project = self.visible_project(&call.user, call.param(0))?;
        let roles: Map<String, Value> = Role::ALL
            .into_iter()
            .map(|role| {
                let (id, name) = role.project_role();
                (
                    name.to_owned(),
                    json!(self.role_link(project, id, call.version)),
                )
            })
            .collect();
        ok(Value::Object(roles))
    }

    pub(super) fn get_project_role(&mut self, call: &mut Call<'_>) -> Outcome {
        let project = self.visible_project(&call.user, call.param(0))?;
        let role = Role::ALL
            .into_iter()
            .find(|role| role.project_role().0.to_string() == call.param(1));
        let role = role.ok_or_else(|| {
            refusal(
                404,
                format!(
                    "Can not retrieve a role actor for a null project role ({}).",
                    call.param(1)
                ),
            )
        })?;
        let (id, name) = role.project_role();
        let skip_inactive = call.query("excludeInactiveUsers") == Some("true");
        let members = self
            .users
            .iter()
            .enumerate()
            .filter(|(_, user)| user.role == role && (user.active || !skip_inactive));
        let actors: Vec<Value> = members
            .map(|(at, user)| {
                json!({
                    "id": 10_240 + at, "displayName": user.display_name, "type": "atlassian-user-role-actor",
                    "actorUser": {"accountId": user.account_id},
                })
            })
            .collect();
        ok(json!({
            "self": self.role_link(project, id, call.version), "id": id, "name": name, "description": "",
            "actors": actors,
        }))
    }

    pub(super) fn get_create_types(&mut self, call: &mut Call<'_>) -> Outcome {
        self.visible_project(&call.user, call.param(0))?;
        let (start, most) = call.page(50, 200);
        ok(json!({
            "startAt": start, "maxResults": most, "total": 1,
            "issueTypes": [task_type_json(&self.site, call.version)],
        }))
    }

    pub(super) fn get_create_fields(&mut self, call: &mut Call<'_>) -> Outcome {
        self.visible_project(&call.user, call.param(0))?;
        if call.param(1) != TASK_TYPE_ID {
            return Err(refusal(404, "The issue type selected is invalid."));
        }
        const ON_SCREEN: [&str; 8] = [
            "summary",
            "description",
            "labels",
            "priority",
            "project",
            "issuetype",
            "assignee",
            "duedate",
        ];
        let system = FIELDS.iter().filter(|(id, ..)| ON_SCREEN.contains(id)).map(|(id, name, kind, items)| {
            let mut field = json!({
                "fieldId": id, "key": id, "name": name, "hasDefaultValue": *id == "priority", "operations": ["set"],
                "required": matches!(*id, "summary" | "project" | "issuetype"), "schema": schema(id, kind, *items),
            });
            match *id {
                "labels" => field["operations"] = json!(["add", "set", "remove"]),
                "priority" => {
                    let all = PRIORITIES.iter().map(|(id, _)| priority_json(id, &self.site, call.version));
                    field["allowedValues"] = all.collect();
                }
                _ => {}
            }
            field
        });
        let custom = self.custom_fields.iter().map(|(id, name)| {
            json!({
                "fieldId": id, "key": id, "name": name, "hasDefaultValue": false, "operations": ["set"],
                "required": false, "schema": {"type": "string", "custom": "text"},
            })
        });
        let fields: Vec<Value> = system.chain(custom).collect();
        let (start, most) = call.page(50, 200);
        let total = fields.len();
        let shown: Vec<Value> = fields.into_iter().skip(start).take(most).collect();
        ok(json!({"startAt": start, "maxResults": most, "total": total, "fields": shown}))
    }

    pub(super) fn visible_project(&self, user: &User, id_or_key: &str) -> Result<&Project, Reply> {
        self.project(id_or_key)
            .filter(|project| self.sees(&user.account_id, project.id))
            .ok_or_else(|| {
                refusal(
                    404,
                    format!("No project could be found with key '{id_or_key}'."),
                )
            })
    }

    fn role_link(&self, project: &Project, id: u64, version: &str) -> String {
        format!(
            "{}/rest/api/{version}/project/{}/role/{id}",
            self.site, project.id
        )
    }

    pub(super) fn statuses_json(&self, version: &str) -> Value {
        self.workflow
            .statuses
            .iter()
            .map(|s| workflow::status_json(s, &self.site, version))
            .collect()
    }

    pub(super) fn project_json(&self, project: &Project, version: &str, is_full: bool) -> Value {
        let picture = format!(
            "{}/rest/api/{version}/universal_avatar/view/type/project/avatar/10400",
            self.site
        );
        let mut body = json!({
            "expand": "description,lead,issueTypes,url,projectKeys,permissions,insight",
            "self": format!("{}/rest/api/{version}/project/{}", self.site, project.id),
            "id": project.id.to_string(), "key": project.key, "name": project.name,
            "avatarUrls": {"16x16": picture, "24x24": picture, "32x32": picture, "48x48": picture},
            "projectTypeKey": "software", "simplified": false, "style": "classic", "isPrivate": false,
            "properties": {},
        });
        if is_full {
            let roles: Map<String, Value> = Role::ALL
                .into_iter()
                .map(|role| {
                    (
                        role.project_role().1.to_owned(),
                        json!(self.role_link(project, role.project_role().0, version)),
                    )
                })
                .collect();
            body["description"] = json!("");
            body["issueTypes"] = json!([task_type_json(&self.site, version)]);
            body["assigneeType"] = json!("UNASSIGNED");
            body["components"] = json!([]);
            body["versions"] = json!([]);
            body["roles"] = Value::Object(roles);
        }
        body
    }
}
