//! A pause: what the engine must not write for a while, who said so and why. Reading goes on.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::finding::Account;

/// How much is paused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseScope {
    /// Everything.
    All,
    /// The findings of one AWS account.
    Account(Account),
    /// The tickets of one Jira project, by its key.
    Project(String),
}

impl fmt::Display for PauseScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PauseScope::All => f.write_str("everything"),
            PauseScope::Account(id) => write!(f, "account {id}"),
            PauseScope::Project(key) => write!(f, "project {key}"),
        }
    }
}

/// One pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// How much.
    pub scope: PauseScope,
    /// Why, in the words of whoever paused.
    pub why: String,
    /// Who.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
}

impl Pause {
    /// Does it hold writes for this account and project?
    pub fn covers(&self, account: &str, project: &str) -> bool {
        match &self.scope {
            PauseScope::All => true,
            PauseScope::Account(id) => id == account,
            PauseScope::Project(key) => key == project,
        }
    }
}
