//! Secrets Manager: secret values with their versions and stages (Secrets Manager API: GetSecretValue; JSON 1.1).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Response;
use super::aws::Caller;
use super::aws::faults::not_implemented;
use super::hash_hex;
use super::protocol::{aws_json, json_error};

pub mod claims;

/// The operations that are answered.
pub(super) const OPERATIONS: [&str; 1] = ["GetSecretValue"];

/// What a secret holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// `SecretString`
    Text(String),
    /// `SecretBinary`
    Bytes(Vec<u8>),
}

struct Version {
    id: String,
    stages: Vec<String>,
    value: Secret,
    created_at: Timestamp,
}

#[derive(Default)]
struct Versions {
    deleted: bool,
    /// Oldest first.
    versions: Vec<Version>,
}

/// Account, Region, name.
type Place = (String, String, String);

/// All secrets.
#[derive(Default)]
pub struct Secrets(BTreeMap<Place, Versions>);

impl Secrets {
    /// Gives a secret a new current value; the one before becomes `AWSPREVIOUS`. Returns the version's id.
    pub fn put(
        &mut self,
        account: &str,
        region: &str,
        name: &str,
        value: Secret,
        now: Timestamp,
    ) -> String {
        let place = (account.to_owned(), region.to_owned(), name.to_owned());
        let secret = self.0.entry(place).or_default();
        for version in &mut secret.versions {
            version.stages.retain(|stage| stage != "AWSPREVIOUS");
            for stage in &mut version.stages {
                if stage == "AWSCURRENT" {
                    "AWSPREVIOUS".clone_into(stage);
                }
            }
        }
        let number = secret.versions.len() + 1;
        let id = format!("a5a5f000-0000-4000-8000-{number:012x}");
        secret.versions.push(Version {
            id: id.clone(),
            stages: vec!["AWSCURRENT".to_owned()],
            value,
            created_at: now,
        });
        id
    }

    /// Marks a secret for deletion: its value can no longer be read.
    pub fn delete(&mut self, account: &str, region: &str, name: &str) {
        let place = (account.to_owned(), region.to_owned(), name.to_owned());
        if let Some(secret) = self.0.get_mut(&place) {
            secret.deleted = true;
        }
    }

    /// Answers one call.
    pub(super) fn handle(
        &self,
        operation: &str,
        body: &Value,
        caller: &Caller,
        region: &str,
    ) -> Response {
        if operation != "GetSecretValue" {
            let what = format!("this emulator does not know {operation}");
            return not_implemented("secretsmanager", &what);
        }
        match self.value(body, caller, region) {
            Ok(found) => aws_json(200, &found, "1.1"),
            Err((code, message)) => json_error(400, code, &message),
        }
    }

    fn value(
        &self,
        body: &Value,
        caller: &Caller,
        region: &str,
    ) -> Result<Value, (&'static str, String)> {
        let id = body["SecretId"].as_str().unwrap_or_default();
        if id.is_empty() || id.len() > 2048 {
            let message = "Invalid name. Must be a valid name or ARN of 1 to 2048 characters.";
            return Err(("ValidationException", message.to_owned()));
        }
        let wanted = body["VersionId"].as_str();
        if wanted.is_some_and(|id| !(32..=64).contains(&id.len())) {
            let message = "VersionId must have a length of 32 to 64 characters.";
            return Err(("InvalidParameterException", message.to_owned()));
        }
        let stage = body["VersionStage"].as_str();
        let found = self.0.iter().find(|((account, at, name), _)| {
            *account == caller.account && at == region && is_named(id, (account, at, name))
        });
        let Some((place, secret)) = found else {
            let message = "Secrets Manager can't find the specified secret.";
            return Err(("ResourceNotFoundException", message.to_owned()));
        };
        if secret.deleted {
            let message = "You can't perform this operation on the secret because it was marked for deletion.";
            return Err(("InvalidRequestException", message.to_owned()));
        }
        let stage = match (wanted, stage) {
            (None, None) => Some("AWSCURRENT"),
            (_, stage) => stage,
        };
        let version = secret.versions.iter().find(|version| {
            wanted.is_none_or(|id| version.id == id)
                && stage.is_none_or(|stage| version.stages.iter().any(|known| known == stage))
        });
        let Some(version) = version else {
            let what = match (wanted, stage) {
                (Some(id), _) => format!("VersionId: {id}"),
                (None, stage) => format!("staging label: {}", stage.unwrap_or_default()),
            };
            let message =
                format!("Secrets Manager can't find the specified secret value for {what}");
            return Err(("ResourceNotFoundException", message));
        };
        #[allow(clippy::cast_precision_loss)]
        let created = version.created_at.as_millisecond() as f64 / 1000.0;
        let mut found = json!({ "ARN": arn(place), "Name": place.2, "VersionId": version.id,
            "VersionStages": version.stages, "CreatedDate": created });
        match &version.value {
            Secret::Text(text) => found["SecretString"] = json!(text),
            Secret::Bytes(bytes) => found["SecretBinary"] = json!(STANDARD.encode(bytes)),
        }
        Ok(found)
    }
}

/// The name, the complete ARN, or the ARN without the six characters that Secrets Manager appends.
fn is_named(id: &str, (account, region, name): (&str, &str, &str)) -> bool {
    let place = (account.to_owned(), region.to_owned(), name.to_owned());
    let arn = arn(&place);
    let partial = &arn[..arn.len() - 7];
    id == name || id == arn || id == partial
}

fn arn(place: &Place) -> String {
    let (account, region, name) = place;
    let tail = &hash_hex(&[account, region, name])[..6];
    format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-{tail}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const HOME: &str = "111111111111";

    fn ask(secrets: &Secrets, body: &Value) -> (u16, Value) {
        let caller = Caller {
            account: HOME.to_owned(),
            identity: String::new(),
            engine: false,
        };
        let answer = secrets.handle("GetSecretValue", body, &caller, "eu-west-1");
        let read = serde_json::from_slice(answer.body()).unwrap();
        (answer.status().as_u16(), read)
    }

    fn rotated() -> Secrets {
        let mut secrets = Secrets::default();
        for value in ["oldest", "old", "new"] {
            let value = Secret::Text(value.to_owned());
            secrets.put(HOME, "eu-west-1", "asaf/jira", value, Timestamp::UNIX_EPOCH);
        }
        secrets
    }

    #[test]
    fn a_rotated_secret_shows_its_current_and_its_previous_value() {
        let secrets = rotated();
        let (_, current) = ask(&secrets, &json!({ "SecretId": "asaf/jira" }));
        assert_eq!(current["SecretString"], "new");
        assert_eq!(current["VersionStages"], json!(["AWSCURRENT"]));
        let previous = json!({ "SecretId": current["ARN"], "VersionStage": "AWSPREVIOUS" });
        assert_eq!(ask(&secrets, &previous).1["SecretString"], "old");
        let by_id = json!({ "SecretId": "asaf/jira", "VersionId": current["VersionId"] });
        assert_eq!(ask(&secrets, &by_id).1["SecretString"], "new");
        let arn = current["ARN"].as_str().unwrap();
        let partial = json!({ "SecretId": arn[..arn.len() - 7] });
        assert_eq!(ask(&secrets, &partial).1["SecretString"], "new");
    }

    #[test]
    fn bytes_travel_as_base64() {
        let mut secrets = Secrets::default();
        let value = Secret::Bytes(vec![0, 255]);
        secrets.put(HOME, "eu-west-1", "key", value, Timestamp::UNIX_EPOCH);
        let (_, found) = ask(&secrets, &json!({ "SecretId": "key" }));
        assert_eq!(found["SecretBinary"], "AP8=");
        assert!(found["SecretString"].is_null());
    }

    #[test]
    fn what_is_not_there_or_marked_for_deletion_is_refused_by_name() {
        let mut secrets = rotated();
        for (body, code) in [
            (json!({ "SecretId": "other" }), "ResourceNotFoundException"),
            (
                json!({ "SecretId": "asaf/jira", "VersionStage": "NONE" }),
                "ResourceNotFoundException",
            ),
            (
                json!({ "SecretId": "asaf/jira", "VersionId": "short" }),
                "InvalidParameterException",
            ),
            (json!({ "SecretId": "" }), "ValidationException"),
        ] {
            let (status, answer) = ask(&secrets, &body);
            assert_eq!(
                (status, answer["__type"].as_str()),
                (400, Some(code)),
                "{body}"
            );
        }
        secrets.delete(HOME, "eu-west-1", "asaf/jira");
        let (_, answer) = ask(&secrets, &json!({ "SecretId": "asaf/jira" }));
        assert_eq!(answer["__type"], "InvalidRequestException");
    }
}
