//! The aggregator's view: current resources of all accounts and Regions. Deleted ones are not in it, and absence proves
//! nothing (AWS Config API: the `Aggregate` operations).

use serde_json::{Value, json};

use super::resources::Resource;
use super::{Call, Config, Done, Rows, documents, error, invalid, kind, select};
use crate::emulators::Response;
use crate::emulators::aws::faults::not_implemented;

impl Config {
    /// Only the account and Region that own the aggregator know it.
    pub(super) fn aggregator_known(&self, call: &Call) -> Result<(), Box<Response>> {
        let own = call.caller.account == self.home_account && call.region == self.home_region;
        if own && call.body["ConfigurationAggregatorName"] == self.aggregator.as_str() {
            return Ok(());
        }
        Err(error(
            "NoSuchConfigurationAggregatorException",
            "The configuration aggregator does not exist.",
        ))
    }

    /// Advanced queries.
    pub(super) fn select(&self, call: &Call) -> Done {
        self.aggregator_known(call)?;
        let expression = call.body["Expression"].as_str().unwrap_or_default();
        if !(1..=4096).contains(&expression.chars().count()) {
            return Err(invalid(
                "expression",
                "Member must have length between 1 and 4096",
            ));
        }
        let query = select::parse(expression).map_err(|refused| match refused {
            select::Refused::Invalid(why) => error("InvalidExpressionException", &why),
            select::Refused::Unknown(why) => Box::new(not_implemented("config", &why)),
        })?;
        let all: Box<dyn Iterator<Item = &Resource>> = match query.arns() {
            Some(arns) => Box::new(arns.into_iter().filter_map(|arn| self.resources.get(arn))),
            None => Box::new(self.resources.iter()),
        };
        let found = all.filter_map(|resource| {
            let state = self.aggregated(resource, call)?;
            let document = select::document(resource, state);
            query.matches(&document).then_some(document)
        });
        let rows: Vec<Value> = query
            .answer(found.collect())
            .into_iter()
            .map(|row| json!(row.to_string()))
            .collect();
        let limit = if call.body["Limit"].is_null() {
            "MaxResults"
        } else {
            "Limit"
        };
        let listing = Rows {
            operation: "SelectAggregateResourceConfig",
            member: "Results",
            limit,
            token: "NextToken",
            default: 25,
        };
        let mut body = listing.page(&rows, call)?;
        let fields: Vec<Value> = query
            .fields()
            .iter()
            .map(|name| json!({ "Name": name }))
            .collect();
        body["QueryInfo"] = json!({ "SelectFields": fields });
        Ok(body)
    }

    /// One to a hundred; what is not there comes back as unprocessed, whatever the cause.
    pub(super) fn batch_get_aggregate(&self, call: &Call) -> Done {
        self.aggregator_known(call)?;
        let none = Vec::new();
        let asked = call.body["ResourceIdentifiers"].as_array().unwrap_or(&none);
        if asked.is_empty() || asked.len() > 100 {
            return Err(invalid(
                "resourceIdentifiers",
                "Member must have length between 1 and 100",
            ));
        }
        let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
        for identifier in asked {
            let resource = self.identified(identifier)?;
            let state = resource.and_then(|resource| self.aggregated(resource, call));
            match (resource, state) {
                (Some(resource), Some(state)) => found.push(documents::base(resource, state)),
                _ => unprocessed.push(identifier.clone()),
            }
        }
        Ok(
            json!({ "BaseConfigurationItems": found, "UnprocessedResourceIdentifiers": unprocessed }),
        )
    }

    pub(super) fn get_aggregate(&self, call: &Call) -> Done {
        self.aggregator_known(call)?;
        let resource = self.identified(&call.body["ResourceIdentifier"])?;
        let state = resource.and_then(|resource| self.aggregated(resource, call));
        match (resource, state) {
            (Some(resource), Some(state)) => {
                Ok(json!({ "ConfigurationItem": documents::item(resource, state) }))
            }
            _ => Err(error(
                "ResourceNotDiscoveredException",
                "The resource has not been discovered by the aggregator.",
            )),
        }
    }

    /// All four members are required.
    fn identified(&self, identifier: &Value) -> Result<Option<&Resource>, Box<Response>> {
        for name in ["SourceAccountId", "SourceRegion", "ResourceId"] {
            if identifier[name].as_str().is_none_or(str::is_empty) {
                return Err(invalid(name, "Member must not be null"));
            }
        }
        let kind = kind(identifier, "ResourceType")?;
        let text = |name: &str| identifier[name].as_str().unwrap_or_default();
        Ok(self.resources.of(
            text("SourceAccountId"),
            text("SourceRegion"),
            kind,
            text("ResourceId"),
        ))
    }

    pub(super) fn list_aggregate(&self, call: &Call) -> Done {
        self.aggregator_known(call)?;
        let kind = kind(call.body, "ResourceType")?;
        let filters = &call.body["Filters"];
        let passes = |name: &str, value: Option<&str>| {
            filters[name]
                .as_str()
                .is_none_or(|wanted| value == Some(wanted))
        };
        let rows: Vec<Value> = self
            .resources
            .of_kind(kind)
            .filter(|resource| self.aggregated(resource, call).is_some())
            .filter(|Resource { item, name, .. }| {
                passes("AccountId", Some(&item.account))
                    && passes("Region", Some(&item.region))
                    && passes("ResourceId", Some(&item.id))
                    && passes("ResourceName", name.as_deref())
            })
            .map(|Resource { item, name, .. }| {
                let mut row = json!({ "SourceAccountId": item.account, "SourceRegion": item.region,
                    "ResourceId": item.id, "ResourceType": item.kind });
                if let Some(name) = name {
                    row["ResourceName"] = json!(name);
                }
                row
            })
            .collect();
        let listing = Rows {
            operation: "ListAggregateDiscoveredResources",
            member: "ResourceIdentifiers",
            limit: "Limit",
            token: "NextToken",
            default: 100,
        };
        listing.page(&rows, call)
    }
}
