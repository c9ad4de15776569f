//! The store in one SQLite file: WAL, one writer, one process at a time.
//!
//! A link row keeps its lookup keys as columns and the rest as JSON, so that a new field needs no migration.

mod access;
mod history;
pub(crate) mod looked_up;
mod open;
mod organisation;
mod outbox;
mod proofs;
mod queue;
#[cfg(test)]
mod queue_tests;
mod release;
mod rows;
mod rule_memory;
mod store;
#[cfg(test)]
mod tests;
mod threads;
mod unread;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use super::{Store as _, StoreError};
use threads::{Alone, Hands, Job, Write};

/// An open store. In a run, two threads own the connections, one to write and one to read.
/// Dropping it waits until what was begun is done and the file is closed; only then may another process have the lock.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    hands: Hands,
    arrived: Notify,
    _lock: Option<open::Lock>,
}

impl Sqlite {
    /// Opens or creates the file for a run, and keeps other processes out meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process holds it; [`StoreError::Newer`], [`StoreError::File`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = open::lock(path)?;
        let hands = Hands::Threads(threads::start(path)?);
        Ok(Self::with(path, hands, Some(lock)))
    }

    /// The same without threads: each call blocks the thread that makes it. For histories that are lived through step by
    /// step, where nothing else goes on meanwhile.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn open_in_place(path: &Path) -> Result<Self, StoreError> {
        let lock = open::lock(path)?;
        let hands = Hands::Callers(threads::writer(path, true)?.into());
        Ok(Self::with(path, hands, Some(lock)))
    }

    /// Opens the file beside a running process, to answer questions (`explain`, `quarantine ls`). Each call blocks its
    /// thread, as with [`Sqlite::open_in_place`].
    ///
    /// # Errors
    /// As [`Sqlite::open`], but never [`StoreError::Locked`].
    pub fn open_beside(path: &Path) -> Result<Self, StoreError> {
        let hands = Hands::Callers(threads::writer(path, false)?.into());
        Ok(Self::with(path, hands, None))
    }

    fn with(path: &Path, hands: Hands, lock: Option<open::Lock>) -> Self {
        Sqlite {
            path: path.to_owned(),
            hands,
            arrived: Notify::new(),
            _lock: lock,
        }
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a commit waits until the disk has it (sqlite.org/pragma.html#pragma_synchronous). Only what can be made again
    /// from nothing may do without.
    pub(crate) async fn wait_for_disk(&self, waits: bool) -> Result<(), StoreError> {
        let how = if waits { "FULL" } else { "OFF" };
        self.call(move |connection| connection.pragma_update(None, "synchronous", how))
            .await
    }

    /// Copies the database into a new file while it is in use (SQLite's backup API).
    ///
    /// # Errors
    /// [`StoreError::File`] when the target cannot be written.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let to = to.to_owned();
        self.call(move |connection| {
            connection.backup("main", &to, None::<fn(rusqlite::backup::Progress)>)
        })
        .await
    }

    /// Looks at every page, every index and every row on which decisions rest; returns how many links there are.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::Damaged`].
    pub async fn verify(&self) -> Result<usize, StoreError> {
        let found: String = self
            .call_read(|db| Ok(db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?))
            .await?;
        if found != "ok" {
            return Err(open::corrupt(&self.path, &found));
        }
        self.intents().await?;
        self.tombstones().await?;
        Ok(self.links().await?.len())
    }

    async fn call<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.call_checked(move |connection| Ok(work(connection)?))
            .await
    }

    async fn call_checked<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<R, rows::Fault> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Alone = Box::new(move |connection| {
            // The caller may have gone (a dropped future); the work is done all the same.
            let _ = answer.send(work(connection));
        });
        self.hands.write(Job::Alone(job))?;
        self.answer(answered).await
    }

    /// A write of a few rows, which may share its transaction with others.
    async fn call_small<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<R, rows::Fault> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (answer, answered) = oneshot::channel();
        let write = Write::new(work, answer);
        self.hands.write(Job::Small(Box::new(write)))?;
        self.answer(answered).await
    }

    /// A read: it sees everything that was answered before, in one state.
    async fn call_read<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<R, rows::Fault> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Alone = Box::new(move |connection| {
            let read = connection
                .transaction()
                .map_err(rows::Fault::from)
                .and_then(|step| work(&step));
            let _ = answer.send(read);
        });
        self.hands.read(job)?;
        self.answer(answered).await
    }

    async fn answer<R>(
        &self,
        answered: oneshot::Receiver<Result<R, rows::Fault>>,
    ) -> Result<R, StoreError> {
        match answered.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(fault)) => Err(fault.at(&self.path)),
            Err(_) => Err(StoreError::Closed),
        }
    }
}
