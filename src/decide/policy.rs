//! What adopters choose about deciding. The defaults are the cautious ones.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Grouping, Severity};

/// What happens when a reviewer closes a ticket whose finding still fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloseWhileFailing {
    /// The reviewer's word counts: RESOLVED.
    #[default]
    Resolve,
    /// Held for security.
    Hold,
    /// The ticket is reopened.
    Reopen,
}

/// What happens to a SUPPRESSED that was set by hand or by an automation rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppressedByHand {
    /// The ticket becomes ignored, and it is reported.
    #[default]
    Respect,
    /// It is undone: only reviewed rules suppress.
    Revert,
}

/// What happens to the ticket of a deleted resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResourceDeleted {
    /// Tombstone, then delete.
    #[default]
    Delete,
    /// Close.
    Close,
}

/// What happens to an open ticket whose finding now belongs to an owner with another project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnerChange {
    /// It is closed, and a new one in the new owner's project refers to it.
    #[default]
    Recreate,
    /// Jira moves it to the new owner's project: another key, the same ticket.
    Move,
    /// It stays where it is, and names the new owner.
    Keep,
}

/// What happens with [`OwnerChange::Move`] where Jira does not let the bot move tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MoveDenied {
    /// As with [`OwnerChange::Recreate`], and the new ticket says why.
    #[default]
    Recreate,
    /// As with [`OwnerChange::Keep`], and security is told why.
    Keep,
}

/// What happens when a finding still fails long after RESOLVED.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recheck {
    /// Say so once, in a comment and to security.
    #[default]
    Flag,
    /// Reopen a resolved ticket.
    Reopen,
}

/// The choices that deciding depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Tickets are created from this severity up; reopening never asks.
    pub threshold: Severity,
    /// Row 7.
    pub close_while_failing: CloseWhileFailing,
    /// Rows 9 and 10.
    pub suppressed_by_hand: SuppressedByHand,
    /// Row 4.
    pub resource_deleted: ResourceDeleted,
    /// Row 17: how long RESOLVED may stand while the finding fails.
    pub recheck_after: SignedDuration,
    /// Row 17.
    pub recheck: Recheck,
    /// Row 14: a ticket closed longer than this is not reopened; a new one refers to it.
    pub reopen_window: SignedDuration,
    /// Row 19: close what AWS reports as passed.
    pub auto_close_verified: bool,
    /// Row 16: the owner has another project now.
    pub owner_change: OwnerChange,
    /// The same, where Jira does not let the bot move tickets.
    pub move_denied: MoveDenied,
    /// Which findings share a ticket.
    pub grouping: Grouping,
    /// A finding that turns again within this is waited for before its ticket is reopened or resolved once more.
    pub hold_down: SignedDuration,
    /// Who may close, as people read it, such as `members of the Jira group security-reviewers`.
    pub who_may_close: String,
    /// How long reads may show the old workflow status after our write.
    pub settle: SignedDuration,
    /// A control finding not evaluated for this long prompts a question to Config (controls are evaluated at least
    /// every 24 h).
    pub stale_after: SignedDuration,
    /// Config is not asked about the same resource more often than this.
    pub resource_recheck: SignedDuration,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            threshold: Severity::Medium,
            close_while_failing: CloseWhileFailing::default(),
            suppressed_by_hand: SuppressedByHand::default(),
            resource_deleted: ResourceDeleted::default(),
            recheck_after: SignedDuration::from_hours(24),
            recheck: Recheck::default(),
            reopen_window: SignedDuration::from_hours(30 * 24),
            auto_close_verified: false,
            owner_change: OwnerChange::default(),
            move_denied: MoveDenied::default(),
            grouping: Grouping::default(),
            hold_down: SignedDuration::from_mins(15),
            who_may_close: "the security team".to_owned(),
            settle: SignedDuration::from_mins(15),
            stale_after: SignedDuration::from_hours(26),
            resource_recheck: SignedDuration::from_hours(6),
        }
    }
}
