//! The effective settings, each with where it comes from.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use toml_edit::{Document, Item};

use super::{Config, ConfigError, load};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The configuration file.
    File,
    /// Built in.
    Default,
}

/// One key with its effective value. A secret's value is its reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Such as `owners.rules[0].team`.
    pub key: String,
    /// As in the file's own types.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
}

impl Config {
    /// Every effective setting of a file, sorted by key; the file must be valid.
    pub fn settings(path: &Path) -> Result<Vec<Setting>, ConfigError> {
        let text = load::read(path)?;
        let config = Config::parse(&text, path)?;
        let effective = serde_json::to_value(&config).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            problem: error.to_string(),
        })?;
        let document = Document::parse(text.as_str()).ok();
        let mut settings = Vec::new();
        collect(
            String::new(),
            effective,
            document.as_ref().map(Document::as_item),
            &mut settings,
        );
        Ok(settings)
    }
}

fn collect(key: String, value: Value, written: Option<&Item>, settings: &mut Vec<Setting>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let item = written.and_then(|item| item.get(name.as_str()));
                let key = match key.as_str() {
                    "" => name,
                    parent => format!("{parent}.{name}"),
                };
                collect(key, value, item, settings);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (i, value) in items.into_iter().enumerate() {
                let item = written.and_then(|item| item.get(i));
                collect(format!("{key}[{i}]"), value, item, settings);
            }
        }
        value => settings.push(Setting {
            key,
            value,
            origin: written.map_or(Origin::Default, |_| Origin::File),
        }),
    }
}
