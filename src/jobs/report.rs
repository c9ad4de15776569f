//! What a run did: the plan, what came of it, and what it cost against the least that it could.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::apply::Applied;
use crate::jobs::enforcement::Advisory;
use crate::model::{FindingKey, Marker, Pause};
use crate::notify::deliver::Delivered;
use crate::plan::Plan;
use crate::plan::limits::Braked;
use crate::read::rules::Loaded;
use crate::read::snapshot::Snapshot;

/// What a run did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// UUID v7.
    pub run: String,
    /// `full`, `incremental`, `named` or `rules`.
    pub kind: &'static str,
    /// The plan's name.
    pub digest: String,
    /// The plan.
    pub plan: Plan,
    /// The brake stopped removals.
    pub braked: Option<Braked>,
    /// What was applied; `None` for a plan.
    pub applied: Option<Applied>,
    /// Seconds of wall time.
    pub seconds: f64,
    /// Requests by API and operation.
    pub requests: Requests,
    /// What people were told; `None` for a plan, and where that is left to somebody else.
    pub told: Option<Delivered>,
    /// The fewest requests that reading and writing this needs.
    pub floor: Requests,
    /// Tickets with our label that belong to nothing.
    pub strays: Vec<String>,
    /// What is paused.
    pub paused: Vec<Pause>,
    /// Projects in which Jira does not keep product teams from closing, with the reason.
    pub advisory: Advisory,
    /// Which links the names of a narrow run led to.
    #[serde(skip)]
    pub looked_at: LookedAt,
    /// The ignore rules that it went by.
    #[serde(skip)]
    pub rules: Arc<Loaded>,
}

/// Which links names led to.
#[derive(Debug, Default)]
pub struct LookedAt {
    /// By finding.
    pub findings: BTreeMap<FindingKey, Marker>,
    /// By numeric ticket id.
    pub tickets: BTreeMap<u64, Marker>,
    /// Findings that were not understood, by id, with the problem.
    pub unread: BTreeMap<String, String>,
}

/// Requests by operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// AWS.
    pub aws: BTreeMap<String, u64>,
    /// Jira.
    pub jira: BTreeMap<String, u64>,
    /// Slack and Microsoft Teams.
    pub chat: BTreeMap<String, u64>,
    /// GitHub.
    pub github: BTreeMap<String, u64>,
}

impl Requests {
    /// What came after `before`.
    pub(crate) fn since(self, before: &Requests) -> Requests {
        let less = |now: BTreeMap<String, u64>, before: &BTreeMap<String, u64>| {
            now.into_iter()
                .map(|(name, count)| {
                    let earlier = before.get(&name).copied().unwrap_or(0);
                    (name, count - earlier)
                })
                .filter(|(_, count)| *count > 0)
                .collect()
        };
        Requests {
            aws: less(self.aws, &before.aws),
            jira: less(self.jira, &before.jira),
            chat: less(self.chat, &before.chat),
            github: less(self.github, &before.github),
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        let all = [&self.aws, &self.jira, &self.chat, &self.github];
        all.into_iter().flat_map(BTreeMap::values).sum()
    }
}

/// The links of a narrow snapshot, by the names that lead to them.
pub(crate) fn looked_at(snapshot: &Snapshot) -> LookedAt {
    let links = snapshot.links.values();
    let of_links = links.flat_map(|link| {
        // What a finding waits for is the ticket that it shares.
        let member = link.member.as_ref();
        let marker = member.map_or(&link.marker, |member| &member.of);
        link.findings
            .iter()
            .map(move |key| (key.clone(), marker.clone()))
    });
    let of_findings = snapshot
        .findings
        .values()
        .map(|finding| (finding.key.clone(), Marker::of(&finding.alias)));
    let tickets = snapshot.links.values().filter_map(|link| {
        let ticket = link.ticket.as_ref()?;
        Some((ticket.id, link.marker.clone()))
    });
    LookedAt {
        findings: of_findings.chain(of_links).collect(),
        tickets: tickets.collect(),
        unread: snapshot.unread.clone(),
    }
}

/// ⌈N/100⌉ reads, ⌈creates/50⌉, ⌈updates/100⌉, and ⌈tickets/100⌉ to read known tickets again.
pub(crate) fn floor(plan: &Plan, snapshot: &Snapshot) -> Requests {
    let sum = plan.summary();
    let updates: usize = plan
        .actions
        .iter()
        .filter_map(|action| action.workflow.as_ref())
        .map(|step| step.findings.len())
        .sum();
    let calls = |items: usize, per_call: usize| items.div_ceil(per_call) as u64;
    let only = |pairs: [(&str, u64); 2]| {
        pairs
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| (name.to_owned(), count))
            .collect()
    };
    Requests {
        github: BTreeMap::new(),
        aws: only([
            ("GetFindings", calls(snapshot.findings.len(), 100)),
            ("BatchUpdateFindings", calls(updates, 100)),
        ]),
        jira: only([
            ("POST /rest/api/3/issue/bulk", calls(sum.created, 50)),
            (
                "POST /rest/api/3/issue/bulkfetch",
                calls(snapshot.tickets.len(), 100),
            ),
        ]),
        chat: BTreeMap::new(),
    }
}
