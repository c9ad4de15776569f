//! Users: the parts of the story, and what Jira tells about accounts. Permissions are elsewhere.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::emulators::jira::reply::{Outcome, Reply, ok, refusal};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::{Jira, render};

/// The part that a user plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The engine's own account.
    Bot,
    /// A member of a product team: reads, comments, takes the transitions that are open to all.
    Product,
    /// A member of the security team: also closes and reopens.
    Reviewer,
    /// A Jira administrator: every permission, but workflow conditions bind admins too.
    Admin,
}

impl Role {
    /// All parts, in a fixed order.
    pub const ALL: [Role; 4] = [Role::Bot, Role::Product, Role::Reviewer, Role::Admin];

    /// The word that the journal uses.
    pub fn word(self) -> &'static str {
        match self {
            Role::Bot => "bot",
            Role::Product => "product",
            Role::Reviewer => "reviewer",
            Role::Admin => "admin",
        }
    }

    /// Id and name of the project role that holds the users of this part.
    pub fn project_role(self) -> (u64, &'static str) {
        match self {
            Role::Bot => (10_102, "Sync bot"),
            Role::Product => (10_100, "Product team"),
            Role::Reviewer => (10_101, "Security reviewers"),
            Role::Admin => (10_002, "Administrators"),
        }
    }

    /// Id and name of the group that holds the users of this part.
    pub fn group(self) -> (&'static str, &'static str) {
        match self {
            Role::Bot => ("5a0c6b1e-0000-4000-8000-000000000001", "sync-bots"),
            Role::Product => ("5a0c6b1e-0000-4000-8000-000000000002", "product-teams"),
            Role::Reviewer => ("5a0c6b1e-0000-4000-8000-000000000003", "security-reviewers"),
            Role::Admin => (
                "5a0c6b1e-0000-4000-8000-000000000004",
                "jira-administrators",
            ),
        }
    }
}

/// Id and name of the group that gives access to Jira.
pub(crate) const EVERYBODY: (&str, &str) = (
    "5a0c6b1e-0000-4000-8000-000000000005",
    "jira-software-users",
);

/// A user of the emulated site.
#[derive(Clone, Debug)]
pub struct User {
    /// Atlassian account id.
    pub account_id: String,
    /// E-mail address: the user name of basic authentication.
    pub email: String,
    /// API token: the password of basic authentication.
    pub token: String,
    /// From then on the token is refused with 401. Default never.
    pub token_expires: Option<Timestamp>,
    /// The classic scopes of a scoped token, such as `read:jira-work`. A token without scopes may do what its user
    /// may. Scoped tokens work below `/ex/jira/{cloudId}` only (Atlassian: API tokens with scopes).
    pub scopes: Option<BTreeSet<String>>,
    /// The name that people read.
    pub display_name: String,
    /// The part in the story.
    pub role: Role,
    /// Deactivated users are refused with 401.
    pub active: bool,
    /// Names of the groups.
    pub groups: Vec<String>,
    /// The time zone of the profile: JQL reads dates in it.
    pub time_zone: String,
}

impl User {
    pub(crate) fn json(&self, site: &str, version: &str) -> Value {
        let picture = format!("{site}/secure/useravatar?ownerId={}", self.account_id);
        json!({
            "self": format!("{site}/rest/api/{version}/user?accountId={}", self.account_id),
            "accountId": self.account_id,
            "accountType": "atlassian",
            "emailAddress": self.email,
            "displayName": self.display_name,
            "active": self.active,
            "timeZone": self.time_zone,
            "avatarUrls": {"16x16": picture, "24x24": picture, "32x32": picture, "48x48": picture},
        })
    }

    /// Nobody in particular: who calls without credentials where that is allowed.
    pub(crate) fn nobody() -> User {
        User {
            account_id: String::new(),
            email: String::new(),
            token: String::new(),
            token_expires: None,
            scopes: None,
            display_name: "Anonymous".into(),
            role: Role::Product,
            active: false,
            groups: Vec::new(),
            time_zone: "Etc/UTC".into(),
        }
    }
}

impl Jira {
    /// Adds an active user. It joins the project role and the group of its part where the site has them; the e-mail
    /// address is made from the name.
    pub fn add_user(&mut self, role: Role, name: &str) -> User {
        let number = self.people.count() + 1;
        let mailbox: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '.'
                }
            })
            .collect();
        let groups = [role.group().0, EVERYBODY.0]
            .iter()
            .filter_map(|id| self.people.groups.get(*id))
            .map(|group| group.name.clone())
            .collect();
        let user = User {
            account_id: format!(
                "557058:{:08x}-0000-4000-8000-{number:012x}",
                0xa5af_0000_u64 + number as u64
            ),
            email: format!("{mailbox}@example.com"),
            token: format!("ATATT-emulated-{number:04}"),
            display_name: name.to_owned(),
            role,
            active: true,
            groups,
            ..User::nobody()
        };
        self.people.add(user.clone());
        self.join_role(role.project_role().0, &user.account_id);
        user
    }

    /// The first active user of a part.
    pub fn user(&self, role: Role) -> Option<&User> {
        self.people
            .users()
            .find(|user| user.role == role && user.active)
    }

    /// All users, in the order in which they came.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.people.users()
    }

    /// A user by account id, to deactivate, to take a token's scopes, or to let it expire.
    pub fn user_mut(&mut self, account_id: &str) -> Option<&mut User> {
        self.people.user_mut(account_id)
    }

    pub(crate) fn account(&self, account_id: &str) -> Option<&User> {
        self.people.user(account_id)
    }

    fn user_rows<'a>(&self, users: impl Iterator<Item = &'a User>, version: &str) -> Value {
        users.map(|user| user.json(&self.site, version)).collect()
    }

    pub(crate) fn get_myself(&mut self, call: &mut Call<'_>) -> Outcome {
        let mut me = call.user.json(&self.site, call.version);
        let groups = self.groups_of(&call.user, call.version);
        me["locale"] = json!("en_US");
        me["groups"] = json!({"size": groups.len(), "items": groups});
        me["applicationRoles"] = json!({"size": 1, "items": []});
        me["expand"] = json!("groups,applicationRoles");
        ok(me)
    }

    pub(crate) fn get_user(&mut self, call: &mut Call<'_>) -> Outcome {
        let user = self
            .account(call.query("accountId").unwrap_or_default())
            .ok_or_else(no_user)?;
        let mut body = user.json(&self.site, call.version);
        if call.expands("groups") {
            let groups = self.groups_of(user, call.version);
            body["groups"] = json!({"size": groups.len(), "items": groups});
        }
        ok(body)
    }

    /// Active and inactive users (Jira REST v3: get all users).
    pub(crate) fn get_all_users(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_browse_users(call)?;
        let (start, most) = call.page(50, 1_000)?;
        ok(self.user_rows(self.people.users().skip(start).take(most), call.version))
    }

    pub(crate) fn search_users(&mut self, call: &mut Call<'_>) -> Outcome {
        let (query, account) = (call.query("query"), call.query("accountId"));
        if query.is_some() && account.is_some() {
            let text = "The query parameters 'query' and 'accountId' are mutually exclusive.";
            return Err(refusal(400, text));
        }
        let wanted = query.or(call.query("username"));
        if wanted.is_none() && account.is_none() && call.query("property").is_none() {
            let text = "The username or property query parameter must be provided";
            return Err(refusal(400, text));
        }
        if call.query("property").is_some() {
            return Err(refusal(
                501,
                "The emulator does not know properties of users.",
            ));
        }
        let (start, most) = call.page(50, 1_000)?;
        if !self.may_globally(&call.user.account_id, "USER_PICKER") {
            return ok(json!([]));
        }
        let fits = |user: &&User| {
            user.active
                && account.is_none_or(|id| user.account_id == id)
                && is_called(user, wanted.unwrap_or_default())
        };
        let found = self.people.users().filter(fits).skip(start).take(most);
        ok(self.user_rows(found, call.version))
    }

    pub(crate) fn get_users_by_id(&mut self, call: &mut Call<'_>) -> Outcome {
        let ids = call.query_list("accountId");
        if ids.is_empty() {
            let text = "The 'accountId' query parameter must be provided.";
            return Err(refusal(400, text));
        }
        let rows = ids
            .iter()
            .filter_map(|id| self.account(id))
            .map(|user| user.json(&self.site, call.version))
            .collect();
        let link = format!("{}/rest/api/{}/user/bulk", self.site, call.version);
        ok(render::page(&link, call.page(10, 200)?, rows))
    }

    pub(crate) fn get_groups_of_user(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_browse_users(call)?;
        let user = self
            .account(call.query("accountId").unwrap_or_default())
            .ok_or_else(no_user)?;
        ok(Value::Array(self.groups_of(user, call.version)))
    }

    /// Users who may be assigned issues of a project, or that one issue (Jira REST v3: find users assignable to issues).
    pub(crate) fn get_assignable_users(&mut self, call: &mut Call<'_>) -> Outcome {
        let project = match (call.query("project"), call.query("issueKey")) {
            (_, Some(key)) => {
                let id = self.visible_issue(call, key)?;
                self.issues.get(&id).map(|issue| issue.project)
            }
            (Some(project), None) => Some(self.visible_project(&call.user, project)?.id),
            (None, None) => {
                let text = "Either the project or the issueKey query parameter must be provided.";
                return Err(refusal(400, text));
            }
        };
        self.assignable(call, &project.into_iter().collect::<Vec<_>>())
    }

    /// Users who may be assigned issues of every one of the projects.
    pub(crate) fn get_assignable_users_of_projects(&mut self, call: &mut Call<'_>) -> Outcome {
        let keys = call.query_list("projectKeys");
        let projects = keys
            .iter()
            .map(|key| self.visible_project(&call.user, key).map(|p| p.id))
            .collect::<Result<Vec<_>, _>>()?;
        self.assignable(call, &projects)
    }

    fn assignable(&self, call: &Call<'_>, projects: &[u64]) -> Outcome {
        let wanted = call
            .query("query")
            .or(call.query("accountId"))
            .unwrap_or_default();
        let (start, most) = call.page(50, 1_000)?;
        let fits = |user: &&User| {
            let is_assignable =
                |project: &u64| self.may_in(&user.account_id, "ASSIGNABLE_USER", *project);
            user.active && is_called(user, wanted) && projects.iter().all(is_assignable)
        };
        let found = self.people.users().filter(fits).skip(start).take(most);
        ok(self.user_rows(found, call.version))
    }

    /// *Browse users and groups*, or *Administer Jira* (Jira REST v3).
    pub(crate) fn require_browse_users(&self, call: &Call<'_>) -> Result<(), Reply> {
        let account = &call.user.account_id;
        if self.may_globally(account, "USER_PICKER") || self.is_admin(account) {
            return Ok(());
        }
        let text = "You do not have the permission to browse users and groups.";
        Err(refusal(403, text))
    }
}

fn is_called(user: &User, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    user.display_name.to_lowercase().contains(&wanted)
        || user.email.contains(&wanted)
        || user.account_id.to_lowercase() == wanted
}

pub(crate) fn no_user() -> Reply {
    refusal(
        404,
        "Specified user does not exist or you do not have required permissions",
    )
}
