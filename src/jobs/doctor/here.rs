//! This machine: version, store, secrets, clock.

use jiff::SignedDuration;

use crate::config::{Login, Secret};
use crate::store::{Store as _, StoreError};

use super::report::{Found, Problem};
use super::subject::Subject;

/// AWS refuses requests that were signed more than five minutes off (IAM user guide: Signature Version 4, "eligible
/// time").
const SKEW_MOST: SignedDuration = SignedDuration::from_mins(5);
/// Somebody should look at the clock from here on.
const SKEW_ODD: SignedDuration = SignedDuration::from_secs(30);

pub(super) async fn version(subject: &Subject) -> Found {
    let version = env!("CARGO_PKG_VERSION");
    match &subject.store {
        Err(StoreError::Newer { found, known }) => Found::wrong(
            format!(
                "a newer asaf wrote the store: schema {found}; this one, {version}, knows {known}"
            ),
            "install the newer version here too; there is no way back but a backup from before",
        ),
        _ => Found::well(format!("asaf {version}")),
    }
}

pub(super) async fn store(subject: &Subject) -> Found {
    let path = subject.config.store.path.display();
    let fix = "give asaf a folder that it may write: [store] path";
    let store = match &subject.store {
        Ok(store) => store,
        Err(error @ (StoreError::Damaged { .. } | StoreError::Corrupt { .. })) => {
            return Found::wrong(
                error.to_string(),
                "restore a backup (docs/backup.md); an empty store adopts the tickets that exist",
            );
        }
        Err(error) => return Found::wrong(error.to_string(), fix),
    };
    let now = crate::clock::Clock::System.now();
    match store.set_instant("doctor", now).await {
        Ok(()) => Found::well(format!(
            "{path} is writable and its schema is this version's"
        )),
        Err(error) => Found::wrong(error.to_string(), fix),
    }
}

pub(super) async fn secrets(subject: &Subject) -> Found {
    let jira = &subject.config.jira;
    let mut problems = Vec::new();
    if let Err(why) = subject.clients() {
        let fix = match jira.token.resolve() {
            Ok(_) => "put the secret there".to_owned(),
            Err(_) => format!("put the token of {} there", jira.email),
        };
        problems.push(Problem::wrong(why, fix));
    }
    let login = |of: &'static str, login: &Login| (of, login.email.clone(), login.token.clone());
    let admin = jira.admin.iter().map(|one| login("[jira.admin]", one));
    let tried = jira.verify.iter().flat_map(|verify| {
        [
            login("[jira.verify.product]", &verify.product),
            login("[jira.verify.reviewer]", &verify.reviewer),
        ]
    });
    let others: Vec<(&str, String, Secret)> = admin.chain(tried).collect();
    let mut read = 1;
    for (of, email, token) in &others {
        match token.resolve() {
            Ok(_) => read += 1,
            // The engine runs without them.
            Err(error) => problems.push(Problem::warning(
                format!("{of}: {error}"),
                format!("put the token of {email} there, or remove {of}"),
            )),
        }
    }
    let says = if problems.is_empty() {
        format!("{read} tokens can be read")
    } else {
        String::new()
    };
    Found::of(says, problems)
}

pub(super) async fn clock(subject: &Subject) -> Found {
    let Some(theirs) = subject
        .known()
        .server
        .as_ref()
        .and_then(|server| server.time)
    else {
        return Found::off("the site does not tell its time");
    };
    let ours = crate::clock::Clock::System.now();
    let skew = ours.duration_since(theirs).abs();
    let text = format!("this clock and Jira's differ by {} s", skew.as_secs());
    let fix = "let the machine keep its time by NTP";
    if skew > SKEW_MOST {
        return Found::wrong(
            format!("{text}: AWS refuses requests that are five minutes off"),
            fix,
        );
    }
    if skew > SKEW_ODD {
        return Found::warning(text, fix);
    }
    Found::well(text)
}
