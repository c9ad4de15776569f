//! AWS Config: an organisation's aggregator and each member's own history (AWS Config API; JSON 1.1 protocol).
//!
//! The aggregator knows what exists; only the member account knows that something was deleted.

mod aggregate;
mod documents;
mod member;
mod resources;
mod select;
mod sources;

pub mod claims;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Response;
use super::aws::Caller;
use super::aws::events::{Event, What};
use super::aws::faults::{AwsFault, not_implemented};
use super::journal::{Actor, Change, Journal};
use super::pages::{page, query};
use super::protocol::{aws_json, json_error};
pub use resources::Item;
use resources::{Resource, Resources, State};
pub use sources::SourceState;

/// The state of AWS Config in all accounts.
pub struct Config {
    /// The aggregator's name.
    pub aggregator: String,
    /// How far the aggregator is behind the accounts. Default 0; in reality minutes.
    pub aggregator_lag: SignedDuration,
    /// Whether changes are announced as events. Default yes.
    pub announces: bool,
    home_account: String,
    home_region: String,
    resources: Resources,
    sources: BTreeMap<(String, String), SourceState>,
    stopped: BTreeSet<(String, String)>,
    lost: bool,
    outbox: Vec<Event>,
}

/// One call.
pub(crate) struct Call<'a> {
    /// The JSON body.
    pub(crate) body: &'a Value,
    /// Who calls.
    pub(crate) caller: &'a Caller,
    /// Region of the endpoint.
    pub(crate) region: &'a str,
    /// When.
    pub(crate) now: Timestamp,
    /// What goes wrong inside the operation.
    pub(crate) fault: Option<&'a AwsFault>,
}

type Done = Result<Value, Box<Response>>;

/// The operations that are answered.
pub(super) const OPERATIONS: [&str; 9] = [
    "SelectAggregateResourceConfig",
    "BatchGetAggregateResourceConfig",
    "GetAggregateResourceConfig",
    "ListAggregateDiscoveredResources",
    "DescribeConfigurationAggregators",
    "DescribeConfigurationAggregatorSourcesStatus",
    "GetResourceConfigHistory",
    "ListDiscoveredResources",
    "BatchGetResourceConfig",
];

impl Config {
    /// An aggregator of the home account that has recorded nothing.
    pub fn new(aggregator: &str, home_account: &str, home_region: &str) -> Self {
        Config {
            aggregator: aggregator.to_owned(),
            aggregator_lag: SignedDuration::ZERO,
            announces: true,
            home_account: home_account.to_owned(),
            home_region: home_region.to_owned(),
            resources: Resources::default(),
            sources: BTreeMap::new(),
            stopped: BTreeSet::new(),
            lost: false,
            outbox: Vec::new(),
        }
    }

    /// A resource is found.
    pub fn discover(&mut self, item: Item) {
        let (arn, at) = (item.arn.clone(), item.captured_at);
        self.resources.discover(item);
        self.announce(&arn, "CREATE", at);
    }

    /// What a resource is: its name, tags and configuration, as Config shows them from now on.
    pub fn describe(
        &mut self,
        arn: &str,
        name: Option<&str>,
        tags: &[(&str, &str)],
        configuration: Value,
        now: Timestamp,
    ) -> bool {
        let Some(resource) = self.resources.get_mut(arn) else {
            return false;
        };
        resource.name = name.map(str::to_owned);
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        resource.tags = tags.iter().map(pair).collect();
        resource.item.captured_at = now;
        resource.states.push(State {
            at: now,
            status: "OK",
            configuration,
        });
        self.announce(arn, "UPDATE", now);
        true
    }

    /// Its configuration item is too large for an event, which then only sums it up.
    pub fn oversize(&mut self, arn: &str) {
        if let Some(resource) = self.resources.get_mut(arn) {
            resource.oversized = true;
        }
    }

    /// A resource is deleted: gone from the aggregator, `ResourceDeleted` in its account's history.
    pub fn delete(&mut self, arn: &str, now: Timestamp, journal: &mut Journal) -> bool {
        let Some(resource) = self.resources.get_mut(arn) else {
            return false;
        };
        resource.item.deleted = true;
        resource.item.captured_at = now;
        resource.states.push(State {
            at: now,
            status: "ResourceDeleted",
            configuration: json!({}),
        });
        let change = Change::ResourceDeleted {
            account: resource.item.account.clone(),
            region: resource.item.region.clone(),
            id: arn.to_owned(),
        };
        journal.push(now, Actor::Aws, change);
        self.announce(arn, "DELETE", now);
        true
    }

    /// "AWS Config deletes data for entire organization" (developer guide, aggregator troubleshooting).
    pub fn lose_aggregator_data(&mut self) {
        self.lost = true;
    }

    /// The aggregator has gathered everything again.
    pub fn restore_aggregator_data(&mut self) {
        self.lost = false;
    }

    /// The account's recorder in a Region is gone: its own operations answer NoAvailableConfigurationRecorderException.
    pub fn stop_recorder(&mut self, account: &str, region: &str) {
        self.stopped.insert((account.to_owned(), region.to_owned()));
    }

    /// One recorded resource.
    pub fn item(&self, arn: &str) -> Option<&Item> {
        self.resources.get(arn).map(|resource| &resource.item)
    }

    /// All recorded resources, by ARN.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.resources.iter().map(|resource| &resource.item)
    }

    /// Answers one call.
    pub(crate) fn handle(&self, operation: &str, call: &Call) -> Response {
        let done = match operation {
            "SelectAggregateResourceConfig" => self.select(call),
            "BatchGetAggregateResourceConfig" => self.batch_get_aggregate(call),
            "GetAggregateResourceConfig" => self.get_aggregate(call),
            "ListAggregateDiscoveredResources" => self.list_aggregate(call),
            "DescribeConfigurationAggregators" => self.describe_aggregators(call),
            "DescribeConfigurationAggregatorSourcesStatus" => self.describe_sources(call),
            "GetResourceConfigHistory" => self.history(call),
            "ListDiscoveredResources" => self.discovered(call),
            "BatchGetResourceConfig" => self.batch_get(call),
            other => {
                return not_implemented("config", &format!("this emulator does not know {other}"));
            }
        };
        match done {
            Ok(body) => aws_json(200, &body, "1.1"),
            Err(refused) => *refused,
        }
    }

    /// Config's events appear only in the account and Region of the resource ("on a best effort basis").
    fn announce(&mut self, arn: &str, kind: &str, now: Timestamp) {
        if !self.announces {
            return;
        }
        let Some(resource) = self.resources.get(arn) else {
            return;
        };
        let Some(state) = resource.latest() else {
            return;
        };
        let detail = documents::change(resource, state, kind, now);
        self.outbox.push(Event {
            account: Arc::from(resource.item.account.as_str()),
            region: Arc::from(resource.item.region.as_str()),
            at: now,
            resource: arn.to_owned(),
            what: What::ConfigurationItem(Arc::new(detail)),
        });
    }

    /// What was announced since the last time.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.outbox)
    }
}

/// An error of this service.
fn error(code: &str, message: &str) -> Box<Response> {
    Box::new(json_error(400, code, message))
}

/// A value that its pattern or range does not allow, in the words of AWS's validation.
fn invalid(name: &str, constraint: &str) -> Box<Response> {
    let message = format!(
        "1 validation error detected: Value at '{name}' failed to satisfy constraint: {constraint}"
    );
    error("ValidationException", &message)
}

/// A page of rows under a member, with this service's errors; the limit's name begins small in some operations.
struct Rows<'a> {
    operation: &'a str,
    member: &'a str,
    limit: &'a str,
    token: &'a str,
    default: usize,
}

impl Rows<'_> {
    fn page(&self, rows: &[Value], call: &Call) -> Done {
        let size = match &call.body[self.limit] {
            Value::Null => self.default,
            given => match given.as_u64() {
                Some(0) => self.default,
                Some(size @ 1..=100) => usize::try_from(size).unwrap_or(self.default),
                _ => {
                    let message = "The limit must be between 0 and 100.";
                    return Err(error("InvalidLimitException", message));
                }
            },
        };
        let mut chosen = call.body.clone();
        if let Some(chosen) = chosen.as_object_mut() {
            chosen.remove(self.token);
        }
        let chosen = json!([chosen, call.caller.account, call.region]);
        let query = query(self.operation, &chosen);
        let page = page(rows, query, &call.body[self.token], size, call.fault).map_err(|_| {
            let message = "The specified next token is not valid.";
            error("InvalidNextTokenException", message)
        })?;
        let mut body = json!({ self.member: page.rows });
        if let Some(next) = page.next {
            body[self.token] = json!(next);
        }
        Ok(body)
    }
}

/// `AWS::Service::Resource`; Config's list of types is open here.
fn kind<'a>(body: &'a Value, name: &str) -> Result<&'a str, Box<Response>> {
    let kind = body[name].as_str().unwrap_or_default();
    let parts: Vec<&str> = kind.split("::").collect();
    let plain = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if parts.len() == 3 && parts.iter().all(plain) {
        Ok(kind)
    } else {
        Err(invalid(name, "Member must satisfy enum value set"))
    }
}

impl Config {
    /// What the aggregator shows of a resource at a time; nothing of what is gone, or of sources that it cannot read.
    fn aggregated<'a>(&'a self, resource: &'a Resource, call: &Call) -> Option<&'a State> {
        let Item {
            account, region, ..
        } = &resource.item;
        let lost_region =
            matches!(call.fault, Some(AwsFault::LostRegion { region: lost }) if lost == region);
        let source = (account.clone(), region.clone());
        let failed = self.sources.get(&source) == Some(&SourceState::Failed);
        if self.lost || failed || lost_region {
            return None;
        }
        let seen_at = call.now.saturating_sub(self.aggregator_lag).ok()?;
        resource.at(seen_at).filter(|state| !state.is_gone())
    }
}
