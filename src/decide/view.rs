//! The letters of the decision table, derived from one case: F, T, W, R, base, episode, and who did what.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::{
    Author, Base, BaseTicket, FindingState, Ignoring, InFlight, Link, LinkOwner, Marker, Move,
    RuleMatch, Severity, Ticket, TicketState, WorkflowStatus,
};
use crate::mutant;
use crate::plan::HeldReason;
use crate::ports::{People, ResourceFact};
use crate::read::snapshot::{Missing, Snapshot};

use super::case::Case;
use super::damping;
use super::episode::{changed_between, episode, first_observed, goes_on_since};
use super::policy::Policy;

/// Two reads that do not find a ticket prove its deletion only if so much time lies between them.
const READS_APART: SignedDuration = SignedDuration::from_mins(1);

/// Everything that the rows ask.
#[derive(Clone)]
pub(super) struct View<'a> {
    /// The link with its counters moved on.
    pub(super) link: Link,
    /// F.
    pub(super) f: FindingState,
    /// W, overlaid by our write in flight; `None` when the finding is gone.
    pub(super) w: Option<WorkflowStatus>,
    /// W's last writer.
    pub(super) w_by: Author,
    /// T.
    pub(super) t: BaseTicket,
    /// The ticket as read.
    pub(super) ticket: Option<&'a Ticket>,
    /// What both sides last agreed on, or what a new or adopted link starts from.
    pub(super) base: Base,
    /// R: proof of deletion that the finding's last evaluation does not contradict.
    pub(super) deleted_at: Option<Timestamp>,
    /// The episode now; 0 if the finding never failed.
    pub(super) episode: u32,
    /// When it began.
    pub(super) episode_started_at: Timestamp,
    /// The move that brought T where it is, if a person made it, base does not know it, and it is of this episode.
    pub(super) moved: Option<&'a Move>,
    /// The moves of the ticket, oldest first, where they were read.
    pub(super) moves: &'a [Move],
    /// The engine's own account in Jira.
    pub(super) bot: &'a str,
    /// A live ignore rule that matches.
    pub(super) rule: Option<&'a RuleMatch>,
    /// The ignore rules could not be read: whether the last ones that could be cover this finding.
    pub(super) rules_unread: Option<bool>,
    /// The day (UTC) as of which rules are live.
    pub(super) today: jiff::civil::Date,
    /// The product teams, where somebody says who they are.
    pub(super) teams: Option<&'a BTreeSet<String>>,
    /// Who may close; `None` when unknown.
    pub(super) reviewers: Option<&'a BTreeSet<String>>,
    /// The other side's change that lost against a later one, in words.
    pub(super) overruled: Option<String>,
    /// AWS's reason for archiving, where it gives one.
    pub(super) archival: Option<String>,
    /// When F last changed, as AWS tells.
    pub(super) changed_at: Option<Timestamp>,
    /// Who answers for it now, where that is known.
    pub(super) owner: Option<LinkOwner>,
    /// Whether the bot may move the ticket to that owner's project, where it was asked.
    pub(super) may_move: Option<&'a Result<(), String>>,
    /// The severity of the finding that rules, and what its ticket would show.
    pub(super) lead: Option<(Severity, String)>,
    /// The ticket is of several findings.
    pub(super) shared: bool,
    /// Findings that have left it were dealt with in this ticket, and their resources exist.
    pub(super) of_more: bool,
    /// A reviewer has accepted all that it is of, and nobody has said anything since.
    pub(super) accepted: bool,
}

/// Row 1: what is not decided, with the link's counters moved on.
pub(super) struct RowOne {
    pub(super) why: HeldReason,
    pub(super) link: Link,
}

/// Derives the view, or says why nothing can be decided.
pub(super) fn view<'a>(
    case: &Case<'_>,
    snapshot: &'a Snapshot,
    policy: &Policy,
    now: Timestamp,
) -> Result<View<'a>, Box<RowOne>> {
    let mut link = case.link.clone();
    match letters(case, &mut link, snapshot, policy, now) {
        Ok(build) => Ok(build.with(link)),
        Err(why) => Err(Box::new(RowOne { why, link })),
    }
}

pub(super) struct Letters<'a>(pub(super) View<'a>);

impl<'a> Letters<'a> {
    pub(super) fn with(mut self, link: Link) -> View<'a> {
        self.0.link = link;
        self.0
    }
}

fn letters<'a>(
    case: &Case<'_>,
    link: &mut Link,
    snapshot: &'a Snapshot,
    policy: &Policy,
    now: Timestamp,
) -> Result<Letters<'a>, HeldReason> {
    let marker = &link.marker.clone();
    in_doubt(marker, snapshot)?;
    let f = finding_state(case, link, snapshot)?;
    let (t, ticket) = ticket_state(link, snapshot, now)?;
    damping::lift(link, ticket, policy, now);
    let base = base(link);
    let deleted_at = resource_state(link, snapshot);
    let w = workflow(case, link, snapshot, policy, now)?;
    let w_by = writer(case, link, w, f, snapshot)?;
    let (episode, episode_started_at) = episode(case, &base, f, w, &w_by, snapshot);
    let moves = moves(link, snapshot);
    let since = goes_on_since(f, deleted_at, episode_started_at);
    let moved = moved(t, ticket, &base, since, moves, snapshot)?;
    let (moved, overruled) =
        later_counts(moved, w, &w_by, &base, snapshot.people.reviewers.as_ref());
    let (rule, rules_unread) = match &snapshot.ignored {
        Ignoring::Known(rules) => (rules.get(marker), None),
        Ignoring::Unknown { last, .. } => (None, Some(last.contains_key(marker))),
    };
    Ok(Letters(View {
        link: link.clone(),
        f,
        w,
        w_by,
        t,
        ticket,
        base,
        deleted_at,
        episode,
        episode_started_at,
        moved,
        moves,
        bot: &snapshot.people.bot,
        rule,
        rules_unread,
        today: crate::model::ignore_rule::day(now),
        teams: snapshot.people.teams.as_ref(),
        reviewers: snapshot.people.reviewers.as_ref(),
        overruled,
        archival: case
            .lead()
            .and_then(|finding| finding.archival_reason.clone()),
        changed_at: changed_at(case, f),
        lead: case
            .lead()
            .map(|finding| (finding.severity, case.content(finding))),
        owner: case.owner.as_ref().ok().cloned(),
        may_move: may_move(case, ticket, snapshot),
        shared: false,
        of_more: false,
        accepted: false,
    }))
}

/// Whether the bot may move the ticket to its owner's project, where that was asked.
pub(super) fn may_move<'a>(
    case: &Case<'_>,
    ticket: Option<&Ticket>,
    snapshot: &'a Snapshot,
) -> Option<&'a Result<(), String>> {
    let projects = super::questions::transfer(case, ticket)?;
    snapshot.transfers.get(&projects)
}

/// Row 1: what an earlier run left in doubt.
pub(super) fn in_doubt(marker: &Marker, snapshot: &Snapshot) -> Result<(), HeldReason> {
    if let Some(intent) = snapshot.intents.get(marker) {
        return Err(HeldReason::IntentInDoubt { since: intent.at });
    }
    if let Some(why) = snapshot.quarantined.get(marker) {
        return Err(HeldReason::Quarantined { why: why.clone() });
    }
    Ok(())
}

/// When F last changed: for products with compliance AWS tells, for others the last update is the nearest known. What is
/// gone was there when it was last evaluated.
fn changed_at(case: &Case<'_>, f: FindingState) -> Option<Timestamp> {
    let Some(lead) = case.lead() else {
        return case.link.evaluated_at;
    };
    let observed = first_observed(case).filter(|_| f == FindingState::Passing);
    observed.or(lead.updated_at)
}

/// F; counts complete reads in which the finding was absent.
fn finding_state(
    case: &Case<'_>,
    link: &mut Link,
    snapshot: &Snapshot,
) -> Result<FindingState, HeldReason> {
    if let Some(state) = case.state() {
        link.absent_reads = 0;
        return Ok(state);
    }
    if link
        .base
        .as_ref()
        .is_some_and(|base| base.finding == FindingState::Gone)
    {
        return Ok(FindingState::Gone);
    }
    if !snapshot
        .coverage
        .covers(&link.alias.account, &link.alias.region)
    {
        return Err(HeldReason::NotCovered);
    }
    link.absent_reads = (link.absent_reads + 1).min(2);
    let gone_at_once = mutant::is("absent-once-is-gone");
    if (link.absent_reads < 2 && !gone_at_once) || mutant::is("absent-never-gone") {
        return Err(HeldReason::AbsentOnce);
    }
    let member = snapshot
        .accounts
        .as_ref()
        .and_then(|accounts| accounts.get(&link.alias.account))
        .is_some_and(|account| account.active);
    if member {
        Ok(FindingState::Gone)
    } else {
        Err(HeldReason::AccountNotMember {
            account: link.alias.account.clone(),
        })
    }
}

/// T; counts reads, some time apart, in which the ticket was 404 by id.
pub(super) fn ticket_state<'a>(
    link: &mut Link,
    snapshot: &'a Snapshot,
    now: Timestamp,
) -> Result<(BaseTicket, Option<&'a Ticket>), HeldReason> {
    let Some(at) = link.ticket.clone() else {
        return Ok((BaseTicket::None, None));
    };
    if let Some(ticket) = snapshot.tickets.get(&at.id) {
        link.ticket_absent_reads = 0;
        link.ticket_absent_at = None;
        link.ticket = Some(ticket.at.clone());
        return match ticket.state {
            Some(state) => Ok((BaseTicket::Is(state), Some(ticket))),
            None => Err(HeldReason::StatusUnmapped {
                key: at.key,
                status: ticket.status_name.clone(),
            }),
        };
    }
    if link
        .base
        .as_ref()
        .is_some_and(|base| base.ticket == BaseTicket::Deleted)
    {
        return Ok((BaseTicket::Deleted, None));
    }
    match snapshot.missing.get(&at.id) {
        Some(Missing::NotFound) => {
            // Two events of one second are one look.
            let apart = link
                .ticket_absent_at
                .is_none_or(|first| now.duration_since(first) >= READS_APART);
            if link.ticket_absent_reads == 0 {
                link.ticket_absent_at = Some(now);
                link.ticket_absent_reads = 1;
            } else if apart {
                link.ticket_absent_reads = 2;
            }
            if link.ticket_absent_reads < 2 {
                Err(HeldReason::TicketNotFoundOnce { key: at.key })
            } else {
                Ok((BaseTicket::Deleted, None))
            }
        }
        Some(Missing::Unreadable) | None => Err(HeldReason::TicketUnreadable { key: at.key }),
    }
}

/// The base, or what a link without one starts from: an adopted ticket was open, nothing failed before.
pub(super) fn base(link: &Link) -> Base {
    link.base.clone().unwrap_or_else(|| Base {
        ticket: if link.ticket.is_some() {
            BaseTicket::Is(TicketState::Open)
        } else {
            BaseTicket::None
        },
        workflow: WorkflowStatus::New,
        workflow_by: Author::Aws,
        finding: FindingState::Passing,
        episode: 0,
        episode_started_at: Timestamp::UNIX_EPOCH,
        first_observed_at: None,
    })
}

/// R: every resource named is proven deleted, later than the finding's last evaluation.
fn resource_state(link: &mut Link, snapshot: &Snapshot) -> Option<Timestamp> {
    if let Some(facts) = snapshot.resources.get(&link.marker) {
        link.resource_asked_at = Some(snapshot.taken_at);
        let proofs: Vec<Option<Timestamp>> = facts
            .iter()
            .map(|fact| match fact {
                ResourceFact::Deleted { at } => Some(*at),
                ResourceFact::Exists | ResourceFact::Unknown { .. } => None,
            })
            .collect();
        if mutant::is("unknown-is-deleted")
            && facts
                .iter()
                .any(|fact| matches!(fact, ResourceFact::Unknown { .. }))
        {
            link.resource_deleted_at = Some(snapshot.taken_at);
        } else if facts
            .iter()
            .any(|fact| matches!(fact, ResourceFact::Exists))
        {
            link.resource_deleted_at = None;
        } else if !proofs.is_empty() && proofs.iter().all(Option::is_some) {
            link.resource_deleted_at = proofs.into_iter().flatten().max();
        }
    }
    let deleted_at = link.resource_deleted_at?;
    link.evaluated_at
        .is_none_or(|evaluated| evaluated <= deleted_at)
        .then_some(deleted_at)
}

/// W: what was read, unless it is what reads showed before a recent write of ours.
fn workflow(
    case: &Case<'_>,
    link: &mut Link,
    snapshot: &Snapshot,
    policy: &Policy,
    now: Timestamp,
) -> Result<Option<WorkflowStatus>, HeldReason> {
    let Some(read) = case.spokesman().map(|finding| finding.workflow) else {
        return Ok(None);
    };
    let Some(write) = &mut link.in_flight else {
        return Ok(Some(read));
    };
    let settled = now.duration_since(write.at) > policy.settle;
    if settled || mutant::is("no-write-in-flight") {
        link.in_flight = None;
    } else if read == write.workflow {
        write.seen = true;
    } else if write.showed(read) && (!write.seen || is_older(case, write, snapshot)?) {
        return Ok(Some(write.workflow));
    } else {
        link.in_flight = None;
    }
    Ok(Some(read))
}

/// The finding's history says that our write was the last one: a read that shows what was before is older. Without the
/// history nobody can tell.
fn is_older(case: &Case<'_>, write: &InFlight, snapshot: &Snapshot) -> Result<bool, HeldReason> {
    if mutant::is("older-read-believed") {
        return Ok(false);
    }
    let key = case.spokesman().map(|finding| &finding.key);
    match key.and_then(|key| snapshot.writes.get(key)) {
        Some(last) => Ok(last
            .as_ref()
            .is_some_and(|last| last.ours && last.to == write.workflow)),
        None => Err(HeldReason::WriterUnknown),
    }
}

/// Whether W's writer must be known to decide.
pub(super) fn writer_matters(
    case: &Case<'_>,
    link: &Link,
    w: WorkflowStatus,
    f: FindingState,
) -> bool {
    let changed = link.base.as_ref().is_none_or(|base| base.workflow != w);
    let settles = matches!(w, WorkflowStatus::Resolved | WorkflowStatus::Suppressed);
    let alive = f.is_active() || (w == WorkflowStatus::Suppressed && link.ticket.is_some());
    (changed || set_again(case, link, w, f)) && settles && alive
}

/// RESOLVED as before, but the finding has begun to fail again, and AWS resets it to NEW then: somebody has set it anew
/// (Security Hub user guide, "Workflow status").
fn set_again(case: &Case<'_>, link: &Link, w: WorkflowStatus, f: FindingState) -> bool {
    let resolved = |base: &&Base| base.workflow == w && w == WorkflowStatus::Resolved;
    link.base.as_ref().filter(resolved).is_some_and(|base| {
        f == FindingState::Failing
            && (base.finding != FindingState::Failing || changed_between(case, base))
    })
}

/// W's writer. AWS itself never suppresses: where the history names nobody (it goes back 90 days, and a product may
/// import a finding as suppressed), it was somebody all the same.
fn writer(
    case: &Case<'_>,
    link: &Link,
    w: Option<WorkflowStatus>,
    f: FindingState,
    snapshot: &Snapshot,
) -> Result<Author, HeldReason> {
    let named = named_writer(case, link, w, f, snapshot)?;
    let unnamed = named == Author::Aws && w == Some(WorkflowStatus::Suppressed);
    Ok(if unnamed { somebody() } else { named })
}

fn somebody() -> Author {
    Author::Theirs {
        identity: "somebody whom the finding's history no longer names".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        record: "unnamed".to_owned(),
    }
}

fn named_writer(
    case: &Case<'_>,
    link: &Link,
    w: Option<WorkflowStatus>,
    f: FindingState,
    snapshot: &Snapshot,
) -> Result<Author, HeldReason> {
    let (Some(w), Some(spokesman)) = (w, case.spokesman()) else {
        return Ok(Author::Aws);
    };
    let agreed = link.base.as_ref().filter(|base| base.workflow == w);
    if let Some(base) = agreed.filter(|_| !set_again(case, link, w, f)) {
        return Ok(base.workflow_by.clone());
    }
    let write = link.in_flight.as_ref();
    if write.is_some_and(|write| write.workflow == w) {
        return Ok(Author::Ours);
    }
    match snapshot.writes.get(&spokesman.key) {
        Some(Some(write)) if write.to == w => Ok(match &write.identity {
            None => Author::Aws,
            Some(_) if write.ours => Author::Ours,
            Some(identity) => Author::Theirs {
                identity: identity.clone(),
                at: write.at,
                record: format!("{}@{}", identity, write.at),
            },
        }),
        // The history is newer than the page that we read: the next run sees both.
        Some(Some(_)) if writer_matters(case, link, w, f) => Err(HeldReason::WriterUnknown),
        Some(_) => Ok(Author::Aws),
        None if writer_matters(case, link, w, f) => Err(HeldReason::WriterUnknown),
        None => Ok(Author::Aws),
    }
}

pub(super) fn moves<'a>(link: &Link, snapshot: &'a Snapshot) -> &'a [Move] {
    let ticket = link.ticket.as_ref();
    let read = ticket.and_then(|at| snapshot.moves.get(&at.id));
    read.map_or(&[], Vec::as_slice)
}

/// The person's move that brought T where it is, if base does not know it and it is of this episode, where one goes on
/// `since` then.
pub(super) fn moved<'a>(
    t: BaseTicket,
    ticket: Option<&Ticket>,
    base: &Base,
    since: Option<Timestamp>,
    moves: &'a [Move],
    snapshot: &Snapshot,
) -> Result<Option<&'a Move>, HeldReason> {
    let (BaseTicket::Is(state), Some(ticket)) = (t, ticket) else {
        return Ok(None);
    };
    if t == base.ticket {
        return Ok(None);
    }
    let unknown = || HeldReason::MoverUnknown {
        key: ticket.at.key.clone(),
    };
    if !snapshot.moves.contains_key(&ticket.at.id) {
        return Err(unknown());
    }
    if moves.last().is_some_and(|last| last.to != Some(state)) {
        // The changelog is newer than the page that we read: the next run sees both.
        return Err(unknown());
    }
    let of_this_episode = |last: &&Move| {
        since.is_none_or(|since| last.at > since) || mutant::is("close-of-earlier-episode")
    };
    let theirs = last_word(moves, &snapshot.people).filter(|last| last.to == Some(state));
    Ok(theirs.filter(of_this_episode))
}

/// The last move that stands, if it is a person's.
pub(super) fn last_word<'a>(moves: &'a [Move], people: &People) -> Option<&'a Move> {
    let last = that_stand(moves, &people.bot, people.reviewers.as_ref()).last();
    last.filter(|last| last.by != people.bot)
}

/// Without the last moves, of which each pair undid a person's.
pub(super) fn that_stand<'a>(
    mut moves: &'a [Move],
    bot: &str,
    reviewers: Option<&BTreeSet<String>>,
) -> &'a [Move] {
    while let [before @ .., wrong, undo] = moves
        && undo.by == bot
        && wrong.by != bot
        && is_without_right(wrong, reviewers)
        && undo.to == wrong.from
    {
        moves = before;
    }
    moves
}

/// Closing is for reviewers, ignoring for rules.
fn is_without_right(person: &Move, reviewers: Option<&BTreeSet<String>>) -> bool {
    let may_close = reviewers.is_some_and(|reviewers| reviewers.contains(&person.by));
    match person.to {
        Some(TicketState::Closed) => !may_close,
        Some(TicketState::Ignored) => true,
        Some(TicketState::Open | TicketState::Resolved) | None => false,
    }
}

/// If both sides moved, the later counts; a tie leaves T open.
pub(super) fn later_counts<'a>(
    moved: Option<&'a Move>,
    w: Option<WorkflowStatus>,
    w_by: &Author,
    base: &Base,
    reviewers: Option<&BTreeSet<String>>,
) -> (Option<&'a Move>, Option<String>) {
    let (Some(person), Author::Theirs { identity, at, .. }) = (moved, w_by) else {
        return (moved, None);
    };
    let Some(w) = w.filter(|w| *w != base.workflow) else {
        return (moved, None);
    };
    let closes = person.to == Some(TicketState::Closed);
    // Closing without the right is undone whatever happened in Security Hub. What a reviewer accepted stands, unless the
    // console has taken it back since.
    let may_close = reviewers.is_some_and(|reviewers| reviewers.contains(&person.by));
    let shown_again = matches!(w, WorkflowStatus::New | WorkflowStatus::Notified);
    let taken_back = base.workflow == WorkflowStatus::Resolved && shown_again;
    let wins = person.at >= *at || closes && !(may_close && taken_back);
    if wins {
        (
            moved,
            Some(format!(
                "{identity} had set {} in Security Hub at {at}",
                w.as_str()
            )),
        )
    } else {
        let word = person.to.map_or("another status", TicketState::word);
        (
            None,
            Some(format!(
                "{} had set the ticket to {word} at {}",
                person.by_name, person.at
            )),
        )
    }
}
