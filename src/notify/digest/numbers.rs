//! Counting for digests. Pure: links, changes and the time in, numbers out.
//!
//! How many tickets were open at an earlier time is counted backwards from now, by undoing every change since. So a
//! count and the flows between two counts always add up: then + new + open again + split − done − gone − ignored −
//! deleted by people − merged = now.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, OwnerRule};
use crate::model::{BaseTicket, Link, Marker, Severity, TicketState, WorkflowStatus};
use crate::notify::item::TicketAt;
use crate::notify::news::{days_between, open_and_due, ticket_url};
use crate::notify::policy::zone;
use crate::notify::trend::Trend;
use crate::store::outbox::{Stage, TicketChange};

use super::DAYS;

/// How far back a picture goes.
const TREND_DAYS: i64 = 12 * 7;

/// What is counted, and when.
pub struct Source<'a> {
    /// Owners, due dates, time zone.
    pub config: &'a Config,
    /// Every link.
    pub links: &'a [Link],
    /// Every change since `counting_since`, or for as long as a picture goes back; oldest first.
    pub changes: &'a [TicketChange],
    /// Since when changes were noted.
    pub counting_since: Option<Timestamp>,
    /// When.
    pub now: Timestamp,
}

/// Tickets that changed within the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flows {
    /// Made.
    pub new: u64,
    /// Open again after they were dealt with.
    pub again: u64,
    /// From open to resolved or closed.
    pub done: u64,
    /// From open to deleted, with the resource.
    pub gone: u64,
    /// Deleted with the resource, whatever they were.
    pub deleted: u64,
    /// From open to ignored.
    pub ignored: u64,
    /// From open to deleted by a person.
    pub deleted_by_people: u64,
    /// Closed, because findings share a ticket now.
    pub merged: u64,
    /// Made, because findings no longer share one.
    pub split: u64,
}

/// A ticket that is late, or would be if there were due dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oldest {
    /// The ticket.
    pub ticket: TicketAt,
    /// Severity.
    pub severity: Severity,
    /// Rule.
    pub rule: String,
    /// Resource.
    pub resource: String,
    /// When it was due.
    pub due: Option<Date>,
    /// Days after its due date; without one, since it was opened.
    pub days: i64,
}

/// The numbers of one team.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Open now and a week ago, by severity, worst last.
    pub open: BTreeMap<Severity, (u64, u64)>,
    /// What changed.
    pub flows: Flows,
    /// Resolved: waiting for security's review.
    pub in_review: u64,
    /// Past their due date, the longest first; all open tickets by age where there are no due dates.
    pub late: Vec<Oldest>,
    /// Due within the warning time.
    pub soon: u64,
    /// Rules by open tickets, most first.
    pub rules: Vec<(String, u64)>,
    /// Open over time.
    pub trend: Trend,
}

impl Numbers {
    /// Open now.
    pub fn open_now(&self) -> u64 {
        self.open.values().map(|(now, _)| now).sum()
    }

    /// Open a week ago.
    pub fn open_then(&self) -> u64 {
        self.open.values().map(|(_, then)| then).sum()
    }

    /// Nothing is open, nothing waits, and nothing happened.
    pub fn is_empty(&self) -> bool {
        self.open_now() == 0 && self.in_review == 0 && self.flows == Flows::default()
    }
}

/// The numbers of every team, and of all together.
#[derive(Clone, Debug, Default)]
pub struct All {
    /// By team; a team without accounts has empty ones.
    pub teams: BTreeMap<String, Numbers>,
    /// Together.
    pub total: Numbers,
    /// Late tickets by account: how many, and the account's team.
    pub lagging: Vec<(String, String, u64)>,
    /// Failing findings that a status set by hand hides: (identity, how many), most first.
    pub hidden_by: Vec<(String, u64)>,
    /// A week ago is not covered by what was noted: its counts are those of the first day.
    pub since: Option<Timestamp>,
}

/// Counts everything once.
pub fn count(source: &Source<'_>) -> All {
    let owners = Owners::new(source.config, source.links);
    let mut all = All::default();
    for team in source.config.owners.teams() {
        all.teams.insert(team.to_owned(), Numbers::default());
    }
    let mut late_by_account: HashMap<&str, u64> = HashMap::new();
    let mut rules: BTreeMap<&str, HashMap<&str, u64>> = BTreeMap::new();
    let today = super::today(&source.config.notices, source.now);
    for link in source.links {
        let team = owners.of_link(&link.marker, &link.alias.account);
        hidden(link, &mut all.hidden_by);
        let Some(BaseTicket::Is(state)) = link.base.as_ref().map(|base| base.ticket) else {
            continue;
        };
        let numbers = all.teams.entry(team.to_owned()).or_default();
        match state {
            TicketState::Resolved => numbers.in_review += 1,
            TicketState::Open => {
                numbers.open.entry(link.severity).or_default().0 += 1;
                *rules
                    .entry(team)
                    .or_default()
                    .entry(link.rule_said())
                    .or_default() += 1;
                if let Some(oldest) = oldest(source, link, today, numbers) {
                    if oldest.due.is_some() {
                        *late_by_account.entry(&link.alias.account).or_default() += 1;
                    }
                    numbers.late.push(oldest);
                }
            }
            TicketState::Closed | TicketState::Ignored => {}
        }
    }
    changes(source, &owners, &mut all);
    for (team, numbers) in &mut all.teams {
        numbers
            .late
            .sort_by_key(|one| (std::cmp::Reverse(one.days), std::cmp::Reverse(one.severity)));
        numbers.rules = most(rules.remove(team.as_str()).unwrap_or_default());
    }
    all.lagging = most(late_by_account)
        .into_iter()
        .map(|(account, late)| (account.clone(), owners.of(&account).to_owned(), late))
        .collect();
    all.hidden_by
        .sort_by_key(|(identity, n)| (std::cmp::Reverse(*n), identity.clone()));
    all.since = source
        .counting_since
        .filter(|since| *since > week_ago(source.now));
    all.total = together(&all.teams);
    all
}

fn week_ago(now: Timestamp) -> Timestamp {
    now - SignedDuration::from_hours(24 * DAYS)
}

fn most(counts: HashMap<&str, u64>) -> Vec<(String, u64)> {
    let mut sorted: Vec<(String, u64)> = counts
        .into_iter()
        .map(|(name, n)| (name.to_owned(), n))
        .collect();
    sorted.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), name.clone()));
    sorted
}

/// A failing finding that somebody suppressed or resolved outside the rules and reviews.
fn hidden(link: &Link, hidden: &mut Vec<(String, u64)>) {
    // Of a ticket that several findings share, each of them counts.
    let Some(base) = link.base.as_ref().filter(|_| !link.alias.is_group()) else {
        return;
    };
    let by_hand = base.workflow == WorkflowStatus::Suppressed && base.finding.is_active();
    let crate::model::Author::Theirs { identity, .. } = &base.workflow_by else {
        return;
    };
    if !by_hand {
        return;
    }
    match hidden.iter_mut().find(|(known, _)| known == identity) {
        Some((_, n)) => *n += 1,
        None => hidden.push((identity.clone(), 1)),
    }
}

fn oldest(source: &Source<'_>, link: &Link, today: Date, numbers: &mut Numbers) -> Option<Oldest> {
    let with = |ticket, due, days| Oldest {
        ticket,
        severity: link.severity,
        rule: link.rule_said().to_owned(),
        resource: link.alias.resource.clone(),
        due,
        days,
    };
    let Some(sla) = &source.config.sla else {
        let at = link.ticket.as_ref()?;
        let ticket = TicketAt {
            key: at.key.clone(),
            url: ticket_url(source.config, &at.key),
        };
        let days = source.now.duration_since(link.opened_at?).as_hours() / 24;
        return Some(with(ticket, None, days));
    };
    let (due, ticket) = open_and_due(source.config, link)?;
    let left = days_between(today, due);
    if left < 0 {
        return Some(with(ticket, Some(due), -left));
    }
    if left <= sla.warn_before.duration().as_hours() / 24 {
        numbers.soon += 1;
    }
    None
}

/// Undoes the changes one after the other, latest first, and notes the counts at the end of each day on the way.
fn changes(source: &Source<'_>, owners: &Owners<'_>, all: &mut All) {
    let zone = zone(&source.config.notices);
    let from = week_ago(source.now);
    let mut open: HashMap<(&str, Severity), i64> = HashMap::new();
    for (team, numbers) in &all.teams {
        for (severity, (now, _)) in &numbers.open {
            open.insert(
                (owners.name(team), *severity),
                i64::try_from(*now).unwrap_or(0),
            );
        }
    }
    let days = days_back(source, &zone);
    let mut pictures: HashMap<&str, Vec<BTreeMap<Severity, u64>>> = HashMap::new();
    let mut then_noted = false;
    let mut next_day = days.iter().rev().peekable();
    let mut undone = source.changes.iter().rev().peekable();
    loop {
        let at = undone.peek().and_then(|change| change.at);
        while let Some((_, end)) = next_day.peek()
            && at.is_none_or(|at| at <= *end)
        {
            note(&open, owners, &mut pictures);
            next_day.next();
        }
        if !then_noted && at.is_none_or(|at| at <= from) {
            note_then(&open, all);
            then_noted = true;
        }
        let Some(change) = undone.next() else { break };
        let team = owners.of_link(&change.marker, &change.account);
        undo(change, team, &mut open);
        if change.at.is_some_and(|at| at > from && at <= source.now) {
            let numbers = all.teams.entry(team.to_owned()).or_default();
            flow(change, &mut numbers.flows);
        }
    }
    let dates: Vec<Date> = days.iter().map(|(date, _)| *date).collect();
    for (team, mut picture) in pictures {
        picture.reverse();
        if let Some(numbers) = all.teams.get_mut(team) {
            numbers.trend = trend(&dates, &picture);
        }
    }
}

/// The days of the picture, oldest first, each with the instant at which it is counted: the time of day of now.
fn days_back(source: &Source<'_>, zone: &TimeZone) -> Vec<(Date, Timestamp)> {
    let since = source.counting_since.unwrap_or(source.now);
    (0..=TREND_DAYS)
        .map(|back| source.now - SignedDuration::from_hours(24 * back))
        .take_while(|at| *at >= since || *at == source.now)
        .map(|at| (zone.to_datetime(at).date(), at))
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect()
}

fn undo<'a>(change: &TicketChange, team: &'a str, open: &mut HashMap<(&'a str, Severity), i64>) {
    // An adopted ticket was there before it was noted.
    if change.was == Stage::Adopted {
        return;
    }
    if change.became == Stage::Open {
        *open.entry((team, change.severity)).or_default() -= 1;
    }
    if change.was == Stage::Open {
        *open.entry((team, change.severity_was)).or_default() += 1;
    }
}

fn flow(change: &TicketChange, flows: &mut Flows) {
    use Stage::{Adopted, Closed, Deleted, Ignored, Merged, None, Open, Resolved};
    match (change.was, change.became) {
        (None | Deleted, Open) => flows.new += 1,
        (Resolved | Closed | Ignored, Open) => flows.again += 1,
        (Open, Resolved | Closed) => flows.done += 1,
        (Open, Ignored) => flows.ignored += 1,
        (Open, Deleted) => flows.deleted_by_people += 1,
        (Open, None) => {
            flows.gone += 1;
            flows.deleted += 1;
        }
        (Resolved | Ignored | Closed, None) => flows.deleted += 1,
        // Neither work nor its end: another ticket goes on with it.
        (Open, Merged) => flows.merged += 1,
        (Merged, Open) => flows.split += 1,
        (Adopted | Merged, _) | (_, Adopted | Merged) => {}
        (None | Resolved | Closed | Ignored | Deleted | Open, _) => {}
    }
}

fn note<'a>(
    open: &HashMap<(&'a str, Severity), i64>,
    owners: &Owners<'a>,
    pictures: &mut HashMap<&'a str, Vec<BTreeMap<Severity, u64>>>,
) {
    for team in &owners.teams {
        pictures.entry(team).or_default().push(BTreeMap::new());
    }
    for ((team, severity), n) in open {
        if let Some(day) = pictures.get_mut(team).and_then(|days| days.last_mut()) {
            day.insert(*severity, u64::try_from(*n).unwrap_or(0));
        }
    }
}

fn note_then(open: &HashMap<(&str, Severity), i64>, all: &mut All) {
    for ((team, severity), n) in open {
        let n = u64::try_from(*n).unwrap_or(0);
        if let Some(numbers) = all.teams.get_mut(*team) {
            let known = numbers.open.contains_key(severity);
            if known || n > 0 {
                numbers.open.entry(*severity).or_default().1 = n;
            }
        }
    }
}

fn trend(dates: &[Date], picture: &[BTreeMap<Severity, u64>]) -> Trend {
    let mut bands = Vec::new();
    for severity in [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Informational,
    ] {
        let open = picture
            .iter()
            .map(|day| day.get(&severity).copied().unwrap_or(0));
        let open: Vec<u64> = open.collect();
        if open.iter().any(|n| *n > 0) {
            bands.push((severity, open));
        }
    }
    Trend {
        days: dates.to_vec(),
        bands,
    }
}

/// The sum of several teams' numbers.
pub fn together(teams: &BTreeMap<String, Numbers>) -> Numbers {
    let mut sum = Numbers::default();
    let mut rules: BTreeMap<String, u64> = BTreeMap::new();
    for numbers in teams.values() {
        for (severity, (now, then)) in &numbers.open {
            let open = sum.open.entry(*severity).or_default();
            *open = (open.0 + now, open.1 + then);
        }
        let (all, own) = (&mut sum.flows, &numbers.flows);
        all.new += own.new;
        all.again += own.again;
        all.done += own.done;
        all.gone += own.gone;
        all.deleted += own.deleted;
        all.ignored += own.ignored;
        all.deleted_by_people += own.deleted_by_people;
        all.merged += own.merged;
        all.split += own.split;
        sum.in_review += numbers.in_review;
        sum.soon += numbers.soon;
        sum.late.extend(numbers.late.iter().cloned());
        for (rule, n) in &numbers.rules {
            *rules.entry(rule.clone()).or_default() += n;
        }
        sum.trend.add(&numbers.trend);
    }
    sum.late
        .sort_by_key(|one| (std::cmp::Reverse(one.days), std::cmp::Reverse(one.severity)));
    sum.rules = rules.into_iter().collect();
    sum.rules
        .sort_by_key(|(rule, n)| (std::cmp::Reverse(*n), rule.clone()));
    sum
}

/// Since when each link waits for review, longest first.
pub fn review_queue(
    links: &[Link],
    since: &[(Marker, Timestamp)],
) -> Vec<(Marker, Option<Timestamp>)> {
    let known: HashMap<&Marker, Timestamp> = since.iter().map(|(m, at)| (m, *at)).collect();
    let resolved = links.iter().filter(|link| {
        link.base
            .as_ref()
            .is_some_and(|base| base.ticket == BaseTicket::Is(TicketState::Resolved))
    });
    let mut queue: Vec<(Marker, Option<Timestamp>)> = resolved
        .map(|link| (link.marker.clone(), known.get(&link.marker).copied()))
        .collect();
    // Without a date it has waited since before anything was noted.
    queue.sort_by_key(|(marker, at)| (*at, marker.clone()));
    queue
}

/// The teams of links and accounts, looked up once.
struct Owners<'a> {
    by_link: HashMap<&'a Marker, &'a str>,
    by_account: HashMap<&'a str, &'a str>,
    teams: Vec<&'a str>,
    default: &'a str,
}

impl<'a> Owners<'a> {
    fn new(config: &'a Config, links: &'a [Link]) -> Self {
        let mut by_account = HashMap::new();
        let plain =
            |rule: &&OwnerRule| !rule.when.ask_for_finding() && !rule.when.ask_for_organisation();
        for rule in config.owners.rules.iter().filter(plain) {
            for account in &rule.when.accounts {
                by_account
                    .entry(account.as_str())
                    .or_insert(rule.owner.team.as_str());
            }
        }
        let known = config.owners.teams();
        let owned = links.iter().filter_map(|link| {
            let team = link.owner.as_ref()?.team.as_str();
            Some((&link.marker, *known.get(team)?))
        });
        Owners {
            by_link: owned.collect(),
            by_account,
            teams: config.owners.teams().into_iter().collect(),
            default: &config.owners.default.team,
        }
    }

    fn of(&self, account: &str) -> &'a str {
        self.by_account
            .get(account)
            .copied()
            .unwrap_or(self.default)
    }

    /// Whose ticket it is; where the link does not say, the account does.
    fn of_link(&self, marker: &Marker, account: &str) -> &'a str {
        let owned = self.by_link.get(marker).copied();
        owned.unwrap_or_else(|| self.of(account))
    }

    /// The same name with the configuration's lifetime.
    fn name(&self, team: &str) -> &'a str {
        self.teams
            .iter()
            .copied()
            .find(|known| *known == team)
            .unwrap_or(self.default)
    }
}
