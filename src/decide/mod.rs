//! Deciding: a pure function from what was seen to what should be written. No I/O, no clock, no error; doubt becomes
//! [`Held`].
//!
//! [`case`] pairs findings with links, [`view`] derives the letters of the decision table (F, T, W, R, base, episode,
//! who did what), [`table`] holds the rows, and [`outcome`] turns a row into an action and the link's next row, unless
//! [`damping`] stops it.

pub mod content;
pub mod grouping;
pub mod needs;
pub mod policy;

mod case;
mod damping;
mod episode;
mod group;
mod handing_over;
mod joint;
mod members;
mod outcome;
mod questions;
mod table;
mod verdict;
mod view;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{BaseTicket, TicketState};
use crate::plan::{Held, HeldReason, Plan, Seen};
use crate::read::snapshot::Snapshot;

pub use policy::Policy;

use case::Case;
use outcome::Outcome;

/// What should be written, and what is held. Every finding and link of the snapshot ends in exactly one of: an
/// action, a held item, a noted link, or nothing to do.
pub fn decide(snapshot: &Snapshot, policy: &Policy, now: Timestamp) -> Plan {
    let mut plan = Plan {
        seen: seen(snapshot),
        ..Plan::default()
    };
    // What has no link yet becomes an action as a rule. A list that grows as it is filled copies all of them again.
    let new = snapshot.findings.len().saturating_sub(snapshot.links.len());
    plan.actions.reserve(new);
    let groups = group::arrange(snapshot, policy, |case, leaves| {
        let before = plan.actions.len();
        decide_one(&case, snapshot, policy, now, &mut plan);
        for action in plan.actions.iter_mut().skip(before) {
            action.waits_for.extend(leaves.clone());
        }
    });
    for group in groups.values() {
        group::decide(group, snapshot, policy, now, &mut plan);
    }
    if !groups.is_empty() {
        plan.actions.sort_by(|a, b| a.marker.cmp(&b.marker));
    }
    plan
}

fn decide_one(
    case: &Case<'_>,
    snapshot: &Snapshot,
    policy: &Policy,
    now: Timestamp,
    plan: &mut Plan,
) {
    let seen = match view::view(case, snapshot, policy, now) {
        Ok(view) => view,
        Err(held) => {
            hold(case, held.why, plan);
            note(case, held.link, plan);
            return;
        }
    };
    if seen.is_hidden_by_hand() {
        plan.seen.hidden_by_hand += 1;
    }
    let verdict = table::rule(&seen, policy, now);
    match outcome::outcome(case, &seen, verdict, policy, now) {
        Outcome::Write(action) => plan.actions.push(*action),
        Outcome::Agree(link) => note(case, link, plan),
        Outcome::Held(why, link) => {
            hold(case, why, plan);
            note(case, link, plan);
        }
    }
}

fn hold(case: &Case<'_>, why: HeldReason, plan: &mut Plan) {
    plan.held.push(Held {
        marker: case.link.marker.clone(),
        subject: case.subject(),
        why,
    });
}

/// Keeps a link's row if it says something new and is worth a row at all.
fn note(case: &Case<'_>, link: crate::model::Link, plan: &mut Plan) {
    let known = case.known.is_some();
    if known && case.known != Some(&link) || !known && link.base.is_some() {
        plan.noted.push(Box::new(link));
    }
}

fn seen(snapshot: &Snapshot) -> Seen {
    let accounts: BTreeSet<&str> = snapshot
        .findings
        .values()
        .map(|f| f.alias.account.as_str())
        .collect();
    let live_tickets = snapshot
        .links
        .values()
        .filter(|link| {
            link.ticket.is_some()
                && link.base.as_ref().is_none_or(|base| {
                    !matches!(
                        base.ticket,
                        BaseTicket::Is(TicketState::Closed)
                            | BaseTicket::None
                            | BaseTicket::Deleted
                    )
                })
        })
        .count();
    Seen {
        findings: snapshot.findings.len(),
        accounts: accounts.len(),
        tickets: snapshot.tickets.len(),
        live_tickets,
        complete: snapshot.coverage.full,
        gaps: snapshot.coverage.gaps.clone(),
        hidden_by_hand: 0,
        rules: None,
    }
}
