//! Long-running tasks with `GET task/{taskId}`: properties of many issues, and statuses that a new workflow takes away.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Jira;
use super::changes::{Alteration, Stamp};
use super::packed::Packed;
use super::reply::{Outcome, Reply, ok, refusal};
use super::route::Call;
use crate::emulators::journal::Journal;

/// What a task does.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Sets, or with `None` removes, properties of issues: all or none, or each for itself.
    Properties {
        changes: Vec<(u64, String, Option<Packed>)>,
        is_transactional: bool,
    },
    /// Moves issues to statuses, then gives a project its new workflow scheme.
    Migrate {
        moves: Vec<(u64, u64)>,
        switch: Option<(u64, u64)>,
    },
}

/// A submitted task.
#[derive(Clone, Debug)]
pub(super) struct Task {
    by: String,
    what: &'static str,
    submitted: Timestamp,
    finished: Option<Timestamp>,
    work: Work,
    result: Result<Value, String>,
}

impl Jira {
    /// Submits a task and gives its id. It runs when its time has come: at the next request, or after
    /// [`Jira::bulk_delay`].
    pub(super) fn start(&mut self, call: &Call<'_>, what: &'static str, work: Work) -> u64 {
        let id = self.take_id();
        let task = Task {
            by: call.user.account_id.clone(),
            what,
            submitted: call.now,
            finished: None,
            work,
            result: Ok(Value::Null),
        };
        self.long_tasks.insert(id, task);
        id
    }

    /// 303 with the place where the task can be followed.
    pub(super) fn see_task(&self, call: &Call<'_>, id: u64) -> Outcome {
        let task = self.long_tasks.get(&id).ok_or_else(no_task)?;
        let reply = Reply::new(303, self.task_json(id, task, call.version));
        Ok(reply.header("location", self.task_link(id, call.version)))
    }

    /// One change of the configuration at a time (Jira REST v3: workflows and workflow schemes, 409).
    pub(super) fn require_no_configuration_task(&self) -> Result<(), Reply> {
        let running = self
            .long_tasks
            .iter()
            .find(|(_, task)| task.finished.is_none() && matches!(task.work, Work::Migrate { .. }));
        match running {
            None => Ok(()),
            Some((id, _)) => {
                let text = "Another task is currently running, please try again later.";
                let errors = json!({"conflictingTaskId": id.to_string()});
                Err(Reply::new(
                    409,
                    json!({"errorMessages": [text], "errors": errors}),
                ))
            }
        }
    }

    /// For administrators, and for who submitted it (Jira REST v3: get task).
    pub(super) fn get_long_task(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = call.param(0).parse().unwrap_or(0);
        let task = self.long_tasks.get(&id).ok_or_else(no_task)?;
        if task.by != call.user.account_id && !self.is_admin(&call.user.account_id) {
            return Err(refusal(
                403,
                "You do not have the permission to see this task.",
            ));
        }
        ok(self.task_json(id, task, call.version))
    }

    fn task_link(&self, id: u64, version: &str) -> String {
        format!("{}/rest/api/{version}/task/{id}", self.site)
    }

    fn task_json(&self, id: u64, task: &Task, version: &str) -> Value {
        let status = match (&task.finished, &task.result) {
            (None, _) => "RUNNING",
            (Some(_), Ok(_)) => "COMPLETE",
            (Some(_), Err(_)) => "FAILED",
        };
        let end = task.finished.unwrap_or(task.submitted);
        let mut body = json!({
            "self": self.task_link(id, version), "id": id.to_string(), "description": task.what, "status": status,
            "submittedBy": 10_000, "progress": if task.finished.is_some() { 100 } else { 0 },
            "elapsedRuntime": end.as_millisecond() - task.submitted.as_millisecond(),
            "submitted": task.submitted.as_millisecond(), "started": task.submitted.as_millisecond(),
            "lastUpdate": end.as_millisecond(),
        });
        if let Some(finished) = task.finished {
            body["finished"] = json!(finished.as_millisecond());
        }
        match &task.result {
            Ok(Value::Null) => {}
            Ok(result) => body["result"] = result.clone(),
            Err(why) => body["message"] = json!(why),
        }
        body
    }

    pub(super) fn run_due_long_tasks(&mut self, now: Timestamp, journal: &mut Journal) {
        let due: Vec<u64> = self
            .long_tasks
            .iter()
            .filter(|(_, task)| task.finished.is_none() && task.submitted + self.bulk_delay <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let Some(mut task) = self.long_tasks.remove(&id) else {
                continue;
            };
            let stamp = Stamp::new(&task.by, now);
            task.result = match &task.work {
                Work::Properties {
                    changes,
                    is_transactional,
                } => self.set_properties(&stamp, changes, *is_transactional, journal),
                Work::Migrate { moves, switch } => {
                    self.migrate(&stamp, moves, *switch, journal);
                    Ok(Value::Null)
                }
            };
            task.finished = Some(now);
            self.long_tasks.insert(id, task);
        }
    }

    fn set_properties(
        &mut self,
        stamp: &Stamp,
        changes: &[(u64, String, Option<Packed>)],
        is_transactional: bool,
        journal: &mut Journal,
    ) -> Result<Value, String> {
        let may = |jira: &Jira, id: u64| jira.may_on_id(&stamp.account, "EDIT_ISSUES", id);
        let refused: Vec<u64> = changes
            .iter()
            .map(|(id, ..)| *id)
            .filter(|id| !may(self, *id))
            .collect();
        if is_transactional && !refused.is_empty() {
            return Err(format!(
                "The issues {refused:?} do not exist, or cannot be edited."
            ));
        }
        for (id, key, value) in changes {
            match value {
                _ if refused.contains(id) => {}
                Some(value) => {
                    self.set_property(stamp, *id, key.clone(), value.clone(), journal);
                }
                None => {
                    self.drop_property(stamp, *id, key, journal);
                }
            }
        }
        let errors: BTreeMap<String, &str> = refused
            .iter()
            .map(|id| {
                (
                    id.to_string(),
                    "The issue does not exist, or cannot be edited.",
                )
            })
            .collect();
        Ok(if errors.is_empty() {
            Value::Null
        } else {
            json!({ "errors": errors })
        })
    }

    fn migrate(
        &mut self,
        stamp: &Stamp,
        moves: &[(u64, u64)],
        switch: Option<(u64, u64)>,
        journal: &mut Journal,
    ) {
        if let Some((project, scheme)) = switch
            && let Some(project) = self.projects.get_mut(&project)
        {
            project.workflow_scheme = scheme;
        }
        for (id, to) in moves {
            let alteration = Alteration {
                status: Some(*to),
                ..Alteration::default()
            };
            self.alter(stamp, *id, alteration, journal);
        }
    }
}

fn no_task() -> Reply {
    refusal(404, "The task was not found.")
}
