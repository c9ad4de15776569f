//! A finding whose owner has another project now.

use std::collections::BTreeMap;

use super::asked::owned;
use super::*;
use crate::decide::policy::{MoveDenied, OwnerChange};
use crate::plan::Reason;

/// Made for a team with the project SEC; its owner has WEB now. What Jira says of moving it, where it was asked.
fn may_move(change: OwnerChange, answer: Option<Result<(), String>>) -> State {
    let mut state = owned("SEC", change);
    let projects = ("SEC".to_owned(), "WEB".to_owned());
    state.snapshot.transfers = answer
        .map(|answer| (projects, answer))
        .into_iter()
        .collect::<BTreeMap<_, _>>();
    state
}

/// What is done to the ticket, why, and whether security hears of it; or why nothing is.
fn done(state: State) -> (String, &'static str, bool) {
    let plan = state.plan();
    if let Some(held) = plan.held.first() {
        return ("Held".to_owned(), held.why.word(), false);
    }
    let action = only(plan);
    assert_eq!(action.row, 16);
    let why = match &action.reason {
        Reason::OwnerChanged { .. } => "another owner",
        Reason::OwnerMoved { .. } => "moved",
        Reason::OwnerMoveDenied { stays: true, .. } => "denied, and stays",
        Reason::OwnerMoveDenied { .. } => "denied",
        _ => "another reason",
    };
    (
        format!("{:?}", action.ticket),
        why,
        !action.alerts.is_empty(),
    )
}

/// We closed it, and were killed before we made the one that takes its place.
fn interrupted(mut state: State) -> State {
    let close = moves(&[(BOT, Open, Closed, 15)]);
    state = state.ticket(Closed, BOT);
    state.snapshot.moves.insert(1, close);
    state
}

#[test]
fn its_ticket_is_replaced_or_moved_or_stays() {
    use OwnerChange::{Keep, Move, Recreate};
    let yes = || Some(Ok(()));
    let no = || Some(Err("no permission".to_owned()));
    let stays = |mut state: State| {
        state.policy.move_denied = MoveDenied::Keep;
        state
    };
    let rows = [
        (
            may_move(Recreate, None),
            ("Replace", "another owner", false),
        ),
        (
            may_move(Recreate, yes()),
            ("Replace", "another owner", false),
        ),
        (may_move(Move, None), ("Held", "may_move_unknown", false)),
        (may_move(Move, yes()), ("Transfer", "moved", false)),
        (may_move(Move, no()), ("Replace", "denied", false)),
        (stays(may_move(Move, yes())), ("Transfer", "moved", false)),
        (
            stays(may_move(Move, no())),
            ("Update", "denied, and stays", true),
        ),
        (
            interrupted(may_move(Recreate, None)),
            ("Replace", "another owner", false),
        ),
        (
            interrupted(may_move(Move, yes())),
            ("Replace", "another owner", false),
        ),
        (may_move(Keep, None), ("Update", "another reason", false)),
    ];
    for (n, (state, (step, why, tells))) in rows.into_iter().enumerate() {
        assert_eq!(done(state), (step.to_owned(), why, tells), "case {n}");
    }
}

#[test]
fn only_an_open_ticket_changes_hands() {
    for state in [Resolved, Closed, Ignored] {
        let resolved = WorkflowStatus::Resolved;
        let plan = may_move(OwnerChange::Recreate, None)
            .base(BaseTicket::Is(state), resolved)
            .ticket(state, BOT)
            .status(resolved)
            .decided()
            .plan();
        let changes = plan.actions.iter().any(|action| action.ticket.renames());
        assert!(!changes, "{state:?}: {plan:?}");
    }
    // A team that resolves what is another's by now has resolved it.
    let mut state = may_move(OwnerChange::Recreate, None).ticket(Resolved, TEAM);
    state.link.base = Some(agreed_on(OPEN, Notified));
    assert_eq!(only(state.plan()).row, 6);
}
