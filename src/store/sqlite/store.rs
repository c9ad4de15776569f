//! What a run remembers, as rows: every method of [`Store`] is one transaction.

use jiff::Timestamp;

use super::history::Tally;
use super::{Sqlite, queue, rows};
use crate::model::{FindingKey, Intent, Link, Marker, Pause, PauseScope};
use crate::store::queue::ResourceDeletion;
use crate::store::{
    AuditEntry, DayCount, IntentOutcome, Quarantined, Run, Store, StoreError, Tombstone,
};

impl Store for Sqlite {
    async fn links(&self) -> Result<Vec<Link>, StoreError> {
        self.call_read(rows::links).await
    }

    async fn links_of(
        &self,
        findings: &[FindingKey],
        tickets: &[u64],
        markers: &[Marker],
    ) -> Result<Vec<Link>, StoreError> {
        let (findings, tickets, markers) = (findings.to_vec(), tickets.to_vec(), markers.to_vec());
        self.call_read(move |db| rows::links_of(db, &findings, &tickets, &markers))
            .await
    }

    async fn put_links(&self, links: &[Link], at: Timestamp) -> Result<(), StoreError> {
        self.settle(links, &[], at).await
    }

    async fn settle(
        &self,
        links: &[Link],
        entries: &[AuditEntry],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (links, entries) = (links.to_vec(), entries.to_vec());
        self.call_checked(move |db| {
            let step = db.transaction()?;
            let mut tally = Tally::new(at);
            links
                .iter()
                .try_for_each(|link| rows::put_link(&step, link, &mut tally))?;
            tally.write(&step)?;
            rows::append_audit(&step, &entries)?;
            Ok(step.commit()?)
        })
        .await
    }

    async fn intents(&self) -> Result<Vec<Intent>, StoreError> {
        self.call_read(|db| {
            rows::summed(
                db,
                "intent",
                "SELECT marker, body, sum FROM intent ORDER BY marker",
                [],
            )
        })
        .await
    }

    async fn open_intents(&self, intents: &[Intent]) -> Result<(), StoreError> {
        let intents = intents.to_vec();
        self.call_checked(move |db| {
            let step = db.transaction()?;
            for intent in &intents {
                let body = rows::encode(intent)?;
                let new = step.execute(
                    "INSERT INTO intent (marker, body, sum) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                    (&intent.marker.0, &body, rows::sum(&body)),
                )?;
                if new == 0 {
                    let what = format!(
                        "a second create for {} while one is in doubt",
                        intent.marker
                    );
                    return Err(rows::Fault::Conflict(what));
                }
            }
            Ok(step.commit()?)
        })
        .await
    }

    async fn settle_intents(
        &self,
        outcomes: &[(Marker, IntentOutcome)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let outcomes = outcomes.to_vec();
        self.call_checked(move |db| {
            let step = db.transaction()?;
            let mut tally = Tally::new(at);
            for (marker, outcome) in &outcomes {
                if let IntentOutcome::Created(link) = outcome {
                    rows::put_link(&step, link, &mut tally)?;
                }
                step.execute("DELETE FROM intent WHERE marker = ?1", [&marker.0])?;
            }
            tally.write(&step)?;
            Ok(step.commit()?)
        })
        .await
    }

    async fn bury(&self, tombstones: &[Tombstone]) -> Result<(), StoreError> {
        let tombstones = tombstones.to_vec();
        self.call_checked(move |db| {
            let step = db.transaction()?;
            for grave in &tombstones {
                let body = rows::encode(grave)?;
                step.execute(
                    "INSERT OR REPLACE INTO tombstone (ticket, body, sum) VALUES (?1, ?2, ?3)",
                    (rows::int(grave.ticket.id), &body, rows::sum(&body)),
                )?;
            }
            Ok(step.commit()?)
        })
        .await
    }

    async fn tombstones(&self) -> Result<Vec<Tombstone>, StoreError> {
        let sql = "SELECT cast(ticket AS TEXT), body, sum FROM tombstone ORDER BY ticket";
        self.call_read(move |db| rows::summed(db, "tombstone", sql, []))
            .await
    }

    async fn open_comments(&self, keys: &[String]) -> Result<(), StoreError> {
        let keys = keys.to_vec();
        self.call(move |db| {
            let step = db.transaction()?;
            for key in &keys {
                step.execute("INSERT OR IGNORE INTO comment_sent VALUES (?1)", [key])?;
            }
            step.commit()
        })
        .await
    }

    async fn opened_comments(&self, keys: &[String]) -> Result<Vec<String>, StoreError> {
        let keys = keys.to_vec();
        self.call_read(move |db| {
            let mut known =
                db.prepare("SELECT EXISTS (SELECT 1 FROM comment_sent WHERE key = ?1)")?;
            let mut opened = Vec::new();
            for key in keys {
                if known.query_row([&key], |row| row.get(0))? {
                    opened.push(key);
                }
            }
            Ok(opened)
        })
        .await
    }

    async fn audit(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let entries = entries.to_vec();
        self.call_checked(move |db| {
            let step = db.transaction()?;
            rows::append_audit(&step, &entries)?;
            Ok(step.commit()?)
        })
        .await
    }

    async fn audit_of(&self, marker: &Marker) -> Result<Vec<AuditEntry>, StoreError> {
        let marker = marker.0.clone();
        let sql = "SELECT cast(seq AS TEXT), body FROM audit WHERE marker = ?1 ORDER BY seq";
        self.call_read(move |db| rows::bodies(db, "audit", sql, [marker]))
            .await
    }

    async fn verify_audit(&self) -> Result<u64, StoreError> {
        self.call_read(rows::verify_audit).await
    }

    async fn quarantine(&self) -> Result<Vec<Quarantined>, StoreError> {
        let sql = "SELECT marker, body FROM quarantine ORDER BY marker";
        self.call_read(move |db| rows::bodies(db, "quarantine", sql, []))
            .await
    }

    async fn put_quarantine(&self, items: &[Quarantined]) -> Result<(), StoreError> {
        let items = items.to_vec();
        self.call_checked(move |db| {
            let step = db.transaction()?;
            for item in &items {
                let body = rows::encode(item)?;
                step.execute(
                    "INSERT OR REPLACE INTO quarantine VALUES (?1, ?2)",
                    (&item.marker.0, &body),
                )?;
            }
            Ok(step.commit()?)
        })
        .await
    }

    async fn release(&self, marker: &Marker) -> Result<bool, StoreError> {
        let marker = marker.0.clone();
        self.call(move |db| {
            Ok(db.execute("DELETE FROM quarantine WHERE marker = ?1", [marker])? > 0)
        })
        .await
    }

    async fn deletions_of(&self, ids: &[String]) -> Result<Vec<ResourceDeletion>, StoreError> {
        let ids = ids.to_vec();
        self.call_read(move |db| queue::deletions_of(db, &ids))
            .await
    }

    async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        let sql = "SELECT scope, body FROM pause ORDER BY scope";
        self.call_read(move |db| rows::bodies(db, "pause", sql, []))
            .await
    }

    async fn pause(&self, pause: &Pause) -> Result<(), StoreError> {
        let pause = pause.clone();
        self.call_small(move |db| {
            let (scope, body) = (rows::encode(&pause.scope)?, rows::encode(&pause)?);
            db.execute(
                "INSERT OR REPLACE INTO pause VALUES (?1, ?2)",
                (scope, body),
            )?;
            Ok(())
        })
        .await
    }

    async fn resume(&self, scope: &PauseScope) -> Result<bool, StoreError> {
        let scope = scope.clone();
        self.call_small(move |db| {
            let ended = db.execute(
                "DELETE FROM pause WHERE scope = ?1",
                [rows::encode(&scope)?],
            )?;
            Ok(ended > 0)
        })
        .await
    }

    async fn instant(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        let name = name.to_owned();
        self.call_read(move |db| rows::instant(db, &name)).await
    }

    async fn set_instant(&self, name: &str, at: Timestamp) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.call(move |db| {
            db.execute(
                "INSERT OR REPLACE INTO instant VALUES (?1, ?2)",
                (name, at.to_string()),
            )?;
            Ok(())
        })
        .await
    }

    async fn put_run(&self, run: &Run) -> Result<(), StoreError> {
        let run = run.clone();
        self.call_checked(move |db| {
            let body = rows::encode(&run)?;
            db.execute(
                "INSERT OR REPLACE INTO run VALUES (?1, ?2)",
                (&run.id, &body),
            )?;
            Ok(())
        })
        .await
    }

    async fn runs(&self, limit: u32) -> Result<Vec<Run>, StoreError> {
        let sql = "SELECT id, body FROM run ORDER BY id DESC LIMIT ?1";
        self.call_read(move |db| rows::bodies(db, "run", sql, [limit]))
            .await
    }

    async fn count_day(&self, day: &str) -> Result<(), StoreError> {
        let day = day.to_owned();
        self.call(move |db| {
            let step = db.transaction()?;
            step.execute("DELETE FROM day_count WHERE day = ?1", [&day])?;
            // The database counts: a run's memory need not hold all rows once more.
            step.execute(
                "INSERT INTO day_count
                 SELECT ?1, body ->> '$.alias.account', body ->> '$.severity', body ->> '$.base.ticket.is', count(*)
                 FROM link WHERE body ->> '$.base.ticket.is' IS NOT NULL GROUP BY 2, 3, 4
                 UNION ALL
                 SELECT ?1, body ->> '$.account', body ->> '$.severity', 'deleted', count(*)
                 FROM tombstone GROUP BY 2, 3",
                [&day],
            )?;
            step.commit()
        })
        .await
    }

    async fn history(&self, from: &str, to: &str) -> Result<Vec<DayCount>, StoreError> {
        let range = (from.to_owned(), to.to_owned());
        self.call_read(move |db| {
            let sql = "SELECT day, account, severity, state, count FROM day_count WHERE day BETWEEN ?1 AND ?2 ORDER BY 1, 2, 3, 4";
            let mut found = db.prepare(sql)?;
            let rows = found.query_map(range, |row| {
                Ok(DayCount {
                    day: row.get(0)?,
                    account: row.get(1)?,
                    severity: row.get(2)?,
                    state: row.get(3)?,
                    count: u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}
