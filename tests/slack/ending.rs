//! Ignore rules that end: their team hears of it in time, and reads it in the digest.

use asaf::emulators::world::{World, seed};
use asaf::jobs::reconcile::Wish;
use jiff::SignedDuration;

use crate::scene::Scene;
use crate::told::*;

/// A rule of payments is merged as people merge rules.
fn merge(world: &mut World, id: &str, expires: &str) {
    let now = world.now();
    let text = format!(
        "[[ignore]]\nid = \"{id}\"\ncontrols = [\"EC2.19\"]\naccounts = [\"200000000001\"]\nowner = \"payments\"\n\
         reason = \"A honeypot, open on purpose.\"\nrequested_by = \"pat\"\nexpires = {expires}\n"
    );
    let files = [("ignore/payments.toml", Some(text.as_str()))];
    let number = world
        .github
        .open_pull_request(seed::RULES, "pat", "A rule", &files, now);
    let github = &mut world.github;
    github
        .review(seed::RULES, number, "robin", "APPROVED", now)
        .unwrap();
    github.merge(seed::RULES, number, "robin", now).unwrap();
}

#[tokio::test]
async fn a_rule_that_ends_soon_is_told_to_its_team_once_and_stands_in_its_digest() {
    let scene = Scene::with_rules(9, 0, |_| {});
    for n in 0..3 {
        import(
            &scene,
            finding(&scene, n, PAYMENTS, "MEDIUM", "securityhub"),
        );
    }
    merge(&mut scene.world.lock(), "honeypot", "2026-12-04");
    scene.run(Wish::Full).await;
    scene.clock.advance(SignedDuration::from_hours(1));
    scene.run(Wish::Full).await;
    until_told(&scene).await;
    let texts: Vec<String> = payments(&scene).iter().map(text).collect();
    assert_eq!(texts.len(), 1, "{texts:#?}");
    for words in [
        "Ignore rule honeypot (pull request #1) of team payments ends on 2026-12-04, in 10 days.",
        "3 findings will then be shown again, with their tickets open.",
        "renew it by a pull request",
    ] {
        assert!(texts[0].contains(words), "{words}\n{texts:#?}");
    }
    let (made, told) = scene.digest(&["payments"], false).await;
    assert_eq!((made, told.sent), (1, 1));
    let digest = text(payments(&scene).last().unwrap());
    let line =
        "Ignore rules that end soon\n  • honeypot: ends in 10 days (2026-12-04), hides 3 findings";
    assert!(digest.contains(line), "{digest}");
}
