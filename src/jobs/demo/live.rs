//! After the story: the engine serves, and whoever looks at the demo is the product team and the reviewer. It is what
//! `asaf serve` does, with the demo's world on the other side.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use super::emulated::{Emulated, User};
use super::words;
use crate::clock::Clock;
use crate::config::Config;
use crate::emulators::jira::Workflow;
use crate::jobs::connect::Way;
use crate::jobs::{serve, webhook};
use crate::talk::Talk;

/// The file with the webhook's secret, in the demo's folder.
pub(super) const SECRET: &str = "webhook-secret";
/// How often the journal is read.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Serves until it is told to stop, and tells what happens.
///
/// # Errors
/// As `asaf serve`; and when the emulators have gone.
pub(super) async fn serve(
    emulated: &Emulated,
    folder: &Path,
    way: Way,
    clock: Clock,
    talk: Talk,
) -> anyhow::Result<()> {
    // What happened before is known from the runs.
    emulated.happen("queue_is_emptied").await?;
    let (tell, told) = tokio::sync::oneshot::channel();
    let listening = |address: &str, _: &Config| {
        // Nobody hears it only when the demo has ended.
        let _ = tell.send(address.to_owned());
        Ok(())
    };
    let guided = async {
        let address = told.await.context("asaf does not serve")?;
        let secret = std::fs::read_to_string(folder.join(SECRET))?;
        let hook = format!("http://{address}{}", webhook::PATH);
        emulated.register_webhook(&hook, secret.trim()).await?;
        talk.say(&format!(
            "The dashboard of what happened here: http://{address}/"
        ));
        invite(emulated, talk).await?;
        follow(emulated, talk).await
    };
    let path = folder.join("asaf.toml");
    let served = Box::pin(serve::serve(&path, way, clock, listening));
    tokio::select! {
        served = served => served,
        failed = guided => failed,
    }
}

/// Says what may be done, and how.
async fn invite(emulated: &Emulated, talk: Talk) -> anyhow::Result<()> {
    let page = &emulated.ready.control;
    talk.say(&format!(
        "\nFrom now on asaf serves: webhooks and events come in as you act. Look at both sides, and act: {page}/\n\
         What people were told in Slack: {page}/page/slack"
    ));
    let open = emulated.ask("/state/tickets?status=open&limit=1").await?;
    let ticket = &open["rows"][0];
    let (Some(key), Some(finding)) = (ticket["key"].as_str(), ticket["finding"].as_str()) else {
        talk.say("No ticket is open.");
        return Ok(());
    };
    let (product, reviewer) = (emulated.user("product")?, emulated.user("reviewer")?);
    for (what, user, transition) in [
        ("A product team resolves", product, "Resolve"),
        ("A reviewer closes", reviewer, "Close"),
        ("Or a reviewer reopens", reviewer, "Reopen"),
    ] {
        let id = transition_id(transition)?;
        let line = transition_line(&emulated.ready.jira, key, user, &id);
        talk.say(&format!("\n{what} {key}:\n  {line}"));
    }
    talk.say(&format!(
        "\nWhat Security Hub says of its finding:\n  curl -sS '{page}/state/findings?id={finding}' | grep -o '\"Workflow\":{{[^}}]*}}'"
    ));
    talk.say("\nCtrl-C ends it. What happens:");
    Ok(())
}

fn transition_line(jira: &str, key: &str, user: &User, id: &str) -> String {
    let User { email, token } = user;
    format!(
        "curl -sS -u '{email}:{token}' '{jira}/rest/api/3/issue/{key}/transitions' -H 'Content-Type: application/json' \
         -d '{{\"transition\":{{\"id\":\"{id}\"}}}}'"
    )
}

/// Transitions have the same ids in every emulated site that is prepared for `asaf`.
fn transition_id(name: &str) -> anyhow::Result<String> {
    let transitions = Workflow::directed().transitions;
    let found = transitions.into_iter().find(|one| one.name == name);
    let found = found.with_context(|| format!("the workflow has no transition {name}"))?;
    Ok(found.id)
}

/// Tells what happens, until the emulators end.
async fn follow(emulated: &Emulated, talk: Talk) -> anyhow::Result<()> {
    let state = emulated.ask("/state").await?;
    let users = state["users"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names: BTreeMap<String, String> = users
        .map(|user| (text(&user["accountId"]), text(&user["name"])))
        .collect();
    let mut seen = state["journal"].as_u64().unwrap_or(0);
    loop {
        let after = match seen {
            0 => String::new(),
            seen => format!("after={}&", seen - 1),
        };
        let path = format!("/journal?{after}limit=100");
        let new = emulated.ask(&path).await?;
        for entry in new["entries"].as_array().into_iter().flatten() {
            talk.say(&words::line(entry, &names));
            seen += 1;
        }
        if new["more"] != true {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
