//! The Jira site and the bot's login.

use jiff::civil::Date;

use crate::clock::Clock;
use crate::config::WorkflowKind;
use crate::jobs::workflow::site::{DATA_CENTER, FREE_PLAN};
use crate::wire::jira::Deployment;

use super::report::{Found, Problem};
use super::subject::Subject;

/// Days before its end on which a token should be renewed.
const DAYS_LEFT: i32 = 14;

pub(super) async fn site(subject: &Subject) -> Found {
    let jira = match subject.jira() {
        Ok(jira) => jira,
        Err(why) => return Found::wrong(why, "see `secrets`"),
    };
    let server = match jira.server().await {
        Ok(server) => server,
        Err(error) => {
            let Problem { finding, .. } = Problem::refused(&error);
            return Found::wrong(
                finding,
                "check jira.url: the site's own address, or for a token with scopes the gateway's with the site's cloud id",
            );
        }
    };
    let found = match server.deployment {
        Deployment::DataCenter => Found::wrong(
            format!(
                "{} runs Jira {}: {DATA_CENTER}",
                subject.config.jira.url, server.version
            ),
            "name a Jira Cloud site in jira.url",
        ),
        Deployment::Cloud => Found::well(format!("{} is Jira Cloud", subject.config.jira.url)),
    };
    subject.known().server = Some(server);
    found
}

pub(super) async fn login(subject: &Subject) -> Found {
    let jira = match subject.jira() {
        Ok(jira) => jira,
        Err(why) => return Found::wrong(why, "see `secrets`"),
    };
    let email = &subject.config.jira.email;
    let account = match jira.bot().await {
        Ok(account) => account.to_owned(),
        Err(error) => return Found::refused(&error),
    };
    // Only a token with scopes may do less than its user.
    if subject.config.jira.is_gateway()
        && let Err(error) = jira.may_write().await
    {
        return Found::refused(&error);
    }
    match jira.permissions(None, &["ADMINISTER"]).await {
        Ok(held) if held.get("ADMINISTER") == Some(&true) => Found::warning(
            format!(
                "{email} administers Jira: whoever has the engine's token can change everything"
            ),
            "take the permission from it; administrators are named in [jira.admin]",
        ),
        Ok(_) => Found::well(format!("{email} ({account})")),
        Err(error) => Found::refused(&error),
    }
}

pub(super) async fn token(subject: &Subject) -> Found {
    let today = jiff::tz::Offset::UTC
        .to_datetime(Clock::System.now())
        .date();
    expiry(
        subject.config.jira.token_expires,
        &subject.config.jira.email,
        today,
    )
}

/// Atlassian's tokens end after at most a year, and their API tells nobody when (Atlassian: Manage API tokens).
fn expiry(expires: Option<Date>, email: &str, today: Date) -> Found {
    let Some(expires) = expires else {
        return Found::warning(
            "nobody knows when the token ends: Jira does not tell, and a year after its creation it does",
            "write the day into jira.token_expires, such as \"2027-03-01\": asaf then says it in time",
        );
    };
    let left = (expires - today).get_days();
    let fix = format!(
        "create a new API token as {email}, put it where jira.token points, and set jira.token_expires"
    );
    match left {
        ..0 => Found::warning(
            format!(
                "the token ended on {expires}, says jira.token_expires, and Jira takes it still"
            ),
            fix,
        ),
        0..=DAYS_LEFT => {
            Found::warning(format!("the token ends on {expires}, in {left} days"), fix)
        }
        _ => Found::well(format!("the token ends on {expires}, in {left} days")),
    }
}

pub(super) async fn statuses(subject: &Subject) -> Found {
    let Ok(jira) = subject.jira() else {
        return Found::skipped("secrets");
    };
    let unknown = match jira.unknown_statuses().await {
        Ok(unknown) => unknown,
        Err(error) => return Found::refused(&error),
    };
    if let Err(error) = jira.check_statuses().await {
        let Problem { finding, fix, .. } = Problem::refused(&error);
        let fix = match subject.config.jira.workflow.kind {
            WorkflowKind::Asaf => "`asaf workflow apply` makes them".to_owned(),
            WorkflowKind::Own | WorkflowKind::Advisory => fix,
        };
        return Found::wrong(finding, fix);
    }
    if unknown.is_empty() {
        return Found::well("open, resolved, closed and ignored have their statuses");
    }
    Found::warning(
        format!(
            "[jira.statuses] names what Jira does not have: {}",
            unknown.join(", ")
        ),
        "correct or remove them",
    )
}

pub(super) async fn bulk_change(subject: &Subject) -> Found {
    let Ok(jira) = subject.jira() else {
        return Found::skipped("secrets");
    };
    let mut problems = Vec::new();
    match jira.permissions(None, &["BULK_CHANGE"]).await {
        Ok(held) if held.get("BULK_CHANGE") == Some(&true) => {}
        Ok(_) => problems.push(Problem::warning(
            "the bot may not make bulk changes, so thousands of tickets are moved and deleted one by one",
            "grant the global permission Make bulk changes to a group of the bot (System, Global permissions)",
        )),
        Err(error) => problems.push(Problem::refused(&error)),
    }
    match jira.is_free().await {
        Ok(true) if subject.config.jira.workflow.kind != WorkflowKind::Advisory => {
            problems.push(Problem::wrong(
                FREE_PLAN,
                "move to a paid plan, or accept advisory mode",
            ));
        }
        Ok(_) => {}
        Err(error) => problems.push(Problem::refused(&error)),
    }
    let says = if problems.is_empty() {
        "the bot may make bulk changes"
    } else {
        ""
    };
    Found::of(says, problems)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::report::State;
    use super::*;

    #[test]
    fn a_token_is_spoken_of_two_weeks_before_it_ends() {
        let today: Date = "2026-11-25".parse().unwrap();
        let state = |day: Option<&str>| {
            expiry(
                day.map(|day| day.parse().unwrap()),
                "bot@example.com",
                today,
            )
            .state
        };
        assert_eq!(state(Some("2026-12-10")), State::Ok);
        assert_eq!(state(Some("2026-12-09")), State::Warning);
        assert_eq!(state(Some("2026-11-01")), State::Warning);
        assert_eq!(state(None), State::Warning);
    }
}
