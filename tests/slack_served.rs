//! Chats beside `asaf serve`, with the real binary, real time and a served world.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod serving;

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use serving::world::Emulators;
use serving::{Serve, until};

/// The channel of the team that has account 200000000001.
const CHANNEL: &str = "C0TEAM0001";

/// Starts everything and waits until all of it was read once and told.
fn live(folder: &Path, more: &str) -> (Emulators, Serve) {
    let world = Emulators::start(folder, 3, 30);
    let queue = world.ready["queue"].as_str().unwrap();
    let config = world.config(&format!("[queue]\nurl = \"{queue}\"\n{more}"));
    let serve = Serve::start(folder, &config, &world.env());
    let full = "asaf_reconcile_total{kind=\"full\",outcome=\"ok\"}";
    until(|| (serve.figure(full) >= 1.0).then_some(()));
    (world, serve)
}

fn guardduty(n: usize) -> Value {
    let (now, account) = (Timestamp::now().to_string(), "200000000001");
    json!({
        "SchemaVersion": "2018-10-08", "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/guardduty",
        "AwsAccountId": account, "Region": "eu-west-1", "GeneratorId": "generator",
        "Id": format!("arn:aws:guardduty:eu-west-1:{account}:detector/d/finding/{n:08x}"),
        "CreatedAt": now, "UpdatedAt": now, "FirstObservedAt": now, "LastObservedAt": now,
        "Severity": { "Label": "HIGH" }, "RecordState": "ACTIVE", "Workflow": { "Status": "NEW" },
        "Title": format!("Key {n} of an instance is used from outside"), "Description": "Somebody has it.",
        "Types": [format!("TTPs/Credential Access/UnauthorizedAccess:IAMUser-Exfiltration.{n}")],
        "Resources": [{ "Type": "AwsEc2Instance", "Id": format!("arn:aws:ec2:eu-west-1:{account}:instance/i-{n:08x}") }],
    })
}

#[test]
fn from_guarddutys_event_to_the_owners_channel_within_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let (world, serve) = live(folder.path(), "");
    let mut took: Vec<Duration> = Vec::new();
    for n in 0..5 {
        let words = format!("Key {n} of an instance");
        let appears = json!({ "do": "finding_appears", "asff": guardduty(n) });
        world.happen(&appears);
        let began = Instant::now();
        until(|| {
            let there = world
                .channel(CHANNEL)
                .iter()
                .any(|text| text.contains(&words));
            there.then_some(())
        });
        took.push(began.elapsed());
    }
    took.sort();
    println!("from the event to the channel: {took:?}");
    // The machine may be busy with other tests.
    assert!(
        took[2] < Duration::from_secs(2),
        "{took:?}\n{}",
        serve.log()
    );
    let texts = world.channel(CHANNEL).join("\n");
    for n in 0..5 {
        let words = format!(": Key {n} of an instance");
        assert_eq!(texts.matches(&words).count(), 1, "{texts}");
    }
}

#[test]
fn the_digests_of_the_day_come_by_themselves_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let today = Timestamp::now().strftime("%A").to_string().to_lowercase();
    let digest = format!("[notices]\ndigest = {{ weekday = \"{today}\", time = \"00:00\" }}");
    let (world, mut serve) = live(folder.path(), &digest);
    let digests = |channel: &str, begin: &str| {
        let texts = world.channel(channel);
        texts.iter().filter(|text| text.starts_with(begin)).count()
    };
    until(|| (digests(CHANNEL, "payments: ") == 1).then_some(()));
    until(|| (digests("C0TEAM0000", "Security: ") == 1).then_some(()));
    // The next process knows that they were sent.
    serve.signal("TERM");
    assert!(serve.ended().success());
    let config = std::fs::read_to_string(folder.path().join("asaf.toml")).unwrap();
    let again = Serve::start(folder.path(), &config, &world.env());
    let one_more = json!({ "do": "finding_appears", "asff": guardduty(9) });
    world.happen(&one_more);
    until(|| {
        let texts = world.channel(CHANNEL);
        texts
            .iter()
            .any(|text| text.contains("Key 9 of"))
            .then_some(())
    });
    assert_eq!(digests(CHANNEL, "payments: "), 1, "{}", again.log());
}
