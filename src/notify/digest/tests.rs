//! When digests are due, and numbers against a slow recount.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::numbers::{All, Flows, Source, count};
use super::*;
use crate::config::{Config, Day, DigestAt};
use crate::model::{
    AliasKey, Author, Base, BaseTicket, FindingState, Link, Severity, TicketRef, TicketState,
    WorkflowStatus,
};
use crate::store::outbox::{Stage, TicketChange};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn digests_are_due_once_a_week_at_the_teams_own_time() {
    let notices = Notices {
        timezone: "Asia/Tokyo".into(),
        digest: DigestAt {
            weekday: Day::Monday,
            time: jiff::civil::Time::constant(9, 0, 0, 0),
        },
        ..Notices::default()
    };
    // Monday 09:00 in Tokyo is midnight in UTC.
    let monday = at("2026-11-30T00:00:00Z");
    let minute = SignedDuration::from_mins(1);
    assert_eq!(last_due(&notices, monday), monday);
    assert_eq!(
        last_due(&notices, monday - minute),
        at("2026-11-23T00:00:00Z")
    );
    assert!(due(&notices, monday, Some(monday - minute)));
    assert!(!due(&notices, monday + minute, Some(monday)));
    assert!(
        due(&notices, monday + minute * 60 * 50, Some(monday - minute)),
        "two days late is better than never"
    );
    assert!(due(&notices, monday, None));
    assert!(
        !due(&notices, monday + minute * 60 * 30, None),
        "a new installation waits for its day"
    );
    assert_eq!(edition(&notices, monday - minute).to_string(), "2026-11-23");
    assert_eq!(edition(&notices, monday).to_string(), "2026-11-30");
}

const TEXT: &str = r#"
[aws]
region = "eu-west-1"
[jira]
url = "https://jira.example"
email = "a@b"
token = "env:X"
reviewers = { group = "g" }
[sla]
[owners]
default = { team = "security", project = "SEC" }
[[owners.rules]]
accounts = ["000000000001"]
team = "payments"
project = "PAY"
"#;

fn config() -> Config {
    Config::parse(TEXT, Path::new("asaf.toml")).unwrap()
}

#[derive(Clone, Copy, Debug)]
enum Step {
    To(u8, Stage, Severity),
    Wait(u8),
}

fn stages() -> impl Strategy<Value = Step> {
    let stage = prop::sample::select(vec![
        Stage::None,
        Stage::Open,
        Stage::Open,
        Stage::Resolved,
        Stage::Closed,
        Stage::Ignored,
        Stage::Deleted,
        Stage::Merged,
    ]);
    let severity = prop::sample::select(vec![Severity::Critical, Severity::High, Severity::Medium]);
    prop_oneof![
        4 => (0_u8..8, stage, severity).prop_map(|(n, stage, severity)| Step::To(n, stage, severity)),
        1 => (1_u8..60).prop_map(Step::Wait),
    ]
}

fn link(n: u8, stage: Stage, severity: Severity, now: Timestamp) -> Link {
    let alias = AliasKey {
        account: format!("{:012}", n % 2),
        region: "eu-west-1".into(),
        rule: "s3.8".into(),
        resource: n.to_string(),
    };
    let mut link = Link::new(alias, severity);
    let ticket = match stage {
        Stage::Open => BaseTicket::Is(TicketState::Open),
        Stage::Resolved => BaseTicket::Is(TicketState::Resolved),
        Stage::Closed => BaseTicket::Is(TicketState::Closed),
        Stage::Ignored => BaseTicket::Is(TicketState::Ignored),
        Stage::Deleted => BaseTicket::Deleted,
        Stage::None | Stage::Merged | Stage::Adopted => BaseTicket::None,
    };
    link.ticket = Some(TicketRef {
        id: u64::from(n),
        key: format!("PAY-{n}"),
    });
    link.opened_at = Some(now);
    link.base = Some(Base {
        ticket,
        workflow: WorkflowStatus::Notified,
        workflow_by: Author::Ours,
        finding: FindingState::Failing,
        episode: 1,
        episode_started_at: now,
        first_observed_at: None,
    });
    link
}

/// The tickets as they were at one time.
type State = BTreeMap<u8, (Stage, Severity)>;

/// What happened, replayed forwards: the state of every ticket at every time.
struct World {
    now: Timestamp,
    state: State,
    changes: Vec<TicketChange>,
    past: Vec<(Timestamp, State)>,
}

impl World {
    fn new() -> Self {
        World {
            now: at("2026-09-01T09:00:00Z"),
            state: BTreeMap::new(),
            changes: Vec::new(),
            past: Vec::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Wait(hours) => {
                self.past.push((self.now, self.state.clone()));
                self.now += SignedDuration::from_hours(i64::from(hours));
            }
            Step::To(n, became, severity) => {
                let (was, severity_was) = self
                    .state
                    .get(&n)
                    .copied()
                    .unwrap_or((Stage::None, severity));
                if (was, severity_was) == (became, severity) {
                    return;
                }
                self.state.insert(n, (became, severity));
                self.changes.push(TicketChange {
                    seq: i64::try_from(self.changes.len()).unwrap(),
                    marker: link(n, became, severity, self.now).marker,
                    at: Some(self.now),
                    was,
                    severity_was,
                    became,
                    severity,
                    episode: 1,
                    account: format!("{:012}", n % 2),
                    rule: "s3.8".into(),
                });
            }
        }
    }

    fn count(&self) -> All {
        let links: Vec<Link> = self
            .state
            .iter()
            .map(|(n, (stage, severity))| link(*n, *stage, *severity, self.now))
            .collect();
        count(&Source {
            config: &config(),
            links: &links,
            changes: &self.changes,
            counting_since: self.changes.first().and_then(|change| change.at),
            now: self.now,
        })
    }

    /// Open tickets of a team by severity at a time, looked up in the recorded past.
    fn open_at(&self, when: Timestamp, team: u8) -> BTreeMap<Severity, u64> {
        let recorded = self.past.iter().rev().find(|(at, _)| *at <= when);
        let state = if when >= self.now {
            Some(&self.state)
        } else {
            recorded.map(|(_, state)| state)
        };
        let mut open = BTreeMap::new();
        for (n, (stage, severity)) in state.into_iter().flatten() {
            if n % 2 == team && *stage == Stage::Open {
                *open.entry(*severity).or_default() += 1;
            }
        }
        open
    }
}

fn sum(flows: &Flows) -> i64 {
    let plus = flows.new + flows.again + flows.split;
    let away = flows.ignored + flows.deleted_by_people + flows.merged;
    let minus = flows.done + flows.gone + away;
    i64::try_from(plus).unwrap() - i64::try_from(minus).unwrap()
}

proptest! {
    #[test]
    fn numbers_equal_a_recount_of_what_happened(steps in prop::collection::vec(stages(), 1..120)) {
        let mut world = World::new();
        steps.into_iter().for_each(|step| world.step(step));
        let all = world.count();
        let week = world.now - SignedDuration::from_hours(24 * 7);
        for (team, name) in [(0, "security"), (1, "payments")] {
            let numbers = &all.teams[name];
            for severity in [Severity::Critical, Severity::High, Severity::Medium] {
                let (now, then) = numbers.open.get(&severity).copied().unwrap_or_default();
                let recount = |when| world.open_at(when, team).get(&severity).copied().unwrap_or(0);
                prop_assert_eq!(now, recount(world.now), "now, {} {:?}", name, severity);
                prop_assert_eq!(then, recount(week), "then, {} {:?}", name, severity);
            }
            let change = i64::try_from(numbers.open_now()).unwrap() - i64::try_from(numbers.open_then()).unwrap();
            prop_assert_eq!(change, sum(&numbers.flows), "the flows add up for {}", name);
            for (n, day) in numbers.trend.days.iter().enumerate() {
                let back = numbers.trend.days.len() - 1 - n;
                let when = world.now - SignedDuration::from_hours(24 * i64::try_from(back).unwrap());
                let recount: u64 = world.open_at(when, team).values().sum();
                prop_assert_eq!(numbers.trend.total(n), recount, "{} on {}", name, day);
            }
        }
    }
}

#[test]
fn an_adopted_ticket_was_open_all_along() {
    let mut world = World::new();
    world.step(Step::To(1, Stage::Open, Severity::High));
    world.changes[0].was = Stage::Adopted;
    world.step(Step::Wait(60));
    let numbers = world.count().teams["payments"].clone();
    assert_eq!(numbers.flows, Flows::default());
    assert_eq!((numbers.open_now(), numbers.open_then()), (1, 1));
}
