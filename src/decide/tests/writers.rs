//! Who set the status that was read, and what that means.

use super::*;
use crate::model::InFlight;

/// Open and NOTIFIED when both sides agreed; this status is read now.
fn now(w: WorkflowStatus) -> State {
    State::failing(w).base(OPEN, Notified).ticket(Open, BOT)
}

/// The last write that the finding's history tells of.
fn history(mut state: State, identity: Option<&str>, ours: bool, to: WorkflowStatus) -> State {
    let key = state.finding.as_ref().unwrap().key.clone();
    let write = WorkflowWrite {
        identity: identity.map(str::to_owned),
        ours,
        at: t(16),
        to,
    };
    state.snapshot.writes.insert(key, Some(write));
    state
}

/// The status is what it was, and kim had set it; the finding had stopped in between.
fn again(w: WorkflowStatus, ticket: TicketState) -> State {
    let mut state = State::failing(w)
        .base(BaseTicket::Is(ticket), w)
        .base_finding(FindingState::Archived)
        .ticket(ticket, BOT);
    state.link.base.as_mut().unwrap().workflow_by = Author::Theirs {
        identity: "kim".to_owned(),
        at: t(9),
        record: "r".to_owned(),
    };
    state
}

#[test]
fn only_what_settles_a_finding_must_have_a_known_writer() {
    let done = |state: State| state.outcome().1;
    let held = ["held writer_unknown"];
    let back = ["16 Keep NOTIFIED f"];
    let by_hand = ["11 Move { to: Resolved }"];
    assert_eq!(done(now(RESOLVED)), held);
    assert_eq!(done(now(Suppressed)), held);
    assert_eq!(done(now(New)), back);
    assert_eq!(
        done(history(now(RESOLVED), Some("kim"), false, RESOLVED)),
        by_hand
    );
    assert_eq!(
        done(history(now(RESOLVED), Some("role"), true, RESOLVED)),
        back
    );
    assert_eq!(done(history(now(RESOLVED), None, false, RESOLVED)), back);
    // The history is newer than what was read, or tells nothing.
    assert_eq!(
        done(history(now(RESOLVED), Some("kim"), false, Notified)),
        held
    );
    assert_eq!(done(history(now(New), Some("kim"), false, Notified)), back);
    let mut nothing = now(RESOLVED);
    let key = nothing.finding.as_ref().unwrap().key.clone();
    nothing.snapshot.writes.insert(key, None);
    assert_eq!(done(nothing), back);
    // Our own write is under way.
    let mut ours = now(RESOLVED);
    let write = InFlight::new(RESOLVED, Notified, std::iter::empty(), t(20));
    ours.link.in_flight = Some(write);
    assert_eq!(done(ours), back);
    let stopped = now(RESOLVED).is("PASSED", "ACTIVE");
    assert_eq!(done(stopped), ["18 Move { to: Resolved }"]);
    let hidden = now(Suppressed).is("PASSED", "ACTIVE");
    assert_eq!(done(hidden), held);
    let none = State::failing(Suppressed).is("PASSED", "ACTIVE");
    assert_eq!(done(none), [""; 0]);
}

/// AWS resets RESOLVED when a finding fails again: what is RESOLVED all the same was set anew. SUPPRESSED stays.
#[test]
fn what_fails_again_is_resolved_only_where_somebody_has_set_that_again() {
    let done = |state: State| state.outcome().1;
    assert_eq!(done(again(RESOLVED, Resolved)), ["held writer_unknown"]);
    let by_kim = history(again(RESOLVED, Resolved), Some("kim"), false, RESOLVED);
    assert_eq!(done(by_kim), [""; 0]);
    let by_aws = history(again(RESOLVED, Resolved), None, false, RESOLVED);
    assert_eq!(done(by_aws), ["14 Move { to: Open } NOTIFIED f"]);
    assert_eq!(done(again(Suppressed, Ignored)), [""; 0]);
    let goes_on = again(RESOLVED, Resolved).base_finding(FindingState::Failing);
    assert_eq!(done(goes_on), [""; 0]);
    let changed = again(RESOLVED, Resolved).base_finding(FindingState::Failing);
    assert_eq!(done(changed.fails_anew()), ["held writer_unknown"]);
    let stopped = again(RESOLVED, Resolved).is("PASSED", "ACTIVE");
    assert_eq!(done(stopped), ["19 Keep"]);
}
