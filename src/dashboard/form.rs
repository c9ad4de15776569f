//! Forms: small, ours, and from our own pages. A page of somebody else cannot make a browser send one that is accepted.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;

use super::{Dashboard, Setup};
use crate::store::StoreError;
use crate::store::access::Sessions as _;

/// The largest form.
const BYTES_MOST: usize = 16 * 1024;

/// A random value; without randomness nothing may go on.
pub(super) fn random() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

/// The key that forms are signed with: the same for all processes on this store.
pub(super) async fn key(dashboard: &Dashboard) -> Result<[u8; 32], StoreError> {
    let new = random().ok_or(StoreError::Closed)?;
    dashboard.store.form_key(new).await
}

/// Browsers say from where a form comes: `Sec-Fetch-Site` (Fetch Metadata), and `Origin`.
pub(super) fn same_origin(setup: &Setup, headers: &HeaderMap) -> Result<(), &'static str> {
    let other = Err("the form comes from another site");
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return other;
    }
    let Some(origin) = text("origin") else {
        return Ok(());
    };
    let authority = origin.split_once("//").map(|(_, authority)| authority);
    let url = setup.config.dashboard.url.as_deref();
    let ours = [
        text("host"),
        url.and_then(|url| Some(url.split_once("//")?.1)),
    ];
    if authority.is_some() && ours.contains(&authority) {
        Ok(())
    } else {
        other
    }
}

/// Names and values.
pub(super) async fn fields(
    headers: &HeaderMap,
    body: Body,
) -> Result<Vec<(String, String)>, &'static str> {
    let kind = headers
        .get("content-type")
        .and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return Err("it is no form (application/x-www-form-urlencoded)");
    }
    let bytes = to_bytes(body, BYTES_MOST).await;
    let bytes = bytes.map_err(|_| "the form is too large, or did not arrive")?;
    let pairs = form_urlencoded::parse(&bytes);
    Ok(pairs.into_owned().collect())
}
