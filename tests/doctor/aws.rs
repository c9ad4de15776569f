//! What is broken on AWS, and what the doctor says to it.

use asaf::cli::Policy;
use asaf::emulators::config::SourceState;
use asaf::emulators::security_hub::Linking;
use asaf::emulators::sts::Trust;
use asaf::emulators::world::{EVENTS_QUEUE, seed};
use asaf::jobs::doctor::iam::policy;
use serde_json::{Value, json};

use super::console::Console;
use super::{complete, examine, finds, place, write};

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
    for action in [
        "organizations:ListRoots",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
    ] {
        deny(&console, action);
        let fix = format!("Allow {action} for the engine's role");
        finds(&console, "aws.units", "failed", action, &fix);
        // Without ignore rules nobody asks where an account is.
        write(&console, |text| {
            text.truncate(text.find("\n[ignore]").unwrap());
        });
        finds(&console, "aws.units", "warning", action, &fix);
        write(&console, |_| {});
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
