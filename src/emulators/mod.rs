//! Emulators of the systems that `asaf` talks to: Security Hub, AWS Config, STS, Organizations, SQS, Secrets Manager,
//! IAM, Jira Cloud and Slack.
//!
//! Each emulator is one state machine that maps a request to a response at a given time. It has three faces: over
//! HTTP (`asaf emulate`, `asaf demo`, other people's clients), in process (tests and simulation hand the same request
//! to the same function, without a socket), and counted (requests per operation). A behaviour cites its source; what
//! an emulator does not know it answers with 501.
//!
//! Nothing outside `demo`, `emulate` and tests may reach this module, and configuration never falls back to it.

use bytes::Bytes;

pub mod aws;
pub mod claims;
pub mod config;
pub mod faults;
pub mod github;
pub mod iam;
pub mod jira;
pub mod journal;
pub mod organizations;
pub(crate) mod pages;
pub(crate) mod protocol;
pub mod quota;
pub mod secrets;
pub mod security_hub;
pub mod slack;
pub mod sqs;
pub mod sts;
pub mod world;

/// A request as it arrives: method, URI with path and query, headers, and the whole body.
pub type Request = http::Request<Bytes>;
/// The whole answer.
pub type Response = http::Response<Bytes>;

/// An answer with a JSON body.
pub fn json(status: u16, body: &serde_json::Value) -> Response {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    response
}

/// A digest of texts as hexadecimal digits: for ids that look random and are the same each time. Not for secrets.
fn hash_hex(texts: &[&str]) -> String {
    use md5::Digest as _;
    let mut digest = md5::Md5::new();
    for text in texts {
        digest.update(text.as_bytes());
        digest.update([0]);
    }
    hex::encode(digest.finalize())
}
