//! Asynchronous bulk transitions, deletions and moves, and the queue that tells how they went.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Jira;
use super::changes::Stamp;
use super::faults::{FaultKind, span};
use super::issues::strings;
use super::reply::{Outcome, Reply, bad_payload, bulk_refusal, created, ok};
use super::route::Call;
use super::transitions::{Asked, transition_id};
use super::workflows::condition::Attempt;
use super::workflows::{Kind, Transition};
use crate::emulators::journal::Journal;

/// Most issues in one request (Jira REST v3: bulk transition, bulk delete).
const ISSUES_MOST: usize = 1_000;
/// Most tasks at a time over all users (Jira REST v3: tag *Issue bulk operations*; it names edit and move, the
/// emulator assumes it for all).
const TASKS_MOST: usize = 5;
/// Workflows on a page of available transitions (Jira REST v3: get available transitions).
const WORKFLOWS_ON_PAGE: usize = 50;

/// What a task does to one issue.
#[derive(Clone, Debug)]
enum Deed {
    Transition(String),
    Delete,
    Move(Place),
}

/// Where a bulk move takes issues.
#[derive(Clone, Debug)]
struct Place {
    project: u64,
    kind: String,
    /// A status that the workflow there lacks becomes its first one; otherwise such an issue is not moved.
    infers_status: bool,
}

/// A submitted task.
#[derive(Clone, Debug)]
pub(super) struct Task {
    by: String,
    submitted: Timestamp,
    due: Timestamp,
    finished: Option<Timestamp>,
    is_dead: bool,
    /// After how many issues it dies, and how many of the first fail: faults.
    dies_after: usize,
    fails: usize,
    sends_mail: bool,
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

    /// Issues go to one project and type under each key `<project>,<type>` of the mapping (Jira REST v3: bulk move
    /// issues). Parents, classifications and mappings of fields and statuses are not emulated.
    pub(super) fn bulk_move(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["targetToSourcesMapping", "sendBulkNotification"])?;
        let mapping = call.body["targetToSourcesMapping"].clone();
        let mapping = mapping
            .as_object()
            .ok_or_else(|| bulk_refusal(NO_MAPPING))?;
        let mut deeds = Vec::new();
        for (target, sources) in mapping {
            let (project, kind) = target
                .split_once(',')
                .ok_or_else(|| bulk_refusal(NO_TARGET))?;
            let project = self
                .visible_project(&call.user, project)
                .map_err(|_| bulk_refusal(NO_TARGET))?
                .id;
            if !self.has_issue_type(kind) {
                return Err(bulk_refusal(NO_TARGET));
            }
            if INFERRED.iter().any(|name| !sources[name].is_boolean()) {
                return Err(bulk_refusal(NO_MAPPING));
            }
            let place = Place {
                project,
                kind: kind.to_owned(),
                infers_status: sources["inferStatusDefaults"] == json!(true),
            };
            let names = strings(&sources["issueIdsOrKeys"]).into_iter();
            deeds.extend(names.map(|name| (name, Deed::Move(place.clone()))));
        }
        self.submit(call, deeds)
    }

    /// The transitions that all issues of a workflow offer and that ask for no fields (Jira REST v3: get available
    /// transitions).
    pub(super) fn get_bulk_transitions(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_bulk(call)?;
        let names = call.query_list("issueIdsOrKeys");
        if names.is_empty() || names.len() > ISSUES_MOST {
            return Err(bulk_refusal(OUT_OF_RANGE));
        }
        let ids: Result<Vec<u64>, Reply> = names
            .iter()
            .map(|name| {
                self.visible_issue(call, name)
                    .map_err(|_| bulk_refusal(INVALID))
            })
            .collect();
        let mut groups: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for id in ids? {
            let issue = self.issues.get(&id);
            let workflow = issue.and_then(|issue| self.workflow_of(issue.project, &issue.kind));
            if let Some(workflow) = workflow {
                groups.entry(workflow.id.clone()).or_default().push(id);
            }
        }
        let start = call.query("startingAfter").unwrap_or_default();
        let end = call.query("endingBefore");
        let page: Vec<(&String, &Vec<u64>)> = groups
            .iter()
            .filter(|(id, _)| id.as_str() > start && end.is_none_or(|end| id.as_str() < end))
            .take(WORKFLOWS_ON_PAGE)
            .collect();
        let rows: Vec<Value> = page
            .iter()
            .map(|(workflow, ids)| self.common_transitions(call, workflow, ids))
            .collect();
        let mut answer = json!({ "availableTransitions": rows });
        if let (Some((first, _)), Some((last, _))) = (page.first(), page.last())
            && page.len() < groups.len()
        {
            answer["endingBefore"] = json!(first);
            answer["startingAfter"] = json!(last);
        }
        ok(answer)
    }

    fn common_transitions(&self, call: &Call<'_>, workflow: &str, ids: &[u64]) -> Value {
        let issues: Vec<_> = ids.iter().filter_map(|id| self.issues.get(id)).collect();
        let keys: Vec<&str> = issues.iter().map(|issue| issue.key.as_str()).collect();
        let workflow = self.workflows.all.get(workflow);
        let all = workflow.map_or(&[][..], |workflow| &workflow.transitions);
        let is_common = |transition: &&Transition| {
            issues.iter().all(|issue| {
                let attempt = Attempt {
                    account: &call.user.account_id,
                    issue,
                    by_api: true,
                };
                self.is_offered(transition, attempt)
            })
        };
        let common: Vec<&Transition> = all
            .iter()
            .filter(|transition| transition.kind != Kind::Initial)
            .filter(is_common)
            .collect();
        let (plain, asking): (Vec<&Transition>, Vec<&Transition>) = common
            .into_iter()
            .partition(|transition| self.screen_fields(transition).is_none());
        let rows: Vec<Value> = plain
            .iter()
            .map(|transition| {
                let to = transition.to.unwrap_or_default();
                json!({
                    "transitionId": transition.id.parse::<i64>().unwrap_or(0), "transitionName": transition.name,
                    "to": {"statusId": to, "statusName": self.status_name(to)},
                })
            })
            .collect();
        json!({"isTransitionsFiltered": !asking.is_empty(), "issues": keys, "transitions": rows})
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

    /// *Make bulk changes*, a global permission (Jira REST v3: bulk operations).
    fn require_bulk(&self, call: &Call<'_>) -> Result<(), Reply> {
        if self.may_globally(&call.user.account_id, "BULK_CHANGE") {
            return Ok(());
        }
        let text = "You do not have the global permission to make bulk changes.";
        Err(Reply {
            status: 403,
            ..bulk_refusal(text)
        })
    }

    fn submit(&mut self, call: &mut Call<'_>, deeds: Vec<(String, Deed)>) -> Outcome {
        self.require_bulk(call)?;
        if deeds.is_empty() || deeds.len() > ISSUES_MOST {
            return Err(bulk_refusal(OUT_OF_RANGE));
        }
        let running = self.tasks.values().filter(|task| task.finished.is_none());
        if running.count() >= TASKS_MOST {
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
            return Err(bulk_refusal(INVALID));
        }
        let (mut dies_after, mut fails, mut slower) = (usize::MAX, 0, 0);
        match call.fault {
            Some(FaultKind::BulkTaskDies { after }) => dies_after = after,
            Some(FaultKind::BulkTaskFails { issues }) => fails = issues,
            Some(FaultKind::BulkTaskSlow { seconds }) => slower = seconds,
            _ => {}
        }
        let id = self.take_id();
        let task = Task {
            by: call.user.account_id.clone(),
            submitted: call.now,
            due: call.now + self.bulk_delay + span(slower),
            finished: None,
            is_dead: false,
            dies_after,
            fails,
            sends_mail: call.body["sendBulkNotification"] != json!(false),
            invalid: total - seen.len(),
            deeds: seen,
            done: Vec::new(),
            failed: BTreeMap::new(),
        };
        self.tasks.insert(id, task);
        created(json!({"taskId": id.to_string()}))
    }

    pub(super) fn run_due_tasks(&mut self, now: Timestamp, journal: &mut Journal) {
        let due: Vec<u64> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.finished.is_none() && task.due <= now)
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
            bulk: Some(task.sends_mail),
            ..Stamp::new(&task.by, now)
        };
        for (at, (id, deed)) in task.deeds.iter().take(task.dies_after).enumerate() {
            let ended = if at < task.fails {
                Err("An unknown error occurred while the issue was processed.".to_owned())
            } else {
                self.run_deed(&stamp, *id, deed, journal)
            };
            match ended {
                Ok(()) => task.done.push(*id),
                Err(why) => drop(task.failed.insert(*id, why)),
            }
        }
        task.is_dead = task.dies_after < task.deeds.len();
        task.finished = Some(now);
    }

    /// Conditions and validators bind a bulk operation as they bind a single one; fields cannot be given.
    fn run_deed(
        &mut self,
        stamp: &Stamp,
        id: u64,
        deed: &Deed,
        journal: &mut Journal,
    ) -> Result<(), String> {
        if !self.may_on_id(&stamp.account, "BROWSE_PROJECTS", id) {
            return Err("Issue does not exist or you do not have permission to see it.".into());
        }
        match deed {
            Deed::Delete if !self.may_on_id(&stamp.account, "DELETE_ISSUES", id) => {
                return Err("You do not have permission to delete this issue.".into());
            }
            Deed::Delete => {
                for child in self.children_of(id) {
                    self.remove_issue(stamp, child, journal);
                }
                self.remove_issue(stamp, id, journal);
            }
            Deed::Move(place) => self.run_move(stamp, id, place, journal)?,
            Deed::Transition(transition) => {
                let asked = Asked {
                    account: &stamp.account,
                    issue: id,
                    transition,
                    by_api: true,
                    now: stamp.at,
                };
                let chosen = self.open_transition(asked)?;
                let issue = self.issues.get(&id).ok_or("The issue is gone.")?;
                let attempt = Attempt {
                    account: &stamp.account,
                    issue,
                    by_api: true,
                };
                let asks = self.screen_fields(&chosen).unwrap_or_default();
                if asks.iter().any(|field| Jira::is_required_on_screen(field)) {
                    return Err("The transition requires fields.".into());
                }
                self.validate_transition(&chosen, attempt, &[])
                    .map_err(|_| "The work item is missing required information.")?;
                self.take_transition(stamp, id, &chosen, Vec::new(), None, journal);
            }
        }
        Ok(())
    }
}

impl Jira {
    /// *Move issues* in the old project and *Create issues* in the new one; an issue that is there already stays as it is.
    fn run_move(
        &mut self,
        stamp: &Stamp,
        id: u64,
        place: &Place,
        journal: &mut Journal,
    ) -> Result<(), String> {
        if !self.may_on_id(&stamp.account, "MOVE_ISSUES", id) {
            return Err("You do not have permission to move this issue.".into());
        }
        if !self.may_in(&stamp.account, "CREATE_ISSUES", place.project) {
            return Err("You do not have permission to create issues in the project.".into());
        }
        let issue = self.issues.get(&id).ok_or("The issue is gone.")?;
        if (issue.project, &issue.kind) == (place.project, &place.kind) {
            return Ok(());
        }
        let known = self
            .workflow_of(place.project, &place.kind)
            .is_some_and(|workflow| workflow.has_status(issue.status));
        if !known && !place.infers_status {
            return Err("The status does not exist in the workflow of the project.".into());
        }
        let mut required = self.required_of(place.project);
        if let Some(lacking) = required.find(|field| !issue.custom.contains_key(*field)) {
            return Err(format!("{} is required.", self.field_name(lacking)));
        }
        drop(required);
        self.move_issue(stamp, id, (place.project, &place.kind), journal);
        Ok(())
    }
}

/// What each mapping of a bulk move must say (Jira REST v3: bulk move issues, `targetToSourcesMapping`).
const INFERRED: [&str; 4] = [
    "inferClassificationDefaults",
    "inferFieldDefaults",
    "inferStatusDefaults",
    "inferSubtaskTypeDefault",
];
/// The wording is not Jira's: no copy of it was found.
const NO_MAPPING: &str = "targetToSourcesMapping is missing or not complete.";
const NO_TARGET: &str = "The destination project or issue type is not valid.";
const OUT_OF_RANGE: &str = "The number of selected issues must be between 1 and 1,000.";
/// Jira REST v3: bulk operations, 400.
const INVALID: &str = "Some of the issues in the issueIdsOrKeys are not valid";

fn no_task() -> Reply {
    Reply::new(
        400,
        json!({
            "errorMessages": ["The task associated with this taskId is not a bulk operation task"], "errors": {},
            "httpStatusCode": {"empty": false, "present": true},
        }),
    )
}
