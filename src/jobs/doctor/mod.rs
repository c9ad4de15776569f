//! `asaf doctor`: named checks of everything that asaf needs, in the order in which they depend on each other. Each says
//! what it found and how to correct it; one that needs what has failed is skipped. It writes nothing but a mark in the
//! store.
//!
//! ```text
//! config ─▶ store, secrets ─▶ AWS ─▶ coverage, Config, queue
//!                          ├▶ Jira ─▶ projects, fields, people ─▶ workflow, webhook
//!                          └▶ ignore rules, chats
//! ```

mod aws;
mod chat;
mod coverage;
mod here;
pub mod iam;
mod inventory;
mod jira;
mod people;
mod projects;
mod queue;
pub mod report;
mod rules;
mod subject;
mod webhook;
mod workflow;

use std::path::Path;

use futures_util::future::LocalBoxFuture;

use crate::cli::{DoctorArgs, Exit, TextOrJson};
use crate::config::{Config, ConfigError};
use crate::talk::{self, Talk};

use report::{Found, Report, State};
use subject::Subject;

/// One check.
struct Check {
    name: &'static str,
    /// Checks without which this one can say nothing.
    needs: &'static [&'static str],
    look: for<'a> fn(&'a Subject) -> LocalBoxFuture<'a, Found>,
}

/// A failure of these is a matter of configuration or credentials.
const CREDENTIALS: [&str; 4] = ["config", "secrets", "aws.identity", "jira.login"];

/// All checks but the first, which has no subject yet, in order.
#[rustfmt::skip]
const CHECKS: &[Check] = &[
    Check { name: "version", needs: &["config"], look: |it| Box::pin(here::version(it)) },
    Check { name: "store", needs: &["version"], look: |it| Box::pin(here::store(it)) },
    Check { name: "secrets", needs: &["config"], look: |it| Box::pin(here::secrets(it)) },
    Check { name: "aws.identity", needs: &["config"], look: |it| Box::pin(aws::identity(it)) },
    Check { name: "aws.security_hub", needs: &["aws.identity"], look: |it| Box::pin(aws::security_hub(it)) },
    Check { name: "aws.home_region", needs: &["aws.security_hub"], look: |it| Box::pin(aws::home_region(it)) },
    Check { name: "aws.read", needs: &["aws.security_hub"], look: |it| Box::pin(aws::read(it)) },
    Check { name: "aws.write", needs: &["aws.security_hub"], look: |it| Box::pin(aws::write(it)) },
    Check { name: "aws.least_privilege", needs: &["aws.write"], look: |it| Box::pin(aws::least_privilege(it)) },
    Check { name: "aws.accounts", needs: &["aws.identity"], look: |it| Box::pin(coverage::accounts(it)) },
    Check { name: "aws.members", needs: &["aws.security_hub", "aws.accounts"], look: |it| Box::pin(coverage::members(it)) },
    Check { name: "aws.regions", needs: &["aws.home_region"], look: |it| Box::pin(coverage::regions(it)) },
    Check { name: "aws.units", needs: &["aws.accounts"], look: |it| Box::pin(coverage::units(it)) },
    Check { name: "aws.config", needs: &["aws.identity"], look: |it| Box::pin(inventory::aggregator(it)) },
    Check { name: "aws.config_sources", needs: &["aws.config"], look: |it| Box::pin(inventory::sources(it)) },
    Check { name: "aws.member_role", needs: &["aws.accounts"], look: |it| Box::pin(inventory::member_role(it)) },
    Check { name: "queue", needs: &["aws.identity"], look: |it| Box::pin(queue::reachable(it)) },
    Check { name: "queue.policy", needs: &["queue"], look: |it| Box::pin(queue::policy(it)) },
    Check { name: "queue.dead_letters", needs: &["queue"], look: |it| Box::pin(queue::dead_letters(it)) },
    Check { name: "jira.site", needs: &["secrets"], look: |it| Box::pin(jira::site(it)) },
    Check { name: "clock", needs: &["jira.site"], look: |it| Box::pin(here::clock(it)) },
    Check { name: "jira.login", needs: &["jira.site"], look: |it| Box::pin(jira::login(it)) },
    Check { name: "jira.token", needs: &["jira.login"], look: |it| Box::pin(jira::token(it)) },
    Check { name: "jira.statuses", needs: &["jira.login"], look: |it| Box::pin(jira::statuses(it)) },
    Check { name: "jira.projects", needs: &["jira.login"], look: |it| Box::pin(projects::projects(it)) },
    Check { name: "jira.fields", needs: &["jira.login"], look: |it| Box::pin(projects::fields(it)) },
    Check { name: "jira.bulk_change", needs: &["jira.login"], look: |it| Box::pin(jira::bulk_change(it)) },
    Check { name: "jira.reviewers", needs: &["jira.login"], look: |it| Box::pin(people::reviewers(it)) },
    Check { name: "jira.workflow", needs: &["jira.login"], look: |it| Box::pin(workflow::shape(it)) },
    Check { name: "jira.restriction", needs: &["jira.login"], look: |it| Box::pin(workflow::restriction(it)) },
    Check { name: "webhook.secret", needs: &["config"], look: |it| Box::pin(webhook::secret(it)) },
    Check { name: "webhook.registered", needs: &["webhook.secret", "jira.login"], look: |it| Box::pin(webhook::registered(it)) },
    Check { name: "webhook.heard", needs: &["webhook.secret", "store"], look: |it| Box::pin(webhook::heard(it)) },
    Check { name: "ignore", needs: &["secrets", "store"], look: |it| Box::pin(rules::readable(it)) },
    Check { name: "slack", needs: &["secrets"], look: |it| Box::pin(chat::slack(it)) },
];

/// `asaf doctor`.
///
/// # Errors
/// What keeps anything from being checked at all; what a check finds is no error.
pub async fn run(args: &DoctorArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    if let Some(which) = args.print_iam {
        return iam::print(which, path, talk);
    }
    let report = examine(path, args.every_account, talk).await?;
    let text = match args.output {
        TextOrJson::Text => report.text(),
        TextOrJson::Json => serde_json::to_string_pretty(&report)? + "\n",
    };
    talk::data(&text)?;
    Ok(exit(&report))
}

/// Runs all checks.
///
/// # Errors
/// The TLS stack cannot be set up.
pub async fn examine(path: &Path, every_account: bool, talk: Talk) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let subject = match Config::load(path) {
        Ok(config) => {
            let projects = config.owners.projects().len();
            report.add(
                "config",
                Found::well(format!(
                    "{} is valid; {projects} Jira projects",
                    path.display()
                )),
            );
            Some(Subject::of(config, every_account).await?)
        }
        Err(error) => {
            report.add("config", unreadable(&error));
            None
        }
    };
    let bar = talk.progress("checks", CHECKS.len() as u64);
    for check in CHECKS {
        bar.set_message(check.name);
        let found = match (&subject, report.lacking(check.needs)) {
            (Some(subject), None) => (check.look)(subject).await,
            (_, Some((lacking, State::Off))) => Found::off(format!("see {lacking}")),
            (_, Some((lacking, _))) => Found::skipped(lacking),
            (None, None) => Found::skipped("config"),
        };
        report.add(check.name, found);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(report)
}

fn unreadable(error: &ConfigError) -> Found {
    let fix = match error {
        ConfigError::Missing { .. } => "`asaf init` writes one; --config FILE names another",
        _ => "correct the file where it points; `asaf config schema` describes every key",
    };
    Found::wrong(error.to_string(), fix)
}

fn exit(report: &Report) -> Exit {
    let mut failed = report.failed();
    match failed.next() {
        None => Exit::Ok,
        Some(first) if CREDENTIALS.contains(&first) => Exit::Configuration,
        Some(_) if failed.any(|name| CREDENTIALS.contains(&name)) => Exit::Configuration,
        Some(_) => Exit::Failed,
    }
}

/// A list that a person reads: the first few, and how many more.
fn some<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 8;
    let names: Vec<&str> = names.into_iter().collect();
    match names.len().checked_sub(MOST).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", names[..MOST].join(", ")),
        None => names.join(", "),
    }
}

impl State {
    /// What depends on it can be checked.
    fn carries(self) -> bool {
        matches!(self, State::Ok | State::Warning)
    }
}
