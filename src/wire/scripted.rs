//! A scripted server for wire tests: it expects requests in order, and answers each as the script says.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::clock::Clock;
use crate::wire::transport::{Exchange, Exchanged, Lost, Transport};

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Virtual time of arrival.
    pub(crate) at: Timestamp,
    /// `METHOD /path?query`.
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    /// `Null` without a body.
    pub(crate) body: Value,
}

/// What the server does with one request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    lost: Option<Lost>,
}

/// An answer with a JSON body.
pub(crate) fn json(status: u16, body: Value) -> Reply {
    text(status, &body.to_string())
}

/// An answer with any body.
pub(crate) fn text(status: u16, body: &str) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.to_owned(),
        lost: None,
    }
}

/// No answer.
pub(crate) fn lost(how: Lost) -> Reply {
    Reply {
        lost: Some(how),
        ..text(200, "")
    }
}

impl Reply {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// The server; requests out of script panic with both sides named.
pub(crate) struct Scripted {
    clock: Clock,
    script: Mutex<VecDeque<(String, Reply)>>,
    seen: Mutex<Vec<Seen>>,
}

impl Scripted {
    pub(crate) fn new(clock: &Clock, script: Vec<(&str, Reply)>) -> Arc<Self> {
        let script = script.into_iter();
        Arc::new(Scripted {
            clock: clock.clone(),
            script: Mutex::new(
                script
                    .map(|(line, reply)| (line.to_owned(), reply))
                    .collect(),
            ),
            seen: Mutex::default(),
        })
    }

    pub(crate) fn transport(self: &Arc<Self>) -> Transport {
        Transport::InProcess(self.clone())
    }

    /// All requests so far; the whole script must have been used.
    pub(crate) fn finish(&self) -> Vec<Seen> {
        let left = self.script.lock().unwrap();
        assert!(left.is_empty(), "never requested: {left:?}");
        self.seen.lock().unwrap().clone()
    }

    fn answer(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Lost> {
        let path = request.uri().path_and_query().unwrap().as_str();
        let line = format!("{} {path}", request.method());
        let authorization = request.headers().get("authorization");
        self.seen.lock().unwrap().push(Seen {
            at: self.clock.now(),
            line: line.clone(),
            authorization: authorization.map(|value| value.to_str().unwrap().to_owned()),
            body: serde_json::from_slice(request.body()).unwrap_or_default(),
        });
        let expected = self.script.lock().unwrap().pop_front();
        let (expected, reply) =
            expected.unwrap_or_else(|| panic!("the script has ended, but {line} was requested"));
        assert!(
            line == expected || line.split('?').next() == Some(expected.as_str()),
            "the script expects {expected}, but {line} was requested"
        );
        if let Some(lost) = reply.lost {
            return Err(lost);
        }
        let mut response = http::Response::builder().status(reply.status);
        for (name, value) in &reply.headers {
            response = response.header(*name, value);
        }
        Ok(response.body(Bytes::from(reply.body)).unwrap())
    }
}

impl Exchange for Scripted {
    fn exchange(&self, request: http::Request<Bytes>) -> Exchanged {
        let answer = self.answer(request);
        Box::pin(std::future::ready(answer))
    }
}
