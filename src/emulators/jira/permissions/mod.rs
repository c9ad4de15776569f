//! What an account may do: global permissions by group, project permissions by the project's permission scheme, and
//! what the status of an issue takes away again. Workflow conditions are elsewhere.

pub(super) mod check;
pub(super) mod grants;
pub(super) mod keys;
pub(super) mod prepared;
pub(super) mod schemes;
pub(super) mod statuses;

use std::collections::{BTreeMap, BTreeSet};

use grants::PermissionScheme;

use crate::emulators::jira::issue::Issue;
use crate::emulators::jira::reply::{Reply, refusal};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::{Jira, Project};

/// All permission schemes, and the groups that hold global permissions.
#[derive(Clone, Debug, Default)]
pub(super) struct Permissions {
    pub(super) schemes: BTreeMap<u64, PermissionScheme>,
    /// Group ids by global permission. Jira has no REST operation that changes them.
    pub(super) global: BTreeMap<&'static str, BTreeSet<&'static str>>,
    /// The scheme of new projects.
    pub(super) default_scheme: u64,
    pub(super) next_grant: u64,
}

impl Jira {
    /// Whether the account exists, is active, and had the permission not taken away.
    fn counts(&self, account: &str, permission: &str) -> bool {
        let revoked = self.revoked.get(account);
        self.account(account).is_some_and(|user| user.active)
            && !revoked.is_some_and(|keys| keys.contains(permission))
    }

    /// A global permission.
    pub(super) fn may_globally(&self, account: &str, permission: &str) -> bool {
        let groups = self.permissions.global.get(permission);
        self.counts(account, permission)
            && groups
                .into_iter()
                .flatten()
                .any(|group| self.people.is_in_group(account, group))
    }

    /// A permission in a project, leaving open which issue: grants to reporters, assignees and the like count.
    pub(super) fn may_in(&self, account: &str, permission: &str, project: u64) -> bool {
        self.projects.get(&project).is_some_and(|project| {
            self.counts(account, permission)
                && is_open(project, permission)
                && self.is_granted(account, permission, project, None)
        })
    }

    /// A permission for one issue: the grant, then the properties of its status.
    pub(super) fn may_on(&self, account: &str, permission: &str, issue: &Issue) -> bool {
        self.projects.get(&issue.project).is_some_and(|project| {
            self.counts(account, permission)
                && is_open(project, permission)
                && self.is_granted(account, permission, project, Some(issue))
                && self.status_allows(account, permission, project, issue)
        })
    }

    /// The same by issue id; nobody may anything to an issue that is gone.
    pub(super) fn may_on_id(&self, account: &str, permission: &str, id: u64) -> bool {
        self.issues
            .get(&id)
            .is_some_and(|issue| self.may_on(account, permission, issue))
    }

    /// Whether the account sees anything of a project.
    pub(super) fn sees(&self, account: &str, project: u64) -> bool {
        self.may_in(account, "BROWSE_PROJECTS", project)
    }

    pub(super) fn sees_issue(&self, account: &str, issue: &Issue) -> bool {
        self.may_on(account, "BROWSE_PROJECTS", issue)
    }

    /// Whether who sees an issue depends on its assignee, reporter, fields or status.
    pub(super) fn browsing_asks_the_issue(&self, project: u64) -> bool {
        let Some(project) = self.projects.get(&project) else {
            return false;
        };
        let scheme = self.permissions.schemes.get(&project.permission_scheme);
        let mut grants = scheme.into_iter().flat_map(|scheme| &scheme.grants);
        let by_data = grants
            .any(|grant| grant.permission == "BROWSE_PROJECTS" && grant.grantee.asks_the_issue());
        let scheme = self.workflows.schemes.get(&project.workflow_scheme);
        let workflows = scheme.into_iter().flat_map(|scheme| scheme.workflow_ids());
        let mut properties = workflows
            .filter_map(|id| self.workflows.all.get(id))
            .flat_map(|workflow| &workflow.statuses)
            .flat_map(|place| place.properties.keys());
        by_data || properties.any(|key| key.contains(".browse."))
    }

    pub(super) fn is_admin(&self, account: &str) -> bool {
        self.may_globally(account, "ADMINISTER")
    }

    /// Refuses everybody but administrators of Jira (Jira REST v3: *Administer Jira* global permission).
    pub(super) fn require_admin(&self, call: &Call<'_>) -> Result<(), Reply> {
        if self.is_admin(&call.user.account_id) {
            return Ok(());
        }
        Err(refusal(
            403,
            "Only Jira administrators can perform this operation.",
        ))
    }

    /// Refuses where the plan knows no editing of permissions (Atlassian: permissions for company-managed projects).
    pub(super) fn require_permission_editing(&self) -> Result<(), Reply> {
        if self.is_free_plan {
            let text =
                "Permission schemes cannot be changed or assigned to projects on free plans.";
            return Err(refusal(403, text));
        }
        Ok(())
    }

    /// The same for roles; those of a team-managed project are its own.
    pub(super) fn require_role_editing(&self, project: u64) -> Result<(), Reply> {
        let is_own = self
            .projects
            .get(&project)
            .is_some_and(Project::is_team_managed);
        if self.is_free_plan && !is_own {
            return Err(refusal(
                403,
                "Project roles cannot be changed on free plans.",
            ));
        }
        Ok(())
    }
}

/// A hidden project is open to nobody. An archived one can be read by direct link and administered, but nothing in it
/// changes (Atlassian: archive a project).
fn is_open(project: &Project, permission: &str) -> bool {
    let reads = matches!(permission, "BROWSE_PROJECTS" | "ADMINISTER_PROJECTS");
    !project.is_hidden && (reads || !project.is_archived)
}
