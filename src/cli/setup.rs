//! Arguments of the commands that set Jira up and prove it: workflow, webhook, doctor.

use clap::{Args, Subcommand, ValueEnum};

use super::{Output, TextOrJson};

/// `asaf workflow`: the ticket workflow as code.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf workflow diff                      how Jira differs from the file
  asaf workflow apply                     make Jira follow it
  asaf workflow verify                    prove by trying that product teams cannot close
  asaf workflow show > tickets.toml       the file, to change it and name it in [jira.workflow] file

All but show need [jira.admin], the login of a Jira administrator; the engine itself never uses it.")]
pub struct WorkflowArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: WorkflowCommand,
}

/// Which projects: all that `[owners]` names, or these.
#[derive(Clone, Debug, Default, Args)]
pub struct ProjectArgs {
    /// Only these projects, by key
    #[arg(long, value_name = "KEY", num_args = 1..)]
    pub project: Vec<String>,
}

/// A named release of what apply would otherwise leave to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WorkflowRelease {
    /// Projects with issues that are not asaf's: their people lose the right to create and edit them.
    SharedProject,
}

/// What to do with the workflow.
#[derive(Clone, Debug, Subcommand)]
pub enum WorkflowCommand {
    /// Show how Jira differs from the workflow file; writes nothing
    #[command(
        after_help = "Examples:\n  asaf workflow diff\n  asaf workflow diff --project PAY --output markdown\n  asaf workflow diff --detailed-exitcode     exit 2 when Jira differs"
    )]
    Diff {
        /// Which projects.
        #[command(flatten)]
        projects: ProjectArgs,
        /// How the difference is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: Output,
        /// Exit 0 without changes, 2 with changes
        #[arg(long)]
        detailed_exitcode: bool,
    },
    /// Make Jira follow the workflow file
    #[command(
        after_help = "Examples:\n  asaf workflow apply\n  asaf workflow apply --project PAY WEB\n  asaf workflow apply --project OPS --allow shared-project"
    )]
    Apply {
        /// Which projects.
        #[command(flatten)]
        projects: ProjectArgs,
        /// Release what waits for a person, by its name
        #[arg(long, value_enum, value_name = "WHAT", num_args = 1..)]
        allow: Vec<WorkflowRelease>,
        /// How the outcome is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: Output,
    },
    /// Prove that the rule holds: read conditions and permissions, and try as test users what must be refused
    #[command(
        after_help = "Examples:\n  asaf workflow verify\n  asaf workflow verify --project PAY\n  asaf workflow verify --read-only       without test users: believes what it reads\n\nTrying creates tickets with the label asaf-verify and deletes them again. Exit code: 0 the rule holds, 1 it does not."
    )]
    Verify {
        /// Which projects.
        #[command(flatten)]
        projects: ProjectArgs,
        /// Read only; try nothing
        #[arg(long)]
        read_only: bool,
        /// How the table is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: Output,
    },
    /// Print the workflow file that is in use
    #[command(after_help = "Example:\n  asaf workflow show > tickets.toml")]
    Show,
}

/// `asaf webhook`: Jira's admin webhook.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf webhook register --url https://asaf.example.com/webhook/jira
  asaf webhook status

Both need [jira.admin], the login of a Jira administrator.")]
pub struct WebhookArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: WebhookCommand,
}

/// What to do with the webhook.
#[derive(Clone, Debug, Subcommand)]
pub enum WebhookCommand {
    /// Register it with secret, filter and events, or correct it
    #[command(
        after_help = "Examples:\n  asaf webhook register --url https://asaf.example.com/webhook/jira\n  asaf webhook register --rotate      send the first secret of [webhook] again, after it was replaced"
    )]
    Register {
        /// Where Jira calls; without it the url of the webhook table counts
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// Send the secret again: Jira never shows the one that it has
        #[arg(long)]
        rotate: bool,
    },
    /// Show what is registered
    #[command(after_help = "Examples:\n  asaf webhook status\n  asaf webhook status --output json")]
    Status {
        /// How it is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: TextOrJson,
    },
}

/// `asaf doctor`: named checks of everything that asaf needs.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf doctor
  asaf doctor --output json
  asaf doctor --print-iam                    the IAM policy of the engine's role
  asaf doctor --print-iam member-role        and of the role in member accounts

A check that needs what has failed is skipped. Exit code: 0 nothing failed, 1 something did, 4 the configuration
or a credential is wrong.")]
pub struct DoctorArgs {
    /// How the findings are written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: TextOrJson,
    /// Try the member role in every account, not in a sample of 20
    #[arg(long)]
    pub every_account: bool,
    /// Print a policy instead of checking
    #[arg(
        long,
        value_enum,
        value_name = "WHICH",
        num_args = 0..=1,
        default_missing_value = "engine",
        conflicts_with = "every_account"
    )]
    pub print_iam: Option<Policy>,
}

/// Which policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// What the engine's own role may do.
    Engine,
    /// What the role in member accounts may do.
    MemberRole,
    /// Who may assume the role in member accounts.
    MemberTrust,
    /// Who may put events into the queue.
    Queue,
}
