//! How many requests each operation sent: run reports and request-budget tests read it. It counts, it limits nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests sent so far, by operation; clones share the numbers.
#[derive(Clone, Debug, Default)]
pub struct Counts(Arc<Mutex<BTreeMap<String, u64>>>);

impl Counts {
    /// Counts one request of `operation`, such as `jira POST /rest/api/3/issue/bulk`; each try counts.
    pub fn add(&self, operation: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(operation) {
            Some(count) => *count += 1,
            None => {
                counts.insert(operation.to_owned(), 1);
            }
        }
    }

    /// The numbers at this moment.
    pub fn snapshot(&self) -> BTreeMap<String, u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Says to `/metrics` how an operation was answered; status 0 is no answer. Names are patterns, so they are few.
pub(super) fn answered(api: &'static str, operation: &'static str, status: u16) {
    let status = status.to_string();
    metrics::counter!("asaf_api_requests_total", "api" => api, "op" => operation, "status" => status)
        .increment(1);
}

/// The reasons that Jira and AWS document; another one is not repeated as a label.
const REASONS: [&str; 10] = [
    "jira-quota-global-based",
    "jira-quota-tenant-based",
    "jira-burst-based",
    "jira-per-issue-on-write",
    "TooManyRequestsException",
    "LimitExceededException",
    "ThrottlingException",
    "Throttling",
    "RequestLimitExceeded",
    "ThrottledException",
];

/// Says to `/metrics` that a request was throttled.
pub(super) fn throttled(api: &'static str, reason: &str) {
    let reason = REASONS.into_iter().find(|known| *known == reason);
    metrics::counter!("asaf_api_throttled_total", "api" => api, "reason" => reason.unwrap_or("other"))
        .increment(1);
}

/// Says to `/metrics` how many requests the API's answer left for its current window; not every API says so.
pub(super) fn remaining(api: &'static str, requests: Option<u64>) {
    if let Some(requests) = requests {
        metrics::gauge!("asaf_api_budget_remaining", "api" => api).set(requests as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_count_together() {
        let counts = Counts::default();
        counts.clone().add("GET /a");
        counts.add("GET /a");
        counts.add("GET /b");
        let expected = BTreeMap::from([("GET /a".to_owned(), 2), ("GET /b".to_owned(), 1)]);
        assert_eq!(counts.snapshot(), expected);
    }
}
