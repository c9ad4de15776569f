//! Arguments of the commands that need no account: setting up, checking files, the demo, the store.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::TextOrJson;

/// `asaf init`: writes a commented configuration file.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf init
  asaf init --output /etc/asaf/asaf.toml --no-input \\
    --jira-url https://example.atlassian.net --jira-email bot@example.com \\
    --region eu-west-1 --project SEC --team security --reviewers security-reviewers

With ASAF_JIRA_TOKEN, and credentials of AWS, in the environment init looks at both sides: home Region,
aggregator, projects, statuses, groups; and ends with `asaf doctor`. On a terminal it asks for what is
still open. The Jira token is never asked for: the file only says where it is (env:ASAF_JIRA_TOKEN).")]
pub struct InitArgs {
    /// Where to write
    #[arg(long, value_name = "FILE", default_value = "asaf.toml")]
    pub output: PathBuf,
    /// The Region of the Security Hub aggregator
    #[arg(
        long,
        value_name = "REGION",
        env = "AWS_REGION",
        hide_env_values = true
    )]
    pub region: Option<String>,
    /// The Jira Cloud site
    #[arg(
        long,
        value_name = "URL",
        env = "ASAF_JIRA_URL",
        hide_env_values = true
    )]
    pub jira_url: Option<String>,
    /// The engine's own Jira user
    #[arg(
        long,
        value_name = "EMAIL",
        env = "ASAF_JIRA_EMAIL",
        hide_env_values = true
    )]
    pub jira_email: Option<String>,
    /// The key of the Jira project for accounts without an owner
    #[arg(long, value_name = "KEY")]
    pub project: Option<String>,
    /// The team that answers for accounts without an owner
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,
    /// The Jira group whose members may close tickets
    #[arg(long, value_name = "GROUP")]
    pub reviewers: Option<String>,
    /// The Jira group of the product teams: its members resolve tickets
    #[arg(long, value_name = "GROUP")]
    pub product_teams: Option<String>,
    /// A Jira administrator, for the commands that set Jira up; the token is in ASAF_JIRA_ADMIN_TOKEN
    #[arg(
        long,
        value_name = "EMAIL",
        env = "ASAF_JIRA_ADMIN_EMAIL",
        hide_env_values = true
    )]
    pub jira_admin: Option<String>,
    /// Where Jira reaches `asaf serve` from outside; the webhook's secret is in ASAF_WEBHOOK_SECRET
    #[arg(
        long,
        value_name = "URL",
        env = "ASAF_WEBHOOK_URL",
        hide_env_values = true
    )]
    pub webhook_url: Option<String>,
    /// Never ask; what is left open stays empty in the file
    #[arg(long)]
    pub no_input: bool,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
}

/// `asaf config`: check, show or describe the configuration.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf config check
  asaf config show
  asaf config schema > asaf.schema.json     then, as first line of asaf.toml: #:schema asaf.schema.json")]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to do with the configuration.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check the file, and that its secrets can be read
    #[command(
        after_help = "Examples:\n  asaf config check\n  asaf config check --skip-secrets     on a machine that must not have them"
    )]
    Check {
        /// Do not read the secrets
        #[arg(long)]
        skip_secrets: bool,
    },
    /// Print the JSON Schema of the file, for editors
    #[command(after_help = "Example:\n  asaf config schema > asaf.schema.json")]
    Schema,
    /// Print every effective value and where it comes from; secrets as references only
    #[command(after_help = "Examples:\n  asaf config show\n  asaf config show --output json")]
    Show {
        /// How the values are written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: TextOrJson,
    },
}

/// `asaf findings`: look at findings without credentials.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf findings check findings.json
  aws securityhub get-findings | asaf findings check -")]
pub struct FindingsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: FindingsCommand,
}

/// What to do with findings from files.
#[derive(Clone, Debug, Subcommand)]
pub enum FindingsCommand {
    /// Show what was understood, and which field of which finding was not
    #[command(
        after_help = "Examples:\n  asaf findings check exports/\n  asaf findings check a.json b.ndjson --output json"
    )]
    Check {
        /// Files, folders, or - for stdin
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
        /// How the answer is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: TextOrJson,
    },
}

/// On or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    #[default]
    On,
    /// Off.
    Off,
}

/// `asaf demo`: the whole story against emulators, with nothing configured.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf demo                                     a dashboard with a year in it; 400 accounts, 12,000 findings, and a day of life
  asaf demo --year                              the dashboard with a year in it, at once and alone
  asaf demo --once --accounts 5 --findings 100  the story alone
  asaf demo --once --output json                the figures, for programs
  asaf demo --history year                      a year of invented history in the folder `year`, for reports")]
pub struct DemoArgs {
    /// Exit when the story is told
    #[arg(long)]
    pub once: bool,
    /// Instead of the story: show the dashboard on a year of invented history, until Ctrl-C
    #[arg(long, conflicts_with_all = ["once", "output", "accounts", "findings", "history"])]
    pub year: bool,
    /// Instead of the story: write a year of invented history, with a configuration, into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["once", "output", "accounts", "findings"])]
    pub history: Option<PathBuf>,
    /// How the figures are written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: TextOrJson,
    /// Member accounts of the emulated organization
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub accounts: u32,
    /// Findings at the start
    #[arg(long, value_name = "N", default_value_t = 12_000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub findings: u32,
    /// The same seed tells the same story
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// `asaf emulate`: serves the emulators until stopped.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf emulate --ready-file ready.json     wait for the file, then use the addresses in it
  asaf emulate --accounts 5 --findings 100 --quotas off

The emulators listen on loopback addresses only. The ready file, also printed to stdout, is JSON:
addresses, users with tokens, and the path of a configuration that works against them.
The control address shows the world to a browser, and is driven by JSON: docs/emulate.md.")]
pub struct EmulateArgs {
    /// Which world is emulated: default, empty (no findings), empty-site (Jira as Atlassian hands it out)
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub world: String,
    /// Member accounts of the organization
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub accounts: u32,
    /// Findings at the start
    #[arg(long, value_name = "N", default_value_t = 12_000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub findings: u32,
    /// The same seed gives the same world
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Written, whole, once every address answers
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// Port of the AWS services; 0: any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub aws_port: u16,
    /// Port of Jira; 0: any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub jira_port: u16,
    /// Port of Slack; 0: any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub slack_port: u16,
    /// Port of GitHub; 0: any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub github_port: u16,
    /// Port of the control address; 0: any free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub control_port: u16,
    /// Do the emulators refuse requests above the vendors' quotas
    #[arg(long, value_enum, default_value_t, value_name = "ON|OFF")]
    pub quotas: Switch,
    /// End when standard input does: whoever started it is gone
    #[arg(long)]
    pub until_eof: bool,
}

/// `asaf digest`: the weekly digests.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf digest --dry-run                 what each channel would read; sends and keeps nothing
  asaf digest                           send this week's digests that were not sent yet
  asaf digest --team payments --again   send one once more")]
pub struct DigestArgs {
    /// Only these teams; `security` also means the security team's own digest
    #[arg(long, value_name = "TEAM", num_args = 1..)]
    pub team: Vec<String>,
    /// Print the digests instead of sending them
    #[arg(long)]
    pub dry_run: bool,
    /// Send also what this week's channels have had already
    #[arg(long, conflicts_with = "dry_run")]
    pub again: bool,
    /// How the digests, or what became of them, are written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: TextOrJson,
}

/// `asaf store`: the file with links, intents, receipts and the audit.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf store backup /backup/asaf.sqlite3     a consistent copy, also while a run writes
  asaf store verify                          the file, and the audit's chain of hashes")]
pub struct StoreArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// What to do with the store.
#[derive(Clone, Debug, Subcommand)]
pub enum StoreCommand {
    /// Write a consistent copy
    #[command(after_help = "Example:\n  asaf store backup /backup/asaf.sqlite3")]
    Backup {
        /// Where to
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Check the file and the audit's chain of hashes
    #[command(after_help = "Example:\n  asaf store verify")]
    Verify,
}
