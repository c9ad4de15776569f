//! `asaf init`: writes a commented configuration file. It never asks for a secret and never overwrites unasked.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::cli::{Exit, InitArgs};
use crate::config::Config;
use crate::talk::{Talk, plain};

/// Asks where it may, writes the file, and says what is still open.
pub fn run(args: &InitArgs, talk: Talk) -> anyhow::Result<Exit> {
    let shown = args.output.to_string_lossy();
    let shown = plain(&shown);
    if args.output.exists() && !args.force {
        bail!("{shown} exists; --force replaces it, --output FILE writes elsewhere");
    }
    let asks = !args.no_input && io::stdin().is_terminal() && io::stderr().is_terminal();
    let mut values = given(args);
    if asks {
        ask(&mut values, &mut io::stdin().lock(), talk)?;
    }
    // With every gap filled by its example the file must be valid, so a refusal is about a given value.
    Config::parse(&render(&values, Gap::Example), &args.output)?;
    write(&args.output, &render(&values, Gap::Empty), args.force)
        .with_context(|| format!("writing {shown}"))?;
    let open: Vec<&str> = values
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(question, _)| question.key)
        .collect();
    if open.is_empty() {
        talk.say(&format!("{shown} is written."));
    } else {
        talk.say(&format!(
            "{shown} is written; still empty: {}.",
            open.join(", ")
        ));
    }
    talk.say("Next: put the Jira token into ASAF_JIRA_TOKEN, then `asaf config check`.");
    Ok(Exit::Ok)
}

/// A value that only the reader knows.
struct Question {
    key: &'static str,
    text: &'static str,
    example: &'static str,
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

type Values = [(Question, Option<String>); 6];

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

fn ask(values: &mut Values, answers: &mut impl BufRead, talk: Talk) -> io::Result<()> {
    for (question, value) in values.iter_mut().filter(|(_, value)| value.is_none()) {
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

/// What stands in the file for a value that was not given.
#[derive(Clone, Copy)]
enum Gap {
    /// Nothing, so that `config check` points at it.
    Empty,
    /// An example, to check everything else.
    Example,
}

fn render(values: &Values, gap: Gap) -> String {
    let mut text = String::with_capacity(TEMPLATE.len());
    let mut rest = TEMPLATE;
    // One pass from left to right: an answer that looks like a place to fill is not filled.
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let place = after.split_once('>').and_then(|(key, after)| {
            let (question, value) = values.iter().find(|(question, _)| question.key == key)?;
            Some((question, value, after))
        });
        let Some((question, value, after)) = place else {
            text.push('<');
            rest = after;
            continue;
        };
        let value = match (value, gap) {
            (Some(value), _) => value.as_str(),
            (None, Gap::Example) => question.example,
            (None, Gap::Empty) => "",
        };
        // toml_edit quotes and escapes: an answer cannot add keys.
        text.push_str(&toml_edit::Value::from(value).to_string());
        rest = after;
    }
    text + rest
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

const TEMPLATE: &str = r#"# Configuration of asaf. `asaf config check` checks it, `asaf config show` prints every value with its default,
# `asaf config schema` writes a JSON Schema for editors. Unknown keys are refused.

[aws]
# Region of the Security Hub aggregator. Credentials come from the AWS SDK's own chain, never from this file.
region = <aws.region>
# The AWS Config aggregator that covers the organization.
aggregator = "org"
# The role that is assumed in a member account to ask AWS Config whether a resource still exists.
member_role = "asaf-config-read"
# external_id = ""
# profile = ""

[jira]
url = <jira.url>
# The engine's own user: nobody else may log in as it.
email = <jira.email>
# A reference, never the token itself: "env:NAME" or "file:PATH".
token = "env:ASAF_JIRA_TOKEN"
issue_type = "Task"
# Who may close: { group = "…" }, { project = "SEC", role = "…" } or { account_ids = ["…"] }.
reviewers = { group = <jira.reviewers> }
# Who the product teams are, in the same forms: comments and notices then say which part a person has.
# product_teams = { group = "product-teams" }

# Which statuses mean what, by name or id. The first of each list is where tickets are moved to.
[jira.statuses]
open = ["Open", "In Progress"]
resolved = ["Resolved"]
closed = ["Closed"]
ignored = ["Ignored"]

[jira.priorities]
CRITICAL = "Highest"
HIGH = "High"
MEDIUM = "Medium"
LOW = "Low"
INFORMATIONAL = "Lowest"

[policy]
# The lowest severity that gets a ticket.
threshold = "MEDIUM"
# A reviewer closes while the finding still fails: "resolve" (accepted), "hold" or "reopen".
close_while_failing = "resolve"
# Somebody suppresses in Security Hub by hand: "respect" or "revert" (only ignore rules suppress).
suppressed_by_hand = "respect"
# The resource was deleted: "delete" its ticket or "close" it.
resource_deleted = "delete"
# Still failing so long after it was resolved: "flag" it once or "reopen" it.
recheck_after = "24h"
recheck = "flag"
# A ticket closed for longer is not reopened; a new one is linked to it.
reopen_window = "30d"
# Close resolved tickets without a review once AWS reports PASSED.
auto_close_verified = false
# A finding that stops and fails again within this is waited for.
hold_down = "15m"

# A run that closes, deletes or suppresses more than both is held until a person releases it.
[limits]
removals_percent = 10
removals = 25

[store]
path = "asaf.sqlite3"

[run]
# How often everything is read, and, by `asaf serve`, what changed.
full_every = "24h"
incremental_every = "10m"
# An incremental read starts so long before the last one began.
incremental_overlap = "1h"

# `asaf serve` listens here for Jira's webhook (/webhook/jira), health checks and metrics.
[serve]
listen = "127.0.0.1:8484"

# The secret of Jira's admin webhook, by reference; a second one while it is rotated. Without one it is not heard.
[webhook]
secrets = []
# secrets = ["env:ASAF_WEBHOOK_SECRET"]

# The SQS queue with EventBridge events of Security Hub and AWS Config.
# [queue]
# url = "https://sqs.eu-west-1.amazonaws.com/123456789012/asaf-events"

# Who answers for an account: the first rule that names it, else the default.
[owners]
default = { team = <owners.default.team>, project = <owners.default.project> }

# [[owners.rules]]
# accounts = ["123456789012"]
# team = "payments"
# project = "PAY"
# component = "backend"
# labels = ["pci"]

# What is intended is ignored by reviewed rules in a Git repository (`asaf ignore --help`). They are read from its
# protected branch only.
# [ignore]
# repository = "acme/security-rules"
# branch = "main"
# folder = "ignore"
# token = "env:ASAF_GITHUB_TOKEN"
# Who must approve a change of rules, as CODEOWNERS names them.
# approvers = ["@acme/security"]
# A rule lasts at most so long; those named in `longer` may last longer.
# days_max = 180
# longer = []
"#;

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
            no_input: true,
            force: false,
        }
    }

    #[test]
    fn the_template_says_the_defaults_of_the_program() {
        let written =
            Config::parse(&render(&given(&no_args()), Gap::Example), Path::new("a")).unwrap();
        assert_eq!(written.policy, crate::config::Policy::default());
        assert_eq!(written.limits, crate::config::Limits::default());
        assert_eq!(written.store, crate::config::Store::default());
        assert_eq!(written.run, crate::config::Run::default());
        assert_eq!(written.jira.statuses, crate::config::Statuses::default());
        assert_eq!(
            written.jira.priorities,
            crate::config::Priorities::default()
        );
    }

    #[test]
    fn what_the_template_says_of_ignore_rules_can_be_uncommented() {
        let text = render(&given(&no_args()), Gap::Example);
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
        let text = render(&given(&no_args()), Gap::Empty);
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
        let problems =
            Config::parse(&render(&values, Gap::Example), Path::new("a")).expect_err("refused");
        assert!(
            problems.to_string().contains("control characters"),
            "{problems}"
        );
        values[4].1 = Some("O\"Brien \\ <owners.default.project>".to_owned());
        let team = Config::parse(&render(&values, Gap::Example), Path::new("a"))
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
