//! Do the answers fit Atlassian's own OpenAPI document? Runs where that document is at hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

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

/// Path (`{key}` stands for an issue that was resolved and linked) and schema of its 200.
const READS: [(&str, &str); 18] = [
    ("myself", "User"),
    ("serverInfo", "ServerInformation"),
    ("mypermissions?permissions=EDIT_ISSUES", "Permissions"),
    ("field", "FieldDetails[]"),
    ("status", "StatusDetails[]"),
    ("priority", "Priority[]"),
    ("project/SEC", "Project"),
    ("project/search", "PageBeanProject"),
    ("project/SEC/statuses", "IssueTypeWithStatus[]"),
    ("project/SEC/role/10101", "ProjectRole"),
    ("group/member?groupname=sync-bots", "PageBeanUserDetails"),
    (
        "issue/createmeta/SEC/issuetypes",
        "PageOfCreateMetaIssueTypes",
    ),
    (
        "issue/createmeta/SEC/issuetypes/10002",
        "PageOfCreateMetaIssueTypeWithField",
    ),
    ("issue/{key}?expand=changelog&properties=*all", "IssueBean"),
    ("issue/{key}/changelog", "PageBeanChangelog"),
    (
        "issue/{key}/transitions?expand=transitions.fields",
        "Transitions",
    ),
    ("issue/{key}/properties", "PropertyKeys"),
    ("issue/{key}/remotelink", "RemoteIssueLink[]"),
];

/// Path, body, expected status, schema. The delete of the issue comes last.
fn writes(key: &str) -> Vec<(&'static str, Value, u16, &'static str)> {
    let mut moved = element("x", &[]);
    moved["transition"] = json!({"id": "21"});
    let many = json!([element("a", &[]), {"fields": {"project": {"key": "SEC"}}}]);
    let bulk = json!([{"selectedIssueIdsOrKeys": [key], "transitionId": "21"}]);
    let link = json!({"globalId": "g2", "object": {"url": "https://a.example", "title": "A"}});
    let comment = json!({"body": adf("hello"), "properties": [{"key": "k", "value": 1}]});
    let fetch = json!({"issueIdsOrKeys": [key], "expand": ["changelog"], "properties": ["*all"]});
    let search = json!({"jql": "project = SEC", "fields": ["*all"], "expand": "changelog"});
    vec![
        ("issue", moved, 201, "CreatedIssue"),
        ("issue", element("x", &["a b"]), 400, "ErrorCollection"),
        (
            "issue/bulk",
            json!({"issueUpdates": many}),
            201,
            "CreatedIssues",
        ),
        (
            "issue/{key}/remotelink",
            link,
            201,
            "RemoteIssueLinkIdentifies",
        ),
        ("issue/{key}/comment", comment, 201, "Comment"),
        ("issue/bulkfetch", fetch, 200, "BulkIssueResults"),
        ("search/jql", search, 200, "SearchAndReconcileResults"),
        (
            "search/approximate-count",
            json!({"jql": "project = SEC"}),
            200,
            "JQLCountResultsBean",
        ),
        (
            "changelog/bulkfetch",
            json!({"issueIdsOrKeys": [key]}),
            200,
            "BulkChangelogResponseBean",
        ),
        (
            "bulk/issues/transition",
            json!({"bulkTransitionInputs": bulk}),
            201,
            "SubmittedBulkOperation",
        ),
        (
            "bulk/issues/delete",
            json!({"selectedIssueIdsOrKeys": []}),
            400,
            "BulkOperationErrorResponse",
        ),
        (
            "bulk/issues/delete",
            json!({"selectedIssueIdsOrKeys": [key]}),
            201,
            "SubmittedBulkOperation",
        ),
    ]
}

#[test]
fn answers_fit_the_openapi_document() {
    let Some(components) = components() else {
        println!("skipped: no OpenAPI document beside the checkout");
        return;
    };
    let validator = |name: &str| jsonschema::validator_for(&schema(name, &components)).unwrap();
    assert!(
        !validator("User").is_valid(&json!({"accountId": 5})),
        "a wrong type must be noticed"
    );
    assert!(
        !validator("User").is_valid(&json!({"nonsense": "x"})),
        "an unknown member must be noticed"
    );
    let mut site = Site::new();
    let key = site.issue("a");
    let link = json!({"globalId": "g", "object": {"url": "https://a.example", "title": "A"}});
    site.bot("POST", &format!("/rest/api/3/issue/{key}/remotelink"), link);
    site.bot(
        "PUT",
        &format!("/rest/api/3/issue/{key}/properties/p"),
        json!({"v": 1}),
    );
    site.bot(
        "POST",
        &format!("/rest/api/3/issue/{key}/transitions"),
        json!({"transition": {"id": "21"}}),
    );
    let reads = READS
        .into_iter()
        .map(|(path, name)| ("GET", path, Value::Null, 200, name));
    let writes = writes(&key)
        .into_iter()
        .map(|(path, body, status, name)| ("POST", path, body, status, name));
    let mut wrong = Vec::new();
    let mut task = String::new();
    for (method, path, body, expected, name) in reads.chain(writes) {
        let path = format!("/rest/api/3/{}", path.replace("{key}", &key));
        let (status, answer) = site.bot(method, &path, body);
        assert_eq!(status, expected, "{method} {path}: {answer}");
        task = answer["taskId"].as_str().map_or(task, ToOwned::to_owned);
        let errors = validator(name)
            .iter_errors(&answer)
            .map(|e| format!("{path} at {}: {e}", e.instance_path()))
            .collect::<Vec<_>>();
        wrong.extend(errors);
    }
    let (_, progress) = site.bot(
        "GET",
        &format!("/rest/api/3/bulk/queue/{task}"),
        Value::Null,
    );
    assert!(
        validator("BulkOperationProgress").is_valid(&progress),
        "{progress}"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
