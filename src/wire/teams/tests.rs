//! What a workflow is sent, and which addresses are workflows.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::clock::Clock;
use crate::notify::message::{Part, code, link, text};
use crate::wire::scripted::{Reply, Scripted, text as raw};

const FLOW: &str = "https://default1.2.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/1/triggers/manual/paths/invoke?sig=canary";

fn client(address: &str, script: Vec<(&str, Reply)>) -> Result<TeamsClient, BadSetup> {
    let clock = Clock::manual("2026-11-24T12:00:00Z".parse().unwrap());
    let server = Scripted::new(&clock, script);
    let addresses = BTreeMap::from([("payments".to_owned(), SecretString::from(address))]);
    TeamsClient::new(
        addresses,
        &server.transport(),
        &Budget::new(clock),
        &Counts::default(),
    )
}

fn to(channel: &str) -> Address {
    Address {
        channel: channel.to_owned(),
        thread: None,
    }
}

#[test]
fn only_addresses_of_workflows_are_accepted_and_none_is_repeated() {
    assert!(client(FLOW, vec![]).is_ok());
    for wrong in [
        "https://evil.example/workflows?sig=canary",
        "http://prod-1.westeurope.logic.azure.com/workflows?sig=canary",
        "https://logic.azure.com.evil.example/?sig=canary",
        "canary",
    ] {
        let error = client(wrong, vec![]).err().expect(wrong).to_string();
        assert!(!error.contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn a_card_is_accepted_and_a_deleted_workflow_is_the_channels_trouble() {
    let path = "POST /powerautomate/automations/direct/workflows/1/triggers/manual/paths/invoke";
    let teams = client(FLOW, vec![(path, raw(202, "")), (path, raw(404, "gone"))]).unwrap();
    let message = Message::new("Hello");
    teams.post(&to("payments"), &message, "k").await.unwrap();
    let error = teams
        .post(&to("payments"), &message, "k")
        .await
        .unwrap_err();
    assert!(matches!(error, Undelivered::Channel(_)), "{error:?}");
    assert!(!error.to_string().contains("canary"), "{error}");
    let error = teams.post(&to("web"), &message, "k").await.unwrap_err();
    assert!(error.to_string().contains("no address for web"));
}

#[test]
fn words_of_others_are_text_runs_and_nothing_else() {
    let hostile = "**bold** [x](https://evil.example) <at>all</at> _i_";
    let message = Message::new(hostile)
        .line([text(hostile), code(hostile)])
        .list(
            hostile,
            vec![vec![link("PAY-1", Some("https://jira/PAY-1"))]],
            1,
        )
        .with(Part::Facts(vec![("Where".into(), vec![text(hostile)])]))
        .with(Part::Small(hostile.into()))
        .with(Part::Links(vec![(
            "Ticket".into(),
            "https://jira/PAY-1".into(),
        )]));
    let payload = card::payload(&message);
    let card = &payload["attachments"][0]["content"];
    for block in card["body"].as_array().unwrap() {
        assert_eq!(block["type"], "RichTextBlock", "{block}");
        for run in block["inlines"].as_array().unwrap() {
            assert_eq!(run["type"], "TextRun");
        }
    }
    assert_eq!(card["actions"][0]["url"], "https://jira/PAY-1");
    assert!(card["msteams"].get("entities").is_none());
}

#[test]
fn a_card_stays_below_the_limit() {
    let items = (0..600).map(|n| vec![text(format!("finding {n} of a storm"))]);
    let message = Message::new("Storm").list("All", items.collect(), 0);
    assert!(card::payload(&message).to_string().len() <= 24_000);
}
