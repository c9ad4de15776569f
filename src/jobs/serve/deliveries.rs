//! Webhook deliveries as they come over HTTP: what can be refused is refused before its body is read, and all bodies
//! together have a limit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::clock::Clock;
use crate::jobs::webhook::{Answer, BODY_BYTES_MAX, Receiver, count};
use crate::store::sqlite::Sqlite;
use crate::wire::signature::Secrets;

/// All bodies that are being read have at most this together, in KiB: whoever sends large bodies slowly keeps others
/// waiting, but fills no memory.
const BODIES_KIB_MOST: u32 = 16 * 1024;
/// So long a delivery waits for room.
const ROOM_WITHIN: Duration = Duration::from_secs(2);
/// So long a body may take.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// What the routes share.
pub(super) struct Doors {
    pub(super) store: Arc<Sqlite>,
    pub(super) clock: Clock,
    admission: RwLock<Arc<Admission>>,
    bodies: Semaphore,
    closed: AtomicBool,
}

/// What a new configuration replaces.
struct Admission {
    secrets: Secrets,
    queue_most: u64,
}

impl Doors {
    pub(super) fn new(store: Arc<Sqlite>, clock: Clock, secrets: Secrets, queue_most: u64) -> Self {
        let admission = Admission {
            secrets,
            queue_most,
        };
        Doors {
            store,
            clock,
            admission: RwLock::new(Arc::new(admission)),
            bodies: Semaphore::new(BODIES_KIB_MOST as usize),
            closed: AtomicBool::new(false),
        }
    }

    /// Deliveries that come from now on are checked by these.
    pub(super) fn admit(&self, secrets: Secrets, queue_most: u64) {
        let admission = Arc::new(Admission {
            secrets,
            queue_most,
        });
        *self
            .admission
            .write()
            .unwrap_or_else(PoisonError::into_inner) = admission;
    }

    /// The process is stopping: `/readyz` says so.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn admission(&self) -> Arc<Admission> {
        self.admission
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// `POST /webhook/jira`.
pub(super) async fn webhook(State(doors): State<Arc<Doors>>, request: Request<Body>) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let answer = match doors.read(&parts.headers, body).await {
        Ok(read) => {
            let receiver = Receiver {
                secrets: &read.admission.secrets,
                store: doors.store.as_ref(),
                queue_most: read.admission.queue_most,
            };
            receiver
                .receive(&parts.headers, &read.body, doors.clock.now())
                .await
        }
        Err(answer) => {
            count(answer, doors.clock.now());
            answer
        }
    };
    metrics::histogram!("asaf_webhook_duration_seconds").record(began.elapsed());
    if answer.status() != 200 {
        tracing::debug!(
            answer = answer.word(),
            "a webhook delivery was not accepted"
        );
    }
    respond(answer)
}

/// A delivery in memory; it takes its room until it is dropped.
struct Read<'a> {
    admission: Arc<Admission>,
    body: Bytes,
    _room: SemaphorePermit<'a>,
}

impl Doors {
    /// The whole body, if everything that can be known before says yes.
    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Read<'_>, Answer> {
        let admission = self.admission();
        admission
            .secrets
            .claimed(headers)
            .map_err(Answer::Unsigned)?;
        let length = content_length(headers)?;
        if length.is_some_and(|length| length > BODY_BYTES_MAX) {
            return Err(Answer::TooLarge);
        }
        let kib = length.unwrap_or(BODY_BYTES_MAX).div_ceil(1024);
        let kib = u32::try_from(kib).unwrap_or(BODIES_KIB_MOST);
        let room = tokio::time::timeout(ROOM_WITHIN, self.bodies.acquire_many(kib)).await;
        let Ok(Ok(room)) = room else {
            return Err(Answer::Busy);
        };
        let whole = tokio::time::timeout(BODY_WITHIN, collect(body, length.unwrap_or(0))).await;
        Ok(Read {
            admission,
            body: whole.map_err(|_| Answer::TooSlow)??,
            _room: room,
        })
    }
}

/// What the sender says; more than one answer is none.
fn content_length(headers: &HeaderMap) -> Result<Option<usize>, Answer> {
    let Some(value) = headers.get(header::CONTENT_LENGTH) else {
        return Ok(None);
    };
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    length.map(Some).ok_or(Answer::Broken)
}

async fn collect(body: Body, expected: usize) -> Result<Bytes, Answer> {
    let mut whole = BytesMut::with_capacity(expected);
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Answer::Broken)?;
        if whole.len() + part.len() > BODY_BYTES_MAX {
            return Err(Answer::TooLarge);
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.freeze())
}

fn respond(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.sentence()).into_response();
    if let Some(wait) = answer.retry_after() {
        let seconds = HeaderValue::from(wait.as_secs());
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}
