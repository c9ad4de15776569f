//! How far Jira itself keeps the rule that only reviewers close: known at the start of a run. Where it does not, asaf is
//! advisory: it undoes and tells, but cannot prevent, and every run says so.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::config::{Config, WorkflowKind};
use crate::jobs::workflow::site::{DATA_CENTER, FREE_PLAN, TEAM_MANAGED};
use crate::store::proofs::{Proof, Proofs, Verdict};
use crate::store::{Store, StoreError};
use crate::wire::error::WireError;
use crate::wire::jira::{Deployment, JiraClient};

/// Projects in which asaf is advisory, by key, with the reason.
pub type Advisory = BTreeMap<String, String>;

/// What is known of the projects. A complete run asks Jira of which kind they are, and a run that writes remembers it
/// for those that follow.
///
/// # Errors
/// The store. What Jira does not tell leaves the last knowledge as it is.
pub async fn advisory<S: Store>(
    config: &Config,
    jira: &JiraClient,
    store: &S,
    asks: bool,
    remembers: Option<Timestamp>,
) -> Result<Advisory, StoreError> {
    let keys: Vec<&str> = config.owners.projects().into_iter().collect();
    if config.jira.workflow.kind == WorkflowKind::Advisory {
        let why = "the configuration says so ([jira.workflow] kind = \"advisory\")";
        return Ok(all(&keys, why));
    }
    let mut impossible = None;
    if asks {
        match ask(jira, &keys).await {
            Ok(found) => impossible = Some(found),
            Err(error) => {
                tracing::warn!(%error, "Jira does not tell of which kind the projects are; the last knowledge counts");
            }
        }
    }
    let mut proofs = store.proofs().await?;
    if let Some(found) = &impossible {
        if let Some(at) = remembers {
            remember(store, &proofs, found, at).await?;
        }
        proofs.retain(|proof| !matches!(proof.verdict, Verdict::Impossible { .. }));
    }
    let mut advisory = Advisory::new();
    for proof in proofs {
        if !keys.contains(&proof.project.as_str()) {
            continue;
        }
        let why = match proof.verdict {
            Verdict::Proven | Verdict::Read => continue,
            Verdict::Impossible { why } => why,
            Verdict::Broken { why } => {
                let first = why.into_iter().next().unwrap_or_default();
                let day = proof.at.strftime("%-d %B %Y");
                format!("`asaf workflow verify` found a hole on {day}: {first}")
            }
        };
        advisory.insert(proof.project, why);
    }
    advisory.extend(impossible.unwrap_or_default());
    Ok(advisory)
}

fn all(keys: &[&str], why: &str) -> Advisory {
    keys.iter()
        .map(|key| ((*key).to_owned(), why.to_owned()))
        .collect()
}

/// Projects in which no rule can hold.
async fn ask(jira: &JiraClient, keys: &[&str]) -> Result<Advisory, WireError> {
    if jira.is_free().await? {
        return Ok(all(keys, FREE_PLAN));
    }
    let found = jira.projects(keys).await?;
    let managed = found
        .into_iter()
        .filter(|(_, project)| project.team_managed);
    Ok(managed
        .map(|(key, _)| (key, TEAM_MANAGED.to_owned()))
        .collect())
}

/// Verdicts that follow from what a project is come and go with it; what was proven or broken stays.
async fn remember<S: Proofs>(
    store: &S,
    proofs: &[Proof],
    found: &Advisory,
    at: Timestamp,
) -> Result<(), StoreError> {
    let known: BTreeMap<&str, &str> = proofs
        .iter()
        .filter_map(|proof| match &proof.verdict {
            Verdict::Impossible { why } => Some((proof.project.as_str(), why.as_str())),
            Verdict::Proven | Verdict::Read | Verdict::Broken { .. } => None,
        })
        .collect();
    let gone = known.keys().filter(|key| !found.contains_key(**key));
    let gone: Vec<String> = gone.map(|key| (*key).to_owned()).collect();
    let new = found
        .iter()
        .filter(|(key, why)| known.get(key.as_str()) != Some(&why.as_str()));
    let new: Vec<Proof> = new
        .map(|(key, why)| Proof {
            project: key.clone(),
            at,
            verdict: Verdict::Impossible { why: why.clone() },
        })
        .collect();
    if !gone.is_empty() {
        store.forget_proofs(&gone).await?;
    }
    if !new.is_empty() {
        store.put_proofs(&new).await?;
    }
    Ok(())
}

/// Says it, once for a run.
pub fn log(advisory: &Advisory) {
    for (key, why) in advisory {
        tracing::warn!(
            project.key = key,
            "advisory mode: Jira does not keep product teams from closing: {}",
            crate::talk::plain(why)
        );
    }
}

/// The lines with which a run's output begins.
pub fn text(advisory: &Advisory) -> String {
    let line = |(key, why): (&String, &String)| {
        format!(
            "ADVISORY MODE in {}: nothing in Jira keeps product teams from closing; asaf undoes it and tells security. \
             Why: {}\n",
            crate::talk::plain(key),
            crate::talk::plain(why)
        )
    };
    advisory.iter().map(line).collect()
}

/// Where the API that asaf speaks is not there at all, that is the reason for every error.
pub async fn explained(jira: &JiraClient, error: WireError) -> WireError {
    let WireError::NotFound { what, message } = &error else {
        return error;
    };
    match jira.server().await {
        Ok(server) if server.deployment == Deployment::DataCenter => WireError::Misconfigured {
            what: what.clone(),
            status: 404,
            message: message.clone(),
            fix: format!("Jira {}: {DATA_CENTER}", server.version),
        },
        _ => error,
    }
}
