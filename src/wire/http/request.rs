//! What is sent and what comes back, as callers say it.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::wire::error::WireError;

use super::words::plain;

/// Whether sending a request twice can do harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// A read, or a write whose repetition changes nothing.
    Safe,
    /// A write whose repetition would make a second thing: sent again only when the first was surely not applied.
    Unsafe,
}

/// What a request does, for budget, retries and messages.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Method and path pattern, such as `POST /rest/api/3/issue/bulk`: the endpoint's scope and its name in counts.
    pub name: &'static str,
    /// May it be sent twice?
    pub idempotency: Idempotency,
    /// It changes something: a worker whose lease ends sends it no more.
    pub writes: bool,
    /// What is being done, to which thing; begins every error message.
    pub what: String,
    /// The thing that is written, such as `issue 10001`: limits per thing apply to it.
    pub item: Option<String>,
    /// The permission that a 403 asks for.
    pub permission: &'static str,
    /// Statuses besides 2xx whose body the caller reads itself.
    pub also_answers: &'static [u16],
}

impl Operation {
    /// A read.
    pub fn read(name: &'static str, what: impl Into<String>, permission: &'static str) -> Self {
        Operation {
            name,
            idempotency: Idempotency::Safe,
            writes: false,
            what: what.into(),
            item: None,
            permission,
            also_answers: &[],
        }
    }

    /// A write that must not be repeated blindly.
    pub fn write(name: &'static str, what: impl Into<String>, permission: &'static str) -> Self {
        Operation {
            idempotency: Idempotency::Unsafe,
            writes: true,
            ..Operation::read(name, what, permission)
        }
    }

    /// The same, counted against the limits of one thing.
    #[must_use]
    pub fn on(mut self, item: String) -> Self {
        self.item = Some(item);
        self
    }

    /// The same, declared harmless to repeat.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.idempotency = Idempotency::Safe;
        self
    }

    /// The same; these statuses are answers, not errors.
    #[must_use]
    pub fn answered_by(mut self, statuses: &'static [u16]) -> Self {
        self.also_answers = statuses;
        self
    }
}

/// One request, relative to the base URL.
#[derive(Clone, Debug)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Path below the base URL, begins with `/`; segments are already encoded (see `encode`).
    pub path: String,
    /// Query parameters, not yet encoded.
    pub query: Vec<(&'static str, String)>,
    /// Headers besides those that every request has.
    pub headers: Vec<(&'static str, String)>,
    /// JSON body.
    pub body: Option<Value>,
    /// A body that is no JSON, such as a picture, with its content type.
    pub file: Option<(&'static str, Bytes)>,
}

impl Request {
    /// A request without query and body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Request {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            file: None,
        }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Adds a header; a value that no header may carry makes the request fail before it is sent.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Sets a body that is no JSON.
    #[must_use]
    pub fn file(mut self, content_type: &'static str, bytes: Bytes) -> Self {
        self.file = Some((content_type, bytes));
        self
    }
}

/// An answer that is not an error.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body, at most 16 MiB.
    pub body: Bytes,
}

impl Answer {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`WireError::Decode`] with the path of the first member that does not fit.
    pub fn decode<T: DeserializeOwned>(&self, operation: &Operation) -> Result<T, WireError> {
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut json).map_err(|error| WireError::Decode {
            what: operation.what.clone(),
            path: error.path().to_string(),
            why: plain(&error.inner().to_string(), 200),
        })
    }
}
