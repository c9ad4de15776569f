//! `asaf quarantine`: what failed for good or is in doubt, and trying it again.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::json;

use crate::cli::{Exit, QuarantineCommand, TextOrJson};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::unread;
use crate::model::{Intent, Marker};
use crate::read::ATTEMPTS_BEFORE_QUARANTINE;
use crate::store::queue::{WorkKey, WorkQueue as _};
use crate::store::sqlite::Sqlite;
use crate::store::unread::UnreadStore as _;
use crate::store::{Quarantined, Store, StoreError};
use crate::talk::{self, Talk, plain};

/// Lists, shows or releases.
///
/// # Errors
/// Configuration, the store, or an item that is not there.
pub async fn run(command: &QuarantineCommand, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    match command {
        QuarantineCommand::Ls { output } => {
            list(&Sqlite::open_beside(&config.store.path)?, *output).await
        }
        QuarantineCommand::Show { item, output } => {
            show(&Sqlite::open_beside(&config.store.path)?, item, *output).await
        }
        QuarantineCommand::Retry { items } => {
            let store = Sqlite::open_beside(&config.store.path)?;
            let now = Clock::System.now();
            let (unread, failed): (Vec<String>, Vec<String>) = items
                .iter()
                .cloned()
                .partition(|item| item.starts_with(unread::PREFIX));
            for item in &unread {
                unread::retry(&store, item, config.serve.queue_most, now, talk).await?;
            }
            retry(&store, &failed, now, talk).await
        }
    }
}

async fn list(store: &Sqlite, output: TextOrJson) -> anyhow::Result<Exit> {
    let (items, intents) = (store.quarantine().await?, store.intents().await?);
    let unread = store.unread().await?;
    let text = match output {
        TextOrJson::Json => {
            let value = json!({ "failed": items, "in_doubt": intents, "unread": unread });
            serde_json::to_string_pretty(&value)? + "\n"
        }
        TextOrJson::Text if items.is_empty() && intents.is_empty() && unread.is_empty() => {
            "Nothing is in quarantine.\n".to_owned()
        }
        TextOrJson::Text => table(&items, &intents) + &unread::lines(&unread),
    };
    talk::data(&text)?;
    Ok(Exit::Ok)
}

fn table(items: &[Quarantined], intents: &[Intent]) -> String {
    let mut out = String::new();
    for item in items {
        let waits = if item.attempts >= ATTEMPTS_BEFORE_QUARANTINE {
            "waits for you"
        } else {
            "is tried again"
        };
        let failed = match item.attempts {
            0 => String::new(),
            count => format!(" failed {count}×"),
        };
        let line = format!(
            "{}  {}  {}{failed}, {waits}: {}",
            item.marker, item.subject, item.what, item.why
        );
        let _ = writeln!(out, "{}", plain(&line));
    }
    for intent in intents {
        let line = format!(
            "{}  a ticket in {} may have been created at {}",
            intent.marker, intent.project, intent.at
        );
        let _ = writeln!(out, "{}", plain(&line));
    }
    out
}

fn begins(marker: &Marker, item: &str) -> bool {
    marker.as_str().starts_with(item)
}

async fn show(store: &Sqlite, item: &str, output: TextOrJson) -> anyhow::Result<Exit> {
    if item.starts_with(unread::PREFIX) {
        return unread::show(store, item, output).await;
    }
    let items: Vec<Quarantined> = store
        .quarantine()
        .await?
        .into_iter()
        .filter(|known| begins(&known.marker, item))
        .collect();
    let intents: Vec<Intent> = store
        .intents()
        .await?
        .into_iter()
        .filter(|known| begins(&known.marker, item))
        .collect();
    let Some(marker) = items
        .first()
        .map(|i| &i.marker)
        .or_else(|| intents.first().map(|i| &i.marker))
    else {
        bail!(
            "{} is not in quarantine; `asaf quarantine ls` lists what is",
            plain(item)
        );
    };
    let history = store.audit_of(marker).await?;
    let text = match output {
        TextOrJson::Json => {
            let value = json!({ "failed": items, "in_doubt": intents, "history": history });
            serde_json::to_string_pretty(&value)? + "\n"
        }
        TextOrJson::Text => {
            let mut out = table(&items, &intents);
            for entry in &history {
                let _ = writeln!(
                    out,
                    "  {}  {} {}",
                    entry.at,
                    entry.action,
                    plain(&entry.reason)
                );
            }
            out
        }
    };
    talk::data(&text)?;
    Ok(Exit::Ok)
}

/// Releases failed items to the next run, or at once to a process that works the queue off. Creates in doubt are not
/// released: only Jira's answer settles them.
async fn retry(
    store: &Sqlite,
    items: &[String],
    now: Timestamp,
    talk: Talk,
) -> anyhow::Result<Exit> {
    let known = store.quarantine().await?;
    let doubtful = store.intents().await?;
    for item in items {
        let found: Vec<&Quarantined> = known
            .iter()
            .filter(|known| begins(&known.marker, item))
            .collect();
        for failed in &found {
            release(store, failed, now).await?;
            talk.say(&format!(
                "{} is tried again by the next run, or at once by a running asaf serve.",
                plain(&failed.subject)
            ));
        }
        let in_doubt = doubtful
            .iter()
            .filter(|intent| begins(&intent.marker, item))
            .count();
        if in_doubt > 0 {
            talk.say("A create in doubt is settled by the next run, which asks Jira by label and by key.");
        }
        if found.is_empty() && in_doubt == 0 {
            bail!(
                "{} is not in quarantine; `asaf quarantine ls` lists what is",
                plain(item)
            );
        }
    }
    Ok(Exit::Ok)
}

/// Gives one item back to the work queue.
///
/// # Errors
/// The store.
pub(crate) async fn release(
    store: &Sqlite,
    failed: &Quarantined,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.release(&failed.marker).await?;
    let key = failed.key.clone();
    let key = key.unwrap_or_else(|| WorkKey::Link(failed.marker.clone()));
    store.enqueue(&[key], now).await
}
