//! `asaf digest`: counts, makes a message for each channel, keeps and delivers it. `serve` calls [`send`] when
//! [`is_due`] says so.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::cli::{DigestArgs, Exit, TextOrJson};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::connect::chats;
use crate::jobs::reconcile::LAST_FULL;
use crate::jobs::tell::keep;
use crate::model::ignore_rule::day;
use crate::model::{FindingState, Link, Marker};
use crate::notify::deliver::{Chats, Delivered, Desk};
use crate::notify::digest::numbers::{All, Source, count, review_queue};
use crate::notify::digest::security::{self, Affairs, InReview};
use crate::notify::digest::team::{self, Ending, Setting};
use crate::notify::digest::{edition, last_due, today};
use crate::notify::item::TicketAt;
use crate::notify::message::Message;
use crate::notify::news::{ready, ticket_url};
use crate::notify::route::{Place, Recipient, channel, places};
use crate::read::rules::last;
use crate::store::outbox::{Figures, Outbox, Stage};
use crate::store::sqlite::Sqlite;
use crate::store::{Store, StoreError};
use crate::talk::{self, Talk};
use crate::wire::budget::Budget;
use crate::wire::counts::Counts;
use crate::wire::transport::Transport;

/// When digests were last sent.
const LAST_DIGEST: &str = "last_digest";
/// Changes are read for the picture: twelve weeks and a day.
const READ_BACK: SignedDuration = SignedDuration::from_hours(24 * 85);
/// Posts older than this are forgotten: long enough for the thread of a ticket that stays open.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);
/// An ignore rule that ends within so many days ends soon: its owner heard of it at the same time.
const ENDS_SOON_DAYS: i32 = 14;
/// The longest that one command waits for chats.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);
/// The longest that one request may take.
const REQUEST_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

/// A digest for one channel.
#[derive(Clone, Debug)]
pub struct Digest {
    /// Who reads it.
    pub recipient: Recipient,
    /// Its teams; empty for the security team's own.
    pub teams: Vec<String>,
    /// What it says.
    pub message: Message,
}

/// Digests are due now. Not before everything was read completely once: a new installation would say that nothing is
/// open.
///
/// # Errors
/// [`StoreError`].
pub async fn is_due<S: Store>(
    config: &Config,
    store: &S,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if store.instant(LAST_FULL).await?.is_none() {
        return Ok(false);
    }
    let last = store.instant(LAST_DIGEST).await?;
    Ok(crate::notify::digest::due(&config.notices, now, last))
}

/// Makes the digests of these teams (none: of all, and the security team's own).
///
/// # Errors
/// [`StoreError`].
pub async fn make<S: Store + Outbox + Figures>(
    config: &Config,
    store: &S,
    only: &[String],
    now: Timestamp,
) -> Result<Vec<Digest>, StoreError> {
    let links = store.links().await?;
    let all = numbers(config, store, &links, now).await?;
    let ending = ending(config, store, &links, now).await?;
    let setting = Setting {
        config,
        today: today(&config.notices, now),
        ending: &ending,
    };
    let mut digests = Vec::new();
    for (recipient, teams) in channels(config, only) {
        if let Some(message) = team::message(&setting, &all, &teams) {
            digests.push(Digest {
                recipient,
                teams,
                message,
            });
        }
    }
    if only.is_empty() || only.iter().any(|team| team == "security") {
        let affairs = affairs(config, store, &links, now).await?;
        if let Some(message) = security::message(&setting, &all, &affairs, now) {
            digests.push(Digest {
                recipient: Recipient::Security,
                teams: Vec::new(),
                message,
            });
        }
    }
    Ok(digests)
}

/// The numbers behind the digests.
///
/// # Errors
/// [`StoreError`].
pub async fn numbers<S: Store + Figures>(
    config: &Config,
    store: &S,
    links: &[Link],
    now: Timestamp,
) -> Result<All, StoreError> {
    let changes = store.changes(now - READ_BACK).await?;
    Ok(count(&Source {
        config,
        links,
        changes: &changes,
        counting_since: store.counting_since().await?,
        now,
    }))
}

/// Makes and keeps the digests of this edition; those that were kept before are the same news. Returns how many there
/// are.
///
/// # Errors
/// [`StoreError`].
pub async fn send<S: Store + Outbox + Figures>(
    config: &Config,
    store: &S,
    only: &[String],
    again: bool,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let digests = make(config, store, only, now).await?;
    let edition = if again {
        now.to_string()
    } else {
        edition(&config.notices, now).to_string()
    };
    for digest in &digests {
        let key = format!("digest:{edition}:{}", digest.recipient.word());
        let notices = ready(
            config,
            key,
            digest.recipient.clone(),
            digest.message.clone(),
            now,
        );
        keep(store, config, &notices, &[], now).await?;
    }
    if only.is_empty() {
        store.set_instant(LAST_DIGEST, now).await?;
        store.forget(now - KEPT).await?;
    }
    Ok(digests.len())
}

/// Live ignore rules that end soon, as they were read last; the next one first.
async fn ending<S: Store>(
    config: &Config,
    store: &S,
    links: &[Link],
    now: Timestamp,
) -> Result<Vec<Ending>, StoreError> {
    let today = day(now);
    let remembered = store.remembered_rules().await?;
    let (Some(ignore), Some(remembered)) = (&config.ignore, remembered) else {
        return Ok(Vec::new());
    };
    let Some(set) = last(&remembered, &ignore.policy(), today) else {
        return Ok(Vec::new());
    };
    let hides = |rule: &str| {
        let hidden = links.iter().filter(|link| {
            let by = link.ignored_by.as_ref().map(|by| by.rule.as_str());
            let base = link.base.as_ref().map(|base| base.finding);
            by == Some(rule) && base == Some(FindingState::Failing)
        });
        hidden.count()
    };
    let soon = set
        .rules
        .iter()
        .filter(|rule| rule.is_live(today) && rule.days_left(today) <= ENDS_SOON_DAYS);
    let mut ending: Vec<Ending> = soon
        .map(|rule| Ending {
            rule: rule.id.clone(),
            team: rule.owner.clone(),
            expires: rule.expires,
            hides: hides(&rule.id),
        })
        .collect();
    ending.sort_by(|a, b| (a.expires, &a.rule).cmp(&(b.expires, &b.rule)));
    Ok(ending)
}

/// Teams by the channel that they share; each channel is written to once. A team that nobody hears for is left to the
/// security team's digest.
fn channels(config: &Config, only: &[String]) -> Vec<(Recipient, Vec<String>)> {
    let mut channels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for team in config.owners.teams() {
        if !only.is_empty() && !only.iter().any(|wanted| wanted == team) {
            continue;
        }
        let recipient = Recipient::Team(team.to_owned());
        let place = places(config, &recipient).first().copied();
        let own = match place {
            Some(Place::Slack) => config.owners.slack_channel(team).map(str::to_owned),
            Some(place) => channel(config, place, &recipient),
            None => None,
        };
        if let Some(own) = own {
            channels.entry(own).or_default().push(team.to_owned());
        }
    }
    let named = channels.into_values().filter_map(|teams| {
        let recipient = Recipient::Team(teams.first()?.clone());
        Some((recipient, teams))
    });
    named.collect()
}

/// What the security team looks after, from the store.
async fn affairs<S: Store + Outbox + Figures>(
    config: &Config,
    store: &S,
    links: &[Link],
    now: Timestamp,
) -> Result<Affairs, StoreError> {
    let by_marker: BTreeMap<&Marker, &Link> =
        links.iter().map(|link| (&link.marker, link)).collect();
    let since = store.since(Stage::Resolved).await?;
    let queue = review_queue(links, &since)
        .into_iter()
        .filter_map(|(marker, since)| {
            let link = by_marker.get(&marker)?;
            let key = link.ticket.as_ref()?.key.clone();
            let url = ticket_url(config, &key);
            Some(InReview {
                ticket: TicketAt { key, url },
                rule: link.rule_said().to_owned(),
                since,
            })
        })
        .collect();
    let week = now - SignedDuration::from_hours(24 * 7);
    let undone = store.audit_by_row(2, week).await?;
    let undone = undone.into_iter().map(|entry| {
        let ticket = entry.ticket.map(|key| TicketAt {
            url: ticket_url(config, &key),
            key,
        });
        (ticket, entry.reason)
    });
    let quarantined = store.quarantine().await?;
    let quarantined = quarantined
        .into_iter()
        .map(|item| (item.subject, format!("{}: {}", item.what, item.why)));
    let waiting = store.waiting().await?;
    let undelivered = waiting
        .into_iter()
        .filter(|one| one.trouble.is_some())
        .collect();
    let last_full = store.instant(LAST_FULL).await?;
    let every = config.run.full_every.duration();
    let full_is_late = last_full.is_none_or(|at| now.duration_since(at) > every * 2);
    Ok(Affairs {
        queue,
        undone: undone.collect(),
        quarantined: quarantined.collect(),
        undelivered,
        last_full,
        full_is_late,
    })
}

/// `asaf digest`.
///
/// # Errors
/// Configuration, a team that does not exist, the store.
pub async fn run(args: &DigestArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    let known = config.owners.teams();
    if let Some(wrong) = args
        .team
        .iter()
        .find(|team| !known.contains(team.as_str()) && *team != "security")
    {
        let known: Vec<&str> = known.into_iter().collect();
        bail!(
            "no owner has the team {}; there are: {}",
            talk::plain(wrong),
            known.join(", ")
        );
    }
    let store = Sqlite::open_beside(&config.store.path)?;
    let clock = Clock::System;
    let now = clock.now();
    if args.dry_run {
        let digests = make(&config, &store, &args.team, now).await?;
        return show(&config, &digests, args.output, talk);
    }
    let transport = Transport::network(REQUEST_TIMEOUT)?;
    let chats = chats(
        &config,
        &transport,
        &Budget::new(clock.clone()),
        &Counts::default(),
    )?;
    let made = send(&config, &store, &args.team, args.again, now).await?;
    let delivered = deliver(&config, &chats, &store, &clock).await?;
    finish(made, &delivered, args, &config, now, talk)
}

async fn deliver(
    config: &Config,
    chats: &Chats,
    store: &Sqlite,
    clock: &Clock,
) -> Result<Delivered, StoreError> {
    let desk = Desk {
        outbox: store,
        chats,
        config,
        clock,
    };
    desk.deliver(clock.now() + PATIENCE).await
}

fn finish(
    made: usize,
    delivered: &Delivered,
    args: &DigestArgs,
    config: &Config,
    now: Timestamp,
    talk: Talk,
) -> anyhow::Result<Exit> {
    if args.output == TextOrJson::Json {
        let value = json!({ "digests": made, "told": delivered });
        talk::data(&(serde_json::to_string_pretty(&value)? + "\n"))?;
    }
    let since = last_due(&config.notices, now).strftime("%a %-d %b");
    talk.say(&match (made, delivered.sent) {
        (0, _) => "There is nothing to tell: no ticket is open, and nothing changed.".to_owned(),
        (_, 0) if delivered.waiting == 0 => {
            format!("The digests since {since} were sent before; --again sends them once more.")
        }
        (_, sent) => format!("{sent} messages sent, {} wait.", delivered.waiting),
    });
    for trouble in &delivered.troubles {
        talk.error(&talk::plain(trouble));
    }
    Ok(if delivered.waiting > 0 {
        Exit::Failed
    } else {
        Exit::Ok
    })
}

fn show(
    config: &Config,
    digests: &[Digest],
    output: TextOrJson,
    talk: Talk,
) -> anyhow::Result<Exit> {
    let place = |digest: &Digest| -> Vec<String> {
        let places = places(config, &digest.recipient).into_iter();
        let named = places.filter_map(|place| {
            let name = channel(config, place, &digest.recipient)?;
            Some(format!("{} {name}", place.word()).trim_end().to_owned())
        });
        named.collect()
    };
    let text = match output {
        TextOrJson::Json => {
            let all = digests.iter().map(|digest| {
                json!({ "to": place(digest), "teams": digest.teams, "message": digest.message,
                    "text": digest.message.as_text() })
            });
            serde_json::to_string_pretty(&all.collect::<Vec<_>>())? + "\n"
        }
        TextOrJson::Text => digests
            .iter()
            .map(|digest| {
                format!(
                    "── {} ──\n{}\n\n",
                    place(digest).join(", "),
                    digest.message.as_text()
                )
            })
            .collect(),
    };
    talk::data(&text)?;
    if digests.is_empty() {
        talk.say("There is nothing to tell: no ticket is open, and nothing changed.");
    }
    Ok(Exit::Ok)
}
