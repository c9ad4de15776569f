//! The first page: what is open, how it came to be so week by week, how long fixing takes, and how old the rest is.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gather::{Gathered, Source, sum};
use super::took::ResolveTime;
use super::{BySeverity, Filter, Period, whole};
use crate::model::Severity;
use crate::store::history::{FlowRow, Flows, History, StandingRow, TookRow};
use crate::store::outbox::Stage;
use crate::store::{Store, StoreError};

/// Open tickets of one severity, now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenCount {
    /// Severity.
    pub severity: Severity,
    /// How many.
    pub open: u64,
    /// Past their due date.
    pub late: u64,
    /// Whole days that the oldest has been open.
    pub oldest_days: Option<u64>,
}

/// How long fixing took for one severity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeverityTime {
    /// Severity.
    pub severity: Severity,
    /// How long.
    pub time: ResolveTime,
}

/// One week, or the part of it within the period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Week {
    /// Its Monday.
    #[schemars(with = "String")]
    pub monday: Date,
    /// Open at its end.
    pub open: BySeverity,
    /// What happened.
    pub flows: Flows,
}

/// Open tickets of some age, now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgeBucket {
    /// From so many whole days on.
    pub from_days: u64,
    /// Up to so many, inclusive; `None` is for ever.
    pub to_days: Option<u64>,
    /// How many.
    pub open: BySeverity,
}

impl AgeBucket {
    /// `8 to 30 days`.
    pub fn label(&self) -> String {
        match self.to_days {
            Some(to) => format!("{} to {to} days", self.from_days),
            None => format!("{} days and more", self.from_days),
        }
    }
}

/// The bounds of age buckets, in days.
const AGES: [(u64, Option<u64>); 5] = [
    (0, Some(7)),
    (8, Some(30)),
    (31, Some(90)),
    (91, Some(180)),
    (181, None),
];

/// The first page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overview {
    /// The days that flows and times are of.
    #[schemars(with = "BTreeMap<String, String>")]
    pub period: Period,
    /// Since when changes were counted; `None` before the first.
    #[schemars(with = "Option<String>")]
    pub counted_since: Option<Date>,
    /// Open now, the worst first; every severity.
    pub open: Vec<OpenCount>,
    /// Open now.
    pub open_now: u64,
    /// Open when the period began.
    pub open_at_start: u64,
    /// Open when the period ended.
    pub open_at_end: u64,
    /// The most that were open at the end of a week.
    pub open_at_most: u64,
    /// Resolved, and waiting for review, now.
    pub in_review: u64,
    /// Covered by an ignore rule or suppressed, now.
    pub ignored_now: u64,
    /// Open and past their due date, now.
    pub late_now: u64,
    /// Something has a due date.
    pub has_due_dates: bool,
    /// What happened in the period.
    pub flows: Flows,
    /// The same week by week, oldest first.
    pub weeks: Vec<Week>,
    /// How long fixing took in the period.
    pub resolve: ResolveTime,
    /// The same by severity, the worst first; severities of which something was fixed.
    pub resolve_by_severity: Vec<SeverityTime>,
    /// How long open tickets have been open, now.
    pub ages: Vec<AgeBucket>,
    /// Failing findings that ignore rules hide, now.
    pub hidden: u64,
}

/// Computes the first page.
///
/// # Errors
/// [`StoreError`].
pub async fn overview<S: Store + History>(
    source: &Source<'_, S>,
    filter: &Filter,
) -> Result<Overview, StoreError> {
    let gathered = source.gather(filter).await?;
    let (select, days) = (&gathered.select, gathered.days);
    let by = source.teams_differ();
    let before = source.before(&gathered, None).await?;
    let rows = source.store.flows(select, days, None, true).await?;
    let standing = source.store.standing(select, by).await?;
    let took = source.store.took(select, days, by).await?;
    let hidden = source.store.hidden(select, None).await?;
    let weeks = weeks(&gathered, &before, &rows);
    let open = open(source, &standing);
    let in_stage = |stage| {
        let fits = standing.iter().filter(move |row| row.stage == stage);
        fits.map(|row| row.count).sum()
    };
    let open_at_start = whole(sum(&before).net());
    let ends = weeks.iter().map(|week| week.open.total());
    Ok(Overview {
        period: gathered.period,
        counted_since: gathered.first_day,
        open_now: open.iter().map(|one| one.open).sum(),
        late_now: open.iter().map(|one| one.late).sum(),
        open,
        open_at_start,
        open_at_end: ends.clone().next_back().unwrap_or(open_at_start),
        open_at_most: ends.max().unwrap_or(open_at_start),
        in_review: in_stage(Stage::Resolved),
        ignored_now: in_stage(Stage::Ignored),
        has_due_dates: source.config.sla.is_some(),
        flows: sum(&rows),
        weeks,
        resolve: source.resolve_time(took.iter().map(|row| (row.name.as_str(), row))),
        resolve_by_severity: by_severity(source, &took),
        ages: ages(source, &standing),
        hidden: hidden.iter().map(|row| row.count).sum(),
    })
}

fn by_severity<S>(source: &Source<'_, S>, took: &[TookRow]) -> Vec<SeverityTime> {
    let of = |severity: Severity| {
        let rows = took.iter().filter(|row| row.severity == severity);
        let time = source.resolve_time(rows.map(|row| (row.name.as_str(), row)));
        SeverityTime { severity, time }
    };
    let all = Severity::WORST_FIRST.into_iter().map(of);
    all.filter(|one| one.time.count > 0).collect()
}

/// Every week of the period: what is open at its end follows from what was open before, and what happened.
fn weeks(gathered: &Gathered, before: &[FlowRow], rows: &[FlowRow]) -> Vec<Week> {
    let mut open: BTreeMap<Severity, i64> = BTreeMap::new();
    for row in before {
        *open.entry(row.severity).or_default() += row.flows.net();
    }
    let mut by_week: BTreeMap<Date, Vec<&FlowRow>> = BTreeMap::new();
    for row in rows {
        let week = row.week.map(|week| by_week.entry(week).or_default());
        week.into_iter().for_each(|rows| rows.push(row));
    }
    let mut weeks = Vec::new();
    let mut monday = monday(gathered.period.from);
    while monday <= gathered.period.to {
        let rows = by_week.remove(&monday).unwrap_or_default();
        let mut flows = Flows::default();
        for row in rows {
            flows += row.flows;
            *open.entry(row.severity).or_default() += row.flows.net();
        }
        let mut at_end = BySeverity::default();
        for (severity, n) in &open {
            *at_end.of_mut(*severity) = whole(*n);
        }
        weeks.push(Week {
            monday,
            open: at_end,
            flows,
        });
        monday = monday.saturating_add(7.days());
    }
    weeks
}

/// The Monday on or before a day.
pub(super) fn monday(day: Date) -> Date {
    let since = i64::from(day.weekday().to_monday_zero_offset());
    day.saturating_sub(since.days())
}

fn open<S: Store + History>(source: &Source<'_, S>, standing: &[StandingRow]) -> Vec<OpenCount> {
    let of = |severity: Severity| {
        let rows = standing
            .iter()
            .filter(|row| row.stage == Stage::Open && row.severity == severity);
        let (mut open, mut late, mut oldest) = (0, 0, None);
        for row in rows {
            open += row.count;
            if source.is_late(&row.name, row) {
                late += row.count;
            }
            oldest = oldest.max(row.opened_at.map(|at| source.age_days(at)));
        }
        OpenCount {
            severity,
            open,
            late,
            oldest_days: oldest,
        }
    };
    Severity::WORST_FIRST.into_iter().map(of).collect()
}

fn ages<S: Store + History>(source: &Source<'_, S>, standing: &[StandingRow]) -> Vec<AgeBucket> {
    let mut ages: Vec<AgeBucket> = AGES
        .into_iter()
        .map(|(from_days, to_days)| AgeBucket {
            from_days,
            to_days,
            open: BySeverity::default(),
        })
        .collect();
    for row in standing.iter().filter(|row| row.stage == Stage::Open) {
        // Without a time it was open before anything was noted.
        let days = row.opened_at.map_or(u64::MAX, |at| source.age_days(at));
        let fits =
            |age: &&mut AgeBucket| days >= age.from_days && age.to_days.is_none_or(|to| days <= to);
        if let Some(age) = ages.iter_mut().find(fits) {
            *age.open.of_mut(row.severity) += row.count;
        }
    }
    ages
}
