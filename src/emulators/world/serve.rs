//! The HTTP face: one listener for AWS, one for Jira, one for Slack, one for GitHub, one to control the world.
//! Loopback only.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request as AxumRequest, StatusCode};
use axum::response::{IntoResponse, Response as AxumResponse};
use jiff::SignedDuration;
use tokio::net::TcpListener;

use super::{Shared, Side, control, webhooks};

/// A request of this size is the largest that any of the emulated APIs takes (BatchImportFindings: 6 MB).
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// How often a long poll looks for messages.
const POLL_EVERY: std::time::Duration = std::time::Duration::from_millis(25);

/// The addresses of a served world.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Urls {
    /// All AWS services.
    pub aws: String,
    /// Jira's site.
    pub jira: String,
    /// Slack's workspace: the Web API is below `/api`.
    pub slack: String,
    /// GitHub's API.
    pub github: String,
    /// The control port, and the page.
    pub control: String,
}

/// Listeners that are bound but not served yet: Jira's links need its address before the world is made.
pub struct Bound {
    /// Where they listen.
    pub urls: Urls,
    listeners: [TcpListener; 5],
}

/// Binds ports on 127.0.0.1; 0 lets the system choose, as it does for Slack.
///
/// # Errors
/// When a port is taken.
pub async fn bind(aws: u16, jira: u16, github: u16, control: u16) -> std::io::Result<Bound> {
    let listeners = [
        listener(aws).await?,
        listener(jira).await?,
        listener(0).await?,
        listener(github).await?,
        listener(control).await?,
    ];
    let urls = Urls {
        aws: url(&listeners[0])?,
        jira: url(&listeners[1])?,
        slack: url(&listeners[2])?,
        github: url(&listeners[3])?,
        control: url(&listeners[4])?,
    };
    Ok(Bound { urls, listeners })
}

impl Bound {
    /// Serves Slack at this port instead.
    ///
    /// # Errors
    /// When it is taken.
    pub async fn slack_at(mut self, port: u16) -> std::io::Result<Self> {
        self.listeners[2] = listener(port).await?;
        self.urls.slack = url(&self.listeners[2])?;
        Ok(self)
    }
}

fn url(listener: &TcpListener) -> std::io::Result<String> {
    listener
        .local_addr()
        .map(|address| format!("http://{address}"))
}

async fn listener(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await
}

/// Serves a world until the process ends.
pub fn serve(bound: Bound, world: &Shared) {
    let [aws, jira, slack, github, control] = bound.listeners;
    spawn(aws, face(world.clone(), Side::Aws));
    spawn(jira, face(world.clone(), Side::Jira));
    spawn(slack, face(world.clone(), Side::Slack));
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
    let reply = world.lock().reply(side, &request);
    let response = match reply.wait {
        Some(wait) => waited(&world, &request, wait).await.or(reply.response),
        None => reply.response,
    };
    match response {
        Some(response) => response.map(Body::from).into_response(),
        // An answer that is lost: the body breaks off, so the client sees a closed connection.
        None => broken(),
    }
}

/// A long poll that found nothing asks again until something comes or its time is over. The time is the client's, real
/// time: it waits at its end of the connection.
async fn waited(
    world: &Shared,
    request: &http::Request<bytes::Bytes>,
    wait: SignedDuration,
) -> Option<http::Response<bytes::Bytes>> {
    let wait = std::time::Duration::try_from(wait).unwrap_or_default();
    let asking = async {
        loop {
            tokio::time::sleep(POLL_EVERY).await;
            if let Some(response) = world.lock().poll(request) {
                return response;
            }
        }
    };
    tokio::time::timeout(wait, asking).await.ok()
}

fn broken() -> AxumResponse {
    let lost = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "the answer is lost");
    let stream = futures_util::stream::once(async move { Err::<bytes::Bytes, _>(lost) });
    AxumResponse::new(Body::from_stream(stream))
}

async fn controlled(State(world): State<Shared>, request: AxumRequest<Body>) -> AxumResponse {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = http::Request::from_parts(parts, body);
    let response = control::answer(&mut world.lock(), &request);
    response.map(Body::from).into_response()
}
