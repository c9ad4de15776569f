//! `asaf adopt`: tickets that people or another tool made become asaf's, as a plan first. What stands in them stays: they
//! get our two marks and a link, and the next reconcile sees them as it sees every other ticket.

pub mod choice;
pub mod mapping;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::{AdoptArgs, Exit, TextOrJson};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::connect::{Clients, Way, connect};
use crate::jobs::owners;
use crate::ports::{FindingsQuery, FindingsReader, TicketQuery, TicketsReader as _};
use crate::read::adopt::property;
use crate::store::sqlite::Sqlite;
use crate::store::{AuditEntry, Store};
use crate::talk::{self, Talk, plain};

use choice::{Choice, Known, Verdict, without_rivals};
use mapping::Mapping;

/// What `asaf adopt` found, and did.
#[derive(Debug, Default, Serialize)]
pub struct Adoption {
    /// Every ticket of the query.
    pub tickets: Vec<Choice>,
    /// How many were taken over; `None` for a plan.
    pub adopted: Option<usize>,
    /// What could not be written, in words.
    pub failed: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// Configuration, credentials, a mapping, a query that Jira refuses, the store.
pub async fn run(args: &AdoptArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    let maps = maps(&args.maps)?;
    let clients = connect(&config, Clock::System, Way::network()?).await?;
    let store = if args.apply {
        // No run decides while links change.
        Sqlite::open(&config.store.path)?
    } else {
        Sqlite::open_beside(&config.store.path)?
    };
    let mut adoption = plan(&config, &clients, &store, &args.jql, &maps).await?;
    if args.apply {
        apply(&mut adoption, &clients, &store).await?;
    }
    let text = match args.output {
        TextOrJson::Json => serde_json::to_string_pretty(&adoption)? + "\n",
        TextOrJson::Text => text(&adoption),
    };
    talk::data(&text)?;
    for failure in &adoption.failed {
        talk.error(&plain(failure));
    }
    Ok(if adoption.failed.is_empty() {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

/// Mappings as they were typed.
///
/// # Errors
/// The first that is wrong.
pub fn maps(typed: &[String]) -> anyhow::Result<Vec<Mapping>> {
    typed.iter().map(|map| Mapping::parse(map)).collect()
}

/// What would be taken over.
///
/// # Errors
/// A side that does not answer, a query that Jira refuses, the store.
pub async fn plan<S: Store>(
    config: &Config,
    clients: &Clients,
    store: &S,
    jql: &str,
    maps: &[Mapping],
) -> anyhow::Result<Adoption> {
    clients.jira.check_statuses().await?;
    let intents = store.intents().await?;
    if !intents.is_empty() {
        bail!(
            "{} tickets may have been created whose link is not known yet: run `asaf reconcile` first",
            intents.len()
        );
    }
    let mut ids = Vec::new();
    let mut token = None;
    loop {
        let query = TicketQuery::Asked(jql.to_owned());
        let page = clients.jira.search(&query, token.as_deref()).await?;
        ids.extend(page.ids);
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    let mut findings = Vec::new();
    let (everything, mut token) = (FindingsQuery::default(), None);
    loop {
        let page = clients.aws.page(&everything, token.as_deref()).await?;
        findings.extend(page.findings);
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    let owners = owners::routing(config, clients, store).await?;
    let policy = config.decision_policy();
    let links = store.links().await?;
    let known = Known::new(findings.iter(), &links, &owners, &policy);
    let fields: Vec<String> = maps.iter().filter_map(Mapping::field).cloned().collect();
    let mut tickets = Vec::new();
    for some in ids.chunks(100) {
        let said = clients.jira.said(some, &fields).await?;
        for ticket in clients.jira.fetch(some).await? {
            let Some(said) = said.iter().find(|said| said.id == ticket.at.id) else {
                continue;
            };
            let mut clues = maps.iter().map(|map| map.clues(&ticket, said));
            let clues = clues.find(|clues| !clues.is_empty()).unwrap_or_default();
            tickets.push(known.choose(&ticket, &clues));
        }
    }
    without_rivals(&mut tickets);
    tickets.sort_by_key(|choice| choice.ticket.id);
    Ok(Adoption {
        tickets,
        ..Adoption::default()
    })
}

/// Takes over what a plan shows. A ticket that was marked and not linked, because the run ended, is adopted by the next
/// complete read.
///
/// # Errors
/// The store; what Jira refuses is told, and the rest goes on.
pub async fn apply<S: Store>(
    adoption: &mut Adoption,
    clients: &Clients,
    store: &S,
) -> anyhow::Result<()> {
    let run = uuid::Uuid::now_v7().to_string();
    let mut adopted = 0;
    for choice in &adoption.tickets {
        let Some(link) = choice.link.as_deref() else {
            continue;
        };
        let at = &choice.ticket;
        let value = property(link, &[]);
        if let Err(error) = clients.jira.mark(at.id, &link.marker, &value).await {
            adoption.failed.push(format!("{}: {error}", at.key));
            continue;
        }
        let now = clients.clock.now();
        let entry = audit_entry(choice, &run, now);
        store
            .settle(std::slice::from_ref(link), &[entry], now)
            .await?;
        adopted += 1;
    }
    adoption.adopted = Some(adopted);
    Ok(())
}

fn audit_entry(choice: &Choice, run: &str, now: Timestamp) -> AuditEntry {
    let finding = match &choice.verdict {
        Verdict::Adopt { finding, .. } => Some(finding.clone()),
        _ => None,
    };
    let marker = choice.link.as_ref().map(|link| link.marker.clone());
    AuditEntry {
        at: now,
        run: run.to_owned(),
        action: "adopt".to_owned(),
        marker: marker.unwrap_or_else(|| crate::model::Marker(String::new())),
        ticket: Some(choice.ticket.key.clone()),
        finding,
        before: None,
        after: None,
        row: 0,
        reason: format!("{} {}.", choice.ticket.key, choice.verdict.sentence()),
    }
}

/// For people: what is taken over, then what is not and why.
pub fn text(adoption: &Adoption) -> String {
    let mut out = String::new();
    let adopts = |choice: &&Choice| choice.link.is_some();
    let (taken, left): (Vec<&Choice>, Vec<&Choice>) = adoption.tickets.iter().partition(adopts);
    for (sign, choices) in [('+', &taken), ('?', &left)] {
        for Choice {
            ticket, verdict, ..
        } in choices
        {
            let line = format!("{sign} {:<10} {}", ticket.key, verdict.sentence());
            let _ = writeln!(out, "{}", plain(&line));
        }
    }
    let _ = match adoption.adopted {
        // Jira Cloud's search is lenient: what does not exist fits nothing.
        _ if adoption.tickets.is_empty() => writeln!(
            out,
            "No ticket fits the query. Jira says so, too, where a project, a field or a value does not exist: check the names."
        ),
        None if taken.is_empty() => writeln!(
            out,
            "Nothing to take over: {} tickets were looked at.",
            adoption.tickets.len()
        ),
        None => writeln!(
            out,
            "{} of {} tickets would be taken over. Do so with --apply.",
            taken.len(),
            adoption.tickets.len()
        ),
        Some(adopted) => writeln!(
            out,
            "{adopted} of {} tickets were taken over.",
            adoption.tickets.len()
        ),
    };
    out
}
