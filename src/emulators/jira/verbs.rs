//! What people do in Jira's user interface, without HTTP. Their permissions and the workflow bind them; only
//! `force_status` is the hole that an administrator made.

use jiff::Timestamp;
use serde_json::Value;

use super::changes::Stamp;
use super::fields::{Edit, comment_body};
use super::reply::Reply;
use super::workflow::{Category, RESOLUTIONS, Resolution};
use super::{Jira, adf};
use crate::emulators::journal::Journal;

impl Jira {
    /// Takes a transition into the named status, if one is open to the person.
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
        let user = self
            .account(who)
            .ok_or_else(|| format!("No user has the account id {who}."))?;
        let role = user.role;
        let status = self.workflow.status_named(to_status_name);
        let to = status
            .ok_or_else(|| format!("No status is called {to_status_name}."))?
            .id;
        let into: Vec<String> = self
            .workflow
            .transitions
            .iter()
            .filter(|t| t.to == to)
            .map(|t| t.id.to_string())
            .collect();
        let mut refused = format!("No transition leads to {to_status_name}.");
        for transition in into {
            match self.open_transition(who, role, id, &transition, now) {
                Ok(chosen) => {
                    self.set_status(&stamp(who, now), id, to, &chosen.resolution, None, journal);
                    return Ok(());
                }
                Err(text) => refused = text,
            }
        }
        Err(refused)
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
            .workflow
            .status_named(to_status_name)
            .map(|status| (status.id, status.category));
        if let (Some(id), Some((to, category))) = (self.issue_id(key), status) {
            let resolution = if category == Category::Done {
                Resolution::Set(RESOLUTIONS[0].0)
            } else {
                Resolution::Clear
            };
            self.set_status(&stamp(who, now), id, to, &resolution, None, journal);
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
        self.add_comment(
            &stamp(who, now),
            id,
            body,
            Value::Array(Vec::new()),
            journal,
        );
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
        let edits: Vec<Edit> = self
            .read_edits(body, false, false)
            .map_err(|refusal| shown(&refusal))?;
        self.edit(&stamp(who, now), id, edits, journal);
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
        self.remove_issue(&stamp(who, now), id, journal);
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
        Ok(self.move_issue(&stamp(who, now), id, project, journal))
    }

    fn allowed(&self, who: &str, key: &str, permission: &str) -> Result<u64, String> {
        let id = self.issue_id(key).ok_or_else(|| gone(key))?;
        if self.may(who, permission) {
            Ok(id)
        } else {
            Err(format!("{who} lacks {permission} for {key}."))
        }
    }
}

fn stamp(who: &str, at: Timestamp) -> Stamp {
    Stamp {
        account: who.to_owned(),
        at,
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
