//! People who hide something without a rule.

use asaf::emulators::jira::Role;
use asaf::emulators::world::World;
use asaf::jobs::reconcile::Wish;
use jiff::SignedDuration;

use crate::acts::*;

#[tokio::test]
async fn a_suppression_outside_the_rules_is_reported_or_undone() {
    for policy in ["respect", "revert"] {
        let (scene, control) = settled_with(4, 120, |text| {
            text.push_str(&format!("\n[policy]\nsuppressed_by_hand = \"{policy}\"\n"))
        })
        .await;
        let id = {
            let mut world = scene.world.lock();
            let now = world.now();
            let (id, ..) = failing(&world, &control).remove(0);
            let product = world
                .aws
                .hub
                .iter()
                .find(|f| f["Id"] == id.as_str())
                .unwrap()["ProductArn"]
                .as_str()
                .unwrap()
                .to_owned();
            let World { aws, journal, .. } = &mut *world;
            let actor = asaf::emulators::journal::Actor::Person {
                id: "kim".to_owned(),
                role: "analyst".to_owned(),
            };
            aws.hub.set_workflow(
                actor,
                "arn:aws:sts::111111111111:assumed-role/analyst/kim",
                &product,
                &id,
                "SUPPRESSED",
                None,
                now,
                journal,
            );
            id
        };
        scene.clock.advance(SignedDuration::from_mins(20));
        let report = scene.run(Wish::Full).await;
        let action = &report.plan.actions[0];
        assert!(
            action.alerts.iter().any(|alert| alert.text.contains("kim")),
            "{action:?}"
        );
        let suppressed = with_status(&scene.world.lock(), "SUPPRESSED").contains(&id);
        assert_eq!(suppressed, policy == "respect", "{policy}");
        scene.settle().await;
    }
}

#[tokio::test]
async fn a_person_who_ignores_a_ticket_without_a_rule_is_told_of_rules() {
    let (scene, _) = settled(4, 120).await;
    let key = {
        let mut world = scene.world.lock();
        let now = world.now();
        let key = world.jira.issues().next().unwrap().key.clone();
        let admin = world.jira.user(Role::Admin).unwrap().account_id.clone();
        let World { jira, journal, .. } = &mut *world;
        jira.force_status(&admin, &key, "Ignored", now, journal);
        key
    };
    scene.clock.advance(SignedDuration::from_mins(20));
    assert_eq!(done(&scene.run(Wish::Full).await).reverted, 1);
    let world = scene.world.lock();
    let said = world.jira.issue(&key).unwrap().comments[0].body.to_string();
    assert!(said.contains("by a reviewed rule"), "{said}");
}
