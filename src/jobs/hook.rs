//! `asaf webhook register` and `status`: the admin webhook in Jira, as it is and as it ought to be. What Jira sends is
//! received in [`crate::jobs::webhook`].

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::{Exit, TextOrJson, WebhookCommand};
use crate::config::{Config, ConfigError, wrong_door};
use crate::jobs::workflow::{Setup, Trouble, failed};
use crate::store::StoreError;
use crate::store::queue::Inbox as _;
use crate::store::sqlite::Sqlite;
use crate::store::unread::Door;
use crate::talk::{self, Talk, plain};
use crate::wire::jira::LABEL;
use crate::wire::jira::admin::{Hook, HookText};

/// By its name it is found again when its address changes.
const NAME: &str = "asaf";
/// What concerns a ticket; comments and work logs decide nothing.
const EVENTS: [&str; 3] = [
    "jira:issue_created",
    "jira:issue_deleted",
    "jira:issue_updated",
];

/// One thing that is not as it ought to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) what: &'static str,
    pub(crate) is: String,
    pub(crate) ought: String,
}

/// What ought to be registered.
pub(crate) fn wanted(url: &str) -> HookText {
    HookText {
        name: NAME.to_owned(),
        url: url.to_owned(),
        events: EVENTS.map(str::to_owned).to_vec(),
        // By our label no text of other people's issues leaves Jira.
        jql: format!("labels = {LABEL}"),
    }
}

/// Ours among all that are registered: those that call us, else the one with our name.
pub(crate) fn ours<'a>(hooks: &'a [Hook], wanted: &HookText) -> Vec<&'a Hook> {
    let calling: Vec<&Hook> = hooks.iter().filter(|one| one.url == wanted.url).collect();
    if calling.is_empty() {
        return hooks.iter().filter(|one| one.name == wanted.name).collect();
    }
    calling
}

/// What is registered against what ought to be.
pub(crate) fn differences(hook: &Hook, wanted: &HookText) -> Vec<Difference> {
    let Hook {
        id: _,
        name: _,
        url,
        events,
        jql,
        enabled,
        signed,
    } = hook;
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let all = [
        ("url", url.clone(), wanted.url.clone()),
        ("events", events.join(", "), wanted.events.join(", ")),
        ("filter", jql.clone(), wanted.jql.clone()),
        ("enabled", yes(*enabled), yes(true)),
        ("signed", yes(*signed), yes(true)),
    ];
    let differing = all.into_iter().filter(|(_, is, ought)| is != ought);
    differing
        .map(|(what, is, ought)| Difference { what, is, ought })
        .collect()
}

/// Runs one of the two.
///
/// # Errors
/// Configuration, credentials, an unreachable site.
pub async fn run(command: &WebhookCommand, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let setup = Setup::open(path).await?;
    let outcome = match command {
        WebhookCommand::Register { url, rotate } => {
            let url = address(&setup.config, url.as_deref())?;
            register(&setup, &url, *rotate, talk).await
        }
        WebhookCommand::Status { output } => {
            let url = address(&setup.config, None)?;
            status(&setup, &url, *output).await
        }
    };
    match outcome {
        Ok(done) => done,
        Err(trouble) => failed(trouble, talk),
    }
}

/// Where Jira is to call.
fn address(config: &Config, given: Option<&str>) -> anyhow::Result<String> {
    let Some(url) = given.or(config.webhook.url.as_deref()) else {
        return Err(ConfigError::Lacking {
            what: "address for the webhook",
            help: "add url to [webhook]: where Jira reaches `asaf serve` from outside, ending in /webhook/jira",
        }
        .into());
    };
    if let Some((why, fix)) = wrong_door(url) {
        anyhow::bail!("--url {why}: {fix}");
    }
    Ok(url.to_owned())
}

async fn register(
    setup: &Setup,
    url: &str,
    rotate: bool,
    talk: Talk,
) -> Result<anyhow::Result<Exit>, Trouble> {
    let Some(secret) = setup.config.webhook.secrets.first() else {
        return Ok(Err(ConfigError::Lacking {
            what: "secret for the webhook",
            help: "add secrets = [\"env:ASAF_WEBHOOK_SECRET\"] to [webhook]; `openssl rand -hex 32` makes a good one. Jira signs \
                   with it, and asaf takes nothing that is not signed",
        }
        .into()));
    };
    // All of them are read: a short one is refused here as `asaf serve` would.
    let secret = match setup
        .config
        .webhook
        .resolve()
        .and_then(|_| secret.resolve())
    {
        Ok(secret) => secret,
        Err(error) => return Ok(Err(error.into())),
    };
    let wanted = wanted(url);
    let hooks = setup.admin.hooks().await?;
    let ours = ours(&hooks, &wanted);
    let Some(hook) = ours.first() else {
        setup.admin.create_hook(&wanted, &secret).await?;
        talk.say(&plain(&format!("Registered: Jira calls {url} now.")));
        return Ok(finish(setup, url, &ours, talk));
    };
    let differences = differences(hook, &wanted);
    if differences.is_empty() && !rotate {
        talk.say("No changes: the webhook is registered already. Jira never shows its secret; --rotate sends it again.");
        return Ok(finish(setup, url, &ours, talk));
    }
    let secret = (rotate || !hook.signed).then_some(&secret);
    setup.admin.update_hook(&hook.id, &wanted, secret).await?;
    for Difference { what, is, ought } in &differences {
        talk.say(&plain(&format!("{what}: {is} → {ought}")));
    }
    if secret.is_some() {
        talk.say("The secret was sent: Jira signs with the first of [webhook] secrets now.");
    }
    Ok(finish(setup, url, &ours, talk))
}

/// What is left to a person.
fn finish(setup: &Setup, url: &str, ours: &[&Hook], talk: Talk) -> anyhow::Result<Exit> {
    if setup.config.webhook.url.as_deref() != Some(url) {
        talk.say(&plain(&format!(
            "Write it into the configuration, so that `asaf doctor` can look after it: [webhook] url = \"{url}\""
        )));
    }
    if ours.len() > 1 {
        talk.error(&surplus(ours));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Ok)
}

/// The sentence about several webhooks for one address.
pub(crate) fn surplus(ours: &[&Hook]) -> String {
    let ids: Vec<&str> = ours.iter().skip(1).map(|hook| hook.id.as_str()).collect();
    plain(&format!(
        "Jira has {} webhooks for asaf, so everything is sent as often: delete {} in Jira (System, WebHooks)",
        ours.len(),
        ids.join(", ")
    ))
    .into_owned()
}

/// When a signed delivery last came.
pub(crate) async fn last_heard(config: &Config) -> Result<Option<Timestamp>, StoreError> {
    if !config.store.path.exists() {
        return Ok(None);
    }
    Sqlite::open_beside(&config.store.path)?
        .heard(Door::Webhook)
        .await
}

async fn status(
    setup: &Setup,
    url: &str,
    output: TextOrJson,
) -> Result<anyhow::Result<Exit>, Trouble> {
    let wanted = wanted(url);
    let hooks = setup.admin.hooks().await?;
    let ours = ours(&hooks, &wanted);
    let heard = match last_heard(&setup.config).await {
        Ok(heard) => heard,
        Err(error) => return Ok(Err(error.into())),
    };
    let wrong = ours.first().map(|hook| differences(hook, &wanted));
    let is_well = ours.len() == 1 && wrong.as_ref().is_some_and(Vec::is_empty);
    let text = match output {
        TextOrJson::Text => text(&ours, &wanted, heard),
        TextOrJson::Json => format!("{:#}\n", as_json(&ours, &wanted, heard)),
    };
    let shown = talk::data(&text).map_err(anyhow::Error::from);
    Ok(shown.map(|()| if is_well { Exit::Ok } else { Exit::Failed }))
}

fn text(ours: &[&Hook], wanted: &HookText, heard: Option<Timestamp>) -> String {
    let Some(hook) = ours.first() else {
        return plain(&format!(
            "Jira has no webhook for {}: `asaf webhook register` makes it.",
            wanted.url
        ))
        .into_owned()
            + "\n";
    };
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{name:<10} {}", plain(value));
    };
    line("webhook", &format!("{} ({})", hook.name, hook.id));
    line("url", &hook.url);
    line("events", &hook.events.join(", "));
    line("filter", &hook.jql);
    line("enabled", if hook.enabled { "yes" } else { "no" });
    line("signed", if hook.signed { "yes" } else { "no" });
    let heard = heard.map_or_else(|| "never".to_owned(), |at| at.to_string());
    line("last heard", &heard);
    for Difference { what, is, ought } in differences(hook, wanted) {
        let text = format!(
            "! {what} is {is}, and ought to be {ought}: `asaf webhook register` corrects it"
        );
        let _ = writeln!(out, "{}", plain(&text));
    }
    if ours.len() > 1 {
        let _ = writeln!(out, "! {}", surplus(ours));
    }
    out
}

fn as_json(ours: &[&Hook], wanted: &HookText, heard: Option<Timestamp>) -> Value {
    let hooks: Vec<Value> = ours
        .iter()
        .map(|hook| {
            let wrong = differences(hook, wanted);
            let wrong: Vec<Value> = wrong
                .iter()
                .map(|one| json!({"what": one.what, "is": one.is, "ought": one.ought}))
                .collect();
            json!({"id": hook.id, "name": hook.name, "url": hook.url, "events": hook.events, "filter": hook.jql,
                "enabled": hook.enabled, "signed": hook.signed, "differs": wrong})
        })
        .collect();
    json!({"registered": hooks, "last_heard": heard})
}
