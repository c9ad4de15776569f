//! GetFindings filters and their combination rules (Security Hub API: `AwsSecurityFindingFilters`, `StringFilter`,
//! `MapFilter`, `DateFilter`, `NumberFilter`, `IpFilter`).
//!
//! Attributes are ANDed. Of one attribute, the values that must be there are ORed, those that must not are ANDed.

mod attributes;
mod compare;

use std::cell::OnceCell;

use jiff::Timestamp;
use serde_json::Value;

use super::findings::Version;
use attributes::{Attribute, Kind, named};

/// Why filters are refused.
pub(super) enum Refused {
    /// `InvalidInputException`.
    Invalid(String),
    /// A filter of the real API that this emulator does not know: 501.
    Unknown(String),
}

/// Checked filters.
pub(super) struct Filters<'a> {
    conditions: Vec<(&'static Attribute, &'a [Value])>,
}

/// Most attributes in one request, and most values of one attribute (Security Hub API: GetFindings).
const MOST_ATTRIBUTES: usize = 10;
const MOST_VALUES: usize = 20;

impl<'a> Filters<'a> {
    /// Checks names, limits, values and which comparisons may stand together.
    pub(super) fn check(filters: &'a Value, contains: bool) -> Result<Self, Refused> {
        let mut conditions = Vec::new();
        for (name, values) in filters.as_object().into_iter().flatten() {
            let Some(attribute) = named(name) else {
                return Err(Refused::Invalid(format!("Filters has no attribute {name}")));
            };
            let Some(values) = values.as_array() else {
                return Err(Refused::Invalid(format!("Filters.{name} should be a list")));
            };
            if values.is_empty() {
                continue;
            }
            if values.len() > MOST_VALUES {
                return Err(Refused::Invalid(format!(
                    "Filters.{name} should NOT have more than {MOST_VALUES} values, got {}",
                    values.len()
                )));
            }
            if attribute.1 == Kind::Keyword {
                return Err(Refused::Unknown(format!(
                    "this emulator does not know the filter {name}: AWS deprecated it and does not say what it compares"
                )));
            }
            for (n, value) in values.iter().enumerate() {
                compare::check(attribute.1, value, contains)
                    .map_err(|why| Refused::Invalid(format!("Filters.{name}[{n}] {why}")))?;
            }
            compare::go_together(attribute.1, values)
                .map_err(|why| Refused::Invalid(format!("Filters.{name}: {why}")))?;
            conditions.push((attribute, values.as_slice()));
        }
        if conditions.len() > MOST_ATTRIBUTES {
            return Err(Refused::Invalid(format!(
                "Filters should NOT have more than {MOST_ATTRIBUTES} attributes, got {}",
                conditions.len()
            )));
        }
        // What is known without reading the document goes first.
        conditions.sort_by_key(|((_, _, path), _)| !super::findings::FACTS.contains(path));
        Ok(Filters { conditions })
    }

    /// Whether a finding passes.
    pub(super) fn matches(&self, version: &Version, now: Timestamp) -> bool {
        let seen = Seen::new(version);
        self.conditions
            .iter()
            .all(|(attribute, values)| condition(attribute, values, &seen, now))
    }

    /// The values of a text attribute of which one must be met exactly, if the filters ask for that.
    pub(super) fn exactly(&self, name: &str) -> Option<Vec<&'a str>> {
        let (_, values) = self
            .conditions
            .iter()
            .find(|((known, ..), _)| *known == name)?;
        let wanted = values.iter().map(|value| {
            let equals = value["Comparison"].as_str().unwrap_or("EQUALS") == "EQUALS";
            equals.then(|| value["Value"].as_str()).flatten()
        });
        wanted.collect()
    }

    /// The earliest `UpdatedAt` that can pass, if the filters name one.
    pub(super) fn updated_since(&self, now: Timestamp) -> Option<Timestamp> {
        let (_, values) = self
            .conditions
            .iter()
            .find(|((name, ..), _)| *name == "UpdatedAt")?;
        let bounds: Option<Vec<Timestamp>> = values
            .iter()
            .map(|value| compare::earliest(value, now))
            .collect();
        bounds?.into_iter().min()
    }
}

fn condition(attribute: &Attribute, values: &[Value], seen: &Seen, now: Timestamp) -> bool {
    let (_, kind, path) = *attribute;
    match kind {
        Kind::Text => seen.texts(path, |found| compare::texts(values, found)),
        Kind::Date if path == "/UpdatedAt" => {
            let at = seen.version.updated;
            values.iter().any(|value| compare::date(value, at, now))
        }
        Kind::Date => seen.texts(path, |found| {
            let mut times = found.iter().filter_map(|text| super::moment::parse(text));
            times.any(|at| {
                values
                    .iter()
                    .any(|value| compare::date(value, Some(at), now))
            })
        }),
        Kind::Number => {
            let numbers = seen.values(path);
            let mut numbers = numbers.iter().filter_map(|number| number.as_f64());
            numbers.any(|number| values.iter().any(|value| compare::number(value, number)))
        }
        Kind::Address => seen.texts(path, |found| compare::addresses(values, found)),
        Kind::Map => compare::maps(values, &seen.values(path)),
        Kind::Flag => {
            let flag = seen.document()["Sample"].as_bool().unwrap_or(false);
            values
                .iter()
                .any(|value| value["Value"].as_bool() == Some(flag))
        }
        Kind::Keyword => false,
    }
}

/// A finding that is looked at: its document is read only when a question needs it.
pub(super) struct Seen<'a> {
    version: &'a Version,
    document: OnceCell<Value>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(version: &'a Version) -> Self {
        Seen {
            version,
            document: OnceCell::new(),
        }
    }

    fn document(&self) -> &Value {
        self.document.get_or_init(|| self.version.asff())
    }

    fn texts<T>(&self, path: &str, ask: impl FnOnce(&[&str]) -> T) -> T {
        if let Some(fact) = self.version.fact(path) {
            return ask(fact.as_slice());
        }
        let found: Vec<&str> = self
            .values(path)
            .into_iter()
            .filter_map(Value::as_str)
            .collect();
        ask(&found)
    }

    fn values(&self, path: &str) -> Vec<&Value> {
        values(self.document(), path)
    }

    /// What a listing sorts by: a number or a text; nothing for an attribute that is no such thing.
    pub(super) fn sort_key(&self, attribute: &str) -> SortKey {
        let path = named(attribute).map_or_else(
            || format!("/{}", attribute.replace('.', "/")),
            |found| found.2.to_owned(),
        );
        let known = self.version.fact(&path).flatten();
        if let Some(text) = known {
            return SortKey::Text(text.to_owned());
        }
        let first = self.values(&path).first().copied();
        match first {
            Some(Value::Number(number)) => SortKey::Number(number.as_f64().unwrap_or(0.0)),
            Some(Value::String(text)) => SortKey::Text(text.clone()),
            _ => SortKey::Absent,
        }
    }
}

/// Whether a listing can be sorted by a name: a filter attribute.
pub(super) fn can_sort_by(name: &str) -> bool {
    named(name).is_some_and(|(_, kind, _)| !matches!(kind, Kind::Map | Kind::Keyword))
}

/// What a listing sorts by.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(super) enum SortKey {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Last in ascending order.
    Absent,
}

/// The values at a path; `*` stands for every element of a list.
fn values<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    match path.split_once("/*") {
        Some((head, tail)) => {
            let list = value.pointer(head).and_then(Value::as_array);
            let inner = list.into_iter().flatten();
            inner.flat_map(|item| values(item, tail)).collect()
        }
        None => value.pointer(path).into_iter().collect(),
    }
}
