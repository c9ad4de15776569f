//! `asaf pause` and `asaf resume`: what must not be written for a while. They work beside a running process.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use jiff::Timestamp;

use crate::cli::{Exit, PauseCommand, PauseReason, ResumeCommand, TextOrJson};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::reconcile::FULL_WANTED;
use crate::model::{Pause, PauseScope};
use crate::store::Store;
use crate::store::sqlite::Sqlite;
use crate::talk::{self, Talk, plain};

/// Pauses, or lists what is paused.
///
/// # Errors
/// Configuration or the store.
pub async fn pause(command: &PauseCommand, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    let store = Sqlite::open_beside(&config.store.path)?;
    let (scope, reason) = match command {
        PauseCommand::All { reason } => (PauseScope::All, reason),
        PauseCommand::Account { account, reason } => (PauseScope::Account(account.clone()), reason),
        PauseCommand::Project { project, reason } => (PauseScope::Project(project.clone()), reason),
        PauseCommand::Ls { output } => return list(&store, *output).await,
    };
    let PauseReason { why, by } = reason;
    let pause = Pause {
        scope,
        why: why.clone(),
        by: by.clone(),
        since: Clock::System.now(),
    };
    store.pause(&pause).await?;
    talk.say(&plain(&format!(
        "{} is paused: nothing is written for it until `asaf resume`. `asaf plan` shows what is held.",
        pause.scope
    )));
    Ok(Exit::Ok)
}

async fn list(store: &Sqlite, output: TextOrJson) -> anyhow::Result<Exit> {
    let pauses = store.pauses().await?;
    let text = match output {
        TextOrJson::Json => serde_json::to_string_pretty(&pauses)? + "\n",
        TextOrJson::Text => table(&pauses),
    };
    talk::data(&text)?;
    Ok(Exit::Ok)
}

fn table(pauses: &[Pause]) -> String {
    if pauses.is_empty() {
        return "Nothing is paused.\n".to_owned();
    }
    let mut out = String::new();
    for pause in pauses {
        let line = format!(
            "{}  since {}  by {}: {}",
            pause.scope,
            pause.since.strftime("%Y-%m-%d %H:%M UTC"),
            pause.by,
            pause.why
        );
        let _ = writeln!(out, "{}", plain(&line));
    }
    out
}

/// Ends a pause. What it held is in both sides' present state, so a full run finds all of it.
///
/// # Errors
/// Configuration, the store, or a scope that is not paused.
pub async fn resume(command: &ResumeCommand, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    let store = Sqlite::open_beside(&config.store.path)?;
    let scope = match command {
        ResumeCommand::All => PauseScope::All,
        ResumeCommand::Account { account } => PauseScope::Account(account.clone()),
        ResumeCommand::Project { project } => PauseScope::Project(project.clone()),
    };
    if !end(&store, &scope, Clock::System.now()).await? {
        bail!("{scope} is not paused; `asaf pause ls` lists what is");
    }
    let still = store.pauses().await?;
    talk.say(&plain(&format!(
        "{scope} is no longer paused; the next run is a full one."
    )));
    for pause in still {
        talk.say(&plain(&format!("Still paused: {}.", pause.scope)));
    }
    Ok(Exit::Ok)
}

/// Ends a pause and asks for a full run; false if there was none.
///
/// # Errors
/// The store.
pub async fn end(store: &Sqlite, scope: &PauseScope, now: Timestamp) -> anyhow::Result<bool> {
    if !store.resume(scope).await? {
        return Ok(false);
    }
    store.set_instant(FULL_WANTED, now).await?;
    Ok(true)
}
