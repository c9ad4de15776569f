//! A narrow read: named findings, tickets, links and accounts, and whatever they lead to on the other side.
//!
//! Nothing is concluded from absence here. Before a ticket could be created for a finding that no link knows, Jira is
//! asked by its marker: the store may be new, or older than the ticket.

use std::collections::BTreeSet;

use crate::decide::Policy;
use crate::decide::grouping::home;
use crate::model::{FindingKey, FindingState, Marker, Ticket};
use crate::ports::{FindingsQuery, FindingsReader, Inventory, TicketQuery, TicketsReader};
use crate::read::snapshot::Snapshot;
use crate::read::{
    Keys, Progress, ReadError, Sources, adopt, counterparts, groups, markers, sweep, tickets,
};
use crate::store::Store;

/// The label that every ticket of ours carries besides its marker.
const OURS: &str = "asaf";

pub(super) async fn named<F: FindingsReader, T: TicketsReader, I: Inventory, S: Store>(
    from: Sources<'_, F, T, I, S>,
    keys: &Keys,
    policy: &Policy,
    snapshot: &mut Snapshot,
    progress: &dyn Progress,
) -> Result<(), ReadError> {
    let wanted: BTreeSet<String> = keys.findings.iter().cloned().collect();
    sweep::by_id(from.findings, wanted, snapshot, progress).await?;
    for some in keys.accounts.chunks(20) {
        let query = FindingsQuery {
            accounts: some.to_vec(),
            ..FindingsQuery::default()
        };
        sweep::sweep(from.findings, &query, snapshot, progress).await?;
    }
    let mut ids: Vec<u64> = Vec::new();
    for some in keys.tickets.chunks(100) {
        let found = from.tickets.fetch_keys(some).await?;
        ids.extend(found.iter().map(|ticket| ticket.at.id));
    }
    let named_by_key = ids.clone();
    ids.extend(&keys.ticket_ids);
    let known: Vec<FindingKey> = snapshot.findings.keys().cloned().collect();
    let mut sought = markers(snapshot, policy);
    sought.extend(keys.markers.iter().cloned());
    let known = from.store.links_of(&known, &ids, &sought).await?;
    known.into_iter().for_each(|link| snapshot.keep(link));
    let mut found = named_by_key;
    found.extend(strangers(from.tickets, &keys.ticket_ids, snapshot).await?);
    groups::complete(from.store, snapshot).await?;
    found.extend(marked(from.tickets, policy, snapshot).await?);
    adopt::unknown(from, found, snapshot).await?;
    counterparts(from, snapshot, progress).await
}

/// Tickets that events name and no link knows: of interest only if they carry our label. Events tell of everybody's.
async fn strangers<T: TicketsReader>(
    tickets: &T,
    ids: &[u64],
    snapshot: &Snapshot,
) -> Result<Vec<u64>, ReadError> {
    let linked = snapshot
        .links
        .values()
        .filter_map(|link| link.ticket.as_ref());
    let linked: BTreeSet<u64> = linked.map(|at| at.id).collect();
    let unknown: Vec<u64> = ids
        .iter()
        .copied()
        .filter(|id| !linked.contains(id))
        .collect();
    let ours = |ticket: &Ticket| ticket.labels.iter().any(|label| label == OURS);
    let mut found = Vec::new();
    for some in unknown.chunks(100) {
        let read = tickets.fetch(some).await?.into_iter();
        found.extend(read.filter(ours).map(|ticket| ticket.at.id));
    }
    Ok(found)
}

/// Tickets that exist already for failing findings without one, as far as Jira's search knows them.
async fn marked<T: TicketsReader>(
    tickets: &T,
    policy: &Policy,
    snapshot: &Snapshot,
) -> Result<Vec<u64>, ReadError> {
    let fails = snapshot
        .findings
        .values()
        .filter(|finding| !finding.sample && finding.state() == FindingState::Failing);
    let unlinked: BTreeSet<Marker> = fails
        .flat_map(|finding| {
            let shared = home(finding, &snapshot.owners, policy.grouping);
            let aliases = shared.into_iter().chain([finding.alias.clone()]);
            aliases.map(|alias| Marker::of(&alias)).collect::<Vec<_>>()
        })
        .filter(|marker| groups::ticket_key(marker, snapshot).is_none())
        .collect();
    let unlinked: Vec<Marker> = unlinked.into_iter().collect();
    let mut found = Vec::new();
    for some in unlinked.chunks(50) {
        found.extend(tickets::search(tickets, &TicketQuery::Marked(some.to_vec())).await?);
    }
    Ok(found)
}
