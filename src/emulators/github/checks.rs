//! Check runs (REST API: check runs): at most 50 annotations in a request, further ones by updates.

use serde_json::{Value, json};

use super::GitHub;
use super::git::{moment, paged};
use super::reply::{Outcome, Reply, created, invalid, not_found, ok, text};
use super::repository::{Check, Repository};
use super::route::Call;

const ANNOTATIONS_PER_REQUEST: usize = 50;

const CONCLUSIONS: [&str; 7] = [
    "success",
    "failure",
    "neutral",
    "cancelled",
    "skipped",
    "timed_out",
    "action_required",
];

impl GitHub {
    /// `POST /repos/{owner}/{repo}/check-runs`
    pub(super) fn post_check(&mut self, call: &Call) -> Outcome {
        let name = text(&call.body, "name", "CheckRun")?.to_owned();
        let head = text(&call.body, "head_sha", "CheckRun")?.to_owned();
        let id = self.take_id();
        let repo = self.repo_mut(call)?;
        if !repo.commits.contains_key(&head) {
            let sentence = format!("No commit found for SHA: {head}");
            return Err(invalid("CheckRun", "head_sha", "custom", &sentence));
        }
        let mut check = Check {
            id,
            name,
            head,
            status: "queued".to_owned(),
            conclusion: None,
            output: (String::new(), String::new()),
            annotations: Vec::new(),
            started_at: call.now,
        };
        change(&mut check, &call.body)?;
        repo.checks.insert(id, check.clone());
        let repo = self.repo(call)?;
        created(self.check_document(repo, &check))
    }

    /// `PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}`: annotations are added to those that are there.
    pub(super) fn patch_check(&mut self, call: &Call) -> Outcome {
        let (id, body) = (call.number(0), call.body.clone());
        let repo = self.repo_mut(call)?;
        let check = repo.checks.get_mut(&id).ok_or_else(not_found)?;
        change(check, &body)?;
        let check = check.clone();
        let repo = self.repo(call)?;
        ok(self.check_document(repo, &check))
    }

    /// `GET /repos/{owner}/{repo}/check-runs/{check_run_id}`
    pub(super) fn get_check(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let check = repo.checks.get(&call.number(0)).ok_or_else(not_found)?;
        ok(self.check_document(repo, check))
    }

    /// `GET /repos/{owner}/{repo}/commits/{ref}/check-runs`: the latest of each name.
    pub(super) fn get_commit_checks(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let head = repo
            .commit(call.param(0))
            .ok_or_else(not_found)?
            .sha
            .clone();
        let mut latest: Vec<&Check> = Vec::new();
        for check in repo
            .checks
            .values()
            .rev()
            .filter(|check| check.head == head)
        {
            if !latest.iter().any(|known| known.name == check.name) {
                latest.push(check);
            }
        }
        let items: Vec<Value> = latest
            .iter()
            .map(|check| self.check_document(repo, check))
            .collect();
        let page = paged(call, &items)?;
        let Reply {
            status,
            body,
            headers,
        } = page;
        let body = json!({ "total_count": items.len(), "check_runs": body });
        Ok(Reply {
            status,
            body: Some(body),
            headers,
        })
    }

    fn check_document(&self, repo: &Repository, check: &Check) -> Value {
        let url = format!("{}/check-runs/{}", self.repo_url(repo), check.id);
        let (title, summary) = &check.output;
        json!({ "id": check.id, "name": check.name, "head_sha": check.head, "status": check.status,
            "conclusion": check.conclusion, "url": url, "html_url": url, "started_at": moment(check.started_at),
            "completed_at": check.conclusion.as_ref().map(|_| moment(check.started_at)),
            "output": { "title": title, "summary": summary, "text": null,
                "annotations_count": check.annotations.len(), "annotations_url": format!("{url}/annotations") } })
    }
}

fn change(check: &mut Check, body: &Value) -> Result<(), Reply> {
    if let Some(conclusion) = body["conclusion"].as_str() {
        if !CONCLUSIONS.contains(&conclusion) {
            return Err(invalid("CheckRun", "conclusion", "invalid", ""));
        }
        check.conclusion = Some(conclusion.to_owned());
        check.status = "completed".to_owned();
    }
    if let Some(status) = body["status"].as_str() {
        if status == "completed" && check.conclusion.is_none() {
            return Err(invalid("CheckRun", "conclusion", "missing_field", ""));
        }
        check.status = status.to_owned();
    }
    let output = &body["output"];
    if output.is_null() {
        return Ok(());
    }
    let title = output["title"].as_str();
    let summary = output["summary"].as_str();
    let (Some(title), Some(summary)) = (title, summary) else {
        return Err(invalid(
            "CheckRun",
            "output",
            "missing_field",
            "title and summary are required",
        ));
    };
    if summary.chars().count() > 65_535 {
        return Err(invalid(
            "CheckRun",
            "output.summary",
            "invalid",
            "summary exceeds a maximum of 65535 characters",
        ));
    }
    let new = output["annotations"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if new.len() > ANNOTATIONS_PER_REQUEST {
        return Err(invalid(
            "CheckRun",
            "output.annotations",
            "invalid",
            "more than 50 annotations",
        ));
    }
    for annotation in &new {
        let level = annotation["annotation_level"].as_str().unwrap_or_default();
        let lines = (
            annotation["start_line"].as_u64(),
            annotation["end_line"].as_u64(),
        );
        let known = ["notice", "warning", "failure"].contains(&level);
        let columns = annotation["start_column"].is_null() || lines.0 == lines.1;
        let whole = annotation["path"].is_string() && annotation["message"].is_string();
        if !(known && columns && whole && matches!(lines, (Some(1..), Some(1..)))) {
            return Err(invalid(
                "CheckRun",
                "output.annotations",
                "invalid",
                "an annotation is not well-formed",
            ));
        }
    }
    check.output = (title.to_owned(), summary.to_owned());
    check.annotations.extend(new);
    Ok(())
}
