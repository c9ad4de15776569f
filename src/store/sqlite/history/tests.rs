//! The counts equal a naive recount of what was written, however it is asked for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;

use super::super::Sqlite;
use crate::model::{
    AliasKey, Author, Base, BaseTicket, FindingKey, FindingState, Link, LinkOwner, RuleMatch,
    Severity, TicketRef, TicketState, WorkflowStatus,
};
use crate::store::Store;
use crate::store::history::{Days, Dimension, Flows, History, Select};
use crate::store::outbox::Stage;

const TEAMS: [&str; 3] = ["payments", "web", ""];
const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];
const REGIONS: [&str; 2] = ["eu-west-1", "us-east-1"];
const CONTROLS: [&str; 3] = ["S3.8", "IAM.3", "EC2.19"];
const ARNS: [(&str, &str); 2] = [
    (
        "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
        "securityhub",
    ),
    (
        "arn:aws:securityhub:eu-west-1::product/acme/scan",
        "acme/scan",
    ),
];
const TICKETS: [BaseTicket; 6] = [
    BaseTicket::Is(TicketState::Open),
    BaseTicket::Is(TicketState::Resolved),
    BaseTicket::Is(TicketState::Closed),
    BaseTicket::Is(TicketState::Ignored),
    BaseTicket::Deleted,
    BaseTicket::None,
];

fn start() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn open_store() -> (tempfile::TempDir, Sqlite) {
    let dir = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let store = Sqlite::open(&dir.path().join("asaf.sqlite3")).unwrap();
    (dir, store)
}

/// One write of a link's row.
#[derive(Clone, Debug)]
struct Write {
    link: usize,
    after_days: i64,
    team: usize,
    severity: usize,
    ticket: usize,
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let one = (0..8_usize, 0..9_i64, 0..3_usize, 0..5_usize, 0..6_usize).prop_map(
        |(link, after_days, team, severity, ticket)| Write {
            link,
            after_days,
            team,
            severity,
            ticket,
        },
    );
    proptest::collection::vec(one, 1..60)
}

/// The link as a run would write it; which account, Region, control and product it is about follows from its number.
fn link(write: &Write, at: Timestamp) -> Link {
    let n = write.link;
    let alias = AliasKey {
        account: ACCOUNTS[n % 3].to_owned(),
        region: REGIONS[n % 2].to_owned(),
        rule: CONTROLS[n / 3].to_lowercase(),
        resource: format!("r{n}"),
    };
    let mut link = Link::new(alias, Severity::WORST_FIRST[write.severity]);
    link.rule = CONTROLS[n / 3].to_owned();
    link.track(FindingKey {
        product_arn: ARNS[n / 4].0.to_owned(),
        id: format!("f{n}"),
    });
    let team = TEAMS[write.team];
    link.owner = (!team.is_empty()).then(|| LinkOwner {
        team: team.to_owned(),
        project: "SEC".to_owned(),
    });
    link.opened_at = Some(at - SignedDuration::from_hours(50));
    link.base = Some(Base {
        ticket: TICKETS[write.ticket],
        workflow: WorkflowStatus::Notified,
        workflow_by: Author::Ours,
        finding: FindingState::Failing,
        episode: 1,
        episode_started_at: at,
        first_observed_at: None,
    });
    link
}

/// What the writes mean, counted by hand: (day, team, severity, link, flows).
#[derive(Default)]
struct Recount {
    last: BTreeMap<usize, (BaseTicket, usize, usize)>,
    events: Vec<(Date, usize, usize, usize, Flows)>,
}

impl Recount {
    fn take(&mut self, write: &Write, day: Date) {
        let open = BaseTicket::Is(TicketState::Open);
        let is = TICKETS[write.ticket];
        let first = (BaseTicket::None, write.team, write.severity);
        let (was, team, severity) = self.last.get(&write.link).copied().unwrap_or(first);
        let mut note = |team, severity, flows| {
            self.events.push((day, team, severity, write.link, flows));
        };
        let moved = |moved| Flows {
            moved,
            ..Flows::default()
        };
        if was == open && (team, severity) != (write.team, write.severity) {
            note(team, severity, moved(-1));
            note(write.team, write.severity, moved(1));
        }
        let mut flows = Flows::default();
        match (was == open, is) {
            (true, BaseTicket::None) => flows.removed = 1,
            (true, BaseTicket::Deleted) => flows.deleted = 1,
            (true, BaseTicket::Is(TicketState::Ignored)) => flows.ignored = 1,
            (true, BaseTicket::Is(TicketState::Resolved | TicketState::Closed)) => flows.fixed = 1,
            (false, _) if is == open && matches!(was, BaseTicket::Is(_)) => flows.reopened = 1,
            (false, _) if is == open => flows.new = 1,
            _ => {}
        }
        note(write.team, write.severity, flows);
        self.last
            .insert(write.link, (is, write.team, write.severity));
    }

    /// The flows that fit, by the name of a dimension.
    fn flows(&self, select: &Select, days: Days, by: Option<Dimension>) -> BTreeMap<String, Flows> {
        let mut found = BTreeMap::new();
        for (day, team, severity, link, flows) in &self.events {
            let fits = Dimension::ALL.iter().all(|one| {
                let asked = select.of(*one);
                asked.is_empty() || asked.iter().any(|name| name == value(*one, *team, *link))
            });
            let severity = Severity::WORST_FIRST[*severity];
            let severe = select.severity.is_empty() || select.severity.contains(&severity);
            let in_time = days.from.is_none_or(|from| *day >= from) && *day <= days.to;
            if fits && severe && in_time && !flows.is_empty() {
                let name = by.map_or("", |by| value(by, *team, *link));
                *found.entry(name.to_owned()).or_insert_with(Flows::default) += *flows;
            }
        }
        found
    }

    fn open(&self) -> u64 {
        let open = BaseTicket::Is(TicketState::Open);
        self.last.values().filter(|(is, ..)| *is == open).count() as u64
    }
}

fn value(dimension: Dimension, team: usize, link: usize) -> &'static str {
    match dimension {
        Dimension::Team => TEAMS[team],
        Dimension::Account => ACCOUNTS[link % 3],
        Dimension::Region => REGIONS[link % 2],
        Dimension::Product => ARNS[link / 4].1,
        Dimension::Control => CONTROLS[link / 3],
    }
}

/// What a lead may ask for.
fn questions() -> Vec<Select> {
    let names =
        |names: &[&str]| -> Vec<String> { names.iter().map(|&one| one.to_owned()).collect() };
    let everything = Select::default();
    vec![
        everything.clone(),
        Select {
            team: names(&["web"]),
            ..everything.clone()
        },
        Select {
            account: names(&ACCOUNTS[..2]),
            ..everything.clone()
        },
        Select {
            severity: vec![Severity::Critical, Severity::Low],
            ..everything.clone()
        },
        Select {
            region: names(&["us-east-1"]),
            product: names(&["securityhub"]),
            ..everything.clone()
        },
        Select {
            region: names(&["us-east-1"]),
            ..everything.clone()
        },
        Select {
            product: names(&["securityhub", "acme/scan"]),
            severity: vec![Severity::High, Severity::Medium],
            ..everything.clone()
        },
        Select {
            control: names(&["IAM.3"]),
            team: names(&["payments", ""]),
            severity: vec![Severity::High],
            ..everything
        },
    ]
}

/// Rows without flows that cancel out.
fn summed(rows: Vec<crate::store::history::FlowRow>) -> BTreeMap<String, Flows> {
    let mut found = BTreeMap::new();
    for row in rows {
        *found.entry(row.name).or_insert_with(Flows::default) += row.flows;
    }
    found
}

fn without_nothing(mut found: BTreeMap<String, Flows>) -> BTreeMap<String, Flows> {
    found.retain(|_, flows| !flows.is_empty());
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_counts_equal_a_recount_of_every_write(writes in writes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_dir, store) = open_store();
            let mut recount = Recount::default();
            let mut at = start();
            for write in &writes {
                at += SignedDuration::from_hours(24 * write.after_days);
                let row = link(write, at);
                store.put_links(&[row.clone(), row], at).await.unwrap();
                recount.take(write, jiff::tz::TimeZone::UTC.to_datetime(at).date());
            }
            let to = jiff::tz::TimeZone::UTC.to_datetime(at).date();
            let first = jiff::tz::TimeZone::UTC.to_datetime(start()).date();
            for select in questions() {
                for (from, to) in [(None, to), (Some(first + 20.days()), to), (Some(first + 5.days()), first + 60.days())] {
                    let days = Days { from, to };
                    for by in std::iter::once(None).chain(Dimension::ALL.map(Some)) {
                        let expected = without_nothing(recount.flows(&select, days, by));
                        for weekly in [false, true] {
                            let said = store.flows(&select, days, by, weekly).await.unwrap();
                            prop_assert_eq!(&without_nothing(summed(said)), &expected, "{:?} {:?} {:?} weekly {}", select, days, by, weekly);
                        }
                        let took = store.took(&select, days, by).await.unwrap();
                        let took: u64 = took.iter().map(|row| row.count).sum();
                        let fixed: i64 = expected.values().map(|flows| flows.fixed).sum();
                        prop_assert_eq!(i64::try_from(took).unwrap(), fixed);
                    }
                }
            }
            let standing = store.standing(&Select::default(), None).await.unwrap();
            let open = standing.iter().filter(|row| row.stage == Stage::Open);
            let open: u64 = open.map(|row| row.count).sum();
            let days = Days { from: None, to };
            let net: i64 = summed(store.flows(&Select::default(), days, None, false).await.unwrap())
                .values().map(Flows::net).sum();
            prop_assert_eq!((open, i64::try_from(open).unwrap()), (recount.open(), net));
            Ok(())
        })?;
    }
}

fn write(link: usize, ticket: usize) -> Write {
    Write {
        link,
        after_days: 0,
        team: 0,
        severity: 1,
        ticket,
    }
}

#[tokio::test]
async fn a_ticket_from_before_is_no_new_one() {
    let (_dir, store) = open_store();
    let mut adopted = link(&write(0, 0), start());
    adopted.ticket = Some(TicketRef {
        id: 7,
        key: "SEC-7".into(),
    });
    let unagreed = Link {
        base: None,
        ..adopted.clone()
    };
    store.put_links(&[unagreed], start()).await.unwrap();
    store.put_links(&[adopted], start()).await.unwrap();
    let to = Date::constant(2026, 3, 2);
    let rows = store
        .flows(&Select::default(), Days { from: None, to }, None, false)
        .await
        .unwrap();
    assert_eq!(
        rows[0].flows,
        Flows {
            adopted: 1,
            ..Flows::default()
        }
    );
    assert_eq!(store.first_day().await.unwrap(), Some(to));
}

#[tokio::test]
async fn what_a_rule_hides_is_counted_by_rule_while_it_fails() {
    let (_dir, store) = open_store();
    let mut hidden = link(&write(0, 3), start());
    hidden.ignored_by = Some(RuleMatch {
        rule: "public-site".to_owned(),
        reason: "The site is public.".to_owned(),
        expires: Date::constant(2027, 1, 1),
        origin: None,
    });
    store
        .put_links(std::slice::from_ref(&hidden), start())
        .await
        .unwrap();
    let rows = store
        .hidden(&Select::default(), Some(Dimension::Account))
        .await
        .unwrap();
    let said: Vec<_> = rows
        .iter()
        .map(|row| (row.rule.as_str(), row.name.as_str(), row.count))
        .collect();
    assert_eq!(said, [("public-site", "111111111111", 1)]);
    hidden.base.as_mut().unwrap().finding = FindingState::Passing;
    store.put_links(&[hidden], start()).await.unwrap();
    assert!(
        store
            .hidden(&Select::default(), None)
            .await
            .unwrap()
            .is_empty()
    );
}
