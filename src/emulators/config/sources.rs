//! What feeds the aggregator: its definition and the state of each source (AWS Config API:
//! DescribeConfigurationAggregators, DescribeConfigurationAggregatorSourcesStatus).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::documents::seconds;
use super::{Call, Config, Done, Rows, error, invalid};

/// How the last collection of an account and Region went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Nothing of it is shown.
    Failed,
    /// What is shown is old.
    Outdated,
}

impl Config {
    /// The aggregator cannot read this account and Region.
    pub fn source_failed(&mut self, account: &str, region: &str) {
        self.set_source(account, region, Some(SourceState::Failed));
    }

    /// Sets how the collection of an account and Region goes; `None` is well.
    pub fn set_source(&mut self, account: &str, region: &str, state: Option<SourceState>) {
        let source = (account.to_owned(), region.to_owned());
        match state {
            Some(state) => self.sources.insert(source, state),
            None => self.sources.remove(&source),
        };
    }

    pub(super) fn describe_aggregators(&self, call: &Call) -> Done {
        let own = call.caller.account == self.home_account && call.region == self.home_region;
        let asked = call.body["ConfigurationAggregatorNames"].as_array();
        if asked.is_some_and(|names| names.len() > 10) {
            return Err(invalid(
                "configurationAggregatorNames",
                "Member must have length less than or equal to 10",
            ));
        }
        let mut names = asked.into_iter().flatten().filter_map(Value::as_str);
        if names.any(|name| !own || name != self.aggregator) {
            return Err(error(
                "NoSuchConfigurationAggregatorException",
                "The configuration aggregator does not exist.",
            ));
        }
        let account = &self.home_account;
        let all: Vec<Value> = own
            .then(|| {
                json!({
                    "ConfigurationAggregatorName": self.aggregator,
                    "ConfigurationAggregatorArn": format!(
                        "arn:aws:config:{}:{account}:config-aggregator/config-aggregator-a5a5f001",
                        self.home_region
                    ),
                    "OrganizationAggregationSource": {
                        "RoleArn": format!("arn:aws:iam::{account}:role/config-aggregator"),
                        "AllAwsRegions": true,
                    },
                    "CreationTime": 0.0,
                    "LastUpdatedTime": 0.0,
                })
            })
            .into_iter()
            .collect();
        let listing = Rows {
            operation: "DescribeConfigurationAggregators",
            member: "ConfigurationAggregators",
            limit: "Limit",
            token: "NextToken",
            default: 100,
        };
        listing.page(&all, call)
    }

    pub(super) fn describe_sources(&self, call: &Call) -> Done {
        self.aggregator_known(call)?;
        let wanted: Vec<&str> = call.body["UpdateStatus"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut sources: BTreeSet<(&str, &str)> = self
            .items()
            .map(|item| (item.account.as_str(), item.region.as_str()))
            .collect();
        sources.extend(self.sources.keys().map(|(a, r)| (a.as_str(), r.as_str())));
        let rows: Vec<Value> = sources
            .into_iter()
            .map(|(account, region)| {
                let state = self.sources.get(&(account.to_owned(), region.to_owned()));
                let status = match state {
                    Some(SourceState::Failed) => "FAILED",
                    Some(SourceState::Outdated) => "OUTDATED",
                    None => "SUCCEEDED",
                };
                let mut row = json!({ "SourceId": account, "SourceType": "ACCOUNT", "AwsRegion": region,
                    "LastUpdateStatus": status, "LastUpdateTime": seconds(call.now) });
                if status == "FAILED" {
                    row["LastErrorCode"] = json!("AccessDenied");
                    row["LastErrorMessage"] = json!("The aggregator is not authorized to collect data.");
                }
                row
            })
            .filter(|row| {
                wanted.is_empty() || wanted.iter().any(|status| row["LastUpdateStatus"] == *status)
            })
            .collect();
        let listing = Rows {
            operation: "DescribeConfigurationAggregatorSourcesStatus",
            member: "AggregatedSourceStatusList",
            limit: "Limit",
            token: "NextToken",
            default: 100,
        };
        listing.page(&rows, call)
    }
}
