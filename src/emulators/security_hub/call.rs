//! One call of an operation: its body, who makes it, where and when, and what goes wrong with it.

use jiff::Timestamp;
use serde_json::Value;

use crate::emulators::Response;
use crate::emulators::aws::Caller;
use crate::emulators::aws::faults::AwsFault;
use crate::emulators::protocol::rest_error;

/// A call.
pub(crate) struct Call<'a> {
    /// The JSON body; an empty object without one.
    pub(crate) body: &'a Value,
    /// Who calls.
    pub(crate) caller: &'a Caller,
    /// Region of the endpoint that is called.
    pub(crate) region: &'a str,
    /// When.
    pub(crate) now: Timestamp,
    /// What goes wrong inside the operation.
    pub(crate) fault: Option<&'a AwsFault>,
}

impl Call<'_> {
    /// `MaxResults` from 1 to 100, or what holds without it.
    pub(super) fn size(&self, default: usize) -> Result<usize, Box<Response>> {
        match &self.body["MaxResults"] {
            Value::Null => Ok(default),
            given => match given.as_u64() {
                Some(size @ 1..=100) => Ok(usize::try_from(size).unwrap_or(100)),
                _ => Err(Box::new(invalid(
                    "Invalid parameter 'MaxResults'. It should be between 1 and 100",
                ))),
            },
        }
    }
}

/// `InvalidInputException`
pub(super) fn invalid(message: &str) -> Response {
    rest_error(400, "InvalidInputException", message)
}
