//! `[jira.admin]`, `[jira.workflow]`, `[jira.verify]`: who sets the workflow up, which one it is, and who proves it.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Secret;

/// A Jira account: e-mail address and API token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The account's address.
    pub email: String,
    /// Its API token, by reference.
    pub token: Secret,
}

/// Whose the workflow is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowKind {
    /// Ours: `asaf workflow apply` installs it.
    #[default]
    Asaf,
    /// The site's own, mapped by `[jira.statuses]`: nothing is installed, `asaf workflow verify` proves it.
    Own,
    /// Nothing keeps product teams from closing. Such a close is undone and told to security, and every run says so.
    Advisory,
}

/// `[jira.workflow]`: which workflow the tickets follow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Workflow {
    /// Whose it is: `asaf`, `own` or `advisory`.
    pub kind: WorkflowKind,
    /// A workflow file to install in place of the built-in one, which `asaf workflow show` prints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// `[jira.verify]`: test users, with whom `asaf workflow verify` tries what must be refused. They must belong to
/// nobody: what they do in Jira is theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// A member of a product team.
    pub product: Login,
    /// A reviewer.
    pub reviewer: Login,
    /// The key of a project in which is tried; it must have the schemes of the others. Without it one project of each
    /// kind is tried in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}
