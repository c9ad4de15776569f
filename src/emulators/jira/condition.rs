//! Conditions over documents of the index, and the order of a search's answer. Knows no JQL.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::Timestamp;

use super::index::Document;
use super::jql::Op;

/// A condition over documents.
#[derive(Clone, Debug)]
pub(super) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    /// The value is, or is not, one of these.
    Project(BTreeSet<u64>, bool),
    Status(BTreeSet<u64>, bool),
    Id(BTreeSet<u64>, bool),
    Label(BTreeSet<String>, bool),
    /// One of these ids, or empty when the flag is set.
    Resolution(BTreeSet<String>, bool, bool),
    Priority(BTreeSet<String>, bool),
    Kind(BTreeSet<String>, bool),
    Parent(BTreeSet<u64>, bool, bool),
    Reporter(BTreeSet<String>, bool),
    Assignee(BTreeSet<String>, bool, bool),
    LabelsEmpty(bool),
    Number(Op, u64, u64),
    IdOrder(Op, u64),
    Created(Op, Timestamp),
    Updated(Op, Timestamp),
    Resolved(Op, Timestamp),
    Text(String, bool),
}

impl Test {
    pub(super) fn holds(&self, d: &Document) -> bool {
        match self {
            Test::All(parts) => parts.iter().all(|part| part.holds(d)),
            Test::Any(parts) => parts.iter().any(|part| part.holds(d)),
            Test::Project(ids, wanted) => ids.contains(&d.project) == *wanted,
            Test::Status(ids, wanted) => ids.contains(&d.status) == *wanted,
            Test::Id(ids, wanted) => ids.contains(&d.id) == *wanted,
            // `!=` also drops issues without any label: Jira's rule for empty fields.
            Test::Label(labels, wanted) => {
                !d.labels.is_empty()
                    && d.labels.iter().any(|label| labels.contains(label)) == *wanted
            }
            Test::LabelsEmpty(wanted) => d.labels.is_empty() == *wanted,
            Test::Resolution(ids, empty, wanted) => {
                optional(d.resolution.as_ref(), ids, *empty, *wanted)
            }
            Test::Assignee(ids, empty, wanted) => {
                optional(d.assignee.as_ref(), ids, *empty, *wanted)
            }
            Test::Priority(ids, wanted) => ids.contains(&d.priority) == *wanted,
            Test::Kind(ids, wanted) => ids.contains(&d.kind) == *wanted,
            Test::Parent(ids, empty, wanted) => match d.parent {
                None => *empty && *wanted,
                Some(parent) => ids.contains(&parent) == *wanted,
            },
            Test::Reporter(ids, wanted) => ids.contains(&d.reporter) == *wanted,
            Test::Number(op, project, number) => {
                d.project == *project && ordered(*op, d.number.cmp(number))
            }
            Test::IdOrder(op, id) => ordered(*op, d.id.cmp(id)),
            Test::Created(op, at) => ordered(*op, d.created.cmp(at)),
            Test::Updated(op, at) => ordered(*op, d.updated.cmp(at)),
            Test::Resolved(op, at) => d
                .resolved
                .is_some_and(|resolved| ordered(*op, resolved.cmp(at))),
            Test::Text(words, wanted) => d.summary.contains(words) == *wanted,
        }
    }
}

/// A field that may be empty: `!=` a value drops the empty ones, `!= EMPTY` too.
fn optional(value: Option<&String>, ids: &BTreeSet<String>, empty: bool, wanted: bool) -> bool {
    match value {
        None => empty && wanted,
        Some(value) => ids.contains(value) == wanted,
    }
}

fn ordered(op: Op, ordering: Ordering) -> bool {
    match op {
        Op::Equal => ordering.is_eq(),
        Op::NotEqual => ordering.is_ne(),
        Op::Less => ordering.is_lt(),
        Op::LessOrEqual => ordering.is_le(),
        Op::Greater => ordering.is_gt(),
        Op::GreaterOrEqual => ordering.is_ge(),
        Op::Contains | Op::NotContains => false,
    }
}

/// Unknown fields are ignored (recorded from Jira Cloud, 2026-10); ties and no order at all: newest id first.
pub(super) fn compare(a: &Document, b: &Document, order: &[(String, bool)]) -> Ordering {
    for (field, descending) in order {
        let ordering = match field.as_str() {
            "key" | "issuekey" | "id" | "issue" => {
                (a.project, a.number).cmp(&(b.project, b.number))
            }
            "created" | "createddate" => a.created.cmp(&b.created),
            "updated" | "updateddate" => a.updated.cmp(&b.updated),
            "status" => a.status.cmp(&b.status),
            "priority" => b.priority.cmp(&a.priority),
            "project" => a.project.cmp(&b.project),
            "summary" => a.summary.cmp(&b.summary),
            _ => Ordering::Equal,
        };
        let ordering = if *descending {
            ordering.reverse()
        } else {
            ordering
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
    b.id.cmp(&a.id)
}
