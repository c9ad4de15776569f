//! What must hold: each write has a reason that people would accept (S1 to S3), no decision is lost (S4), and in the
//! end both sides say the same (L1). Written from the words of the promises, not from the rows.

use asaf::decide::policy::{CloseWhileFailing, ResourceDeleted};
use asaf::model::{BaseTicket, FindingState, TicketState, WorkflowStatus};
use asaf::plan::{Action, HeldReason, TicketStep};

use super::inputs::{Actor, Decided, Rule, T, W, Writer};
use super::model::{InJira, KIM, World, t};

use TicketState::{Closed, Ignored, Open, Resolved};
use WorkflowStatus::{New, Notified, Suppressed};

fn must(holds: bool, promise: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(promise.to_owned())
    }
}

fn stopped(world: &World) -> bool {
    world.state().is_stopped()
}

fn set_by_somebody(world: &World, status: WorkflowStatus) -> bool {
    let written = world.written.clone().flatten();
    let theirs = written.is_some_and(|write| {
        let somebody = write.identity.as_deref() == Some(KIM) && !write.ours;
        // AWS never suppresses.
        let unnamed = write.identity.is_none() && status == Suppressed;
        write.to == status && (somebody || unnamed)
    });
    theirs && world.workflow() == Some(status)
}

/// S1 to S3 for one action, in the state that it was decided from.
pub(crate) fn justified(world: &World, action: &Action) -> Result<(), String> {
    match action.ticket {
        TicketStep::Replace => must(
            matches!(world.ticket, InJira::Is(Open | Closed)),
            "S1: what takes the place of a ticket needs one that is open or just closed",
        )?,
        TicketStep::Create => must(
            matches!(
                world.ticket,
                InJira::Absent | InJira::NotFound | InJira::Is(Closed)
            ),
            "S1: a second live ticket",
        )?,
        TicketStep::Transfer => must(false, "moved by a policy that moves nothing")?,
        TicketStep::Merge => must(false, "S1: merged without a group")?,
        TicketStep::Delete => must(
            world.input.deleted && world.policy.resource_deleted == ResourceDeleted::Delete,
            "S3: deleted without proof that the resource is",
        )?,
        TicketStep::Move { to: Closed } => {
            let proven = world.input.deleted;
            let passed = world.policy.auto_close_verified
                && world.state() == FindingState::Passing
                && matches!(world.ticket, InJira::Is(Resolved | Ignored));
            let put_back = world.ticket == InJira::Is(Ignored)
                && base_ticket(world) == Some(BaseTicket::Is(Closed));
            must(
                proven || passed || put_back,
                "S3: closed without proof, without a reviewer",
            )?;
        }
        TicketStep::Move { to: Ignored } => must(
            world.input.rule == Rule::Matches
                || set_by_somebody(world, Suppressed)
                || base_ticket(world) == Some(BaseTicket::Is(Ignored)),
            "S2: ignored without a rule",
        )?,
        TicketStep::Keep | TicketStep::Move { .. } | TicketStep::Update | TicketStep::Label => {}
    }
    match action.workflow.as_ref().map(|step| step.to) {
        Some(WorkflowStatus::Resolved) => must(may_resolve(world), "S2: RESOLVED without a reason"),
        Some(Suppressed) => must(
            world.input.rule == Rule::Matches
                || set_by_somebody(world, Suppressed)
                || was_suppressed(world),
            "S2: SUPPRESSED without a rule",
        ),
        Some(New | Notified) | None => Ok(()),
    }
}

fn base_ticket(world: &World) -> Option<BaseTicket> {
    world.link.as_ref()?.base.as_ref().map(|base| base.ticket)
}

/// Both sides had agreed on a suppression of somebody else's.
fn was_suppressed(world: &World) -> bool {
    world
        .link
        .as_ref()
        .and_then(|link| link.base.as_ref())
        .is_some_and(|base| base.workflow == Suppressed && base.workflow_by.is_theirs())
}

/// It stopped, its resource is gone, somebody set it, or somebody who may has decided it in this episode.
fn may_resolve(world: &World) -> bool {
    let person = world
        .moves
        .iter()
        .rev()
        .find(|moved| moved.by != super::model::BOT);
    let decided_now = person.is_some_and(|person| {
        let closes = person.to == Some(Closed) && person.by == super::model::REVIEWER;
        person.to == Some(Resolved) || closes
    });
    let agreed_before = matches!(base_ticket(world), Some(BaseTicket::Is(Resolved | Closed)));
    stopped(world)
        || world.input.deleted
        || world.input.decided == Decided::Accepted
        || set_by_somebody(world, WorkflowStatus::Resolved)
        || decided_now
        || agreed_before
}

/// S1, S4 and L1 at the end.
pub(crate) fn kept(start: &World, end: &World) -> Result<(), String> {
    must(end.orphans == 0, "S1: a live ticket that nothing knows of")?;
    must(
        !matches!(end.held, Some(HeldReason::NoRow)),
        "no row of the table matches",
    )?;
    decision_kept(start, end)?;
    agreed(end)
}

/// S4: what somebody who may has decided stands at the end, unless something later or stronger says otherwise.
fn decision_kept(start: &World, end: &World) -> Result<(), String> {
    let T::Moved(before, to, actor, hour) = start.input.t else {
        return Ok(());
    };
    let may = match to {
        Closed => actor == Actor::Reviewer,
        Open | Resolved => matches!(actor, Actor::Team | Actor::Reviewer),
        Ignored => false,
    };
    let active = start.state().is_active();
    let of_this_episode = hour == 18;
    let later = matches!(start.input.w, W::Changed(_, _, Writer::Theirs(at)) if at > hour);
    // What a reviewer closed stands against all that the console does later, but taking it back.
    let taken_back = matches!(
        start.input.w,
        W::Changed(_, WorkflowStatus::New | WorkflowStatus::Notified, _)
    );
    let overruled = start.input.rule != Rule::None
        || start.input.deleted
        || (later && (to != Closed || taken_back));
    if !may || !active || !of_this_episode || overruled || end.held.is_some() {
        return Ok(());
    }
    match to {
        Resolved => must(
            end.ticket == InJira::Is(Resolved) && end.workflow() == Some(WorkflowStatus::Resolved),
            "S4: a Resolve is lost",
        ),
        Closed
            if end.policy.close_while_failing == CloseWhileFailing::Reopen
                && start.state() == FindingState::Failing =>
        {
            must(
                end.ticket == InJira::Is(Open),
                "policy reopen is not followed",
            )
        }
        Closed => {
            let status = end.workflow();
            must(
                end.ticket == InJira::Is(Closed)
                    && matches!(status, Some(WorkflowStatus::Resolved | Suppressed)),
                "S4: a Close is lost",
            )
        }
        Open if before.is_some() => must(
            end.ticket == InJira::Is(Open) && end.workflow() == Some(Notified),
            "S4: a reopening is lost",
        ),
        Open | Ignored => Ok(()),
    }
}

/// L1: Jira and Security Hub tell the same story, or somebody knows why not.
pub(crate) fn agreed(world: &World) -> Result<(), String> {
    if world.held.is_some() || world.input.rule != Rule::None && unread(world) {
        return Ok(());
    }
    let w = world.workflow();
    let same = match (world.state(), &world.ticket) {
        (FindingState::Failing, InJira::Is(Open)) => {
            w == Some(Notified) || world.input.deleted && kept_open(world)
        }
        (FindingState::Failing, InJira::Is(Resolved)) => w == Some(WorkflowStatus::Resolved),
        (FindingState::Failing, InJira::Is(Closed)) => {
            matches!(w, Some(WorkflowStatus::Resolved | Suppressed))
        }
        (FindingState::Failing, InJira::Is(Ignored)) => w == Some(Suppressed),
        (FindingState::Failing, InJira::Absent | InJira::NotFound) => {
            world.input.deleted
                || world.policy.threshold > world.finding.as_ref().unwrap().severity
                || world.input.rule == Rule::Matches && w == Some(Suppressed)
                || matches!(w, Some(WorkflowStatus::Resolved | Suppressed))
                    && hidden_by_others(world)
        }
        (FindingState::Failing, InJira::Unmapped | InJira::Unreadable) => false,
        (FindingState::Unclear, _) => true,
        (_, InJira::Is(Open)) => kept_open(world),
        (_, InJira::Is(_)) => !matches!(w, Some(New | Notified)) || world.input.deleted,
        (_, InJira::Absent | InJira::NotFound | InJira::Unmapped | InJira::Unreadable) => true,
    };
    must(
        same,
        &format!(
            "L1: the finding is {:?}, {w:?}, the ticket {:?}",
            world.state(),
            world.ticket
        ),
    )
}

fn unread(world: &World) -> bool {
    matches!(world.input.rule, Rule::Unread { .. })
}

/// The status is somebody else's, as the link remembers.
fn hidden_by_others(world: &World) -> bool {
    world
        .link
        .as_ref()
        .and_then(|link| link.base.as_ref())
        .is_some_and(|base| base.workflow_by.is_theirs())
        || set_by_somebody(world, WorkflowStatus::Resolved)
        || set_by_somebody(world, Suppressed)
}

/// A reviewer reopened it after the finding had stopped.
fn kept_open(world: &World) -> bool {
    world.moves.last().is_some_and(|last| {
        last.by == super::model::REVIEWER && last.to == Some(Open) && last.at > t(16)
    })
}
