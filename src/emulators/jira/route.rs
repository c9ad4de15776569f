//! Which operation a request names, and what its handler is given. Refuses nothing.

use jiff::Timestamp;
use serde_json::Value;

use super::Jira;
use super::faults::FaultKind;
use super::people::users::User;
use super::reply::{Outcome, Reply, refusal};
use super::routes::TABLES;
use crate::emulators::journal::Journal;

/// A request that reached its handler.
pub(crate) struct Call<'a> {
    pub(super) user: User,
    pub(super) params: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) now: Timestamp,
    /// `2` or `3`: documents are strings in version 2, ADF in version 3.
    pub(super) version: &'static str,
    /// A fault that strikes inside the handler.
    pub(super) fault: Option<FaultKind>,
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

    /// Whether `expand` names a part.
    pub(super) fn expands(&self, part: &str) -> bool {
        self.query_list("expand").iter().any(|one| one == part)
    }

    /// `startAt` and `maxResults`, with the operation's own default and cap for the latter.
    pub(super) fn page(&self, default: usize, most: usize) -> Result<(usize, usize), Reply> {
        let number = |name: &str| match self.query(name) {
            None | Some("") => Ok(None),
            Some(text) => match text.parse::<i64>() {
                Ok(number) => Ok(usize::try_from(number).ok()),
                Err(_) => Err(refusal(
                    400,
                    format!("The query parameter '{name}' must be a number."),
                )),
            },
        };
        let start = number("startAt")?.unwrap_or(0);
        Ok((start, number("maxResults")?.unwrap_or(default).min(most)))
    }

    pub(super) fn is_v2(&self) -> bool {
        self.version == "2"
    }
}

pub(super) type Handler = fn(&mut Jira, &mut Call<'_>) -> Outcome;

/// The classic OAuth 2.0 scope of an operation (Jira REST v3: `x-atlassian-oauth2-scopes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Anybody, also without credentials.
    Open,
    ReadWork,
    WriteWork,
    ReadUser,
    ManageConfiguration,
    ManageProject,
    /// Admin webhooks: which scope a token needs is not documented, so that of dynamic ones is asked for.
    ManageWebhook,
}

impl Scope {
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Scope::Open => None,
            Scope::ReadWork => Some("read:jira-work"),
            Scope::WriteWork => Some("write:jira-work"),
            Scope::ReadUser => Some("read:jira-user"),
            Scope::ManageConfiguration => Some("manage:jira-configuration"),
            Scope::ManageProject => Some("manage:jira-project"),
            Scope::ManageWebhook => Some("manage:jira-webhook"),
        }
    }
}

/// An operation: method, path below its base, handler, scope.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) template: &'static str,
    pub(super) handler: Handler,
    pub(super) scope: Scope,
}

/// Where a group of operations lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// `/rest/api/3`, with its aliases `2` and `latest`.
    Api,
    /// `/rest/webhooks/1.0`.
    Webhooks,
    /// The root of the site.
    Root,
}

/// A request matched with a route.
pub(super) struct Matched {
    pub(super) operation: String,
    pub(super) params: Vec<String>,
    pub(super) version: &'static str,
    pub(super) handler: Handler,
    pub(super) scope: Scope,
}

/// Where a path leads.
pub(super) enum Found {
    Route(Matched),
    /// Under a known base, but not emulated.
    Unknown(String),
    /// Somewhere else.
    Outside(String),
}

/// The names of all operations, as they are counted for version 3.
pub(super) fn operations() -> Vec<String> {
    TABLES
        .iter()
        .flat_map(|(base, routes)| routes.iter().map(move |route| (base, route)))
        .map(|(base, route)| {
            let base = match base {
                Base::Api => "/rest/api/3/",
                Base::Webhooks => "/rest/webhooks/1.0/",
                Base::Root => "/",
            };
            format!("{} {base}{}", route.method, route.template)
        })
        .collect()
}

/// Operations that are not emulated, although their paths look like those of others with an id (Jira REST v3).
const NOT_IDS: [(&str, &str); 7] = [
    ("PUT", "issue/archive"),
    ("PUT", "issue/unarchive"),
    ("GET", "issue/picker"),
    ("GET", "issuetype/project"),
    ("GET", "priority/search"),
    ("GET", "project/recent"),
    ("GET", "project/type"),
];

/// The route of a method and path.
pub(super) fn find(method: &str, path: &str) -> Found {
    let shown = format!("{method} {path}");
    let (base, prefix, version, tail) = match split(path) {
        Some(parts) => parts,
        None => return Found::Outside(shown),
    };
    let tail = tail.trim_end_matches('/');
    if base == Base::Api && NOT_IDS.contains(&(method, tail)) {
        return Found::Unknown(shown);
    }
    let segments: Vec<String> = tail.split('/').map(|part| decode(part, false)).collect();
    let tables = TABLES.iter().filter(|(known, _)| *known == base);
    let route = tables
        .flat_map(|(_, routes)| routes.iter())
        .filter(|route| route.method == method)
        .find_map(|route| {
            let params = fit(route.template, &segments)?;
            Some(Matched {
                operation: format!("{method} {prefix}{}", route.template),
                params,
                version,
                handler: route.handler,
                scope: route.scope,
            })
        });
    match route {
        Some(matched) => Found::Route(matched),
        None if base == Base::Root => Found::Outside(shown),
        None => Found::Unknown(shown),
    }
}

/// The base, its spelling with a final slash, the version, and the rest.
fn split(path: &str) -> Option<(Base, String, &'static str, &str)> {
    if let Some(rest) = path.strip_prefix("/rest/api/") {
        let (spelled, tail) = rest.split_once('/')?;
        let version = match spelled {
            "3" => "3",
            "2" | "latest" => "2",
            _ => return None,
        };
        return Some((Base::Api, format!("/rest/api/{spelled}/"), version, tail));
    }
    if let Some(tail) = path.strip_prefix("/rest/webhooks/1.0/") {
        return Some((Base::Webhooks, "/rest/webhooks/1.0/".into(), "2", tail));
    }
    Some((Base::Root, "/".into(), "3", path.strip_prefix('/')?))
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
