//! What has been learnt of a site's workflows: the steps that the bot was offered in each status, and the way that
//! they make. Asks nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::model::Ticket;

use super::Fields;
use super::decode::Transition;

/// The longest way through a workflow that is tried.
pub(super) const HOPS_MOST: usize = 4;

/// A transition that the bot was offered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// Transition id.
    pub(super) id: String,
    /// Its name, for people.
    pub(super) name: String,
    /// The status after it.
    pub(super) to: String,
    /// What the configuration gives to its screen.
    pub(super) fields: Option<Fields>,
    /// Fields that its screen requires and nobody gives: it cannot be taken.
    pub(super) missing: Vec<String>,
}

impl Step {
    /// A step as Jira offers it, with the fields that the configuration has for it by name or id.
    pub(super) fn offered(offered: Transition, configured: &BTreeMap<String, Fields>) -> Self {
        let name = offered.name.to_lowercase();
        let fields = configured
            .iter()
            .find(|(key, _)| **key == offered.id || key.to_lowercase() == name)
            .map(|(_, fields)| fields.clone());
        let given = |id: &str| {
            fields
                .as_ref()
                .is_some_and(|fields| fields.contains_key(id))
        };
        let missing = offered
            .fields
            .iter()
            .filter(|(id, field)| field.required && !field.has_default_value && !given(id));
        Step {
            missing: missing.map(|(id, _)| id.clone()).collect(),
            id: offered.id,
            name: offered.name,
            to: offered.to.id,
            fields,
        }
    }
}

/// The steps offered in a status of a project.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<(String, String), Vec<Step>>);

impl Known {
    /// Keeps what was offered where a ticket stands.
    pub(super) fn learn(&mut self, at: &Ticket, steps: Vec<Step>) {
        self.0.insert(place(at), steps);
    }

    /// Forgets it: Jira refused what it had offered.
    pub(super) fn forget(&mut self, at: &Ticket) {
        self.0.remove(&place(at));
    }

    /// What is known of a status.
    pub(super) fn offered(&self, project: &str, status: &str) -> Option<&[Step]> {
        let steps = self.0.get(&(project.to_owned(), status.to_owned()))?;
        Some(steps)
    }

    /// The first step to one of `targets`: a direct one to the first target that has one, else the first step of the
    /// shortest known way.
    pub(super) fn step(&self, at: &Ticket, targets: &[String]) -> Option<Step> {
        let open = |step: &&Step| step.missing.is_empty();
        let direct: Vec<&Step> = self
            .offered(&at.project, &at.status_id)?
            .iter()
            .filter(open)
            .collect();
        for target in targets {
            if let Some(step) = direct.iter().find(|step| step.to == *target) {
                return Some((*step).clone());
            }
        }
        let mut seen = BTreeSet::from([at.status_id.as_str()]);
        let mut queue: VecDeque<(&Step, &Step, usize)> =
            direct.into_iter().map(|step| (step, step, 1)).collect();
        while let Some((first, last, hops)) = queue.pop_front() {
            if targets.contains(&last.to) {
                return Some(first.clone());
            }
            if hops == HOPS_MOST || !seen.insert(last.to.as_str()) {
                continue;
            }
            let onward = self.offered(&at.project, &last.to).unwrap_or_default();
            let onward = onward.iter().filter(open);
            queue.extend(onward.map(|next| (first, next, hops + 1)));
        }
        None
    }
}

fn place(at: &Ticket) -> (String, String) {
    (at.project.clone(), at.status_id.clone())
}
