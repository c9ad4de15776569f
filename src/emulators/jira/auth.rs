//! Who asks: e-mail address and API token, expired tokens, scopes, and the gateway for scoped tokens.

use jiff::Timestamp;
use serde_json::json;

use super::Jira;
use super::people::users::User;
use super::reply::{Reply, refusal};
use super::route::Scope;

/// Below this path scoped tokens work, followed by the site's cloud id (Atlassian: API tokens for service accounts).
const GATEWAY: &str = "/ex/jira/";

/// A path without the gateway's prefix.
pub(super) struct Entrance<'a> {
    pub(super) path: &'a str,
    /// The cloud id, when the request came through the gateway.
    pub(super) cloud_id: Option<&'a str>,
}

pub(super) fn entrance(path: &str) -> Entrance<'_> {
    let inner = path
        .strip_prefix(GATEWAY)
        .and_then(|rest| rest.split_once('/').map(|(id, _)| id));
    match inner {
        Some(id) => Entrance {
            path: &path[GATEWAY.len() + id.len()..],
            cloud_id: Some(id),
        },
        None => Entrance {
            path,
            cloud_id: None,
        },
    }
}

impl Jira {
    /// The user of a request, or the refusal. Without a scope the operation is open to everybody.
    pub(super) fn authenticated(
        &self,
        header: Option<&http::HeaderValue>,
        is_gateway: bool,
        scope: Scope,
        now: Timestamp,
    ) -> Result<User, Reply> {
        let known = credentials(header).and_then(|(email, token)| {
            self.people.users().find(|user| {
                user.active
                    && user.email == email
                    && user.token == token
                    && user.token_expires.is_none_or(|at| now < at)
                    && (is_gateway || user.scopes.is_none())
            })
        });
        match (known, scope) {
            (Some(user), _) if has_scope(user, scope) => Ok(user.clone()),
            (Some(_), _) => Err(scope_missing()),
            (None, Scope::Open) => Ok(User::nobody()),
            (None, _) => Err(unauthenticated(&self.site)),
        }
    }

    /// A cloud id that the gateway does not know (recorded from Atlassian's gateway, 2026-10).
    pub(super) fn unknown_site(&self, path: &str, now: Timestamp) -> Reply {
        Reply::new(
            404,
            json!({
                "timestamp": now.to_string(), "status": 404, "error": "Not Found", "message": "No message available",
                "path": path,
            }),
        )
    }
}

fn has_scope(user: &User, scope: Scope) -> bool {
    let scopes = user.scopes.as_ref();
    scopes.is_none_or(|held| scope.word().is_none_or(|word| held.contains(word)))
}

/// The body of a token that lacks the scope of an operation.
pub(super) fn scope_missing() -> Reply {
    Reply::new(
        401,
        json!({"code": 401, "message": "Unauthorized; scope does not match"}),
    )
}

pub(super) fn unauthenticated(site: &str) -> Reply {
    refusal(401, "Client must be authenticated to access this resource.")
        .header("www-authenticate", format!("OAuth realm=\"{site}\""))
        .header("x-seraph-loginreason", "AUTHENTICATED_FAILED")
}

/// `email:token` of an `Authorization` header (Jira Cloud: basic auth for REST APIs).
fn credentials(header: Option<&http::HeaderValue>) -> Option<(String, String)> {
    use base64::Engine as _;
    let encoded = header?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(encoded.trim())
        .ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (email, token) = text.split_once(':')?;
    Some((email.to_owned(), token.to_owned()))
}
