//! Statuses, resolutions, priorities, issue types and fields of a site.

use serde_json::{Value, json};

use super::{Role, Site};

#[test]
fn statuses_are_made_renamed_found_and_deleted() {
    let mut site = Site::new();
    let body = json!({
        "scope": {"type": "GLOBAL"},
        "statuses": [{"name": "Waiting", "statusCategory": "IN_PROGRESS", "description": "d"}],
    });
    let path = "/rest/api/3/statuses";
    assert_eq!(site.bot("POST", path, body.clone()).0, 401);
    let made = site.must(200, "POST", path, body.clone());
    let id = made[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(site.admin("POST", path, body).0, 409);
    let renamed = json!({"statuses": [{"id": id, "name": "On hold", "statusCategory": "TODO"}]});
    site.must(204, "PUT", path, renamed);
    let one = site.must(200, "GET", &format!("{path}?id={id}&id=77"), Value::Null);
    assert_eq!(
        one,
        json!([{
            "id": id, "name": "On hold", "description": "d", "statusCategory": "TODO", "scope": {"type": "GLOBAL"},
        }])
    );
    let found = site.must(
        200,
        "GET",
        &format!("{path}/search?searchString=hold"),
        Value::Null,
    );
    assert_eq!(found["total"], 1);
    let named = site.must(
        200,
        "GET",
        &format!("{path}/byNames?name=On+hold"),
        Value::Null,
    );
    assert_eq!(named[0]["id"], json!(id));
    let status = format!("/rest/api/3/status/{id}");
    assert_eq!(site.bot("GET", &status, Value::Null).1["name"], "On hold");
    site.must(204, "DELETE", &format!("{path}?id={id}"), Value::Null);
    assert_eq!(site.bot("GET", &status, Value::Null).0, 404);
    assert_eq!(
        site.admin("DELETE", &format!("{path}?id=10001"), Value::Null)
            .0,
        400
    );
}

#[test]
fn only_statuses_of_active_workflows_are_listed() {
    let mut site = Site::untouched();
    let (_, shown) = site.bot("GET", "/rest/api/3/status", Value::Null);
    let names: Vec<&str> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["In Progress", "To Do", "Done"]);
    let (_, open) = site.bot("GET", "/rest/api/3/status/Open", Value::Null);
    assert_eq!(
        (&open["id"], &open["statusCategory"]["key"]),
        (&json!("1"), &json!("new"))
    );
    let (_, all) = site.bot("GET", "/rest/api/3/statuscategory", Value::Null);
    assert_eq!(all.as_array().unwrap().len(), 3);
    let (_, done) = site.bot("GET", "/rest/api/3/statuscategory/done", Value::Null);
    assert_eq!(
        (&done["id"], &done["colorName"]),
        (&json!(3), &json!("green"))
    );
    assert_eq!(
        site.bot("GET", "/rest/api/3/statuscategory/77", Value::Null)
            .0,
        404
    );
}

#[test]
fn resolutions_are_made_and_found() {
    let mut site = Site::new();
    let made = site.must(
        201,
        "POST",
        "/rest/api/3/resolution",
        json!({"name": "Accepted"}),
    );
    let id = made["id"].as_str().unwrap();
    let (_, one) = site.bot("GET", &format!("/rest/api/3/resolution/{id}"), Value::Null);
    assert_eq!(one["name"], "Accepted");
    assert_eq!(
        site.admin(
            "POST",
            "/rest/api/3/resolution",
            json!({"name": "accepted"})
        )
        .0,
        400
    );
    assert_eq!(
        site.bot("POST", "/rest/api/3/resolution", json!({"name": "x"}))
            .0,
        403
    );
    let (_, all) = site.bot("GET", "/rest/api/3/resolution", Value::Null);
    assert_eq!(all.as_array().unwrap().len(), 5);
    let (_, page) = site.bot("GET", "/rest/api/3/resolution/search?id=10000", Value::Null);
    assert_eq!(
        (&page["total"], &page["values"][0]["name"]),
        (&json!(1), &json!("Done"))
    );
    assert_eq!(
        site.bot("GET", "/rest/api/3/resolution/77", Value::Null).0,
        404
    );
}

#[test]
fn priorities_issue_types_and_fields_are_told_with_their_clause_names() {
    let mut site = Site::new();
    site.jira
        .custom_fields
        .insert("customfield_10010".into(), "Team".into());
    let (_, fields) = site.call(Role::Product, "GET", "/rest/api/2/field", Value::Null);
    let summary = fields
        .as_array()
        .unwrap()
        .iter()
        .find(|field| field["id"] == "summary")
        .unwrap();
    assert_eq!(summary["clauseNames"], json!(["summary"]));
    assert_eq!(
        fields.as_array().unwrap().last().unwrap()["schema"]["customId"],
        10_010
    );
    let (_, all) = site.bot("GET", "/rest/api/3/priority", Value::Null);
    assert_eq!(all.as_array().unwrap().len(), 5);
    assert_eq!(
        site.bot("GET", "/rest/api/3/priority/2", Value::Null).1["name"],
        "High"
    );
    assert_eq!(
        site.bot("GET", "/rest/api/3/priority/9", Value::Null).0,
        404
    );
    let (_, types) = site.bot("GET", "/rest/api/3/issuetype", Value::Null);
    assert_eq!(types[1]["subtask"], json!(true));
    assert_eq!(
        site.bot("GET", "/rest/api/3/issuetype/10002", Value::Null)
            .1["name"],
        "Task"
    );
    assert_eq!(
        site.bot("GET", "/rest/api/3/issuetype/9", Value::Null).0,
        404
    );
    let (_, info) = site.bot("GET", "/rest/api/3/serverInfo", Value::Null);
    assert_eq!(
        (&info["deploymentType"], &info["versionNumbers"][0]),
        (&json!("Cloud"), &json!(1001))
    );
}
