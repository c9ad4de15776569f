//! What values the API takes: of BatchUpdateFindings (Security Hub API: BatchUpdateFindings) and of a provider's finding
//! (Security Hub API: `AwsSecurityFinding`, "Length Constraints").

use serde_json::{Map, Value};

use super::moment;

/// "Finding size exceeded 240 KB"
pub(super) const LARGEST_FINDING: usize = 240 * 1024;

/// "6 MB per batch" (Security Hub user guide, "BatchImportFindings").
pub(super) const LARGEST_BATCH: usize = 6 * 1024 * 1024;

const SEVERITIES: [&str; 5] = ["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"];
const STATUSES: [&str; 4] = ["NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"];
const VERIFICATIONS: [&str; 4] = [
    "UNKNOWN",
    "TRUE_POSITIVE",
    "FALSE_POSITIVE",
    "BENIGN_POSITIVE",
];
const NAMESPACES: [&str; 5] = [
    "Software and Configuration Checks",
    "TTPs",
    "Effects",
    "Unusual Behaviors",
    "Sensitive Data Identifications",
];

type Checked = Result<(), String>;

/// The fields of BatchUpdateFindings.
pub(super) fn update(body: &Value) -> Checked {
    if !body["Note"].is_null() {
        let note = &body["Note"];
        text(note, "Text", "Note.Text", 512)?;
        text(note, "UpdatedBy", "Note.UpdatedBy", 512)?;
    }
    one_of(&body["Workflow"], "Status", "Workflow.Status", &STATUSES)?;
    one_of(
        body,
        "VerificationState",
        "VerificationState",
        &VERIFICATIONS,
    )?;
    one_of(&body["Severity"], "Label", "Severity.Label", &SEVERITIES)?;
    ratio(&body["Severity"], "Normalized", "Severity.Normalized")?;
    ratio(body, "Confidence", "Confidence")?;
    ratio(body, "Criticality", "Criticality")?;
    types(&body["Types"])?;
    related(&body["RelatedFindings"])?;
    pairs(&body["UserDefinedFields"], "UserDefinedFields", 1024)
}

/// Members of a finding that are objects, and that Security Hub itself writes into.
pub(super) const OBJECTS: [&str; 8] = [
    "Compliance",
    "FindingProviderFields",
    "Note",
    "ProductFields",
    "Remediation",
    "Severity",
    "UserDefinedFields",
    "Workflow",
];

/// A provider's finding.
pub(super) fn finding(asff: &Value) -> Checked {
    for name in OBJECTS {
        object(&asff[name], name)?;
    }
    let provided = &asff["FindingProviderFields"]["Severity"];
    object(provided, "FindingProviderFields.Severity")?;
    if asff["SchemaVersion"] != "2018-10-08" {
        return Err("SchemaVersion should be equal to 2018-10-08".to_owned());
    }
    for (name, longest) in [
        ("Id", 512),
        ("ProductArn", 2048),
        ("GeneratorId", 512),
        ("Title", 256),
        ("Description", 1024),
    ] {
        text(asff, name, name, longest)?;
    }
    for (name, longest) in [
        ("ProductName", 128),
        ("CompanyName", 128),
        ("Region", 16),
        ("AwsAccountName", 50),
    ] {
        if !asff[name].is_null() {
            text(asff, name, name, longest)?;
        }
    }
    let account = asff["AwsAccountId"].as_str().unwrap_or_default();
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("AwsAccountId should be 12 digits".to_owned());
    }
    for (name, needed) in [
        ("CreatedAt", true),
        ("UpdatedAt", true),
        ("FirstObservedAt", false),
        ("LastObservedAt", false),
    ] {
        timestamp(&asff[name], name, needed)?;
    }
    for (name, least, most) in [
        ("Resources", 1, 32),
        ("Malware", 0, 5),
        ("Threats", 0, 32),
        ("ThreatIntelIndicators", 0, 5),
    ] {
        list(&asff[name], name, least, most)?;
    }
    for (n, resource) in asff["Resources"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        text(resource, "Type", &format!("Resources[{n}].Type"), 256)?;
        text(resource, "Id", &format!("Resources[{n}].Id"), 512)?;
    }
    values(asff)
}

fn values(asff: &Value) -> Checked {
    one_of(asff, "RecordState", "RecordState", &["ACTIVE", "ARCHIVED"])?;
    one_of(
        &asff["Compliance"],
        "Status",
        "Compliance.Status",
        &["PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"],
    )?;
    list(
        &asff["Compliance"]["RelatedRequirements"],
        "Compliance.RelatedRequirements",
        0,
        32,
    )?;
    one_of(&asff["Workflow"], "Status", "Workflow.Status", &STATUSES)?;
    one_of(
        asff,
        "VerificationState",
        "VerificationState",
        &VERIFICATIONS,
    )?;
    for (fields, place) in [
        (asff, ""),
        (&asff["FindingProviderFields"], "FindingProviderFields."),
    ] {
        let place = |name: &str| format!("{place}{name}");
        one_of(
            &fields["Severity"],
            "Label",
            &place("Severity.Label"),
            &SEVERITIES,
        )?;
        ratio(fields, "Confidence", &place("Confidence"))?;
        ratio(fields, "Criticality", &place("Criticality"))?;
        types(&fields["Types"])?;
        related(&fields["RelatedFindings"])?;
    }
    pairs(&asff["ProductFields"], "ProductFields", 2048)?;
    pairs(&asff["UserDefinedFields"], "UserDefinedFields", 1024)
}

fn text(holder: &Value, name: &str, place: &str, longest: usize) -> Checked {
    match holder[name].as_str() {
        Some(text) if text.trim().is_empty() => Err(format!("{place} should NOT be empty")),
        Some(text) if text.chars().count() > longest => Err(format!(
            "{place} should NOT be longer than {longest} characters"
        )),
        Some(_) => Ok(()),
        None => Err(format!("should have required property '{place}'")),
    }
}

fn one_of(holder: &Value, name: &str, place: &str, known: &[&str]) -> Checked {
    match &holder[name] {
        Value::Null => Ok(()),
        given if known.iter().any(|known| given == *known) => Ok(()),
        _ => Err(format!("{place} should be one of {}", known.join(", "))),
    }
}

fn ratio(holder: &Value, name: &str, place: &str) -> Checked {
    match &holder[name] {
        Value::Null => Ok(()),
        given if given.as_i64().is_some_and(|n| (0..=100).contains(&n)) => Ok(()),
        // A document of the vendor's own samples writes the number as a text.
        Value::String(text) if text.parse::<u8>().is_ok_and(|n| n <= 100) => Ok(()),
        _ => Err(format!("{place} should be a whole number from 0 to 100")),
    }
}

fn list(given: &Value, place: &str, least: usize, most: usize) -> Checked {
    match given {
        Value::Null if least == 0 => Ok(()),
        Value::Array(items) if (least..=most).contains(&items.len()) => Ok(()),
        _ => Err(format!("{place} should have {least} to {most} items")),
    }
}

fn object(given: &Value, place: &str) -> Checked {
    match given {
        Value::Null | Value::Object(_) => Ok(()),
        _ => Err(format!("{place} should be object")),
    }
}

/// `namespace/category/classifier`
fn types(given: &Value) -> Checked {
    list(given, "Types", 0, 50)?;
    for (n, kind) in given.as_array().into_iter().flatten().enumerate() {
        let namespace = kind
            .as_str()
            .map(|kind| kind.split('/').next().unwrap_or_default());
        if !namespace.is_some_and(|namespace| NAMESPACES.contains(&namespace)) {
            return Err(format!(
                "Types[{n}] should begin with one of {}",
                NAMESPACES.join(", ")
            ));
        }
    }
    Ok(())
}

fn related(given: &Value) -> Checked {
    list(given, "RelatedFindings", 0, 10)?;
    for (n, finding) in given.as_array().into_iter().flatten().enumerate() {
        text(
            finding,
            "ProductArn",
            &format!("RelatedFindings[{n}].ProductArn"),
            2048,
        )?;
        text(finding, "Id", &format!("RelatedFindings[{n}].Id"), 512)?;
    }
    Ok(())
}

fn pairs(given: &Value, place: &str, longest_value: usize) -> Checked {
    let none = Map::new();
    let fields = match given {
        Value::Null => &none,
        Value::Object(fields) => fields,
        _ => return Err(format!("{place} should be an object")),
    };
    if fields.len() > 50 {
        return Err(format!("{place} should NOT have more than 50 pairs"));
    }
    for (key, value) in fields {
        if key.trim().is_empty() || key.chars().count() > 128 {
            return Err(format!("{place}: a key should have 1 to 128 characters"));
        }
        match value.as_str() {
            Some(value) if !value.trim().is_empty() && value.chars().count() <= longest_value => {}
            _ => {
                return Err(format!(
                    "{place}.{key} should be a text of 1 to {longest_value} characters"
                ));
            }
        }
    }
    Ok(())
}

fn timestamp(given: &Value, place: &str, needed: bool) -> Checked {
    match given.as_str() {
        Some(text) if moment::parse(text).is_some() => Ok(()),
        None if given.is_null() && !needed => Ok(()),
        None if given.is_null() => Err(format!("should have required property '{place}'")),
        _ => Err(format!("{place} should match format \"date-time\"")),
    }
}
