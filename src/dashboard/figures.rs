//! Overview, teams, accounts and controls: the figures of one filter, which stands in the address.

use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{Failure, Visit, encoded};
use super::listing::{self, Listing, Row};
use super::render;
use super::routes::Place;
use crate::figures::table::Cell;
use crate::figures::{Filter, Section, Source, accounts, controls, overview, teams};
use crate::jobs::figures::html::marks;
use crate::model::Severity;
use crate::talk::plain;

/// A table under a chart is folded when it has more rows.
const ROWS_OPEN: usize = 12;

/// What an account is called stands below its id.
const ACCOUNT: [(&str, listing::Place); 2] = [
    ("account_name", listing::Place::Below("account", "#")),
    ("ou", listing::Place::Below("account", "#")),
];

/// One of the four pages.
pub(super) async fn page(visit: &Visit<'_>, place: Place) -> Result<Response, Failure> {
    let asked = Filter::parse(&visit.query)?;
    let limited = visit.identity.as_ref().and_then(|one| one.teams());
    let filter = match &limited {
        None => asked.clone(),
        Some(teams) => asked.clone().within(teams).ok_or_else(|| {
            Failure::NotFound(
                "You see your own teams only, and the address asks for another.".to_owned(),
            )
        })?,
    };
    let source = Source {
        config: &visit.setup.config,
        store: &*visit.dashboard.store,
        now: visit.now,
    };
    let (title, numbers, sections) = match place {
        Place::Teams => (
            "Teams",
            Vec::new(),
            vec![teams(&source, &filter).await?.by_team()],
        ),
        Place::Accounts => {
            let found = accounts(&source, &filter).await?;
            ("Accounts", Vec::new(), vec![found.by_account()])
        }
        Place::Controls => {
            let found = controls(&source, &filter).await?;
            ("Controls and rules", Vec::new(), vec![found.section()])
        }
        _ => {
            let found = overview(&source, &filter).await?;
            ("Overview", marks(&found), found.sections())
        }
    };
    let mut shown = Vec::new();
    for section in sections {
        let (chart, mut listing) = listed(section, &filter, place);
        if let Some(file) = listing.file(visit) {
            return Ok(file);
        }
        let folded = chart.is_some() && listing.rows.len() > ROWS_OPEN && place == Place::Overview;
        shown.push(json!({ "chart": chart, "folded": folded, "table": listing.shown(visit) }));
    }
    let here = visit.path.clone();
    let page = json!({
        "title": title,
        "counted": plain(&filter.to_string()),
        "marks": numbers,
        "sections": shown,
        "filter": fields(visit, &asked, limited.as_deref()),
        "is_filtered": !asked.is_empty(),
        "here": here,
    });
    let form = visit.form.as_deref();
    render::page("figures.html", &here, visit.identity.as_ref(), form, page)
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

/// The filter as fields of a form.
fn fields(visit: &Visit<'_>, filter: &Filter, limited: Option<&[String]>) -> Value {
    let known = visit.setup.config.owners.teams();
    let teams: Vec<&str> = match limited {
        Some(teams) => teams.iter().map(String::as_str).collect(),
        None => known.into_iter().collect(),
    };
    let severities = Severity::WORST_FIRST.into_iter();
    let severities = severities
        .map(|one| json!({ "name": one.label(), "is_on": filter.severity.contains(&one) }));
    let text = |name: &str, label: &str, hint: &str, values: &[String]| {
        let mut values = values.to_vec();
        if values.is_empty() {
            values.push(String::new());
        }
        json!({ "name": name, "label": label, "hint": hint, "values": values })
    };
    let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
    json!({
        "teams": teams,
        "team": filter.team,
        "severities": severities.collect::<Vec<_>>(),
        "texts": [
            text("account", "Account", "12 digits", &filter.account),
            text("ou", "Organisational unit", "/prod", &filter.ou),
            text("region", "Region", "eu-west-1", &filter.region),
            text("product", "Product", "guardduty", &filter.product),
            text("control", "Control or rule", "S3.8", &filter.control),
        ],
        "from": day(filter.from),
        "to": day(filter.to),
        "query": encoded(&filter.to_query()),
    })
}
