//! A ticket: a Jira issue that tracks a finding, reduced to what decisions need.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::finding::Severity;

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

/// What a ticket shows of its finding, as far as a change of it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Severity.
    pub severity: Severity,
    /// Title, at most 160 characters.
    pub title: String,
    /// How many resources.
    pub resources: usize,
    /// Account name; empty where unknown.
    pub account_name: String,
    /// The owner's team.
    pub team: String,
}

/// One change of what a ticket shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// When.
    pub at: Timestamp,
    /// What, from what, to what.
    pub what: String,
}

impl Shown {
    /// What is different now, in a sentence's part; where nothing here is, resources were exchanged for others.
    pub fn differences(&self, now: &Shown) -> String {
        let mut said = Vec::new();
        let mut note = |what: &str, was: &str, is: &str| {
            let shown = |text: &str| if text.is_empty() { "none" } else { text }.to_owned();
            if was != is {
                said.push(format!("{what} {} → {}", shown(was), shown(is)));
            }
        };
        note("severity", self.severity.label(), now.severity.label());
        note("title", &self.title, &now.title);
        note(
            "resources",
            &self.resources.to_string(),
            &now.resources.to_string(),
        );
        note("account name", &self.account_name, &now.account_name);
        note("owner", &self.team, &now.team);
        if said.is_empty() {
            "other resources".to_owned()
        } else {
            said.join("; ")
        }
    }
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
