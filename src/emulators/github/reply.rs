//! Answers and refusals before they become HTTP responses. Knows GitHub's error shapes, and nothing of its state.

use serde_json::{Value, json};

use crate::emulators::{self, Response};

/// A status, an optional JSON body, and headers of its own.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
    pub(super) headers: Vec<(&'static str, String)>,
}

/// A handler's result: both sides are answers; `?` leaves early with a refusal.
pub(super) type Outcome = Result<Reply, Reply>;

impl Reply {
    pub(super) fn new(status: u16, body: Value) -> Reply {
        Reply {
            status,
            body: Some(body),
            headers: Vec::new(),
        }
    }

    pub(super) fn bare(status: u16) -> Reply {
        Reply {
            status,
            body: None,
            headers: Vec::new(),
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = match &self.body {
            Some(body) => emulators::json(self.status, body),
            None => {
                let mut bare = Response::default();
                *bare.status_mut() =
                    http::StatusCode::from_u16(self.status).unwrap_or(http::StatusCode::NO_CONTENT);
                bare
            }
        };
        for (name, value) in self.headers {
            add_header(&mut response, name, &value);
        }
        response
    }
}

/// Sets a header; a value that is no legal header value is left out.
pub(super) fn add_header(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = http::HeaderValue::from_str(value) {
        let name = http::HeaderName::from_static(name);
        response.headers_mut().insert(name, value);
    }
}

pub(super) fn ok(body: Value) -> Outcome {
    Ok(Reply::new(200, body))
}

pub(super) fn created(body: Value) -> Outcome {
    Ok(Reply::new(201, body))
}

/// `{"message", "documentation_url", "status"}`: the shape of refusals.
pub(super) fn refusal(status: u16, message: impl Into<String>) -> Reply {
    let body = json!({
        "message": message.into(), "documentation_url": "https://docs.github.com/rest", "status": status.to_string(),
    });
    Reply::new(status, body)
}

pub(super) fn not_found() -> Reply {
    refusal(404, "Not Found")
}

/// 422 with its `errors` (REST API: troubleshooting, "validation failed").
pub(super) fn invalid(resource: &str, field: &str, code: &str, message: &str) -> Reply {
    let mut error = json!({ "resource": resource, "field": field, "code": code });
    if !message.is_empty() {
        error["message"] = json!(message);
    }
    let mut reply = refusal(422, "Validation Failed");
    if let Some(body) = &mut reply.body {
        body["errors"] = json!([error]);
    }
    reply
}

/// A member that must be a string.
pub(super) fn text<'a>(body: &'a Value, field: &str, resource: &str) -> Result<&'a str, Reply> {
    body[field]
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| invalid(resource, field, "missing_field", ""))
}
