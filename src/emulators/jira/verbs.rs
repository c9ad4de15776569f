//! What people do in Jira's user interface, without HTTP. Their permissions and the workflow bind them; only
//! `force_status` is the hole that an administrator made.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::changes::{Alteration, Stamp};
use super::edits::Edit;
use super::fields::comment_body;
use super::reply::Reply;
use super::transitions::Asked;
use super::workflows::Category;
use super::workflows::condition::Attempt;
use super::{Jira, adf};
use crate::emulators::journal::Journal;

impl Jira {
    /// Takes a transition into the named status, if one is open to the person. A screen is filled with the first
    /// resolution.
    ///
    /// # Errors
    /// Jira's text, when the issue is gone or no transition leads there for this person now.
    pub fn transition_as(
        &mut self,
        who: &str,
        key: &str,
        to_status_name: &str,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Result<(), String> {
        let id = self.issue_id(key).ok_or_else(|| gone(key))?;
        self.account(who)
            .ok_or_else(|| format!("No user has the account id {who}."))?;
        let mut refused = format!("No transition leads to {to_status_name}.");
        for transition in self.transitions_into(id, to_status_name) {
            let asked = Asked {
                account: who,
                issue: id,
                transition: &transition,
                by_api: false,
                now,
            };
            match self.open_transition(asked) {
                Ok(chosen) => {
                    let fields = self.screen_fields(&chosen).unwrap_or_default();
                    let first = self.workflows.resolutions.first();
                    let edits: Vec<Edit> = fields
                        .iter()
                        .filter(|field| field.as_str() == "resolution")
                        .map(|_| Edit::Resolution(first.map(|(id, _)| id.clone())))
                        .collect();
                    let issue = self.issues.get(&id).ok_or_else(|| gone(key))?;
                    let attempt = Attempt {
                        account: who,
                        issue,
                        by_api: false,
                    };
                    self.validate_transition(&chosen, attempt, &edits)
                        .map_err(|refusal| shown(&refusal))?;
                    self.take_transition(&Stamp::new(who, now), id, &chosen, edits, None, journal);
                    return Ok(());
                }
                Err(text) => refused = text,
            }
        }
        Err(refused)
    }

    /// The ids of the transitions that enter a status of that name.
    fn transitions_into(&self, id: u64, name: &str) -> Vec<String> {
        let issue = self.issues.get(&id);
        let workflow = issue.and_then(|issue| self.workflow_of(issue.project, &issue.kind));
        let all = workflow.map_or(&[][..], |workflow| &workflow.transitions);
        let enters = |to: Option<u64>| {
            to.and_then(|to| self.status(to))
                .is_some_and(|status| status.name.eq_ignore_ascii_case(name))
        };
        all.iter()
            .filter(|transition| enters(transition.to))
            .map(|transition| transition.id.clone())
            .collect()
    }

    /// Puts an issue into a status past every condition, as an edited workflow or a careless automation lets happen.
    /// Unknown issues and statuses are left alone.
    pub fn force_status(
        &mut self,
        who: &str,
        key: &str,
        to_status_name: &str,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        let status = self
            .status_named(to_status_name)
            .map(|status| (status.id, status.category));
        if let (Some(id), Some((to, category))) = (self.issue_id(key), status) {
            let first = self.workflows.resolutions.first().map(|(id, _)| id.clone());
            let resolution = first.filter(|_| category == Category::Done);
            let alteration = Alteration {
                status: Some(to),
                edits: vec![Edit::Resolution(resolution)],
                metadata: None,
            };
            self.alter(&Stamp::new(who, now), id, alteration, journal);
        }
    }

    /// Comments in plain text.
    ///
    /// # Errors
    /// When the issue is gone, the person may not comment, or the text is empty or too long.
    pub fn comment_as(
        &mut self,
        who: &str,
        key: &str,
        text: &str,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Result<(), String> {
        let id = self.allowed(who, key, "ADD_COMMENTS")?;
        let body = comment_body(&adf::from_text(text), false)?;
        let stamp = Stamp::new(who, now);
        self.add_comment(&stamp, id, body, BTreeMap::new(), Value::Null, journal);
        Ok(())
    }

    /// Edits with the body of `PUT /rest/api/3/issue/{issueIdOrKey}`, such as
    /// `{"fields": {"summary": "…"}, "update": {"labels": [{"remove": "x"}]}}`.
    ///
    /// # Errors
    /// When the issue is gone, the person may not edit, or a value breaks Jira's rules.
    pub fn edit_as(
        &mut self,
        who: &str,
        key: &str,
        body: &Value,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Result<(), String> {
        let id = self.allowed(who, key, "EDIT_ISSUES")?;
        let project = self.issues.get(&id).map_or(0, |issue| issue.project);
        let edits: Vec<Edit> = self
            .read_edits(body, project, false, false)
            .map_err(|refusal| shown(&refusal))?;
        self.edit(&Stamp::new(who, now), id, edits, journal);
        Ok(())
    }

    /// Deletes an issue for good.
    ///
    /// # Errors
    /// When the issue is gone or the person may not delete.
    pub fn delete_as(
        &mut self,
        who: &str,
        key: &str,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Result<(), String> {
        let id = self.allowed(who, key, "DELETE_ISSUES")?;
        self.remove_issue(&Stamp::new(who, now), id, journal);
        Ok(())
    }

    /// Moves an issue to another project and gives its new key.
    ///
    /// # Errors
    /// When the issue or the project does not exist, or the person may not move issues.
    pub fn move_project_as(
        &mut self,
        who: &str,
        key: &str,
        new_project: &str,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Result<String, String> {
        let id = self.allowed(who, key, "MOVE_ISSUES")?;
        let project = self
            .project(new_project)
            .ok_or_else(|| format!("No project has the key {new_project}."))?
            .id;
        if !self.may_in(who, "CREATE_ISSUES", project) {
            return Err(format!("{who} lacks CREATE_ISSUES in {new_project}."));
        }
        let kind = self.issues.get(&id).map(|issue| issue.kind.clone());
        let place = (project, kind.as_deref().unwrap_or_default());
        Ok(self.move_issue(&Stamp::new(who, now), id, place, journal))
    }

    fn allowed(&self, who: &str, key: &str, permission: &str) -> Result<u64, String> {
        let id = self.issue_id(key).ok_or_else(|| gone(key))?;
        if self.may_on_id(who, permission, id) {
            Ok(id)
        } else {
            Err(format!("{who} lacks {permission} for {key}."))
        }
    }
}

fn gone(key: &str) -> String {
    format!("{key} does not exist.")
}

fn shown(refusal: &Reply) -> String {
    refusal
        .body
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default()
}
