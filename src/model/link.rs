//! A link: which ticket tracks which finding, and what both sides last agreed on. The store is its authority;
//! label and property in Jira are only markers for recovery.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::finding::{AliasKey, FindingKey, FindingState, Severity, WorkflowStatus};
use super::ignore_rule::RuleMatch;
use super::member::Member;
use super::ticket::{Changed, Shown, TicketRef, TicketState};

/// The label that marks a ticket as ours: `asaf-` and 32 hexadecimal digits of the alias key's SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marker(pub String);

impl Marker {
    /// The marker of what a finding is about; equal alias keys have equal markers, whatever the finding's id.
    pub fn of(alias: &AliasKey) -> Self {
        Marker::with(Marker::digest(alias))
    }

    /// What tells markers apart, in their order, in a quarter of their size: many findings are sorted by it.
    pub(crate) fn digest(alias: &AliasKey) -> [u8; 16] {
        let mut hash = Sha256::new();
        for part in [&alias.account, &alias.region, &alias.rule, &alias.resource] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize()[..16]);
        digest
    }

    /// The marker of a digest.
    pub(crate) fn with(digest: [u8; 16]) -> Self {
        Marker(format!("asaf-{:032x}", u128::from_be_bytes(digest)))
    }

    /// The label's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who last wrote a workflow status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "who")]
pub enum Author {
    /// The engine.
    Ours,
    /// A person or an automation rule: the identity that GetFindingHistory names.
    Theirs {
        /// IAM principal or automation rule ARN.
        identity: String,
        /// When.
        at: Timestamp,
        /// `GetFindingHistory` gives records no id: time and identity name one.
        record: String,
    },
    /// AWS: created, reset or resolved by Security Hub itself.
    Aws,
}

impl Author {
    /// A person's or an automation rule's.
    pub fn is_theirs(&self) -> bool {
        matches!(self, Author::Theirs { .. })
    }
}

/// T, as the base keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaseTicket {
    /// No ticket, or our own tombstone.
    None,
    /// A ticket in this state.
    Is(TicketState),
    /// A person deleted it.
    Deleted,
}

/// What both sides last agreed on. It moves only when every write of a row has its receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// T.
    pub ticket: BaseTicket,
    /// W.
    pub workflow: WorkflowStatus,
    /// Who wrote W.
    pub workflow_by: Author,
    /// The last *clear* F: never `Unclear`.
    pub finding: FindingState,
    /// Counts the unbroken times in which the finding fails; 0 before the first.
    pub episode: u32,
    /// When the episode began, as AWS tells (`FirstObservedAt`) or as we saw it.
    pub episode_started_at: Timestamp,
    /// `FirstObservedAt` at that time: a later one tells that compliance changed in between.
    pub first_observed_at: Option<Timestamp>,
}

/// What a person decided about a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// Resolved by anyone.
    Resolved,
    /// Closed by a reviewer.
    Closed,
    /// Reopened by a person.
    Reopened,
    /// Suppressed in Security Hub by a person or an automation rule.
    Suppressed,
    /// Set RESOLVED in Security Hub by a person or an automation rule.
    ResolvedInSecurityHub,
}

/// A person's decision, kept with the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What.
    pub kind: DecisionKind,
    /// Who, as shown to people.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// In which episode.
    pub episode: u32,
    /// On which ticket.
    pub ticket_key: Option<String>,
}

/// Our own write of a workflow status that reads may not show yet (it takes minutes to appear).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// What we wrote.
    pub workflow: WorkflowStatus,
    /// What reads showed before: while they still do, they are stale.
    pub was: WorkflowStatus,
    /// The same of the link's other findings, where theirs were others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<WorkflowStatus>,
    /// When.
    pub at: Timestamp,
    /// A read has shown it since. The next one may be older all the same: then the finding's history tells.
    #[serde(default)]
    pub seen: bool,
}

impl InFlight {
    /// A write of `workflow` to findings that were read as `was` and `others`.
    pub fn new(
        workflow: WorkflowStatus,
        was: WorkflowStatus,
        others: impl Iterator<Item = WorkflowStatus>,
        at: Timestamp,
    ) -> Self {
        let others = others.filter(|other| ![workflow, was].contains(other));
        let others: BTreeSet<WorkflowStatus> = others.collect();
        InFlight {
            workflow,
            was,
            others: others.into_iter().collect(),
            at,
            seen: false,
        }
    }

    /// Reads showed this before.
    pub fn showed(&self, read: WorkflowStatus) -> bool {
        read == self.was || self.others.contains(&read)
    }

    /// A read shows what was before, after one that showed our write: somebody has set it back, or this one is older.
    pub fn is_doubted_by(&self, read: WorkflowStatus) -> bool {
        self.seen && self.showed(read) && read != self.workflow
    }
}

/// The owner of a ticket, as far as a change of it matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkOwner {
    /// The team's name.
    pub team: String,
    /// The key of its Jira project.
    pub project: String,
}

/// The engine has stopped reversing what somebody, or an automation, keeps changing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// The row of the decision table that would write once more.
    pub row: u8,
    /// Since when.
    pub at: Timestamp,
    /// The ticket carries the label: taking that off ends the dispute. Otherwise it ends after a day.
    pub labelled: bool,
}

/// The record of one alias key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Primary key, and the label in Jira.
    pub marker: Marker,
    /// What it is about.
    pub alias: AliasKey,
    /// The findings that it tracks now, in order; W is written to all. Nearly always one: a set would take half a
    /// kilobyte.
    pub findings: Vec<FindingKey>,
    /// The ticket, once there is one; kept after a deletion by a person, removed by our own.
    pub ticket: Option<TicketRef>,
    /// `None` until the first agreement (a new or an adopted ticket).
    pub base: Option<Base>,
    /// The severity that the ticket was opened with.
    pub severity: Severity,
    /// The rule as people know it, and the finding's title: for reports, which read no findings.
    #[serde(default)]
    pub rule: String,
    /// See `rule`; at most 160 characters.
    #[serde(default)]
    pub title: String,
    /// SHA-256 of what the ticket shows (severity, title, resources): content changes by value only.
    pub content: String,
    /// The writes of ours that reads may not show yet.
    pub in_flight: Option<InFlight>,
    /// Comments already made, by key: a retry repeats none.
    pub comments: BTreeSet<String>,
    /// The last decision of a person.
    pub decision: Option<Decision>,
    /// The ignore rule that covered it when the rules were last read.
    #[serde(default)]
    pub ignored_by: Option<RuleMatch>,
    /// Since when W is RESOLVED while F fails (row 17).
    pub resolved_since: Option<Timestamp>,
    /// Row 17 has flagged this RESOLVED already.
    pub flagged: bool,
    /// When the ticket was closed (for `reopen_window`).
    pub closed_at: Option<Timestamp>,
    /// Since when the team has the ticket in this episode: the time in which it is due counts from here.
    #[serde(default)]
    pub opened_at: Option<Timestamp>,
    /// Complete reads in a row from which the finding was absent.
    pub absent_reads: u32,
    /// Reads in a row, some time apart, in which the ticket was 404 by id.
    pub ticket_absent_reads: u32,
    /// When the first of them was.
    #[serde(default)]
    pub ticket_absent_at: Option<Timestamp>,
    /// How often people deleted a ticket of this link.
    pub deleted_by_people: u32,
    /// The row that last wrote this link, in which episode, and how often in a row.
    pub last_row: Option<(u8, u32, u32)>,
    /// When the engine put back what others had changed, within the last day.
    #[serde(default)]
    pub reversals: Vec<Timestamp>,
    /// The engine has stopped doing so.
    #[serde(default)]
    pub dispute: Option<Dispute>,
    /// How often it has.
    #[serde(default)]
    pub disputes: u32,
    /// When both sides last took in that the finding stopped, or fails again.
    #[serde(default)]
    pub turned_at: Option<Timestamp>,
    /// When the finding was last evaluated (`UpdatedAt`) as we last read it.
    pub evaluated_at: Option<Timestamp>,
    /// What the ticket shows.
    #[serde(default)]
    pub shown: Option<Box<Shown>>,
    /// The last changes of that, oldest first: the ticket lists them.
    #[serde(default)]
    pub changes: Vec<Changed>,
    /// Whose the ticket is: the owner's team and project when it was created or last changed; `None` before.
    #[serde(default)]
    pub owner: Option<LinkOwner>,
    /// The group whose ticket it shares, and what it is to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Box<Member>>,
    /// A group's members, in order; `findings` is empty then, because each member tracks its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Marker>,
    /// Who reports a group's findings, in the word that settings use; of other links, their findings say it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// The tickets that Security Hub's fields named when our last write put ours in their place: reads may show them for
    /// some minutes more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub corrected: BTreeSet<String>,
    /// When AWS Config was last asked about the resource.
    pub resource_asked_at: Option<Timestamp>,
    /// When Config proved the resource deleted; holds until the finding is evaluated again after it.
    pub resource_deleted_at: Option<Timestamp>,
}

impl Link {
    /// A link that has agreed on nothing yet.
    pub fn new(alias: AliasKey, severity: Severity) -> Self {
        Link {
            marker: Marker::of(&alias),
            alias,
            findings: Vec::new(),
            ticket: None,
            base: None,
            severity,
            rule: String::new(),
            title: String::new(),
            content: String::new(),
            in_flight: None,
            comments: BTreeSet::new(),
            decision: None,
            ignored_by: None,
            resolved_since: None,
            flagged: false,
            closed_at: None,
            opened_at: None,
            absent_reads: 0,
            ticket_absent_reads: 0,
            ticket_absent_at: None,
            deleted_by_people: 0,
            last_row: None,
            reversals: Vec::new(),
            dispute: None,
            disputes: 0,
            turned_at: None,
            evaluated_at: None,
            shown: None,
            changes: Vec::new(),
            owner: None,
            member: None,
            members: Vec::new(),
            product: String::new(),
            corrected: BTreeSet::new(),
            resource_asked_at: None,
            resource_deleted_at: None,
        }
    }
}

impl Link {
    /// The rule as people know it; links of before remember it only as it is compared.
    pub fn rule_said(&self) -> &str {
        match self.rule.as_str() {
            "" => &self.alias.rule,
            rule => rule,
        }
    }

    /// One finding more that it tracks.
    pub fn track(&mut self, finding: FindingKey) {
        if let Err(place) = self.findings.binary_search(&finding) {
            self.findings.insert(place, finding);
        }
    }

    /// Another ticket goes on with what it was about: it is a member's, or a group's that is closed and has none.
    pub fn is_merged(&self) -> bool {
        let closed = BaseTicket::Is(TicketState::Closed);
        let is_closed = self.base.as_ref().is_some_and(|base| base.ticket == closed);
        let is_empty = self.alias.is_group() && self.members.is_empty();
        self.member.is_some() || (is_empty && is_closed)
    }

    /// The same link before it had a ticket or agreed on anything.
    #[must_use]
    pub fn without_a_ticket(&self) -> Self {
        Link {
            findings: self.findings.clone(),
            member: self.member.clone(),
            ..Link::new(self.alias.clone(), self.severity)
        }
    }
}

/// Written before a create; cleared with the link row. While it stands, the outcome of the create is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The link that asks for a ticket.
    pub marker: Marker,
    /// The project in which it is created.
    pub project: String,
    /// One id per bulk call: the creates of one call share their fate.
    pub attempt: String,
    /// When.
    pub at: Timestamp,
    /// The link row as it will be once the ticket's ids are known.
    pub link: Box<Link>,
    /// The highest issue number known in the project before the call: the probe reads above it.
    pub highest_known: u64,
}
