//! Which project has which workflow scheme: assignment to empty projects, switches that move issues, and changes of a
//! scheme in use. Team-managed projects refuse them all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::emulators::jira::reply::{
    Outcome, Reply, bad_payload, field_refusal, no_content, ok, one_field, refusal,
};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::tasks::Work;
use crate::emulators::jira::workflows::model::Version;
use crate::emulators::jira::workflows::scheme::WorkflowScheme;
use crate::emulators::jira::{Jira, Project, team_managed};

/// New status ids by issue type and old status id.
type Mappings = BTreeMap<(String, u64), u64>;

impl Jira {
    /// The schemes of projects, grouped (Jira REST v3: get workflow scheme project associations).
    pub(crate) fn get_scheme_associations(&mut self, call: &mut Call<'_>) -> Outcome {
        if !self.is_admin(&call.user.account_id) {
            let text = "Only Jira administrators can access workflow scheme associations.";
            return Err(refusal(403, text));
        }
        let asked = call.query_list("projectId");
        if asked.is_empty() {
            let text = "The ID of a project has to be provided.";
            return Err(one_field("projectId", text));
        }
        let mut groups: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for project in asked.iter().filter_map(|id| self.project(id)) {
            if !project.is_team_managed() {
                let ids = groups.entry(project.workflow_scheme).or_default();
                ids.push(project.id.to_string());
            }
        }
        let rows: Vec<Value> = groups
            .into_iter()
            .filter_map(|(scheme, ids)| {
                let scheme = self.workflows.schemes.get(&scheme)?;
                let body = self.workflow_scheme_json(scheme, call.version);
                Some(json!({"projectIds": ids, "workflowScheme": body}))
            })
            .collect();
        ok(json!({ "values": rows }))
    }

    fn classic_project(&self, id: &Value) -> Result<&Project, Reply> {
        let id = id.as_str().ok_or_else(bad_payload)?;
        let project = self
            .project(id)
            .ok_or_else(|| refusal(404, "The project was not found."))?;
        if project.is_team_managed() {
            return Err(team_managed("workflow schemes"));
        }
        Ok(project)
    }

    /// Only where the project has no issues (Jira REST v3: assign workflow scheme to project).
    pub(crate) fn assign_workflow_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let project = self.classic_project(&call.body["projectId"])?.id;
        let scheme = match call.body["workflowSchemeId"].as_str() {
            None => self.workflows.fallback,
            Some(id) => self.shared_workflow_scheme(id)?.id,
        };
        if self.issues.values().any(|issue| issue.project == project) {
            let text = "The workflow scheme can only be assigned to a project without issues. Switch the scheme instead.";
            return Err(refusal(400, text));
        }
        if let Some(project) = self.projects.get_mut(&project) {
            project.workflow_scheme = scheme;
        }
        no_content()
    }

    /// A task moves the issues whose status the target does not have, then the scheme is another (Jira REST v3: switch
    /// workflow scheme for project).
    pub(crate) fn switch_workflow_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        let project = self.classic_project(&call.body["projectId"])?.id;
        self.require_no_configuration_task()?;
        let target = call.body["targetSchemeId"].as_str().unwrap_or_default();
        let target = self.shared_workflow_scheme(target).map_err(|_| {
            one_field(
                "targetSchemeId",
                "The target workflow scheme was not found.",
            )
        })?;
        let target = target.clone();
        let mappings = read_mappings(&call.body["mappingsByIssueTypeOverride"])?;
        let moves = self.needed_moves(&[project], &target, &mappings)?;
        let work = Work::Migrate {
            moves,
            switch: Some((project, target.id)),
        };
        let task = self.start(call, "Switch workflow scheme", work);
        self.see_task(call, task)
    }

    /// What every issue whose status is gone becomes; what is not mapped is refused.
    fn needed_moves(
        &self,
        projects: &[u64],
        target: &WorkflowScheme,
        mappings: &Mappings,
    ) -> Result<Vec<(u64, u64)>, Reply> {
        let mut moves = Vec::new();
        let mut missing = BTreeSet::new();
        for issue in self
            .issues
            .values()
            .filter(|issue| projects.contains(&issue.project))
        {
            let workflow = self.workflows.all.get(target.workflow_for(&issue.kind));
            let fits = |status: u64| workflow.is_some_and(|workflow| workflow.has_status(status));
            if fits(issue.status) {
                continue;
            }
            match mappings.get(&(issue.kind.clone(), issue.status)) {
                Some(to) if fits(*to) => moves.push((issue.id, *to)),
                _ => drop(missing.insert((issue.kind.clone(), issue.status))),
            }
        }
        if missing.is_empty() {
            return Ok(moves);
        }
        let errors = missing
            .into_iter()
            .map(|(kind, status)| {
                let name = self.status_name(status);
                let text = format!(
                    "Issues of the type {kind} in the status {name} ({status}) need a new status."
                );
                (
                    format!("mappingsByIssueTypeOverride.{kind}.{status}"),
                    json!(text),
                )
            })
            .collect();
        Err(field_refusal(errors))
    }

    /// A scheme in use changes at once, under its version; issues are moved by a task where they must be (Jira REST v3:
    /// update workflow scheme).
    pub(crate) fn update_active_scheme(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        self.require_no_configuration_task()?;
        let scheme = self.read_scheme_update(call)?;
        let mut mappings = read_mappings(&call.body["statusMappingsByIssueTypeOverride"])?;
        let old = self
            .workflows
            .schemes
            .get(&scheme.id)
            .cloned()
            .unwrap_or_default();
        for by_workflow in call.body["statusMappingsByWorkflows"]
            .as_array()
            .into_iter()
            .flatten()
        {
            for (kind, ..) in super::super::meta::ISSUE_TYPES {
                if by_workflow["oldWorkflowId"] == old.workflow_for(kind)
                    && by_workflow["newWorkflowId"] == scheme.workflow_for(kind)
                {
                    let wrapped = json!([{"issueTypeId": kind, "statusMappings": by_workflow["statusMappings"]}]);
                    for (key, to) in read_mappings(&wrapped)? {
                        mappings.entry(key).or_insert(to);
                    }
                }
            }
        }
        let projects: Vec<u64> = self
            .projects
            .values()
            .filter(|project| project.workflow_scheme == scheme.id)
            .map(|project| project.id)
            .collect();
        let moves = self.needed_moves(&projects, &scheme, &mappings)?;
        self.workflows.schemes.insert(scheme.id, scheme);
        if moves.is_empty() {
            return ok(json!({}));
        }
        let task = self.start(
            call,
            "Workflow scheme update",
            Work::Migrate {
                moves,
                switch: None,
            },
        );
        self.see_task(call, task)
    }

    fn read_scheme_update(&mut self, call: &Call<'_>) -> Result<WorkflowScheme, Reply> {
        let body = &call.body;
        let mut scheme = self
            .shared_workflow_scheme(body["id"].as_str().unwrap_or_default())?
            .clone();
        let version: Version =
            serde_json::from_value(body["version"].clone()).map_err(|_| bad_payload())?;
        if version != scheme.version {
            let text = "The workflow scheme was changed by someone else: the version is outdated.";
            return Err(refusal(409, text));
        }
        let name = body["name"].as_str().ok_or_else(bad_payload)?;
        scheme.name = self.new_workflow_scheme_name(name, scheme.id)?;
        body["description"]
            .as_str()
            .ok_or_else(bad_payload)?
            .clone_into(&mut scheme.description);
        let known = |id: &Value| {
            let id = id.as_str().unwrap_or_default();
            let text = format!("The workflow with the id {id} does not exist.");
            let found = self
                .workflows
                .all
                .get(id)
                .filter(|workflow| workflow.project.is_none());
            found
                .map(|workflow| workflow.id.clone())
                .ok_or_else(|| refusal(400, text))
        };
        if !body["defaultWorkflowId"].is_null() {
            scheme.default = known(&body["defaultWorkflowId"])?;
        }
        if let Some(rows) = body["workflowsForIssueTypes"].as_array() {
            scheme.by_type.clear();
            for row in rows {
                let workflow = known(&row["workflowId"])?;
                for kind in super::super::issues::strings(&row["issueTypeIds"]) {
                    scheme.by_type.insert(kind, workflow.clone());
                }
            }
        }
        scheme.version = self.next_version(&scheme.version);
        Ok(scheme)
    }

    /// Which statuses an intended change would strand (Jira REST v3: get required status mappings).
    pub(crate) fn get_required_mappings(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        call.require_closed(&["defaultWorkflowId", "id", "workflowsForIssueTypes"])?;
        let old = self
            .shared_workflow_scheme(call.body["id"].as_str().unwrap_or_default())?
            .clone();
        let mut new = old.clone();
        if let Some(id) = call.body["defaultWorkflowId"].as_str() {
            self.known_workflow(id)?.id.clone_into(&mut new.default);
        }
        new.by_type.clear();
        for row in call.body["workflowsForIssueTypes"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let workflow = self.known_workflow(row["workflowId"].as_str().unwrap_or_default())?;
            for kind in super::super::issues::strings(&row["issueTypeIds"]) {
                new.by_type.insert(kind, workflow.id.clone());
            }
        }
        ok(self.required_mappings(&old, &new))
    }

    fn required_mappings(&self, old: &WorkflowScheme, new: &WorkflowScheme) -> Value {
        let mut stranded: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for issue in self.issues.values() {
            let project = self.projects.get(&issue.project);
            let target = self.workflows.all.get(new.workflow_for(&issue.kind));
            if project.is_some_and(|project| project.workflow_scheme == old.id)
                && !target.is_some_and(|workflow| workflow.has_status(issue.status))
            {
                stranded
                    .entry(&issue.kind)
                    .or_default()
                    .insert(issue.status);
            }
        }
        let texts = |ids: &BTreeSet<u64>| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let by_type: Vec<Value> = stranded
            .iter()
            .map(|(kind, ids)| json!({"issueTypeId": kind, "statusIds": texts(ids)}))
            .collect();
        let by_workflow: Vec<Value> = stranded
            .iter()
            .map(|(kind, ids)| {
                json!({
                    "sourceWorkflowId": old.workflow_for(kind), "targetWorkflowId": new.workflow_for(kind),
                    "statusIds": texts(ids),
                })
            })
            .collect();
        let targets: BTreeSet<&str> = new.workflow_ids().collect();
        let workflows: Vec<_> = targets
            .iter()
            .filter_map(|id| self.workflows.all.get(*id))
            .collect();
        let mut used: BTreeSet<u64> = stranded.values().flatten().copied().collect();
        used.extend(
            workflows
                .iter()
                .flat_map(|workflow| workflow.statuses.iter().map(|place| place.status)),
        );
        let statuses: Vec<Value> = used
            .iter()
            .filter_map(|id| self.status(*id))
            .map(|status| json!({"id": status.id.to_string(), "name": status.name, "category": status.category.word()}))
            .collect();
        let per_workflow: Vec<Value> = workflows
            .iter()
            .map(|workflow| {
                let ids: BTreeSet<u64> =
                    workflow.statuses.iter().map(|place| place.status).collect();
                let first = workflow.initial().and_then(|transition| transition.to);
                json!({
                    "workflowId": workflow.id, "statuses": texts(&ids),
                    "initialStatusId": first.unwrap_or_default().to_string(),
                })
            })
            .collect();
        json!({
            "statusMappingsByIssueTypes": by_type, "statusMappingsByWorkflows": by_workflow, "statuses": statuses,
            "statusesPerWorkflow": per_workflow,
        })
    }
}

fn read_mappings(list: &Value) -> Result<Mappings, Reply> {
    let mut mappings = Mappings::new();
    for row in list.as_array().into_iter().flatten() {
        let kind = row["issueTypeId"].as_str().ok_or_else(bad_payload)?;
        for mapping in row["statusMappings"].as_array().into_iter().flatten() {
            let id = |member: &str| {
                let text = mapping[member].as_str().and_then(|id| id.parse().ok());
                text.ok_or_else(bad_payload)
            };
            mappings.insert((kind.to_owned(), id("oldStatusId")?), id("newStatusId")?);
        }
    }
    Ok(mappings)
}
