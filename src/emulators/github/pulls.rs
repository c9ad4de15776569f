//! Pull requests: opened, changed, merged or turned down (REST API: pulls).

use serde_json::{Value, json};

use super::GitHub;
use super::git::{known_commit, moment, paged};
use super::reply::{Outcome, Reply, created, invalid, not_found, ok, refusal, text};
use super::repository::{Pull, PullState, Repository};
use super::route::Call;

impl GitHub {
    /// `GET /repos/{owner}/{repo}/pulls`, with `state`, `head` and `base`.
    pub(super) fn get_pulls(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let state = call.query("state").unwrap_or("open");
        let wanted = |pull: &&Pull| match state {
            "all" => true,
            "closed" => pull.state != PullState::Open,
            _ => pull.state == PullState::Open,
        };
        // `head` names the owner too: `owner:branch`.
        let head = call
            .query("head")
            .map(|head| head.split_once(':').map_or(head, |(_, head)| head));
        let found: Vec<Value> = repo
            .pulls
            .values()
            .rev()
            .filter(wanted)
            .filter(|pull| head.is_none_or(|head| pull.head == head))
            .filter(|pull| call.query("base").is_none_or(|base| pull.base == base))
            .map(|pull| self.pull_document(repo, pull))
            .collect();
        paged(call, &found)
    }

    /// `POST /repos/{owner}/{repo}/pulls`
    pub(super) fn post_pull(&mut self, call: &Call) -> Outcome {
        let title = text(&call.body, "title", "PullRequest")?.to_owned();
        let head = text(&call.body, "head", "PullRequest")?;
        let head = head
            .split_once(':')
            .map_or(head, |(_, head)| head)
            .to_owned();
        let base = text(&call.body, "base", "PullRequest")?.to_owned();
        let body = call.body["body"].as_str().unwrap_or_default().to_owned();
        let pull = self.open_pull(call, title, head, base, body)?;
        let repo = self.repo(call)?;
        let pull = repo.pulls.get(&pull).ok_or_else(not_found)?;
        created(self.pull_document(repo, pull))
    }

    fn open_pull(
        &mut self,
        call: &Call,
        title: String,
        head: String,
        base: String,
        body: String,
    ) -> Result<u64, Reply> {
        let (owner, author, now) = (call.repository.clone(), call.user.login.clone(), call.now);
        let repo = self.repo_mut(call)?;
        if !repo.branches.contains_key(&base) {
            return Err(invalid("PullRequest", "base", "invalid", ""));
        }
        if !repo.branches.contains_key(&head) {
            return Err(invalid("PullRequest", "head", "invalid", ""));
        }
        let twice = repo
            .pulls
            .values()
            .any(|pull| pull.state == PullState::Open && pull.head == head && pull.base == base);
        if twice {
            let owner = owner.split('/').next().unwrap_or_default();
            let sentence = format!("A pull request already exists for {owner}:{head}.");
            return Err(invalid("PullRequest", "", "custom", &sentence));
        }
        if known_commit(repo, &head, "PullRequest")?.sha
            == known_commit(repo, &base, "PullRequest")?.sha
        {
            let sentence = format!("No commits between {base} and {head}");
            return Err(invalid("PullRequest", "", "custom", &sentence));
        }
        let number = 1 + repo.pulls.keys().last().copied().unwrap_or(0);
        let pull = Pull {
            number,
            title,
            body,
            author,
            head,
            base,
            state: PullState::Open,
            reviews: Vec::new(),
            created_at: now,
            merged: None,
        };
        repo.pulls.insert(number, pull);
        Ok(number)
    }

    fn pull<'a>(&self, repo: &'a Repository, call: &Call) -> Result<&'a Pull, Reply> {
        repo.pulls.get(&call.number(0)).ok_or_else(not_found)
    }

    /// `GET /repos/{owner}/{repo}/pulls/{pull_number}`
    pub(super) fn get_pull(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let pull = self.pull(repo, call)?;
        let mut document = self.pull_document(repo, pull);
        let merged_by = pull
            .merged
            .as_ref()
            .map(|(_, by, _)| self.user_document(by));
        document["merged_by"] = merged_by.unwrap_or(Value::Null);
        document["changed_files"] = json!(repo.changes(pull).len());
        ok(document)
    }

    /// `PATCH /repos/{owner}/{repo}/pulls/{pull_number}`: title, text, and closing without merging.
    pub(super) fn patch_pull(&mut self, call: &Call) -> Outcome {
        let (number, body) = (call.number(0), call.body.clone());
        let repo = self.repo_mut(call)?;
        let pull = repo.pulls.get_mut(&number).ok_or_else(not_found)?;
        if let Some(title) = body["title"].as_str() {
            pull.title = title.to_owned();
        }
        if let Some(text) = body["body"].as_str() {
            pull.body = text.to_owned();
        }
        match (body["state"].as_str(), pull.state) {
            (Some("closed"), PullState::Open) => pull.state = PullState::Closed,
            (Some("open"), PullState::Closed) => pull.state = PullState::Open,
            (Some("open"), PullState::Merged) => {
                return Err(invalid(
                    "PullRequest",
                    "state",
                    "invalid",
                    "state cannot be changed. The pull request cannot be reopened.",
                ));
            }
            _ => {}
        }
        self.get_pull(call)
    }

    /// `GET /repos/{owner}/{repo}/pulls/{pull_number}/files`
    pub(super) fn get_pull_files(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let pull = self.pull(repo, call)?;
        let files: Vec<Value> = repo
            .changes(pull)
            .into_iter()
            .map(|(path, before, after)| {
                let status = match (&before, &after) {
                    (None, _) => "added",
                    (_, None) => "removed",
                    _ => "modified",
                };
                json!({ "filename": path, "status": status, "sha": after.or(before) })
            })
            .collect();
        paged(call, &files)
    }

    /// `GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls`: the merged pull request that introduced the commit, or
    /// the open ones that have it.
    pub(super) fn get_commit_pulls(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let sha = call.param(0);
        let has = |pull: &Pull| match &pull.merged {
            Some((merge, ..)) => {
                let brought = repo.commit(merge).is_some_and(|commit| {
                    commit.sha == sha || commit.parents.get(1).is_some_and(|head| head == sha)
                });
                brought || repo.brought(pull).contains(&sha)
            }
            None => {
                pull.state == PullState::Open
                    && repo.commit(&pull.head).is_some_and(|head| {
                        repo.history(&head.sha)
                            .iter()
                            .any(|commit| commit.sha == sha)
                    })
            }
        };
        let pulls = repo.pulls.values().filter(|pull| has(pull));
        let found: Vec<Value> = pulls.map(|pull| self.pull_document(repo, pull)).collect();
        paged(call, &found)
    }

    /// `PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge`
    pub(super) fn put_merge(&mut self, call: &Call) -> Outcome {
        let method = call.body["merge_method"].as_str().unwrap_or("merge");
        let number = call.number(0);
        let repo = self.repo(call)?;
        let pull = self.pull(repo, call)?;
        let head = repo.commit(&pull.head).ok_or_else(not_found)?;
        if call.body["sha"].as_str().is_some_and(|sha| sha != head.sha) {
            return Err(refusal(
                409,
                "Head branch was modified. Review and try the merge again.",
            ));
        }
        let sha = self.merge_now(
            &call.repository.clone(),
            number,
            &call.user.login,
            method,
            call.now,
        )?;
        ok(json!({ "sha": sha, "merged": true, "message": "Pull Request successfully merged" }))
    }

    pub(super) fn pull_document(&self, repo: &Repository, pull: &Pull) -> Value {
        let side = |branch: &str| {
            let sha = repo.commit(branch).map(|commit| commit.sha.clone());
            json!({ "ref": branch, "sha": sha, "label": format!("{}:{branch}", repo.owner),
                "repo": self.repository_document(repo), "user": self.user_document(&repo.owner) })
        };
        let open = pull.state == PullState::Open;
        let html_url = format!(
            "{}/{}/{}/pull/{}",
            self.site, repo.owner, repo.name, pull.number
        );
        json!({ "id": 900_000 + pull.number, "number": pull.number, "state": if open { "open" } else { "closed" },
            "title": pull.title, "body": pull.body, "user": self.user_document(&pull.author), "draft": false,
            "created_at": moment(pull.created_at), "updated_at": moment(pull.created_at),
            "merged": pull.merged.is_some(),
            "merged_at": pull.merged.as_ref().map(|(.., at)| moment(*at)),
            "merge_commit_sha": pull.merged.as_ref().map(|(sha, ..)| sha),
            "head": side(&pull.head), "base": side(&pull.base), "html_url": html_url,
            "url": format!("{}/pulls/{}", self.repo_url(repo), pull.number),
            "issue_url": format!("{}/issues/{}", self.repo_url(repo), pull.number),
            "mergeable": open, "mergeable_state": if open { "clean" } else { "unknown" } })
    }
}

impl Repository {
    /// The commits that a merged pull request brought, besides the merge itself.
    fn brought(&self, pull: &Pull) -> Vec<&str> {
        let Some((merge, ..)) = &pull.merged else {
            return Vec::new();
        };
        let Some([before, head]) = self.commit(merge).map(|commit| &commit.parents[..]) else {
            return Vec::new();
        };
        let known: Vec<&str> = self
            .history(before)
            .iter()
            .map(|commit| commit.sha.as_str())
            .collect();
        let all = self
            .history(head)
            .into_iter()
            .map(|commit| commit.sha.as_str());
        all.filter(|sha| !known.contains(sha)).collect()
    }
}
