//! What is broken in Jira, and what the doctor says to it.

use asaf::emulators::jira::Role;
use asaf::store::queue::Inbox as _;
use asaf::store::sqlite::Sqlite;
use asaf::store::unread::Door;
use serde_json::json;

use super::{WEBHOOK, complete, examine, finds, write};

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_is_no_cloud_or_nowhere_is_explained() {
    let console = complete().await;
    console.world.lock().jira.is_data_center = true;
    finds(
        &console,
        "jira.site",
        "failed",
        "this is Jira Data Center",
        "name a Jira Cloud site",
    );
    console
        .asaf(&["reconcile"])
        .says(4, "this is Jira Data Center");
    console
        .asaf(&["workflow", "diff"])
        .says(1, "this is Jira Data Center");
    console.world.lock().jira.is_data_center = false;
    console
        .world
        .lock()
        .clock
        .advance(jiff::SignedDuration::from_mins(6));
    finds(&console, "clock", "failed", "differ by", "NTP");
    write(&console, |text| {
        *text = text.replace(&console.urls.jira, "http://127.0.0.1:9")
    });
    finds(
        &console,
        "jira.site",
        "failed",
        "127.0.0.1",
        "check jira.url",
    );
    assert_eq!(examine(&console)["jira.fields"]["says"], "needs jira.login");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_owner_names_and_its_project_lacks_is_one_error_each() {
    let console = complete().await;
    let pay = |text: &mut String, more: &str| {
        *text = text.replacen(
            "project = \"PAY\"",
            &format!("project = \"PAY\"\n{more}"),
            1,
        );
    };
    write(&console, |text| pay(text, "component = \"backend\""));
    finds(
        &console,
        "jira.fields",
        "failed",
        "PAY has no component “backend”",
        "add it to the project",
    );
    {
        let jira = &mut console.world.lock().jira;
        let components = ["backend".to_owned()].into();
        jira.components.insert("PAY".to_owned(), components);
    }
    write(&console, |text| {
        pay(text, "component = \"backend\"\nassignee = \"lead\"")
    });
    assert_eq!(examine(&console)["jira.fields"]["state"], "ok");
    write(&console, |text| pay(text, "issue_type = \"Incident\""));
    finds(
        &console,
        "jira.fields",
        "failed",
        "PAY has no issue type “Incident”",
        "as issue_type of the owner",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_option_or_an_assignee_that_a_project_lacks_is_one_error_however_many_use_it() {
    let console = complete().await;
    {
        let jira = &mut console.world.lock().jira;
        jira.custom_fields
            .insert("customfield_10020".into(), "Data class".into());
        let options = ["Public", "Internal"].map(str::to_owned);
        jira.custom_options
            .insert("customfield_10020".into(), options.into());
    }
    let fields = |value: &str| format!("\n[jira.fields]\ncustomfield_10020 = {value}\n");
    write(&console, |text| {
        text.push_str(&fields("{ value = \"Secret\" }"));
    });
    finds(
        &console,
        "jira.fields",
        "failed",
        "PAY: the field Data class (customfield_10020) does not take {\"value\":\"Secret\"}",
        "use one of these in [jira.fields]: Public, Internal",
    );
    // One for each of the two projects.
    let problems = |console: &super::Console| {
        let found = examine(console)["jira.fields"]["problems"].clone();
        found.as_array().unwrap().len()
    };
    assert_eq!(problems(&console), 2);
    write(&console, |text| {
        text.push_str(&fields("{ value = \"Internal\" }"));
    });
    assert_eq!(examine(&console)["jira.fields"]["state"], "ok");
    // Two owners with one account, and a third with one that is there.
    let pat = console.user(Role::Product).0;
    let rules = |assignee: &str| {
        let one = |account: &str, team: &str, assignee: &str| {
            format!(
                "\n[[owners.rules]]\naccounts = [\"{account}\"]\nteam = \"{team}\"\nproject = \"PAY\"\nassignee = \"{assignee}\"\n"
            )
        };
        one("200000000011", "first", assignee)
            + &one("200000000012", "second", assignee)
            + &one("200000000013", "third", &pat)
    };
    write(&console, |text| text.push_str(&rules("712020:nobody")));
    finds(
        &console,
        "jira.fields",
        "failed",
        "PAY: the account “712020:nobody” cannot be assigned tickets",
        "the permission Assignable user in PAY",
    );
    assert_eq!(problems(&console), 1);
    write(&console, |text| text.push_str(&rules(&pat)));
    assert_eq!(examine(&console)["jira.fields"]["state"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_one_project_is_one_problem_and_the_others_are_looked_at() {
    let console = complete().await;
    let bot = console.user(Role::Bot).0;
    {
        let jira = &mut console.world.lock().jira;
        jira.custom_fields
            .insert("customfield_10010".into(), "Cost centre".into());
        jira.required_fields
            .insert("PAY".into(), ["customfield_10010".into()].into());
    }
    write(&console, |text| {
        text.push_str("\n[[owners.rules]]\naccounts = [\"200000000002\"]\nteam = \"gone\"\nproject = \"GONE\"\n");
    });
    finds(
        &console,
        "jira.projects",
        "failed",
        "GONE: Jira has no such project",
        "check the key in [owners]",
    );
    finds(
        &console,
        "jira.fields",
        "failed",
        "PAY requires the field Cost centre (customfield_10010)",
        "[jira.fields]",
    );
    let found = examine(&console);
    assert_eq!(
        found["jira.projects"]["problems"].as_array().unwrap().len(),
        1
    );
    assert_eq!(
        found["jira.fields"]["problems"].as_array().unwrap().len(),
        1
    );
    assert_eq!(
        found["jira.fields"]["says"],
        "looked at 2 projects; 1 are left out, see jira.projects"
    );
    write(&console, |text| {
        text.push_str("\n[jira.fields]\ncustomfield_10010 = \"4711\"\ncustomfield_10099 = \"x\"\n")
    });
    finds(
        &console,
        "jira.fields",
        "failed",
        "SEC has no field customfield_10099 on its create screen",
        "remove it from [jira.fields]",
    );
    write(&console, |text| {
        text.push_str("\n[jira.priorities]\nHIGH = \"Urgent\"\n")
    });
    finds(
        &console,
        "jira.fields",
        "failed",
        "does not take Urgent",
        "use one of these in [jira.priorities]: Highest",
    );
    write(&console, |text| {
        *text = text.replace("reviewers = {", "issue_type = \"Bug\"\nreviewers = {")
    });
    finds(
        &console,
        "jira.fields",
        "failed",
        "PAY has no issue type “Bug”",
        "name one of these in jira.issue_type",
    );
    write(&console, |_| {});
    console
        .world
        .lock()
        .jira
        .revoked
        .insert(bot, ["DELETE_ISSUES".into(), "BULK_CHANGE".into()].into());
    finds(
        &console,
        "jira.projects",
        "failed",
        "PAY: the bot lacks Delete issues",
        "`asaf workflow apply` grants it",
    );
    finds(
        &console,
        "jira.bulk_change",
        "warning",
        "one by one",
        "Make bulk changes",
    );
    console.world.lock().jira.is_free_plan = true;
    finds(
        &console,
        "jira.bulk_change",
        "failed",
        "free plan",
        "advisory mode",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reviewers_who_are_nobody_or_the_bot_are_told() {
    let console = complete().await;
    let (bot, reviewer) = (console.user(Role::Bot).0, console.user(Role::Reviewer).0);
    let group = "/rest/api/3/group/user?groupname=security-reviewers";
    console
        .as_admin("POST", group, json!({"accountId": bot}))
        .expect(201);
    finds(
        &console,
        "jira.reviewers",
        "warning",
        "the bot is among",
        "remove it there",
    );
    let path = format!("{group}&accountId={reviewer}");
    console.as_admin("DELETE", &path, json!(null)).expect(200);
    finds(
        &console,
        "jira.reviewers",
        "failed",
        "nobody may close",
        "add the people",
    );
    write(&console, |text| {
        *text = text.replace("security-reviewers", "nowhere")
    });
    finds(
        &console,
        "jira.reviewers",
        "failed",
        "the reviewers cannot be read",
        "check jira.reviewers",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_is_not_there_has_a_hole_or_was_never_tried_is_told() {
    let console = complete().await;
    write(&console, |text| {
        *text = text.replace("product_teams = {", "# product_teams = {");
    });
    finds(
        &console,
        "jira.workflow",
        "failed",
        "Nobody holds the role",
        "then `asaf workflow apply`",
    );
    write(&console, |_| {});
    finds(
        &console,
        "jira.statuses",
        "failed",
        "Jira has no status",
        "`asaf workflow apply` makes them",
    );
    finds(
        &console,
        "jira.workflow",
        "failed",
        "2 projects to change",
        "`asaf workflow apply` corrects it",
    );
    finds(
        &console,
        "jira.restriction",
        "failed",
        "SEC",
        "`asaf workflow apply` installs the rule",
    );
    console.asaf(&["workflow", "apply"]).ends(0);
    finds(
        &console,
        "jira.restriction",
        "warning",
        "never tried, in PAY, SEC",
        "`asaf workflow verify`",
    );
    {
        let mut world = console.world.lock();
        let workflow = world.jira.workflow_mut("PAY").unwrap();
        workflow.transition_mut("31").unwrap().conditions = None;
    }
    finds(
        &console,
        "jira.restriction",
        "failed",
        "Product teams can make a ticket of PAY closed",
        "asaf workflow apply",
    );
    // Without an administrator the last proof counts.
    console.asaf(&["workflow", "verify", "--read-only"]).ends(1);
    write(&console, |text| {
        let (before, after) = text.split_once("[jira.admin]").unwrap();
        let (_, after) = after.split_once("[jira.verify.product]").unwrap();
        *text = format!("{before}[jira.verify.product]{after}");
    });
    assert_eq!(examine(&console)["jira.workflow"]["state"], "off");
    finds(
        &console,
        "jira.restriction",
        "failed",
        "PAY: a hole was found on",
        "asaf workflow verify",
    );
    write(&console, |text| {
        text.push_str("\n[jira.workflow]\nkind = \"advisory\"\n")
    });
    finds(
        &console,
        "jira.workflow",
        "warning",
        "advisory mode",
        "install the workflow",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_not_registered_signed_or_heard_is_told() {
    let mut console = complete().await;
    finds(
        &console,
        "webhook.registered",
        "failed",
        "Jira has no webhook for",
        "`asaf webhook register` makes it",
    );
    finds(
        &console,
        "webhook.heard",
        "warning",
        "no signed delivery has come yet",
        "change a ticket",
    );
    let hook = json!({"name": "asaf", "url": WEBHOOK, "events": ["jira:issue_updated"], "filters": {}, "enabled": false});
    console
        .as_admin("POST", "/rest/webhooks/1.0/webhook", hook)
        .expect(201);
    for words in [
        "events is jira:issue_updated",
        "signed is no",
        "enabled is no",
    ] {
        finds(
            &console,
            "webhook.registered",
            "failed",
            words,
            "`asaf webhook register` corrects it",
        );
    }
    console
        .asaf(&["webhook", "status"])
        .says(1, "! signed is no, and ought to be yes");
    console
        .asaf(&["webhook", "register"])
        .says(0, "signed: no → yes");
    console
        .asaf(&["webhook", "status"])
        .says(0, "filter     labels = asaf");
    let twice = json!({"name": "again", "url": WEBHOOK, "events": ["jira:issue_updated"]});
    console
        .as_admin("POST", "/rest/webhooks/1.0/webhook", twice)
        .expect(201);
    finds(
        &console,
        "webhook.registered",
        "warning",
        "2 webhooks for asaf",
        "one is enough",
    );
    let store = Sqlite::open_beside(&console.folder.path().join("asaf.sqlite3")).unwrap();
    let long_ago = "2020-01-01T00:00:00Z".parse().unwrap();
    store.hear(Door::Webhook, long_ago).await.unwrap();
    finds(
        &console,
        "webhook.heard",
        "warning",
        "the last signed delivery came at 2020",
        "same secret",
    );
    console.env.retain(|(name, _)| name != "HOOK");
    finds(
        &console,
        "webhook.secret",
        "failed",
        "env:HOOK",
        "openssl rand",
    );
    write(&console, |text| {
        *text = text.replace("secrets = [\"env:HOOK\"]", "secrets = []")
    });
    finds(
        &console,
        "webhook.secret",
        "failed",
        "no secret: every delivery is refused",
        "add secrets",
    );
    write(&console, |text| {
        *text = text.replace(
            &format!("url = \"{WEBHOOK}\"\nsecrets = [\"env:HOOK\"]"),
            "",
        )
    });
    assert_eq!(examine(&console)["webhook.heard"]["state"], "off");
}
