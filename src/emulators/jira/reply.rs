//! Answers and refusals before they become HTTP responses. Knows Jira's error shapes, and nothing of its state.

use serde_json::{Map, Value, json};

use crate::emulators::{self, Response};

/// A status, an optional JSON body, and headers of its own.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// A handler's result: both sides are answers; `?` leaves early with a refusal.
pub(crate) type Outcome = Result<Reply, Reply>;

impl Reply {
    pub(super) fn new(status: u16, body: Value) -> Reply {
        Reply {
            status,
            body: Some(body),
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
        response
            .headers_mut()
            .insert(http::HeaderName::from_static(name), value);
    }
}

pub(super) fn ok(body: Value) -> Outcome {
    Ok(Reply::new(200, body))
}

pub(super) fn created(body: Value) -> Outcome {
    Ok(Reply::new(201, body))
}

pub(super) fn no_content() -> Outcome {
    Ok(Reply {
        status: 204,
        body: None,
        headers: Vec::new(),
    })
}

/// 200 without a body.
pub(super) fn ok_empty() -> Outcome {
    Ok(Reply {
        status: 200,
        body: None,
        headers: Vec::new(),
    })
}

/// The usual error collection with one message (Jira REST v3: ErrorCollection).
pub(super) fn refusal(status: u16, message: impl Into<String>) -> Reply {
    Reply::new(
        status,
        json!({"errorMessages": [message.into()], "errors": {}}),
    )
}

/// The usual error collection with one text for each field.
pub(super) fn field_refusal(errors: Map<String, Value>) -> Reply {
    Reply::new(400, json!({"errorMessages": [], "errors": errors}))
}

/// An error collection for one field.
pub(super) fn one_field(field: &str, text: impl Into<String>) -> Reply {
    let mut errors = Map::new();
    errors.insert(field.to_owned(), Value::String(text.into()));
    field_refusal(errors)
}

/// The shape of bulk operation errors, which differs from all others (Jira REST v3: BulkOperationErrorResponse).
pub(super) fn bulk_refusal(message: &str) -> Reply {
    Reply::new(400, json!({"errors": [{"message": message}]}))
}

/// A body that is no JSON (recorded from Jira Cloud, 2026-10).
pub(super) fn bad_json() -> Reply {
    Reply::new(
        400,
        json!({"errorMessages": ["There was an error parsing JSON. Check that your request body is valid."]}),
    )
}

/// A body with a member outside a closed schema, or of the wrong type (recorded from Jira Cloud, 2026-10).
pub(super) fn bad_payload() -> Reply {
    Reply::new(
        400,
        json!({"errorMessages": ["Invalid request payload. Refer to the REST API documentation and try again."]}),
    )
}

/// An issue that is gone, or hidden from the caller: the two cannot be told apart (recorded from Jira Cloud, 2026-10).
pub(super) fn no_issue() -> Reply {
    refusal(
        404,
        "Issue does not exist or you do not have permission to see it.",
    )
}
