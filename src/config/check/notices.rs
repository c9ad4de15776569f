//! What `[slack]`, `[teams_webhook]`, `[notices]` and `[sla]` must fulfil besides their types.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::{Found, is_loopback};
use crate::config::{Config, Notices, Sla, Slack};

/// Slack's own Web API and GovSlack's (docs.slack.dev, GovSlack): a bot token goes nowhere else.
const SLACK_APIS: [&str; 2] = ["https://slack.com/api", "https://slack-gov.com/api"];

/// Names of products as `[notices]` writes them.
const PRODUCTS: [&str; 7] = [
    "securityhub",
    "config",
    "guardduty",
    "access-analyzer",
    "inspector",
    "macie",
    "custom",
];

/// The longest that messages are folded.
const LONGEST_FOLD: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn notices(config: &Config, found: &mut Found) {
    if let Some(slack) = &config.slack {
        check_slack(slack, found);
    }
    let teams: BTreeSet<&str> = config.owners.teams();
    if let Some(webhooks) = &config.teams_webhook {
        let named = webhooks.teams.keys();
        known_teams("teams_webhook.teams", named, &teams, found);
    }
    channels(config, found);
    check_notices(&config.notices, found);
    if let Some(sla) = &config.sla {
        known_teams("sla.teams", sla.teams.keys(), &teams, found);
        check_sla(sla, found);
    }
}

fn check_slack(slack: &Slack, found: &mut Found) {
    let url = slack.api_url.trim_end_matches('/');
    if !SLACK_APIS.contains(&url) && !is_loopback(url) {
        found.add_with_help(
            "slack.api_url",
            "is not Slack's Web API, and the bot token goes nowhere else",
            "remove it, or write https://slack.com/api or https://slack-gov.com/api",
        );
    }
    channel("slack.security_channel", &slack.security_channel, found);
    if let Some(fallback) = &slack.fallback_channel {
        channel("slack.fallback_channel", fallback, found);
    }
}

/// Names change, and the API that edits and reads messages takes ids only (docs.slack.dev, chat.update).
fn channel(path: impl Into<String>, id: &str, found: &mut Found) {
    let shaped = id.len() >= 9
        && id.starts_with(['C', 'G'])
        && id
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !shaped {
        found.add_with_help(
            path,
            format!("`{id}` is no channel id, such as \"C0123456789\""),
            "in Slack, open the channel's details: its id stands at the bottom",
        );
    }
}

fn channels(config: &Config, found: &mut Found) {
    let rules = config.owners.rules.iter().enumerate();
    let owners = rules
        .map(|(i, rule)| (format!("owners.rules[{i}]"), &rule.owner))
        .chain([("owners.default".to_owned(), &config.owners.default)]);
    for (path, owner) in owners {
        let Some(id) = &owner.slack_channel else {
            continue;
        };
        let path = format!("{path}.slack_channel");
        if config.slack.is_none() {
            found.add_with_help(
                path,
                "needs a bot that writes to it",
                "add the table [slack] with token and security_channel",
            );
        } else {
            channel(path, id, found);
        }
    }
}

fn known_teams<'a>(
    path: &str,
    named: impl Iterator<Item = &'a String>,
    teams: &BTreeSet<&str>,
    found: &mut Found,
) {
    for team in named.filter(|team| !teams.contains(team.as_str())) {
        let known: Vec<&str> = teams.iter().copied().collect();
        found.add_with_help(
            format!("{path}.{team}"),
            format!("no owner has the team `{team}`"),
            &format!("the owners' teams are: {}", known.join(", ")),
        );
    }
}

fn check_notices(notices: &Notices, found: &mut Found) {
    if TimeZone::get(&notices.timezone).is_err() {
        found.add_with_help(
            "notices.timezone",
            format!("`{}` is no time zone", notices.timezone),
            "write the name of the IANA database, such as \"Europe/Berlin\"",
        );
    }
    if notices.fold_window.duration() > LONGEST_FOLD {
        found.add("notices.fold_window", "is longer than 24h");
    }
    if let Some(quiet) = &notices.quiet_hours
        && quiet.from == quiet.until
    {
        found.add("notices.quiet_hours", "begin and end at the same time");
    }
    for (i, rule) in notices.at_once.iter().enumerate() {
        for (j, product) in rule.products.iter().enumerate() {
            if !PRODUCTS.contains(&product.as_str()) && !product.contains('/') {
                found.add_with_help(
                    format!("notices.at_once[{i}].products[{j}]"),
                    format!("`{product}` is no product"),
                    &format!("known here: {}, or company/product", PRODUCTS.join(", ")),
                );
            }
        }
    }
    if let Some(url) = &notices.help_url
        && !url.starts_with("https://")
    {
        found.add("notices.help_url", "is no https address");
    }
}

fn check_sla(sla: &Sla, found: &mut Found) {
    let all = std::iter::once(("sla.days".to_owned(), &sla.days));
    let teams = sla.teams.iter();
    let teams = teams.map(|(team, days)| (format!("sla.teams.{team}"), days));
    for (path, days) in all.chain(teams) {
        for (severity, days) in [
            ("CRITICAL", days.critical),
            ("HIGH", days.high),
            ("MEDIUM", days.medium),
            ("LOW", days.low),
            ("INFORMATIONAL", days.informational),
        ] {
            if days.is_some_and(|days| days == 0 || days > 3650) {
                found.add(format!("{path}.{severity}"), "days are 1 to 3650");
            }
        }
    }
}
