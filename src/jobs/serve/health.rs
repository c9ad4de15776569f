//! `/healthz`, `/readyz`, `/metrics`, `/version`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::deliveries::Doors;
use super::figures::Figures;
use crate::store::queue::WorkQueue;

/// A store that does not answer within this is not ready.
const STORE_WITHIN: Duration = Duration::from_secs(2);

type Shared = State<(Arc<Doors>, Arc<Figures>)>;

/// The process answers: restart it when it does not. Nothing else is asked.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Deliveries can be taken in: the configuration was good, and the store answers. Neither Jira nor AWS is asked: their
/// outage must not take us out of the load balancer.
pub(super) async fn ready(State((doors, _)): Shared) -> Response {
    let depth = doors.store.depth(doors.clock.now());
    let store = match tokio::time::timeout(STORE_WITHIN, depth).await {
        Ok(Ok(_)) => "ok".to_owned(),
        Ok(Err(error)) => crate::talk::plain(&error.to_string()).into_owned(),
        Err(_) => "does not answer".to_owned(),
    };
    let stopping = doors.is_closed();
    let status = if store == "ok" && !stopping {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = json!({ "config": "ok", "store": store, "stopping": stopping });
    (status, axum::Json(body)).into_response()
}

/// Prometheus' text format.
pub(super) async fn metrics(State((doors, figures)): Shared) -> Response {
    match figures.render(&doors.store, doors.clock.now()).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the figures cannot be read from the store");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Which version this is.
pub(super) async fn version() -> Response {
    axum::Json(json!({ "name": "asaf", "version": env!("CARGO_PKG_VERSION") })).into_response()
}
