//! What tickets say: templates in Markdown, one for each product and issue type, filled with what [`data`] makes of a
//! finding. A value of a finding is only ever text: see [`crate::wire::adf::markdown`].
//!
//! Nothing here reads the network or the store; the folder of a person's own templates is read once, by [`Templates::load`].

pub mod data;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use crate::model::{Finding, Owner};
use crate::wire::adf::Doc;
use crate::wire::adf::markdown::{document, placeholder};
use data::Data;

/// The templates that come with asaf.
const OWN: [(&str, &str); 4] = [
    ("default.md", include_str!("../../templates/default.md")),
    ("guardduty.md", include_str!("../../templates/guardduty.md")),
    ("inspector.md", include_str!("../../templates/inspector.md")),
    (
        "access-analyzer.md",
        include_str!("../../templates/access-analyzer.md"),
    ),
];

/// Far above any text that a ticket could hold.
const TEMPLATE_BYTES_MAX: u64 = 256 * 1024;

/// Values by field id, as Jira's API takes them.
type Fields = serde_json::Map<String, serde_json::Value>;

/// A field's value that is filled from the finding, and so follows it.
pub fn is_mapped(value: &serde_json::Value) -> bool {
    value.to_string().contains("{{")
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder or a file cannot be read.
    #[error("the template {path} cannot be read: {why}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// A template is wrong.
    #[error("the template {name} is wrong{line}: {why}", line = .line.map_or(String::new(), |n| format!(" in line {n}")))]
    Wrong {
        /// The template's name.
        name: String,
        /// Where, counted from 1.
        line: Option<usize>,
        /// What is wrong.
        why: String,
    },
}

/// The templates, ready to be filled.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    names: BTreeMap<String, Option<PathBuf>>,
}

impl Default for Templates {
    /// Those that come with asaf. They are tested; a defect would show as a description of one line.
    fn default() -> Self {
        Templates::from_texts(Vec::new()).unwrap_or_else(|_| Templates {
            environment: Environment::new(),
            names: BTreeMap::new(),
        })
    }
}

impl Templates {
    /// Those that come with asaf, and the files `*.md` of a folder and of its folders for languages in their place.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn load(folder: Option<&Path>) -> Result<Self, TemplateError> {
        let mut texts = Vec::new();
        if let Some(folder) = folder {
            read_folder(folder, "", &mut texts)?;
        }
        Templates::from_texts(texts)
    }

    fn from_texts(theirs: Vec<(String, PathBuf, String)>) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        environment.set_syntax(syntax.map_err(|error| wrong("syntax", &error))?);
        environment.add_filter("capitalize_first", capitalize_first);
        // Otherwise a template could make a finding's text markup.
        environment.remove_filter("safe");
        environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
        environment
            .set_formatter(|out, _, value| out.write_str(&written(value)).map_err(Error::from));
        let mut names = BTreeMap::new();
        let own = OWN
            .iter()
            .map(|(name, text)| ((*name).to_owned(), None, (*text).to_owned()));
        let theirs = theirs
            .into_iter()
            .map(|(name, path, text)| (name, Some(path), text));
        for (name, path, text) in own.chain(theirs) {
            environment
                .add_template_owned(name.clone(), text)
                .map_err(|error| wrong(&name, &error))?;
            names.insert(name, path);
        }
        Ok(Templates { environment, names })
    }

    /// Every template by its name, with its file where it is a person's own.
    pub fn names(&self) -> &BTreeMap<String, Option<PathBuf>> {
        &self.names
    }

    /// The template of a ticket: the one in the owner's language, of the product and the issue type, comes first.
    pub fn of(&self, finding: &Finding, owner: &Owner, issue_type: &str) -> &str {
        let product = finding.product.word().replace('/', "-").to_lowercase();
        let kind = issue_type.to_lowercase().replace([' ', '/'], "-");
        let files = [
            format!("{product}.{kind}.md"),
            format!("{product}.md"),
            format!("default.{kind}.md"),
            "default.md".to_owned(),
        ];
        let folders = owner.language.iter().map(|language| format!("{language}/"));
        let folders: Vec<String> = folders.chain([String::new()]).collect();
        folders
            .iter()
            .flat_map(|folder| files.iter().map(move |file| format!("{folder}{file}")))
            .find_map(|name| self.names.get_key_value(&name))
            .map_or("default.md", |(name, _)| name)
    }

    /// The document of a template.
    ///
    /// # Errors
    /// [`TemplateError::Wrong`]: a name that does not exist, a type that does not fit.
    pub fn document(&self, name: &str, data: &Data) -> Result<Doc, TemplateError> {
        let template = self.environment.get_template(name);
        let markdown = template
            .and_then(|template| template.render(Serde(data)))
            .map_err(|error| wrong(name, &error))?;
        Ok(document(&markdown))
    }

    /// A field's value: texts that hold `{{` are filled; one that is nothing but an expression keeps its type.
    ///
    /// # Errors
    /// [`TemplateError::Wrong`].
    pub fn field(
        &self,
        id: &str,
        value: &serde_json::Value,
        data: &Data,
    ) -> Result<serde_json::Value, TemplateError> {
        use serde_json::Value as Json;
        Ok(match value {
            Json::String(text) if text.contains("{{") => self.text(id, text, data)?,
            Json::Array(items) => {
                let filled = items.iter().map(|item| self.field(id, item, data));
                Json::Array(filled.collect::<Result<_, _>>()?)
            }
            Json::Object(members) => {
                let filled = members
                    .iter()
                    .map(|(key, item)| Ok((key.clone(), self.field(id, item, data)?)));
                Json::Object(filled.collect::<Result<_, TemplateError>>()?)
            }
            other => other.clone(),
        })
    }

    /// All fields, filled.
    ///
    /// # Errors
    /// [`TemplateError::Wrong`].
    pub fn fields(&self, fields: &Fields, data: &Data) -> Result<Fields, TemplateError> {
        let filled = fields
            .iter()
            .map(|(id, value)| Ok((id.clone(), self.field(id, value, data)?)));
        filled.collect()
    }

    fn text(&self, id: &str, text: &str, data: &Data) -> Result<serde_json::Value, TemplateError> {
        let say = |error: Error| wrong(&format!("of the field {id}"), &error);
        let alone = text
            .trim()
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"))
            .filter(|inside| !inside.contains("{{") && !inside.contains("}}"));
        if let Some(expression) = alone {
            let expression = self
                .environment
                .compile_expression(expression)
                .map_err(say)?;
            let value: Value = expression.eval(Serde(data)).map_err(say)?;
            if value.is_undefined() {
                let unknown = Error::new(
                    ErrorKind::UndefinedError,
                    format!("nothing is called {text}"),
                );
                return Err(say(unknown));
            }
            return Ok(serde_json::to_value(&value).unwrap_or_default());
        }
        let rendered = self
            .environment
            .render_str(text, Serde(data))
            .map_err(say)?;
        let plain = crate::wire::adf::markdown::filled(&rendered);
        Ok(serde_json::Value::String(plain))
    }
}

/// The begin of a sentence; the rest, such as the name of a group, stays as it is.
fn capitalize_first(text: String) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

/// A value of a finding becomes a placeholder; what a template itself has written stays.
fn written(value: &Value) -> String {
    if value.is_undefined() || value.is_none() {
        String::new()
    } else if value.is_safe() || value.is_number() {
        value.to_string()
    } else {
        placeholder(&value.to_string())
    }
}

fn wrong(name: &str, error: &Error) -> TemplateError {
    let why = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    TemplateError::Wrong {
        name: error
            .name()
            .filter(|name| !name.starts_with('<'))
            .unwrap_or(name)
            .to_owned(),
        line: error.line(),
        why,
    }
}

fn read_folder(
    folder: &Path,
    language: &str,
    texts: &mut Vec<(String, PathBuf, String)>,
) -> Result<(), TemplateError> {
    let unreadable = |path: &Path, why: String| TemplateError::Unreadable {
        path: path.to_owned(),
        why,
    };
    let entries =
        std::fs::read_dir(folder).map_err(|error| unreadable(folder, error.to_string()))?;
    for entry in entries {
        let path = entry
            .map_err(|error| unreadable(folder, error.to_string()))?
            .path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.is_dir() && language.is_empty() && !name.starts_with('.') {
            read_folder(&path, &format!("{name}/"), texts)?;
        } else if name.ends_with(".md") {
            let size = std::fs::metadata(&path).map_or(0, |file| file.len());
            if size > TEMPLATE_BYTES_MAX {
                return Err(unreadable(&path, "it is larger than 256 KiB".to_owned()));
            }
            let text = std::fs::read_to_string(&path)
                .map_err(|error| unreadable(&path, error.to_string()))?;
            texts.push((format!("{language}{name}"), path, text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
