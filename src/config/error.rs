//! What can be wrong with a configuration, and how it is shown: path, line, caret, and what to do.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::caret::{self, Problem, Weight};
use crate::talk::plain;

/// Why there is no configuration. Exit code 4.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error(
        "error: there is no configuration at {}\nhelp: write one with `asaf init --output {}`, or name another with --config FILE or ASAF_CONFIG",
        plain(&.path.to_string_lossy()), plain(&.path.to_string_lossy())
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error("error: the configuration {} cannot be read: {problem}", plain(&.path.to_string_lossy()))]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The file was read and is wrong; the text shows each place with line and caret.
    #[error("{rendered}")]
    Invalid {
        /// How many problems are shown.
        problems: usize,
        /// For people; no control characters, and no secret that stood in the file.
        rendered: String,
    },
    /// A command needs a table that is not there.
    #[error("error: the configuration names no {what}\nhelp: {help}")]
    Lacking {
        /// What it needs.
        what: &'static str,
        /// What to write.
        help: &'static str,
    },
    /// A secret could not be read.
    #[error("error: the secret {} cannot be read: {}", plain(.reference), plain(.problem))]
    Secret {
        /// The reference, such as `env:ASAF_JIRA_TOKEN`.
        reference: String,
        /// Why.
        problem: String,
    },
}

/// All problems of one file as one error.
pub(super) fn invalid(path: &Path, text: &str, problems: &[Problem]) -> ConfigError {
    let secrets = plain_secrets(text);
    let source = caret::shown(text, &secrets);
    let path = path.to_string_lossy();
    let path = plain(&path);
    let rendered: Vec<String> = problems
        .iter()
        .map(|problem| render(&path, &source, problem, &secrets))
        .collect();
    ConfigError::Invalid {
        problems: problems.len(),
        rendered: rendered.join("\n\n"),
    }
}

fn render(path: &str, source: &str, problem: &Problem, secrets: &[Range<usize>]) -> String {
    let in_secret = problem.span.as_ref().is_some_and(|span| {
        let span = caret::on_characters(source, span);
        secrets
            .iter()
            .any(|secret| span.start < secret.end && secret.start <= span.end)
    });
    // Parsers quote what they found; where that is a secret, ours is the only sentence.
    if in_secret && !problem.message.starts_with("a secret stands here") {
        let message =
            "this secret cannot be read; it must be a reference: \"env:NAME\" or \"file:PATH\"";
        let problem = Problem {
            span: problem.span.clone(),
            message: message.to_owned(),
            help: problem.help.clone(),
        };
        return caret::show(path, source, Weight::Error, &problem);
    }
    caret::show(path, source, Weight::Error, problem)
}

/// The keys whose values are references to secrets. `token` finds `bot_token` too, and `secret` finds `client_secret`.
const SECRET_KEYS: [&str; 4] = ["token", "secret", "secrets", "private_key"];

const REFERENCES: [&str; 3] = ["env:", "file:", "aws-sm:"];

/// Where values of such keys stand that are no references: somebody pasted the secret itself, perhaps in broken TOML.
fn plain_secrets(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<usize> = SECRET_KEYS
        .iter()
        .flat_map(|key| text.match_indices(key).map(|(at, key)| at + key.len()))
        .collect();
    words.sort_unstable();
    let mut found = Vec::new();
    let mut covered = 0;
    for after_word in words {
        if after_word < covered {
            continue;
        }
        let after = &text[after_word..];
        let value = after.trim_start_matches(['"', '\'', ' ', '\t']);
        let Some(value) = value.strip_prefix('=') else {
            continue;
        };
        let value = value.trim_start_matches([' ', '\t']);
        let start = text.len() - value.len();
        let items = match value.starts_with('[') {
            true => list(value),
            false => vec![(0, length(value))],
        };
        for (from, to) in items {
            let inner = value[from..to].trim_start_matches(['"', '\'']);
            if REFERENCES.iter().any(|scheme| inner.starts_with(scheme)) {
                continue;
            }
            found.push(start + from..start + to);
            covered = start + to;
        }
    }
    found
}

/// The items of a list. Commas and brackets inside quotes are part of an item; an item whose quotes do not end lasts to
/// the end of the file, because too much covered is better than half a secret shown.
fn list(value: &str) -> Vec<(usize, usize)> {
    let mut items = Vec::new();
    let mut start: Option<usize> = None;
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, c) in value.char_indices().skip(1) {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, ',' | ']' | '\n') => {
                items.extend(start.take().map(|from| (from, at)));
                if c == ']' {
                    return items;
                }
            }
            (None, c) if c.is_whitespace() => {}
            (None, c) => {
                start = start.or(Some(at));
                quote = ['"', '\''].contains(&c).then_some(c);
            }
        }
    }
    items.extend(start.map(|from| (from, value.len())));
    items
}

/// To the end of the line, or of a text of several lines.
fn length(value: &str) -> usize {
    ["\"\"\"", "\'\'\'"]
        .iter()
        .find(|quotes| value.starts_with(**quotes))
        .map_or_else(
            || value.find('\n'),
            |quotes| value[3..].find(*quotes).map(|end| end + 6),
        )
        .unwrap_or(value.len())
}
