//! Deliveries that could not be read, in SQLite.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::Sqlite;
use super::rows::{Fault, int};
use crate::store::StoreError;
use crate::store::unread::{Arrived, Door, UNREAD_BYTES_MAX, UNREAD_MOST, Unread, UnreadStore};

impl UnreadStore for Sqlite {
    async fn keep_unread(&self, arrived: &Arrived<'_>) -> Result<(), StoreError> {
        let kept = &arrived.body[..arrived.body.len().min(UNREAD_BYTES_MAX)];
        let (door, why, body) = (arrived.door, arrived.why.to_owned(), kept.to_vec());
        let (id, sha256) = (arrived.id.map(str::to_owned), arrived.body_sha256);
        let (bytes, at) = (arrived.body.len() as u64, arrived.at.as_millisecond());
        self.call_small(move |db| {
            db.prepare_cached(
                "INSERT INTO unread (sha256, door, id, why, times, at, bytes, body)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7)
                 ON CONFLICT (sha256) DO UPDATE SET times = times + 1, why = excluded.why, at = max(at, excluded.at)",
            )?
            .execute(params![sha256, door.word(), id, why, at, int(bytes), body])?;
            db.prepare_cached(
                "DELETE FROM unread WHERE seq NOT IN (SELECT seq FROM unread ORDER BY at DESC, seq DESC LIMIT ?1)",
            )?
            .execute([UNREAD_MOST])?;
            Ok(())
        })
        .await
    }

    async fn unread(&self) -> Result<Vec<Unread>, StoreError> {
        self.call_read(all).await
    }

    async fn count_unread(&self) -> Result<u64, StoreError> {
        self.call_read(|db| {
            let count = db
                .prepare_cached("SELECT count(*) FROM unread")?
                .query_row([], |row| row.get(0))?;
            Ok(i64::unsigned_abs(count))
        })
        .await
    }

    async fn forget_unread(&self, seq: u64) -> Result<bool, StoreError> {
        self.call_small(move |db| {
            let gone = db.execute("DELETE FROM unread WHERE seq = ?1", [int(seq)])?;
            Ok(gone > 0)
        })
        .await
    }
}

fn all(db: &Connection) -> Result<Vec<Unread>, Fault> {
    let mut found = db.prepare_cached(
        "SELECT seq, door, id, why, times, at, bytes, body FROM unread ORDER BY seq",
    )?;
    let rows = found.query_map([], one)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn one(row: &Row<'_>) -> rusqlite::Result<Unread> {
    let number = |at| row.get(at).map(|value: i64| value.unsigned_abs());
    let door: String = row.get(1)?;
    Ok(Unread {
        seq: number(0)?,
        door: match door.as_str() {
            "queue" => Door::Queue,
            _ => Door::Webhook,
        },
        id: row.get(2)?,
        why: row.get(3)?,
        times: number(4)?,
        at: Timestamp::from_millisecond(row.get(5)?).unwrap_or(Timestamp::UNIX_EPOCH),
        bytes: number(6)?,
        body: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use sha2::{Digest, Sha256};

    use super::*;

    async fn keep(store: &Sqlite, body: &[u8], second: i64) {
        let arrived = Arrived {
            door: Door::Queue,
            id: Some("m-1"),
            why: "it is no JSON at line 1 column 1",
            body,
            body_sha256: Sha256::digest(body).into(),
            at: Timestamp::from_second(second).unwrap(),
        };
        store.keep_unread(&arrived).await.unwrap();
    }

    #[tokio::test]
    async fn the_newest_are_kept_and_the_same_body_only_counts() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("store")).unwrap();
        for n in 0..200 {
            keep(&store, format!("body {n}").as_bytes(), n).await;
            keep(&store, b"again and again", n).await;
        }
        let kept = store.unread().await.unwrap();
        assert_eq!(kept.len(), UNREAD_MOST as usize);
        let same: Vec<&Unread> = kept.iter().filter(|one| one.times > 1).collect();
        assert_eq!(same.len(), 1);
        assert_eq!(
            (same[0].times, same[0].body.as_slice()),
            (200, b"again and again".as_slice())
        );
        assert!(kept.iter().any(|one| one.body == b"body 199"));
        assert!(!kept.iter().any(|one| one.body == b"body 100"));
    }

    #[tokio::test]
    async fn a_long_body_is_cut_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("store")).unwrap();
        keep(&store, &vec![b'x'; UNREAD_BYTES_MAX + 1], 1).await;
        keep(&store, b"short", 2).await;
        let kept = store.unread().await.unwrap();
        assert_eq!(kept[0].body.len(), UNREAD_BYTES_MAX);
        assert!(!kept[0].is_whole() && kept[1].is_whole());
        assert!(store.forget_unread(kept[0].seq).await.unwrap());
        assert!(!store.forget_unread(kept[0].seq).await.unwrap());
        assert_eq!(store.unread().await.unwrap(), kept[1..]);
    }
}
