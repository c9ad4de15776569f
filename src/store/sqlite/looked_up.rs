//! What pages look up by an index, so that none of them reads every link: what waits, what a rule hides, what a name means,
//! what a run did.

use super::{Sqlite, rows};
use crate::model::Link;
use crate::store::{AuditEntry, StoreError};

/// More than anybody reads on a page.
const MOST: u32 = 20_000;

impl Sqlite {
    /// Links whose ticket is resolved or disputed.
    pub(crate) async fn waiting_links(&self) -> Result<Vec<Link>, StoreError> {
        let sql = "SELECT marker, body, sum FROM link
                   WHERE body ->> '$.base.ticket.is' = 'resolved' OR body ->> '$.dispute' IS NOT NULL LIMIT ?1";
        self.call_read(move |db| rows::summed(db, "link", sql, [MOST]))
            .await
    }

    /// Links that an ignore rule covers.
    pub(crate) async fn hidden_links(&self) -> Result<Vec<Link>, StoreError> {
        let sql = "SELECT marker, body, sum FROM link
                   WHERE body ->> '$.ignored_by' IS NOT NULL LIMIT ?1";
        self.call_read(move |db| rows::summed(db, "link", sql, [MOST]))
            .await
    }

    /// Links that somebody means by a ticket's key, a finding's id, a resource or a marker.
    pub(crate) async fn links_called(&self, name: &str) -> Result<Vec<Link>, StoreError> {
        let name = name.to_owned();
        let sql = "SELECT marker, body, sum FROM link WHERE marker = ?1
             UNION SELECT marker, body, sum FROM link WHERE body ->> '$.ticket.key' = upper(?1)
             UNION SELECT marker, body, sum FROM link WHERE json_extract(body, '$.alias.resource') = ?1
             UNION SELECT link.marker, link.body, link.sum FROM link_finding JOIN link USING (marker) WHERE finding = ?1
             ORDER BY 1 LIMIT 200";
        self.call_read(move |db| rows::summed(db, "link", sql, [name]))
            .await
    }

    /// What a run wrote, in order.
    pub(crate) async fn audit_of_run(&self, run: &str) -> Result<Vec<AuditEntry>, StoreError> {
        let run = run.to_owned();
        let sql = "SELECT cast(seq AS TEXT), body FROM audit WHERE body ->> '$.run' = ?1 ORDER BY seq LIMIT 5000";
        self.call_read(move |db| rows::bodies(db, "audit", sql, [run]))
            .await
    }

    /// A run by its id.
    pub(crate) async fn run_called(
        &self,
        id: &str,
    ) -> Result<Option<crate::store::Run>, StoreError> {
        let id = id.to_owned();
        let found: Vec<crate::store::Run> = self
            .call_read(move |db| {
                rows::bodies(db, "run", "SELECT id, body FROM run WHERE id = ?1", [id])
            })
            .await?;
        Ok(found.into_iter().next())
    }
}
