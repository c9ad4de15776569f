//! AWS Config: an organisation's aggregator and each member's own history (AWS Config API; JSON 1.1 protocol).
//!
//! The aggregator knows what exists; only the member account knows that something was deleted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::journal::{Actor, Change, Journal};
use super::{Response, json};

/// A recorded resource.
#[derive(Clone, Debug)]
pub struct Item {
    /// Owner account.
    pub account: String,
    /// Region.
    pub region: String,
    /// `AWS::S3::Bucket`
    pub kind: String,
    /// Config's own id: not the ARN for most types.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// When it was last captured; the deletion time if `deleted`.
    pub captured_at: Timestamp,
    /// `ResourceDeleted`.
    pub deleted: bool,
}

/// The state of AWS Config in all accounts.
pub struct Config {
    /// The aggregator's name.
    pub aggregator: String,
    items: BTreeMap<String, Item>,
    failed: BTreeSet<(String, String)>,
    lost: bool,
}

impl Config {
    /// An aggregator that has recorded nothing.
    pub fn new(aggregator: &str) -> Self {
        Config {
            aggregator: aggregator.to_owned(),
            items: BTreeMap::new(),
            failed: BTreeSet::new(),
            lost: false,
        }
    }

    /// A resource exists.
    pub fn discover(&mut self, item: Item) {
        self.items.insert(item.arn.clone(), item);
    }

    /// A resource is deleted: gone from the aggregator, `ResourceDeleted` in its account's history.
    pub fn delete(&mut self, arn: &str, now: Timestamp, journal: &mut Journal) -> bool {
        let Some(item) = self.items.get_mut(arn) else {
            return false;
        };
        item.deleted = true;
        item.captured_at = now;
        let change = Change::ResourceDeleted {
            account: item.account.clone(),
            region: item.region.clone(),
            id: arn.to_owned(),
        };
        journal.push(now, Actor::Aws, change);
        true
    }

    /// The aggregator cannot read this account and Region.
    pub fn source_failed(&mut self, account: &str, region: &str) {
        self.failed.insert((account.to_owned(), region.to_owned()));
    }

    /// "AWS Config deletes data for entire organization" (developer guide, aggregator troubleshooting).
    pub fn lose_aggregator_data(&mut self) {
        self.lost = true;
    }

    /// One recorded resource.
    pub fn item(&self, arn: &str) -> Option<&Item> {
        self.items.get(arn)
    }

    /// Answers one operation for the calling account and Region.
    pub fn handle(&self, operation: &str, body: &Value, account: &str, region: &str) -> Response {
        match operation {
            "SelectAggregateResourceConfig" => self.select(body),
            "DescribeConfigurationAggregatorSourcesStatus" => self.sources(body),
            "GetResourceConfigHistory" => self.history(body, account, region),
            "ListDiscoveredResources" => self.discovered(body, account, region),
            other => error(
                501,
                "NotImplemented",
                &format!("this emulator does not know {other}"),
            ),
        }
    }

    fn aggregator_known(&self, body: &Value) -> Option<Response> {
        (body["ConfigurationAggregatorName"] != self.aggregator.as_str()).then(|| {
            error(
                400,
                "NoSuchConfigurationAggregatorException",
                "The configuration aggregator does not exist.",
            )
        })
    }

    /// Advanced queries: `… WHERE arn IN ('…', …)`. Deleted resources are not in them.
    fn select(&self, body: &Value) -> Response {
        if let Some(refused) = self.aggregator_known(body) {
            return refused;
        }
        let expression = body["Expression"].as_str().unwrap_or_default();
        if expression.len() > 4096 {
            return error(
                400,
                "InvalidExpressionException",
                "The expression is longer than 4096 characters.",
            );
        }
        let Some(arns) = arns_of(expression) else {
            return error(
                400,
                "InvalidExpressionException",
                "This emulator understands WHERE arn IN ('…') only.",
            );
        };
        let found: Vec<String> = arns
            .iter()
            .filter_map(|arn| self.items.get(arn))
            .filter(|item| {
                !item.deleted
                    && !self.lost
                    && !self
                        .failed
                        .contains(&(item.account.clone(), item.region.clone()))
            })
            .map(|item| {
                json!({ "resourceId": item.id, "resourceType": item.kind, "accountId": item.account,
                        "awsRegion": item.region, "arn": item.arn })
                .to_string()
            })
            .collect();
        let limit =
            usize::try_from(body["Limit"].as_u64().unwrap_or(25).clamp(1, 100)).unwrap_or(25);
        let start = body["NextToken"]
            .as_str()
            .and_then(|token| token.parse().ok())
            .unwrap_or(0)
            .min(found.len());
        let end = (start + limit).min(found.len());
        let mut answer = json!({ "Results": found[start..end] });
        if end < found.len() {
            answer["NextToken"] = json!(end.to_string());
        }
        json(200, &answer)
    }

    fn sources(&self, body: &Value) -> Response {
        if let Some(refused) = self.aggregator_known(body) {
            return refused;
        }
        let sources: BTreeSet<(&str, &str)> = self
            .items
            .values()
            .map(|item| (item.account.as_str(), item.region.as_str()))
            .collect();
        let sources: Vec<Value> = sources
            .into_iter()
            .map(|(account, region)| {
                let failed = self
                    .failed
                    .contains(&(account.to_owned(), region.to_owned()));
                json!({ "SourceId": account, "SourceType": "ACCOUNT", "AwsRegion": region,
                        "LastUpdateStatus": if failed { "FAILED" } else { "SUCCEEDED" } })
            })
            .collect();
        let start = body["NextToken"]
            .as_str()
            .and_then(|token| token.parse().ok())
            .unwrap_or(0)
            .min(sources.len());
        let end = (start + 100).min(sources.len());
        let mut answer = json!({ "AggregatedSourceStatusList": sources[start..end] });
        if end < sources.len() {
            answer["NextToken"] = json!(end.to_string());
        }
        json(200, &answer)
    }

    fn own(&self, body: &Value, account: &str, region: &str, id: &str) -> Option<&Item> {
        let kind = body["resourceType"].as_str().unwrap_or_default();
        self.items.values().find(|item| {
            item.account == account && item.region == region && item.kind == kind && item.id == id
        })
    }

    fn history(&self, body: &Value, account: &str, region: &str) -> Response {
        let id = body["resourceId"].as_str().unwrap_or_default();
        let Some(item) = self.own(body, account, region, id) else {
            return error(
                400,
                "ResourceNotDiscoveredException",
                "The resource has not been discovered.",
            );
        };
        let status = if item.deleted {
            "ResourceDeleted"
        } else {
            "OK"
        };
        let seconds = seconds(item.captured_at);
        json(
            200,
            &json!({ "configurationItems": [{
            "accountId": item.account, "awsRegion": item.region, "arn": item.arn, "resourceId": item.id,
            "resourceType": item.kind, "configurationItemStatus": status,
            "configurationItemCaptureTime": seconds }] }),
        )
    }

    fn discovered(&self, body: &Value, account: &str, region: &str) -> Response {
        let include_deleted = body["includeDeletedResources"].as_bool().unwrap_or(false);
        let ids = body["resourceIds"].as_array().cloned().unwrap_or_default();
        if ids.len() > 20 {
            return error(
                400,
                "ValidationException",
                "resourceIds holds at most 20 ids.",
            );
        }
        let found: Vec<Value> = ids
            .iter()
            .filter_map(|id| self.own(body, account, region, id.as_str().unwrap_or_default()))
            .filter(|item| !item.deleted || include_deleted)
            .map(|item| {
                let mut row = json!({ "resourceType": item.kind, "resourceId": item.id });
                if item.deleted {
                    row["resourceDeletionTime"] = json!(seconds(item.captured_at));
                }
                row
            })
            .collect();
        json(200, &json!({ "resourceIdentifiers": found }))
    }
}

/// JSON 1.1 times: seconds since 1970 with milliseconds.
fn seconds(at: Timestamp) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let milliseconds = at.as_millisecond() as f64;
    milliseconds / 1000.0
}

/// The values of `arn IN ('a', 'b')` or `arn = 'a'`.
fn arns_of(expression: &str) -> Option<Vec<String>> {
    let clause = expression.split_once("WHERE arn")?.1.trim_start();
    let list = match clause.strip_prefix("IN") {
        Some(list) => list.trim().strip_prefix('(')?.strip_suffix(')')?,
        None => clause.strip_prefix('=')?.trim(),
    };
    list.split(',')
        .map(|arn| {
            Some(
                arn.trim()
                    .strip_prefix('\'')?
                    .strip_suffix('\'')?
                    .to_owned(),
            )
        })
        .collect()
}

/// JSON 1.1 errors: the type in the body.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Response {
    json(status, &json!({ "__type": code, "message": message }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const ARN: &str = "arn:aws:s3:::logs";

    fn config() -> Config {
        let mut config = Config::new("org");
        config.discover(Item {
            account: "222222222222".into(),
            region: "eu-west-1".into(),
            kind: "AWS::S3::Bucket".into(),
            id: "logs".into(),
            arn: ARN.into(),
            captured_at: Timestamp::UNIX_EPOCH,
            deleted: false,
        });
        config
    }

    fn ask(config: &Config, operation: &str, body: Value) -> Value {
        serde_json::from_slice(
            config
                .handle(operation, &body, "222222222222", "eu-west-1")
                .body(),
        )
        .unwrap()
    }

    fn select(config: &Config) -> usize {
        let expression = format!("SELECT arn WHERE arn IN ('{ARN}', 'arn:aws:s3:::other')");
        let body = json!({"ConfigurationAggregatorName": "org", "Expression": expression});
        ask(config, "SelectAggregateResourceConfig", body)["Results"]
            .as_array()
            .unwrap()
            .len()
    }

    #[test]
    fn a_deleted_resource_leaves_the_aggregator_and_stays_in_its_accounts_history() {
        let mut config = config();
        let of = json!({"resourceType": "AWS::S3::Bucket", "resourceId": "logs"});
        assert_eq!(select(&config), 1);
        config.delete(ARN, Timestamp::UNIX_EPOCH, &mut Journal::default());
        assert_eq!(select(&config), 0);
        let history = ask(&config, "GetResourceConfigHistory", of);
        assert_eq!(
            history["configurationItems"][0]["configurationItemStatus"],
            "ResourceDeleted"
        );
        let mut listed = json!({"resourceType": "AWS::S3::Bucket", "resourceIds": ["logs"]});
        assert_eq!(
            ask(&config, "ListDiscoveredResources", listed.clone())["resourceIdentifiers"],
            json!([])
        );
        listed["includeDeletedResources"] = json!(true);
        assert!(ask(&config, "ListDiscoveredResources", listed)["resourceIdentifiers"][0]["resourceDeletionTime"].is_number());
    }

    #[test]
    fn absence_from_the_aggregator_has_causes_that_are_no_deletion() {
        let mut failed = config();
        failed.source_failed("222222222222", "eu-west-1");
        let mut lost = config();
        lost.lose_aggregator_data();
        for config in [failed, lost] {
            assert_eq!(select(&config), 0);
            let of = json!({"resourceType": "AWS::S3::Bucket", "resourceId": "logs"});
            assert_eq!(
                ask(&config, "GetResourceConfigHistory", of)["configurationItems"][0]["configurationItemStatus"],
                "OK"
            );
        }
    }

    #[test]
    fn unknown_names_are_errors_as_aws_gives_them() {
        let config = config();
        let body = json!({"ConfigurationAggregatorName": "other", "Expression": ""});
        assert_eq!(
            ask(&config, "SelectAggregateResourceConfig", body)["__type"],
            "NoSuchConfigurationAggregatorException"
        );
        let of = json!({"resourceType": "AWS::S3::Bucket", "resourceId": "never"});
        assert_eq!(
            ask(&config, "GetResourceConfigHistory", of)["__type"],
            "ResourceNotDiscoveredException"
        );
    }
}
