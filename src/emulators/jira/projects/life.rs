//! Projects come, change, are archived and go.

use serde_json::{Value, json};

use crate::emulators::jira::Jira;
use crate::emulators::jira::changes::Stamp;
use crate::emulators::jira::reply::{
    Outcome, Reply, created, field_refusal, no_content, ok, one_field, refusal,
};
use crate::emulators::jira::route::Call;

impl Jira {
    /// A template of the kind `…agility…` makes a team-managed project, the others a company-managed one.
    pub(crate) fn create_project(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let body = call.body.clone();
        let key = body["key"].as_str().unwrap_or_default().to_owned();
        let name = body["name"].as_str().unwrap_or_default().trim().to_owned();
        let mut errors = serde_json::Map::new();
        if !is_key(&key) {
            let text = "Project keys must start with an uppercase letter, followed by one or more uppercase alphanumeric characters.";
            errors.insert("projectKey".into(), json!(text));
        } else if let Some(known) = self.project(&key) {
            let text = format!("Project '{}' uses this project key.", known.name);
            errors.insert("projectKey".into(), json!(text));
        }
        if name.is_empty() {
            errors.insert(
                "projectName".into(),
                json!("You must specify a valid project name."),
            );
        } else if self
            .projects
            .values()
            .any(|project| project.name.eq_ignore_ascii_case(&name))
        {
            errors.insert(
                "projectName".into(),
                json!("A project with that name already exists."),
            );
        }
        let lead = body["leadAccountId"].as_str();
        if lead.is_none_or(|lead| self.account(lead).is_none()) {
            errors.insert(
                "projectLead".into(),
                json!("You must specify a valid project lead."),
            );
        }
        if !errors.is_empty() {
            return Err(field_refusal(errors));
        }
        let template = body["projectTemplateKey"].as_str().unwrap_or_default();
        let id = if template.contains("agility") {
            self.add_team_managed_project(&key, &name)
        } else {
            self.add_project(&key, &name)
        };
        self.choose_schemes(id, &body)?;
        if let Some(project) = self.projects.get_mut(&id) {
            project.lead = lead.map(ToOwned::to_owned);
        }
        let link = format!("{}/rest/api/{}/project/{id}", self.site, call.version);
        created(json!({"id": id, "key": key, "self": link}))
    }

    fn choose_schemes(&mut self, id: u64, body: &Value) -> Result<(), Reply> {
        let is_team_managed = self
            .projects
            .get(&id)
            .is_some_and(|project| project.is_team_managed);
        if is_team_managed {
            return Ok(());
        }
        let permission = body["permissionScheme"].as_u64();
        let workflow = body["workflowScheme"].as_u64();
        let knows = |known: bool, name: &str| {
            let text = "The scheme does not exist.";
            if known {
                Ok(())
            } else {
                Err(one_field(name, text))
            }
        };
        if let Some(scheme) = permission {
            knows(
                self.permissions.schemes.contains_key(&scheme),
                "permissionScheme",
            )?;
        }
        if let Some(scheme) = workflow {
            knows(
                self.workflows.schemes.contains_key(&scheme),
                "workflowScheme",
            )?;
        }
        if let Some(project) = self.projects.get_mut(&id) {
            project.permission_scheme = permission.unwrap_or(project.permission_scheme);
            project.workflow_scheme = workflow.unwrap_or(project.workflow_scheme);
        }
        Ok(())
    }

    /// Name and lead; a new key is not emulated.
    pub(crate) fn update_project(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.administered_project(call)?.id;
        let body = call.body.clone();
        if !body["key"].is_null() {
            return Err(refusal(
                501,
                "The emulator does not know new keys of projects.",
            ));
        }
        let lead = body["leadAccountId"].as_str();
        if lead.is_some_and(|lead| self.account(lead).is_none()) {
            return Err(one_field(
                "projectLead",
                "You must specify a valid project lead.",
            ));
        }
        self.choose_schemes(id, &body)?;
        if let Some(project) = self.projects.get_mut(&id) {
            if let Some(name) = body["name"].as_str() {
                name.trim().clone_into(&mut project.name);
            }
            if let Some(lead) = lead {
                project.lead = Some(lead.to_owned());
            }
        }
        self.get_project(call)
    }

    /// Its issues go with it, without webhooks of their own (Jira Cloud: webhooks).
    pub(crate) fn delete_project(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let id = self.visible_project(&call.user, call.param(0))?.id;
        let stamp = Stamp::new(&call.user.account_id, call.now);
        let issues: Vec<u64> = self
            .issues
            .values()
            .filter(|issue| issue.project == id)
            .map(|issue| issue.id)
            .collect();
        for issue in issues {
            self.forget_issue(&stamp, issue, call.journal);
        }
        self.projects.remove(&id);
        self.past_projects = self.past_projects.max(id + 1);
        no_content()
    }

    pub(crate) fn archive_project(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        self.set_archived(call, true)?;
        no_content()
    }

    pub(crate) fn restore_project(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        self.set_archived(call, false)?;
        let project = self.visible_project(&call.user, call.param(0))?;
        ok(self.project_json(project, call.version, true))
    }

    fn set_archived(&mut self, call: &Call<'_>, is_archived: bool) -> Result<(), Reply> {
        let id = self.visible_project(&call.user, call.param(0))?.id;
        if let Some(project) = self.projects.get_mut(&id) {
            project.is_archived = is_archived;
        }
        Ok(())
    }
}

/// Two to ten characters (Jira REST v3: create project).
fn is_key(key: &str) -> bool {
    let upper = |c: char| c.is_ascii_uppercase();
    (2..=10).contains(&key.len())
        && key.starts_with(upper)
        && key
            .chars()
            .all(|c| upper(c) || c.is_ascii_digit() || c == '_')
}
