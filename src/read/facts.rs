//! The questions that deciding asks besides: who moved a ticket, who set a status, does the resource still exist. An
//! unanswered one is left open, and deciding holds what depends on it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::decide::Policy;
use crate::decide::needs::{Needs, needs};
use crate::model::Marker;
use crate::ports::{FindingsReader, Inventory, ResourceFact, ResourceQuery, TicketsReader};
use crate::read::Sources;
use crate::read::snapshot::Snapshot;
use crate::store::Store;

pub(super) async fn ask<F: FindingsReader, T: TicketsReader, I: Inventory, S: Store>(
    from: Sources<'_, F, T, I, S>,
    policy: &Policy,
    now: Timestamp,
    snapshot: &mut Snapshot,
) {
    let Needs {
        moves,
        writers,
        resources,
        transfers,
        accounts,
        proven,
    } = needs(snapshot, policy, now);
    let ids: Vec<u64> = moves.into_iter().collect();
    for some in ids.chunks(1000) {
        match from.tickets.moves(some).await {
            Ok(read) => {
                // A ticket without an entry was never moved.
                snapshot
                    .moves
                    .extend(some.iter().map(|id| (*id, Vec::new())));
                snapshot.moves.extend(read);
            }
            Err(error) => snapshot.coverage.gaps.push(error.to_string()),
        }
    }
    for key in writers {
        match from.findings.last_workflow_write(&key).await {
            Ok(write) => {
                snapshot.writes.insert(key, write);
            }
            Err(error) => snapshot.coverage.gaps.push(error.to_string()),
        }
    }
    if !transfers.is_empty() {
        match from.tickets.transfers(&transfers).await {
            Ok(read) => snapshot.transfers = read,
            Err(error) => snapshot.coverage.gaps.push(error.to_string()),
        }
    }
    snapshot.resources.extend(proven);
    ask_resources(from.inventory, resources, snapshot).await;
    if accounts {
        match from.inventory.accounts().await {
            Ok(read) => {
                snapshot.accounts = Some(
                    read.into_iter()
                        .map(|account| (account.id.clone(), account))
                        .collect(),
                );
            }
            Err(error) => snapshot.coverage.gaps.push(error.to_string()),
        }
    }
}

async fn ask_resources<I: Inventory>(
    inventory: &I,
    wanted: BTreeMap<Marker, Vec<ResourceQuery>>,
    snapshot: &mut Snapshot,
) {
    if wanted.is_empty() {
        return;
    }
    let mut queries: Vec<ResourceQuery> = wanted.values().flatten().cloned().collect();
    queries.sort();
    queries.dedup();
    let facts = inventory.resources(&queries).await;
    for (marker, queries) in wanted {
        let answers = queries
            .iter()
            .map(|query| {
                facts
                    .get(query)
                    .cloned()
                    .unwrap_or_else(|| ResourceFact::Unknown {
                        why: "Config did not answer".to_owned(),
                    })
            })
            .collect();
        snapshot.resources.insert(marker, answers);
    }
}
