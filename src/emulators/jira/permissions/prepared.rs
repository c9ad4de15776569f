//! The permission schemes that sites begin with: the default one of a new site, and the one that `asaf` asks for.

use crate::emulators::jira::Jira;
use crate::emulators::jira::people::users::{EVERYBODY, Role};
use crate::emulators::jira::permissions::grants::{Grant, Grantee, PermissionScheme};
use crate::emulators::jira::permissions::keys::PERMISSIONS;

/// Id of the default permission scheme of a new site.
const DEFAULT: u64 = 0;
/// Id of the scheme that parts product teams, reviewers and the bot.
const PARTED: u64 = 10_100;
/// Id of the role that administers a project on a new site.
const ADMINISTRATORS: u64 = 10_002;

const PRODUCT: [&str; 7] = [
    "BROWSE_PROJECTS",
    "TRANSITION_ISSUES",
    "ADD_COMMENTS",
    "EDIT_OWN_COMMENTS",
    "DELETE_OWN_COMMENTS",
    "ASSIGN_ISSUES",
    "ASSIGNABLE_USER",
];
const REVIEWER: [&str; 3] = ["EDIT_ISSUES", "RESOLVE_ISSUES", "CLOSE_ISSUES"];
const NOT_BOT: [&str; 3] = ["ADMINISTER_PROJECTS", "EDIT_WORKFLOW", "MOVE_ISSUES"];

/// Whether the parted scheme gives a project permission to the users of a part.
fn is_parted_to(role: Role, key: &str) -> bool {
    match role {
        Role::Bot => !NOT_BOT.contains(&key),
        Role::Product => PRODUCT.contains(&key),
        Role::Reviewer => PRODUCT.contains(&key) || REVIEWER.contains(&key),
        Role::Admin => true,
    }
}

impl Jira {
    /// Everybody works, project administrators administer: Jira's default scheme, and its global permissions.
    pub(crate) fn grant_defaults(&mut self) {
        const ADMINISTRATION: [&str; 3] =
            ["ADMINISTER_PROJECTS", "EDIT_WORKFLOW", "EDIT_ISSUE_LAYOUT"];
        let grants = PERMISSIONS.iter().filter(|one| !one.is_global).map(|one| {
            let grantee = if ADMINISTRATION.contains(&one.key) {
                Grantee::ProjectRole(ADMINISTRATORS)
            } else {
                Grantee::ApplicationRole(None)
            };
            (one.key, grantee)
        });
        let grants: Vec<(&str, Grantee)> = grants.collect();
        self.add_scheme(DEFAULT, "Default Permission Scheme", grants, None);
        let admins = Role::Admin.group().0;
        for permission in PERMISSIONS.iter().filter(|one| one.is_global) {
            let group = match permission.key {
                "ADMINISTER" | "SYSTEM_ADMIN" => admins,
                _ => EVERYBODY.0,
            };
            let groups = self.permissions.global.entry(permission.key).or_default();
            groups.insert(group);
        }
        self.permissions.default_scheme = DEFAULT;
    }

    /// The scheme that `asaf` asks for becomes that of new projects; bulk changes are left to the bot and admins.
    pub(crate) fn grant_parts(&mut self) {
        let grants = Role::ALL.into_iter().flat_map(|role| {
            PERMISSIONS
                .iter()
                .filter(move |one| !one.is_global && is_parted_to(role, one.key))
                .map(move |one| (one.key, Grantee::ProjectRole(role.project_role().0)))
        });
        let grants: Vec<(&str, Grantee)> = grants.collect();
        self.add_scheme(PARTED, "Security tickets", grants, None);
        self.permissions.default_scheme = PARTED;
        let few = [Role::Bot, Role::Admin].map(|role| role.group().0);
        for key in ["BULK_CHANGE", "USER_PICKER"] {
            self.permissions.global.insert(key, few.into());
        }
    }

    /// The permissions of a team-managed project with open access: everybody does everything but administer.
    pub(crate) fn grant_openly(&mut self, project: u64, administrators: u64) -> u64 {
        let id = 1_000_000 + project;
        let grants = PERMISSIONS.iter().filter(|one| !one.is_global).map(|one| {
            let grantee = match one.key {
                "ADMINISTER_PROJECTS" | "EDIT_WORKFLOW" => Grantee::ProjectRole(administrators),
                _ => Grantee::ApplicationRole(None),
            };
            (one.key, grantee)
        });
        let grants: Vec<(&str, Grantee)> = grants.collect();
        self.add_scheme(id, "", grants, Some(project));
        id
    }

    pub(crate) fn add_scheme(
        &mut self,
        id: u64,
        name: &str,
        grants: Vec<(&str, Grantee)>,
        project: Option<u64>,
    ) {
        let grants = grants
            .into_iter()
            .map(|(permission, grantee)| Grant {
                id: self.permissions.take_grant_id(),
                permission: permission.to_owned(),
                grantee,
            })
            .collect();
        let scheme = PermissionScheme {
            id,
            name: name.to_owned(),
            description: String::new(),
            grants,
            project,
        };
        self.permissions.schemes.insert(id, scheme);
    }
}

impl super::Permissions {
    pub(crate) fn take_grant_id(&mut self) -> u64 {
        self.next_grant += 1;
        10_000 + self.next_grant
    }
}
