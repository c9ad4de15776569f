//! What can be wrong with `[dashboard]`. Whatever would let in more than somebody meant is refused.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::{Found, is_loopback};
use crate::config::{AccessRole, Config, Dashboard, Grant, Oidc, Period, TrustedProxy};

/// Headers that mean something else already.
const TAKEN_HEADERS: [&str; 6] = [
    "authorization",
    "cookie",
    "host",
    "origin",
    "content-type",
    "content-length",
];
/// What people type.
const A_URL: &str = "\"https://asaf.example.com\"";
/// More networks than a proxy has.
const PEERS_MOST: usize = 32;
/// A log-in that lasts longer is none.
const SESSION_LONGEST_HOURS: u32 = 24 * 30;

pub(super) fn dashboard(dashboard: &Dashboard, config: &Config, found: &mut Found) {
    if let Some(url) = &dashboard.url {
        found.with_help(&format!("such as {A_URL}"), |found| {
            super::endpoint("dashboard.url", url, found);
        });
    }
    if let Some(proxy) = &dashboard.proxy {
        trusted_proxy(proxy, found);
    }
    if let Some(alb) = &dashboard.alb {
        if region_of_signer(&alb.signer).is_none() {
            found.add_with_help(
                "dashboard.alb.signer",
                "is no ARN of a load balancer",
                "such as \"arn:aws:elasticloadbalancing:eu-west-1:012345678901:loadbalancer/app/asaf/50dc6c495c0c9188\"",
            );
        }
        claims("dashboard.alb", &alb.user_claim, &alb.groups_claim, found);
    }
    if let Some(oidc) = &dashboard.oidc {
        provider(oidc, dashboard, found);
    }
    tokens(dashboard, config, found);
    for (i, grant) in dashboard.roles.iter().enumerate() {
        role(&format!("dashboard.roles[{i}]"), grant, config, found);
    }
    if dashboard.names_people() && dashboard.roles.is_empty() {
        found.add_with_help(
            "dashboard",
            "nobody has a role: whoever is authenticated sees nothing",
            "such as [[dashboard.roles]] with role = \"reviewer\" and groups = [\"security\"]",
        );
    }
    for (path, period) in [
        ("dashboard.session_lasts", dashboard.session_lasts),
        ("dashboard.session_idle", dashboard.session_idle),
    ] {
        if period < Period::from_minutes(1) || period > Period::from_hours(SESSION_LONGEST_HOURS) {
            found.add_with_help(path, "is 1m to 30d", "such as \"12h\"");
        }
    }
}

/// The Region of a load balancer, from its ARN.
pub(crate) fn region_of_signer(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let (head, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
    let shaped = head == "arn"
        && partition.starts_with("aws")
        && service == "elasticloadbalancing"
        && region.contains('-')
        && region
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && account.len() == 12
        && name.starts_with("loadbalancer/app/");
    shaped.then_some(region)
}

fn trusted_proxy(proxy: &TrustedProxy, found: &mut Found) {
    if proxy.peers.is_empty() || proxy.peers.len() > PEERS_MOST {
        found.add_with_help(
            "dashboard.proxy.peers",
            "names nobody, or too many",
            "the address of the proxy as asaf sees it, such as [\"10.0.3.0/28\"]",
        );
    }
    for (i, peer) in proxy.peers.iter().enumerate() {
        let path = format!("dashboard.proxy.peers[{i}]");
        match network(peer) {
            None => found.add_with_help(
                path,
                format!("`{peer}` is no address and no network"),
                "such as \"10.0.3.7\" or \"10.0.3.0/28\"",
            ),
            Some(net) if net.prefix_len() == 0 => found.add_with_help(
                path,
                "everybody could say who they are",
                "name the proxy's own addresses",
            ),
            Some(_) => {}
        }
    }
    header("dashboard.proxy.user_header", &proxy.user_header, found);
    if let Some(groups) = &proxy.groups_header {
        header("dashboard.proxy.groups_header", groups, found);
        if groups.eq_ignore_ascii_case(&proxy.user_header) {
            found.add_with_help(
                "dashboard.proxy.groups_header",
                "is the header with the name",
                "name the header with the groups, such as \"x-forwarded-groups\", or leave it out",
            );
        }
    }
}

/// An address or a network.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>().ok().or_else(address)
}

fn header(path: &str, name: &str, found: &mut Found) {
    let wrong = if name.parse::<http::HeaderName>().is_err() {
        "is no name of a header".to_owned()
    } else if TAKEN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        format!("`{name}` means something else")
    } else {
        return;
    };
    found.add_with_help(
        path,
        wrong,
        "name the header that the proxy sets, such as \"x-forwarded-email\"",
    );
}

fn provider(oidc: &Oidc, dashboard: &Dashboard, found: &mut Found) {
    let uri = oidc.issuer.parse::<http::Uri>().ok();
    let host = uri.as_ref().and_then(http::Uri::host).is_some();
    let safe = oidc.issuer.starts_with("https:") || is_loopback(&oidc.issuer);
    if !host || !safe || uri.is_some_and(|uri| uri.query().is_some()) {
        found.add_with_help(
            "dashboard.oidc.issuer",
            "is no URL with https and a host",
            "as the provider calls itself, such as \"https://login.example.com/realms/acme\"",
        );
    }
    found.with_help("the id under which the provider knows asaf", |found| {
        found.name("dashboard.oidc.client_id", &oidc.client_id, 255);
    });
    claims(
        "dashboard.oidc",
        &oidc.user_claim,
        &oidc.groups_claim,
        found,
    );
    if !oidc.scopes.iter().any(|scope| scope == "openid") {
        found.add_with_help(
            "dashboard.oidc.scopes",
            "lacks `openid`",
            "add \"openid\": without it the provider gives no ID token",
        );
    }
    if dashboard.url.is_none() {
        found.add_with_help(
            "dashboard.url",
            "is missing: the provider sends people back there",
            &format!("such as {A_URL}; register <url>/login/callback with the provider"),
        );
    }
}

/// The claims with a person's name and groups.
fn claims(path: &str, user: &str, groups: &str, found: &mut Found) {
    let help = "as the provider calls it, such as \"email\" or \"groups\"";
    found.with_help(help, |found| {
        found.name(format!("{path}.user_claim"), user, 100);
        found.name(format!("{path}.groups_claim"), groups, 100);
    });
}

fn tokens(dashboard: &Dashboard, config: &Config, found: &mut Found) {
    let mut names = BTreeSet::new();
    for (i, token) in dashboard.tokens.iter().enumerate() {
        let path = format!("dashboard.tokens[{i}]");
        let help = "the audit log tells scripts apart by it: give each a short name of its own";
        found.with_help(help, |found| {
            found.name(format!("{path}.name"), &token.name, 60);
            if !names.insert(token.name.as_str()) {
                found.add(format!("{path}.name"), "stands here twice");
            }
        });
        teams(&path, token.role, &token.teams, config, found);
    }
}

fn role(path: &str, grant: &Grant, config: &Config, found: &mut Found) {
    if grant.users.is_empty() && grant.groups.is_empty() && !grant.everyone {
        found.add_with_help(
            path,
            "names nobody",
            "write users, groups, or everyone = true",
        );
    }
    for (what, names) in [("users", &grant.users), ("groups", &grant.groups)] {
        for (i, name) in names.iter().enumerate() {
            found.with_help("as the proxy or the provider tells it", |found| {
                found.name(format!("{path}.{what}[{i}]"), name, 255);
            });
        }
    }
    teams(path, grant.role, &grant.teams, config, found);
}

fn teams(path: &str, role: AccessRole, teams: &[String], config: &Config, found: &mut Found) {
    if role == AccessRole::Reviewer && !teams.is_empty() {
        found.add_with_help(
            format!("{path}.teams"),
            "reviewers see every team",
            "leave it out, or write role = \"viewer\"",
        );
    }
    let known = config.owners.teams();
    for (i, team) in teams.iter().enumerate() {
        if !known.contains(team.as_str()) {
            let names: Vec<&str> = known.iter().copied().collect();
            found.add_with_help(
                format!("{path}.teams[{i}]"),
                format!("[owners] knows no team `{team}`"),
                &format!("there are: {}", names.join(", ")),
            );
        }
    }
}

#[cfg(test)]
mod tests;
