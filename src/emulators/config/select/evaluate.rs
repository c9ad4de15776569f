//! Conditions and orders over documents. Of a list of objects every element is looked at ("Multiple properties within an
//! array").

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::query::{Condition, Direction};

/// Whether a condition holds for a document.
pub(super) fn holds(condition: &Condition, document: &Value) -> bool {
    match condition {
        Condition::And(a, b) => holds(a, document) && holds(b, document),
        Condition::Or(a, b) => holds(a, document) || holds(b, document),
        Condition::Not(inner) => !holds(inner, document),
        Condition::Equals(path, wanted) => any(document, path, |value| equal(value, wanted)),
        Condition::In(path, wanted) => any(document, path, |value| {
            wanted.iter().any(|wanted| equal(value, wanted))
        }),
        Condition::Between(path, low, high) => any(document, path, |value| {
            compare(value, low) != Some(Ordering::Less)
                && compare(value, high) != Some(Ordering::Greater)
                && compare(value, low).is_some()
        }),
        Condition::Ordered(path, sign, bound) => any(document, path, |value| {
            match (compare(value, bound), *sign) {
                (Some(order), "<") => order == Ordering::Less,
                (Some(order), ">") => order == Ordering::Greater,
                (Some(order), "<=") => order != Ordering::Greater,
                (Some(order), ">=") => order != Ordering::Less,
                _ => false,
            }
        }),
        Condition::Like(path, head, one) => any(document, path, |value| {
            let rest = value
                .as_str()
                .and_then(|text| text.strip_prefix(head.as_str()));
            rest.is_some_and(|rest| !*one || rest.chars().count() == 1)
        }),
    }
}

fn any(document: &Value, path: &str, test: impl Fn(&Value) -> bool) -> bool {
    values(document, path).into_iter().any(test)
}

/// A number equals its text.
fn equal(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::String(text), Value::Number(number))
        | (Value::Number(number), Value::String(text)) => {
            text.parse::<f64>().ok() == number.as_f64()
        }
        (Value::Bool(a), Value::String(b)) => a.to_string() == *b,
        _ => value == wanted,
    }
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::String(text), Value::Number(number)) => {
            text.parse::<f64>().ok()?.partial_cmp(&number.as_f64()?)
        }
        (Value::Number(number), Value::String(text)) => {
            number.as_f64()?.partial_cmp(&text.parse::<f64>().ok()?)
        }
        _ => None,
    }
}

/// The values at a dotted path, through lists on the way.
pub(super) fn values<'a>(document: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![document];
    for name in path.split('.') {
        found = found
            .into_iter()
            .flat_map(flat)
            .filter_map(|value| value.get(name))
            .collect();
    }
    found
        .into_iter()
        .flat_map(flat)
        .filter(|value| !value.is_null())
        .collect()
}

fn flat(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

/// The value at a dotted path as it is selected: one, or a list of what the elements of lists have.
pub(super) fn whole(document: &Value, path: &str) -> Value {
    if let Some(value) = document.pointer(&format!("/{}", path.replace('.', "/"))) {
        return value.clone();
    }
    match values(document, path).as_slice() {
        [] => Value::Null,
        several => json!(several),
    }
}

/// Puts a value under a dotted path; nothing where there is none.
pub(super) fn place(row: &mut Value, path: &str, value: &Value) {
    if value.is_null() {
        return;
    }
    let mut target = row;
    for name in path.split('.') {
        if !target.is_object() {
            *target = Value::Object(Map::new());
        }
        target = &mut target[name];
    }
    *target = value.clone();
}

/// Sorts by several properties; what lacks one comes last.
pub(super) fn sort(rows: &mut [Value], order: &[(String, Direction)]) {
    rows.sort_by(|a, b| {
        order
            .iter()
            .fold(Ordering::Equal, |so_far, (path, direction)| {
                so_far.then_with(|| {
                    let key = |row: &Value| match row.get(path) {
                        Some(value) => value.clone(),
                        None => whole(row, path),
                    };
                    let (a, b) = (key(a), key(b));
                    let found = match (a.is_null(), b.is_null()) {
                        (false, false) => compare(&a, &b).unwrap_or(Ordering::Equal),
                        (a_lacks, b_lacks) => return a_lacks.cmp(&b_lacks),
                    };
                    if super::descends(*direction) {
                        found.reverse()
                    } else {
                        found
                    }
                })
            })
    });
}
