//! Templates and the one style sheet. Names of templates end in `.html`, so that the engine escapes what is put into them:
//! texts from findings and tickets are only ever text.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
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

static ENGINE: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, text) in TEMPLATES {
        engine.add_template(name, text)?;
    }
    Ok(engine)
});

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
    let pages =
        pages.map(|(to, name, _)| json!({ "to": to, "name": name, "is_here": *to == here }));
    shown["frame"] = json!({
        "style": STYLE.0,
        "pages": pages.collect::<Vec<_>>(),
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
