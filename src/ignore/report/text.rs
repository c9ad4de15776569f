//! For a terminal: problems with their places, then what the change does. Text of others is made plain.

use std::fmt::Write as _;

use super::{Checked, account, by, by_severity};
use crate::ignore::effect::{Change, Moved};
use crate::talk::plain;

/// Findings that are listed one by one.
const MOST_LINES: usize = 30;

/// The whole report.
pub fn text(checked: &Checked) -> String {
    let mut out = String::new();
    for problem in &checked.problems {
        let _ = writeln!(out, "{}\n", problem.show(&checked.files));
    }
    for rule in &checked.changed {
        let sign = match rule.change {
            Change::Added => '+',
            Change::Changed => '~',
            Change::Removed => '-',
        };
        let covers = match &checked.effect {
            Some(_) => format!(", covers {} in {} accounts", rule.covers, rule.accounts),
            None => String::new(),
        };
        let line = format!(
            "{sign} {} of team {}, until {}{covers}: {}",
            rule.id, rule.owner, rule.expires, rule.reason
        );
        let _ = writeln!(out, "{}", plain(&line));
    }
    if let Some(effect) = &checked.effect {
        moved(&mut out, "hides", &effect.hides);
        moved(&mut out, "shows again", &effect.shows);
        let _ = writeln!(
            out,
            "{} failing findings in {} accounts were looked at.",
            effect.failing, effect.accounts
        );
    }
    for gap in &checked.unseen {
        let _ = writeln!(out, "not read: {}", plain(gap));
    }
    let (errors, warnings) = checked.counts();
    let _ = writeln!(
        out,
        "{}. {} rules, {errors} errors, {warnings} warnings.",
        plain(&checked.title()),
        checked.rules
    );
    out
}

fn moved(out: &mut String, verb: &str, moved: &[Moved]) {
    if moved.is_empty() {
        return;
    }
    let list = |counts: Vec<(String, usize)>| {
        let mut words: Vec<String> = counts
            .iter()
            .take(8)
            .map(|(what, n)| format!("{n} {what}"))
            .collect();
        if counts.len() > 8 {
            words.push(format!("and {} more", counts.len() - 8));
        }
        plain(&words.join(", ")).into_owned()
    };
    let severities = by_severity(moved)
        .into_iter()
        .map(|(word, n)| (word.to_owned(), n))
        .collect();
    let _ = writeln!(out, "It {verb} {} findings", moved.len());
    let _ = writeln!(out, "  by severity  {}", list(severities));
    let _ = writeln!(out, "  by account   {}", list(by(moved, account)));
    let _ = writeln!(
        out,
        "  by control   {}",
        list(by(moved, |m| m.control.clone()))
    );
    for one in moved.iter().take(MOST_LINES) {
        let ticket = one.ticket.as_deref().unwrap_or("-");
        let line = format!(
            "  {:<13} {:<10} {ticket:<10} {}  {}  ({})",
            one.severity.label(),
            one.control,
            account(one),
            one.resource,
            one.rule
        );
        let _ = writeln!(out, "{}", plain(&line));
    }
    if moved.len() > MOST_LINES {
        let _ = writeln!(out, "  … and {} more", moved.len() - MOST_LINES);
    }
}
