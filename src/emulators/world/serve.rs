//! The HTTP face: one listener for AWS, one for Jira, one for GitHub, one to control the world. Loopback only.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request as AxumRequest, StatusCode};
use axum::response::{IntoResponse, Response as AxumResponse};
use serde_json::json;
use tokio::net::TcpListener;

use super::{Requests, Shared, Side, audit, webhooks};

/// A request of this size is the largest that any of the emulated APIs takes (BatchImportFindings: 6 MB).
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// The addresses of a served world.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Urls {
    /// All AWS services.
    pub aws: String,
    /// Jira's site.
    pub jira: String,
    /// GitHub's API.
    pub github: String,
    /// `GET /requests`, `POST /requests/reset`, `GET /audit`.
    pub control: String,
}

/// Listeners that are bound but not served yet: Jira's links need its address before the world is made.
pub struct Bound {
    /// Where they listen.
    pub urls: Urls,
    listeners: [TcpListener; 4],
}

/// Binds four ports on 127.0.0.1; 0 lets the system choose.
///
/// # Errors
/// When a port is taken.
pub async fn bind(aws: u16, jira: u16, github: u16, control: u16) -> std::io::Result<Bound> {
    let listeners = [
        listener(aws).await?,
        listener(jira).await?,
        listener(github).await?,
        listener(control).await?,
    ];
    let url = |n: usize| {
        listeners[n]
            .local_addr()
            .map(|address| format!("http://{address}"))
    };
    let urls = Urls {
        aws: url(0)?,
        jira: url(1)?,
        github: url(2)?,
        control: url(3)?,
    };
    Ok(Bound { urls, listeners })
}

async fn listener(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await
}

/// Serves a world until the process ends.
pub fn serve(bound: Bound, world: &Shared) {
    let [aws, jira, github, control] = bound.listeners;
    spawn(aws, face(world.clone(), Side::Aws));
    spawn(jira, face(world.clone(), Side::Jira));
    spawn(github, face(world.clone(), Side::GitHub));
    webhooks::spawn(world);
    spawn(
        control,
        Router::new().fallback(controlled).with_state(world.clone()),
    );
}

fn spawn(listener: TcpListener, router: Router) {
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "an emulator stopped serving");
        }
    });
}

fn face(world: Shared, side: Side) -> Router {
    Router::new().fallback(answer).with_state((world, side))
}

async fn answer(
    State((world, side)): State<(Shared, Side)>,
    request: AxumRequest<Body>,
) -> AxumResponse {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = http::Request::from_parts(parts, body);
    let answer = world.lock().answer(side, &request);
    match answer {
        Some(response) => response.map(Body::from).into_response(),
        // An answer that is lost: the body breaks off, so the client sees a closed connection.
        None => broken(),
    }
}

fn broken() -> AxumResponse {
    let lost = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "the answer is lost");
    let stream = futures_util::stream::once(async move { Err::<bytes::Bytes, _>(lost) });
    AxumResponse::new(Body::from_stream(stream))
}

async fn controlled(
    State(world): State<Shared>,
    method: Method,
    uri: axum::http::Uri,
) -> AxumResponse {
    let mut world = world.lock();
    match (method.as_str(), uri.path()) {
        ("GET", "/requests") => axum::Json(world.requests.clone()).into_response(),
        ("POST", "/requests/reset") => {
            world.requests = Requests::default();
            axum::Json(json!({})).into_response()
        }
        ("GET", "/audit") => {
            axum::Json(json!({ "violations": audit::audit(&world) })).into_response()
        }
        (method, path) => {
            let message = format!("the control port does not know {method} {path}");
            (
                StatusCode::NOT_IMPLEMENTED,
                axum::Json(json!({ "message": message })),
            )
                .into_response()
        }
    }
}
