//! When what fails now began to fail, and whether that is a new episode.

use super::*;
use crate::decide::case::pair;
use crate::decide::episode::{changed_between, first_observed};

/// The episode that both sides agree on after this run, and when it began.
fn began(state: State) -> (u32, Timestamp) {
    let base = state.after().base.unwrap();
    (base.episode, base.episode_started_at)
}

/// First observed at hour 10, updated at hour 18; the ticket was resolved, and the resolution written.
fn resolved_before(w: WorkflowStatus) -> State {
    let mut state = State::failing(w)
        .base(AT_RESOLVED, WorkflowStatus::Resolved)
        .ticket(Resolved, BOT);
    state.finding.as_mut().unwrap().updated_at = Some(t(18));
    state
}

/// AWS, or kim, set the status that is read at this hour.
fn set_by(mut state: State, hour: i64, identity: Option<&str>) -> State {
    state = state.set_by_hand(hour);
    let write = state.snapshot.writes.values_mut().flatten().next().unwrap();
    write.identity = identity.map(str::to_owned);
    state
}

#[test]
fn what_goes_on_failing_is_the_same_episode() {
    let goes_on = State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Open, BOT);
    assert_eq!(began(goes_on), (1, t(10)));
    // What the console took back is no reset.
    assert_eq!(began(set_by(resolved_before(New), 16, Some("kim"))).0, 1);
    let passes = State::failing(Notified)
        .is("PASSED", "ACTIVE")
        .base(OPEN, Notified)
        .ticket(Open, BOT);
    assert_eq!(began(passes), (1, t(10)));
}

#[test]
fn what_is_active_again_failed_when_it_was_first_observed() {
    let mut again = State::failing(Notified)
        .base(OPEN, Notified)
        .base_finding(FindingState::Archived)
        .ticket(Open, BOT);
    again.finding.as_mut().unwrap().updated_at = Some(t(18));
    assert_eq!(began(again), (2, t(10)));
}

#[test]
fn what_changed_in_between_fails_since_it_was_last_observed_to() {
    let mut changed = State::failing(Notified)
        .base(OPEN, Notified)
        .ticket(Open, BOT);
    changed.finding.as_mut().unwrap().first_observed_at = Some(t(17));
    assert_eq!(began(changed), (2, t(17)));
}

/// The first run that sees it asks nobody; a history that was read says when AWS reset it.
#[test]
fn what_aws_reset_fails_since_the_reset_or_else_since_its_last_update() {
    assert_eq!(began(resolved_before(New)), (2, t(18)));
    assert_eq!(began(set_by(resolved_before(New), 16, None)), (2, t(16)));
    // The history's last entry is older than the reset that was read.
    let mut older = set_by(resolved_before(New), 12, None);
    let write = older.snapshot.writes.values_mut().flatten().next().unwrap();
    write.to = Notified;
    assert_eq!(began(older), (2, t(18)));
}

#[test]
fn what_is_new_fails_since_it_was_first_observed_or_created() {
    let first = |change: fn(&mut Finding)| {
        let mut state = State::failing(New);
        state.link.base = None;
        let finding = state.finding.as_mut().unwrap();
        finding.updated_at = Some(t(18));
        finding.created_at = Some(t(9));
        change(finding);
        began(state)
    };
    assert_eq!(first(|_| ()), (1, t(10)));
    // A product without compliance tells all the same when it first saw what it reports.
    assert_eq!(first(|finding| finding.compliance = None), (1, t(10)));
    let untold = |finding: &mut Finding| finding.first_observed_at = None;
    assert_eq!(first(untold), (1, t(9)));
    let nothing = |finding: &mut Finding| {
        finding.first_observed_at = None;
        finding.created_at = None;
    };
    assert_eq!(first(nothing), (1, t(18)));
    let silent = |finding: &mut Finding| {
        finding.first_observed_at = None;
        finding.created_at = None;
        finding.updated_at = None;
    };
    assert_eq!(first(silent), (1, t(20)));
}

/// Of two findings of a link the one that was observed last counts, if it says what it found.
#[test]
fn the_last_change_of_compliance_is_the_latest_that_says_something() {
    let observed = |change: fn(&mut Finding)| {
        let mut state = State::failing(Notified);
        let mut other = state.finding.clone().unwrap();
        other.key.id = "g".to_owned();
        other.first_observed_at = Some(t(12));
        change(&mut other);
        let other = Box::new(other);
        state.snapshot.findings.insert(other.key.clone(), other);
        let (snapshot, ..) = state.seen();
        let case = pair(&snapshot).next().unwrap();
        let base = case.link.base.clone().unwrap();
        (first_observed(&case), changed_between(&case, &base))
    };
    assert_eq!(observed(|_| ()), (Some(t(12)), true));
    let untold = (Some(t(10)), false);
    assert_eq!(observed(|other| other.compliance = None), untold);
    let unclear = |other: &mut Finding| {
        let compliance = other.compliance.as_mut().unwrap();
        *compliance = crate::model::Compliance::NotAvailable;
    };
    assert_eq!(observed(unclear), untold);
    assert_eq!(observed(|other| other.first_observed_at = None), untold);
}

/// What is seen for the first time has not turned; what stops, or fails again, has.
#[test]
fn a_finding_turns_when_it_stops_or_fails_again() {
    let turned = |state: State| state.after().turned_at;
    let open = || {
        State::failing(Notified)
            .base(OPEN, Notified)
            .ticket(Open, BOT)
    };
    let mut first = State::failing(New);
    first.link.base = None;
    assert_eq!(turned(first), None);
    assert_eq!(turned(open()), None);
    assert_eq!(turned(open().is("PASSED", "ACTIVE")), Some(t(20)));
    let again = open().base_finding(FindingState::Archived);
    assert_eq!(turned(again), Some(t(20)));
    let gone_on = open()
        .is("PASSED", "ARCHIVED")
        .base_finding(FindingState::Passing);
    assert_eq!(turned(gone_on), None);
    assert_eq!(
        turned(open().is("NOT_AVAILABLE", "ACTIVE").status(New)),
        None
    );
}
