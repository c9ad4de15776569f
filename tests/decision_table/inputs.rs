//! Every combination of what a decision is made from, that can be at all. What is left out, and why, stands at the
//! place where it is.

use asaf::decide::Policy;
use asaf::decide::policy::{CloseWhileFailing, Recheck, ResourceDeleted, SuppressedByHand};
use asaf::model::{FindingState, Severity, TicketState, WorkflowStatus};

use TicketState::{Closed, Ignored, Open, Resolved};
use WorkflowStatus::{New, Notified, Suppressed};

/// F.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum F {
    /// A control that failed when both sides last agreed, and has since.
    Failing,
    /// A control whose compliance has changed since (`FirstObservedAt` is later).
    FailingAnew,
    /// A product without compliance: GuardDuty, Inspector.
    Alert,
    /// NOT_AVAILABLE.
    Unclear,
    /// PASSED.
    Passing,
    /// ARCHIVED.
    Archived,
    /// Absent from a second complete read.
    Gone,
    /// The same, and the account has left the organisation.
    GoneWithItsAccount,
    /// Absent, and its Region was not read.
    NotCovered,
}

/// Who made the last move of the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    Bot,
    Team,
    Reviewer,
    /// A person, while nobody can say who reviews.
    Somebody,
}

/// Who made W what it is, if the base does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    Ours,
    /// A person or an automation rule, at this hour; people move tickets at hours 8 and 18.
    Theirs(i64),
    Aws,
    /// GetFindingHistory could not be read.
    Unknown,
}

/// W.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum W {
    /// As both sides agreed, and who wrote it then.
    Same(WorkflowStatus, Writer),
    /// Changed from the first to the second.
    Changed(WorkflowStatus, WorkflowStatus, Writer),
}

/// T against its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum T {
    /// Nothing is known of the finding yet.
    Unlinked,
    /// There is none, and never was, or our own tombstone.
    None,
    /// As both sides agreed; the actor and the hour of its last move.
    Same(TicketState, Actor, i64),
    /// Open as agreed; it shows older content.
    Stale,
    /// Closed as agreed, 40 days ago.
    ClosedLongAgo,
    /// Changed from one state (`None`: adopted, was never agreed on) to another, by whom and at which hour.
    Moved(Option<TicketState>, TicketState, Actor, i64),
    /// 404 by id in the second complete read; what was agreed on before (`None`: deleted already).
    Deleted(Option<TicketState>),
    /// The same, and people have deleted two of its tickets already.
    DeletedOften(TicketState),
    /// 404 by id once.
    NotFoundOnce(TicketState),
    /// 404 by id, and the project cannot be read.
    Unreadable(TicketState),
    /// In a status that the configuration does not map.
    Unmapped(TicketState),
}

/// Ignore rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    None,
    Matches,
    /// They cannot be read; the last ones that could be covered it, or did not.
    Unread {
        covered: bool,
    },
}

/// The last decision of a person in this episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decided {
    Nothing,
    Accepted,
    Reopened,
}

/// One state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) f: F,
    /// F when both sides last agreed.
    pub(crate) base_f: FindingState,
    /// Config proves the resource deleted, later than the last evaluation.
    pub(crate) deleted: bool,
    pub(crate) w: W,
    pub(crate) t: T,
    pub(crate) rule: Rule,
    pub(crate) decided: Decided,
}

impl F {
    pub(crate) fn fails(self) -> bool {
        matches!(self, F::Failing | F::FailingAnew | F::Alert)
    }

    pub(crate) fn is_absent(self) -> bool {
        matches!(self, F::Gone | F::GoneWithItsAccount | F::NotCovered)
    }
}

impl W {
    pub(crate) fn now(self) -> WorkflowStatus {
        match self {
            W::Same(w, _) | W::Changed(_, w, _) => w,
        }
    }

    pub(crate) fn base(self) -> WorkflowStatus {
        match self {
            W::Same(w, _) | W::Changed(w, ..) => w,
        }
    }

    pub(crate) fn writer(self) -> Writer {
        match self {
            W::Same(_, writer) | W::Changed(.., writer) => writer,
        }
    }
}

impl T {
    /// The state that people see in Jira.
    pub(crate) fn state(self) -> Option<TicketState> {
        match self {
            T::Same(state, ..) | T::Moved(_, state, ..) => Some(state),
            T::Stale => Some(Open),
            T::ClosedLongAgo => Some(Closed),
            T::Unlinked
            | T::None
            | T::Deleted(_)
            | T::DeletedOften(_)
            | T::NotFoundOnce(_)
            | T::Unreadable(_)
            | T::Unmapped(_) => None,
        }
    }
}

const STATUSES: [WorkflowStatus; 4] = [New, Notified, WorkflowStatus::Resolved, Suppressed];
const STATES: [TicketState; 4] = [Open, Resolved, Closed, Ignored];

/// Calls back with each state.
pub(crate) fn each(mut with: impl FnMut(Input)) {
    for f in [
        F::Failing,
        F::FailingAnew,
        F::Alert,
        F::Unclear,
        F::Passing,
        F::Archived,
        F::Gone,
        F::GoneWithItsAccount,
        F::NotCovered,
    ] {
        for base_f in base_findings(f) {
            for t in tickets(f) {
                for w in statuses(f) {
                    for rule in rules(f, w, t) {
                        for deleted in [false, true] {
                            for decided in decisions(f, t) {
                                with(Input {
                                    f,
                                    base_f,
                                    deleted,
                                    w,
                                    t,
                                    rule,
                                    decided,
                                });
                            }
                        }
                    }
                }
            }
        }
    }
}

fn base_findings(f: F) -> Vec<FindingState> {
    use FindingState::{Archived, Failing, Gone, Passing};
    match f {
        // Without compliance there is no PASSED, and what has not changed failed before.
        F::Failing => vec![Failing, Archived, Gone],
        F::Alert => vec![Failing, Archived, Gone],
        // Once both sides agreed that it is gone, there is nothing more to find out.
        F::GoneWithItsAccount | F::NotCovered => vec![Failing, Passing],
        F::FailingAnew | F::Unclear | F::Passing | F::Archived | F::Gone => {
            vec![Failing, Passing, Archived, Gone]
        }
    }
}

fn statuses(f: F) -> Vec<W> {
    let mut all = Vec::new();
    for base in STATUSES {
        for writer in [Writer::Ours, Writer::Theirs(7), Writer::Aws] {
            all.push(W::Same(base, writer));
        }
        // Nobody reads the status of a finding that is absent.
        for now in STATUSES
            .into_iter()
            .filter(|now| *now != base && !f.is_absent())
        {
            for writer in [
                Writer::Ours,
                Writer::Theirs(12),
                Writer::Theirs(18),
                Writer::Theirs(20),
                Writer::Aws,
                Writer::Unknown,
            ] {
                // AWS writes NEW when it fails again and RESOLVED when it passes (and may have been told NOTIFIED).
                let theirs_alone = writer == Writer::Aws && now == Suppressed;
                if !theirs_alone {
                    all.push(W::Changed(base, now, writer));
                }
            }
        }
    }
    all
}

/// Who may have moved a ticket, and when. Whether the move lies before the episode or the last change of F matters
/// only to people's moves; who reviews matters only to a close.
fn movers(to: TicketState) -> Vec<(Actor, i64)> {
    let mut all = vec![(Actor::Bot, 18)];
    for actor in [Actor::Team, Actor::Reviewer] {
        all.extend([(actor, 8), (actor, 18)]);
    }
    if to == Closed {
        all.push((Actor::Somebody, 18));
    }
    all
}

fn tickets(f: F) -> Vec<T> {
    let mut all = vec![T::None, T::Stale, T::ClosedLongAgo, T::Deleted(None)];
    for state in STATES {
        all.push(T::Deleted(Some(state)));
        all.push(T::Unmapped(state));
        all.push(T::NotFoundOnce(state));
        all.push(T::Unreadable(state));
        all.push(T::Same(state, Actor::Bot, 6));
        // The last move matters to a ticket that both sides agreed on as open, when there is nothing left to do.
        if state == Open {
            all.extend(
                movers(state)
                    .iter()
                    .map(|(actor, at)| T::Same(state, *actor, *at)),
            );
        }
        for before in [
            None,
            Some(Open),
            Some(Resolved),
            Some(Closed),
            Some(Ignored),
        ] {
            if before == Some(state) || (before.is_none() && state == Open) {
                continue;
            }
            all.extend(
                movers(state)
                    .iter()
                    .map(|(actor, at)| T::Moved(before, state, *actor, *at)),
            );
        }
    }
    if f.fails() {
        all.extend(STATES.map(T::DeletedOften));
    }
    // What nobody knows and nobody shows is no state.
    if !f.is_absent() {
        all.push(T::Unlinked);
    }
    all
}

fn rules(f: F, w: W, t: T) -> Vec<Rule> {
    let mut all = vec![Rule::None, Rule::Matches];
    // Rules that cannot be read matter to what fails, or is hidden.
    let hidden = w.now() == Suppressed || t.state() == Some(Ignored);
    if f.fails() || hidden {
        all.extend([
            Rule::Unread { covered: true },
            Rule::Unread { covered: false },
        ]);
    }
    all
}

fn decisions(f: F, t: T) -> Vec<Decided> {
    // Nobody has decided about a ticket that was only just adopted.
    let decided_about = t.state().is_some() && !matches!(t, T::Moved(None, ..));
    let same_episode = matches!(f, F::Failing | F::Alert | F::Unclear);
    if same_episode && decided_about {
        vec![Decided::Nothing, Decided::Accepted, Decided::Reopened]
    } else {
        vec![Decided::Nothing]
    }
}

/// Every combination of the choices.
pub(crate) fn every_policy() -> Vec<Policy> {
    let mut all = vec![Policy::default()];
    vary(
        &mut all,
        &[
            |p| p.close_while_failing = CloseWhileFailing::Hold,
            |p| p.close_while_failing = CloseWhileFailing::Reopen,
        ],
    );
    vary(
        &mut all,
        &[|p| p.suppressed_by_hand = SuppressedByHand::Revert],
    );
    vary(&mut all, &[|p| p.resource_deleted = ResourceDeleted::Close]);
    vary(&mut all, &[|p| p.recheck = Recheck::Reopen]);
    vary(&mut all, &[|p| p.auto_close_verified = true]);
    vary(&mut all, &[|p| p.threshold = Severity::Critical]);
    all
}

fn vary(all: &mut Vec<Policy>, choices: &[fn(&mut Policy)]) {
    let before = all.clone();
    for choice in choices {
        all.extend(before.iter().cloned().map(|mut policy| {
            choice(&mut policy);
            policy
        }));
    }
}

/// The policy with the choices that cannot matter to this state at their defaults.
pub(crate) fn relevant(input: &Input, policy: &Policy) -> Policy {
    let mut relevant = Policy::default();
    let fails = input.f.fails();
    if fails && matches!(input.t, T::Moved(_, Closed, ..)) {
        relevant.close_while_failing = policy.close_while_failing;
    }
    if input.w.now() == Suppressed {
        relevant.suppressed_by_hand = policy.suppressed_by_hand;
    }
    if input.deleted {
        relevant.resource_deleted = policy.resource_deleted;
    }
    // RESOLVED stands over a failing finding, now or once the first rounds have written it.
    if fails && !matches!(input.t, T::None | T::Unlinked) {
        relevant.recheck = policy.recheck;
    }
    if input.f == F::Passing {
        relevant.auto_close_verified = policy.auto_close_verified;
    }
    // A new ticket is for severe findings; so is the one that follows a ticket closed long ago or deleted.
    let absent = matches!(
        input.t,
        T::Unlinked | T::None | T::Deleted(_) | T::DeletedOften(_) | T::NotFoundOnce(_)
    );
    if fails && absent {
        relevant.threshold = policy.threshold;
    }
    relevant
}

/// The policies that differ for this state.
pub(crate) fn policies(input: &Input, every: &[Policy]) -> Vec<Policy> {
    let mut all: Vec<Policy> = Vec::new();
    for policy in every {
        let relevant = relevant(input, policy);
        if !all.contains(&relevant) {
            all.push(relevant);
        }
    }
    all
}
