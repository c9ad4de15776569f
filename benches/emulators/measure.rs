//! What one more request costs in a world that holds so much: time of this thread for each thing, and memory.

use asaf::clock::Clock;
use asaf::emulators::jira::Role;
use asaf::emulators::world::{ENGINE_KEY, Side, World, seed};
use asaf::emulators::{Request, Response};
use base64::Engine as _;
use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// How many things each figure is the mean of.
const SAMPLE: usize = 500;
/// Each figure is the least of so many rounds: other processes only ever make it larger.
const ROUNDS: usize = 3;

/// Milliseconds for each thing.
pub(crate) struct Costs {
    pub(crate) tickets: usize,
    pub(crate) findings: usize,
    pub(crate) rows: Vec<(&'static str, f64)>,
    /// What the world holds, in memory of this process.
    pub(crate) resident_mb: f64,
}

/// Makes a world of so many tickets and twice as many findings, and measures.
pub(crate) fn measure(tickets: usize) -> Costs {
    let before_mb = resident_mb();
    let findings = tickets * 2;
    let mut desk = Desk::new(findings);
    let mut made = 0;
    while made < tickets {
        let count = 50.min(tickets - made);
        desk.create(count, made);
        made += count;
    }
    let resident_mb = resident_mb() - before_mb;
    let mut rows: Vec<(&'static str, f64)> = Vec::new();
    for round in 0..ROUNDS {
        let costs = desk.round(tickets + round * SAMPLE);
        for (n, (name, cost)) in costs.into_iter().enumerate() {
            match rows.get_mut(n) {
                Some(row) => row.1 = row.1.min(cost),
                None => rows.push((name, cost)),
            }
        }
    }
    Costs {
        tickets,
        findings,
        rows,
        resident_mb,
    }
}

struct Desk {
    world: World,
    basic: String,
    keys: Vec<Value>,
}

impl Desk {
    fn new(findings: usize) -> Self {
        let clock = Clock::manual("2026-11-24T08:00:00Z".parse().unwrap());
        let mut world = World::new(clock, "http://127.0.0.1:1");
        seed::fill(&mut world, 400, findings, 7);
        let bot = world.jira.user(Role::Bot).unwrap();
        let pair = format!("{}:{}", bot.email, bot.token);
        let keys = world.aws.hub.keys(None);
        let keys = keys
            .map(|key| json!({ "ProductArn": key.0, "Id": key.1 }))
            .collect();
        Desk {
            basic: base64::engine::general_purpose::STANDARD.encode(pair),
            keys,
            world,
        }
    }

    fn round(&mut self, made: usize) -> Vec<(&'static str, f64)> {
        // A fixed stride visits the whole world, not only its newest part.
        let stride = |n: usize, of: usize| (n * 7_919) % of;
        let key = |n: usize| format!("SEC-{}", 1 + stride(n, made));
        let mut rows = Vec::new();
        // What is older than an hour is not what changed lately.
        self.world.clock.advance(SignedDuration::from_hours(2));
        rows.push((
            "create a ticket",
            timed(SAMPLE, || {
                (0..SAMPLE / 50).for_each(|n| self.create(50, made + n * 50));
            }),
        ));
        rows.push((
            "find a ticket by label",
            timed(SAMPLE, || {
                (0..SAMPLE).for_each(|n| {
                    self.search(&format!("labels = asaf-{:032}", stride(n, made)), 1)
                });
            }),
        ));
        rows.push((
            "find tickets by update",
            timed(SAMPLE, || {
                (0..SAMPLE / 100)
                    .for_each(|_| self.search("project = SEC AND updated >= -1h", 100));
            }),
        ));
        rows.push((
            "list a ticket",
            timed(made + SAMPLE, || self.list_tickets(made + SAMPLE)),
        ));
        rows.push((
            "fetch a ticket in bulk",
            timed(SAMPLE, || {
                (0..SAMPLE / 100)
                    .for_each(|n| self.fetch((0..100).map(|m| key(n * 100 + m)).collect()));
            }),
        ));
        rows.push((
            "edit a ticket",
            timed(SAMPLE, || {
                (0..SAMPLE).for_each(|n| self.edit(&key(n)));
            }),
        ));
        rows.push((
            "move a ticket",
            timed(SAMPLE, || {
                (0..SAMPLE).for_each(|n| self.transition(&key(n)));
            }),
        ));
        rows.push(("list a finding", timed(self.keys.len(), || self.list())));
        rows.push((
            "read a finding by id",
            timed(SAMPLE, || {
                (0..SAMPLE / 20).for_each(|n| self.read(n * 20));
            }),
        ));
        rows.push((
            "update a finding",
            timed(SAMPLE, || {
                (0..SAMPLE / 100).for_each(|n| self.update(n * 100));
            }),
        ));
        rows
    }

    fn create(&mut self, count: usize, from: usize) {
        let one = |n: usize| {
            json!({ "fields": { "project": { "key": "SEC" }, "issuetype": { "name": "Task" },
                "summary": format!("[HIGH] S3.8: a bucket is public · {n}"),
                "labels": ["asaf", format!("asaf-{n:032}")],
                "description": { "type": "doc", "version": 1, "content": [{ "type": "paragraph",
                    "content": [{ "type": "text", "text": "What is wrong, where, and how to fix it. ".repeat(20) }] }] } },
                "properties": [{ "key": "asaf.link", "value": { "findings": [{ "id": n }] } }] })
        };
        let body: Vec<Value> = (from..from + count).map(one).collect();
        let answer = self.jira("POST", "issue/bulk", &json!({ "issueUpdates": body }));
        let made = body_of(&answer)["issues"].as_array().unwrap().len();
        assert_eq!(made, count);
    }

    fn search(&mut self, jql: &str, wanted: usize) {
        let body = json!({ "jql": jql, "maxResults": wanted, "fields": ["summary", "status"] });
        let answer = body_of(&self.jira("POST", "search/jql", &body));
        assert_eq!(answer["issues"].as_array().unwrap().len(), wanted, "{jql}");
    }

    /// Every page of a search that finds everything.
    fn list_tickets(&mut self, wanted: usize) {
        let (mut token, mut rows) = (Value::Null, 0);
        loop {
            let mut body = json!({ "jql": "project = SEC ORDER BY key", "maxResults": 5000, "fields": ["id"] });
            if !token.is_null() {
                body["nextPageToken"] = token;
            }
            let page = body_of(&self.jira("POST", "search/jql", &body));
            rows += page["issues"].as_array().unwrap().len();
            token = page["nextPageToken"].clone();
            if token.is_null() {
                break assert_eq!(rows, wanted);
            }
        }
    }

    fn fetch(&mut self, keys: Vec<String>) {
        let body = json!({ "issueIdsOrKeys": keys, "fields": ["summary", "status", "labels"] });
        let answer = body_of(&self.jira("POST", "issue/bulkfetch", &body));
        assert!(answer["issues"].as_array().unwrap().len() > 50);
    }

    fn edit(&mut self, key: &str) {
        let body =
            json!({ "fields": { "summary": format!("again {}", self.world.requests.jira.len()) } });
        let answer = self.jira("PUT", &format!("issue/{key}"), &body);
        assert_eq!(answer.status(), 204);
    }

    /// There and back again: the transition that is open.
    fn transition(&mut self, key: &str) {
        let is_open = self
            .world
            .jira
            .issue(key)
            .is_some_and(|issue| self.world.jira.status_name(issue.status) == "Open");
        let id = if is_open { "21" } else { "41" };
        let body = json!({ "transition": { "id": id } });
        let answer = self.jira("POST", &format!("issue/{key}/transitions"), &body);
        assert_eq!(answer.status(), 204, "{:?}", answer.body());
    }

    fn list(&mut self) {
        let (mut token, mut rows) = (Value::Null, 0);
        loop {
            let mut body = json!({ "MaxResults": 100 });
            if !token.is_null() {
                body["NextToken"] = token;
            }
            let page = self.hub("POST", "/findings", &body);
            rows += page["Findings"].as_array().unwrap().len();
            token = page["NextToken"].clone();
            if token.is_null() {
                break assert_eq!(rows, self.keys.len());
            }
        }
    }

    fn some_keys(&self, from: usize, count: usize) -> Vec<Value> {
        let all = self.keys.len();
        (from..from + count)
            .map(|n| self.keys[(n * 7_919) % all].clone())
            .collect()
    }

    fn read(&mut self, from: usize) {
        let ids: Vec<Value> = self
            .some_keys(from, 20)
            .iter()
            .map(|key| json!({ "Value": key["Id"], "Comparison": "EQUALS" }))
            .collect();
        let page = self.hub("POST", "/findings", &json!({ "Filters": { "Id": ids } }));
        assert_eq!(page["Findings"].as_array().unwrap().len(), 20);
    }

    fn update(&mut self, from: usize) {
        let keys = self.some_keys(from, 100);
        let body = json!({ "FindingIdentifiers": keys, "Workflow": { "Status": "NOTIFIED" },
            "Note": { "Text": "Tracked in Jira.", "UpdatedBy": "asaf" } });
        let answer = self.hub("PATCH", "/findings/batchupdate", &body);
        assert_eq!(answer["ProcessedFindings"].as_array().unwrap().len(), 100);
    }

    fn jira(&mut self, method: &str, path: &str, body: &Value) -> Response {
        let request: Request = http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:1/rest/api/3/{path}"))
            .header("authorization", format!("Basic {}", self.basic))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        self.world.answer(Side::Jira, &request).unwrap()
    }

    fn hub(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let region = seed::REGION;
        let scope = format!("{ENGINE_KEY}/20261124/{region}/securityhub/aws4_request");
        let signed =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let request: Request = http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:1{path}"))
            .header("authorization", signed)
            .body(Bytes::from(body.to_string()))
            .unwrap();
        body_of(&self.world.answer(Side::Aws, &request).unwrap())
    }
}

fn body_of(answer: &Response) -> Value {
    assert!(answer.status().is_success(), "{:?}", answer.body());
    serde_json::from_slice(answer.body()).unwrap()
}

/// Milliseconds of this thread for each of so many things.
fn timed(things: usize, work: impl FnOnce()) -> f64 {
    let before = thread_ms();
    work();
    #[allow(clippy::cast_precision_loss)]
    let each = (thread_ms() - before) / things as f64;
    each
}

/// Time that this thread has run, as Linux counts it; elsewhere the clock on the wall.
fn thread_ms() -> f64 {
    static BEGAN: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran_ns = counted.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    ran_ns.map_or_else(|| BEGAN.elapsed().as_secs_f64() * 1e3, |ns| ns / 1e6)
}

/// Resident memory of this process, as Linux counts it; elsewhere 0.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kb = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kb.unwrap_or(0.0) / 1024.0
}
