//! What the decision table says of a case, before it becomes an action.

use jiff::Timestamp;

use crate::model::{DecisionKind, TicketState, WorkflowStatus};
use crate::plan::{HeldReason, Reason, TicketStep};

/// What a row wants.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    pub(super) row: u8,
    pub(super) reason: Reason,
    pub(super) ticket: TicketStep,
    /// A comment is due; the text tells comments of one row and episode apart (a changelog or history id).
    pub(super) comment: Option<String>,
    /// The status that W must have afterwards; `None` leaves it.
    pub(super) w: Option<WorkflowStatus>,
    /// A person's decision to remember.
    pub(super) decision: Option<(DecisionKind, String, Timestamp)>,
    /// Security hears of it.
    pub(super) tell_security: bool,
    /// The owning team hears of it.
    pub(super) tell_team: bool,
}

/// What the table says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ruling {
    /// A row matches; if it turns out to need no write, both sides agree.
    Row(Verdict),
    /// Row 21: nothing may be concluded, so the base stays too.
    Wait,
    /// Both sides agree as they are.
    Agree,
    /// Row 1, or a row whose policy is to hold.
    Held(HeldReason),
}

impl Verdict {
    pub(super) fn new(row: u8, reason: Reason) -> Self {
        Verdict {
            row,
            reason,
            ticket: TicketStep::Keep,
            comment: None,
            w: None,
            decision: None,
            tell_security: false,
            tell_team: false,
        }
    }

    pub(super) fn to(mut self, state: TicketState) -> Self {
        self.ticket = TicketStep::Move { to: state };
        self
    }

    pub(super) fn step(mut self, step: TicketStep) -> Self {
        self.ticket = step;
        self
    }

    pub(super) fn status(mut self, w: WorkflowStatus) -> Self {
        self.w = Some(w);
        self
    }

    pub(super) fn comment(mut self, id: &str) -> Self {
        self.comment = Some(id.to_owned());
        self
    }

    pub(super) fn decided(mut self, kind: DecisionKind, by: &str, at: Timestamp) -> Self {
        self.decision = Some((kind, by.to_owned(), at));
        self
    }

    pub(super) fn tell_security(mut self) -> Self {
        self.tell_security = true;
        self
    }
}
