//! Jira Cloud, REST v3, as one state machine: a request and a time in, an answer out.
//!
//! The module owns the emulated site: users, projects, issues, workflow, search index, bulk tasks and rate limits. It
//! opens no socket and reads no clock. Its facts are those of Atlassian's OpenAPI document and of answers recorded
//! from real sites; a behaviour names its source as "Jira REST v3: …" or "recorded from Jira Cloud". An operation
//! under `/rest/api` that it does not know it answers with 501.
//!
//! ```text
//! handle ─▶ route ─▶ credentials ─▶ windows, faults, quotas ─▶ handler ─▶ headers
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::emulators::journal::{Actor, Journal};
use crate::emulators::{Request, Response};

mod adf;
mod admission;
mod bulk;
mod changes;
mod comments;
mod fields;
mod index;
mod issue;
mod issues;
mod jql;
mod limits;
mod matching;
mod meta;
mod moment;
mod projects;
mod properties;
mod render;
mod reply;
mod route;
mod search;
mod transitions;
mod users;
mod verbs;
pub mod workflow;

#[cfg(test)]
mod shapes;
#[cfg(test)]
mod stories;

pub use issue::{Comment, History, HistoryItem, Issue, RemoteLink};
pub use limits::{Fault, FaultKind};
pub use users::{Role, User};
pub use workflow::Workflow;

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

/// A company-managed project.
#[derive(Clone, Debug)]
pub struct Project {
    /// Id.
    pub id: u64,
    /// Key.
    pub key: String,
    /// Name.
    pub name: String,
    /// Everybody gets 404, as when a permission was taken away.
    pub is_hidden: bool,
    next_number: u64,
}

/// The emulated site.
#[derive(Clone, Debug)]
pub struct Jira {
    /// The workflow of all projects; tests change it to open holes.
    pub workflow: Workflow,
    /// How long a change stays invisible to JQL search (Jira Cloud: search and reconcile). Default 0.
    pub search_lag: SignedDuration,
    /// Of 1,000 index hits, how many a search leaves out although they match: visibility is not monotonic. Default 0.
    pub search_flicker_permille: u64,
    /// Rows on a search page when more than id and key are asked for. Default 100; Jira chooses freely.
    pub search_wide_page: usize,
    /// How long a bulk task runs. Default 0: done at the next request.
    pub bulk_delay: SignedDuration,
    /// After how many issues a bulk task dies: status `DEAD`, the rest undone. Default never.
    pub bulk_dies_after: Option<usize>,
    /// Whether burst and per-issue limits refuse. Default false; Retry-After windows of faults always bind.
    pub quotas_enabled: bool,
    /// Faults that wait for a request, in order.
    pub faults: VecDeque<Fault>,
    /// The most comments on one issue. Default 5,000 (Jira REST v3: issue limit report).
    pub comment_cap: usize,
    /// Custom fields that are on all screens: id to name.
    pub custom_fields: BTreeMap<String, String>,
    /// Permissions taken from an account, by account id.
    pub revoked: BTreeMap<String, BTreeSet<String>>,
    /// Requests by operation, refused and dropped ones too.
    pub counts: BTreeMap<String, u64>,
    site: String,
    users: Vec<User>,
    projects: BTreeMap<u64, Project>,
    issues: BTreeMap<u64, Issue>,
    keys: HashMap<String, u64>,
    index: index::Index,
    cursors: HashMap<String, search::Cursor>,
    tasks: BTreeMap<u64, bulk::Task>,
    limits: limits::Limits,
    next_id: u64,
    next_history: u64,
    requests: u64,
}

impl Jira {
    /// An empty site. `site` is the base of all `self` links, such as `http://127.0.0.1:9999`.
    pub fn new(site: &str) -> Jira {
        Jira {
            workflow: Workflow::directed(),
            search_lag: SignedDuration::ZERO,
            search_flicker_permille: 0,
            search_wide_page: 100,
            bulk_delay: SignedDuration::ZERO,
            bulk_dies_after: None,
            quotas_enabled: false,
            faults: VecDeque::new(),
            comment_cap: 5_000,
            custom_fields: BTreeMap::new(),
            revoked: BTreeMap::new(),
            counts: BTreeMap::new(),
            site: site.trim_end_matches('/').to_owned(),
            users: Vec::new(),
            projects: BTreeMap::new(),
            issues: BTreeMap::new(),
            keys: HashMap::new(),
            index: index::Index::default(),
            cursors: HashMap::new(),
            tasks: BTreeMap::new(),
            limits: limits::Limits::default(),
            next_id: 10_000,
            next_history: 20_000,
            requests: 0,
        }
    }

    /// Answers a request. Never fails: what it does not know is 501, or 404 outside `/rest/api`.
    pub fn handle(&mut self, request: &Request, now: Timestamp, journal: &mut Journal) -> Answered {
        self.answer(request, now, journal)
    }

    /// Adds an active user in the project role and group of the part; the e-mail address is made from the name.
    pub fn add_user(&mut self, role: Role, name: &str) -> User {
        let number = self.users.len() + 1;
        let mailbox: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '.'
                }
            })
            .collect();
        let user = User {
            account_id: format!(
                "557058:{:08x}-0000-4000-8000-{number:012x}",
                0xa5af_0000_u64 + number as u64
            ),
            email: format!("{mailbox}@example.com"),
            token: format!("ATATT-emulated-{number:04}"),
            display_name: name.to_owned(),
            role,
            active: true,
            groups: vec![role.group().1.to_owned(), "jira-software-users".to_owned()],
        };
        self.users.push(user.clone());
        user
    }

    /// Adds a company-managed project and gives its id. A key that exists already gives the existing id.
    pub fn add_project(&mut self, key: &str, name: &str) -> u64 {
        if let Some(known) = self.projects.values().find(|project| project.key == key) {
            return known.id;
        }
        let id = 10_000 + self.projects.len() as u64;
        let project = Project {
            id,
            key: key.to_owned(),
            name: name.to_owned(),
            is_hidden: false,
            next_number: 1,
        };
        self.projects.insert(id, project);
        id
    }

    /// The first active user of a part.
    pub fn user(&self, role: Role) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.role == role && user.active)
    }

    /// A user by account id, to deactivate, or to let a token expire.
    pub fn user_mut(&mut self, account_id: &str) -> Option<&mut User> {
        self.users
            .iter_mut()
            .find(|user| user.account_id == account_id)
    }

    /// A project by key, to hide or rename.
    pub fn project_mut(&mut self, key: &str) -> Option<&mut Project> {
        self.projects
            .values_mut()
            .find(|project| project.key == key)
    }

    /// The projects, by id.
    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.projects.values()
    }

    /// All issues, by id.
    pub fn issues(&self) -> impl Iterator<Item = &Issue> {
        self.issues.values()
    }

    /// An issue by id or key; keys from before a move still lead to it.
    pub fn issue(&self, id_or_key: &str) -> Option<&Issue> {
        self.issues.get(&self.issue_id(id_or_key)?)
    }

    /// Finishes the bulk tasks whose time has come. Every request does this first.
    pub fn settle(&mut self, now: Timestamp, journal: &mut Journal) {
        self.run_due_tasks(now, journal);
        self.index.settle(now, self.search_lag);
    }

    fn issue_id(&self, id_or_key: &str) -> Option<u64> {
        match id_or_key.parse() {
            Ok(id) => self.issues.contains_key(&id).then_some(id),
            Err(_) => self.keys.get(&id_or_key.to_ascii_uppercase()).copied(),
        }
    }

    fn account(&self, account_id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.account_id == account_id)
    }

    /// A project by key, or by id.
    fn project(&self, id_or_key: &str) -> Option<&Project> {
        match id_or_key.parse::<u64>() {
            Ok(id) => self.projects.get(&id),
            Err(_) => self
                .projects
                .values()
                .find(|project| project.key.eq_ignore_ascii_case(id_or_key)),
        }
    }

    /// A project by key, id or name, as JQL allows.
    fn project_by_any_name(&self, text: &str) -> Option<&Project> {
        self.project(text).or_else(|| {
            self.projects
                .values()
                .find(|project| project.name.eq_ignore_ascii_case(text))
        })
    }

    fn may(&self, account_id: &str, permission: &str) -> bool {
        self.account(account_id).is_some_and(|user| {
            let revoked = self
                .revoked
                .get(account_id)
                .is_some_and(|keys| keys.contains(permission));
            user.active && user.role.may(permission) && !revoked
        })
    }

    fn sees(&self, account_id: &str, project: u64) -> bool {
        self.may(account_id, "BROWSE_PROJECTS")
            && self.projects.get(&project).is_some_and(|p| !p.is_hidden)
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
}
