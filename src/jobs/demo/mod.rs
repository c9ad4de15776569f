//! `asaf demo`: the whole story against the emulators, with nothing configured: a first run, two days of life with a
//! run after each, and a last run that plans nothing.

use std::path::Path;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::cli::{DemoArgs, Exit, Output, TextOrJson};
use crate::clock::Clock;
use crate::config::Config;
use crate::emulators::jira::Role;
use crate::emulators::world::{ENGINE_KEY, Shared, World, audit, seed, serve, story::Day};
use crate::jobs::connect::{Clients, Way, connect};
use crate::jobs::emulate::Folder;
use crate::jobs::reconcile::{Job, Orders, Report, Wish};
use crate::jobs::sync::{Bar, show};
use crate::plan::render;
use crate::store::sqlite::Sqlite;
use crate::talk::{self, Talk};
use crate::wire::aws::Credentials;
use crate::wire::transport::Transport;

struct Demo {
    world: Shared,
    config: Config,
    clients: Clients,
    store: Sqlite,
    talk: Talk,
    quiet: bool,
    /// The address of the emulators' page.
    page: String,
    runs: Vec<Value>,
}

/// Tells the story.
///
/// # Errors
/// When a port or the temporary folder cannot be had, or the engine fails.
pub async fn run(args: &DemoArgs, talk: Talk) -> anyhow::Result<Exit> {
    let folder = Folder::new()?;
    let mut demo = open(args, folder.0.as_path(), talk).await?;
    demo.say(&format!(
        "A world of {} accounts and {} findings is ready.",
        args.accounts, args.findings
    ));
    demo.reconcile("1. The first run: tickets for what fails")
        .await?;
    let day = demo.world.lock().first_day();
    demo.tell("A day passes.", &day);
    demo.reconcile(
        "2. The second run: decisions go back to Security Hub, the illegal close is undone",
    )
    .await?;
    let day = demo.world.lock().second_day();
    demo.tell("Security reviews.", &day);
    demo.reconcile("3. The third run: closes are accepted, what fails again is reopened")
        .await?;
    demo.settle().await?;
    let violations = audit::audit(&demo.world.lock());
    if args.output == TextOrJson::Json {
        let value = json!({
            "findings": args.findings, "accounts": args.accounts, "runs": demo.runs,
            "rss_max_bytes": rss_max_bytes(), "audit": { "violations": violations },
        });
        talk::data(&(serde_json::to_string_pretty(&value)? + "\n"))?;
    } else {
        talk.say(&format!(
            "The audit of everything that happened found {} violations of S1 to S7.",
            violations.len()
        ));
    }
    if !args.once && args.output == TextOrJson::Text {
        demo.say(&format!(
            "The emulators stay up until you stop them (Ctrl-C). Look at them: {}/",
            demo.page
        ));
        tokio::signal::ctrl_c().await?;
    }
    Ok(if violations.is_empty() {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

async fn open(args: &DemoArgs, folder: &Path, talk: Talk) -> anyhow::Result<Demo> {
    let bound = serve::bind(0, 0, 0)
        .await
        .context("cannot listen on 127.0.0.1")?;
    let urls = bound.urls.clone();
    let clock = Clock::manual(Clock::System.now());
    let mut world = World::new(clock.clone(), &urls.jira);
    let accounts = usize::try_from(args.accounts)?;
    seed::fill(
        &mut world,
        accounts,
        usize::try_from(args.findings)?,
        args.seed,
    );
    let bot = world
        .jira
        .user(Role::Bot)
        .cloned()
        .context("the world has no bot")?;
    let token = folder.join("token");
    std::fs::write(&token, &bot.token)?;
    let store_path = folder.join("asaf.sqlite3");
    let text = seed::config_text(
        &urls.aws,
        &urls.jira,
        &bot.email,
        &store_path.to_string_lossy(),
        accounts,
    )
    .replace("env:ASAF_JIRA_TOKEN", &format!("file:{}", token.display()));
    let path = folder.join("asaf.toml");
    let config = Config::parse(&text, &path)?;
    let world = Shared::new(world);
    serve::serve(bound, &world);
    let transport = Transport::network(std::time::Duration::from_secs(60))?;
    let secret = secrecy::SecretString::from("emulated");
    let credentials = Credentials::Fixed {
        key_id: ENGINE_KEY.to_owned(),
        secret: secret.expose_secret().to_owned(),
    };
    let way = Way {
        aws: transport.clone(),
        jira: transport,
        credentials,
    };
    let clients = connect(&config, clock, way).await?;
    let store = Sqlite::open(&store_path)?;
    Ok(Demo {
        world,
        config,
        clients,
        store,
        talk,
        quiet: args.output == TextOrJson::Json,
        page: urls.control,
        runs: Vec::new(),
    })
}

impl Demo {
    fn say(&self, line: &str) {
        if !self.quiet {
            self.talk.say(line);
        }
    }

    fn tell(&self, title: &str, day: &Day) {
        let words = [
            (day.resolved_by_teams, "resolved by product teams"),
            (day.fixed, "of them seen to pass by AWS"),
            (day.closed_by_reviewers, "closed by reviewers"),
            (day.reopened_by_reviewers, "reopened by reviewers"),
            (day.closed_without_right, "closed without the right"),
            (day.suppressed_by_hand, "suppressed by hand in Security Hub"),
            (day.resources_deleted, "resources deleted"),
            (day.failed_again, "failed again"),
        ];
        let words: Vec<String> = words
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} {what}"))
            .collect();
        self.say(&format!("\n{title} {}.", words.join(", ")));
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
        self.clients
            .clock
            .advance(jiff::SignedDuration::from_mins(20));
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
