//! A plan is plain data: what would be written, why, and what is held. It can be printed, compared and hashed.

pub mod digest;
mod held;
pub mod limits;
pub mod paused;
pub mod reason;
pub mod render;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::model::{
    Account, FindingKey, FindingState, Link, Marker, Severity, TicketState, WorkflowStatus,
};
use crate::ports::Alert;
pub use held::HeldReason;
pub use reason::Reason;

/// Everything that one run would do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Writes, in the order of their markers.
    pub actions: Vec<Action>,
    /// What is not decided or not allowed, and why.
    pub held: Vec<Held>,
    /// Links whose row changes without an outside write. Boxed: a list that grows as it is filled is half empty.
    #[serde(skip)]
    #[allow(clippy::vec_box)]
    pub noted: Vec<Box<Link>>,
    /// What the decision was made from.
    pub seen: Seen,
}

/// The size of what was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Findings read.
    pub findings: usize,
    /// Accounts among them.
    pub accounts: usize,
    /// Tickets read.
    pub tickets: usize,
    /// Links with a ticket that is not closed, before the run: the population that the brake compares with.
    pub live_tickets: usize,
    /// The whole of Security Hub was read.
    pub complete: bool,
    /// What was not read, in words.
    pub gaps: Vec<String>,
    /// Failing findings that a status set by hand hides.
    pub hidden_by_hand: usize,
    /// Which ignore rules were read, or why none were, in a sentence; `None` where there are none.
    #[serde(default)]
    pub rules: Option<String>,
}

/// What people read about a finding in a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The finding's id.
    pub finding: FindingKey,
    /// Account id.
    pub account: Account,
    /// Further accounts, where several findings share the ticket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_accounts: Vec<Account>,
    /// Account name, where known.
    pub account_name: Option<String>,
    /// Region.
    pub region: String,
    /// Severity now.
    pub severity: Severity,
    /// Control, rule, type or CVE.
    pub rule: String,
    /// Title.
    pub title: String,
    /// First resource.
    pub resource: String,
    /// Ticket key, once there is one.
    pub ticket: Option<String>,
    /// The team that answers for it.
    #[serde(default)]
    pub team: String,
    /// The key of the Jira project that a new ticket goes to.
    #[serde(default)]
    pub project: String,
}

/// What is done to the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum TicketStep {
    /// Nothing, besides a comment.
    Keep,
    /// A new ticket.
    Create,
    /// A new ticket in the new owner's project, and the old one is closed.
    Replace,
    /// Moved to the new owner's project, where it has another key.
    Transfer,
    /// Closed, because another ticket goes on with what it was about.
    Merge,
    /// A change of status.
    Move {
        /// The status's meaning.
        to: TicketState,
    },
    /// Tombstone, then delete.
    Delete,
    /// New content.
    Update,
    /// The label that says that the engine no longer acts on it: see [`crate::model::DISPUTED_LABEL`].
    Label,
}

/// What is written to Security Hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowStep {
    /// Every finding of the link that can be written.
    pub findings: Vec<FindingKey>,
    /// The new status.
    pub to: WorkflowStatus,
    /// Some of the findings' fields name another ticket than theirs: the note must name theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrects: bool,
}

/// The state that an action was decided from; it is not applied to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// F.
    pub finding: FindingState,
    /// T's state, if there is a ticket.
    pub ticket: Option<TicketState>,
    /// W.
    pub workflow: Option<WorkflowStatus>,
}

/// One row of the decision table, to be applied to one link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The link.
    pub marker: Marker,
    /// The row of the decision table.
    pub row: u8,
    /// Why, in a sentence that is the same everywhere.
    pub reason: Reason,
    /// For the reader.
    pub subject: Subject,
    /// Precondition.
    pub expect: Expect,
    /// Jira.
    pub ticket: TicketStep,
    /// The key of a comment that says why, if one is made.
    pub comment: Option<String>,
    /// Security Hub.
    pub workflow: Option<WorkflowStep>,
    /// Who hears of it at once.
    pub alerts: Vec<Alert>,
    /// Links whose tickets must be closed first ([`TicketStep::Merge`]): no finding has two live tickets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<Marker>,
    /// The link's row once everything above has its receipt.
    #[serde(skip)]
    pub after: Option<Box<Link>>,
    /// The same for the members of a group, whose ticket lists them.
    #[serde(skip)]
    pub members: Vec<Link>,
}

/// Something that is not done, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The link.
    pub marker: Marker,
    /// For the reader.
    pub subject: Subject,
    /// Why.
    pub why: HeldReason,
}

/// The plan in numbers, by what happens to tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// New tickets.
    pub created: usize,
    /// Back to open.
    pub reopened: usize,
    /// To resolved, by the engine.
    pub resolved: usize,
    /// To closed.
    pub closed: usize,
    /// Deleted with their resource.
    pub deleted: usize,
    /// Undone, because the person had no right.
    pub reverted: usize,
    /// To ignored.
    pub ignored: usize,
    /// Content or comment only.
    pub updated: usize,
    /// Workflow status only.
    pub status_only: usize,
    /// Held.
    pub held: usize,
}

impl TicketStep {
    /// A ticket comes into being.
    pub fn creates(self) -> bool {
        matches!(self, TicketStep::Create | TicketStep::Replace)
    }

    /// The key is another one afterwards.
    pub fn renames(self) -> bool {
        self.creates() || self == TicketStep::Transfer
    }
}

impl Action {
    /// What is done, in the word of the audit log and of plans.
    pub fn verb(&self) -> &'static str {
        use TicketState::{Closed, Ignored, Open, Resolved};
        match self.ticket {
            TicketStep::Create => "create",
            TicketStep::Replace => "replace",
            TicketStep::Transfer => "transfer",
            TicketStep::Merge => "merge",
            TicketStep::Move { to: Open } => "reopen",
            TicketStep::Move { to: Resolved } => "resolve",
            TicketStep::Move { to: Closed } => "close",
            TicketStep::Move { to: Ignored } => "ignore",
            TicketStep::Delete => "delete",
            TicketStep::Update => "update",
            TicketStep::Label => "label",
            TicketStep::Keep if self.comment.is_some() => "comment",
            TicketStep::Keep if self.workflow.is_some() => "status",
            TicketStep::Keep => "tell",
        }
    }
}

impl Plan {
    /// Takes out what waits for links that are held themselves, and holds it for the same reason.
    pub(crate) fn hold_waiting(&mut self, why: &HeldReason) {
        let held: std::collections::BTreeSet<Marker> =
            self.held.iter().map(|held| held.marker.clone()).collect();
        let waits = |action: &Action| action.waits_for.iter().any(|link| held.contains(link));
        let (waiting, free): (Vec<Action>, Vec<Action>) = std::mem::take(&mut self.actions)
            .into_iter()
            .partition(waits);
        self.actions = free;
        self.held.extend(waiting.into_iter().map(|action| Held {
            marker: action.marker,
            subject: action.subject,
            why: why.clone(),
        }));
    }

    /// Nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The plan in numbers; every action counts once.
    pub fn summary(&self) -> Summary {
        let mut sum = Summary {
            held: self.held.len(),
            ..Summary::default()
        };
        for action in &self.actions {
            sum.count(action);
        }
        sum
    }
}

impl Summary {
    /// Counts an action.
    pub fn count(&mut self, action: &Action) {
        *self.of(action) += 1;
    }

    fn of(&mut self, action: &Action) -> &mut usize {
        match action.ticket {
            TicketStep::Label => &mut self.updated,
            _ if action.row == 2 => &mut self.reverted,
            TicketStep::Create | TicketStep::Replace => &mut self.created,
            TicketStep::Move {
                to: TicketState::Open,
            } => &mut self.reopened,
            TicketStep::Move {
                to: TicketState::Resolved,
            } => &mut self.resolved,
            TicketStep::Merge
            | TicketStep::Move {
                to: TicketState::Closed,
            } => &mut self.closed,
            TicketStep::Move {
                to: TicketState::Ignored,
            } => &mut self.ignored,
            TicketStep::Delete => &mut self.deleted,
            TicketStep::Update | TicketStep::Transfer => &mut self.updated,
            TicketStep::Keep if action.comment.is_some() => &mut self.updated,
            TicketStep::Keep => &mut self.status_only,
        }
    }
}
