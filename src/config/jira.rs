//! `[jira]`: the site, its statuses and priorities, and who may close.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Login, Secret, Verify, Workflow};
use crate::model::{Severity, TicketState};

/// `[jira]`: one Jira Cloud site and the engine's own user there.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jira {
    /// The site: https, or http on a loopback address. Kept without a slash at the end.
    pub url: String,
    /// The engine's own user.
    pub email: String,
    /// Their API token, by reference.
    pub token: Secret,
    /// The day on which the token expires, such as `2027-03-01`: Jira tells it to nobody, `asaf doctor` reminds of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub token_expires: Option<jiff::civil::Date>,
    /// The type of the tickets.
    #[serde(default = "default_issue_type")]
    pub issue_type: String,
    /// Who may close.
    pub reviewers: Reviewers,
    /// Who the product teams are, in the same three forms; optional. Anybody who may see a ticket may resolve it: this
    /// only tells readers of comments and notices whether a person belongs to a team, to security, or to neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_teams: Option<Reviewers>,
    /// Which statuses mean what.
    #[serde(default)]
    pub statuses: Statuses,
    /// The priority of each severity.
    #[serde(default)]
    pub priorities: Priorities,
    /// Fields that every new ticket gets besides ours, by field id, as Jira's API takes them.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
    /// Fields that a transition's screen requires: the transition's name or id, then values by field id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub transition_fields: BTreeMap<String, Fields>,
    /// Whose workflow the tickets follow.
    #[serde(default)]
    pub workflow: Workflow,
    /// A Jira administrator: only `asaf workflow`, `asaf webhook` and `asaf doctor` read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<Login>,
    /// Test users of `asaf workflow verify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
}

impl Jira {
    /// The site is reached through Atlassian's gateway, where tokens have scopes.
    pub fn is_gateway(&self) -> bool {
        self.url.contains("/ex/jira/")
    }
}

/// Values by field id, as Jira's API takes them.
pub type Fields = serde_json::Map<String, serde_json::Value>;

fn default_issue_type() -> String {
    "Task".to_owned()
}

/// Who may close: the members of a group, the holders of a project role, or named users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ReviewersAsWritten", into = "ReviewersAsWritten")]
pub enum Reviewers {
    /// The members of the group with this name.
    Group(String),
    /// The holders of a role in a project.
    Role {
        /// The project's key.
        project: String,
        /// The role's name.
        role: String,
    },
    /// Users by account id.
    Accounts(Vec<String>),
}

impl Reviewers {
    /// Who they are, for people who read a ticket.
    pub fn words(&self) -> String {
        match self {
            Reviewers::Group(group) => format!("members of the Jira group {group}"),
            Reviewers::Role { project, role } => {
                format!("holders of the role {role} in the Jira project {project}")
            }
            Reviewers::Accounts(_) => "the security team's reviewers".to_owned(),
        }
    }
}

/// The three shapes as one table: an untagged enum could not say which key is wrong.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReviewersAsWritten {
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_ids: Option<Vec<String>>,
}

impl TryFrom<ReviewersAsWritten> for Reviewers {
    type Error = &'static str;

    fn try_from(written: ReviewersAsWritten) -> Result<Self, Self::Error> {
        match written {
            ReviewersAsWritten {
                group: Some(group),
                project: None,
                role: None,
                account_ids: None,
            } => Ok(Reviewers::Group(group)),
            ReviewersAsWritten {
                group: None,
                project: Some(project),
                role: Some(role),
                account_ids: None,
            } => Ok(Reviewers::Role { project, role }),
            ReviewersAsWritten {
                group: None,
                project: None,
                role: None,
                account_ids: Some(ids),
            } => Ok(Reviewers::Accounts(ids)),
            _ => Err(
                "people are given as one of { group = \"…\" }, { project = \"…\", role = \"…\" } or { account_ids = [\"…\"] }",
            ),
        }
    }
}

impl From<Reviewers> for ReviewersAsWritten {
    fn from(reviewers: Reviewers) -> Self {
        let mut written = ReviewersAsWritten::default();
        match reviewers {
            Reviewers::Group(group) => written.group = Some(group),
            Reviewers::Role { project, role } => {
                written.project = Some(project);
                written.role = Some(role);
            }
            Reviewers::Accounts(ids) => written.account_ids = Some(ids),
        }
        written
    }
}

impl JsonSchema for Reviewers {
    fn schema_name() -> Cow<'static, str> {
        "Reviewers".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = || json_schema!({ "type": "string", "minLength": 1 });
        json_schema!({
            "description": "The members of a group, the holders of a project role, or named users.",
            "oneOf": [
                { "type": "object", "additionalProperties": false, "required": ["group"],
                  "properties": { "group": text() } },
                { "type": "object", "additionalProperties": false, "required": ["project", "role"],
                  "properties": { "project": text(), "role": text() } },
                { "type": "object", "additionalProperties": false, "required": ["account_ids"],
                  "properties": { "account_ids": { "type": "array", "items": text(), "minItems": 1 } } },
            ],
        })
    }
}

/// `[jira.statuses]`: ids or names (case does not matter). The first of each list is where the engine moves a ticket to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Statuses {
    /// Waits for the team, or in progress.
    pub open: Vec<String>,
    /// The team says that it is done.
    pub resolved: Vec<String>,
    /// Reviewed and accepted.
    pub closed: Vec<String>,
    /// Covered by an ignore rule or a respected suppression.
    pub ignored: Vec<String>,
    /// Through these a move may pass where no transition leads straight to its target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<String>,
}

impl Default for Statuses {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Statuses {
            open: list(&["Open", "In Progress"]),
            resolved: list(&["Resolved"]),
            closed: list(&["Closed"]),
            ignored: list(&["Ignored"]),
            via: Vec::new(),
        }
    }
}

impl Statuses {
    /// Every state with the statuses that mean it.
    pub fn all(&self) -> [(TicketState, &[String]); 4] {
        [
            (TicketState::Open, &self.open),
            (TicketState::Resolved, &self.resolved),
            (TicketState::Closed, &self.closed),
            (TicketState::Ignored, &self.ignored),
        ]
    }

    /// What a status means, by its id or its name; `None` when the configuration does not say.
    pub fn state_of(&self, id: &str, name: &str) -> Option<TicketState> {
        let name = name.to_lowercase();
        self.all()
            .into_iter()
            .find(|(_, known)| known.iter().any(|k| k == id || k.to_lowercase() == name))
            .map(|(state, _)| state)
    }

    /// The statuses that mean this, the preferred one first.
    pub fn of(&self, state: TicketState) -> &[String] {
        match state {
            TicketState::Open => &self.open,
            TicketState::Resolved => &self.resolved,
            TicketState::Closed => &self.closed,
            TicketState::Ignored => &self.ignored,
        }
    }
}

/// `[jira.priorities]`: names of the site's priorities; an empty name leaves the project's default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "UPPERCASE")]
pub struct Priorities {
    /// For CRITICAL findings.
    pub critical: String,
    /// For HIGH findings.
    pub high: String,
    /// For MEDIUM findings.
    pub medium: String,
    /// For LOW findings.
    pub low: String,
    /// For INFORMATIONAL findings.
    pub informational: String,
}

impl Default for Priorities {
    fn default() -> Self {
        Priorities {
            critical: "Highest".to_owned(),
            high: "High".to_owned(),
            medium: "Medium".to_owned(),
            low: "Low".to_owned(),
            informational: "Lowest".to_owned(),
        }
    }
}

impl Priorities {
    /// The priority's name; `None` leaves the project's default.
    pub fn of(&self, severity: Severity) -> Option<&str> {
        let name = match severity {
            Severity::Critical => &self.critical,
            Severity::High => &self.high,
            Severity::Medium => &self.medium,
            Severity::Low => &self.low,
            Severity::Informational => &self.informational,
        };
        (!name.is_empty()).then_some(name.as_str())
    }
}
