//! `asaf ignore check`: is it right, and what would it hide and show again now?

use std::path::Path;

use anyhow::Context as _;

use super::change::{self, Changed};
use super::findings::{self, Read};
use super::{asked, configuration, publish, today};
use crate::cli::{CheckArgs, CheckOutput, Exit};
use crate::config::Config;
use crate::ignore::check::together;
use crate::ignore::code_owners::{CodeOwners, PLACES, gaps};
use crate::ignore::effect::{Change, Effect, changed_rules, covers, effect, warn, with_covers};
use crate::ignore::parse::parse;
use crate::ignore::problem::{Kind, Problem};
use crate::ignore::report::{Checked, markdown, text, workflow_commands};
use crate::ignore::{RuleFile, Rules};
use crate::model::{IgnoreRule, IgnoreRules};
use crate::talk::{self, Talk};

/// Checks, says, and publishes where that is asked for. Exit 1 when something must be corrected.
///
/// # Errors
/// A repository, findings or a pull request that cannot be read; a file that cannot be written.
pub(super) async fn run(args: &CheckArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = configuration(path)?;
    let (policy, folder) = asked(config.as_ref());
    let today = today();
    let change = change::read(args, &folder)?;
    let mut rules = parse(change.after.clone());
    together(&mut rules, &policy, today);
    let before = base_rules(change.before.clone());
    let after = rules.compile().ok();
    let changed = after
        .as_ref()
        .map(|after| changed_rules(&before, after))
        .unwrap_or_default();
    harden(&mut rules, &changed);
    let mut unseen = change.unseen.clone();
    let seen = match &after {
        Some(after) => {
            read_findings(args, config.as_ref(), &changed, after, &mut unseen, talk).await?
        }
        None => None,
    };
    let (mut shown, mut found) = (None, None);
    if let (Some(read), Some(after)) = (&seen, &after) {
        let counted = covers(after, &read.findings, &read.units, today);
        let most = config
            .as_ref()
            .and_then(|c| c.ignore.as_ref())
            .map_or(50, |ignore| ignore.findings_max);
        warn(
            &mut rules,
            &changed,
            &counted,
            usize::try_from(most).unwrap_or(usize::MAX),
            today,
        );
        shown = Some(effect(&before, after, &read.findings, &read.units, today));
        found = Some(counted);
    }
    if let (Some(config), Some(shown), None) = (&config, &mut shown, &args.findings) {
        look_for_tickets(config, shown, &mut unseen).await;
    }
    let approvers = owners(config.as_ref(), &change, &folder, &mut rules);
    only_in(args, &mut rules);
    let checked = Checked {
        base: change.base,
        head: change.head,
        rules: rules.rules.len(),
        changed: with_covers(&changed, found.as_ref()),
        effect: shown,
        unseen,
        approvers,
        problems: rules.problems,
        files: rules.files,
    };
    say(&checked, args)?;
    if let Some(number) = args.pull_request {
        publish::publish(&checked, number, config.as_ref()).await?;
    }
    Ok(if checked.failed() {
        Exit::Failed
    } else {
        Exit::Ok
    })
}

/// Rules of the base; what is wrong with them is not this change's.
fn base_rules(files: Option<Vec<RuleFile>>) -> IgnoreRules {
    parse(files.unwrap_or_default())
        .compile()
        .unwrap_or_default()
}

/// A rule that is new or changed must not have ended already.
fn harden(rules: &mut Rules, changed: &[(Change, IgnoreRule)]) {
    for problem in &mut rules.problems {
        let touched = changed.iter().any(|(change, rule)| {
            *change != Change::Removed && Some(&rule.id) == problem.rule.as_ref()
        });
        if problem.kind == Kind::Expired && touched {
            *problem = problem.clone().as_error();
        }
    }
}

async fn read_findings(
    args: &CheckArgs,
    config: Option<&Config>,
    changed: &[(Change, IgnoreRule)],
    after: &IgnoreRules,
    unseen: &mut Vec<String>,
    talk: Talk,
) -> anyhow::Result<Option<Read>> {
    let asks = after.ask_for_ou();
    let read = match (&args.findings, config) {
        (Some(path), _) => findings::from_files(path, asks)?,
        _ if args.is_static => return Ok(None),
        _ if changed.is_empty() && args.base.is_some() => Read::default(),
        (None, Some(config)) => {
            let bar = talk.spinner("findings");
            let read = findings::from_aws(config, changed, asks).await;
            bar.finish_and_clear();
            read?
        }
        (None, None) => {
            unseen.push(
                "findings: there is no configuration here; give --findings FILE or --config FILE"
                    .to_owned(),
            );
            return Ok(None);
        }
    };
    unseen.extend(read.unseen.iter().cloned());
    Ok(Some(read))
}

async fn look_for_tickets(config: &Config, effect: &mut Effect, unseen: &mut Vec<String>) {
    if effect.hides.is_empty() && effect.shows.is_empty() {
        return;
    }
    if let Err(why) = findings::tickets(config, effect).await {
        unseen.push(why);
    }
}

/// Who must approve, by the CODEOWNERS that the change meets; and whether it leaves security out.
fn owners(
    config: Option<&Config>,
    change: &Changed,
    folder: &str,
    rules: &mut Rules,
) -> Vec<String> {
    let approvers = config
        .and_then(|config| config.ignore.as_ref())
        .map_or(&[][..], |ignore| &ignore.approvers);
    if !approvers.is_empty() {
        let (place, text) = match &change.owners_after {
            Some((place, text)) => (place.as_str(), Some(text.as_str())),
            None => (PLACES[0], None),
        };
        let file = RuleFile {
            path: place.to_owned(),
            text: text.unwrap_or_default().to_owned(),
        };
        for gap in gaps(text, place, folder, approvers) {
            let help =
                Some("`asaf ignore code-owners` writes the lines that are missing".to_owned());
            rules
                .problems
                .push(Problem::new(&file, None, Kind::Unreviewed, gap, help));
        }
        rules.files.push(file);
    }
    let before = change
        .owners_before
        .as_ref()
        .or(change.owners_after.as_ref());
    let of = before
        .map(|(_, text)| CodeOwners::parse(text))
        .unwrap_or_default();
    let mut who: Vec<String> = Vec::new();
    for path in touched(change, folder) {
        for owner in of.of(&path) {
            if !who.contains(owner) {
                who.push(owner.clone());
            }
        }
    }
    if who.is_empty() {
        who = approvers.to_vec();
    }
    who
}

/// The files of rules that differ; any file of rules where none does.
fn touched(change: &Changed, folder: &str) -> Vec<String> {
    let before = change.before.as_deref().unwrap_or_default();
    let only_in = |these: &[RuleFile], those: &[RuleFile]| -> Vec<String> {
        let differs = these.iter().filter(|file| !those.contains(file));
        differs.map(|file| file.path.clone()).collect()
    };
    let mut paths = only_in(before, &change.after);
    paths.extend(only_in(&change.after, before));
    if paths.is_empty() {
        paths.push(format!("{}/any.toml", folder.trim_matches('/')));
    }
    paths
}

/// Problems of files that were not named stay unsaid.
fn only_in(args: &CheckArgs, rules: &mut Rules) {
    if args.files.is_empty() {
        return;
    }
    let named: Vec<String> = args
        .files
        .iter()
        .map(|path| path.to_string_lossy().replace('\\', "/"))
        .collect();
    rules.problems.retain(|problem| {
        named.iter().any(|name| {
            let name = name.trim_start_matches("./");
            name == problem.path
                || name.ends_with(&format!("/{}", problem.path))
                || problem.path.ends_with(&format!("/{name}"))
        })
    });
}

fn say(checked: &Checked, args: &CheckArgs) -> anyhow::Result<()> {
    talk::data(&in_format(checked, args.output)?).context("writing to stdout")?;
    for (format, file) in &args.save {
        std::fs::write(file, in_format(checked, *format)?)
            .with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

fn in_format(checked: &Checked, format: CheckOutput) -> anyhow::Result<String> {
    Ok(match format {
        CheckOutput::Text => text(checked),
        CheckOutput::Markdown => markdown(checked),
        CheckOutput::Github => workflow_commands(checked),
        CheckOutput::Json => {
            let mut value = serde_json::to_value(checked)?;
            value["title"] = checked.title().into();
            value["failed"] = checked.failed().into();
            serde_json::to_string_pretty(&value)? + "\n"
        }
    })
}
