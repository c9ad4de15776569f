//! Pairing comes first: which findings belong to which link.
//!
//! Findings with one alias key share a link. A new id takes over once the old one is archived or gone; of several
//! active ones the worst rules.

use super::content::content_hash;
use crate::model::{Finding, FindingState, Link, LinkOwner, Marker, Routed, Shown, WorkflowStatus};
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
    /// Who answers for it now, or why that is not known.
    pub(super) owner: Result<LinkOwner, String>,
    /// The account's name: the finding's own, or Organizations'.
    pub(super) account_name: Option<&'a str>,
}

/// All cases, in the order of their markers, one at a time: a case copies its link.
pub(super) fn pair(snapshot: &Snapshot) -> impl Iterator<Item = Case<'_>> {
    let mut groups = snapshot.by_marker();
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
        link.title = shortened(&lead.title);
        link.findings = members.iter().map(|finding| finding.key.clone()).collect();
        link.findings.sort();
        link.evaluated_at = members
            .iter()
            .filter_map(|finding| evaluated_at(finding))
            .max()
            .or(link.evaluated_at);
    }
    Some(Case {
        owner: owner(&link, members.first().copied(), snapshot),
        account_name: members
            .first()
            .and_then(|lead| lead.account_name.as_deref())
            .or_else(|| snapshot.owners.account_name(&link.alias.account)),
        link,
        known,
        members,
    })
}

fn shortened(title: &str) -> String {
    let end = title.char_indices().nth(LONGEST_TITLE);
    end.map_or(title, |(end, _)| &title[..end]).to_owned()
}

/// By the finding that rules; without one it stays with whom it was.
fn owner(link: &Link, lead: Option<&Finding>, snapshot: &Snapshot) -> Result<LinkOwner, String> {
    let routed = match (lead, &link.owner) {
        (Some(lead), _) => snapshot.owners.of(lead),
        (None, Some(owner)) => return Ok(owner.clone()),
        (None, None) => snapshot.owners.of_account(&link.alias.account),
    };
    match routed {
        Routed::Owner { owner, .. } => Ok(LinkOwner {
            team: owner.team.clone(),
            project: owner.project.clone(),
        }),
        Routed::Unknown { why } => Err(why.to_owned()),
    }
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

    /// Whose it is, or was when that was last known.
    fn shown_owner(&self) -> Option<&LinkOwner> {
        self.owner.as_ref().ok().or(self.link.owner.as_ref())
    }

    /// What its ticket would show, as one hash.
    pub(super) fn content(&self, lead: &Finding) -> String {
        let team = self.shown_owner().map_or("", |owner| owner.team.as_str());
        content_hash(lead, self.account_name, team)
    }

    /// What its ticket would show, for telling changes.
    pub(super) fn shown(&self, lead: &Finding) -> Shown {
        Shown {
            severity: lead.severity,
            title: shortened(&lead.title),
            resources: lead.resources.len(),
            account_name: self.account_name.unwrap_or_default().to_owned(),
            team: self
                .shown_owner()
                .map_or_else(String::new, |owner| owner.team.clone()),
        }
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
            account_name: self.account_name.map(str::to_owned),
            region: link.alias.region.clone(),
            severity: lead.map_or(link.severity, |finding| finding.severity),
            rule: lead.map_or_else(
                || link.alias.rule.clone(),
                |finding| finding.rule.id.clone(),
            ),
            title: lead.map_or_else(String::new, |finding| finding.title.clone()),
            resource: link.alias.resource.clone(),
            ticket: link.ticket.as_ref().map(|ticket| ticket.key.clone()),
            team: self
                .shown_owner()
                .map_or_else(String::new, |owner| owner.team.clone()),
            project: self
                .shown_owner()
                .map_or_else(String::new, |owner| owner.project.clone()),
        }
    }
}
