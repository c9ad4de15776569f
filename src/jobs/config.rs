//! `asaf config`: checks, shows and describes the configuration. It opens no connection.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use crate::cli::{ConfigCommand, Exit, TextOrJson};
use crate::clock::Clock;
use crate::config::{Config, Origin, Setting};
use crate::jobs::connect::chats;
use crate::talk::{self, Talk, plain};
use crate::wire::budget::Budget;
use crate::wire::counts::Counts;
use crate::wire::transport::Transport;

/// Runs one of the three; `path` is the configuration file.
pub fn run(command: &ConfigCommand, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    match command {
        ConfigCommand::Check { skip_secrets } => check(path, *skip_secrets, talk),
        ConfigCommand::Schema => {
            let schema = serde_json::to_string_pretty(&Config::schema())?;
            print(&(schema + "\n"))
        }
        ConfigCommand::Show { output } => show(path, *output),
    }
}

fn check(path: &Path, skip_secrets: bool, talk: Talk) -> anyhow::Result<Exit> {
    let config = Config::load(path)?;
    if !skip_secrets {
        config.jira.token.resolve()?;
        // Making the clients reads their secrets and judges the addresses; nothing is sent.
        let budget = Budget::new(Clock::System);
        chats(
            &config,
            &Transport::network(Duration::from_secs(1))?,
            &budget,
            &Counts::default(),
        )?;
        if let Some(ignore) = &config.ignore {
            ignore
                .token
                .as_ref()
                .map(crate::config::Secret::resolve)
                .transpose()?;
            let key = ignore.app.as_ref().map(|app| &app.private_key);
            key.map(crate::config::Secret::resolve_text).transpose()?;
        }
        config.webhook.resolve()?;
    }
    let rules = config.owners.rules.len();
    let projects = config.owners.projects().len();
    talk.say(&format!(
        "{} is valid: {}, {} in {}, secrets {}.",
        plain(&path.to_string_lossy()),
        plain(&config.jira.url),
        counted(rules, "owner rule"),
        counted(projects, "project"),
        if skip_secrets {
            "not looked at"
        } else {
            "found"
        },
    ));
    Ok(Exit::Ok)
}

fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

fn show(path: &Path, output: TextOrJson) -> anyhow::Result<Exit> {
    let settings = Config::settings(path)?;
    match output {
        TextOrJson::Json => print(&(serde_json::to_string_pretty(&settings)? + "\n")),
        TextOrJson::Text => print(&table(&settings)),
    }
}

/// One line a setting: key, value, origin.
fn table(settings: &[Setting]) -> String {
    let width = |text: fn(&Setting) -> String| {
        let widest = settings.iter().map(|s| text(s).chars().count()).max();
        widest.unwrap_or(0).min(60)
    };
    let value = |setting: &Setting| plain(&setting.value.to_string()).into_owned();
    let (keys, values) = (width(|s| s.key.clone()), width(value));
    let mut text = String::new();
    for setting in settings {
        let origin = match setting.origin {
            Origin::File => "file",
            Origin::Default => "default",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:keys$}  {:values$}  {origin}",
            setting.key,
            value(setting)
        );
    }
    text
}

fn print(text: &str) -> anyhow::Result<Exit> {
    talk::data(text).context("writing to stdout")?;
    Ok(Exit::Ok)
}
