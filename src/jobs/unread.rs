//! Deliveries that could not be read, as `asaf quarantine` shows them, and reading them again: a newer version may
//! understand what an older one did not.

use std::fmt::Write as _;

use anyhow::bail;
use jiff::Timestamp;
use serde_json::json;

use crate::cli::{Exit, TextOrJson};
use crate::jobs::queue::{Intake, Verdict};
use crate::store::queue::{Accepted, Delivery, Inbox, WorkKey};
use crate::store::sqlite::Sqlite;
use crate::store::unread::{Door, Unread, UnreadStore};
use crate::talk::{self, Talk, plain};
use crate::wire::jira::webhook::{Named, named};
use crate::wire::sqs::Message;

/// So their names begin.
pub(crate) const PREFIX: &str = "unread-";

/// One line each.
pub(super) fn lines(items: &[Unread]) -> String {
    let mut out = String::new();
    for item in items {
        let line = format!(
            "{}  a delivery to the {} could not be read ({}×, last at {}, {} bytes): {}",
            item.name(),
            item.door.word(),
            item.times,
            item.at,
            item.bytes,
            item.why
        );
        let _ = writeln!(out, "{}", plain(&line));
    }
    out
}

/// One of them with its body.
pub(super) async fn show(store: &Sqlite, name: &str, output: TextOrJson) -> anyhow::Result<Exit> {
    let item = find(store, name).await?;
    let body = String::from_utf8_lossy(&item.body);
    let text = match output {
        TextOrJson::Json => {
            let value = json!({ "unread": item, "whole": item.is_whole(), "body": body });
            serde_json::to_string_pretty(&value)? + "\n"
        }
        TextOrJson::Text => format!("{}{}\n", lines(std::slice::from_ref(&item)), plain(&body)),
    };
    talk::data(&text)?;
    Ok(Exit::Ok)
}

/// Reads one again, and forgets it when it was understood this time.
pub(super) async fn retry(
    store: &Sqlite,
    name: &str,
    queue_most: u64,
    now: Timestamp,
    talk: Talk,
) -> anyhow::Result<()> {
    read_again(store, name, queue_most, now).await?;
    talk.say(&format!(
        "{name} is understood now; what it names is in the work queue."
    ));
    Ok(())
}

/// The same, silently.
pub(crate) async fn read_again(
    store: &Sqlite,
    name: &str,
    queue_most: u64,
    now: Timestamp,
) -> anyhow::Result<()> {
    let item = find(store, name).await?;
    if !item.is_whole() {
        bail!(
            "{name} was too long to be kept whole, so it cannot be read again; the scheduled runs see what it was about"
        );
    }
    let read = match item.door {
        Door::Webhook => webhook(store, &item, queue_most, now).await?,
        Door::Queue => message(store, &item, queue_most, now).await?,
    };
    if !read {
        bail!("the work queue is full; try again when it has room");
    }
    store.forget_unread(item.seq).await?;
    Ok(())
}

/// Its signature was good when it came.
async fn webhook(
    store: &Sqlite,
    item: &Unread,
    queue_most: u64,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let Named::Ticket { id, .. } = named(&item.body)? else {
        return Ok(true);
    };
    let delivery = Delivery {
        id: item.id.clone(),
        body_sha256: crate::wire::signature::sha256(&item.body),
    };
    let keys = [WorkKey::Ticket(id)];
    let accepted = store.accept(&delivery, &keys, &[], queue_most, now).await?;
    Ok(accepted != Accepted::Full)
}

async fn message(
    store: &Sqlite,
    item: &Unread,
    queue_most: u64,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let message = Message {
        id: item.id.clone().unwrap_or_else(|| item.name()),
        receipt: String::new(),
        body: String::from_utf8(item.body.clone())?,
        receives: 0,
    };
    let intake = Intake {
        store,
        queue_most,
        give_up_after: u32::MAX,
    };
    match intake.take(&message, now).await? {
        Verdict::Done => Ok(true),
        Verdict::Full => Ok(false),
        Verdict::Again | Verdict::GivenUp => {
            bail!("{} still cannot be read: {}", item.name(), plain(&item.why))
        }
    }
}

async fn find(store: &Sqlite, name: &str) -> anyhow::Result<Unread> {
    let known = store.unread().await?.into_iter();
    match known.into_iter().find(|item| item.name() == name) {
        Some(item) => Ok(item),
        None => bail!(
            "{} is not in quarantine; `asaf quarantine ls` lists what is",
            plain(name)
        ),
    }
}
