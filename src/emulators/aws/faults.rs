//! What can go wrong at AWS: the kinds of fault, which operations each fits, and how each service words a refusal.

use serde::{Deserialize, Serialize};

use crate::emulators::Response;
use crate::emulators::protocol::{compatible_error, json_error, rest_error, xml_error};

/// A kind of fault. Those about events fit the delivery of an event, whose operation is `event` and its detail type,
/// such as `event Security Hub Findings - Imported`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AwsFault {
    /// Too many requests, in the service's own words.
    Throttled,
    /// The service failed; nothing changed.
    InternalError,
    /// 503; nothing changed.
    Unavailable,
    /// The principal may not do this.
    AccessDenied,
    /// The credentials have expired.
    ExpiredToken,
    /// The connection breaks before the request takes effect.
    DropBefore,
    /// The request takes effect and its answer is lost.
    ApplyThenDrop,
    /// Some identifiers of BatchUpdateFindings are not processed.
    Unprocessed {
        /// Error code, such as `ConcurrentUpdateError`.
        code: String,
        /// Every nth identifier, beginning with the first; 1 means all.
        every_nth: usize,
    },
    /// A listing finds nothing at all.
    EmptyListing,
    /// A page ends the listing although more would follow.
    TruncatedListing,
    /// A page is empty although more follows: its token leads on.
    EmptyPage,
    /// A Region is left out of an aggregated answer.
    LostRegion {
        /// The Region.
        region: String,
    },
    /// GetFindings shows findings as they were before the updates of so many last seconds.
    StaleRead {
        /// Seconds.
        seconds: u32,
    },
    /// An event is not delivered.
    LoseEvent,
    /// An event is delivered twice.
    DuplicateEvent,
    /// An event is delivered late, so that later ones overtake it.
    DelayEvent {
        /// Seconds.
        seconds: u32,
    },
}

/// Listings that come in pages.
const LISTINGS: [&str; 14] = [
    "ListMembers",
    "GetFindings",
    "GetFindingHistory",
    "SelectAggregateResourceConfig",
    "ListAggregateDiscoveredResources",
    "ListDiscoveredResources",
    "GetResourceConfigHistory",
    "DescribeConfigurationAggregators",
    "DescribeConfigurationAggregatorSourcesStatus",
    "ListAccounts",
    "ListAccountsForParent",
    "ListOrganizationalUnitsForParent",
    "ListTagsForResource",
    "ListQueues",
];

/// Answers that gather several Regions.
const AGGREGATED: [&str; 5] = [
    "GetFindings",
    "SelectAggregateResourceConfig",
    "ListAggregateDiscoveredResources",
    "GetAggregateResourceConfig",
    "BatchGetAggregateResourceConfig",
];

impl AwsFault {
    /// Whether this can happen to an operation.
    pub fn fits(&self, operation: &str) -> bool {
        use AwsFault as F;
        match self {
            F::LoseEvent | F::DuplicateEvent | F::DelayEvent { .. } => {
                operation.starts_with("event ")
            }
            F::Unprocessed { .. } => operation == "BatchUpdateFindings",
            F::StaleRead { .. } => operation == "GetFindings",
            F::LostRegion { .. } => AGGREGATED.contains(&operation),
            F::EmptyListing | F::TruncatedListing | F::EmptyPage => LISTINGS.contains(&operation),
            F::Throttled
            | F::InternalError
            | F::Unavailable
            | F::AccessDenied
            | F::ExpiredToken
            | F::DropBefore
            | F::ApplyThenDrop => !operation.starts_with("event "),
        }
    }

    /// The answer that refuses the whole request, if this fault does.
    pub(super) fn refusal(&self, service: &str, operation: &str) -> Option<Response> {
        match self {
            AwsFault::Throttled => Some(throttled(service)),
            AwsFault::InternalError => Some(internal(service)),
            AwsFault::Unavailable => Some(refused(
                service,
                503,
                "ServiceUnavailable",
                "Service is unavailable",
            )),
            AwsFault::AccessDenied => Some(denied(
                service,
                &format!("User is not authorized to perform: {service}:{operation}"),
            )),
            AwsFault::ExpiredToken => Some(expired(service)),
            _ => None,
        }
    }
}

/// An error in the protocol of a service.
pub(crate) fn refused(service: &str, status: u16, code: &str, message: &str) -> Response {
    match service {
        "securityhub" => rest_error(status, code, message),
        "sts" | "iam" => xml_error(status, code, message),
        "sqs" => compatible_error(status, (code, code), message),
        _ => json_error(status, code, message),
    }
}

/// Security Hub's name for throttling is not in its model (seen in public logs of its clients).
fn throttled(service: &str) -> Response {
    match service {
        "securityhub" => rest_error(429, "TooManyRequestsException", "Too Many Requests"),
        "organizations" => json_error(
            400,
            "TooManyRequestsException",
            "You have sent too many requests in too short a time.",
        ),
        "sts" | "iam" => xml_error(400, "Throttling", "Rate exceeded"),
        "sqs" => compatible_error(
            400,
            ("RequestThrottled", "RequestThrottled"),
            "Rate exceeded",
        ),
        _ => json_error(400, "ThrottlingException", "Rate exceeded"),
    }
}

fn internal(service: &str) -> Response {
    let code = match service {
        "securityhub" => "InternalException",
        "organizations" => "ServiceException",
        "secretsmanager" => "InternalServiceError",
        "iam" => "ServiceFailure",
        _ => "InternalFailure",
    };
    refused(service, 500, code, "Internal service failure")
}

/// Denied by IAM: the status depends on the protocol (AWS API references, "Common errors").
pub(crate) fn denied(service: &str, message: &str) -> Response {
    match service {
        "securityhub" => rest_error(403, "AccessDeniedException", message),
        "sts" | "iam" => xml_error(403, "AccessDenied", message),
        "sqs" => refused(service, 403, "AccessDenied", message),
        _ => json_error(400, "AccessDeniedException", message),
    }
}

/// Credentials that were valid once.
pub(crate) fn expired(service: &str) -> Response {
    let message = "The security token included in the request is expired";
    match service {
        "sts" | "iam" => xml_error(403, "ExpiredToken", message),
        "securityhub" => rest_error(403, "ExpiredTokenException", message),
        "sqs" => refused(service, 403, "ExpiredToken", message),
        _ => json_error(400, "ExpiredTokenException", message),
    }
}

/// Credentials that nobody has.
pub(crate) fn unknown_key(service: &str) -> Response {
    let message = "The security token included in the request is invalid.";
    match service {
        "sts" | "iam" => xml_error(403, "InvalidClientTokenId", message),
        "securityhub" => rest_error(403, "UnrecognizedClientException", message),
        "sqs" => refused(service, 403, "InvalidClientTokenId", message),
        _ => json_error(400, "UnrecognizedClientException", message),
    }
}

/// What this emulator does not do.
pub(crate) fn not_implemented(service: &str, what: &str) -> Response {
    refused(service, 501, "NotImplemented", what)
}
