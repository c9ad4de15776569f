//! Releases of braked plans, in SQLite.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::Sqlite;
use super::access::moment;
use super::rows::{Fault, append_audit};
use crate::store::release::{Release, Releases};
use crate::store::{AuditEntry, StoreError};

const COLUMNS: &str = "SELECT seq, digest, by, asked_ms, ended_ms, outcome FROM release";

impl Releases for Sqlite {
    async fn ask_release(
        &self,
        digest: &str,
        by: &str,
        now: Timestamp,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let (digest, by, entry) = (digest.to_owned(), by.to_owned(), entry.clone());
        let new = self
            .call_checked(move |db| {
                let step = db.transaction()?;
                let new = step.execute(
                    "INSERT OR IGNORE INTO release (digest, by, asked_ms) VALUES (?1, ?2, ?3)",
                    params![digest, by, now.as_millisecond()],
                )?;
                if new > 0 {
                    append_audit(&step, std::slice::from_ref(&entry))?;
                }
                step.commit()?;
                Ok(new > 0)
            })
            .await?;
        if new {
            self.arrived.notify_one();
        }
        Ok(new)
    }

    async fn open_release(&self) -> Result<Option<Release>, StoreError> {
        let sql = format!("{COLUMNS} WHERE ended_ms IS NULL ORDER BY seq LIMIT 1");
        let found = self.call_read(move |db| read(db, &sql, 1)).await?;
        Ok(found.into_iter().next())
    }

    async fn settle_release(
        &self,
        seq: i64,
        outcome: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let outcome = outcome.to_owned();
        self.call_small(move |db| {
            db.execute(
                "UPDATE release SET ended_ms = ?2, outcome = ?3 WHERE seq = ?1 AND ended_ms IS NULL",
                params![seq, now.as_millisecond(), outcome],
            )?;
            Ok(())
        })
        .await
    }

    async fn releases(&self, limit: u32) -> Result<Vec<Release>, StoreError> {
        let sql = format!("{COLUMNS} ORDER BY seq DESC LIMIT {limit}");
        self.call_read(move |db| read(db, &sql, limit)).await
    }
}

fn read(db: &Connection, sql: &str, limit: u32) -> Result<Vec<Release>, Fault> {
    let mut query = db.prepare(sql)?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let ended: Option<i64> = row.get(4)?;
        found.push(Release {
            seq: row.get(0)?,
            digest: row.get(1)?,
            by: row.get(2)?,
            asked_at: moment(row.get(3)?)?,
            ended_at: ended.map(moment).transpose()?,
            outcome: row.get(5)?,
        });
        if found.len() >= limit as usize {
            break;
        }
    }
    Ok(found)
}
