//! What an operator asks about tickets: whose they are, what they will say, which of those that are there can be taken
//! over. The program as people run it, against a served world.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod console;

use asaf::emulators::jira::Role;
use console::Console;
use serde_json::json;

/// A finding's id, failing, of an account.
fn a_finding(console: &Console) -> (String, String) {
    let world = console.world.lock();
    let mut all = world.aws.hub.iter();
    let fails = |asff: &serde_json::Value| {
        asff["Compliance"]["Status"] == "FAILED" && asff["Severity"]["Label"] != "LOW"
    };
    let asff = all.find(fails);
    let asff = asff.unwrap();
    let text = |field: &str| asff[field].as_str().unwrap().to_owned();
    (text("Id"), text("AwsAccountId"))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_for_an_account_and_a_finding_is_said_with_the_rule() {
    let console = Console::prepared_with(40).await;
    let (id, account) = a_finding(&console);
    let listed = console.asaf(&["owners", "ls", "--output", "json"]);
    listed.ends(0);
    let listed = listed.json();
    let accounts = listed.as_array().unwrap();
    assert_eq!(accounts.len(), console::ACCOUNTS);
    let mine = accounts
        .iter()
        .find(|one| one["account"] == account.as_str());
    let (team, project) = (&mine.unwrap()["team"], &mine.unwrap()["project"]);
    let why = console.asaf(&["owners", "why", &id]);
    let line = format!(
        "{} in {}",
        team.as_str().unwrap(),
        project.as_str().unwrap()
    );
    why.says(0, &line);
    console
        .asaf(&["owners", "check"])
        .says(1, "1 of 4 active accounts have an owner by rule.");
    let gone =
        "\n[[owners.rules]]\naccounts = [\"999999999999\"]\nteam = \"gone\"\nproject = \"SEC\"\n";
    console.configure(|text| text.push_str(gone));
    console
        .asaf(&["owners", "check"])
        .says(1, "names what is no active account: 999999999999");
    console
        .asaf(&["owners", "why", "no-such-finding"])
        .says(1, "give a finding's id, or the key of its ticket");
    console.nothing_was_written();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_ticket_will_say_is_shown_before_it_is_made() {
    let console = Console::prepared_with(40).await;
    let (id, account) = a_finding(&console);
    console.asaf(&["template", "check"]).ends(0);
    let shown = console.asaf(&["template", "preview", &id]);
    shown.says(0, "What is wrong");
    shown.says(0, &account);
    let folder = console.folder.path().join("texts");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("default.md"), "# Ours\n\n{{ titel }}\n").unwrap();
    console.configure(|text| {
        *text = text.replacen("[jira]\n", "[jira]\ntemplates = \"texts\"\n", 1);
    });
    let wrong = console.asaf(&["template", "check"]);
    wrong.says(1, "default.md");
    std::fs::write(folder.join("default.md"), "# Ours\n\n{{ title }}\n").unwrap();
    console.asaf(&["template", "preview", &id]).says(0, "Ours");
    let adf = console.asaf(&["template", "preview", &id, "--output", "adf"]);
    assert_eq!(adf.json()["type"], "doc");
    console.nothing_was_written();
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_that_are_there_are_taken_over_after_a_plan() {
    let console = Console::prepared_with(40).await;
    let (id, _) = a_finding(&console);
    let text = json!({ "type": "doc", "version": 1, "content": [
        { "type": "paragraph", "content": [{ "type": "text", "text": format!("Scan: {id} .") }] }
    ] });
    let fields = json!({ "project": { "key": "SEC" }, "issuetype": { "name": "Task" },
        "summary": "by another tool", "description": text });
    let made = console.call(
        Role::Bot,
        "POST",
        "/rest/api/3/issue",
        json!({ "fields": fields }),
    );
    let key = made.expect(201)["key"].as_str().unwrap().to_owned();
    let map = r"description:(arn:aws:securityhub:\S+)";
    let asked = ["adopt", "--jql", "project = SEC", "--map", map];
    let plan = console.asaf(&asked);
    plan.says(0, &format!("+ {key}"));
    plan.says(0, "1 of 1 tickets would be taken over. Do so with --apply.");
    let mut apply = asked.to_vec();
    apply.push("--apply");
    console
        .asaf(&apply)
        .says(0, "1 of 1 tickets were taken over.");
    console.asaf(&["reconcile"]).ends(0);
    let shown = console.asaf(&["explain", &id]);
    shown.says(0, &key);
    shown.says(0, "adopt");
    console.asaf(&asked).says(0, "is asaf's already");
    let before = console.issues();
    console.asaf(&["reconcile", "--full"]).ends(0);
    assert_eq!(console.issues(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_or_a_query_that_is_wrong_is_said_before_anything_is_read_or_written() {
    let console = Console::prepared_with(4).await;
    let ask = |jql: &str, map: &str| console.asaf(&["adopt", "--jql", jql, "--map", map]);
    ask("project = SEC", "summary:(").says(1, "--map summary:(: the pattern is wrong");
    ask("project = SEC", "title:(.*)").says(1, "title is none of field, label, summary");
    ask("project = ", "summary:(.*)").says(1, "Error in JQL Query");
    ask("projekt = SEC", "summary:(.*)").says(0, "check the names");
    assert_eq!(console.asaf(&["adopt"]).code, 64);
    console.nothing_was_written();
}
