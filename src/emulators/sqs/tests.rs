//! Queues, told message by message.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};

use super::*;

const URL: &str = "http://localhost/111111111111/q";

fn t(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

/// Queues of one account, with the time in seconds.
struct Stage {
    sqs: Sqs,
    now: i64,
    waits: Option<i64>,
}

impl Stage {
    /// A queue `q` with these attributes.
    fn with(attributes: Value) -> Self {
        let mut stage = Stage {
            sqs: Sqs::default(),
            now: 0,
            waits: None,
        };
        stage.ok(
            "CreateQueue",
            json!({"QueueName": "q", "Attributes": attributes}),
        );
        stage
    }

    /// A queue `q` that gives up after two receipts, to `dead`.
    fn with_dead_letters() -> Self {
        let mut stage = Stage {
            sqs: Sqs::default(),
            now: 0,
            waits: None,
        };
        stage.ok("CreateQueue", json!({"QueueName": "dead"}));
        let policy = json!({"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111111111111:dead", "maxReceiveCount": 2});
        let attributes = json!({"RedrivePolicy": policy.to_string()});
        stage.ok(
            "CreateQueue",
            json!({"QueueName": "q", "Attributes": attributes}),
        );
        stage
    }

    fn ask_as(&mut self, account: &str, operation: &str, mut body: Value) -> (u16, Value, String) {
        if body["QueueUrl"].is_null() {
            body["QueueUrl"] = json!(URL);
        }
        let caller = Caller {
            account: account.into(),
            identity: "me".into(),
            engine: false,
        };
        let call = Call {
            body: &body,
            caller: &caller,
            region: "eu-west-1",
            endpoint: "http://localhost",
            now: t(self.now),
            fault: None,
        };
        let answer = self.sqs.handle(operation, &call);
        self.waits = answer.wait.map(|wait| wait.as_secs());
        let header = answer.response.headers().get("x-amzn-query-error");
        let header = header
            .map_or("", |value| value.to_str().unwrap())
            .to_owned();
        let body = serde_json::from_slice(answer.response.body()).unwrap();
        (answer.response.status().as_u16(), body, header)
    }

    fn ok(&mut self, operation: &str, body: Value) -> Value {
        let (status, answer, _) = self.ask_as("111111111111", operation, body);
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// The error's name, its name in the query protocol, and its message.
    fn refused(&mut self, operation: &str, body: Value) -> (String, String, String) {
        let (status, answer, header) = self.ask_as("111111111111", operation, body);
        assert!(status >= 400, "{operation}: {answer}");
        let code = answer["__type"]
            .as_str()
            .unwrap()
            .replace("com.amazonaws.sqs#", "");
        let message = answer["message"].as_str().unwrap().to_owned();
        (code, header, message)
    }

    fn send(&mut self, text: &str) {
        self.ok("SendMessage", json!({ "MessageBody": text }));
    }

    /// Up to ten messages.
    fn receive(&mut self) -> Vec<Value> {
        let body = json!({"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"]});
        let answer = self.ok("ReceiveMessage", body);
        answer["Messages"].as_array().cloned().unwrap_or_default()
    }

    fn attribute(&mut self, name: &str) -> String {
        let answer = self.ok("GetQueueAttributes", json!({ "AttributeNames": [name] }));
        answer["Attributes"][name].as_str().unwrap().to_owned()
    }
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message["Body"].as_str().unwrap())
        .collect()
}

#[test]
fn a_received_message_is_hidden_and_comes_back_until_it_is_deleted() {
    let mut stage = Stage::with(json!({}));
    stage.send("a");
    let first = stage.receive();
    assert_eq!(bodies(&first), ["a"]);
    assert_eq!(first[0]["Attributes"]["ApproximateReceiveCount"], "1");
    stage.now = 29;
    assert!(stage.receive().is_empty());
    stage.now = 30;
    let second = stage.receive();
    assert_eq!(second[0]["MessageId"], first[0]["MessageId"]);
    assert_eq!(second[0]["Attributes"]["ApproximateReceiveCount"], "2");
    assert_ne!(second[0]["ReceiptHandle"], first[0]["ReceiptHandle"]);
    // The handle of the first receipt no longer deletes.
    stage.ok(
        "DeleteMessage",
        json!({ "ReceiptHandle": first[0]["ReceiptHandle"] }),
    );
    stage.now = 60;
    let third = stage.receive();
    assert_eq!(third.len(), 1);
    stage.ok(
        "DeleteMessage",
        json!({ "ReceiptHandle": third[0]["ReceiptHandle"] }),
    );
    stage.ok(
        "DeleteMessage",
        json!({ "ReceiptHandle": third[0]["ReceiptHandle"] }),
    );
    stage.now = 200;
    assert!(stage.receive().is_empty());
}

#[test]
fn visibility_is_changed_for_a_message_in_flight_and_for_at_most_twelve_hours() {
    let mut stage = Stage::with(json!({}));
    stage.send("a");
    let handle = stage.receive()[0]["ReceiptHandle"].clone();
    let change = |seconds: i64| json!({ "ReceiptHandle": handle, "VisibilityTimeout": seconds });
    stage.ok("ChangeMessageVisibility", change(100));
    stage.now = 99;
    assert!(stage.receive().is_empty());
    let (code, _, message) = stage.refused("ChangeMessageVisibility", change(43_200));
    assert_eq!(code, "InvalidParameterValue");
    assert!(message.contains("Total VisibilityTimeout"), "{message}");
    assert_eq!(
        stage.refused("ChangeMessageVisibility", change(43_201)).0,
        "InvalidParameterValue"
    );
    stage.ok("ChangeMessageVisibility", change(0));
    let (code, query, _) = stage.refused("ChangeMessageVisibility", change(10));
    assert_eq!(
        (code.as_str(), query.as_str()),
        (
            "MessageNotInflight",
            "AWS.SimpleQueueService.MessageNotInflight;Sender"
        )
    );
    assert_eq!(stage.receive().len(), 1);
    let stale = change(10);
    let (_, _, message) = stage.refused("ChangeMessageVisibility", stale);
    assert!(
        message.contains("Message does not exist or is not available"),
        "{message}"
    );
    let (code, ..) = stage.refused("DeleteMessage", json!({"ReceiptHandle": "nonsense"}));
    assert_eq!(code, "ReceiptHandleIsInvalid");
}

#[test]
fn what_was_received_too_often_goes_to_the_dead_letter_queue() {
    let mut stage = Stage::with_dead_letters();
    stage.send("poison");
    stage.send("good");
    for round in 0..2 {
        stage.now = 40 * round;
        assert_eq!(stage.receive().len(), 2, "round {round}");
        let good = stage.sqs.bodies("arn:aws:sqs:eu-west-1:111111111111:q");
        assert_eq!(good.len(), 2);
    }
    stage.now = 80;
    stage.send("fresh");
    assert_eq!(bodies(&stage.receive()), ["fresh"]);
    let dead = json!({"QueueUrl": "http://localhost/111111111111/dead", "MaxNumberOfMessages": 10, "AttributeNames": ["All"]});
    let found = stage.ok("ReceiveMessage", dead)["Messages"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(bodies(&found), ["poison", "good"]);
    assert_eq!(
        found[0]["Attributes"]["DeadLetterQueueSourceArn"],
        "arn:aws:sqs:eu-west-1:111111111111:q"
    );
    let sources = json!({"QueueUrl": "http://localhost/111111111111/dead"});
    assert_eq!(
        stage.ok("ListDeadLetterSourceQueues", sources)["queueUrls"],
        json!([URL])
    );
}

#[test]
fn a_poll_that_finds_nothing_says_how_long_it_would_wait() {
    let mut stage = Stage::with(json!({"ReceiveMessageWaitTimeSeconds": "7"}));
    assert!(stage.receive().is_empty());
    assert_eq!(stage.waits, Some(7));
    stage.ok("ReceiveMessage", json!({"WaitTimeSeconds": 20}));
    assert_eq!(stage.waits, Some(20));
    stage.ok("ReceiveMessage", json!({"WaitTimeSeconds": 0}));
    assert_eq!(stage.waits, None);
    stage.send("a");
    assert_eq!(stage.receive().len(), 1);
    assert_eq!(stage.waits, None);
    assert_eq!(
        stage
            .refused("ReceiveMessage", json!({"WaitTimeSeconds": 21}))
            .0,
        "InvalidParameterValue"
    );
    assert_eq!(
        stage
            .refused("ReceiveMessage", json!({"MaxNumberOfMessages": 11}))
            .0,
        "InvalidParameterValue"
    );
    assert_eq!(
        stage
            .refused("ReceiveMessage", json!({"MaxNumberOfMessages": 0}))
            .0,
        "InvalidParameterValue"
    );
}

#[test]
fn delayed_messages_wait_and_old_ones_go() {
    let mut stage = Stage::with(json!({"DelaySeconds": "5", "MessageRetentionPeriod": "60"}));
    stage.send("queue delay");
    stage.ok(
        "SendMessage",
        json!({"MessageBody": "own delay", "DelaySeconds": 20}),
    );
    assert!(stage.receive().is_empty());
    assert_eq!(stage.attribute("ApproximateNumberOfMessagesDelayed"), "2");
    stage.now = 5;
    assert_eq!(bodies(&stage.receive()), ["queue delay"]);
    assert_eq!(
        stage.attribute("ApproximateNumberOfMessagesNotVisible"),
        "1"
    );
    stage.now = 20;
    assert_eq!(bodies(&stage.receive()), ["own delay"]);
    stage.now = 60;
    assert!(stage.receive().is_empty());
    assert_eq!(stage.attribute("ApproximateNumberOfMessages"), "0");
    assert_eq!(
        stage
            .refused(
                "SendMessage",
                json!({"MessageBody": "x", "DelaySeconds": 901})
            )
            .0,
        "InvalidParameterValue"
    );
}

#[test]
fn digests_are_those_of_the_developer_guide() {
    let mut stage = Stage::with(json!({}));
    let attributes = json!({
        "name": {"DataType": "String", "StringValue": "value"},
        "count": {"DataType": "Number", "StringValue": "7"},
        "raw": {"DataType": "Binary", "BinaryValue": "AAEC"},
    });
    let sent = stage.ok("SendMessage", json!({ "MessageBody": "hello", "MessageAttributes": attributes,
        "MessageGroupId": "g", "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}} }));
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    let found = &stage.receive()[0];
    assert_eq!(found["MD5OfBody"], sent["MD5OfMessageBody"]);
    assert_eq!(
        found["MD5OfMessageAttributes"],
        sent["MD5OfMessageAttributes"]
    );
    assert_eq!(found["MessageAttributes"], attributes);
    assert_eq!(
        (
            &found["Attributes"]["MessageGroupId"],
            &found["Attributes"]["AWSTraceHeader"]
        ),
        (&json!("g"), &json!("Root=1"))
    );
    assert!(sent["MD5OfMessageSystemAttributes"].is_string());
    stage.now = 30;
    let asked = json!({"MessageAttributeNames": ["na.*", "raw"], "MaxNumberOfMessages": 1});
    let found = stage.ok("ReceiveMessage", asked)["Messages"][0].clone();
    let names: Vec<&String> = found["MessageAttributes"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(names, ["name", "raw"]);
    assert!(found["Attributes"].is_null());
}

#[test]
fn messages_have_limits() {
    let mut stage = Stage::with(json!({"MaximumMessageSize": "1024"}));
    stage.send(&"x".repeat(1_024));
    for (body, code) in [
        (
            json!({"MessageBody": "x".repeat(1_025)}),
            "InvalidParameterValue",
        ),
        (json!({"MessageBody": ""}), "MissingParameter"),
        (json!({"MessageBody": "a\u{0}b"}), "InvalidMessageContents"),
        (
            json!({"MessageBody": "a\u{ffff}b"}),
            "InvalidMessageContents",
        ),
        (
            json!({"MessageBody": "a", "MessageDeduplicationId": "d"}),
            "InvalidParameterValue",
        ),
        (
            json!({"MessageBody": "a", "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "x"}}}),
            "InvalidParameterValue",
        ),
        (
            json!({"MessageBody": "a", "MessageAttributes": {"a b": {"DataType": "String", "StringValue": "x"}}}),
            "InvalidParameterValue",
        ),
    ] {
        assert_eq!(stage.refused("SendMessage", body.clone()).0, code, "{body}");
    }
    let eleven: serde_json::Map<String, Value> = (0..11)
        .map(|n| {
            (
                format!("a{n}"),
                json!({"DataType": "String", "StringValue": "x"}),
            )
        })
        .collect();
    let (.., message) = stage.refused(
        "SendMessage",
        json!({"MessageBody": "a", "MessageAttributes": eleven}),
    );
    assert!(message.contains("10"), "{message}");
    let mut stage = Stage::with(json!({}));
    stage.send(&"x".repeat(1_048_576));
    let (.., message) = stage.refused("SendMessage", json!({"MessageBody": "x".repeat(1_048_577)}));
    assert!(
        message.contains("Message must be shorter than 1048576 bytes"),
        "{message}"
    );
}

#[test]
fn batches_have_limits_and_fail_entry_by_entry() {
    let mut stage = Stage::with(json!({}));
    let entry = |id: &str, body: &str| json!({"Id": id, "MessageBody": body});
    let many: Vec<Value> = (0..11).map(|n| entry(&n.to_string(), "x")).collect();
    let big = "x".repeat(600_000);
    for (entries, code, query) in [
        (
            json!([]),
            "EmptyBatchRequest",
            "AWS.SimpleQueueService.EmptyBatchRequest;Sender",
        ),
        (
            json!(many),
            "TooManyEntriesInBatchRequest",
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest;Sender",
        ),
        (
            json!([entry("a", "x"), entry("a", "y")]),
            "BatchEntryIdsNotDistinct",
            "AWS.SimpleQueueService.BatchEntryIdsNotDistinct;Sender",
        ),
        (
            json!([entry("a b", "x")]),
            "InvalidBatchEntryId",
            "AWS.SimpleQueueService.InvalidBatchEntryId;Sender",
        ),
        (
            json!([entry("a", &big), entry("b", &big)]),
            "BatchRequestTooLong",
            "AWS.SimpleQueueService.BatchRequestTooLong;Sender",
        ),
    ] {
        let (found, header, _) = stage.refused("SendMessageBatch", json!({ "Entries": entries }));
        assert_eq!((found.as_str(), header.as_str()), (code, query));
    }
    let sent = stage.ok(
        "SendMessageBatch",
        json!({ "Entries": [entry("good", "x"), entry("bad", "")] }),
    );
    assert_eq!(
        (&sent["Successful"][0]["Id"], &sent["Failed"][0]["Id"]),
        (&json!("good"), &json!("bad"))
    );
    assert_eq!(
        (
            &sent["Failed"][0]["SenderFault"],
            &sent["Failed"][0]["Code"]
        ),
        (&json!(true), &json!("MissingParameter"))
    );
    let handle = stage.receive()[0]["ReceiptHandle"].clone();
    let entries = json!([{"Id": "a", "ReceiptHandle": handle, "VisibilityTimeout": 5}, {"Id": "b", "ReceiptHandle": "x", "VisibilityTimeout": 5}]);
    let changed = stage.ok(
        "ChangeMessageVisibilityBatch",
        json!({ "Entries": entries }),
    );
    assert_eq!(
        (
            &changed["Successful"][0]["Id"],
            &changed["Failed"][0]["Code"]
        ),
        (&json!("a"), &json!("ReceiptHandleIsInvalid"))
    );
    let deleted = stage.ok("DeleteMessageBatch", json!({ "Entries": entries }));
    assert_eq!(
        (&deleted["Successful"][0]["Id"], &deleted["Failed"][0]["Id"]),
        (&json!("a"), &json!("b"))
    );
    stage.now = 100;
    assert!(stage.receive().is_empty());
}

#[test]
fn a_queue_is_made_once_found_by_name_and_gone_for_a_minute() {
    let mut stage = Stage::with(json!({"VisibilityTimeout": "10"}));
    let again = stage.ok(
        "CreateQueue",
        json!({"QueueName": "q", "Attributes": {"VisibilityTimeout": "10"}}),
    );
    assert_eq!(again["QueueUrl"], URL);
    let (code, query, message) = stage.refused(
        "CreateQueue",
        json!({"QueueName": "q", "Attributes": {"VisibilityTimeout": "11"}}),
    );
    assert_eq!(
        (code.as_str(), query.as_str()),
        ("QueueNameExists", "QueueAlreadyExists;Sender")
    );
    assert!(message.contains("VisibilityTimeout"), "{message}");
    assert_eq!(
        stage.ok("GetQueueUrl", json!({"QueueName": "q"}))["QueueUrl"],
        URL
    );
    let (code, query, _) = stage.refused("GetQueueUrl", json!({"QueueName": "other"}));
    assert_eq!(
        (code.as_str(), query.as_str()),
        (
            "QueueDoesNotExist",
            "AWS.SimpleQueueService.NonExistentQueue;Sender"
        )
    );
    stage.ok("DeleteQueue", json!({}));
    assert_eq!(
        stage.refused("SendMessage", json!({"MessageBody": "x"})).0,
        "QueueDoesNotExist"
    );
    assert_eq!(
        stage.refused("CreateQueue", json!({"QueueName": "q"})).0,
        "QueueDeletedRecently"
    );
    stage.now = 60;
    stage.ok("CreateQueue", json!({"QueueName": "q"}));
    for name in ["", "a b", &"x".repeat(81)] {
        assert_eq!(
            stage.refused("CreateQueue", json!({ "QueueName": name })).0,
            "InvalidParameterValue",
            "{name}"
        );
    }
}

#[test]
fn fifo_queues_are_refused_with_a_sentence() {
    let mut stage = Stage::with(json!({}));
    for body in [
        json!({"QueueName": "q.fifo"}),
        json!({"QueueName": "f", "Attributes": {"FifoQueue": "true"}}),
    ] {
        let (code, _, message) = stage.refused("CreateQueue", body);
        assert_eq!(code, "UnsupportedOperation");
        assert!(message.contains("FIFO"), "{message}");
    }
    assert_eq!(
        stage.refused("StartMessageMoveTask", json!({})).0,
        "NotImplemented"
    );
}

#[test]
fn queues_are_listed_by_prefix_and_in_pages() {
    let mut stage = Stage::with(json!({}));
    for n in 0..5 {
        stage.ok("CreateQueue", json!({ "QueueName": format!("p{n}") }));
    }
    assert_eq!(
        stage.ok("ListQueues", json!({}))["QueueUrls"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
    let first = stage.ok(
        "ListQueues",
        json!({"QueueNamePrefix": "p", "MaxResults": 3}),
    );
    assert_eq!(first["QueueUrls"].as_array().unwrap().len(), 3);
    let second = stage.ok(
        "ListQueues",
        json!({"QueueNamePrefix": "p", "MaxResults": 3, "NextToken": first["NextToken"]}),
    );
    assert_eq!(second["QueueUrls"].as_array().unwrap().len(), 2);
    assert!(second["NextToken"].is_null());
    assert_eq!(
        stage.ok("ListQueues", json!({"QueueNamePrefix": "zzz"})),
        json!({})
    );
    assert_eq!(
        stage.refused("ListQueues", json!({"NextToken": "x"})).0,
        "InvalidParameterValue"
    );
}

#[test]
fn attributes_are_set_within_bounds_and_read_back() {
    let mut stage = Stage::with_dead_letters();
    stage.now = 50;
    stage.ok(
        "SetQueueAttributes",
        json!({"Attributes": {"VisibilityTimeout": "12", "Policy": "{}"}}),
    );
    let all =
        stage.ok("GetQueueAttributes", json!({"AttributeNames": ["All"]}))["Attributes"].clone();
    for (name, value) in [
        ("VisibilityTimeout", "12"),
        ("MaximumMessageSize", "1048576"),
        ("MessageRetentionPeriod", "345600"),
        ("DelaySeconds", "0"),
        ("ReceiveMessageWaitTimeSeconds", "0"),
        ("QueueArn", "arn:aws:sqs:eu-west-1:111111111111:q"),
        ("CreatedTimestamp", "0"),
        ("LastModifiedTimestamp", "50"),
        ("Policy", "{}"),
        ("SqsManagedSseEnabled", "true"),
    ] {
        assert_eq!(all[name], value, "{name}");
    }
    let policy = |text: &str| json!({"Attributes": {"RedrivePolicy": text}});
    for body in [
        policy("no JSON"),
        policy("{}"),
        policy(r#"{"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111111111111:dead"}"#),
        policy(
            r#"{"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111111111111:dead", "maxReceiveCount": 1001}"#,
        ),
        policy(
            r#"{"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111111111111:none", "maxReceiveCount": 3}"#,
        ),
    ] {
        assert_eq!(
            stage.refused("SetQueueAttributes", body.clone()).0,
            "InvalidParameterValue",
            "{body}"
        );
    }
    stage.ok("SetQueueAttributes", policy(""));
    let left = stage.ok(
        "GetQueueAttributes",
        json!({"AttributeNames": ["RedrivePolicy"]}),
    );
    assert_eq!(left, json!({}));
    for (name, value) in [
        ("VisibilityTimeout", "43201"),
        ("DelaySeconds", "-1"),
        ("MessageRetentionPeriod", "59"),
        ("MaximumMessageSize", "1023"),
        ("ReceiveMessageWaitTimeSeconds", "21"),
    ] {
        let body = json!({"Attributes": {name: value}});
        assert_eq!(
            stage.refused("SetQueueAttributes", body).0,
            "InvalidAttributeValue",
            "{name}"
        );
    }
    assert_eq!(
        stage
            .refused(
                "SetQueueAttributes",
                json!({"Attributes": {"Colour": "red"}})
            )
            .0,
        "InvalidAttributeName"
    );
    assert_eq!(
        stage
            .refused("GetQueueAttributes", json!({"AttributeNames": ["Colour"]}))
            .0,
        "InvalidAttributeName"
    );
}

#[test]
fn a_queue_is_purged_at_most_once_a_minute() {
    let mut stage = Stage::with(json!({}));
    stage.send("a");
    stage.ok("PurgeQueue", json!({}));
    assert!(stage.receive().is_empty());
    assert_eq!(
        stage.refused("PurgeQueue", json!({})).0,
        "PurgeQueueInProgress"
    );
    stage.now = 60;
    stage.ok("PurgeQueue", json!({}));
}

#[test]
fn another_accounts_queue_is_not_yours() {
    let mut stage = Stage::with(json!({}));
    let (status, answer, _) =
        stage.ask_as("222222222222", "SendMessage", json!({"MessageBody": "x"}));
    assert_eq!(status, 400);
    assert!(answer["__type"].as_str().unwrap().ends_with("AccessDenied"));
    assert_eq!(
        stage
            .refused(
                "SendMessage",
                json!({"QueueUrl": "http://localhost/1/none", "MessageBody": "x"})
            )
            .0,
        "QueueDoesNotExist"
    );
}
