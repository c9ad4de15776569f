//! Plans that the brake has stopped and a person has released: asked for on a page, done by the process that runs.

use std::future::Future;

use jiff::Timestamp;
use serde::Serialize;

use super::{AuditEntry, StoreError};

/// A person wants exactly this plan to be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Release {
    /// Primary key.
    pub seq: i64,
    /// The plan, by its digest.
    pub digest: String,
    /// Who.
    pub by: String,
    /// When.
    pub asked_at: Timestamp,
    /// When it was settled.
    pub ended_at: Option<Timestamp>,
    /// What came of it, in a sentence.
    pub outcome: Option<String>,
}

/// Remembers releases. Every method is one transaction.
pub trait Releases: Sync {
    /// Asks for one, and writes that into the audit log; false when it was asked for already.
    fn ask_release(
        &self,
        digest: &str,
        by: &str,
        now: Timestamp,
        entry: &AuditEntry,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// The oldest that is not settled.
    fn open_release(&self) -> impl Future<Output = Result<Option<Release>, StoreError>> + Send;
    /// Settles one.
    fn settle_release(
        &self,
        seq: i64,
        outcome: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// The latest, newest first.
    fn releases(&self, limit: u32)
    -> impl Future<Output = Result<Vec<Release>, StoreError>> + Send;
}
