//! Groups and their members.

use serde_json::{Value, json};

use crate::emulators::jira::people::users::{User, no_user};
use crate::emulators::jira::reply::{Outcome, Reply, created, ok, ok_empty, refusal};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::{Jira, render};

/// A group of users.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Jira {
    pub(crate) fn add_group(&mut self, id: &str, name: &str) {
        let group = Group {
            id: id.to_owned(),
            name: name.to_owned(),
        };
        self.people.groups.insert(id.to_owned(), group);
    }

    fn group_json(&self, group: &Group, version: &str) -> Value {
        json!({"name": group.name, "groupId": group.id, "self": self.group_link(group, version)})
    }

    fn group_link(&self, group: &Group, version: &str) -> String {
        format!(
            "{}/rest/api/{version}/group?groupId={}",
            self.site, group.id
        )
    }

    pub(crate) fn groups_of(&self, user: &User, version: &str) -> Vec<Value> {
        user.groups
            .iter()
            .filter_map(|name| self.people.group(name))
            .map(|group| self.group_json(group, version))
            .collect()
    }

    /// The group that a request names by `groupId`, or by `groupname`.
    fn named_group(&self, call: &Call<'_>) -> Result<Group, Reply> {
        let by_id = call.query("groupId");
        let Some(asked) = by_id.or(call.query("groupname")) else {
            let text = "Either the groupId or the groupname query parameter must be provided.";
            return Err(refusal(400, text));
        };
        self.people
            .group(asked)
            .cloned()
            .ok_or_else(|| refusal(404, format!("The group named '{asked}' does not exist.")))
    }

    fn members(&self, group: &Group, with_inactive: bool, version: &str) -> Vec<Value> {
        self.people
            .users()
            .filter(|user| user.groups.contains(&group.name) && (user.active || with_inactive))
            .map(|user| user.json(&self.site, version))
            .collect()
    }

    /// Needs *Browse users and groups* or *Administer Jira* (Jira REST v3: get users from group).
    pub(crate) fn get_group_members(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_browse_users(call)?;
        let group = self.named_group(call)?;
        let with_inactive = call.query("includeInactiveUsers") == Some("true");
        let members = self.members(&group, with_inactive, call.version);
        let link = format!("{}/rest/api/{}/group/member", self.site, call.version);
        ok(render::page(&link, call.page(50, 50)?, members))
    }

    /// Deprecated, and still what older clients read.
    pub(crate) fn get_group(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_browse_users(call)?;
        let group = self.named_group(call)?;
        ok(self.group_with_members(&group, call.version))
    }

    fn group_with_members(&self, group: &Group, version: &str) -> Value {
        let members = self.members(group, false, version);
        let mut body = self.group_json(group, version);
        body["expand"] = json!("users");
        body["users"] = json!({
            "size": members.len(), "max-results": 50, "start-index": 0,
            "end-index": members.len().saturating_sub(1), "items": members,
        });
        body
    }

    pub(crate) fn get_groups(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_browse_users(call)?;
        let (ids, names) = (call.query_list("groupId"), call.query_list("groupName"));
        let fits = |group: &&Group| {
            (ids.is_empty() && names.is_empty())
                || ids.contains(&group.id)
                || names.contains(&group.name)
        };
        let rows = self
            .people
            .groups
            .values()
            .filter(fits)
            .map(|group| json!({"name": group.name, "groupId": group.id}))
            .collect();
        let link = format!("{}/rest/api/{}/group/bulk", self.site, call.version);
        ok(render::page(&link, call.page(50, 10_000)?, rows))
    }

    pub(crate) fn pick_groups(&mut self, call: &mut Call<'_>) -> Outcome {
        let query = call.query("query").unwrap_or_default().to_lowercase();
        let most = call.page(20, 1_000)?.1;
        let may_browse = self.may_globally(&call.user.account_id, "USER_PICKER");
        let fits = |group: &&Group| {
            let name = group.name.to_lowercase();
            name == query || (may_browse && name.contains(&query))
        };
        let mut found: Vec<&Group> = self.people.groups.values().filter(fits).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let total = found.len();
        let rows: Vec<Value> = found
            .into_iter()
            .take(most)
            .map(|group| json!({"name": group.name, "groupId": group.id, "html": group.name, "labels": []}))
            .collect();
        ok(json!({
            "header": format!("Showing {} of {total} matching groups", rows.len()), "total": total, "groups": rows,
        }))
    }

    pub(crate) fn create_group(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let name = call.body["name"].as_str().unwrap_or_default().trim();
        if name.is_empty() {
            return Err(refusal(400, "A group name must be specified."));
        }
        if self.people.group(name).is_some() {
            let text = format!("A group with the name '{name}' already exists.");
            return Err(refusal(400, text));
        }
        let id = self.new_uuid();
        self.add_group(&id, name);
        let group = self.people.groups.get(&id).cloned();
        let group = group.ok_or_else(|| refusal(404, "The group is gone."))?;
        created(self.group_with_members(&group, call.version))
    }

    pub(crate) fn delete_group(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let group = self.named_group(call)?;
        self.people.groups.remove(&group.id);
        let accounts: Vec<String> = self
            .people
            .users()
            .map(|user| user.account_id.clone())
            .collect();
        for account in accounts {
            if let Some(user) = self.people.user_mut(&account) {
                user.groups.retain(|name| *name != group.name);
            }
        }
        ok_empty()
    }

    pub(crate) fn add_group_member(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let group = self.named_group(call)?;
        let text = "The accountId of the user must be provided.";
        let account = call.body["accountId"].as_str();
        let account = account.ok_or_else(|| refusal(400, text))?;
        let user = self.people.user_mut(account).ok_or_else(no_user)?;
        if user.groups.contains(&group.name) {
            let text = format!(
                "Cannot add user '{}', user is already a member of '{}'",
                user.display_name, group.name
            );
            return Err(refusal(400, text));
        }
        user.groups.push(group.name.clone());
        created(self.group_with_members(&group, call.version))
    }

    pub(crate) fn remove_group_member(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let group = self.named_group(call)?;
        let account = call.query("accountId").unwrap_or_default();
        let user = self.people.user_mut(account).ok_or_else(no_user)?;
        if !user.groups.contains(&group.name) {
            let text = format!(
                "Cannot remove user '{}' from group '{}' since user is not a member of '{}'",
                user.display_name, group.name, group.name
            );
            return Err(refusal(400, text));
        }
        user.groups.retain(|name| *name != group.name);
        ok_empty()
    }
}
