//! Statuses, workflows and workflow schemes: which project's issues can go where, by whom, and with what effect.
//!
//! The model is that of Jira REST v3's workflows API: rules are keys with text parameters and are interpreted when a
//! transition is tried. Nothing here moves an issue but the migrations of statuses.

pub(super) mod assign;
pub(super) mod capabilities;
pub(super) mod condition;
pub(super) mod effects;
pub(super) mod migrations;
pub(super) mod model;
pub(super) mod prepared;
pub(super) mod read;
pub(super) mod requests;
pub(super) mod resolutions;
pub(super) mod rules;
pub(super) mod scheme;
pub(super) mod screens;
pub(super) mod statuses;
pub(super) mod update;
pub(super) mod validate;
pub(super) mod validators;

use std::collections::{BTreeMap, BTreeSet};

pub use model::{
    Category, ConditionGroup, Kind, Link, Rule, Status, StatusPlace, Transition, Version, Workflow,
};
pub use prepared::{CLOSED, IGNORED, IN_PROGRESS, OPEN, RESOLVED};

use scheme::WorkflowScheme;

use super::Jira;

/// Everything about workflows on a site.
#[derive(Clone, Debug, Default)]
pub(super) struct Workflows {
    pub(super) statuses: BTreeMap<u64, Status>,
    /// By id.
    pub(super) all: BTreeMap<String, Workflow>,
    pub(super) schemes: BTreeMap<u64, WorkflowScheme>,
    /// The scheme of new projects.
    pub(super) new_projects: u64,
    /// The scheme that a project falls back to when it is given none.
    pub(super) fallback: u64,
    /// Id and name.
    pub(super) resolutions: Vec<(String, String)>,
    /// Id, name, and the fields on it.
    pub(super) screens: Vec<screens::Screen>,
}

impl Workflows {
    /// Puts another role into every condition that names one.
    pub(super) fn replace_role(&mut self, old: u64, new: u64) {
        for rule in self.all.values_mut().flat_map(Workflow::rules_mut) {
            if let Some(roles) = rule.parameters.get_mut("roleIds") {
                let swap = |role: &str| {
                    let role = role.trim();
                    if role == old.to_string() {
                        new.to_string()
                    } else {
                        role.to_owned()
                    }
                };
                *roles = roles.split(',').map(swap).collect::<Vec<_>>().join(",");
            }
        }
    }

    pub(super) fn names_role(&self, role: u64) -> bool {
        let wanted = role.to_string();
        self.all
            .values()
            .flat_map(Workflow::rules)
            .any(|rule| rule.list("roleIds").contains(&wanted.as_str()))
    }

    /// Those of team-managed projects have ids of their own.
    pub(super) fn next_scheme_id(&self) -> u64 {
        let shared = self
            .schemes
            .values()
            .filter(|scheme| scheme.project.is_none());
        shared
            .map(|scheme| scheme.id + 1)
            .max()
            .unwrap_or(10_000)
            .max(10_000)
    }

    /// The name of a resolution.
    pub(super) fn resolution_name(&self, id: &str) -> String {
        let known = self.resolutions.iter().find(|(known, _)| known == id);
        known.map_or_else(|| "Unknown".to_owned(), |(_, name)| name.clone())
    }

    /// The ids of the workflows that some project uses.
    pub(super) fn active(&self, schemes: impl Iterator<Item = u64>) -> BTreeSet<&str> {
        schemes
            .filter_map(|id| self.schemes.get(&id))
            .flat_map(WorkflowScheme::workflow_ids)
            .collect()
    }
}

impl Jira {
    /// The workflow of an issue type in a project.
    pub(super) fn workflow_of(&self, project: u64, kind: &str) -> Option<&Workflow> {
        let project = self.projects.get(&project)?;
        let scheme = self.workflows.schemes.get(&project.workflow_scheme)?;
        self.workflows.all.get(scheme.workflow_for(kind))
    }

    /// All statuses of the site, by id.
    pub fn statuses(&self) -> impl Iterator<Item = &Status> {
        self.workflows.statuses.values()
    }

    /// A status of the site by name, upper and lower case alike; those of team-managed projects come last.
    pub fn status_named(&self, name: &str) -> Option<&Status> {
        let mut fitting: Vec<&Status> = self
            .statuses()
            .filter(|status| status.name.eq_ignore_ascii_case(name))
            .collect();
        fitting.sort_by_key(|status| status.project);
        fitting.first().copied()
    }

    /// The name of a status, or its id as text.
    pub fn status_name(&self, id: u64) -> String {
        let known = self.workflows.statuses.get(&id);
        known.map_or_else(|| id.to_string(), |status| status.name.clone())
    }

    /// A status by id.
    pub fn status(&self, id: u64) -> Option<&Status> {
        self.workflows.statuses.get(&id)
    }

    /// The workflow of a project's tasks.
    pub fn workflow(&self, project_key: &str) -> Option<&Workflow> {
        let project = self.project(project_key)?.id;
        self.workflow_of(project, super::meta::TASK_TYPE_ID)
    }

    /// Gives a project a workflow of its own, as an administrator may: holes are opened with it. Issues keep their
    /// statuses.
    pub fn use_workflow(&mut self, project_key: &str, mut workflow: Workflow) {
        self.name_transitions(&mut workflow);
        let Some(project) = self.project(project_key).map(|project| project.id) else {
            return;
        };
        let scheme = WorkflowScheme {
            id: self.workflows.next_scheme_id(),
            name: format!("{project_key}: {}", workflow.name),
            default: workflow.id.clone(),
            ..WorkflowScheme::default()
        };
        if let Some(project) = self.projects.get_mut(&project) {
            project.workflow_scheme = scheme.id;
        }
        self.workflows.schemes.insert(scheme.id, scheme);
        self.workflows.all.insert(workflow.id.clone(), workflow);
    }

    /// Changes the workflow of a project's tasks in place, as an administrator may.
    pub fn workflow_mut(&mut self, project_key: &str) -> Option<&mut Workflow> {
        let id = self.workflow(project_key)?.id.clone();
        self.workflows.all.get_mut(&id)
    }
}
