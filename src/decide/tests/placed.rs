//! Which ticket a finding belongs to, and when it moves to another.

use std::sync::Arc;

use super::asked::owners;
use super::shared::{Shared, agreed, told};
use super::*;
use crate::decide::grouping::{home, owner};
use crate::model::owner::{Conditions, Knowledge};
use crate::model::{
    AliasKey, DecisionKind, Grouping, LinkOwner, Owner, Product, Routing, Severity,
};

/// Whose everything is depends on units, and Organizations could never be read.
fn unknown_owners() -> Arc<Routing> {
    let units = Conditions {
        units: vec!["/prod".to_owned()],
        ..Conditions::default()
    };
    let unknown = Knowledge::Unknown {
        why: "access denied".to_owned(),
    };
    let rules = vec![(units, Owner::default())];
    Arc::new(Routing::new(rules, Owner::default(), unknown))
}

fn alone(shared: Shared) -> Shared {
    shared.policy(|policy| policy.grouping = Grouping::Finding)
}

/// The same ticket, of the findings of a team.
fn of_team(mut shared: Shared, team: &str) -> Shared {
    shared.group.alias = AliasKey::of_team(team, "s3.8");
    shared.group.marker = Marker::of(&shared.group.alias);
    for (_, link) in &mut shared.members {
        link.member.as_mut().unwrap().of = shared.group.marker.clone();
    }
    shared.policy(|policy| policy.grouping = Grouping::ControlTeam)
}

#[test]
fn checks_that_repeat_share_a_ticket_and_incidents_have_their_own() {
    let mut finding = State::failing(New).finding.unwrap();
    let owners = owners("PAY");
    let of = |finding: &Finding, grouping| home(finding, &owners, grouping);
    let account = AliasKey::of_account("123456789012", "s3.8");
    let team = AliasKey::of_team("payments", "s3.8");
    for product in [Product::SecurityHub, Product::Config, Product::Inspector] {
        finding.product = product;
        assert_eq!(of(&finding, Grouping::Finding), None);
        assert_eq!(
            of(&finding, Grouping::AccountControl),
            Some(account.clone())
        );
        assert_eq!(of(&finding, Grouping::ControlTeam), Some(team.clone()));
    }
    assert_eq!(
        home(&finding, &unknown_owners(), Grouping::ControlTeam),
        None
    );
    for product in [Product::GuardDuty, Product::AccessAnalyzer, Product::Macie] {
        finding.product = product;
        for grouping in [Grouping::AccountControl, Grouping::ControlTeam] {
            assert_eq!(of(&finding, grouping), None);
        }
    }
}

#[test]
fn a_finding_leaves_its_ticket_in_a_full_read_unless_people_have_dealt_with_that() {
    let open = || alone(agreed(2, Open, Notified));
    let closed = || alone(agreed(2, Closed, RESOLVED).accepted());
    let resolved = || {
        let mut state = agreed(2, Resolved, RESOLVED).accepted();
        for (_, link) in &mut state.members {
            link.decision.as_mut().unwrap().kind = DecisionKind::Resolved;
        }
        state
            .group
            .decision
            .clone_from(&state.members[0].1.decision);
        alone(state)
    };
    let rows: Vec<(Shared, &[&str])> = vec![
        (open(), &["15 Create", "15 Create", "16 Merge"]),
        (open().narrow(), &[]),
        (closed(), &[]),
        (resolved(), &[]),
        // One of them fails anew, or only its status is not settled.
        (closed().status(0, New), &["15 Create NOTIFIED f0"]),
        (
            resolved().status(0, New).is(0, "PASSED", "ACTIVE"),
            &["18 Keep RESOLVED f0"],
        ),
    ];
    for (n, (state, done)) in rows.into_iter().enumerate() {
        let plan = state.plan();
        assert_eq!(told(&plan), done, "case {n}: {plan:#?}");
    }
}

#[test]
fn a_finding_goes_to_another_ticket_only_where_that_can_be_made() {
    let team = |team: &str| {
        let mut shared = of_team(agreed(2, Open, Notified), team);
        shared.snapshot.owners = owners("PAY");
        shared
    };
    let change = |mut shared: Shared, change: &dyn Fn(&mut Snapshot)| {
        change(&mut shared.snapshot);
        shared
    };
    let quarantined = |shared, alias: &AliasKey| {
        change(shared, &|snapshot| {
            let why = "refused twice".to_owned();
            snapshot.quarantined.insert(Marker::of(alias), why);
        })
    };
    let unknown = |shared| change(shared, &|snapshot| snapshot.owners = unknown_owners());
    let unread = |shared| change(shared, &|snapshot| snapshot.tickets.clear());
    let open = || alone(agreed(2, Open, Notified));
    let payments = AliasKey::of_team("payments", "s3.8");
    let account = agreed(1, Open, Notified).group.alias;
    let rows: Vec<(Shared, &[&str])> = vec![
        (team("payments"), &[]),
        (team("payments").absent(0).absent(1), &["held not_covered"]),
        (team("web"), &["15 Create", "16 Merge"]),
        (quarantined(team("web"), &payments), &[]),
        (unknown(team("web")), &[]),
        (unknown(open()), &[]),
        (unread(open()), &["held ticket_unreadable"]),
        (quarantined(open(), &account), &["held quarantined"]),
        // What is absent, and is to have a ticket of its own, needs none.
        (
            open().absent(0),
            &["15 Create", "16 Merge", "held absent_once"],
        ),
    ];
    for (n, (state, done)) in rows.into_iter().enumerate() {
        let plan = state.plan();
        assert_eq!(told(&plan), done, "case {n}: {plan:#?}");
    }
}

/// A finding with a ticket of its own; the ticket that it would share is there, or not.
fn own(state: TicketState, w: WorkflowStatus, severity: Severity, is_there: bool) -> Shared {
    let mut ticket = agreed(1, state, w).snapshot.tickets[&1].clone();
    let mut shared = agreed(2, Open, w).accepted();
    if !is_there {
        shared.members.truncate(1);
        shared = shared.without_ticket();
    }
    let (finding, link) = &mut shared.members[0];
    finding.severity = severity;
    ticket.at.id = 2;
    link.member = None;
    link.ticket = Some(ticket.at.clone());
    link.base.as_mut().unwrap().ticket = BaseTicket::Is(state);
    shared.snapshot.tickets.insert(2, ticket);
    shared
}

#[test]
fn what_fails_joins_the_ticket_of_its_control_unless_its_own_was_dealt_with() {
    use Severity::{High, Low};
    let low = |mut shared: Shared| {
        shared.members.last_mut().unwrap().0.severity = Low;
        shared
    };
    let open = || agreed(1, Open, Notified);
    let rows: Vec<(Shared, &[&str])> = vec![
        (open().more(), &["16 Keep NOTIFIED f1"]),
        (open().more().is(1, "PASSED", "ACTIVE"), &[]),
        (low(open().more()), &[]),
        (own(Open, Notified, High, false), &["15 Create", "16 Merge"]),
        (own(Open, Notified, High, false).narrow(), &[]),
        (own(Closed, RESOLVED, High, false), &[]),
        (own(Resolved, RESOLVED, High, false), &[]),
        (
            own(Resolved, RESOLVED, High, false).status(0, New),
            &["15 Create NOTIFIED f0", "16 Merge"],
        ),
        // Alone it would get none: it keeps its own until there is one to join.
        (own(Open, Notified, Low, false), &[]),
        (own(Open, Notified, Low, true), &["16 Merge"]),
    ];
    for (n, (state, done)) in rows.into_iter().enumerate() {
        let plan = state.plan();
        assert_eq!(told(&plan), done, "case {n}: {plan:#?}");
    }
}

#[test]
fn a_shared_ticket_stays_with_its_team_while_that_answers_for_any_of_it() {
    let of = |team: &str| LinkOwner {
        team: team.to_owned(),
        project: "PAY".to_owned(),
    };
    let mut link = agreed(1, Open, Notified).group;
    let unknown = || Err("access denied".to_owned());
    assert!(owner(&link, &[]).is_err());
    assert_eq!(owner(&link, &[Ok(of("web")), Ok(of("api"))]), Ok(of("web")));
    assert_eq!(owner(&link, &[unknown(), Ok(of("api"))]), unknown());
    link.owner = Some(of("api"));
    assert_eq!(owner(&link, &[]), Ok(of("api")));
    assert_eq!(owner(&link, &[Ok(of("web")), Ok(of("api"))]), Ok(of("api")));
    assert_eq!(owner(&link, &[unknown(), Ok(of("api"))]), Ok(of("api")));
    assert_eq!(owner(&link, &[Ok(of("web"))]), Ok(of("web")));
    assert_eq!(owner(&link, &[unknown()]), unknown());
}
