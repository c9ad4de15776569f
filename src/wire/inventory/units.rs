//! Which organisational unit an account is in, and which tags it has (Organizations API): the tree is walked from its
//! root; tags are read account by account.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::Account;
use crate::wire::aws::{Aws, Operation, words};
use crate::wire::error::WireError;

/// Organizations nests at most five levels of units below the root (Organizations user guide: quotas).
const DEEPEST: usize = 8;

impl Aws {
    /// The path of every account's unit, by the units' names; `/` for accounts at the root.
    pub(super) async fn organisational_units(
        &self,
    ) -> Result<BTreeMap<Account, String>, WireError> {
        let mut units = BTreeMap::new();
        let mut level: Vec<(String, String)> = Vec::new();
        for root in self.list_roots().await? {
            level.push((root, String::new()));
        }
        for _ in 0..DEEPEST {
            let mut below = Vec::new();
            for (parent, path) in level {
                for account in self.accounts_in(&parent).await? {
                    let shown = if path.is_empty() { "/" } else { &path };
                    units.insert(account, shown.to_owned());
                }
                for (id, name) in self.units_in(&parent).await? {
                    below.push((id, format!("{path}/{name}")));
                }
            }
            if below.is_empty() {
                break;
            }
            level = below;
        }
        Ok(units)
    }

    /// At most 50 tags of each account (Organizations user guide: quotas).
    pub(super) async fn tags_of_accounts(
        &self,
        accounts: &[Account],
    ) -> Result<BTreeMap<Account, BTreeMap<String, String>>, WireError> {
        let operation = Operation {
            name: "ListTagsForResource",
            what: "reading the tags of accounts".to_owned(),
            action: "organizations:ListTagsForResource",
        };
        let client = aws_sdk_organizations::Client::new(&self.config);
        let mut found = BTreeMap::new();
        for account in accounts {
            let pages = self.organisation_pages(
                |token, http| {
                    let request = client
                        .list_tags_for_resource()
                        .resource_id(account)
                        .set_next_token(token)
                        .customize()
                        .config_override(
                            aws_sdk_organizations::config::Config::builder().http_client(http),
                        );
                    async move { request.send().await.map(drop).map_err(words) }
                },
                &operation,
            );
            let pages = pages.await?;
            let tags = pages.iter().flat_map(|page| page["Tags"].as_array());
            let tags = tags
                .flatten()
                .filter_map(|tag| Some((text(&tag["Key"])?, text(&tag["Value"])?)));
            found.insert(account.clone(), tags.collect());
        }
        Ok(found)
    }

    async fn list_roots(&self) -> Result<Vec<String>, WireError> {
        let operation = operation("ListRoots", "organizations:ListRoots");
        let client = aws_sdk_organizations::Client::new(&self.config);
        let pages = self.organisation_pages(
            |token, http| {
                let request = client
                    .list_roots()
                    .set_next_token(token)
                    .customize()
                    .config_override(
                        aws_sdk_organizations::config::Config::builder().http_client(http),
                    );
                async move { request.send().await.map(drop).map_err(words) }
            },
            &operation,
        );
        Ok(ids(&pages.await?, "Roots"))
    }

    async fn accounts_in(&self, parent: &str) -> Result<Vec<String>, WireError> {
        let operation = operation(
            "ListAccountsForParent",
            "organizations:ListAccountsForParent",
        );
        let client = aws_sdk_organizations::Client::new(&self.config);
        let pages = self.organisation_pages(
            |token, http| {
                let request = client
                    .list_accounts_for_parent()
                    .parent_id(parent)
                    .set_next_token(token)
                    .customize()
                    .config_override(
                        aws_sdk_organizations::config::Config::builder().http_client(http),
                    );
                async move { request.send().await.map(drop).map_err(words) }
            },
            &operation,
        );
        Ok(ids(&pages.await?, "Accounts"))
    }

    async fn units_in(&self, parent: &str) -> Result<Vec<(String, String)>, WireError> {
        let operation = operation(
            "ListOrganizationalUnitsForParent",
            "organizations:ListOrganizationalUnitsForParent",
        );
        let client = aws_sdk_organizations::Client::new(&self.config);
        let pages = self.organisation_pages(
            |token, http| {
                let request = client
                    .list_organizational_units_for_parent()
                    .parent_id(parent)
                    .set_next_token(token)
                    .customize()
                    .config_override(
                        aws_sdk_organizations::config::Config::builder().http_client(http),
                    );
                async move { request.send().await.map(drop).map_err(words) }
            },
            &operation,
        );
        let pages = pages.await?;
        let units = pages
            .iter()
            .flat_map(|page| page["OrganizationalUnits"].as_array());
        Ok(units
            .flatten()
            .filter_map(|unit| Some((text(&unit["Id"])?, text(&unit["Name"])?)))
            .collect())
    }

    async fn organisation_pages<F>(
        &self,
        send: impl Fn(Option<String>, aws_sdk_securityhub::config::SharedHttpClient) -> F + Send + Sync,
        operation: &Operation,
    ) -> Result<Vec<Value>, WireError>
    where
        F: Future<Output = Result<(), String>> + Send,
    {
        let (mut pages, mut token) = (Vec::new(), None::<String>);
        loop {
            let page = self
                .call_json(operation, |http| send(token.clone(), http))
                .await?;
            // A page may be empty and still name a next one.
            let next = page["NextToken"].as_str().map(str::to_owned);
            pages.push(page);
            token = match next {
                Some(next) => Some(next),
                None => return Ok(pages),
            };
        }
    }
}

fn operation(name: &'static str, action: &'static str) -> Operation {
    Operation {
        name,
        what: "reading the organisation's units".to_owned(),
        action,
    }
}

fn ids(pages: &[Value], list: &str) -> Vec<String> {
    let items = pages
        .iter()
        .flat_map(|page| page[list].as_array())
        .flatten();
    items.filter_map(|item| text(&item["Id"])).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json as j;

    use super::*;
    use crate::clock::Clock;
    use crate::ports::Inventory;
    use crate::wire::aws::{AwsSettings, Credentials};
    use crate::wire::budget::Budget;
    use crate::wire::counts::Counts;
    use crate::wire::scripted::{Reply, Scripted, json};

    async fn asked(
        replies: Vec<Value>,
    ) -> (Result<BTreeMap<Account, String>, WireError>, Vec<Value>) {
        let clock = Clock::manual("2026-11-24T00:00:00Z".parse().unwrap());
        let script: Vec<(&str, Reply)> = replies
            .into_iter()
            .map(|body| {
                let status = if body.get("__type").is_some() {
                    400
                } else {
                    200
                };
                ("POST /", json(status, body))
            })
            .collect();
        let server = Scripted::new(&clock, script);
        let settings = AwsSettings {
            region: "eu-west-1".to_owned(),
            endpoint_url: Some("http://aws.test".to_owned()),
            ..AwsSettings::default()
        };
        let keys = Credentials::Fixed {
            key_id: "AKIATEST".to_owned(),
            secret: "secret".to_owned(),
        };
        let budget = Budget::new(clock);
        let aws = Aws::connect(
            settings,
            keys,
            server.transport(),
            budget,
            Counts::default(),
        );
        let units = aws.await.units().await;
        let bodies = server.finish().into_iter().map(|seen| seen.body);
        (units, bodies.collect())
    }

    #[tokio::test]
    async fn the_tree_is_walked_page_by_page_from_its_root() {
        let (units, bodies) = asked(vec![
            j!({ "Roots": [{ "Id": "r-1", "Name": "Root" }] }),
            j!({ "Accounts": [{ "Id": "100000000000" }] }),
            // A page may be empty and still name a next one.
            j!({ "OrganizationalUnits": [], "NextToken": "more" }),
            j!({ "OrganizationalUnits": [{ "Id": "ou-prod", "Name": "prod" }] }),
            j!({ "Accounts": [{ "Id": "200000000000" }], "NextToken": "more" }),
            j!({ "Accounts": [{ "Id": "200000000001" }] }),
            j!({ "OrganizationalUnits": [{ "Id": "ou-web", "Name": "web" }] }),
            j!({ "Accounts": [{ "Id": "300000000000" }] }),
            j!({ "OrganizationalUnits": [] }),
        ])
        .await;
        let units = units.unwrap();
        let units: Vec<(&str, &str)> = units.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(
            units,
            [
                ("100000000000", "/"),
                ("200000000000", "/prod"),
                ("200000000001", "/prod"),
                ("300000000000", "/prod/web"),
            ]
        );
        assert_eq!(bodies[3], j!({ "ParentId": "r-1", "NextToken": "more" }));
        assert_eq!(bodies[7], j!({ "ParentId": "ou-web" }));
    }

    #[tokio::test]
    async fn a_missing_permission_is_named_and_no_part_of_the_tree_is_returned() {
        let denied =
            j!({ "__type": "AccessDeniedException", "Message": "You don't have permissions." });
        let (units, _) = asked(vec![
            j!({ "Roots": [{ "Id": "r-1", "Name": "Root" }] }),
            j!({ "Accounts": [] }),
            denied,
        ])
        .await;
        let said = units.unwrap_err().to_string();
        assert!(
            said.contains("organizations:ListOrganizationalUnitsForParent"),
            "{said}"
        );
    }
}
