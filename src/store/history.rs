//! How tickets came and went, day by day: the counts behind every figure. They are written in the transaction that moves
//! a link's row, and answered without looking at single tickets.
//!
//! Days are days of UTC. A day's flows add up: open at its end = open before + new + reopened + adopted + moved − fixed −
//! removed − ignored − deleted.

use std::future::Future;
use std::ops::AddAssign;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::outbox::Stage;
use crate::model::Severity;

/// What figures can be told apart by, besides severity and time.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The owner's team.
    Team,
    /// Account id.
    Account,
    /// Region.
    Region,
    /// Who reports, in the word that settings use.
    Product,
    /// Control, rule or finding type.
    Control,
}

impl Dimension {
    /// All, in the order of the columns that keep them.
    pub const ALL: [Dimension; 5] = [
        Dimension::Team,
        Dimension::Account,
        Dimension::Region,
        Dimension::Product,
        Dimension::Control,
    ];

    /// The word for it in the database, in URLs and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Dimension::Team => "team",
            Dimension::Account => "account",
            Dimension::Region => "region",
            Dimension::Product => "product",
            Dimension::Control => "control",
        }
    }
}

/// What is counted: within a dimension any of the values, across dimensions all. An empty list is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    /// Teams.
    pub team: Vec<String>,
    /// Account ids.
    pub account: Vec<String>,
    /// Regions.
    pub region: Vec<String>,
    /// Products.
    pub product: Vec<String>,
    /// Controls, in any case.
    pub control: Vec<String>,
    /// Severities.
    pub severity: Vec<Severity>,
    /// No account fits: what was asked for does not exist.
    pub nothing: bool,
}

impl Select {
    /// The values that are asked for.
    pub fn of(&self, dimension: Dimension) -> &[String] {
        match dimension {
            Dimension::Team => &self.team,
            Dimension::Account => &self.account,
            Dimension::Region => &self.region,
            Dimension::Product => &self.product,
            Dimension::Control => &self.control,
        }
    }
}

/// Days, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first; `None` is since counting began.
    pub from: Option<Date>,
    /// The last.
    pub to: Date,
}

/// What became of tickets in a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flows {
    /// Made, and open.
    pub new: i64,
    /// Open again after they were resolved, closed or ignored.
    pub reopened: i64,
    /// From open to resolved or closed.
    pub fixed: i64,
    /// From open to deleted, with the resource.
    pub removed: i64,
    /// From open to ignored.
    pub ignored: i64,
    /// From open to deleted, by a person.
    pub deleted: i64,
    /// Open when they were first seen: tickets from before.
    pub adopted: i64,
    /// Came from another team or severity or out of a shared ticket, less those that went there.
    pub moved: i64,
}

impl Flows {
    /// How many more are open afterwards than before.
    pub fn net(&self) -> i64 {
        let Flows {
            new,
            reopened,
            fixed,
            removed,
            ignored,
            deleted,
            adopted,
            moved,
        } = self;
        new + reopened + adopted + moved - fixed - removed - ignored - deleted
    }

    /// Nothing happened.
    pub fn is_empty(&self) -> bool {
        *self == Flows::default()
    }
}

impl AddAssign for Flows {
    fn add_assign(&mut self, other: Self) {
        let Flows {
            new,
            reopened,
            fixed,
            removed,
            ignored,
            deleted,
            adopted,
            moved,
        } = other;
        self.new += new;
        self.reopened += reopened;
        self.fixed += fixed;
        self.removed += removed;
        self.ignored += ignored;
        self.deleted += deleted;
        self.adopted += adopted;
        self.moved += moved;
    }
}

/// The flows of one severity, in one week where weeks were asked for, for one name where a dimension was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRow {
    /// The value of the dimension; empty without one.
    pub name: String,
    /// The week's Monday.
    pub week: Option<Date>,
    /// Severity.
    pub severity: Severity,
    /// The flows.
    pub flows: Flows,
}

/// How long fixed tickets took: a number of them in one bucket of [`bucket`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TookRow {
    /// The value of the dimension; empty without one.
    pub name: String,
    /// Severity.
    pub severity: Severity,
    /// Which bucket.
    pub bucket: u16,
    /// How many.
    pub count: u64,
}

/// Tickets as they stand now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingRow {
    /// The value of the dimension; empty without one.
    pub name: String,
    /// Severity.
    pub severity: Severity,
    /// Open, resolved, closed or ignored.
    pub stage: Stage,
    /// Since when the team has them, to the quarter of an hour; `None` for those that are not open.
    pub opened_at: Option<Timestamp>,
    /// How many.
    pub count: u64,
}

/// Failing findings that an ignore rule hides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenRow {
    /// The rule's id.
    pub rule: String,
    /// The value of the dimension; empty without one.
    pub name: String,
    /// Severity.
    pub severity: Severity,
    /// How many.
    pub count: u64,
}

const HOURS: u16 = 48;
const DAYS_LAST: u16 = 120;

/// The bucket of a time to fix: hours under two days, days below 120, then weeks.
pub fn bucket(seconds: i64) -> u16 {
    let hours = seconds.max(0) / 3600;
    if let Ok(hours) = u16::try_from(hours)
        && hours < HOURS
    {
        return hours;
    }
    let days = u16::try_from(hours / 24).unwrap_or(u16::MAX - DAYS_LAST);
    if days < DAYS_LAST {
        HOURS + days - 2
    } else {
        HOURS + DAYS_LAST - 2 + (days - DAYS_LAST) / 7
    }
}

/// The hours at which a bucket begins, and its width.
pub fn hours_of(bucket: u16) -> (u32, u32) {
    let bucket = u32::from(bucket);
    let (hours, days_last) = (u32::from(HOURS), u32::from(DAYS_LAST));
    if bucket < hours {
        return (bucket, 1);
    }
    let day = bucket - hours + 2;
    if day < days_last {
        (day * 24, 24)
    } else {
        ((days_last + (day - days_last) * 7) * 24, 24 * 7)
    }
}

/// Answers from the counts. `by` splits what is counted by the values of one dimension.
pub trait History: Sync {
    /// What happened in these days; `weekly` splits it by weeks, too.
    fn flows(
        &self,
        select: &Select,
        days: Days,
        by: Option<Dimension>,
        weekly: bool,
    ) -> impl Future<Output = Result<Vec<FlowRow>, StoreError>> + Send;

    /// How long what was fixed in these days took.
    fn took(
        &self,
        select: &Select,
        days: Days,
        by: Option<Dimension>,
    ) -> impl Future<Output = Result<Vec<TookRow>, StoreError>> + Send;

    /// Tickets as they stand now.
    fn standing(
        &self,
        select: &Select,
        by: Option<Dimension>,
    ) -> impl Future<Output = Result<Vec<StandingRow>, StoreError>> + Send;

    /// What ignore rules hide now.
    fn hidden(
        &self,
        select: &Select,
        by: Option<Dimension>,
    ) -> impl Future<Output = Result<Vec<HiddenRow>, StoreError>> + Send;

    /// The first day that was counted.
    fn first_day(&self) -> impl Future<Output = Result<Option<Date>, StoreError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_hours_then_days_then_weeks_without_a_gap() {
        assert_eq!(bucket(-5), 0);
        assert_eq!(bucket(47 * 3600 + 3599), 47);
        assert_eq!((bucket(48 * 3600), hours_of(48)), (48, (48, 24)));
        let mut next = 0;
        for n in 0..400 {
            let (from, width) = hours_of(n);
            assert_eq!(from, next);
            assert_eq!(bucket(i64::from(from) * 3600), n);
            assert_eq!(bucket(i64::from(from + width) * 3600 - 1), n);
            next = from + width;
        }
        assert_eq!(hours_of(166), (120 * 24, 168));
    }
}
