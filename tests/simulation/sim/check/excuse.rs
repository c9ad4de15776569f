//! What no engine can avoid: a write that was right when its run read, and not any more when it arrived, because
//! somebody acted in between. Each is counted by its name.

use std::collections::{BTreeMap, BTreeSet};

use asaf::emulators::journal::{Actor, Change, Entry, Violation};
use asaf::emulators::world::World;
use jiff::{SignedDuration, Timestamp};

/// The oldest that a stale read is.
const STALEST_READ: SignedDuration = SignedDuration::from_mins(5);

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
                    let alias = &properties["asaf.link"]["alias"];
                    let part = |name: &str| alias[name].as_str().unwrap_or_default();
                    let about = match part("region") {
                        "several Regions" => group(part("account"), part("rule")),
                        _ => part("resource").to_owned(),
                    };
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
        }
    }

    pub(crate) fn excuse(&self, violation: &Violation) -> Option<&'static str> {
        match violation.invariant.as_str() {
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

    /// Somebody set the same status so shortly before that a read may not have shown it.
    fn was_set_just_before(&self, entry: &Entry) -> bool {
        let Change::WorkflowSet { id, to, .. } = &entry.change else {
            return false;
        };
        let at = usize::try_from(entry.seq).unwrap();
        let earlier = self.world.journal.entries[..at].iter().rev();
        earlier
            .take_while(|other| entry.at.duration_since(other.at) <= STALEST_READ)
            .filter(|other| other.actor != Actor::Engine)
            .any(|other| {
                matches!(&other.change, Change::WorkflowSet { id: of, to: set, .. } if of == id && set == to)
            })
    }

    /// Our own RESOLVED was the last status before somebody's.
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
        theirs && before.is_some_and(|(actor, to)| *actor == Actor::Engine && to == "RESOLVED")
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
