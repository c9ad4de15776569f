//! Asynchronous bulk transitions and deletions, and the queue that tells how they went.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Jira;
use super::changes::Stamp;
use super::issues::strings;
use super::reply::{Outcome, Reply, bad_payload, bulk_refusal, created, ok};
use super::route::Call;
use super::transitions::transition_id;
use crate::emulators::journal::Journal;

/// Most issues in one request (Jira REST v3: bulk transition, bulk delete).
const ISSUES_MOST: usize = 1_000;
/// Most tasks at a time over all users (Jira REST v3: tag *Issue bulk operations*; it names edit and move, the
/// emulator assumes it for all).
const TASKS_MOST: usize = 5;

/// What a task does to one issue.
#[derive(Clone, Debug)]
enum Deed {
    Transition(String),
    Delete,
}

/// A submitted task.
#[derive(Clone, Debug)]
pub(super) struct Task {
    by: String,
    submitted: Timestamp,
    finished: Option<Timestamp>,
    is_dead: bool,
    deeds: Vec<(u64, Deed)>,
    invalid: usize,
    done: Vec<u64>,
    failed: BTreeMap<u64, String>,
}

impl Jira {
    pub(super) fn bulk_transition(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["bulkTransitionInputs", "sendBulkNotification"])?;
        let inputs = call.body["bulkTransitionInputs"]
            .as_array()
            .ok_or_else(bad_payload)?;
        let mut deeds = Vec::new();
        for input in inputs {
            let transition = transition_id(&input["transitionId"])?;
            let names = strings(&input["selectedIssueIdsOrKeys"]);
            deeds.extend(
                names
                    .into_iter()
                    .map(|name| (name, Deed::Transition(transition.clone()))),
            );
        }
        self.submit(call, deeds)
    }

    pub(super) fn bulk_delete(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["selectedIssueIdsOrKeys", "sendBulkNotification"])?;
        let names = strings(&call.body["selectedIssueIdsOrKeys"]);
        self.submit(
            call,
            names.into_iter().map(|name| (name, Deed::Delete)).collect(),
        )
    }

    /// `COMPLETE` does not mean that all issues were done: `failedAccessibleIssues` tells (Jira REST v3: bulk
    /// operation progress). Times are milliseconds, as in the document's example, not as in its schema.
    pub(super) fn get_task(&mut self, call: &mut Call<'_>) -> Outcome {
        let task = call
            .param(0)
            .parse()
            .ok()
            .and_then(|id: u64| self.tasks.get(&id))
            .ok_or_else(no_task)?;
        let processed = task.done.len() + task.failed.len();
        let status = match (task.finished, task.is_dead) {
            (None, _) => "RUNNING",
            (Some(_), false) => "COMPLETE",
            (Some(_), true) => "DEAD",
        };
        let failed: serde_json::Map<String, Value> = task
            .failed
            .iter()
            .map(|(id, why)| (id.to_string(), json!([why])))
            .collect();
        let updated = task.finished.unwrap_or(task.submitted);
        ok(json!({
            "taskId": call.param(0), "status": status,
            "progressPercent": 100 * processed / task.deeds.len().max(1), "submittedBy": {"accountId": task.by},
            "created": task.submitted.as_millisecond(), "started": task.submitted.as_millisecond(),
            "updated": updated.as_millisecond(), "totalIssueCount": task.deeds.len() + task.invalid,
            "processedAccessibleIssues": task.done, "invalidOrInaccessibleIssueCount": task.invalid,
            "failedAccessibleIssues": failed,
        }))
    }

    fn submit(&mut self, call: &mut Call<'_>, deeds: Vec<(String, Deed)>) -> Outcome {
        if !self.may(&call.user.account_id, "BULK_CHANGE") {
            let text = "You do not have the global permission to make bulk changes.";
            return Err(Reply {
                status: 403,
                ..bulk_refusal(text)
            });
        }
        if deeds.is_empty() || deeds.len() > ISSUES_MOST {
            return Err(bulk_refusal(
                "The number of selected issues must be between 1 and 1,000.",
            ));
        }
        if self
            .tasks
            .values()
            .filter(|task| task.finished.is_none())
            .count()
            >= TASKS_MOST
        {
            return Err(bulk_refusal(
                "Only 5 bulk operations can run at a time. Wait until one is complete.",
            ));
        }
        let total = deeds.len();
        let seen: Vec<(u64, Deed)> = deeds
            .into_iter()
            .filter_map(|(name, deed)| Some((self.visible_issue(call, &name).ok()?, deed)))
            .collect();
        if seen.is_empty() {
            return Err(bulk_refusal(
                "Some of the issues in the issueIdsOrKeys are not valid",
            ));
        }
        let id = self.take_id();
        let task = Task {
            by: call.user.account_id.clone(),
            submitted: call.now,
            finished: None,
            is_dead: false,
            invalid: total - seen.len(),
            deeds: seen,
            done: Vec::new(),
            failed: BTreeMap::new(),
        };
        self.tasks.insert(id, task);
        created(json!({"taskId": id.to_string()}))
    }

    pub(super) fn run_due_tasks(&mut self, now: Timestamp, journal: &mut Journal) {
        let is_due = |task: &Task, delay| task.finished.is_none() && task.submitted + delay <= now;
        let due: Vec<u64> = self
            .tasks
            .iter()
            .filter(|(_, task)| is_due(task, self.bulk_delay))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            if let Some(mut task) = self.tasks.remove(&id) {
                self.run_task(&mut task, now, journal);
                self.tasks.insert(id, task);
            }
        }
    }

    fn run_task(&mut self, task: &mut Task, now: Timestamp, journal: &mut Journal) {
        let stamp = Stamp {
            account: task.by.clone(),
            at: now,
        };
        for (id, deed) in task
            .deeds
            .iter()
            .take(self.bulk_dies_after.unwrap_or(usize::MAX))
        {
            match self.run_deed(&stamp, *id, deed, journal) {
                Ok(()) => task.done.push(*id),
                Err(why) => drop(task.failed.insert(*id, why)),
            }
        }
        task.is_dead = self
            .bulk_dies_after
            .is_some_and(|most| most < task.deeds.len());
        task.finished = Some(now);
    }

    fn run_deed(
        &mut self,
        stamp: &Stamp,
        id: u64,
        deed: &Deed,
        journal: &mut Journal,
    ) -> Result<(), String> {
        let project = self.issues.get(&id).map(|issue| issue.project);
        if !project.is_some_and(|project| self.sees(&stamp.account, project)) {
            return Err("Issue does not exist or you do not have permission to see it.".into());
        }
        match deed {
            Deed::Delete if self.may(&stamp.account, "DELETE_ISSUES") => {
                self.remove_issue(stamp, id, journal)
            }
            Deed::Delete => return Err("You do not have permission to delete this issue.".into()),
            Deed::Transition(transition) => {
                let role = self
                    .account(&stamp.account)
                    .map(|user| user.role)
                    .ok_or("The user is gone.")?;
                let chosen =
                    self.open_transition(&stamp.account, role, id, transition, stamp.at)?;
                self.set_status(stamp, id, chosen.to, &chosen.resolution, None, journal);
            }
        }
        Ok(())
    }
}

fn no_task() -> Reply {
    Reply::new(
        400,
        json!({
            "errorMessages": ["The task associated with this taskId is not a bulk operation task"], "errors": {},
            "httpStatusCode": {"empty": false, "present": true},
        }),
    )
}
