//! The worker of `asaf serve`: it runs what is due, one run at a time, on the same path as the scheduled job.
//!
//! Events only put keys into the queue. A batch of them is one narrow run; full and incremental runs come at their
//! times besides, so losing every event costs latency and nothing else. The worker decides nothing about findings or
//! tickets.

mod batch;
mod ended;
pub mod figures;
mod schedule;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::jobs::ignoring;
use crate::jobs::reconcile::{FULL_WANTED, Job, LAST_READ, Orders, Report, RunError, Wish};
use crate::model::{BaseTicket, TicketState};
use crate::plan::limits::Earlier;
use crate::ports::FindingsReader;
use crate::read::rules::Loaded;
use crate::store::outbox::Outbox;
use crate::store::queue::WorkQueue;
use crate::store::release::{Release, Releases};
use crate::store::{Store, StoreError};

use schedule::Schedule;

/// How long an idle worker waits before it looks at the queue again: another process may have put something there.
const POLL: Duration = Duration::from_secs(1);

/// Removals of this last while count together for the brake.
const BRAKE_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// A number from 0 up to, not including, 1.
pub type Jitter<'a> = &'a (dyn Fn() -> f64 + Sync);

/// The jitter of a real process: the random bits at the end of a UUID.
pub fn random() -> f64 {
    let bits = uuid::Uuid::now_v7().as_u128() & 0xffff_ffff;
    f64::from(u32::try_from(bits).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
}

/// Works off one store's queue and schedule.
pub struct Worker<'a, F, S> {
    job: Job<'a, F, S>,
    jitter: Jitter<'a>,
    schedule: Schedule,
    /// When removals were applied, and how many.
    removed: VecDeque<(Timestamp, usize)>,
    live_tickets: Option<usize>,
    probed_at: Option<Timestamp>,
    /// The ignore rules as the last scheduled run read them.
    rules: Option<Arc<Loaded>>,
    /// The last ignore rules for which a full run was asked, by their hash.
    rules_asked: Option<String>,
}

/// What one turn did.
#[derive(Debug)]
pub enum Turn {
    /// Nothing is due.
    Idle,
    /// A scheduled run.
    Scheduled(Box<Report>),
    /// A batch of queue items, in as few runs as possible.
    Batch {
        /// Items that were claimed.
        items: usize,
        /// The runs.
        reports: Vec<Report>,
    },
    /// A side, or the store, could not be used; it is tried again after a while.
    Failed(RunError),
}

impl<'a, F: FindingsReader, S: Store + WorkQueue + Outbox + Releases> Worker<'a, F, S> {
    /// A worker that has done nothing yet. Its first turn is a scheduled run: what was missed while nobody worked, and
    /// tickets that a restored store does not know, come before any event.
    pub fn new(job: Job<'a, F, S>, jitter: Jitter<'a>) -> Self {
        let schedule = Schedule::new(
            job.config.run.full_every.duration(),
            job.config.run.incremental_every.duration(),
        );
        Worker {
            job,
            jitter,
            schedule,
            removed: VecDeque::new(),
            live_tickets: None,
            probed_at: None,
            rules: None,
            rules_asked: None,
        }
    }

    /// A worker that goes on where an earlier process has ended: scheduled runs come when they are due, and not first.
    ///
    /// # Errors
    /// The store.
    pub async fn going_on(job: Job<'a, F, S>, jitter: Jitter<'a>) -> Result<Self, StoreError> {
        let last = job.store.instant(LAST_READ).await?;
        let mut worker = Worker::new(job, jitter);
        if let Some(last) = last {
            worker.schedule.read_at(last);
        }
        Ok(worker)
    }

    /// Works until told to stop. A batch that has begun is finished; dropping the future instead loses nothing either,
    /// because claims expire and every run may die at any request.
    pub async fn run(&mut self, stop: &CancellationToken) {
        let clock = self.job.clients.clock.clone();
        while !stop.is_cancelled() {
            let turn = Box::pin(self.turn()).await;
            if matches!(turn, Turn::Scheduled(_) | Turn::Batch { .. }) {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.job.store.arrived() => {}
                () = clock.sleep(POLL) => {}
            }
        }
    }

    /// Does the next thing that is due, if any.
    pub async fn turn(&mut self) -> Turn {
        let now = self.job.clients.clock.now();
        if self.schedule.is_waiting(now) {
            return Turn::Idle;
        }
        let done = Box::pin(self.next(now)).await;
        match done {
            Ok(turn) => {
                self.schedule.went_well();
                turn
            }
            Err(error) => {
                let now = self.job.clients.clock.now();
                let until = self.schedule.failed(now, (self.jitter)());
                figures::failed(&error);
                tracing::warn!(%error, "a run could not begin or go on; the next one begins at {until}");
                Turn::Failed(error)
            }
        }
    }

    /// What a person has released comes first, then what the schedule says, then the queue.
    async fn next(&mut self, now: Timestamp) -> Result<Turn, RunError> {
        if let Some(release) = self.job.store.open_release().await? {
            return Box::pin(self.released(&release, now)).await;
        }
        match self.schedule.due(now, self.job.store).await? {
            Some(wish) => Box::pin(self.scheduled(&wish, now)).await,
            None => Box::pin(self.batch(now)).await,
        }
    }

    /// Applies exactly the plan that a person has released; where the state has moved, nothing.
    async fn released(&mut self, release: &Release, now: Timestamp) -> Result<Turn, RunError> {
        self.schedule.began(&Wish::Full, now);
        let orders = Orders {
            write: true,
            leave_telling: true,
            rules: self.rules.clone(),
            expect: Some(release.digest.clone()),
            allow_removals: true,
            ..Orders::default()
        };
        let ran = Box::pin(self.job.run(&Wish::Full, &orders)).await;
        let at = self.job.clients.clock.now();
        match ran {
            Ok(report) => {
                let outcome = format!("applied by run {}", report.run);
                self.job
                    .store
                    .settle_release(release.seq, &outcome, at)
                    .await?;
                self.schedule.ended(&report, now);
                self.live_tickets = Some(report.plan.seen.live_tickets);
                self.follow_rules(&report, now).await?;
                self.note(&report);
                Ok(Turn::Scheduled(Box::new(report)))
            }
            Err(RunError::Moved { found, .. }) => {
                let outcome =
                    format!("nothing was done: the state has moved, the plan is now {found}");
                self.job
                    .store
                    .settle_release(release.seq, &outcome, at)
                    .await?;
                Ok(Turn::Idle)
            }
            Err(error) => Err(error),
        }
    }

    async fn scheduled(&mut self, wish: &Wish, now: Timestamp) -> Result<Turn, RunError> {
        // A run that fails or sees only a part is not repeated at once.
        self.schedule.began(wish, now);
        // A full run sees the whole; every other is a slice of it.
        let earlier = match wish {
            Wish::Full => Earlier::default(),
            _ => self.earlier(now).await?,
        };
        let orders = Orders {
            write: true,
            leave_telling: true,
            earlier,
            rules: self.rules.clone(),
            ..Orders::default()
        };
        let report = Box::pin(self.job.run(wish, &orders)).await?;
        self.schedule.ended(&report, now);
        if report.kind == "full" {
            self.live_tickets = Some(report.plan.seen.live_tickets);
        }
        self.follow_rules(&report, now).await?;
        self.note(&report);
        Ok(Turn::Scheduled(Box::new(report)))
    }

    /// Ignore rules that have changed since the last full run get one, once: they cover findings that did not change.
    async fn follow_rules(&mut self, report: &Report, now: Timestamp) -> Result<(), RunError> {
        self.rules = Some(report.rules.clone());
        let new = ignoring::unapplied(&report.rules, now);
        if new.is_some() && report.kind != "full" && new != self.rules_asked {
            self.job.store.set_instant(FULL_WANTED, now).await?;
        }
        self.rules_asked = new;
        Ok(())
    }

    /// What the brake adds to the plan of a run that looks at a part.
    async fn earlier(&mut self, now: Timestamp) -> Result<Earlier, RunError> {
        while let Some((at, _)) = self.removed.front()
            && now.duration_since(*at) > BRAKE_WINDOW
        {
            self.removed.pop_front();
        }
        let live_tickets = match self.live_tickets {
            Some(count) => count,
            None => {
                let links = self.job.store.links().await?;
                let live = links.iter().filter(|link| {
                    let base = link.base.as_ref().map(|base| base.ticket);
                    matches!(base, Some(BaseTicket::Is(state)) if state != TicketState::Closed)
                });
                *self.live_tickets.insert(live.count())
            }
        };
        Ok(Earlier {
            removals: self.removed.iter().map(|(_, count)| count).sum(),
            live_tickets: Some(live_tickets),
        })
    }

    /// Counts a run's removals, and says what it did.
    fn note(&mut self, report: &Report) {
        let now = self.job.clients.clock.now();
        if let Some(applied) = &report.applied
            && report.kind != "full"
        {
            let removals = applied.done.closed + applied.done.deleted + applied.done.ignored;
            if removals > 0 {
                self.removed.push_back((now, removals));
            }
        }
        figures::ran(report, now);
    }
}
