//! Rate limits and faults (REST API: rate limits). The primary limit counts requests an hour for each user; the
//! secondary ones keep short bursts and writes in check. An answer that says 304 counts for nothing.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Requests an hour for a user or an installation.
const PRIMARY: u32 = 5_000;

/// Points a minute; a read is one point, a write five.
const POINTS_PER_MINUTE: u32 = 900;

/// Writes that make content, a minute.
const CONTENT_PER_MINUTE: usize = 80;

/// Something that goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GitHubFault {
    /// 403 with `x-ratelimit-remaining: 0`; the window ends after so many seconds.
    PrimaryLimit {
        /// Whole seconds.
        reset_after_s: u32,
    },
    /// 403 with `retry-after`.
    SecondaryLimit {
        /// Whole seconds.
        retry_after_s: u32,
    },
    /// A status without sense in its body.
    Status(u16),
    /// 401: the token was revoked.
    BadCredentials,
    /// The request is applied, and its answer is lost.
    ApplyThenDrop,
    /// The request is lost.
    DropBefore,
    /// A listing that says it was cut short.
    TruncatedListing,
}

impl GitHubFault {
    /// Whether this can happen to an operation.
    pub fn fits(&self, operation: &str) -> bool {
        match self {
            GitHubFault::TruncatedListing => operation.contains("/git/trees/"),
            GitHubFault::PrimaryLimit { .. }
            | GitHubFault::SecondaryLimit { .. }
            | GitHubFault::Status(_)
            | GitHubFault::BadCredentials
            | GitHubFault::ApplyThenDrop
            | GitHubFault::DropBefore => true,
        }
    }
}

/// Why a request is refused now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Primary { reset: Timestamp },
    Secondary { retry_after_s: u32 },
}

#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    users: BTreeMap<String, Usage>,
}

#[derive(Clone, Debug, Default)]
struct Usage {
    used: u32,
    reset: Option<Timestamp>,
    minute: VecDeque<(Timestamp, u32)>,
    content: VecDeque<Timestamp>,
    closed_until: Option<(Timestamp, bool)>,
}

/// The primary limit as headers show it.
pub(super) struct Shown {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) used: u32,
    pub(super) reset: Timestamp,
}

impl Limits {
    /// Whether the user was told to wait and came too early.
    pub(super) fn inside_window(&mut self, login: &str, now: Timestamp) -> Option<Refused> {
        let usage = self.users.entry(login.to_owned()).or_default();
        match usage.closed_until {
            Some((until, primary)) if now < until => Some(match primary {
                true => Refused::Primary { reset: until },
                false => Refused::Secondary {
                    retry_after_s: seconds_up(now, until),
                },
            }),
            _ => {
                usage.closed_until = None;
                None
            }
        }
    }

    /// Counts a request, or refuses it.
    pub(super) fn count(&mut self, login: &str, write: bool, now: Timestamp) -> Option<Refused> {
        let usage = self.users.entry(login.to_owned()).or_default();
        usage.roll(now);
        let minute_ago = now - SignedDuration::from_mins(1);
        usage.minute.retain(|(at, _)| *at > minute_ago);
        usage.content.retain(|at| *at > minute_ago);
        let points: u32 = usage.minute.iter().map(|(_, points)| points).sum();
        let cost = if write { 5 } else { 1 };
        if usage.used >= PRIMARY {
            let reset = usage.reset.unwrap_or(now);
            usage.closed_until = Some((reset, true));
            return Some(Refused::Primary { reset });
        }
        let too_many = points + cost > POINTS_PER_MINUTE
            || (write && usage.content.len() >= CONTENT_PER_MINUTE);
        if too_many {
            return Some(self.close(login, 60, false, now));
        }
        usage.used += 1;
        usage.minute.push_back((now, cost));
        if write {
            usage.content.push_back(now);
        }
        None
    }

    /// The request was answered with 304.
    pub(super) fn uncount(&mut self, login: &str) {
        if let Some(usage) = self.users.get_mut(login) {
            usage.used = usage.used.saturating_sub(1);
        }
    }

    /// The request asked for the limits: it counts for nothing at all.
    pub(super) fn forget(&mut self, login: &str) {
        self.uncount(login);
        if let Some(usage) = self.users.get_mut(login) {
            usage.minute.pop_back();
        }
    }

    /// Refuses everything of a user for a while.
    pub(super) fn close(
        &mut self,
        login: &str,
        seconds: u32,
        primary: bool,
        now: Timestamp,
    ) -> Refused {
        let until = now + SignedDuration::from_secs(i64::from(seconds));
        let usage = self.users.entry(login.to_owned()).or_default();
        usage.closed_until = Some((until, primary));
        match primary {
            true => Refused::Primary { reset: until },
            false => Refused::Secondary {
                retry_after_s: seconds,
            },
        }
    }

    pub(super) fn shown(&mut self, login: &str, now: Timestamp) -> Shown {
        let usage = self.users.entry(login.to_owned()).or_default();
        usage.roll(now);
        Shown {
            limit: PRIMARY,
            remaining: PRIMARY.saturating_sub(usage.used),
            used: usage.used,
            reset: usage.reset.unwrap_or(now),
        }
    }
}

impl Usage {
    fn roll(&mut self, now: Timestamp) {
        if self.reset.is_none_or(|reset| now >= reset) {
            self.reset = Some(now + SignedDuration::from_hours(1));
            self.used = 0;
        }
    }
}

fn seconds_up(now: Timestamp, until: Timestamp) -> u32 {
    let ms = until.duration_since(now).as_millis().max(1);
    u32::try_from((ms + 999) / 1000).unwrap_or(1)
}
