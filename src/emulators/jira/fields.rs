//! Checks the `fields` and `update` members of a create or edit and turns them into edits. Changes nothing.

use serde_json::{Map, Value, json};

use super::edits::Edit;
use super::packed::Packed;
use super::reply::{Reply, field_refusal};
use super::{Jira, adf, meta};

/// Summary length in characters (common knowledge; Jira's text says "less than 255" and means at most).
const SUMMARY_MOST: usize = 255;
/// Description length in characters of logical text (measured on Jira Cloud).
const TEXT_MOST: usize = 32_767;
/// Label length in characters (common knowledge).
const LABEL_MOST: usize = 255;

impl Jira {
    /// Reads both members; refuses with a text for each field that is wrong. `project`, `issuetype` and `parent` are
    /// left to the create.
    pub(super) fn read_edits(
        &self,
        body: &Value,
        project: u64,
        is_v2: bool,
        is_create: bool,
    ) -> Result<Vec<Edit>, Reply> {
        let empty = Map::new();
        let fields = body["fields"].as_object().unwrap_or(&empty);
        let update = body["update"].as_object().unwrap_or(&empty);
        let mut edits = Vec::new();
        let mut errors = Map::new();
        for (name, value) in fields {
            if is_create && matches!(name.as_str(), "project" | "issuetype" | "parent") {
                continue;
            }
            if update.contains_key(name) {
                errors.insert(
                    name.clone(),
                    json!(format!(
                        "Field '{name}' cannot be in both 'fields' and 'update'."
                    )),
                );
                continue;
            }
            match self.read_field(name, value, project, is_v2) {
                Ok(edit) => edits.push(edit),
                Err(text) => drop(errors.insert(name.clone(), json!(text))),
            }
        }
        for (name, operations) in update {
            for operation in operations.as_array().into_iter().flatten() {
                match self.read_operation(name, operation, project, is_v2) {
                    Ok(edit) => edits.push(edit),
                    Err(text) => drop(errors.insert(name.clone(), json!(text))),
                }
            }
        }
        if is_create
            && !edits.iter().any(|edit| matches!(edit, Edit::Summary(_)))
            && !errors.contains_key("summary")
        {
            errors.insert(
                "summary".into(),
                json!("You must specify a summary of the issue."),
            );
        }
        for field in self.required_of(project).filter(|_| is_create) {
            if !edits.iter().any(|edit| edit.sets(field)) {
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

    /// The custom fields that a project's field configuration requires (Atlassian: field configurations).
    pub(super) fn required_of(&self, project: u64) -> impl Iterator<Item = &String> {
        let project = self.projects.get(&project);
        let required = project.and_then(|project| self.required_fields.get(&project.key));
        required.into_iter().flatten()
    }

    pub(super) fn read_field(
        &self,
        name: &str,
        value: &Value,
        project: u64,
        is_v2: bool,
    ) -> Result<Edit, String> {
        match name {
            hidden if self.off_screen.contains(hidden) => Err(off_screen(hidden)),
            "summary" => summary(value),
            "description" => description(value, is_v2),
            "labels" => {
                let labels = value.as_array().ok_or("data was not an array")?;
                labels
                    .iter()
                    .map(label)
                    .collect::<Result<_, _>>()
                    .map(Edit::Labels)
            }
            "priority" => {
                let chosen = meta::PRIORITIES.iter().find(|(id, name)| {
                    value["id"] == *id || value["name"].as_str().is_some_and(|n| n == *name)
                });
                let (id, _) = chosen.ok_or("The priority selected is invalid.")?;
                Ok(Edit::Priority((*id).to_owned()))
            }
            "assignee" => {
                let account = value["accountId"].as_str().or(value["id"].as_str());
                match account {
                    None => Ok(Edit::Assignee(None)),
                    Some(account) if self.may_in(account, "ASSIGNABLE_USER", project) => {
                        Ok(Edit::Assignee(Some(account.to_owned())))
                    }
                    Some(account) => Err(format!("User '{account}' cannot be assigned issues.")),
                }
            }
            "duedate" => match value {
                Value::Null => Ok(Edit::DueDate(None)),
                value => {
                    let text = value
                        .as_str()
                        .filter(|text| text.parse::<jiff::civil::Date>().is_ok());
                    let text = text.ok_or("Date format must be yyyy-MM-dd")?;
                    Ok(Edit::DueDate(Some(text.to_owned())))
                }
            },
            "components" => {
                let list = value.as_array().ok_or("data was not an array")?;
                list.iter()
                    .map(|one| self.component(one, project))
                    .collect::<Result<_, _>>()
                    .map(Edit::Components)
            }
            custom if self.custom_fields.contains_key(custom) => {
                self.option(custom, value)?;
                Ok(Edit::Custom(custom.into(), value.clone()))
            }
            // Recorded from Jira Cloud: also what a field of the system is answered that is not on the screen.
            other => Err(off_screen(other)),
        }
    }

    /// A select list takes one of its options, by id or value. The wording is not Jira's: no copy of it was found.
    fn option(&self, field: &str, value: &Value) -> Result<(), String> {
        let Some(options) = self.custom_options.get(field) else {
            return Ok(());
        };
        let mut known = options.iter().enumerate();
        let chosen = known.any(|(n, option)| {
            value["value"] == option.as_str() || value["id"] == option_id(n).as_str()
        });
        if chosen || value.is_null() {
            return Ok(());
        }
        Err(format!("The option {value} does not exist."))
    }

    /// By name or id (recorded from Jira Cloud: the text of the refusal).
    fn component(&self, value: &Value, project: u64) -> Result<String, String> {
        let named = value["name"].as_str().or(value["id"].as_str());
        let named = named.ok_or("expected 'id' property to be present")?;
        let known = self.components_of(project);
        let found = known
            .iter()
            .find(|(id, name)| id == named || *name == named)
            .map(|(_, name)| (*name).to_owned());
        found.ok_or_else(|| format!("Component name '{named}' is not valid"))
    }

    fn read_operation(
        &self,
        name: &str,
        operation: &Value,
        project: u64,
        is_v2: bool,
    ) -> Result<Edit, String> {
        let verb = operation
            .as_object()
            .and_then(|object| object.iter().next());
        let (verb, value) = verb.ok_or_else(|| off_screen(name))?;
        match (name, verb.as_str()) {
            (_, "set") => self.read_field(name, value, project, is_v2),
            ("labels", "add") => label(value).map(Edit::AddLabel),
            ("components", "add") => self.component(value, project).map(Edit::AddComponent),
            ("labels", "remove") => label(value).map(Edit::RemoveLabel),
            ("comment", "add") => comment_body(&value["body"], is_v2).map(Edit::Comment),
            _ => Err(format!(
                "Field with id '{name}' does not support operation '{verb}'"
            )),
        }
    }
}

/// The id of a select list's option, by its place.
pub(super) fn option_id(n: usize) -> String {
    (10_100 + n).to_string()
}

/// The text for a field that the caller cannot set here, and for all fields when the caller may not edit at all
/// (recorded from Jira Cloud, 2026-10).
pub(super) fn off_screen(field: &str) -> String {
    format!("Field '{field}' cannot be set. It is not on the appropriate screen, or unknown.")
}

/// A comment's body: ADF in version 3, a string in version 2 (recorded from Jira Cloud, 2026-10).
pub(super) fn comment_body(body: &Value, is_v2: bool) -> Result<Packed, String> {
    let document = match (is_v2, body.as_str()) {
        (true, Some(text)) if !text.is_empty() => adf::from_text(text),
        (false, None) if adf::is_document(body) => body.clone(),
        _ => return Err("Comment body is not valid!".into()),
    };
    if adf::text(&document).chars().count() > TEXT_MOST {
        return Err("CONTENT_LIMIT_EXCEEDED".into());
    }
    Ok(document.into())
}

fn summary(value: &Value) -> Result<Edit, String> {
    let text = value.as_str().ok_or("Operation value must be a string")?;
    if text.trim().is_empty() {
        return Err("You must specify a summary of the issue.".into());
    }
    if text.contains(['\n', '\r']) {
        return Err("The summary is invalid because it contains newline characters.".into());
    }
    if text.chars().count() > SUMMARY_MOST {
        return Err("Summary must be less than 255 characters.".into());
    }
    Ok(Edit::Summary(text.trim().to_owned()))
}

fn description(value: &Value, is_v2: bool) -> Result<Edit, String> {
    let document = match (is_v2, value) {
        (_, Value::Null) => Value::Null,
        (true, Value::String(text)) => adf::from_text(text),
        (true, _) => return Err("Operation value must be a string".into()),
        (false, value) if adf::is_document(value) => value.clone(),
        (false, _) => {
            return Err(
                "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
                    .into(),
            );
        }
    };
    if adf::text(&document).chars().count() > TEXT_MOST {
        return Err("CONTENT_LIMIT_EXCEEDED".into());
    }
    let text = (!document.is_null()).then(|| document.into());
    Ok(Edit::Description(text))
}

pub(super) fn label(value: &Value) -> Result<String, String> {
    let text = value.as_str().ok_or("string expected at index 0")?;
    if text.contains(char::is_whitespace) {
        return Err(format!(
            "The label '{text}' contains spaces which is invalid."
        ));
    }
    if text.is_empty() || text.chars().count() > LABEL_MOST {
        return Err(format!(
            "The label '{text}' exceeds the maximum length of {LABEL_MOST} characters."
        ));
    }
    Ok(text.to_owned())
}
