//! Tickets of several findings in a narrow read: whoever of a group is named, all of it is read.

use std::collections::BTreeSet;

use crate::decide::Policy;
use crate::decide::grouping::home;
use crate::model::{Link, Marker};
use crate::read::ReadError;
use crate::read::snapshot::Snapshot;
use crate::store::Store;

/// The markers of the groups to which the findings that were read belong, or would.
pub(super) fn homes(snapshot: &Snapshot, policy: &Policy) -> BTreeSet<Marker> {
    let findings = snapshot.findings.values();
    let homes = findings.filter_map(|finding| home(finding, &snapshot.owners, policy.grouping));
    homes.map(|alias| Marker::of(&alias)).collect()
}

/// Adds the groups of the links in scope, and all members of those groups.
pub(super) async fn complete<S: Store>(
    store: &S,
    snapshot: &mut Snapshot,
) -> Result<(), ReadError> {
    // A group leads to members, and a member to its group: twice is all the way.
    for _ in 0..2 {
        let named = |link: &Link| {
            let group = link.member.as_ref().map(|member| member.of.clone());
            group.into_iter().chain(link.members.clone())
        };
        let links = snapshot.links.values().map(Box::as_ref);
        let wanted: BTreeSet<Marker> = links.flat_map(named).collect();
        let missing: Vec<Marker> = wanted
            .into_iter()
            .filter(|marker| !snapshot.links.contains_key(marker))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let known = store.links_of(&[], &[], &missing).await?;
        known.into_iter().for_each(|link| snapshot.keep(link));
    }
    Ok(())
}

/// The key of the ticket that tracks what has this marker: its own, or that of its group.
pub(super) fn ticket_key<'a>(marker: &Marker, snapshot: &'a Snapshot) -> Option<&'a str> {
    let link = snapshot.link(marker)?;
    let group = link.member.as_ref();
    let group = group.and_then(|member| snapshot.link(&member.of));
    let at = link.ticket.as_ref().or_else(|| group?.ticket.as_ref());
    at.map(|at| at.key.as_str())
}
