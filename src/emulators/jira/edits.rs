//! A checked change of one field, and what it leaves in the changelog. Knows nothing of permissions.

use serde_json::Value;

use super::issue::{HistoryItem, Issue};
use super::packed::Packed;
use super::{Jira, adf, meta};

/// A checked change of one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Edit {
    Summary(String),
    Description(Option<Packed>),
    Labels(Vec<String>),
    AddLabel(String),
    RemoveLabel(String),
    Priority(String),
    Assignee(Option<String>),
    DueDate(Option<String>),
    Components(Vec<String>),
    AddComponent(String),
    Resolution(Option<String>),
    Parent(u64),
    Custom(String, Value),
    Comment(Packed),
}

impl Edit {
    /// Whether it gives a field a value.
    pub(crate) fn sets(&self, field: &str) -> bool {
        match self {
            Edit::Summary(_) => field == "summary",
            Edit::Description(text) => field == "description" && text.is_some(),
            Edit::Labels(labels) => field == "labels" && !labels.is_empty(),
            Edit::AddLabel(_) => field == "labels",
            Edit::Priority(_) => field == "priority",
            Edit::Assignee(account) => field == "assignee" && account.is_some(),
            Edit::DueDate(date) => field == "duedate" && date.is_some(),
            Edit::Components(names) => field == "components" && !names.is_empty(),
            Edit::AddComponent(_) => field == "components",
            Edit::Resolution(id) => field == "resolution" && id.is_some(),
            Edit::Parent(_) => field == "parent",
            Edit::Custom(id, value) => field == id && !value.is_null(),
            Edit::Comment(_) => field == "comment",
            Edit::RemoveLabel(_) => false,
        }
    }
}

type Pair = Option<(String, String)>;

impl Jira {
    /// Applies edits to an issue and tells what changed; comments are left to the caller.
    pub(super) fn apply(
        &self,
        issue: &mut Issue,
        edits: Vec<Edit>,
        at: jiff::Timestamp,
    ) -> Vec<HistoryItem> {
        let labels_before = issue.labels.join(" ");
        let mut items = Vec::new();
        for edit in edits {
            items.extend(self.apply_one(issue, edit, at));
        }
        let labels = issue.labels.join(" ");
        if labels != labels_before {
            items.push(HistoryItem {
                from: Some(String::new()),
                from_string: Some(labels_before),
                to: Some(String::new()),
                to_string: Some(labels),
                ..HistoryItem::text("labels", "", "")
            });
        }
        items
    }

    fn apply_one(&self, issue: &mut Issue, edit: Edit, at: jiff::Timestamp) -> Option<HistoryItem> {
        match edit {
            Edit::Summary(summary) => {
                let before = std::mem::replace(&mut issue.summary, summary);
                changed_text("summary", &before, &issue.summary)
            }
            Edit::Description(description) => {
                let before = std::mem::replace(&mut issue.description, description);
                let text = |packed: &Option<Packed>| {
                    let value = packed.as_ref().map(Packed::value);
                    value.map_or_else(String::new, |value| adf::text(&value))
                };
                (before != issue.description).then(|| {
                    HistoryItem::text("description", &text(&before), &text(&issue.description))
                })
            }
            Edit::Labels(labels) => {
                issue.labels.clear();
                labels.into_iter().for_each(|label| add_label(issue, label));
                None
            }
            Edit::AddLabel(label) => {
                add_label(issue, label);
                None
            }
            Edit::RemoveLabel(label) => {
                issue.labels.retain(|known| *known != label);
                None
            }
            Edit::Priority(id) => {
                let name = |id: &str| Some((id.to_owned(), meta::priority_name(id).to_owned()));
                let before = std::mem::replace(&mut issue.priority, id);
                changed_ids("priority", name(&before), name(&issue.priority))
            }
            Edit::Assignee(account) => self.assign(issue, account),
            Edit::DueDate(date) => {
                let before = std::mem::replace(&mut issue.due_date, date);
                let text = |date: &Option<String>| date.clone().unwrap_or_default();
                changed_text("duedate", &text(&before), &text(&issue.due_date))
            }
            Edit::Components(names) => {
                let before = std::mem::replace(&mut issue.components, names);
                changed_text(
                    "Component",
                    &before.join(", "),
                    &issue.components.join(", "),
                )
            }
            Edit::AddComponent(name) => {
                let new = !issue.components.contains(&name);
                new.then(|| issue.components.push(name.clone()));
                new.then(|| HistoryItem::text("Component", "", &name))
            }
            Edit::Resolution(id) => self.resolve(issue, id, at),
            Edit::Parent(parent) => {
                issue.parent = Some(parent);
                None
            }
            Edit::Custom(id, value) => self.fill(issue, id, value),
            Edit::Comment(_) => None,
        }
    }

    fn assign(&self, issue: &mut Issue, account: Option<String>) -> Option<HistoryItem> {
        let before = std::mem::replace(&mut issue.assignee, account);
        let pair = |account: &Option<String>| -> Pair {
            let id = account.clone()?;
            let name = self.account(&id).map(|user| user.display_name.clone());
            Some((id.clone(), name.unwrap_or(id)))
        };
        changed_ids("assignee", pair(&before), pair(&issue.assignee))
    }

    /// Setting what is set already renews the date.
    fn resolve(
        &self,
        issue: &mut Issue,
        id: Option<String>,
        at: jiff::Timestamp,
    ) -> Option<HistoryItem> {
        let before = std::mem::replace(&mut issue.resolution, id);
        issue.resolved = issue.resolution.is_some().then_some(at);
        let pair = |id: &Option<String>| -> Pair {
            let id = id.clone()?;
            let name = self.workflows.resolution_name(&id);
            Some((id, name))
        };
        changed_ids("resolution", pair(&before), pair(&issue.resolution))
    }

    fn fill(&self, issue: &mut Issue, id: String, value: Value) -> Option<HistoryItem> {
        let known = issue.custom.insert(id.clone(), value.clone());
        let before = known.unwrap_or_default();
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let item = HistoryItem {
            field: self.field_name(&id),
            ..HistoryItem::text(&id, &text(&before), &text(&value))
        };
        (before != value).then_some(item)
    }
}

fn changed_text(field: &str, before: &str, after: &str) -> Option<HistoryItem> {
    (before != after).then(|| HistoryItem::text(field, before, after))
}

fn changed_ids(field: &str, before: Pair, after: Pair) -> Option<HistoryItem> {
    (before != after).then(|| HistoryItem::ids(field, before, after))
}

fn add_label(issue: &mut Issue, label: String) {
    if !issue.labels.contains(&label) {
        issue.labels.push(label);
    }
}
