//! Arguments of `asaf review`.

use clap::Args;

use super::Output;
use crate::config::Period;

/// `asaf review`: what waits for security, oldest first, with the evidence.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf review                                  read now: Security Hub, Jira, AWS Config
  asaf review --offline                        from the store; nothing is asked
  asaf review --team payments --longer-than 3d
  asaf review --output markdown                for a ticket or a chat
  asaf review --detailed-exitcode --quiet      in a script: 2 when something waits

Listed are tickets that are resolved and neither closed nor reopened by a reviewer yet, tickets that a reviewer
closed while the policy is to hold, and disputes. It writes nothing, and works beside a running asaf serve.")]
pub struct ReviewArgs {
    /// Answer from the store alone
    #[arg(long)]
    pub offline: bool,
    /// Only tickets of this team
    #[arg(long, value_name = "NAME")]
    pub team: Option<String>,
    /// Only what has waited longer than this, such as 12h or 3d
    #[arg(long, value_name = "TIME")]
    pub longer_than: Option<Period>,
    /// Exit with 2 when something is listed
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How the list is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
}
