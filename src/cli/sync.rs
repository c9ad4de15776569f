//! Arguments of the commands that plan, apply and look at the synchronisation.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Output, TextOrJson, account};

/// `asaf plan`: what a reconcile would do; writes nothing outside.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf plan                                 what would change, for everything
  asaf plan --account 012345678901          only for one account
  asaf plan --findings findings.json        for findings from a file instead of AWS
  asaf plan --out plan.json && asaf apply plan.json
  asaf plan --detailed-exitcode             exit 2 when there are changes")]
pub struct PlanArgs {
    /// How the plan is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
    /// Keep the plan in a file, for `asaf apply FILE`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit 0 without changes, 2 with changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// What is read.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Findings from a file, a folder or - (stdin) instead of AWS: GetFindings output, an array, one object, NDJSON, events
    #[arg(long, value_name = "PATH", conflicts_with_all = ["full", "account", "finding", "ticket"])]
    pub findings: Option<PathBuf>,
}

/// What is read: everything that is due, or one narrower kind.
#[derive(Clone, Debug, Default, Args)]
#[group(multiple = false)]
pub struct ScopeArgs {
    /// Read everything, even if an incremental read would do
    #[arg(long)]
    pub full: bool,
    /// Only findings of these AWS accounts
    #[arg(long, value_name = "ACCOUNT", num_args = 1.., value_parser = account)]
    pub account: Vec<String>,
    /// Only these findings, by id
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub finding: Vec<String>,
    /// Only the findings of these tickets, by key
    #[arg(long, value_name = "KEY", num_args = 1..)]
    pub ticket: Vec<String>,
}

/// A named override of a limit; each is written to the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Override {
    /// More closes, deletes or suppressions than `[limits]` allows.
    TooManyCloses,
}

/// Releases exactly one plan that a limit blocks.
#[derive(Clone, Debug, Default, Args)]
pub struct Release {
    /// Apply only if the plan has this digest
    #[arg(long, value_name = "DIGEST")]
    pub expect: Option<String>,
    /// Let this plan pass a limit by its name; needs --expect
    #[arg(long, value_enum, value_name = "LIMIT", num_args = 1.., requires = "expect")]
    pub allow: Vec<Override>,
}

/// `asaf apply`: applies a saved plan, or plans and applies.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf apply plan.json                                      refused if the world has moved since
  asaf apply --expect 9f2c41d0 --allow too-many-closes      release exactly this plan")]
pub struct ApplyArgs {
    /// A plan that `asaf plan --out` wrote; without it the plan is made now
    #[arg(value_name = "PLAN")]
    pub plan: Option<PathBuf>,
    /// Which blocked plan may pass.
    #[command(flatten)]
    pub release: Release,
    /// How the outcome is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
}

/// `asaf reconcile`: the scheduled job: read, decide, apply, record.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf reconcile                   incremental, or full when one is due; for cron
  asaf reconcile --full            read everything now
  asaf reconcile --output json     the run's report for programs")]
pub struct ReconcileArgs {
    /// Read everything now
    #[arg(long, conflicts_with = "incremental")]
    pub full: bool,
    /// Read only what changed, even if a full read is due
    #[arg(long)]
    pub incremental: bool,
    /// Which blocked plan may pass.
    #[command(flatten)]
    pub release: Release,
    /// How the outcome is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
}

/// `asaf explain`: why something is as it is, who decided, what comes next; answered from the store.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf explain PAY-12
  asaf explain arn:aws:securityhub:eu-west-1:012345678901:security-control/S3.8/finding/5f1c --output json")]
pub struct ExplainArgs {
    /// A finding's id or a ticket's key
    #[arg(value_name = "FINDING|TICKET")]
    pub subject: String,
    /// How the answer is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
}

/// `asaf quarantine`: creates whose outcome is unknown.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf quarantine ls
  asaf quarantine show asaf-5f1c0d
  asaf quarantine retry asaf-5f1c0d     look for the ticket again, and create it if there is none")]
pub struct QuarantineArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: QuarantineCommand,
}

/// What to do with quarantined items.
#[derive(Clone, Debug, Subcommand)]
pub enum QuarantineCommand {
    /// List them
    #[command(after_help = "Example:\n  asaf quarantine ls --output json")]
    Ls {
        /// How the list is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: TextOrJson,
    },
    /// Show one with its history
    #[command(after_help = "Example:\n  asaf quarantine show asaf-5f1c0d")]
    Show {
        /// The item's marker, or its beginning
        #[arg(value_name = "ITEM")]
        item: String,
        /// How it is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: TextOrJson,
    },
    /// Probe again, and go on with what the probe finds
    #[command(after_help = "Example:\n  asaf quarantine retry asaf-5f1c0d asaf-9e3b77")]
    Retry {
        /// Markers, or their beginnings
        #[arg(value_name = "ITEM", required = true)]
        items: Vec<String>,
    },
}
