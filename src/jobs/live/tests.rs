#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::ended::{Ended, again, ended};
use super::schedule::Schedule;
use crate::apply::{Applied, Failure};
use crate::jobs::reconcile::{LookedAt, Report, Requests, Wish};
use crate::model::{FindingKey, Marker, Severity};
use crate::plan::{Held, HeldReason, Plan, Subject};
use crate::store::queue::{Finished, Leased, WorkKey};

const QUARANTINE: SignedDuration = SignedDuration::from_mins(10);

fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
}

fn marker() -> Marker {
    Marker("asaf-00".to_owned())
}

fn item(attempts: u32) -> Leased {
    Leased {
        key: WorkKey::Ticket(7),
        fence: 1,
        generation: 1,
        attempts,
    }
}

/// A run that looked at ticket 7.
fn report(applied: Applied, held: Option<HeldReason>) -> Report {
    let held = held.map(|why| Held {
        marker: marker(),
        subject: Subject {
            finding: FindingKey {
                product_arn: String::new(),
                id: "f".to_owned(),
            },
            account: String::new(),
            other_accounts: Vec::new(),
            account_name: None,
            region: String::new(),
            severity: Severity::High,
            rule: String::new(),
            title: String::new(),
            resource: String::new(),
            ticket: None,
            team: "payments".to_owned(),
            project: "PAY".to_owned(),
        },
        why,
    });
    Report {
        run: String::new(),
        kind: "named",
        digest: String::new(),
        plan: Plan {
            held: held.into_iter().collect(),
            ..Plan::default()
        },
        braked: None,
        applied: Some(applied),
        told: None,
        seconds: 0.0,
        requests: Requests::default(),
        floor: Requests::default(),
        strays: Vec::new(),
        paused: Vec::new(),
        advisory: Default::default(),
        looked_at: LookedAt {
            tickets: BTreeMap::from([(7, marker())]),
            ..LookedAt::default()
        },
        rules: std::sync::Arc::default(),
    }
}

fn how(applied: Applied, held: Option<HeldReason>) -> Ended {
    ended(&item(0), &report(applied, held), QUARANTINE, 0.5, at(0))
}

fn failed(outage: bool) -> Applied {
    Applied {
        failures: vec![Failure {
            marker: marker(),
            subject: String::new(),
            what: String::new(),
            why: "no".to_owned(),
            outage,
        }],
        ..Applied::default()
    }
}

fn later(minutes: i64) -> Ended {
    Ended::So(Finished::Later { at: at(minutes) })
}

#[test]
fn an_item_is_done_or_comes_back_when_something_can_have_changed() {
    let done = Ended::So(Finished::Done);
    let key = || "SEC-1".to_owned();
    let nothing = Applied::default;
    assert_eq!(how(nothing(), None), done);
    let until = at(9);
    for (held, expected) in [
        (HeldReason::HoldDown { until }, later(9)),
        (HeldReason::IntentInDoubt { since: at(0) }, later(10)),
        (HeldReason::TicketNotFoundOnce { key: key() }, later(2)),
        (HeldReason::MoverUnknown { key: key() }, later(5)),
        (HeldReason::ReviewersUnknown { key: key() }, later(5)),
        (HeldReason::WriterUnknown, later(5)),
        (HeldReason::NotCovered, Ended::So(Finished::Done)),
        (
            HeldReason::Quarantined { why: key() },
            Ended::So(Finished::Done),
        ),
    ] {
        assert_eq!(how(nothing(), Some(held.clone())), expected, "{held:?}");
    }
    let unfinished = Applied {
        unfinished: [marker()].into(),
        ..Applied::default()
    };
    assert_eq!(how(unfinished, None), later(0));
    assert_eq!(how(failed(true), None), later(1));
    let stranger = Leased {
        key: WorkKey::Ticket(8),
        ..item(0)
    };
    let report = report(failed(false), None);
    assert_eq!(ended(&stranger, &report, QUARANTINE, 0.5, at(0)), done);
}

#[test]
fn a_failed_item_waits_four_times_as_long_each_time_and_never_above_an_hour() {
    let wait = |attempts, jitter| match again(&item(attempts), "no".to_owned(), jitter, at(0)) {
        Finished::Again { at, why } => {
            assert_eq!(why, "no");
            at.duration_since(Timestamp::UNIX_EPOCH).as_secs()
        }
        other => panic!("{other:?}"),
    };
    let waits: Vec<i64> = (0..6).map(|attempts| wait(attempts, 0.5)).collect();
    assert_eq!(waits, [15, 60, 240, 960, 3600, 3600]);
    assert_eq!(wait(u32::MAX, 0.5), 3600);
    assert!(wait(3, 0.0) < wait(3, 0.5) && wait(3, 0.5) < wait(3, 0.999));
    let Ended::So(Finished::Again { at: first, .. }) = how(failed(false), None) else {
        panic!("a refused write is tried again");
    };
    assert_eq!(first.duration_since(at(0)).as_secs(), 15);
}

#[test]
fn runs_come_at_their_times_and_failing_ones_do_not_keep_the_queue_waiting() {
    let day = SignedDuration::from_hours(24);
    let mut schedule = Schedule::new(day, SignedDuration::from_mins(10));
    let hours = |n: i64| at(n * 60);
    assert_eq!(schedule.choose(at(0), None, None), Some(Wish::Full));
    // Started on a known store: what was missed comes first, then nothing for ten minutes.
    let last = Some(hours(-5));
    assert_eq!(schedule.choose(at(0), last, None), Some(Wish::Incremental));
    schedule.began(&Wish::Incremental, at(0));
    schedule.ended(&report(Applied::default(), None), at(0));
    assert_eq!(schedule.choose(at(9), last, None), None);
    assert_eq!(schedule.choose(at(10), last, None), Some(Wish::Incremental));
    schedule.began(&Wish::Incremental, at(10));
    assert_eq!(schedule.choose(at(11), last, None), None, "it has failed");
    // A day after the last, or when somebody asks, everything is read; an hour later again, if that failed.
    assert_eq!(schedule.choose(hours(19), last, None), Some(Wish::Full));
    let asked = Some(hours(-4));
    assert_eq!(schedule.choose(at(11), last, asked), Some(Wish::Full));
    schedule.began(&Wish::Full, hours(19));
    let soon = hours(19) + SignedDuration::from_mins(5);
    assert_eq!(schedule.choose(soon, last, None), None);
    assert_eq!(schedule.choose(hours(20), last, None), Some(Wish::Full));
}

#[test]
fn waits_after_failures_double_up_to_five_minutes_and_end_with_a_success() {
    let mut schedule = Schedule::new(
        SignedDuration::from_hours(24),
        SignedDuration::from_mins(10),
    );
    let waits: Vec<i64> = (0..9)
        .map(|_| schedule.failed(at(0), 0.5).duration_since(at(0)).as_secs())
        .collect();
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    assert!(schedule.is_waiting(at(4)) && !schedule.is_waiting(at(5)));
    schedule.went_well();
    assert_eq!(
        schedule.failed(at(0), 0.5).duration_since(at(0)).as_secs(),
        5
    );
}
