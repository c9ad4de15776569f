//! Moving a ticket along its workflow's directed transitions, which are learnt from Jira as they are met. Where none
//! leads straight to the target, statuses that may be passed are entered to see what they offer.
//!
//! A refused transition does not say why, and an unanswered one may have been taken: after either, the ticket is read
//! again and its status decides.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use http::Method;
use serde_json::json;

use crate::model::{Ticket, TicketState};
use crate::ports::TicketsReader;
use crate::wire::error::WireError;
use crate::wire::http::{Operation, Request};

use super::JiraClient;
use super::decode::TransitionList;
use super::steps::{HOPS_MOST, Step};
use super::write::issue_scope;

/// Where a step comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Knowledge {
    /// Jira was asked about this ticket just now.
    OfThisTicket,
    /// It was offered for another ticket, or earlier.
    Kept,
}

impl JiraClient {
    /// Moves one ticket, at most [`HOPS_MOST`] transitions far.
    pub(super) async fn walk_to(&self, ticket: &Ticket, to: TicketState) -> Result<(), WireError> {
        let mut at = ticket.clone();
        let mut passed = BTreeSet::new();
        for _ in 0..HOPS_MOST {
            if at.state == Some(to) {
                return Ok(());
            }
            let (step, knowledge) = match self.next_step(&at, to).await? {
                Some(found) => found,
                None => {
                    passed.insert(at.status_id.clone());
                    let step = self.step_to_see(&at, &passed).await?;
                    let step = step.ok_or_else(|| self.no_way(&at, to))?;
                    (step, Knowledge::OfThisTicket)
                }
            };
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
        Err(self.no_way(&at, to))
    }

    /// The step to take now, if a way is known. Asks Jira when it is not known yet.
    async fn next_step(
        &self,
        at: &Ticket,
        to: TicketState,
    ) -> Result<Option<(Step, Knowledge)>, WireError> {
        if let Some(step) = self.known_step(at, to).await? {
            return Ok(Some((step, Knowledge::Kept)));
        }
        self.learn(at).await?;
        let step = self.known_step(at, to).await?;
        Ok(step.map(|step| (step, Knowledge::OfThisTicket)))
    }

    async fn known_step(&self, at: &Ticket, to: TicketState) -> Result<Option<Step>, WireError> {
        let statuses = self.statuses().await?;
        let targets = statuses.targets(to);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.step(at, targets))
    }

    /// A step into a status that may be passed and was not yet, to see what it offers.
    async fn step_to_see(
        &self,
        at: &Ticket,
        passed: &BTreeSet<String>,
    ) -> Result<Option<Step>, WireError> {
        let statuses = self.statuses().await?;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let offered = known
            .offered(&at.project, &at.status_id)
            .unwrap_or_default();
        let step = offered.iter().find(|step| {
            step.missing.is_empty()
                && !passed.contains(&step.to)
                && statuses.may_pass(&step.to, at.state)
        });
        Ok(step.cloned())
    }

    /// The direct transition of a ticket to a state that many tickets can take at once: a bulk transition carries no
    /// fields. Asked of Jira when it is not known.
    pub(super) async fn direct_step(
        &self,
        at: &Ticket,
        to: TicketState,
    ) -> Result<Option<Step>, WireError> {
        let Some((step, _)) = self.next_step(at, to).await? else {
            return Ok(None);
        };
        let arrives = self.statuses().await?.meaning(&step.to) == Some(to);
        Ok((arrives && step.fields.is_none()).then_some(step))
    }

    /// Reads the transitions that the bot may take from where the ticket stands.
    async fn learn(&self, at: &Ticket) -> Result<(), WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/issue/{id}/transitions",
            format!("read the transitions of {}", at.at.key),
            "Transition issues",
        );
        let path = format!("/rest/api/3/issue/{}/transitions", at.at.id);
        let request = Request::new(Method::GET, path).with("expand", "transitions.fields");
        let answer = self.http.send(&operation, request).await?;
        let list: TransitionList = answer.decode(&operation)?;
        let offered = list.transitions.into_iter().filter(|t| t.is_available);
        let steps = offered.map(|offered| Step::offered(offered, &self.transition_fields));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.learn(at, steps.collect());
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
        let mut body = json!({"transition": {"id": step.id}});
        if let Some(fields) = &step.fields {
            body["fields"] = json!(fields);
        }
        let request = Request::new(Method::POST, path).json(body);
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
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.forget(at);
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

    fn no_way(&self, at: &Ticket, to: TicketState) -> WireError {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let offered = known
            .offered(&at.project, &at.status_id)
            .unwrap_or_default();
        let blocked = offered.iter().find(|step| !step.missing.is_empty());
        let message = match blocked {
            Some(step) => format!(
                "the transition \"{name}\" asks for {}. Give values in [jira.transition_fields.\"{name}\"], or take \
                 the fields off its screen",
                step.missing.join(", "),
                name = step.name,
            ),
            None => format!(
                "Jira offers the bot no transition that leads there. Check that the workflow of project {} has one, \
                 that its conditions let the bot take it, and that the status map names its target and, in \
                 jira.statuses.via, the statuses on the way",
                at.project
            ),
        };
        let (from, to) = (&at.status_name, to.word());
        WireError::Refused {
            what: format!("move {} from \"{from}\" to {to}", at.at.key),
            status: 0,
            code: None,
            message,
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
