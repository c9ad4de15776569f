//! Base URL and credentials of an API, checked before anything is sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::wire::transport::Transport;

/// How requests prove who sends them.
#[derive(Clone, Debug)]
pub enum Auth {
    /// HTTP basic.
    Basic {
        /// User name; an e-mail address for Jira.
        user: String,
        /// Password or API token.
        token: SecretString,
    },
    /// Bearer token.
    Bearer(SecretString),
    /// None.
    Anonymous,
}

/// Why a client cannot be set up.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadSetup {
    /// The base URL is unusable.
    #[error(
        "the base URL `{url}` cannot be used: {why}. Write it like https://example.atlassian.net"
    )]
    BaseUrl {
        /// As configured.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The credential has characters that no header may carry.
    #[error(
        "the {api} credential contains a line break or another character that a header cannot carry. Store it again without it"
    )]
    Credential {
        /// Which API.
        api: &'static str,
    },
}

/// What an `Http` needs to know of its API.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Short name, such as `jira`: the scope that all its requests share.
    pub api: &'static str,
    /// Scheme, host and an optional path prefix.
    pub base_url: String,
    /// Credentials.
    pub auth: Auth,
    /// The sentence after a 401: who renews the credential, and where.
    pub renew: String,
}

pub(super) fn authorization(config: &HttpConfig) -> Result<Option<HeaderValue>, BadSetup> {
    let words = match &config.auth {
        Auth::Anonymous => return Ok(None),
        Auth::Basic { user, token } => {
            let pair = format!("{user}:{}", token.expose_secret());
            format!("Basic {}", STANDARD.encode(pair))
        }
        Auth::Bearer(token) => format!("Bearer {}", token.expose_secret()),
    };
    let mut value =
        HeaderValue::from_str(&words).map_err(|_| BadSetup::Credential { api: config.api })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Base without trailing slash, and the host for messages.
pub(super) fn base_url(url: &str, transport: &Transport) -> Result<(String, String), String> {
    let parsed = reqwest::Url::parse(url.trim()).map_err(|error| error.to_string())?;
    let host = parsed.host_str().ok_or("it names no host")?.to_owned();
    let loopback = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    let plaintext_allowed = loopback || matches!(transport, Transport::InProcess(_));
    match parsed.scheme() {
        "https" => {}
        "http" if plaintext_allowed => {}
        _ => return Err("it must begin with https://".to_owned()),
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("it must not carry a user or password".to_owned());
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err("it must not carry a query or fragment".to_owned());
    }
    Ok((parsed.as_str().trim_end_matches('/').to_owned(), host))
}
