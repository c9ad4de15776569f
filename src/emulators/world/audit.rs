//! The invariants S1 to S7, checked over everything that happened in a world.

mod state;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::World;
use crate::emulators::github::GitHub;
use crate::emulators::journal::{Actor, Change, Entry, Violation};
use state::{State, findings_in, marker, ticket_in};

/// Node types that the engine may put into a document.
const NODES: [&str; 16] = [
    "doc",
    "paragraph",
    "text",
    "heading",
    "bulletList",
    "listItem",
    "table",
    "tableRow",
    "tableCell",
    "tableHeader",
    "panel",
    "rule",
    "codeBlock",
    "hardBreak",
    "strong",
    "code",
];

/// Every violation, oldest first; empty when all is well.
pub fn audit(world: &World) -> Vec<Violation> {
    let mut found = world.journal.violations.clone();
    let mut state = State {
        ours: ours(world),
        ..State::default()
    };
    for entry in &world.journal.entries {
        if let Some((invariant, what)) = state.check(entry, &world.github) {
            found.push(Violation {
                invariant: invariant.to_owned(),
                at: entry.at,
                what,
            });
        }
        state.take(entry, world.journal.unheard.contains(&entry.seq));
    }
    for issue in world.jira.issues() {
        let description = issue.description.as_ref().map(|text| text.value());
        if let Some(node) = description.as_ref().and_then(foreign_node) {
            let what = format!("{} has a {node} node in its description", issue.key);
            found.push(Violation {
                invariant: "S7".to_owned(),
                at: issue.updated,
                what,
            });
        }
    }
    found
}

impl State {
    /// What this entry would break.
    fn check(&self, entry: &Entry, github: &GitHub) -> Option<(&'static str, String)> {
        if entry.actor != Actor::Engine {
            return None;
        }
        match &entry.change {
            Change::TicketCreated {
                key,
                labels,
                properties,
                ..
            } => self
                .second(key, labels, properties)
                .map(|what| ("S1", what)),
            Change::WorkflowSet {
                id, from, to, note, ..
            } => self.status(id, (from, to), note.as_deref(), entry.at, github),
            Change::TicketDeleted { id, key } => (!self.resource_gone(*id))
                .then(|| ("S3", format!("{key} was deleted while its resource exists"))),
            Change::TicketMoved { id, key, from, to } => self.wrong_move(*id, key, (from, to)),
            Change::TicketCommented { key, body, .. } => foreign_node(body)
                .map(|node| ("S7", format!("a comment on {key} has a {node} node"))),
            _ => None,
        }
    }

    /// A second live ticket.
    fn second(&self, key: &str, labels: &[String], properties: &Value) -> Option<String> {
        if let Some(other) = self.another_live(properties) {
            return Some(format!("{key} tracks {other}, and a live ticket does"));
        }
        let live = marker(labels)
            .and_then(|marker| self.live.get(&marker))
            .map_or(0, BTreeSet::len);
        (live > 0).then(|| format!("{key} is a second live ticket for one finding"))
    }

    /// A status that was set for nothing, or without anybody's word.
    fn status(
        &self,
        id: &str,
        (from, to): (&str, &str),
        note: Option<&str>,
        at: Timestamp,
        github: &GitHub,
    ) -> Option<(&'static str, String)> {
        if from == to {
            let named = note.and_then(ticket_in);
            // Its ticket has another key now, or it is in another ticket.
            let corrects = named.is_some_and(|named| {
                let before = self.noted.get(id);
                to == "NOTIFIED" && before.is_some_and(|before| before != named)
            });
            let needless = !self.unheard.contains(id) && !corrects;
            return needless.then(|| ("S5", format!("{id} was set to {to}, which it was")));
        }
        match to {
            "RESOLVED" => (!self.may_resolve(id))
                .then(|| ("S2", format!("{id} was set to RESOLVED without a decision"))),
            "SUPPRESSED" => {
                let mut twins = self.twins(id);
                let allowed = twins.any(|id| self.suppressed_by_people.contains(id))
                    || note.is_some_and(|note| is_by_merged_rule(note, github, at));
                (!allowed).then(|| ("S2", format!("{id} was set to SUPPRESSED without a rule")))
            }
            _ => None,
        }
    }

    /// A ticket that was reopened against a reviewer's word, or resolved although it fails.
    fn wrong_move(
        &self,
        id: u64,
        key: &str,
        (from, to): (&str, &str),
    ) -> Option<(&'static str, String)> {
        match (from, to) {
            ("Closed", "Open") => self.is_closed_for_good(id).then(|| {
                let what =
                    format!("{key} was reopened although a reviewer had closed it in this episode");
                ("S4", what)
            }),
            ("Open" | "In Progress", "Resolved") => {
                let stands = self
                    .resources
                    .keys()
                    .filter(|finding| self.tickets_of(finding).contains(&id));
                let stands: Vec<&String> = stands.collect();
                let wrong =
                    !stands.is_empty() && !stands.iter().any(|finding| self.may_resolve(finding));
                wrong.then(|| ("S3", format!("{key} was resolved while its finding fails")))
            }
            _ => None,
        }
    }

    /// A finding that a new ticket names, and that another live ticket was made for.
    fn another_live(&self, properties: &Value) -> Option<String> {
        let live: BTreeSet<&u64> = self.live.values().flatten().collect();
        let tracked = |finding: &String| {
            let mut tickets = self.findings.iter().filter(|(id, _)| live.contains(id));
            tickets.any(|(_, findings)| findings.contains(finding))
        };
        let link = &properties["asaf.link"];
        findings_in(link).into_iter().find(tracked)
    }

    fn may_resolve(&self, finding: &str) -> bool {
        let gone = self.is_gone(finding);
        let by_people = self
            .twins(finding)
            .any(|id| self.resolved_by_people.contains(id));
        // A check that cannot be made does not say what it found before: the table takes the claim as it stands.
        let unclear =
            self.compliance.get(finding).and_then(Option::as_deref) == Some("NOT_AVAILABLE");
        let claims = self.tickets_of(finding);
        let claimed = unclear && claims.iter().any(|ticket| self.claimed.contains(ticket));
        self.stopped.contains(finding) || self.is_decided(finding) || claimed || by_people || gone
    }
}

/// The note names a rule that stood on the protected branch of a repository at that time, and had not ended. Rules are
/// read here without the engine's own reader.
fn is_by_merged_rule(note: &str, github: &GitHub, at: Timestamp) -> bool {
    let named = note
        .split_once("Ignore rule ")
        .and_then(|(_, rest)| rest.split([' ', '(']).next());
    let Some(named) = named else { return false };
    let today = at.strftime("%Y-%m-%d").to_string();
    github.repositories().any(|repo| {
        let commit = repo.stood(&repo.default_branch, at);
        let files = commit.into_iter().flat_map(|commit| &commit.files);
        files
            .filter(|(path, _)| path.ends_with(".toml"))
            .filter_map(|(_, (_, blob))| std::str::from_utf8(repo.blobs.get(blob)?).ok())
            .filter_map(|text| text.parse::<toml::Table>().ok())
            .any(|table| {
                let rules = table.get("ignore").and_then(toml::Value::as_array);
                rules.into_iter().flatten().any(|rule| {
                    rule.get("id").and_then(toml::Value::as_str) == Some(named)
                        && rule
                            .get("expires")
                            .is_some_and(|last| last.to_string() >= today)
                })
            })
    })
}

fn ours(world: &World) -> BTreeMap<u64, (String, Value)> {
    let issues = world.jira.issues();
    let marked = issues.filter_map(|issue| {
        let link = issue.property("asaf.link");
        Some((issue.id, (marker(&issue.labels)?, link.clone())))
    });
    marked.collect()
}

/// The first node of a document that the engine never makes.
fn foreign_node(document: &Value) -> Option<String> {
    match document {
        Value::Object(node) => {
            let kind = node.get("type").and_then(Value::as_str);
            let own =
                kind.is_none_or(|kind| NODES.contains(&kind) || matches!(kind, "em" | "link"));
            match (own, kind) {
                (false, Some(kind)) => Some(kind.to_owned()),
                _ => node.values().find_map(foreign_node),
            }
        }
        Value::Array(nodes) => nodes.iter().find_map(foreign_node),
        _ => None,
    }
}
