//! What a transition does besides moving the issue: its post functions as edits (Jira REST v3: workflow capabilities, post
//! functions).

use serde_json::json;

use crate::emulators::jira::edits::Edit;
use crate::emulators::jira::issue::Issue;
use crate::emulators::jira::workflows::model::{Rule, Transition};
use crate::emulators::jira::{Jira, adf};

/// The effects of a transition's post functions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    pub(crate) edits: Vec<Edit>,
    /// Ids of the webhooks that it triggers.
    pub(crate) webhooks: Vec<u64>,
}

impl Jira {
    /// Parameters that make no sense to a field have no effect, as in Jira: a transition does not fail for them.
    pub(crate) fn effects(&self, transition: &Transition, issue: &Issue, account: &str) -> Effects {
        let mut effects = Effects::default();
        for rule in &transition.actions {
            match rule.key.as_str() {
                "system:update-field" => effects.edits.extend(update_field(rule, issue)),
                "system:change-assignee" => {
                    effects.edits.push(self.new_assignee(rule, issue, account))
                }
                "system:copy-value-from-other-field" => {
                    effects.edits.extend(self.copied(rule, issue));
                }
                "system:trigger-webhook" => effects
                    .webhooks
                    .extend(rule.text("webhookId").parse::<u64>()),
                _ => {}
            }
        }
        effects
    }

    fn new_assignee(&self, rule: &Rule, issue: &Issue, account: &str) -> Edit {
        let lead = self
            .projects
            .get(&issue.project)
            .and_then(|p| p.lead.clone());
        Edit::Assignee(match rule.text("type") {
            "to-selected-user" => Some(rule.text("accountId").to_owned()),
            "to-current-user" => Some(account.to_owned()),
            "to-default-user" => lead,
            _ => None,
        })
    }

    fn copied(&self, rule: &Rule, issue: &Issue) -> Option<Edit> {
        let source = match (rule.text("issueSource"), issue.parent) {
            ("PARENT", Some(parent)) => self.issues.get(&parent)?,
            ("PARENT", None) => return None,
            _ => issue,
        };
        let texts = self.field_texts(source, rule.text("sourceFieldKey"), true);
        let rule = Rule::new(
            "system:update-field",
            &[
                ("field", rule.text("targetFieldKey")),
                ("value", &texts.join(",")),
                ("mode", "replace"),
            ],
        );
        update_field(&rule, issue)
    }
}

/// An empty value clears the field; `append` adds to what is there.
fn update_field(rule: &Rule, issue: &Issue) -> Option<Edit> {
    let value = rule.text("value");
    let appends = rule.text("mode") == "append";
    let full = (!value.is_empty()).then(|| value.to_owned());
    Some(match rule.text("field") {
        "resolution" => Edit::Resolution(full),
        "priority" => Edit::Priority(full?),
        "assignee" => Edit::Assignee(full),
        "duedate" => Edit::DueDate(full),
        "summary" if appends => Edit::Summary(format!("{}{value}", issue.summary)),
        "summary" => Edit::Summary(full?),
        "description" => {
            let before = issue
                .description
                .as_ref()
                .map(|text| adf::text(&text.value()));
            let before = before.filter(|_| appends).unwrap_or_default();
            let text = format!("{before}{value}");
            Edit::Description((!text.is_empty()).then(|| adf::from_text(&text).into()))
        }
        "labels" => {
            let mut labels = if appends {
                issue.labels.clone()
            } else {
                Vec::new()
            };
            labels.extend(
                value
                    .split([',', ' '])
                    .filter(|one| !one.is_empty())
                    .map(Into::into),
            );
            Edit::Labels(labels)
        }
        custom if custom.starts_with("customfield_") => {
            let before = issue.custom.get(custom).and_then(|value| value.as_str());
            let before = before.filter(|_| appends).unwrap_or_default();
            Edit::Custom(custom.to_owned(), json!(format!("{before}{value}")))
        }
        _ => return None,
    })
}
