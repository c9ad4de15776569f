//! The only place that changes issues: each change keeps history, index and journal in step.

use jiff::Timestamp;
use serde_json::Value;

use super::fields::Edit;
use super::index::Document;
use super::issue::{Comment, History, HistoryItem, Issue};
use super::workflow::{Resolution, resolution_name};
use super::{Jira, meta};
use crate::emulators::journal::{Change, Journal};

/// Who changes something, and when.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    pub(super) account: String,
    pub(super) at: Timestamp,
}

impl Jira {
    /// Adds an issue in the initial status and gives its id.
    pub(super) fn insert_issue(
        &mut self,
        stamp: &Stamp,
        project: u64,
        edits: Vec<Edit>,
        properties: Vec<(String, Value)>,
        journal: &mut Journal,
    ) -> u64 {
        let id = self.take_id();
        let key = self.next_key(project);
        let mut issue = Issue {
            id,
            key: key.clone(),
            former_keys: Vec::new(),
            project,
            summary: String::new(),
            description: Value::Null,
            labels: Vec::new(),
            priority: "3".into(),
            status: self.workflow.statuses.first().map_or(0, |status| status.id),
            resolution: None,
            resolved: None,
            moved: stamp.at,
            created: stamp.at,
            updated: stamp.at,
            reporter: stamp.account.clone(),
            assignee: None,
            due_date: None,
            custom: Default::default(),
            properties: properties.into_iter().collect(),
            comments: Vec::new(),
            remote_links: Vec::new(),
            history: Vec::new(),
        };
        for edit in edits {
            apply(&mut issue, edit);
        }
        let properties: serde_json::Map<String, Value> =
            issue.properties.clone().into_iter().collect();
        let labels = issue.labels.clone();
        self.keys.insert(key.clone(), id);
        self.index
            .note(stamp.at, id, Some(Document::from(&issue)), self.search_lag);
        self.issues.insert(id, issue);
        let change = Change::TicketCreated {
            id,
            key,
            labels,
            properties: Value::Object(properties),
        };
        journal.push(stamp.at, self.actor(&stamp.account), change);
        id
    }

    fn next_key(&mut self, project: u64) -> String {
        self.projects
            .get_mut(&project)
            .map_or_else(String::new, |project| {
                project.next_number += 1;
                format!("{}-{}", project.key, project.next_number - 1)
            })
    }

    /// Moves an issue to a status, as a transition or an admin's hole does, with its effect on the resolution.
    pub(super) fn set_status(
        &mut self,
        stamp: &Stamp,
        id: u64,
        to: u64,
        resolution: &Resolution,
        metadata: Option<Value>,
        journal: &mut Journal,
    ) {
        let Some(issue) = self.issues.get_mut(&id) else {
            return;
        };
        let from = issue.status;
        let named = |resolution: &Option<String>| {
            resolution
                .clone()
                .map(|id| (id.clone(), resolution_name(&id).into()))
        };
        let before = named(&issue.resolution);
        match resolution {
            Resolution::Keep => {}
            Resolution::Clear => (issue.resolution, issue.resolved) = (None, None),
            Resolution::Set(id) => {
                (issue.resolution, issue.resolved) = (Some((*id).into()), Some(stamp.at))
            }
        }
        let after = named(&issue.resolution);
        issue.status = to;
        issue.moved = stamp.at;
        let key = issue.key.clone();
        let (from_name, to_name) = (
            self.workflow.status_name(from),
            self.workflow.status_name(to),
        );
        let mut items = Vec::new();
        if before != after {
            items.push(HistoryItem::ids("resolution", before, after));
        }
        if from != to {
            let old = Some((from.to_string(), from_name.clone()));
            items.push(HistoryItem::ids(
                "status",
                old,
                Some((to.to_string(), to_name.clone())),
            ));
        }
        self.record(stamp, id, items, metadata);
        if from != to {
            let change = Change::TicketMoved {
                id,
                key,
                from: from_name,
                to: to_name,
            };
            journal.push(stamp.at, self.actor(&stamp.account), change);
        }
    }

    /// Applies edits; one change group for all of them, none when nothing differs.
    pub(super) fn edit(&mut self, stamp: &Stamp, id: u64, edits: Vec<Edit>, journal: &mut Journal) {
        let Some(issue) = self.issues.get_mut(&id) else {
            return;
        };
        let labels_before = issue.labels.join(" ");
        let mut items = Vec::new();
        let mut comments = Vec::new();
        for edit in edits {
            match edit {
                Edit::Comment(body) => comments.push(body),
                other => items.extend(apply(issue, other)),
            }
        }
        let labels = issue.labels.join(" ");
        if labels != labels_before {
            items.push(HistoryItem {
                from: Some(String::new()),
                from_string: Some(labels_before.clone()),
                to: Some(String::new()),
                to_string: Some(labels.clone()),
                ..HistoryItem::text("labels", &labels_before, &labels)
            });
        }
        let key = issue.key.clone();
        if !items.is_empty() {
            let fields = items.iter().map(|item| item.field_id.clone()).collect();
            self.record(stamp, id, items, None);
            journal.push(
                stamp.at,
                self.actor(&stamp.account),
                Change::TicketEdited { id, key, fields },
            );
        }
        for body in comments {
            self.add_comment(stamp, id, body, Value::Array(Vec::new()), journal);
        }
    }

    /// Adds a comment and gives its id.
    pub(super) fn add_comment(
        &mut self,
        stamp: &Stamp,
        id: u64,
        body: Value,
        properties: Value,
        journal: &mut Journal,
    ) -> u64 {
        let comment_id = self.take_id();
        let Some(issue) = self.issues.get_mut(&id) else {
            return comment_id;
        };
        let author = stamp.account.clone();
        issue.comments.push(Comment {
            id: comment_id,
            author,
            body: body.clone(),
            created: stamp.at,
            properties,
        });
        let key = issue.key.clone();
        self.record(stamp, id, Vec::new(), None);
        journal.push(
            stamp.at,
            self.actor(&stamp.account),
            Change::TicketCommented { id, key, body },
        );
        comment_id
    }

    /// Notes that properties or links changed: the journal knows, the changelog and `updated` do not.
    pub(super) fn note_side_edit(
        &mut self,
        stamp: &Stamp,
        id: u64,
        field: String,
        journal: &mut Journal,
    ) {
        if let Some(issue) = self.issues.get(&id) {
            let change = Change::TicketEdited {
                id,
                key: issue.key.clone(),
                fields: vec![field],
            };
            journal.push(stamp.at, self.actor(&stamp.account), change);
        }
    }

    /// Deletes an issue for good: no trash, and its key is never given again (Jira REST v3: delete issue).
    pub(super) fn remove_issue(&mut self, stamp: &Stamp, id: u64, journal: &mut Journal) {
        let Some(issue) = self.issues.remove(&id) else {
            return;
        };
        for key in issue.former_keys.iter().chain([&issue.key]) {
            self.keys.remove(key);
        }
        self.index.note(stamp.at, id, None, self.search_lag);
        journal.push(
            stamp.at,
            self.actor(&stamp.account),
            Change::TicketDeleted { id, key: issue.key },
        );
    }

    /// Moves an issue to another project: a new key, the same id; the old key still leads to it.
    pub(super) fn move_issue(
        &mut self,
        stamp: &Stamp,
        id: u64,
        project: u64,
        journal: &mut Journal,
    ) -> String {
        let key = self.next_key(project);
        let name = |jira: &Jira, id: u64| {
            jira.projects
                .get(&id)
                .map(|p| (p.id.to_string(), p.name.clone()))
        };
        let Some(old) = self
            .issues
            .get(&id)
            .map(|issue| (issue.project, issue.key.clone()))
        else {
            return key;
        };
        let items = vec![
            HistoryItem::ids("project", name(self, old.0), name(self, project)),
            HistoryItem::text("Key", &old.1, &key),
        ];
        if let Some(issue) = self.issues.get_mut(&id) {
            issue.project = project;
            issue
                .former_keys
                .push(std::mem::replace(&mut issue.key, key.clone()));
        }
        self.keys.insert(key.clone(), id);
        self.record(stamp, id, items, None);
        let fields = vec!["project".to_owned(), "key".to_owned()];
        journal.push(
            stamp.at,
            self.actor(&stamp.account),
            Change::TicketEdited {
                id,
                key: key.clone(),
                fields,
            },
        );
        key
    }

    /// Keeps the change group, touches `updated`, and tells the index.
    pub(super) fn record(
        &mut self,
        stamp: &Stamp,
        id: u64,
        items: Vec<HistoryItem>,
        metadata: Option<Value>,
    ) {
        let Some(issue) = self.issues.get_mut(&id) else {
            return;
        };
        issue.updated = stamp.at;
        if !items.is_empty() {
            self.next_history += 1;
            let author = stamp.account.clone();
            issue.history.push(History {
                id: self.next_history,
                author,
                created: stamp.at,
                items,
                metadata,
            });
        }
        self.index
            .note(stamp.at, id, Some(Document::from(&*issue)), self.search_lag);
    }
}

/// Applies one edit and tells what changed. Labels are compared by the caller, after the last edit.
fn apply(issue: &mut Issue, edit: Edit) -> Option<HistoryItem> {
    match edit {
        Edit::Summary(summary) => {
            let before = std::mem::replace(&mut issue.summary, summary);
            (before != issue.summary).then(|| HistoryItem::text("summary", &before, &issue.summary))
        }
        Edit::Description(description) => {
            let before = std::mem::replace(&mut issue.description, description);
            (before != issue.description).then(|| {
                let (old, new) = (
                    super::adf::text(&before),
                    super::adf::text(&issue.description),
                );
                HistoryItem::text("description", &old, &new)
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
            let name = |id: &str| {
                let known = meta::PRIORITIES.iter().find(|(known, _)| *known == id);
                Some((id.to_owned(), known.map_or("", |(_, name)| name).to_owned()))
            };
            let before = std::mem::replace(&mut issue.priority, id);
            (before != issue.priority)
                .then(|| HistoryItem::ids("priority", name(&before), name(&issue.priority)))
        }
        Edit::Assignee(account) => {
            let before = std::mem::replace(&mut issue.assignee, account);
            let pair = |account: &Option<String>| account.clone().map(|id| (id.clone(), id));
            (before != issue.assignee)
                .then(|| HistoryItem::ids("assignee", pair(&before), pair(&issue.assignee)))
        }
        Edit::DueDate(date) => {
            let before = std::mem::replace(&mut issue.due_date, date);
            let text = |date: &Option<String>| date.clone().unwrap_or_default();
            (before != issue.due_date)
                .then(|| HistoryItem::text("duedate", &text(&before), &text(&issue.due_date)))
        }
        Edit::Custom(id, value) => {
            let before = issue
                .custom
                .insert(id.clone(), value.clone())
                .unwrap_or_default();
            let text = |value: &Value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), ToOwned::to_owned)
            };
            (before != value).then(|| HistoryItem::text(&id, &text(&before), &text(&value)))
        }
        Edit::Comment(_) => None,
    }
}

fn add_label(issue: &mut Issue, label: String) {
    if !issue.labels.contains(&label) {
        issue.labels.push(label);
    }
}
