//! Advanced queries: the documented subset of SQL over current configuration items (AWS Config developer guide, "Query
//! components", "Limitations"). What the guide names as unsupported is refused; what it leaves open is 501.

mod evaluate;
mod parse;
mod query;
mod words;

use serde_json::{Map, Value, json};

use super::documents::seconds;
use super::resources::{Resource, State};
pub(super) use parse::parse;
pub(super) use query::Query;
use query::{Condition, Direction, Field, Function};

/// Why an expression is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// `InvalidExpressionException`.
    Invalid(String),
    /// Something that AWS may allow and this emulator does not know: 501.
    Unknown(String),
}

/// "The scalar properties returned" by `SELECT *`.
const SCALARS: [&str; 10] = [
    "accountId",
    "awsRegion",
    "arn",
    "availabilityZone",
    "configurationItemCaptureTime",
    "resourceCreationTime",
    "resourceId",
    "resourceName",
    "resourceType",
    "version",
];

/// The document that a query looks at.
pub(super) fn document(resource: &Resource, state: &State) -> Value {
    let item = &resource.item;
    let tags: Vec<Value> = resource
        .tags
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": value, "tag": format!("{key}={value}") }))
        .collect();
    let mut found = json!({
        "accountId": item.account,
        "awsRegion": item.region,
        "arn": item.arn,
        "availabilityZone": "Not Applicable",
        "configurationItemCaptureTime": state.at.to_string(),
        "configurationItemStatus": state.status,
        "configurationStateId": seconds(state.at),
        "resourceId": item.id,
        "resourceType": item.kind,
        "version": "1.3",
        "tags": tags,
        "relationships": [],
        "configuration": state.configuration,
    });
    if let Some(name) = &resource.name {
        found["resourceName"] = json!(name);
    }
    if let Some(created) = resource.created_at {
        found["resourceCreationTime"] = json!(created.to_string());
    }
    found
}

impl Query {
    /// The names in the answer's `QueryInfo`.
    pub(super) fn fields(&self) -> Vec<String> {
        self.fields
            .iter()
            .flat_map(|field| match field {
                Field::All => SCALARS.map(str::to_owned).to_vec(),
                other => vec![other.name()],
            })
            .collect()
    }

    /// The ARNs that alone can match, if the condition is no more than a list of them.
    pub(super) fn arns(&self) -> Option<Vec<&str>> {
        match &self.condition {
            Some(Condition::In(path, values)) if path == "arn" => {
                let mut arns: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                arns.sort_unstable();
                arns.dedup();
                Some(arns)
            }
            Some(Condition::Equals(path, Value::String(arn))) if path == "arn" => {
                Some(vec![arn.as_str()])
            }
            _ => None,
        }
    }

    /// Whether a document passes the condition.
    pub(super) fn matches(&self, document: &Value) -> bool {
        self.condition
            .as_ref()
            .is_none_or(|condition| evaluate::holds(condition, document))
    }

    /// The rows: of each document, or of each group.
    pub(super) fn answer(&self, mut found: Vec<Value>) -> Vec<Value> {
        if self.aggregates() {
            let mut rows = self.grouped(&found);
            evaluate::sort(&mut rows, &self.order);
            return rows;
        }
        evaluate::sort(&mut found, &self.order);
        found.iter().map(|document| self.row(document)).collect()
    }

    fn aggregates(&self) -> bool {
        !self.group.is_empty() || self.fields.iter().any(|f| matches!(f, Field::Call(..)))
    }

    /// Properties that a document lacks are left out.
    fn row(&self, document: &Value) -> Value {
        let mut row = Value::Object(Map::new());
        for field in &self.fields {
            match field {
                Field::All => {
                    for name in SCALARS {
                        evaluate::place(&mut row, name, &document[name]);
                    }
                }
                Field::Property(path) => {
                    evaluate::place(&mut row, path, &evaluate::whole(document, path));
                }
                Field::Call(..) => {}
            }
        }
        row
    }

    fn grouped(&self, found: &[Value]) -> Vec<Value> {
        let mut groups: Vec<(Vec<Value>, Vec<&Value>)> = Vec::new();
        for document in found {
            let key: Vec<Value> = self
                .group
                .iter()
                .map(|path| evaluate::whole(document, path))
                .collect();
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, members)) => members.push(document),
                None => groups.push((key, vec![document])),
            }
        }
        if groups.is_empty() && self.group.is_empty() {
            groups.push((Vec::new(), Vec::new()));
        }
        groups
            .iter()
            .map(|(key, members)| {
                let mut row = Value::Object(Map::new());
                for (path, value) in self.group.iter().zip(key) {
                    evaluate::place(&mut row, path, value);
                }
                for field in &self.fields {
                    if let Field::Call(function, path) = field {
                        row[field.name()] = aggregate(*function, path, members);
                    }
                }
                row
            })
            .collect()
    }
}

fn aggregate(function: Function, path: &str, members: &[&Value]) -> Value {
    let numbers = || {
        let values = members.iter().flat_map(|m| evaluate::values(m, path));
        let numbers: Vec<f64> = values.filter_map(Value::as_f64).collect();
        numbers
    };
    match function {
        Function::Count if path == "*" => json!(members.len()),
        Function::Count => {
            let has = |m: &&&Value| !evaluate::values(m, path).is_empty();
            json!(members.iter().filter(has).count())
        }
        Function::Sum => json!(numbers().iter().sum::<f64>()),
        Function::Avg => {
            let all = numbers();
            #[allow(clippy::cast_precision_loss)]
            let count = all.len() as f64;
            if all.is_empty() {
                Value::Null
            } else {
                json!(all.iter().sum::<f64>() / count)
            }
        }
        Function::Min => json!(numbers().into_iter().reduce(f64::min)),
        Function::Max => json!(numbers().into_iter().reduce(f64::max)),
    }
}

/// Whether an order descends.
fn descends(direction: Direction) -> bool {
    direction == Direction::Descending
}
