//! Jira's webhook: from headers and raw body to an answer. `asaf serve` and the Lambda function share it.
//!
//! A delivery is verified, the ticket that it names is put into the work queue, and only then Jira is told that we have
//! it. Nothing is decided here, and nothing of a payload but the ticket's id is believed.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

use crate::config::Config;
use crate::store::queue::{Accepted, Delivery, Inbox, WorkKey};
use crate::store::unread::{Arrived, Door, UnreadStore};
use crate::store::{Store, StoreError};
use crate::wire::jira::webhook::{Named, named};
use crate::wire::signature::{Secrets, Unsigned, sha256};

/// The path that Jira calls.
pub const PATH: &str = crate::config::WEBHOOK_PATH;

/// A larger delivery is refused. Jira sends up to 25 MB (Webhooks, "Delivery"), but an issue of ours has some 20 KB.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// "Unique within a Jira Cloud tenant and the same across retries" (Webhooks, "Headers").
const IDENTIFIER: &str = "x-atlassian-webhook-identifier";
/// A longer identifier is none: it is not signed, so anything may stand there.
const IDENTIFIER_CHARS_MAX: usize = 128;

/// What the sender is told. Jira sends again after 408, 409, 425, 429 and 5xx, and never after another 4xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The ticket is in the work queue.
    Accepted,
    /// It was accepted before.
    Duplicate,
    /// It is about nothing of ours.
    Ignored,
    /// It is signed and cannot be read: kept for people. To refuse it would only bring it again.
    Unreadable,
    /// Not signed by Jira.
    Unsigned(Unsigned),
    /// Larger than [`BODY_BYTES_MAX`].
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// The body broke off.
    Broken,
    /// Too much is being received at once.
    Busy,
    /// The work queue is full.
    Full,
    /// The store failed.
    Failed,
}

impl Answer {
    /// HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Answer::Accepted | Answer::Duplicate | Answer::Ignored | Answer::Unreadable => 200,
            Answer::Unsigned(Unsigned::NoSecret) => 503,
            Answer::Unsigned(_) => 401,
            Answer::TooLarge => 413,
            Answer::TooSlow => 408,
            Answer::Broken => 400,
            Answer::Busy | Answer::Full | Answer::Failed => 503,
        }
    }

    /// For `Retry-After`.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Answer::Busy => Some(Duration::from_secs(5)),
            Answer::Full | Answer::Failed => Some(Duration::from_secs(60)),
            Answer::Unsigned(Unsigned::NoSecret) => Some(Duration::from_secs(300)),
            _ => None,
        }
    }

    /// For counting.
    pub fn word(self) -> &'static str {
        match self {
            Answer::Accepted => "accepted",
            Answer::Duplicate => "duplicate",
            Answer::Ignored => "ignored",
            Answer::Unreadable => "unreadable",
            Answer::Unsigned(Unsigned::NoSecret) => "no_secret",
            Answer::Unsigned(Unsigned::Missing) => "unsigned",
            Answer::Unsigned(_) => "bad_signature",
            Answer::TooLarge => "too_large",
            Answer::TooSlow => "too_slow",
            Answer::Broken => "broken",
            Answer::Busy => "busy",
            Answer::Full => "full",
            Answer::Failed => "failed",
        }
    }

    /// One sentence for whoever looks at the sender's log.
    pub fn sentence(self) -> String {
        let text = match self {
            Answer::Accepted => "accepted",
            Answer::Duplicate => "known already",
            Answer::Ignored => "nothing of ours",
            Answer::Unreadable => "kept for inspection, because it could not be read",
            Answer::Unsigned(why) => return format!("{why}\n"),
            Answer::TooLarge => "a delivery has at most 1 MiB",
            Answer::TooSlow => "the delivery did not arrive in time",
            Answer::Broken => "the delivery broke off",
            Answer::Busy => "too many deliveries at once; come again",
            Answer::Full => "the work queue is full; come again",
            Answer::Failed => "the store failed; come again",
        };
        format!("{text}\n")
    }
}

/// Where deliveries go.
#[derive(Clone, Copy)]
pub struct Receiver<'a, S> {
    /// The active secrets.
    pub secrets: &'a Secrets,
    /// The work queue, the links, and the shelf for what cannot be read.
    pub store: &'a S,
    /// So many keys may wait.
    pub queue_most: u64,
}

impl<S: Inbox + Store + UnreadStore> Receiver<'_, S> {
    /// Takes a delivery in. The answer is a success only when everything that it says is durable.
    pub async fn receive(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Answer {
        let answer = match self.secrets.claimed(headers) {
            Ok(signature) => self.verified(&signature, headers, body, now).await,
            Err(why) => Answer::Unsigned(why),
        };
        count(answer, now);
        answer
    }

    async fn verified(
        &self,
        signature: &[u8; 32],
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Answer {
        let secret = match self.secrets.verify(signature, body) {
            Ok(secret) => secret,
            Err(why) => return Answer::Unsigned(why),
        };
        // Tells when the old one of two secrets is not used any more.
        metrics::counter!("asaf_webhook_signed_total", "secret" => if secret == 1 { "1" } else { "2" })
            .increment(1);
        let (taken, heard) = tokio::join!(
            self.take(identifier(headers), body, now),
            self.store.hear(Door::Webhook, now)
        );
        if let Err(error) = heard {
            tracing::debug!(%error, "that the webhook was heard is not remembered");
        }
        match taken {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(%error, "a webhook delivery could not be kept; Jira will send it again");
                Answer::Failed
            }
        }
    }

    async fn take(
        &self,
        id: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let body_sha256 = sha256(body);
        let named = match named(body) {
            Ok(named) => named,
            Err(why) => {
                let why = why.to_string();
                tracing::warn!(
                    bytes = body.len(),
                    "a signed webhook delivery could not be read and was kept: {why}. See `asaf quarantine ls`"
                );
                let arrived = Arrived {
                    door: Door::Webhook,
                    id,
                    why: &why,
                    body,
                    body_sha256,
                    at: now,
                };
                self.store.keep_unread(&arrived).await?;
                return Ok(Answer::Unreadable);
            }
        };
        let Some(key) = key(&named, self.store).await? else {
            return Ok(Answer::Ignored);
        };
        let delivery = Delivery {
            id: id.map(str::to_owned),
            body_sha256,
        };
        let accepted = self
            .store
            .accept(&delivery, &[key], &[], self.queue_most, now)
            .await?;
        Ok(match accepted {
            Accepted::Enqueued => Answer::Accepted,
            Accepted::Duplicate => Answer::Duplicate,
            Accepted::Full => Answer::Full,
        })
    }
}

/// What is to be looked at because of this, if it concerns a ticket of ours. One without our label may still be ours:
/// somebody may have removed the label.
pub(super) async fn key<S: Store>(named: &Named, store: &S) -> Result<Option<WorkKey>, StoreError> {
    let Named::Ticket { id, labelled } = *named else {
        return Ok(None);
    };
    let ours = labelled || !store.links_of(&[], &[id], &[]).await?.is_empty();
    Ok(ours.then_some(WorkKey::Ticket(id)))
}

/// Counts an answer.
pub fn count(answer: Answer, now: Timestamp) {
    metrics::counter!("asaf_webhook_total", "result" => answer.word()).increment(1);
    if answer.status() == 200 {
        metrics::gauge!("asaf_webhook_last_received_timestamp_seconds")
            .set(now.as_millisecond() as f64 / 1000.0);
    }
}

/// Why no delivery can be accepted; `None` when the webhook is set up on our side.
pub fn trouble(config: &Config) -> Option<String> {
    config.webhook.secrets.is_empty().then(|| {
        format!(
            "no webhook secret is configured, so {PATH} answers 503 and changes in Jira are seen by the scheduled runs \
             only; set [webhook] secrets = [\"env:ASAF_WEBHOOK_SECRET\"] to the secret of the admin webhook in Jira"
        )
    })
}

/// The sender's identifier, if it can be one.
pub(super) fn identifier(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(IDENTIFIER)?.to_str().ok()?;
    (1..=IDENTIFIER_CHARS_MAX).contains(&id.len()).then_some(id)
}
