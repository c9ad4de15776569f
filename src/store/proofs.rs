//! What is known of the rule in each project: who last proved it, or why it does not hold. The engine reads it at the
//! start of a run, because it may not read workflows itself.

use std::future::Future;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// It was tried, and what must be refused was.
    Proven,
    /// It was read, and nothing was found wrong; nobody tried.
    Read,
    /// It does not hold.
    Broken {
        /// One sentence for each hole.
        why: Vec<String>,
    },
    /// It cannot hold here: the project is of a kind, or the site on a plan, that knows no such rule.
    Impossible {
        /// Why.
        why: String,
    },
}

/// The verdict on one project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The project's key.
    pub project: String,
    /// When.
    pub at: Timestamp,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Remembers verdicts.
pub trait Proofs: Sync {
    /// All of them, by project.
    fn proofs(&self) -> impl Future<Output = Result<Vec<Proof>, StoreError>> + Send;

    /// Writes verdicts; each replaces the project's earlier one.
    fn put_proofs(&self, proofs: &[Proof]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Forgets the verdicts on these projects.
    fn forget_proofs(
        &self,
        projects: &[String],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
