//! What the engine remembers of ignore rules: the last ones that could be used, where each came from, and what people
//! were told once.

use std::collections::BTreeMap;
use std::future::Future;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::model::RuleOrigin;

/// One file of rules as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedFile {
    /// Path from the root of the repository.
    pub path: String,
    /// The content's id in Git.
    pub sha: String,
    /// The whole text.
    pub text: String,
}

/// The rules at the last commit at which all of them could be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedRules {
    /// Repository, branch and folder: another source starts anew.
    pub source: String,
    /// The commit.
    pub commit: String,
    /// To ask GitHub with whether the branch has moved.
    pub etag: Option<String>,
    /// When they were read first at this commit.
    pub read_at: Timestamp,
    /// The files.
    pub files: Vec<RememberedFile>,
    /// Where each rule's text came from, by the rule's fingerprint.
    pub origins: BTreeMap<String, RuleOrigin>,
    /// A hash over the live rules that a full run has applied last.
    pub applied: Option<String>,
}

/// The memory of rules. Every method is one transaction.
pub trait RuleMemory: Sync {
    /// The last rules that could be used; `None` before the first.
    fn remembered_rules(
        &self,
    ) -> impl Future<Output = Result<Option<RememberedRules>, StoreError>> + Send;
    /// Takes the place of what was remembered.
    fn remember_rules(
        &self,
        rules: &RememberedRules,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Forgets them: their end was asked for.
    fn forget_rules(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Of these keys, the ones of which people were told.
    fn told(&self, keys: &[String])
    -> impl Future<Output = Result<Vec<String>, StoreError>> + Send;
    /// People were told.
    fn set_told(
        &self,
        keys: &[String],
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
