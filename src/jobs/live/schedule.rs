//! When which run is due. Times come from the store where it knows them, so that a restart changes nothing.

use jiff::{SignedDuration, Timestamp};

use crate::jobs::reconcile::{FULL_WANTED, LAST_FULL, Report, Wish};
use crate::mutant;
use crate::store::{Store, StoreError};

/// The shortest and longest wait after a failure.
const WAIT_SHORTEST: SignedDuration = SignedDuration::from_secs(5);
const WAIT_LONGEST: SignedDuration = SignedDuration::from_mins(5);

/// A full run that saw only a part, or failed, is repeated after this share of its period, but not sooner than in
/// [`FULL_AGAIN_SOONEST`].
const FULL_AGAIN_SHARE: i32 = 24;
const FULL_AGAIN_SOONEST: SignedDuration = SignedDuration::from_mins(15);

/// The times of the next runs.
pub(super) struct Schedule {
    full_every: SignedDuration,
    incremental_every: SignedDuration,
    /// No sooner than this, whatever the store says.
    full_not_before: Timestamp,
    /// `None` until the first run of this process.
    incremental_at: Option<Timestamp>,
    failures: u32,
    waits_until: Timestamp,
}

impl Schedule {
    pub(super) fn new(full_every: SignedDuration, incremental_every: SignedDuration) -> Self {
        Schedule {
            full_every,
            incremental_every,
            full_not_before: Timestamp::MIN,
            incremental_at: None,
            failures: 0,
            waits_until: Timestamp::MIN,
        }
    }

    /// Goes on after an earlier process that has read what changed at that time.
    pub(super) fn read_at(&mut self, last: Timestamp) {
        self.incremental_at = Some(later(last, self.incremental_every));
    }

    /// After a failure nothing is due for a while.
    pub(super) fn is_waiting(&self, now: Timestamp) -> bool {
        now < self.waits_until
    }

    /// The scheduled run that is due; `None` when only the queue is left.
    pub(super) async fn due<S: Store>(
        &self,
        now: Timestamp,
        store: &S,
    ) -> Result<Option<Wish>, StoreError> {
        let last = store.instant(LAST_FULL).await?;
        let wanted = store.instant(FULL_WANTED).await?;
        Ok(self.choose(now, last, wanted))
    }

    pub(super) fn choose(
        &self,
        now: Timestamp,
        last: Option<Timestamp>,
        wanted: Option<Timestamp>,
    ) -> Option<Wish> {
        if mutant::is("no-resync") && last.is_some() {
            return None;
        }
        let stale = last.is_none_or(|last| now.duration_since(last) >= self.full_every);
        let asked_for = wanted.is_some_and(|wanted| last.is_none_or(|last| wanted > last));
        if (stale || asked_for) && now >= self.full_not_before {
            return Some(Wish::Full);
        }
        let due = self.incremental_at.is_none_or(|at| now >= at);
        due.then_some(Wish::Incremental)
    }

    /// Notes an attempt, before it can fail: a run that keeps failing must not keep the queue from being worked off.
    pub(super) fn began(&mut self, wish: &Wish, now: Timestamp) {
        if self.incremental_at.is_some() {
            self.incremental_at = Some(later(now, self.incremental_every));
        }
        if *wish == Wish::Full {
            let share = self.full_every / FULL_AGAIN_SHARE;
            let wait = share.max(FULL_AGAIN_SOONEST).min(self.full_every);
            self.full_not_before = later(now, wait);
        }
    }

    /// A run of this process has ended: the queue may be worked off from now on.
    pub(super) fn ended(&mut self, report: &Report, began_at: Timestamp) {
        self.incremental_at = Some(later(began_at, self.incremental_every));
        if report.kind == "full" && report.plan.seen.complete {
            self.full_not_before = Timestamp::MIN;
        }
    }

    pub(super) fn went_well(&mut self) {
        self.failures = 0;
    }

    /// Waits longer with every failure in a row; returns until when.
    pub(super) fn failed(&mut self, now: Timestamp, jitter: f64) -> Timestamp {
        self.waits_until = later(now, wait(self.failures, jitter));
        self.failures = self.failures.saturating_add(1);
        self.waits_until
    }

    /// The longest that a failure costs: items go on waiting no longer.
    pub(super) fn outage_ends_by(&self, now: Timestamp, jitter: f64) -> Timestamp {
        later(now, wait(self.failures, jitter))
    }
}

/// 5 s, doubling to 5 min, less or more by a quarter.
fn wait(failures: u32, jitter: f64) -> SignedDuration {
    let doubled =
        WAIT_SHORTEST.saturating_mul(1_i32.checked_shl(failures.min(16)).unwrap_or(i32::MAX));
    doubled.min(WAIT_LONGEST).mul_f64(0.75 + jitter / 2.0)
}

pub(super) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}
