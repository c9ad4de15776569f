//! The rules that the site knows (Jira REST v3: get available workflow capabilities).

use serde_json::{Value, json};

use crate::emulators::jira::Jira;
use crate::emulators::jira::reply::{Outcome, ok, refusal};
use crate::emulators::jira::route::Call;

/// Where in a transition a rule may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Condition,
    Validator,
    Action,
    Screen,
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Place::Condition => "Condition",
            Place::Validator => "Validator",
            Place::Action => "Function",
            Place::Screen => "Screen",
        }
    }
}

/// Key, place, name, and the parameters of each rule; what a service project alone has is left out.
pub(crate) const RULES: [(&str, Place, &str, &[&str]); 15] = [
    (
        "system:restrict-issue-transition",
        Place::Condition,
        "Restrict who can move a work item",
        &[
            "accountIds",
            "roleIds",
            "groupIds",
            "permissionKeys",
            "groupCustomFields",
            "allowUserCustomFields",
            "denyUserCustomFields",
        ],
    ),
    (
        "system:restrict-from-all-users",
        Place::Condition,
        "Hide transition from all users",
        &["restrictMode"],
    ),
    (
        "system:separation-of-duties",
        Place::Condition,
        "Restrict to when a work item has not been moved by the same person",
        &["fromStatusId", "toStatusId"],
    ),
    (
        "system:check-field-value",
        Place::Condition,
        "Restrict to when a field is a specific value",
        &["fieldId", "fieldValue", "comparator", "comparisonType"],
    ),
    (
        "system:previous-status-condition",
        Place::Condition,
        "Restrict to when a work item has been through a specific status",
        &[
            "previousStatusIds",
            "not",
            "mostRecentStatusOnly",
            "includeCurrentStatus",
            "ignoreLoopTransitions",
        ],
    ),
    (
        "system:parent-or-child-blocking-condition",
        Place::Condition,
        "Restrict based on the status of sub-tasks",
        &["blocker", "statusIds"],
    ),
    (
        "system:block-in-progress-approval",
        Place::Condition,
        "Block until approved",
        &[],
    ),
    (
        "system:check-permission-validator",
        Place::Validator,
        "Validate that people have a permission",
        &["permissionKey"],
    ),
    (
        "system:validate-field-value",
        Place::Validator,
        "Validate a field",
        &[
            "ruleType",
            "fieldsRequired",
            "ignoreContext",
            "errorMessage",
            "groupsExemptFromValidation",
            "fieldKey",
            "excludeSubtasks",
            "regexp",
            "date1FieldKey",
            "date2FieldKey",
            "includeTime",
            "conditionSelected",
            "numberOfDays",
        ],
    ),
    (
        "system:previous-status-validator",
        Place::Validator,
        "Validate that a work item has been through a specific status",
        &["previousStatusIds", "mostRecentStatusOnly"],
    ),
    (
        "system:parent-or-child-blocking-validator",
        Place::Validator,
        "Validate the status of the parent",
        &["blocker", "statusIds"],
    ),
    (
        "system:update-field",
        Place::Action,
        "Update a field",
        &["field", "value", "mode"],
    ),
    (
        "system:change-assignee",
        Place::Action,
        "Assign a work item",
        &["type", "accountId"],
    ),
    (
        "system:copy-value-from-other-field",
        Place::Action,
        "Copy the value of one field to another",
        &["sourceFieldKey", "targetFieldKey", "issueSource"],
    ),
    (
        "system:trigger-webhook",
        Place::Action,
        "Trigger a webhook",
        &["webhookId"],
    ),
];

/// The rule that shows a screen.
pub(crate) const SCREEN_RULE: &str = "system:transition-screen";
/// The rule that reminds people of fields; it changes nothing.
pub(crate) const REMIND_RULE: &str = "system:remind-people-to-update-fields";

impl Jira {
    pub(crate) fn get_workflow_capabilities(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_workflow_admin(call)?;
        let workflow = match (call.query("workflowId"), call.query("projectId")) {
            (Some(id), _) => Some(self.known_workflow(id)?),
            (None, Some(project)) => {
                let project = project.parse().unwrap_or(0);
                let kind = call.query("issueTypeId").unwrap_or_default();
                let text = "The project or the issue type does not exist.";
                let known = self.workflow_of(project, kind);
                Some(known.ok_or_else(|| refusal(400, text))?)
            }
            (None, None) => None,
        };
        let is_own = workflow.is_some_and(|workflow| workflow.project.is_some());
        let screens = [
            (SCREEN_RULE, Place::Screen, "Transition screen"),
            (REMIND_RULE, Place::Screen, "Remind people to update fields"),
        ];
        let rules: Vec<Value> = RULES
            .iter()
            .map(|(key, place, name, _)| (*key, *place, *name))
            .chain(screens)
            .map(|(key, place, name)| {
                json!({
                    "ruleKey": key, "ruleType": place.word(), "name": name, "description": name,
                    "isVisible": true, "incompatibleRuleKeys": [],
                    "isAvailableForInitialTransition": matches!(place, Place::Validator | Place::Action),
                })
            })
            .collect();
        ok(json!({
            "editorScope": if is_own { "PROJECT" } else { "GLOBAL" }, "projectTypes": ["software", "business"],
            "systemRules": rules, "connectRules": [], "forgeRules": [], "triggerRules": [],
        }))
    }
}
