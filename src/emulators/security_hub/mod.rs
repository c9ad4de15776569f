//! Security Hub (CSPM): findings, their workflow status, and what AWS itself does to them.
//!
//! Operations and limits: Security Hub API reference; life cycle: Security Hub user guide, "Workflow status",
//! "Generating and updating control findings". REST-JSON protocol. The view is that of an organisation with one
//! administrator account, whose home Region gathers the findings of linked Regions.

mod ageing;
mod call;
mod filters;
mod findings;
mod history;
mod import;
mod lifecycle;
mod limits;
mod moment;
mod mould;
mod operations;
mod search;
mod settings;
mod update;
mod view;

pub mod claims;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::aws::events::{Event, What};
use super::quota::Bucket;
pub(crate) use call::Call;
pub use findings::Key;
use findings::{Findings, Record};
pub use mould::{Mould, mark};
pub(crate) use operations::operation;
pub use settings::{Aggregator, Linking};

/// The state of Security Hub in an organisation.
pub struct SecurityHub {
    home_account: String,
    home_region: String,
    findings: Findings,
    members: BTreeSet<String>,
    /// Accounts whose hub is on: those that are, or once were, members.
    subscribed: BTreeSet<String>,
    regions: BTreeSet<String>,
    disabled: BTreeSet<(String, String)>,
    products: BTreeSet<String>,
    sweeps: search::Sweeps,
    buckets: HashMap<(&'static str, String, String), Bucket>,
    outbox: Vec<Event>,
    /// Updates that some reads may not show yet, oldest first.
    unsettled: VecDeque<(Timestamp, Key)>,
    checks: u64,
    ages_next: Option<Timestamp>,
    subscribed_at: Timestamp,
    /// Which Regions the home Region gathers.
    pub aggregator: Aggregator,
    /// How long reads show the old status after BatchUpdateFindings ("can take several minutes"). Default 0.
    pub visibility_delay: SignedDuration,
    /// 3/6 for GetFindings, 10/30 for the rest, per account and Region (service documentation). Default off.
    pub quotas_enabled: bool,
    /// Whether PASSED also resolves a SUPPRESSED finding: the guide does not say. Default no.
    pub passed_resolves_suppressed: bool,
    /// Whether GetFindings takes CONTAINS and NOT_CONTAINS: its model has them and says how they combine, its page adds
    /// that only automation rules use them. Default yes.
    pub accepts_contains: bool,
    /// Whether checks are repeated, and findings archived and expired, as time passes. Default no: a test says when.
    pub ages_by_itself: bool,
    /// Whether changes are announced as events. Default yes.
    pub announces: bool,
}

impl SecurityHub {
    /// An empty hub administered by an account in its home Region, with all Regions linked.
    pub fn new(home_account: &str, home_region: &str) -> Self {
        SecurityHub {
            home_account: home_account.to_owned(),
            home_region: home_region.to_owned(),
            findings: Findings::default(),
            members: BTreeSet::new(),
            subscribed: BTreeSet::new(),
            regions: BTreeSet::from([home_region.to_owned()]),
            disabled: BTreeSet::new(),
            products: BTreeSet::new(),
            sweeps: search::Sweeps::default(),
            buckets: HashMap::new(),
            outbox: Vec::new(),
            unsettled: VecDeque::new(),
            checks: 0,
            ages_next: None,
            subscribed_at: Timestamp::UNIX_EPOCH,
            aggregator: Aggregator::default(),
            visibility_delay: SignedDuration::ZERO,
            quotas_enabled: false,
            passed_resolves_suppressed: false,
            accepts_contains: true,
            ages_by_itself: false,
            announces: true,
        }
    }

    /// Makes an account a member: the administrator sees its findings.
    pub fn add_member(&mut self, account: &str) {
        self.members.insert(account.to_owned());
        self.subscribed.insert(account.to_owned());
    }

    /// "The administrator loses sight immediately" (user guide).
    pub fn disassociate(&mut self, account: &str) {
        self.members.remove(account);
    }

    /// Enables the hub in a Region, for all members.
    pub fn add_region(&mut self, region: &str) {
        self.regions.insert(region.to_owned());
    }

    /// Turns the hub off in an account and Region: calls there answer InvalidAccessException.
    pub fn disable(&mut self, account: &str, region: &str) {
        self.disabled
            .insert((account.to_owned(), region.to_owned()));
    }

    /// Turns it on again.
    pub fn enable(&mut self, account: &str, region: &str) {
        self.disabled
            .remove(&(account.to_owned(), region.to_owned()));
        self.regions.insert(region.to_owned());
    }

    /// One finding's document as it really is, without the visibility delay.
    pub fn get(&self, product_arn: &str, id: &str) -> Option<Value> {
        let key = (product_arn.to_owned(), id.to_owned());
        self.findings.get(&key).map(|record| record.now.asff())
    }

    /// Every finding's document, by product and id.
    pub fn iter(&self) -> impl Iterator<Item = Value> {
        self.findings.iter().map(|record| record.now.asff())
    }

    /// How many findings there are.
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// No finding at all.
    pub fn is_empty(&self) -> bool {
        self.findings.len() == 0
    }

    /// A person chooses findings in the console and sends them to a custom action: one event each.
    pub fn custom_action(&mut self, name: &str, description: &str, keys: &[Key], now: Timestamp) {
        let (name, description): (Arc<str>, Arc<str>) = (Arc::from(name), Arc::from(description));
        for key in keys {
            let Some(record) = self.findings.get(key) else {
                continue;
            };
            let what = What::CustomAction {
                name: Arc::clone(&name),
                description: Arc::clone(&description),
                finding: Arc::clone(record.now.text()),
            };
            let action = format!(
                "arn:aws:securityhub:{}:{}:action/custom/{}",
                self.home_region,
                self.home_account,
                name.split_whitespace().collect::<String>()
            );
            let event = self.event(what, action, now);
            self.outbox.push(event);
        }
    }

    /// "Each event contains a single finding"; the administrator's home Region gets those of members and of linked
    /// Regions (user guide, "EventBridge event types").
    fn announce(&mut self, key: &Key, now: Timestamp) {
        if !self.announces {
            return;
        }
        let Some(record) = self.findings.get(key) else {
            return;
        };
        if self.is_seen_at_home(record) {
            let what = What::Imported(Arc::clone(record.now.text()));
            let event = self.event(what, format!("{}/{}", key.0, key.1), now);
            self.outbox.push(event);
        }
    }

    fn event(&mut self, what: What, resource: String, now: Timestamp) -> Event {
        let words = &mut self.findings.words;
        Event {
            account: words.shared(&self.home_account),
            region: words.shared(&self.home_region),
            at: now,
            resource,
            what,
        }
    }

    fn is_seen_at_home(&self, record: &Record) -> bool {
        let (account, region) = (record.now.account(), record.now.region());
        let member = account == self.home_account || self.members.contains(account);
        member && (region == self.home_region || region.is_empty() || self.aggregator.links(region))
    }

    /// What was announced since the last time.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.outbox)
    }
}
