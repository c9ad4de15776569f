//! `[ignore]`: one source, a credential where one is needed, names that can be meant.

use super::super::{Config, Ignore, is_loopback};
use super::Found;

pub(super) fn ignore(config: &Config, found: &mut Found) {
    let Some(ignore) = &config.ignore else { return };
    source(ignore, found);
    credential(ignore, found);
    api(&ignore.url, found);
    let in_branch = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    if !ignore
        .branch
        .starts_with(|c: char| c.is_ascii_alphanumeric())
        || !ignore.branch.chars().all(in_branch)
        || ignore.branch.contains("..")
    {
        found.add("ignore.branch", "is no name of a branch");
    }
    let shaped = ignore.folder.trim_end_matches('/').split('/').all(|part| {
        !part.is_empty() && part != "." && part != ".." && !part.chars().any(char::is_control)
    });
    if !shaped {
        found.add(
            "ignore.folder",
            "is no folder of the repository: write its path from the root, such as \"ignore\"",
        );
    }
    if ignore.days_max == 0 || ignore.days_max > 3650 {
        found.add("ignore.days_max", "days are 1 to 3650");
    }
    for (n, id) in ignore.longer.iter().enumerate() {
        found.name(format!("ignore.longer[{n}]"), id, 64);
    }
    for (n, approver) in ignore.approvers.iter().enumerate() {
        let shaped = approver.strip_prefix('@').is_some_and(|name| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_/.".contains(c))
        });
        if !shaped {
            found.add(
                format!("ignore.approvers[{n}]"),
                format!("`{approver}` is no code owner: write @org/team or @user"),
            );
        }
    }
    found.name("ignore.comments_by", &ignore.comments_by, 100);
}

fn source(ignore: &Ignore, found: &mut Found) {
    let sources = [
        ignore.repository.is_some(),
        ignore.checkout.is_some(),
        ignore.none,
    ];
    match sources.iter().filter(|given| **given).count() {
        1 => {}
        0 => found.add_with_help(
            "ignore",
            "does not say where the rules are",
            "write repository = \"owner/name\" or checkout = \"path\"; none = true ends all rules",
        ),
        _ => found.add(
            "ignore",
            "has several sources: one of repository, checkout and none = true",
        ),
    }
    if let Some(repository) = &ignore.repository {
        let part = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let shaped = repository
            .split_once('/')
            .is_some_and(|(owner, name)| part(owner) && part(name));
        if !shaped {
            found.add(
                "ignore.repository",
                format!("`{repository}` is no repository: write owner/name"),
            );
        }
    }
}

fn credential(ignore: &Ignore, found: &mut Found) {
    match (&ignore.token, &ignore.app) {
        (Some(_), Some(_)) => found.add("ignore.app", "a token is given too: one of both is used"),
        (None, None) if ignore.repository.is_some() => found.add_with_help(
            "ignore.repository",
            "cannot be read without a credential",
            "write token = \"env:ASAF_GITHUB_TOKEN\", or a table [ignore.app]",
        ),
        _ => {}
    }
    if let Some(app) = &ignore.app {
        found.name("ignore.app.id", &app.id, 64);
        if app.installation == 0 {
            found.add("ignore.app.installation", "is no id of an installation");
        }
    }
}

fn api(url: &str, found: &mut Found) {
    let shaped = url.parse::<http::Uri>().is_ok_and(|uri| {
        let bare =
            uri.query().is_none() && uri.authority().is_some_and(|at| !at.as_str().contains('@'));
        bare && match uri.scheme_str() {
            Some("https") => true,
            Some("http") => is_loopback(url),
            _ => false,
        }
    });
    if !shaped {
        found.add_with_help(
            "ignore.url",
            "is no URL with https and a host",
            "https://api.github.com, or https://HOST/api/v3 of an own server; http is for loopback addresses",
        );
    }
}
