//! Users, their part in the story, and what each part may do. Does not know workflow conditions.

use serde_json::{Value, json};

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

    /// Whether the permission scheme gives `permission` (a key of `GET /mypermissions`) to this part.
    pub fn may(self, permission: &str) -> bool {
        const PRODUCT: [&str; 5] = [
            "BROWSE_PROJECTS",
            "TRANSITION_ISSUES",
            "ADD_COMMENTS",
            "ASSIGN_ISSUES",
            "ASSIGNABLE_USER",
        ];
        const REVIEWER: [&str; 3] = ["EDIT_ISSUES", "RESOLVE_ISSUES", "CLOSE_ISSUES"];
        const NOT_BOT: [&str; 4] = [
            "ADMINISTER",
            "ADMINISTER_PROJECTS",
            "EDIT_WORKFLOW",
            "MOVE_ISSUES",
        ];
        match self {
            Role::Bot => !NOT_BOT.contains(&permission),
            Role::Product => PRODUCT.contains(&permission),
            Role::Reviewer => PRODUCT.contains(&permission) || REVIEWER.contains(&permission),
            Role::Admin => true,
        }
    }
}

/// The permissions that the emulator knows: key, id, name, and whether it is global (Jira REST v3: permissions).
pub(super) const PERMISSIONS: [(&str, &str, &str, bool); 20] = [
    ("BROWSE_PROJECTS", "10", "Browse Projects", false),
    ("CREATE_ISSUES", "11", "Create Issues", false),
    ("EDIT_ISSUES", "12", "Edit Issues", false),
    ("ASSIGN_ISSUES", "13", "Assign Issues", false),
    ("RESOLVE_ISSUES", "14", "Resolve Issues", false),
    ("ADD_COMMENTS", "15", "Add Comments", false),
    ("DELETE_ISSUES", "16", "Delete Issues", false),
    ("ASSIGNABLE_USER", "17", "Assignable User", false),
    ("CLOSE_ISSUES", "18", "Close Issues", false),
    ("LINK_ISSUES", "21", "Link Issues", false),
    ("ADMINISTER_PROJECTS", "23", "Administer Projects", false),
    ("MOVE_ISSUES", "25", "Move Issues", false),
    ("SET_ISSUE_SECURITY", "26", "Set Issue Security", false),
    ("SCHEDULE_ISSUES", "28", "Schedule Issues", false),
    ("MODIFY_REPORTER", "30", "Modify Reporter", false),
    ("TRANSITION_ISSUES", "46", "Transition Issues", false),
    ("EDIT_WORKFLOW", "52", "Edit Workflows", false),
    ("ADMINISTER", "0", "Administer Jira", true),
    ("USER_PICKER", "27", "Browse Users", true),
    ("BULK_CHANGE", "33", "Bulk Change", true),
];

/// A user of the emulated site.
#[derive(Clone, Debug)]
pub struct User {
    /// Atlassian account id.
    pub account_id: String,
    /// E-mail address: the user name of basic authentication.
    pub email: String,
    /// API token: the password of basic authentication. Change it to let the old one expire.
    pub token: String,
    /// The name that people read.
    pub display_name: String,
    /// The part in the story.
    pub role: Role,
    /// Deactivated users are refused with 401.
    pub active: bool,
    /// Names of the groups.
    pub groups: Vec<String>,
}

impl User {
    pub(super) fn json(&self, site: &str, version: &str) -> Value {
        let picture = format!("{site}/secure/useravatar?ownerId={}", self.account_id);
        json!({
            "self": format!("{site}/rest/api/{version}/user?accountId={}", self.account_id),
            "accountId": self.account_id,
            "accountType": "atlassian",
            "emailAddress": self.email,
            "displayName": self.display_name,
            "active": self.active,
            "timeZone": "Etc/UTC",
            "avatarUrls": {"16x16": picture, "24x24": picture, "32x32": picture, "48x48": picture},
        })
    }
}

/// Whether an `Authorization` header holds `email:token` of the user (Jira Cloud: basic auth for REST APIs).
pub(super) fn credentials(header: Option<&http::HeaderValue>) -> Option<(String, String)> {
    use base64::Engine as _;
    let encoded = header?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(encoded.trim())
        .ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (email, token) = text.split_once(':')?;
    Some((email.to_owned(), token.to_owned()))
}
