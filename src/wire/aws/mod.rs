//! AWS through its own SDK, with our transport underneath and our one retry layer around it.
//!
//! The SDK signs, finds endpoints and credentials, and serialises requests. Answers are read from the raw body: one
//! finding that AWS's types cannot hold must not lose a page of a hundred.

mod connector;
pub mod console;
mod credentials;

use std::future::Future;
use std::time::Duration;

use aws_sdk_securityhub::config::SharedHttpClient;
use backon::BackoffBuilder;
use bytes::Bytes;
use serde_json::Value;

use crate::clock::Clock;
use crate::wire::budget::{Budget, Rate};
use crate::wire::counts::{self, Counts};
use crate::wire::error::WireError;
use crate::wire::transport::{Lost, Transport};

use connector::{Recorder, Seen};
pub use console::console_url;
pub use credentials::Credentials;

/// Where AWS is.
#[derive(Clone, Debug, Default)]
pub struct AwsSettings {
    /// Home Region of the Security Hub administrator.
    pub region: String,
    /// For emulators and proxies: every service is there.
    pub endpoint_url: Option<String>,
    /// AWS Config aggregator.
    pub aggregator: String,
    /// Role in member accounts that may read Config.
    pub member_role: Option<String>,
    /// External id of that role's trust.
    pub external_id: Option<String>,
    /// Named profile of the AWS configuration.
    pub profile: Option<String>,
    /// No rates on our side: for emulators only.
    pub unlimited: bool,
}

/// Rates that AWS documents per account and Region, in requests a second: Security Hub API reference, "Throttling";
/// Organizations user guide, "Quotas". Config publishes none: ours is cautious.
const RATES: [(&str, f64, u32); 12] = [
    ("GetFindings", 3.0, 6),
    ("BatchUpdateFindings", 10.0, 30),
    ("GetFindingHistory", 10.0, 30),
    ("SelectAggregateResourceConfig", 4.0, 8),
    ("BatchGetAggregateResourceConfig", 4.0, 8),
    ("GetResourceConfigHistory", 4.0, 8),
    ("ListDiscoveredResources", 4.0, 8),
    ("ListAccounts", 8.0, 12),
    ("ListRoots", 1.0, 2),
    ("ListTagsForResource", 10.0, 15),
    ("ListAccountsForParent", 5.0, 8),
    ("ListOrganizationalUnitsForParent", 5.0, 8),
];

/// Tries of one request when it is throttled, and when it fails otherwise. All operations used are repeatable.
const TRIES_THROTTLED: usize = 8;
const TRIES_FAILED: usize = 4;

/// A connection to AWS: implements the ports of Security Hub, Config and Organizations.
pub struct Aws {
    pub(super) settings: AwsSettings,
    pub(super) config: aws_config::SdkConfig,
    pub(super) identity: tokio::sync::OnceCell<String>,
    pub(super) members: credentials::Members,
    transport: Transport,
    budget: Budget,
    counts: Counts,
}

/// One operation, for budgets, counts and errors.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// AWS's name.
    pub(super) name: &'static str,
    /// What is being done, to which thing.
    pub(super) what: String,
    /// The IAM action that it needs.
    pub(super) action: &'static str,
}

impl Aws {
    /// Prepares the clients; nothing is sent yet, except what finding credentials needs.
    pub async fn connect(
        settings: AwsSettings,
        credentials: Credentials,
        transport: Transport,
        budget: Budget,
        counts: Counts,
    ) -> Self {
        if !settings.unlimited {
            for (operation, per_s, burst) in RATES {
                budget.limit_if_new(&format!("aws {operation}"), Rate { per_s, burst });
            }
        }
        let config = credentials.load(&settings).await;
        // Each operation brings its own. Without one here the SDK makes one for each of its clients, and reads every root
        // certificate for it.
        let never_asked = Recorder::new(transport.clone()).client();
        let config = config.into_builder().http_client(never_asked).build();
        Aws {
            settings,
            config,
            identity: tokio::sync::OnceCell::new(),
            members: credentials::Members::default(),
            transport,
            budget,
            counts,
        }
    }

    /// The clock that budgets wait on.
    pub(super) fn clock(&self) -> &crate::clock::Clock {
        self.budget.clock()
    }

    /// Sends one operation with budget and retries; returns the body of its success.
    ///
    /// `send` sends it once through the given HTTP client; its error only counts when nothing was sent.
    pub(super) async fn call<F>(
        &self,
        operation: &Operation,
        send: impl Fn(SharedHttpClient) -> F + Send + Sync,
    ) -> Result<Bytes, WireError>
    where
        F: Future<Output = Result<(), String>> + Send,
    {
        let scope = format!("aws {}", operation.name);
        let waits = backon::ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs(1))
            .with_max_delay(Duration::from_secs(20))
            .with_jitter()
            .with_max_times(TRIES_THROTTLED);
        // Virtual time must replay the same.
        let mut waits = match self.clock() {
            Clock::System | Clock::Shifted(_) => waits.build(),
            Clock::Manual(_) => waits.with_jitter_seed(1).build(),
        };
        let mut tries = 0;
        loop {
            self.budget.acquire(&["aws", &scope]).await;
            if GUARDED.contains(&operation.name) && !self.budget.may_write() {
                return Err(WireError::TooLate {
                    what: operation.what.clone(),
                });
            }
            self.counts.add(operation.name);
            tries += 1;
            let recorder = Recorder::new(self.transport.clone());
            // The SDK's futures are tens of kilobytes: they belong on the heap.
            let started = Box::pin(send(recorder.client())).await;
            let seen = recorder.seen();
            counts::answered("aws", operation.name, seen.status());
            let error = match self.judge(operation, seen, started) {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            if let WireError::Throttled { reason, .. } = &error {
                counts::throttled("aws", reason);
            }
            let most = if matches!(error, WireError::Throttled { .. }) {
                TRIES_THROTTLED
            } else {
                TRIES_FAILED
            };
            let again = matches!(
                error,
                WireError::Throttled { .. }
                    | WireError::Server { .. }
                    | WireError::Unknown { .. }
                    | WireError::Unreachable { .. }
            );
            match waits.next().filter(|_| again && tries < most) {
                Some(wait) => self.budget.close(&scope, wait),
                None => return Err(error),
            }
        }
    }

    /// Sends one operation and reads its JSON.
    pub(super) async fn call_json<F>(
        &self,
        operation: &Operation,
        send: impl Fn(SharedHttpClient) -> F + Send + Sync,
    ) -> Result<Value, WireError>
    where
        F: Future<Output = Result<(), String>> + Send,
    {
        let body = self.call(operation, send).await?;
        serde_json::from_slice(&body).map_err(|e| WireError::Decode {
            what: operation.what.clone(),
            path: format!("line {} column {}", e.line(), e.column()),
            why: e.to_string(),
        })
    }

    fn judge(
        &self,
        operation: &Operation,
        seen: Seen,
        started: Result<(), String>,
    ) -> Result<Bytes, WireError> {
        let what = operation.what.clone();
        match seen {
            Seen::Answer {
                status: 200..=299,
                body,
                ..
            } => Ok(body),
            Seen::Answer { status, code, body } => Err(refusal(operation, status, code, &body)),
            Seen::Lost(Lost::AfterSending(why)) => Err(WireError::Unknown { what, why }),
            Seen::Lost(Lost::BeforeSending(why)) => {
                let host = self.settings.endpoint_url.clone();
                let host = host.unwrap_or_else(|| format!("AWS in {}", self.settings.region));
                Err(WireError::Unreachable { what, host, why })
            }
            Seen::Nothing => Err(WireError::Denied {
                what,
                status: 0,
                message: started
                    .err()
                    .unwrap_or_else(|| "the request was not sent".to_owned()),
                fix: "Check the AWS credentials (environment, profile or role) and the Region"
                    .to_owned(),
            }),
        }
    }
}

/// Operations that a worker whose lease ends sends no more.
const GUARDED: [&str; 1] = ["BatchUpdateFindings"];

/// Throttling arrives under several names, some of them not in AWS's model.
const THROTTLED: [&str; 6] = [
    "TooManyRequestsException",
    "LimitExceededException",
    "ThrottlingException",
    "Throttling",
    "RequestLimitExceeded",
    "ThrottledException",
];

fn refusal(operation: &Operation, status: u16, code: Option<String>, body: &[u8]) -> WireError {
    let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let text = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| json[*name].as_str())
            .map(str::to_owned)
    };
    let code = code
        .or_else(|| text(["Code", "code"]))
        .or_else(|| text(["__type", "type"]))
        .map(|code| {
            code.rsplit('#')
                .next()
                .unwrap_or(&code)
                .split(':')
                .next()
                .unwrap_or("")
                .to_owned()
        })
        .or_else(|| xml_member(body, "Code"));
    let message = text(["Message", "message"])
        .or_else(|| xml_member(body, "Message"))
        .unwrap_or_else(|| {
            crate::wire::http::plain(&String::from_utf8_lossy(&body[..body.len().min(2000)]), 200)
        });
    let what = operation.what.clone();
    let name = code.clone().unwrap_or_default();
    if status == 429 || THROTTLED.contains(&name.as_str()) {
        return WireError::Throttled {
            what,
            reason: name,
            retry_after: Duration::from_secs(1),
        };
    }
    let denied = matches!(status, 401 | 403)
        || [
            "AccessDenied",
            "UnrecognizedClient",
            "ExpiredToken",
            "InvalidClientTokenId",
            "InvalidAccess",
            "InvalidSignature",
        ]
        .iter()
        .any(|denied| name.starts_with(denied));
    if denied {
        let fix = match name.as_str() {
            "InvalidAccessException" => {
                "Enable Security Hub in this account and Region, or run in the delegated administrator's home Region".to_owned()
            }
            "UnrecognizedClientException" | "InvalidClientTokenId" | "ExpiredTokenException" | "ExpiredToken" => {
                "Renew the AWS credentials: they are unknown or have expired".to_owned()
            }
            _ => format!("Allow {} for the engine's role", operation.action),
        };
        return WireError::Denied {
            what,
            status,
            message: format!("{name}: {message}"),
            fix,
        };
    }
    match status {
        500..=599 if status != 501 => WireError::Server {
            what,
            status,
            message,
        },
        _ => WireError::Refused {
            what,
            status,
            code,
            message,
        },
    }
}

fn xml_member(body: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let start = text.split_once(&format!("<{name}>"))?.1;
    Some(start.split_once(&format!("</{name}>"))?.0.to_owned())
}

/// An SDK error that came before anything was sent, in words.
pub(super) fn words<E: std::error::Error>(error: E) -> String {
    aws_sdk_securityhub::error::DisplayErrorContext(error).to_string()
}
