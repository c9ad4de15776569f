//! Bulk tasks and what becomes of them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{FaultKind, Role, Rule, Site};
use crate::emulators::faults::Fault;

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
fn faults_make_a_bulk_task_fail_in_part_or_take_long() {
    let mut site = Site::new();
    let keys = [site.issue("a"), site.issue("b")];
    let fails = FaultKind::BulkTaskFails { issues: 1 };
    site.jira
        .faults
        .arm(Fault::next("bulk/issues/delete", fails));
    let body = json!({"selectedIssueIdsOrKeys": keys, "sendBulkNotification": false});
    let (_, task) = site.bot("POST", "/rest/api/3/bulk/issues/delete", body.clone());
    let queue = |task: &Value| {
        format!(
            "/rest/api/3/bulk/queue/{}",
            task["taskId"].as_str().unwrap()
        )
    };
    let (_, progress) = site.bot("GET", &queue(&task), Value::Null);
    assert_eq!(progress["status"], "COMPLETE");
    assert!(progress["failedAccessibleIssues"]["10000"][0].is_string());
    assert_eq!(progress["processedAccessibleIssues"], json!([10_001]));
    let slow = FaultKind::BulkTaskSlow { seconds: 30 };
    site.jira
        .faults
        .arm(Fault::next("bulk/issues/delete", slow));
    let (_, task) = site.bot("POST", "/rest/api/3/bulk/issues/delete", body);
    assert_eq!(
        site.bot("GET", &queue(&task), Value::Null).1["status"],
        "RUNNING"
    );
    site.wait(30);
    assert_eq!(
        site.bot("GET", &queue(&task), Value::Null).1["status"],
        "COMPLETE"
    );
}

#[test]
fn bulk_changes_need_a_global_permission_and_bind_conditions() {
    let mut site = Site::new();
    let key = site.issue("a");
    let delete = json!({"selectedIssueIdsOrKeys": [key]});
    let path = "/rest/api/3/bulk/issues/delete";
    assert_eq!(site.call(Role::Product, "POST", path, delete).0, 403);
    let close =
        json!({"bulkTransitionInputs": [{"selectedIssueIdsOrKeys": [key], "transitionId": "61"}]});
    let task = site.must(201, "POST", "/rest/api/3/bulk/issues/transition", close);
    let queue = format!(
        "/rest/api/3/bulk/queue/{}",
        task["taskId"].as_str().unwrap()
    );
    let progress = site.must(200, "GET", &queue, Value::Null);
    let why = progress["failedAccessibleIssues"]["10000"][0]
        .as_str()
        .unwrap();
    assert!(why.starts_with("Can't move"), "admins are bound too: {why}");
    assert_eq!(
        site.bot("POST", path, json!({"selectedIssueIdsOrKeys": []}))
            .0,
        400
    );
    assert_eq!(
        site.bot("POST", path, json!({"selectedIssueIdsOrKeys": ["NO-1"]}))
            .0,
        400
    );
}

#[test]
fn bulk_transitions_are_those_that_all_issues_share_and_that_ask_for_nothing() {
    let mut site = Site::new();
    let keys = [site.issue("a"), site.issue("b")];
    site.go(Role::Bot, &keys[1], "11");
    let path = format!(
        "/rest/api/3/bulk/issues/transition?issueIdsOrKeys={},{}",
        keys[0], keys[1]
    );
    let (status, answer) = site.bot("GET", &path, Value::Null);
    let row = &answer["availableTransitions"][0];
    let names: Vec<&str> = row["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["transitionName"].as_str().unwrap())
        .collect();
    assert_eq!(
        (status, names),
        (200, vec!["Resolve", "Close directly", "Ignore"])
    );
    assert_eq!(
        (&row["issues"], &row["isTransitionsFiltered"]),
        (&json!(keys), &json!(false))
    );
    let resolve = site
        .jira
        .workflow_mut("SEC")
        .unwrap()
        .transition_mut("21")
        .unwrap();
    resolve.screen = Some(Rule::new("system:transition-screen", &[("screenId", "3")]));
    let (_, answer) = site.bot("GET", &path, Value::Null);
    let row = &answer["availableTransitions"][0];
    assert_eq!(row["isTransitionsFiltered"], json!(true));
    assert_eq!(row["transitions"].as_array().unwrap().len(), 2);
    let unknown = "/rest/api/3/bulk/issues/transition?issueIdsOrKeys=NO-1";
    let (status, body) = site.bot("GET", unknown, Value::Null);
    let text = "Some of the issues in the issueIdsOrKeys are not valid";
    assert_eq!(
        (status, body),
        (400, json!({"errors": [{"message": text}]}))
    );
}

#[test]
fn a_bulk_move_gives_another_key_and_needs_permission_on_both_sides() {
    let mut site = Site::new();
    site.jira.add_project("PAY", "Payments");
    let key = site.issue("a");
    site.go(Role::Bot, &key, "11");
    let (id, status) = {
        let issue = site.jira.issue(&key).unwrap();
        (issue.id, issue.status)
    };
    let path = "/rest/api/3/bulk/issues/move";
    let body = |place: &str, key: &str| {
        let sources = json!({
            "issueIdsOrKeys": [key], "inferStatusDefaults": true, "inferFieldDefaults": true,
            "inferClassificationDefaults": true, "inferSubtaskTypeDefault": true,
        });
        json!({"targetToSourcesMapping": {place: sources}, "sendBulkNotification": false})
    };
    let there = body("PAY,10002", &key);
    assert_eq!(site.call(Role::Product, "POST", path, there.clone()).0, 403);
    let progress = |site: &mut Site, task: &Value| {
        let task = task["taskId"].as_str().unwrap();
        site.must(
            200,
            "GET",
            &format!("/rest/api/3/bulk/queue/{task}"),
            Value::Null,
        )
    };
    // The prepared scheme gives the bot no Move issues.
    let (submitted, task) = site.bot("POST", path, there.clone());
    assert_eq!(submitted, 201);
    let failed = progress(&mut site, &task)["failedAccessibleIssues"].clone();
    assert!(failed[id.to_string()][0].is_string(), "{failed}");
    assert_eq!(site.jira.issue(&key).unwrap().key, key);
    for place in ["PAY,99999", "NO,10002", "PAY"] {
        assert_eq!(
            site.call(Role::Admin, "POST", path, body(place, &key)).0,
            400
        );
    }
    let mut vague = there.clone();
    vague["targetToSourcesMapping"]["PAY,10002"]
        .as_object_mut()
        .unwrap()
        .remove("inferFieldDefaults");
    assert_eq!(site.call(Role::Admin, "POST", path, vague).0, 400);
    let task = site.must(201, "POST", path, there.clone());
    assert_eq!(
        progress(&mut site, &task)["processedAccessibleIssues"],
        json!([id])
    );
    let issue = site.jira.issue(&key).unwrap();
    assert_eq!((issue.id, issue.key.as_str()), (id, "PAY-1"));
    assert_eq!(issue.status, status, "a status that both have stays");
    // Once more changes nothing.
    let changes = issue.history.len();
    let task = site.must(201, "POST", path, there);
    progress(&mut site, &task);
    assert_eq!(site.jira.issue(&key).unwrap().history.len(), changes);
}
