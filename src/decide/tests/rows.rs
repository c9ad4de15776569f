//! The decision table, row by row: one state in, one ruling out.

use super::*;

#[test]
fn each_row_does_what_the_table_says() {
    let moved = |to| TicketStep::Move { to };
    let resolved = Some(WorkflowStatus::Resolved);
    let hold = |p: &mut Policy| p.suppressed_by_hand = SuppressedByHand::Revert;
    let closed_long_ago = |mut state: State| {
        state.link.closed_at = Some(t(11));
        state.now = t(11 + 31 * 24);
        state
    };
    // (row, state, ticket, status written, a comment is made)
    let rows: Vec<(u8, State, TicketStep, Option<WorkflowStatus>, bool)> = vec![
        (
            2,
            State::failing(Notified)
                .base(OPEN, Notified)
                .ticket(Closed, TEAM),
            moved(Open),
            None,
            true,
        ),
        (
            2,
            State::failing(WorkflowStatus::Resolved)
                .base(AT_RESOLVED, WorkflowStatus::Resolved)
                .decided()
                .ticket(Closed, TEAM),
            moved(Resolved),
            None,
            true,
        ),
        (
            2,
            State::failing(Notified)
                .base(OPEN, Notified)
                .ticket(Ignored, TEAM),
            moved(Open),
            None,
            true,
        ),
        (
            3,
            State::failing(Notified)
                .is("FAILED", "ARCHIVED")
                .base(AT_RESOLVED, Notified)
                .ticket(Open, REVIEWER),
            TicketStep::Keep,
            resolved,
            false,
        ),
        (
            4,
            State::failing(Notified)
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .resource_deleted(),
            TicketStep::Delete,
            resolved,
            false,
        ),
        (
            4,
            State::failing(Notified)
                .is("FAILED", "ARCHIVED")
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .resource_deleted(),
            TicketStep::Delete,
            None,
            false,
        ),
        (
            5,
            State::failing(Notified)
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .rule(),
            moved(Ignored),
            Some(Suppressed),
            true,
        ),
        (
            5,
            State::failing(New).rule(),
            TicketStep::Keep,
            Some(Suppressed),
            false,
        ),
        (
            6,
            State::failing(Notified)
                .base(OPEN, Notified)
                .ticket(Resolved, TEAM),
            TicketStep::Keep,
            resolved,
            true,
        ),
        (
            7,
            State::failing(WorkflowStatus::Resolved)
                .base(AT_RESOLVED, Notified)
                .ticket(Closed, REVIEWER)
                .set_by_hand(12),
            TicketStep::Keep,
            None,
            false,
        ),
        (
            7,
            State::failing(Notified)
                .base(AT_RESOLVED, Notified)
                .ticket(Closed, REVIEWER),
            TicketStep::Keep,
            resolved,
            false,
        ),
        (
            7,
            State::failing(Notified)
                .base(AT_RESOLVED, Notified)
                .ticket(Closed, REVIEWER)
                .policy(|p| p.close_while_failing = CloseWhileFailing::Reopen),
            moved(Open),
            None,
            true,
        ),
        (
            8,
            State::failing(WorkflowStatus::Resolved)
                .base(AT_RESOLVED, WorkflowStatus::Resolved)
                .ticket(Open, REVIEWER),
            TicketStep::Keep,
            Some(Notified),
            false,
        ),
        (
            9,
            State::failing(Suppressed)
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .set_by_hand(15),
            moved(Ignored),
            None,
            true,
        ),
        (
            10,
            State::failing(Suppressed)
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .set_by_hand(15)
                .policy(hold),
            TicketStep::Keep,
            Some(Notified),
            false,
        ),
        (
            10,
            State::failing(Suppressed)
                .base(AT_IGNORED, Notified)
                .ticket(Ignored, BOT)
                .set_by_hand(15)
                .policy(hold),
            moved(Open),
            Some(Notified),
            true,
        ),
        (
            11,
            State::failing(WorkflowStatus::Resolved)
                .base(OPEN, Notified)
                .ticket(Open, BOT)
                .set_by_hand(15),
            moved(Resolved),
            None,
            true,
        ),
        // It fails again since it was closed, and somebody has said in Security Hub what they think of that.
        (
            11,
            State::failing(WorkflowStatus::Resolved)
                .base(AT_CLOSED, WorkflowStatus::Resolved)
                .base_finding(FindingState::Passing)
                .ticket(Closed, REVIEWER)
                .set_by_hand(16),
            moved(Resolved),
            None,
            true,
        ),
        (
            9,
            State::failing(Suppressed)
                .base(AT_CLOSED, WorkflowStatus::Resolved)
                .base_finding(FindingState::Passing)
                .ticket(Closed, REVIEWER)
                .set_by_hand(16),
            moved(Ignored),
            None,
            true,
        ),
        (
            12,
            State::failing(Notified).base(OPEN, Notified).missing(1),
            TicketStep::Create,
            None,
            false,
        ),
        (
            13,
            State::failing(Suppressed)
                .base(AT_IGNORED, Suppressed)
                .ticket(Ignored, BOT),
            moved(Open),
            Some(Notified),
            true,
        ),
        (
            13,
            State::failing(Suppressed).base(BaseTicket::None, Suppressed),
            TicketStep::Create,
            Some(Notified),
            false,
        ),
        (
            14,
            State::failing(New)
                .base(AT_RESOLVED, WorkflowStatus::Resolved)
                .base_finding(FindingState::Passing)
                .ticket(Resolved, BOT),
            moved(Open),
            Some(Notified),
            true,
        ),
        (
            14,
            State::failing(New)
                .base(AT_CLOSED, WorkflowStatus::Resolved)
                .base_finding(FindingState::Passing)
                .ticket(Closed, REVIEWER),
            moved(Open),
            Some(Notified),
            true,
        ),
        (
            14,
            closed_long_ago(
                State::failing(New)
                    .base(AT_CLOSED, WorkflowStatus::Resolved)
                    .base_finding(FindingState::Passing)
                    .ticket(Closed, REVIEWER),
            ),
            TicketStep::Create,
            Some(Notified),
            false,
        ),
        (
            15,
            State::failing(New),
            TicketStep::Create,
            Some(Notified),
            false,
        ),
        (
            15,
            State::failing(WorkflowStatus::Resolved)
                .base(BaseTicket::None, WorkflowStatus::Resolved)
                .by_aws(),
            TicketStep::Create,
            Some(Notified),
            false,
        ),
        (
            16,
            State::failing(New).base(OPEN, New).ticket(Open, BOT),
            TicketStep::Keep,
            Some(Notified),
            false,
        ),
        (
            18,
            State::failing(WorkflowStatus::Resolved)
                .is("PASSED", "ACTIVE")
                .base(OPEN, Notified)
                .ticket(Open, BOT),
            moved(Resolved),
            None,
            true,
        ),
        (
            18,
            State::failing(Notified)
                .is("FAILED", "ARCHIVED")
                .base(OPEN, Notified)
                .ticket(Open, BOT),
            moved(Resolved),
            resolved,
            true,
        ),
        (
            18,
            State::failing(Suppressed)
                .is("PASSED", "ACTIVE")
                .base(AT_IGNORED, Suppressed)
                .ticket(Ignored, BOT),
            moved(Resolved),
            resolved,
            true,
        ),
        (
            19,
            State::failing(WorkflowStatus::Resolved)
                .is("PASSED", "ACTIVE")
                .base(AT_RESOLVED, WorkflowStatus::Resolved)
                .ticket(Resolved, TEAM),
            TicketStep::Keep,
            None,
            true,
        ),
        (
            19,
            State::failing(WorkflowStatus::Resolved)
                .is("PASSED", "ACTIVE")
                .base(AT_RESOLVED, WorkflowStatus::Resolved)
                .ticket(Resolved, TEAM)
                .policy(|p| p.auto_close_verified = true),
            moved(Closed),
            None,
            true,
        ),
        (
            20,
            State::failing(Notified)
                .is("FAILED", "ARCHIVED")
                .base(AT_CLOSED, Notified)
                .ticket(Closed, REVIEWER),
            TicketStep::Keep,
            resolved,
            false,
        ),
    ];
    for (n, (row, state, ticket, workflow, comment)) in rows.into_iter().enumerate() {
        let plan = state.plan();
        let quiet = ticket == TicketStep::Keep && workflow.is_none() && !comment;
        if quiet {
            assert!(
                plan.actions.is_empty() && plan.held.is_empty(),
                "case {n}, row {row}: {plan:?}"
            );
            continue;
        }
        let action = only(plan);
        let written = action.workflow.as_ref().map(|step| step.to);
        let found = (action.row, action.ticket, written, action.comment.is_some());
        assert_eq!(
            found,
            (row, ticket, workflow, comment),
            "case {n}: {}",
            action.reason.sentence()
        );
    }
}

#[test]
fn nothing_is_done_where_both_sides_agree_or_nothing_can_be_concluded() {
    let resolved = WorkflowStatus::Resolved;
    let states = [
        State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Open, BOT),
        State::failing(resolved)
            .base(AT_CLOSED, resolved)
            .decided()
            .ticket(Closed, REVIEWER),
        State::failing(Suppressed)
            .base(AT_IGNORED, Suppressed)
            .ticket(Ignored, BOT)
            .rule(),
        State::failing(Notified)
            .is("NOT_AVAILABLE", "ACTIVE")
            .base(OPEN, Notified)
            .ticket(Open, BOT),
        // Row 3: a reviewer reopened it after the finding had passed.
        State::failing(resolved)
            .is("PASSED", "ACTIVE")
            .base(AT_RESOLVED, resolved)
            .ticket(Open, REVIEWER),
        // Below the threshold there is no ticket.
        State::failing(New).policy(|p| p.threshold = crate::model::Severity::Critical),
        // A status set by hand on a finding without a ticket stands.
        State::failing(Suppressed).set_by_hand(15),
    ];
    for (n, state) in states.into_iter().enumerate() {
        let plan = state.plan();
        assert!(
            plan.actions.is_empty() && plan.held.is_empty(),
            "case {n}: {plan:?}"
        );
    }
}

#[test]
fn doubt_is_held_with_its_reason() {
    let unknown_reviewers = |mut state: State| {
        state.snapshot.people.reviewers = None;
        state
    };
    let unread_moves = |mut state: State| {
        state.snapshot.moves.clear();
        state
    };
    let absent = |mut state: State, reads: u32| {
        let finding = state.finding.take().unwrap();
        state
            .snapshot
            .coverage
            .seen
            .insert((finding.alias.account, finding.alias.region), 1);
        state.link.absent_reads = reads;
        state
    };
    let open = || {
        State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Open, BOT)
    };
    let deleted_thrice = |mut state: State| {
        state.link.deleted_by_people = 2;
        state.link.dispute = Some(crate::model::Dispute {
            row: 12,
            at: t(1),
            labelled: false,
        });
        state
    };
    let uncovered = |mut state: State| {
        state.finding = None;
        state
    };
    type Is = fn(&HeldReason) -> bool;
    let cases: Vec<(State, Is)> = vec![
        (
            unknown_reviewers(
                State::failing(Notified)
                    .base(OPEN, Notified)
                    .ticket(Closed, TEAM),
            ),
            |w| matches!(w, HeldReason::ReviewersUnknown { .. }),
        ),
        (
            unread_moves(
                State::failing(Notified)
                    .base(OPEN, Notified)
                    .ticket(Resolved, TEAM),
            ),
            |w| matches!(w, HeldReason::MoverUnknown { .. }),
        ),
        (
            State::failing(Suppressed)
                .base(OPEN, Notified)
                .ticket(Open, BOT),
            |w| matches!(w, HeldReason::WriterUnknown),
        ),
        // It fails again, so AWS has reset the status, and yet it is RESOLVED: somebody has set it, but who?
        (
            State::failing(WorkflowStatus::Resolved)
                .base(AT_CLOSED, WorkflowStatus::Resolved)
                .base_finding(FindingState::Passing)
                .ticket(Closed, REVIEWER),
            |w| matches!(w, HeldReason::WriterUnknown),
        ),
        (absent(open(), 0), |w| matches!(w, HeldReason::AbsentOnce)),
        (absent(open(), 1), |w| {
            matches!(w, HeldReason::AccountNotMember { .. })
        }),
        (uncovered(open()), |w| matches!(w, HeldReason::NotCovered)),
        (
            State::failing(Notified).base(OPEN, Notified).missing(0),
            |w| matches!(w, HeldReason::TicketNotFoundOnce { .. }),
        ),
        (
            deleted_thrice(State::failing(Notified).base(OPEN, Notified).missing(1)),
            |w| matches!(w, HeldReason::DeletedTooOften { .. }),
        ),
        (
            State::failing(Notified)
                .base(AT_RESOLVED, Notified)
                .ticket(Closed, REVIEWER)
                .policy(|p| p.close_while_failing = CloseWhileFailing::Hold),
            |w| matches!(w, HeldReason::ClosedWhileFailing { .. }),
        ),
    ];
    for (n, (state, is)) in cases.into_iter().enumerate() {
        let plan = state.plan();
        assert!(plan.actions.is_empty(), "case {n}: {plan:?}");
        assert!(
            plan.held.len() == 1 && is(&plan.held[0].why),
            "case {n}: {:?}",
            plan.held
        );
    }
}

#[test]
fn a_status_that_sticks_on_a_failing_finding_is_flagged_once() {
    let resolved = WorkflowStatus::Resolved;
    let stuck = || {
        let mut state = State::failing(resolved)
            .base(AT_RESOLVED, resolved)
            .ticket(Resolved, TEAM);
        state.link.base.as_mut().unwrap().workflow_by = Author::Theirs {
            identity: "kim".to_owned(),
            at: t(12),
            record: "k".to_owned(),
        };
        state.link.resolved_since = Some(t(12));
        state.now = t(12 + 25);
        state
    };
    let action = only(stuck().plan());
    assert_eq!(
        (action.row, action.ticket, action.alerts.len()),
        (17, TicketStep::Keep, 1)
    );
    let mut again = stuck();
    again.link = *action.after.unwrap();
    assert!(again.plan().is_empty());
    let action = only(stuck().policy(|p| p.recheck = Recheck::Reopen).plan());
    assert_eq!(action.ticket, TicketStep::Move { to: Open });
}

#[test]
fn markers_follow_what_a_finding_is_about_and_not_its_id() {
    let a = finding("FAILED", "ACTIVE", New);
    let mut b = finding("PASSED", "ARCHIVED", Notified);
    b.key.id = "another".to_owned();
    assert_eq!(Marker::of(&a.alias), Marker::of(&b.alias));
}
