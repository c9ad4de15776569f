//! Requests that no client would send: every operation answers them, none breaks.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::emulators::claims::EMULATORS;
use crate::emulators::world::{ENGINE_KEY, Side, World, seed};

/// Names that the operations look for, so that wrong values reach them.
const MEMBERS: [&str; 44] = [
    "Filters",
    "Id",
    "Value",
    "Comparison",
    "Key",
    "UpdatedAt",
    "DateRange",
    "Start",
    "UserDefinedFields",
    "Confidence",
    "SortCriteria",
    "Field",
    "MaxResults",
    "NextToken",
    "FindingIdentifiers",
    "ProductArn",
    "Note",
    "Text",
    "UpdatedBy",
    "Workflow",
    "Status",
    "Severity",
    "Label",
    "Normalized",
    "Findings",
    "FindingProviderFields",
    "Types",
    "Resources",
    "FindingIdentifier",
    "Expression",
    "ConfigurationAggregatorName",
    "ResourceIdentifiers",
    "resourceType",
    "resourceId",
    "resourceIds",
    "nextToken",
    "limit",
    "QueueName",
    "QueueUrl",
    "Attributes",
    "Entries",
    "MessageBody",
    "ReceiptHandle",
    "SecretId",
];
const TEXTS: [&str; 12] = [
    "",
    "x",
    "EQUALS",
    "org",
    "AWS::S3::Bucket",
    "SELECT * WHERE a = 'b'",
    "http://h/111111111111/asaf-events",
    "NEW",
    "2026-01-01T00:00:00Z",
    "9999999999999999999",
    "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
    "ü\u{0}\u{ffff}",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        prop::sample::select(&TEXTS[..]).prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let member = (prop::sample::select(&MEMBERS[..]), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::Array),
            object(member),
        ]
    })
}

fn object(member: impl Strategy<Value = (&'static str, Value)>) -> impl Strategy<Value = Value> {
    prop::collection::vec(member, 0..6).prop_map(|members| {
        let members = members.into_iter();
        Value::Object(
            members
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>(),
        )
    })
}

/// Method and path of an operation, and the service that it belongs to.
fn ways() -> Vec<(&'static str, &'static str, &'static str, String)> {
    let rest = [
        ("POST", "/findings"),
        ("PATCH", "/findings/batchupdate"),
        ("POST", "/findings/import"),
        ("POST", "/findingHistory/get"),
    ];
    let mut ways: Vec<_> = rest
        .into_iter()
        .map(|(method, path)| (method, path, "securityhub", String::new()))
        .collect();
    for emulator in EMULATORS {
        let service = match emulator.name {
            "AWS Config" => "config",
            "SQS" => "sqs",
            "Organizations" => "organizations",
            "Secrets Manager" => "secretsmanager",
            _ => continue,
        };
        let operations = (emulator.operations)().into_iter();
        ways.extend(operations.map(|operation| ("POST", "/", service, operation)));
    }
    ways
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_body_breaks_an_operation(body in object((prop::sample::select(&MEMBERS[..]), value()))) {
        let mut world = World::new(Clock::manual(jiff::Timestamp::UNIX_EPOCH), "http://127.0.0.1:1");
        seed::fill(&mut world, 1, 2, 7);
        for (method, path, service, operation) in ways() {
            let request = http::Request::builder()
                .method(method)
                .uri(path)
                .header("authorization", format!("AWS4-HMAC-SHA256 Credential={ENGINE_KEY}/19700101/eu-west-1/{service}/x"))
                .header("x-amz-target", format!("T.{operation}"))
                .body(Bytes::from(body.to_string()))
                .unwrap();
            let response = world.answer(Side::Aws, &request).unwrap();
            let answer: Result<Value, _> = serde_json::from_slice(response.body());
            prop_assert!(answer.is_ok(), "{service} {path} {operation}");
            prop_assert!(response.status().as_u16() <= 501);
        }
    }
}
