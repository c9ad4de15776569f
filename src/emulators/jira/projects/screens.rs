//! The fields that a create or an edit takes in a project.

use serde_json::{Value, json};

use crate::emulators::jira::fields::option_id;
use crate::emulators::jira::meta::{
    FIELDS, ISSUE_TYPES, PRIORITIES, SUBTASK_TYPE_ID, issue_type_json, no_issue_type,
    priority_json, schema_of,
};
use crate::emulators::jira::reply::{Outcome, ok};
use crate::emulators::jira::route::Call;
use crate::emulators::jira::{Jira, Project};

/// System fields on the create screen.
const ON_SCREEN: [&str; 9] = [
    "summary",
    "description",
    "labels",
    "priority",
    "project",
    "issuetype",
    "assignee",
    "duedate",
    "components",
];

impl Jira {
    /// Deprecated, and still what older clients read: projects with their issue types and, when asked, the fields of
    /// each (Jira REST v3: get create issue metadata).
    pub(crate) fn get_create_meta(&mut self, call: &mut Call<'_>) -> Outcome {
        let (ids, keys) = (
            call.query_list("projectIds"),
            call.query_list("projectKeys"),
        );
        let kinds = call.query_list("issuetypeIds");
        let names = call.query_list("issuetypeNames");
        let with_fields = call.expands("projects.issuetypes.fields");
        let is_wanted = |project: &&Project| {
            ((ids.is_empty() && keys.is_empty())
                || ids.contains(&project.id.to_string())
                || keys.contains(&project.key))
                && self.may_in(&call.user.account_id, "CREATE_ISSUES", project.id)
        };
        let rows = self.projects.values().filter(is_wanted).map(|project| {
            let shown = self.project_json(project, call.version, false);
            let types: Vec<Value> = ISSUE_TYPES
                .iter()
                .filter(|(id, name, _)| {
                    (kinds.is_empty() || kinds.iter().any(|one| one == id))
                        && (names.is_empty() || names.iter().any(|one| one == name))
                })
                .map(|(id, ..)| {
                    let mut kind = issue_type_json(id, &self.site, call.version);
                    if with_fields {
                        let fields = self.create_fields(project.id, id, call.version);
                        let fields = fields.into_iter().map(by_id);
                        kind["fields"] = Value::Object(fields.collect());
                    }
                    kind
                })
                .collect();
            json!({
                "id": shown["id"], "key": shown["key"], "name": shown["name"], "self": shown["self"],
                "avatarUrls": shown["avatarUrls"], "issuetypes": types,
            })
        });
        ok(json!({"expand": "projects", "projects": rows.collect::<Vec<_>>()}))
    }

    pub(crate) fn get_create_types(&mut self, call: &mut Call<'_>) -> Outcome {
        self.visible_project(&call.user, call.param(0))?;
        let (start, most) = call.page(50, 200)?;
        let all = self.issue_types_json(call.version);
        let rows = all.as_array().into_iter().flatten().skip(start).take(most);
        ok(json!({
            "startAt": start, "maxResults": most, "total": ISSUE_TYPES.len(),
            "issueTypes": rows.collect::<Vec<_>>(),
        }))
    }

    pub(crate) fn get_create_fields(&mut self, call: &mut Call<'_>) -> Outcome {
        let project = self.visible_project(&call.user, call.param(0))?.id;
        let kind = call.param(1).to_owned();
        if !self.has_issue_type(&kind) {
            return Err(no_issue_type());
        }
        let fields = self.create_fields(project, &kind, call.version);
        let (start, most) = call.page(50, 200)?;
        let total = fields.len();
        let shown: Vec<Value> = fields.into_iter().skip(start).take(most).collect();
        ok(json!({"startAt": start, "maxResults": most, "total": total, "fields": shown}))
    }

    fn create_fields(&self, project: u64, kind: &str, version: &str) -> Vec<Value> {
        let mut fields: Vec<Value> = ON_SCREEN
            .iter()
            .filter(|id| !self.off_screen.contains(**id))
            .map(|id| {
                let required = matches!(*id, "summary" | "project" | "issuetype");
                let mut field = self.field_on_screen(id, required, version);
                if *id == "components" {
                    field["operations"] = json!(["add", "set", "remove"]);
                    field["allowedValues"] = self.components_json(project, version);
                }
                field
            })
            .collect();
        if kind == SUBTASK_TYPE_ID {
            fields.push(self.field_on_screen("parent", true, version));
        }
        let custom = self.custom_fields.keys();
        fields.extend(custom.map(|id| {
            let required = self.required_of(project).any(|field| field == id);
            self.field_on_screen(id, required, version)
        }));
        fields
    }

    /// What the caller may edit; nothing without *Edit issues* (Jira REST v3: get edit issue metadata).
    pub(crate) fn get_edit_fields(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let may = self.may_on_id(&call.user.account_id, "EDIT_ISSUES", id);
        let editable = FIELDS
            .iter()
            .map(|(id, ..)| *id)
            .filter(|id| ON_SCREEN.contains(id) && *id != "project")
            .filter(|id| !self.off_screen.contains(*id));
        let custom = self.custom_fields.keys().map(String::as_str);
        let fields = editable.chain(custom).filter(|_| may).map(|id| {
            let required = matches!(id, "summary" | "issuetype");
            by_id(self.field_on_screen(id, required, call.version))
        });
        ok(json!({ "fields": Value::Object(fields.collect()) }))
    }

    fn field_on_screen(&self, id: &str, required: bool, version: &str) -> Value {
        let mut field = json!({
            "fieldId": id, "key": id, "name": self.field_name(id), "hasDefaultValue": id == "priority",
            "operations": ["set"], "required": required, "schema": schema_of(id),
        });
        match id {
            "labels" => field["operations"] = json!(["add", "set", "remove"]),
            "priority" => {
                let all = PRIORITIES.iter();
                field["allowedValues"] = all
                    .map(|(id, _)| priority_json(id, &self.site, version))
                    .collect();
            }
            // A select list names its options (Jira REST v3: get create field metadata).
            _ => {
                if let Some(options) = self.custom_options.get(id) {
                    let options = options.iter().enumerate();
                    field["allowedValues"] = options
                        .map(|(n, option)| json!({ "id": option_id(n), "value": option }))
                        .collect();
                }
            }
        }
        field
    }
}

/// A field under its id; there the field itself does not name it.
fn by_id(mut field: Value) -> (String, Value) {
    let id = field
        .as_object_mut()
        .and_then(|field| field.remove("fieldId"));
    let id = id.and_then(|id| id.as_str().map(ToOwned::to_owned));
    (id.unwrap_or_default(), field)
}
