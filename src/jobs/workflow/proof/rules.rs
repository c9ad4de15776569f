//! What must hold of a project, judged by what was read of it. Pure. Each hole is one sentence with who could do what,
//! through what, and how to close it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::jobs::workflow::file::NOT_FOR_TEAMS;
use crate::model::TicketState;
use crate::model::workflow::{Start, Transition, engine_moves};

use super::passing::Circle;
use super::places::{Place, Places};
use super::{How, Must, Outcome, Row};

/// The longest way through a workflow that the engine tries.
const HOPS_MOST: usize = 4;
/// Names that a sentence spells out.
const NAMES_MOST: usize = 3;

/// Judges one project.
pub(super) fn rows(place: &Place, places: &Places) -> Vec<Row> {
    let judge = Judge { place, places };
    let mut rows = vec![
        judge.row(
            "anybody but reviewers",
            "closes a ticket",
            Must::BeRefused,
            judge.entering(TicketState::Closed),
        ),
        judge.row(
            "anybody but reviewers",
            "reopens a closed ticket",
            Must::BeRefused,
            judge.leaving(TicketState::Closed),
        ),
        judge.row(
            "anybody but asaf",
            "ignores a ticket, or ends ignoring",
            Must::BeRefused,
            judge
                .entering(TicketState::Ignored)
                .or_else(|| judge.leaving(TicketState::Ignored)),
        ),
        judge.row(
            "two people at once",
            "take the same transition",
            Must::BeRefused,
            judge.twice(),
        ),
        judge.row(
            "a reviewer",
            "closes a resolved ticket",
            Must::BeAllowed,
            judge.review(),
        ),
        judge.row(
            "asaf",
            "moves tickets between all meanings",
            Must::BeAllowed,
            judge.engine(),
        ),
        judge.row(
            "asaf",
            "understands every status",
            Must::BeAllowed,
            judge.meanings(),
        ),
        judge.row(
            "an automation rule",
            "closes as a reviewer",
            Must::BeRefused,
            judge.apps(),
        ),
    ];
    rows.extend(NOT_FOR_TEAMS.iter().map(|(key, could)| {
        let hole = judge.permission(key, could);
        let does = format!("holds {key}");
        judge.row("anybody but security", &does, Must::BeRefused, hole)
    }));
    rows
}

struct Judge<'a> {
    place: &'a Place,
    places: &'a Places,
}

impl Judge<'_> {
    fn row(&self, who: &'static str, does: &str, must: Must, hole: Option<String>) -> Row {
        Row {
            project: self.place.key.clone(),
            who,
            does: does.to_owned(),
            must,
            how: How::Read,
            outcome: hole.map_or(Outcome::Holds, Outcome::Broken),
        }
    }

    fn transitions(&self) -> impl Iterator<Item = (&Transition, Circle)> {
        let all = self.place.workflow.transitions.iter();
        let all = all.filter(|transition| transition.start != Start::Initial);
        all.map(|one| (one, self.place.people.passing(&one.conditions)))
    }

    fn meaning(&self, status: &str) -> Option<TicketState> {
        self.place.meanings.get(status).copied()
    }

    /// The statuses that a transition leaves.
    fn sources(&self, transition: &Transition) -> BTreeSet<String> {
        match &transition.start {
            Start::Initial => BTreeSet::new(),
            Start::Anywhere => {
                let all = self.place.workflow.statuses.iter();
                all.map(|placed| placed.status.clone()).collect()
            }
            Start::In(statuses) => statuses.clone(),
        }
    }

    /// Those who may decide.
    fn trusted(&self) -> BTreeSet<String> {
        let mut trusted = self.places.reviewers.clone();
        trusted.insert(self.places.bot.clone());
        trusted
    }

    fn entering(&self, state: TicketState) -> Option<String> {
        let does = format!("make a ticket of {} {}", self.place.key, state.word());
        let mut any = false;
        for (transition, circle) in self.transitions() {
            let to = transition.to.as_deref().and_then(|to| self.meaning(to));
            if to == Some(state) {
                any = true;
                if let Some(hole) = self.hole(transition, &circle, &does) {
                    return Some(hole);
                }
            }
        }
        (!any).then(|| {
            format!(
                "No transition of the workflow “{}” leads to a status that means {}: check [jira.statuses], or add one.",
                self.place.workflow.name,
                state.word()
            )
        })
    }

    fn leaving(&self, state: TicketState) -> Option<String> {
        let does = format!(
            "reopen a ticket of {} that is {}",
            self.place.key,
            state.word()
        );
        self.transitions().find_map(|(transition, circle)| {
            let leaves = self
                .sources(transition)
                .iter()
                .any(|status| self.meaning(status) == Some(state));
            let stays = transition.to.as_deref().and_then(|to| self.meaning(to)) == Some(state);
            (leaves && !stays).then(|| self.hole(transition, &circle, &does))?
        })
    }

    /// Who else may take a transition, if anybody.
    fn hole(&self, transition: &Transition, circle: &Circle, does: &str) -> Option<String> {
        let place = format!("the transition “{}” ({})", transition.name, transition.id);
        if let Some(through) = circle.open.iter().next() {
            let why = if transition.conditions.is_empty() {
                "has no condition".to_owned()
            } else {
                format!("is open to {through}")
            };
            return Some(format!(
                "Product teams can {does}: {place} of “{}” {why}. Restrict it to the roles of reviewers and asaf, with a \
                 condition on project roles (`asaf workflow apply` does).",
                self.place.workflow.name
            ));
        }
        let others = circle.beyond(&self.trusted());
        let who = self.names(&others)?;
        Some(format!(
            "{who} can {does} without being a reviewer: {place} lets them. Take them out of its roles and groups, or make \
             them reviewers (jira.reviewers)."
        ))
    }

    /// `None` for nobody.
    fn names(&self, accounts: &BTreeSet<String>) -> Option<String> {
        let shown: Vec<String> = accounts
            .iter()
            .take(NAMES_MOST)
            .map(|id| self.places.account(id))
            .collect();
        let more = accounts.len().saturating_sub(NAMES_MOST);
        match (shown.is_empty(), more) {
            (true, _) => None,
            (false, 0) => Some(shown.join(", ")),
            (false, more) => Some(format!("{} and {more} more", shown.join(", "))),
        }
    }

    /// A transition that starts anywhere can be taken twice: two deciders at once would both succeed.
    fn twice(&self) -> Option<String> {
        let all = self.place.workflow.transitions.iter();
        let mut loose = all.filter(|one| one.start == Start::Anywhere || one.to.is_none());
        let one = loose.next()?;
        Some(format!(
            "The transition “{}” ({}) of “{}” starts anywhere, in its own target too, so that two people at once both succeed \
             and the later overrules the earlier unseen. Make it leave named statuses.",
            one.name, one.id, self.place.workflow.name
        ))
    }

    fn review(&self) -> Option<String> {
        let places = self.places;
        if places.reviewers.is_empty() {
            return Some(
                "Nobody is a reviewer (jira.reviewers): tickets can never be closed.".to_owned(),
            );
        }
        let resolved = |transition: &Transition| {
            let sources = self.sources(transition);
            sources
                .iter()
                .any(|status| self.meaning(status) == Some(TicketState::Resolved))
        };
        let closes = self.transitions().any(|(transition, circle)| {
            let to = transition.to.as_deref().and_then(|to| self.meaning(to));
            to == Some(TicketState::Closed)
                && resolved(transition)
                && places.reviewers.iter().any(|one| circle.has(one))
        });
        (!closes).then(|| {
            format!(
                "No reviewer can close a resolved ticket of {}: no transition from resolved to closed lets one of them. Give \
                 them the role that it asks for (`asaf workflow apply` does).",
                self.place.key
            )
        })
    }

    fn engine(&self) -> Option<String> {
        let mut steps: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for transition in &self.place.workflow.transitions {
            let circle = self.place.people.passing(&transition.conditions);
            let Some(to) = transition
                .to
                .as_deref()
                .filter(|_| circle.has(&self.places.bot))
            else {
                continue;
            };
            for placed in &self.place.workflow.statuses {
                if transition.starts_in(&placed.status) {
                    steps.entry(&placed.status).or_default().insert(to);
                }
            }
        }
        let missing: Vec<String> = engine_moves()
            .filter(|(from, to)| !self.leads(*from, *to, &steps))
            .map(|(from, to)| format!("{} to {}", from.word(), to.word()))
            .collect();
        (!missing.is_empty()).then(|| {
            format!(
                "asaf finds no way in {} from {}: those moves would wait for a person. Add transitions that its user may \
                 take (`asaf workflow apply` does).",
                self.place.key,
                missing.join(", from ")
            )
        })
    }

    fn leads(
        &self,
        from: TicketState,
        to: TicketState,
        steps: &BTreeMap<&str, BTreeSet<&str>>,
    ) -> bool {
        let starts = self
            .place
            .meanings
            .iter()
            .filter(|(_, state)| **state == from);
        starts.into_iter().all(|(start, _)| {
            let mut seen = BTreeSet::from([start.as_str()]);
            let mut queue = VecDeque::from([(start.as_str(), 0)]);
            while let Some((at, hops)) = queue.pop_front() {
                if self.meaning(at) == Some(to) {
                    return true;
                }
                if hops == HOPS_MOST {
                    continue;
                }
                let next = steps.get(at).into_iter().flatten();
                queue.extend(
                    next.filter(|next| seen.insert(next))
                        .map(|next| (*next, hops + 1)),
                );
            }
            false
        })
    }

    fn meanings(&self) -> Option<String> {
        let placed = self.place.workflow.statuses.iter();
        let unknown: Vec<String> = placed
            .filter(|placed| self.meaning(&placed.status).is_none())
            .map(|placed| format!("“{}”", self.places.names.status(&placed.status)))
            .collect();
        (!unknown.is_empty()).then(|| {
            format!(
                "{} of the workflow “{}” mean nothing to asaf, so tickets that stand there are left alone: name them in \
                 [jira.statuses].",
                unknown.join(", "),
                self.place.workflow.name
            )
        })
    }

    fn apps(&self) -> Option<String> {
        let mut apps = self.places.reviewers.iter().filter(|id| {
            let known = self.places.accounts.get(*id);
            known.is_some_and(|account| account.is_app)
        });
        let app = apps.next()?;
        Some(format!(
            "The app “{}” is a reviewer: whoever can write a rule that runs as it can close tickets. Take it out of \
             jira.reviewers.",
            self.places.account(app)
        ))
    }

    fn permission(&self, key: &str, could: &str) -> Option<String> {
        let circle = self.place.people.permission(key);
        let project = &self.place.key;
        if let Some(through) = circle.open.iter().next() {
            return Some(format!(
                "Product teams could {could} in {project}: {key} is granted to {through}. Grant it to asaf's role alone \
                 (`asaf workflow apply` does)."
            ));
        }
        let mut trusted = self.trusted();
        trusted.extend(self.places.admins.iter().cloned());
        let who = self.names(&circle.beyond(&trusted))?;
        Some(format!(
            "{who} could {could} in {project}: they hold {key}. Take them out of the roles and groups to which it is \
             granted."
        ))
    }
}
