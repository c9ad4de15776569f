//! A member account's own view in one Region: history that says what was deleted, and current state (AWS Config API:
//! GetResourceConfigHistory, ListDiscoveredResources, BatchGetResourceConfig).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::documents::seconds;
use super::resources::Resource;
use super::{Call, Config, Done, Rows, documents, error, invalid, kind};
use crate::emulators::Response;
use crate::emulators::aws::faults::AwsFault;

/// "The call to the API is limited to span across seven days" (AWS Config API: GetResourceConfigHistory).
const SPAN: SignedDuration = SignedDuration::from_hours(24 * 7);

impl Config {
    fn recorder_runs(&self, call: &Call) -> Result<(), Box<Response>> {
        let place = (call.caller.account.clone(), call.region.to_owned());
        if self.stopped.contains(&place) {
            return Err(error(
                "NoAvailableConfigurationRecorderException",
                "There are no configuration recorders available.",
            ));
        }
        Ok(())
    }

    fn own(&self, call: &Call, kind: &str, id: &str) -> Option<&Resource> {
        let account = &call.caller.account;
        self.resources.of(account, call.region, kind, id)
    }

    /// Newest first unless asked otherwise. Each call looks at seven days and may find less than the limit, or nothing,
    /// although its token leads on.
    pub(super) fn history(&self, call: &Call) -> Done {
        self.recorder_runs(call)?;
        let kind = kind(call.body, "resourceType")?;
        let id = call.body["resourceId"].as_str().unwrap_or_default();
        if id.is_empty() {
            return Err(invalid("resourceId", "Member must not be null"));
        }
        let window = Window::of(call)?;
        let Some(resource) = self.own(call, kind, id) else {
            let message = format!(
                "Resource {id} of resourceType:{kind} is unknown or has not been discovered"
            );
            return Err(error("ResourceNotDiscoveredException", &message));
        };
        let mut items: Vec<(Timestamp, Value)> = resource
            .states
            .iter()
            .map(|state| (state.at, documents::item(resource, state)))
            .collect();
        if !window.forward {
            items.reverse();
        }
        let first = resource.states.first().map_or(call.now, |state| state.at);
        let (rows, next) = window.page(&items, first);
        let (rows, next) = match call.fault {
            Some(AwsFault::EmptyListing) => (Vec::new(), None),
            Some(AwsFault::EmptyPage) => (Vec::new(), Some(window.token())),
            Some(AwsFault::TruncatedListing) => (rows, None),
            _ => (rows, next),
        };
        let mut body = json!({ "configurationItems": rows });
        if let Some(next) = next {
            body["nextToken"] = json!(next);
        }
        Ok(body)
    }

    /// By type; by at most 20 ids, or by a name; deleted ones only when asked for.
    pub(super) fn discovered(&self, call: &Call) -> Done {
        self.recorder_runs(call)?;
        let kind = kind(call.body, "resourceType")?;
        let ids = call.body["resourceIds"].as_array();
        let name = call.body["resourceName"].as_str();
        if ids.is_some_and(|ids| ids.len() > 20) {
            return Err(invalid(
                "resourceIds",
                "Member must have length less than or equal to 20",
            ));
        }
        if ids.is_some() && name.is_some() {
            let message = "You can specify either resource IDs or a resource name, not both.";
            return Err(error("ValidationException", message));
        }
        let deleted_too = call.body["includeDeletedResources"].as_bool() == Some(true);
        let wanted = |resource: &&Resource| {
            let item = &resource.item;
            let own = item.account == call.caller.account && item.region == call.region;
            let by_id = ids.is_none_or(|ids| ids.iter().any(|id| *id == item.id.as_str()));
            let by_name = name.is_none_or(|name| resource.name.as_deref() == Some(name));
            own && by_id && by_name && (deleted_too || !item.deleted)
        };
        let all: Box<dyn Iterator<Item = &Resource>> = match ids {
            Some(ids) => Box::new(
                ids.iter()
                    .filter_map(Value::as_str)
                    .filter_map(|id| self.own(call, kind, id)),
            ),
            None => Box::new(self.resources.of_kind(kind)),
        };
        let rows: Vec<Value> = all
            .filter(wanted)
            .map(|Resource { item, name, .. }| {
                let mut row = json!({ "resourceType": item.kind, "resourceId": item.id });
                if let Some(name) = name {
                    row["resourceName"] = json!(name);
                }
                if item.deleted {
                    row["resourceDeletionTime"] = json!(seconds(item.captured_at));
                }
                row
            })
            .collect();
        let listing = Rows {
            operation: "ListDiscoveredResources",
            member: "resourceIdentifiers",
            limit: "limit",
            token: "nextToken",
            default: 100,
        };
        listing.page(&rows, call)
    }

    /// One to a hundred; deleted ones come back as unprocessed.
    pub(super) fn batch_get(&self, call: &Call) -> Done {
        self.recorder_runs(call)?;
        let none = Vec::new();
        let asked = call.body["resourceKeys"].as_array().unwrap_or(&none);
        if asked.is_empty() || asked.len() > 100 {
            return Err(invalid(
                "resourceKeys",
                "Member must have length between 1 and 100",
            ));
        }
        let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
        for key in asked {
            let kind = kind(key, "resourceType")?;
            let id = key["resourceId"].as_str().unwrap_or_default();
            let resource = self.own(call, kind, id);
            let state = resource.and_then(Resource::latest);
            match (resource, state.filter(|state| !state.is_gone())) {
                (Some(resource), Some(state)) => found.push(documents::base(resource, state)),
                _ => unprocessed.push(key.clone()),
            }
        }
        Ok(json!({ "baseConfigurationItems": found, "unprocessedResourceKeys": unprocessed }))
    }
}

/// Which part of a history a call asks for.
struct Window {
    forward: bool,
    earlier: Timestamp,
    later: Timestamp,
    /// Where this call begins: a time, and how many items at exactly that time were given already.
    from: Timestamp,
    skip: usize,
    limit: usize,
}

impl Window {
    fn of(call: &Call) -> Result<Window, Box<Response>> {
        let body = call.body;
        let limit = match &body["limit"] {
            Value::Null => 10,
            given => match given.as_u64() {
                Some(0) => 10,
                Some(limit @ 1..=100) => usize::try_from(limit).unwrap_or(10),
                _ => {
                    let message = "The limit must be between 0 and 100.";
                    return Err(error("InvalidLimitException", message));
                }
            },
        };
        let later = time(&body["laterTime"])?.unwrap_or(call.now);
        let earlier = time(&body["earlierTime"])?.unwrap_or(Timestamp::UNIX_EPOCH);
        if earlier > later {
            return Err(error(
                "InvalidTimeRangeException",
                "The specified time range is not valid. The earlier time is not chronologically before the later time.",
            ));
        }
        let forward = match body["chronologicalOrder"].as_str() {
            None | Some("Reverse") => false,
            Some("Forward") => true,
            Some(_) => {
                let constraint = "Member must satisfy enum value set: [Reverse, Forward]";
                return Err(invalid("chronologicalOrder", constraint));
            }
        };
        let start = if forward { earlier } else { later };
        let (from, skip) = match body["nextToken"].as_str() {
            None | Some("") => (start, 0),
            Some(token) => place(token).ok_or_else(|| {
                let message = "The specified next token is not valid.";
                error("InvalidNextTokenException", message)
            })?,
        };
        Ok(Window {
            forward,
            earlier,
            later,
            from,
            skip,
            limit,
        })
    }

    fn token(&self) -> String {
        format!("{:x}.{:x}", self.from.as_nanosecond(), self.skip)
    }

    /// The rows of this call, and the token of the next; `first` is when the history begins.
    fn page(&self, items: &[(Timestamp, Value)], first: Timestamp) -> (Vec<Value>, Option<String>) {
        // A forward search without an earlier time begins with the first item that was recorded.
        let from = if self.forward {
            self.from.max(first)
        } else {
            self.from
        };
        let span_end = if self.forward {
            from.saturating_add(SPAN)
        } else {
            from.saturating_sub(SPAN)
        };
        let span_end = span_end.unwrap_or(from);
        let (low, high) = (from.min(span_end), from.max(span_end));
        let (low, high) = (low.max(self.earlier), high.min(self.later));
        let inside: Vec<&(Timestamp, Value)> = items
            .iter()
            .filter(|(at, _)| (low..=high).contains(at))
            .skip(self.skip)
            .collect();
        let rows: Vec<Value> = inside
            .iter()
            .take(self.limit)
            .map(|(_, item)| item.clone())
            .collect();
        let next =
            |from: Timestamp, skip: usize| Some(format!("{:x}.{skip:x}", from.as_nanosecond()));
        if inside.len() > self.limit {
            return (rows, next(from, self.skip + self.limit));
        }
        let beyond = |(at, _): &(Timestamp, Value)| {
            if self.forward {
                *at > high && *at <= self.later
            } else {
                *at < low && *at >= self.earlier
            }
        };
        let step = SignedDuration::from_nanos(1);
        let following = if self.forward {
            high.saturating_add(step)
        } else {
            low.saturating_sub(step)
        };
        let more = items.iter().any(beyond);
        (
            rows,
            following.ok().filter(|_| more).and_then(|at| next(at, 0)),
        )
    }
}

fn place(token: &str) -> Option<(Timestamp, usize)> {
    let (at, skip) = token.split_once('.')?;
    let at = i128::from_str_radix(at, 16).ok()?;
    let skip = usize::from_str_radix(skip, 16).ok()?;
    Some((Timestamp::from_nanosecond(at).ok()?, skip))
}

/// JSON 1.1 sends times as seconds since 1970.
fn time(value: &Value) -> Result<Option<Timestamp>, Box<Response>> {
    if value.is_null() {
        return Ok(None);
    }
    let seconds = value.as_f64();
    #[allow(clippy::cast_possible_truncation)]
    let at = seconds.and_then(|s| Timestamp::from_millisecond((s * 1000.0).round() as i64).ok());
    at.map(Some).ok_or_else(|| {
        let message = "The specified time range is not valid.";
        error("InvalidTimeRangeException", message)
    })
}
