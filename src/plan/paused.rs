//! Pauses: what a person told the engine not to write is held, and everything else goes on.

use super::{Action, Held, HeldReason, Plan};
use crate::model::Pause;

/// Takes what is paused out of the plan, and holds it. `project_of` names the project that an account's new tickets go
/// to.
pub fn hold<'a>(plan: &mut Plan, pauses: &[Pause], project_of: impl Fn(&str) -> &'a str) {
    if pauses.is_empty() {
        return;
    }
    for action in std::mem::take(&mut plan.actions) {
        let project = project(&action).map_or_else(
            || project_of(&action.subject.account).to_owned(),
            str::to_owned,
        );
        let paused = pauses
            .iter()
            .find(|pause| pause.covers(&action.subject.account, &project));
        match paused {
            None => plan.actions.push(action),
            Some(pause) => plan.held.push(Held {
                marker: action.marker,
                subject: action.subject,
                why: HeldReason::Paused {
                    scope: pause.scope.clone(),
                    by: pause.by.clone(),
                    why: pause.why.clone(),
                },
            }),
        }
    }
}

/// The project of the ticket, as its key says.
pub fn project(action: &Action) -> Option<&str> {
    let key = action.subject.ticket.as_deref()?;
    key.rsplit_once('-').map(|(project, _)| project)
}
