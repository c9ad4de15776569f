//! Transitions as people compare them: every part in words, names in place of ids. Two workflows are the same when their
//! shapes are.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::workflow::{Conditions, Rule, Start, Transition, Workflow};

use super::file::{TransitionText, Wanted};

/// Restricts a transition to accounts, roles, groups, permissions (Jira REST v3: workflow capabilities).
pub(super) const RESTRICT: &str = "system:restrict-issue-transition";
/// Sets a field.
const UPDATE_FIELD: &str = "system:update-field";

/// The id and name of the transition with which tickets begin.
const INITIAL: (&str, &str) = ("1", "Create");

/// A transition leaves the resolution alone.
pub const KEPT: &str = "as it was";

/// A transition in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it starts.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// Who may take it.
    pub who: String,
    /// What becomes of the resolution.
    pub resolution: String,
    /// What else it asks or does; usually nothing.
    pub more: String,
}

/// Names by id, for what a site has.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Statuses.
    pub statuses: BTreeMap<String, String>,
    /// Project roles.
    pub roles: BTreeMap<String, String>,
    /// Resolutions.
    pub resolutions: BTreeMap<String, String>,
}

impl Names {
    fn of(map: &BTreeMap<String, String>, id: &str) -> String {
        map.get(id).cloned().unwrap_or_else(|| format!("id {id}"))
    }

    /// A status.
    pub fn status(&self, id: &str) -> String {
        Self::of(&self.statuses, id)
    }

    /// A role.
    pub fn role(&self, id: &str) -> String {
        Self::of(&self.roles, id)
    }
}

/// The transitions that a file asks for, by id.
pub fn wanted(wanted: &Wanted) -> BTreeMap<String, Shape> {
    let initial = Shape {
        id: INITIAL.0.to_owned(),
        name: INITIAL.1.to_owned(),
        from: "creation".to_owned(),
        to: wanted.first().to_owned(),
        who: everybody(),
        resolution: resolution(None),
        more: String::new(),
    };
    let all = wanted.transitions.iter().map(|one| of_text(wanted, one));
    all.chain([initial])
        .map(|shape| (shape.id.clone(), shape))
        .collect()
}

fn of_text(wanted: &Wanted, text: &TransitionText) -> Shape {
    let who = text.who.as_ref().map(|who| {
        let names = who.iter().map(|part| wanted.role(*part).name.clone());
        joined(names.collect())
    });
    Shape {
        id: text.id.to_string(),
        name: text.name.clone(),
        from: joined(text.from.iter().cloned().collect()),
        to: text.to.clone(),
        who: who.unwrap_or_else(everybody),
        resolution: resolution(text.resolution.as_deref()),
        more: String::new(),
    }
}

/// The transitions that a workflow has, by id.
pub fn found(workflow: &Workflow, names: &Names) -> BTreeMap<String, Shape> {
    let all = workflow.transitions.iter();
    all.map(|one| (one.id.clone(), of_transition(one, names)))
        .collect()
}

fn of_transition(transition: &Transition, names: &Names) -> Shape {
    let from = match &transition.start {
        Start::Initial => "creation".to_owned(),
        Start::Anywhere => "anywhere".to_owned(),
        Start::In(statuses) => joined(statuses.iter().map(|id| names.status(id)).collect()),
    };
    let mut set = None;
    let mut more = Vec::new();
    for rule in &transition.actions {
        if rule.key == UPDATE_FIELD && rule.text("field") == "resolution" {
            let id = rule.text("value");
            let name = if id.is_empty() {
                String::new()
            } else {
                Names::of(&names.resolutions, id)
            };
            set = Some(name);
        } else {
            more.push(words(rule));
        }
    }
    more.extend(transition.validators.iter().map(words));
    more.extend(transition.screen.as_ref().map(words));
    let to = transition.to.as_ref();
    Shape {
        id: transition.id.clone(),
        name: transition.name.clone(),
        from,
        to: to.map_or_else(|| "where it started".to_owned(), |id| names.status(id)),
        who: who(&transition.conditions, names),
        resolution: resolution(set.as_deref()),
        more: more.join("; "),
    }
}

fn who(conditions: &Conditions, names: &Names) -> String {
    if conditions.is_empty() {
        return everybody();
    }
    if let ([rule], []) = (conditions.rules.as_slice(), conditions.groups.as_slice())
        && let Some(roles) = only_roles(rule)
    {
        return joined(roles.iter().map(|id| names.role(id)).collect());
    }
    described(conditions, names)
}

/// The roles of a restriction that asks for nothing but roles.
fn only_roles(rule: &Rule) -> Option<BTreeSet<String>> {
    let others = rule
        .parameters
        .iter()
        .any(|(name, value)| name != "roleIds" && !value.trim().is_empty());
    (rule.key == RESTRICT && !others).then(|| rule.list("roleIds"))
}

/// Any conditions in words.
pub(super) fn described(conditions: &Conditions, names: &Names) -> String {
    let rules = conditions.rules.iter().map(|rule| match only_roles(rule) {
        Some(roles) => joined(roles.iter().map(|id| names.role(id)).collect()),
        None => words(rule),
    });
    let groups = conditions.groups.iter();
    let groups = groups.map(|group| format!("({})", described(group, names)));
    let all: Vec<String> = rules.chain(groups).collect();
    all.join(if conditions.any { " or " } else { " and " })
}

fn words(rule: &Rule) -> String {
    let parameters = rule.parameters.iter();
    let parameters: Vec<String> = parameters
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let key = rule.key.trim_start_matches("system:");
    match parameters.is_empty() {
        true => key.to_owned(),
        false => format!("{key}: {}", parameters.join(", ")),
    }
}

fn everybody() -> String {
    "everybody".to_owned()
}

fn resolution(name: Option<&str>) -> String {
    match name {
        None => KEPT.to_owned(),
        Some("") => "cleared".to_owned(),
        Some(name) => name.to_owned(),
    }
}

fn joined(names: BTreeSet<String>) -> String {
    let names: Vec<String> = names.into_iter().collect();
    names.join(", ")
}

/// What a file asks for, as Jira takes it: statuses by name, roles and resolutions by id.
pub(super) fn transitions(
    wanted: &Wanted,
    role: impl Fn(super::file::Part) -> String,
    resolution: impl Fn(&str) -> String,
    status: impl Fn(&str) -> String,
) -> Vec<Transition> {
    let blank = Transition {
        id: INITIAL.0.to_owned(),
        name: INITIAL.1.to_owned(),
        start: Start::Initial,
        to: Some(status(wanted.first())),
        conditions: Conditions::default(),
        validators: Vec::new(),
        actions: Vec::new(),
        screen: None,
    };
    let all = wanted.transitions.iter().map(|text| {
        let restriction = text.who.as_ref().map(|who| {
            let ids: Vec<String> = who.iter().map(|part| role(*part)).collect();
            Rule::new(RESTRICT, &[("roleIds", &ids.join(","))])
        });
        let set = text.resolution.as_deref().map(|name| {
            let id = if name.is_empty() {
                String::new()
            } else {
                resolution(name)
            };
            Rule::new(
                UPDATE_FIELD,
                &[("field", "resolution"), ("value", &id), ("mode", "replace")],
            )
        });
        Transition {
            id: text.id.to_string(),
            name: text.name.clone(),
            start: Start::In(text.from.iter().map(|name| status(name)).collect()),
            to: Some(status(&text.to)),
            conditions: Conditions {
                rules: restriction.into_iter().collect(),
                ..Conditions::default()
            },
            actions: set.into_iter().collect(),
            ..blank.clone()
        }
    });
    std::iter::once(blank.clone()).chain(all).collect()
}
