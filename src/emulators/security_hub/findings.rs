//! The findings themselves: each as the text of its ASFF document, with the few facts that most queries ask for, found
//! by key, by account and by the time of the provider's last update.
//!
//! A document is kept as text because a page of GetFindings is text, and because the text needs a fifth of the memory
//! of a parsed document.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::history::HistoryRecord;
use super::moment;
use super::mould::Texts;

/// Product ARN and id.
pub type Key = (String, String);

/// Paths whose values are known without reading the document.
pub(super) const FACTS: [&str; 7] = [
    "/AwsAccountId",
    "/Region",
    "/RecordState",
    "/Workflow/Status",
    "/Compliance/Status",
    "/Severity/Label",
    "/ProductArn",
];

/// Values that many findings share, each kept once.
#[derive(Default)]
pub(super) struct Words(HashSet<Arc<str>>);

impl Words {
    /// The one copy of a word.
    pub(super) fn shared(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.0.get(word) {
            return Arc::clone(known);
        }
        let word: Arc<str> = Arc::from(word);
        self.0.insert(Arc::clone(&word));
        word
    }
}

/// A finding's document at some time.
#[derive(Clone, Debug)]
pub(super) struct Version {
    text: Arc<str>,
    facts: [Option<Arc<str>>; 7],
    /// `UpdatedAt`
    pub(super) updated: Option<Timestamp>,
}

impl Version {
    /// Keeps a document.
    pub(super) fn new(asff: &Value, words: &mut Words) -> Self {
        let fact = |path: &&str| asff.pointer(path).and_then(Value::as_str);
        let facts = FACTS
            .each_ref()
            .map(|path| fact(path).map(|word| words.shared(word)));
        Version {
            text: Arc::from(asff.to_string()),
            facts,
            updated: asff["UpdatedAt"].as_str().and_then(moment::parse),
        }
    }

    /// A document with its marks filled in, updated at a time.
    pub(super) fn cast(
        form: &Version,
        texts: &Texts<'_>,
        updated: Timestamp,
        words: &mut Words,
    ) -> Self {
        let fill = |fact: &Option<Arc<str>>| {
            let fact = fact.as_ref()?;
            Some(words.shared(&texts.fill(fact)))
        };
        Version {
            text: Arc::from(texts.fill(&form.text)),
            facts: form.facts.each_ref().map(fill),
            updated: Some(updated),
        }
    }

    /// The document's text.
    pub(super) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The document. The text was written from a document, so it always reads back.
    pub(super) fn asff(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The value at one of [`FACTS`]; `None` for another path.
    pub(super) fn fact(&self, path: &str) -> Option<Option<&str>> {
        let at = FACTS.iter().position(|known| *known == path)?;
        Some(self.facts[at].as_deref())
    }

    fn known(&self, path: &str) -> &str {
        self.fact(path).flatten().unwrap_or_default()
    }

    /// `AwsAccountId`
    pub(super) fn account(&self) -> &str {
        self.known("/AwsAccountId")
    }

    /// `Region`
    pub(super) fn region(&self) -> &str {
        self.known("/Region")
    }

    /// `RecordState` is `ARCHIVED`.
    pub(super) fn is_archived(&self) -> bool {
        self.known("/RecordState") == "ARCHIVED"
    }

    /// A finding of a Security Hub control.
    pub(super) fn is_control(&self) -> bool {
        self.known("/ProductArn")
            .ends_with("product/aws/securityhub")
    }
}

/// One finding with what the API does not show.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) key: Arc<Key>,
    pub(super) now: Version,
    /// What it was before the last updates by customers, and when these were made.
    pub(super) before: Option<(Timestamp, Version)>,
    /// Changes, oldest first (GetFindingHistory).
    pub(super) history: Vec<HistoryRecord>,
    /// When Security Hub first received it.
    pub(super) created: Timestamp,
    /// When it last received it: `ProcessedAt`.
    pub(super) processed: Timestamp,
    /// The severity that it has while it fails; a PASSED control drops to INFORMATIONAL.
    pub(super) severity: Arc<str>,
    /// Top-level fields that BatchUpdateFindings set: the provider's values no longer reach them.
    pub(super) overridden: Vec<&'static str>,
}

impl Record {
    /// What a read shows when updates of the last `delay` are not visible yet.
    pub(super) fn shown(&self, now: Timestamp, delay: SignedDuration) -> &Version {
        match &self.before {
            Some((at, before)) if now.duration_since(*at) < delay => before,
            _ => &self.now,
        }
    }
}

/// All findings. A number, once given, is never given again: pages of a listing hold numbers.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) words: Words,
    numbers: HashMap<Arc<Key>, u32>,
    /// All numbers in the order of the keys, from when somebody asks until a finding comes or goes.
    order: OnceLock<Vec<u32>>,
    records: Vec<Option<Record>>,
    by_account: HashMap<Arc<str>, BTreeSet<u32>>,
    by_update: BTreeSet<(Timestamp, u32)>,
    products: BTreeMap<Arc<str>, usize>,
}

impl Findings {
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Record> {
        self.record(*self.numbers.get(key)?)
    }

    pub(super) fn record(&self, number: u32) -> Option<&Record> {
        self.records.get(number as usize)?.as_ref()
    }

    /// All records, by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        let numbers = self.order().iter();
        numbers.filter_map(|number| self.record(*number))
    }

    fn order(&self) -> &[u32] {
        let sorted = || self.in_order(self.numbers.values().copied().collect());
        self.order.get_or_init(sorted)
    }

    /// Keeps a new finding, or replaces the one with its key.
    pub(super) fn insert(&mut self, record: Record) {
        self.order = OnceLock::new();
        let number = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        if let Some(before) = self.numbers.insert(Arc::clone(&record.key), number) {
            self.take(before);
        }
        let product = self.words.shared(&record.key.0);
        *self.products.entry(product).or_default() += 1;
        self.enter(number, &record.now);
        self.records.push(Some(record));
    }

    /// Changes a finding; account and time of update may change with it.
    pub(super) fn change<T>(
        &mut self,
        key: &Key,
        change: impl FnOnce(&mut Record, &mut Words) -> T,
    ) -> Option<T> {
        let number = *self.numbers.get(key)?;
        let mut record = self.records.get_mut(number as usize)?.take()?;
        self.leave(number, &record.now);
        let made = change(&mut record, &mut self.words);
        self.enter(number, &record.now);
        self.records[number as usize] = Some(record);
        Some(made)
    }

    /// Forgets what a finding was before updates that everybody sees by now.
    pub(super) fn settle(&mut self, key: &Key, seen_since: Timestamp) {
        let number = self.numbers.get(key).map(|number| *number as usize);
        let record = number.and_then(|number| self.records.get_mut(number)?.as_mut());
        if let Some(record) = record
            && record
                .before
                .as_ref()
                .is_some_and(|(at, _)| *at <= seen_since)
        {
            record.before = None;
        }
    }

    /// Forgets a finding.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Record> {
        let number = self.numbers.remove(key)?;
        self.order = OnceLock::new();
        self.take(number)
    }

    fn take(&mut self, number: u32) -> Option<Record> {
        let record = self.records.get_mut(number as usize)?.take()?;
        self.leave(number, &record.now);
        if let Some(left) = self.products.get_mut(record.key.0.as_str()) {
            *left -= 1;
        }
        self.products.retain(|_, left| *left > 0);
        Some(record)
    }

    fn enter(&mut self, number: u32, version: &Version) {
        let account = self.words.shared(version.account());
        self.by_account.entry(account).or_default().insert(number);
        if let Some(updated) = version.updated {
            self.by_update.insert((updated, number));
        }
    }

    fn leave(&mut self, number: u32, version: &Version) {
        if let Some(own) = self.by_account.get_mut(version.account()) {
            own.remove(&number);
        }
        if let Some(updated) = version.updated {
            self.by_update.remove(&(updated, number));
        }
    }

    /// The numbers of findings with one of these ids, whatever their product.
    pub(super) fn with_ids(&self, ids: &[&str]) -> Vec<u32> {
        let found = ids.iter().flat_map(|id| {
            let keys = self.products.keys();
            keys.filter_map(|product| {
                let key = (product.to_string(), (*id).to_owned());
                self.numbers.get(&key).copied()
            })
        });
        found.collect()
    }

    /// The numbers of the findings of these accounts.
    pub(super) fn of_accounts(&self, accounts: &[&str]) -> Vec<u32> {
        let own = accounts
            .iter()
            .filter_map(|account| self.by_account.get(*account));
        own.flatten().copied().collect()
    }

    /// The numbers of findings that were updated at or after a time.
    pub(super) fn updated_since(&self, start: Timestamp) -> Vec<u32> {
        let later = self.by_update.range((start, 0)..);
        later.map(|(_, number)| *number).collect()
    }

    /// All numbers, in the order of the keys.
    pub(super) fn all(&self) -> Vec<u32> {
        self.order().to_vec()
    }

    /// Puts numbers in the order of their keys, each once.
    pub(super) fn in_order(&self, mut numbers: Vec<u32>) -> Vec<u32> {
        let key = |number: &u32| self.record(*number).map(|record| &record.key);
        numbers.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        numbers.dedup();
        numbers
    }
}

/// The key of a document.
pub(super) fn key_of(asff: &Value) -> Key {
    let text = |field: &str| asff[field].as_str().unwrap_or_default().to_owned();
    (text("ProductArn"), text("Id"))
}
