//! From a row to an action: which findings are written, whether a comment was made before, whether damping stops it,
//! and the link's row once everything has its receipt.

use jiff::Timestamp;

use crate::model::{
    Author, Base, BaseTicket, Changed, Decision, Finding, FindingState, InFlight, Link, Shown,
    TicketState, WorkflowStatus,
};
use crate::mutant;
use crate::plan::{Action, Expect, HeldReason, Reason, TicketStep, WorkflowStep};
use crate::ports::{Alert, Audience};

use super::case::Case;
use super::damping::{self, Damped};
use super::episode::first_observed;
use super::policy::Policy;
use super::verdict::{Ruling, Verdict};
use super::view::View;

/// What becomes of one case.
pub(super) enum Outcome {
    /// Something is written.
    Write(Box<Action>),
    /// Nothing is; the link's row may say more than before.
    Agree(Link),
    /// Nothing is, and people should know.
    Held(HeldReason, Link),
}

/// Turns the table's ruling into an outcome.
pub(super) fn outcome(
    case: &Case<'_>,
    v: &View<'_>,
    ruling: Ruling,
    policy: &Policy,
    now: Timestamp,
) -> Outcome {
    match ruling {
        Ruling::Held(why @ HeldReason::DeletedTooOften { .. }) if v.link.dispute.is_none() => {
            dispute(case, v, 12, Reason::Withheld { why: Box::new(why) }, now)
        }
        Ruling::Held(why) => Outcome::Held(why, v.link.clone()),
        Ruling::Wait => Outcome::Agree(v.link.clone()),
        Ruling::Agree => align(case, v, policy, now),
        Ruling::Row(verdict) => write(case, v, verdict, policy, now),
    }
}

/// Both sides agree; a member that does not show W yet is brought in line.
fn align(case: &Case<'_>, v: &View<'_>, policy: &Policy, now: Timestamp) -> Outcome {
    let tracked = v.exists() || case.link.member.is_some();
    let settled = match v.w {
        Some(w) if v.f.is_active() && tracked => workflow_step(case, v, w, TicketStep::Keep),
        _ => None,
    };
    match (settled, v.w) {
        (Some(step), Some(to)) => {
            let findings = case.members.iter();
            let mut written = findings.filter(|finding| step.findings.contains(&finding.key));
            let reason = if written.any(|finding| case.status_of(finding) != to) {
                Reason::StatusAligned { to }
            } else {
                Reason::TicketNamed
            };
            let verdict = Verdict {
                w: Some(to),
                ..Verdict::aligned(reason)
            };
            write(case, v, verdict, policy, now)
        }
        _ => Outcome::Agree(after(case, v, None, now)),
    }
}

impl Verdict {
    fn aligned(reason: Reason) -> Self {
        Verdict {
            row: 22,
            reason,
            ticket: TicketStep::Keep,
            comment: None,
            w: None,
            decision: None,
            tell_security: false,
            tell_team: false,
        }
    }
}

fn write(
    case: &Case<'_>,
    v: &View<'_>,
    verdict: Verdict,
    policy: &Policy,
    now: Timestamp,
) -> Outcome {
    let step = |to| workflow_step(case, v, to, verdict.ticket);
    let workflow = verdict.w.and_then(step);
    let comment = verdict
        .comment
        .as_ref()
        .map(|id| comment_key(&v.link, v.episode, verdict.row, id))
        .filter(|key| !v.link.comments.contains(key));
    let quiet = verdict.ticket == TicketStep::Keep
        && comment.is_none()
        && workflow.is_none()
        && !verdict.tell_team;
    if quiet {
        return Outcome::Agree(after(case, v, Some((&verdict, None, &None)), now));
    }
    match damping::damp(v, &verdict, policy, now) {
        Some(Damped::HoldDown { until }) => {
            return Outcome::Held(HeldReason::HoldDown { until }, v.link.clone());
        }
        Some(Damped::StillDisputed { since }) => {
            let row = verdict.row;
            return Outcome::Held(HeldReason::Disputed { row, since }, v.link.clone());
        }
        Some(Damped::NowDisputed) => {
            let row = verdict.row;
            return dispute(case, v, row, Reason::Disputed { row }, now);
        }
        None => {}
    }
    if let (true, Err(why)) = (verdict.ticket.creates(), &case.owner) {
        let why = why.clone();
        return Outcome::Held(HeldReason::OwnerUnknown { why }, v.link.clone());
    }
    let after = after(case, v, Some((&verdict, comment.as_ref(), &workflow)), now);
    let subject = case.subject();
    Outcome::Write(Box::new(Action {
        marker: v.link.marker.clone(),
        row: verdict.row,
        alerts: alerts(v, &verdict, subject.ticket.clone()),
        expect: Expect {
            finding: v.f,
            ticket: v.ticket.and_then(|ticket| ticket.state),
            workflow: v.w,
        },
        reason: verdict.reason,
        subject,
        ticket: verdict.ticket,
        comment,
        workflow,
        waits_for: Vec::new(),
        after: Some(Box::new(after)),
        members: Vec::new(),
    }))
}

/// The engine stops: a label and a comment say so, security hears of it, and what both sides last agreed on stays.
fn dispute(case: &Case<'_>, v: &View<'_>, row: u8, reason: Reason, now: Timestamp) -> Outcome {
    let mut link = v.link.clone();
    let subject = case.subject();
    let id = format!("disputed-{}", link.disputes);
    let comment = v.exists().then(|| comment_key(&link, v.episode, row, &id));
    damping::begin(&mut link, row, v.exists(), now);
    link.comments.extend(comment.clone());
    Outcome::Write(Box::new(Action {
        marker: link.marker.clone(),
        row,
        alerts: vec![Alert {
            to: Audience::Security,
            team: None,
            text: reason.sentence(),
            ticket_key: subject.ticket.clone(),
        }],
        expect: Expect {
            finding: v.f,
            ticket: v.ticket.and_then(|ticket| ticket.state),
            workflow: v.w,
        },
        reason,
        subject,
        ticket: if v.exists() {
            TicketStep::Label
        } else {
            TicketStep::Keep
        },
        comment,
        workflow: None,
        waits_for: Vec::new(),
        after: Some(Box::new(link)),
        members: Vec::new(),
    }))
}

/// (link, episode, row, changelog or history id): a retry repeats no comment.
pub(super) fn comment_key(link: &Link, episode: u32, row: u8, id: &str) -> String {
    format!("{}:{episode}:{row}:{id}", link.marker)
}

/// Every member that can be written and does not show the status yet, or is NOTIFIED and names another ticket than its own.
/// Notes of other statuses say why they were set, and stay.
fn workflow_step(
    case: &Case<'_>,
    v: &View<'_>,
    to: WorkflowStatus,
    ticket: TicketStep,
) -> Option<WorkflowStep> {
    if v.f == FindingState::Gone {
        return None;
    }
    let stale = |read: WorkflowStatus| {
        v.link
            .in_flight
            .as_ref()
            .is_some_and(|write| write.showed(read) && write.workflow == to)
    };
    let key = case.key.as_ref().filter(|_| !ticket.renames());
    let tracked = key.is_some() || ticket.renames();
    let open = tracked && v.f.is_active() && to == WorkflowStatus::Notified;
    let misnamed = |finding: &Finding| open && case.misnames(finding, key);
    let written: Vec<&Finding> = case
        .members
        .iter()
        .copied()
        .filter(|member| {
            let read = case.status_of(member);
            let differs = read != to && !stale(read);
            differs || misnamed(member) || mutant::is("unconditional-write")
        })
        .collect();
    (!written.is_empty()).then(|| WorkflowStep {
        corrects: written.iter().any(|finding| misnamed(finding)),
        findings: written.iter().map(|finding| finding.key.clone()).collect(),
        to,
    })
}

fn alerts(v: &View<'_>, verdict: &Verdict, ticket_key: Option<String>) -> Vec<Alert> {
    let alert = |to, text| Alert {
        to,
        team: None,
        text,
        ticket_key: ticket_key.clone(),
    };
    let mut alerts = Vec::new();
    if verdict.tell_security {
        alerts.push(alert(Audience::Security, verdict.reason.sentence()));
    }
    if verdict.tell_team {
        alerts.push(alert(Audience::Team, verdict.reason.sentence()));
    }
    if let Some(overruled) = &v.overruled {
        alerts.push(alert(
            Audience::Security,
            format!("{} Before that, {overruled}.", verdict.reason.sentence()),
        ));
    }
    alerts
}

type Written<'a> = Option<(&'a Verdict, Option<&'a String>, &'a Option<WorkflowStep>)>;

/// The link where nothing is written.
pub(super) fn agreed(case: &Case<'_>, v: &View<'_>, now: Timestamp) -> Link {
    after(case, v, None, now)
}

/// The link once everything has its receipt: base, episode, marks.
fn after(case: &Case<'_>, v: &View<'_>, written: Written<'_>, now: Timestamp) -> Link {
    let mut link = v.link.clone();
    let lead = case.lead();
    let ticket = ticket_after(v, written);
    let (workflow, workflow_by) = workflow_after(v, written);
    link.base = Some(Base {
        ticket,
        workflow,
        workflow_by,
        finding: if v.f == FindingState::Unclear {
            v.base.finding
        } else {
            v.f
        },
        episode: v.episode,
        episode_started_at: v.episode_started_at,
        first_observed_at: first_observed(case).or(v.base.first_observed_at),
    });
    if lead.is_none() && written.is_none() && v.link.base.is_none() {
        link.base = None;
    }
    if v.turned() {
        link.turned_at = Some(now);
    }
    if v.rules_unread.is_none() {
        link.ignored_by = v.rule.cloned();
    }
    marks(&mut link, v, written, now);
    if let Some((_, _, Some(step))) = written.filter(|_| !v.shared) {
        link.corrected = case.noted_in(step);
        if !step.corrects || v.w != Some(step.to) {
            let read = case.members.iter().map(|finding| finding.workflow);
            let in_flight = |was| InFlight::new(step.to, was, read, now);
            link.in_flight = v.w.map(in_flight);
        }
    }
    closing(&mut link, v, ticket, now);
    opening(&mut link, v, ticket, now);
    resolved_since(&mut link, v, workflow, now);
    if let Some(lead) = lead {
        let shows_lead = written.is_some_and(|(verdict, ..)| {
            verdict.ticket.renames() || verdict.ticket == TicketStep::Update
        });
        if shows_lead || (link.content.is_empty() && v.exists() && v.f == FindingState::Failing) {
            let shown = case.shown(lead);
            changes(&mut link, v, written, &shown, now);
            link.shown = Some(Box::new(shown));
            link.content = case.content(lead);
            link.severity = lead.severity;
            link.owner = case.owner.clone().ok().or(link.owner);
        }
        if link.owner.is_none() && link.ticket.is_some() {
            link.owner = case.owner.clone().ok();
        }
    }
    link
}

/// How many changes a ticket lists.
const CHANGES_MOST: usize = 10;

/// A new ticket has no changes yet; an updated one has one more.
fn changes(link: &mut Link, v: &View<'_>, written: Written<'_>, shown: &Shown, now: Timestamp) {
    match written.map(|(verdict, ..)| verdict.ticket) {
        Some(step) if step.creates() => link.changes.clear(),
        Some(TicketStep::Update | TicketStep::Transfer) => {
            if let Some(before) = &v.link.shown {
                let what = before.differences(shown);
                link.changes.push(Changed { at: now, what });
            }
            let more = link.changes.len().saturating_sub(CHANGES_MOST);
            link.changes.drain(..more);
        }
        _ => {}
    }
}

fn ticket_after(v: &View<'_>, written: Written<'_>) -> BaseTicket {
    match written.map(|(verdict, ..)| verdict.ticket) {
        Some(TicketStep::Move { to }) => BaseTicket::Is(to),
        Some(TicketStep::Create | TicketStep::Replace) => BaseTicket::Is(TicketState::Open),
        Some(TicketStep::Merge) => BaseTicket::None,
        Some(TicketStep::Delete) => BaseTicket::None,
        Some(TicketStep::Keep | TicketStep::Update | TicketStep::Transfer | TicketStep::Label)
        | None => v.t,
    }
}

fn workflow_after(v: &View<'_>, written: Written<'_>) -> (WorkflowStatus, Author) {
    let read = v.w.unwrap_or(v.base.workflow);
    let Some((verdict, _, Some(_))) = written else {
        return (read, v.w_by.clone());
    };
    let to = verdict.w.unwrap_or(read);
    // Others of the link follow what somebody set: it stays theirs, unless a rule says so too.
    let stays = v.w == Some(to) && v.w_by.is_theirs() && verdict.row != 5;
    (to, if stays { v.w_by.clone() } else { Author::Ours })
}

/// Comments made, decisions, what damping counts, the ticket itself.
fn marks(link: &mut Link, v: &View<'_>, written: Written<'_>, now: Timestamp) {
    let Some((verdict, comment, workflow)) = written else {
        return;
    };
    if let Some(key) = comment {
        link.comments.insert(key.clone());
        let verified = v.f == FindingState::Passing && matches!(verdict.row, 18 | 19);
        if verified {
            link.comments.insert(comment_key(link, v.episode, 19, ""));
        }
    }
    if let Some((kind, by, at)) = &verdict.decision {
        let ticket_key = link.ticket.as_ref().map(|ticket| ticket.key.clone());
        link.decision = Some(Decision {
            kind: *kind,
            by: by.clone(),
            at: *at,
            episode: v.episode,
            ticket_key,
        });
    }
    let wrote = workflow.is_some() || comment.is_some() || verdict.ticket != TicketStep::Keep;
    if wrote {
        let count = damping::repeats(v, verdict) + 1;
        link.last_row = Some((verdict.row, v.episode, count));
        damping::count(link, v, verdict, now);
    }
    match verdict.ticket {
        TicketStep::Delete => {
            link.ticket = None;
            link.ticket_absent_reads = 0;
        }
        TicketStep::Create | TicketStep::Replace => {
            link.ticket = None;
            link.ticket_absent_reads = 0;
            link.dispute = None;
            if verdict.row == 12 {
                link.deleted_by_people += 1;
            }
        }
        TicketStep::Keep
        | TicketStep::Move { .. }
        | TicketStep::Merge
        | TicketStep::Transfer
        | TicketStep::Update
        | TicketStep::Label => {}
    }
    if verdict.row == 17 {
        link.flagged = true;
    }
}

fn closing(link: &mut Link, v: &View<'_>, ticket: BaseTicket, now: Timestamp) {
    if ticket != BaseTicket::Is(TicketState::Closed) {
        link.closed_at = None;
    } else if link.closed_at.is_none() {
        link.closed_at = Some(v.newly(TicketState::Closed).map_or(now, |person| person.at));
    }
}

/// A reviewer who reopens gives no new time: what was claimed is not done.
fn opening(link: &mut Link, v: &View<'_>, ticket: BaseTicket, now: Timestamp) {
    // One member more gives those that were there before no new time.
    let goes_on = v.shared && v.base.ticket == ticket;
    let new_episode = v
        .link
        .base
        .as_ref()
        .is_none_or(|base| base.episode != v.episode && !goes_on);
    match ticket {
        BaseTicket::Is(TicketState::Open) if new_episode || link.opened_at.is_none() => {
            link.opened_at = Some(now);
        }
        BaseTicket::Is(_) => {}
        BaseTicket::None | BaseTicket::Deleted => link.opened_at = None,
    }
}

/// Row 17's clock: since when W is RESOLVED while F fails, once per RESOLVED.
fn resolved_since(link: &mut Link, v: &View<'_>, workflow: WorkflowStatus, now: Timestamp) {
    let stands = workflow == WorkflowStatus::Resolved && v.f == FindingState::Failing;
    let same_episode = v
        .link
        .base
        .as_ref()
        .is_some_and(|base| base.episode == v.episode);
    if !stands {
        link.resolved_since = None;
        link.flagged = false;
    } else if link.resolved_since.is_none() || !same_episode {
        link.resolved_since = Some(now);
        link.flagged = false;
    }
}
