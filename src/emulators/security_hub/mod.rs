//! Security Hub (CSPM): findings, their workflow status, and what AWS itself does to them.
//!
//! Operations and limits: Security Hub API reference; life cycle: Security Hub user guide, "Workflow status",
//! "Updating control findings". REST-JSON protocol.

mod filters;
mod lifecycle;
mod operations;

pub(crate) use operations::{error, operation};
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::quota::Bucket;

/// Product ARN and id.
pub type Key = (String, String);

/// The state of Security Hub in the delegated administrator's home Region.
pub struct SecurityHub {
    home_account: String,
    findings: BTreeMap<Key, Record>,
    members: BTreeSet<String>,
    sweeps: HashMap<u64, Sweep>,
    buckets: HashMap<&'static str, Bucket>,
    /// How long reads show the old status after BatchUpdateFindings ("can take several minutes").
    pub visibility_delay: SignedDuration,
    /// 3/6 for GetFindings, 10/30 for the rest (service documentation).
    pub quotas_enabled: bool,
    /// Faults for the next calls.
    pub faults: VecDeque<HubFault>,
}

/// One finding with what the API does not show.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The ASFF document as it is now.
    pub(super) asff: Value,
    /// What reads show until the update becomes visible.
    pub(super) stale: Option<(Timestamp, Value)>,
    /// Writes of workflow status, oldest first (GetFindingHistory).
    pub(super) history: Vec<HistoryRecord>,
}

/// One record of GetFindingHistory.
#[derive(Clone, Debug)]
pub(super) struct HistoryRecord {
    pub(super) at: Timestamp,
    /// `BATCH_UPDATE_FINDINGS` or `BATCH_IMPORT_FINDINGS`.
    pub(super) source: &'static str,
    pub(super) identity: String,
    pub(super) from: String,
    pub(super) to: String,
}

/// The ids of a query's result, kept while it is paged through.
struct Sweep {
    keys: Vec<Key>,
}

/// Something that goes wrong in the next matching call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HubFault {
    /// 429 `TooManyRequestsException`.
    Throttle,
    /// 500 `InternalException`.
    Internal,
    /// Every nth identifier of the next BatchUpdateFindings is unprocessed with this code.
    Unprocessed {
        /// Error code, such as `ConcurrentUpdateError`.
        code: String,
        /// 1 means all.
        every_nth: usize,
    },
    /// A page of GetFindings ends the listing although more would follow.
    TruncatedListing,
    /// GetFindings finds nothing at all.
    EmptyListing,
    /// GetFindings leaves this Region out.
    MissingRegion(String),
}

/// Who calls, as far as the answers depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Account id.
    pub account: String,
    /// IAM principal ARN.
    pub identity: String,
    /// The engine's own credentials.
    pub engine: bool,
}

impl SecurityHub {
    /// An empty hub administered by `home_account`.
    pub fn new(home_account: &str) -> Self {
        SecurityHub {
            home_account: home_account.to_owned(),
            findings: BTreeMap::new(),
            members: BTreeSet::new(),
            sweeps: HashMap::new(),
            buckets: HashMap::new(),
            visibility_delay: SignedDuration::ZERO,
            quotas_enabled: false,
            faults: VecDeque::new(),
        }
    }

    /// Makes an account a member: the administrator sees its findings.
    pub fn add_member(&mut self, account: &str) {
        self.members.insert(account.to_owned());
    }

    /// "The administrator loses sight immediately" (user guide).
    pub fn disassociate(&mut self, account: &str) {
        self.members.remove(account);
    }

    /// One finding's document as it really is, without the visibility delay.
    pub fn get(&self, product_arn: &str, id: &str) -> Option<&Value> {
        self.findings
            .get(&(product_arn.to_owned(), id.to_owned()))
            .map(|record| &record.asff)
    }

    /// Every finding's document.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.findings.values().map(|record| &record.asff)
    }

    /// How many findings there are.
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// No finding at all.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    fn sees(&self, caller: &Caller, account: &str) -> bool {
        if caller.account == self.home_account {
            account == self.home_account || self.members.contains(account)
        } else {
            account == caller.account
        }
    }
}

impl Record {
    /// What a read shows at `now`.
    fn shown(&self, now: Timestamp) -> &Value {
        match &self.stale {
            Some((until, old)) if now < *until => old,
            _ => &self.asff,
        }
    }
}
