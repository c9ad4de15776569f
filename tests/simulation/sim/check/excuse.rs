//! What no engine can avoid: a write that was right when its run read, and not any more when it arrived, because
//! somebody acted in between. Each is counted by its name.

use std::collections::BTreeMap;

use asaf::emulators::journal::{Actor, Change, Entry, Violation};
use asaf::emulators::world::World;
use jiff::{SignedDuration, Timestamp};

pub(crate) struct Excuses<'a> {
    world: &'a World,
    runs: &'a [(usize, usize)],
    forgets: &'a [Timestamp],
    /// Where the journal was when the request behind a late change was sent.
    sent: &'a BTreeMap<u64, usize>,
    /// The resource that each ticket, and each finding, is about.
    of_ticket: BTreeMap<u64, String>,
    of_finding: BTreeMap<String, String>,
}

impl<'a> Excuses<'a> {
    pub(crate) fn of(
        world: &'a World,
        runs: &'a [(usize, usize)],
        forgets: &'a [Timestamp],
        sent: &'a BTreeMap<u64, usize>,
    ) -> Self {
        let (mut of_ticket, mut of_finding) = (BTreeMap::new(), BTreeMap::new());
        for entry in &world.journal.entries {
            match &entry.change {
                Change::TicketCreated { id, properties, .. } => {
                    let resource = properties["asaf.link"]["alias"]["resource"].as_str();
                    of_ticket.insert(*id, resource.unwrap_or_default().to_owned());
                }
                Change::FindingAppeared { id, resources, .. } => {
                    of_finding.insert(id.clone(), resources.first().cloned().unwrap_or_default());
                }
                _ => {}
            }
        }
        Excuses {
            world,
            runs,
            forgets,
            sent,
            of_ticket,
            of_finding,
        }
    }

    pub(crate) fn excuse(&self, violation: &Violation) -> Option<&'static str> {
        match violation.invariant.as_str() {
            "S2" | "S3" | "S4" | "S5" => {
                let entry = self.entry(violation)?;
                if violation.invariant == "S5" && self.world.journal.unheard.contains(&entry.seq) {
                    return Some("the request had been given up, or its receipt was lost");
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
        self.world.journal.entries[from..at]
            .iter()
            .any(|other| other.actor != Actor::Engine && self.subject(&other.change) == subject)
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
