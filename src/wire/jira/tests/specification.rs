//! Every request body against Atlassian's own OpenAPI document.

use std::path::Path;

use crate::ports::{Comment, Content, TicketQuery, TicketsReader, TicketsWriter};
use crate::wire::scripted::{json, text};

use super::writing::draft;
use super::*;

/// OpenAPI 3.0 says `nullable: true` where JSON Schema says `type: [.., "null"]`.
fn without_nullable(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.remove("nullable") == Some(Value::Bool(true))
                && let Some(kind) = members.get("type").and_then(Value::as_str)
            {
                let kinds = j!([kind, "null"]);
                members.insert("type".to_owned(), kinds);
            }
            members.values_mut().for_each(without_nullable);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nullable),
        _ => {}
    }
}

/// The schema of an operation's request body; `None` when it takes none.
fn body_schema(document: &Value, line: &str) -> Option<Value> {
    let (method, path) = line.split_once(' ').unwrap();
    let segments: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
    let fits = |pattern: &str| {
        let pattern: Vec<&str> = pattern.split('/').collect();
        pattern.len() == segments.len()
            && pattern
                .iter()
                .zip(&segments)
                .all(|(p, s)| p.starts_with('{') || p == s)
    };
    // A literal path wins over a pattern with placeholders: `issue/bulk` over `issue/{issueIdOrKey}`.
    let paths = document["paths"].as_object().unwrap();
    let (_, operations) = paths
        .iter()
        .filter(|(pattern, operations)| {
            fits(pattern) && operations.get(method.to_lowercase()).is_some()
        })
        .min_by_key(|(pattern, _)| pattern.matches('{').count())
        .unwrap_or_else(|| panic!("Atlassian documents no {line}"));
    let operation = &operations[method.to_lowercase()];
    let reference = operation.pointer("/requestBody/content/application~1json/schema")?;
    Some(j!({"allOf": [reference], "components": document["components"]}))
}

#[tokio::test]
async fn every_request_body_fits_atlassians_specification() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/jira-openapi.json");
    let words = std::fs::read_to_string(file).unwrap();
    let mut document: Value = serde_json::from_str(&words).unwrap();
    without_nullable(&mut document["components"]);
    let seen = all_requests().await;
    let mut checked = 0;
    for request in &seen {
        let Some(schema) = body_schema(&document, &request.line) else {
            assert!(request.body.is_null(), "{} takes no body", request.line);
            continue;
        };
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft4)
            .build(&schema)
            .unwrap();
        let problems: Vec<String> = validator
            .iter_errors(&request.body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{}: {problems:#?}", request.line);
        checked += 1;
        let closed = schema_is_closed(&document, &schema);
        if closed {
            let mut wrong = request.body.clone();
            wrong["no such member"] = j!(1);
            assert!(
                !validator.is_valid(&wrong),
                "{}: the check cannot fail",
                request.line
            );
        }
    }
    assert_eq!(checked, 13, "requests with a body");
}

fn schema_is_closed(document: &Value, schema: &Value) -> bool {
    let reference = schema["allOf"][0]["$ref"].as_str().unwrap_or("");
    let target = document.pointer(reference.trim_start_matches('#'));
    target.is_some_and(|target| target["additionalProperties"] == false)
}

const MOVE: &str = "POST /rest/api/3/bulk/issues/move";

/// One request of each operation that the client knows.
async fn all_requests() -> Vec<crate::wire::scripted::Seen> {
    let bulk = [
        "POST /rest/api/3/bulk/issues/transition",
        "POST /rest/api/3/bulk/issues/delete",
    ];
    let task = "GET /rest/api/3/bulk/queue/77";
    let done = json(
        200,
        j!({"taskId": "77", "status": "COMPLETE", "processedAccessibleIssues": [10_001, 10_002, 10_003, 10_004, 10_005]}),
    );
    let moved = done.clone();
    let empty = json(200, j!({"issues": [], "isLast": true}));
    let transitions_of = "/rest/api/3/issue/10001/transitions";
    let (list, hop) = (
        format!("GET {transitions_of}"),
        format!("POST {transitions_of}"),
    );
    let (client, server, _) = client(vec![
        (
            "GET /rest/api/3/myself",
            json(200, j!({"accountId": "bot"})),
        ),
        (SEARCH, empty.clone()),
        (SEARCH, empty.clone()),
        (BULKFETCH, empty),
        (
            "POST /rest/api/3/changelog/bulkfetch",
            json(200, j!({"issueChangeLogs": []})),
        ),
        (
            "GET /rest/api/3/issue/10001",
            json(200, issue(10_001, "10000")),
        ),
        ("GET /rest/api/3/project/SEC", json(200, j!({}))),
        (
            "GET /rest/api/3/issue/10001/comment",
            json(200, j!({"comments": [{"id": "1"}], "total": 1})),
        ),
        (
            "POST /rest/api/3/comment/list",
            json(200, j!({"values": []})),
        ),
        (
            "POST /rest/api/3/issue/bulk",
            json(
                201,
                j!({"issues": [{"id": "1", "key": "SEC-1"}, {"id": "2", "key": "SEC-2"}], "errors": []}),
            ),
        ),
        (&list, json(200, transitions(&[("11", "10001")]))),
        (&hop, text(204, "")),
        (bulk[0], json(201, j!({"taskId": "77"}))),
        (task, done.clone()),
        (bulk[1], json(201, j!({"taskId": "77"}))),
        (task, done),
        (
            "GET /rest/api/3/issue/createmeta/PAY/issuetypes",
            json(200, j!({"issueTypes": [{"id": "10002", "name": "Task"}]})),
        ),
        (MOVE, json(201, j!({"taskId": "77"}))),
        (task, moved),
        (
            BULKFETCH,
            json(200, j!({"issues": [issue(10_001, "10000")]})),
        ),
        ("POST /rest/api/3/issue/10001/comment", json(201, j!({}))),
        ("PUT /rest/api/3/issue/10001", text(204, "")),
        ("DELETE /rest/api/3/issue/10001", text(204, "")),
    ]);
    let body = crate::wire::adf::Doc::new().heading(1, "x").to_value();
    let tickets: Vec<Ticket> = (10_001..=10_005).map(open).collect();
    let ids: Vec<u64> = tickets.iter().map(|ticket| ticket.at.id).collect();
    client.people().await.unwrap();
    let since = TicketQuery::UpdatedSince("2026-11-24T10:30:59Z".parse().unwrap());
    client.search(&since, Some("token")).await.unwrap();
    client.highest_number("SEC").await.unwrap();
    client.fetch_keys(&["SEC-1".to_owned()]).await.unwrap();
    client.moves(&[10_001]).await.unwrap();
    client.get(10_001).await.unwrap();
    client.project_readable("SEC").await.unwrap();
    client.has_comment(10_001, "k").await.unwrap();
    client.create(&[draft(1), draft(2)]).await.unwrap();
    client
        .move_to(&tickets[0], TicketState::Resolved)
        .await
        .unwrap();
    client.move_all(&tickets, TicketState::Resolved).await;
    client.delete_all(&ids).await;
    client.transfer_all(&tickets[..1], "PAY", "Task").await;
    let comment = Comment {
        key: "k".to_owned(),
        body: body.clone(),
    };
    client.comment(10_001, &comment).await.unwrap();
    let content = Content {
        summary: "S".to_owned(),
        description: body,
        priority: Some("High".to_owned()),
        component: None,
        assignee: None,
        fields: Default::default(),
    };
    client.update(10_001, &content).await.unwrap();
    client.delete_all(&[10_001]).await;
    server.finish()
}
