//! What people see of an issue in Jira's user interface: the transitions that are open to them, texts without markup.
//! Changes nothing.

use serde_json::Value;

use super::workflows::Kind;
use super::workflows::condition::Attempt;
use super::{Jira, adf};

/// A transition that a person may take now.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Open {
    /// Id.
    pub id: String,
    /// Name, as on the button.
    pub name: String,
    /// Name of the status that it enters.
    pub to: String,
}

impl Jira {
    /// The transitions of an issue that are open to an account now.
    pub fn open_transitions(&self, account_id: &str, key: &str) -> Vec<Open> {
        let issue = self.issue(key);
        let workflow = issue.and_then(|issue| self.workflow_of(issue.project, &issue.kind));
        let (Some(issue), Some(workflow)) = (issue, workflow) else {
            return Vec::new();
        };
        let attempt = Attempt {
            account: account_id,
            issue,
            by_api: false,
        };
        let offered = workflow.transitions.iter().filter(|transition| {
            transition.kind != Kind::Initial && self.is_offered(transition, attempt)
        });
        offered
            .map(|transition| Open {
                id: transition.id.clone(),
                name: transition.name.clone(),
                to: self.status_name(transition.to.unwrap_or(issue.status)),
            })
            .collect()
    }
}

/// The plain text of an ADF document, one line for each block.
pub fn plain_text(document: &Value) -> String {
    adf::text(document)
}
