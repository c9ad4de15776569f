//! `asaf demo`: the dashboard on a year of invented history; and the whole story against the emulators, with nothing
//! configured: a first run, two days of life with a run after each, and a last run that plans nothing. Then the engine
//! serves, and whoever looks acts.

mod emulated;
pub mod history;
mod live;
mod words;
mod year;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::{DemoArgs, Exit, Output, TextOrJson};
use crate::clock::Clock;
use crate::config::Config;
use crate::emulators::slack;
use crate::emulators::world::{ENGINE_KEY, seed, workspace};
use crate::jobs::connect::{Clients, REQUEST_TIMEOUT, Way, connect};
use crate::jobs::digest;
use crate::jobs::emulate::Folder;
use crate::jobs::reconcile::{Job, Orders, Report, Wish};
use crate::jobs::sync::{Bar, show};
use crate::jobs::tell::deliver;
use crate::plan::render;
use crate::store::sqlite::Sqlite;
use crate::talk::{self, Talk};
use crate::wire::aws::Credentials;
use crate::wire::transport::Transport;

use emulated::Emulated;
use year::Year;

/// The engine, and the world around it.
struct Demo<'a> {
    emulated: &'a Emulated,
    config: Config,
    clients: Clients,
    store: Sqlite,
    talk: Talk,
    quiet: bool,
    runs: Vec<Value>,
}

/// Shows the year and tells the story; then serves, unless it was to be told once.
///
/// # Errors
/// When a port or the temporary folder cannot be had, the engine fails, or it is stopped before the story is told.
pub async fn run(args: &DemoArgs, talk: Talk) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.history {
        history::run(folder, args.seed, Clock::System.now(), talk).await?;
        return Ok(Exit::Ok);
    }
    if args.year {
        year::run(args.seed, talk).await?;
        return Ok(Exit::Ok);
    }
    // Whenever it is stopped, the folder and the emulators go with it.
    let stopped = year::stopped()?;
    let folder = Folder::new()?;
    let stays = !args.once && args.output == TextOrJson::Text;
    let year = match stays {
        true => Some(Year::open(&folder.0, args.seed).await?),
        false => None,
    };
    if let Some(year) = &year {
        talk.say(&format!("{}\n", year.says()));
    }
    let clock = Clock::Shifted(std::sync::Arc::default());
    let emulated = Emulated::start(args, &folder.0, clock.clone()).await?;
    let way = Way {
        aws: Transport::network(REQUEST_TIMEOUT)?,
        jira: Transport::network(REQUEST_TIMEOUT)?,
        chat: Transport::network(REQUEST_TIMEOUT)?,
        github: Transport::network(REQUEST_TIMEOUT)?,
        credentials: Credentials::Fixed {
            key_id: ENGINE_KEY.to_owned(),
            secret: "emulated".to_owned(),
        },
    };
    let config = Config::load(&configure(args, &emulated, &folder.0)?)?;
    let clients = connect(&config, clock.clone(), way.clone()).await?;
    let demo = Demo {
        emulated: &emulated,
        store: Sqlite::open(&config.store.path)?,
        config,
        clients,
        talk,
        quiet: args.output == TextOrJson::Json,
        runs: Vec::new(),
    };
    let exit = tokio::select! {
        told = demo.story(args) => told?,
        () = stopped => anyhow::bail!("stopped before the story was told"),
    };
    if let Some(year) = year {
        talk.say(&format!("\n{}", year.says()));
        live::serve(&emulated, &folder.0, way, clock, talk).await?;
        year.close().await;
    }
    Ok(exit)
}

/// Writes a configuration that works against the emulators, and its secrets.
fn configure(args: &DemoArgs, emulated: &Emulated, folder: &Path) -> anyhow::Result<PathBuf> {
    let bot = emulated.user("bot")?;
    let ready = &emulated.ready;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        anyhow::Ok(path)
    };
    write("token", &bot.token)?;
    write("slack-token", slack::TOKEN)?;
    write(live::SECRET, &uuid::Uuid::now_v7().simple().to_string())?;
    let accounts = usize::try_from(args.accounts)?;
    let sides = seed::config_text(
        &ready.aws,
        &ready.jira,
        &bot.email,
        "asaf.sqlite3",
        accounts,
    );
    let sides = workspace::with_slack(&sides, &ready.slack)?
        .replace("env:ASAF_JIRA_TOKEN", "file:token")
        .replace("env:ASAF_SLACK_TOKEN", "file:slack-token");
    let text = format!(
        "{sides}\n[serve]\nlisten = \"127.0.0.1:0\"\n\n[dashboard]\nlocal = \"reviewer\"\n\n[webhook]\nsecrets = [\"file:{}\"]\n\n[queue]\nurl = \"{}\"\n",
        live::SECRET,
        ready.queue,
    );
    write("asaf.toml", &text)
}

impl Demo<'_> {
    /// A first run, two days with a run after each, and runs until nothing is left to do.
    async fn story(mut self, args: &DemoArgs) -> anyhow::Result<Exit> {
        self.say(&format!(
            "A world of {} accounts and {} findings is ready.",
            args.accounts, args.findings
        ));
        self.reconcile("1. The first run: tickets for what fails")
            .await?;
        self.day("A day passes.", "first_day").await?;
        self.reconcile(
            "2. The second run: decisions go back to Security Hub, the illegal close is undone",
        )
        .await?;
        self.day("Security reviews.", "second_day").await?;
        self.reconcile("3. The third run: closes are accepted, what fails again is reopened")
            .await?;
        self.settle().await?;
        self.digests().await?;
        let audit = self.emulated.ask("/audit").await?;
        let count = audit["violations"].as_array().map_or(0, Vec::len);
        if self.quiet {
            let value = json!({
                "findings": args.findings, "accounts": args.accounts, "runs": self.runs,
                "rss_max_bytes": rss_max_bytes(), "audit": audit,
            });
            talk::data(&(serde_json::to_string_pretty(&value)? + "\n"))?;
        }
        self.say(&format!(
            "The audit of everything that happened found {count} violations of S1 to S7."
        ));
        Ok(if count == 0 { Exit::Ok } else { Exit::Failed })
    }

    fn say(&self, line: &str) {
        if !self.quiet {
            self.talk.say(line);
        }
    }

    async fn day(&self, title: &str, verb: &str) -> anyhow::Result<()> {
        let entries = self.emulated.happen(verb).await?;
        self.say(&format!("\n{title} {}.", words::day(&entries)));
        Ok(())
    }

    /// Plans, shows, then applies.
    async fn reconcile(&mut self, title: &str) -> anyhow::Result<Report> {
        self.say(&format!("\n{title}"));
        let report = self
            .once(&Orders {
                write: true,
                ..Orders::default()
            })
            .await?;
        if !self.quiet {
            show(&report, Output::Text)?;
        }
        self.runs.push(figures(&report));
        self.emulated.advance(20).await?;
        Ok(report)
    }

    async fn once(&self, orders: &Orders) -> anyhow::Result<Report> {
        let bar = Bar(self.talk.spinner("reading"));
        let job = Job {
            config: &self.config,
            clients: &self.clients,
            findings: &self.clients.aws,
            store: &self.store,
            progress: &bar,
            watch: &bar,
        };
        let report = job.run(&Wish::Full, orders).await;
        bar.0.finish_and_clear();
        Ok(report?)
    }

    /// Runs until nothing is planned: at most a few times, because a step such as “verified” follows another.
    async fn settle(&mut self) -> anyhow::Result<()> {
        for round in 1..=4 {
            let report = self
                .reconcile(&format!("{}. Another run", round + 3))
                .await?;
            let sum = report
                .applied
                .map(|applied| applied.done)
                .unwrap_or_default();
            if sum == crate::plan::Summary::default() {
                return Ok(());
            }
        }
        anyhow::bail!("the runs did not come to rest")
    }

    /// What each channel would read on its Monday.
    async fn digests(&self) -> anyhow::Result<()> {
        self.say("\nThe weekly digests");
        let now = self.clients.clock.now();
        let made = digest::send(&self.config, &self.store, &[], false, now).await?;
        let told = deliver(&self.config, &self.clients, &self.store).await?;
        self.say(&format!(
            "{made} digests, for each team and for security; {} messages sent to Slack, {} wait.",
            told.sent, told.waiting
        ));
        Ok(())
    }
}

fn figures(report: &Report) -> Value {
    let done = report
        .applied
        .as_ref()
        .map(|applied| applied.done)
        .unwrap_or_default();
    json!({
        "created": done.created, "reopened": done.reopened, "resolved": done.resolved, "closed": done.closed,
        "deleted": done.deleted, "reverted": done.reverted, "ignored": done.ignored,
        "updated": done.updated + done.status_only, "held": report.plan.held.len(), "seconds": report.seconds,
        "requests": report.requests, "floor": report.floor,
        "braked": report.braked, "summary": render::counts(&done),
        "failures": report.applied.as_ref().map(|applied| &applied.failures),
    })
}

/// The largest resident set of this process so far (Linux: `VmHWM` of `/proc/self/status`); 0 elsewhere.
fn rss_max_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| {
        line.trim()
            .trim_end_matches("kB")
            .trim()
            .parse::<u64>()
            .ok()
    });
    kb.unwrap_or(0) * 1024
}
