//! The configuration: one strict `asaf.toml`. Unknown keys are refused, errors point at their line, secrets are
//! references. What is written here is what a person may set, with its default; meaning belongs to the users.
//!
//! This module reads one file and the environment variables that secrets name. It opens no connection, and no missing
//! value ever becomes an emulator.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod check;
mod dashboard;
mod error;
mod ignore;
mod jira;
mod load;
mod notices;
pub mod owners;
mod period;
mod secret;
mod serve;
mod show;
#[cfg(test)]
mod tests;
mod workflow;

pub use crate::decide::policy::{
    CloseWhileFailing, MoveDenied, OwnerChange, Recheck, ResourceDeleted, SuppressedByHand,
};
use crate::model::{Grouping, Severity};
pub use check::is_loopback;
pub(crate) use check::{Finding, network, region_of_signer, wrong_door};
pub use dashboard::{
    AccessRole, Alb, Dashboard, Grant, LocalAccess, Oidc, ScriptToken, TrustedProxy,
};
pub use error::ConfigError;
pub use ignore::{GitHubApp, Ignore};
pub use jira::{Fields, Jira, Priorities, Reviewers, Statuses};
pub(crate) use load::{parse_strictly, read as read_text};
pub use notices::{AtOnce, Day, Days, DigestAt, Notices, QuietHours, Sla, Slack, TeamsWebhook};
pub use owners::{Conditions, Owner, OwnerRule, Owners, Team};
pub use period::Period;
pub use secret::Secret;
pub use serve::{Queue, Serve, WEBHOOK_PATH, Webhook};
pub use show::{Origin, Setting};
pub use workflow::{Login, Verify, Workflow, WorkflowKind};

/// Everything that a person may set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where Security Hub is, and how AWS Config in the member accounts is reached.
    pub aws: Aws,
    /// The Jira site, its statuses, and who may close.
    pub jira: Jira,
    /// Choices of the decision table.
    #[serde(default)]
    pub policy: Policy,
    /// The brake on mass changes.
    #[serde(default)]
    pub limits: Limits,
    /// Where links, intents, receipts and the audit are kept.
    #[serde(default)]
    pub store: Store,
    /// Which team and project answer for an account.
    pub owners: Owners,
    /// How runs read.
    #[serde(default)]
    pub run: Run,
    /// Messages to Slack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<Slack>,
    /// Messages to Microsoft Teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams_webhook: Option<TeamsWebhook>,
    /// What people are told, and when.
    #[serde(default)]
    pub notices: Notices,
    /// When a ticket is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla: Option<Sla>,
    /// Where reviewed ignore rules are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<Ignore>,
    /// The process that stays.
    #[serde(default)]
    pub serve: Serve,
    /// Jira's webhook.
    #[serde(default)]
    pub webhook: Webhook,
    /// The SQS queue with events of Security Hub and AWS Config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// The pages for people, and who may see them.
    #[serde(default)]
    pub dashboard: Dashboard,
}

/// `[aws]`: credentials come from the SDK's own chain, never from this file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aws {
    /// The Region of the Security Hub aggregator, such as `eu-west-1`.
    pub region: String,
    /// The name of the AWS Config aggregator that covers the organization.
    #[serde(default = "default_aggregator")]
    pub aggregator: String,
    /// The name of the role that is assumed in a member account to ask AWS Config about a resource.
    #[serde(default = "default_member_role")]
    pub member_role: String,
    /// The external id that the member role's trust policy asks for, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// A profile of the AWS configuration files; without it the SDK's default chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Another endpoint for every AWS service: https, or http on a loopback address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
}

fn default_aggregator() -> String {
    "org".to_owned()
}

fn default_member_role() -> String {
    "asaf-config-read".to_owned()
}

/// `[policy]`: choices of the decision table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The lowest severity for which a ticket is created.
    pub threshold: Severity,
    /// What a reviewer's close means while the finding still fails.
    pub close_while_failing: CloseWhileFailing,
    /// What a SUPPRESSED that somebody set by hand in Security Hub means.
    pub suppressed_by_hand: SuppressedByHand,
    /// What happens to the ticket of a resource that was deleted.
    pub resource_deleted: ResourceDeleted,
    /// How long a finding may fail while RESOLVED before somebody is told.
    pub recheck_after: Period,
    /// What happens then.
    pub recheck: Recheck,
    /// A ticket closed for longer is not reopened; a new, linked one is created.
    pub reopen_window: Period,
    /// Close a resolved ticket without a review once AWS reports PASSED.
    pub auto_close_verified: bool,
    /// What happens to an open ticket whose finding now belongs to an owner with another project.
    pub owner_change: OwnerChange,
    /// What happens with `owner_change = "move"` where Jira does not let the bot move tickets.
    pub move_denied: MoveDenied,
    /// Which findings of controls, Config rules and CVEs share a ticket.
    pub consolidate: Grouping,
    /// A finding that stops and fails again within this is waited for: its ticket is reopened, or resolved by the
    /// engine, at most once in this time.
    pub hold_down: Period,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            threshold: Severity::Medium,
            close_while_failing: CloseWhileFailing::Resolve,
            suppressed_by_hand: SuppressedByHand::Respect,
            resource_deleted: ResourceDeleted::Delete,
            recheck_after: Period::from_hours(24),
            recheck: Recheck::Flag,
            reopen_window: Period::from_hours(30 * 24),
            auto_close_verified: false,
            owner_change: OwnerChange::Recreate,
            move_denied: MoveDenied::Recreate,
            consolidate: Grouping::Finding,
            hold_down: Period::from_minutes(15),
        }
    }
}

/// `[limits]`: a run that removes (closes, deletes, suppresses) more than both is not applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Percent of all tickets, 0 to 100.
    #[schemars(range(min = 0, max = 100))]
    pub removals_percent: u8,
    /// Tickets.
    pub removals: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            removals_percent: 10,
            removals: 25,
        }
    }
}

/// `[store]`: the SQLite file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The SQLite file; a relative path starts at the folder of the configuration file.
    pub path: PathBuf,
}

impl Default for Store {
    fn default() -> Self {
        Store {
            path: PathBuf::from("asaf.sqlite3"),
        }
    }
}

/// `[run]`: how runs read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Run {
    /// An incremental read starts this long before the last one began: `UpdatedAt` is the provider's time.
    pub incremental_overlap: Period,
    /// A complete read is due after this long.
    pub full_every: Period,
    /// `asaf serve` reads what changed this often, besides what events name: a lost event costs no more.
    pub incremental_every: Period,
    /// The Regions that are expected to report; empty: those that Security Hub aggregates.
    pub regions: Vec<String>,
    /// How long a create with unknown outcome is asked about before a new one may be sent: longer than the time-out
    /// of a request and than Jira's search lags.
    pub create_quarantine: Period,
    /// No rates on our side; only for emulators on loopback addresses.
    pub unlimited: bool,
}

impl Default for Run {
    fn default() -> Self {
        Run {
            incremental_overlap: Period::from_hours(1),
            full_every: Period::from_hours(24),
            incremental_every: Period::from_minutes(10),
            regions: Vec::new(),
            create_quarantine: Period::from_minutes(10),
            unlimited: false,
        }
    }
}

impl Config {
    /// What deciding depends on.
    pub fn decision_policy(&self) -> crate::decide::Policy {
        let policy = &self.policy;
        crate::decide::Policy {
            threshold: policy.threshold,
            close_while_failing: policy.close_while_failing,
            suppressed_by_hand: policy.suppressed_by_hand,
            resource_deleted: policy.resource_deleted,
            recheck_after: policy.recheck_after.duration(),
            recheck: policy.recheck,
            reopen_window: policy.reopen_window.duration(),
            auto_close_verified: policy.auto_close_verified,
            owner_change: policy.owner_change,
            move_denied: policy.move_denied,
            grouping: policy.consolidate,
            hold_down: policy.hold_down.duration(),
            who_may_close: self.jira.reviewers.words(),
            ..crate::decide::Policy::default()
        }
    }

    /// The brake's limits.
    pub fn brake_limits(&self) -> crate::plan::limits::Limits {
        crate::plan::limits::Limits {
            removals_percent: self.limits.removals_percent,
            removals: usize::try_from(self.limits.removals).unwrap_or(usize::MAX),
        }
    }

    /// The JSON Schema of `asaf.toml`, for editors.
    pub fn schema() -> serde_json::Value {
        let mut schema = schemars::schema_for!(Config).to_value();
        if let Some(root) = schema.as_object_mut() {
            root.insert("title".to_owned(), "asaf.toml".into());
        }
        schema
    }
}
