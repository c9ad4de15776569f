//! What stories say: make a repository, open a pull request, review it, merge it. Each is what a person would do in the
//! browser; what GitHub would refuse is refused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::reply::Reply;
use super::repository::{Protection, Pull, PullState, Repository};
use super::{App, GitHub, User};

/// Parts that people play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The engine's own user: reads, and proposes.
    Bot,
    /// A developer of a product team.
    Product,
    /// A member of the security team.
    Security,
    /// Somebody without write access.
    Outsider,
}

impl GitHub {
    /// Adds a user, with a token made from the login.
    pub fn add_user(&mut self, login: &str, part: Part) -> User {
        let id = self.take_id();
        let teams = match part {
            Part::Security => vec!["@acme/security".to_owned()],
            Part::Product => vec!["@acme/product".to_owned()],
            Part::Bot | Part::Outsider => Vec::new(),
        };
        let user = User {
            login: login.to_owned(),
            id,
            token: format!("ghp_emulated_{id}"),
            writes: part != Part::Outsider,
            teams,
            kind: if part == Part::Bot { "Bot" } else { "User" },
        };
        self.users.push(user.clone());
        user
    }

    /// Registers an App that acts as a user, with the public key of its assertions (DER).
    pub fn add_app(&mut self, id: &str, installation: u64, public_key: &[u8], user: &str) {
        self.apps.push(App {
            id: id.to_owned(),
            installation,
            public_key: public_key.to_vec(),
            user: user.to_owned(),
        });
    }

    /// Makes a repository with a branch `main` that holds these files, protected as asked.
    pub fn add_repository(
        &mut self,
        full_name: &str,
        files: &[(&str, &str)],
        protection: Option<Protection>,
        now: Timestamp,
    ) {
        let (owner, name) = full_name.split_once('/').unwrap_or((full_name, full_name));
        let mut repo = Repository {
            owner: owner.to_owned(),
            name: name.to_owned(),
            id: self.take_id(),
            default_branch: "main".to_owned(),
            private: true,
            branches: BTreeMap::new(),
            moves: Vec::new(),
            protections: BTreeMap::new(),
            commits: BTreeMap::new(),
            blobs: BTreeMap::new(),
            pulls: BTreeMap::new(),
            comments: BTreeMap::new(),
            checks: BTreeMap::new(),
            longest_listing: 100_000,
        };
        let listing = files
            .iter()
            .map(|(path, text)| {
                let blob = repo.add_blob(text.as_bytes());
                ((*path).to_owned(), ("100644".to_owned(), blob))
            })
            .collect();
        let sha = repo.add_commit(listing, Vec::new(), "Begin", owner, now);
        repo.move_branch("main", &sha, now);
        if let Some(protection) = protection {
            repo.protections.insert("main".to_owned(), protection);
        }
        self.repositories.insert(full_name.to_lowercase(), repo);
    }

    /// A repository, to take a protection away or shorten listings.
    pub fn repository_mut(&mut self, full_name: &str) -> Option<&mut Repository> {
        self.repositories.get_mut(&full_name.to_lowercase())
    }

    /// A person opens a pull request from a branch of their own, with these files written or (without a text) removed.
    pub fn open_pull_request(
        &mut self,
        full_name: &str,
        by: &str,
        title: &str,
        files: &[(&str, Option<&str>)],
        now: Timestamp,
    ) -> u64 {
        let Some(repo) = self.repository_mut(full_name) else {
            return 0;
        };
        let number = 1 + repo.pulls.keys().last().copied().unwrap_or(0);
        let base = repo.default_branch.clone();
        let start = repo.branches.get(&base).cloned().unwrap_or_default();
        let branch = format!("{by}/change-{number}");
        let mut listing = repo
            .commit(&start)
            .map(|commit| commit.files.clone())
            .unwrap_or_default();
        for (path, text) in files {
            match text {
                Some(text) => {
                    let blob = repo.add_blob(text.as_bytes());
                    listing.insert((*path).to_owned(), ("100644".to_owned(), blob));
                }
                None => {
                    listing.remove(*path);
                }
            }
        }
        let sha = repo.add_commit(listing, vec![start], title, by, now);
        repo.move_branch(&branch, &sha, now);
        let pull = Pull {
            number,
            title: title.to_owned(),
            body: String::new(),
            author: by.to_owned(),
            head: branch,
            base,
            state: PullState::Open,
            reviews: Vec::new(),
            created_at: now,
            merged: None,
        };
        repo.pulls.insert(number, pull);
        number
    }

    /// A person approves (`APPROVED`) or turns down (`CHANGES_REQUESTED`).
    ///
    /// # Errors
    /// GitHub's words.
    pub fn review(
        &mut self,
        full_name: &str,
        number: u64,
        by: &str,
        state: &str,
        now: Timestamp,
    ) -> Result<(), String> {
        self.review_now(full_name, number, by, state, "", now)
            .map(drop)
            .map_err(|reply| words(&reply))
    }

    /// A person merges by squashing; gives the commit.
    ///
    /// # Errors
    /// GitHub's words.
    pub fn merge(
        &mut self,
        full_name: &str,
        number: u64,
        by: &str,
        now: Timestamp,
    ) -> Result<String, String> {
        self.merge_now(full_name, number, by, "squash", now)
            .map_err(|reply| words(&reply))
    }

    /// A person closes a pull request without merging it.
    pub fn withdraw(&mut self, full_name: &str, number: u64) {
        let repo = self.repository_mut(full_name);
        if let Some(pull) = repo.and_then(|repo| repo.pulls.get_mut(&number)) {
            pull.state = PullState::Closed;
        }
    }
}

fn words(reply: &Reply) -> String {
    let message = reply
        .body
        .as_ref()
        .map_or(&Value::Null, |body| &body["message"]);
    message.as_str().unwrap_or_default().to_owned()
}
