//! What can go wrong on purpose, as it is armed in [`super::Jira::faults`]. Decides nothing about when.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The longest time that a fault holds anything back: ten years.
const LONGEST_S: u64 = 10 * 365 * 24 * 3_600;

/// Seconds of a fault as a time span that can be added to any date.
pub(super) fn span(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds.min(LONGEST_S)).unwrap_or(0))
}

/// What happens to a request, or to a webhook's delivery, that a fault strikes.
///
/// Faults of requests name an operation such as `POST /rest/api/3/issue/bulk`; faults of deliveries name `webhook` and
/// an event, such as `webhook jira:issue_updated`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// 429 with this `RateLimit-Reason`; the reason's scope stays shut for the time (Jira Cloud: rate limiting).
    TooManyRequests {
        /// `jira-quota-global-based`, `jira-quota-tenant-based`, `jira-burst-based` or `jira-per-issue-on-write`.
        reason: String,
        /// Seconds in `Retry-After`.
        retry_after_s: u64,
    },
    /// The answer warns with `X-RateLimit-NearLimit: true`; the request is served.
    NearLimit,
    /// 503 with `Retry-After` in seconds.
    Unavailable {
        /// Seconds in `Retry-After`.
        retry_after_s: u64,
    },
    /// This status with Jira's JSON error body, without `Retry-After`; nothing changes.
    ServerError(u16),
    /// This status with an HTML page, as the edge answers; nothing changes.
    HtmlError(u16),
    /// 401, as when the token has expired.
    Unauthorized,
    /// 401 with the body for a token that lacks the scope.
    ScopeMissing,
    /// 403: a permission was taken away.
    Forbidden,
    /// 404, as when the issue was deleted or hidden.
    NotFound,
    /// 409: another change of the same thing is under way.
    Conflict,
    /// The request takes effect and its answer is lost.
    ApplyThenDrop,
    /// The connection breaks before the request takes effect.
    DropBefore,
    /// What the request changes becomes visible to search this much later than other changes.
    SearchLag {
        /// Seconds.
        seconds: u64,
    },
    /// The search leaves out so many of 1,000 matches.
    SearchFlicker {
        /// 1 to 1,000.
        permille: u64,
    },
    /// The bulk task that the request submits dies after so many issues: `DEAD`, the rest undone.
    BulkTaskDies {
        /// Issues done before.
        after: usize,
    },
    /// The bulk task completes and its first so many issues have failed.
    BulkTaskFails {
        /// Issues that fail.
        issues: usize,
    },
    /// The bulk task runs this much longer.
    BulkTaskSlow {
        /// Seconds.
        seconds: u64,
    },
    /// The webhook is never sent.
    WebhookLost,
    /// The webhook is sent twice under one identifier, the second time as a retry.
    WebhookDuplicated,
    /// The webhook is sent later.
    WebhookDelayed {
        /// Seconds.
        seconds: u64,
    },
    /// The webhook is held back until others have overtaken it.
    WebhookReordered,
}

impl FaultKind {
    /// Whether it strikes deliveries of webhooks, not requests.
    pub fn is_of_webhooks(&self) -> bool {
        matches!(
            self,
            FaultKind::WebhookLost
                | FaultKind::WebhookDuplicated
                | FaultKind::WebhookDelayed { .. }
                | FaultKind::WebhookReordered
        )
    }
}
