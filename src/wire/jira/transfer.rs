//! Tickets go to another project: Jira's bulk move, an asynchronous task (Jira REST v3: bulk move issues). There is no
//! other way in its API. A ticket keeps its id, and its old key leads to it still.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::json;

use crate::model::{Ticket, TicketRef};
use crate::ports::Transfers;
use crate::wire::error::WireError;
use crate::wire::http::{Operation, Request};

use super::JiraClient;
use super::bulk::{TASK_MOST, TaskEnd, undone};
use super::decode::Submitted;

const PERMISSION: &str =
    "Make bulk changes (global), Move issues in the old project, Create issues in the new one";

type Outcomes = Vec<(u64, Result<TicketRef, WireError>)>;

impl JiraClient {
    /// What keeps the bot from moving tickets between projects: the global permission once, and each project once.
    pub(super) async fn read_transfers(
        &self,
        projects: &BTreeSet<(String, String)>,
    ) -> Result<Transfers, WireError> {
        let bulk = self.permissions(None, &["BULK_CHANGE"]).await?;
        let bulk = bulk.get("BULK_CHANGE") == Some(&true);
        let from: BTreeSet<&str> = projects.iter().map(|(from, _)| from.as_str()).collect();
        let to: BTreeSet<&str> = projects.iter().map(|(_, to)| to.as_str()).collect();
        let from = self.holds(&from, "MOVE_ISSUES").await?;
        let to = self.holds(&to, "CREATE_ISSUES").await?;
        let lacks = |pair: &(String, String)| {
            if !bulk {
                Err("it lacks the global permission Make bulk changes".to_owned())
            } else if !from.contains(pair.0.as_str()) {
                Err(format!("it lacks Move issues in {}", pair.0))
            } else if !to.contains(pair.1.as_str()) {
                Err(format!("it lacks Create issues in {}", pair.1))
            } else {
                Ok(())
            }
        };
        Ok(projects
            .iter()
            .map(|pair| (pair.clone(), lacks(pair)))
            .collect())
    }

    /// The projects in which the bot has a permission. In one that it does not see it has none.
    async fn holds<'p>(
        &self,
        projects: &BTreeSet<&'p str>,
        permission: &str,
    ) -> Result<BTreeSet<&'p str>, WireError> {
        let mut holds = BTreeSet::new();
        for project in projects {
            match self.permissions(Some(project), &[permission]).await {
                Ok(held) if held.get(permission) == Some(&true) => {
                    holds.insert(*project);
                }
                Ok(_) | Err(WireError::NotFound { .. } | WireError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(holds)
    }

    pub(super) async fn transfer_many(
        &self,
        tickets: &[Ticket],
        project: &str,
        issue_type: &str,
    ) -> Outcomes {
        let kind = match self.kind_in(project, issue_type).await {
            Ok(kind) => kind,
            Err(error) => return all(tickets, &error),
        };
        let mut outcomes = Outcomes::with_capacity(tickets.len());
        for some in tickets.chunks(TASK_MOST) {
            outcomes.extend(self.transfer_some(some, project, &kind).await);
        }
        outcomes
    }

    /// The id of an issue type that the bot may create there.
    async fn kind_in(&self, project: &str, issue_type: &str) -> Result<String, WireError> {
        let mut types = self.creatable(project).await?;
        types
            .remove(issue_type)
            .ok_or_else(|| WireError::Misconfigured {
                what: format!("moving tickets to {project}"),
                status: 200,
                message: format!(
                    "{project} has no issue type “{issue_type}” that the bot may create"
                ),
                fix: "Check jira.issue_type, or issue_type of the owner".to_owned(),
            })
    }

    /// At most [`TASK_MOST`]. Whatever the task says, the tickets are read again: only they tell their keys.
    async fn transfer_some(&self, tickets: &[Ticket], project: &str, kind: &str) -> Outcomes {
        let operation = Operation::write(
            "POST /rest/api/3/bulk/issues/move",
            format!("move {} tickets to {project}", tickets.len()),
            PERMISSION,
        );
        let ids: Vec<String> = tickets
            .iter()
            .map(|ticket| ticket.at.id.to_string())
            .collect();
        let end = match self.submit_move(&operation, &ids, project, kind).await {
            Ok(end) => end,
            Err(error) => return all(tickets, &error),
        };
        let now = match self.fetch_all(&ids).await {
            Ok(read) => read,
            Err(error) => {
                let unknown = WireError::Unknown {
                    what: operation.what.clone(),
                    why: format!("the tickets could not be read again: {error}"),
                };
                return all(tickets, &unknown);
            }
        };
        let now: BTreeMap<u64, Ticket> = now.into_iter().map(|one| (one.at.id, one)).collect();
        let outcome = |id: u64| match now.get(&id) {
            Some(ticket) if ticket.project == project => Ok(ticket.at.clone()),
            other => Err(undone(&operation, id, other, &end)),
        };
        let ids = tickets.iter().map(|ticket| ticket.at.id);
        ids.map(|id| (id, outcome(id))).collect()
    }

    /// Status and fields stay as they are where the new project knows them; a status that its workflow lacks becomes its
    /// first one.
    async fn submit_move(
        &self,
        operation: &Operation,
        ids: &[String],
        project: &str,
        kind: &str,
    ) -> Result<TaskEnd, WireError> {
        let place = format!("{project},{kind}");
        let body = json!({
            "sendBulkNotification": false,
            "targetToSourcesMapping": { place: {
                "issueIdsOrKeys": ids,
                "inferClassificationDefaults": true,
                "inferFieldDefaults": true,
                "inferStatusDefaults": true,
                "inferSubtaskTypeDefault": true,
            } },
        });
        let request = Request::new(Method::POST, "/rest/api/3/bulk/issues/move").json(body);
        let submitted = match self.http.send(operation, request).await {
            Ok(answer) => answer.decode::<Submitted>(operation),
            Err(error) => Err(error),
        };
        match submitted {
            Ok(submitted) => Ok(self.follow(operation, &submitted.task_id).await),
            // It may run, or have run: the tickets tell.
            Err(error) if error.is_ambiguous() => Ok(TaskEnd {
                otherwise: error.to_string(),
                ..TaskEnd::default()
            }),
            Err(error) => Err(error),
        }
    }
}

fn all(tickets: &[Ticket], error: &WireError) -> Outcomes {
    let failed = tickets.iter();
    failed
        .map(|ticket| (ticket.at.id, Err(error.clone())))
        .collect()
}
