//! The aggregator without advanced queries: some organisations deny them, and not every partition has them. It is then
//! asked by Config's own ids, as far as these follow from the finding (AWS Config API: BatchGetAggregateResourceConfig).

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_config::types::AggregateResourceIdentifier;

use super::kinds;
use crate::ports::ResourceQuery;
use crate::wire::aws::{Aws, Operation, words};
use crate::wire::error::WireError;

/// The most identifiers in one call.
const PER_CALL: usize = 100;

/// The query was refused as such; throttling or an unreachable service would meet the next question too.
pub(super) fn may_help(error: &WireError) -> bool {
    matches!(
        error,
        WireError::Denied { .. } | WireError::Refused { .. } | WireError::Server { .. }
    )
}

impl Aws {
    /// Which of the resources the aggregator has an item of. One whose id does not follow is not among them.
    pub(super) async fn present_by_id(
        &self,
        queries: &[&ResourceQuery],
    ) -> Result<BTreeSet<String>, WireError> {
        let mut asked: BTreeMap<[String; 4], &ResourceQuery> = BTreeMap::new();
        let mut identifiers = Vec::new();
        for query in queries {
            let Some((kind, id)) = kinds::in_config(query) else {
                continue;
            };
            let identifier = AggregateResourceIdentifier::builder()
                .source_account_id(&query.account)
                .source_region(&query.region)
                .resource_type(kind.clone())
                .resource_id(&id)
                .build();
            if let Ok(identifier) = identifier {
                identifiers.push(identifier);
                let (account, region) = (query.account.clone(), query.region.clone());
                asked.insert([account, region, kind.as_str().to_owned(), id], query);
            }
        }
        let mut present = BTreeSet::new();
        for some in identifiers.chunks(PER_CALL) {
            let answer = self.batch(some).await?;
            for item in answer["BaseConfigurationItems"]
                .as_array()
                .into_iter()
                .flatten()
            {
                // A deleted resource comes back as unprocessed; an item that says so all the same is none either.
                let deleted = item["configurationItemStatus"]
                    .as_str()
                    .is_some_and(|status| status.starts_with("ResourceDeleted"));
                let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
                let of = ["accountId", "awsRegion", "resourceType", "resourceId"].map(text);
                if let Some(query) = asked.get(&of).filter(|_| !deleted) {
                    present.insert(query.id.clone());
                }
            }
        }
        Ok(present)
    }

    pub(super) async fn batch(
        &self,
        identifiers: &[AggregateResourceIdentifier],
    ) -> Result<serde_json::Value, WireError> {
        let operation = Operation {
            name: "BatchGetAggregateResourceConfig",
            what: "asking the Config aggregator which resources exist, by their ids".to_owned(),
            action: "config:BatchGetAggregateResourceConfig",
        };
        let client = aws_sdk_config::Client::new(&self.config);
        self.call_json(&operation, |http| {
            let request = client
                .batch_get_aggregate_resource_config()
                .configuration_aggregator_name(&self.settings.aggregator)
                .set_resource_identifiers(Some(identifiers.to_vec()))
                .customize()
                .config_override(aws_sdk_config::config::Config::builder().http_client(http));
            async move { request.send().await.map(drop).map_err(words) }
        })
        .await
    }
}
