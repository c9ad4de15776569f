//! GetFindings: which findings a caller sees, filtered, sorted, and in pages whose token belongs to the whole query.
//!
//! The result of a query is chosen once and then paged through: a sweep over N findings costs N, whatever its pages.

use std::cmp::Ordering;
use std::collections::VecDeque;

use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::SecurityHub;
use super::call::{Call, invalid};
use super::filters::{Filters, Refused, Seen, SortKey, can_sort_by};
use super::findings::Version;
use crate::emulators::aws::faults::AwsFault;
use crate::emulators::pages::query;
use crate::emulators::protocol::rest_error;
use crate::emulators::{Response, json as answer};

/// Findings on a page when the request does not say.
const DEFAULT_PAGE: usize = 20;
/// Queries whose tokens are still known; older tokens have expired.
const MOST_SWEEPS: usize = 64;
/// A token lives so long.
const SWEEP_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// The result of one query while it is paged through.
struct Sweep {
    number: u64,
    query: u64,
    began: jiff::Timestamp,
    findings: Vec<u32>,
}

/// The queries that are being paged through, oldest first.
#[derive(Default)]
pub(super) struct Sweeps {
    known: VecDeque<Sweep>,
    begun: u64,
}

impl SecurityHub {
    pub(super) fn get_findings(&mut self, call: &Call) -> Response {
        let size = match call.size(DEFAULT_PAGE) {
            Ok(size) => size,
            Err(refused) => return *refused,
        };
        let filters = match Filters::check(&call.body["Filters"], self.accepts_contains) {
            Ok(filters) => filters,
            Err(Refused::Invalid(why)) => {
                return invalid(&format!("Invalid parameter 'Filters'. data.{why}"));
            }
            Err(Refused::Unknown(why)) => return rest_error(501, "NotImplemented", &why),
        };
        let order = match order(&call.body["SortCriteria"]) {
            Ok(order) => order,
            Err(why) => return invalid(&format!("Invalid parameter 'SortCriteria'. {why}")),
        };
        let of = query("GetFindings", &asked(call));
        let (number, start) = match call.body["NextToken"].as_str() {
            None | Some("") => {
                let findings = self.select(&filters, &order, call);
                (self.sweeps.begin(of, findings, call.now), 0)
            }
            Some(token) => match self.sweeps.resume(token, of) {
                Ok(place) => place,
                Err(why) => return invalid(why),
            },
        };
        self.page(number, start, size, call)
    }

    fn page(&self, number: u64, start: usize, size: usize, call: &Call) -> Response {
        let none = Vec::new();
        let sweep = self
            .sweeps
            .known
            .iter()
            .find(|sweep| sweep.number == number);
        let findings = sweep.map_or(&none, |sweep| &sweep.findings);
        let start = start.min(findings.len());
        let end = (start + size).min(findings.len());
        let (rows, next) = match call.fault {
            Some(AwsFault::EmptyListing) => (&none[..], None),
            Some(AwsFault::EmptyPage) => (&none[..], Some(start)),
            Some(AwsFault::TruncatedListing) => (&findings[start..end], None),
            _ => (&findings[start..end], (end < findings.len()).then_some(end)),
        };
        let delay = self.read_delay(call);
        let texts: Vec<&str> = rows
            .iter()
            .filter_map(|number| self.findings.record(*number))
            .map(|record| record.shown(call.now, delay).text().as_ref())
            .collect();
        let mut body = format!("{{\"Findings\":[{}]", texts.join(","));
        if let Some(next) = next {
            let token = self.sweeps.token(number, next);
            body.push_str(&format!(",\"NextToken\":{}", json!(token)));
        }
        body.push('}');
        let mut response = answer(200, &Value::Null);
        *response.body_mut() = Bytes::from(body);
        response
    }

    /// How old an update must be to be visible to this call.
    fn read_delay(&self, call: &Call) -> SignedDuration {
        match call.fault {
            Some(AwsFault::StaleRead { seconds }) => {
                SignedDuration::from_secs(i64::from(*seconds)).max(self.visibility_delay)
            }
            _ => self.visibility_delay,
        }
    }

    fn select(&self, filters: &Filters, order: &[(String, bool)], call: &Call) -> Vec<u32> {
        let lost = match call.fault {
            Some(AwsFault::LostRegion { region }) => Some(region.as_str()),
            _ => None,
        };
        let delay = self.read_delay(call);
        let shown = |number: u32| {
            let record = self.findings.record(number)?;
            Some(record.shown(call.now, delay))
        };
        let mut found = self.candidates(filters, call);
        found.retain(|number| {
            shown(*number).is_some_and(|version| {
                lost != Some(version.region())
                    && self.sees(call, version)
                    && filters.matches(version, call.now)
            })
        });
        if !order.is_empty() {
            let keys = |number: &u32| {
                let seen = shown(*number).map(Seen::new);
                let keys = order
                    .iter()
                    .map(|(name, _)| seen.as_ref().map_or(SortKey::Absent, |s| s.sort_key(name)));
                Ordered::new(keys.collect(), order)
            };
            found.sort_by_cached_key(keys);
        }
        found
    }

    /// The fewest findings that an index can promise to hold all matches, in the order of their keys.
    fn candidates(&self, filters: &Filters, call: &Call) -> Vec<u32> {
        if let Some(ids) = filters.exactly("Id") {
            return self.findings.in_order(self.findings.with_ids(&ids));
        }
        let accounts = filters.exactly("AwsAccountId");
        let own =
            (call.caller.account != self.home_account).then(|| vec![call.caller.account.as_str()]);
        if let Some(accounts) = own.or(accounts) {
            return self.findings.in_order(self.findings.of_accounts(&accounts));
        }
        // A delayed view may show an older time of update than the index knows; customers' updates never change it.
        match filters.updated_since(call.now) {
            Some(start) => self.findings.in_order(self.findings.updated_since(start)),
            None => self.findings.all(),
        }
    }

    /// The administrator sees its members' findings, a member its own; the home Region shows those of linked Regions
    /// too, any other Region only its own (Security Hub user guide, "Cross-Region aggregation").
    pub(super) fn sees(&self, call: &Call, version: &Version) -> bool {
        let account = version.account();
        let own = if call.caller.account == self.home_account {
            account == self.home_account || self.members.contains(account)
        } else {
            account == call.caller.account
        };
        let region = version.region();
        let here = region == call.region
            || region.is_empty()
            || (call.region == self.home_region && self.aggregator.links(region));
        own && here
    }
}

/// Everything that a token belongs to.
fn asked(call: &Call) -> Value {
    json!([
        call.body["Filters"],
        call.body["SortCriteria"],
        call.body["MaxResults"],
        call.caller.account,
        call.region,
    ])
}

/// Fields and whether they descend.
fn order(criteria: &Value) -> Result<Vec<(String, bool)>, String> {
    let rows = criteria.as_array().into_iter().flatten();
    rows.map(|row| {
        let field = row["Field"].as_str().unwrap_or_default();
        if !can_sort_by(field) {
            return Err(format!("Field {field} is no attribute to sort by"));
        }
        match row["SortOrder"].as_str() {
            None | Some("asc") => Ok((field.to_owned(), false)),
            Some("desc") => Ok((field.to_owned(), true)),
            Some(other) => Err(format!("SortOrder {other} should be asc or desc")),
        }
    })
    .collect()
}

/// Sort keys with their directions.
struct Ordered(Vec<(SortKey, bool)>);

impl Ordered {
    fn new(keys: Vec<SortKey>, order: &[(String, bool)]) -> Self {
        Ordered(
            keys.into_iter()
                .zip(order.iter().map(|(_, descends)| *descends))
                .collect(),
        )
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        let pairs = self.0.iter().zip(&other.0);
        pairs.fold(Ordering::Equal, |so_far, ((a, descends), (b, _))| {
            so_far.then_with(|| {
                let order = a.partial_cmp(b).unwrap_or(Ordering::Equal);
                if *descends { order.reverse() } else { order }
            })
        })
    }
}

impl Sweeps {
    /// Keeps a result; the oldest are forgotten.
    fn begin(&mut self, query: u64, findings: Vec<u32>, now: jiff::Timestamp) -> u64 {
        self.known
            .retain(|sweep| now.duration_since(sweep.began) < SWEEP_LIFE);
        while self.known.len() >= MOST_SWEEPS {
            self.known.pop_front();
        }
        self.begun += 1;
        self.known.push_back(Sweep {
            number: self.begun,
            query,
            began: now,
            findings,
        });
        self.begun
    }

    fn token(&self, number: u64, next: usize) -> String {
        let sweep = self.known.iter().find(|sweep| sweep.number == number);
        let query = sweep.map_or(0, |sweep| sweep.query);
        format!("{query:016x}.{number:x}.{next:x}")
    }

    /// The sweep and the place in it that a token names. A token may be used again: answers get lost.
    fn resume(&self, token: &str, query: u64) -> Result<(u64, usize), &'static str> {
        let parts: Vec<u64> = token
            .split('.')
            .map(|part| u64::from_str_radix(part, 16))
            .collect::<Result<_, _>>()
            .map_err(|_| "Invalid NextToken")?;
        let [of, number, at] = parts[..] else {
            return Err("Invalid NextToken");
        };
        if of != query {
            return Err("Invalid NextToken: Input Query has changed");
        }
        match self.known.iter().any(|sweep| sweep.number == number) {
            true => Ok((number, usize::try_from(at).unwrap_or(usize::MAX))),
            false => Err("Invalid NextToken: the token has expired"),
        }
    }
}
