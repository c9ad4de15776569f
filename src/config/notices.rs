//! `[slack]`, `[teams_webhook]`, `[notices]`, `[sla]`: where people hear of what happens, how soon, and what is late.

use std::collections::BTreeMap;

use jiff::civil::{Time, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, Secret};
use crate::model::Severity;

/// `[slack]`: one Slack app with a bot token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// The bot token (`xoxb-…`), by reference. Scopes: `chat:write`, `files:write`, and `channels:history` (private
    /// channels: `groups:history`) to look for a message whose sending was cut off.
    pub token: Secret,
    /// The security team's channel, by its id (`C…`).
    pub security_channel: String,
    /// Who hears that another channel cannot be reached; without it the security team's channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_channel: Option<String>,
    /// The Web API: Slack's own, GovSlack's, or an emulator on a loopback address.
    #[serde(default = "default_api_url")]
    pub api_url: String,
}

fn default_api_url() -> String {
    "https://slack.com/api".to_owned()
}

impl Slack {
    /// Who hears that a channel cannot be reached.
    pub fn fallback(&self) -> &str {
        self.fallback_channel
            .as_deref()
            .unwrap_or(&self.security_channel)
    }
}

/// `[teams_webhook]`: Microsoft Teams, through workflows with the trigger *When a Teams webhook request is received*.
/// The address of a workflow is its secret, so each stands here by reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamsWebhook {
    /// The security team's channel.
    pub security: Secret,
    /// Channels of owners, by the owner's team.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<String, Secret>,
}

/// `[notices]`: what is told at once, and when nothing is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Notices {
    /// Findings that fit one of these are told at once.
    pub at_once: Vec<AtOnce>,
    /// Findings of one rule in one channel within this time become one message with counts.
    pub fold_window: Period,
    /// The time zone of quiet hours, due dates and digests, such as `Europe/Berlin`.
    pub timezone: String,
    /// Only CRITICAL is told in these hours; the rest waits for their end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// When the weekly digests are sent.
    pub digest: DigestAt,
    /// A page that says how a finding is ignored, for the digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_url: Option<String>,
}

impl Default for Notices {
    fn default() -> Self {
        Notices {
            at_once: vec![
                AtOnce {
                    severity: Severity::High,
                    products: vec!["guardduty".to_owned()],
                    types: Vec::new(),
                },
                AtOnce {
                    severity: Severity::Critical,
                    products: Vec::new(),
                    types: Vec::new(),
                },
            ],
            fold_window: Period::from_minutes(10),
            timezone: "UTC".to_owned(),
            quiet_hours: None,
            digest: DigestAt::default(),
            help_url: None,
        }
    }
}

/// One kind of finding that is told at once. All that is given must fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtOnce {
    /// At least this severe.
    pub severity: Severity,
    /// One of these products: `securityhub`, `config`, `guardduty`, `access-analyzer`, `inspector`, `macie`, `custom`, or
    /// `company/product`. Empty: every product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    /// The rule's id or one of the finding's types begins so, such as `UnauthorizedAccess:` or `IAM.`. Empty: every type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
}

/// Hours in which only CRITICAL is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// Begin, such as `22:00`.
    #[schemars(with = "String")]
    pub from: Time,
    /// End, such as `07:00`; before `from`: the next day.
    #[schemars(with = "String")]
    pub until: Time,
    /// Saturdays and Sundays are quiet as a whole.
    #[serde(default)]
    pub weekends: bool,
}

/// When the weekly digests are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DigestAt {
    /// Such as `monday`.
    pub weekday: Day,
    /// Such as `09:00`.
    #[schemars(with = "String")]
    pub time: Time,
}

impl Default for DigestAt {
    fn default() -> Self {
        DigestAt {
            weekday: Day::Monday,
            time: Time::constant(9, 0, 0, 0),
        }
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Day {
    /// The same for the calendar.
    pub fn weekday(self) -> Weekday {
        match self {
            Day::Monday => Weekday::Monday,
            Day::Tuesday => Weekday::Tuesday,
            Day::Wednesday => Weekday::Wednesday,
            Day::Thursday => Weekday::Thursday,
            Day::Friday => Weekday::Friday,
            Day::Saturday => Weekday::Saturday,
            Day::Sunday => Weekday::Sunday,
        }
    }
}

/// `[sla]`: how long a ticket may stay open. Without the table nothing is ever late, and tickets have no due date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sla {
    /// Days for each severity.
    pub days: Days,
    /// So long before its due date a ticket is said to become late.
    pub warn_before: Period,
    /// Other days for single teams; what a team leaves out is as for all.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<String, Days>,
}

impl Default for Sla {
    fn default() -> Self {
        Sla {
            days: Days {
                critical: Some(7),
                high: Some(30),
                medium: Some(90),
                low: None,
                informational: None,
            },
            warn_before: Period::from_hours(3 * 24),
            teams: BTreeMap::new(),
        }
    }
}

/// Days until a ticket is due, for each severity; a severity without days is never late.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub struct Days {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub informational: Option<u16>,
}

impl Days {
    fn of(&self, severity: Severity) -> Option<u16> {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Informational => self.informational,
        }
    }
}

impl Sla {
    /// How many days a team has for a ticket of this severity.
    pub fn days_of(&self, team: &str, severity: Severity) -> Option<u16> {
        self.teams
            .get(team)
            .and_then(|own| own.of(severity))
            .or_else(|| self.days.of(severity))
    }
}
