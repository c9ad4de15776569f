//! The letters of the decision table for a ticket that several findings share: F and W of the members that rule, the
//! ticket's own T and base.

use jiff::Timestamp;

use crate::model::{Finding, Link, Marker};
use crate::plan::HeldReason;
use crate::read::snapshot::Snapshot;

use super::case::Case;
use super::damping;
use super::episode::{episode, goes_on_since};
use super::members::About;
use super::policy::Policy;
use super::view::{
    Letters, RowOne, View, base, in_doubt, later_counts, may_move, moved, moves, ticket_state,
};

/// The view of a ticket that several findings share, from those of the members that rule: their F and W, the worst one
/// first, and the ticket's own T and base.
pub(super) fn joint<'a>(
    case: &Case<'_>,
    ruling: &[&View<'a>],
    about: About,
    snapshot: &'a Snapshot,
    policy: &Policy,
    now: Timestamp,
) -> Result<View<'a>, Box<RowOne>> {
    let mut link = case.link.clone();
    link.in_flight = None;
    match joint_letters(case, ruling, about, &mut link, snapshot, policy, now) {
        Ok(build) => Ok(build.with(link)),
        Err(why) => Err(Box::new(RowOne { why, link })),
    }
}

fn joint_letters<'a>(
    case: &Case<'_>,
    ruling: &[&View<'a>],
    about: About,
    link: &mut Link,
    snapshot: &'a Snapshot,
    policy: &Policy,
    now: Timestamp,
) -> Result<Letters<'a>, HeldReason> {
    in_doubt(&link.marker, snapshot)?;
    let Some(lead) = ruling.first() else {
        return Err(HeldReason::AbsentOnce);
    };
    let (t, ticket) = ticket_state(link, snapshot, now)?;
    damping::lift(link, ticket, policy, now);
    let base = base(link);
    let changed = |view: &&&View<'_>| view.w.is_some_and(|w| w != base.workflow);
    let spokesman = ruling.iter().find(changed).unwrap_or(lead);
    let (f, w, w_by) = (lead.f, spokesman.w, spokesman.w_by.clone());
    let (episode, episode_started_at) = match about {
        // That others have stopped since begins nothing.
        About::Accepted => (base.episode, base.episode_started_at),
        _ => episode(case, &base, f, w, &w_by, snapshot),
    };
    let moves = moves(link, snapshot);
    let deleted_at = ruling.iter().filter_map(|view| view.deleted_at).max();
    let since = goes_on_since(f, deleted_at, episode_started_at);
    let moved = moved(t, ticket, &base, since, moves, snapshot)?;
    let reviewers = snapshot.people.reviewers.as_ref();
    let (moved, overruled) = match later_counts(moved, w, &w_by, &base, reviewers) {
        (Some(_), _) if about == About::Nobody => (None, None),
        counts => counts,
    };
    link.evaluated_at = ruling
        .iter()
        .filter_map(|view| view.link.evaluated_at)
        .max();
    Ok(Letters(View {
        w,
        w_by,
        t,
        ticket,
        base,
        deleted_at,
        episode,
        episode_started_at,
        moved,
        moves,
        overruled,
        changed_at: ruling.iter().filter_map(|view| view.changed_at).max(),
        lead: case
            .lead()
            .map(|finding| (finding.severity, case.content(finding))),
        owner: case.owner.as_ref().ok().cloned(),
        may_move: may_move(case, ticket, snapshot),
        shared: true,
        of_more: deleted_at.is_some() && is_of_more(case, snapshot),
        accepted: about == About::Accepted,
        ..View::clone(lead)
    }))
}

/// A finding that left the ticket when it was dealt with still names it in its fields: the ticket says how that went.
fn is_of_more(case: &Case<'_>, snapshot: &Snapshot) -> bool {
    let rows = case.shared.as_ref().map_or(&[][..], |shared| &shared.rows);
    let names =
        |finding: &&Finding| finding.noted_ticket.is_some() && finding.noted_ticket == case.key;
    let findings = snapshot.findings.values().map(Box::as_ref);
    let mut others = findings.filter(names);
    others.any(|finding| {
        let marker = Marker::of(&finding.alias);
        let exists = |link: &Link| link.resource_deleted_at.is_none();
        let is_row = rows.iter().any(|row| row.marker == marker);
        !is_row && snapshot.link(&marker).is_none_or(exists)
    })
}
