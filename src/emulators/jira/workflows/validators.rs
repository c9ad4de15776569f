//! What must hold of an issue, with what the request gives, before a transition is executed (Jira REST v3: workflow
//! capabilities, validators).

use serde_json::{Map, Value, json};

use crate::emulators::jira::Jira;
use crate::emulators::jira::edits::Edit;
use crate::emulators::jira::reply::{Reply, field_refusal, refusal};
use crate::emulators::jira::workflows::condition::{Attempt, names_status, was_in_status};
use crate::emulators::jira::workflows::model::{Rule, Transition};

impl Jira {
    /// Refuses with Jira's 400: texts by field where a field is missing, else one message.
    pub(crate) fn validate_transition(
        &self,
        transition: &Transition,
        attempt: Attempt<'_>,
        edits: &[Edit],
    ) -> Result<(), Reply> {
        for rule in &transition.validators {
            let verdict = match rule.key.as_str() {
                "system:check-permission-validator" => {
                    let key = rule.text("permissionKey");
                    self.may_on(attempt.account, key, attempt.issue)
                        || self.may_globally(attempt.account, key)
                }
                "system:previous-status-validator" => was_in_status(rule, attempt.issue),
                "system:parent-or-child-blocking-validator" => {
                    let parent = attempt.issue.parent.and_then(|id| self.issues.get(&id));
                    parent.is_none_or(|parent| names_status(rule, "statusIds", parent.status))
                }
                "system:validate-field-value" => {
                    self.validate_field(rule, attempt, edits)?;
                    true
                }
                _ => false,
            };
            if !verdict {
                let text = "You do not meet the requirements to take this transition.";
                return Err(refusal(400, text));
            }
        }
        Ok(())
    }

    fn validate_field(
        &self,
        rule: &Rule,
        attempt: Attempt<'_>,
        edits: &[Edit],
    ) -> Result<(), Reply> {
        let gives = |field: &str| edits.iter().any(|edit| edit.sets(field));
        let message = |default: &str| match rule.text("errorMessage") {
            "" => default.to_owned(),
            own => own.to_owned(),
        };
        let field = rule.text("fieldKey");
        let have = self.field_texts(attempt.issue, field, false);
        let holds = match rule.text("ruleType") {
            "fieldRequired" => {
                let missing: Map<String, Value> = rule
                    .list("fieldsRequired")
                    .into_iter()
                    .filter(|field| {
                        !gives(field) && self.field_texts(attempt.issue, field, false).is_empty()
                    })
                    .map(|field| {
                        let text = message(&format!("{} is required.", self.field_name(field)));
                        (field.to_owned(), json!(text))
                    })
                    .collect();
                return if missing.is_empty() {
                    Ok(())
                } else {
                    Err(field_refusal(missing))
                };
            }
            "fieldChanged" => {
                let exempt = rule.list("groupsExemptFromValidation");
                gives(field)
                    || exempt
                        .iter()
                        .any(|group| self.people.is_in_group(attempt.account, group))
            }
            "fieldHasSingleValue" => have.len() <= 1,
            "dateFieldComparison" | "windowDateComparison" => self.dates_compare(rule, attempt),
            // Regular expressions of Java are another language than those at hand.
            other => {
                let text = format!("The emulator does not know the validator rule type '{other}'.");
                return Err(refusal(501, text));
            }
        };
        if holds {
            return Ok(());
        }
        let text = message(&format!("{} is not valid.", self.field_name(field)));
        Err(refusal(400, text))
    }

    fn dates_compare(&self, rule: &Rule, attempt: Attempt<'_>) -> bool {
        let date = |name: &str| {
            let texts = self.field_texts(attempt.issue, rule.text(name), false);
            let text = texts.into_iter().next()?;
            text.get(..10)?.parse::<jiff::civil::Date>().ok()
        };
        let (Some(one), Some(two)) = (date("date1FieldKey"), date("date2FieldKey")) else {
            return true;
        };
        if let Ok(days) = rule.text("numberOfDays").parse::<i32>() {
            return one.since(two).is_ok_and(|span| span.get_days() <= days);
        }
        match rule.text("conditionSelected") {
            ">" => one > two,
            ">=" => one >= two,
            "<" => one < two,
            "<=" => one <= two,
            "!=" => one != two,
            _ => one == two,
        }
    }
}
