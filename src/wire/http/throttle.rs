//! How long a 429 or 503 asks to wait, and which scope it closes. Jira's limits are described at
//! <https://developer.atlassian.com/cloud/jira/platform/rate-limiting/>.

use std::time::Duration;

use http::{HeaderMap, Method, header};
use jiff::Timestamp;

use crate::mutant;
use crate::wire::budget::Rate;
use crate::wire::http::words::plain;

/// Writes to one issue: 20 in 2 s and 100 in 30 s are allowed. 2.6/s after 10 at once stays below both.
pub(super) const ITEM_RATE: Rate = Rate {
    per_s: 2.6,
    burst: 10,
};

/// 80 % of Jira's burst limits (GET 100/s, POST 100/s, PUT 50/s, DELETE 50/s per endpoint); the rest is the burst, so
/// that no window of one second can exceed the limit.
pub(super) fn endpoint_rate(method: &Method) -> Rate {
    let (per_s, burst) = match *method {
        Method::GET | Method::POST => (80.0, 20),
        _ => (40.0, 10),
    };
    Rate { per_s, burst }
}

/// `RateLimit-Reason`, or words for its absence.
pub(super) fn reason(headers: &HeaderMap) -> String {
    text(headers, "ratelimit-reason").map_or_else(|| "no reason given".to_owned(), |r| plain(r, 80))
}

/// The scope that a reason is about. `scopes` are the API's, the endpoint's and the item's, in that order.
pub(super) fn scope<'a>(reason: &str, scopes: &'a [String]) -> Option<&'a str> {
    let index = match reason {
        _ if reason.starts_with("jira-quota-") => 0,
        "jira-per-issue-on-write" => 2,
        _ => 1,
    };
    scopes
        .get(index)
        .or_else(|| scopes.get(1))
        .map(String::as_str)
}

/// `Retry-After` in seconds or as a date, else the time till `X-RateLimit-Reset`. `Beta-` headers are informational
/// and never obeyed.
pub(super) fn asked_wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if mutant::is("retry-after-ignored") {
        return None;
    }
    if let Some(retry_after) = text(headers, header::RETRY_AFTER.as_str()) {
        if let Ok(seconds) = retry_after.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        if let Some(at) = httpdate::parse_http_date(retry_after)
            .ok()
            .and_then(|at| Timestamp::try_from(at).ok())
        {
            return Some(until(at, now));
        }
    }
    let reset = text(headers, "x-ratelimit-reset")?;
    // Jira gives a time, GitHub the seconds since 1970.
    let at = match reset.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) => reset.parse().ok(),
    };
    at.map(|at| until(at, now))
}

/// The answer names a time to come back, or says that nothing is left: a 403 with either is no lack of permission.
pub(super) fn is_asked_to_wait(headers: &HeaderMap) -> bool {
    text(headers, header::RETRY_AFTER.as_str()).is_some() || remaining(headers) == Some(0)
}

/// Requests that are left of the API's current window: at Jira the endpoint's second, at GitHub the hour.
pub(super) fn remaining(headers: &HeaderMap) -> Option<u64> {
    text(headers, "x-ratelimit-remaining")?.parse().ok()
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
}
