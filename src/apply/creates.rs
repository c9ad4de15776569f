//! Creating tickets: intents first, then 50 a call with both markers inside, then the links.
//!
//! An unknown outcome leaves the intents: [`super::recover`] asks Jira until it is certain. Nothing is ever sent again
//! blindly, because Jira has no idempotency key (Jira REST v3: bulk create).

use std::collections::BTreeMap;

use super::{Progress, Run, Sinks};
use crate::model::{Author, Intent, Link, Marker, TicketRef};
use crate::mutant;
use crate::ports::{Draft, FindingsWriter, Notifier, TicketsReader, TicketsWriter};
use crate::read::snapshot::Snapshot;
use crate::store::{IntentOutcome, Store, StoreError};
use crate::wire::error::WireError;

/// Jira's limit for one bulk create.
const PER_CALL: usize = 50;

pub(super) async fn creates<
    F: FindingsWriter,
    T: TicketsReader + TicketsWriter,
    N: Notifier,
    S: Store,
>(
    work: &mut [Progress],
    snapshot: &Snapshot,
    to: Sinks<'_, F, T, N, S>,
    run: &Run<'_>,
) -> Result<(), StoreError> {
    let mut due: Vec<usize> = (0..work.len())
        .filter(|n| work[*n].action.ticket.creates())
        .collect();
    // Few projects in a call: one that refuses spoils fewer.
    due.sort_by_key(|n| work[*n].action.subject.project.clone());
    let total = due.len() as u64;
    let mut known = Known {
        highest: highest_known(snapshot),
        refusing: BTreeMap::new(),
        stopped: None,
    };
    for (call, indexes) in due.chunks(PER_CALL).enumerate() {
        super::stop_paused(work, to.store).await?;
        let (mut asked, mut drafts) = (Vec::new(), Vec::new());
        for n in indexes.iter().copied() {
            let progress = &mut work[n];
            let Some(draft) = draft(progress, snapshot, run).filter(|_| progress.is_live()) else {
                continue;
            };
            match known.refusal(&draft.project) {
                Some(error) => progress.fail("creating the ticket", error),
                None => {
                    drafts.push(draft);
                    asked.push(n);
                }
            }
        }
        if !drafts.is_empty() {
            one_call(&asked, &drafts, work, &mut known, to, run).await?;
        }
        run.progress
            .applied(((call + 1) * PER_CALL).min(due.len()) as u64, total);
    }
    Ok(())
}

/// What earlier calls of this run have shown.
struct Known {
    /// The highest issue number of each project: a probe reads above it.
    highest: BTreeMap<String, u64>,
    /// Projects that refuse what every ticket of ours is: they are not asked again in this run.
    refusing: BTreeMap<String, WireError>,
    /// An error that would meet every further call.
    stopped: Option<WireError>,
}

impl Known {
    fn refusal(&self, project: &str) -> Option<&WireError> {
        self.stopped.as_ref().or_else(|| self.refusing.get(project))
    }
}

/// Intents, the call, and what its answer makes of them.
async fn one_call<F: FindingsWriter, T: TicketsWriter, N: Notifier, S: Store>(
    asked: &[usize],
    drafts: &[Draft],
    work: &mut [Progress],
    known: &mut Known,
    to: Sinks<'_, F, T, N, S>,
    run: &Run<'_>,
) -> Result<(), StoreError> {
    let intents = intents(asked, drafts, work, &known.highest, run);
    if !mutant::is("no-intent") {
        to.store.open_intents(&intents).await?;
    }
    match to.tickets.create(drafts).await {
        Ok(outcomes) => {
            known.refusing.extend(refusing_projects(drafts, &outcomes));
            let highest = &mut known.highest;
            settle(asked, outcomes, work, highest, to.store, run).await?;
        }
        Err(error) if error.is_ambiguous() && !mutant::is("ambiguous-is-failure") => {
            asked.iter().for_each(|n| work[*n].in_doubt = true)
        }
        Err(error) => {
            let none: Vec<(Marker, IntentOutcome)> = drafts
                .iter()
                .map(|draft| (draft.marker.clone(), IntentOutcome::NotCreated))
                .collect();
            to.store.settle_intents(&none, run.clock.now()).await?;
            asked
                .iter()
                .for_each(|n| work[*n].fail("creating the ticket", &error));
            let hopeless = matches!(
                error,
                WireError::Denied { .. }
                    | WireError::Unreachable { .. }
                    | WireError::Throttled { .. }
                    | WireError::TooLate { .. }
            );
            known.stopped = hopeless.then_some(error);
        }
    }
    Ok(())
}

/// Projects in which nothing of ours can be created as things are.
fn refusing_projects(
    drafts: &[Draft],
    outcomes: &[Result<TicketRef, WireError>],
) -> Vec<(String, WireError)> {
    let refused = |(draft, outcome): (&Draft, &Result<TicketRef, WireError>)| match outcome {
        Err(error @ (WireError::Misconfigured { .. } | WireError::Denied { .. })) => {
            Some((draft.project.clone(), error.clone()))
        }
        _ => None,
    };
    drafts.iter().zip(outcomes).filter_map(refused).collect()
}

/// The highest issue number that we know of in each project: a probe reads above it.
fn highest_known(snapshot: &Snapshot) -> BTreeMap<String, u64> {
    let mut highest = BTreeMap::new();
    let keys = snapshot
        .links
        .values()
        .filter_map(|link| link.ticket.as_ref())
        .map(|at| at.key.as_str());
    for key in keys.chain(
        snapshot
            .tickets
            .values()
            .map(|ticket| ticket.at.key.as_str()),
    ) {
        remember(key, &mut highest);
    }
    highest
}

fn remember(key: &str, highest: &mut BTreeMap<String, u64>) {
    if let Some((project, number)) = key.rsplit_once('-')
        && let Ok(number) = number.parse::<u64>()
    {
        let known = highest.entry(project.to_owned()).or_default();
        *known = (*known).max(number);
    }
}

fn draft(progress: &Progress, snapshot: &Snapshot, run: &Run<'_>) -> Option<Draft> {
    let link = progress.action.after.as_deref()?;
    let finding = snapshot.finding(&progress.action.subject.finding)?;
    Some(run.style.draft(finding, link, &progress.action.reason))
}

fn intents(
    asked: &[usize],
    drafts: &[Draft],
    work: &[Progress],
    highest: &BTreeMap<String, u64>,
    run: &Run<'_>,
) -> Vec<Intent> {
    let attempt = uuid::Uuid::now_v7().to_string();
    asked
        .iter()
        .zip(drafts)
        .filter_map(|(n, draft)| {
            Some(Intent {
                marker: draft.marker.clone(),
                project: draft.project.clone(),
                attempt: attempt.clone(),
                at: run.clock.now(),
                link: Box::new(before_security_hub(&work[*n])?),
                highest_known: highest.get(&draft.project).copied().unwrap_or(0),
            })
        })
        .collect()
}

/// The link once its ticket exists, and before Security Hub was written: the status is what it was.
fn before_security_hub(progress: &Progress) -> Option<Link> {
    let mut link = Link::clone(progress.action.after.as_deref()?);
    if let Some(base) = &mut link.base {
        base.workflow = progress.action.expect.workflow.unwrap_or(base.workflow);
        base.workflow_by = Author::Aws;
    }
    link.in_flight = None;
    Some(link)
}

async fn settle<S: Store>(
    asked: &[usize],
    outcomes: Vec<Result<TicketRef, WireError>>,
    work: &mut [Progress],
    highest: &mut BTreeMap<String, u64>,
    store: &S,
    run: &Run<'_>,
) -> Result<(), StoreError> {
    let mut settled = Vec::new();
    for (n, outcome) in asked.iter().zip(outcomes) {
        let progress = &mut work[*n];
        let marker = progress.action.marker.clone();
        match outcome {
            Ok(ticket) => {
                remember(&ticket.key, highest);
                if let Some(mut link) = before_security_hub(progress) {
                    link.ticket = Some(ticket.clone());
                    settled.push((marker, IntentOutcome::Created(Box::new(link))));
                }
                progress.ticket = Some(ticket);
                progress.ticket_done = true;
            }
            Err(error) if error.is_ambiguous() && !mutant::is("ambiguous-is-failure") => {
                progress.in_doubt = true;
            }
            Err(error) => {
                settled.push((marker, IntentOutcome::NotCreated));
                progress.fail("creating the ticket", &error);
            }
        }
    }
    store.settle_intents(&settled, run.clock.now()).await
}
