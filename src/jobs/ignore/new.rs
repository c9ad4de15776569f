//! `asaf ignore new`: asks, or takes options, and writes a rule that passes the check.

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use jiff::civil::Date;

use super::change::as_they_lie;
use super::{asked, configuration, last_day, today};
use crate::cli::{Exit, NewArgs};
use crate::ignore::check::together;
use crate::ignore::parse::parse;
use crate::ignore::write::{append, id_of};
use crate::ignore::{Policy, RuleFile};
use crate::model::IgnoreRule;
use crate::talk::{Talk, plain};
use crate::wire::git::Git;

/// How long a rule lasts if nobody says so.
const USUAL_TERM: &str = "90d";

/// # Errors
/// A rule that would not pass; a file that cannot be written.
pub(super) fn run(args: &NewArgs, path: &Path, talk: Talk) -> anyhow::Result<Exit> {
    let config = configuration(path)?;
    let (policy, folder) = asked(config.as_ref());
    let mut args = args.clone();
    if !args.no_input && io::stdin().is_terminal() && io::stderr().is_terminal() {
        ask(&mut args, &mut io::stdin().lock(), talk)?;
    }
    let today = today();
    let written = written(&args, today)?;
    let here = std::env::current_dir()?;
    let root = Git::open(&here).map_or(here, |git| git.root().to_owned());
    let owner = args.owner.as_deref().unwrap_or_default();
    let file = match &args.file {
        Some(file) => std::path::absolute(file)?,
        None => root.join(&folder).join(format!("{}.toml", id_of(&[owner]))),
    };
    let placed = place(&written, &file, &root, &folder, &policy, today)?;
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    }
    std::fs::write(&file, &placed.text).with_context(|| format!("writing {}", file.display()))?;
    for warning in &placed.warnings {
        talk.error(warning);
    }
    let shown = file.strip_prefix(&root).unwrap_or(&file);
    talk.say(&format!(
        "Rule {} is written to {}. Next: asaf ignore check --base origin/main, then a pull request.",
        plain(&placed.id),
        plain(&shown.to_string_lossy())
    ));
    Ok(Exit::Ok)
}

/// A rule in its file, checked with all others.
pub(super) struct Placed {
    pub(super) id: String,
    /// The file's new text.
    pub(super) text: String,
    pub(super) warnings: Vec<String>,
}

/// The rule as its file would hold it; refuses what the check would refuse.
fn place(
    rule: &IgnoreRule,
    file: &Path,
    root: &Path,
    folder: &str,
    policy: &Policy,
    today: Date,
) -> anyhow::Result<Placed> {
    let named: Vec<PathBuf> = file.exists().then(|| file.to_owned()).into_iter().collect();
    let files = as_they_lie(root, folder, &named)?;
    let shown = file.strip_prefix(root).unwrap_or(file);
    let shown = shown.to_string_lossy().replace('\\', "/");
    in_files(rule, &shown, files, policy, today)
}

/// The same, among files that are given.
pub(super) fn in_files(
    rule: &IgnoreRule,
    path: &str,
    mut files: Vec<RuleFile>,
    policy: &Policy,
    today: Date,
) -> anyhow::Result<Placed> {
    let before = files
        .iter()
        .find(|file| file.path == path)
        .map_or("", |file| &file.text);
    let text = match append(before, rule) {
        Ok(text) => text,
        Err(why) => bail!("{} cannot take a rule: {}", plain(path), plain(&why)),
    };
    files.retain(|file| file.path != path);
    files.push(RuleFile {
        path: path.to_owned(),
        text: text.clone(),
    });
    let mut rules = parse(files);
    together(&mut rules, policy, today);
    let of_ours =
        |problem: &&crate::ignore::problem::Problem| problem.rule.as_deref() == Some(&rule.id);
    let errors: Vec<String> = rules
        .problems
        .iter()
        .filter(|problem| problem.is_error())
        .map(|problem| problem.show(&rules.files))
        .collect();
    if !errors.is_empty() {
        bail!(Refused(errors.join("\n\n")));
    }
    let warnings = rules.problems.iter().filter(of_ours);
    Ok(Placed {
        id: rule.id.clone(),
        text,
        warnings: warnings.map(|problem| problem.show(&rules.files)).collect(),
    })
}

/// A rule that would not pass its check; the text has lines, and was made plain where it was made.
#[derive(Debug, thiserror::Error)]
#[error("the rule is not written:\n{0}")]
pub struct Refused(String);

/// The rule that the options describe.
fn written(args: &NewArgs, today: Date) -> anyhow::Result<IgnoreRule> {
    let given = |value: &Option<String>, option: &str| {
        value
            .clone()
            .with_context(|| format!("{option} is missing: every rule says it"))
    };
    let what = args
        .control
        .first()
        .or(args.types.first())
        .or(args.product.first());
    let owner = given(&args.owner, "--owner")?;
    let id = args
        .id
        .clone()
        .unwrap_or_else(|| id_of(&[&owner, what.map_or("", String::as_str)]));
    let mut rule = crate::ignore::parse::blank(id);
    rule.controls = args.control.clone();
    rule.products = products(&args.product)?;
    rule.types = args.types.clone();
    rule.accounts = args.account.clone();
    rule.ou = args.ou.clone();
    rule.regions = args.region.clone();
    rule.resources = args.resource.clone();
    rule.tags = args.tag.iter().cloned().collect();
    rule.reason = given(&args.reason, "--reason")?;
    rule.requested_by = given(&args.requested_by, "--requested-by")?;
    rule.owner = owner;
    rule.expires = last_day(args.expires.as_deref().unwrap_or(USUAL_TERM), today)?;
    rule.ticket = args.ticket.clone();
    Ok(rule)
}

fn products(words: &[String]) -> anyhow::Result<Vec<crate::model::Product>> {
    let read = |word: &String| {
        crate::ignore::values::product(word)
            .with_context(|| format!("{} is no product; see `asaf ignore schema`", plain(word)))
    };
    words.iter().map(read).collect()
}

fn ask(args: &mut NewArgs, answers: &mut impl BufRead, talk: Talk) -> io::Result<()> {
    let mut answer_to = |text: &str, example: &str, otherwise: &str| {
        talk.error(&format!("{text} (such as {example}; Enter: {otherwise}):"));
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let answer = line.trim();
        io::Result::Ok((!answer.is_empty()).then(|| answer.to_owned()))
    };
    let mut question = |text: &str, example: &str| answer_to(text, example, "none");
    let list = |answer: Option<String>| -> Vec<String> {
        let words = answer.iter().flat_map(|answer| answer.split([',', ' ']));
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    if args.control.is_empty() && args.product.is_empty() && args.types.is_empty() {
        args.control = list(question("Controls, Config rules, CVEs or types", "S3.8")?);
    }
    if args.account.is_empty() && args.ou.is_empty() {
        args.account = list(question("Accounts", "012345678901")?);
        if args.account.is_empty() {
            args.ou = list(question("Organisational units", "/prod/web")?);
        }
    }
    if args.resource.is_empty() && args.tag.is_empty() {
        args.resource = list(question("Resources, globs allowed", "arn:aws:s3:::www-*")?);
    }
    if args.reason.is_none() {
        args.reason = question(
            "Why is it intended",
            "\"Public websites are served from here\"",
        )?;
    }
    if args.owner.is_none() {
        args.owner = question("Team that answers for it", "web")?;
    }
    if args.requested_by.is_none() {
        args.requested_by = question("Who asks for it", "pat@example.com")?;
    }
    if args.ticket.is_none() {
        args.ticket = question("Ticket with the background", "WEB-12")?;
    }
    if args.expires.is_none() {
        args.expires = answer_to("Last day, or a time from now", "2027-01-31", USUAL_TERM)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command, IgnoreCommand};

    fn asked(options: &[&str], answers: &str) -> NewArgs {
        let typed = ["asaf", "ignore", "new"].iter().chain(options);
        let Command::Ignore(ignore) = Cli::try_parse_from(typed).unwrap().command else {
            unreachable!("this is `asaf ignore`")
        };
        let IgnoreCommand::New(mut args) = ignore.command else {
            unreachable!("this is `asaf ignore new`")
        };
        ask(&mut args, &mut answers.as_bytes(), Talk::default()).unwrap();
        *args
    }

    #[test]
    fn what_no_option_says_is_asked_and_makes_a_rule_that_passes() {
        let today = jiff::civil::date(2026, 11, 24);
        let all = "S3.8, S3.2\n012345678901\narn:aws:s3:::www-*\nPublic websites are here\nweb\npat\nWEB-12\n30d\n";
        let rule = written(&asked(&[], all), today).unwrap();
        assert_eq!(rule.controls, ["S3.8", "S3.2"]);
        assert_eq!(
            (rule.owner.as_str(), rule.requested_by.as_str()),
            ("web", "pat")
        );
        assert_eq!(
            (rule.ticket.as_deref(), rule.expires),
            (Some("WEB-12"), jiff::civil::date(2026, 12, 24))
        );
        let policy = Policy::default();
        let placed = in_files(&rule, "ignore/web.toml", Vec::new(), &policy, today).unwrap();
        assert!(
            placed.warnings.is_empty() && placed.text.contains("arn:aws:s3:::www-*"),
            "{}",
            placed.text
        );
        // What an option says is not asked again, and an empty answer is none.
        let options = ["--control", "S3.8", "--owner", "web"];
        let args = asked(&options, "\n/prod\n\n\n\n\n\n");
        assert_eq!(
            (args.ou.as_slice(), &args.expires),
            (&["/prod".to_owned()][..], &None)
        );
        assert!(args.resource.is_empty() && args.reason.is_none());
        let missing = written(&args, today).unwrap_err().to_string();
        assert!(missing.contains("--reason is missing"), "{missing}");
    }
}
