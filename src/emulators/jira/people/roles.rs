//! Project roles of the site and their default holders, which only new projects get.

use serde_json::{Map, Value, json};

use crate::emulators::jira::people::holders::{Held, Holder};
use crate::emulators::jira::reply::{Outcome, Reply, no_content, ok, refusal};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::{Jira, Project};

/// A project role. Its holders differ from project to project.
#[derive(Clone, Debug)]
pub(crate) struct ProjectRole {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Who holds it in projects that are created from now on.
    pub(crate) defaults: Vec<Held>,
    /// The team-managed project that it belongs to.
    pub(crate) project: Option<u64>,
}

impl Jira {
    pub(crate) fn add_role(&mut self, id: u64, name: &str, project: Option<u64>) {
        let role = ProjectRole {
            id,
            name: name.to_owned(),
            description: String::new(),
            defaults: Vec::new(),
            project,
        };
        self.people.roles.insert(id, role);
    }

    /// Makes a user a default holder of a role, and a holder in every company-managed project that there is.
    pub(crate) fn join_role(&mut self, role: u64, account: &str) {
        let number = self.people.next_holder;
        let Some(known) = self.people.roles.get_mut(&role) else {
            return;
        };
        self.people.next_holder += 1;
        let held = Held {
            id: number,
            holder: Holder::User(account.to_owned()),
        };
        known.defaults.push(held.clone());
        for project in self.projects.values_mut() {
            project.holders.entry(role).or_default().push(held.clone());
        }
    }

    pub(crate) fn role(&self, id: &str) -> Result<&ProjectRole, Reply> {
        id.parse()
            .ok()
            .and_then(|id: u64| self.people.roles.get(&id))
            .ok_or_else(|| {
                refusal(
                    404,
                    format!("Can not find a project role with the id: {id}."),
                )
            })
    }

    /// The roles that a project has: those of the site, or the project's own when it is team-managed.
    pub(crate) fn roles_of(&self, project: &Project) -> impl Iterator<Item = &ProjectRole> {
        let own = project.is_team_managed().then_some(project.id);
        self.people
            .roles
            .values()
            .filter(move |role| role.project == own)
    }

    fn role_json(&self, role: &ProjectRole, version: &str) -> Value {
        json!({
            "self": format!("{}/rest/api/{version}/role/{}", self.site, role.id), "id": role.id, "name": role.name,
            "description": role.description, "actors": self.holders_json(&role.defaults, false),
        })
    }

    pub(crate) fn get_roles(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let shared = self.people.roles.values().filter(|r| r.project.is_none());
        ok(shared
            .map(|role| self.role_json(role, call.version))
            .collect())
    }

    pub(crate) fn get_role(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        ok(self.role_json(self.role(call.param(0))?, call.version))
    }

    /// The default holders that are given to the role later reach new projects only (Jira REST v3: create project role).
    pub(crate) fn create_role(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let name = self.new_role_name(call, None)?;
        let shared = self.people.roles.values().filter(|r| r.project.is_none());
        let id = shared.map(|role| role.id + 1).max().unwrap_or(10_000);
        self.add_role(id, &name, None);
        if let Some(role) = self.people.roles.get_mut(&id) {
            role.description = call.body["description"].as_str().unwrap_or("").to_owned();
        }
        ok(self.role_json(self.role(&id.to_string())?, call.version))
    }

    /// `PUT` wants both members, `POST` changes what is given (Jira REST v3: fully and partial update project role).
    pub(crate) fn update_role(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let id = self.role(call.param(0))?.id;
        let name = match call.body["name"].as_str() {
            Some(_) => Some(self.new_role_name(call, Some(id))?),
            None => None,
        };
        let description = call.body["description"].as_str().map(ToOwned::to_owned);
        if let Some(role) = self.people.roles.get_mut(&id) {
            role.name = name.unwrap_or_else(|| role.name.clone());
            role.description = description.unwrap_or_else(|| role.description.clone());
        }
        ok(self.role_json(self.role(call.param(0))?, call.version))
    }

    fn new_role_name(&self, call: &Call<'_>, own: Option<u64>) -> Result<String, Reply> {
        let name = call.body["name"].as_str().unwrap_or_default();
        if name.is_empty() || name.trim() != name {
            let text =
                "The name of a project role cannot be empty or start or end with whitespace.";
            return Err(refusal(400, text));
        }
        let is_taken = self.people.roles.values().any(|role| {
            role.project.is_none() && Some(role.id) != own && role.name.eq_ignore_ascii_case(name)
        });
        if is_taken {
            let text = format!("A project role with name '{name}' already exists.");
            return Err(refusal(409, text));
        }
        Ok(name.to_owned())
    }

    /// A role that a scheme or a workflow names is in use: it needs a replacement (Jira REST v3: delete project role).
    pub(crate) fn delete_role(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let id = self.role(call.param(0))?.id;
        let swap = match call.query("swap") {
            None => None,
            Some(text) => Some(
                self.role(text)
                    .map_err(|_| refusal(400, "The replacement project role was not found."))?
                    .id,
            ),
        };
        match swap {
            None if self.is_role_in_use(id) => {
                let text = "The project role is in use: name a replacement with the query parameter 'swap'.";
                return Err(refusal(409, text));
            }
            None => {}
            Some(swap) => self.replace_role(id, swap),
        }
        self.people.roles.remove(&id);
        for project in self.projects.values_mut() {
            project.holders.remove(&id);
        }
        no_content()
    }

    pub(crate) fn get_default_holders(&mut self, call: &mut Call<'_>) -> Outcome {
        self.get_role(call)
    }

    pub(crate) fn add_default_holders(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let id = self.role(call.param(0))?.id;
        let wanted = self.read_holders(&call.body)?;
        let mut defaults = self.role(call.param(0))?.defaults.clone();
        self.add_holders(&mut defaults, wanted)?;
        if let Some(role) = self.people.roles.get_mut(&id) {
            role.defaults = defaults;
        }
        ok(self.role_json(self.role(call.param(0))?, call.version))
    }

    pub(crate) fn remove_default_holders(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let id = self.role(call.param(0))?.id;
        let gone = self.named_holder(call)?;
        if let Some(role) = self.people.roles.get_mut(&id) {
            role.defaults.retain(|held| held.holder != gone);
        }
        ok(self.role_json(self.role(call.param(0))?, call.version))
    }

    /// The roles of a project as a map from name to link.
    pub(crate) fn role_links(&self, project: &Project, version: &str) -> Map<String, Value> {
        self.roles_of(project)
            .map(|role| {
                let link = self.role_link(project, role.id, version);
                (role.name.clone(), json!(link))
            })
            .collect()
    }

    pub(crate) fn role_link(&self, project: &Project, id: u64, version: &str) -> String {
        format!(
            "{}/rest/api/{version}/project/{}/role/{id}",
            self.site, project.id
        )
    }
}
