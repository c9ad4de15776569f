//! From a scope to a [`Snapshot`]: what both sides say now, and which parts of it were read completely.
//!
//! [`sweep`] reads Security Hub, [`tickets`] reads Jira, [`adopt`] finds tickets that the store does not know, and
//! [`facts`] asks only what deciding needs besides.

pub mod adopt;
mod facts;
pub mod files;
mod groups;
mod named;
pub mod rules;
pub mod snapshot;
mod sweep;
mod tickets;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::decide::Policy;
use crate::model::ignore_rule::day;
use crate::model::{FindingKey, Intent, Marker, Routing};
use crate::ports::{FindingsQuery, FindingsReader, Inventory, TicketQuery, TicketsReader};
use crate::store::queue::ResourceDeletion;
use crate::store::{Store, StoreError};
use crate::wire::error::WireError;
use rules::Loaded;
use snapshot::Snapshot;

/// After this many failed runs an item waits for a person.
pub const ATTEMPTS_BEFORE_QUARANTINE: u32 = 5;

/// What a run looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything: the only scope that concludes anything from absence.
    Full,
    /// What changed on either side since then.
    Changed {
        /// Usually the last run's begin, less an overlap.
        since: Timestamp,
    },
    /// Named findings and tickets.
    Keys(Keys),
}

/// What a narrow run looks at: whatever these names lead to, on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Finding ids.
    pub findings: Vec<String>,
    /// Ticket keys.
    pub tickets: Vec<String>,
    /// Numeric ticket ids, as events name them.
    pub ticket_ids: Vec<u64>,
    /// Links.
    pub markers: Vec<Marker>,
    /// Account ids.
    pub accounts: Vec<String>,
}

/// Where a run reads.
pub struct Sources<'a, F, T, I, S> {
    /// Security Hub.
    pub findings: &'a F,
    /// Jira.
    pub tickets: &'a T,
    /// AWS Config and Organizations.
    pub inventory: &'a I,
    /// What we remember.
    pub store: &'a S,
    /// The ignore rules, as far as they could be read.
    pub rules: &'a Loaded,
    /// Who answers for a finding.
    pub owners: &'a Arc<Routing>,
}

impl<F, T, I, S> Clone for Sources<'_, F, T, I, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F, T, I, S> Copy for Sources<'_, F, T, I, S> {}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A side could not be read at all.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Hears how far reading is.
pub trait Progress: Sync {
    /// `done` of something, such as `findings`.
    fn reading(&self, what: &'static str, done: u64);
}

/// Hears nothing.
pub struct Silent;

impl Progress for Silent {
    fn reading(&self, _what: &'static str, _done: u64) {}
}

/// Reads everything that deciding needs for a scope.
///
/// # Errors
/// When a side cannot be reached, refuses the credentials, or the store fails. A read that breaks off in the middle is
/// no error: the snapshot says what it covers.
pub async fn read<F: FindingsReader, T: TicketsReader, I: Inventory, S: Store>(
    from: Sources<'_, F, T, I, S>,
    scope: &Scope,
    policy: &Policy,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Snapshot, ReadError> {
    let mut snapshot = Snapshot {
        taken_at: now,
        owners: from.owners.clone(),
        ..Snapshot::default()
    };
    remembered(from.store, &mut snapshot).await?;
    snapshot.people = from.tickets.people().await?;
    match scope {
        Scope::Full => Box::pin(full(from, &mut snapshot, progress)).await?,
        Scope::Changed { since } => {
            Box::pin(changed(from, *since, policy, &mut snapshot, progress)).await?
        }
        Scope::Keys(keys) => {
            Box::pin(named::named(from, keys, policy, &mut snapshot, progress)).await?
        }
    }
    snapshot.findings.retain(|_, finding| !finding.sample);
    deletions(from.store, &mut snapshot).await?;
    snapshot.ignored = rules::covered::ignoring(from.rules, &snapshot, day(now));
    Box::pin(facts::ask(from, policy, now, &mut snapshot)).await;
    Ok(snapshot)
}

async fn remembered<S: Store>(store: &S, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let intents: Vec<Intent> = store.intents().await?;
    snapshot.intents = intents
        .into_iter()
        .map(|intent| (intent.marker.clone(), intent))
        .collect();
    for item in store.quarantine().await? {
        if item.attempts >= ATTEMPTS_BEFORE_QUARANTINE {
            let why = format!("{}: {}", item.what, item.why);
            snapshot.quarantined.insert(item.marker, why);
        } else {
            snapshot.unfinished.insert(item.marker);
        }
    }
    Ok(())
}

/// What Config's events have proven, for the resources in scope.
async fn deletions<S: Store>(store: &S, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let named = snapshot.findings.values().flat_map(|finding| {
        let ids = finding.resources.iter().map(|resource| &resource.id);
        ids.chain([&finding.alias.resource])
    });
    let tracked = snapshot.links.values().map(|link| &link.alias.resource);
    let ids: BTreeSet<&String> = named.chain(tracked).collect();
    let mut found = Vec::new();
    let mut ids = ids.into_iter().peekable();
    while ids.peek().is_some() {
        let some: Vec<String> = ids.by_ref().take(1_000).cloned().collect();
        found.extend(store.deletions_of(&some).await?);
    }
    for ResourceDeletion {
        account,
        region,
        ids,
        at,
    } in found
    {
        for id in ids {
            snapshot.deletions.add(&account, &region, &id, at);
        }
    }
    Ok(())
}

async fn full<F: FindingsReader, T: TicketsReader, I: Inventory, S: Store>(
    from: Sources<'_, F, T, I, S>,
    snapshot: &mut Snapshot,
    progress: &dyn Progress,
) -> Result<(), ReadError> {
    let known = from.store.links().await?;
    known.into_iter().for_each(|link| snapshot.keep(link));
    snapshot.coverage.full = true;
    sweep::sweep(from.findings, &FindingsQuery::default(), snapshot, progress).await?;
    confirm_absent(from.findings, snapshot, progress).await?;
    tickets::of_links(from, snapshot, progress).await?;
    let found = tickets::search(from.tickets, &TicketQuery::Labelled).await?;
    adopt::unknown(from, found, snapshot).await?;
    Ok(())
}

/// What would now be concluded to be gone is asked for by its id: a listing that was cut short looks complete.
async fn confirm_absent<F: FindingsReader>(
    hub: &F,
    snapshot: &mut Snapshot,
    progress: &dyn Progress,
) -> Result<(), WireError> {
    let doubtful: BTreeSet<String> = snapshot
        .links
        .values()
        .filter(|link| {
            link.absent_reads > 0
                && snapshot
                    .coverage
                    .covers(&link.alias.account, &link.alias.region)
        })
        .flat_map(|link| &link.findings)
        .filter(|key| !snapshot.findings.contains_key(*key))
        .map(|key| key.id.clone())
        .collect();
    let doubtful: Vec<String> = doubtful.into_iter().collect();
    let before = snapshot.findings.len();
    for ids in doubtful.chunks(20) {
        let query = FindingsQuery {
            ids: ids.to_vec(),
            ..FindingsQuery::default()
        };
        sweep::sweep(hub, &query, snapshot, progress).await?;
    }
    let left_out = snapshot.findings.len() - before;
    if left_out > 0 {
        snapshot.coverage.full = false;
        snapshot.coverage.gaps.push(format!(
            "the listing left out {left_out} findings that exist"
        ));
    }
    Ok(())
}

/// What changed on either side, with its counterpart on the other.
async fn changed<F: FindingsReader, T: TicketsReader, I: Inventory, S: Store>(
    from: Sources<'_, F, T, I, S>,
    since: Timestamp,
    policy: &Policy,
    snapshot: &mut Snapshot,
    progress: &dyn Progress,
) -> Result<(), ReadError> {
    let query = FindingsQuery {
        updated_since: Some(since),
        updated_until: Some(snapshot.taken_at),
        ..FindingsQuery::default()
    };
    sweep::sweep(from.findings, &query, snapshot, progress).await?;
    let found = tickets::search(from.tickets, &TicketQuery::UpdatedSince(since)).await?;
    let keys: Vec<FindingKey> = snapshot.findings.keys().cloned().collect();
    let mut sought = markers(snapshot, policy);
    sought.extend(snapshot.unfinished.iter().cloned());
    let known = from.store.links_of(&keys, &[], &sought).await?;
    known.into_iter().for_each(|link| snapshot.keep(link));
    tickets::news(from, &found, snapshot).await?;
    adopt::unknown(from, found, snapshot).await?;
    counterparts(from, snapshot, progress).await
}

/// The findings and tickets of the links in scope that were not read yet.
async fn counterparts<F: FindingsReader, T: TicketsReader, I: Inventory, S: Store>(
    from: Sources<'_, F, T, I, S>,
    snapshot: &mut Snapshot,
    progress: &dyn Progress,
) -> Result<(), ReadError> {
    groups::complete(from.store, snapshot).await?;
    let missing: BTreeSet<String> = snapshot
        .links
        .values()
        .flat_map(|link| &link.findings)
        .filter(|key| !snapshot.findings.contains_key(*key))
        .map(|key| key.id.clone())
        .collect();
    let missing: Vec<String> = missing.into_iter().collect();
    for ids in missing.chunks(20) {
        let query = FindingsQuery {
            ids: ids.to_vec(),
            ..FindingsQuery::default()
        };
        sweep::sweep(from.findings, &query, snapshot, progress).await?;
    }
    tickets::of_links(from, snapshot, progress).await
}

fn markers(snapshot: &Snapshot, policy: &Policy) -> Vec<Marker> {
    let own = snapshot.findings.values();
    let own = own.map(|finding| Marker::of(&finding.alias));
    own.chain(groups::homes(snapshot, policy)).collect()
}
