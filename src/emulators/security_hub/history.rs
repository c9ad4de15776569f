//! What changed in a finding, when, and by whom (Security Hub API: GetFindingHistory). Changes of top-level timestamps
//! are not told.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Call, invalid};
use super::findings::Words;
use super::{SecurityHub, moment};
use crate::emulators::pages::{BadToken, page, query};
use crate::emulators::{Response, json as answer};

/// Who changes findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A customer: BatchUpdateFindings.
    Customer,
    /// A provider, AWS's own too: BatchImportFindings.
    Provider,
}

impl Source {
    fn word(self) -> &'static str {
        match self {
            Source::Customer => "BATCH_UPDATE_FINDINGS",
            Source::Provider => "BATCH_IMPORT_FINDINGS",
        }
    }
}

/// One record of a finding's history.
#[derive(Clone, Debug)]
pub(super) struct HistoryRecord {
    pub(super) at: Timestamp,
    pub(super) source: Source,
    /// The principal's ARN; of a provider, its product ARN.
    pub(super) identity: Arc<str>,
    pub(super) updates: Vec<Update>,
}

/// A changed field with both values as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Update {
    pub(super) field: Arc<str>,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
}

impl HistoryRecord {
    /// A record whose names are those that other records have.
    pub(super) fn new(
        (at, source, identity): (Timestamp, Source, &str),
        mut updates: Vec<Update>,
        words: &mut Words,
    ) -> Self {
        for update in &mut updates {
            update.field = words.shared(&update.field);
        }
        updates.shrink_to_fit();
        HistoryRecord {
            at,
            source,
            identity: words.shared(identity),
            updates,
        }
    }
}

/// Fields that a history leaves out.
const TIMES: [&str; 5] = [
    "CreatedAt",
    "UpdatedAt",
    "FirstObservedAt",
    "LastObservedAt",
    "ProcessedAt",
];

/// What differs between two documents: dotted paths to the smallest objects' members; lists are compared whole.
pub(super) fn updates(before: &Value, after: &Value) -> Vec<Update> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Update>) {
    if before == after {
        return;
    }
    if let (Value::Object(_) | Value::Null, Value::Object(_) | Value::Null) = (before, after) {
        let names = [before, after]
            .into_iter()
            .filter_map(Value::as_object)
            .flat_map(|object| object.keys());
        let names: std::collections::BTreeSet<&String> = names.collect();
        for name in names {
            let inner = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            if !TIMES.contains(&inner.as_str()) {
                compare(&inner, &before[name], &after[name], found);
            }
        }
        return;
    }
    found.push(Update {
        field: Arc::from(path),
        old: text(before),
        new: text(after),
    });
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

impl SecurityHub {
    /// GetFindingHistory: newest first, at most 100 a page.
    pub(super) fn finding_history(&self, call: &Call) -> Response {
        let identifier = &call.body["FindingIdentifier"];
        let (Some(product), Some(id)) =
            (identifier["ProductArn"].as_str(), identifier["Id"].as_str())
        else {
            return invalid(
                "Invalid parameter 'FindingIdentifier'. Id and ProductArn are required",
            );
        };
        let size = match call.size(100) {
            Ok(size) => size,
            Err(refused) => return *refused,
        };
        let (start, end) = match (bound(call, "StartTime"), bound(call, "EndTime")) {
            (Ok(start), Ok(end)) => (start, end),
            _ => return invalid("Invalid parameter. StartTime and EndTime must be timestamps"),
        };
        let key = (product.to_owned(), id.to_owned());
        let Some(record) = self.findings.get(&key) else {
            return invalid("The finding does not exist");
        };
        if !self.sees(call, &record.now) {
            return invalid("The finding does not exist");
        }
        let created = HistoryRecord {
            at: record.created,
            source: Source::Provider,
            identity: Arc::from(product),
            updates: Vec::new(),
        };
        let all: Vec<(bool, &HistoryRecord)> = std::iter::once((true, &created))
            .chain(record.history.iter().map(|write| (false, write)))
            .filter(|(_, write)| start.is_none_or(|start| write.at >= start))
            .filter(|(_, write)| end.is_none_or(|end| write.at <= end))
            .collect();
        let rows: Vec<Value> = all
            .into_iter()
            .rev()
            .map(|(created, write)| document(identifier, created, write))
            .collect();
        let chosen = json!([identifier, call.body["StartTime"], call.body["EndTime"]]);
        let query = query("GetFindingHistory", &chosen);
        match page(&rows, query, &call.body["NextToken"], size, call.fault) {
            Ok(page) => {
                let mut body = json!({ "Records": page.rows });
                if let Some(next) = page.next {
                    body["NextToken"] = json!(next);
                }
                answer(200, &body)
            }
            Err(BadToken) => invalid("Invalid NextToken: Input Query has changed"),
        }
    }
}

/// REST-JSON clients send these timestamps as text; a number of seconds is understood too.
fn bound(call: &Call, name: &str) -> Result<Option<Timestamp>, ()> {
    match &call.body[name] {
        Value::Null => Ok(None),
        Value::String(text) => moment::parse(text).map(Some).ok_or(()),
        Value::Number(seconds) => {
            let seconds = seconds.as_f64().ok_or(())?;
            #[allow(clippy::cast_possible_truncation)]
            let at = Timestamp::from_millisecond((seconds * 1000.0).round() as i64);
            at.map(Some).map_err(|_| ())
        }
        _ => Err(()),
    }
}

fn document(identifier: &Value, created: bool, write: &HistoryRecord) -> Value {
    let updates: Vec<Value> = write
        .updates
        .iter()
        .map(|update| {
            let mut row = json!({ "UpdatedField": update.field });
            if let Some(old) = &update.old {
                row["OldValue"] = json!(old);
            }
            if let Some(new) = &update.new {
                row["NewValue"] = json!(new);
            }
            row
        })
        .collect();
    json!({
        "FindingIdentifier": identifier,
        "UpdateTime": write.at.to_string(),
        "FindingCreated": created,
        "UpdateSource": { "Type": write.source.word(), "Identity": write.identity },
        "Updates": updates,
    })
}
