//! What must be read besides findings and tickets before deciding: who moved a ticket, who set a status, whether a
//! resource still exists. Everything here costs requests, so it is asked only where the answer can change a decision.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{
    BaseTicket, FindingKey, FindingState, Link, Marker, Ticket, TicketState, WorkflowStatus,
};
use crate::ports::{ResourceFact, ResourceQuery};
use crate::read::snapshot::Snapshot;

use super::case::Case;
use super::group::{self, Group};
use super::policy::{OwnerChange, Policy};
use super::{questions, view};

/// Questions that the snapshot leaves open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Tickets whose last move matters.
    pub moves: BTreeSet<u64>,
    /// Findings whose status's writer matters.
    pub writers: BTreeSet<FindingKey>,
    /// Links whose resources should be asked about.
    pub resources: BTreeMap<Marker, Vec<ResourceQuery>>,
    /// Projects between which tickets would be moved, from and to.
    pub transfers: BTreeSet<(String, String)>,
    /// The organisation's accounts: something may be gone.
    pub accounts: bool,
    /// Links whose resources need not be asked about: an event has proven each of them deleted.
    pub proven: BTreeMap<Marker, Vec<ResourceFact>>,
}

/// The questions of a snapshot.
pub fn needs(snapshot: &Snapshot, policy: &Policy, now: Timestamp) -> Needs {
    let mut needs = Needs::default();
    let groups = group::arrange(snapshot, policy, |case, _| {
        let ticket = ticket(&case.link, snapshot);
        ask(&case, ticket, snapshot, policy, now, &mut needs);
    });
    for group in groups.values() {
        let ticket = group.link().and_then(|link| ticket(link, snapshot));
        if let (Some(link), Some(ticket)) = (group.link(), ticket) {
            ask_about_the_ticket(group, link, ticket, policy, &mut needs);
        }
        for sub in &group.subs {
            ask(&sub.case, ticket, snapshot, policy, now, &mut needs);
        }
    }
    needs
}

fn ticket<'a>(link: &Link, snapshot: &'a Snapshot) -> Option<&'a Ticket> {
    snapshot.tickets.get(&link.ticket.as_ref()?.id)
}

/// Who moved a ticket of several findings.
fn ask_about_the_ticket(
    group: &Group<'_>,
    link: &Link,
    ticket: &Ticket,
    policy: &Policy,
    needs: &mut Needs,
) {
    let moved = ticket.state.map(BaseTicket::Is) != Some(view::base(link).ticket);
    let open = ticket.state == Some(TicketState::Open);
    if moved || (open && group::may_be_over(group)) {
        needs.moves.insert(ticket.at.id);
    }
    if open && policy.owner_change == OwnerChange::Move {
        // Which of its members will speak for it is not decided yet.
        let owners = group.subs.iter().flat_map(|sub| &sub.case.owner);
        let was = link.owner.as_ref().map(|owner| &owner.project);
        let others = owners.filter(|owner| was.is_some_and(|was| *was != owner.project));
        let projects = others.map(|owner| (ticket.project.clone(), owner.project.clone()));
        needs
            .transfers
            .extend(projects.filter(|(from, to)| from != to));
    }
}

/// What a case leaves open, whose ticket is this one: its own, or the one that it shares.
fn ask(
    case: &Case<'_>,
    ticket: Option<&Ticket>,
    snapshot: &Snapshot,
    policy: &Policy,
    now: Timestamp,
    needs: &mut Needs,
) {
    let link = &case.link;
    let base = view::base(link);
    let stopped = case.state().is_none_or(FindingState::is_stopped);
    let own = ticket.filter(|_| link.ticket.is_some());
    let proven = proof(case, snapshot);
    let resources = if proven.is_some() {
        Vec::new()
    } else {
        let stands = own
            .and_then(|ticket| ticket.state)
            .is_some_and(|state| state != TicketState::Closed);
        resources(case, stands, policy, now)
    };
    if let Some(ticket) = own
        && let Some(state) = ticket.state
    {
        let moved = BaseTicket::Is(state) != base.ticket;
        let may_stay_open = state == TicketState::Open
            && (stopped
                || !resources.is_empty()
                || proven.is_some()
                || link.resource_deleted_at.is_some());
        if moved || may_stay_open {
            needs.moves.insert(ticket.at.id);
        }
    }
    if policy.owner_change == OwnerChange::Move && case.state() == Some(FindingState::Failing) {
        needs.transfers.extend(questions::transfer(case, own));
    }
    if let Some(spokesman) = case.spokesman() {
        let f = case.state().unwrap_or(FindingState::Gone);
        let w = spokesman.workflow;
        let write = link.in_flight.as_ref();
        let write = write.filter(|write| now.duration_since(write.at) <= policy.settle);
        let pending = write.is_some_and(|write| write.workflow == w || write.showed(w));
        let unsettled = matches!(w, WorkflowStatus::New | WorkflowStatus::Notified);
        let moves = ticket.is_some_and(|ticket| needs.moves.contains(&ticket.at.id));
        let reset_or_person = unsettled && base.workflow != w && moves;
        let doubted = write.is_some_and(|write| write.is_doubted_by(w));
        let matters = view::writer_matters(case, link, w, f) && !pending;
        if matters || reset_or_person || doubted {
            needs.writers.insert(spokesman.key.clone());
        }
    }
    if case.members.is_empty() && snapshot.coverage.full && base.finding != FindingState::Gone {
        needs.accounts = true;
    }
    if let Some(facts) = proven {
        needs.proven.insert(link.marker.clone(), facts);
    }
    if !resources.is_empty() {
        needs.resources.insert(link.marker.clone(), resources);
    }
}

/// A ticket that is not closed (or `stands` again), and a finding that is archived, absent, or was not evaluated for
/// longer than controls ever are: its resource may be gone.
fn resources(case: &Case<'_>, stands: bool, policy: &Policy, now: Timestamp) -> Vec<ResourceQuery> {
    let link = &case.link;
    let settled = match link.base.as_ref().map(|base| base.ticket) {
        Some(BaseTicket::Is(TicketState::Closed)) => !stands,
        Some(BaseTicket::None | BaseTicket::Deleted) => true,
        Some(BaseTicket::Is(_)) | None => false,
    };
    let shares = link.member.is_some() && link.base.is_some();
    if (link.ticket.is_none() || settled) && !shares {
        return Vec::new();
    }
    let asked_lately = link
        .resource_asked_at
        .is_some_and(|asked| now.duration_since(asked) < policy.resource_recheck);
    let doubtful = match case.state() {
        None | Some(FindingState::Archived | FindingState::Gone) => true,
        Some(FindingState::Passing) => false,
        Some(FindingState::Failing | FindingState::Unclear) => {
            let evaluated_daily = case
                .lead()
                .is_some_and(|finding| finding.compliance.is_some());
            let stale = link
                .evaluated_at
                .is_some_and(|at| now.duration_since(at) > policy.stale_after);
            evaluated_daily && stale
        }
    };
    if asked_lately || !doubtful {
        return Vec::new();
    }
    queries(case)
}

/// An event has proven every resource deleted, after the finding was last evaluated, and the link does not know it yet.
fn proof(case: &Case<'_>, snapshot: &Snapshot) -> Option<Vec<ResourceFact>> {
    let link = &case.link;
    let mut facts = Vec::new();
    for query in queries(case) {
        let at = snapshot.deletions.of(&query)?;
        let later = link.evaluated_at.is_none_or(|evaluated| evaluated < at);
        if !later {
            return None;
        }
        facts.push(at);
    }
    let newest = facts.iter().max()?;
    let news = link.resource_deleted_at.is_none_or(|known| known < *newest);
    let proven = |at| ResourceFact::Deleted { at };
    news.then(|| facts.into_iter().map(proven).collect())
}

/// One query for each resource named; for an absent finding the alias is all that is known.
fn queries(case: &Case<'_>) -> Vec<ResourceQuery> {
    let alias = &case.link.alias;
    let query = |kind: &str, id: &str, region: Option<&String>| ResourceQuery {
        account: alias.account.clone(),
        region: region.unwrap_or(&alias.region).clone(),
        kind: kind.to_owned(),
        id: id.to_owned(),
    };
    match case.lead() {
        Some(finding) => finding
            .resources
            .iter()
            .map(|r| query(&r.kind, &r.id, r.region.as_ref()))
            .collect(),
        None => vec![query("", &alias.resource, None)],
    }
}
