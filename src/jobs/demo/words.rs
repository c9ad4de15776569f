//! What happens in the emulated world, in words: a day in one sentence, a change in one line. Reads the journal's JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::emulators::jira::plain_text;
use crate::talk::plain;

/// Characters of a comment that a line shows.
const COMMENT_CHARS: usize = 160;

/// What happened in a day, counted.
pub(super) fn day(entries: &[Value]) -> String {
    let by = |entry: &Value, role: &str| entry["actor"]["role"] == role;
    let moved = |entry: &Value, to: &str| entry["change"] == "ticket_moved" && entry["to"] == to;
    let checked = |entry: &Value, compliance: &str| {
        entry["change"] == "finding_evaluated"
            && entry["record"] == "ACTIVE"
            && entry["compliance"] == compliance
    };
    let count = |fits: &dyn Fn(&Value) -> bool| entries.iter().filter(|&entry| fits(entry)).count();
    let counts = [
        (
            count(&|entry| by(entry, "product") && moved(entry, "Resolved")),
            "resolved by product teams",
        ),
        (
            count(&|entry| checked(entry, "PASSED")),
            "seen to pass by AWS",
        ),
        (
            count(&|entry| by(entry, "reviewer") && moved(entry, "Closed")),
            "closed by reviewers",
        ),
        (
            count(&|entry| by(entry, "reviewer") && moved(entry, "Open")),
            "reopened by reviewers",
        ),
        (
            count(&|entry| by(entry, "product") && moved(entry, "Closed")),
            "closed without the right",
        ),
        (
            count(&|entry| by(entry, "analyst") && entry["to"] == "SUPPRESSED"),
            "suppressed by hand in Security Hub",
        ),
        (
            count(&|entry| entry["change"] == "resource_deleted"),
            "resources deleted",
        ),
        (count(&|entry| checked(entry, "FAILED")), "failed again"),
    ];
    let told = counts.iter().filter(|(n, _)| *n > 0);
    let told: Vec<String> = told.map(|(n, what)| format!("{n} {what}")).collect();
    told.join(", ")
}

/// A change: when, who, what. `names` are the display names of Jira's users.
pub(super) fn line(entry: &Value, names: &BTreeMap<String, String>) -> String {
    let text = |member: &str| entry[member].as_str().unwrap_or_default();
    let time = text("at").get(11..19).unwrap_or_default();
    let what = match text("change") {
        "ticket_created" => format!("creates {}", text("key")),
        "ticket_moved" => format!(
            "moves {} from {} to {}",
            text("key"),
            text("from"),
            text("to")
        ),
        "ticket_commented" => {
            let said: String = plain_text(&entry["body"])
                .chars()
                .take(COMMENT_CHARS)
                .collect();
            format!("comments on {}: {said}", text("key"))
        }
        "ticket_edited" => format!("edits {}", text("key")),
        "ticket_deleted" => format!("deletes {}", text("key")),
        "workflow_set" => format!(
            "sets {} from {} to {} in Security Hub",
            short(text("id")),
            text("from"),
            text("to")
        ),
        "finding_evaluated" => format!(
            "checks {}: {} {}",
            short(text("id")),
            text("compliance"),
            text("record")
        ),
        "finding_appeared" => format!("reports {}", short(text("id"))),
        "finding_removed" => format!("removes {}", short(text("id"))),
        "resource_deleted" => format!("deletes {}", text("id")),
        other => other.replace('_', " "),
    };
    plain(&format!("{time}  {} {what}", who(&entry["actor"], names))).into_owned()
}

fn who(actor: &Value, names: &BTreeMap<String, String>) -> String {
    match actor["kind"].as_str().unwrap_or_default() {
        "engine" => "asaf".to_owned(),
        "person" => {
            let id = actor["id"].as_str().unwrap_or_default();
            names
                .get(id)
                .cloned()
                .unwrap_or_else(|| short(id).to_owned())
        }
        "automation_rule" => "An automation rule".to_owned(),
        _ => "AWS".to_owned(),
    }
}

/// The end of an ARN: what people tell findings and roles apart by.
fn short(id: &str) -> &str {
    let parts = id.rmatch_indices('/').nth(2);
    parts.map_or(id, |(at, _)| &id[at + 1..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_day_is_counted_by_who_did_what() {
        let person = |role: &str, to: &str| json!({ "actor": { "kind": "person", "role": role }, "change": "ticket_moved", "to": to });
        let checked = |compliance: &str, record: &str| {
            json!({ "actor": { "kind": "aws" }, "change": "finding_evaluated",
            "compliance": compliance, "record": record })
        };
        let entries = [
            person("product", "Resolved"),
            person("product", "Resolved"),
            person("product", "Closed"),
            person("reviewer", "Closed"),
            checked("PASSED", "ACTIVE"),
            checked("FAILED", "ARCHIVED"),
        ];
        assert_eq!(
            day(&entries),
            "2 resolved by product teams, 1 seen to pass by AWS, 1 closed by reviewers, 1 closed without the right"
        );
    }

    #[test]
    fn a_line_names_people_and_is_only_text() {
        let entry = json!({ "at": "2026-11-24T08:15:00.5Z", "actor": { "kind": "person", "id": "5b1", "role": "product" },
            "change": "ticket_moved", "key": "PAY-1\u{1b}[31m", "from": "Open", "to": "Resolved" });
        let names = [("5b1".to_owned(), "Pat Product".to_owned())].into();
        assert_eq!(
            line(&entry, &names),
            "08:15:00  Pat Product moves PAY-1 from Open to Resolved"
        );
        let entry = json!({ "at": "2026-11-24T08:15:00Z", "actor": { "kind": "engine" }, "change": "workflow_set",
            "id": "arn:aws:securityhub:eu-west-1:1:security-control/S3.8/finding/5f1c", "from": "NEW", "to": "NOTIFIED" });
        assert_eq!(
            line(&entry, &BTreeMap::new()),
            "08:15:00  asaf sets S3.8/finding/5f1c from NEW to NOTIFIED in Security Hub"
        );
    }
}
