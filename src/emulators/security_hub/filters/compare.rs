//! Single comparisons: is a value of a filter well formed, and does a finding's value meet it.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::attributes::Kind;
use crate::emulators::security_hub::moment;

const TEXT_COMPARISONS: [&str; 7] = [
    "EQUALS",
    "PREFIX",
    "NOT_EQUALS",
    "PREFIX_NOT_EQUALS",
    "CONTAINS",
    "NOT_CONTAINS",
    "CONTAINS_WORD",
];
const MAP_COMPARISONS: [&str; 4] = ["EQUALS", "NOT_EQUALS", "CONTAINS", "NOT_CONTAINS"];
/// A century: more is a mistake, and would overflow.
const MOST_DAYS: i64 = 36_500;
const NUMBER_BOUNDS: [&str; 5] = ["Gte", "Lte", "Eq", "Gt", "Lt"];

/// Whether a value is well formed; `contains` allows CONTAINS and NOT_CONTAINS.
pub(super) fn check(kind: Kind, value: &Value, contains: bool) -> Result<(), String> {
    match kind {
        Kind::Text => {
            comparison(value, &TEXT_COMPARISONS, contains).and_then(|()| required(value, "Value"))
        }
        Kind::Map => comparison(value, &MAP_COMPARISONS, contains)
            .and_then(|()| required(value, "Key"))
            .and_then(|()| required(value, "Value")),
        Kind::Date => check_date(value),
        Kind::Number => {
            let given = NUMBER_BOUNDS.iter().filter(|name| !value[**name].is_null());
            let given: Vec<&&str> = given.collect();
            match given.iter().find(|name| !value[***name].is_number()) {
                Some(name) => Err(format!("{name} should be a number")),
                None if given.is_empty() => Err("should have Gte, Lte, Eq, Gt or Lt".to_owned()),
                None => Ok(()),
            }
        }
        Kind::Address => {
            let cidr = value["Cidr"].as_str().and_then(network);
            cidr.map(|_| ())
                .ok_or_else(|| "Cidr should be a range of addresses".to_owned())
        }
        Kind::Flag => value["Value"]
            .as_bool()
            .map(|_| ())
            .ok_or_else(|| "Value should be true or false".to_owned()),
        Kind::Keyword => Ok(()),
    }
}

fn required(value: &Value, name: &str) -> Result<(), String> {
    match value[name].as_str() {
        Some(text) if !text.trim().is_empty() => Ok(()),
        _ => Err(format!("{name} should be a text that is not empty")),
    }
}

fn comparison(value: &Value, known: &[&str], contains: bool) -> Result<(), String> {
    let used = match &value["Comparison"] {
        Value::Null => return Ok(()),
        Value::String(used) => used.as_str(),
        _ => return Err("Comparison should be a text".to_owned()),
    };
    if used == "CONTAINS_WORD" && known.contains(&used) {
        return Err("CONTAINS_WORD works only in GetFindingsV2 and its kin".to_owned());
    }
    if !known.contains(&used) {
        return Err(format!("Comparison should be one of {}", known.join(", ")));
    }
    if used.contains("CONTAINS") && !contains {
        return Err(format!("{used} works only in automation rules"));
    }
    Ok(())
}

fn check_date(value: &Value) -> Result<(), String> {
    let range = &value["DateRange"];
    if !range.is_null() {
        let days = range["Value"]
            .as_i64()
            .is_some_and(|days| (0..=MOST_DAYS).contains(&days));
        let unit = range["Unit"].is_null() || range["Unit"] == "DAYS";
        let comparison = range["Comparison"].is_null()
            || ["WITHIN", "OLDER_THAN"]
                .iter()
                .any(|known| range["Comparison"] == *known);
        return if days && unit && comparison {
            Ok(())
        } else {
            Err("DateRange should have a Value in DAYS, WITHIN or OLDER_THAN".to_owned())
        };
    }
    let given: Vec<&Value> = ["Start", "End"]
        .iter()
        .map(|name| &value[*name])
        .filter(|bound| !bound.is_null())
        .collect();
    if given.is_empty() {
        return Err("should have Start, End or DateRange".to_owned());
    }
    let readable = |bound: &&Value| bound.as_str().and_then(moment::parse).is_some();
    if given.iter().all(readable) {
        Ok(())
    } else {
        Err("Start and End should be timestamps such as 2026-11-24T08:00:00.000Z".to_owned())
    }
}

/// Which comparisons of one attribute may stand together (Security Hub API: `StringFilter`, `MapFilter`).
pub(super) fn go_together(kind: Kind, values: &[Value]) -> Result<(), String> {
    if !matches!(kind, Kind::Text | Kind::Map) {
        return Ok(());
    }
    let used = |name: &str| values.iter().any(|value| operator(value) == name);
    let refuse = |a: &str, b: &str| Err(format!("{a} and {b} cannot be used together"));
    if used("EQUALS") && used("NOT_EQUALS") {
        return refuse("EQUALS", "NOT_EQUALS");
    }
    if used("EQUALS") && used("PREFIX_NOT_EQUALS") {
        return refuse("EQUALS", "PREFIX_NOT_EQUALS");
    }
    for alone in ["CONTAINS", "NOT_CONTAINS"] {
        if used(alone) && values.iter().any(|value| operator(value) != alone) {
            return Err(format!(
                "{alone} can only be used with other {alone} filters"
            ));
        }
    }
    Ok(())
}

fn operator(value: &Value) -> &str {
    value["Comparison"].as_str().unwrap_or("EQUALS")
}

fn is_negative(value: &Value) -> bool {
    operator(value).contains("NOT")
}

/// Positive values are ORed over everything found; negative ones must hold for all of it.
pub(super) fn texts(values: &[Value], found: &[&str]) -> bool {
    let mut wanted = values.iter().filter(|value| !is_negative(value)).peekable();
    let met =
        wanted.peek().is_none() || wanted.any(|value| found.iter().any(|text| meets(value, text)));
    met && values
        .iter()
        .filter(|value| is_negative(value))
        .all(|value| found.iter().all(|text| meets(value, text)))
}

fn meets(filter: &Value, text: &str) -> bool {
    let wanted = filter["Value"].as_str().unwrap_or_default();
    match operator(filter) {
        "PREFIX" => text.starts_with(wanted),
        "CONTAINS" => text.contains(wanted),
        "NOT_EQUALS" => text != wanted,
        "NOT_CONTAINS" => !text.contains(wanted),
        "PREFIX_NOT_EQUALS" => !text.starts_with(wanted),
        _ => text == wanted,
    }
}

/// The same for the values of keys, in any of several maps.
pub(super) fn maps(values: &[Value], maps: &[&Value]) -> bool {
    let holds = |filter: &Value| {
        let key = filter["Key"].as_str().unwrap_or_default();
        let mut found = maps.iter().filter_map(|map| map[key].as_str());
        if is_negative(filter) {
            found.all(|text| meets(filter, text))
        } else {
            found.any(|text| meets(filter, text))
        }
    };
    let mut wanted = values.iter().filter(|value| !is_negative(value)).peekable();
    let met = wanted.peek().is_none() || wanted.any(&holds);
    met && values.iter().filter(|value| is_negative(value)).all(holds)
}

/// `WITHIN` the last days is the default; a `Start` without an `End`, or the other way round, is open.
pub(super) fn date(filter: &Value, at: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(at) = at else { return false };
    if let Some(days) = filter["DateRange"]["Value"].as_i64() {
        let within = now.duration_since(at) <= SignedDuration::from_hours(24 * days.min(MOST_DAYS));
        return within != (filter["DateRange"]["Comparison"] == "OLDER_THAN");
    }
    let bound = |name: &str| filter[name].as_str().and_then(moment::parse);
    bound("Start").is_none_or(|start| at >= start) && bound("End").is_none_or(|end| at <= end)
}

/// The earliest time that meets a date filter; `None` when it has no lower bound.
pub(super) fn earliest(filter: &Value, now: Timestamp) -> Option<Timestamp> {
    if let Some(days) = filter["DateRange"]["Value"].as_i64() {
        let older = filter["DateRange"]["Comparison"] == "OLDER_THAN";
        let range = SignedDuration::from_hours(24 * days.min(MOST_DAYS));
        return now.saturating_sub(range).ok().filter(|_| !older);
    }
    filter["Start"].as_str().and_then(moment::parse)
}

/// All bounds of one value must hold.
pub(super) fn number(filter: &Value, number: f64) -> bool {
    let holds = |name: &str, met: fn(f64, f64) -> bool| {
        filter[name].as_f64().is_none_or(|bound| met(number, bound))
    };
    holds("Gte", |n, bound| n >= bound)
        && holds("Lte", |n, bound| n <= bound)
        && holds("Gt", |n, bound| n > bound)
        && holds("Lt", |n, bound| n < bound)
        && holds("Eq", |n, bound| (n - bound).abs() < f64::EPSILON)
}

/// An address in one of the ranges.
pub(super) fn addresses(values: &[Value], found: &[&str]) -> bool {
    let ranges: Vec<IpNet> = values
        .iter()
        .filter_map(|value| value["Cidr"].as_str().and_then(network))
        .collect();
    let mut addresses = found.iter().filter_map(|text| text.parse::<IpAddr>().ok());
    addresses.any(|address| ranges.iter().any(|range| range.contains(&address)))
}

/// A range, or one address.
fn network(text: &str) -> Option<IpNet> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
