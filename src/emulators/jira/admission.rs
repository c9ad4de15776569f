//! The way of a request: who asks, what refuses it before its handler runs, and the headers that every answer
//! carries. Holds no rule about issues.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::limits::{FaultKind, Scope, Throttle, rate_per_s};
use super::reply::{Outcome, Reply, add_header, bad_payload, refusal};
use super::route::{Call, Found, Matched, find, parse_query};
use super::users::{User, credentials};
use super::{Answered, Jira, Role};
use crate::emulators::journal::Journal;
use crate::emulators::{Request, Response};

impl Jira {
    pub(super) fn answer(
        &mut self,
        request: &Request,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Answered {
        self.requests += 1;
        self.settle(now, journal);
        let found = find(request.method().as_str(), request.uri().path());
        let operation = match &found {
            Found::Route(matched) => matched.operation.clone(),
            Found::Unknown(operation) | Found::Outside(operation) => operation.clone(),
        };
        *self.counts.entry(operation.clone()).or_default() += 1;
        let (reply, dropped) = match found {
            Found::Route(matched) => self.serve(request, matched, now, journal),
            Found::Unknown(operation) => {
                let sentence = format!(
                    "The emulator does not know {operation}: give it a behaviour or call another."
                );
                (refusal(501, sentence).into_response(), false)
            }
            Found::Outside(_) => (no_endpoint(request), false),
        };
        let mut response = reply;
        self.dress(&mut response, &operation);
        Answered {
            operation,
            response,
            dropped,
        }
    }

    fn serve(
        &mut self,
        request: &Request,
        matched: Matched,
        now: Timestamp,
        journal: &mut Journal,
    ) -> (Response, bool) {
        let operation = matched.operation.as_str();
        let written = self.written_issue(operation, &matched.params);
        let fault = self.faults.iter().position(|fault| fault.fits(operation));
        let throttle = self.limits.inside_window(operation, written, now);
        if let Some(throttle) = throttle {
            return (self.throttled(operation, &throttle, now, journal), false);
        }
        let fault = fault
            .and_then(|at| self.faults.remove(at))
            .map(|fault| fault.kind);
        if let Some(answer) =
            self.refused_by_fault(fault.as_ref(), operation, written, now, journal)
        {
            return answer;
        }
        if self.quotas_enabled
            && let Some(throttle) = self.limits.count(operation, written, now)
        {
            return (self.throttled(operation, &throttle, now, journal), false);
        }
        let outcome = self.run(request, matched, now, journal);
        if fault == Some(FaultKind::ApplyThenDrop) {
            return (lost(), true);
        }
        (
            outcome.unwrap_or_else(|refusal| refusal).into_response(),
            false,
        )
    }

    fn run(
        &mut self,
        request: &Request,
        matched: Matched,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Outcome {
        let given = credentials(request.headers().get(http::header::AUTHORIZATION));
        let known = given.and_then(|(email, token)| {
            self.users
                .iter()
                .find(|user| user.active && user.email == email && user.token == token)
                .cloned()
        });
        let user = match known {
            Some(user) => user,
            None if matched.operation.ends_with("/serverInfo") => nobody(),
            None => return Err(unauthenticated(&self.site)),
        };
        let body = match request.body() {
            empty if empty.is_empty() => Value::Null,
            full => serde_json::from_slice(full).map_err(|_| bad_payload())?,
        };
        let query = request.uri().query().map(parse_query).unwrap_or_default();
        let Matched {
            params,
            version,
            handler,
            ..
        } = matched;
        handler(
            self,
            &mut Call {
                user,
                params,
                query,
                body,
                now,
                version,
                journal,
            },
        )
    }

    fn refused_by_fault(
        &mut self,
        fault: Option<&FaultKind>,
        operation: &str,
        written: Option<u64>,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Option<(Response, bool)> {
        let response = match fault? {
            FaultKind::TooManyRequests {
                reason,
                retry_after_s,
            } => {
                let scope = match (reason.as_str(), written) {
                    ("jira-burst-based", _) => Scope::Endpoint(operation.to_owned()),
                    ("jira-per-issue-on-write", Some(id)) => Scope::Issue(id),
                    _ => Scope::Site,
                };
                let throttle = self.limits.shut(reason, scope, *retry_after_s, now);
                self.throttled(operation, &throttle, now, journal)
            }
            FaultKind::Unavailable { retry_after_s } => refusal(503, "Service Unavailable")
                .header("retry-after", retry_after_s.to_string())
                .into_response(),
            FaultKind::ServerError(status) => {
                refusal(*status, "Internal server error").into_response()
            }
            FaultKind::HtmlError(status) => html(*status),
            FaultKind::ApplyThenDrop => return None,
            FaultKind::DropBefore => return Some((lost(), true)),
        };
        Some((response, false))
    }

    /// 429 with the headers of Jira Cloud's rate limiting page; a request that came too early breaks S6.
    fn throttled(
        &self,
        operation: &str,
        throttle: &Throttle,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Response {
        let Throttle {
            reason,
            retry_after_s,
            inside_window,
        } = throttle;
        if *inside_window {
            let what = format!(
                "{operation} was sent inside a Retry-After window of {reason} ({retry_after_s} s left)"
            );
            journal.violate("S6", now, what);
        }
        let reset =
            now + jiff::SignedDuration::from_secs(i64::try_from(*retry_after_s).unwrap_or(3_600));
        // Both forms were seen on real sites: the quota's without seconds.
        let form = if reason.starts_with("jira-quota") {
            "%Y-%m-%dT%H:%MZ"
        } else {
            "%Y-%m-%dT%H:%M:%SZ"
        };
        refusal(429, "Rate limit exceeded.")
            .header("retry-after", retry_after_s.to_string())
            .header("ratelimit-reason", reason.clone())
            .header("x-ratelimit-limit", rate_per_s(operation).to_string())
            .header("x-ratelimit-remaining", "0")
            .header(
                "x-ratelimit-reset",
                reset
                    .to_zoned_datetime(TimeZone::UTC)
                    .strftime(form)
                    .to_string(),
            )
            .into_response()
    }

    /// The issue that a request writes to, for the per-issue limits.
    fn written_issue(&self, operation: &str, params: &[String]) -> Option<u64> {
        let is_write =
            !operation.starts_with("GET ") && operation.contains("/issue/{issueIdOrKey}");
        if is_write && !operation.ends_with("/changelog/list") {
            self.issue_id(params.first()?)
        } else {
            None
        }
    }

    /// Headers of every answer (recorded from Jira Cloud, 2026-10), and `Beta-` ones that must not be obeyed.
    fn dress(&self, response: &mut Response, operation: &str) {
        let trace = format!("{:032x}", u128::from(self.requests) * 0x9e37_79b9_7f4a_7c15);
        add_header(response, "atl-traceid", &trace);
        add_header(response, "atl-request-id", &trace);
        add_header(response, "x-arequestid", &format!("{:08x}", self.requests));
        add_header(response, "server", "AtlassianEdge");
        let rate = rate_per_s(operation);
        if !response.headers().contains_key("x-ratelimit-limit") {
            add_header(response, "x-ratelimit-limit", &rate.to_string());
            add_header(
                response,
                "x-ratelimit-remaining",
                &rate.saturating_sub(1).to_string(),
            );
        }
        let policy =
            format!("\"global-app-quota\";q=65000;w=3600,\"jira-burst-based\";q={rate};w=1");
        add_header(response, "beta-ratelimit-policy", &policy);
        add_header(response, "beta-ratelimit", "\"global-app-quota\";r=0;t=600");
        add_header(response, "beta-retry-after", "600");
        add_header(response, "x-beta-ratelimit-remaining", "0");
    }
}

/// What a client sees of an answer that never arrived: nothing; the marker is for callers in process.
fn lost() -> Response {
    Reply {
        status: 599,
        body: None,
        headers: Vec::new(),
    }
    .into_response()
}

fn html(status: u16) -> Response {
    let page = format!(
        "<html><head><title>{status}</title></head><body><h1>Something went wrong</h1></body></html>"
    );
    let mut response = Response::new(bytes::Bytes::from(page));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::BAD_GATEWAY);
    add_header(&mut response, "content-type", "text/html; charset=utf-8");
    response
}

fn no_endpoint(request: &Request) -> Response {
    let path = request.uri().path();
    let detail = format!("No endpoint {} {path}.", request.method());
    let body = json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": detail, "instance": path});
    Reply::new(404, body)
        .header("content-type", "application/problem+json")
        .into_response()
}

fn unauthenticated(site: &str) -> Reply {
    refusal(401, "Client must be authenticated to access this resource.")
        .header("www-authenticate", format!("OAuth realm=\"{site}\""))
        .header("x-seraph-loginreason", "AUTHENTICATED_FAILED")
}

fn nobody() -> User {
    User {
        account_id: String::new(),
        email: String::new(),
        token: String::new(),
        display_name: "Anonymous".into(),
        role: Role::Product,
        active: false,
        groups: Vec::new(),
    }
}
