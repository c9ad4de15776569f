//! Pairing comes first: which findings belong to which link.
//!
//! Findings with one alias key share a link. A new id takes over once the old one is archived or gone; of several
//! active ones the worst rules.

use std::collections::BTreeMap;

use crate::model::{Finding, FindingState, Link, Marker, WorkflowStatus};
use crate::mutant;
use crate::plan::Subject;
use crate::read::snapshot::Snapshot;

/// How much of a title a link remembers.
const LONGEST_TITLE: usize = 160;

/// One link with the findings that it tracks now.
pub(super) struct Case<'a> {
    /// The link as it will be noted: the known one, or a new one.
    pub(super) link: Link,
    /// The link as the store has it.
    pub(super) known: Option<&'a Link>,
    /// Present findings: the active ones, or else all.
    pub(super) members: Vec<&'a Finding>,
}

/// All cases, in the order of their markers, one at a time: a case copies its link.
pub(super) fn pair(snapshot: &Snapshot) -> impl Iterator<Item = Case<'_>> {
    let mut groups: BTreeMap<Marker, Vec<&Finding>> = BTreeMap::new();
    for finding in snapshot.findings.values().filter(|finding| !finding.sample) {
        groups
            .entry(Marker::of(&finding.alias))
            .or_default()
            .push(finding);
    }
    for marker in snapshot.links.keys() {
        groups.entry(marker.clone()).or_default();
    }
    groups
        .into_iter()
        .filter_map(move |(marker, present)| case(&marker, present, snapshot))
}

fn case<'a>(
    marker: &Marker,
    present: Vec<&'a Finding>,
    snapshot: &'a Snapshot,
) -> Option<Case<'a>> {
    let known = snapshot.links.get(marker);
    let members = current(present);
    let mut link = match (known, members.first()) {
        (Some(link), _) => link.clone(),
        (None, Some(lead)) => Link::new(lead.alias.clone(), lead.severity),
        (None, None) => return None,
    };
    if let Some(lead) = members.first() {
        link.rule = lead.rule.id.clone();
        link.title = lead.title.chars().take(LONGEST_TITLE).collect();
        link.findings = members.iter().map(|finding| finding.key.clone()).collect();
        link.findings.sort();
        link.evaluated_at = members
            .iter()
            .filter_map(|finding| evaluated_at(finding))
            .max()
            .or(link.evaluated_at);
    }
    Some(Case {
        link,
        known,
        members,
    })
}

/// When the finding was last evaluated. Archiving is no evaluation, but moves `UpdatedAt` all the same.
fn evaluated_at(finding: &Finding) -> Option<jiff::Timestamp> {
    match finding.state() {
        FindingState::Archived => finding.last_observed_at.or(finding.updated_at),
        _ => finding.updated_at,
    }
}

/// The active findings if there are any, else all; worst first, so that the first one rules.
fn current(mut present: Vec<&Finding>) -> Vec<&Finding> {
    if present.iter().any(|finding| finding.state().is_active()) {
        present.retain(|finding| finding.state().is_active());
    }
    present.sort_by(|a, b| {
        (a.state(), b.severity, b.updated_at, &a.key).cmp(&(
            b.state(),
            a.severity,
            a.updated_at,
            &b.key,
        ))
    });
    if mutant::is("no-merge") {
        present.truncate(1);
    }
    present
}

impl Case<'_> {
    /// The finding that rules: the worst one, if any is present.
    pub(super) fn lead(&self) -> Option<&Finding> {
        self.members.first().copied()
    }

    /// F as this read shows it; `None` when no finding is present.
    pub(super) fn state(&self) -> Option<FindingState> {
        self.lead().map(Finding::state)
    }

    /// The member whose workflow status counts: the one that changed, or else the one that rules.
    pub(super) fn spokesman(&self) -> Option<&Finding> {
        let base: Option<WorkflowStatus> = self.link.base.as_ref().map(|base| base.workflow);
        // A write that was seen hides nobody's change any more.
        let settled = self.link.in_flight.as_ref().filter(|write| !write.seen);
        self.members
            .iter()
            .copied()
            .find(|member| {
                base.is_some_and(|base| member.workflow != base)
                    && settled.is_none_or(|write| member.workflow != write.was)
            })
            .or_else(|| self.lead())
    }

    /// What people read about it.
    pub(super) fn subject(&self) -> Subject {
        let link = &self.link;
        let lead = self.lead();
        Subject {
            finding: lead
                .map(|finding| finding.key.clone())
                .or_else(|| link.findings.first().cloned())
                .unwrap_or_else(|| crate::model::FindingKey {
                    product_arn: String::new(),
                    id: link.marker.0.clone(),
                }),
            account: link.alias.account.clone(),
            account_name: lead.and_then(|finding| finding.account_name.clone()),
            region: link.alias.region.clone(),
            severity: lead.map_or(link.severity, |finding| finding.severity),
            rule: lead.map_or_else(
                || link.alias.rule.clone(),
                |finding| finding.rule.id.clone(),
            ),
            title: lead.map_or_else(String::new, |finding| finding.title.clone()),
            resource: link.alias.resource.clone(),
            ticket: link.ticket.as_ref().map(|ticket| ticket.key.clone()),
        }
    }
}
