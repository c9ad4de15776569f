//! `asaf workflow verify`: proves the rule instead of believing the configuration.
//!
//! ```text
//! places: what each project has ─▶ rules: what can be read of it ┐
//!                              └─▶ trial: what was tried in it   ┴▶ table, exit code, verdicts for the engine
//! ```

mod moves;
mod passing;
mod places;
mod rules;
mod table;
mod trial;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::{Exit, Output, ProjectArgs};
use crate::config::{ConfigError, Login, Verify, WorkflowKind};
use crate::store::proofs::{Proof, Proofs as _, Verdict};
use crate::store::sqlite::Sqlite;
use crate::talk::{self, Talk, plain};
use crate::wire::jira::person::Person;

use super::{Setup, Trouble};
pub(crate) use places::Places;

/// What ought to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Must {
    /// Jira says no.
    BeRefused,
    /// Jira says yes.
    BeAllowed,
}

/// How it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Workflow, permissions and holders say so.
    Read,
    /// Somebody did it.
    Tried,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "sentence")]
pub enum Outcome {
    /// As it must be.
    Holds,
    /// Not as it must be: what a security engineer has to know, and what to do.
    Broken(String),
    /// It could not be found out.
    Unknown(String),
}

/// One line of the proof.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Row {
    /// The project's key.
    pub project: String,
    /// Who.
    pub who: &'static str,
    /// Does what.
    pub does: String,
    /// What ought to happen.
    pub must: Must,
    /// How it is known.
    pub how: How,
    /// What was found.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Everything that was found.
#[derive(Debug, Default, Serialize)]
pub struct Proven {
    /// Line by line.
    pub rows: Vec<Row>,
    /// Projects for which there can be no rule, with the reason.
    pub impossible: BTreeMap<String, String>,
    /// For each project, the project in which was tried in its place: the same workflow and permissions.
    pub tried_in: BTreeMap<String, String>,
}

impl Proven {
    /// The verdict on each project, for the engine.
    pub fn verdicts(&self, keys: &[&str], at: Timestamp) -> Vec<Proof> {
        let verdict = |key: &str| {
            if let Some(why) = self.impossible.get(key) {
                let why = why.clone();
                return Verdict::Impossible { why };
            }
            let stands_for = self.tried_in.get(key).map(String::as_str);
            let concerns = |row: &&Row| {
                row.project == key || (row.how == How::Tried && stands_for == Some(&row.project))
            };
            let rows: Vec<&Row> = self.rows.iter().filter(concerns).collect();
            let broken = rows.iter().filter_map(|row| match &row.outcome {
                Outcome::Broken(why) => Some(why.clone()),
                Outcome::Holds | Outcome::Unknown(_) => None,
            });
            let why: BTreeSet<String> = broken.collect();
            let sure = rows.iter().all(|row| row.outcome == Outcome::Holds);
            let tried = rows.iter().any(|row| row.how == How::Tried);
            match (why.is_empty(), sure && tried) {
                (false, _) => Verdict::Broken {
                    why: why.into_iter().collect(),
                },
                (true, true) => Verdict::Proven,
                (true, false) => Verdict::Read,
            }
        };
        keys.iter()
            .map(|key| Proof {
                project: (*key).to_owned(),
                at,
                verdict: verdict(key),
            })
            .collect()
    }

    /// Something is not as it must be.
    pub fn is_broken(&self) -> bool {
        let broken = |row: &Row| matches!(row.outcome, Outcome::Broken(_));
        self.rows.iter().any(broken) || !self.impossible.is_empty()
    }

    /// Something could not be found out.
    pub fn is_unsure(&self) -> bool {
        let unknown = |row: &Row| matches!(row.outcome, Outcome::Unknown(_));
        self.rows.iter().any(unknown)
    }
}

/// Those with whom is tried.
pub(crate) struct Cast {
    pub(super) bot: Person,
    pub(super) admin: Person,
    pub(super) product: Person,
    pub(super) reviewer: Person,
}

/// `asaf workflow verify`.
///
/// # Errors
/// Configuration, credentials, an unreachable site.
pub(super) async fn run(
    setup: &Setup,
    projects: &ProjectArgs,
    read_only: bool,
    output: Output,
    talk: Talk,
) -> anyhow::Result<Exit> {
    let cast = if read_only { None } else { Some(cast(setup)?) };
    match prove(setup, projects, cast.as_ref(), talk).await {
        Ok((proven, keys)) => {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            remember(setup, &proven, &keys, talk).await;
            let text = match output {
                Output::Text => table::text(&proven),
                Output::Markdown => table::markdown(&proven),
                Output::Json => serde_json::to_string_pretty(&proven)? + "\n",
            };
            talk::data(&text)?;
            if setup.config.jira.workflow.kind == WorkflowKind::Advisory {
                talk.say("Advisory mode: asaf undoes what the workflow lets through, and tells security.");
            }
            if read_only {
                talk.say("Nothing was tried: this is what the configuration says. Without --read-only it is proven.");
            }
            Ok(if proven.is_broken() || proven.is_unsure() {
                Exit::Failed
            } else {
                Exit::Ok
            })
        }
        Err(trouble) => super::failed(trouble, talk),
    }
}

/// The test users of the configuration.
fn cast(setup: &Setup) -> anyhow::Result<Cast> {
    let config = &setup.config;
    let (Some(verify), Some(admin)) = (&config.jira.verify, &config.jira.admin) else {
        return Err(ConfigError::Lacking {
            what: "test users",
            help: "add [jira.verify.product] and [jira.verify.reviewer] with email and token: what must be refused is tried \
                   as them. Or believe what can be read: asaf workflow verify --read-only",
        }
        .into());
    };
    let Verify {
        product,
        reviewer,
        project: _,
    } = verify;
    let bot = Login {
        email: config.jira.email.clone(),
        token: config.jira.token.clone(),
    };
    Ok(Cast {
        bot: setup.person(&bot)?,
        admin: setup.person(admin)?,
        product: setup.person(product)?,
        reviewer: setup.person(reviewer)?,
    })
}

/// Reads every project, and tries in one of each kind.
pub(crate) async fn prove(
    setup: &Setup,
    projects: &ProjectArgs,
    cast: Option<&Cast>,
    talk: Talk,
) -> Result<(Proven, Vec<String>), Trouble> {
    let sandbox = setup.sandbox();
    let keys = super::keys(&setup.config, projects)?;
    let places = Places::read(setup, &keys).await?;
    let keys = keys.into_iter().map(str::to_owned).collect();
    let mut proven = Proven {
        impossible: places.left_alone.clone(),
        ..Proven::default()
    };
    for place in places.all.values() {
        proven.rows.extend(rules::rows(place, &places));
    }
    if let Some(cast) = cast {
        let chosen = places.chosen(sandbox);
        let bar = talk.progress("projects", chosen.len() as u64);
        for (key, for_these) in chosen {
            if let Some(place) = places.all.get(&key) {
                let rows = trial::run(setup, cast, place, &places).await?;
                proven.rows.extend(rows);
            }
            for other in for_these {
                proven.tried_in.insert(other, key.clone());
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
    }
    Ok((proven, keys))
}

/// Keeps the verdicts for the engine. Where there is no store to keep them in, that is said, and nothing else fails.
async fn remember(setup: &Setup, proven: &Proven, keys: &[&str], talk: Talk) {
    let now = setup.clients.clock.now();
    let kept = match Sqlite::open_beside(&setup.config.store.path) {
        Ok(store) => store.put_proofs(&proven.verdicts(keys, now)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = kept {
        talk.error(&plain(&format!(
            "The verdict is not kept for the engine: {error}"
        )));
    }
}
