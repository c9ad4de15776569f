//! What Security Hub covers: whether it is on, which Regions its home Region gathers, and which accounts are members
//! (Security Hub API: DescribeHub, ListFindingAggregators, GetFindingAggregator, ListMembers). Nothing is written.

use super::aws::{Aws, Operation, words};
use super::error::WireError;

/// How linked Regions are chosen (Security Hub API: `RegionLinkingMode`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linked {
    /// All of them.
    All,
    /// All but these.
    AllBut(Vec<String>),
    /// These.
    Only(Vec<String>),
}

impl Linked {
    /// A Region's findings come to the home Region.
    pub fn has(&self, region: &str) -> bool {
        match self {
            Linked::All => true,
            Linked::AllBut(left_out) => !left_out.iter().any(|other| other == region),
            Linked::Only(linked) => linked.iter().any(|other| other == region),
        }
    }
}

/// The finding aggregator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The Region that gathers.
    pub region: String,
    /// From which.
    pub linked: Linked,
}

/// A member of the administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Account id.
    pub account: String,
    /// `Enabled` is well (Security Hub API: `Member`).
    pub status: String,
}

impl Aws {
    /// Whether Security Hub is on where we ask: an error says why not.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn describe_hub(&self) -> Result<(), WireError> {
        let operation = Operation {
            name: "DescribeHub",
            what: format!("looking at Security Hub in {}", self.settings.region),
            action: "securityhub:DescribeHub",
        };
        let client = aws_sdk_securityhub::Client::new(&self.config);
        self.call(&operation, |http| {
            let request = client
                .describe_hub()
                .customize()
                .config_override(aws_sdk_securityhub::config::Config::builder().http_client(http));
            async move { request.send().await.map(drop).map_err(words) }
        })
        .await
        .map(drop)
    }

    /// The finding aggregator, if there is one.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn home(&self) -> Result<Option<Home>, WireError> {
        let operation = Operation {
            name: "ListFindingAggregators",
            what: "looking for Security Hub's finding aggregator".to_owned(),
            action: "securityhub:ListFindingAggregators",
        };
        let client = aws_sdk_securityhub::Client::new(&self.config);
        let list = self
            .call_json(&operation, |http| {
                let request = client
                    .list_finding_aggregators()
                    .customize()
                    .config_override(
                        aws_sdk_securityhub::config::Config::builder().http_client(http),
                    );
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await?;
        let Some(arn) = list["FindingAggregators"][0]["FindingAggregatorArn"].as_str() else {
            return Ok(None);
        };
        let operation = Operation {
            name: "GetFindingAggregator",
            what: "reading which Regions Security Hub's home Region gathers".to_owned(),
            action: "securityhub:GetFindingAggregator",
        };
        let found = self
            .call_json(&operation, |http| {
                let request = client
                    .get_finding_aggregator()
                    .finding_aggregator_arn(arn)
                    .customize()
                    .config_override(
                        aws_sdk_securityhub::config::Config::builder().http_client(http),
                    );
                async move { request.send().await.map(drop).map_err(words) }
            })
            .await?;
        let regions = found["Regions"].as_array().into_iter().flatten();
        let regions: Vec<String> = regions
            .filter_map(|region| region.as_str().map(str::to_owned))
            .collect();
        let linked = match found["RegionLinkingMode"].as_str() {
            Some("ALL_REGIONS") => Linked::All,
            Some("ALL_REGIONS_EXCEPT_SPECIFIED") => Linked::AllBut(regions),
            _ => Linked::Only(regions),
        };
        let region = found["FindingAggregationRegion"].as_str();
        Ok(Some(Home {
            region: region.unwrap_or_default().to_owned(),
            linked,
        }))
    }

    /// The administrator's members, those that left included.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn members(&self) -> Result<Vec<Member>, WireError> {
        let operation = Operation {
            name: "ListMembers",
            what: "listing the members of Security Hub".to_owned(),
            action: "securityhub:ListMembers",
        };
        let client = aws_sdk_securityhub::Client::new(&self.config);
        let (mut members, mut token) = (Vec::new(), None::<String>);
        loop {
            let page = self
                .call_json(&operation, |http| {
                    let request = client
                        .list_members()
                        .only_associated(false)
                        .max_results(50)
                        .set_next_token(token.clone())
                        .customize()
                        .config_override(
                            aws_sdk_securityhub::config::Config::builder().http_client(http),
                        );
                    async move { request.send().await.map(drop).map_err(words) }
                })
                .await?;
            for row in page["Members"].as_array().into_iter().flatten() {
                let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                members.push(Member {
                    account: text("AccountId"),
                    status: text("MemberStatus"),
                });
            }
            match page["NextToken"].as_str() {
                Some(next) => token = Some(next.to_owned()),
                None => return Ok(members),
            }
        }
    }
}
