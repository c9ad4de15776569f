//! A secret, by reference: the configuration says where it is, never what it is.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// A secret file larger than this is not one.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Where a secret is. It prints as the reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Secret {
    /// `env:NAME`: an environment variable.
    Env(String),
    /// `file:PATH`: a file's content without the line break at its end; a relative path starts at the folder of the
    /// configuration file.
    File(PathBuf),
}

impl Secret {
    /// Reads the secret; blank counts as missing.
    pub fn resolve(&self) -> Result<SecretString, ConfigError> {
        self.resolve_with(|name| std::env::var(name).ok())
    }

    pub(super) fn resolve_with(
        &self,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<SecretString, ConfigError> {
        let value = self.read_from(env)?;
        self.one_line(value)
    }

    /// Reads a secret of several lines, such as a key in PEM form; blank counts as missing.
    pub fn resolve_text(&self) -> Result<SecretString, ConfigError> {
        let value = self.read_from(|name| std::env::var(name).ok())?;
        if value.trim().is_empty() {
            return Err(self.missing("it is empty"));
        }
        Ok(SecretString::from(value))
    }

    fn one_line(&self, value: String) -> Result<SecretString, ConfigError> {
        let value = value.trim_end_matches(['\r', '\n']);
        if value.trim().is_empty() {
            return Err(self.missing("it is empty"));
        }
        if value.chars().any(char::is_control) {
            return Err(self.missing("it contains a line break or another control character"));
        }
        Ok(SecretString::from(value))
    }

    fn read_from(&self, env: impl Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
        match self {
            Secret::Env(name) => {
                env(name).ok_or_else(|| self.missing("the environment variable is not set"))
            }
            Secret::File(path) => self.read(path),
        }
    }

    fn read(&self, path: &Path) -> Result<String, ConfigError> {
        let size = std::fs::metadata(path).map_err(|e| self.missing(&e.to_string()))?;
        if size.len() > FILE_BYTES_MAX {
            return Err(self.missing("the file is larger than 64 KiB"));
        }
        std::fs::read_to_string(path).map_err(|e| self.missing(&e.to_string()))
    }

    fn missing(&self, problem: &str) -> ConfigError {
        ConfigError::Secret {
            reference: self.to_string(),
            problem: problem.to_owned(),
        }
    }

    /// The same reference, with a relative path made to start at `folder`.
    pub(super) fn starting_at(self, folder: &Path) -> Self {
        match self {
            Secret::File(path) => Secret::File(folder.join(path)),
            env => env,
        }
    }
}

impl FromStr for Secret {
    type Err = &'static str;

    fn from_str(reference: &str) -> Result<Self, Self::Err> {
        // The text may be the secret itself: no message repeats it.
        match reference.split_once(':') {
            Some(("env", name)) if is_variable(name) => Ok(Secret::Env(name.to_owned())),
            Some(("env", _)) => Err(
                "`env:` needs the name of an environment variable, such as \"env:ASAF_JIRA_TOKEN\"",
            ),
            Some(("file", path)) if !path.is_empty() => Ok(Secret::File(PathBuf::from(path))),
            Some(("file", _)) => {
                Err("`file:` needs a path, such as \"file:/run/secrets/jira-token\"")
            }
            Some(("aws-sm", _)) => Err(
                "`aws-sm:` (AWS Secrets Manager) is not available in this build; use \"env:NAME\" or \"file:PATH\"",
            ),
            _ => Err(
                "a secret stands here by reference, never by value: \"env:NAME\" or \"file:PATH\"; \
                 if this was a real secret, replace it where it was issued",
            ),
        }
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Env(name) => write!(f, "env:{name}"),
            Secret::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl TryFrom<String> for Secret {
    type Error = &'static str;

    fn try_from(reference: String) -> Result<Self, Self::Error> {
        reference.parse()
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        secret.to_string()
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$",
            "examples": ["env:ASAF_JIRA_TOKEN", "file:/run/secrets/jira-token"],
        })
    }
}
