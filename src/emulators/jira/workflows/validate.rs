//! What is wrong with a workflow that a client wants to create or update. Changes nothing.
//!
//! Jira's document names one code, `NON_UNIQUE_STATUS_NAME`; the other codes and sentences are the emulator's own, in
//! the same form.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::emulators::jira::Jira;
use crate::emulators::jira::workflows::model::{Category, Kind};
use crate::emulators::jira::workflows::requests::{
    GivenGroup, GivenRule, GivenStatus, GivenTransition, GivenWorkflow,
};
use crate::emulators::jira::workflows::statuses::NAME_MOST;

/// Something wrong, or doubtful.
#[derive(Clone, Debug)]
pub(crate) struct Flaw {
    pub(crate) code: &'static str,
    /// `RULE`, `STATUS`, `WORKFLOW`, `TRANSITION`, `SCOPE`, `STATUS_MAPPING`.
    pub(crate) kind: &'static str,
    pub(crate) is_warning: bool,
    pub(crate) message: String,
    pub(crate) place: Value,
}

impl Flaw {
    fn new(
        kind: &'static str,
        code: &'static str,
        message: impl Into<String>,
        place: Value,
    ) -> Flaw {
        Flaw {
            code,
            kind,
            is_warning: false,
            message: message.into(),
            place,
        }
    }

    pub(crate) fn mapping(message: String, project: u64, kind: &str) -> Flaw {
        let pair = json!({"projectId": project.to_string(), "issueTypeId": kind});
        let place = json!({ "statusMappingReference": pair });
        Flaw::new("STATUS_MAPPING", "MISSING_STATUS_MAPPING", message, place)
    }

    pub(crate) fn level(&self) -> &'static str {
        if self.is_warning { "WARNING" } else { "ERROR" }
    }

    /// Jira REST v3: WorkflowValidationError.
    pub(crate) fn json(&self) -> Value {
        json!({
            "code": self.code, "level": self.level(), "message": self.message, "type": self.kind,
            "elementReference": self.place,
        })
    }
}

impl Jira {
    /// The statuses of a request, by reference: a reference is always a UUID, and a status that exists is named by its
    /// id besides (measured on Jira Cloud).
    pub(crate) fn status_flaws(&self, given: &[GivenStatus], project: Option<u64>) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let mut references = BTreeSet::new();
        let mut names = BTreeSet::new();
        for status in given {
            let place = json!({ "statusReference": status.status_reference });
            let mut add = |code, text: String| {
                flaws.push(Flaw::new("STATUS", code, text, place.clone()));
            };
            let reference = &status.status_reference;
            if uuid::Uuid::try_parse(reference).is_err() {
                add(
                    "INVALID_STATUS_REFERENCE",
                    format!("The status reference {reference} is not a UUID."),
                );
            }
            if !references.insert(reference.clone()) {
                add(
                    "NON_UNIQUE_STATUS_REFERENCE",
                    format!("The status reference {reference} is given twice."),
                );
            }
            let name = status.name.trim();
            if name.is_empty() || name.chars().count() > NAME_MOST {
                add(
                    "STATUS_NAME_INVALID",
                    "The name of a status must have 1 to 60 characters.".into(),
                );
            }
            if Category::named(&status.status_category).is_none() {
                add(
                    "STATUS_CATEGORY_INVALID",
                    format!("{} is no status category.", status.status_category),
                );
            }
            let holder = self
                .status_in_scope(name, project)
                .map(|known| known.id.to_string());
            let is_taken = holder.is_some() && holder != status.id;
            if is_taken || !names.insert(name.to_lowercase()) {
                add(
                    "NON_UNIQUE_STATUS_NAME",
                    "You must use a unique status name.".into(),
                );
            }
            if let Some(id) = &status.id {
                let known = id.parse().ok().and_then(|id| self.status(id));
                if known.is_none_or(|known| known.project != project) {
                    add(
                        "STATUS_NOT_FOUND",
                        format!("The status with the id {id} does not exist."),
                    );
                }
            }
        }
        flaws
    }

    /// One workflow; `known` are the references that the request defines.
    pub(crate) fn workflow_flaws(
        &self,
        given: &GivenWorkflow,
        known: &BTreeSet<&str>,
        project: Option<u64>,
        webhooks: &BTreeSet<String>,
    ) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let own: BTreeSet<&str> = given
            .statuses
            .iter()
            .map(|place| place.status_reference.as_str())
            .collect();
        for place in &given.statuses {
            let reference = &place.status_reference;
            let at = json!({ "statusReference": reference });
            if !known.contains(reference.as_str()) {
                let text = format!("The status reference {reference} is not defined.");
                flaws.push(Flaw::new(
                    "STATUS",
                    "UNDEFINED_STATUS_REFERENCE",
                    text,
                    at.clone(),
                ));
            }
            if place.approval_configuration.is_some() {
                let text = "Approvals exist in service projects only.";
                flaws.push(Flaw::new("STATUS", "APPROVAL_NOT_SUPPORTED", text, at));
            }
        }
        if own.len() != given.statuses.len() || own.is_empty() {
            let text = "A workflow needs statuses, each of them once.";
            flaws.push(Flaw::new("WORKFLOW", "INVALID_STATUSES", text, json!({})));
        }
        let kinds = given.transitions.iter().map(|one| one.kind.as_deref());
        if kinds.filter(|kind| *kind == Some("INITIAL")).count() != 1 {
            let text = "A workflow needs exactly one initial transition.";
            flaws.push(Flaw::new(
                "WORKFLOW",
                "INVALID_INITIAL_TRANSITION",
                text,
                json!({}),
            ));
        }
        let mut ids = BTreeMap::new();
        for transition in &given.transitions {
            let id = transition.id.as_deref().unwrap_or_default();
            *ids.entry(id).or_insert(0) += usize::from(!id.is_empty());
            flaws.extend(transition_flaws(transition, &own));
            flaws.extend(self.rule_flaws(transition, project, webhooks));
        }
        for (id, _) in ids.iter().filter(|(_, count)| **count > 1) {
            let text = format!("The transition id {id} is given twice.");
            let at = json!({ "transitionId": id });
            flaws.push(Flaw::new(
                "TRANSITION",
                "NON_UNIQUE_TRANSITION_ID",
                text,
                at,
            ));
        }
        flaws
    }

    fn rule_flaws(
        &self,
        transition: &GivenTransition,
        project: Option<u64>,
        webhooks: &BTreeSet<String>,
    ) -> Vec<Flaw> {
        use super::capabilities::Place;
        let mut rules: Vec<(Place, &GivenRule)> = Vec::new();
        if let Some(group) = &transition.conditions {
            collect(group, &mut rules);
        }
        let lists = [
            (Place::Validator, &transition.validators),
            (Place::Action, &transition.actions),
        ];
        for (place, list) in lists {
            rules.extend(list.iter().flatten().map(|rule| (place, rule)));
        }
        rules.extend(
            transition
                .transition_screen
                .iter()
                .map(|rule| (Place::Screen, rule)),
        );
        let id = transition.id.as_deref().unwrap_or_default();
        rules
            .into_iter()
            .flat_map(|(place, rule)| self.flaws_of_rule(place, rule, project, webhooks))
            .map(|(code, is_warning, text)| Flaw {
                is_warning,
                ..Flaw::new("RULE", code, text, json!({ "transitionId": id }))
            })
            .collect()
    }
}

fn collect<'a>(
    group: &'a GivenGroup,
    rules: &mut Vec<(super::capabilities::Place, &'a GivenRule)>,
) {
    let own = group.conditions.iter().flatten();
    rules.extend(own.map(|rule| (super::capabilities::Place::Condition, rule)));
    for within in group.condition_groups.iter().flatten() {
        collect(within, rules);
    }
}

fn transition_flaws(transition: &GivenTransition, own: &BTreeSet<&str>) -> Vec<Flaw> {
    let id = transition.id.as_deref().unwrap_or_default();
    let name = transition.name.as_deref().unwrap_or_default();
    let mut flaws = Vec::new();
    let mut add = |code, text: String| {
        let at = json!({ "transitionId": id });
        flaws.push(Flaw::new("TRANSITION", code, text, at));
    };
    let Some(kind) = transition.kind.as_deref().and_then(Kind::named) else {
        add(
            "TRANSITION_TYPE_INVALID",
            format!("The transition {name} needs a type."),
        );
        return flaws;
    };
    if name.trim().is_empty() {
        add(
            "TRANSITION_NAME_INVALID",
            "A transition needs a name.".into(),
        );
    }
    if !id.is_empty() && id.parse::<u32>().is_err() {
        add(
            "TRANSITION_ID_INVALID",
            format!("The transition id {id} is not a number."),
        );
    }
    match &transition.to_status_reference {
        Some(to) if !own.contains(to.as_str()) => {
            add(
                "UNDEFINED_STATUS_REFERENCE",
                format!("The transition {name} enters a status that the workflow does not have."),
            );
        }
        None if kind == Kind::Initial => {
            add(
                "MISSING_TARGET",
                format!("The transition {name} enters no status."),
            );
        }
        _ => {}
    }
    for (code, text) in link_flaws(transition, kind, own) {
        add(code, text);
    }
    if kind == Kind::Initial && transition.conditions.is_some() {
        add(
            "CONDITION_ON_INITIAL_TRANSITION",
            "The initial transition takes no conditions.".into(),
        );
    }
    flaws
}

fn link_flaws(
    transition: &GivenTransition,
    kind: Kind,
    own: &BTreeSet<&str>,
) -> Vec<(&'static str, String)> {
    let name = transition.name.as_deref().unwrap_or_default();
    let links = transition.links.as_deref().unwrap_or_default();
    let mut flaws = Vec::new();
    match kind {
        Kind::Directed if links.is_empty() => {
            let text = format!("The directed transition {name} leaves no status.");
            flaws.push(("MISSING_LINKS", text));
        }
        Kind::Initial | Kind::Global if !links.is_empty() => {
            let text = format!("The transition {name} must have no links.");
            flaws.push(("UNEXPECTED_LINKS", text));
        }
        _ => {}
    }
    for link in links {
        let from = link.from_status_reference.as_deref().unwrap_or_default();
        if !own.contains(from) {
            let text =
                format!("The transition {name} leaves a status that the workflow does not have.");
            flaws.push(("UNDEFINED_STATUS_REFERENCE", text));
        }
    }
    flaws
}
