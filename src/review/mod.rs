//! What waits for the security team, with the evidence that a reviewer needs: who claims what, what AWS says now, and
//! whether AWS has looked since. Pure: it reads nothing, decides nothing and writes nothing.

mod evidence;
pub mod render;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{
    Account, Compliance, FindingKey, FindingState, Marker, Pause, Severity, WorkflowStatus,
};

pub use evidence::Evidence;

/// Everything that waits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Review {
    /// When it was put together.
    pub at: Timestamp,
    /// From where.
    pub source: Source,
    /// The longest waiting first.
    pub waiting: Vec<Waiting>,
    /// What is paused: it explains why a decision has no effect yet.
    pub paused: Vec<Pause>,
    /// What could not be read, in words.
    pub gaps: Vec<String>,
}

/// Where the evidence comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "read")]
pub enum Source {
    /// Read from both sides for this.
    Now,
    /// What the last runs left in the store.
    Store {
        /// When the last run that read everything that it wanted began.
        last_read_at: Option<Timestamp>,
    },
}

/// One ticket that waits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waiting {
    /// Key.
    pub ticket: String,
    /// The link.
    pub marker: Marker,
    /// For what it waits.
    pub why: Why,
    /// Since when.
    pub since: Timestamp,
    /// Who says that it is dealt with.
    pub claim: Option<Claim>,
    /// In a word: what AWS's evidence says to the claim.
    pub verdict: Verdict,
    /// Security Hub's side.
    pub security_hub: HubSays,
    /// AWS Config's side.
    pub config: ConfigSays,
    /// Row 17 has told that RESOLVED stands although the finding fails.
    pub flagged: bool,
    /// The severity that the ticket was opened with: a control that passes is INFORMATIONAL.
    pub severity: Severity,
    /// The owning team.
    pub team: String,
    /// AWS account.
    pub account: Account,
    /// Its name, where Security Hub knows it.
    pub account_name: Option<String>,
    /// Region.
    pub region: String,
    /// Control, rule, type or CVE.
    pub rule: String,
    /// The finding's title, where it was read.
    pub title: Option<String>,
    /// The first resource.
    pub resource: String,
    /// The findings that the ticket tracks.
    pub findings: Vec<FindingKey>,
    /// What is said of each of several findings that share the ticket, at most [`MEMBERS_MOST`], the worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberSays>,
    /// How many more share it.
    #[serde(skip_serializing_if = "is_none")]
    pub members_more: usize,
}

/// The findings of one ticket that are looked at: as many as its own table names.
pub const MEMBERS_MOST: usize = 50;

/// One of several findings that share a ticket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemberSays {
    /// The resource.
    pub resource: String,
    /// AWS account.
    pub account: Account,
    /// Region.
    pub region: String,
    /// What it is to the ticket, such as `fails` or `ignored until …`.
    pub state: String,
    /// What the evidence says to the claim; `None` for one that the claim is not about: it is ignored, or was accepted.
    pub verdict: Option<Verdict>,
    /// Security Hub's side.
    pub security_hub: HubSays,
    /// AWS Config's side.
    pub config: ConfigSays,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

/// For what a ticket waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "for")]
pub enum Why {
    /// It is resolved: a reviewer closes it or opens it again.
    Review,
    /// A reviewer has closed it while the finding fails, and the policy is to hold that.
    ClosedWhileFailing,
    /// Somebody keeps changing back what the engine writes, or keeps deleting its ticket.
    Dispute {
        /// The row of the decision table.
        row: u8,
    },
}

/// Who says that it is dealt with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// Where it was said.
    pub how: How,
    /// Display name in Jira, or the identity in AWS; `asaf` where nobody said anything.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Where a claim was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Somebody resolved the ticket.
    Jira,
    /// Somebody set the finding to RESOLVED.
    SecurityHub,
    /// The finding stopped, and the engine resolved the ticket.
    Stopped,
}

/// What AWS's evidence says to the claim.
///
/// In the order in which a reviewer must know: of several findings, the first says how the ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It failed when it was checked after the claim.
    StillFailing,
    /// It failed when it was last checked, and that was before the claim.
    NotCheckedSince,
    /// The check could not be made.
    Unclear,
    /// Security Hub could not be read, or does not show it.
    Unknown,
    /// Security Hub has archived the finding, or it expired.
    Stopped,
    /// AWS Config says that the resource is deleted.
    ResourceDeleted,
    /// The check passes.
    Verified,
}

/// What Security Hub says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HubSays {
    /// F; `None` when the finding was not found.
    pub finding: Option<FindingState>,
    /// `Compliance.Status`, where it was read.
    pub compliance: Option<Compliance>,
    /// `Workflow.Status`.
    pub workflow: Option<WorkflowStatus>,
    /// When it was last evaluated.
    pub evaluated_at: Option<Timestamp>,
}

/// What AWS Config says of all resources that the finding names.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "resource")]
pub enum ConfigSays {
    /// Nobody asked.
    NotAsked,
    /// At least one exists.
    Exists,
    /// All are deleted.
    Deleted {
        /// When the last one was.
        at: Timestamp,
    },
    /// It does not know.
    Unknown {
        /// Why.
        why: String,
    },
}
