//! From a JQL tree to the issues it means: names become ids, lookups narrow the scan. Unknown names match nothing.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};

use super::Jira;
use super::index::Document;
use super::jql::{Clause, Expr, Jql, Op, Operand};
use super::meta;
use super::moment::instant;
use super::workflow::RESOLUTIONS;

/// A condition over documents.
#[derive(Clone, Debug)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Nothing,
    Everything,
    /// The value is, or is not, one of these.
    Project(BTreeSet<u64>, bool),
    Status(BTreeSet<u64>, bool),
    Id(BTreeSet<u64>, bool),
    Label(BTreeSet<String>, bool),
    /// One of these ids, or empty when the flag is set.
    Resolution(BTreeSet<String>, bool, bool),
    Priority(BTreeSet<String>, bool),
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

impl Jira {
    /// The ids that the index gives for a query, in its order. `fresh` ids are judged by the issues themselves.
    pub(super) fn matches(
        &self,
        jql: &Jql,
        fresh: &BTreeSet<u64>,
        now: Timestamp,
        caller: &str,
    ) -> Vec<u64> {
        let Some(test) = jql
            .filter
            .as_ref()
            .and_then(|filter| self.bind(filter, false, now, caller))
        else {
            return Vec::new();
        };
        let fits = |document: &&Document| !fresh.contains(&document.id) && test.holds(document);
        let mut found: Vec<Cow<'_, Document>> = match self.candidates(&test) {
            Some(ids) => ids
                .iter()
                .filter_map(|id| self.index.get(*id))
                .filter(fits)
                .map(Cow::Borrowed)
                .collect(),
            None => self.index.all().filter(fits).map(Cow::Borrowed).collect(),
        };
        let live = fresh
            .iter()
            .filter_map(|id| self.issues.get(id))
            .map(Document::from);
        found.extend(live.filter(|document| test.holds(document)).map(Cow::Owned));
        found.sort_by(|a, b| compare(a, b, &jql.order));
        found.into_iter().map(|document| document.id).collect()
    }

    /// `None` when the query holds a field, operator or function that makes the whole answer empty.
    fn bind(&self, expr: &Expr, negated: bool, now: Timestamp, caller: &str) -> Option<Test> {
        let all = |parts: &[Expr]| -> Option<Vec<Test>> {
            parts
                .iter()
                .map(|part| self.bind(part, negated, now, caller))
                .collect()
        };
        Some(match (expr, negated) {
            (Expr::Not(inner), _) => self.bind(inner, !negated, now, caller)?,
            (Expr::And(parts), false) | (Expr::Or(parts), true) => Test::All(all(parts)?),
            (Expr::Or(parts), false) | (Expr::And(parts), true) => Test::Any(all(parts)?),
            (Expr::Clause(clause), _) => {
                let op = if negated {
                    clause.op.negated()
                } else {
                    clause.op
                };
                self.bind_clause(clause, op, now, caller)?
            }
        })
    }

    fn bind_clause(&self, clause: &Clause, op: Op, now: Timestamp, caller: &str) -> Option<Test> {
        let field = clause.field.as_str();
        if let "created" | "createddate" | "updated" | "updateddate" | "resolved"
        | "resolutiondate" = field
        {
            return bind_time(field, op, &clause.operands, now);
        }
        if let "summary" | "text" = field {
            let (Op::Contains | Op::NotContains) = op else {
                return None;
            };
            let words = texts(&clause.operands, caller)?.join(" ").to_lowercase();
            return Some(Test::Text(words, op == Op::Contains));
        }
        if let "key" | "issuekey" | "id" | "issue" = field {
            return self.bind_key(op, &texts(&clause.operands, caller)?);
        }
        let wanted = match op {
            Op::Equal => true,
            Op::NotEqual => false,
            _ => return None,
        };
        let empty = clause.operands.contains(&Operand::Empty);
        let texts = texts(&clause.operands, caller)?;
        Some(match field {
            "project" => {
                let ids = texts
                    .iter()
                    .filter_map(|text| self.project_by_any_name(text))
                    .map(|p| p.id);
                Test::Project(ids.collect(), wanted)
            }
            "status" => Test::Status(self.statuses_called(&texts), wanted),
            "statuscategory" => Test::Status(self.statuses_in_categories(&texts), wanted),
            "labels" if empty => Test::LabelsEmpty(wanted),
            "labels" => Test::Label(
                texts.iter().map(|text| text.to_lowercase()).collect(),
                wanted,
            ),
            "resolution" => {
                let unresolved = empty
                    || texts
                        .iter()
                        .any(|text| text.eq_ignore_ascii_case("unresolved"));
                Test::Resolution(named(&RESOLUTIONS, &texts), unresolved, wanted)
            }
            "priority" => Test::Priority(named(&meta::PRIORITIES, &texts), wanted),
            "issuetype" | "type" => {
                let is_task = texts
                    .iter()
                    .any(|t| t.eq_ignore_ascii_case("task") || t == meta::TASK_TYPE_ID);
                if is_task == wanted {
                    Test::Everything
                } else {
                    Test::Nothing
                }
            }
            "reporter" | "creator" => Test::Reporter(texts.into_iter().collect(), wanted),
            "assignee" => Test::Assignee(texts.into_iter().collect(), empty, wanted),
            _ => return None,
        })
    }

    fn bind_key(&self, op: Op, texts: &[String]) -> Option<Test> {
        match op {
            Op::Equal | Op::NotEqual => {
                let ids = texts
                    .iter()
                    .filter_map(|text| self.indexed_id(text))
                    .collect();
                Some(Test::Id(ids, op == Op::Equal))
            }
            Op::Contains | Op::NotContains => None,
            _ => {
                let text = texts.first()?;
                if let Ok(id) = text.parse() {
                    return Some(Test::IdOrder(op, id));
                }
                let (project, number) = text.rsplit_once('-')?;
                let project = self.project_by_any_name(project)?.id;
                Some(Test::Number(op, project, number.parse().ok()?))
            }
        }
    }

    fn indexed_id(&self, text: &str) -> Option<u64> {
        text.parse()
            .ok()
            .or_else(|| self.keys.get(&text.to_uppercase()).copied())
    }

    fn statuses_called(&self, texts: &[String]) -> BTreeSet<u64> {
        let known = self.workflow.statuses.iter();
        known
            .filter(|s| {
                texts
                    .iter()
                    .any(|t| s.name.eq_ignore_ascii_case(t) || s.id.to_string() == *t)
            })
            .map(|s| s.id)
            .collect()
    }

    fn statuses_in_categories(&self, texts: &[String]) -> BTreeSet<u64> {
        let known = self.workflow.statuses.iter();
        known
            .filter(|status| {
                let (id, key, name, _) = status.category.parts();
                texts.iter().any(|t| {
                    t.eq_ignore_ascii_case(key)
                        || t.eq_ignore_ascii_case(name)
                        || id.to_string() == *t
                })
            })
            .map(|status| status.id)
            .collect()
    }

    /// A set that holds every match, or `None` when only a scan will do.
    fn candidates(&self, test: &Test) -> Option<BTreeSet<u64>> {
        match test {
            Test::Nothing => Some(BTreeSet::new()),
            Test::Id(ids, true) => Some(ids.clone()),
            Test::Label(labels, true) => Some(
                labels
                    .iter()
                    .filter_map(|label| self.index.with_label(label))
                    .flatten()
                    .copied()
                    .collect(),
            ),
            Test::Project(ids, true) => Some(
                ids.iter()
                    .filter_map(|id| self.index.in_project(*id))
                    .flatten()
                    .copied()
                    .collect(),
            ),
            Test::Updated(Op::Greater | Op::GreaterOrEqual, from) => {
                Some(self.index.updated_since(*from))
            }
            Test::All(parts) => parts
                .iter()
                .filter_map(|part| self.candidates(part))
                .min_by_key(BTreeSet::len),
            Test::Any(parts) => {
                let sets: Option<Vec<_>> = parts.iter().map(|part| self.candidates(part)).collect();
                Some(sets?.into_iter().flatten().collect())
            }
            _ => None,
        }
    }
}

impl Test {
    fn holds(&self, d: &Document) -> bool {
        match self {
            Test::All(parts) => parts.iter().all(|part| part.holds(d)),
            Test::Any(parts) => parts.iter().any(|part| part.holds(d)),
            Test::Nothing => false,
            Test::Everything => true,
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

/// The texts of operands; `None` for a function that the emulator does not know.
fn texts(operands: &[Operand], caller: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    for operand in operands {
        match operand {
            Operand::Text(text) => out.push(text.clone()),
            Operand::Empty => {}
            Operand::Function(name) if name == "currentuser" => out.push(caller.to_owned()),
            Operand::Function(_) => return None,
        }
    }
    Some(out)
}

fn named(known: &[(&str, &str)], texts: &[String]) -> BTreeSet<String> {
    known
        .iter()
        .filter(|(id, name)| {
            texts
                .iter()
                .any(|text| text == id || text.eq_ignore_ascii_case(name))
        })
        .map(|(id, _)| (*id).to_owned())
        .collect()
}

fn bind_time(field: &str, op: Op, operands: &[Operand], now: Timestamp) -> Option<Test> {
    let at = match operands.first()? {
        Operand::Function(name) if name == "now" => now,
        Operand::Function(name) if name == "startofday" => now
            .to_zoned_datetime(TimeZone::UTC)
            .start_of_day()
            .ok()?
            .timestamp(),
        Operand::Text(text) => instant(text, now)?,
        _ => return None,
    };
    Some(match field {
        "created" | "createddate" => Test::Created(op, at),
        "updated" | "updateddate" => Test::Updated(op, at),
        _ => Test::Resolved(op, at),
    })
}

/// Unknown fields are ignored (recorded from Jira Cloud, 2026-10); ties and no order at all: newest id first.
fn compare(a: &Document, b: &Document, order: &[(String, bool)]) -> Ordering {
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
