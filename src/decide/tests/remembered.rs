//! What the link of a finding that shares a ticket remembers of what was done.

use super::shared::{Shared, agreed, next, told};
use super::*;

/// Who set the status that both sides agree on now, and which it is.
fn status(state: Shared) -> (WorkflowStatus, String) {
    let plan = state.plan();
    let base = next(&plan, 0).unwrap().base.clone().unwrap();
    let by = match base.workflow_by {
        Author::Ours => "us".to_owned(),
        Author::Aws => "AWS".to_owned(),
        Author::Theirs { identity, .. } => identity,
    };
    (base.workflow, by)
}

#[test]
fn it_is_who_set_the_status() {
    let open = || agreed(2, Open, Notified);
    let by_aws = |mut state: Shared| {
        state.members[0].1.base.as_mut().unwrap().workflow_by = Author::Aws;
        state
    };
    let us = |w| (w, "us".to_owned());
    let resolved = |state: Shared| status(state.ticket(Resolved, TEAM));
    assert_eq!(resolved(open()), us(RESOLVED));
    assert_eq!(resolved(by_aws(open())), us(RESOLVED));
    assert_eq!(resolved(open().set_by_hand(0, New, 14)), us(RESOLVED));
    // Who hid one of two findings of a resource has hidden the resource; a rule hides it whoever else did.
    let hidden = || {
        let kim = |state: Shared, n| state.set_by_hand(n, Suppressed, 16);
        kim(kim(open(), 0), 1).twin(0, Notified)
    };
    assert_eq!(
        told(&hidden().plan()),
        ["9 Move { to: Ignored } SUPPRESSED f0-twin"]
    );
    assert_eq!(status(hidden()), (Suppressed, "kim".to_owned()));
    assert_eq!(status(hidden().rule(0).rule(1)), us(Suppressed));
    // A note that names another ticket is ours when it is corrected.
    let mut misnamed = by_aws(open());
    misnamed.members[0].0.noted_ticket = Some("SEC-9".to_owned());
    assert_eq!(status(misnamed), us(Notified));
}

#[test]
fn a_write_is_on_its_way_for_those_that_it_names() {
    let plan = agreed(2, Open, Notified)
        .is(1, "PASSED", "ACTIVE")
        .status(1, RESOLVED)
        .twin(0, New)
        .ticket(Resolved, TEAM)
        .plan();
    assert_eq!(told(&plan), ["6 Keep RESOLVED f0 f0-twin"]);
    let write = next(&plan, 0).unwrap().in_flight.as_ref().unwrap();
    assert_eq!((write.workflow, write.at), (RESOLVED, t(20)));
    assert!(write.showed(New) && write.showed(Notified));
    assert_eq!(next(&plan, 1).unwrap().in_flight, None);
}

/// Each finding has episodes of its own: what is accepted is the one that it is in.
#[test]
fn a_decision_is_about_the_episode_of_each() {
    let mut closed = agreed(2, Resolved, RESOLVED).ticket(Closed, REVIEWER);
    closed.members[1].1.base.as_mut().unwrap().episode = 3;
    let plan = closed.plan();
    let accepted = |n| {
        let decision = next(&plan, n).unwrap().decision.as_ref().unwrap();
        (decision.by.as_str(), decision.at, decision.episode)
    };
    assert_eq!(
        [accepted(0), accepted(1)],
        [(REVIEWER, t(15), 1), (REVIEWER, t(15), 3)]
    );
}

#[test]
fn what_goes_its_own_way_and_gives_up_its_ticket_has_one_row() {
    let mut joins = agreed(2, Open, Notified).set_by_hand(0, Suppressed, 16);
    let own = TicketRef {
        id: 2,
        key: "SEC-2".to_owned(),
    };
    let mut ticket = joins.snapshot.tickets[&1].clone();
    ticket.at = own.clone();
    joins.snapshot.tickets.insert(2, ticket);
    let (_, link) = &mut joins.members[0];
    (link.member, link.ticket) = (None, Some(own));
    let plan = joins.plan();
    assert_eq!(told(&plan)[0], "16 Merge");
    let member = next(&plan, 0).unwrap().member.as_ref().unwrap();
    assert_eq!(
        member.standing.sentence(),
        "suppressed in Security Hub by kim"
    );
}

#[test]
fn what_hands_hide_in_one_ticket_counts_once() {
    let kim = |state: Shared, n| state.set_by_hand(n, Suppressed, 16);
    let hidden = kim(kim(agreed(2, Open, Notified), 0), 1);
    assert_eq!(hidden.plan().seen.hidden_by_hand, 1);
    let one = kim(agreed(2, Open, Notified), 0);
    assert_eq!(one.plan().seen.hidden_by_hand, 0);
}
