//! AWS Config's behaviour: what the aggregator shows, what only the member account knows, and the query grammar.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;

const HOME: &str = "111111111111";
const MEMBER: &str = "222222222222";
const ARN: &str = "arn:aws:s3:::logs";

fn t(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

/// A Config with the bucket `logs` in the member account, and who asks from where.
struct Stage {
    config: Config,
    journal: Journal,
    account: &'static str,
    region: &'static str,
    fault: Option<AwsFault>,
}

impl Stage {
    fn new() -> Self {
        let mut stage = Stage {
            config: Config::new("org", HOME, "eu-west-1"),
            journal: Journal::default(),
            account: HOME,
            region: "eu-west-1",
            fault: None,
        };
        stage.discover("logs", "AWS::S3::Bucket", ARN, "eu-west-1");
        stage
    }

    fn discover(&mut self, id: &str, kind: &str, arn: &str, region: &str) {
        self.config.discover(Item {
            account: MEMBER.into(),
            region: region.into(),
            kind: kind.into(),
            id: id.into(),
            arn: arn.into(),
            captured_at: t(0),
            deleted: false,
        });
    }

    fn delete(&mut self, arn: &str, hours: i64) {
        assert!(self.config.delete(arn, t(hours), &mut self.journal));
    }

    fn ask(&self, operation: &str, body: Value, hours: i64) -> Value {
        let caller = Caller {
            account: self.account.into(),
            identity: String::new(),
            engine: false,
        };
        let call = Call {
            body: &body,
            caller: &caller,
            region: self.region,
            now: t(hours),
            fault: self.fault.as_ref(),
        };
        let response = self.config.handle(operation, &call);
        let answer: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(
            response.status() == 200,
            answer["__type"].is_null(),
            "{answer}"
        );
        answer
    }

    /// The rows of a query, at home.
    fn select(&self, expression: &str, hours: i64) -> Result<Vec<Value>, String> {
        let body =
            json!({"ConfigurationAggregatorName": "org", "Expression": expression, "Limit": 100});
        let answer = self.ask("SelectAggregateResourceConfig", body, hours);
        match answer["__type"].as_str() {
            Some(code) => Err(code.to_owned()),
            None => {
                let rows = answer["Results"].as_array().unwrap().iter();
                Ok(rows
                    .map(|row| serde_json::from_str(row.as_str().unwrap()).unwrap())
                    .collect())
            }
        }
    }

    fn shows(&self, hours: i64) -> bool {
        let query = format!("SELECT arn WHERE arn IN ('{ARN}', 'arn:aws:s3:::other')");
        !self.select(&query, hours).unwrap().is_empty()
    }

    /// All items of the bucket's history.
    fn history(&mut self, more: Value, hours: i64) -> Vec<Value> {
        self.account = MEMBER;
        let mut body = json!({"resourceType": "AWS::S3::Bucket", "resourceId": "logs"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (mut items, mut calls) = (Vec::new(), 0);
        loop {
            let page = self.ask("GetResourceConfigHistory", body.clone(), hours);
            items.extend(page["configurationItems"].as_array().unwrap().clone());
            calls += 1;
            assert!(calls < 100);
            match page["nextToken"].as_str() {
                Some(token) => body["nextToken"] = json!(token),
                None => return items,
            }
        }
    }
}

fn statuses(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["configurationItemStatus"].as_str().unwrap())
        .collect()
}

fn identifier(id: &str) -> Value {
    json!({"SourceAccountId": MEMBER, "SourceRegion": "eu-west-1", "ResourceId": id, "ResourceType": "AWS::S3::Bucket"})
}

#[test]
fn a_deleted_resource_leaves_the_aggregator_and_stays_in_its_accounts_history() {
    let mut stage = Stage::new();
    assert!(stage.shows(1));
    stage.delete(ARN, 2);
    assert!(!stage.shows(2));
    let items = stage.history(json!({}), 3);
    assert_eq!(statuses(&items), ["ResourceDeleted", "ResourceDiscovered"]);
    assert_eq!(items[0]["configurationItemCaptureTime"], 7_200.0);
    assert!(items[0]["configuration"].is_null());
    let mut listed = json!({"resourceType": "AWS::S3::Bucket", "resourceIds": ["logs"]});
    let found = |stage: &Stage, body: &Value| {
        stage.ask("ListDiscoveredResources", body.clone(), 3)["resourceIdentifiers"].clone()
    };
    assert_eq!(found(&stage, &listed), json!([]));
    listed["includeDeletedResources"] = json!(true);
    assert_eq!(found(&stage, &listed)[0]["resourceDeletionTime"], 7_200.0);
    let keys = json!({"resourceKeys": [{"resourceType": "AWS::S3::Bucket", "resourceId": "logs"}]});
    let batch = stage.ask("BatchGetResourceConfig", keys.clone(), 3);
    assert_eq!(batch["baseConfigurationItems"], json!([]));
    assert_eq!(batch["unprocessedResourceKeys"], keys["resourceKeys"]);
}

#[test]
fn a_resource_that_comes_back_is_discovered_again() {
    let mut stage = Stage::new();
    stage.delete(ARN, 2);
    let gone = stage.config.item(ARN).unwrap().clone();
    stage.config.discover(Item {
        captured_at: t(3),
        deleted: false,
        ..gone
    });
    assert!(stage.shows(4));
    let items = stage.history(json!({}), 4);
    assert_eq!(
        statuses(&items),
        [
            "ResourceDiscovered",
            "ResourceDeleted",
            "ResourceDiscovered"
        ]
    );
}

#[test]
fn absence_from_the_aggregator_has_causes_that_are_no_deletion() {
    let failed = |stage: &mut Stage| stage.config.source_failed(MEMBER, "eu-west-1");
    let lost = |stage: &mut Stage| stage.config.lose_aggregator_data();
    let region = |stage: &mut Stage| {
        stage.fault = Some(AwsFault::LostRegion {
            region: "eu-west-1".into(),
        })
    };
    let causes: [&dyn Fn(&mut Stage); 3] = [&failed, &lost, &region];
    for cause in causes {
        let mut stage = Stage::new();
        cause(&mut stage);
        assert!(!stage.shows(1));
        let body = json!({"ConfigurationAggregatorName": "org", "ResourceIdentifiers": [identifier("logs")]});
        let batch = stage.ask("BatchGetAggregateResourceConfig", body.clone(), 1);
        assert_eq!(
            batch["UnprocessedResourceIdentifiers"],
            body["ResourceIdentifiers"]
        );
        stage.fault = None;
        assert_eq!(
            statuses(&stage.history(json!({}), 1)),
            ["ResourceDiscovered"]
        );
    }
    let mut stage = Stage::new();
    stage.config.lose_aggregator_data();
    stage.config.restore_aggregator_data();
    assert!(stage.shows(1));
}

#[test]
fn the_aggregator_is_behind_by_its_lag() {
    let mut stage = Stage::new();
    stage.config.aggregator_lag = SignedDuration::from_hours(2);
    assert!(!stage.shows(1));
    assert!(stage.shows(2));
    stage.delete(ARN, 3);
    assert!(stage.shows(4));
    assert!(!stage.shows(5));
}

#[test]
fn the_aggregate_view_gives_items_identifiers_and_what_it_does_not_know() {
    let mut stage = Stage::new();
    stage.discover(
        "other",
        "AWS::S3::Bucket",
        "arn:aws:s3:::other",
        "us-east-1",
    );
    let tags = [("team", "web")];
    stage
        .config
        .describe(ARN, Some("logs"), &tags, json!({"name": "logs"}), t(1));
    let named =
        json!({"ConfigurationAggregatorName": "org", "ResourceIdentifier": identifier("logs")});
    let item = stage.ask("GetAggregateResourceConfig", named, 2)["ConfigurationItem"].clone();
    assert_eq!(
        (&item["resourceName"], &item["tags"]),
        (&json!("logs"), &json!({"team": "web"}))
    );
    assert_eq!(item["configuration"], r#"{"name":"logs"}"#);
    let body = json!({"ConfigurationAggregatorName": "org",
        "ResourceIdentifiers": [identifier("logs"), identifier("never")]});
    let batch = stage.ask("BatchGetAggregateResourceConfig", body, 2);
    assert!(batch["BaseConfigurationItems"][0]["tags"].is_null());
    assert_eq!(
        batch["UnprocessedResourceIdentifiers"],
        json!([identifier("never")])
    );
    let never =
        json!({"ConfigurationAggregatorName": "org", "ResourceIdentifier": identifier("never")});
    assert_eq!(
        stage.ask("GetAggregateResourceConfig", never, 2)["__type"],
        "ResourceNotDiscoveredException"
    );
    for (filters, count) in [
        (json!({}), 2),
        (json!({"Region": "us-east-1"}), 1),
        (json!({"AccountId": MEMBER}), 2),
        (json!({"AccountId": HOME}), 0),
        (json!({"ResourceId": "logs"}), 1),
        (json!({"ResourceName": "logs"}), 1),
    ] {
        let body = json!({"ConfigurationAggregatorName": "org", "ResourceType": "AWS::S3::Bucket", "Filters": filters});
        let listed = stage.ask("ListAggregateDiscoveredResources", body, 2);
        assert_eq!(
            listed["ResourceIdentifiers"].as_array().unwrap().len(),
            count,
            "{filters}"
        );
    }
}

#[test]
fn a_history_goes_either_way_in_spans_of_seven_days_and_within_times() {
    let mut stage = Stage::new();
    let day = 24;
    for days in [1, 2, 20, 40] {
        stage
            .config
            .describe(ARN, None, &[], json!({"day": days}), t(days * day));
    }
    let body = json!({"resourceType": "AWS::S3::Bucket", "resourceId": "logs"});
    stage.account = MEMBER;
    // The newest change is ten days old: the first span is empty, and its token leads on.
    let first = stage.ask("GetResourceConfigHistory", body, 50 * day);
    assert_eq!(first["configurationItems"], json!([]));
    assert!(first["nextToken"].is_string());
    let days = |items: &[Value]| -> Vec<f64> {
        items
            .iter()
            .map(|item| item["configurationItemCaptureTime"].as_f64().unwrap() / 86_400.0)
            .collect()
    };
    assert_eq!(
        days(&stage.history(json!({}), 50 * day)),
        [40.0, 20.0, 2.0, 1.0, 0.0]
    );
    assert_eq!(
        days(&stage.history(
            json!({"chronologicalOrder": "Forward", "limit": 1}),
            50 * day
        )),
        [0.0, 1.0, 2.0, 20.0, 40.0]
    );
    let within = json!({"earlierTime": 1.5 * 86_400.0, "laterTime": 20.0 * 86_400.0});
    assert_eq!(days(&stage.history(within, 50 * day)), [20.0, 2.0]);
}

#[test]
fn bad_questions_to_a_member_are_refused_by_name() {
    let mut stage = Stage::new();
    stage.account = MEMBER;
    let bucket = |more: Value| {
        let mut body = json!({"resourceType": "AWS::S3::Bucket", "resourceId": "logs"});
        more.as_object()
            .unwrap()
            .iter()
            .for_each(|(name, value)| body[name] = value.clone());
        body
    };
    let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
    for (operation, body, code) in [
        (
            "GetResourceConfigHistory",
            bucket(json!({"resourceId": "never"})),
            "ResourceNotDiscoveredException",
        ),
        (
            "GetResourceConfigHistory",
            bucket(json!({"resourceType": "Bucket"})),
            "ValidationException",
        ),
        (
            "GetResourceConfigHistory",
            bucket(json!({"limit": 101})),
            "InvalidLimitException",
        ),
        (
            "GetResourceConfigHistory",
            bucket(json!({"nextToken": "x"})),
            "InvalidNextTokenException",
        ),
        (
            "GetResourceConfigHistory",
            bucket(json!({"chronologicalOrder": "Sideways"})),
            "ValidationException",
        ),
        (
            "GetResourceConfigHistory",
            bucket(json!({"earlierTime": 9.0, "laterTime": 1.0})),
            "InvalidTimeRangeException",
        ),
        (
            "ListDiscoveredResources",
            json!({"resourceType": "AWS::S3::Bucket", "resourceIds": many}),
            "ValidationException",
        ),
        (
            "ListDiscoveredResources",
            json!({"resourceType": "AWS::S3::Bucket", "limit": 101}),
            "InvalidLimitException",
        ),
        (
            "ListDiscoveredResources",
            json!({"resourceType": "AWS::S3::Bucket", "nextToken": "x"}),
            "InvalidNextTokenException",
        ),
        (
            "BatchGetResourceConfig",
            json!({"resourceKeys": []}),
            "ValidationException",
        ),
        ("StartConfigurationRecorder", json!({}), "NotImplemented"),
    ] {
        assert_eq!(
            stage.ask(operation, body.clone(), 1)["__type"],
            code,
            "{operation} {body}"
        );
    }
    stage.config.stop_recorder(MEMBER, "eu-west-1");
    for operation in [
        "GetResourceConfigHistory",
        "ListDiscoveredResources",
        "BatchGetResourceConfig",
    ] {
        let answer = stage.ask(operation, bucket(json!({})), 1);
        assert_eq!(
            answer["__type"], "NoAvailableConfigurationRecorderException",
            "{operation}"
        );
    }
}

#[test]
fn listings_of_a_member_are_its_own_and_paged() {
    let mut stage = Stage::new();
    for n in 0..5 {
        stage.discover(
            &format!("b{n}"),
            "AWS::S3::Bucket",
            &format!("arn:aws:s3:::b{n}"),
            "eu-west-1",
        );
    }
    let mut body = json!({"resourceType": "AWS::S3::Bucket", "limit": 4});
    assert_eq!(
        stage.ask("ListDiscoveredResources", body.clone(), 1)["resourceIdentifiers"],
        json!([])
    );
    stage.account = MEMBER;
    let first = stage.ask("ListDiscoveredResources", body.clone(), 1);
    assert_eq!(first["resourceIdentifiers"].as_array().unwrap().len(), 4);
    body["nextToken"] = first["nextToken"].clone();
    let second = stage.ask("ListDiscoveredResources", body, 1);
    assert_eq!(second["resourceIdentifiers"].as_array().unwrap().len(), 2);
    assert!(second["nextToken"].is_null());
}

#[test]
fn the_aggregator_belongs_to_its_account_and_region() {
    let mut stage = Stage::new();
    let ask = |stage: &Stage, name: &str| {
        stage.ask(
            "DescribeConfigurationAggregators",
            json!({"ConfigurationAggregatorNames": [name]}),
            1,
        )
    };
    assert_eq!(
        ask(&stage, "org")["ConfigurationAggregators"][0]["ConfigurationAggregatorName"],
        "org"
    );
    assert_eq!(
        ask(&stage, "other")["__type"],
        "NoSuchConfigurationAggregatorException"
    );
    let body = json!({"ConfigurationAggregatorName": "other", "Expression": "SELECT arn"});
    assert_eq!(
        stage.ask("SelectAggregateResourceConfig", body, 1)["__type"],
        "NoSuchConfigurationAggregatorException"
    );
    stage.region = "us-east-1";
    assert_eq!(
        stage.select("SELECT arn", 1).unwrap_err(),
        "NoSuchConfigurationAggregatorException"
    );
    assert_eq!(
        stage.ask("DescribeConfigurationAggregators", json!({}), 1)["ConfigurationAggregators"],
        json!([])
    );
    (stage.region, stage.account) = ("eu-west-1", MEMBER);
    assert_eq!(
        stage.select("SELECT arn", 1).unwrap_err(),
        "NoSuchConfigurationAggregatorException"
    );
}

#[test]
fn sources_say_how_their_last_collection_went() {
    let mut stage = Stage::new();
    stage.discover("k", "AWS::KMS::Key", "arn:k", "us-east-1");
    stage
        .config
        .set_source(MEMBER, "us-east-1", Some(SourceState::Outdated));
    stage.config.source_failed("333333333333", "eu-west-1");
    let ask = |stage: &Stage, wanted: Value| {
        let body = json!({"ConfigurationAggregatorName": "org", "UpdateStatus": wanted});
        let answer = stage.ask("DescribeConfigurationAggregatorSourcesStatus", body, 1);
        let rows = answer["AggregatedSourceStatusList"]
            .as_array()
            .unwrap()
            .iter();
        rows.map(|row| row["LastUpdateStatus"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ask(&stage, Value::Null),
        ["SUCCEEDED", "OUTDATED", "FAILED"]
    );
    assert_eq!(
        ask(&stage, json!(["FAILED", "OUTDATED"])),
        ["OUTDATED", "FAILED"]
    );
    stage.config.set_source(MEMBER, "us-east-1", None);
    assert_eq!(ask(&stage, json!(["OUTDATED"])), Vec::<String>::new());
}

/// Instances of two types and a bucket.
fn inventory() -> Stage {
    let mut stage = Stage::new();
    for (n, kind) in ["t3.micro", "t3.micro", "m5.large"].iter().enumerate() {
        let arn = format!("arn:aws:ec2:eu-west-1:{MEMBER}:instance/i-{n}");
        stage.discover(&format!("i-{n}"), "AWS::EC2::Instance", &arn, "eu-west-1");
        let configuration = json!({"instanceType": kind, "cores": n + 1, "ebsOptimized": n == 2,
            "securityGroups": [{"groupId": "sg-a"}, {"groupId": format!("sg-{n}")}]});
        stage.config.describe(
            &arn,
            None,
            &[("team", ["web", "pay", "web"][n])],
            configuration,
            t(0),
        );
    }
    stage
}

#[test]
fn the_documented_grammar_is_answered() {
    let stage = inventory();
    for (condition, found) in [
        ("resourceType = 'AWS::EC2::Instance'", "012"),
        (
            "resourceType='AWS::EC2::Instance' AND configuration.instanceType = 't3.micro'",
            "01",
        ),
        ("configuration.instanceType IN ('m5.large', 'x')", "2"),
        (
            "configuration.instanceType NOT IN ('m5.large') AND resourceType LIKE 'AWS::EC2::%'",
            "01",
        ),
        ("configuration.cores BETWEEN 2 AND 3", "12"),
        ("configuration.cores > 1 AND configuration.cores <= 2", "1"),
        ("configuration.ebsOptimized = true", "2"),
        ("configuration.securityGroups.groupId = 'sg-1'", "1"),
        (
            "configuration.securityGroups.groupId = 'sg-a' AND configuration.securityGroups.groupId = 'sg-2'",
            "2",
        ),
        ("tags.tag = 'team=web'", "02"),
        ("tags.key = 'team' AND tags.value = 'pay'", "1"),
        ("resourceId LIKE 'i-0%' OR resourceId = 'i-2'", "02"),
        (
            "resourceId LIKE 'AWS%' OR (resourceId = 'i-2' AND NOT resourceId = 'i-1')",
            "2",
        ),
        (
            "resourceType <> 'AWS::S3::Bucket' AND NOT (resourceId = 'i-0' OR resourceId = 'i-1')",
            "2",
        ),
        (
            "arn LIKE 'arn:aws:ec2:eu-west-1:222222222222:instance/i-_'",
            "012",
        ),
    ] {
        let rows = stage.select(&format!("select resourceId where {condition}"), 1);
        let ids: String = rows
            .unwrap_or_else(|code| panic!("{condition}: {code}"))
            .iter()
            .map(|row| row["resourceId"].as_str().unwrap().replace("i-", ""))
            .collect();
        assert_eq!(ids, found, "{condition}");
    }
}

#[test]
fn selected_properties_keep_their_places_and_a_star_means_the_scalars() {
    let stage = inventory();
    let rows = stage
        .select(
            "SELECT resourceId, configuration.instanceType, tags WHERE resourceId = 'i-1'",
            1,
        )
        .unwrap();
    assert_eq!(
        rows,
        [
            json!({"resourceId": "i-1", "configuration": {"instanceType": "t3.micro"},
            "tags": [{"key": "team", "value": "pay", "tag": "team=pay"}]})
        ]
    );
    let rows = stage
        .select("SELECT * WHERE resourceId = 'i-1'", 1)
        .unwrap();
    assert_eq!(rows[0]["accountId"], MEMBER);
    assert!(rows[0]["configuration"].is_null() && rows[0]["tags"].is_null());
}

#[test]
fn groups_are_counted_summed_and_sorted() {
    let stage = inventory();
    let rows = stage
        .select(
            "SELECT configuration.instanceType, COUNT(*), SUM(configuration.cores), MAX(configuration.cores) \
             WHERE resourceType = 'AWS::EC2::Instance' GROUP BY configuration.instanceType ORDER BY COUNT(*) DESC",
            1,
        )
        .unwrap();
    assert_eq!(
        rows,
        [
            json!({"configuration": {"instanceType": "t3.micro"}, "COUNT(*)": 2, "SUM(configuration.cores)": 3.0,
                "MAX(configuration.cores)": 2.0}),
            json!({"configuration": {"instanceType": "m5.large"}, "COUNT(*)": 1, "SUM(configuration.cores)": 3.0,
                "MAX(configuration.cores)": 3.0}),
        ]
    );
    let rows = stage
        .select(
            "SELECT COUNT(*), AVG(configuration.cores), MIN(configuration.cores)",
            1,
        )
        .unwrap();
    assert_eq!(
        rows,
        [json!({"COUNT(*)": 4, "AVG(configuration.cores)": 2.0, "MIN(configuration.cores)": 1.0})]
    );
    let rows = stage.select(
        "SELECT resourceId WHERE resourceType LIKE 'AWS::EC2%' ORDER BY configuration.cores DESC",
        1,
    );
    assert_eq!(rows.unwrap()[0]["resourceId"], "i-2");
}

#[test]
fn what_the_guide_excludes_is_an_invalid_expression_and_what_it_leaves_open_501() {
    let stage = inventory();
    for expression in [
        "SELECT",
        "resourceId",
        "SELECT resourceId FROM resources",
        "SELECT DISTINCT resourceId",
        "SELECT resourceId AS id",
        "SELECT resourceId WHERE resourceName = NULL",
        "SELECT resourceId WHERE",
        "SELECT resourceId WHERE resourceId",
        "SELECT resourceId WHERE resourceId = ",
        "SELECT resourceId WHERE resourceId = 'i-1",
        "SELECT resourceId WHERE resourceId IN ()",
        "SELECT resourceId WHERE (resourceId = 'i-1'",
        "SELECT resourceId WHERE resourceType LIKE '%Instance'",
        "SELECT resourceId WHERE resourceType LIKE 'AWS%Instance'",
        "SELECT resourceId WHERE resourceType LIKE 'AW%'",
        "SELECT resourceId, COUNT(*)",
        "SELECT MAX(*)",
        "SELECT MEDIAN(configuration.cores)",
        "SELECT COUNT(*) GROUP BY a, b, c, d",
        "SELECT COUNT(*) GROUP BY a HAVING COUNT(*) > 1",
        "SELECT resourceId; DROP",
        "SELECT resourceId WHERE resourceId = 'a' resourceId",
    ] {
        assert_eq!(
            stage.select(expression, 1),
            Err("InvalidExpressionException".into()),
            "{expression}"
        );
    }
    let deep = format!(
        "SELECT arn WHERE {}arn = 'x'{}",
        "(".repeat(100),
        ")".repeat(100)
    );
    assert_eq!(
        stage.select(&deep, 1),
        Err("InvalidExpressionException".into())
    );
    let range =
        "SELECT resourceId WHERE configuration.ipRanges BETWEEN '10.0.0.0' AND '10.0.0.255'";
    assert_eq!(stage.select(range, 1), Err("NotImplemented".into()));
    let long = format!("SELECT arn WHERE arn = '{}'", "x".repeat(4_096));
    assert_eq!(stage.select(&long, 1), Err("ValidationException".into()));
}

#[test]
fn queries_are_paged_by_25_and_at_most_100() {
    let mut stage = Stage::new();
    for n in 0..60 {
        stage.discover(
            &format!("{n}"),
            "AWS::KMS::Key",
            &format!("arn:key-{n:02}"),
            "eu-west-1",
        );
    }
    let mut body = json!({"ConfigurationAggregatorName": "org", "Expression": "SELECT arn WHERE resourceType = 'AWS::KMS::Key'"});
    let mut sizes = Vec::new();
    loop {
        let page = stage.ask("SelectAggregateResourceConfig", body.clone(), 1);
        sizes.push(page["Results"].as_array().unwrap().len());
        assert_eq!(page["QueryInfo"]["SelectFields"], json!([{"Name": "arn"}]));
        match page["NextToken"].as_str() {
            Some(token) => body["NextToken"] = json!(token),
            None => break,
        }
    }
    assert_eq!(sizes, [25, 25, 10]);
    body["Expression"] = json!("SELECT arn");
    assert_eq!(
        stage.ask("SelectAggregateResourceConfig", body.clone(), 1)["__type"],
        "InvalidNextTokenException"
    );
    let body =
        json!({"ConfigurationAggregatorName": "org", "Expression": "SELECT arn", "Limit": 101});
    assert_eq!(
        stage.ask("SelectAggregateResourceConfig", body, 1)["__type"],
        "InvalidLimitException"
    );
}

#[test]
fn every_change_is_announced_in_the_resources_account_and_region() {
    let mut stage = Stage::new();
    stage.config.describe(ARN, None, &[], json!({"a": 1}), t(1));
    stage.delete(ARN, 2);
    let events = stage.config.take_events();
    let details: Vec<&Value> = events
        .iter()
        .map(|event| match &event.what {
            What::ConfigurationItem(detail) => detail.as_ref(),
            other => panic!("{other:?}"),
        })
        .collect();
    let kinds: Vec<&Value> = details
        .iter()
        .map(|d| &d["configurationItemDiff"]["changeType"])
        .collect();
    assert_eq!(kinds, ["CREATE", "UPDATE", "DELETE"]);
    assert_eq!(
        (&*events[2].account, &*events[2].region),
        (MEMBER, "eu-west-1")
    );
    let deleted = &details[2]["configurationItem"];
    assert_eq!(
        details[2]["messageType"],
        "ConfigurationItemChangeNotification"
    );
    assert_eq!(
        (&deleted["configurationItemStatus"], &deleted["ARN"]),
        (&json!("ResourceDeleted"), &json!(ARN))
    );
    assert_eq!(
        deleted["configurationItemCaptureTime"],
        "1970-01-01T02:00:00.000Z"
    );
    assert!(deleted["configuration"].is_null());
}

#[test]
fn an_oversized_item_is_only_summed_up_in_its_event() {
    let mut stage = Stage::new();
    stage.config.oversize(ARN);
    stage.config.take_events();
    stage.delete(ARN, 2);
    let events = stage.config.take_events();
    let What::ConfigurationItem(detail) = &events[0].what else {
        panic!("{events:?}")
    };
    assert_eq!(
        detail["messageType"],
        "OversizedConfigurationItemChangeNotification"
    );
    let summary = &detail["configurationItemSummary"];
    assert_eq!(
        (&summary["changeType"], &summary["configurationItemStatus"]),
        (&json!("DELETE"), &json!("ResourceDeleted"))
    );
}
