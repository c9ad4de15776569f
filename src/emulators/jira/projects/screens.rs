//! The fields that a create or an edit takes in a project.

use serde_json::{Value, json};

use crate::emulators::jira::Jira;
use crate::emulators::jira::meta::{
    FIELDS, ISSUE_TYPES, PRIORITIES, SUBTASK_TYPE_ID, no_issue_type, priority_json, schema_of,
};
use crate::emulators::jira::reply::{Outcome, ok};
use crate::emulators::jira::route::Call;

/// System fields on the create screen.
const ON_SCREEN: [&str; 8] = [
    "summary",
    "description",
    "labels",
    "priority",
    "project",
    "issuetype",
    "assignee",
    "duedate",
];

impl Jira {
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
        self.visible_project(&call.user, call.param(0))?;
        let kind = call.param(1).to_owned();
        if !self.has_issue_type(&kind) {
            return Err(no_issue_type());
        }
        let mut fields: Vec<Value> = ON_SCREEN
            .iter()
            .map(|id| {
                let required = matches!(*id, "summary" | "project" | "issuetype");
                self.field_on_screen(id, required, call.version)
            })
            .collect();
        if kind == SUBTASK_TYPE_ID {
            fields.push(self.field_on_screen("parent", true, call.version));
        }
        let custom = self.custom_fields.keys();
        fields.extend(custom.map(|id| self.field_on_screen(id, false, call.version)));
        let (start, most) = call.page(50, 200)?;
        let total = fields.len();
        let shown: Vec<Value> = fields.into_iter().skip(start).take(most).collect();
        ok(json!({"startAt": start, "maxResults": most, "total": total, "fields": shown}))
    }

    /// What the caller may edit; nothing without *Edit issues* (Jira REST v3: get edit issue metadata).
    pub(crate) fn get_edit_fields(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let may = self.may_on_id(&call.user.account_id, "EDIT_ISSUES", id);
        let editable = FIELDS
            .iter()
            .map(|(id, ..)| *id)
            .filter(|id| ON_SCREEN.contains(id) && *id != "project");
        let custom = self.custom_fields.keys().map(String::as_str);
        let fields = editable.chain(custom).filter(|_| may).map(|id| {
            let required = matches!(id, "summary" | "issuetype");
            let mut field = self.field_on_screen(id, required, call.version);
            field.as_object_mut().map(|field| field.remove("fieldId"));
            (id.to_owned(), field)
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
            _ => {}
        }
        field
    }
}
