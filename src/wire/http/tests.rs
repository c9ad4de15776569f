#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json as j;

use super::*;
use crate::wire::scripted::{Reply, Scripted, json, lost, text};

const READ: &str = "GET /rest/api/3/issue/{id}";
const WRITE: &str = "POST /rest/api/3/issue/bulk";

fn clock() -> Clock {
    Clock::manual("2026-11-24T00:00:00Z".parse().unwrap())
}

fn config(base_url: &str) -> HttpConfig {
    HttpConfig {
        api: "jira",
        base_url: base_url.to_owned(),
        auth: Auth::Basic {
            user: "bot@example.com".to_owned(),
            token: SecretString::from("canary-token"),
        },
        renew: "Renew the token.".to_owned(),
    }
}

fn client(server: &Arc<Scripted>, budget: &Budget) -> Http {
    let counts = Counts::default();
    let config = config("https://jira.example/prefix/");
    Http::new(config, server.transport(), budget.clone(), counts).unwrap()
}

fn read() -> (Operation, Request) {
    let operation = Operation::read(READ, "read ticket 7", "Browse projects");
    (operation, Request::new(Method::GET, "/rest/api/3/issue/7"))
}

fn write() -> (Operation, Request) {
    let operation = Operation::write(WRITE, "create 1 tickets", "Create issues");
    let request = Request::new(Method::POST, "/rest/api/3/issue/bulk").json(j!({}));
    (operation, request)
}

/// Sends one request against answers; gives the outcome, the requests' arrival in seconds, and the budget.
async fn sent(
    (operation, request): (Operation, Request),
    replies: Vec<Reply>,
) -> (Result<Answer, WireError>, Vec<i64>, Budget) {
    let clock = clock();
    let start = clock.now();
    let line = format!("{} /prefix{}", request.method, request.path);
    let script = replies.into_iter().map(|reply| (line.as_str(), reply));
    let server = Scripted::new(&clock, script.collect());
    let budget = Budget::new(clock);
    let outcome = client(&server, &budget).send(&operation, request).await;
    let seen = server.finish();
    let arrivals = seen.iter().map(|seen| seen.at.duration_since(start));
    (outcome, arrivals.map(|at| at.as_secs()).collect(), budget)
}

fn ok() -> Reply {
    json(200, j!({}))
}

fn throttled(reason: &str, retry_after: &str) -> Reply {
    json(429, j!({"errorMessages": ["Rate limit exceeded."]}))
        .header("ratelimit-reason", reason)
        .header("retry-after", retry_after)
}

#[tokio::test]
async fn each_reason_of_a_429_closes_its_own_scope() {
    for (reason, closed) in [
        ("jira-quota-global-based", "jira"),
        ("jira-quota-tenant-based", "jira"),
        ("jira-burst-based", "jira POST /rest/api/3/issue/bulk"),
        ("jira-per-issue-on-write", "jira issue 7"),
        ("something-new", "jira POST /rest/api/3/issue/bulk"),
    ] {
        let clock = clock();
        let line = "POST /prefix/rest/api/3/issue/bulk";
        let server = Scripted::new(&clock, vec![(line, throttled(reason, "300"))]);
        let budget = Budget::new(clock);
        let (operation, request) = write();
        let operation = operation.on("issue 7".to_owned());
        let error = client(&server, &budget)
            .send(&operation, request)
            .await
            .unwrap_err();
        assert_eq!(
            error,
            WireError::Throttled {
                what: "create 1 tickets".to_owned(),
                reason: reason.to_owned(),
                retry_after: Duration::from_secs(300),
            }
        );
        let all = ["jira", "jira POST /rest/api/3/issue/bulk", "jira issue 7"];
        let shut: Vec<&str> = all
            .into_iter()
            .filter(|scope| !budget.closed_for(scope).is_zero())
            .collect();
        assert_eq!(shut, [closed], "{reason}");
    }
}

#[tokio::test]
async fn a_429_is_obeyed_to_the_second_in_every_format_even_for_writes() {
    let reset = |at: &str| {
        json(429, j!({}))
            .header("ratelimit-reason", "jira-quota-tenant-based")
            .header("x-ratelimit-reset", at)
    };
    for (reply, seconds) in [
        (throttled("jira-burst-based", "37"), 37),
        (
            throttled("jira-burst-based", "Tue, 24 Nov 2026 00:01:30 GMT"),
            90,
        ),
        (reset("2026-11-24T00:00:59Z"), 59),
        (reset("2026-11-24T00:01Z"), 60),
        (
            throttled("jira-burst-based", "5").header("beta-retry-after", "99"),
            5,
        ),
    ] {
        let (outcome, arrivals, _) = sent(write(), vec![reply, ok()]).await;
        assert_eq!(outcome.unwrap().status, 200);
        assert_eq!(arrivals, [0, seconds]);
    }
}

#[tokio::test]
async fn informational_beta_headers_alone_do_not_set_a_wait() {
    let reply = json(429, j!({})).header("beta-retry-after", "99");
    let (outcome, arrivals, _) = sent(read(), vec![reply, ok()]).await;
    assert_eq!(outcome.unwrap().status, 200);
    assert!((1..=2).contains(&arrivals[1]), "{arrivals:?}");
}

#[tokio::test]
async fn waits_of_more_than_two_minutes_in_total_are_left_to_the_next_run() {
    let replies = vec![
        throttled("jira-burst-based", "100"),
        throttled("jira-burst-based", "21"),
    ];
    let (outcome, arrivals, _) = sent(read(), replies).await;
    assert!(matches!(outcome, Err(WireError::Throttled { .. })));
    assert_eq!(arrivals, [0, 100]);
}

#[tokio::test]
async fn no_request_is_sent_inside_a_window_that_another_request_closed() {
    let clock = clock();
    let server = Scripted::new(&clock, vec![]);
    let budget = Budget::new(clock);
    budget.close("jira", Duration::from_secs(1_000));
    let (operation, request) = read();
    let outcome = client(&server, &budget).send(&operation, request).await;
    assert!(matches!(
        outcome,
        Err(WireError::Throttled { retry_after, .. }) if retry_after.as_secs() == 1_000
    ));
    assert!(server.finish().is_empty());
}

#[tokio::test]
async fn a_short_window_is_waited_out_before_the_first_try() {
    let clock = clock();
    let line = "GET /prefix/rest/api/3/issue/7";
    let server = Scripted::new(&clock, vec![(line, ok())]);
    let budget = Budget::new(clock.clone());
    budget.close("jira GET /rest/api/3/issue/{id}", Duration::from_secs(40));
    let start = clock.now();
    let (operation, request) = read();
    client(&server, &budget)
        .send(&operation, request)
        .await
        .unwrap();
    assert_eq!(server.finish()[0].at.duration_since(start).as_secs(), 40);
}

#[tokio::test]
async fn reads_survive_failures_and_lost_answers_with_growing_waits() {
    let cut = || lost(Lost::AfterSending("connection reset".to_owned()));
    let (outcome, arrivals, _) =
        sent(read(), vec![text(500, ""), cut(), text(502, ""), ok()]).await;
    assert_eq!(outcome.unwrap().status, 200);
    let waits: Vec<i64> = arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait, least) in waits.iter().zip([1, 2, 4]) {
        assert!((least..=2 * least + 1).contains(wait), "{waits:?}");
    }
    let (outcome, arrivals, _) = sent(read(), vec![cut(), cut(), cut(), cut()]).await;
    assert!(matches!(outcome, Err(WireError::Unknown { .. })));
    assert_eq!(arrivals.len(), 4);
}

#[tokio::test]
async fn an_unsafe_write_that_may_have_been_applied_is_never_sent_twice() {
    for reply in [
        lost(Lost::AfterSending("timed out".to_owned())),
        text(500, "oops"),
        text(503, "busy").header("retry-after", "1"),
    ] {
        let (outcome, arrivals, _) = sent(write(), vec![reply]).await;
        let error = outcome.unwrap_err();
        assert!(error.is_ambiguous(), "{error}");
        assert_eq!(arrivals.len(), 1);
    }
}

#[tokio::test]
async fn an_unsafe_write_that_never_left_is_sent_again() {
    let refused = || lost(Lost::BeforeSending("connection refused".to_owned()));
    let (outcome, arrivals, _) = sent(write(), vec![refused(), ok()]).await;
    assert_eq!(outcome.unwrap().status, 200);
    assert_eq!(arrivals.len(), 2);
    let (outcome, _, _) = sent(write(), vec![refused(), refused(), refused(), refused()]).await;
    let error = outcome.unwrap_err().to_string();
    assert!(
        error.contains("cannot reach jira.example (connection refused)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_503_with_retry_after_closes_its_endpoint_and_a_read_waits() {
    let busy = text(503, "maintenance").header("retry-after", "20");
    let (outcome, arrivals, _) = sent(read(), vec![busy, ok()]).await;
    assert_eq!(outcome.unwrap().status, 200);
    assert_eq!(arrivals, [0, 20]);
    let busy = text(503, "maintenance").header("retry-after", "200");
    let (outcome, _, budget) = sent(read(), vec![busy]).await;
    assert!(matches!(outcome, Err(WireError::Throttled { .. })));
    assert_eq!(
        budget
            .closed_for("jira GET /rest/api/3/issue/{id}")
            .as_secs(),
        200
    );
    assert!(budget.closed_for("jira").is_zero());
}

#[tokio::test]
async fn refusals_say_what_was_done_and_what_to_try() {
    let cases = [
        (
            json(
                401,
                j!({"code": 401, "message": "Unauthorized; scope does not match"}),
            ),
            "read ticket 7: 401 Unauthorized; scope does not match. The token lacks a scope. It needs: Browse projects",
        ),
        (
            json(403, j!({"errorMessages": ["Forbidden"], "errors": {}})),
            "read ticket 7: 403 Forbidden. It needs the permission: Browse projects",
        ),
        (
            json(
                404,
                j!({"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}),
            ),
            "read ticket 7: not found (Issue does not exist or you do not have permission to see it.)",
        ),
        (
            json(
                400,
                j!({"errorMessages": ["Bad."], "errors": {"summary": "Too long.", "labels": "Has spaces."}}),
            ),
            "read ticket 7: refused with 400 (Bad.; labels: Has spaces.; summary: Too long.)",
        ),
        (
            json(
                400,
                j!({"errorMessages": [], "errors": {}, "warningMessages": ["The value 'PLAT' does not exist for the field 'project'."]}),
            ),
            "read ticket 7: refused with 400 (The value 'PLAT' does not exist for the field 'project'.)",
        ),
        (
            json(
                400,
                j!({"errors": [{"message": "Some of the issues in the issueIdsOrKeys are not valid"}]}),
            ),
            "read ticket 7: refused with 400 (Some of the issues in the issueIdsOrKeys are not valid)",
        ),
        (
            json(
                404,
                j!({"type": "about:blank", "title": "Not Found", "detail": "No endpoint GET /x."}),
            ),
            "read ticket 7: not found (No endpoint GET /x.)",
        ),
        (
            text(302, "").header("location", "http://169.254.169.254/"),
            "read ticket 7: refused with 302 (a redirect away from jira.example, which is not followed: check the base URL)",
        ),
    ];
    for (reply, sentence) in cases {
        let (outcome, arrivals, _) = sent(read(), vec![reply]).await;
        assert_eq!(outcome.unwrap_err().to_string(), sentence);
        assert_eq!(arrivals.len(), 1);
    }
}

#[tokio::test]
async fn an_html_error_page_becomes_one_short_line() {
    let page = format!(
        "<!DOCTYPE html><html><head><style>b {{x}}</style><SCRIPT>alert('<b>')</SCRIPT></head>\n<body><h1>Unauthorized</h1>\u{1b}[31m<p>{}</p></body>",
        "word ".repeat(200)
    );
    let (outcome, _, _) = sent(read(), vec![text(403, &page)]).await;
    let Err(WireError::Denied { message, .. }) = outcome else {
        panic!("expected Denied");
    };
    assert!(
        message.starts_with("Unauthorized [31m word word"),
        "{message}"
    );
    assert_eq!(message.chars().count(), 201, "200 and the ellipsis");
    assert!(message.ends_with('…'));
}

#[tokio::test]
async fn an_answer_above_16_mib_is_refused() {
    let huge = "x".repeat(LARGEST_BODY + 1);
    let (outcome, _, _) = sent(read(), vec![text(200, &huge)]).await;
    assert!(matches!(outcome, Err(WireError::Decode { .. })));
}

#[tokio::test]
async fn requests_are_authenticated_encoded_and_counted_by_try() {
    let clock = clock();
    let line = "GET /prefix/rest/api/3/issue/7?fields=status%2Clabels&q=a%20b%26c%3D%C3%A4";
    let server = Scripted::new(&clock, vec![(line, text(500, "")), (line, ok())]);
    let counts = Counts::default();
    let config = config("https://jira.example/prefix/");
    let budget = Budget::new(clock);
    let http = Http::new(config, server.transport(), budget, counts.clone()).unwrap();
    let (operation, request) = read();
    let request = request.with("fields", "status,labels").with("q", "a b&c=ä");
    http.send(&operation, request).await.unwrap();
    let seen = server.finish();
    // base64("bot@example.com:canary-token")
    let basic = "Basic Ym90QGV4YW1wbGUuY29tOmNhbmFyeS10b2tlbg==";
    assert_eq!(seen[0].authorization.as_deref(), Some(basic));
    assert_eq!(counts.snapshot()[READ], 2);
    let header = http.authorization.unwrap();
    assert!(!format!("{header:?}").contains("Ym90"));
}

#[test]
fn base_urls_that_would_leak_the_token_are_refused() {
    let network = Transport::network(Duration::from_secs(1)).unwrap();
    for (url, usable) in [
        ("https://example.atlassian.net", true),
        (
            "https://api.atlassian.com/ex/jira/1324a887-45db-1bf4-1e99-ef0ff456d421/",
            true,
        ),
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:8080", true),
        ("http://example.atlassian.net", false),
        ("https://user:secret@example.atlassian.net", false),
        ("https://example.atlassian.net?x=1", false),
        ("example.atlassian.net", false),
        ("file:///etc/passwd", false),
    ] {
        let http = Http::new(
            config(url),
            network.clone(),
            Budget::new(clock()),
            Counts::default(),
        );
        assert_eq!(http.is_ok(), usable, "{url}");
    }
}

#[test]
fn a_decoding_error_names_the_member() {
    #[derive(serde::Deserialize, Debug)]
    struct Page {
        #[serde(rename = "issues")]
        _issues: Vec<Item>,
    }
    #[derive(serde::Deserialize, Debug)]
    struct Item {
        #[serde(rename = "id")]
        _id: u64,
    }
    let answer = Answer {
        status: 200,
        headers: HeaderMap::new(),
        body: Bytes::from(r#"{"issues":[{"id":1},{"id":"x"}]}"#),
    };
    let error = answer.decode::<Page>(&read().0).unwrap_err();
    assert!(matches!(error, WireError::Decode { path, .. } if path == "issues[1].id"));
}
