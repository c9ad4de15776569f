//! Messages as AWS documents them, and as they must not be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::path::Path;

use super::*;

fn read(body: &Value) -> Result<Event, Unreadable> {
    event(body.to_string().as_bytes())
}

fn finding(id: &str) -> Value {
    json!({ "SchemaVersion": "2018-10-08", "Id": id, "AwsAccountId": "123456789012",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub" })
}

fn imported(findings: Value) -> Value {
    json!({ "version": "0", "id": "1", "source": "aws.securityhub", "account": "123456789012",
        "detail-type": "Security Hub Findings - Imported", "detail": { "findings": findings } })
}

fn keys(ids: &[&str]) -> Vec<FindingKey> {
    let product_arn = "arn:aws:securityhub:eu-west-1::product/aws/securityhub";
    let key = |id: &&str| FindingKey {
        product_arn: product_arn.into(),
        id: (*id).into(),
    };
    ids.iter().map(key).collect()
}

fn item(status: &str) -> Value {
    json!({ "source": "aws.config", "account": "123456789012", "region": "eu-west-1",
        "detail-type": "Config Configuration Item Change",
        "detail": { "messageType": "ConfigurationItemChangeNotification",
            "configurationItemDiff": { "changeType": "DELETE" },
            "configurationItem": { "configurationItemStatus": status, "awsAccountId": "123456789012",
                "awsRegion": "eu-west-1", "ARN": "arn:aws:s3:::logs", "resourceId": "logs",
                "configurationItemCaptureTime": "2026-11-24T08:00:00.123Z" } } })
}

fn gone() -> Event {
    Event::Deleted(ResourceDeletion {
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        ids: vec!["arn:aws:s3:::logs".into(), "logs".into()],
        at: "2026-11-24T08:00:00.123Z".parse().unwrap(),
    })
}

#[test]
fn imported_findings_and_custom_actions_name_their_findings() {
    let one = imported(json!([finding("a")]));
    let expected = Event::Findings {
        keys: keys(&["a"]),
        problem: None,
    };
    assert_eq!(read(&one), Ok(expected));
    let mut action = imported(json!([finding("a"), finding("b")]));
    action["detail-type"] = json!("Security Hub Findings - Custom Action");
    let expected = Event::Findings {
        keys: keys(&["a", "b"]),
        problem: None,
    };
    assert_eq!(read(&action), Ok(expected));
}

#[test]
fn samples_are_no_findings() {
    let mut sample = finding("a");
    sample["Sample"] = json!(true);
    let expected = Event::Findings {
        keys: Vec::new(),
        problem: None,
    };
    assert_eq!(read(&imported(json!([sample]))), Ok(expected));
}

#[test]
fn one_finding_without_identity_does_not_lose_the_others() {
    let body = imported(json!([finding("a"), { "Id": "b" }]));
    let Ok(Event::Findings {
        keys: read,
        problem,
    }) = read(&body)
    else {
        panic!("not read");
    };
    assert_eq!(read, keys(&["a"]));
    let problem = problem.unwrap().to_string();
    assert!(
        problem.contains("findings[1]") && problem.contains("ProductArn"),
        "{problem}"
    );
}

#[test]
fn a_deleted_resource_is_proof_and_any_other_change_is_not() {
    assert_eq!(read(&item("ResourceDeleted")), Ok(gone()));
    assert_eq!(read(&item("ResourceDeletedNotRecorded")), Ok(gone()));
    for status in ["OK", "ResourceDiscovered", "ResourceNotRecorded"] {
        assert_eq!(read(&item(status)), Ok(Event::Other), "{status}");
    }
}

#[test]
fn an_oversized_item_has_its_summary() {
    let mut large = item("ResourceDeleted");
    let summary = large["detail"]["configurationItem"].take();
    large["detail"]["configurationItemSummary"] = summary;
    large["detail"]["messageType"] = json!("OversizedConfigurationItemChangeNotification");
    assert_eq!(read(&large), Ok(gone()));
}

#[test]
fn an_sns_notification_around_it_changes_nothing() {
    let wrapped = json!({ "Type": "Notification", "Message": item("ResourceDeleted").to_string() });
    assert_eq!(read(&wrapped), Ok(gone()));
    let bare =
        json!({ "Type": "Notification", "Message": item("ResourceDeleted")["detail"].to_string() });
    assert_eq!(read(&bare), Ok(gone()));
}

#[test]
fn a_webhook_that_was_passed_on_reads_as_it_was_written() {
    for (id, labelled) in [(Some("identifier".to_owned()), true), (None, false)] {
        let delivery = Delivery {
            id,
            body_sha256: crate::wire::signature::sha256(b"body"),
        };
        let named = Named::Ticket {
            id: 10_001,
            labelled,
        };
        let body = passed_on(10_001, labelled, &delivery);
        assert_eq!(
            event(body.as_bytes()),
            Ok(Event::Webhook { named, delivery })
        );
    }
    let incomplete = json!({ "source": "asaf", "detail-type": "Jira Webhook", "detail": { "ticket": 1, "sha256": "00" } });
    assert!(read(&incomplete).is_err());
}

#[test]
fn schedules_are_known_by_their_envelope() {
    for source in ["aws.events", "aws.scheduler"] {
        let body = json!({ "source": source, "detail-type": "Scheduled Event", "detail": {} });
        assert_eq!(read(&body), Ok(Event::Schedule));
    }
}

#[test]
fn other_events_are_told_apart_from_unreadable_ones() {
    for (source, kind) in [
        ("aws.securityhub", "Findings Imported V2"),
        ("aws.securityhub", "Security Hub Insight Results"),
        ("aws.config", "Config Rules Compliance Change"),
        ("aws.ec2", "EC2 Instance State-change Notification"),
        ("somebody", "Security Hub Findings - Imported"),
    ] {
        let body = json!({ "source": source, "detail-type": kind, "detail": {} });
        assert_eq!(read(&body), Ok(Event::Other), "{kind}");
    }
}

#[test]
fn a_deletion_must_be_complete_and_fit_its_envelope() {
    for (path, value, why) in [
        (
            "/detail/configurationItem/awsAccountId",
            json!("210987654321"),
            "another account",
        ),
        (
            "/detail/configurationItem/awsAccountId",
            json!("1234"),
            "no account",
        ),
        (
            "/detail/configurationItem/awsRegion",
            json!(null),
            "no awsRegion",
        ),
        (
            "/detail/configurationItem/configurationItemCaptureTime",
            json!("yesterday"),
            "CaptureTime",
        ),
        (
            "/detail/configurationItem/configurationItemStatus",
            json!(null),
            "Status",
        ),
        ("/detail/messageType", json!(null), "messageType"),
        ("/source", json!(null), "no EventBridge event"),
    ] {
        let mut body = item("ResourceDeleted");
        *body.pointer_mut(path).unwrap() = value;
        let error = read(&body).expect_err(path).to_string();
        assert!(error.contains(why), "{path}: {error}");
    }
    let mut body = item("ResourceDeleted");
    let inside = body["detail"]["configurationItem"].as_object_mut().unwrap();
    inside.remove("ARN");
    inside.remove("resourceId");
    let error = read(&body).expect_err("no id").to_string();
    assert!(error.contains("neither ARN"), "{error}");
}

#[test]
fn what_is_no_event_is_unreadable() {
    for body in [
        "",
        "{",
        "[]",
        "null",
        "7",
        "\"text\"",
        "{}",
        r#"{"detail-type":"x"}"#,
    ] {
        assert!(event(body.as_bytes()).is_err(), "{body}");
    }
    assert!(read(&imported(json!([]))).is_err());
    assert!(read(&imported(json!({ "Id": "a" }))).is_err());
    assert!(read(&imported(json!([7]))).is_err());
    assert!(read(&json!({ "Type": "Notification", "Message": 7 })).is_err());
    let mut nested = item("ResourceDeleted").to_string();
    for _ in 0..3 {
        nested = json!({ "Type": "Notification", "Message": nested }).to_string();
    }
    assert!(event(nested.as_bytes()).is_err());
}

fn samples(folder: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data/samples")
        .join(folder);
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: the samples are not there ({})", folder.display());
        return None;
    };
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap())
    };
    Some(files.map(|file| read(file.unwrap().path())).collect())
}

#[test]
fn security_hub_events_found_in_public_places_are_read() {
    let Some(samples) = samples("asff") else {
        return;
    };
    let mut events = 0;
    for (name, body) in samples {
        let value: Value = serde_json::from_slice(&body).unwrap();
        if !value["detail-type"].is_string() {
            continue;
        }
        events += 1;
        match event(&body) {
            Ok(Event::Findings {
                keys,
                problem: None,
            }) => {
                let written = value["detail"]["findings"].as_array().unwrap();
                assert_eq!(keys.len(), written.len(), "{name}");
                for (key, finding) in keys.iter().zip(written) {
                    assert_eq!(finding["Id"], *key.id, "{name}");
                }
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(events >= 15, "{events}");
}

#[test]
fn config_messages_found_in_public_places_are_read() {
    let Some(samples) = samples("config_events") else {
        return;
    };
    for (name, body) in samples {
        let read = event(&body);
        match name.as_str() {
            "cloud-custodian__s3-normalize-sqs-msg0.json" => {
                let Ok(Event::Deleted(deletion)) = read else {
                    panic!("{name}: {read:?}");
                };
                assert_eq!(deletion.account, "644160558196");
                assert_eq!(
                    deletion.ids,
                    [
                        "arn:aws:s3:::custodian-test-data-21",
                        "custodian-test-data-21"
                    ]
                );
            }
            // What a rule's function is called with, and an answer of the API: no messages of a queue.
            "awsdocs-config__rule-event-0.json"
            | "cloud-custodian__ebs-getresourceconfighistory.json" => {
                assert!(read.is_err(), "{name}: {read:?}");
            }
            _ => assert_eq!(read, Ok(Event::Other), "{name}"),
        }
    }
}
