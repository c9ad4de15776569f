//! Creating and updating workflows: a create makes statuses and workflows together, an update replaces a workflow as a
//! whole, under its version, and moves the issues whose status is gone (Jira REST v3: bulk create and bulk update
//! workflows).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::emulators::jira::Jira;
use crate::emulators::jira::reply::{Outcome, Reply, bad_payload, ok, refusal};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::tasks::Work;
use crate::emulators::jira::workflows::model::{
    Category, ConditionGroup, Kind, Link, Rule, StatusPlace, Transition, Version, Workflow,
};
use crate::emulators::jira::workflows::requests::{
    self, GivenTransition, GivenWorkflow, Request, ValidationRequest,
};
use crate::emulators::jira::workflows::validate::Flaw;

/// Most workflows and statuses in one create (Jira REST v3: bulk create workflows).
const WORKFLOWS_MOST: usize = 20;
const STATUSES_MOST: usize = 1_000;
/// Most characters of a workflow name.
const NAME_MOST: usize = 255;

/// A status id for each reference of a request.
pub(super) type References = BTreeMap<String, u64>;

impl Jira {
    pub(crate) fn validate_create(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        let request: ValidationRequest = requests::read(&call.body)?;
        let flaws = self.create_flaws(&request.payload)?;
        ok(shown(flaws, &request))
    }

    pub(crate) fn validate_update(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        let request: ValidationRequest = requests::read(&call.body)?;
        let flaws = self.update_flaws(&request.payload)?;
        ok(shown(flaws, &request))
    }

    fn create_flaws(&self, request: &Request) -> Result<Vec<Flaw>, Reply> {
        let scope = request.scope.as_ref().ok_or_else(bad_payload)?;
        let scope =
            json!({"type": scope.kind, "project": {"id": scope.project.as_ref().map(|p| &p.id)}});
        let project = self.read_scope(&scope)?;
        let workflows = request.workflows.as_deref().unwrap_or_default();
        let statuses = request.statuses.as_deref().unwrap_or_default();
        if workflows.len() > WORKFLOWS_MOST || statuses.len() > STATUSES_MOST {
            let text = "At most 20 workflows and 1,000 statuses can be created at a time.";
            return Err(refusal(400, text));
        }
        let mut flaws = self.status_flaws(statuses, project);
        let known = statuses
            .iter()
            .map(|status| status.status_reference.as_str())
            .collect();
        let mut names = BTreeSet::new();
        for given in workflows {
            let name = given.name.as_deref().unwrap_or_default().trim();
            if name.is_empty() || name.chars().count() > NAME_MOST {
                let text = "The name of a workflow must have 1 to 255 characters.";
                flaws.push(named_flaw("WORKFLOW_NAME_INVALID", text));
            }
            let mut others = self.workflows.all.values();
            let is_taken = others.any(|one| one.name.eq_ignore_ascii_case(name));
            if is_taken || !names.insert(name.to_lowercase()) {
                let text = "You must use a unique workflow name.";
                flaws.push(named_flaw("NON_UNIQUE_WORKFLOW_NAME", text));
            }
            flaws.extend(self.workflow_flaws(given, &known, project, &self.webhook_ids()));
        }
        Ok(flaws)
    }

    pub(crate) fn create_workflows(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        self.require_no_configuration_task()?;
        let request: Request = requests::read(&call.body)?;
        refuse_flaws(self.create_flaws(&request)?)?;
        let project = match &request.scope {
            Some(scope) => scope.project.as_ref().and_then(|p| p.id.parse().ok()),
            None => None,
        };
        let references = self.adopt_statuses(&request, project);
        let mut fresh = Vec::new();
        for given in request.workflows.unwrap_or_default() {
            let mut workflow = self.built(&given, &references, project);
            workflow.name = given.name.clone().unwrap_or_default().trim().to_owned();
            workflow.times = Some((call.now, call.now));
            workflow.version.version_number = 0;
            fresh.push(workflow);
        }
        let body = self.workflows_json(&fresh.iter().collect::<Vec<_>>());
        for workflow in fresh {
            self.workflows.all.insert(workflow.id.clone(), workflow);
        }
        ok(body)
    }

    /// Creates the statuses that are new, renames those that are known, and tells the id of each.
    fn adopt_statuses(&mut self, request: &Request, project: Option<u64>) -> References {
        let mut references = References::new();
        for given in request.statuses.iter().flatten() {
            let category = Category::named(&given.status_category).unwrap_or(Category::New);
            let known = given.id.as_ref().and_then(|id| id.parse().ok());
            let id = known.unwrap_or_else(|| self.take_status_id());
            match self.workflows.statuses.get_mut(&id) {
                Some(status) => {
                    given.name.trim().clone_into(&mut status.name);
                    status.category = category;
                }
                None => self.add_status(id, given.name.trim(), category, project),
            }
            if let (Some(status), Some(text)) =
                (self.workflows.statuses.get_mut(&id), &given.description)
            {
                status.description.clone_from(text);
            }
            references.insert(given.status_reference.clone(), id);
        }
        references
    }

    fn built(
        &mut self,
        given: &GivenWorkflow,
        references: &References,
        project: Option<u64>,
    ) -> Workflow {
        let id = |reference: &str| references.get(reference).copied().unwrap_or_default();
        let statuses = given.statuses.iter().map(|place| StatusPlace {
            status: id(&place.status_reference),
            properties: place.properties.clone(),
            layout: place
                .layout
                .clone()
                .unwrap_or_else(|| json!({"x": 0, "y": 0})),
        });
        let statuses = statuses.collect();
        let mut transitions: Vec<Transition> = Vec::new();
        for one in &given.transitions {
            let transition =
                self.built_transition(one, references, &given.transitions, &transitions);
            transitions.push(transition);
        }
        Workflow {
            id: self.new_uuid(),
            name: String::new(),
            description: given.description.clone().unwrap_or_default(),
            project,
            version: Version {
                id: self.new_uuid(),
                version_number: 0,
            },
            statuses,
            transitions,
            start_layout: given
                .start_point_layout
                .clone()
                .unwrap_or_else(|| json!({"x": 0, "y": 0})),
            loop_layout: given
                .looped_transition_container_layout
                .clone()
                .unwrap_or_default(),
            times: None,
            is_editable: true,
        }
    }

    fn built_transition(
        &mut self,
        given: &GivenTransition,
        references: &References,
        all: &[GivenTransition],
        before: &[Transition],
    ) -> Transition {
        let id = |reference: &String| references.get(reference).copied();
        let kind = given
            .kind
            .as_deref()
            .and_then(Kind::named)
            .unwrap_or(Kind::Directed);
        let taken = all
            .iter()
            .filter_map(|one| one.id.as_ref()?.parse::<u32>().ok());
        let used = before.iter().filter_map(|one| one.id.parse::<u32>().ok());
        let free = taken.chain(used).max().unwrap_or(0) / 10 * 10 + 11;
        let links = given.links.iter().flatten().map(|link| Link {
            from: link
                .from_status_reference
                .as_ref()
                .and_then(id)
                .unwrap_or_default(),
            from_port: link.from_port,
            to_port: link.to_port,
        });
        let links = links.collect();
        let mut conditions = given.conditions.clone().map(ConditionGroup::from);
        if let Some(group) = &mut conditions {
            self.number_group(group);
        }
        Transition {
            id: given.id.clone().unwrap_or_else(|| free.to_string()),
            name: given.name.clone().unwrap_or_default(),
            description: given.description.clone().unwrap_or_default(),
            kind,
            links,
            to: given.to_status_reference.as_ref().and_then(id),
            conditions,
            validators: self.numbered(given.validators.as_deref()),
            actions: self.numbered(given.actions.as_deref()),
            screen: self
                .numbered(given.transition_screen.as_ref().map(std::slice::from_ref))
                .pop(),
            properties: given.properties.clone().unwrap_or_default(),
            triggers: given
                .triggers
                .clone()
                .filter(Value::is_array)
                .unwrap_or_else(|| json!([])),
            event: given.custom_issue_event_id.clone(),
        }
    }

    /// Rules that come without an id get one.
    fn numbered(&mut self, given: Option<&[requests::GivenRule]>) -> Vec<Rule> {
        let rules = given.unwrap_or_default().iter().cloned().map(Rule::from);
        let mut rules: Vec<Rule> = rules.collect();
        rules.iter_mut().for_each(|rule| self.number(rule));
        rules
    }

    fn number_group(&mut self, group: &mut ConditionGroup) {
        group
            .conditions
            .iter_mut()
            .for_each(|rule| self.number(rule));
        group
            .groups
            .iter_mut()
            .for_each(|within| self.number_group(within));
    }

    fn number(&mut self, rule: &mut Rule) {
        if rule.id.is_empty() {
            rule.id = self.new_uuid();
        }
    }

    fn update_flaws(&self, request: &Request) -> Result<Vec<Flaw>, Reply> {
        let statuses = request.statuses.as_deref().unwrap_or_default();
        let workflows = request.workflows.as_deref().unwrap_or_default();
        let mut project = None;
        for given in workflows {
            let id = given.id.as_deref().ok_or_else(bad_payload)?;
            let text = format!("The workflow with the id {id} does not exist.");
            let known = self
                .workflows
                .all
                .get(id)
                .ok_or_else(|| refusal(400, text))?;
            if !known.is_editable {
                return Err(refusal(400, "The system workflow cannot be edited."));
            }
            project = known.project;
        }
        let mut flaws = self.status_flaws(statuses, project);
        let known = statuses
            .iter()
            .map(|status| status.status_reference.as_str())
            .collect();
        for given in workflows {
            flaws.extend(self.workflow_flaws(given, &known, project, &self.webhook_ids()));
            flaws.extend(self.stranded(given, request).err().unwrap_or_default());
        }
        Ok(flaws)
    }

    /// A version that is not the present one gives 409 (Jira REST v3: bulk update workflows).
    pub(crate) fn update_workflows(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        self.require_no_configuration_task()?;
        let request: Request = requests::read(&call.body)?;
        let flaws = self.update_flaws(&request)?;
        for given in request.workflows.iter().flatten() {
            let known = given.id.as_ref().and_then(|id| self.workflows.all.get(id));
            if known.is_some_and(|known| given.version.as_ref() != Some(&known.version)) {
                let text = "The workflow was changed by someone else: the version is outdated.";
                return Err(refusal(409, text));
            }
        }
        refuse_flaws(flaws)?;
        let mut moves = Vec::new();
        for given in request.workflows.iter().flatten() {
            moves.extend(self.stranded(given, &request).unwrap_or_default());
        }
        let first = request
            .workflows
            .iter()
            .flatten()
            .find_map(|given| given.id.clone());
        let project = first.and_then(|id| self.workflows.all.get(&id)?.project);
        let references = self.adopt_statuses(&request, project);
        let mut updated = Vec::new();
        for given in request.workflows.iter().flatten() {
            let fresh = self.built(given, &references, project);
            let id = given.id.clone().unwrap_or_default();
            if let Some(known) = self.workflows.all.get_mut(&id) {
                let created = known.times.map_or(call.now, |(created, _)| created);
                *known = Workflow {
                    id: id.clone(),
                    name: known.name.clone(),
                    version: Version {
                        version_number: known.version.version_number + 1,
                        ..fresh.version.clone()
                    },
                    times: Some((created, call.now)),
                    ..fresh
                };
            }
            updated.push(id);
        }
        let moves = moves
            .into_iter()
            .filter_map(|(issue, to)| Some((issue, self.status_of_reference(&to, &references)?)));
        let moves: Vec<(u64, u64)> = moves.collect();
        let shown: Vec<&Workflow> = updated
            .iter()
            .filter_map(|id| self.workflows.all.get(id))
            .collect();
        let mut body = self.workflows_json(&shown);
        if !moves.is_empty() {
            let task = self.start(
                call,
                "Workflow update",
                Work::Migrate {
                    moves,
                    switch: None,
                },
            );
            body["taskId"] = json!(task.to_string());
        }
        ok(body)
    }
}

fn named_flaw(code: &'static str, text: &str) -> Flaw {
    Flaw {
        code,
        kind: "WORKFLOW",
        is_warning: false,
        message: text.to_owned(),
        place: json!({}),
    }
}

fn shown(flaws: Vec<Flaw>, request: &ValidationRequest) -> Value {
    let options = request.validation_options.as_ref();
    let levels = options.and_then(|options| options.levels.clone());
    let errors: Vec<Value> = flaws
        .iter()
        .filter(|flaw| {
            levels
                .as_ref()
                .is_none_or(|levels| levels.iter().any(|one| one == flaw.level()))
        })
        .map(Flaw::json)
        .collect();
    json!({ "errors": errors })
}

/// Warnings do not keep a workflow from being saved.
fn refuse_flaws(flaws: Vec<Flaw>) -> Result<(), Reply> {
    let messages: Vec<String> = flaws
        .into_iter()
        .filter(|flaw| !flaw.is_warning)
        .map(|flaw| flaw.message)
        .collect();
    if messages.is_empty() {
        return Ok(());
    }
    Err(Reply::new(
        400,
        json!({"errorMessages": messages, "errors": {}}),
    ))
}
