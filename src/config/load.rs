//! From a file to a [`Config`]: read, parse, check; every problem is given its place in the file.

use std::path::Path;

use serde::de::DeserializeOwned;
use toml_edit::{Document, Item};

use super::check::{self, Finding};
use super::error::invalid;
use super::{Config, ConfigError};
use crate::caret::{self, Problem};

/// Far above any real configuration (400 accounts are 20 KB).
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

impl Config {
    /// Reads and checks a configuration file. Relative paths in it start at the file's folder.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        Config::parse(&read(path)?, path)
    }

    /// The same for text that was already read; `path` names it in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
        let config = parse_strictly(text, path, check::check)?;
        Ok(settle(config, path))
    }
}

/// Any strict file: what its types cannot say is checked, and every problem is shown at its place.
///
/// # Errors
/// [`ConfigError::Invalid`].
pub(crate) fn parse_strictly<T: DeserializeOwned>(
    text: &str,
    path: &Path,
    check: impl FnOnce(&T) -> Vec<Finding>,
) -> Result<T, ConfigError> {
    let read: T =
        toml::from_str(text).map_err(|error| invalid(path, text, &[from_parser(&error, text)]))?;
    let findings = check(&read);
    if findings.is_empty() {
        return Ok(read);
    }
    let document = Document::parse(text).ok();
    let problems: Vec<Problem> = findings
        .into_iter()
        .map(|finding| place(finding, document.as_ref().map(Document::as_item)))
        .collect();
    Err(invalid(path, text, &problems))
}

/// The text of a configuration file.
pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |problem: String| ConfigError::Unreadable {
        path: path.to_owned(),
        problem,
    };
    let size = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(unreadable("it is a folder".to_owned())),
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ConfigError::Missing {
                path: path.to_owned(),
            });
        }
        Err(error) => return Err(unreadable(error.to_string())),
    };
    if size > FILE_BYTES_MAX {
        return Err(unreadable("it is larger than 4 MiB".to_owned()));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}

/// Makes paths absolute in meaning and removes what has no meaning.
fn settle(mut config: Config, path: &Path) -> Config {
    let folder = path.parent().unwrap_or(Path::new(""));
    config.store.path = folder.join(&config.store.path);
    config.jira.token = config.jira.token.starting_at(folder);
    if let Some(slack) = &mut config.slack {
        slack.token = slack.token.clone().starting_at(folder);
        slack
            .api_url
            .truncate(slack.api_url.trim_end_matches('/').len());
    }
    if let Some(teams) = &mut config.teams_webhook {
        let all = teams.teams.values_mut().chain([&mut teams.security]);
        all.for_each(|secret| *secret = secret.clone().starting_at(folder));
    }
    let secrets = std::mem::take(&mut config.webhook.secrets);
    config.webhook.secrets = secrets
        .into_iter()
        .map(|secret| secret.starting_at(folder))
        .collect();
    if let Some(ignore) = &mut config.ignore {
        ignore.checkout = ignore.checkout.take().map(|path| folder.join(path));
        ignore.token = ignore.token.take().map(|token| token.starting_at(folder));
        if let Some(app) = &mut ignore.app {
            app.private_key = app.private_key.clone().starting_at(folder);
        }
    }
    let verify = config.jira.verify.as_mut();
    let tried = verify.map(|verify| [&mut verify.product, &mut verify.reviewer]);
    for login in tried.into_iter().flatten().chain(&mut config.jira.admin) {
        login.token = login.token.clone().starting_at(folder);
    }
    let dashboard = &mut config.dashboard;
    let tokens = dashboard.tokens.iter_mut().map(|token| &mut token.token);
    let client = dashboard.oidc.iter_mut();
    let client = client.filter_map(|oidc| oidc.client_secret.as_mut());
    for secret in tokens.chain(client) {
        *secret = secret.clone().starting_at(folder);
    }
    if let Some(templates) = &mut config.jira.templates {
        *templates = folder.join(&*templates);
    }
    if let Some(file) = &mut config.jira.workflow.file {
        *file = folder.join(&*file);
    }
    let api = config.ignore.as_mut().map(|ignore| &mut ignore.url);
    for url in [
        Some(&mut config.jira.url),
        config.aws.endpoint_url.as_mut(),
        config.dashboard.url.as_mut(),
        api,
    ]
    .into_iter()
    .flatten()
    {
        url.truncate(url.trim_end_matches('/').len());
    }
    config
}

fn from_parser(error: &toml::de::Error, text: &str) -> Problem {
    caret::from_toml(
        error.message(),
        error.span(),
        text,
        "`asaf config schema` describes every key",
    )
}

/// Finds the place of `owners.rules[0].team` in the file, or of the nearest table around it.
fn place(finding: Finding, root: Option<&Item>) -> Problem {
    let mut span = None;
    let mut item = root;
    for step in finding.path.split(['.', '[']) {
        item = item.and_then(|item| match step.strip_suffix(']') {
            Some(index) => item.get(index.parse::<usize>().ok()?),
            None => item.get(step),
        });
        let Some(found) = item.and_then(Item::span) else {
            break;
        };
        span = Some(found);
    }
    Problem {
        span,
        message: format!("{}: {}", finding.path, finding.message),
        help: finding.help,
    }
}
