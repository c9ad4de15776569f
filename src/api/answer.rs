//! Answers and refusals as they go out, and what may be asked of a table: how it is sorted, which page, as what.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::figures::export::{csv, rows};
use crate::figures::{BadFilter, Filter, Section};

/// Rows of one page at most.
const PAGE_MOST: usize = 1_000;

/// A question that is not answered.
#[derive(Debug)]
pub(super) enum Refused {
    /// The query says something that cannot be.
    Bad(String),
    /// The caller asks for teams whose figures are not for them.
    Forbidden,
    /// There is no such table.
    NoTable,
    /// The store failed; the log says why.
    Failed,
}

impl Refused {
    pub(super) fn unknown(name: &str, others: &[&str]) -> Self {
        let name: String = name.chars().take(40).collect();
        let known: Vec<&str> = Filter::NAMES.iter().chain(others).copied().collect();
        Refused::Bad(format!(
            "there is no parameter {name}; there are: {}",
            known.join(", ")
        ))
    }
}

impl From<BadFilter> for Refused {
    fn from(bad: BadFilter) -> Self {
        Refused::Bad(bad.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Refused::Bad(text) => (StatusCode::BAD_REQUEST, text),
            Refused::Forbidden => (
                StatusCode::FORBIDDEN,
                "these teams' figures are not for you".to_owned(),
            ),
            Refused::NoTable => (StatusCode::NOT_FOUND, "there is no such table".to_owned()),
            Refused::Failed => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store cannot be read now; asaf's log says why".to_owned(),
            ),
        };
        let mut response = json(&json!({ "error": text }));
        *response.status_mut() = status;
        response
    }
}

/// An answer as JSON. It is of this moment: nobody keeps it.
pub(super) fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_string(value) {
        Ok(body) => with_type(body, "application/json"),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn with_type(body: String, kind: &'static str) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// How a table is wanted.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    sort: Option<String>,
    is_descending: bool,
    page: usize,
    per_page: Option<usize>,
    is_csv: bool,
}

impl Wanted {
    /// Parameters besides those of the filter.
    pub(super) const NAMES: [&'static str; 5] = ["sort", "order", "page", "per_page", "format"];

    pub(super) fn parse(query: &str) -> Result<Self, Refused> {
        let mut wanted = Wanted {
            page: 1,
            ..Wanted::default()
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let number = |most: usize| {
                let parsed = value.parse::<usize>().ok();
                let parsed = parsed.filter(|n| (1..=most).contains(n));
                parsed.ok_or_else(|| Refused::Bad(format!("{name} is a number from 1 to {most}")))
            };
            match (&*name, &*value) {
                (_, "") => {}
                ("sort", key) => wanted.sort = Some(key.to_owned()),
                ("order", "desc") => wanted.is_descending = true,
                ("order", "asc") => wanted.is_descending = false,
                ("order", _) => return Err(Refused::Bad("order is asc or desc".to_owned())),
                ("format", "csv") => wanted.is_csv = true,
                ("format", "json") => wanted.is_csv = false,
                ("format", _) => return Err(Refused::Bad("format is json or csv".to_owned())),
                ("page", _) => wanted.page = number(1_000_000)?,
                ("per_page", _) => wanted.per_page = Some(number(PAGE_MOST)?),
                _ => {}
            }
        }
        Ok(wanted)
    }

    pub(super) fn answer(&self, mut section: Section) -> Result<Response, Refused> {
        if let Some(key) = &self.sort
            && !section.table.sort(key, self.is_descending)
        {
            let keys = section.table.columns.iter().map(|one| one.key.as_str());
            let keys: Vec<&str> = keys.collect();
            let text = format!("sort is one of: {}", keys.join(", "));
            return Err(Refused::Bad(text));
        }
        let total = section.table.rows.len();
        if let Some(per_page) = self.per_page {
            let skipped = (self.page - 1).saturating_mul(per_page).min(total);
            section.table.rows.drain(..skipped);
            section.table.rows.truncate(per_page);
        }
        if !self.is_csv {
            return Ok(json(&json!({
                "table": section.id,
                "caption": section.table.caption,
                "sentence": section.sentence,
                "total": total,
                "rows": rows(&section.table),
            })));
        }
        let mut response = with_type(csv(&section.table), "text/csv; charset=utf-8");
        let name = format!("attachment; filename=\"asaf-{}.csv\"", section.id);
        if let Ok(name) = HeaderValue::from_str(&name) {
            response
                .headers_mut()
                .insert(header::CONTENT_DISPOSITION, name);
        }
        Ok(response)
    }
}
