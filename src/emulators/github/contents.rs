//! Files by path (REST API: repository contents).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::GitHub;
use super::git::in_lines;
use super::reply::{Outcome, Reply, invalid, not_found, ok, refusal, text};
use super::repository::{Commit, Repository, trees};
use super::route::Call;

/// A larger file comes without its content (REST API: repository contents).
const LARGEST_INLINE: usize = 1024 * 1024;

impl GitHub {
    /// `GET /repos/{owner}/{repo}/contents/{path}`: a file, or the entries of a folder.
    pub(super) fn get_contents(&mut self, call: &Call) -> Outcome {
        let repo = self.repo(call)?;
        let at = call.query("ref").unwrap_or(&repo.default_branch);
        let no_commit = || refusal(404, format!("No commit found for the ref {at}"));
        let commit = repo.commit(at).ok_or_else(no_commit)?;
        let path = call.param(0).trim_matches('/');
        if commit.files.contains_key(path) {
            return ok(self.file_document(repo, commit, at, path, true));
        }
        let inside = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        let mut entries: Vec<Value> = Vec::new();
        let mut folders: Vec<String> = Vec::new();
        for name in commit.files.keys().filter(|name| name.starts_with(&inside)) {
            match name[inside.len()..].split_once('/') {
                None => entries.push(self.file_document(repo, commit, at, name, false)),
                Some((folder, _)) => folders.push(format!("{inside}{folder}")),
            }
        }
        folders.dedup();
        let ids = trees(&commit.files);
        for folder in folders {
            let name = folder.rsplit('/').next().unwrap_or_default();
            entries.push(
                json!({ "type": "dir", "name": name, "path": folder, "size": 0,
                "sha": ids.get(&folder),
                "url": format!("{}/contents/{folder}?ref={at}", self.repo_url(repo)) }),
            );
        }
        if entries.is_empty() && !path.is_empty() {
            return Err(not_found());
        }
        entries.sort_by(|a, b| a["path"].as_str().cmp(&b["path"].as_str()));
        ok(Value::Array(entries))
    }

    fn file_document(
        &self,
        repo: &Repository,
        commit: &Commit,
        at: &str,
        path: &str,
        with_content: bool,
    ) -> Value {
        let empty = (String::new(), String::new());
        let (_, blob) = commit.files.get(path).unwrap_or(&empty);
        let content = repo.blobs.get(blob).cloned().unwrap_or_default();
        let url = format!("{}/contents/{path}?ref={at}", self.repo_url(repo));
        let git_url = format!("{}/git/blobs/{blob}", self.repo_url(repo));
        let name = path.rsplit('/').next().unwrap_or_default();
        let mut document = json!({ "type": "file", "name": name, "path": path, "sha": blob, "size": content.len(),
            "url": url, "git_url": git_url, "html_url": url, "download_url": url,
            "_links": { "self": url, "git": git_url, "html": url } });
        if with_content && content.len() <= LARGEST_INLINE {
            document["encoding"] = json!("base64");
            document["content"] = json!(in_lines(&content));
        } else if with_content {
            document["encoding"] = json!("none");
            document["content"] = json!("");
        }
        document
    }

    /// `PUT /repos/{owner}/{repo}/contents/{path}`: a commit with one file.
    pub(super) fn put_contents(&mut self, call: &Call) -> Outcome {
        let path = call.param(0).trim_matches('/').to_owned();
        let message = text(&call.body, "message", "Commit")?.to_owned();
        let content = call.body["content"]
            .as_str()
            .ok_or_else(|| invalid("Contents", "content", "missing_field", ""))?;
        let whole: String = content.split_whitespace().collect();
        let content = STANDARD
            .decode(whole)
            .map_err(|_| refusal(422, "content is not valid Base64"))?;
        let verb = |known: bool| if known { "update" } else { "create" };
        let (branch, known) = self.writable(call, &path, verb)?;
        let repo = self.repo_mut(call)?;
        let blob = repo.add_blob(&content);
        let sha = commit_file(repo, call, &branch, &path, Some(&blob), &message);
        let repo = self.repo(call)?;
        let commit = repo.commit(&sha).ok_or_else(not_found)?;
        let document = json!({ "content": self.file_document(repo, commit, &branch, &path, false),
            "commit": self.commit_document(repo, commit)["commit"] });
        let mut document = document;
        document["commit"]["sha"] = json!(sha);
        Ok(Reply::new(if known { 200 } else { 201 }, document))
    }

    /// `DELETE /repos/{owner}/{repo}/contents/{path}`
    pub(super) fn delete_contents(&mut self, call: &Call) -> Outcome {
        let path = call.param(0).trim_matches('/').to_owned();
        let message = text(&call.body, "message", "Commit")?.to_owned();
        text(&call.body, "sha", "Contents")?;
        let (branch, known) = self.writable(call, &path, |_| "delete")?;
        if !known {
            return Err(not_found());
        }
        let repo = self.repo_mut(call)?;
        let sha = commit_file(repo, call, &branch, &path, None, &message);
        ok(json!({ "content": null, "commit": { "sha": sha, "message": message } }))
    }

    /// The branch, and whether the file is there; refuses what must not be written (recorded: 409 for a protected
    /// branch and for another content id, 422 without one).
    fn writable(
        &self,
        call: &Call,
        path: &str,
        verb: impl Fn(bool) -> &'static str,
    ) -> Result<(String, bool), Reply> {
        let repo = self.repo(call)?;
        let branch = call.body["branch"].as_str().unwrap_or(&repo.default_branch);
        let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch);
        let missing = || refusal(404, format!("Branch {branch} not found"));
        let commit = repo.branches.get(branch).and_then(|_| repo.commit(branch));
        let commit = commit.ok_or_else(missing)?;
        let present = commit.files.get(path).map(|(_, blob)| blob.as_str());
        if repo.protections.contains_key(branch) {
            let verb = verb(present.is_some());
            let sentence =
                format!("Could not {verb} file: Changes must be made through a pull request.");
            return Err(refusal(409, sentence));
        }
        match (present, call.body["sha"].as_str()) {
            (Some(present), Some(given)) if present != given => {
                Err(refusal(409, format!("{path} does not match {given}")))
            }
            (Some(_), None) => Err(refusal(422, "Invalid request.\n\n\"sha\" wasn't supplied.")),
            (present, _) => Ok((branch.to_owned(), present.is_some())),
        }
    }
}

fn commit_file(
    repo: &mut Repository,
    call: &Call,
    branch: &str,
    path: &str,
    blob: Option<&str>,
    message: &str,
) -> String {
    let parent = repo.branches.get(branch).cloned().unwrap_or_default();
    let mut files = repo
        .commit(&parent)
        .map(|commit| commit.files.clone())
        .unwrap_or_default();
    match blob {
        Some(blob) => {
            files.insert(path.to_owned(), ("100644".to_owned(), blob.to_owned()));
        }
        None => {
            files.remove(path);
        }
    }
    let sha = repo.add_commit(files, vec![parent], message, &call.user.login, call.now);
    repo.move_branch(branch, &sha, call.now);
    sha
}
