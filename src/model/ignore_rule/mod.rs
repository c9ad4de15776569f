//! An ignore rule: a reviewed statement that findings of one kind, in some places, are intended until a date.
//!
//! Typed fields, no expression language: so it can be proved what a rule covers, and that it does not cover everything.
//! Reading a rule from text stands in [`crate::ignore`]; this module knows no files and no clock.

mod compare;
mod matching;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::finding::{Account, Product};

pub use matching::{BadGlob, Covered, Facts, Field, Globs, IgnoreRules, Unit};

/// One rule. Within a list any entry may match; across fields all must.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoreRule {
    /// Unique among all rules; people and notes name the rule by it.
    pub id: String,
    /// Controls, Config rules, CVEs or finding types in the short form that tickets show; in any case.
    pub controls: Vec<String>,
    /// Products that report.
    pub products: Vec<Product>,
    /// ASFF `Types`: an entry, or the beginning of one up to a `/`.
    pub types: Vec<String>,
    /// Account ids.
    pub accounts: Vec<Account>,
    /// Paths of organisational units, such as `/prod/payments`; an account below one counts.
    pub ou: Vec<String>,
    /// Regions.
    pub regions: Vec<String>,
    /// Globs over resource ids; every resource that a finding names must match one.
    pub resources: Vec<String>,
    /// Tags that every resource of the finding must carry.
    pub tags: BTreeMap<String, String>,
    /// Why it is intended.
    pub reason: String,
    /// The team that answers for it.
    pub owner: String,
    /// Who asked for it.
    pub requested_by: String,
    /// The last day on which it applies (UTC).
    pub expires: Date,
    /// A ticket with the background.
    pub ticket: Option<String>,
}

impl IgnoreRule {
    /// It applies on this day.
    pub fn is_live(&self, today: Date) -> bool {
        today <= self.expires
    }

    /// Whole days until it ends: 0 on its last day, negative once it has ended.
    pub fn days_left(&self, today: Date) -> i32 {
        today
            .until(self.expires)
            .map_or(i32::MAX, |span| span.get_days())
    }

    /// SHA-256 of everything that the rule says, in hexadecimal: the same content has the same one, wherever it
    /// stands.
    pub fn fingerprint(&self) -> String {
        let IgnoreRule {
            id,
            controls,
            products,
            types,
            accounts,
            ou,
            regions,
            resources,
            tags,
            reason,
            owner,
            requested_by,
            expires,
            ticket,
        } = self;
        let mut hash = Sha256::new();
        let mut list = |name: &str, items: &mut dyn Iterator<Item = String>| {
            hash.update(format!("{name}\n"));
            for item in items {
                hash.update((item.len() as u64).to_be_bytes());
                hash.update(item);
            }
        };
        list("id", &mut std::iter::once(id.clone()));
        list("controls", &mut controls.iter().cloned());
        list(
            "products",
            &mut products.iter().map(|p| p.name().to_owned()),
        );
        list("types", &mut types.iter().cloned());
        list("accounts", &mut accounts.iter().cloned());
        list("ou", &mut ou.iter().cloned());
        list("regions", &mut regions.iter().cloned());
        list("resources", &mut resources.iter().cloned());
        list(
            "tags",
            &mut tags.iter().map(|(key, value)| format!("{key}={value}")),
        );
        list("reason", &mut std::iter::once(reason.clone()));
        list("owner", &mut std::iter::once(owner.clone()));
        list("requested_by", &mut std::iter::once(requested_by.clone()));
        list("expires", &mut std::iter::once(expires.to_string()));
        list("ticket", &mut ticket.iter().cloned());
        hex::encode(hash.finalize())
    }
}

/// The day of an instant: rules begin and end by UTC, whoever looks.
pub fn day(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

/// Where a rule's present text came from: the commit that brought it, and the review behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleOrigin {
    /// The commit on the protected branch.
    pub commit: String,
    /// The pull request's number, where the commit came by one.
    pub pull_request: Option<u64>,
    /// Its address.
    pub url: Option<String>,
    /// Who opened it.
    pub author: Option<String>,
    /// Who approved it.
    pub approved_by: Vec<String>,
    /// Who merged it.
    pub merged_by: Option<String>,
}

impl RuleOrigin {
    /// `pull request #12`, or the commit where there is none: what notes and comments name.
    pub fn name(&self) -> String {
        match self.pull_request {
            Some(number) => format!("pull request #{number}"),
            None => format!(
                "commit {}",
                &self.commit[..self.commit.floor_char_boundary(10)]
            ),
        }
    }
}

/// The ignore rule that covers a finding, as notes, comments and reports name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleMatch {
    /// The rule's id.
    pub rule: String,
    /// Its reason, as merged.
    pub reason: String,
    /// The last day on which it applies.
    pub expires: Date,
    /// `pull request #12`, or a commit; `None` where that could not be found out.
    pub origin: Option<String>,
}

/// What is known of ignoring when a snapshot is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignoring {
    /// The merged rules were read; these links are covered.
    Known(BTreeMap<super::Marker, RuleMatch>),
    /// They could not be read or understood: nothing may be hidden or shown again because of them.
    Unknown {
        /// Why.
        why: String,
        /// What the last rules that could be read cover: not to be acted on, only to be left alone.
        last: BTreeMap<super::Marker, RuleMatch>,
    },
}

impl Default for Ignoring {
    fn default() -> Self {
        Ignoring::Known(BTreeMap::new())
    }
}
