//! Pauses: what a person told the engine not to write is held, and everything else goes on.

use super::{Action, Held, HeldReason, Plan};
use crate::model::Pause;

/// Takes what is paused out of the plan, and holds it.
pub fn hold(plan: &mut Plan, pauses: &[Pause]) {
    if pauses.is_empty() {
        return;
    }
    let mut because = None;
    for action in std::mem::take(&mut plan.actions) {
        let paused = pauses.iter().find(|pause| covers(pause, &action));
        match paused {
            None => plan.actions.push(action),
            Some(pause) => {
                let why = HeldReason::Paused {
                    scope: pause.scope.clone(),
                    by: pause.by.clone(),
                    why: pause.why.clone(),
                };
                because.get_or_insert_with(|| why.clone());
                plan.held.push(Held {
                    marker: action.marker,
                    subject: action.subject,
                    why,
                });
            }
        }
    }
    if let Some(why) = because {
        plan.hold_waiting(&why);
    }
}

/// A pause covers an action by its account, the project of its ticket, or the one that a new ticket would go to.
pub fn covers(pause: &Pause, action: &Action) -> bool {
    let subject = &action.subject;
    let new = project(action).is_none() || action.ticket.creates();
    let mut accounts = std::iter::once(&subject.account).chain(&subject.other_accounts);
    accounts.any(|account| {
        let there = project(action).is_some_and(|project| pause.covers(account, project));
        there || (new && pause.covers(account, &subject.project))
    })
}

/// The project of the ticket, as its key says.
pub fn project(action: &Action) -> Option<&str> {
    let key = action.subject.ticket.as_deref()?;
    key.rsplit_once('-').map(|(project, _)| project)
}
