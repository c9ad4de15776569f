//! `asaf review`: the tickets that wait for security. It reads narrowly what they are about, and writes nothing; what the
//! answers mean is [`crate::review`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::{Exit, Output, ReviewArgs};
use crate::clock::Clock;
use crate::config::Config;
use crate::decide::Policy;
use crate::decide::policy::CloseWhileFailing;
use crate::jobs::connect::{Clients, Way, connect};
use crate::jobs::reconcile::{LAST_READ, RunError};
use crate::model::{BaseTicket, Link, Marker, Member, Standing, TicketState};
use crate::ports::{Inventory, ResourceFact, ResourceQuery, TicketQuery, TicketsReader};
use crate::read::rules::Loaded;
use crate::read::snapshot::Snapshot;
use crate::read::{Keys, ReadError, Scope, Silent, Sources, read};
use crate::review::{Evidence, Review, Source, Waiting, render};
use crate::store::sqlite::Sqlite;
use crate::store::{Store, StoreError};
use crate::talk::{self, Talk, plain};

/// Tickets that are read in one call.
const TICKETS_PER_CALL: usize = 100;
/// Resources of tickets of several findings that AWS Config is asked about in one review; each may cost a request in its
/// own account.
const MEMBERS_ASKED: usize = 500;
/// Tickets whose moves are asked for in one call.
const MOVES_PER_CALL: usize = 1_000;

/// Lists what waits.
///
/// # Errors
/// Configuration, the store, a side that cannot be read.
pub async fn run(args: &ReviewArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    let store = Sqlite::open_beside(&config.store.path)?;
    let looked = if args.offline {
        remembered(&config, &store, Clock::System.now())
            .await
            .map_err(RunError::from)
    } else {
        let clients = connect(&config, Clock::System, Way::network()?).await?;
        let bar = talk.spinner("reading");
        let looked = Box::pin(look(&config, &clients, &store)).await;
        bar.finish_and_clear();
        looked.map_err(RunError::from)
    };
    let mut review = match looked {
        Ok(review) => review,
        Err(error) => {
            talk.error(&plain(&format!("error: {error}")));
            talk.say("`asaf review --offline` answers from the store.");
            return Ok(if error.is_denied() {
                Exit::Configuration
            } else {
                Exit::Failed
            });
        }
    };
    let at = review.at;
    review.waiting.retain(|waiting| {
        let theirs = args.team.as_ref().is_none_or(|team| waiting.team == *team);
        let waited = at.duration_since(waiting.since);
        theirs
            && args
                .longer_than
                .is_none_or(|least| waited > least.duration())
    });
    let text = match args.output {
        Output::Json => serde_json::to_string_pretty(&review)? + "\n",
        Output::Markdown => render::markdown(&review),
        Output::Text => render::text(&review, talk::width()),
    };
    talk::data(&text)?;
    let pending = args.detailed_exitcode && !review.waiting.is_empty();
    Ok(if pending {
        Exit::ChangesPending
    } else {
        Exit::Ok
    })
}

/// What the store remembers.
///
/// # Errors
/// The store.
pub async fn remembered<S: Store>(
    config: &Config,
    store: &S,
    now: Timestamp,
) -> Result<Review, StoreError> {
    let links = store.links().await?;
    remembered_of(config, store, links, now).await
}

/// The same for links that were looked up.
///
/// # Errors
/// The store.
pub(crate) async fn remembered_of<S: Store>(
    config: &Config,
    store: &S,
    links: Vec<Link>,
    now: Timestamp,
) -> Result<Review, StoreError> {
    let links: Vec<Link> = links.into_iter().filter(may_wait).collect();
    let members: Vec<Marker> = links
        .iter()
        .flat_map(|link| link.members.iter().cloned())
        .collect();
    let members = store.links_of(&[], &[], &members).await?;
    let links = links.into_iter().chain(members);
    let mut snapshot = Snapshot {
        taken_at: now,
        ..Snapshot::default()
    };
    links.for_each(|link| snapshot.keep(link));
    let last_read_at = store.instant(LAST_READ).await?;
    review(config, store, &snapshot, Source::Store { last_read_at }).await
}

/// What both sides say now of what waits: what the store knows of, and tickets that changed since the last run.
///
/// # Errors
/// A side that cannot be read, or the store.
pub async fn look<S: Store>(
    config: &Config,
    clients: &Clients,
    store: &S,
) -> Result<Review, ReadError> {
    let now = clients.clock.now();
    let policy = config.decision_policy();
    clients.jira.check_statuses().await?;
    let links = store.links().await?;
    let unseen = Box::pin(unseen(config, clients, store, &policy, &links)).await?;
    let waits = |link: &&Link| may_wait(link) || is_among(link, &unseen);
    let keys = Keys {
        markers: links
            .iter()
            .filter(waits)
            .map(|link| link.marker.clone())
            .collect(),
        ..Keys::default()
    };
    drop(links);
    let from = Sources {
        findings: &clients.aws,
        tickets: &clients.jira,
        inventory: &clients.aws,
        store,
        // What a rule covers is ignored, not reviewed: the evidence has no use for rules.
        rules: &Loaded::None,
        // The link knows whose it is.
        owners: &Arc::default(),
    };
    let scope = Scope::Keys(keys);
    let mut snapshot = Box::pin(read(from, &scope, &policy, now, &Silent)).await?;
    let listed = evidence(config, &snapshot, &policy, true);
    let listed: BTreeSet<Marker> = listed.into_iter().map(|one| one.marker).collect();
    // The members of a ticket of several findings stay: they say what is with it.
    snapshot.links.retain(|marker, link| {
        let member = link.member.as_ref();
        listed.contains(marker) || member.is_some_and(|member| listed.contains(&member.of))
    });
    moves(&clients.jira, &mut snapshot).await;
    resources(&clients.aws, &mut snapshot).await;
    Ok(review(config, store, &snapshot, Source::Now).await?)
}

/// The store remembers it as waiting.
fn may_wait(link: &Link) -> bool {
    let base = link.base.as_ref().map(|base| base.ticket);
    link.dispute.is_some() || base == Some(BaseTicket::Is(TicketState::Resolved))
}

fn is_among(link: &Link, tickets: &BTreeSet<u64>) -> bool {
    let ticket = link.ticket.as_ref();
    ticket.is_some_and(|at| tickets.contains(&at.id))
}

/// Tickets that wait by now, and the store does not know it yet: of those that changed since the last run. Where a
/// reviewer's close of a failing finding is held, the store never learns of it, so all that are not closed are looked at.
async fn unseen<S: Store>(
    config: &Config,
    clients: &Clients,
    store: &S,
    policy: &Policy,
    links: &[Link],
) -> Result<BTreeSet<u64>, ReadError> {
    let holds = policy.close_while_failing == CloseWhileFailing::Hold;
    let others = links.iter().filter(|link| !may_wait(link));
    let ours: BTreeMap<u64, bool> = others
        .filter_map(|link| {
            let closed = BaseTicket::Is(TicketState::Closed);
            let is_closed = link.base.as_ref().is_some_and(|base| base.ticket == closed);
            Some((link.ticket.as_ref()?.id, is_closed))
        })
        .collect();
    let changed = changed(config, clients, store).await?;
    let open = ours.iter().filter(|(_, is_closed)| holds && !**is_closed);
    let ids: BTreeSet<u64> = open
        .map(|(id, _)| *id)
        .chain(changed.into_iter().filter(|id| ours.contains_key(id)))
        .collect();
    let ids: Vec<u64> = ids.into_iter().collect();
    let mut found = BTreeSet::new();
    for some in ids.chunks(TICKETS_PER_CALL) {
        let tickets = clients.jira.fetch(some).await?.into_iter();
        let waits = tickets.filter(|ticket| match ticket.state {
            Some(TicketState::Resolved) => true,
            Some(TicketState::Closed) => holds,
            Some(TicketState::Open | TicketState::Ignored) | None => false,
        });
        found.extend(waits.map(|ticket| ticket.at.id));
    }
    Ok(found)
}

/// Tickets that changed since the last run, as Jira's search knows them.
async fn changed<S: Store>(
    config: &Config,
    clients: &Clients,
    store: &S,
) -> Result<Vec<u64>, ReadError> {
    let Some(last) = store.instant(LAST_READ).await? else {
        return Ok(Vec::new());
    };
    let query = TicketQuery::UpdatedSince(last - config.run.incremental_overlap.duration());
    let (mut ids, mut token) = (Vec::new(), None::<String>);
    loop {
        let page = clients.jira.search(&query, token.as_deref()).await?;
        ids.extend(page.ids);
        match page.next {
            Some(next) => token = Some(next),
            None => return Ok(ids),
        }
    }
}

/// Who moved them, and when. What cannot be read is said.
async fn moves<T: TicketsReader>(jira: &T, snapshot: &mut Snapshot) {
    let tickets = snapshot
        .links
        .values()
        .filter_map(|link| link.ticket.as_ref());
    let unread = tickets
        .map(|at| at.id)
        .filter(|id| !snapshot.moves.contains_key(id));
    let ids: Vec<u64> = unread.collect();
    for some in ids.chunks(MOVES_PER_CALL) {
        match jira.moves(some).await {
            Ok(read) => snapshot.moves.extend(read),
            Err(error) => snapshot.coverage.gaps.push(error.to_string()),
        }
    }
}

/// Does what they are about still exist? An answer that does not come is one too.
async fn resources<I: Inventory>(inventory: &I, snapshot: &mut Snapshot) {
    let mut wanted: BTreeMap<Marker, Vec<ResourceQuery>> = BTreeMap::new();
    let mut members = 0;
    for (marker, link) in &snapshot.links {
        let known = snapshot.resources.contains_key(marker);
        // A ticket of several findings is about no one resource: its members are.
        let own = link.ticket.is_some() && !link.alias.is_group();
        let shares = link
            .member
            .as_ref()
            .is_some_and(|member| is_claimed(member));
        members += usize::from(shares && !known);
        if (own || (shares && members <= MEMBERS_ASKED)) && !known {
            wanted.insert(marker.clone(), queries(link, snapshot));
        }
    }
    if members > MEMBERS_ASKED {
        snapshot.coverage.gaps.push(format!(
            "AWS Config was asked about {MEMBERS_ASKED} of {members} resources of shared tickets; of the others Security Hub alone says how they stand"
        ));
    }
    let all: BTreeSet<&ResourceQuery> = wanted.values().flatten().collect();
    let all: Vec<ResourceQuery> = all.into_iter().cloned().collect();
    if all.is_empty() {
        return;
    }
    let facts = inventory.resources(&all).await;
    for (marker, queries) in wanted {
        let answers = queries.iter().filter_map(|query| facts.get(query).cloned());
        let answers: Vec<ResourceFact> = answers.collect();
        snapshot.resources.insert(marker, answers);
    }
}

/// What somebody says is dealt with: not what is hidden, accepted, or known to be deleted.
fn is_claimed(member: &Member) -> bool {
    !matches!(
        member.standing,
        Standing::Ignored { .. }
            | Standing::Suppressed { .. }
            | Standing::Accepted { .. }
            | Standing::Deleted
    )
}

/// One for each resource that its findings name; the alias knows one where no finding is there any more.
fn queries(link: &Link, snapshot: &Snapshot) -> Vec<ResourceQuery> {
    let alias = &link.alias;
    let query = |kind: &str, id: &str, region: Option<&String>| ResourceQuery {
        account: alias.account.clone(),
        region: region.unwrap_or(&alias.region).clone(),
        kind: kind.to_owned(),
        id: id.to_owned(),
    };
    let findings = link.findings.iter().filter_map(|key| snapshot.finding(key));
    let named: Vec<ResourceQuery> = findings
        .flat_map(|finding| &finding.resources)
        .map(|resource| query(&resource.kind, &resource.id, resource.region.as_ref()))
        .collect();
    if named.is_empty() {
        return vec![query("", &alias.resource, None)];
    }
    named
}

fn evidence(config: &Config, snapshot: &Snapshot, policy: &Policy, is_fresh: bool) -> Vec<Waiting> {
    let evidence = Evidence {
        snapshot,
        is_fresh,
        policy,
        team_of: &|link| config.owners.of_link(link).team.clone(),
    };
    evidence.waiting()
}

async fn review<S: Store>(
    config: &Config,
    store: &S,
    snapshot: &Snapshot,
    source: Source,
) -> Result<Review, StoreError> {
    let is_fresh = source == Source::Now;
    Ok(Review {
        at: snapshot.taken_at,
        source,
        waiting: evidence(config, snapshot, &config.decision_policy(), is_fresh),
        paused: store.pauses().await?,
        gaps: snapshot.coverage.gaps.clone(),
    })
}
