//! Pairing comes first: which findings belong to which link.
//!
//! Findings with one alias key share a link. A new id takes over once the old one is archived or gone; of several
//! active ones the worst rules.

use std::collections::{BTreeMap, BTreeSet};

use super::content::{content_hash, table_hash};
use crate::model::{
    Finding, FindingKey, FindingState, Link, LinkOwner, Marker, Routed, Shown, WorkflowStatus,
};
use crate::mutant;
use crate::plan::{Subject, WorkflowStep};
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
    /// The key of the ticket that its findings' fields must name: its own, or the one that it shares.
    pub(super) key: Option<String>,
    /// What the members of a group are, where the link is one.
    pub(super) shared: Option<Shared>,
}

/// What a ticket of several findings adds to a case.
pub(super) struct Shared {
    /// The links of all members, as they will be: the ticket's table.
    pub(super) rows: Vec<Link>,
    /// Workflow statuses with our own writes in flight laid over them.
    pub(super) read: BTreeMap<FindingKey, WorkflowStatus>,
    /// The tickets that fields named before our last write ([`Link::corrected`]).
    pub(super) corrected: BTreeMap<FindingKey, BTreeSet<String>>,
}

impl Shared {
    /// The members that the team has work with.
    fn failing(&self) -> usize {
        let members = self.rows.iter().filter_map(|link| link.member.as_ref());
        members.filter(|member| member.standing.fails()).count()
    }

    fn accounts(&self) -> BTreeSet<&str> {
        let accounts = self.rows.iter().map(|link| link.alias.account.as_str());
        accounts.collect()
    }
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
    let known = snapshot.link(marker);
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
        key: key(&link, snapshot),
        link,
        known,
        members,
        shared: None,
    })
}

/// The key of a link's ticket as it was read: one that was moved to another project has another key now.
pub(super) fn key(link: &Link, snapshot: &Snapshot) -> Option<String> {
    let at = link.ticket.as_ref()?;
    let read = snapshot.tickets.get(&at.id);
    Some(read.map_or(&at.key, |ticket| &ticket.at.key).clone())
}

pub(super) fn shortened(title: &str) -> String {
    if title.len() <= LONGEST_TITLE {
        return title.to_owned();
    }
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
                    && settled.is_none_or(|write| !write.showed(member.workflow))
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
        match &self.shared {
            None => content_hash(lead, self.account_name, team),
            Some(shared) => table_hash(lead, &shared.rows, team),
        }
    }

    /// What its ticket would show, for telling changes.
    pub(super) fn shown(&self, lead: &Finding) -> Shown {
        Shown {
            severity: lead.severity,
            title: shortened(&lead.title),
            resources: match &self.shared {
                None => lead.resources.len(),
                Some(shared) => shared.failing(),
            },
            account_name: self.account_name.unwrap_or_default().to_owned(),
            team: self
                .shown_owner()
                .map_or_else(String::new, |owner| owner.team.clone()),
        }
    }

    /// The accounts of a group besides that of the finding that rules.
    fn other_accounts(&self) -> Vec<String> {
        let ruling = self.lead().map(|lead| lead.alias.account.as_str());
        let accounts = self.shared.as_ref().map(Shared::accounts);
        let others = accounts.unwrap_or_default().into_iter();
        others
            .filter(|account| Some(*account) != ruling)
            .map(str::to_owned)
            .collect()
    }

    /// The workflow status of a finding, as far as it is known.
    pub(super) fn status_of(&self, finding: &Finding) -> WorkflowStatus {
        let read = self.shared.as_ref();
        let read = read.and_then(|shared| shared.read.get(&finding.key).copied());
        read.unwrap_or(finding.workflow)
    }

    /// The fields of a finding name another ticket than `key`, and no write of ours is on its way that puts it right.
    pub(super) fn misnames(&self, finding: &Finding, key: Option<&String>) -> bool {
        let noted = finding.noted_ticket.as_ref();
        let Some(noted) = noted.filter(|noted| Some(*noted) != key) else {
            return false;
        };
        let corrected = match &self.shared {
            None => Some(&self.link.corrected),
            Some(shared) => shared.corrected.get(&finding.key),
        };
        !corrected.is_some_and(|keys| keys.contains(noted))
    }

    /// The tickets that the fields of these findings name.
    pub(super) fn noted_in(&self, step: &WorkflowStep) -> BTreeSet<String> {
        let written = self.members.iter();
        let written = written.filter(|finding| step.findings.contains(&finding.key));
        written
            .filter_map(|finding| finding.noted_ticket.clone())
            .collect()
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
            account: lead.filter(|_| self.shared.is_some()).map_or_else(
                || link.alias.account.clone(),
                |finding| finding.alias.account.clone(),
            ),
            other_accounts: self.other_accounts(),
            account_name: self.account_name.map(str::to_owned),
            region: link.alias.region.clone(),
            severity: lead.map_or(link.severity, |finding| finding.severity),
            rule: lead.map_or_else(
                || link.alias.rule.clone(),
                |finding| finding.rule.id.clone(),
            ),
            title: lead.map_or_else(String::new, |finding| finding.title.clone()),
            resource: match &self.shared {
                None => link.alias.resource.clone(),
                Some(shared) => match shared.failing() {
                    1 => "1 resource".to_owned(),
                    n => format!("{n} resources"),
                },
            },
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
