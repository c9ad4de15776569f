//! The way of a request: what refuses it before its handler runs, and the headers that every answer carries. Holds no rule
//! about issues.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::auth::{self, entrance, unauthenticated};
use super::faults::{FaultKind, span};
use super::limits::{Scope, Throttle, rate_per_s};
use super::reply::{Outcome, Reply, add_header, bad_json, no_issue, refusal};
use super::route::{Call, Found, Matched, find, parse_query};
use super::{Answered, Jira};
use crate::emulators::journal::Journal;
use crate::emulators::{Request, Response};

/// Below this share of the points a client is warned (Jira Cloud: rate limiting).
const NEAR_PERCENT: u64 = 20;

impl Jira {
    pub(super) fn answer(
        &mut self,
        request: &Request,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Answered {
        self.requests += 1;
        self.settle(now, journal);
        let entrance = entrance(request.uri().path());
        let found = find(request.method().as_str(), entrance.path);
        let operation = match &found {
            Found::Route(matched) => matched.operation.clone(),
            Found::Unknown(operation) | Found::Outside(operation) => operation.clone(),
        };
        *self.counts.entry(operation.clone()).or_default() += 1;
        let is_stranger = entrance.cloud_id.is_some_and(|id| id != self.cloud_id);
        let (mut response, dropped) = match found {
            _ if is_stranger => {
                let reply = self.unknown_site(request.uri().path(), now);
                (reply.into_response(), false)
            }
            Found::Route(matched) if self.is_data_center && matched.version == "3" => {
                (no_endpoint(request), false)
            }
            Found::Route(matched) => {
                let is_gateway = entrance.cloud_id.is_some();
                self.serve(request, matched, is_gateway, now, journal)
            }
            Found::Unknown(operation) => {
                let sentence = format!(
                    "The emulator does not know {operation}: give it a behaviour or call another."
                );
                (refusal(501, sentence).into_response(), false)
            }
            Found::Outside(_) => (no_endpoint(request), false),
        };
        self.dress(&mut response, &operation, now);
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
        is_gateway: bool,
        now: Timestamp,
        journal: &mut Journal,
    ) -> (Response, bool) {
        let operation = matched.operation.clone();
        let written = self.written_issue(&operation, &matched.params);
        if let Some(throttle) = self.limits.inside_window(&operation, written, now) {
            return (self.throttled(&operation, &throttle, now, journal), false);
        }
        if self.quotas_enabled
            && let Some(throttle) = self.limits.count(&operation, written, now)
        {
            return (self.throttled(&operation, &throttle, now, journal), false);
        }
        if let Some(throttle) = self.out_of_points(now) {
            return (self.throttled(&operation, &throttle, now, journal), false);
        }
        let fault = self
            .faults
            .strike(&operation, |kind| !kind.is_of_webhooks());
        let refused = self.refused_by_fault(fault.as_ref(), &operation, written, now, journal);
        if let Some(answer) = refused {
            return answer;
        }
        let outcome = self.run(request, matched, is_gateway, fault.clone(), now, journal);
        let reply = outcome.unwrap_or_else(|refusal| refusal);
        if self.points_per_hour.is_some() {
            self.points.spend(reply.body.as_ref(), now);
        }
        if fault == Some(FaultKind::ApplyThenDrop) {
            return (lost(), true);
        }
        let mut response = reply.into_response();
        if fault == Some(FaultKind::NearLimit) {
            add_header(&mut response, "x-ratelimit-nearlimit", "true");
        }
        (response, false)
    }

    fn run(
        &mut self,
        request: &Request,
        matched: Matched,
        is_gateway: bool,
        fault: Option<FaultKind>,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Outcome {
        let header = request.headers().get(http::header::AUTHORIZATION);
        let user = self.authenticated(header, is_gateway, matched.scope, now)?;
        let body = match request.body() {
            empty if empty.is_empty() => Value::Null,
            full => serde_json::from_slice(full).map_err(|_| bad_json())?,
        };
        let query = request.uri().query().map(parse_query).unwrap_or_default();
        let Matched {
            params,
            version,
            handler,
            ..
        } = matched;
        let mut call = Call {
            user,
            params,
            query,
            body,
            now,
            version,
            fault,
            journal,
        };
        handler(self, &mut call)
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
            FaultKind::Unauthorized => unauthenticated(&self.site).into_response(),
            FaultKind::ScopeMissing => auth::scope_missing().into_response(),
            FaultKind::Forbidden => {
                let text = "You do not have the permission to perform this operation.";
                refusal(403, text).into_response()
            }
            FaultKind::NotFound => no_issue().into_response(),
            FaultKind::Conflict => {
                let text = "The issue is being changed by another request. Try again.";
                refusal(409, text).into_response()
            }
            FaultKind::DropBefore => return Some((lost(), true)),
            FaultKind::ApplyThenDrop
            | FaultKind::NearLimit
            | FaultKind::SearchLag { .. }
            | FaultKind::SearchFlicker { .. }
            | FaultKind::BulkTaskDies { .. }
            | FaultKind::BulkTaskFails { .. }
            | FaultKind::BulkTaskSlow { .. }
            | FaultKind::WebhookLost
            | FaultKind::WebhookDuplicated
            | FaultKind::WebhookDelayed { .. }
            | FaultKind::WebhookReordered => return None,
        };
        Some((response, false))
    }

    /// All requests are refused until the next full hour (Jira Cloud: rate limiting, points).
    fn out_of_points(&mut self, now: Timestamp) -> Option<Throttle> {
        let wait_s = self.points.left(self.points_per_hour?, now).err()?;
        let reason = "jira-quota-tenant-based";
        Some(self.limits.shut(reason, Scope::Site, wait_s, now))
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
        let is_quota = reason.starts_with("jira-quota");
        let reset = now + span(*retry_after_s);
        let limit = match self.points_per_hour {
            Some(points) if is_quota => points,
            _ => u64::from(rate_per_s(operation)),
        };
        refusal(429, "Rate limit exceeded.")
            .header("retry-after", retry_after_s.to_string())
            .header("ratelimit-reason", reason.clone())
            .header("x-ratelimit-limit", limit.to_string())
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-reset", reset_text(reset, is_quota))
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
    fn dress(&mut self, response: &mut Response, operation: &str, now: Timestamp) {
        let trace = format!("{:032x}", u128::from(self.requests) * 0x9e37_79b9_7f4a_7c15);
        add_header(response, "atl-traceid", &trace);
        add_header(response, "atl-request-id", &trace);
        add_header(response, "x-arequestid", &format!("{:08x}", self.requests));
        add_header(response, "server", "AtlassianEdge");
        if !response.headers().contains_key("x-ratelimit-limit") {
            self.tell_what_is_left(response, operation, now);
        }
        let rate = rate_per_s(operation);
        let policy =
            format!("\"global-app-quota\";q=65000;w=3600,\"jira-burst-based\";q={rate};w=1");
        add_header(response, "beta-ratelimit-policy", &policy);
        add_header(response, "beta-ratelimit", "\"global-app-quota\";r=0;t=600");
        add_header(response, "beta-retry-after", "600");
        add_header(response, "x-beta-ratelimit-remaining", "0");
    }

    /// Per second for bursts; per hour, with a warning near the end, where points are counted.
    fn tell_what_is_left(&mut self, response: &mut Response, operation: &str, now: Timestamp) {
        let rate = u64::from(rate_per_s(operation));
        let (limit, left) = match self.points_per_hour {
            None => (rate, rate.saturating_sub(1)),
            Some(points) => {
                let left = self.points.left(points, now).unwrap_or(0);
                if left * 100 < points * NEAR_PERCENT {
                    add_header(response, "x-ratelimit-nearlimit", "true");
                }
                let reset = reset_text(self.points.reset(now), true);
                add_header(response, "x-ratelimit-reset", &reset);
                (points, left)
            }
        };
        add_header(response, "x-ratelimit-limit", &limit.to_string());
        add_header(response, "x-ratelimit-remaining", &left.to_string());
    }
}

/// Both forms were seen on real sites: the quota's without seconds.
fn reset_text(at: Timestamp, is_quota: bool) -> String {
    let form = if is_quota {
        "%Y-%m-%dT%H:%MZ"
    } else {
        "%Y-%m-%dT%H:%M:%SZ"
    };
    at.to_zoned_datetime(TimeZone::UTC)
        .strftime(form)
        .to_string()
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
