//! GitHub (REST API, version 2022-11-28) as one state machine: repositories with branches, commits and files, pull
//! requests with reviews, comments, check runs, and the rate limits of it all.
//!
//! A request and a time in, an answer out; no socket, no clock. Facts are those of docs.github.com; what was seen in
//! practice names where. An operation that it does not know it answers with 501.

mod admission;
mod checks;
pub mod claims;
mod comments;
mod contents;
mod git;
mod limits;
mod pulls;
mod reply;
mod repository;
mod reviews;
mod route;
#[cfg(test)]
mod stories;
mod verbs;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::faults::Faults;
use super::journal::Journal;
use super::{Request, Response};

pub use limits::GitHubFault;
pub use repository::{Protection, Pull, PullState, Repository};
pub use verbs::Part;

/// An answer and the operation that it answers.
#[derive(Debug)]
pub struct Answered {
    /// Method and path as the REST API documents them, such as `GET /repos/{owner}/{repo}/pulls`.
    pub operation: String,
    /// The whole answer.
    pub response: Response,
    /// The connection breaks instead of carrying the answer.
    pub dropped: bool,
}

/// Somebody who may ask.
#[derive(Clone, Debug)]
pub struct User {
    /// Login, such as `pat` or `asaf[bot]`.
    pub login: String,
    /// Numeric id.
    pub id: u64,
    /// A token that stands for the user.
    pub token: String,
    /// May push, open pull requests and merge; others only read.
    pub writes: bool,
    /// Teams, as CODEOWNERS names them: `@acme/security`.
    pub teams: Vec<String>,
    /// `User` or `Bot`.
    pub kind: &'static str,
}

/// A GitHub App and its installation.
#[derive(Clone, Debug)]
struct App {
    id: String,
    installation: u64,
    /// DER of the public key that its assertions are checked with.
    public_key: Vec<u8>,
    user: String,
}

/// The emulated site.
#[derive(Clone, Debug)]
pub struct GitHub {
    /// Whether the documented rate limits refuse. Default false; windows of faults always bind.
    pub quotas_enabled: bool,
    /// Faults that wait for requests.
    pub faults: Faults<GitHubFault>,
    /// Requests by operation, refused and dropped ones too.
    pub counts: BTreeMap<String, u64>,
    site: String,
    users: Vec<User>,
    apps: Vec<App>,
    /// Tokens of installations: token, login, end.
    sessions: Vec<(String, String, Timestamp)>,
    repositories: BTreeMap<String, Repository>,
    limits: limits::Limits,
    next_id: u64,
    requests: u64,
}

impl GitHub {
    /// A site without users and repositories. `site` is the base of all links.
    pub fn new(site: &str) -> Self {
        GitHub {
            quotas_enabled: false,
            faults: Faults::default(),
            counts: BTreeMap::new(),
            site: site.trim_end_matches('/').to_owned(),
            users: Vec::new(),
            apps: Vec::new(),
            sessions: Vec::new(),
            repositories: BTreeMap::new(),
            limits: limits::Limits::default(),
            next_id: 1_000,
            requests: 0,
        }
    }

    /// Answers a request. Never fails.
    pub fn handle(&mut self, request: &Request, now: Timestamp, journal: &mut Journal) -> Answered {
        self.answer(request, now, journal)
    }

    /// A repository by `owner/name`.
    pub fn repository(&self, full_name: &str) -> Option<&Repository> {
        self.repositories.get(&full_name.to_lowercase())
    }

    /// All repositories.
    pub fn repositories(&self) -> impl Iterator<Item = &Repository> {
        self.repositories.values()
    }

    /// A user by login.
    pub fn user(&self, login: &str) -> Option<&User> {
        self.users.iter().find(|user| user.login == login)
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}
