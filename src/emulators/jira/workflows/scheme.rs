//! Workflow schemes: which issue type of a project follows which workflow. The operations on schemes themselves; which
//! project has which is elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::emulators::jira::issues::strings;
use crate::emulators::jira::reply::{
    Outcome, Reply, bad_payload, created, no_content, ok, one_field, refusal,
};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::workflows::model::{Version, Workflow};
use crate::emulators::jira::{Jira, render};

/// A workflow scheme.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkflowScheme {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Workflow id.
    pub(crate) default: String,
    /// Workflow ids by issue type id.
    pub(crate) by_type: BTreeMap<String, String>,
    pub(crate) version: Version,
    /// The team-managed project whose own it is: no scheme operation shows it.
    pub(crate) project: Option<u64>,
}

impl WorkflowScheme {
    pub(crate) fn workflow_for(&self, kind: &str) -> &str {
        self.by_type.get(kind).unwrap_or(&self.default)
    }

    pub(crate) fn workflow_ids(&self) -> impl Iterator<Item = &str> {
        let by_type = self.by_type.values().map(String::as_str);
        by_type.chain([self.default.as_str()])
    }
}

impl Jira {
    pub(crate) fn shared_workflow_scheme(&self, id: &str) -> Result<&WorkflowScheme, Reply> {
        id.parse()
            .ok()
            .and_then(|id: u64| self.workflows.schemes.get(&id))
            .filter(|scheme| scheme.project.is_none())
            .ok_or_else(|| refusal(404, "The requested workflow scheme was not found."))
    }

    fn workflow_name<'a>(&'a self, id: &'a str) -> &'a str {
        let known = self.workflows.all.get(id);
        known.map_or(id, |workflow| workflow.name.as_str())
    }

    /// The classic form: workflows by name (Jira REST v3: WorkflowScheme).
    pub(crate) fn workflow_scheme_json(&self, scheme: &WorkflowScheme, version: &str) -> Value {
        let by_type: Map<String, Value> = scheme
            .by_type
            .iter()
            .map(|(kind, workflow)| (kind.clone(), json!(self.workflow_name(workflow))))
            .collect();
        json!({
            "id": scheme.id, "name": scheme.name, "description": scheme.description, "draft": false,
            "self": format!("{}/rest/api/{version}/workflowscheme/{}", self.site, scheme.id),
            "defaultWorkflow": self.workflow_name(&scheme.default), "issueTypeMappings": by_type,
        })
    }

    pub(crate) fn get_workflow_schemes(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let shared = self.workflows.schemes.values();
        let rows = shared
            .filter(|scheme| scheme.project.is_none())
            .map(|scheme| self.workflow_scheme_json(scheme, call.version))
            .collect();
        let link = format!("{}/rest/api/{}/workflowscheme", self.site, call.version);
        ok(render::page(&link, call.page(50, 200)?, rows))
    }

    pub(crate) fn get_workflow_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let scheme = self.shared_workflow_scheme(call.param(0))?;
        ok(self.workflow_scheme_json(scheme, call.version))
    }

    pub(crate) fn create_workflow_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let mut scheme = WorkflowScheme {
            id: self.workflows.next_scheme_id(),
            default: self.fallback_workflow(),
            version: Version {
                id: self.new_uuid(),
                version_number: 1,
            },
            ..WorkflowScheme::default()
        };
        self.fill_scheme(&mut scheme, call)?;
        let body = self.workflow_scheme_json(&scheme, call.version);
        self.workflows.schemes.insert(scheme.id, scheme);
        created(body)
    }

    /// A scheme that projects use is changed through a draft, which the emulator does not know, or through
    /// `workflowscheme/update` (Jira REST v3: classic update workflow scheme).
    pub(crate) fn update_workflow_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let mut scheme = self.shared_workflow_scheme(call.param(0))?.clone();
        let is_active = self
            .projects
            .values()
            .any(|p| p.workflow_scheme == scheme.id);
        if is_active && call.body["updateDraftIfNeeded"] == json!(true) {
            let text =
                "The emulator does not know drafts of workflow schemes: use workflowscheme/update.";
            return Err(refusal(501, text));
        }
        let changes_mappings = ["defaultWorkflow", "issueTypeMappings"]
            .iter()
            .any(|member| !call.body[member].is_null());
        if is_active && changes_mappings {
            let text = "The workflow scheme is active and cannot be changed without a draft.";
            return Err(refusal(400, text));
        }
        self.fill_scheme(&mut scheme, call)?;
        scheme.version = self.next_version(&scheme.version);
        let body = self.workflow_scheme_json(&scheme, call.version);
        self.workflows.schemes.insert(scheme.id, scheme);
        ok(body)
    }

    pub(crate) fn next_version(&mut self, version: &Version) -> Version {
        Version {
            id: self.new_uuid(),
            version_number: version.version_number + 1,
        }
    }

    fn fallback_workflow(&self) -> String {
        let fallback = self.workflows.schemes.get(&self.workflows.fallback);
        fallback
            .map(|scheme| scheme.default.clone())
            .unwrap_or_default()
    }

    fn fill_scheme(&self, scheme: &mut WorkflowScheme, call: &Call<'_>) -> Result<(), Reply> {
        let body = &call.body;
        if let Some(name) = body["name"]
            .as_str()
            .or(scheme.name.is_empty().then_some(""))
        {
            scheme.name = self.new_workflow_scheme_name(name, scheme.id)?;
        }
        if let Some(text) = body["description"].as_str() {
            text.clone_into(&mut scheme.description);
        }
        if let Some(name) = body["defaultWorkflow"].as_str() {
            scheme.default = self.workflow_called(name)?;
        }
        if let Some(mappings) = body["issueTypeMappings"].as_object() {
            scheme.by_type.clear();
            for (kind, name) in mappings {
                if !self.has_issue_type(kind) {
                    let text = format!("The issue type {kind} does not exist.");
                    return Err(one_field("issueTypeMappings", text));
                }
                let workflow = self.workflow_called(name.as_str().unwrap_or_default())?;
                scheme.by_type.insert(kind.clone(), workflow);
            }
        }
        Ok(())
    }

    pub(crate) fn new_workflow_scheme_name(&self, name: &str, own: u64) -> Result<String, Reply> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 255 {
            let text = "The name of a workflow scheme must have 1 to 255 characters.";
            return Err(one_field("name", text));
        }
        let mut others = self.workflows.schemes.values();
        if others.any(|scheme| scheme.id != own && scheme.name.eq_ignore_ascii_case(name)) {
            let text = "A workflow scheme with this name already exists.";
            return Err(one_field("name", text));
        }
        Ok(name.to_owned())
    }

    /// The id of a workflow of the site by name.
    fn workflow_called(&self, name: &str) -> Result<String, Reply> {
        let mut shared = self.workflows.all.values();
        shared
            .find(|workflow| workflow.project.is_none() && workflow.name == name)
            .map(|workflow| workflow.id.clone())
            .ok_or_else(|| refusal(400, format!("The workflow '{name}' does not exist.")))
    }

    pub(crate) fn delete_workflow_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let id = self.shared_workflow_scheme(call.param(0))?.id;
        if self.projects.values().any(|p| p.workflow_scheme == id) || id == self.workflows.fallback
        {
            let text = "The workflow scheme is active and cannot be deleted.";
            return Err(refusal(400, text));
        }
        self.workflows.schemes.remove(&id);
        no_content()
    }

    pub(crate) fn get_projects_of_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let id = self.shared_workflow_scheme(call.param(0))?.id;
        let projects = self.projects.values();
        let rows: Vec<Value> = projects
            .filter(|project| project.workflow_scheme == id)
            .map(|project| json!({"id": project.id.to_string()}))
            .collect();
        ok(json!({"workflowSchemeId": id.to_string(), "projects": {"values": rows}}))
    }

    /// The newer form: workflows by id, with versions (Jira REST v3: bulk get workflow schemes).
    pub(crate) fn read_workflow_schemes(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        call.require_closed(&["projectIds", "workflowSchemeIds"])?;
        let ids = strings(&call.body["workflowSchemeIds"]);
        let projects = strings(&call.body["projectIds"]);
        if ids.is_empty() && projects.is_empty() {
            return Err(bad_payload());
        }
        let by_project: BTreeSet<u64> = self
            .projects
            .values()
            .filter(|project| projects.contains(&project.id.to_string()))
            .map(|project| project.workflow_scheme)
            .collect();
        let fits = |scheme: &&WorkflowScheme| {
            by_project.contains(&scheme.id)
                || (scheme.project.is_none() && ids.contains(&scheme.id.to_string()))
        };
        let found = self.workflows.schemes.values().filter(fits);
        ok(found
            .map(|scheme| self.scheme_with_versions(scheme))
            .collect())
    }

    fn scheme_with_versions(&self, scheme: &WorkflowScheme) -> Value {
        let metadata = |workflow: &Workflow| {
            json!({
                "id": workflow.id, "name": workflow.name, "description": workflow.description,
                "version": workflow.version,
            })
        };
        let mut types: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (kind, workflow) in &scheme.by_type {
            types.entry(workflow).or_default().push(kind);
        }
        let rows: Vec<Value> = types
            .into_iter()
            .filter_map(|(workflow, kinds)| {
                let workflow = self.workflows.all.get(workflow)?;
                Some(json!({"issueTypeIds": kinds, "workflow": metadata(workflow)}))
            })
            .collect();
        let scope = match scheme.project {
            None => json!({"type": "GLOBAL"}),
            Some(project) => json!({"type": "PROJECT", "project": {"id": project.to_string()}}),
        };
        let mut body = json!({
            "id": scheme.id.to_string(), "name": scheme.name, "description": scheme.description, "scope": scope,
            "version": scheme.version, "workflowsForIssueTypes": rows,
        });
        if let Some(workflow) = self.workflows.all.get(&scheme.default) {
            body["defaultWorkflow"] = metadata(workflow);
        }
        body
    }
}
