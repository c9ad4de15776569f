//! What a run leaves undone is remembered with the failures, and forgotten once a run finds nothing to do there. An
//! incremental run reads only what changed, and unfinished work need not change.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::jobs::report::Report;
use crate::model::Marker;
use crate::plan::{Held, HeldReason};
use crate::read::snapshot::Snapshot;
use crate::store::{Quarantined, Store, StoreError};

/// Brings the list in line with what the run saw.
pub(super) async fn remember<S: Store>(
    store: &S,
    report: &Report,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<(), StoreError> {
    let failed = report.applied.iter().flat_map(|applied| {
        let failures = applied.failures.iter().map(|failure| &failure.marker);
        failures.chain(&applied.unfinished)
    });
    let held = report.plan.held.iter().map(|held| &held.marker);
    let undone: BTreeSet<&Marker> = failed.chain(held).collect();
    let looked_at = |marker: &&Marker| snapshot.links.contains_key(*marker);
    for marker in snapshot.unfinished.iter().filter(looked_at) {
        if !undone.contains(marker) {
            store.release(marker).await?;
        }
    }
    let new: Vec<Quarantined> = report
        .plan
        .held
        .iter()
        .filter(|held| is_passing(&held.why))
        .filter(|held| looked_at(&&held.marker) && !snapshot.unfinished.contains(&held.marker))
        .map(|held| item(held, now))
        .collect();
    store.put_quarantine(&new).await
}

/// Held for a reason that goes without anything changing in Security Hub or on the ticket.
fn is_passing(why: &HeldReason) -> bool {
    matches!(
        why,
        HeldReason::MoverUnknown { .. }
            | HeldReason::ReviewersUnknown { .. }
            | HeldReason::WriterUnknown
            | HeldReason::MayMoveUnknown { .. }
            | HeldReason::TicketNotFoundOnce { .. }
            | HeldReason::TicketUnreadable { .. }
            | HeldReason::StatusUnmapped { .. }
            | HeldReason::HoldDown { .. }
            | HeldReason::FailsSince { .. }
    )
}

fn item(held: &Held, now: Timestamp) -> Quarantined {
    let subject = &held.subject;
    Quarantined {
        marker: held.marker.clone(),
        key: None,
        subject: subject
            .ticket
            .clone()
            .unwrap_or_else(|| subject.finding.id.clone()),
        what: "deciding".to_owned(),
        why: held.why.sentence(),
        since: now,
        attempts: 0,
    }
}
