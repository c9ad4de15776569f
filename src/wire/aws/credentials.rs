//! Whose requests they are: the SDK's own chain, fixed keys for emulators, and assumed roles in member accounts.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_securityhub::config::retry::RetryConfig;
use aws_sdk_securityhub::config::{SharedCredentialsProvider, StalledStreamProtectionConfig};
use jiff::{SignedDuration, Timestamp};

use super::{Aws, AwsSettings, Operation, words};
use crate::wire::error::WireError;

/// Where credentials come from.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Environment, profile, SSO, container, instance: the SDK's default chain.
    Chain,
    /// Fixed keys, for emulators in this process.
    Fixed {
        /// Access key id.
        key_id: String,
        /// Secret access key.
        secret: String,
    },
}

type Keys = aws_sdk_securityhub::config::Credentials;

/// Assumed roles by account, each for [`SESSION`].
#[derive(Default)]
pub(in crate::wire) struct Members(Mutex<BTreeMap<String, (Timestamp, Keys)>>);

/// Shorter than the hour that STS grants by default.
const SESSION: SignedDuration = SignedDuration::from_mins(45);

impl Credentials {
    /// The configuration that all services share. SDK retries are off: ours is the only retry layer.
    pub(super) async fn load(&self, settings: &AwsSettings) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(settings.region.clone()))
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(url) = &settings.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        if let Credentials::Fixed { key_id, secret } = self {
            loader = loader.credentials_provider(Keys::new(key_id, secret, None, None, "fixed"));
        }
        loader.load().await
    }
}

impl Aws {
    /// The ARN of the principal that we are (STS GetCallerIdentity), asked once.
    pub(in crate::wire) async fn identity(&self) -> Result<&str, WireError> {
        let asked = self.identity.get_or_try_init(|| async {
            let operation = Operation {
                name: "GetCallerIdentity",
                what: "asking AWS who we are".to_owned(),
                action: "sts:GetCallerIdentity",
            };
            let client = aws_sdk_sts::Client::new(&self.config);
            let body = self
                .call(&operation, |http| {
                    let request = client
                        .get_caller_identity()
                        .customize()
                        .config_override(aws_sdk_sts::config::Config::builder().http_client(http));
                    async move { request.send().await.map(drop).map_err(words) }
                })
                .await?;
            Ok(super::xml_member(&body, "Arn").unwrap_or_default())
        });
        asked.await.map(String::as_str)
    }

    /// The ARN of the principal that we are.
    ///
    /// # Errors
    /// [`WireError`]: no credentials, or ones that AWS does not know.
    pub async fn who_we_are(&self) -> Result<String, WireError> {
        self.identity().await.map(str::to_owned)
    }

    /// The configuration with which a member account's Config is asked, through the read-only role there.
    pub(in crate::wire) async fn member(
        &self,
        account: &str,
        role: &str,
        region: &str,
    ) -> Result<SdkConfig, WireError> {
        let keys = self.assumed(account, role).await?;
        Ok(self
            .config
            .to_builder()
            .region(Region::new(region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .build())
    }

    async fn assumed(&self, account: &str, role: &str) -> Result<Keys, WireError> {
        let now = self.clock().now();
        if let Some((since, keys)) = self
            .members
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(account)
            && now.duration_since(*since) < SESSION
        {
            return Ok(keys.clone());
        }
        let arn = format!("arn:aws:iam::{account}:role/{role}");
        let operation = Operation {
            name: "AssumeRole",
            what: format!("assuming {arn}"),
            action: "sts:AssumeRole",
        };
        let client = aws_sdk_sts::Client::new(&self.config);
        let body = self
            .call(&operation, |http| {
                let request = client
                    .assume_role()
                    .role_arn(&arn)
                    .role_session_name("asaf")
                    .set_external_id(self.settings.external_id.clone())
                    .customize()
                    .config_override(aws_sdk_sts::config::Config::builder().http_client(http));
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await?;
        let member = |name: &str| super::xml_member(&body, name).unwrap_or_default();
        let keys = Keys::new(
            member("AccessKeyId"),
            member("SecretAccessKey"),
            Some(member("SessionToken")),
            None,
            "assumed",
        );
        self.members
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(account.to_owned(), (now, keys.clone()));
        Ok(keys)
    }
}
