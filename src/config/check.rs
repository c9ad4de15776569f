//! What types cannot say: patterns, ranges, and keys that must fit together. All problems are reported, not the first.

mod dashboard;
mod ignore;
mod notices;
mod owners;
mod workflow;

use std::collections::BTreeMap;

use super::{Aws, Config, Jira, Reviewers, Run};

mod serve;

pub(crate) use dashboard::{network, region_of_signer};
pub(crate) use serve::wrong_door;

/// A problem by the path of its key, such as `owners.rules[0].accounts[1]`.
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// Everything that is wrong.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let mut found = Found(Vec::new());
    aws(&config.aws, &mut found);
    jira(&config.jira, &mut found);
    owners::owners(&config.owners, &mut found);
    if config.limits.removals_percent > 100 {
        found.add("limits.removals_percent", "percent are 0 to 100");
    }
    if config.store.path.as_os_str().is_empty() {
        found.add("store.path", "the path of the store is empty");
    }
    run(&config.run, config, &mut found);
    notices::notices(config, &mut found);
    ignore::ignore(config, &mut found);
    serve::serve(&config.serve, &mut found);
    serve::webhook(&config.webhook, &mut found);
    if let Some(queue) = &config.queue {
        serve::queue(queue, config, &mut found);
    }
    dashboard::dashboard(&config.dashboard, config, &mut found);
    found.0
}

/// Collects problems; most need no help line.
struct Found(Vec<Finding>);

impl Found {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding {
            path: path.into(),
            message: message.into(),
            help: None,
        });
    }

    fn add_with_help(&mut self, path: impl Into<String>, message: impl Into<String>, help: &str) {
        self.0.push(Finding {
            path: path.into(),
            message: message.into(),
            help: Some(help.to_owned()),
        });
    }

    /// What is found wrong within, and has no help of its own, gets this one.
    fn with_help(&mut self, help: &str, look: impl FnOnce(&mut Self)) {
        let before = self.0.len();
        look(self);
        for finding in &mut self.0[before..] {
            finding.help.get_or_insert_with(|| help.to_owned());
        }
    }

    /// Names that go into requests and messages: one line of 1 to `chars_max` characters.
    fn name(&mut self, path: impl Into<String>, value: &str, chars_max: usize) {
        if value.trim().is_empty() {
            self.add(path, "is empty");
        } else if value.chars().count() > chars_max {
            self.add(path, format!("is longer than {chars_max} characters"));
        } else if value.chars().any(char::is_control) {
            self.add(path, "contains control characters");
        }
    }
}

fn aws(aws: &Aws, found: &mut Found) {
    region("aws.region", &aws.region, found);
    found.name("aws.aggregator", &aws.aggregator, 256);
    // IAM: role names are at most 64 characters of [\w+=,.@-]; a path may stand before them.
    let in_role = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
    if aws.member_role.is_empty()
        || aws.member_role.starts_with("arn:")
        || !aws.member_role.chars().all(in_role)
    {
        found.add_with_help(
            "aws.member_role",
            "is no role name",
            "write the name alone, such as \"asaf-config-read\": the account is filled in",
        );
    }
    if let Some(external_id) = &aws.external_id {
        found.name("aws.external_id", external_id, 1224);
    }
    if let Some(profile) = &aws.profile {
        found.name("aws.profile", profile, 256);
    }
    if let Some(url) = &aws.endpoint_url {
        endpoint("aws.endpoint_url", url, found);
    }
}

fn region(path: impl Into<String>, region: &str, found: &mut Found) {
    let shaped = region.split('-').count() >= 3
        && region.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
        && region.ends_with(|c: char| c.is_ascii_digit());
    if !shaped {
        found.add(
            path,
            format!("`{region}` is no Region, such as \"eu-west-1\""),
        );
    }
}

/// A Jira site: by its own address, or as Atlassian's gateway knows it, which is where tokens with scopes work
/// (Atlassian: API tokens with scopes).
fn site(path: &str, url: &str, found: &mut Found) {
    match url.split_once("/ex/jira/") {
        Some((gateway, id)) if uuid::Uuid::try_parse(id.trim_end_matches('/')).is_ok() => {
            endpoint(path, gateway, found);
        }
        _ => endpoint(path, url, found),
    }
}

fn endpoint(path: &str, url: &str, found: &mut Found) {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return found.add(path, "is no URL");
    };
    let bare = uri.query().is_none()
        && uri.authority().is_some_and(|at| !at.as_str().contains('@'))
        && matches!(uri.path(), "" | "/");
    match uri.scheme_str() {
        Some("https" | "http") if !bare => found.add(
            path,
            "is more than scheme, host and port: no path, query or user name",
        ),
        Some("https") => {}
        Some("http") if is_loopback(url) => {}
        Some("http") => found.add_with_help(
            path,
            "http would send credentials in the clear",
            "use https; http is for loopback addresses such as 127.0.0.1",
        ),
        _ => found.add(path, "is no URL with https and a host"),
    }
}

/// The URL's host is this machine: `localhost` or a loopback address.
pub fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    let Some(host) = uri.host() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

fn jira(jira: &Jira, found: &mut Found) {
    site("jira.url", &jira.url, found);
    address("jira.email", &jira.email, found);
    workflow::workflow(jira, found);
    found.name("jira.issue_type", &jira.issue_type, 60);
    people("jira.reviewers", &jira.reviewers, found);
    if let Some(teams) = &jira.product_teams {
        people("jira.product_teams", teams, found);
    }
    let mut meanings: BTreeMap<String, &str> = BTreeMap::new();
    for (state, statuses) in jira.statuses.all() {
        let path = format!("jira.statuses.{}", state.word());
        if statuses.is_empty() {
            found.add(&path, "needs at least one status");
        }
        for (i, status) in statuses.iter().enumerate() {
            let path = format!("{path}[{i}]");
            found.name(&path, status, 255);
            if let Some(other) = meanings.insert(status.to_lowercase(), state.word()) {
                found.add(
                    path,
                    format!("`{status}` already means {other}: a status means one thing"),
                );
            }
        }
    }
}

fn people(path: &str, people: &Reviewers, found: &mut Found) {
    match people {
        Reviewers::Group(group) => found.name(format!("{path}.group"), group, 255),
        Reviewers::Role { project, role } => {
            project_key(format!("{path}.project"), project, found);
            found.name(format!("{path}.role"), role, 255);
        }
        Reviewers::Accounts(ids) if ids.is_empty() => {
            let names = if path == "jira.reviewers" {
                "names nobody: then nobody may close"
            } else {
                "names nobody: leave the key out"
            };
            found.add(format!("{path}.account_ids"), names);
        }
        Reviewers::Accounts(ids) => {
            for (i, id) in ids.iter().enumerate() {
                found.name(format!("{path}.account_ids[{i}]"), id, 128);
            }
        }
    }
}

fn address(path: &str, email: &str, found: &mut Found) {
    let is_address = email
        .split_once('@')
        .is_some_and(|(user, domain)| !user.is_empty() && !domain.is_empty());
    if !is_address || email.contains(|c: char| c.is_whitespace() || c.is_control() || c == ':') {
        found.add(path, "is no e-mail address");
    }
}

/// Jira Cloud's default pattern of project keys.
fn project_key(path: impl Into<String>, key: &str, found: &mut Found) {
    let shaped = key.len() >= 2
        && key.starts_with(|c: char| c.is_ascii_uppercase())
        && key
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if !shaped {
        found.add(
            path,
            format!("`{key}` is no project key: at least two of A-Z, 0-9 and _, a letter first"),
        );
    }
}

fn run(run: &Run, config: &Config, found: &mut Found) {
    for (i, name) in run.regions.iter().enumerate() {
        region(format!("run.regions[{i}]"), name, found);
    }
    for (path, every) in [
        ("run.full_every", run.full_every),
        ("run.incremental_every", run.incremental_every),
    ] {
        if every.duration().is_zero() {
            found.add(path, "must be longer than nothing");
        }
    }
    let local = is_loopback(&config.jira.url)
        && config.aws.endpoint_url.as_deref().is_some_and(is_loopback);
    if run.unlimited && !local {
        found.add_with_help(
            "run.unlimited",
            "only emulators may be called without rates",
            "remove it; it is allowed when jira.url and aws.endpoint_url are both loopback addresses",
        );
    }
}
