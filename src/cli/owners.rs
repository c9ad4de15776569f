//! Arguments of `asaf owners`.

use clap::{Args, Subcommand};

use super::TextOrJson;

/// `asaf owners`: who answers for what, and why.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf owners check                 accounts that nobody answers for, rules for accounts that are gone
  asaf owners ls                    every account with its owner
  asaf owners why arn:aws:securityhub:…    which rule names the owner of a finding, and which did not match")]
pub struct OwnersArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: OwnersCommand,
}

/// What to do with owners.
#[derive(Clone, Debug, Subcommand)]
pub enum OwnersCommand {
    /// Report accounts that only the default owner answers for, and accounts of rules that are not active
    #[command(
        after_help = "Examples:\n  asaf owners check\n  asaf owners check --output json\n\nExit code 1 when something is reported."
    )]
    Check {
        /// How the report is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: TextOrJson,
    },
    /// List the accounts of the organisation with their owners
    #[command(after_help = "Example:\n  asaf owners ls --output json")]
    Ls {
        /// How the list is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: TextOrJson,
    },
    /// Say who answers for a finding, by which rule, and why the rules before it do not match
    #[command(after_help = "Examples:\n  asaf owners why PAY-12\n  asaf owners why FINDING-ID")]
    Why {
        /// A finding's id, or a ticket's key
        #[arg(value_name = "FINDING")]
        subject: String,
        /// How the answer is written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: TextOrJson,
    },
}
