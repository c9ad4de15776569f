//! Which operation a request names, and what its handler is given. Refuses nothing.

use jiff::Timestamp;
use serde_json::Value;

use super::Jira;
use super::reply::Outcome;
use super::users::User;
use crate::emulators::journal::Journal;

/// A request that reached its handler.
pub(super) struct Call<'a> {
    pub(super) user: User,
    pub(super) params: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) now: Timestamp,
    /// `2` or `3`: documents are strings in version 2, ADF in version 3.
    pub(super) version: &'static str,
    pub(super) journal: &'a mut Journal,
}

impl Call<'_> {
    pub(super) fn param(&self, at: usize) -> &str {
        self.params.get(at).map_or("", String::as_str)
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A list from the query: repeated, or with commas.
    pub(super) fn query_list(&self, name: &str) -> Vec<String> {
        let values = self.query.iter().filter(|(key, _)| key == name);
        values
            .flat_map(|(_, value)| value.split(','))
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// `startAt` and `maxResults`, with the operation's own default and cap for the latter.
    pub(super) fn page(&self, default: usize, most: usize) -> (usize, usize) {
        let number = |name| self.query(name).and_then(|text| text.parse::<usize>().ok());
        (
            number("startAt").unwrap_or(0),
            number("maxResults").unwrap_or(default).min(most),
        )
    }

    pub(super) fn is_v2(&self) -> bool {
        self.version == "2"
    }
}

pub(super) type Handler = fn(&mut Jira, &mut Call<'_>) -> Outcome;

/// Method, path below `/rest/api/{version}`, handler.
type Route = (&'static str, &'static str, Handler);

const ROUTES: [Route; 51] = [
    ("GET", "myself", Jira::get_myself),
    ("GET", "serverInfo", Jira::get_server_info),
    ("GET", "mypermissions", Jira::get_my_permissions),
    ("GET", "field", Jira::get_fields),
    ("GET", "status", Jira::get_statuses),
    ("GET", "statuscategory", Jira::get_status_categories),
    ("GET", "priority", Jira::get_priorities),
    ("GET", "resolution", Jira::get_resolutions),
    ("GET", "issuetype", Jira::get_issue_types),
    ("GET", "user", Jira::get_user),
    ("GET", "user/assignable/search", Jira::get_assignable_users),
    ("GET", "group/member", Jira::get_group_members),
    ("GET", "project/search", Jira::search_projects),
    ("GET", "project/{projectIdOrKey}", Jira::get_project),
    (
        "GET",
        "project/{projectIdOrKey}/statuses",
        Jira::get_project_statuses,
    ),
    (
        "GET",
        "project/{projectIdOrKey}/role",
        Jira::get_project_roles,
    ),
    (
        "GET",
        "project/{projectIdOrKey}/role/{id}",
        Jira::get_project_role,
    ),
    (
        "GET",
        "issue/createmeta/{projectIdOrKey}/issuetypes",
        Jira::get_create_types,
    ),
    (
        "GET",
        "issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId}",
        Jira::get_create_fields,
    ),
    ("POST", "issue", Jira::create_issue),
    ("POST", "issue/bulk", Jira::create_issues),
    ("POST", "issue/bulkfetch", Jira::fetch_issues),
    ("GET", "issue/{issueIdOrKey}", Jira::get_issue),
    ("PUT", "issue/{issueIdOrKey}", Jira::edit_issue),
    ("DELETE", "issue/{issueIdOrKey}", Jira::delete_issue),
    ("GET", "issue/{issueIdOrKey}/changelog", Jira::get_changelog),
    (
        "POST",
        "issue/{issueIdOrKey}/changelog/list",
        Jira::get_changelog_by_ids,
    ),
    (
        "GET",
        "issue/{issueIdOrKey}/transitions",
        Jira::get_transitions,
    ),
    (
        "POST",
        "issue/{issueIdOrKey}/transitions",
        Jira::do_transition,
    ),
    ("GET", "issue/{issueIdOrKey}/comment", Jira::get_comments),
    ("POST", "issue/{issueIdOrKey}/comment", Jira::post_comment),
    (
        "GET",
        "issue/{issueIdOrKey}/comment/{id}",
        Jira::get_comment,
    ),
    (
        "PUT",
        "issue/{issueIdOrKey}/comment/{id}",
        Jira::edit_comment,
    ),
    (
        "GET",
        "issue/{issueIdOrKey}/properties",
        Jira::get_property_keys,
    ),
    (
        "GET",
        "issue/{issueIdOrKey}/properties/{propertyKey}",
        Jira::get_property,
    ),
    (
        "PUT",
        "issue/{issueIdOrKey}/properties/{propertyKey}",
        Jira::put_property,
    ),
    (
        "DELETE",
        "issue/{issueIdOrKey}/properties/{propertyKey}",
        Jira::delete_property,
    ),
    (
        "GET",
        "issue/{issueIdOrKey}/remotelink",
        Jira::get_remote_links,
    ),
    (
        "POST",
        "issue/{issueIdOrKey}/remotelink",
        Jira::post_remote_link,
    ),
    ("POST", "changelog/bulkfetch", Jira::fetch_changelogs),
    ("GET", "search/jql", Jira::get_search),
    ("POST", "search/jql", Jira::post_search),
    (
        "POST",
        "search/approximate-count",
        Jira::count_approximately,
    ),
    ("GET", "search", Jira::removed_search),
    ("POST", "search", Jira::removed_search),
    ("POST", "bulk/issues/transition", Jira::bulk_transition),
    ("POST", "bulk/issues/delete", Jira::bulk_delete),
    ("GET", "bulk/queue/{taskId}", Jira::get_task),
    ("GET", "users/search", Jira::get_all_users),
    ("GET", "role", Jira::get_roles),
    ("GET", "project", Jira::get_projects),
];

/// A request matched with a route.
pub(super) struct Matched {
    pub(super) operation: String,
    pub(super) params: Vec<String>,
    pub(super) version: &'static str,
    pub(super) handler: Handler,
}

/// Where a path leads.
pub(super) enum Found {
    Route(Matched),
    /// Under `/rest/api`, but not emulated.
    Unknown(String),
    /// Somewhere else.
    Outside(String),
}

/// The route of a method and path, in version 3 or in one of its aliases `2` and `latest`.
pub(super) fn find(method: &str, path: &str) -> Found {
    let shown = format!("{method} {path}");
    let Some(rest) = path.strip_prefix("/rest/api/") else {
        return Found::Outside(shown);
    };
    let Some((spelled, tail)) = rest.split_once('/') else {
        return Found::Outside(shown);
    };
    let version = match spelled {
        "3" => "3",
        "2" | "latest" => "2",
        _ => return Found::Outside(shown),
    };
    let segments: Vec<String> = tail
        .trim_end_matches('/')
        .split('/')
        .map(|part| decode(part, false))
        .collect();
    let route = ROUTES
        .iter()
        .filter(|(known, ..)| *known == method)
        .find_map(|(_, template, handler)| {
            let params = fit(template, &segments)?;
            let operation = format!("{method} /rest/api/{spelled}/{template}");
            Some(Matched {
                operation,
                params,
                version,
                handler: *handler,
            })
        });
    route.map_or(Found::Unknown(shown), Found::Route)
}

/// The values of a template's placeholders, when the path has its form.
fn fit(template: &str, segments: &[String]) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut parts = template.split('/');
    for segment in segments {
        let part = parts.next()?;
        if part.starts_with('{') {
            params.push(segment.clone());
        } else if part != segment {
            return None;
        }
    }
    parts.next().is_none().then_some(params)
}

pub(super) fn parse_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name, true), decode(value, true))
        })
        .collect()
}

fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let value =
            escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match value {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(if plus_is_space && byte == b'+' {
                    b' '
                } else {
                    byte
                });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
