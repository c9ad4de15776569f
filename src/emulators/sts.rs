//! STS: who calls, and roles that trust the home account (STS API reference; query protocol).

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::Response;
use super::aws::Caller;
use super::aws::faults::{denied, not_implemented};
use super::protocol::{Form, escaped, xml_error, xml_result};

pub mod claims;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The operations that are answered.
pub(super) const OPERATIONS: [&str; 2] = ["AssumeRole", "GetCallerIdentity"];

/// On what conditions a role may be assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Account whose principals are trusted.
    pub account: String,
    /// `sts:ExternalId` that the trust policy asks for.
    pub external_id: Option<String>,
    /// `MaxSessionDuration` of the role, in seconds: 3,600 to 43,200.
    pub longest_session_s: i64,
}

/// Roles of all accounts.
#[derive(Default)]
pub struct Roles {
    /// Role name to trust: it exists in every account.
    everywhere: BTreeMap<String, Trust>,
    /// Account and role name.
    own: BTreeMap<(String, String), Trust>,
}

/// What a call to AssumeRole asks for, once it is allowed.
pub(super) struct Assumed {
    pub(super) caller: Caller,
    pub(super) duration: SignedDuration,
    pub(super) session: String,
}

impl Roles {
    /// A role that a StackSet has put into every account.
    pub fn everywhere(&mut self, name: &str, trust: Trust) {
        self.everywhere.insert(name.to_owned(), trust);
    }

    /// A role of one account; it hides the one that is everywhere.
    pub fn add(&mut self, account: &str, name: &str, trust: Trust) {
        self.own
            .insert((account.to_owned(), name.to_owned()), trust);
    }

    fn trust(&self, account: &str, name: &str) -> Option<&Trust> {
        let own = self.own.get(&(account.to_owned(), name.to_owned()));
        own.or_else(|| self.everywhere.get(name))
    }

    /// Checks a call to AssumeRole; `exists` tells whether an account is a working one, `chained` whether the caller is
    /// itself a session of an assumed role.
    pub(super) fn assume(
        &self,
        form: &Form,
        caller: &Caller,
        chained: bool,
        exists: impl Fn(&str) -> bool,
    ) -> Result<Assumed, Box<Response>> {
        let arn = form.get("RoleArn").unwrap_or_default();
        let session = form.get("RoleSessionName").unwrap_or_default();
        let (account, path) = role_of(arn).ok_or_else(|| invalid(&format!("{arn} is invalid")))?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if !(2..=64).contains(&session.len()) || !session.chars().all(plain) {
            return Err(invalid(
                "1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: [\\w+=,.@-]* and have length between 2 and 64",
            ));
        }
        let duration_s = match form.get("DurationSeconds") {
            None => 3600,
            Some(text) => text
                .parse::<i64>()
                .ok()
                .filter(|seconds| (900..=43_200).contains(seconds))
                .ok_or_else(|| {
                    invalid(
                        "1 validation error detected: Value at 'durationSeconds' failed to satisfy constraint: Member \
                         must have value between 900 and 43200",
                    )
                })?,
        };
        let refuse = || {
            let message = format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                caller.identity
            );
            Box::new(denied("sts", &message))
        };
        let trust = self
            .trust(account, name)
            .filter(|trust| exists(account) && trust.account == caller.account)
            .ok_or_else(refuse)?;
        if trust.external_id.is_some() && trust.external_id.as_deref() != form.get("ExternalId") {
            return Err(refuse());
        }
        if chained && duration_s > 3600 {
            return Err(invalid(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
            ));
        }
        if duration_s > trust.longest_session_s {
            return Err(invalid(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        Ok(Assumed {
            caller: Caller {
                account: account.to_owned(),
                identity: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
                engine: caller.engine,
            },
            duration: SignedDuration::from_secs(duration_s),
            session: session.to_owned(),
        })
    }
}

/// Account, and path with name.
fn role_of(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, "iam", "", account, resource] => {
            let path = resource.strip_prefix("role/")?;
            (account.len() == 12 && !path.is_empty()).then_some((account, path))
        }
        _ => None,
    }
}

fn invalid(message: &str) -> Box<Response> {
    Box::new(xml_error(400, "ValidationError", message))
}

/// The answer that carries a session.
pub(super) fn assumed(assumed: &Assumed, session: &super::aws::Session) -> Response {
    let identity = escaped(&assumed.caller.identity);
    xml_result(
        NAMESPACE,
        "AssumeRole",
        &format!(
            "<AssumedRoleUser><AssumedRoleId>AROAEMULATED:{}</AssumedRoleId><Arn>{identity}</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
             <SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials>\
             <PackedPolicySize>0</PackedPolicySize>",
            escaped(&assumed.session),
            session.key_id,
            session.secret,
            session.token,
            session.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        ),
    )
}

/// GetCallerIdentity needs no permission.
pub(super) fn identity(caller: &Caller) -> Response {
    xml_result(
        NAMESPACE,
        "GetCallerIdentity",
        &format!(
            "<Arn>{}</Arn><UserId>AROAEMULATED:{}</UserId><Account>{}</Account>",
            escaped(&caller.identity),
            escaped(caller.identity.rsplit('/').next().unwrap_or_default()),
            caller.account
        ),
    )
}

/// What is not answered.
pub(super) fn unknown(operation: &str) -> Response {
    not_implemented("sts", &format!("this emulator does not know {operation}"))
}
