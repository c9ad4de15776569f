//! A Security Hub finding as the engine understands it: identity, state, resources, and what people need to read.
//!
//! The words are ASFF's. Parsing stands in [`asff`]; this file only says what a finding is.

pub mod asff;
mod evidence;
mod identity;
mod time;

use std::collections::BTreeMap;
use std::fmt;

use crate::mutant;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An AWS account id as the finding names it: 12 digits.
pub type Account = String;

/// A finding's identity: `Id` alone is unique per product only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FindingKey {
    /// `ProductArn`.
    pub product_arn: String,
    /// `Id`, at most 512 characters; often, not always, an ARN.
    pub id: String,
}

impl fmt::Display for FindingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

/// What a finding is about, independent of its id: a new id with the same alias takes over the link.
///
/// For controls and Config rules it is (account, Region, control or rule, resource). Other products may hold several
/// findings for one resource and type, so their `rule` contains the product and the finding's id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AliasKey {
    /// `AwsAccountId`.
    pub account: Account,
    /// `Region`, or that of the product ARN where the finding has none.
    pub region: String,
    /// Control id or rule name, lower case; see the type's own text for other products.
    pub rule: String,
    /// The first resource's id.
    pub resource: String,
}

/// The product that reports a finding, read from `ProductArn` (names were renamed in 2025, ARNs were not).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// Security Hub's own controls: `product/aws/securityhub`.
    SecurityHub,
    /// AWS Config rules: `product/aws/config`.
    Config,
    /// `product/aws/guardduty`.
    GuardDuty,
    /// `product/aws/access-analyzer`.
    AccessAnalyzer,
    /// `product/aws/inspector`.
    Inspector,
    /// `product/aws/macie`.
    Macie,
    /// Any other `product/<company>/<product>`.
    Partner(String),
    /// `product/<account>/default`: an account's own findings.
    Custom,
}

/// What was checked: the control, the Config rule, the GuardDuty type, the CVE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Short id as people know it: `S3.8`, `securityhub-…`, `UnauthorizedAccess:EC2/SSHBruteForce`, `CVE-2026-1234`.
    pub id: String,
    /// The AWS Config rule behind it, where there is one.
    pub config_rule: Option<String>,
}

/// One resource named by a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// ASFF `Type`, such as `AwsS3Bucket`.
    pub kind: String,
    /// ASFF `Id`: usually an ARN; `AWS::::Account:…` for account-level controls.
    pub id: String,
    /// The resource's Region, where given.
    pub region: Option<String>,
    /// Tags at the time the finding was processed.
    pub tags: BTreeMap<String, String>,
}

/// `Severity.Label`, lowest first.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// 0
    Informational,
    /// 1 to 39
    Low,
    /// 40 to 69
    Medium,
    /// 70 to 89
    High,
    /// 90 to 100
    Critical,
}

impl Severity {
    /// The label as ASFF writes it.
    pub fn label(self) -> &'static str {
        match self {
            Severity::Informational => "INFORMATIONAL",
            Severity::Low => "LOW",
            Severity::Medium => "MEDIUM",
            Severity::High => "HIGH",
            Severity::Critical => "CRITICAL",
        }
    }

    /// Every severity, the worst first.
    pub const WORST_FIRST: [Severity; 5] = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Informational,
    ];

    /// Reads the label, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        let fits = |one: &Severity| one.label().eq_ignore_ascii_case(word);
        Severity::WORST_FIRST.into_iter().find(fits)
    }
}

/// `Compliance.Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Compliance {
    /// The check passed.
    Passed,
    /// The check failed.
    Failed,
    /// The check could not run to the end, or part of it failed.
    Warning,
    /// The check could not be made.
    NotAvailable,
}

/// `RecordState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordState {
    /// Current.
    Active,
    /// The provider no longer reports it.
    Archived,
}

/// `Workflow.Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WorkflowStatus {
    /// Not yet looked at, or reset by AWS.
    New,
    /// The owner was told.
    Notified,
    /// Somebody says that it is fixed, or the control passed.
    Resolved,
    /// Intended: not to be acted on.
    Suppressed,
}

impl WorkflowStatus {
    /// The status as ASFF writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            WorkflowStatus::New => "NEW",
            WorkflowStatus::Notified => "NOTIFIED",
            WorkflowStatus::Resolved => "RESOLVED",
            WorkflowStatus::Suppressed => "SUPPRESSED",
        }
    }

    /// Reads the ASFF word.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "NEW" => WorkflowStatus::New,
            "NOTIFIED" => WorkflowStatus::Notified,
            "RESOLVED" => WorkflowStatus::Resolved,
            "SUPPRESSED" => WorkflowStatus::Suppressed,
            _ => return None,
        })
    }
}

/// How to fix it, as the product says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remediation {
    /// `Remediation.Recommendation.Text`.
    pub text: Option<String>,
    /// `Remediation.Recommendation.Url`.
    pub url: Option<String>,
}

/// `Note`: a finding has at most one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// At most 512 characters.
    pub text: String,
    /// Free text given by the caller.
    pub updated_by: String,
    /// When.
    pub updated_at: Option<Timestamp>,
}

/// F of the decision table, as one read shows it, and `Gone`, which only two complete reads can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// ACTIVE; FAILED, WARNING, or a product without compliance status.
    Failing,
    /// ACTIVE, NOT_AVAILABLE: the check could not be made.
    Unclear,
    /// ACTIVE, PASSED.
    Passing,
    /// ARCHIVED.
    Archived,
    /// Absent from two complete reads that cover an account which is still a member.
    Gone,
}

impl FindingState {
    /// Failing or unclear.
    pub fn is_active(self) -> bool {
        matches!(self, FindingState::Failing | FindingState::Unclear)
    }

    /// Passing, archived or gone.
    pub fn is_stopped(self) -> bool {
        !self.is_active()
    }
}

/// The user-defined field in which the engine notes a ticket's key.
pub const TICKET_FIELD: &str = "asaf_ticket";

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Identity.
    pub key: FindingKey,
    /// What it is about.
    pub alias: AliasKey,
    /// Who reports it.
    pub product: Product,
    /// `AwsAccountName`, where Security Hub knows it.
    pub account_name: Option<String>,
    /// The control, rule, type or CVE.
    pub rule: Rule,
    /// `Title`, as found (hostile text possible).
    pub title: String,
    /// `Description`, as found.
    pub description: String,
    /// `Severity.Label`, or what `Normalized` says.
    pub severity: Severity,
    /// `Compliance.Status`; products without controls have none.
    pub compliance: Option<Compliance>,
    /// `ProductFields.PreviousComplianceStatus`.
    pub previous_compliance: Option<Compliance>,
    /// `RecordState`; ACTIVE where missing.
    pub record: RecordState,
    /// `Workflow.Status`; NEW where missing.
    pub workflow: WorkflowStatus,
    /// At least one.
    pub resources: Vec<Resource>,
    /// How to fix it.
    pub remediation: Remediation,
    /// The one note.
    pub note: Option<Note>,
    /// The ticket that the engine has noted in `UserDefinedFields`, for the reader only.
    pub noted_ticket: Option<String>,
    /// `Types`.
    pub types: Vec<String>,
    /// For controls: when compliance last changed.
    pub first_observed_at: Option<Timestamp>,
    /// When the product last saw it.
    pub last_observed_at: Option<Timestamp>,
    /// `CreatedAt`.
    pub created_at: Option<Timestamp>,
    /// When the provider last updated the record; our own updates leave it alone.
    pub updated_at: Option<Timestamp>,
    /// `ProductFields["ArchivalReasons:0/ReasonCode"]` and its description, where AWS gives them.
    pub archival_reason: Option<String>,
    /// `Sample: true`: not a real finding.
    pub sample: bool,
    /// Details worth reading for a person, per product (CVE, packages, actor, annotation), label first.
    pub evidence: Vec<(String, String)>,
}

impl Finding {
    /// F, as this one read shows it.
    pub fn state(&self) -> FindingState {
        match (self.record, self.compliance) {
            (RecordState::Archived, _) => FindingState::Archived,
            (RecordState::Active, Some(Compliance::Passed)) => FindingState::Passing,
            (RecordState::Active, Some(Compliance::NotAvailable)) => FindingState::Unclear,
            (RecordState::Active, None) if mutant::is("no-compliance-passes") => {
                FindingState::Passing
            }
            (RecordState::Active, _) => FindingState::Failing,
        }
    }
}
