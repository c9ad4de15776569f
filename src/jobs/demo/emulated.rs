//! The emulated world in a process of its own: what the engine needs is then the engine's alone. It is driven through
//! its control port and Jira's API, as anybody could; this file knows nothing of the story.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::DemoArgs;
use crate::clock::Clock;

/// How often it is looked whether the emulators answer, or have ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the emulators may take to end before they are ended.
const END_WITHIN: Duration = Duration::from_secs(2);
/// A large world may take a while to live through a day.
const ANSWER_WITHIN: Duration = Duration::from_mins(5);

/// A world that lives as long as this value.
pub(super) struct Emulated {
    process: Child,
    client: reqwest::Client,
    /// The engine's clock: it runs with the world's.
    clock: Clock,
    pub(super) ready: Ready,
}

/// What `asaf emulate` says when every address answers.
#[derive(Deserialize)]
pub(super) struct Ready {
    pub(super) aws: String,
    pub(super) jira: String,
    pub(super) slack: String,
    /// The control port, and the page for people.
    pub(super) control: String,
    pub(super) queue: String,
    users: BTreeMap<String, User>,
}

/// A user of the Jira site.
#[derive(Clone, Deserialize)]
pub(super) struct User {
    pub(super) email: String,
    pub(super) token: String,
}

impl Emulated {
    /// Starts the emulators and waits until they answer.
    pub(super) async fn start(
        args: &DemoArgs,
        folder: &Path,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let file = folder.join("ready.json");
        let program = std::env::current_exe().context("cannot find the program itself")?;
        let mut process = Command::new(program)
            .args(["--quiet", "emulate", "--quotas", "off", "--until-eof"])
            .args(["--accounts", &args.accounts.to_string()])
            .args(["--findings", &args.findings.to_string()])
            .args(["--seed", &args.seed.to_string(), "--ready-file"])
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // Ctrl-C is for the engine, which ends first.
            .process_group(0)
            .spawn()
            .context("cannot start the emulators")?;
        let ready = loop {
            if let Ok(text) = std::fs::read(&file) {
                break serde_json::from_slice(&text)?;
            }
            if let Some(status) = process.try_wait()? {
                bail!("the emulators did not start: {status}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_WITHIN)
            .build()?;
        Ok(Emulated {
            process,
            client,
            clock,
            ready,
        })
    }

    /// A user of the site: `bot`, `product`, `reviewer` or `admin`.
    pub(super) fn user(&self, role: &str) -> anyhow::Result<&User> {
        let user = self.ready.users.get(role);
        user.with_context(|| format!("the site has no user {role}"))
    }

    /// Asks the control port.
    pub(super) async fn ask(&self, path: &str) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.ready.control);
        answer(self.client.get(&url), &url).await
    }

    /// Makes something happen; returns the journal's new entries.
    pub(super) async fn happen(&self, verb: &str) -> anyhow::Result<Vec<Value>> {
        let url = format!("{}/world", self.ready.control);
        let body = json!({ "do": verb });
        let mut done = answer(self.client.post(&url).json(&body), &url).await?;
        self.follow(&done)?;
        match done["entries"].take() {
            Value::Array(entries) => Ok(entries),
            _ => bail!("{url} answered without entries"),
        }
    }

    /// Lets time pass on both sides.
    pub(super) async fn advance(&self, minutes: u32) -> anyhow::Result<()> {
        let url = format!("{}/advance", self.ready.control);
        let body = json!({ "by": format!("{minutes}m") });
        let done = answer(self.client.post(&url).json(&body), &url).await?;
        self.follow(&done)
    }

    /// Skips with the engine's clock what the world's has skipped. Both run by the machine's clock besides, and worlds
    /// skip whole seconds.
    fn follow(&self, done: &Value) -> anyhow::Result<()> {
        let at: jiff::Timestamp = serde_json::from_value(done["at"].clone())?;
        let skipped = at.duration_since(self.clock.now()) + SignedDuration::from_millis(500);
        if skipped.as_secs() > 0 {
            self.clock
                .advance(SignedDuration::from_secs(skipped.as_secs()));
        }
        Ok(())
    }

    /// Jira's administrator has the site tell the engine of changes.
    pub(super) async fn register_webhook(&self, to: &str, secret: &str) -> anyhow::Result<()> {
        let url = format!("{}/rest/webhooks/1.0/webhook", self.ready.jira);
        let admin = self.user("admin")?;
        let events = [
            "jira:issue_created",
            "jira:issue_updated",
            "jira:issue_deleted",
            "comment_created",
        ];
        let body = json!({ "name": "asaf", "url": to, "secret": secret, "events": events, "excludeBody": false,
            "filters": { "issue-related-events-section": "labels = asaf" } });
        let request = self.client.post(&url).json(&body);
        answer(request.basic_auth(&admin.email, Some(&admin.token)), &url).await?;
        Ok(())
    }
}

async fn answer(request: reqwest::RequestBuilder, url: &str) -> anyhow::Result<Value> {
    let asked = || format!("the emulators do not answer at {url}");
    let answer = request.send().await.with_context(asked)?;
    let status = answer.status();
    let body: Value = answer.json().await.with_context(asked)?;
    if !status.is_success() {
        bail!("{url} answered {status}: {body}");
    }
    Ok(body)
}

impl Drop for Emulated {
    fn drop(&mut self) {
        // The end of its standard input asks it to end; whatever goes wrong here, it must not outlive us.
        drop(self.process.stdin.take());
        let rounds = END_WITHIN.as_millis() / LOOK_EVERY.as_millis();
        for _ in 0..rounds {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
