//! The findings and tickets that a change of rules is about: from files, or from both sides with credentials that only
//! read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::clock::Clock;
use crate::config::Config;
use crate::ignore::effect::{Change, Effect, Moved};
use crate::jobs::connect::{Way, connect_aws, connect_jira};
use crate::model::{Account, Finding, IgnoreRule, TicketState};
use crate::ports::{FindingsQuery, FindingsReader, Inventory, TicketQuery, TicketsReader};
use crate::read::adopt::marker_of;
use crate::read::files::read_paths;
use crate::wire::budget::Budget;
use crate::wire::counts::Counts;

/// Findings whose tickets are looked for, loudest first: 50 a request.
const TICKETS_MAX: usize = 500;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) findings: Vec<Finding>,
    /// Paths of organisational units.
    pub(super) units: BTreeMap<Account, String>,
    /// What was not read.
    pub(super) unseen: Vec<String>,
}

/// Findings from files.
pub(super) fn from_files(path: &PathBuf, asks_for_units: bool) -> anyhow::Result<Read> {
    let report = read_paths(std::slice::from_ref(path));
    if let (true, Some(error)) = (report.findings.is_empty(), report.errors.first()) {
        anyhow::bail!(
            "no finding could be read: {} {} {}",
            error.file,
            error.field,
            error.problem
        );
    }
    let mut read = Read {
        findings: report.findings,
        ..Read::default()
    };
    for error in report.errors.iter().take(5) {
        read.unseen
            .push(format!("{} {} {}", error.file, error.field, error.problem));
    }
    if asks_for_units {
        let gap = "organisational units: findings from a file do not say them, so rules with `ou` match nothing here";
        read.unseen.push(gap.to_owned());
    }
    Ok(read)
}

/// Findings from Security Hub: of the accounts that the changed rules name, or of all.
pub(super) async fn from_aws(
    config: &Config,
    changed: &[(Change, IgnoreRule)],
    asks_for_units: bool,
) -> anyhow::Result<Read> {
    let way = Way::network()?;
    let budget = Budget::new(Clock::System);
    let aws = connect_aws(config, way.credentials, way.aws, budget, Counts::default()).await;
    let mut read = Read::default();
    let narrow: Option<BTreeSet<Account>> = changed
        .iter()
        .map(|(_, rule)| (!rule.accounts.is_empty()).then(|| rule.accounts.clone()))
        .collect::<Option<Vec<_>>>()
        .map(|lists| lists.into_iter().flatten().collect());
    let queries: Vec<FindingsQuery> = match narrow {
        Some(accounts) => {
            let accounts: Vec<Account> = accounts.into_iter().collect();
            let some = accounts.chunks(20).map(|some| FindingsQuery {
                accounts: some.to_vec(),
                ..FindingsQuery::default()
            });
            some.collect()
        }
        None => vec![FindingsQuery::default()],
    };
    for query in queries {
        let mut token: Option<String> = None;
        loop {
            let page = aws.page(&query, token.as_deref()).await?;
            read.findings.extend(page.findings);
            let problems = page.problems.into_iter();
            read.unseen.extend(
                problems.map(|(id, field, problem)| format!("finding {id}: {field} {problem}")),
            );
            match page.next {
                Some(next) => token = Some(next),
                None => break,
            }
        }
    }
    if asks_for_units {
        match aws.units().await {
            Ok(units) => read.units = units,
            Err(error) => read
                .unseen
                .push(format!("{error}: rules with `ou` match nothing here")),
        }
    }
    Ok(read)
}

/// Looks up the tickets of what moves, and leaves only those that would really move.
pub(super) async fn tickets(config: &Config, effect: &mut Effect) -> Result<(), String> {
    if config.jira.token.resolve().is_err() {
        return Err("tickets: the Jira token is not set here".to_owned());
    }
    let say = |error: anyhow::Error| format!("tickets: {error:#}");
    let way = Way::network().map_err(say)?;
    let budget = Budget::new(Clock::System);
    let jira = connect_jira(config, way.jira, budget, Counts::default()).map_err(say)?;
    let states = |hides: bool| match hides {
        true => [Some(TicketState::Open), Some(TicketState::Resolved)],
        false => [Some(TicketState::Ignored), None],
    };
    for (hides, moved) in [(true, &mut effect.hides), (false, &mut effect.shows)] {
        let loudest = moved.len().min(TICKETS_MAX);
        for some in moved[..loudest].chunks_mut(50) {
            let found = of(&jira, some)
                .await
                .map_err(|error| format!("tickets: {error}"))?;
            for one in some {
                let ticket = found.iter().find(|(marker, ..)| *marker == one.marker.0);
                one.ticket = ticket
                    .filter(|(_, _, state)| states(hides).contains(state))
                    .map(|(_, key, _)| key.clone());
            }
        }
        if moved.len() > TICKETS_MAX {
            return Err(format!(
                "tickets: only those of the {TICKETS_MAX} loudest findings were looked up"
            ));
        }
    }
    Ok(())
}

type Found = (String, String, Option<TicketState>);

async fn of<T: TicketsReader>(
    jira: &T,
    some: &[Moved],
) -> Result<Vec<Found>, crate::wire::error::WireError> {
    let markers: BTreeSet<_> = some.iter().map(|one| one.marker.clone()).collect();
    let query = TicketQuery::Marked(markers.into_iter().collect());
    let (mut found, mut token) = (Vec::new(), None::<String>);
    loop {
        let page = jira.search(&query, token.as_deref()).await?;
        for ids in page.ids.chunks(100) {
            for ticket in jira.fetch(ids).await? {
                if let Some(marker) = marker_of(&ticket) {
                    found.push((marker.0, ticket.at.key, ticket.state));
                }
            }
        }
        token = match page.next {
            Some(next) => Some(next),
            None => return Ok(found),
        };
    }
}
