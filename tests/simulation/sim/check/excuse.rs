//! What no engine can avoid: a write that was right when its run read, and not any more when it arrived, because
//! somebody acted in between. Each is counted by its name.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use asaf::emulators::journal::{Actor, Change, Entry, Violation};
use asaf::emulators::world::World;
use jiff::{SignedDuration, Timestamp};

/// The older of two tickets.
const HIDDEN: &str = "a search did not show the ticket, and the store that knew of it was lost";

/// The oldest that a stale read is (five minutes), and the write that follows it.
const STALEST_READ: SignedDuration = SignedDuration::from_mins(7);

pub(crate) struct Excuses<'a> {
    world: &'a World,
    runs: &'a [(usize, usize)],
    forgets: &'a [Timestamp],
    /// Where the journal was when the request behind a late change was sent.
    sent: &'a BTreeMap<u64, usize>,
    /// A store was lost, or an older one restored.
    store_was_lost: bool,
    /// The resource that each ticket, and each finding, is about.
    of_ticket: BTreeMap<u64, String>,
    of_finding: BTreeMap<String, String>,
    /// What the findings of a resource may share a ticket about: accounts and controls, as [`group`] writes them.
    of_resource: BTreeMap<String, BTreeSet<String>>,
    /// What was excused.
    used: RefCell<Vec<String>>,
}

/// What a shared ticket is about, of an account and a control; a finding's id has both.
fn group(account: &str, control: &str) -> String {
    format!("{account} {}", control.to_lowercase())
}

fn group_of(finding: &str) -> Option<String> {
    let parts: Vec<&str> = finding.split([':', '/']).collect();
    Some(group(parts.get(4)?, parts.get(6)?))
}

impl<'a> Excuses<'a> {
    pub(crate) fn of(
        world: &'a World,
        runs: &'a [(usize, usize)],
        forgets: &'a [Timestamp],
        sent: &'a BTreeMap<u64, usize>,
        store_was_lost: bool,
    ) -> Self {
        let (mut of_ticket, mut of_finding) = (BTreeMap::new(), BTreeMap::new());
        let mut of_resource: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for entry in &world.journal.entries {
            match &entry.change {
                Change::TicketCreated { id, properties, .. } => {
                    let link = &properties["asaf.link"];
                    let part = |name: &str| link["alias"][name].as_str().unwrap_or_default();
                    let about = match part("region") {
                        "several Regions" => group(part("account"), part("rule")),
                        _ => part("resource").to_owned(),
                    };
                    for member in link["members"].as_array().into_iter().flatten() {
                        let resource = member["alias"]["resource"].as_str().unwrap_or_default();
                        let groups = of_resource.entry(resource.to_owned()).or_default();
                        groups.insert(about.clone());
                    }
                    of_ticket.insert(*id, about);
                }
                Change::FindingAppeared { id, resources, .. } => {
                    let resource = resources.first().cloned().unwrap_or_default();
                    let groups = of_resource.entry(resource.clone()).or_default();
                    groups.extend(group_of(id));
                    of_finding.insert(id.clone(), resource);
                }
                _ => {}
            }
        }
        Excuses {
            world,
            runs,
            forgets,
            sent,
            store_was_lost,
            of_ticket,
            of_finding,
            of_resource,
            used: RefCell::default(),
        }
    }

    /// What was excused so far, for the counts.
    pub(crate) fn used(&self) -> Vec<String> {
        self.used.take()
    }

    fn note(&self, invariant: &str, why: &str) {
        self.used
            .borrow_mut()
            .push(format!("{invariant} excused: {why}"));
    }

    /// Whether a violation of the journal is excused.
    pub(crate) fn excuses(&self, violation: &Violation) -> bool {
        let why = self.excuse(violation);
        if let Some(why) = why {
            self.note(&violation.invariant, why);
        }
        why.is_some()
    }

    /// Whether a ticket may stand beside another one of the same finding.
    pub(crate) fn may_be_second(&self, ticket: u64) -> bool {
        let hidden = self.was_hidden(ticket);
        if hidden {
            self.note("S1", HIDDEN);
        }
        hidden
    }

    /// Whether a ticket may be closed although who closed it may not: a reviewer had closed it before, somebody opened it
    /// again, and the engine did not look between.
    pub(crate) fn may_stay_closed(&self, ticket: u64) -> bool {
        let moves = self.world.journal.entries.iter().rev();
        let mut moves = moves.filter_map(|entry| match &entry.change {
            Change::TicketMoved { id, to, .. } if *id == ticket => Some((entry, to.as_str())),
            _ => None,
        });
        let (mut opened, mut last) = (None, None);
        let accepted = moves.find(|(entry, to)| {
            let by_reviewer =
                matches!(&entry.actor, Actor::Person { role, .. } if role == "reviewer");
            // What we close, we close for a reviewer.
            let ours = entry.actor == Actor::Engine;
            let closed = (by_reviewer || ours) && *to == "Closed";
            last = last.or(Some(entry.seq));
            opened = if closed { opened } else { Some(entry.seq) };
            closed || ours
        });
        let closed = accepted.is_some_and(|(_, to)| to == "Closed");
        let [from, to] = [opened, last].map(|at| usize::try_from(at.unwrap_or_default()).unwrap());
        let about = self.of_ticket.get(&ticket).map(String::as_str);
        let mut begun = self.runs.iter().filter(|(run, _)| from < *run && *run < to);
        let looked = begun.any(|(run, end)| {
            let mut entries = self.world.journal.entries[*run..to.min(*end)].iter();
            entries.any(|e| e.actor == Actor::Engine && self.subject(&e.change) == about)
        });
        let stays = closed && !looked;
        if stays {
            self.note(
                "S2",
                "closed again before the engine had seen that it was reopened",
            );
        }
        stays
    }

    /// A search left the ticket out, and the store that knew of it was lost.
    fn was_hidden(&self, ticket: u64) -> bool {
        self.store_was_lost && self.world.jira.left_out.contains(&ticket)
    }

    fn excuse(&self, violation: &Violation) -> Option<&'static str> {
        match violation.invariant.as_str() {
            "S1" => self
                .older(violation)
                .any(|ticket| self.was_hidden(ticket))
                .then_some(HIDDEN),
            "S2" | "S3" | "S4" | "S5" => {
                let entry = self.entry(violation)?;
                if violation.invariant == "S5" && self.world.journal.unheard.contains(&entry.seq) {
                    return Some("the request had been given up, or its receipt was lost");
                }
                if violation.invariant == "S5" && self.was_set_just_before(entry) {
                    return Some("a read did not show yet what somebody had set");
                }
                if violation.invariant == "S2" && self.store_was_lost && self.was_taken_back(entry)
                {
                    return Some(
                        "the store that knew of the status that somebody took back was lost",
                    );
                }
                if violation.invariant == "S2" && self.stopped_unseen(entry) {
                    return Some(
                        "it was active again before the engine did anything about its archival",
                    );
                }
                self.changed_meanwhile(entry)
                    .then_some("it changed while the run was under way")
            }
            // A process that was born, whose clock jumped, or that was not told, within the longest window.
            "S6" => {
                let window = SignedDuration::from_mins(15);
                let near = |at: &&Timestamp| {
                    **at <= violation.at && violation.at.duration_since(**at) < window
                };
                self.forgets
                    .iter()
                    .find(near)
                    .map(|_| "the process was killed, its clock jumped, or it did not hear that it must wait")
            }
            _ => None,
        }
    }

    /// The tickets that name a finding which a new one names too.
    fn older(&self, violation: &Violation) -> impl Iterator<Item = u64> {
        let named = |change: &Change| match change {
            Change::TicketCreated { id, properties, .. } => {
                let link = &properties["asaf.link"];
                let findings = link["findings"].as_array().into_iter().flatten();
                let ids = findings.filter_map(|finding| finding["id"].as_str().map(str::to_owned));
                Some((*id, ids.collect::<BTreeSet<_>>()))
            }
            _ => None,
        };
        let new = self.entry(violation);
        let new = new
            .and_then(|entry| named(&entry.change))
            .unwrap_or_default();
        let created = self.world.journal.entries.iter();
        let created = created.filter_map(move |entry| named(&entry.change));
        created
            .filter(move |(id, findings)| *id < new.0 && !findings.is_disjoint(&new.1))
            .map(|(id, _)| id)
    }

    /// The engine's change that a violation is about.
    fn entry(&self, violation: &Violation) -> Option<&'a Entry> {
        let named = violation.what.split(' ').next()?;
        let entries = self.world.journal.entries.iter();
        entries
            .filter(|entry| entry.at == violation.at && entry.actor == Actor::Engine)
            .find(|entry| match &entry.change {
                Change::WorkflowSet { id, .. } => id == named,
                Change::TicketMoved { key, .. }
                | Change::TicketDeleted { key, .. }
                | Change::TicketCreated { key, .. } => key == named,
                _ => false,
            })
    }

    /// Somebody set a status so shortly before the run read it that a read may show neither that nor what we wrote since; or
    /// we did, and the store that knew of it was lost, or another finding of the resource appeared since.
    fn was_set_just_before(&self, entry: &Entry) -> bool {
        let Change::WorkflowSet { id, .. } = &entry.change else {
            return false;
        };
        let at = usize::try_from(entry.seq).unwrap();
        let read_at = self.began_at(entry);
        let earlier = self.world.journal.entries[..at].iter().rev();
        let mut appeared = false;
        earlier
            .take_while(|other| read_at.duration_since(other.at) <= STALEST_READ)
            .any(|other| match &other.change {
                Change::WorkflowSet { id: of, .. } if of == id => {
                    other.actor != Actor::Engine || self.store_was_lost || appeared
                }
                Change::FindingAppeared { id: of, .. } => {
                    appeared |= of != id && self.of_finding.get(of) == self.of_finding.get(id);
                    false
                }
                _ => false,
            })
    }

    /// When the run that made a change began, at the earliest: the last change before it.
    fn began_at(&self, entry: &Entry) -> Timestamp {
        let at = usize::try_from(entry.seq).unwrap();
        let runs = self
            .runs
            .iter()
            .filter(|(from, to)| *from <= at && at < *to);
        let from = runs.map(|(from, _)| *from).min().unwrap_or(at);
        let before = from.checked_sub(1).map(|n| &self.world.journal.entries[n]);
        before.map_or(entry.at, |before| before.at)
    }

    /// RESOLVED, ours or one that we knew of, was the last status before somebody's.
    fn was_taken_back(&self, entry: &Entry) -> bool {
        let Change::WorkflowSet { id, .. } = &entry.change else {
            return false;
        };
        let at = usize::try_from(entry.seq).unwrap();
        let mut earlier = self.world.journal.entries[..at]
            .iter()
            .rev()
            .filter_map(|other| match &other.change {
                Change::WorkflowSet { id: of, to, .. } if of == id => Some((&other.actor, to)),
                _ => None,
            });
        let last = earlier.next();
        let theirs = last.is_some_and(|(actor, _)| *actor != Actor::Engine);
        let before = earlier.next();
        theirs && before.is_some_and(|(_, to)| to == "RESOLVED")
    }

    /// The finding was archived and became active again before we set it RESOLVED for that, and nothing that a read shows
    /// tells of it.
    fn stopped_unseen(&self, entry: &Entry) -> bool {
        let Change::WorkflowSet { id, .. } = &entry.change else {
            return false;
        };
        let at = usize::try_from(entry.seq).unwrap();
        let mut earlier = self.world.journal.entries[..at].iter().rev();
        let mut record = || {
            earlier.find_map(|other| match &other.change {
                Change::FindingEvaluated { id: of, record, .. } if of == id => {
                    Some(record.as_str())
                }
                Change::WorkflowSet { id: of, .. } if of == id && other.actor == Actor::Engine => {
                    Some("written")
                }
                _ => None,
            })
        };
        record() == Some("ACTIVE") && record() == Some("ARCHIVED")
    }

    fn changed_meanwhile(&self, entry: &Entry) -> bool {
        let at = usize::try_from(entry.seq).unwrap();
        // A straggler belongs to the run that gave it up.
        let (first, end) = self
            .sent
            .get(&entry.seq)
            .map_or((at, at + 1), |sent| (*sent, *sent));
        let run = self
            .runs
            .iter()
            .filter(|(from, to)| *from <= first && end <= *to);
        let Some(from) = run.map(|(from, _)| *from).min() else {
            return false;
        };
        let subject = self.subject(&entry.change);
        let same = |other: Option<&str>| {
            let shares = |a: Option<&str>, b: Option<&str>| {
                let groups = a.and_then(|resource| self.of_resource.get(resource));
                b.is_some_and(|b| groups.is_some_and(|groups| groups.contains(b)))
            };
            other == subject || shares(other, subject) || shares(subject, other)
        };
        self.world.journal.entries[from..at]
            .iter()
            .any(|other| other.actor != Actor::Engine && same(self.subject(&other.change)))
    }

    /// The resource that a change is about.
    fn subject<'c>(&'c self, change: &'c Change) -> Option<&'c str> {
        let found = match change {
            Change::FindingAppeared { id, .. }
            | Change::FindingRemoved { id, .. }
            | Change::FindingEvaluated { id, .. }
            | Change::WorkflowSet { id, .. } => self.of_finding.get(id),
            Change::ResourceDeleted { id, .. } => Some(id),
            Change::TicketCreated { id, .. }
            | Change::TicketMoved { id, .. }
            | Change::TicketEdited { id, .. }
            | Change::TicketCommented { id, .. }
            | Change::TicketDeleted { id, .. } => self.of_ticket.get(id),
        };
        found.map(String::as_str)
    }
}
