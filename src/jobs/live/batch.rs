//! One batch of queue items: claimed together, looked at in one narrow run, finished with their fences.
//!
//! A run that fails because of what one item asks for is repeated in halves, so a poison item is found, counted against
//! and in the end quarantined, and its neighbours are done. A run that fails because a side is in trouble counts against
//! nobody.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};

use crate::jobs::connect::REQUEST_TIMEOUT;
use crate::jobs::reconcile::{Orders, Report, RunError, Wish};
use crate::model::Marker;
use crate::ports::FindingsReader;
use crate::read::{ATTEMPTS_BEFORE_QUARANTINE, Keys, ReadError};
use crate::store::outbox::Outbox;
use crate::store::queue::{Finished, Leased, WorkKey, WorkQueue};
use crate::store::release::Releases;
use crate::store::{Quarantined, Store, StoreError};
use crate::wire::error::WireError;

use super::ended::{Ended, again, ended};
use super::schedule::later;
use super::{Turn, Worker};

/// Items of one batch: enough to share calls, few enough that the next event does not wait long.
const BATCH: u32 = 200;

/// How long a claim lasts. No write begins when less is left than one request takes, and a margin.
const LEASE: SignedDuration = SignedDuration::from_mins(10);
const MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// The most runs into which a batch with poison items is split.
const RUNS_MOST: usize = 64;

/// Creates in doubt are asked about no more often than this: it costs several requests.
const PROBE_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// Why one run failed.
enum Trouble {
    /// One of its items may be to blame.
    Item(String),
    /// A side or the store is in trouble.
    Side(RunError),
}

impl<F: FindingsReader, S: Store + WorkQueue + Outbox + Releases> Worker<'_, F, S> {
    /// Claims what is due and works it off.
    pub(super) async fn batch(&mut self, now: Timestamp) -> Result<Turn, RunError> {
        let claimed = self.job.store.claim(BATCH, now, LEASE).await?;
        if claimed.is_empty() {
            return Ok(Turn::Idle);
        }
        let items = claimed.len();
        let known: BTreeMap<Marker, Quarantined> = self
            .job
            .store
            .quarantine()
            .await?
            .into_iter()
            .map(|item| (item.marker.clone(), item))
            .collect();
        let claimed = self.leave_quarantined(claimed, &known).await?;
        let request = SignedDuration::try_from(REQUEST_TIMEOUT).unwrap_or(LEASE);
        let until = now + (LEASE - request - MARGIN);
        let mut reports = Vec::new();
        let mut waiting = vec![claimed];
        let mut runs = 0;
        while let Some(some) = waiting.pop() {
            if some.is_empty() {
                continue;
            }
            if runs >= RUNS_MOST || self.job.clients.clock.now() >= until {
                self.put_off(&some, SignedDuration::ZERO).await?;
                continue;
            }
            runs += 1;
            match self.look(&some, until).await {
                Ok(report) => {
                    self.finish(&some, &report, &known).await?;
                    self.note(&report);
                    reports.push(report);
                }
                Err(Trouble::Item(_)) if some.len() > 1 => {
                    let (first, second) = some.split_at(some.len() / 2);
                    waiting.push(second.to_vec());
                    waiting.push(first.to_vec());
                }
                Err(Trouble::Item(why)) => self.strike(&some, &why, &known).await?,
                Err(Trouble::Side(error)) => {
                    waiting.push(some);
                    return self.give_back(waiting, error).await;
                }
            }
        }
        Ok(Turn::Batch { items, reports })
    }

    /// One narrow run over these items. A panic is the fault of what was looked at.
    async fn look(&mut self, items: &[Leased], until: Timestamp) -> Result<Report, Trouble> {
        let now = self.job.clients.clock.now();
        let probed = self.probed_at;
        let skip_probe = probed.is_some_and(|at| now.duration_since(at) < PROBE_EVERY);
        if !skip_probe {
            self.probed_at = Some(now);
        }
        let orders = Orders {
            write: true,
            until: Some(until),
            skip_probe,
            earlier: self.earlier(now).await.map_err(Trouble::Side)?,
            leave_telling: true,
            rules: self.rules.clone(),
            ..Orders::default()
        };
        let wish = Wish::Named(keys(items));
        let run = Box::pin(self.job.run(&wish, &orders));
        match AssertUnwindSafe(run).catch_unwind().await {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(error)) if may_be_an_items_fault(&error) => {
                Err(Trouble::Item(error.to_string()))
            }
            Ok(Err(error)) => Err(Trouble::Side(error)),
            Err(panic) => Err(Trouble::Item(format!(
                "the engine failed over it: {}",
                words(panic.as_ref())
            ))),
        }
    }

    /// Ends the claims of a run that went through.
    async fn finish(
        &self,
        items: &[Leased],
        report: &Report,
        known: &BTreeMap<Marker, Quarantined>,
    ) -> Result<(), StoreError> {
        let now = self.job.clients.clock.now();
        let quarantine = self.job.config.run.create_quarantine.duration();
        let mut ends = Vec::with_capacity(items.len());
        let mut failed = Vec::new();
        for item in items {
            match ended(item, report, quarantine, (self.jitter)(), now) {
                Ended::So(how) => {
                    let name = item.key.name();
                    let own = !matches!(item.key, WorkKey::Link(_));
                    if own && how == Finished::Done && known.contains_key(&name) {
                        self.job.store.release(&name).await?;
                    }
                    ends.push((item.clone(), how));
                }
                Ended::Failed { why } => failed.push((item.clone(), why)),
            }
        }
        self.job.store.finish(&ends, now).await?;
        for (item, why) in failed {
            self.strike(&[item], &why, known).await?;
        }
        Ok(())
    }

    /// Counts a failure against items that have no link to count it; after the last one they wait for a person.
    async fn strike(
        &self,
        items: &[Leased],
        why: &str,
        known: &BTreeMap<Marker, Quarantined>,
    ) -> Result<(), StoreError> {
        let now = self.job.clients.clock.now();
        let mut ends = Vec::new();
        let mut struck = Vec::new();
        for item in items {
            let name = item.key.name();
            let earlier = known.get(&name);
            let attempts = earlier.map_or(0, |item| item.attempts) + 1;
            struck.push(Quarantined {
                marker: name,
                key: Some(item.key.clone()),
                subject: item.key.words(),
                what: "looking at it".to_owned(),
                why: why.to_owned(),
                since: earlier.map_or(now, |item| item.since),
                attempts,
            });
            let how = if attempts >= ATTEMPTS_BEFORE_QUARANTINE {
                tracing::error!(
                    attempts,
                    "{} is in quarantine: {}. See `asaf quarantine`",
                    crate::talk::plain(&item.key.words()),
                    crate::talk::plain(why)
                );
                Finished::Done
            } else {
                again(item, why.to_owned(), (self.jitter)(), now)
            };
            ends.push((item.clone(), how));
        }
        self.job.store.put_quarantine(&struck).await?;
        self.job.store.finish(&ends, now).await?;
        Ok(())
    }

    /// What waits for a person is not tried by events.
    async fn leave_quarantined(
        &self,
        claimed: Vec<Leased>,
        known: &BTreeMap<Marker, Quarantined>,
    ) -> Result<Vec<Leased>, StoreError> {
        let waits = |item: &Leased| {
            let own = known.get(&item.key.name()).filter(|it| it.key.is_some());
            own.is_some_and(|it| it.attempts >= ATTEMPTS_BEFORE_QUARANTINE)
        };
        let (left, rest): (Vec<Leased>, Vec<Leased>) = claimed.into_iter().partition(waits);
        if !left.is_empty() {
            let ends: Vec<_> = left
                .into_iter()
                .map(|item| (item, Finished::Done))
                .collect();
            let now = self.job.clients.clock.now();
            self.job.store.finish(&ends, now).await?;
        }
        Ok(rest)
    }

    /// Gives everything back that a trouble of a side left unfinished.
    async fn give_back(
        &mut self,
        waiting: Vec<Vec<Leased>>,
        error: RunError,
    ) -> Result<Turn, RunError> {
        let now = self.job.clients.clock.now();
        let until = self.schedule.outage_ends_by(now, (self.jitter)());
        for some in waiting {
            self.put_off(&some, until.duration_since(now)).await?;
        }
        Err(error)
    }

    async fn put_off(&self, items: &[Leased], by: SignedDuration) -> Result<(), StoreError> {
        let now = self.job.clients.clock.now();
        let at = later(now, by);
        let ends: Vec<_> = items
            .iter()
            .map(|item| (item.clone(), Finished::Later { at }))
            .collect();
        self.job.store.finish(&ends, now).await.map(drop)
    }
}

fn keys(items: &[Leased]) -> Keys {
    let mut keys = Keys::default();
    for item in items {
        match &item.key {
            WorkKey::Finding(key) => keys.findings.push(key.id.clone()),
            WorkKey::Ticket(id) => keys.ticket_ids.push(*id),
            WorkKey::Link(marker) => keys.markers.push(marker.clone()),
        }
    }
    keys
}

/// A refusal may be about one id among many; a side that is away, throttles or denies is about none.
fn may_be_an_items_fault(error: &RunError) -> bool {
    match error {
        RunError::Read(ReadError::Wire(error)) => matches!(
            error,
            WireError::Refused { .. } | WireError::NotFound { .. } | WireError::Decode { .. }
        ),
        RunError::Read(ReadError::Store(error)) | RunError::Store(error) => matches!(
            error,
            StoreError::Damaged { .. } | StoreError::Conflict { .. }
        ),
        RunError::Recover(_) | RunError::Moved { .. } => false,
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it gave no reason".to_owned())
}
