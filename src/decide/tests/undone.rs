//! What somebody did without the right is undone: the ticket goes to where it would be without that move.

use super::shared::told;
use super::*;

/// Open and NOTIFIED when both sides agreed; closed by the team since, after these moves.
fn closed_after(earlier: &[(&str, TicketState, TicketState, i64)]) -> State {
    let mut state = State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Closed, TEAM);
    let from = earlier.last().map_or(Open, |(_, _, to, _)| *to);
    let all = moves(&[earlier, &[(TEAM, from, Closed, 15)]].concat());
    state.snapshot.moves.insert(1, all);
    state
}

#[test]
fn it_goes_back_to_what_people_who_may_made_of_it() {
    let resolved = |by, hour| closed_after(&[(by, Open, Resolved, hour)]);
    let claimed = ["2 Move { to: Resolved } RESOLVED f"];
    let open = ["2 Move { to: Open }"];
    assert_eq!(told(&closed_after(&[]).plan()), open);
    assert_eq!(told(&resolved(TEAM, 13).plan()), claimed);
    // It fails anew since that was said, or we had moved it ourselves.
    assert_eq!(told(&resolved(TEAM, 9).plan()), open);
    assert_eq!(told(&resolved(TEAM, 10).plan()), open);
    assert_eq!(told(&resolved(BOT, 13).plan()), open);
    // Closed twice without the right, with our undoing in between.
    let again = closed_after(&[(TEAM, Open, Closed, 12), (BOT, Closed, Open, 13)]);
    assert_eq!(told(&again.plan()), open);
    let passes = resolved(TEAM, 9).is("PASSED", "ACTIVE");
    assert_eq!(told(&passes.plan()), ["2 Move { to: Resolved } RESOLVED f"]);
}

/// A changelog of which a move is missing tells where the ticket stood, and not who put it there.
#[test]
fn a_move_that_leads_elsewhere_decides_nothing() {
    let mut state = closed_after(&[]);
    let all = moves(&[(TEAM, Resolved, Open, 13), (TEAM, Resolved, Closed, 15)]);
    state.snapshot.moves.insert(1, all);
    assert_eq!(told(&state.plan()), ["2 Move { to: Open }"]);
}

/// It passed at hour 12, and a reviewer set its ticket back to open at this one: something is left to look at.
#[test]
fn it_stays_open_where_a_reviewer_keeps_it_open() {
    let closed = |hour| {
        let mut state = State::failing(WorkflowStatus::Resolved)
            .base(AT_RESOLVED, WorkflowStatus::Resolved)
            .ticket(Closed, TEAM)
            .is("PASSED", "ACTIVE");
        let finding = state.finding.as_mut().unwrap();
        finding.first_observed_at = Some(t(12));
        let all = moves(&[(REVIEWER, Resolved, Open, hour), (TEAM, Open, Closed, 15)]);
        state.snapshot.moves.insert(1, all);
        told(&state.plan())
    };
    assert_eq!(closed(13), ["2 Move { to: Open }"]);
    assert_eq!(closed(12), ["2 Move { to: Resolved }"]);
    assert_eq!(closed(11), ["2 Move { to: Resolved }"]);
}

#[test]
fn a_ticket_is_ignored_by_a_rule_or_with_the_status_in_security_hub() {
    use crate::plan::Reason;
    let ignored = || {
        State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Ignored, TEAM)
    };
    let action = only(ignored().plan());
    let is_undone = matches!(action.reason, Reason::IgnoredWithoutRule { .. });
    assert_eq!((action.row, is_undone), (2, true));
    assert_eq!(only(ignored().rule().plan()).row, 5);
    let hidden = ignored().status(Suppressed).set_by_hand(16).plan();
    assert_eq!(told(&hidden), [""; 0]);
    let resolved = ignored().base(AT_RESOLVED, Notified);
    let hidden = resolved.status(Suppressed).set_by_hand(14).plan();
    assert_eq!(told(&hidden), [""; 0]);
    let revert = |policy: &mut Policy| policy.suppressed_by_hand = SuppressedByHand::Revert;
    let hidden = ignored().status(Suppressed).set_by_hand(14).policy(revert);
    let back = ["10 Move { to: Open } NOTIFIED f"];
    assert_eq!(told(&hidden.plan()), back);
}

/// Its resource is gone, and a reviewer keeps its ticket open: what Security Hub says of it stays.
#[test]
fn nothing_is_said_of_what_a_reviewer_keeps_open_while_it_fails() {
    let mut state = State::failing(Notified)
        .base(AT_RESOLVED, Notified)
        .ticket(Open, REVIEWER);
    let proof = vec![ResourceFact::Deleted { at: t(12) }];
    let marker = state.link.marker.clone();
    state.snapshot.resources.insert(marker, proof);
    assert_eq!(told(&state.plan()), [""; 0]);
}
