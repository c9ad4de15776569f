//! From a visit that is allowed to an answer, and every way of saying no.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::access::{Identity, Refusal};
use super::routes::{Place, Route};
use super::{
    Dashboard, Setup, act, figures, integrations, login, pages, render, review, rules, runs,
};
use crate::figures::BadFilter;
use crate::store::StoreError;

/// One request that may be answered.
pub(super) struct Visit<'a> {
    pub(super) dashboard: &'a Arc<Dashboard>,
    pub(super) setup: &'a Arc<Setup>,
    /// `None` only where a route needs nothing.
    pub(super) identity: Option<Identity>,
    /// What their forms carry.
    pub(super) form: Option<String>,
    /// The name in the path.
    pub(super) name: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) fields: Vec<(String, String)>,
    pub(super) now: Timestamp,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was asked for cannot be.
    #[error(transparent)]
    Filter(#[from] BadFilter),
    /// There is no such thing, or they may not see it.
    #[error("{0}")]
    NotFound(String),
    /// It cannot be done.
    #[error("{0}")]
    Refused(String),
    /// A defect.
    #[error("the page cannot be shown: {0}")]
    Template(String),
}

impl Visit<'_> {
    /// A parameter of the address; the first counts.
    pub(super) fn asked(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        let found = pairs.find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    }

    /// A field of the form.
    pub(super) fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// Who acts, for the audit log.
    pub(super) fn by(&self) -> &str {
        self.identity
            .as_ref()
            .map_or("nobody", |one| one.name.as_str())
    }

    /// They may see what this team owns.
    pub(super) fn sees(&self, team: &str) -> bool {
        self.identity.as_ref().is_some_and(|one| one.sees(team))
    }

    /// They may act.
    pub(super) fn acts(&self) -> bool {
        let role = self.identity.as_ref().map(|one| &one.role);
        role == Some(&super::access::Role::Reviewer)
    }
}

/// The part of a path that a name in braces stands for.
pub(super) fn name_in(pattern: &str, path: &str) -> String {
    let Some((before, _)) = pattern.split_once('{') else {
        return String::new();
    };
    let name = path.strip_prefix(before).unwrap_or_default();
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

pub(super) async fn answer(visit: &Visit<'_>, place: Place) -> Response {
    let answered = match place {
        Place::Overview | Place::Teams | Place::Accounts | Place::Controls => {
            Box::pin(figures::page(visit, place)).await
        }
        Place::Review => review::review(visit).await,
        Place::Find => pages::find(visit).await,
        Place::Ticket => pages::ticket(visit).await,
        Place::Rules => rules::rules(visit).await,
        Place::Runs => runs::runs(visit).await,
        Place::Run => runs::run(visit).await,
        Place::Quarantine => pages::quarantine(visit).await,
        Place::Integrations => integrations::integrations(visit).await,
        Place::Sessions => pages::sessions(visit).await,
        Place::Retry => act::retry(visit).await,
        Place::Release => act::release(visit).await,
        Place::FullRun => act::full_run(visit).await,
        Place::Pause => act::pause(visit).await,
        Place::Resume => act::resume(visit).await,
        Place::EndSession => act::end_session(visit).await,
        Place::LogIn => login::begin(visit).await,
        Place::Callback => login::come_back(visit).await,
        Place::LogOut => login::end(visit).await,
        Place::File => Ok(render::file(&visit.name)),
    };
    match answered {
        Ok(response) => response,
        Err(failure) => {
            let status = status_of(&failure);
            if status.is_server_error() {
                tracing::error!(error = %failure, "a page cannot be shown");
                return failed(&failure);
            }
            let said = json!({ "title": title_of(status), "said": failure.to_string() });
            said_page(status, visit.identity.as_ref(), visit.form.as_deref(), said)
        }
    }
}

fn status_of(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        Failure::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Failure::Filter(_) => StatusCode::BAD_REQUEST,
        Failure::NotFound(_) => StatusCode::NOT_FOUND,
        Failure::Refused(_) => StatusCode::CONFLICT,
    }
}

fn title_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "Who are you?",
        StatusCode::FORBIDDEN => "You may not see this",
        StatusCode::NOT_FOUND => "There is no such page",
        StatusCode::CONFLICT => "That cannot be done",
        _ => "That cannot be shown",
    }
}

fn said_page(
    status: StatusCode,
    identity: Option<&Identity>,
    form: Option<&str>,
    said: serde_json::Value,
) -> Response {
    match render::page("said.html", "", identity, form, said) {
        Ok(mut response) => {
            *response.status_mut() = status;
            response
        }
        Err(failure) => failed(&failure),
    }
}

/// Nobody is let in by what they show. Whoever may log in is led there from a page, and told so by everything else.
pub(super) fn refused(
    setup: &Setup,
    route: &Route,
    request: &Request,
    refusal: &Refusal,
) -> Response {
    if let Refusal::Store(error) = refusal {
        tracing::error!(%error, "who asks cannot be looked up");
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "The store does not answer.\n",
        )
            .into_response();
    }
    tracing::debug!(why = %refusal, path = route.path, "somebody is not let in");
    if refusal.may_log_in() && setup.provider.is_some() && route.method == "GET" {
        let back = request.uri().path_and_query();
        let back = back.map_or("/", |wanted| wanted.as_str());
        return see(&format!("/login?back={}", encoded(back)));
    }
    let status = match refusal {
        Refusal::NoRole(_) => StatusCode::FORBIDDEN,
        _ => StatusCode::UNAUTHORIZED,
    };
    let said = match refusal {
        Refusal::NoRole(_) | Refusal::Wrong(_) => format!("{refusal}."),
        _ => "The dashboard is shown to whoever [dashboard] of asaf.toml lets in; without it, only on the machine itself."
            .to_owned(),
    };
    let said = json!({ "title": title_of(status), "said": said });
    said_page(status, None, None, said)
}

/// The same for a program.
pub(super) fn refused_program(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::NoRole(_) => StatusCode::FORBIDDEN,
        Refusal::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Nobody | Refusal::Wrong(_) => StatusCode::UNAUTHORIZED,
    };
    let body = axum::Json(json!({ "error": refusal.to_string() }));
    let mut response = (status, body).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

/// They are known, and may not.
pub(super) fn forbidden(_: &Setup, identity: Option<&Identity>) -> Response {
    let said = "Your role does not reach so far: reviewers act, and some pages are for those who see every team.";
    let status = StatusCode::FORBIDDEN;
    let said = json!({ "title": title_of(status), "said": said });
    said_page(status, identity, None, said)
}

/// A form that we did not make.
pub(super) fn not_ours(_: &Setup, identity: Option<&Identity>, why: &str) -> Response {
    let status = StatusCode::FORBIDDEN;
    let said = json!({ "title": "Nothing was changed", "said": format!("{why}. Go back, load the page again, and repeat it.") });
    said_page(status, identity, None, said)
}

/// We cannot.
pub(super) fn failed(failure: &Failure) -> Response {
    let text = format!("{failure}\n");
    (status_of(failure), text).into_response()
}

/// Go there.
pub(super) fn see(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let to = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, to);
    response
}

/// A value as it stands in an address.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A path of our own; anything else becomes the first page.
pub(super) fn own_path(path: &str) -> &str {
    let second = path.as_bytes().get(1);
    let ours = path.starts_with('/')
        && !matches!(second, Some(b'/' | b'\\'))
        && !path.chars().any(|c| c.is_control() || c == '\\');
    if ours { path } else { "/" }
}
