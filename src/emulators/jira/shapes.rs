//! Do the answers fit Atlassian's own OpenAPI document? Every answer of every story is checked, and one story asks every
//! operation.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::Answered;
use super::route::operations;
use super::stories::{Site, every};

/// Operations that the document does not have: they are documented elsewhere.
const ELSEWHERE: [&str; 6] = [
    "GET /_edge/tenant_info",
    "GET /rest/webhooks/1.0/webhook",
    "POST /rest/webhooks/1.0/webhook",
    "GET /rest/webhooks/1.0/webhook/{id}",
    "PUT /rest/webhooks/1.0/webhook/{id}",
    "DELETE /rest/webhooks/1.0/webhook/{id}",
];

/// Answers for which the document's example, or a recorded answer, contradicts its schema.
const CONTRADICTED: [(&str, u16); 1] = [("GET /rest/api/3/bulk/queue/{taskId}", 400)];

/// A validator for each operation and status; none where the document has no schema.
type Made = BTreeMap<(String, u16), Option<Arc<Validator>>>;

/// The document, and the validators that were made from it.
struct Shapes {
    paths: Value,
    components: Value,
    made: Mutex<Made>,
}

fn shapes() -> &'static Shapes {
    static SHAPES: OnceLock<Shapes> = OnceLock::new();
    SHAPES.get_or_init(read)
}

/// The part of the document that `fixtures/README.md` describes.
fn read() -> Shapes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/jira-openapi.json");
    let text = std::fs::read_to_string(path).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let mut components = json!({"schemas": document["components"]["schemas"].take()});
    to_json_schema(&mut components);
    widen(&mut components["schemas"]);
    let mut paths = document["paths"].take();
    to_json_schema(&mut paths);
    Shapes {
        paths,
        components,
        made: Mutex::default(),
    }
}

/// OpenAPI 3.0 to JSON Schema: `nullable` becomes a type, dates may be numbers (Jira's examples of bulk tasks are).
fn to_json_schema(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(to_json_schema);
            let is_nullable = object.remove("nullable") == Some(json!(true));
            if let Some(Value::String(kind)) = object.get("type").cloned() {
                let mut kinds = vec![kind.clone()];
                if is_nullable {
                    kinds.push("null".into());
                }
                if kind == "string" && object.get("format") == Some(&json!("date-time")) {
                    kinds.push("integer".into());
                }
                object.insert("type".into(), json!(kinds));
            }
            for noise in ["xml", "example", "format"] {
                if object
                    .get(noise)
                    .is_some_and(|inner| !inner.is_object() || noise == "xml")
                {
                    object.remove(noise);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(to_json_schema),
        _ => {}
    }
}

/// Where Jira's recorded answers, or the examples in the document itself, disagree with its schemas.
fn widen(schemas: &mut Value) {
    // Values of a change may be null.
    let change = schemas["ChangeDetails"]["properties"]
        .as_object_mut()
        .unwrap();
    for property in change.values_mut() {
        property["type"] = json!(["string", "null"]);
    }
}

impl Shapes {
    /// The schema of an operation's answer, if the document gives one for the status.
    fn validator(&self, operation: &str, status: u16) -> Option<Arc<Validator>> {
        let mut made = self.made.lock().unwrap();
        let key = (operation.to_owned(), status);
        if let Some(known) = made.get(&key) {
            return known.clone();
        }
        let (method, path) = operation.split_once(' ').unwrap();
        let answers = &self.paths[path][method.to_lowercase()]["responses"];
        let content = &answers[status.to_string()]["content"]["application/json"];
        let schema = content.get("schema").map(|schema| {
            let mut schema: Map<String, Value> = schema.as_object().unwrap().clone();
            schema.insert("components".into(), self.components.clone());
            Arc::new(jsonschema::validator_for(&Value::Object(schema)).unwrap())
        });
        made.insert(key, schema.clone());
        schema
    }

    /// What does not fit.
    fn errors(&self, operation: &str, status: u16, body: &Value) -> Vec<String> {
        let validator = self.validator(operation, status);
        let Some(validator) = validator else {
            return Vec::new();
        };
        validator
            .iter_errors(body)
            .map(|error| format!("{operation} {status} at {}: {error}", error.instance_path()))
            .collect()
    }

    /// The document's name of an operation: its parameters are called otherwise in version 2.
    fn has(&self, operation: &str) -> bool {
        let (method, path) = operation.split_once(' ').unwrap();
        self.paths[path][method.to_lowercase()].is_object()
    }
}

/// Checks one answer.
pub(super) fn check(answered: &Answered) {
    let shapes = shapes();
    let operation = answered.operation.as_str();
    let status = answered.response.status().as_u16();
    let is_contradicted = CONTRADICTED.contains(&(operation, status));
    if !operation.contains("/rest/api/3/") || answered.dropped || is_contradicted {
        return;
    }
    let Ok(body) = serde_json::from_slice::<Value>(answered.response.body()) else {
        return;
    };
    let errors = shapes.errors(operation, status, &body);
    assert!(errors.is_empty(), "{}\n{body}", errors.join("\n"));
}

#[test]
fn wrong_types_and_unknown_members_are_noticed() {
    let shapes = shapes();
    for wrong in [json!({"accountId": 5}), json!({"nonsense": "x"})] {
        let found = shapes.errors("GET /rest/api/3/myself", 200, &wrong);
        assert_eq!(found.len(), 1, "{wrong}");
    }
    let task = json!({"id": "1"});
    assert!(
        !shapes
            .errors("GET /rest/api/3/task/{taskId}", 200, &task)
            .is_empty()
    );
}

#[test]
fn every_operation_is_in_the_document_and_answers_as_it_says() {
    let shapes = shapes();
    let all: BTreeSet<String> = operations().into_iter().collect();
    let unknown: Vec<&String> = all
        .iter()
        .filter(|operation| !ELSEWHERE.contains(&operation.as_str()) && !shapes.has(operation))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let mut site = Site::new();
    let asked: BTreeSet<String> = every::operation(&mut site).into_iter().collect();
    let silent: Vec<&String> = all.difference(&asked).collect();
    assert!(silent.is_empty(), "never asked with success: {silent:?}");
}
