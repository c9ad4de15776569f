//! Statuses, transitions and rules as data. Interprets nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A status category (Jira REST v3: StatusCategory).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Key `new`, name *To Do*.
    New,
    /// Key `indeterminate`, name *In Progress*.
    Indeterminate,
    /// Key `done`, name *Done*.
    Done,
}

impl Category {
    /// Id, key, name and colour.
    pub fn parts(self) -> (u64, &'static str, &'static str, &'static str) {
        match self {
            Category::New => (2, "new", "To Do", "blue-gray"),
            Category::Indeterminate => (4, "indeterminate", "In Progress", "yellow"),
            Category::Done => (3, "done", "Done", "green"),
        }
    }

    /// The word of the workflows API.
    pub fn word(self) -> &'static str {
        match self {
            Category::New => "TODO",
            Category::Indeterminate => "IN_PROGRESS",
            Category::Done => "DONE",
        }
    }

    /// The category with this word of the workflows API.
    pub fn named(word: &str) -> Option<Category> {
        [Category::New, Category::Indeterminate, Category::Done]
            .into_iter()
            .find(|category| category.word() == word)
    }
}

/// A status.
#[derive(Clone, Debug)]
pub struct Status {
    /// Id: the only stable handle.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Category.
    pub category: Category,
    /// The team-managed project that it belongs to.
    pub project: Option<u64>,
}

/// The version of a workflow or of a workflow scheme: an update must name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Changes with each update.
    pub id: String,
    /// Rises with each update.
    pub version_number: u64,
}

/// A rule: a condition, a validator, a post function or a screen. All parameters are texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Id.
    pub id: String,
    /// Key, such as `system:restrict-issue-transition`.
    pub key: String,
    /// Parameters.
    pub parameters: BTreeMap<String, String>,
}

impl Rule {
    /// A rule with parameters.
    pub fn new(key: &str, parameters: &[(&str, &str)]) -> Rule {
        Rule {
            id: String::new(),
            key: key.to_owned(),
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    /// A parameter; what is missing is empty.
    pub fn text(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// A comma-separated parameter.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let parts = self.text(name).split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).collect()
    }
}

/// Conditions, all or any of which must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConditionGroup {
    /// Whether one is enough.
    pub is_any: bool,
    /// The conditions.
    pub conditions: Vec<Rule>,
    /// Groups within.
    pub groups: Vec<ConditionGroup>,
}

impl ConditionGroup {
    /// A group that asks for all of these.
    pub fn all(conditions: Vec<Rule>) -> ConditionGroup {
        ConditionGroup {
            conditions,
            ..ConditionGroup::default()
        }
    }

    fn rules(&self) -> Vec<&Rule> {
        let within = self.groups.iter().flat_map(ConditionGroup::rules);
        self.conditions.iter().chain(within).collect()
    }

    fn rules_mut(&mut self) -> Vec<&mut Rule> {
        let within = self
            .groups
            .iter_mut()
            .flat_map(ConditionGroup::rules_mut)
            .collect::<Vec<_>>();
        self.conditions.iter_mut().chain(within).collect()
    }
}

/// Where a transition starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// When the issue is created.
    Initial,
    /// In any status, also in its own target: the same call succeeds twice.
    Global,
    /// In the statuses of its links.
    Directed,
}

impl Kind {
    /// The word of the workflows API.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Initial => "INITIAL",
            Kind::Global => "GLOBAL",
            Kind::Directed => "DIRECTED",
        }
    }

    /// The kind with this word.
    pub fn named(word: &str) -> Option<Kind> {
        [Kind::Initial, Kind::Global, Kind::Directed]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// Where a directed transition starts, and where the arrow is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Status id.
    pub from: u64,
    /// Side of the box on which the arrow starts.
    pub from_port: Option<i64>,
    /// Side on which it ends.
    pub to_port: Option<i64>,
}

/// A transition.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Id, unique in the workflow.
    pub id: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Where it starts.
    pub kind: Kind,
    /// The statuses that a directed one leaves.
    pub links: Vec<Link>,
    /// The status that it enters; none for one that loops back to where it started.
    pub to: Option<u64>,
    /// Who may take it.
    pub conditions: Option<ConditionGroup>,
    /// What must hold of the issue.
    pub validators: Vec<Rule>,
    /// What it does besides.
    pub actions: Vec<Rule>,
    /// The screen that asks for fields.
    pub screen: Option<Rule>,
    /// Properties.
    pub properties: BTreeMap<String, String>,
    /// Triggers, as they came.
    pub triggers: Value,
    /// The event that it fires.
    pub event: Option<String>,
}

impl Transition {
    /// A bare transition.
    pub fn new(id: &str, name: &str, kind: Kind, from: &[u64], to: u64) -> Transition {
        let links = from.iter().map(|from| Link {
            from: *from,
            from_port: None,
            to_port: None,
        });
        Transition {
            id: id.to_owned(),
            name: name.to_owned(),
            description: String::new(),
            kind,
            links: links.collect(),
            to: Some(to),
            conditions: None,
            validators: Vec::new(),
            actions: Vec::new(),
            screen: None,
            properties: BTreeMap::new(),
            triggers: Value::Array(Vec::new()),
            event: None,
        }
    }

    /// Whether it starts in `status`.
    pub fn starts_in(&self, status: u64) -> bool {
        match self.kind {
            Kind::Initial => false,
            Kind::Global => true,
            Kind::Directed => self.links.iter().any(|link| link.from == status),
        }
    }

    /// Every rule.
    pub fn rules(&self) -> Vec<&Rule> {
        let conditions = self.conditions.iter().flat_map(ConditionGroup::rules);
        conditions
            .chain(&self.validators)
            .chain(&self.actions)
            .chain(&self.screen)
            .collect()
    }
}

/// A status in a workflow.
#[derive(Clone, Debug)]
pub struct StatusPlace {
    /// Status id.
    pub status: u64,
    /// Properties, such as `jira.issue.editable`.
    pub properties: BTreeMap<String, String>,
    /// Where the editor draws it, as it came.
    pub layout: Value,
}

/// A workflow.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// The team-managed project that it belongs to.
    pub project: Option<u64>,
    /// What an update must name.
    pub version: Version,
    /// Its statuses.
    pub statuses: Vec<StatusPlace>,
    /// Its transitions.
    pub transitions: Vec<Transition>,
    /// Where the editor draws the start, as it came.
    pub start_layout: Value,
    /// Where the editor draws looped transitions, as it came.
    pub loop_layout: Value,
    /// When it was created and updated; nothing for what the site came with.
    pub times: Option<(jiff::Timestamp, jiff::Timestamp)>,
    /// The system's own workflow cannot be edited.
    pub is_editable: bool,
}

impl Workflow {
    /// The transition with this id, but for the initial one: that is no transition of an issue.
    pub fn transition(&self, id: &str) -> Option<&Transition> {
        self.transitions
            .iter()
            .find(|transition| transition.id == id && transition.kind != Kind::Initial)
    }

    /// The same, to change it.
    pub fn transition_mut(&mut self, id: &str) -> Option<&mut Transition> {
        self.transitions
            .iter_mut()
            .find(|transition| transition.id == id)
    }

    /// The initial transition.
    pub fn initial(&self) -> Option<&Transition> {
        let mut all = self.transitions.iter();
        all.find(|transition| transition.kind == Kind::Initial)
    }

    /// Whether a status belongs to it.
    pub fn has_status(&self, id: u64) -> bool {
        self.statuses.iter().any(|place| place.status == id)
    }

    /// Every rule of every transition.
    pub fn rules(&self) -> Vec<&Rule> {
        self.transitions
            .iter()
            .flat_map(Transition::rules)
            .collect()
    }

    pub(crate) fn rules_mut(&mut self) -> Vec<&mut Rule> {
        self.transitions
            .iter_mut()
            .flat_map(|transition| {
                let conditions = transition
                    .conditions
                    .iter_mut()
                    .flat_map(ConditionGroup::rules_mut)
                    .collect::<Vec<_>>();
                conditions
                    .into_iter()
                    .chain(transition.validators.iter_mut())
                    .chain(transition.actions.iter_mut())
                    .chain(transition.screen.iter_mut())
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}
