//! `asaf explain`: why a finding or ticket is as it is, who decided, what comes next. It answers from the store alone.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use serde_json::json;

use crate::cli::{Exit, Output};
use crate::config::Config;
use crate::model::{BaseTicket, FindingState, Link, Marker, Pause, TicketState, WorkflowStatus};
use crate::store::sqlite::Sqlite;
use crate::store::{AuditEntry, Quarantined, Store};
use crate::talk::{self, plain};

/// Explains a finding id, ticket key, resource id or marker.
///
/// # Errors
/// Configuration, the store, or a subject that no link knows.
pub async fn run(subject: &str, output: Output, path: &Path) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    let store = Sqlite::open_beside(&config.store.path)?;
    let (about, others): (Vec<Link>, Vec<Link>) = store
        .links()
        .await?
        .into_iter()
        .partition(|link| is_about(link, subject));
    let groups: BTreeSet<&Marker> = about
        .iter()
        .filter_map(|link| Some(&link.member.as_ref()?.of))
        .collect();
    let of_members = others.into_iter();
    let shared: Vec<Link> = of_members
        .filter(|link| groups.contains(&link.marker))
        .collect();
    let links: Vec<Link> = about.into_iter().chain(shared).collect();
    if links.is_empty() {
        bail!(
            "nothing is known of {}. Give a finding's id, a ticket's key, a resource's ARN or a marker; \
             a finding below the threshold ({}) or one that never failed has no record",
            plain(subject),
            config.policy.threshold.label()
        );
    }
    let quarantine = store.quarantine().await?;
    let pauses = store.pauses().await?;
    for link in &links {
        let paused = pauses.iter().find(|pause| {
            let project =
                project(link).unwrap_or_else(|| config.owners.of_link(link).project.as_str());
            pause.covers(&link.alias.account, project)
        });
        let history = store.audit_of(&link.marker).await?;
        let waiting = quarantine.iter().find(|item| item.marker == link.marker);
        let text = match output {
            Output::Json => {
                let value = json!({ "link": link, "history": history, "quarantine": waiting,
                    "paused": paused, "next": next(link, waiting, paused) });
                serde_json::to_string_pretty(&value)? + "\n"
            }
            Output::Text | Output::Markdown => text(link, &history, waiting, paused),
        };
        talk::data(&text)?;
    }
    Ok(Exit::Ok)
}

/// The project of the link's ticket, as its key says.
pub(crate) fn project(link: &Link) -> Option<&str> {
    let key = &link.ticket.as_ref()?.key;
    key.rsplit_once('-').map(|(project, _)| project)
}

fn is_about(link: &Link, subject: &str) -> bool {
    let ticket = link
        .ticket
        .as_ref()
        .is_some_and(|at| at.key.eq_ignore_ascii_case(subject));
    ticket
        || link.marker.as_str() == subject
        || link.alias.resource == subject
        || link.findings.iter().any(|key| key.id == subject)
}

fn text(
    link: &Link,
    history: &[AuditEntry],
    waiting: Option<&Quarantined>,
    paused: Option<&Pause>,
) -> String {
    let mut out = String::new();
    let ticket = link
        .ticket
        .as_ref()
        .map_or("no ticket", |at| at.key.as_str());
    let alias = &link.alias;
    let _ = writeln!(
        out,
        "{} · {} · {}",
        plain(ticket),
        plain(&alias.rule),
        plain(&alias.resource)
    );
    let _ = writeln!(
        out,
        "  account {}, {}, severity {}, {}",
        alias.account,
        plain(&alias.region),
        link.severity.label(),
        link.marker
    );
    for key in &link.findings {
        let _ = writeln!(out, "  finding {}", plain(&key.id));
    }
    standing(&mut out, link);
    out.push_str("History\n");
    for entry in history {
        let _ = writeln!(
            out,
            "  {}  {:<8} {} → {}  {} (row {})",
            entry.at.strftime("%Y-%m-%d %H:%M"),
            entry.action,
            entry.before.as_deref().unwrap_or("-"),
            entry.after.as_deref().unwrap_or("-"),
            plain(&entry.reason),
            entry.row
        );
    }
    if history.is_empty() {
        out.push_str("  nothing was written yet\n");
    }
    let _ = writeln!(out, "Next\n  {}", next(link, waiting, paused));
    out
}

/// How it stands: what was agreed, decided, and is ignored.
fn standing(out: &mut String, link: &Link) {
    if let Some(member) = &link.member {
        let sentence = member.standing.sentence();
        let _ = writeln!(
            out,
            "  shares the ticket of {}: {}",
            member.of,
            plain(&sentence)
        );
    }
    if !link.members.is_empty() {
        let _ = writeln!(out, "  {} findings share this ticket", link.members.len());
    }
    if let Some(base) = &link.base {
        let _ = writeln!(
            out,
            "  both sides agreed: finding {}, ticket {}, Security Hub {} (episode {})",
            state(base.finding),
            ticket_word(base.ticket),
            base.workflow.as_str(),
            base.episode
        );
    }
    if let Some(decision) = &link.decision {
        let _ = writeln!(
            out,
            "  last decision: {:?} by {} at {} (episode {})",
            decision.kind,
            plain(&decision.by),
            decision.at.strftime("%Y-%m-%d %H:%M UTC"),
            decision.episode
        );
    }
    if let Some(by) = &link.ignored_by {
        let origin = by.origin.as_deref().unwrap_or("no pull request is known");
        let _ = writeln!(
            out,
            "  ignored by rule {} ({}, through {}): {}",
            plain(&by.rule),
            plain(origin),
            by.expires,
            plain(&by.reason)
        );
    }
}

pub(crate) fn state(finding: FindingState) -> &'static str {
    match finding {
        FindingState::Failing => "failing",
        FindingState::Unclear => "unclear",
        FindingState::Passing => "passing",
        FindingState::Archived => "archived",
        FindingState::Gone => "gone",
    }
}

pub(crate) fn ticket_word(ticket: BaseTicket) -> &'static str {
    match ticket {
        BaseTicket::None => "none",
        BaseTicket::Is(state) => state.word(),
        BaseTicket::Deleted => "deleted by a person",
    }
}

/// What would happen next, in words.
pub(crate) fn next(link: &Link, waiting: Option<&Quarantined>, paused: Option<&Pause>) -> String {
    if let Some(pause) = paused {
        let what = format!(
            "Nothing until `asaf resume`: {} is paused by {} since {}: {}",
            pause.scope,
            pause.by,
            pause.since.strftime("%Y-%m-%d %H:%M UTC"),
            pause.why
        );
        return plain(&what).into_owned();
    }
    if let Some(item) = waiting {
        let what = format!(
            "{} failed {} times: {}. See `asaf quarantine`.",
            item.what, item.attempts, item.why
        );
        return plain(&what).into_owned();
    }
    if let Some(dispute) = &link.dispute {
        let release = if dispute.labelled {
            "whoever settles it takes the label asaf-disputed off the ticket"
        } else {
            "it ends by itself a day later"
        };
        return format!(
            "Disputed since {}: somebody, or an automation, keeps changing back what asaf sets (row {}); {release}.",
            dispute.at.strftime("%Y-%m-%d %H:%M UTC"),
            dispute.row
        );
    }
    let Some(base) = &link.base else {
        return "The next run decides: nothing was agreed yet.".to_owned();
    };
    if let (BaseTicket::Is(TicketState::Ignored), Some(by)) = (base.ticket, &link.ignored_by) {
        return format!(
            "Nothing through {}, the last day of ignore rule {}, unless that rule is changed before.",
            by.expires,
            plain(&by.rule)
        );
    }
    let words = match (base.finding, base.ticket) {
        (FindingState::Failing, BaseTicket::Is(TicketState::Open)) => {
            "The owning team fixes it and sets the ticket to Resolved; if AWS sees it pass first, the engine resolves the ticket."
        }
        (_, BaseTicket::Is(TicketState::Resolved)) => {
            "Security reviews the ticket and closes or reopens it."
        }
        (FindingState::Failing, BaseTicket::Is(TicketState::Closed)) => {
            "Nothing, unless AWS sees it pass and fail again: then the ticket is reopened."
        }
        (_, BaseTicket::Is(TicketState::Closed)) => {
            "Nothing, unless the finding fails again: then the ticket is reopened."
        }
        (_, BaseTicket::Is(TicketState::Ignored)) => {
            "Nothing, until the suppression or its rule ends."
        }
        (_, BaseTicket::Is(TicketState::Open)) => {
            "Security keeps it open; they close it when they are content."
        }
        (_, BaseTicket::None | BaseTicket::Deleted)
            if base.workflow == WorkflowStatus::Suppressed =>
        {
            "Nothing while it is suppressed in Security Hub."
        }
        (_, BaseTicket::None | BaseTicket::Deleted) => {
            "Nothing, unless the finding fails again: then a ticket is created."
        }
    };
    words.to_owned()
}
