//! Whether a rule that a client sends makes sense: a key that the site knows, in its place, with parameters that name
//! what exists.

use std::collections::BTreeSet;

use crate::emulators::jira::Jira;
use crate::emulators::jira::permissions::keys::permission;
use crate::emulators::jira::workflows::capabilities::{Place, REMIND_RULE, RULES, SCREEN_RULE};
use crate::emulators::jira::workflows::model::Rule;
use crate::emulators::jira::workflows::requests::GivenRule;

/// Code, whether it is only a warning, sentence.
type RuleFlaw = (&'static str, bool, String);

impl Jira {
    pub(crate) fn flaws_of_rule(
        &self,
        place: Place,
        given: &GivenRule,
        project: Option<u64>,
        webhooks: &BTreeSet<String>,
    ) -> Vec<RuleFlaw> {
        let rule = Rule::from(given.clone());
        if place == Place::Screen && (rule.key == SCREEN_RULE || rule.key == REMIND_RULE) {
            return self.flaws_of_screen(&rule);
        }
        let Some((_, own, _, parameters)) = RULES.iter().find(|(key, ..)| *key == rule.key) else {
            return vec![error(
                "UNRECOGNISED_RULE_KEY",
                format!("Unrecognised ruleKey: {}", rule.key),
            )];
        };
        if *own != place {
            let text = format!("The rule {} cannot stand there.", rule.key);
            return vec![error("MISPLACED_RULE", text)];
        }
        let mut flaws: Vec<RuleFlaw> = rule
            .parameters
            .keys()
            .filter(|name| !parameters.contains(&name.as_str()))
            .map(|name| {
                error(
                    "UNKNOWN_PARAMETER",
                    format!("The rule {} has no parameter {name}.", rule.key),
                )
            })
            .collect();
        match rule.key.as_str() {
            "system:restrict-issue-transition" => {
                flaws.extend(self.flaws_of_restriction(&rule, project))
            }
            "system:restrict-from-all-users" => {
                let modes = ["users", "usersAndAPI"];
                flaws.extend(one_of(&rule, "restrictMode", &modes));
            }
            "system:separation-of-duties" => {
                flaws.extend(self.flaws_of_statuses(&rule, &["fromStatusId", "toStatusId"]));
            }
            "system:previous-status-condition" | "system:previous-status-validator" => {
                flaws.extend(self.flaws_of_statuses(&rule, &["previousStatusIds"]));
            }
            "system:check-permission-validator" => {
                flaws.extend(flaws_of_keys(&rule, "permissionKey"))
            }
            "system:update-field" => flaws.extend(self.flaws_of_update(&rule)),
            "system:change-assignee" => flaws.extend(self.flaws_of_assignee(&rule)),
            "system:trigger-webhook" if !webhooks.contains(rule.text("webhookId")) => {
                flaws.push(error(
                    "UNKNOWN_WEBHOOK",
                    "The webhook does not exist.".into(),
                ));
            }
            _ => {}
        }
        flaws
    }

    fn flaws_of_screen(&self, rule: &Rule) -> Vec<RuleFlaw> {
        let id = rule.text("screenId");
        let is_known = self.workflows.screens.iter().any(|screen| screen.id == id);
        if rule.key == SCREEN_RULE && !is_known {
            return vec![error(
                "UNKNOWN_SCREEN",
                format!("The screen {id} does not exist."),
            )];
        }
        Vec::new()
    }

    /// Account ids are documented for team-managed projects only (Jira REST v3: restrict issue transition).
    fn flaws_of_restriction(&self, rule: &Rule, project: Option<u64>) -> Vec<RuleFlaw> {
        let mut flaws = flaws_of_keys(rule, "permissionKeys");
        for id in rule.list("roleIds") {
            if self.role(id).is_err() {
                flaws.push(error(
                    "UNKNOWN_ROLE",
                    format!("The project role {id} does not exist."),
                ));
            }
        }
        for id in rule.list("groupIds") {
            if !self.people.groups.contains_key(id) {
                flaws.push(error(
                    "UNKNOWN_GROUP",
                    format!("The group {id} does not exist."),
                ));
            }
        }
        for id in rule.list("accountIds") {
            if !id.starts_with("allow-") && self.account(id).is_none() {
                flaws.push(error(
                    "UNKNOWN_ACCOUNT",
                    format!("The account {id} does not exist."),
                ));
            }
        }
        if !rule.list("accountIds").is_empty() && project.is_none() {
            let text = "accountIds is only supported in team-managed projects.".to_owned();
            flaws.push(("ACCOUNT_IDS_NOT_SUPPORTED", true, text));
        }
        if rule
            .parameters
            .values()
            .all(|value| value.trim().is_empty())
        {
            let text = "The restriction names nobody: no one could take the transition.".to_owned();
            flaws.push(error("EMPTY_RESTRICTION", text));
        }
        flaws
    }

    fn flaws_of_statuses(&self, rule: &Rule, parameters: &[&str]) -> Vec<RuleFlaw> {
        parameters
            .iter()
            .flat_map(|name| rule.list(name))
            .filter(|id| id.parse().ok().and_then(|id| self.status(id)).is_none())
            .map(|id| error("UNKNOWN_STATUS", format!("The status {id} does not exist.")))
            .collect()
    }

    fn flaws_of_update(&self, rule: &Rule) -> Vec<RuleFlaw> {
        let mut flaws = one_of(rule, "mode", &["append", "replace"]);
        let value = rule.text("value");
        let mut known = self.workflows.resolutions.iter();
        if rule.text("field").is_empty() {
            flaws.push(error("MISSING_FIELD", "The rule names no field.".into()));
        }
        if rule.text("field") == "resolution"
            && !value.is_empty()
            && !known.any(|(id, _)| id == value)
        {
            flaws.push(error(
                "UNKNOWN_RESOLUTION",
                format!("The resolution {value} does not exist."),
            ));
        }
        flaws
    }

    fn flaws_of_assignee(&self, rule: &Rule) -> Vec<RuleFlaw> {
        let types = [
            "to-selected-user",
            "to-unassigned",
            "to-current-user",
            "to-default-user",
        ];
        let mut flaws = one_of(rule, "type", &types);
        if rule.text("type") == "to-selected-user" && self.account(rule.text("accountId")).is_none()
        {
            flaws.push(error(
                "UNKNOWN_ACCOUNT",
                "The selected user does not exist.".into(),
            ));
        }
        flaws
    }
}

fn error(code: &'static str, text: String) -> RuleFlaw {
    (code, false, text)
}

fn one_of(rule: &Rule, parameter: &str, allowed: &[&str]) -> Vec<RuleFlaw> {
    let value = rule.text(parameter);
    if allowed.contains(&value) {
        return Vec::new();
    }
    let text = format!(
        "{parameter} must be one of {}, not '{value}'.",
        allowed.join(", ")
    );
    vec![error("INVALID_PARAMETER", text)]
}

fn flaws_of_keys(rule: &Rule, parameter: &str) -> Vec<RuleFlaw> {
    rule.list(parameter)
        .into_iter()
        .filter(|key| permission(key).is_none())
        .map(|key| {
            error(
                "UNKNOWN_PERMISSION",
                format!("The permission {key} does not exist."),
            )
        })
        .collect()
}
