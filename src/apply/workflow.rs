//! Security Hub: one payload for up to 100 findings a call (Security Hub API: BatchUpdateFindings).
//!
//! A note that names its ticket makes a payload of its own. Small runs can afford that; above [`NAMED_NOTES`] findings
//! share a note, and the ticket is found by its label. A note that names another ticket is put right in any run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Progress, Run, Sinks};
use crate::model::finding::TICKET_FIELD;
use crate::model::{FindingKey, WorkflowStatus};
use crate::plan::{Reason, TicketStep};
use crate::ports::{FindingsWriter, Notifier, Unprocessed, WorkflowUpdate};
use crate::store::{Store, StoreError};
use crate::wire::error::WireError;

/// The most findings in a run whose notes name their own ticket.
const NAMED_NOTES: usize = 25;

/// The most findings' tickets in a run whose notes are put right: each costs a call, and the next run goes on.
const CORRECTED_MOST: usize = 100;

/// Security Hub's limit for one call.
const PER_CALL: usize = 100;

/// How often transient refusals of single findings are tried again.
const ROUNDS: u32 = 4;

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Payload {
    to: WorkflowStatus,
    note: String,
    ticket: Option<String>,
}

pub(super) async fn updates<F: FindingsWriter, T, N: Notifier, S: Store>(
    work: &mut [Progress],
    to: Sinks<'_, F, T, N, S>,
    run: &Run<'_>,
) -> Result<(), StoreError> {
    let due: Vec<usize> = (0..work.len())
        .filter(|n| work[*n].is_live() && work[*n].action.workflow.is_some())
        .collect();
    let named = due.len() <= NAMED_NOTES;
    let mut groups: BTreeMap<Payload, Vec<(FindingKey, usize)>> = BTreeMap::new();
    let mut corrected = 0;
    for n in due {
        let Some(step) = work[n].action.workflow.clone() else {
            continue;
        };
        corrected += usize::from(step.corrects);
        let corrects = step.corrects && corrected <= CORRECTED_MOST;
        if step.corrects && !(named || corrects) {
            work[n].leave_uncorrected();
        }
        let payload = payload(&work[n], step.to, named || corrects);
        let members = groups.entry(payload).or_default();
        members.extend(step.findings.into_iter().map(|finding| (finding, n)));
    }
    let mut stopped: Option<WireError> = None;
    for (payload, members) in groups {
        for some in members.chunks(PER_CALL) {
            if let Some(error) = &stopped {
                some.iter()
                    .for_each(|(_, n)| work[*n].fail("setting the status in Security Hub", error));
                continue;
            }
            stopped = write(&payload, some, work, to.findings, run).await;
        }
    }
    Ok(())
}

/// Writes one call's findings; an error that would meet every further call is returned.
async fn write<F: FindingsWriter>(
    payload: &Payload,
    members: &[(FindingKey, usize)],
    work: &mut [Progress],
    hub: &F,
    run: &Run<'_>,
) -> Option<WireError> {
    let of: BTreeMap<&FindingKey, usize> = members.iter().map(|(key, n)| (key, *n)).collect();
    let fields = payload
        .ticket
        .iter()
        .map(|key| (TICKET_FIELD.to_owned(), key.clone()))
        .collect();
    let mut update = WorkflowUpdate {
        findings: of.keys().map(|key| (*key).clone()).collect(),
        workflow: payload.to,
        note: payload.note.clone(),
        user_defined: fields,
    };
    for round in 1..=ROUNDS {
        let refused = match hub.set_workflow(&update).await {
            Ok(refused) => refused,
            Err(error) => {
                members
                    .iter()
                    .for_each(|(_, n)| work[*n].fail("setting the status in Security Hub", &error));
                let hopeless = matches!(
                    error,
                    WireError::Denied { .. }
                        | WireError::Unreachable { .. }
                        | WireError::Throttled { .. }
                        | WireError::TooLate { .. }
                );
                return hopeless.then_some(error);
            }
        };
        let (again, lost): (Vec<Unprocessed>, Vec<Unprocessed>) = refused
            .into_iter()
            .partition(|item| item.is_transient() && round < ROUNDS);
        for item in lost {
            if let Some(n) = of.get(&item.finding) {
                let error = WireError::Refused {
                    what: "setting the status in Security Hub".to_owned(),
                    status: 200,
                    code: Some(item.code.clone()),
                    message: format!("{}: {}", item.code, item.message),
                };
                work[*n].fail("setting the status in Security Hub", &error);
            }
        }
        if again.is_empty() {
            return None;
        }
        update.findings = again.into_iter().map(|item| item.finding).collect();
        run.clock.sleep(Duration::from_secs(u64::from(round))).await;
    }
    None
}

fn payload(progress: &Progress, to: WorkflowStatus, named: bool) -> Payload {
    let action = &progress.action;
    let own = progress.ticket.as_ref().map(|at| at.key.clone());
    // A finding that shares a ticket has none of its own.
    let shares = action
        .after
        .as_ref()
        .is_some_and(|after| after.member.is_some());
    let key = own.or_else(|| action.subject.ticket.clone().filter(|_| shares));
    if !named {
        let note = shared_note(&action.reason, action.ticket);
        return Payload {
            to,
            note,
            ticket: None,
        };
    }
    let sentence = action.reason.sentence();
    let note = match (&key, action.ticket) {
        (Some(key), TicketStep::Create | TicketStep::Replace) => {
            format!("Tracked in {key}. {sentence}")
        }
        (Some(key), _) => format!("{key}: {sentence}"),
        (None, _) => sentence,
    };
    Payload {
        to,
        note,
        ticket: key,
    }
}

/// What many findings can share: no key, no name, no time.
fn shared_note(reason: &Reason, step: TicketStep) -> String {
    match reason {
        Reason::ClaimedResolved { .. } => "Resolved in Jira; awaits review by security.".to_owned(),
        Reason::Accepted { .. } => "Reviewed and closed in Jira by security.".to_owned(),
        Reason::ResourceDeleted { .. } => {
            "AWS Config recorded the deletion of the resource.".to_owned()
        }
        Reason::Stopped { .. } | Reason::Verified => "The finding no longer fails.".to_owned(),
        // Everything that a rule covers shares its sentence; who was overruled is told in the ticket.
        Reason::IgnoreRule { .. } => reason.without_names().sentence(),
        Reason::FailsAgain { .. } | Reason::FailsAgainAfterWindow { .. } => {
            "The finding fails again; its Jira ticket is open.".to_owned()
        }
        _ if step.creates() => "Tracked in Jira; the ticket's label is asaf.".to_owned(),
        _ => "Follows its Jira ticket.".to_owned(),
    }
}
