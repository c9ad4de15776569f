//! ASFF into [`Finding`]: lenient about everything but identity. What is missing or odd becomes a [`Problem`] that
//! names the field; unknown fields are tolerated.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Compliance, Finding, FindingKey, Note, RecordState, Remediation, Resource, Severity,
    TICKET_FIELD, WorkflowStatus, evidence, identity, time,
};

/// Something wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The field's path, such as `Severity.Label` or `Resources[2].Id`.
    pub field: String,
    /// What is wrong and what was expected.
    pub problem: String,
    /// The finding cannot be used.
    pub fatal: bool,
}

/// A finding, and what was odd about it.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The finding.
    pub finding: Finding,
    /// None of them fatal.
    pub warnings: Vec<Problem>,
}

/// Reads one finding.
///
/// # Errors
/// Every problem found, when the identity (`Id`, `ProductArn`, `AwsAccountId`) cannot be used.
pub fn parse(value: &Value) -> Result<Parsed, Vec<Problem>> {
    let Some(object) = value.as_object() else {
        return Err(vec![fatal(
            "",
            format!("expected a finding (a JSON object), found {}", kind(value)),
        )]);
    };
    if let Some(problem) = foreign(object) {
        return Err(vec![problem]);
    }
    let mut reader = Reader {
        finding: value,
        problems: Vec::new(),
    };
    let finding = reader.finding();
    if reader.problems.iter().any(|problem| problem.fatal) {
        return Err(reader.problems);
    }
    Ok(Parsed {
        finding,
        warnings: reader.problems,
    })
}

/// Takes findings out of what they come in: GetFindings output, a bare array, one finding, an EventBridge event, a
/// `Finding` member, in any nesting.
///
/// # Errors
/// When the value is none of these.
pub fn unwrap_envelopes(value: Value) -> Result<Vec<Value>, Problem> {
    let mut found = Vec::new();
    unwrap_into(value, &mut found, 0)?;
    Ok(found)
}

const DEEPEST_ENVELOPE: usize = 6;

fn unwrap_into(value: Value, found: &mut Vec<Value>, depth: usize) -> Result<(), Problem> {
    if depth > DEEPEST_ENVELOPE {
        return Err(fatal("", "nested too deeply for an envelope".to_owned()));
    }
    match value {
        Value::Array(items) => items.into_iter().try_for_each(|item| match item {
            Value::Object(_) | Value::Array(_) => unwrap_into(item, found, depth + 1),
            other => {
                found.push(other);
                Ok(())
            }
        }),
        Value::Object(mut object) => {
            let looks_like_finding = ["ProductArn", "AwsAccountId", "SchemaVersion"]
                .iter()
                .any(|k| object.contains_key(*k));
            if !looks_like_finding {
                for member in [
                    "Findings", "findings", "Finding", "finding", "detail", "Records",
                ] {
                    if matches!(object.get(member), Some(Value::Array(_) | Value::Object(_)))
                        && let Some(inner) = object.remove(member)
                    {
                        return unwrap_into(inner, found, depth + 1);
                    }
                }
            }
            found.push(Value::Object(object));
            Ok(())
        }
        other => Err(fatal(
            "",
            format!("expected findings, found {}", kind(&other)),
        )),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Formats that are given by mistake.
fn foreign(object: &Map<String, Value>) -> Option<Problem> {
    let has = |key: &str| object.contains_key(key);
    if has("class_uid") || has("category_uid") || has("finding_info") {
        return Some(fatal(
            "",
            "this is OCSF (GetFindingsV2); asaf reads ASFF (GetFindings)".to_owned(),
        ));
    }
    if has("notificationConfigName")
        || has("listFindingsResults")
        || has("listAssetsResults")
        || (has("finding") && has("resource"))
        || has("canonicalName")
    {
        return Some(fatal(
            "",
            "this is a Google Security Command Center finding; asaf reads ASFF".to_owned(),
        ));
    }
    None
}

fn fatal(field: &str, problem: String) -> Problem {
    Problem {
        field: field.to_owned(),
        problem,
        fatal: true,
    }
}

struct Reader<'a> {
    finding: &'a Value,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn warn(&mut self, field: &str, problem: impl Into<String>) {
        self.problems.push(Problem {
            field: field.to_owned(),
            problem: problem.into(),
            fatal: false,
        });
    }

    fn finding(&mut self) -> Finding {
        let product_arn = self.required("ProductArn");
        let id = self.required("Id");
        let account = self.account();
        let product = identity::product(&product_arn);
        let resources = self.resources();
        let region = self.region(&product_arn, &resources);
        let rule = identity::rule(&product, self.finding);
        let alias = identity::alias(&product, &account, &region, &rule, &id, &resources);
        let fields = &self.finding["ProductFields"];
        let archival_reason = text(&fields["ArchivalReasons:0/Description"])
            .or_else(|| text(&fields["ArchivalReasons:0/ReasonCode"]));
        let previous_compliance =
            text(&fields["PreviousComplianceStatus"]).and_then(|word| compliance(&word));
        Finding {
            evidence: evidence::evidence(&product, self.finding),
            key: FindingKey { product_arn, id },
            alias,
            product,
            account_name: text(&self.finding["AwsAccountName"]),
            rule,
            title: self.title(),
            description: text(&self.finding["Description"]).unwrap_or_default(),
            severity: self.severity(),
            compliance: self.compliance(),
            previous_compliance,
            record: self.record(),
            workflow: self.workflow(),
            resources,
            remediation: Remediation {
                text: text(&self.finding["Remediation"]["Recommendation"]["Text"]),
                url: text(&self.finding["Remediation"]["Recommendation"]["Url"]),
            },
            note: self.note(),
            noted_ticket: text(&self.finding["UserDefinedFields"][TICKET_FIELD]),
            types: self.finding["Types"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(text)
                .collect(),
            first_observed_at: self.time("FirstObservedAt"),
            last_observed_at: self.time("LastObservedAt"),
            created_at: self.time("CreatedAt"),
            updated_at: self.time("UpdatedAt"),
            archival_reason,
            sample: self.finding["Sample"].as_bool().unwrap_or(false),
        }
    }

    /// A string without which the finding cannot be told from others.
    fn required(&mut self, field: &str) -> String {
        match &self.finding[field] {
            Value::String(text) if !text.trim().is_empty() => text.trim().to_owned(),
            Value::Null => self.unusable(field, "is missing".to_owned()),
            Value::String(_) => self.unusable(field, "is empty".to_owned()),
            other => self.unusable(field, format!("expected a string, found {}", kind(other))),
        }
    }

    fn unusable(&mut self, field: &str, problem: String) -> String {
        self.problems.push(fatal(field, problem));
        String::new()
    }

    fn account(&mut self) -> String {
        let account = match &self.finding["AwsAccountId"] {
            Value::Number(number) => number.to_string(),
            _ => self.required("AwsAccountId"),
        };
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if !account.is_empty() && !digits {
            let shown: String = account.chars().take(40).collect();
            let problem = format!("expected 12 digits, found “{shown}”");
            return self.unusable("AwsAccountId", problem);
        }
        account
    }

    fn region(&mut self, product_arn: &str, resources: &[Resource]) -> String {
        let in_arn = product_arn
            .split(':')
            .nth(3)
            .filter(|region| !region.is_empty());
        let found = text(&self.finding["Region"])
            .or_else(|| in_arn.map(str::to_owned))
            .or_else(|| {
                resources
                    .iter()
                    .find_map(|resource| resource.region.clone())
            });
        found.unwrap_or_else(|| {
            self.warn(
                "Region",
                "is missing, and neither ProductArn nor a resource names one; “unknown” is used",
            );
            "unknown".to_owned()
        })
    }

    fn title(&mut self) -> String {
        text(&self.finding["Title"]).unwrap_or_else(|| {
            self.warn("Title", "is missing");
            text(&self.finding["Description"])
                .unwrap_or_else(|| "Finding without a title".to_owned())
        })
    }

    fn resources(&mut self) -> Vec<Resource> {
        let resources = self.finding["Resources"].as_array();
        let mut found = Vec::with_capacity(resources.map_or(0, Vec::len));
        for (n, resource) in resources.into_iter().flatten().enumerate() {
            let Some(id) = text(&resource["Id"]) else {
                self.warn(
                    &format!("Resources[{n}].Id"),
                    "is missing; the resource is left out",
                );
                continue;
            };
            if id.starts_with("arn:") && id.split(':').count() < 6 {
                self.warn(
                    &format!("Resources[{n}].Id"),
                    "begins like an ARN but has fewer than six parts",
                );
            }
            found.push(Resource {
                kind: text(&resource["Type"]).unwrap_or_else(|| "Other".to_owned()),
                id,
                region: text(&resource["Region"]),
                tags: strings(&resource["Tags"]),
            });
        }
        if found.is_empty() {
            self.warn("Resources", "names no resource");
            found.push(Resource {
                kind: "Other".to_owned(),
                id: "unknown".to_owned(),
                region: None,
                tags: BTreeMap::new(),
            });
        }
        found
    }

    fn severity(&mut self) -> Severity {
        let severity = &self.finding["Severity"];
        if let Some(word) = text(&severity["Label"]) {
            if let Some(label) = severity_word(&word) {
                return label;
            }
            self.warn(
                "Severity.Label",
                format!("“{}” is no severity", shorten(&word)),
            );
        }
        let fallback = &self.finding["FindingProviderFields"]["Severity"];
        let found = number(&severity["Normalized"])
            .map(normalized)
            .or_else(|| text(&fallback["Label"]).and_then(|word| severity_word(&word)))
            .or_else(|| original(&severity["Original"]))
            .or_else(|| original(&severity["Product"]));
        found.unwrap_or_else(|| {
            self.warn(
                "Severity",
                "gives no label and no number; INFORMATIONAL is used",
            );
            Severity::Informational
        })
    }

    fn compliance(&mut self) -> Option<Compliance> {
        let word = text(&self.finding["Compliance"]["Status"])?;
        Some(compliance(&word).unwrap_or_else(|| {
            let problem = format!(
                "“{}” is no compliance status; NOT_AVAILABLE is used",
                shorten(&word)
            );
            self.warn("Compliance.Status", problem);
            Compliance::NotAvailable
        }))
    }

    fn record(&mut self) -> RecordState {
        match text(&self.finding["RecordState"]).as_deref() {
            None | Some("ACTIVE") => RecordState::Active,
            Some("ARCHIVED") => RecordState::Archived,
            Some(other) => {
                let problem = format!("“{}” is no record state; ACTIVE is used", shorten(other));
                self.warn("RecordState", problem);
                RecordState::Active
            }
        }
    }

    fn workflow(&mut self) -> WorkflowStatus {
        let Some(word) = text(&self.finding["Workflow"]["Status"]) else {
            return WorkflowStatus::New;
        };
        WorkflowStatus::parse(&word).unwrap_or_else(|| {
            self.warn(
                "Workflow.Status",
                format!("“{}” is no workflow status; NEW is used", shorten(&word)),
            );
            WorkflowStatus::New
        })
    }

    fn note(&mut self) -> Option<Note> {
        let note = &self.finding["Note"];
        Some(Note {
            text: text(&note["Text"])?,
            updated_by: text(&note["UpdatedBy"]).unwrap_or_default(),
            updated_at: time::parse(&note["UpdatedAt"]),
        })
    }

    fn time(&mut self, field: &str) -> Option<jiff::Timestamp> {
        let value = &self.finding[field];
        if value.is_null() {
            return None;
        }
        let at = time::parse(value);
        if at.is_none() {
            let shown = shorten(&value.to_string());
            self.warn(
                field,
                format!("{shown} is no time; expected one like 2026-11-24T08:15:00Z"),
            );
        }
        at
    }
}

/// A non-empty string; numbers count, because some producers quote nothing.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .filter_map(|(key, value)| Some((key.clone(), text(value)?)))
        .collect()
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Security Hub API, `Severity`: 0 INFORMATIONAL, 1–39 LOW, 40–69 MEDIUM, 70–89 HIGH, 90–100 CRITICAL.
fn normalized(n: f64) -> Severity {
    match n {
        n if n >= 90.0 => Severity::Critical,
        n if n >= 70.0 => Severity::High,
        n if n >= 40.0 => Severity::Medium,
        n if n >= 1.0 => Severity::Low,
        _ => Severity::Informational,
    }
}

/// The provider's own word or number: a number up to 10 is a score of ten, as CVSS and GuardDuty give it.
fn original(value: &Value) -> Option<Severity> {
    if let Some(n) = number(value) {
        return (0.0..=100.0)
            .contains(&n)
            .then(|| normalized(if n <= 10.0 { n * 10.0 } else { n }));
    }
    severity_word(&text(value)?)
}

fn severity_word(word: &str) -> Option<Severity> {
    Some(match word.to_ascii_uppercase().as_str() {
        "INFORMATIONAL" | "INFO" => Severity::Informational,
        "LOW" => Severity::Low,
        "MEDIUM" | "MODERATE" => Severity::Medium,
        "HIGH" => Severity::High,
        "CRITICAL" => Severity::Critical,
        _ => return None,
    })
}

fn compliance(word: &str) -> Option<Compliance> {
    Some(match word {
        "PASSED" => Compliance::Passed,
        "FAILED" => Compliance::Failed,
        "WARNING" => Compliance::Warning,
        "NOT_AVAILABLE" => Compliance::NotAvailable,
        _ => return None,
    })
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}
