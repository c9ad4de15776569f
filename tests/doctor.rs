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
    said.says(
        0,
        "33 checks: 33 ok, 0 warnings, 0 failed, 0 skipped, 0 off.",
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

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_role_on_aws_lacks_is_named_by_its_action() {
    let mut console = complete().await;
    for (check, action) in [
        ("aws.security_hub", "securityhub:DescribeHub"),
        ("aws.home_region", "securityhub:ListFindingAggregators"),
        ("aws.home_region", "securityhub:GetFindingAggregator"),
        ("aws.read", "securityhub:GetFindings"),
        ("aws.read", "securityhub:GetFindingHistory"),
        ("aws.write", "securityhub:BatchUpdateFindings"),
        ("aws.accounts", "organizations:ListAccounts"),
        ("aws.members", "securityhub:ListMembers"),
        ("aws.config", "config:DescribeConfigurationAggregators"),
        ("aws.config", "config:SelectAggregateResourceConfig"),
        ("aws.config", "config:BatchGetAggregateResourceConfig"),
        (
            "aws.config_sources",
            "config:DescribeConfigurationAggregatorSourcesStatus",
        ),
        ("queue", "sqs:GetQueueAttributes"),
        ("queue", "sqs:DeleteMessage"),
        ("queue", "sqs:ChangeMessageVisibility"),
        ("queue", "sqs:ReceiveMessage"),
    ] {
        deny(&console, action);
        finds(
            &console,
            check,
            "failed",
            action,
            &format!("Allow {action} for the engine's role"),
        );
    }
    deny(&console, "sts:AssumeRole");
    finds(
        &console,
        "aws.member_role",
        "warning",
        "does not serve",
        "Allow sts:AssumeRole",
    );
    allow(&console, |_| {});
    for action in [
        "config:GetResourceConfigHistory",
        "config:ListDiscoveredResources",
    ] {
        let mut without = policy(Policy::MemberRole, &place(&console));
        let actions = without["Statement"][0]["Action"].as_array_mut().unwrap();
        actions.retain(|one| one != action);
        console
            .world
            .lock()
            .aws
            .iam
            .set_policy(seed::MEMBER_ROLE, without);
        finds(
            &console,
            "aws.member_role",
            "warning",
            action,
            "asaf doctor --print-iam member-role",
        );
    }
    console.env[0].1 = "AKIANOBODY".to_owned();
    finds(
        &console,
        "aws.identity",
        "failed",
        "InvalidClientTokenId",
        "Renew the AWS credentials",
    );
    assert_eq!(
        examine(&console)["aws.read"]["says"],
        "needs aws.security_hub"
    );
    assert_eq!(console.asaf(&["doctor"]).code, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_change_more_than_asaf_does_is_told() {
    let console = complete().await;
    finds(
        &console,
        "aws.least_privilege",
        "warning",
        "may also change Severity, Confidence, Criticality, Types, VerificationState, RelatedFindings",
        "add the denials of `asaf doctor --print-iam`",
    );
    allow(&console, |statements| {
        statements.retain(|one| one["Sid"] != "NeverSetConfidence");
    });
    finds(
        &console,
        "aws.least_privilege",
        "warning",
        "may also change Confidence of",
        "denials",
    );
    // A denial too many keeps asaf from its own work.
    allow(&console, |statements| {
        statements.push(
            json!({"Effect": "Deny", "Action": "securityhub:BatchUpdateFindings",
            "Condition": {"Null": {"securityhub:ASFFSyntaxPath/Workflow.Status": "false"}}}),
        );
    });
    finds(
        &console,
        "aws.write",
        "failed",
        "not authorized",
        "no condition may deny Workflow, Note or UserDefinedFields",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_security_hub_does_not_see_is_told() {
    let console = complete().await;
    let change =
        |change: &dyn Fn(&mut asaf::emulators::aws::Aws)| change(&mut console.world.lock().aws);
    change(&|aws| aws.hub.aggregator.linking = Linking::Only(vec!["us-east-1".into()]));
    finds(
        &console,
        "aws.regions",
        "warning",
        "only eu-west-1 and us-east-1 are seen",
        "link all Regions",
    );
    change(&|aws| aws.hub.aggregator.linking = Linking::AllExcept(vec!["us-east-1".into()]));
    finds(
        &console,
        "aws.regions",
        "warning",
        "findings of us-east-1 are not seen",
        "link these Regions",
    );
    write(&console, |text| {
        *text = text.replace("[run]", "[run]\nregions = [\"us-east-1\"]")
    });
    finds(
        &console,
        "aws.regions",
        "failed",
        "run.regions names us-east-1, which eu-west-1 does not gather",
        "link the Regions",
    );
    change(&|aws| aws.hub.aggregator.linking = Linking::None);
    finds(
        &console,
        "aws.home_region",
        "warning",
        "has no finding aggregator",
        "create one in eu-west-1",
    );
    change(&|aws| aws.hub.aggregator.linking = Linking::All);
    write(&console, |text| {
        *text = text
            .replace("region = \"eu-west-1\"", "region = \"us-east-1\"")
            .replace("/eu-west-1/", "/us-east-1/")
    });
    finds(
        &console,
        "aws.home_region",
        "failed",
        "gathered in eu-west-1",
        "set aws.region = \"eu-west-1\"",
    );
    write(&console, |_| {});
    let account = seed::account_id(2);
    change(&|aws| aws.hub.disassociate(&account));
    finds(
        &console,
        "aws.members",
        "warning",
        &format!("nobody sees their findings: {account}"),
        "add them as members",
    );
    write(&console, |text| {
        *text = text.replace(&seed::account_id(1), "999999999999")
    });
    finds(
        &console,
        "aws.accounts",
        "warning",
        "does not have: 999999999999",
        "correct or remove them",
    );
    change(&|aws| aws.hub.disable(seed::HOME_ACCOUNT, "eu-west-1"));
    finds(
        &console,
        "aws.security_hub",
        "failed",
        "not subscribed",
        "Enable Security Hub",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aws_config_that_cannot_answer_is_told() {
    let console = complete().await;
    let (account, other) = (seed::account_id(1), seed::account_id(2));
    {
        let mut world = console.world.lock();
        let failed = Some(SourceState::Failed);
        world.aws.config.set_source(&account, "eu-west-1", failed);
        let trust = Trust {
            account: other.clone(),
            external_id: None,
            longest_session_s: 3600,
        };
        world.aws.roles.add(&other, seed::MEMBER_ROLE, trust);
    }
    finds(
        &console,
        "aws.config_sources",
        "warning",
        &format!("{account} eu-west-1 FAILED"),
        "turn on AWS Config there",
    );
    finds(
        &console,
        "aws.member_role",
        "warning",
        &format!("({other})"),
        "deploy the role to every account",
    );
    write(&console, |text| {
        *text = text.replace("aggregator = \"org\"", "aggregator = \"other\"")
    });
    finds(
        &console,
        "aws.config",
        "failed",
        "no aggregator other",
        "name one of these in aws.aggregator: org",
    );
    assert_eq!(
        examine(&console)["aws.config_sources"]["says"],
        "needs aws.config"
    );
}

/// The event queue is another one, with these attributes.
fn queue_with(console: &Console, name: &str, attributes: &Value) {
    {
        let mut world = console.world.lock();
        let (home, now) = (world.aws.home().clone(), world.now());
        let sqs = &mut world.aws.sqs;
        sqs.create(&home.account, &home.region, name, attributes, now);
    }
    write(console, |text| *text = text.replace(EVENTS_QUEUE, name));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_loses_events_or_takes_them_from_anybody_is_told() {
    let console = complete().await;
    write(&console, |text| {
        *text = text.replace(EVENTS_QUEUE, "no-such-queue")
    });
    finds(&console, "queue", "failed", "no-such-queue", "check");
    queue_with(&console, "bare", &json!({"MessageRetentionPeriod": "3600"}));
    finds(
        &console,
        "queue.policy",
        "failed",
        "has no policy",
        "asaf doctor --print-iam queue",
    );
    finds(
        &console,
        "queue.dead_letters",
        "warning",
        "has no dead-letter queue",
        "maxReceiveCount 5",
    );
    finds(
        &console,
        "queue.dead_letters",
        "warning",
        "for 1 hours only",
        "at least three days",
    );
    let statement = |principal: Value, condition: Value| {
        let policy = json!({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage",
            "Resource": "*", "Condition": condition}]});
        json!({ "Policy": policy.to_string() })
    };
    queue_with(&console, "open", &statement(json!("*"), json!({})));
    finds(
        &console,
        "queue.policy",
        "failed",
        "anybody may write into the queue",
        "--print-iam queue",
    );
    let events = json!({"Service": "events.amazonaws.com"});
    queue_with(&console, "unbound", &statement(events.clone(), json!({})));
    finds(
        &console,
        "queue.policy",
        "failed",
        "aws:SourceArn is not asked for",
        "--print-iam queue",
    );
    let other = json!({"Service": "sns.amazonaws.com"});
    queue_with(
        &console,
        "other",
        &statement(other, json!({"ArnLike": {"aws:SourceArn": "arn:x"}})),
    );
    finds(
        &console,
        "queue.policy",
        "failed",
        "does not let EventBridge write into it",
        "--print-iam queue",
    );
    let dead = console.world.lock().dead_letters_arn();
    let redrive = json!({"deadLetterTargetArn": dead, "maxReceiveCount": 2}).to_string();
    queue_with(&console, "hasty", &json!({ "RedrivePolicy": redrive }));
    finds(
        &console,
        "queue.dead_letters",
        "warning",
        "put aside after 2 receives",
        "set maxReceiveCount to 5",
    );
    write(&console, |text| {
        *text = text.split("\n[queue]").next().unwrap().to_owned()
    });
    let found = examine(&console);
    assert_eq!(found["queue"]["state"], "off");
    assert_eq!(found["queue.policy"]["says"], "see queue");
}

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
