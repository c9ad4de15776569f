//! What the audit remembers while it reads the journal: which tickets are live and what they track, what stopped, and what
//! people have decided.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::emulators::journal::{Actor, Change, Entry};

/// How our property says that a ticket is about more than one account or Region.
const SEVERAL_ACCOUNTS: &str = "several accounts";
const SEVERAL_REGIONS: &str = "several Regions";

/// Said of a ticket in the millisecond in which its finding began to fail, or in which somebody took back what had been
/// said: Jira's changelog does not tell what came first. Either may count.
const AT_ONCE: &str = "decided when it began to fail";

fn is_at_once(one: Timestamp, other: Timestamp) -> bool {
    one.as_millisecond() == other.as_millisecond()
}

/// What a ticket is about.
pub(super) struct About {
    account: String,
    rule: String,
    resource: String,
    /// Several findings share the ticket.
    shared: bool,
}

#[derive(Default)]
pub(super) struct State {
    /// Live tickets of each marker.
    pub(super) live: BTreeMap<String, BTreeSet<u64>>,
    pub(super) markers: BTreeMap<u64, String>,
    /// Findings of each ticket, by id, as they were when it was created.
    pub(super) findings: BTreeMap<u64, Vec<String>>,
    /// Account, control and resource of each ticket: findings that appear later may be of the same.
    pub(super) about: BTreeMap<u64, About>,
    /// Marker and property of tickets that carry them now: some were made by people and taken over later.
    pub(super) ours: BTreeMap<u64, (String, Value)>,
    /// The person's decision that a ticket stands on: closed by a reviewer, or resolved by anyone.
    pub(super) decided: BTreeMap<u64, &'static str>,
    /// When it was taken.
    pub(super) decided_at: BTreeMap<u64, Timestamp>,
    /// Findings that fail anew since that decision about the ticket that they share: it was not about them.
    pub(super) later: BTreeMap<u64, BTreeSet<String>>,
    /// Shared tickets that did not name all that failed when they were decided about: it may be reopened for the others.
    pub(super) not_for_all: BTreeSet<u64>,
    /// When what had been decided on a ticket last ceased to count.
    pub(super) undecided_at: BTreeMap<u64, Timestamp>,
    /// The tickets that stand on a person's word, whatever their findings have done since.
    pub(super) claimed: BTreeSet<u64>,
    /// Compliance as it was last evaluated.
    pub(super) compliance: BTreeMap<String, Option<String>>,
    /// Findings that stopped: passed, archived or removed.
    pub(super) stopped: BTreeSet<String>,
    pub(super) suppressed_by_people: BTreeSet<String>,
    /// Set RESOLVED or SUPPRESSED by people in this episode.
    pub(super) resolved_by_people: BTreeSet<String>,
    /// Findings that the engine has set and never heard that it did: setting them again is no needless write.
    pub(super) unheard: BTreeSet<String>,
    /// The ticket that our last note on a finding named.
    pub(super) noted: BTreeMap<String, String>,
    pub(super) resources: BTreeMap<String, Vec<String>>,
    pub(super) deleted: BTreeSet<String>,
}

impl State {
    /// The findings of one control and resource: they share a ticket, and a status.
    pub(super) fn twins<'a>(&'a self, finding: &'a str) -> impl Iterator<Item = &'a String> {
        let about = |id: &'a str| {
            let control = id.split("security-control/").nth(1)?.split('/').next()?;
            Some((control, self.resources.get(id)?.first()?))
        };
        let wanted = about(finding);
        let known = self.resources.keys();
        known.filter(move |id| *id == finding || (wanted.is_some() && about(id) == wanted))
    }

    /// Tickets that track a finding: they named it when they were created, or it is of the same control and resource.
    pub(super) fn tickets_of(&self, finding: &str) -> Vec<u64> {
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

    /// All its resources were deleted.
    pub(super) fn is_gone(&self, finding: &str) -> bool {
        let resources = self.resources.get(finding);
        resources.is_some_and(|all| all.iter().all(|arn| self.deleted.contains(arn)))
    }

    pub(super) fn resource_gone(&self, ticket: u64) -> bool {
        let findings = self.findings.get(&ticket);
        findings.is_some_and(|findings| {
            findings
                .iter()
                .filter_map(|id| self.resources.get(id))
                .flatten()
                .all(|arn| self.deleted.contains(arn))
        })
    }

    /// Takes an entry in. `unheard`: whoever made it does not know that it did.
    pub(super) fn take(&mut self, entry: &Entry, unheard: bool) {
        match &entry.change {
            Change::FindingAppeared {
                id,
                resources,
                stopped,
                ..
            } => self.appeared(id, resources, *stopped, entry.at),
            Change::FindingRemoved { id, .. } => {
                self.stopped.insert(id.clone());
            }
            Change::FindingEvaluated {
                id,
                compliance,
                record,
                ..
            } => self.evaluated(id, compliance.as_ref(), record, entry.at),
            Change::WorkflowSet { id, note, .. } if entry.actor == Actor::Engine => {
                self.set_by_the_engine(id, note.as_deref(), unheard);
            }
            Change::WorkflowSet { id, from, to, .. } => {
                self.set_by_others(id, (from, to), entry);
            }
            Change::ResourceDeleted { id, .. } => {
                self.deleted.insert(id.clone());
            }
            Change::TicketCreated {
                id,
                labels,
                properties,
                ..
            } => self.created(*id, labels, properties),
            Change::TicketDeleted { id, .. } => self.bury(*id),
            Change::TicketMoved { id, to, .. } => self.moved(*id, to, entry),
            Change::TicketEdited { .. } | Change::TicketCommented { .. } => {}
        }
    }

    fn appeared(&mut self, id: &str, resources: &[String], stopped: bool, at: Timestamp) {
        self.resources.insert(id.to_owned(), resources.to_vec());
        if stopped {
            self.stopped.insert(id.to_owned());
            return;
        }
        let is_alone = self.twins(id).count() == 1;
        for ticket in self.tickets_of(id) {
            self.undecided_at.insert(ticket, at);
            if self.was_decided_at_once(ticket, at) {
                self.decided
                    .entry(ticket)
                    .and_modify(|decided| *decided = AT_ONCE);
            } else if is_alone && self.is_shared(ticket) {
                self.later.entry(ticket).or_default().insert(id.to_owned());
            } else if let Some(decided) = self.decided.get_mut(&ticket) {
                // What fails under a new id may fail anew: reopening is no loss of what was decided about the old one.
                *decided = "of another finding";
            }
        }
    }

    fn evaluated(&mut self, id: &str, compliance: Option<&String>, record: &str, at: Timestamp) {
        let compliance = compliance.cloned();
        let stopped = record == "ARCHIVED" || compliance.as_deref() == Some("PASSED");
        // `FirstObservedAt` moves with compliance, so that the engine cannot tell a warning from a pass between.
        let before = self.compliance.insert(id.to_owned(), compliance.clone());
        let warns = compliance.as_deref() == Some("WARNING");
        let changed = before.map_or(warns, |before| before != compliance)
            && compliance.as_deref() != Some("NOT_AVAILABLE");
        if stopped {
            self.stopped.insert(id.to_owned());
        } else if self.stopped.remove(id) {
            self.begin_episode(id, at);
        } else if changed {
            // AWS itself takes a RESOLVED back when a finding passed and fails again: one that stands is of now.
            self.undecided(id, at);
        }
    }

    fn set_by_the_engine(&mut self, id: &str, note: Option<&str>, unheard: bool) {
        if unheard {
            self.unheard.insert(id.to_owned());
        } else {
            self.unheard.remove(id);
        }
        if let Some(named) = note.and_then(ticket_in) {
            self.noted.insert(id.to_owned(), named.to_owned());
        }
    }

    fn set_by_others(&mut self, id: &str, (from, to): (&str, &str), entry: &Entry) {
        match (&entry.actor, to) {
            (Actor::Person { .. } | Actor::AutomationRule, "SUPPRESSED" | "RESOLVED") => {
                self.suppressed_by_people.insert(id.to_owned());
                self.resolved_by_people.insert(id.to_owned());
                self.decide_all(id);
            }
            // What is archived beside one that fails says nothing of it.
            (Actor::Person { .. }, "NEW" | "NOTIFIED") if self.is_beside_others(id) => {}
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
        }
    }

    fn created(&mut self, id: u64, labels: &[String], properties: &Value) {
        let taken_over = self.ours.get(&id).cloned();
        let made = marker(labels).map(|marker| (marker, properties["asaf.link"].clone()));
        let Some((marker, link)) = made.or(taken_over) else {
            return;
        };
        self.live.entry(marker.clone()).or_default().insert(id);
        self.markers.insert(id, marker);
        self.findings.insert(id, findings_in(&link));
        let alias = &link["alias"];
        let text = |name: &str| alias[name].as_str().unwrap_or_default().to_owned();
        let about = About {
            account: text("account"),
            rule: text("rule"),
            resource: text("resource"),
            shared: text("region") == SEVERAL_REGIONS,
        };
        self.about.insert(id, about);
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
        let undecided = self.undecided_at.get(&id);
        let at_once = undecided.is_some_and(|at| is_at_once(*at, entry.at));
        self.decided_at.insert(id, entry.at);
        let decided = match (&entry.actor, to) {
            (Actor::Person { role, .. }, "Closed") if role == "reviewer" && at_once => {
                Some(AT_ONCE)
            }
            (Actor::Person { role, .. }, "Closed") if role == "reviewer" => Some("closed"),
            (Actor::Person { .. }, "Resolved") => Some("resolved"),
            (_, "Open" | "In Progress") => None,
            _ => return,
        };
        self.later.remove(&id);
        if self.is_shared(id) && self.has_unnamed(id) {
            self.not_for_all.insert(id);
        } else {
            self.not_for_all.remove(&id);
        }
        match decided {
            Some(decided) => {
                self.decided.insert(id, decided);
                self.claimed.insert(id);
            }
            None => {
                self.decided.remove(&id);
                self.claimed.remove(&id);
            }
        }
    }

    fn bury(&mut self, ticket: u64) {
        if let Some(marker) = self.markers.get(&ticket) {
            self.live.entry(marker.clone()).or_default().remove(&ticket);
        }
    }

    fn begin_episode(&mut self, finding: &str, at: Timestamp) {
        let twins: Vec<String> = self.twins(finding).cloned().collect();
        for twin in &twins {
            self.resolved_by_people.remove(twin);
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

    /// What was said on its tickets was about what it was before; of those that share one, the others' word stands.
    fn undecided(&mut self, finding: &str, at: Timestamp) {
        let twins: Vec<String> = self.twins(finding).cloned().collect();
        for ticket in self.tickets_of(finding) {
            self.undecided_at.insert(ticket, at);
            if self.was_decided_at_once(ticket, at) {
                self.decided
                    .entry(ticket)
                    .and_modify(|decided| *decided = AT_ONCE);
            } else if self.is_shared(ticket) {
                let later = self.later.entry(ticket).or_default();
                later.extend(twins.iter().cloned());
            } else {
                self.decided.remove(&ticket);
            }
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

    /// It has stopped, and another one of the same control and resource has not.
    fn is_beside_others(&self, finding: &str) -> bool {
        let mut twins = self.twins(finding);
        self.stopped.contains(finding) && twins.any(|id| !self.stopped.contains(id))
    }

    fn was_decided_at_once(&self, ticket: u64, at: Timestamp) -> bool {
        let decided = self.decided_at.get(&ticket);
        decided.is_some_and(|decided| is_at_once(*decided, at))
    }

    fn decide_all(&mut self, finding: &str) {
        for ticket in self.tickets_of(finding) {
            // Of those that share a ticket it is about this one.
            if !self.is_shared(ticket) {
                self.decided.insert(ticket, "resolved");
            }
        }
    }

    /// Something fails that the ticket was not made for, and that no note of ours says to be in a ticket.
    fn has_unnamed(&self, ticket: u64) -> bool {
        let named = self.findings.get(&ticket);
        let mut others = self.resources.keys().filter(|finding| {
            let is_named = named.is_some_and(|named| named.contains(finding));
            !is_named && !self.noted.contains_key(*finding) && !self.stopped.contains(*finding)
        });
        others.any(|finding| self.tickets_of(finding).contains(&ticket))
    }

    fn is_shared(&self, ticket: u64) -> bool {
        self.about.get(&ticket).is_some_and(|about| about.shared)
    }

    /// A person has decided about a ticket of the finding, and it has not begun to fail anew since.
    pub(super) fn is_decided(&self, finding: &str) -> bool {
        let about_it = |ticket: &u64| {
            let later = self.later.get(ticket);
            !later.is_some_and(|later| later.contains(finding))
        };
        let tickets = self.tickets_of(finding);
        let mut decided = tickets
            .iter()
            .filter(|ticket| self.decided.contains_key(ticket));
        decided.any(about_it)
    }

    /// A reviewer has closed the ticket, and nothing that it tracks has begun to fail anew since; what fails although its
    /// resource was deleted has.
    pub(super) fn is_closed_for_good(&self, ticket: u64) -> bool {
        let anew = self
            .later
            .get(&ticket)
            .is_some_and(|later| !later.is_empty());
        let for_all = !self.not_for_all.contains(&ticket);
        let closed = self.decided.get(&ticket) == Some(&"closed");
        closed && !anew && for_all && !self.fails_without_resource(ticket)
    }

    fn fails_without_resource(&self, ticket: u64) -> bool {
        let fails = |finding: &&String| !self.stopped.contains(*finding) && self.is_gone(finding);
        let mut failing = self.resources.keys().filter(fails);
        failing.any(|finding| self.tickets_of(finding).contains(&ticket))
    }
}

pub(super) fn marker(labels: &[String]) -> Option<String> {
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
pub(super) fn ticket_in(note: &str) -> Option<&str> {
    let named = note.strip_prefix("Tracked in ").unwrap_or(note);
    let key = named.split([':', '.']).next()?;
    let (project, number) = key.split_once('-')?;
    let is_project = project
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let is_key = is_project && number.parse::<u64>().is_ok();
    is_key.then_some(key)
}

pub(super) fn findings_in(link: &Value) -> Vec<String> {
    let list = link["findings"].as_array();
    list.into_iter()
        .flatten()
        .filter_map(|finding| finding["id"].as_str().map(str::to_owned))
        .collect()
}
