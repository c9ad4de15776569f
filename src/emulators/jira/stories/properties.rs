//! Entity properties of many issues, and remote links.

use serde_json::{Value, json};

use super::{Role, Site};

/// Follows a 303 to its task.
fn task(site: &mut Site, method: &str, path: &str, body: &Value) -> Value {
    let answered = site.answer(Role::Bot, method, path, body).response;
    assert_eq!(answered.status(), 303);
    let link = answered.headers()["location"].to_str().unwrap();
    let path = link
        .strip_prefix("https://emulated.example")
        .unwrap()
        .to_owned();
    site.bot("GET", &path, Value::Null).1
}

fn property(site: &Site, key: &str) -> Value {
    site.jira.issue(key).unwrap().property("p")
}

#[test]
fn one_property_for_many_issues_is_set_for_all_or_none() {
    let mut site = Site::new();
    let keys = [site.issue("a"), site.issue("b")];
    let body = json!({"entitiesIds": [10_000, 10_001], "properties": {"p": {"v": 1}}});
    let done = task(&mut site, "POST", "/rest/api/3/issue/properties", &body);
    assert_eq!(
        (&done["status"], &done["progress"]),
        (&json!("COMPLETE"), &json!(100))
    );
    assert_eq!(property(&site, &keys[1]), json!({"v": 1}));
    let body = json!({"entitiesIds": [10_000, 77], "properties": {"p": 2}});
    let failed = task(&mut site, "POST", "/rest/api/3/issue/properties", &body);
    assert_eq!(failed["status"], "FAILED");
    assert_eq!(property(&site, &keys[0]), json!({"v": 1}));
    let many: Value = (0..11).map(|n| (format!("p{n}"), json!(n))).collect();
    let body = json!({"entitiesIds": [10_000], "properties": many});
    assert_eq!(
        site.bot("POST", "/rest/api/3/issue/properties", body).0,
        400
    );
}

#[test]
fn properties_of_their_own_are_set_for_each_issue_that_lets_them() {
    let mut site = Site::new();
    let key = site.issue("a");
    let rows = json!([{"issueID": 10_000, "properties": {"p": 1}}, {"issueID": 77, "properties": {"p": 2}}]);
    let path = "/rest/api/3/issue/properties/multi";
    let done = task(&mut site, "POST", path, &json!({ "issues": rows }));
    assert_eq!(done["status"], "COMPLETE");
    assert!(done["result"]["errors"]["77"].is_string());
    assert_eq!(property(&site, &key), json!(1));
    let body = json!({"issues": (0..101).map(|id| json!({"issueID": id, "properties": {"p": 1}})).collect::<Value>()});
    assert_eq!(site.bot("POST", path, body).0, 400);
}

#[test]
fn a_filter_makes_a_compare_and_set_and_a_compare_and_delete() {
    let mut site = Site::new();
    let keys = [site.issue("a"), site.issue("b")];
    let body = json!({"entitiesIds": [10_000], "properties": {"p": "old"}});
    task(&mut site, "POST", "/rest/api/3/issue/properties", &body);
    let path = "/rest/api/3/issue/properties/p";
    let swap =
        json!({"value": "new", "filter": {"currentValue": "old", "entityIds": [10_000, 10_001]}});
    task(&mut site, "PUT", path, &swap);
    assert_eq!(
        (property(&site, &keys[0]), property(&site, &keys[1])),
        (json!("new"), Value::Null)
    );
    task(
        &mut site,
        "PUT",
        path,
        &json!({"value": 5, "filter": {"hasProperty": false}}),
    );
    assert_eq!(property(&site, &keys[1]), json!(5));
    task(&mut site, "DELETE", path, &json!({"currentValue": "new"}));
    assert_eq!(
        (property(&site, &keys[0]), property(&site, &keys[1])),
        (Value::Null, json!(5))
    );
    let contradiction = json!({"value": 1, "filter": {"currentValue": 1, "hasProperty": false}});
    assert_eq!(site.bot("PUT", path, contradiction).0, 400);
    assert_eq!(site.bot("PUT", path, json!({"expression": "1"})).0, 501);
}

#[test]
fn a_task_is_for_who_submitted_it_and_for_administrators() {
    let mut site = Site::new();
    site.issue("a");
    let body = json!({"entitiesIds": [10_000], "properties": {"p": 1}});
    let done = task(&mut site, "POST", "/rest/api/3/issue/properties", &body);
    let path = format!("/rest/api/3/task/{}", done["id"].as_str().unwrap());
    assert_eq!(site.call(Role::Product, "GET", &path, Value::Null).0, 403);
    assert_eq!(site.admin("GET", &path, Value::Null).0, 200);
    assert_eq!(site.admin("GET", "/rest/api/3/task/1", Value::Null).0, 404);
}

#[test]
fn a_remote_link_is_found_changed_and_removed_by_id_and_by_global_id() {
    let mut site = Site::new();
    let key = site.issue("a");
    let links = format!("/rest/api/3/issue/{key}/remotelink");
    let link = |title: &str| json!({"globalId": "g", "object": {"url": "https://a.example", "title": title}});
    let id = site.bot("POST", &links, link("One")).1["id"].clone();
    let one = format!("{links}/{id}");
    assert_eq!(site.bot("PUT", &one, link("Two")).0, 204);
    assert_eq!(
        site.bot("GET", &one, Value::Null).1["object"]["title"],
        "Two"
    );
    assert_eq!(site.call(Role::Product, "POST", &links, link("x")).0, 403);
    assert_eq!(
        site.bot("GET", &format!("{links}?globalId=none"), Value::Null)
            .0,
        404
    );
    assert_eq!(
        site.bot("DELETE", &format!("{links}?globalId=g"), Value::Null)
            .0,
        204
    );
    assert_eq!(site.bot("DELETE", &one, Value::Null).0, 404);
    assert_eq!(
        site.bot("POST", &links, json!({"object": {"title": "x"}}))
            .0,
        400
    );
    let long =
        json!({"globalId": "g".repeat(256), "object": {"url": "https://a.example", "title": "x"}});
    assert_eq!(site.bot("POST", &links, long).0, 400);
}
