//! How AWS services write answers and errors: REST-JSON, JSON 1.0 and 1.1, and the query protocol with XML. What the
//! answers say belongs to the services.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::{Response, json as json_answer};

/// REST-JSON: the error's name in a header, `Message` and `Code` in the body (Security Hub API: exceptions).
pub(crate) fn rest_error(status: u16, code: &str, message: &str) -> Response {
    let body = json!({ "Code": code, "Message": message });
    with_header(json_answer(status, &body), "x-amzn-errortype", code)
}

/// JSON 1.1: the error's name in the body.
pub(crate) fn json_error(status: u16, code: &str, message: &str) -> Response {
    aws_json(
        status,
        &json!({ "__type": code, "message": message }),
        "1.1",
    )
}

/// JSON 1.0 of a service that once spoke the query protocol: clients read the old name of the error from a header
/// (smithy.io: awsQueryCompatible).
pub(crate) fn compatible_error(
    status: u16,
    (code, query_code): (&str, &str),
    message: &str,
) -> Response {
    let body = json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": message });
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let header = format!("{query_code};{fault}");
    with_header(
        aws_json(status, &body, "1.0"),
        "x-amzn-query-error",
        &header,
    )
}

/// An answer of the JSON protocols; `version` is `1.0` or `1.1`.
pub(crate) fn aws_json(status: u16, body: &Value, version: &str) -> Response {
    let kind = format!("application/x-amz-json-{version}");
    with_header(json_answer(status, body), "content-type", &kind)
}

/// The answer of an operation of the query protocol; `result` is the inside of its result element.
pub(crate) fn xml_result(namespace: &str, operation: &str, result: &str) -> Response {
    xml(
        200,
        &format!(
            "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{result}</{operation}Result>\
             <ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata>\
             </{operation}Response>"
        ),
    )
}

/// An error of the query protocol.
pub(crate) fn xml_error(status: u16, code: &str, message: &str) -> Response {
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let message = escaped(message);
    xml(
        status,
        &format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{fault}</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
        ),
    )
}

fn xml(status: u16, body: &str) -> Response {
    let mut response = Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with_header(response, "content-type", "text/xml")
}

/// Text as the content of an XML element.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A header whose value is no header value is left out.
pub(crate) fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        let name = HeaderName::from_static(name);
        response.headers_mut().insert(name, value);
    }
    response
}

/// The members of a form-encoded body.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body; what is no form has no members.
    pub(crate) fn read(body: &[u8]) -> Self {
        Form(form_urlencoded::parse(body).into_owned().collect())
    }

    /// A member's text.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name)?;
        Some(found.1.as_str())
    }
}
