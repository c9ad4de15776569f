//! Reading tickets: by id, consistently; by search, only to find what is not known.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{BaseTicket, Link, Ticket, TicketState};
use crate::ports::{FindingsReader, Inventory, TicketQuery, TicketsReader};
use crate::read::snapshot::{Missing, Snapshot};
use crate::read::{Progress, ReadError, Sources};
use crate::store::Store;
use crate::wire::error::WireError;

/// Reads the tickets of all links in scope, 100 a call; those that are not there are asked for one by one.
pub(super) async fn of_links<F: FindingsReader, T: TicketsReader, I: Inventory, S: Store>(
    from: Sources<'_, F, T, I, S>,
    snapshot: &mut Snapshot,
    progress: &dyn Progress,
) -> Result<(), ReadError> {
    let wanted: Vec<u64> = snapshot
        .links
        .values()
        .filter(|link| {
            link.base
                .as_ref()
                .is_none_or(|base| base.ticket != BaseTicket::Deleted)
        })
        .filter_map(|link| link.ticket.as_ref().map(|at| at.id))
        .filter(|id| !snapshot.tickets.contains_key(id))
        .collect();
    for ids in wanted.chunks(100) {
        for ticket in from.tickets.fetch(ids).await? {
            // The store knows this ticket's link, and the property is only for when it does not.
            let ticket = Ticket {
                property: None,
                ..ticket
            };
            snapshot.tickets.insert(ticket.at.id, ticket);
        }
        progress.reading("tickets", snapshot.tickets.len() as u64);
    }
    let absent: Vec<u64> = wanted
        .into_iter()
        .filter(|id| !snapshot.tickets.contains_key(id))
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    let buried: BTreeSet<u64> = from
        .store
        .tombstones()
        .await?
        .into_iter()
        .map(|grave| grave.ticket.id)
        .collect();
    for id in absent {
        if buried.contains(&id) {
            forget_deleted(id, snapshot);
        } else {
            confirm_absent(from.tickets, id, snapshot).await?;
        }
    }
    Ok(())
}

/// We deleted it ourselves, and the run ended before the link said so: there is no ticket.
fn forget_deleted(id: u64, snapshot: &mut Snapshot) {
    for link in snapshot.links.values_mut() {
        if link.ticket.as_ref().is_some_and(|at| at.id == id) {
            link.ticket = None;
            snapshot.corrected.insert(link.marker.clone());
            if let Some(base) = &mut link.base {
                base.ticket = BaseTicket::None;
            }
        }
    }
}

/// A 404 by id is a deletion only where the project can be read: Jira hides with the same answer.
async fn confirm_absent<T: TicketsReader>(
    tickets: &T,
    id: u64,
    snapshot: &mut Snapshot,
) -> Result<(), WireError> {
    if let Some(ticket) = tickets.get(id).await? {
        snapshot.tickets.insert(id, ticket);
        return Ok(());
    }
    let key = snapshot
        .links
        .values()
        .find_map(|link| {
            link.ticket
                .as_ref()
                .filter(|at| at.id == id)
                .map(|at| at.key.clone())
        })
        .unwrap_or_default();
    let project = key.rsplit_once('-').map_or("", |(project, _)| project);
    let readable = tickets.project_readable(project).await.unwrap_or(false);
    snapshot.missing.insert(
        id,
        if readable {
            Missing::NotFound
        } else {
            Missing::Unreadable
        },
    );
    Ok(())
}

/// The ids on all pages of a search.
pub(super) async fn search<T: TicketsReader>(
    tickets: &T,
    query: &TicketQuery,
) -> Result<Vec<u64>, WireError> {
    let mut found = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let page = tickets.search(query, token.as_deref()).await?;
        found.extend(page.ids);
        match page.next {
            Some(next) => token = Some(next),
            None => return Ok(found),
        }
    }
}

/// Of tickets that changed lately, the links of those that stand elsewhere than was last agreed; the others are no news.
pub(super) async fn news<F: FindingsReader, T: TicketsReader, I: Inventory, S: Store>(
    from: Sources<'_, F, T, I, S>,
    changed: &[u64],
    snapshot: &mut Snapshot,
) -> Result<(), ReadError> {
    let links = from.store.links_of(&[], changed, &[]).await?;
    let mut by_ticket: BTreeMap<u64, Link> = links
        .into_iter()
        .filter_map(|link| Some((link.ticket.as_ref()?.id, link)))
        .collect();
    let known: Vec<u64> = by_ticket.keys().copied().collect();
    for ids in known.chunks(100) {
        for ticket in from.tickets.fetch(ids).await? {
            if let Some(link) = by_ticket.remove(&ticket.at.id)
                && is_news(&link, &ticket)
            {
                snapshot.tickets.insert(ticket.at.id, ticket);
                snapshot.keep(link);
            }
        }
    }
    // What is not there any more is news too.
    by_ticket.into_values().for_each(|link| snapshot.keep(link));
    Ok(())
}

/// The ticket stands elsewhere than its link last agreed, or the link has agreed on nothing yet.
fn is_news(link: &Link, ticket: &Ticket) -> bool {
    let Some(base) = &link.base else { return true };
    ticket.state.map(BaseTicket::Is) != Some(base.ticket)
}

/// The ticket is not closed.
pub(super) fn is_live(ticket: &Ticket) -> bool {
    ticket.state != Some(TicketState::Closed)
}
