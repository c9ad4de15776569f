//! Statuses, resolutions and workflows: read, validated, created, replaced.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::model::workflow::{
    Category, Conditions, Placed, Rule, Start, Status, Transition, Version, Workflow,
};
use crate::wire::error::WireError;
use crate::wire::http::Request;

use super::{JiraAdmin, decode};

/// Statuses on a page; Jira's default and, as far as documented, largest.
const STATUSES: usize = 200;
/// Resolutions on a page.
const RESOLUTIONS: usize = 50;
/// Workflows read at once; Jira names no limit.
const WORKFLOWS: usize = 25;

/// Workflows with the statuses that they use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Library {
    /// By name.
    pub workflows: BTreeMap<String, Workflow>,
    /// By id.
    pub statuses: BTreeMap<String, Status>,
}

/// A workflow as it is to be: statuses and transitions by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Its statuses; those with an id exist.
    pub statuses: Vec<Status>,
    /// How each stands in the workflow, by name.
    pub places: Vec<Placed>,
    /// Its transitions.
    pub transitions: Vec<Transition>,
    /// Where tickets go whose status it does not have any more: old status id, new status name.
    pub moved: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusRow {
    #[serde(default)]
    id: String,
    #[serde(default)]
    status_reference: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: Option<String>,
    status_category: String,
    scope: Option<Scope>,
}

#[derive(Deserialize)]
struct Scope {
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusPage {
    values: Vec<StatusRow>,
    #[serde(default)]
    is_last: bool,
}

#[derive(Deserialize)]
struct ResolutionRow {
    id: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResolutionPage {
    values: Vec<ResolutionRow>,
    #[serde(default)]
    is_last: bool,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    statuses: Vec<StatusRow>,
    #[serde(default)]
    workflows: Vec<WorkflowRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    task_id: Option<String>,
}

#[derive(Deserialize)]
struct WorkflowRow {
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    version: Version,
    #[serde(default)]
    statuses: Vec<PlaceRow>,
    #[serde(default)]
    transitions: Vec<TransitionRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlaceRow {
    status_reference: String,
    #[serde(default)]
    properties: BTreeMap<String, String>,
    layout: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TransitionRow {
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default, deserialize_with = "or_empty")]
    links: Vec<LinkRow>,
    to_status_reference: Option<String>,
    conditions: Option<GroupRow>,
    #[serde(default, deserialize_with = "or_empty")]
    validators: Vec<RuleRow>,
    #[serde(default, deserialize_with = "or_empty")]
    actions: Vec<RuleRow>,
    transition_screen: Option<RuleRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LinkRow {
    from_status_reference: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupRow {
    #[serde(default)]
    operation: String,
    #[serde(default, deserialize_with = "or_empty")]
    conditions: Vec<RuleRow>,
    #[serde(default, deserialize_with = "or_empty")]
    condition_groups: Vec<GroupRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleRow {
    rule_key: String,
    #[serde(default)]
    parameters: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Validated {
    #[serde(default)]
    errors: Vec<Flaw>,
}

#[derive(Deserialize)]
struct Flaw {
    #[serde(default)]
    level: String,
    #[serde(default)]
    message: String,
}

/// A list that may be `null`.
fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
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
fn transition(row: TransitionRow, id: &impl Fn(String) -> String) -> Transition {
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

fn library(answered: Answered) -> Library {
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
fn reference(status: &str) -> String {
    let hash = Sha256::digest(status.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn rule_json(rule: &Rule) -> Value {
    json!({"ruleKey": rule.key, "parameters": rule.parameters})
}

fn conditions_json(conditions: &Conditions) -> Value {
    let rules: Vec<Value> = conditions.rules.iter().map(rule_json).collect();
    let groups: Vec<Value> = conditions.groups.iter().map(conditions_json).collect();
    let operation = if conditions.any { "ANY" } else { "ALL" };
    json!({"operation": operation, "conditions": rules, "conditionGroups": groups})
}

/// An initial transition takes no conditions (measured on Jira Cloud).
fn transition_json(transition: &Transition) -> Value {
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
    fn statuses_json(&self) -> Value {
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
    fn body(&self) -> Map<String, Value> {
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

    fn create(&self) -> Value {
        let mut workflow = self.body();
        workflow.insert("name".to_owned(), json!(self.name));
        json!({
            "scope": {"type": "GLOBAL"}, "statuses": self.statuses_json(), "workflows": [workflow],
        })
    }

    fn update(&self, of: &Workflow) -> Value {
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

impl JiraAdmin {
    /// The statuses that company-managed projects share.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn shared_statuses(&self) -> Result<Vec<Status>, WireError> {
        let (mut found, mut start) = (Vec::new(), 0);
        loop {
            let request = Request::new(Method::GET, "/rest/api/3/statuses/search")
                .with("startAt", start)
                .with("maxResults", STATUSES);
            let page: StatusPage = self
                .get(
                    "GET /rest/api/3/statuses/search",
                    "read the statuses",
                    request,
                )
                .await?;
            start += page.values.len();
            let last = page.is_last || page.values.is_empty();
            let shared = page.values.into_iter().filter(|row| {
                row.scope
                    .as_ref()
                    .is_none_or(|scope| scope.kind != "PROJECT")
            });
            found.extend(shared.map(Status::from));
            if last {
                return Ok(found);
            }
        }
    }

    /// Resolutions: name to id.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn resolutions(&self) -> Result<BTreeMap<String, String>, WireError> {
        let (mut found, mut start) = (BTreeMap::new(), 0);
        loop {
            let request = Request::new(Method::GET, "/rest/api/3/resolution/search")
                .with("startAt", start)
                .with("maxResults", RESOLUTIONS);
            let page: ResolutionPage = self
                .get(
                    "GET /rest/api/3/resolution/search",
                    "read the resolutions",
                    request,
                )
                .await?;
            start += page.values.len();
            let last = page.is_last || page.values.is_empty();
            found.extend(page.values.into_iter().map(|row| (row.name, row.id)));
            if last {
                return Ok(found);
            }
        }
    }

    /// Creates a resolution and gives its id.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn create_resolution(&self, name: &str) -> Result<String, WireError> {
        let what = format!("create the resolution {name}");
        let request = Request::new(Method::POST, "/rest/api/3/resolution")
            .json(json!({"name": name, "description": ""}));
        let answer = self
            .write("POST /rest/api/3/resolution", what.clone(), request)
            .await?;
        let row: ResolutionRow = decode(&answer, &what)?;
        Ok(row.id)
    }

    /// Workflows by name; one that is not there is left out.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn workflows(&self, names: &BTreeSet<&str>) -> Result<Library, WireError> {
        let names: Vec<&str> = names.iter().copied().collect();
        let mut found = Library::default();
        for some in names.chunks(WORKFLOWS) {
            let answered: Answered = self
                .ask(
                    "POST /rest/api/3/workflows",
                    format!("read {} workflows", some.len()),
                    json!({ "workflowNames": some }),
                )
                .await?;
            let read = library(answered);
            found.workflows.extend(read.workflows);
            found.statuses.extend(read.statuses);
        }
        Ok(found)
    }

    /// Creates a workflow with the statuses that are new, after Jira has validated it.
    ///
    /// # Errors
    /// [`WireError`]; what Jira finds wrong with it is [`WireError::Refused`].
    pub async fn create_workflow(&self, workflow: &Sent) -> Result<(), WireError> {
        let what = format!("create the workflow {}", workflow.name);
        let body = workflow.create();
        let name = "POST /rest/api/3/workflows/create/validation";
        self.validate(name, &what, &body).await?;
        let request = Request::new(Method::POST, "/rest/api/3/workflows/create").json(body);
        self.write("POST /rest/api/3/workflows/create", what, request)
            .await
            .map(drop)
    }

    /// Replaces a workflow, after Jira has validated it, and waits until tickets are where they belong.
    ///
    /// # Errors
    /// [`WireError`]; 409 when somebody has changed it since it was read.
    pub async fn update_workflow(&self, workflow: &Sent, of: &Workflow) -> Result<(), WireError> {
        let what = format!("change the workflow {}", workflow.name);
        let body = workflow.update(of);
        let name = "POST /rest/api/3/workflows/update/validation";
        self.validate(name, &what, &body).await?;
        let request = Request::new(Method::POST, "/rest/api/3/workflows/update").json(body);
        let answer = self
            .write("POST /rest/api/3/workflows/update", what.clone(), request)
            .await?;
        let written: Written = decode(&answer, &what)?;
        match written.task_id {
            Some(task) => self.follow(&task, &what).await,
            None => Ok(()),
        }
    }

    async fn validate(
        &self,
        name: &'static str,
        what: &str,
        body: &Value,
    ) -> Result<(), WireError> {
        let payload = json!({"payload": body, "validationOptions": {"levels": ["ERROR"]}});
        let validated: Validated = self
            .ask(name, format!("{what} (validation)"), payload)
            .await?;
        let errors = validated.errors.iter();
        let errors: Vec<&str> = errors
            .filter(|flaw| flaw.level != "WARNING")
            .map(|flaw| flaw.message.as_str())
            .collect();
        if errors.is_empty() {
            return Ok(());
        }
        Err(WireError::Refused {
            what: what.to_owned(),
            status: 400,
            code: None,
            message: crate::wire::http::plain(&errors.join("; "), 1_000),
        })
    }
}
