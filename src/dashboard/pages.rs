//! Pages from the store: one ticket, the quarantine, log-ins.

use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Failure, Visit, encoded, see};
use super::listing::{Act, Listing};
use super::{render, shared};
use crate::figures::grouped;
use crate::figures::table::Cell;
use crate::jobs::explain;
use crate::model::{FindingState, Link};
use crate::notify::news::ticket_url;
use crate::read::ATTEMPTS_BEFORE_QUARANTINE;
use crate::store::Store as _;
use crate::store::access::Sessions as _;
use crate::store::unread::UnreadStore as _;

/// A fact with more characters takes the place of two.
const FACT_CHARS: usize = 30;

/// A page of sentences, facts, forms and tables. An address that asks for a table as a file gets that.
pub(super) fn show(
    visit: &Visit<'_>,
    here: &str,
    title: &str,
    mut page: Value,
    tables: Vec<Listing>,
) -> Result<Response, Failure> {
    let mut shown = Vec::new();
    for mut table in tables {
        if let Some(file) = table.file(visit) {
            return Ok(file);
        }
        shown.push(table.shown(visit));
    }
    page["title"] = json!(title);
    page["tables"] = json!(shown);
    for list in ["lead", "facts", "forms"] {
        if page[list].is_null() {
            page[list] = json!([]);
        }
    }
    if page["filter"].is_null() {
        page["filter"] = json!(false);
    }
    page["here"] = json!(here);
    let form = visit.form.as_deref();
    render::page("lists.html", here, visit.identity.as_ref(), form, page)
}

pub(super) fn fact(name: &str, value: impl Into<String>) -> Value {
    let value = value.into();
    let is_long = value.chars().count() > FACT_CHARS;
    json!({ "name": name, "value": crate::talk::plain(&value), "tone": "", "to": "", "is_long": is_long })
}

pub(super) fn toned(name: &str, value: impl Into<String>, is_good: bool) -> Value {
    let mut fact = fact(name, value);
    fact["tone"] = json!(if is_good { "good" } else { "bad" });
    fact
}

/// To the minute.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// When, or that it never was.
pub(super) fn when(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), moment)
}

pub(super) async fn find(visit: &Visit<'_>) -> Result<Response, Failure> {
    let wanted = visit.asked("q").unwrap_or_default();
    let wanted = wanted.trim();
    let links = seen(visit, wanted).await?;
    match links.as_slice() {
        [] => Err(Failure::NotFound(format!(
            "Nothing is known of “{}”. Give a ticket's key, a finding's id, a resource's ARN or a marker; a finding below the threshold has no record.",
            crate::talk::plain(wanted)
        ))),
        [one] => Ok(see(&format!("/ticket/{}", one.marker))),
        many => {
            let mut table = Listing::new(
                "found",
                "What goes by this name",
                &[
                    ("ticket", "Ticket"),
                    ("severity", "Severity"),
                    ("team", "Team"),
                    ("rule", "Control or rule"),
                    ("resource", "Resource"),
                ],
            );
            let keys = shared::keys(visit, many).await?;
            for link in many {
                let owner = visit.setup.config.owners.of_link(link);
                let row = table.row(vec![
                    Cell::from(keys.get(&link.marker).map_or("no ticket", String::as_str)),
                    Cell::from(link.severity.label()),
                    Cell::from(owner.team.as_str()),
                    Cell::from(link.rule_said()),
                    Cell::from(link.alias.resource.as_str()),
                ]);
                row.to = Some(format!("/ticket/{}", link.marker));
            }
            table.says = format!("{} are known.", grouped(many.len() as u64));
            show(visit, "", "Found", json!({}), vec![table])
        }
    }
}

/// Links that go by a name, as far as they may be seen.
async fn seen(visit: &Visit<'_>, name: &str) -> Result<Vec<Link>, Failure> {
    if name.is_empty() || name.len() > 2_048 {
        return Ok(Vec::new());
    }
    let mut links = visit.dashboard.store.links_called(name).await?;
    links.retain(|link| visit.sees(&visit.setup.config.owners.of_link(link).team));
    Ok(links)
}

pub(super) async fn ticket(visit: &Visit<'_>) -> Result<Response, Failure> {
    let links = seen(visit, &visit.name).await?;
    let none = || {
        Failure::NotFound("There is no such ticket or finding, or another team owns it.".to_owned())
    };
    let link = links.into_iter().next().ok_or_else(none)?;
    let (store, config) = (&*visit.dashboard.store, &visit.setup.config);
    let quarantine = store.quarantine().await?;
    let waiting = quarantine.iter().find(|item| item.marker == link.marker);
    let owner = config.owners.of_link(&link);
    let pauses = store.pauses().await?;
    let project = explain::project(&link).unwrap_or(&owner.project);
    let paused = pauses
        .iter()
        .find(|pause| pause.covers(&link.alias.account, project));
    let mut history = Listing::new(
        "history",
        "What was done, and why",
        &[
            ("at", "When"),
            ("action", "Done"),
            ("before", "Before"),
            ("after", "After"),
            ("reason", "Why"),
            ("row:n", "Row of the table"),
        ],
    );
    for entry in store.audit_of(&link.marker).await? {
        history.row(vec![
            Cell::from(moment(entry.at)),
            Cell::from(entry.action),
            Cell::from(entry.before),
            Cell::from(entry.after),
            Cell::from(entry.reason),
            if entry.row == 0 {
                Cell::None
            } else {
                Cell::from(u64::from(entry.row))
            },
        ]);
    }
    history.says = "The oldest stands first; nothing here was ever changed: every entry is chained to the one before.".to_owned();
    let keys = shared::keys(visit, std::slice::from_ref(&link)).await?;
    let key = keys.get(&link.marker);
    let title = match (&link.ticket, key) {
        (Some(at), _) => at.key.clone(),
        (None, Some(shared)) => format!("A finding of {shared}"),
        (None, None) => "A finding without a ticket".to_owned(),
    };
    let page = json!({
        "lead": [title_of(&link), explain::next(&link, waiting, paused)],
        "facts": facts(visit, &link, &owner.team, key.map(String::as_str)),
    });
    let members = shared::members(visit, &link).await?;
    let tables = members.into_iter().chain([history]).collect();
    show(visit, "", &title, page, tables)
}

fn title_of(link: &Link) -> String {
    let title = if link.title.is_empty() {
        &link.alias.rule
    } else {
        &link.title
    };
    crate::talk::plain(title).into_owned()
}

/// `key`: of the link's ticket, or of the one that it shares.
fn facts(visit: &Visit<'_>, link: &Link, team: &str, key: Option<&str>) -> Vec<Value> {
    let alias = &link.alias;
    let mut facts = vec![
        fact("Severity", link.severity.label()),
        fact("Team", team),
        fact("Account", alias.account.as_str()),
        fact("Region", alias.region.as_str()),
        fact("Control or rule", link.rule_said()),
        fact("Resource", alias.resource.as_str()),
    ];
    if let Some(at) = &link.ticket {
        let mut fact = fact("Ticket in Jira", at.key.as_str());
        fact["to"] = json!(ticket_url(&visit.setup.config, &at.key));
        facts.insert(0, fact);
    }
    if let (Some(member), Some(key)) = (&link.member, key) {
        let mut fact = fact("Shares the ticket", key);
        fact["to"] = json!(format!("/ticket/{}", member.of));
        facts.insert(0, fact);
        facts.push(self::fact("State in it", member.standing.sentence()));
    }
    if let Some(base) = &link.base {
        facts.push(toned(
            "Finding",
            explain::state(base.finding),
            base.finding != FindingState::Failing,
        ));
        facts.push(fact("Ticket's status", explain::ticket_word(base.ticket)));
        facts.push(fact("Workflow in Security Hub", base.workflow.as_str()));
        facts.push(fact(
            "Episode",
            format!(
                "{}, since {}",
                base.episode,
                moment(base.episode_started_at)
            ),
        ));
    }
    if let Some(at) = link.evaluated_at {
        facts.push(fact("Last evaluated by AWS", moment(at)));
    }
    if let Some(decision) = &link.decision {
        let words = format!(
            "{:?} by {} at {}",
            decision.kind,
            decision.by,
            moment(decision.at)
        );
        facts.push(fact("Last decision", words));
    }
    if let Some(by) = &link.ignored_by {
        let words = format!("{} through {}: {}", by.rule, by.expires, by.reason);
        facts.push(fact("Ignore rule", words));
    }
    let findings = link
        .findings
        .iter()
        .map(|key| fact("Finding's id", key.id.as_str()));
    facts.extend(findings);
    facts.push(fact("Marker", link.marker.as_str()));
    facts
}

pub(super) async fn quarantine(visit: &Visit<'_>) -> Result<Response, Failure> {
    let store = &*visit.dashboard.store;
    let mut failed = Listing::new(
        "failed",
        "Failed",
        &[
            ("subject", "What"),
            ("doing", "While"),
            ("why", "Why"),
            ("since", "Since"),
            ("attempts:n", "Tries"),
            ("state", "State"),
        ],
    );
    for item in store.quarantine().await? {
        let waits = item.attempts >= ATTEMPTS_BEFORE_QUARANTINE;
        let row = failed.row(vec![
            Cell::from(item.subject.as_str()),
            Cell::from(item.what),
            Cell::from(item.why),
            Cell::from(moment(item.since)),
            Cell::from(u64::from(item.attempts)),
            Cell::from(if waits {
                "waits for you"
            } else {
                "is tried again"
            }),
        ]);
        row.act = Some(Act {
            label: "Try again".to_owned(),
            says: format!("Try again: {}", item.subject),
            to: "/quarantine/retry",
            fields: vec![("item", item.marker.0)],
        });
    }
    failed.says = match failed.rows.len() {
        0 => "Nothing has failed.".to_owned(),
        _ => "Mend the cause first; then a try does what the failure has left undone.".to_owned(),
    };
    let mut doubt = Listing::new(
        "in-doubt",
        "Creates in doubt",
        &[("marker", "Marker"), ("project", "Project"), ("at", "When")],
    );
    for intent in store.intents().await? {
        doubt.row(vec![
            Cell::from(intent.marker.as_str()),
            Cell::from(intent.project),
            Cell::from(moment(intent.at)),
        ]);
    }
    doubt.says = match doubt.rows.len() {
        0 => "Every create has its answer.".to_owned(),
        _ => "The next run asks Jira by label and by key; nobody needs to do anything.".to_owned(),
    };
    let mut unread = Listing::new(
        "unread",
        "Deliveries that could not be read",
        &[
            ("name", "Name"),
            ("door", "Through"),
            ("why", "Why"),
            ("times:n", "Times"),
            ("at", "Last"),
            ("bytes:n", "Bytes"),
        ],
    );
    for item in store.unread().await? {
        let row = unread.row(vec![
            Cell::from(item.name()),
            Cell::from(item.door.word()),
            Cell::from(item.why.as_str()),
            Cell::from(item.times),
            Cell::from(moment(item.at)),
            Cell::from(item.bytes),
        ]);
        row.act = Some(Act {
            label: "Read again".to_owned(),
            says: format!("Read again: {}", item.name()),
            to: "/quarantine/retry",
            fields: vec![("item", item.name())],
        });
    }
    unread.says = match unread.rows.len() {
        0 => "Everything that came could be read.".to_owned(),
        _ => "A newer asaf may understand them; the scheduled runs see what they were about all the same.".to_owned(),
    };
    show(
        visit,
        "/quarantine",
        "Quarantine",
        json!({}),
        vec![failed, doubt, unread],
    )
}

pub(super) async fn sessions(visit: &Visit<'_>) -> Result<Response, Failure> {
    let mut table = Listing::new(
        "sessions",
        "Log-ins",
        &[
            ("name", "Who"),
            ("groups", "Groups"),
            ("began", "Since"),
            ("seen", "Last seen"),
            ("ends", "Ends"),
        ],
    );
    for session in visit.dashboard.store.sessions(visit.now).await? {
        let row = table.row(vec![
            Cell::from(session.name.as_str()),
            Cell::from(session.groups.join(", ")),
            Cell::from(moment(session.began_at)),
            Cell::from(moment(session.seen_at)),
            Cell::from(moment(session.ends_at)),
        ]);
        row.act = Some(Act {
            label: "End".to_owned(),
            says: format!("End the log-in of {}", session.name),
            to: "/sessions/end",
            fields: vec![("session", hex::encode(session.sha256))],
        });
    }
    table.says = match table.rows.len() {
        0 => "Nobody is logged in with the provider.".to_owned(),
        _ => "Who a proxy or a token lets in has no log-in here.".to_owned(),
    };
    show(visit, "/sessions", "Log-ins", json!({}), vec![table])
}

/// The address of a run's page.
pub(super) fn to_run(id: &str) -> String {
    format!("/runs/{}", encoded(id))
}
