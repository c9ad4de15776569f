//! Which of the tickets can be taken over, and why the others cannot. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::mapping::Clue;
use crate::decide::Policy;
use crate::decide::grouping::home;
use crate::model::{
    AliasKey, Finding, FindingState, Link, Marker, Routing, Ticket, TicketRef, TicketState,
};
use crate::read::adopt::marker_of;

/// Findings that are named where there are too many.
const NAMED_MOST: usize = 5;

/// What becomes of a ticket.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// It is taken over.
    Adopt {
        /// The finding's id.
        finding: String,
        /// The rule as people know it.
        rule: String,
        /// The resource.
        resource: String,
        /// The label that it gets.
        marker: Marker,
    },
    /// It is ours already.
    Ours,
    /// It is closed: nothing is left to do in it.
    Closed,
    /// The configuration does not say what its status means.
    StatusUnmapped {
        /// The status's name.
        status: String,
    },
    /// No mapping finds anything in it.
    SaysNothing,
    /// What it names is not in Security Hub.
    NotFound {
        /// What it names.
        named: Vec<String>,
    },
    /// It names several findings.
    Ambiguous {
        /// Their ids, the first ones.
        findings: Vec<String>,
    },
    /// Its finding has a ticket.
    Taken {
        /// Which.
        by: String,
    },
    /// Several of these tickets name one finding.
    Rivals {
        /// The others.
        with: Vec<String>,
        /// The finding's id.
        finding: String,
    },
}

/// A ticket with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// The ticket.
    pub ticket: TicketRef,
    /// What becomes of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The link that it becomes.
    #[serde(skip)]
    pub link: Option<Box<Link>>,
}

/// The findings, by what tickets name them with.
pub struct Known<'a> {
    findings: Vec<&'a Finding>,
    by_id: BTreeMap<&'a str, Vec<usize>>,
    by_resource: BTreeMap<&'a str, Vec<usize>>,
    links: BTreeMap<&'a Marker, &'a Link>,
    owners: &'a Routing,
    policy: &'a Policy,
}

/// The last part of an ARN, or all of what is none.
fn tail(id: &str) -> &str {
    id.rsplit(['/', ':'])
        .find(|part| !part.is_empty())
        .unwrap_or(id)
}

impl<'a> Known<'a> {
    /// From a complete read and the store.
    pub fn new(
        findings: impl Iterator<Item = &'a Finding>,
        links: &'a [Link],
        owners: &'a Routing,
        policy: &'a Policy,
    ) -> Self {
        let findings: Vec<&Finding> = findings.filter(|finding| !finding.sample).collect();
        let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut by_resource: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (n, finding) in findings.iter().enumerate() {
            let id = finding.key.id.as_str();
            for name in BTreeSet::from([id, tail(id)]) {
                by_id.entry(name).or_default().push(n);
            }
            let resources = finding
                .resources
                .iter()
                .map(|resource| resource.id.as_str());
            let names: BTreeSet<&str> = resources.flat_map(|id| [id, tail(id)]).collect();
            for name in names {
                by_resource.entry(name).or_default().push(n);
            }
        }
        Known {
            findings,
            by_id,
            by_resource,
            links: links.iter().map(|link| (&link.marker, link)).collect(),
            owners,
            policy,
        }
    }

    /// The findings that a clue fits.
    fn fitting(&self, clue: &Clue) -> Vec<&'a Finding> {
        let of = |index: &BTreeMap<&str, Vec<usize>>, name: &str| {
            index.get(name).cloned().unwrap_or_default()
        };
        let some: Vec<usize> = match (&clue.finding, &clue.resource) {
            (Some(id), _) => of(&self.by_id, id),
            (None, Some(id)) => of(&self.by_resource, id),
            (None, None) => (0..self.findings.len()).collect(),
        };
        let fits = |finding: &&&Finding| {
            let resources = || {
                finding
                    .resources
                    .iter()
                    .map(|resource| resource.id.as_str())
            };
            let resource = clue.resource.as_deref();
            resource.is_none_or(|id| resources().any(|one| one == id || tail(one) == id))
                && clue
                    .control
                    .as_ref()
                    .is_none_or(|id| id.eq_ignore_ascii_case(&finding.rule.id))
                && clue
                    .account
                    .as_ref()
                    .is_none_or(|id| *id == finding.alias.account)
                && clue
                    .region
                    .as_ref()
                    .is_none_or(|region| *region == finding.alias.region)
        };
        let candidates: Vec<&&Finding> = some.iter().map(|n| &self.findings[*n]).collect();
        candidates.into_iter().filter(fits).copied().collect()
    }

    /// What the ticket of a finding is about.
    fn alias(&self, finding: &Finding) -> AliasKey {
        let shared = home(finding, self.owners, self.policy.grouping);
        shared.unwrap_or_else(|| finding.alias.clone())
    }

    /// Those of one thing, or several.
    fn targets(&self, findings: &[&'a Finding]) -> BTreeMap<Marker, Vec<&'a Finding>> {
        let mut targets: BTreeMap<Marker, Vec<&Finding>> = BTreeMap::new();
        for finding in findings {
            let marker = Marker::of(&self.alias(finding));
            targets.entry(marker).or_default().push(finding);
        }
        targets
    }

    /// What becomes of one ticket, by the clues that the first mapping found which finds any.
    pub fn choose(&self, ticket: &Ticket, clues: &[Clue]) -> Choice {
        let mut link = None;
        let verdict = self.verdict(ticket, clues, &mut link);
        Choice {
            ticket: ticket.at.clone(),
            verdict,
            link,
        }
    }

    fn verdict(&self, ticket: &Ticket, clues: &[Clue], link: &mut Option<Box<Link>>) -> Verdict {
        let mut linked = self.links.values().filter_map(|link| link.ticket.as_ref());
        if marker_of(ticket).is_some() || linked.any(|at| at.id == ticket.at.id) {
            return Verdict::Ours;
        }
        match ticket.state {
            None => {
                return Verdict::StatusUnmapped {
                    status: ticket.status_name.clone(),
                };
            }
            Some(TicketState::Closed) => return Verdict::Closed,
            Some(TicketState::Open | TicketState::Resolved | TicketState::Ignored) => {}
        }
        if clues.is_empty() {
            return Verdict::SaysNothing;
        }
        let mut found: Vec<&Finding> = clues.iter().flat_map(|clue| self.fitting(clue)).collect();
        found.sort_by(|a, b| a.key.cmp(&b.key));
        found.dedup_by(|a, b| a.key == b.key);
        let mut targets = self.targets(&found);
        if targets.len() > 1 {
            // Checks of one resource pass and fail side by side: a ticket is about what fails.
            let failing = found.iter().copied();
            let failing: Vec<&Finding> = failing
                .filter(|finding| finding.state() == FindingState::Failing)
                .collect();
            let narrower = self.targets(&failing);
            if narrower.len() == 1 {
                targets = narrower;
            }
        }
        let mut all = targets.into_iter();
        match (all.next(), all.next()) {
            (None, _) => Verdict::NotFound {
                named: clues.iter().map(words).take(NAMED_MOST).collect(),
            },
            (Some(_), Some(_)) => Verdict::Ambiguous {
                findings: found
                    .iter()
                    .map(|finding| finding.key.id.clone())
                    .take(NAMED_MOST)
                    .collect(),
            },
            (Some((marker, findings)), None) => self.take(ticket, marker, &findings, link),
        }
    }

    fn take(
        &self,
        ticket: &Ticket,
        marker: Marker,
        findings: &[&Finding],
        link: &mut Option<Box<Link>>,
    ) -> Verdict {
        let known = self.links.get(&marker).copied();
        let shared = known.and_then(|link| link.member.as_ref());
        let shared = shared.and_then(|member| self.links.get(&member.of)?.ticket.as_ref());
        let own = known.and_then(|link| link.ticket.as_ref());
        if let Some(at) = own.or(shared) {
            return Verdict::Taken { by: at.key.clone() };
        }
        let Some(lead) = findings.first() else {
            return Verdict::SaysNothing;
        };
        let alias = self.alias(lead);
        let mut new = match known {
            Some(link) => Link {
                base: None,
                member: None,
                ..link.clone()
            },
            None => Link::new(alias, lead.severity),
        };
        if !new.alias.is_group() {
            findings
                .iter()
                .for_each(|finding| new.track(finding.key.clone()));
        }
        new.ticket = Some(ticket.at.clone());
        *link = Some(Box::new(new));
        Verdict::Adopt {
            finding: lead.key.id.clone(),
            rule: lead.rule.id.clone(),
            resource: lead.alias.resource.clone(),
            marker,
        }
    }
}

fn words(clue: &Clue) -> String {
    let Clue {
        finding,
        control,
        resource,
        account,
        region,
    } = clue;
    let parts = [finding, control, resource, account, region];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    parts.join(" ")
}

/// Of several tickets for one finding, none is taken: which one goes on is for a person to say.
pub fn without_rivals(choices: &mut [Choice]) {
    let mut keys: BTreeMap<Marker, Vec<String>> = BTreeMap::new();
    for choice in choices.iter() {
        if let Verdict::Adopt { marker, .. } = &choice.verdict {
            let of = keys.entry(marker.clone()).or_default();
            of.push(choice.ticket.key.clone());
        }
    }
    for choice in choices {
        let Verdict::Adopt {
            marker, finding, ..
        } = &choice.verdict
        else {
            continue;
        };
        let all = keys.get(marker).into_iter().flatten();
        let with: Vec<String> = all
            .filter(|key| **key != choice.ticket.key)
            .cloned()
            .collect();
        if !with.is_empty() {
            choice.verdict = Verdict::Rivals {
                with,
                finding: finding.clone(),
            };
            choice.link = None;
        }
    }
}

impl Verdict {
    /// For the reader, with what to do about it.
    pub fn sentence(&self) -> String {
        match self {
            Verdict::Adopt { rule, resource, .. } => format!("tracks {rule} of {resource}"),
            Verdict::Ours => "is asaf's already".to_owned(),
            Verdict::Closed => "is closed, and stays as it is".to_owned(),
            Verdict::StatusUnmapped { status } => format!(
                "has the status “{status}”: name it in [jira.statuses], or move the ticket to asaf's workflow"
            ),
            Verdict::SaysNothing => {
                "names no finding where the mappings look: give another --map".to_owned()
            }
            Verdict::NotFound { named } => {
                format!(
                    "names {}, which Security Hub does not have",
                    named.join(", ")
                )
            }
            Verdict::Ambiguous { findings } => format!(
                "names several findings ({}): list the one that it is about with --map csv:FILE",
                findings.join(", ")
            ),
            Verdict::Taken { by } => format!("names a finding that {by} tracks: close one of them"),
            Verdict::Rivals { with, finding } => format!(
                "names {finding}, and so does {}: close all but one",
                with.join(", ")
            ),
        }
    }
}
