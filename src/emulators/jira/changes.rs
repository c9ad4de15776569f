//! The only place that changes issues: each change keeps history, index, journal and webhooks in step.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::Jira;
use super::edits::Edit;
use super::index::Document;
use super::issue::{Comment, History, HistoryItem, Issue};
use super::packed::Packed;
use super::webhooks::events::Event;
use crate::emulators::journal::{Change, Journal};

/// Who changes something, and when.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub(super) account: String,
    pub(super) at: Timestamp,
    /// In a bulk operation: whether it mails everybody.
    pub(super) bulk: Option<bool>,
    /// The change becomes visible to search later than others: a fault.
    pub(super) lag: jiff::SignedDuration,
}

impl Stamp {
    pub(super) fn new(account: &str, at: Timestamp) -> Stamp {
        Stamp {
            account: account.to_owned(),
            at,
            bulk: None,
            lag: jiff::SignedDuration::ZERO,
        }
    }
}

/// Changes of one issue that belong together: one change group of the changelog, one webhook.
#[derive(Clone, Debug, Default)]
pub(super) struct Alteration {
    /// The status that the issue enters.
    pub(super) status: Option<u64>,
    /// Edits of fields; comments among them are made afterwards.
    pub(super) edits: Vec<Edit>,
    /// `historyMetadata` as the caller gave it.
    pub(super) metadata: Option<Value>,
}

/// What a new issue is made of.
pub(super) struct Draft {
    pub(super) project: u64,
    pub(super) kind: String,
    pub(super) edits: Vec<Edit>,
    pub(super) properties: BTreeMap<String, Packed>,
}

impl Jira {
    /// Adds an issue in the initial status of its workflow and gives its id.
    pub(super) fn insert_issue(
        &mut self,
        stamp: &Stamp,
        draft: Draft,
        journal: &mut Journal,
    ) -> u64 {
        let Draft {
            project,
            kind,
            edits,
            properties,
        } = draft;
        let id = self.take_id();
        let key = self.next_key(project);
        let workflow = self.workflow_of(project, &kind);
        let initial = workflow.and_then(|workflow| workflow.initial()).cloned();
        let status = initial.as_ref().and_then(|transition| transition.to);
        let mut issue = Issue {
            status: status.unwrap_or(0),
            properties,
            ..Issue::new(id, key.clone(), (project, kind), &stamp.account, stamp.at)
        };
        self.apply(&mut issue, edits, stamp.at);
        if let Some(initial) = initial {
            // Webhooks of the create transition are never delivered (Jira Cloud: webhooks).
            let effects = self.effects(&initial, &issue, &stamp.account);
            self.apply(&mut issue, effects.edits, stamp.at);
        }
        let properties = issue.properties.iter();
        let properties = properties.map(|(key, value)| (key.clone(), value.value()));
        let change = Change::TicketCreated {
            id,
            key: key.clone(),
            labels: issue.labels.clone(),
            properties: Value::Object(properties.collect()),
        };
        self.keys.insert(key, id);
        if let Some(parent) = issue.parent {
            self.subtasks.entry(parent).or_default().insert(id);
        }
        let lag = self.search_lag + stamp.lag;
        self.index
            .note(stamp.at, id, Some(Document::from(&issue)), lag);
        self.issues.insert(id, issue);
        journal.push(stamp.at, self.actor(&stamp.account), change);
        self.tell(stamp, Event::Created, id);
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

    /// Changes one issue: status and fields in one change group, none when nothing differs; then its comments.
    pub(super) fn alter(
        &mut self,
        stamp: &Stamp,
        id: u64,
        alteration: Alteration,
        journal: &mut Journal,
    ) {
        let Some(mut issue) = self.issues.remove(&id) else {
            return;
        };
        let Alteration {
            status,
            edits,
            metadata,
        } = alteration;
        let comments: Vec<Packed> = edits
            .iter()
            .filter_map(|edit| match edit {
                Edit::Comment(body) => Some(body.clone()),
                _ => None,
            })
            .collect();
        let mut items = self.apply(&mut issue, edits, stamp.at);
        let fields: Vec<String> = items.iter().map(|item| item.field_id.clone()).collect();
        let from = issue.status;
        let to = status.unwrap_or(from);
        if status.is_some() {
            issue.status = to;
            issue.moved = stamp.at;
        }
        let (from_name, to_name) = (self.status_name(from), self.status_name(to));
        if from != to {
            let old = Some((from.to_string(), from_name.clone()));
            let new = Some((to.to_string(), to_name.clone()));
            items.push(HistoryItem::ids("status", old, new));
        }
        let key = issue.key.clone();
        self.issues.insert(id, issue);
        let is_move = status.is_some();
        if is_move || !items.is_empty() {
            self.record(stamp, id, items.clone(), metadata);
        }
        let actor = self.actor(&stamp.account);
        if from != to {
            let change = Change::TicketMoved {
                id,
                key,
                from: from_name,
                to: to_name,
            };
            journal.push(stamp.at, actor, change);
        } else if !fields.is_empty() {
            journal.push(stamp.at, actor, Change::TicketEdited { id, key, fields });
        }
        if !items.is_empty() {
            self.tell(stamp, Event::Updated { items, is_move }, id);
        }
        for body in comments {
            self.add_comment(stamp, id, body, BTreeMap::new(), Value::Null, journal);
        }
    }

    /// Applies edits; one change group for all of them, none when nothing differs.
    pub(super) fn edit(&mut self, stamp: &Stamp, id: u64, edits: Vec<Edit>, journal: &mut Journal) {
        let alteration = Alteration {
            edits,
            ..Alteration::default()
        };
        self.alter(stamp, id, alteration, journal);
    }

    /// Adds a comment and gives its id.
    pub(super) fn add_comment(
        &mut self,
        stamp: &Stamp,
        id: u64,
        body: Packed,
        properties: BTreeMap<String, Packed>,
        visibility: Value,
        journal: &mut Journal,
    ) -> u64 {
        let comment_id = self.take_id();
        let Some(issue) = self.issues.get_mut(&id) else {
            return comment_id;
        };
        let author = stamp.account.clone();
        let value = body.value();
        issue.comments.push(Comment {
            id: comment_id,
            editor: author.clone(),
            author,
            body,
            created: stamp.at,
            updated: stamp.at,
            properties,
            visibility,
        });
        let key = issue.key.clone();
        self.commented.insert(comment_id, id);
        self.record(stamp, id, Vec::new(), None);
        let change = Change::TicketCommented {
            id,
            key,
            body: value,
        };
        journal.push(stamp.at, self.actor(&stamp.account), change);
        self.tell(stamp, Event::Commented(comment_id), id);
        comment_id
    }

    /// Notes that comments, properties or links changed: the journal knows, the changelog does not.
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
        self.tell(stamp, Event::Deleted, id);
        self.forget_issue(stamp, id, journal);
    }

    /// The same without a webhook, as when a whole project is deleted (Jira Cloud: webhooks).
    pub(super) fn forget_issue(&mut self, stamp: &Stamp, id: u64, journal: &mut Journal) {
        let Some(issue) = self.issues.remove(&id) else {
            return;
        };
        for comment in &issue.comments {
            self.commented.remove(&comment.id);
        }
        if let Some(siblings) = issue.parent.and_then(|id| self.subtasks.get_mut(&id)) {
            siblings.remove(&id);
        }
        for key in issue.former_keys.iter().chain([&issue.key]) {
            self.keys.remove(key);
        }
        let lag = self.search_lag + stamp.lag;
        self.index.note(stamp.at, id, None, lag);
        let change = Change::TicketDeleted { id, key: issue.key };
        journal.push(stamp.at, self.actor(&stamp.account), change);
    }

    /// Moves an issue to another project, where it is of a type: a new key, the same id; the old key still leads to it. A
    /// status that the new workflow does not have becomes its initial one.
    pub(super) fn move_issue(
        &mut self,
        stamp: &Stamp,
        id: u64,
        (project, kind): (u64, &str),
        journal: &mut Journal,
    ) -> String {
        let key = self.next_key(project);
        let name = |jira: &Jira, id: u64| {
            jira.projects
                .get(&id)
                .map(|p| (p.id.to_string(), p.name.clone()))
        };
        let Some((old, old_key, status)) = self
            .issues
            .get(&id)
            .map(|issue| (issue.project, issue.key.clone(), issue.status))
        else {
            return key;
        };
        let mut items = vec![
            HistoryItem::ids("project", name(self, old), name(self, project)),
            HistoryItem::text("Key", &old_key, &key),
        ];
        let workflow = self.workflow_of(project, kind);
        let fallback = workflow
            .filter(|workflow| !workflow.has_status(status))
            .and_then(|workflow| workflow.initial()?.to);
        if let Some(to) = fallback {
            let pair = |id: u64| Some((id.to_string(), self.status_name(id)));
            items.push(HistoryItem::ids("status", pair(status), pair(to)));
        }
        if let Some(issue) = self.issues.get_mut(&id) {
            issue.project = project;
            kind.clone_into(&mut issue.kind);
            issue.status = fallback.unwrap_or(status);
            let former = std::mem::replace(&mut issue.key, key.clone());
            issue.former_keys.push(former);
        }
        self.keys.insert(key.clone(), id);
        self.record(stamp, id, items.clone(), None);
        let change = Change::TicketEdited {
            id,
            key: key.clone(),
            fields: vec!["project".to_owned(), "key".to_owned()],
        };
        journal.push(stamp.at, self.actor(&stamp.account), change);
        self.tell(
            stamp,
            Event::Updated {
                items,
                is_move: false,
            },
            id,
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
            issue.history.push(History {
                id: self.next_history,
                author: stamp.account.clone(),
                created: stamp.at,
                items,
                metadata,
            });
        }
        let lag = self.search_lag + stamp.lag;
        let document = Document::from(&*issue);
        self.index.note(stamp.at, id, Some(document), lag);
    }
}
