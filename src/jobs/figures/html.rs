//! The report as one page: no script, nothing that is loaded, light and dark, and fit to be printed.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::figures::chart::{STYLE, mark_of};
use crate::figures::report::Figures;
use crate::figures::table::Table;
use crate::figures::{Overview, Section, counted, day_said, days_said, grouped, whole};
use crate::talk::plain;

const PAGE: &str = include_str!("page.html");
const OWN_STYLE: &str = include_str!("style.css");
/// A table with more rows is folded, except where it stands without a chart.
const ROWS_OPEN: usize = 12;

/// The name ends in `.html`, so that the engine escapes what is put into it.
static ENGINE: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.add_template("page.html", PAGE)?;
    Ok(engine)
});

/// The page.
///
/// # Errors
/// When the template cannot be filled.
pub(super) fn page(figures: &Figures, sections: &[Section]) -> anyhow::Result<String> {
    let engine = ENGINE
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let style = format!("{STYLE}{OWN_STYLE}");
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let overview = &figures.overview;
    let shown: Vec<Value> = sections.iter().map(section).collect();
    let context = json!({
        "style": style,
        "hash": hash,
        "from": day_said(overview.period.from),
        "to": day_said(overview.period.to),
        "filter": plain(&figures.filter.to_string()),
        "made_at": figures.made_at.strftime("%-d %B %Y, %H:%M UTC").to_string(),
        "marks": marks(overview),
        "sections": shown,
    });
    Ok(engine.get_template("page.html")?.render(Serde(&context))?)
}

/// A number that stands above everything, with what it is of.
pub(crate) fn mark(name: &str, number: String, unit: &str, note: String) -> Value {
    json!({ "name": name, "number": number, "unit": unit, "note": plain(&note) })
}

/// The numbers that stand above everything.
pub(crate) fn marks(overview: &Overview) -> Vec<Value> {
    let days = |days: Option<f64>| days.map_or("–".to_owned(), days_said);
    let flows = &overview.flows;
    let went = flows.fixed + flows.removed;
    let mut marks = vec![
        mark(
            "Open now",
            grouped(overview.open_now),
            "",
            format!("{} waiting for review", grouped(overview.in_review)),
        ),
        mark(
            "Fixed or removed",
            grouped(whole(went)),
            "",
            format!(
                "{} fixed, {} with their resource",
                grouped(whole(flows.fixed)),
                grouped(whole(flows.removed))
            ),
        ),
        mark(
            "Median to fix",
            days(overview.resolve.median_days),
            "days",
            format!(
                "nine of ten within {} days",
                days(overview.resolve.p90_days)
            ),
        ),
    ];
    if overview.has_due_dates {
        let late = overview.resolve.late;
        let note = format!("{} fixed after their due date", grouped(late));
        marks.push(mark("Late now", grouped(overview.late_now), "", note));
    }
    let by_rules = format!("{} ignored now", counted(overview.ignored_now, "ticket"));
    marks.push(mark(
        "Hidden by rules",
        grouped(overview.hidden),
        "",
        by_rules,
    ));
    marks
}

fn section(section: &Section) -> Value {
    let folded = section.chart.is_some() && section.table.rows.len() > ROWS_OPEN;
    json!({
        "id": section.id,
        "title": section.title,
        "sentence": plain(&section.sentence),
        "chart": section.chart,
        "folded": folded,
        "table": table(&section.table),
    })
}

fn table(table: &Table) -> Value {
    let shown = table.telling();
    let columns = shown.iter().map(|at| &table.columns[*at]);
    let columns = columns.map(|one| json!({ "label": one.label, "is_numeric": one.is_numeric }));
    let rows = table.rows.iter().map(|row| {
        let cells = shown.iter().map(|at| {
            let (column, text) = (&table.columns[*at], row[*at].shown());
            json!({ "text": plain(&text), "is_numeric": column.is_numeric, "kind": mark_of(&column.key, &row[*at]) })
        });
        cells.collect::<Vec<_>>()
    });
    json!({
        "caption": table.caption,
        "columns": columns.collect::<Vec<_>>(),
        "rows": rows.collect::<Vec<_>>(),
    })
}
