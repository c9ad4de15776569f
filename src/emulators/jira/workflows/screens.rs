//! Screens of transitions: the fields that a transition takes. Without one it takes none.

use serde_json::{Value, json};

use crate::emulators::jira::Jira;
use crate::emulators::jira::meta;
use crate::emulators::jira::workflows::model::Transition;

/// A screen.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    pub(crate) id: String,
    pub(crate) fields: Vec<String>,
}

impl Jira {
    /// The two transition screens of a new site.
    pub(crate) fn add_screens(&mut self) {
        self.workflows.screens = vec![
            screen("2", &["assignee"]),
            screen("3", &["resolution", "assignee"]),
        ];
    }

    /// Adds a screen, or replaces it, as an administrator may.
    pub fn put_screen(&mut self, id: &str, fields: &[&str]) {
        self.workflows.screens.retain(|known| known.id != id);
        self.workflows.screens.push(screen(id, fields));
    }

    /// The fields on a transition's screen; `None` when it has no screen.
    pub(crate) fn screen_fields(&self, transition: &Transition) -> Option<&[String]> {
        let id = transition.screen.as_ref()?.text("screenId");
        let screen = self
            .workflows
            .screens
            .iter()
            .find(|screen| screen.id == id)?;
        Some(&screen.fields)
    }

    /// A resolution on a screen is required: the form has no empty choice.
    pub(crate) fn is_required_on_screen(field: &str) -> bool {
        field == "resolution"
    }

    /// The fields of a screen as `expand=transitions.fields` shows them.
    pub(crate) fn screen_json(&self, transition: &Transition, version: &str) -> Value {
        let fields = self.screen_fields(transition).unwrap_or_default();
        let rows = fields.iter().map(|field| {
            let mut row = json!({
                "required": Jira::is_required_on_screen(field), "name": self.field_name(field), "key": field,
                "operations": ["set"], "hasDefaultValue": false, "schema": meta::schema_of(field),
            });
            if field == "resolution" {
                let all = self.workflows.resolutions.iter();
                row["allowedValues"] = all
                    .map(|(id, _)| self.resolution_json(id, version))
                    .collect();
            }
            (field.clone(), row)
        });
        Value::Object(rows.collect())
    }
}

fn screen(id: &str, fields: &[&str]) -> Screen {
    Screen {
        id: id.to_owned(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    }
}
