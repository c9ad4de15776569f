//! Which team and project answer for a finding.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::model::owner::{Conditions, Owner};
use crate::model::owner::{Knowledge, Routed, Routing};
use crate::model::{Account, Link, Severity};

/// `[owners]`: the first rule whose conditions all hold, else the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "AsWritten")]
#[schemars(with = "AsWritten")]
pub struct Owners {
    /// Who answers where no rule matches.
    pub default: Owner,
    /// What a team has in common, so that its rules need only name it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<String, Team>,
    /// In order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<OwnerRule>,
}

/// `[owners]` before rules were given what their teams have in common.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Owners")]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct AsWritten {
    /// Who answers where no rule matches.
    default: Owner,
    /// What a team has in common, by its name, so that rules need only name it.
    #[serde(default)]
    teams: BTreeMap<String, Team>,
    /// In order: the first rule whose conditions all hold counts.
    #[serde(default)]
    rules: Vec<OwnerRule>,
}

/// `[owners.teams.NAME]`: where a team's tickets go and how they are handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// The key of the Jira project.
    pub project: String,
    /// The type of the team's tickets; without it `jira.issue_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_type: Option<String>,
    /// A component of that project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Who new tickets are assigned to: a Jira account id, or `lead` for the project's lead. Without it Jira decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Labels besides our own; a label has no blanks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The team's Slack channel, by its id (`C…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_channel: Option<String>,
    /// The folder of `jira.templates` whose templates the team's tickets use, such as `de`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The Jira group of the product team: it holds the product team's role in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jira_group: Option<String>,
}

/// One rule: what fulfils these conditions belongs to this owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RuleAsWritten", into = "RuleAsWritten")]
pub struct OwnerRule {
    /// When.
    pub when: Conditions,
    /// Who.
    pub owner: Owner,
}

impl JsonSchema for OwnerRule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        RuleAsWritten::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        RuleAsWritten::json_schema(generator)
    }
}

/// A rule stands flat in the file; serde's `flatten` would give up refusing unknown keys.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "OwnerRule")]
#[serde(deny_unknown_fields)]
struct RuleAsWritten {
    /// AWS account ids: 12 digits, as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<Account>,
    /// Paths of organisational units, such as `/prod/payments`, with all that is below them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ou: Vec<String>,
    /// Tags of the account in Organizations, all of them; `*` is any value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    account_tags: BTreeMap<String, String>,
    /// Tags that one resource of the finding has, all of them; `*` is any value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    resource_tags: BTreeMap<String, String>,
    /// Products: `securityhub`, `config`, `guardduty`, `access-analyzer`, `inspector`, `macie`, `custom`, or
    /// `company/product`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    products: Vec<String>,
    /// Controls, Config rules or finding types, such as `S3.8`; `S3.*` is all that begin so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    controls: Vec<String>,
    /// Regions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    regions: Vec<String>,
    /// Severities, such as `CRITICAL`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    severities: Vec<Severity>,
    /// The team's name, as people read it.
    team: String,
    /// The key of the Jira project; a team of `[owners.teams]` brings its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    project: String,
    /// The type of the team's tickets; without it `jira.issue_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issue_type: Option<String>,
    /// A component of that project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    component: Option<String>,
    /// Who new tickets are assigned to: a Jira account id, or `lead` for the project's lead. Without it Jira decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    /// Labels besides our own; a label has no blanks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    /// The team's Slack channel, by its id (`C…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slack_channel: Option<String>,
    /// The folder of `jira.templates` whose templates the team's tickets use, such as `de`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// The Jira group of the product team: it holds the product team's role in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jira_group: Option<String>,
}

impl From<RuleAsWritten> for OwnerRule {
    fn from(rule: RuleAsWritten) -> Self {
        OwnerRule {
            when: Conditions {
                accounts: rule.accounts,
                units: rule.ou,
                account_tags: rule.account_tags,
                resource_tags: rule.resource_tags,
                products: rule.products,
                controls: rule.controls,
                regions: rule.regions,
                severities: rule.severities,
            },
            owner: Owner {
                team: rule.team,
                project: rule.project,
                issue_type: rule.issue_type,
                component: rule.component,
                assignee: rule.assignee,
                labels: rule.labels,
                slack_channel: rule.slack_channel,
                language: rule.language,
                jira_group: rule.jira_group,
            },
        }
    }
}

impl From<OwnerRule> for RuleAsWritten {
    fn from(rule: OwnerRule) -> Self {
        let Conditions {
            accounts,
            units,
            account_tags,
            resource_tags,
            products,
            controls,
            regions,
            severities,
        } = rule.when;
        let Owner {
            team,
            project,
            issue_type,
            component,
            assignee,
            labels,
            slack_channel,
            language,
            jira_group,
        } = rule.owner;
        RuleAsWritten {
            accounts,
            ou: units,
            account_tags,
            resource_tags,
            products,
            controls,
            regions,
            severities,
            team,
            project,
            issue_type,
            component,
            assignee,
            labels,
            slack_channel,
            language,
            jira_group,
        }
    }
}

impl From<AsWritten> for Owners {
    fn from(written: AsWritten) -> Self {
        let AsWritten {
            mut default,
            teams,
            mut rules,
        } = written;
        let owners = rules.iter_mut().map(|rule| &mut rule.owner);
        for owner in owners.chain([&mut default]) {
            if let Some(team) = teams.get(&owner.team) {
                team.complete(owner);
            }
        }
        Owners {
            default,
            teams,
            rules,
        }
    }
}

impl Team {
    /// Fills what the rule leaves open.
    fn complete(&self, owner: &mut Owner) {
        let Team {
            project,
            issue_type,
            component,
            assignee,
            labels,
            slack_channel,
            language,
            jira_group,
        } = self;
        // A component belongs to one project: it does not follow to another.
        let elsewhere = !owner.project.is_empty() && owner.project != *project;
        let fill = |own: &mut Option<String>, common: &Option<String>| {
            if own.is_none() {
                own.clone_from(common);
            }
        };
        fill(&mut owner.issue_type, issue_type);
        fill(&mut owner.assignee, assignee);
        fill(&mut owner.slack_channel, slack_channel);
        fill(&mut owner.language, language);
        fill(&mut owner.jira_group, jira_group);
        if !elsewhere {
            owner.project.clone_from(project);
            fill(&mut owner.component, component);
        }
        if owner.labels.is_empty() {
            owner.labels.clone_from(labels);
        }
    }
}

impl Owners {
    /// The rules, ready to be asked, with what is known of the organisation.
    pub fn routing(&self, known: Knowledge) -> Routing {
        let rules = self.rules.iter();
        let rules = rules.map(|rule| (rule.when.clone(), rule.owner.clone()));
        Routing::new(rules.collect(), self.default.clone(), known)
    }

    /// Who answers for this account where nothing else is known of a finding: the first rule that asks for the account's
    /// id alone.
    pub fn of(&self, account: &str) -> &Owner {
        let only = |rule: &&OwnerRule| {
            rule.when.accounts.iter().any(|named| named == account)
                && !rule.when.ask_for_finding()
                && !rule.when.ask_for_organisation()
        };
        self.rules
            .iter()
            .find(only)
            .map_or(&self.default, |rule| &rule.owner)
    }

    /// Who answers for a link: the owner that its ticket was made for, as far as the configuration still knows the team.
    pub fn of_link(&self, link: &Link) -> &Owner {
        let named = link.owner.as_ref().and_then(|was| {
            let mut same = self.all().filter(|owner| owner.team == was.team);
            let first = same.clone().next();
            same.find(|owner| owner.project == was.project).or(first)
        });
        named.unwrap_or_else(|| self.of(&link.alias.account))
    }

    /// Some rule asks for units, and some for tags of accounts.
    pub fn ask_for(&self) -> (bool, bool) {
        let any = |asks: fn(&Conditions) -> bool| self.rules.iter().any(|rule| asks(&rule.when));
        (
            any(|when| !when.units.is_empty()),
            any(|when| !when.account_tags.is_empty()),
        )
    }

    /// The Slack channel of a team: of the first owner with that name that has one, else of the default owner.
    pub fn slack_channel(&self, team: &str) -> Option<&str> {
        self.all()
            .find(|owner| owner.team == team && owner.slack_channel.is_some())
            .unwrap_or(&self.default)
            .slack_channel
            .as_deref()
    }

    /// Every Slack channel that an owner names, each once.
    pub fn slack_channels(&self) -> std::collections::BTreeSet<&str> {
        self.all()
            .filter_map(|owner| owner.slack_channel.as_deref())
            .collect()
    }

    /// Every team, sorted, each once.
    pub fn teams(&self) -> std::collections::BTreeSet<&str> {
        self.all().map(|owner| owner.team.as_str()).collect()
    }

    /// Every owner, the default last.
    pub fn all(&self) -> impl Iterator<Item = &Owner> + Clone {
        let rules = self.rules.iter().map(|rule| &rule.owner);
        rules.chain(std::iter::once(&self.default))
    }

    /// Every project that a ticket may be created in, sorted, each once.
    pub fn projects(&self) -> BTreeSet<&str> {
        self.all().map(|owner| owner.project.as_str()).collect()
    }
}

/// The owner that a routing names; the default where it cannot be known.
pub fn named<'a>(routed: &Routed<'a>, owners: &'a Owners) -> &'a Owner {
    match routed {
        Routed::Owner { owner, .. } => owner,
        Routed::Unknown { .. } => &owners.default,
    }
}
