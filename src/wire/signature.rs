//! Is a webhook delivery signed with one of our secrets? HMAC-SHA256 over the raw body, as WebSub writes it:
//! `X-Hub-Signature: sha256=<hex>` (developer.atlassian.com, Webhooks, "Secure admin webhooks").
//!
//! It fails closed: without a secret nothing is accepted, and only what the vendor really sends is.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The header with the signature.
pub const HEADER: &str = "x-hub-signature";

/// So many secrets are active at once: the present one, and the next or the last one while it is rotated.
pub const SECRETS_MAX: usize = 2;

/// A shorter secret could be guessed.
pub const SECRET_CHARS_MIN: usize = 16;

/// SHA-256 of a raw body: by it a delivery is known again.
pub fn sha256(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// Why a delivery is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// Nothing could be verified.
    #[error("no webhook secret is configured")]
    NoSecret,
    /// The header is not there.
    #[error("the delivery has no {HEADER} header")]
    Missing,
    /// The header is there more than once: which one a proxy in front has checked is unknown.
    #[error("the delivery has more than one {HEADER} header")]
    Repeated,
    /// Another method than `sha256`. The vendor says that others may come: they are refused until we know them.
    #[error("the delivery is signed with a method that is not allowed; sha256 is")]
    Method,
    /// Not `sha256=` and 64 digits in lower case.
    #[error("the {HEADER} header is not sha256= and 64 hexadecimal digits")]
    Malformed,
    /// Signed with another secret, or the body was changed.
    #[error("the signature does not fit the body and any of our secrets")]
    Wrong,
}

/// The active secrets.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// The first [`SECRETS_MAX`] of these.
    pub fn new(mut secrets: Vec<SecretString>) -> Self {
        secrets.truncate(SECRETS_MAX);
        Secrets(secrets)
    }

    /// No delivery can be accepted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What can be refused without the body, so that nobody unsigned makes us read one.
    ///
    /// # Errors
    /// [`Unsigned`]
    pub fn claimed(&self, headers: &http::HeaderMap) -> Result<[u8; 32], Unsigned> {
        if self.0.is_empty() {
            return Err(Unsigned::NoSecret);
        }
        let mut values = headers.get_all(HEADER).iter();
        let value = values.next().ok_or(Unsigned::Missing)?;
        if values.next().is_some() {
            return Err(Unsigned::Repeated);
        }
        let value = value.to_str().map_err(|_| Unsigned::Malformed)?;
        let (method, digits) = value.split_once('=').ok_or(Unsigned::Malformed)?;
        if method != "sha256" {
            return Err(Unsigned::Method);
        }
        let in_lower_case = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if !digits.bytes().all(in_lower_case) {
            return Err(Unsigned::Malformed);
        }
        let mut signature = [0; 32];
        hex::decode_to_slice(digits, &mut signature).map_err(|_| Unsigned::Malformed)?;
        Ok(signature)
    }

    /// Which secret (from 1) has signed the raw body. Every secret is tried, each in constant time: how long it takes
    /// says nothing about the signature or about which secret fits.
    ///
    /// # Errors
    /// [`Unsigned::Wrong`]
    pub fn verify(&self, signature: &[u8; 32], body: &[u8]) -> Result<usize, Unsigned> {
        let mut fits = None;
        for (at, secret) in (1..).zip(&self.0) {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
            else {
                continue;
            };
            mac.update(body);
            if mac.verify_slice(signature).is_ok() {
                fits = fits.or(Some(at));
            }
        }
        fits.ok_or(Unsigned::Wrong)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use http::{HeaderMap, HeaderValue};

    use super::*;

    /// From Atlassian's page on webhooks.
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello World!";
    const SIGNED: &str = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9";

    fn check(secrets: &[&str], signatures: &[&str], body: &[u8]) -> Result<usize, Unsigned> {
        let secrets = Secrets::new(secrets.iter().map(|s| SecretString::from(*s)).collect());
        let mut headers = HeaderMap::new();
        for signature in signatures {
            headers.append(HEADER, HeaderValue::from_str(signature).unwrap());
        }
        secrets.verify(&secrets.claimed(&headers)?, body)
    }

    #[test]
    fn the_vendors_example_is_accepted_with_either_of_two_secrets() {
        assert_eq!(check(&[SECRET], &[SIGNED], BODY), Ok(1));
        assert_eq!(check(&["the last one", SECRET], &[SIGNED], BODY), Ok(2));
        assert_eq!(check(&[SECRET, SECRET], &[SIGNED], BODY), Ok(1));
    }

    #[test]
    fn a_third_secret_is_never_active() {
        let secrets = ["first", "second", SECRET];
        assert_eq!(check(&secrets, &[SIGNED], BODY), Err(Unsigned::Wrong));
    }

    #[test]
    fn without_a_secret_nothing_is_accepted() {
        assert_eq!(check(&[], &[SIGNED], BODY), Err(Unsigned::NoSecret));
        assert_eq!(check(&[], &[], BODY), Err(Unsigned::NoSecret));
    }

    #[test]
    fn whatever_is_not_exactly_the_vendors_form_is_refused() {
        let digits = &SIGNED[7..];
        let (upper, md5) = (digits.to_uppercase(), format!("md5={digits}"));
        for (signatures, why) in [
            (vec![], Unsigned::Missing),
            (vec![SIGNED, SIGNED], Unsigned::Repeated),
            (vec![""], Unsigned::Malformed),
            (vec![digits], Unsigned::Malformed),
            (vec![&SIGNED[..70]], Unsigned::Malformed),
            (vec![&format!("sha256={upper}")], Unsigned::Malformed),
            (vec![&format!("{SIGNED}00")], Unsigned::Malformed),
            (vec![&format!("{SIGNED},{SIGNED}")], Unsigned::Malformed),
            (vec![&format!("sha256= {digits}")], Unsigned::Malformed),
            (vec![&format!("SHA256={digits}")], Unsigned::Method),
            (vec![&format!("sha1={}", &digits[..40])], Unsigned::Method),
            (vec![&md5], Unsigned::Method),
            (vec![&format!("={digits}")], Unsigned::Method),
        ] {
            assert_eq!(
                check(&[SECRET], &signatures, BODY),
                Err(why),
                "{signatures:?}"
            );
        }
        assert_eq!(
            check(&[SECRET], &[SIGNED], b"Hello World"),
            Err(Unsigned::Wrong)
        );
        assert_eq!(
            check(&["another secret"], &[SIGNED], BODY),
            Err(Unsigned::Wrong)
        );
    }
}
