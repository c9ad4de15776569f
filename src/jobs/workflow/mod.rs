//! `asaf workflow`: the ticket workflow as code, from a reviewed file to a rule that was tried.
//!
//! ```text
//! file ─▶ site ─▶ diff ─▶ apply          what Jira should have, has, lacks; and gets
//!         └─▶ proof                      what can be read of it, and what was tried
//! ```

pub mod apply;
pub mod change;
pub mod diff;
pub mod file;
pub mod proof;
pub mod render;
pub mod shape;
pub mod site;

use std::path::Path;

use serde_json::json;

use crate::cli::{Exit, Output, ProjectArgs, WorkflowCommand, WorkflowRelease};
use crate::clock::Clock;
use crate::config::{Config, Login, Reviewers, WorkflowKind};
use crate::jobs::connect::{self, Clients, Way};
use crate::talk::{self, Talk, plain};
use crate::wire::error::WireError;
use crate::wire::jira::admin::JiraAdmin;
use crate::wire::jira::person::Person;
use crate::wire::transport::Transport;

use change::Diff;
use diff::diff;
use file::Wanted;
use site::Site;

/// How often a change that somebody else crossed is begun anew.
const ROUNDS: usize = 3;

/// Everything that the commands work with.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) clients: Clients,
    pub(crate) admin: JiraAdmin,
    jira: Transport,
}

impl Setup {
    /// Reads the configuration and connects, as the engine and as the administrator.
    pub(crate) async fn open(path: &Path) -> anyhow::Result<Self> {
        Self::with(Config::load(path)?, Way::network()?).await
    }

    /// The same for a configuration that was read already.
    pub(crate) async fn with(config: Config, way: Way) -> anyhow::Result<Self> {
        let jira = way.jira.clone();
        let clients = connect::connect(&config, Clock::System, way).await?;
        let admin = connect::admin(&config, jira.clone(), &clients)?;
        Ok(Setup {
            config,
            clients,
            admin,
            jira,
        })
    }

    /// A client of somebody else.
    pub(crate) fn person(&self, login: &Login) -> anyhow::Result<Person> {
        let (budget, counts) = (
            self.clients.budget.clone(),
            self.clients.jira_requests.clone(),
        );
        let (url, token) = (&self.config.jira.url, login.token.resolve()?);
        let person = Person::new(url, &login.email, token, self.jira.clone(), budget, counts)?;
        Ok(person)
    }

    /// The project that exists for trying.
    pub(crate) fn sandbox(&self) -> Option<&str> {
        self.config.jira.verify.as_ref()?.project.as_deref()
    }
}

/// Runs one of the commands.
///
/// # Errors
/// Configuration, credentials, an unreachable site.
pub async fn run(command: &WorkflowCommand, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    match command {
        WorkflowCommand::Show => show(path),
        WorkflowCommand::Diff {
            projects,
            output,
            detailed_exitcode,
        } => {
            let setup = Setup::open(path).await?;
            let Some(wanted) = installed(&setup.config, talk)? else {
                return Ok(Exit::Ok);
            };
            let (_, diff) = match compared(&setup, &wanted, projects).await {
                Ok(compared) => compared,
                Err(error) => return failed(error, talk),
            };
            print(&diff, None, *output)?;
            Ok(match diff.unfit {
                Some(_) => Exit::Failed,
                None if *detailed_exitcode && !diff.is_empty() => Exit::ChangesPending,
                None => Exit::Ok,
            })
        }
        WorkflowCommand::Apply {
            projects,
            allow,
            output,
        } => {
            let setup = Setup::open(path).await?;
            let Some(wanted) = installed(&setup.config, talk)? else {
                return Ok(Exit::Ok);
            };
            let shared = allow.contains(&WorkflowRelease::SharedProject);
            match install(&setup, &wanted, projects, shared, talk).await {
                Ok((diff, applied)) => finish(&diff, &applied, *output, talk),
                Err(error) => failed(error, talk),
            }
        }
        WorkflowCommand::Verify {
            projects,
            read_only,
            output,
        } => {
            let setup = Setup::open(path).await?;
            proof::run(&setup, projects, *read_only, *output, talk).await
        }
    }
}

/// The file that is in use, as it is.
fn show(path: &Path) -> anyhow::Result<Exit> {
    // Without a configuration there is still a built-in file.
    let own = match Config::load(path) {
        Ok(config) => config.jira.workflow.file,
        Err(crate::config::ConfigError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let text = match own {
        Some(file) => crate::config::read_text(&file)?,
        None => file::BUILT_IN.to_owned(),
    };
    talk::data(&text)?;
    Ok(Exit::Ok)
}

/// The workflow to install; `None`, with a sentence, when the configuration says that none of ours is.
fn installed(config: &Config, talk: Talk) -> anyhow::Result<Option<Wanted>> {
    match config.jira.workflow.kind {
        WorkflowKind::Asaf => Ok(Some(wanted(config)?)),
        WorkflowKind::Own => {
            talk.say(
                "The workflow is the site's own ([jira.workflow] kind = \"own\"): nothing is installed. `asaf workflow \
                 verify` proves that it keeps the rule.",
            );
            Ok(None)
        }
        WorkflowKind::Advisory => {
            talk.say(
                "The workflow is advisory ([jira.workflow] kind = \"advisory\"): nothing is installed. asaf undoes \
                 closes of those who may not, and tells security.",
            );
            Ok(None)
        }
    }
}

/// The file with the name that reviewers' role has in the configuration.
pub(crate) fn wanted(config: &Config) -> anyhow::Result<Wanted> {
    let mut wanted = Wanted::load(config.jira.workflow.file.as_deref())?;
    if let Reviewers::Role { role, .. } = &config.jira.reviewers {
        wanted.name_reviewers(role);
    }
    Ok(wanted)
}

/// The projects that are asked for: those of the owners and the one to try in, or some of them.
pub(crate) fn keys<'a>(
    config: &'a Config,
    projects: &'a ProjectArgs,
) -> Result<Vec<&'a str>, Trouble> {
    let known = config.owners.projects();
    if projects.project.is_empty() {
        return Ok(known.into_iter().collect());
    }
    let sandbox = config
        .jira
        .verify
        .as_ref()
        .and_then(|v| v.project.as_deref());
    let unknown = projects
        .project
        .iter()
        .find(|key| !known.contains(key.as_str()) && sandbox != Some(key.as_str()));
    match unknown {
        Some(key) => Err(Trouble::Configuration(format!(
            "no owner has the project {key}: asaf only touches projects that [owners] names ({})",
            known.into_iter().collect::<Vec<_>>().join(", ")
        ))),
        None => Ok(projects.project.iter().map(String::as_str).collect()),
    }
}

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Configuration and site do not fit together.
    #[error("{0}")]
    Configuration(String),
    /// Jira.
    #[error(transparent)]
    Wire(#[from] WireError),
}

async fn compared(
    setup: &Setup,
    wanted: &Wanted,
    projects: &ProjectArgs,
) -> Result<(Site, Diff), Trouble> {
    let keys = keys(&setup.config, projects)?;
    let (admin, engine) = (&setup.admin, &setup.clients.jira);
    let site = site::read(admin, engine, &setup.config, wanted, &keys).await?;
    let diff = diff(&setup.config, wanted, &site).map_err(Trouble::Configuration)?;
    Ok((site, diff))
}

/// Compares and applies; begins anew where somebody else changed the same things meanwhile.
async fn install(
    setup: &Setup,
    wanted: &Wanted,
    projects: &ProjectArgs,
    shared: bool,
    talk: Talk,
) -> Result<(Diff, apply::Applied), Trouble> {
    let mut rounds = 0;
    loop {
        rounds += 1;
        let (site, diff) = compared(setup, wanted, projects).await?;
        if diff.unfit.is_some() || diff.is_empty() {
            return Ok((diff, apply::Applied::default()));
        }
        let bar = talk.progress("projects", diff.projects.len() as u64);
        let applied = apply::apply(&setup.admin, wanted, &site, &diff, shared, &bar).await;
        bar.finish_and_clear();
        match applied {
            Ok(applied) => return Ok((diff, applied)),
            Err(WireError::Refused { status: 409, .. }) if rounds < ROUNDS => {
                talk.say("Somebody else is changing Jira's configuration: it is read again.");
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn print(diff: &Diff, applied: Option<&apply::Applied>, output: Output) -> anyhow::Result<()> {
    let text = match output {
        Output::Text => render::text(diff),
        Output::Markdown => render::markdown(diff),
        Output::Json => {
            let mut value = render::json(diff);
            if let Some(applied) = applied {
                value["applied"] = json!(applied);
            }
            serde_json::to_string_pretty(&value)? + "\n"
        }
    };
    talk::data(&text)?;
    Ok(())
}

fn finish(
    diff: &Diff,
    applied: &apply::Applied,
    output: Output,
    talk: Talk,
) -> anyhow::Result<Exit> {
    print(diff, Some(applied), output)?;
    for (key, why) in &applied.failed {
        talk.error(&plain(&format!("{key}: not changed: {why}")));
    }
    if !applied.held.is_empty() {
        talk.error(&format!(
            "{} not changed: other people's issues are in there (see above)",
            plain(&applied.held.join(", "))
        ));
    }
    if !diff.is_empty() {
        talk.say(&format!(
            "Applied. {} of {} projects follow the file now. `asaf workflow verify` proves it.",
            applied.projects.len(),
            diff.projects.len()
        ));
    }
    Ok(if diff.unfit.is_some() || !applied.failed.is_empty() {
        Exit::Failed
    } else if !applied.held.is_empty() {
        Exit::Blocked
    } else if !diff.left_alone.is_empty() {
        Exit::Quarantined
    } else {
        Exit::Ok
    })
}

/// Wrong credentials and names are configuration.
pub(crate) fn failed(error: Trouble, talk: Talk) -> anyhow::Result<Exit> {
    match error {
        Trouble::Wire(error @ (WireError::Denied { .. } | WireError::Misconfigured { .. })) => {
            talk.error(&plain(&format!("error: {error}")));
            Ok(Exit::Configuration)
        }
        Trouble::Configuration(why) => {
            talk.error(&plain(&format!("error: {why}")));
            Ok(Exit::Configuration)
        }
        Trouble::Wire(error) => Err(error.into()),
    }
}
