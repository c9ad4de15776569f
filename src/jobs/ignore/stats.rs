//! `asaf ignore stats`: what is hidden, by whom and for how long, in figures from the store.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use super::look::{known, listed};
use super::today;
use crate::cli::{Exit, TextOrJson};
use crate::model::{Author, FindingState, WorkflowStatus};
use crate::talk::{self, plain};

/// Rules that end within so many days end soon.
const SOON_DAYS: i32 = 14;

#[derive(Debug, Default, Serialize)]
struct Stats {
    rules: usize,
    live: usize,
    ended: usize,
    /// Live rules that hide nothing.
    hide_nothing: Vec<String>,
    /// Live rules that end within 14 days.
    end_soon: Vec<String>,
    /// Failing findings that rules hide.
    hidden: usize,
    hidden_by_team: BTreeMap<String, usize>,
    hidden_by_severity: BTreeMap<&'static str, usize>,
    hidden_by_control: BTreeMap<String, usize>,
    /// Failing findings that somebody suppressed outside the rules: finding, who.
    outside: Vec<(String, String)>,
}

/// # Errors
/// Configuration, the store, rules that were never read.
pub(super) async fn run(output: TextOrJson, path: &Path) -> anyhow::Result<Exit> {
    let known = known(path).await?;
    let today = today();
    let mut stats = Stats::default();
    let mut teams: BTreeMap<String, String> = BTreeMap::new();
    for rule in listed(&known, today) {
        stats.rules += 1;
        teams.insert(rule.id.clone(), rule.owner);
        if rule.days_left < 0 {
            stats.ended += 1;
            continue;
        }
        stats.live += 1;
        if rule.days_left <= SOON_DAYS {
            stats.end_soon.push(rule.id.clone());
        }
        if rule.hides == 0 {
            stats.hide_nothing.push(rule.id);
        }
    }
    for link in &known.links {
        let Some(base) = link
            .base
            .as_ref()
            .filter(|base| base.finding == FindingState::Failing)
        else {
            continue;
        };
        if let Some(by) = &link.ignored_by {
            stats.hidden += 1;
            let team = teams.get(&by.rule).cloned().unwrap_or_default();
            *stats.hidden_by_team.entry(team).or_default() += 1;
            *stats
                .hidden_by_severity
                .entry(link.severity.label())
                .or_default() += 1;
            *stats
                .hidden_by_control
                .entry(link.alias.rule.clone())
                .or_default() += 1;
        } else if let (WorkflowStatus::Suppressed, Author::Theirs { identity, .. }) =
            (base.workflow, &base.workflow_by)
        {
            let finding = link
                .findings
                .first()
                .map_or_else(|| link.marker.0.clone(), |key| key.id.clone());
            stats.outside.push((finding, identity.clone()));
        }
    }
    let text = match output {
        TextOrJson::Json => serde_json::to_string_pretty(&stats)? + "\n",
        TextOrJson::Text => text(&stats),
    };
    talk::data(&text)?;
    Ok(Exit::Ok)
}

fn text(stats: &Stats) -> String {
    let mut out = format!(
        "{} rules: {} live, {} ended. They hide {} failing findings.\n",
        stats.rules, stats.live, stats.ended, stats.hidden
    );
    let counts = |out: &mut String, title: &str, counts: Vec<(&str, usize)>| {
        let mut counts = counts;
        counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let words: Vec<String> = counts
            .iter()
            .take(10)
            .map(|(what, n)| format!("{n} {what}"))
            .collect();
        if !words.is_empty() {
            let _ = writeln!(out, "  {title:<13} {}", plain(&words.join(", ")));
        }
    };
    counts(
        &mut out,
        "by team",
        stats
            .hidden_by_team
            .iter()
            .map(|(k, n)| (k.as_str(), *n))
            .collect(),
    );
    counts(
        &mut out,
        "by severity",
        stats
            .hidden_by_severity
            .iter()
            .map(|(k, n)| (*k, *n))
            .collect(),
    );
    counts(
        &mut out,
        "by control",
        stats
            .hidden_by_control
            .iter()
            .map(|(k, n)| (k.as_str(), *n))
            .collect(),
    );
    let list = |out: &mut String, title: &str, ids: &[String]| {
        if !ids.is_empty() {
            let _ = writeln!(out, "{title}: {}", plain(&ids.join(", ")));
        }
    };
    list(
        &mut out,
        &format!("End within {SOON_DAYS} days"),
        &stats.end_soon,
    );
    list(&mut out, "Hide nothing", &stats.hide_nothing);
    if !stats.outside.is_empty() {
        let _ = writeln!(out, "Suppressed outside the rules: {}", stats.outside.len());
        for (finding, who) in stats.outside.iter().take(20) {
            let _ = writeln!(out, "  {}", plain(&format!("{finding}, by {who}")));
        }
    }
    out
}
