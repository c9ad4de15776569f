//! The table: an example of each kind of fault, and where the engine meets it. A kind without a row does not compile.

use asaf::emulators::aws::AwsFault;
use asaf::emulators::jira::FaultKind;

use super::Kind;

pub(crate) fn all() -> Vec<Kind> {
    let aws = aws().into_iter().map(Kind::Aws);
    aws.chain(jira().into_iter().map(Kind::Jira)).collect()
}

pub(crate) fn aws() -> Vec<AwsFault> {
    let region = "eu-west-1".to_owned();
    let code = "ConcurrentUpdateError".to_owned();
    vec![
        AwsFault::Throttled,
        AwsFault::InternalError,
        AwsFault::Unavailable,
        AwsFault::AccessDenied,
        AwsFault::ExpiredToken,
        AwsFault::DropBefore,
        AwsFault::ApplyThenDrop,
        AwsFault::Unprocessed { code, every_nth: 3 },
        AwsFault::EmptyListing,
        AwsFault::TruncatedListing,
        AwsFault::EmptyPage,
        AwsFault::LostRegion { region },
        AwsFault::StaleRead { seconds: 300 },
        AwsFault::LoseEvent,
        AwsFault::DuplicateEvent,
        AwsFault::DelayEvent { seconds: 60 },
    ]
}

pub(crate) fn jira() -> Vec<FaultKind> {
    let reason = "jira-burst-based".to_owned();
    vec![
        FaultKind::TooManyRequests {
            reason,
            retry_after_s: 7,
        },
        FaultKind::NearLimit,
        FaultKind::Unavailable { retry_after_s: 5 },
        FaultKind::ServerError(502),
        FaultKind::HtmlError(503),
        FaultKind::Unauthorized,
        FaultKind::ScopeMissing,
        FaultKind::Forbidden,
        FaultKind::NotFound,
        FaultKind::Conflict,
        FaultKind::ApplyThenDrop,
        FaultKind::DropBefore,
        FaultKind::SearchLag { seconds: 600 },
        FaultKind::SearchFlicker { permille: 500 },
        FaultKind::BulkTaskDies { after: 3 },
        FaultKind::BulkTaskFails { issues: 2 },
        FaultKind::BulkTaskSlow { seconds: 30 },
        FaultKind::WebhookLost,
        FaultKind::WebhookDuplicated,
        FaultKind::WebhookDelayed { seconds: 60 },
        FaultKind::WebhookReordered,
    ]
}

const READS: &[&str] = &["GetFindings", "AssumeRole", "GetResourceConfigHistory"];
const UPDATE: &[&str] = &["BatchUpdateFindings"];
const LISTING: &[&str] = &["GetFindings"];
const EVENTS: &[&str] = &["event "];

const CREATE: &str = "issue/bulk$";
const FETCH: &str = "issue/bulkfetch";
const SEARCH: &str = "search/jql";
const COMMENT: &str = "/comment";
const MOVE_MANY: &str = "bulk/issues/transition";
const DELETE_MANY: &str = "bulk/issues/delete";
const WEBHOOKS: &[&str] = &["webhook "];

/// Where a day's work of the engine meets a fault of this kind.
pub(crate) fn met_by_the_engine(kind: &Kind) -> &'static [&'static str] {
    match kind {
        Kind::Aws(kind) => match kind {
            AwsFault::Throttled | AwsFault::InternalError | AwsFault::Unavailable => &[
                "GetFindings",
                "BatchUpdateFindings",
                "GetResourceConfigHistory",
            ],
            AwsFault::AccessDenied | AwsFault::ExpiredToken => READS,
            AwsFault::DropBefore | AwsFault::ApplyThenDrop | AwsFault::Unprocessed { .. } => UPDATE,
            AwsFault::EmptyListing
            | AwsFault::TruncatedListing
            | AwsFault::EmptyPage
            | AwsFault::LostRegion { .. }
            | AwsFault::StaleRead { .. } => LISTING,
            AwsFault::LoseEvent | AwsFault::DuplicateEvent | AwsFault::DelayEvent { .. } => EVENTS,
        },
        Kind::Jira(kind) => match kind {
            FaultKind::TooManyRequests { .. }
            | FaultKind::NearLimit
            | FaultKind::Unavailable { .. } => &[CREATE, MOVE_MANY, SEARCH],
            FaultKind::ServerError(_) | FaultKind::HtmlError(_) => {
                &[CREATE, FETCH, COMMENT, MOVE_MANY, DELETE_MANY]
            }
            FaultKind::Unauthorized | FaultKind::ScopeMissing | FaultKind::Forbidden => {
                &[CREATE, FETCH, DELETE_MANY]
            }
            FaultKind::NotFound => &[COMMENT, FETCH],
            FaultKind::Conflict => &[CREATE, MOVE_MANY],
            FaultKind::ApplyThenDrop | FaultKind::DropBefore => {
                &[CREATE, COMMENT, MOVE_MANY, DELETE_MANY]
            }
            FaultKind::SearchLag { .. } => &[CREATE, MOVE_MANY],
            FaultKind::SearchFlicker { .. } => &[SEARCH],
            FaultKind::BulkTaskDies { .. }
            | FaultKind::BulkTaskFails { .. }
            | FaultKind::BulkTaskSlow { .. } => &[MOVE_MANY, DELETE_MANY],
            FaultKind::WebhookLost
            | FaultKind::WebhookDuplicated
            | FaultKind::WebhookDelayed { .. }
            | FaultKind::WebhookReordered => WEBHOOKS,
        },
    }
}
