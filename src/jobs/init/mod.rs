//! `asaf init`: writes a commented configuration file from what it was told and what it discovers, and lets the doctor
//! look at it. It never asks for a secret and never overwrites unasked.

mod look;
mod template;

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::cli::{Exit, InitArgs};
use crate::config::{Config, Reviewers};
use crate::jobs::doctor;
use crate::talk::{Talk, plain};

use look::Seen;
use template::{Gap, render};

/// The environment variable to which the file refers for the engine's token.
const TOKEN: &str = "ASAF_JIRA_TOKEN";

/// Discovers, asks where it may, writes the file, and says what is still open.
///
/// # Errors
/// A value that cannot be, a file that is there and says something else.
pub async fn run(args: &InitArgs, talk: Talk) -> anyhow::Result<Exit> {
    let shown = args.output.to_string_lossy();
    let shown = plain(&shown);
    if args.output.exists() && !args.force {
        keep(args, &shown, talk)?;
        return finish(args, talk).await;
    }
    let mut values = given(args);
    // With every gap filled by its example the file must be valid, so a refusal is about a given value.
    let mut seen = Seen::given(args);
    let example = Config::parse(&render(&values, Gap::Example, &seen), &args.output)?;
    look::look(example, &mut values, &mut seen, talk).await;
    if !args.no_input && io::stdin().is_terminal() && io::stderr().is_terminal() {
        ask(&mut values, &seen, &mut io::stdin().lock(), talk)?;
        Config::parse(&render(&values, Gap::Example, &seen), &args.output)?;
    }
    write(
        &args.output,
        &render(&values, Gap::Empty, &seen),
        args.force,
    )
    .with_context(|| format!("writing {shown}"))?;
    let open: Vec<&str> = values
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(question, _)| question.key)
        .collect();
    if !open.is_empty() {
        talk.say(&format!(
            "{shown} is written; still empty: {}.",
            open.join(", ")
        ));
        talk.say("Next: fill them in, then `asaf doctor`.");
        return Ok(Exit::Ok);
    }
    talk.say(&format!("{shown} is written."));
    finish(args, talk).await
}

/// Leaves a file alone that is there, if it says what was given.
fn keep(args: &InitArgs, shown: &str, talk: Talk) -> anyhow::Result<()> {
    let config = Config::load(&args.output)?;
    let owner = &config.owners.default;
    let group = |people: Option<&Reviewers>| match people {
        Some(Reviewers::Group(group)) => Some(group.clone()),
        _ => None,
    };
    let reviewers = group(Some(&config.jira.reviewers));
    let teams = group(config.jira.product_teams.as_ref());
    let site = args
        .jira_url
        .as_deref()
        .map(|url| url.trim_end_matches('/'));
    for (key, given, known) in [
        (
            "aws.region",
            args.region.as_deref(),
            Some(config.aws.region.as_str()),
        ),
        ("jira.url", site, Some(config.jira.url.as_str())),
        (
            "jira.email",
            args.jira_email.as_deref(),
            Some(config.jira.email.as_str()),
        ),
        (
            "jira.reviewers",
            args.reviewers.as_deref(),
            reviewers.as_deref(),
        ),
        (
            "jira.product_teams",
            args.product_teams.as_deref(),
            teams.as_deref(),
        ),
        (
            "owners.default.team",
            args.team.as_deref(),
            Some(owner.team.as_str()),
        ),
        (
            "owners.default.project",
            args.project.as_deref(),
            Some(owner.project.as_str()),
        ),
        (
            "webhook.url",
            args.webhook_url.as_deref(),
            config.webhook.url.as_deref(),
        ),
    ] {
        if given.is_some() && given != known {
            bail!(
                "{shown} exists and says something else for {key}; --force replaces it, --output FILE writes elsewhere"
            );
        }
    }
    talk.say(&format!(
        "{shown} exists and is left as it is; --force replaces it."
    ));
    Ok(())
}

/// Lets the doctor look at the file, where the credentials are there.
async fn finish(args: &InitArgs, talk: Talk) -> anyhow::Result<Exit> {
    if std::env::var_os(TOKEN).is_none() {
        talk.say(&format!(
            "Next: put the Jira token into {TOKEN}, then `asaf doctor`."
        ));
        return Ok(Exit::Ok);
    }
    let report = doctor::examine(&args.output, false, talk).await?;
    for line in report.text().lines() {
        talk.say(line);
    }
    if report.failed().next().is_some() {
        talk.say("Next: `asaf workflow apply`, `asaf webhook register`, then `asaf doctor` says what is left.");
    } else {
        talk.say("Next: `asaf plan` shows what would change, `asaf reconcile` changes it.");
    }
    Ok(Exit::Ok)
}

/// A value that only the reader knows.
pub(super) struct Question {
    pub(super) key: &'static str,
    text: &'static str,
    pub(super) example: &'static str,
}

const QUESTIONS: [Question; 6] = [
    Question {
        key: "aws.region",
        text: "Region of the Security Hub aggregator",
        example: "eu-west-1",
    },
    Question {
        key: "jira.url",
        text: "Jira Cloud site",
        example: "https://example.atlassian.net",
    },
    Question {
        key: "jira.email",
        text: "The engine's own Jira user (e-mail)",
        example: "asaf@example.com",
    },
    Question {
        key: "jira.reviewers",
        text: "Jira group whose members may close tickets",
        example: "security-reviewers",
    },
    Question {
        key: "owners.default.team",
        text: "Team for accounts without an owner",
        example: "security",
    },
    Question {
        key: "owners.default.project",
        text: "Jira project key for accounts without an owner",
        example: "SEC",
    },
];

pub(super) type Values = [(Question, Option<String>); 6];

fn given(args: &InitArgs) -> Values {
    let [region, url, email, reviewers, team, project] = QUESTIONS;
    [
        (region, args.region.clone()),
        (url, args.jira_url.clone()),
        (email, args.jira_email.clone()),
        (reviewers, args.reviewers.clone()),
        (team, args.team.clone()),
        (project, args.project.clone()),
    ]
}

fn ask(values: &mut Values, seen: &Seen, answers: &mut impl BufRead, talk: Talk) -> io::Result<()> {
    for (question, value) in values.iter_mut().filter(|(_, value)| value.is_none()) {
        let found = seen.choices(question.key);
        if !found.is_empty() {
            talk.error(&format!("found: {found}"));
        }
        talk.error(&format!(
            "{} (such as {}; Enter: leave it open):",
            question.text, question.example
        ));
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let answer = line.trim();
        *value = (!answer.is_empty()).then(|| answer.to_owned());
    }
    Ok(())
}

/// The file appears whole or not at all; without `replace` an existing one is left alone.
fn write(path: &Path, text: &str, replace: bool) -> io::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let mut file = fs::File::create_new(&new)?;
    let placed = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| {
            if replace {
                fs::rename(&new, path)
            } else {
                // A hard link fails where the name is taken, even if it was taken a moment ago.
                fs::hard_link(&new, path)
            }
        });
    if placed.is_err() || !replace {
        fs::remove_file(&new)?;
    }
    placed
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn no_args() -> InitArgs {
        InitArgs {
            output: "asaf.toml".into(),
            region: None,
            jira_url: None,
            jira_email: None,
            project: None,
            team: None,
            reviewers: None,
            product_teams: None,
            jira_admin: None,
            webhook_url: None,
            no_input: true,
            force: false,
        }
    }

    #[test]
    fn the_template_says_the_defaults_of_the_program() {
        let written = Config::parse(
            &render(&given(&no_args()), Gap::Example, &Seen::default()),
            Path::new("a"),
        )
        .unwrap();
        assert_eq!(written.policy, crate::config::Policy::default());
        assert_eq!(written.limits, crate::config::Limits::default());
        assert_eq!(written.store, crate::config::Store::default());
        assert_eq!(written.run, crate::config::Run::default());
        assert_eq!(written.notices, crate::config::Notices::default());
        assert_eq!(written.jira.statuses, crate::config::Statuses::default());
        assert_eq!(
            written.jira.priorities,
            crate::config::Priorities::default()
        );
    }

    #[test]
    fn what_is_commented_out_is_valid_too() {
        let settings = |line: &str| {
            let text = line.strip_prefix("# ")?;
            let key = text.split(" = ").next().unwrap_or_default();
            let is_key = text.contains(" = ") && !key.contains(' ');
            (is_key || text.starts_with('[')).then(|| text.to_owned())
        };
        let empty = ["external_id", "profile", "endpoint_url"];
        let text: Vec<String> = render(&given(&no_args()), Gap::Example, &Seen::default())
            .lines()
            .filter(|line| !empty.iter().any(|key| line.contains(key)))
            .filter(|line| *line != "secrets = []")
            .map(|line| settings(line).unwrap_or_else(|| line.to_owned()))
            .collect();
        let text = text.join("\n");
        let all = Config::parse(&text, Path::new("a")).unwrap();
        assert_eq!(
            all.sla,
            Some(crate::config::Sla {
                teams: all.sla.as_ref().unwrap().teams.clone(),
                ..crate::config::Sla::default()
            })
        );
        assert!(all.slack.is_some() && all.teams_webhook.is_some());
        assert!(all.notices.quiet_hours.is_some() && all.owners.rules.len() == 1);
    }

    #[test]
    fn what_the_template_says_of_ignore_rules_can_be_uncommented() {
        let text = render(&given(&no_args()), Gap::Example, &Seen::default());
        let (before, rules) = text.split_once("# [ignore]\n").expect("the section");
        let keys = rules
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| line.contains(" = "));
        let keys: Vec<&str> = keys.collect();
        let text = format!("{before}[ignore]\n{}\n", keys.join("\n"));
        let rules = Config::parse(&text, Path::new("a")).unwrap().ignore;
        let rules = rules.expect("[ignore]");
        assert_eq!(
            (rules.branch.as_str(), rules.folder.as_str(), rules.days_max),
            ("main", "ignore", 180)
        );
        assert_eq!(rules.repository.as_deref(), Some("acme/security-rules"));
    }

    #[test]
    fn gaps_stay_empty_and_the_check_points_at_each() {
        let text = render(&given(&no_args()), Gap::Empty, &Seen::default());
        assert!(!text.contains("example.atlassian.net"));
        let problems = Config::parse(&text, Path::new("asaf.toml"))
            .expect_err("empty")
            .to_string();
        for (question, _) in given(&no_args()) {
            assert!(
                problems.contains(question.key),
                "{}: {problems}",
                question.key
            );
        }
    }

    #[test]
    fn an_answer_cannot_add_keys() {
        let mut values = given(&no_args());
        values[4].1 = Some("a\", project = \"EVIL\" }\n[run]\nunlimited = true\n#".to_owned());
        let problems = Config::parse(
            &render(&values, Gap::Example, &Seen::default()),
            Path::new("a"),
        )
        .expect_err("refused");
        assert!(
            problems.to_string().contains("control characters"),
            "{problems}"
        );
        values[4].1 = Some("O\"Brien \\ <owners.default.project>".to_owned());
        let team = Config::parse(
            &render(&values, Gap::Example, &Seen::default()),
            Path::new("a"),
        )
        .unwrap()
        .owners
        .default
        .team;
        assert_eq!(team, "O\"Brien \\ <owners.default.project>");
    }

    #[test]
    fn only_open_questions_are_asked_and_enter_leaves_them_open() {
        let mut args = no_args();
        args.jira_url = Some("https://acme.atlassian.net".into());
        let mut values = given(&args);
        ask(
            &mut values,
            &Seen::default(),
            &mut "eu-north-1\n\nsec-team\n".as_bytes(),
            Talk::default(),
        )
        .unwrap();
        let answers: Vec<Option<&str>> = values.iter().map(|(_, v)| v.as_deref()).collect();
        assert_eq!(
            answers,
            [
                Some("eu-north-1"),
                Some("https://acme.atlassian.net"),
                None,
                Some("sec-team"),
                None,
                None
            ]
        );
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/asaf.toml");
        write(&path, "one", false).unwrap();
        assert!(write(&path, "two", false).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        write(&path, "three", true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left over"
        );
    }
}
