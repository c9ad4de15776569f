//! The operator's stories: setting up, wrong configurations, wrong command lines. Each mistake has its own readable
//! error, an exit code that means something, and nothing that a terminal would obey.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use tempfile::TempDir;

const GOOD: &str = r#"[aws]
region = "eu-west-1"

[jira]
url = "https://example.atlassian.net"
email = "bot@example.com"
token = "env:ASAF_JIRA_TOKEN"
reviewers = { group = "security-reviewers" }

[owners]
default = { team = "security", project = "SEC" }
"#;

/// An operator's folder with a configuration, and what the program said there.
struct Desk {
    folder: TempDir,
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn empty() -> Self {
        Desk {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn with(config: impl AsRef<[u8]>) -> Self {
        let desk = Desk::empty();
        fs::write(desk.config(), config).unwrap();
        desk
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("asaf.toml")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_asaf"));
        command
            .current_dir(self.folder.path())
            .env_remove("ASAF_CONFIG")
            .env_remove("ASAF_LOG")
            .env_remove("ASAF_JIRA_TOKEN")
            .env_remove("CLICOLOR_FORCE");
        command
    }

    fn asaf(&self, arguments: &[&str]) -> Said {
        said(
            self.command()
                .env("ASAF_JIRA_TOKEN", "t0ken")
                .args(arguments),
        )
    }
}

fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_good_file_passes_and_stdout_stays_empty() {
    let said = Desk::with(GOOD).asaf(&["config", "check"]);
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
    assert!(said.err.contains("asaf.toml is valid"), "{}", said.err);
    let quiet = Desk::with(GOOD).asaf(&["config", "check", "--quiet"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""));
}

#[test]
fn every_wrong_file_has_its_own_error_with_line_and_caret() {
    for (from, to, line, sentence) in [
        (r#""eu-west-1""#, r#""eu-west-1"#, 2, "invalid basic string"),
        ("region", "regoin", 2, "did you mean `region`?"),
        (
            "[owners]",
            "[policy]\nsuppressed_by_hand = \"ignore\"\n[owners]",
            11,
            "known here: respect, revert",
        ),
        (
            "[owners]",
            "[[owners.rules]]\naccounts = [012345678901]\n[owners]",
            11,
            "put each in quotes",
        ),
        (
            r#"url = "https://example.atlassian.net""#,
            "",
            4,
            "the key `url` is missing",
        ),
        (
            "https://",
            "http://",
            5,
            "http would send credentials in the clear",
        ),
        (r#""SEC""#, r#""sec""#, 11, "`sec` is no project key"),
    ] {
        let broken = GOOD.replacen(from, to, 1);
        assert_ne!(broken, GOOD);
        let said = Desk::with(broken).asaf(&["config", "check"]);
        assert_eq!(
            (said.code, said.out.as_str()),
            (4, ""),
            "{to}: {}",
            said.err
        );
        assert!(said.err.contains(sentence), "{to}: {}", said.err);
        assert!(
            said.err.contains(&format!("asaf.toml:{line}:")),
            "{to}: {}",
            said.err
        );
        assert!(said.err.contains('^'), "{to}: {}", said.err);
    }
}

#[test]
fn a_missing_file_says_how_to_write_one() {
    let said = Desk::empty().asaf(&["config", "check"]);
    assert_eq!(said.code, 4);
    assert!(
        said.err.contains("asaf init --output asaf.toml"),
        "{}",
        said.err
    );
}

#[test]
fn a_file_that_is_no_text_and_a_folder_are_refused() {
    let said = Desk::with(b"\xff\xfe\0").asaf(&["config", "check"]);
    assert_eq!(said.code, 4);
    assert!(said.err.contains("UTF-8"), "{}", said.err);
    let said = Desk::empty().asaf(&["config", "check", "--config", "."]);
    assert_eq!(said.code, 4);
    assert!(said.err.contains("it is a folder"), "{}", said.err);
}

#[test]
fn a_missing_secret_is_named_by_its_reference() {
    let desk = Desk::with(GOOD);
    let missing = said(desk.command().args(["config", "check"]));
    assert_eq!(missing.code, 4);
    assert!(
        missing.err.contains("env:ASAF_JIRA_TOKEN"),
        "{}",
        missing.err
    );
    assert!(missing.err.contains("is not set"), "{}", missing.err);
    let skipped = said(desk.command().args(["config", "check", "--skip-secrets"]));
    assert_eq!(skipped.code, 0, "{}", skipped.err);
}

#[test]
fn the_environment_names_the_file_and_the_option_wins() {
    let desk = Desk::empty();
    fs::write(desk.folder.path().join("other.toml"), GOOD).unwrap();
    let env = said(desk.command().env("ASAF_CONFIG", "other.toml").args([
        "config",
        "check",
        "--skip-secrets",
    ]));
    assert_eq!(env.code, 0, "{}", env.err);
    let option = said(desk.command().env("ASAF_CONFIG", "other.toml").args([
        "config",
        "check",
        "--config",
        "third.toml",
    ]));
    assert_eq!(option.code, 4);
    assert!(option.err.contains("third.toml"), "{}", option.err);
}

#[test]
fn show_prints_values_with_their_origin_and_never_a_secret() {
    let desk = Desk::with(GOOD);
    let text = desk.asaf(&["config", "show"]);
    assert_eq!(text.code, 0, "{}", text.err);
    for line in [
        ["aws.region", "\"eu-west-1\"", "file"],
        ["aws.aggregator", "\"org\"", "default"],
        ["jira.token", "\"env:ASAF_JIRA_TOKEN\"", "file"],
    ] {
        let shown = text.out.lines().any(|l| l.split_whitespace().eq(line));
        assert!(shown, "{line:?} in {}", text.out);
    }
    assert!(!text.out.contains("t0ken"));
    let json = desk.asaf(&["config", "show", "--output", "json"]);
    let settings: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!(
        settings
            .as_array()
            .unwrap()
            .iter()
            .all(|s| s["origin"].is_string())
    );
}

#[test]
fn the_schema_is_json_and_needs_no_configuration() {
    let said = Desk::empty().asaf(&["config", "schema"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let schema: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn init_writes_a_file_that_passes_the_check() {
    let desk = Desk::empty();
    let all = [
        "init",
        "--no-input",
        "--region",
        "eu-west-1",
        "--jira-url",
        "https://acme.atlassian.net",
        "--jira-email",
        "asaf@acme.example",
        "--project",
        "SEC",
        "--team",
        "security",
        "--reviewers",
        "security-reviewers",
    ];
    let init = desk.asaf(&all);
    assert_eq!((init.code, init.out.as_str()), (0, ""), "{}", init.err);
    let check = desk.asaf(&["config", "check"]);
    assert_eq!(check.code, 0, "{}", check.err);

    let before = fs::read(desk.config()).unwrap();
    let again = desk.asaf(&all);
    assert_eq!(again.code, 0, "the same answers change nothing");
    assert!(again.err.contains("is left as it is"), "{}", again.err);
    let other = desk.asaf(&["init", "--no-input", "--project", "PAY"]);
    assert_eq!(other.code, 1);
    assert!(other.err.contains("--force"), "{}", other.err);
    assert_eq!(fs::read(desk.config()).unwrap(), before);
}

#[test]
fn init_leaves_open_what_it_was_not_told_and_refuses_wrong_values() {
    let desk = Desk::empty();
    let open = desk.asaf(&["init", "--no-input", "--region", "eu-west-1"]);
    assert_eq!(open.code, 0, "{}", open.err);
    assert!(open.err.contains("still empty: jira.url"), "{}", open.err);
    assert_eq!(desk.asaf(&["config", "check"]).code, 4);

    let wrong = Desk::empty();
    let said = wrong.asaf(&["init", "--no-input", "--jira-url", "ftp://acme.example"]);
    assert_eq!(said.code, 4);
    assert!(said.err.contains("jira.url"), "{}", said.err);
    assert!(!wrong.config().exists(), "nothing is written");
}

#[test]
fn wrong_command_lines_exit_with_64_and_suggest() {
    let desk = Desk::empty();
    for (arguments, sentence) in [
        (&["confg"][..], "'config'"),
        (&["config", "chek"][..], "'check'"),
        (&["config", "check", "--qiet"][..], "'--quiet'"),
        (
            &["config", "check", "--quiet", "--verbose"][..],
            "cannot be used with",
        ),
        (&[][..], "Usage:"),
    ] {
        let said = desk.asaf(arguments);
        assert_eq!(
            (said.code, said.out.as_str()),
            (64, ""),
            "{arguments:?}: {}",
            said.err
        );
        assert!(said.err.contains(sentence), "{arguments:?}: {}", said.err);
    }
}

#[test]
fn help_has_examples_and_exits_with_0() {
    let desk = Desk::empty();
    for arguments in [
        &["--help"][..],
        &["init", "--help"],
        &["config", "--help"],
        &["config", "check", "--help"],
        &["config", "schema", "--help"],
        &["config", "show", "--help"],
        &["pause", "--help"],
        &["pause", "all", "--help"],
        &["pause", "ls", "--help"],
        &["resume", "--help"],
        &["quarantine", "--help"],
        &["quarantine", "retry", "--help"],
    ] {
        let said = desk.asaf(arguments);
        assert_eq!(said.code, 0, "{arguments:?}");
        assert!(said.out.contains("Example"), "{arguments:?}: {}", said.out);
        assert!(
            said.out.contains("ASAF_CONFIG"),
            "{arguments:?}: {}",
            said.out
        );
        assert!(!said.out.contains('\u{1b}'), "a pipe gets no colour");
    }
    assert!(desk.asaf(&["--version"]).out.starts_with("asaf "));
}

#[test]
fn a_pause_is_listed_with_its_reason_and_ends_once() {
    let desk = Desk::with(GOOD);
    let none = desk.asaf(&["pause", "ls"]);
    assert_eq!((none.code, none.out.as_str()), (0, "Nothing is paused.\n"));
    let account = ["account", "123456789012"];
    let why = ["--why", "the accounts \u{1b}[31mmove\n", "--by", "kim"];
    let paused = desk.asaf(&[&["pause"], &account[..], &why[..]].concat());
    assert_eq!(paused.code, 0, "{}", paused.err);
    assert!(
        paused.err.contains("account 123456789012 is paused"),
        "{}",
        paused.err
    );
    desk.asaf(&["pause", "project", "PAY", "--why", "rebuilt", "--by", "kim"]);
    let listed = desk.asaf(&["pause", "ls"]).out;
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(
        lines[0].starts_with("account 123456789012  since 20"),
        "{listed}"
    );
    assert!(lines[0].ends_with("by kim: the accounts move"), "{listed}");
    let json = desk.asaf(&["pause", "ls", "--output", "json"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[1]["scope"]["project"], "PAY");
    let resume = [&["resume"], &account[..]].concat();
    let resumed = desk.asaf(&resume);
    assert_eq!(resumed.code, 0);
    assert!(
        resumed.err.contains("Still paused: project PAY."),
        "{}",
        resumed.err
    );
    let again = desk.asaf(&resume);
    assert_eq!(again.code, 1);
    assert!(
        again.err.contains("account 123456789012 is not paused"),
        "{}",
        again.err
    );
}

#[test]
fn a_pause_needs_a_reason_and_a_scope_that_exists() {
    let desk = Desk::with(GOOD);
    for arguments in [
        &["pause"][..],
        &["pause", "all", "--by", "kim"],
        &["pause", "all", "--by", "kim", "--why", " "],
        &["pause", "account", "123", "--by", "kim", "--why", "x"],
        &["pause", "project", "pay", "--by", "kim", "--why", "x"],
        &["resume", "account"],
    ] {
        let said = desk.asaf(arguments);
        assert_eq!(said.code, 64, "{arguments:?}: {}", said.err);
    }
    assert_eq!(desk.asaf(&["pause", "ls"]).out, "Nothing is paused.\n");
}

#[test]
fn no_color_is_obeyed() {
    let desk = Desk::empty();
    let plain = said(desk.command().env("NO_COLOR", "1").arg("--help"));
    assert!(!plain.out.contains('\u{1b}'));
    let forced = said(desk.command().env("CLICOLOR_FORCE", "1").arg("--help"));
    assert!(forced.out.contains('\u{1b}'), "the test above can fail");
    let error = said(
        desk.command()
            .env("NO_COLOR", "1")
            .args(["config", "check"]),
    );
    assert!(!error.err.contains('\u{1b}'));
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}end";
    let in_file = format!("{hostile}\n{GOOD}");
    let in_value = GOOD.replace("eu-west-1", "\\u001b[2J\\u009b31m\\u202eend");
    let in_key = GOOD.replace("region", "\"reg\\u001b[2Jion\"");
    for broken in [in_file, in_value, in_key] {
        let said = said(
            Desk::with(broken)
                .command()
                .env("CLICOLOR_FORCE", "1")
                .args(["config", "check"]),
        );
        assert_eq!(said.code, 4, "{}", said.err);
        assert_harmless(&said.err);
    }
    let desk = Desk::empty();
    for arguments in [
        &[hostile][..],
        &["config", "check", "--config", hostile],
        &["init", "--no-input", "--region", hostile],
        &["init", "--no-input", "--output", hostile],
    ] {
        let said = said(desk.command().args(arguments));
        assert_harmless(&said.err);
        assert_harmless(&said.out);
    }
}

fn assert_harmless(text: &str) {
    let bad: Vec<char> = text
        .chars()
        .filter(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}')
        .collect();
    assert!(bad.is_empty(), "{bad:?} in {text:?}");
}
