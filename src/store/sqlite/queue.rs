//! The work queue in SQLite: one row for a key, however many events name it.
//!
//! A claim takes the due time away, so that an event which comes during the work leaves its own. Fences rise for ever,
//! so a worker that lost its lease finishes nothing.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::Sqlite;
use super::rows::{Fault, decode, encode, int};
use crate::model::Marker;
use crate::mutant;
use crate::store::queue::{
    Accepted, Delivery, Depth, Finished, Inbox, Leased, ResourceDeletion, WorkKey, WorkQueue,
};
use crate::store::unread::Door;
use crate::store::{Store as _, StoreError};

/// How long a delivery is known again: EventBridge retries for 24 hours (EventBridge user guide, "retry policy").
const DELIVERIES_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// The most deliveries that are known again; some 20 MB.
const DELIVERIES_MOST: i64 = 100_000;
/// How long a proof of deletion is kept: findings of deleted resources are archived within days.
const DELETIONS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Old rows are removed every so many deliveries, so many at a time.
const PRUNED_EVERY: i64 = 256;
const PRUNED_MOST: i64 = 1_024;
/// The due time of a claimed item.
const TAKEN: i64 = i64::MAX;

impl Inbox for Sqlite {
    async fn accept(
        &self,
        delivery: &Delivery,
        keys: &[WorkKey],
        deletions: &[ResourceDeletion],
        most: u64,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let (delivery, keys, deletions) = (delivery.clone(), keys.to_vec(), deletions.to_vec());
        let accepted = self
            .call_small(move |db| accept(db, &delivery, keys, &deletions, most, now))
            .await?;
        if accepted == Accepted::Enqueued {
            self.arrived.notify_one();
        }
        Ok(accepted)
    }

    async fn hear(&self, door: Door, at: Timestamp) -> Result<(), StoreError> {
        self.call_small(move |db| {
            db.execute(
                "INSERT OR REPLACE INTO instant VALUES (?1, ?2)",
                (heard(door), at.to_string()),
            )?;
            Ok(())
        })
        .await
    }

    async fn heard(&self, door: Door) -> Result<Option<Timestamp>, StoreError> {
        self.instant(&heard(door)).await
    }
}

/// The name of the instant.
fn heard(door: Door) -> String {
    format!("heard.{}", door.word())
}

impl WorkQueue for Sqlite {
    async fn enqueue(&self, keys: &[WorkKey], due_at: Timestamp) -> Result<(), StoreError> {
        let keys = keys.to_vec();
        self.call_small(move |db| keys.iter().try_for_each(|key| enqueue(db, key, due_at)))
            .await?;
        self.arrived.notify_one();
        Ok(())
    }

    async fn claim(
        &self,
        limit: u32,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Vec<Leased>, StoreError> {
        // An idle worker asks every second: that must not cost an fsync.
        let due = self.call_read(move |db| is_due(db, now)).await?;
        if !due {
            return Ok(Vec::new());
        }
        self.call_small(move |db| claim(db, limit, now, lease))
            .await
    }

    async fn finish(
        &self,
        items: &[(Leased, Finished)],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let items = items.to_vec();
        self.call_small(move |db| {
            let mut lost = 0;
            for (item, how) in &items {
                lost += usize::from(!finish(db, item, how, now)?);
            }
            Ok(lost)
        })
        .await
    }

    async fn depth(&self, now: Timestamp) -> Result<Depth, StoreError> {
        self.call_read(move |db| depth(db, now)).await
    }

    async fn arrived(&self) {
        self.arrived.notified().await;
    }
}

fn accept(
    db: &Connection,
    delivery: &Delivery,
    mut keys: Vec<WorkKey>,
    deletions: &[ResourceDeletion],
    most: u64,
    now: Timestamp,
) -> Result<Accepted, Fault> {
    let known: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM delivery WHERE sha256 = ?1 OR id = ?2)")?
        .query_row(params![delivery.body_sha256, delivery.id], |row| row.get(0))?;
    if known {
        return Ok(Accepted::Duplicate);
    }
    keys.extend(links_of_resources(db, deletions)?);
    if is_full(db, &keys, most)? {
        return Ok(Accepted::Full);
    }
    for key in &keys {
        enqueue(db, key, now)?;
    }
    for deletion in deletions {
        remember_deletion(db, deletion)?;
    }
    db.prepare_cached("INSERT INTO delivery (id, sha256, at) VALUES (?1, ?2, ?3)")?
        .execute(params![delivery.id, delivery.body_sha256, ms(now)])?;
    let seq = db.last_insert_rowid();
    if seq % PRUNED_EVERY == 0 {
        prune(db, seq, now)?;
    }
    Ok(Accepted::Enqueued)
}

/// The links whose first resource a deletion names: Config's events know resources, not findings.
fn links_of_resources(
    db: &Connection,
    deletions: &[ResourceDeletion],
) -> Result<Vec<WorkKey>, Fault> {
    let mut found = Vec::new();
    let mut links = db.prepare_cached(
        "SELECT marker FROM link WHERE json_extract(body, '$.alias.resource') = ?1
         AND json_extract(body, '$.alias.account') = ?2",
    )?;
    for deletion in deletions {
        for id in &deletion.ids {
            let markers = links.query_map((id, &deletion.account), |row| row.get(0))?;
            for marker in markers {
                found.push(WorkKey::Link(Marker(marker?)));
            }
        }
    }
    Ok(found)
}

/// A queue that holds so many items takes no new key; one that is queued already makes it no longer.
fn is_full(db: &Connection, keys: &[WorkKey], most: u64) -> Result<bool, Fault> {
    let held: i64 = db
        .prepare_cached("SELECT value FROM counter WHERE name = 'work'")?
        .query_row([], |row| row.get(0))?;
    if held < int(most) {
        return Ok(false);
    }
    let mut queued = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM work WHERE key = ?1)")?;
    for key in keys {
        if !queued.query_row([encode(key)?], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An item that backs off keeps its time: an event says that something changed, not that the trouble is over.
fn enqueue(db: &Connection, key: &WorkKey, due_at: Timestamp) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO work VALUES (?1, ?2, 1, 0, NULL, NULL, 0)
         ON CONFLICT (key) DO UPDATE SET generation = generation + 1,
         due_at = CASE WHEN attempts > 0 THEN due_at ELSE min(due_at, excluded.due_at) END",
    )?
    .execute((encode(key)?, ms(due_at)))?;
    Ok(())
}

fn remember_deletion(db: &Connection, deletion: &ResourceDeletion) -> Result<(), Fault> {
    let mut remember = db.prepare_cached(
        "INSERT INTO resource_deletion VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET at = excluded.at, at_ms = excluded.at_ms WHERE at_ms < excluded.at_ms",
    )?;
    for id in &deletion.ids {
        let ResourceDeletion {
            account,
            region,
            at,
            ..
        } = deletion;
        remember.execute((id, account, region, at.to_string(), ms(*at)))?;
    }
    Ok(())
}

fn prune(db: &Connection, newest: i64, now: Timestamp) -> Result<(), Fault> {
    db.prepare_cached(
        "DELETE FROM delivery WHERE seq <= ?1 OR seq IN
         (SELECT seq FROM (SELECT seq, at FROM delivery ORDER BY seq LIMIT ?2) WHERE at < ?3)",
    )?
    .execute((
        newest - DELIVERIES_MOST,
        PRUNED_MOST,
        ms(before(now, DELIVERIES_KEPT)),
    ))?;
    db.prepare_cached(
        "DELETE FROM resource_deletion WHERE rowid IN
         (SELECT rowid FROM resource_deletion WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)",
    )?
    .execute((ms(before(now, DELETIONS_KEPT)), PRUNED_MOST))?;
    Ok(())
}

fn is_due(db: &Connection, now: Timestamp) -> Result<bool, Fault> {
    let due = "SELECT EXISTS (SELECT 1 FROM work WHERE lease_until IS NULL AND due_at <= ?1)
               OR EXISTS (SELECT 1 FROM work WHERE lease_until <= ?1)";
    Ok(db
        .prepare_cached(due)?
        .query_row([ms(now)], |row| row.get(0))?)
}

/// An expired lease counts as a failed attempt: its worker died over it, or was too slow.
fn claim(
    db: &Connection,
    limit: u32,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<Vec<Leased>, Fault> {
    let fence: i64 = db
        .prepare_cached(
            "UPDATE counter SET value = value + 1 WHERE name = 'fence' RETURNING value",
        )?
        .query_row([], |row| row.get(0))?;
    let until = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
    let mut claim = db.prepare_cached(
        "UPDATE work SET attempts = attempts + (lease_until IS NOT NULL), lease_until = ?2, fence = ?3, due_at = ?4
         WHERE key IN (SELECT key FROM (
             SELECT * FROM (SELECT key, lease_until AS at FROM work WHERE lease_until <= ?1 ORDER BY lease_until LIMIT ?5)
             UNION ALL
             SELECT * FROM (SELECT key, due_at AS at FROM work WHERE lease_until IS NULL AND due_at <= ?1
                            ORDER BY due_at LIMIT ?5)
         ) ORDER BY at LIMIT ?5)
         RETURNING key, generation, attempts",
    )?;
    let rows = claim.query_map((ms(now), ms(until), fence, TAKEN, limit), |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let mut claimed = Vec::new();
    for row in rows {
        let (key, generation, attempts): (String, i64, i64) = row?;
        claimed.push(Leased {
            key: decode("work", &key, &key)?,
            fence: fence.unsigned_abs(),
            generation: generation.unsigned_abs(),
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        });
    }
    Ok(claimed)
}

/// False when the claim was lost.
fn finish(db: &Connection, item: &Leased, how: &Finished, now: Timestamp) -> Result<bool, Fault> {
    let key = encode(&item.key)?;
    let mut fence = int(item.fence);
    if mutant::is("no-fence") {
        fence = db.query_row("SELECT fence FROM work WHERE key = ?1", [&key], |row| {
            row.get(0)
        })?;
    }
    let changed = match how {
        Finished::Done => {
            let ended = db
                .prepare_cached(
                    "DELETE FROM work WHERE key = ?1 AND fence = ?2 AND lease_until IS NOT NULL AND generation = ?3",
                )?
                .execute((&key, fence, int(item.generation)))?;
            if ended > 0 {
                return Ok(true);
            }
            // An event came during the work: the item is due when that event says.
            db.prepare_cached(
                "UPDATE work SET lease_until = NULL, attempts = 0, why = NULL,
                 due_at = CASE WHEN due_at = ?4 THEN ?3 ELSE due_at END
                 WHERE key = ?1 AND fence = ?2 AND lease_until IS NOT NULL",
            )?
            .execute((&key, fence, ms(now), TAKEN))?
        }
        Finished::Again { at, why } => db
            .prepare_cached(
                "UPDATE work SET lease_until = NULL, attempts = attempts + 1, why = ?3, due_at = ?4
                 WHERE key = ?1 AND fence = ?2 AND lease_until IS NOT NULL",
            )?
            .execute((&key, fence, why, ms(*at)))?,
        Finished::Later { at } => db
            .prepare_cached(
                "UPDATE work SET lease_until = NULL, attempts = 0, why = NULL, due_at = min(due_at, ?3)
                 WHERE key = ?1 AND fence = ?2 AND lease_until IS NOT NULL",
            )?
            .execute((&key, fence, ms(*at)))?,
    };
    Ok(changed > 0)
}

fn depth(db: &Connection, now: Timestamp) -> Result<Depth, Fault> {
    let sql = "SELECT count(*) FILTER (WHERE lease_until IS NULL AND due_at <= ?1),
                      count(*) FILTER (WHERE lease_until IS NULL AND due_at > ?1),
                      count(*) FILTER (WHERE lease_until IS NOT NULL),
                      min(due_at) FILTER (WHERE lease_until IS NULL AND due_at <= ?1) FROM work";
    let (ready, delayed, leased, oldest): (i64, i64, i64, Option<i64>) =
        db.prepare_cached(sql)?.query_row([ms(now)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
    Ok(Depth {
        ready: ready.unsigned_abs(),
        delayed: delayed.unsigned_abs(),
        leased: leased.unsigned_abs(),
        oldest_ready_at: oldest.and_then(|at| Timestamp::from_millisecond(at).ok()),
    })
}

/// The proofs for resources with these ids, one for each id.
pub(super) fn deletions_of(
    db: &Connection,
    ids: &[String],
) -> Result<Vec<ResourceDeletion>, Fault> {
    let none: bool = db
        .prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM resource_deletion)")?
        .query_row([], |row| row.get(0))?;
    let mut found = Vec::new();
    if none {
        return Ok(found);
    }
    let mut known =
        db.prepare_cached("SELECT account, region, at FROM resource_deletion WHERE id = ?1")?;
    for id in ids {
        let mut rows = known.query([id])?;
        while let Some(row) = rows.next()? {
            let at: String = row.get(2)?;
            let at = at.parse().map_err(|e: jiff::Error| Fault::Damaged {
                row: format!("resource_deletion {id}"),
                why: e.to_string(),
            })?;
            found.push(ResourceDeletion {
                account: row.get(0)?,
                region: row.get(1)?,
                ids: vec![id.clone()],
                at,
            });
        }
    }
    Ok(found)
}

/// Whole milliseconds, cut: whatever was due stays due.
fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn before(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_sub(by).unwrap_or(Timestamp::MIN)
}
