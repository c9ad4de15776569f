//! The same for tickets that several findings share: each finding's status says what is with it, and the ticket follows
//! those that fail.

use std::collections::BTreeMap;

use asaf::emulators::jira::Issue;
use asaf::emulators::world::World;
use asaf::model::Severity;
use asaf::model::finding::asff;
use serde_json::Value;

use super::agreement::{
    Pair, is_deleted, may_be_closed, moved_by_a_person, was_closed_by_a_reviewer,
};
use super::excuse::Excuses;

/// Account and rule, in lower case.
pub(super) type About = (String, String);

/// A shared ticket with the findings of its account and control.
pub(super) struct Shared<'a> {
    marker: String,
    issue: &'a Issue,
    /// The live ones: more than one is a violation.
    live: Vec<u64>,
    findings: Vec<Value>,
}

/// The shared tickets of a world.
#[derive(Default)]
pub(super) struct Tickets<'a>(BTreeMap<About, Shared<'a>>);

/// What a finding is about.
pub(super) fn about(asff: &Value) -> About {
    let finding = asff::parse(asff).unwrap().finding;
    (finding.alias.account, finding.rule.id.to_lowercase())
}

/// Our property says so.
pub(super) fn is_shared(issue: &Issue) -> bool {
    issue.property("asaf.link")["alias"]["region"] == "several Regions"
}

pub(super) fn fails(asff: &Value) -> bool {
    let compliance = asff["Compliance"]["Status"].as_str();
    asff["RecordState"] == "ACTIVE" && matches!(compliance, None | Some("FAILED" | "WARNING"))
}

/// For whoever reads of a violation.
fn shown(asff: &Value) -> String {
    format!(
        "{} {} {} {}",
        asff["Id"],
        asff["RecordState"],
        asff["Compliance"]["Status"],
        status(asff)
    )
}

fn status(asff: &Value) -> &str {
    asff["Workflow"]["Status"].as_str().unwrap_or_default()
}

impl<'a> Tickets<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        let mut found = Tickets::default();
        let mut issues: Vec<&Issue> = world.jira.issues().collect();
        issues.sort_by_key(|issue| issue.id);
        for issue in issues {
            if !is_shared(issue) {
                continue;
            }
            let link = issue.property("asaf.link");
            let part = |name: &str| link["alias"][name].as_str().unwrap_or_default().to_owned();
            let live = world.jira.status_name(issue.status) != "Closed";
            let one = found.0.entry((part("account"), part("rule")));
            let one = one.or_insert_with(|| Shared {
                marker: link["marker"].as_str().unwrap_or_default().to_owned(),
                issue,
                live: Vec::new(),
                findings: Vec::new(),
            });
            one.live.extend(live.then_some(issue.id));
            // The newest one speaks, unless an older one is live.
            if live || one.live.is_empty() {
                one.issue = issue;
            }
        }
        for asff in world.aws.hub.iter() {
            if let Some(shared) = found.0.get_mut(&about(&asff)) {
                shared.findings.push(asff);
            }
        }
        found
    }

    /// The ticket that the findings of a pair share, if they have none of their own.
    pub(super) fn of_pair(&self, pair: &Pair<'_>) -> Option<&Shared<'a>> {
        let shared = self.0.get(&about(pair.findings.first()?));
        shared.filter(|_| pair.tickets.is_empty())
    }

    /// What is wrong with a ticket as a whole, unless its link is held.
    pub(super) fn check(&self, world: &World, held: &[&str], excuses: &Excuses<'_>) -> Vec<String> {
        let free = self.0.values();
        let free = free.filter(|shared| !shared.is_held(held));
        free.flat_map(|shared| shared.whole(world, excuses))
            .collect()
    }
}

impl Shared<'_> {
    pub(super) fn is_held(&self, held: &[&str]) -> bool {
        held.contains(&self.marker.as_str())
    }

    /// Each finding by itself: what fails and is in an open ticket is NOTIFIED, unless a person or a rule has said
    /// otherwise of it.
    pub(super) fn member(&self, world: &World, pair: &Pair<'_>) -> Vec<String> {
        let ticket = world.jira.status_name(self.issue.status);
        let warrants = pair.severity >= Some(Severity::Medium);
        let wrong = |asff: &&Value| {
            let agrees = match (ticket.as_str(), status(asff)) {
                (_, "SUPPRESSED" | "RESOLVED") => true,
                ("Open" | "In Progress", "NOTIFIED") => true,
                (_, "NEW" | "NOTIFIED") => !warrants || is_deleted(world, asff),
                _ => false,
            };
            fails(asff) && !agrees
        };
        let wrong = pair.findings.iter().filter(wrong);
        wrong
            .map(|asff| {
                format!(
                    "L1: {} fails and is {}, and {} is {ticket}",
                    asff["Id"],
                    status(asff),
                    self.issue.key
                )
            })
            .collect()
    }

    /// A reviewer had closed it, what it was opened for again is deleted, and nothing else of it has work: the engine would
    /// close it itself.
    fn would_be_closed(&self, world: &World) -> bool {
        let gone = |asff: &&Value| fails(asff) && is_deleted(world, asff);
        let work = |asff: &&Value| fails(asff) && !gone(asff) && status(asff) != "RESOLVED";
        let mut findings = self.findings.iter();
        was_closed_by_a_reviewer(world, self.issue.id)
            && findings.any(|asff| gone(&asff))
            && !self.findings.iter().any(|asff| work(&asff))
    }

    fn whole(&self, world: &World, excuses: &Excuses<'_>) -> Vec<String> {
        let ticket = world.jira.status_name(self.issue.status);
        let key = &self.issue.key;
        let mut found = Vec::new();
        let mut older = self.live.iter().rev().skip(1);
        if older.any(|id| !excuses.may_be_second(*id)) {
            found.push(format!("S1: {} live tickets with {key}", self.live.len()));
        }
        let id = self.issue.id;
        let may = || {
            may_be_closed(world, id) || self.would_be_closed(world) || excuses.may_stay_closed(id)
        };
        if ticket == "Closed" && !may() {
            found.push(format!("S2: {key} is closed by somebody who may not"));
        }
        let open = matches!(ticket.as_str(), "Open" | "In Progress");
        let work = self
            .findings
            .iter()
            .any(|asff| status(asff) == "NOTIFIED" && asff["RecordState"] == "ACTIVE");
        let unclear = self
            .findings
            .iter()
            .any(|asff| asff["Compliance"]["Status"] == "NOT_AVAILABLE");
        if open && !work && !unclear && !moved_by_a_person(world, self.issue.id) {
            let all: Vec<String> = self.findings.iter().map(shown).collect();
            found.push(format!(
                "L1: {key} is open although nothing of it is NOTIFIED: {all:?}"
            ));
        }
        found
    }
}
