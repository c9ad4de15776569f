//! The operations on statuses and their categories.

use serde_json::{Value, json};

use crate::emulators::jira::issues::strings;
use crate::emulators::jira::reply::{Outcome, Reply, bad_payload, no_content, ok, refusal};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::workflows::model::{Category, Status};
use crate::emulators::jira::workflows::read::status_details_json;
use crate::emulators::jira::{Jira, render};

/// Most statuses in one request (Jira REST v3: statuses).
const STATUSES_MOST: usize = 50;
/// Most characters of a status name (Jira REST v3: status).
pub(crate) const NAME_MOST: usize = 60;

pub(crate) fn category_json(category: Category, site: &str, version: &str) -> Value {
    let (id, key, name, colour) = category.parts();
    json!({
        "self": format!("{site}/rest/api/{version}/statuscategory/{id}"),
        "id": id, "key": key, "name": name, "colorName": colour,
    })
}

pub(crate) fn status_json(status: &Status, site: &str, version: &str) -> Value {
    let mut body = json!({
        "self": format!("{site}/rest/api/{version}/status/{}", status.id),
        "description": status.description,
        "iconUrl": format!("{site}/images/icons/statuses/generic.png"),
        "name": status.name,
        "id": status.id.to_string(),
        "statusCategory": category_json(status.category, site, version),
    });
    if let Some(project) = status.project {
        body["scope"] = json!({"type": "PROJECT", "project": {"id": project.to_string()}});
    }
    body
}

impl Jira {
    /// The statuses of active workflows (Jira REST v3: get all statuses).
    pub(crate) fn get_statuses(&mut self, call: &mut Call<'_>) -> Outcome {
        let active = self.active_workflows();
        let is_used = |id: u64| {
            let mut used = active.iter().filter_map(|id| self.workflows.all.get(id));
            used.any(|workflow| workflow.has_status(id))
        };
        let shown = self.statuses().filter(|status| is_used(status.id));
        ok(shown
            .map(|status| status_json(status, &self.site, call.version))
            .collect())
    }

    pub(crate) fn get_status(&mut self, call: &mut Call<'_>) -> Outcome {
        let asked = call.param(0);
        let by_id = asked.parse().ok().and_then(|id| self.status(id));
        let status = by_id.or_else(|| self.status_named(asked));
        let text = format!("The status with the id or name '{asked}' does not exist.");
        let status = status.ok_or_else(|| refusal(404, text))?;
        ok(status_json(status, &self.site, call.version))
    }

    pub(crate) fn get_status_categories(&mut self, call: &mut Call<'_>) -> Outcome {
        let categories = [Category::New, Category::Indeterminate, Category::Done];
        ok(categories
            .into_iter()
            .map(|category| category_json(category, &self.site, call.version))
            .collect())
    }

    pub(crate) fn get_status_category(&mut self, call: &mut Call<'_>) -> Outcome {
        let asked = call.param(0);
        let fits = |category: &Category| {
            let (id, key, ..) = category.parts();
            id.to_string() == asked || key == asked
        };
        let all = [Category::New, Category::Indeterminate, Category::Done];
        let found = all.into_iter().find(fits);
        let found = found.ok_or_else(|| refusal(404, "The status category does not exist."))?;
        ok(category_json(found, &self.site, call.version))
    }

    /// What is not found is left out (Jira REST v3: bulk get statuses).
    pub(crate) fn get_statuses_by_id(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        let ids = call.query_list("id");
        if ids.is_empty() || ids.len() > STATUSES_MOST {
            return Err(refusal(400, "1 to 50 status ids must be given."));
        }
        let found = ids.iter().filter_map(|id| self.status(id.parse().ok()?));
        ok(found.map(status_details_json).collect())
    }

    pub(crate) fn get_statuses_by_name(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        let names = call.query_list("name");
        let project: Option<u64> = call.query("projectId").and_then(|id| id.parse().ok());
        let found = self.statuses().filter(|status| {
            names.contains(&status.name) && (status.project.is_none() || status.project == project)
        });
        ok(found.map(status_details_json).collect())
    }

    pub(crate) fn search_statuses(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        let project: Option<u64> = call.query("projectId").and_then(|id| id.parse().ok());
        let wanted = call
            .query("searchString")
            .unwrap_or_default()
            .to_lowercase();
        let category = call.query("statusCategory").and_then(Category::named);
        let rows = self
            .statuses()
            .filter(|status| {
                status.project == project
                    && status.name.to_lowercase().contains(&wanted)
                    && category.is_none_or(|category| status.category == category)
            })
            .map(status_details_json)
            .collect();
        let link = format!("{}/rest/api/{}/statuses/search", self.site, call.version);
        ok(render::page(&link, call.page(200, 200)?, rows))
    }

    pub(crate) fn create_statuses(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        call.require_closed(&["scope", "statuses"])?;
        let project = self.read_scope(&call.body["scope"])?;
        let given = call.body["statuses"]
            .as_array()
            .cloned()
            .ok_or_else(bad_payload)?;
        if given.is_empty() || given.len() > STATUSES_MOST {
            return Err(refusal(400, "1 to 50 statuses must be given."));
        }
        let mut fresh: Vec<(String, String, Category)> = Vec::new();
        for status in &given {
            let (name, category) = self.read_status(status, project, None)?;
            if fresh
                .iter()
                .any(|(known, ..)| known.eq_ignore_ascii_case(&name))
            {
                return Err(taken(&name));
            }
            let description = status["description"].as_str().unwrap_or_default();
            fresh.push((name, description.to_owned(), category));
        }
        let ids: Vec<u64> = fresh
            .into_iter()
            .map(|(name, description, category)| {
                let id = self.take_status_id();
                self.add_status(id, &name, category, project);
                if let Some(status) = self.workflows.statuses.get_mut(&id) {
                    status.description = description;
                }
                id
            })
            .collect();
        let created = ids.iter().filter_map(|id| self.status(*id));
        ok(created.map(status_details_json).collect())
    }

    pub(crate) fn update_statuses(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        call.require_closed(&["statuses"])?;
        let given = call.body["statuses"]
            .as_array()
            .cloned()
            .ok_or_else(bad_payload)?;
        let mut changes = Vec::new();
        for status in &given {
            let id = status["id"].as_str().and_then(|id| id.parse().ok());
            let known = id.and_then(|id| self.status(id));
            let known = known.ok_or_else(|| refusal(400, "The status does not exist."))?;
            let (name, category) = self.read_status(status, known.project, Some(known.id))?;
            let description = status["description"].as_str().map(ToOwned::to_owned);
            changes.push((known.id, name, category, description));
        }
        for (id, name, category, description) in changes {
            if let Some(status) = self.workflows.statuses.get_mut(&id) {
                (status.name, status.category) = (name, category);
                status.description = description.unwrap_or_else(|| status.description.clone());
            }
        }
        no_content()
    }

    /// A status that a workflow uses stays (Jira REST v3: bulk delete statuses).
    pub(crate) fn delete_statuses(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        let ids: Vec<u64> = call
            .query_list("id")
            .iter()
            .filter_map(|id| id.parse().ok())
            .filter(|id| self.workflows.statuses.contains_key(id))
            .collect();
        if ids.is_empty() {
            return Err(refusal(400, "The status does not exist."));
        }
        let mut workflows = self.workflows.all.values();
        if workflows.any(|workflow| ids.iter().any(|id| workflow.has_status(*id))) {
            return Err(refusal(400, "The status is used by a workflow."));
        }
        for id in strings(&json!(ids)) {
            self.workflows.statuses.remove(&id.parse().unwrap_or(0));
        }
        no_content()
    }

    /// `None` for the whole site, or the id of a team-managed project.
    pub(crate) fn read_scope(&self, scope: &Value) -> Result<Option<u64>, Reply> {
        match scope["type"].as_str() {
            Some("GLOBAL") => Ok(None),
            Some("PROJECT") => {
                let id = scope["project"]["id"].as_str().unwrap_or_default();
                let project = self.project(id).filter(|p| p.is_team_managed());
                let text = "The scope must name a team-managed project.";
                Ok(Some(project.ok_or_else(|| refusal(400, text))?.id))
            }
            _ => Err(bad_payload()),
        }
    }

    fn read_status(
        &self,
        status: &Value,
        project: Option<u64>,
        own: Option<u64>,
    ) -> Result<(String, Category), Reply> {
        let name = status["name"].as_str().unwrap_or_default().trim();
        let category = status["statusCategory"].as_str().and_then(Category::named);
        let category = category.ok_or_else(bad_payload)?;
        if name.is_empty() || name.chars().count() > NAME_MOST {
            let text = "The name of a status must have 1 to 60 characters.";
            return Err(refusal(400, text));
        }
        match self.status_in_scope(name, project) {
            Some(known) if Some(known.id) != own => Err(taken(name)),
            _ => Ok((name.to_owned(), category)),
        }
    }

    /// A status by name among those of the site, or of one team-managed project.
    pub(crate) fn status_in_scope(&self, name: &str, project: Option<u64>) -> Option<&Status> {
        self.statuses()
            .find(|status| status.project == project && status.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn take_status_id(&self) -> u64 {
        let last = self.workflows.statuses.keys().max();
        last.map_or(10_000, |id| (id + 1).max(10_000))
    }
}

fn taken(name: &str) -> Reply {
    refusal(409, format!("The status name '{name}' is already in use."))
}
