//! Transitions of one issue: which are offered to whom, and the three ways in which Jira says no.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::Jira;
use super::changes::{Alteration, Stamp};
use super::edits::Edit;
use super::fields::{comment_body, off_screen};
use super::issue::Issue;
use super::properties::read_properties;
use super::reply::{Outcome, Reply, bad_payload, field_refusal, no_content, ok, refusal};
use super::route::Call;
use super::workflows::condition::Attempt;
use super::workflows::statuses::status_json;
use super::workflows::{Kind, Transition};

/// Somebody asks for a transition.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) account: &'a str,
    pub(super) issue: u64,
    pub(super) transition: &'a str,
    pub(super) by_api: bool,
    pub(super) now: Timestamp,
}

impl Jira {
    /// Only what the caller may take now; an unknown `transitionId` gives an empty list (recorded from Jira Cloud).
    pub(super) fn get_transitions(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let only = call.query("transitionId");
        let with_fields = call.expands("transitions.fields");
        let shows_all = call.query("includeUnavailableTransitions") == Some("true");
        let issue = self.issues.get(&id);
        let workflow = issue.and_then(|issue| self.workflow_of(issue.project, &issue.kind));
        let (Some(issue), Some(workflow)) = (issue, workflow) else {
            return ok(json!({"expand": "transitions", "transitions": []}));
        };
        let attempt = Attempt {
            account: &call.user.account_id,
            issue,
            by_api: true,
        };
        let rows: Vec<Value> = workflow
            .transitions
            .iter()
            .filter(|one| one.kind != Kind::Initial && only.is_none_or(|id| one.id == id))
            .map(|one| (one, self.is_offered(one, attempt)))
            .filter(|(one, is_offered)| *is_offered || (shows_all && one.starts_in(issue.status)))
            .filter_map(|(one, is_offered)| {
                self.transition_json(one, issue, is_offered, with_fields, call.version)
            })
            .collect();
        ok(json!({"expand": "transitions", "transitions": rows}))
    }

    fn transition_json(
        &self,
        transition: &Transition,
        issue: &Issue,
        is_offered: bool,
        with_fields: bool,
        version: &str,
    ) -> Option<Value> {
        let to = self.status(transition.to.unwrap_or(issue.status))?;
        let mut row = json!({
            "id": transition.id, "name": transition.name, "to": status_json(to, &self.site, version),
            "hasScreen": self.screen_fields(transition).is_some(), "isGlobal": transition.kind == Kind::Global,
            "isInitial": false, "isAvailable": is_offered, "isConditional": transition.conditions.is_some(),
            "looped": transition.to.is_none(),
        });
        if with_fields {
            row["fields"] = self.screen_json(transition, version);
        }
        Some(row)
    }

    /// 204, or 400 with a text that does not say why (measured on Jira Cloud). Fields and comments are taken only where
    /// the transition has a screen with them.
    pub(super) fn do_transition(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let asked = call.body["transition"]["id"].clone();
        if asked.is_null() {
            return Err(refusal(400, "Missing 'transition' identifier"));
        }
        let asked = transition_id(&asked)?;
        let properties = read_properties(&call.body["properties"])?;
        let metadata = call.body["historyMetadata"]
            .is_object()
            .then(|| call.body["historyMetadata"].clone());
        let body = call.body.clone();
        self.transition_once(call, id, &asked, &body, metadata)?;
        for (key, value) in properties {
            self.set_property(&call.stamp(), id, key, value, call.journal);
        }
        no_content()
    }

    /// Takes a transition with the fields of a body, if it is open to the caller now.
    pub(super) fn transition_once(
        &mut self,
        call: &mut Call<'_>,
        id: u64,
        transition: &str,
        body: &Value,
        metadata: Option<Value>,
    ) -> Result<(), Reply> {
        let account = call.user.account_id.clone();
        let asked = Asked {
            account: &account,
            issue: id,
            transition,
            by_api: true,
            now: call.now,
        };
        let chosen = self
            .open_transition(asked)
            .map_err(|text| refusal(400, text))?;
        let edits = self.read_screen(&chosen, id, body, call.is_v2())?;
        self.require_room_for_comments(id, &edits)?;
        let issue = self.issues.get(&id).ok_or_else(bad_payload)?;
        let attempt = Attempt {
            account: &account,
            issue,
            by_api: true,
        };
        self.validate_transition(&chosen, attempt, &edits)?;
        self.take_transition(&call.stamp(), id, &chosen, edits, metadata, call.journal);
        Ok(())
    }

    /// What the body gives to the fields on the transition's screen; anything else is off the screen.
    fn read_screen(
        &self,
        transition: &Transition,
        id: u64,
        body: &Value,
        is_v2: bool,
    ) -> Result<Vec<Edit>, Reply> {
        let on_screen = self.screen_fields(transition);
        let project = self.issues.get(&id).map_or(0, |issue| issue.project);
        let has = |field: &str| {
            on_screen
                .is_some_and(|fields| field == "comment" || fields.iter().any(|one| one == field))
        };
        let (mut edits, mut errors) = (Vec::new(), Map::new());
        for (name, value) in body["fields"].as_object().into_iter().flatten() {
            let edit = match name.as_str() {
                field if !has(field) => Err(off_screen(field)),
                "resolution" => self.read_resolution(value),
                field => self.read_field(field, value, project, is_v2),
            };
            match edit {
                Ok(edit) => edits.push(edit),
                Err(text) => drop(errors.insert(name.clone(), json!(text))),
            }
        }
        for (name, operations) in body["update"].as_object().into_iter().flatten() {
            for operation in operations.as_array().into_iter().flatten() {
                let edit = match (name.as_str(), has(name)) {
                    (field, false) => Err(off_screen(field)),
                    ("comment", true) => {
                        comment_body(&operation["add"]["body"], is_v2).map(Edit::Comment)
                    }
                    ("resolution", true) => self.read_resolution(&operation["set"]),
                    (field, true) => self.read_field(field, &operation["set"], project, is_v2),
                };
                match edit {
                    Ok(edit) => edits.push(edit),
                    Err(text) => drop(errors.insert(name.clone(), json!(text))),
                }
            }
        }
        for field in on_screen.unwrap_or_default() {
            if Jira::is_required_on_screen(field) && !edits.iter().any(|edit| edit.sets(field)) {
                let text = format!("{} is required.", self.field_name(field));
                errors.entry(field.clone()).or_insert(json!(text));
            }
        }
        if errors.is_empty() {
            Ok(edits)
        } else {
            Err(field_refusal(errors))
        }
    }

    fn read_resolution(&self, value: &Value) -> Result<Edit, String> {
        let named = value["id"].as_str().or(value["name"].as_str());
        let known = named.and_then(|named| self.resolution_called(named));
        let known = known.ok_or("The resolution selected is invalid.")?;
        Ok(Edit::Resolution(Some(known)))
    }

    /// Moves the issue and lets the post functions work: the screen's fields first, then theirs.
    pub(super) fn take_transition(
        &mut self,
        stamp: &Stamp,
        id: u64,
        transition: &Transition,
        mut edits: Vec<Edit>,
        metadata: Option<Value>,
        journal: &mut crate::emulators::journal::Journal,
    ) {
        let Some(issue) = self.issues.get(&id) else {
            return;
        };
        let from = issue.status;
        let workflow = self.workflow_of(issue.project, &issue.kind).cloned();
        let effects = self.effects(transition, issue, &stamp.account);
        edits.extend(effects.edits);
        let alteration = Alteration {
            status: Some(transition.to.unwrap_or(from)),
            edits,
            metadata,
        };
        self.alter(stamp, id, alteration, journal);
        if let Some(workflow) = workflow {
            for hook in effects.webhooks {
                self.trigger_webhook(stamp, hook, id, from, (&workflow, transition));
            }
        }
    }

    /// The transition if it may be taken now, else the text that Jira gives.
    pub(super) fn open_transition(&self, asked: Asked<'_>) -> Result<Transition, String> {
        let id = asked.transition;
        let unknown = || format!("Transition id '{id}' is not valid for this issue.");
        let issue = self.issues.get(&asked.issue).ok_or_else(unknown)?;
        let workflow = self.workflow_of(issue.project, &issue.kind);
        let transition = workflow.and_then(|workflow| workflow.transition(id));
        let transition = transition.ok_or_else(unknown)?;
        let attempt = Attempt {
            account: asked.account,
            issue,
            by_api: asked.by_api,
        };
        if self.is_offered(transition, attempt) {
            return Ok(transition.clone());
        }
        // Two callers at once: the loser finds the issue already moved, and Jira says so in other words.
        let has_just_moved = !transition.starts_in(issue.status)
            && issue
                .history
                .iter()
                .rev()
                .take_while(|history| {
                    asked.now.duration_since(history.created) < SignedDuration::from_secs(1)
                })
                .any(|history| history.items.iter().any(|item| item.field_id == "status"));
        Err(if has_just_moved {
            format!("Action {id} is invalid")
        } else {
            format!(
                "Can't move ({}). You might not have permission, or the work item is missing required information. \
                 If you keep having this problem, contact your Jira administrator.",
                issue.key
            )
        })
    }
}

/// A transition id: text by the schema, a number from lenient clients.
pub(super) fn transition_id(value: &Value) -> Result<String, Reply> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(bad_payload()),
    }
}
