//! Messages come in (SQS API: SendMessage, SendMessageBatch).

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::message::{Body, Message, attributes, md5, md5_of_attributes};
use super::queues::failed_entry;
use super::{Call, Done, Failed, Sqs, number_in};

/// "The maximum … total size of all messages … is 1 MiB" (SQS API: SendMessageBatch).
const LARGEST_BATCH: usize = 1_048_576;

impl Sqs {
    pub(super) fn send(&mut self, call: &Call) -> Done {
        self.queue(call)?;
        self.send_one(call.body, call).map(|(body, _)| body)
    }

    /// At most ten entries, of at most 1 MiB together; each is sent or fails on its own.
    pub(super) fn send_batch(&mut self, call: &Call) -> Done {
        self.queue(call)?;
        let entries = entries(call, "SendMessageBatchRequestEntry")?;
        let size: usize = entries.iter().map(|entry| size_of(entry)).sum();
        if size > LARGEST_BATCH {
            let message = format!(
                "Batch requests cannot be longer than {LARGEST_BATCH} bytes. You have sent {size} bytes."
            );
            return Err(Failed::new(
                "BatchRequestTooLong",
                "AWS.SimpleQueueService.BatchRequestTooLong",
                message,
            ));
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            match self.send_one(entry, call) {
                Ok((mut body, _)) => {
                    body["Id"] = entry["Id"].clone();
                    successful.push(body);
                }
                Err(why) => failed.push(failed_entry(&entry["Id"], &why)),
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }

    fn send_one(&mut self, entry: &Value, call: &Call) -> Result<(Value, u64), Failed> {
        let largest = self.queue(call)?.settings.largest_bytes;
        let body = entry["MessageBody"].as_str().unwrap_or_default();
        if body.is_empty() {
            return Err(Failed::missing("MessageBody"));
        }
        if let Some(bad) = body.chars().find(|c| !is_allowed(*c)) {
            let message = format!(
                "Invalid binary character '#x{:X}' was found in the message body, the set of allowed characters is \
                 #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
                u32::from(bad)
            );
            return Err(Failed::same("InvalidMessageContents", message));
        }
        let (attributes, size) = attributes(&entry["MessageAttributes"])?;
        if body.len() + size > largest {
            let message = format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {largest} bytes."
            );
            return Err(Failed::same("InvalidParameterValue", message));
        }
        if !entry["MessageDeduplicationId"].is_null() {
            return Err(Failed::same(
                "InvalidParameterValue",
                "The request include parameter MessageDeduplicationId which is not valid for this queue type.",
            ));
        }
        let delay = number_in(entry, "DelaySeconds", 0..=900)?;
        self.messages += 1;
        let mut message = Message::new(self.messages, Body::Text(body.to_owned()), call.now);
        message.sender.clone_from(&call.caller.account);
        message.attributes = attributes;
        message.group = entry["MessageGroupId"].as_str().map(str::to_owned);
        message.trace = entry["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"]
            .as_str()
            .map(str::to_owned);
        let mut answer =
            json!({ "MessageId": message.id(), "MD5OfMessageBody": md5(body.as_bytes()) });
        if let Some(digest) = md5_of_attributes(&message.attributes) {
            answer["MD5OfMessageAttributes"] = json!(digest);
        }
        let system = entry["MessageSystemAttributes"].as_object();
        if let Some(digest) = system.and_then(md5_of_attributes) {
            answer["MD5OfMessageSystemAttributes"] = json!(digest);
        }
        let number = message.number;
        let queue = self.queue(call)?;
        let delay = delay.unwrap_or(queue.settings.delay_s);
        queue.put(message, call.now + SignedDuration::from_secs(delay));
        queue.settle(call.now);
        Ok((answer, number))
    }
}

/// `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF` (SQS API: SendMessage).
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn size_of(entry: &Value) -> usize {
    let attributes = attributes(&entry["MessageAttributes"]).map_or(0, |(_, size)| size);
    entry["MessageBody"].as_str().unwrap_or_default().len() + attributes
}

/// The entries of a batch: one to ten, with distinct ids of letters, digits, hyphens and underscores.
pub(super) fn entries<'a>(call: &Call<'a>, kind: &str) -> Result<Vec<&'a Value>, Failed> {
    let entries: Vec<&Value> = call.body["Entries"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    if entries.is_empty() {
        return Err(Failed::new(
            "EmptyBatchRequest",
            "AWS.SimpleQueueService.EmptyBatchRequest",
            format!("There should be at least one {kind} in the request."),
        ));
    }
    if entries.len() > 10 {
        return Err(Failed::new(
            "TooManyEntriesInBatchRequest",
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            format!(
                "Maximum number of entries per request are 10. You have sent {}.",
                entries.len()
            ),
        ));
    }
    let mut seen = BTreeSet::new();
    for entry in &entries {
        let id = entry["Id"].as_str().unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || id.len() > 80 || !id.chars().all(plain) {
            return Err(Failed::new(
                "InvalidBatchEntryId",
                "AWS.SimpleQueueService.InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at \
                 most 80 letters long.",
            ));
        }
        if !seen.insert(id) {
            return Err(Failed::new(
                "BatchEntryIdsNotDistinct",
                "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
                format!("Id {id} repeated."),
            ));
        }
    }
    Ok(entries)
}
