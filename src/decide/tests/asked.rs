//! What is asked before anything is decided: it costs requests, and is asked where the answer can change a decision.

use std::sync::Arc;

use super::shared::agreed;
use super::*;
use crate::decide::needs::{Needs, needs};
use crate::decide::policy::OwnerChange;
use crate::model::owner::Knowledge;
use crate::model::{InFlight, LinkOwner, Owner, Routing};

fn asked(state: State) -> Needs {
    let (snapshot, policy, now) = state.seen();
    needs(&snapshot, &policy, now)
}

/// `moves`, `writers`, `resources` and `accounts`, where they are asked about.
fn words(needs: &Needs) -> Vec<&'static str> {
    let parts = [
        (!needs.moves.is_empty(), "moves"),
        (!needs.writers.is_empty(), "writers"),
        (!needs.resources.is_empty(), "resources"),
        (needs.accounts, "accounts"),
        (!needs.transfers.is_empty(), "transfers"),
    ];
    let asked = parts.into_iter().filter(|(asked, _)| *asked);
    asked.map(|(_, word)| word).collect()
}

/// Everything is this team's.
pub(super) fn owners(project: &str) -> Arc<Routing> {
    let owner = Owner {
        team: "payments".to_owned(),
        project: project.to_owned(),
        ..Owner::default()
    };
    Arc::new(Routing::new(Vec::new(), owner, Knowledge::NotAsked))
}

fn assert_all(rows: Vec<(State, &[&str])>) {
    for (n, (state, expected)) in rows.into_iter().enumerate() {
        let needs = asked(state);
        assert_eq!(words(&needs), expected, "case {n}: {needs:?}");
    }
}

fn resolved() -> State {
    State::failing(RESOLVED)
        .base(AT_RESOLVED, RESOLVED)
        .ticket(Resolved, BOT)
}

fn closed() -> State {
    State::failing(RESOLVED)
        .base(BaseTicket::Is(Closed), RESOLVED)
        .ticket(Closed, BOT)
}

fn with(mut state: State, change: impl FnOnce(&mut State)) -> State {
    change(&mut state);
    state
}

fn absent(state: State) -> State {
    with(state, |state| {
        let finding = state.finding.take().unwrap();
        let place = (finding.alias.account, finding.alias.region);
        state.snapshot.coverage.seen.insert(place, 1);
    })
}

#[test]
fn who_moved_a_ticket_is_asked_where_it_moved_or_may_be_kept_open() {
    assert_all(vec![
        (open(), &[]),
        (resolved(), &[]),
        (closed(), &[]),
        (open().ticket(Resolved, TEAM), &["moves"]),
        (resolved().ticket(Closed, REVIEWER), &["moves"]),
        (resolved().ticket(Open, TEAM), &["moves"]),
        (open().is("PASSED", "ACTIVE"), &["moves"]),
        (resolved().is("PASSED", "ACTIVE"), &[]),
        (
            with(open(), |state| state.link.resource_deleted_at = Some(t(9))),
            &["moves"],
        ),
        (
            with(resolved(), |state| {
                state.link.resource_deleted_at = Some(t(9))
            }),
            &[],
        ),
    ]);
}

#[test]
fn a_resource_is_asked_about_where_it_may_be_gone_and_the_ticket_stands() {
    let archived = |state: State| state.is("FAILED", "ARCHIVED");
    let stale = |state: State| with(state, |state| state.now = t(10 + 27));
    assert_all(vec![
        (archived(open()), &["moves", "resources"]),
        (archived(resolved()), &["resources"]),
        (archived(closed()), &[]),
        // It was opened again.
        (
            archived(closed()).ticket(Open, REVIEWER),
            &["moves", "resources"],
        ),
        (
            archived(closed()).ticket(Resolved, REVIEWER),
            &["moves", "resources"],
        ),
        (archived(State::failing(Notified)), &[]),
        (
            with(archived(resolved()), |state| {
                state.link.resource_asked_at = Some(t(15))
            }),
            &[],
        ),
        (
            with(archived(resolved()), |state| {
                state.link.resource_asked_at = Some(t(14))
            }),
            &["resources"],
        ),
        // Controls are evaluated every day: what has not been for longer may be about nothing.
        (stale(open()), &["moves", "resources"]),
        (with(stale(open()), |state| state.now = t(10 + 26)), &[]),
        (
            with(stale(open()), |state| {
                state.finding.as_mut().unwrap().compliance = None
            }),
            &[],
        ),
        (
            stale(resolved().is("NOT_AVAILABLE", "ACTIVE")),
            &["resources"],
        ),
        (stale(resolved().is("PASSED", "ACTIVE")), &[]),
        (absent(resolved()), &["resources", "accounts"]),
        (
            absent(resolved().base_finding(FindingState::Gone)),
            &["resources"],
        ),
        (
            with(absent(resolved()), |state| {
                state.snapshot.coverage.full = false
            }),
            &["resources"],
        ),
    ]);
    let needs = asked(archived(open()));
    let queries = needs.resources.values().next().unwrap();
    assert_eq!(
        (queries[0].id.as_str(), queries[0].kind.as_str()),
        ("arn:aws:s3:::b", "AwsS3Bucket")
    );
    assert_eq!(
        (queries[0].account.as_str(), queries[0].region.as_str()),
        ("123456789012", "eu-west-1")
    );
    let needs = asked(absent(open()));
    let queries = needs.resources.values().next().unwrap();
    assert_eq!(
        (queries[0].id.as_str(), queries[0].kind.as_str()),
        ("arn:aws:s3:::b", "")
    );
}

#[test]
fn who_set_a_status_is_asked_where_it_settles_something_that_we_did_not_write() {
    let wrote = |state: State, w, was, hours: i64, seen| {
        with(state, |state| {
            let at = state.now - SignedDuration::from_hours(hours);
            let mut write = InFlight::new(w, was, [was].into_iter(), at);
            write.seen = seen;
            state.link.in_flight = Some(write);
        })
    };
    let at_open = |w| State::failing(w).base(OPEN, Notified).ticket(Open, BOT);
    let again = State::failing(New)
        .base(AT_RESOLVED, RESOLVED)
        .ticket(Resolved, BOT);
    assert_all(vec![
        (at_open(RESOLVED), &["writers"]),
        (at_open(Suppressed), &["writers"]),
        (at_open(New), &[]),
        (State::failing(Suppressed), &["writers"]),
        (resolved().base_finding(FindingState::Passing), &["writers"]),
        // Ours, that reads show or do not show yet; after that it is asked like any other.
        (wrote(at_open(RESOLVED), RESOLVED, Notified, 0, false), &[]),
        (
            wrote(at_open(RESOLVED), RESOLVED, Notified, 1, false),
            &["writers"],
        ),
        (
            wrote(at_open(Suppressed), Notified, Suppressed, 0, false),
            &[],
        ),
        // Reads had shown our write, and show what was before again.
        (
            wrote(resolved().status(Notified), RESOLVED, Notified, 0, true),
            &["writers"],
        ),
        (
            wrote(resolved().status(Notified), RESOLVED, Notified, 0, false),
            &[],
        ),
        (
            wrote(resolved().status(Notified), RESOLVED, Notified, 1, true),
            &[],
        ),
        (wrote(resolved(), RESOLVED, Notified, 0, true), &[]),
        // AWS resets what fails again, and people take back what was decided: it matters beside a move.
        (again, &[]),
        (
            resolved().status(New).ticket(Closed, REVIEWER),
            &["moves", "writers"],
        ),
        (resolved().ticket(Closed, REVIEWER), &["moves"]),
    ]);
}

/// Made for a team with this project; its owner has WEB now.
pub(super) fn owned(project: &str, change: OwnerChange) -> State {
    with(open(), |state| {
        state.policy.owner_change = change;
        state.link.owner = Some(LinkOwner {
            team: "payments".to_owned(),
            project: project.to_owned(),
        });
        state.snapshot.owners = owners("WEB");
    })
}

#[test]
fn whether_a_ticket_may_be_moved_is_asked_where_its_owner_has_another_project() {
    let moves = OwnerChange::Move;
    assert_all(vec![
        (owned("SEC", moves), &["transfers"]),
        (owned("WEB", moves), &[]),
        (owned("SEC", OwnerChange::Keep), &[]),
        (owned("SEC", moves).ticket(Resolved, TEAM), &["moves"]),
        (owned("SEC", moves).is("PASSED", "ACTIVE"), &["moves"]),
    ]);
    let transfers = asked(owned("SEC", moves)).transfers;
    let projects = ("SEC".to_owned(), "WEB".to_owned());
    assert!(transfers.into_iter().eq([projects]));
    // A person has moved it there.
    let there = with(owned("SEC", moves), |state| {
        let ticket = state.snapshot.tickets.get_mut(&1).unwrap();
        "WEB".clone_into(&mut ticket.project);
    });
    assert_eq!(asked(there).transfers.len(), 0);
}

#[test]
fn of_a_shared_ticket_the_same_is_asked_with_each_of_its_findings() {
    let open = || agreed(2, Open, Notified);
    let resolved = || agreed(2, Resolved, RESOLVED);
    for (n, (state, expected)) in [
        (open(), vec![]),
        (open().is(0, "PASSED", "ACTIVE"), vec![]),
        (
            open().is(0, "PASSED", "ACTIVE").is(1, "PASSED", "ACTIVE"),
            vec!["moves"],
        ),
        (
            resolved()
                .is(0, "PASSED", "ACTIVE")
                .is(1, "PASSED", "ACTIVE"),
            vec![],
        ),
        (open().ticket(Resolved, TEAM), vec!["moves"]),
        (open().is(0, "FAILED", "ARCHIVED"), vec!["resources"]),
        (resolved().ticket(Closed, REVIEWER), vec!["moves"]),
        (resolved().status(0, New), vec![]),
        (
            resolved().status(0, New).ticket(Closed, REVIEWER),
            vec!["moves", "writers"],
        ),
        (open().status(0, Suppressed), vec!["writers"]),
    ]
    .into_iter()
    .enumerate()
    {
        let (snapshot, policy) = state.seen();
        let needs = needs(&snapshot, &policy, t(20));
        assert_eq!(words(&needs), expected, "case {n}: {needs:?}");
    }
    let owned = |project: &str, change| {
        let mut state = open().policy(|policy| policy.owner_change = change);
        state.group.owner = Some(LinkOwner {
            team: "payments".to_owned(),
            project: project.to_owned(),
        });
        state.snapshot.owners = owners("WEB");
        state
    };
    for (state, asks) in [
        (owned("SEC", OwnerChange::Move), 1),
        (owned("WEB", OwnerChange::Move), 0),
        (owned("SEC", OwnerChange::Keep), 0),
        (owned("SEC", OwnerChange::Move).ticket(Resolved, TEAM), 0),
    ] {
        let (snapshot, policy) = state.seen();
        assert_eq!(needs(&snapshot, &policy, t(20)).transfers.len(), asks);
    }
}

#[test]
fn an_event_of_a_deletion_is_proof_once_and_only_after_the_last_evaluation() {
    let proven = |at, known: Option<i64>| {
        let state = with(open(), |state| {
            let deletions = &mut state.snapshot.deletions;
            deletions.add("123456789012", "eu-west-1", "arn:aws:s3:::b", t(at));
            state.link.resource_deleted_at = known.map(t);
        });
        asked(state).proven.len()
    };
    assert_eq!((proven(10, None), proven(11, None)), (0, 1));
    assert_eq!((proven(16, Some(15)), proven(16, Some(16))), (1, 0));
    assert_eq!(proven(16, Some(17)), 0);
}
