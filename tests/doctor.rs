//! The doctor: on a site where all is well it says so; whatever is broken is found by the check that is named after it,
//! with what to do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "doctor/beside.rs"]
mod beside;
mod console;
#[path = "doctor/jira.rs"]
mod in_jira;
#[path = "doctor/aws.rs"]
mod on_aws;

use asaf::cli::Policy;
use asaf::emulators::jira::Role;
use asaf::emulators::slack;
use asaf::emulators::world::{EVENTS_QUEUE, seed};
use asaf::jobs::doctor::iam::{Place, policy};
use asaf::store::queue::Inbox as _;
use asaf::store::sqlite::Sqlite;
use asaf::store::unread::Door;
use console::Console;
use serde_json::{Value, json};

/// The security team's channel of the emulated workspace.
const CHANNEL: &str = "C0TEAM0000";
const WEBHOOK: &str = "http://127.0.0.1:9/webhook/jira";

/// A console whose configuration has every part.
async fn complete() -> Console {
    let mut console = Console::with_findings(20).await;
    console
        .env
        .push(("HOOK".to_owned(), "It's a Secret to Everybody".to_owned()));
    console
        .env
        .push(("SLACK".to_owned(), slack::TOKEN.to_owned()));
    let token = {
        let mut world = console.world.lock();
        seed::rules(&mut world, &console.urls.github);
        world.github.user(seed::GITHUB_BOT).unwrap().token.clone()
    };
    console.env.push(("ASAF_GITHUB_TOKEN".to_owned(), token));
    write(&console, |_| {});
    console
}

/// Writes the configuration with every part, changed as told.
fn write(console: &Console, change: impl Fn(&mut String)) {
    let queue = console.world.lock().queue_url(&console.urls.aws);
    console.configure(|text| {
        *text = text.replace("token = \"file:bot.token\"", "token = \"file:bot.token\"\ntoken_expires = \"2090-01-01\"");
        text.push_str(&format!(
            "\n[webhook]\nurl = \"{WEBHOOK}\"\nsecrets = [\"env:HOOK\"]\n\n[queue]\nurl = \"{queue}\"\n\n\
             [slack]\ntoken = \"env:SLACK\"\napi_url = \"{slack}/api\"\nsecurity_channel = \"{channel}\"\n{ignore}",
            slack = console.urls.slack,
            channel = CHANNEL,
            ignore = seed::ignore_text(&console.urls.github),
        ));
        change(text);
    });
}

/// What the doctor finds, by the name of the check.
fn examine(console: &Console) -> Value {
    let said = console.asaf(&["doctor", "--output", "json"]);
    let report = said.json();
    let checks = report["checks"].as_array().unwrap().iter();
    checks
        .map(|check| (check["name"].as_str().unwrap().to_owned(), check.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The check ended so, with this finding and this fix.
#[track_caller]
fn finds(console: &Console, check: &str, state: &str, finding: &str, fix: &str) {
    let found = examine(console);
    let found = &found[check];
    assert_eq!(found["state"], state, "{check}: {found:#}");
    let problems = found["problems"].as_array().unwrap();
    let says = |member: &str, words: &str| {
        let text = |problem: &Value| problem[member].as_str().unwrap().contains(words);
        problems.iter().any(text)
    };
    assert!(says("finding", finding), "{check}: {finding} in {found:#}");
    assert!(says("fix", fix), "{check}: {fix} in {found:#}");
}

fn place(console: &Console) -> Place {
    let home = console.world.lock().aws.home().clone();
    Place {
        queue: Some((home.account.clone(), EVENTS_QUEUE.to_owned())),
        account: home.account,
        region: home.region,
        member_role: seed::MEMBER_ROLE.to_owned(),
        external_id: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_site_where_all_is_well_every_check_is_ok() {
    let console = complete().await;
    let place = place(&console);
    {
        let mut world = console.world.lock();
        let iam = &mut world.aws.iam;
        iam.set_policy("asaf", policy(Policy::Engine, &place));
        iam.set_policy(seed::MEMBER_ROLE, policy(Policy::MemberRole, &place));
    }
    console.asaf(&["workflow", "apply"]).ends(0);
    console.asaf(&["workflow", "verify"]).ends(0);
    console.asaf(&["webhook", "register"]).ends(0);
    let now = console.world.lock().now();
    let store = Sqlite::open_beside(&console.folder.path().join("asaf.sqlite3")).unwrap();
    store.hear(Door::Webhook, now).await.unwrap();
    drop(store);
    let said = console.asaf(&["doctor"]);
    said.says(
        0,
        "36 checks: 36 ok, 0 warnings, 0 failed, 0 skipped, 0 off.",
    );
    console.forget_requests();
    console.asaf(&["doctor", "--output", "json"]).ends(0);
    console.nothing_was_written();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_the_configuration_is_shown_and_everything_else_waits() {
    let console = complete().await;
    write(&console, |text| {
        *text = text.replace("region =", "regoin =")
    });
    finds(
        &console,
        "config",
        "failed",
        "`regoin` is no key of this table",
        "correct the file where it points",
    );
    assert_eq!(examine(&console)["jira.login"]["says"], "needs jira.site");
    assert_eq!(examine(&console)["secrets"]["says"], "needs config");
    console
        .asaf(&["doctor"])
        .says(4, "2 | regoin = \"eu-west-1\"");
    std::fs::remove_file(console.folder.path().join("asaf.toml")).unwrap();
    finds(
        &console,
        "config",
        "failed",
        "there is no",
        "`asaf init` writes one",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_newer_or_cannot_be_written_is_named() {
    let console = complete().await;
    let path = console.folder.path().join("asaf.sqlite3");
    drop(Sqlite::open_beside(&path).unwrap());
    let database = rusqlite::Connection::open(&path).unwrap();
    database
        .execute("INSERT INTO migration VALUES (99, 'unknown')", [])
        .unwrap();
    drop(database);
    finds(
        &console,
        "version",
        "failed",
        "a newer asaf wrote the store: schema 99",
        "install the newer version",
    );
    assert_eq!(examine(&console)["store"]["state"], "skipped");
    write(&console, |text| {
        text.push_str("\n[store]\npath = \"no/such/folder/asaf.sqlite3\"\n")
    });
    finds(
        &console,
        "store",
        "failed",
        "cannot be used",
        "give asaf a folder that it may write",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_and_logins_that_do_not_work_are_named_with_their_account() {
    let console = complete().await;
    write(&console, |text| {
        *text = text.replace("file:bot.token", "env:NOT_SET")
    });
    finds(
        &console,
        "secrets",
        "failed",
        "env:NOT_SET",
        "put the token of",
    );
    let found = examine(&console);
    assert_eq!(found["jira.site"]["state"], "skipped");
    assert_eq!(found["aws.write"]["state"], "ok", "AWS does not need it");
    write(&console, |_| {});
    std::fs::remove_file(console.folder.path().join("admin.token")).unwrap();
    finds(
        &console,
        "secrets",
        "warning",
        "[jira.admin]",
        "or remove [jira.admin]",
    );
    write(&console, |text| {
        *text = text.replace("token_expires = \"2090-01-01\"\n", "")
    });
    std::fs::write(console.folder.path().join("bot.token"), "wrong").unwrap();
    finds(
        &console,
        "jira.login",
        "failed",
        "read the bot's own Jira account",
        "create a new one",
    );
    assert_eq!(console.asaf(&["doctor"]).code, 4);
    write(&console, |text| {
        *text = text.replace("token_expires = \"2090-01-01\"\n", "")
    });
    finds(
        &console,
        "jira.token",
        "warning",
        "nobody knows when the token ends",
        "jira.token_expires",
    );
    let bot = console.user(Role::Bot).0;
    let path = "/rest/api/3/group/user?groupname=jira-administrators";
    console
        .as_admin("POST", path, json!({"accountId": bot}))
        .expect(201);
    finds(
        &console,
        "jira.login",
        "warning",
        "administers Jira",
        "take the permission from it",
    );
}
