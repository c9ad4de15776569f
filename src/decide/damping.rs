//! Damping: what keeps the engine from fighting people and automation rules, and from following a finding that flaps.
//!
//! A *reversal* puts something back that somebody else has changed. After a few of them in a day, or when a row would
//! write the same link twice in one episode with nothing between, the engine stops, marks the ticket as disputed and
//! tells security once. A finding that turns again at once is waited for.

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    BaseTicket, DISPUTED_LABEL, DecisionKind, Dispute, Link, Ticket, TicketState, WorkflowStatus,
};
use crate::mutant;
use crate::plan::TicketStep;

use super::policy::Policy;
use super::verdict::Verdict;
use super::view::View;

/// Rows that undo what somebody else, or an automation rule, may do again at once: a second write in one episode,
/// with no other row between, is disputed. Row 16 counts only when it writes no content.
const FLAP_ROWS: [u8; 10] = [3, 5, 9, 10, 11, 13, 14, 16, 18, 20];

/// How often the engine reverses others on one ticket within [`DAY`].
const REVERSALS_MOST: usize = 3;

/// People deleted the ticket.
const DELETED_ROW: u8 = 12;

/// The window in which reversals count.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Why a verdict is not followed.
#[derive(Debug, PartialEq)]
pub(super) enum Damped {
    /// The finding turned moments ago: it is looked at again then.
    HoldDown {
        /// When.
        until: Timestamp,
    },
    /// It stops here, and people are told.
    NowDisputed,
    /// They were told already.
    StillDisputed {
        /// When.
        since: Timestamp,
    },
}

/// Whether a verdict that would write is followed.
pub(super) fn damp(
    v: &View<'_>,
    verdict: &Verdict,
    policy: &Policy,
    now: Timestamp,
) -> Option<Damped> {
    if mutant::is("no-damping") {
        return None;
    }
    if let Some(until) = held_down(v, verdict, policy, now) {
        return Some(Damped::HoldDown { until });
    }
    let reverses = is_reversal(v, verdict);
    let too_often = reverses && recent(&v.link, now).count() >= REVERSALS_MOST;
    let goes_on = reverses && v.link.dispute.is_some();
    let stops = too_often || goes_on || repeats_itself(v, verdict);
    stops.then_some(match &v.link.dispute {
        Some(dispute) => Damped::StillDisputed { since: dispute.at },
        None => Damped::NowDisputed,
    })
}

/// The reversals that count still.
fn recent(link: &Link, now: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
    let counts = move |at: &Timestamp| now.duration_since(*at) < DAY;
    link.reversals.iter().copied().filter(counts)
}

/// Remembers that this write reversed somebody.
pub(super) fn count(link: &mut Link, v: &View<'_>, verdict: &Verdict, now: Timestamp) {
    if is_reversal(v, verdict) {
        link.reversals = recent(link, now).chain([now]).collect();
    }
}

/// A dispute ends when a person takes the label off, or, where there could be none, after a day. Tickets that people
/// keep deleting stay theirs to decide.
pub(super) fn lift(link: &mut Link, ticket: Option<&Ticket>, policy: &Policy, now: Timestamp) {
    let Some(dispute) = &link.dispute else { return };
    let age = now.duration_since(dispute.at);
    let lifted = match ticket {
        // Reads may lag behind our own label.
        Some(ticket) if dispute.labelled => {
            age > policy.settle && !ticket.labels.iter().any(|label| label == DISPUTED_LABEL)
        }
        _ => age >= DAY && dispute.row != DELETED_ROW,
    };
    if lifted {
        link.dispute = None;
        link.reversals.clear();
        link.last_row = None;
    }
}

/// The mark of a dispute that begins now.
pub(super) fn begin(link: &mut Link, row: u8, labelled: bool, now: Timestamp) {
    link.dispute = Some(Dispute {
        row,
        at: now,
        labelled,
    });
    link.disputes += 1;
}

/// The write puts back what somebody else changed, rather than following AWS or a person's decision.
fn is_reversal(v: &View<'_>, verdict: &Verdict) -> bool {
    let moved_ticket = v.base.ticket != v.t;
    let same_episode = v.base.episode == v.episode;
    match verdict.row {
        2 | 10 => true,
        7 | 17 => matches!(
            verdict.ticket,
            TicketStep::Move {
                to: TicketState::Open
            }
        ),
        // Security Hub's word against a person's who has just reopened the ticket.
        9 | 11 => v.link.decision.as_ref().is_some_and(|decision| {
            decision.kind == DecisionKind::Reopened && decision.episode == v.episode
        }),
        14 => same_episode,
        16 => {
            verdict.ticket == TicketStep::Keep
                && same_episode
                && v.base.workflow == WorkflowStatus::Notified
        }
        18 => moved_ticket && v.base.ticket == BaseTicket::Is(TicketState::Resolved),
        3 | 20 => v.base.workflow == WorkflowStatus::Resolved,
        _ => false,
    }
}

/// How often this row has written this link in this episode, with no other row between.
pub(super) fn repeats(v: &View<'_>, verdict: &Verdict) -> u32 {
    v.link
        .last_row
        .filter(|(row, episode, _)| *row == verdict.row && *episode == v.episode)
        .map_or(0, |(_, _, count)| count)
}

fn repeats_itself(v: &View<'_>, verdict: &Verdict) -> bool {
    let counts = match verdict.row {
        16 => verdict.ticket == TicketStep::Keep,
        row => FLAP_ROWS.contains(&row),
    };
    // The members of a group change one after the other.
    counts && !v.shared && repeats(v, verdict) >= 1
}

/// Until when a reopening or resolving of ours waits: the finding has turned, and it had turned moments before.
fn held_down(
    v: &View<'_>,
    verdict: &Verdict,
    policy: &Policy,
    now: Timestamp,
) -> Option<Timestamp> {
    let follows = matches!(
        (verdict.row, verdict.ticket),
        (
            14,
            TicketStep::Move {
                to: TicketState::Open
            }
        ) | (18, _)
    );
    if !follows || !v.turned() {
        return None;
    }
    let until = v
        .link
        .turned_at?
        .saturating_add(policy.hold_down)
        .unwrap_or(Timestamp::MAX);
    (now < until).then_some(until)
}
