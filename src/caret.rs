//! Problems shown where they stand: path, line, caret, and what to do. For files that people write: the configuration
//! and ignore rules. Text of the file is made harmless before it is shown.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::talk::plain;

/// A message that is longer says no more.
const MESSAGE_BYTES_MAX: usize = 600;

/// One thing that is wrong at one place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the file; `None` when the place cannot be told.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The file cannot be used.
    Error,
    /// It can, but somebody should look.
    Warning,
}

/// A problem as lines for people. `source` has gone through [`shown`].
pub fn show(path: &str, source: &str, weight: Weight, problem: &Problem) -> String {
    let level = match weight {
        Weight::Error => Level::ERROR,
        Weight::Warning => Level::WARNING,
    };
    let title = level.primary_title(plain(short(&problem.message)));
    let span = problem.span.as_ref();
    let mut groups = vec![match span.map(|span| on_characters(source, span)) {
        Some(span) => title.element(
            Snippet::source(source)
                .path(path)
                .annotation(AnnotationKind::Primary.span(span)),
        ),
        None => title.element(annotate_snippets::Origin::path(path)),
    }];
    if let Some(help) = &problem.help {
        groups.push(annotate_snippets::Group::with_title(
            Level::HELP.secondary_title(plain(short(help))),
        ));
    }
    Renderer::plain().render(&groups)
}

/// Parsers repeat what they found, and that may be a megabyte.
fn short(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)]
}

/// The nearest span that starts and ends between characters of the text.
pub fn on_characters(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.min(text.len()));
    start..end.max(start)
}

/// The file as it may be shown: as many bytes as before (spans stay true), with control characters and secrets
/// covered.
pub fn shown(text: &str, secrets: &[Range<usize>]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut secrets = secrets.iter().peekable();
    for (at, c) in text.char_indices() {
        let mut buffer = [0; 4];
        while secrets.next_if(|secret| secret.end <= at).is_some() {}
        let cover = match c {
            '\n' => None,
            _ if secrets.peek().is_some_and(|secret| secret.contains(&at)) => Some("*"),
            '\t' | '\r' => Some(" "),
            _ if plain(c.encode_utf8(&mut buffer)) != *c.encode_utf8(&mut [0; 4]) => Some("?"),
            _ => None,
        };
        match cover {
            Some(cover) => shown.push_str(&cover.repeat(c.len_utf8())),
            None => shown.push(c),
        }
    }
    shown
}

/// A complaint of the TOML reader in our words. `keys` says where the keys are described.
pub fn from_toml(message: &str, span: Option<Range<usize>>, text: &str, keys: &str) -> Problem {
    let mut problem = Problem {
        span,
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
        problem.help = Some(keys.to_owned());
    }
    if message.contains("expected a sequence") {
        problem.help = Some("write a list, in brackets: [\"one\", \"two\"]".to_owned());
    }
    if message.starts_with("unexpected leading zero") {
        problem.message = "a number cannot begin with 0".to_owned();
    }
    if is_in_accounts(&problem, text)
        && (message.contains("leading zero") || message.contains("integer"))
    {
        problem.help =
            Some("account ids are text: put each in quotes, such as \"012345678901\"".to_owned());
    }
    problem
}

/// The place is in a list of accounts, even if the text cannot be parsed.
fn is_in_accounts(problem: &Problem, text: &str) -> bool {
    problem.span.as_ref().is_some_and(|span| {
        let before = &text[..text.floor_char_boundary(span.start.min(text.len()))];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        text[line_start..].trim_start().starts_with("accounts")
            || before
                .rsplit_once("accounts")
                .is_some_and(|(_, since)| !since.contains(']'))
    })
}

/// The known word that differs least, if it differs little.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
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
