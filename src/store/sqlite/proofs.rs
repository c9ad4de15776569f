//! Verdicts on projects in SQLite.

use super::Sqlite;
use super::rows::{bodies, encode};
use crate::store::StoreError;
use crate::store::proofs::{Proof, Proofs};

impl Proofs for Sqlite {
    async fn proofs(&self) -> Result<Vec<Proof>, StoreError> {
        self.call_read(|db| {
            bodies(
                db,
                "proof",
                "SELECT project, body FROM proof ORDER BY project",
                [],
            )
        })
        .await
    }

    async fn put_proofs(&self, proofs: &[Proof]) -> Result<(), StoreError> {
        let proofs = proofs.to_vec();
        self.call_small(move |db| {
            for proof in &proofs {
                db.execute(
                    "INSERT OR REPLACE INTO proof VALUES (?1, ?2)",
                    (&proof.project, encode(proof)?),
                )?;
            }
            Ok(())
        })
        .await
    }

    async fn forget_proofs(&self, projects: &[String]) -> Result<(), StoreError> {
        let projects = projects.to_vec();
        self.call_small(move |db| {
            for project in &projects {
                db.execute("DELETE FROM proof WHERE project = ?1", [project])?;
            }
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::store::proofs::Verdict;

    #[tokio::test]
    async fn a_later_verdict_replaces_an_earlier_one_and_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("asaf.sqlite3");
        let proof = |project: &str, verdict| Proof {
            project: project.to_owned(),
            at: "2026-11-24T10:00:00Z".parse().unwrap(),
            verdict,
        };
        let broken = Verdict::Broken {
            why: vec!["Anybody closes.".to_owned()],
        };
        let store = Sqlite::open(&path).unwrap();
        let both = [proof("WEB", Verdict::Read), proof("PAY", broken.clone())];
        store.put_proofs(&both).await.unwrap();
        store
            .put_proofs(&[proof("WEB", Verdict::Proven)])
            .await
            .unwrap();
        drop(store);
        let store = Sqlite::open(&path).unwrap();
        let kept = [proof("PAY", broken), proof("WEB", Verdict::Proven)];
        assert_eq!(store.proofs().await.unwrap(), kept);
        store.forget_proofs(&["PAY".to_owned()]).await.unwrap();
        assert_eq!(store.proofs().await.unwrap().len(), 1);
    }
}
