//! Projects: company-managed ones with their schemes, and team-managed ones, which have everything of their own.

pub(super) mod life;
pub(super) mod screens;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::people::holders::Held;
use super::people::users::User;
use super::reply::{Outcome, Reply, ok, refusal};
use super::route::Call;
use super::workflows::statuses::status_json;
use super::{Jira, meta, render};

/// Fields by which projects can be ordered (recorded from Jira Cloud, 2026-10).
const ORDERS: [&str; 8] = [
    "name",
    "key",
    "owner",
    "category",
    "issueCount",
    "lastIssueUpdatedTime",
    "archivedDate",
    "deletedDate",
];

/// A project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Id.
    pub id: u64,
    /// Key.
    pub key: String,
    /// Name.
    pub name: String,
    /// Everybody gets 404, as when a permission was taken away.
    pub is_hidden: bool,
    /// Readable by direct link, left out of searches, closed to changes.
    pub is_archived: bool,
    /// Account id of the lead.
    pub lead: Option<String>,
    pub(super) is_team_managed: bool,
    pub(super) permission_scheme: u64,
    pub(super) workflow_scheme: u64,
    /// Who holds which role here.
    pub(super) holders: BTreeMap<u64, Vec<Held>>,
    pub(super) next_number: u64,
}

impl Project {
    /// Whether it has workflow, roles and permissions of its own, and no schemes.
    pub fn is_team_managed(&self) -> bool {
        self.is_team_managed
    }
}

/// What a team-managed project answers to a scheme (Jira REST v3: schemes can only be assigned to classic projects).
pub(super) fn team_managed(schemes: &str) -> Reply {
    refusal(
        400,
        format!("{schemes} can only be used with company-managed projects."),
    )
}

impl Jira {
    /// Adds a company-managed project with the site's schemes for new projects, and gives its id. A key that exists
    /// already gives the existing id.
    pub fn add_project(&mut self, key: &str, name: &str) -> u64 {
        let known = self.projects.values().find(|project| project.key == key);
        if let Some(known) = known {
            return known.id;
        }
        let id = self.next_project_id();
        let shared = self
            .people
            .roles
            .values()
            .filter(|role| role.project.is_none());
        let holders = shared
            .map(|role| (role.id, role.defaults.clone()))
            .collect();
        let project = Project {
            id,
            key: key.to_owned(),
            name: name.to_owned(),
            is_hidden: false,
            is_archived: false,
            lead: None,
            is_team_managed: false,
            permission_scheme: self.permissions.default_scheme,
            workflow_scheme: self.workflows.new_projects,
            holders,
            next_number: 1,
        };
        self.projects.insert(id, project);
        id
    }

    /// Adds a team-managed project: statuses, workflow, roles and permissions of its own, and no schemes.
    pub fn add_team_managed_project(&mut self, key: &str, name: &str) -> u64 {
        let known = self.projects.values().find(|project| project.key == key);
        if let Some(known) = known {
            return known.id;
        }
        let id = self.add_project(key, name);
        let workflow_scheme = self.found_own_workflow(id);
        let role = 20_000 + 10 * (id - 10_000);
        for (number, name) in [
            (role, "Administrator"),
            (role + 1, "Member"),
            (role + 2, "Viewer"),
        ] {
            self.add_role(number, name, Some(id));
        }
        let permission_scheme = self.grant_openly(id, role);
        if let Some(project) = self.projects.get_mut(&id) {
            project.is_team_managed = true;
            project.holders = BTreeMap::new();
            project.workflow_scheme = workflow_scheme;
            project.permission_scheme = permission_scheme;
        }
        id
    }

    fn next_project_id(&self) -> u64 {
        let last = self.projects.keys().max();
        last.map_or(10_000, |id| id + 1).max(self.past_projects)
    }

    /// A project by key, to hide, archive or rename.
    pub fn project_mut(&mut self, key: &str) -> Option<&mut Project> {
        self.projects
            .values_mut()
            .find(|project| project.key == key)
    }

    /// The projects, by id.
    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.projects.values()
    }

    /// A project by key, or by id.
    pub(super) fn project(&self, id_or_key: &str) -> Option<&Project> {
        match id_or_key.parse::<u64>() {
            Ok(id) => self.projects.get(&id),
            Err(_) => self
                .projects
                .values()
                .find(|project| project.key.eq_ignore_ascii_case(id_or_key)),
        }
    }

    /// A project by key, id or name, as JQL allows.
    pub(super) fn project_by_any_name(&self, text: &str) -> Option<&Project> {
        self.project(text).or_else(|| {
            self.projects
                .values()
                .find(|project| project.name.eq_ignore_ascii_case(text))
        })
    }

    /// Administrators of Jira see every project that is not hidden.
    pub(super) fn visible_project(&self, user: &User, id_or_key: &str) -> Result<&Project, Reply> {
        let account = &user.account_id;
        self.project(id_or_key)
            .filter(|project| {
                self.sees(account, project.id) || (self.is_admin(account) && !project.is_hidden)
            })
            .ok_or_else(|| {
                let text = format!("No project could be found with key '{id_or_key}'.");
                refusal(404, text)
            })
    }

    /// The project of the first parameter, for those who administer it or Jira.
    pub(super) fn administered_project(&self, call: &Call<'_>) -> Result<&Project, Reply> {
        let project = self.visible_project(&call.user, call.param(0))?;
        let account = &call.user.account_id;
        let may = self.may_in(account, "ADMINISTER_PROJECTS", project.id);
        if may || self.is_admin(account) {
            return Ok(project);
        }
        let text = "You do not have the permission to see the configuration of this project.";
        Err(refusal(403, text))
    }

    /// Those that the caller browses or administers; administrators of Jira get all (Jira REST v3: get projects
    /// paginated).
    pub(super) fn search_projects(&mut self, call: &mut Call<'_>) -> Outcome {
        let keys = call.query_list("keys");
        let query = call.query("query").unwrap_or_default().to_lowercase();
        let status = call.query("status").unwrap_or("live");
        let order = call.query("orderBy").unwrap_or("key");
        let field = order.trim_start_matches(['+', '-']);
        if !ORDERS.contains(&field) {
            let text = format!(
                "The field to order by should be one of [{}]. Instead, it was: {field}.",
                ORDERS.join(", ")
            );
            return Err(refusal(400, text));
        }
        let account = &call.user.account_id;
        let shows = |project: &Project| {
            self.sees(account, project.id)
                || self.may_in(account, "ADMINISTER_PROJECTS", project.id)
                || (self.is_admin(account) && !project.is_hidden)
        };
        let fits = |project: &&Project| {
            shows(project)
                && project.is_archived == (status == "archived")
                && (keys.is_empty() || keys.contains(&project.key))
                && (project.key.to_lowercase().contains(&query)
                    || project.name.to_lowercase().contains(&query))
        };
        let mut found: Vec<&Project> = self.projects.values().filter(fits).collect();
        match field {
            "name" => found.sort_by(|a, b| a.name.cmp(&b.name)),
            _ => found.sort_by(|a, b| a.key.cmp(&b.key)),
        }
        if order.starts_with('-') {
            found.reverse();
        }
        let rows = found
            .into_iter()
            .map(|project| self.project_json(project, call.version, false))
            .collect();
        let link = format!("{}/rest/api/{}/project/search", self.site, call.version);
        ok(render::page(&link, call.page(50, 100)?, rows))
    }

    pub(super) fn get_projects(&mut self, call: &mut Call<'_>) -> Outcome {
        let seen = self
            .projects
            .values()
            .filter(|project| !project.is_archived && self.sees(&call.user.account_id, project.id));
        ok(seen
            .map(|project| self.project_json(project, call.version, false))
            .collect())
    }

    pub(super) fn get_project(&mut self, call: &mut Call<'_>) -> Outcome {
        let project = self.visible_project(&call.user, call.param(0))?;
        ok(self.project_json(project, call.version, true))
    }

    /// The statuses of each issue type's workflow.
    pub(super) fn get_project_statuses(&mut self, call: &mut Call<'_>) -> Outcome {
        let project = self.visible_project(&call.user, call.param(0))?.id;
        let rows = meta::ISSUE_TYPES.iter().map(|(kind, name, is_subtask)| {
            let workflow = self.workflow_of(project, kind);
            let places = workflow.map_or(&[][..], |workflow| &workflow.statuses);
            let statuses: Vec<Value> = places
                .iter()
                .filter_map(|place| self.status(place.status))
                .map(|status| status_json(status, &self.site, call.version))
                .collect();
            json!({
                "self": format!("{}/rest/api/{}/issuetype/{kind}", self.site, call.version),
                "id": kind, "name": name, "subtask": is_subtask, "statuses": statuses,
            })
        });
        ok(rows.collect())
    }

    pub(super) fn project_json(&self, project: &Project, version: &str, is_full: bool) -> Value {
        let picture = format!(
            "{}/rest/api/{version}/universal_avatar/view/type/project/avatar/10400",
            self.site
        );
        let style = if project.is_team_managed {
            "next-gen"
        } else {
            "classic"
        };
        let mut body = json!({
            "expand": "description,lead,issueTypes,url,projectKeys,permissions,insight",
            "self": format!("{}/rest/api/{version}/project/{}", self.site, project.id),
            "id": project.id.to_string(), "key": project.key, "name": project.name,
            "avatarUrls": {"16x16": picture, "24x24": picture, "32x32": picture, "48x48": picture},
            "projectTypeKey": "software", "simplified": project.is_team_managed, "style": style,
            "isPrivate": false, "properties": {},
        });
        if project.is_archived {
            body["archived"] = json!(true);
        }
        if is_full {
            body["description"] = json!("");
            body["issueTypes"] = self.issue_types_json(version);
            body["assigneeType"] = json!("UNASSIGNED");
            body["components"] = self.components_json(project.id, version);
            body["versions"] = json!([]);
            body["roles"] = Value::Object(self.role_links(project, version));
            if let Some(lead) = &project.lead {
                body["lead"] = self.person_json(lead, version);
            }
        }
        body
    }
}
