//! `asaf emulate`: serves a world until it is stopped, with a configuration that works against it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::cli::{EmulateArgs, Exit, Switch};
use crate::clock::Clock;
use crate::emulators::jira::Role;
use crate::emulators::slack;
use crate::emulators::world::{ENGINE_KEY, Shared, World, seed, serve, workspace};
use crate::talk::{self, Talk};

/// Findings and tickets' projects; no findings; findings, and a Jira site as Atlassian hands it out.
const WORLDS: [&str; 3] = ["default", "empty", "empty-site"];

/// Serves a world; returns when the process is told to stop.
///
/// # Errors
/// A port that is taken, a file that cannot be written, a world that does not exist.
pub async fn run(args: &EmulateArgs, talk: Talk) -> anyhow::Result<Exit> {
    if !WORLDS.contains(&args.world.as_str()) {
        bail!(
            "there is no world called {}; there are: {}",
            talk::plain(&args.world),
            WORLDS.join(", ")
        );
    }
    let bound = serve::bind(
        args.aws_port,
        args.jira_port,
        args.github_port,
        args.control_port,
    )
    .await
    .context("cannot listen")?;
    let bound = bound
        .slack_at(args.slack_port)
        .await
        .context("cannot listen")?;
    let urls = bound.urls.clone();
    let clock = Clock::Shifted(Arc::new(Mutex::new(jiff::SignedDuration::ZERO)));
    let mut world = if args.world == "empty-site" {
        World::untouched(clock, &urls.jira)
    } else {
        World::new(clock, &urls.jira)
    };
    let accounts = usize::try_from(args.accounts)?;
    let findings = if args.world == "empty" {
        0
    } else {
        usize::try_from(args.findings)?
    };
    seed::fill(&mut world, accounts, findings, args.seed);
    world.set_quotas(args.quotas == Switch::On);
    world.aws.hub.ages_by_itself = true;
    let folder = Folder::new()?;
    let bot = world
        .jira
        .user(Role::Bot)
        .cloned()
        .context("the world has no bot")?;
    world.put_secret(seed::JIRA_SECRET, &bot.token);
    let config = folder.0.join("asaf.toml");
    seed::rules(&mut world, &urls.github);
    let text = seed::config_text(&urls.aws, &urls.jira, &bot.email, "asaf.sqlite3", accounts)
        + &seed::ignore_text(&urls.github);
    let text = workspace::with_slack(&text, &urls.slack)?;
    std::fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;
    let ready = json!({
        "aws": urls.aws, "jira": urls.jira, "slack": urls.slack, "github": urls.github,
        "control": urls.control,
        "queue": world.queue_url(&urls.aws), "users": users(&world), "github_users": github_users(&world),
        "config": config, "env": environment(&world, &urls),
    });
    serve::serve(bound, &Shared::new(world));
    let text = serde_json::to_string(&ready)? + "\n";
    if let Some(file) = &args.ready_file {
        let partly = file.with_extension("part");
        std::fs::write(&partly, &text)
            .with_context(|| format!("cannot write {}", partly.display()))?;
        std::fs::rename(&partly, file)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    talk::data(&text)?;
    talk.say(&format!(
        "The emulators serve until you stop them (Ctrl-C). Look at them: {}/",
        urls.control
    ));
    stopped(args.until_eof).await;
    Ok(Exit::Ok)
}

/// The environment with which the configuration works, and with which `asaf init` writes one.
fn environment(world: &World, urls: &serve::Urls) -> Value {
    let login = |role| {
        world
            .jira
            .user(role)
            .map_or(("", ""), |user| (&*user.email, &*user.token))
    };
    let ((bot, token), (admin, admin_token)) = (login(Role::Bot), login(Role::Admin));
    let github = world.github.user(seed::GITHUB_BOT);
    json!({ "ASAF_JIRA_TOKEN": token, "ASAF_SLACK_TOKEN": slack::TOKEN,
        "ASAF_GITHUB_TOKEN": github.map(|user| user.token.clone()), "ASAF_JIRA_URL": urls.jira, "ASAF_JIRA_EMAIL": bot,
        "ASAF_JIRA_ADMIN_EMAIL": admin, "ASAF_JIRA_ADMIN_TOKEN": admin_token,
        "AWS_ACCESS_KEY_ID": ENGINE_KEY, "AWS_SECRET_ACCESS_KEY": "emulated",
        "AWS_REGION": seed::REGION, "AWS_ENDPOINT_URL": urls.aws })
}

fn users(world: &World) -> Value {
    let roles = [
        ("bot", Role::Bot),
        ("product", Role::Product),
        ("reviewer", Role::Reviewer),
        ("admin", Role::Admin),
    ];
    let users = roles.into_iter().filter_map(|(name, role)| {
        let user = world.jira.user(role)?;
        let value =
            json!({ "email": user.email, "token": user.token, "accountId": user.account_id });
        Some((name.to_owned(), value))
    });
    Value::Object(users.collect())
}

/// Who there is on GitHub, and with which token.
fn github_users(world: &World) -> Value {
    let users = seed::GITHUB_USERS.iter().filter_map(|(login, _)| {
        let user = world.github.user(login)?;
        Some((
            (*login).to_owned(),
            json!({ "token": user.token, "teams": user.teams }),
        ))
    });
    Value::Object(users.collect())
}

async fn stopped(until_eof: bool) {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    let left = async {
        if until_eof {
            stdin_ended().await;
        } else {
            std::future::pending().await
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
        () = left => {}
    }
}

/// A thread of its own reads: it may read for ever, and the end of the process must not wait for it.
async fn stdin_ended() {
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        // An error is an end, too.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        drop(tell);
    });
    let _ = told.await;
}

/// A folder for configuration and store that goes when the process ends.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("asaf-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind in the temporary directory does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
