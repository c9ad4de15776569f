//! What the engine remembers. The store is the authority on links; Jira's label and property only help to recover it.
//!
//! [`sqlite`] is the default. The trait is what a second database has to offer.

pub mod access;
pub mod history;
pub mod organisation;
pub mod outbox;
pub mod proofs;
pub mod queue;
pub mod release;
pub mod rules;
pub mod sqlite;
pub mod unread;

use std::future::Future;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{FindingKey, Intent, Link, Marker, Pause, PauseScope, TicketRef};

use queue::ResourceDeletion;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened, read or written.
    #[error(
        "the store {path} cannot be used: {why}. Check the path, its permissions and the free space"
    )]
    File {
        /// The database file.
        path: PathBuf,
        /// SQLite's or the system's words.
        why: String,
    },
    /// Another process is running on the same store.
    #[error("another asaf process uses the store {path}. Wait for it to end, or stop it")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    #[error(
        "the store has schema {found}, and this asaf knows up to {known}. Use the newer version"
    )]
    Newer {
        /// In the file.
        found: u32,
        /// In this binary.
        known: u32,
    },
    /// The file is no sound database any more.
    #[error(
        "the store {path} is damaged: {why}. Nothing in it is believed: restore a backup, or move the file away, and a full run takes over the tickets that exist (docs/backup.md)"
    )]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// SQLite's words.
        why: String,
    },
    /// A row that this version wrote differently, or that was damaged.
    #[error(
        "row {row} of the store {path} cannot be read: {why}. Restore a backup (docs/backup.md)"
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// Table and key.
        row: String,
        /// The decoder's words.
        why: String,
    },
    /// Two links claim one ticket, or a second intent is opened for one link.
    #[error("the store refuses {what}: it would break one ticket per finding")]
    Conflict {
        /// What was tried.
        what: String,
    },
    /// The audit log was changed after the fact.
    #[error("the audit log is broken at entry {seq}: its hash does not follow from the one before")]
    AuditBroken {
        /// Position.
        seq: i64,
    },
    /// The store's own thread has ended.
    #[error("the store was closed")]
    Closed,
}

/// How an intent ended.
#[derive(Clone, Debug)]
pub enum IntentOutcome {
    /// The ticket exists; this is the link with its ids.
    Created(Box<Link>),
    /// It is certain that no ticket was created.
    NotCreated,
}

/// The memory of a ticket that we deleted: reports count it as reduction, and its 404 is no riddle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The ticket.
    pub ticket: TicketRef,
    /// Its link.
    pub marker: Marker,
    /// When it was buried: before the deletion.
    pub at: Timestamp,
    /// Why, in a sentence.
    pub reason: String,
    /// Severity, account and rule, for reports.
    pub severity: String,
    /// Account id.
    pub account: String,
    /// Control, rule or type.
    pub rule: String,
}

/// One line of the audit log: an outside write, with its reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// The run.
    pub run: String,
    /// The plan's word for it: [`crate::plan::Action::verb`].
    pub action: String,
    /// The link.
    pub marker: Marker,
    /// Ticket key, where there is one.
    pub ticket: Option<String>,
    /// Finding id, where there is one.
    pub finding: Option<String>,
    /// State before.
    pub before: Option<String>,
    /// State after.
    pub after: Option<String>,
    /// The row of the decision table.
    pub row: u8,
    /// The reason's sentence.
    pub reason: String,
}

/// Something that failed for good and waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The link, or a name in its place for what has no link: see [`queue::WorkKey::name`].
    pub marker: Marker,
    /// What to look at again when a person says so; `None` where the link says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<queue::WorkKey>,
    /// What people call it: ticket key or finding id.
    pub subject: String,
    /// What was being done.
    pub what: String,
    /// The last error.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
    /// How many runs tried.
    pub attempts: u32,
}

/// One run, for the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// UUID v7.
    pub id: String,
    /// Begin.
    pub started_at: Timestamp,
    /// End; `None` if it did not end.
    pub finished_at: Option<Timestamp>,
    /// `full` or `incremental`.
    pub kind: String,
    /// Summary, requests, held.
    pub summary: Value,
}

/// One day's number of tickets in one state, for trends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    /// `2026-11-24`
    pub day: String,
    /// Account id.
    pub account: String,
    /// Severity label.
    pub severity: String,
    /// `open`, `resolved`, `closed`, `ignored`, or `deleted` (tombstones, cumulative).
    pub state: String,
    /// How many.
    pub count: u64,
}

/// Everything that a run remembers. Every method is one transaction.
pub trait Store:
    rules::RuleMemory + proofs::Proofs + organisation::OrganisationMemory + Sync
{
    /// All links.
    fn links(&self) -> impl Future<Output = Result<Vec<Link>, StoreError>> + Send;
    /// Links that track one of the findings, have one of the tickets, or one of the markers.
    fn links_of(
        &self,
        findings: &[FindingKey],
        tickets: &[u64],
        markers: &[Marker],
    ) -> impl Future<Output = Result<Vec<Link>, StoreError>> + Send;
    /// Writes link rows, and counts what changes with them as of `at` ([`history`]).
    fn put_links(
        &self,
        links: &[Link],
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Writes what a run did or took in: link rows, their counts and their audit entries.
    fn settle(
        &self,
        links: &[Link],
        entries: &[AuditEntry],
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Open intents.
    fn intents(&self) -> impl Future<Output = Result<Vec<Intent>, StoreError>> + Send;
    /// Writes intents, before the create is sent; refuses a second one for a link.
    fn open_intents(
        &self,
        intents: &[Intent],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Ends intents, writing and counting the link in the same transaction.
    fn settle_intents(
        &self,
        outcomes: &[(Marker, IntentOutcome)],
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Writes tombstones, before the deletion.
    fn bury(&self, tombstones: &[Tombstone])
    -> impl Future<Output = Result<(), StoreError>> + Send;
    /// All tombstones.
    fn tombstones(&self) -> impl Future<Output = Result<Vec<Tombstone>, StoreError>> + Send;
    /// Notes that comments with these keys may have been sent.
    fn open_comments(&self, keys: &[String])
    -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Of these keys, the ones that an earlier run may have sent.
    fn opened_comments(
        &self,
        keys: &[String],
    ) -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;
    /// Appends to the audit log; each entry's hash covers the one before.
    fn audit(&self, entries: &[AuditEntry]) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// The audit log of one link, oldest first.
    fn audit_of(
        &self,
        marker: &Marker,
    ) -> impl Future<Output = Result<Vec<AuditEntry>, StoreError>> + Send;
    /// Checks the whole chain; returns its length.
    fn verify_audit(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;
    /// What waits for a person.
    fn quarantine(&self) -> impl Future<Output = Result<Vec<Quarantined>, StoreError>> + Send;
    /// Adds or replaces.
    fn put_quarantine(
        &self,
        items: &[Quarantined],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Releases; true if it was there.
    fn release(&self, marker: &Marker) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// Proofs of deletion, from Config's events, for resources with one of these ids.
    fn deletions_of(
        &self,
        ids: &[String],
    ) -> impl Future<Output = Result<Vec<ResourceDeletion>, StoreError>> + Send;
    /// What is paused, in the order of scopes.
    fn pauses(&self) -> impl Future<Output = Result<Vec<Pause>, StoreError>> + Send;
    /// Pauses; an earlier pause of the same scope is replaced.
    fn pause(&self, pause: &Pause) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Ends a pause; true if it was there.
    fn resume(&self, scope: &PauseScope) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// A named instant, such as the upper bound of the last sweep.
    fn instant(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;
    /// Sets it.
    fn set_instant(
        &self,
        name: &str,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Writes a run's record.
    fn put_run(&self, run: &Run) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// The latest runs, newest first.
    fn runs(&self, limit: u32) -> impl Future<Output = Result<Vec<Run>, StoreError>> + Send;
    /// Recounts one day from links and tombstones.
    fn count_day(&self, day: &str) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Daily counts between two days, inclusive.
    fn history(
        &self,
        from: &str,
        to: &str,
    ) -> impl Future<Output = Result<Vec<DayCount>, StoreError>> + Send;
}
