//! Both sides changed between two runs.

use super::*;
use crate::model::InFlight;

/// A reviewer closed the ticket at hour 15, and somebody in the console set NOTIFIED at this hour.
fn closed_and_taken_back(hour: i64) -> State {
    State::failing(Notified)
        .base(BaseTicket::Is(Resolved), WorkflowStatus::Resolved)
        .ticket(Closed, REVIEWER)
        .set_by_hand(hour)
}

#[test]
fn what_the_console_takes_back_after_a_reviewer_has_closed_it_is_open_again() {
    let plan = closed_and_taken_back(16).plan();
    let action = plan.actions.first().unwrap();
    assert_eq!(action.row, 14);
    assert!(
        matches!(action.ticket, TicketStep::Move { to: Open }),
        "{:?}",
        action.ticket
    );
}

#[test]
fn a_close_that_comes_later_stands() {
    let plan = closed_and_taken_back(14).plan();
    assert_eq!(plan.actions.first().unwrap().row, 7);
}

#[test]
fn closing_without_the_right_is_undone_whatever_the_console_does_later() {
    let state = State::failing(Notified)
        .base(BaseTicket::Is(Resolved), WorkflowStatus::Resolved)
        .ticket(Closed, TEAM)
        .set_by_hand(16);
    assert_eq!(state.plan().actions.first().unwrap().row, 2);
}

/// One of two findings was read as NEW and one as NOTIFIED when both were set to RESOLVED.
#[test]
fn a_read_that_shows_what_one_of_several_findings_was_before_our_write_is_older() {
    let was = |others: &[WorkflowStatus]| {
        let mut state = State::failing(Notified)
            .is("FAILED", "ARCHIVED")
            .base(BaseTicket::Is(Resolved), WorkflowStatus::Resolved)
            .base_finding(FindingState::Archived)
            .ticket(Resolved, BOT);
        let write = InFlight::new(WorkflowStatus::Resolved, New, others.iter().copied(), t(20));
        state.link.in_flight = Some(write);
        state.plan().actions.len()
    };
    assert_eq!((was(&[]), was(&[New, Notified])), (1, 0));
}

/// Somebody in the console took note of what a reviewer has closed: NEW became NOTIFIED, and nothing was taken back.
#[test]
fn what_is_only_noted_after_a_reviewer_has_closed_it_stays_closed() {
    let state = State::failing(Notified)
        .base(BaseTicket::Is(Resolved), New)
        .ticket(Closed, REVIEWER)
        .set_by_hand(16);
    let action = only(state.plan());
    let written = action.workflow.map(|step| step.to);
    assert_eq!(
        (action.row, action.ticket, written),
        (7, TicketStep::Keep, Some(WorkflowStatus::Resolved))
    );
}

/// It failed anew after the team had closed its ticket, and then its resource was deleted.
#[test]
fn a_ticket_that_was_closed_without_the_right_goes_with_its_resource() {
    let mut state = State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Closed, TEAM)
        .resource_deleted();
    let finding = state.finding.as_mut().unwrap();
    finding.first_observed_at = Some(t(16));
    let action = only(state.plan());
    assert_eq!((action.row, action.ticket), (4, TicketStep::Delete));
}

/// Archived when both sides agreed, closed by a reviewer at hour 15, and active again: `FirstObservedAt` is as it was.
#[test]
fn what_is_active_again_begins_when_aws_resets_its_status() {
    let active_again = |hour| {
        let mut state = State::failing(New)
            .base(BaseTicket::Is(Resolved), WorkflowStatus::Resolved)
            .base_finding(FindingState::Archived)
            .ticket(Closed, REVIEWER)
            .set_by_hand(hour);
        let reset = state.snapshot.writes.values_mut().flatten().next().unwrap();
        reset.identity = None;
        only(state.plan()).row
    };
    assert_eq!((active_again(14), active_again(16)), (7, 14));
}

/// The team set a ticket to ignored that a reviewer had closed, we closed it again, and the store was lost.
#[test]
fn what_a_reviewer_closed_is_accepted_though_we_had_to_close_it_once_more() {
    let resolved = WorkflowStatus::Resolved;
    let mut state = State::failing(resolved)
        .base(AT_RESOLVED, resolved)
        .ticket(Closed, BOT);
    let all = moves(&[
        (REVIEWER, Resolved, Closed, 13),
        (TEAM, Closed, Ignored, 14),
        (BOT, Ignored, Closed, 15),
    ]);
    state.snapshot.moves.insert(1, all);
    let plan = state.plan();
    assert!(plan.is_empty(), "{plan:?}");
    let decision = plan.noted[0].decision.as_ref().unwrap();
    assert_eq!((decision.by.as_str(), decision.at), (REVIEWER, t(13)));
}

/// One of two findings was suppressed by hand, and a reviewer closed their ticket, before a run saw either.
#[test]
fn a_close_takes_the_other_finding_along_with_the_one_that_was_suppressed() {
    let mut state = State::failing(Suppressed)
        .base(AT_RESOLVED, Notified)
        .ticket(Closed, REVIEWER)
        .set_by_hand(14);
    let mut other = Finding::clone(state.finding.as_ref().unwrap());
    "g".clone_into(&mut other.key.id);
    other.workflow = New;
    state.link.track(other.key.clone());
    let findings = &mut state.snapshot.findings;
    findings.insert(other.key.clone(), Box::new(other));
    let action = only(state.plan());
    let step = action.workflow.unwrap();
    assert_eq!((action.row, action.ticket), (7, TicketStep::Keep));
    assert_eq!(step.to, Suppressed);
    let written: Vec<&str> = step.findings.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(written, ["g"]);
}

/// The worst finding is NOTIFIED as agreed, and another one of the same resource is SUPPRESSED.
#[test]
fn the_finding_that_changed_speaks_for_all_unless_it_shows_what_was_before_our_write() {
    let beside = |write: Option<InFlight>| {
        let mut state = State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Open, BOT);
        let mut other = Finding::clone(state.finding.as_ref().unwrap());
        "g".clone_into(&mut other.key.id);
        other.workflow = Suppressed;
        state.link.track(other.key.clone());
        state.link.in_flight = write;
        let by_kim = WorkflowWrite {
            identity: Some("kim".to_owned()),
            ours: false,
            at: t(16),
            to: Suppressed,
        };
        let writes = &mut state.snapshot.writes;
        writes.insert(other.key.clone(), Some(by_kim));
        let findings = &mut state.snapshot.findings;
        findings.insert(other.key.clone(), Box::new(other));
        let actions = state.plan().actions;
        actions.iter().map(|action| action.row).collect::<Vec<_>>()
    };
    let write = |was, seen| {
        let mut write = InFlight::new(Notified, was, [was].into_iter(), t(20));
        write.seen = seen;
        Some(write)
    };
    assert_eq!(beside(None), [9]);
    assert_eq!(beside(write(Suppressed, false)), [0; 0]);
    assert_eq!(beside(write(New, false)), [9]);
    assert_eq!(beside(write(Suppressed, true)), [9]);
}

/// The team ignored what a reviewer had closed, and no run came between.
#[test]
fn what_a_reviewer_closed_goes_back_to_closed() {
    let ignored = |closes: &str, at| {
        let resolved = WorkflowStatus::Resolved;
        let mut state = State::failing(resolved)
            .base(AT_RESOLVED, resolved)
            .ticket(Ignored, TEAM);
        state.link.decision = None;
        let all = moves(&[(closes, Resolved, Closed, at), (TEAM, Closed, Ignored, 15)]);
        state.snapshot.moves.insert(1, all);
        let action = only(state.plan());
        let decided = action.after.unwrap().decision;
        (
            action.row,
            action.ticket,
            decided.map(|decision| decision.by),
        )
    };
    let accepted = (
        2,
        TicketStep::Move { to: Closed },
        Some(REVIEWER.to_owned()),
    );
    let open = (2, TicketStep::Move { to: Open }, None);
    assert_eq!(ignored(REVIEWER, 14), accepted);
    assert_eq!(ignored(TEAM, 14), open);
    // It has failed anew since it was closed.
    assert_eq!(ignored(REVIEWER, 9), open);
}

/// It passed at hour 12.
#[test]
fn what_was_suppressed_before_it_stopped_is_ignored() {
    let suppressed = |hour| {
        let mut state = State::failing(Suppressed)
            .base(OPEN, Notified)
            .ticket(Open, BOT)
            .is("PASSED", "ACTIVE")
            .set_by_hand(hour);
        state.finding.as_mut().unwrap().first_observed_at = Some(t(12));
        let action = only(state.plan());
        (action.row, action.ticket)
    };
    assert_eq!(suppressed(11), (9, TicketStep::Move { to: Ignored }));
    assert_eq!(suppressed(12), (18, TicketStep::Move { to: Resolved }));
    assert_eq!(suppressed(13), (18, TicketStep::Move { to: Resolved }));
}
