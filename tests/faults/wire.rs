//! What a client that is not ours sees of each kind of fault: status, headers, what is missing, what took effect.

use asaf::clock::Clock;
use asaf::emulators::aws::AwsFault;
use asaf::emulators::jira::{FaultKind, Role};
use asaf::emulators::world::control::verbs::Verb;
use asaf::emulators::world::{ANALYST_KEY, Side, World, seed};
use asaf::emulators::{Request, Response};
use base64::Engine as _;
use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Kind;

/// Shows one kind, and that the request after it is served.
pub(crate) fn show(kind: &Kind) {
    let mut world = world();
    match kind {
        Kind::Aws(kind) => show_aws(&mut world, kind),
        Kind::Jira(kind) => show_jira(&mut world, kind),
    }
}

fn world() -> World {
    let clock = Clock::manual("2026-11-24T08:00:00Z".parse().unwrap());
    let mut world = World::new(clock, "http://127.0.0.1:1");
    seed::fill(&mut world, 2, 30, 7);
    world
}

// ---- AWS ----

fn show_aws(world: &mut World, kind: &AwsFault) {
    let arm = |world: &mut World, operation: &str| {
        Kind::Aws(kind.clone()).arm(world, operation, 1);
    };
    match kind {
        AwsFault::Throttled => refused_by_aws(world, kind, 429, "TooManyRequestsException"),
        AwsFault::InternalError => refused_by_aws(world, kind, 500, "InternalException"),
        AwsFault::Unavailable => refused_by_aws(world, kind, 503, "ServiceUnavailable"),
        AwsFault::AccessDenied => refused_by_aws(world, kind, 403, "AccessDeniedException"),
        AwsFault::ExpiredToken => refused_by_aws(world, kind, 403, "ExpiredTokenException"),
        AwsFault::DropBefore | AwsFault::ApplyThenDrop => {
            arm(world, "BatchUpdateFindings");
            let before = world.journal.entries.len();
            assert!(update(world).is_none(), "{kind:?} answers");
            let applied = world.journal.entries.len() > before;
            assert_eq!(applied, *kind == AwsFault::ApplyThenDrop, "{kind:?}");
        }
        AwsFault::Unprocessed { code, .. } => {
            arm(world, "BatchUpdateFindings");
            let answer = read(&update(world).unwrap());
            let refused = answer["UnprocessedFindings"].as_array().unwrap();
            assert_eq!(refused.len(), 2, "every third of four");
            assert_eq!(refused[0]["ErrorCode"], code.as_str());
            assert_eq!(answer["ProcessedFindings"].as_array().unwrap().len(), 2);
        }
        AwsFault::EmptyListing | AwsFault::TruncatedListing | AwsFault::EmptyPage => {
            arm(world, "GetFindings");
            let page = list(world, 5);
            let rows = page["Findings"].as_array().unwrap().len();
            let more = page["NextToken"].is_string();
            let wanted = match kind {
                AwsFault::EmptyListing => (0, false),
                AwsFault::TruncatedListing => (5, false),
                _ => (0, true),
            };
            assert_eq!((rows, more), wanted, "{kind:?}");
        }
        AwsFault::LostRegion { region } => {
            let of_region = |page: &Value| {
                let rows = page["Findings"].as_array().unwrap().iter();
                rows.filter(|row| row["Region"] == region.as_str()).count()
            };
            arm(world, "GetFindings");
            assert_eq!(of_region(&list(world, 100)), 0);
            assert!(of_region(&list(world, 100)) > 0);
        }
        AwsFault::StaleRead { .. } => {
            update(world).unwrap();
            let notified = |page: &Value| {
                let rows = page["Findings"].as_array().unwrap().iter();
                rows.filter(|row| row["Workflow"]["Status"] == "NOTIFIED")
                    .count()
            };
            arm(world, "GetFindings");
            assert_eq!(notified(&list(world, 100)), 0);
            assert_eq!(notified(&list(world, 100)), 4);
        }
        AwsFault::LoseEvent | AwsFault::DuplicateEvent | AwsFault::DelayEvent { .. } => {
            let key = world.aws.hub.keys(None).next().unwrap().clone();
            arm(world, "event Security Hub Findings - Imported");
            let touched = json!({ "do": "finding_is_touched", "finding": key.1 });
            world.happen(&Verb::read(touched).unwrap()).unwrap();
            let now = received(world);
            world.advance(SignedDuration::from_secs(61));
            let later = received(world);
            let wanted = match kind {
                AwsFault::LoseEvent => (0, 0),
                AwsFault::DuplicateEvent => (2, 2),
                _ => (0, 1),
            };
            assert_eq!((now, later), wanted, "{kind:?}");
        }
    }
    if !matches!(
        kind,
        AwsFault::LoseEvent | AwsFault::DuplicateEvent | AwsFault::DelayEvent { .. }
    ) {
        assert!(
            !list(world, 100)["Findings"].as_array().unwrap().is_empty(),
            "{kind:?} lasts"
        );
    }
}

fn refused_by_aws(world: &mut World, kind: &AwsFault, status: u16, code: &str) {
    Kind::Aws(kind.clone()).arm(world, "GetFindings", 1);
    let body = json!({ "MaxResults": 1 });
    let answer = security_hub(world, "POST", "/findings", &body).unwrap();
    assert_eq!(answer.status(), status, "{kind:?}");
    let said = answer.headers()["x-amzn-errortype"].to_str().unwrap();
    assert!(said.starts_with(code), "{kind:?} is {said}");
}

fn list(world: &mut World, size: u32) -> Value {
    let body = json!({ "MaxResults": size });
    read(&security_hub(world, "POST", "/findings", &body).unwrap())
}

/// Sets four failing findings to NOTIFIED.
fn update(world: &mut World) -> Option<Response> {
    let failing = world
        .aws
        .hub
        .iter()
        .filter(|finding| finding["Workflow"]["Status"] == "NEW");
    let keys: Vec<Value> = failing
        .map(|finding| json!({ "Id": finding["Id"], "ProductArn": finding["ProductArn"] }))
        .take(4)
        .collect();
    let body = json!({ "FindingIdentifiers": keys, "Workflow": { "Status": "NOTIFIED" } });
    security_hub(world, "PATCH", "/findings/batchupdate", &body)
}

/// How many events can be received now; they stay in the queue.
fn received(world: &mut World) -> usize {
    let queue = world.queue_url("http://127.0.0.1:1");
    let body = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0 });
    let request: Request = http::Request::post("http://127.0.0.1:1/")
        .header("authorization", signature("sqs"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", "AmazonSQS.ReceiveMessage")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let answer = read(&world.answer(Side::Aws, &request).unwrap());
    answer["Messages"].as_array().map_or(0, Vec::len)
}

fn signature(service: &str) -> String {
    let region = seed::REGION;
    let scope = format!("{ANALYST_KEY}/20261124/{region}/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
}

fn security_hub(world: &mut World, method: &str, path: &str, body: &Value) -> Option<Response> {
    let request: Request = http::Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:1{path}"))
        .header("authorization", signature("securityhub"))
        .body(Bytes::from(body.to_string()))
        .unwrap();
    world.answer(Side::Aws, &request)
}

fn read(response: &Response) -> Value {
    assert_eq!(response.status(), 200, "{:?}", response.body());
    serde_json::from_slice(response.body()).unwrap()
}

// ---- Jira ----

/// A webhook that wants to hear of everything.
pub(crate) fn hook() -> Value {
    let events = [
        "jira:issue_created",
        "jira:issue_updated",
        "jira:issue_deleted",
        "comment_created",
    ];
    json!({ "name": "a listener", "url": "https://listener.example/jira", "events": events,
        "filters": { "issue-related-events-section": "" }, "excludeBody": false })
}

fn show_jira(world: &mut World, kind: &FaultKind) {
    let arm = |world: &mut World, operation: &str| {
        Kind::Jira(kind.clone()).arm(world, operation, 1);
    };
    match kind {
        FaultKind::TooManyRequests { retry_after_s, .. } => {
            let answer = struck(world, kind);
            assert_eq!(answer.status(), 429);
            assert_eq!(header(&answer, "retry-after"), retry_after_s.to_string());
            assert_eq!(header(&answer, "ratelimit-reason"), "jira-burst-based");
            world.clock.advance(SignedDuration::from_secs(8));
        }
        FaultKind::NearLimit => {
            let answer = struck(world, kind);
            assert_eq!(answer.status(), 200);
            assert_eq!(header(&answer, "x-ratelimit-nearlimit"), "true");
        }
        FaultKind::Unavailable { retry_after_s } => {
            let answer = struck(world, kind);
            assert_eq!(answer.status(), 503);
            assert_eq!(header(&answer, "retry-after"), retry_after_s.to_string());
        }
        FaultKind::ServerError(status) => {
            let answer = struck(world, kind);
            assert_eq!(answer.status(), *status);
            assert_eq!(header(&answer, "retry-after"), "");
            assert!(header(&answer, "content-type").starts_with("application/json"));
        }
        FaultKind::HtmlError(status) => {
            let answer = struck(world, kind);
            assert_eq!(answer.status(), *status);
            assert!(header(&answer, "content-type").starts_with("text/html"));
        }
        FaultKind::Unauthorized => assert_eq!(struck(world, kind).status(), 401),
        FaultKind::ScopeMissing => {
            let answer = struck(world, kind);
            assert_eq!(answer.status(), 401);
            assert!(String::from_utf8_lossy(answer.body()).contains("scope"));
        }
        FaultKind::Forbidden => assert_eq!(struck(world, kind).status(), 403),
        FaultKind::NotFound => assert_eq!(struck(world, kind).status(), 404),
        FaultKind::Conflict => assert_eq!(struck(world, kind).status(), 409),
        FaultKind::ApplyThenDrop | FaultKind::DropBefore => {
            arm(world, "POST /rest/api/3/issue$");
            let lost = jira(world, "POST", "/rest/api/3/issue", &ticket("lost"));
            assert!(lost.is_none(), "{kind:?} answers");
            let made = world.jira.issues().count();
            assert_eq!(
                made,
                usize::from(*kind == FaultKind::ApplyThenDrop),
                "{kind:?}"
            );
        }
        FaultKind::SearchLag { seconds } => {
            arm(world, "POST /rest/api/3/issue$");
            create(world, 1);
            assert_eq!(found(world), 0);
            let wait = i64::try_from(*seconds).unwrap() + 1;
            world.clock.advance(SignedDuration::from_secs(wait));
            assert_eq!(found(world), 1);
        }
        FaultKind::SearchFlicker { .. } => {
            create(world, 40);
            arm(world, "search/jql");
            let some = found(world);
            assert!(some < 40, "a search that leaves nothing out");
            assert_eq!(found(world), 40);
        }
        FaultKind::BulkTaskDies { .. }
        | FaultKind::BulkTaskFails { .. }
        | FaultKind::BulkTaskSlow { .. } => {
            arm(world, "bulk/issues/delete");
            show_task(world, kind);
        }
        FaultKind::WebhookLost
        | FaultKind::WebhookDuplicated
        | FaultKind::WebhookDelayed { .. }
        | FaultKind::WebhookReordered => show_webhook(world, kind),
    }
    let (status, _) = jira(world, "GET", "/rest/api/3/myself", &Value::Null).unwrap();
    assert_eq!(status, 200, "{kind:?} lasts");
}

/// Ten tickets are deleted by a task that goes wrong.
fn show_task(world: &mut World, kind: &FaultKind) {
    create(world, 10);
    let keys: Vec<String> = world.jira.issues().map(|issue| issue.key.clone()).collect();
    let body = json!({ "selectedIssueIdsOrKeys": keys, "sendBulkNotification": false });
    let (status, answer) = jira(world, "POST", "/rest/api/3/bulk/issues/delete", &body).unwrap();
    assert_eq!(status, 201, "{answer}");
    let path = format!(
        "/rest/api/3/bulk/queue/{}",
        answer["taskId"].as_str().unwrap()
    );
    let (_, task) = jira(world, "GET", &path, &Value::Null).unwrap();
    let left = world.jira.issues().count();
    let wanted = match kind {
        FaultKind::BulkTaskDies { after } => ("DEAD", 10 - after),
        FaultKind::BulkTaskFails { issues } => ("COMPLETE", *issues),
        _ => ("RUNNING", 10),
    };
    let found = task["status"].as_str().unwrap();
    let is_running = found == "RUNNING" || found == "ENQUEUED";
    let found = if is_running { "RUNNING" } else { found };
    assert_eq!((found, left), wanted, "{kind:?}: {task}");
    if let FaultKind::BulkTaskFails { issues } = kind {
        assert_eq!(
            task["failedAccessibleIssues"].as_object().unwrap().len(),
            *issues
        );
    }
}

/// The first of two webhooks goes wrong.
fn show_webhook(world: &mut World, kind: &FaultKind) {
    let (status, _) = jira(world, "POST", "/rest/webhooks/1.0/webhook", &hook()).unwrap();
    assert_eq!(status, 201);
    Kind::Jira(kind.clone()).arm(world, "webhook jira:issue_created", 1);
    create(world, 2);
    let mut heard: Vec<String> = Vec::new();
    let mut identifiers = std::collections::BTreeSet::new();
    let mut counts = Vec::new();
    for seconds in [0, 61, 3_600] {
        world.clock.advance(SignedDuration::from_secs(seconds));
        let now = world.now();
        for delivery in world.jira.due_deliveries(now) {
            let body: Value = serde_json::from_slice(&delivery.body).unwrap();
            heard.push(
                body["issue"]["fields"]["summary"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
            let identifier = delivery
                .headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("x-atlassian-webhook-identifier"));
            identifiers.insert(identifier.unwrap().1.clone());
            world.jira.delivered(delivery.id, Some(200), now);
        }
        counts.push(heard.len());
    }
    match kind {
        FaultKind::WebhookLost => assert_eq!(heard, ["ticket 1"]),
        FaultKind::WebhookDuplicated => {
            assert_eq!((heard.len(), identifiers.len()), (3, 2), "{heard:?}");
        }
        FaultKind::WebhookDelayed { .. } => {
            assert_eq!((counts[0], counts[1]), (1, 2));
            assert_eq!(heard, ["ticket 1", "ticket 0"]);
        }
        _ => assert_eq!(heard, ["ticket 1", "ticket 0"]),
    }
}

/// The answer to a read that the fault strikes.
fn struck(world: &mut World, kind: &FaultKind) -> Response {
    Kind::Jira(kind.clone()).arm(world, "GET /rest/api/3/myself", 1);
    let request = jira_request(world, "GET", "/rest/api/3/myself", &Value::Null);
    world.answer(Side::Jira, &request).unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    let value = answer.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

fn ticket(summary: &str) -> Value {
    json!({ "fields": { "project": { "key": "PAY" }, "issuetype": { "name": "Task" }, "summary": summary } })
}

fn create(world: &mut World, count: usize) {
    for n in 0..count {
        let body = ticket(&format!("ticket {n}"));
        let (status, answer) = jira(world, "POST", "/rest/api/3/issue", &body).unwrap();
        assert_eq!(status, 201, "{answer}");
    }
}

fn found(world: &mut World) -> usize {
    let body = json!({ "jql": "project = PAY", "maxResults": 100 });
    let (status, answer) = jira(world, "POST", "/rest/api/3/search/jql", &body).unwrap();
    assert_eq!(status, 200, "{answer}");
    answer["issues"].as_array().unwrap().len()
}

fn jira_request(world: &World, method: &str, path: &str, body: &Value) -> Request {
    let admin = world.jira.user(Role::Admin).unwrap();
    let pair = format!("{}:{}", admin.email, admin.token);
    let basic = base64::engine::general_purpose::STANDARD.encode(pair);
    let body = if body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(body.to_string())
    };
    http::Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:1{path}"))
        .header("authorization", format!("Basic {basic}"))
        .header("content-type", "application/json")
        .body(body)
        .unwrap()
}

/// Status and body of an administrator's request; `None` when the answer is lost.
pub(crate) fn jira(
    world: &mut World,
    method: &str,
    path: &str,
    body: &Value,
) -> Option<(u16, Value)> {
    let request = jira_request(world, method, path, body);
    let answer = world.answer(Side::Jira, &request)?;
    let value = serde_json::from_slice(answer.body()).unwrap_or_default();
    Some((answer.status().as_u16(), value))
}
