//! Jira Cloud, REST v3, as one state machine: a request and a time in, an answer out.
//!
//! The module owns the emulated site: people, permissions, projects, workflows, issues, search index, tasks, webhooks and
//! rate limits. It opens no socket and reads no clock. Its facts are those of Atlassian's OpenAPI document and of answers
//! recorded from real sites; a behaviour names its source as "Jira REST v3: …" or "recorded from Jira Cloud". An operation
//! under a known base that it does not know it answers with 501.
//!
//! ```text
//! handle ─▶ route ─▶ windows, faults, quotas ─▶ credentials ─▶ handler ─▶ change ─▶ history, index, journal, webhooks
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use crate::emulators::faults::Faults;
use crate::emulators::journal::{Actor, Journal};
use crate::emulators::{Request, Response};

mod adf;
mod admission;
mod auth;
mod bulk;
mod changelogs;
mod changes;
pub mod claims;
mod comments;
mod condition;
mod edits;
mod faults;
mod fields;
mod index;
mod issue;
mod issues;
mod jql;
mod limits;
mod many_properties;
mod matching;
mod meta;
mod moment;
mod narrowing;
mod packed;
pub mod page;
mod people;
mod permissions;
mod points;
mod projects;
mod properties;
mod remote_links;
mod render;
mod reply;
mod route;
mod routes;
mod search;
mod site;
mod tasks;
mod transitions;
mod verbs;
mod view;
mod webhooks;
pub mod workflows;

#[cfg(test)]
mod shapes;
#[cfg(test)]
mod stories;

pub use faults::FaultKind;
pub use issue::{Comment, History, HistoryItem, Issue, RemoteLink};
pub use packed::Packed;
pub use people::users::{Role, User};
pub use projects::Project;
pub use view::{Open, plain_text};
pub(crate) use webhooks::hooks::EVENTS;
pub use webhooks::{Delivery, Lane, Spread};
pub use workflows::Workflow;

use projects::team_managed;

/// An answer, with the name of the operation that gave it.
#[derive(Debug)]
pub struct Answered {
    /// Method and path as in the OpenAPI document, such as `GET /rest/api/3/issue/{issueIdOrKey}`.
    pub operation: String,
    /// The answer; status 599 stands for an answer that never arrived.
    pub response: Response,
    /// The connection breaks instead of carrying the answer.
    pub dropped: bool,
}

/// The emulated site.
#[derive(Clone, Debug)]
pub struct Jira {
    /// How long a change stays invisible to JQL search (Jira Cloud: search and reconcile). Default 0.
    pub search_lag: SignedDuration,
    /// Of 1,000 index hits, how many a search leaves out although they match: visibility is not monotonic. Default 0.
    pub search_flicker_permille: u64,
    /// Rows on a search page when more than id and key are asked for. Default 100; Jira chooses freely.
    pub search_wide_page: usize,
    /// How long a task runs. Default 0: done at the next request.
    pub bulk_delay: SignedDuration,
    /// Whether burst and per-issue limits refuse. Default false; Retry-After windows of faults always bind.
    pub quotas_enabled: bool,
    /// The points of an hour, as for an app (Jira Cloud: rate limiting). API tokens are not under it: default none.
    pub points_per_hour: Option<u64>,
    /// Whether the plan knows no editing of permissions and roles. Default false.
    pub is_free_plan: bool,
    /// Whether it is Jira Data Center, which has no version 3 of the API. Default false.
    pub is_data_center: bool,
    /// How late webhooks are sent. Default at once, in order.
    pub webhook_spread: Spread,
    /// Faults that wait for a request or for a webhook.
    pub faults: Faults<FaultKind>,
    /// The most comments on one issue. Default 5,000 (Jira REST v3: issue limit report).
    pub comment_cap: usize,
    /// System fields that are on no screen, such as `duedate`.
    pub off_screen: BTreeSet<String>,
    /// Custom fields that are on all screens: id to name.
    pub custom_fields: BTreeMap<String, String>,
    /// The options of custom fields that are select lists, by field id; the others take what they are given.
    pub custom_options: BTreeMap<String, Vec<String>>,
    /// Custom fields that a new issue must have, by project key.
    pub required_fields: BTreeMap<String, BTreeSet<String>>,
    /// The components of a project, by project key.
    pub components: BTreeMap<String, BTreeSet<String>>,
    /// Permissions taken from an account, by account id, whatever its groups and roles.
    pub revoked: BTreeMap<String, BTreeSet<String>>,
    /// Issues that a search did not show although they exist and match: the index lagged or flickered.
    pub left_out: BTreeSet<u64>,
    /// Requests by operation, refused and dropped ones too.
    pub counts: BTreeMap<String, u64>,
    site: String,
    cloud_id: String,
    people: people::People,
    permissions: permissions::Permissions,
    workflows: workflows::Workflows,
    projects: BTreeMap<u64, Project>,
    /// Ids below this were given to projects that are gone.
    past_projects: u64,
    issues: BTreeMap<u64, Issue>,
    keys: HashMap<String, u64>,
    /// The issue of each comment.
    commented: HashMap<u64, u64>,
    subtasks: HashMap<u64, BTreeSet<u64>>,
    index: index::Index,
    cursors: HashMap<String, search::Cursor>,
    tasks: BTreeMap<u64, bulk::Task>,
    long_tasks: BTreeMap<u64, tasks::Task>,
    webhooks: webhooks::Webhooks,
    limits: limits::Limits,
    points: points::Points,
    next_id: u64,
    next_history: u64,
    next_uuid: u64,
    requests: u64,
}

impl Jira {
    /// Answers a request. Never fails: what it does not know is 501, or 404 outside the known bases.
    pub fn handle(&mut self, request: &Request, now: Timestamp, journal: &mut Journal) -> Answered {
        self.answer(request, now, journal)
    }

    /// All issues, by id.
    pub fn issues(&self) -> impl Iterator<Item = &Issue> {
        self.issues.values()
    }

    /// An issue by id or key; keys from before a move still lead to it.
    pub fn issue(&self, id_or_key: &str) -> Option<&Issue> {
        self.issues.get(&self.issue_id(id_or_key)?)
    }

    /// Finishes the tasks whose time has come, and lets search see what is old enough. Every request does this first.
    pub fn settle(&mut self, now: Timestamp, journal: &mut Journal) {
        self.run_due_tasks(now, journal);
        self.run_due_long_tasks(now, journal);
        self.index.settle(now);
    }

    fn issue_id(&self, id_or_key: &str) -> Option<u64> {
        match id_or_key.parse() {
            Ok(id) => self.issues.contains_key(&id).then_some(id),
            Err(_) => self.keys.get(&id_or_key.to_ascii_uppercase()).copied(),
        }
    }

    fn actor(&self, account_id: &str) -> Actor {
        match self.account(account_id) {
            Some(user) if user.role == Role::Bot => Actor::Engine,
            Some(user) => Actor::Person {
                id: user.account_id.clone(),
                role: user.role.word().into(),
            },
            None => Actor::Person {
                id: account_id.to_owned(),
                role: "admin".into(),
            },
        }
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// A UUID that is the same in every run.
    fn new_uuid(&mut self) -> String {
        self.next_uuid += 1;
        let mixed = self.next_uuid.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!(
            "{:08x}-{:04x}-4000-8000-{:012x}",
            mixed >> 32,
            (mixed >> 16) & 0xffff,
            self.next_uuid
        )
    }
}
