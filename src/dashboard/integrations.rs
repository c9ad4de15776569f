//! The page of integrations: when each side was last read or heard, what waits to be told, and what is paused.

use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{Failure, Visit};
use super::listing::{Act, Listing};
use super::pages::{fact, moment, show, toned, when};
use crate::figures::grouped;
use crate::figures::table::Cell;
use crate::jobs::reconcile::{LAST_FULL, LAST_READ};
use crate::store::outbox::Outbox as _;
use crate::store::queue::{Inbox as _, WorkQueue as _};
use crate::store::unread::Door;
use crate::store::{Store as _, rules::RuleMemory as _};

pub(super) async fn integrations(visit: &Visit<'_>) -> Result<Response, Failure> {
    let facts = facts(visit).await?;
    let (waiting, paused) = (waiting(visit).await?, paused(visit).await?);
    let forms = if visit.acts() {
        super::act::pause_forms()
    } else {
        Vec::new()
    };
    let page = json!({ "facts": facts, "forms": forms });
    show(
        visit,
        "/integrations",
        "Integrations",
        page,
        vec![paused, waiting],
    )
}

/// When each side was last read or heard.
async fn facts(visit: &Visit<'_>) -> Result<Vec<Value>, Failure> {
    let (store, config) = (&*visit.dashboard.store, &visit.setup.config);
    let full = store.instant(LAST_FULL).await?;
    let every = config.run.full_every.duration();
    let on_time = full.is_some_and(|at| visit.now.duration_since(at) <= every + every / 4);
    let depth = store.depth(visit.now).await?;
    let mut facts = vec![
        toned("Last complete run began", when(full), on_time),
        fact(
            "Last run that read all it wanted began",
            when(store.instant(LAST_READ).await?),
        ),
        fact("Work that is due", grouped(depth.ready)),
        fact("Work that is due later", grouped(depth.delayed)),
    ];
    if let Some(at) = depth.oldest_ready_at {
        let late = visit.now.duration_since(at).as_mins() >= 15;
        facts.push(toned("The oldest is due since", moment(at), !late));
    }
    for (name, door, configured) in [
        (
            "Jira's webhook was last heard",
            Door::Webhook,
            !config.webhook.secrets.is_empty(),
        ),
        (
            "The event queue was last heard",
            Door::Queue,
            config.queue.is_some(),
        ),
    ] {
        facts.push(match (configured, store.heard(door).await?) {
            (false, _) => fact(name, "not configured"),
            (true, None) => toned(name, "never", false),
            (true, Some(at)) => fact(name, moment(at)),
        });
    }
    if config.ignore.is_some() {
        let rules = store.remembered_rules().await?;
        let words = rules
            .as_ref()
            .map_or("never".to_owned(), |read| moment(read.read_at));
        facts.push(toned(
            "Ignore rules were last read anew",
            words,
            rules.is_some(),
        ));
    }
    Ok(facts)
}

/// Messages that a chat has not taken yet.
async fn waiting(visit: &Visit<'_>) -> Result<Listing, Failure> {
    let mut waiting = Listing::new(
        "messages",
        "Messages that wait",
        &[
            ("place", "Chat"),
            ("recipient", "For"),
            ("posts:n", "Messages"),
            ("since", "Since"),
            ("trouble", "Trouble"),
        ],
    );
    for one in visit.dashboard.store.waiting().await? {
        waiting.row(vec![
            Cell::from(one.place),
            Cell::from(one.recipient),
            Cell::from(one.posts),
            Cell::from(moment(one.since)),
            Cell::from(one.trouble),
        ]);
    }
    waiting.says = match waiting.rows.len() {
        0 => "Everybody was told everything.".to_owned(),
        _ => "They are sent when the chat takes them; nothing is lost.".to_owned(),
    };
    Ok(waiting)
}

async fn paused(visit: &Visit<'_>) -> Result<Listing, Failure> {
    let mut paused = Listing::new(
        "paused",
        "Paused",
        &[
            ("scope", "What"),
            ("by", "By"),
            ("since", "Since"),
            ("why", "Why"),
        ],
    );
    for pause in visit.dashboard.store.pauses().await? {
        let row = paused.row(vec![
            Cell::from(pause.scope.to_string()),
            Cell::from(pause.by),
            Cell::from(moment(pause.since)),
            Cell::from(pause.why),
        ]);
        row.act = Some(Act {
            label: "Resume".to_owned(),
            says: format!("Resume {}", pause.scope),
            to: "/resume",
            fields: vec![("scope", super::act::word_of(&pause.scope))],
        });
    }
    paused.says = match paused.rows.len() {
        0 => "Nothing is paused.".to_owned(),
        _ => "Nothing is written for these until they are resumed.".to_owned(),
    };
    Ok(paused)
}
