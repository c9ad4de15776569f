//! Which ticket a finding belongs to: its own, or one that it shares. Moving to another is for complete reads only, and
//! leaves alone what people have dealt with.

use crate::model::{
    AliasKey, Finding, FindingState, Grouping, Link, LinkOwner, Marker, Product, Routed, Routing,
    TicketState, WorkflowStatus,
};
use crate::read::snapshot::Snapshot;

use super::case::Case;
use super::policy::Policy;

/// Where a case is decided.
pub(super) enum Place {
    /// By itself; once the group that it leaves has closed its ticket.
    Alone {
        /// The group that it leaves.
        leaves: Option<Marker>,
    },
    /// With a group.
    In {
        /// What the group is about.
        group: AliasKey,
        /// The group that it leaves.
        leaves: Option<Marker>,
    },
}

/// What the findings that share a ticket with this one are about; `None` if it has one of its own, or while it is not
/// known whose it is.
pub fn home(finding: &Finding, owners: &Routing, grouping: Grouping) -> Option<AliasKey> {
    // An incident, a public bucket's data, an external access: each is a case of its own.
    let checks = matches!(
        finding.product,
        Product::SecurityHub | Product::Config | Product::Inspector
    );
    let rule = finding.rule.id.to_ascii_lowercase();
    match grouping {
        _ if !checks => None,
        Grouping::Finding => None,
        Grouping::AccountControl => Some(AliasKey::of_account(&finding.alias.account, &rule)),
        Grouping::ControlTeam => team(finding, owners).map(|team| AliasKey::of_team(&team, &rule)),
    }
}

fn team(finding: &Finding, owners: &Routing) -> Option<String> {
    match owners.of(finding) {
        Routed::Owner { owner, .. } => Some(owner.team.clone()),
        Routed::Unknown { .. } => None,
    }
}

/// Where this case is decided.
pub(super) fn place(case: &Case<'_>, snapshot: &Snapshot, policy: &Policy) -> Place {
    let wanted = case
        .lead()
        .and_then(|lead| home(lead, &snapshot.owners, policy.grouping));
    let is_absent = case.lead().is_none();
    let current = case.link.member.as_ref().map(|member| &member.of);
    let current = current.and_then(|marker| snapshot.link(marker));
    match (current, wanted) {
        (Some(group), Some(home)) if Marker::of(&home) == group.marker => Place::In {
            group: home,
            leaves: None,
        },
        // What is absent goes nowhere: its ticket says what became of it.
        (Some(group), _) if is_absent && policy.grouping.makes(&group.alias) => Place::In {
            group: group.alias.clone(),
            leaves: None,
        },
        // Nobody can make it another ticket while it is not known whose it is.
        (Some(group), _) if case.owner.is_err() || stays(case, group, snapshot) => Place::In {
            group: group.alias.clone(),
            leaves: None,
        },
        (Some(group), Some(home)) if is_free(&Marker::of(&home), snapshot) => Place::In {
            group: home,
            leaves: Some(group.marker.clone()),
        },
        (Some(group), Some(_)) => Place::In {
            group: group.alias.clone(),
            leaves: None,
        },
        (Some(group), None) => Place::Alone {
            leaves: Some(group.marker.clone()),
        },
        (None, Some(home)) if joins(case, &home, snapshot, policy) => match &case.link.ticket {
            Some(_) if stays(case, &case.link, snapshot) => Place::Alone { leaves: None },
            _ => Place::In {
                group: home,
                leaves: None,
            },
        },
        (None, _) => Place::Alone { leaves: None },
    }
}

/// Only what fails needs a shared ticket. What was severe enough for one of its own once joins one that is there.
fn joins(case: &Case<'_>, home: &AliasKey, snapshot: &Snapshot, policy: &Policy) -> bool {
    let group = snapshot.link(&Marker::of(home));
    let is_there = group.is_some_and(|group| group.ticket.is_some());
    case.lead().is_some_and(|lead| {
        let severe = lead.severity >= policy.threshold || (is_there && case.link.ticket.is_some());
        severe && lead.state() == FindingState::Failing
    })
}

/// Nothing is in doubt about this link.
fn is_free(marker: &Marker, snapshot: &Snapshot) -> bool {
    !snapshot.intents.contains_key(marker) && !snapshot.quarantined.contains_key(marker)
}

/// The finding stays with the ticket of this link: it was read in part only, or the ticket waits for a review, was
/// accepted, or is ignored, and nothing has happened since.
fn stays(case: &Case<'_>, link: &Link, snapshot: &Snapshot) -> bool {
    if !snapshot.coverage.full || !is_free(&link.marker, snapshot) {
        return true;
    }
    let Some(at) = &link.ticket else {
        return false;
    };
    let Some(state) = snapshot.tickets.get(&at.id).and_then(|ticket| ticket.state) else {
        return true;
    };
    let fails = case.state() == Some(FindingState::Failing);
    let unsettled = case.members.iter().any(|finding| {
        matches!(
            finding.workflow,
            WorkflowStatus::New | WorkflowStatus::Notified
        )
    });
    state != TicketState::Open && !(fails && unsettled)
}

/// The team that answers for a group: the one that has it, while it answers for any of the members, or else the worst
/// one's.
pub(super) fn owner(
    link: &Link,
    members: &[Result<LinkOwner, String>],
) -> Result<LinkOwner, String> {
    let kept = link.owner.as_ref();
    let kept = kept.filter(|owner| members.iter().flatten().any(|one| one == *owner));
    match (kept, members.first()) {
        (Some(owner), _) => Ok(owner.clone()),
        (None, Some(first)) => first.clone(),
        (None, None) => kept_or_unknown(link),
    }
}

fn kept_or_unknown(link: &Link) -> Result<LinkOwner, String> {
    let unknown = || "the group has no member".to_owned();
    link.owner.clone().ok_or_else(unknown)
}
