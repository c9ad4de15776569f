//! What the rows of the table ask of a view, each question in the table's own words.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{
    Author, BaseTicket, DecisionKind, FindingState, LinkOwner, Move, Ticket, TicketState,
    WorkflowStatus,
};

use super::case::Case;
use super::policy::{OwnerChange, Policy};
use super::view::{View, later_counts, that_stand};

/// From which project to which an open ticket would be moved, because its owner has another project now.
pub(super) fn transfer(case: &Case<'_>, ticket: Option<&Ticket>) -> Option<(String, String)> {
    let (was, is) = (case.link.owner.as_ref()?, case.owner.as_ref().ok()?);
    let ticket = ticket.filter(|ticket| ticket.state == Some(TicketState::Open))?;
    let goes = was.project != is.project && ticket.project != is.project;
    goes.then(|| (ticket.project.clone(), is.project.clone()))
}

impl<'a> View<'a> {
    /// T is in this state.
    pub(super) fn is(&self, state: TicketState) -> bool {
        self.t == BaseTicket::Is(state)
    }

    /// There is a ticket.
    pub(super) fn exists(&self) -> bool {
        matches!(self.t, BaseTicket::Is(_))
    }

    /// A person moved T into this state, and base does not know it.
    pub(super) fn newly(&self, state: TicketState) -> Option<&Move> {
        self.moved.filter(|_| self.is(state))
    }

    /// Who made a move, for the reader: with their part, where the configuration says who the teams are.
    pub(super) fn name(&self, person: &Move) -> String {
        let Some(teams) = self.teams else {
            return person.by_name.clone();
        };
        let reviews = self
            .reviewers
            .is_some_and(|reviewers| reviewers.contains(&person.by));
        let part = match (reviews, teams.contains(&person.by)) {
            (true, _) => "security",
            (false, true) => "product team",
            (false, false) => "neither product team nor security",
        };
        format!("{} ({part})", person.by_name)
    }

    /// The state as if the last move had not been made: what stood before it counts, also a person's decision that a
    /// lost event or a late run has kept from the base.
    pub(super) fn before_the_last_move(&self) -> View<'a> {
        let (last, earlier) = match self.moves.split_last() {
            Some((last, earlier)) => (Some(last), that_stand(earlier, self.bot, self.reviewers)),
            None => (None, self.moves),
        };
        let stood = last.and_then(|last| last.from);
        let accepted = earlier.last().is_some_and(|before| {
            let may_close = |reviewers: &BTreeSet<String>| reviewers.contains(&before.by);
            before.to == Some(TicketState::Closed) && self.reviewers.is_some_and(may_close)
        });
        let state = match (stood, self.base.ticket) {
            (Some(state), _) if state != TicketState::Closed || accepted => state,
            (_, BaseTicket::Is(state)) => state,
            (_, BaseTicket::None | BaseTicket::Deleted) => TicketState::Open,
        };
        let decided = earlier.last().filter(|before| {
            let news = BaseTicket::Is(state) != self.base.ticket && before.to == Some(state);
            let of_this_episode =
                self.f != FindingState::Failing || before.at > self.episode_started_at;
            news && before.by != self.bot && of_this_episode
        });
        let (moved, _) = later_counts(decided, self.w, &self.w_by, &self.base, self.reviewers);
        View {
            t: BaseTicket::Is(state),
            moved,
            moves: earlier,
            ..self.clone()
        }
    }

    /// A reviewer reopened the ticket after the finding had stopped or the resource was gone, and nobody who may has
    /// moved it since.
    pub(super) fn kept_open(&self) -> bool {
        let Some(last) = that_stand(self.moves, self.bot, self.reviewers).last() else {
            return false;
        };
        let by_reviewer = self
            .reviewers
            .is_some_and(|reviewers| reviewers.contains(&last.by));
        let later = self.changed_at().is_none_or(|changed| last.at > changed);
        by_reviewer && last.to == Some(TicketState::Open) && later
    }

    /// W has this status, set by a person or an automation rule.
    pub(super) fn theirs(&self, status: WorkflowStatus) -> Option<(&str, Timestamp, &str)> {
        match &self.w_by {
            Author::Theirs {
                identity,
                at,
                record,
            } if self.w == Some(status) => Some((identity, *at, record)),
            _ => None,
        }
    }

    /// W has this status, set by the engine.
    pub(super) fn ours(&self, status: WorkflowStatus) -> bool {
        self.w == Some(status) && self.w_by == Author::Ours
    }

    /// W is NEW or NOTIFIED.
    pub(super) fn unsettled(&self) -> bool {
        matches!(self.w, Some(WorkflowStatus::New | WorkflowStatus::Notified))
    }

    /// The finding stopped, or fails again, since both sides last agreed. Its first sight is no turn.
    pub(super) fn turned(&self) -> bool {
        let before = self.base.finding;
        let clear = self.f != FindingState::Unclear;
        self.base.episode > 0 && clear && before.is_stopped() != self.f.is_stopped()
    }

    /// When F or R last changed.
    pub(super) fn changed_at(&self) -> Option<Timestamp> {
        self.deleted_at.into_iter().chain(self.changed_at).max()
    }

    /// The finding is severe enough for a ticket of its own.
    pub(super) fn warrants_ticket(&self, policy: &Policy) -> bool {
        self.lead
            .as_ref()
            .is_some_and(|(severity, _)| *severity >= policy.threshold)
    }

    /// The ticket shows something else than the finding says now.
    pub(super) fn content_changed(&self) -> bool {
        let shown = &self.link.content;
        !shown.is_empty()
            && self
                .lead
                .as_ref()
                .is_some_and(|(_, content)| content != shown)
    }

    /// The owner that the ticket must go to: another than it was made for, with another project than it is in. A person
    /// who moves a ticket to another project changes no owner.
    pub(super) fn new_owner(&self, policy: &Policy) -> Option<(&LinkOwner, &LinkOwner)> {
        let (was, is) = (self.link.owner.as_ref()?, self.owner.as_ref()?);
        let there = self
            .ticket
            .is_some_and(|ticket| ticket.project == is.project);
        let goes = policy.owner_change != OwnerChange::Keep && was.project != is.project;
        (goes && !there).then_some((was, is))
    }

    /// The engine itself has just closed the ticket, and was stopped before it made the one that takes its place.
    pub(super) fn was_being_replaced(&self) -> bool {
        self.is(TicketState::Closed)
            && self.base.ticket == BaseTicket::Is(TicketState::Open)
            && self.moves.last().is_some_and(|last| last.by == self.bot)
    }

    /// A row's comment was made in this episode.
    pub(super) fn commented(&self, row: u8, id: &str) -> bool {
        self.link.comments.contains(&super::outcome::comment_key(
            &self.link,
            self.episode,
            row,
            id,
        ))
    }

    /// A person decided in this episode that the finding is dealt with.
    pub(super) fn decided(&self) -> bool {
        let now = self.link.decision.as_ref().is_some_and(|decision| {
            decision.episode == self.episode && decision.kind != DecisionKind::Reopened
        });
        now || self.accepted
    }

    /// A reviewer closed its ticket in this episode, whatever became of that ticket.
    pub(super) fn was_accepted(&self) -> bool {
        self.link.decision.as_ref().is_some_and(|decision| {
            decision.episode == self.episode && decision.kind == DecisionKind::Closed
        })
    }

    /// It fails again since the ticket was closed, and nobody has decided anything in this episode.
    pub(super) fn was_closed_before(&self) -> bool {
        self.f == FindingState::Failing && self.is(TicketState::Closed) && !self.decided()
    }

    /// A failing finding that a status set by hand hides.
    pub(super) fn is_hidden_by_hand(&self) -> bool {
        self.f == FindingState::Failing
            && self.w_by.is_theirs()
            && matches!(
                self.w,
                Some(WorkflowStatus::Resolved | WorkflowStatus::Suppressed)
            )
    }
}
