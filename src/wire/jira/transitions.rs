//! Moving a ticket along its workflow's directed transitions, which are learnt from Jira as they are met.
//!
//! A refused transition does not say why, and an unanswered one may have been taken: after either, the ticket is read
//! again and its status decides.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::PoisonError;

use http::Method;
use serde_json::json;

use crate::model::{Ticket, TicketState};
use crate::ports::TicketsReader;
use crate::wire::error::WireError;
use crate::wire::http::{Operation, Request};

use super::JiraClient;
use super::decode::TransitionList;
use super::write::issue_scope;

/// The longest way through a workflow that is tried.
const HOPS_MOST: usize = 4;

/// A transition that the bot was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Transition id.
    pub(super) id: String,
    /// The status after it.
    pub(super) to: String,
}

/// Where a step comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Knowledge {
    /// Jira was asked about this ticket just now.
    OfThisTicket,
    /// It was offered for another ticket, or earlier.
    Kept,
}

/// The transitions offered in a status of a project.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<(String, String), Vec<Step>>);

impl Known {
    fn offered(&self, project: &str, status: &str) -> Option<&Vec<Step>> {
        self.0.get(&(project.to_owned(), status.to_owned()))
    }

    /// The first step to one of `targets`: a direct one to the first target that has one, else the first step of the
    /// shortest known way.
    fn step(&self, project: &str, from: &str, targets: &[String]) -> Option<Step> {
        let direct = self.offered(project, from)?;
        for target in targets {
            if let Some(step) = direct.iter().find(|step| step.to == *target) {
                return Some(step.clone());
            }
        }
        let mut seen = BTreeSet::from([from.to_owned()]);
        let mut queue: VecDeque<(Step, Step, usize)> = direct
            .iter()
            .map(|step| (step.clone(), step.clone(), 1))
            .collect();
        while let Some((first, last, hops)) = queue.pop_front() {
            if targets.contains(&last.to) {
                return Some(first);
            }
            if hops == HOPS_MOST || !seen.insert(last.to.clone()) {
                continue;
            }
            let onward = self.offered(project, &last.to).into_iter().flatten();
            queue.extend(onward.map(|next| (first.clone(), next.clone(), hops + 1)));
        }
        None
    }
}

impl JiraClient {
    /// Moves one ticket, at most [`HOPS_MOST`] transitions far.
    pub(super) async fn walk_to(&self, ticket: &Ticket, to: TicketState) -> Result<(), WireError> {
        let mut at = ticket.clone();
        for _ in 0..HOPS_MOST {
            if at.state == Some(to) {
                return Ok(());
            }
            let (step, knowledge) = self.next_step(&at, to).await?;
            let arrives = self.statuses().await?.meaning(&step.to) == Some(to);
            match self.hop(&at, &step).await {
                Ok(()) if arrives => return Ok(()),
                Ok(()) => at = self.read_again(&at).await?,
                Err(error) => at = self.after_failure(&at, to, error, knowledge).await?,
            }
        }
        if at.state == Some(to) {
            return Ok(());
        }
        Err(no_way(&at, to))
    }

    /// The step to take now. Asks Jira when the way is not known yet.
    async fn next_step(
        &self,
        at: &Ticket,
        to: TicketState,
    ) -> Result<(Step, Knowledge), WireError> {
        if let Some(step) = self.known_step(at, to).await? {
            return Ok((step, Knowledge::Kept));
        }
        self.learn(at).await?;
        match self.known_step(at, to).await? {
            Some(step) => Ok((step, Knowledge::OfThisTicket)),
            None => Err(no_way(at, to)),
        }
    }

    async fn known_step(&self, at: &Ticket, to: TicketState) -> Result<Option<Step>, WireError> {
        let statuses = self.statuses().await?;
        let targets = statuses.targets(to);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.step(&at.project, &at.status_id, targets))
    }

    /// The direct transition of a ticket to a state, asked of Jira when it is not known.
    pub(super) async fn direct_step(
        &self,
        at: &Ticket,
        to: TicketState,
    ) -> Result<Option<Step>, WireError> {
        let (step, _) = self.next_step(at, to).await?;
        let arrives = self.statuses().await?.meaning(&step.to) == Some(to);
        Ok(arrives.then_some(step))
    }

    /// Reads the transitions that the bot may take from where the ticket stands.
    async fn learn(&self, at: &Ticket) -> Result<(), WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/issue/{id}/transitions",
            format!("read the transitions of {}", at.at.key),
            "Transition issues",
        );
        let path = format!("/rest/api/3/issue/{}/transitions", at.at.id);
        let answer = self
            .http
            .send(&operation, Request::new(Method::GET, path))
            .await?;
        let list: TransitionList = answer.decode(&operation)?;
        let offered = list.transitions.into_iter().filter(|t| t.is_available);
        let steps = offered.map(|transition| Step {
            id: transition.id,
            to: transition.to.id,
        });
        let place = (at.project.clone(), at.status_id.clone());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.0.insert(place, steps.collect());
        Ok(())
    }

    async fn hop(&self, at: &Ticket, step: &Step) -> Result<(), WireError> {
        let operation = Operation::write(
            "POST /rest/api/3/issue/{id}/transitions",
            format!("move {}", at.at.key),
            "Transition issues",
        )
        .on(issue_scope(at.at.id));
        let path = format!("/rest/api/3/issue/{}/transitions", at.at.id);
        let request = Request::new(Method::POST, path).json(json!({"transition": {"id": step.id}}));
        self.http.send(&operation, request).await.map(|_| ())
    }

    /// Where the ticket stands after a failed transition, if going on makes sense.
    async fn after_failure(
        &self,
        at: &Ticket,
        to: TicketState,
        error: WireError,
        knowledge: Knowledge,
    ) -> Result<Ticket, WireError> {
        let refused = matches!(error, WireError::Refused { .. });
        if refused {
            let place = (at.project.clone(), at.status_id.clone());
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.0.remove(&place);
        } else if !error.is_ambiguous() {
            return Err(error);
        }
        let now = self.read_again(at).await?;
        match error {
            _ if now.state == Some(to) => Ok(now),
            // What was kept may be of another issue type, or older than the workflow: asked anew, it is tried again.
            WireError::Refused { .. }
                if knowledge == Knowledge::Kept && now.status_id == at.status_id =>
            {
                Ok(now)
            }
            WireError::Refused {
                status, message, ..
            } => Err(refusal(&now, at, to, status, &message)),
            other => Err(other),
        }
    }

    async fn read_again(&self, at: &Ticket) -> Result<Ticket, WireError> {
        let found = self.get(at.at.id).await?;
        found.ok_or_else(|| WireError::NotFound {
            what: format!("move {}", at.at.key),
            message: "it was deleted, or the bot may no longer see it".to_owned(),
        })
    }
}

fn refusal(
    now: &Ticket,
    before: &Ticket,
    to: TicketState,
    status: u16,
    message: &str,
) -> WireError {
    let stands = if now.status_id == before.status_id {
        "it still stands there".to_owned()
    } else {
        format!("it now stands in \"{}\"", now.status_name)
    };
    WireError::Refused {
        what: format!(
            "move {} from \"{}\" to {}",
            now.at.key,
            before.status_name,
            to.word()
        ),
        status,
        code: None,
        message: format!(
            "{message}; {stands}. Check that the workflow of project {} has this transition and that its conditions \
             let the bot take it, without required fields",
            now.project
        ),
    }
}

fn no_way(at: &Ticket, to: TicketState) -> WireError {
    WireError::Refused {
        what: format!(
            "move {} from \"{}\" to {}",
            at.at.key,
            at.status_name,
            to.word()
        ),
        status: 0,
        code: None,
        message: format!(
            "Jira offers the bot no transition that leads there. Check that the workflow of project {} has one, that \
             its conditions let the bot take it, and that the status map names its target",
            at.project
        ),
    }
}
