//! Adoption: tickets that carry our marker and that no link knows.
//!
//! They come from a create whose outcome was unknown, from a store that was lost, or from one that was restored from
//! an older backup. They are taken over before anything is created, so none of these makes a second ticket.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{
    AliasKey, FindingKey, FindingState, Link, Marker, Member, Severity, Standing, Ticket,
};
use crate::mutant;
use crate::ports::{FindingsReader, Inventory, TicketsReader};
use crate::read::snapshot::Snapshot;
use crate::read::{ReadError, Sources, groups, tickets};
use crate::store::Store;

/// How many finding ids the property holds: enough to find the link again, within Jira's 32,768 characters.
const MOST_FINDINGS: usize = 20;

/// How many of those that share a ticket it holds with what each is about: what fails joins again without being named.
const MOST_MEMBERS: usize = 10;

/// The entity property `asaf.link`: the second marker, independent of the label.
#[derive(Deserialize)]
struct Property {
    alias: AliasKey,
    findings: Vec<FindingKey>,
    severity: Severity,
    #[serde(default)]
    members: Vec<Shares>,
}

/// One of several that share a ticket.
#[derive(Serialize, Deserialize)]
struct Shares {
    alias: AliasKey,
    findings: Vec<FindingKey>,
}

/// The value of `asaf.link` for a new ticket.
pub fn property(link: &Link, members: &[Link]) -> Value {
    let shared = members.iter().flat_map(|member| &member.findings);
    let findings = link.findings.iter().chain(shared);
    let findings: Vec<&FindingKey> = findings.take(MOST_FINDINGS).collect();
    let mut value = json!({ "v": 1, "marker": link.marker, "alias": link.alias, "findings": findings, "severity": link.severity });
    if !members.is_empty() {
        let members = members.iter().take(MOST_MEMBERS).map(|member| Shares {
            alias: member.alias.clone(),
            findings: member.findings.clone(),
        });
        value["members"] = json!(members.collect::<Vec<_>>());
    }
    value
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
    let sharing = by_marker.iter().flat_map(|(marker, candidates)| {
        let properties = candidates
            .iter()
            .filter_map(|ticket| property_of(ticket, marker));
        properties.flat_map(|property| property.members)
    });
    let sharing = sharing.map(|shares| Marker::of(&shares.alias));
    let markers: Vec<Marker> = by_marker
        .keys()
        .cloned()
        .chain(sharing)
        .filter(|marker| !snapshot.links.contains_key(marker))
        .collect();
    let known = from.store.links_of(&[], &[], &markers).await?;
    known.into_iter().for_each(|link| snapshot.keep(link));
    let mut found: Vec<(Marker, Vec<Ticket>)> = by_marker.into_iter().collect();
    found.sort_by_key(|(marker, candidates)| turn(marker, candidates));
    for (marker, candidates) in found {
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

/// In which order tickets are taken over: a live ticket of its own counts before one that is shared, and that before one
/// that was closed when its finding began to share another.
fn turn(marker: &Marker, candidates: &[Ticket]) -> u8 {
    let is_shared = |ticket: &Ticket| {
        property_of(ticket, marker).is_some_and(|property| property.alias.is_group())
    };
    if candidates.iter().any(is_shared) {
        1
    } else if candidates.iter().any(tickets::is_live) {
        0
    } else {
        2
    }
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
    if link.alias.is_group() {
        link.members = members(marker, &chosen, snapshot);
    }
    snapshot.corrected.insert(marker.clone());
    snapshot.intents.remove(marker);
    snapshot.tickets.insert(chosen.at.id, chosen);
    snapshot.keep(link);
}

/// Those that share the ticket. Whoever the store does not know gets a link: it may have stopped failing since, or be
/// gone, and the ticket follows that.
fn members(marker: &Marker, ticket: &Ticket, snapshot: &mut Snapshot) -> Vec<Marker> {
    let known = snapshot.links.get(marker);
    let mut found: BTreeSet<Marker> =
        known.map_or_else(BTreeSet::new, |link| link.members.iter().cloned().collect());
    let Some(property) = property_of(ticket, marker) else {
        return found.into_iter().collect();
    };
    let group = property.alias;
    // Whoever may edit tickets may write the property: it names nobody that could not share this one.
    let may_share = |shares: &Shares| {
        let alias = &shares.alias;
        // A vulnerability's alias has its finding's id in place of the rule.
        let is_of_rule = alias.rule.eq_ignore_ascii_case(&group.rule) || alias.rule.contains('#');
        is_of_rule && !alias.is_group() && group.spans(&alias.account)
    };
    for shares in property.members.into_iter().filter(may_share) {
        let one = Marker::of(&shares.alias);
        let link = snapshot.links.entry(one.clone()).or_insert_with(|| {
            Box::new(Link {
                findings: shares.findings,
                ..Link::new(shares.alias, property.severity)
            })
        });
        if link.member.is_none() && link.ticket.is_none() {
            link.member = Some(Box::new(Member {
                of: marker.clone(),
                standing: Standing::Fails { unclear: false },
                account_name: String::new(),
                named: true,
            }));
            snapshot.corrected.insert(one.clone());
        }
        if link
            .member
            .as_ref()
            .is_some_and(|member| member.of == *marker)
        {
            found.insert(one);
        }
    }
    found.into_iter().collect()
}

/// What our property says, if it is of this marker.
fn property_of(ticket: &Ticket, marker: &Marker) -> Option<Property> {
    let value = ticket.property.clone()?;
    let property = serde_json::from_value::<Property>(value).ok()?;
    (Marker::of(&property.alias) == *marker).then_some(property)
}

/// From the property, or from the finding that has this marker.
fn new_link(marker: &Marker, ticket: &Ticket, snapshot: &Snapshot) -> Option<Link> {
    if let Some(property) = property_of(ticket, marker) {
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
