//! What the properties of a workflow's status take away from the permission scheme; they never grant (Atlassian: use
//! workflow properties).

use crate::emulators::jira::issue::Issue;
use crate::emulators::jira::permissions::grants::Grantee;
use crate::emulators::jira::permissions::keys::permission;
use crate::emulators::jira::{Jira, Project};

impl Jira {
    /// `jira.issue.editable` set to false forbids edits to everybody, the engine too.
    /// `jira.permission.{word}.{holder}[.n]` leaves the permission to the holders that are named;
    /// `jira.permission.subtasks.…` on the status of the parent does the same for its sub-tasks.
    pub(super) fn status_allows(
        &self,
        account: &str,
        key: &str,
        project: &Project,
        issue: &Issue,
    ) -> bool {
        let short = permission(key).map_or("", |known| known.short);
        if short.is_empty() {
            return true;
        }
        let own = self.status_properties(issue);
        let is_frozen = own.iter().any(|(key, value)| {
            key == "jira.issue.editable" && value.eq_ignore_ascii_case("false")
        });
        if key == "EDIT_ISSUES" && is_frozen {
            return false;
        }
        let parent = issue.parent.and_then(|parent| self.issues.get(&parent));
        let inherited = parent.map(|parent| self.status_properties(parent));
        let leaves = |prefix: String, properties: &[(String, String)]| {
            let mut named = properties
                .iter()
                .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value)))
                .peekable();
            named.peek().is_none()
                || named
                    .any(|(holder, value)| self.is_named(account, holder, value, project, issue))
        };
        leaves(format!("jira.permission.{short}."), &own)
            && leaves(
                format!("jira.permission.subtasks.{short}."),
                &inherited.unwrap_or_default(),
            )
    }

    fn status_properties(&self, issue: &Issue) -> Vec<(String, String)> {
        let Some(workflow) = self.workflow_of(issue.project, &issue.kind) else {
            return Vec::new();
        };
        workflow
            .statuses
            .iter()
            .filter(|place| place.status == issue.status)
            .flat_map(|place| place.properties.clone())
            .collect()
    }

    /// The holder part of a property's key, such as `projectrole` or `group.2`, with the property's value.
    fn is_named(
        &self,
        account: &str,
        holder: &str,
        value: &str,
        project: &Project,
        issue: &Issue,
    ) -> bool {
        let kind = holder.split('.').next().unwrap_or(holder);
        let grantee = match kind {
            "applicationRole" => Grantee::ApplicationRole(None),
            "assignee" => Grantee::Assignee,
            "reporter" => Grantee::Reporter,
            "lead" => Grantee::ProjectLead,
            "group" => match self.people.group(value) {
                Some(group) => Grantee::Group(group.id.clone()),
                None => return false,
            },
            "projectrole" => Grantee::ProjectRole(value.parse().unwrap_or(0)),
            "user" => Grantee::User(value.to_owned()),
            "userCF" => Grantee::UserField(value.to_owned()),
            "groupCF" => Grantee::GroupField(value.to_owned()),
            // `denied`, and words that Jira does not know: nobody.
            _ => return false,
        };
        self.reaches(account, &grantee, project, Some(issue))
    }
}
