//! Log-ins of the dashboard, in SQLite.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::Sqlite;
use super::rows::{Fault, decode, encode};
use crate::store::StoreError;
use crate::store::access::{Hashed, LOGINS_MOST, Login, SESSIONS_MOST, Session, Sessions};

impl Sessions for Sqlite {
    async fn begin_session(&self, session: &Session) -> Result<(), StoreError> {
        let new = session.clone();
        self.call_small(move |db| {
            let now = new.began_at.as_millisecond();
            db.execute("DELETE FROM session WHERE ends_ms <= ?1", [now])?;
            db.execute(
                "INSERT INTO session VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    new.sha256,
                    new.name,
                    encode(&new.groups)?,
                    now,
                    new.seen_at.as_millisecond(),
                    new.ends_at.as_millisecond()
                ],
            )?;
            db.execute(
                "DELETE FROM session WHERE sha256 NOT IN
                 (SELECT sha256 FROM session ORDER BY seen_ms DESC LIMIT ?1)",
                [SESSIONS_MOST],
            )?;
            Ok(())
        })
        .await
    }

    async fn session(&self, sha256: Hashed, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let sql = "SELECT sha256, name, groups, began_ms, seen_ms, ends_ms FROM session
                   WHERE sha256 = ?1 AND ends_ms > ?2";
        self.call_read(move |db| {
            let found = db
                .prepare_cached(sql)?
                .query_row(params![sha256, now.as_millisecond()], columns)
                .optional()?;
            found.map(session).transpose()
        })
        .await
    }

    async fn touch_session(&self, sha256: Hashed, now: Timestamp) -> Result<(), StoreError> {
        self.call_small(move |db| {
            db.execute(
                "UPDATE session SET seen_ms = max(seen_ms, ?2) WHERE sha256 = ?1",
                params![sha256, now.as_millisecond()],
            )?;
            Ok(())
        })
        .await
    }

    async fn sessions(&self, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.call_read(move |db| all(db, now)).await
    }

    async fn end_session(&self, sha256: Hashed) -> Result<bool, StoreError> {
        self.call_small(move |db| {
            Ok(db.execute("DELETE FROM session WHERE sha256 = ?1", [sha256])? > 0)
        })
        .await
    }

    async fn begin_login(&self, login: &Login, now: Timestamp) -> Result<(), StoreError> {
        let new = login.clone();
        self.call_small(move |db| {
            db.execute(
                "DELETE FROM login WHERE ends_ms <= ?1",
                [now.as_millisecond()],
            )?;
            db.execute(
                "INSERT INTO login VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    new.sha256,
                    new.state,
                    new.nonce,
                    new.verifier,
                    new.back,
                    new.ends_at.as_millisecond()
                ],
            )?;
            db.execute(
                "DELETE FROM login WHERE sha256 NOT IN
                 (SELECT sha256 FROM login ORDER BY ends_ms DESC LIMIT ?1)",
                [LOGINS_MOST],
            )?;
            Ok(())
        })
        .await
    }

    async fn take_login(
        &self,
        sha256: Hashed,
        now: Timestamp,
    ) -> Result<Option<Login>, StoreError> {
        self.call_small(move |db| {
            let found = db
                .prepare_cached(
                    "DELETE FROM login WHERE sha256 = ?1 RETURNING state, nonce, verifier, back, ends_ms",
                )?
                .query_row([sha256], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
                })
                .optional()?;
            let Some((state, nonce, verifier, back, ends_ms)) = found else {
                return Ok(None);
            };
            let login = Login {
                sha256,
                state,
                nonce,
                verifier,
                back,
                ends_at: moment(ends_ms)?,
            };
            Ok((login.ends_at > now).then_some(login))
        })
        .await
    }

    async fn form_key(&self, new: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.call_small(move |db| {
            db.execute("INSERT OR IGNORE INTO form_key VALUES (1, ?1)", [new])?;
            Ok(
                db.query_row("SELECT key FROM form_key WHERE id = 1", [], |row| {
                    row.get(0)
                })?,
            )
        })
        .await
    }
}

type Columns = (Hashed, String, String, i64, i64, i64);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
    ))
}

fn session((sha256, name, groups, began, seen, ends): Columns) -> Result<Session, Fault> {
    Ok(Session {
        sha256,
        groups: decode("session", &name, &groups)?,
        name,
        began_at: moment(began)?,
        seen_at: moment(seen)?,
        ends_at: moment(ends)?,
    })
}

fn all(db: &Connection, now: Timestamp) -> Result<Vec<Session>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT sha256, name, groups, began_ms, seen_ms, ends_ms FROM session
         WHERE ends_ms > ?1 ORDER BY seen_ms DESC, name",
    )?;
    let rows = query.query_map([now.as_millisecond()], columns)?;
    rows.map(|row| session(row?)).collect()
}

pub(super) fn moment(ms: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_millisecond(ms).map_err(|error| Fault::Damaged {
        row: "a time".to_owned(),
        why: error.to_string(),
    })
}
