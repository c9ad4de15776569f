//! For a pull request: one comment, at most 65,536 characters. Text of others stands in code spans, where nothing is a
//! mention, a reference, a link or HTML.

use std::fmt::Write as _;

use super::{Checked, account, by, by_severity};
use crate::ignore::effect::{Change, Moved};
use crate::talk::code_span;

/// Tells our comment from others.
pub const MARK: &str = "<!-- asaf-ignore-check -->";

/// Findings that are listed one by one.
const MOST_ROWS: usize = 50;

/// Entries of a summary.
const MOST_ENTRIES: usize = 15;

/// Problems that are listed.
const MOST_PROBLEMS: usize = 40;

/// GitHub's limit for a comment, in characters, with room for the last line.
const LONGEST: usize = 65_536 - 200;

/// The whole report.
pub fn markdown(checked: &Checked) -> String {
    let mut out = format!("{MARK}\n### {}\n\n", inline(&checked.title()));
    problems(&mut out, checked);
    rules(&mut out, checked);
    if let Some(effect) = &checked.effect {
        moved(&mut out, "Hidden by this change", &effect.hides);
        moved(&mut out, "Shown again by this change", &effect.shows);
        let _ = writeln!(
            out,
            "{} failing findings in {} accounts were looked at; counts are as of now.\n",
            effect.failing, effect.accounts
        );
    }
    for gap in &checked.unseen {
        let _ = writeln!(out, "* not read: {}", code_span(gap));
    }
    if !checked.approvers.is_empty() && !checked.changed.is_empty() {
        let who: Vec<String> = checked.approvers.iter().map(|who| code_span(who)).collect();
        let _ = writeln!(
            out,
            "\nApproval by {} is required (CODEOWNERS).",
            who.join(" or ")
        );
    }
    cut(out)
}

/// Words of ours with names in them: what GitHub would act on is taken out of its reach.
fn inline(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in crate::talk::plain(text).chars() {
        match c {
            // A word joiner keeps a mention or reference from being one.
            '@' | '#' => {
                safe.push(c);
                safe.push('\u{2060}');
            }
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '[' | ']' | '*' | '_' | '`' | '|' | '\\' | '~' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

fn problems(out: &mut String, checked: &Checked) {
    for problem in checked.problems.iter().take(MOST_PROBLEMS) {
        let sign = if problem.is_error() {
            "❌ error"
        } else {
            "⚠️ warning"
        };
        let place = code_span(&format!("{}:{}", problem.path, problem.place.line));
        let help = problem
            .help
            .as_ref()
            .map_or_else(String::new, |help| format!(" ({})", code_span(help)));
        let _ = writeln!(
            out,
            "* {sign} {place} {}{help}",
            code_span(&problem.message)
        );
    }
    if checked.problems.len() > MOST_PROBLEMS {
        let _ = writeln!(out, "* and {} more", checked.problems.len() - MOST_PROBLEMS);
    }
    if !checked.problems.is_empty() {
        out.push('\n');
    }
}

fn rules(out: &mut String, checked: &Checked) {
    if checked.changed.is_empty() {
        let _ = writeln!(out, "No rule is changed.\n");
        return;
    }
    out.push_str("| rule | | covers now | CRITICAL | accounts | expires | owner | reason |\n|---|---|--:|--:|--:|---|---|---|\n");
    for rule in checked.changed.iter().take(MOST_ROWS) {
        let change = match rule.change {
            Change::Added => "new",
            Change::Changed => "changed",
            Change::Removed => "removed",
        };
        let number = |n: usize| match checked.effect {
            Some(_) => n.to_string(),
            None => "?".to_owned(),
        };
        let _ = writeln!(
            out,
            "| {} | {change} | {} | {} | {} | {} | {} | {} |",
            code_span(&rule.id),
            number(rule.covers),
            number(rule.critical),
            number(rule.accounts),
            code_span(&rule.expires),
            code_span(&rule.owner),
            code_span(&rule.reason)
        );
    }
    if checked.changed.len() > MOST_ROWS {
        let _ = writeln!(
            out,
            "\n{} more rules are not shown.",
            checked.changed.len() - MOST_ROWS
        );
    }
    out.push('\n');
}

fn moved(out: &mut String, title: &str, moved: &[Moved]) {
    if moved.is_empty() {
        return;
    }
    let list = |counts: Vec<(String, usize)>| {
        let entries = counts.iter().take(MOST_ENTRIES);
        let mut words: Vec<String> = entries
            .map(|(what, n)| format!("{n} × {}", code_span(what)))
            .collect();
        if counts.len() > MOST_ENTRIES {
            words.push(format!("{} more", counts.len() - MOST_ENTRIES));
        }
        words.join(", ")
    };
    let severities = by_severity(moved)
        .into_iter()
        .map(|(word, n)| (word.to_owned(), n))
        .collect();
    let _ = writeln!(out, "#### {title}: {}\n", moved.len());
    let _ = writeln!(out, "* by severity: {}", list(severities));
    let _ = writeln!(out, "* by account: {}", list(by(moved, account)));
    let _ = writeln!(
        out,
        "* by control: {}",
        list(by(moved, |m| m.control.clone()))
    );
    let tickets = moved.iter().filter(|m| m.ticket.is_some()).count();
    if tickets > 0 {
        let _ = writeln!(out, "* tickets that move: {tickets}");
    }
    out.push_str("\n<details><summary>The loudest</summary>\n\n| severity | control | ticket | account | resource | rule |\n|---|---|---|---|---|---|\n");
    for one in moved.iter().take(MOST_ROWS) {
        let cells = [
            one.severity.label().to_owned(),
            one.control.clone(),
            one.ticket.clone().unwrap_or_else(|| "-".to_owned()),
            account(one),
            one.resource.clone(),
            one.rule.clone(),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| code_span(cell)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    if moved.len() > MOST_ROWS {
        let _ = writeln!(out, "\n{} more are not shown.", moved.len() - MOST_ROWS);
    }
    out.push_str("\n</details>\n\n");
}

/// At the end of a line, so that no table or span is broken in the middle.
fn cut(out: String) -> String {
    if out.chars().count() <= LONGEST {
        return out;
    }
    let mut kept = String::new();
    let mut length = 0;
    for line in out.lines() {
        length += line.chars().count() + 1;
        if length > LONGEST {
            break;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    if kept.matches("<details>").count() > kept.matches("</details>").count() {
        kept.push_str("\n</details>\n");
    }
    kept.push_str("\nThe rest is too long for a comment; the job's summary has it.\n");
    kept
}
