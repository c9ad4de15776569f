//! Disputes, hold-down and proofs from events, one state at a time.

use super::*;
use crate::decide::needs::needs;
use crate::model::{DecisionKind, Dispute, Resource};

/// A suppression that an automation rule sets again after the engine has reverted it.
fn reverted_before() -> State {
    let mut state = State::failing(Suppressed)
        .base(OPEN, Notified)
        .ticket(Open, BOT)
        .set_by_hand(15);
    state.policy.suppressed_by_hand = SuppressedByHand::Revert;
    state.link.last_row = Some((10, 1, 1));
    state
}

#[test]
fn a_row_that_would_write_twice_in_one_episode_is_disputed_once_and_then_held() {
    let state = reverted_before();
    let base = state.link.base.clone();
    let action = only(state.plan());
    assert_eq!((action.row, action.ticket), (10, TicketStep::Label));
    assert!(action.workflow.is_none() && action.comment.is_some());
    assert_eq!(action.alerts.len(), 1);
    let link = *action.after.unwrap();
    assert_eq!(link.base, base, "nothing was agreed");
    let mut again = reverted_before();
    again.link = link;
    let ticket = again.snapshot.tickets.get_mut(&1).unwrap();
    ticket.labels.push("asaf-disputed".to_owned());
    again.now = t(21);
    let held = again.plan();
    assert!(held.actions.is_empty(), "{held:?}");
    assert!(
        matches!(held.held[0].why, HeldReason::Disputed { row: 10, .. }),
        "{held:?}"
    );
}

#[test]
fn taking_the_label_off_ends_a_dispute_and_reads_that_lag_do_not() {
    let disputed = only(reverted_before().plan()).after.unwrap();
    let at = |minutes: i64, labelled: bool| {
        let mut state = reverted_before();
        state.link = (*disputed).clone();
        state.now = t(20) + SignedDuration::from_mins(minutes);
        if labelled {
            let ticket = state.snapshot.tickets.get_mut(&1).unwrap();
            ticket.labels.push("asaf-disputed".to_owned());
        }
        state.plan()
    };
    for (minutes, labelled) in [(5, false), (5, true), (16, true), (48 * 60, true)] {
        let plan = at(minutes, labelled);
        assert!(plan.actions.is_empty(), "after {minutes} min: {plan:?}");
    }
    let action = only(at(16, false));
    assert_eq!(action.workflow.unwrap().to, Notified);
}

#[test]
fn the_fourth_reversal_within_a_day_is_disputed() {
    let closed_by_team = |reversals: &[i64]| {
        let mut state = State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Closed, TEAM);
        state.now = t(40);
        state.link.reversals = reversals.iter().map(|hour| t(*hour)).collect();
        only(state.plan())
    };
    let undone = closed_by_team(&[30, 35]);
    assert_eq!(undone.ticket, TicketStep::Move { to: Open });
    assert_eq!(undone.after.unwrap().reversals, [t(30), t(35), t(40)]);
    let disputed = closed_by_team(&[30, 35, 39]);
    assert_eq!(disputed.ticket, TicketStep::Label);
    let yesterday = closed_by_team(&[10, 15, 16]);
    assert_eq!(yesterday.ticket, TicketStep::Move { to: Open });
    assert_eq!(yesterday.after.unwrap().reversals, [t(40)]);
}

#[test]
fn a_dispute_holds_what_reverses_and_lets_decisions_and_aws_through() {
    let disputed = |mut state: State| {
        state.link.dispute = Some(Dispute {
            row: 2,
            at: t(19),
            labelled: true,
        });
        let ticket = state.snapshot.tickets.get_mut(&1).unwrap();
        ticket.labels.push("asaf-disputed".to_owned());
        state
    };
    let reversal = State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Closed, TEAM);
    assert!(disputed(reversal).plan().actions.is_empty());
    let decision = State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Resolved, TEAM);
    assert_eq!(only(disputed(decision).plan()).row, 6);
    let passed = State::failing(WorkflowStatus::Resolved)
        .is("PASSED", "ACTIVE")
        .base(OPEN, Notified)
        .ticket(Open, BOT);
    assert_eq!(only(disputed(passed).plan()).row, 18);
}

#[test]
fn a_finding_that_turns_again_within_the_hold_down_is_waited_for() {
    let passed = || {
        State::failing(WorkflowStatus::Resolved)
            .is("PASSED", "ACTIVE")
            .base(OPEN, Notified)
            .ticket(Open, BOT)
    };
    let failed = || {
        State::failing(New)
            .base(AT_RESOLVED, WorkflowStatus::Resolved)
            .base_finding(FindingState::Passing)
            .ticket(Resolved, BOT)
    };
    let turned = |mut state: State, minutes_ago: i64| {
        state.link.turned_at = Some(state.now - SignedDuration::from_mins(minutes_ago));
        let now = state.now;
        (state.plan(), now)
    };
    for (state, row) in [(passed as fn() -> State, 18), (failed, 14)] {
        let first = only(state().plan());
        assert_eq!(first.row, row, "the first turn is followed at once");
        assert_eq!(first.after.unwrap().turned_at, Some(t(20)));
        let (held, now) = turned(state(), 10);
        assert!(held.actions.is_empty(), "{held:?}");
        let until = now + SignedDuration::from_mins(5);
        assert_eq!(held.held[0].why, HeldReason::HoldDown { until });
        assert_eq!(only(turned(state(), 15).0).row, row);
        let none = state().policy(|p| p.hold_down = SignedDuration::ZERO);
        assert_eq!(only(turned(none, 1).0).row, row);
    }
    // What has not turned is not waited for: somebody set the status back.
    let reset = State::failing(New)
        .base(AT_RESOLVED, WorkflowStatus::Resolved)
        .ticket(Resolved, BOT);
    assert_eq!(only(turned(reset, 1).0).row, 14);
}

#[test]
fn an_event_proves_a_deletion_only_for_every_resource_and_after_the_last_evaluation() {
    let state = State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Open, BOT);
    let mut finding = state.finding.clone().unwrap();
    let second = Resource {
        id: "arn:aws:s3:::c".to_owned(),
        ..finding.resources[0].clone()
    };
    let asked = |finding: &Finding, proofs: &[(&str, &str, i64)]| {
        let mut snapshot = state.snapshot.clone();
        snapshot
            .findings
            .insert(finding.key.clone(), Box::new(finding.clone()));
        snapshot.keep(state.link.clone());
        for (region, id, hour) in proofs {
            snapshot.deletions.add("123456789012", region, id, t(*hour));
        }
        needs(&snapshot, &Policy::default(), t(20))
    };
    let (region, b, c) = ("eu-west-1", "arn:aws:s3:::b", "arn:aws:s3:::c");
    let deleted = |hour| vec![ResourceFact::Deleted { at: t(hour) }];
    let marker = &state.link.marker;
    for (proofs, proven) in [
        (vec![(region, b, 16)], Some(deleted(16))),
        (vec![("global", b, 16)], Some(deleted(16))),
        (vec![("us-east-1", b, 16)], None),
        (vec![(region, b, 9)], None),
        (vec![(region, c, 16)], None),
    ] {
        let found = asked(&finding, &proofs);
        assert_eq!(found.proven.get(marker), proven.as_ref(), "{proofs:?}");
    }
    finding.resources.push(second);
    assert!(asked(&finding, &[(region, b, 16)]).proven.is_empty());
    let both = asked(&finding, &[(region, b, 16), (region, c, 17)]);
    assert_eq!(both.proven[marker].len(), 2);
}

#[test]
fn a_close_without_the_right_takes_the_ticket_to_where_it_would_be_without_it() {
    let moved = |mut state: State, all: &[(&str, TicketState, TicketState, i64)]| {
        state.snapshot.moves.insert(1, moves(all));
        only(state.plan())
    };
    let open = || {
        State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Closed, TEAM)
    };
    let resolved = WorkflowStatus::Resolved;
    let written = |action: &crate::plan::Action| action.workflow.as_ref().map(|step| step.to);
    // Nobody has seen that the team resolved it: that counts still.
    let action = moved(
        open(),
        &[(TEAM, Open, Resolved, 14), (TEAM, Resolved, Closed, 15)],
    );
    assert_eq!(
        (action.row, action.ticket),
        (2, TicketStep::Move { to: Resolved })
    );
    assert_eq!(written(&action), Some(resolved));
    assert_eq!(action.after.unwrap().decision.unwrap().by, TEAM);
    // The finding has stopped, or somebody suppressed it in Security Hub: it does not go through open.
    let passed = State::failing(resolved)
        .is("PASSED", "ACTIVE")
        .base(OPEN, Notified)
        .ticket(Closed, TEAM);
    let action = moved(passed, &[(TEAM, Open, Closed, 15)]);
    assert_eq!(action.ticket, TicketStep::Move { to: Resolved });
    let suppressed = State::failing(Suppressed)
        .base(OPEN, Notified)
        .ticket(Closed, TEAM)
        .set_by_hand(16);
    let action = moved(suppressed, &[(TEAM, Open, Closed, 15)]);
    assert_eq!(action.ticket, TicketStep::Move { to: Ignored });
    // A deleted resource needs no ticket, however it was closed.
    let action = moved(open().resource_deleted(), &[(TEAM, Open, Closed, 15)]);
    assert_eq!((action.row, action.ticket), (4, TicketStep::Delete));
    // What the engine has undone once does not count as somebody's decision.
    let again = [
        (TEAM, Open, Closed, 13),
        (BOT, Closed, Open, 14),
        (TEAM, Open, Closed, 15),
    ];
    let action = moved(open(), &again);
    assert_eq!(action.ticket, TicketStep::Move { to: Open });
    assert_eq!(written(&action), None);
}

#[test]
fn a_reviewer_who_keeps_a_stopped_ticket_open_is_heard_after_an_undo_too() {
    let mut state = State::failing(WorkflowStatus::Resolved)
        .is("PASSED", "ACTIVE")
        .base(OPEN, WorkflowStatus::Resolved)
        .base_finding(FindingState::Passing)
        .ticket(Open, BOT);
    let all = moves(&[
        (REVIEWER, Resolved, Open, 12),
        (TEAM, Open, Closed, 13),
        (BOT, Closed, Open, 14),
    ]);
    state.snapshot.moves.insert(1, all);
    let plan = state.plan();
    assert!(plan.is_empty() && plan.held.is_empty(), "{plan:?}");
}

#[test]
fn a_reversal_puts_back_what_somebody_else_changed() {
    let resolved = WorkflowStatus::Resolved;
    let open = |w| State::failing(w).base(OPEN, Notified).ticket(Open, BOT);
    let at_resolved = |w| {
        State::failing(w)
            .base(AT_RESOLVED, resolved)
            .ticket(Resolved, BOT)
    };
    let decided = |state: State, kind, episode| {
        let mut state = state.decided();
        let decision = state.link.decision.as_mut().unwrap();
        (decision.kind, decision.episode) = (kind, episode);
        state
    };
    let passed = |state: State| state.is("PASSED", "ACTIVE");
    let by_kim = |w| open(w).set_by_hand(16);
    let reopen = |policy: &mut Policy| policy.close_while_failing = CloseWhileFailing::Reopen;
    let revert = |policy: &mut Policy| policy.suppressed_by_hand = SuppressedByHand::Revert;
    let kept_open = |w, base| {
        let state = State::failing(w).base(OPEN, base);
        let mut state = passed(state.ticket(Open, REVIEWER));
        state.finding.as_mut().unwrap().first_observed_at = Some(t(12));
        state
    };
    use DecisionKind::{Closed as Accepted, Reopened};
    let ignored = State::failing(Notified)
        .base(BaseTicket::Is(Ignored), Suppressed)
        .ticket(Open, TEAM);
    let mut shown = open(Notified);
    shown.link.content = "another".to_owned();
    for (n, (state, row, reverses)) in [
        (open(Notified).ticket(Closed, TEAM), 2, true),
        (by_kim(Suppressed).policy(revert), 10, true),
        (at_resolved(Notified).ticket(Closed, REVIEWER), 7, false),
        (
            at_resolved(resolved)
                .ticket(Closed, REVIEWER)
                .policy(reopen),
            7,
            true,
        ),
        (by_kim(Suppressed), 9, false),
        (decided(by_kim(Suppressed), Reopened, 1), 9, true),
        (decided(by_kim(Suppressed), Reopened, 0), 9, false),
        (decided(by_kim(Suppressed), Accepted, 1), 9, false),
        (by_kim(resolved), 11, false),
        (decided(by_kim(resolved), Reopened, 1), 11, true),
        // Somebody took RESOLVED back, or AWS did.
        (at_resolved(New).set_by_hand(16), 14, true),
        (at_resolved(New), 14, false),
        (open(New).set_by_hand(16), 16, true),
        (
            State::failing(New).base(OPEN, New).ticket(Open, BOT),
            16,
            false,
        ),
        (shown, 16, false),
        (passed(open(Notified)), 18, false),
        (passed(at_resolved(resolved)).ticket(Open, TEAM), 18, true),
        (
            at_resolved(New).is("FAILED", "ARCHIVED").set_by_hand(16),
            20,
            true,
        ),
        (passed(ignored), 18, false),
        (kept_open(New, resolved), 3, true),
        (kept_open(New, Notified), 3, false),
    ]
    .into_iter()
    .enumerate()
    {
        let action = only(state.plan());
        assert_eq!(action.row, row, "case {n}: {action:#?}");
        let reversals = action.after.unwrap().reversals.len();
        assert_eq!(reversals, usize::from(reverses), "case {n}, row {row}");
    }
}

#[test]
fn a_dispute_without_a_label_ends_after_a_day_unless_people_deleted_the_ticket() {
    let after = |row, labelled, hours: i64, minutes| {
        let mut state = State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Closed, TEAM);
        state.link.dispute = Some(Dispute {
            row,
            at: t(20),
            labelled,
        });
        state.now = t(20 + hours) + SignedDuration::from_mins(minutes);
        state.plan().actions.len()
    };
    assert_eq!((after(2, false, 23, 59), after(2, false, 24, 0)), (0, 1));
    assert_eq!((after(12, false, 24, 0), after(12, false, 48, 0)), (0, 0));
    assert_eq!((after(2, true, 0, 15), after(2, true, 0, 16)), (0, 1));
    let disputed = only(reverted_before().plan()).after.unwrap();
    assert_eq!(disputed.disputes, 1);
}

#[test]
fn a_row_repeats_itself_in_its_episode_and_where_it_writes_a_status() {
    let reverted = |last| {
        let mut state = reverted_before();
        state.link.last_row = Some(last);
        only(state.plan()).ticket
    };
    assert_eq!(reverted((10, 1, 1)), TicketStep::Label);
    assert_eq!(reverted((10, 0, 1)), TicketStep::Keep);
    assert_eq!(reverted((9, 1, 1)), TicketStep::Keep);
    let updated = |w, content: &str| {
        let mut state = State::failing(w)
            .base(OPEN, Notified)
            .ticket(Open, BOT)
            .set_by_hand(16);
        content.clone_into(&mut state.link.content);
        state.link.last_row = Some((16, 1, 1));
        only(state.plan()).ticket
    };
    let same = State::failing(New).link.content;
    assert_eq!(updated(New, &same), TicketStep::Label);
    assert_eq!(updated(Notified, "another"), TicketStep::Update);
}
