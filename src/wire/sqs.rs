//! One SQS queue: receive, delete, keep invisible for longer, send (SQS API reference, JSON protocol).
//!
//! It knows nothing of what the messages say; a message is only gone when it was deleted by its receipt.

use std::time::Duration;

use aws_sdk_sqs::config::Config as SdkOverride;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    MessageSystemAttributeName, QueueAttributeName,
};
use serde_json::Value;

use super::aws::{Aws, Operation, words};
use super::error::WireError;

/// The most messages of one request, for every operation.
pub const BATCH_MAX: usize = 10;
/// The longest that a receive may wait for messages.
pub const LONG_POLL: Duration = Duration::from_secs(20);

/// A received message: invisible to others until its visibility time-out ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same at every receive.
    pub id: String,
    /// Names this receive of it.
    pub receipt: String,
    /// As it was sent.
    pub body: String,
    /// `ApproximateReceiveCount`: 1 at the first receive.
    pub receives: u32,
}

/// What is set up around the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueSetup {
    /// Messages that can be received now, about.
    pub visible: u64,
    /// SQS moves a message to the dead-letter queue after so many receives; `None` without one.
    pub dead_letters_after: Option<u32>,
    /// The ARN of the dead-letter queue.
    pub dead_letters: Option<String>,
    /// Who may do what with it: the queue's policy, if it has one.
    pub policy: Option<Value>,
    /// How long it keeps messages.
    pub kept: Duration,
}

/// A queue by its URL, through an AWS connection.
#[derive(Clone, Copy)]
pub struct Queue<'a> {
    pub(super) aws: &'a Aws,
    pub(super) url: &'a str,
}

impl<'a> Queue<'a> {
    /// The queue with this URL; nothing is sent yet.
    pub fn new(aws: &'a Aws, url: &'a str) -> Self {
        Queue { aws, url }
    }

    /// At most [`BATCH_MAX`] messages, after at most [`LONG_POLL`]. They stay invisible for `visibility`.
    ///
    /// # Errors
    /// [`WireError`]. Messages of an answer that was lost come again after their visibility time-out.
    pub async fn receive(&self, visibility: Duration) -> Result<Vec<Message>, WireError> {
        let operation = self.operation("ReceiveMessage", "receiving from");
        let client = aws_sdk_sqs::Client::new(&self.aws.config);
        let answer = self
            .aws
            .call_json(&operation, |http| {
                let request = client
                    .receive_message()
                    .queue_url(self.url)
                    .max_number_of_messages(to_i32(BATCH_MAX as u64))
                    .wait_time_seconds(to_i32(LONG_POLL.as_secs()))
                    .visibility_timeout(to_i32(visibility.as_secs()))
                    .message_system_attribute_names(
                        MessageSystemAttributeName::ApproximateReceiveCount,
                    )
                    .customize()
                    .config_override(SdkOverride::builder().http_client(http));
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await?;
        let found = answer["Messages"].as_array().into_iter().flatten();
        found.map(|one| message(one, &operation.what)).collect()
    }

    /// Deletes messages by receipt; returns the ids of those that SQS did not delete.
    ///
    /// # Errors
    /// [`WireError`]; deleting twice is harmless.
    pub async fn delete(&self, messages: &[&Message]) -> Result<Vec<String>, WireError> {
        let operation = self.operation("DeleteMessageBatch", "deleting from");
        let client = aws_sdk_sqs::Client::new(&self.aws.config);
        let mut failed = Vec::new();
        for some in messages.chunks(BATCH_MAX) {
            let entries = some.iter().enumerate().map(|(n, message)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(n.to_string())
                    .receipt_handle(&message.receipt)
                    .build()
            });
            let entries = entries.collect::<Result<Vec<_>, _>>();
            let entries = entries.map_err(|e| refused(&operation, &e))?;
            let answer = self
                .aws
                .call_json(&operation, |http| {
                    let request = client
                        .delete_message_batch()
                        .queue_url(self.url)
                        .set_entries(Some(entries.clone()))
                        .customize()
                        .config_override(SdkOverride::builder().http_client(http));
                    async move { request.send().await.map(drop).map_err(words) }
                })
                .await?;
            failed.extend(failures(&answer, some));
        }
        Ok(failed)
    }

    /// Keeps messages invisible for `visibility` from now on; zero gives them back at once.
    ///
    /// # Errors
    /// [`WireError`]; a message that it misses comes again earlier, which is harmless.
    pub async fn keep(
        &self,
        messages: &[&Message],
        visibility: Duration,
    ) -> Result<Vec<String>, WireError> {
        let operation = self.operation("ChangeMessageVisibilityBatch", "keeping messages of");
        let client = aws_sdk_sqs::Client::new(&self.aws.config);
        let mut failed = Vec::new();
        for some in messages.chunks(BATCH_MAX) {
            let entries = some.iter().enumerate().map(|(n, message)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(n.to_string())
                    .receipt_handle(&message.receipt)
                    .visibility_timeout(to_i32(visibility.as_secs()))
                    .build()
            });
            let entries = entries.collect::<Result<Vec<_>, _>>();
            let entries = entries.map_err(|e| refused(&operation, &e))?;
            let answer = self
                .aws
                .call_json(&operation, |http| {
                    let request = client
                        .change_message_visibility_batch()
                        .queue_url(self.url)
                        .set_entries(Some(entries.clone()))
                        .customize()
                        .config_override(SdkOverride::builder().http_client(http));
                    async move { request.send().await.map(drop).map_err(words) }
                })
                .await?;
            failed.extend(failures(&answer, some));
        }
        Ok(failed)
    }

    /// Puts a message into the queue. `known_by` keeps a FIFO queue from taking the same message twice within five
    /// minutes; all messages of ours are one group there, because they are one process's work.
    ///
    /// # Errors
    /// [`WireError`]; sent again, it may be there twice, which is harmless.
    pub async fn send(&self, body: &str, known_by: &str) -> Result<(), WireError> {
        let operation = self.operation("SendMessage", "putting a message into");
        let client = aws_sdk_sqs::Client::new(&self.aws.config);
        let fifo = self.url.ends_with(".fifo");
        self.aws
            .call_json(&operation, |http| {
                let request = client
                    .send_message()
                    .queue_url(self.url)
                    .message_body(body)
                    .set_message_group_id(fifo.then(|| "asaf".to_owned()))
                    .set_message_deduplication_id(fifo.then(|| known_by.to_owned()))
                    .customize()
                    .config_override(SdkOverride::builder().http_client(http));
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await
            .map(drop)
    }

    /// How the queue is set up.
    ///
    /// # Errors
    /// [`WireError`]: the queue is not there, or may not be read.
    pub async fn setup(&self) -> Result<QueueSetup, WireError> {
        let operation = self.operation("GetQueueAttributes", "looking at");
        let client = aws_sdk_sqs::Client::new(&self.aws.config);
        let answer = self
            .aws
            .call_json(&operation, |http| {
                let request = client
                    .get_queue_attributes()
                    .queue_url(self.url)
                    .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
                    .attribute_names(QueueAttributeName::RedrivePolicy)
                    .attribute_names(QueueAttributeName::MessageRetentionPeriod)
                    .attribute_names(QueueAttributeName::Policy)
                    .customize()
                    .config_override(SdkOverride::builder().http_client(http));
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await?;
        let attributes = &answer["Attributes"];
        let redrive: Value = attributes["RedrivePolicy"]
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        Ok(QueueSetup {
            visible: number(&attributes["ApproximateNumberOfMessages"]).unwrap_or(0),
            dead_letters_after: number(&redrive["maxReceiveCount"])
                .and_then(|count| u32::try_from(count).ok()),
            dead_letters: redrive["deadLetterTargetArn"].as_str().map(str::to_owned),
            policy: attributes["Policy"]
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok()),
            kept: Duration::from_secs(number(&attributes["MessageRetentionPeriod"]).unwrap_or(0)),
        })
    }

    pub(super) fn operation(&self, name: &'static str, what: &str) -> Operation {
        let action = match name {
            "ReceiveMessage" => "sqs:ReceiveMessage",
            "DeleteMessageBatch" => "sqs:DeleteMessage",
            "SendMessage" => "sqs:SendMessage",
            "ChangeMessageVisibilityBatch" => "sqs:ChangeMessageVisibility",
            _ => "sqs:GetQueueAttributes",
        };
        Operation {
            name,
            what: format!("{what} the queue {}", self.url),
            action,
        }
    }
}

fn message(one: &Value, what: &str) -> Result<Message, WireError> {
    let text = |member: &str| {
        one[member]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| WireError::Decode {
                what: what.to_owned(),
                path: format!("Messages[].{member}"),
                why: "it is no text".to_owned(),
            })
    };
    let receives = number(&one["Attributes"]["ApproximateReceiveCount"]);
    Ok(Message {
        id: text("MessageId")?,
        receipt: text("ReceiptHandle")?,
        body: text("Body")?,
        receives: receives
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(1),
    })
}

/// SQS writes numbers as text; a redrive policy may hold either.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The ids of the messages that a batch answer names as failed: entries are numbered.
fn failures(answer: &Value, sent: &[&Message]) -> Vec<String> {
    let failed = answer["Failed"].as_array().into_iter().flatten();
    failed
        .filter_map(|entry| number(&entry["Id"]))
        .filter_map(|n| sent.get(usize::try_from(n).ok()?))
        .map(|message| message.id.clone())
        .collect()
}

fn refused(operation: &Operation, error: &impl std::fmt::Display) -> WireError {
    WireError::Refused {
        what: operation.what.clone(),
        status: 0,
        code: None,
        message: error.to_string(),
    }
}

fn to_i32(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
