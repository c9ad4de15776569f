//! What can go wrong with one request, by what the caller may do next.

use std::time::Duration;

/// The outcome of a request that was not a success. The split that matters: can it have been applied?
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum WireError {
    /// Sent, but no answer came: it may have been applied. Never blindly retried unless the operation is idempotent.
    #[error("{what}: no answer ({why}); it may or may not have been applied")]
    Unknown {
        /// What was being done, to which thing.
        what: String,
        /// Time-out, connection closed, half an answer.
        why: String,
    },
    /// Nothing was sent: name resolution, refused connection, TLS.
    #[error(
        "{what}: cannot reach {host} ({why}). Check the address, the network and the proxy settings"
    )]
    Unreachable {
        /// What was being done.
        what: String,
        /// Host and port.
        host: String,
        /// The system's words.
        why: String,
    },
    /// Throttled, and the wait that the answer asks for is longer than this run waits. Not applied.
    #[error("{what}: throttled ({reason}); try again in {} s", retry_after.as_secs())]
    Throttled {
        /// What was being done.
        what: String,
        /// `RateLimit-Reason`, or AWS's error code.
        reason: String,
        /// How long to wait.
        retry_after: Duration,
    },
    /// Credentials are wrong, expired, or lack a permission. Not applied.
    #[error("{what}: {status} {message}. {fix}")]
    Denied {
        /// What was being done.
        what: String,
        /// HTTP status.
        status: u16,
        /// The answer's words.
        message: String,
        /// What to try.
        fix: String,
    },
    /// Gone, or hidden: Jira answers both with 404.
    #[error("{what}: not found ({message})")]
    NotFound {
        /// What was being done.
        what: String,
        /// The answer's words.
        message: String,
    },
    /// Understood and refused; trying again unchanged is no use. Not applied.
    #[error("{what}: refused with {status} ({message})")]
    Refused {
        /// What was being done.
        what: String,
        /// HTTP status.
        status: u16,
        /// AWS error code, where there is one.
        code: Option<String>,
        /// The answer's words.
        message: String,
    },
    /// The site or project is not set up as the configuration says, so everything like it is refused. Not applied.
    #[error("{what}: {message}. {fix}")]
    Misconfigured {
        /// What was being done, without the single thing: it is the same for all of them.
        what: String,
        /// HTTP status.
        status: u16,
        /// The answer's words.
        message: String,
        /// What to try.
        fix: String,
    },
    /// The server failed (5xx) and kept failing. For writes it may have been applied.
    #[error("{what}: the server failed with {status} ({message})")]
    Server {
        /// What was being done.
        what: String,
        /// HTTP status.
        status: u16,
        /// The beginning of the body, as text.
        message: String,
    },
    /// Not sent: the lease on this work could end before the answer comes. Somebody else may begin it then.
    #[error("{what}: not sent, because its lease ends too soon; it is taken up again")]
    TooLate {
        /// What was to be done.
        what: String,
    },
    /// A success whose body is not what the vendor documents.
    #[error("{what}: the answer cannot be understood at {path}: {why}")]
    Decode {
        /// What was being done.
        what: String,
        /// Where in the body, such as `issues[3].fields.status`.
        path: String,
        /// The decoder's words.
        why: String,
    },
}

impl WireError {
    /// The other side, its set-up, the network or our credentials are in trouble; the thing that was asked for is not
    /// to blame.
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            WireError::Unknown { .. }
                | WireError::Unreachable { .. }
                | WireError::Throttled { .. }
                | WireError::Misconfigured { .. }
                | WireError::Denied {
                    status: 0 | 401,
                    ..
                }
        )
    }

    /// The request may have been applied although it failed.
    pub fn is_ambiguous(&self) -> bool {
        matches!(
            self,
            WireError::Unknown { .. } | WireError::Server { .. } | WireError::Decode { .. }
        )
    }
}
