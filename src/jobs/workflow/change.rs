//! The difference as a value: old and new side by side. "Is it empty" names every field, so that a new one cannot be
//! forgotten.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::workflow::Holder;

use super::file::Part;
use super::shape::Shape;

/// Old and new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change<T> {
    /// As it is; `None`: it is not there.
    pub old: Option<T>,
    /// As it should be; `None`: it goes.
    pub new: Option<T>,
}

/// What a workflow that is there lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WorkflowChange {
    /// It has to be created.
    pub created: bool,
    /// Statuses that come.
    pub statuses_added: Vec<String>,
    /// Statuses that go: where their tickets go instead.
    pub statuses_removed: Vec<(String, String)>,
    /// Properties of statuses that go, as `status: property`.
    pub properties_removed: Vec<String>,
    /// Transitions by id.
    pub transitions: BTreeMap<String, Change<Shape>>,
}

/// A permission scheme's grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GrantsChange {
    /// It has to be created.
    pub created: bool,
    /// Permission, and who gets it.
    pub added: Vec<(String, String)>,
    /// Permission, and who loses it.
    pub removed: Vec<(String, String)>,
}

/// Who holds a role in a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldersChange {
    /// The role's name.
    pub role: String,
    /// Names of those who get it.
    pub added: Vec<String>,
    /// Names of those who lose it.
    pub removed: Vec<String>,
    #[serde(skip)]
    pub(super) part: Part,
    #[serde(skip)]
    pub(super) holders: BTreeSet<Holder>,
}

/// One project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProjectChange {
    /// Its workflow scheme.
    pub workflow_scheme: Option<Change<String>>,
    /// Where its tickets go: issue type, old status, new status.
    pub moved: Vec<(String, String, String)>,
    /// Its permission scheme.
    pub permission_scheme: Option<Change<String>>,
    /// Who holds which role.
    pub holders: Vec<HoldersChange>,
    /// Issues that are not ours: its people would lose the right to work on them.
    pub foreign_issues: u64,
}

impl ProjectChange {
    /// Nothing changes.
    pub fn is_empty(&self) -> bool {
        let ProjectChange {
            workflow_scheme,
            moved: _,
            permission_scheme,
            holders,
            foreign_issues: _,
        } = self;
        workflow_scheme.is_none() && permission_scheme.is_none() && holders.is_empty()
    }

    /// It would take the project from people who work on something else in it.
    pub fn is_shared(&self) -> bool {
        self.foreign_issues > 0
            && (self.workflow_scheme.is_some() || self.permission_scheme.is_some())
    }
}

/// The whole difference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Why nothing can be installed on this site.
    pub unfit: Option<String>,
    /// Project roles to create.
    pub roles: Vec<String>,
    /// Resolutions to create.
    pub resolutions: Vec<String>,
    /// Statuses to create.
    pub statuses: Vec<String>,
    /// The workflow.
    pub workflow: Option<WorkflowChange>,
    /// The workflow that the scheme gives to every issue type.
    pub workflow_scheme: Option<Change<String>>,
    /// The permission scheme.
    pub permission_scheme: Option<GrantsChange>,
    /// Projects that change, by key.
    pub projects: BTreeMap<String, ProjectChange>,
    /// Projects that follow already.
    pub in_step: usize,
    /// Projects that are left alone, with the reason.
    pub left_alone: BTreeMap<String, String>,
    /// What only a person can set right.
    pub notes: Vec<String>,
}

impl Diff {
    /// Jira follows the file.
    pub fn is_empty(&self) -> bool {
        let Diff {
            unfit: _,
            roles,
            resolutions,
            statuses,
            workflow,
            workflow_scheme,
            permission_scheme,
            projects,
            in_step: _,
            left_alone: _,
            notes: _,
        } = self;
        roles.is_empty()
            && resolutions.is_empty()
            && statuses.is_empty()
            && workflow.is_none()
            && workflow_scheme.is_none()
            && permission_scheme.is_none()
            && projects.is_empty()
    }

    /// Something for all projects changes.
    pub fn changes_what_is_shared(&self) -> bool {
        let shared = Diff {
            projects: BTreeMap::new(),
            ..self.clone()
        };
        !shared.is_empty()
    }
}
