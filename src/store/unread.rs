//! Deliveries that could not be read: kept for people, a bounded number of them, so that a sender with a new form
//! neither is lost silently nor fills the disk.

use std::future::Future;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;

/// So many different ones are kept: the newest.
pub const UNREAD_MOST: u32 = 64;
/// So much of a body is kept: more than the largest finding (240 KB).
pub const UNREAD_BYTES_MAX: usize = 256 * 1024;

/// Through which door something came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// Jira's webhook.
    Webhook,
    /// The event queue.
    Queue,
}

impl Door {
    /// As it is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Door::Webhook => "webhook",
            Door::Queue => "queue",
        }
    }
}

/// Something that came in and could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived<'a> {
    /// Where.
    pub door: Door,
    /// The sender's identifier, where there is one.
    pub id: Option<&'a str>,
    /// Why it could not be read.
    pub why: &'a str,
    /// The raw body.
    pub body: &'a [u8],
    /// SHA-256 of the raw body.
    pub body_sha256: [u8; 32],
    /// When.
    pub at: Timestamp,
}

/// The same, as kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Its number: it is called `unread-` and this.
    pub seq: u64,
    /// Where it came in.
    pub door: Door,
    /// The sender's identifier, where there is one.
    pub id: Option<String>,
    /// Why it could not be read.
    pub why: String,
    /// How often the same body came.
    pub times: u64,
    /// When it came last.
    pub at: Timestamp,
    /// How long the body was, in bytes.
    pub bytes: u64,
    /// The body, or its beginning.
    #[serde(skip)]
    pub body: Vec<u8>,
}

impl Unread {
    /// As people call it.
    pub fn name(&self) -> String {
        format!("unread-{}", self.seq)
    }

    /// The body was kept whole, so that it can be read again.
    pub fn is_whole(&self) -> bool {
        self.bytes == self.body.len() as u64
    }
}

/// Keeps what could not be read. Every method is one transaction.
pub trait UnreadStore: Sync {
    /// Keeps one; the same body again only counts. The oldest beyond [`UNREAD_MOST`] goes.
    fn keep_unread(
        &self,
        arrived: &Arrived<'_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// All of them, oldest first.
    fn unread(&self) -> impl Future<Output = Result<Vec<Unread>, StoreError>> + Send;

    /// How many there are.
    fn count_unread(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Forgets one; true if it was there.
    fn forget_unread(&self, seq: u64) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
