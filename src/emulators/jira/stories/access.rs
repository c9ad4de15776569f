//! Who gets in, and what is behind no door.

use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Role, Site, basic};

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
    let old = basic("sync.bot@example.com", "ATATT-emulated-0001");
    site.jira.user_mut(&bot).unwrap().token = "renewed".into();
    let expired = http::Request::get("/rest/api/3/myself")
        .header("authorization", old)
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

fn get(site: &mut Site, path: &str, authorization: &str) -> (u16, Value) {
    let request = http::Request::get(path)
        .header("authorization", authorization)
        .body(Bytes::new())
        .unwrap();
    let response = site
        .jira
        .handle(&request, site.now, &mut site.journal)
        .response;
    let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    (response.status().as_u16(), body)
}

#[test]
fn a_token_expires_and_a_deactivated_user_is_refused() {
    let mut site = Site::new();
    let bot = site.account(Role::Bot);
    let at = site.now + SignedDuration::from_secs(60);
    site.jira.user_mut(&bot).unwrap().token_expires = Some(at);
    assert_eq!(site.bot("GET", "/rest/api/3/myself", Value::Null).0, 200);
    site.wait(60);
    let (status, body) = site.bot("GET", "/rest/api/3/myself", Value::Null);
    let text = "Client must be authenticated to access this resource.";
    assert_eq!((status, &body["errorMessages"][0]), (401, &json!(text)));
    let paula = site.jira.user(Role::Product).unwrap().clone();
    site.jira.user_mut(&paula.account_id).unwrap().active = false;
    let header = basic(&paula.email, &paula.token);
    assert_eq!(get(&mut site, "/rest/api/3/myself", &header).0, 401);
}

#[test]
fn a_scoped_token_works_through_the_gateway_and_only_for_its_scopes() {
    let mut site = Site::new();
    let bot = site.jira.user(Role::Bot).unwrap().clone();
    let header = basic(&bot.email, &bot.token);
    let scopes = ["read:jira-work", "read:jira-user"].map(ToOwned::to_owned);
    site.jira.user_mut(&bot.account_id).unwrap().scopes = Some(scopes.into());
    assert_eq!(get(&mut site, "/rest/api/3/myself", &header).0, 401);
    let (_, tenant) = get(&mut site, "/_edge/tenant_info", "");
    let gateway = format!(
        "/ex/jira/{}/rest/api/3",
        tenant["cloudId"].as_str().unwrap()
    );
    let (status, me) = get(&mut site, &format!("{gateway}/myself"), &header);
    assert_eq!((status, &me["displayName"]), (200, &json!("Sync Bot")));
    let members = format!("{gateway}/group/member?groupname=security-reviewers");
    let (status, body) = get(&mut site, &members, &header);
    assert_eq!(status, 401);
    assert_eq!(
        body,
        json!({"code": 401, "message": "Unauthorized; scope does not match"})
    );
    let elsewhere = "/ex/jira/00000000-0000-0000-0000-000000000000/rest/api/3/myself";
    assert_eq!(get(&mut site, elsewhere, &header).0, 404);
}

#[test]
fn aliases_two_and_latest_lead_to_the_same_operations() {
    let mut site = Site::new();
    let key = site.issue("a");
    for version in ["2", "latest"] {
        let path = format!("/rest/api/{version}/issue/{key}");
        let (status, issue) = site.bot("GET", &path, Value::Null);
        assert_eq!(
            (status, &issue["fields"]["description"]),
            (200, &json!("What AWS says"))
        );
        let link = issue["self"].as_str().unwrap();
        assert_eq!(link, "https://emulated.example/rest/api/2/issue/10000");
        let (_, info) = site.bot(
            "GET",
            &format!("/rest/api/{version}/serverInfo"),
            Value::Null,
        );
        assert_eq!(info["deploymentType"], "Cloud");
        assert!(
            site.jira
                .counts
                .contains_key(&format!("GET /rest/api/{version}/serverInfo"))
        );
    }
}

#[test]
fn a_body_that_is_no_json_and_a_page_that_is_no_number_are_told_apart() {
    let mut site = Site::new();
    let bot = site.jira.user(Role::Bot).unwrap().clone();
    let request = http::Request::post("/rest/api/3/issue")
        .header("authorization", basic(&bot.email, &bot.token))
        .body(Bytes::from_static(b"{"))
        .unwrap();
    let response = site
        .jira
        .handle(&request, site.now, &mut site.journal)
        .response;
    let text = "There was an error parsing JSON. Check that your request body is valid.";
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body, json!({ "errorMessages": [text] }));
    let (status, body) = site.bot(
        "GET",
        "/rest/api/3/project/search?maxResults=many",
        Value::Null,
    );
    assert_eq!(status, 400, "{body}");
}

#[test]
fn an_archived_project_is_read_by_link_found_by_no_search_and_changed_by_nobody() {
    let mut site = Site::new();
    let key = site.issue("kept");
    let path = format!("/rest/api/3/issue/{key}");
    site.must(204, "POST", "/rest/api/3/project/SEC/archive", Value::Null);
    assert_eq!(site.bot("GET", &path, Value::Null).0, 200);
    assert!(site.ids("labels = kept").is_empty());
    assert_eq!(site.go(Role::Bot, &key, "21").0, 400);
    let edit = json!({"fields": {"summary": "x"}});
    assert_eq!(site.bot("PUT", &path, edit).0, 400);
    assert_eq!(site.bot("DELETE", &path, Value::Null).0, 403);
    let (status, body) = site.bot("POST", "/rest/api/3/issue", super::element("x", &[]));
    assert!(
        status == 400
            && body["errors"]["project"]
                .as_str()
                .unwrap()
                .contains("archived")
    );
    site.must(200, "POST", "/rest/api/3/project/SEC/restore", Value::Null);
    assert_eq!(site.ids("labels = kept"), [key]);
}
