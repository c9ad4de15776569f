//! Transitions of one issue: which are open to whom, and the three ways in which Jira says no.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::fields::off_screen;
use super::properties::read_properties;
use super::reply::{Outcome, bad_payload, field_refusal, no_content, ok, refusal};
use super::route::Call;
use super::workflow::{Transition, status_json};
use super::{Jira, Role};

impl Jira {
    /// Only what the caller may take now; an unknown `transitionId` gives an empty list (recorded from Jira Cloud).
    pub(super) fn get_transitions(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let status = self.issues.get(&id).map_or(0, |issue| issue.status);
        let only = call.query("transitionId").map(ToOwned::to_owned);
        let with_fields = call
            .query_list("expand")
            .iter()
            .any(|one| one == "transitions.fields");
        let transitions: Vec<Value> = self
            .workflow
            .transitions
            .iter()
            .filter(|transition| only.as_ref().is_none_or(|id| transition.id.to_string() == *id))
            .filter(|transition| self.is_open(&call.user.account_id, call.user.role, transition, status))
            .filter_map(|transition| {
                let to = self.workflow.status(transition.to)?;
                let mut row = json!({
                    "id": transition.id.to_string(), "name": transition.name,
                    "to": status_json(to, &self.site, call.version), "hasScreen": false,
                    "isGlobal": transition.from.is_empty(), "isInitial": false, "isAvailable": true,
                    "isConditional": transition.allowed.is_some(), "looped": transition.to == status,
                });
                if with_fields {
                    row["fields"] = json!({});
                }
                Some(row)
            })
            .collect();
        ok(json!({"expand": "transitions", "transitions": transitions}))
    }

    /// 204, or 400 with a text that does not say why (measured on Jira Cloud). No transition here has a screen, so
    /// fields and comments in the body are refused.
    pub(super) fn do_transition(&mut self, call: &mut Call<'_>) -> Outcome {
        let id = self.visible_issue(call, call.param(0))?;
        let transition = call.body["transition"]["id"].clone();
        if transition.is_null() {
            return Err(refusal(400, "Missing 'transition' identifier"));
        }
        let members = ["fields", "update"]
            .into_iter()
            .filter_map(|part| call.body[part].as_object());
        let errors: serde_json::Map<String, Value> = members
            .flatten()
            .map(|(name, _)| (name.clone(), json!(off_screen(name))))
            .collect();
        if !errors.is_empty() {
            return Err(field_refusal(errors));
        }
        let properties = read_properties(&call.body["properties"])?;
        let metadata = call.body["historyMetadata"]
            .is_object()
            .then(|| call.body["historyMetadata"].clone());
        self.transition_once(call, id, &transition, metadata)
            .map_err(|text| refusal(400, text))?;
        for (key, value) in properties {
            self.set_property(&call.stamp(), id, key, value, call.journal);
        }
        no_content()
    }

    /// Takes a transition by id (text or number) if it is open to the caller; the error is Jira's text.
    pub(super) fn transition_once(
        &mut self,
        call: &mut Call<'_>,
        id: u64,
        transition: &Value,
        metadata: Option<Value>,
    ) -> Result<(), String> {
        let asked = transition
            .as_str()
            .map_or_else(|| transition.to_string(), ToOwned::to_owned);
        let chosen =
            self.open_transition(&call.user.account_id, call.user.role, id, &asked, call.now)?;
        let stamp = call.stamp();
        self.set_status(
            &stamp,
            id,
            chosen.to,
            &chosen.resolution,
            metadata,
            call.journal,
        );
        Ok(())
    }

    /// The transition if it may be taken now, else the text that Jira gives.
    pub(super) fn open_transition(
        &self,
        account: &str,
        role: Role,
        id: u64,
        asked: &str,
        now: jiff::Timestamp,
    ) -> Result<Transition, String> {
        let unknown = || format!("Transition id '{asked}' is not valid for this issue.");
        let transition = self.workflow.transition(asked).ok_or_else(unknown)?;
        let issue = self.issues.get(&id).ok_or_else(unknown)?;
        if self.is_open(account, role, transition, issue.status) {
            return Ok(transition.clone());
        }
        // Two callers at once: the loser finds the issue already moved, and Jira says so in other words.
        let recent = issue.history.iter().rev();
        let has_just_moved = !transition.from.contains(&issue.status)
            && recent
                .take_while(|history| {
                    now.duration_since(history.created) < SignedDuration::from_secs(1)
                })
                .any(|history| history.items.iter().any(|item| item.field_id == "status"));
        Err(if has_just_moved {
            format!("Action {asked} is invalid")
        } else {
            format!(
                "Can't move ({}). You might not have permission, or the work item is missing required information. \
                 If you keep having this problem, contact your Jira administrator.",
                issue.key
            )
        })
    }

    fn is_open(&self, account: &str, role: Role, transition: &Transition, status: u64) -> bool {
        self.may(account, "TRANSITION_ISSUES") && transition.is_open_to(role, status)
    }
}

/// The transition id of a bulk input: text by the schema, a number from lenient clients.
pub(super) fn transition_id(value: &Value) -> Result<String, super::reply::Reply> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(bad_payload()),
    }
}
