//! Remarks at the lines of a change: as workflow commands on standard output of a job, or as annotations of a check run.

use super::Checked;
use crate::ignore::effect::counted;
use crate::ignore::problem::Problem;
use crate::talk::plain;

use serde::Serialize;

/// Annotations of one kind that GitHub shows of one step (GitHub docs and actions/toolkit: problem matchers).
const PER_KIND: usize = 10;

/// The longest message that is worth showing at a line, in characters.
const LONGEST_MESSAGE: usize = 2_000;

const TITLE: &str = "asaf ignore check";

/// A remark at lines of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Annotation {
    /// The file.
    pub path: String,
    /// From 1.
    pub start_line: usize,
    /// From 1.
    pub end_line: usize,
    /// From 1; only where both lines are the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_column: Option<usize>,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<usize>,
    /// `notice`, `warning` or `failure`.
    pub annotation_level: &'static str,
    /// At most 255 characters.
    pub title: String,
    /// At most 64 KB.
    pub message: String,
}

/// Workflow commands, errors first; what GitHub would not show is counted in a last line.
pub fn workflow_commands(checked: &Checked) -> String {
    let mut out = String::new();
    let mut left_out = Vec::new();
    for (command, noun, wanted) in [("error", "error", true), ("warning", "warning", false)] {
        let all: Vec<&Problem> = checked
            .problems
            .iter()
            .filter(|problem| problem.is_error() == wanted)
            .collect();
        for problem in all.iter().take(PER_KIND) {
            let place = &problem.place;
            let mut properties = vec![
                format!("file={}", property(&problem.path)),
                format!("line={}", place.line),
                format!("endLine={}", place.end_line),
            ];
            if place.line == place.end_line {
                properties.push(format!("col={}", place.column));
                properties.push(format!("endColumn={}", place.end_column.max(place.column)));
            }
            properties.push(format!("title={}", property(TITLE)));
            out.push_str(&format!(
                "::{command} {}::{}\n",
                properties.join(","),
                data(&words(problem))
            ));
        }
        if all.len() > PER_KIND {
            left_out.push(counted(all.len() - PER_KIND, &format!("more {noun}")));
        }
    }
    let mut last = checked.title();
    if !left_out.is_empty() {
        last = format!("{last}. {} stand in the summary.", left_out.join(" and "));
    }
    out.push_str(&format!(
        "::notice title={}::{}\n",
        property(TITLE),
        data(&last)
    ));
    out
}

/// The same as annotations of a check run.
pub fn annotations(checked: &Checked) -> Vec<Annotation> {
    let of = |problem: &Problem| {
        let place = &problem.place;
        let one_line = place.line == place.end_line;
        let column = |n: usize| one_line.then_some(n);
        Annotation {
            path: problem.path.clone(),
            start_line: place.line,
            end_line: place.end_line,
            start_column: column(place.column),
            end_column: column(place.end_column.max(place.column)),
            annotation_level: if problem.is_error() {
                "failure"
            } else {
                "warning"
            },
            title: TITLE.to_owned(),
            message: words(problem),
        }
    };
    let (errors, warnings): (Vec<&Problem>, Vec<&Problem>) = checked
        .problems
        .iter()
        .partition(|problem| problem.is_error());
    errors.into_iter().chain(warnings).map(of).collect()
}

fn words(problem: &Problem) -> String {
    let help = problem
        .help
        .as_ref()
        .map_or_else(String::new, |help| format!("\n{}", plain(help)));
    let words = format!("{}{help}", plain(&problem.message));
    words.chars().take(LONGEST_MESSAGE).collect()
}

/// Data of a workflow command (actions/toolkit: command.ts): a line break would begin another command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(&plain(text)).replace(':', "%3A").replace(',', "%2C")
}
