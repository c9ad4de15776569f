//! What one run saw, and how completely. Plain data: deciding needs nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{
    Account, Finding, FindingKey, Ignoring, Intent, Link, Marker, Move, Routing, Ticket,
};
use crate::ports::{AccountFact, People, ResourceFact, ResourceQuery, Transfers, WorkflowWrite};

/// Which part of Security Hub was read, and whether to the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Every finding was asked for and every page came: the precondition of any conclusion from absence.
    pub full: bool,
    /// How many findings each account and Region showed. One that shows none at all is not covered: a lost Region, a
    /// disabled hub and a truncated listing look the same.
    pub seen: BTreeMap<(Account, String), usize>,
    /// What was not read, in words.
    pub gaps: Vec<String>,
}

impl Coverage {
    /// Absence from this account and Region may be concluded from this read.
    pub fn covers(&self, account: &str, region: &str) -> bool {
        self.full
            && self
                .seen
                .contains_key(&(account.to_owned(), region.to_owned()))
    }
}

/// Why a ticket of a link is not among the tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// 404 by id, and its project can be read: deleted, unless the next read finds it.
    NotFound,
    /// 404 by id, and its project cannot be read either: nothing is known.
    Unreadable,
}

/// When resources were deleted, as Config's events tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletions(BTreeMap<(Account, String), Vec<(String, Timestamp)>>);

impl Deletions {
    /// Adds a proof.
    pub fn add(&mut self, account: &str, region: &str, id: &str, at: Timestamp) {
        let resource = (account.to_owned(), id.to_owned());
        let known = self.0.entry(resource).or_default();
        known.push((region.to_owned(), at));
    }

    /// When this resource was last deleted. IAM's items are recorded for the Region `global` (AWS Config developer
    /// guide, "supported resource types").
    pub fn of(&self, resource: &ResourceQuery) -> Option<Timestamp> {
        let proofs = self
            .0
            .get(&(resource.account.clone(), resource.id.clone()))?;
        let here = proofs
            .iter()
            .filter(|(region, _)| *region == resource.region || region == "global");
        here.map(|(_, at)| *at).max()
    }
}

/// What both sides said at one time.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// When reading began: the pinned upper bound of the sweep.
    pub taken_at: Timestamp,
    /// Findings by identity; samples are left out. Boxed: a map's nodes are half empty.
    pub findings: BTreeMap<FindingKey, Box<Finding>>,
    /// How completely.
    pub coverage: Coverage,
    /// The links in scope. Boxed as findings are.
    pub links: BTreeMap<Marker, Box<Link>>,
    /// Creates whose outcome is unknown still.
    pub intents: BTreeMap<Marker, Intent>,
    /// Links whose last write failed for good: they wait for a person.
    pub quarantined: BTreeMap<Marker, String>,
    /// Links with unfinished work: every run looks at them, whether or not they changed.
    pub unfinished: BTreeSet<Marker>,
    /// Tickets by numeric id.
    pub tickets: BTreeMap<u64, Ticket>,
    /// Tickets of links that were asked for and are not there.
    pub missing: BTreeMap<u64, Missing>,
    /// Changes of status, oldest first, where they were needed.
    pub moves: BTreeMap<u64, Vec<Move>>,
    /// Findings that were read and not understood, by id, with the problem.
    pub unread: BTreeMap<String, String>,
    /// Resources whose deletion an event has proven.
    pub deletions: Deletions,
    /// Who last wrote the workflow status, where it was needed and could be read.
    pub writes: BTreeMap<FindingKey, Option<WorkflowWrite>>,
    /// What Config says of each link's resources, where it was asked.
    pub resources: BTreeMap<Marker, Vec<ResourceFact>>,
    /// Whether the bot may move tickets from one project to another, and what it lacks, where it was needed and could be
    /// read.
    pub transfers: Transfers,
    /// The bot and the reviewers.
    pub people: People,
    /// The organisation's accounts, where they were needed and could be read.
    pub accounts: Option<BTreeMap<Account, AccountFact>>,
    /// Who answers for a finding.
    pub owners: Arc<Routing>,
    /// What the merged ignore rules cover, or that they could not be read.
    pub ignored: Ignoring,
    /// Links that this read adopted or corrected: they are stored before anything is applied.
    pub corrected: BTreeSet<Marker>,
    /// Tickets with our label that no link knows and no finding claims; left alone and reported.
    pub strays: BTreeSet<String>,
}

impl Snapshot {
    /// Takes a link into scope.
    pub fn keep(&mut self, link: Link) {
        self.links.insert(link.marker.clone(), Box::new(link));
    }

    /// A link in scope.
    pub fn link(&self, marker: &Marker) -> Option<&Link> {
        self.links.get(marker).map(Box::as_ref)
    }

    /// A finding that was read.
    pub fn finding(&self, key: &FindingKey) -> Option<&Finding> {
        self.findings.get(key).map(Box::as_ref)
    }

    /// The findings of each link, samples left out.
    pub fn by_marker(&self) -> BTreeMap<Marker, Vec<&Finding>> {
        let real = self.findings.values().filter(|finding| !finding.sample);
        let mut all: Vec<([u8; 16], &Finding)> = real
            .map(|finding| (Marker::digest(&finding.alias), finding.as_ref()))
            .collect();
        // Stable: findings of one link stay in the order of their keys.
        all.sort_by_key(|(digest, _)| *digest);
        all.chunk_by(|(one, _), (next, _)| one == next)
            .map(|own| {
                let findings = own.iter().map(|(_, finding)| *finding).collect();
                (Marker::with(own[0].0), findings)
            })
            .collect()
    }
}
