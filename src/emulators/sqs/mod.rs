//! SQS standard queues: visibility, dead letters, delays, batches, retention, long poll (SQS API reference and developer
//! guide; JSON 1.0 protocol).
//!
//! The state machine never waits: a ReceiveMessage that finds nothing is answered at once, and says until when a face
//! that can wait may ask again.

mod attributes;
mod change;
mod message;
mod queue;
mod queues;
mod receive;
mod send;

pub mod claims;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Response;
use super::aws::Caller;
use super::aws::events::Envelope;
use super::aws::faults::{AwsFault, not_implemented};
use super::protocol::{aws_json, compatible_error};
use message::{Body, Message};
use queue::Queue;

/// Account, Region, name.
type Place = (String, String, String);

/// All queues.
#[derive(Default)]
pub struct Sqs {
    queues: BTreeMap<Place, Queue>,
    deleted: BTreeMap<Place, Timestamp>,
    messages: u64,
}

/// One call.
pub(crate) struct Call<'a> {
    /// The JSON body.
    pub(crate) body: &'a Value,
    /// Who calls.
    pub(crate) caller: &'a Caller,
    /// Region of the endpoint.
    pub(crate) region: &'a str,
    /// Base of queue URLs, such as `http://127.0.0.1:1234`.
    pub(crate) endpoint: &'a str,
    /// When.
    pub(crate) now: Timestamp,
    /// What goes wrong inside the operation.
    pub(crate) fault: Option<&'a AwsFault>,
}

/// An answer, and how much longer a ReceiveMessage would have waited for a message.
pub(crate) struct Answer {
    /// The answer at this moment.
    pub(crate) response: Response,
    /// The rest of the long poll.
    pub(crate) wait: Option<SignedDuration>,
}

/// Why a call fails: name, the older name of the query protocol, and a sentence.
pub(super) struct Failed {
    code: &'static str,
    query_code: &'static str,
    message: String,
}

impl Failed {
    fn new(code: &'static str, query_code: &'static str, message: impl Into<String>) -> Self {
        Failed {
            code,
            query_code,
            message: message.into(),
        }
    }

    fn same(code: &'static str, message: impl Into<String>) -> Self {
        Failed::new(code, code, message)
    }

    /// A parameter that is outside its range.
    fn parameter(name: &str, value: &str, reason: &str) -> Self {
        let message = format!("Value {value} for parameter {name} is invalid. Reason: {reason}.");
        Failed::same("InvalidParameterValue", message)
    }

    fn missing(name: &str) -> Self {
        let message = format!("The request must contain the parameter {name}.");
        Failed::same("MissingParameter", message)
    }

    fn response(&self) -> Response {
        compatible_error(400, (self.code, self.query_code), &self.message)
    }
}

type Done = Result<Value, Failed>;

/// The operations that are answered.
pub(super) const OPERATIONS: [&str; 15] = [
    "CreateQueue",
    "DeleteQueue",
    "GetQueueUrl",
    "ListQueues",
    "ListDeadLetterSourceQueues",
    "GetQueueAttributes",
    "SetQueueAttributes",
    "SendMessage",
    "SendMessageBatch",
    "ReceiveMessage",
    "DeleteMessage",
    "DeleteMessageBatch",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "PurgeQueue",
];

impl Sqs {
    /// Answers one call.
    pub(crate) fn handle(&mut self, operation: &str, call: &Call) -> Answer {
        if operation == "ReceiveMessage" {
            return self.receive(call);
        }
        let done = match operation {
            "CreateQueue" => self.create_queue(call),
            "DeleteQueue" => self.delete_queue(call),
            "GetQueueUrl" => self.get_queue_url(call),
            "ListQueues" => self.list_queues(call),
            "ListDeadLetterSourceQueues" => self.dead_letter_sources(call),
            "GetQueueAttributes" => self.get_attributes(call),
            "SetQueueAttributes" => self.set_attributes(call),
            "SendMessage" => self.send(call),
            "SendMessageBatch" => self.send_batch(call),
            "DeleteMessage" => self.delete(call),
            "DeleteMessageBatch" => self.delete_batch(call),
            "ChangeMessageVisibility" => self.change_visibility(call),
            "ChangeMessageVisibilityBatch" => self.change_visibility_batch(call),
            "PurgeQueue" => self.purge(call),
            other => {
                return Answer {
                    response: not_implemented(
                        "sqs",
                        &format!("this emulator does not know {other}"),
                    ),
                    wait: None,
                };
            }
        };
        Answer {
            response: match done {
                Ok(body) => aws_json(200, &body, "1.0"),
                Err(failed) => failed.response(),
            },
            wait: None,
        }
    }

    /// The place that a call's `QueueUrl` names: its last two segments.
    fn place(&self, call: &Call) -> Result<Place, Failed> {
        let url = call.body["QueueUrl"].as_str().unwrap_or_default();
        if url.is_empty() {
            return Err(Failed::missing("QueueUrl"));
        }
        let mut parts = url.trim_end_matches('/').rsplit('/');
        let (name, account) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let place = (account.to_owned(), call.region.to_owned(), name.to_owned());
        if !self.queues.contains_key(&place) {
            return Err(no_queue());
        }
        if account != call.caller.account {
            let message = format!(
                "User: {} is not authorized to perform this action on resource: {}",
                call.caller.identity,
                arn(&place)
            );
            return Err(Failed::same("AccessDenied", message));
        }
        Ok(place)
    }

    fn queue(&mut self, call: &Call) -> Result<&mut Queue, Failed> {
        let place = self.place(call)?;
        let queue = self.queues.get_mut(&place).ok_or_else(no_queue)?;
        queue.settle(call.now);
        Ok(queue)
    }

    /// Puts an event into the queue with this ARN, to be seen from `due` on; without such a queue it is lost.
    pub(super) fn put_event(
        &mut self,
        queue_arn: &str,
        envelope: Envelope,
        now: Timestamp,
        due: Timestamp,
    ) {
        let Some(place) = place_of(queue_arn) else {
            return;
        };
        self.messages += 1;
        let number = self.messages;
        if let Some(queue) = self.queues.get_mut(&place) {
            let mut message = Message::new(number, Body::Event(Box::new(envelope)), now);
            message.sender = "events.amazonaws.com".to_owned();
            queue.put(message, due);
            queue.settle(now);
        }
    }

    /// How many messages a queue holds: to be received, in flight, delayed.
    pub fn depth(&self, queue_arn: &str) -> (usize, usize, usize) {
        let queue = place_of(queue_arn).and_then(|place| self.queues.get(&place));
        queue.map_or((0, 0, 0), Queue::depth)
    }

    /// The bodies of the newest messages in a queue, newest first, and how many there are in all.
    pub fn newest(&self, queue_arn: &str, most: usize) -> (usize, Vec<String>) {
        let (ready, in_flight, delayed) = self.depth(queue_arn);
        let total = ready + in_flight + delayed;
        let queue = place_of(queue_arn).and_then(|place| self.queues.get(&place));
        let messages = queue.into_iter().flat_map(Queue::messages);
        let mut bodies: Vec<String> = messages
            .skip(total.saturating_sub(most))
            .map(|message| message.body.text().into_owned())
            .collect();
        bodies.reverse();
        (total, bodies)
    }

    /// Throws away the messages of a queue, past the API.
    pub fn empty(&mut self, queue_arn: &str) {
        let queue = place_of(queue_arn).and_then(|place| self.queues.get_mut(&place));
        if let Some(queue) = queue {
            queue.clear();
        }
    }

    /// The bodies of all messages in a queue, oldest first, whether or not they can be received now.
    pub fn bodies(&self, queue_arn: &str) -> Vec<String> {
        let queue = place_of(queue_arn).and_then(|place| self.queues.get(&place));
        let messages = queue.into_iter().flat_map(Queue::messages);
        messages
            .map(|message| message.body.text().into_owned())
            .collect()
    }
}

fn no_queue() -> Failed {
    Failed::new(
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist.",
    )
}

/// `arn:aws:sqs:region:account:name`
pub(super) fn arn((account, region, name): &Place) -> String {
    format!("arn:aws:sqs:{region}:{account}:{name}")
}

fn place_of(arn: &str) -> Option<Place> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts[..] {
        ["arn", _, "sqs", region, account, name] => {
            Some((account.to_owned(), region.to_owned(), name.to_owned()))
        }
        _ => None,
    }
}

/// A whole number of a JSON body within a range, or `None` where it is absent. Numbers sent as text are understood.
fn number_in(
    body: &Value,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<i64>, Failed> {
    let given = match &body[name] {
        Value::Null => return Ok(None),
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    };
    match given.filter(|number| range.contains(number)) {
        Some(number) => Ok(Some(number)),
        None => {
            let reason = format!(
                "must be between {} and {}, if provided",
                range.start(),
                range.end()
            );
            Err(Failed::parameter(name, &body[name].to_string(), &reason))
        }
    }
}
