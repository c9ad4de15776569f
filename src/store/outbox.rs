//! What people are still to be told, and what became of each ticket.
//!
//! A *notice* is one thing to tell, known by its key: kept once, however often a run repeats it. A *post* is one message
//! in one place; it carries one notice, or several that were folded into it. Ticket changes are written by the
//! database itself in the transaction that moves a link's row, so that a crash loses none.

use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AuditEntry, StoreError};
use crate::model::{Marker, Severity};

/// Which thread a notice belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thread {
    /// It is a message of its own, and opens a thread for its link.
    Opens,
    /// It is a message of its own.
    None,
    /// The thread of the link's last message, or a message of its own when there is none.
    IfOpened,
    /// The thread of the link's last message; without one nobody has to hear of it.
    OnlyIfOpened,
}

/// One thing to tell, in one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Such as `slack`: the same notice is kept once for each place.
    pub place: String,
    /// The content's key: equal keys are the same news.
    pub key: String,
    /// Who hears it, in the words of [`crate::notify`].
    pub recipient: String,
    /// Notices with the same recipient and fold share a post within the window; `None` stands alone.
    pub fold: Option<String>,
    /// What it is about.
    pub marker: Option<Marker>,
    /// Where it belongs.
    pub thread: Thread,
    /// Not before.
    pub due_at: Timestamp,
    /// What is told; the store does not look into it.
    pub body: Value,
}

/// How posts are folded in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folding {
    /// So long after it was opened a post takes in more.
    pub window: SignedDuration,
    /// A post that stands there already says more after at least this long.
    pub pause: SignedDuration,
}

/// A message that stands somewhere: channel, and the message's name there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The channel.
    pub channel: String,
    /// The message.
    pub message: String,
}

/// A post that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    /// Primary key.
    pub id: i64,
    /// The key of its first notice.
    pub key: String,
    /// Such as `slack`.
    pub place: String,
    /// Who hears it.
    pub recipient: String,
    /// The message whose thread it belongs to.
    pub thread: Option<Standing>,
    /// Where it stands; `None` before it was sent.
    pub standing: Option<Standing>,
    /// Rises with every notice that is folded in.
    pub revision: u64,
    /// The revision that people see; 0 before it was sent.
    pub sent: u64,
    /// A send whose outcome is unknown: since when, and of which revision.
    pub trying: Option<(Timestamp, u64)>,
    /// Failed attempts in a row.
    pub attempts: u32,
    /// What it tells, oldest first.
    pub notices: Vec<Value>,
}

/// What waits for one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Such as `slack`.
    pub place: String,
    /// Who.
    pub recipient: String,
    /// How many posts.
    pub posts: u64,
    /// Since when the oldest one waits.
    pub since: Timestamp,
    /// The last trouble, if there was any.
    pub trouble: Option<String>,
}

/// What a ticket is, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// There is no ticket: not yet, or we deleted it.
    None,
    /// Another ticket goes on with what it was about: the finding shares one, or no longer does.
    Merged,
    /// There was a ticket before we counted.
    Adopted,
    /// Waits for the team.
    Open,
    /// Waits for review.
    Resolved,
    /// Reviewed.
    Closed,
    /// Covered by a rule.
    Ignored,
    /// A person deleted it.
    Deleted,
}

impl Stage {
    /// Reads the word that the database keeps.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Stage::None,
            "merged" => Stage::Merged,
            "adopted" => Stage::Adopted,
            "open" => Stage::Open,
            "resolved" => Stage::Resolved,
            "closed" => Stage::Closed,
            "ignored" => Stage::Ignored,
            "deleted" => Stage::Deleted,
            _ => return None,
        })
    }
}

/// One change of a ticket, as its link's row moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketChange {
    /// Position.
    pub seq: i64,
    /// The link.
    pub marker: Marker,
    /// When; `None` until it was told.
    pub at: Option<Timestamp>,
    /// Before.
    pub was: Stage,
    /// Severity before.
    pub severity_was: Severity,
    /// After.
    pub became: Stage,
    /// Severity after.
    pub severity: Severity,
    /// The episode after.
    pub episode: u32,
    /// Account id.
    pub account: String,
    /// Control, rule or type.
    pub rule: String,
}

/// Keeps what is to be told until it was.
pub trait Outbox: Sync {
    /// Changes that nobody was told of yet, oldest first.
    fn untold(
        &self,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<TicketChange>, StoreError>> + Send;

    /// Keeps the notices whose key is new, folds them into posts, and dates the changes that they tell of, in one
    /// transaction. Returns how many were new.
    fn keep(
        &self,
        notices: &[Notice],
        told: &[i64],
        folding: Folding,
        now: Timestamp,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send;

    /// Posts that can be sent now, oldest first; a post of a thread only once the thread's message stands there.
    fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Post>, StoreError>> + Send;

    /// Claims a post until `until` and notes that this revision may be on its way; false when somebody else has it.
    fn claim_post(
        &self,
        id: i64,
        revision: u64,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// A revision stands there; a newer one is due after the pause.
    fn stands(
        &self,
        id: i64,
        revision: u64,
        at: &Standing,
        folding: Folding,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Not delivered. `in_doubt` keeps the note that it may be on its way.
    fn postpone(
        &self,
        id: i64,
        until: Timestamp,
        trouble: &str,
        in_doubt: bool,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// It will never be delivered.
    fn give_up(
        &self,
        id: i64,
        trouble: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What waits, by recipient.
    fn waiting(&self) -> impl Future<Output = Result<Vec<Waiting>, StoreError>> + Send;

    /// Forgets posts that were opened before then and wait for nothing; returns how many.
    fn forget(&self, before: Timestamp) -> impl Future<Output = Result<usize, StoreError>> + Send;
}

/// What digests and reports count.
pub trait Figures: Sync {
    /// Changes at or after `from` that were told, oldest first.
    fn changes(
        &self,
        from: Timestamp,
    ) -> impl Future<Output = Result<Vec<TicketChange>, StoreError>> + Send;

    /// When each link's ticket last became what it is, for links that are at this stage.
    fn since(
        &self,
        stage: Stage,
    ) -> impl Future<Output = Result<Vec<(Marker, Timestamp)>, StoreError>> + Send;

    /// Since when changes are counted.
    fn counting_since(&self) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Entries of the audit log that a row of the decision table wrote, at or after `from`, oldest first.
    fn audit_by_row(
        &self,
        row: u8,
        from: Timestamp,
    ) -> impl Future<Output = Result<Vec<AuditEntry>, StoreError>> + Send;
}
