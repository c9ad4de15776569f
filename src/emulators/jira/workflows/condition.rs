//! Whether a transition's conditions hold for an account (Jira REST v3: workflow capabilities, conditions). They bind
//! administrators too (measured on Jira Cloud).

use serde_json::Value;

use crate::emulators::jira::Jira;
use crate::emulators::jira::issue::Issue;
use crate::emulators::jira::permissions::grants::names_user;
use crate::emulators::jira::workflows::model::{ConditionGroup, Rule, Transition};

/// Somebody tries to take a transition of an issue.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) account: &'a str,
    pub(crate) issue: &'a Issue,
    /// Through the API, or in the user interface.
    pub(crate) by_api: bool,
}

impl Jira {
    /// Whether the transition starts where the issue stands and its conditions let the account take it.
    pub(crate) fn is_offered(&self, transition: &Transition, attempt: Attempt<'_>) -> bool {
        let conditions = transition.conditions.as_ref();
        transition.starts_in(attempt.issue.status)
            && self.may_on(attempt.account, "TRANSITION_ISSUES", attempt.issue)
            && conditions.is_none_or(|group| self.group_holds(group, attempt))
    }

    fn group_holds(&self, group: &ConditionGroup, attempt: Attempt<'_>) -> bool {
        let rules = group.conditions.iter();
        let within = group.groups.iter();
        let mut verdicts = rules
            .map(|rule| self.condition_holds(rule, attempt))
            .chain(within.map(|group| self.group_holds(group, attempt)))
            .peekable();
        if verdicts.peek().is_none() {
            return true;
        }
        if group.is_any {
            verdicts.any(|holds| holds)
        } else {
            verdicts.all(|holds| holds)
        }
    }

    fn condition_holds(&self, rule: &Rule, attempt: Attempt<'_>) -> bool {
        match rule.key.as_str() {
            "system:restrict-issue-transition" => self.is_among_allowed(rule, attempt),
            "system:restrict-from-all-users" => {
                attempt.by_api && rule.text("restrictMode") == "users"
            }
            "system:separation-of-duties" => is_another_person(rule, attempt),
            "system:previous-status-condition" => was_in_status(rule, attempt.issue),
            "system:check-field-value" => self.field_compares(rule, attempt.issue),
            "system:parent-or-child-blocking-condition" => {
                let children = self.children_of(attempt.issue.id);
                let mut children = children.iter().filter_map(|id| self.issues.get(id));
                children.all(|child| names_status(rule, "statusIds", child.status))
            }
            // No approval is ever in progress here.
            "system:block-in-progress-approval" => true,
            _ => false,
        }
    }

    /// True if any criterion is met (Jira REST v3: restrict issue transition). Account ids are documented for
    /// team-managed projects only, and were seen to bind elsewhere too.
    fn is_among_allowed(&self, rule: &Rule, attempt: Attempt<'_>) -> bool {
        let Attempt { account, issue, .. } = attempt;
        let Some(project) = self.projects.get(&issue.project) else {
            return false;
        };
        let denied = rule.list("denyUserCustomFields");
        let is_account = |named: &&str| match *named {
            "allow-assignee" => issue.assignee.as_deref() == Some(account),
            "allow-reporter" => issue.reporter == account,
            named => named == account,
        };
        let is_role = |id: &&str| {
            let id = id.parse().unwrap_or(0);
            self.holds_role(account, id, project)
        };
        let among = |name: &str, fits: &dyn Fn(&&str) -> bool| rule.list(name).iter().any(fits);
        among("accountIds", &is_account)
            || among("roleIds", &is_role)
            || among("groupIds", &|id| self.people.is_in_group(account, id))
            || among("permissionKeys", &|key| {
                self.has_any_permission(account, key, issue)
            })
            || among("groupCustomFields", &|field| {
                self.names_group(issue, field, account)
            })
            || among("allowUserCustomFields", &|field| {
                names_user(issue, field, account)
            })
            || (!denied.is_empty() && !denied.iter().any(|field| names_user(issue, field, account)))
    }

    fn has_any_permission(&self, account: &str, key: &str, issue: &Issue) -> bool {
        self.may_on(account, key, issue) || self.may_globally(account, key)
    }

    /// `fieldValue` is a list of values as JSON text.
    fn field_compares(&self, rule: &Rule, issue: &Issue) -> bool {
        let wanted: Vec<String> = match serde_json::from_str(rule.text("fieldValue")) {
            Ok(Value::Array(list)) => list.iter().map(plain).collect(),
            _ => vec![rule.text("fieldValue").to_owned()],
        };
        let kind = rule.text("comparisonType");
        let found = self.field_texts(issue, rule.text("fieldId"), kind == "OPTIONID");
        let any = |holds: &dyn Fn(&str, &str) -> bool| {
            found
                .iter()
                .any(|have| wanted.iter().any(|want| holds(have, want)))
        };
        let order = |a: &str, b: &str| match (kind, a.parse::<f64>(), b.parse::<f64>()) {
            ("NUMBER", Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => a.cmp(b),
        };
        match rule.text("comparator") {
            "=" => any(&|a, b| order(a, b).is_eq()),
            "!=" => !any(&|a, b| order(a, b).is_eq()),
            ">" => any(&|a, b| order(a, b).is_gt()),
            ">=" => any(&|a, b| order(a, b).is_ge()),
            "<" => any(&|a, b| order(a, b).is_lt()),
            "<=" => any(&|a, b| order(a, b).is_le()),
            _ => false,
        }
    }

    /// The values of a field as texts: names, or ids.
    pub(crate) fn field_texts(&self, issue: &Issue, field: &str, as_ids: bool) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match field {
            "summary" => one(&issue.summary),
            "description" => {
                let text = issue.description.as_ref().map(|packed| packed.value());
                text.map(|value| vec![super::super::adf::text(&value)])
                    .unwrap_or_default()
            }
            "labels" => issue.labels.clone(),
            "priority" if as_ids => one(&issue.priority),
            "priority" => one(super::super::meta::priority_name(&issue.priority)),
            "resolution" if as_ids => issue.resolution.clone().into_iter().collect(),
            "resolution" => {
                let name = |id: &String| self.workflows.resolution_name(id);
                issue.resolution.iter().map(name).collect()
            }
            "assignee" => issue.assignee.clone().into_iter().collect(),
            "reporter" | "creator" => one(&issue.reporter),
            "components" => issue.components.clone(),
            "duedate" => issue.due_date.clone().into_iter().collect(),
            "created" => one(&issue.created.to_string()),
            "updated" => one(&issue.updated.to_string()),
            custom => match issue.custom.get(custom) {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Array(list)) => list.iter().map(plain).collect(),
                Some(value) => vec![plain(value)],
            },
        }
    }
}

/// A value as people read it: a text, a number, an option's value.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(option) => ["value", "name", "id"]
            .into_iter()
            .find_map(|member| option.get(member)?.as_str())
            .unwrap_or_default()
            .to_owned(),
        other => other.to_string(),
    }
}

/// Whether someone else moved the issue from the one status to the other (Jira REST v3: separation of duties).
fn is_another_person(rule: &Rule, attempt: Attempt<'_>) -> bool {
    let (from, to) = (rule.text("fromStatusId"), rule.text("toStatusId"));
    let moves = |value: &Option<String>, wanted: &str| {
        wanted.is_empty() || value.as_deref() == Some(wanted)
    };
    !attempt.issue.history.iter().any(|history| {
        history.author == attempt.account
            && history.items.iter().any(|item| {
                item.field_id == "status" && moves(&item.from, from) && moves(&item.to, to)
            })
    })
}

/// Whether the issue was in a status before (Jira REST v3: previous status condition and validator).
pub(crate) fn was_in_status(rule: &Rule, issue: &Issue) -> bool {
    let is_true = |name: &str| rule.text(name).eq_ignore_ascii_case("true");
    let mut left: Vec<(u64, u64)> = Vec::new();
    for item in issue.history.iter().flat_map(|history| &history.items) {
        let id = |value: &Option<String>| value.as_ref().and_then(|id| id.parse().ok());
        if item.field_id == "status"
            && let (Some(from), Some(to)) = (id(&item.from), id(&item.to))
        {
            left.push((from, to));
        }
    }
    if is_true("ignoreLoopTransitions") {
        left.retain(|(from, to)| from != to);
    }
    let mut statuses: Vec<u64> = left.into_iter().map(|(from, _)| from).collect();
    if is_true("mostRecentStatusOnly") {
        statuses = statuses.last().copied().into_iter().collect();
    }
    if is_true("includeCurrentStatus") {
        statuses.push(issue.status);
    }
    let was = statuses
        .iter()
        .any(|status| names_status(rule, "previousStatusIds", *status));
    was != is_true("not")
}

pub(crate) fn names_status(rule: &Rule, parameter: &str, status: u64) -> bool {
    let id = status.to_string();
    rule.list(parameter).contains(&id.as_str())
}
