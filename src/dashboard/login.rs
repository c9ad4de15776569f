//! Logging in with an OpenID Connect provider, and out again. The browser that comes back must be the one that went: it
//! holds a cookie whose hash the store knows, and the provider gives back the state that belongs to it.

use axum::http::HeaderValue;
use axum::response::Response;
use jiff::SignedDuration;

use super::access::{By, COOKIE, cookie, named, person, sha256};
use super::answer::{Failure, Visit, own_path, see};
use super::form::random;
use crate::store::access::{Login, Session, Sessions as _};
use crate::wire::oidc::Asked;

/// The cookie of a browser that is on its way to the provider.
const LOGIN_COOKIE: &str = "__Host-asaf-login";
/// So long a person may take there.
const LOGIN_WITHIN: SignedDuration = SignedDuration::from_mins(10);

fn secret() -> Result<String, Failure> {
    let random = random();
    let random = random.ok_or_else(|| Failure::Template("there is no randomness".to_owned()))?;
    Ok(hex::encode(random))
}

/// `Lax`: the provider's page leads back here, and the cookie must come along.
fn set(response: &mut Response, name: &str, value: &str, seconds: i64) {
    let line = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    if let Ok(line) = HeaderValue::from_str(&line) {
        response.headers_mut().append("set-cookie", line);
    }
}

/// To the provider.
pub(super) async fn begin(visit: &Visit<'_>) -> Result<Response, Failure> {
    let Some(provider) = &visit.setup.provider else {
        return Err(Failure::NotFound(
            "Nobody logs in here: [dashboard.oidc] is not configured.".to_owned(),
        ));
    };
    let (held, state, nonce, verifier) = (secret()?, secret()?, secret()?, secret()?);
    let asked = Asked {
        state: &state,
        nonce: &nonce,
        verifier: &verifier,
    };
    let to = provider.log_in_at(&asked, visit.now).await;
    let to = to.map_err(|error| Failure::Refused(error.to_string()))?;
    let back = visit.asked("back").unwrap_or_default();
    let login = Login {
        sha256: sha256(held.as_bytes()),
        state,
        nonce,
        verifier,
        back: own_path(&back).to_owned(),
        ends_at: visit.now + LOGIN_WITHIN,
    };
    visit.dashboard.store.begin_login(&login, visit.now).await?;
    let mut response = see(&to);
    set(&mut response, LOGIN_COOKIE, &held, LOGIN_WITHIN.as_secs());
    Ok(response)
}

/// Back from the provider.
pub(super) async fn come_back(visit: &Visit<'_>) -> Result<Response, Failure> {
    let refused = |why: &str| Failure::Refused(format!("You are not logged in: {why}."));
    let Some(provider) = &visit.setup.provider else {
        return Err(refused("[dashboard.oidc] is not configured"));
    };
    let held = cookie(&visit.headers, LOGIN_COOKIE);
    let held =
        held.ok_or_else(|| refused("this browser did not begin it; begin again at /login"))?;
    let hash = sha256(held.as_bytes());
    let login = visit.dashboard.store.take_login(hash, visit.now).await?;
    let login =
        login.ok_or_else(|| refused("it took too long, or was used; begin again at /login"))?;
    if visit.asked("state").as_deref() != Some(login.state.as_str()) {
        return Err(refused("the provider's answer belongs to another log-in"));
    }
    if let Some(error) = visit.asked("error") {
        let error = crate::wire::http::plain(&error, 100);
        return Err(refused(&format!("the provider says {error}")));
    }
    let code = visit.asked("code").filter(|code| !code.is_empty());
    let code = code.ok_or_else(|| refused("the provider gave no code"))?;
    let asked = Asked {
        state: &login.state,
        nonce: &login.nonce,
        verifier: &login.verifier,
    };
    let claims = provider.claims(&code, &asked, visit.now).await;
    let claims = claims.map_err(|error| refused(&error.to_string()))?;
    let dashboard = &visit.setup.config.dashboard;
    let Some(oidc) = &dashboard.oidc else {
        return Err(refused("[dashboard.oidc] is not configured"));
    };
    let (name, groups) = named(&claims, &oidc.user_claim, &oidc.groups_claim)
        .map_err(|error| refused(&error.to_string()))?;
    let value = secret()?;
    let by = By::Session(sha256(value.as_bytes()));
    // Whoever has no role gets no session.
    let identity =
        person(visit.setup, &name, &groups, by).map_err(|error| refused(&error.to_string()))?;
    let lasts = dashboard.session_lasts.duration();
    let session = Session {
        sha256: sha256(value.as_bytes()),
        name: identity.name,
        groups,
        began_at: visit.now,
        seen_at: visit.now,
        ends_at: visit.now + lasts,
    };
    visit.dashboard.store.begin_session(&session).await?;
    tracing::info!(person = session.name, "somebody has logged in");
    let mut response = see(own_path(&login.back));
    set(&mut response, COOKIE, &value, lasts.as_secs());
    set(&mut response, LOGIN_COOKIE, "", 0);
    Ok(response)
}

/// Out again: the session is gone, whatever the browser keeps.
pub(super) async fn end(visit: &Visit<'_>) -> Result<Response, Failure> {
    let by = visit.identity.as_ref().map(|one| one.by);
    if let Some(By::Session(hash)) = by {
        visit.dashboard.store.end_session(hash).await?;
    }
    let mut response = see("/");
    set(&mut response, COOKIE, "", 0);
    Ok(response)
}
