//! Rows in and out: JSON bodies, lookups, the audit chain.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Row, Transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::history::Tally;
use super::open;
use crate::model::{FindingKey, Link, Marker};
use crate::store::{AuditEntry, StoreError};

/// A failure on the store's thread, before the path is known.
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Damaged {
        row: String,
        why: String,
    },
    Conflict(String),
    AuditBroken(i64),
    /// The transaction that the write shared could not begin or end.
    Unfinished(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sqlite(error)
    }
}

impl Fault {
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Fault::Sqlite(e) => open::failed(path, &e),
            Fault::Unfinished(why) => StoreError::File {
                path: path.to_owned(),
                why,
            },
            Fault::Damaged { row, why } => {
                let path = path.to_owned();
                StoreError::Damaged { path, row, why }
            }
            Fault::Conflict(what) => StoreError::Conflict { what },
            Fault::AuditBroken(seq) => StoreError::AuditBroken { seq },
        }
    }
}

/// SQLite's integers are signed; Jira's ids and our counts fit.
pub(super) fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn encode<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|e| Fault::Damaged {
        row: "a new row".to_owned(),
        why: e.to_string(),
    })
}

pub(super) fn decode<T: DeserializeOwned>(table: &str, key: &str, body: &str) -> Result<T, Fault> {
    serde_json::from_str(body).map_err(|e| Fault::Damaged {
        row: format!("{table} {key}"),
        why: e.to_string(),
    })
}

/// What a row's body must still sum up to.
pub(super) fn sum(body: &str) -> u32 {
    crc32fast::hash(body.as_bytes())
}

/// Runs a query of (key, body, sum) and decodes the bodies that are as they were written.
pub(super) fn summed<T: DeserializeOwned>(
    db: &Connection,
    table: &str,
    sql: &str,
    params: impl Params,
) -> Result<Vec<T>, Fault> {
    let mut found = Vec::new();
    decoded(db, table, sql, params, is_as_summed, &mut found)?;
    Ok(found)
}

/// Every link, in the order of their markers. Room for all is made at once: a list of large rows that grows as it is filled
/// takes twice as much.
pub(super) fn links(db: &Connection) -> Result<Vec<Link>, Fault> {
    let count: u32 = db.query_row("SELECT count(*) FROM link", [], |row| row.get(0))?;
    let mut found = Vec::with_capacity(count as usize);
    let sql = "SELECT marker, body, sum FROM link ORDER BY marker";
    decoded(db, "link", sql, [], is_as_summed, &mut found)?;
    Ok(found)
}

/// Rows of before sums were kept have none.
fn is_as_summed(row: &Row<'_>, body: &str) -> Result<bool, Fault> {
    let noted: Option<u32> = row.get(2)?;
    Ok(noted.is_none_or(|noted| noted == sum(body)))
}

/// Runs a query of (key, body) and decodes the bodies.
pub(super) fn bodies<T: DeserializeOwned>(
    db: &Connection,
    table: &str,
    sql: &str,
    params: impl Params,
) -> Result<Vec<T>, Fault> {
    let mut found = Vec::new();
    decoded(db, table, sql, params, |_, _| Ok(true), &mut found)?;
    Ok(found)
}

/// Runs a query whose rows begin with a key and a body; each must be as it was written.
fn decoded<T: DeserializeOwned>(
    db: &Connection,
    table: &str,
    sql: &str,
    params: impl Params,
    is_as_written: impl Fn(&Row<'_>, &str) -> Result<bool, Fault>,
    found: &mut Vec<T>,
) -> Result<(), Fault> {
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query(params)?;
    while let Some(row) = rows.next()? {
        let (key, body): (String, String) = (row.get(0)?, row.get(1)?);
        if !is_as_written(row, &body)? {
            return Err(Fault::Damaged {
                row: format!("{table} {key}"),
                why: "it is not what was written".to_owned(),
            });
        }
        found.push(decode(table, &key, &body)?);
    }
    Ok(())
}

pub(super) fn put_link(
    step: &Transaction<'_>,
    link: &Link,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let had_ticket: Option<bool> = step
        .prepare_cached("SELECT ticket IS NOT NULL FROM link WHERE marker = ?1")?
        .query_row([&link.marker.0], |row| row.get(0))
        .optional()?;
    tally.count(step, link, had_ticket)?;
    let ticket = link.ticket.as_ref().map(|ticket| int(ticket.id));
    let body = encode(link)?;
    if let Some(id) = ticket {
        let other: Option<String> = step
            .prepare_cached("SELECT marker FROM link WHERE ticket = ?1 AND marker <> ?2")?
            .query_row((id, &link.marker.0), |row| row.get(0))
            .optional()?;
        if let Some(other) = other {
            return Err(Fault::Conflict(format!(
                "ticket {id} for {}, which belongs to {other}",
                link.marker
            )));
        }
    }
    step.prepare_cached(
        "INSERT INTO link (marker, ticket, body, sum) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (marker) DO UPDATE SET ticket = ?2, body = ?3, sum = ?4",
    )?
    .execute((&link.marker.0, ticket, &body, sum(&body)))?;
    step.prepare_cached("DELETE FROM link_finding WHERE marker = ?1")?
        .execute([&link.marker.0])?;
    let mut add = step.prepare_cached("INSERT OR REPLACE INTO link_finding VALUES (?1, ?2, ?3)")?;
    for finding in &link.findings {
        add.execute((&finding.product_arn, &finding.id, &link.marker.0))?;
    }
    Ok(())
}

pub(super) fn links_of(
    db: &Connection,
    findings: &[FindingKey],
    tickets: &[u64],
    markers: &[Marker],
) -> Result<Vec<Link>, Fault> {
    let mut found: Vec<Link> = Vec::new();
    let by_finding = "SELECT l.marker, l.body, l.sum FROM link l JOIN link_finding f USING (marker) WHERE f.product_arn = ?1 AND f.finding = ?2";
    for key in findings {
        found.extend(summed(db, "link", by_finding, (&key.product_arn, &key.id))?);
    }
    for ticket in tickets {
        found.extend(summed(
            db,
            "link",
            "SELECT marker, body, sum FROM link WHERE ticket = ?1",
            [int(*ticket)],
        )?);
    }
    for marker in markers {
        found.extend(summed(
            db,
            "link",
            "SELECT marker, body, sum FROM link WHERE marker = ?1",
            [&marker.0],
        )?);
    }
    found.sort_unstable_by(|a, b| a.marker.cmp(&b.marker));
    found.dedup_by(|a, b| a.marker == b.marker);
    Ok(found)
}

pub(super) fn instant(db: &Connection, name: &str) -> Result<Option<Timestamp>, Fault> {
    let text: Option<String> = db
        .query_row("SELECT at FROM instant WHERE name = ?1", [name], |row| {
            row.get(0)
        })
        .optional()?;
    text.map(|text| {
        text.parse().map_err(|e: jiff::Error| Fault::Damaged {
            row: format!("instant {name}"),
            why: e.to_string(),
        })
    })
    .transpose()
}

fn chained(before: &str, body: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(body.as_bytes());
    hex::encode(hash.finalize())
}

pub(super) fn append_audit(step: &Transaction<'_>, entries: &[AuditEntry]) -> Result<(), Fault> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut before: String = step
        .query_row(
            "SELECT hash FROM audit ORDER BY seq DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?
        .unwrap_or_default();
    for entry in entries {
        let body = encode(entry)?;
        let hash = chained(&before, &body);
        step.prepare_cached("INSERT INTO audit (marker, body, hash) VALUES (?1, ?2, ?3)")?
            .execute((&entry.marker.0, &body, &hash))?;
        before = hash;
    }
    Ok(())
}

pub(super) fn verify_audit(db: &Connection) -> Result<u64, Fault> {
    let mut query = db.prepare("SELECT seq, body, hash FROM audit ORDER BY seq")?;
    let mut rows = query.query([])?;
    let (mut before, mut length) = (String::new(), 0);
    while let Some(row) = rows.next()? {
        let (seq, body, hash): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if chained(&before, &body) != hash {
            return Err(Fault::AuditBroken(seq));
        }
        before = hash;
        length += 1;
    }
    Ok(length)
}
