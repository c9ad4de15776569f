//! Findings to tell of, and what stands in the channels.

use std::collections::BTreeMap;

use asaf::emulators::jira::Role;
use asaf::emulators::slack::Message;
use asaf::emulators::world::World;
use asaf::emulators::world::seed::account_id;
use asaf::emulators::world::workspace::channel_id;
use asaf::jobs::reconcile::{Orders, Wish};
use asaf::read::Keys;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::scene::Scene;

/// Account 1 belongs to payments, account 9 too.
pub(crate) const PAYMENTS: usize = 1;

pub(crate) fn orders() -> Orders {
    Orders {
        write: true,
        ..Orders::default()
    }
}

/// A finding of Security Hub's control EC2.19, or of GuardDuty.
pub(crate) fn finding(
    scene: &Scene,
    n: usize,
    account: usize,
    severity: &str,
    product: &str,
) -> Value {
    let id = account_id(account);
    let now = scene.clock.now().to_string();
    let mut finding = json!({
        "SchemaVersion": "2018-10-08", "ProductArn": format!("arn:aws:securityhub:eu-west-1::product/aws/{product}"),
        "AwsAccountId": id, "AwsAccountName": format!("payments-prod-{account}"), "Region": "eu-west-1",
        "Id": format!("arn:aws:{product}:eu-west-1:{id}:finding/{n:08x}"), "GeneratorId": "generator",
        "CreatedAt": now, "UpdatedAt": now, "FirstObservedAt": now, "LastObservedAt": now,
        "Severity": { "Label": severity }, "RecordState": "ACTIVE", "Workflow": { "Status": "NEW" },
        "Title": "Security groups should not open high-risk ports to the world",
        "Description": "Port 22 is open to 0.0.0.0/0, so anybody can try passwords.",
        "Types": ["TTPs/Initial Access/UnauthorizedAccess:EC2-SSHBruteForce"],
        "Remediation": { "Recommendation": { "Text": "Remove the rule.", "Url": "https://docs.aws.amazon.com/console/securityhub/EC2.19/remediation" } },
        "Resources": [{ "Type": "AwsEc2SecurityGroup", "Id": format!("arn:aws:ec2:eu-west-1:{id}:security-group/sg-{n:08x}") }],
    });
    if product == "securityhub" {
        finding["Compliance"] = json!({ "Status": "FAILED", "SecurityControlId": "EC2.19" });
    }
    finding
}

pub(crate) fn import(scene: &Scene, finding: Value) -> (String, String) {
    let text = |name: &str| finding[name].as_str().unwrap().to_owned();
    let key = (text("ProductArn"), text("Id"));
    let mut world = scene.world.lock();
    let now = world.now();
    let World { aws, journal, .. } = &mut *world;
    aws.hub.import(finding, now, journal);
    key
}

pub(crate) fn named(ids: &[(String, String)]) -> Wish {
    Wish::Named(Keys {
        findings: ids.iter().map(|(_, id)| id.clone()).collect(),
        ..Keys::default()
    })
}

pub(crate) fn messages(scene: &Scene, channel: &str) -> Vec<Message> {
    scene
        .world
        .lock()
        .slack
        .channel(channel)
        .unwrap()
        .messages
        .clone()
}

/// The fallback text as people read it.
pub(crate) fn text(message: &Message) -> String {
    message
        .text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

pub(crate) fn payments(scene: &Scene) -> Vec<Message> {
    messages(scene, &channel_id(PAYMENTS))
}

pub(crate) fn all_texts(scene: &Scene) -> Vec<String> {
    let world = scene.world.lock();
    let channels = world.slack.channels();
    channels
        .flat_map(|channel| channel.messages.iter().map(text))
        .collect()
}

/// Moves the ticket of a finding as somebody.
pub(crate) fn transition(scene: &Scene, role: Role, key: &str, to: &str) {
    let mut world = scene.world.lock();
    let now = world.now();
    let who = world.jira.user(role).unwrap().account_id.clone();
    let World { jira, journal, .. } = &mut *world;
    jira.transition_as(&who, key, to, now, journal).unwrap();
}

pub(crate) fn only_ticket(scene: &Scene) -> String {
    let world = scene.world.lock();
    let keys: Vec<String> = world.jira.issues().map(|issue| issue.key.clone()).collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    keys[0].clone()
}

/// Runs again until the outbox is empty.
pub(crate) async fn until_told(scene: &Scene) {
    for _ in 0..40 {
        scene.clock.advance(SignedDuration::from_mins(6));
        let report = scene.run(Wish::Incremental).await;
        if report.told.unwrap().waiting == 0 {
            return;
        }
    }
    panic!("messages wait still");
}

/// Every message that must be there, by the ticket it tells of.
pub(crate) fn told_of_each(scene: &Scene, expected: usize) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for message in payments(scene) {
        let text = text(&message);
        let ticket = text.lines().find(|line| line.starts_with("Ticket: "));
        *seen.entry(ticket.unwrap_or("?").to_owned()).or_default() += 1;
    }
    assert_eq!(seen.len(), expected, "lost: {seen:?}");
    assert!(seen.values().all(|times| *times == 1), "doubled: {seen:?}");
}

/// Findings of different rules, so that none is folded.
pub(crate) fn separate(scene: &Scene, n: usize) -> (String, String) {
    let mut one = finding(scene, n, PAYMENTS, "CRITICAL", "securityhub");
    one["Compliance"]["SecurityControlId"] = json!(format!("X.{n}"));
    one["Resources"][0]["Id"] = json!(format!("arn:aws:ec2:eu-west-1:1:security-group/sg-{n}"));
    import(scene, one)
}
