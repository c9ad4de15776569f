//! Workflow schemes: made, assigned to empty projects, switched with issues in them.

use serde_json::{Value, json};

use super::workflows::creation;
use super::{OPEN, Role, Site};

/// An untouched site with a workflow *Reviewed* and a scheme of it; gives the scheme's id.
fn reviewed(site: &mut Site) -> String {
    site.must(
        200,
        "POST",
        "/rest/api/3/workflows/create",
        creation("Reviewed"),
    );
    let body = json!({"name": "Reviewed", "description": "d", "defaultWorkflow": "Reviewed"});
    let made = site.must(201, "POST", "/rest/api/3/workflowscheme", body);
    made["id"].to_string()
}

#[test]
fn a_scheme_is_made_read_changed_and_deleted() {
    let mut site = Site::untouched();
    let id = reviewed(&mut site);
    let path = format!("/rest/api/3/workflowscheme/{id}");
    assert_eq!(site.bot("GET", &path, Value::Null).0, 403);
    let shown = site.must(200, "GET", &path, Value::Null);
    assert_eq!(
        (&shown["defaultWorkflow"], &shown["draft"]),
        (&json!("Reviewed"), &json!(false))
    );
    let again = json!({"name": "reviewed"});
    assert_eq!(
        site.admin("POST", "/rest/api/3/workflowscheme", again).0,
        400
    );
    assert_eq!(
        site.admin(
            "POST",
            "/rest/api/3/workflowscheme",
            json!({"name": "x", "defaultWorkflow": "none"})
        )
        .0,
        400
    );
    let change = json!({"name": "Renamed", "issueTypeMappings": {"10003": "jira"}});
    let changed = site.must(200, "PUT", &path, change);
    assert_eq!(changed["issueTypeMappings"], json!({"10003": "jira"}));
    let list = site.must(200, "GET", "/rest/api/3/workflowscheme", Value::Null);
    assert_eq!(list["total"], 3);
    let read = site.must(
        200,
        "POST",
        "/rest/api/3/workflowscheme/read",
        json!({"workflowSchemeIds": [id]}),
    );
    assert_eq!(read[0]["version"]["versionNumber"], 2);
    assert_eq!(
        read[0]["workflowsForIssueTypes"][0]["issueTypeIds"],
        json!(["10003"])
    );
    assert_eq!(read[0]["defaultWorkflow"]["name"], "Reviewed");
    site.must(204, "DELETE", &path, Value::Null);
    assert_eq!(site.admin("GET", &path, Value::Null).0, 404);
    let used = "/rest/api/3/workflowscheme/10000";
    assert_eq!(site.admin("DELETE", used, Value::Null).0, 400);
    let draft = json!({"name": "y", "defaultWorkflow": "jira", "updateDraftIfNeeded": true});
    assert_eq!(site.admin("PUT", used, draft).0, 501);
}

#[test]
fn a_scheme_is_assigned_only_where_there_are_no_issues() {
    let mut site = Site::untouched();
    let id = reviewed(&mut site);
    let body = json!({"projectId": "10000", "workflowSchemeId": id});
    site.must(
        204,
        "PUT",
        "/rest/api/3/workflowscheme/project",
        body.clone(),
    );
    let path = "/rest/api/3/workflowscheme/project?projectId=10000";
    let rows = site.must(200, "GET", path, Value::Null);
    assert_eq!(rows["values"][0]["workflowScheme"]["name"], "Reviewed");
    assert_eq!(rows["values"][0]["projectIds"], json!(["10000"]));
    let usages = format!("/rest/api/3/workflowscheme/{id}/projectUsages");
    assert_eq!(
        site.must(200, "GET", &usages, Value::Null)["projects"]["values"],
        json!([{"id": "10000"}])
    );
    let key = site.issue("a");
    assert_eq!(
        site.jira.status_name(site.jira.issue(&key).unwrap().status),
        "Open"
    );
    assert_eq!(site.go(Role::Product, &key, "11").0, 204);
    assert_eq!(
        site.go(Role::Product, &key, "21").0,
        400,
        "only administrators shut"
    );
    assert_eq!(site.go(Role::Admin, &key, "21").0, 204);
    assert_eq!(
        site.admin("PUT", "/rest/api/3/workflowscheme/project", body)
            .0,
        400
    );
    let fallback = json!({"projectId": "10000", "workflowSchemeId": null});
    assert_eq!(
        site.admin("PUT", "/rest/api/3/workflowscheme/project", fallback)
            .0,
        400
    );
    assert_eq!(
        site.admin("GET", "/rest/api/3/workflowscheme/project", Value::Null)
            .0,
        400
    );
    assert_eq!(site.bot("GET", path, Value::Null).0, 403);
}

#[test]
fn a_switch_moves_the_issues_whose_status_is_gone_by_a_task() {
    let mut site = Site::untouched();
    let id = reviewed(&mut site);
    let (todo, done) = (site.issue("a"), site.issue("b"));
    assert_eq!(site.go(Role::Product, &done, "31").0, 204);
    let mut body = json!({"projectId": "10000", "targetSchemeId": id});
    let path = "/rest/api/3/workflowscheme/project/switch";
    let (status, refused) = site.admin("POST", path, body.clone());
    assert_eq!(
        (status, refused["errors"].as_object().unwrap().len()),
        (400, 2),
        "{refused}"
    );
    let mappings = json!([{"oldStatusId": "10000", "newStatusId": "1"}, {"oldStatusId": "10001", "newStatusId": "5"}]);
    body["mappingsByIssueTypeOverride"] =
        json!([{"issueTypeId": "10002", "statusMappings": mappings}]);
    assert_eq!(site.bot("POST", path, body.clone()).0, 401);
    let answered = site.answer(Role::Admin, "POST", path, &body).response;
    assert_eq!(answered.status(), 303);
    let link = answered.headers()["location"].to_str().unwrap();
    let task = link
        .strip_prefix("https://emulated.example")
        .unwrap()
        .to_owned();
    assert_eq!(
        site.must(200, "GET", &task, Value::Null)["status"],
        "COMPLETE"
    );
    let name = |site: &Site, key: &str| site.jira.status_name(site.jira.issue(key).unwrap().status);
    assert_eq!(
        (name(&site, &todo), name(&site, &done)),
        ("Open".into(), "Resolved".into())
    );
    assert_eq!(site.go(Role::Product, &done, "21").0, 400);
    let unknown = json!({"projectId": "10000", "targetSchemeId": "77"});
    assert_eq!(site.admin("POST", path, unknown).0, 400);
}

#[test]
fn a_scheme_in_use_changes_under_its_version_with_the_mappings_it_needs() {
    let mut site = Site::new();
    let key = site.issue("a");
    let mut creation = creation("Reviewed");
    creation["statuses"][0]["id"] = json!(OPEN.to_string());
    creation["statuses"][1]["id"] = json!("10003");
    site.must(200, "POST", "/rest/api/3/workflows/create", creation);
    site.go(Role::Bot, &key, "11");
    let ids = |site: &mut Site, name: &str| {
        let read = site.must(
            200,
            "POST",
            "/rest/api/3/workflows",
            json!({"workflowNames": [name]}),
        );
        read["workflows"][0]["id"].as_str().unwrap().to_owned()
    };
    let (old, new) = (
        ids(&mut site, "Security tickets"),
        ids(&mut site, "Reviewed"),
    );
    let scheme = json!({"workflowSchemeIds": ["10100"]});
    let version =
        site.must(200, "POST", "/rest/api/3/workflowscheme/read", scheme)[0]["version"].clone();
    let wanted = json!({"id": "10100", "defaultWorkflowId": new, "workflowsForIssueTypes": []});
    let needed = site.must(
        200,
        "POST",
        "/rest/api/3/workflowscheme/update/mappings",
        wanted,
    );
    assert_eq!(
        needed["statusMappingsByIssueTypes"],
        json!([{"issueTypeId": "10002", "statusIds": ["10002"]}])
    );
    assert_eq!(
        needed["statusMappingsByWorkflows"][0]["targetWorkflowId"],
        json!(new)
    );
    let mut body = json!({
        "id": "10100", "name": "Security tickets", "description": "", "version": version, "defaultWorkflowId": new,
    });
    let path = "/rest/api/3/workflowscheme/update";
    assert_eq!(site.admin("POST", path, body.clone()).0, 400);
    body["statusMappingsByWorkflows"] = json!([{
        "oldWorkflowId": old, "newWorkflowId": new,
        "statusMappings": [{"oldStatusId": "10002", "newStatusId": "10001"}],
    }]);
    assert_eq!(
        site.answer(Role::Admin, "POST", path, &body)
            .response
            .status(),
        303
    );
    site.must(200, "GET", "/rest/api/3/myself", Value::Null);
    assert_eq!(site.status(&key), OPEN);
    assert_eq!(
        site.admin("POST", path, body).0,
        409,
        "the version has moved on"
    );
}
