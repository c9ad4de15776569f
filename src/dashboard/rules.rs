//! The page of ignore rules: what each is for and hides, and the tickets that are hidden now.

use axum::response::Response;
use serde_json::json;

use super::answer::{Failure, Visit};
use super::filter::Narrowed;
use super::listing::{Listing, Place};
use super::pages::{moment, show};
use super::shared;
use crate::figures::table::Cell;
use crate::figures::{Source, ignored};
use crate::model::FindingState;
use crate::store::organisation::OrganisationMemory as _;
use crate::store::rules::RuleMemory as _;

/// Rules with what they are for, beside the numbers.
const HIDING: [(&str, Place); 2] = [
    ("owner", Place::Below("rule", "#")),
    ("reason", Place::Below("rule", "#")),
];

/// Ticket, rule, and what it is about.
const HIDDEN: [(&str, Place); 5] = [
    ("severity", Place::Below("ticket", "#")),
    ("team", Place::Below("ticket", "#")),
    ("ends", Place::Below("ignore_rule", "through #")),
    ("resource", Place::Below("control", "#")),
    ("account", Place::Below("control", "account #")),
];

pub(super) async fn rules(visit: &Visit<'_>) -> Result<Response, Failure> {
    let narrowed = Narrowed::by(visit)?;
    let store = &*visit.dashboard.store;
    let source = Source {
        config: &visit.setup.config,
        store,
        now: visit.now,
    };
    let section = ignored(&source, narrowed.filter()).await?.section();
    let mut hiding = Listing::new(section.id, section.title, &[]);
    hiding.head = section.table;
    hiding.says = section.sentence;
    hiding.places = &HIDING;
    hiding.drops_noughts = true;
    let rows = std::mem::take(&mut hiding.head.rows);
    for cells in rows {
        hiding.row(cells);
    }
    let hidden = hidden(visit, &narrowed).await?;
    let lead = match store.remembered_rules().await? {
        None => {
            "No ignore rules were read yet: [ignore] of asaf.toml says where they are.".to_owned()
        }
        Some(read) => format!(
            "Read from {} at commit {}, first at {}.",
            crate::talk::plain(&read.source),
            read.commit.get(..10).unwrap_or(&read.commit),
            moment(read.read_at)
        ),
    };
    show(
        visit,
        "/rules",
        "Ignore rules",
        json!({ "lead": [lead], "filter": narrowed.fields(visit, false) }),
        vec![hiding, hidden],
    )
}

/// The tickets that rules hide, each with its rule.
async fn hidden(visit: &Visit<'_>, narrowed: &Narrowed) -> Result<Listing, Failure> {
    let store = &*visit.dashboard.store;
    let mut hidden = Listing::new(
        "hidden",
        "What they hide now",
        &[
            ("ticket", "Ticket"),
            ("severity", "Severity"),
            ("ignore_rule", "Ignore rule"),
            ("ends", "Ends"),
            ("team", "Team"),
            ("account", "Account"),
            ("control", "Control or rule"),
            ("resource", "Resource"),
        ],
    );
    hidden.places = &HIDDEN;
    let organisation = store.organisation().await?.unwrap_or_default();
    let links = store.hidden_links().await?;
    let keys = shared::keys(visit, &links).await?;
    // What a rule hides is each finding; the ticket that they share is theirs.
    for link in links.iter().filter(|link| !link.alias.is_group()) {
        let failing = link
            .base
            .as_ref()
            .is_some_and(|base| base.finding == FindingState::Failing);
        let listed = failing && narrowed.lists(visit, link, &organisation);
        let Some(by) = link.ignored_by.as_ref().filter(|_| listed) else {
            continue;
        };
        let row = hidden.row(vec![
            Cell::from(keys.get(&link.marker).map_or("no ticket", String::as_str)),
            Cell::from(link.severity.label()),
            Cell::from(by.rule.as_str()),
            Cell::from(by.expires.to_string()),
            Cell::from(visit.setup.config.owners.of_link(link).team.as_str()),
            Cell::from(link.alias.account.as_str()),
            Cell::from(link.rule_said()),
            Cell::from(link.alias.resource.as_str()),
        ]);
        row.to = Some(format!("/ticket/{}", link.marker));
    }
    hidden.says = "A finding that a rule hides comes back by itself when the rule ends.".to_owned();
    Ok(hidden)
}
