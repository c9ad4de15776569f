//! Tickets of several findings: how findings share one, and what is known of each member by itself.
//!
//! A ticket of several findings has a link of its own, the *group*; every member keeps its link, which has no ticket and
//! names the group. So what was decided about one finding is kept whoever shares its ticket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{AliasKey, FindingState};
use super::link::Marker;

/// What a group's alias says where its members differ, as people read it. No account or Region is called so, and no
/// resource's id has a blank. A group's marker is made of these words: they never change.
const ACCOUNTS: &str = "several accounts";
const REGIONS: &str = "several Regions";
const RESOURCES: &str = "several resources";

/// Which findings share a ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// None: one ticket for each finding.
    #[default]
    Finding,
    /// Those of one control, Config rule or CVE in one account.
    AccountControl,
    /// Those of one control, Config rule or CVE that one team answers for.
    ControlTeam,
}

/// What a member is to its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Standing {
    /// It fails, or may fail: the ticket is about it.
    Fails {
        /// The check could not be made lately.
        unclear: bool,
    },
    /// Somebody set RESOLVED in Security Hub.
    ResolvedInSecurityHub {
        /// Who.
        by: String,
    },
    /// A reviewer closed the ticket while it failed.
    Accepted {
        /// Who.
        by: String,
    },
    /// An ignore rule covers it.
    Ignored {
        /// The rule's id.
        rule: String,
        /// The last day of the rule.
        until: jiff::civil::Date,
    },
    /// Somebody set SUPPRESSED in Security Hub.
    Suppressed {
        /// Who.
        by: String,
    },
    /// It stopped failing.
    Stopped {
        /// How.
        finding: FindingState,
    },
    /// AWS Config proves that its resource is gone.
    Deleted,
}

impl Standing {
    /// What people read in the ticket's table.
    pub fn sentence(&self) -> String {
        match self {
            Standing::Fails { unclear: false } => "fails".to_owned(),
            Standing::Fails { unclear: true } => "could not be checked".to_owned(),
            Standing::ResolvedInSecurityHub { by } => {
                format!("set to RESOLVED in Security Hub by {by}")
            }
            Standing::Accepted { by } => format!("accepted by {by}"),
            Standing::Ignored { rule, until } => {
                format!("ignored until {until} by the rule {rule}")
            }
            Standing::Suppressed { by } => format!("suppressed in Security Hub by {by}"),
            Standing::Stopped { finding } => match finding {
                FindingState::Archived => "archived".to_owned(),
                FindingState::Gone => "gone from Security Hub".to_owned(),
                FindingState::Passing | FindingState::Failing | FindingState::Unclear => {
                    "fixed".to_owned()
                }
            },
            Standing::Deleted => "resource deleted".to_owned(),
        }
    }

    /// The team has work with it.
    pub fn fails(&self) -> bool {
        matches!(self, Standing::Fails { .. })
    }
}

/// A finding's place in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The group's marker.
    pub of: Marker,
    /// What it is to the group.
    pub standing: Standing,
    /// The account's name; empty where unknown.
    pub account_name: String,
    /// The ticket names it, as far as receipts say: what people say of the ticket is about it.
    #[serde(default)]
    pub named: bool,
}

impl Grouping {
    /// It makes groups like this one.
    pub fn makes(self, group: &AliasKey) -> bool {
        match self {
            Grouping::Finding => false,
            Grouping::AccountControl => group.account != ACCOUNTS,
            Grouping::ControlTeam => group.account == ACCOUNTS,
        }
    }
}

impl AliasKey {
    /// What the findings of one rule in one account are about.
    #[must_use]
    pub fn of_account(account: &str, rule: &str) -> Self {
        AliasKey {
            account: account.to_owned(),
            region: REGIONS.to_owned(),
            rule: rule.to_owned(),
            resource: RESOURCES.to_owned(),
        }
    }

    /// What the findings of one rule that a team answers for are about.
    #[must_use]
    pub fn of_team(team: &str, rule: &str) -> Self {
        AliasKey {
            account: ACCOUNTS.to_owned(),
            region: REGIONS.to_owned(),
            rule: rule.to_owned(),
            resource: format!("{RESOURCES} of {team}"),
        }
    }

    /// Findings of this account may belong to the group.
    pub fn spans(&self, account: &str) -> bool {
        self.account == ACCOUNTS || self.account == account
    }

    /// It is a group's.
    pub fn is_group(&self) -> bool {
        self.region == REGIONS
    }
}
