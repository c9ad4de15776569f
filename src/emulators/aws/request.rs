//! What a request says before any service looks at it: whose key, which service and Region, which operation.

use serde_json::{Value, json};

use crate::emulators::protocol::{Form, aws_json, json_error, rest_error};
use crate::emulators::{Request, Response, security_hub};

/// What the `Authorization` header says.
pub(super) struct Scope {
    pub(super) key_id: String,
    pub(super) region: String,
    pub(super) service: String,
}

/// `Credential=KEY/date/region/service/aws4_request` (SigV4).
pub(super) fn scope(request: &Request) -> Option<Scope> {
    let header = request.headers().get("authorization")?.to_str().ok()?;
    let credential = header
        .split_once("Credential=")?
        .1
        .split([',', ' '])
        .next()?;
    let mut parts = credential.split('/');
    let key_id = parts.next()?.to_owned();
    let region = parts.nth(1)?.to_owned();
    let service = parts.next()?.to_owned();
    Some(Scope {
        key_id,
        region,
        service,
    })
}

/// The operation's name; method and path where a REST service does not know it.
pub(super) fn operation(request: &Request, scope: &Scope) -> String {
    match scope.service.as_str() {
        "securityhub" => security_hub::operation(request),
        "sts" | "iam" => {
            let form = Form::read(request.body());
            form.get("Action").unwrap_or("unknown").to_owned()
        }
        _ => {
            let target = request.headers().get("x-amz-target");
            let target = target.and_then(|value| value.to_str().ok());
            let name = target.and_then(|target| target.rsplit('.').next());
            name.unwrap_or("unknown").to_owned()
        }
    }
}

/// A JSON object; an empty one without a body.
pub(super) fn body(request: &Request, service: &str) -> Result<Value, Box<Response>> {
    if request.body().is_empty() {
        return Ok(json!({}));
    }
    let read: Result<Value, _> = serde_json::from_slice(request.body());
    match read {
        Ok(body) if body.is_object() => Ok(body),
        _ if service == "securityhub" => Err(Box::new(rest_error(
            400,
            "InvalidInputException",
            "The request body should be a JSON object",
        ))),
        _ => {
            let body = json!({ "__type": "SerializationException" });
            Err(Box::new(if service == "sqs" {
                aws_json(400, &body, "1.0")
            } else {
                json_error(
                    400,
                    "SerializationException",
                    "The request body should be a JSON object",
                )
            }))
        }
    }
}

/// Where the client found this endpoint: the base of queue URLs.
pub(super) fn endpoint(request: &Request) -> String {
    let host = request.headers().get("host");
    let host = host.and_then(|host| host.to_str().ok());
    let host = host.or_else(|| {
        request
            .uri()
            .authority()
            .map(|authority| authority.as_str())
    });
    format!("http://{}", host.unwrap_or("localhost"))
}
