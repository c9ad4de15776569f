//! The command line as typed: names, types and help. What a command does stands in [`crate::jobs`]; nothing here
//! reads a file or opens a connection. Secrets are never arguments.

use std::path::PathBuf;
use std::process::{ExitCode, Termination};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::talk::{Loudness, plain};

mod adopt;
mod ignore;
mod local;
mod owners;
mod report;
mod review;
mod setup;
mod sync;
mod template;

pub use adopt::AdoptArgs;
pub use ignore::{
    CheckArgs, CheckOutput, CodeOwnersArgs, IgnoreArgs, IgnoreCommand, IgnoreSyncArgs, LsArgs,
    NewArgs, ProposeArgs, WhyArgs,
};
pub use local::{
    ConfigArgs, ConfigCommand, DemoArgs, DigestArgs, EmulateArgs, FindingsArgs, FindingsCommand,
    InitArgs, StoreArgs, StoreCommand, Switch,
};
pub use owners::{OwnersArgs, OwnersCommand};
pub use report::{ReportArgs, ReportOutput};
pub use review::ReviewArgs;
pub use setup::{
    DoctorArgs, Policy, ProjectArgs, WebhookArgs, WebhookCommand, WorkflowArgs, WorkflowCommand,
    WorkflowRelease,
};
pub use sync::{
    ApplyArgs, ExplainArgs, Override, PauseArgs, PauseCommand, PauseReason, PlanArgs,
    QuarantineArgs, QuarantineCommand, ReconcileArgs, Release, ResumeArgs, ResumeCommand,
    ScopeArgs, ServeArgs,
};
pub use template::{PreviewOutput, TemplateArgs, TemplateCommand};

/// Keeps AWS Security Hub findings and Jira tickets in step, both ways.
#[derive(Debug, Parser)]
#[command(
    name = "asaf",
    version,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  asaf demo                 see it work, with nothing configured
  asaf init                 write a commented asaf.toml
  asaf workflow apply       install the ticket workflow in Jira
  asaf doctor               check everything that asaf needs
  asaf plan                 what would change
  asaf reconcile            change it: the scheduled job
  asaf serve                change it within seconds: webhook, event queue, and the scheduled job
  asaf review               what waits for security, with the evidence
  asaf explain PAY-12       why it is so, who decided, what comes next
  asaf report               what is open, what was fixed, how long it took, who lags
  asaf ignore check         are the ignore rules right, and what would they hide

Exit codes:
  0 ok · 1 failed · 2 changes pending (only with --detailed-exitcode) · 3 blocked by a limit
  4 configuration or credentials · 5 done, some items quarantined · 64 usage"
)]
pub struct Cli {
    /// What every command knows.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command knows.
#[derive(Clone, Debug, Args)]
pub struct GlobalArgs {
    /// The configuration file
    #[arg(
        long,
        value_name = "FILE",
        env = "ASAF_CONFIG",
        hide_env_values = true,
        default_value = "asaf.toml",
        global = true
    )]
    pub config: PathBuf,
    /// Say nothing but errors
    #[arg(long, short, action = ArgAction::SetTrue, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say each step
    #[arg(long, short, action = ArgAction::SetTrue, global = true)]
    pub verbose: bool,
    /// How log lines on stderr are written; ASAF_LOG chooses which, such as "asaf=debug"
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        global = true
    )]
    pub log_format: LogFormat,
}

impl GlobalArgs {
    /// How much is said on stderr.
    pub fn loudness(&self) -> Loudness {
        match (self.quiet, self.verbose) {
            (true, _) => Loudness::Quiet,
            (_, true) => Loudness::Verbose,
            _ => Loudness::Normal,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented configuration file
    Init(InitArgs),
    /// Check, show or describe the configuration
    Config(ConfigArgs),
    /// Show what a reconcile would do
    Plan(PlanArgs),
    /// Apply everything that is due, or exactly a saved plan
    Apply(ApplyArgs),
    /// Bring both sides in step: the scheduled job
    Reconcile(ReconcileArgs),
    /// Keep both sides in step within seconds: webhook, event queue and scheduled reads
    Serve(ServeArgs),
    /// List what waits for security, oldest first, with the evidence
    Review(ReviewArgs),
    /// Say why a finding or ticket is as it is
    Explain(ExplainArgs),
    /// Check, write, apply and propose ignore rules
    Ignore(IgnoreArgs),
    /// Check what tickets say, or show the ticket of a finding
    Template(TemplateArgs),
    /// Say who answers for what, and report what nobody answers for
    Owners(OwnersArgs),
    /// Take over tickets that people or another tool made
    Adopt(AdoptArgs),
    /// Look at what failed or is in doubt
    Quarantine(QuarantineArgs),
    /// Stop writing for an account, a project or everything
    Pause(PauseArgs),
    /// End a pause
    Resume(ResumeArgs),
    /// Send or show the weekly digests
    Digest(DigestArgs),
    /// Write the figures as one file: HTML, CSV, JSON or Markdown
    Report(ReportArgs),
    /// Install the ticket workflow in Jira, and prove that it holds
    Workflow(WorkflowArgs),
    /// Register Jira's webhook, or show it
    Webhook(WebhookArgs),
    /// Check everything that asaf needs, and say how to correct it
    Doctor(DoctorArgs),
    /// Look at findings from files, without credentials
    Findings(FindingsArgs),
    /// Back up or verify the store
    Store(StoreArgs),
    /// See the whole story against emulators, with nothing configured
    Demo(DemoArgs),
    /// Serve the emulators of AWS and Jira
    Emulate(EmulateArgs),
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How data is written to stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON value, for programs.
    Json,
    /// For a ticket or a pull request.
    Markdown,
}

/// How data is written to stdout by commands without a Markdown form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// For people.
    #[default]
    Text,
    /// One JSON value, for programs.
    Json,
}

/// How a run ended, for the calling program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Failed; nothing is lost, running again is safe.
    Failed = 1,
    /// Only with `--detailed-exitcode`: there are changes to apply, or tickets to review.
    ChangesPending = 2,
    /// A limit blocks the changes; the plan says how to release exactly them.
    Blocked = 3,
    /// The configuration or the credentials are wrong.
    Configuration = 4,
    /// Done, except for quarantined items.
    Quarantined = 5,
    /// The command line is wrong (clap's own code is 2, which means changes pending here).
    Usage = 64,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

/// An AWS account id as an argument.
pub(crate) fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("an AWS account id has 12 digits".to_owned())
    }
}

/// A usage error as text for people. Clap repeats what was typed, and that may have come from elsewhere.
pub fn usage_error(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines: Vec<_> = text.trim_end().lines().map(plain).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use clap::CommandFactory;

    use super::*;

    /// Parses one command's arguments without the program around them.
    #[derive(Debug, Parser)]
    struct Only<A: Args> {
        #[command(flatten)]
        args: A,
    }

    fn parse<A: Args + std::fmt::Debug>(line: &str) -> Result<A, clap::Error> {
        let words = std::iter::once("x").chain(line.split_whitespace());
        Only::<A>::try_parse_from(words).map(|only| only.args)
    }

    #[test]
    fn every_command_definition_is_consistent() {
        Cli::command().debug_assert();
        Only::<PlanArgs>::command().debug_assert();
        Only::<ApplyArgs>::command().debug_assert();
        Only::<ReconcileArgs>::command().debug_assert();
        Only::<ServeArgs>::command().debug_assert();
        Only::<ReviewArgs>::command().debug_assert();
        Only::<ExplainArgs>::command().debug_assert();
        Only::<DemoArgs>::command().debug_assert();
        Only::<EmulateArgs>::command().debug_assert();
        Only::<QuarantineArgs>::command().debug_assert();
        Only::<PauseArgs>::command().debug_assert();
        Only::<ResumeArgs>::command().debug_assert();
        Only::<FindingsArgs>::command().debug_assert();
        Only::<StoreArgs>::command().debug_assert();
        Only::<DigestArgs>::command().debug_assert();
        Only::<ReportArgs>::command().debug_assert();
        Only::<IgnoreArgs>::command().debug_assert();
        Only::<WorkflowArgs>::command().debug_assert();
        Only::<WebhookArgs>::command().debug_assert();
        Only::<DoctorArgs>::command().debug_assert();
    }

    #[test]
    fn a_scope_is_one_of_its_kinds_and_may_name_several() {
        let plan: PlanArgs = parse("--account 012345678901 123456789012 --output json").unwrap();
        assert_eq!(plan.scope.account, ["012345678901", "123456789012"]);
        assert_eq!(plan.output, Output::Json);
        for wrong in [
            "--account 12345",
            "--full --account 012345678901",
            "--ticket PAY-1 --finding arn:x",
        ] {
            assert!(parse::<PlanArgs>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_limit_is_released_only_together_with_a_digest() {
        assert!(parse::<ApplyArgs>("--allow too-many-closes").is_err());
        assert!(parse::<ReconcileArgs>("--allow too-many-closes").is_err());
        let apply: ApplyArgs = parse("plan.json --expect 9f2c --allow too-many-closes").unwrap();
        assert_eq!(apply.release.allow, [Override::TooManyCloses]);
    }

    #[test]
    fn a_read_is_full_or_incremental() {
        assert!(parse::<ReconcileArgs>("--full --incremental").is_err());
        assert!(parse::<ReconcileArgs>("--incremental").unwrap().incremental);
    }

    #[test]
    fn the_emulators_have_the_size_of_a_large_organization_unless_told() {
        let emulate: EmulateArgs = parse("--quotas off --jira-port 8001").unwrap();
        assert_eq!((emulate.accounts, emulate.findings), (400, 12_000));
        assert_eq!((emulate.quotas, emulate.jira_port), (Switch::Off, 8001));
    }
}
