//! Who the client is: a token, or a GitHub App's installation, whose tokens last an hour (GitHub docs: authenticating as
//! a GitHub App installation).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{GitHub, GitHubAuth};
use crate::wire::error::WireError;
use crate::wire::http::{Auth, BadSetup, Http, Operation, Request};

/// A client with a credential that is good for a while.
pub(super) struct Session {
    http: Http,
    /// `None` for tokens whose end is not known.
    ends_at: Option<Timestamp>,
}

/// A token is renewed this long before it ends.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// GitHub accepts at most ten minutes from issue to expiry, and clocks may differ by one.
const ASSERTION_LASTS: SignedDuration = SignedDuration::from_mins(8);

#[derive(Deserialize)]
struct InstallationToken {
    token: String,
    expires_at: Timestamp,
}

impl GitHub {
    /// Everything that can be known to be wrong before a request is sent.
    pub(super) fn check_setup(&self) -> Result<(), BadSetup> {
        match &self.config.auth {
            GitHubAuth::Token(token) => self.http(Auth::Bearer(token.clone())).map(drop),
            GitHubAuth::App { private_key, .. } => {
                key_pair(private_key).ok_or(BadSetup::Credential { api: "github" })?;
                self.http(Auth::Anonymous).map(drop)
            }
        }
    }

    /// The client to use now.
    pub(super) async fn session(&self) -> Result<Http, WireError> {
        let now = self.budget.clock().now();
        let mut session = self.session.lock().await;
        if let Some(session) = session.as_ref()
            && session
                .ends_at
                .is_none_or(|ends_at| now + RENEWED_BEFORE < ends_at)
        {
            return Ok(session.http.clone());
        }
        let new = match &self.config.auth {
            GitHubAuth::Token(token) => Session {
                http: self.http(Auth::Bearer(token.clone())).map_err(denied)?,
                ends_at: None,
            },
            GitHubAuth::App {
                id,
                installation,
                private_key,
            } => {
                self.installation(id, *installation, private_key, now)
                    .await?
            }
        };
        Ok(session.insert(new).http.clone())
    }

    async fn installation(
        &self,
        id: &str,
        installation: u64,
        private_key: &SecretString,
        now: Timestamp,
    ) -> Result<Session, WireError> {
        let assertion = assertion(id, private_key, now)
            .ok_or_else(|| denied(BadSetup::Credential { api: "github" }))?;
        let http = self.http(Auth::Bearer(assertion)).map_err(denied)?;
        // A second token does no harm: the first one ends by itself.
        let operation = Operation::write(
            "POST /app/installations/{installation_id}/access_tokens",
            format!("asking GitHub for a token of installation {installation}"),
            "the App must be installed for the repository",
        )
        .repeatable();
        let path = format!("/app/installations/{installation}/access_tokens");
        let token: InstallationToken = http
            .send(&operation, Request::new(Method::POST, path))
            .await?
            .decode(&operation)?;
        Ok(Session {
            http: self
                .http(Auth::Bearer(SecretString::from(token.token)))
                .map_err(denied)?,
            ends_at: Some(token.expires_at),
        })
    }
}

fn denied(bad: BadSetup) -> WireError {
    WireError::Denied {
        what: "preparing requests to GitHub".to_owned(),
        status: 0,
        message: bad.to_string(),
        fix: "Correct [ignore] of the configuration".to_owned(),
    }
}

/// The App's signed statement that it is itself (RS256, RFC 7515).
pub(crate) fn assertion(
    id: &str,
    private_key: &SecretString,
    now: Timestamp,
) -> Option<SecretString> {
    let key = key_pair(private_key)?;
    let claims = serde_json::json!({
        "iat": (now - SignedDuration::from_mins(1)).as_second(),
        "exp": (now + ASSERTION_LASTS).as_second(),
        "iss": id,
    });
    let part = |json: String| URL_SAFE_NO_PAD.encode(json);
    let signed = format!(
        "{}.{}",
        part(r#"{"alg":"RS256","typ":"JWT"}"#.to_owned()),
        part(claims.to_string())
    );
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .ok()?;
    let whole = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    Some(SecretString::from(whole))
}

/// GitHub gives PKCS#1 (`BEGIN RSA PRIVATE KEY`); converted keys are PKCS#8 (`BEGIN PRIVATE KEY`).
fn key_pair(pem: &SecretString) -> Option<RsaKeyPair> {
    let text = pem.expose_secret();
    let inner = |label: &str| {
        let after = text.split_once(&format!("-----BEGIN {label}-----"))?.1;
        let body = after.split_once(&format!("-----END {label}-----"))?.0;
        let body: String = body.split_whitespace().collect();
        STANDARD.decode(body).ok()
    };
    match (inner("RSA PRIVATE KEY"), inner("PRIVATE KEY")) {
        (Some(der), _) => RsaKeyPair::from_der(&der).ok(),
        (None, Some(der)) => RsaKeyPair::from_pkcs8(&der).ok(),
        (None, None) => None,
    }
}
