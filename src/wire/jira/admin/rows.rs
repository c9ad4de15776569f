//! Workflows, statuses and resolutions as Jira writes them, and their translation in both directions. Sends nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::model::workflow::{
    Category, Conditions, Placed, Rule, Start, Status, Transition, Version, Workflow,
};

use super::workflows::{Library, Sent};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusRow {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) status_reference: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    pub(super) status_category: String,
    pub(super) scope: Option<Scope>,
}

#[derive(Deserialize)]
pub(super) struct Scope {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusPage {
    pub(super) values: Vec<StatusRow>,
    #[serde(default)]
    pub(super) is_last: bool,
}

#[derive(Deserialize)]
pub(super) struct ResolutionRow {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResolutionPage {
    pub(super) values: Vec<ResolutionRow>,
    #[serde(default)]
    pub(super) is_last: bool,
}

#[derive(Deserialize)]
pub(super) struct Answered {
    #[serde(default)]
    pub(super) statuses: Vec<StatusRow>,
    #[serde(default)]
    pub(super) workflows: Vec<WorkflowRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    pub(super) task_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WorkflowRow {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) version: Version,
    #[serde(default)]
    pub(super) statuses: Vec<PlaceRow>,
    #[serde(default)]
    pub(super) transitions: Vec<TransitionRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlaceRow {
    pub(super) status_reference: String,
    #[serde(default)]
    pub(super) properties: BTreeMap<String, String>,
    pub(super) layout: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransitionRow {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) links: Vec<LinkRow>,
    pub(super) to_status_reference: Option<String>,
    pub(super) conditions: Option<GroupRow>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) validators: Vec<RuleRow>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) actions: Vec<RuleRow>,
    pub(super) transition_screen: Option<RuleRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkRow {
    pub(super) from_status_reference: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupRow {
    #[serde(default)]
    pub(super) operation: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) conditions: Vec<RuleRow>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) condition_groups: Vec<GroupRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleRow {
    pub(super) rule_key: String,
    #[serde(default)]
    pub(super) parameters: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
pub(super) struct Validated {
    #[serde(default)]
    pub(super) errors: Vec<Flaw>,
}

#[derive(Deserialize)]
pub(super) struct Flaw {
    #[serde(default)]
    pub(super) level: String,
    #[serde(default)]
    pub(super) message: String,
}

/// A list that may be `null`.
pub(super) fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl From<StatusRow> for Status {
    fn from(row: StatusRow) -> Self {
        let category = match row.status_category.as_str() {
            "DONE" => Category::Done,
            "IN_PROGRESS" => Category::InProgress,
            _ => Category::Todo,
        };
        Status {
            id: row.id,
            name: row.name,
            description: row.description.unwrap_or_default(),
            category,
        }
    }
}

impl From<RuleRow> for Rule {
    fn from(row: RuleRow) -> Self {
        Rule {
            key: row.rule_key,
            parameters: row.parameters.unwrap_or_default(),
        }
    }
}

impl From<GroupRow> for Conditions {
    fn from(row: GroupRow) -> Self {
        Conditions {
            any: row.operation == "ANY",
            rules: row.conditions.into_iter().map(Rule::from).collect(),
            groups: row
                .condition_groups
                .into_iter()
                .map(Conditions::from)
                .collect(),
        }
    }
}

/// References become ids.
pub(super) fn transition(row: TransitionRow, id: &impl Fn(String) -> String) -> Transition {
    let from = row.links.into_iter();
    let from = from.filter_map(|link| link.from_status_reference).map(id);
    Transition {
        start: match row.kind.as_str() {
            "INITIAL" => Start::Initial,
            "GLOBAL" => Start::Anywhere,
            _ => Start::In(from.collect()),
        },
        id: row.id,
        name: row.name,
        to: row.to_status_reference.map(id),
        conditions: row.conditions.map(Conditions::from).unwrap_or_default(),
        validators: row.validators.into_iter().map(Rule::from).collect(),
        actions: row.actions.into_iter().map(Rule::from).collect(),
        screen: row.transition_screen.map(Rule::from),
    }
}

pub(super) fn library(answered: Answered) -> Library {
    let ids: BTreeMap<String, String> = answered
        .statuses
        .iter()
        .map(|row| (row.status_reference.clone(), row.id.clone()))
        .collect();
    let id = |reference: String| ids.get(&reference).cloned().unwrap_or(reference);
    let workflows = answered.workflows.into_iter().map(|row| {
        let places = row.statuses.into_iter().map(|place| Placed {
            status: id(place.status_reference),
            properties: place.properties,
            layout: place.layout,
        });
        let workflow = Workflow {
            statuses: places.collect(),
            transitions: row
                .transitions
                .into_iter()
                .map(|row| transition(row, &id))
                .collect(),
            id: row.id,
            name: row.name,
            description: row.description.unwrap_or_default(),
            version: row.version,
        };
        (workflow.name.clone(), workflow)
    });
    let workflows = workflows.collect();
    let statuses = answered.statuses.into_iter();
    Library {
        workflows,
        statuses: statuses.map(|row| (row.id.clone(), row.into())).collect(),
    }
}

/// A status is known by a UUID of ours in a request, also when it exists (measured on Jira Cloud): the same for the same
/// name, so that the same workflow is the same request.
pub(super) fn reference(status: &str) -> String {
    let hash = Sha256::digest(status.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

pub(super) fn rule_json(rule: &Rule) -> Value {
    json!({"ruleKey": rule.key, "parameters": rule.parameters})
}

pub(super) fn conditions_json(conditions: &Conditions) -> Value {
    let rules: Vec<Value> = conditions.rules.iter().map(rule_json).collect();
    let groups: Vec<Value> = conditions.groups.iter().map(conditions_json).collect();
    let operation = if conditions.any { "ANY" } else { "ALL" };
    json!({"operation": operation, "conditions": rules, "conditionGroups": groups})
}

/// An initial transition takes no conditions (measured on Jira Cloud).
pub(super) fn transition_json(transition: &Transition) -> Value {
    let (kind, from) = match &transition.start {
        Start::Initial => ("INITIAL", BTreeSet::new()),
        Start::Anywhere => ("GLOBAL", BTreeSet::new()),
        Start::In(statuses) => ("DIRECTED", statuses.clone()),
    };
    let links: Vec<Value> = from
        .iter()
        .map(|status| json!({ "fromStatusReference": reference(status) }))
        .collect();
    let rules = |rules: &[Rule]| rules.iter().map(rule_json).collect::<Vec<_>>();
    let mut body = json!({
        "id": transition.id, "name": transition.name, "description": "", "type": kind, "links": links,
        "validators": rules(&transition.validators), "actions": rules(&transition.actions), "triggers": [],
        "properties": {},
    });
    if let Some(to) = &transition.to {
        body["toStatusReference"] = json!(reference(to));
    }
    if !transition.conditions.is_empty() {
        body["conditions"] = conditions_json(&transition.conditions);
    }
    if let Some(screen) = &transition.screen {
        body["transitionScreen"] = rule_json(screen);
    }
    body
}

impl Sent {
    pub(super) fn statuses_json(&self) -> Value {
        let rows = self.statuses.iter().map(|status| {
            let category = match status.category {
                Category::Todo => "TODO",
                Category::InProgress => "IN_PROGRESS",
                Category::Done => "DONE",
            };
            let mut row = json!({
                "name": status.name, "description": status.description, "statusCategory": category,
                "statusReference": reference(&status.name),
            });
            if !status.id.is_empty() {
                row["id"] = json!(status.id);
            }
            row
        });
        rows.collect()
    }

    /// The members that a create and an update share.
    pub(super) fn body(&self) -> Map<String, Value> {
        let places = self.places.iter().map(|place| {
            let mut row = json!({
                "statusReference": reference(&place.status), "properties": place.properties,
            });
            if let Some(layout) = &place.layout {
                row["layout"] = layout.clone();
            }
            row
        });
        let places: Value = places.collect();
        let transitions: Value = self.transitions.iter().map(transition_json).collect();
        Map::from_iter([
            ("description".to_owned(), json!(self.description)),
            ("statuses".to_owned(), places),
            ("transitions".to_owned(), transitions),
        ])
    }

    pub(super) fn create(&self) -> Value {
        let mut workflow = self.body();
        workflow.insert("name".to_owned(), json!(self.name));
        json!({
            "scope": {"type": "GLOBAL"}, "statuses": self.statuses_json(), "workflows": [workflow],
        })
    }

    pub(super) fn update(&self, of: &Workflow) -> Value {
        let mut workflow = self.body();
        workflow.insert("id".to_owned(), json!(of.id));
        workflow.insert("version".to_owned(), json!(of.version));
        if !self.moved.is_empty() {
            let rows: Value = self
                .moved
                .iter()
                .map(|(old, new)| {
                    json!({"oldStatusReference": old, "newStatusReference": reference(new)})
                })
                .collect();
            workflow.insert("defaultStatusMappings".to_owned(), rows);
        }
        json!({"statuses": self.statuses_json(), "workflows": [workflow]})
    }
}
