//! The rule that only reviewers close: whether Jira follows the file, and whether it was ever tried.

use crate::cli::ProjectArgs;
use crate::config::WorkflowKind;
use crate::jobs::workflow::proof::{self, Outcome};
use crate::jobs::workflow::{Setup, Trouble, diff, render, site, wanted};
use crate::store::proofs::{Proofs as _, Verdict};
use crate::talk::{Loudness, Talk};

use super::report::{Found, Problem};
use super::some;
use super::subject::Subject;

const NO_ADMIN: &str = "no [jira.admin]: what Jira has cannot be read";

/// The administrator's side, or why there is none.
fn setup(subject: &Subject) -> Result<&Setup, Found> {
    match &subject.setup {
        None => Err(Found::off(NO_ADMIN)),
        Some(Ok(setup)) => Ok(setup),
        Some(Err(error)) => Err(Found::warning(format!("{error:#}"), "see `secrets`")),
    }
}

fn trouble(trouble: Trouble) -> Found {
    match trouble {
        Trouble::Configuration(why) => Found::wrong(why, "correct the configuration, or Jira"),
        Trouble::Wire(error) => Found::refused(&error),
    }
}

pub(super) async fn shape(subject: &Subject) -> Found {
    match subject.config.jira.workflow.kind {
        WorkflowKind::Advisory => {
            return Found::warning(
                "advisory mode: nothing in Jira keeps product teams from closing; asaf undoes it and tells security",
                "install the workflow: remove kind = \"advisory\" from [jira.workflow], then `asaf workflow apply`",
            );
        }
        WorkflowKind::Own => {
            return Found::well("the site's own workflow, mapped by [jira.statuses]");
        }
        WorkflowKind::Asaf => {}
    }
    let setup = match setup(subject) {
        Ok(setup) => setup,
        Err(found) => return found,
    };
    let wanted = match wanted(&setup.config) {
        Ok(wanted) => wanted,
        Err(error) => return Found::wrong(format!("{error:#}"), "correct the workflow file"),
    };
    let keys = subject.keys();
    let read = site::read(
        &setup.admin,
        &setup.clients.jira,
        &setup.config,
        &wanted,
        &keys,
    )
    .await;
    let site = match read {
        Ok(site) => site,
        Err(error) => return Found::refused(&error),
    };
    let diff = match diff::diff(&setup.config, &wanted, &site) {
        Ok(diff) => diff,
        Err(why) => return trouble(Trouble::Configuration(why)),
    };
    if let Some(why) = &diff.unfit {
        return Found::wrong(
            why,
            "or accept advisory mode: [jira.workflow] kind = \"advisory\"",
        );
    }
    let mut problems: Vec<Problem> = diff
        .left_alone
        .iter()
        .map(|(key, why)| Problem::wrong(format!("{key}: {why}"), "then `asaf workflow apply`"))
        .collect();
    problems.extend(
        diff.notes
            .iter()
            .map(|note| Problem::warning(note, "then `asaf workflow apply`")),
    );
    if !diff.is_empty() {
        problems.push(Problem::wrong(
            render::summary(&diff),
            "`asaf workflow diff` shows it side by side, `asaf workflow apply` corrects it",
        ));
    }
    let says = if problems.is_empty() {
        format!("Jira follows the file in {} projects", diff.in_step)
    } else {
        String::new()
    };
    Found::of(says, problems)
}

pub(super) async fn restriction(subject: &Subject) -> Found {
    if subject.config.jira.workflow.kind == WorkflowKind::Advisory {
        return Found::off("advisory mode: there is no rule to prove");
    }
    let setup = match setup(subject) {
        Ok(setup) => setup,
        Err(_) => return remembered(subject).await,
    };
    let all = ProjectArgs::default();
    let proven = match proof::prove(setup, &all, None, Talk::new(Loudness::Quiet)).await {
        Ok((proven, _)) => proven,
        Err(error) => return trouble(error),
    };
    let mut problems: Vec<Problem> = proven
        .impossible
        .iter()
        .map(|(key, why)| {
            Problem::wrong(
                format!("{key}: {why}"),
                "asaf is advisory there: it undoes and tells security",
            )
        })
        .collect();
    let mut sentences: Vec<&str> = Vec::new();
    for row in &proven.rows {
        if let Outcome::Broken(why) | Outcome::Unknown(why) = &row.outcome
            && !sentences.contains(&why.as_str())
        {
            sentences.push(why);
        }
    }
    problems.extend(sentences.into_iter().map(|why| {
        Problem::wrong(
            why,
            "`asaf workflow apply` installs the rule, `asaf workflow verify` proves it",
        )
    }));
    if problems.is_empty() {
        return remembered(subject).await;
    }
    Found::of("", problems)
}

/// What the store knows of earlier proofs.
async fn remembered(subject: &Subject) -> Found {
    let verify = "`asaf workflow verify` tries what must be refused";
    let Ok(store) = &subject.store else {
        return Found::skipped("store");
    };
    let proofs = match store.proofs().await {
        Ok(proofs) => proofs,
        Err(error) => return Found::wrong(error.to_string(), "see `store`"),
    };
    let mut untried = Vec::new();
    let mut problems = Vec::new();
    let mut oldest = None;
    for key in subject.keys() {
        let proof = proofs.iter().find(|proof| proof.project == key);
        match proof.map(|proof| (&proof.verdict, proof.at)) {
            Some((Verdict::Proven, at)) => oldest = oldest.into_iter().chain([at]).min(),
            Some((Verdict::Broken { why }, at)) if subject.setup.is_none() => {
                let first = why.first().map_or("", String::as_str);
                let day = at.strftime("%-d %B %Y");
                problems.push(Problem::wrong(
                    format!("{key}: a hole was found on {day}: {first}"),
                    verify,
                ));
            }
            Some((Verdict::Impossible { why }, _)) => {
                problems.push(Problem::wrong(
                    format!("{key}: {why}"),
                    "asaf is advisory there",
                ));
            }
            Some((Verdict::Broken { .. } | Verdict::Read, _)) | None => untried.push(key),
        }
    }
    if !untried.is_empty() {
        problems.push(Problem::warning(
            format!(
                "that product teams cannot close was read at most, never tried, in {}",
                some(untried)
            ),
            format!("{verify}, with two test users: [jira.verify]"),
        ));
    }
    let says = match oldest {
        Some(at) if problems.is_empty() => {
            format!("proven by trying, last on {}", at.strftime("%-d %B %Y"))
        }
        _ => String::new(),
    };
    Found::of(says, problems)
}
