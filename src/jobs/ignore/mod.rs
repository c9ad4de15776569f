//! `asaf ignore`: one file for each of its commands.

mod change;
mod check;
mod code_owners;
mod findings;
mod look;
mod new;
mod propose;
mod publish;
mod stats;
mod sync;

use std::path::Path;

pub use new::Refused;

use anyhow::Context as _;
use jiff::civil::Date;

use crate::cli::{Exit, IgnoreCommand};
use crate::clock::Clock;
use crate::config::{Config, ConfigError, Period};
use crate::ignore::Policy;
use crate::model::ignore_rule::day;
use crate::talk::{self, Talk};

/// Runs one of the commands; `path` is the configuration file.
///
/// # Errors
/// What the command needs and cannot have: configuration, credentials, a repository, a side that does not answer.
pub async fn run(command: &IgnoreCommand, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    match command {
        IgnoreCommand::Check(args) => check::run(args, path, talk).await,
        IgnoreCommand::Sync(args) => sync::run(args, path, talk).await,
        IgnoreCommand::New(args) => new::run(args, path, talk),
        IgnoreCommand::Ls(args) => look::ls(args, path).await,
        IgnoreCommand::Why(args) => look::why(args, path).await,
        IgnoreCommand::Stats { output } => stats::run(*output, path).await,
        IgnoreCommand::Propose(args) => propose::run(args, path, talk).await,
        IgnoreCommand::CodeOwners(args) => code_owners::run(args, path, talk),
        IgnoreCommand::Schema => {
            let schema = serde_json::to_string_pretty(&crate::ignore::schema::schema())?;
            talk::data(&(schema + "\n")).context("writing to stdout")?;
            Ok(Exit::Ok)
        }
    }
}

/// Today, by UTC.
fn today() -> Date {
    day(Clock::System.now())
}

/// The configuration, where there is one: a repository of rules needs none.
fn configuration(path: &Path) -> Result<Option<Config>, ConfigError> {
    match Config::load(path) {
        Ok(config) => Ok(Some(config)),
        Err(ConfigError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is asked of rules, and the folder that they are in.
fn asked(config: Option<&Config>) -> (Policy, String) {
    let ignore = config.and_then(|config| config.ignore.as_ref());
    (
        ignore
            .map(crate::config::Ignore::policy)
            .unwrap_or_default(),
        ignore.map_or_else(|| "ignore".to_owned(), |ignore| ignore.folder.clone()),
    )
}

/// `2027-01-31`, or `90d` from today.
fn last_day(text: &str, today: Date) -> anyhow::Result<Date> {
    if let Ok(day) = text.parse::<Date>() {
        return Ok(day);
    }
    let period: Period = text.parse().map_err(|_| {
        anyhow::anyhow!(
            "{} is no day and no time: write 2027-01-31 or 90d",
            talk::plain(text)
        )
    })?;
    let days = i32::try_from(period.duration().as_hours() / 24).unwrap_or(0);
    Ok(crate::ignore::check::last_day(today, days))
}
