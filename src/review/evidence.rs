//! From links and what was read of both sides to the rows of the list: which tickets wait, since when, who claims what, and
//! what the evidence says to it.

use jiff::Timestamp;

use super::{Claim, ConfigSays, How, HubSays, MEMBERS_MOST, MemberSays, Verdict, Waiting, Why};
use crate::decide::Policy;
use crate::decide::policy::CloseWhileFailing;
use crate::model::{
    BaseTicket, DISPUTED_LABEL, DecisionKind, Dispute, Finding, FindingState, Link, Move, Standing,
    TicketState,
};
use crate::ports::ResourceFact;
use crate::read::snapshot::Snapshot;

/// What the rows are made from.
pub struct Evidence<'a> {
    /// The links, and what was read of both sides.
    pub snapshot: &'a Snapshot,
    /// Both sides were read for this; otherwise the links' own memory speaks.
    pub is_fresh: bool,
    /// The engine's policy.
    pub policy: &'a Policy,
    /// The team that owns a link.
    pub team_of: &'a dyn Fn(&Link) -> String,
}

impl Evidence<'_> {
    /// Everything that waits, the longest first.
    pub fn waiting(&self) -> Vec<Waiting> {
        let links = self.snapshot.links.values();
        let mut rows: Vec<Waiting> = links.filter_map(|link| self.row(link)).collect();
        rows.sort_by(|a, b| (a.since, &a.ticket).cmp(&(b.since, &b.ticket)));
        rows
    }

    fn row(&self, link: &Link) -> Option<Waiting> {
        let at = link.ticket.as_ref()?;
        let finding = self.finding(link);
        let security_hub = self.hub_says(link, finding);
        let why = self.why(link, &security_hub)?;
        let claim = self.claim(link);
        let config = self.config_says(link);
        let closed_at = self.last_move(link).map(|last| last.at);
        let since = match (why, self.dispute(link)) {
            (Why::Dispute { .. }, Some(dispute)) => dispute.at,
            (Why::ClosedWhileFailing, _) => closed_at.unwrap_or(self.snapshot.taken_at),
            _ => claim
                .as_ref()
                .map_or(self.snapshot.taken_at, |claim| claim.at),
        };
        let mut members = self.members(link, claim.as_ref());
        let worst = members.iter().find_map(|member| member.verdict);
        let members_more = members.len().saturating_sub(MEMBERS_MOST);
        members.truncate(MEMBERS_MOST);
        Some(Waiting {
            ticket: at.key.clone(),
            marker: link.marker.clone(),
            why,
            since,
            verdict: worst.unwrap_or_else(|| verdict(&security_hub, &config, claim.as_ref())),
            members,
            members_more,
            claim,
            security_hub,
            config,
            flagged: link.flagged,
            severity: link.severity,
            team: (self.team_of)(link),
            account: link.alias.account.clone(),
            account_name: finding
                .filter(|finding| finding.alias.account == link.alias.account)
                .and_then(|finding| finding.account_name.clone()),
            region: link.alias.region.clone(),
            rule: finding.map_or_else(|| link.rule_said().to_owned(), |f| f.rule.id.clone()),
            title: finding.map_or_else(|| title_of(link), |f| Some(f.title.clone())),
            resource: link.alias.resource.clone(),
            findings: link.findings.to_vec(),
        })
    }

    /// What is said of each finding that shares the ticket: first those that the claim is about, the worst one first.
    fn members(&self, link: &Link, claim: Option<&Claim>) -> Vec<MemberSays> {
        let members = link.members.iter();
        let members = members.filter_map(|marker| self.snapshot.link(marker));
        let mut said: Vec<MemberSays> = members
            .filter_map(|link| {
                let standing = &link.member.as_ref()?.standing;
                let security_hub = self.hub_says(link, self.finding(link));
                let config = self.config_says(link);
                let claimed = !matches!(
                    standing,
                    Standing::Ignored { .. }
                        | Standing::Suppressed { .. }
                        | Standing::Accepted { .. }
                );
                Some(MemberSays {
                    resource: link.alias.resource.clone(),
                    account: link.alias.account.clone(),
                    region: link.alias.region.clone(),
                    state: standing.sentence(),
                    verdict: claimed.then(|| verdict(&security_hub, &config, claim)),
                    security_hub,
                    config,
                })
            })
            .collect();
        said.sort_by_key(|member| (member.verdict.is_none(), member.verdict));
        said
    }

    fn why(&self, link: &Link, hub: &HubSays) -> Option<Why> {
        if let Some(dispute) = self.dispute(link) {
            return Some(Why::Dispute { row: dispute.row });
        }
        let state = self.ticket_state(link)?;
        let taken_in = self.base_of(link) == Some(BaseTicket::Is(state));
        let holds = self.policy.close_while_failing == CloseWhileFailing::Hold;
        match state {
            TicketState::Resolved => Some(Why::Review),
            TicketState::Closed
                if holds && !taken_in && hub.finding == Some(FindingState::Failing) =>
            {
                Some(Why::ClosedWhileFailing)
            }
            TicketState::Open | TicketState::Closed | TicketState::Ignored => None,
        }
    }

    /// A dispute that nobody has settled: whoever does takes the label off, and no run needs to have seen that.
    fn dispute<'l>(&self, link: &'l Link) -> Option<&'l Dispute> {
        let dispute = link.dispute.as_ref()?;
        let ticket = link.ticket.as_ref().filter(|_| self.is_fresh);
        let ticket = ticket.and_then(|at| self.snapshot.tickets.get(&at.id));
        let settled = ticket.is_some_and(|ticket| {
            dispute.labelled && !ticket.labels.iter().any(|label| label == DISPUTED_LABEL)
        });
        (!settled).then_some(dispute)
    }

    fn base_of(&self, link: &Link) -> Option<BaseTicket> {
        link.base.as_ref().map(|base| base.ticket)
    }

    fn ticket_state(&self, link: &Link) -> Option<TicketState> {
        if self.is_fresh {
            let at = link.ticket.as_ref()?;
            return self.snapshot.tickets.get(&at.id)?.state;
        }
        match self.base_of(link)? {
            BaseTicket::Is(state) => Some(state),
            BaseTicket::None | BaseTicket::Deleted => None,
        }
    }

    /// The worst finding of the link, or of those that share its ticket: it rules.
    fn finding(&self, link: &Link) -> Option<&Finding> {
        let members = link.members.iter();
        let members = members.filter_map(|marker| self.snapshot.link(marker));
        let known = std::iter::once(link)
            .chain(members)
            .flat_map(|link| &link.findings)
            .filter_map(|key| self.snapshot.finding(key));
        known.min_by_key(|finding| finding.state())
    }

    fn hub_says(&self, link: &Link, finding: Option<&Finding>) -> HubSays {
        let base = link.base.as_ref();
        match finding {
            Some(finding) => HubSays {
                finding: Some(finding.state()),
                compliance: finding.compliance,
                workflow: Some(finding.workflow),
                evaluated_at: finding.updated_at,
            },
            None if self.is_fresh => HubSays {
                finding: base
                    .map(|base| base.finding)
                    .filter(|state| *state == FindingState::Gone),
                ..HubSays::default()
            },
            None => HubSays {
                finding: base.map(|base| base.finding),
                compliance: None,
                workflow: base.map(|base| base.workflow),
                evaluated_at: link.evaluated_at,
            },
        }
    }

    fn last_move(&self, link: &Link) -> Option<&Move> {
        let at = link.ticket.as_ref()?;
        self.snapshot.moves.get(&at.id)?.last()
    }

    /// The move that brought the ticket to resolved says who; where the engine made it, the decision behind it does.
    fn claim(&self, link: &Link) -> Option<Claim> {
        let remembered = link.decision.as_ref().filter(|decision| {
            let episode = link.base.as_ref().map(|base| base.episode);
            Some(decision.episode) == episode && decision.kind != DecisionKind::Reopened
        });
        let decided = remembered.map(|decision| Claim {
            how: match decision.kind {
                DecisionKind::ResolvedInSecurityHub | DecisionKind::Suppressed => How::SecurityHub,
                DecisionKind::Resolved | DecisionKind::Closed | DecisionKind::Reopened => How::Jira,
            },
            by: decision.by.clone(),
            at: decision.at,
        });
        let moves = link
            .ticket
            .as_ref()
            .and_then(|at| self.snapshot.moves.get(&at.id));
        let resolved = moves.and_then(|moves| {
            let into = |one: &&Move| one.to == Some(TicketState::Resolved);
            moves.iter().rfind(into)
        });
        match resolved {
            Some(person) if person.by != self.snapshot.people.bot => Some(Claim {
                how: How::Jira,
                by: person.by_name.clone(),
                at: person.at,
            }),
            Some(engine) => decided.or_else(|| Some(stopped(engine.at))),
            None => decided.or_else(|| {
                let base = link.base.as_ref()?;
                let at = link.turned_at.unwrap_or(base.episode_started_at);
                (base.ticket == BaseTicket::Is(TicketState::Resolved)).then(|| stopped(at))
            }),
        }
    }

    fn config_says(&self, link: &Link) -> ConfigSays {
        let Some(facts) = self.snapshot.resources.get(&link.marker) else {
            return match link.resource_deleted_at {
                Some(at) => ConfigSays::Deleted { at },
                None => ConfigSays::NotAsked,
            };
        };
        let mut deleted = None;
        let mut unknown = None;
        for fact in facts {
            match fact {
                ResourceFact::Exists => return ConfigSays::Exists,
                ResourceFact::Deleted { at } => deleted = deleted.max(Some(*at)),
                ResourceFact::Unknown { why } => unknown = unknown.or(Some(why.clone())),
            }
        }
        match (unknown, deleted) {
            (Some(why), _) => ConfigSays::Unknown { why },
            (None, Some(at)) => ConfigSays::Deleted { at },
            (None, None) => ConfigSays::NotAsked,
        }
    }
}

fn title_of(link: &Link) -> Option<String> {
    Some(link.title.clone()).filter(|title| !title.is_empty())
}

fn stopped(at: Timestamp) -> Claim {
    Claim {
        how: How::Stopped,
        by: "asaf".to_owned(),
        at,
    }
}

fn verdict(hub: &HubSays, config: &ConfigSays, claim: Option<&Claim>) -> Verdict {
    let evaluated = hub.evaluated_at;
    if let ConfigSays::Deleted { at } = config
        && evaluated.is_none_or(|evaluated| evaluated <= *at)
    {
        return Verdict::ResourceDeleted;
    }
    match hub.finding {
        Some(FindingState::Passing) => Verdict::Verified,
        Some(FindingState::Archived | FindingState::Gone) => Verdict::Stopped,
        Some(FindingState::Unclear) => Verdict::Unclear,
        Some(FindingState::Failing) => {
            let since = claim.zip(evaluated).is_some_and(|(c, at)| at > c.at);
            if since || claim.is_none() {
                Verdict::StillFailing
            } else {
                Verdict::NotCheckedSince
            }
        }
        None => Verdict::Unknown,
    }
}
