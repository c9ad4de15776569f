//! Arguments of `asaf report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::figures::{BadFilter, Filter};

/// `asaf report`: the figures of the dashboard as one file.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf report                                           everything, for a terminal or a wiki
  asaf report --output html --out report.html           one file with charts, to send or to print
  asaf report --team payments --from 2026-07-01 --to 2026-09-30 --output html --out q3.html
  asaf report --severity CRITICAL HIGH --table accounts --output csv > accounts.csv
  asaf report --output json | jq '.overview.open_now'

Values of one option are alternatives, options narrow each other. Days are days of UTC. What is open, late,
in review or ignored is of now, whatever the days. How each figure is computed: docs/dashboard.md.")]
pub struct ReportArgs {
    /// Only these teams
    #[arg(long, value_name = "TEAM", num_args = 1..)]
    pub team: Vec<String>,
    /// Only these accounts
    #[arg(long, value_name = "ID", num_args = 1.., value_parser = super::account)]
    pub account: Vec<String>,
    /// Only accounts in these organisational units, such as /prod/payments, and below
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub ou: Vec<String>,
    /// Only these Regions
    #[arg(long, value_name = "REGION", num_args = 1..)]
    pub region: Vec<String>,
    /// Only these severities: CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL
    #[arg(long, value_name = "SEVERITY", num_args = 1..)]
    pub severity: Vec<String>,
    /// Only these products, such as securityhub or guardduty
    #[arg(long, value_name = "PRODUCT", num_args = 1..)]
    pub product: Vec<String>,
    /// Only these controls, rules or finding types, such as S3.8
    #[arg(long, value_name = "CONTROL", num_args = 1..)]
    pub control: Vec<String>,
    /// The first day; without it since counting began
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// The last day; without it today
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
    /// How the report is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ReportOutput,
    /// Where to; without it to stdout
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Only this table: burn-down, flows, open, time-to-resolve, ages, teams, accounts, controls or ignored
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportOutput {
    /// For terminals, wikis and tickets.
    #[default]
    Markdown,
    /// One file with charts, for people.
    Html,
    /// For spreadsheets; safe against formulas.
    Csv,
    /// For programs.
    Json,
}

impl ReportArgs {
    /// What is counted.
    ///
    /// # Errors
    /// [`BadFilter`] for a value that cannot be.
    pub fn filter(&self) -> Result<Filter, BadFilter> {
        let mut filter = Filter::default();
        let lists = [
            ("team", &self.team),
            ("account", &self.account),
            ("ou", &self.ou),
            ("region", &self.region),
            ("severity", &self.severity),
            ("product", &self.product),
            ("control", &self.control),
        ];
        for (name, values) in lists {
            for value in values {
                filter.take(name, value)?;
            }
        }
        for (name, value) in [("from", &self.from), ("to", &self.to)] {
            filter.take(name, value.as_deref().unwrap_or_default())?;
        }
        filter.checked()
    }
}
