//! The outbox in SQLite. Times are milliseconds since 1970, so that they compare as numbers.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use serde_json::Value;

use super::Sqlite;
use super::rows::{Fault, decode, encode, int};
use crate::model::{Marker, Severity};
use crate::store::outbox::{
    Figures, Folding, Notice, Outbox, Post, Stage, Standing, Thread, TicketChange, Waiting,
};
use crate::store::{AuditEntry, StoreError};

impl Outbox for Sqlite {
    async fn untold(&self, limit: u32) -> Result<Vec<TicketChange>, StoreError> {
        self.call_read(move |db| {
            let which = "WHERE at_ms IS NULL ORDER BY seq LIMIT ?1";
            changes(db, which, i64::from(limit))
        })
        .await
    }

    async fn keep(
        &self,
        notices: &[Notice],
        told: &[i64],
        folding: Folding,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let (notices, told) = (notices.to_vec(), told.to_vec());
        self.call_checked(move |db| {
            let step = db.transaction()?;
            let mut new = 0;
            for notice in &notices {
                new += usize::from(keep(&step, notice, folding, now)?);
            }
            let mut date = step.prepare("UPDATE ticket_change SET at_ms = ?1 WHERE seq = ?2")?;
            for seq in told {
                date.execute((now.as_millisecond(), seq))?;
            }
            drop(date);
            step.commit()?;
            Ok(new)
        })
        .await
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Post>, StoreError> {
        self.call_read(move |db| due(db, now, limit)).await
    }

    async fn claim_post(
        &self,
        id: i64,
        revision: u64,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call(move |db| {
            let sql = "UPDATE post SET due_ms = ?2, trying_ms = ?3, trying = ?4 WHERE id = ?1 AND due_ms <= ?3 AND given_up = 0";
            let (until, now) = (until.as_millisecond(), now.as_millisecond());
            Ok(db.execute(sql, (id, until, now, int(revision)))? > 0)
        })
        .await
    }

    async fn stands(
        &self,
        id: i64,
        revision: u64,
        at: &Standing,
        folding: Folding,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let at = at.clone();
        self.call(move |db| {
            let sql = "UPDATE post SET sent = max(sent, ?2), channel = ?3, message = ?4, trying_ms = NULL, trying = NULL, attempts = 0, trouble = NULL, due_ms = ?5 WHERE id = ?1";
            let next = (now + folding.pause).as_millisecond();
            db.execute(sql, (id, int(revision), at.channel, at.message, next))?;
            Ok(())
        })
        .await
    }

    async fn postpone(
        &self,
        id: i64,
        until: Timestamp,
        trouble: &str,
        in_doubt: bool,
    ) -> Result<(), StoreError> {
        let trouble = trouble.to_owned();
        self.call(move |db| {
            let sql = "UPDATE post SET due_ms = ?2, trouble = ?3, attempts = attempts + 1, trying_ms = CASE WHEN ?4 THEN trying_ms END, trying = CASE WHEN ?4 THEN trying END WHERE id = ?1";
            db.execute(sql, (id, until.as_millisecond(), trouble, in_doubt))?;
            Ok(())
        })
        .await
    }

    async fn give_up(&self, id: i64, trouble: &str) -> Result<(), StoreError> {
        let trouble = trouble.to_owned();
        self.call(move |db| {
            db.execute(
                "UPDATE post SET given_up = 1, trouble = ?2 WHERE id = ?1",
                (id, trouble),
            )?;
            Ok(())
        })
        .await
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        self.call_read(|db| {
            let sql = "SELECT place, recipient, count(*), min(opened_ms), max(trouble) FROM post WHERE sent < revision AND given_up = 0 GROUP BY 1, 2 ORDER BY 1, 2";
            let mut query = db.prepare(sql)?;
            let mut rows = query.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Waiting {
                    place: row.get(0)?,
                    recipient: row.get(1)?,
                    posts: count(row, 2)?,
                    since: instant(row.get(3)?)?,
                    trouble: row.get(4)?,
                });
            }
            Ok(found)
        })
        .await
    }

    async fn forget(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.call(move |db| {
            // A message whose thread still waits is kept for it.
            let sql = "DELETE FROM post WHERE opened_ms < ?1 AND (sent >= revision OR given_up = 1) AND id NOT IN (SELECT parent FROM post WHERE parent IS NOT NULL AND sent < revision AND given_up = 0)";
            db.execute(sql, [before.as_millisecond()])
        })
        .await
    }
}

impl Figures for Sqlite {
    async fn changes(&self, from: Timestamp) -> Result<Vec<TicketChange>, StoreError> {
        self.call_read(move |db| {
            changes(db, "WHERE at_ms >= ?1 ORDER BY seq", from.as_millisecond())
        })
        .await
    }

    async fn since(&self, stage: Stage) -> Result<Vec<(Marker, Timestamp)>, StoreError> {
        let word = encode_stage(stage);
        self.call_read(move |db| {
            let sql = "SELECT l.marker, max(c.at_ms) FROM link_stage l JOIN ticket_change c USING (marker) WHERE l.stage = ?1 AND c.became = ?1 AND c.was <> c.became AND c.at_ms IS NOT NULL GROUP BY 1";
            let mut query = db.prepare(sql)?;
            let mut rows = query.query([word])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((Marker(row.get(0)?), instant(row.get(1)?)?));
            }
            Ok(found)
        })
        .await
    }

    async fn counting_since(&self) -> Result<Option<Timestamp>, StoreError> {
        self.call_read(|db| {
            let first: Option<i64> =
                db.query_row("SELECT min(at_ms) FROM ticket_change", [], |row| row.get(0))?;
            first.map(instant).transpose()
        })
        .await
    }

    async fn audit_by_row(&self, row: u8, from: Timestamp) -> Result<Vec<AuditEntry>, StoreError> {
        self.call_read(move |db| {
            // Latest first, so that the reading ends where the time does.
            let sql = "SELECT cast(seq AS TEXT), body FROM audit ORDER BY seq DESC";
            let mut query = db.prepare(sql)?;
            let mut rows = query.query([])?;
            let mut found: Vec<AuditEntry> = Vec::new();
            while let Some(line) = rows.next()? {
                let (seq, body): (String, String) = (line.get(0)?, line.get(1)?);
                let entry: AuditEntry = decode("audit", &seq, &body)?;
                if entry.at < from {
                    break;
                }
                if entry.row == row {
                    found.push(entry);
                }
            }
            found.reverse();
            Ok(found)
        })
        .await
    }
}

fn keep(
    step: &Transaction<'_>,
    notice: &Notice,
    folding: Folding,
    now: Timestamp,
) -> Result<bool, Fault> {
    let known: bool = step
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM notice WHERE place = ?1 AND key = ?2)")?
        .query_row((&notice.place, &notice.key), |row| row.get(0))?;
    if known {
        return Ok(false);
    }
    let parent = parent(step, notice)?;
    if parent.is_none() && notice.thread == Thread::OnlyIfOpened {
        return Ok(false);
    }
    let post = match open_post(step, notice, parent, folding, now)? {
        Some(post) => post,
        None => new_post(step, notice, parent, now)?,
    };
    step.prepare_cached(
        "INSERT INTO notice (place, key, post, marker, opens, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute((
        &notice.place,
        &notice.key,
        post,
        notice.marker.as_ref().map(Marker::as_str),
        notice.thread == Thread::Opens,
        encode(&notice.body)?,
    ))?;
    Ok(true)
}

/// The message that last opened a thread for the notice's link.
fn parent(step: &Transaction<'_>, notice: &Notice) -> Result<Option<i64>, Fault> {
    let threaded = matches!(notice.thread, Thread::IfOpened | Thread::OnlyIfOpened);
    let Some(marker) = notice.marker.as_ref().filter(|_| threaded) else {
        return Ok(None);
    };
    let sql = "SELECT post FROM notice WHERE place = ?1 AND marker = ?2 AND opens = 1 ORDER BY seq DESC LIMIT 1";
    Ok(step
        .prepare_cached(sql)?
        .query_row((&notice.place, marker.as_str()), |row| row.get(0))
        .optional()?)
}

pub(super) const OPEN_POST: &str = "SELECT id, sent FROM post WHERE place = ?1 AND recipient = ?2 AND fold = ?3 AND parent IS ?4 AND opened_ms > ?5 AND given_up = 0 AND NOT EXISTS (SELECT 1 FROM notice WHERE post = post.id AND marker IS ?6) ORDER BY id DESC LIMIT 1";

/// A post that still takes the notice in; one link's news stay apart, so that their order can be read.
fn open_post(
    step: &Transaction<'_>,
    notice: &Notice,
    parent: Option<i64>,
    folding: Folding,
    now: Timestamp,
) -> Result<Option<i64>, Fault> {
    let Some(fold) = &notice.fold else {
        return Ok(None);
    };
    let open: Option<(i64, i64)> = step
        .prepare_cached(OPEN_POST)?
        .query_row(
            (
                &notice.place,
                &notice.recipient,
                fold,
                parent,
                (now - folding.window).as_millisecond(),
                notice.marker.as_ref().map(Marker::as_str),
            ),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((id, sent)) = open else {
        return Ok(None);
    };
    // What stands there already has its own pause; what waits goes as soon as its most urgent notice may.
    let sql = if sent > 0 {
        "UPDATE post SET revision = revision + 1, due_ms = max(due_ms, ?2) WHERE id = ?1"
    } else {
        "UPDATE post SET revision = revision + 1, due_ms = CASE WHEN trying IS NULL THEN min(due_ms, ?2) ELSE due_ms END WHERE id = ?1"
    };
    let due = if sent > 0 { now } else { notice.due_at };
    step.prepare_cached(sql)?
        .execute((id, due.as_millisecond()))?;
    Ok(Some(id))
}

fn new_post(
    step: &Transaction<'_>,
    notice: &Notice,
    parent: Option<i64>,
    now: Timestamp,
) -> Result<i64, Fault> {
    step.prepare_cached(
        "INSERT INTO post (place, recipient, fold, parent, opened_ms, due_ms, revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)",
    )?
    .execute((
        &notice.place,
        &notice.recipient,
        &notice.fold,
        parent,
        now.as_millisecond(),
        notice.due_at.as_millisecond(),
    ))?;
    Ok(step.last_insert_rowid())
}

fn due(db: &Connection, now: Timestamp, limit: u32) -> Result<Vec<Post>, Fault> {
    let sql = "SELECT p.id, p.place, p.recipient, t.channel, t.message, p.channel, p.message, p.revision, p.sent, p.trying_ms, p.trying, p.attempts FROM post p LEFT JOIN post t ON t.id = p.parent WHERE p.sent < p.revision AND p.given_up = 0 AND p.due_ms <= ?1 AND (p.parent IS NULL OR t.sent > 0 OR t.given_up = 1) ORDER BY p.id LIMIT ?2";
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query((now.as_millisecond(), limit))?;
    let mut posts = Vec::new();
    while let Some(row) = rows.next()? {
        posts.push(post(row)?);
    }
    let mut notices =
        db.prepare_cached("SELECT key, body FROM notice WHERE post = ?1 ORDER BY seq")?;
    for post in &mut posts {
        let mut rows = notices.query([post.id])?;
        while let Some(row) = rows.next()? {
            if post.key.is_empty() {
                post.key = row.get(0)?;
            }
            let body: String = row.get(1)?;
            let body: Value = serde_json::from_str(&body).map_err(|e| Fault::Damaged {
                row: format!("notice of post {}", post.id),
                why: e.to_string(),
            })?;
            post.notices.push(body);
        }
    }
    Ok(posts)
}

fn post(row: &Row<'_>) -> Result<Post, Fault> {
    let standing = |channel: Option<String>, message: Option<String>| {
        channel
            .zip(message)
            .map(|(channel, message)| Standing { channel, message })
    };
    let trying: Option<i64> = row.get(9)?;
    let revision: Option<i64> = row.get(10)?;
    Ok(Post {
        id: row.get(0)?,
        key: String::new(),
        place: row.get(1)?,
        recipient: row.get(2)?,
        thread: standing(row.get(3)?, row.get(4)?),
        standing: standing(row.get(5)?, row.get(6)?),
        revision: count(row, 7)?,
        sent: count(row, 8)?,
        trying: match trying.zip(revision) {
            Some((ms, _)) => Some((instant(ms)?, count(row, 10)?)),
            None => None,
        },
        attempts: row.get(11)?,
        notices: Vec::new(),
    })
}

fn changes(db: &Connection, which: &str, bound: i64) -> Result<Vec<TicketChange>, Fault> {
    let sql = format!(
        "SELECT seq, marker, at_ms, was, severity_was, became, severity, episode, account, rule FROM ticket_change {which}"
    );
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query([bound])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let word = |n: usize| row.get::<_, String>(n);
        let damaged = |why: String| Fault::Damaged {
            row: format!("ticket_change {seq}"),
            why,
        };
        let stage = |word: String| {
            Stage::parse(&word).ok_or_else(|| damaged(format!("`{word}` is no stage")))
        };
        let severity = |word: String| {
            serde_json::from_value::<Severity>(Value::String(word))
                .map_err(|e| damaged(e.to_string()))
        };
        let at: Option<i64> = row.get(2)?;
        found.push(TicketChange {
            seq,
            marker: Marker(word(1)?),
            at: at.map(instant).transpose()?,
            was: stage(word(3)?)?,
            severity_was: severity(word(4)?)?,
            became: stage(word(5)?)?,
            severity: severity(word(6)?)?,
            episode: row.get(7)?,
            account: word(8)?,
            rule: word(9)?,
        });
    }
    Ok(found)
}

fn encode_stage(stage: Stage) -> String {
    let word = serde_json::to_value(stage).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

/// SQLite's integers are signed; ours never are.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

fn instant(ms: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_millisecond(ms).map_err(|e| Fault::Damaged {
        row: format!("a time of {ms} ms"),
        why: e.to_string(),
    })
}

#[cfg(test)]
mod tests;
