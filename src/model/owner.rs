//! Who answers for a finding: the first rule whose conditions all hold names the owner, or else the default does.
//!
//! What Organizations knows of an account (unit, tags) is given in; nothing here asks for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Account, Finding, Severity};

/// A team and where its tickets go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The team's name, as people read it.
    pub team: String,
    /// The key of the Jira project. A rule whose team stands in `[owners.teams]` may leave it out.
    #[serde(default)]
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

/// When a rule names its owner: every condition that is given must hold, and one of its values is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// AWS account ids.
    pub accounts: Vec<Account>,
    /// Paths of organisational units, with all that is below them.
    pub units: Vec<String>,
    /// Tags of the account; `*` is any value.
    pub account_tags: BTreeMap<String, String>,
    /// Tags of a resource of the finding; `*` is any value.
    pub resource_tags: BTreeMap<String, String>,
    /// Products, such as `guardduty`.
    pub products: Vec<String>,
    /// Controls, Config rules, finding types, or their beginning before a `*`.
    pub controls: Vec<String>,
    /// Regions.
    pub regions: Vec<String>,
    /// Severities.
    pub severities: Vec<Severity>,
}

/// What Organizations says of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// Its name.
    pub name: String,
    /// ACTIVE in the organisation.
    pub active: bool,
    /// The path of its unit, such as `/prod/payments`; `None` where no rule asks for units.
    pub unit: Option<String>,
    /// Its tags; `None` where no rule asks for them.
    pub tags: Option<BTreeMap<String, String>>,
}

/// The accounts of the organisation, as they were read at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// When.
    pub read_at: Timestamp,
    /// By account id.
    pub accounts: BTreeMap<Account, AccountRecord>,
}

/// What is known of the organisation.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Knowledge {
    /// No rule asks.
    #[default]
    NotAsked,
    /// It was read, perhaps some time ago.
    Known(Arc<Organisation>),
    /// It could never be read.
    Unknown {
        /// Why, for people.
        why: String,
    },
}

/// Who answers, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routed<'a> {
    /// An owner.
    Owner {
        /// The owner.
        owner: &'a Owner,
        /// The rule's number, counted from 0; `None` for the default.
        rule: Option<usize>,
    },
    /// A rule before the first that matches asks for what is not known.
    Unknown {
        /// Why, for people.
        why: &'a str,
    },
}

/// The rules, ready to be asked for thousands of findings.
#[derive(Clone, Debug, Default)]
pub struct Routing {
    rules: Vec<(Conditions, Owner)>,
    default: Owner,
    known: Knowledge,
    /// For each account that a rule or the organisation names, the rules that its findings may match.
    candidates: HashMap<Account, Vec<usize>>,
    /// The same for every other account.
    of_strangers: Vec<usize>,
}

impl Routing {
    /// Prepares the rules: what they say of accounts is decided once for each account.
    pub fn new(rules: Vec<(Conditions, Owner)>, default: Owner, known: Knowledge) -> Self {
        let mut accounts: BTreeSet<&str> = BTreeSet::new();
        for (conditions, _) in &rules {
            accounts.extend(conditions.accounts.iter().map(String::as_str));
        }
        if let Knowledge::Known(organisation) = &known {
            accounts.extend(organisation.accounts.keys().map(String::as_str));
        }
        let for_account = |account: &str| -> Vec<usize> {
            let record = known.record(account);
            let possible = rules.iter().enumerate();
            possible
                .filter(|(_, (conditions, _))| conditions.may_hold_for(account, record, &known))
                .map(|(n, _)| n)
                .collect()
        };
        let candidates = accounts
            .into_iter()
            .map(|account| (account.to_owned(), for_account(account)))
            .collect();
        let of_strangers = for_account("");
        Routing {
            rules,
            default,
            known,
            candidates,
            of_strangers,
        }
    }

    /// Who answers for a finding.
    pub fn of(&self, finding: &Finding) -> Routed<'_> {
        self.first(&finding.alias.account, |conditions| conditions.fit(finding))
    }

    /// Who answers for an account, where no finding is at hand: rules that ask for more than the account do not count.
    pub fn of_account(&self, account: &str) -> Routed<'_> {
        self.first(account, |conditions| !conditions.ask_for_finding())
    }

    fn first(&self, account: &str, fits: impl Fn(&Conditions) -> bool) -> Routed<'_> {
        let candidates = self.candidates.get(account).unwrap_or(&self.of_strangers);
        for n in candidates {
            let (conditions, owner) = &self.rules[*n];
            if !fits(conditions) {
                continue;
            }
            return match &self.known {
                Knowledge::Unknown { why } if conditions.ask_for_organisation() => {
                    Routed::Unknown { why }
                }
                _ => Routed::Owner {
                    owner,
                    rule: Some(*n),
                },
            };
        }
        Routed::Owner {
            owner: &self.default,
            rule: None,
        }
    }

    /// Why each rule before the one that counts does not match: the key of the first condition that does not hold.
    pub fn passed_over(&self, finding: &Finding) -> Vec<(usize, &'static str)> {
        let until = match self.of(finding) {
            Routed::Owner { rule: Some(n), .. } => n,
            Routed::Owner { rule: None, .. } | Routed::Unknown { .. } => self.rules.len(),
        };
        let rules = self.rules[..until].iter().enumerate();
        rules
            .filter_map(|(n, (conditions, _))| Some((n, conditions.unmet(finding, &self.known)?)))
            .collect()
    }

    /// What is known of the organisation.
    pub fn known(&self) -> &Knowledge {
        &self.known
    }

    /// The account's name, as Organizations gives it.
    pub fn account_name(&self, account: &str) -> Option<&str> {
        let record = self.known.record(account)?;
        Some(record.name.as_str()).filter(|name| !name.is_empty())
    }
}

impl Knowledge {
    /// What is known of an account.
    pub fn record(&self, account: &str) -> Option<&AccountRecord> {
        match self {
            Knowledge::Known(organisation) => organisation.accounts.get(account),
            Knowledge::NotAsked | Knowledge::Unknown { .. } => None,
        }
    }
}

impl Conditions {
    /// Nothing is asked: the rule would match everything.
    pub fn is_empty(&self) -> bool {
        *self == Conditions::default()
    }

    /// Unit or tags of the account are asked for.
    pub fn ask_for_organisation(&self) -> bool {
        !self.units.is_empty() || !self.account_tags.is_empty()
    }

    /// More is asked than the account can say.
    pub fn ask_for_finding(&self) -> bool {
        let account = Conditions {
            accounts: self.accounts.clone(),
            units: self.units.clone(),
            account_tags: self.account_tags.clone(),
            ..Conditions::default()
        };
        *self != account
    }

    /// What it says of the account holds, or cannot be known.
    fn may_hold_for(
        &self,
        account: &str,
        record: Option<&AccountRecord>,
        known: &Knowledge,
    ) -> bool {
        if !self.accounts.is_empty() && !self.accounts.iter().any(|named| named == account) {
            return false;
        }
        if !self.ask_for_organisation() || matches!(known, Knowledge::Unknown { .. }) {
            return true;
        }
        let Some(record) = record else { return false };
        let in_unit = self.units.is_empty()
            || record
                .unit
                .as_ref()
                .is_some_and(|unit| self.units.iter().any(|path| is_below(unit, path)));
        let none = BTreeMap::new();
        in_unit && has_tags(&self.account_tags, record.tags.as_ref().unwrap_or(&none))
    }

    /// The key of the first condition that does not hold.
    fn unmet(&self, finding: &Finding, known: &Knowledge) -> Option<&'static str> {
        let account = &finding.alias.account;
        let only = |part: Conditions| part.may_hold_for(account, known.record(account), known);
        let none = Conditions::default;
        let accounts = Conditions {
            accounts: self.accounts.clone(),
            ..none()
        };
        let units = Conditions {
            units: self.units.clone(),
            ..none()
        };
        let account_tags = Conditions {
            account_tags: self.account_tags.clone(),
            ..none()
        };
        let resource_tags = Conditions {
            resource_tags: self.resource_tags.clone(),
            ..none()
        };
        let products = Conditions {
            products: self.products.clone(),
            ..none()
        };
        let controls = Conditions {
            controls: self.controls.clone(),
            ..none()
        };
        let regions = Conditions {
            regions: self.regions.clone(),
            ..none()
        };
        let severities = Conditions {
            severities: self.severities.clone(),
            ..none()
        };
        let met = [
            ("accounts", only(accounts)),
            ("ou", only(units)),
            ("account_tags", only(account_tags)),
            ("resource_tags", resource_tags.fit(finding)),
            ("products", products.fit(finding)),
            ("controls", controls.fit(finding)),
            ("regions", regions.fit(finding)),
            ("severities", severities.fit(finding)),
        ];
        met.into_iter().find(|(_, met)| !met).map(|(key, _)| key)
    }

    /// What it says of the finding holds.
    fn fit(&self, finding: &Finding) -> bool {
        let product = || finding.product.word();
        let rule = &finding.rule.id;
        (self.products.is_empty() || self.products.iter().any(|name| name == product()))
            && (self.controls.is_empty() || self.controls.iter().any(|name| is_named(rule, name)))
            && (self.regions.is_empty() || self.regions.contains(&finding.alias.region))
            && (self.severities.is_empty() || self.severities.contains(&finding.severity))
            && (self.resource_tags.is_empty()
                || finding
                    .resources
                    .iter()
                    .any(|resource| has_tags(&self.resource_tags, &resource.tags)))
    }
}

/// `path` itself, or a unit below it.
pub fn is_below(unit: &str, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    unit.strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn has_tags(wanted: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| {
        found
            .get(key)
            .is_some_and(|found| value == "*" || found == value)
    })
}

/// Ids of rules differ in case between products and people.
fn is_named(rule: &str, name: &str) -> bool {
    match name.strip_suffix('*') {
        Some(begin) => rule
            .get(..begin.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(begin)),
        None => rule.eq_ignore_ascii_case(name),
    }
}

#[cfg(test)]
mod tests;
