//! Jira Cloud's burst limits, per-issue limits and Retry-After windows. Refuses; never changes issues.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::faults::span;
use crate::emulators::quota::{Bucket, Verdict};

/// What a limit applies to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    Site,
    Endpoint(String),
    Issue(u64),
}

/// A refusal with 429.
#[derive(Clone, Debug)]
pub(super) struct Throttle {
    pub(super) reason: String,
    pub(super) retry_after_s: u64,
    /// The client had been told to wait and came too early.
    pub(super) inside_window: bool,
}

/// The state of all limits.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    buckets: HashMap<String, Bucket>,
    writes: HashMap<u64, VecDeque<Timestamp>>,
    windows: HashMap<Scope, (Timestamp, String)>,
}

impl Limits {
    /// Refuses a request that comes inside a Retry-After window of one of its scopes.
    pub(super) fn inside_window(
        &mut self,
        operation: &str,
        written: Option<u64>,
        now: Timestamp,
    ) -> Option<Throttle> {
        if self.windows.is_empty() {
            return None;
        }
        self.windows.retain(|_, (until, _)| now < *until);
        let mut scopes = vec![Scope::Site, Scope::Endpoint(operation.to_owned())];
        scopes.extend(written.map(Scope::Issue));
        scopes.iter().find_map(|scope| {
            let (until, reason) = self.windows.get(scope)?;
            Some(Throttle {
                reason: reason.clone(),
                retry_after_s: seconds_up(now, *until),
                inside_window: true,
            })
        })
    }

    /// Counts the request against its endpoint's bucket and its issue's write limits.
    pub(super) fn count(
        &mut self,
        operation: &str,
        written: Option<u64>,
        now: Timestamp,
    ) -> Option<Throttle> {
        let rate = f64::from(rate_per_s(operation));
        let bucket = self
            .buckets
            .entry(operation.to_owned())
            .or_insert_with(|| Bucket::new(rate, rate));
        if let Verdict::Refused { retry_after_s, .. } = bucket.take(now) {
            return Some(self.shut(
                "jira-burst-based",
                Scope::Endpoint(operation.to_owned()),
                retry_after_s,
                now,
            ));
        }
        let id = written?;
        let times = self.writes.entry(id).or_default();
        while times.len() > 100 {
            times.pop_front();
        }
        let wait = [(20, 2), (100, 30)].into_iter().find_map(|(most, span_s)| {
            let oldest = *times.get(times.len().checked_sub(most)?)?;
            let free = oldest + SignedDuration::from_secs(span_s);
            (now < free).then(|| seconds_up(now, free))
        });
        match wait {
            Some(wait_s) => {
                Some(self.shut("jira-per-issue-on-write", Scope::Issue(id), wait_s, now))
            }
            None => {
                times.push_back(now);
                None
            }
        }
    }

    /// Opens a Retry-After window.
    pub(super) fn shut(
        &mut self,
        reason: &str,
        scope: Scope,
        retry_after_s: u64,
        now: Timestamp,
    ) -> Throttle {
        let until = now + span(retry_after_s);
        self.windows.insert(scope, (until, reason.to_owned()));
        Throttle {
            reason: reason.to_owned(),
            retry_after_s,
            inside_window: false,
        }
    }
}

/// Requests a second for each endpoint and method, with the exceptions that matter here (Jira Cloud: rate limiting).
pub(super) fn rate_per_s(operation: &str) -> u32 {
    let (method, path) = operation.split_once(' ').unwrap_or((operation, ""));
    match method {
        "GET" if path.ends_with("/issue/{issueIdOrKey}/changelog") => 200,
        "GET" if path.ends_with("/issue/{issueIdOrKey}") || path.ends_with("/user") => 150,
        "POST" if path.ends_with("/search/approximate-count") => 150,
        "PUT" | "DELETE" => 50,
        _ => 100,
    }
}

fn seconds_up(now: Timestamp, until: Timestamp) -> u64 {
    let ms = until.duration_since(now).as_millis().max(1);
    u64::try_from((ms + 999) / 1000).unwrap_or(1)
}
