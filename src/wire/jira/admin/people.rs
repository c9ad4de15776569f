//! Project roles and who holds them, groups and their members.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::workflow::Holder;
use crate::wire::error::WireError;
use crate::wire::http::{Request, encode};

use super::{JiraAdmin, decode, id};

/// Members on one page; Jira's default and largest.
const MEMBERS: usize = 50;
/// Members beyond this are not read.
const LARGEST_GROUP: usize = 10_000;

/// A project role of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
}

/// A person, or an app that acts like one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The name that people read.
    pub name: String,
    /// It is no person: automation rules run as it.
    pub is_app: bool,
}

#[derive(Deserialize)]
struct RoleRow {
    id: Value,
    #[serde(default)]
    name: String,
    /// Only roles of team-managed projects have one.
    scope: Option<Value>,
    #[serde(default)]
    actors: Vec<Actor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Actor {
    #[serde(default)]
    display_name: String,
    actor_user: Option<ActorUser>,
    actor_group: Option<ActorGroup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActorUser {
    account_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActorGroup {
    #[serde(default)]
    name: String,
    group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    values: Vec<Member>,
    #[serde(default)]
    is_last: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    account_id: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    account_type: String,
}

#[derive(Deserialize)]
struct Groups {
    values: Vec<GroupRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupRow {
    name: String,
    group_id: String,
}

impl JiraAdmin {
    /// The roles that all company-managed projects share.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn roles(&self) -> Result<Vec<Role>, WireError> {
        let request = Request::new(Method::GET, "/rest/api/3/role");
        let rows: Vec<RoleRow> = self
            .get("GET /rest/api/3/role", "read the project roles", request)
            .await?;
        let shared = rows.into_iter().filter(|row| row.scope.is_none());
        Ok(shared
            .map(|row| Role {
                id: id(&row.id),
                name: row.name,
            })
            .collect())
    }

    /// Creates a role and gives its id.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn create_role(&self, name: &str, description: &str) -> Result<String, WireError> {
        let what = format!("create the project role {name}");
        let request = Request::new(Method::POST, "/rest/api/3/role")
            .json(json!({"name": name, "description": description}));
        let answer = self
            .write("POST /rest/api/3/role", what.clone(), request)
            .await?;
        let row: RoleRow = decode(&answer, &what)?;
        Ok(id(&row.id))
    }

    /// Who holds a role in a project, with the name that people know them by.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn holders(
        &self,
        project: &str,
        role: &Role,
    ) -> Result<BTreeMap<Holder, String>, WireError> {
        let path = format!(
            "/rest/api/3/project/{}/role/{}",
            encode(project),
            encode(&role.id)
        );
        let row: RoleRow = self
            .get(
                "GET /rest/api/3/project/{project}/role/{role}",
                format!("read who holds the role {} in {project}", role.name),
                Request::new(Method::GET, path),
            )
            .await?;
        let holder = |actor: Actor| {
            let name = actor.display_name;
            if let Some(user) = actor.actor_user {
                return Some((Holder::User(user.account_id), name));
            }
            let group = actor.actor_group?;
            let id = group.group_id.unwrap_or_else(|| group.name.clone());
            Some((Holder::Group(id), group.name))
        };
        Ok(row.actors.into_iter().filter_map(holder).collect())
    }

    /// Makes exactly these the holders of a role in a project.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn set_holders(
        &self,
        project: &str,
        role: &Role,
        holders: &BTreeSet<Holder>,
    ) -> Result<(), WireError> {
        let (mut users, mut groups) = (Vec::new(), Vec::new());
        for holder in holders {
            match holder {
                Holder::User(id) => users.push(id),
                Holder::Group(id) => groups.push(id),
            }
        }
        let path = format!(
            "/rest/api/3/project/{}/role/{}",
            encode(project),
            encode(&role.id)
        );
        let request = Request::new(Method::PUT, path).json(json!({"categorisedActors": {
            "atlassian-user-role-actor": users, "atlassian-group-role-actor-id": groups,
        }}));
        self.set(
            "PUT /rest/api/3/project/{project}/role/{role}",
            format!("set who holds the role {} in {project}", role.name),
            request,
        )
        .await
        .map(drop)
    }

    /// The ids of groups by name; a name that no group has is left out.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn groups(
        &self,
        names: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, String>, WireError> {
        let names: Vec<&str> = names.iter().copied().collect();
        let mut found = BTreeMap::new();
        for some in names.chunks(MEMBERS) {
            let mut request =
                Request::new(Method::GET, "/rest/api/3/group/bulk").with("maxResults", MEMBERS);
            for name in some {
                request = request.with("groupName", name);
            }
            let page: Groups = self
                .get("GET /rest/api/3/group/bulk", "look for groups", request)
                .await?;
            let rows = page.values.into_iter();
            found.extend(rows.map(|row| (row.name, row.group_id)));
        }
        Ok(found)
    }

    /// The active members of a group by account id.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn members(&self, group: &str) -> Result<BTreeMap<String, Account>, WireError> {
        let mut members = BTreeMap::new();
        let mut start = 0;
        while start < LARGEST_GROUP {
            let request = Request::new(Method::GET, "/rest/api/3/group/member")
                .with("groupId", group)
                .with("includeInactiveUsers", false)
                .with("startAt", start)
                .with("maxResults", MEMBERS);
            let page: Members = self
                .get(
                    "GET /rest/api/3/group/member",
                    format!("read the members of the group {group}"),
                    request,
                )
                .await?;
            start += page.values.len();
            let last = page.is_last || page.values.is_empty();
            let rows = page.values.into_iter();
            members.extend(rows.map(|one| {
                let account = Account {
                    name: one.display_name,
                    is_app: one.account_type == "app",
                };
                (one.account_id, account)
            }));
            if last {
                break;
            }
        }
        Ok(members)
    }

    /// They administer Jira: whatever is configured, they can change it.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn administers(&self, account: &str) -> Result<bool, WireError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Checked {
            #[serde(default)]
            global_permissions: Vec<String>,
        }
        let checked: Checked = self
            .ask(
                "POST /rest/api/3/permissions/check",
                format!("ask whether {account} administers Jira"),
                json!({"accountId": account, "globalPermissions": ["ADMINISTER"]}),
            )
            .await?;
        Ok(!checked.global_permissions.is_empty())
    }
}
