//! `[serve]`, `[webhook]` and `[queue]`: the process that stays, and the two doors through which it hears of changes.

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{ConfigError, Period, Secret};
use crate::wire::signature::{SECRET_CHARS_MIN, Secrets};

/// The path at which Jira's webhook is heard.
pub const WEBHOOK_PATH: &str = "/webhook/jira";

/// `[serve]`: how `asaf serve` listens and ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Serve {
    /// Address and port for webhooks, health and metrics. TLS is the load balancer's work, and so is to let only
    /// `/webhook/jira` in from outside.
    pub listen: String,
    /// How long a stop waits for what has begun. Whatever is left then is taken up again by the next start.
    pub shutdown_grace: Period,
    /// So many keys may wait in the work queue. When it is full, senders are asked to come again.
    #[schemars(range(min = 1))]
    pub queue_most: u64,
}

impl Default for Serve {
    fn default() -> Self {
        Serve {
            listen: "127.0.0.1:8484".to_owned(),
            shutdown_grace: Period::from_seconds(25),
            queue_most: 100_000,
        }
    }
}

/// `[webhook]`: Jira's admin webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Webhook {
    /// Where Jira calls, as it is seen from outside; it ends in `/webhook/jira`. `asaf webhook register` tells it to Jira.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The webhook's secret, by reference; two while it is rotated. Without one every delivery is refused with 503.
    #[schemars(length(max = 2))]
    pub secrets: Vec<Secret>,
}

impl Webhook {
    /// Reads the secrets.
    ///
    /// # Errors
    /// [`ConfigError::Secret`] for one that cannot be read, or could be guessed.
    pub fn resolve(&self) -> Result<Secrets, ConfigError> {
        let resolved = self.secrets.iter().map(|secret| {
            let value = secret.resolve()?;
            match value.expose_secret().chars().count() {
                SECRET_CHARS_MIN.. => Ok(value),
                _ => Err(ConfigError::Secret {
                    reference: secret.to_string(),
                    problem: format!(
                        "it is shorter than {SECRET_CHARS_MIN} characters and could be guessed; `openssl rand -hex 32` makes a good one"
                    ),
                }),
            }
        });
        Ok(Secrets::new(
            resolved.collect::<Result<Vec<SecretString>, _>>()?,
        ))
    }
}

/// `[queue]`: the SQS queue into which EventBridge puts events of Security Hub and AWS Config. Without it only the
/// scheduled runs see what happens in AWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// The queue's URL, as SQS shows it; in the Region of `[aws]`.
    pub url: String,
    /// A message that cannot be read is kept for people after so many receives, and leaves the queue.
    #[serde(default = "default_give_up_after")]
    #[schemars(range(min = 1, max = 1000))]
    pub give_up_after: u32,
}

fn default_give_up_after() -> u32 {
    3
}
