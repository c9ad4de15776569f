//! One endpoint for all AWS services, as `AWS_ENDPOINT_URL` gives it: who calls is read from the access key id in the
//! SigV4 credential scope, and so are service and Region. The signature itself is not verified.
//!
//! ```text
//! handle ─▶ scope ─▶ fault ─▶ credentials ─▶ service ─▶ events to queues
//! ```

pub mod claims;
pub(crate) mod events;
pub mod faults;
#[cfg(test)]
mod hostile;
mod keys;
mod request;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::config::{self, Config};
use super::faults::Faults;
use super::iam::Iam;
use super::journal::Journal;
use super::organizations::{self, Organizations};
use super::protocol::{Form, rest_error, with_header};
use super::secrets::Secrets;
use super::security_hub::{self, SecurityHub};
use super::sqs::{self, Sqs};
use super::sts::{self, Roles};
use super::{Request, Response, json as answer};
pub use events::{Bus, Rule};
pub use faults::AwsFault;
pub use keys::Caller;
pub(crate) use keys::Session;
use keys::{Keys, Refusal};
use request::{Scope, body, endpoint, operation, scope};

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
    /// Queues.
    pub sqs: Sqs,
    /// The rules that bring events to queues.
    pub bus: Bus,
    /// Secrets Manager.
    pub secrets: Secrets,
    /// IAM.
    pub iam: Iam,
    /// Roles that STS hands out.
    pub roles: Roles,
    /// What goes wrong next, in any service.
    pub faults: Faults<AwsFault>,
    home: Home,
    keys: Keys,
    requests: u64,
}

/// An answer and the operation that it answers.
pub struct Answered {
    /// Such as `GetFindings`.
    pub operation: String,
    /// The whole answer.
    pub response: Response,
    /// The connection breaks instead of carrying the answer.
    pub dropped: bool,
    /// A long poll that found nothing would go on for so long: see [`Aws::poll`].
    pub wait: Option<SignedDuration>,
}

impl Aws {
    /// An organisation with its delegated administrator and a Config aggregator named `org`.
    pub fn new(home: Home) -> Self {
        let mut hub = SecurityHub::new(&home.account, &home.region);
        hub.add_member(&home.account);
        let mut organizations = Organizations::default();
        organizations.delegate(&home.account);
        Aws {
            hub,
            config: Config::new("org", &home.account, &home.region),
            organizations,
            sqs: Sqs::default(),
            bus: Bus::default(),
            secrets: Secrets::default(),
            iam: Iam::default(),
            roles: Roles::default(),
            faults: Faults::default(),
            home,
            keys: Keys::default(),
            requests: 0,
        }
    }

    /// The delegated administrator.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Registers long-term credentials for a role of the home account.
    pub fn add_key(&mut self, key_id: &str, role: &str, engine: bool) {
        let account = self.home.account.clone();
        self.add_key_of(&account, key_id, role, engine);
    }

    /// Registers long-term credentials for a role of any account.
    pub fn add_key_of(&mut self, account: &str, key_id: &str, role: &str, engine: bool) {
        let caller = Caller {
            account: account.to_owned(),
            identity: format!("arn:aws:sts::{account}:assumed-role/{role}/session"),
            engine,
        };
        self.keys.add(key_id, caller);
    }

    /// Answers one request.
    pub fn handle(&mut self, request: &Request, now: Timestamp, journal: &mut Journal) -> Answered {
        self.settle(now, journal);
        self.requests += 1;
        let mut answered = self.answer(request, now, journal);
        self.settle(now, journal);
        let id = format!("a5a5f001-0000-4000-8000-{:012x}", self.requests);
        answered.response = with_header(answered.response, "x-amzn-requestid", &id);
        answered
    }

    fn answer(&mut self, request: &Request, now: Timestamp, journal: &mut Journal) -> Answered {
        let Some(scope) = scope(request) else {
            let message = "Missing Authentication Token";
            let code = "MissingAuthenticationTokenException";
            return answered("unsigned", rest_error(403, code, message));
        };
        let operation = operation(request, &scope);
        let fault = self.faults.strike(&operation, |kind| kind.fits(&operation));
        if let Some(fault) = &fault {
            let refusal = fault.refusal(&scope.service, &operation);
            if refusal.is_some() || *fault == AwsFault::DropBefore {
                let response = refusal.unwrap_or_else(|| answer(599, &Value::Null));
                let mut refused = answered(&operation, response);
                refused.dropped = *fault == AwsFault::DropBefore;
                return refused;
            }
        }
        let caller = match self.caller(request, &scope, now) {
            Ok(caller) => caller,
            Err(refused) => return answered(&operation, *refused),
        };
        let mut answered = self.serve(request, &scope, &caller, (now, fault.as_ref()), journal);
        answered.dropped = fault == Some(AwsFault::ApplyThenDrop);
        answered
    }

    fn caller(
        &self,
        request: &Request,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<Caller, Box<Response>> {
        let token = request.headers().get("x-amz-security-token");
        let token = token.and_then(|token| token.to_str().ok());
        let known = self.keys.caller(&scope.key_id, token, now);
        known.map_err(|refusal| {
            Box::new(match refusal {
                Refusal::Unknown => faults::unknown_key(&scope.service),
                Refusal::Expired => faults::expired(&scope.service),
            })
        })
    }

    fn serve(
        &mut self,
        request: &Request,
        scope: &Scope,
        caller: &Caller,
        (now, fault): (Timestamp, Option<&AwsFault>),
        journal: &mut Journal,
    ) -> Answered {
        let operation = operation(request, scope);
        let (service, region) = (scope.service.as_str(), scope.region.as_str());
        let said = serde_json::from_slice(request.body()).unwrap_or_default();
        if let Some(refused) = self.iam.refuse(caller, service, &operation, &said) {
            return answered(&operation, refused);
        }
        if matches!(service, "sts" | "iam") {
            let form = Form::read(request.body());
            let response = match service {
                "sts" => self.sts(&operation, &form, scope, caller, now),
                _ => self.iam.handle(&operation, &form, caller),
            };
            return answered(&operation, response);
        }
        let body = match body(request, service) {
            Ok(body) => body,
            Err(refused) => return answered(&operation, *refused),
        };
        let body = &body;
        let response = match service {
            "securityhub" => {
                let call = security_hub::Call {
                    body,
                    caller,
                    region,
                    now,
                    fault,
                };
                self.hub.handle(request, &call, journal)
            }
            "config" => {
                let call = config::Call {
                    body,
                    caller,
                    region,
                    now,
                    fault,
                };
                self.config.handle(&operation, &call)
            }
            "organizations" => {
                let call = organizations::Call {
                    body,
                    caller,
                    now,
                    fault,
                };
                self.organizations.handle(&operation, &call)
            }
            "secretsmanager" => self.secrets.handle(&operation, body, caller, region),
            "sqs" => {
                let endpoint = endpoint(request);
                let call = sqs::Call {
                    body,
                    caller,
                    region,
                    endpoint: &endpoint,
                    now,
                    fault,
                };
                let found = self.sqs.handle(&operation, &call);
                let mut answered = answered(&operation, found.response);
                answered.wait = found.wait;
                return answered;
            }
            other => answer(
                501,
                &json!({ "message": format!("this emulator does not know the service {other}") }),
            ),
        };
        answered(&operation, response)
    }

    fn sts(
        &mut self,
        operation: &str,
        form: &Form,
        scope: &Scope,
        caller: &Caller,
        now: Timestamp,
    ) -> Response {
        match operation {
            "GetCallerIdentity" => sts::identity(caller),
            "AssumeRole" => {
                let home = &self.home.account;
                let organizations = &self.organizations;
                let exists = |account: &str| account == home || organizations.is_active(account);
                let chained = self.keys.is_session(&scope.key_id);
                match self.roles.assume(form, caller, chained, exists) {
                    Ok(assumed) => {
                        let (caller, duration) = (assumed.caller.clone(), assumed.duration);
                        let session = self.keys.issue(caller, duration, now);
                        sts::assumed(&assumed, &session)
                    }
                    Err(refused) => *refused,
                }
            }
            other => sts::unknown(other),
        }
    }

    /// Asks again for a ReceiveMessage that found nothing: the same call, not counted as another one. `None` as long as
    /// there is still no message.
    pub fn poll(
        &mut self,
        request: &Request,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Option<Response> {
        self.settle(now, journal);
        let scope = scope(request)?;
        let caller = self.caller(request, &scope, now).ok()?;
        let found = self.serve(request, &scope, &caller, (now, None), journal);
        found.wait.is_none().then_some(found.response)
    }

    /// Lets time pass for what happens by itself, and brings what was announced to the queues. Every request does this
    /// before and after.
    pub fn settle(&mut self, now: Timestamp, journal: &mut Journal) {
        let config = &self.config;
        let gone = |arn: &str| config.item(arn).is_some_and(|item| item.deleted);
        self.hub.age_if_due(&gone, now, journal);
        let mut events = self.hub.take_events();
        events.extend(self.config.take_events());
        for event in events {
            self.bus
                .deliver(event, &mut self.sqs, &mut self.faults, now);
        }
    }
}

fn answered(operation: &str, response: Response) -> Answered {
    Answered {
        operation: operation.to_owned(),
        response,
        dropped: false,
        wait: None,
    }
}
