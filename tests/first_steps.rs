//! The newcomer: copies the commands of the README on a site as Atlassian hands it out, twice.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod console;

use std::path::Path;

use asaf::emulators::jira::Role;
use console::Console;
use serde_json::json;

/// The five commands, as the README has them: the one block of `sh`.
fn commands() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (_, block) = readme.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    assert!(!readme.split_once(block).unwrap().1.contains("```sh"));
    block.lines().map(str::to_owned).collect()
}

/// A site without anything of ours, the environment that the README names, and no configuration.
async fn newcomer() -> Console {
    let mut console = Console::with_findings(30).await;
    for file in std::fs::read_dir(console.folder.path()).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let (_, bot, token) = console.user(Role::Bot);
    let (_, admin, admin_token) = console.user(Role::Admin);
    for (name, value) in [
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_ENDPOINT_URL", console.urls.aws.clone()),
        ("ASAF_JIRA_URL", console.urls.jira.clone()),
        ("ASAF_JIRA_EMAIL", bot),
        ("ASAF_JIRA_TOKEN", token),
        ("ASAF_JIRA_ADMIN_EMAIL", admin),
        ("ASAF_JIRA_ADMIN_TOKEN", admin_token),
        (
            "ASAF_WEBHOOK_URL",
            "http://127.0.0.1:9/webhook/jira".to_owned(),
        ),
        (
            "ASAF_WEBHOOK_SECRET",
            "0123456789abcdef0123456789abcdef".to_owned(),
        ),
    ] {
        console.env.push((name.to_owned(), value));
    }
    console
}

#[tokio::test(flavor = "multi_thread")]
async fn five_commands_lead_to_a_working_system_and_change_nothing_when_repeated() {
    let console = newcomer().await;
    let commands = commands();
    let names: Vec<&str> = commands
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(
        names,
        ["init", "workflow", "webhook", "doctor", "reconcile"]
    );
    for line in &commands {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[0], "asaf", "{line}");
        console.asaf(&words[1..]).ends(0);
    }
    let tickets = console.issues();
    assert!(tickets > 10, "{tickets}");
    // It works: the team resolves and cannot close, the reviewer closes, and Security Hub hears of it.
    let key = {
        let world = console.world.lock();
        world.jira.issues().next().unwrap().key.clone()
    };
    assert_eq!(console.move_as(Role::Product, &key, "21"), 204);
    assert_eq!(console.move_as(Role::Product, &key, "31"), 400);
    assert_eq!(console.move_as(Role::Reviewer, &key, "31"), 204);
    console.asaf(&["reconcile", "--full"]).says(0, "RESOLVED");

    let file = console.folder.path().join("asaf.toml");
    let written = std::fs::read(&file).unwrap();
    console.forget_requests();
    for line in &commands {
        let words: Vec<&str> = line.split(' ').collect();
        console.asaf(&words[1..]).ends(0);
    }
    console.nothing_was_written();
    assert_eq!(console.issues(), tickets);
    assert_eq!(std::fs::read(&file).unwrap(), written);
    console.asaf(&["plan", "--detailed-exitcode"]).ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn init_writes_what_it_discovers_and_the_doctor_says_what_is_left() {
    let mut console = newcomer().await;
    console
        .asaf(&["workflow", "show"])
        .says(0, "asaf security tickets");
    let init = console.asaf(&[
        "init",
        "--no-input",
        "--reviewers",
        "security-reviewers",
        "--team",
        "security",
    ]);
    init.says(0, "still empty: owners.default.project");
    let text = std::fs::read_to_string(console.folder.path().join("asaf.toml")).unwrap();
    for line in [
        "# Projects of this site: ",
        "# Statuses of this site: Done, In Progress, To Do",
        "# Groups of this site: ",
        "endpoint_url = \"http://127.0.0.1:",
        "[jira.admin]\nemail = \"",
        "url = \"http://127.0.0.1:9/webhook/jira\"\nsecrets = [\"env:ASAF_WEBHOOK_SECRET\"]",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    let all = [
        "init",
        "--force",
        "--project",
        "SEC",
        "--reviewers",
        "security-reviewers",
        "--team",
        "security",
    ];
    let init = console.asaf(&all);
    init.says(0, "FAILED   jira.workflow");
    init.says(0, "Next: `asaf workflow apply`");
    // The home Region is where Security Hub gathers, whatever the shell says.
    let region = console
        .env
        .iter_mut()
        .find(|(name, _)| name == "AWS_REGION")
        .unwrap();
    region.1 = "us-east-1".to_owned();
    console.asaf(&all).says(
        0,
        "Security Hub gathers findings in eu-west-1: that is aws.region.",
    );
    console.asaf(&["config", "show"]).says(0, "eu-west-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_registered_once_and_its_secret_sent_again_on_request() {
    let mut console = newcomer().await;
    console
        .asaf(&["webhook", "register"])
        .says(4, "there is no");
    console
        .asaf(&[
            "init",
            "--project",
            "SEC",
            "--team",
            "security",
            "--reviewers",
            "security-reviewers",
        ])
        .ends(0);
    console
        .asaf(&["webhook", "status"])
        .says(1, "`asaf webhook register` makes it");
    console.asaf(&["webhook", "register"]).says(
        0,
        "Registered: Jira calls http://127.0.0.1:9/webhook/jira now.",
    );
    let status = console.asaf(&["webhook", "status", "--output", "json"]);
    status.ends(0);
    let hook = &status.json()["registered"][0];
    assert_eq!(
        (&hook["signed"], &hook["enabled"], &hook["differs"]),
        (&json!(true), &json!(true), &json!([]))
    );
    assert!(
        !status.out.contains("0123456789abcdef"),
        "the secret is shown nowhere"
    );
    console.forget_requests();
    console.asaf(&["webhook", "register"]).says(0, "No changes");
    console.nothing_was_written();
    console
        .asaf(&["webhook", "register", "--rotate"])
        .says(0, "The secret was sent");
    let moved = [
        "webhook",
        "register",
        "--url",
        "https://asaf.example.com/webhook/jira",
    ];
    let said = console.asaf(&moved);
    said.says(
        0,
        "url: http://127.0.0.1:9/webhook/jira → https://asaf.example.com/webhook/jira",
    );
    said.says(
        0,
        "[webhook] url = \"https://asaf.example.com/webhook/jira\"",
    );
    let hooks = console
        .as_admin("GET", "/rest/webhooks/1.0/webhook", json!(null))
        .expect(200);
    assert_eq!(hooks.as_array().unwrap().len(), 1);
    let wrong = [
        "webhook",
        "register",
        "--url",
        "https://asaf.example.com/other",
    ];
    console
        .asaf(&wrong)
        .says(1, "asaf listens at the path /webhook/jira");
    console
        .env
        .retain(|(name, _)| name != "ASAF_WEBHOOK_SECRET");
    console
        .asaf(&["webhook", "register"])
        .says(4, "env:ASAF_WEBHOOK_SECRET");
}
