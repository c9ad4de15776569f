//! The hourly points quota of apps (Jira Cloud: rate limiting). API tokens are not under it: it counts only when a site is
//! told to.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Points used in an hour of UTC.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Points {
    hour: i64,
    used: u64,
}

const HOUR_S: i64 = 3_600;

impl Points {
    fn turn(&mut self, now: Timestamp) {
        let hour = now.as_second().div_euclid(HOUR_S);
        if hour != self.hour {
            *self = Points { hour, used: 0 };
        }
    }

    /// What is left of `quota`; nothing is left: the seconds until the next hour.
    pub(super) fn left(&mut self, quota: u64, now: Timestamp) -> Result<u64, u64> {
        self.turn(now);
        let left = quota.saturating_sub(self.used);
        if left > 0 {
            return Ok(left);
        }
        let reset = (self.hour + 1) * HOUR_S - now.as_second();
        Err(u64::try_from(reset).unwrap_or(1).max(1))
    }

    /// One point, and one for each object that is read or written.
    pub(super) fn spend(&mut self, answer: Option<&Value>, now: Timestamp) {
        self.turn(now);
        let lists = ["issues", "values", "histories", "comments"];
        let objects = answer.map_or(0, |answer| {
            let mut lists = lists.iter().filter_map(|name| answer[name].as_array());
            lists.next().map_or(1, Vec::len)
        });
        self.used += 1 + objects as u64;
    }

    /// When the hour ends.
    pub(super) fn reset(&self, now: Timestamp) -> Timestamp {
        let seconds = (now.as_second().div_euclid(HOUR_S) + 1) * HOUR_S;
        Timestamp::from_second(seconds).unwrap_or(now + SignedDuration::from_secs(HOUR_S))
    }
}
