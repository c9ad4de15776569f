//! The control port in process: every verb has its effect, every mistake names its field.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{OPERATIONS, answer, verbs};
use crate::clock::Clock;
use crate::emulators::jira::Role;
use crate::emulators::world::{Side, World, seed};
use crate::emulators::{Request, Response};

/// A world with findings and two tickets, `PAY-1` and `PAY-2`.
struct Desk {
    world: World,
}

impl Desk {
    fn new() -> Self {
        let clock = Clock::manual("2026-11-24T08:00:00Z".parse().unwrap());
        let mut world = World::new(clock, "http://127.0.0.1:1");
        seed::fill(&mut world, 4, 30, 7);
        let mut desk = Desk { world };
        for summary in ["one", "two"] {
            desk.create(summary);
        }
        desk
    }

    /// A ticket of the bot's, as any Jira client makes it.
    fn create(&mut self, summary: &str) {
        let request = self.creation(summary);
        let response = self.world.answer(Side::Jira, &request).unwrap();
        assert_eq!(response.status(), 201);
    }

    fn creation(&self, summary: &str) -> Request {
        let bot = self.world.jira.user(Role::Bot).unwrap();
        let pair = format!("{}:{}", bot.email, bot.token);
        let basic = {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(pair)
        };
        let fields = json!({ "project": { "key": "PAY" }, "issuetype": { "name": "Task" },
            "summary": summary, "labels": ["first"] });
        http::Request::post("http://127.0.0.1:1/rest/api/3/issue")
            .header("authorization", format!("Basic {basic}"))
            .body(Bytes::from(json!({ "fields": fields }).to_string()))
            .unwrap()
    }

    fn call(&mut self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let response = self.send(method, path, body, &[]);
        let body = serde_json::from_slice(response.body()).unwrap();
        (response.status().as_u16(), body)
    }

    fn send(&mut self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request: Request = request.body(Bytes::from(body.to_owned())).unwrap();
        answer(&mut self.world, &request)
    }

    fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Makes something happen and gives the journal's new entries.
    fn make(&mut self, verb: &Value) -> Vec<Value> {
        let (status, body) = self.call("POST", "/world", &verb.to_string());
        assert_eq!(status, 200, "{verb}: {body}");
        body["entries"].as_array().unwrap().clone()
    }

    fn refused(&mut self, verb: &Value) -> (u16, String) {
        let (status, body) = self.call("POST", "/world", &verb.to_string());
        let sentence = body["error"].as_str().unwrap();
        assert!(sentence.ends_with('.'), "{sentence}");
        let field = body["field"].as_str().unwrap_or_default();
        (status, field.to_owned())
    }

    fn failing(&mut self) -> Value {
        let rows = self.get("/state/findings?workflow=NEW");
        let rows = rows["rows"].as_array().unwrap();
        let is_control = |row: &&Value| row["compliance"] == "FAILED";
        rows.iter().find(is_control).unwrap().clone()
    }
}

fn changes(entries: &[Value]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| entry["change"].as_str().unwrap())
        .collect()
}

/// Each verb once, in an order in which it has an effect, with the changes that the journal must get.
fn day(finding: &str, resource: &str) -> Vec<(Value, Vec<&'static str>)> {
    let f = |verb: &str| json!({ "do": verb, "finding": finding });
    let t = |verb: &str, who: &str| json!({ "do": verb, "ticket": "PAY-1", "who": who });
    let with = |mut verb: Value, more: Value| {
        let more = more.as_object().unwrap().clone();
        verb.as_object_mut().unwrap().extend(more);
        verb
    };
    let set = |verb: &str, status: &str| {
        let note = json!({ "status": status, "note": "why" });
        (with(f(verb), note), vec!["workflow_set"])
    };
    let appears = json!({ "do": "finding_appears", "control": "EC2.8", "severity": "CRITICAL" });
    let relabels = json!({ "add": ["second"], "remove": ["first"] });
    let edits = json!({ "fields": { "summary": "three" } });
    vec![
        (appears, vec!["finding_appeared"]),
        (f("finding_is_touched"), vec![]),
        set("analyst_sets_workflow", "NOTIFIED"),
        (
            f("finding_passes"),
            vec!["finding_evaluated", "workflow_set"],
        ),
        (
            f("finding_fails"),
            vec!["finding_evaluated", "workflow_set"],
        ),
        (f("finding_warns"), vec!["finding_evaluated"]),
        (f("finding_becomes_unavailable"), vec!["finding_evaluated"]),
        set("rule_sets_workflow", "SUPPRESSED"),
        (
            with(
                f("finding_is_archived"),
                json!({ "reason": "RESOURCE_DELETED" }),
            ),
            vec!["finding_evaluated"],
        ),
        (f("finding_is_reactivated"), vec!["finding_evaluated"]),
        (
            with(f("analyst_sends_to_action"), json!({ "action": "Ticket" })),
            vec![],
        ),
        (
            f("rule_breaks"),
            vec!["finding_evaluated", "finding_appeared"],
        ),
        (f("rule_mends"), vec!["finding_appeared"]),
        (
            json!({ "do": "source_fails", "account": "200000000001", "region": "eu-west-1" }),
            vec![],
        ),
        (
            json!({ "do": "source_recovers", "account": "200000000001", "region": "eu-west-1" }),
            vec![],
        ),
        (json!({ "do": "aggregator_loses_data" }), vec![]),
        (json!({ "do": "aggregator_recovers" }), vec![]),
        (
            json!({ "do": "resource_is_deleted", "resource": resource }),
            vec!["resource_deleted"],
        ),
        (f("finding_is_removed"), vec!["finding_removed"]),
        (
            json!({ "do": "member_leaves", "account": "200000000001" }),
            vec![],
        ),
        (
            json!({ "do": "member_joins", "account": "200000000001" }),
            vec![],
        ),
        (t("person_resolves", "product"), vec!["ticket_moved"]),
        (t("person_closes", "reviewer"), vec!["ticket_moved"]),
        (t("person_reopens", "reviewer"), vec!["ticket_moved"]),
        (
            with(t("person_moves", "product"), json!({ "to": "In Progress" })),
            vec!["ticket_moved"],
        ),
        (
            with(
                t("person_forces_status", "product"),
                json!({ "to": "Closed" }),
            ),
            vec!["ticket_moved"],
        ),
        (
            with(t("person_comments", "product"), json!({ "text": "done" })),
            vec!["ticket_commented"],
        ),
        (
            with(t("person_edits", "reviewer"), edits),
            vec!["ticket_edited"],
        ),
        (
            with(t("person_relabels", "reviewer"), relabels),
            vec!["ticket_edited"],
        ),
        (
            with(
                t("person_moves_project", "admin"),
                json!({ "project": "WEB" }),
            ),
            vec!["ticket_edited"],
        ),
        (
            json!({ "do": "person_deletes", "ticket": "PAY-2", "who": "admin" }),
            vec!["ticket_deleted"],
        ),
        (
            json!({ "do": "project_is_hidden", "project": "WEB" }),
            vec![],
        ),
        (
            json!({ "do": "project_is_shown", "project": "WEB" }),
            vec![],
        ),
        (
            json!({ "do": "project_is_archived", "project": "WEB" }),
            vec![],
        ),
        (
            json!({ "do": "project_is_restored", "project": "WEB" }),
            vec![],
        ),
        (json!({ "do": "user_is_deactivated", "who": "bot" }), vec![]),
        (json!({ "do": "user_is_activated", "who": "bot" }), vec![]),
        (
            json!({ "do": "token_is_replaced", "who": "bot", "token": "t" }),
            vec![],
        ),
        (
            json!({ "do": "permission_is_revoked", "who": "bot", "permission": "EDIT_ISSUES" }),
            vec![],
        ),
        (
            json!({ "do": "permission_is_restored", "who": "bot", "permission": "EDIT_ISSUES" }),
            vec![],
        ),
        // No ticket of this world is the engine's, so nobody acts on one.
        (json!({ "do": "first_day" }), vec![]),
        (json!({ "do": "second_day" }), vec![]),
        (json!({ "do": "queue_is_emptied" }), vec![]),
    ]
}

#[test]
fn every_verb_happens_and_the_journal_says_so() {
    let mut desk = Desk::new();
    let row = desk.failing();
    let (finding, resource) = (
        row["id"].as_str().unwrap(),
        row["resource"].as_str().unwrap(),
    );
    let mut used = BTreeSet::new();
    for (verb, wanted) in day(finding, resource) {
        used.insert(verb["do"].as_str().unwrap().to_owned());
        let entries = desk.make(&verb);
        assert_eq!(changes(&entries), wanted, "{verb}");
    }
    let all: BTreeSet<String> = verbs::names().into_iter().collect();
    assert_eq!(used, all);
}

#[test]
fn what_happened_shows_in_the_state() {
    let mut desk = Desk::new();
    desk.make(&json!([
        { "do": "person_resolves", "ticket": "PAY-1", "who": "product" },
        { "do": "person_comments", "ticket": "PAY-1", "who": "product", "text": "fixed <b>it</b>" },
        { "do": "person_relabels", "ticket": "PAY-1", "who": "reviewer", "add": ["b"], "remove": ["first"] },
    ]));
    let ticket = desk.get("/state/tickets/PAY-1");
    assert_eq!(ticket["status"], "Resolved");
    assert_eq!(ticket["labels"], json!(["b"]));
    assert_eq!(ticket["talk"][0]["text"], "fixed <b>it</b>");
    assert_eq!(ticket["talk"][0]["author"], "Pat Product");
    assert_eq!(desk.get("/state/tickets?status=resolved")["total"], 1);
    let entries = desk.make(&json!({ "do": "finding_appears", "title": "A", "severity": "LOW" }));
    let id = entries[0]["id"].as_str().unwrap();
    let shown = desk.get(&format!("/state/findings?id={id}"));
    assert_eq!(shown["rows"][0]["Title"], "A");
    assert_eq!(shown["rows"][0]["Severity"]["Label"], "LOW");
    let resource = shown["rows"][0]["Resources"][0]["Id"].as_str().unwrap();
    assert_eq!(
        changes(&desk.make(&json!({ "do": "resource_is_deleted", "resource": resource }))),
        ["resource_deleted"]
    );
}

#[test]
fn a_finding_may_appear_for_a_resource_that_another_one_had() {
    let mut desk = Desk::new();
    let row = desk.failing();
    let old = row["resource"].clone();
    let entries = desk.make(&json!({ "do": "finding_appears", "resource": old }));
    assert_eq!(entries[0]["resources"][0], old);
    assert_ne!(entries[0]["id"], row["id"]);
}

#[test]
fn a_whole_asff_document_may_appear() {
    let mut desk = Desk::new();
    let row = desk.failing();
    let path = format!("/state/findings?id={}", row["id"].as_str().unwrap());
    let mut asff = desk.get(&path)["rows"][0].clone();
    asff["Id"] = json!("mine");
    let entries = desk.make(&json!({ "do": "finding_appears", "asff": asff }));
    assert_eq!(entries[0]["id"], "mine");
    asff["Title"].take();
    let verb = json!({ "do": "finding_appears", "asff": asff });
    assert_eq!(desk.refused(&verb), (400, "asff.Title".to_owned()));
}

#[test]
fn every_mistake_names_its_field_and_changes_nothing() {
    let mut desk = Desk::new();
    let before = desk.world.journal.entries.len();
    for (verb, status, field) in [
        (
            json!({ "do": "finding_passes", "finding": "x" }),
            404,
            "finding",
        ),
        (
            json!({ "do": "finding_appears", "account": "12" }),
            400,
            "account",
        ),
        (
            json!({ "do": "finding_appears", "control": "S3.0" }),
            404,
            "control",
        ),
        (
            json!({ "do": "resource_is_deleted", "resource": "arn" }),
            404,
            "resource",
        ),
        (
            json!({ "do": "person_resolves", "ticket": "PAY-9", "who": "product" }),
            404,
            "ticket",
        ),
        (
            json!({ "do": "person_resolves", "ticket": "PAY-1", "who": "nobody" }),
            404,
            "who",
        ),
        (
            json!({ "do": "person_closes", "ticket": "PAY-1", "who": "product" }),
            409,
            "",
        ),
        (
            json!({ "do": "person_moves", "ticket": "PAY-1", "who": "product", "to": "Done" }),
            404,
            "to",
        ),
        (
            json!({ "do": "person_moves_project", "ticket": "PAY-1", "who": "admin", "project": "X" }),
            404,
            "project",
        ),
        (
            json!({ "do": "person_deletes", "ticket": "PAY-1", "who": "product" }),
            409,
            "",
        ),
        (json!([{ "do": "person_naps" }]), 400, "[0].do"),
        (
            json!([{ "do": "user_is_activated", "who": "bot" }, { "do": "finding_passes", "finding": "x" }]),
            404,
            "[1].finding",
        ),
    ] {
        let refused = desk.refused(&verb);
        assert_eq!(refused, (status, field.to_owned()), "{verb}");
    }
    assert_eq!(desk.world.journal.entries.len(), before);
}

#[test]
fn the_journal_is_read_from_where_the_reader_stopped() {
    let mut desk = Desk::new();
    let all = desk.get("/journal?limit=1000");
    let total = all["entries"].as_array().unwrap().len();
    assert!(total > 30 && all["more"] == false);
    let first = desk.get("/journal?limit=10");
    assert_eq!(first["more"], true);
    let last = first["entries"][9]["seq"].as_u64().unwrap();
    let rest = desk.get(&format!("/journal?after={last}&limit=1000"));
    assert_eq!(rest["entries"].as_array().unwrap().len(), total - 10);
    let end = desk.get(&format!("/journal?after={}", total - 1));
    assert_eq!(end["entries"], json!([]));
    let (status, body) = desk.call("GET", "/journal?after=x", "");
    assert_eq!((status, &body["field"]), (400, &json!("after")));
}

#[test]
fn lists_come_in_pages() {
    let mut desk = Desk::new();
    let (mut start, mut seen) = (0, BTreeSet::new());
    loop {
        let page = desk.get(&format!("/state/findings?start={start}&limit=7"));
        for row in page["rows"].as_array().unwrap() {
            assert!(seen.insert(row["id"].to_string()), "{row} comes twice");
        }
        match page["next"].as_u64() {
            Some(next) => start = next,
            None => break assert_eq!(page["total"], 30),
        }
    }
    assert_eq!(seen.len(), 30);
    let (status, body) = desk.call("GET", "/state/findings?limit=0", "");
    assert_eq!((status, &body["field"]), (400, &json!("limit")));
}

#[test]
fn time_passes_and_controls_check_again() {
    let mut desk = Desk::new();
    let before = desk.failing()["updated"].clone();
    let (status, body) = desk.call("POST", "/advance", r#"{ "by": "26h" }"#);
    assert_eq!((status, &body["at"]), (200, &json!("2026-11-25T10:00:00Z")));
    let after = desk.failing()["updated"].clone();
    assert_eq!(after, "2026-11-25T10:00:00Z");
    assert_ne!(before, after);
    for wrong in [r#"{ "by": "long" }"#, r#"{ "for": "26h" }"#, "26h", "{}"] {
        assert_eq!(desk.call("POST", "/advance", wrong).0, 400, "{wrong}");
    }
}

#[test]
fn an_unknown_path_is_answered_with_the_known_ones() {
    let mut desk = Desk::new();
    let (status, body) = desk.call("GET", "/nothing", "");
    assert_eq!(status, 404);
    assert_eq!(body["allowed"].as_array().unwrap().len(), OPERATIONS.len());
    assert_eq!(desk.call("DELETE", "/journal", "").0, 405);
    for (method, path) in OPERATIONS {
        let path = path.replace("{key}", "PAY-1");
        let (status, body) = desk.call(method, &path, "{}");
        assert!(
            status == 200 || (status == 400 && method == "POST"),
            "{method} {path}: {status} {body}"
        );
    }
}

#[test]
fn a_page_of_another_site_drives_nothing() {
    let mut desk = Desk::new();
    let verb = json!({ "do": "person_resolves", "ticket": "PAY-1", "who": "product" }).to_string();
    let host = ("host", "127.0.0.1:5000");
    let evil = ("origin", "https://evil.example");
    let response = desk.send("POST", "/world", &verb, &[host, evil]);
    assert_eq!(response.status(), 403);
    let rebound = ("host", "evil.example");
    for origin in ["http://evil.example", "null"] {
        let response = desk.send("POST", "/world", &verb, &[rebound, ("origin", origin)]);
        assert_eq!(response.status(), 403);
    }
    assert_eq!(desk.send("GET", "/state", "", &[rebound]).status(), 403);
    assert_eq!(desk.get("/state/tickets/PAY-1")["status"], "Open");
    let own = ("origin", "http://127.0.0.1:5000");
    let response = desk.send("POST", "/world", &verb, &[host, own]);
    assert_eq!(response.status(), 200);
}

#[test]
fn a_fault_is_armed_listed_struck_and_taken_back() {
    let mut desk = Desk::new();
    let armed = json!([
        { "system": "jira", "operation": "POST /rest/api/3/issue$", "kind": { "server_error": 502 } },
        { "system": "aws", "operation": "GetFindings", "kind": "throttled", "when": { "next": 2 } },
        { "system": "aws", "operation": "event Security Hub", "kind": "lose_event",
          "when": { "chance": { "permille": 250, "seed": 7 } } },
        { "system": "jira", "operation": "webhook ", "kind": { "webhook_delayed": { "seconds": 5 } } },
    ]);
    let (status, body) = desk.call("POST", "/faults", &armed.to_string());
    assert_eq!(status, 200, "{body}");
    assert_eq!(desk.get("/faults"), body);
    assert_eq!(body["aws"].as_array().unwrap().len(), 2);
    assert_eq!(body["aws"][0]["when"], json!({ "next": 2 }));
    let request = desk.creation("three");
    let response = desk.world.answer(Side::Jira, &request).unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(desk.get("/faults")["jira"].as_array().unwrap().len(), 1);
    let (_, body) = desk.call("DELETE", "/faults?system=aws", "");
    assert_eq!(
        (&body["aws"], body["jira"].as_array().unwrap().len()),
        (&json!([]), 1)
    );
    let (_, body) = desk.call("DELETE", "/faults", "");
    assert_eq!(
        body,
        json!({ "aws": [], "jira": [], "slack": [], "github": [] })
    );
}

#[test]
fn a_fault_that_could_never_strike_is_refused() {
    let mut desk = Desk::new();
    let fault = |more: Value| {
        let mut fault = json!({ "system": "aws", "operation": "GetFindings", "kind": "throttled" });
        fault
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        fault
    };
    for (wrong, field) in [
        (json!({}), "system"),
        (fault(json!({ "system": "azure" })), "system"),
        (fault(json!({ "kind": "explodes" })), "kind"),
        (
            fault(json!({ "kind": { "stale_read": { "s": 1 } } })),
            "kind.stale_read.s",
        ),
        (fault(json!({ "operation": "GetFinding$" })), "operation"),
        (
            fault(json!({ "kind": { "unprocessed": { "code": "x", "every_nth": 1 } } })),
            "kind",
        ),
        (fault(json!({ "when": { "next": 0 } })), "when.next"),
        (fault(json!({ "when": { "later": 1 } })), "when"),
        (
            fault(json!({ "when": { "chance": { "permille": 1001, "seed": 1 } } })),
            "when.chance.permille",
        ),
        (fault(json!({ "wen": 1 })), "wen"),
        (
            json!([fault(json!({})), fault(json!({ "kind": 1 }))]),
            "[1].kind",
        ),
    ] {
        let (status, body) = desk.call("POST", "/faults", &wrong.to_string());
        let found = body["field"].as_str().unwrap_or_default();
        assert_eq!((status, found), (400, field), "{wrong}: {body}");
    }
    assert_eq!(
        desk.get("/faults"),
        json!({ "aws": [], "jira": [], "slack": [], "github": [] })
    );
}

#[test]
fn settings_last_until_they_are_changed() {
    let mut desk = Desk::new();
    let before = desk.get("/settings");
    let change = json!({ "quotas": true, "visibility_delay": "5m", "search_lag": "10s",
        "late_webhooks": true, "bulk_delay": "3s", "aggregator_lag": "6h", "aging": true,
        "search_flicker_permille": 20 });
    let (status, after) = desk.call("POST", "/settings", &change.to_string());
    assert_eq!(status, 200, "{after}");
    for (name, value) in change.as_object().unwrap() {
        let same = |a: &Value, b: &Value| match (a.as_str(), b.as_str()) {
            (Some(a), Some(b)) => {
                let period = |text: &str| text.parse::<crate::config::Period>().unwrap();
                period(a) == period(b)
            }
            _ => a == b,
        };
        assert!(
            same(&after[name], value),
            "{name}: {} is not {value}",
            after[name]
        );
        assert!(!same(&before[name], value), "{name} was so before");
    }
    assert_eq!(desk.get("/settings"), after);
    for (wrong, field) in [
        (json!({ "quota": true }), "quota"),
        (json!({ "search_lag": "soon" }), "search_lag"),
        (
            json!({ "search_flicker_permille": 1001 }),
            "search_flicker_permille",
        ),
    ] {
        let (status, body) = desk.call("POST", "/settings", &wrong.to_string());
        assert_eq!((status, &body["field"]), (400, &json!(field)), "{body}");
    }
}
