//! Whether AWS Config can answer: the aggregator, its sources, and the role in member accounts (AWS Config API:
//! DescribeConfigurationAggregators, DescribeConfigurationAggregatorSourcesStatus).

use aws_sdk_config::types::{AggregateResourceIdentifier, ResourceType};

use crate::wire::aws::{Aws, Operation, words};
use crate::wire::error::WireError;

/// An account and Region of which the aggregator has no fresh data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SickSource {
    /// Account id.
    pub account: String,
    /// Region.
    pub region: String,
    /// `FAILED` or `OUTDATED`.
    pub status: String,
    /// AWS's words.
    pub why: String,
}

/// A resource id that nothing has.
const NO_RESOURCE: &str = "asaf-doctor-no-such-bucket";

impl Aws {
    /// The names of the aggregators of this account and Region.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn aggregators(&self) -> Result<Vec<String>, WireError> {
        let operation = Operation {
            name: "DescribeConfigurationAggregators",
            what: "looking for aggregators of AWS Config".to_owned(),
            action: "config:DescribeConfigurationAggregators",
        };
        let client = aws_sdk_config::Client::new(&self.config);
        let answer = self
            .call_json(&operation, |http| {
                let request = client
                    .describe_configuration_aggregators()
                    .customize()
                    .config_override(aws_sdk_config::config::Config::builder().http_client(http));
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await?;
        let all = answer["ConfigurationAggregators"].as_array();
        let names = all
            .into_iter()
            .flatten()
            .filter_map(|one| one["ConfigurationAggregatorName"].as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// Sources of the aggregator that failed or are old.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn sick_sources(&self) -> Result<Vec<SickSource>, WireError> {
        let operation = Operation {
            name: "DescribeConfigurationAggregatorSourcesStatus",
            what: "asking how the Config aggregator collects".to_owned(),
            action: "config:DescribeConfigurationAggregatorSourcesStatus",
        };
        let client = aws_sdk_config::Client::new(&self.config);
        let (mut found, mut token) = (Vec::new(), None::<String>);
        loop {
            let page = self
                .call_json(&operation, |http| {
                    let request = client
                        .describe_configuration_aggregator_sources_status()
                        .configuration_aggregator_name(&self.settings.aggregator)
                        .limit(100)
                        .set_next_token(token.clone())
                        .customize()
                        .config_override(
                            aws_sdk_config::config::Config::builder().http_client(http),
                        );
                    async move { request.send().await.map(drop).map_err(words) }
                })
                .await?;
            for row in page["AggregatedSourceStatusList"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                let status = text("LastUpdateStatus");
                if status != "SUCCEEDED" {
                    found.push(SickSource {
                        account: text("SourceId"),
                        region: text("AwsRegion"),
                        status,
                        why: text("LastErrorMessage"),
                    });
                }
            }
            match page["NextToken"].as_str() {
                Some(next) => token = Some(next.to_owned()),
                None => return Ok(found),
            }
        }
    }

    /// Asks the aggregator about nothing, by query and by id.
    ///
    /// # Errors
    /// [`WireError`] of either.
    pub async fn may_ask_aggregator(&self) -> Result<(), WireError> {
        let nothing = format!("SELECT arn WHERE resourceId = '{NO_RESOURCE}'");
        self.select(&nothing, None).await?;
        let identifier = AggregateResourceIdentifier::builder()
            .source_account_id("000000000000")
            .source_region(&self.settings.region)
            .resource_type(ResourceType::Bucket)
            .resource_id(NO_RESOURCE)
            .build();
        match identifier {
            Ok(identifier) => self.batch(&[identifier]).await.map(drop),
            Err(_) => Ok(()),
        }
    }

    /// Assumes the member role in an account and asks Config there about nothing.
    ///
    /// # Errors
    /// [`WireError`] of the first thing that is not allowed.
    pub async fn may_ask_member(&self, account: &str) -> Result<(), WireError> {
        let Some(role) = &self.settings.member_role else {
            return Ok(());
        };
        let config = self.member(account, role, &self.settings.region).await?;
        let client = aws_sdk_config::Client::new(&config);
        let nothing = crate::ports::ResourceQuery {
            account: account.to_owned(),
            region: self.settings.region.clone(),
            kind: "AwsS3Bucket".to_owned(),
            id: NO_RESOURCE.to_owned(),
        };
        let kind = ResourceType::Bucket;
        self.history(&client, &nothing, &kind, NO_RESOURCE).await?;
        self.discovered(&client, &nothing, &kind, NO_RESOURCE)
            .await
            .map(drop)
    }
}
