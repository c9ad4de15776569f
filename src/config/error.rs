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

/// Where values of keys that hold secrets stand that are no references: somebody pasted the secret itself, perhaps in
/// broken TOML.
fn plain_secrets(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<(usize, &str)> = ["token", "private_key"]
        .into_iter()
        .flat_map(|word| text.match_indices(word))
        .collect();
    words.sort_unstable();
    let mut found = Vec::new();
    let mut covered = 0;
    for (at, word) in words {
        if at < covered {
            continue;
        }
        let after = &text[at + word.len()..];
        let value = after.trim_start_matches(['"', '\'', ' ', '\t']);
        let Some(value) = value.strip_prefix('=') else {
            continue;
        };
        let value = value.trim_start_matches([' ', '\t']);
        let start = text.len() - value.len();
        let inner = value.trim_start_matches(['"', '\'']);
        if ["env:", "file:", "aws-sm:"]
            .iter()
            .any(|scheme| inner.starts_with(scheme))
        {
            continue;
        }
        let end = ["\"\"\"", "'''"]
            .iter()
            .find(|quotes| value.starts_with(**quotes))
            .map_or_else(
                || value.find('\n'),
                |quotes| value[3..].find(*quotes).map(|end| end + 6),
            )
            .unwrap_or(value.len());
        covered = start + end;
        found.push(start..covered);
    }
    found
}
