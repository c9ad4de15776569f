//! The hub itself, its aggregator and its members (Security Hub API: DescribeHub, ListFindingAggregators,
//! GetFindingAggregator, ListMembers).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::SecurityHub;
use super::call::{Call, invalid};
use crate::emulators::pages::{BadToken, page, query};
use crate::emulators::protocol::rest_error;
use crate::emulators::{Response, json as answer};

/// Which Regions the home Region gathers findings of.
#[derive(Clone, Debug, Default)]
pub struct Aggregator {
    /// How they are chosen.
    pub linking: Linking,
}

/// How linked Regions are chosen (Security Hub API: `RegionLinkingMode`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Linking {
    /// `ALL_REGIONS`
    #[default]
    All,
    /// `ALL_REGIONS_EXCEPT_SPECIFIED`
    AllExcept(Vec<String>),
    /// `SPECIFIED_REGIONS`
    Only(Vec<String>),
    /// There is no aggregator.
    None,
}

impl Aggregator {
    /// Whether a Region is linked.
    pub(super) fn links(&self, region: &str) -> bool {
        match &self.linking {
            Linking::All => true,
            Linking::AllExcept(left_out) => !left_out.iter().any(|other| other == region),
            Linking::Only(linked) => linked.iter().any(|other| other == region),
            Linking::None => false,
        }
    }
}

/// The aggregator's id: there is one.
const AGGREGATOR: &str = "a5a5f000-0000-4000-8000-000000000001";

impl SecurityHub {
    /// When the hub was turned on, as DescribeHub says.
    pub fn subscribed_at(&mut self, at: Timestamp) {
        self.subscribed_at = at;
    }

    pub(super) fn describe_hub(&self, call: &Call, asked: Option<&str>) -> Response {
        let arn = format!(
            "arn:aws:securityhub:{}:{}:hub/default",
            call.region, call.caller.account
        );
        if asked.is_some_and(|asked| asked != arn) {
            return rest_error(404, "ResourceNotFoundException", "The hub does not exist");
        }
        answer(
            200,
            &json!({
                "HubArn": arn,
                "SubscribedAt": self.subscribed_at.to_string(),
                "AutoEnableControls": true,
                "ControlFindingGenerator": "SECURITY_CONTROL",
            }),
        )
    }

    /// The administrator's members, at most 50 a page; nobody else has any.
    pub(super) fn list_members(&self, call: &Call, asked: &str) -> Response {
        let asked: BTreeMap<String, String> = form_urlencoded::parse(asked.as_bytes())
            .into_owned()
            .collect();
        let size = match asked.get("MaxResults").map(|text| text.parse::<usize>()) {
            None => 50,
            Some(Ok(size @ 1..=50)) => size,
            Some(_) => {
                return invalid("Invalid parameter 'MaxResults'. It should be between 1 and 50");
            }
        };
        let associated = asked
            .get("OnlyAssociated")
            .is_none_or(|only| only == "true");
        let is_administrator = call.caller.account == self.home_account;
        let accounts = if associated {
            &self.members
        } else {
            &self.subscribed
        };
        let rows: Vec<Value> = accounts
            .iter()
            .filter(|account| is_administrator && **account != self.home_account)
            .map(|account| {
                let status = match self.members.contains(account) {
                    true => "Enabled",
                    false => "Removed",
                };
                json!({
                    "AccountId": account, "AdministratorId": self.home_account, "MasterId": self.home_account,
                    "MemberStatus": status, "InvitedAt": self.subscribed_at.to_string(),
                    "UpdatedAt": self.subscribed_at.to_string(),
                })
            })
            .collect();
        let token = json!(asked.get("NextToken"));
        let query = query("ListMembers", &json!([associated, size]));
        match page(&rows, query, &token, size, call.fault) {
            Ok(page) => {
                let mut body = json!({ "Members": page.rows });
                if let Some(next) = page.next {
                    body["NextToken"] = json!(next);
                }
                answer(200, &body)
            }
            Err(BadToken) => invalid("Invalid parameter 'NextToken'"),
        }
    }

    pub(super) fn list_finding_aggregators(&self) -> Response {
        let list: Vec<Value> = self
            .aggregator_arn()
            .into_iter()
            .map(|arn| json!({ "FindingAggregatorArn": arn }))
            .collect();
        answer(200, &json!({ "FindingAggregators": list }))
    }

    pub(super) fn get_finding_aggregator(&self, asked: &str) -> Response {
        if !asked.starts_with("arn:aws:securityhub:") {
            return invalid("Invalid parameter 'FindingAggregatorArn'. It should be an ARN");
        }
        if self.aggregator_arn().as_deref() != Some(asked) {
            let message = "The finding aggregator does not exist";
            return rest_error(404, "ResourceNotFoundException", message);
        }
        let (mode, regions) = match &self.aggregator.linking {
            Linking::All | Linking::None => ("ALL_REGIONS", None),
            Linking::AllExcept(regions) => ("ALL_REGIONS_EXCEPT_SPECIFIED", Some(regions)),
            Linking::Only(regions) => ("SPECIFIED_REGIONS", Some(regions)),
        };
        let mut body = json!({
            "FindingAggregatorArn": asked,
            "FindingAggregationRegion": self.home_region,
            "RegionLinkingMode": mode,
        });
        if let Some(regions) = regions {
            body["Regions"] = json!(regions);
        }
        answer(200, &body)
    }

    fn aggregator_arn(&self) -> Option<String> {
        (self.aggregator.linking != Linking::None).then(|| {
            format!(
                "arn:aws:securityhub:{}:{}:finding-aggregator/{AGGREGATOR}",
                self.home_region, self.home_account
            )
        })
    }
}
