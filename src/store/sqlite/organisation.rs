//! The organisation as it was read last, in SQLite.

use super::{Sqlite, rows};
use crate::model::owner::Organisation;
use crate::store::StoreError;
use crate::store::organisation::OrganisationMemory;

impl OrganisationMemory for Sqlite {
    async fn organisation(&self) -> Result<Option<Organisation>, StoreError> {
        let sql = "SELECT cast(id AS TEXT), body FROM organisation";
        let found = self
            .call_checked(move |db| rows::bodies(db, "organisation", sql, []))
            .await?;
        Ok(found.into_iter().next())
    }

    async fn put_organisation(&self, organisation: &Organisation) -> Result<(), StoreError> {
        let organisation = organisation.clone();
        self.call_checked(move |db| {
            let body = rows::encode(&organisation)?;
            let sql = "INSERT OR REPLACE INTO organisation VALUES (1, ?1)";
            db.execute(sql, [&body])?;
            Ok(())
        })
        .await
    }
}
