//! Arguments of `asaf template`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `asaf template`: what tickets say.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf template check
  asaf template preview PAY-12
  asaf template preview --file finding.json --output adf")]
pub struct TemplateArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: TemplateCommand,
}

/// What to do with templates.
#[derive(Clone, Debug, Subcommand)]
pub enum TemplateCommand {
    /// Fill every template and every mapped field with an example, and say what is wrong
    #[command(after_help = "Example:\n  asaf template check")]
    Check,
    /// Show the ticket that a finding gets, or would get now; nothing is written
    #[command(
        after_help = "Examples:\n  asaf template preview FINDING-ID\n  asaf template preview --file finding.json"
    )]
    Preview {
        /// A finding's id, or a ticket's key
        #[arg(value_name = "FINDING", required_unless_present = "file")]
        subject: Option<String>,
        /// A file with findings in the place of Security Hub
        #[arg(long, value_name = "FILE", conflicts_with = "subject")]
        file: Option<PathBuf>,
        /// How the ticket is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: PreviewOutput,
    },
}

/// How a ticket is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PreviewOutput {
    /// Summary, fields and the description's words.
    #[default]
    Text,
    /// What Jira's API gets.
    Adf,
}
