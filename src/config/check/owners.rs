//! `[owners]`: rules that can match, owners that a ticket can go to.

use super::{Found, project_key, region};
use crate::config::{Conditions, Owner, Owners};

/// Names of products as settings write them.
const PRODUCTS: [&str; 7] = [
    "securityhub",
    "config",
    "guardduty",
    "access-analyzer",
    "inspector",
    "macie",
    "custom",
];

pub(super) fn owners(owners: &Owners, found: &mut Found) {
    owner("owners.default", &owners.default, found);
    for (name, team) in &owners.teams {
        let path = format!("owners.teams.{name}");
        project_key(format!("{path}.project"), &team.project, found);
        if !owners.all().any(|owner| owner.team == *name) {
            found.add(
                path,
                format!("no rule names the team `{name}`: write team = \"{name}\" in one"),
            );
        }
    }
    for (i, rule) in owners.rules.iter().enumerate() {
        let path = format!("owners.rules[{i}]");
        owner(&path, &rule.owner, found);
        conditions(&path, &rule.when, found);
        let shadow = |earlier: &Conditions| covers(earlier, &rule.when);
        let earlier = owners.rules[..i].iter();
        if let Some(n) = earlier.map(|rule| &rule.when).position(shadow) {
            let number = n + 1;
            found.add(
                &path,
                format!("never matches: rule {number} matches all of it before, and the first one counts"),
            );
        }
    }
    doubles(owners, found);
}

/// An account that stands in two rules without other conditions.
fn doubles(owners: &Owners, found: &mut Found) {
    let mut taken = std::collections::BTreeMap::new();
    for (i, rule) in owners.rules.iter().enumerate() {
        let only = Conditions {
            accounts: rule.when.accounts.clone(),
            ..Conditions::default()
        };
        if rule.when != only {
            continue;
        }
        for (j, account) in rule.when.accounts.iter().enumerate() {
            if let Some(other) = taken.insert(account, i) {
                let path = format!("owners.rules[{i}].accounts[{j}]");
                let rule = other + 1;
                found.add(
                    path,
                    format!("`{account}` already stands in rule {rule}: the first one counts"),
                );
            }
        }
    }
}

fn conditions(path: &str, when: &Conditions, found: &mut Found) {
    if when.is_empty() {
        found.add_with_help(
            format!("{path}.accounts"),
            "the rule has no condition",
            "name accounts, ou, account_tags, resource_tags, products, controls, regions or severities; [owners] default is for the rest",
        );
    }
    for (j, account) in when.accounts.iter().enumerate() {
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            found.add(
                format!("{path}.accounts[{j}]"),
                format!("`{account}` is no account id: it has 12 digits"),
            );
        }
    }
    for (j, unit) in when.units.iter().enumerate() {
        let shaped =
            unit.starts_with('/') && (unit == "/" || !unit.split('/').skip(1).any(str::is_empty));
        if !shaped {
            found.add(
                format!("{path}.ou[{j}]"),
                format!("`{unit}` is no path of a unit, such as \"/prod/payments\""),
            );
        }
    }
    for (j, product) in when.products.iter().enumerate() {
        if !PRODUCTS.contains(&product.as_str()) && !product.contains('/') {
            found.add_with_help(
                format!("{path}.products[{j}]"),
                format!("`{product}` is no product"),
                &format!("known here: {}, or company/product", PRODUCTS.join(", ")),
            );
        }
    }
    for (j, name) in when.regions.iter().enumerate() {
        region(format!("{path}.regions[{j}]"), name, found);
    }
    for (j, control) in when.controls.iter().enumerate() {
        found.name(format!("{path}.controls[{j}]"), control, 256);
    }
}

/// Whatever fulfils `later` fulfils `earlier` too.
fn covers(earlier: &Conditions, later: &Conditions) -> bool {
    fn list<T: PartialEq>(earlier: &[T], later: &[T]) -> bool {
        earlier.is_empty() || (!later.is_empty() && later.iter().all(|one| earlier.contains(one)))
    }
    let tags = |earlier: &std::collections::BTreeMap<String, String>,
                later: &std::collections::BTreeMap<String, String>| {
        earlier
            .iter()
            .all(|(key, value)| later.get(key) == Some(value))
    };
    let only_accounts = Conditions {
        accounts: earlier.accounts.clone(),
        ..Conditions::default()
    };
    // Accounts that stand in two plain rules are told one by one.
    let told = *earlier == only_accounts && {
        let plain = Conditions {
            accounts: later.accounts.clone(),
            ..Conditions::default()
        };
        *later == plain
    };
    !told
        && !earlier.is_empty()
        && list(&earlier.accounts, &later.accounts)
        && list(&earlier.units, &later.units)
        && tags(&earlier.account_tags, &later.account_tags)
        && tags(&earlier.resource_tags, &later.resource_tags)
        && list(&earlier.products, &later.products)
        && list(&earlier.controls, &later.controls)
        && list(&earlier.regions, &later.regions)
        && list(&earlier.severities, &later.severities)
}

fn owner(path: &str, owner: &Owner, found: &mut Found) {
    found.name(format!("{path}.team"), &owner.team, 100);
    if owner.project.is_empty() {
        found.add_with_help(
            format!("{path}.project"),
            format!("the team `{}` has no project", owner.team),
            "write project = \"KEY\" here, or in a table [owners.teams.NAME] for all of the team's rules",
        );
    } else {
        project_key(format!("{path}.project"), &owner.project, found);
    }
    for (key, value) in [
        ("issue_type", &owner.issue_type),
        ("component", &owner.component),
        ("assignee", &owner.assignee),
        ("language", &owner.language),
        ("jira_group", &owner.jira_group),
    ] {
        if let Some(value) = value {
            found.name(format!("{path}.{key}"), value, 255);
        }
    }
    for (i, label) in owner.labels.iter().enumerate() {
        let path = format!("{path}.labels[{i}]");
        found.name(&path, label, 255);
        if label.contains(char::is_whitespace) {
            found.add(&path, format!("`{label}`: a label has no blanks"));
        }
        if label == "asaf" || label.starts_with("asaf-") {
            found.add(
                path,
                format!("`{label}`: labels that start with asaf mark our tickets"),
            );
        }
    }
}
