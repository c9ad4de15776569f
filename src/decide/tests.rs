//! What is decided, about one state after another.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod after;
mod asked;
mod both_moved;
mod counted;
mod damping;
mod episodes;
mod handed_over;
mod ignoring;
mod left;
mod movers;
mod part_read;
mod placed;
mod policies;
mod read;
mod remembered;
mod rows;
mod shared;
mod standings;
mod state;
mod together;
mod undone;
mod writers;

use jiff::{SignedDuration, Timestamp};

use super::{Policy, decide};
use crate::decide::policy::{CloseWhileFailing, Recheck, SuppressedByHand};
use crate::model::{
    Author, Base, BaseTicket, Finding, FindingState, Ignoring, Link, Marker, Move, RuleMatch,
    Ticket, TicketRef, TicketState, WorkflowStatus,
};
use crate::plan::{Action, HeldReason, Plan, TicketStep};
use crate::ports::{AccountFact, ResourceFact, WorkflowWrite};
use crate::read::snapshot::{Missing, Snapshot};

use TicketState::{Closed, Ignored, Open, Resolved};
use WorkflowStatus::{New, Notified, Suppressed};

pub(super) use state::*;
