//! Create, read, edit and delete issues, one or many. The rules of transitions and of search are elsewhere.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::changes::Stamp;
use super::fields::off_screen;
use super::properties::read_properties;
use super::render::{self, Wanted};
use super::reply::{
    Outcome, Reply, bad_payload, created, field_refusal, no_content, no_issue, ok, one_field,
    refusal,
};
use super::route::Call;
use super::{Jira, meta};

/// Most issues in one bulk create (Jira REST v3: bulk create issue).
const CREATE_MOST: usize = 50;
/// Most issues in one bulk fetch (Jira REST v3: bulk fetch issues).
const FETCH_MOST: usize = 100;
/// Most issues in one bulk fetch of changelogs (Jira REST v3: bulk fetch changelogs).
const CHANGELOG_MOST: usize = 1_000;

impl Call<'_> {
    pub(super) fn stamp(&self) -> Stamp {
        Stamp {
            account: self.user.account_id.clone(),
            at: self.now,
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
        let changelog = self
            .query_list("expand")
            .iter()
            .any(|one| one == "changelog");
        Wanted {
            fields,
            properties: self.query_list("properties"),
            changelog,
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
            .filter(|id| {
                self.issues
                    .get(id)
                    .is_some_and(|i| self.sees(&call.user.account_id, i.project))
            })
            .ok_or_else(no_issue)
    }

    pub(super) fn create_issue(&mut self, call: &mut Call<'_>) -> Outcome {
        let element = call.body.clone();
        created(self.create_one(call, &element)?)
    }

    /// 201 if any was created, 400 if none was; errors carry the position of their element (Jira REST v3: bulk create).
    pub(super) fn create_issues(&mut self, call: &mut Call<'_>) -> Outcome {
        let elements = call.body["issueUpdates"]
            .as_array()
            .cloned()
            .ok_or_else(bad_payload)?;
        if elements.len() > CREATE_MOST {
            return Err(refusal(
                400,
                format!("The maximum number of issues in a bulk create is {CREATE_MOST}."),
            ));
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
        let named = fields
            .get("project")
            .and_then(|p| p["id"].as_str().or(p["key"].as_str()));
        let project = named
            .and_then(|name| self.project(name))
            .filter(|project| self.sees(&call.user.account_id, project.id))
            .ok_or_else(|| one_field("project", "valid project is required"))?
            .id;
        if !self.may(&call.user.account_id, "CREATE_ISSUES") {
            let text = "You do not have permission to create issues in this project.";
            return Err(one_field("project", text));
        }
        let kind = fields
            .get("issuetype")
            .ok_or_else(|| one_field("issuetype", "Specify an issue type"))?;
        let is_task = kind["id"].as_str() == Some(meta::TASK_TYPE_ID)
            || kind["name"]
                .as_str()
                .is_some_and(|name| name.eq_ignore_ascii_case("task"));
        if !is_task {
            return Err(one_field(
                "issuetype",
                "The issue type selected is invalid.",
            ));
        }
        let edits = self.read_edits(element, call.is_v2(), true)?;
        let properties = read_properties(&element["properties"])?;
        let id = self.insert_issue(&call.stamp(), project, edits, properties, call.journal);
        let key = self
            .issues
            .get(&id)
            .map(|issue| issue.key.clone())
            .unwrap_or_default();
        let mut answer =
            json!({"id": id.to_string(), "key": key, "self": self.issue_link(id, call.version)});
        if !element["transition"].is_null() {
            // The issue stays created when its first transition fails: the status inside tells.
            let (status, messages) =
                match self.transition_once(call, id, &element["transition"]["id"], None) {
                    Ok(()) => (200, Vec::new()),
                    Err(text) => (400, vec![text]),
                };
            answer["transition"] = json!({"status": status, "errorCollection": {"errorMessages": messages, "errors": {}}});
        }
        Ok(answer)
    }

    pub(super) fn get_issue(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let issue = self.issues.get(&id).ok_or_else(no_issue)?;
        ok(self.issue_json(issue, &call.wanted_from_query(), call.version))
    }

    /// A transition in the body is ignored (Jira REST v3: edit issue).
    pub(super) fn edit_issue(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        if !self.may(&call.user.account_id, "EDIT_ISSUES") {
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
        let edits = self.read_edits(&call.body, call.is_v2(), false)?;
        let properties = read_properties(&call.body["properties"])?;
        self.edit(&call.stamp(), id, edits, call.journal);
        for (key, value) in properties {
            self.set_property(&call.stamp(), id, key, value, call.journal);
        }
        if call.query("returnIssue") == Some("true") {
            return self.get_issue(call);
        }
        no_content()
    }

    pub(super) fn delete_issue(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        if !self.may(&call.user.account_id, "DELETE_ISSUES") {
            return Err(refusal(
                403,
                "You do not have permission to delete issues in this project.",
            ));
        }
        self.remove_issue(&call.stamp(), id, call.journal);
        no_content()
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

    /// Oldest first (Jira REST v3: get changelogs).
    pub(super) fn get_changelog(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let histories = self.issues.get(&id).map_or(&[][..], |issue| &issue.history);
        let rows = histories
            .iter()
            .map(|history| self.history_json(history, call.version))
            .collect();
        let link = format!("{}/changelog", self.issue_link(id, call.version));
        ok(render::page(&link, call.page(100, 100), rows))
    }

    pub(super) fn get_changelog_by_ids(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let ids: Vec<u64> = call.body["changelogIds"]
            .as_array()
            .ok_or_else(bad_payload)?
            .iter()
            .filter_map(Value::as_u64)
            .collect();
        let histories: Vec<Value> = self
            .issues
            .get(&id)
            .into_iter()
            .flat_map(|issue| &issue.history)
            .filter(|history| ids.contains(&history.id))
            .map(|history| self.history_json(history, call.version))
            .collect();
        let total = histories.len();
        ok(json!({"startAt": 0, "maxResults": total, "total": total, "histories": histories}))
    }

    /// By date, then issue id; the token counts the change groups before it (Jira REST v3: bulk fetch changelogs).
    pub(super) fn fetch_changelogs(&mut self, call: &mut Call<'_>) -> Outcome {
        call.require_closed(&["issueIdsOrKeys", "fieldIds", "maxResults", "nextPageToken"])?;
        let asked = strings(&call.body["issueIdsOrKeys"]);
        let field_ids = strings(&call.body["fieldIds"]);
        if asked.is_empty() || asked.len() > CHANGELOG_MOST || field_ids.len() > 10 {
            return Err(bad_payload());
        }
        let ids: BTreeSet<u64> = asked
            .iter()
            .filter_map(|one| self.visible_issue(call, one).ok())
            .collect();
        let mut rows: Vec<_> = ids
            .iter()
            .filter_map(|id| self.issues.get(id))
            .flat_map(|issue| issue.history.iter().map(move |history| (issue.id, history)))
            .filter(|(_, history)| {
                field_ids.is_empty()
                    || history
                        .items
                        .iter()
                        .any(|item| field_ids.contains(&item.field_id))
            })
            .collect();
        rows.sort_by_key(|(id, history)| (history.created, *id, history.id));
        let start = match call.body["nextPageToken"].as_str() {
            None => 0,
            Some(token) => token.parse::<usize>().map_err(|_| bad_payload())?,
        };
        let most = call.body["maxResults"]
            .as_u64()
            .map_or(1_000, |most| most.clamp(1, 10_000) as usize);
        let mut logs: Vec<(u64, Vec<Value>)> = Vec::new();
        for (id, history) in rows.iter().skip(start).take(most) {
            let row = self.history_json(history, call.version);
            match logs.iter_mut().find(|(known, _)| known == id) {
                Some((_, histories)) => histories.push(row),
                None => logs.push((*id, vec![row])),
            }
        }
        let logs: Vec<Value> = logs
            .into_iter()
            .map(|(id, histories)| json!({"issueId": id.to_string(), "changeHistories": histories}))
            .collect();
        let mut answer = json!({"issueChangeLogs": logs});
        if start + most < rows.len() {
            answer["nextPageToken"] = json!((start + most).to_string());
        }
        ok(answer)
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
