//! What AWS does to findings: controls are evaluated, records archived and reported again, and the workflow status
//! follows (Security Hub user guide, "Workflow status of findings", "Generating and updating control findings").

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::SecurityHub;
use super::findings::{Key, Version};
use super::history::{HistoryRecord, Source, updates};
use super::import::without_nulls;
use super::update::normalized;
use crate::emulators::journal::{Actor, Change, Journal};

/// Fields that belong to the customer: a provider's update that arrives while a customer's is not visible yet shows at
/// once, the customer's does not.
const CUSTOMERS: [&str; 4] = ["Note", "UserDefinedFields", "VerificationState", "Workflow"];

impl SecurityHub {
    /// A control is evaluated: compliance changes in place (since July 2025). `NOT_APPLICABLE` archives the finding.
    pub fn set_compliance(
        &mut self,
        product_arn: &str,
        id: &str,
        status: &str,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        let key = (product_arn.to_owned(), id.to_owned());
        if status == "NOT_APPLICABLE" {
            return self.set_record_state(&key, "ARCHIVED", None, now, journal);
        }
        let Some(record) = self.findings.get(&key) else {
            return;
        };
        let before = record.now.asff();
        let label = if status == "PASSED" {
            Arc::from("INFORMATIONAL")
        } else {
            Arc::clone(&record.severity)
        };
        let overridden = record.overridden.contains(&"Severity");
        let mut after = before.clone();
        let was = before["Compliance"]["Status"].as_str().unwrap_or_default();
        after["Compliance"]["Status"] = json!(status);
        for field in ["LastObservedAt", "UpdatedAt", "ProcessedAt"] {
            after[field] = json!(now.to_string());
        }
        if was != status {
            after["FirstObservedAt"] = json!(now.to_string());
            if !was.is_empty() {
                after["ProductFields"]["PreviousComplianceStatus"] = json!(was);
            }
        }
        after["FindingProviderFields"]["Severity"] = json!({ "Label": label, "Original": label });
        if !overridden {
            after["Severity"]["Label"] = json!(label);
            after["Severity"]["Original"] = json!(label);
            after["Severity"]["Normalized"] = json!(normalized(&label));
        }
        self.evolve(&key, &before, after, now, journal);
    }

    /// The provider archives a record.
    pub fn archive(
        &mut self,
        product_arn: &str,
        id: &str,
        reason: Option<(&str, &str)>,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        let key = (product_arn.to_owned(), id.to_owned());
        self.set_record_state(&key, "ARCHIVED", reason, now, journal);
    }

    /// The provider reports it again.
    pub fn reactivate(
        &mut self,
        product_arn: &str,
        id: &str,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        let key = (product_arn.to_owned(), id.to_owned());
        self.set_record_state(&key, "ACTIVE", None, now, journal);
    }

    pub(super) fn set_record_state(
        &mut self,
        key: &Key,
        state: &str,
        reason: Option<(&str, &str)>,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        let Some(record) = self.findings.get(key) else {
            return;
        };
        let before = record.now.asff();
        let mut after = before.clone();
        after["RecordState"] = json!(state);
        after["UpdatedAt"] = json!(now.to_string());
        after["ProcessedAt"] = json!(now.to_string());
        if let Some((code, description)) = reason {
            after["ProductFields"]["ArchivalReasons:0/ReasonCode"] = json!(code);
            after["ProductFields"]["ArchivalReasons:0/Description"] = json!(description);
        } else if let Some(fields) = after["ProductFields"].as_object_mut() {
            fields.retain(|name, _| !name.starts_with("ArchivalReasons:"));
        }
        self.evolve(key, &before, after, now, journal);
    }

    /// The rule behind a control breaks: its finding is archived, and each check makes a new one that is archived from
    /// the start and says NOT_AVAILABLE. Gives the new finding's id.
    pub fn break_rule(
        &mut self,
        product_arn: &str,
        id: &str,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Option<String> {
        let mut asff = self.get(product_arn, id)?;
        self.archive(product_arn, id, None, now, journal);
        asff["RecordState"] = json!("ARCHIVED");
        asff["Compliance"]["Status"] = json!("NOT_AVAILABLE");
        asff["Compliance"]["StatusReasons"] = json!([{ "ReasonCode": "CONFIG_RETURNS_NOT_APPLICABLE",
            "Description": "The AWS Config rule could not be evaluated." }]);
        Some(self.check_anew(asff, now, journal))
    }

    /// The rule works again: a new finding, which later checks update. Gives its id.
    pub fn mend_rule(
        &mut self,
        product_arn: &str,
        id: &str,
        status: &str,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Option<String> {
        let mut asff = self.get(product_arn, id)?;
        asff["RecordState"] = json!("ACTIVE");
        asff["Compliance"]["Status"] = json!(status);
        if let Some(compliance) = asff["Compliance"].as_object_mut() {
            compliance.remove("StatusReasons");
        }
        Some(self.check_anew(asff, now, journal))
    }

    fn check_anew(&mut self, mut asff: Value, now: Timestamp, journal: &mut Journal) -> String {
        self.checks += 1;
        let old = asff["Id"].as_str().unwrap_or_default();
        let stem = old.rsplit_once('/').map_or(old, |(stem, _)| stem);
        let id = format!("{stem}/{:08x}-0000-4000-9000-000000000000", self.checks);
        asff["Id"] = json!(id);
        for field in [
            "CreatedAt",
            "UpdatedAt",
            "FirstObservedAt",
            "LastObservedAt",
        ] {
            asff[field] = json!(now.to_string());
        }
        if let Some(finding) = asff.as_object_mut() {
            for field in ["Note", "UserDefinedFields", "Workflow", "VerificationState"] {
                finding.remove(field);
            }
        }
        self.import(asff, now, journal);
        id
    }

    /// Applies AWS's own workflow transitions to a new version of a finding.
    pub(super) fn evolve(
        &mut self,
        key: &Key,
        before: &Value,
        mut after: Value,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        let workflow = before["Workflow"]["Status"].as_str().unwrap_or("NEW");
        let next = self.next_workflow(workflow, before, &after);
        after["Workflow"] = json!({ "Status": next });
        without_nulls(&mut after);
        let compliance = |asff: &Value| asff["Compliance"]["Status"].as_str().map(str::to_owned);
        let is = compliance(&after);
        let evaluated = compliance(before) != is || before["RecordState"] != after["RecordState"];
        let changed = updates(before, &after);
        self.findings.change(key, |record, words| {
            record.now = Version::new(&after, words);
            record.processed = now;
            if let Some((_, shown)) = &mut record.before {
                *shown = Version::new(
                    &with_customers(&after, &shown.asff(), workflow != next),
                    words,
                );
            }
            if !changed.is_empty() {
                let written = (now, Source::Provider, key.0.as_str());
                record
                    .history
                    .push(HistoryRecord::new(written, changed, words));
            }
        });
        let (product_arn, id) = key.clone();
        if evaluated {
            let record = after["RecordState"].as_str().unwrap_or("ACTIVE").to_owned();
            let change = Change::FindingEvaluated {
                product_arn: product_arn.clone(),
                id: id.clone(),
                compliance: is,
                record,
            };
            journal.push(now, Actor::Aws, change);
        }
        if next != workflow {
            let change = Change::WorkflowSet {
                product_arn,
                id,
                from: workflow.to_owned(),
                to: next.to_owned(),
                note: None,
            };
            journal.push(now, Actor::Aws, change);
        }
        self.announce(key, now);
    }

    /// ARCHIVED to ACTIVE, and PASSED to anything else, reset NOTIFIED and RESOLVED to NEW; PASSED resolves.
    fn next_workflow<'a>(&self, workflow: &'a str, before: &Value, after: &Value) -> &'a str {
        let (was, is) = (
            &before["Compliance"]["Status"],
            &after["Compliance"]["Status"],
        );
        let reactivated = before["RecordState"] == "ARCHIVED" && after["RecordState"] == "ACTIVE";
        let becomes_passed = is == "PASSED" && (was != "PASSED" || reactivated);
        let may = workflow != "SUPPRESSED" || self.passed_resolves_suppressed;
        if becomes_passed && may && resolves_itself(after) {
            return "RESOLVED";
        }
        let failed_again = was == "PASSED" && is.is_string() && is != "PASSED";
        let settled = matches!(workflow, "NOTIFIED" | "RESOLVED");
        if (reactivated || failed_again) && settled {
            return "NEW";
        }
        workflow
    }
}

/// Security Hub resolves what passes of its own controls and of AWS Config's rules; other products' findings keep
/// their status.
pub(super) fn resolves_itself(asff: &Value) -> bool {
    let product = asff["ProductArn"].as_str().unwrap_or_default();
    ["product/aws/securityhub", "product/aws/config"]
        .iter()
        .any(|own| product.ends_with(own))
}

/// What a read shows while a customer's update is not visible yet: the new version with the customer's old fields. A
/// workflow status that AWS itself set shows at once.
fn with_customers(after: &Value, shown: &Value, workflow_moved: bool) -> Value {
    let mut document = after.clone();
    if let Some(finding) = document.as_object_mut() {
        for field in CUSTOMERS {
            if field == "Workflow" && workflow_moved {
                continue;
            }
            match &shown[field] {
                Value::Null => finding.remove(field),
                kept => finding.insert(field.to_owned(), kept.clone()),
            };
        }
    }
    document
}
