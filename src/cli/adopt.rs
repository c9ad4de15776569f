//! Arguments of `asaf adopt`.

use clap::Args;

use super::TextOrJson;

/// `asaf adopt`: take over tickets that people or another tool made.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  asaf adopt --jql 'project = SEC and labels = prowler' --map 'field:customfield_10050'
  asaf adopt --jql 'project = SEC' --map 'summary:^(?<control>[A-Z0-9]+\\.[0-9]+) .* (?<resource>arn:\\S+)'
  asaf adopt --jql 'project = SEC' --map csv:tickets.csv --apply

Mappings, tried in this order until one finds something:
  field:ID           the text of a field; field:ID:REGEX a part of it
  label:REGEX        a part of a label
  summary:REGEX      a part of the summary
  description:REGEX  parts of the description
  csv:FILE           lines of KEY,FINDING-ID

A REGEX names what it finds: (?<finding>…), (?<control>…), (?<resource>…), (?<account>…), (?<region>…). Its first group
without a name is the finding's id. A finding's id, and a resource's ARN, may be its last part.")]
pub struct AdoptArgs {
    /// Which tickets to look at, in Jira's query language
    #[arg(long, value_name = "JQL")]
    pub jql: String,
    /// Where a ticket says which finding it is about; may be given several times
    #[arg(long = "map", value_name = "MAPPING", required = true)]
    pub maps: Vec<String>,
    /// Take over what the plan shows; without it nothing is written
    #[arg(long)]
    pub apply: bool,
    /// How the plan is written to stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: TextOrJson,
}
