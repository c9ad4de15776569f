//! The Slack workspace to begin with: a channel for each team, and one for whoever looks after `asaf`.

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TomlError, value};

use super::seed::TEAMS;
use crate::emulators::slack::Slack;

/// The Slack channel of the nth team; the first one is the security team's.
pub fn channel_id(team: usize) -> String {
    format!("C0TEAM{team:04}")
}

/// The Slack channel of whoever looks after `asaf`.
pub const FALLBACK_CHANNEL: &str = "C0OPERATIONS";

/// The workspace.
pub(super) fn workspace() -> Slack {
    let mut slack = Slack::new();
    for (index, (team, _)) in TEAMS.iter().enumerate() {
        let name = if index == 0 {
            "security".to_owned()
        } else {
            format!("{team}-security")
        };
        slack.add_channel(&channel_id(index), &name);
    }
    slack.add_channel(FALLBACK_CHANNEL, "asaf-operations");
    slack
}

/// The configuration of a seeded world, with this workspace, each owner's channel, and due dates.
///
/// # Errors
/// When the text is no TOML.
pub fn with_slack(config: &str, slack_url: &str) -> Result<String, TomlError> {
    let mut document: DocumentMut = config.parse()?;
    let mut slack = Table::new();
    slack["token"] = value("env:ASAF_SLACK_TOKEN");
    slack["security_channel"] = value(channel_id(0));
    slack["fallback_channel"] = value(FALLBACK_CHANNEL);
    slack["api_url"] = value(format!("{slack_url}/api"));
    document["slack"] = Item::Table(slack);
    document["sla"] = Item::Table(Table::new());
    if let Some(default) = document["owners"]["default"].as_inline_table_mut() {
        default.insert("slack_channel", channel_id(0).into());
    }
    let rules = document["owners"].get_mut("rules");
    for rule in rules
        .and_then(Item::as_array_of_tables_mut)
        .into_iter()
        .flat_map(ArrayOfTables::iter_mut)
    {
        let team = rule["team"].as_str().unwrap_or_default();
        let index = TEAMS.iter().position(|(known, _)| *known == team);
        if let Some(index) = index {
            rule["slack_channel"] = value(channel_id(index));
        }
    }
    Ok(document.to_string())
}
