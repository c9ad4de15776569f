//! What the rules cover in a snapshot. Hiding is the exception: of several findings that share a link, all must be
//! covered.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Loaded, Paths, Units};
use crate::ignore::RuleSet;
use crate::model::ignore_rule::{Facts, Unit};
use crate::model::{Finding, IgnoreRule, Ignoring, Marker, RuleMatch};
use crate::read::snapshot::Snapshot;

/// What is ignored, as far as it is known: rules that ask where an account is cover an unknown part while that cannot be
/// read, and may then cover any account.
pub fn ignoring(loaded: &Loaded, snapshot: &Snapshot, today: Date) -> Ignoring {
    match loaded {
        Loaded::None | Loaded::Ended => Ignoring::default(),
        Loaded::Read(readable) => {
            let covered = covered(&readable.set, snapshot, readable.units.paths(), today);
            match &readable.units {
                Units::NotAsked | Units::Known { .. } => Ignoring::Known(covered),
                Units::Unread { why } => Ignoring::Unknown {
                    why: format!(
                        "rules name organisational units, and these could not be read: {why}"
                    ),
                    last: covered,
                },
            }
        }
        Loaded::Unread { why, last, units } => Ignoring::Unknown {
            why: why.clone(),
            last: last
                .as_ref()
                .map(|set| covered(set, snapshot, units.paths(), today))
                .unwrap_or_default(),
        },
    }
}

/// The links that rules cover; without `units` it is not known where accounts are.
pub fn covered(
    set: &RuleSet,
    snapshot: &Snapshot,
    units: Option<&Paths>,
    today: Date,
) -> BTreeMap<Marker, RuleMatch> {
    if set.rules.is_empty() {
        return BTreeMap::new();
    }
    let groups = snapshot.by_marker();
    let mut found = BTreeMap::new();
    for (marker, link) in &snapshot.links {
        let remembered = link.ignored_by.as_ref().map(|by| by.rule.as_str());
        if let (Some(id), false) = (remembered, groups.contains_key(marker)) {
            let facts = Facts::of_gone(&link.alias, unit(units, &link.alias.account));
            let still = set.rules.get(id);
            if let Some(rule) = still.filter(|_| set.rules.misses(id, &facts, today).is_empty()) {
                found.insert(marker.clone(), of(rule, set));
            }
        }
    }
    for (marker, group) in groups {
        if let Some(rule) = rule_of(&group, set, units, today) {
            found.insert(marker, of(rule, set));
        }
    }
    found
}

/// The rule that covers all current findings of a link; what is named is that of the worst one.
fn rule_of<'a>(
    group: &[&Finding],
    set: &'a RuleSet,
    units: Option<&Paths>,
    today: Date,
) -> Option<&'a IgnoreRule> {
    let active = group.iter().any(|finding| finding.state().is_active());
    let mut current: Vec<&&Finding> = group
        .iter()
        .filter(|finding| finding.state().is_active() == active)
        .collect();
    current.sort_by_key(|finding| (finding.state(), std::cmp::Reverse(finding.severity)));
    let mut named = None;
    for finding in current {
        let facts = Facts::of(finding, unit(units, &finding.alias.account));
        let rule = set.rules.deciding(&facts, today)?;
        named.get_or_insert(rule);
    }
    named
}

fn unit<'a>(units: Option<&'a Paths>, account: &str) -> Unit<'a> {
    match units {
        None => Unit::Unknown,
        Some(paths) => Unit::of(paths.get(account).map(String::as_str)),
    }
}

fn of(rule: &IgnoreRule, set: &RuleSet) -> RuleMatch {
    RuleMatch {
        rule: rule.id.clone(),
        reason: rule.reason.clone(),
        expires: rule.expires,
        origin: set
            .origins
            .get(&rule.id)
            .map(crate::model::RuleOrigin::name),
    }
}
