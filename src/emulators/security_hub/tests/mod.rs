//! Security Hub's behaviour, told call by call.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod imports;
mod lifecycle;
mod listing;
mod members;
mod updates;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::emulators::aws::{AwsFault, Caller};
use crate::emulators::journal::{Actor, Journal};

const PRODUCT: &str = "arn:aws:securityhub:eu-west-1::product/aws/securityhub";
const HOME: &str = "111111111111";
const MEMBER: &str = "222222222222";

fn t(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
}

const DAY: i64 = 24 * 60;

/// A hub, and who calls it from where.
struct Stage {
    hub: SecurityHub,
    journal: Journal,
    caller: Caller,
    region: &'static str,
    fault: Option<AwsFault>,
}

impl Stage {
    /// So many failing control findings of one member, called by the administrator's engine at home.
    fn with(findings: usize) -> Self {
        let mut stage = Stage {
            hub: SecurityHub::new(HOME, "eu-west-1"),
            journal: Journal::default(),
            caller: Caller {
                account: HOME.into(),
                identity: format!("arn:aws:sts::{HOME}:assumed-role/asaf/run"),
                engine: true,
            },
            region: "eu-west-1",
            fault: None,
        };
        stage.hub.add_member(MEMBER);
        (0..findings).for_each(|n| stage.import(finding(n), 0));
        stage
    }

    fn import(&mut self, asff: Value, minutes: i64) {
        self.hub.import(asff, t(minutes), &mut self.journal);
    }

    fn request(&mut self, method: &str, path: &str, body: &Value, minutes: i64) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let call = Call {
            body,
            caller: &self.caller,
            region: self.region,
            now: t(minutes),
            fault: self.fault.as_ref(),
        };
        let response = self.hub.handle(&request, &call, &mut self.journal);
        let answer = serde_json::from_slice(response.body()).unwrap();
        (response.status().as_u16(), answer)
    }

    fn get(&mut self, body: &Value, minutes: i64) -> (u16, Value) {
        self.request("POST", "/findings", body, minutes)
    }

    /// The ids that a query finds on its first page.
    fn ids(&mut self, filters: Value) -> Vec<String> {
        let body = json!({ "Filters": filters, "MaxResults": 100 });
        let (status, page) = self.get(&body, 1);
        assert_eq!(status, 200, "{page}");
        let findings = page["Findings"].as_array().unwrap().iter();
        findings
            .map(|finding| finding["Id"].as_str().unwrap().to_owned())
            .collect()
    }

    fn update(&mut self, body: &Value, minutes: i64) -> (u16, Value) {
        self.request("PATCH", "/findings/batchupdate", body, minutes)
    }

    /// The history of one finding, newest first.
    fn history(&mut self, id: &str, minutes: i64) -> Vec<Value> {
        let body = json!({ "FindingIdentifier": { "ProductArn": PRODUCT, "Id": id } });
        let (status, page) = self.request("POST", "/findingHistory/get", &body, minutes);
        assert_eq!(status, 200, "{page}");
        page["Records"].as_array().unwrap().clone()
    }

    /// A finding as it really is.
    fn finding(&self, id: &str) -> Value {
        self.hub.get(PRODUCT, id).unwrap()
    }
}

fn finding(n: usize) -> Value {
    json!({
        "SchemaVersion": "2018-10-08", "ProductArn": PRODUCT, "Id": format!("f{n:04}"), "AwsAccountId": MEMBER,
        "Region": "eu-west-1", "GeneratorId": "security-control/S3.8", "Title": "t", "Description": "d",
        "CreatedAt": t(0).to_string(), "UpdatedAt": t(0).to_string(), "FirstObservedAt": t(0).to_string(),
        "Severity": {"Label": "HIGH", "Original": "HIGH"}, "Compliance": {"Status": "FAILED"},
        "Resources": [{"Type": "AwsS3Bucket", "Id": format!("arn:aws:s3:::b{n}")}],
    })
}

fn identifiers(ids: &[&str]) -> Value {
    json!(
        ids.iter()
            .map(|id| json!({ "ProductArn": PRODUCT, "Id": id }))
            .collect::<Vec<_>>()
    )
}

fn notify(ids: &[&str]) -> Value {
    json!({ "FindingIdentifiers": identifiers(ids), "Workflow": { "Status": "NOTIFIED" },
            "Note": { "Text": "n", "UpdatedBy": "asaf" } })
}
