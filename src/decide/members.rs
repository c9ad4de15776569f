//! What each member is to its group, and which of them speak for the ticket.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{
    BaseTicket, DecisionKind, Finding, FindingKey, FindingState, Link, Marker, Move, Standing,
    TicketState, WorkflowStatus,
};
use crate::plan::Plan;
use crate::read::snapshot::Snapshot;

use super::case::Case;
use super::group::{Group, Sub};
use super::policy::{Policy, SuppressedByHand};
use super::view::{self, View};
use super::{note, outcome};

/// A member that could be looked at.
pub(super) struct Seen<'v, 'a> {
    pub(super) sub: &'v Sub<'a>,
    pub(super) view: View<'a>,
    pub(super) standing: Standing,
}

/// A person has set the ticket back to open: what was accepted counts again.
pub(super) fn reopened_by_a_person(group: &Group<'_>, snapshot: &Snapshot) -> bool {
    let Some(link) = group.known.as_ref().map(|case| &case.link) else {
        return false;
    };
    let base = link.base.as_ref().map(|base| base.ticket);
    let id = link.ticket.as_ref().map(|at| at.id);
    let ticket = id.and_then(|id| snapshot.tickets.get(&id));
    let open = ticket.is_some_and(|ticket| ticket.state == Some(TicketState::Open));
    let last = view::last_word(view::moves(link, snapshot), &snapshot.people);
    open && base != Some(BaseTicket::Is(TicketState::Open)) && last.is_some()
}

/// What a member is to its group.
pub(super) fn standing(v: &View<'_>, sub: &Sub<'_>, policy: &Policy, reopened: bool) -> Standing {
    use WorkflowStatus::{Resolved, Suppressed};
    if v.deleted_at.is_some() {
        return Standing::Deleted;
    }
    if v.f.is_stopped() {
        return Standing::Stopped { finding: v.f };
    }
    let before = sub.case.link.member.as_ref().map(|member| &member.standing);
    let hidden = v.w == Some(Suppressed);
    if let Some(rule) = v.rule.filter(|_| v.f == FindingState::Failing || hidden) {
        return Standing::Ignored {
            rule: rule.rule.clone(),
            until: rule.expires,
        };
    }
    match before {
        // While rules cannot be read, what they hid stays as it is.
        Some(ignored @ Standing::Ignored { .. }) if v.rules_unread.is_some() && hidden => {
            return ignored.clone();
        }
        _ => {}
    }
    if let Some((by, ..)) = v.theirs(Suppressed)
        && policy.suppressed_by_hand == SuppressedByHand::Respect
    {
        return Standing::Suppressed { by: by.to_owned() };
    }
    if let Some((by, ..)) = v.theirs(Resolved) {
        return Standing::ResolvedInSecurityHub { by: by.to_owned() };
    }
    let accepted =
        v.link.decision.as_ref().filter(|decision| {
            decision.kind == DecisionKind::Closed && decision.episode == v.episode
        });
    match accepted.filter(|_| v.w == Some(Resolved) && !reopened) {
        Some(decision) => Standing::Accepted {
            by: decision.by.clone(),
        },
        None => Standing::Fails {
            unclear: v.f == FindingState::Unclear,
        },
    }
}

/// What had stopped before the ticket was closed is not named again when it is opened for others.
pub(super) fn forget_what_is_over(
    group: &Group<'_>,
    seen: &mut Vec<Seen<'_, '_>>,
    plan: &mut Plan,
    now: Timestamp,
) {
    let base = group
        .known
        .as_ref()
        .and_then(|case| case.link.base.as_ref());
    let closed = base.is_some_and(|base| base.ticket == BaseTicket::Is(TicketState::Closed));
    if !closed || !seen.iter().any(|one| one.standing.fails()) {
        return;
    }
    seen.retain(|one| {
        let over = matches!(one.standing, Standing::Stopped { .. } | Standing::Deleted);
        if over && !one.view.unsettled() {
            let mut link = outcome::agreed(&one.sub.case, &one.view, now);
            link.member = None;
            note(&one.sub.case, link, plan);
            return false;
        }
        true
    });
}

/// The member's link where nothing is written: a row of the ticket's table.
pub(super) fn row(one: &Seen<'_, '_>, now: Timestamp) -> Link {
    let mut link = outcome::agreed(&one.sub.case, &one.view, now);
    if let Some(member) = &mut link.member {
        member.standing = one.standing.clone();
    }
    if let Some(lead) = one.sub.case.lead().filter(|_| one.standing.fails()) {
        link.severity = lead.severity;
    }
    link
}

/// Those whose state is the ticket's: what fails; else what is ignored; else what was set RESOLVED; else what stopped;
/// else what a reviewer accepted; else what was deleted.
pub(super) fn ruling<'s, 'v, 'a>(seen: &'s [Seen<'v, 'a>]) -> Vec<&'s Seen<'v, 'a>> {
    type Kind = fn(&Standing) -> bool;
    let kinds: [Kind; 6] = [
        Standing::fails,
        |standing| {
            matches!(
                standing,
                Standing::Ignored { .. } | Standing::Suppressed { .. }
            )
        },
        |standing| matches!(standing, Standing::ResolvedInSecurityHub { .. }),
        |standing| matches!(standing, Standing::Stopped { .. }),
        |standing| matches!(standing, Standing::Accepted { .. }),
        |standing| matches!(standing, Standing::Deleted),
    ];
    let of = |kind: &Kind| -> Vec<&'s Seen<'v, 'a>> {
        seen.iter().filter(|one| kind(&one.standing)).collect()
    };
    let mut found = kinds
        .iter()
        .map(of)
        .find(|some| !some.is_empty())
        .unwrap_or_default();
    // A rule speaks for the ticket rather than a hand.
    found.sort_by_key(|one| matches!(one.standing, Standing::Suppressed { .. }));
    // What somebody suppressed after it had stopped says nothing of the others that did.
    let hidden = |one: &&Seen<'_, '_>| one.view.theirs(WorkflowStatus::Suppressed).is_some();
    if found.iter().any(|one| !hidden(one)) {
        found.retain(|one| !(hidden(one) && matches!(one.standing, Standing::Stopped { .. })));
    }
    found
}

/// Whom of those that rule a person's word on the ticket is about.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum About {
    /// All of them, or nothing was said.
    All,
    /// Some: the others wait for the next run, and open the ticket again then.
    Some,
    /// None: what they were said of is over.
    Nobody,
    /// Nothing was said now, and a reviewer accepted all of them before.
    Accepted,
}

/// What a person has just said of the ticket is about those that failed, and that it named, when it was said, unless the
/// console has taken it back for them since; those are decided about now.
pub(super) fn spoken_of<'s, 'v, 'a>(
    ruling: Vec<&'s Seen<'v, 'a>>,
    group: &Group<'_>,
    snapshot: &Snapshot,
) -> (Vec<&'s Seen<'v, 'a>>, About) {
    let Some(said_at) = said_at(group, snapshot) else {
        let accepted = |one: &&Seen<'_, '_>| matches!(one.standing, Standing::Accepted { .. });
        let before = ruling.iter().all(accepted);
        let about = if before { About::Accepted } else { About::All };
        return (ruling, about);
    };
    let named = |link: &Link| link.member.as_ref().is_some_and(|member| member.named);
    let is_new =
        |one: &Seen<'_, '_>| !named(&one.sub.case.link) && one.view.w == Some(WorkflowStatus::New);
    let taken_back = |one: &Seen<'_, '_>| {
        let back = one.view.unsettled() && one.view.base.workflow == WorkflowStatus::Resolved;
        let theirs = one.view.w.and_then(|w| one.view.theirs(w));
        back && theirs.is_some_and(|(_, at, _)| at > said_at)
    };
    let (then, since): (Vec<_>, Vec<_>) = ruling.into_iter().partition(|one| {
        let failed = one.view.episode_started_at < said_at && !is_new(one) && !taken_back(one);
        one.view.f != FindingState::Failing || failed
    });
    match (then.is_empty(), since.is_empty()) {
        (_, true) => (then, About::All),
        (false, false) => (then, About::Some),
        (true, false) => (since, About::Nobody),
    }
}

/// What a person has just said of the ticket counts for all that it names: each of them must be read for that.
pub(super) fn counts_for_all(group: &Group<'_>, snapshot: &Snapshot) -> bool {
    let reviewers = snapshot.people.reviewers.as_ref();
    said(group, snapshot).is_some_and(|last| {
        let may_close = reviewers.is_none_or(|reviewers| reviewers.contains(&last.by));
        last.to == Some(TicketState::Resolved) || may_close
    })
}

/// When a person resolved or closed the ticket, if its link does not know it yet.
fn said_at(group: &Group<'_>, snapshot: &Snapshot) -> Option<Timestamp> {
    said(group, snapshot).map(|last| last.at)
}

fn said<'a>(group: &Group<'_>, snapshot: &'a Snapshot) -> Option<&'a Move> {
    let link = group.link()?;
    let ticket = snapshot.tickets.get(&link.ticket.as_ref()?.id)?;
    let state = ticket.state?;
    let last = view::last_word(view::moves(link, snapshot), &snapshot.people)?;
    let claims = matches!(state, TicketState::Resolved | TicketState::Closed);
    let news = view::base(link).ticket != BaseTicket::Is(state);
    (claims && news && last.to == Some(state)).then_some(last)
}

/// What people look for first: what fails, worst first.
pub(super) fn table_order(rows: &BTreeMap<Marker, Link>) -> Vec<Link> {
    let mut rows: Vec<Link> = rows.values().cloned().collect();
    rows.sort_by_key(|link| {
        let member = link.member.as_ref();
        let fails = member.is_some_and(|member| member.standing.fails());
        (!fails, Reverse(link.severity), link.alias.clone())
    });
    rows
}

/// The statuses of a member's findings, with our own write laid over what reads do not show yet.
pub(super) fn statuses(case: &Case<'_>, v: &View<'_>) -> Vec<(FindingKey, WorkflowStatus)> {
    let write = v.link.in_flight.as_ref();
    let status = |finding: &&Finding| match write {
        Some(write) if write.showed(finding.workflow) => write.workflow,
        _ => finding.workflow,
    };
    let findings = case.members.iter();
    findings
        .map(|finding| (finding.key.clone(), status(finding)))
        .collect()
}
