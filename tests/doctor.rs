//! The doctor: on a site where all is well it says so; whatever is broken is found by the check that is named after it,
//! with what to do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod console;

use asaf::cli::Policy;
use asaf::emulators::config::SourceState;
use asaf::emulators::jira::Role;
use asaf::emulators::security_hub::Linking;
use asaf::emulators::sts::Trust;
use asaf::emulators::world::{EVENTS_QUEUE, seed};
use asaf::jobs::doctor::iam::{Place, policy};
use asaf::store::queue::Inbox as _;
use asaf::store::sqlite::Sqlite;
use asaf::store::unread::Door;
use console::Console;
use serde_json::{Value, json};

const WEBHOOK: &str = "http://127.0.0.1:9/webhook/jira";

/// A console whose configuration has every part.
async fn complete() -> Console {
    let mut console = Console::with_findings(20).await;
    console
        .env
        .push(("HOOK".to_owned(), "It's a Secret to Everybody".to_owned()));
    write(&console, |_| {});
    console
}

/// Writes the configuration with every part, changed as told.
fn write(console: &Console, change: impl Fn(&mut String)) {
    let queue = console.world.lock().queue_url(&console.urls.aws);
    console.configure(|text| {
        *text = text.replace("token = \"file:bot.token\"", "token = \"file:bot.token\"\ntoken_expires = \"2090-01-01\"");
        text.push_str(&format!(
            "\n[webhook]\nurl = \"{WEBHOOK}\"\nsecrets = [\"env:HOOK\"]\n\n[queue]\nurl = \"{queue}\"\n"
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

/// The engine's role has the policy that the doctor prints, changed as told.
fn allow(console: &Console, change: impl Fn(&mut Vec<Value>)) {
    let mut printed = policy(Policy::Engine, &place(console));
    change(printed["Statement"].as_array_mut().unwrap());
    console.world.lock().aws.iam.set_policy("asaf", printed);
}

/// The policy without one action.
fn deny(console: &Console, action: &str) {
    allow(console, |statements| {
        for statement in statements.iter_mut().filter(|one| one["Effect"] == "Allow") {
            match &mut statement["Action"] {
                Value::Array(actions) => actions.retain(|one| one != action),
                one if *one == action => *one = json!([]),
                _ => {}
            }
        }
    });
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
    said.says(0, "33 checks: 33 ok, 0 warnings, 0 failed, 0 skipped, 0 off.");
    console.forget_requests();
    console.asaf(&["doctor", "--output", "json"]).ends(0);
    console.nothing_was_written();
}
