//! Which operation a request names, and what its handler is given. Refuses nothing.

use jiff::Timestamp;
use serde_json::Value;

use super::reply::Outcome;
use super::{GitHub, User};

/// A request that reached its handler.
pub(super) struct Call {
    pub(super) user: User,
    /// `owner/name` in lower case; empty where the path names none.
    pub(super) repository: String,
    pub(super) params: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) now: Timestamp,
    /// The listing is to be cut short.
    pub(super) cut_short: bool,
    /// Base of links.
    pub(super) site: String,
    /// Path as requested, for links to further pages.
    pub(super) path: String,
}

impl Call {
    pub(super) fn param(&self, at: usize) -> &str {
        self.params.get(at).map_or("", String::as_str)
    }

    pub(super) fn number(&self, at: usize) -> u64 {
        self.param(at).parse().unwrap_or(0)
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

pub(super) type Handler = fn(&mut GitHub, &Call) -> Outcome;

/// Method, path, handler. A last `{+name}` takes the rest of the path.
type Route = (&'static str, &'static str, Handler);

pub(super) const ROUTES: [Route; 37] = [
    ("GET", "/user", GitHub::get_user),
    ("GET", "/rate_limit", GitHub::get_rate_limit),
    (
        "POST",
        "/app/installations/{installation_id}/access_tokens",
        GitHub::post_installation_token,
    ),
    ("GET", "/repos/{owner}/{repo}", GitHub::get_repository),
    (
        "GET",
        "/repos/{owner}/{repo}/branches",
        GitHub::get_branches,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/branches/{+branch}",
        GitHub::get_branch,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/rules/branches/{+branch}",
        GitHub::get_branch_rules,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/git/ref/{+ref}",
        GitHub::get_ref,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/git/matching-refs/{+ref}",
        GitHub::get_matching_refs,
    ),
    ("POST", "/repos/{owner}/{repo}/git/refs", GitHub::post_ref),
    (
        "PATCH",
        "/repos/{owner}/{repo}/git/refs/{+ref}",
        GitHub::patch_ref,
    ),
    (
        "DELETE",
        "/repos/{owner}/{repo}/git/refs/{+ref}",
        GitHub::delete_ref,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/git/trees/{tree_sha}",
        GitHub::get_tree,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/git/blobs/{file_sha}",
        GitHub::get_blob,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/git/commits/{commit_sha}",
        GitHub::get_git_commit,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/contents/{+path}",
        GitHub::get_contents,
    ),
    (
        "PUT",
        "/repos/{owner}/{repo}/contents/{+path}",
        GitHub::put_contents,
    ),
    (
        "DELETE",
        "/repos/{owner}/{repo}/contents/{+path}",
        GitHub::delete_contents,
    ),
    ("GET", "/repos/{owner}/{repo}/commits", GitHub::get_commits),
    (
        "GET",
        "/repos/{owner}/{repo}/commits/{commit_sha}/pulls",
        GitHub::get_commit_pulls,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/commits/{ref}/check-runs",
        GitHub::get_commit_checks,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/commits/{ref}",
        GitHub::get_commit,
    ),
    ("GET", "/repos/{owner}/{repo}/pulls", GitHub::get_pulls),
    ("POST", "/repos/{owner}/{repo}/pulls", GitHub::post_pull),
    (
        "GET",
        "/repos/{owner}/{repo}/pulls/{pull_number}",
        GitHub::get_pull,
    ),
    (
        "PATCH",
        "/repos/{owner}/{repo}/pulls/{pull_number}",
        GitHub::patch_pull,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/pulls/{pull_number}/files",
        GitHub::get_pull_files,
    ),
    (
        "PUT",
        "/repos/{owner}/{repo}/pulls/{pull_number}/merge",
        GitHub::put_merge,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/pulls/{pull_number}/reviews",
        GitHub::get_reviews,
    ),
    (
        "POST",
        "/repos/{owner}/{repo}/pulls/{pull_number}/reviews",
        GitHub::post_review,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/issues/{issue_number}/comments",
        GitHub::get_comments,
    ),
    (
        "POST",
        "/repos/{owner}/{repo}/issues/{issue_number}/comments",
        GitHub::post_comment,
    ),
    (
        "PATCH",
        "/repos/{owner}/{repo}/issues/comments/{comment_id}",
        GitHub::patch_comment,
    ),
    (
        "DELETE",
        "/repos/{owner}/{repo}/issues/comments/{comment_id}",
        GitHub::delete_comment,
    ),
    (
        "POST",
        "/repos/{owner}/{repo}/check-runs",
        GitHub::post_check,
    ),
    (
        "PATCH",
        "/repos/{owner}/{repo}/check-runs/{check_run_id}",
        GitHub::patch_check,
    ),
    (
        "GET",
        "/repos/{owner}/{repo}/check-runs/{check_run_id}",
        GitHub::get_check,
    ),
];

/// A request matched with a route.
pub(super) struct Matched {
    pub(super) operation: String,
    pub(super) repository: String,
    pub(super) params: Vec<String>,
    pub(super) handler: Handler,
}

/// Every operation that is not answered with 501.
pub(super) fn operations() -> Vec<String> {
    let all = ROUTES.iter();
    all.map(|(method, path, _)| operation(method, path))
        .collect()
}

fn operation(method: &str, path: &str) -> String {
    format!("{method} {}", path.replace("{+", "{"))
}

/// The route of a method and path; `/api/v3`, the prefix of own servers, is accepted too.
pub(super) fn find(method: &str, path: &str) -> Option<Matched> {
    let path = path.strip_prefix("/api/v3").unwrap_or(path);
    let segments: Vec<String> = path.trim_matches('/').split('/').map(decode).collect();
    ROUTES
        .iter()
        .filter(|(known, ..)| *known == method)
        .find_map(|(_, template, handler)| {
            let mut params = fit(template, &segments)?;
            let repository = if template.starts_with("/repos/") {
                let name = params.drain(..2).collect::<Vec<_>>().join("/");
                name.to_lowercase()
            } else {
                String::new()
            };
            Some(Matched {
                operation: operation(method, template),
                repository,
                params,
                handler: *handler,
            })
        })
}

fn fit(template: &str, segments: &[String]) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut parts = template.trim_matches('/').split('/');
    for (n, segment) in segments.iter().enumerate() {
        let part = parts.next()?;
        if part.starts_with("{+") {
            params.push(segments[n..].join("/"));
            return Some(params);
        }
        if part.starts_with('{') {
            params.push(segment.clone());
        } else if part != segment {
            return None;
        }
    }
    match parts.next() {
        None => Some(params),
        // The root of the contents.
        Some(rest) if rest.starts_with("{+path") => {
            params.push(String::new());
            Some(params)
        }
        Some(_) => None,
    }
}

pub(super) fn parse_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(&value.replace('+', " ")))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let value =
            escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(value.unwrap_or(byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}
