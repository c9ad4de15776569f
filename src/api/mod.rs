//! `GET /api/v1/…`: the figures for programs. It only reads the store; who may ask is decided by whoever mounts it.
//!
//! Whoever mounts it says with each request by which configuration it is answered, by the extension [`Using`]; without it
//! there is no answer. They may also say whose figures a caller sees, by the extension [`OnlyTeams`]: then every answer is
//! narrowed to these teams, and asking for another is refused.

mod answer;
mod openapi;

pub use openapi::document;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::Response;
use axum::routing::get;

use crate::clock::Clock;
use crate::config::Config;
use crate::figures::report::section;
use crate::figures::{Filter, Source, accounts, controls, ignored, lines, overview, teams};
use crate::store::history::{Dimension, History};
use crate::store::{Store, StoreError};

use answer::{Refused, Wanted};

/// Where the interface begins.
pub const PATH: &str = "/api/v1";

/// What answers are made from.
#[derive(Debug)]
pub struct Api<S> {
    /// The counts.
    pub store: Arc<S>,
    /// Time.
    pub clock: Clock,
}

impl<S> Clone for Api<S> {
    fn clone(&self) -> Self {
        Api {
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
        }
    }
}

/// Due dates and teams, for one request: a configuration may be replaced between two of them.
#[derive(Clone, Debug)]
pub struct Using(pub Arc<Config>);

/// The caller sees the figures of these teams only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlyTeams(pub Vec<String>);

/// The routes, below [`PATH`].
pub fn router<S: Store + History + Send + 'static>(api: Api<S>) -> Router {
    let at = |place: &str| format!("{PATH}/{place}");
    Router::new()
        .route(&at("openapi.json"), get(description))
        .route(&at("overview"), get(of_overview::<S>))
        .route(&at("teams"), get(of_teams::<S>))
        .route(&at("accounts"), get(of_accounts::<S>))
        .route(&at("controls"), get(of_controls::<S>))
        .route(&at("regions"), get(of_regions::<S>))
        .route(&at("products"), get(of_products::<S>))
        .route(&at("ignored"), get(of_ignored::<S>))
        .route(&at("tables/{table}"), get(of_table::<S>))
        .with_state(api)
}

type Whose = Option<Extension<OnlyTeams>>;

/// The filter of a query, narrowed to what the caller may see.
fn allowed(query: Option<&str>, whose: &Whose, others: &[&str]) -> Result<Filter, Refused> {
    let query = query.unwrap_or_default();
    let known = |name: &str| Filter::NAMES.contains(&name) || others.contains(&name);
    let names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned());
    if let Some(unknown) = names.into_iter().find(|name| !known(name)) {
        return Err(Refused::unknown(&unknown, others));
    }
    let filter = Filter::parse(query)?;
    let Some(Extension(OnlyTeams(teams))) = whose else {
        return Ok(filter);
    };
    filter.within(teams).ok_or(Refused::Forbidden)
}

impl<S: Store + History> Api<S> {
    fn source<'a>(&'a self, config: &'a Config) -> Source<'a, S> {
        Source {
            config,
            store: &*self.store,
            now: self.clock.now(),
        }
    }
}

async fn description() -> Response {
    answer::json(&document())
}

async fn of_overview<S: Store + History + Send>(
    State(api): State<Api<S>>,
    Extension(Using(config)): Extension<Using>,
    whose: Whose,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let filter = allowed(query.as_deref(), &whose, &[])?;
    Ok(answer::json(
        &overview(&api.source(&config), &filter).await?,
    ))
}

async fn of_teams<S: Store + History + Send>(
    State(api): State<Api<S>>,
    Extension(Using(config)): Extension<Using>,
    whose: Whose,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let filter = allowed(query.as_deref(), &whose, &[])?;
    Ok(answer::json(&teams(&api.source(&config), &filter).await?))
}

async fn of_accounts<S: Store + History + Send>(
    State(api): State<Api<S>>,
    Extension(Using(config)): Extension<Using>,
    whose: Whose,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let filter = allowed(query.as_deref(), &whose, &[])?;
    Ok(answer::json(
        &accounts(&api.source(&config), &filter).await?,
    ))
}

async fn of_controls<S: Store + History + Send>(
    State(api): State<Api<S>>,
    Extension(Using(config)): Extension<Using>,
    whose: Whose,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let filter = allowed(query.as_deref(), &whose, &[])?;
    Ok(answer::json(
        &controls(&api.source(&config), &filter).await?,
    ))
}

async fn of_regions<S: Store + History + Send>(
    State(api): State<Api<S>>,
    Extension(Using(config)): Extension<Using>,
    whose: Whose,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let filter = allowed(query.as_deref(), &whose, &[])?;
    let found = lines(&api.source(&config), &filter, Dimension::Region).await?;
    Ok(answer::json(&found))
}

async fn of_products<S: Store + History + Send>(
    State(api): State<Api<S>>,
    Extension(Using(config)): Extension<Using>,
    whose: Whose,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let filter = allowed(query.as_deref(), &whose, &[])?;
    let found = lines(&api.source(&config), &filter, Dimension::Product).await?;
    Ok(answer::json(&found))
}

async fn of_ignored<S: Store + History + Send>(
    State(api): State<Api<S>>,
    Extension(Using(config)): Extension<Using>,
    whose: Whose,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let filter = allowed(query.as_deref(), &whose, &[])?;
    Ok(answer::json(&ignored(&api.source(&config), &filter).await?))
}

async fn of_table<S: Store + History + Send>(
    State(api): State<Api<S>>,
    Extension(Using(config)): Extension<Using>,
    whose: Whose,
    Path(table): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let filter = allowed(query.as_deref(), &whose, &Wanted::NAMES)?;
    let wanted = Wanted::parse(query.as_deref().unwrap_or_default())?;
    let section = section(&api.source(&config), &filter, &table).await?;
    wanted.answer(section.ok_or(Refused::NoTable)?)
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "figures could not be read");
        Refused::Failed
    }
}
