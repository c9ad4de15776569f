//! Arguments of `asaf ignore`: rules checked, written, looked at, applied and proposed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Output, Release, TextOrJson, account};

/// `asaf ignore`: reviewed ignore rules.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf ignore new --control S3.8 --account 012345678901 --owner web --reason \"Public website\"
  asaf ignore check --base origin/main          what the change would hide and show again
  asaf ignore sync                              apply the merged rules now
  asaf ignore why WEB-12                        which rule hides it, or what is missing
  asaf ignore propose WEB-12 --reason \"Public website\"")]
pub struct IgnoreArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: IgnoreCommand,
}

/// What to do with ignore rules.
#[derive(Clone, Debug, Subcommand)]
pub enum IgnoreCommand {
    /// Check files of rules, and show what a change of them would hide and show again
    Check(Box<CheckArgs>),
    /// Apply the merged rules to what they cover or covered
    Sync(IgnoreSyncArgs),
    /// Write a rule into a file
    New(Box<NewArgs>),
    /// List the rules in force, what each hides, and who approved it
    Ls(LsArgs),
    /// Say which rule hides a finding or ticket, or what keeps rules from doing so
    Why(WhyArgs),
    /// Count: by team, by severity, what ends soon, what hides nothing, what is hidden outside the rules
    #[command(after_help = "Examples:\n  asaf ignore stats\n  asaf ignore stats --output json")]
    Stats {
        /// How the figures are written to stdout
        #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
        output: TextOrJson,
    },
    /// Open the pull request that ignores a ticket's finding, on behalf of its team
    Propose(ProposeArgs),
    /// Write or check CODEOWNERS, so that security must approve rules
    CodeOwners(CodeOwnersArgs),
    /// Print the JSON Schema of files of rules, for editors
    #[command(after_help = "Example:\n  asaf ignore schema > asaf-ignore.schema.json")]
    Schema,
}

/// How the outcome of a check is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckOutput {
    /// For people.
    #[default]
    Text,
    /// One JSON value, for programs.
    Json,
    /// For a pull request.
    Markdown,
    /// Workflow commands: annotations at the rules' lines in GitHub Actions.
    Github,
}

/// `asaf ignore check`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf ignore check                                   all files below ignore/, as they lie
  asaf ignore check ignore/web.toml --static          only what is written, without findings
  asaf ignore check --base origin/main                what differs, and what it would hide now
  asaf ignore check --base origin/main --findings findings.json
  asaf ignore check --base BASE_SHA --head HEAD_SHA --output github --save markdown=check.md
  asaf ignore check --base BASE_SHA --head HEAD_SHA --pull-request 12

With --head nothing is checked out: files are read as objects, as merging would leave them.
Exit 1 when something must be corrected.")]
pub struct CheckArgs {
    /// Only say what is wrong in these files
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The commit that the change is compared with
    #[arg(long, value_name = "REF")]
    pub base: Option<String>,
    /// The commit to look at, instead of the files as they lie
    #[arg(long, value_name = "REF", requires = "base")]
    pub head: Option<String>,
    /// Findings from a file, a folder or - (stdin) instead of AWS
    #[arg(long, value_name = "PATH")]
    pub findings: Option<PathBuf>,
    /// Look only at what is written: no findings, no tickets
    #[arg(long = "static", conflicts_with = "findings")]
    pub is_static: bool,
    /// How the outcome is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: CheckOutput,
    /// Write it to a file too, such as markdown=check.md
    #[arg(long, value_name = "FORMAT=FILE", value_parser = save)]
    pub save: Vec<(CheckOutput, PathBuf)>,
    /// Keep one comment and one check run on this pull request up to date
    #[arg(long, value_name = "NUMBER", requires = "head")]
    pub pull_request: Option<u64>,
}

fn save(text: &str) -> Result<(CheckOutput, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("write FORMAT=FILE")?;
    if file.is_empty() {
        return Err("the file's name is empty".to_owned());
    }
    Ok((CheckOutput::from_str(format, false)?, PathBuf::from(file)))
}

/// `asaf ignore sync`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf ignore sync                  what rules cover, and what they covered
  asaf ignore sync --dry-run        what it would do
  asaf ignore sync --expect 9f2c41d0 --allow too-many-closes")]
pub struct IgnoreSyncArgs {
    /// Show what would be done, and write nothing
    #[arg(long, conflicts_with_all = ["expect", "allow"])]
    pub dry_run: bool,
    /// Which blocked plan may pass.
    #[command(flatten)]
    pub release: Release,
    /// How the outcome is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
}

/// `asaf ignore new`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf ignore new                                     asks, on a terminal
  asaf ignore new --no-input --control S3.8 --account 012345678901 --resource 'arn:aws:s3:::www-*' \\
    --owner web --requested-by pat@example.com --reason \"Public websites\" --expires 90d

What is in the file already stays as it is: the rule is added at the end.")]
pub struct NewArgs {
    /// The file to write into; without it ignore/TEAM.toml
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The rule's id; without it one is made from control and owner
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Control, Config rule, CVE or finding type
    #[arg(long, value_name = "CONTROL", num_args = 1..)]
    pub control: Vec<String>,
    /// Product, such as guardduty
    #[arg(long, value_name = "PRODUCT", num_args = 1..)]
    pub product: Vec<String>,
    /// ASFF type, or its beginning up to a /
    #[arg(long = "type", value_name = "TYPE", num_args = 1..)]
    pub types: Vec<String>,
    /// AWS account
    #[arg(long, value_name = "ACCOUNT", num_args = 1.., value_parser = account)]
    pub account: Vec<String>,
    /// Path of an organisational unit, such as /prod/web
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub ou: Vec<String>,
    /// Region
    #[arg(long, value_name = "REGION", num_args = 1..)]
    pub region: Vec<String>,
    /// Glob over resource ids
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    pub resource: Vec<String>,
    /// Tag that the resources carry
    #[arg(long, value_name = "KEY=VALUE", num_args = 1.., value_parser = tag)]
    pub tag: Vec<(String, String)>,
    /// Why it is intended
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The team that answers for it
    #[arg(long, value_name = "TEAM")]
    pub owner: Option<String>,
    /// Who asks for it
    #[arg(long, value_name = "WHO")]
    pub requested_by: Option<String>,
    /// The last day, such as 2027-01-31, or a time from now; without it 90d
    #[arg(long, value_name = "DAY")]
    pub expires: Option<String>,
    /// A ticket with the background
    #[arg(long, value_name = "KEY")]
    pub ticket: Option<String>,
    /// Never ask
    #[arg(long)]
    pub no_input: bool,
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// `asaf ignore ls`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf ignore ls                      as of the last run
  asaf ignore ls --unused             rules that hide nothing
  asaf ignore ls --ending 30          rules that end within 30 days
  asaf ignore ls --owner web --output json")]
pub struct LsArgs {
    /// Only rules that hide nothing
    #[arg(long)]
    pub unused: bool,
    /// Only rules that end within so many days, and those that have ended
    #[arg(long, value_name = "DAYS")]
    pub ending: Option<u16>,
    /// Only rules of this team
    #[arg(long, value_name = "TEAM")]
    pub owner: Option<String>,
    /// How the list is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: TextOrJson,
}

/// `asaf ignore why`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf ignore why WEB-12
  asaf ignore why arn:aws:s3:::www-example --output json")]
pub struct WhyArgs {
    /// A finding's id, a ticket's key or a resource's id
    #[arg(value_name = "FINDING|TICKET|RESOURCE")]
    pub subject: String,
    /// How the answer is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: TextOrJson,
}

/// `asaf ignore propose`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf ignore propose WEB-12 --reason \"The website is public\" --requested-by pat@example.com
  asaf ignore propose WEB-12 --expires 30d --dry-run        the rule and the file, without a pull request")]
pub struct ProposeArgs {
    /// The ticket
    #[arg(value_name = "TICKET")]
    pub ticket: String,
    /// Why it is intended; asked for on a terminal
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Who asks for it
    #[arg(long, value_name = "WHO")]
    pub requested_by: Option<String>,
    /// The team that answers for it; without it the ticket's
    #[arg(long, value_name = "TEAM")]
    pub owner: Option<String>,
    /// The last day, such as 2027-01-31, or a time from now, such as 90d
    #[arg(long, value_name = "DAY", default_value = "90d")]
    pub expires: String,
    /// Show the rule and where it would stand, and open nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How the answer is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: TextOrJson,
}

/// `asaf ignore code-owners`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf ignore code-owners --approver @acme/security            writes .github/CODEOWNERS
  asaf ignore code-owners --approver @acme/security --check    exit 1 if rules could come in without security")]
pub struct CodeOwnersArgs {
    /// Who must approve; without it the approvers of the configuration
    #[arg(long, value_name = "@TEAM|@USER", num_args = 1..)]
    pub approver: Vec<String>,
    /// Only say what is missing
    #[arg(long)]
    pub check: bool,
}
