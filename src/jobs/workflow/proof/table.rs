//! The proof for people: a table of what was read and tried, and the sentence for each hole. Names from Jira are made
//! plain.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{Table, presets};

use super::{How, Must, Outcome, Proven, Row};
use crate::talk::code_span;
use crate::talk::plain;

/// Projects that a line names before it counts the rest.
const PROJECTS_MOST: usize = 4;

/// Lines that differ in nothing but the project.
struct Line<'a> {
    row: &'a Row,
    projects: Vec<&'a str>,
}

fn lines(proven: &Proven) -> Vec<Line<'_>> {
    type Same<'a> = (How, &'a str, &'a str, &'a Outcome);
    let mut lines: BTreeMap<Same<'_>, Line<'_>> = BTreeMap::new();
    let mut order = Vec::new();
    for row in &proven.rows {
        let same = (row.how, row.who, row.does.as_str(), &row.outcome);
        let line = lines.entry(same).or_insert_with(|| {
            order.push(same);
            Line {
                row,
                projects: Vec::new(),
            }
        });
        line.projects.push(&row.project);
    }
    order
        .into_iter()
        .filter_map(|same| lines.remove(&same))
        .collect()
}

impl Line<'_> {
    fn cells(&self) -> [String; 6] {
        let row = self.row;
        let shown: Vec<&str> = self.projects.iter().take(PROJECTS_MOST).copied().collect();
        let more = self.projects.len().saturating_sub(PROJECTS_MOST);
        let projects = match more {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        };
        let must = match row.must {
            Must::BeRefused => "refused",
            Must::BeAllowed => "allowed",
        };
        let was = match (&row.outcome, row.must) {
            (Outcome::Holds, _) => must,
            (Outcome::Broken(_), Must::BeRefused) => "ALLOWED",
            (Outcome::Broken(_), Must::BeAllowed) => "REFUSED",
            (Outcome::Unknown(_), _) => "UNKNOWN",
        };
        let how = match row.how {
            How::Read => "read",
            How::Tried => "tried",
        };
        [row.who, &row.does, must, was, how, &projects].map(|cell| plain(cell).into_owned())
    }
}

const HEAD: [&str; 6] = ["who", "does", "must be", "is", "how", "in"];

/// The sentences for what is not as it must be.
fn sentences(proven: &Proven) -> Vec<String> {
    let lines = lines(proven);
    let holes = lines.iter().filter_map(|line| match &line.row.outcome {
        Outcome::Holds => None,
        Outcome::Broken(why) => Some(why.clone()),
        Outcome::Unknown(why) => Some(format!("Not known: {why}")),
    });
    let impossible = proven.impossible.iter();
    let impossible =
        impossible.map(|(key, why)| format!("{key}: the rule cannot hold there: {why}."));
    holes.chain(impossible).collect()
}

/// Table and sentences for a terminal.
pub(super) fn text(proven: &Proven) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(HEAD);
    for line in lines(proven) {
        table.add_row(line.cells());
    }
    let mut out = table.trim_fmt() + "\n";
    for sentence in sentences(proven) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "! {}", plain(&sentence));
    }
    out + &verdict(proven) + "\n"
}

/// Table and sentences for a pull request.
pub(super) fn markdown(proven: &Proven) -> String {
    let mut out = format!("| {} |\n|{}\n", HEAD.join(" | "), "---|".repeat(HEAD.len()));
    for line in lines(proven) {
        let cells = line.cells().map(|cell| code_span(&cell));
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out.push('\n');
    for sentence in sentences(proven) {
        let _ = writeln!(out, "* {}", code_span(&sentence));
    }
    format!("{out}\n{}\n", verdict(proven))
}

fn verdict(proven: &Proven) -> String {
    let tried = proven
        .rows
        .iter()
        .filter(|row| row.how == How::Tried)
        .count();
    let projects: std::collections::BTreeSet<&str> =
        proven.rows.iter().map(|row| row.project.as_str()).collect();
    let how = match tried {
        0 => "read, not tried".to_owned(),
        n => format!("{n} attempts"),
    };
    let holds = if proven.is_broken() {
        "The rule does not hold"
    } else if proven.is_unsure() {
        "The rule may not hold"
    } else {
        "The rule holds"
    };
    format!("{holds} ({} projects, {how}).", projects.len())
}
