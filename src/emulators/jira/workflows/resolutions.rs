//! Resolutions of the site.

use serde_json::{Value, json};

use crate::emulators::jira::reply::{Outcome, Reply, created, ok, one_field, refusal};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::{Jira, render};

impl Jira {
    pub(crate) fn resolution_json(&self, id: &str, version: &str) -> Value {
        json!({
            "self": format!("{}/rest/api/{version}/resolution/{id}", self.site), "id": id, "description": "",
            "name": self.workflows.resolution_name(id),
        })
    }

    pub(crate) fn get_resolutions(&mut self, call: &mut Call<'_>) -> Outcome {
        let all = self.workflows.resolutions.iter();
        ok(all
            .map(|(id, _)| self.resolution_json(id, call.version))
            .collect())
    }

    pub(crate) fn search_resolutions(&mut self, call: &mut Call<'_>) -> Outcome {
        let ids = call.query_list("id");
        let rows = self
            .workflows
            .resolutions
            .iter()
            .filter(|(id, _)| ids.is_empty() || ids.contains(id))
            .map(|(id, name)| json!({"id": id, "name": name, "description": ""}))
            .collect();
        let link = format!("{}/rest/api/{}/resolution/search", self.site, call.version);
        ok(render::page(&link, call.page(50, 50)?, rows))
    }

    pub(crate) fn get_resolution(&mut self, call: &mut Call<'_>) -> Outcome {
        let known = self
            .resolution_called(call.param(0))
            .ok_or_else(no_resolution)?;
        ok(self.resolution_json(&known, call.version))
    }

    pub(crate) fn create_resolution(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let name = call.body["name"].as_str().unwrap_or_default().trim();
        if name.is_empty() || name.chars().count() > 60 {
            let text = "The name of a resolution must have 1 to 60 characters.";
            return Err(one_field("name", text));
        }
        if self.resolution_called(name).is_some() {
            let text = "A resolution with this name already exists.";
            return Err(one_field("name", text));
        }
        let ids = self.workflows.resolutions.iter();
        let last = ids.filter_map(|(id, _)| id.parse::<u64>().ok()).max();
        let id = (last.unwrap_or(9_999) + 1).to_string();
        self.workflows
            .resolutions
            .push((id.clone(), name.to_owned()));
        created(json!({ "id": id }))
    }

    /// The id of a resolution by id or by name.
    pub(crate) fn resolution_called(&self, text: &str) -> Option<String> {
        let mut all = self.workflows.resolutions.iter();
        all.find(|(id, name)| id == text || name.eq_ignore_ascii_case(text))
            .map(|(id, _)| id.clone())
    }
}

fn no_resolution() -> Reply {
    refusal(404, "The resolution does not exist.")
}
