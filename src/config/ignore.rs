//! `[ignore]`: where reviewed ignore rules are, and what is asked of them.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Secret;

/// `[ignore]`: rules in a Git repository, read from its protected branch only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// The repository on GitHub, as `owner/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// A clone on this machine instead: the branch is read as it was last fetched, never the working tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout: Option<PathBuf>,
    /// There are no rules any more: everything that they hid is shown again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub none: bool,
    /// The branch that only reviewed pull requests change.
    #[serde(default = "default_branch")]
    pub branch: String,
    /// The folder with the files of rules, `*.toml`, in any depth.
    #[serde(default = "default_folder")]
    pub folder: String,
    /// GitHub's API: another address for an own server, such as `https://github.example.com/api/v3`.
    #[serde(default = "default_url")]
    pub url: String,
    /// A GitHub token, by reference. Reading needs contents, pull requests and metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// A GitHub App instead of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<GitHubApp>,
    /// The longest time to expiry of a rule, in days.
    #[serde(default = "default_days_max")]
    #[schemars(range(min = 1, max = 3650))]
    pub days_max: u16,
    /// Rules, by id, that may last longer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub longer: Vec<String>,
    /// Who must approve changes of rules, as CODEOWNERS names them: `@org/team` or `@user`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// A rule that hides more findings than this is warned about.
    #[serde(default = "default_findings_max")]
    pub findings_max: u32,
    /// The login whose comment on a pull request is kept up to date.
    #[serde(default = "default_comments_by")]
    pub comments_by: String,
}

/// `[ignore.app]`: a GitHub App that is installed for the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitHubApp {
    /// The App's id or client id.
    pub id: String,
    /// The installation's id.
    pub installation: u64,
    /// The App's private key (PEM), by reference.
    pub private_key: Secret,
}

fn default_branch() -> String {
    "main".to_owned()
}

fn default_folder() -> String {
    "ignore".to_owned()
}

fn default_url() -> String {
    "https://api.github.com".to_owned()
}

fn default_days_max() -> u16 {
    180
}

fn default_findings_max() -> u32 {
    50
}

fn default_comments_by() -> String {
    "github-actions[bot]".to_owned()
}

impl Ignore {
    /// What is asked of rules.
    pub fn policy(&self) -> crate::ignore::Policy {
        crate::ignore::Policy {
            days_max: i32::from(self.days_max),
            longer: self.longer.iter().cloned().collect(),
        }
    }

    /// The two parts of `owner/name`.
    pub fn owner_and_name(&self) -> Option<(&str, &str)> {
        self.repository.as_deref()?.split_once('/')
    }
}
