//! Many moves or deletions as one asynchronous task of Jira's, followed to its end. What the task does not report as
//! done is read again; the tickets decide, not the task.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::model::{Ticket, TicketState};
use crate::wire::error::WireError;
use crate::wire::http::{Operation, Request};

use super::JiraClient;
use super::decode::{Progress, Submitted};
use super::write::issue_scope;

/// From so many on, a task needs fewer requests than single calls (submit, about two polls, now and then a re-read).
const WORTH_A_TASK: usize = 5;
/// The most issues of one task.
pub(super) const TASK_MOST: usize = 1_000;
/// First wait between polls, doubled up to [`POLL_SLOWEST`].
const POLL_FIRST: Duration = Duration::from_millis(500);
/// Longest wait between polls.
const POLL_SLOWEST: Duration = Duration::from_secs(10);
/// How long a task is followed.
const TASK_LONGEST: Duration = Duration::from_secs(600);

const PERMISSION: &str = "Make bulk changes (global), besides the project permission";

type Outcomes = Vec<(u64, Result<(), WireError>)>;

/// How a task ended.
#[derive(Default)]
pub(super) struct TaskEnd {
    pub(super) done: BTreeSet<u64>,
    pub(super) reasons: BTreeMap<u64, String>,
    /// Said of tickets without a reason of their own.
    pub(super) otherwise: String,
}

/// What became of the submission of a task.
enum Submission {
    /// It ran, or may have run.
    Ended(TaskEnd),
    /// It surely did not run, and single calls may still work.
    NotTaken,
    /// It surely did not run, and single calls would fail likewise.
    Failed(WireError),
}

impl JiraClient {
    pub(super) async fn move_many(&self, tickets: &[Ticket], to: TicketState) -> Outcomes {
        let mut places: BTreeMap<(&str, &str), Vec<&Ticket>> = BTreeMap::new();
        for ticket in tickets {
            let place = (ticket.project.as_str(), ticket.status_id.as_str());
            places.entry(place).or_default().push(ticket);
        }
        let mut outcomes = Outcomes::with_capacity(tickets.len());
        for together in places.values() {
            for chunk in together.chunks(TASK_MOST) {
                self.move_chunk(chunk, to, &mut outcomes).await;
            }
        }
        outcomes
    }

    /// Tickets of one place, at most [`TASK_MOST`].
    async fn move_chunk(&self, tickets: &[&Ticket], to: TicketState, outcomes: &mut Outcomes) {
        let mut step = None;
        if let Some(first) = tickets.first()
            && first.state != Some(to)
            && self.task_pays(tickets.len())
        {
            // Without a direct transition, or when it cannot be read, single calls find the way or say why not.
            step = self.direct_step(first, to).await.ok().flatten();
        }
        let Some(step) = step else {
            return self.move_singly(tickets, to, outcomes).await;
        };
        let operation = Operation::write(
            "POST /rest/api/3/bulk/issues/transition",
            format!("move {} tickets to {}", tickets.len(), to.word()),
            PERMISSION,
        );
        let ids: Vec<String> = tickets.iter().map(|t| t.at.id.to_string()).collect();
        let body = json!({
            "bulkTransitionInputs": [{"selectedIssueIdsOrKeys": ids, "transitionId": step.id}],
            "sendBulkNotification": false,
        });
        match self.run_task(&operation, body).await {
            Submission::NotTaken => self.move_singly(tickets, to, outcomes).await,
            Submission::Failed(error) => {
                outcomes.extend(tickets.iter().map(|t| (t.at.id, Err(error.clone()))));
            }
            Submission::Ended(end) => {
                let ids: Vec<u64> = tickets.iter().map(|t| t.at.id).collect();
                let arrived = |now: Option<&Ticket>| now.is_some_and(|t| t.state == Some(to));
                outcomes.extend(self.settle(&operation, &ids, end, arrived).await);
            }
        }
    }

    async fn move_singly(&self, tickets: &[&Ticket], to: TicketState, outcomes: &mut Outcomes) {
        for ticket in tickets {
            outcomes.push((ticket.at.id, self.walk_to(ticket, to).await));
        }
    }

    pub(super) async fn delete_many(&self, ids: &[u64]) -> Outcomes {
        let mut outcomes = Outcomes::with_capacity(ids.len());
        for chunk in ids.chunks(TASK_MOST) {
            self.delete_chunk(chunk, &mut outcomes).await;
        }
        outcomes
    }

    async fn delete_chunk(&self, ids: &[u64], outcomes: &mut Outcomes) {
        if !self.task_pays(ids.len()) {
            return self.delete_singly(ids, outcomes).await;
        }
        let operation = Operation::write(
            "POST /rest/api/3/bulk/issues/delete",
            format!("delete {} tickets", ids.len()),
            PERMISSION,
        );
        let texts: Vec<String> = ids.iter().map(u64::to_string).collect();
        let body = json!({"selectedIssueIdsOrKeys": texts, "sendBulkNotification": false});
        match self.run_task(&operation, body).await {
            Submission::NotTaken => self.delete_singly(ids, outcomes).await,
            Submission::Failed(error) => {
                outcomes.extend(ids.iter().map(|id| (*id, Err(error.clone()))));
            }
            Submission::Ended(end) => {
                let absent = |now: Option<&Ticket>| now.is_none();
                outcomes.extend(self.settle(&operation, ids, end, absent).await);
            }
        }
    }

    async fn delete_singly(&self, ids: &[u64], outcomes: &mut Outcomes) {
        for id in ids {
            outcomes.push((*id, self.delete_one(*id).await));
        }
    }

    async fn delete_one(&self, id: u64) -> Result<(), WireError> {
        let operation = Operation::write(
            "DELETE /rest/api/3/issue/{id}",
            format!("delete ticket {id}"),
            "Delete issues",
        )
        .on(issue_scope(id))
        .repeatable();
        let request = Request::new(Method::DELETE, format!("/rest/api/3/issue/{id}"));
        match self.http.send(&operation, request).await {
            Ok(_) | Err(WireError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn task_pays(&self, count: usize) -> bool {
        count >= WORTH_A_TASK && !self.bulk_denied.load(Ordering::Relaxed)
    }

    /// Submits a task and follows it to its end.
    async fn run_task(&self, operation: &Operation, body: Value) -> Submission {
        let path = operation.name.trim_start_matches("POST ");
        let request = Request::new(Method::POST, path).json(body);
        let submitted = match self.http.send(operation, request).await {
            Ok(answer) => answer.decode::<Submitted>(operation),
            Err(error) => Err(error),
        };
        match submitted {
            Ok(submitted) => Submission::Ended(self.follow(operation, &submitted.task_id).await),
            Err(error) if error.is_ambiguous() => Submission::Ended(TaskEnd {
                done: BTreeSet::new(),
                reasons: BTreeMap::new(),
                otherwise: error.to_string(),
            }),
            Err(error @ WireError::Denied { status: 403, .. }) => {
                self.bulk_denied.store(true, Ordering::Relaxed);
                tracing::warn!(%error, "bulk operations are denied, so single calls are used from now on");
                Submission::NotTaken
            }
            Err(WireError::Refused { .. } | WireError::NotFound { .. }) => Submission::NotTaken,
            Err(error) => Submission::Failed(error),
        }
    }

    pub(super) async fn follow(&self, operation: &Operation, task: &str) -> TaskEnd {
        let poll = Operation::read(
            "GET /rest/api/3/bulk/queue/{task}",
            format!("follow the task {task} ({})", operation.what),
            PERMISSION,
        );
        let path = format!("/rest/api/3/bulk/queue/{task}");
        let (mut wait, mut waited) = (POLL_FIRST, Duration::ZERO);
        loop {
            self.http.clock().sleep(wait).await;
            waited += wait;
            wait = (wait * 2).min(POLL_SLOWEST);
            let request = Request::new(Method::GET, path.as_str());
            let answer = self.http.send(&poll, request).await;
            let progress = answer.and_then(|answer| answer.decode::<Progress>(&poll));
            match progress {
                Ok(progress) if is_running(&progress) && waited < TASK_LONGEST => {}
                Ok(progress) => return task_end(progress, task),
                Err(error) if may_pass(&error) && waited < TASK_LONGEST => {}
                Err(error) => {
                    return TaskEnd {
                        done: BTreeSet::new(),
                        reasons: BTreeMap::new(),
                        otherwise: error.to_string(),
                    };
                }
            }
        }
    }

    /// One outcome per id. Those that the task does not report as done are read again.
    async fn settle(
        &self,
        operation: &Operation,
        ids: &[u64],
        end: TaskEnd,
        is_done: impl Fn(Option<&Ticket>) -> bool + Send,
    ) -> Outcomes {
        let doubtful: Vec<u64> = ids
            .iter()
            .copied()
            .filter(|id| !end.done.contains(id))
            .collect();
        let texts: Vec<String> = doubtful.iter().map(u64::to_string).collect();
        let read = if doubtful.is_empty() {
            Ok(Vec::new())
        } else {
            self.fetch_all(&texts).await
        };
        let now: Result<BTreeMap<u64, Ticket>, WireError> =
            read.map(|tickets| tickets.into_iter().map(|t| (t.at.id, t)).collect());
        let outcome = |id: u64| match &now {
            _ if end.done.contains(&id) => Ok(()),
            Err(error) => Err(WireError::Unknown {
                what: operation.what.clone(),
                why: format!("ticket {id} could not be read again: {error}"),
            }),
            Ok(now) if is_done(now.get(&id)) => Ok(()),
            Ok(now) => Err(undone(operation, id, now.get(&id), &end)),
        };
        ids.iter().map(|id| (*id, outcome(*id))).collect()
    }
}

fn is_running(progress: &Progress) -> bool {
    matches!(
        progress.status.as_str(),
        "ENQUEUED" | "RUNNING" | "CANCEL_REQUESTED"
    )
}

/// The next poll may answer where this one did not.
fn may_pass(error: &WireError) -> bool {
    let refused = matches!(
        error,
        WireError::NotFound { .. } | WireError::Refused { .. } | WireError::Denied { .. }
    );
    !refused
}

fn task_end(progress: Progress, task: &str) -> TaskEnd {
    let failed = progress.failed_accessible_issues.into_iter();
    let reasons: BTreeMap<u64, String> = failed
        .filter_map(|(id, reasons)| Some((id.parse().ok()?, reasons.join("; "))))
        .collect();
    let mut done: BTreeSet<u64> = progress.processed_accessible_issues.into_iter().collect();
    done.retain(|id| !reasons.contains_key(id));
    TaskEnd {
        done,
        reasons,
        otherwise: format!("Jira's task {task} ended as {} without it", progress.status),
    }
}

pub(super) fn undone(
    operation: &Operation,
    id: u64,
    now: Option<&Ticket>,
    end: &TaskEnd,
) -> WireError {
    let reason = end.reasons.get(&id).unwrap_or(&end.otherwise);
    match now {
        None => WireError::NotFound {
            what: format!("{} (ticket {id})", operation.what),
            message: "it was deleted, or the bot may no longer see it".to_owned(),
        },
        Some(now) => WireError::Refused {
            what: format!("{} ({})", operation.what, now.at.key),
            status: 400,
            code: None,
            message: format!("{reason}; it stands in \"{}\"", now.status_name),
        },
    }
}
