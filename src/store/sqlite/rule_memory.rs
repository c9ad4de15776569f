//! The memory of ignore rules, in SQLite.

use jiff::Timestamp;

use super::{Sqlite, rows};
use crate::store::StoreError;
use crate::store::rules::{RememberedRules, RuleMemory};

impl RuleMemory for Sqlite {
    async fn remembered_rules(&self) -> Result<Option<RememberedRules>, StoreError> {
        let sql = "SELECT cast(id AS TEXT), body FROM rule_set";
        let found = self
            .call_checked(move |db| rows::bodies(db, "rule_set", sql, []))
            .await?;
        Ok(found.into_iter().next())
    }

    async fn remember_rules(&self, rules: &RememberedRules) -> Result<(), StoreError> {
        let rules = rules.clone();
        self.call_checked(move |db| {
            let body = rows::encode(&rules)?;
            db.execute("INSERT OR REPLACE INTO rule_set VALUES (1, ?1)", [&body])?;
            Ok(())
        })
        .await
    }

    async fn forget_rules(&self) -> Result<(), StoreError> {
        self.call(|db| db.execute("DELETE FROM rule_set", []).map(drop))
            .await
    }

    async fn told(&self, keys: &[String]) -> Result<Vec<String>, StoreError> {
        let keys = keys.to_vec();
        self.call(move |db| {
            let mut known = db.prepare("SELECT EXISTS (SELECT 1 FROM told WHERE key = ?1)")?;
            let mut told = Vec::new();
            for key in keys {
                if known.query_row([&key], |row| row.get(0))? {
                    told.push(key);
                }
            }
            Ok(told)
        })
        .await
    }

    async fn set_told(&self, keys: &[String], at: Timestamp) -> Result<(), StoreError> {
        let keys = keys.to_vec();
        self.call(move |db| {
            let step = db.transaction()?;
            for key in &keys {
                step.execute(
                    "INSERT OR IGNORE INTO told VALUES (?1, ?2)",
                    (key, at.to_string()),
                )?;
            }
            step.commit()
        })
        .await
    }
}
