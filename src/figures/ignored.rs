//! What ignore rules hide: failing findings that are covered by a reviewed rule, by the rule.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gather::Source;
use super::{BySeverity, Filter};
use crate::config::Ignore;
use crate::model::ignore_rule::day;
use crate::read::rules::last;
use crate::store::history::{Dimension, History};
use crate::store::{Store, StoreError};

/// One ignore rule and what it hides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HidingRule {
    /// The rule's id.
    pub rule: String,
    /// The team that answers for it; `None` for a rule that is no longer among those that were read last.
    pub owner: Option<String>,
    /// Why it is intended.
    pub reason: Option<String>,
    /// The last day on which it applies.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Date>,
    /// Days until then; negative once it has ended.
    pub days_left: Option<i32>,
    /// Failing findings that it hides now.
    pub hidden: u64,
    /// The same by severity.
    pub by_severity: BySeverity,
    /// In so many accounts.
    pub accounts: u64,
}

/// What ignore rules hide now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ignored {
    /// Rules, those that hide the most first; without a filter also those that hide nothing.
    pub rules: Vec<HidingRule>,
    /// Hidden by all of them.
    pub hidden: u64,
    /// The same by severity.
    pub by_severity: BySeverity,
}

/// Computes what ignore rules hide.
///
/// # Errors
/// [`StoreError`].
pub async fn ignored<S: Store + History>(
    source: &Source<'_, S>,
    filter: &Filter,
) -> Result<Ignored, StoreError> {
    let gathered = source.gather(filter).await?;
    let by = Some(Dimension::Account);
    let rows = source.store.hidden(&gathered.select, by).await?;
    let mut rules = known(source).await?;
    if !filter.of_all_time().is_empty() {
        let found: BTreeSet<&str> = rows.iter().map(|row| row.rule.as_str()).collect();
        rules.retain(|id, _| found.contains(id.as_str()));
    }
    let mut all = BySeverity::default();
    let mut accounts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        let rule = rules.entry(row.rule.clone()).or_insert_with(|| HidingRule {
            rule: row.rule.clone(),
            ..HidingRule::default()
        });
        rule.hidden += row.count;
        *rule.by_severity.of_mut(row.severity) += row.count;
        *all.of_mut(row.severity) += row.count;
        accounts.entry(&row.rule).or_default().insert(&row.name);
    }
    let mut rules: Vec<HidingRule> = rules.into_values().collect();
    for rule in &mut rules {
        rule.accounts = accounts
            .get(rule.rule.as_str())
            .map_or(0, |found| found.len() as u64);
    }
    rules.sort_by(|a, b| b.hidden.cmp(&a.hidden).then_with(|| a.rule.cmp(&b.rule)));
    Ok(Ignored {
        rules,
        hidden: all.total(),
        by_severity: all,
    })
}

/// The rules that were read last.
async fn known<S: Store + History>(
    source: &Source<'_, S>,
) -> Result<BTreeMap<String, HidingRule>, StoreError> {
    let today = day(source.now);
    let Some(remembered) = source.store.remembered_rules().await? else {
        return Ok(BTreeMap::new());
    };
    let policy = source.config.ignore.as_ref();
    let policy = policy.map(Ignore::policy).unwrap_or_default();
    let Some(set) = last(&remembered, &policy, today) else {
        return Ok(BTreeMap::new());
    };
    let rule = |rule: &crate::model::IgnoreRule| HidingRule {
        rule: rule.id.clone(),
        owner: Some(rule.owner.clone()),
        reason: Some(rule.reason.clone()),
        expires: Some(rule.expires),
        days_left: Some(rule.days_left(today)),
        ..HidingRule::default()
    };
    let known = set.rules.iter().map(|one| (one.id.clone(), rule(one)));
    Ok(known.collect())
}
