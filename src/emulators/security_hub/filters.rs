//! GetFindings filters and their combination rules (Security Hub API: `AwsSecurityFindingFilters`, `StringFilter`,
//! `DateFilter`, `MapFilter`).

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Why a filter is refused.
pub(super) enum Refused {
    /// `InvalidInputException`.
    Invalid(String),
    /// A filter of the real API that this emulator does not know: 501.
    Unknown(String),
}

/// Checked filters.
pub(super) struct Filters {
    attributes: Vec<(String, Vec<Value>)>,
}

const STRINGS: [(&str, &str); 17] = [
    ("Id", "/Id"),
    ("ProductArn", "/ProductArn"),
    ("ProductName", "/ProductName"),
    ("AwsAccountId", "/AwsAccountId"),
    ("Region", "/Region"),
    ("RecordState", "/RecordState"),
    ("WorkflowStatus", "/Workflow/Status"),
    ("ComplianceStatus", "/Compliance/Status"),
    (
        "ComplianceSecurityControlId",
        "/Compliance/SecurityControlId",
    ),
    ("SeverityLabel", "/Severity/Label"),
    ("GeneratorId", "/GeneratorId"),
    ("Title", "/Title"),
    ("NoteText", "/Note/Text"),
    ("NoteUpdatedBy", "/Note/UpdatedBy"),
    ("AwsAccountName", "/AwsAccountName"),
    ("ResourceId", "/Resources/*/Id"),
    ("ResourceType", "/Resources/*/Type"),
];

const DATES: [(&str, &str); 5] = [
    ("UpdatedAt", "/UpdatedAt"),
    ("CreatedAt", "/CreatedAt"),
    ("FirstObservedAt", "/FirstObservedAt"),
    ("LastObservedAt", "/LastObservedAt"),
    ("NoteUpdatedAt", "/Note/UpdatedAt"),
];

impl Filters {
    /// At most 10 attributes with at most 20 values each; operators of one attribute must go together.
    pub(super) fn check(filters: &Value) -> Result<Self, Refused> {
        let mut attributes = Vec::new();
        for (name, values) in filters.as_object().into_iter().flatten() {
            let values = values.as_array().cloned().unwrap_or_default();
            if values.is_empty() {
                continue;
            }
            if values.len() > 20 {
                return Err(Refused::Invalid(format!(
                    "{name}: at most 20 filter values are allowed, got {}",
                    values.len()
                )));
            }
            let known = STRINGS.iter().chain(&DATES).any(|(known, _)| known == name)
                || matches!(name.as_str(), "UserDefinedFields" | "Type" | "Sample");
            if !known {
                return Err(Refused::Unknown(format!(
                    "this emulator does not know the filter {name}"
                )));
            }
            operators_go_together(name, &values)?;
            attributes.push((name.clone(), values));
        }
        if attributes.len() > 10 {
            return Err(Refused::Invalid(format!(
                "at most 10 filter attributes are allowed, got {}",
                attributes.len()
            )));
        }
        Ok(Filters { attributes })
    }

    /// Attributes are ANDed.
    pub(super) fn matches(&self, asff: &Value, now: Timestamp) -> bool {
        self.attributes
            .iter()
            .all(|(name, values)| attribute(name, values, asff, now))
    }
}

fn operators_go_together(name: &str, values: &[Value]) -> Result<(), Refused> {
    let used = |operator: &str| values.iter().any(|value| value["Comparison"] == operator);
    let clash = (used("EQUALS") && (used("NOT_EQUALS") || used("PREFIX_NOT_EQUALS")))
        || (used("CONTAINS") && used("NOT_CONTAINS"));
    if clash {
        return Err(Refused::Invalid(format!(
            "{name}: these comparisons cannot be used together"
        )));
    }
    if used("CONTAINS_WORD") {
        return Err(Refused::Invalid(format!(
            "{name}: CONTAINS_WORD works only in the V2 APIs"
        )));
    }
    Ok(())
}

/// EQUALS, PREFIX and CONTAINS of one attribute are ORed; the negative ones are ANDed.
fn attribute(name: &str, values: &[Value], asff: &Value, now: Timestamp) -> bool {
    if let Some((_, path)) = DATES.iter().find(|(known, _)| *known == name) {
        let at = asff
            .pointer(path)
            .and_then(Value::as_str)
            .and_then(|at| at.parse().ok());
        return values.iter().any(|value| date(value, at, now));
    }
    if name == "Sample" {
        let sample = asff["Sample"].as_bool().unwrap_or(false);
        return values
            .iter()
            .any(|value| value["Value"].as_bool() == Some(sample));
    }
    let found = match name {
        "UserDefinedFields" => {
            return values
                .iter()
                .all(|value| map(value, &asff["UserDefinedFields"]));
        }
        "Type" => texts(&asff["Types"], "/*"),
        _ => STRINGS
            .iter()
            .find(|(known, _)| *known == name)
            .map_or_else(Vec::new, |(_, path)| texts(asff, path)),
    };
    let negative = |value: &&Value| {
        value["Comparison"]
            .as_str()
            .is_some_and(|operator| operator.contains("NOT"))
    };
    let positive: Vec<&Value> = values.iter().filter(|value| !negative(value)).collect();
    let wanted = positive.is_empty()
        || positive
            .iter()
            .any(|value| found.iter().any(|text| string(value, text)));
    wanted
        && values
            .iter()
            .filter(negative)
            .all(|value| found.iter().all(|text| string(value, text)))
}

/// The strings at a path; `*` stands for every element of an array.
fn texts<'a>(value: &'a Value, path: &str) -> Vec<&'a str> {
    match path.split_once("/*") {
        Some((head, tail)) => {
            let list = value.pointer(head).and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .flat_map(|item| texts(item, tail))
                .collect()
        }
        None => value
            .pointer(path)
            .and_then(Value::as_str)
            .into_iter()
            .collect(),
    }
}

fn string(filter: &Value, text: &str) -> bool {
    let wanted = filter["Value"].as_str().unwrap_or_default();
    match filter["Comparison"].as_str().unwrap_or("EQUALS") {
        "PREFIX" => text.starts_with(wanted),
        "CONTAINS" => text.contains(wanted),
        "NOT_EQUALS" => text != wanted,
        "NOT_CONTAINS" => !text.contains(wanted),
        "PREFIX_NOT_EQUALS" => !text.starts_with(wanted),
        _ => text == wanted,
    }
}

fn map(filter: &Value, fields: &Value) -> bool {
    let key = filter["Key"].as_str().unwrap_or_default();
    let text = fields[key].as_str();
    let wanted = filter["Value"].as_str().unwrap_or_default();
    match filter["Comparison"].as_str().unwrap_or("EQUALS") {
        "NOT_EQUALS" => text != Some(wanted),
        "CONTAINS" => text.is_some_and(|text| text.contains(wanted)),
        "NOT_CONTAINS" => !text.is_some_and(|text| text.contains(wanted)),
        _ => text == Some(wanted),
    }
}

fn date(filter: &Value, at: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(at) = at else { return false };
    if let Some(days) = filter["DateRange"]["Value"].as_i64() {
        let within = now.duration_since(at) <= SignedDuration::from_hours(24 * days);
        return within != (filter["DateRange"]["Comparison"] == "OLDER_THAN");
    }
    let bound = |name: &str| {
        filter[name]
            .as_str()
            .and_then(|at| at.parse::<Timestamp>().ok())
    };
    bound("Start").is_none_or(|start| at >= start) && bound("End").is_none_or(|end| at <= end)
}
