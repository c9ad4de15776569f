//! What providers and AWS do to findings, and what people do in the console.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{HistoryRecord, Key, Record, SecurityHub};
use crate::emulators::journal::{Actor, Change, Journal};

impl SecurityHub {
    /// A provider sends a finding: new, or an update of one it sent before (ignored unless its `UpdatedAt` is later).
    /// Workflow, note and user-defined fields of an existing finding are not the provider's to change.
    pub fn import(&mut self, mut asff: Value, now: Timestamp, journal: &mut Journal) {
        let key = key_of(&asff);
        if let Some(record) = self.findings.get(&key) {
            if asff["UpdatedAt"].as_str() <= record.asff["UpdatedAt"].as_str() {
                return;
            }
            for field in ["Workflow", "WorkflowState", "Note", "UserDefinedFields"] {
                let kept = record.asff[field].clone();
                if !kept.is_null() {
                    asff[field] = kept;
                }
            }
            let before = record.asff.clone();
            self.evolve(&key, &before, asff, now, journal);
            return;
        }
        if asff["RecordState"].is_null() {
            asff["RecordState"] = json!("ACTIVE");
        }
        if asff["Workflow"]["Status"].is_null() {
            let passed = asff["Compliance"]["Status"] == "PASSED";
            asff["Workflow"] = json!({ "Status": if passed { "RESOLVED" } else { "NEW" } });
        }
        asff["ProcessedAt"] = json!(now.to_string());
        let resources = asff["Resources"].as_array().into_iter().flatten();
        let resources = resources
            .filter_map(|r| r["Id"].as_str().map(str::to_owned))
            .collect();
        let (product_arn, id) = key.clone();
        journal.push(
            now,
            Actor::Aws,
            Change::FindingAppeared {
                product_arn,
                id,
                resources,
            },
        );
        self.findings.insert(
            key,
            Record {
                asff,
                stale: None,
                history: Vec::new(),
            },
        );
    }

    /// A control is evaluated: compliance changes in place (user guide, "Updating control findings", since July 2025).
    pub fn set_compliance(
        &mut self,
        product_arn: &str,
        id: &str,
        status: &str,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        let key = (product_arn.to_owned(), id.to_owned());
        let Some(before) = self.findings.get(&key).map(|record| record.asff.clone()) else {
            return;
        };
        let mut after = before.clone();
        let was = before["Compliance"]["Status"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        after["Compliance"]["Status"] = json!(status);
        after["LastObservedAt"] = json!(now.to_string());
        after["UpdatedAt"] = json!(now.to_string());
        after["ProcessedAt"] = json!(now.to_string());
        if was != status {
            after["FirstObservedAt"] = json!(now.to_string());
            after["ProductFields"]["PreviousComplianceStatus"] = json!(was);
        }
        // A PASSED control drops to INFORMATIONAL; the provider's label is what it goes back to.
        let original = before["Severity"]["Original"]
            .as_str()
            .unwrap_or("MEDIUM")
            .to_owned();
        after["Severity"]["Label"] = json!(if status == "PASSED" {
            "INFORMATIONAL"
        } else {
            &original
        });
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
        self.set_record_state(product_arn, id, "ARCHIVED", reason, now, journal);
    }

    /// The provider reports it again.
    pub fn reactivate(
        &mut self,
        product_arn: &str,
        id: &str,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        self.set_record_state(product_arn, id, "ACTIVE", None, now, journal);
    }

    fn set_record_state(
        &mut self,
        product_arn: &str,
        id: &str,
        state: &str,
        reason: Option<(&str, &str)>,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        let key = (product_arn.to_owned(), id.to_owned());
        let Some(before) = self.findings.get(&key).map(|record| record.asff.clone()) else {
            return;
        };
        let mut after = before.clone();
        after["RecordState"] = json!(state);
        after["UpdatedAt"] = json!(now.to_string());
        if let Some((code, description)) = reason {
            after["ProductFields"]["ArchivalReasons:0/ReasonCode"] = json!(code);
            after["ProductFields"]["ArchivalReasons:0/Description"] = json!(description);
        }
        self.evolve(&key, &before, after, now, journal);
    }

    /// Applies AWS's own workflow transitions to a new version of a finding (user guide, "Workflow status").
    fn evolve(
        &mut self,
        key: &Key,
        before: &Value,
        mut after: Value,
        now: Timestamp,
        journal: &mut Journal,
    ) {
        let workflow = before["Workflow"]["Status"]
            .as_str()
            .unwrap_or("NEW")
            .to_owned();
        let compliance = |asff: &Value| asff["Compliance"]["Status"].as_str().map(str::to_owned);
        let (was, is) = (compliance(before), compliance(&after));
        let reactivated = before["RecordState"] == "ARCHIVED" && after["RecordState"] == "ACTIVE";
        let failed_again = was.as_deref() == Some("PASSED")
            && is.as_deref().is_some_and(|status| status != "PASSED");
        let settled = matches!(workflow.as_str(), "NOTIFIED" | "RESOLVED");
        let next = if (reactivated || failed_again) && settled {
            "NEW"
        } else if is.as_deref() == Some("PASSED") && workflow != "SUPPRESSED" {
            "RESOLVED"
        } else {
            &workflow
        }
        .to_owned();
        let (product_arn, id) = key.clone();
        let evaluated = was != is || before["RecordState"] != after["RecordState"];
        after["Workflow"] = json!({ "Status": next });
        if let Some(record) = self.findings.get_mut(key) {
            if next != workflow {
                record.history.push(HistoryRecord {
                    at: now,
                    source: "BATCH_IMPORT_FINDINGS",
                    identity: "arn:aws:iam::aws:securityhub".to_owned(),
                    from: workflow.clone(),
                    to: next.clone(),
                });
                record.stale = None;
            }
            record.asff = after;
            let record_state = record.asff["RecordState"]
                .as_str()
                .unwrap_or("ACTIVE")
                .to_owned();
            if evaluated {
                let change = Change::FindingEvaluated {
                    product_arn: product_arn.clone(),
                    id: id.clone(),
                    compliance: is,
                    record: record_state,
                };
                journal.push(now, Actor::Aws, change);
            }
        }
        if next != workflow {
            let change = Change::WorkflowSet {
                product_arn,
                id,
                from: workflow,
                to: next,
                note: None,
            };
            journal.push(now, Actor::Aws, change);
        }
    }

    /// The finding expires or is withdrawn: reads no longer return it, updates answer FindingNotFound.
    pub fn remove(&mut self, product_arn: &str, id: &str, now: Timestamp, journal: &mut Journal) {
        if self
            .findings
            .remove(&(product_arn.to_owned(), id.to_owned()))
            .is_some()
        {
            let change = Change::FindingRemoved {
                product_arn: product_arn.to_owned(),
                id: id.to_owned(),
            };
            journal.push(now, Actor::Aws, change);
        }
    }

    /// The periodic check found nothing new: `UpdatedAt` moves, at least every 24 h (user guide, "Schedule").
    pub fn touch(&mut self, product_arn: &str, id: &str, now: Timestamp) {
        if let Some(record) = self
            .findings
            .get_mut(&(product_arn.to_owned(), id.to_owned()))
        {
            record.asff["UpdatedAt"] = json!(now.to_string());
            record.asff["LastObservedAt"] = json!(now.to_string());
        }
    }

    /// Retention: 90 days after the last update for active records, 30 for archived ones.
    pub fn expire(&mut self, now: Timestamp, journal: &mut Journal) {
        let expired: Vec<Key> = self
            .findings
            .iter()
            .filter(|(_, record)| {
                let days = if record.asff["RecordState"] == "ARCHIVED" {
                    30
                } else {
                    90
                };
                let updated = record.asff["UpdatedAt"]
                    .as_str()
                    .and_then(|at| at.parse::<Timestamp>().ok());
                updated.is_some_and(|at| {
                    now.duration_since(at) > SignedDuration::from_hours(24 * days)
                })
            })
            .map(|(key, _)| key.clone())
            .collect();
        for (product_arn, id) in expired {
            self.remove(&product_arn, &id, now, journal);
        }
    }

    /// A person, or (with [`Actor::AutomationRule`]) a rule, sets the status.
    #[allow(clippy::too_many_arguments)]
    pub fn set_workflow(
        &mut self,
        actor: Actor,
        identity: &str,
        product_arn: &str,
        id: &str,
        status: &str,
        note: Option<&str>,
        now: Timestamp,
        journal: &mut Journal,
    ) -> bool {
        let Some(record) = self
            .findings
            .get_mut(&(product_arn.to_owned(), id.to_owned()))
        else {
            return false;
        };
        let from = record.asff["Workflow"]["Status"]
            .as_str()
            .unwrap_or("NEW")
            .to_owned();
        if self.visibility_delay > SignedDuration::ZERO {
            let shown = record.shown(now).clone();
            record.stale = Some((now + self.visibility_delay, shown));
        }
        record.asff["Workflow"] = json!({ "Status": status });
        if let Some(text) = note {
            record.asff["Note"] =
                json!({ "Text": text, "UpdatedBy": identity, "UpdatedAt": now.to_string() });
        }
        record.history.push(HistoryRecord {
            at: now,
            source: "BATCH_UPDATE_FINDINGS",
            identity: identity.to_owned(),
            from: from.clone(),
            to: status.to_owned(),
        });
        let change = Change::WorkflowSet {
            product_arn: product_arn.to_owned(),
            id: id.to_owned(),
            from,
            to: status.to_owned(),
            note: note.map(str::to_owned),
        };
        journal.push(now, actor, change);
        true
    }
}

pub(super) fn key_of(asff: &Value) -> Key {
    let text = |field: &str| asff[field].as_str().unwrap_or_default().to_owned();
    (text("ProductArn"), text("Id"))
}
