//! What providers send: BatchImportFindings, and the same by AWS's own services.
//!
//! An update is ignored unless its `UpdatedAt` is later. Note, user-defined fields, verification state and workflow of
//! an existing finding are not the provider's to change; confidence, criticality, related findings, severity and types
//! go to `FindingProviderFields`, and to the top level only until a customer has set them there (Security Hub user
//! guide, "BatchImportFindings for finding providers").

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Call, invalid};
use super::findings::{Key, Record, Version, Words, key_of};
use super::lifecycle::resolves_itself;
use super::update::{label_of, normalized};
use super::{SecurityHub, limits, moment};
use crate::emulators::journal::{Actor, Change, Journal};
use crate::emulators::{Response, json as answer};

/// Fields that a provider sets through `FindingProviderFields`.
const PROVIDED: [&str; 5] = [
    "Confidence",
    "Criticality",
    "RelatedFindings",
    "Severity",
    "Types",
];
/// Fields of an existing finding that are the customer's.
const CUSTOMERS: [&str; 5] = [
    "Note",
    "UserDefinedFields",
    "VerificationState",
    "Workflow",
    "WorkflowState",
];

impl SecurityHub {
    /// At most 100 findings; each is imported or fails on its own.
    pub(super) fn batch_import(&mut self, call: &Call, journal: &mut Journal) -> Response {
        let none = Vec::new();
        let findings = call.body["Findings"].as_array().unwrap_or(&none);
        if findings.is_empty() || findings.len() > 100 {
            return invalid("Invalid parameter 'Findings'. It should have 1 to 100 findings");
        }
        if call.body.to_string().len() > limits::LARGEST_BATCH {
            return invalid("Invalid parameter 'Findings'. A batch should NOT be larger than 6 MB");
        }
        let (mut success, mut failed) = (0, Vec::new());
        for finding in findings {
            match self.admit_import(finding, call) {
                Ok(()) => {
                    self.import(finding.clone(), call.now, journal);
                    success += 1;
                }
                Err((code, message)) => failed.push(json!({
                    "Id": finding["Id"].as_str().filter(|id| !id.is_empty()).unwrap_or("unknown"),
                    "ErrorCode": code,
                    "ErrorMessage": message,
                })),
            }
        }
        answer(
            200,
            &json!({ "FailedCount": failed.len(), "SuccessCount": success, "FailedFindings": failed }),
        )
    }

    fn admit_import(&self, finding: &Value, call: &Call) -> Result<(), (&'static str, String)> {
        if let Err(why) = limits::finding(finding) {
            let message = format!("Finding does not adhere to Amazon Finding Format. data.{why}.");
            return Err(("InvalidInput", message));
        }
        if finding.to_string().len() > limits::LARGEST_FINDING {
            let message = "Finding size exceeded 240 KB".to_owned();
            return Err(("FindingSizeExceeded", message));
        }
        let account = finding["AwsAccountId"].as_str().unwrap_or_default();
        if account != call.caller.account {
            let message = format!(
                "Account {} may not import findings of account {account}",
                call.caller.account
            );
            return Err(("InvalidAccess", message));
        }
        let product = finding["ProductArn"].as_str().unwrap_or_default();
        if !self.takes_product(product, account, call.region) {
            let message = format!("Product {product} is not enabled for account {account}");
            return Err(("InvalidAccess", message));
        }
        Ok(())
    }

    /// AWS's own products and each account's default product are always on; a partner's must be enabled.
    fn takes_product(&self, arn: &str, account: &str, region: &str) -> bool {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, _, "securityhub", at, owner, product] = parts[..] else {
            return false;
        };
        let own = owner == account && product == format!("product/{account}/default");
        let aws = owner.is_empty() && product.starts_with("product/aws/");
        at == region && (own || aws || self.products.contains(arn))
    }

    /// Lets a partner's product send findings.
    pub fn enable_product(&mut self, product_arn: &str) {
        self.products.insert(product_arn.to_owned());
    }

    /// A provider sends a finding: new, or an update of one that it sent before. What is no object where the format has
    /// one is left out.
    pub fn import(&mut self, mut asff: Value, now: Timestamp, journal: &mut Journal) {
        let Some(members) = asff.as_object_mut() else {
            return;
        };
        members
            .retain(|name, value| value.is_object() || !limits::OBJECTS.contains(&name.as_str()));
        let key = key_of(&asff);
        complete(&mut asff, &now.to_string());
        let Some(record) = self.findings.get(&key) else {
            return self.create(asff, now, journal);
        };
        let sent = asff["UpdatedAt"].as_str().and_then(moment::parse);
        if sent <= record.now.updated {
            return;
        }
        let before = record.now.asff();
        let overridden = record.overridden.clone();
        provide(&mut asff, &before, &overridden);
        for field in CUSTOMERS {
            keep(&mut asff, &before, field);
        }
        self.evolve(&key, &before, asff, now, journal);
    }

    fn create(&mut self, asff: Value, now: Timestamp, journal: &mut Journal) {
        let new = New::of(asff, &mut self.findings.words);
        self.keep(new, now, journal);
    }

    /// A new finding is there from now on.
    pub(super) fn keep(&mut self, new: New, now: Timestamp, journal: &mut Journal) {
        self.regions
            .extend(Some(new.version.region().to_owned()).filter(|region| !region.is_empty()));
        let key = Arc::new(new.key);
        self.findings.insert(Record {
            key: Arc::clone(&key),
            now: new.version,
            before: None,
            history: Vec::new(),
            created: now,
            processed: now,
            severity: new.severity,
            overridden: Vec::new(),
        });
        let change = Change::FindingAppeared {
            product_arn: key.0.clone(),
            id: key.1.clone(),
            resources: new.resources,
            stopped: new.stopped,
        };
        journal.push(now, Actor::Aws, change);
        self.announce(&key, now);
    }
}

/// A finding that nobody sent before.
pub(super) struct New {
    pub(super) key: Key,
    pub(super) version: Version,
    /// The severity while it fails.
    pub(super) severity: Arc<str>,
    /// The ids of its resources.
    pub(super) resources: Vec<String>,
    /// It has passed or is archived.
    pub(super) stopped: bool,
}

impl New {
    /// What a provider sent, [`complete`], becomes a finding.
    pub(super) fn of(mut asff: Value, words: &mut Words) -> Self {
        for field in PROVIDED {
            // For a new finding the value in FindingProviderFields wins.
            let given = asff["FindingProviderFields"][field].clone();
            if given.is_null() {
                copy(&mut asff, field);
            } else {
                merge(&mut asff[field], given);
            }
        }
        tidy(&mut asff);
        if asff["RecordState"].is_null() {
            asff["RecordState"] = json!("ACTIVE");
        }
        if asff["Workflow"]["Status"].is_null() {
            let passed = asff["Compliance"]["Status"] == "PASSED" && resolves_itself(&asff);
            asff["Workflow"] = json!({ "Status": if passed { "RESOLVED" } else { "NEW" } });
        }
        let resources = asff["Resources"].as_array().into_iter().flatten();
        let passed = asff["Compliance"]["Status"] == "PASSED";
        New {
            key: key_of(&asff),
            resources: resources
                .filter_map(|resource| resource["Id"].as_str().map(str::to_owned))
                .collect(),
            severity: words.shared(failing_severity(&asff)),
            stopped: passed || asff["RecordState"] == "ARCHIVED",
            version: Version::new(&asff, words),
        }
    }
}

/// What Security Hub itself fills in (Security Hub user guide, "Top-level ASFF attributes").
pub(super) fn complete(asff: &mut Value, processed: &str) {
    let (product_arn, id) = key_of(asff);
    asff["ProcessedAt"] = json!(processed);
    let mut parts = product_arn.split(':').skip(3);
    let region = parts.next().unwrap_or_default().to_owned();
    if asff["Region"].is_null() && !region.is_empty() {
        asff["Region"] = json!(region);
    }
    if let Some(product) = product_arn.split(":product/aws/").nth(1) {
        let name = match product {
            "securityhub" => "Security Hub CSPM",
            "guardduty" => "GuardDuty",
            "inspector" => "Inspector",
            "config" => "Config",
            "access-analyzer" => "IAM Access Analyzer",
            other => other,
        };
        for (field, value) in [("ProductName", name), ("CompanyName", "AWS")] {
            if asff[field].is_null() {
                asff[field] = json!(value);
            }
        }
    }
    asff["ProductFields"]["aws/securityhub/FindingId"] = json!(format!("{product_arn}/{id}"));
}

/// An update by the provider: its values go to `FindingProviderFields`, and to the top level where no customer's stand.
fn provide(asff: &mut Value, before: &Value, overridden: &[&str]) {
    for field in PROVIDED {
        if asff["FindingProviderFields"][field].is_null() {
            if asff[field].is_null() {
                asff["FindingProviderFields"][field] =
                    before["FindingProviderFields"][field].clone();
            } else {
                copy(asff, field);
            }
        } else if asff[field].is_null() {
            let given = asff["FindingProviderFields"][field].clone();
            merge(&mut asff[field], given);
        }
        if overridden.contains(&field) || asff[field].is_null() {
            keep(asff, before, field);
        }
    }
    keep_if_absent(asff, before, "RecordState");
    tidy(asff);
}

/// The top-level value also goes to `FindingProviderFields`, which has no normalised severity.
fn copy(asff: &mut Value, field: &str) {
    let mut given = asff[field].clone();
    if given.is_null() {
        return;
    }
    if field == "Severity"
        && let Some(severity) = given.as_object_mut()
    {
        if !severity.contains_key("Label")
            && let Some(value) = severity.get("Normalized").and_then(Value::as_u64)
        {
            severity.insert("Label".to_owned(), json!(label_of(value)));
        }
        severity.retain(|name, _| matches!(name.as_str(), "Label" | "Original"));
    }
    asff["FindingProviderFields"][field] = given;
}

/// Members of an object replace those that are there; anything else replaces the whole.
fn merge(target: &mut Value, given: Value) {
    match given {
        Value::Object(members) if target.is_object() => {
            for (name, value) in members {
                target[name] = value;
            }
        }
        other => *target = other,
    }
}

fn keep(asff: &mut Value, before: &Value, field: &str) {
    if let Some(finding) = asff.as_object_mut() {
        match &before[field] {
            Value::Null => finding.remove(field),
            kept => finding.insert(field.to_owned(), kept.clone()),
        };
    }
}

fn keep_if_absent(asff: &mut Value, before: &Value, field: &str) {
    if asff[field].is_null() {
        keep(asff, before, field);
    }
}

/// Label and normalised severity stand side by side, and nothing is null.
fn tidy(asff: &mut Value) {
    if let Some(label) = asff["Severity"]["Label"].as_str() {
        let value = normalized(label);
        let given = asff["Severity"]["Normalized"].as_u64();
        if given.is_none_or(|given| label_of(given) != label) {
            asff["Severity"]["Normalized"] = json!(value);
        }
    } else if let Some(value) = asff["Severity"]["Normalized"].as_u64() {
        asff["Severity"]["Label"] = json!(label_of(value));
    }
    without_nulls(asff);
}

pub(super) fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(without_nulls);
            members.retain(|_, member| !member.is_null());
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// The severity while the control fails: a PASSED one hides it, unless `Original` still says it.
fn failing_severity(asff: &Value) -> &str {
    let label = |value: &'_ Value| {
        ["LOW", "MEDIUM", "HIGH", "CRITICAL"]
            .into_iter()
            .find(|known| value == known)
    };
    let severity = &asff["Severity"];
    label(&severity["Label"])
        .or_else(|| label(&severity["Original"]))
        .unwrap_or("MEDIUM")
}
