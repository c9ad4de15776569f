//! What the checks found, as text and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::talk::plain;
use crate::wire::error::WireError;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Well.
    Ok,
    /// It works, and should not stay so.
    Warning,
    /// It does not work.
    Failed,
    /// What it needs has failed.
    Skipped,
    /// Not configured: there is nothing to check.
    Off,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What.
    pub finding: String,
    /// What to do.
    pub fix: String,
    /// It does not work; otherwise it works, and should not stay so.
    pub fails: bool,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// How it ended.
    pub state: State,
    /// What was looked at, in one line.
    pub says: String,
    /// One for each thing that is not as it should be.
    pub problems: Vec<Problem>,
}

impl Found {
    /// Well.
    pub fn well(says: impl Into<String>) -> Self {
        Found {
            state: State::Ok,
            says: says.into(),
            problems: Vec::new(),
        }
    }

    /// Not configured; says what that means.
    pub fn off(says: impl Into<String>) -> Self {
        Found {
            state: State::Off,
            ..Found::well(says)
        }
    }

    /// Needs what has failed.
    pub fn skipped(needs: &str) -> Self {
        Found {
            state: State::Skipped,
            ..Found::well(format!("needs {needs}"))
        }
    }

    /// It does not work.
    pub fn wrong(finding: impl Into<String>, fix: impl Into<String>) -> Self {
        Found::of("", vec![Problem::wrong(finding, fix)])
    }

    /// It works, and should not stay so.
    pub fn warning(finding: impl Into<String>, fix: impl Into<String>) -> Self {
        Found::of("", vec![Problem::warning(finding, fix)])
    }

    /// What another side refused; the error says the fix where there is one.
    pub fn refused(error: &WireError) -> Self {
        Found::of("", vec![Problem::refused(error)])
    }

    /// The worst of the problems counts; without any it is well.
    pub fn of(says: impl Into<String>, problems: Vec<Problem>) -> Self {
        let state = match (problems.is_empty(), problems.iter().any(|one| one.fails)) {
            (true, _) => State::Ok,
            (false, true) => State::Failed,
            (false, false) => State::Warning,
        };
        Found {
            state,
            says: says.into(),
            problems,
        }
    }
}

impl Problem {
    /// It does not work.
    pub fn wrong(finding: impl Into<String>, fix: impl Into<String>) -> Self {
        Problem {
            finding: finding.into(),
            fix: fix.into(),
            fails: true,
        }
    }

    /// It works, and should not stay so.
    pub fn warning(finding: impl Into<String>, fix: impl Into<String>) -> Self {
        Problem {
            fails: false,
            ..Problem::wrong(finding, fix)
        }
    }

    /// What another side refused.
    pub fn refused(error: &WireError) -> Self {
        match error {
            WireError::Denied {
                what, message, fix, ..
            }
            | WireError::Misconfigured {
                what, message, fix, ..
            } => Problem::wrong(format!("{what}: {message}"), fix.clone()),
            WireError::Unreachable { .. } | WireError::Unknown { .. } => Problem::wrong(
                error.to_string(),
                "check the network, the proxy and the address in the configuration",
            ),
            WireError::Throttled { .. } | WireError::Server { .. } => {
                Problem::wrong(error.to_string(), "run `asaf doctor` again in a minute")
            }
            _ => Problem::wrong(error.to_string(), "check what the answer names"),
        }
    }
}

/// Every check with what it found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    checks: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    #[serde(flatten)]
    found: Found,
}

impl Report {
    /// Adds what a check found.
    pub(super) fn add(&mut self, name: &'static str, found: Found) {
        self.checks.push(Line { name, found });
    }

    /// The first of these that did not end well.
    pub(super) fn lacking(&self, needs: &[&'static str]) -> Option<(&'static str, State)> {
        needs.iter().copied().find_map(|need| {
            let known = self.checks.iter().find(|line| line.name == need);
            let state = known.map_or(State::Skipped, |line| line.found.state);
            (!state.carries()).then_some((need, state))
        })
    }

    /// The names of the checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &'static str> {
        self.in_state(State::Failed)
    }

    fn in_state(&self, state: State) -> impl Iterator<Item = &'static str> {
        let lines = self.checks.iter();
        lines
            .filter(move |line| line.found.state == state)
            .map(|line| line.name)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for Line { name, found } in &self.checks {
            let word = match found.state {
                State::Ok => "ok",
                State::Warning => "warning",
                State::Failed => "FAILED",
                State::Skipped => "skipped",
                State::Off => "off",
            };
            let mut first = format!("{word:<8} {name:<20} {}", plain(&found.says));
            for Problem { finding, fix, .. } in &found.problems {
                // A mistake in the configuration is shown with its lines.
                let mut lines = finding.lines();
                let head = plain(lines.next().unwrap_or_default()).into_owned();
                if found.says.is_empty() && first.ends_with(' ') {
                    first = first.trim_end().to_owned();
                    let _ = write!(
                        first,
                        "{}{head}",
                        " ".repeat(30_usize.saturating_sub(first.len()))
                    );
                } else {
                    let _ = write!(first, "\n{:29} {head}", "");
                }
                for line in lines {
                    let _ = write!(first, "\n{:29} {}", "", plain(line));
                }
                let _ = write!(first, "\n{:29} fix: {}", "", plain(fix));
            }
            let _ = writeln!(out, "{}", first.trim_end());
        }
        let count = |state| self.in_state(state).count();
        let _ = writeln!(
            out,
            "{} checks: {} ok, {} warnings, {} failed, {} skipped, {} off.",
            self.checks.len(),
            count(State::Ok),
            count(State::Warning),
            count(State::Failed),
            count(State::Skipped),
            count(State::Off),
        );
        out
    }
}
