//! Bad input, each with its own readable error: what is wrong, where, and what to try. Nothing is lost, nothing else
//! stops.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scene;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use asaf::emulators::jira::Role;
use asaf::emulators::world::World;
use asaf::jobs::reconcile::Wish;
use scene::Scene;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_asaf");

/// Served emulators, and a desk where configurations go wrong.
struct Site {
    process: Child,
    ready: Value,
    folder: tempfile::TempDir,
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ready.json");
        let process = Command::new(BINARY)
            .args(["--quiet", "emulate", "--accounts", "8", "--findings", "120"])
            .args(["--quotas", "off", "--ready-file"])
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !file.exists() {
            assert!(Instant::now() < deadline, "the emulators are not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        let ready = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        Site {
            process,
            ready,
            folder,
        }
    }

    fn url(&self, side: &str) -> &str {
        self.ready[side].as_str().unwrap()
    }

    /// Runs a command with one thing changed in the configuration, and one in the environment.
    fn asaf(&self, arguments: &[&str], change: (&str, &str), env: (&str, &str)) -> Said {
        let text = std::fs::read_to_string(self.url("config")).unwrap();
        let changed = text.replace(change.0, change.1);
        assert!(change.0 == change.1 || changed != text, "{}", change.0);
        let config: PathBuf = self.folder.path().join("asaf.toml");
        let store = self.folder.path().join("store.sqlite3");
        std::fs::write(
            &config,
            changed.replace("asaf.sqlite3", &store.to_string_lossy()),
        )
        .unwrap();
        let mut command = Command::new(BINARY);
        command.args(arguments).env("ASAF_CONFIG", config);
        for (name, value) in self.ready["env"].as_object().unwrap() {
            command.env(name, value.as_str().unwrap());
        }
        let done = command.env(env.0, env.1).output().unwrap();
        Said {
            code: done.status.code().unwrap(),
            out: String::from_utf8(done.stdout).unwrap(),
            err: String::from_utf8(done.stderr).unwrap(),
        }
    }

    fn configured(&self, from: &str, to: &str) -> Said {
        self.asaf(&["reconcile"], (from, to), ("UNUSED", ""))
    }
}

#[test]
fn wrong_credentials_are_named_with_what_renews_them() {
    let site = Site::new();
    let token = site.asaf(&["reconcile"], ("", ""), ("ASAF_JIRA_TOKEN", "wrong"));
    assert_eq!((token.code, token.out.as_str()), (4, ""), "{}", token.err);
    assert!(
        token.err.contains("is wrong or has expired"),
        "{}",
        token.err
    );
    assert!(!token.err.contains("wrong:"), "no token in a message");
    let key = site.asaf(&["reconcile"], ("", ""), ("AWS_ACCESS_KEY_ID", "AKIAWRONG"));
    assert_eq!((key.code, key.out.as_str()), (4, ""), "{}", key.err);
    assert!(key.err.contains("Renew the AWS credentials"), "{}", key.err);
}

#[test]
fn a_host_that_cannot_be_reached_is_named() {
    let site = Site::new();
    for side in ["jira", "aws"] {
        let said = site.configured(site.url(side), "http://127.0.0.1:1");
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.err);
        assert!(said.err.contains("127.0.0.1"), "{}", said.err);
        assert!(said.err.contains("cannot reach"), "{}", said.err);
        assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    }
}

#[test]
fn what_a_project_refuses_is_one_error_and_the_other_projects_go_on() {
    let site = Site::new();
    let said = site.configured("project = \"DATA\"", "project = \"NOPE\"");
    assert_eq!(said.code, 5, "{}", said.err);
    assert!(said.out.contains(" created."), "{}", said.out);
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!(lines.len(), 1, "{}", said.err);
    assert!(
        lines[0].contains("creating tickets in NOPE"),
        "{}",
        lines[0]
    );
    assert!(
        lines[0].contains("Check that the project NOPE exists"),
        "{}",
        lines[0]
    );
    let jira = site.configured("\"Task\"", "\"Tusk\"");
    assert!(jira.err.contains("no issue type “Tusk”"), "{}", jira.err);
    // Corrected, everything is created: nothing was counted against the findings.
    for _ in 0..6 {
        site.configured("\"Task\"", "\"Tusk\"");
    }
    let right = site.configured("", "");
    assert_eq!((right.code, right.err.as_str()), (0, ""), "{}", right.out);
    assert!(right.out.contains(" created."), "{}", right.out);
}

#[test]
fn a_status_that_jira_does_not_have_is_said_before_anything_is_written() {
    let site = Site::new();
    let said = site.configured("\"Resolved\"", "\"Done and dusted\"");
    assert_eq!((said.code, said.out.as_str()), (4, ""), "{}", said.err);
    assert!(
        said.err.contains("no status Done and dusted"),
        "{}",
        said.err
    );
    assert!(said.err.contains("jira.statuses.resolved"), "{}", said.err);
    assert!(
        said.err.contains("Resolved"),
        "the names that exist: {}",
        said.err
    );
}

#[test]
fn half_a_file_of_findings_is_named_and_the_rest_is_planned() {
    let site = Site::new();
    let findings = site.folder.path().join("findings");
    std::fs::create_dir(&findings).unwrap();
    let megabyte = "A".repeat(1_000_000);
    let all = [
        finding("whole", "A title"),
        finding("long", &megabyte),
        finding("nothing", ""),
        finding("blank", " \t "),
    ];
    let whole = json!({ "Findings": all }).to_string();
    std::fs::write(findings.join("whole.json"), &whole).unwrap();
    std::fs::write(findings.join("half.json"), &whole[..whole.len() / 2]).unwrap();
    let path = findings.to_string_lossy().into_owned();
    let said = site.asaf(&["plan", "--findings", &path], ("", ""), ("UNUSED", ""));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("half.json"), "{}", said.err);
    assert!(said.err.contains("line 1 column"), "{}", said.err);
    assert!(said.out.contains("4 to create"), "{}", said.out);
    assert!(said.out.len() < 10_000, "a title of a megabyte is cut");
}

/// Text that would be markup, a mention, a query, an escape or too much, if it were not only text.
fn hostile() -> Vec<(&'static str, String)> {
    vec![
        // As much as Security Hub keeps of a finding, all fields together.
        ("long", "A".repeat(70_000)),
        (
            "control",
            "bell\u{7} escape\u{1b}[2J nul\u{0} bidi\u{202e}txt".to_owned(),
        ),
        (
            "markup",
            "{panel}h1. *bold*{panel} <script>alert(1)</script> ![x](http://e)".to_owned(),
        ),
        (
            "mention",
            "[~accountid:557058:1] @all <!channel> <@U1> {\"type\":\"mention\"}".to_owned(),
        ),
        ("jql", "x\" OR project = SEC --".to_owned()),
        ("lines", "one\r\ntwo\n\n\nthree\u{2028}four".to_owned()),
    ]
}

fn finding(id: &str, title: &str) -> Value {
    json!({
        "SchemaVersion": "2018-10-08", "Id": format!("hostile/{id}"), "AwsAccountId": "200000000001",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub", "Region": "eu-west-1",
        "GeneratorId": "security-control/S3.8", "Title": title, "Description": title,
        "CreatedAt": "2026-11-24T07:00:00Z", "UpdatedAt": "2026-11-24T07:00:00Z",
        "Severity": { "Label": "HIGH", "Original": "HIGH" },
        "Compliance": { "Status": "FAILED", "SecurityControlId": "S3.8" },
        "Remediation": { "Recommendation": { "Text": title, "Url": "javascript:alert(1)" } },
        "Resources": [{ "Type": "AwsS3Bucket", "Id": format!("arn:aws:s3:::{id}"), "Region": "eu-west-1" }],
    })
}

#[tokio::test]
async fn hostile_findings_become_tickets_of_plain_text_and_stop_no_other() {
    let scene = Scene::new(3, 40);
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let World { aws, journal, .. } = &mut *world;
        for (id, title) in hostile() {
            aws.hub.import(finding(id, &title), now, journal);
        }
    }
    let applied = scene.run(Wish::Due).await.applied.unwrap();
    assert!(applied.failures.is_empty(), "{:?}", applied.failures);
    assert!(applied.done.created >= 20 + hostile().len());
    {
        let world = scene.world.lock();
        let engine = world.jira.user(Role::Bot).unwrap().account_id.clone();
        assert!(!engine.is_empty());
        for issue in world.jira.issues() {
            assert_clean(&issue.summary, &issue.key);
            assert!(issue.summary.chars().count() <= 255, "{}", issue.key);
            assert!(!issue.summary.trim().is_empty(), "{}", issue.key);
            let description = issue.description.as_ref().unwrap();
            only_text(&description.value(), &issue.key);
        }
    }
    scene.settle().await;
}

/// No control or bidirectional character, and one line.
fn assert_clean(text: &str, key: &str) {
    let bad = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!text.chars().any(bad), "{key}: {text:?}");
}

/// Of ADF's nodes only those that hold text, and links to https alone.
fn only_text(node: &Value, key: &str) {
    let known = [
        "doc",
        "paragraph",
        "heading",
        "text",
        "table",
        "tableRow",
        "tableCell",
        "tableHeader",
        "bulletList",
        "listItem",
        "panel",
        "hardBreak",
        "strong",
        "code",
        "link",
        "rule",
        "codeBlock",
        "em",
    ];
    match node {
        Value::Object(members) => {
            if let Some(kind) = members.get("type").and_then(Value::as_str) {
                assert!(
                    known.contains(&kind) || kind == "info" || kind == "warning",
                    "{key}: {kind}"
                );
            }
            if let Some(target) = members.get("href").and_then(Value::as_str) {
                assert!(target.starts_with("https://"), "{key}: {target}");
            }
            if let Some(text) = members.get("text").and_then(Value::as_str) {
                assert_clean(text, key);
            }
            members.values().for_each(|child| only_text(child, key));
        }
        Value::Array(children) => children.iter().for_each(|child| only_text(child, key)),
        _ => {}
    }
}
