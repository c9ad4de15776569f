//! Microsoft Teams hears the same.

use std::sync::Arc;

use asaf::wire::transport::{Exchange, Exchanged};
use jiff::SignedDuration;
use serde_json::Value;

use crate::scene::{self, Scene};
use crate::told::*;

/// A workflow that takes every card.
#[derive(Default)]
struct Workflow(std::sync::Mutex<Vec<Value>>);

impl Exchange for Workflow {
    fn exchange(&self, request: http::Request<bytes::Bytes>) -> Exchanged {
        let card = serde_json::from_slice(request.body()).unwrap();
        self.0.lock().unwrap().push(card);
        let mut accepted = http::Response::new(bytes::Bytes::new());
        *accepted.status_mut() = http::StatusCode::ACCEPTED;
        Box::pin(std::future::ready(Ok(accepted)))
    }
}

#[tokio::test]
async fn teams_hears_the_same_as_cards_and_a_storm_is_two() {
    let mut scene = Scene::with(9, 0, |text| {
        scene::without_slack(text);
        text.push_str(
            "\n[teams_webhook]\nsecurity = \"file:teams\"\nteams = { payments = \"file:teams\" }\n",
        );
    });
    std::fs::write(
        scene.folder.path().join("teams"),
        "http://127.0.0.1:3/workflows/1?sig=x",
    )
    .unwrap();
    let workflow = Arc::new(Workflow::default());
    scene.chat = Some(workflow.clone());
    for n in 0..20 {
        let key = import(
            &scene,
            finding(&scene, n, PAYMENTS, "CRITICAL", "securityhub"),
        );
        scene.run(named(&[key])).await;
        scene.clock.advance(SignedDuration::from_secs(5));
    }
    until_told(&scene).await;
    let cards = workflow.0.lock().unwrap().clone();
    let titles: Vec<&Value> = cards
        .iter()
        .map(|card| &card["attachments"][0]["content"]["fallbackText"])
        .collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(
        titles[0]
            .as_str()
            .unwrap()
            .starts_with("CRITICAL · EC2.19: Security groups")
    );
    assert_eq!(titles[1], "CRITICAL · EC2.19: 20 findings in 1 account");
}
