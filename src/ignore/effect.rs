//! What a change of rules hides and shows again, now: from the rules before and after, and the findings as they are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::Rules;
use super::problem::Kind;
use crate::model::ignore_rule::{Facts, IgnoreRules, Unit};
use crate::model::{Account, Finding, FindingState, IgnoreRule, Marker, Severity};

#[cfg(test)]
mod tests;

/// A rule that hides everything of a control is broad only if that is more than a few findings.
const BROAD_FROM: usize = 5;

/// What happened to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Added,
    /// It says something else.
    Changed,
    /// It is gone.
    Removed,
}

/// A rule that a change touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedRule {
    /// Its id.
    pub id: String,
    /// What happened to it.
    pub change: Change,
    /// The team that answers for it.
    pub owner: String,
    /// Why, as the rule says.
    pub reason: String,
    /// Its last day.
    pub expires: String,
    /// Findings that it covers now, hidden by another rule or not.
    pub covers: usize,
    /// Of them, CRITICAL ones.
    pub critical: usize,
    /// In how many accounts.
    pub accounts: usize,
}

/// A finding that becomes hidden or shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The label of its ticket.
    pub marker: Marker,
    /// The finding's id.
    pub finding: String,
    /// Severity.
    pub severity: Severity,
    /// Control, rule, type or CVE.
    pub control: String,
    /// Account id.
    pub account: Account,
    /// Account name, where known.
    pub account_name: Option<String>,
    /// Region.
    pub region: String,
    /// First resource.
    pub resource: String,
    /// Title.
    pub title: String,
    /// The rule that hides it, or that hid it.
    pub rule: String,
    /// The key of its ticket, once it was looked up.
    pub ticket: Option<String>,
}

/// What a change does, loudest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// Findings that become hidden.
    pub hides: Vec<Moved>,
    /// Findings that are shown again.
    pub shows: Vec<Moved>,
    /// Failing findings that were looked at.
    pub failing: usize,
    /// Accounts among them.
    pub accounts: usize,
}

/// The rules that differ, in the order of their ids.
pub fn changed_rules(base: &IgnoreRules, head: &IgnoreRules) -> Vec<(Change, IgnoreRule)> {
    let before: BTreeMap<&str, &IgnoreRule> =
        base.iter().map(|rule| (rule.id.as_str(), rule)).collect();
    let after: BTreeMap<&str, &IgnoreRule> =
        head.iter().map(|rule| (rule.id.as_str(), rule)).collect();
    let ids: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    ids.into_iter()
        .filter_map(|id| match (before.get(id), after.get(id)) {
            (None, Some(rule)) => Some((Change::Added, (*rule).clone())),
            (Some(rule), None) => Some((Change::Removed, (*rule).clone())),
            (Some(old), Some(new)) if old != new => Some((Change::Changed, (*new).clone())),
            _ => None,
        })
        .collect()
}

/// What the change does to findings that fail now.
pub fn effect(
    base: &IgnoreRules,
    head: &IgnoreRules,
    findings: &[Finding],
    units: &BTreeMap<Account, String>,
    today: Date,
) -> Effect {
    let mut effect = Effect::default();
    let mut accounts = BTreeSet::new();
    for finding in findings.iter().filter(|finding| is_shown(finding)) {
        effect.failing += 1;
        accounts.insert(&finding.alias.account);
        let facts = facts(finding, units);
        let (before, after) = (base.deciding(&facts, today), head.deciding(&facts, today));
        match (before, after) {
            (None, Some(rule)) => effect.hides.push(moved(finding, rule)),
            (Some(rule), None) => effect.shows.push(moved(finding, rule)),
            _ => {}
        }
    }
    effect.accounts = accounts.len();
    for list in [&mut effect.hides, &mut effect.shows] {
        list.sort_by(|a, b| {
            let key = |m: &Moved| {
                (
                    std::cmp::Reverse(m.severity),
                    m.control.clone(),
                    m.account.clone(),
                    m.finding.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
    }
    effect
}

fn is_shown(finding: &Finding) -> bool {
    finding.state() == FindingState::Failing && !finding.sample
}

fn facts<'a>(finding: &'a Finding, units: &'a BTreeMap<Account, String>) -> Facts<'a> {
    Facts::of(
        finding,
        Unit::of(units.get(&finding.alias.account).map(String::as_str)),
    )
}

fn moved(finding: &Finding, rule: &IgnoreRule) -> Moved {
    Moved {
        marker: Marker::of(&finding.alias),
        finding: finding.key.id.clone(),
        severity: finding.severity,
        control: finding.rule.id.clone(),
        account: finding.alias.account.clone(),
        account_name: finding.account_name.clone(),
        region: finding.alias.region.clone(),
        resource: finding.alias.resource.clone(),
        title: finding.title.clone(),
        rule: rule.id.clone(),
        ticket: finding.noted_ticket.clone(),
    }
}

/// How many failing findings each rule covers, each for itself.
#[derive(Clone, Debug, Default)]
pub struct Cover {
    /// All.
    pub findings: usize,
    /// CRITICAL ones.
    pub critical: usize,
    /// By account.
    pub accounts: BTreeMap<Account, usize>,
    /// By control.
    pub controls: BTreeMap<String, usize>,
}

/// What every rule covers, and how many failing findings each control has, by account.
pub struct Covers {
    /// By the rule's id.
    pub rules: BTreeMap<String, Cover>,
    /// By control: findings, accounts.
    pub controls: BTreeMap<String, (usize, BTreeSet<Account>)>,
}

/// Counts what every rule covers.
pub fn covers(
    rules: &IgnoreRules,
    findings: &[Finding],
    units: &BTreeMap<Account, String>,
    today: Date,
) -> Covers {
    let mut found = Covers {
        rules: BTreeMap::new(),
        controls: BTreeMap::new(),
    };
    for finding in findings.iter().filter(|finding| is_shown(finding)) {
        let of = found.controls.entry(finding.rule.id.clone()).or_default();
        of.0 += 1;
        of.1.insert(finding.alias.account.clone());
        for covered in rules.covering(&facts(finding, units), today) {
            let cover = found.rules.entry(covered.rule.id.clone()).or_default();
            cover.findings += 1;
            cover.critical += usize::from(finding.severity == Severity::Critical);
            *cover
                .accounts
                .entry(finding.alias.account.clone())
                .or_default() += 1;
            *cover.controls.entry(finding.rule.id.clone()).or_default() += 1;
        }
    }
    found
}

/// The changed rules with what they cover.
pub fn with_covers(changed: &[(Change, IgnoreRule)], covers: Option<&Covers>) -> Vec<ChangedRule> {
    let none = Cover::default();
    changed
        .iter()
        .map(|(change, rule)| {
            let cover = covers
                .and_then(|covers| covers.rules.get(&rule.id))
                .unwrap_or(&none);
            ChangedRule {
                id: rule.id.clone(),
                change: *change,
                owner: rule.owner.clone(),
                reason: rule.reason.clone(),
                expires: rule.expires.to_string(),
                covers: cover.findings,
                critical: cover.critical,
                accounts: cover.accounts.len(),
            }
        })
        .collect()
}

/// What a reviewer should look at twice, at the lines of the rules that are new or changed.
pub fn warn(
    rules: &mut Rules,
    changed: &[(Change, IgnoreRule)],
    covers: &Covers,
    findings_max: usize,
    today: Date,
) {
    let touched: BTreeSet<&str> = changed
        .iter()
        .filter(|(change, _)| *change != Change::Removed)
        .map(|(_, rule)| rule.id.as_str())
        .collect();
    for at in 0..rules.rules.len() {
        let rule = rules.rules[at].rule.clone();
        if !touched.contains(rule.id.as_str()) || !rule.is_live(today) {
            continue;
        }
        let Some(cover) = covers.rules.get(&rule.id) else {
            let help = "is it misspelt, or is the finding fixed already?";
            rules.complain(
                at,
                "id",
                Kind::MatchesNothing,
                "the rule matches no failing finding now".to_owned(),
                Some(help),
            );
            continue;
        };
        if cover.critical > 0 {
            let message = format!(
                "the rule hides {} of severity CRITICAL",
                counted(cover.critical, "finding")
            );
            rules.complain(at, "id", Kind::HidesCritical, message, None);
        }
        if cover.findings > findings_max {
            let message = format!(
                "the rule hides {} in {}, more than {findings_max}",
                counted(cover.findings, "finding"),
                counted(cover.accounts.len(), "account"),
            );
            rules.complain(
                at,
                "id",
                Kind::HidesMany,
                message,
                Some("several narrow rules are easier to review and to end"),
            );
        }
        for (control, hidden) in &cover.controls {
            let (all, accounts) = covers
                .controls
                .get(control)
                .map_or((0, 0), |(all, accounts)| (*all, accounts.len()));
            if *hidden == all && all >= BROAD_FROM && accounts > 1 {
                let message = format!(
                    "the rule hides everything that {control} finds: {} in {accounts} accounts",
                    counted(all, "finding")
                );
                rules.complain(
                    at,
                    "controls",
                    Kind::Broad,
                    message,
                    Some("if nobody is to act on this control, disable it in Security Hub"),
                );
            }
        }
    }
}

/// `1 finding`, `2 findings`.
pub fn counted(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}
