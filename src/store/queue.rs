//! The work queue: which keys need a look, and when. Keys coalesce: however many events name one, it is one item.
//!
//! An event never carries a decision, so an item is a key and a due time, nothing else. What a worker does with it is
//! the same path as the scheduled job ([`crate::jobs::reconcile`]) on a narrower scope.

use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::StoreError;
use super::unread::Door;
use crate::model::{Account, FindingKey, Marker};

/// What an event names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkKey {
    /// A finding: from Security Hub's events.
    Finding(FindingKey),
    /// A ticket by its numeric id, which survives a move to another project: from Jira's webhooks.
    Ticket(u64),
    /// A link: from the engine itself, when something is to be looked at again later.
    Link(Marker),
}

impl WorkKey {
    /// What it is called in the quarantine: the link, or `ticket-10023`, or `finding-` and 32 hexadecimal digits.
    pub fn name(&self) -> Marker {
        match self {
            WorkKey::Link(marker) => marker.clone(),
            WorkKey::Ticket(id) => Marker(format!("ticket-{id}")),
            WorkKey::Finding(key) => {
                let mut hash = Sha256::new();
                hash.update((key.product_arn.len() as u64).to_be_bytes());
                hash.update(key.product_arn.as_bytes());
                hash.update(key.id.as_bytes());
                Marker(format!("finding-{}", hex::encode(&hash.finalize()[..16])))
            }
        }
    }

    /// What people read.
    pub fn words(&self) -> String {
        match self {
            WorkKey::Finding(key) => format!("finding {}", key.id),
            WorkKey::Ticket(id) => format!("the ticket with id {id}"),
            WorkKey::Link(marker) => format!("link {marker}"),
        }
    }
}

/// Positive proof that a resource is gone, from a Config event (`ResourceDeleted`): R of the decision table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDeletion {
    /// Owner account.
    pub account: Account,
    /// Region of the configuration item.
    pub region: String,
    /// The ARN where the event has one, and the resource's id: a finding may name either.
    pub ids: Vec<String>,
    /// `configurationItemCaptureTime`.
    pub at: Timestamp,
}

/// How a delivery is known again: retries keep the identifier, replays keep the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `X-Atlassian-Webhook-Identifier`, or the SQS message id; `None` when the sender gave none.
    pub id: Option<String>,
    /// SHA-256 of the raw body.
    pub body_sha256: [u8; 32],
}

/// What became of a delivery. Durable when this is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The keys are in the queue.
    Enqueued,
    /// It was accepted before; nothing changed.
    Duplicate,
    /// The queue is full; nothing was kept. The sender must try again.
    Full,
}

/// A claimed item. Only the holder of its fence may finish it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leased {
    /// What.
    pub key: WorkKey,
    /// Rises with every claim; the items of one claim share it.
    pub fence: u64,
    /// Rises with every enqueue of this key: an event that came during the work keeps the item queued.
    pub generation: u64,
    /// How many claims failed before this one.
    pub attempts: u32,
}

/// How the work on a claimed item ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// Done.
    Done,
    /// To be tried again at this time; counts as a failed attempt.
    Again {
        /// When.
        at: Timestamp,
        /// Why, for people.
        why: String,
    },
    /// To be looked at again at this time (hold-down, settle window); not a failure.
    Later {
        /// When.
        at: Timestamp,
    },
}

/// Depth by state, for `/metrics` and `/readyz`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depth {
    /// Due now and not claimed.
    pub ready: u64,
    /// Due later.
    pub delayed: u64,
    /// Claimed.
    pub leased: u64,
    /// When the oldest ready item became due.
    pub oldest_ready_at: Option<Timestamp>,
}

/// Takes in what events name. Every method is one transaction, and durable when it returns.
pub trait Inbox: Sync {
    /// Enqueues the keys of a delivery, due at once, unless it was accepted before (same id or same body within the
    /// memory of deliveries: 24 hours, 100,000) or the queue holds `most` items already. A deletion enqueues the links
    /// of its resource too, and is remembered as proof for 30 days.
    fn accept(
        &self,
        delivery: &Delivery,
        keys: &[WorkKey],
        deletions: &[ResourceDeletion],
        most: u64,
        now: Timestamp,
    ) -> impl Future<Output = Result<Accepted, StoreError>> + Send;

    /// Remembers that something genuine came through a door, whatever it was about.
    fn hear(
        &self,
        door: Door,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// When something genuine last came through a door.
    fn heard(
        &self,
        door: Door,
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;
}

/// Hands out work.
pub trait WorkQueue: Inbox {
    /// Enqueues keys that become due at `due_at`; a key that is queued keeps the earlier time, and one that backs off
    /// after a failure keeps its own.
    fn enqueue(
        &self,
        keys: &[WorkKey],
        due_at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Claims at most `limit` due items until `now + lease`; expired leases are free again, and count as a failed
    /// attempt.
    fn claim(
        &self,
        limit: u32,
        now: Timestamp,
        lease: SignedDuration,
    ) -> impl Future<Output = Result<Vec<Leased>, StoreError>> + Send;

    /// Ends claims. An item whose fence is not the claimed one any more is left alone; returns how many were.
    fn finish(
        &self,
        items: &[(Leased, Finished)],
        now: Timestamp,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// How much waits.
    fn depth(&self, now: Timestamp) -> impl Future<Output = Result<Depth, StoreError>> + Send;

    /// Returns once this process has enqueued something since the last return: a worker that waits here is not late.
    fn arrived(&self) -> impl Future<Output = ()> + Send;
}
