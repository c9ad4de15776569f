//! Messages go out (SQS API: ReceiveMessage): hidden for a while, and to the dead-letter queue once they were received
//! too often.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::message::{Message, md5, md5_of_attributes};
use super::queue::MOST_IN_FLIGHT;
use super::{Answer, Call, Done, Failed, Sqs, arn, no_queue, number_in, place_of};
use crate::emulators::protocol::aws_json;

impl Sqs {
    /// At most ten messages. With none, the answer says how long the call would have waited.
    pub(super) fn receive(&mut self, call: &Call) -> Answer {
        let wait = match self.queue(call) {
            Ok(queue) => queue.settings.wait_s,
            Err(failed) => {
                return Answer {
                    response: failed.response(),
                    wait: None,
                };
            }
        };
        let wait = match number_in(call.body, "WaitTimeSeconds", 0..=20) {
            Ok(asked) => asked.unwrap_or(wait),
            Err(failed) => {
                return Answer {
                    response: failed.response(),
                    wait: None,
                };
            }
        };
        match self.received(call) {
            Ok(body) => {
                let waits = body["Messages"].is_null() && wait > 0;
                Answer {
                    response: aws_json(200, &body, "1.0"),
                    wait: waits.then(|| SignedDuration::from_secs(wait)),
                }
            }
            Err(failed) => Answer {
                response: failed.response(),
                wait: None,
            },
        }
    }

    fn received(&mut self, call: &Call) -> Done {
        let most = number_in(call.body, "MaxNumberOfMessages", 1..=10)?.unwrap_or(1);
        let visibility = number_in(call.body, "VisibilityTimeout", 0..=43_200)?;
        self.give_up_on(call)?;
        let queue = self.queue(call)?;
        let visibility = visibility.unwrap_or(queue.settings.visibility_s);
        let until = call.now + SignedDuration::from_secs(visibility);
        let mut found = Vec::new();
        while found.len() < usize::try_from(most).unwrap_or(1) {
            let Some(number) = queue.next() else { break };
            if queue.depth().1 >= MOST_IN_FLIGHT {
                if found.is_empty() {
                    return Err(over_limit());
                }
                break;
            }
            if let Some(message) = queue.receive(number, until, call.now) {
                found.push(document(message, call.body));
            }
        }
        Ok(if found.is_empty() {
            json!({})
        } else {
            json!({ "Messages": found })
        })
    }

    /// Messages that were received as often as the redrive policy allows go to its target instead of out again.
    fn give_up_on(&mut self, call: &Call) -> Result<(), Failed> {
        let source = self.place(call)?;
        let queue = self.queues.get_mut(&source).ok_or_else(no_queue)?;
        let Some(redrive) = queue.settings.redrive.clone() else {
            return Ok(());
        };
        let target = place_of(&redrive.target).filter(|target| self.queues.contains_key(target));
        let (Some(target), Some(queue)) = (target, self.queues.get_mut(&source)) else {
            return Ok(());
        };
        // Only what could go out now: at most ten that are not given up yet.
        let mut fresh = 0;
        let given_up: Vec<u64> = queue
            .ready()
            .take_while(|message| {
                fresh += usize::from(message.received < redrive.most_receives);
                fresh <= 10
            })
            .filter(|message| message.received >= redrive.most_receives)
            .map(|message| message.number)
            .collect();
        let given_up: Vec<Message> = given_up
            .into_iter()
            .filter_map(|number| queue.take(number))
            .collect();
        if let Some(dead) = self.queues.get_mut(&target) {
            for mut message in given_up {
                message.dead_letter_of = Some(arn(&source));
                dead.put(message, call.now);
            }
            dead.settle(call.now);
        }
        Ok(())
    }
}

fn over_limit() -> Failed {
    Failed::same(
        "OverLimit",
        format!("Too many messages are in flight: at most {MOST_IN_FLIGHT}."),
    )
}

fn document(message: &Message, asked: &Value) -> Value {
    let body = message.body.text();
    let mut found = json!({
        "MessageId": message.id(),
        "ReceiptHandle": message.handle(),
        "MD5OfBody": md5(body.as_bytes()),
        "Body": body,
    });
    let system = system_attributes(message, asked);
    if !system.is_empty() {
        found["Attributes"] = Value::Object(system);
    }
    let wanted: Vec<&str> = names(asked, "MessageAttributeNames").collect();
    let chosen: Map<String, Value> = message
        .attributes
        .iter()
        .filter(|(name, _)| wanted.iter().any(|wanted| names_attribute(wanted, name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(digest) = md5_of_attributes(&chosen) {
        found["MD5OfMessageAttributes"] = json!(digest);
        found["MessageAttributes"] = Value::Object(chosen);
    }
    found
}

fn names<'a>(asked: &'a Value, member: &str) -> impl Iterator<Item = &'a str> {
    let list = asked[member].as_array();
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// `All`, `.*`, `prefix.*` or the name itself.
fn names_attribute(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix(".*") {
        Some(prefix) => prefix.is_empty() || name.starts_with(prefix),
        None => wanted == "All" || wanted == name,
    }
}

fn system_attributes(message: &Message, asked: &Value) -> Map<String, Value> {
    let wanted: Vec<&str> = names(asked, "AttributeNames")
        .chain(names(asked, "MessageSystemAttributeNames"))
        .collect();
    let first = message
        .first_received_at
        .map(|at| at.as_millisecond().to_string());
    let all = [
        ("SenderId", Some(message.sender.clone())),
        (
            "SentTimestamp",
            Some(message.sent_at.as_millisecond().to_string()),
        ),
        (
            "ApproximateReceiveCount",
            Some(message.received.to_string()),
        ),
        ("ApproximateFirstReceiveTimestamp", first),
        ("MessageGroupId", message.group.clone()),
        ("AWSTraceHeader", message.trace.clone()),
        ("DeadLetterQueueSourceArn", message.dead_letter_of.clone()),
    ];
    all.into_iter()
        .filter(|(name, _)| wanted.contains(name) || wanted.contains(&"All"))
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
        .collect()
}
