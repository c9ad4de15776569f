//! One message: its body, its attributes with their digests, and where it is in its life.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use serde_json::Value;

use super::Failed;
use crate::emulators::aws::events::Envelope;

/// What a message says.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Text(String),
    /// Written out when it is received.
    Event(Box<Envelope>),
}

impl Body {
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Body::Text(text) => Cow::Borrowed(text),
            Body::Event(envelope) => Cow::Owned(envelope.text()),
        }
    }
}

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) number: u64,
    pub(super) body: Body,
    /// `MessageAttributes` as they were sent.
    pub(super) attributes: BTreeMap<String, Value>,
    /// `AWSTraceHeader` as it was sent.
    pub(super) trace: Option<String>,
    pub(super) group: Option<String>,
    pub(super) sender: String,
    pub(super) sent_at: Timestamp,
    pub(super) first_received_at: Option<Timestamp>,
    pub(super) received: u32,
    /// Received and hidden, neither deleted nor visible again.
    pub(super) in_flight: bool,
    /// When it can be received (again).
    pub(super) visible_at: Timestamp,
    /// ARN of the queue that gave it up.
    pub(super) dead_letter_of: Option<String>,
}

impl Message {
    pub(super) fn new(number: u64, body: Body, now: Timestamp) -> Self {
        Message {
            number,
            body,
            attributes: BTreeMap::new(),
            trace: None,
            group: None,
            sender: String::new(),
            sent_at: now,
            first_received_at: None,
            received: 0,
            in_flight: false,
            visible_at: now,
            dead_letter_of: None,
        }
    }

    /// `MessageId`: made from the number, the same wherever the message goes.
    pub(super) fn id(&self) -> String {
        format!("5a5f0000-0000-4000-8000-{:012x}", self.number)
    }

    /// The handle of its latest receipt.
    pub(super) fn handle(&self) -> String {
        STANDARD.encode(format!("asaf {} {}", self.number, self.received))
    }
}

/// Message number and receipt number of a handle.
pub(super) fn handle_of(text: &str) -> Result<(u64, u32), Failed> {
    let read = || {
        let bytes = STANDARD.decode(text).ok()?;
        let plain = String::from_utf8(bytes).ok()?;
        let (number, receipt) = plain.strip_prefix("asaf ")?.split_once(' ')?;
        Some((number.parse().ok()?, receipt.parse().ok()?))
    };
    read().ok_or_else(|| {
        Failed::same(
            "ReceiptHandleIsInvalid",
            format!("The input receipt handle \"{text}\" is not a valid receipt handle."),
        )
    })
}

/// MD5 as lower-case hexadecimal digits.
pub(super) fn md5(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}

/// The digest of attributes (SQS developer guide, "Calculating the MD5 message digest for message attributes").
pub(super) fn md5_of_attributes<'a>(
    attributes: impl IntoIterator<Item = (&'a String, &'a Value)>,
) -> Option<String> {
    let mut bytes = Vec::new();
    for (name, value) in attributes {
        append(&mut bytes, name.as_bytes());
        let kind = value["DataType"].as_str().unwrap_or_default();
        append(&mut bytes, kind.as_bytes());
        match value["StringValue"].as_str() {
            Some(text) => {
                bytes.push(1);
                append(&mut bytes, text.as_bytes());
            }
            None => {
                bytes.push(2);
                append(&mut bytes, &binary(value).unwrap_or_default());
            }
        }
    }
    (!bytes.is_empty()).then(|| md5(&bytes))
}

fn append(bytes: &mut Vec<u8>, text: &[u8]) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.extend(length.to_be_bytes());
    bytes.extend(text);
}

fn binary(value: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(value["BinaryValue"].as_str()?).ok()
}

/// Attributes of a message, checked: at most ten, each with a name, a type and a value of it. Gives their size too.
pub(super) fn attributes(given: &Value) -> Result<(BTreeMap<String, Value>, usize), Failed> {
    let mut found = BTreeMap::new();
    let mut size = 0;
    for (name, value) in given.as_object().into_iter().flatten() {
        let kind = value["DataType"].as_str().unwrap_or_default();
        let fits = match kind.split('.').next() {
            Some("String") => value["StringValue"].is_string(),
            Some("Number") => value["StringValue"]
                .as_str()
                .is_some_and(|text| text.parse::<f64>().is_ok()),
            Some("Binary") => binary(value).is_some(),
            _ => false,
        };
        if !fits {
            let message = format!(
                "The message attribute '{name}' must contain a valid value for its type '{kind}'."
            );
            return Err(Failed::same("InvalidParameterValue", message));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if name.is_empty() || name.len() > 256 || !name.chars().all(plain) {
            let message = format!("Invalid message attribute name '{name}'.");
            return Err(Failed::same("InvalidParameterValue", message));
        }
        let content = value["StringValue"]
            .as_str()
            .map_or_else(|| binary(value).map_or(0, |bytes| bytes.len()), str::len);
        size += name.len() + kind.len() + content;
        found.insert(name.clone(), value.clone());
    }
    if found.len() > 10 {
        let message = "Number of message attributes should not exceed 10.";
        return Err(Failed::same("InvalidParameterValue", message));
    }
    Ok((found, size))
}
