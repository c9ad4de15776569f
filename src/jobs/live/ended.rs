//! How the work on each queue item ended, read from the run's report.
//!
//! Done, unless it failed, or the decision is only put off: then the item is looked at again when that can have changed.
//! What waits for a person is done: the full run still sees it.

use jiff::{SignedDuration, Timestamp};

use crate::jobs::report::Report;
use crate::model::Marker;
use crate::plan::HeldReason;
use crate::store::queue::{Finished, Leased, WorkKey};

use super::schedule::later;

/// The first wait after a failure; each further one is four times as long, up to the longest.
const AGAIN_FIRST: SignedDuration = SignedDuration::from_secs(15);
const AGAIN_LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// A second read by id tells whether a ticket was deleted.
const SECOND_READ: SignedDuration = SignedDuration::from_mins(2);
/// Whoever moved a ticket or wrote a status, or may close, or the ignore rules could not be read, or a read was older
/// than another.
const UNREAD: SignedDuration = SignedDuration::from_mins(5);
/// The other side was in trouble while this was written.
const OUTAGE: SignedDuration = SignedDuration::from_mins(1);

/// What became of an item.
#[derive(Debug, PartialEq)]
pub(super) enum Ended {
    /// Its claim ends so.
    So(Finished),
    /// It could not be understood or looked at; counts against it.
    Failed {
        /// Why.
        why: String,
    },
}

/// How one item of a run ended.
pub(super) fn ended(
    item: &Leased,
    report: &Report,
    create_quarantine: SignedDuration,
    jitter: f64,
    now: Timestamp,
) -> Ended {
    if let WorkKey::Finding(key) = &item.key
        && let Some(problem) = report.looked_at.unread.get(&key.id)
    {
        return Ended::Failed {
            why: problem.clone(),
        };
    }
    let at = |wait| {
        Ended::So(Finished::Later {
            at: later(now, wait),
        })
    };
    let Some(marker) = marker(&item.key, report) else {
        return Ended::So(Finished::Done);
    };
    if let Some(applied) = &report.applied {
        if applied.unfinished.contains(marker) {
            return at(SignedDuration::ZERO);
        }
        if let Some(failure) = applied.failures.iter().find(|f| f.marker == *marker) {
            return if failure.outage {
                at(stretched(OUTAGE, jitter))
            } else {
                Ended::So(again(item, failure.why.clone(), jitter, now))
            };
        }
    }
    let held = report.plan.held.iter().find(|held| held.marker == *marker);
    match held.map(|held| &held.why) {
        Some(HeldReason::HoldDown { until }) => Ended::So(Finished::Later { at: *until }),
        Some(HeldReason::FailsSince { .. }) => at(SignedDuration::ZERO),
        Some(HeldReason::IntentInDoubt { .. }) => at(create_quarantine),
        Some(HeldReason::TicketNotFoundOnce { .. }) => at(SECOND_READ),
        Some(
            HeldReason::MoverUnknown { .. }
            | HeldReason::WriterUnknown
            | HeldReason::ReviewersUnknown { .. }
            | HeldReason::OwnerUnknown { .. }
            | HeldReason::MayMoveUnknown { .. }
            | HeldReason::RulesUnread,
        ) => at(UNREAD),
        Some(
            HeldReason::Quarantined { .. }
            | HeldReason::TicketUnreadable { .. }
            | HeldReason::StatusUnmapped { .. }
            | HeldReason::NotCovered
            | HeldReason::AbsentOnce
            | HeldReason::SharedWithMore { .. }
            | HeldReason::AccountNotMember { .. }
            | HeldReason::ClosedWhileFailing { .. }
            | HeldReason::DeletedTooOften { .. }
            | HeldReason::Disputed { .. }
            | HeldReason::Paused { .. }
            | HeldReason::Brake { .. }
            | HeldReason::NoRow,
        )
        | None => Ended::So(Finished::Done),
    }
}

/// The item failed once more: 15 s, 1 min, 4 min, 16 min, an hour, less or more by a quarter.
pub(super) fn again(item: &Leased, why: String, jitter: f64, now: Timestamp) -> Finished {
    let times = 4_i32.saturating_pow(item.attempts.min(10));
    let wait = AGAIN_FIRST.saturating_mul(times).min(AGAIN_LONGEST);
    Finished::Again {
        at: later(now, stretched(wait, jitter)),
        why,
    }
}

/// Items that failed together do not all come back together.
fn stretched(wait: SignedDuration, jitter: f64) -> SignedDuration {
    wait.mul_f64(0.75 + jitter / 2.0)
}

fn marker<'a>(key: &'a WorkKey, report: &'a Report) -> Option<&'a Marker> {
    match key {
        WorkKey::Finding(key) => report.looked_at.findings.get(key),
        WorkKey::Ticket(id) => report.looked_at.tickets.get(id),
        WorkKey::Link(marker) => Some(marker),
    }
}
