//! Workflows as the workflows API shows them: search, bulk get, usages. Changes nothing but by deletion.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::emulators::jira::issues::strings;
use crate::emulators::jira::reply::{Outcome, Reply, no_content, ok, refusal};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::workflows::model::{
    ConditionGroup, Rule, Status, Transition, Workflow,
};
use crate::emulators::jira::{Jira, render};

impl Jira {
    /// Refuses who may not configure workflows; the workflows API says 401 (Jira REST v3: workflows).
    pub(crate) fn require_workflow_admin(&self, call: &Call<'_>) -> Result<(), Reply> {
        if self.is_admin(&call.user.account_id) {
            return Ok(());
        }
        Err(refusal(
            401,
            "You do not have the permission to perform this operation.",
        ))
    }

    pub(crate) fn search_workflows(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        let query = call.query("queryString").unwrap_or_default().to_lowercase();
        let active = self.active_workflows();
        let wants_active = call.query("isActive");
        let fits = |workflow: &&Workflow| {
            workflow.name.to_lowercase().contains(&query)
                && wants_active
                    .is_none_or(|wanted| (wanted == "true") == active.contains(&workflow.id))
                && match call.query("scope") {
                    Some("GLOBAL") => workflow.project.is_none(),
                    Some("PROJECT") => workflow.project.is_some(),
                    _ => true,
                }
        };
        let mut found: Vec<&Workflow> = self.workflows.all.values().filter(fits).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        if call.query("orderBy") == Some("-name") {
            found.reverse();
        }
        let (start, most) = call.page(50, 200)?;
        let total = found.len();
        let shown: Vec<&Workflow> = found.into_iter().skip(start).take(most).collect();
        let link = format!("{}/rest/api/{}/workflows/search", self.site, call.version);
        let mut answer = json!({
            "self": link, "startAt": start, "maxResults": most, "total": total,
            "isLast": start + shown.len() >= total,
        });
        if start + shown.len() < total {
            answer["nextPage"] = json!(format!("{link}?startAt={}", start + most));
        }
        let body = self.workflows_json(&shown);
        answer["values"] = body["workflows"].clone();
        answer["statuses"] = body["statuses"].clone();
        ok(answer)
    }

    /// What is not found is left out (Jira REST v3: bulk get workflows).
    pub(crate) fn get_workflows(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        call.require_closed(&["projectAndIssueTypes", "workflowIds", "workflowNames"])?;
        let ids = strings(&call.body["workflowIds"]);
        let names = strings(&call.body["workflowNames"]);
        let pairs = call.body["projectAndIssueTypes"].as_array();
        let by_type: BTreeSet<&str> = pairs
            .into_iter()
            .flatten()
            .filter_map(|pair| {
                let project = pair["projectId"].as_str()?.parse().ok()?;
                let workflow = self.workflow_of(project, pair["issueTypeId"].as_str()?)?;
                Some(workflow.id.as_str())
            })
            .collect();
        let fits = |workflow: &&Workflow| {
            ids.contains(&workflow.id)
                || names.contains(&workflow.name)
                || by_type.contains(workflow.id.as_str())
        };
        let found: Vec<&Workflow> = self.workflows.all.values().filter(fits).collect();
        ok(self.workflows_json(&found))
    }

    pub(crate) fn active_workflows(&self) -> BTreeSet<String> {
        let schemes = self
            .projects
            .values()
            .map(|project| project.workflow_scheme);
        let active = self.workflows.active(schemes);
        active.into_iter().map(ToOwned::to_owned).collect()
    }

    /// Workflows with the statuses that they use. A status is its own reference.
    pub(crate) fn workflows_json(&self, workflows: &[&Workflow]) -> Value {
        let used: BTreeSet<u64> = workflows
            .iter()
            .flat_map(|workflow| workflow.statuses.iter().map(|place| place.status))
            .collect();
        let statuses: Vec<Value> = used
            .iter()
            .filter_map(|id| self.workflows.statuses.get(id))
            .map(referenced_status_json)
            .collect();
        let workflows: Vec<Value> = workflows.iter().map(|one| workflow_json(one)).collect();
        json!({"statuses": statuses, "workflows": workflows})
    }

    /// A workflow in use, or named by a scheme, stays (Jira REST v3: delete inactive workflow).
    pub(crate) fn delete_workflow(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let workflow = self.known_workflow(call.param(0))?;
        let id = workflow.id.clone();
        if !workflow.is_editable {
            return Err(refusal(400, "The system workflow cannot be deleted."));
        }
        let mut schemes = self.workflows.schemes.values();
        if schemes.any(|scheme| scheme.workflow_ids().any(|used| used == id)) {
            let text = "Cannot delete an active workflow, or one that a workflow scheme names.";
            return Err(refusal(400, text));
        }
        self.workflows.all.remove(&id);
        no_content()
    }

    pub(crate) fn known_workflow(&self, id: &str) -> Result<&Workflow, Reply> {
        let known = self.workflows.all.get(id);
        known.ok_or_else(|| {
            refusal(
                404,
                format!("The workflow with the id {id} does not exist."),
            )
        })
    }

    pub(crate) fn get_projects_of_workflow(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        let id = self.known_workflow(call.param(0))?.id.clone();
        let rows: Vec<Value> = self
            .projects
            .values()
            .filter(|project| {
                let scheme = self.workflows.schemes.get(&project.workflow_scheme);
                scheme.is_some_and(|scheme| scheme.workflow_ids().any(|used| used == id))
            })
            .map(|project| json!({"id": project.id.to_string()}))
            .collect();
        ok(json!({"workflowId": id, "projects": {"values": rows}}))
    }

    pub(crate) fn get_schemes_of_workflow(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        let id = self.known_workflow(call.param(0))?.id.clone();
        let rows: Vec<Value> = self
            .workflows
            .schemes
            .values()
            .filter(|scheme| scheme.project.is_none())
            .filter(|scheme| scheme.workflow_ids().any(|used| used == id))
            .map(|scheme| json!({"id": scheme.id.to_string()}))
            .collect();
        ok(json!({"workflowId": id, "workflowSchemes": {"values": rows}}))
    }
}

fn scope_json(project: Option<u64>) -> Value {
    match project {
        None => json!({"type": "GLOBAL"}),
        Some(project) => json!({"type": "PROJECT", "project": {"id": project.to_string()}}),
    }
}

pub(crate) fn referenced_status_json(status: &Status) -> Value {
    let mut body = status_details_json(status);
    body["statusReference"] = json!(status.id.to_string());
    body
}

/// A status as the statuses API shows it.
pub(crate) fn status_details_json(status: &Status) -> Value {
    json!({
        "id": status.id.to_string(), "name": status.name, "description": status.description,
        "statusCategory": status.category.word(), "scope": scope_json(status.project),
    })
}

fn workflow_json(workflow: &Workflow) -> Value {
    let statuses: Vec<Value> = workflow
        .statuses
        .iter()
        .map(|place| {
            json!({
                "statusReference": place.status.to_string(), "properties": place.properties,
                "layout": place.layout, "deprecated": false,
            })
        })
        .collect();
    let transitions: Vec<Value> = workflow.transitions.iter().map(transition_json).collect();
    let mut body = json!({
        "id": workflow.id, "name": workflow.name, "description": workflow.description,
        "scope": scope_json(workflow.project), "version": workflow.version, "isEditable": workflow.is_editable,
        "startPointLayout": workflow.start_layout, "statuses": statuses, "transitions": transitions,
    });
    if !workflow.loop_layout.is_null() {
        body["loopedTransitionContainerLayout"] = workflow.loop_layout.clone();
    }
    if let Some((created, updated)) = workflow.times {
        body["created"] = json!(render::time(created));
        body["updated"] = json!(render::time(updated));
    }
    body
}

fn transition_json(transition: &Transition) -> Value {
    let links: Vec<Value> = transition
        .links
        .iter()
        .map(|link| {
            let mut row = json!({"fromStatusReference": link.from.to_string()});
            for (name, port) in [("fromPort", link.from_port), ("toPort", link.to_port)] {
                if let Some(port) = port {
                    row[name] = json!(port);
                }
            }
            row
        })
        .collect();
    let rules = |rules: &[Rule]| rules.iter().map(rule_json).collect::<Vec<_>>();
    let mut body = json!({
        "id": transition.id, "name": transition.name, "description": transition.description,
        "type": transition.kind.word(), "links": links, "validators": rules(&transition.validators),
        "actions": rules(&transition.actions), "triggers": transition.triggers, "properties": transition.properties,
    });
    if let Some(to) = transition.to {
        body["toStatusReference"] = json!(to.to_string());
    }
    if let Some(group) = &transition.conditions {
        body["conditions"] = group_json(group);
    }
    if let Some(screen) = &transition.screen {
        body["transitionScreen"] = rule_json(screen);
    }
    if let Some(event) = &transition.event {
        body["customIssueEventId"] = json!(event);
    }
    body
}

fn group_json(group: &ConditionGroup) -> Value {
    let groups: Vec<Value> = group.groups.iter().map(group_json).collect();
    let conditions: Vec<Value> = group.conditions.iter().map(rule_json).collect();
    json!({
        "operation": if group.is_any { "ANY" } else { "ALL" }, "conditions": conditions, "conditionGroups": groups,
    })
}

fn rule_json(rule: &Rule) -> Value {
    let mut body = json!({"ruleKey": rule.key, "parameters": rule.parameters});
    if !rule.id.is_empty() {
        body["id"] = json!(rule.id);
    }
    body
}
