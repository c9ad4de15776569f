//! The letters of a ticket that several findings share, where the worst of them says something else than the others, or
//! than the ticket.

use std::sync::Arc;

use super::asked::owners;
use super::shared::{Shared, agreed, told};
use super::*;
use crate::decide::policy::OwnerChange;
use crate::model::owner::{Conditions, Knowledge};
use crate::model::{LinkOwner, Owner, Routing, Severity};
use crate::plan::Reason;

/// The first of the findings is the worst, and rules.
fn worst_first(mut state: Shared) -> Shared {
    state.members[0].0.severity = Severity::Critical;
    state
}

/// The one action for the ticket.
fn for_the_ticket(state: Shared) -> Action {
    let group = state.group.marker.clone();
    let mut plan = state.plan();
    plan.actions.retain(|action| action.marker == group);
    only(plan)
}

#[test]
fn the_one_whose_status_changed_speaks_for_all() {
    let closed = || worst_first(agreed(2, Closed, RESOLVED).accepted());
    assert_eq!(
        told(&closed().status(1, New).plan()),
        ["14 Move { to: Open } NOTIFIED f1"]
    );
    let taken_back = worst_first(agreed(2, Resolved, RESOLVED)).set_by_hand(1, Notified, 16);
    let action = for_the_ticket(taken_back);
    assert_eq!(
        (action.row, action.ticket),
        (14, TicketStep::Move { to: Open })
    );
    assert!(matches!(action.reason, Reason::MoreFail));
    let base = action.after.unwrap().base.unwrap();
    assert!(base.workflow_by.is_theirs(), "{base:?}");
}

#[test]
fn what_lost_against_a_later_change_is_told() {
    let closed = || agreed(2, Resolved, RESOLVED).ticket(Closed, REVIEWER);
    let taken_back = closed().set_by_hand(0, New, 16).set_by_hand(1, New, 16);
    let alerts = for_the_ticket(taken_back).alerts;
    let [alert] = alerts.as_slice() else {
        panic!("{alerts:?}")
    };
    assert!(
        alert.text.contains("reviewer had set the ticket to closed"),
        "{}",
        alert.text
    );
}

/// The group counts episodes of its own.
#[test]
fn the_ticket_goes_on_in_its_own_episode() {
    let mut state = worst_first(agreed(2, Open, Notified)).ticket(Resolved, TEAM);
    let base = state.members[0].1.base.as_mut().unwrap();
    (base.episode, base.episode_started_at) = (3, t(12));
    let base = for_the_ticket(state).after.unwrap().base.unwrap();
    assert_eq!((base.episode, base.episode_started_at), (1, t(10)));
}

/// Of two accepted findings one stopped, and then went: the ticket is of the other again, and nothing begins.
#[test]
fn what_is_accepted_stays_so_when_another_one_has_stopped() {
    let mut state = agreed(1, Closed, RESOLVED).accepted();
    state.group.base.as_mut().unwrap().finding = FindingState::Passing;
    let group = state.group.marker.clone();
    let plan = state.plan();
    assert!(plan.is_empty() && plan.held.is_empty(), "{plan:?}");
    let noted = plan.noted.iter().find(|link| link.marker == group);
    assert_eq!(noted.unwrap().base.as_ref().unwrap().episode, 1);
}

/// A reviewer sets the ticket back to open at hour 15. The worst one had stopped, or its resource was gone, by then.
#[test]
fn a_reviewer_keeps_a_ticket_open_that_the_last_of_them_has_left() {
    let open = || {
        let state = worst_first(agreed(2, Resolved, RESOLVED));
        state.ticket(Open, REVIEWER)
    };
    let stopped = |hour| {
        let mut state = open().is(0, "PASSED", "ACTIVE").is(1, "PASSED", "ACTIVE");
        for (n, hour) in [(0, 12), (1, hour)] {
            let finding = &mut state.members[n].0;
            finding.first_observed_at = Some(t(hour));
            finding.updated_at = Some(t(hour));
        }
        told(&state.plan())
    };
    assert_eq!(stopped(13), [""; 0]);
    assert_eq!(stopped(18), ["18 Move { to: Resolved }"]);
    let gone = |hour| {
        let mut state = open();
        for (n, hour) in [(0, 12), (1, hour)] {
            let marker = state.members[n].1.marker.clone();
            let proof = vec![ResourceFact::Deleted { at: t(hour) }];
            state.snapshot.resources.insert(marker, proof);
        }
        told(&state.plan())
    };
    assert_eq!(gone(13), [""; 0]);
    assert_eq!(gone(18), ["4 Delete"]);
}

/// The team ignored what a reviewer had just closed: no run has seen either.
#[test]
fn what_is_undone_goes_back_to_where_a_person_who_may_had_put_it() {
    let mut state = agreed(2, Resolved, RESOLVED).ticket(Ignored, TEAM);
    let all = moves(&[
        (REVIEWER, Resolved, Closed, 13),
        (TEAM, Closed, Ignored, 14),
    ]);
    state.snapshot.moves.insert(1, all);
    assert_eq!(told(&state.plan()), ["2 Move { to: Closed }"]);
}

#[test]
fn the_ticket_is_written_again_when_its_table_is_another() {
    let after = |content: &str| {
        let mut state = agreed(2, Open, Notified);
        content.clone_into(&mut state.group.content);
        state
    };
    let first = after("").plan();
    let group = agreed(2, Open, Notified).group.marker;
    let noted = first
        .noted
        .iter()
        .find(|link| link.marker == group)
        .unwrap();
    let plan = after(&noted.content).plan();
    assert!(plan.is_empty(), "{plan:?}");
    let fixed = after(&noted.content).is(0, "PASSED", "ACTIVE").plan();
    assert_eq!(told(&fixed), ["16 Update", "18 Keep RESOLVED f0"]);
}

fn made_for(mut state: Shared, project: &str) -> Shared {
    state.group.owner = Some(LinkOwner {
        team: "payments".to_owned(),
        project: project.to_owned(),
    });
    state
}

#[test]
fn it_changes_hands_as_a_whole() {
    let owned = |change| {
        let mut state = made_for(agreed(2, Open, Notified), "SEC");
        state.snapshot.owners = owners("WEB");
        state.policy(|policy| policy.owner_change = change)
    };
    let projects = ("SEC".to_owned(), "WEB".to_owned());
    let mut allowed = owned(OwnerChange::Move);
    allowed.snapshot.transfers.insert(projects, Ok(()));
    let replaced = owned(OwnerChange::Recreate).plan();
    assert_eq!(told(&replaced), ["16 Replace"]);
    assert_eq!(told(&allowed.plan()), ["16 Transfer"]);
    assert_eq!(
        told(&owned(OwnerChange::Move).plan()),
        ["held may_move_unknown"]
    );
}

/// What is critical is another team's, and this ticket is of both.
#[test]
fn it_stays_with_its_team_though_the_worst_one_is_another_teams() {
    let of = |team: &str, project: &str| Owner {
        team: team.to_owned(),
        project: project.to_owned(),
        ..Owner::default()
    };
    let critical = Conditions {
        severities: vec![Severity::Critical],
        ..Conditions::default()
    };
    let mut state = made_for(worst_first(agreed(2, Open, Notified)), "SEC");
    let rules = vec![(critical, of("web", "WEB"))];
    let routing = Routing::new(rules, of("payments", "SEC"), Knowledge::NotAsked);
    state.snapshot.owners = Arc::new(routing);
    let plan = state.plan();
    assert!(plan.is_empty() && plan.held.is_empty(), "{plan:?}");
}

/// What had stopped when the ticket was closed has left it, and names it still: the ticket says how that went.
#[test]
fn a_ticket_in_which_others_were_dealt_with_outlives_the_last_resource() {
    let with = |change: &dyn Fn(&mut Finding, &mut Link)| {
        let mut state = agreed(2, Open, Notified).deleted(0);
        state.members[1].1.member = None;
        let (finding, link) = &mut state.members[1];
        finding.noted_ticket = Some("SEC-1".to_owned());
        change(finding, link);
        told(&state.is(1, "PASSED", "ACTIVE").status(1, RESOLVED).plan())
    };
    let closed = ["4 Move { to: Closed } RESOLVED f0"];
    let deleted = ["4 Delete RESOLVED f0"];
    assert_eq!(with(&|_, _| ()), closed);
    assert_eq!(with(&|finding, _| finding.noted_ticket = None), deleted);
    let another = Some("SEC-9".to_owned());
    assert_eq!(
        with(&|finding, _| finding.noted_ticket.clone_from(&another)),
        deleted
    );
    assert_eq!(
        with(&|_, link| link.resource_deleted_at = Some(t(16))),
        deleted
    );
    // An archived finding of the same resource is no other.
    let twin = agreed(1, Open, Notified).deleted(0);
    let mut twin = twin.twin(0, RESOLVED);
    let archived = twin.snapshot.findings.values_mut().next().unwrap();
    archived.noted_ticket = Some("SEC-1".to_owned());
    archived.record = finding("FAILED", "ARCHIVED", New).record;
    assert_eq!(told(&twin.plan()), deleted);
}
