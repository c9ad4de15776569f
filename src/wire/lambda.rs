//! What a Lambda function is called with, and what it answers (Lambda developer guide: "Using Lambda with Amazon SQS",
//! "Invoking Lambda function URLs", API Gateway "payload format version 2.0", "Tutorial: schedule").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::sqs::Message;
use super::unread::Unreadable;

/// Why the function was called.
#[derive(Debug)]
pub enum Invocation {
    /// A batch of messages.
    Messages(Vec<Message>),
    /// A request to the function's URL or through API Gateway.
    Request(Request),
    /// A schedule of EventBridge.
    Schedule,
}

/// An HTTP request.
#[derive(Debug)]
pub struct Request {
    /// Upper case.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Lambda joins repeated headers with commas.
    pub headers: HeaderMap,
    /// As it was sent.
    pub body: Bytes,
}

/// Reads an event.
///
/// # Errors
/// [`Unreadable`], when it is none of these.
pub fn invocation(event: &Value) -> Result<Invocation, Unreadable> {
    if let Some(records) = event["Records"].as_array() {
        let messages = records.iter().map(record).collect::<Result<_, _>>()?;
        return Ok(Invocation::Messages(messages));
    }
    if event["requestContext"]["http"]["method"].is_string() {
        return request(event).map(Invocation::Request);
    }
    match event["detail-type"].as_str() {
        Some("Scheduled Event") => Ok(Invocation::Schedule),
        _ => Err(Unreadable::new(
            "the function is called by a trigger that it does not know: SQS, a function URL or API Gateway (payload \
             2.0), or a schedule of EventBridge",
        )),
    }
}

fn record(record: &Value) -> Result<Message, Unreadable> {
    let text = |member: &str| record[member].as_str().map(str::to_owned);
    let source = record["eventSource"].as_str();
    let (Some("aws:sqs"), Some(id), Some(body)) = (source, text("messageId"), text("body")) else {
        return Err(Unreadable::new("a record is no message of SQS"));
    };
    let receives = record["attributes"]["ApproximateReceiveCount"].as_str();
    Ok(Message {
        id,
        receipt: text("receiptHandle").unwrap_or_default(),
        body,
        receives: receives.and_then(|count| count.parse().ok()).unwrap_or(1),
    })
}

fn request(event: &Value) -> Result<Request, Unreadable> {
    let mut headers = HeaderMap::new();
    for (name, value) in event["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = value.as_str().map(HeaderValue::from_str);
        if let (Ok(name), Some(Ok(value))) = (name, value) {
            headers.append(name, value);
        }
    }
    let body = event["body"].as_str().unwrap_or_default();
    let body = if event["isBase64Encoded"] == true {
        let decoded = STANDARD.decode(body);
        Bytes::from(decoded.map_err(|_| Unreadable::new("the request's body is no base64"))?)
    } else {
        Bytes::from(body.to_owned())
    };
    let method = &event["requestContext"]["http"]["method"];
    Ok(Request {
        method: method.as_str().unwrap_or_default().to_owned(),
        path: event["rawPath"].as_str().unwrap_or("/").to_owned(),
        headers,
        body,
    })
}

/// The answer to a batch: only these messages come again (`ReportBatchItemFailures`).
pub fn failed_items(ids: &[String]) -> Value {
    let items: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "itemIdentifier": id }))
        .collect();
    json!({ "batchItemFailures": items })
}

/// The answer to a request.
pub fn response(status: u16, retry_after_s: Option<u64>, text: &str) -> Value {
    let mut answer = json!({ "statusCode": status, "headers": { "content-type": "text/plain; charset=utf-8" },
        "body": text, "isBase64Encoded": false });
    if let Some(seconds) = retry_after_s {
        answer["headers"]["retry-after"] = seconds.to_string().into();
    }
    answer
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_batch_has_its_messages_with_their_receive_counts() {
        let event = json!({ "Records": [{ "messageId": "m-1", "receiptHandle": "r", "body": "{}",
            "attributes": { "ApproximateReceiveCount": "3" }, "eventSource": "aws:sqs", "awsRegion": "eu-west-1" }] });
        let Ok(Invocation::Messages(messages)) = invocation(&event) else {
            panic!("not read");
        };
        assert_eq!((messages[0].id.as_str(), messages[0].receives), ("m-1", 3));
        let other =
            json!({ "Records": [{ "eventSource": "aws:s3", "messageId": "m", "body": "" }] });
        assert!(invocation(&other).is_err());
    }

    #[test]
    fn a_request_has_the_raw_body_even_when_it_is_base64() {
        let mut event = json!({ "version": "2.0", "rawPath": "/webhook/jira", "isBase64Encoded": true,
            "headers": { "x-hub-signature": "sha256=00", "bad name": "x" }, "body": STANDARD.encode("Grüße"),
            "requestContext": { "http": { "method": "POST" } } });
        let Ok(Invocation::Request(request)) = invocation(&event) else {
            panic!("not read");
        };
        assert_eq!(request.body, "Grüße".as_bytes());
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/webhook/jira")
        );
        assert_eq!(request.headers["x-hub-signature"], "sha256=00");
        event["body"] = json!("?");
        assert!(invocation(&event).is_err());
        event["isBase64Encoded"] = json!(false);
        assert!(
            matches!(invocation(&event), Ok(Invocation::Request(request)) if request.body == "?")
        );
    }

    #[test]
    fn schedules_are_known_and_anything_else_is_not() {
        let schedule =
            json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} });
        assert!(matches!(invocation(&schedule), Ok(Invocation::Schedule)));
        for other in [
            json!({}),
            json!(null),
            json!({ "detail-type": "x" }),
            json!([]),
        ] {
            assert!(invocation(&other).is_err(), "{other}");
        }
    }
}
