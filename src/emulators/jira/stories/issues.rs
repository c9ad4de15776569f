//! Issues are created, read, edited, commented and deleted.

use serde_json::{Value, json};

use super::{OPEN, RESOLVED, Role, Site, adf, element};
use crate::emulators::journal::{Actor, Change};

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
fn change_groups_are_read_by_id() {
    let mut site = Site::new();
    let key = site.issue("a");
    site.go(Role::Bot, &key, "21");
    site.go(Role::Bot, &key, "41");
    let last = site.jira.issue(&key).unwrap().history[1].id;
    let path = format!("/rest/api/3/issue/{key}/changelog/list");
    let (status, answer) = site.bot("POST", &path, json!({"changelogIds": [last, 7]}));
    assert_eq!((status, &answer["total"]), (200, &json!(1)));
    assert_eq!(answer["histories"][0]["id"], json!(last.to_string()));
    assert_eq!(site.bot("POST", &path, json!({})).0, 400);
}
