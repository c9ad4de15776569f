//! The port to a chat: what can be done with a message there, and what may go wrong, by what the caller may do next.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::message::Message;

/// Where a message is to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The channel, in the chat's own words.
    pub channel: String,
    /// The message whose thread it belongs to.
    pub thread: Option<String>,
}

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// The channel.
    pub channel: String,
    /// The message, in the chat's own words; Slack calls it `ts`.
    pub id: String,
}

/// Why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// It may stand there or not: look for it before it is sent again.
    #[error("no answer: {0}")]
    InDoubt(String),
    /// Not delivered; trying later may help.
    #[error("{why}")]
    Later {
        /// The chat's words.
        why: String,
        /// How long to wait, where the chat says so.
        after: Option<Duration>,
    },
    /// This channel takes no messages; others may.
    #[error("{0}")]
    Channel(String),
    /// The chat takes no messages of ours at all.
    #[error("{0}")]
    Chat(String),
    /// The chat refuses this message.
    #[error("{0}")]
    Message(String),
}

/// A chat.
pub trait Chat: Sync {
    /// Sends a message that carries `key`, by which [`Chat::find`] knows it again.
    fn post(
        &self,
        to: &Address,
        message: &Message,
        key: &str,
    ) -> impl Future<Output = Result<At, Undelivered>> + Send;

    /// Replaces a message; repeating it is harmless.
    fn update(
        &self,
        at: &At,
        message: &Message,
        key: &str,
    ) -> impl Future<Output = Result<(), Undelivered>> + Send;

    /// Looks for a message that was sent at or after `since`; `None` when it is surely not there.
    fn find(
        &self,
        to: &Address,
        key: &str,
        since: Timestamp,
    ) -> impl Future<Output = Result<Option<At>, Undelivered>> + Send;
}
