//! A ticket: a Jira issue that tracks a finding, reduced to what decisions need.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The label of a ticket about which the engine no longer argues; whoever takes it off lets the engine act again.
pub const DISPUTED_LABEL: &str = "asaf-disputed";

/// What a Jira status means for the engine; the mapping from status ids stands in the configuration.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Waits for the owning team, or is in progress.
    Open,
    /// The team says that it is done; waits for review.
    Resolved,
    /// Reviewed and accepted.
    Closed,
    /// An ignore rule, or a respected suppression, covers it.
    Ignored,
}

impl TicketState {
    /// The word that people read.
    pub fn word(self) -> &'static str {
        match self {
            TicketState::Open => "open",
            TicketState::Resolved => "resolved",
            TicketState::Closed => "closed",
            TicketState::Ignored => "ignored",
        }
    }
}

/// A ticket by its ids. The numeric id is stable; the key changes when the issue moves to another project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TicketRef {
    /// Jira's numeric issue id.
    pub id: u64,
    /// Jira's issue key, such as `PAY-12`.
    pub key: String,
}

/// One change of status, from Jira's changelog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The changelog entry's id.
    pub changelog_id: String,
    /// Who: Jira account id.
    pub by: String,
    /// Their display name, for the reader only.
    pub by_name: String,
    /// When.
    pub at: Timestamp,
    /// Meaning of the status before; `None` if unmapped.
    pub from: Option<TicketState>,
    /// Meaning of the status after; `None` if unmapped.
    pub to: Option<TicketState>,
}

/// A ticket as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Ids.
    pub at: TicketRef,
    /// Project key.
    pub project: String,
    /// Jira's status id.
    pub status_id: String,
    /// Jira's status name, for messages only.
    pub status_name: String,
    /// What the status means; `None` when the configuration does not map it.
    pub state: Option<TicketState>,
    /// All labels.
    pub labels: Vec<String>,
    /// The issue's `updated`.
    pub updated_at: Option<Timestamp>,
    /// The entity property `asaf.link`, where it was read.
    pub property: Option<serde_json::Value>,
}
