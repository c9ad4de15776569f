//! Overview, teams, accounts and controls: the figures of one filter, which stands in the address.

use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{Failure, Visit};
use super::filter::Narrowed;
use super::listing::{self, Listing, Row};
use super::render;
use super::routes::Place;
use crate::figures::table::Cell;
use crate::figures::{
    Controls, Filter, Line, Lines, Section, Source, accounts, controls, day_said, grouped,
    overview, percent, teams, whole,
};
use crate::jobs::figures::html::{mark, marks};
use crate::talk::plain;

/// A table under a chart is folded when it has more rows.
const ROWS_OPEN: usize = 12;

/// An account's id stands below what it is called.
const ACCOUNT: [(&str, listing::Place); 2] = [
    ("account", listing::Place::Below("account_name", "#")),
    ("ou", listing::Place::Below("account_name", "#")),
];

/// One of the four pages.
pub(super) async fn page(visit: &Visit<'_>, place: Place) -> Result<Response, Failure> {
    let narrowed = Narrowed::by(visit)?;
    let filter = narrowed.filter();
    let source = Source {
        config: &visit.setup.config,
        store: &*visit.dashboard.store,
        now: visit.now,
    };
    let (title, period, numbers, sections) = match place {
        Place::Teams => {
            let found = teams(&source, filter).await?;
            (
                "Teams",
                found.period,
                leaders(&found),
                vec![found.by_team()],
            )
        }
        Place::Accounts => {
            let found = accounts(&source, filter).await?;
            let section = found.by_account();
            ("Accounts", found.period, leaders(&found), vec![section])
        }
        Place::Controls => {
            let found = controls(&source, filter).await?;
            let (title, all) = ("Controls and rules", &found.all);
            (
                title,
                all.period,
                of_controls(&found),
                vec![found.section()],
            )
        }
        _ => {
            let found = overview(&source, filter).await?;
            ("Overview", found.period, marks(&found), found.sections())
        }
    };
    let mut shown = Vec::new();
    for section in sections {
        let (chart, mut listing) = listed(section, filter, place);
        if let Some(file) = listing.file(visit) {
            return Ok(file);
        }
        let folded = chart.is_some() && listing.rows.len() > ROWS_OPEN && place == Place::Overview;
        shown.push(json!({ "chart": chart, "folded": folded, "table": listing.shown(visit) }));
    }
    let here = visit.path.clone();
    let page = json!({
        "title": title,
        "counted": plain(&format!("{}, from {} to {}", filter.of_all_time(), day_said(period.from), day_said(period.to))),
        "marks": numbers,
        "sections": shown,
        "filter": narrowed.fields(visit, true),
        "here": here,
    });
    let form = visit.form.as_deref();
    render::page("figures.html", &here, visit.identity.as_ref(), form, page)
}

/// Who has the most left, who came down the furthest, and who lags.
fn leaders(lines: &Lines) -> Vec<Value> {
    let late = lines.lines.iter().any(|line| line.late > 0);
    let leads = |name: &str, lines: Vec<&Line>, number: &dyn Fn(&Line) -> u64, unit: &str| {
        let first = lines.first()?;
        Some(mark(name, grouped(number(first)), unit, first.called()))
    };
    let marks = [
        leads("Most left", lines.most_left(1), &|line| line.open, "open"),
        leads(
            &lines.most_improved_said(),
            lines.most_improved(1),
            &|line| whole(line.improvement),
            "fewer",
        ),
        if late {
            leads("Lagging", lines.lagging(1), &|line| line.late, "late")
        } else {
            let oldest = |line: &Line| line.oldest_days.unwrap_or(0);
            leads("Lagging", lines.lagging(1), &oldest, "days open")
        },
    ];
    marks.into_iter().flatten().collect()
}

/// Which control fails most, and the share of identity and access.
fn of_controls(controls: &Controls) -> Vec<Value> {
    let iam = &controls.iam;
    let share = percent(iam.open, iam.of_open).map(|share| {
        let (open, all) = (grouped(iam.open), grouped(iam.of_open));
        let note = format!("{open} of {all} open tickets");
        mark("Identity and access (IAM)", share.to_string(), "%", note)
    });
    leaders(&controls.all).into_iter().chain(share).collect()
}

/// A section as a table whose rows lead to the overview of what they are about.
fn listed(section: Section, filter: &Filter, place: Place) -> (Option<String>, Listing) {
    let mut table = section.table;
    let rows = std::mem::take(&mut table.rows);
    let rows = rows.into_iter().map(|cells| {
        let to = match (place, cells.first()) {
            (Place::Teams, Some(Cell::Text(name))) => narrowed(filter, "team", name),
            (Place::Controls, Some(Cell::Text(name))) => narrowed(filter, "control", name),
            (Place::Accounts, Some(Cell::Text(name))) => {
                account_in(name).and_then(|id| narrowed(filter, "account", &id))
            }
            _ => None,
        };
        Row {
            cells,
            to,
            ..Row::default()
        }
    });
    let listing = Listing {
        id: section.id,
        title: section.title.to_owned(),
        says: section.sentence,
        rows: rows.collect(),
        head: table,
        places: match place {
            Place::Accounts => &ACCOUNT,
            _ => &[],
        },
        drops_noughts: true,
    };
    (section.chart, listing)
}

/// The overview of one more thing; `None` where the name is no value of a filter.
fn narrowed(filter: &Filter, name: &str, value: &str) -> Option<String> {
    let mut filter = filter.clone();
    match name {
        "team" => filter.team.clear(),
        "control" => filter.control.clear(),
        _ => filter.account.clear(),
    }
    filter.take(name, value).ok()?;
    Some(format!("/?{}", filter.to_query()))
}

/// An account's id, also where its name stands before it.
fn account_in(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_digit());
    let found = words.rev().find(|word| word.len() == 12);
    found.map(str::to_owned)
}
