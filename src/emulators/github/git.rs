//! Repositories, branches and Git's own objects (REST API: repos, branches, git database, commits).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::GitHub;
use super::reply::{Outcome, Reply, created, invalid, not_found, ok, refusal, text};
use super::repository::{Commit, Repository, email, trees};
use super::route::Call;

/// One page of a list: 30 items unless asked for, at most 100, with `Link` to the others (REST API: pagination).
pub(super) fn paged(call: &Call, items: &[Value]) -> Outcome {
    let number = |name: &str| call.query(name).and_then(|text| text.parse::<usize>().ok());
    let size = number("per_page").unwrap_or(30).clamp(1, 100);
    let page = number("page").unwrap_or(1).max(1);
    let last = items.len().div_ceil(size).max(1);
    let from = ((page - 1) * size).min(items.len());
    let to = (from + size).min(items.len());
    let mut links = Vec::new();
    let mut link = |to: usize, rel: &str| {
        let mut query: Vec<String> = call
            .query
            .iter()
            .filter(|(name, _)| name != "page")
            .map(|(name, value)| format!("{name}={}", crate::wire::http::encode(value)))
            .collect();
        query.push(format!("page={to}"));
        let url = format!("{}{}?{}", call.site, call.path, query.join("&"));
        links.push(format!("<{url}>; rel=\"{rel}\""));
    };
    if page > 1 {
        link(page - 1, "prev");
        link(1, "first");
    }
    if page < last {
        link(page + 1, "next");
        link(last, "last");
    }
    let reply = Reply::new(200, Value::Array(items[from..to].to_vec()));
    Ok(match links.is_empty() {
        true => reply,
        false => reply.header("link", links.join(", ")),
    })
}

impl GitHub {
    pub(super) fn repo(&self, call: &Call) -> Result<&Repository, Reply> {
        self.repository(&call.repository).ok_or_else(not_found)
    }

    pub(super) fn repo_mut(&mut self, call: &Call) -> Result<&mut Repository, Reply> {
        self.repositories
            .get_mut(&call.repository)
            .ok_or_else(not_found)
    }

    /// The base of a repository's links.
    pub(super) fn repo_url(&self, repo: &Repository) -> String {
        format!("{}/repos/{}/{}", self.site, repo.owner, repo.name)
    }

    /// `GET /repos/{owner}/{repo}`
    pub(super) fn get_repository(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        ok(self.repository_document(repo))
    }

    pub(super) fn repository_document(&self, repo: &Repository) -> Value {
        let full_name = format!("{}/{}", repo.owner, repo.name);
        json!({ "id": repo.id, "name": repo.name, "full_name": full_name, "private": repo.private,
            "owner": self.user_document(&repo.owner), "default_branch": repo.default_branch,
            "url": self.repo_url(repo), "html_url": format!("{}/{full_name}", self.site), "fork": false })
    }

    /// `GET /repos/{owner}/{repo}/branches`
    pub(super) fn get_branches(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let names = repo.branches.keys();
        let items: Vec<Value> = names.map(|name| self.branch_document(repo, name)).collect();
        paged(call, &items)
    }

    /// `GET /repos/{owner}/{repo}/branches/{branch}`
    pub(super) fn get_branch(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        if !repo.branches.contains_key(call.param(0)) {
            return Err(refusal(404, "Branch not found"));
        }
        ok(self.branch_document(repo, call.param(0)))
    }

    fn branch_document(&self, repo: &Repository, name: &str) -> Value {
        let sha = repo.branches.get(name).cloned().unwrap_or_default();
        let classic = repo
            .protections
            .get(name)
            .is_some_and(|asked| !asked.by_ruleset);
        json!({ "name": name, "commit": { "sha": sha, "url": format!("{}/commits/{sha}", self.repo_url(repo)) },
            "protected": classic, "protection_url": format!("{}/branches/{name}/protection", self.repo_url(repo)) })
    }

    /// `GET /repos/{owner}/{repo}/rules/branches/{branch}`
    pub(super) fn get_branch_rules(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let asked = repo
            .protections
            .get(call.param(0))
            .filter(|asked| asked.by_ruleset);
        let rules: Vec<Value> = asked
            .into_iter()
            .map(|asked| {
                json!({ "type": "pull_request", "ruleset_source_type": "Repository", "ruleset_id": 1,
                    "parameters": { "required_approving_review_count": asked.approvals,
                        "require_code_owner_review": asked.code_owners } })
            })
            .collect();
        paged(call, &rules)
    }

    fn ref_document(&self, repo: &Repository, branch: &str, sha: &str) -> Value {
        let name = format!("refs/heads/{branch}");
        json!({ "ref": name, "url": format!("{}/git/{name}", self.repo_url(repo)),
            "object": { "type": "commit", "sha": sha, "url": format!("{}/git/commits/{sha}", self.repo_url(repo)) } })
    }

    /// `GET /repos/{owner}/{repo}/git/ref/{ref}`
    pub(super) fn get_ref(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let branch = call.param(0).strip_prefix("heads/").ok_or_else(not_found)?;
        let sha = repo.branches.get(branch).ok_or_else(not_found)?;
        ok(self.ref_document(repo, branch, sha))
    }

    /// `GET /repos/{owner}/{repo}/git/matching-refs/{ref}`
    pub(super) fn get_matching_refs(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let wanted = call.param(0);
        let all = repo.branches.iter();
        let found: Vec<Value> = all
            .filter(|(name, _)| format!("heads/{name}").starts_with(wanted))
            .map(|(name, sha)| self.ref_document(repo, name, sha))
            .collect();
        paged(call, &found)
    }

    /// `POST /repos/{owner}/{repo}/git/refs`
    pub(super) fn post_ref(&mut self, call: &Call) -> Outcome {
        let name = text(&call.body, "ref", "Reference")?;
        let sha = text(&call.body, "sha", "Reference")?;
        let branch = name
            .strip_prefix("refs/heads/")
            .filter(|branch| is_branch_name(branch))
            .ok_or_else(|| refusal(422, "Reference name is not well-formed"))?;
        let repo = self.repo_mut(call)?;
        if repo.branches.contains_key(branch) {
            return Err(refusal(422, "Reference already exists"));
        }
        if !repo.commits.contains_key(sha) {
            return Err(refusal(422, "Object does not exist"));
        }
        repo.move_branch(branch, sha, call.now);
        let repo = self.repo(call)?;
        created(self.ref_document(repo, branch, sha))
    }

    /// `PATCH /repos/{owner}/{repo}/git/refs/{ref}`
    pub(super) fn patch_ref(&mut self, call: &Call) -> Outcome {
        let sha = text(&call.body, "sha", "Reference")?;
        let branch = call.param(0).strip_prefix("heads/").ok_or_else(not_found)?;
        let repo = self.repo_mut(call)?;
        let Some(now_at) = repo.branches.get(branch).cloned() else {
            return Err(refusal(422, "Reference does not exist"));
        };
        if repo.protections.contains_key(branch) {
            return Err(refusal(422, "Changes must be made through a pull request."));
        }
        if !repo.commits.contains_key(sha) {
            return Err(refusal(422, "Object does not exist"));
        }
        let forward = repo.history(sha).iter().any(|commit| commit.sha == now_at);
        if !forward && call.body["force"] != true {
            return Err(refusal(422, "Update is not a fast forward"));
        }
        repo.move_branch(branch, sha, call.now);
        let repo = self.repo(call)?;
        ok(self.ref_document(repo, branch, sha))
    }

    /// `DELETE /repos/{owner}/{repo}/git/refs/{ref}`
    pub(super) fn delete_ref(&mut self, call: &Call) -> Outcome {
        let branch = call.param(0).strip_prefix("heads/").ok_or_else(not_found)?;
        let repo = self.repo_mut(call)?;
        if repo.protections.contains_key(branch) || branch == repo.default_branch {
            return Err(refusal(422, "Cannot delete a protected branch"));
        }
        if repo.branches.remove(branch).is_none() {
            return Err(refusal(422, "Reference does not exist"));
        }
        Ok(Reply::bare(204))
    }

    /// `GET /repos/{owner}/{repo}/git/trees/{tree_sha}`: by the id of a listing, of a commit, or by a branch.
    pub(super) fn get_tree(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let by_tree = || {
            repo.commits
                .values()
                .find(|commit| commit.tree == call.param(0))
        };
        let commit = repo
            .commit(call.param(0))
            .or_else(by_tree)
            .ok_or_else(not_found)?;
        let recursive = call.query("recursive").is_some();
        let mut entries = Vec::new();
        for (folder, sha) in trees(&commit.files) {
            if folder.is_empty() || (!recursive && folder.contains('/')) {
                continue;
            }
            entries.push(
                json!({ "path": folder, "mode": "040000", "type": "tree", "sha": sha,
                "url": format!("{}/git/trees/{sha}", self.repo_url(repo)) }),
            );
        }
        for (path, (mode, blob)) in &commit.files {
            if recursive || !path.contains('/') {
                let kind = if mode == "160000" { "commit" } else { "blob" };
                let size = repo.blobs.get(blob).map_or(0, Vec::len);
                entries.push(
                    json!({ "path": path, "mode": mode, "type": kind, "sha": blob, "size": size,
                    "url": format!("{}/git/blobs/{blob}", self.repo_url(repo)) }),
                );
            }
        }
        entries.sort_by(|a, b| a["path"].as_str().cmp(&b["path"].as_str()));
        let truncated = call.cut_short || entries.len() > repo.longest_listing;
        let most = if call.cut_short {
            entries.len() / 2
        } else {
            repo.longest_listing
        };
        entries.truncate(most);
        ok(
            json!({ "sha": commit.tree, "url": format!("{}/git/trees/{}", self.repo_url(repo), commit.tree),
            "tree": entries, "truncated": truncated }),
        )
    }

    /// `GET /repos/{owner}/{repo}/git/blobs/{file_sha}`
    pub(super) fn get_blob(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let sha = call.param(0);
        let content = repo.blobs.get(sha).ok_or_else(not_found)?;
        ok(
            json!({ "sha": sha, "size": content.len(), "encoding": "base64", "content": in_lines(content),
            "url": format!("{}/git/blobs/{sha}", self.repo_url(repo)), "node_id": format!("B_{}", &sha[..8]) }),
        )
    }

    /// `GET /repos/{owner}/{repo}/git/commits/{commit_sha}`
    pub(super) fn get_git_commit(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let commit = repo.commits.get(call.param(0)).ok_or_else(not_found)?;
        let mut document = self.commit_words(repo, commit);
        document["sha"] = json!(commit.sha);
        document["parents"] = self.parents(repo, commit);
        ok(document)
    }

    /// `GET /repos/{owner}/{repo}/commits`, with `sha` and `path`.
    pub(super) fn get_commits(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let from = call.query("sha").unwrap_or(&repo.default_branch);
        let start = repo.commit(from).ok_or_else(not_found)?;
        let path = call.query("path").map(|path| path.trim_matches('/'));
        let found: Vec<Value> = repo
            .history(&start.sha)
            .into_iter()
            // A merge that only brings in what its second parent says is left out, as `git log` does.
            .filter(|commit| match path {
                Some(path) => commit.parents.len() < 2 && repo.touches(commit, path),
                None => true,
            })
            .map(|commit| self.commit_document(repo, commit))
            .collect();
        paged(call, &found)
    }

    /// `GET /repos/{owner}/{repo}/commits/{ref}`
    pub(super) fn get_commit(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let commit = repo
            .commit(call.param(0))
            .ok_or_else(|| refusal(422, format!("No commit found for SHA: {}", call.param(0))))?;
        ok(self.commit_document(repo, commit))
    }

    pub(super) fn commit_document(&self, repo: &Repository, commit: &Commit) -> Value {
        let url = format!("{}/commits/{}", self.repo_url(repo), commit.sha);
        json!({ "sha": commit.sha, "url": url, "html_url": url, "commit": self.commit_words(repo, commit),
            "author": self.user_document(&commit.author), "committer": self.user_document(&commit.author),
            "parents": self.parents(repo, commit), "comments_url": format!("{url}/comments") })
    }

    fn commit_words(&self, repo: &Repository, commit: &Commit) -> Value {
        let by = json!({ "name": commit.author, "email": email(&commit.author),
            "date": moment(commit.at) });
        json!({ "message": commit.message, "author": by, "committer": by, "comment_count": 0,
            "tree": { "sha": commit.tree, "url": format!("{}/git/trees/{}", self.repo_url(repo), commit.tree) },
            "url": format!("{}/git/commits/{}", self.repo_url(repo), commit.sha),
            "verification": { "verified": false, "reason": "unsigned", "signature": null, "payload": null } })
    }

    fn parents(&self, repo: &Repository, commit: &Commit) -> Value {
        let parents = commit.parents.iter();
        let documents = parents.map(
            |sha| json!({ "sha": sha, "url": format!("{}/commits/{sha}", self.repo_url(repo)) }),
        );
        documents.collect()
    }
}

/// GitHub writes whole seconds.
pub(super) fn moment(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Base64 in lines of 60 characters.
pub(super) fn in_lines(content: &[u8]) -> String {
    let encoded = STANDARD.encode(content);
    let mut lines = String::new();
    for line in encoded.as_bytes().chunks(60) {
        lines.push_str(&String::from_utf8_lossy(line));
        lines.push('\n');
    }
    lines
}

/// `git check-ref-format`, as far as it matters here.
fn is_branch_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains("..")
        && !name.ends_with(['/', '.'])
        && !name.ends_with(".lock")
        && !name.contains(|c: char| c.is_control() || " ~^:?*[\\".contains(c))
}

/// Refuses what a field cannot be.
pub(super) fn known_commit<'a>(
    repo: &'a Repository,
    sha: &str,
    resource: &str,
) -> Result<&'a Commit, Reply> {
    repo.commit(sha)
        .ok_or_else(|| invalid(resource, "head", "invalid", ""))
}
