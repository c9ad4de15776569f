//! IAM: the account's alias (IAM API: ListAccountAliases; query protocol), and the policies of roles.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Response;
use super::aws::Caller;
use super::aws::faults::{denied, not_implemented};
use super::protocol::{Form, escaped, xml_error, xml_result};

pub mod claims;
pub(in crate::emulators) mod policy;

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The operations that are answered.
pub(super) const OPERATIONS: [&str; 1] = ["ListAccountAliases"];

/// Aliases by account.
#[derive(Default)]
pub struct Iam {
    aliases: BTreeMap<String, String>,
    /// By role name.
    policies: BTreeMap<String, Value>,
}

impl Iam {
    /// Names an account: "an account can have only one alias".
    pub fn set_alias(&mut self, account: &str, alias: &str) {
        self.aliases.insert(account.to_owned(), alias.to_owned());
    }

    /// Gives a role, by its name, a policy: from now on it may do nothing else.
    pub fn set_policy(&mut self, role: &str, policy: Value) {
        self.policies.insert(role.to_owned(), policy);
    }

    /// The refusal of a call that the caller's role has no right to.
    pub(super) fn refuse(
        &self,
        caller: &Caller,
        service: &str,
        operation: &str,
        body: &Value,
    ) -> Option<Response> {
        let role = caller.identity.split('/').nth(1)?;
        let policy = self.policies.get(role)?;
        let action = policy::action(service, operation);
        // "No permissions are required to perform this operation" (STS API: GetCallerIdentity).
        let free = action == "sts:GetCallerIdentity";
        (!free && !policy::allows(policy, &action, body)).then(|| {
            let who = &caller.identity;
            denied(
                service,
                &format!("User: {who} is not authorized to perform: {action}"),
            )
        })
    }

    /// Answers one call.
    pub(super) fn handle(&self, operation: &str, form: &Form, caller: &Caller) -> Response {
        if operation != "ListAccountAliases" {
            return not_implemented("iam", &format!("this emulator does not know {operation}"));
        }
        let most = form.get("MaxItems").map_or(Some(100), |text| {
            text.parse::<u32>()
                .ok()
                .filter(|most| (1..=1000).contains(most))
        });
        if most.is_none() {
            let message = "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must \
                           have value between 1 and 1000";
            return xml_error(400, "ValidationError", message);
        }
        let alias = self.aliases.get(&caller.account);
        let members = alias.map_or_else(String::new, |alias| {
            format!("<member>{}</member>", escaped(alias))
        });
        xml_result(
            NAMESPACE,
            "ListAccountAliases",
            &format!("<AccountAliases>{members}</AccountAliases><IsTruncated>false</IsTruncated>"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_one_alias_or_none() {
        let mut iam = Iam::default();
        iam.set_alias("111111111111", "security");
        let ask = |account: &str, body: &[u8]| {
            let caller = Caller {
                account: account.to_owned(),
                identity: String::new(),
                engine: false,
            };
            let answer = iam.handle("ListAccountAliases", &Form::read(body), &caller);
            (
                answer.status().as_u16(),
                String::from_utf8_lossy(answer.body()).into_owned(),
            )
        };
        assert!(
            ask("111111111111", b"")
                .1
                .contains("<member>security</member>")
        );
        assert!(!ask("222222222222", b"").1.contains("<member>"));
        assert_eq!(ask("111111111111", b"MaxItems=0").0, 400);
    }
}
