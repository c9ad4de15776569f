//! The Lambda function's own binary against a runtime API of ours, as AWS documents it (Lambda developer guide, "Runtime
//! API"), with events as its triggers send them.
#![cfg(feature = "lambda")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod serving;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use asaf::store::queue::{WorkKey, WorkQueue};
use asaf::store::sqlite::Sqlite;
use asaf::store::unread::UnreadStore;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use serving::moto::Moto;
use serving::{SECRET, WITHIN, alone, change, signature, signed};

/// The runtime API of one function, and the function.
struct Lambda {
    process: Child,
    events: Sender<Value>,
    answers: Receiver<(String, Value)>,
}

impl Drop for Lambda {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Lambda {
    fn start(folder: &Path, config: &str) -> Self {
        Self::with(folder, config, &[])
    }

    fn with(folder: &Path, config: &str, env: &[(&str, &str)]) -> Self {
        let path = folder.join("asaf.toml");
        std::fs::write(&path, config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (events, waiting) = channel();
        let (given, answers) = channel();
        std::thread::spawn(move || runtime_api(&listener, &waiting, &given));
        let process = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "asaf")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("ASAF_CONFIG", path)
            .env("TOKEN", "token")
            .env("HOOK", SECRET)
            .env("AWS_ACCESS_KEY_ID", "AKIA")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .envs(env.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Lambda {
            process,
            events,
            answers,
        }
    }

    /// Calls the function; what it answered, and whether that was an error.
    fn call(&self, event: Value) -> (String, Value) {
        self.events.send(event).unwrap();
        self.answers.recv_timeout(WITHIN).unwrap()
    }

    fn ok(&self, event: Value) -> Value {
        let (kind, answer) = self.call(event);
        assert_eq!(kind, "response", "{answer}");
        answer
    }
}

/// One call after the other: `next` waits for an event, `response` or `error` ends it.
fn runtime_api(
    listener: &TcpListener,
    events: &Receiver<Value>,
    answers: &Sender<(String, Value)>,
) {
    let mut number = 0;
    for stream in listener.incoming() {
        let mut reader = BufReader::new(stream.unwrap());
        while let Some((path, body)) = request(&mut reader) {
            let steps: Vec<&str> = path.split('/').skip(1).collect();
            match steps.as_slice() {
                ["2018-06-01", "runtime", "invocation", "next"] => {
                    let Ok(event) = events.recv() else { return };
                    number += 1;
                    let deadline = Timestamp::now() + SignedDuration::from_secs(20);
                    let headers = format!(
                        "Lambda-Runtime-Aws-Request-Id: call-{number}\r\nLambda-Runtime-Deadline-Ms: {}\r\n\
                         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:asaf\r\n\
                         Lambda-Runtime-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0\r\n\
                         Content-Type: application/json\r\n",
                        deadline.as_millisecond()
                    );
                    answer(reader.get_mut(), "200 OK", &headers, &event.to_string());
                }
                [
                    "2018-06-01",
                    "runtime",
                    "invocation",
                    id,
                    kind @ ("response" | "error"),
                ] => {
                    assert_eq!(*id, format!("call-{number}"));
                    answer(reader.get_mut(), "202 Accepted", "", "{\"status\":\"OK\"}");
                    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                    answers.send(((*kind).to_owned(), body)).unwrap();
                }
                ["2018-06-01", "runtime", "init", "error"] => {
                    answer(reader.get_mut(), "202 Accepted", "", "{}");
                    answers
                        .send(("init".to_owned(), serde_json::from_slice(&body).unwrap()))
                        .unwrap();
                }
                _ => answer(reader.get_mut(), "404 Not Found", "", "{}"),
            }
        }
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            let size = usize::from_str_radix(line.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    } else {
        body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
    }
    Some((path, body))
}

fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let text = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).unwrap();
}

fn batch(messages: &[(&str, u32, String)]) -> Value {
    let records = messages.iter().map(|(id, receives, body)| {
        json!({ "messageId": id, "receiptHandle": format!("receipt of {id}"), "body": body, "md5OfBody": "",
            "attributes": { "ApproximateReceiveCount": receives.to_string(), "SentTimestamp": "1545082649183",
                "SenderId": "AIDA", "ApproximateFirstReceiveTimestamp": "1545082649185" },
            "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "eu-west-1",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:asaf-events" })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

fn imported(id: &str) -> String {
    json!({ "source": "aws.securityhub", "detail-type": "Security Hub Findings - Imported", "account": "123456789012",
        "detail": { "findings": [{ "Id": id, "AwsAccountId": "123456789012",
            "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub" }] } })
    .to_string()
}

fn posted(path: &str, signature: Option<&str>, body: &[u8]) -> Value {
    use base64::Engine as _;
    let mut headers =
        json!({ "content-type": "application/json", "x-atlassian-webhook-identifier": "id-1" });
    if let Some(signature) = signature {
        headers["x-hub-signature"] = signature.into();
    }
    json!({ "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": { "accountId": "anonymous", "http": { "method": "POST", "path": path, "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1" }, "requestId": "r", "stage": "$default", "timeEpoch": 1_583_348_638_390_u64 },
        "body": base64::engine::general_purpose::STANDARD.encode(body), "isBase64Encoded": true })
}

fn keys(folder: &Path) -> BTreeSet<WorkKey> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Sqlite::open_beside(&folder.join("asaf.sqlite3")).unwrap();
        let later = Timestamp::now() + SignedDuration::from_hours(1);
        let claimed = store
            .claim(1_000, later, SignedDuration::from_mins(1))
            .await
            .unwrap();
        claimed.into_iter().map(|item| item.key).collect()
    })
}

#[test]
fn only_messages_that_were_not_taken_in_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = alone(
        "queue_most = 3\n[queue]\nurl = \"https://sqs.eu-west-1.amazonaws.com/123456789012/q\"",
    );
    let lambda = Lambda::start(folder.path(), &config);
    let answer = lambda.ok(batch(&[
        ("m-1", 1, imported("f-1")),
        ("m-2", 1, "poison".to_owned()),
        ("m-3", 3, "poison for the third time".to_owned()),
        ("m-4", 1, imported("f-2")),
        (
            "m-5",
            1,
            json!({ "source": "aws.ec2", "detail-type": "other" }).to_string(),
        ),
        ("m-6", 1, imported("f-3")),
        ("m-7", 1, imported("f-4")),
    ]));
    // One that cannot be read yet, and one for which there is no room.
    assert_eq!(
        answer,
        json!({ "batchItemFailures": [{ "itemIdentifier": "m-2" }, { "itemIdentifier": "m-7" }] })
    );
    assert_eq!(keys(folder.path()).len(), 3);
    let again = lambda.ok(batch(&[("m-1", 2, imported("f-1"))]));
    assert_eq!(again, json!({ "batchItemFailures": [] }));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let kept = runtime.block_on(async {
        let store = Sqlite::open_beside(&folder.path().join("asaf.sqlite3")).unwrap();
        store.unread().await.unwrap()
    });
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].id.as_deref(), Some("m-3"));
}

#[test]
fn while_the_store_is_in_use_every_message_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let lambda = Lambda::start(folder.path(), &alone(""));
    let held = Sqlite::open(&folder.path().join("asaf.sqlite3")).unwrap();
    let answer = lambda.ok(batch(&[
        ("m-1", 1, imported("f-1")),
        ("m-2", 1, imported("f-2")),
    ]));
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 2);
    drop(held);
    std::thread::sleep(Duration::from_millis(200));
    let answer = lambda.ok(batch(&[
        ("m-1", 2, imported("f-1")),
        ("m-2", 2, imported("f-2")),
    ]));
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(keys(folder.path()).len(), 2);
}

#[test]
fn a_webhook_over_a_function_url_is_verified_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let lambda = Lambda::start(folder.path(), &signed());
    let body = change(10_001, 1);
    let good = signature(SECRET, &body);
    let status = |event| lambda.ok(event)["statusCode"].clone();
    assert_eq!(status(posted("/webhook/jira", None, &body)), 401);
    assert_eq!(
        status(posted("/webhook/jira", Some(&good.to_uppercase()), &body)),
        401
    );
    assert_eq!(
        status(posted(
            "/webhook/jira",
            Some(&format!("{good},{good}")),
            &body
        )),
        401
    );
    assert_eq!(
        status(posted("/webhook/jira", Some(&good), &change(10_001, 2))),
        401
    );
    assert_eq!(status(posted("/", Some(&good), &body)), 404);
    let mut get = posted("/webhook/jira", Some(&good), &body);
    get["requestContext"]["http"]["method"] = "GET".into();
    assert_eq!(status(get), 405);
    assert!(!folder.path().join("asaf.sqlite3").exists() || keys(folder.path()).is_empty());
    // With API Gateway's stage before the path, and then once more.
    let answer = lambda.ok(posted("/live/webhook/jira", Some(&good), &body));
    assert_eq!(
        (&answer["statusCode"], &answer["body"]),
        (&json!(200), &json!("accepted\n"))
    );
    let answer = lambda.ok(posted("/webhook/jira", Some(&good), &body));
    assert_eq!(answer["body"], "known already\n");
    assert_eq!(
        keys(folder.path()),
        BTreeSet::from([WorkKey::Ticket(10_001)])
    );
}

#[test]
fn without_a_secret_the_function_answers_503() {
    let folder = tempfile::tempdir().unwrap();
    let lambda = Lambda::start(folder.path(), &alone(""));
    let body = change(1, 1);
    let answer = lambda.ok(posted(
        "/webhook/jira",
        Some(&signature(SECRET, &body)),
        &body,
    ));
    assert_eq!(answer["statusCode"], 503);
    assert!(answer["headers"]["retry-after"].is_string(), "{answer}");
}

/// A function without a store verifies, and whoever polls the queue takes it from there.
#[test]
fn with_a_queue_a_webhook_is_passed_on_to_it() {
    let Some(moto) = Moto::start() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let queue = runtime.block_on(moto.queue("passed-on", &[]));
    let config = alone(&format!(
        "[webhook]\nsecrets = [\"env:HOOK\"]\n[queue]\nurl = \"{queue}\""
    ))
    .replace(
        "endpoint_url = \"http://127.0.0.1:9\"",
        &format!("endpoint_url = \"{}\"", moto.url),
    );
    let folder = tempfile::tempdir().unwrap();
    let lambda = Lambda::start(folder.path(), &config);
    let body = change(10_001, 1);
    let forged = lambda.ok(posted(
        "/webhook/jira",
        Some(&signature("another secret, as long", &body)),
        &body,
    ));
    assert_eq!(forged["statusCode"], 401);
    assert_eq!(runtime.block_on(moto.left(&queue)), 0);
    let answer = lambda.ok(posted(
        "/webhook/jira",
        Some(&signature(SECRET, &body)),
        &body,
    ));
    assert_eq!(answer["statusCode"], 200);
    assert!(
        !folder.path().join("asaf.sqlite3").exists(),
        "it needs no store"
    );
    assert_eq!(runtime.block_on(moto.left(&queue)), 1);
    let mut serve = serving::Serve::start(folder.path(), &config, &[]);
    serving::until(|| (serve.figure("asaf_event_total{result=\"accepted\"}") >= 1.0).then_some(()));
    serve.signal("TERM");
    assert!(serve.ended().success());
    assert_eq!(
        keys(folder.path()),
        BTreeSet::from([WorkKey::Ticket(10_001)])
    );
}

#[test]
fn a_trigger_that_is_not_known_is_an_error_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let lambda = Lambda::start(folder.path(), &alone(""));
    let (kind, answer) = lambda.call(json!({ "hello": "world" }));
    assert_eq!(kind, "error");
    assert!(
        answer["errorMessage"]
            .as_str()
            .unwrap()
            .contains("a trigger that it does not know"),
        "{answer}"
    );
    // And the function goes on.
    let (kind, _) = lambda.call(batch(&[]));
    assert_eq!(kind, "response");
}

#[test]
fn a_wrong_configuration_ends_the_start_with_its_error() {
    let folder = tempfile::tempdir().unwrap();
    let config = alone("[webhook]\nsecrets = [\"env:ASAF_NOT_SET\"]");
    let mut lambda = Lambda::start(folder.path(), &config);
    let status = serving::until(|| lambda.process.try_wait().unwrap());
    assert!(!status.success());
}

/// The whole way: a schedule reconciles the emulated world, and a message leads to one more look.
#[test]
fn a_schedule_brings_both_sides_in_step() {
    let folder = tempfile::tempdir().unwrap();
    let world = serving::world::Emulators::start(folder.path(), 3, 60);
    let lambda = Lambda::with(folder.path(), &world.config(""), &world.env());
    let schedule = json!({ "version": "0", "id": "1", "source": "aws.events", "detail-type": "Scheduled Event",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/asaf"], "detail": {} });
    assert_eq!(lambda.ok(schedule.clone()), Value::Null);
    let tickets = world.tickets();
    assert!(tickets.len() > 30, "{}", tickets.len());
    // What is in step needs no second run.
    world.forget_requests();
    assert_eq!(lambda.ok(schedule), Value::Null);
    assert_eq!(world.requests("jira", "POST /rest/api/3/issue/bulk"), 0);
    // A team resolves; the message of the webhook that was passed on is worked off in the same call.
    let ticket = &tickets[0];
    world.move_ticket("product", ticket, "Resolved");
    let passed_on = json!({ "source": "asaf", "detail-type": "Jira Webhook", "detail": { "ticket": ticket.parse::<u64>().unwrap(),
        "labelled": true, "id": null, "sha256": "00".repeat(32) } });
    let answer = lambda.ok(batch(&[("m-1", 1, passed_on.to_string())]));
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(world.requests("aws", "BatchUpdateFindings"), 1);
    assert_eq!(world.violations(), json!([]));
}

/// What burns is told in the call that found it, and the digests of the day once.
#[test]
fn a_schedule_tells_people_and_sends_the_digests_of_its_day() {
    let folder = tempfile::tempdir().unwrap();
    let world = serving::world::Emulators::start(folder.path(), 3, 60);
    let today = Timestamp::now().strftime("%A").to_string().to_lowercase();
    let digest = format!("[notices]\ndigest = {{ weekday = \"{today}\", time = \"00:00\" }}");
    let lambda = Lambda::with(folder.path(), &world.config(&digest), &world.env());
    let schedule = json!({ "version": "0", "id": "1", "source": "aws.events", "detail-type": "Scheduled Event",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/asaf"], "detail": {} });
    let channels = ["C0TEAM0000", "C0TEAM0001", "C0TEAM0002"];
    let said = |begin: &str| -> usize {
        let texts = channels.iter().flat_map(|channel| world.channel(channel));
        texts.filter(|text| text.starts_with(begin)).count()
    };
    // A call ends before its time is over, whatever is left to tell.
    for _ in 0..3 {
        assert_eq!(lambda.ok(schedule.clone()), Value::Null);
    }
    assert!(said("CRITICAL · ") > 0);
    for digest in ["payments: ", "Security: "] {
        assert_eq!(said(digest), 1, "{digest}");
    }
}
