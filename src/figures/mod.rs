//! The figures of dashboard and reports: how many tickets are open, what became of the others, and how long that took.
//!
//! Everything is computed from the counts that the store keeps ([`crate::store::history`]); no link and no ticket is
//! read. A figure is plain data that can be serialised; [`chart`] draws it and [`table`] lists it. docs/dashboard.md says
//! how each one is computed.

pub mod chart;
pub mod export;
mod filter;
mod gather;
mod ignored;
mod lines;
mod overview;
pub mod report;
pub mod table;
mod tables;
mod took;

pub use filter::{BadFilter, Filter};
pub use gather::Source;
pub use ignored::{HidingRule, Ignored, ignored};
pub use lines::{
    Accounts, Controls, IamShare, Line, Lines, Teams, accounts, controls, lines, teams,
};
pub use overview::{AgeBucket, OpenCount, Overview, SeverityTime, Week, overview};
pub use tables::Section;
pub use took::ResolveTime;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Severity;

/// The days that figures are about, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
}

/// A number for each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub struct BySeverity {
    pub critical: u64,
    pub high: u64,
    pub medium: u64,
    pub low: u64,
    pub informational: u64,
}

impl BySeverity {
    /// The number of one severity.
    pub fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Informational => self.informational,
        }
    }

    /// The same, to change it.
    pub fn of_mut(&mut self, severity: Severity) -> &mut u64 {
        match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Informational => &mut self.informational,
        }
    }

    /// All together.
    pub fn total(&self) -> u64 {
        Severity::WORST_FIRST.iter().map(|one| self.of(*one)).sum()
    }
}

/// `1 ticket`, `2 tickets`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(n))
}

/// `26 November 2026`.
pub(crate) fn day_said(day: Date) -> String {
    day.strftime("%-d %B %Y").to_string()
}

/// Days as a sentence says them: `7.4`, and whole ones from ten on, as times are kept in buckets of a day.
pub(crate) fn days_said(days: f64) -> String {
    if days < 9.95 {
        format!("{days:.1}")
    } else {
        format!("{days:.0}")
    }
}

/// A number with its thousands set apart.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share in whole percent; `None` of nothing.
pub fn percent(part: u64, whole: u64) -> Option<u64> {
    (whole > 0).then(|| (part * 100 + whole / 2) / whole)
}

/// A count that cannot be negative: what was counted later than it was undone is none.
pub(crate) fn whole(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
