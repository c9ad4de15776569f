//! From the text of files to rules. Every rule is read by itself, so that one mistake hides no other.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use toml_edit::{Document, Item, Value};

use super::problem::{Kind, Problem};
use super::values::one_rule;
use super::written::RuleAsWritten;
use super::{FILE_BYTES_MAX, Placed, RuleFile, Rules};
use crate::caret;
use crate::model::IgnoreRule;

const DESCRIBED: &str = "`asaf ignore schema` describes every key";

/// Reads files and checks each rule by itself. [`super::check::together`] looks at all of them.
pub fn parse(mut files: Vec<RuleFile>) -> Rules {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut read = Rules {
        files,
        ..Rules::default()
    };
    for index in 0..read.files.len() {
        let file = read.files[index].clone();
        parse_file(index, &file, &mut read);
    }
    read
}

fn parse_file(index: usize, file: &RuleFile, read: &mut Rules) {
    if file.text.len() > FILE_BYTES_MAX {
        let message = "the file is larger than 1 MiB; split it".to_owned();
        let problem = Problem::new(file, None, Kind::File, message, None);
        return read.problems.push(problem);
    }
    let document = match Document::parse(file.text.as_str()) {
        Ok(document) => document,
        Err(error) => {
            return read
                .problems
                .push(syntax(file, error.message(), error.span()));
        }
    };
    for (key, item) in document.as_table() {
        match (key, items(item)) {
            ("ignore", Some(rules)) => {
                for rule in rules {
                    parse_rule(index, file, &rule, read);
                }
            }
            ("ignore", None) => {
                let message = "rules stand in tables of their own".to_owned();
                let help = Some("write `[[ignore]]` above each rule".to_owned());
                let problem = Problem::new(file, item.span(), Kind::WrongType, message, help);
                read.problems.push(problem);
            }
            (key, _) => {
                let span = document
                    .as_table()
                    .key(key)
                    .and_then(|key| key.span())
                    .or(item.span());
                let message = format!("`{key}` is no key of a file of rules");
                let help = Some("rules begin with `[[ignore]]`".to_owned());
                let problem = Problem::new(file, span, Kind::UnknownKey, message, help);
                read.problems.push(problem);
            }
        }
    }
}

fn syntax(file: &RuleFile, message: &str, span: Option<Range<usize>>) -> Problem {
    let conflict = file
        .text
        .lines()
        .any(|line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "));
    if conflict {
        let at = file.text.find("<<<<<<< ").unwrap_or(0);
        let message = "the file holds an unresolved merge conflict".to_owned();
        let help = Some("keep one side, or both, and remove the markers".to_owned());
        return Problem::new(file, Some(at..at + 7), Kind::Syntax, message, help);
    }
    let problem = caret::from_toml(message, span, &file.text, DESCRIBED);
    Problem::new(
        file,
        problem.span,
        Kind::Syntax,
        problem.message,
        problem.help,
    )
}

/// `[[ignore]]` tables, or an array of inline tables.
fn items(item: &Item) -> Option<Vec<Item>> {
    match item {
        Item::ArrayOfTables(tables) => Some(tables.iter().cloned().map(Item::Table).collect()),
        Item::Value(Value::Array(values)) => {
            Some(values.iter().cloned().map(Item::Value).collect())
        }
        _ => None,
    }
}

fn parse_rule(index: usize, file: &RuleFile, item: &Item, read: &mut Rules) {
    let span = item.span().unwrap_or(0..0);
    let keys = keys(item);
    let id = item.get("id").and_then(Item::as_str).map(str::to_owned);
    let named = |problem: Problem| match &id {
        Some(id) => problem.of_rule(id),
        None => problem,
    };
    let Ok(value) = item.clone().into_value() else {
        return;
    };
    let written = match RuleAsWritten::deserialize(value.into_deserializer()) {
        Ok(written) => written,
        Err(error) => {
            let problem = from_serde(file, error.message(), error.span().unwrap_or(span));
            return read.problems.push(named(problem));
        }
    };
    let (rule, complaints) = one_rule(written);
    for complaint in complaints {
        let place = keys.get(&complaint.at).or_else(|| {
            let key = complaint.at.split('[').next().unwrap_or_default();
            keys.get(key)
        });
        let place = Some(place.unwrap_or(&span).clone());
        let problem = Problem::new(
            file,
            place,
            complaint.kind,
            complaint.message,
            complaint.help,
        );
        read.problems.push(named(problem));
    }
    read.rules.push(Placed {
        rule,
        file: index,
        span,
        keys,
    });
}

fn from_serde(file: &RuleFile, message: &str, span: Range<usize>) -> Problem {
    let kind = if message.starts_with("unknown field") {
        Kind::UnknownKey
    } else if message.starts_with("missing field") {
        Kind::MissingKey
    } else {
        Kind::WrongType
    };
    let mut problem = caret::from_toml(message, Some(span), &file.text, DESCRIBED);
    if message.contains("datetime") {
        problem.message = "expected a date".to_owned();
        problem.help = Some("write it without quotes: expires = 2027-01-31".to_owned());
    }
    Problem::new(file, problem.span, kind, problem.message, problem.help)
}

/// Where the values of a rule stand: `accounts`, and `accounts[0]` for entries of lists.
fn keys(item: &Item) -> BTreeMap<String, Range<usize>> {
    let mut found = BTreeMap::new();
    let Some(table) = item.as_table_like() else {
        return found;
    };
    for (key, item) in table.iter() {
        if let Some(span) = item.span() {
            found.insert(key.to_owned(), span);
        }
        let entries = item.as_array().into_iter().flatten().enumerate();
        found.extend(entries.filter_map(|(n, entry)| Some((format!("{key}[{n}]"), entry.span()?))));
    }
    found
}

/// A rule with nothing in it but its id, to begin with.
pub fn blank(id: String) -> IgnoreRule {
    IgnoreRule {
        id,
        controls: Vec::new(),
        products: Vec::new(),
        types: Vec::new(),
        accounts: Vec::new(),
        ou: Vec::new(),
        regions: Vec::new(),
        resources: Vec::new(),
        tags: BTreeMap::new(),
        reason: String::new(),
        owner: String::new(),
        requested_by: String::new(),
        expires: jiff::civil::Date::constant(1970, 1, 1),
        ticket: None,
    }
}
