//! The operations that tell who may do what. They evaluate schemes and statuses, never workflow conditions.

use serde_json::{Map, Value, json};

use crate::emulators::jira::Jira;
use crate::emulators::jira::issues::strings;
use crate::emulators::jira::permissions::keys::{PERMISSIONS, Permission, permission};
use crate::emulators::jira::reply::{
    Outcome, Reply, bad_payload, field_refusal, no_issue, ok, refusal,
};
use crate::emulators::jira::route::Call;

/// Most projects, and most issues, that one request checks (Jira REST v3: get bulk permissions).
const CHECKED_MOST: usize = 1_000;

/// Where a permission is asked about.
#[derive(Clone, Copy)]
enum Place {
    Anywhere,
    Project(u64),
    Issue(u64),
}

impl Jira {
    /// In no place, a project permission is held that some project gives (Jira REST v3: get my permissions).
    pub(crate) fn get_my_permissions(&mut self, call: &mut Call<'_>) -> Outcome {
        let asked = call.query_list("permissions");
        if asked.is_empty() {
            let text = "The 'permissions' query parameter is required.";
            return Err(refusal(400, text));
        }
        all_known(&asked, |_| true)?;
        let place = self.asked_place(call)?;
        let account = &call.user.account_id;
        let permissions: Map<String, Value> = PERMISSIONS
            .iter()
            .filter(|known| asked.iter().any(|key| key == known.key))
            .map(|known| {
                let mut entry = permission_json(known);
                entry["havePermission"] = json!(self.may_at(account, known, place));
                (known.key.to_owned(), entry)
            })
            .collect();
        ok(json!({ "permissions": permissions }))
    }

    fn asked_place(&self, call: &Call<'_>) -> Result<Place, Reply> {
        if let Some(issue) = call.query("issueKey").or(call.query("issueId")) {
            return Ok(Place::Issue(self.visible_issue(call, issue)?));
        }
        match call.query("projectKey").or(call.query("projectId")) {
            None => Ok(Place::Anywhere),
            Some(project) => {
                let text = "Could not find project with provided key.";
                let project = self.visible_project(&call.user, project);
                Ok(Place::Project(project.map_err(|_| refusal(404, text))?.id))
            }
        }
    }

    fn may_at(&self, account: &str, asked: &Permission, place: Place) -> bool {
        match place {
            _ if asked.is_global => self.may_globally(account, asked.key),
            Place::Issue(id) => self.may_on_id(account, asked.key, id),
            Place::Project(id) => self.may_in(account, asked.key, id),
            Place::Anywhere => {
                let mut projects = self.projects.keys();
                projects.any(|id| self.may_in(account, asked.key, *id))
            }
        }
    }

    pub(crate) fn get_all_permissions(&mut self, _: &mut Call<'_>) -> Outcome {
        let all: Map<String, Value> = PERMISSIONS
            .iter()
            .map(|known| (known.key.to_owned(), permission_json(known)))
            .collect();
        ok(json!({ "permissions": all }))
    }

    /// Of oneself anybody may ask, of others only administrators (Jira REST v3: get bulk permissions).
    pub(crate) fn check_permissions(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["accountId", "globalPermissions", "projectPermissions"])?;
        let account = call.body["accountId"]
            .as_str()
            .unwrap_or(&call.user.account_id)
            .to_owned();
        if account != call.user.account_id {
            self.require_admin(call)?;
        }
        if self.account(&account).is_none() {
            return Err(refusal(400, "The account ID is not valid."));
        }
        let global = strings(&call.body["globalPermissions"]);
        all_known(&global, |known| known.is_global)?;
        let held: Vec<&String> = global
            .iter()
            .filter(|key| self.may_globally(&account, key))
            .collect();
        let mut rows = Vec::new();
        for asked in call.body["projectPermissions"]
            .as_array()
            .into_iter()
            .flatten()
        {
            rows.extend(self.check_in_projects(&account, asked)?);
        }
        ok(json!({"globalPermissions": held, "projectPermissions": rows}))
    }

    fn check_in_projects(&self, account: &str, asked: &Value) -> Result<Vec<Value>, Reply> {
        let keys: Vec<String> = strings(&asked["permissions"])
            .into_iter()
            .filter(|key| !key.is_empty())
            .collect();
        if keys.is_empty() {
            return Err(refusal(
                400,
                "At least one project permission must be provided.",
            ));
        }
        all_known(&keys, |known| !known.is_global)?;
        let ids = |member: &str| -> Vec<u64> {
            let list = asked[member].as_array().into_iter().flatten();
            list.filter_map(Value::as_u64).collect()
        };
        let (projects, issues) = (ids("projects"), ids("issues"));
        if projects.len() > CHECKED_MOST || issues.len() > CHECKED_MOST {
            return Err(bad_payload());
        }
        Ok(keys
            .iter()
            .map(|key| {
                let projects: Vec<&u64> = projects
                    .iter()
                    .filter(|id| self.may_in(account, key, **id))
                    .collect();
                let issues: Vec<&u64> = issues
                    .iter()
                    .filter(|id| self.may_on_id(account, key, **id))
                    .collect();
                json!({"permission": key, "projects": projects, "issues": issues})
            })
            .collect())
    }

    /// The projects in which the caller has every one of the permissions.
    pub(crate) fn get_permitted_projects(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["permissions"])?;
        let keys = strings(&call.body["permissions"]);
        all_known(&keys, |known| !known.is_global)?;
        let account = &call.user.account_id;
        let rows: Vec<Value> = self
            .projects
            .values()
            .filter(|project| keys.iter().all(|key| self.may_in(account, key, project.id)))
            .map(|project| json!({"id": project.id, "key": project.key}))
            .collect();
        ok(json!({ "projects": rows }))
    }

    /// Refuses an edit of an issue with 403, or with 404 when it is hidden.
    pub(crate) fn require_on(
        &self,
        call: &Call<'_>,
        key: &str,
        id: u64,
        text: &str,
    ) -> Result<(), Reply> {
        if !self.issues.contains_key(&id) {
            return Err(no_issue());
        }
        if self.may_on_id(&call.user.account_id, key, id) {
            return Ok(());
        }
        Err(refusal(403, text))
    }
}

fn all_known(keys: &[String], fits: impl Fn(&Permission) -> bool) -> Result<(), Reply> {
    let unknown: Map<String, Value> = keys
        .iter()
        .filter(|key| !permission(key).is_some_and(&fits))
        .map(|key| (key.clone(), json!("Unrecognized permission")))
        .collect();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(field_refusal(unknown))
    }
}

fn permission_json(known: &Permission) -> Value {
    json!({
        "id": known.id, "key": known.key, "name": known.name, "description": known.name,
        "type": if known.is_global { "GLOBAL" } else { "PROJECT" },
    })
}
