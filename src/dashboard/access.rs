//! Who asks, and what they may do. Every way in proves itself; a proof that is there and wrong lets nobody in by another
//! way.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use super::{Dashboard, Setup};
use crate::config::{AccessRole, ConfigError, Grant, LocalAccess, ScriptToken};
use crate::store::StoreError;
use crate::store::access::{Hashed, Sessions as _};
use crate::talk::plain;
use crate::wire::{alb, jwt};

/// A shorter token could be guessed.
const TOKEN_CHARS_MIN: usize = 32;
/// The cookie of a session. Browsers take this name only with `Secure`, from this host, for every path (RFC 6265bis,
/// "The `__Host-` prefix").
pub(super) const COOKIE: &str = "__Host-asaf";
/// When a session was used is kept to the minute.
const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// The longest name of a person.
const NAME_CHARS_MOST: usize = 200;
/// What a proxy adds to a request of somebody else.
const FORWARDED: [&str; 5] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "via",
];

/// What somebody may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// See these teams, or all.
    Viewer(Option<BTreeSet<String>>),
    /// See everything, and act.
    Reviewer,
}

/// How somebody is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// They are on this machine.
    Machine,
    /// A script's token.
    Token,
    /// A proxy says so.
    Proxy,
    /// A load balancer has signed it.
    LoadBalancer,
    /// They have logged in.
    Session(Hashed),
}

/// Somebody with a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// As the audit log calls them.
    pub name: String,
    /// How they are known.
    pub by: By,
    /// What they may do.
    pub role: Role,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// They are nobody.
    #[error("nobody is known by this request")]
    Nobody,
    /// What they show is wrong.
    #[error("{0}")]
    Wrong(String),
    /// They are somebody without a role.
    #[error(
        "{0} has no role: an entry of [[dashboard.roles]] must name them or one of their groups"
    )]
    NoRole(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Identity {
    /// They may see what belongs to a team.
    pub fn sees(&self, team: &str) -> bool {
        match &self.role {
            Role::Reviewer | Role::Viewer(None) => true,
            Role::Viewer(Some(teams)) => teams.contains(team),
        }
    }

    /// They see every team.
    pub fn sees_everything(&self) -> bool {
        !matches!(&self.role, Role::Viewer(Some(_)))
    }

    /// The teams that they are limited to.
    pub fn teams(&self) -> Option<Vec<String>> {
        match &self.role {
            Role::Viewer(Some(teams)) => Some(teams.iter().cloned().collect()),
            Role::Reviewer | Role::Viewer(None) => None,
        }
    }

    /// What their forms carry: only we can make it, and it is good for them alone.
    pub(super) fn form_token(&self, key: &[u8; 32]) -> String {
        hex::encode(self.form_mac(key).finalize().into_bytes())
    }

    /// A form that carries this is ours; compared in constant time.
    pub(super) fn owns_form(&self, key: &[u8; 32], token: &str) -> bool {
        hex::decode(token).is_ok_and(|said| self.form_mac(key).verify_slice(&said).is_ok())
    }

    // HMAC takes keys of every length (RFC 2104, §3).
    #[allow(clippy::expect_used)]
    fn form_mac(&self, key: &[u8; 32]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
        let (how, session) = match &self.by {
            By::Machine => ("machine", &[][..]),
            By::Token => ("token", &[][..]),
            By::Proxy => ("proxy", &[][..]),
            By::LoadBalancer => ("load-balancer", &[][..]),
            By::Session(sha256) => ("session", &sha256[..]),
        };
        for part in [how.as_bytes(), self.name.as_bytes(), session] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

/// Tokens of scripts, as hashes: the tokens themselves are not kept.
#[derive(Debug, Default)]
pub struct Tokens(Vec<(Hashed, ScriptToken)>);

impl Tokens {
    /// Reads them.
    ///
    /// # Errors
    /// [`ConfigError::Secret`] for one that cannot be read, or could be guessed.
    pub(super) fn read(tokens: &[ScriptToken]) -> Result<Self, ConfigError> {
        let read = tokens.iter().map(|token| {
            let secret = token.token.resolve()?;
            let text = secret.expose_secret();
            if text.chars().count() < TOKEN_CHARS_MIN {
                return Err(ConfigError::Secret {
                    reference: token.token.to_string(),
                    problem: format!(
                        "it is shorter than {TOKEN_CHARS_MIN} characters and could be guessed; `openssl rand -hex 32` makes a good one"
                    ),
                });
            }
            Ok((sha256(text.as_bytes()), token.clone()))
        });
        Ok(Tokens(read.collect::<Result<_, _>>()?))
    }

    /// Every hash is compared, each in constant time.
    fn find(&self, said: &str) -> Option<&ScriptToken> {
        let said = sha256(said.as_bytes());
        let mut found = None;
        for (hash, token) in &self.0 {
            if aws_lc_rs::constant_time::verify_slices_are_equal(hash, &said).is_ok() {
                found = Some(token);
            }
        }
        found
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Hashed {
    Sha256::digest(bytes).into()
}

/// A header that stands there once.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<Result<&'h str, Refusal>> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    Some(
        text.ok_or_else(|| {
            Refusal::Wrong(format!("the header {name} is there twice, or is no text"))
        }),
    )
}

/// A cookie's value; a name that is there twice has none.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all("cookie").iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(known, _)| *known == name);
    let (_, value) = found.next()?;
    found.next().is_none().then_some(value)
}

/// Who asks.
pub(super) async fn identify(
    dashboard: &Dashboard,
    setup: &Setup,
    headers: &HeaderMap,
    peer: Option<IpAddr>,
    now: Timestamp,
) -> Result<Identity, Refusal> {
    if let Some(said) = one(headers, "authorization") {
        return by_token(setup, said?);
    }
    if let Some(balancer) = &setup.load_balancer
        && let Some(token) = one(headers, alb::HEADER)
    {
        let claims = balancer.claims(token?, now).await;
        let claims = claims.map_err(|error| Refusal::Wrong(error.to_string()))?;
        return by_claims(setup, &claims);
    }
    if let Some(proxy) = &setup.config.dashboard.proxy
        && peer.is_some_and(|peer| {
            setup
                .proxies
                .iter()
                .any(|net| net.contains(&peer.to_canonical()))
        })
        && let Some(name) = one(headers, &proxy.user_header)
    {
        let groups = proxy.groups_header.as_deref();
        let groups = groups.and_then(|header| one(headers, header)).transpose()?;
        let groups = groups.unwrap_or_default().split(',');
        let groups: Vec<String> = groups.map(|group| group.trim().to_owned()).collect();
        return person(setup, name?, &groups, By::Proxy);
    }
    if let Some(value) = cookie(headers, COOKIE) {
        return by_session(dashboard, setup, value, now).await;
    }
    by_machine(setup, headers, peer)
}

fn by_token(setup: &Setup, said: &str) -> Result<Identity, Refusal> {
    let wrong = || Refusal::Wrong("no script has this token".to_owned());
    let (scheme, token) = said.split_once(' ').ok_or_else(wrong)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(wrong());
    }
    let token = setup.tokens.find(token.trim()).ok_or_else(wrong)?;
    Ok(Identity {
        name: format!("token {}", token.name),
        by: By::Token,
        role: match token.role {
            AccessRole::Reviewer => Role::Reviewer,
            AccessRole::Viewer => Role::Viewer(teams_of(&token.teams)),
        },
    })
}

fn by_claims(setup: &Setup, claims: &serde_json::Value) -> Result<Identity, Refusal> {
    let Some(alb) = &setup.config.dashboard.alb else {
        return Err(Refusal::Nobody);
    };
    let (name, groups) = named(claims, &alb.user_claim, &alb.groups_claim)?;
    person(setup, &name, &groups, By::LoadBalancer)
}

/// A person's name and groups. An address that the provider has not verified is no name.
pub(super) fn named(
    claims: &serde_json::Value,
    user: &str,
    groups: &str,
) -> Result<(String, Vec<String>), Refusal> {
    let unverified = user == "email"
        && (claims["email_verified"] == false || claims["email_verified"] == "false");
    let name = jwt::text(claims, user).filter(|_| !unverified);
    let name = name.ok_or_else(|| {
        Refusal::Wrong(format!(
            "the provider gives no verified claim `{user}`: [dashboard] names the claim with the person's name"
        ))
    })?;
    Ok((name.to_owned(), jwt::list(claims, groups)))
}

async fn by_session(
    dashboard: &Dashboard,
    setup: &Setup,
    value: &str,
    now: Timestamp,
) -> Result<Identity, Refusal> {
    let hash = sha256(value.as_bytes());
    let session = dashboard.store.session(hash, now).await?;
    let session = session.ok_or(Refusal::Nobody)?;
    let unused = now.duration_since(session.seen_at);
    if unused > setup.config.dashboard.session_idle.duration() {
        dashboard.store.end_session(hash).await?;
        return Err(Refusal::Nobody);
    }
    if unused >= SEEN_EVERY {
        dashboard.store.touch_session(hash, now).await?;
    }
    person(setup, &session.name, &session.groups, By::Session(hash))
}

/// On this machine, by a name of this machine, and not for somebody else: a page of another site that a browser here has
/// open reaches us by its own name, and a proxy says for whom it asks.
fn by_machine(
    setup: &Setup,
    headers: &HeaderMap,
    peer: Option<IpAddr>,
) -> Result<Identity, Refusal> {
    let here = peer.is_some_and(|peer| peer.to_canonical().is_loopback());
    let host = one(headers, "host")
        .and_then(Result::ok)
        .unwrap_or_default();
    let by_name = crate::config::is_loopback(host);
    let for_others = FORWARDED.iter().any(|name| headers.contains_key(*name));
    let role = match setup.config.dashboard.local() {
        LocalAccess::Off => return Err(Refusal::Nobody),
        LocalAccess::Viewer => Role::Viewer(None),
        LocalAccess::Reviewer => Role::Reviewer,
    };
    if !here || !by_name || for_others {
        return Err(Refusal::Nobody);
    }
    Ok(Identity {
        name: "somebody on this machine".to_owned(),
        by: By::Machine,
        role,
    })
}

/// A person with the roles of all entries that name them.
pub(super) fn person(
    setup: &Setup,
    name: &str,
    groups: &[String],
    by: By,
) -> Result<Identity, Refusal> {
    let name = plain(name.trim()).into_owned();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MOST {
        return Err(Refusal::Wrong(
            "the person's name is empty or too long".to_owned(),
        ));
    }
    let role = role(&setup.config.dashboard.roles, &name, groups);
    let role = role.ok_or_else(|| Refusal::NoRole(name.clone()))?;
    Ok(Identity { name, by, role })
}

fn role(roles: &[Grant], name: &str, groups: &[String]) -> Option<Role> {
    let mine = roles.iter().filter(|grant| {
        grant.everyone
            || grant
                .users
                .iter()
                .any(|user| user.to_lowercase() == name.to_lowercase())
            || grant.groups.iter().any(|group| groups.contains(group))
    });
    let mut teams: Option<Option<BTreeSet<String>>> = None;
    for grant in mine {
        if grant.role == AccessRole::Reviewer {
            return Some(Role::Reviewer);
        }
        teams = match (teams, teams_of(&grant.teams)) {
            (None, new) => Some(new),
            (Some(Some(known)), Some(new)) => Some(Some(known.into_iter().chain(new).collect())),
            (Some(_), _) => Some(None),
        };
    }
    teams.map(Role::Viewer)
}

fn teams_of(teams: &[String]) -> Option<BTreeSet<String>> {
    (!teams.is_empty()).then(|| teams.iter().cloned().collect())
}
