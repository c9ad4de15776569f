//! Jira's long-running tasks: submitted, followed to their end, and waited for when another one is in the way.

use std::time::Duration;

use http::Method;
use serde::Deserialize;

use crate::wire::error::WireError;
use crate::wire::http::{Operation, Request, encode};

use super::{ADMINISTER, JiraAdmin};

/// First wait between questions, doubled up to [`SLOWEST`].
const FIRST: Duration = Duration::from_millis(250);
/// Longest wait between questions.
const SLOWEST: Duration = Duration::from_secs(10);
/// How long a task is followed, or another one waited for.
const LONGEST: Duration = Duration::from_secs(900);

#[derive(Deserialize)]
struct Task {
    #[serde(default)]
    id: String,
    #[serde(default)]
    status: String,
    message: Option<String>,
}

impl JiraAdmin {
    /// Sends a change that Jira may answer with a task, and waits for its end. Jira changes its configuration in one
    /// task at a time: another one is waited for.
    pub(super) async fn submit(
        &self,
        name: &'static str,
        what: &str,
        request: Request,
    ) -> Result<(), WireError> {
        let operation = Operation::write(name, what, ADMINISTER).answered_by(&[303, 409]);
        let (mut wait, mut waited) = (FIRST, Duration::ZERO);
        loop {
            let answer = self.http.send(&operation, request.clone()).await?;
            match answer.status {
                303 => {
                    let from_link = answer
                        .header("location")
                        .and_then(|link| link.rsplit('/').next());
                    let from_body = || answer.decode::<Task>(&operation).map(|task| task.id);
                    let task = match from_link {
                        Some(id) => id.to_owned(),
                        None => from_body()?,
                    };
                    return self.follow(&task, what).await;
                }
                409 if waited < LONGEST && busy(&answer.body) => {
                    self.http.clock().sleep(wait).await;
                    waited += wait;
                    wait = (wait * 2).min(SLOWEST);
                }
                409 => {
                    return Err(WireError::Refused {
                        what: what.to_owned(),
                        status: 409,
                        code: None,
                        message: crate::wire::http::error_words(&answer.body),
                    });
                }
                _ => return Ok(()),
            }
        }
    }

    /// Waits for the end of a task.
    pub(super) async fn follow(&self, task: &str, what: &str) -> Result<(), WireError> {
        let (mut wait, mut waited) = (FIRST, Duration::ZERO);
        loop {
            let path = format!("/rest/api/3/task/{}", encode(task));
            let now: Task = self
                .get(
                    "GET /rest/api/3/task/{task}",
                    format!("follow the task {task} ({what})"),
                    Request::new(Method::GET, path),
                )
                .await?;
            match now.status.as_str() {
                "COMPLETE" => return Ok(()),
                "ENQUEUED" | "RUNNING" | "CANCEL_REQUESTED" if waited < LONGEST => {}
                "ENQUEUED" | "RUNNING" | "CANCEL_REQUESTED" => {
                    return Err(WireError::Unknown {
                        what: what.to_owned(),
                        why: format!("Jira's task {task} runs for more than 15 minutes"),
                    });
                }
                ended => {
                    let message = now.message.unwrap_or_default();
                    return Err(WireError::Refused {
                        what: what.to_owned(),
                        status: 400,
                        code: None,
                        message: format!("Jira's task {task} ended as {ended}: {message}"),
                    });
                }
            }
            self.http.clock().sleep(wait).await;
            waited += wait;
            wait = (wait * 2).min(SLOWEST);
        }
    }
}

/// Another task is in the way; a stale version has the same status and no such member.
fn busy(body: &[u8]) -> bool {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    !json["errors"]["conflictingTaskId"].is_null()
}
