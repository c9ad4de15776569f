//! The one HTTP client for JSON APIs other than AWS: authentication, one budget, one retry layer.
//!
//! It decides whether a request may have been applied and whether to send it again; it knows no vendor's fields
//! except those of error bodies and rate-limit headers.

mod request;
mod setup;
mod throttle;
mod words;

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::clock::Clock;
use crate::wire::budget::Budget;
use crate::wire::counts::{self, Counts};
use crate::wire::error::WireError;
use crate::wire::transport::{AGENT, Lost, Transport};

pub use request::{Answer, Idempotency, Operation, Request};
pub use setup::{Auth, BadSetup, HttpConfig};
pub(crate) use words::is_bidi_control;
pub use words::{encode, error_words, plain};

/// Tries of one request, the first included: Atlassian's rate-limit page advises at most 4.
const TRIES: usize = 4;
/// The longest that one call waits for throttling, all its tries together.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// The largest answer that is read.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// One API behind one base URL; clones share budget and counts.
#[derive(Clone)]
pub struct Http {
    api: &'static str,
    base: String,
    host: String,
    authorization: Option<HeaderValue>,
    renew: String,
    throttles_as_a_whole: bool,
    transport: Transport,
    budget: Budget,
    counts: Counts,
}

/// What became of one try.
enum Try {
    Done(Answer),
    Failed(WireError),
    /// Surely not applied, or harmless to repeat: send again after at least this wait.
    Again {
        error: WireError,
        wait: Option<Duration>,
    },
}

impl Http {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// [`BadSetup`], when URL or credential cannot be used.
    pub fn new(
        config: HttpConfig,
        transport: Transport,
        budget: Budget,
        counts: Counts,
    ) -> Result<Self, BadSetup> {
        let (base, host) = setup::base_url(&config.base_url, &transport).map_err(|why| {
            let url = plain(&config.base_url, 200);
            BadSetup::BaseUrl { url, why }
        })?;
        Ok(Http {
            api: config.api,
            base,
            host,
            authorization: setup::authorization(&config)?,
            renew: config.renew,
            throttles_as_a_whole: false,
            transport,
            budget,
            counts,
        })
    }

    /// Every throttling is about the whole API, and may come as a 403 that asks to wait (GitHub REST API: rate limits).
    #[must_use]
    pub fn throttled_as_a_whole(mut self) -> Self {
        self.throttles_as_a_whole = true;
        self
    }

    /// The clock that waits use.
    pub fn clock(&self) -> &Clock {
        self.budget.clock()
    }

    /// Sends a request, again where that is harmless, and waits where the API asks for it.
    ///
    /// # Errors
    /// [`WireError`]; see there what may have been applied.
    pub async fn send(&self, operation: &Operation, request: Request) -> Result<Answer, WireError> {
        let scopes = self.scopes(operation, &request.method);
        let mut delays = self.delays();
        let mut waited = Duration::ZERO;
        loop {
            self.pass_gates(operation, &scopes, &mut waited).await?;
            if operation.writes && !self.budget.may_write() {
                return Err(WireError::TooLate {
                    what: operation.what.clone(),
                });
            }
            let (error, wait) = match self.attempt(operation, &request, &scopes).await {
                Try::Done(answer) => return Ok(answer),
                Try::Failed(error) => return Err(error),
                Try::Again { error, wait } => (error, wait),
            };
            let Some(delay) = delays.next() else {
                return Err(error);
            };
            let wait = match wait {
                Some(asked) if asked > LONGEST_WAIT.saturating_sub(waited) => return Err(error),
                Some(asked) if !asked.is_zero() => asked,
                _ => delay,
            };
            waited += wait;
            self.clock().sleep(wait).await;
        }
    }

    /// Scopes of a request, widest first; sets the rates of those that have one.
    fn scopes(&self, operation: &Operation, method: &Method) -> Vec<String> {
        let endpoint = format!("{} {}", self.api, operation.name);
        self.budget
            .limit_if_new(&endpoint, throttle::endpoint_rate(method));
        let mut scopes = vec![self.api.to_owned(), endpoint];
        if let Some(item) = &operation.item {
            let item = format!("{} {item}", self.api);
            self.budget.limit_for_a_while(&item, throttle::ITEM_RATE);
            scopes.push(item);
        }
        scopes
    }

    /// Waits for every gate. Waiting at one may take so long that another closes, hence the loop.
    async fn pass_gates(
        &self,
        operation: &Operation,
        scopes: &[String],
        waited: &mut Duration,
    ) -> Result<(), WireError> {
        let names: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let closed_for = || {
            let each = names.iter().map(|scope| self.budget.closed_for(scope));
            each.max().unwrap_or(Duration::ZERO)
        };
        loop {
            let closed = closed_for();
            if closed > LONGEST_WAIT.saturating_sub(*waited) {
                return Err(WireError::Throttled {
                    what: operation.what.clone(),
                    reason: "an earlier answer asked to wait".to_owned(),
                    retry_after: closed,
                });
            }
            *waited += closed;
            self.budget.acquire(&names).await;
            if closed_for().is_zero() {
                return Ok(());
            }
        }
    }

    async fn attempt(&self, operation: &Operation, request: &Request, scopes: &[String]) -> Try {
        let wire = match self.build(request) {
            Ok(wire) => wire,
            Err(why) => {
                return Try::Failed(WireError::Refused {
                    what: operation.what.clone(),
                    status: 0,
                    code: None,
                    message: format!("the request cannot be built: {why}"),
                });
            }
        };
        self.counts.add(operation.name);
        let began = self.clock().now();
        let outcome = self.transport.send(wire).await;
        let took = self.clock().now().duration_since(began);
        let status = outcome
            .as_ref()
            .map_or(0, |answer| answer.status().as_u16());
        counts::answered(self.api, operation.name, status);
        match outcome {
            Ok(response) => {
                counts::remaining(self.api, throttle::remaining(response.headers()));
                let trace = response.headers().get("atl-traceid");
                tracing::debug!(
                    operation = operation.name,
                    status = response.status().as_u16(),
                    duration_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
                    atl_traceid = trace.and_then(|id| id.to_str().ok()).unwrap_or(""),
                    "{} answered",
                    self.api,
                );
                self.judge(operation, response, scopes)
            }
            Err(lost) => {
                tracing::debug!(
                    operation = operation.name,
                    duration_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
                    "{} did not answer",
                    self.api,
                );
                self.judge_loss(operation, lost)
            }
        }
    }

    fn judge_loss(&self, operation: &Operation, lost: Lost) -> Try {
        let what = operation.what.clone();
        match lost {
            Lost::BeforeSending(why) => Try::Again {
                error: WireError::Unreachable {
                    what,
                    host: self.host.clone(),
                    why: plain(&why, 200),
                },
                wait: None,
            },
            Lost::AfterSending(why) => again_if_safe(
                operation,
                WireError::Unknown {
                    what,
                    why: plain(&why, 200),
                },
                None,
            ),
        }
    }

    fn judge(
        &self,
        operation: &Operation,
        response: http::Response<Bytes>,
        scopes: &[String],
    ) -> Try {
        let (parts, body) = response.into_parts();
        let status = parts.status;
        let accepted = status.is_success() || operation.also_answers.contains(&status.as_u16());
        if accepted && body.len() > LARGEST_BODY {
            return Try::Failed(WireError::Decode {
                what: operation.what.clone(),
                path: ".".to_owned(),
                why: format!("{} bytes are more than the 16 MiB allowed", body.len()),
            });
        }
        if accepted {
            let status = status.as_u16();
            return Try::Done(Answer {
                status,
                headers: parts.headers,
                body,
            });
        }
        let forbidden_for_now = self.throttles_as_a_whole
            && status == StatusCode::FORBIDDEN
            && throttle::is_asked_to_wait(&parts.headers);
        if status == StatusCode::TOO_MANY_REQUESTS || forbidden_for_now {
            return self.throttled(operation, &parts.headers, scopes);
        }
        let message = error_words(&body);
        if status.is_server_error() {
            return self.server_failed(operation, status, message, &parts.headers, scopes);
        }
        Try::Failed(self.refused(operation, status, message))
    }

    fn throttled(&self, operation: &Operation, headers: &HeaderMap, scopes: &[String]) -> Try {
        let reason = throttle::reason(headers);
        counts::throttled(self.api, &reason);
        let asked = throttle::asked_wait(headers, self.clock().now());
        let scope = match self.throttles_as_a_whole {
            true => scopes.first().map(String::as_str),
            false => throttle::scope(&reason, scopes),
        };
        if let (Some(wait), Some(scope)) = (asked, scope) {
            self.budget.close(scope, wait);
        }
        Try::Again {
            error: WireError::Throttled {
                what: operation.what.clone(),
                reason,
                retry_after: asked.unwrap_or(Duration::from_secs(1)),
            },
            wait: asked,
        }
    }

    fn server_failed(
        &self,
        operation: &Operation,
        status: StatusCode,
        message: String,
        headers: &HeaderMap,
        scopes: &[String],
    ) -> Try {
        let asked = (status == StatusCode::SERVICE_UNAVAILABLE)
            .then(|| throttle::asked_wait(headers, self.clock().now()))
            .flatten();
        if let (Some(wait), Some(endpoint)) = (asked, scopes.get(1)) {
            self.budget.close(endpoint, wait);
        }
        let what = operation.what.clone();
        let error = match asked {
            Some(retry_after) if operation.idempotency == Idempotency::Safe => {
                WireError::Throttled {
                    what,
                    reason: format!("503 {message}"),
                    retry_after,
                }
            }
            _ => WireError::Server {
                what,
                status: status.as_u16(),
                message,
            },
        };
        again_if_safe(operation, error, asked)
    }

    fn refused(&self, operation: &Operation, status: StatusCode, message: String) -> WireError {
        let what = operation.what.clone();
        match status {
            // A scoped token without the scope (Atlassian: API tokens with scopes).
            StatusCode::UNAUTHORIZED if message.contains("scope does not match") => {
                WireError::Denied {
                    what,
                    status: 401,
                    message,
                    fix: format!(
                        "The token lacks a scope. It needs: {}",
                        operation.permission
                    ),
                }
            }
            StatusCode::UNAUTHORIZED => WireError::Denied {
                what,
                status: 401,
                message,
                fix: self.renew.clone(),
            },
            StatusCode::FORBIDDEN => WireError::Denied {
                what,
                status: 403,
                message,
                fix: format!("It needs the permission: {}", operation.permission),
            },
            StatusCode::NOT_FOUND => WireError::NotFound { what, message },
            _ if status.is_redirection() => WireError::Refused {
                what,
                status: status.as_u16(),
                code: None,
                message: format!(
                    "a redirect away from {}, which is not followed: check the base URL",
                    self.host
                ),
            },
            _ => WireError::Refused {
                what,
                status: status.as_u16(),
                code: None,
                message,
            },
        }
    }

    fn build(&self, request: &Request) -> Result<http::Request<Bytes>, http::Error> {
        let mut uri = format!("{}{}", self.base, request.path);
        for (index, (name, value)) in request.query.iter().enumerate() {
            uri.push(if index == 0 { '?' } else { '&' });
            uri.push_str(name);
            uri.push('=');
            uri.push_str(&encode(value));
        }
        let mut wire = http::Request::builder()
            .method(request.method.clone())
            .uri(uri)
            .header(header::USER_AGENT, AGENT)
            .header(header::ACCEPT, "application/json");
        for (name, value) in &request.headers {
            wire = wire.header(*name, value);
        }
        if let Some(authorization) = &self.authorization {
            wire = wire.header(header::AUTHORIZATION, authorization.clone());
        }
        match (&request.body, &request.file) {
            (None, None) => wire.body(Bytes::new()),
            (None, Some((content_type, bytes))) => wire
                .header(header::CONTENT_TYPE, *content_type)
                .body(bytes.clone()),
            (Some(body), _) => wire
                .header(header::CONTENT_TYPE, "application/json")
                .body(Bytes::from(body.to_string())),
        }
    }

    /// 1 s doubling to 30 s with jitter; virtual time must replay the same, so its jitter is seeded.
    fn delays(&self) -> ExponentialBackoff {
        let delays = ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs(1))
            .with_factor(2.0)
            .with_max_delay(Duration::from_secs(30))
            .with_max_times(TRIES - 1)
            .with_jitter();
        match self.clock() {
            Clock::System | Clock::Shifted(_) => delays.build(),
            Clock::Manual(_) => delays.with_jitter_seed(1).build(),
        }
    }
}

fn again_if_safe(operation: &Operation, error: WireError, wait: Option<Duration>) -> Try {
    match operation.idempotency {
        Idempotency::Safe => Try::Again { error, wait },
        Idempotency::Unsafe => Try::Failed(error),
    }
}

#[cfg(test)]
mod tests;
