//! Who holds a project role in which project: users one by one, or whole groups.

use serde_json::{Value, json};

use crate::emulators::jira::issues::strings;
use crate::emulators::jira::people::users::no_user;
use crate::emulators::jira::reply::{Outcome, Reply, bad_payload, no_content, ok, refusal};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::{Jira, Project};

/// A user by account id, or a group by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    User(String),
    Group(String),
}

/// A holder of a role, with the id of the fact.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) id: u64,
    pub(crate) holder: Holder,
}

impl Jira {
    /// Whether an account holds a role in a project, itself or by a group.
    pub(crate) fn holds_role(&self, account: &str, role: u64, project: &Project) -> bool {
        let holders = project.holders.get(&role).map_or(&[][..], Vec::as_slice);
        holders.iter().any(|held| match &held.holder {
            Holder::User(user) => user == account,
            Holder::Group(group) => self.people.is_in_group(account, group),
        })
    }

    /// Sorted by display name (Jira REST v3: get project role for project).
    pub(crate) fn holders_json(&self, holders: &[Held], skip_inactive: bool) -> Value {
        let mut rows: Vec<(String, Value)> = holders
            .iter()
            .filter_map(|held| self.holder_json(held, skip_inactive))
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    fn holder_json(&self, held: &Held, skip_inactive: bool) -> Option<(String, Value)> {
        match &held.holder {
            Holder::User(account) => {
                let user = self.account(account)?;
                let row = json!({
                    "id": held.id, "displayName": user.display_name, "type": "atlassian-user-role-actor",
                    "actorUser": {"accountId": account},
                });
                (user.active || !skip_inactive).then(|| (user.display_name.clone(), row))
            }
            Holder::Group(id) => {
                let name = &self.people.groups.get(id)?.name;
                let row = json!({
                    "id": held.id, "displayName": name, "name": name, "type": "atlassian-group-role-actor",
                    "actorGroup": {"name": name, "displayName": name, "groupId": id},
                });
                Some((name.clone(), row))
            }
        }
    }

    /// `user`, `group` and `groupId` of a body; users and groups never in one request (Jira REST v3: add actors).
    pub(crate) fn read_holders(&self, body: &Value) -> Result<Vec<Holder>, Reply> {
        let users = strings(&body["user"]);
        let groups: Vec<String> = ["group", "groupId"]
            .into_iter()
            .flat_map(|member| strings(&body[member]))
            .collect();
        if users.is_empty() == groups.is_empty() {
            return Err(bad_payload());
        }
        users
            .iter()
            .map(|account| self.user_holder(account))
            .chain(groups.iter().map(|group| self.group_holder(group)))
            .collect()
    }

    fn user_holder(&self, account: &str) -> Result<Holder, Reply> {
        let user = self.account(account).ok_or_else(no_user)?;
        Ok(Holder::User(user.account_id.clone()))
    }

    fn group_holder(&self, group: &str) -> Result<Holder, Reply> {
        let known = self
            .people
            .group(group)
            .ok_or_else(|| refusal(404, format!("The group named '{group}' does not exist.")))?;
        Ok(Holder::Group(known.id.clone()))
    }

    /// The one holder that a `DELETE` names in its query.
    pub(crate) fn named_holder(&self, call: &Call<'_>) -> Result<Holder, Reply> {
        let group = call.query("groupId").or(call.query("group"));
        match (call.query("user"), group) {
            (Some(account), None) => self.user_holder(account),
            (None, Some(group)) => self.group_holder(group),
            _ => Err(refusal(
                400,
                "Name exactly one of the query parameters 'user', 'group' and 'groupId'.",
            )),
        }
    }

    pub(crate) fn add_holders(
        &mut self,
        holders: &mut Vec<Held>,
        wanted: Vec<Holder>,
    ) -> Result<(), Reply> {
        if wanted
            .iter()
            .any(|new| holders.iter().any(|held| held.holder == *new))
        {
            let text = "The user or group is already a member of the project role.";
            return Err(refusal(400, text));
        }
        for holder in wanted {
            let id = self.people.next_holder;
            self.people.next_holder += 1;
            holders.push(Held { id, holder });
        }
        Ok(())
    }

    /// For who administers some project, or Jira; others get 404 (Jira REST v3: get project roles for project).
    pub(crate) fn get_project_roles(&mut self, call: &mut Call<'_>) -> Outcome {
        let project = self.visible_project(&call.user, call.param(0))?;
        let account = &call.user.account_id;
        let mut all = self.projects.keys();
        let may = all.any(|id| self.may_in(account, "ADMINISTER_PROJECTS", *id));
        if !may && !self.is_admin(account) {
            let text = "You do not have administrative permissions for the project.";
            return Err(refusal(404, text));
        }
        ok(Value::Object(self.role_links(project, call.version)))
    }

    pub(crate) fn get_project_role_details(&mut self, call: &mut Call<'_>) -> Outcome {
        let project = self.administered_project(call)?;
        let rows = self.roles_of(project).map(|role| {
            json!({
                "self": self.role_link(project, role.id, call.version), "id": role.id, "name": role.name,
                "description": role.description, "admin": role.name == "Administrators", "default": true,
                "roleConfigurable": !project.is_team_managed(),
            })
        });
        ok(rows.collect())
    }

    /// Only those who administer the project or Jira read who holds a role; others get 404 (Jira REST v3: get project
    /// role for project).
    pub(crate) fn get_project_role(&mut self, call: &mut Call<'_>) -> Outcome {
        let (project, role) = self.administered_role(call)?;
        self.project_role_json(call, project, role)
    }

    fn administered_role(&self, call: &Call<'_>) -> Result<(u64, u64), Reply> {
        let project = self.visible_project(&call.user, call.param(0))?;
        let wanted = call.param(1).parse().unwrap_or(0);
        let account = &call.user.account_id;
        let may = self.may_in(account, "ADMINISTER_PROJECTS", project.id)
            || self.may_globally(account, "ADMINISTER");
        let role = self
            .roles_of(project)
            .find(|role| role.id == wanted && may)
            .ok_or_else(|| {
                let text = format!(
                    "Can not retrieve a role actor for a null project role ({}).",
                    call.param(1)
                );
                refusal(404, text)
            })?;
        Ok((project.id, role.id))
    }

    fn project_role_json(&self, call: &Call<'_>, project: u64, role: u64) -> Outcome {
        let gone = || refusal(404, "The project role is gone.");
        let project = self.projects.get(&project).ok_or_else(gone)?;
        let role = self.people.roles.get(&role).ok_or_else(gone)?;
        let skip_inactive = call.query("excludeInactiveUsers") == Some("true");
        let holders = project.holders.get(&role.id).map_or(&[][..], Vec::as_slice);
        ok(json!({
            "self": self.role_link(project, role.id, call.version), "id": role.id, "name": role.name,
            "description": role.description, "actors": self.holders_json(holders, skip_inactive),
        }))
    }

    pub(crate) fn add_project_holders(&mut self, call: &mut Call<'_>) -> Outcome {
        let (project, role) = self.administered_role(call)?;
        self.require_role_editing(project)?;
        let wanted = self.read_holders(&call.body)?;
        let mut holders = self.holders_in(project, role);
        self.add_holders(&mut holders, wanted)?;
        self.put_holders(project, role, holders);
        self.project_role_json(call, project, role)
    }

    /// `categorisedActors` replaces all holders (Jira REST v3: set actors for project role).
    pub(crate) fn set_project_holders(&mut self, call: &mut Call<'_>) -> Outcome {
        let (project, role) = self.administered_role(call)?;
        self.require_role_editing(project)?;
        let given = &call.body["categorisedActors"];
        if !given.is_object() {
            return Err(bad_payload());
        }
        let users = strings(&given["atlassian-user-role-actor"]);
        let groups: Vec<String> = [
            "atlassian-group-role-actor",
            "atlassian-group-role-actor-id",
        ]
        .into_iter()
        .flat_map(|member| strings(&given[member]))
        .collect();
        let wanted = users
            .iter()
            .map(|account| self.user_holder(account))
            .chain(groups.iter().map(|group| self.group_holder(group)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut holders = Vec::new();
        self.add_holders(&mut holders, wanted)?;
        self.put_holders(project, role, holders);
        self.project_role_json(call, project, role)
    }

    pub(crate) fn remove_project_holder(&mut self, call: &mut Call<'_>) -> Outcome {
        let (project, role) = self.administered_role(call)?;
        self.require_role_editing(project)?;
        let gone = self.named_holder(call)?;
        let mut holders = self.holders_in(project, role);
        let before = holders.len();
        holders.retain(|held| held.holder != gone);
        if holders.len() == before {
            let text = "The user or group is not a member of the project role.";
            return Err(refusal(404, text));
        }
        self.put_holders(project, role, holders);
        no_content()
    }

    fn holders_in(&self, project: u64, role: u64) -> Vec<Held> {
        self.projects
            .get(&project)
            .and_then(|project| project.holders.get(&role))
            .cloned()
            .unwrap_or_default()
    }

    fn put_holders(&mut self, project: u64, role: u64, holders: Vec<Held>) {
        if let Some(project) = self.projects.get_mut(&project) {
            project.holders.insert(role, holders);
        }
    }
}
