//! Tickets of several findings, as pages show them: which ticket a finding shares, and what shares a ticket.

use std::collections::BTreeMap;

use super::answer::{Failure, Visit};
use super::listing::Listing;
use crate::figures::table::Cell;
use crate::model::{Link, Marker};
use crate::store::Store;

/// The key of each link's ticket: its own, or the one that it shares.
pub(super) async fn keys(
    visit: &Visit<'_>,
    links: &[Link],
) -> Result<BTreeMap<Marker, String>, Failure> {
    let groups: Vec<Marker> = links
        .iter()
        .filter_map(|link| Some(link.member.as_ref()?.of.clone()))
        .collect();
    let groups = visit.dashboard.store.links_of(&[], &[], &groups).await?;
    let groups: BTreeMap<Marker, Link> = groups
        .into_iter()
        .map(|group| (group.marker.clone(), group))
        .collect();
    let keys = links.iter().filter_map(|link| {
        let shared = || groups.get(&link.member.as_ref()?.of)?.ticket.as_ref();
        let at = link.ticket.as_ref().or_else(shared)?;
        Some((link.marker.clone(), at.key.clone()))
    });
    Ok(keys.collect())
}

/// The findings that share a ticket, with what is with each; `None` for a ticket of one finding.
pub(super) async fn members(visit: &Visit<'_>, group: &Link) -> Result<Option<Listing>, Failure> {
    if group.members.is_empty() {
        return Ok(None);
    }
    let store = &visit.dashboard.store;
    let members = store.links_of(&[], &[], &group.members).await?;
    let columns = [
        ("resource", "Resource"),
        ("account", "Account"),
        ("region", "Region"),
        ("severity", "Severity"),
        ("state", "State"),
    ];
    let mut table = Listing::new("members", "What shares this ticket", &columns);
    for link in &members {
        let member = link.member.as_ref();
        let state = member.map_or_else(String::new, |member| member.standing.sentence());
        let row = table.row(vec![
            Cell::from(link.alias.resource.as_str()),
            Cell::from(link.alias.account.as_str()),
            Cell::from(link.alias.region.as_str()),
            Cell::from(link.severity.label()),
            Cell::from(state),
        ]);
        row.to = Some(format!("/ticket/{}", link.marker));
    }
    table.says = "Each is decided about by itself; the ticket follows those that fail.".to_owned();
    Ok(Some(table))
}
