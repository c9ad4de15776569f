//! A year of invented history in a store: 30 accounts are taken in over five months until 728 tickets are open; in the six
//! months that follow 132 are left. It is written as runs write it, day by day, so that every figure is computed as ever.
//!
//! Nothing of it was ever found or fixed: run ids, reasons and the folder's own note say so.

mod people;

pub(super) use people::ACCOUNTS;
pub use people::config_text;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::emulators::world::seed::Dice;
use crate::jobs::reconcile::{LAST_FULL, LAST_READ};
use crate::model::{
    BaseTicket, FindingState, Link, RuleMatch, TicketRef, TicketState, WorkflowStatus,
};
use crate::plan::Summary;
use crate::store::organisation::OrganisationMemory as _;
use crate::store::outbox::{Folding, Outbox as _};
use crate::store::rules::RuleMemory as _;
use crate::store::sqlite::Sqlite;
use crate::store::{AuditEntry, Run, Store as _, StoreError, Tombstone};
use crate::talk::{Talk, plain};

/// Days of history.
const DAYS: i64 = 365;
/// The day on which most tickets are open.
const PEAK: i64 = 183;
/// Open on that day.
pub(super) const MOST: usize = 728;
/// Open at the end.
pub(super) const LEFT: usize = 132;
/// Runs begin within so many seconds.
const BEGINS_WITHIN_S: u64 = 2_400;
/// Teams resolve within so many minutes before the run that sees it.
const RESOLVED_WITHIN_MINS: u64 = 600;
/// What every entry says of itself.
const INVENTED: &str = "Invented for the demo.";

/// Writes a folder with a configuration and a store, and says what may be done with them.
///
/// # Errors
/// A folder that is not empty or cannot be written, or the store.
pub(super) async fn run(
    folder: &Path,
    seed: u64,
    now: Timestamp,
    talk: Talk,
) -> anyhow::Result<()> {
    let shown = plain(&folder.to_string_lossy()).into_owned();
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {shown}"))?;
    let config = folder.join("asaf.toml");
    let store = folder.join("asaf.sqlite3");
    anyhow::ensure!(
        !config.exists() && !store.exists(),
        "{shown} holds a configuration or a store already: name another folder"
    );
    std::fs::write(&config, people::config_text())
        .with_context(|| format!("cannot write {shown}"))?;
    fill(&Sqlite::open(&store)?, seed, now).await?;
    talk.say(&format!(
        "A year of invented history is in {shown}: {MOST} open tickets six months ago, {LEFT} today.\n\
         Look at it with:\n  \
         asaf --config {shown}/asaf.toml report --output html --out {shown}/report.html\n  \
         asaf --config {shown}/asaf.toml report --table accounts"
    ));
    Ok(())
}

/// One invented ticket.
struct Tracked {
    link: Link,
    slowness: u64,
    /// The day on which a reviewer closes what the team has resolved.
    reviewed_on: Option<i64>,
    /// The reviewer opens it again instead.
    is_rejected: bool,
}

/// The history as it grows.
struct History<'a> {
    store: &'a Sqlite,
    dice: Dice,
    tickets: Vec<Tracked>,
    changed: BTreeMap<usize, AuditEntry>,
    graves: Vec<Tombstone>,
    day: i64,
    at: Timestamp,
    /// The last day.
    now: Timestamp,
}

/// Fills an empty store; the same seed and time give the same history.
///
/// # Errors
/// [`StoreError`].
pub async fn fill(store: &Sqlite, seed: u64, now: Timestamp) -> Result<(), StoreError> {
    // Whoever loses an invented year invents it again.
    store.wait_for_disk(false).await?;
    store.put_organisation(&people::organisation(now)).await?;
    store.remember_rules(&people::rules(now)).await?;
    let mut history = History {
        store,
        dice: Dice::new(seed),
        tickets: Vec::new(),
        changed: BTreeMap::new(),
        graves: Vec::new(),
        day: 0,
        at: now,
        now,
    };
    for day in 0..=DAYS {
        history.day = day;
        history.at = history.began(day);
        history.live(is_weekday(history.at));
        history.write().await?;
    }
    let today = now.strftime("%Y-%m-%d").to_string();
    store.count_day(&today).await?;
    store.set_instant(LAST_READ, now).await?;
    store.set_instant(LAST_FULL, now).await?;
    store.wait_for_disk(true).await
}

fn is_weekday(at: Timestamp) -> bool {
    let day = jiff::tz::TimeZone::UTC.to_datetime(at).weekday();
    !matches!(day, Weekday::Saturday | Weekday::Sunday)
}

/// How many tickets are open at the end of a day.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // A few hundred.
fn open_on(day: i64) -> usize {
    if day <= PEAK {
        // Accounts are taken in wave by wave: it rises by steps, and more slowly at the end.
        let part = day as f64 / PEAK as f64;
        let wave = (part * 6.0 * std::f64::consts::PI).sin() * 0.02 * (1.0 - part);
        let rise = 1.0 - (1.0 - part).powf(1.7);
        return ((rise + wave).clamp(0.0, 1.0) * MOST as f64).round() as usize;
    }
    let left = 1.0 - (day - PEAK) as f64 / (DAYS - PEAK) as f64;
    LEFT + ((MOST - LEFT) as f64 * left.powf(1.35)).round() as usize
}

impl History<'_> {
    /// When the run of a day begins: nightly runs wait for each other, and none leaves its day of UTC.
    fn began(&mut self, day: i64) -> Timestamp {
        let run = self.now - SignedDuration::from_hours(24 * (DAYS - day));
        let since_midnight = self.now.as_second().rem_euclid(86_400).unsigned_abs();
        let early = self.dice.below(since_midnight.min(BEGINS_WITHIN_S) + 1);
        match day {
            DAYS => run,
            _ => run - SignedDuration::from_secs(early.cast_signed()),
        }
    }

    /// One day: reviewers answer, findings appear, teams work on weekdays.
    fn live(&mut self, is_weekday: bool) {
        self.review(is_weekday);
        let trickle = if self.day < PEAK { 7 } else { 5 };
        for _ in 0..self.dice.below(trickle) {
            self.appear();
        }
        let target = open_on(self.day);
        while self.open().len() < target {
            self.appear();
        }
        let exact = self.day == PEAK || self.day == DAYS;
        if !is_weekday && !exact {
            return;
        }
        let slack = if exact {
            0
        } else {
            self.dice.below(9) as usize
        };
        while self.open().len() > target + slack && self.end_one() {}
    }

    fn open(&self) -> Vec<usize> {
        let open = BaseTicket::Is(TicketState::Open);
        let all = self.tickets.iter().enumerate();
        all.filter(|(_, one)| {
            one.link
                .base
                .as_ref()
                .is_some_and(|base| base.ticket == open)
        })
        .map(|(n, _)| n)
        .collect()
    }

    fn review(&mut self, is_weekday: bool) {
        let due = |one: &Tracked| one.reviewed_on.is_some_and(|day| day <= self.day);
        let waiting = (0..self.tickets.len()).filter(|n| is_weekday && due(&self.tickets[*n]));
        for n in waiting.collect::<Vec<_>>() {
            let one = &mut self.tickets[n];
            one.reviewed_on = None;
            let (action, state, status) = if std::mem::take(&mut one.is_rejected) {
                ("reopen", TicketState::Open, WorkflowStatus::Notified)
            } else {
                ("close", TicketState::Closed, WorkflowStatus::Resolved)
            };
            if state == TicketState::Closed {
                one.link.closed_at = Some(self.at);
                if let Some(base) = &mut one.link.base {
                    base.finding = FindingState::Passing;
                }
            }
            self.becomes(n, action, BaseTicket::Is(state), status);
        }
    }

    fn appear(&mut self) {
        let n = self.tickets.len();
        let (link, slowness) = people::link(n, self.day, &mut self.dice, self.at);
        self.tickets.push(Tracked {
            link,
            slowness,
            reviewed_on: None,
            is_rejected: false,
        });
        let open = BaseTicket::Is(TicketState::Open);
        self.becomes(n, "create", open, WorkflowStatus::Notified);
    }

    /// Some open ticket ends: the severe ones and those of quick teams sooner. False when none can.
    fn end_one(&mut self) -> bool {
        // One change of a ticket a day: what came today is left for another.
        let open = self.open().into_iter();
        let open: Vec<usize> = open.filter(|n| !self.changed.contains_key(n)).collect();
        let tried = (0..14).filter_map(|_| {
            let n = *open.get(self.dice.below(open.len() as u64) as usize)?;
            let one = &self.tickets[n];
            let severity = 5 - one.link.severity as u64;
            Some((3 * one.slowness + 6 * severity + self.dice.below(16), n))
        });
        let Some((_, n)) = tried.min() else {
            return false;
        };
        match self.dice.below(100) {
            0..=23 => self.resource_goes(n),
            24..=30 => {
                let link = &mut self.tickets[n].link;
                link.ignored_by = Some(RuleMatch {
                    rule: people::rule_of(&link.rule).to_owned(),
                    reason: people::reason_of(&link.rule).to_owned(),
                    expires: people::ends(people::rule_of(&link.rule), self.now),
                    origin: None,
                });
                let ignored = BaseTicket::Is(TicketState::Ignored);
                self.becomes(n, "ignore", ignored, WorkflowStatus::Suppressed);
            }
            roll => {
                let wait = 1 + i64::try_from(self.dice.below(6)).unwrap_or(0);
                let one = &mut self.tickets[n];
                one.reviewed_on = Some(self.day + wait);
                // What is rejected on the last days would count twice.
                one.is_rejected = roll >= 96 && self.day < DAYS - 10;
                let ago = |dice: &mut Dice| dice.below(RESOLVED_WITHIN_MINS).cast_signed();
                let seen_at = self.at - SignedDuration::from_mins(ago(&mut self.dice) / 4);
                let resolved_at = seen_at - SignedDuration::from_mins(ago(&mut self.dice));
                // AWS has seen most of what is resolved, and not all.
                let is_seen = !one.is_rejected && roll > 55;
                if is_seen && let Some(base) = &mut one.link.base {
                    base.finding = FindingState::Passing;
                }
                one.link.evaluated_at = is_seen.then_some(seen_at);
                one.link.turned_at = is_seen.then_some(seen_at);
                one.link.decision = Some(people::resolved(&one.link, resolved_at));
                let resolved = BaseTicket::Is(TicketState::Resolved);
                self.becomes(n, "resolve", resolved, WorkflowStatus::Resolved);
            }
        }
        true
    }

    /// The resource is deleted, and the ticket with it.
    fn resource_goes(&mut self, n: usize) {
        let link = &mut self.tickets[n].link;
        let Some(ticket) = link.ticket.take() else {
            return;
        };
        if let Some(base) = &mut link.base {
            base.finding = FindingState::Archived;
        }
        self.graves.push(Tombstone {
            ticket,
            marker: link.marker.clone(),
            at: self.at,
            reason: INVENTED.to_owned(),
            severity: link.severity.label().to_owned(),
            account: link.alias.account.clone(),
            rule: link.rule.clone(),
        });
        self.becomes(n, "delete", BaseTicket::None, WorkflowStatus::Resolved);
    }

    fn becomes(&mut self, n: usize, action: &str, ticket: BaseTicket, status: WorkflowStatus) {
        let (at, day) = (self.at, self.day);
        let link = &mut self.tickets[n].link;
        let Some(base) = &mut link.base else { return };
        let word = |ticket: BaseTicket| match ticket {
            BaseTicket::Is(state) => state.word(),
            BaseTicket::None if action == "delete" => "deleted",
            BaseTicket::None => "none",
            BaseTicket::Deleted => "deleted",
        };
        let before = format!("{}, {}", word(base.ticket), base.workflow.as_str());
        (base.ticket, base.workflow) = (ticket, status);
        match ticket {
            BaseTicket::Is(TicketState::Open) if link.opened_at.is_none() => {
                link.opened_at = Some(at)
            }
            BaseTicket::None => link.opened_at = None,
            _ => {}
        }
        let entry = AuditEntry {
            at,
            run: format!("invented-{day}"),
            action: action.to_owned(),
            marker: link.marker.clone(),
            ticket: link.ticket.as_ref().map(|ticket| ticket.key.clone()),
            finding: link.findings.first().map(|key| key.id.clone()),
            before: Some(before),
            after: Some(format!("{}, {}", word(ticket), status.as_str())),
            row: 0,
            reason: format!("{} {INVENTED}", people::why(action)),
        };
        self.changed.insert(n, entry);
    }

    /// What a run of this day would have written.
    async fn write(&mut self) -> Result<(), StoreError> {
        let store = self.store;
        store.bury(&std::mem::take(&mut self.graves)).await?;
        let changed = std::mem::take(&mut self.changed);
        let links: Vec<Link> = changed
            .keys()
            .map(|n| self.tickets[*n].link.clone())
            .collect();
        let entries: Vec<AuditEntry> = changed.into_values().collect();
        let done = done(&entries);
        let run = self.run(done);
        store.settle(&links, &entries, self.at).await?;
        let told: Vec<i64> = store
            .untold(10_000)
            .await?
            .iter()
            .map(|change| change.seq)
            .collect();
        let folding = Folding {
            window: SignedDuration::ZERO,
            pause: SignedDuration::ZERO,
        };
        store.keep(&[], &told, folding, self.at).await?;
        store.put_run(&run).await
    }

    /// A run that wrote this: what it asks for grows with what there is and with what it writes.
    fn run(&mut self, done: Summary) -> Run {
        let known = self.tickets.len() as u64;
        let written = [done.created, done.reopened, done.resolved, done.closed];
        let written = written.iter().sum::<usize>() + done.deleted + done.ignored;
        let aws = json!({ "GetFindings": known.div_ceil(100), "BatchUpdateFindings": written.div_ceil(100) });
        let jira = json!({ "bulkfetch": known.div_ceil(100), "create": done.created.div_ceil(50), "transition": written });
        let tenths = 60 + known / 12 + written as u64 * 3 + self.dice.below(40);
        let seconds = SignedDuration::from_millis((tenths * 100).cast_signed());
        Run {
            id: format!("invented-{:03}", self.day),
            started_at: self.at,
            finished_at: Some(self.at + seconds),
            kind: "full".to_owned(),
            summary: json!({ "invented": true, "done": done, "held": 0, "seconds": seconds.as_secs_f64(),
                "requests": { "aws": aws, "jira": jira } }),
        }
    }
}

/// What was written, as a run sums it up.
fn done(entries: &[AuditEntry]) -> Summary {
    let count = |action: &str| entries.iter().filter(|one| one.action == action).count();
    Summary {
        created: count("create"),
        reopened: count("reopen"),
        resolved: count("resolve"),
        closed: count("close"),
        deleted: count("delete"),
        ignored: count("ignore"),
        ..Summary::default()
    }
}

/// The key of the nth ticket of a project.
fn ticket(n: usize, project: &str) -> TicketRef {
    TicketRef {
        id: 100_000 + n as u64,
        key: format!("{project}-{}", n + 1),
    }
}
