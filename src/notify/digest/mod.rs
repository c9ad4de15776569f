//! The weekly digests: when they are due, what they count, and what they say.
//!
//! Numbers come from the store alone: links as they are, and every change of a ticket since; so tickets that were
//! deleted count too. [`numbers`] counts, [`team`] and [`security`] make messages of it.

pub mod numbers;
pub mod security;
pub mod team;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::config::Notices;
use crate::notify::policy::zone;

/// A digest tells of the seven days before it.
pub const DAYS: i64 = 7;

/// The last time at or before `now` at which digests were to be sent.
pub fn last_due(notices: &Notices, now: Timestamp) -> Timestamp {
    let at = &notices.digest;
    let zone = zone(notices);
    let local = zone.to_datetime(now);
    let back = local.date().weekday().since(at.weekday.weekday());
    let day = |back: i64| {
        local
            .date()
            .saturating_sub(back.days())
            .to_datetime(at.time)
    };
    let mut due = day(i64::from(back));
    if due > local {
        due = day(i64::from(back) + DAYS);
    }
    zone.to_timestamp(due).unwrap_or(now)
}

/// Digests are due: their time has come since they were last sent. Without a last time they are due on their day only,
/// so that a new installation does not begin with one.
pub fn due(notices: &Notices, now: Timestamp, last_sent: Option<Timestamp>) -> bool {
    let scheduled = last_due(notices, now);
    match last_sent {
        Some(sent) => sent < scheduled,
        None => now.duration_since(scheduled).as_hours() < 24,
    }
}

/// The day on which the present edition was due: a digest of one edition is sent once.
pub fn edition(notices: &Notices, now: Timestamp) -> Date {
    today(notices, last_due(notices, now))
}

/// The day in people's time zone.
pub fn today(notices: &Notices, now: Timestamp) -> Date {
    zone(notices).to_datetime(now).date()
}

#[cfg(test)]
mod tests;
