//! Ignore rules in the table: what they hide, what happens when they end, and that nothing moves while they cannot be
//! read.

use std::collections::BTreeMap;

use super::*;

fn unread(mut state: State, covered_before: bool) -> State {
    let last = match std::mem::take(&mut state.snapshot.ignored) {
        Ignoring::Known(rules) | Ignoring::Unknown { last: rules, .. } if covered_before => rules,
        _ => BTreeMap::new(),
    };
    let why = "GitHub does not answer".to_owned();
    state.snapshot.ignored = Ignoring::Unknown { why, last };
    state
}

fn hidden() -> State {
    State::failing(Suppressed)
        .base(AT_IGNORED, Suppressed)
        .ticket(Ignored, BOT)
}

#[test]
fn a_note_names_the_rule_its_pull_request_and_its_last_day() {
    let action = only(
        State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Open, BOT)
            .rule()
            .plan(),
    );
    assert_eq!(
        action.reason.sentence(),
        "Ignore rule r (pull request #12, until 2027-01-31) covers this finding: public on purpose"
    );
    let link = action.after.unwrap();
    assert_eq!(link.ignored_by.unwrap().rule, "r");
}

#[test]
fn the_end_of_a_rule_says_whether_it_expired_or_was_changed() {
    let ended = |expires| {
        let mut state = hidden();
        state.link.ignored_by = Some(RuleMatch {
            rule: "r".to_owned(),
            reason: "public on purpose".to_owned(),
            expires,
            origin: None,
        });
        let action = only(state.plan());
        assert_eq!(
            (action.row, action.ticket, action.workflow.unwrap().to),
            (13, TicketStep::Move { to: Open }, Notified)
        );
        assert!(action.after.unwrap().ignored_by.is_none());
        action.reason.sentence()
    };
    // The table's clock stands at the beginning of 1970.
    let expired = ended(jiff::civil::date(1969, 12, 31));
    assert_eq!(
        expired,
        "Ignore rule r ended on 1969-12-31, and the finding still fails."
    );
    assert!(ended(jiff::civil::date(1970, 1, 1)).contains("narrowed or removed"));
}

#[test]
fn while_the_rules_cannot_be_read_what_they_hid_stays_hidden() {
    let resolved = WorkflowStatus::Resolved;
    let gone = |mut state: State| {
        let finding = state.finding.take().unwrap();
        let (account, region) = (finding.alias.account, finding.alias.region);
        state.snapshot.coverage.seen.insert((account, region), 1);
        state.link.base.as_mut().unwrap().finding = FindingState::Gone;
        state
    };
    let agreed = [
        hidden(),
        hidden().is("PASSED", "ACTIVE"),
        hidden().is("FAILED", "ARCHIVED"),
        State::failing(Suppressed).base(BaseTicket::None, Suppressed),
        State::failing(Suppressed)
            .base(AT_CLOSED, Suppressed)
            .ticket(Closed, REVIEWER),
        gone(hidden()),
    ];
    for (n, state) in agreed.into_iter().enumerate() {
        let plan = unread(state, false).plan();
        assert!(
            plan.actions.is_empty() && plan.held.is_empty(),
            "case {n}: {plan:?}"
        );
    }
    let held = [
        // It came back under a new id: W is NEW again.
        unread(
            State::failing(New)
                .base(AT_IGNORED, Suppressed)
                .ticket(Ignored, BOT),
            false,
        ),
        // A person ignored it, perhaps because a rule says so.
        unread(
            State::failing(Notified)
                .base(OPEN, Notified)
                .ticket(Ignored, TEAM),
            false,
        ),
        // The last rules would hide it: no ticket is made in the meantime.
        unread(State::failing(New).rule(), true),
        // Half of an ignoring was applied.
        unread(
            State::failing(Suppressed)
                .base(OPEN, Suppressed)
                .ticket(Open, BOT),
            false,
        ),
    ];
    for (n, state) in held.into_iter().enumerate() {
        let plan = state.plan();
        assert!(plan.actions.is_empty(), "case {n}: {plan:?}");
        let why: Vec<&HeldReason> = plan.held.iter().map(|held| &held.why).collect();
        assert_eq!(why, [&HeldReason::RulesUnread], "case {n}");
    }
    // Everything that rules have no part in goes on.
    let others = [
        (unread(State::failing(New), false), 15),
        (
            unread(
                State::failing(Notified)
                    .base(OPEN, Notified)
                    .ticket(Resolved, TEAM),
                true,
            ),
            6,
        ),
        (
            unread(
                State::failing(resolved)
                    .base(AT_RESOLVED, resolved)
                    .by_aws()
                    .ticket(Resolved, BOT),
                false,
            ),
            14,
        ),
    ];
    for (state, row) in others {
        assert_eq!(only(state.plan()).row, row);
    }
}

#[test]
fn a_gone_finding_under_a_live_rule_stays_ignored() {
    let plan = hidden().rule().absent(1, Some(true)).plan();
    assert!(plan.actions.is_empty() && plan.held.is_empty(), "{plan:?}");
    assert_eq!(
        plan.noted[0].base.as_ref().unwrap().finding,
        FindingState::Gone
    );
}

/// Every state that both sides can be in, with the last rules covering it and not.
fn states() -> Vec<(String, State, WorkflowStatus, Option<TicketState>, bool)> {
    let findings = [
        ("FAILED", "ACTIVE"),
        ("PASSED", "ACTIVE"),
        ("NOT_AVAILABLE", "ACTIVE"),
        ("FAILED", "ARCHIVED"),
    ];
    let statuses = [New, Notified, WorkflowStatus::Resolved, Suppressed];
    let bases = [BaseTicket::None, OPEN, AT_RESOLVED, AT_CLOSED, AT_IGNORED];
    let mut tickets = vec![None];
    for state in [Open, Resolved, Closed, Ignored] {
        tickets.extend([BOT, TEAM, REVIEWER].map(|by| Some((state, by))));
    }
    let mut all = Vec::new();
    for (n, what) in findings.into_iter().enumerate() {
        for (w, base_w) in statuses
            .iter()
            .flat_map(|w| statuses.map(|base| (*w, base)))
        {
            for (base, ticket) in bases
                .iter()
                .flat_map(|base| tickets.iter().map(move |ticket| (*base, *ticket)))
            {
                for bits in 0..8_u8 {
                    let (by_hand, reverts, covered) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
                    let mut state = State::failing(w).is(what.0, what.1).base(base, base_w);
                    if let Some((to, by)) = ticket {
                        state = state.ticket(to, by);
                    }
                    if by_hand {
                        state = state.set_by_hand(12);
                    }
                    if reverts {
                        state = state.policy(|p| p.suppressed_by_hand = SuppressedByHand::Revert);
                    }
                    if covered {
                        state = state.rule();
                    }
                    let name = format!(
                        "{n} {w:?} {base_w:?} {base:?} {ticket:?} by hand {by_hand} reverts {reverts} covered {covered}"
                    );
                    let state = unread(state, covered);
                    all.push((name, state, w, ticket.map(|(to, _)| to), by_hand));
                }
            }
        }
    }
    all
}

#[test]
fn in_no_state_do_unread_rules_hide_or_show_anything() {
    let all = states();
    assert_eq!(all.len(), 4 * 16 * 5 * 13 * 8);
    let mut held = 0;
    for (name, state, w, ticket, by_hand) in all {
        let plan = state.plan();
        held += usize::from(
            plan.held
                .iter()
                .any(|held| held.why == HeldReason::RulesUnread),
        );
        for action in &plan.actions {
            assert!(![5, 13].contains(&action.row), "{name}: {action:?}");
            let written = action.workflow.as_ref().map(|step| step.to);
            if w == Suppressed && !by_hand {
                assert!(
                    written.is_none_or(|to| to == Suppressed),
                    "{name}: {action:?}"
                );
            }
            if ticket == Some(Ignored) && !(w == Suppressed && by_hand) {
                assert!(
                    !matches!(action.ticket, TicketStep::Move { .. }),
                    "{name}: {action:?}"
                );
            }
        }
    }
    assert!(held > 1_000, "{held}");
}

/// It passes. Whatever had hidden it is told apart from what stopped by itself.
#[test]
fn what_is_hidden_for_nothing_is_resolved() {
    use crate::plan::Reason;
    let passes = |base, state, w| {
        let state = State::failing(w)
            .base(base, w)
            .ticket(state, BOT)
            .is("PASSED", "ACTIVE");
        let action = only(state.plan());
        let ended = action.reason == Reason::IgnoreEnded;
        let written = action.workflow.map(|step| step.to);
        (action.row, action.ticket, written, ended)
    };
    let resolved = Some(WorkflowStatus::Resolved);
    let to_resolved = TicketStep::Move { to: Resolved };
    let keep = TicketStep::Keep;
    assert_eq!(
        passes(AT_IGNORED, Ignored, Suppressed),
        (18, to_resolved, resolved, true)
    );
    assert_eq!(
        passes(AT_IGNORED, Ignored, Notified),
        (18, to_resolved, resolved, true)
    );
    assert_eq!(
        passes(AT_RESOLVED, Resolved, Suppressed),
        (18, keep, resolved, true)
    );
    assert_eq!(
        passes(OPEN, Open, Suppressed),
        (18, to_resolved, resolved, false)
    );
    assert_eq!(
        passes(OPEN, Open, Notified),
        (18, to_resolved, resolved, false)
    );
}
