//! Stories about the emulated site: what a caller reads back, and what the journal then holds.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use base64::Engine as _;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::workflows::{CLOSED, OPEN, RESOLVED};
use super::{Answered, FaultKind, Jira, Role, Workflow};
use crate::emulators::faults::Fault;
use crate::emulators::journal::{Actor, Change, Journal};

/// A site with one project, one user of each part, and a clock that only tests move.
pub(super) struct Site {
    pub(super) jira: Jira,
    pub(super) journal: Journal,
    pub(super) now: Timestamp,
}

impl Site {
    pub(super) fn new() -> Site {
        let mut jira = Jira::new("https://emulated.example");
        jira.add_project("SEC", "Security");
        for (role, name) in [
            (Role::Bot, "Sync Bot"),
            (Role::Product, "Paula"),
            (Role::Reviewer, "Rita"),
            (Role::Admin, "Ada"),
        ] {
            jira.add_user(role, name);
        }
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        Site {
            jira,
            journal: Journal::default(),
            now,
        }
    }

    pub(super) fn answer(
        &mut self,
        role: Role,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Answered {
        let user = self.jira.user(role).unwrap();
        let secret = base64::engine::general_purpose::STANDARD
            .encode(format!("{}:{}", user.email, user.token));
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Basic {secret}"))
            .body(bytes)
            .unwrap();
        self.jira.handle(&request, self.now, &mut self.journal)
    }

    pub(super) fn call(
        &mut self,
        role: Role,
        method: &str,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let response = self.answer(role, method, path, &body).response;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        (response.status().as_u16(), body)
    }

    pub(super) fn bot(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.call(Role::Bot, method, path, body)
    }

    /// Creates an issue with a label and gives its key.
    pub(super) fn issue(&mut self, label: &str) -> String {
        let (status, body) = self.bot("POST", "/rest/api/3/issue", element("A finding", &[label]));
        assert_eq!(status, 201, "{body}");
        body["key"].as_str().unwrap().to_owned()
    }

    fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    fn account(&self, role: Role) -> String {
        self.jira.user(role).unwrap().account_id.clone()
    }

    fn status(&self, key: &str) -> u64 {
        self.jira.issue(key).unwrap().status
    }

    fn go(&mut self, role: Role, key: &str, transition: &str) -> (u16, Value) {
        let path = format!("/rest/api/3/issue/{key}/transitions");
        self.call(
            role,
            "POST",
            &path,
            json!({"transition": {"id": transition}}),
        )
    }

    fn ids(&mut self, jql: &str) -> Vec<String> {
        let (status, body) = self.bot(
            "POST",
            "/rest/api/3/search/jql",
            json!({"jql": jql, "fields": ["key"], "maxResults": 5000}),
        );
        assert_eq!(status, 200, "{jql}: {body}");
        body["issues"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["key"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub(super) fn adf(text: &str) -> Value {
    json!({"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}]})
}

pub(super) fn element(summary: &str, labels: &[&str]) -> Value {
    json!({"fields": {
        "project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": summary, "labels": labels,
        "description": adf("What AWS says"), "priority": {"id": "2"},
    }})
}

#[test]
fn a_stranger_is_refused_and_every_answer_is_traceable() {
    let mut site = Site::new();
    let bot = site.account(Role::Bot);
    assert_eq!(
        site.bot("GET", "/rest/api/3/myself", Value::Null).1["accountId"],
        json!(bot)
    );
    let stranger = http::Request::get("/rest/api/3/myself")
        .body(Bytes::new())
        .unwrap();
    let answered = site.jira.handle(&stranger, site.now, &mut site.journal);
    assert_eq!(answered.response.status(), 401);
    assert!(answered.response.headers().contains_key("atl-traceid"));
    assert_eq!(answered.operation, "GET /rest/api/3/myself");
    let open = http::Request::get("/rest/api/2/serverInfo")
        .body(Bytes::new())
        .unwrap();
    assert_eq!(
        site.jira
            .handle(&open, site.now, &mut site.journal)
            .response
            .status(),
        200
    );
    let secret = base64::engine::general_purpose::STANDARD
        .encode("sync.bot@example.com:ATATT-emulated-0001");
    site.jira.user_mut(&bot).unwrap().token = "renewed".into();
    let expired = http::Request::get("/rest/api/3/myself")
        .header("authorization", format!("Basic {secret}"))
        .body(Bytes::new());
    assert_eq!(
        site.jira
            .handle(&expired.unwrap(), site.now, &mut site.journal)
            .response
            .status(),
        401
    );
}

#[test]
fn a_create_carries_labels_property_and_first_transition_in_one_call() {
    let mut site = Site::new();
    let mut body = element("One call", &["asaf", "asaf-1f"]);
    body["properties"] = json!([{"key": "asaf.link", "value": {"finding": "arn:1"}}]);
    body["transition"] = json!({"id": "21"});
    let (status, created) = site.bot("POST", "/rest/api/3/issue", body.clone());
    assert_eq!(
        (status, &created["key"], &created["transition"]["status"]),
        (201, &json!("SEC-1"), &json!(200))
    );
    assert_eq!(site.status("SEC-1"), RESOLVED);
    let Change::TicketCreated {
        labels, properties, ..
    } = &site.journal.entries[0].change
    else {
        panic!()
    };
    assert_eq!(
        (labels.len(), &properties["asaf.link"]["finding"]),
        (2, &json!("arn:1"))
    );
    assert_eq!(site.journal.entries[0].actor, Actor::Engine);
    body["transition"] = json!({"id": "31"});
    let (status, created) = site.bot("POST", "/rest/api/3/issue", body);
    assert_eq!(
        (status, &created["transition"]["status"]),
        (201, &json!(400))
    );
    assert_eq!(site.status("SEC-2"), OPEN);
}

#[test]
fn a_bulk_create_fails_by_element_and_as_a_whole_only_when_all_fail() {
    let mut site = Site::new();
    let mut wrong = element("x", &[]);
    wrong["fields"]["issuetype"] = json!({"name": "Epic"});
    let untyped = json!({"fields": {"project": {"key": "SEC"}, "summary": "no type"}});
    let mixed = json!({"issueUpdates": [element("a", &[]), wrong, element("b", &[])]});
    let (status, body) = site.bot("POST", "/rest/api/3/issue/bulk", mixed);
    assert_eq!((status, body["issues"].as_array().unwrap().len()), (201, 2));
    assert_eq!(body["errors"][0]["failedElementNumber"], 1);
    assert_eq!(
        body["errors"][0]["elementErrors"]["errors"]["issuetype"],
        "The issue type selected is invalid."
    );
    let (status, body) = site.bot(
        "POST",
        "/rest/api/3/issue/bulk",
        json!({"issueUpdates": [untyped]}),
    );
    assert_eq!((status, &body["issues"]), (400, &json!([])));
    assert_eq!(
        body["errors"][0]["elementErrors"]["errors"]["issuetype"],
        "Specify an issue type"
    );
    let many: Vec<Value> = (0..51).map(|_| element("many", &[])).collect();
    assert_eq!(
        site.bot(
            "POST",
            "/rest/api/3/issue/bulk",
            json!({"issueUpdates": many})
        )
        .0,
        400
    );
    assert_eq!(site.jira.issues().count(), 2);
}

#[test]
fn values_that_break_a_limit_are_refused_by_field() {
    let mut site = Site::new();
    for (field, value, text) in [
        (
            "labels",
            json!(["x y"]),
            "The label 'x y' contains spaces which is invalid.",
        ),
        (
            "summary",
            json!("s".repeat(256)),
            "Summary must be less than 255 characters.",
        ),
        (
            "summary",
            json!("two\nlines"),
            "The summary is invalid because it contains newline characters.",
        ),
        (
            "description",
            adf(&"d".repeat(32_768)),
            "CONTENT_LIMIT_EXCEEDED",
        ),
        (
            "description",
            json!("plain"),
            "Operation value must be an Atlassian Document (see the Atlassian Document Format)",
        ),
        (
            "environment",
            json!("x"),
            "Field 'environment' cannot be set. It is not on the appropriate screen, or unknown.",
        ),
        (
            "issuetype",
            json!({"name": "Bug"}),
            "The issue type selected is invalid.",
        ),
        (
            "project",
            json!({"key": "NONE"}),
            "valid project is required",
        ),
    ] {
        let mut body = element("fine", &[]);
        body["fields"][field] = value;
        let (status, answer) = site.bot("POST", "/rest/api/3/issue", body);
        assert_eq!((status, &answer["errors"][field]), (400, &json!(text)));
    }
    let mut body = element(&"s".repeat(255), &[]);
    body["fields"]["description"] = adf(&"d".repeat(32_767));
    assert_eq!(site.bot("POST", "/rest/api/3/issue", body).0, 201);
}

#[test]
fn bulk_fetch_sorts_by_id_and_omits_in_silence() {
    let mut site = Site::new();
    let (first, second) = (site.issue("a"), site.issue("b"));
    let asked = json!({"issueIdsOrKeys": [second, "SEC-99", first, "77"], "fields": ["labels"], "properties": ["p"]});
    let (status, body) = site.bot("POST", "/rest/api/3/issue/bulkfetch", asked);
    let keys: Vec<&Value> = body["issues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["key"])
        .collect();
    assert_eq!((status, keys), (200, vec![&json!(first), &json!(second)]));
    assert_eq!(body["issues"][0]["fields"], json!({"labels": ["a"]}));
    assert_eq!(body["issueErrors"], json!([]));
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    assert_eq!(
        site.bot(
            "POST",
            "/rest/api/3/issue/bulkfetch",
            json!({"issueIdsOrKeys": many})
        )
        .0,
        400
    );
    assert_eq!(
        site.bot(
            "POST",
            "/rest/api/3/issue/bulkfetch",
            json!({"issueIdsOrKeys": [], "x": 1})
        )
        .0,
        400
    );
}

#[test]
fn jql_finds_what_it_names() {
    let mut site = Site::new();
    site.jira.add_project("OPS", "Operations");
    for label in ["Asaf-1", "asaf-2", "other"] {
        site.issue(label);
        site.wait(3_600);
    }
    let mut plain = element("No labels here", &[]);
    plain["fields"]["project"] = json!({"key": "OPS"});
    site.bot("POST", "/rest/api/3/issue", plain);
    site.go(Role::Bot, "SEC-2", "21");
    for (jql, keys) in [
        (
            "project = SEC ORDER BY key",
            &["SEC-1", "SEC-2", "SEC-3"][..],
        ),
        (
            "project in (Operations, \"SEC\") and labels is EMPTY",
            &["OPS-1"],
        ),
        ("labels = asaf-1", &["SEC-1"]),
        (
            "labels in (ASAF-1, 'asaf-2') order by id asc",
            &["SEC-1", "SEC-2"],
        ),
        ("labels != other order by key", &["SEC-1", "SEC-2"]),
        ("status = 10003", &["SEC-2"]),
        (
            "statusCategory != Done and project = SEC order by created desc",
            &["SEC-3", "SEC-1"],
        ),
        (
            "resolution = EMPTY and NOT (project = OPS or labels = other)",
            &["SEC-1"],
        ),
        ("resolution is not EMPTY", &["SEC-2"]),
        ("key in (SEC-1, SEC-77)", &["SEC-1"]),
        (
            "key > SEC-1 and project = SEC order by key",
            &["SEC-2", "SEC-3"],
        ),
        ("id = 10002", &["SEC-3"]),
        ("updated >= -90m order by key", &["OPS-1", "SEC-2", "SEC-3"]),
        ("created < '2026-03-01 13:00'", &["SEC-1"]),
        ("summary ~ 'no labels'", &["OPS-1"]),
        (
            "priority = High and creator = currentUser() and labels = other",
            &["SEC-3"],
        ),
    ] {
        let mut found = site.ids(jql);
        if !jql.to_lowercase().contains("order by") {
            found.sort();
        }
        if jql.starts_with("updated") {
            found.sort();
        }
        assert_eq!(found, keys, "{jql}");
    }
}

#[test]
fn search_is_lenient_with_names_and_strict_with_form() {
    let mut site = Site::new();
    site.issue("a");
    for jql in [
        "this is not jql",
        "project = NOSUCH",
        "nofield = 1",
        "labels = nofunc()",
        "created > someday",
    ] {
        let (status, body) = site.bot("POST", "/rest/api/3/search/jql", json!({"jql": jql}));
        assert_eq!(
            (status, body),
            (200, json!({"issues": [], "isLast": true})),
            "{jql}"
        );
    }
    for (body, text) in [
        (
            json!({"jql": "order by key"}),
            "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.",
        ),
        (
            json!({"jql": "project = SEC", "maxResults": 6000}),
            "The max results parameter has to be between 1 and 5,000.",
        ),
        (
            json!({"jql": "project = SEC", "maxResults": 0}),
            "The max results parameter has to be between 1 and 5,000.",
        ),
        (
            json!({"jql": "project = SEC", "nextPageToken": "x"}),
            "The provided next page token is invalid or expired.",
        ),
        (
            json!({"jql": "project ="}),
            "Error in JQL Query: Expecting either a value, list or function before the end of the query.",
        ),
    ] {
        let (status, answer) = site.bot("POST", "/rest/api/3/search/jql", body);
        assert_eq!(
            (status, answer),
            (400, json!({"errorMessages": [text], "errors": {}}))
        );
    }
    assert_eq!(
        site.bot("GET", "/rest/api/3/search?jql=x", Value::Null).0,
        410
    );
    let (_, bare) = site.bot(
        "GET",
        "/rest/api/3/search/jql?jql=project%20%3D%20SEC",
        Value::Null,
    );
    assert_eq!(bare["issues"], json!([{"id": "10000"}]));
}

#[test]
fn search_lags_behind_unless_an_id_is_reconciled() {
    let mut site = Site::new();
    site.jira.search_lag = SignedDuration::from_secs(30);
    let key = site.issue("late");
    let id = site.jira.issue(&key).unwrap().id;
    assert!(site.ids("labels = late").is_empty());
    let reconciled = json!({"jql": "labels = late", "reconcileIssues": [id]});
    let (_, body) = site.bot("POST", "/rest/api/3/search/jql", reconciled);
    assert_eq!(body["issues"], json!([{"id": id.to_string()}]));
    site.wait(30);
    assert_eq!(site.ids("labels = late"), [key.as_str()]);
    site.bot("DELETE", &format!("/rest/api/3/issue/{key}"), Value::Null);
    let (_, body) = site.bot(
        "POST",
        "/rest/api/3/search/jql",
        json!({"jql": "labels = late"}),
    );
    assert_eq!(
        body["issues"],
        json!([{"id": id.to_string()}]),
        "the index still names the deleted issue"
    );
    site.wait(30);
    assert!(site.ids("labels = late").is_empty());
}

#[test]
fn an_issue_that_search_showed_once_can_disappear_again() {
    let mut site = Site::new();
    (0..20).for_each(|_| drop(site.issue("flicker")));
    site.jira.search_flicker_permille = 300;
    let sizes: Vec<usize> = (0..10)
        .map(|_| site.ids("labels = flicker").len())
        .collect();
    assert!(sizes.iter().any(|size| *size < 20), "{sizes:?}");
    assert!(sizes.windows(2).any(|pair| pair[0] != pair[1]), "{sizes:?}");
}

#[test]
fn twelve_thousand_issues_are_listed_in_three_pages_and_found_by_label() {
    let mut site = Site::new();
    for batch in 0..240 {
        let elements: Vec<Value> = (0..50)
            .map(|n| element("s", &["asaf", &format!("asaf-{}", batch * 50 + n)]))
            .collect();
        assert_eq!(
            site.bot(
                "POST",
                "/rest/api/3/issue/bulk",
                json!({"issueUpdates": elements})
            )
            .0,
            201
        );
    }
    let mut body = json!({"jql": "labels = asaf ORDER BY key", "maxResults": 5000});
    let mut seen = std::collections::BTreeSet::new();
    let mut pages = 0;
    loop {
        let (_, answer) = site.bot("POST", "/rest/api/3/search/jql", body.clone());
        pages += 1;
        seen.extend(
            answer["issues"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["id"].to_string()),
        );
        if answer["isLast"] == json!(true) {
            assert!(answer.get("nextPageToken").is_none());
            break;
        }
        body["nextPageToken"] = answer["nextPageToken"].clone();
    }
    assert_eq!((pages, seen.len()), (3, 12_000));
    assert_eq!(
        site.ids("project = SEC and labels = asaf-7777"),
        ["SEC-7778"]
    );
    let count = site.bot(
        "POST",
        "/rest/api/3/search/approximate-count",
        json!({"jql": "labels = asaf"}),
    );
    assert_eq!(count, (200, json!({"count": 12_000})));
    let wide = json!({"jql": "labels = asaf", "fields": ["summary"], "maxResults": 5000});
    let (_, answer) = site.bot("POST", "/rest/api/3/search/jql", wide);
    assert_eq!(answer["issues"].as_array().unwrap().len(), 100);
}

#[test]
fn a_second_transition_loses_the_race_on_directed_transitions_only() {
    let mut site = Site::new();
    let key = site.issue("a");
    assert_eq!(site.go(Role::Bot, &key, "21").0, 204);
    let texts = |answer: (u16, Value)| {
        (
            answer.0,
            answer.1["errorMessages"][0]
                .as_str()
                .unwrap_or("")
                .to_owned(),
        )
    };
    assert_eq!(
        texts(site.go(Role::Bot, &key, "21")),
        (400, "Action 21 is invalid".into())
    );
    site.wait(60);
    let (status, text) = texts(site.go(Role::Bot, &key, "21"));
    assert!(
        status == 400 && text.starts_with("Can't move (SEC-1)."),
        "{text}"
    );
    let (status, text) = texts(site.go(Role::Bot, &key, "999"));
    assert_eq!(
        (status, text.as_str()),
        (400, "Transition id '999' is not valid for this issue.")
    );
    let path = format!("/rest/api/3/issue/{key}/transitions");
    let (status, text) = texts(site.bot("POST", &path, json!({})));
    assert_eq!(
        (status, text.as_str()),
        (400, "Missing 'transition' identifier")
    );
    let with_field =
        json!({"transition": {"id": "41"}, "fields": {"resolution": {"name": "Done"}}});
    assert_eq!(site.bot("POST", &path, with_field).0, 400);
    assert_eq!(site.status(&key), RESOLVED);
    site.jira.use_workflow("SEC", Workflow::simplified());
    assert_eq!(
        (
            site.go(Role::Bot, &key, "41").0,
            site.go(Role::Bot, &key, "41").0
        ),
        (204, 204)
    );
}

#[test]
fn only_reviewers_and_the_bot_close_and_conditions_bind_admins() {
    for (role, may_close, may_ignore) in [
        (Role::Product, false, false),
        (Role::Admin, false, false),
        (Role::Reviewer, true, false),
        (Role::Bot, true, true),
    ] {
        let mut site = Site::new();
        let key = site.issue("a");
        let path = format!("/rest/api/3/issue/{key}/transitions");
        assert_eq!(site.go(role, &key, "21").0, 204, "{role:?} resolves");
        let offered = site.call(role, "GET", &path, Value::Null).1["transitions"].clone();
        let offers = |id: &str| {
            offered
                .as_array()
                .unwrap()
                .iter()
                .any(|row| row["id"] == id)
        };
        assert_eq!(
            (offers("31"), offers("71")),
            (may_close, may_ignore),
            "{role:?}"
        );
        assert_eq!(site.go(role, &key, "31").0 == 204, may_close, "{role:?}");
        assert_eq!(site.status(&key) == CLOSED, may_close);
    }
}

#[test]
fn a_transition_sets_the_resolution_and_the_changelog_names_its_author() {
    let mut site = Site::new();
    let key = site.issue("a");
    let paula = site.account(Role::Product);
    let rita = site.account(Role::Reviewer);
    site.jira
        .transition_as(&paula, &key, "Resolved", site.now, &mut site.journal)
        .unwrap();
    assert!(
        site.jira
            .transition_as(&paula, &key, "Closed", site.now, &mut site.journal)
            .is_err()
    );
    assert_eq!(
        site.jira.issue(&key).unwrap().resolution.as_deref(),
        Some("10000")
    );
    site.wait(5);
    site.jira
        .transition_as(&rita, &key, "Open", site.now, &mut site.journal)
        .unwrap();
    assert_eq!(site.jira.issue(&key).unwrap().resolution, None);
    let (_, log) = site.bot(
        "GET",
        &format!("/rest/api/3/issue/{key}/changelog"),
        Value::Null,
    );
    let [first, second] = &log["values"].as_array().unwrap()[..] else {
        panic!("{log}")
    };
    assert_eq!(
        (
            &first["author"]["accountId"],
            &second["author"]["accountId"]
        ),
        (&json!(paula), &json!(rita))
    );
    let status = json!({
        "field": "status", "fieldtype": "jira", "fieldId": "status", "from": "10001", "fromString": "Open",
        "to": "10003", "toString": "Resolved",
    });
    assert_eq!(first["items"][1], status);
    assert!(first["id"].as_str().unwrap() < second["id"].as_str().unwrap());
    assert_eq!(first["created"], "2026-03-01T12:00:00.000+0000");
    let moved = site.journal.entries.last().unwrap();
    assert_eq!(
        moved.actor,
        Actor::Person {
            id: rita,
            role: "reviewer".into()
        }
    );
    assert!(
        matches!(&moved.change, Change::TicketMoved { from, to, .. } if from == "Resolved" && to == "Open")
    );
}

#[test]
fn an_admin_made_hole_moves_past_conditions_under_the_persons_name() {
    let mut site = Site::new();
    let key = site.issue("a");
    let paula = site.account(Role::Product);
    site.jira
        .force_status(&paula, &key, "Closed", site.now, &mut site.journal);
    assert_eq!(site.status(&key), CLOSED);
    assert_eq!(site.jira.issue(&key).unwrap().history[0].author, paula);
}

#[test]
fn product_teams_comment_but_cannot_touch_labels_properties_or_the_issue() {
    let mut site = Site::new();
    let key = site.issue("keep");
    let issue = format!("/rest/api/3/issue/{key}");
    let edit = json!({"update": {"labels": [{"remove": "keep"}]}});
    let (status, body) = site.call(Role::Product, "PUT", &issue, edit.clone());
    let text = "Field 'labels' cannot be set. It is not on the appropriate screen, or unknown.";
    assert_eq!((status, &body["errors"]["labels"]), (400, &json!(text)));
    assert_eq!(
        site.call(
            Role::Product,
            "PUT",
            &format!("{issue}/properties/asaf.link"),
            json!(1)
        )
        .0,
        403
    );
    assert_eq!(
        site.call(Role::Product, "DELETE", &issue, Value::Null).0,
        403
    );
    let comment = json!({"body": adf("done")});
    assert_eq!(
        site.call(Role::Product, "POST", &format!("{issue}/comment"), comment)
            .0,
        201
    );
    assert_eq!(site.bot("PUT", &issue, edit).0, 204);
    assert!(site.jira.issue(&key).unwrap().labels.is_empty());
}

#[test]
fn an_edit_changes_what_differs_and_logs_nothing_else() {
    let mut site = Site::new();
    let key = site.issue("a");
    let path = format!("/rest/api/3/issue/{key}");
    let same = json!({"fields": {"summary": "A finding"}, "update": {"labels": [{"add": "a"}]}});
    assert_eq!(site.bot("PUT", &path, same).0, 204);
    assert!(site.jira.issue(&key).unwrap().history.is_empty());
    let new = json!({"fields": {"summary": "Renamed"}, "update": {"labels": [{"add": "b"}, {"remove": "a"}]}});
    assert_eq!(site.bot("PUT", &path, new).0, 204);
    let fields: Vec<_> = site.jira.issue(&key).unwrap().history[0]
        .items
        .iter()
        .map(|item| item.field_id.clone())
        .collect();
    assert_eq!(fields, ["summary", "labels"]);
    let both = json!({"fields": {"labels": []}, "update": {"labels": [{"add": "c"}]}});
    assert_eq!(site.bot("PUT", &path, both).0, 400);
}

#[test]
fn comments_are_documents_in_version_three_and_text_in_version_two() {
    let mut site = Site::new();
    let key = site.issue("a");
    let (status, body) = site.bot(
        "POST",
        &format!("/rest/api/3/issue/{key}/comment"),
        json!({"body": "text"}),
    );
    assert_eq!(
        (status, &body["errors"]["comment"]),
        (400, &json!("Comment body is not valid!"))
    );
    let (status, body) = site.bot(
        "POST",
        &format!("/rest/api/2/issue/{key}/comment"),
        json!({"body": "two\nlines"}),
    );
    assert_eq!((status, &body["body"]), (201, &json!("two\nlines")));
    let (_, page) = site.bot(
        "GET",
        &format!("/rest/api/3/issue/{key}/comment"),
        Value::Null,
    );
    assert_eq!(
        (&page["total"], &page["comments"][0]["body"]["type"]),
        (&json!(1), &json!("doc"))
    );
    site.jira.comment_cap = 1;
    let path = format!("/rest/api/3/issue/{key}/comment");
    assert_eq!(
        site.bot("POST", &path, json!({"body": adf("one too many")}))
            .0,
        413
    );
}

#[test]
fn properties_are_replaced_and_remote_links_are_upserted() {
    let mut site = Site::new();
    let key = site.issue("a");
    let path = format!("/rest/api/3/issue/{key}/properties/asaf.link");
    assert_eq!(site.bot("GET", &path, Value::Null).0, 404);
    assert_eq!(site.bot("PUT", &path, json!({"a": 1, "b": null})).0, 201);
    assert_eq!(site.bot("PUT", &path, json!({"c": 2})).0, 200);
    assert_eq!(
        site.bot("GET", &path, Value::Null).1["value"],
        json!({"c": 2})
    );
    assert_eq!(site.bot("PUT", &path, json!("x".repeat(32_768))).0, 400);
    assert_eq!(site.bot("DELETE", &path, Value::Null).0, 204);
    let links = format!("/rest/api/3/issue/{key}/remotelink");
    let link = json!({"globalId": "g", "object": {"url": "https://a.example", "title": "A"}});
    let (first, second) = (
        site.bot("POST", &links, link.clone()),
        site.bot("POST", &links, link),
    );
    assert_eq!(
        (first.0, second.0, &first.1["id"]),
        (201, 200, &second.1["id"])
    );
    assert_eq!(
        site.bot("GET", &links, Value::Null)
            .1
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_bulk_task_completes_with_failures_and_five_run_at_a_time() {
    let mut site = Site::new();
    let keys = [site.issue("a"), site.issue("b")];
    site.go(Role::Bot, &keys[1], "21");
    site.wait(60);
    let body = json!({
        "bulkTransitionInputs": [{"selectedIssueIdsOrKeys": [keys[0], keys[1], "SEC-99"], "transitionId": "21"}],
        "sendBulkNotification": false,
    });
    let (status, task) = site.bot("POST", "/rest/api/3/bulk/issues/transition", body);
    assert_eq!(status, 201);
    let queue = format!(
        "/rest/api/3/bulk/queue/{}",
        task["taskId"].as_str().unwrap()
    );
    let (_, progress) = site.bot("GET", &queue, Value::Null);
    assert_eq!(
        (&progress["status"], &progress["processedAccessibleIssues"]),
        (&json!("COMPLETE"), &json!([10_000]))
    );
    assert_eq!(progress["invalidOrInaccessibleIssueCount"], 1);
    assert!(
        progress["failedAccessibleIssues"]["10001"][0]
            .as_str()
            .unwrap()
            .starts_with("Can't move")
    );
    site.jira.bulk_delay = SignedDuration::from_secs(10);
    let delete = json!({"selectedIssueIdsOrKeys": [keys[0]]});
    for expected in [201, 201, 201, 201, 201, 400] {
        assert_eq!(
            site.bot("POST", "/rest/api/3/bulk/issues/delete", delete.clone())
                .0,
            expected
        );
    }
    assert!(site.jira.issue(&keys[0]).is_some());
    site.wait(10);
    assert_eq!(
        site.bot("GET", "/rest/api/3/bulk/queue/1", Value::Null).0,
        400
    );
    assert!(site.jira.issue(&keys[0]).is_none());
}

#[test]
fn a_dead_bulk_task_leaves_the_rest_undone() {
    let mut site = Site::new();
    let keys = [site.issue("a"), site.issue("b")];
    let dies = FaultKind::BulkTaskDies { after: 1 };
    site.jira
        .faults
        .arm(Fault::next("bulk/issues/delete", dies));
    let (_, task) = site.bot(
        "POST",
        "/rest/api/3/bulk/issues/delete",
        json!({"selectedIssueIdsOrKeys": keys}),
    );
    let queue = format!(
        "/rest/api/3/bulk/queue/{}",
        task["taskId"].as_str().unwrap()
    );
    let (_, progress) = site.bot("GET", &queue, Value::Null);
    assert_eq!(
        (&progress["status"], &progress["progressPercent"]),
        (&json!("DEAD"), &json!(50))
    );
    assert_eq!(site.jira.issues().count(), 1);
}

#[test]
fn a_lost_answer_may_hide_a_change_that_was_made() {
    for (kind, made) in [(FaultKind::ApplyThenDrop, 1), (FaultKind::DropBefore, 0)] {
        let mut site = Site::new();
        site.jira.faults.arm(Fault::next("/issue/bulk$", kind));
        site.bot(
            "POST",
            "/rest/api/3/issue/bulkfetch",
            json!({"issueIdsOrKeys": []}),
        );
        let body = json!({"issueUpdates": [element("a", &[])]});
        let answered = site.answer(Role::Bot, "POST", "/rest/api/3/issue/bulk", &body);
        assert!(answered.dropped);
        assert_eq!(answered.response.status().as_u16(), 599);
        assert_eq!(site.jira.issues().count(), made);
    }
}

#[test]
fn a_request_inside_a_retry_after_window_is_a_violation_in_its_scope_only() {
    let mut site = Site::new();
    let key = site.issue("a");
    let kind = FaultKind::TooManyRequests {
        reason: "jira-burst-based".into(),
        retry_after_s: 3,
    };
    let operation = "GET /rest/api/3/issue/{issueIdOrKey}$";
    site.jira.faults.arm(Fault::next(operation, kind));
    let path = format!("/rest/api/3/issue/{key}");
    let refused = site.answer(Role::Bot, "GET", &path, &Value::Null).response;
    let header = |name: &str| refused.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(refused.status(), 429);
    assert_eq!(
        (header("retry-after"), header("ratelimit-reason")),
        ("3".into(), "jira-burst-based".into())
    );
    assert_eq!(header("x-ratelimit-reset"), "2026-03-01T12:00:03Z");
    assert_eq!(site.bot("GET", "/rest/api/3/myself", Value::Null).0, 200);
    assert!(site.journal.violations.is_empty());
    site.wait(2);
    assert_eq!(site.bot("GET", &path, Value::Null).0, 429);
    assert_eq!(site.journal.violations[0].invariant, "S6");
    site.wait(1);
    assert_eq!(site.bot("GET", &path, Value::Null).0, 200);
    assert_eq!(site.journal.violations.len(), 1);
}

#[test]
fn an_exhausted_quota_shuts_the_whole_site_and_names_its_reset_without_seconds() {
    let mut site = Site::new();
    let kind = FaultKind::TooManyRequests {
        reason: "jira-quota-tenant-based".into(),
        retry_after_s: 600,
    };
    site.jira.faults.arm(Fault::next("", kind));
    let refused = site
        .answer(Role::Bot, "GET", "/rest/api/3/field", &Value::Null)
        .response;
    assert_eq!(refused.headers()["x-ratelimit-reset"], "2026-03-01T12:10Z");
    assert_eq!(site.bot("GET", "/rest/api/3/myself", Value::Null).0, 429);
    assert_eq!(site.journal.violations.len(), 1);
}

#[test]
fn other_faults_leave_the_world_unchanged() {
    for (kind, status) in [
        (FaultKind::ServerError(500), 500),
        (FaultKind::HtmlError(502), 502),
        (FaultKind::Unavailable { retry_after_s: 7 }, 503),
    ] {
        let mut site = Site::new();
        site.jira.faults.arm(Fault::next("POST", kind.clone()));
        let response = site
            .answer(Role::Bot, "POST", "/rest/api/3/issue", &element("a", &[]))
            .response;
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(
            response.headers().contains_key("retry-after"),
            status == 503
        );
        assert_eq!(
            serde_json::from_slice::<Value>(response.body()).is_err(),
            status == 502,
            "HTML is no JSON"
        );
        assert_eq!(site.jira.issues().count(), 0);
        assert_eq!(
            site.bot("POST", "/rest/api/3/issue", element("a", &[])).0,
            201
        );
    }
}

#[test]
fn bursts_are_limited_by_endpoint_and_writes_by_issue() {
    let mut site = Site::new();
    let key = site.issue("a");
    site.jira.quotas_enabled = true;
    let served = (0..110)
        .filter(|_| site.bot("GET", "/rest/api/3/myself", Value::Null).0 == 200)
        .count();
    assert_eq!(served, 100);
    assert_eq!(
        site.journal.violations.len(),
        9,
        "the first refusal opens the window, the others ignore it"
    );
    let path = format!("/rest/api/3/issue/{key}/comment");
    let refusals: Vec<_> = (0..21)
        .map(|_| {
            site.answer(Role::Bot, "POST", &path, &json!({"body": adf("x")}))
                .response
        })
        .filter(|response| response.status() == 429)
        .collect();
    assert_eq!(refusals.len(), 1);
    assert_eq!(
        refusals[0].headers()["ratelimit-reason"],
        "jira-per-issue-on-write"
    );
    assert_eq!(refusals[0].headers()["retry-after"], "2");
    site.wait(2);
    assert_eq!(site.bot("POST", &path, json!({"body": adf("x")})).0, 201);
}

#[test]
fn deleted_and_hidden_issues_look_the_same_and_moved_ones_are_found_by_both_keys() {
    let mut site = Site::new();
    site.jira.add_project("OPS", "Operations");
    let (gone, hidden) = (site.issue("a"), site.issue("b"));
    let path = |key: &str| format!("/rest/api/3/issue/{key}");
    assert_eq!(site.bot("DELETE", &path(&gone), Value::Null).0, 204);
    let ada = site.account(Role::Admin);
    let moved = site
        .jira
        .move_project_as(&ada, &hidden, "OPS", site.now, &mut site.journal)
        .unwrap();
    assert_eq!(
        site.bot("GET", &path(&hidden), Value::Null).1["key"],
        json!(moved)
    );
    site.jira.project_mut("OPS").unwrap().is_hidden = true;
    let first = site.bot("GET", &path(&gone), Value::Null);
    assert_eq!(first, site.bot("GET", &path(&moved), Value::Null));
    assert_eq!(
        first.1["errorMessages"][0],
        "Issue does not exist or you do not have permission to see it."
    );
    assert!(site.ids("labels = b").is_empty());
}

#[test]
fn who_the_reviewers_are_is_read_by_group_or_by_a_project_administrator() {
    let mut site = Site::new();
    let (_, roles) = site.bot("GET", "/rest/api/3/project/SEC/role", Value::Null);
    let link = roles["Security reviewers"].as_str().unwrap();
    let path = link
        .strip_prefix("https://emulated.example")
        .unwrap()
        .to_owned();
    assert_eq!(site.bot("GET", &path, Value::Null).0, 404);
    let (_, role) = site.call(Role::Admin, "GET", &path, Value::Null);
    let rita = json!(site.account(Role::Reviewer));
    assert_eq!(role["actors"][0]["actorUser"]["accountId"], rita);
    let members = "/rest/api/3/group/member?groupname=security-reviewers";
    let (_, members_by_bot) = site.bot("GET", members, Value::Null);
    assert_eq!(members_by_bot["values"][0]["displayName"], "Rita");
    assert_eq!(site.call(Role::Product, "GET", members, Value::Null).0, 403);
}

#[test]
fn permissions_are_told_and_can_be_taken_away() {
    let mut site = Site::new();
    let path = "/rest/api/3/mypermissions?projectKey=SEC&permissions=EDIT_ISSUES,BULK_CHANGE";
    let has = |site: &mut Site| {
        site.bot("GET", path, Value::Null).1["permissions"]["EDIT_ISSUES"]["havePermission"].clone()
    };
    assert_eq!(has(&mut site), json!(true));
    site.jira
        .revoked
        .insert(site.account(Role::Bot), ["EDIT_ISSUES".to_owned()].into());
    assert_eq!(has(&mut site), json!(false));
    let (status, body) = site.bot(
        "GET",
        "/rest/api/3/mypermissions?permissions=FLY",
        Value::Null,
    );
    assert_eq!(
        (status, &body["errors"]["FLY"]),
        (400, &json!("Unrecognized permission"))
    );
}

#[test]
fn changelogs_of_many_issues_come_in_pages_by_date() {
    let mut site = Site::new();
    let keys = [site.issue("a"), site.issue("b")];
    for (key, transition) in [(0, "21"), (1, "21"), (0, "41")] {
        site.wait(10);
        site.go(Role::Bot, &keys[key], transition);
    }
    let mut body = json!({"issueIdsOrKeys": keys, "fieldIds": ["status"], "maxResults": 2});
    let (_, first) = site.bot("POST", "/rest/api/3/changelog/bulkfetch", body.clone());
    assert_eq!(first["issueChangeLogs"].as_array().unwrap().len(), 2);
    body["nextPageToken"] = first["nextPageToken"].clone();
    let (_, second) = site.bot("POST", "/rest/api/3/changelog/bulkfetch", body);
    assert_eq!(second["issueChangeLogs"][0]["issueId"], "10000");
    assert!(second.get("nextPageToken").is_none());
}

#[test]
fn what_is_not_emulated_says_so() {
    let mut site = Site::new();
    let (status, body) = site.bot("GET", "/rest/api/3/dashboard", Value::Null);
    assert!(
        status == 501
            && body["errorMessages"][0]
                .as_str()
                .unwrap()
                .contains("/rest/api/3/dashboard")
    );
    let outside = site
        .answer(Role::Bot, "GET", "/wiki/home", &Value::Null)
        .response;
    assert_eq!(outside.status(), 404);
    assert_eq!(
        outside.headers()["content-type"],
        "application/problem+json"
    );
    assert_eq!(site.jira.counts["GET /wiki/home"], 1);
}
