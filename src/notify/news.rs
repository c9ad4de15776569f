//! From what happened to what is told: ticket changes, alerts of the decision table, tickets that are late. Pure.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::item::{Alerted, Burning, Item, Late, Moved, TicketAt, Words};
use super::policy::{Kind, due_at, due_date, is_told_at_once, zone};
use super::route::{Recipient, places};
use crate::config::Config;
use crate::model::{
    BaseTicket, DecisionKind, Finding, FindingState, Link, Marker, Product, Severity, TicketRef,
    TicketState,
};
use crate::plan::{Action, Reason};
use crate::ports::{Alert, Audience};
use crate::store::outbox::{Notice, Stage, Thread, TicketChange};
use crate::wire::aws::console_url;

/// A ticket's change with what is known about it.
pub struct Change<'a> {
    /// The change.
    pub change: &'a TicketChange,
    /// The link as it is now.
    pub link: &'a Link,
    /// The finding, where it could be read.
    pub finding: Option<&'a Finding>,
    /// This run's action that made the change.
    pub action: Option<&'a Action>,
}

/// What one thing is told as, before it has a place.
struct Told {
    key: String,
    to: Recipient,
    fold: Option<String>,
    marker: Option<Marker>,
    thread: Thread,
    critical: bool,
    item: Item,
}

/// What people are told of a ticket's change; usually nothing.
pub fn of_change(config: &Config, change: &Change<'_>, now: Timestamp) -> Vec<Notice> {
    let told = match change.change.became {
        Stage::Open if burns(config, change) => burning(config, change),
        // Where it went is said in the ticket, and the plan that does it to many is released by a person.
        Stage::Open | Stage::Adopted | Stage::Merged => return Vec::new(),
        became if became == change.change.was => return Vec::new(),
        became => moved(config, change, became),
    };
    everywhere(config, told, now)
}

/// It burns when it begins to fail, fails again, or becomes so severe; not when a person reopens: that is later news.
fn burns(config: &Config, change: &Change<'_>) -> bool {
    let product = product(change);
    let kind = |severity| Kind {
        severity,
        product: product.as_ref().map(Product::word),
        rule: rule(change),
        types: change.finding.map_or(&[], |finding| &finding.types),
    };
    let told = |severity| is_told_at_once(&config.notices, kind(severity));
    match change.change.was {
        Stage::None | Stage::Deleted => told(change.change.severity),
        Stage::Resolved | Stage::Closed | Stage::Ignored => {
            let by_person = change.action.is_some_and(|action| action.row == 8);
            !by_person && told(change.change.severity)
        }
        Stage::Open => told(change.change.severity) && !told(change.change.severity_was),
        Stage::Adopted | Stage::Merged => false,
    }
}

/// Who reports it. Of a finding that could not be read, or is gone, its key still says so.
fn product(change: &Change<'_>) -> Option<Product> {
    let key = || change.link.findings.first();
    let of_key = || key().map(|key| Product::of_arn(&key.product_arn));
    let read = change.finding.map(|finding| finding.product.clone());
    read.or_else(of_key)
}

fn rule<'a>(change: &Change<'a>) -> &'a str {
    change
        .finding
        .map_or(change.change.rule.as_str(), |finding| {
            finding.rule.id.as_str()
        })
}

fn burning(config: &Config, change: &Change<'_>) -> Told {
    let (link, finding) = (change.link, change.finding);
    let team = team(config, link);
    let severity = change.change.severity;
    let base = link.base.as_ref();
    let one = Burning {
        severity,
        rule: rule(change).to_owned(),
        title: finding.map_or_else(String::new, |finding| finding.title.clone()),
        why: finding.map_or_else(String::new, |finding| finding.description.clone()),
        product: product(change).map_or("Security Hub".to_owned(), |product| {
            product.name().to_owned()
        }),
        account: link.alias.account.clone(),
        account_name: finding
            .filter(|finding| finding.alias.account == link.alias.account)
            .and_then(|finding| finding.account_name.clone()),
        region: link.alias.region.clone(),
        kind: finding
            .and_then(|f| f.resources.first())
            .map(|resource| resource.kind.clone()),
        resource: link.alias.resource.clone(),
        more_resources: finding
            .filter(|_| !link.alias.is_group())
            .map_or(0, |finding| finding.resources.len().saturating_sub(1)),
        since: base.map(|base| base.episode_started_at),
        episode: base.map_or(1, |base| base.episode),
        ticket: ticket_at(config, link.ticket.as_ref()),
        due: link
            .opened_at
            .and_then(|opened| due_date(config, &team, severity, opened)),
        console: link
            .findings
            .first()
            .map(|key| console_url(&config.aws.region, &key.id)),
        fix: finding.and_then(|finding| finding.remediation.text.clone()),
        fix_url: finding.and_then(|finding| safe_url(finding.remediation.url.as_deref()?)),
        team: team.clone(),
    };
    Told {
        key: change_key(change),
        to: Recipient::Team(team),
        fold: Some(format!("burns {}", one.rule)),
        marker: Some(link.marker.clone()),
        thread: Thread::Opens,
        critical: severity == Severity::Critical,
        item: Item::Burns(Box::new(one)),
    }
}

fn moved(config: &Config, change: &Change<'_>, became: Stage) -> Told {
    let link = change.link;
    let sentence = match change.action {
        Some(action) => action.reason.sentence(),
        None => without_reason(link, became),
    };
    let ticket = ticket_at(config, link.ticket.as_ref()).filter(|_| became != Stage::Deleted);
    // A ticket that is gone has a name still, but no page.
    let gone = change
        .action
        .and_then(|action| action.subject.ticket.as_ref());
    let sentence = match (&ticket, gone) {
        (None, Some(key)) => format!("{key}: {sentence}"),
        _ => sentence,
    };
    let item = Item::Moved(Moved {
        ticket,
        became,
        sentence,
    });
    Told {
        key: change_key(change),
        to: Recipient::Team(team(config, link)),
        fold: Some(format!("became {became:?}")),
        marker: Some(link.marker.clone()),
        thread: Thread::OnlyIfOpened,
        critical: false,
        item,
    }
}

/// Nothing had to be written, or the run that wrote was cut off: what the link remembers says why.
fn without_reason(link: &Link, became: Stage) -> String {
    let base = link.base.as_ref();
    let failing = base.is_some_and(|base| base.finding == FindingState::Failing);
    if let Some(decision) = &link.decision {
        let (by, at) = (decision.by.clone(), decision.at);
        let reason = match (became, decision.kind) {
            (Stage::Closed, DecisionKind::Closed) => Reason::Accepted { by, failing },
            (Stage::Ignored, DecisionKind::Suppressed) => Reason::SuppressedByHand { by, at },
            (Stage::Resolved, DecisionKind::ResolvedInSecurityHub) => {
                Reason::ResolvedInSecurityHub { by, at }
            }
            (Stage::Resolved, DecisionKind::Resolved) => {
                return format!("Resolved by {by}; it awaits review.");
            }
            _ => return format!("Decided by {by}."),
        };
        return reason.sentence();
    }
    match became {
        Stage::Resolved | Stage::Closed | Stage::Ignored => {
            "The finding or its ticket says so now.".to_owned()
        }
        Stage::None => "AWS Config recorded the deletion of the resource.".to_owned(),
        Stage::Deleted => "Somebody deleted the ticket in Jira.".to_owned(),
        Stage::Merged => "Another ticket goes on with it.".to_owned(),
        Stage::Open | Stage::Adopted => "It waits for the team again.".to_owned(),
    }
}

/// An alert, of an action or of the engine's own state.
pub fn of_alert(
    config: &Config,
    alert: &Alert,
    key: &str,
    about: Option<&Action>,
    words: Option<Words>,
    now: Timestamp,
) -> Vec<Notice> {
    let at = about
        .and_then(|action| action.after.as_ref())
        .and_then(|after| after.ticket.as_ref());
    let ticket = ticket_at(config, at).or_else(|| {
        let key = alert.ticket_key.clone()?;
        let url = ticket_url(config, &key);
        Some(TicketAt { key, url })
    });
    let (to, thread) = match alert.to {
        Audience::Security => (Recipient::Security, Thread::None),
        Audience::Team => {
            let account = about.map_or("", |action| action.subject.account.as_str());
            let owned = about.map(|action| &action.subject.team);
            let owned = owned.filter(|team| !team.is_empty());
            let team = alert.team.as_ref().or(owned);
            let team = team.unwrap_or_else(|| &config.owners.of(account).team);
            (Recipient::Team(team.clone()), Thread::IfOpened)
        }
    };
    let told = Told {
        key: key.to_owned(),
        to,
        fold: about.map(|action| format!("row {}", action.row)),
        marker: about.map(|action| action.marker.clone()),
        thread,
        critical: false,
        item: Item::Alert(Alerted {
            sentence: alert.text.clone(),
            ticket,
            words,
        }),
    };
    everywhere(config, told, now)
}

/// Tickets that are late on this day, or soon will be, each told once.
pub fn of_late<'a>(
    config: &Config,
    links: impl IntoIterator<Item = &'a Link>,
    now: Timestamp,
) -> Vec<Notice> {
    let Some(sla) = &config.sla else {
        return Vec::new();
    };
    let today = zone(&config.notices).to_datetime(now).date();
    let days_before = sla.warn_before.duration().as_hours() / 24;
    let mut notices = Vec::new();
    for link in links {
        let Some((due, ticket)) = open_and_due(config, link) else {
            continue;
        };
        let breached = today > due;
        if !breached && days_between(today, due) > days_before {
            continue;
        }
        let episode = link.base.as_ref().map_or(0, |base| base.episode);
        let word = if breached { "late" } else { "soon" };
        let told = Told {
            key: format!("{word}:{}:{episode}:{due}", link.marker),
            to: Recipient::Team(team(config, link)),
            fold: Some(word.to_owned()),
            marker: Some(link.marker.clone()),
            thread: Thread::None,
            critical: false,
            item: Item::Late(Late {
                ticket,
                severity: link.severity,
                rule: link.rule_said().to_owned(),
                resource: link.alias.resource.clone(),
                due,
                breached,
            }),
        };
        notices.extend(everywhere(config, told, now));
    }
    notices
}

/// An open ticket with the day on which it is due.
pub fn open_and_due(config: &Config, link: &Link) -> Option<(Date, TicketAt)> {
    let open = link.base.as_ref()?.ticket == BaseTicket::Is(TicketState::Open);
    let opened = link.opened_at.filter(|_| open)?;
    let due = due_date(config, &team(config, link), link.severity, opened)?;
    Some((due, ticket_at(config, link.ticket.as_ref())?))
}

/// Days from one to another; negative when it has passed.
pub fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

/// A message as it is, for one recipient.
pub fn ready(
    config: &Config,
    key: String,
    to: Recipient,
    message: super::message::Message,
    now: Timestamp,
) -> Vec<Notice> {
    let told = Told {
        key,
        to,
        fold: None,
        marker: None,
        thread: Thread::None,
        critical: true,
        item: Item::Ready(Box::new(message)),
    };
    everywhere(config, told, now)
}

/// The same in every place where the recipient hears of things.
fn everywhere(config: &Config, told: Told, now: Timestamp) -> Vec<Notice> {
    let body = serde_json::to_value(&told.item).unwrap_or(Value::Null);
    let due_at = due_at(&config.notices, now, told.critical);
    let places = places(config, &told.to);
    let notice = |place: super::route::Place| Notice {
        place: place.word().to_owned(),
        key: told.key.clone(),
        recipient: told.to.word(),
        fold: told.fold.clone(),
        marker: told.marker.clone(),
        thread: told.thread,
        due_at,
        body: body.clone(),
    };
    places.into_iter().map(notice).collect()
}

fn change_key(change: &Change<'_>) -> String {
    format!("change:{}:{}", change.change.marker, change.change.seq)
}

fn team(config: &Config, link: &Link) -> String {
    config.owners.of_link(link).team.clone()
}

fn ticket_at(config: &Config, ticket: Option<&TicketRef>) -> Option<TicketAt> {
    let ticket = ticket?;
    Some(TicketAt {
        key: ticket.key.clone(),
        url: ticket_url(config, &ticket.key),
    })
}

/// The page of a ticket.
pub fn ticket_url(config: &Config, key: &str) -> String {
    format!("{}/browse/{key}", config.jira.url)
}

/// Only https, as a browser would read it.
fn safe_url(url: &str) -> Option<String> {
    crate::wire::adf::SafeUrl::parse(url).map(|url| url.as_str().to_owned())
}
