//! Permission schemes and their grants, and whom a grant reaches.

use serde_json::Value;

use crate::emulators::jira::issue::Issue;
use crate::emulators::jira::people::users::EVERYBODY;
use crate::emulators::jira::{Jira, Project};

/// Who is granted a permission (Jira REST v3: permission schemes, holder object).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Grantee {
    Anyone,
    /// Everybody with access to Jira.
    ApplicationRole(Option<String>),
    Assignee,
    Reporter,
    ProjectLead,
    /// Group id.
    Group(String),
    ProjectRole(u64),
    /// Account id.
    User(String),
    /// A custom field that names a user.
    UserField(String),
    /// A custom field that names a group.
    GroupField(String),
    /// Customers of a service project's portal: nobody here.
    PortalCustomer,
}

impl Grantee {
    /// Whether it depends on the data of an issue.
    pub(super) fn asks_the_issue(&self) -> bool {
        matches!(
            self,
            Grantee::Assignee | Grantee::Reporter | Grantee::UserField(_) | Grantee::GroupField(_)
        )
    }
}

/// One grant.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) id: u64,
    pub(crate) permission: String,
    pub(crate) grantee: Grantee,
}

/// A permission scheme.
#[derive(Clone, Debug)]
pub(crate) struct PermissionScheme {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) grants: Vec<Grant>,
    /// The team-managed project whose own permissions these are: no scheme operation shows them.
    pub(crate) project: Option<u64>,
}

impl Jira {
    /// Whether the scheme of the project grants a permission. Without an issue, grants by the data of an issue count:
    /// they are met for some issue (Jira REST v3: get my permissions).
    pub(super) fn is_granted(
        &self,
        account: &str,
        permission: &str,
        project: &Project,
        issue: Option<&Issue>,
    ) -> bool {
        let scheme = self.permissions.schemes.get(&project.permission_scheme);
        let grants = scheme.map_or(&[][..], |scheme| &scheme.grants);
        grants
            .iter()
            .filter(|grant| grant.permission == permission)
            .any(|grant| self.reaches(account, &grant.grantee, project, issue))
    }

    pub(super) fn reaches(
        &self,
        account: &str,
        grantee: &Grantee,
        project: &Project,
        issue: Option<&Issue>,
    ) -> bool {
        let by_issue = |holds: &dyn Fn(&Issue) -> bool| issue.is_none_or(holds);
        match grantee {
            Grantee::Anyone => true,
            Grantee::ApplicationRole(_) => self.people.is_in_group(account, EVERYBODY.0),
            Grantee::Assignee => by_issue(&|issue| issue.assignee.as_deref() == Some(account)),
            Grantee::Reporter => by_issue(&|issue| issue.reporter == account),
            Grantee::ProjectLead => project.lead.as_deref() == Some(account),
            Grantee::Group(id) => self.people.is_in_group(account, id),
            Grantee::ProjectRole(role) => self.holds_role(account, *role, project),
            Grantee::User(user) => user == account,
            Grantee::UserField(field) => by_issue(&|issue| names_user(issue, field, account)),
            Grantee::GroupField(field) => {
                by_issue(&|issue| self.names_group(issue, field, account))
            }
            Grantee::PortalCustomer => false,
        }
    }

    /// Whether a custom field names a group that the account is in.
    pub(crate) fn names_group(&self, issue: &Issue, field: &str, account: &str) -> bool {
        values(issue, field).iter().any(|value| {
            let named = value["groupId"].as_str().or(value["name"].as_str());
            named
                .and_then(|named| self.people.group(named))
                .is_some_and(|group| self.people.is_in_group(account, &group.id))
        })
    }
}

/// Whether a custom field names the account.
pub(crate) fn names_user(issue: &Issue, field: &str, account: &str) -> bool {
    values(issue, field)
        .iter()
        .any(|value| value["accountId"].as_str() == Some(account))
}

/// The value of a custom field, or the values when it holds several.
fn values(issue: &Issue, field: &str) -> Vec<Value> {
    match issue.custom.get(field) {
        Some(Value::Array(list)) => list.clone(),
        Some(value) => vec![value.clone()],
        None => Vec::new(),
    }
}
