//! Templates and the one style sheet. Names of templates end in `.html`, so that the engine escapes what is put into them:
//! texts from findings and tickets are only ever text.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use minijinja::value::Serde;
use minijinja::{Environment, HtmlEscape, UndefinedBehavior};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::access::{By, Identity};
use super::answer::Failure;
use super::routes::{Needs, allows};
use crate::figures::chart::STYLE as CHARTS;

const TEMPLATES: [(&str, &str); 5] = [
    ("parts.html", include_str!("templates/parts.html")),
    ("frame.html", include_str!("templates/frame.html")),
    ("figures.html", include_str!("templates/figures.html")),
    ("lists.html", include_str!("templates/lists.html")),
    ("said.html", include_str!("templates/said.html")),
];

const ICON: &str = include_str!("templates/icon.svg");

/// The pages that the head of every page leads to.
const PAGES: [(&str, &str, Needs); 10] = [
    ("/", "Overview", Needs::Role),
    ("/teams", "Teams", Needs::Role),
    ("/accounts", "Accounts", Needs::Role),
    ("/controls", "Controls", Needs::Role),
    ("/review", "Review", Needs::Role),
    ("/rules", "Ignore rules", Needs::Role),
    ("/runs", "Runs", Needs::EveryTeam),
    ("/quarantine", "Quarantine", Needs::EveryTeam),
    ("/integrations", "Integrations", Needs::EveryTeam),
    ("/sessions", "Log-ins", Needs::Reviewer),
];

/// Those of them that are narrowed by a filter.
const FILTERED: [&str; 6] = ["/", "/teams", "/accounts", "/controls", "/review", "/rules"];

static ENGINE: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.add_filter("dated", dated);
    for (name, text) in TEMPLATES {
        engine.add_template(name, text)?;
    }
    Ok(engine)
});

/// Text as HTML in which no line breaks within a day.
fn dated(text: &str) -> minijinja::Value {
    let is_day = |word: &str| {
        let word = word.trim_end_matches([',', '.', ';', ' ']);
        word.len() == 10 && word.parse::<jiff::civil::Date>().is_ok()
    };
    let words = text.split_inclusive(' ').map(|word| {
        let safe = HtmlEscape(word);
        match is_day(word) {
            true => format!("<span class=\"short\">{safe}</span>"),
            false => safe.to_string(),
        }
    });
    minijinja::Value::from_safe_string(words.collect())
}

/// The sheet, and its name: it changes with the content, so that browsers may keep it for ever.
static STYLE: LazyLock<(String, String)> = LazyLock::new(|| {
    let text = format!("{}{CHARTS}", include_str!("templates/style.css"));
    let hash = hex::encode(&Sha256::digest(text.as_bytes())[..8]);
    (format!("style.{hash}.css"), text)
});

/// A page: the template's, in the frame.
pub(super) fn page(
    template: &str,
    here: &str,
    identity: Option<&Identity>,
    form: Option<&str>,
    mut shown: Value,
) -> Result<Response, Failure> {
    let pages = PAGES
        .iter()
        .filter(|(_, _, needs)| allows(*needs, identity));
    let pages = pages.filter(|_| identity.is_some());
    // From page to page, what is counted stays the same.
    let query = shown["filter"]["query"].as_str().unwrap_or_default();
    let pages = pages.map(|(to, name, _)| {
        let is_here = *to == here;
        let to = match FILTERED.contains(to) && !query.is_empty() {
            true => format!("{to}?{query}"),
            false => (*to).to_owned(),
        };
        json!({ "to": to, "name": name, "is_here": is_here })
    });
    let pages = pages.collect::<Vec<_>>();
    shown["frame"] = json!({
        "style": STYLE.0,
        "pages": pages,
        "person": identity.map(|one| &one.name),
        "may_leave": identity.is_some_and(|one| matches!(one.by, By::Session(_))),
        "form": form,
    });
    let broken = |error: &dyn std::fmt::Display| Failure::Template(format!("{error:#}"));
    let engine = ENGINE.as_ref().map_err(|error| broken(error))?;
    let found = engine
        .get_template(template)
        .map_err(|error| broken(&error))?;
    let html = found
        .render(Serde(&shown))
        .map_err(|error| broken(&error))?;
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    Ok((kind, html).into_response())
}

/// The style sheet, by the name that it has now; and the mark of our tab.
pub(super) fn file(name: &str) -> Response {
    let (kind, lasts, text) = match name {
        "icon.svg" => ("image/svg+xml", "public, max-age=86400", ICON.to_owned()),
        _ if name == STYLE.0 => (
            "text/css; charset=utf-8",
            "public, max-age=31536000, immutable",
            STYLE.1.clone(),
        ),
        _ => return (StatusCode::NOT_FOUND, "There is no such file.\n").into_response(),
    };
    let mut response = text.into_response();
    for (name, value) in [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, lasts)] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_breaks_around_days_and_texts_stay_texts() {
        let said =
            dated("by Pat, 2026-11-23 08:38 UTC, or 2026-11-24. <b>&\" 2026-13-01").to_string();
        assert_eq!(
            said,
            "by Pat, <span class=\"short\">2026-11-23 </span>08:38 UTC, or <span class=\"short\">2026-11-24. </span>\
             &lt;b&gt;&amp;&quot; 2026-13-01"
        );
    }
}
