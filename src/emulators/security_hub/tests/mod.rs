#![allow(clippy::unwrap_used, clippy::expect_used)]
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::emulators::journal::{Actor, Journal};

const PRODUCT: &str = "arn:aws:securityhub:eu-west-1::product/aws/securityhub";

fn t(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
}

fn engine() -> Caller {
    Caller {
        account: "111111111111".into(),
        identity: "arn:aws:sts::111111111111:assumed-role/asaf/run".into(),
        engine: true,
    }
}

fn finding(n: usize) -> Value {
    json!({
        "ProductArn": PRODUCT, "Id": format!("f{n:04}"), "AwsAccountId": "222222222222", "Region": "eu-west-1",
        "Title": "t", "CreatedAt": t(0).to_string(), "UpdatedAt": t(0).to_string(), "FirstObservedAt": t(0).to_string(),
        "Severity": {"Label": "HIGH", "Original": "HIGH"}, "Compliance": {"Status": "FAILED"},
        "Resources": [{"Type": "AwsS3Bucket", "Id": format!("arn:aws:s3:::b{n}")}],
    })
}

fn hub(n: usize) -> (SecurityHub, Journal) {
    let (mut hub, mut journal) = (SecurityHub::new("111111111111"), Journal::default());
    hub.add_member("222222222222");
    (0..n).for_each(|n| hub.import(finding(n), t(0), &mut journal));
    (hub, journal)
}

fn call(
    hub: &mut SecurityHub,
    journal: &mut Journal,
    method: &str,
    path: &str,
    body: &Value,
    now: Timestamp,
) -> (u16, Value) {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let response = hub.handle(&request, &engine(), now, journal);
    (
        response.status().as_u16(),
        serde_json::from_slice(response.body()).unwrap(),
    )
}

fn update(ids: &[&str], status: &str) -> Value {
    let ids: Vec<Value> = ids
        .iter()
        .map(|id| json!({"ProductArn": PRODUCT, "Id": id}))
        .collect();
    json!({"FindingIdentifiers": ids, "Workflow": {"Status": status}, "Note": {"Text": "n", "UpdatedBy": "asaf"}})
}

#[test]
fn a_listing_is_paged_and_its_token_belongs_to_the_query() {
    let (mut hub, mut journal) = hub(250);
    let query = json!({"MaxResults": 100, "Filters": {"RecordState": [{"Value": "ACTIVE", "Comparison": "EQUALS"}]}});
    let (mut body, mut seen, mut pages) = (query.clone(), std::collections::BTreeSet::new(), 0);
    loop {
        let (status, page) = call(&mut hub, &mut journal, "POST", "/findings", &body, t(1));
        assert_eq!(status, 200);
        pages += 1;
        seen.extend(
            page["Findings"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| f["Id"].as_str().unwrap().to_owned()),
        );
        let Some(token) = page["NextToken"].as_str() else {
            break;
        };
        body["NextToken"] = json!(token);
    }
    assert_eq!((pages, seen.len()), (3, 250));
    let (_, page) = call(&mut hub, &mut journal, "POST", "/findings", &query, t(1));
    let other = json!({"MaxResults": 100, "NextToken": page["NextToken"]});
    let (status, answer) = call(&mut hub, &mut journal, "POST", "/findings", &other, t(1));
    assert_eq!(
        (status, answer["Message"].as_str()),
        (400, Some("Invalid NextToken: Input Query has changed"))
    );
}

#[test]
fn limits_of_the_api_are_enforced() {
    let (mut hub, mut journal) = hub(1);
    let many: Vec<Value> = (0..21)
        .map(|n| json!({"Value": n.to_string(), "Comparison": "EQUALS"}))
        .collect();
    let mixed =
        json!([{"Value": "a", "Comparison": "EQUALS"}, {"Value": "b", "Comparison": "NOT_EQUALS"}]);
    let ids: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut long_note = update(&["f0000"], "NOTIFIED");
    long_note["Note"]["Text"] = json!("x".repeat(513));
    for (method, path, body, status) in [
        ("POST", "/findings", json!({"MaxResults": 101}), 400),
        ("POST", "/findings", json!({"Filters": {"Id": many}}), 400),
        ("POST", "/findings", json!({"Filters": {"Id": mixed}}), 400),
        (
            "POST",
            "/findings",
            json!({"Filters": {"Keyword": [{"Value": "x"}]}}),
            501,
        ),
        ("PATCH", "/findings/batchupdate", update(&ids, "NEW"), 400),
        (
            "PATCH",
            "/findings/batchupdate",
            update(&["f0000"], "DONE"),
            400,
        ),
        ("PATCH", "/findings/batchupdate", long_note, 400),
        ("POST", "/insights", json!({}), 501),
    ] {
        assert_eq!(
            call(&mut hub, &mut journal, method, path, &body, t(1)).0,
            status,
            "{method} {path} {body}"
        );
    }
}

#[test]
fn an_update_shows_late_leaves_updated_at_alone_and_is_in_the_history() {
    let (mut hub, mut journal) = hub(1);
    hub.visibility_delay = SignedDuration::from_mins(3);
    let (_, answer) = call(
        &mut hub,
        &mut journal,
        "PATCH",
        "/findings/batchupdate",
        &update(&["f0000", "f0000", "nope"], "NOTIFIED"),
        t(1),
    );
    let codes: Vec<&str> = answer["UnprocessedFindings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| u["ErrorCode"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["DuplicatedFindingIdentifier", "FindingNotFound"]);
    let status = |hub: &mut SecurityHub, journal: &mut Journal, now| {
        let (_, page) = call(hub, journal, "POST", "/findings", &json!({}), now);
        (
            page["Findings"][0]["Workflow"]["Status"].clone(),
            page["Findings"][0]["UpdatedAt"].clone(),
        )
    };
    assert_eq!(
        status(&mut hub, &mut journal, t(2)),
        (json!("NEW"), json!(t(0).to_string()))
    );
    assert_eq!(
        status(&mut hub, &mut journal, t(4)),
        (json!("NOTIFIED"), json!(t(0).to_string()))
    );
    let identifier = json!({"FindingIdentifier": {"ProductArn": PRODUCT, "Id": "f0000"}});
    let (_, history) = call(
        &mut hub,
        &mut journal,
        "POST",
        "/findingHistory/get",
        &identifier,
        t(4),
    );
    assert_eq!(
        history["Records"][0]["UpdateSource"]["Identity"],
        engine().identity
    );
    assert_eq!(history["Records"][0]["Updates"][0]["NewValue"], "NOTIFIED");
}

#[test]
fn aws_moves_the_workflow_status_as_its_guide_says() {
    // (status before, what happens, status after)
    for (before, event, after) in [
        ("NOTIFIED", "PASSED", "RESOLVED"),
        ("SUPPRESSED", "PASSED", "SUPPRESSED"),
        ("RESOLVED", "FAILED", "RESOLVED"),
        ("RESOLVED", "PASSED FAILED", "NEW"),
        ("RESOLVED", "PASSED WARNING", "NEW"),
        ("SUPPRESSED", "PASSED FAILED", "SUPPRESSED"),
        ("NOTIFIED", "ARCHIVED", "NOTIFIED"),
        ("NOTIFIED", "ARCHIVED ACTIVE", "NEW"),
        ("SUPPRESSED", "ARCHIVED ACTIVE", "SUPPRESSED"),
    ] {
        let (mut hub, mut journal) = hub(1);
        hub.set_workflow(
            Actor::Engine,
            "me",
            PRODUCT,
            "f0000",
            before,
            None,
            t(1),
            &mut journal,
        );
        for (n, step) in event.split(' ').enumerate() {
            let now = t(2 + i64::try_from(n).unwrap());
            match step {
                "ARCHIVED" => hub.archive(PRODUCT, "f0000", None, now, &mut journal),
                "ACTIVE" => hub.reactivate(PRODUCT, "f0000", now, &mut journal),
                status => hub.set_compliance(PRODUCT, "f0000", status, now, &mut journal),
            }
        }
        assert_eq!(
            hub.get(PRODUCT, "f0000").unwrap()["Workflow"]["Status"],
            after,
            "{before} + {event}"
        );
    }
}

#[test]
fn a_passed_control_drops_to_informational_and_comes_back() {
    let (mut hub, mut journal) = hub(1);
    hub.set_compliance(PRODUCT, "f0000", "PASSED", t(1), &mut journal);
    assert_eq!(
        hub.get(PRODUCT, "f0000").unwrap()["Severity"]["Label"],
        "INFORMATIONAL"
    );
    hub.set_compliance(PRODUCT, "f0000", "FAILED", t(2), &mut journal);
    let finding = hub.get(PRODUCT, "f0000").unwrap();
    assert_eq!(finding["Severity"]["Label"], "HIGH");
    assert_eq!(finding["FirstObservedAt"], t(2).to_string());
    assert_eq!(
        finding["ProductFields"]["PreviousComplianceStatus"],
        "PASSED"
    );
}

#[test]
fn the_quota_refuses_the_seventh_call_at_once_and_serves_again_later() {
    let (mut hub, mut journal) = hub(1);
    hub.quotas_enabled = true;
    let statuses: Vec<u16> = (0..7)
        .map(|_| {
            call(
                &mut hub,
                &mut journal,
                "POST",
                "/findings",
                &json!({}),
                t(1),
            )
            .0
        })
        .collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429]);
    assert_eq!(
        call(
            &mut hub,
            &mut journal,
            "POST",
            "/findings",
            &json!({}),
            t(2)
        )
        .0,
        200
    );
}

#[test]
fn a_member_that_left_is_not_seen_and_old_records_expire() {
    let (mut hub, mut journal) = hub(2);
    hub.archive(PRODUCT, "f0001", None, t(0), &mut journal);
    let day = 24 * 60;
    hub.expire(t(31 * day), &mut journal);
    assert_eq!(hub.len(), 1);
    hub.disassociate("222222222222");
    let (_, page) = call(
        &mut hub,
        &mut journal,
        "POST",
        "/findings",
        &json!({}),
        t(1),
    );
    assert_eq!(page["Findings"], json!([]));
}
