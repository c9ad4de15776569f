//! The review queue: what waits for security, with the evidence that a reviewer needs. A file of it has twelve columns and
//! more; on a page they stand in four, so that it can be worked with on a laptop.

use axum::response::Response;
use jiff::Timestamp;
use serde_json::json;

use super::answer::{Failure, Visit};
use super::filter::Narrowed;
use super::listing::{Listing, Place};
use super::pages::{show, when};
use crate::figures::grouped;
use crate::figures::table::Cell;
use crate::jobs::reconcile::LAST_READ;
use crate::jobs::review::remembered_of;
use crate::notify::news::ticket_url;
use crate::review::{Verdict, Waiting, render};
use crate::store::Store as _;
use crate::store::organisation::OrganisationMemory as _;

const COLUMNS: [(&str, &str); 14] = [
    ("ticket", "Ticket"),
    ("waits_days:n", "Waits, days"),
    ("severity", "Severity"),
    ("verdict", "Verdict"),
    ("evidence", "What AWS says"),
    ("claim", "Claimed by"),
    ("why", "Waits for"),
    ("team", "Team"),
    ("title", "Title"),
    ("account_name", "Account's name"),
    ("account", "Account"),
    ("region", "Region"),
    ("rule", "Control or rule"),
    ("resource", "Resource"),
];

/// The four that stand beside each other: ticket, evidence, claim, and what it is about.
const PLACES: [(&str, Place); 11] = [
    ("severity", Place::Below("ticket", "#")),
    ("waits_days", Place::Below("ticket", "waits # days")),
    ("team", Place::Below("ticket", "#")),
    ("verdict", Place::Within("evidence")),
    ("evidence", Place::Lines),
    ("why", Place::Below("claim", "waits for: #")),
    ("title", Place::Below("rule", "#")),
    ("resource", Place::Below("rule", "#")),
    ("account_name", Place::Below("rule", "#")),
    ("account", Place::Below("rule", "account #")),
    ("region", Place::Below("rule", "#")),
];

pub(super) async fn review(visit: &Visit<'_>) -> Result<Response, Failure> {
    let store = &*visit.dashboard.store;
    let config = &visit.setup.config;
    let narrowed = Narrowed::by(visit)?;
    let organisation = store.organisation().await?.unwrap_or_default();
    let mut links = store.waiting_links().await?;
    links.retain(|link| narrowed.lists(visit, link, &organisation));
    let mut review = remembered_of(config, store, links, visit.now).await?;
    // The store remembers no findings, and Organizations says what accounts are called.
    for waiting in &mut review.waiting {
        let record = organisation.accounts.get(&waiting.account);
        waiting.account_name = record.map(|record| record.name.clone());
    }
    let mut table = Listing::new("waiting", "Tickets that wait for security", &COLUMNS);
    table.places = &PLACES;
    for waiting in &review.waiting {
        let row = table.row(cells(waiting, visit.now));
        row.to = Some(format!("/ticket/{}", waiting.marker));
        row.in_jira = Some(ticket_url(config, &waiting.ticket));
    }
    table.says = match table.rows.len() as u64 {
        0 => "Nothing waits.".to_owned(),
        n => format!(
            "{} in review; the one that waits longest stands first. A reviewer closes or reopens each in Jira.",
            if n == 1 {
                "1 ticket is".to_owned()
            } else {
                format!("{} tickets are", grouped(n))
            }
        ),
    };
    let read = store.instant(LAST_READ).await?;
    let mut lead = vec![format!("What the last run saw; it began {}.", when(read))];
    let paused = review.paused.iter();
    lead.extend(
        paused.map(|pause| format!("Paused: {} by {}: {}", pause.scope, pause.by, pause.why)),
    );
    show(
        visit,
        "/review",
        "Review queue",
        json!({ "lead": lead, "filter": narrowed.fields(visit, false) }),
        vec![table],
    )
}

fn cells(waiting: &Waiting, now: Timestamp) -> Vec<Cell> {
    let why = render::why(waiting);
    vec![
        Cell::from(waiting.ticket.as_str()),
        Cell::from(days(now, waiting.since)),
        Cell::from(waiting.severity.label()),
        Cell::from(verdict(waiting.verdict)),
        Cell::from(render::evidence(waiting).join("; ")),
        Cell::from(render::claimed(waiting)),
        Cell::from(if why.is_empty() {
            "review".to_owned()
        } else {
            why
        }),
        Cell::from(waiting.team.as_str()),
        Cell::from(waiting.title.clone()),
        Cell::from(waiting.account_name.clone()),
        Cell::from(waiting.account.as_str()),
        Cell::from(waiting.region.as_str()),
        Cell::from(waiting.rule.as_str()),
        Cell::from(waiting.resource.as_str()),
    ]
}

/// Days since then, with one decimal.
fn days(now: Timestamp, since: Timestamp) -> f64 {
    now.duration_since(since).as_secs_f64() / 86_400.0
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Verified => "passes",
        Verdict::ResourceDeleted => "resource deleted",
        Verdict::Stopped => "finding stopped",
        Verdict::StillFailing => "still fails",
        Verdict::NotCheckedSince => "not checked since",
        Verdict::Unclear => "unclear",
        Verdict::Unknown => "unknown",
    }
}
