//! JQL search and counting over the index, with Jira Cloud's pages, leniency and refusals.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Jira;
use super::issues::strings;
use super::jql::{self, Jql, JqlError};
use super::render::Wanted;
use super::reply::{Outcome, Reply, bad_payload, ok, refusal};
use super::route::Call;

/// The most rows on a page (recorded from Jira Cloud, 2026-10).
const PAGE_MOST: i64 = 5_000;
/// The most ids that can be reconciled (Jira REST v3: search and reconcile).
const RECONCILE_MOST: usize = 50;

/// A search that has more pages: what was found when it began, and how far it was read.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    jql: String,
    found: Arc<Vec<u64>>,
    at: usize,
    expires: Timestamp,
}

/// A search request from the query or from the body.
struct Asked {
    jql: String,
    wanted: Wanted,
    most: i64,
    token: Option<String>,
    reconcile: BTreeSet<u64>,
}

impl Jira {
    pub(super) fn get_search(&mut self, call: &mut Call<'_>) -> Outcome {
        let changelog = call
            .query_list("expand")
            .iter()
            .any(|one| one == "changelog");
        let asked = Asked {
            jql: call.query("jql").unwrap_or_default().to_owned(),
            wanted: Wanted {
                fields: call.query_list("fields"),
                properties: call.query_list("properties"),
                changelog,
            },
            most: call
                .query("maxResults")
                .map_or(Ok(50), str::parse)
                .map_err(|_| bad_payload())?,
            token: call
                .query("nextPageToken")
                .filter(|token| !token.is_empty())
                .map(ToOwned::to_owned),
            reconcile: call
                .query_list("reconcileIssues")
                .iter()
                .filter_map(|id| id.parse().ok())
                .collect(),
        };
        self.search(call, asked)
    }

    pub(super) fn post_search(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&[
            "jql",
            "fields",
            "maxResults",
            "nextPageToken",
            "properties",
            "reconcileIssues",
            "expand",
            "fieldsByKeys",
            "failFast",
        ])?;
        let asked = Asked {
            jql: call.body["jql"].as_str().unwrap_or_default().to_owned(),
            wanted: call.wanted_from_body(&[]),
            most: match &call.body["maxResults"] {
                Value::Null => 50,
                number => number.as_i64().ok_or_else(bad_payload)?,
            },
            token: call.body["nextPageToken"].as_str().map(ToOwned::to_owned),
            reconcile: strings(&call.body["reconcileIssues"])
                .iter()
                .filter_map(|id| id.parse().ok())
                .collect(),
        };
        self.search(call, asked)
    }

    /// An estimate from the index alone (Jira REST v3: count issues using JQL).
    pub(super) fn count_approximately(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["jql"])?;
        let jql = bounded(call.body["jql"].as_str().unwrap_or_default())?;
        let found = self.matches(&jql, &BTreeSet::new(), call.now, &call.user.account_id);
        ok(json!({"count": self.seen_only(call, found).len()}))
    }

    /// The old search is gone (recorded from Jira Cloud, 2026-10).
    pub(super) fn removed_search(&mut self, _: &mut Call<'_>) -> Outcome {
        Err(refusal(
            410,
            "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration \
             guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046",
        ))
    }

    fn search(&mut self, call: &mut Call<'_>, asked: Asked) -> Outcome {
        if !(1..=PAGE_MOST).contains(&asked.most) {
            return Err(refusal(
                400,
                "The max results parameter has to be between 1 and 5,000.",
            ));
        }
        if asked.wanted.properties.len() > 5 || asked.reconcile.len() > RECONCILE_MOST {
            return Err(bad_payload());
        }
        let jql = bounded(&asked.jql)?;
        let most = usize::try_from(asked.most).unwrap_or(50);
        let is_id_only = asked.wanted.fields.is_empty();
        let is_wide = !is_id_only && !asked.wanted.is_bare() || asked.wanted.changelog;
        let most = if is_wide {
            most.min(self.search_wide_page)
        } else {
            most
        };
        let (found, start) = match &asked.token {
            None => {
                let found = self.matches(&jql, &asked.reconcile, call.now, &call.user.account_id);
                let found = self.without_flicker(self.seen_only(call, found), &asked.reconcile);
                (Arc::new(found), 0)
            }
            Some(token) => {
                let cursor = self
                    .cursors
                    .get(token)
                    .filter(|c| c.jql == asked.jql && call.now < c.expires);
                let cursor = cursor.ok_or_else(|| {
                    refusal(400, "The provided next page token is invalid or expired.")
                })?;
                (Arc::clone(&cursor.found), cursor.at)
            }
        };
        let end = (start + most).min(found.len());
        let rows: Vec<Value> = found
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .filter_map(|id| self.row(*id, is_id_only, &asked.wanted, call.version))
            .collect();
        let mut answer = json!({"issues": rows, "isLast": end >= found.len()});
        if end < found.len() {
            let token = self.keep_cursor(&asked.jql, found, end, call.now);
            answer["nextPageToken"] = json!(token);
        }
        ok(answer)
    }

    /// A row; without `fields` in the request it is the id alone. The index may name an issue that is gone: then the
    /// bare id still comes, but there are no fields to show.
    fn row(&self, id: u64, is_id_only: bool, wanted: &Wanted, version: &str) -> Option<Value> {
        if is_id_only && wanted.properties.is_empty() && !wanted.changelog {
            return Some(json!({"id": id.to_string()}));
        }
        let issue = self.issues.get(&id)?;
        let mut row = self.issue_json(issue, wanted, version);
        if is_id_only && let Some(object) = row.as_object_mut() {
            object.remove("fields");
        }
        Some(row)
    }

    /// Tokens expire after seven days (Jira REST v3: search).
    fn keep_cursor(
        &mut self,
        jql: &str,
        found: Arc<Vec<u64>>,
        at: usize,
        now: Timestamp,
    ) -> String {
        self.cursors.retain(|_, cursor| now < cursor.expires);
        let token = format!("emulated-{}", self.requests);
        let expires = now + SignedDuration::from_hours(7 * 24);
        self.cursors.insert(
            token.clone(),
            Cursor {
                jql: jql.to_owned(),
                found,
                at,
                expires,
            },
        );
        token
    }

    fn seen_only(&self, call: &Call<'_>, mut found: Vec<u64>) -> Vec<u64> {
        let hidden: BTreeSet<u64> = self
            .projects
            .keys()
            .copied()
            .filter(|id| !self.sees(&call.user.account_id, *id))
            .collect();
        if !hidden.is_empty() {
            found.retain(|id| {
                let project = self
                    .issues
                    .get(id)
                    .map(|i| i.project)
                    .or(self.index.get(*id).map(|d| d.project));
                project.is_some_and(|project| !hidden.contains(&project))
            });
        }
        found
    }

    /// Leaves out some matches, other ones in each search (measured on Jira Cloud: visibility is not monotonic).
    fn without_flicker(&self, mut found: Vec<u64>, fresh: &BTreeSet<u64>) -> Vec<u64> {
        if self.search_flicker_permille > 0 {
            found.retain(|id| {
                let mixed = (id ^ (self.requests << 20)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
                fresh.contains(id) || mixed % 1_000 >= self.search_flicker_permille
            });
        }
        found
    }
}

/// Reads a query and insists on a restriction.
fn bounded(text: &str) -> Result<Jql, Reply> {
    let jql = jql::parse(text).map_err(|error| match error {
        JqlError::Syntax(text) => refusal(400, text),
        JqlError::NotEmulated(what) => refusal(501, format!("The emulator does not know {what}.")),
    })?;
    if jql.filter.is_none() {
        let text = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.";
        return Err(refusal(400, text));
    }
    Ok(jql)
}
