//! Ignore rules as people write them: TOML files in a Git repository. Text in, rules and problems out, and the reports
//! of a change. Everything here is pure: files, Git and GitHub are read by `crate::read::rules`, and who may ignore
//! what is decided by a review, not here.
//!
//! [`parse`] reads a file, [`values`] looks at one rule, [`check`] at all of them together, [`effect`] says what they hide, [`report`] shows it,
//! [`code_owners`] says who must approve.

pub mod check;
pub mod code_owners;
pub mod effect;
pub mod notices;
pub mod parse;
pub mod problem;
pub mod report;
pub mod schema;
pub mod write;

#[cfg(test)]
mod tests;
pub mod values;
mod width;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::model::ignore_rule::{BadGlob, IgnoreRules};
use crate::model::{IgnoreRule, RuleOrigin};
use problem::{Kind, Problem};

/// The most rules that are accepted, in all files together.
pub const RULES_MAX: usize = 5_000;

/// The largest file that is accepted, in bytes.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;

/// One file of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// Path from the root of its repository.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A rule and where it stands.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The rule.
    pub rule: IgnoreRule,
    /// Position of its file among [`Rules::files`].
    pub file: usize,
    /// The bytes of its `[[ignore]]` line.
    pub span: Range<usize>,
    /// The bytes of its keys.
    pub keys: BTreeMap<String, Range<usize>>,
}

/// What files hold: rules, and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The files, in the order of their paths.
    pub files: Vec<RuleFile>,
    /// Every rule that could be read, in the order of the files.
    pub rules: Vec<Placed>,
    /// Errors and warnings, in the order of the files.
    pub problems: Vec<Problem>,
}

/// What adopters choose about rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The longest time to expiry, in days from today.
    pub days_max: i32,
    /// Rules, by id, that may last longer.
    pub longer: BTreeSet<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            days_max: 180,
            longer: BTreeSet::new(),
        }
    }
}

/// The merged rules at one commit, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The commit on the protected branch.
    pub commit: String,
    /// All of them, expired ones too.
    pub rules: IgnoreRules,
    /// Where each rule's present text came from, by id, where that could be found out.
    pub origins: BTreeMap<String, RuleOrigin>,
}

impl Rules {
    /// Nothing is wrong that would make the rules unusable.
    pub fn are_valid(&self) -> bool {
        self.problems.iter().all(|problem| !problem.is_error())
    }

    /// The rules, ready to be asked.
    ///
    /// # Errors
    /// A glob that cannot be used; [`check`] has reported it with its place.
    pub fn compile(&self) -> Result<IgnoreRules, BadGlob> {
        IgnoreRules::compile(
            self.rules
                .iter()
                .map(|placed| placed.rule.clone())
                .collect(),
        )
    }

    /// The path of a rule's file.
    pub fn path_of(&self, placed: &Placed) -> &str {
        &self.files[placed.file].path
    }

    /// Adds a problem at a place of a rule: at a key if the rule has it, else at its `[[ignore]]` line.
    pub(crate) fn complain(
        &mut self,
        at: usize,
        key: &str,
        kind: Kind,
        message: String,
        help: Option<&str>,
    ) {
        let placed = &self.rules[at];
        let span = placed.keys.get(key).unwrap_or(&placed.span).clone();
        let file = &self.files[placed.file];
        let problem = Problem::new(file, Some(span), kind, message, help.map(str::to_owned))
            .of_rule(&placed.rule.id);
        self.problems.push(problem);
    }

    /// The first problem that makes the rules unusable, in one line.
    pub fn first_error(&self) -> Option<String> {
        let errors: Vec<&Problem> = self.problems.iter().filter(|p| p.is_error()).collect();
        let first = errors.first()?;
        let more = match errors.len() {
            1 => String::new(),
            n => format!(" (and {} more errors)", n - 1),
        };
        Some(format!(
            "{}:{}: {}{more}",
            first.path, first.place.line, first.message
        ))
    }
}
