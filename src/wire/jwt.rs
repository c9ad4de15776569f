//! Signed statements of who somebody is: JSON Web Tokens (RFC 7519) with ES256 or RS256 (RFC 7518). Nothing in a token is
//! believed before its signature fits a key that we know, and no token chooses how it is checked: a key has its method.

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

/// The longest token: ALB's have a few KB, and a head of a request has at most 32.
const CHARS_MOST: usize = 16 * 1024;

/// Why a token says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// Not three parts of Base64 with JSON in them.
    #[error("it is no signed token")]
    Malformed,
    /// Another method than the key's.
    #[error("it is signed by a method that the key is not for")]
    Method,
    /// It was signed by somebody else, or changed.
    #[error("its signature does not fit")]
    Signature,
    /// It has ended, or does not begin yet.
    #[error("it is not valid now")]
    Time,
    /// A claim is missing, or says something else.
    #[error("its claim {0} is not as it must be")]
    Claim(&'static str),
}

/// What stands before the claims.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Header {
    /// The method.
    pub alg: String,
    /// The key's id.
    #[serde(default)]
    pub kid: String,
    /// AWS's load balancers: who has signed.
    #[serde(default)]
    pub signer: String,
    /// AWS's load balancers: when it ends.
    #[serde(default)]
    pub exp: i64,
}

/// A key with its method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// ECDSA on P-256: a point (65 bytes), or SubjectPublicKeyInfo.
    Es256(Vec<u8>),
    /// RSA, PKCS#1 v1.5: modulus and exponent.
    Rs256 {
        /// Modulus, big endian.
        n: Vec<u8>,
        /// Exponent, big endian.
        e: Vec<u8>,
    },
}

/// A token as it came: nothing in it is believed yet.
pub struct Unchecked<'a> {
    /// Only good for finding the key.
    pub header: Header,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

/// Base64url; AWS's load balancers pad it, and RFC 7515 does not.
fn decoded(part: &str) -> Result<Vec<u8>, BadToken> {
    let bare = part.trim_end_matches('=');
    URL_SAFE_NO_PAD
        .decode(bare)
        .map_err(|_| BadToken::Malformed)
}

impl<'a> Unchecked<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`BadToken::Malformed`].
    pub fn parse(token: &'a str) -> Result<Self, BadToken> {
        if token.len() > CHARS_MOST {
            return Err(BadToken::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(BadToken::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(BadToken::Malformed)?;
        let header = serde_json::from_slice(&decoded(header)?).map_err(|_| BadToken::Malformed)?;
        Ok(Unchecked {
            header,
            signed,
            payload,
            signature: decoded(signature)?,
        })
    }

    /// The claims, if this key has signed them.
    ///
    /// # Errors
    /// [`BadToken`].
    pub fn verify(&self, key: &Key) -> Result<Value, BadToken> {
        let (message, signature) = (self.signed.as_bytes(), self.signature.as_slice());
        let fits = match (key, self.header.alg.as_str()) {
            (Key::Es256(public), "ES256") => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(message, signature)
            }
            (Key::Rs256 { n, e }, "RS256") => {
                PublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            _ => return Err(BadToken::Method),
        };
        fits.map_err(|_| BadToken::Signature)?;
        serde_json::from_slice(&decoded(self.payload)?).map_err(|_| BadToken::Malformed)
    }
}

/// One key of a provider's set (RFC 7517); others than those that sign ES256 or RS256 are none.
#[derive(Clone, Debug, Deserialize)]
pub struct Jwk {
    kty: String,
    #[serde(default)]
    kid: String,
    #[serde(default, rename = "use")]
    used_for: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Jwk {
    /// Its id and the key.
    pub fn key(&self) -> Option<(String, Key)> {
        if self.used_for.as_deref().is_some_and(|used| used != "sig") {
            return None;
        }
        let part = |text: &Option<String>| decoded(text.as_deref()?).ok();
        let key = match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => {
                let (x, y) = (part(&self.x)?, part(&self.y)?);
                let point = [&[4_u8][..], &x, &y].concat();
                (point.len() == 65).then_some(Key::Es256(point))?
            }
            ("RSA", _) => Key::Rs256 {
                n: part(&self.n)?,
                e: part(&self.e)?,
            },
            _ => return None,
        };
        Some((self.kid.clone(), key))
    }
}

/// A public key on P-256 in PEM (`BEGIN PUBLIC KEY`).
pub fn key_from_pem(pem: &str) -> Option<Key> {
    let after = pem.split_once("-----BEGIN PUBLIC KEY-----")?.1;
    let body = after.split_once("-----END PUBLIC KEY-----")?.0;
    let body: String = body.split_whitespace().collect();
    Some(Key::Es256(STANDARD.decode(body).ok()?))
}

/// A claim's text.
pub fn text<'c>(claims: &'c Value, name: &str) -> Option<&'c str> {
    claims[name].as_str().filter(|text| !text.trim().is_empty())
}

/// A claim's list; one text is a list of one.
pub fn list(claims: &Value, name: &str) -> Vec<String> {
    match &claims[name] {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => {
            let texts = many.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}
