//! `[dashboard]`: who may see the pages of `asaf serve`, and how they prove who they are. Without it they are shown on
//! this machine only, and nothing can be changed there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, Secret};

/// `[dashboard]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dashboard {
    /// The address that people type, such as `https://asaf.example.com`; `[dashboard.oidc]` needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What somebody may do who asks from this machine, without a proxy and without a name. `viewer` as long as no other
    /// way in is configured, then `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<LocalAccess>,
    /// A proxy that authenticates and says who it is in a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<TrustedProxy>,
    /// An AWS load balancer that authenticates and signs who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alb: Option<Alb>,
    /// Log-in with an OpenID Connect provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<Oidc>,
    /// Bearer tokens for scripts.
    pub tokens: Vec<ScriptToken>,
    /// Who has which role. Whom no entry names sees nothing.
    pub roles: Vec<Grant>,
    /// A log-in ends after this long.
    pub session_lasts: Period,
    /// A log-in that is not used ends after this long.
    pub session_idle: Period,
}

impl Default for Dashboard {
    fn default() -> Self {
        Dashboard {
            url: None,
            local: None,
            proxy: None,
            alb: None,
            oidc: None,
            tokens: Vec::new(),
            roles: Vec::new(),
            session_lasts: Period::from_hours(12),
            session_idle: Period::from_hours(2),
        }
    }
}

impl Dashboard {
    /// What somebody on this machine may do.
    pub fn local(&self) -> LocalAccess {
        let others = self.proxy.is_some()
            || self.alb.is_some()
            || self.oidc.is_some()
            || !self.tokens.is_empty();
        self.local.unwrap_or(if others {
            LocalAccess::Off
        } else {
            LocalAccess::Viewer
        })
    }

    /// Some way in beyond this machine is configured.
    pub fn names_people(&self) -> bool {
        self.proxy.is_some() || self.alb.is_some() || self.oidc.is_some()
    }
}

/// What somebody on this machine may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LocalAccess {
    /// Nothing.
    Off,
    /// See everything.
    Viewer,
    /// See everything, and act.
    Reviewer,
}

/// What a person or a script may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AccessRole {
    /// See.
    Viewer,
    /// See everything, retry, pause, and release what the brake holds.
    Reviewer,
}

/// `[dashboard.proxy]`: oauth2-proxy, Pomerium, an ingress with external authentication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustedProxy {
    /// Addresses or networks from which the header is believed, such as `10.0.3.0/28`: the proxy's, and nobody else's.
    pub peers: Vec<String>,
    /// The header with the person's name or address, such as `x-forwarded-email`. The proxy must remove what clients
    /// send under this name.
    pub user_header: String,
    /// The header with the person's groups, parted by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_header: Option<String>,
}

/// `[dashboard.alb]`: an Application Load Balancer with `authenticate-oidc` or `authenticate-cognito`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alb {
    /// The load balancer's ARN: what another one has signed is not believed.
    pub signer: String,
    /// The claim with the person's name.
    #[serde(default = "default_user_claim")]
    pub user_claim: String,
    /// The claim with the person's groups.
    #[serde(default = "default_groups_claim")]
    pub groups_claim: String,
}

/// `[dashboard.oidc]`: authorization code with PKCE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The provider's issuer, exactly as it calls itself.
    pub issuer: String,
    /// The client's id.
    pub client_id: String,
    /// The client's secret, by reference; a public client has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// What is asked for; `openid` is one of them.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// The claim of the ID token with the person's name.
    #[serde(default = "default_user_claim")]
    pub user_claim: String,
    /// The claim of the ID token with the person's groups.
    #[serde(default = "default_groups_claim")]
    pub groups_claim: String,
}

fn default_user_claim() -> String {
    "email".to_owned()
}

fn default_groups_claim() -> String {
    "groups".to_owned()
}

fn default_scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).to_vec()
}

/// One of `[[dashboard.tokens]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptToken {
    /// What the audit log calls it.
    pub name: String,
    /// The token, by reference, at least 32 characters: `openssl rand -hex 32` makes a good one.
    pub token: Secret,
    /// What it may do.
    pub role: AccessRole,
    /// A viewer's token sees these teams only; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
}

/// One of `[[dashboard.roles]]`: a role for these people and groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// What they may do.
    pub role: AccessRole,
    /// By name, as the proxy or the claim tells it; upper and lower case are the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// By group, as the proxy or the claim tells it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Everybody who is authenticated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everyone: bool,
    /// Viewers see these teams only; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
}
