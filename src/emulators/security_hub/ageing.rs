//! What time does to findings: checks are repeated, what is no longer checked is archived, what is old expires
//! (Security Hub user guide, "Schedule for running security checks", "Generating and updating control findings",
//! "Findings").

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::SecurityHub;
use super::findings::{Key, Record, Version};
use crate::emulators::journal::{Actor, Change, Journal};

/// Control findings are refreshed "at least once every 24 hours".
const CHECKED_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// "The finding hasn't been updated for 3-5 days": archived from the third day on, spread over two.
const UNCHECKED: SignedDuration = SignedDuration::from_hours(72);
const UNCHECKED_SPREAD_H: u64 = 48;
/// "deleted 90 days after the most recent update"; archived ones after 30.
const ACTIVE_LIFE: SignedDuration = SignedDuration::from_hours(24 * 90);
const ARCHIVED_LIFE: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How often ageing looks when it runs by itself.
const LOOKS_EVERY: SignedDuration = SignedDuration::from_hours(1);

impl SecurityHub {
    /// The periodic check found nothing new: `UpdatedAt` moves.
    pub fn touch(&mut self, product_arn: &str, id: &str, now: Timestamp) {
        let key = (product_arn.to_owned(), id.to_owned());
        let Some(mut asff) = self.get(product_arn, id) else {
            return;
        };
        for field in ["UpdatedAt", "LastObservedAt", "ProcessedAt"] {
            asff[field] = json!(now.to_string());
        }
        self.findings.change(&key, |record, words| {
            record.now = Version::new(&asff, words);
            record.processed = now;
            if let Some((_, shown)) = &mut record.before {
                let mut old = shown.asff();
                for field in ["UpdatedAt", "LastObservedAt", "ProcessedAt"] {
                    old[field] = asff[field].clone();
                }
                *shown = Version::new(&old, words);
            }
        });
        self.announce(&key, now);
    }

    /// Runs once an hour when [`SecurityHub::ages_by_itself`]; costs nothing in between. `gone` tells whether a
    /// resource no longer exists.
    pub(in crate::emulators) fn age_if_due(
        &mut self,
        gone: &dyn Fn(&str) -> bool,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        if !self.ages_by_itself || self.ages_next.is_some_and(|next| now < next) {
            return;
        }
        self.ages_next = now.saturating_add(LOOKS_EVERY).ok();
        self.check_again(gone, now);
        self.archive_unchecked(now, journal);
        self.expire(now, journal);
    }

    /// Every control finding whose check is due and whose resources exist is checked again, with the same result.
    pub fn check_again(&mut self, gone: &dyn Fn(&str) -> bool, now: Timestamp) {
        let due = |record: &&Record| {
            let version = &record.now;
            version.is_control()
                && !version.is_archived()
                && older(record.now.updated, now, CHECKED_EVERY)
        };
        let keys: Vec<Arc<Key>> = self
            .findings
            .iter()
            .filter(due)
            .filter(|record| {
                let asff = record.now.asff();
                let resources = asff["Resources"].as_array().into_iter().flatten();
                !resources
                    .into_iter()
                    .any(|resource| resource["Id"].as_str().is_some_and(gone))
            })
            .map(|record| Arc::clone(&record.key))
            .collect();
        for key in keys {
            self.touch(&key.0, &key.1, now);
        }
    }

    /// Control findings that were not updated for three to five days are archived.
    pub fn archive_unchecked(&mut self, now: Timestamp, journal: &mut Journal) {
        let keys: Vec<Arc<Key>> = self
            .findings
            .iter()
            .filter(|record| {
                let version = &record.now;
                let patience = UNCHECKED + SignedDuration::from_hours(spread_h(&record.key));
                version.is_control()
                    && !version.is_archived()
                    && older(version.updated, now, patience)
            })
            .map(|record| Arc::clone(&record.key))
            .collect();
        for key in keys {
            self.set_record_state(&key, "ARCHIVED", None, now, journal);
        }
    }

    /// Old records go: of controls by `UpdatedAt`, of other products by the later of `ProcessedAt` and `UpdatedAt`.
    pub fn expire(&mut self, now: Timestamp, journal: &mut Journal) {
        let expired: BTreeSet<Arc<Key>> = self
            .findings
            .iter()
            .filter(|record| {
                let version = &record.now;
                let last = if version.is_control() {
                    version.updated
                } else {
                    version.updated.max(Some(record.processed))
                };
                let life = if version.is_archived() {
                    ARCHIVED_LIFE
                } else {
                    ACTIVE_LIFE
                };
                older(last, now, life)
            })
            .map(|record| Arc::clone(&record.key))
            .collect();
        for key in expired {
            self.remove(&key.0, &key.1, now, journal);
        }
    }

    /// The finding expires or is withdrawn: reads no longer return it, updates answer FindingNotFound.
    pub fn remove(&mut self, product_arn: &str, id: &str, now: Timestamp, journal: &mut Journal) {
        let key = (product_arn.to_owned(), id.to_owned());
        if self.findings.remove(&key).is_some() {
            let (product_arn, id) = key;
            journal.push(now, Actor::Aws, Change::FindingRemoved { product_arn, id });
        }
    }
}

fn older(last: Option<Timestamp>, now: Timestamp, than: SignedDuration) -> bool {
    last.is_some_and(|last| now.duration_since(last) > than)
}

/// Spread by the id, the same for the same finding.
fn spread_h(key: &Key) -> i64 {
    let sum: u64 = key.1.bytes().map(u64::from).sum();
    i64::try_from(sum % UNCHECKED_SPREAD_H).unwrap_or(0)
}
