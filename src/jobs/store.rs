//! `asaf store`: a consistent copy of the store, and a check of its file, its rows and its audit chain.

use std::path::Path;

use crate::cli::{Exit, StoreCommand};
use crate::config::Config;
use crate::store::Store;
use crate::store::sqlite::Sqlite;
use crate::talk::{Talk, plain};

/// Backs up or verifies, also while a run writes.
///
/// # Errors
/// Configuration, the store, a copy that cannot be written, a damaged file, a broken audit chain.
pub async fn run(command: &StoreCommand, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    let store = Sqlite::open_beside(&config.store.path)?;
    match command {
        StoreCommand::Backup { file } => {
            store.backup(file).await?;
            talk.say(&format!(
                "The store is copied to {}.",
                plain(&file.to_string_lossy())
            ));
        }
        StoreCommand::Verify => {
            let links = store.verify().await?;
            let entries = store.verify_audit().await?;
            talk.say(&format!(
                "The file is sound, with {links} links; the audit's chain holds over {entries} entries."
            ));
        }
    }
    Ok(Exit::Ok)
}
