//! The one endpoint: who may call, which service answers, what goes wrong, and events on their way to queues.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::clock::Clock;
use crate::emulators::config::Item;
use crate::emulators::faults::{Fault, When};
use crate::emulators::sts::Trust;
use crate::emulators::world::{ANALYST_KEY, ENGINE_KEY, World};

const HOME: &str = "111111111111";
const MEMBER: &str = "222222222222";
const PRODUCT: &str = "arn:aws:securityhub:eu-west-1::product/aws/securityhub";

/// A wired world with one member and one failing finding; the way it is called.
struct Stage {
    world: World,
    key: String,
    token: Option<String>,
}

impl Stage {
    fn new() -> Self {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let mut world = World::new(clock, "http://127.0.0.1:1");
        world.aws.organizations.add_account(
            MEMBER,
            "member",
            "/prod",
            std::collections::BTreeMap::new(),
        );
        world.aws.hub.add_member(MEMBER);
        let mut stage = Stage {
            world,
            key: ENGINE_KEY.to_owned(),
            token: None,
        };
        stage.appear("f1");
        stage.drain();
        stage
    }

    fn now(&self) -> Timestamp {
        self.world.now()
    }

    fn wait(&self, seconds: i64) {
        self.world.clock.advance(SignedDuration::from_secs(seconds));
    }

    fn appear(&mut self, id: &str) {
        let now = self.now();
        let asff = json!({
            "SchemaVersion": "2018-10-08", "ProductArn": PRODUCT, "Id": id, "AwsAccountId": MEMBER, "Region": "eu-west-1",
            "GeneratorId": "g", "Title": "t", "Description": "d", "CreatedAt": now.to_string(), "UpdatedAt": now.to_string(),
            "Severity": {"Label": "HIGH"}, "Compliance": {"Status": "FAILED"},
            "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::logs"}],
        });
        let World { aws, journal, .. } = &mut self.world;
        aws.hub.import(asff, now, journal);
    }

    fn request(&self, service: &str, operation: &str, body: &str) -> Request {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential={}/19700101/eu-west-1/{service}/aws4_request, SignedHeaders=host",
            self.key
        );
        let (method, path) = match operation {
            "GetFindings" => ("POST", "/findings"),
            "BatchUpdateFindings" => ("PATCH", "/findings/batchupdate"),
            _ => ("POST", "/"),
        };
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("authorization", credential)
            .header("x-amz-target", format!("Target.{operation}"));
        if let Some(token) = &self.token {
            request = request.header("x-amz-security-token", token);
        }
        request.body(Bytes::from(body.to_owned())).unwrap()
    }

    /// Status and body; `None` when the answer is lost.
    fn raw(&mut self, service: &str, operation: &str, body: &str) -> Option<(u16, String)> {
        let request = self.request(service, operation, body);
        let response = self
            .world
            .answer(crate::emulators::world::Side::Aws, &request)?;
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        Some((response.status().as_u16(), text))
    }

    fn json(&mut self, service: &str, operation: &str, body: Value) -> (u16, Value) {
        let (status, text) = self.raw(service, operation, &body.to_string()).unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    fn assume(&mut self, role: &str, more: &str) -> (u16, String) {
        let form = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleArn={role}&RoleSessionName=asaf{more}"
        );
        self.raw("sts", "AssumeRole", &form).unwrap()
    }

    fn enter(&mut self, answer: &str) {
        self.key = element(answer, "AccessKeyId");
        self.token = Some(element(answer, "SessionToken"));
    }

    fn arm(&mut self, operation: &str, kind: AwsFault) {
        self.world.aws.faults.arm(Fault::next(operation, kind));
    }

    /// The bodies of all events that have come.
    fn events(&mut self) -> Vec<Value> {
        let now = self.now();
        let World { aws, journal, .. } = &mut self.world;
        aws.settle(now, journal);
        let arn = self.world.queue_arn();
        let bodies = self.world.aws.sqs.bodies(&arn);
        bodies
            .iter()
            .map(|body| serde_json::from_str(body).unwrap())
            .collect()
    }

    fn drain(&mut self) {
        let now = self.now();
        let World { aws, journal, .. } = &mut self.world;
        aws.settle(now, journal);
        self.wait(61);
        let body = json!({"QueueUrl": self.world.queue_url("http://localhost")});
        assert_eq!(self.json("sqs", "PurgeQueue", body).0, 200);
    }

    fn statuses(&mut self) -> Vec<String> {
        let found = self.world.aws.hub.iter();
        found
            .map(|f| f["Workflow"]["Status"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn element(text: &str, name: &str) -> String {
    let rest = text
        .split_once(&format!("<{name}>"))
        .unwrap_or_else(|| panic!("{text}"))
        .1;
    rest.split_once('<').unwrap().0.to_owned()
}

fn notify() -> Value {
    json!({ "FindingIdentifiers": [{ "ProductArn": PRODUCT, "Id": "f1" }], "Workflow": { "Status": "NOTIFIED" } })
}

const ROLE: &str = "arn:aws:iam::222222222222:role/asaf-config-read";

#[test]
fn who_has_no_key_or_an_unknown_one_is_refused_in_the_services_words() {
    let mut stage = Stage::new();
    let unsigned = http::Request::builder()
        .uri("/findings")
        .body(Bytes::new())
        .unwrap();
    let now = stage.now();
    let World { aws, journal, .. } = &mut stage.world;
    assert_eq!(aws.handle(&unsigned, now, journal).response.status(), 403);
    stage.key = "AKIANOBODY".to_owned();
    for (service, operation, status, code) in [
        (
            "securityhub",
            "GetFindings",
            403,
            "UnrecognizedClientException",
        ),
        (
            "config",
            "SelectAggregateResourceConfig",
            400,
            "UnrecognizedClientException",
        ),
        (
            "organizations",
            "ListAccounts",
            400,
            "UnrecognizedClientException",
        ),
        ("sts", "x", 403, "InvalidClientTokenId"),
        ("sqs", "ListQueues", 403, "InvalidClientTokenId"),
    ] {
        let (found, body) = stage.raw(service, operation, "{}").unwrap();
        assert_eq!(found, status, "{service}");
        assert!(body.contains(code), "{service}: {body}");
    }
}

#[test]
fn services_and_operations_that_are_not_known_are_501_with_a_sentence() {
    let mut stage = Stage::new();
    for (service, operation) in [
        ("securityhub", "EnableSecurityHub"),
        ("config", "PutConfigRule"),
        ("organizations", "CreateAccount"),
        ("sqs", "TagQueue"),
        ("secretsmanager", "CreateSecret"),
        ("s3", "GetObject"),
    ] {
        let (status, body) = stage.raw(service, operation, "{}").unwrap();
        assert_eq!(status, 501, "{service} {operation}: {body}");
        assert!(body.contains("does not know"), "{body}");
    }
    for service in ["sts", "iam"] {
        let (status, body) = stage.raw(service, "x", "Action=DeleteEverything").unwrap();
        assert_eq!(
            (status, body.contains("does not know DeleteEverything")),
            (501, true)
        );
    }
}

#[test]
fn callers_are_told_who_they_are() {
    let mut stage = Stage::new();
    let (_, body) = stage
        .raw("sts", "x", "Action=GetCallerIdentity&Version=2011-06-15")
        .unwrap();
    assert_eq!(element(&body, "Account"), HOME);
    assert_eq!(
        element(&body, "Arn"),
        format!("arn:aws:sts::{HOME}:assumed-role/asaf/session")
    );
    stage.key = ANALYST_KEY.to_owned();
    let (_, body) = stage.raw("sts", "x", "Action=GetCallerIdentity").unwrap();
    assert!(element(&body, "Arn").contains("/analyst/"));
    let (_, aliases) = stage
        .raw("iam", "x", "Action=ListAccountAliases&Version=2010-05-08")
        .unwrap();
    assert!(
        aliases.contains("<member>asaf-security</member>"),
        "{aliases}"
    );
}

#[test]
fn an_assumed_role_is_the_member_account_until_the_session_ends() {
    let mut stage = Stage::new();
    let (status, answer) = stage.assume(ROLE, "&DurationSeconds=900");
    assert_eq!(status, 200, "{answer}");
    stage.enter(&answer);
    let (_, body) = stage.raw("sts", "x", "Action=GetCallerIdentity").unwrap();
    assert_eq!(
        element(&body, "Arn"),
        "arn:aws:sts::222222222222:assumed-role/asaf-config-read/asaf"
    );
    let token = stage.token.take();
    let (status, _) = stage.json("securityhub", "GetFindings", json!({}));
    assert_eq!(
        status, 403,
        "without its session token a session's key is unknown"
    );
    stage.token = token;
    stage.wait(899);
    assert_eq!(stage.json("securityhub", "GetFindings", json!({})).0, 200);
    stage.wait(1);
    for (service, operation, code) in [
        ("securityhub", "GetFindings", "ExpiredTokenException"),
        ("config", "ListDiscoveredResources", "ExpiredTokenException"),
        ("sts", "x", "ExpiredToken"),
    ] {
        let (_, body) = stage.raw(service, operation, "{}").unwrap();
        assert!(body.contains(code), "{body}");
    }
}

#[test]
fn a_role_trusts_whom_and_how_long_it_says() {
    let mut stage = Stage::new();
    let trust = |external: Option<&str>, account: &str| Trust {
        account: account.to_owned(),
        external_id: external.map(str::to_owned),
        longest_session_s: 7_200,
    };
    let roles = &mut stage.world.aws.roles;
    roles.add(MEMBER, "with-id", trust(Some("customer-7"), HOME));
    roles.add(MEMBER, "of-others", trust(None, "999999999999"));
    let role = |name: &str| format!("arn:aws:iam::{MEMBER}:role/path/{name}");
    for (name, more, status, code) in [
        (
            role("with-id"),
            "&ExternalId=customer-7",
            200,
            "AccessKeyId",
        ),
        (role("with-id"), "", 403, "AccessDenied"),
        (role("with-id"), "&ExternalId=other", 403, "AccessDenied"),
        (role("of-others"), "", 403, "AccessDenied"),
        (role("never-made"), "", 403, "AccessDenied"),
        (
            ROLE.replace(MEMBER, "333333333333"),
            "",
            403,
            "AccessDenied",
        ),
        ("nonsense".to_owned(), "", 400, "ValidationError"),
        (
            ROLE.to_owned(),
            "&DurationSeconds=899",
            400,
            "ValidationError",
        ),
        (
            ROLE.to_owned(),
            "&DurationSeconds=43201",
            400,
            "ValidationError",
        ),
        (
            ROLE.to_owned(),
            "&DurationSeconds=3601",
            400,
            "MaxSessionDuration",
        ),
        (
            role("with-id"),
            "&ExternalId=customer-7&DurationSeconds=7200",
            200,
            "AccessKeyId",
        ),
    ] {
        let (found, body) = stage.assume(&name, more);
        assert_eq!(found, status, "{name}{more}: {body}");
        assert!(body.contains(code), "{name}{more}: {body}");
    }
    stage.world.aws.organizations.suspend(MEMBER);
    assert_eq!(stage.assume(ROLE, "").0, 403);
}

#[test]
fn a_session_that_assumes_a_role_gets_an_hour_at_most() {
    let mut stage = Stage::new();
    let trust = Trust {
        account: MEMBER.to_owned(),
        external_id: None,
        longest_session_s: 43_200,
    };
    stage.world.aws.roles.add(HOME, "back", trust);
    let (_, answer) = stage.assume(ROLE, "");
    stage.enter(&answer);
    let (status, body) = stage.assume(
        "arn:aws:iam::111111111111:role/back",
        "&DurationSeconds=3601",
    );
    assert_eq!(status, 400);
    assert!(body.contains("role chaining"), "{body}");
    assert_eq!(
        stage.assume("arn:aws:iam::111111111111:role/back", "").0,
        200
    );
}

#[test]
fn every_refusing_fault_speaks_each_services_language_and_changes_nothing() {
    for (kind, words) in [
        (
            AwsFault::Throttled,
            [
                (429, "TooManyRequestsException"),
                (400, "ThrottlingException"),
                (400, "TooManyRequestsException"),
                (400, "Throttling"),
                (400, "RequestThrottled"),
                (400, "ThrottlingException"),
            ],
        ),
        (
            AwsFault::InternalError,
            [
                (500, "InternalException"),
                (500, "InternalFailure"),
                (500, "ServiceException"),
                (500, "InternalFailure"),
                (500, "InternalFailure"),
                (500, "InternalServiceError"),
            ],
        ),
        (AwsFault::Unavailable, [(503, "ServiceUnavailable"); 6]),
        (
            AwsFault::AccessDenied,
            [
                (403, "AccessDeniedException"),
                (400, "AccessDeniedException"),
                (400, "AccessDeniedException"),
                (403, "AccessDenied"),
                (403, "AccessDenied"),
                (400, "AccessDeniedException"),
            ],
        ),
        (
            AwsFault::ExpiredToken,
            [
                (403, "ExpiredTokenException"),
                (400, "ExpiredTokenException"),
                (400, "ExpiredTokenException"),
                (403, "ExpiredToken"),
                (403, "ExpiredToken"),
                (400, "ExpiredTokenException"),
            ],
        ),
    ] {
        let mut stage = Stage::new();
        let calls = [
            ("securityhub", "BatchUpdateFindings", notify().to_string()),
            ("config", "SelectAggregateResourceConfig", "{}".to_owned()),
            ("organizations", "ListAccounts", "{}".to_owned()),
            ("sts", "x", "Action=GetCallerIdentity".to_owned()),
            ("sqs", "ListQueues", "{}".to_owned()),
            ("secretsmanager", "GetSecretValue", "{}".to_owned()),
        ];
        for ((service, operation, body), (status, code)) in calls.iter().zip(words) {
            stage.arm("", kind.clone());
            let (found, answer) = stage.raw(service, operation, body).unwrap();
            assert_eq!(found, status, "{kind:?} {service}: {answer}");
            assert!(answer.contains(code), "{kind:?} {service}: {answer}");
        }
        assert_eq!(stage.statuses(), ["NEW"]);
        assert_eq!(
            stage.json("securityhub", "BatchUpdateFindings", notify()).0,
            200
        );
    }
}

#[test]
fn a_dropped_answer_hides_a_change_or_there_is_none() {
    let mut stage = Stage::new();
    stage.arm("BatchUpdateFindings", AwsFault::DropBefore);
    assert!(
        stage
            .raw("securityhub", "BatchUpdateFindings", &notify().to_string())
            .is_none()
    );
    assert_eq!(stage.statuses(), ["NEW"]);
    stage.arm("BatchUpdateFindings", AwsFault::ApplyThenDrop);
    assert_eq!(stage.json("securityhub", "GetFindings", json!({})).0, 200);
    assert!(
        stage
            .raw("securityhub", "BatchUpdateFindings", &notify().to_string())
            .is_none()
    );
    assert_eq!(stage.statuses(), ["NOTIFIED"]);
    assert_eq!(stage.world.requests.aws["BatchUpdateFindings"], 2);
}

#[test]
fn faults_fit_only_what_they_can_happen_to_and_are_written_as_json() {
    for (kind, operation, fits) in [
        (AwsFault::EmptyListing, "ListAccounts", true),
        (AwsFault::EmptyListing, "BatchUpdateFindings", false),
        (
            AwsFault::LoseEvent,
            "event Security Hub Findings - Imported",
            true,
        ),
        (AwsFault::LoseEvent, "GetFindings", false),
        (
            AwsFault::Throttled,
            "event Security Hub Findings - Imported",
            false,
        ),
        (
            AwsFault::StaleRead { seconds: 1 },
            "GetFindingHistory",
            false,
        ),
    ] {
        assert_eq!(kind.fits(operation), fits, "{kind:?} {operation}");
    }
    let fault: Fault<AwsFault> = serde_json::from_value(
        json!({"operation": "GetFindings", "kind": {"lost_region": {"region": "eu-west-1"}}}),
    )
    .unwrap();
    assert_eq!(
        fault.kind,
        AwsFault::LostRegion {
            region: "eu-west-1".into()
        }
    );
    assert_eq!(fault.when, When::Next(1));
    assert!(serde_json::from_value::<AwsFault>(json!("nonsense")).is_err());
}

#[test]
fn a_finding_that_changes_comes_to_the_queue_in_an_envelope() {
    let mut stage = Stage::new();
    stage.json("securityhub", "BatchUpdateFindings", notify());
    let events = stage.events();
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event["source"], "aws.securityhub");
    assert_eq!(event["detail-type"], "Security Hub Findings - Imported");
    assert_eq!(
        (&event["version"], &event["account"], &event["region"]),
        (&json!("0"), &json!(HOME), &json!("eu-west-1"))
    );
    assert_eq!(event["resources"], json!([format!("{PRODUCT}/f1")]));
    assert_eq!(event["time"], "1970-01-01T00:01:01Z");
    assert_eq!(
        event["detail"]["findings"][0]["Workflow"]["Status"],
        "NOTIFIED"
    );
    assert_eq!(event["detail"]["findings"].as_array().unwrap().len(), 1);
    let body =
        json!({"QueueUrl": stage.world.queue_url("http://localhost"), "AttributeNames": ["All"]});
    let (_, received) = stage.json("sqs", "ReceiveMessage", body);
    assert_eq!(
        received["Messages"][0]["Attributes"]["SenderId"],
        "events.amazonaws.com"
    );
}

#[test]
fn a_deleted_resource_comes_to_the_queue_from_its_own_account() {
    let mut stage = Stage::new();
    let now = stage.now();
    let World { aws, journal, .. } = &mut stage.world;
    aws.config.discover(Item {
        account: MEMBER.into(),
        region: "us-east-1".into(),
        kind: "AWS::S3::Bucket".into(),
        id: "logs".into(),
        arn: "arn:aws:s3:::logs".into(),
        captured_at: now,
        deleted: false,
    });
    aws.config.delete("arn:aws:s3:::logs", now, journal);
    let events = stage.events();
    assert_eq!(events.len(), 2);
    let event = &events[1];
    assert_eq!(
        (&event["source"], &event["detail-type"]),
        (
            &json!("aws.config"),
            &json!("Config Configuration Item Change")
        )
    );
    assert_eq!(
        (&event["account"], &event["region"]),
        (&json!(MEMBER), &json!("us-east-1"))
    );
    assert_eq!(
        event["detail"]["configurationItem"]["configurationItemStatus"],
        "ResourceDeleted"
    );
}

#[test]
fn events_get_lost_doubled_and_late() {
    let mut stage = Stage::new();
    let touch = |stage: &mut Stage| {
        let now = stage.now();
        stage.world.aws.hub.touch(PRODUCT, "f1", now);
        stage.events().len()
    };
    stage.arm("event", AwsFault::LoseEvent);
    assert_eq!(touch(&mut stage), 0);
    stage.arm("event Security Hub", AwsFault::DuplicateEvent);
    assert_eq!(touch(&mut stage), 2);
    let twice = stage.events();
    assert_eq!(twice[0], twice[1]);
    stage.arm("", AwsFault::DelayEvent { seconds: 60 });
    touch(&mut stage);
    let arn = stage.world.queue_arn();
    assert_eq!(stage.world.aws.sqs.depth(&arn), (2, 0, 1));
    stage.world.aws.bus.rules.clear();
    assert_eq!(touch(&mut stage), 3);
}

#[test]
fn a_long_poll_is_asked_again_without_being_counted() {
    let mut stage = Stage::new();
    let body = json!({"QueueUrl": stage.world.queue_url("http://localhost"), "WaitTimeSeconds": 5})
        .to_string();
    let request = stage.request("sqs", "ReceiveMessage", &body);
    let reply = stage
        .world
        .reply(crate::emulators::world::Side::Aws, &request);
    assert_eq!(reply.wait, Some(SignedDuration::from_secs(5)));
    assert!(stage.world.poll(&request).is_none());
    stage.appear("f2");
    let found = stage.world.poll(&request).unwrap();
    assert!(String::from_utf8_lossy(found.body()).contains("f2"));
    assert_eq!(stage.world.requests.aws["ReceiveMessage"], 1);
}

#[test]
fn a_world_ages_when_it_is_told_to() {
    let mut stage = Stage::new();
    stage.world.aws.hub.ages_by_itself = true;
    stage.wait(25 * 3600);
    stage.json("securityhub", "GetFindings", json!({}));
    let touched = stage.world.aws.hub.get(PRODUCT, "f1").unwrap();
    assert_eq!(touched["UpdatedAt"], stage.now().to_string());
}
