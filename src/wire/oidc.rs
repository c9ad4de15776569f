//! An OpenID Connect provider: discovery, the address of its log-in, the exchange of a code, and the check of an ID token
//! (OpenID Connect Core 1.0, §3.1; Discovery 1.0, §4; PKCE: RFC 7636).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use form_urlencoded::Serializer;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::jwt::{BadToken, Jwk, Key, Unchecked};
use super::transport::{Lost, Transport};

/// Clocks may differ by this, in seconds.
const LEEWAY_SECS: i64 = 60;
/// What the provider says of itself is read again after this long.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(6);
/// An unknown key makes us read the keys again, but no sooner than this.
const KEYS_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The provider does not answer, or not as it must.
    #[error("the provider {issuer} cannot be used: {why}")]
    Provider {
        /// Which.
        issuer: String,
        /// Why.
        why: String,
    },
    /// The provider does not take the code.
    #[error("the provider refuses the code: {0}")]
    Refused(String),
    /// The ID token is not good.
    #[error("the provider's ID token is refused: {0}")]
    Token(#[from] BadToken),
}

/// The client as the provider knows it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The issuer.
    pub issuer: String,
    /// Its id.
    pub id: String,
    /// Its secret; none for a public client.
    pub secret: Option<SecretString>,
    /// Where people come back to.
    pub redirect: String,
    /// What is asked for.
    pub scopes: Vec<String>,
}

/// What a log-in goes to the provider with.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// Comes back with the code.
    pub state: &'a str,
    /// Stands in the ID token.
    pub nonce: &'a str,
    /// PKCE's secret; only its hash is sent.
    pub verifier: &'a str,
}

#[derive(Debug, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// What the provider said of itself.
#[derive(Debug)]
struct Known {
    description: Description,
    keys: Vec<(String, Key)>,
    read_at: Timestamp,
}

/// A provider.
#[derive(Debug)]
pub struct Provider {
    client: Client,
    transport: Transport,
    known: Mutex<Option<Arc<Known>>>,
}

impl Provider {
    /// Nothing is sent yet.
    pub fn new(client: Client, transport: Transport) -> Self {
        Provider {
            client,
            transport,
            known: Mutex::default(),
        }
    }

    /// Where a person logs in.
    ///
    /// # Errors
    /// [`OidcError::Provider`].
    pub async fn log_in_at(&self, asked: &Asked<'_>, now: Timestamp) -> Result<String, OidcError> {
        let known = self.known(now, KNOWN_FOR).await?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(asked.verifier.as_bytes()));
        let query = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client.id)
            .append_pair("redirect_uri", &self.client.redirect)
            .append_pair("scope", &self.client.scopes.join(" "))
            .append_pair("state", asked.state)
            .append_pair("nonce", asked.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let at = &known.description.authorization_endpoint;
        let joint = if at.contains('?') { '&' } else { '?' };
        Ok(format!("{at}{joint}{query}"))
    }

    /// The claims of the person who has come back with this code.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn claims(
        &self,
        code: &str,
        asked: &Asked<'_>,
        now: Timestamp,
    ) -> Result<Value, OidcError> {
        let known = self.known(now, KNOWN_FOR).await?;
        let token = self
            .exchange(&known.description, code, asked.verifier)
            .await?;
        let token = Unchecked::parse(&token)?;
        let claims = match signed(&token, &known.keys) {
            Some(claims) => claims?,
            // It may have new keys.
            None => {
                let known = self.known(now, KEYS_AGAIN_AFTER).await?;
                signed(&token, &known.keys).ok_or(BadToken::Signature)??
            }
        };
        self.check(&claims, asked.nonce, now)?;
        Ok(claims)
    }

    /// OpenID Connect Core 1.0, §3.1.3.7.
    fn check(&self, claims: &Value, nonce: &str, now: Timestamp) -> Result<(), BadToken> {
        if claims["iss"].as_str() != Some(&self.client.issuer) {
            return Err(BadToken::Claim("iss"));
        }
        let audience = super::jwt::list(claims, "aud");
        if !audience.contains(&self.client.id) {
            return Err(BadToken::Claim("aud"));
        }
        let party = claims["azp"].as_str();
        if party.is_some_and(|party| party != self.client.id)
            || (audience.len() > 1 && party.is_none())
        {
            return Err(BadToken::Claim("azp"));
        }
        if claims["nonce"].as_str() != Some(nonce) {
            return Err(BadToken::Claim("nonce"));
        }
        let second = now.as_second();
        let ends = claims["exp"].as_i64().ok_or(BadToken::Claim("exp"))?;
        let begins = claims["iat"].as_i64().ok_or(BadToken::Claim("iat"))?;
        if ends + LEEWAY_SECS < second || begins - LEEWAY_SECS > second {
            return Err(BadToken::Time);
        }
        Ok(())
    }

    async fn exchange(
        &self,
        description: &Description,
        code: &str,
        verifier: &str,
    ) -> Result<String, OidcError> {
        let request = self.token_request(description, code, verifier)?;
        let answer = self.transport.send(request).await;
        let answer = answer.map_err(|lost| self.lost(lost))?;
        if answer.status().is_client_error() {
            let said: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
            let error = said["error"].as_str().unwrap_or("no reason given");
            return Err(OidcError::Refused(crate::wire::http::plain(error, 100)));
        }
        let tokens: Tokens = self.read(&answer)?;
        Ok(tokens.id_token)
    }

    fn token_request(
        &self,
        description: &Description,
        code: &str,
        verifier: &str,
    ) -> Result<http::Request<Bytes>, OidcError> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.client.redirect)
            .append_pair("code_verifier", verifier);
        let mut request = http::Request::post(&description.token_endpoint)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json");
        let methods = &description.token_endpoint_auth_methods_supported;
        // Without a list it is client_secret_basic (Discovery 1.0, §3).
        let basic = methods.is_empty() || methods.iter().any(|one| one == "client_secret_basic");
        match &self.client.secret {
            Some(secret) if basic => {
                let part = |text: &str| {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                let pair = format!("{}:{}", part(&self.client.id), part(secret.expose_secret()));
                request =
                    request.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
            }
            Some(secret) => {
                form.append_pair("client_id", &self.client.id)
                    .append_pair("client_secret", secret.expose_secret());
            }
            None => {
                form.append_pair("client_id", &self.client.id);
            }
        }
        request
            .body(Bytes::from(form.finish()))
            .map_err(|error| self.unusable(&error))
    }

    /// What the provider says of itself, not older than this.
    async fn known(
        &self,
        now: Timestamp,
        not_older: SignedDuration,
    ) -> Result<Arc<Known>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known
            .as_ref()
            .filter(|known| now.duration_since(known.read_at) < not_older)
        {
            return Ok(known.clone());
        }
        let issuer = self.client.issuer.trim_end_matches('/');
        let at = format!("{issuer}/.well-known/openid-configuration");
        let description: Description = self.get(&at).await?;
        if description.issuer != self.client.issuer {
            return Err(self.unusable(&"it calls itself otherwise than [dashboard.oidc] issuer"));
        }
        let local = crate::config::is_loopback(&self.client.issuer);
        for url in [
            &description.authorization_endpoint,
            &description.token_endpoint,
            &description.jwks_uri,
        ] {
            if !(url.starts_with("https:") || local && crate::config::is_loopback(url)) {
                return Err(self.unusable(&"it names an address without TLS"));
            }
        }
        let set: Keys = self.get(&description.jwks_uri).await?;
        let keys = set.keys.into_iter();
        let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok()?.key());
        let new = Arc::new(Known {
            description,
            keys: keys.collect(),
            read_at: now,
        });
        Ok(known.insert(new).clone())
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, OidcError> {
        let request = http::Request::get(url)
            .header("accept", "application/json")
            .body(Bytes::new())
            .map_err(|error| self.unusable(&error))?;
        let answer = self.transport.send(request).await;
        self.read(&answer.map_err(|lost| self.lost(lost))?)
    }

    fn read<T: DeserializeOwned>(&self, answer: &http::Response<Bytes>) -> Result<T, OidcError> {
        if !answer.status().is_success() {
            return Err(self.unusable(&format!("it answered {}", answer.status())));
        }
        serde_json::from_slice(answer.body()).map_err(|error| self.unusable(&error))
    }

    fn lost(&self, lost: Lost) -> OidcError {
        let (Lost::BeforeSending(why) | Lost::AfterSending(why)) = lost;
        self.unusable(&why)
    }

    fn unusable(&self, why: &dyn std::fmt::Display) -> OidcError {
        OidcError::Provider {
            issuer: self.client.issuer.clone(),
            why: why.to_string(),
        }
    }
}

/// The claims, by the key that the token names, or by any where it names none; `None` where no key has that name.
fn signed(token: &Unchecked<'_>, keys: &[(String, Key)]) -> Option<Result<Value, BadToken>> {
    let kid = &token.header.kid;
    let candidates = keys.iter().filter(|(id, _)| kid.is_empty() || id == kid);
    let mut last = None;
    for (_, key) in candidates {
        match token.verify(key) {
            Ok(claims) => return Some(Ok(claims)),
            Err(error) => last = Some(Err(error)),
        }
    }
    last
}
