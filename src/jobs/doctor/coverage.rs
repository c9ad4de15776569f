//! What Security Hub does not see: accounts that are no members, Regions that are not linked. A finding that never comes
//! is no ticket, and nobody misses it.

use std::collections::BTreeMap;

use crate::ports::Inventory as _;
use crate::wire::coverage::Linked;

use super::report::{Found, Problem};
use super::some;
use super::subject::Subject;

pub(super) async fn accounts(subject: &Subject) -> Found {
    let accounts = match subject.aws.accounts().await {
        Ok(accounts) => accounts,
        Err(error) => return Found::refused(&error),
    };
    let active = accounts.iter().filter(|account| account.active).count();
    let owned = subject.config.owners.rules.iter();
    let unknown: Vec<&str> = owned
        .flat_map(|rule| &rule.accounts)
        .map(String::as_str)
        .filter(|id| !accounts.iter().any(|account| account.id == *id))
        .collect();
    let problems = if unknown.is_empty() {
        Vec::new()
    } else {
        vec![Problem::warning(
            format!(
                "[owners] names accounts that the organisation does not have: {}",
                some(unknown)
            ),
            "correct or remove them",
        )]
    };
    let says = format!("{active} active accounts in the organisation");
    subject.known().accounts = accounts;
    Found::of(says, problems)
}

pub(super) async fn members(subject: &Subject) -> Found {
    let members = match subject.aws.members().await {
        Ok(members) => members,
        Err(error) => return Found::refused(&error),
    };
    let status: BTreeMap<&str, &str> = members
        .iter()
        .map(|member| (member.account.as_str(), member.status.as_str()))
        .collect();
    // The administrator is not its own member.
    let identity = subject.aws.who_we_are().await.unwrap_or_default();
    let home = identity.split(':').nth(4);
    let known = subject.known();
    let unseen: Vec<&str> = known
        .accounts
        .iter()
        .filter(|account| account.active && Some(account.id.as_str()) != home)
        .map(|account| account.id.as_str())
        .filter(|id| status.get(id) != Some(&"Enabled"))
        .collect();
    let seen = status.values().filter(|one| **one == "Enabled").count();
    if unseen.is_empty() {
        return Found::well(format!("{seen} member accounts"));
    }
    Found::warning(
        format!(
            "{} active accounts are no members of Security Hub, so nobody sees their findings: {}",
            unseen.len(),
            some(unseen)
        ),
        "add them as members in the administrator account (Security Hub, Settings, Accounts), and turn on that new accounts are added",
    )
}

/// Only ignore rules ask for units.
pub(super) async fn units(subject: &Subject) -> Found {
    match subject.aws.units().await {
        Ok(units) => Found::well(format!("the units of {} accounts can be read", units.len())),
        Err(error) if subject.config.ignore.is_some() => Found::refused(&error),
        Err(error) => {
            let Problem { finding, fix, .. } = Problem::refused(&error);
            Found::warning(
                format!("ignore rules could not name organisational units: {finding}"),
                fix,
            )
        }
    }
}

pub(super) async fn regions(subject: &Subject) -> Found {
    let known = subject.known();
    let Some(home) = &known.home else {
        return Found::off("there is no finding aggregator: one Region is read");
    };
    let wanted = &subject.config.run.regions;
    let is_seen = |region: &str| region == home.region || home.linked.has(region);
    let missing: Vec<&str> = wanted
        .iter()
        .map(String::as_str)
        .filter(|region| !is_seen(region))
        .collect();
    if !missing.is_empty() {
        return Found::wrong(
            format!(
                "run.regions names {}, which {} does not gather",
                missing.join(", "),
                home.region
            ),
            "link the Regions in Security Hub (Settings, Regions), or remove them from run.regions",
        );
    }
    match &home.linked {
        Linked::All => Found::well("all Regions are linked, new ones too"),
        Linked::AllBut(left_out) if left_out.is_empty() => Found::well("all Regions are linked"),
        Linked::AllBut(left_out) => Found::warning(
            format!(
                "findings of {} are not seen",
                some(left_out.iter().map(String::as_str))
            ),
            "link these Regions in Security Hub (Settings, Regions); where they are turned off on purpose, list the Regions that count in run.regions",
        ),
        Linked::Only(linked) if wanted.is_empty() => Found::warning(
            format!(
                "only {} and {} are seen; a Region that is used later is not",
                home.region,
                some(linked.iter().map(String::as_str))
            ),
            "link all Regions in Security Hub (Settings, Regions), or list the ones that count in run.regions",
        ),
        Linked::Only(linked) => Found::well(format!(
            "{} linked Regions, as run.regions says",
            linked.len()
        )),
    }
}
