//! Reviews, and what a protected branch asks of them before a pull request comes in (REST API: pull request reviews;
//! GitHub docs: about protected branches, about code owners).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::GitHub;
use super::git::{moment, paged};
use super::reply::{Outcome, Reply, invalid, not_found, ok, refusal};
use super::repository::{Protection, Pull, PullState, Repository, Review};
use super::route::Call;

impl GitHub {
    /// `GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews`, oldest first.
    pub(super) fn get_reviews(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let pull = repo.pulls.get(&call.number(0)).ok_or_else(not_found)?;
        let reviews: Vec<Value> = pull
            .reviews
            .iter()
            .map(|review| self.review_document(review))
            .collect();
        paged(call, &reviews)
    }

    /// `POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews`
    pub(super) fn post_review(&mut self, call: &Call) -> Outcome {
        let state = match call.body["event"].as_str() {
            Some("APPROVE") => "APPROVED",
            Some("REQUEST_CHANGES") => "CHANGES_REQUESTED",
            Some("COMMENT") => "COMMENTED",
            _ => return Err(invalid("PullRequestReview", "event", "invalid", "")),
        };
        let body = call.body["body"].as_str().unwrap_or_default();
        let review = self.review_now(
            &call.repository.clone(),
            call.number(0),
            &call.user.login,
            state,
            body,
            call.now,
        )?;
        ok(self.review_document(&review))
    }

    fn review_document(&self, review: &Review) -> Value {
        json!({ "id": review.id, "user": self.user_document(&review.by), "state": review.state, "body": review.body,
            "submitted_at": moment(review.at), "author_association": "MEMBER" })
    }

    /// Adds a review. Nobody approves their own pull request.
    pub(super) fn review_now(
        &mut self,
        repository: &str,
        number: u64,
        by: &str,
        state: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<Review, Reply> {
        let id = self.take_id();
        let repo = self
            .repositories
            .get_mut(&repository.to_lowercase())
            .ok_or_else(not_found)?;
        let pull = repo.pulls.get_mut(&number).ok_or_else(not_found)?;
        if pull.author == by && state != "COMMENTED" {
            let sentence = match state {
                "APPROVED" => "Can not approve your own pull request",
                _ => "Can not request changes on your own pull request",
            };
            return Err(refusal(422, sentence));
        }
        let review = Review {
            id,
            by: by.to_owned(),
            state: state.to_owned(),
            body: body.to_owned(),
            at: now,
        };
        pull.reviews.push(review.clone());
        Ok(review)
    }

    /// Merges, if the branch allows it; gives the commit.
    pub(super) fn merge_now(
        &mut self,
        repository: &str,
        number: u64,
        by: &str,
        method: &str,
        now: Timestamp,
    ) -> Result<String, Reply> {
        let repo = self.repository(repository).ok_or_else(not_found)?;
        let pull = repo.pulls.get(&number).ok_or_else(not_found)?.clone();
        if pull.state != PullState::Open {
            return Err(refusal(405, "Pull Request is not mergeable"));
        }
        if let Some(asked) = repo.protections.get(&pull.base) {
            self.approved(repo, &pull, asked)?;
        }
        let (head, base) = (repo.commit(&pull.head), repo.commit(&pull.base));
        let (head, base) = (
            head.ok_or_else(not_found)?.sha.clone(),
            base.ok_or_else(not_found)?.sha.clone(),
        );
        let mut files = repo
            .commit(&base)
            .map(|commit| commit.files.clone())
            .unwrap_or_default();
        for (path, before, after) in repo.changes(&pull) {
            let present = files.get(&path).map(|(_, blob)| blob.clone());
            if present != before && present != after {
                return Err(refusal(405, "Pull Request is not mergeable"));
            }
            match after {
                Some(blob) => files.insert(path, ("100644".to_owned(), blob)),
                None => files.remove(&path),
            };
        }
        let (parents, message) = match method {
            "squash" => (vec![base], format!("{} (#{number})", pull.title)),
            "merge" => (
                vec![base, head],
                format!(
                    "Merge pull request #{number} from {}/{}\n\n{}",
                    repo.owner, pull.head, pull.title
                ),
            ),
            _ => {
                return Err(refusal(
                    405,
                    "This merge method is not allowed on this repository.",
                ));
            }
        };
        let repo = self
            .repositories
            .get_mut(&repository.to_lowercase())
            .ok_or_else(not_found)?;
        let author = if method == "squash" { &pull.author } else { by };
        let sha = repo.add_commit(files, parents, &message, author, now);
        repo.move_branch(&pull.base, &sha, now);
        if let Some(pull) = repo.pulls.get_mut(&number) {
            pull.state = PullState::Merged;
            pull.merged = Some((sha.clone(), by.to_owned(), now));
        }
        Ok(sha)
    }

    /// The last word of each reviewer counts; code owners are read from the base branch.
    fn approved(&self, repo: &Repository, pull: &Pull, asked: &Protection) -> Result<(), Reply> {
        let mut last: Vec<(&str, &str)> = Vec::new();
        for review in pull
            .reviews
            .iter()
            .filter(|review| review.state != "COMMENTED")
        {
            last.retain(|(by, _)| *by != review.by);
            last.push((&review.by, &review.state));
        }
        if last.iter().any(|(_, state)| *state == "CHANGES_REQUESTED") {
            return Err(refusal(
                405,
                "Changes have been requested by reviewers with write access.",
            ));
        }
        let approving: Vec<&str> = last
            .iter()
            .filter(|(by, _)| self.user(by).is_some_and(|user| user.writes))
            .map(|(by, _)| *by)
            .collect();
        if approving.len() < asked.approvals {
            let sentence = match asked.approvals {
                1 => "At least 1 approving review is required by reviewers with write access."
                    .to_owned(),
                n => format!(
                    "At least {n} approving reviews are required by reviewers with write access."
                ),
            };
            return Err(refusal(405, sentence));
        }
        if !asked.code_owners {
            return Ok(());
        }
        for (path, ..) in repo.changes(pull) {
            let owners = owners_of(repo, &pull.base, &path);
            let may = |login: &str| {
                let user = self.user(login);
                owners.iter().any(|owner| {
                    owner.strip_prefix('@') == Some(login)
                        || user.is_some_and(|user| user.teams.contains(owner))
                })
            };
            if !owners.is_empty() && !approving.iter().any(|login| may(login)) {
                let sentence = format!(
                    "Waiting on code owner review from {}.",
                    owners.join(" and/or ")
                );
                return Err(refusal(405, sentence));
            }
        }
        Ok(())
    }
}

/// The owners of a path: the last line of CODEOWNERS that matches. Patterns are plain paths, folders and `*`, which is
/// what these worlds use.
fn owners_of(repo: &Repository, branch: &str, path: &str) -> Vec<String> {
    let places = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];
    let text = places
        .iter()
        .find_map(|place| repo.text(branch, place))
        .unwrap_or_default();
    let mut owners = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(pattern) = words.next() else {
            continue;
        };
        let pattern = pattern.trim_start_matches('/');
        let folder = pattern.trim_end_matches("**").trim_end_matches('/');
        let matches = pattern == "*" || pattern == path || path.starts_with(&format!("{folder}/"));
        if matches {
            owners = words.map(str::to_owned).collect();
        }
    }
    owners
}
