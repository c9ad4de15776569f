//! What happened in the emulated world, in order: the evidence that the audit of the invariants (S1 to S7) reads.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

/// Who made a change in the emulated world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Actor {
    /// The engine, through its own credentials (the Jira bot user, or the engine's AWS role).
    Engine,
    /// A person, by Jira account id or IAM principal; `role` is `product`, `reviewer`, `admin` or `analyst`.
    Person {
        /// Jira account id or IAM principal ARN.
        id: String,
        /// The part the person plays in the story.
        role: String,
    },
    /// AWS itself: a control was evaluated, a record archived, a status reset.
    Aws,
    /// A Security Hub automation rule.
    AutomationRule,
}

/// One change of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Change {
    /// A finding was imported for the first time.
    FindingAppeared {
        /// Product ARN, then id: the finding's identity.
        product_arn: String,
        /// See `product_arn`.
        id: String,
        /// The ids of its resources.
        resources: Vec<String>,
        /// It was archived or had passed already.
        stopped: bool,
    },
    /// A finding expired or was withdrawn: reads no longer return it.
    FindingRemoved {
        /// Product ARN.
        product_arn: String,
        /// Finding id.
        id: String,
    },
    /// Compliance status or record state changed; both are given as they now are.
    FindingEvaluated {
        /// Product ARN.
        product_arn: String,
        /// Finding id.
        id: String,
        /// `Compliance.Status`, where the product has one.
        compliance: Option<String>,
        /// `RecordState`.
        record: String,
    },
    /// `Workflow.Status` was set.
    WorkflowSet {
        /// Product ARN.
        product_arn: String,
        /// Finding id.
        id: String,
        /// Before.
        from: String,
        /// After.
        to: String,
        /// The note written with it.
        note: Option<String>,
    },
    /// A resource ceased to exist in AWS.
    ResourceDeleted {
        /// Account id.
        account: String,
        /// Region.
        region: String,
        /// Resource id as the finding names it.
        id: String,
    },
    /// A Jira issue was created.
    TicketCreated {
        /// Numeric id.
        id: u64,
        /// Issue key.
        key: String,
        /// Labels at creation.
        labels: Vec<String>,
        /// Entity properties at creation.
        properties: serde_json::Value,
    },
    /// A Jira issue changed status.
    TicketMoved {
        /// Numeric id.
        id: u64,
        /// Issue key.
        key: String,
        /// Status name before.
        from: String,
        /// Status name after.
        to: String,
    },
    /// A Jira issue's fields, labels or properties were edited.
    TicketEdited {
        /// Numeric id.
        id: u64,
        /// Issue key.
        key: String,
        /// The names of the fields.
        fields: Vec<String>,
    },
    /// A comment was added.
    TicketCommented {
        /// Numeric id.
        id: u64,
        /// Issue key.
        key: String,
        /// The body (ADF).
        body: serde_json::Value,
    },
    /// A Jira issue was deleted.
    TicketDeleted {
        /// Numeric id.
        id: u64,
        /// Issue key.
        key: String,
    },
}

/// A change, by whom and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Position in the journal, from 0.
    pub seq: u64,
    /// Emulated time.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    #[serde(flatten)]
    pub change: Change,
}

/// Something that must never happen, seen by an emulator as it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The invariant's name: `S1` to `S7`.
    pub invariant: String,
    /// Emulated time.
    pub at: Timestamp,
    /// A sentence for the reader.
    pub what: String,
}

/// The append-only record of the emulated world.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Every change, oldest first.
    pub entries: Vec<Entry>,
    /// Changes whose answer was lost: who made them never heard that they took effect.
    pub unheard: BTreeSet<u64>,
    /// Violations that an emulator could see at once (a request inside a Retry-After window: S6).
    pub violations: Vec<Violation>,
}

impl Journal {
    /// Appends a change.
    pub fn push(&mut self, at: Timestamp, actor: Actor, change: Change) {
        let seq = self.entries.len() as u64;
        self.entries.push(Entry {
            seq,
            at,
            actor,
            change,
        });
    }

    /// Notes that the answer for all changes from a position on was lost.
    pub fn lose(&mut self, from: usize) {
        self.unheard.extend(from as u64..self.entries.len() as u64);
    }

    /// Records a violation of an invariant.
    pub fn violate(&mut self, invariant: &str, at: Timestamp, what: impl Into<String>) {
        self.violations.push(Violation {
            invariant: invariant.into(),
            at,
            what: what.into(),
        });
    }
}
