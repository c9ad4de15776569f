//! `asaf plan`, `asaf apply`, `asaf reconcile`: the main job from the command line.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use crate::apply::{Failure, Watch};
use crate::cli::{ApplyArgs, Exit, Output, PlanArgs, ReconcileArgs, Release, ScopeArgs};
use crate::clock::Clock;
use crate::config::Config;
use crate::jobs::connect::{Clients, Way, connect};
use crate::jobs::enforcement;
use crate::jobs::reconcile::{Job, Orders, Report, RunError, Wish};
use crate::notify::deliver::Delivered;
use crate::plan::render;
use crate::ports::FindingsReader;
use crate::read::files::{FileFindings, read_paths};
use crate::read::{Keys, Progress};
use crate::store::sqlite::Sqlite;
use crate::talk::{self, Talk, plain};

/// Causes of failures that are said one by one.
const CAUSES_MOST: usize = 20;

/// What `plan --out` keeps: enough to apply exactly this plan, or to refuse.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    digest: String,
    full: bool,
    accounts: Vec<String>,
    findings: Vec<String>,
    tickets: Vec<String>,
}

/// Both sides and the store, as the commands need them.
struct Open {
    config: Config,
    clients: Clients,
    store: Sqlite,
}

async fn open(path: &Path) -> anyhow::Result<Open> {
    let config = Config::load(path)?;
    let clients = connect(&config, Clock::System, Way::network()?).await?;
    let store = Sqlite::open(&config.store.path)?;
    Ok(Open {
        config,
        clients,
        store,
    })
}

/// `asaf plan`.
///
/// # Errors
/// Configuration, credentials, an unreachable side, the store.
pub async fn plan(args: &PlanArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let open = open(path).await?;
    let orders = Orders::default();
    let report = match &args.findings {
        Some(file) => {
            let findings = from_files(file, talk)?;
            run(&open, &findings, &Wish::Full, &orders, talk).await
        }
        None => run(&open, &open.clients.aws, &wish(&args.scope), &orders, talk).await,
    };
    let report = match report {
        Ok(report) => report,
        Err(error) => return failed(error),
    };
    show(&report, args.output)?;
    if let Some(out) = &args.out {
        save(out, &report.digest, &args.scope)?;
        talk.say(&format!(
            "The plan is kept in {}. Apply it with: asaf apply {0}",
            plain(&out.to_string_lossy())
        ));
    }
    Ok(match report.braked {
        Some(_) => Exit::Blocked,
        None if args.detailed_exitcode && !report.plan.is_empty() => Exit::ChangesPending,
        None => Exit::Ok,
    })
}

/// `asaf apply`: the whole of what is due, or exactly a saved plan.
///
/// # Errors
/// As [`plan`].
pub async fn apply(args: &ApplyArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let mut orders = orders(&args.release);
    let mut wish = Wish::Full;
    if let Some(file) = &args.plan {
        let saved = load(file)?;
        wish = saved.wish();
        if orders
            .expect
            .as_ref()
            .is_some_and(|expect| *expect != saved.digest)
        {
            bail!(
                "--expect names another plan than {} holds ({})",
                file.display(),
                saved.digest
            );
        }
        orders.expect = Some(saved.digest);
    }
    let open = open(path).await?;
    finish(
        run(&open, &open.clients.aws, &wish, &orders, talk).await,
        args.output,
        talk,
    )
}

/// `asaf reconcile`: the scheduled job.
///
/// # Errors
/// As [`plan`].
pub async fn reconcile(args: &ReconcileArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let open = open(path).await?;
    let wish = match (args.full, args.incremental) {
        (true, _) => Wish::Full,
        (_, true) => Wish::Incremental,
        _ => Wish::Due,
    };
    finish(
        run(
            &open,
            &open.clients.aws,
            &wish,
            &orders(&args.release),
            talk,
        )
        .await,
        args.output,
        talk,
    )
}

/// Runs a wish and says what came of it; without a release nothing is written.
///
/// # Errors
/// As [`plan`].
pub(crate) async fn run_wish(
    wish: &Wish,
    release: Option<&Release>,
    output: Output,
    path: &Path,
    talk: Talk,
) -> anyhow::Result<Exit> {
    let open = open(path).await?;
    let orders = release.map(orders).unwrap_or_default();
    finish(
        run(&open, &open.clients.aws, wish, &orders, talk).await,
        output,
        talk,
    )
}

fn orders(release: &Release) -> Orders {
    Orders {
        write: true,
        expect: release.expect.clone(),
        allow_removals: !release.allow.is_empty(),
        ..Orders::default()
    }
}

async fn run<F: FindingsReader>(
    open: &Open,
    findings: &F,
    wish: &Wish,
    orders: &Orders,
    talk: Talk,
) -> Result<Report, RunError> {
    let bar = Bar(talk.spinner("reading"));
    let job = Job {
        config: &open.config,
        clients: &open.clients,
        findings,
        store: &open.store,
        progress: &bar,
        watch: &bar,
    };
    let report = job.run(wish, orders).await;
    bar.0.finish_and_clear();
    report
}

/// Progress of both halves on one line of a terminal.
pub(crate) struct Bar(pub(crate) ProgressBar);

impl Progress for Bar {
    fn reading(&self, what: &'static str, done: u64) {
        self.0.set_message(format!("reading: {done} {what}"));
        self.0.tick();
    }
}

impl Watch for Bar {
    fn applied(&self, done: u64, of: u64) {
        self.0
            .set_message(format!("creating tickets: {done} of {of}"));
        self.0.tick();
    }
}

fn finish(report: Result<Report, RunError>, output: Output, talk: Talk) -> anyhow::Result<Exit> {
    let report = match report {
        Ok(report) => report,
        Err(error) => return failed(error),
    };
    show(&report, output)?;
    let Some(applied) = &report.applied else {
        return Ok(Exit::Ok);
    };
    say_failures(&applied.failures, talk);
    if applied.in_doubt > 0 {
        talk.error(&format!(
            "{} tickets may or may not have been created; the next run asks Jira until it is certain",
            applied.in_doubt
        ));
    }
    if let Some(told) = &report.told {
        undelivered(told, talk);
    }
    Ok(if report.braked.is_some() {
        Exit::Blocked
    } else if !applied.failures.is_empty() || applied.in_doubt > 0 {
        Exit::Quarantined
    } else {
        Exit::Ok
    })
}

/// One line for each cause, however many findings it meets.
fn say_failures(failures: &[Failure], talk: Talk) {
    let mut causes: Vec<(&Failure, usize)> = Vec::new();
    for failure in failures {
        match causes
            .iter_mut()
            .find(|(first, _)| first.why == failure.why)
        {
            Some((_, count)) => *count += 1,
            None => causes.push((failure, 1)),
        }
    }
    for (first, count) in causes.iter().take(CAUSES_MOST) {
        let line = match count {
            1 => format!("{}: {} failed: {}", first.subject, first.what, first.why),
            _ => format!("{count} findings: {} failed: {}", first.what, first.why),
        };
        talk.error(&plain(&line));
    }
    let rest: usize = causes
        .iter()
        .skip(CAUSES_MOST)
        .map(|(_, count)| count)
        .sum();
    if rest > 0 {
        talk.error(&format!("and {rest} more failures"));
    }
}

/// Chats that take nothing do not fail a run: what is to be told waits in the store.
fn undelivered(told: &Delivered, talk: Talk) {
    for trouble in &told.troubles {
        talk.error(&plain(trouble));
    }
    if told.waiting > 0 {
        talk.say(&format!("{} messages wait to be told.", told.waiting));
    }
}

/// A moved plan is blocked, wrong credentials are configuration, the rest failed.
fn failed(error: RunError) -> anyhow::Result<Exit> {
    if matches!(error, RunError::Moved { .. }) {
        Talk::default().error(&error.to_string());
        return Ok(Exit::Blocked);
    }
    if error.is_denied() {
        Talk::default().error(&plain(&format!("error: {error}")));
        return Ok(Exit::Configuration);
    }
    Err(error.into())
}

/// Writes a report to stdout.
pub(crate) fn show(report: &Report, output: Output) -> anyhow::Result<()> {
    let text = match output {
        Output::Json => serde_json::to_string_pretty(report)? + "\n",
        Output::Markdown => {
            let advisory: String = enforcement::text(&report.advisory)
                .lines()
                .map(|line| format!("> {}\n", talk::code_span(line)))
                .collect();
            let plan = render::markdown(&report.plan, report.braked, &report.digest);
            format!("{advisory}{plan}\n")
        }
        Output::Text => match &report.applied {
            None => said_first(report) + &render::text(&report.plan, report.braked, &report.digest),
            Some(applied) => format!(
                "{}{}Done ({} run, {:.1} s, {} requests): {}.\n",
                said_first(report),
                render::text(&report.plan, report.braked, &report.digest),
                report.kind,
                report.seconds,
                report.requests.total(),
                render::done(&applied.done),
            ),
        },
    };
    talk::data(&text)?;
    Ok(())
}

/// Where Jira does not keep the rule, and what is paused: it explains what is undone, held, and not even planned.
fn said_first(report: &Report) -> String {
    let line = |pause: &crate::model::Pause| {
        let text = format!("Paused: {} by {}: {}", pause.scope, pause.by, pause.why);
        format!("{}\n", plain(&text))
    };
    let paused: String = report.paused.iter().map(line).collect();
    enforcement::text(&report.advisory) + &paused
}

fn wish(scope: &ScopeArgs) -> Wish {
    let named = !(scope.account.is_empty() && scope.finding.is_empty() && scope.ticket.is_empty());
    if named {
        return Wish::Named(Keys {
            findings: scope.finding.clone(),
            tickets: scope.ticket.clone(),
            accounts: scope.account.clone(),
            ..Keys::default()
        });
    }
    if scope.full { Wish::Full } else { Wish::Due }
}

fn from_files(path: &Path, talk: Talk) -> anyhow::Result<FileFindings> {
    let report = read_paths(&[PathBuf::from(path)]);
    for error in report.errors.iter().take(20) {
        let place = error
            .index
            .map_or(String::new(), |n| format!(" finding {n}"));
        talk.error(&plain(&format!(
            "{}{place}: {} {}",
            error.file, error.field, error.problem
        )));
    }
    if report.findings.is_empty() {
        bail!("{} holds no finding that can be understood", path.display());
    }
    Ok(FileFindings::new(report.findings))
}

fn save(out: &Path, digest: &str, scope: &ScopeArgs) -> anyhow::Result<()> {
    let saved = Saved {
        digest: digest.to_owned(),
        full: wish(scope) == Wish::Full,
        accounts: scope.account.clone(),
        findings: scope.finding.clone(),
        tickets: scope.ticket.clone(),
    };
    let text = serde_json::to_string_pretty(&saved)? + "\n";
    std::fs::write(out, text).with_context(|| format!("cannot keep the plan in {}", out.display()))
}

fn load(file: &Path) -> anyhow::Result<Saved> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the plan {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is no plan that `asaf plan --out` has kept",
            file.display()
        )
    })
}

impl Saved {
    fn wish(&self) -> Wish {
        wish(&ScopeArgs {
            full: self.full,
            account: self.accounts.clone(),
            finding: self.findings.clone(),
            ticket: self.tickets.clone(),
        })
    }
}
