//! JQL search and counting over the index, with Jira Cloud's pages, leniency and refusals.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Jira;
use super::faults::FaultKind;
use super::index::Document;
use super::issues::strings;
use super::jql::{self, Jql, JqlError};
use super::render::Wanted;
use super::reply::{Outcome, Reply, bad_payload, ok, refusal};
use super::route::Call;

/// The most rows on a page (recorded from Jira Cloud, 2026-10).
const PAGE_MOST: i64 = 5_000;
/// Searches that are remembered at a time; the oldest is forgotten first.
const CURSORS_MOST: usize = 1_000;
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

/// What of a project a caller finds.
enum View {
    All,
    Nothing,
    ByIssue,
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
        let asked = Asked {
            jql: call.query("jql").unwrap_or_default().to_owned(),
            wanted: Wanted {
                fields: call.query_list("fields"),
                properties: call.query_list("properties"),
                changelog: call.expands("changelog"),
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
        let found = self.matches(&jql, &BTreeSet::new(), call.now, Some(&call.user));
        ok(json!({"count": self.seen_only(call, found).len()}))
    }

    /// The issues themselves, not the index; a query that cannot be read is told in its row (Jira REST v3: check issues
    /// against JQL).
    pub(super) fn match_issues(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["issueIds", "jqls"])?;
        let ids = call.body["issueIds"].as_array().ok_or_else(bad_payload)?;
        let jqls = call.body["jqls"].as_array().ok_or_else(bad_payload)?;
        let documents: Vec<Document> = ids
            .iter()
            .filter_map(|id| self.issues.get(&id.as_u64()?))
            .filter(|issue| self.sees_issue(&call.user.account_id, issue))
            .map(Document::from)
            .collect();
        let mut matches = Vec::new();
        for text in jqls {
            let text = text.as_str().unwrap_or_default();
            let row = match jql::parse(text) {
                Ok(jql) => {
                    let fits = |document: &&Document| {
                        self.document_matches(&jql, document, call.now, Some(&call.user))
                    };
                    let found: Vec<u64> = documents.iter().filter(fits).map(|one| one.id).collect();
                    json!({"matchedIssues": found, "errors": []})
                }
                Err(JqlError::Syntax(text)) => json!({"matchedIssues": [], "errors": [text]}),
                Err(JqlError::NotEmulated(what)) => {
                    return Err(refusal(501, format!("The emulator does not know {what}.")));
                }
            };
            matches.push(row);
        }
        ok(json!({ "matches": matches }))
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
                let found = self.matches(&jql, &asked.reconcile, call.now, Some(&call.user));
                let found = self.seen_only(call, found);
                let found = self.without_flicker(found, &asked.reconcile, call.fault.as_ref());
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
        if self.cursors.len() >= CURSORS_MOST {
            self.cursors.retain(|_, cursor| now < cursor.expires);
            let first = self.cursors.iter().min_by_key(|(_, cursor)| cursor.expires);
            if let Some(token) = first.map(|(token, _)| token.clone()) {
                self.cursors.remove(&token);
            }
        }
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

    /// Leaves out what the caller may not see: by project, and by issue where the data of an issue decide. Archived
    /// projects are in no search (Atlassian: archive a project).
    fn seen_only(&self, call: &Call<'_>, mut found: Vec<u64>) -> Vec<u64> {
        let account = &call.user.account_id;
        let mut views: HashMap<u64, View> = HashMap::new();
        found.retain(|id| {
            let issue = self.issues.get(id);
            let indexed = self.index.get(*id).map(|document| document.project);
            let Some(project) = issue.map(|issue| issue.project).or(indexed) else {
                return false;
            };
            let view = views
                .entry(project)
                .or_insert_with(|| self.view(account, project));
            match view {
                View::All => true,
                View::Nothing => false,
                View::ByIssue => issue.is_none_or(|issue| self.sees_issue(account, issue)),
            }
        });
        found
    }

    fn view(&self, account: &str, project: u64) -> View {
        let is_archived = self
            .projects
            .get(&project)
            .is_none_or(|project| project.is_archived);
        if is_archived || !self.sees(account, project) {
            View::Nothing
        } else if self.browsing_asks_the_issue(project) {
            View::ByIssue
        } else {
            View::All
        }
    }

    /// Leaves out some matches, other ones in each search (measured on Jira Cloud: visibility is not monotonic).
    fn without_flicker(
        &mut self,
        mut found: Vec<u64>,
        fresh: &BTreeSet<u64>,
        fault: Option<&FaultKind>,
    ) -> Vec<u64> {
        let permille = match fault {
            Some(FaultKind::SearchFlicker { permille }) => *permille,
            _ => self.search_flicker_permille,
        };
        self.left_out.extend(self.index.unseen());
        if permille > 0 {
            let requests = self.requests;
            let is_shown = |id: &u64| {
                let mixed = (id ^ (requests << 20)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
                fresh.contains(id) || mixed % 1_000 >= permille
            };
            let hidden = found.extract_if(.., |id| !is_shown(id));
            self.left_out.extend(hidden);
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
