//! Issues, changes and comments as Jira's JSON. Reads state, changes nothing.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::issue::{Comment, History, HistoryItem, Issue};
use super::packed::Packed;
use super::workflows::statuses::{category_json, status_json};
use super::{Jira, adf, meta};

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
            let chosen = chosen.map(|(key, value)| (key.clone(), value.value()));
            body["properties"] = Value::Object(chosen.collect());
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
        let status = self.status(issue.status);
        put("summary", &|| json!(issue.summary));
        put("description", &|| {
            let text = issue.description.as_ref();
            text.map_or(Value::Null, |text| document(text, version))
        });
        put("labels", &|| json!(issue.labels));
        put("priority", &|| {
            meta::priority_json(&issue.priority, site, version)
        });
        put("status", &|| {
            status.map_or(Value::Null, |s| status_json(s, site, version))
        });
        put("statusCategory", &|| {
            status.map_or(Value::Null, |s| category_json(s.category, site, version))
        });
        put("resolution", &|| {
            issue
                .resolution
                .as_ref()
                .map_or(Value::Null, |id| self.resolution_json(id, version))
        });
        put("resolutiondate", &|| {
            issue.resolved.map_or(Value::Null, |at| json!(time(at)))
        });
        put("statuscategorychangedate", &|| json!(time(issue.moved)));
        put("created", &|| json!(time(issue.created)));
        put("updated", &|| json!(time(issue.updated)));
        put("duedate", &|| json!(issue.due_date));
        put("components", &|| {
            let all = self.components_json(issue.project, version);
            let mine = all.as_array().into_iter().flatten().filter(|one| {
                let name = one["name"].as_str().unwrap_or_default();
                issue.components.iter().any(|own| own == name)
            });
            mine.cloned().collect()
        });
        put("issuetype", &|| {
            meta::issue_type_json(&issue.kind, site, version)
        });
        put("project", &|| {
            self.projects.get(&issue.project).map_or(Value::Null, |p| {
                let mut project = self.project_json(p, version, false);
                for extra in ["expand", "style", "isPrivate", "properties"] {
                    project.as_object_mut().map(|object| object.remove(extra));
                }
                project
            })
        });
        self.put_more(issue, wanted, version, &mut fields);
        Value::Object(fields)
    }

    /// People, relatives, comments and custom fields.
    fn put_more(
        &self,
        issue: &Issue,
        wanted: &Wanted,
        version: &str,
        fields: &mut Map<String, Value>,
    ) {
        let mut put = |name: &str, value: &dyn Fn() -> Value| {
            if wanted.has(name) {
                fields.insert(name.to_owned(), value());
            }
        };
        if let Some(parent) = issue.parent {
            put("parent", &|| self.related_json(parent, version));
        }
        put("subtasks", &|| {
            let children = self.children_of(issue.id);
            let rows = children.iter().map(|id| self.related_json(*id, version));
            rows.collect()
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
    }

    /// An issue beside another: its parent, or one of its sub-tasks.
    fn related_json(&self, id: u64, version: &str) -> Value {
        let Some(issue) = self.issues.get(&id) else {
            return Value::Null;
        };
        let four = ["summary", "status", "priority", "issuetype"];
        let wanted = Wanted {
            fields: four.map(ToOwned::to_owned).into(),
            ..Wanted::default()
        };
        json!({
            "id": id.to_string(), "key": issue.key, "self": self.issue_link(id, version),
            "fields": self.fields_json(issue, &wanted, version),
        })
    }

    pub(super) fn history_json(&self, history: &History, version: &str) -> Value {
        let items: Vec<Value> = history.items.iter().map(HistoryItem::json).collect();
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
        let mut body = json!({
            "self": format!("{}/comment/{}", self.issue_link(issue, version), comment.id),
            "id": comment.id.to_string(), "author": self.person_json(&comment.author, version),
            "body": document(&comment.body, version),
            "updateAuthor": self.person_json(&comment.editor, version), "created": time(comment.created),
            "updated": time(comment.updated), "jsdPublic": true,
        });
        if !comment.visibility.is_null() {
            body["visibility"] = comment.visibility.clone();
        }
        if with_properties {
            let rows = comment.properties.iter();
            body["properties"] = rows
                .map(|(key, value)| json!({"key": key, "value": value.value()}))
                .collect();
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

impl HistoryItem {
    /// As the changelog and webhooks show it.
    pub(super) fn json(&self) -> Value {
        let is_custom = self.field_id.starts_with("customfield_");
        let mut row = json!({
            "field": self.field, "fieldtype": if is_custom { "custom" } else { "jira" }, "from": self.from,
            "fromString": self.from_string, "to": self.to, "toString": self.to_string,
        });
        // A new key is no field.
        if self.field_id != "Key" {
            row["fieldId"] = json!(self.field_id);
        }
        row
    }
}

/// ADF in version 3, plain text in version 2.
fn document(body: &Packed, version: &str) -> Value {
    match version {
        "2" => json!(adf::text(&body.value())),
        _ => body.value(),
    }
}
