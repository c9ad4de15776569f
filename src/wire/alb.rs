//! What an AWS Application Load Balancer signs about a person it has authenticated: `x-amzn-oidc-data` (Elastic Load
//! Balancing user guide, "Authenticate users using an Application Load Balancer": ES256, the key by its id from a regional
//! address, the signer in the header of the token).

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::Mutex;

use super::jwt::{BadToken, Key, Unchecked, key_from_pem};
use super::transport::Transport;

/// The header.
pub const HEADER: &str = "x-amzn-oidc-data";

/// Clocks may differ by this, in seconds.
const LEEWAY_SECS: i64 = 60;
/// Keys that are remembered; a load balancer has a few.
const KEYS_MOST: usize = 16;
/// Unknown keys are asked for at most so often in a minute: whoever makes ids up costs nobody anything.
const ASKED_MOST: usize = 10;

/// Why a person is not known.
#[derive(Debug, thiserror::Error)]
pub enum Unproved {
    /// The token is not good.
    #[error("the load balancer's {HEADER} is refused: {0}")]
    Bad(#[from] BadToken),
    /// Another load balancer has signed.
    #[error("{HEADER} was signed by {0}, and [dashboard.alb] signer is another one")]
    Signer(String),
    /// The key cannot be had.
    #[error("the load balancer's key {kid} cannot be read: {why}")]
    Key {
        /// Its id.
        kid: String,
        /// Why.
        why: String,
    },
}

/// Checks what one load balancer signs.
#[derive(Debug)]
pub struct LoadBalancer {
    signer: String,
    keys_at: String,
    transport: Transport,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: BTreeMap<String, Key>,
    asked: Vec<Timestamp>,
}

impl LoadBalancer {
    /// By its ARN, in this Region.
    pub fn new(signer: &str, region: &str, transport: Transport) -> Self {
        let keys_at = if region.starts_with("us-gov-") {
            format!("https://s3-{region}.amazonaws.com/aws-elb-public-keys-prod-{region}")
        } else {
            format!("https://public-keys.auth.elb.{region}.amazonaws.com")
        };
        LoadBalancer {
            signer: signer.to_owned(),
            keys_at,
            transport,
            known: Mutex::default(),
        }
    }

    /// The claims of the person, if this load balancer has signed them and they are valid now.
    ///
    /// # Errors
    /// [`Unproved`].
    pub async fn claims(&self, token: &str, now: Timestamp) -> Result<Value, Unproved> {
        let token = Unchecked::parse(token)?;
        let header = &token.header;
        if header.signer != self.signer {
            let said = header.signer.chars().take(200).collect();
            return Err(Unproved::Signer(said));
        }
        let key = self.key(&header.kid, now).await?;
        let claims = token.verify(&key)?;
        // The signature covers the header, where the load balancer says when it ends.
        let ends = claims["exp"].as_i64().unwrap_or(header.exp);
        if ends + LEEWAY_SECS < now.as_second() {
            return Err(BadToken::Time.into());
        }
        Ok(claims)
    }

    async fn key(&self, kid: &str, now: Timestamp) -> Result<Key, Unproved> {
        let shaped = (1..=64).contains(&kid.len())
            && kid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !shaped {
            return Err(BadToken::Malformed.into());
        }
        let mut known = self.known.lock().await;
        if let Some(key) = known.keys.get(kid) {
            return Ok(key.clone());
        }
        let failed = |why: String| Unproved::Key {
            kid: kid.to_owned(),
            why,
        };
        let minute = SignedDuration::from_mins(1);
        known.asked.retain(|at| now.duration_since(*at) < minute);
        if known.asked.len() >= ASKED_MOST {
            return Err(failed("too many unknown keys were asked for".to_owned()));
        }
        known.asked.push(now);
        let request = http::Request::get(format!("{}/{kid}", self.keys_at))
            .body(Bytes::new())
            .map_err(|error| failed(error.to_string()))?;
        let answer = self.transport.send(request).await;
        let answer = answer.map_err(|lost| failed(format!("{lost:?}")))?;
        let key = std::str::from_utf8(answer.body())
            .ok()
            .filter(|_| answer.status().is_success())
            .and_then(key_from_pem)
            .ok_or_else(|| failed(format!("the answer is {}", answer.status())))?;
        if known.keys.len() >= KEYS_MOST {
            known.keys.clear();
        }
        known.keys.insert(kid.to_owned(), key.clone());
        Ok(key)
    }
}
