//! JQL search, its leniency, its lag.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{FaultKind, Role, Site, element};
use crate::emulators::faults::Fault;

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
fn a_fault_delays_one_change_or_dims_one_search() {
    let mut site = Site::new();
    let lag = FaultKind::SearchLag { seconds: 60 };
    site.jira
        .faults
        .arm(Fault::next("POST /rest/api/3/issue$", lag));
    let (late, prompt) = (site.issue("x"), site.issue("x"));
    assert_eq!(site.ids("labels = x"), [prompt.as_str()]);
    site.wait(60);
    assert_eq!(site.ids("labels = x order by key"), [late, prompt]);
    let flicker = FaultKind::SearchFlicker { permille: 1_000 };
    site.jira.faults.arm(Fault::next("search/jql", flicker));
    assert!(site.ids("labels = x").is_empty());
    assert_eq!(site.ids("labels = x").len(), 2);
}

#[test]
fn a_later_change_never_overtakes_an_earlier_one_in_the_index() {
    let mut site = Site::new();
    let lag = FaultKind::SearchLag { seconds: 60 };
    site.jira
        .faults
        .arm(Fault::next("POST /rest/api/3/issue$", lag));
    let key = site.issue("old");
    let relabel = json!({"fields": {"labels": ["new"]}});
    assert_eq!(
        site.bot("PUT", &format!("/rest/api/3/issue/{key}"), relabel)
            .0,
        204
    );
    assert!(site.ids("labels = new").is_empty());
    site.wait(60);
    assert_eq!(site.ids("labels = new"), [key]);
    assert!(site.ids("labels = old").is_empty());
}

#[test]
fn dates_in_jql_are_read_in_the_callers_time_zone() {
    let mut site = Site::new();
    let key = site.issue("a");
    let bot = site.account(Role::Bot);
    assert_eq!(site.ids("created >= '2026-03-01 12:00'"), [key.as_str()]);
    site.jira.user_mut(&bot).unwrap().time_zone = "Asia/Tokyo".into();
    assert_eq!(site.ids("created >= '2026-03-01 21:00'"), [key.as_str()]);
    assert!(site.ids("created < '2026-03-01 21:00'").is_empty());
    assert_eq!(site.ids("created >= startOfDay()"), [key]);
}

#[test]
fn issues_are_matched_against_queries_without_the_index() {
    let mut site = Site::new();
    site.jira.search_lag = SignedDuration::from_hours(1);
    let key = site.issue("a");
    let id = site.jira.issue(&key).unwrap().id;
    let jqls = [
        "project = SEC and labels = a",
        "project = NOSUCH",
        "project = \"unterminated",
    ];
    let body = json!({"issueIds": [id, 77], "jqls": jqls});
    let (status, answer) = site.bot("POST", "/rest/api/3/jql/match", body);
    assert_eq!(status, 200);
    assert_eq!(
        answer["matches"][0],
        json!({"matchedIssues": [id], "errors": []})
    );
    assert_eq!(
        answer["matches"][1],
        json!({"matchedIssues": [], "errors": []})
    );
    assert_eq!(answer["matches"][2]["errors"].as_array().unwrap().len(), 1);
}

#[test]
fn a_broken_query_is_refused_with_the_place() {
    let mut site = Site::new();
    for (jql, text) in [
        (
            "project = SEC status = 1",
            "Error in the JQL Query: Expecting either 'OR' or 'AND' but got 'status'. (line 1, character 15)",
        ),
        (
            "project = \"unclosed",
            "Error in the JQL Query: The quoted string 'unclosed' has not been completed. (line 1, character 11)",
        ),
        (
            "(project = SEC",
            "Error in the JQL Query: Expecting ')' before the end of the query.",
        ),
    ] {
        let (status, body) = site.bot("POST", "/rest/api/3/search/jql", json!({"jql": jql}));
        assert_eq!((status, &body["errorMessages"][0]), (400, &json!(text)));
    }
}

#[test]
fn a_search_shows_only_what_the_caller_may_browse() {
    let mut site = Site::new();
    let (_, closed) = (
        site.issue("x"),
        site.jira.add_team_managed_project("TM", "Team"),
    );
    let mut own = element("mine", &["x"]);
    own["fields"]["project"] = json!({"id": closed.to_string()});
    assert_eq!(
        site.call(Role::Product, "POST", "/rest/api/3/issue", own).0,
        201
    );
    assert_eq!(site.ids("labels = x order by key").len(), 2);
    // Browsing in the company-managed project is left to reporters.
    let admin = "/rest/api/3/permissionscheme/10100/permission";
    let grants = site.must(200, "GET", admin, Value::Null)["permissions"].clone();
    for grant in grants.as_array().unwrap() {
        if grant["permission"] == "BROWSE_PROJECTS" {
            let id = &grant["id"];
            site.must(204, "DELETE", &format!("{admin}/{id}"), Value::Null);
        }
    }
    let reporter = json!({"permission": "BROWSE_PROJECTS", "holder": {"type": "reporter"}});
    site.must(201, "POST", admin, reporter);
    assert_eq!(
        site.ids("labels = x").len(),
        2,
        "the bot reported one and browses the other"
    );
    let body = json!({"jql": "labels = x", "fields": ["key"]});
    let (_, seen) = site.call(Role::Product, "POST", "/rest/api/3/search/jql", body);
    assert_eq!(seen["issues"].as_array().unwrap().len(), 1);
    assert_eq!(seen["issues"][0]["key"], "TM-1");
}

#[test]
fn the_old_search_is_gone() {
    let mut site = Site::new();
    for (method, body) in [
        ("GET", Value::Null),
        ("POST", json!({"jql": "project = SEC"})),
    ] {
        let (status, answer) = site.bot(method, "/rest/api/3/search", body);
        assert_eq!(status, 410);
        assert!(
            answer["errorMessages"][0]
                .as_str()
                .unwrap()
                .contains("/rest/api/3/search/jql")
        );
    }
}
