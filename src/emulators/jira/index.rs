//! The search index: what JQL sees. It may lag behind the issues, as Jira Cloud's does, and never decides anything.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::issue::Issue;

/// An issue as the index knows it.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) id: u64,
    pub(super) project: u64,
    pub(super) number: u64,
    pub(super) kind: String,
    pub(super) parent: Option<u64>,
    pub(super) summary: String,
    pub(super) labels: Vec<String>,
    pub(super) priority: String,
    pub(super) status: u64,
    pub(super) resolution: Option<String>,
    pub(super) reporter: String,
    pub(super) assignee: Option<String>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) resolved: Option<Timestamp>,
}

impl From<&Issue> for Document {
    fn from(issue: &Issue) -> Document {
        Document {
            id: issue.id,
            project: issue.project,
            number: issue.number(),
            kind: issue.kind.clone(),
            parent: issue.parent,
            summary: issue.summary.to_lowercase(),
            labels: issue
                .labels
                .iter()
                .map(|label| label.to_lowercase())
                .collect(),
            priority: issue.priority.clone(),
            status: issue.status,
            resolution: issue.resolution.clone(),
            reporter: issue.reporter.clone(),
            assignee: issue.assignee.clone(),
            created: issue.created,
            updated: issue.updated,
            resolved: issue.resolved,
        }
    }
}

/// Documents with their lookups, and the changes that are not visible yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    documents: BTreeMap<u64, Document>,
    by_label: HashMap<String, BTreeSet<u64>>,
    by_project: HashMap<u64, BTreeSet<u64>>,
    by_number: BTreeMap<(u64, u64), u64>,
    by_updated: BTreeSet<(Timestamp, u64)>,
    /// By the time at which they become visible, then by the order in which they came.
    pending: BTreeMap<(Timestamp, u64), (u64, Option<Document>)>,
    /// When the last waiting change of an issue becomes visible.
    waits: HashMap<u64, Timestamp>,
    noted: u64,
}

impl Index {
    /// Notes that an issue changed, or with `None` that it is gone; visible after `lag`, and never before an earlier
    /// change of the same issue.
    pub(super) fn note(
        &mut self,
        at: Timestamp,
        id: u64,
        document: Option<Document>,
        lag: SignedDuration,
    ) {
        let last = self.waits.get(&id).copied();
        if lag.is_zero() && last.is_none() {
            self.replace(id, document);
            return;
        }
        self.noted += 1;
        let due = last.map_or(at + lag, |last| last.max(at + lag));
        self.waits.insert(id, due);
        self.pending.insert((due, self.noted), (id, document));
    }

    /// Lets the changes through whose time has come.
    pub(super) fn settle(&mut self, now: Timestamp) {
        while let Some(entry) = self.pending.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let ((due, _), (id, document)) = entry.remove_entry();
            if self.waits.get(&id) == Some(&due) {
                self.waits.remove(&id);
            }
            self.replace(id, document);
        }
    }

    pub(super) fn get(&self, id: u64) -> Option<&Document> {
        self.documents.get(&id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }

    /// Issues of which it has nothing yet.
    pub(super) fn unseen(&self) -> impl Iterator<Item = u64> {
        let waiting = self.waits.keys().copied();
        waiting.filter(|id| !self.documents.contains_key(id))
    }

    pub(super) fn len(&self) -> usize {
        self.documents.len()
    }

    pub(super) fn with_label(&self, label: &str) -> Option<&BTreeSet<u64>> {
        self.by_label.get(label)
    }

    pub(super) fn in_project(&self, project: u64) -> Option<&BTreeSet<u64>> {
        self.by_project.get(&project)
    }

    /// The ids of documents updated at or after `from`, oldest first.
    pub(super) fn updated_since(&self, from: Timestamp) -> impl Iterator<Item = u64> {
        self.by_updated.range((from, 0)..).map(|(_, id)| *id)
    }

    /// The ids of a project's documents with at least this number.
    pub(super) fn numbered_from(&self, project: u64, number: u64) -> impl Iterator<Item = u64> {
        let range = (project, number)..=(project, u64::MAX);
        self.by_number.range(range).map(|(_, id)| *id)
    }

    fn replace(&mut self, id: u64, document: Option<Document>) {
        if let Some(old) = self.documents.remove(&id) {
            for label in &old.labels {
                if let Some(ids) = self.by_label.get_mut(label) {
                    ids.remove(&id);
                    if ids.is_empty() {
                        self.by_label.remove(label);
                    }
                }
            }
            if let Some(ids) = self.by_project.get_mut(&old.project) {
                ids.remove(&id);
            }
            self.by_number.remove(&(old.project, old.number));
            self.by_updated.remove(&(old.updated, id));
        }
        if let Some(new) = document {
            for label in &new.labels {
                self.by_label.entry(label.clone()).or_default().insert(id);
            }
            self.by_project.entry(new.project).or_default().insert(id);
            self.by_number.insert((new.project, new.number), id);
            self.by_updated.insert((new.updated, id));
            self.documents.insert(id, new);
        }
    }
}
