//! A ticket that no finding belongs to any more, or whose resource is gone.

use super::shared::{Shared, agreed, told};
use super::*;

/// The findings of a ticket that was shared have left it.
fn left() -> Shared {
    let mut state = agreed(2, Open, Notified);
    state.members.clear();
    state
}

/// They left it in an earlier run.
fn long_ago() -> Shared {
    let mut state = left();
    state.group.members.clear();
    state
}

fn unread(mut state: Shared, missing: Missing) -> Shared {
    state.snapshot.tickets.clear();
    state.snapshot.missing.insert(1, missing);
    state
}

#[test]
fn it_is_closed_by_a_full_read_that_shows_it() {
    let plan = left().plan();
    assert_eq!(told(&plan), ["16 Merge"]);
    let action = plan.actions.first().unwrap();
    assert_eq!(action.subject.ticket.as_deref(), Some("SEC-1"));
    let after = action.after.as_ref().unwrap();
    assert_eq!(after.base.as_ref().unwrap().ticket, AT_CLOSED);
    assert!(after.members.is_empty());
    for state in [left().narrow(), unread(left(), Missing::NotFound)] {
        let plan = state.plan();
        assert!(plan.is_empty() && plan.held.is_empty(), "{plan:?}");
    }
}

#[test]
fn it_is_history_then_unless_somebody_deletes_it() {
    let ticket = |state: Shared| {
        let plan = state.plan();
        let noted = plan.noted.first().map(|link| {
            let base = link.base.as_ref().unwrap();
            (base.ticket, link.ticket_absent_reads)
        });
        (told(&plan), noted)
    };
    assert_eq!(ticket(long_ago()), (vec![], None));
    let once = ("held ticket_not_found_once".to_owned(), Some((OPEN, 1)));
    let missing = || unread(long_ago(), Missing::NotFound);
    assert_eq!(ticket(missing()), (vec![once.0], once.1));
    let mut twice = missing();
    twice.group.ticket_absent_reads = 2;
    assert_eq!(ticket(twice), (vec![], Some((BaseTicket::Deleted, 2))));
    let hidden = unread(long_ago(), Missing::Unreadable);
    let held = vec!["held ticket_unreadable".to_owned()];
    assert_eq!(ticket(hidden), (held, None));
}

#[test]
fn what_is_deleted_with_its_resource_is_a_ticket_that_is_not_closed() {
    let gone = |state: State| told(&state.resource_deleted().plan());
    let closed = State::failing(WorkflowStatus::Resolved)
        .base(AT_CLOSED, WorkflowStatus::Resolved)
        .ticket(Closed, BOT);
    assert_eq!(gone(closed), [""; 0]);
    assert_eq!(gone(State::failing(New)), ["4 Keep RESOLVED f"]);
    let ignored = State::failing(Suppressed)
        .base(AT_IGNORED, Suppressed)
        .ticket(Ignored, BOT);
    assert_eq!(gone(ignored), ["4 Delete"]);
}
