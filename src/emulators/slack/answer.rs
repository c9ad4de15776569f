//! Answers as Slack gives them: 200 with `ok`, whatever went wrong; only rate limits and gateways have other statuses.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::emulators::{Response, json as json_response};

/// A method's result: both sides are bodies.
pub(super) type Outcome = Result<Value, Value>;

pub(super) fn refused(word: &str) -> Value {
    json!({ "ok": false, "error": word })
}

/// Blocks that break a rule, with a pointer to each place (as reported in slackapi/bolt-js and python-slack-sdk).
pub(super) fn invalid_blocks(problems: Vec<String>) -> Value {
    let messages: Vec<String> = problems
        .iter()
        .map(|one| format!("[ERROR] {one}"))
        .collect();
    json!({ "ok": false, "error": "invalid_blocks", "errors": problems,
        "response_metadata": { "messages": messages } })
}

pub(super) fn into_response(outcome: Outcome) -> Response {
    let (Ok(body) | Err(body)) = outcome;
    json_response(200, &body)
}

/// What the token may do, and what the method looks for (docs.slack.dev, "Installing with OAuth": response headers).
pub(super) fn with_scopes(
    mut response: Response,
    held: &BTreeSet<String>,
    accepted: &[&str],
) -> Response {
    let held: Vec<&str> = held.iter().map(String::as_str).collect();
    for (name, scopes) in [
        ("x-oauth-scopes", held.join(",")),
        ("x-accepted-oauth-scopes", accepted.join(",")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&scopes) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

pub(super) fn throttled(retry_after_s: u64) -> Response {
    let mut response = json_response(429, &refused("ratelimited"));
    if let Ok(value) = HeaderValue::from_str(&retry_after_s.to_string()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

pub(super) fn unknown_method(name: &str) -> Response {
    let message = format!("this emulator does not know the method {name}");
    json_response(
        501,
        &json!({ "ok": false, "error": "unknown_method", "req_method": name, "message": message }),
    )
}

pub(super) fn gateway(status: u16) -> Response {
    let mut response = page(&format!("<html><body><h1>{status}</h1></body></html>"));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    response
}

fn page(text: &str) -> Response {
    let mut response = Response::new(Bytes::from(text.to_owned()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
}

pub(super) fn plain(status: u16, text: &str) -> Response {
    let mut response = Response::new(Bytes::from(text.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    response
}
