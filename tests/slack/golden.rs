//! Messages as people read them, and as Slack and Teams get them. A change here is a change of what people read: look at
//! it as they would.

use std::path::Path;

use asaf::emulators::jira::Role;
use asaf::emulators::slack::{self, Message};
use asaf::emulators::world::World;
use asaf::emulators::world::seed::Dice;
use asaf::emulators::world::workspace::{FALLBACK_CHANNEL, channel_id};
use asaf::jobs::digest;
use asaf::jobs::reconcile::Wish;
use asaf::notify::message;
use asaf::wire::teams::card;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::digests::a_day;
use crate::scene::Scene;
use crate::told::*;

/// The fallback text, and the blocks below it. Files are numbered in the order in which channels happened to be served.
fn shown(message: &Message) -> String {
    let mut blocks = message.blocks.clone();
    for block in blocks.iter_mut().filter(|block| block["type"] == "image") {
        block["slack_file"] = json!({ "id": "F…" });
    }
    let blocks = serde_json::to_string_pretty(&blocks).unwrap();
    format!("{}\n\n{blocks}", text(message))
}

fn check(name: &str, content: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, content);
    });
}

#[tokio::test]
async fn a_finding_that_burns_and_what_follows() {
    let scene = Scene::new(9, 0);
    let key = import(&scene, finding(&scene, 1, PAYMENTS, "HIGH", "guardduty"));
    scene.run(named(&[key])).await;
    let ticket = only_ticket(&scene);
    scene.clock.advance(SignedDuration::from_hours(2));
    transition(&scene, Role::Product, &ticket, "Resolved");
    scene.run(Wish::Incremental).await;
    scene.clock.advance(SignedDuration::from_hours(1));
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let reviewer = world.jira.user(Role::Reviewer).unwrap().account_id.clone();
        let World { jira, journal, .. } = &mut *world;
        let words = "The instance still runs with the stolen key. Please rotate it.";
        jira.comment_as(&reviewer, &ticket, words, now, journal)
            .unwrap();
        jira.transition_as(&reviewer, &ticket, "Open", now, journal)
            .unwrap();
    }
    scene.run(Wish::Incremental).await;
    let posted = payments(&scene);
    check("burning", &shown(&posted[0]));
    let replies: Vec<String> = posted[1..].iter().map(shown).collect();
    check("thread", &replies.join("\n\n"));
}

#[tokio::test]
async fn a_storm() {
    let scene = Scene::new(10, 0);
    let keys: Vec<(String, String)> = (0..12)
        .map(|n| {
            let account = if n % 3 == 0 { 9 } else { PAYMENTS };
            let severity = if n == 5 { "HIGH" } else { "CRITICAL" };
            import(&scene, finding(&scene, n, account, severity, "guardduty"))
        })
        .collect();
    scene.run(named(&keys)).await;
    until_told(&scene).await;
    check("storm", &shown(&payments(&scene)[0]));
}

#[tokio::test]
async fn a_channel_that_takes_no_messages() {
    let scene = Scene::new(9, 0);
    let set = |archived| {
        let mut world = scene.world.lock();
        let channel = world.slack.channel_mut(&channel_id(PAYMENTS)).unwrap();
        channel.is_archived = archived;
    };
    set(true);
    let keys: Vec<(String, String)> = (0..2).map(|n| separate(&scene, n)).collect();
    scene.run(named(&keys)).await;
    until_quiet(&scene).await;
    check("trouble", &shown(&messages(&scene, FALLBACK_CHANNEL)[0]));
}

/// Delivers what can be delivered.
async fn until_quiet(scene: &Scene) {
    for _ in 0..2 {
        scene.clock.advance(SignedDuration::from_mins(6));
        scene.run(Wish::Incremental).await;
    }
}

#[tokio::test]
async fn digests_of_a_team_and_of_security() {
    let scene = Scene::with(16, 160, |text| {
        *text = text.replace(
            "[sla]\n",
            "[sla]\ndays = { CRITICAL = 5, HIGH = 14, MEDIUM = 60 }\n",
        );
        text.push_str("\n[notices]\nhelp_url = \"https://wiki.example.com/ignore-a-finding\"\n");
    });
    scene.run(Wish::Due).await;
    scene.world.lock().first_day();
    scene.settle().await;
    let mut dice = Dice::new(6);
    for day in 0..9 {
        a_day(&scene, &mut dice, day);
        scene.settle().await;
    }
    scene.digest(&[], false).await;
    let last = |channel: usize| messages(&scene, &channel_id(channel)).pop().unwrap();
    draw(&scene);
    check("digest_of_a_team", &shown(&last(PAYMENTS)));
    check("digest_of_security", &shown(&last(0)));
    let store = scene.store();
    let ours = ["payments".to_owned()];
    let made = digest::make(&scene.config, &store, &ours, scene.clock.now())
        .await
        .unwrap();
    check("digest_card", &card_of(&made[0].message));
    let late = payments(&scene);
    let late = late
        .iter()
        .find(|message| text(message).contains("past its due date\n"));
    check("late", &shown(late.unwrap()));
}

/// Leaves a page with the team's digest alone, from which `make picture` takes the picture of README and docs.
fn draw(scene: &Scene) {
    let digest = messages(scene, &channel_id(PAYMENTS)).pop().unwrap();
    let page = slack::page::one(&scene.world.lock().slack, &digest);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("digest.html");
    std::fs::write(path, page).unwrap();
}

/// The card for Teams, with the picture's bytes left out.
fn card_of(message: &message::Message) -> String {
    let mut card = card::payload(message);
    let body = card["attachments"][0]["content"]["body"].as_array_mut();
    for part in body.unwrap() {
        if let Some(url) = part.get("url").and_then(Value::as_str) {
            assert!(
                url.starts_with("data:image/png;base64,iVBORw0KGgo"),
                "{url}"
            );
            part["url"] = json!("data:image/png;base64,…");
        }
    }
    serde_json::to_string_pretty(&card).unwrap()
}
