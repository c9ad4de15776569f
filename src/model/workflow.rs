//! Jira's workflows, schemes and holders of roles as plain data: what a site has, and what it should have. Interprets
//! no rule and knows no URL.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::TicketState;

/// Every move that the engine may have to make: from each meaning to each other (decision table, rows 2 to 19).
pub fn engine_moves() -> impl Iterator<Item = (TicketState, TicketState)> {
    let all = [
        TicketState::Open,
        TicketState::Resolved,
        TicketState::Closed,
        TicketState::Ignored,
    ];
    all.into_iter()
        .flat_map(move |from| all.into_iter().map(move |to| (from, to)))
        .filter(|(from, to)| from != to)
}

/// Jira's category of a status.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// To do.
    Todo,
    /// In progress.
    InProgress,
    /// Done.
    Done,
}

impl Category {
    /// The word that people read.
    pub fn word(self) -> &'static str {
        match self {
            Category::Todo => "to do",
            Category::InProgress => "in progress",
            Category::Done => "done",
        }
    }
}

/// A status of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Id; empty for one that does not exist yet.
    pub id: String,
    /// Name.
    pub name: String,
    /// Description, which an update sends back unchanged.
    pub description: String,
    /// Category.
    pub category: Category,
}

/// Where a transition starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// When the issue is created.
    Initial,
    /// Anywhere, in its own target too: the same call succeeds twice.
    Anywhere,
    /// In one of these statuses.
    In(BTreeSet<String>),
}

/// A condition, a validator or a post function. Parameters are texts, lists are comma-separated (Jira REST v3: workflow
/// capabilities).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Such as `system:restrict-issue-transition`.
    pub key: String,
    /// Parameters.
    pub parameters: BTreeMap<String, String>,
}

impl Rule {
    /// A rule with parameters.
    pub fn new(key: &str, parameters: &[(&str, &str)]) -> Self {
        let parameters = parameters.iter();
        Rule {
            key: key.to_owned(),
            parameters: parameters
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    /// A parameter; empty when it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// A comma-separated parameter.
    pub fn list(&self, name: &str) -> BTreeSet<String> {
        let parts = self.text(name).split(',').map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// Conditions, of which all or any must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// One is enough.
    pub any: bool,
    /// Rules.
    pub rules: Vec<Rule>,
    /// Groups within.
    pub groups: Vec<Conditions>,
}

impl Conditions {
    /// Asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.groups.iter().all(Conditions::is_empty)
    }
}

/// A transition. Statuses are ids where it was read, and names where it is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Id, unique in its workflow.
    pub id: String,
    /// Name.
    pub name: String,
    /// Where it starts.
    pub start: Start,
    /// The status that it enters; `None` for one that leads back to where it started.
    pub to: Option<String>,
    /// Who may take it, and when.
    pub conditions: Conditions,
    /// What must hold of the issue.
    pub validators: Vec<Rule>,
    /// What it does besides.
    pub actions: Vec<Rule>,
    /// The screen that asks for fields.
    pub screen: Option<Rule>,
}

impl Transition {
    /// It can be taken from this status.
    pub fn starts_in(&self, status: &str) -> bool {
        match &self.start {
            Start::Initial => false,
            Start::Anywhere => true,
            Start::In(statuses) => statuses.contains(status),
        }
    }
}

/// The version that an update must name (Jira REST v3: bulk update workflows).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Changes with each update.
    pub id: String,
    /// Rises with each update.
    pub version_number: u64,
}

/// A status in a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Id where it was read, name where it is to be written.
    pub status: String,
    /// Properties such as `jira.issue.editable`.
    pub properties: BTreeMap<String, String>,
    /// Where the editor draws it; kept as it came.
    pub layout: Option<serde_json::Value>,
}

/// A workflow as a site has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// What an update must name.
    pub version: Version,
    /// Its statuses.
    pub statuses: Vec<Placed>,
    /// Its transitions.
    pub transitions: Vec<Transition>,
}

/// Who holds a project role: a user by account id, or a group by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// Account id.
    User(String),
    /// Group id.
    Group(String),
}

/// To whom a permission is granted (Jira REST v3: permission schemes, holder object).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grantee {
    /// Everybody, without a login too.
    Anyone,
    /// Everybody with access to Jira, or to one of its applications.
    Application(String),
    /// Holders of a role, by its id.
    Role(String),
    /// Members of a group, by its id.
    Group(String),
    /// An account id.
    User(String),
    /// Another kind, such as `reporter` or `projectLead`, with its parameter.
    Other(String, String),
}

/// One grant of a permission scheme: the permission's key, and to whom.
pub type Grant = (String, Grantee);
