//! The mass-change brake: more removals than both a share and a number are not applied, while everything else goes on.
//! A removal is a close, a deletion or a suppression by the engine.

use serde::{Deserialize, Serialize};

use super::{Action, Held, HeldReason, Plan, TicketStep};
use crate::model::{TicketState, WorkflowStatus};

/// How much one run may remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Percent of the live tickets.
    pub removals_percent: u8,
    /// And at least this many.
    pub removals: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            removals_percent: 10,
            removals: 25,
        }
    }
}

/// What a plan is only a slice of: many small runs must not remove together what one could not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// Removals of the runs before, within the last day.
    pub removals: usize,
    /// All live tickets, where the run looks at a part.
    pub live_tickets: Option<usize>,
}

/// What the brake says about a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Braked {
    /// Removals in the plan, and in the runs that it belongs to.
    pub removals: usize,
    /// Live tickets before the run.
    pub of: usize,
}

/// A close, a deletion, or a suppression by the engine.
pub fn is_removal(action: &Action) -> bool {
    let ticket = matches!(
        action.ticket,
        TicketStep::Delete
            | TicketStep::Merge
            | TicketStep::Move {
                to: TicketState::Closed | TicketState::Ignored
            }
    );
    let undo = action.row == 2;
    let suppress = action
        .workflow
        .as_ref()
        .is_some_and(|step| step.to == WorkflowStatus::Suppressed);
    (ticket || suppress) && !undo
}

/// Takes the removals out of a plan that is over the limits, and holds them.
pub fn brake(plan: &mut Plan, limits: Limits, earlier: Earlier) -> Option<Braked> {
    let removals = plan
        .actions
        .iter()
        .filter(|action| is_removal(action))
        .count();
    if removals == 0 {
        return None;
    }
    let removals = removals + earlier.removals;
    let of = earlier.live_tickets.unwrap_or(plan.seen.live_tickets);
    let over_share = removals * 100 > of * usize::from(limits.removals_percent);
    if removals <= limits.removals || !over_share {
        return None;
    }
    let (blocked, kept): (Vec<Action>, Vec<Action>) = std::mem::take(&mut plan.actions)
        .into_iter()
        .partition(is_removal);
    plan.actions = kept;
    plan.held.extend(blocked.into_iter().map(|action| Held {
        marker: action.marker,
        subject: action.subject,
        why: HeldReason::Brake { removals, of },
    }));
    plan.hold_waiting(&HeldReason::Brake { removals, of });
    Some(Braked { removals, of })
}
