//! Arguments of the commands that plan, apply and look at the synchronisation.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Output, TextOrJson, account};
use crate::talk::plain;

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

/// `asaf serve`: the process that stays.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf serve
  asaf serve --log-format json --ready-file /run/asaf/ready.json

It listens on [serve] listen for Jira's webhook (POST /webhook/jira), polls the SQS queue of [queue], works off what
both name within seconds, and runs the scheduled reads besides. /healthz, /readyz, /metrics and /version say how it is.
The dashboard is at /: on this machine only, unless [dashboard] says who may see it (docs/access.md).

Signals: TERM and INT stop it without losing anything; HUP makes it read the configuration and its secrets again.
A configuration that is wrong is refused, and the old one stays in use.")]
pub struct ServeArgs {
    /// Written, whole, once the address answers: JSON with listen and pid
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
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

/// `asaf pause`: what the engine must not write for a while.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf pause all --why \"incident 4711\"             nothing is written until asaf resume all
  asaf pause account 012345678901 --why migration
  asaf pause project PAY --why \"workflow rebuilt\"
  asaf pause ls

Reading goes on, and asaf plan shows what is held. A pause survives restarts; a run that is writing stops
before its next kind of write.")]
pub struct PauseArgs {
    /// What to pause.
    #[command(subcommand)]
    pub command: PauseCommand,
}

/// Why, and who says so.
#[derive(Clone, Debug, Args)]
pub struct PauseReason {
    /// Why, for everybody who wonders
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub why: String,
    /// Who pauses
    #[arg(long, value_name = "NAME", env = "USER", value_parser = reason)]
    pub by: String,
}

/// What to pause.
#[derive(Clone, Debug, Subcommand)]
pub enum PauseCommand {
    /// Everything
    #[command(after_help = "Example:\n  asaf pause all --why \"incident 4711\"")]
    All {
        /// Why.
        #[command(flatten)]
        reason: PauseReason,
    },
    /// The findings of one AWS account
    #[command(after_help = "Example:\n  asaf pause account 012345678901 --why migration")]
    Account {
        /// 12 digits
        #[arg(value_name = "ACCOUNT", value_parser = account)]
        account: String,
        /// Why.
        #[command(flatten)]
        reason: PauseReason,
    },
    /// The tickets of one Jira project
    #[command(after_help = "Example:\n  asaf pause project PAY --why \"workflow rebuilt\"")]
    Project {
        /// The project's key
        #[arg(value_name = "KEY", value_parser = project)]
        project: String,
        /// Why.
        #[command(flatten)]
        reason: PauseReason,
    },
    /// List what is paused, by whom and why
    #[command(after_help = "Example:\n  asaf pause ls --output json")]
    Ls {
        /// How the list is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: TextOrJson,
    },
}

/// `asaf resume`: ends a pause; a full run is due at once.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf resume all
  asaf resume account 012345678901
  asaf resume project PAY

What was held is written by the next run, which is a full one.")]
pub struct ResumeArgs {
    /// Which pause ends.
    #[command(subcommand)]
    pub command: ResumeCommand,
}

/// Which pause ends.
#[derive(Clone, Debug, Subcommand)]
pub enum ResumeCommand {
    /// The pause of everything; those of accounts and projects stay
    #[command(after_help = "Example:\n  asaf resume all")]
    All,
    /// That of one AWS account
    #[command(after_help = "Example:\n  asaf resume account 012345678901")]
    Account {
        /// 12 digits
        #[arg(value_name = "ACCOUNT", value_parser = account)]
        account: String,
    },
    /// That of one Jira project
    #[command(after_help = "Example:\n  asaf resume project PAY")]
    Project {
        /// The project's key
        #[arg(value_name = "KEY", value_parser = project)]
        project: String,
    },
}

/// A Jira project key as an argument.
fn project(text: &str) -> Result<String, String> {
    let shaped = text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if shaped {
        Ok(text.to_owned())
    } else {
        Err("a project key is at least two of A-Z, 0-9 and _, a letter first".to_owned())
    }
}

/// One line that says something.
fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("say something: people will read it".to_owned()),
        long if long.chars().count() > 200 => Err("at most 200 characters".to_owned()),
        text => Ok(plain(text).into_owned()),
    }
}

/// `asaf quarantine`: what failed for good, and creates whose outcome is unknown.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf quarantine ls
  asaf quarantine show asaf-5f1c0d
  asaf quarantine retry asaf-5f1c0d     try it again; a create in doubt is asked about again
  asaf quarantine retry ticket-10023    an event's ticket that could not be looked at
  asaf quarantine show unread-7         a webhook or message that could not be read, with its body

All of them work beside a running asaf serve, which tries released items within a second or two.")]
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
        /// The item's name as listed, or its beginning
        #[arg(value_name = "ITEM")]
        item: String,
        /// How it is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: TextOrJson,
    },
    /// Try again: the next run, or a running asaf serve, takes it up
    #[command(after_help = "Example:\n  asaf quarantine retry asaf-5f1c0d asaf-9e3b77")]
    Retry {
        /// Names as listed, or their beginnings
        #[arg(value_name = "ITEM", required = true)]
        items: Vec<String>,
    },
}
