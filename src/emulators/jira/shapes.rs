//! Do the answers fit Atlassian's own OpenAPI document? Runs where that document is at hand.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use serde_json::{Map, Value, json};

use super::stories::{Site, adf, element};

/// OpenAPI 3.0 to JSON Schema: `nullable` becomes a type, unknown members become errors. Two places are widened
/// because Jira's examples and recorded answers disagree with its schema: changelog values may be null, and dates of
/// bulk tasks are numbers.
fn to_json_schema(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(to_json_schema);
            let is_nullable = object.remove("nullable") == Some(json!(true));
            if let Some(Value::String(kind)) = object.get("type").cloned() {
                let mut kinds = vec![kind.clone()];
                if is_nullable {
                    kinds.push("null".into());
                }
                if kind == "string" && object.get("format") == Some(&json!("date-time")) {
                    kinds.push("integer".into());
                }
                object.insert("type".into(), json!(kinds));
            }
            for noise in ["xml", "example", "format"] {
                if object
                    .get(noise)
                    .is_some_and(|inner| !inner.is_object() || noise == "xml")
                {
                    object.remove(noise);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(to_json_schema),
        _ => {}
    }
}

fn components() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/jira-openapi.json");
    let text = std::fs::read_to_string(path).ok()?;
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let mut components = json!({"schemas": document["components"]["schemas"].take()});
    to_json_schema(&mut components);
    let change = components["schemas"]["ChangeDetails"]["properties"]
        .as_object_mut()
        .unwrap();
    for property in change.values_mut() {
        property["type"] = json!(["string", "null"]);
    }
    Some(components)
}

fn schema(name: &str, components: &Value) -> Value {
    let one = json!({"$ref": format!("#/components/schemas/{}", name.trim_end_matches("[]"))});
    let mut schema: Map<String, Value> = if name.ends_with("[]") {
        json!({"type": "array", "items": one})
            .as_object()
            .unwrap()
            .clone()
    } else {
        one.as_object().unwrap().clone()
    };
    schema.insert("components".into(), components.clone());
    Value::Object(schema)
}

#[test]
fn answers_fit_the_openapi_document() {
    let Some(components) = components() else {
        println!("skipped: no OpenAPI document beside the checkout");
        return;
    };
    let mut site = Site::new();
    let key = site.issue("a");
    site.bot(
        "POST",
        &format!("/rest/api/3/issue/{key}/transitions"),
        json!({"transition": {"id": "21"}}),
    );
    let issue = format!("/rest/api/3/issue/{key}");
    let link = json!({"globalId": "g", "object": {"url": "https://a.example", "title": "A"}});
    let mut refused = element("x", &["a b"]);
    refused["transition"] = json!({"id": "21"});
    let mut moved = element("x", &[]);
    moved["transition"] = json!({"id": "21"});
    let bulk =
        json!({"bulkTransitionInputs": [{"selectedIssueIdsOrKeys": [key], "transitionId": "21"}]});
    let search = json!({"jql": "project = SEC", "fields": ["*all"], "expand": "changelog"});
    let nothing = Value::Null;
    let rows: Vec<(&str, String, &Value, u16, &str)> = vec![
        ("GET", "/rest/api/3/myself".into(), &nothing, 200, "User"),
        (
            "GET",
            "/rest/api/3/serverInfo".into(),
            &nothing,
            200,
            "ServerInformation",
        ),
        (
            "GET",
            "/rest/api/3/mypermissions?permissions=EDIT_ISSUES".into(),
            &nothing,
            200,
            "Permissions",
        ),
        (
            "GET",
            "/rest/api/3/field".into(),
            &nothing,
            200,
            "FieldDetails[]",
        ),
        (
            "GET",
            "/rest/api/3/status".into(),
            &nothing,
            200,
            "StatusDetails[]",
        ),
        (
            "GET",
            "/rest/api/3/priority".into(),
            &nothing,
            200,
            "Priority[]",
        ),
        (
            "GET",
            "/rest/api/3/project/SEC".into(),
            &nothing,
            200,
            "Project",
        ),
        (
            "GET",
            "/rest/api/3/project/search".into(),
            &nothing,
            200,
            "PageBeanProject",
        ),
        (
            "GET",
            "/rest/api/3/project/SEC/statuses".into(),
            &nothing,
            200,
            "IssueTypeWithStatus[]",
        ),
        (
            "GET",
            "/rest/api/3/project/SEC/role/10101".into(),
            &nothing,
            200,
            "ProjectRole",
        ),
        (
            "GET",
            "/rest/api/3/group/member?groupname=sync-bots".into(),
            &nothing,
            200,
            "PageBeanUserDetails",
        ),
        (
            "GET",
            "/rest/api/3/issue/createmeta/SEC/issuetypes".into(),
            &nothing,
            200,
            "PageOfCreateMetaIssueTypes",
        ),
        (
            "GET",
            "/rest/api/3/issue/createmeta/SEC/issuetypes/10002".into(),
            &nothing,
            200,
            "PageOfCreateMetaIssueTypeWithField",
        ),
        (
            "POST",
            "/rest/api/3/issue".into(),
            &moved,
            201,
            "CreatedIssue",
        ),
        (
            "POST",
            "/rest/api/3/issue".into(),
            &refused,
            400,
            "ErrorCollection",
        ),
        (
            "GET",
            format!("{issue}?expand=changelog&properties=*all"),
            &nothing,
            200,
            "IssueBean",
        ),
        (
            "GET",
            format!("{issue}/changelog"),
            &nothing,
            200,
            "PageBeanChangelog",
        ),
        (
            "GET",
            format!("{issue}/transitions?expand=transitions.fields"),
            &nothing,
            200,
            "Transitions",
        ),
        (
            "GET",
            format!("{issue}/properties"),
            &nothing,
            200,
            "PropertyKeys",
        ),
        (
            "POST",
            format!("{issue}/remotelink"),
            &link,
            201,
            "RemoteIssueLinkIdentifies",
        ),
        (
            "GET",
            format!("{issue}/remotelink"),
            &nothing,
            200,
            "RemoteIssueLink[]",
        ),
        (
            "POST",
            "/rest/api/3/search/jql".into(),
            &search,
            200,
            "SearchAndReconcileResults",
        ),
        (
            "POST",
            "/rest/api/3/bulk/issues/transition".into(),
            &bulk,
            201,
            "SubmittedBulkOperation",
        ),
        (
            "GET",
            "/rest/api/3/bulk/queue/99".into(),
            &nothing,
            400,
            "ErrorCollection",
        ),
    ];
    let mut wrong = Vec::new();
    let mut check = |what: String, name: &str, body: &Value| {
        let validator = jsonschema::validator_for(&schema(name, &components)).unwrap();
        wrong.extend(
            validator
                .iter_errors(body)
                .map(|e| format!("{what} {name} at {}: {e}", e.instance_path())),
        );
    };
    for (method, path, body, expected, name) in rows {
        let (status, mut answer) = site.bot(method, &path, body.clone());
        assert_eq!(status, expected, "{method} {path}: {answer}");
        // The recorded refusal of an unknown task has a member that no schema has.
        answer
            .as_object_mut()
            .map(|object| object.remove("httpStatusCode"));
        check(format!("{method} {path}"), name, &answer);
    }
    let comment = json!({"body": adf("hello"), "properties": [{"key": "k", "value": 1}]});
    let many =
        json!({"issueUpdates": [element("a", &[]), {"fields": {"project": {"key": "SEC"}}}]});
    let fetch = json!({"issueIdsOrKeys": [key], "expand": ["changelog"], "properties": ["*all"]});
    let count = json!({"jql": "project = SEC"});
    for (path, body, name) in [
        (format!("{issue}/comment"), comment, "Comment"),
        ("/rest/api/3/issue/bulk".into(), many, "CreatedIssues"),
        (
            "/rest/api/3/issue/bulkfetch".into(),
            fetch,
            "BulkIssueResults",
        ),
        (
            "/rest/api/3/changelog/bulkfetch".into(),
            json!({"issueIdsOrKeys": [key]}),
            "BulkChangelogResponseBean",
        ),
        (
            "/rest/api/3/search/approximate-count".into(),
            count,
            "JQLCountResultsBean",
        ),
    ] {
        let (_, answer) = site.bot("POST", &path, body);
        check(format!("POST {path}"), name, &answer);
    }
    let (_, task) = site.bot(
        "POST",
        "/rest/api/3/bulk/issues/delete",
        json!({"selectedIssueIdsOrKeys": [key]}),
    );
    let queue = format!(
        "/rest/api/3/bulk/queue/{}",
        task["taskId"].as_str().unwrap()
    );
    let (_, progress) = site.bot("GET", &queue, Value::Null);
    check("GET bulk/queue".into(), "BulkOperationProgress", &progress);
    let noticed = jsonschema::validator_for(&schema("User", &components)).unwrap();
    assert!(
        !noticed.is_valid(&json!({"accountId": 5})) && !noticed.is_valid(&json!({"nonsense": "x"}))
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
