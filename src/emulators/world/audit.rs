//! The invariants S1 to S7, checked over everything that happened in a world.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::World;
use crate::emulators::github::GitHub;
use crate::emulators::journal::{Actor, Change, Entry, Violation};

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

/// How our property says that a ticket is about more than one account or Region.
const SEVERAL_ACCOUNTS: &str = "several accounts";
const SEVERAL_REGIONS: &str = "several Regions";

/// What a ticket is about.
struct About {
    account: String,
    rule: String,
    resource: String,
    /// Several findings share the ticket.
    shared: bool,
}

#[derive(Default)]
struct State {
    /// Live tickets of each marker.
    live: BTreeMap<String, BTreeSet<u64>>,
    markers: BTreeMap<u64, String>,
    /// Findings of each ticket, by id, as they were when it was created.
    findings: BTreeMap<u64, Vec<String>>,
    /// Account, control and resource of each ticket: findings that appear later may be of the same.
    about: BTreeMap<u64, About>,
    /// Marker and property of tickets that carry them now: some were made by people and taken over later.
    ours: BTreeMap<u64, (String, Value)>,
    /// The person's decision that a ticket stands on: closed by a reviewer, or resolved by anyone.
    decided: BTreeMap<u64, &'static str>,
    /// When what had been decided on a ticket last ceased to count.
    undecided_at: BTreeMap<u64, Timestamp>,
    /// The same, whatever the finding has done since.
    claimed: BTreeSet<u64>,
    /// Compliance as it was last evaluated.
    compliance: BTreeMap<String, Option<String>>,
    /// Findings that stopped: passed, archived or removed.
    stopped: BTreeSet<String>,
    suppressed_by_people: BTreeSet<String>,
    /// Set RESOLVED or SUPPRESSED by people in this episode.
    resolved_by_people: BTreeSet<String>,
    /// Findings that the engine has set and never heard that it did: setting them again is no needless write.
    unheard: BTreeSet<String>,
    /// The ticket that our last note on a finding named.
    noted: BTreeMap<String, String>,
    resources: BTreeMap<String, Vec<String>>,
    deleted: BTreeSet<String>,
}

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
        let is_unheard = world.journal.unheard.contains(&entry.seq);
        if let (Change::WorkflowSet { id, .. }, Actor::Engine) = (&entry.change, &entry.actor) {
            if is_unheard {
                state.unheard.insert(id.clone());
            } else {
                state.unheard.remove(id);
            }
        }
        state.take(entry);
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
        let engine = entry.actor == Actor::Engine;
        match &entry.change {
            Change::TicketCreated {
                key,
                labels,
                properties,
                ..
            } if engine => {
                if let Some(other) = self.another_live(properties) {
                    return Some((
                        "S1",
                        format!("{key} tracks {other}, and a live ticket does"),
                    ));
                }
                let live = marker(labels)
                    .and_then(|marker| self.live.get(&marker))
                    .map_or(0, BTreeSet::len);
                (live > 0).then(|| {
                    (
                        "S1",
                        format!("{key} is a second live ticket for one finding"),
                    )
                })
            }
            Change::WorkflowSet {
                id, from, to, note, ..
            } if engine && from == to => {
                let named = note.as_deref().and_then(ticket_in);
                // Its ticket has another key now, or it is in another ticket.
                let corrects = named.is_some_and(|named| {
                    let before = self.noted.get(id);
                    to == "NOTIFIED" && before.is_some_and(|before| before != named)
                });
                let needless = !self.unheard.contains(id) && !corrects;
                needless.then(|| ("S5", format!("{id} was set to {to}, which it was")))
            }
            Change::WorkflowSet { id, to, .. } if engine && to == "RESOLVED" => (!self
                .may_resolve(id))
            .then(|| ("S2", format!("{id} was set to RESOLVED without a decision"))),
            Change::WorkflowSet { id, to, note, .. } if engine && to == "SUPPRESSED" => {
                let allowed = self
                    .twins(id)
                    .any(|id| self.suppressed_by_people.contains(id))
                    || note
                        .as_deref()
                        .is_some_and(|note| is_by_merged_rule(note, github, entry.at));
                (!allowed).then(|| ("S2", format!("{id} was set to SUPPRESSED without a rule")))
            }
            Change::TicketDeleted { id, key } if engine => (!self.resource_gone(*id))
                .then(|| ("S3", format!("{key} was deleted while its resource exists"))),
            Change::TicketMoved { id, key, from, to }
                if engine && from == "Closed" && to == "Open" =>
            {
                let kept = self.decided.get(id) == Some(&"closed");
                kept.then(|| {
                    (
                        "S4",
                        format!(
                            "{key} was reopened although a reviewer had closed it in this episode"
                        ),
                    )
                })
            }
            Change::TicketMoved { id, key, from, to }
                if engine
                    && to == "Resolved"
                    && matches!(from.as_str(), "Open" | "In Progress") =>
            {
                let stands = self
                    .resources
                    .keys()
                    .filter(|finding| self.tickets_of(finding).contains(id));
                let stands: Vec<&String> = stands.collect();
                let why =
                    !stands.is_empty() && !stands.iter().any(|finding| self.may_resolve(finding));
                why.then(|| ("S3", format!("{key} was resolved while its finding fails")))
            }
            Change::TicketCommented { key, body, .. } if engine => foreign_node(body)
                .map(|node| ("S7", format!("a comment on {key} has a {node} node"))),
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
        let decided = self
            .tickets_of(finding)
            .iter()
            .any(|ticket| self.decided.contains_key(ticket));
        let gone = self
            .resources
            .get(finding)
            .is_some_and(|all| all.iter().all(|arn| self.deleted.contains(arn)));
        let by_people = self
            .twins(finding)
            .any(|id| self.resolved_by_people.contains(id));
        // A check that cannot be made does not say what it found before: the table takes the claim as it stands.
        let unclear =
            self.compliance.get(finding).and_then(Option::as_deref) == Some("NOT_AVAILABLE");
        let claims = self.tickets_of(finding);
        let claimed = unclear && claims.iter().any(|ticket| self.claimed.contains(ticket));
        self.stopped.contains(finding) || decided || claimed || by_people || gone
    }

    /// The findings of one control and resource: they share a ticket, and a status.
    fn twins<'a>(&'a self, finding: &'a str) -> impl Iterator<Item = &'a String> {
        let about = |id: &'a str| {
            let control = id.split("security-control/").nth(1)?.split('/').next()?;
            Some((control, self.resources.get(id)?.first()?))
        };
        let wanted = about(finding);
        let known = self.resources.keys();
        known.filter(move |id| *id == finding || (wanted.is_some() && about(id) == wanted))
    }

    /// Tickets that track a finding: they named it when they were created, or it is of the same control and resource.
    fn tickets_of(&self, finding: &str) -> Vec<u64> {
        let resource = self.resources.get(finding).and_then(|all| all.first());
        let is_of = |ticket: &u64, findings: &[String]| {
            let named = findings.iter().any(|id| id == finding);
            let id = finding.to_lowercase();
            let same = self.about.get(ticket).is_some_and(|about| {
                let there = resource == Some(&about.resource) || about.shared;
                let account = !about.shared
                    || about.account == SEVERAL_ACCOUNTS
                    || id.contains(&about.account);
                there && account && id.contains(&format!("/{}/", about.rule))
            });
            named || same
        };
        let tickets = self.findings.iter();
        let tickets = tickets.filter(|(ticket, findings)| is_of(ticket, findings));
        tickets.map(|(ticket, _)| *ticket).collect()
    }

    fn resource_gone(&self, ticket: u64) -> bool {
        let findings = self.findings.get(&ticket);
        findings.is_some_and(|findings| {
            findings
                .iter()
                .filter_map(|id| self.resources.get(id))
                .flatten()
                .all(|arn| self.deleted.contains(arn))
        })
    }

    fn take(&mut self, entry: &Entry) {
        match &entry.change {
            Change::FindingAppeared {
                id,
                resources,
                stopped,
                ..
            } => {
                self.resources.insert(id.clone(), resources.clone());
                if *stopped {
                    self.stopped.insert(id.clone());
                    return;
                }
                // What fails under a new id may fail anew: reopening is no loss of what was decided about the old one.
                self.doubt(id, "of another finding");
            }
            Change::FindingRemoved { id, .. } => {
                self.stopped.insert(id.clone());
            }
            Change::FindingEvaluated {
                id,
                compliance,
                record,
                ..
            } => {
                let stopped = record == "ARCHIVED" || compliance.as_deref() == Some("PASSED");
                // `FirstObservedAt` moves with compliance, so that the engine cannot tell a warning from a pass between.
                let before = self.compliance.insert(id.clone(), compliance.clone());
                let warns = compliance.as_deref() == Some("WARNING");
                let changed = before.map_or(warns, |before| before != *compliance)
                    && compliance.as_deref() != Some("NOT_AVAILABLE");
                if stopped {
                    self.stopped.insert(id.clone());
                } else if self.stopped.remove(id) {
                    self.begin_episode(id, entry.at);
                } else if changed {
                    // AWS itself takes a RESOLVED back when a finding passed and fails again: one that stands is of now.
                    self.undecided(id, entry.at);
                }
            }
            Change::WorkflowSet {
                id,
                note: Some(note),
                ..
            } if entry.actor == Actor::Engine => {
                if let Some(named) = ticket_in(note) {
                    self.noted.insert(id.clone(), named.to_owned());
                }
            }
            Change::WorkflowSet { id, from, to, .. } => match (&entry.actor, to.as_str()) {
                (Actor::Person { .. } | Actor::AutomationRule, "SUPPRESSED" | "RESOLVED") => {
                    self.suppressed_by_people.insert(id.clone());
                    self.resolved_by_people.insert(id.clone());
                    self.decide_all(id);
                }
                // The console took it back: what had been decided no longer counts. An engine that never heard that it had
                // written may not know that, and may also know it from the history.
                (Actor::Person { .. }, "NEW" | "NOTIFIED") if from == "RESOLVED" => {
                    if self.unheard.contains(id) {
                        self.doubt(id, "taken back");
                    } else {
                        self.begin_episode(id, entry.at);
                    }
                }
                (Actor::Person { .. }, "NEW" | "NOTIFIED") if from == "SUPPRESSED" => {
                    self.show_again(id);
                }
                _ => {}
            },
            Change::ResourceDeleted { id, .. } => {
                self.deleted.insert(id.clone());
            }
            Change::TicketCreated {
                id,
                labels,
                properties,
                ..
            } => {
                let taken_over = self.ours.get(id).cloned();
                let made = marker(labels).map(|marker| (marker, properties["asaf.link"].clone()));
                let Some((marker, link)) = made.or(taken_over) else {
                    return;
                };
                self.live.entry(marker.clone()).or_default().insert(*id);
                self.markers.insert(*id, marker);
                self.findings.insert(*id, findings_in(&link));
                let alias = &link["alias"];
                let text = |name: &str| alias[name].as_str().unwrap_or_default().to_owned();
                let about = About {
                    account: text("account"),
                    rule: text("rule"),
                    resource: text("resource"),
                    shared: text("region") == SEVERAL_REGIONS,
                };
                self.about.insert(*id, about);
            }
            Change::TicketDeleted { id, .. } => self.bury(*id),
            Change::TicketMoved { id, to, .. } => self.moved(*id, to, entry),
            Change::TicketEdited { .. } | Change::TicketCommented { .. } => {}
        }
    }

    fn moved(&mut self, id: u64, to: &str, entry: &Entry) {
        if let Some(marker) = self.markers.get(&id) {
            let live = self.live.entry(marker.clone()).or_default();
            if to == "Closed" {
                live.remove(&id);
            } else {
                live.insert(id);
            }
        }
        match (&entry.actor, to) {
            (Actor::Person { role, .. }, "Closed") if role == "reviewer" => {
                // Whether it was closed before or after it began to fail again in the same instant, nobody can tell.
                let tie = self.undecided_at.get(&id) == Some(&entry.at);
                let closed = if tie { "closed at once" } else { "closed" };
                self.decided.insert(id, closed);
                self.claimed.insert(id);
            }
            (Actor::Person { .. }, "Resolved") => {
                self.decided.insert(id, "resolved");
                self.claimed.insert(id);
            }
            (_, "Open" | "In Progress") => {
                self.decided.remove(&id);
                self.claimed.remove(&id);
            }
            _ => {}
        }
    }

    fn bury(&mut self, ticket: u64) {
        if let Some(marker) = self.markers.get(&ticket) {
            self.live.entry(marker.clone()).or_default().remove(&ticket);
        }
    }

    fn begin_episode(&mut self, finding: &str, at: Timestamp) {
        let twins: Vec<String> = self.twins(finding).cloned().collect();
        for twin in twins {
            self.resolved_by_people.remove(&twin);
        }
        self.undecided(finding, at);
    }

    /// What was said on its tickets may count, and need not.
    fn doubt(&mut self, finding: &str, why: &'static str) {
        for ticket in self.tickets_of(finding) {
            if let Some(decided) = self.decided.get_mut(&ticket) {
                *decided = why;
            }
        }
    }

    /// What was said on its tickets was about what it was before.
    fn undecided(&mut self, finding: &str, at: Timestamp) {
        for ticket in self.tickets_of(finding) {
            self.decided.remove(&ticket);
            self.undecided_at.insert(ticket, at);
        }
    }

    /// It is ignored no more; what somebody said on a ticket was not about that, and stands.
    fn show_again(&mut self, finding: &str) {
        let twins: Vec<String> = self.twins(finding).cloned().collect();
        for twin in twins {
            self.resolved_by_people.remove(&twin);
        }
        for ticket in self.tickets_of(finding) {
            if !self.claimed.contains(&ticket) {
                self.decided.remove(&ticket);
            }
        }
    }

    fn decide_all(&mut self, finding: &str) {
        for ticket in self.tickets_of(finding) {
            self.decided.insert(ticket, "resolved");
        }
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

fn marker(labels: &[String]) -> Option<String> {
    labels
        .iter()
        .find(|label| {
            label
                .strip_prefix("asaf-")
                .is_some_and(|hash| hash.len() == 32)
        })
        .cloned()
}

/// The ticket that a note of ours names: `PAY-7: …` or `Tracked in PAY-7. …`.
fn ticket_in(note: &str) -> Option<&str> {
    let named = note.strip_prefix("Tracked in ").unwrap_or(note);
    let key = named.split([':', '.']).next()?;
    let (project, number) = key.split_once('-')?;
    let is_project = project
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let is_key = is_project && number.parse::<u64>().is_ok();
    is_key.then_some(key)
}

fn ours(world: &World) -> BTreeMap<u64, (String, Value)> {
    let issues = world.jira.issues();
    let marked = issues.filter_map(|issue| {
        let link = issue.property("asaf.link");
        Some((issue.id, (marker(&issue.labels)?, link.clone())))
    });
    marked.collect()
}

fn findings_in(link: &Value) -> Vec<String> {
    let list = link["findings"].as_array();
    list.into_iter()
        .flatten()
        .filter_map(|finding| finding["id"].as_str().map(str::to_owned))
        .collect()
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
