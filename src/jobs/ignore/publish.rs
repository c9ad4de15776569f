//! A check's outcome on its pull request: one comment and one check run, kept up to date.

use anyhow::{Context as _, bail};

use crate::clock::Clock;
use crate::config::Config;
use crate::ignore::report::{Checked, MARK, annotations, markdown};
use crate::jobs::connect::{Way, github};
use crate::wire::budget::Budget;
use crate::wire::counts::Counts;
use crate::wire::github::{CheckRun, Conclusion};

/// The check's name, by which a protected branch requires it.
const CHECK: &str = "asaf ignore check";

/// The longest summary of a check run, in characters (REST API: check runs).
const SUMMARY_MAX: usize = 65_535;

pub(super) async fn publish(
    checked: &Checked,
    number: u64,
    config: Option<&Config>,
) -> anyhow::Result<()> {
    let ignore = config.and_then(|config| config.ignore.as_ref());
    let ignore = ignore
        .context("--pull-request needs a configuration with [ignore] repository and token")?;
    let budget = Budget::new(Clock::System);
    let client = github(ignore, Way::network()?.github, budget, Counts::default())?;
    let client = client.context("--pull-request needs [ignore] repository and token")?;
    let (head, _) = client.pull_head(number).await?;
    if checked.head.as_ref() != Some(&head) {
        bail!(
            "pull request #{number} is at {head} now, and {} was checked: its newer run will say more",
            checked.head.as_deref().unwrap_or("another commit")
        );
    }
    let body = markdown(checked);
    client
        .keep_comment(number, &ignore.comments_by, MARK, &body)
        .await?;
    let (errors, warnings) = checked.counts();
    let check = CheckRun {
        name: CHECK.to_owned(),
        head,
        conclusion: match (errors, warnings) {
            (0, 0) => Conclusion::Success,
            (0, _) => Conclusion::Neutral,
            _ => Conclusion::Failure,
        },
        title: checked.title(),
        summary: body.chars().take(SUMMARY_MAX).collect(),
        annotations: annotations(checked),
    };
    client.publish_check(&check).await?;
    Ok(())
}
