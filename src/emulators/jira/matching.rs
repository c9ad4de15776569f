//! From a JQL tree to the issues it means: names become ids, lookups narrow the scan. Unknown names match nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};

use super::Jira;
use super::condition::{Test, compare};
use super::index::Document;
use super::jql::{Clause, Expr, Jql, Op, Operand};
use super::meta;
use super::moment::instant;
use super::people::users::User;

/// Who asks, and when: JQL reads dates in the caller's time zone (Jira Cloud: advanced search).
#[derive(Clone, Copy)]
struct Asker<'a> {
    account: &'a str,
    zone: &'a TimeZone,
    now: Timestamp,
}

impl Jira {
    /// The ids that the index gives for a query, in its order. `fresh` ids are judged by the issues themselves.
    pub(super) fn matches(
        &self,
        jql: &Jql,
        fresh: &BTreeSet<u64>,
        now: Timestamp,
        caller: Option<&User>,
    ) -> Vec<u64> {
        let Some(test) = self.test(jql, now, caller) else {
            return Vec::new();
        };
        let fits = |document: &&Document| !fresh.contains(&document.id) && test.holds(document);
        let mut found: Vec<Cow<'_, Document>> = match self.narrowest(&test, self.index.len()) {
            Some((_, ids)) => ids
                .filter_map(|id| self.index.get(id))
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
        found.sort_unstable_by(|a, b| compare(a, b, &jql.order));
        found.into_iter().map(|document| document.id).collect()
    }

    /// Whether one document meets a query; without a restriction, any does.
    pub(super) fn document_matches(
        &self,
        jql: &Jql,
        document: &Document,
        now: Timestamp,
        caller: Option<&User>,
    ) -> bool {
        jql.filter.is_none()
            || self
                .test(jql, now, caller)
                .is_some_and(|test| test.holds(document))
    }

    pub(super) fn test(&self, jql: &Jql, now: Timestamp, caller: Option<&User>) -> Option<Test> {
        let zone = caller.and_then(|user| TimeZone::get(&user.time_zone).ok());
        let asker = Asker {
            account: caller.map_or("", |user| &user.account_id),
            zone: &zone.unwrap_or(TimeZone::UTC),
            now,
        };
        self.bind(jql.filter.as_ref()?, false, asker)
    }

    /// `None` when the query holds a field, operator or function that makes the whole answer empty.
    fn bind(&self, expr: &Expr, negated: bool, asker: Asker<'_>) -> Option<Test> {
        let all = |parts: &[Expr]| -> Option<Vec<Test>> {
            parts
                .iter()
                .map(|part| self.bind(part, negated, asker))
                .collect()
        };
        Some(match (expr, negated) {
            (Expr::Not(inner), _) => self.bind(inner, !negated, asker)?,
            (Expr::And(parts), false) | (Expr::Or(parts), true) => Test::All(all(parts)?),
            (Expr::Or(parts), false) | (Expr::And(parts), true) => Test::Any(all(parts)?),
            (Expr::Clause(clause), _) => {
                let op = if negated {
                    clause.op.negated()
                } else {
                    clause.op
                };
                self.bind_clause(clause, op, asker)?
            }
        })
    }

    fn bind_clause(&self, clause: &Clause, op: Op, asker: Asker<'_>) -> Option<Test> {
        let caller = asker.account;
        let field = clause.field.as_str();
        if let "created" | "createddate" | "updated" | "updateddate" | "resolved"
        | "resolutiondate" = field
        {
            return bind_time(field, op, &clause.operands, asker);
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
                let all = &self.workflows.resolutions;
                let known = all.iter().map(|(id, name)| (id.as_str(), name.as_str()));
                Test::Resolution(named(known, &texts), unresolved, wanted)
            }
            "priority" => Test::Priority(named(meta::PRIORITIES.into_iter(), &texts), wanted),
            "issuetype" | "type" => {
                let known = meta::ISSUE_TYPES
                    .into_iter()
                    .map(|(id, name, _)| (id, name));
                Test::Kind(named(known, &texts), wanted)
            }
            "parent" => {
                let ids = texts.iter().filter_map(|text| self.indexed_id(text));
                Test::Parent(ids.collect(), empty, wanted)
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
        let known = self.statuses();
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
        let known = self.statuses();
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

fn named<'a>(
    known: impl Iterator<Item = (&'a str, &'a str)>,
    texts: &[String],
) -> BTreeSet<String> {
    known
        .filter(|(id, name)| {
            texts
                .iter()
                .any(|text| text == id || text.eq_ignore_ascii_case(name))
        })
        .map(|(id, _)| id.to_owned())
        .collect()
}

fn bind_time(field: &str, op: Op, operands: &[Operand], asker: Asker<'_>) -> Option<Test> {
    let at = match operands.first()? {
        Operand::Function(name) if name == "now" => asker.now,
        Operand::Function(name) if name == "startofday" => asker
            .now
            .to_zoned_datetime(asker.zone.clone())
            .start_of_day()
            .ok()?
            .timestamp(),
        Operand::Text(text) => instant(text, asker.now, asker.zone)?,
        _ => return None,
    };
    Some(match field {
        "created" | "createddate" => Test::Created(op, at),
        "updated" | "updateddate" => Test::Updated(op, at),
        _ => Test::Resolved(op, at),
    })
}
