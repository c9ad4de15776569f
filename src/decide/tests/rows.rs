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
fn a_finding_is_gone_after_two_complete_reads_of_a_members_account() {
    let mut state = State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Open, BOT);
    let finding = state.finding.take().unwrap();
    let account = finding.alias.account.clone();
    state
        .snapshot
        .coverage
        .seen
        .insert((account.clone(), finding.alias.region), 1);
    state.link.absent_reads = 1;
    let fact = AccountFact {
        id: account.clone(),
        name: "a".to_owned(),
        active: true,
    };
    state.snapshot.accounts = Some([(account, fact)].into());
    let action = only(state.plan());
    assert_eq!(
        (action.row, action.ticket),
        (18, TicketStep::Move { to: Resolved })
    );
    assert!(action.workflow.is_none(), "what is gone is not written");
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
    use crate::decide::tests::shared::told;
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
    use crate::decide::tests::shared::told;
    let deleted = |w| State::failing(w).base(OPEN, Notified).missing(2);
    let low = |policy: &mut Policy| policy.threshold = crate::model::Severity::Critical;
    assert_eq!(told(&deleted(Notified).plan()), ["12 Create"]);
    assert_eq!(told(&deleted(Suppressed).set_by_hand(16).plan()), [""; 0]);
    assert_eq!(told(&deleted(Notified).policy(low).plan()), [""; 0]);
}

#[test]
fn what_is_no_longer_hidden_is_shown_again() {
    use crate::decide::tests::shared::told;
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
