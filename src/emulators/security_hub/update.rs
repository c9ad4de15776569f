//! What customers change: BatchUpdateFindings, and the same by a person in the console or by an automation rule.
//! `UpdatedAt` is the provider's and stays; `RecordState` is not a customer's to set.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::call::{Call, invalid};
use super::findings::{Key, Version};
use super::history::{HistoryRecord, Source, updates};
use super::{SecurityHub, limits};
use crate::emulators::aws::faults::AwsFault;
use crate::emulators::journal::{Actor, Change, Journal};
use crate::emulators::{Response, json as answer};

/// Fields that the provider loses once a customer has set them (Security Hub user guide, "BatchImportFindings").
const OVERRIDABLE: [&str; 5] = [
    "Confidence",
    "Criticality",
    "RelatedFindings",
    "Severity",
    "Types",
];

/// Code and message of an identifier that was not processed (Security Hub API:
/// `BatchUpdateFindingsUnprocessedFinding`).
const UNPROCESSED: [(&str, &str); 6] = [
    (
        "ConcurrentUpdateError",
        "Concurrent finding updates detected",
    ),
    (
        "DuplicatedFindingIdentifier",
        "Finding Identifier is duplicated",
    ),
    ("FindingNotFound", "Finding Not Found"),
    ("FindingSizeExceeded", "Finding size exceeded 240 KB"),
    ("InternalFailure", "Internal service failure"),
    ("InvalidInput", "Invalid Input"),
];

/// How long what a finding was before an update is kept, for reads that show the past.
const KEPT_BEFORE: SignedDuration = SignedDuration::from_mins(15);

/// Who makes an update, and when.
pub(super) struct Author<'a> {
    pub(super) actor: Actor,
    pub(super) identity: &'a str,
    pub(super) now: Timestamp,
}

/// Both members are required, and strings (Security Hub API: AwsSecurityFindingIdentifier).
fn is_identifier(value: &Value) -> bool {
    value["Id"].is_string() && value["ProductArn"].is_string()
}

impl SecurityHub {
    /// At most 100 identifiers; each is processed or not on its own.
    pub(super) fn batch_update(&mut self, call: &Call, journal: &mut Journal) -> Response {
        let none = Vec::new();
        let identifiers = call.body["FindingIdentifiers"].as_array().unwrap_or(&none);
        if identifiers.is_empty() || identifiers.len() > 100 {
            return invalid(
                "Invalid parameter 'FindingIdentifiers'. It should have 1 to 100 identifiers",
            );
        }
        if let Some(n) = identifiers.iter().position(|one| !is_identifier(one)) {
            return invalid(&format!(
                "Invalid parameter. data.FindingIdentifiers[{n}] should have Id and ProductArn"
            ));
        }
        if let Err(why) = limits::update(call.body) {
            return invalid(&format!("Invalid parameter. data.{why}"));
        }
        let mut seen = BTreeSet::new();
        let (mut processed, mut unprocessed) = (Vec::new(), Vec::new());
        for (n, identifier) in identifiers.iter().enumerate() {
            let text = |field: &str| identifier[field].as_str().unwrap_or_default().to_owned();
            let key: Key = (text("ProductArn"), text("Id"));
            let failed = match call.fault {
                Some(AwsFault::Unprocessed { code, every_nth }) if n % (*every_nth).max(1) == 0 => {
                    Some(code.as_str())
                }
                _ if !seen.insert(key.clone()) => Some("DuplicatedFindingIdentifier"),
                _ if !is_product(&key.0) || key.1.is_empty() => Some("InvalidInput"),
                _ => self.update_one(&key, call, journal).err(),
            };
            match failed {
                None => processed.push(identifier.clone()),
                Some(code) => unprocessed.push(json!({
                    "FindingIdentifier": identifier,
                    "ErrorCode": code,
                    "ErrorMessage": message_of(code),
                })),
            }
        }
        answer(
            200,
            &json!({ "ProcessedFindings": processed, "UnprocessedFindings": unprocessed }),
        )
    }

    fn update_one(
        &mut self,
        key: &Key,
        call: &Call,
        journal: &mut Journal,
    ) -> Result<(), &'static str> {
        let visible = self
            .findings
            .get(key)
            .is_some_and(|record| self.sees(call, &record.now));
        if !visible {
            return Err("FindingNotFound");
        }
        let actor = if call.caller.engine {
            Actor::Engine
        } else {
            Actor::Person {
                id: call.caller.identity.clone(),
                role: "analyst".to_owned(),
            }
        };
        let author = Author {
            actor,
            identity: &call.caller.identity,
            now: call.now,
        };
        self.apply(key, call.body, author, journal)
    }

    /// A person, or (with [`Actor::AutomationRule`]) a rule, sets the status. False when there is no such finding.
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
        let mut update = json!({ "Workflow": { "Status": status } });
        if let Some(text) = note {
            update["Note"] = json!({ "Text": text, "UpdatedBy": identity });
        }
        let key = (product_arn.to_owned(), id.to_owned());
        let author = Author {
            actor,
            identity,
            now,
        };
        self.apply(&key, &update, author, journal).is_ok()
    }

    /// Applies the fields of an update to one finding.
    pub(super) fn apply(
        &mut self,
        key: &Key,
        update: &Value,
        author: Author,
        journal: &mut Journal,
    ) -> Result<(), &'static str> {
        let record = self.findings.get(key).ok_or("FindingNotFound")?;
        let before = record.now.asff();
        let after = updated(&before, update, author.now);
        let version = Version::new(&after, &mut self.findings.words);
        if version.text().len() > limits::LARGEST_FINDING {
            return Err("FindingSizeExceeded");
        }
        let changed = updates(&before, &after);
        let delay = self.visibility_delay;
        self.findings.change(key, |record, words| {
            let shown = record.shown(author.now, delay).clone();
            record.before = Some((author.now, shown));
            record.now = version;
            if !changed.is_empty() {
                let written = (author.now, Source::Customer, author.identity);
                record
                    .history
                    .push(HistoryRecord::new(written, changed, words));
            }
            for field in OVERRIDABLE {
                if !update[field].is_null() && !record.overridden.contains(&field) {
                    record.overridden.push(field);
                }
            }
        });
        if let Some(status) = update["Workflow"]["Status"].as_str() {
            let from = before["Workflow"]["Status"].as_str().unwrap_or("NEW");
            let change = Change::WorkflowSet {
                product_arn: key.0.clone(),
                id: key.1.clone(),
                from: from.to_owned(),
                to: status.to_owned(),
                note: update["Note"]["Text"].as_str().map(str::to_owned),
            };
            journal.push(author.now, author.actor, change);
        }
        self.unsettled.push_back((author.now, key.clone()));
        self.announce(key, author.now);
        Ok(())
    }
}

/// The document with the fields of an update; maps and lists are replaced whole.
fn updated(before: &Value, update: &Value, now: Timestamp) -> Value {
    let mut after = before.clone();
    for field in [
        "Confidence",
        "Criticality",
        "RelatedFindings",
        "Types",
        "UserDefinedFields",
        "VerificationState",
    ] {
        if !update[field].is_null() {
            after[field] = update[field].clone();
        }
    }
    if let Some(status) = update["Workflow"]["Status"].as_str() {
        after["Workflow"] = json!({ "Status": status });
    }
    if let Some(text) = update["Note"]["Text"].as_str() {
        let by = update["Note"]["UpdatedBy"].as_str().unwrap_or_default();
        after["Note"] = json!({ "Text": text, "UpdatedBy": by, "UpdatedAt": now.to_string() });
    }
    set_severity(&mut after["Severity"], &update["Severity"]);
    if after["Severity"].is_null()
        && let Some(finding) = after.as_object_mut()
    {
        finding.remove("Severity");
    }
    after
}

/// Label and normalised value follow each other (Security Hub API: `SeverityUpdate`).
fn set_severity(severity: &mut Value, update: &Value) {
    if update.is_null() {
        return;
    }
    if let Some(label) = update["Label"].as_str() {
        severity["Label"] = json!(label);
        severity["Normalized"] = json!(normalized(label));
    }
    if let Some(value) = update["Normalized"].as_u64() {
        severity["Normalized"] = json!(value);
        if update["Label"].is_null() {
            severity["Label"] = json!(label_of(value));
        }
    }
    if update["Product"].is_number() {
        severity["Product"] = update["Product"].clone();
    }
}

/// "0 – INFORMATIONAL, 1–39 – LOW, 40–69 – MEDIUM, 70–89 – HIGH, 90–100 – CRITICAL" (Security Hub API: `Severity`).
pub(super) fn label_of(normalized: u64) -> &'static str {
    match normalized {
        0 => "INFORMATIONAL",
        1..=39 => "LOW",
        40..=69 => "MEDIUM",
        70..=89 => "HIGH",
        _ => "CRITICAL",
    }
}

/// The normalised value that a label gets.
pub(super) fn normalized(label: &str) -> u64 {
    match label {
        "CRITICAL" => 90,
        "HIGH" => 70,
        "MEDIUM" => 40,
        "LOW" => 1,
        _ => 0,
    }
}

impl SecurityHub {
    /// Forgets what findings were before updates that every read shows by now.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let kept = KEPT_BEFORE.max(self.visibility_delay);
        while let Some((at, _)) = self.unsettled.front() {
            if now.duration_since(*at) <= kept {
                break;
            }
            if let Some((at, key)) = self.unsettled.pop_front() {
                self.findings.settle(&key, at);
            }
        }
    }
}

fn is_product(arn: &str) -> bool {
    arn.starts_with("arn:aws") && arn.contains(":securityhub:") && arn.contains(":product/")
}

fn message_of(code: &str) -> &'static str {
    let known = UNPROCESSED.iter().find(|(known, _)| *known == code);
    known.map_or("Internal service failure", |(_, message)| *message)
}
