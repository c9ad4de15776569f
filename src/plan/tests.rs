//! The plan in numbers, and what brakes and pauses take out of it.
#![allow(clippy::unwrap_used)]

mod wording;

use jiff::Timestamp;

use super::limits::{Braked, Earlier, Limits, brake, is_removal};
use super::paused::{covers, hold};
use super::*;
use crate::model::{
    FindingKey, FindingState, Marker, Pause, PauseScope, Severity, TicketState, WorkflowStatus,
};

/// Of a finding in account 123456789012 with the ticket PAY-1.
pub(super) fn action(row: u8, ticket: TicketStep, comment: bool, status: bool) -> Action {
    let finding = FindingKey {
        product_arn: "arn:aws:securityhub:eu-west-1::product/aws/securityhub".to_owned(),
        id: "f".to_owned(),
    };
    Action {
        marker: Marker("asaf-0".to_owned()),
        row,
        reason: Reason::Verified,
        subject: Subject {
            finding: finding.clone(),
            account: "123456789012".to_owned(),
            other_accounts: Vec::new(),
            account_name: None,
            region: "eu-west-1".to_owned(),
            severity: Severity::High,
            rule: "S3.8".to_owned(),
            title: String::new(),
            resource: "arn:aws:s3:::logs".to_owned(),
            ticket: Some("PAY-1".to_owned()),
            team: "payments".to_owned(),
            project: "PAY".to_owned(),
        },
        expect: Expect {
            finding: FindingState::Passing,
            ticket: Some(TicketState::Resolved),
            workflow: Some(WorkflowStatus::Notified),
        },
        ticket,
        comment: comment.then(|| "key".to_owned()),
        workflow: status.then(|| WorkflowStep {
            corrects: false,
            findings: vec![finding],
            to: WorkflowStatus::Resolved,
        }),
        alerts: Vec::new(),
        waits_for: Vec::new(),
        members: Vec::new(),
        after: None,
    }
}

const fn to(state: TicketState) -> TicketStep {
    TicketStep::Move { to: state }
}

/// So many actions of each step, with markers of their own.
fn plan(steps: &[(TicketStep, usize)]) -> Plan {
    let mut plan = Plan::default();
    for (step, times) in steps {
        for _ in 0..*times {
            let mut action = action(4, *step, false, false);
            action.marker = Marker(format!("asaf-{}", plan.actions.len()));
            plan.actions.push(action);
        }
    }
    plan
}

#[test]
fn each_action_counts_once_by_what_happens_to_its_ticket() {
    let mut plan = plan(&[
        (TicketStep::Create, 1),
        (TicketStep::Replace, 1),
        (to(TicketState::Open), 3),
        (to(TicketState::Resolved), 4),
        (to(TicketState::Closed), 4),
        (TicketStep::Merge, 1),
        (to(TicketState::Ignored), 6),
        (TicketStep::Delete, 7),
        (TicketStep::Update, 3),
        (TicketStep::Transfer, 2),
        (TicketStep::Label, 1),
        (TicketStep::Keep, 10),
    ]);
    assert!(!plan.is_empty());
    for _ in 0..2 {
        plan.actions.push(action(6, TicketStep::Keep, true, true));
    }
    for _ in 0..9 {
        plan.actions
            .push(action(2, to(TicketState::Open), true, false));
    }
    let first = plan.actions[0].clone();
    plan.held = vec![Held {
        marker: first.marker,
        subject: first.subject,
        why: HeldReason::NoRow,
    }];
    let sum = Summary {
        created: 2,
        reopened: 3,
        resolved: 4,
        closed: 5,
        ignored: 6,
        deleted: 7,
        updated: 8,
        reverted: 9,
        status_only: 10,
        held: 1,
    };
    assert_eq!(plan.summary(), sum);
    assert!(Plan::default().is_empty());
}

#[test]
fn a_close_a_deletion_and_a_suppression_are_removals_unless_they_undo() {
    let removes = |row, step| is_removal(&action(row, step, false, false));
    for step in [
        TicketStep::Delete,
        TicketStep::Merge,
        to(TicketState::Closed),
        to(TicketState::Ignored),
    ] {
        assert!(removes(4, step) && !removes(2, step), "{step:?}");
    }
    for step in [
        TicketStep::Keep,
        TicketStep::Create,
        TicketStep::Update,
        to(TicketState::Open),
        to(TicketState::Resolved),
    ] {
        assert!(!removes(4, step), "{step:?}");
    }
    let mut status = action(5, TicketStep::Keep, false, true);
    assert!(!is_removal(&status));
    status.workflow.as_mut().unwrap().to = WorkflowStatus::Suppressed;
    assert!(is_removal(&status));
}

#[test]
fn the_brake_takes_out_removals_above_both_limits_and_what_waits_for_them() {
    let limits = Limits {
        removals_percent: 10,
        removals: 3,
    };
    let braked = |removals, live, earlier: Earlier| {
        let mut plan = plan(&[(TicketStep::Delete, removals), (TicketStep::Create, 2)]);
        plan.seen.live_tickets = live;
        plan.actions[removals].waits_for = vec![Marker("asaf-0".to_owned())];
        let braked = brake(&mut plan, limits, earlier);
        (braked, plan.actions.len(), plan.held.len())
    };
    let of = |removals, of| Some(Braked { removals, of });
    let none = Earlier::default();
    // The create that waits goes with the deletion that it waits for.
    assert_eq!(braked(4, 39, none), (of(4, 39), 1, 5));
    assert_eq!(braked(4, 40, none), (None, 6, 0));
    assert_eq!(braked(3, 1, none), (None, 5, 0));
    assert_eq!(braked(0, 0, none), (None, 2, 0));
    let earlier = Earlier {
        removals: 3,
        live_tickets: Some(30),
    };
    assert_eq!(braked(1, 1000, earlier), (of(4, 30), 1, 2));
}

#[test]
fn a_pause_holds_the_writes_of_its_account_and_project_and_what_waits_for_them() {
    let pause = |scope| Pause {
        scope,
        why: "a migration".to_owned(),
        by: "robin".to_owned(),
        since: Timestamp::UNIX_EPOCH,
    };
    let account = |id: &str| pause(PauseScope::Account(id.to_owned()));
    let project = |key: &str| pause(PauseScope::Project(key.to_owned()));
    let there = action(4, TicketStep::Delete, false, false);
    let covered = |pause: &Pause, action: &Action| covers(pause, action);
    assert!(covered(&pause(PauseScope::All), &there));
    assert!(covered(&account("123456789012"), &there));
    assert!(!covered(&account("210987654321"), &there));
    assert!(covered(&project("PAY"), &there));
    // A ticket that goes to another project, or that a person moved there.
    let mut moved = there.clone();
    moved.subject.project = "WEB".to_owned();
    assert!(!covered(&project("WEB"), &moved));
    moved.ticket = TicketStep::Replace;
    assert!(covered(&project("WEB"), &moved) && covered(&project("PAY"), &moved));
    let mut new = moved.clone();
    new.subject.ticket = None;
    assert!(covered(&project("WEB"), &new) && !covered(&project("PAY"), &new));
    new.ticket = TicketStep::Keep;
    assert!(covered(&project("WEB"), &new));
    let mut shared = there.clone();
    shared.subject.other_accounts = vec!["210987654321".to_owned()];
    assert!(covered(&account("210987654321"), &shared));

    let mut plan = plan(&[(TicketStep::Delete, 1), (TicketStep::Create, 2)]);
    plan.actions[0].subject.account = "210987654321".to_owned();
    plan.actions[1].waits_for = vec![Marker("asaf-0".to_owned())];
    hold(&mut plan, &[]);
    assert_eq!((plan.actions.len(), plan.held.len()), (3, 0));
    hold(&mut plan, &[account("210987654321")]);
    let held: Vec<&str> = plan.held.iter().map(|held| held.marker.as_str()).collect();
    assert_eq!((plan.actions.len(), held), (1, vec!["asaf-0", "asaf-1"]));
    let paused = |held: &Held| matches!(&held.why, HeldReason::Paused { by, .. } if by == "robin");
    assert!(plan.held.iter().all(paused));
}
