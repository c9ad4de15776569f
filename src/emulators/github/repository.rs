//! A repository: branches, commits that are whole listings, contents by their ids, pull requests. Every id is Git's own,
//! so that a real clone can hold the same commits.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha1::{Digest, Sha1};

/// What a branch asks for before it moves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// Approvals that a pull request needs.
    pub approvals: usize,
    /// Code owners of the changed files must be among them.
    pub code_owners: bool,
    /// Asked for by a ruleset: `protected` of the branch says nothing of it.
    pub by_ruleset: bool,
}

/// A commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// 40 hexadecimal digits.
    pub sha: String,
    /// The listing's id.
    pub tree: String,
    /// Before it; two for a merge.
    pub parents: Vec<String>,
    /// The message.
    pub message: String,
    /// Login.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// Path to (mode, content id).
    pub files: BTreeMap<String, (String, String)>,
}

/// Whether a pull request is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullState {
    /// Waits.
    Open,
    /// Turned down or withdrawn.
    Closed,
    /// In.
    Merged,
}

/// A review of a pull request.
#[derive(Clone, Debug)]
pub struct Review {
    /// Id.
    pub id: u64,
    /// Login.
    pub by: String,
    /// `APPROVED`, `CHANGES_REQUESTED` or `COMMENTED`.
    pub state: String,
    /// Text.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

/// A pull request.
#[derive(Clone, Debug)]
pub struct Pull {
    /// Number.
    pub number: u64,
    /// Title.
    pub title: String,
    /// Text.
    pub body: String,
    /// Login of who opened it.
    pub author: String,
    /// The branch that is proposed.
    pub head: String,
    /// The branch that it is for.
    pub base: String,
    /// State.
    pub state: PullState,
    /// Reviews, oldest first.
    pub reviews: Vec<Review>,
    /// When.
    pub created_at: Timestamp,
    /// The commit by which it came in, by whom, and when.
    pub merged: Option<(String, String, Timestamp)>,
}

/// A comment on a pull request.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Id.
    pub id: u64,
    /// Of which pull request.
    pub number: u64,
    /// Login.
    pub by: String,
    /// Markdown.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A check run.
#[derive(Clone, Debug)]
pub struct Check {
    /// Id.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Commit.
    pub head: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// How it ended.
    pub conclusion: Option<String>,
    /// Title, summary.
    pub output: (String, String),
    /// Every annotation so far.
    pub annotations: Vec<serde_json::Value>,
    /// When.
    pub started_at: Timestamp,
}

/// A repository.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Account.
    pub owner: String,
    /// Name.
    pub name: String,
    /// Id.
    pub id: u64,
    /// The branch that pull requests are for.
    pub default_branch: String,
    /// Only users who are known see it.
    pub private: bool,
    /// Branch to commit.
    pub branches: BTreeMap<String, String>,
    /// Where a branch stood since when, oldest first.
    pub moves: Vec<(Timestamp, String, String)>,
    /// What branches ask for.
    pub protections: BTreeMap<String, Protection>,
    /// Commits by id.
    pub commits: BTreeMap<String, Commit>,
    /// Contents by id.
    pub blobs: BTreeMap<String, Vec<u8>>,
    /// Pull requests by number.
    pub pulls: BTreeMap<u64, Pull>,
    /// Comments by id.
    pub comments: BTreeMap<u64, Comment>,
    /// Check runs by id.
    pub checks: BTreeMap<u64, Check>,
    /// A listing ends after so many entries and says so (REST API: git trees; the real limit is 100,000).
    pub longest_listing: usize,
}

impl Repository {
    /// The commit that a branch, a commit id or `refs/heads/…` names.
    pub fn commit(&self, name: &str) -> Option<&Commit> {
        let name = name.strip_prefix("refs/heads/").unwrap_or(name);
        let name = name.strip_prefix("heads/").unwrap_or(name);
        let sha = self.branches.get(name).map_or(name, String::as_str);
        self.commits.get(sha)
    }

    /// The text of a file on a branch or at a commit.
    pub fn text(&self, at: &str, path: &str) -> Option<String> {
        let (_, blob) = self.commit(at)?.files.get(path)?;
        String::from_utf8(self.blobs.get(blob)?.clone()).ok()
    }

    /// The commit at which a branch stood at a time.
    pub fn stood(&self, branch: &str, at: Timestamp) -> Option<&Commit> {
        let moved = self.moves.iter().rev();
        let (.., sha) = moved
            .into_iter()
            .find(|(since, name, _)| name == branch && *since <= at)?;
        self.commits.get(sha)
    }

    /// A commit and those before it, newest first along first parents, then the others.
    pub(super) fn history(&self, from: &str) -> Vec<&Commit> {
        let mut found: Vec<&Commit> = Vec::new();
        let mut next = vec![from];
        while let Some(sha) = next.pop() {
            if found.iter().any(|known| known.sha == sha) {
                continue;
            }
            if let Some(commit) = self.commits.get(sha) {
                next.extend(commit.parents.iter().rev().map(String::as_str));
                found.push(commit);
            }
        }
        found.sort_by_key(|commit| std::cmp::Reverse(commit.at));
        found
    }

    /// A commit changed a file against the first one before it.
    pub(super) fn touches(&self, commit: &Commit, path: &str) -> bool {
        let before = commit.parents.first().and_then(|sha| self.commits.get(sha));
        let at = |commit: Option<&Commit>| -> Vec<(String, (String, String))> {
            let inside = format!("{path}/");
            let files = commit.into_iter().flat_map(|commit| &commit.files);
            files
                .filter(|(name, _)| *name == path || name.starts_with(&inside))
                .map(|(name, file)| (name.clone(), file.clone()))
                .collect()
        };
        at(Some(commit)) != at(before)
    }

    /// Adds a commit with this listing.
    pub(super) fn add_commit(
        &mut self,
        files: BTreeMap<String, (String, String)>,
        parents: Vec<String>,
        message: &str,
        author: &str,
        now: Timestamp,
    ) -> String {
        let tree = trees(&files).remove("").unwrap_or_default();
        let mut words = format!("tree {tree}\n");
        for parent in &parents {
            words.push_str(&format!("parent {parent}\n"));
        }
        let (email, at) = (email(author), now.as_second());
        words.push_str(&format!(
            "author {author} <{email}> {at} +0000\ncommitter {author} <{email}> {at} +0000\n\n{message}"
        ));
        let sha = object_id("commit", words.as_bytes());
        let commit = Commit {
            sha: sha.clone(),
            tree,
            parents,
            message: message.to_owned(),
            author: author.to_owned(),
            at: now,
            files,
        };
        self.commits.insert(sha.clone(), commit);
        sha
    }

    /// Keeps contents, and gives their id.
    pub(super) fn add_blob(&mut self, content: &[u8]) -> String {
        let sha = object_id("blob", content);
        self.blobs.insert(sha.clone(), content.to_vec());
        sha
    }

    /// A branch comes to stand at a commit.
    pub(super) fn move_branch(&mut self, branch: &str, sha: &str, now: Timestamp) {
        self.branches.insert(branch.to_owned(), sha.to_owned());
        self.moves.push((now, branch.to_owned(), sha.to_owned()));
    }

    /// What a pull request would change: path, and the content before and after.
    pub(super) fn changes(&self, pull: &Pull) -> Vec<(String, Option<String>, Option<String>)> {
        let (Some(head), Some(base)) = (self.commit(&pull.head), self.commit(&pull.base)) else {
            return Vec::new();
        };
        let fork = self.fork_point(base, head);
        let before = fork.map(|commit| commit.files.clone()).unwrap_or_default();
        let blob = |files: &BTreeMap<String, (String, String)>, path: &str| {
            files.get(path).map(|(_, blob)| blob.clone())
        };
        let mut paths: Vec<&String> = before.keys().chain(head.files.keys()).collect();
        paths.sort();
        paths.dedup();
        paths
            .into_iter()
            .map(|path| (path.clone(), blob(&before, path), blob(&head.files, path)))
            .filter(|(_, before, after)| before != after)
            .collect()
    }

    /// The newest commit that both know.
    fn fork_point(&self, one: &Commit, other: &Commit) -> Option<&Commit> {
        let known: Vec<&str> = self
            .history(&one.sha)
            .iter()
            .map(|commit| commit.sha.as_str())
            .collect();
        let mut shared = self.history(&other.sha).into_iter();
        shared.find(|commit| known.contains(&commit.sha.as_str()))
    }
}

/// A user's address in commits.
pub(super) fn email(login: &str) -> String {
    format!("{login}@users.noreply.example.com")
}

/// The ids of all folders of a listing, by path; the root is the empty path (git-scm.com: Git internals, tree objects).
pub(super) fn trees(files: &BTreeMap<String, (String, String)>) -> BTreeMap<String, String> {
    let mut folders: BTreeMap<String, Vec<(String, String, String)>> = BTreeMap::new();
    folders.entry(String::new()).or_default();
    for (path, (mode, blob)) in files {
        for (at, _) in path.match_indices('/') {
            folders.entry(path[..at].to_owned()).or_default();
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let entry = (name.to_owned(), mode.clone(), blob.clone());
        folders.entry(folder.to_owned()).or_default().push(entry);
    }
    let mut ids = BTreeMap::new();
    // A folder sorts behind the one that holds it, so the deepest come first in reverse.
    let paths: Vec<String> = folders.keys().rev().cloned().collect();
    for path in paths {
        let mut entries = folders.remove(&path).unwrap_or_default();
        entries.sort_by_key(|(name, mode, _)| match mode.as_str() {
            "40000" => format!("{name}/"),
            _ => name.clone(),
        });
        let mut listing = Vec::new();
        for (name, mode, sha) in &entries {
            listing.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            listing.extend(hex::decode(sha).unwrap_or_default());
        }
        let id = object_id("tree", &listing);
        if !path.is_empty() {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            let entry = (name.to_owned(), "40000".to_owned(), id.clone());
            folders.entry(parent.to_owned()).or_default().push(entry);
        }
        ids.insert(path, id);
    }
    ids
}

/// `git hash-object`: SHA-1 over kind, length and content.
pub(super) fn object_id(kind: &str, content: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("{kind} {}\0", content.len()));
    hash.update(content);
    hex::encode(hash.finalize())
}
