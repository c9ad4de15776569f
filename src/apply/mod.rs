//! Applying a plan: no choices are left. Actions are grouped into the fewest calls, independent failures do not stop
//! each other, and a link's row moves only when every write of its action has its receipt.
//!
//! The order: what needs no writing is noted; tickets ([`creates`], [`tickets`]); comments; Security Hub
//! ([`workflow`]); then the receipts.

pub mod content;
mod creates;
mod noted;
pub mod recover;
mod tickets;
mod workflow;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::clock::Clock;
use crate::model::{Link, Marker, TicketRef};
use crate::plan::paused::covers;
use crate::plan::{Action, Plan, Summary, TicketStep};
use crate::ports::{Alert, FindingsWriter, Notifier, TicketsReader, TicketsWriter};
use crate::read::snapshot::Snapshot;
use crate::store::{AuditEntry, Quarantined, Store, StoreError};
use crate::wire::error::WireError;

/// Rows that are written to the store in one transaction.
const ROWS_TOGETHER: usize = 500;

/// Where a run writes.
pub struct Sinks<'a, F, T, N, S> {
    /// Security Hub.
    pub findings: &'a F,
    /// Jira.
    pub tickets: &'a T,
    /// People.
    pub notifier: &'a N,
    /// What we remember.
    pub store: &'a S,
}

impl<F, T, N, S> Clone for Sinks<'_, F, T, N, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F, T, N, S> Copy for Sinks<'_, F, T, N, S> {}

/// What the writes need to know of the run.
pub struct Run<'a> {
    /// UUID v7.
    pub id: String,
    /// Time.
    pub clock: Clock,
    /// Which project a ticket belongs to, and how it looks.
    pub style: &'a dyn content::Style,
    /// Hears how far it is.
    pub progress: &'a dyn Watch,
}

/// Hears how far applying is.
pub trait Watch: Sync {
    /// So many of the actions are done.
    fn applied(&self, done: u64, of: u64);
}

/// One thing that could not be written.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The link.
    pub marker: Marker,
    /// What people call it.
    pub subject: String,
    /// What was being done.
    pub what: String,
    /// Why it failed.
    pub why: String,
    /// The other side was in trouble: the item is not to blame, and waits for nobody.
    pub outage: bool,
}

/// What came of a plan.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Applied {
    /// Done, by what happened to tickets.
    pub done: Summary,
    /// Not done.
    pub failures: Vec<Failure>,
    /// Creates whose outcome is unknown.
    pub in_doubt: usize,
    /// Not written to the end, because a pause began or a lease ended: the next run takes them up.
    pub stopped: usize,
    /// The links of both.
    #[serde(skip)]
    pub unfinished: BTreeSet<Marker>,
}

/// How far one action is.
pub(crate) struct Progress {
    pub(crate) action: Action,
    pub(crate) failed: Option<(String, WireError)>,
    pub(crate) in_doubt: bool,
    pub(crate) stopped: bool,
    /// The ticket is what the action wants, whatever came of the rest.
    pub(crate) ticket_done: bool,
    pub(crate) ticket: Option<TicketRef>,
}

/// Applies a plan, which keeps its actions for the reader and gives up their link rows. The store's errors end it:
/// nothing is written that could not be remembered.
///
/// # Errors
/// [`StoreError`].
pub async fn apply<F: FindingsWriter, T: TicketsReader + TicketsWriter, N: Notifier, S: Store>(
    plan: &mut Plan,
    snapshot: &Snapshot,
    to: Sinks<'_, F, T, N, S>,
    run: &Run<'_>,
) -> Result<Applied, StoreError> {
    noted::note(std::mem::take(&mut plan.noted), snapshot, to.store, run).await?;
    let mut work: Vec<Progress> = std::mem::take(&mut plan.actions)
        .into_iter()
        .map(|action| {
            let ticket = action.after.as_ref().and_then(|after| after.ticket.clone());
            Progress {
                action,
                failed: None,
                in_doubt: false,
                stopped: false,
                ticket_done: false,
                ticket,
            }
        })
        .collect();
    stop_paused(&mut work, to.store).await?;
    remember_members(&work, snapshot, to.store, run).await?;
    Box::pin(tickets::deletes(&mut work, snapshot, to, run)).await?;
    Box::pin(tickets::moves(&mut work, snapshot, to, run)).await?;
    stop_paused(&mut work, to.store).await?;
    stop_waiting(&mut work);
    Box::pin(creates::creates(&mut work, snapshot, to, run)).await?;
    Box::pin(tickets::transfers(&mut work, snapshot, to, run)).await;
    Box::pin(tickets::updates(&mut work, snapshot, to, run)).await?;
    Box::pin(tickets::labels(&mut work, to)).await;
    Box::pin(tickets::due_dates(&mut work, snapshot, to, run)).await?;
    stop_paused(&mut work, to.store).await?;
    Box::pin(tickets::comments(&mut work, snapshot, to, run)).await?;
    Box::pin(workflow::updates(&mut work, to, run)).await?;
    tell(&work, to.notifier).await?;
    let applied = settle(&mut work, snapshot, to.store, run).await?;
    plan.actions = work.into_iter().map(|progress| progress.action).collect();
    Ok(applied)
}

/// A pause that began after the plan was made stops what it covers before the next kind of write.
pub(crate) async fn stop_paused<S: Store>(
    work: &mut [Progress],
    store: &S,
) -> Result<(), StoreError> {
    let pauses = store.pauses().await?;
    for progress in work.iter_mut().filter(|_| !pauses.is_empty()) {
        progress.stopped |= pauses.iter().any(|pause| covers(pause, &progress.action));
    }
    Ok(())
}

/// Whoever shares a ticket is known before that names it: a run that ends before its receipts leaves no ticket whose
/// findings nobody looks for.
async fn remember_members<S: Store>(
    work: &[Progress],
    snapshot: &Snapshot,
    store: &S,
    run: &Run<'_>,
) -> Result<(), StoreError> {
    let mut new = Vec::new();
    for progress in work.iter().filter(|progress| progress.is_live()) {
        let action = &progress.action;
        let unknown = |link: &&Link| !snapshot.links.contains_key(&link.marker);
        new.extend(action.members.iter().filter(unknown).map(|link| {
            let mut link = link.without_a_ticket();
            if let Some(member) = &mut link.member {
                // A new ticket names them from the first; one that stands does not yet.
                member.named = action.ticket.creates();
            }
            link
        }));
    }
    for some in new.chunks(ROWS_TOGETHER) {
        store.put_links(some, run.clock.now()).await?;
    }
    Ok(())
}

/// What waits for a ticket to be closed is not begun while that one stands.
fn stop_waiting(work: &mut [Progress]) {
    let standing: BTreeSet<Marker> = work
        .iter()
        .filter(|progress| progress.action.ticket == TicketStep::Merge && !progress.is_live())
        .map(|progress| progress.action.marker.clone())
        .collect();
    for progress in work.iter_mut().filter(|_| !standing.is_empty()) {
        let mut awaited = progress.action.waits_for.iter();
        progress.stopped |= awaited.any(|marker| standing.contains(marker));
    }
}

/// Receipts: links whose action is complete, audit, and what failed.
async fn settle<S: Store>(
    work: &mut [Progress],
    snapshot: &Snapshot,
    store: &S,
    run: &Run<'_>,
) -> Result<Applied, StoreError> {
    let now = run.clock.now();
    let mut applied = Applied::default();
    let mut done = BTreeSet::new();
    let own: BTreeSet<Marker> = work
        .iter()
        .map(|progress| progress.action.marker.clone())
        .collect();
    for some in work.chunks_mut(ROWS_TOGETHER) {
        let (mut links, mut audit) = (Vec::new(), Vec::new());
        for progress in some {
            let action = &progress.action;
            if progress.ticket_done && !progress.is_live() {
                // What was written is told, though the rest was not: the next run may find nothing left to do.
                audit.push(audit_entry(progress, run, now));
            }
            if progress.in_doubt || progress.stopped {
                applied.in_doubt += usize::from(progress.in_doubt);
                applied.stopped += usize::from(!progress.in_doubt);
                applied.unfinished.insert(action.marker.clone());
            } else if let Some(failure) = progress.failure() {
                applied.failures.push(failure);
                links.extend(progress.unlinked(snapshot));
            } else {
                done.insert(action.marker.clone());
                audit.push(audit_entry(progress, run, now));
                applied.done.count(action);
                links.extend(progress.settle(now));
                // A member with an action of its own has a receipt of its own.
                let members = std::mem::take(&mut progress.action.members);
                let shared = members
                    .into_iter()
                    .filter(|link| !own.contains(&link.marker));
                links.extend(shared.map(|mut link| {
                    progress.date(&mut link, now);
                    link
                }));
            }
        }
        store.settle(&links, &audit, now).await?;
    }
    if done.is_empty() {
        excuse(work, &mut applied.failures);
    }
    strikes(&applied.failures, &done, store, now).await?;
    Ok(applied)
}

/// Where nothing at all succeeded, a server that fails or refuses us is in trouble with everything.
fn excuse(work: &[Progress], failed: &mut [Failure]) {
    let general: BTreeSet<&Marker> = work
        .iter()
        .filter(|progress| {
            let error = progress.failed.as_ref().map(|(_, error)| error);
            matches!(
                error,
                Some(WireError::Server { .. } | WireError::Denied { .. })
            )
        })
        .map(|progress| &progress.action.marker)
        .collect();
    for failure in failed {
        failure.outage |= general.contains(&failure.marker);
    }
}

/// Remembers what failed, so that the next run takes it up whether or not it changed, and counts its failed runs. A
/// success clears the count, and an outage counts against nobody.
async fn strikes<S: Store>(
    failed: &[Failure],
    done: &BTreeSet<Marker>,
    store: &S,
    now: jiff::Timestamp,
) -> Result<(), StoreError> {
    let before: BTreeMap<Marker, Quarantined> = store
        .quarantine()
        .await?
        .into_iter()
        .map(|item| (item.marker.clone(), item))
        .collect();
    for marker in before.keys().filter(|marker| done.contains(*marker)) {
        store.release(marker).await?;
    }
    let items: Vec<Quarantined> = failed
        .iter()
        .map(|failure| {
            let earlier = before.get(&failure.marker);
            let counted = u32::from(!failure.outage);
            Quarantined {
                marker: failure.marker.clone(),
                key: None,
                subject: failure.subject.clone(),
                what: failure.what.clone(),
                why: failure.why.clone(),
                since: earlier.map_or(now, |item| item.since),
                attempts: earlier.map_or(0, |item| item.attempts) + counted,
            }
        })
        .collect();
    store.put_quarantine(&items).await
}

fn audit_entry(progress: &Progress, run: &Run<'_>, now: jiff::Timestamp) -> AuditEntry {
    let action = &progress.action;
    let ticket_state =
        |state: Option<crate::model::TicketState>| state.map_or("none", |state| state.word());
    let status = |w: Option<crate::model::WorkflowStatus>| w.map_or("gone", |w| w.as_str());
    let after_ticket = match action.ticket {
        TicketStep::Create | TicketStep::Replace => "open",
        TicketStep::Move { to } => to.word(),
        TicketStep::Delete => "deleted",
        // What a member had is no longer its ticket; a group keeps the one that is closed.
        TicketStep::Merge => match action.after.as_ref().map(|after| after.member.is_some()) {
            Some(true) => "none",
            Some(false) | None => "closed",
        },
        TicketStep::Keep | TicketStep::Update | TicketStep::Transfer | TicketStep::Label => {
            ticket_state(action.expect.ticket)
        }
    };
    let after_status = action
        .workflow
        .as_ref()
        .map(|step| step.to)
        .filter(|_| progress.is_live())
        .or(action.expect.workflow);
    AuditEntry {
        at: now,
        run: run.id.clone(),
        action: action.verb().to_owned(),
        marker: action.marker.clone(),
        ticket: progress
            .ticket
            .as_ref()
            .map(|at| at.key.clone())
            .or_else(|| action.subject.ticket.clone()),
        finding: Some(action.subject.finding.id.clone()),
        before: Some(format!(
            "{}, {}",
            ticket_state(action.expect.ticket),
            status(action.expect.workflow)
        )),
        after: Some(format!("{after_ticket}, {}", status(after_status))),
        row: action.row,
        reason: action.reason.sentence(),
    }
}

/// Alerts are kept once the writes that they tell of are done, and before their receipts: none is lost in between.
async fn tell<N: Notifier>(work: &[Progress], notifier: &N) -> Result<(), StoreError> {
    for progress in work.iter().filter(|progress| progress.is_live()) {
        for alert in &progress.action.alerts {
            let action = &progress.action;
            notifier
                .tell(alert, &alert_key(alert, action), Some(action))
                .await?;
        }
    }
    Ok(())
}

/// The same action made again, after a crash before its receipt, tells the same news.
fn alert_key(alert: &Alert, action: &Action) -> String {
    let after = action.after.as_ref();
    let episode = after
        .and_then(|after| after.base.as_ref())
        .map_or(0, |base| base.episode);
    let event = action.comment.clone().unwrap_or_else(|| {
        let decision = after.and_then(|after| after.decision.as_ref());
        decision.map_or_else(String::new, |decision| decision.at.to_string())
    });
    let (marker, row) = (&action.marker, action.row);
    format!("alert:{marker}:{episode}:{row}:{:?}:{event}", alert.to)
}

impl Progress {
    pub(crate) fn fail(&mut self, what: &str, error: &WireError) {
        if matches!(error, WireError::TooLate { .. }) {
            self.stopped = true;
            return;
        }
        self.failed
            .get_or_insert_with(|| (what.to_owned(), error.clone()));
    }

    /// Jira refused the label of a dispute: it ends by itself, since nobody can take the label off.
    pub(crate) fn without_label(&mut self) {
        let after = self.action.after.as_deref_mut();
        if let Some(dispute) = after.and_then(|link| link.dispute.as_mut()) {
            dispute.labelled = false;
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.failed.is_none() && !self.in_doubt && !self.stopped
    }

    /// The link's next row, with the ids of a ticket that was just created; the action keeps none.
    fn settle(&mut self, now: Timestamp) -> Option<Link> {
        let mut link = *self.action.after.take()?;
        self.date(&mut link, now);
        if self.action.ticket.renames() {
            link.ticket = self.ticket.clone();
        }
        Some(link)
    }

    /// What its findings' fields name stays for the next run to put right.
    fn leave_uncorrected(&mut self) {
        let after = self.action.after.iter_mut().map(Box::as_mut);
        for link in after.chain(&mut self.action.members) {
            link.corrected.clear();
        }
    }

    /// A status is under way from when it was written: the decision is minutes older in a large run, and hours where a
    /// process stood still.
    fn date(&self, link: &mut Link, now: Timestamp) {
        let step = self.action.workflow.as_ref();
        let is_written =
            step.is_some_and(|step| link.findings.iter().any(|key| step.findings.contains(key)));
        if let Some(write) = link.in_flight.as_mut().filter(|_| is_written) {
            write.at = now;
        }
    }

    /// A row for a link that the store does not know yet, so that what failed leads to its findings. Once its ticket
    /// exists, the store knows it.
    fn unlinked(&self, snapshot: &Snapshot) -> Option<Link> {
        let after = self.action.after.as_deref()?;
        let known = snapshot.links.contains_key(&self.action.marker);
        let unheard_of = !known && self.ticket.is_none();
        unheard_of.then(|| after.without_a_ticket())
    }

    fn failure(&self) -> Option<Failure> {
        let (what, error) = self.failed.as_ref()?;
        let subject = &self.action.subject;
        Some(Failure {
            marker: self.action.marker.clone(),
            subject: subject
                .ticket
                .clone()
                .unwrap_or_else(|| subject.finding.id.clone()),
            what: what.clone(),
            why: error.to_string(),
            outage: error.is_outage(),
        })
    }
}
