use crate::model::Marker;
use crate::ports::{Comment, Content, Draft, TicketsWriter};
use crate::wire::error::WireError;
use crate::wire::scripted::{json, lost, text};
use crate::wire::transport::Lost;

use super::*;

const CREATE: &str = "POST /rest/api/3/issue/bulk";
const LIST: &str = "GET /rest/api/3/issue/10001/transitions";
const MOVE: &str = "POST /rest/api/3/issue/10001/transitions";
const GET: &str = "GET /rest/api/3/issue/10001";
const BULK_MOVE: &str = "POST /rest/api/3/bulk/issues/transition";
const BULK_DELETE: &str = "POST /rest/api/3/bulk/issues/delete";
const TASK: &str = "GET /rest/api/3/bulk/queue/77";

pub(super) fn draft(number: u8) -> Draft {
    Draft {
        marker: Marker(format!("asaf-{number:032x}")),
        project: "SEC".to_owned(),
        issue_type: "Task".to_owned(),
        summary: format!("Bucket {number} is public"),
        description: crate::wire::adf::Doc::new().heading(2, "Why").to_value(),
        priority: Some("High".to_owned()),
        labels: vec!["team-pay".to_owned(), "asaf".to_owned()],
        component: None,
        fields: Default::default(),
        assignee: None,
        property: j!({"v": 1, "finding": number}),
        due: None,
    }
}

fn created(id: u64) -> Value {
    j!({"id": id.to_string(), "key": format!("SEC-{}", id - 10_000), "self": "https://x"})
}

fn element_error(number: usize, errors: Value) -> Value {
    j!({"status": 400, "elementErrors": {"errorMessages": [], "errors": errors}, "failedElementNumber": number})
}

fn at(id: u64) -> TicketRef {
    TicketRef {
        id,
        key: format!("SEC-{}", id - 10_000),
    }
}

#[tokio::test]
async fn a_project_without_due_dates_gets_its_tickets_without_them() {
    let refused = element_error(
        1,
        j!({"duedate": "Field 'duedate' cannot be set. It is not on the appropriate screen, or unknown."}),
    );
    let first = j!({"issues": [created(10_001)], "errors": [refused]});
    let again = j!({"issues": [created(10_002)], "errors": []});
    let later = j!({"issues": [created(10_003)], "errors": []});
    let (client, server, _) = client(vec![
        (CREATE, json(201, first)),
        (CREATE, json(201, again)),
        (CREATE, json(201, later)),
    ]);
    let due = |project: &str| Draft {
        project: project.to_owned(),
        due: Some(jiff::civil::Date::constant(2026, 12, 1)),
        ..draft(1)
    };
    let outcomes = client.create(&[due("SEC"), due("WEB")]).await.unwrap();
    assert_eq!(outcomes, [Ok(at(10_001)), Ok(at(10_002))]);
    client.create(&[due("WEB")]).await.unwrap();
    let seen = server.finish();
    let dates = |call: usize| -> Vec<Value> {
        let updates = seen[call].body["issueUpdates"].as_array().unwrap();
        updates
            .iter()
            .map(|one| one["fields"]["duedate"].clone())
            .collect()
    };
    assert_eq!(dates(0), [j!("2026-12-01"), j!("2026-12-01")]);
    assert_eq!((dates(1), dates(2)), (vec![Value::Null], vec![Value::Null]));
}

#[tokio::test]
async fn a_due_date_is_set_where_the_screen_has_one() {
    let put = "PUT /rest/api/3/issue/10001";
    let off_screen =
        j!({"errorMessages": [], "errors": {"duedate": "Field 'duedate' cannot be set."}});
    let other = j!({"errorMessages": ["no"], "errors": {}});
    let (client, server, _) = client(vec![
        (put, json(204, j!(null))),
        (put, json(400, off_screen)),
        (put, json(400, other)),
    ]);
    let due = jiff::civil::Date::constant(2026, 12, 1);
    client.set_due(10_001, due).await.unwrap();
    client.set_due(10_001, due).await.unwrap();
    assert!(client.set_due(10_001, due).await.is_err());
    assert_eq!(
        server.finish()[0].body,
        j!({"fields": {"duedate": "2026-12-01"}})
    );
}

#[tokio::test]
async fn a_ticket_is_created_with_all_its_markers_in_one_call() {
    let answer = j!({"issues": [created(10_001)], "errors": []});
    let (client, server, _) = client(vec![(CREATE, json(201, answer))]);
    let outcomes = client.create(&[draft(1)]).await.unwrap();
    assert_eq!(outcomes, [Ok(at(10_001))]);
    let description = j!({"type": "doc", "version": 1, "content": [
        {"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": "Why"}]}]});
    assert_eq!(
        server.finish()[0].body,
        j!({"issueUpdates": [{
            "fields": {"project": {"key": "SEC"}, "issuetype": {"name": "Task"}, "summary": "Bucket 1 is public",
                "description": description, "priority": {"name": "High"},
                "labels": ["asaf", "asaf-00000000000000000000000000000001", "team-pay"]},
            "properties": [{"key": "asaf.link", "value": {"v": 1, "finding": 1}}]}]})
    );
}

#[tokio::test]
async fn a_partial_failure_is_matched_to_its_draft_and_names_the_field() {
    let answer = j!({
        "issues": [created(10_001), created(10_002)],
        "errors": [element_error(1, j!({"issuetype": "The issue type selected is invalid.", "priority": "Unknown."}))],
    });
    let (client, _, _) = client(vec![(CREATE, json(201, answer))]);
    let drafts = [draft(1), draft(2), draft(3)];
    let outcomes = client.create(&drafts).await.unwrap();
    assert_eq!(outcomes[0], Ok(at(10_001)));
    assert_eq!(outcomes[2], Ok(at(10_002)));
    assert_eq!(
        outcomes[1],
        Err(WireError::Misconfigured {
            what: "creating tickets in SEC".to_owned(),
            status: 400,
            message: "issuetype: The issue type selected is invalid.; priority: Unknown."
                .to_owned(),
            fix: "Check jira.issue_type: SEC has no issue type “Task”. Check [jira.priorities]: SEC does not take “High”".to_owned(),
        })
    );
}

#[tokio::test]
async fn a_field_that_the_finding_fills_is_the_fault_of_one_ticket() {
    let answer = j!({
        "issues": [created(10_001)],
        "errors": [element_error(1, j!({"summary": "Too long.", "priority": "Unknown."}))],
    });
    let (client, _, _) = client(vec![(CREATE, json(201, answer))]);
    let outcomes = client.create(&[draft(1), draft(2)]).await.unwrap();
    assert!(
        matches!(&outcomes[1], Err(WireError::Refused { what, .. }) if what.contains("asaf-00000000000000000000000000000002"))
    );
}

#[tokio::test]
async fn a_400_with_element_errors_is_an_outcome_per_draft_and_any_other_400_is_one_for_all() {
    let all_failed = j!({"issues": [], "errors": [
        element_error(0, j!({"summary": "x"})), element_error(1, j!({"summary": "y"}))]});
    let closed_schema = j!({"errorMessages": ["Invalid request payload. Refer to the REST API documentation and try again."]});
    let (client, _, _) = client(vec![
        (CREATE, json(400, all_failed)),
        (CREATE, json(400, closed_schema)),
        (CREATE, text(400, "<html>Bad</html>")),
    ]);
    let drafts = [draft(1), draft(2)];
    let outcomes = client.create(&drafts).await.unwrap();
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Err(WireError::Refused { .. })))
    );
    for _ in 0..2 {
        let error = client.create(&drafts).await.unwrap_err();
        assert!(
            matches!(error, WireError::Refused { status: 400, .. }),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_create_that_may_have_happened_is_ambiguous_and_sent_once() {
    for reply in [
        lost(Lost::AfterSending("timed out".to_owned())),
        text(500, "oops"),
        text(201, "{\"issues\": [{"),
        json(201, j!({"issues": [created(10_001)], "errors": []})),
        json(
            201,
            j!({"issues": [created(10_001)], "errors": [element_error(7, j!({}))]}),
        ),
    ] {
        let (client, server, _) = client(vec![(CREATE, reply)]);
        let error = client.create(&[draft(1), draft(2)]).await.unwrap_err();
        assert!(error.is_ambiguous(), "{error}");
        assert_eq!(server.finish().len(), 1);
    }
}

#[tokio::test]
async fn a_throttled_create_is_sent_again_after_the_wait() {
    let throttled = json(429, j!({}))
        .header("ratelimit-reason", "jira-burst-based")
        .header("retry-after", "7");
    let answer = j!({"issues": [created(10_001)], "errors": []});
    let (client, server, _) = client(vec![(CREATE, throttled), (CREATE, json(201, answer))]);
    assert_eq!(client.create(&[draft(1)]).await.unwrap(), [Ok(at(10_001))]);
    let seen = server.finish();
    assert_eq!(seen[1].at.duration_since(seen[0].at).as_secs(), 7);
    let drafts: Vec<Draft> = (0..51).map(draft).collect();
    let error = client.create(&drafts).await.unwrap_err();
    assert!(
        !error.is_ambiguous(),
        "51 drafts are refused before sending"
    );
}

#[tokio::test]
async fn a_direct_transition_is_learnt_once_for_all_tickets_of_a_place() {
    let (client, server, _) = client(vec![
        (
            LIST,
            json(200, transitions(&[("11", "10001"), ("51", "10002")])),
        ),
        (MOVE, text(204, "")),
        ("POST /rest/api/3/issue/10002/transitions", text(204, "")),
    ]);
    client
        .move_to(&open(10_001), TicketState::Closed)
        .await
        .unwrap();
    client
        .move_to(&open(10_002), TicketState::Resolved)
        .await
        .unwrap();
    client
        .move_to(&open(10_003), TicketState::Open)
        .await
        .unwrap();
    let seen = server.finish();
    assert_eq!(seen[1].body, j!({"transition": {"id": "51"}}));
    assert_eq!(seen[2].body, j!({"transition": {"id": "11"}}));
}

#[tokio::test]
async fn a_way_of_several_transitions_is_walked_and_the_ticket_read_after_each() {
    let (client, server, _) = client(vec![
        // Another ticket teaches what leads on from "resolved".
        (
            "GET /rest/api/3/issue/10009/transitions",
            json(200, transitions(&[("21", "10002")])),
        ),
        ("POST /rest/api/3/issue/10009/transitions", text(204, "")),
        (LIST, json(200, transitions(&[("11", "10001")]))),
        (MOVE, text(204, "")),
        (GET, json(200, issue(10_001, "10001"))),
        (MOVE, text(204, "")),
    ]);
    let resolved = ticket(10_009, "10001", Some(TicketState::Resolved));
    client
        .move_to(&resolved, TicketState::Closed)
        .await
        .unwrap();
    client
        .move_to(&open(10_001), TicketState::Closed)
        .await
        .unwrap();
    let seen = server.finish();
    assert_eq!(seen[3].body, j!({"transition": {"id": "11"}}));
    assert_eq!(seen[5].body, j!({"transition": {"id": "21"}}));
}

#[tokio::test]
async fn a_refused_transition_is_settled_by_reading_the_ticket_again() {
    let invalid = || {
        json(
            400,
            j!({"errorMessages": ["Action 21 is invalid"], "errors": {}}),
        )
    };
    // Someone else won the race to the same state: done.
    let (racing, _, _) = client(vec![
        (LIST, json(200, transitions(&[("11", "10001")]))),
        (MOVE, invalid()),
        (GET, json(200, issue(10_001, "10001"))),
    ]);
    racing
        .move_to(&open(10_001), TicketState::Resolved)
        .await
        .unwrap();
    // Someone moved it elsewhere: refused, and the sentence says where it stands.
    let (beaten, _, _) = client(vec![
        (LIST, json(200, transitions(&[("11", "10001")]))),
        (MOVE, invalid()),
        (GET, json(200, issue(10_001, "10002"))),
    ]);
    let error = beaten
        .move_to(&open(10_001), TicketState::Resolved)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "move SEC-1 from \"Status 10000\" to resolved: refused with 400 (Action 21 is invalid; it now stands in \
         \"Status 10002\". Check that the workflow of project SEC has this transition and that its conditions let the \
         bot take it, without required fields)"
    );
    // It vanished.
    let (vanished, _, _) = client(vec![
        (LIST, json(200, transitions(&[("11", "10001")]))),
        (MOVE, invalid()),
        (GET, json(404, j!({}))),
    ]);
    let error = vanished
        .move_to(&open(10_001), TicketState::Resolved)
        .await
        .unwrap_err();
    assert!(matches!(error, WireError::NotFound { .. }));
}

#[tokio::test]
async fn a_kept_transition_that_is_refused_is_forgotten_and_learnt_anew() {
    let second = "POST /rest/api/3/issue/10002/transitions";
    let (client, server, _) = client(vec![
        (LIST, json(200, transitions(&[("11", "10001")]))),
        (MOVE, text(204, "")),
        (
            second,
            json(
                400,
                j!({"errorMessages": ["Transition id '11' is not valid for this issue."]}),
            ),
        ),
        (
            "GET /rest/api/3/issue/10002",
            json(200, issue(10_002, "10000")),
        ),
        (
            "GET /rest/api/3/issue/10002/transitions",
            json(200, transitions(&[("12", "10001")])),
        ),
        (second, text(204, "")),
    ]);
    client
        .move_to(&open(10_001), TicketState::Resolved)
        .await
        .unwrap();
    client
        .move_to(&open(10_002), TicketState::Resolved)
        .await
        .unwrap();
    assert_eq!(server.finish()[5].body, j!({"transition": {"id": "12"}}));
}

#[tokio::test]
async fn an_unanswered_transition_is_settled_by_reading_and_never_repeated() {
    for (status, applied) in [("10001", true), ("10000", false)] {
        let (client, server, _) = client(vec![
            (LIST, json(200, transitions(&[("11", "10001")]))),
            (MOVE, lost(Lost::AfterSending("timed out".to_owned()))),
            (GET, json(200, issue(10_001, status))),
        ]);
        let outcome = client.move_to(&open(10_001), TicketState::Resolved).await;
        assert_eq!(outcome.is_ok(), applied);
        server.finish();
    }
}

#[tokio::test]
async fn without_a_way_the_sentence_says_what_to_check() {
    let offered = j!({"transitions": [{"id": "21", "isAvailable": false, "to": {"id": "10002", "name": "Closed"}}]});
    let (client, _, _) = client(vec![(LIST, json(200, offered))]);
    let error = client
        .move_to(&open(10_001), TicketState::Closed)
        .await
        .unwrap_err();
    let words = error.to_string();
    assert!(
        words.contains("move SEC-1 from \"Status 10000\" to closed"),
        "{words}"
    );
    assert!(
        words.contains("Check that the workflow of project SEC has one"),
        "{words}"
    );
}

fn progress(status: &str, done: &[u64], failed: Value) -> Reply {
    json(
        200,
        j!({"taskId": "77", "status": status, "progressPercent": 100, "submittedBy": {"accountId": "bot"},
            "created": 1_704_110_400_000_i64, "totalIssueCount": 5, "processedAccessibleIssues": done,
            "invalidOrInaccessibleIssueCount": 1, "failedAccessibleIssues": failed}),
    )
}

fn five() -> Vec<Ticket> {
    (10_001..=10_005).map(open).collect()
}

#[tokio::test]
async fn many_moves_are_one_task_whose_doubtful_tickets_are_read_again() {
    let (client, server, _) = client(vec![
        (LIST, json(200, transitions(&[("11", "10001")]))),
        (BULK_MOVE, json(201, j!({"taskId": "77"}))),
        (TASK, progress("ENQUEUED", &[], j!({}))),
        (TASK, progress("RUNNING", &[10_001], j!({}))),
        (
            TASK,
            progress(
                "COMPLETE",
                &[10_001, 10_002, 10_003],
                j!({"10003": ["A validator said no"]}),
            ),
        ),
        (
            BULKFETCH,
            json(
                200,
                j!({"issues": [issue(10_003, "10000"), issue(10_004, "10001")]}),
            ),
        ),
    ]);
    let outcomes = client.move_all(&five(), TicketState::Resolved).await;
    let ids: Vec<u64> = outcomes.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [10_001, 10_002, 10_003, 10_004, 10_005]);
    assert!(outcomes[0].1.is_ok() && outcomes[1].1.is_ok() && outcomes[3].1.is_ok());
    let failed = outcomes[2].1.as_ref().unwrap_err().to_string();
    assert!(
        failed.contains("A validator said no; it stands in \"Status 10000\""),
        "{failed}"
    );
    assert!(matches!(outcomes[4].1, Err(WireError::NotFound { .. })));
    let seen = server.finish();
    assert_eq!(
        seen[1].body,
        j!({"bulkTransitionInputs": [{"selectedIssueIdsOrKeys": ["10001", "10002", "10003", "10004", "10005"], "transitionId": "11"}],
            "sendBulkNotification": false})
    );
    let polls: Vec<i128> = seen[2..5]
        .iter()
        .map(|poll| poll.at.duration_since(seen[1].at).as_millis())
        .collect();
    assert_eq!(polls, [500, 1_500, 3_500]);
    assert_eq!(
        seen[5].body["issueIdsOrKeys"],
        j!(["10003", "10004", "10005"])
    );
}

#[tokio::test]
async fn four_moves_are_single_calls() {
    let mut script = vec![(LIST.to_owned(), json(200, transitions(&[("11", "10001")])))];
    script.extend((10_001..=10_004).map(|id| {
        (
            format!("POST /rest/api/3/issue/{id}/transitions"),
            text(204, ""),
        )
    }));
    let (client, server, _) = client(
        script
            .iter()
            .map(|(line, reply)| (line.as_str(), reply.clone()))
            .collect(),
    );
    let outcomes = client.move_all(&five()[..4], TicketState::Resolved).await;
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
    server.finish();
}

#[tokio::test]
async fn without_the_bulk_permission_single_calls_do_the_work_from_then_on() {
    let one = |id: u64| format!("DELETE /rest/api/3/issue/{id}");
    let mut script = vec![(
        BULK_DELETE.to_owned(),
        json(403, j!({"errorMessages": ["No."]})),
    )];
    script.extend((1..=5).map(|id| (one(id), text(204, ""))));
    script.extend((1..=5).map(|id| (one(id), json(404, j!({})))));
    let (client, server, _) = client(
        script
            .iter()
            .map(|(line, reply)| (line.as_str(), reply.clone()))
            .collect(),
    );
    for _ in 0..2 {
        let outcomes = client.delete_all(&[1, 2, 3, 4, 5]).await;
        assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
    }
    server.finish();
}

#[tokio::test]
async fn deleting_many_is_one_task_and_what_is_absent_is_deleted() {
    let (client, server, _) = client(vec![
        (BULK_DELETE, json(201, j!({"taskId": "77"}))),
        (TASK, progress("DEAD", &[10_001], j!({}))),
        (
            BULKFETCH,
            json(200, j!({"issues": [issue(10_004, "10000")]})),
        ),
    ]);
    let outcomes = client
        .delete_all(&[10_001, 10_002, 10_003, 10_004, 10_005])
        .await;
    let failed: Vec<u64> = outcomes
        .iter()
        .filter(|(_, outcome)| outcome.is_err())
        .map(|(id, _)| *id)
        .collect();
    assert_eq!(failed, [10_004]);
    let words = outcomes[3].1.as_ref().unwrap_err().to_string();
    assert!(
        words.contains("Jira's task 77 ended as DEAD without it"),
        "{words}"
    );
    assert_eq!(server.finish()[0].body["sendBulkNotification"], false);
}

#[tokio::test]
async fn a_task_whose_submission_was_not_answered_is_settled_by_reading() {
    let (client, server, _) = client(vec![
        (LIST, json(200, transitions(&[("11", "10001")]))),
        (BULK_MOVE, lost(Lost::AfterSending("timed out".to_owned()))),
        (
            BULKFETCH,
            json(
                200,
                j!({"issues": (10_001..=10_005).map(|id| issue(id, "10001")).collect::<Vec<_>>()}),
            ),
        ),
    ]);
    let outcomes = client.move_all(&five(), TicketState::Resolved).await;
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
    server.finish();
}

#[tokio::test]
async fn a_task_is_followed_for_ten_minutes_and_not_longer() {
    let mut script = vec![(BULK_DELETE, json(201, j!({"taskId": "77"})))];
    // 0.5 + 1 + 2 + 4 + 8 s, then every 10 s until 600 s have passed.
    script.extend((0..64).map(|_| (TASK, progress("RUNNING", &[], j!({})))));
    script.push((
        BULKFETCH,
        json(200, j!({"issues": [issue(10_001, "10000")]})),
    ));
    let (client, server, _) = client(script);
    let outcomes = client
        .delete_all(&[10_001, 10_002, 10_003, 10_004, 10_005])
        .await;
    assert_eq!(
        outcomes
            .iter()
            .filter(|(_, outcome)| outcome.is_err())
            .count(),
        1
    );
    let seen = server.finish();
    let followed = seen[64].at.duration_since(seen[0].at).as_secs();
    assert!((600..612).contains(&followed), "{followed} s");
}

#[tokio::test]
async fn a_comment_carries_its_key_and_content_replaces_only_what_is_ours() {
    let body = crate::wire::adf::Doc::new().to_value();
    let (client, server, _) = client(vec![
        (
            "POST /rest/api/3/issue/10001/comment",
            json(201, j!({"id": "1"})),
        ),
        ("PUT /rest/api/3/issue/10001", text(500, "")),
        ("PUT /rest/api/3/issue/10001", text(204, "")),
    ]);
    let comment = Comment {
        key: "link/1/row14/h7".to_owned(),
        body: body.clone(),
    };
    client.comment(10_001, &comment).await.unwrap();
    let content = Content {
        summary: "S".to_owned(),
        description: body.clone(),
        priority: None,
        component: None,
        assignee: None,
        fields: Default::default(),
    };
    client.update(10_001, &content).await.unwrap();
    let seen = server.finish();
    assert_eq!(
        seen[0].body,
        j!({"body": body, "properties": [{"key": "asaf.comment", "value": {"key": "link/1/row14/h7"}}]})
    );
    assert_eq!(
        seen[2].body,
        j!({"fields": {"summary": "S", "description": body}})
    );
}
