//! The search index: what JQL sees. It may lag behind the issues, as Jira Cloud's does, and never decides anything.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::issue::Issue;

/// An issue as the index knows it.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) id: u64,
    pub(super) project: u64,
    pub(super) number: u64,
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
    by_updated: BTreeSet<(Timestamp, u64)>,
    pending: VecDeque<(Timestamp, u64, Option<Document>)>,
}

impl Index {
    /// Notes that an issue changed, or with `None` that it is gone; visible after `lag`.
    pub(super) fn note(
        &mut self,
        at: Timestamp,
        id: u64,
        document: Option<Document>,
        lag: SignedDuration,
    ) {
        if lag.is_zero() && self.pending.is_empty() {
            self.replace(id, document);
        } else {
            self.pending.push_back((at, id, document));
        }
    }

    /// Lets the changes through that are at least `lag` old.
    pub(super) fn settle(&mut self, now: Timestamp, lag: SignedDuration) {
        while self
            .pending
            .front()
            .is_some_and(|(at, ..)| *at + lag <= now)
        {
            if let Some((_, id, document)) = self.pending.pop_front() {
                self.replace(id, document);
            }
        }
    }

    pub(super) fn get(&self, id: u64) -> Option<&Document> {
        self.documents.get(&id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }

    pub(super) fn with_label(&self, label: &str) -> Option<&BTreeSet<u64>> {
        self.by_label.get(label)
    }

    pub(super) fn in_project(&self, project: u64) -> Option<&BTreeSet<u64>> {
        self.by_project.get(&project)
    }

    /// The ids of documents updated at or after `from`.
    pub(super) fn updated_since(&self, from: Timestamp) -> BTreeSet<u64> {
        self.by_updated
            .range((from, 0)..)
            .map(|(_, id)| *id)
            .collect()
    }

    fn replace(&mut self, id: u64, document: Option<Document>) {
        if let Some(old) = self.documents.remove(&id) {
            for label in &old.labels {
                if let Some(ids) = self.by_label.get_mut(label) {
                    ids.remove(&id);
                }
            }
            if let Some(ids) = self.by_project.get_mut(&old.project) {
                ids.remove(&id);
            }
            self.by_updated.remove(&(old.updated, id));
        }
        if let Some(new) = document {
            for label in &new.labels {
                self.by_label.entry(label.clone()).or_default().insert(id);
            }
            self.by_project.entry(new.project).or_default().insert(id);
            self.by_updated.insert((new.updated, id));
            self.documents.insert(id, new);
        }
    }
}
