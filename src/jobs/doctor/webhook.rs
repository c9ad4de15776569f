//! Jira's webhook: secret, registration, and whether it was ever heard.

use jiff::SignedDuration;

use crate::clock::Clock;
use crate::jobs::hook::{self, differences, ours, wanted};
use crate::store::queue::Inbox as _;
use crate::store::unread::Door;

use super::report::{Found, Problem};
use super::subject::Subject;

/// A site on which no ticket changes for so long is rare.
const SILENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(super) async fn secret(subject: &Subject) -> Found {
    let webhook = &subject.config.webhook;
    match (webhook.secrets.len(), &webhook.url) {
        (0, None) => {
            return Found::off("no [webhook]: changes in Jira are seen by the scheduled runs only");
        }
        (0, Some(_)) => {
            return Found::wrong(
                "[webhook] has a url and no secret: every delivery is refused",
                "add secrets = [\"env:ASAF_WEBHOOK_SECRET\"]; `openssl rand -hex 32` makes a good one",
            );
        }
        _ => {}
    }
    match webhook.resolve() {
        Ok(_) => Found::well(format!("{} secrets can be read", webhook.secrets.len())),
        Err(error) => Found::wrong(
            error.to_string(),
            "put the secret there; `openssl rand -hex 32` makes a good one",
        ),
    }
}

pub(super) async fn registered(subject: &Subject) -> Found {
    let Some(url) = &subject.config.webhook.url else {
        return Found::warning(
            "[webhook] has a secret and no url: whether Jira calls cannot be checked",
            "add url: where Jira reaches `asaf serve` from outside; then `asaf webhook register`",
        );
    };
    let setup = match &subject.setup {
        None => return Found::off("no [jira.admin]: the registered webhooks cannot be read"),
        Some(Ok(setup)) => setup,
        Some(Err(error)) => return Found::warning(format!("{error:#}"), "see `secrets`"),
    };
    let hooks = match setup.admin.hooks().await {
        Ok(hooks) => hooks,
        Err(error) => return Found::refused(&error),
    };
    let wanted = wanted(url);
    let ours = ours(&hooks, &wanted);
    let Some(hook) = ours.first() else {
        return Found::wrong(
            format!("Jira has no webhook for {url}"),
            "`asaf webhook register` makes it",
        );
    };
    let mut problems: Vec<Problem> = differences(hook, &wanted)
        .into_iter()
        .map(|one| {
            Problem::wrong(
                format!("{} is {}, and ought to be {}", one.what, one.is, one.ought),
                "`asaf webhook register` corrects it",
            )
        })
        .collect();
    if ours.len() > 1 {
        problems.push(Problem::warning(hook::surplus(&ours), "one is enough"));
    }
    let says = if problems.is_empty() {
        format!("Jira calls {url}, signed")
    } else {
        String::new()
    };
    Found::of(says, problems)
}

pub(super) async fn heard(subject: &Subject) -> Found {
    let Ok(store) = &subject.store else {
        return Found::skipped("store");
    };
    let fix = "run `asaf serve`, change a ticket, and look again; if nothing comes, check that Jira reaches the url, and that \
               both sides have the same secret (`asaf webhook register --rotate`)";
    match store.heard(Door::Webhook).await {
        Ok(None) => Found::warning("no signed delivery has come yet", fix),
        Ok(Some(at)) if Clock::System.now().duration_since(at) > SILENCE => {
            Found::warning(format!("the last signed delivery came at {at}"), fix)
        }
        Ok(Some(at)) => Found::well(format!("last heard at {at}")),
        Err(error) => Found::wrong(error.to_string(), "see `store`"),
    }
}
