//! Create, read, edit and delete issues, one or many. The rules of transitions and of search are elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::Jira;
use super::changes::{Draft, Stamp};
use super::edits::Edit;
use super::faults::{FaultKind, span};
use super::fields::off_screen;
use super::meta::{ISSUE_TYPES, SUBTASK_TYPE_ID};
use super::packed::Packed;
use super::properties::read_properties;
use super::render::Wanted;
use super::reply::{
    Outcome, Reply, bad_payload, created, field_refusal, no_content, no_issue, ok, one_field,
    refusal,
};
use super::route::Call;
use super::transitions::transition_id;

/// Most issues in one bulk create (Jira REST v3: bulk create issue).
const CREATE_MOST: usize = 50;
/// Most issues in one bulk fetch (Jira REST v3: bulk fetch issues).
const FETCH_MOST: usize = 100;

impl Call<'_> {
    pub(super) fn stamp(&self) -> Stamp {
        let lag = match self.fault {
            Some(FaultKind::SearchLag { seconds }) => span(seconds),
            _ => SignedDuration::ZERO,
        };
        Stamp {
            lag,
            ..Stamp::new(&self.user.account_id, self.now)
        }
    }

    /// Refuses a body with members that a closed schema does not have.
    pub(super) fn require_closed(&self, members: &[&str]) -> Result<(), Reply> {
        let object = self.body.as_object().ok_or_else(bad_payload)?;
        if object.keys().all(|key| members.contains(&key.as_str())) {
            Ok(())
        } else {
            Err(bad_payload())
        }
    }

    /// `fields`, `properties` and `expand` from the query, as `GET issue` takes them.
    fn wanted_from_query(&self) -> Wanted {
        let mut fields = self.query_list("fields");
        if fields.is_empty() {
            fields.push("*all".into());
        }
        Wanted {
            fields,
            properties: self.query_list("properties"),
            changelog: self.expands("changelog"),
        }
    }

    /// The same from a JSON body, as bulk fetch and search take them; `default` when no fields are named.
    pub(super) fn wanted_from_body(&self, default: &[&str]) -> Wanted {
        let mut fields = strings(&self.body["fields"]);
        if fields.is_empty() {
            fields = default.iter().map(|field| (*field).to_owned()).collect();
        }
        let expand = strings(&self.body["expand"]);
        let changelog = expand
            .iter()
            .flat_map(|one| one.split(','))
            .any(|one| one.trim() == "changelog");
        Wanted {
            fields,
            properties: strings(&self.body["properties"]),
            changelog,
        }
    }
}

impl Jira {
    /// The id of an issue that the caller may see; otherwise the 404 that hides the difference.
    pub(super) fn visible_issue(&self, call: &Call<'_>, id_or_key: &str) -> Result<u64, Reply> {
        self.issue_id(id_or_key)
            .filter(|id| self.may_on_id(&call.user.account_id, "BROWSE_PROJECTS", *id))
            .ok_or_else(no_issue)
    }

    pub(super) fn create_issue(&mut self, call: &mut Call<'_>) -> Outcome {
        let element = call.body.clone();
        created(self.create_one(call, &element)?)
    }

    /// 201 if any was created, 400 if none was; errors carry the position of their element (Jira REST v3: bulk create).
    pub(super) fn create_issues(&mut self, call: &mut Call<'_>) -> Outcome {
        let Value::Array(elements) = call.body["issueUpdates"].take() else {
            return Err(bad_payload());
        };
        if elements.len() > CREATE_MOST {
            let text = format!("The maximum number of issues in a bulk create is {CREATE_MOST}.");
            let errors = json!({"errorMessages": [text], "errors": {}});
            let row =
                json!({"status": 400, "elementErrors": errors, "failedElementNumber": CREATE_MOST});
            return Err(Reply::new(400, json!({"issues": [], "errors": [row]})));
        }
        let mut issues = Vec::new();
        let mut errors = Vec::new();
        for (at, element) in elements.iter().enumerate() {
            match self.create_one(call, element) {
                Ok(issue) => issues.push(issue),
                Err(reply) => errors.push(json!({
                    "status": reply.status, "elementErrors": reply.body, "failedElementNumber": at,
                })),
            }
        }
        let status = if issues.is_empty() { 400 } else { 201 };
        Ok(Reply::new(
            status,
            json!({"issues": issues, "errors": errors}),
        ))
    }

    fn create_one(&mut self, call: &mut Call<'_>, element: &Value) -> Result<Value, Reply> {
        let fields = element["fields"].as_object().ok_or_else(bad_payload)?;
        let project = self.project_for_create(call, fields)?;
        let kind = fields
            .get("issuetype")
            .ok_or_else(|| one_field("issuetype", "Specify an issue type"))?;
        let kind = ISSUE_TYPES
            .iter()
            .find(|(id, name, _)| {
                let is_named = |named: &str| named.eq_ignore_ascii_case(name);
                kind["id"].as_str() == Some(id) || kind["name"].as_str().is_some_and(is_named)
            })
            .map(|(id, ..)| *id)
            .ok_or_else(|| one_field("issuetype", "The issue type selected is invalid."))?;
        let mut edits = self.read_edits(element, project, call.is_v2(), true)?;
        edits.extend(self.read_parent(call, fields, kind, project)?);
        let properties = read_properties(&element["properties"])?;
        let comments: Vec<Packed> = edits
            .iter()
            .filter_map(|edit| match edit {
                Edit::Comment(body) => Some(body.clone()),
                _ => None,
            })
            .collect();
        let draft = Draft {
            project,
            kind: kind.to_owned(),
            edits,
            properties: properties.into_iter().collect(),
        };
        let id = self.insert_issue(&call.stamp(), draft, call.journal);
        for body in comments {
            let stamp = call.stamp();
            self.add_comment(&stamp, id, body, BTreeMap::new(), Value::Null, call.journal);
        }
        let key = self.issues.get(&id).map(|issue| issue.key.clone());
        let mut answer =
            json!({"id": id.to_string(), "key": key, "self": self.issue_link(id, call.version)});
        if !element["transition"].is_null() {
            // The issue stays created when its first transition fails: the status inside tells.
            let asked = transition_id(&element["transition"]["id"]);
            let taken =
                asked.and_then(|asked| self.transition_once(call, id, &asked, &Value::Null, None));
            let none = json!({"errorMessages": [], "errors": {}});
            let (status, errors) = match taken {
                Ok(()) => (200, none),
                Err(refusal) => (refusal.status, refusal.body.unwrap_or(none)),
            };
            answer["transition"] = json!({"status": status, "errorCollection": errors});
        }
        Ok(answer)
    }

    fn project_for_create(
        &self,
        call: &Call<'_>,
        fields: &Map<String, Value>,
    ) -> Result<u64, Reply> {
        let named = fields
            .get("project")
            .and_then(|p| p["id"].as_str().or(p["key"].as_str()));
        let Some(named) = named else {
            return Err(one_field("project", "Specify a valid project ID or key"));
        };
        let account = &call.user.account_id;
        let project = self
            .project(named)
            .filter(|project| self.sees(account, project.id))
            .ok_or_else(|| one_field("project", "valid project is required"))?;
        if project.is_archived {
            let text = "Issues cannot be created in an archived project.";
            return Err(one_field("project", text));
        }
        if !self.may_in(account, "CREATE_ISSUES", project.id) {
            let text = "You do not have permission to create issues in this project.";
            return Err(one_field("project", text));
        }
        Ok(project.id)
    }

    /// A sub-task needs a parent in the same project; a task has none here.
    fn read_parent(
        &self,
        call: &Call<'_>,
        fields: &Map<String, Value>,
        kind: &str,
        project: u64,
    ) -> Result<Option<Edit>, Reply> {
        let given = fields.get("parent").filter(|parent| !parent.is_null());
        let named = given.and_then(|p| p["id"].as_str().or(p["key"].as_str()));
        let parent = named
            .and_then(|named| self.visible_issue(call, named).ok())
            .and_then(|id| self.issues.get(&id))
            .filter(|parent| parent.project == project && parent.kind != SUBTASK_TYPE_ID);
        match (kind == SUBTASK_TYPE_ID, given, parent) {
            (false, None, _) => Ok(None),
            (true, _, Some(parent)) => Ok(Some(Edit::Parent(parent.id))),
            (true, _, None) => {
                let text = "Issue type is a sub-task but parent issue key or id not specified.";
                Err(one_field("issuetype", text))
            }
            (false, Some(_), _) => {
                let text = "The issue type selected cannot have a parent.";
                Err(one_field("parent", text))
            }
        }
    }

    pub(super) fn get_issue(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let issue = self.issues.get(&id).ok_or_else(no_issue)?;
        ok(self.issue_json(issue, &call.wanted_from_query(), call.version))
    }

    /// A transition in the body is ignored (Jira REST v3: edit issue).
    pub(super) fn edit_issue(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        if !self.may_on_id(&call.user.account_id, "EDIT_ISSUES", id) {
            let names = ["fields", "update"]
                .into_iter()
                .filter_map(|part| call.body[part].as_object());
            let errors: Map<String, Value> = names
                .flatten()
                .map(|(name, _)| (name.clone(), json!(off_screen(name))))
                .collect();
            return Err(field_refusal(errors));
        }
        if !call.body.is_object() {
            return Err(bad_payload());
        }
        let project = self.issues.get(&id).map_or(0, |issue| issue.project);
        let edits = self.read_edits(&call.body, project, call.is_v2(), false)?;
        let properties = read_properties(&call.body["properties"])?;
        self.require_room_for_comments(id, &edits)?;
        self.edit(&call.stamp(), id, edits, call.journal);
        for (key, value) in properties {
            self.set_property(&call.stamp(), id, key, value, call.journal);
        }
        if call.query("returnIssue") == Some("true") {
            return self.get_issue(call);
        }
        no_content()
    }

    pub(super) fn assign_issue(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let text = "You do not have permission to assign issues in this project.";
        self.require_on(call, "ASSIGN_ISSUES", id, text)?;
        let project = self.issues.get(&id).map_or(0, |issue| issue.project);
        let edit = self.read_field("assignee", &call.body, project, call.is_v2());
        let edit = edit.map_err(|text| one_field("assignee", text))?;
        self.edit(&call.stamp(), id, vec![edit], call.journal);
        no_content()
    }

    /// With sub-tasks only when `deleteSubtasks` is true: Python clients write `True` (Jira REST v3: delete issue).
    pub(super) fn delete_issue(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let text = "You do not have permission to delete issues in this project.";
        self.require_on(call, "DELETE_ISSUES", id, text)?;
        let children = self.children_of(id);
        let with_children = call
            .query("deleteSubtasks")
            .is_some_and(|text| text.eq_ignore_ascii_case("true"));
        if !children.is_empty() && !with_children {
            let key = self.issues.get(&id).map_or("", |issue| issue.key.as_str());
            let text = format!(
                "The issue '{key}' has subtasks. You must specify the 'deleteSubtasks' parameter to delete this issue and \
                 all its subtasks."
            );
            return Err(refusal(400, text));
        }
        for child in children {
            self.remove_issue(&call.stamp(), child, call.journal);
        }
        self.remove_issue(&call.stamp(), id, call.journal);
        no_content()
    }

    /// The sub-tasks of an issue, by id.
    pub(super) fn children_of(&self, id: u64) -> Vec<u64> {
        self.subtasks
            .get(&id)
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    /// Ascending ids; what is gone or hidden is left out without a word (Jira REST v3: bulk fetch issues).
    pub(super) fn fetch_issues(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&[
            "issueIdsOrKeys",
            "fields",
            "fieldsByKeys",
            "properties",
            "expand",
        ])?;
        let asked = call.body["issueIdsOrKeys"]
            .as_array()
            .ok_or_else(bad_payload)?;
        if asked.len() > FETCH_MOST {
            return Err(refusal(
                400,
                format!("The number of issues to fetch must be at most {FETCH_MOST}."),
            ));
        }
        let wanted = call.wanted_from_body(&["*navigable"]);
        if wanted.properties.len() > 5 {
            return Err(refusal(400, "The number of properties must be at most 5."));
        }
        let ids: BTreeSet<u64> = strings(&call.body["issueIdsOrKeys"])
            .iter()
            .filter_map(|one| self.visible_issue(call, one).ok())
            .collect();
        let issues: Vec<Value> = ids
            .iter()
            .filter_map(|id| self.issues.get(id))
            .map(|issue| self.issue_json(issue, &wanted, call.version))
            .collect();
        ok(json!({"issues": issues, "issueErrors": []}))
    }
}

/// A string, a list of strings or numbers, or nothing, as a list of strings.
pub(super) fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many
            .iter()
            .filter_map(|one| match one {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
