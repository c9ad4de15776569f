//! The decision table: one function per step of the reading order, the first match wins. The row numbers are those of
//! `docs/architecture.md`.

use jiff::Timestamp;

use crate::model::{BaseTicket, DecisionKind, FindingState, Move, TicketState, WorkflowStatus};
use crate::mutant;
use crate::plan::{HeldReason, Reason, TicketStep};

use super::handing_over::handed_over;
use super::policy::{CloseWhileFailing, Policy, Recheck, ResourceDeleted, SuppressedByHand};
use super::verdict::{Ruling, Verdict};
use super::view::View;

use FindingState::{Archived, Failing, Gone, Passing, Unclear};
use TicketState::{Closed, Ignored, Open, Resolved};
use WorkflowStatus::{New, Notified, Suppressed};

/// The first row that matches.
pub(super) fn rule(v: &View<'_>, policy: &Policy, now: Timestamp) -> Ruling {
    without_right(v, policy, now).unwrap_or_else(|| rule_of_the_rest(v, policy, now))
}

fn rule_of_the_rest(v: &View<'_>, policy: &Policy, now: Timestamp) -> Ruling {
    kept_open_by_a_reviewer(v)
        .or_else(|| resource_deleted(v, policy))
        .or_else(|| ignored_by_rule(v))
        .or_else(|| rules_unread(v))
        .or_else(|| decided_by_a_person(v, policy))
        .or_else(|| set_by_hand(v, policy))
        .or_else(|| fails(v, policy, now))
        .or_else(|| stopped(v, policy))
        .unwrap_or_else(|| rest(v))
}

/// Row 2: undone, whatever the finding says.
fn without_right(v: &View<'_>, policy: &Policy, now: Timestamp) -> Option<Ruling> {
    if let Some(person) = v.newly(Closed) {
        let Some(reviewers) = v.reviewers else {
            let ticket = v.ticket.map(|ticket| ticket.at.key.clone());
            let key = ticket.unwrap_or_default();
            return Some(Ruling::Held(HeldReason::ReviewersUnknown { key }));
        };
        if !reviewers.contains(&person.by) && !mutant::is("product-close-accepted") {
            return Some(undone(v, person, policy, now));
        }
    }
    let person = v.newly(Ignored)?;
    let allowed = v.rule.is_some() || v.theirs(Suppressed).is_some();
    (!allowed).then(|| match v.rules_unread {
        Some(_) => Ruling::Held(HeldReason::RulesUnread),
        None => undone(v, person, policy, now),
    })
}

/// The ticket goes to where it would be now if the move had not been made.
fn undone(v: &View<'_>, person: &Move, policy: &Policy, now: Timestamp) -> Ruling {
    let before = v.before_the_last_move();
    let stood = match before.t {
        BaseTicket::Is(state) => state,
        BaseTicket::None | BaseTicket::Deleted => Open,
    };
    let next = match rule_of_the_rest(&before, policy, now) {
        Ruling::Row(verdict) => verdict,
        Ruling::Wait | Ruling::Agree | Ruling::Held(_) => {
            let to = v.w.unwrap_or(Notified);
            Verdict::new(2, Reason::StatusAligned { to })
        }
    };
    let back_to = match next.ticket {
        TicketStep::Delete => return Ruling::Row(next),
        TicketStep::Move { to } => to,
        TicketStep::Keep
        | TicketStep::Create
        | TicketStep::Replace
        | TicketStep::Merge
        | TicketStep::Transfer
        | TicketStep::Update
        | TicketStep::Label => stood,
    };
    if v.is(back_to) {
        // The engine would do the same now: there is nothing to undo.
        let verdict = next.step(TicketStep::Keep);
        return Ruling::Row(verdict);
    }
    let by = v.name(person);
    let reason = match person.to {
        Some(Ignored) => Reason::IgnoredWithoutRule { by, back_to },
        _ => Reason::ClosedWithoutRight {
            by,
            back_to,
            who_may: policy.who_may_close.clone(),
        },
    };
    let verdict = Verdict {
        w: next.w,
        decision: next.decision,
        ..Verdict::new(2, reason)
    };
    Ruling::Row(
        verdict
            .to(back_to)
            .comment(&person.changelog_id)
            .tell_security(),
    )
}

/// Row 3: a reviewer's word after the change keeps the ticket open. Security Hub says that it stopped all the same.
fn kept_open_by_a_reviewer(v: &View<'_>) -> Option<Ruling> {
    if !(v.is(Open) && (v.f.is_stopped() || v.deleted_at.is_some()) && v.kept_open()) {
        return None;
    }
    if v.f.is_stopped() && v.unsettled() {
        let to = WorkflowStatus::Resolved;
        return Some(Ruling::Row(
            Verdict::new(3, Reason::StatusAligned { to }).status(to),
        ));
    }
    Some(Ruling::Agree)
}

/// Row 4: Config proves that the resource is gone.
fn resource_deleted(v: &View<'_>, policy: &Policy) -> Option<Ruling> {
    let at = v.deleted_at?;
    let mut verdict = Verdict::new(4, Reason::ResourceDeleted { at });
    if v.exists() && !v.is(Closed) {
        verdict = match policy.resource_deleted {
            ResourceDeleted::Delete if !v.of_more => verdict.step(TicketStep::Delete),
            ResourceDeleted::Delete | ResourceDeleted::Close => verdict.to(Closed).comment(""),
        };
    }
    if v.unsettled() && !matches!(v.f, Archived | Gone) {
        verdict = verdict.status(WorkflowStatus::Resolved);
    }
    Some(Ruling::Row(verdict))
}

/// Row 5: a merged rule.
pub(super) fn ignored_by_rule(v: &View<'_>) -> Option<Ruling> {
    let rule = v.rule.filter(|_| v.f == Failing)?;
    let overrides = v.moved.map(|person| v.name(person));
    let reason = Reason::IgnoreRule {
        rule: rule.rule.clone(),
        why: rule.reason.clone(),
        expires: rule.expires,
        origin: rule.origin.clone(),
        overrides,
    };
    let mut verdict = Verdict::new(5, reason).status(Suppressed);
    if v.is(Open) || v.is(Resolved) {
        verdict = verdict.to(Ignored).comment(&rule.rule);
    }
    Some(Ruling::Row(verdict))
}

/// Row 1, for rules: while they cannot be read, what they hid stays as it is, and what they would hide gets no ticket.
fn rules_unread(v: &View<'_>) -> Option<Ruling> {
    let covered_before = v.rules_unread?;
    let hidden = v.ours(Suppressed) || (v.is(Ignored) && v.theirs(Suppressed).is_none());
    let settled = (v.ours(Suppressed) || v.w.is_none()) && !v.is(Open) && !v.is(Resolved);
    let absent = matches!(v.t, BaseTicket::None | BaseTicket::Deleted);
    if hidden && settled {
        return Some(Ruling::Agree);
    }
    let hold = hidden || (covered_before && v.f == Failing && absent && !v.w_by.is_theirs());
    hold.then_some(Ruling::Held(HeldReason::RulesUnread))
}

/// Rows 6 to 8: somebody resolved, closed or reopened the ticket while the finding is active.
fn decided_by_a_person(v: &View<'_>, policy: &Policy) -> Option<Ruling> {
    let person = v.moved.filter(|_| v.f.is_active())?;
    let (name, at) = (v.name(person), person.at);
    let by = name.as_str();
    if v.is(Resolved) {
        let evaluated_at = v.link.evaluated_at;
        let reason = Reason::ClaimedResolved {
            by: by.to_owned(),
            finding: v.f,
            evaluated_at,
        };
        let verdict = Verdict::new(6, reason)
            .status(WorkflowStatus::Resolved)
            .comment(&person.changelog_id)
            .decided(DecisionKind::Resolved, by, at);
        return Some(Ruling::Row(verdict));
    }
    if v.is(Closed) {
        return Some(closed_by_a_reviewer(v, policy, by, at));
    }
    let reopened = matches!(v.base.ticket, BaseTicket::Is(Resolved | Closed | Ignored));
    (v.is(Open) && reopened).then(|| {
        let mut verdict = Verdict::new(8, Reason::ReopenedByPerson { by: by.to_owned() })
            .status(Notified)
            .decided(DecisionKind::Reopened, by, at);
        verdict.tell_team = true;
        Ruling::Row(verdict)
    })
}

/// Row 7.
fn closed_by_a_reviewer(v: &View<'_>, policy: &Policy, by: &str, at: Timestamp) -> Ruling {
    let failing = v.f == Failing;
    match policy.close_while_failing {
        CloseWhileFailing::Hold if failing => {
            Ruling::Held(HeldReason::ClosedWhileFailing { by: by.to_owned() })
        }
        CloseWhileFailing::Reopen if failing => Ruling::Row(
            Verdict::new(7, Reason::ClosedWhileFailing { by: by.to_owned() })
                .to(Open)
                .comment("")
                .status(Notified)
                .decided(DecisionKind::Reopened, by, at),
        ),
        CloseWhileFailing::Resolve | CloseWhileFailing::Hold | CloseWhileFailing::Reopen => {
            let respected = v.theirs(Suppressed).is_some()
                && policy.suppressed_by_hand == SuppressedByHand::Respect;
            let to = if respected {
                Suppressed
            } else {
                WorkflowStatus::Resolved
            };
            let reason = Reason::Accepted {
                by: by.to_owned(),
                failing,
            };
            let verdict = Verdict::new(7, reason).status(to);
            Ruling::Row(verdict.decided(DecisionKind::Closed, by, at))
        }
    }
}

/// Rows 9 to 11: somebody, or an automation rule, set the status in Security Hub.
fn set_by_hand(v: &View<'_>, policy: &Policy) -> Option<Ruling> {
    if let Some((by, at, record)) = v.theirs(Suppressed) {
        let respect = policy.suppressed_by_hand == SuppressedByHand::Respect;
        // It counts as it would have, had it been seen before the finding stopped.
        let in_time = v.f.is_active() || v.changed_at().is_some_and(|stopped| at < stopped);
        let stands = v.is(Open) || v.is(Resolved) || v.was_closed_before();
        if respect && in_time && stands {
            let verdict = Verdict::new(
                9,
                Reason::SuppressedByHand {
                    by: by.to_owned(),
                    at,
                },
            )
            .to(Ignored)
            .comment(record)
            .status(Suppressed)
            .decided(DecisionKind::Suppressed, by, at)
            .tell_security();
            return Some(Ruling::Row(verdict));
        }
        // A ticket that nobody has decided about in this episode is reopened below.
        let undecided = (v.is(Resolved) || v.is(Closed)) && !v.decided();
        if !respect && v.f == Failing && !undecided {
            let verdict = Verdict::new(10, Reason::SuppressionReverted { by: by.to_owned() });
            let verdict = match v.t {
                BaseTicket::Is(Ignored) => verdict.to(Open).comment(record).status(Notified),
                BaseTicket::Is(Open) => verdict.status(Notified),
                BaseTicket::Is(Resolved | Closed) => verdict.status(WorkflowStatus::Resolved),
                BaseTicket::None | BaseTicket::Deleted => verdict.status(New),
            };
            return Some(Ruling::Row(verdict.tell_security()));
        }
    }
    let (by, at, record) = v.theirs(WorkflowStatus::Resolved)?;
    let stands = v.is(Open) || v.is(Ignored) || v.was_closed_before();
    (v.f.is_active() && stands).then(|| {
        let verdict = Verdict::new(
            11,
            Reason::ResolvedInSecurityHub {
                by: by.to_owned(),
                at,
            },
        )
        .to(Resolved)
        .comment(record)
        .decided(DecisionKind::ResolvedInSecurityHub, by, at);
        Ruling::Row(verdict.status(WorkflowStatus::Resolved))
    })
}

/// Rows 12 to 17: the finding fails.
fn fails(v: &View<'_>, policy: &Policy, now: Timestamp) -> Option<Ruling> {
    if v.f != Failing {
        return None;
    }
    accepted_before(v)
        .or_else(|| ticket_deleted(v, policy))
        .or_else(|| no_longer_ignored(v, policy))
        .or_else(|| handed_over(v, policy))
        .or_else(|| fails_again(v, policy, now))
        .or_else(|| new_ticket(v, policy))
        .or_else(|| open_ticket(v))
        .or_else(|| still_failing(v, policy, now))
}

/// Row 7, later: what was open beside it is over, and the ticket is of nothing else any more.
fn accepted_before(v: &View<'_>) -> Option<Ruling> {
    if !v.accepted || v.is(Closed) {
        return None;
    }
    let verdict = Verdict::new(7, Reason::OnlyAcceptedLeft).to(Closed);
    Some(if v.exists() {
        Ruling::Row(verdict.comment(""))
    } else {
        Ruling::Agree
    })
}

/// Row 12: a person deleted the ticket.
fn ticket_deleted(v: &View<'_>, policy: &Policy) -> Option<Ruling> {
    let newly = v.t == BaseTicket::Deleted && v.base.ticket != BaseTicket::Deleted;
    let accepted = v.base.ticket == BaseTicket::Is(Closed);
    if mutant::is("deleted-stays-deleted") {
        return (v.t == BaseTicket::Deleted).then_some(Ruling::Agree);
    }
    if !newly || accepted || v.theirs(Suppressed).is_some() || !v.warrants_ticket(policy) {
        return None;
    }
    let old_key = v
        .link
        .ticket
        .as_ref()
        .map_or_else(String::new, |ticket| ticket.key.clone());
    if v.link.deleted_by_people >= 2 {
        return Some(Ruling::Held(HeldReason::DeletedTooOften { key: old_key }));
    }
    let decision = v
        .link
        .decision
        .as_ref()
        .map(|decision| format!("{:?} by {}", decision.kind, decision.by));
    let reason = Reason::TicketDeletedByPerson { old_key, decision };
    Some(Ruling::Row(
        Verdict::new(12, reason)
            .step(TicketStep::Create)
            .status(Notified),
    ))
}

/// Row 13: what hid it is no more.
fn no_longer_ignored(v: &View<'_>, policy: &Policy) -> Option<Ruling> {
    let unhidden = v.is(Ignored) && v.w != Some(Suppressed);
    if v.rule.is_some() || !(v.ours(Suppressed) || unhidden) {
        return None;
    }
    let by = v.link.ignored_by.as_ref();
    let reason = Reason::NoLongerIgnored {
        rule: by.map(|rule| rule.rule.clone()),
        ended_on: by
            .map(|rule| rule.expires)
            .filter(|expires| *expires < v.today),
    };
    let id = by.map_or("", |rule| rule.rule.as_str());
    let verdict = Verdict::new(13, reason);
    Some(Ruling::Row(match v.t {
        BaseTicket::Is(Open) => verdict.status(Notified),
        BaseTicket::Is(Resolved | Closed | Ignored) => {
            verdict.to(Open).comment(id).status(Notified)
        }
        BaseTicket::None | BaseTicket::Deleted if v.warrants_ticket(policy) => {
            verdict.step(TicketStep::Create).status(Notified)
        }
        BaseTicket::None | BaseTicket::Deleted => verdict.status(New),
    }))
}

/// Row 14: it fails again after it was dealt with.
fn fails_again(v: &View<'_>, policy: &Policy, now: Timestamp) -> Option<Ruling> {
    if !(v.is(Resolved) || v.is(Closed)) {
        return None;
    }
    let reverted =
        v.theirs(Suppressed).is_some() && policy.suppressed_by_hand == SuppressedByHand::Revert;
    let resolved =
        v.w == Some(WorkflowStatus::Resolved) && v.theirs(WorkflowStatus::Resolved).is_none();
    let unaccounted = (resolved || reverted) && !v.decided();
    if !(v.unsettled() || unaccounted) {
        return None;
    }
    let too_old = v.is(Closed)
        && v.link
            .closed_at
            .is_some_and(|closed| now.duration_since(closed) > policy.reopen_window);
    if too_old {
        let old_key = v
            .ticket
            .map_or_else(String::new, |ticket| ticket.at.key.clone());
        let reason = Reason::FailsAgainAfterWindow {
            old_key,
            episode: v.episode,
        };
        return Some(Ruling::Row(
            Verdict::new(14, reason)
                .step(TicketStep::Create)
                .status(Notified),
        ));
    }
    let reason = if v.shared {
        Reason::MoreFail
    } else {
        Reason::FailsAgain {
            episode: v.episode,
            since: v.episode_started_at,
        }
    };
    Some(Ruling::Row(
        Verdict::new(14, reason)
            .to(Open)
            .comment("")
            .status(Notified),
    ))
}

/// Row 15: it needs a ticket. RESOLVED by AWS counts as ours does: nobody decided anything, unless a reviewer closed the
/// ticket that somebody deleted since.
fn new_ticket(v: &View<'_>, policy: &Policy) -> Option<Ruling> {
    let absent = matches!(v.t, BaseTicket::None | BaseTicket::Deleted);
    let resolved =
        v.w == Some(WorkflowStatus::Resolved) && v.theirs(WorkflowStatus::Resolved).is_none();
    let undecided = v.unsettled() || (resolved && !v.was_accepted());
    if !(absent && undecided) {
        return None;
    }
    if !v.warrants_ticket(policy) {
        return Some(Ruling::Agree);
    }
    Some(Ruling::Row(
        Verdict::new(15, Reason::Fails)
            .step(TicketStep::Create)
            .status(Notified),
    ))
}

/// Row 16: the ticket is open; content and status follow.
fn open_ticket(v: &View<'_>) -> Option<Ruling> {
    if !v.is(Open) {
        return None;
    }
    if v.content_changed() {
        let verdict = Verdict::new(16, Reason::ContentChanged)
            .step(TicketStep::Update)
            .status(Notified);
        return Some(Ruling::Row(verdict));
    }
    Some(Ruling::Row(
        Verdict::new(16, Reason::StatusAligned { to: Notified }).status(Notified),
    ))
}

/// Row 17: RESOLVED on a control that still fails sticks, so somebody must look.
fn still_failing(v: &View<'_>, policy: &Policy, now: Timestamp) -> Option<Ruling> {
    let since = v.link.resolved_since?;
    let due = !mutant::is("no-recheck")
        && (v.is(Resolved) || v.is(Closed))
        && v.w == Some(WorkflowStatus::Resolved)
        && !v.link.flagged
        && now.duration_since(since) >= policy.recheck_after;
    due.then(|| {
        let verdict = Verdict::new(17, Reason::StillFailing { since })
            .comment("")
            .tell_security();
        let verdict = if policy.recheck == Recheck::Reopen && v.is(Resolved) {
            verdict.to(Open).status(Notified)
        } else {
            verdict
        };
        Ruling::Row(verdict)
    })
}

/// Rows 18 to 20: the finding passed, was archived, or is gone.
fn stopped(v: &View<'_>, policy: &Policy) -> Option<Ruling> {
    if !v.f.is_stopped() {
        return None;
    }
    if mutant::is("threshold-on-closing") && !v.warrants_ticket(policy) {
        return Some(Ruling::Agree);
    }
    let suppression_stays = v.rule.is_some() || v.theirs(Suppressed).is_some();
    let ignored_for_nothing = v.is(Ignored) && !suppression_stays;
    let stale_suppression = v.exists() && v.ours(Suppressed) && v.rule.is_none();
    if v.is(Open) || ignored_for_nothing || stale_suppression {
        return Some(Ruling::Row(resolve_stopped(
            v,
            suppression_stays,
            ignored_for_nothing,
        )));
    }
    if v.f == Passing && v.is(Resolved) && (policy.auto_close_verified || !v.commented(19, "")) {
        let mut verdict = Verdict::new(19, Reason::Verified).comment("");
        if policy.auto_close_verified {
            verdict = verdict.to(Closed);
        }
        if v.unsettled() {
            verdict = verdict.status(WorkflowStatus::Resolved);
        }
        return Some(Ruling::Row(verdict));
    }
    (v.exists() && v.unsettled()).then(|| {
        let to = WorkflowStatus::Resolved;
        Ruling::Row(Verdict::new(20, Reason::StatusAligned { to }).status(to))
    })
}

/// Row 18.
fn resolve_stopped(v: &View<'_>, suppression_stays: bool, ignored_for_nothing: bool) -> Verdict {
    let reason = if ignored_for_nothing || (v.ours(Suppressed) && !v.is(Open)) {
        Reason::IgnoreEnded
    } else {
        Reason::Stopped {
            finding: v.f,
            archival: v.archival.clone(),
        }
    };
    let mut verdict = Verdict::new(18, reason);
    if v.is(Open) || v.is(Ignored) {
        verdict = verdict.to(Resolved).comment("");
    }
    if !suppression_stays && v.f != Gone {
        verdict = verdict.status(WorkflowStatus::Resolved);
    }
    verdict
}

/// Rows 21 to 23: nothing to do, or a defect.
fn rest(v: &View<'_>) -> Ruling {
    if v.f == Unclear {
        return Ruling::Wait;
    }
    if v.f.is_stopped() {
        return Ruling::Agree;
    }
    let w = v.w;
    let agreed = match v.t {
        BaseTicket::Is(Resolved | Closed) if w == Some(WorkflowStatus::Resolved) => true,
        BaseTicket::Is(Ignored | Closed) => w == Some(Suppressed),
        BaseTicket::None | BaseTicket::Deleted => {
            v.theirs(Suppressed).is_some()
                || v.theirs(WorkflowStatus::Resolved).is_some()
                || v.was_accepted()
        }
        BaseTicket::Is(Open | Resolved) => false,
    };
    if agreed {
        Ruling::Agree
    } else {
        Ruling::Held(HeldReason::NoRow)
    }
}
