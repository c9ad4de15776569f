//! Before a run reads: creates whose outcome is unknown. Jira is asked by both markers, and nothing is concluded from
//! absence until the quarantine is over.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::model::{Intent, Link, Marker, Ticket, TicketState};
use crate::ports::{TicketQuery, TicketsReader};
use crate::read::adopt::marker_of;
use crate::store::{IntentOutcome, Quarantined, Store, StoreError};
use crate::wire::error::WireError;

/// Issue numbers that are probed above the highest one that search knows.
const PROBE_AHEAD: u64 = 200;

/// Issue numbers that are probed below it, when no lower bound is known.
const PROBE_BEHIND: u64 = 500;

/// Why recovery could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// Jira.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Settles every intent that can be settled: found, or surely not created. Returns how many remain in doubt.
///
/// # Errors
/// When Jira or the store fails; the intents stay.
pub async fn recover<T: TicketsReader, S: Store>(
    tickets: &T,
    store: &S,
    now: Timestamp,
    quarantine: SignedDuration,
) -> Result<usize, RecoverError> {
    let intents = store.intents().await?;
    if intents.is_empty() {
        return Ok(0);
    }
    let found = probe(tickets, &intents).await?;
    let mut outcomes = Vec::new();
    for intent in &intents {
        if let Some(ticket) = found.get(&intent.marker) {
            let link = Link {
                ticket: Some(ticket.at.clone()),
                ..Link::clone(&intent.link)
            };
            outcomes.push((
                intent.marker.clone(),
                IntentOutcome::Created(Box::new(link)),
            ));
        } else if now.duration_since(intent.at) >= quarantine {
            outcomes.push((intent.marker.clone(), IntentOutcome::NotCreated));
        }
    }
    store.settle_intents(&outcomes, now).await?;
    not_created(&intents, &outcomes, store, now).await?;
    Ok(intents.len() - outcomes.len())
}

/// What was surely not created is unfinished: the run that follows takes it up, whether or not it changed.
async fn not_created<S: Store>(
    intents: &[Intent],
    outcomes: &[(Marker, IntentOutcome)],
    store: &S,
    now: Timestamp,
) -> Result<(), StoreError> {
    let missing: BTreeSet<&Marker> = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, IntentOutcome::NotCreated))
        .map(|(marker, _)| marker)
        .collect();
    let missing: Vec<&Intent> = intents
        .iter()
        .filter(|intent| missing.contains(&intent.marker))
        .collect();
    let markers: Vec<Marker> = missing.iter().map(|intent| intent.marker.clone()).collect();
    let linked: BTreeSet<Marker> = store
        .links_of(&[], &[], &markers)
        .await?
        .into_iter()
        .map(|link| link.marker)
        .collect();
    let new: Vec<Link> = missing
        .iter()
        .filter(|intent| !linked.contains(&intent.marker))
        .map(|intent| intent.link.without_a_ticket())
        .collect();
    store.put_links(&new, now).await?;
    let known: BTreeSet<Marker> = store
        .quarantine()
        .await?
        .into_iter()
        .map(|item| item.marker)
        .collect();
    let items: Vec<Quarantined> = missing
        .into_iter()
        .filter(|intent| !known.contains(&intent.marker))
        .map(|intent| Quarantined {
            marker: intent.marker.clone(),
            key: None,
            subject: intent.link.alias.resource.clone(),
            what: "creating the ticket".to_owned(),
            why: "no answer came, and Jira shows no ticket".to_owned(),
            since: now,
            attempts: 0,
        })
        .collect();
    store.put_quarantine(&items).await
}

/// Looks by label, and by key above the highest known number: either finds a ticket that the other misses.
async fn probe<T: TicketsReader>(
    tickets: &T,
    intents: &[Intent],
) -> Result<BTreeMap<Marker, Ticket>, WireError> {
    let wanted: BTreeSet<&Marker> = intents.iter().map(|intent| &intent.marker).collect();
    let mut candidates: Vec<Ticket> = Vec::new();
    let markers: Vec<Marker> = wanted.iter().map(|marker| (*marker).clone()).collect();
    for some in markers.chunks(50) {
        let mut token: Option<String> = None;
        loop {
            let page = tickets
                .search(&TicketQuery::Marked(some.to_vec()), token.as_deref())
                .await?;
            for ids in page.ids.chunks(100) {
                candidates.extend(tickets.fetch(ids).await?);
            }
            token = page.next;
            if token.is_none() {
                break;
            }
        }
    }
    candidates.extend(above_the_known(tickets, intents).await?);
    // An older ticket of the same link (closed in an earlier episode) is not what the intent created.
    let older: BTreeMap<&Marker, &Intent> = intents
        .iter()
        .map(|intent| (&intent.marker, intent))
        .collect();
    let mut found: BTreeMap<Marker, Ticket> = BTreeMap::new();
    for ticket in candidates {
        let Some(marker) = marker_of(&ticket).filter(|marker| wanted.contains(marker)) else {
            continue;
        };
        // In another project, numbers say nothing: what an earlier owner had there is closed.
        let (project, number) = ticket.at.key.rsplit_once('-').unwrap_or_default();
        let number = number.parse::<u64>().unwrap_or(0);
        let new = older.get(&marker).is_some_and(|intent| {
            if project == intent.project {
                number > intent.highest_known
            } else {
                ticket.state != Some(TicketState::Closed)
            }
        });
        let newer = found
            .get(&marker)
            .is_none_or(|other| other.at.id < ticket.at.id);
        if new && newer {
            found.insert(marker, ticket);
        }
    }
    Ok(found)
}

async fn above_the_known<T: TicketsReader>(
    tickets: &T,
    intents: &[Intent],
) -> Result<Vec<Ticket>, WireError> {
    let mut known: BTreeMap<&str, u64> = BTreeMap::new();
    for intent in intents {
        let lowest = known.entry(&intent.project).or_insert(intent.highest_known);
        *lowest = (*lowest).min(intent.highest_known);
    }
    let mut found = Vec::new();
    for (project, known) in known {
        let highest = tickets.highest_number(project).await?.max(known);
        let from = if known == 0 {
            highest.saturating_sub(PROBE_BEHIND)
        } else {
            known
        } + 1;
        let keys: Vec<String> = (from..=highest + PROBE_AHEAD)
            .map(|n| format!("{project}-{n}"))
            .collect();
        for some in keys.chunks(100) {
            found.extend(tickets.fetch_keys(some).await?);
        }
    }
    Ok(found)
}
