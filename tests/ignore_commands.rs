//! `asaf ignore` as people type it: the real binary, a Git repository, and served emulators of AWS, Jira and GitHub.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;

use std::process::Command;

use desk::{BINARY, Emulators, Repository, Said, days_from_now, rule, said};
use serde_json::{Value, json};

const OWNERS: (&str, &str) = (
    ".github/CODEOWNERS",
    "/ignore/ @acme/security\n/.github/ @acme/security\n",
);

/// Without any configuration, as in a repository of rules.
fn asaf(repository: &Repository, arguments: &[&str]) -> Said {
    said(
        Command::new(BINARY)
            .args(arguments)
            .current_dir(repository.path())
            .env_remove("ASAF_CONFIG"),
    )
}

/// Four buckets in two accounts, one of them CRITICAL; one of another control; one that passes.
fn findings(repository: &Repository) -> String {
    let finding = |n: usize,
                   control: &str,
                   account: &str,
                   severity: &str,
                   status: &str,
                   title: &str| {
        json!({ "SchemaVersion": "2018-10-08", "Id": format!("f{n}"), "AwsAccountId": account, "Title": title,
            "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub", "Region": "eu-west-1",
            "RecordState": "ACTIVE", "Workflow": { "Status": "NEW" }, "Severity": { "Label": severity },
            "UserDefinedFields": { "asaf_ticket": format!("WEB-{n}") },
            "Compliance": { "Status": status, "SecurityControlId": control },
            "Resources": [{ "Type": "AwsS3Bucket", "Id": format!("arn:aws:s3:::www-{n}") }] })
    };
    let (one, two) = ("012345678901", "123456789012");
    let hostile = "x | `@everyone` \u{1b}[2J\n::error::owned #1 <script>";
    let all = vec![
        finding(1, "S3.8", one, "CRITICAL", "FAILED", hostile),
        finding(2, "S3.8", one, "HIGH", "FAILED", "t"),
        finding(3, "S3.8", two, "HIGH", "FAILED", "t"),
        finding(4, "S3.8", two, "MEDIUM", "FAILED", "t"),
        finding(5, "S3.5", one, "MEDIUM", "FAILED", "t"),
        finding(6, "S3.8", one, "INFORMATIONAL", "PASSED", "t"),
    ];
    let path = repository.path().join(".git/findings.json");
    std::fs::write(
        &path,
        serde_json::to_string(&json!({ "Findings": all })).unwrap(),
    )
    .unwrap();
    path.to_string_lossy().into_owned()
}

const BOTH: &str = "accounts = [\"012345678901\", \"123456789012\"]";

#[test]
fn a_change_shows_what_it_hides_and_shows_again_loudest_first() {
    let base = rule(
        "old",
        "controls = [\"S3.5\"]\naccounts = [\"012345678901\"]",
    );
    let repository = Repository::new(&[OWNERS, ("ignore/web.toml", &base)]);
    let findings = findings(&repository);
    repository.git(&["checkout", "--quiet", "-b", "change"]);
    repository.commit(
        "Change",
        &[(
            "ignore/web.toml",
            &rule("new", &format!("controls = [\"S3.8\"]\n{BOTH}")),
        )],
    );
    let check = |more: &[&str]| {
        let mut arguments = vec!["ignore", "check", "--base", "main", "--findings", &findings];
        arguments.extend(more);
        asaf(&repository, &arguments)
    };
    let found = check(&["--output", "json"]).ok().json();
    assert_eq!(found["effect"]["failing"], 5);
    let ids = |list: &str| -> Vec<String> {
        found["effect"][list]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["finding"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids("hides"), ["f1", "f2", "f3", "f4"]);
    assert_eq!(ids("shows"), ["f5"]);
    assert_eq!(found["effect"]["hides"][0]["ticket"], "WEB-1");
    assert_eq!(
        found["title"],
        "Ignore rules: hides 4 findings (1 CRITICAL) in 2 accounts, shows 1 again — needs @acme/security"
    );
    let changed: Vec<(&str, &str)> = found["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["id"].as_str().unwrap(), c["change"].as_str().unwrap()))
        .collect();
    assert_eq!(changed, [("new", "added"), ("old", "removed")]);
    let kinds: Vec<&str> = found["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["hides-critical"]);
    // The same from the commit, without its files.
    let head = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["checkout", "--quiet", "main"]);
    let from_objects = check(&["--head", &head, "--output", "json"]).ok().json();
    assert_eq!(from_objects["effect"], found["effect"]);
    assert_eq!(from_objects["head"], head.as_str());
    let text = check(&["--head", &head]).ok().out;
    assert!(
        text.contains("+ new of team web") && text.contains("It hides 4 findings"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn a_pull_request_is_judged_as_merging_would_leave_it() {
    let one = rule("one", &format!("controls = [\"S3.8\"]\n{BOTH}"));
    let repository = Repository::new(&[OWNERS, ("ignore/README.md", "rules\n")]);
    repository.git(&["checkout", "--quiet", "-b", "change"]);
    let head = repository.commit("Change", &[("ignore/web.toml", &one)]);
    // Meanwhile somebody else's rule with the same id has come in.
    repository.git(&["checkout", "--quiet", "main"]);
    repository.commit(
        "Meanwhile",
        &[("ignore/other.toml", &one.replace("S3.8", "S3.5"))],
    );
    let checked = asaf(
        &repository,
        &[
            "ignore", "check", "--base", "main", "--head", &head, "--static",
        ],
    );
    assert_eq!(checked.code, 1);
    assert!(
        checked.out.contains("another rule is called `one`"),
        "{}",
        checked.out
    );
    // What is proposed never lies in the working tree.
    assert!(!repository.path().join("ignore/web.toml").exists());
}

#[test]
fn annotations_are_commands_at_the_rules_lines_within_githubs_limits() {
    let bad: String = (0..25)
        .map(|n| {
            rule(
                &format!("rule-{n}"),
                "controls = [\"S3.*\"]\naccounts = [\"1\"]",
            )
        })
        .collect();
    let repository = Repository::new(&[OWNERS, ("ignore/a,b:c.toml", &bad)]);
    let checked = asaf(
        &repository,
        &["ignore", "check", "--static", "--output", "github"],
    );
    assert_eq!(checked.code, 1);
    let lines: Vec<&str> = checked.out.lines().collect();
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("::error "))
            .count(),
        10
    );
    assert!(lines[0].starts_with("::error file=ignore/a%2Cb%3Ac.toml,line=3,endLine=3,col=13,endColumn=19,title=asaf ignore check::`S3.*` is a glob%0A"), "{}", lines[0]);
    assert!(
        lines
            .last()
            .unwrap()
            .contains("40 more errors and 14 more warnings stand in the summary"),
        "{:?}",
        lines.last()
    );
}

#[test]
fn hostile_text_is_inert_in_markdown_and_in_commands() {
    let hostile = rule("evil", &format!("controls = [\"S3.8\"]\n{BOTH}")).replace(
        "Intended, and",
        "</details> `@security` | [x](javascript:1) %0A::error::owned #1 and",
    );
    let repository = Repository::new(&[OWNERS, ("ignore/README.md", "rules\n")]);
    let findings = findings(&repository);
    repository.write("ignore/web.toml", &hostile);
    let check = |format: &str| {
        asaf(
            &repository,
            &[
                "ignore",
                "check",
                "--base",
                "main",
                "--findings",
                &findings,
                "--output",
                format,
            ],
        )
        .ok()
        .out
    };
    let markdown = check("markdown");
    for line in markdown
        .lines()
        .filter(|line| line.contains("security") && line.starts_with("| "))
    {
        // Outside code spans nothing of theirs is left.
        let outside: String = line.split('`').step_by(2).collect();
        for part in ["@", "#", "<", "](", "::"] {
            assert!(!outside.contains(part), "{part} in {outside}");
        }
        assert_eq!(line.matches('|').count(), 9, "{line}");
    }
    let commands = check("github");
    assert!(
        commands
            .lines()
            .all(|line| line.starts_with("::warning ") || line.starts_with("::notice ")),
        "{commands}"
    );
}

#[test]
fn without_security_as_code_owner_a_configured_check_fails() {
    let repository = Repository::new(&[("ignore/README.md", "rules\n")]);
    let config = "[aws]\nregion = \"eu-west-1\"\n[jira]\nurl = \"https://a.atlassian.net\"\nemail = \"a@b.c\"\ntoken = \"env:X\"\nreviewers = { group = \"g\" }\n[owners]\ndefault = { team = \"t\", project = \"SEC\" }\n[ignore]\ncheckout = \".\"\napprovers = [\"@acme/security\"]\n";
    repository.write("asaf.toml", config);
    let checked = asaf(
        &repository,
        &["ignore", "check", "--static", "--output", "json"],
    );
    assert_eq!(checked.code, 1);
    assert_eq!(checked.json()["problems"][0]["kind"], "unreviewed");
    let written = asaf(&repository, &["ignore", "code-owners"]).ok();
    assert!(
        written.err.contains(".github/CODEOWNERS is written"),
        "{}",
        written.err
    );
    asaf(&repository, &["ignore", "code-owners", "--check"]).ok();
    asaf(&repository, &["ignore", "check", "--static"]).ok();
    // A change that hands the rules to somebody else is seen before it is merged.
    repository.git(&["add", "--all"]);
    repository.commit("Owners", &[]);
    repository.git(&["checkout", "--quiet", "-b", "change"]);
    let head = repository.commit("Take over", &[(".github/CODEOWNERS", "* @acme/web\n")]);
    repository.git(&["checkout", "--quiet", "main"]);
    let checked = asaf(
        &repository,
        &[
            "ignore", "check", "--base", "main", "--head", &head, "--static",
        ],
    );
    assert_eq!(checked.code, 1);
    assert!(
        checked.out.contains("@acme/web may approve"),
        "{}",
        checked.out
    );
}

#[test]
fn a_new_rule_passes_its_own_check_and_a_bad_one_is_not_written() {
    let repository = Repository::new(&[OWNERS]);
    let new = |more: &[&str]| {
        let mut arguments = vec![
            "ignore",
            "new",
            "--no-input",
            "--owner",
            "web",
            "--requested-by",
            "pat",
            "--reason",
            "Public websites are here",
        ];
        arguments.extend(more);
        asaf(&repository, &arguments)
    };
    let written = new(&[
        "--control",
        "S3.8",
        "--account",
        "012345678901",
        "--resource",
        "arn:aws:s3:::www-*",
        "--tag",
        "public=yes",
    ])
    .ok();
    assert!(written.err.contains("ignore/web.toml"), "{}", written.err);
    new(&[
        "--control",
        "S3.5",
        "--account",
        "012345678901",
        "--id",
        "second",
        "--expires",
        "30d",
    ])
    .ok();
    let text = std::fs::read_to_string(repository.path().join("ignore/web.toml")).unwrap();
    assert!(
        text.contains(&format!("expires = {}", days_from_now(90)))
            && text.contains("id = \"second\""),
        "{text}"
    );
    asaf(&repository, &["ignore", "check", "--static"]).ok();
    for (more, sentence) in [
        (&["--control", "S3.8"][..], "would cover every account"),
        (
            &[
                "--control",
                "S3.8",
                "--account",
                "012345678901",
                "--id",
                "second",
            ],
            "another rule is called `second`",
        ),
        (
            &[
                "--control",
                "S3.8",
                "--account",
                "012345678901",
                "--expires",
                "400d",
            ],
            "180 are allowed",
        ),
        (
            &[
                "--control",
                "S3.8",
                "--account",
                "012345678901",
                "--expires",
                "soon",
            ],
            "is no day and no time",
        ),
        (
            &["--product", "gaurdduty", "--account", "012345678901"],
            "is no product",
        ),
        (
            &[
                "--control",
                "S3.8",
                "--resource",
                "arn:[",
                "--account",
                "012345678901",
            ],
            "cannot be used",
        ),
    ] {
        let refused = new(more);
        assert_ne!(refused.code, 0, "{more:?}");
        assert!(refused.err.contains(sentence), "{more:?}: {}", refused.err);
    }
    assert_eq!(
        std::fs::read_to_string(repository.path().join("ignore/web.toml")).unwrap(),
        text
    );
    let missing = asaf(
        &repository,
        &[
            "ignore",
            "new",
            "--no-input",
            "--control",
            "S3.8",
            "--owner",
            "web",
        ],
    );
    assert!(
        missing.err.contains("--reason is missing"),
        "{}",
        missing.err
    );
}

#[test]
fn bad_references_and_places_have_their_own_errors() {
    let repository = Repository::new(&[OWNERS]);
    let outside = tempfile::tempdir().unwrap();
    for (arguments, sentence) in [
        (&["--base", "nowhere"][..], "there is no commit nowhere"),
        (&["--base=--upload-pack=x"], "is no name of a commit"),
        (
            &["--base", "main", "--head", "main..x"],
            "is no name of a commit",
        ),
        (&["ignore/none.toml"], "reading"),
    ] {
        let mut all = vec!["ignore", "check"];
        all.extend(arguments);
        let refused = asaf(&repository, &all);
        assert_eq!(refused.code, 1, "{arguments:?}");
        assert!(
            refused.err.contains(sentence),
            "{arguments:?}: {}",
            refused.err
        );
    }
    std::fs::create_dir(repository.path().join("ignore")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", repository.path().join("ignore/x.toml")).unwrap();
    let refused = asaf(&repository, &["ignore", "check"]);
    assert!(refused.err.contains("is a link"), "{}", refused.err);
    let nowhere = said(
        Command::new(BINARY)
            .args(["ignore", "check", "--base", "main"])
            .current_dir(outside.path())
            .env_remove("ASAF_CONFIG"),
    );
    assert!(
        nowhere.err.contains("is in no Git repository"),
        "{}",
        nowhere.err
    );
    let schema = asaf(&repository, &["ignore", "schema"]).ok().json();
    assert_eq!(schema["title"], "asaf ignore rules");
}

/// The control with the most findings, with its accounts, from a plan.
fn most_common(plan: &Value) -> (String, Vec<String>, usize) {
    let mut counts: std::collections::BTreeMap<String, Vec<String>> =
        std::collections::BTreeMap::new();
    for action in plan["plan"]["actions"].as_array().unwrap() {
        let subject = &action["subject"];
        let rule = subject["rule"].as_str().unwrap().to_owned();
        if rule.contains('.') {
            counts
                .entry(rule)
                .or_default()
                .push(subject["account"].as_str().unwrap().to_owned());
        }
    }
    let (control, mut accounts) = counts
        .into_iter()
        .max_by_key(|(_, accounts)| accounts.len())
        .unwrap();
    let findings = accounts.len();
    accounts.sort();
    accounts.dedup();
    (control, accounts, findings)
}

#[test]
fn from_a_pull_request_to_a_hidden_finding_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let emulators = Emulators::start(4, 150);
    let here = folder.path();
    let first = emulators
        .asaf(here, &["reconcile", "--full", "--output", "json"])
        .ok()
        .json();
    let (control, accounts, findings) = most_common(&first);
    let quoted: Vec<String> = accounts.iter().map(|id| format!("\"{id}\"")).collect();
    let text = rule(
        "sites",
        &format!(
            "controls = [\"{control}\"]\naccounts = [{}]",
            quoted.join(", ")
        ),
    );
    // The check, as the workflow would run it on the pull request.
    let repository = Repository::new(&[OWNERS, ("ignore/README.md", "rules\n")]);
    repository.git(&["checkout", "--quiet", "-b", "change"]);
    let head = repository.commit("Ignore sites", &[("ignore/teams.toml", &text)]);
    repository.git(&["checkout", "--quiet", "main"]);
    let checked = emulators
        .asaf(
            repository.path(),
            &[
                "ignore", "check", "--base", "main", "--head", &head, "--output", "json",
            ],
        )
        .json();
    assert_eq!(
        checked["effect"]["hides"].as_array().unwrap().len(),
        findings,
        "{checked}"
    );
    let tickets = checked["effect"]["hides"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|m| m["ticket"].is_string())
        .count();
    assert_eq!(
        tickets, findings,
        "each has an open ticket, found by its label"
    );
    // The pull request on GitHub.
    let (number, _) = emulators.propose("pat/sites", "ignore/teams.toml", &text);
    let before = emulators
        .asaf(here, &["ignore", "sync", "--output", "json"])
        .ok()
        .json();
    assert!(
        before["plan"]["actions"].as_array().unwrap().is_empty(),
        "nothing is merged yet"
    );
    emulators.merge(number);
    let dry = emulators
        .asaf(here, &["ignore", "sync", "--dry-run"])
        .ok()
        .out;
    assert!(dry.contains(&format!("{findings} to ignore")), "{dry}");
    let synced = emulators
        .asaf(here, &["ignore", "sync", "--output", "json"])
        .ok()
        .json();
    assert_eq!(
        (
            synced["kind"].as_str(),
            synced["applied"]["done"]["ignored"].as_u64()
        ),
        (Some("rules"), Some(findings as u64)),
        "{synced}"
    );
    let listed = emulators
        .asaf(here, &["ignore", "ls", "--output", "json"])
        .ok()
        .json();
    let one = &listed["rules"][0];
    assert_eq!(
        (
            one["id"].as_str(),
            one["hides"].as_u64(),
            one["origin"]["pull_request"].as_u64()
        ),
        (Some("sites"), Some(findings as u64), Some(number))
    );
    assert_eq!(one["origin"]["approved_by"], json!(["robin"]));
    assert_eq!(
        emulators
            .asaf(here, &["ignore", "ls", "--unused", "--output", "json"])
            .ok()
            .json()["rules"],
        json!([])
    );
    let table = emulators.asaf(here, &["ignore", "ls"]).ok().out;
    assert!(
        table.contains("sites")
            && table.contains(&format!("pull request #{number}"))
            && table.contains("robin"),
        "{table}"
    );
    let stats = emulators
        .asaf(here, &["ignore", "stats", "--output", "json"])
        .ok()
        .json();
    assert_eq!(
        (
            stats["live"].as_u64(),
            stats["hidden"].as_u64(),
            stats["hidden_by_team"]["web"].as_u64()
        ),
        (Some(1), Some(findings as u64), Some(findings as u64))
    );
    let hidden = synced["plan"]["actions"][0]["subject"].clone();
    let why = emulators
        .asaf(here, &["ignore", "why", hidden["ticket"].as_str().unwrap()])
        .ok()
        .out;
    assert!(
        why.contains("Ignored by rule sites") && why.contains("approved by robin"),
        "{why}"
    );
    let again = emulators
        .asaf(here, &["ignore", "sync", "--output", "json"])
        .ok()
        .json();
    assert!(again["plan"]["actions"].as_array().unwrap().is_empty());
    // The rule goes, and all of it comes back.
    let (number, _) = emulators.propose("pat/no-sites", "ignore/teams.toml", "# none\n");
    emulators.merge(number);
    let back = emulators
        .asaf(here, &["ignore", "sync", "--output", "json"])
        .ok()
        .json();
    assert_eq!(
        back["applied"]["done"]["reopened"].as_u64(),
        Some(findings as u64),
        "{back}"
    );
}

#[test]
fn a_ticket_becomes_a_pull_request_once_and_the_merged_rule_hides_it() {
    let folder = tempfile::tempdir().unwrap();
    let emulators = Emulators::start(3, 60);
    let here = folder.path();
    emulators.asaf(here, &["reconcile", "--full"]).ok();
    let plan = emulators.asaf(
        here,
        &["ignore", "propose", "NONE-1", "--reason", "Public website"],
    );
    assert!(
        plan.err.contains("no finding is known for ticket NONE-1"),
        "{}",
        plan.err
    );
    let ticket = "SEC-1";
    let unasked = emulators.asaf(here, &["ignore", "propose", ticket]);
    assert!(
        unasked.err.contains("--reason is missing"),
        "{}",
        unasked.err
    );
    let short = emulators.asaf(here, &["ignore", "propose", ticket, "--reason", "ok"]);
    assert!(
        short.code == 1 && short.err.contains("`reason` is too short"),
        "{}",
        short.err
    );
    let propose = |more: &[&str]| {
        let mut arguments = vec![
            "ignore",
            "propose",
            ticket,
            "--reason",
            "Served on purpose | `@all`",
            "--requested-by",
            "pat",
            "--output",
            "json",
        ];
        arguments.extend(more);
        emulators.asaf(here, &arguments).ok().json()
    };
    assert_eq!(propose(&["--dry-run"])["number"], Value::Null);
    let opened = propose(&[]);
    assert_eq!(
        propose(&[])["number"],
        opened["number"],
        "a second try finds the first"
    );
    let number = opened["number"].as_u64().unwrap();
    let (_, pull) = emulators.github(
        "robin",
        "GET",
        &format!("/repos/acme/rules/pulls/{number}"),
        None,
    );
    assert_eq!(
        (
            pull["user"]["login"].as_str(),
            pull["changed_files"].as_u64()
        ),
        (Some("asaf[bot]"), Some(1))
    );
    let body = pull["body"].as_str().unwrap();
    assert!(
        body.contains("`SEC-1`") && body.contains("`Served on purpose ¦ '@all'`"),
        "{body}"
    );
    emulators.merge(number);
    let synced = emulators
        .asaf(here, &["ignore", "sync", "--output", "json"])
        .ok()
        .json();
    let actions = synced["plan"]["actions"].as_array().unwrap();
    assert_eq!(actions.len(), 1, "{synced}");
    assert_eq!(actions[0]["subject"]["ticket"], ticket);
    let explained = emulators.asaf(here, &["explain", ticket]).ok().out;
    assert!(
        explained.contains(&format!("pull request #{number}"))
            && explained.contains("Next\n  Nothing through ")
            && explained.contains("  ignored by rule "),
        "{explained}"
    );
}

#[test]
fn a_pull_request_has_one_comment_and_one_check_however_often_it_is_checked() {
    let emulators = Emulators::start(3, 60);
    // The workflow's own token.
    let token = emulators.ready()["github_users"]["github-actions[bot]"]["token"]
        .as_str()
        .unwrap();
    let text = rule("sites", &format!("controls = [\"S3.8\"]\n{BOTH}"));
    let (number, head) = emulators.propose("pat/sites", "ignore/teams.toml", &text);
    let repository = Repository::clone_of(&emulators, &head);
    let check = |head: &str| {
        let mut command = Command::new(BINARY);
        command.args([
            "ignore",
            "check",
            "--base",
            "main",
            "--head",
            head,
            "--pull-request",
            &number.to_string(),
        ]);
        command
            .current_dir(repository.path())
            .env("ASAF_CONFIG", emulators.config());
        emulators.environment(&mut command);
        command.env("ASAF_GITHUB_TOKEN", token);
        said(&mut command)
    };
    // Somebody else's comment with our mark is nobody's business.
    let comments = format!("/repos/acme/rules/issues/{number}/comments");
    emulators.github(
        "mallory",
        "POST",
        &comments,
        Some(json!({ "body": "<!-- asaf-ignore-check -->\nAll is well, merge it!" })),
    );
    check(&head).ok();
    check(&head).ok();
    let (_, all) = emulators.github("robin", "GET", &comments, None);
    let by: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|comment| comment["user"]["login"].as_str().unwrap())
        .collect();
    assert_eq!(by, ["mallory", "github-actions[bot]"]);
    assert!(
        all[1]["body"].as_str().unwrap().contains("`sites`"),
        "{}",
        all[1]["body"]
    );
    let (_, checks) = emulators.github(
        "robin",
        "GET",
        &format!("/repos/acme/rules/commits/{head}/check-runs"),
        None,
    );
    assert_eq!(checks["total_count"], 1);
    let run = &checks["check_runs"][0];
    // The accounts of this rule are not those of this world.
    assert_eq!(
        (run["name"].as_str(), run["conclusion"].as_str()),
        (Some("asaf ignore check"), Some("neutral"))
    );
    assert_eq!(run["output"]["annotations_count"], 1);
    assert!(
        run["output"]["title"]
            .as_str()
            .unwrap()
            .contains("needs @acme/security"),
        "{run}"
    );
    // The pull request has moved on: the outcome of an older commit is not put on the newer one.
    let main = repository.git(&["rev-parse", "main"]);
    let refused = check(&main);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("its newer run will say more"),
        "{}",
        refused.err
    );
}
