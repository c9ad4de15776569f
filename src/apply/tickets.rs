//! Existing tickets: deletions with their tombstones, changes of status, content, comments.

use std::collections::{BTreeMap, BTreeSet};

use super::content::Place;
use super::{Progress, Run, Sinks};
use crate::model::{DISPUTED_LABEL, Marker, Ticket, TicketRef, TicketState};
use crate::mutant;
use crate::plan::TicketStep;
use crate::ports::{Comment, FindingsWriter, Notifier, TicketsReader, TicketsWriter};
use crate::read::snapshot::Snapshot;
use crate::store::{Store, StoreError, Tombstone};
use crate::wire::adf::section::placed;
use crate::wire::error::WireError;

pub(super) async fn deletes<F: FindingsWriter, T: TicketsWriter, N: Notifier, S: Store>(
    work: &mut [Progress],
    snapshot: &Snapshot,
    to: Sinks<'_, F, T, N, S>,
    run: &Run<'_>,
) -> Result<(), StoreError> {
    let mut by_id: BTreeMap<u64, usize> = BTreeMap::new();
    let mut graves = Vec::new();
    for (n, progress) in work.iter().enumerate() {
        let action = &progress.action;
        let Some(ticket) = snapshot
            .links
            .get(&action.marker)
            .and_then(|link| link.ticket.clone())
        else {
            continue;
        };
        if action.ticket != TicketStep::Delete || !progress.is_live() {
            continue;
        }
        by_id.insert(ticket.id, n);
        graves.push(Tombstone {
            ticket,
            marker: action.marker.clone(),
            at: run.clock.now(),
            reason: action.reason.sentence(),
            severity: action.subject.severity.label().to_owned(),
            account: action.subject.account.clone(),
            rule: action.subject.rule.clone(),
        });
    }
    if graves.is_empty() {
        return Ok(());
    }
    to.store.bury(&graves).await?;
    let ids: Vec<u64> = by_id.keys().copied().collect();
    for (id, outcome) in to.tickets.delete_all(&ids).await {
        let Some(n) = by_id.get(&id) else { continue };
        match outcome {
            Ok(()) => work[*n].ticket_done = true,
            Err(error) => work[*n].fail("deleting the ticket", &error),
        }
    }
    Ok(())
}

pub(super) async fn moves<F: FindingsWriter, T: TicketsWriter, N: Notifier, S: Store>(
    work: &mut [Progress],
    snapshot: &Snapshot,
    to: Sinks<'_, F, T, N, S>,
    _run: &Run<'_>,
) -> Result<(), StoreError> {
    let mut groups: BTreeMap<(String, String, TicketState), Vec<usize>> = BTreeMap::new();
    for (n, progress) in work.iter().enumerate() {
        let target = match progress.action.ticket {
            TicketStep::Move { to } => to,
            // What takes its place is created once it is closed: no finding has two live tickets.
            TicketStep::Replace | TicketStep::Merge => TicketState::Closed,
            _ => continue,
        };
        let found = ticket(progress, snapshot).filter(|ticket| ticket.state != Some(target));
        if let (to, Some(ticket), true) = (target, found, progress.is_live()) {
            groups
                .entry((ticket.project.clone(), ticket.status_id.clone(), to))
                .or_default()
                .push(n);
        }
    }
    for ((_, _, target), indexes) in groups {
        let tickets: Vec<Ticket> = indexes
            .iter()
            .filter_map(|n| ticket(&work[*n], snapshot).cloned())
            .collect();
        let of: BTreeMap<u64, usize> = tickets
            .iter()
            .map(|ticket| ticket.at.id)
            .zip(indexes)
            .collect();
        for (id, outcome) in to.tickets.move_all(&tickets, target).await {
            let Some(n) = of.get(&id) else { continue };
            match outcome {
                Ok(()) => work[*n].ticket_done = true,
                Err(error) => {
                    work[*n].fail(&format!("setting the ticket to {}", target.word()), &error);
                }
            }
        }
    }
    Ok(())
}

/// Tickets go to the project of their new owner; those that go to one place go together.
pub(super) async fn transfers<F: FindingsWriter, T: TicketsWriter, N: Notifier, S: Store>(
    work: &mut [Progress],
    snapshot: &Snapshot,
    to: Sinks<'_, F, T, N, S>,
    run: &Run<'_>,
) {
    let mut places: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (n, progress) in work.iter().enumerate() {
        if progress.action.ticket != TicketStep::Transfer || !progress.is_live() {
            continue;
        }
        if let Some(place) = place(progress, snapshot, run) {
            let place = (place.project, place.issue_type);
            places.entry(place).or_default().push(n);
        }
    }
    for ((project, issue_type), indexes) in places {
        let there = indexes
            .iter()
            .filter_map(|n| Some((ticket(&work[*n], snapshot)?.clone(), *n)));
        let (tickets, indexes): (Vec<Ticket>, Vec<usize>) = there.unzip();
        let ids = tickets.iter().map(|ticket| ticket.at.id);
        let of: BTreeMap<u64, usize> = ids.zip(indexes).collect();
        let moved = to.tickets.transfer_all(&tickets, &project, &issue_type);
        for (id, outcome) in moved.await {
            let Some(n) = of.get(&id) else { continue };
            let progress = &mut work[*n];
            match outcome {
                Ok(at) => {
                    progress.ticket = Some(at);
                    progress.ticket_done = true;
                }
                Err(error) => progress.fail(&format!("moving the ticket to {project}"), &error),
            }
        }
    }
}

/// Where the ticket of an action belongs.
fn place(progress: &Progress, snapshot: &Snapshot, run: &Run<'_>) -> Option<Place> {
    let finding = snapshot.finding(&progress.action.subject.finding)?;
    Some(run.style.place(finding, progress.action.after.as_deref()?))
}

fn ticket<'a>(progress: &Progress, snapshot: &'a Snapshot) -> Option<&'a Ticket> {
    snapshot.tickets.get(&standing(progress, snapshot)?.id)
}

/// The ticket as it was before the run: for one that is replaced, the old one.
fn standing<'a>(progress: &'a Progress, snapshot: &'a Snapshot) -> Option<&'a TicketRef> {
    match progress.action.ticket {
        TicketStep::Replace | TicketStep::Merge => {
            snapshot.link(&progress.action.marker)?.ticket.as_ref()
        }
        _ => progress.ticket.as_ref(),
    }
}

/// Descriptions that are read in one call.
const READ_TOGETHER: usize = 100;

/// New content; what people wrote around our section is read first, and stays.
pub(super) async fn updates<
    F: FindingsWriter,
    T: TicketsReader + TicketsWriter,
    N: Notifier,
    S: Store,
>(
    work: &mut [Progress],
    snapshot: &Snapshot,
    to: Sinks<'_, F, T, N, S>,
    run: &Run<'_>,
) -> Result<(), StoreError> {
    let due: Vec<usize> = (0..work.len())
        .filter(|n| {
            let step = work[*n].action.ticket;
            matches!(step, TicketStep::Update | TicketStep::Transfer) && work[*n].is_live()
        })
        .collect();
    for some in due.chunks(READ_TOGETHER) {
        let ids = some
            .iter()
            .filter_map(|n| Some(work[*n].ticket.as_ref()?.id));
        let ids: Vec<u64> = ids.collect();
        let described = match to.tickets.descriptions(&ids).await {
            Ok(described) => described,
            Err(error) => {
                some.iter()
                    .for_each(|n| work[*n].fail("reading the ticket", &error));
                continue;
            }
        };
        for n in some {
            update(&mut work[*n], &described, snapshot, to.tickets, run).await;
        }
    }
    Ok(())
}

async fn update<T: TicketsWriter>(
    progress: &mut Progress,
    described: &BTreeMap<u64, serde_json::Value>,
    snapshot: &Snapshot,
    tickets: &T,
    run: &Run<'_>,
) {
    let action = &progress.action;
    let finding = snapshot.finding(&action.subject.finding);
    let (Some(finding), Some(link), Some(at)) =
        (finding, action.after.as_deref(), progress.ticket.clone())
    else {
        return;
    };
    let Some(description) = described.get(&at.id) else {
        let gone = WireError::NotFound {
            what: format!("reading {}", at.key),
            message: "Jira does not show the ticket".to_owned(),
        };
        return progress.fail("updating the ticket", &gone);
    };
    let mut content = run.style.content(finding, link, &action.members);
    content.description = placed(description, &content.description);
    if action.ticket == TicketStep::Transfer {
        // Whoever had it belongs to the team that it has left.
        let place = run.style.place(finding, link);
        content.assignee = place.assignee.map(|assignee| (place.project, assignee));
    }
    let before = snapshot.link(&action.marker);
    let before = before.and_then(|link| link.shown.as_ref());
    if before.is_some_and(|shown| shown.severity == finding.severity) {
        // Somebody may have chosen another.
        content.priority = None;
    }
    if let Err(error) = tickets.update(at.id, &content).await {
        progress.fail("updating the ticket", &error);
    }
}

/// Disputed tickets are marked for people, and for the next run.
pub(super) async fn labels<F: FindingsWriter, T: TicketsWriter, N: Notifier, S: Store>(
    work: &mut [Progress],
    to: Sinks<'_, F, T, N, S>,
) {
    for progress in work
        .iter_mut()
        .filter(|progress| progress.action.ticket == TicketStep::Label && progress.is_live())
    {
        let Some(at) = progress.ticket.clone() else {
            continue;
        };
        match to.tickets.label(at.id, DISPUTED_LABEL).await {
            Ok(()) => {}
            // Closed tickets may not be edited in many workflows: security hears of it all the same.
            Err(WireError::Refused { .. } | WireError::Denied { status: 403, .. }) => {
                progress.without_label();
            }
            Err(error) => progress.fail("labelling the ticket", &error),
        }
    }
}

/// A ticket that is open again in a new episode is due anew.
pub(super) async fn due_dates<F: FindingsWriter, T: TicketsWriter, N: Notifier, S: Store>(
    work: &mut [Progress],
    snapshot: &Snapshot,
    to: Sinks<'_, F, T, N, S>,
    run: &Run<'_>,
) -> Result<(), StoreError> {
    let reopened = TicketStep::Move {
        to: TicketState::Open,
    };
    for progress in work
        .iter_mut()
        .filter(|progress| progress.is_live() && progress.action.ticket == reopened)
    {
        let before = snapshot.link(&progress.action.marker);
        let Some(after) = progress.action.after.as_deref() else {
            continue;
        };
        let anew = before.is_none_or(|before| before.opened_at != after.opened_at);
        let (Some(due), Some(at)) = (run.style.due(after), progress.ticket.clone()) else {
            continue;
        };
        if anew && let Err(error) = to.tickets.set_due(at.id, due).await {
            progress.fail("setting the due date", &error);
        }
    }
    Ok(())
}

/// The key of the ticket that a finding shares now.
fn shared_key<'a>(
    progress: &Progress,
    others: &'a BTreeMap<Marker, String>,
    snapshot: &'a Snapshot,
) -> Option<&'a str> {
    let group = &progress.action.after.as_deref()?.member.as_ref()?.of;
    let known = || Some(&snapshot.link(group)?.ticket.as_ref()?.key);
    others.get(group).or_else(known).map(String::as_str)
}

/// Comments whose key an earlier run may have sent are looked for first.
pub(super) async fn comments<
    F: FindingsWriter,
    T: TicketsReader + TicketsWriter,
    N: Notifier,
    S: Store,
>(
    work: &mut [Progress],
    snapshot: &Snapshot,
    to: Sinks<'_, F, T, N, S>,
    run: &Run<'_>,
) -> Result<(), StoreError> {
    let due: Vec<usize> = (0..work.len())
        .filter(|n| {
            let progress = &work[*n];
            progress.is_live()
                && progress.action.comment.is_some()
                && standing(progress, snapshot).is_some()
        })
        .collect();
    let keys: Vec<String> = due
        .iter()
        .filter_map(|n| work[*n].action.comment.clone())
        .collect();
    let doubtful: BTreeSet<String> = to.store.opened_comments(&keys).await?.into_iter().collect();
    to.store.open_comments(&keys).await?;
    let others: BTreeMap<Marker, String> = work
        .iter()
        .filter_map(|progress| Some((progress.action.marker.clone(), progress.ticket.clone()?.key)))
        .collect();
    for n in due {
        let progress = &mut work[n];
        let at = standing(progress, snapshot).cloned();
        let (Some(key), Some(at)) = (progress.action.comment.clone(), at) else {
            continue;
        };
        let finding = snapshot.finding(&progress.action.subject.finding);
        let next = match progress.action.ticket {
            TicketStep::Replace => progress.ticket.as_ref().map(|at| at.key.as_str()),
            TicketStep::Merge => shared_key(progress, &others, snapshot),
            _ => None,
        };
        let body = run.style.comment(&progress.action.reason, finding, next);
        let sent: Result<(), WireError> = async {
            let asks = doubtful.contains(&key) && !mutant::is("comment-again");
            if asks && to.tickets.has_comment(at.id, &key).await? {
                return Ok(());
            }
            to.tickets.comment(at.id, &Comment { key, body }).await
        }
        .await;
        if let Err(error) = sent {
            progress.fail("commenting on the ticket", &error);
        }
    }
    Ok(())
}
