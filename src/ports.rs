//! The traits between the engine and the world. Readers and writers are different types: a dry run is a run that was
//! given no writers. Each method is one step of a batch with the vendor's own limits; choosing batches is the
//! caller's work.
//!
//! Implementations are the HTTP clients of [`crate::wire`], which also reach the emulators in process.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{
    Account, Finding, FindingKey, Marker, Move, Ticket, TicketRef, TicketState, WorkflowStatus,
};
use crate::plan::Action;
use crate::store::StoreError;
use crate::wire::error::WireError;

/// Which findings to read. Every field narrows; `RecordState` is always both, because closing needs ARCHIVED.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingsQuery {
    /// Only records with `UpdatedAt` at or after this.
    pub updated_since: Option<Timestamp>,
    /// Only records with `UpdatedAt` at or before this: pinned once per sweep, because a page token is bound to the
    /// whole query.
    pub updated_until: Option<Timestamp>,
    /// Only these ids, at most 20 (20 values per attribute).
    pub ids: Vec<String>,
    /// Only these accounts, at most 20.
    pub accounts: Vec<Account>,
    /// By `UpdatedAt`, the newest first.
    pub newest_first: bool,
}

/// One page of findings, at most 100.
#[derive(Clone, Debug, Default)]
pub struct FindingsPage {
    /// What was understood.
    pub findings: Vec<Finding>,
    /// What was not: (finding id or position, field, problem).
    pub problems: Vec<(String, String, String)>,
    /// The token of the next page; `None` on the last.
    pub next: Option<String>,
}

/// The last write of a finding's workflow status, from GetFindingHistory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowWrite {
    /// IAM principal or automation rule; `None` when the provider's import (AWS itself) changed it.
    pub identity: Option<String>,
    /// The engine's own role wrote it.
    pub ours: bool,
    /// When.
    pub at: Timestamp,
    /// The status after.
    pub to: WorkflowStatus,
}

/// Reads Security Hub.
pub trait FindingsReader: Sync {
    /// One page. An `Err` means that the page, and so the sweep, is incomplete.
    fn page(
        &self,
        query: &FindingsQuery,
        token: Option<&str>,
    ) -> impl Future<Output = Result<FindingsPage, WireError>> + Send;

    /// Who last wrote the workflow status; `None` when nobody since creation.
    fn last_workflow_write(
        &self,
        key: &FindingKey,
    ) -> impl Future<Output = Result<Option<WorkflowWrite>, WireError>> + Send;
}

/// One BatchUpdateFindings call: the same values for at most 100 findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowUpdate {
    /// At most 100, without duplicates.
    pub findings: Vec<FindingKey>,
    /// The new status.
    pub workflow: WorkflowStatus,
    /// At most 512 characters; overwrites the finding's one note.
    pub note: String,
    /// The whole map (merge or replace is undocumented, so the full set is sent), or none.
    pub user_defined: BTreeMap<String, String>,
}

/// A finding that BatchUpdateFindings did not process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unprocessed {
    /// Which.
    pub finding: FindingKey,
    /// `ConcurrentUpdateError`, `FindingNotFound`, `InternalFailure`, `InvalidInput`, …
    pub code: String,
    /// AWS's words.
    pub message: String,
}

impl Unprocessed {
    /// Trying again may help: `ConcurrentUpdateError`, `InternalFailure`.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.code.as_str(),
            "ConcurrentUpdateError" | "InternalFailure"
        )
    }
}

/// Writes Security Hub.
pub trait FindingsWriter: Sync {
    /// Sets status and note; returns what was not processed. Repeating it is harmless.
    fn set_workflow(
        &self,
        update: &WorkflowUpdate,
    ) -> impl Future<Output = Result<Vec<Unprocessed>, WireError>> + Send;
}

/// Which tickets to look for. Search lags by seconds to minutes: what it returns exists or did; absence proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketQuery {
    /// Every ticket with the label `asaf`.
    Labelled,
    /// Tickets with the label `asaf` that changed since then (Jira's search knows minutes; overlap generously).
    UpdatedSince(Timestamp),
    /// Tickets with one of these markers, at most 50.
    Marked(Vec<Marker>),
    /// A person's own query, as it was typed.
    Asked(String),
}

/// One page of a search: ids alone, so that thousands fit on it; what they say is read by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketIds {
    /// Numeric ids.
    pub ids: Vec<u64>,
    /// The token of the next page; `None` on the last.
    pub next: Option<String>,
}

/// The engine's own user and the people who may close.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// The account id of the engine's own user.
    pub bot: String,
    /// Reviewers' account ids; `None` when they could not be read: then nobody may close.
    pub reviewers: Option<BTreeSet<String>>,
    /// The product teams' account ids; `None` when nobody says who they are, or they could not be read.
    pub teams: Option<BTreeSet<String>>,
}

/// Whether the bot may move tickets from one project to another, and what it lacks where it may not.
pub type Transfers = BTreeMap<(String, String), Result<(), String>>;

/// Reads Jira.
pub trait TicketsReader: Sync {
    /// The bot's own account id and the reviewers.
    fn people(&self) -> impl Future<Output = Result<People, WireError>> + Send;

    /// One page of a search.
    fn search(
        &self,
        query: &TicketQuery,
        token: Option<&str>,
    ) -> impl Future<Output = Result<TicketIds, WireError>> + Send;

    /// Tickets by numeric id, at most 100. Absent ones are gone or hidden.
    fn fetch(&self, ids: &[u64]) -> impl Future<Output = Result<Vec<Ticket>, WireError>> + Send;

    /// Tickets by key, at most 100: the probe after a create with unknown outcome.
    fn fetch_keys(
        &self,
        keys: &[String],
    ) -> impl Future<Output = Result<Vec<Ticket>, WireError>> + Send;

    /// The descriptions of tickets by numeric id, at most 100, as ADF documents or null; absent ones are gone or hidden.
    fn descriptions(
        &self,
        ids: &[u64],
    ) -> impl Future<Output = Result<BTreeMap<u64, Value>, WireError>> + Send;

    /// The highest issue number of a project that search knows now; 0 when it has none.
    fn highest_number(&self, project: &str) -> impl Future<Output = Result<u64, WireError>> + Send;

    /// Changes of status, oldest first, of at most 1,000 tickets.
    fn moves(
        &self,
        ids: &[u64],
    ) -> impl Future<Output = Result<BTreeMap<u64, Vec<Move>>, WireError>> + Send;

    /// A ticket by id in a project that can be read: `None` is a 404, which means deleted or hidden.
    fn get(&self, id: u64) -> impl Future<Output = Result<Option<Ticket>, WireError>> + Send;

    /// Whether the bot may move tickets between projects, from and to, and what it lacks where it may not: one request,
    /// and one for each project.
    fn transfers(
        &self,
        projects: &BTreeSet<(String, String)>,
    ) -> impl Future<Output = Result<Transfers, WireError>> + Send;

    /// The project exists and the bot may browse it.
    fn project_readable(
        &self,
        project: &str,
    ) -> impl Future<Output = Result<bool, WireError>> + Send;

    /// Does the ticket already carry a comment with this key (property `asaf.comment`)?
    fn has_comment(
        &self,
        id: u64,
        key: &str,
    ) -> impl Future<Output = Result<bool, WireError>> + Send;

    /// The last comment that somebody with this display name made at or after `since`, as plain text.
    fn last_words(
        &self,
        id: u64,
        by: &str,
        since: Timestamp,
    ) -> impl Future<Output = Result<Option<String>, WireError>> + Send;
}

/// A ticket to create: all in one call, so that no ticket exists without its markers.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Marker label.
    pub marker: Marker,
    /// Project key.
    pub project: String,
    /// Issue type name.
    pub issue_type: String,
    /// One line, at most 255 characters.
    pub summary: String,
    /// ADF document.
    pub description: Value,
    /// Priority name; `None` leaves the project's default.
    pub priority: Option<String>,
    /// Labels besides `asaf` and the marker.
    pub labels: Vec<String>,
    /// A component of the project, by name.
    pub component: Option<String>,
    /// An account id, or `lead` for the project's lead; `None` leaves it to Jira.
    pub assignee: Option<String>,
    /// Further fields by id, as Jira's API takes them.
    pub fields: serde_json::Map<String, Value>,
    /// The value of the entity property `asaf.link`.
    pub property: Value,
    /// When it is due; left out where the project's screen has no due date.
    pub due: Option<Date>,
}

/// New content of an existing ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// One line, at most 255 characters.
    pub summary: String,
    /// ADF document.
    pub description: Value,
    /// Priority name.
    pub priority: Option<String>,
    /// Further fields by id that follow the finding.
    pub fields: serde_json::Map<String, Value>,
    /// A component to add, where the owner has one.
    pub component: Option<String>,
    /// Whom a ticket is given that has come to another project: its key, and an account id, or `lead` for its lead.
    pub assignee: Option<(String, String)>,
}

/// A comment with the key that keeps it from being made twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// (link, episode, row, changelog or history id), kept in the comment's property `asaf.comment`.
    pub key: String,
    /// ADF document.
    pub body: Value,
}

/// Writes Jira.
pub trait TicketsWriter: Sync {
    /// Creates at most 50 tickets; one outcome per draft, in order. An ambiguous `Err` for the whole call means that
    /// any of them may exist.
    fn create(
        &self,
        drafts: &[Draft],
    ) -> impl Future<Output = Result<Vec<Result<TicketRef, WireError>>, WireError>> + Send;

    /// Moves one ticket along the workflow's directed transitions. The caller re-reads after a refusal.
    fn move_to(
        &self,
        ticket: &Ticket,
        to: TicketState,
    ) -> impl Future<Output = Result<(), WireError>> + Send;

    /// Moves many tickets that stand in the same status of the same project; one outcome per ticket.
    fn move_all(
        &self,
        tickets: &[Ticket],
        to: TicketState,
    ) -> impl Future<Output = Vec<(u64, Result<(), WireError>)>> + Send;

    /// Moves tickets to another project, where they have an issue type by its name; one outcome per ticket, with the key
    /// that it has there. A ticket that is there already stays as it is.
    fn transfer_all(
        &self,
        tickets: &[Ticket],
        project: &str,
        issue_type: &str,
    ) -> impl Future<Output = Vec<(u64, Result<TicketRef, WireError>)>> + Send;

    /// Adds a comment.
    fn comment(
        &self,
        id: u64,
        comment: &Comment,
    ) -> impl Future<Output = Result<(), WireError>> + Send;

    /// Replaces the engine's content; labels and other fields stay.
    fn update(
        &self,
        id: u64,
        content: &Content,
    ) -> impl Future<Output = Result<(), WireError>> + Send;

    /// Adds one label; the others stay, and one that is there already is no change.
    fn label(&self, id: u64, label: &str) -> impl Future<Output = Result<(), WireError>> + Send;

    /// Sets the due date; nothing happens where the project's screen has none.
    fn set_due(&self, id: u64, due: Date) -> impl Future<Output = Result<(), WireError>> + Send;

    /// Deletes for good; a 404 counts as done.
    fn delete_all(
        &self,
        ids: &[u64],
    ) -> impl Future<Output = Vec<(u64, Result<(), WireError>)>> + Send;
}

/// A resource to ask AWS Config about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceQuery {
    /// Owner account.
    pub account: Account,
    /// Region.
    pub region: String,
    /// ASFF resource type, such as `AwsS3Bucket`.
    pub kind: String,
    /// ASFF resource id, usually an ARN.
    pub id: String,
}

/// R of the decision table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "resource")]
pub enum ResourceFact {
    /// Config records it as present.
    Exists,
    /// Positive proof of deletion.
    Deleted {
        /// When Config captured the deletion.
        at: Timestamp,
    },
    /// Absent or unanswerable: proves nothing.
    Unknown {
        /// Why, for the reader.
        why: String,
    },
}

/// An account of the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFact {
    /// 12 digits.
    pub id: Account,
    /// Name, at most 50 characters.
    pub name: String,
    /// ACTIVE in the organisation.
    pub active: bool,
}

/// Reads what exists: AWS Config and Organizations.
pub trait Inventory: Sync {
    /// Three-valued answers; the aggregate is asked first, proof of deletion comes from the member account.
    fn resources(
        &self,
        queries: &[ResourceQuery],
    ) -> impl Future<Output = BTreeMap<ResourceQuery, ResourceFact>> + Send;

    /// All accounts of the organisation.
    fn accounts(&self) -> impl Future<Output = Result<Vec<AccountFact>, WireError>> + Send;

    /// The tags of these accounts in Organizations: one request for each.
    fn account_tags(
        &self,
        accounts: &[Account],
    ) -> impl Future<Output = Result<BTreeMap<Account, BTreeMap<String, String>>, WireError>> + Send;

    /// The path of the organisational unit of each account, such as `/prod/payments`; `/` at the root.
    fn units(&self) -> impl Future<Output = Result<BTreeMap<Account, String>, WireError>> + Send;
}

/// Something that people should hear of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// For whom.
    pub to: Audience,
    /// The team, by its name, where no ticket says whose news it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// What happened, in one sentence.
    pub text: String,
    /// The ticket, where there is one.
    pub ticket_key: Option<String>,
}

/// Who hears of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The security team's channel.
    Security,
    /// The owning team's channel.
    Team,
}

/// Tells people.
pub trait Notifier: Sync {
    /// Keeps one alert until it is delivered. An alert whose key was kept before is the same news, and told once: a run
    /// may say it again after a crash. `about` is the action that it tells of, where there is one.
    fn tell(
        &self,
        alert: &Alert,
        key: &str,
        about: Option<&Action>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
