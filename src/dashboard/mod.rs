//! The dashboard: pages for people, rendered here, without a script; `/api/v1` behind the same access. It reads the store
//! and asks neither Jira nor AWS. What people may change is a wish in the store: the process that runs carries it out.
//!
//! Every route stands in [`routes::ROUTES`] with what it needs; nothing is served that does not stand there.

pub mod access;
mod act;
mod answer;
mod figures;
mod filter;
mod form;
mod integrations;
mod listing;
mod login;
mod pages;
mod render;
mod review;
pub mod routes;
mod rules;
mod runs;
mod shared;

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;

use crate::clock::Clock;
use crate::config::{Config, network, region_of_signer};
use crate::store::sqlite::Sqlite;
use crate::wire::alb::LoadBalancer;
use crate::wire::oidc::{Client, Provider};
use crate::wire::transport::Transport;

use access::Tokens;

/// The longest that a provider of log-ins may take to answer.
const PROVIDER_WITHIN: Duration = Duration::from_secs(10);

/// From where a connection came.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// What the routes share.
pub struct Dashboard {
    pub(crate) store: Arc<Sqlite>,
    pub(crate) clock: Clock,
    setup: RwLock<Arc<Setup>>,
}

/// What a new configuration replaces.
pub struct Setup {
    pub(crate) config: Arc<Config>,
    pub(crate) tokens: Tokens,
    pub(crate) proxies: Vec<ipnet::IpNet>,
    pub(crate) load_balancer: Option<LoadBalancer>,
    pub(crate) provider: Option<Provider>,
}

impl Setup {
    /// Reads the secrets; nothing is sent.
    ///
    /// # Errors
    /// A secret that cannot be read or could be guessed; a TLS stack that cannot be set up.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let dashboard = &config.dashboard;
        let transport = Transport::network(PROVIDER_WITHIN)?;
        let load_balancer = dashboard.alb.as_ref().and_then(|alb| {
            let region = region_of_signer(&alb.signer)?;
            Some(LoadBalancer::new(&alb.signer, region, transport.clone()))
        });
        let provider = match (&dashboard.oidc, &dashboard.url) {
            (Some(oidc), Some(url)) => {
                let secret = oidc.client_secret.as_ref();
                let client = Client {
                    issuer: oidc.issuer.clone(),
                    id: oidc.client_id.clone(),
                    secret: secret.map(crate::config::Secret::resolve).transpose()?,
                    redirect: format!("{url}{}", routes::CALLBACK),
                    scopes: oidc.scopes.clone(),
                };
                Some(Provider::new(client, transport))
            }
            _ => None,
        };
        let peers = dashboard.proxy.iter().flat_map(|proxy| &proxy.peers);
        Ok(Setup {
            config: Arc::new(config.clone()),
            tokens: Tokens::read(&dashboard.tokens)?,
            proxies: peers.filter_map(|peer| network(peer)).collect(),
            load_balancer,
            provider,
        })
    }
}

impl Dashboard {
    /// On this store.
    pub fn new(store: Arc<Sqlite>, clock: Clock, setup: Setup) -> Self {
        Dashboard {
            store,
            clock,
            setup: RwLock::new(Arc::new(setup)),
        }
    }

    /// Requests that come from now on are answered by this configuration.
    pub fn use_setup(&self, setup: Setup) {
        *self.setup.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(setup);
    }

    fn setup(&self) -> Arc<Setup> {
        self.setup
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// All routes. Requests carry a [`Peer`]; one without is from nowhere, and is not let in for where it comes from.
pub fn router(dashboard: Arc<Dashboard>) -> Router {
    let is_public = dashboard
        .setup()
        .config
        .dashboard
        .url
        .as_deref()
        .is_some_and(|url| url.starts_with("https:"));
    routes::router(dashboard).layer(axum::middleware::map_response(
        move |response: axum::response::Response| async move { guarded(response, is_public) },
    ))
}

/// Nothing is loaded from elsewhere, nothing runs, nobody frames us (Content Security Policy level 3).
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

fn guarded(mut response: axum::response::Response, is_public: bool) -> axum::response::Response {
    let headers = response.headers_mut();
    // Not `no-referrer`: with it a browser hides the origin of a form, and we refuse it.
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_public {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert("strict-transport-security", year);
    }
    headers
        .entry("cache-control")
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
