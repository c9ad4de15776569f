//! One endpoint for all AWS services, as `AWS_ENDPOINT_URL` gives it: who calls is read from the access key id in the
//! SigV4 credential scope, and so is the service. The signature itself is not verified.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::config::Config;
use super::journal::Journal;
use super::organizations::Organizations;
use super::security_hub::{self, Caller, SecurityHub};
use super::{Request, Response, json as answer};

/// The delegated administrator.
#[derive(Clone, Debug)]
pub struct Home {
    /// Account id.
    pub account: String,
    /// Home Region.
    pub region: String,
}

/// All emulated AWS services.
pub struct Aws {
    /// Security Hub.
    pub hub: SecurityHub,
    /// AWS Config.
    pub config: Config,
    /// Organizations.
    pub organizations: Organizations,
    home: Home,
    keys: BTreeMap<String, Caller>,
    sessions: u64,
}

/// An answer and the operation that it answers.
pub struct Answered {
    /// Such as `GetFindings`.
    pub operation: String,
    /// The whole answer.
    pub response: Response,
}

struct Scope {
    key_id: String,
    region: String,
    service: String,
}

impl Aws {
    /// An organisation with its delegated administrator and a Config aggregator named `org`.
    pub fn new(home: Home) -> Self {
        let mut hub = SecurityHub::new(&home.account);
        hub.add_member(&home.account);
        Aws {
            hub,
            config: Config::new("org"),
            organizations: Organizations::default(),
            home,
            keys: BTreeMap::new(),
            sessions: 0,
        }
    }

    /// The delegated administrator.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Registers long-term credentials for a role of the home account.
    pub fn add_key(&mut self, key_id: &str, role: &str, engine: bool) {
        let account = self.home.account.clone();
        let identity = format!("arn:aws:sts::{account}:assumed-role/{role}/session");
        self.keys.insert(
            key_id.to_owned(),
            Caller {
                account,
                identity,
                engine,
            },
        );
    }

    /// Answers one request.
    pub fn handle(&mut self, request: &Request, now: Timestamp, journal: &mut Journal) -> Answered {
        let Some(scope) = scope(request) else {
            let message = "Missing Authentication Token";
            return answered(
                "unsigned",
                security_hub::error(403, "MissingAuthenticationTokenException", message),
            );
        };
        let Some(caller) = self.keys.get(&scope.key_id).cloned() else {
            let message = "The security token included in the request is invalid.";
            let response = if scope.service == "sts" {
                xml_error(403, "InvalidClientTokenId", message)
            } else {
                security_hub::error(403, "UnrecognizedClientException", message)
            };
            return answered(&operation(request, &scope), response);
        };
        let name = operation(request, &scope);
        let body = || serde_json::from_slice(request.body()).unwrap_or(Value::Null);
        let response = match scope.service.as_str() {
            "securityhub" => self.hub.handle(request, &caller, now, journal),
            "config" => self
                .config
                .handle(&name, &body(), &caller.account, &scope.region),
            "organizations" => self.organizations.handle(&name, &body(), now),
            "sts" => self.sts(&name, request, &caller, now),
            other => answer(
                501,
                &json!({ "message": format!("this emulator does not know the service {other}") }),
            ),
        };
        answered(&name, response)
    }

    /// STS (query protocol, XML answers).
    fn sts(
        &mut self,
        operation: &str,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Response {
        match operation {
            "GetCallerIdentity" => {
                let Caller {
                    account, identity, ..
                } = caller;
                xml(
                    200,
                    &format!(
                        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>{identity}</Arn><UserId>AROAEMULATED</UserId><Account>{account}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
                    ),
                )
            }
            "AssumeRole" => {
                let role = form(request, "RoleArn").unwrap_or_default();
                let session =
                    form(request, "RoleSessionName").unwrap_or_else(|| "session".to_owned());
                let mut parts = role.split(':').skip(4);
                let (Some(account), Some(name)) = (
                    parts.next(),
                    parts.next().and_then(|r| r.strip_prefix("role/")),
                ) else {
                    return xml_error(400, "ValidationError", "RoleArn is not the ARN of a role");
                };
                let active = self
                    .organizations
                    .accounts()
                    .any(|known| known.id == account && known.state == "ACTIVE");
                if !active {
                    return xml_error(
                        403,
                        "AccessDenied",
                        "User is not authorized to perform: sts:AssumeRole",
                    );
                }
                self.sessions += 1;
                let key_id = format!("ASIAEMULATED{:08}", self.sessions);
                let identity = format!("arn:aws:sts::{account}:assumed-role/{name}/{session}");
                let assumed = Caller {
                    account: account.to_owned(),
                    identity: identity.clone(),
                    engine: caller.engine,
                };
                self.keys.insert(key_id.clone(), assumed);
                let expires = now + jiff::SignedDuration::from_hours(1);
                xml(
                    200,
                    &format!(
                        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials><AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>{expires}</Expiration></Credentials><AssumedRoleUser><Arn>{identity}</Arn><AssumedRoleId>AROAEMULATED:{session}</AssumedRoleId></AssumedRoleUser></AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>"
                    ),
                )
            }
            other => xml_error(
                501,
                "NotImplemented",
                &format!("this emulator does not know {other}"),
            ),
        }
    }
}

fn answered(operation: &str, response: Response) -> Answered {
    Answered {
        operation: operation.to_owned(),
        response,
    }
}

/// `Credential=KEY/date/region/service/aws4_request` (SigV4).
fn scope(request: &Request) -> Option<Scope> {
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

fn operation(request: &Request, scope: &Scope) -> String {
    if scope.service == "securityhub" {
        return security_hub::operation(request);
    }
    if scope.service == "sts" {
        return form(request, "Action").unwrap_or_else(|| "unknown".to_owned());
    }
    let target = request
        .headers()
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok());
    target
        .and_then(|target| target.rsplit('.').next())
        .unwrap_or("unknown")
        .to_owned()
}

/// A member of a form-encoded body.
fn form(request: &Request, name: &str) -> Option<String> {
    let body = std::str::from_utf8(request.body()).ok()?;
    let value = body
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(percent_decode(value))
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = std::str::from_utf8(&digits).unwrap_or("");
                bytes.push(u8::from_str_radix(digits, 16).unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn xml(status: u16, body: &str) -> Response {
    let mut response = Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("text/xml"),
    );
    response
}

fn xml_error(status: u16, code: &str, message: &str) -> Response {
    xml(
        status,
        &format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        ),
    )
}
