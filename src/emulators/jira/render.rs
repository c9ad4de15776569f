//! Issues, changes and comments as Jira's JSON. Reads state, changes nothing.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::issue::{Comment, History, Issue};
use super::{Jira, adf, meta, workflow};

/// What of an issue a caller asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// Field selectors: names, `*all`, `*navigable`, `-name`.
    pub(super) fields: Vec<String>,
    /// Entity property keys.
    pub(super) properties: Vec<String>,
    /// Whether the changelog comes too.
    pub(super) changelog: bool,
}

impl Wanted {
    fn has(&self, field: &str) -> bool {
        let excluded = self
            .fields
            .iter()
            .any(|one| one.strip_prefix('-') == Some(field));
        let all = self
            .fields
            .iter()
            .any(|one| one == "*all" || (one == "*navigable" && field != "comment"));
        let only_exclusions = self.fields.iter().all(|one| one.starts_with('-'));
        !excluded && (all || only_exclusions || self.fields.iter().any(|one| one == field))
    }

    /// Whether no field beyond id and key is asked for.
    pub(super) fn is_bare(&self) -> bool {
        self.fields
            .iter()
            .all(|field| field == "id" || field == "key")
    }
}

/// Jira's way to write a time: milliseconds and `+0000`.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S%.3f%z")
        .to_string()
}

/// A page with `startAt`, `total` and `isLast` (Jira REST v3: PageBean).
pub(super) fn page(link: &str, (start, most): (usize, usize), values: Vec<Value>) -> Value {
    let total = values.len();
    let shown: Vec<Value> = values.into_iter().skip(start).take(most).collect();
    json!({
        "self": format!("{link}?startAt={start}&maxResults={most}"), "startAt": start, "maxResults": most,
        "total": total, "isLast": start + shown.len() >= total, "values": shown,
    })
}

impl Jira {
    pub(super) fn issue_json(&self, issue: &Issue, wanted: &Wanted, version: &str) -> Value {
        let mut body = json!({
            "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
            "id": issue.id.to_string(), "self": self.issue_link(issue.id, version), "key": issue.key,
        });
        if !wanted.is_bare() || wanted.fields.is_empty() {
            body["fields"] = self.fields_json(issue, wanted, version);
        }
        if !wanted.properties.is_empty() {
            let all = wanted.properties.iter().any(|key| key == "*all");
            let chosen = issue
                .properties
                .iter()
                .filter(|(key, _)| all || wanted.properties.contains(key));
            body["properties"] = Value::Object(
                chosen
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
            );
        }
        if wanted.changelog {
            // Newest first, at most 100, as in the issue resource; the changelog resource is oldest first.
            let histories: Vec<Value> = issue
                .history
                .iter()
                .rev()
                .take(100)
                .map(|history| self.history_json(history, version))
                .collect();
            body["changelog"] = json!({
                "startAt": 0, "maxResults": histories.len(), "total": issue.history.len(), "histories": histories,
            });
        }
        body
    }

    fn fields_json(&self, issue: &Issue, wanted: &Wanted, version: &str) -> Value {
        let mut fields = Map::new();
        let mut put = |name: &str, value: &dyn Fn() -> Value| {
            if wanted.has(name) {
                fields.insert(name.to_owned(), value());
            }
        };
        let site = &self.site;
        let status = self.workflow.status(issue.status);
        put("summary", &|| json!(issue.summary));
        put("description", &|| document(&issue.description, version));
        put("labels", &|| json!(issue.labels));
        put("priority", &|| {
            meta::priority_json(&issue.priority, site, version)
        });
        put("status", &|| {
            status.map_or(Value::Null, |s| workflow::status_json(s, site, version))
        });
        put("statusCategory", &|| {
            status.map_or(Value::Null, |s| {
                workflow::category_json(s.category, site, version)
            })
        });
        put("resolution", &|| {
            issue
                .resolution
                .as_ref()
                .map_or(Value::Null, |id| meta::resolution_json(id, site, version))
        });
        put("resolutiondate", &|| {
            issue.resolved.map_or(Value::Null, |at| json!(time(at)))
        });
        put("statuscategorychangedate", &|| json!(time(issue.moved)));
        put("created", &|| json!(time(issue.created)));
        put("updated", &|| json!(time(issue.updated)));
        put("duedate", &|| json!(issue.due_date));
        put("issuetype", &|| meta::task_type_json(site, version));
        put("project", &|| {
            self.projects.get(&issue.project).map_or(Value::Null, |p| {
                let mut project = self.project_json(p, version, false);
                for extra in ["expand", "style", "isPrivate", "properties"] {
                    project.as_object_mut().map(|object| object.remove(extra));
                }
                project
            })
        });
        put("creator", &|| self.person_json(&issue.reporter, version));
        put("reporter", &|| self.person_json(&issue.reporter, version));
        put("assignee", &|| {
            issue
                .assignee
                .as_ref()
                .map_or(Value::Null, |account| self.person_json(account, version))
        });
        put("comment", &|| {
            let comments: Vec<Value> = issue
                .comments
                .iter()
                .map(|c| self.comment_json(issue.id, c, version, false))
                .collect();
            json!({
                "self": format!("{}/comment", self.issue_link(issue.id, version)), "comments": comments,
                "startAt": 0, "maxResults": comments.len(), "total": comments.len(),
            })
        });
        for id in self.custom_fields.keys() {
            put(id, &|| issue.custom.get(id).cloned().unwrap_or(Value::Null));
        }
        Value::Object(fields)
    }

    pub(super) fn history_json(&self, history: &History, version: &str) -> Value {
        let items: Vec<Value> = history
            .items
            .iter()
            .map(|item| {
                json!({
                    "field": item.field, "fieldtype": "jira", "fieldId": item.field_id, "from": item.from,
                    "fromString": item.from_string, "to": item.to, "toString": item.to_string,
                })
            })
            .collect();
        let mut body = json!({
            "id": history.id.to_string(), "author": self.person_json(&history.author, version),
            "created": time(history.created), "items": items,
        });
        if let Some(metadata) = &history.metadata {
            body["historyMetadata"] = metadata.clone();
        }
        body
    }

    pub(super) fn comment_json(
        &self,
        issue: u64,
        comment: &Comment,
        version: &str,
        with_properties: bool,
    ) -> Value {
        let author = self.person_json(&comment.author, version);
        let mut body = json!({
            "self": format!("{}/comment/{}", self.issue_link(issue, version), comment.id),
            "id": comment.id.to_string(), "author": author, "body": document(&comment.body, version),
            "updateAuthor": author, "created": time(comment.created), "updated": time(comment.created),
            "jsdPublic": true,
        });
        if with_properties {
            body["properties"] = comment.properties.clone();
        }
        body
    }

    pub(super) fn person_json(&self, account_id: &str, version: &str) -> Value {
        self.account(account_id)
            .map_or(Value::Null, |user| user.json(&self.site, version))
    }

    pub(super) fn issue_link(&self, id: u64, version: &str) -> String {
        format!("{}/rest/api/{version}/issue/{id}", self.site)
    }
}

/// ADF in version 3, plain text in version 2.
fn document(body: &Value, version: &str) -> Value {
    if version == "2" && !body.is_null() {
        json!(adf::text(body))
    } else {
        body.clone()
    }
}
