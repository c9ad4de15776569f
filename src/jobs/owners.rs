//! `asaf owners`: who answers for what. It reads Organizations, and Security Hub for one finding; it writes nothing
//! outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use serde::Serialize;

use crate::cli::{Exit, OwnersCommand, TextOrJson};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::connect::{Clients, Way, connect};
use crate::jobs::routing;
use crate::model::owner::Routed;
use crate::model::{Account, Finding, Marker, Routing};
use crate::ports::{AccountFact, FindingsQuery, FindingsReader, Inventory as _};
use crate::store::sqlite::Sqlite;
use crate::store::{Store, StoreError};
use crate::talk::{self, plain};
use crate::wire::error::WireError;

/// What `asaf owners check` reports.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Orphans {
    /// Active accounts that only the default owner answers for.
    pub unowned: Vec<AccountShown>,
    /// Accounts that a rule names and that are no active members of the organisation, with the rule's number from 1.
    pub gone: Vec<(Account, usize)>,
    /// How many active accounts there are.
    pub active: usize,
}

/// An account with its owner.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct AccountShown {
    /// Account id.
    pub account: Account,
    /// Its name.
    pub name: String,
    /// The owner's team; `None` where units or tags are not known.
    pub team: Option<String>,
    /// The key of the project.
    pub project: Option<String>,
    /// The rule's number from 1; `None` for the default.
    pub rule: Option<usize>,
    /// Rules that ask for more than the account may name other owners for some findings.
    pub others: bool,
}

/// Who answers for one finding.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    /// The finding's id.
    pub finding: String,
    /// The owner's team.
    pub team: Option<String>,
    /// The key of the project.
    pub project: Option<String>,
    /// The rule's number from 1; `None` for the default.
    pub rule: Option<usize>,
    /// Why it cannot be known.
    pub unknown: Option<String>,
    /// The rules before it, and the first condition of each that does not hold.
    pub passed_over: Vec<(usize, &'static str)>,
}

/// Runs the command.
///
/// # Errors
/// Configuration, credentials, the store, a side that does not answer.
pub async fn run(command: &OwnersCommand, path: &Path) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    let clients = connect(&config, Clock::System, Way::network()?).await?;
    let store = Sqlite::open_beside(&config.store.path)?;
    let routing = routing(&config, &clients, &store).await?;
    match command {
        OwnersCommand::Check { output } => {
            let orphans = check(&config, &routing, &clients.aws.accounts().await?);
            say(*output, &orphans, || check_text(&orphans))?;
            let found = !orphans.unowned.is_empty() || !orphans.gone.is_empty();
            Ok(if found { Exit::Failed } else { Exit::Ok })
        }
        OwnersCommand::Ls { output } => {
            let accounts = list(&config, &routing, &clients.aws.accounts().await?);
            say(*output, &accounts, || list_text(&accounts))?;
            Ok(Exit::Ok)
        }
        OwnersCommand::Why { subject, output } => {
            let findings = findings(subject, &clients, &store).await?;
            let why: Vec<Why> = findings.iter().map(|one| why(&routing, one)).collect();
            say(*output, &why, || why.iter().map(why_text).collect())?;
            Ok(Exit::Ok)
        }
    }
}

fn say<T: Serialize>(
    output: TextOrJson,
    value: &T,
    text: impl Fn() -> String,
) -> anyhow::Result<()> {
    let text = match output {
        TextOrJson::Json => serde_json::to_string_pretty(value)? + "\n",
        TextOrJson::Text => text(),
    };
    Ok(talk::data(&text)?)
}

/// The rules with what Organizations says.
///
/// # Errors
/// The store.
pub async fn routing<S: Store>(
    config: &Config,
    clients: &Clients,
    store: &S,
) -> Result<Routing, StoreError> {
    let now = clients.clock.now();
    let known = routing::organisation(&config.owners, &clients.aws, store, now).await?;
    Ok(config.owners.routing(known))
}

/// What nobody answers for, and what rules name in vain.
pub fn check(config: &Config, routing: &Routing, accounts: &[AccountFact]) -> Orphans {
    let active: BTreeSet<&str> = accounts
        .iter()
        .filter(|account| account.active)
        .map(|account| account.id.as_str())
        .collect();
    let rules = config.owners.rules.iter().enumerate();
    let named = rules.flat_map(|(n, rule)| {
        let accounts = rule.when.accounts.iter();
        accounts.map(move |account| (account.clone(), n + 1))
    });
    let shown = list(config, routing, accounts);
    Orphans {
        unowned: shown
            .into_iter()
            .filter(|one| one.rule.is_none() && active.contains(one.account.as_str()))
            .collect(),
        gone: named
            .filter(|(account, _)| !active.contains(account.as_str()))
            .collect(),
        active: active.len(),
    }
}

/// Every active account with the owner of whatever no narrower rule names.
pub fn list(config: &Config, routing: &Routing, accounts: &[AccountFact]) -> Vec<AccountShown> {
    let others = config
        .owners
        .rules
        .iter()
        .any(|rule| rule.when.ask_for_finding());
    let active = accounts.iter().filter(|account| account.active);
    active
        .map(|account| {
            let (owner, rule) = match routing.of_account(&account.id) {
                Routed::Owner { owner, rule } => (Some(owner), rule),
                Routed::Unknown { .. } => (None, None),
            };
            AccountShown {
                account: account.id.clone(),
                name: account.name.clone(),
                team: owner.map(|owner| owner.team.clone()),
                project: owner.map(|owner| owner.project.clone()),
                rule: rule.map(|n| n + 1),
                others,
            }
        })
        .collect()
}

/// Which rule names the owner of a finding.
pub fn why(routing: &Routing, finding: &Finding) -> Why {
    let (owner, rule, unknown) = match routing.of(finding) {
        Routed::Owner { owner, rule } => (Some(owner), rule, None),
        Routed::Unknown { why } => (None, None, Some(why.to_owned())),
    };
    let passed = routing.passed_over(finding).into_iter();
    Why {
        finding: finding.key.id.clone(),
        team: owner.map(|owner| owner.team.clone()),
        project: owner.map(|owner| owner.project.clone()),
        rule: rule.map(|n| n + 1),
        unknown,
        passed_over: passed.map(|(n, key)| (n + 1, key)).collect(),
    }
}

/// The findings of a ticket, or the one with this id.
///
/// # Errors
/// The store, Security Hub, or nothing of that name.
pub async fn findings<S: Store>(
    subject: &str,
    clients: &Clients,
    store: &S,
) -> anyhow::Result<Vec<Finding>> {
    let links = store.links().await?;
    let of_ticket = links.iter().filter(|link| {
        let at = link.ticket.as_ref();
        at.is_some_and(|at| at.key.eq_ignore_ascii_case(subject))
    });
    let shared: BTreeSet<&Marker> = of_ticket.clone().map(|link| &link.marker).collect();
    let members = links.iter().filter(|link| {
        let member = link.member.as_ref();
        member.is_some_and(|member| shared.contains(&member.of))
    });
    let mut ids: Vec<String> = of_ticket
        .chain(members)
        .flat_map(|link| link.findings.iter().map(|key| key.id.clone()))
        .collect();
    if ids.is_empty() {
        ids.push(subject.to_owned());
    }
    ids.truncate(20);
    let query = FindingsQuery {
        ids,
        ..FindingsQuery::default()
    };
    let page: Result<_, WireError> = clients.aws.page(&query, None).await;
    let found = page?.findings;
    if found.is_empty() {
        bail!(
            "Security Hub has no finding {}: give a finding's id, or the key of its ticket",
            plain(subject)
        );
    }
    Ok(found)
}

fn check_text(orphans: &Orphans) -> String {
    let mut out = String::new();
    for one in &orphans.unowned {
        let _ = writeln!(
            out,
            "no owner: {} ({}) — no rule names it, the default owner has it",
            one.account,
            plain(&one.name)
        );
    }
    let mut gone: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (account, rule) in &orphans.gone {
        gone.entry(*rule).or_default().push(account);
    }
    for (rule, accounts) in gone {
        let _ = writeln!(
            out,
            "rule {rule} names what is no active account: {}",
            accounts.join(", ")
        );
    }
    let owned = orphans.active.saturating_sub(orphans.unowned.len());
    let _ = writeln!(
        out,
        "{owned} of {} active accounts have an owner by rule.",
        orphans.active
    );
    out
}

fn list_text(accounts: &[AccountShown]) -> String {
    let mut out = String::new();
    for one in accounts {
        let by = one
            .rule
            .map_or("default".to_owned(), |n| format!("rule {n}"));
        let _ = writeln!(
            out,
            "{}  {:<24} {:<16} {:<10} {by}",
            one.account,
            plain(&one.name),
            plain(one.team.as_deref().unwrap_or("not known")),
            one.project.as_deref().unwrap_or("-"),
        );
    }
    if accounts.iter().any(|one| one.others) {
        out.push_str(
            "Rules that ask for more than the account may name others for some findings.\n",
        );
    }
    out
}

fn why_text(why: &Why) -> String {
    let mut out = format!("{}\n", plain(&why.finding));
    let by = why
        .rule
        .map_or("no rule matches: the default owner".to_owned(), |n| {
            format!("rule {n}")
        });
    match (&why.team, &why.unknown) {
        (Some(team), _) => {
            let project = why.project.as_deref().unwrap_or_default();
            let _ = writeln!(out, "  {} in {project} — {by}", plain(team));
        }
        (None, unknown) => {
            let why = unknown.as_deref().unwrap_or_default();
            let _ = writeln!(out, "  not known: {}", plain(why));
        }
    }
    for (rule, key) in &why.passed_over {
        let _ = writeln!(out, "  rule {rule} does not match: {key}");
    }
    out
}
