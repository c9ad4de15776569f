//! What the store says afterwards: the audit log's chain holds and its replay ends in the world's state, and the day's
//! figures are what a recount finds.

use std::collections::BTreeMap;

use asaf::model::{BaseTicket, Link};
use asaf::store::Store;
use asaf::store::sqlite::Sqlite;

use crate::sim::stage::Stage;

impl Stage {
    /// `settled`: nothing is held or unclear, so every link says how things stand.
    pub(crate) async fn check_records(&mut self, store: &Sqlite, settled: bool) {
        if let Err(error) = store.verify_audit().await {
            self.violations.push(format!("audit log: {error}"));
        }
        let links = store.links().await.unwrap();
        let today = self.scene.clock.now().strftime("%Y-%m-%d").to_string();
        let counted: BTreeMap<String, u64> = sums(store.history(&today, &today).await.unwrap());
        let recounted = self.recount(&links);
        for state in ["open", "resolved", "closed", "ignored"]
            .into_iter()
            .filter(|_| settled)
        {
            let (said, is) = (counted.get(state), recounted.get(state));
            if said != is {
                self.violations.push(format!(
                    "figures: {state} is {said:?}, a recount finds {is:?}"
                ));
            }
        }
        for link in &links {
            let replayed = store.audit_of(&link.marker).await.unwrap();
            let Some(last) = replayed.last() else {
                continue;
            };
            if let Some(what) = self.replay(link, last) {
                self.violations.push(what);
            }
        }
    }

    /// Tickets by state, as Jira shows those that links name.
    fn recount(&self, links: &[Link]) -> BTreeMap<String, u64> {
        let world = self.scene.world.lock();
        let mut found = BTreeMap::new();
        for link in links {
            let issue = link
                .ticket
                .as_ref()
                .and_then(|at| world.jira.issue(&at.id.to_string()));
            let Some(issue) = issue.filter(|_| link.base.is_some()) else {
                continue;
            };
            let state = match world.jira.status_name(issue.status).as_str() {
                "Open" | "In Progress" => "open",
                "Resolved" => "resolved",
                "Closed" => "closed",
                _ => "ignored",
            };
            *found.entry(state.to_owned()).or_default() += 1;
        }
        found
    }

    /// The last entry says how it stands, unless somebody else has moved the ticket since.
    fn replay(&self, link: &Link, last: &asaf::store::AuditEntry) -> Option<String> {
        use asaf::emulators::journal::{Actor, Change};
        let world = self.scene.world.lock();
        let at = link.ticket.as_ref()?;
        let issue = world.jira.issue(&at.id.to_string())?;
        let of_ticket = |change: &Change| match change {
            Change::TicketMoved { id, .. } | Change::TicketCreated { id, .. } => *id == at.id,
            _ => false,
        };
        let moved = world
            .journal
            .entries
            .iter()
            .rev()
            .find(|entry| of_ticket(&entry.change))?;
        // A move without a receipt (its process died first) has no entry: the next run finds it done.
        let heard = !world.journal.unheard.contains(&moved.seq);
        if moved.actor != Actor::Engine || !heard || self.store_was_lost {
            return None;
        }
        let said = last.after.as_deref()?.split(',').next()?.to_owned();
        let is = match (
            &link.base.as_ref()?.ticket,
            world.jira.status_name(issue.status).as_str(),
        ) {
            (BaseTicket::Is(_), "Open" | "In Progress") => "open",
            (BaseTicket::Is(_), "Resolved") => "resolved",
            (BaseTicket::Is(_), "Closed") => "closed",
            (BaseTicket::Is(_), "Ignored") => "ignored",
            _ => return None,
        };
        (said != is).then(|| {
            format!(
                "audit log: {} is {is}, its last entry says {said}: {last:?}",
                at.key
            )
        })
    }
}

fn sums(days: Vec<asaf::store::DayCount>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for day in days {
        *sums.entry(day.state).or_default() += day.count;
    }
    sums
}
