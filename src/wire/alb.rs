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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use serde_json::json;

    use super::*;
    use crate::wire::transport::{Exchange, Exchanged};

    const ARN: &str = "arn:aws:elasticloadbalancing:eu-west-1:012345678901:loadbalancer/app/asaf/50dc6c495c0c9188";

    /// The regional address with one key.
    struct Keys {
        pem: String,
        asked: AtomicUsize,
    }

    impl Exchange for Keys {
        fn exchange(&self, request: http::Request<Bytes>) -> Exchanged {
            self.asked.fetch_add(1, Ordering::SeqCst);
            assert_eq!(
                request.uri().host(),
                Some("public-keys.auth.elb.eu-west-1.amazonaws.com")
            );
            let known = request.uri().path() == "/key-1";
            let mut answer = http::Response::new(Bytes::from(self.pem.clone()));
            if !known {
                *answer.status_mut() = http::StatusCode::NOT_FOUND;
            }
            Box::pin(async move { Ok(answer) })
        }
    }

    fn pair() -> EcdsaKeyPair {
        let made =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.unwrap().as_ref()).unwrap()
    }

    /// As the load balancer writes it: with padding.
    fn token(key: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE.encode(signature.as_ref()))
    }

    #[tokio::test]
    async fn only_what_this_load_balancer_has_signed_and_still_holds_is_believed() {
        let (key, other) = (pair(), pair());
        let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der.as_ref())
        );
        let keys = Arc::new(Keys {
            pem,
            asked: AtomicUsize::new(0),
        });
        let balancer = LoadBalancer::new(ARN, "eu-west-1", Transport::InProcess(keys.clone()));
        let now: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
        let header = json!({ "typ": "JWT", "alg": "ES256", "kid": "key-1", "signer": ARN, "exp": now.as_second() + 60 });
        let claims =
            json!({ "sub": "1", "email": "rosa@example.com", "exp": now.as_second() + 60 });
        let good = token(&key, &header, &claims);
        for _ in 0..2 {
            assert_eq!(
                balancer.claims(&good, now).await.unwrap()["email"],
                "rosa@example.com"
            );
        }
        assert_eq!(keys.asked.load(Ordering::SeqCst), 1, "keys are remembered");

        let with = |name: &str, value: Value| {
            let mut header = header.clone();
            header[name] = value;
            header
        };
        let mut late = claims.clone();
        late["exp"] = json!(now.as_second() - 61);
        let (head, _) = good.split_once('.').unwrap();
        let swapped = good.replace(head, &URL_SAFE.encode(with("extra", json!(1)).to_string()));
        for (what, bad) in [
            ("another key", token(&other, &header, &claims)),
            (
                "another signer",
                token(&key, &with("signer", json!("arn:aws:x")), &claims),
            ),
            (
                "no method",
                token(&key, &with("alg", json!("none")), &claims),
            ),
            (
                "another method",
                token(&key, &with("alg", json!("HS256")), &claims),
            ),
            (
                "another path",
                token(&key, &with("kid", json!("../key-1")), &claims),
            ),
            (
                "an unknown key",
                token(&key, &with("kid", json!("key-2")), &claims),
            ),
            ("an ended one", token(&key, &header, &late)),
            ("another header", swapped),
            (
                "no signature",
                good.rsplit_once('.').unwrap().0.to_owned() + ".",
            ),
            ("nothing", String::new()),
        ] {
            assert!(balancer.claims(&bad, now).await.is_err(), "{what}");
        }
        for n in 0..50 {
            let made_up = token(&key, &with("kid", json!(format!("made-up-{n}"))), &claims);
            assert!(balancer.claims(&made_up, now).await.is_err());
        }
        assert!(
            keys.asked.load(Ordering::SeqCst) <= ASKED_MOST,
            "made-up keys cost nothing"
        );
    }
}
