//! What a role may do: the actions of its identity policy, and which fields of a request are denied (IAM user guide:
//! Policy evaluation logic). Resources are not compared. A role without a policy may do everything.

use serde_json::Value;

/// Batches are allowed by the action of one (SQS developer guide: Actions and permissions).
const SINGLE: [(&str, &str); 3] = [
    ("DeleteMessageBatch", "DeleteMessage"),
    ("ChangeMessageVisibilityBatch", "ChangeMessageVisibility"),
    ("SendMessageBatch", "SendMessage"),
];
/// Condition keys that name a field of a finding (Security Hub user guide: BatchUpdateFindings, "Configuring access").
const FIELD: &str = "securityhub:ASFFSyntaxPath/";

/// The IAM action of an operation.
pub(in crate::emulators) fn action(service: &str, operation: &str) -> String {
    let single = SINGLE.iter().find(|(batch, _)| *batch == operation);
    let name = single.map_or(operation, |(_, one)| *one);
    format!("{service}:{name}")
}

/// Whether a policy allows an action with this request: something allows it and nothing denies it.
pub(super) fn allows(policy: &Value, action: &str, body: &Value) -> bool {
    let statements = policy["Statement"].as_array();
    let fits = |effect: &str| {
        statements
            .into_iter()
            .flatten()
            .filter(|one| one["Effect"] == effect)
            .any(|one| names(&one["Action"], action) && holds(&one["Condition"], body))
    };
    fits("Allow") && !fits("Deny")
}

fn names(actions: &Value, action: &str) -> bool {
    let one = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => action.starts_with(start),
        None => pattern.eq_ignore_ascii_case(action),
    };
    match actions {
        Value::String(pattern) => one(pattern),
        Value::Array(all) => all.iter().filter_map(Value::as_str).any(one),
        _ => false,
    }
}

/// Every key of a condition must hold. Only `Null` about fields of a finding is known; any other condition holds, so
/// that a denial is never missed.
fn holds(condition: &Value, body: &Value) -> bool {
    let tests = condition["Null"].as_object();
    tests.into_iter().flatten().all(|(key, is_null)| {
        let Some(path) = key.strip_prefix(FIELD) else {
            return true;
        };
        let given = path.split('.').fold(body, |value, name| match value {
            Value::Array(items) => items.first().map_or(&Value::Null, |item| &item[name]),
            other => &other[name],
        });
        let wants_null = is_null == "true" || *is_null == Value::Bool(true);
        given.is_null() == wants_null
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nothing_allows_and_what_something_denies_is_refused() {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Action": ["securityhub:Get*", "securityhub:BatchUpdateFindings"]},
            {"Effect": "Deny", "Action": "securityhub:BatchUpdateFindings",
             "Condition": {"Null": {"securityhub:ASFFSyntaxPath/Severity.Label": "false"}}},
        ]});
        let write = "securityhub:BatchUpdateFindings";
        assert!(allows(&policy, "securityhub:GetFindings", &json!({})));
        assert!(!allows(&policy, "securityhub:DescribeHub", &json!({})));
        assert!(allows(&policy, write, &json!({"Note": {"Text": "n"}})));
        assert!(!allows(
            &policy,
            write,
            &json!({"Severity": {"Label": "LOW"}})
        ));
    }

    #[test]
    fn a_batch_needs_the_permission_of_one() {
        assert_eq!(action("sqs", "DeleteMessageBatch"), "sqs:DeleteMessage");
        assert_eq!(action("sqs", "SendMessage"), "sqs:SendMessage");
    }
}
