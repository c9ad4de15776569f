//! Runs: what each did and left undone, and the plan that the brake has stopped, which a reviewer may release.

use axum::response::Response;
use serde_json::{Value, json};

use super::act::carried;
use super::answer::{Failure, Visit};
use super::listing::Listing;
use super::pages::{fact, moment, show, to_run, toned};
use crate::figures::grouped;
use crate::figures::table::Cell;
use crate::store::release::Releases as _;
use crate::store::{Run, Store as _};

/// Runs that are listed.
const RUNS: u32 = 500;
/// Releases that are listed.
const RELEASES: u32 = 100;

/// Writes of a run, all kinds together.
fn written(run: &Run) -> u64 {
    let done = run.summary["done"].as_object();
    let counts = done
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "held");
    counts.filter_map(|(_, count)| count.as_u64()).sum()
}

fn requests(run: &Run) -> u64 {
    let apis = run.summary["requests"].as_object();
    let each = apis.into_iter().flat_map(|apis| apis.values());
    let counts = each
        .filter_map(Value::as_object)
        .flat_map(|api| api.values());
    counts.filter_map(Value::as_u64).sum()
}

/// The plan of the latest full run, where the brake has stopped it.
pub(super) fn braked(runs: &[Run]) -> Option<(&Run, &str)> {
    let latest = runs.iter().find(|run| run.kind == "full")?;
    let is_braked = !latest.summary["braked"].is_null();
    let digest = latest.summary["digest"].as_str()?;
    is_braked.then_some((latest, digest))
}

pub(super) async fn runs(visit: &Visit<'_>) -> Result<Response, Failure> {
    let store = &*visit.dashboard.store;
    let runs = store.runs(RUNS).await?;
    let mut table = Listing::new(
        "runs",
        "Runs",
        &[
            ("began", "Began"),
            ("kind", "Kind"),
            ("written:n", "Written"),
            ("held:n", "Held"),
            ("brake", "Brake"),
            ("requests:n", "Requests"),
            ("seconds:n", "Seconds"),
            ("plan", "Plan"),
        ],
    );
    for run in &runs {
        let row = table.row(vec![
            Cell::from(run.started_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()),
            Cell::from(run.kind.as_str()),
            Cell::from(written(run)),
            Cell::from(run.summary["held"].as_u64()),
            if run.summary["braked"].is_null() {
                Cell::None
            } else {
                Cell::from("stopped removals")
            },
            Cell::from(requests(run)),
            run.summary["seconds"]
                .as_f64()
                .map_or(Cell::None, |secs| Cell::Days((secs * 10.0).round() / 10.0)),
            Cell::from(run.summary["digest"].as_str()),
        ]);
        row.to = Some(to_run(&run.id));
    }
    table.says =
        "The latest stands first. What a run holds is decided again by the next.".to_owned();
    let mut releases = Listing::new(
        "releases",
        "Releases",
        &[
            ("asked", "Asked"),
            ("by", "By"),
            ("plan", "Plan"),
            ("outcome", "What came of it"),
        ],
    );
    let asked = store.releases(RELEASES).await?;
    for release in &asked {
        releases.row(vec![
            Cell::from(moment(release.asked_at)),
            Cell::from(release.by.as_str()),
            Cell::from(release.digest.as_str()),
            Cell::from(
                release
                    .outcome
                    .as_deref()
                    .unwrap_or("waits for the next run"),
            ),
        ]);
    }
    releases.says = match asked.len() {
        0 => "Nobody has released a plan here.".to_owned(),
        _ => {
            "A release applies exactly that plan, and nothing when the state has moved.".to_owned()
        }
    };
    let waits = |digest: &str| {
        asked
            .iter()
            .any(|one| one.digest == digest && one.ended_at.is_none())
    };
    let mut forms = Vec::new();
    if let Some((run, digest)) = braked(&runs).filter(|(_, digest)| visit.acts() && !waits(digest))
    {
        forms.push(release_form(run, digest));
    }
    if visit.acts() {
        forms.push(json!({ "title": "A complete run", "to": "/full-run", "button": "Run soon", "fields": [],
            "says": "Reads both sides completely as soon as nothing else runs." }));
    }
    show(
        visit,
        "/runs",
        "Runs",
        json!({ "forms": forms }),
        vec![table, releases],
    )
}

fn release_form(run: &Run, digest: &str) -> Value {
    let braked = &run.summary["braked"];
    let says = format!(
        "The run of {} would remove {} of {} tickets, which is over the limit: nothing of that was done, and the rest was. Look at what it holds, then release exactly this plan.",
        moment(run.started_at),
        grouped(braked["removals"].as_u64().unwrap_or(0)),
        grouped(braked["of"].as_u64().unwrap_or(0))
    );
    json!({ "title": format!("The brake holds plan {digest}"), "to": "/release", "button": "Release this plan", "says": says,
        "fields": [carried("plan", digest)] })
}

pub(super) async fn run(visit: &Visit<'_>) -> Result<Response, Failure> {
    let store = &*visit.dashboard.store;
    let run = store.run_called(&visit.name).await?;
    let run = run.ok_or_else(|| Failure::NotFound("There is no such run.".to_owned()))?;
    let mut done = Listing::new(
        "done",
        "What it wrote",
        &[
            ("ticket", "Ticket"),
            ("action", "Done"),
            ("before", "Before"),
            ("after", "After"),
            ("reason", "Why"),
        ],
    );
    for entry in store.audit_of_run(&run.id).await? {
        let row = done.row(vec![
            Cell::from(entry.ticket.unwrap_or_else(|| "no ticket".to_owned())),
            Cell::from(entry.action),
            Cell::from(entry.before),
            Cell::from(entry.after),
            Cell::from(entry.reason),
        ]);
        row.to = Some(format!("/ticket/{}", entry.marker));
    }
    done.says = match done.rows.len() {
        0 => "Nothing: both sides agreed, or everything was held.".to_owned(),
        n => format!(
            "{}, as the audit log has it.",
            if n == 1 {
                "1 entry".to_owned()
            } else {
                format!("{} entries", grouped(n as u64))
            }
        ),
    };
    let mut held = Listing::new(
        "held",
        "What it held",
        &[
            ("subject", "What"),
            ("team", "Team"),
            ("severity", "Severity"),
            ("rule", "Control or rule"),
            ("why", "Why"),
        ],
    );
    let items = run.summary["held_items"].as_array();
    for item in items.into_iter().flatten() {
        let text = |name: &str| Cell::from(item[name].as_str().unwrap_or_default());
        let row = held.row(vec![
            text("subject"),
            text("team"),
            text("severity"),
            text("rule"),
            text("why"),
        ]);
        row.to = item["marker"]
            .as_str()
            .map(|marker| format!("/ticket/{marker}"));
    }
    let all = run.summary["held"].as_u64().unwrap_or(0);
    held.says = match (all, held.rows.len() as u64) {
        (0, _) => "Nothing.".to_owned(),
        (all, listed) if all > listed => format!(
            "{}; the first {} are listed.",
            grouped(all),
            grouped(listed)
        ),
        (all, _) => format!("{}.", grouped(all)),
    };
    let is_free = run.summary["braked"].is_null();
    let facts = json!([
        fact("Kind", run.kind.as_str()),
        fact("Began", moment(run.started_at)),
        fact(
            "Ended",
            run.finished_at.map_or("it did not end".to_owned(), moment)
        ),
        fact("Plan", run.summary["digest"].as_str().unwrap_or("–")),
        toned(
            "Brake",
            if is_free {
                "stopped nothing"
            } else {
                "stopped removals"
            },
            is_free
        ),
        fact("Requests", grouped(requests(&run))),
    ]);
    let title = format!("Run of {}", moment(run.started_at));
    show(
        visit,
        "/runs",
        &title,
        json!({ "facts": facts }),
        vec![done, held],
    )
}
