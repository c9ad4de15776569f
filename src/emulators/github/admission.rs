//! The way of a request: who asks, what refuses it before its handler runs, and the headers that every answer carries.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::limits::{GitHubFault, Refused};
use super::reply::{Outcome, Reply, add_header, created, not_found, ok, refusal};
use super::route::{Call, Matched, find, parse_query};
use super::{Answered, GitHub, User};
use crate::emulators::journal::Journal;
use crate::emulators::{Request, Response};

impl GitHub {
    pub(super) fn answer(
        &mut self,
        request: &Request,
        now: Timestamp,
        journal: &mut Journal,
    ) -> Answered {
        self.requests += 1;
        let method = request.method().as_str();
        let Some(matched) = find(method, request.uri().path()) else {
            let operation = format!("{method} {}", request.uri().path());
            *self.counts.entry(operation.clone()).or_default() += 1;
            let sentence = format!("This emulator does not know {operation}.");
            let response = refusal(501, sentence).into_response();
            return Answered {
                operation,
                response,
                dropped: false,
            };
        };
        let operation = matched.operation.clone();
        *self.counts.entry(operation.clone()).or_default() += 1;
        let user = self.caller(request, &operation, now);
        let login = user
            .as_ref()
            .map(|user| user.login.clone())
            .unwrap_or_default();
        let (reply, dropped) = self.serve(request, matched, user, now, journal);
        let response = self.dress(reply, request, &login, now);
        Answered {
            operation,
            response,
            dropped,
        }
    }

    fn serve(
        &mut self,
        request: &Request,
        matched: Matched,
        user: Result<User, Reply>,
        now: Timestamp,
        journal: &mut Journal,
    ) -> (Reply, bool) {
        let operation = matched.operation.clone();
        let user = match user {
            Ok(user) => user,
            Err(refused) => return (refused, false),
        };
        if let Some(refused) = self.limits.inside_window(&user.login, now) {
            journal.violate(
                "S6",
                now,
                format!("{operation} came inside a wait that GitHub had asked for"),
            );
            return (throttled(refused), false);
        }
        let fault = self.faults.strike(&operation, |kind| kind.fits(&operation));
        match &fault {
            Some(GitHubFault::PrimaryLimit { reset_after_s }) => {
                return (
                    throttled(self.limits.close(&user.login, *reset_after_s, true, now)),
                    false,
                );
            }
            Some(GitHubFault::SecondaryLimit { retry_after_s }) => {
                return (
                    throttled(self.limits.close(&user.login, *retry_after_s, false, now)),
                    false,
                );
            }
            Some(GitHubFault::Status(status)) => {
                return (refusal(*status, "Something went wrong."), false);
            }
            Some(GitHubFault::BadCredentials) => return (refusal(401, "Bad credentials"), false),
            Some(GitHubFault::DropBefore) => return (Reply::bare(599), true),
            Some(GitHubFault::ApplyThenDrop | GitHubFault::TruncatedListing) | None => {}
        }
        let write = request.method() != http::Method::GET;
        if self.quotas_enabled
            && let Some(refused) = self.limits.count(&user.login, write, now)
        {
            return (throttled(refused), false);
        }
        let call = self.call(request, matched.repository, matched.params, user, now);
        let reply = call.and_then(|mut call| {
            call.cut_short = fault == Some(GitHubFault::TruncatedListing);
            self.permitted(&call, write)?;
            (matched.handler)(self, &call)
        });
        let dropped = fault == Some(GitHubFault::ApplyThenDrop);
        (reply.unwrap_or_else(|refused| refused), dropped)
    }

    fn call(
        &self,
        request: &Request,
        repository: String,
        params: Vec<String>,
        user: User,
        now: Timestamp,
    ) -> Result<Call, Reply> {
        let body = match request.body() {
            empty if empty.is_empty() => Value::Null,
            full => {
                serde_json::from_slice(full).map_err(|_| refusal(400, "Problems parsing JSON"))?
            }
        };
        Ok(Call {
            user,
            repository,
            params,
            query: request.uri().query().map(parse_query).unwrap_or_default(),
            body,
            now,
            cut_short: false,
            site: self.site.clone(),
            path: request.uri().path().to_owned(),
        })
    }

    /// A repository that the caller may not see is answered as if it did not exist (REST API: troubleshooting).
    fn permitted(&self, call: &Call, write: bool) -> Result<(), Reply> {
        if call.repository.is_empty() {
            return Ok(());
        }
        if self.repository(&call.repository).is_none() {
            return Err(not_found());
        }
        // Anybody who may read may review and comment.
        let speaks = call.path.contains("/comments") || call.path.ends_with("/reviews");
        if write && !call.user.writes && !speaks {
            return Err(refusal(
                403,
                "Resource not accessible by personal access token",
            ));
        }
        Ok(())
    }

    /// Who asks: a token of a user or of an installation, or an App's assertion.
    fn caller(&self, request: &Request, operation: &str, now: Timestamp) -> Result<User, Reply> {
        let bad = || refusal(401, "Bad credentials");
        let header = request.headers().get(http::header::AUTHORIZATION);
        let header = header.and_then(|value| value.to_str().ok());
        let Some(header) = header else {
            return Err(refusal(401, "Requires authentication"));
        };
        let token = match header.split_once(' ') {
            Some(("Bearer" | "bearer" | "token", token)) => token.to_owned(),
            Some(("Basic" | "basic", pair)) => {
                let pair = STANDARD.decode(pair).map_err(|_| bad())?;
                let pair = String::from_utf8(pair).map_err(|_| bad())?;
                pair.split_once(':')
                    .map(|(_, token)| token.to_owned())
                    .ok_or_else(bad)?
            }
            _ => return Err(bad()),
        };
        if operation.starts_with("POST /app/") {
            return self
                .app_of(&token, now)
                .ok_or_else(|| refusal(401, "A JSON web token could not be decoded"));
        }
        let session = self
            .sessions
            .iter()
            .find(|(known, _, ends)| *known == token && now < *ends)
            .map(|(_, login, _)| login.clone());
        let user = self
            .users
            .iter()
            .find(|user| user.token == token || Some(&user.login) == session.as_ref());
        user.cloned().ok_or_else(bad)
    }

    /// An App's signed statement: RS256, at most ten minutes from issue to end (GitHub docs: generating a JWT).
    fn app_of(&self, assertion: &str, now: Timestamp) -> Option<User> {
        let (signed, signature) = assertion.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        let id = match &claims["iss"] {
            Value::String(id) => id.clone(),
            other => other.to_string(),
        };
        let app = self.apps.iter().find(|app| app.id == id)?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &app.public_key)
            .verify(signed.as_bytes(), &signature)
            .ok()?;
        let (from, to) = (claims["iat"].as_i64()?, claims["exp"].as_i64()?);
        let now = now.as_second();
        (from <= now && now < to && to - from <= 600).then_some(())?;
        self.user(&app.user).cloned()
    }

    /// `POST /app/installations/{installation_id}/access_tokens`: a token for an hour.
    pub(super) fn post_installation_token(&mut self, call: &Call) -> Outcome {
        let installation = call.number(0);
        let app = self
            .apps
            .iter()
            .find(|app| app.installation == installation && app.user == call.user.login);
        let user = app.map(|app| app.user.clone()).ok_or_else(not_found)?;
        let ends = call.now + SignedDuration::from_hours(1);
        let token = format!("ghs_{:016x}{:08x}", self.take_id(), self.requests);
        self.sessions.push((token.clone(), user, ends));
        created(
            json!({ "token": token, "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "permissions": { "contents": "write", "pull_requests": "write", "checks": "write", "metadata": "read" } }),
        )
    }

    /// `GET /user`
    pub(super) fn get_user(&mut self, call: &Call) -> Outcome {
        ok(self.user_document(&call.user.login))
    }

    /// `GET /rate_limit`: asking costs nothing.
    pub(super) fn get_rate_limit(&mut self, call: &Call) -> Outcome {
        self.limits.forget(&call.user.login);
        let shown = self.limits.shown(&call.user.login, call.now);
        let core = json!({ "limit": shown.limit, "remaining": shown.remaining, "used": shown.used,
            "reset": shown.reset.as_second() });
        ok(json!({ "resources": { "core": core }, "rate": core }))
    }

    /// A user as other documents name one.
    pub(super) fn user_document(&self, login: &str) -> Value {
        let user = self.user(login);
        json!({ "login": login, "id": user.map_or(0, |user| user.id), "type": user.map_or("User", |user| user.kind),
            "url": format!("{}/users/{login}", self.site), "html_url": format!("{}/{login}", self.site),
            "site_admin": false })
    }

    /// Headers of every answer. A read whose content the caller has already is answered with 304 (REST API: best
    /// practices, conditional requests).
    fn dress(&mut self, reply: Reply, request: &Request, login: &str, now: Timestamp) -> Response {
        let cacheable = reply.status == 200 && request.method() == http::Method::GET;
        let mut response = reply.into_response();
        if cacheable {
            let etag = format!("W/\"{}\"", hex::encode(Sha256::digest(response.body())));
            let known = request.headers().get(http::header::IF_NONE_MATCH);
            if known.and_then(|value| value.to_str().ok()) == Some(etag.as_str()) {
                self.limits.uncount(login);
                response = Reply::bare(304).into_response();
            }
            add_header(&mut response, "etag", &etag);
        }
        let shown = self.limits.shown(login, now);
        if !response.headers().contains_key("x-ratelimit-remaining") {
            add_header(&mut response, "x-ratelimit-limit", &shown.limit.to_string());
            add_header(
                &mut response,
                "x-ratelimit-remaining",
                &shown.remaining.to_string(),
            );
            add_header(&mut response, "x-ratelimit-used", &shown.used.to_string());
            add_header(
                &mut response,
                "x-ratelimit-reset",
                &shown.reset.as_second().to_string(),
            );
            add_header(&mut response, "x-ratelimit-resource", "core");
        }
        add_header(
            &mut response,
            "x-github-media-type",
            "github.v3; format=json",
        );
        add_header(
            &mut response,
            "x-github-request-id",
            &format!("E000:{:08X}", self.requests),
        );
        response
    }
}

fn throttled(refused: Refused) -> Reply {
    match refused {
        Refused::Primary { reset } => refusal(403, "API rate limit exceeded for user ID 1.")
            .header("x-ratelimit-limit", "5000")
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-used", "5000")
            .header("x-ratelimit-reset", reset.as_second().to_string())
            .header("x-ratelimit-resource", "core"),
        Refused::Secondary { retry_after_s } => refusal(
            403,
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        )
        .header("retry-after", retry_after_s.to_string()),
    }
}
