//! A queue's attributes: what may be set, within which bounds, and what can be read (SQS API: CreateQueue,
//! SetQueueAttributes, GetQueueAttributes).

use serde_json::{Map, Value, json};

use super::queue::Queue;
use super::{Failed, Place, arn};

/// What can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) visibility_s: i64,
    pub(super) largest_bytes: usize,
    pub(super) retention_s: i64,
    pub(super) delay_s: i64,
    pub(super) wait_s: i64,
    pub(super) redrive: Option<Redrive>,
    /// Attributes that are kept as text and have no effect here: policies and encryption.
    kept: Map<String, Value>,
}

/// Where messages go that nobody could process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redrive {
    pub(super) target: String,
    pub(super) most_receives: u32,
    text: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            visibility_s: 30,
            largest_bytes: 1_048_576,
            retention_s: 345_600,
            delay_s: 0,
            wait_s: 0,
            redrive: None,
            kept: Map::new(),
        }
    }
}

const KEPT: [&str; 5] = [
    "Policy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
];
const FIFO: [&str; 4] = [
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
];
const READ_ONLY: [&str; 6] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];
const SETTABLE: [&str; 6] = [
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
];

impl Settings {
    /// These settings with some of them changed; `exists` tells whether a dead-letter queue does.
    pub(super) fn with(
        &self,
        given: &Value,
        exists: impl Fn(&str) -> bool,
    ) -> Result<Settings, Failed> {
        let mut settings = self.clone();
        for (name, value) in given.as_object().into_iter().flatten() {
            let text = value.as_str().unwrap_or_default();
            match name.as_str() {
                "VisibilityTimeout" => settings.visibility_s = within(name, text, 0, 43_200)?,
                "MaximumMessageSize" => {
                    let bytes = within(name, text, 1_024, 1_048_576)?;
                    settings.largest_bytes = usize::try_from(bytes).unwrap_or(1_048_576);
                }
                "MessageRetentionPeriod" => {
                    settings.retention_s = within(name, text, 60, 1_209_600)?
                }
                "DelaySeconds" => settings.delay_s = within(name, text, 0, 900)?,
                "ReceiveMessageWaitTimeSeconds" => settings.wait_s = within(name, text, 0, 20)?,
                "RedrivePolicy" if text.is_empty() => settings.redrive = None,
                "RedrivePolicy" => settings.redrive = Some(redrive(text, &exists)?),
                kept if KEPT.contains(&kept) => {
                    settings.kept.insert(kept.to_owned(), json!(text));
                }
                fifo if FIFO.contains(&fifo) => {
                    let message =
                        format!("this emulator has no FIFO queues: it does not know {fifo}");
                    return Err(Failed::new(
                        "UnsupportedOperation",
                        "AWS.SimpleQueueService.UnsupportedOperation",
                        message,
                    ));
                }
                other => {
                    let message = format!("Unknown Attribute {other}.");
                    return Err(Failed::same("InvalidAttributeName", message));
                }
            }
        }
        Ok(settings)
    }

    /// The first of some wanted attributes that this queue has otherwise.
    pub(super) fn differs_in(&self, wanted: &Settings, given: &Value) -> Option<String> {
        let names = given.as_object().into_iter().flatten();
        let mut names = names.map(|(name, _)| name.as_str());
        names
            .find(|name| self.text(name) != wanted.text(name))
            .map(str::to_owned)
    }

    fn text(&self, name: &str) -> Option<String> {
        match name {
            "VisibilityTimeout" => Some(self.visibility_s.to_string()),
            "MaximumMessageSize" => Some(self.largest_bytes.to_string()),
            "MessageRetentionPeriod" => Some(self.retention_s.to_string()),
            "DelaySeconds" => Some(self.delay_s.to_string()),
            "ReceiveMessageWaitTimeSeconds" => Some(self.wait_s.to_string()),
            "RedrivePolicy" => self.redrive.as_ref().map(|redrive| redrive.text.clone()),
            "SqsManagedSseEnabled" if !self.kept.contains_key(name) => {
                Some((!self.kept.contains_key("KmsMasterKeyId")).to_string())
            }
            other => self.kept.get(other)?.as_str().map(str::to_owned),
        }
    }
}

fn within(name: &str, text: &str, least: i64, most: i64) -> Result<i64, Failed> {
    match text.parse::<i64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(Failed::same(
            "InvalidAttributeValue",
            format!("Invalid value for the parameter {name}."),
        )),
    }
}

fn redrive(text: &str, exists: impl Fn(&str) -> bool) -> Result<Redrive, Failed> {
    let refuse = |reason: &str| Failed::parameter("RedrivePolicy", text, reason);
    let policy: Value =
        serde_json::from_str(text).map_err(|_| refuse("Redrive policy is not a valid JSON map"))?;
    let target = policy["deadLetterTargetArn"].as_str().ok_or_else(|| {
        refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn")
    })?;
    let most = match &policy["maxReceiveCount"] {
        Value::Null => {
            return Err(refuse(
                "Redrive policy does not contain mandatory attribute: maxReceiveCount",
            ));
        }
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    let most = most
        .and_then(|most| u32::try_from(most).ok())
        .filter(|most| (1..=1000).contains(most))
        .ok_or_else(|| refuse("Invalid value for maxReceiveCount. Must be between 1 and 1000"))?;
    if !exists(target) {
        return Err(refuse("Dead letter target does not exist"));
    }
    Ok(Redrive {
        target: target.to_owned(),
        most_receives: most,
        text: text.to_owned(),
    })
}

/// The attributes that are asked for; `All` asks for every one.
pub(super) fn read(queue: &Queue, place: &Place, asked: &Value) -> Result<Value, Failed> {
    let asked: Vec<&str> = asked
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let all = asked.contains(&"All");
    let known = READ_ONLY.iter().chain(&SETTABLE).chain(&KEPT).chain(&FIFO);
    let known: Vec<&str> = known.copied().collect();
    if let Some(unknown) = asked
        .iter()
        .find(|name| **name != "All" && !known.contains(*name))
    {
        let message = format!("Unknown Attribute {unknown}.");
        return Err(Failed::same("InvalidAttributeName", message));
    }
    let (ready, in_flight, delayed) = queue.depth();
    let mut found = Map::new();
    for name in known.into_iter().filter(|name| all || asked.contains(name)) {
        let text = match name {
            "ApproximateNumberOfMessages" => Some(ready.to_string()),
            "ApproximateNumberOfMessagesNotVisible" => Some(in_flight.to_string()),
            "ApproximateNumberOfMessagesDelayed" => Some(delayed.to_string()),
            "CreatedTimestamp" => Some(queue.created_at.as_second().to_string()),
            "LastModifiedTimestamp" => Some(queue.changed_at.as_second().to_string()),
            "QueueArn" => Some(arn(place)),
            other => queue.settings.text(other),
        };
        if let Some(text) = text {
            found.insert(name.to_owned(), json!(text));
        }
    }
    Ok(Value::Object(found))
}
