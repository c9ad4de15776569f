//! Adoption: tickets that carry our marker and that no link knows.
//!
//! They come from a create whose outcome was unknown, from a store that was lost, or from one that was restored from
//! an older backup. They are taken over before anything is created, so none of these makes a second ticket.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{AliasKey, FindingKey, FindingState, Link, Marker, Severity, Ticket};
use crate::mutant;
use crate::ports::{FindingsReader, Inventory, TicketsReader};
use crate::read::snapshot::Snapshot;
use crate::read::{ReadError, Sources, groups, tickets};
use crate::store::Store;

/// How many finding ids the property holds: enough to find the link again, within Jira's 32,768 characters.
const MOST_FINDINGS: usize = 20;

/// The entity property `asaf.link`: the second marker, independent of the label.
#[derive(Deserialize)]
struct Property {
    alias: AliasKey,
    findings: Vec<FindingKey>,
    severity: Severity,
}

/// The value of `asaf.link` for a new ticket.
pub fn property(link: &Link, members: &[Link]) -> Value {
    let shared = members.iter().flat_map(|member| &member.findings);
    let findings = link.findings.iter().chain(shared);
    let findings: Vec<&FindingKey> = findings.take(MOST_FINDINGS).collect();
    json!({ "v": 1, "marker": link.marker, "alias": link.alias, "findings": findings, "severity": link.severity })
}

/// The marker among a ticket's labels.
pub fn marker_of(ticket: &Ticket) -> Option<Marker> {
    ticket
        .labels
        .iter()
        .find(|label| {
            label
                .strip_prefix("asaf-")
                .is_some_and(|hash| hash.len() == 32)
        })
        .map(|label| Marker(label.clone()))
        .or_else(|| {
            ticket.property.as_ref()?["marker"]
                .as_str()
                .map(|marker| Marker(marker.to_owned()))
        })
}

/// Tickets that Security Hub names and the store does not: a search may leave out what exists, and a key is read
/// consistently. Only failing findings are asked about, because only they would get a ticket.
async fn named_by_findings<T: TicketsReader>(
    tickets: &T,
    snapshot: &Snapshot,
) -> Result<Vec<u64>, ReadError> {
    let mut keys: BTreeSet<String> = BTreeSet::new();
    for finding in snapshot.findings.values() {
        let Some(key) = &finding.noted_ticket else {
            continue;
        };
        let linked = groups::ticket_key(&Marker::of(&finding.alias), snapshot);
        let is_new = linked.is_none_or(|linked| linked != key);
        if is_new && !finding.sample && finding.state() == FindingState::Failing {
            keys.insert(key.clone());
        }
    }
    let keys: Vec<String> = keys.into_iter().filter(|key| is_a_key(key)).collect();
    let mut found = Vec::new();
    for some in keys.chunks(100) {
        let read = tickets.fetch_keys(some).await?;
        found.extend(read.into_iter().map(|ticket| ticket.at.id));
    }
    Ok(found)
}

/// Anybody who may write findings may write the field.
fn is_a_key(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(project, number)| {
        let name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        !project.is_empty() && project.chars().all(name) && number.parse::<u64>().is_ok()
    })
}

/// Takes over the tickets of a search that no link knows, and those that Security Hub names, after reading them again by
/// id: a search may show what was deleted.
pub(super) async fn unknown<F: FindingsReader, T: TicketsReader, I: Inventory, S: Store>(
    from: Sources<'_, F, T, I, S>,
    mut ids: Vec<u64>,
    snapshot: &mut Snapshot,
) -> Result<(), ReadError> {
    if mutant::is("no-adoption") {
        return Ok(());
    }
    if !mutant::is("hub-forgotten") {
        ids.extend(named_by_findings(from.tickets, snapshot).await?);
    }
    ids.sort_unstable();
    ids.dedup();
    let known: Vec<u64> = if snapshot.coverage.full {
        snapshot
            .links
            .values()
            .filter_map(|link| link.ticket.as_ref().map(|at| at.id))
            .collect()
    } else {
        let links = from.store.links_of(&[], &ids, &[]).await?;
        links
            .iter()
            .filter_map(|link| link.ticket.as_ref().map(|at| at.id))
            .collect()
    };
    let known: std::collections::BTreeSet<u64> = known.into_iter().collect();
    let strangers: Vec<u64> = ids.into_iter().filter(|id| !known.contains(id)).collect();
    let mut by_marker: BTreeMap<Marker, Vec<Ticket>> = BTreeMap::new();
    for ids in strangers.chunks(100) {
        for ticket in from.tickets.fetch(ids).await? {
            match marker_of(&ticket) {
                Some(marker) => by_marker.entry(marker).or_default().push(ticket),
                None => {
                    snapshot.strays.insert(ticket.at.key);
                }
            }
        }
    }
    let markers: Vec<Marker> = by_marker
        .keys()
        .filter(|m| !snapshot.links.contains_key(*m))
        .cloned()
        .collect();
    let known = from.store.links_of(&[], &[], &markers).await?;
    known.into_iter().for_each(|link| snapshot.keep(link));
    for (marker, candidates) in by_marker {
        forget_older(from.tickets, &marker, &candidates, snapshot).await?;
        take_over(&marker, candidates, snapshot);
    }
    Ok(())
}

/// A store that was restored may name a ticket in whose place we have made another one since: the older one is deleted
/// or closed, and the newer one carries our property, which no copy of a ticket has.
async fn forget_older<T: TicketsReader>(
    tickets: &T,
    marker: &Marker,
    candidates: &[Ticket],
    snapshot: &mut Snapshot,
) -> Result<(), ReadError> {
    let Some(link) = snapshot.links.get_mut(marker) else {
        return Ok(());
    };
    let Some(at) = &link.ticket else {
        return Ok(());
    };
    let made_since = candidates.iter().any(|ticket| {
        let named = ticket.property.as_ref().map(|property| &property["marker"]);
        let ours = named.and_then(Value::as_str) == Some(marker.as_str());
        ours && ticket.at.id > at.id && tickets::is_live(ticket)
    });
    if !made_since {
        return Ok(());
    }
    let older = tickets.fetch(&[at.id]).await?;
    if !older.first().is_some_and(tickets::is_live) {
        link.ticket = None;
    }
    Ok(())
}

/// The live ticket with the highest id becomes the link's; others that are not closed are strays.
fn take_over(marker: &Marker, mut candidates: Vec<Ticket>, snapshot: &mut Snapshot) {
    candidates.sort_by_key(|ticket| (tickets::is_live(ticket), ticket.at.id));
    let Some(chosen) = candidates.pop() else {
        return;
    };
    let mut strays: Vec<String> = candidates
        .into_iter()
        .filter(tickets::is_live)
        .map(|ticket| ticket.at.key)
        .collect();
    let link = match snapshot.link(marker) {
        // The link has a ticket: a closed one is an older episode's, a live one is a duplicate that a person made.
        Some(link) if link.ticket.is_some() => {
            if tickets::is_live(&chosen) {
                strays.push(chosen.at.key);
            }
            snapshot.strays.extend(strays);
            return;
        }
        // Its finding shares another ticket now; this one was closed for that.
        Some(link) if link.member.is_some() => {
            if tickets::is_live(&chosen) {
                strays.push(chosen.at.key);
            }
            snapshot.strays.extend(strays);
            return;
        }
        Some(link) => Some(Link {
            base: None,
            ..link.clone()
        }),
        None => new_link(marker, &chosen, snapshot),
    };
    // A create of ours whose answer never came: it is news, and not a ticket that somebody else had made.
    let intent = snapshot.intents.get(marker);
    let link = intent.map(|intent| Link::clone(&intent.link)).or(link);
    snapshot.strays.extend(strays);
    let Some(mut link) = link else {
        snapshot.strays.insert(chosen.at.key);
        return;
    };
    link.ticket = Some(chosen.at.clone());
    snapshot.corrected.insert(marker.clone());
    snapshot.intents.remove(marker);
    snapshot.tickets.insert(chosen.at.id, chosen);
    snapshot.keep(link);
}

/// From the property, or from the finding that has this marker.
fn new_link(marker: &Marker, ticket: &Ticket, snapshot: &Snapshot) -> Option<Link> {
    let property = ticket
        .property
        .clone()
        .and_then(|value| serde_json::from_value::<Property>(value).ok());
    if let Some(property) = property.filter(|property| Marker::of(&property.alias) == *marker) {
        let mut link = Link::new(property.alias, property.severity);
        if !link.alias.is_group() {
            link.findings = property.findings.into_iter().collect();
        }
        return Some(link);
    }
    let finding = snapshot
        .findings
        .values()
        .find(|finding| Marker::of(&finding.alias) == *marker)?;
    let mut link = Link::new(finding.alias.clone(), finding.severity);
    link.track(finding.key.clone());
    Some(link)
}
