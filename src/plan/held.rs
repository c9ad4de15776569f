//! Why something is held, and what to do about it. Each sentence is written once, here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::reason::minute;
use crate::model::{DISPUTED_LABEL, PauseScope};

/// Why something is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "held")]
pub enum HeldReason {
    /// A create was sent and its outcome is unknown.
    IntentInDoubt {
        /// Since when.
        since: Timestamp,
    },
    /// Waits for a person.
    Quarantined {
        /// What failed.
        why: String,
    },
    /// The ticket was not found by id, once.
    TicketNotFoundOnce {
        /// Key.
        key: String,
    },
    /// The ticket's project cannot be read.
    TicketUnreadable {
        /// Key.
        key: String,
    },
    /// The configuration does not say what the status means.
    StatusUnmapped {
        /// Key.
        key: String,
        /// Jira's status.
        status: String,
    },
    /// Who moved the ticket could not be read.
    MoverUnknown {
        /// Key.
        key: String,
    },
    /// Who may close could not be read.
    ReviewersUnknown {
        /// Key.
        key: String,
    },
    /// Who set the workflow status could not be read.
    WriterUnknown,
    /// Whose it is depends on what Organizations has never told.
    OwnerUnknown {
        /// Why it could not be read.
        why: String,
    },
    /// Whether the bot may move tickets between two projects could not be read.
    MayMoveUnknown {
        /// The ticket.
        key: String,
        /// The new owner's project.
        project: String,
    },
    /// Absent, but its account and Region were not read completely.
    NotCovered,
    /// Absent from one complete read; the next one decides.
    AbsentOnce,
    /// Absent, and its account is not known as a member of the organisation.
    AccountNotMember {
        /// Account id.
        account: String,
    },
    /// Row 7 with policy `hold`.
    ClosedWhileFailing {
        /// The reviewer.
        by: String,
    },
    /// Row 12, a third time.
    DeletedTooOften {
        /// The last key.
        key: String,
    },
    /// Somebody keeps changing back what the engine writes; security was told.
    Disputed {
        /// The row of the decision table.
        row: u8,
        /// Since when.
        since: Timestamp,
    },
    /// The finding turned moments ago, and has turned again.
    HoldDown {
        /// It is looked at again then.
        until: Timestamp,
    },
    /// It began to fail after a person had resolved or closed the ticket that it shares: what was said comes first.
    FailsSince {
        /// The ticket.
        key: String,
    },
    /// It would be deleted, but only a complete read shows whom it is shared with: a restored store may not know all.
    SharedWithMore {
        /// The ticket.
        key: String,
    },
    /// A person paused it.
    Paused {
        /// How much is paused.
        scope: PauseScope,
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// The ignore rules could not be read.
    RulesUnread,
    /// Blocked by the mass-change brake.
    Brake {
        /// How many removals the plan had.
        removals: usize,
        /// Of how many tickets.
        of: usize,
    },
    /// No row of the table matches: a defect.
    NoRow,
}

impl HeldReason {
    /// The kind of reason in one word, for counting.
    pub fn word(&self) -> &'static str {
        match self {
            HeldReason::IntentInDoubt { .. } => "intent_in_doubt",
            HeldReason::Quarantined { .. } => "quarantined",
            HeldReason::TicketNotFoundOnce { .. } => "ticket_not_found_once",
            HeldReason::TicketUnreadable { .. } => "ticket_unreadable",
            HeldReason::StatusUnmapped { .. } => "status_unmapped",
            HeldReason::MoverUnknown { .. } => "mover_unknown",
            HeldReason::ReviewersUnknown { .. } => "reviewers_unknown",
            HeldReason::WriterUnknown => "writer_unknown",
            HeldReason::OwnerUnknown { .. } => "owner_unknown",
            HeldReason::MayMoveUnknown { .. } => "may_move_unknown",
            HeldReason::NotCovered => "not_covered",
            HeldReason::AbsentOnce => "absent_once",
            HeldReason::AccountNotMember { .. } => "account_not_member",
            HeldReason::ClosedWhileFailing { .. } => "closed_while_failing",
            HeldReason::DeletedTooOften { .. } => "deleted_too_often",
            HeldReason::Disputed { .. } => "disputed",
            HeldReason::HoldDown { .. } => "hold_down",
            HeldReason::FailsSince { .. } => "fails_since",
            HeldReason::SharedWithMore { .. } => "shared_with_more",
            HeldReason::Paused { .. } => "paused",
            HeldReason::RulesUnread => "rules_unread",
            HeldReason::Brake { .. } => "brake",
            HeldReason::NoRow => "no_row",
        }
    }

    /// One sentence, for everybody.
    pub fn sentence(&self) -> String {
        match self {
            HeldReason::IntentInDoubt { since } => format!(
                "a ticket may have been created at {}; Jira is asked until that is certain",
                minute(since)
            ),
            HeldReason::Quarantined { why } => {
                format!("in quarantine: {why} (see `asaf quarantine`)")
            }
            HeldReason::TicketNotFoundOnce { key } => format!(
                "{key} was not found by its id; a second read decides whether it was deleted"
            ),
            HeldReason::TicketUnreadable { key } => {
                format!("{key} cannot be read, nor can its project: check the bot's permissions")
            }
            HeldReason::StatusUnmapped { key, status } => {
                format!("{key} has status “{status}”, which [jira.statuses] does not map")
            }
            HeldReason::MoverUnknown { key } => format!("who moved {key} could not be read"),
            HeldReason::ReviewersUnknown { key } => {
                format!("{key} was closed, but who may close could not be read")
            }
            HeldReason::WriterUnknown => {
                "who set the status in Security Hub could not be read".to_owned()
            }
            HeldReason::OwnerUnknown { why } => format!(
                "whose it is depends on units or tags of accounts, and Organizations could not be read yet: {why}"
            ),
            HeldReason::MayMoveUnknown { key, project } => {
                format!("whether {key} may be moved to {project} could not be read")
            }
            HeldReason::NotCovered => {
                "absent, but its account and Region were not read completely".to_owned()
            }
            HeldReason::AbsentOnce => {
                "absent from one complete read; a second one decides".to_owned()
            }
            HeldReason::AccountNotMember { account } => {
                format!("absent, and account {account} is not an active member of the organisation")
            }
            HeldReason::ClosedWhileFailing { by } => {
                format!("{by} closed it while it fails, and the policy is to hold")
            }
            HeldReason::DeletedTooOften { key } => {
                format!("{key} was deleted, like two tickets before it: security decides")
            }
            HeldReason::Disputed { row, since } => format!(
                "disputed since {}: row {row} would once more undo what somebody or an automation rule does; take the label {DISPUTED_LABEL} off the ticket when that is settled",
                minute(since)
            ),
            HeldReason::HoldDown { until } => format!(
                "the finding changes to and fro; it is looked at again after {}",
                minute(until)
            ),
            HeldReason::FailsSince { key } => format!(
                "more resources of {key} fail since it was resolved or closed; the next run opens it again for them"
            ),
            HeldReason::SharedWithMore { key } => format!(
                "the resources that {key} is about are deleted; the next full reconcile looks for others of its rule, and deletes it if there are none"
            ),
            HeldReason::Paused { scope, by, why } => {
                format!("{scope} is paused by {by}: {why} (see `asaf pause ls`)")
            }
            HeldReason::RulesUnread => {
                "the ignore rules could not be read: what they hide is left as it is".to_owned()
            }
            HeldReason::Brake { removals, of } => {
                format!("the plan would remove {removals} of {of} tickets, over the limit")
            }
            HeldReason::NoRow => {
                "no row of the decision table matches: please report this".to_owned()
            }
        }
    }
}
