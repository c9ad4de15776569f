//! Which team and project answer for an account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Account;

/// `[owners]`: the first rule that names an account, else the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owners {
    /// Who answers for every account that no rule names.
    pub default: Owner,
    /// In order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<OwnerRule>,
}

/// A team and where its tickets go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The team's name, as people read it.
    pub team: String,
    /// The key of the Jira project.
    pub project: String,
    /// A component of that project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Labels besides our own; a label has no blanks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The team's Slack channel, by its id (`C…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_channel: Option<String>,
    /// The Jira group of the product team: it holds the product team's role in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jira_group: Option<String>,
}

/// One rule: these accounts belong to this owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "RuleAsWritten", into = "RuleAsWritten")]
#[schemars(with = "RuleAsWritten")]
pub struct OwnerRule {
    /// AWS account ids: 12 digits, as text.
    pub accounts: Vec<Account>,
    /// Who answers for them.
    pub owner: Owner,
}

/// A rule stands flat in the file; serde's `flatten` would give up refusing unknown keys.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "OwnerRule")]
#[serde(deny_unknown_fields)]
struct RuleAsWritten {
    /// AWS account ids: 12 digits, as text.
    accounts: Vec<Account>,
    /// The team's name, as people read it.
    team: String,
    /// The key of the Jira project.
    project: String,
    /// A component of that project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    component: Option<String>,
    /// Labels besides our own; a label has no blanks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    /// The team's Slack channel, by its id (`C…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slack_channel: Option<String>,
    /// The Jira group of the product team: it holds the product team's role in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jira_group: Option<String>,
}

impl From<RuleAsWritten> for OwnerRule {
    fn from(rule: RuleAsWritten) -> Self {
        OwnerRule {
            accounts: rule.accounts,
            owner: Owner {
                team: rule.team,
                project: rule.project,
                component: rule.component,
                labels: rule.labels,
                slack_channel: rule.slack_channel,
                jira_group: rule.jira_group,
            },
        }
    }
}

impl From<OwnerRule> for RuleAsWritten {
    fn from(rule: OwnerRule) -> Self {
        let Owner {
            team,
            project,
            component,
            labels,
            slack_channel,
            jira_group,
        } = rule.owner;
        RuleAsWritten {
            accounts: rule.accounts,
            team,
            project,
            component,
            labels,
            slack_channel,
            jira_group,
        }
    }
}

impl Owners {
    /// Who answers for this account.
    pub fn of(&self, account: &str) -> &Owner {
        self.rules
            .iter()
            .find(|rule| rule.accounts.iter().any(|named| named == account))
            .map_or(&self.default, |rule| &rule.owner)
    }

    /// The Slack channel of a team: of the first owner with that name that has one, else of the default owner.
    pub fn slack_channel(&self, team: &str) -> Option<&str> {
        self.all()
            .find(|owner| owner.team == team && owner.slack_channel.is_some())
            .unwrap_or(&self.default)
            .slack_channel
            .as_deref()
    }

    /// Every team, sorted, each once.
    pub fn teams(&self) -> std::collections::BTreeSet<&str> {
        self.all().map(|owner| owner.team.as_str()).collect()
    }

    /// Every owner, the default last.
    pub fn all(&self) -> impl Iterator<Item = &Owner> {
        let rules = self.rules.iter().map(|rule| &rule.owner);
        rules.chain(std::iter::once(&self.default))
    }

    /// Every project that a ticket may be created in, sorted, each once.
    pub fn projects(&self) -> std::collections::BTreeSet<&str> {
        self.all().map(|owner| owner.project.as_str()).collect()
    }
}
