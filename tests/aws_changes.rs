//! What AWS does to findings and resources, one story for each row of the decision table that is about it. A story ends
//! with a reconcile that plans nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scene;

use asaf::emulators::jira::Role;
use asaf::jobs::reconcile::Wish;
use asaf::store::Store;
use jiff::SignedDuration;
use scene::Scene;
use scene::acts::{
    Named, an_open_ticket, comments, controls, delete_resource, in_hub, minutes, note, resource_of,
    set, status_of, tickets_of, transition, workflow,
};

fn small() -> Scene {
    Scene::new(3, 40)
}

fn with_policy(line: &str) -> Scene {
    Scene::with(3, 40, |text| {
        text.push_str(&format!("\n[policy]\n{line}\n"))
    })
}

fn one(finding: &Named) -> &[Named] {
    std::slice::from_ref(finding)
}

#[tokio::test]
async fn row_4_the_ticket_of_a_deleted_resource_goes_and_is_remembered() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            delete_resource(&scene, &resource_of(&scene, &key));
            live.settle(worker).await;
            assert!(tickets_of(&scene, &finding).is_empty());
            assert_eq!(workflow(&scene, &finding), "RESOLVED");
            assert!(note(&scene, &finding).contains("recorded the deletion"));
            let graves = live.store.tombstones().await.unwrap();
            assert_eq!(
                graves
                    .iter()
                    .filter(|grave| grave.ticket.key == key)
                    .count(),
                1
            );
        })
        .await;
}

#[tokio::test]
async fn row_4_closes_by_policy_and_leaves_closed_tickets_alone() {
    let scene = with_policy("resource_deleted = \"close\"");
    scene
        .told(async |live, worker| {
            let (key, _) = an_open_ticket(&scene);
            delete_resource(&scene, &resource_of(&scene, &key));
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Closed");
            assert!(
                comments(&scene, &key)
                    .join("")
                    .contains("recorded the deletion")
            );
        })
        .await;
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            transition(&scene, Role::Product, &key, "Resolved");
            live.settle(worker).await;
            live.advance(minutes(1));
            transition(&scene, Role::Reviewer, &key, "Closed");
            live.settle(worker).await;
            live.advance(minutes(1));
            delete_resource(&scene, &resource_of(&scene, &key));
            live.settle(worker).await;
            assert_eq!(tickets_of(&scene, &finding).join(" "), key);
            assert_eq!(status_of(&scene, &key), "Closed");
        })
        .await;
}

#[tokio::test]
async fn row_4_an_event_that_an_evaluation_contradicts_deletes_nothing() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            let arn = resource_of(&scene, &key);
            delete_resource(&scene, &arn);
            let events = live.events();
            // It was made again under the same name, and evaluated, before the event came.
            live.advance(minutes(5));
            in_hub(&scene, |hub, now, _| hub.touch(&finding.0, &finding.1, now));
            for event in &events {
                live.deliver(event).await;
            }
            live.drain(worker).await;
            assert_eq!(status_of(&scene, &key), "Open");
        })
        .await;
}

#[tokio::test]
async fn row_14_what_fails_again_is_reopened_and_after_the_window_gets_a_new_ticket() {
    for (days, tickets) in [(1, 1), (40, 2)] {
        let scene = small();
        scene
            .told(async |live, worker| {
                let (key, finding) = an_open_ticket(&scene);
                set(&scene, one(&finding), "PASSED");
                live.settle(worker).await;
                live.advance(minutes(1));
                transition(&scene, Role::Reviewer, &key, "Closed");
                live.settle(worker).await;
                // Whatever exists is evaluated every day.
                for _ in 0..days {
                    live.advance(SignedDuration::from_hours(24));
                    let mut all = controls(&scene.world.lock(), "FAILED");
                    all.extend(controls(&scene.world.lock(), "PASSED"));
                    in_hub(&scene, |hub, now, _| {
                        all.iter()
                            .for_each(|(product, id)| hub.touch(product, id, now));
                    });
                }
                live.drain(worker).await;
                set(&scene, one(&finding), "FAILED");
                live.settle(worker).await;
                let keys = tickets_of(&scene, &finding);
                assert_eq!(keys.len(), tickets, "after {days} days");
                assert_eq!(status_of(&scene, keys.last().unwrap()), "Open");
                assert_eq!(workflow(&scene, &finding), "NOTIFIED");
                let world = scene.world.lock();
                let newest = world.jira.issue(keys.last().unwrap()).unwrap();
                let text = newest.description.as_ref().unwrap().value();
                let text = asaf::wire::adf::plain_text(&text);
                assert_eq!(
                    text.contains(&format!("{key} was closed too long ago")),
                    tickets == 2
                );
            })
            .await;
    }
}

#[tokio::test]
async fn row_15_a_finding_that_begins_to_fail_gets_its_ticket_and_its_key() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let worthy = |finding: &&Named| {
                let world = scene.world.lock();
                world.aws.hub.get(&finding.0, &finding.1).unwrap()["Severity"]["Original"] != "LOW"
            };
            let passing = controls(&scene.world.lock(), "PASSED");
            let finding = passing.iter().find(worthy).unwrap().clone();
            assert!(tickets_of(&scene, &finding).is_empty());
            set(&scene, one(&finding), "FAILED");
            live.settle(worker).await;
            let keys = tickets_of(&scene, &finding);
            assert_eq!(keys.len(), 1);
            assert_eq!(workflow(&scene, &finding), "NOTIFIED");
            assert!(note(&scene, &finding).starts_with(&format!("Tracked in {}.", keys[0])));
            let world = scene.world.lock();
            let asff = world.aws.hub.get(&finding.0, &finding.1).unwrap();
            assert_eq!(asff["UserDefinedFields"]["asaf_ticket"], keys[0].as_str());
        })
        .await;
}

#[tokio::test]
async fn row_16_a_status_that_somebody_sets_back_follows_its_open_ticket() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            scene::acts::set_by_hand(&scene, &finding, "NEW");
            live.settle(worker).await;
            assert_eq!(workflow(&scene, &finding), "NOTIFIED");
            assert_eq!(status_of(&scene, &key), "Open");
        })
        .await;
}

#[tokio::test]
async fn row_18_what_passes_or_is_archived_is_resolved_and_says_which() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (passed, finding) = an_open_ticket(&scene);
            set(&scene, one(&finding), "PASSED");
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &passed), "Resolved");
            assert_eq!(comments(&scene, &passed), ["The finding is PASSED."]);
            live.advance(minutes(1));
            let (archived, finding) = an_open_ticket(&scene);
            in_hub(&scene, |hub, now, journal| {
                let reason = Some(("CONTROL_DISABLED", "The control was disabled."));
                hub.archive(&finding.0, &finding.1, reason, now, journal);
            });
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &archived), "Resolved");
            assert_eq!(workflow(&scene, &finding), "RESOLVED");
            let said = comments(&scene, &archived).join("");
            assert!(
                said.contains("archived") && said.contains("The control was disabled."),
                "{said}"
            );
        })
        .await;
}

#[tokio::test]
async fn row_18_what_is_gone_is_resolved_after_two_complete_reads_and_not_by_an_event() {
    let scene = small();
    let (key, finding) = {
        let live = scene.live().await;
        let mut worker = live.worker();
        live.settle(&mut worker).await;
        let (key, finding) = an_open_ticket(&scene);
        live.advance(minutes(1));
        in_hub(&scene, |hub, now, journal| {
            hub.remove(&finding.0, &finding.1, now, journal);
        });
        let named = asaf::store::queue::WorkKey::Finding(asaf::model::FindingKey {
            product_arn: finding.0.clone(),
            id: finding.1.clone(),
        });
        use asaf::store::queue::WorkQueue;
        live.store
            .enqueue(&[named], scene.clock.now())
            .await
            .unwrap();
        live.drain(&mut worker).await;
        assert_eq!(
            status_of(&scene, &key),
            "Open",
            "absence by id proves nothing"
        );
        (key, finding)
    };
    for expected in ["Open", "Resolved"] {
        scene.clock.advance(minutes(20));
        scene.run(Wish::Full).await;
        assert_eq!(status_of(&scene, &key), expected);
    }
    assert_eq!(tickets_of(&scene, &finding), [key]);
    scene.settle().await;
}

#[tokio::test]
async fn row_20_a_closed_tickets_finding_that_stops_is_not_left_waiting() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            for (role, to) in [(Role::Product, "Resolved"), (Role::Reviewer, "Closed")] {
                transition(&scene, role, &key, to);
                live.settle(worker).await;
                live.advance(minutes(1));
            }
            in_hub(&scene, |hub, now, journal| {
                hub.archive(&finding.0, &finding.1, None, now, journal);
            });
            live.settle(worker).await;
            live.advance(minutes(1));
            scene::acts::set_by_hand(&scene, &finding, "NEW");
            live.settle(worker).await;
            assert_eq!(workflow(&scene, &finding), "RESOLVED");
            assert_eq!(status_of(&scene, &key), "Closed");
        })
        .await;
}

#[tokio::test]
async fn row_21_what_aws_cannot_check_changes_nothing() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            let writes = scene.engine_writes();
            set(&scene, one(&finding), "NOT_AVAILABLE");
            live.settle(worker).await;
            assert_eq!(scene.engine_writes(), writes);
            assert_eq!(status_of(&scene, &key), "Open");
        })
        .await;
}
