//! What a check says: to people in a terminal, to programs, in a pull request, and at the lines of its files.

mod annotations;
mod markdown;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;

use super::RuleFile;
use super::effect::{ChangedRule, Effect, Moved, counted};
use super::problem::Problem;
use crate::model::Severity;

pub use annotations::{Annotation, annotations, workflow_commands};
pub use markdown::{MARK, markdown};
pub use text::text;

/// The outcome of a check.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The commit that it was compared with.
    pub base: Option<String>,
    /// The commit that was looked at; `None` for files as they lie.
    pub head: Option<String>,
    /// Rules in all files.
    pub rules: usize,
    /// Rules that the change touches.
    pub changed: Vec<ChangedRule>,
    /// What it does to findings; `None` when none were read.
    pub effect: Option<Effect>,
    /// Why no findings were read, or what was not read of them.
    pub unseen: Vec<String>,
    /// Who must approve, as CODEOWNERS of the base says.
    pub approvers: Vec<String>,
    /// What is wrong or worth a look.
    pub problems: Vec<Problem>,
    /// The files, to show places in.
    #[serde(skip)]
    pub files: Vec<RuleFile>,
}

impl Checked {
    /// The change must not be merged as it is.
    pub fn failed(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    /// Errors, warnings.
    pub fn counts(&self) -> (usize, usize) {
        let errors = self
            .problems
            .iter()
            .filter(|problem| problem.is_error())
            .count();
        (errors, self.problems.len() - errors)
    }

    /// One line that says the most important.
    pub fn title(&self) -> String {
        let (errors, _) = self.counts();
        if errors > 0 {
            return format!("Ignore rules: {} to correct", counted(errors, "error"));
        }
        let what = match &self.effect {
            None => "no findings were read".to_owned(),
            Some(effect) => match (effect.hides.len(), effect.shows.len()) {
                (0, 0) => "hides nothing and shows nothing again".to_owned(),
                (0, n) => format!("shows {} again", counted(n, "finding")),
                (n, shown) => {
                    let critical = effect
                        .hides
                        .iter()
                        .filter(|m| m.severity == Severity::Critical)
                        .count();
                    let critical = if critical > 0 {
                        format!(" ({critical} CRITICAL)")
                    } else {
                        String::new()
                    };
                    let accounts =
                        counted(by(&effect.hides, |m| m.account.clone()).len(), "account");
                    let also = if shown > 0 {
                        format!(", shows {shown} again")
                    } else {
                        String::new()
                    };
                    format!(
                        "hides {}{critical} in {accounts}{also}",
                        counted(n, "finding")
                    )
                }
            },
        };
        match self.approvers.is_empty() || self.changed.is_empty() {
            true => format!("Ignore rules: {what}"),
            false => format!(
                "Ignore rules: {what} — needs {}",
                self.approvers.join(" or ")
            ),
        }
    }
}

/// Counts by something, most first.
fn by<K: Ord + Clone>(moved: &[Moved], key: impl Fn(&Moved) -> K) -> Vec<(K, usize)> {
    let mut counts: BTreeMap<K, usize> = BTreeMap::new();
    for one in moved {
        *counts.entry(key(one)).or_default() += 1;
    }
    let mut counts: Vec<(K, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    counts
}

/// Counts by severity, worst first.
fn by_severity(moved: &[Moved]) -> Vec<(&'static str, usize)> {
    let mut counts = by(moved, |m| std::cmp::Reverse(m.severity));
    counts.sort();
    counts
        .into_iter()
        .map(|(severity, n)| (severity.0.label(), n))
        .collect()
}

/// Name and id of an account.
fn account(moved: &Moved) -> String {
    match &moved.account_name {
        Some(name) => format!("{name} ({})", moved.account),
        None => moved.account.clone(),
    }
}
