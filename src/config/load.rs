//! From a file to a [`Config`]: read, parse, check; every problem is given its place in the file.

use std::path::Path;

use serde::de::DeserializeOwned;
use toml_edit::{Document, Item};

use super::check::{self, Finding};
use super::error::{Problem, invalid};
use super::{Config, ConfigError};

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
    let secrets = std::mem::take(&mut config.webhook.secrets);
    config.webhook.secrets = secrets
        .into_iter()
        .map(|secret| secret.starting_at(folder))
        .collect();
    let verify = config.jira.verify.as_mut();
    let tried = verify.map(|verify| [&mut verify.product, &mut verify.reviewer]);
    for login in tried.into_iter().flatten().chain(&mut config.jira.admin) {
        login.token = login.token.clone().starting_at(folder);
    }
    if let Some(file) = &mut config.jira.workflow.file {
        *file = folder.join(&*file);
    }
    for url in [Some(&mut config.jira.url), config.aws.endpoint_url.as_mut()]
        .into_iter()
        .flatten()
    {
        url.truncate(url.trim_end_matches('/').len());
    }
    config
}

fn from_parser(error: &toml::de::Error, text: &str) -> Problem {
    let message = error.message();
    let mut problem = Problem {
        span: error.span(),
        message: message.to_owned(),
        help: None,
    };
    if let Some((unknown, expected)) = message.split_once(", expected ") {
        let wrong = unknown
            .split_once('`')
            .and_then(|(_, rest)| rest.rsplit_once('`'))
            .map(|(wrong, _)| wrong);
        if unknown.starts_with("unknown field") || unknown.starts_with("unknown variant") {
            let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
            let wrong = wrong.unwrap_or_default();
            problem.message = if unknown.starts_with("unknown field") {
                format!("`{wrong}` is no key of this table")
            } else {
                format!("`{wrong}` is no value of this key")
            };
            problem.help = Some(match nearest(wrong, &known) {
                Some(meant) => format!("did you mean `{meant}`? known here: {}", known.join(", ")),
                None => format!("known here: {}", known.join(", ")),
            });
        }
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        problem.message = format!("the key {key} is missing");
        problem.help = Some("`asaf config schema` describes every key".to_owned());
    }
    let in_accounts = problem.span.as_ref().is_some_and(|span| {
        let line_start = text[..span.start.min(text.len())]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        text[line_start..].trim_start().starts_with("accounts")
            || text[..span.start.min(text.len())]
                .rsplit_once("accounts")
                .is_some_and(|(_, since)| !since.contains(']'))
    });
    if in_accounts && (message.contains("leading zero") || message.contains("integer")) {
        problem.help =
            Some("account ids are text: put each in quotes, such as \"012345678901\"".to_owned());
    }
    problem
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

/// The known word that differs least, if it differs little.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's edit distance, of at most 64 characters of the first word.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}
