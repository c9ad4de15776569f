//! Opening the file: the lock, the pragmas, the migrations.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use sha2::{Digest, Sha256};

use crate::mutant;
use crate::store::StoreError;

/// Prepared statements that a connection keeps: more than there are (the library keeps 16, and prepares the others anew).
const STATEMENTS_KEPT: usize = 256;

/// Every schema change, in order. A text is never edited once released: its hash is checked.
const MIGRATIONS: &[(u32, &str)] = &[
    (1, include_str!("schema.sql")),
    (2, include_str!("live.sql")),
    (3, include_str!("unread.sql")),
    (4, include_str!("rules.sql")),
    (5, include_str!("proofs.sql")),
    (6, include_str!("outbox.sql")),
    (7, include_str!("organisation.sql")),
    (8, include_str!("sums.sql")),
    (9, include_str!("history.sql")),
    (10, include_str!("dashboard.sql")),
    (11, include_str!("groups.sql")),
    (12, include_str!("pairs.sql")),
    (13, include_str!("totals.sql")),
];

/// The lock that keeps a second process out. The system drops it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    /// Closing the file is not enough: a child process that is just being started (Git's, for one) has a copy of the
    /// handle until it runs its own program, and a lock lasts as long as any copy is open (flock(2)).
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Takes the lock.
pub(super) fn lock(database: &Path) -> Result<Lock, StoreError> {
    let path = PathBuf::from(format!("{}.lock", database.display()));
    let file = |why: String| StoreError::File {
        path: path.clone(),
        why,
    };
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| file(e.to_string()))?;
    match lock.try_lock() {
        Ok(()) => Ok(Lock(lock)),
        Err(TryLockError::WouldBlock) if mutant::is("lock-is-shared") => Ok(Lock(lock)),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path }),
        Err(TryLockError::Error(e)) => Err(file(e.to_string())),
    }
}

/// What SQLite says of the file: it is damaged, or it cannot be used now.
pub(super) fn failed(path: &Path, error: &rusqlite::Error) -> StoreError {
    let (path, why) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { path, why }
        }
        _ => StoreError::File { path, why },
    }
}

/// Opens or creates the database and brings its schema up to date.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let file = |e: rusqlite::Error| failed(path, &e);
    let mut connection = connect(path).map_err(file)?;
    // WAL with FULL: a commit that was acknowledged survives a power cut (sqlite.org/pragma.html#pragma_synchronous).
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        )
        .map_err(file)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Looks at every page before anything is believed (sqlite.org/pragma.html#pragma_quick_check): a broken tree can hide
/// rows, and a link that is not found would be a second ticket.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|e| failed(path, &e))?;
    if found == "ok" {
        return Ok(());
    }
    Err(corrupt(path, &found))
}

/// What a check of the file found, on one line.
pub(super) fn corrupt(path: &Path, found: &str) -> StoreError {
    StoreError::Corrupt {
        path: path.to_owned(),
        why: found.lines().collect::<Vec<_>>().join(" "),
    }
}

/// Claims of a process that is gone expire at once.
pub(super) fn void_claims(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    connection
        .execute(
            "UPDATE work SET lease_until = 0 WHERE lease_until IS NOT NULL",
            [],
        )
        .map(drop)
        .map_err(|e| failed(path, &e))
}

/// A second connection to a database that [`open`] has prepared; it writes nothing.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let file = |e: rusqlite::Error| failed(path, &e);
    let connection = connect(path).map_err(file)?;
    connection
        .execute_batch("PRAGMA query_only = ON;")
        .map_err(file)?;
    Ok(connection)
}

/// A statement's plan does not depend on what is bound to it: SQLite would prepare it again for other values
/// (sqlite.org/c3ref/c_dbconfig_defensive.html, `SQLITE_DBCONFIG_ENABLE_QPSG`).
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let file = |e: rusqlite::Error| failed(path, &e);
    connection
        .execute_batch("CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, sha256 TEXT NOT NULL) STRICT;")
        .map_err(file)?;
    let known = MIGRATIONS.last().map_or(0, |(version, _)| *version);
    let recorded: BTreeMap<u32, String> = connection
        .prepare("SELECT version, sha256 FROM migration")
        .and_then(|mut all| all.query_map([], |row| row.try_into())?.collect())
        .map_err(file)?;
    let found = recorded.keys().last().copied().unwrap_or(0);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, sql) in MIGRATIONS {
        let sha256 = hex::encode(Sha256::digest(sql.as_bytes()));
        if *version <= found {
            if recorded.get(version) != Some(&sha256) {
                let why = "its text differs from the one that made this file".to_owned();
                return Err(StoreError::Damaged {
                    path: path.to_owned(),
                    row: format!("migration {version}"),
                    why,
                });
            }
            continue;
        }
        let step = connection.transaction().map_err(file)?;
        step.execute_batch(sql).map_err(file)?;
        step.execute("INSERT INTO migration VALUES (?1, ?2)", (version, &sha256))
            .map_err(file)?;
        step.commit().map_err(file)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_copy_of_the_handle_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("asaf.sqlite3");
        let first = lock(&database).unwrap();
        let copy = first.0.try_clone().unwrap();
        assert!(matches!(lock(&database), Err(StoreError::Locked { .. })));
        drop(first);
        lock(&database).unwrap();
        drop(copy);
    }

    /// An index is only of posts that have a parent.
    #[test]
    fn a_statement_is_not_prepared_again_for_other_values() {
        let dir = tempfile::tempdir().unwrap();
        let connection = open(&dir.path().join("asaf.sqlite3")).unwrap();
        let mut statement = connection.prepare(super::super::outbox::OPEN_POST).unwrap();
        for parent in [None, Some(1), None, Some(2)] {
            let mut rows = statement
                .query(("slack", "#a", "fold", parent, 0, "m"))
                .unwrap();
            assert!(rows.next().unwrap().is_none());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
