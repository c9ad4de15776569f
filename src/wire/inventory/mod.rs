//! What exists: AWS Config (through the organisation's aggregator, then the member account) and Organizations.
//!
//! Absence from the aggregator proves nothing: it may have lost its data, or never seen the account. Only the member
//! account's own history is proof of a deletion (AWS Config API: GetResourceConfigHistory, ListDiscoveredResources).

mod by_id;
mod health;
mod kinds;
mod units;

pub use health::SickSource;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_config::types::ResourceType;
use jiff::Timestamp;
use serde_json::Value;

use super::aws::{Aws, Operation, words};
use super::error::WireError;
use crate::model::Account;
use crate::ports::{AccountFact, Inventory, ResourceFact, ResourceQuery};

/// Longest expression of an advanced query.
const LONGEST_EXPRESSION: usize = 4096;
const SELECT: &str = "SELECT arn WHERE arn IN (";

impl Inventory for Aws {
    async fn resources(&self, queries: &[ResourceQuery]) -> BTreeMap<ResourceQuery, ResourceFact> {
        let mut facts: BTreeMap<ResourceQuery, ResourceFact> = BTreeMap::new();
        let mut by_arn: Vec<&ResourceQuery> = Vec::new();
        for query in queries {
            match beforehand(query) {
                Some(fact) => {
                    facts.insert(query.clone(), fact);
                }
                None => by_arn.push(query),
            }
        }
        let present = match self.present(&by_arn).await {
            Ok(present) => present,
            Err(refused) if by_id::may_help(&refused) => match self.present_by_id(&by_arn).await {
                Ok(present) => present,
                Err(_) => return unknown_all(facts, by_arn, &refused),
            },
            Err(error) => return unknown_all(facts, by_arn, &error),
        };
        for query in by_arn {
            let fact = if present.contains(&query.id) {
                ResourceFact::Exists
            } else {
                self.proof(query).await
            };
            facts.insert(query.clone(), fact);
        }
        facts
    }

    async fn units(&self) -> Result<BTreeMap<Account, String>, WireError> {
        self.organisational_units().await
    }

    async fn accounts(&self) -> Result<Vec<AccountFact>, WireError> {
        let operation = Operation {
            name: "ListAccounts",
            what: "listing the organisation's accounts".to_owned(),
            action: "organizations:ListAccounts",
        };
        let client = aws_sdk_organizations::Client::new(&self.config);
        let (mut accounts, mut token) = (Vec::new(), None::<String>);
        loop {
            let page = self
                .call_json(&operation, |http| {
                    let request = client
                        .list_accounts()
                        .set_next_token(token.clone())
                        .customize()
                        .config_override(
                            aws_sdk_organizations::config::Config::builder().http_client(http),
                        );
                    async move { request.send().await.map(drop).map_err(words) }
                })
                .await?;
            accounts.extend(
                page["Accounts"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(account),
            );
            match page["NextToken"].as_str() {
                Some(next) => token = Some(next.to_owned()),
                None => return Ok(accounts),
            }
        }
    }
}

/// Nothing can be said of the rest.
fn unknown_all(
    mut facts: BTreeMap<ResourceQuery, ResourceFact>,
    rest: Vec<&ResourceQuery>,
    error: &WireError,
) -> BTreeMap<ResourceQuery, ResourceFact> {
    let why = error.to_string();
    facts.extend(rest.into_iter().map(|query| {
        let why = why.clone();
        (query.clone(), ResourceFact::Unknown { why })
    }));
    facts
}

/// `State` replaces `Status` (Organizations API, retired in September 2026); either may be absent.
fn account(document: &Value) -> AccountFact {
    let text = |field: &str| document[field].as_str().unwrap_or_default().to_owned();
    let state = document["State"]
        .as_str()
        .or_else(|| document["Status"].as_str());
    AccountFact {
        id: text("Id"),
        name: text("Name"),
        active: state == Some("ACTIVE"),
    }
}

/// What is known without asking.
fn beforehand(query: &ResourceQuery) -> Option<ResourceFact> {
    if query.id.starts_with("AWS::::Account") {
        return Some(ResourceFact::Exists);
    }
    // The id becomes part of a query: only what an ARN consists of may pass.
    let safe = |c: char| c.is_ascii_alphanumeric() || ":/_-.+=,@*#~ ".contains(c);
    if !query.id.starts_with("arn:") || !query.id.chars().all(safe) {
        return Some(ResourceFact::Unknown {
            why: "Config is asked by ARN, and this id is none".to_owned(),
        });
    }
    None
}

impl Aws {
    /// Which of the ARNs the aggregator knows.
    async fn present(&self, queries: &[&ResourceQuery]) -> Result<BTreeSet<String>, WireError> {
        let mut present = BTreeSet::new();
        for expression in expressions(queries) {
            let mut token = None::<String>;
            loop {
                let page = self.select(&expression, token.clone()).await?;
                for row in page["Results"].as_array().into_iter().flatten() {
                    let row: Value = row
                        .as_str()
                        .and_then(|row| serde_json::from_str(row).ok())
                        .unwrap_or_default();
                    present.extend(row["arn"].as_str().map(str::to_owned));
                }
                match page["NextToken"].as_str() {
                    Some(next) => token = Some(next.to_owned()),
                    None => break,
                }
            }
        }
        Ok(present)
    }

    async fn select(&self, expression: &str, token: Option<String>) -> Result<Value, WireError> {
        let operation = Operation {
            name: "SelectAggregateResourceConfig",
            what: "asking the Config aggregator which resources exist".to_owned(),
            action: "config:SelectAggregateResourceConfig",
        };
        let client = aws_sdk_config::Client::new(&self.config);
        self.call_json(&operation, |http| {
            let request = client
                .select_aggregate_resource_config()
                .expression(expression)
                .configuration_aggregator_name(&self.settings.aggregator)
                .limit(100)
                .set_next_token(token.clone())
                .customize()
                .config_override(aws_sdk_config::config::Config::builder().http_client(http));
            async move { request.send().await.map(drop).map_err(words) }
        })
        .await
    }

    /// Positive proof of deletion from the member account, or why there is none.
    async fn proof(&self, query: &ResourceQuery) -> ResourceFact {
        let unknown = |why: String| ResourceFact::Unknown { why };
        let Some(role) = self.settings.member_role.clone() else {
            return unknown(
                "no role is configured with which to ask the member account".to_owned(),
            );
        };
        let Some((kind, id)) = kinds::in_config(query) else {
            return unknown(format!("AWS Config records no {}", query.kind));
        };
        let config = match self.member(&query.account, &role, &query.region).await {
            Ok(config) => config,
            Err(error) => return unknown(error.to_string()),
        };
        let client = aws_sdk_config::Client::new(&config);
        match self.history(&client, query, &kind, &id).await {
            Ok(Some(at)) => return ResourceFact::Deleted { at },
            Ok(None) => {}
            Err(error) => return unknown(error.to_string()),
        }
        match self.discovered(&client, query, &kind, &id).await {
            Ok(Some(at)) => ResourceFact::Deleted { at },
            Ok(None) => unknown(
                "the aggregator does not know it, and its account does not say that it was deleted"
                    .to_owned(),
            ),
            Err(error) => unknown(error.to_string()),
        }
    }

    async fn history(
        &self,
        client: &aws_sdk_config::Client,
        query: &ResourceQuery,
        kind: &ResourceType,
        id: &str,
    ) -> Result<Option<Timestamp>, WireError> {
        let operation = Operation {
            name: "GetResourceConfigHistory",
            what: format!("asking account {} about {}", query.account, query.id),
            action: "config:GetResourceConfigHistory",
        };
        let answer = self
            .call_json(&operation, |http| {
                let request = client
                    .get_resource_config_history()
                    .resource_type(kind.clone())
                    .resource_id(id)
                    .limit(1)
                    .customize()
                    .config_override(aws_sdk_config::config::Config::builder().http_client(http));
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await;
        let answer = match answer {
            Err(WireError::Refused {
                code: Some(code), ..
            }) if code == "ResourceNotDiscoveredException" => return Ok(None),
            other => other?,
        };
        let newest = &answer["configurationItems"][0];
        let deleted = newest["configurationItemStatus"]
            .as_str()
            .is_some_and(|status| status.starts_with("ResourceDeleted"));
        let right_one = newest["arn"].as_str().is_none_or(|arn| arn == query.id);
        Ok(epoch(&newest["configurationItemCaptureTime"]).filter(|_| deleted && right_one))
    }

    async fn discovered(
        &self,
        client: &aws_sdk_config::Client,
        query: &ResourceQuery,
        kind: &ResourceType,
        id: &str,
    ) -> Result<Option<Timestamp>, WireError> {
        let operation = Operation {
            name: "ListDiscoveredResources",
            what: format!("asking account {} about {}", query.account, query.id),
            action: "config:ListDiscoveredResources",
        };
        let answer = self
            .call_json(&operation, |http| {
                let request = client
                    .list_discovered_resources()
                    .resource_type(kind.clone())
                    .resource_ids(id)
                    .include_deleted_resources(true)
                    .customize()
                    .config_override(aws_sdk_config::config::Config::builder().http_client(http));
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await?;
        let found = answer["resourceIdentifiers"]
            .as_array()
            .into_iter()
            .flatten();
        let same = found.into_iter().find(|row| row["resourceId"] == id);
        Ok(same.and_then(|row| epoch(&row["resourceDeletionTime"])))
    }
}

/// JSON 1.1 writes times as seconds since 1970.
fn epoch(value: &Value) -> Option<Timestamp> {
    #[allow(clippy::cast_possible_truncation)]
    Timestamp::from_millisecond((value.as_f64()? * 1000.0).round() as i64).ok()
}

/// As many ARNs in an expression as fit.
fn expressions(queries: &[&ResourceQuery]) -> Vec<String> {
    let arns: BTreeSet<&str> = queries.iter().map(|query| query.id.as_str()).collect();
    let (mut found, mut list) = (Vec::new(), String::new());
    for arn in arns {
        let quoted = format!("'{arn}'");
        if !list.is_empty() && SELECT.len() + list.len() + quoted.len() + 3 > LONGEST_EXPRESSION {
            found.push(format!("{SELECT}{list})"));
            list.clear();
        }
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(&quoted);
    }
    if !list.is_empty() {
        found.push(format!("{SELECT}{list})"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(id: &str) -> ResourceQuery {
        ResourceQuery {
            account: "123456789012".into(),
            region: "eu-west-1".into(),
            kind: "AwsS3Bucket".into(),
            id: id.into(),
        }
    }

    #[test]
    fn expressions_are_full_and_never_too_long() {
        let queries: Vec<ResourceQuery> = (0..200)
            .map(|n| query(&format!("arn:aws:s3:::bucket-with-a-long-name-{n:06}")))
            .collect();
        let queries: Vec<&ResourceQuery> = queries.iter().collect();
        let all = expressions(&queries);
        assert!(all.iter().all(|e| e.len() <= LONGEST_EXPRESSION));
        assert_eq!(
            all.iter().map(|e| e.matches("arn:").count()).sum::<usize>(),
            200
        );
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn nothing_but_an_arn_gets_into_a_query() {
        for hostile in [
            "arn:aws:s3:::a') OR (accountId = '1",
            "arn:aws:s3:::a\\",
            "arn:aws:s3:::a\n",
            "i-0123",
            "",
        ] {
            assert!(
                matches!(
                    beforehand(&query(hostile)),
                    Some(ResourceFact::Unknown { .. })
                ),
                "{hostile}"
            );
        }
        assert_eq!(
            beforehand(&query("AWS::::Account:123456789012")),
            Some(ResourceFact::Exists)
        );
        assert_eq!(beforehand(&query("arn:aws:s3:::a")), None);
    }
}
