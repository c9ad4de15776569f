//! Rows that depend on a policy, a time or a threshold.

use super::shared::told;
use super::*;

#[test]
fn a_reviewer_closes_what_cannot_be_checked_whatever_is_done_with_what_fails() {
    use crate::plan::HeldReason::ClosedWhileFailing;
    let closed = |policy| {
        State::failing(Notified)
            .base(AT_RESOLVED, Notified)
            .ticket(Closed, REVIEWER)
            .policy(move |it| it.close_while_failing = policy)
    };
    for policy in [
        CloseWhileFailing::Resolve,
        CloseWhileFailing::Hold,
        CloseWhileFailing::Reopen,
    ] {
        let unclear = only(closed(policy).is("NOT_AVAILABLE", "ACTIVE").plan());
        let written = unclear.workflow.map(|step| step.to);
        assert_eq!(
            (unclear.row, written),
            (7, Some(WorkflowStatus::Resolved)),
            "{policy:?}"
        );
    }
    let held = closed(CloseWhileFailing::Hold).plan().held;
    assert!(matches!(held[0].why, ClosedWhileFailing { .. }));
    let reopened = only(closed(CloseWhileFailing::Reopen).plan());
    assert_eq!(
        (reopened.row, reopened.ticket),
        (7, TicketStep::Move { to: Open })
    );
}

/// By policy, only rules suppress.
#[test]
fn a_suppression_by_hand_is_reverted_where_somebody_had_decided_and_else_the_ticket_is_opened() {
    let row = |base: BaseTicket, state, decided: bool| {
        let mut it = State::failing(Suppressed)
            .base(base, WorkflowStatus::Resolved)
            .ticket(state, BOT)
            .set_by_hand(16)
            .policy(|policy| policy.suppressed_by_hand = SuppressedByHand::Revert);
        if decided {
            it = it.decided();
        }
        let action = only(it.plan());
        (action.row, action.workflow.map(|step| step.to))
    };
    let back = (10, Some(WorkflowStatus::Resolved));
    let open = (14, Some(Notified));
    for (base, state) in [(AT_RESOLVED, Resolved), (AT_CLOSED, Closed)] {
        assert_eq!(row(base, state, true), back);
        assert_eq!(row(base, state, false), open);
    }
    assert_eq!(row(OPEN, Open, false), (10, Some(Notified)));
}

/// By hour 20 somebody has deleted the ticket.
#[test]
fn a_ticket_that_a_reviewer_closed_is_not_made_anew_when_somebody_deletes_it() {
    let resolved = WorkflowStatus::Resolved;
    let deleted = |base| State::failing(resolved).base(base, resolved).missing(2);
    let new = |row: u8| vec![format!("{row} Create NOTIFIED f")];
    assert_eq!(told(&deleted(AT_CLOSED).decided().plan()), [""; 0]);
    assert_eq!(
        told(&deleted(BaseTicket::Deleted).decided().plan()),
        [""; 0]
    );
    // It was only claimed, or fails again since.
    let mut earlier = deleted(BaseTicket::Deleted).decided();
    earlier.link.decision.as_mut().unwrap().episode = 0;
    assert_eq!(told(&earlier.plan()), new(15));
    let mut resolved = deleted(BaseTicket::Deleted).decided();
    resolved.link.decision.as_mut().unwrap().kind = crate::model::DecisionKind::Resolved;
    assert_eq!(told(&resolved.plan()), new(15));
    let mut claimed = deleted(AT_RESOLVED).decided();
    claimed.link.decision.as_mut().unwrap().kind = crate::model::DecisionKind::Resolved;
    assert_eq!(told(&claimed.plan()), new(12));
    let again = deleted(AT_CLOSED).decided().status(New);
    assert_eq!(told(&again.plan()), new(15));
    assert_eq!(told(&deleted(AT_CLOSED).plan()), new(15));
}

#[test]
fn a_deleted_ticket_is_made_anew_where_one_is_due() {
    let deleted = |w| State::failing(w).base(OPEN, Notified).missing(2);
    let low = |policy: &mut Policy| policy.threshold = crate::model::Severity::Critical;
    assert_eq!(told(&deleted(Notified).plan()), ["12 Create"]);
    assert_eq!(told(&deleted(Suppressed).set_by_hand(16).plan()), [""; 0]);
    assert_eq!(told(&deleted(Notified).policy(low).plan()), [""; 0]);
}

#[test]
fn what_is_no_longer_hidden_is_shown_again() {
    let low = |policy: &mut Policy| policy.threshold = crate::model::Severity::Critical;
    let ignored = |w| {
        State::failing(w)
            .base(AT_IGNORED, Suppressed)
            .ticket(Ignored, BOT)
            .set_by_hand(16)
    };
    assert_eq!(told(&ignored(Notified).plan()), ["13 Move { to: Open }"]);
    let mut by_kim = ignored(Suppressed);
    by_kim.link.base.as_mut().unwrap().workflow = Notified;
    assert_eq!(told(&by_kim.plan()), [""; 0]);
    let none = || State::failing(Suppressed).base(BaseTicket::None, Suppressed);
    assert_eq!(told(&none().plan()), ["13 Create NOTIFIED f"]);
    assert_eq!(told(&none().policy(low).plan()), ["13 Keep NEW f"]);
}

#[test]
fn what_somebody_resolved_in_security_hub_stays_so_where_only_rules_suppress() {
    let state = State::failing(WorkflowStatus::Resolved)
        .base(AT_RESOLVED, Notified)
        .ticket(Resolved, BOT)
        .set_by_hand(16)
        .policy(|policy| policy.suppressed_by_hand = SuppressedByHand::Revert);
    let plan = state.plan();
    assert!(plan.is_empty() && plan.held.is_empty(), "{plan:?}");
}

#[test]
fn a_ticket_is_opened_again_within_thirty_days_of_its_close() {
    let fails_again = |seconds| {
        let mut state = State::failing(New)
            .base(AT_CLOSED, WorkflowStatus::Resolved)
            .ticket(Closed, BOT);
        state.link.closed_at = Some(t(11));
        state.now =
            t(11) + SignedDuration::from_hours(30 * 24) + SignedDuration::from_secs(seconds);
        only(state.plan()).ticket
    };
    assert_eq!(fails_again(0), TicketStep::Move { to: Open });
    assert_eq!(fails_again(1), TicketStep::Create);
}

/// RESOLVED since hour 1, while the finding fails.
#[test]
fn what_fails_long_after_it_was_resolved_is_flagged_once() {
    let late = |mut state: State, hours: i64, flagged: bool| {
        (state.link.resolved_since, state.link.flagged) = (Some(t(1)), flagged);
        state.now = t(1 + hours);
        let plan = state.plan();
        plan.actions.first().map(|action| action.row)
    };
    let resolved = WorkflowStatus::Resolved;
    let closed = |w| {
        State::failing(w)
            .base(AT_CLOSED, w)
            .ticket(Closed, BOT)
            .decided()
    };
    let after = State::failing(New).policy.recheck_after.as_hours();
    assert_eq!(late(closed(resolved), after, false), Some(17));
    assert_eq!(late(closed(resolved), after - 1, false), None);
    assert_eq!(late(closed(resolved), after, true), None);
    let mut hidden = closed(Suppressed).set_by_hand(16);
    hidden.link.base.as_mut().unwrap().workflow = Notified;
    assert_eq!(late(hidden, after, false), None);
    let none = State::failing(resolved).set_by_hand(16);
    assert_eq!(late(none, after, false), None);
}
