//! Row 16 where the finding belongs to an owner with another project now: a new ticket there, the same ticket there, or,
//! by policy, neither.

use crate::model::{TicketState, WorkflowStatus};
use crate::plan::{HeldReason, Reason, TicketStep};

use super::policy::{MoveDenied, OwnerChange, Policy};
use super::verdict::{Ruling, Verdict};
use super::view::View;

/// It comes before row 14, which would reopen what an interrupted run has closed.
pub(super) fn handed_over(v: &View<'_>, policy: &Policy) -> Option<Ruling> {
    let (from, to) = v.new_owner(policy)?;
    let interrupted = v.was_being_replaced();
    if !(v.is(TicketState::Open) || interrupted) {
        return None;
    }
    let old_key = v.ticket?.at.key.clone();
    let teams = (from.team.clone(), to.team.clone());
    let moves = policy.owner_change == OwnerChange::Move && !interrupted;
    let (step, reason) = match v.may_move {
        _ if !moves => (TicketStep::Replace, owner_changed(&old_key, teams)),
        None => {
            return Some(Ruling::Held(HeldReason::MayMoveUnknown {
                key: old_key,
                project: to.project.clone(),
            }));
        }
        Some(Ok(())) => {
            let (from, to) = teams;
            let old_key = old_key.clone();
            (
                TicketStep::Transfer,
                Reason::OwnerMoved { old_key, from, to },
            )
        }
        Some(Err(why)) => denied(&old_key, teams, why, policy),
    };
    let tells = step == TicketStep::Update;
    let verdict = Verdict::new(16, reason).step(step).comment(&old_key);
    let verdict = if tells {
        verdict.tell_security()
    } else {
        verdict
    };
    Some(Ruling::Row(verdict.status(WorkflowStatus::Notified)))
}

fn owner_changed(old_key: &str, (from, to): (String, String)) -> Reason {
    Reason::OwnerChanged {
        old_key: old_key.to_owned(),
        from,
        to,
    }
}

/// Jira does not let the bot move it: what the policy says instead.
fn denied(
    old_key: &str,
    (from, to): (String, String),
    why: &str,
    policy: &Policy,
) -> (TicketStep, Reason) {
    let stays = policy.move_denied == MoveDenied::Keep;
    let reason = Reason::OwnerMoveDenied {
        old_key: old_key.to_owned(),
        from,
        to,
        why: why.to_owned(),
        stays,
    };
    let step = if stays {
        TicketStep::Update
    } else {
        TicketStep::Replace
    };
    (step, reason)
}
