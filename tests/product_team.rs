//! What product teams do in Jira, one story for each row of the decision table that is about them. A story ends with a
//! reconcile that plans nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scene;

use asaf::emulators::jira::Role;
use asaf::emulators::world::World;
use asaf::emulators::world::control::verbs::Verb;
use asaf::plan::TicketStep;
use asaf::ports::Audience;
use asaf::store::Store;
use scene::Scene;
use scene::acts::{
    alerts, an_open_ticket, comments, force_closed, held, in_hub, minutes, note, set, status_of,
    tickets_of, transition, workflow,
};

fn small() -> Scene {
    Scene::new(3, 40)
}

/// Deletes a ticket, as an administrator of Jira may.
fn delete(scene: &Scene, key: &str) {
    let mut world = scene.world.lock();
    let now = world.now();
    let who = world.jira.user(Role::Admin).unwrap().account_id.clone();
    let World { jira, journal, .. } = &mut *world;
    jira.delete_as(&who, key, now, journal).unwrap();
}

/// An administrator takes a project out of everybody's sight, or gives it back.
fn hide(scene: &Scene, key: &str, hidden: bool) {
    let project = key.split('-').next().unwrap();
    let name = if hidden {
        "project_is_hidden"
    } else {
        "project_is_shown"
    };
    let verb = serde_json::json!({ "do": name, "project": project });
    let verb = Verb::read(verb).unwrap();
    scene.world.lock().happen(&verb).unwrap();
}

#[tokio::test]
async fn row_1_a_ticket_that_cannot_be_read_is_left_alone_until_it_can() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            hide(&scene, &key, true);
            set(&scene, std::slice::from_ref(&finding), "PASSED");
            let reports = live.settle(worker).await;
            assert!(
                held(&reports)
                    .iter()
                    .any(|why| why.contains("cannot be read")),
                "{:?}",
                held(&reports)
            );
            hide(&scene, &key, false);
            assert_eq!(status_of(&scene, &key), "Open");
            assert_eq!(tickets_of(&scene, &finding), std::slice::from_ref(&key));
            live.advance(minutes(60));
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Resolved");
        })
        .await;
}

#[tokio::test]
async fn row_2_closing_without_the_right_is_undone_with_a_friendly_word() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            force_closed(&scene, Role::Product, &key);
            let reports = live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Open");
            assert_eq!(workflow(&scene, &finding), "NOTIFIED");
            let said = comments(&scene, &key).join("\n");
            assert_eq!(
                said,
                "Pat Product closed this ticket, but closing is for members of the Jira group security-reviewers, \
                 after a review; it is open again. When it is fixed, set it to Resolved: that asks for the review."
            );
            assert_eq!(alerts(&reports), [(Audience::Security, said)]);
            let links = live.store.links().await.unwrap();
            let link = links
                .iter()
                .find(|link| link.ticket.as_ref().is_some_and(|at| at.key == key));
            let audit = live.store.audit_of(&link.unwrap().marker).await.unwrap();
            let last = audit.last().unwrap();
            assert_eq!((last.row, last.action.as_str()), (2, "reopen"));
        })
        .await;
}

#[tokio::test]
async fn row_2_a_resolved_ticket_that_its_own_team_closes_goes_back_to_its_review() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            transition(&scene, Role::Product, &key, "Resolved");
            live.settle(worker).await;
            live.advance(minutes(1));
            force_closed(&scene, Role::Product, &key);
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Resolved");
            assert_eq!(workflow(&scene, &finding), "RESOLVED");
            let said = comments(&scene, &key).pop().unwrap();
            assert!(
                said.ends_with("It awaits that review already: there is nothing more to do."),
                "{said}"
            );
        })
        .await;
}

#[tokio::test]
async fn row_2_ignoring_without_a_rule_is_undone_and_says_how_ignoring_works() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, _) = an_open_ticket(&scene);
            {
                let mut world = scene.world.lock();
                let now = world.now();
                let who = world.jira.user(Role::Product).unwrap().account_id.clone();
                let World { jira, journal, .. } = &mut *world;
                jira.force_status(&who, &key, "Ignored", now, journal);
            }
            let reports = live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Open");
            let said = comments(&scene, &key).pop().unwrap();
            assert!(said.contains("ignored by a reviewed rule"), "{said}");
            assert_eq!(alerts(&reports).len(), 1);
        })
        .await;
}

#[tokio::test]
async fn row_2_whoever_keeps_closing_is_undone_three_times_a_day_and_then_security_decides() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            let mut told = Vec::new();
            for round in 0..6 {
                live.advance(minutes(30));
                force_closed(&scene, Role::Product, &key);
                let reports = live.settle(worker).await;
                let actions = reports.iter().flat_map(|report| &report.plan.actions);
                let labels = actions.filter(|action| action.ticket == TicketStep::Label);
                assert_eq!(labels.count(), usize::from(round == 3), "round {round}");
                told.extend(alerts(&reports));
                let now = if round < 3 { "Open" } else { "Closed" };
                assert_eq!(status_of(&scene, &key), now, "round {round}");
            }
            assert_eq!(told.len(), 4, "three times undone, once disputed: {told:?}");
            assert_eq!(
                workflow(&scene, &finding),
                "NOTIFIED",
                "nobody who may has closed it"
            );
            let labelled = |scene: &Scene| {
                let world = scene.world.lock();
                let issue = world.jira.issue(&key).unwrap();
                issue.labels.iter().any(|label| label == "asaf-disputed")
            };
            assert!(labelled(&scene));
            let said = comments(&scene, &key).pop().unwrap();
            assert!(said.contains("take the label asaf-disputed off"), "{said}");
            // A reviewer settles it and takes the label off: the engine acts again.
            {
                let mut world = scene.world.lock();
                let now = world.now();
                let who = world.jira.user(Role::Reviewer).unwrap().account_id.clone();
                let World { jira, journal, .. } = &mut *world;
                let edit = serde_json::json!({"update": {"labels": [{"remove": "asaf-disputed"}]}});
                jira.edit_as(&who, &key, &edit, now, journal).unwrap();
            }
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Open");
            assert!(!labelled(&scene));
        })
        .await;
}

#[tokio::test]
async fn row_6_resolving_tells_security_hub_and_shows_what_aws_says_now() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            transition(&scene, Role::Product, &key, "Resolved");
            live.settle(worker).await;
            assert_eq!(workflow(&scene, &finding), "RESOLVED");
            let said = comments(&scene, &key).join("\n");
            assert!(
                said.starts_with(
                    "Resolved by Pat Product; it awaits review. AWS says now: failing"
                ),
                "{said}"
            );
            assert!(note(&scene, &finding).contains(&format!("{key}: Resolved by Pat Product")));
        })
        .await;
}

#[tokio::test]
async fn row_6_counts_while_aws_cannot_check_either() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            set(&scene, std::slice::from_ref(&finding), "NOT_AVAILABLE");
            live.settle(worker).await;
            live.advance(minutes(1));
            transition(&scene, Role::Product, &key, "Resolved");
            live.settle(worker).await;
            assert_eq!(workflow(&scene, &finding), "RESOLVED");
            let said = comments(&scene, &key).join("\n");
            assert!(said.contains("unclear"), "{said}");
            set(&scene, std::slice::from_ref(&finding), "FAILED");
            live.advance(minutes(20));
            live.settle(worker).await;
            assert_eq!(
                status_of(&scene, &key),
                "Open",
                "the check after the claim failed"
            );
        })
        .await;
}

#[tokio::test]
async fn row_8_a_team_that_reopens_its_ticket_has_security_hub_follow_and_hears_of_it() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            transition(&scene, Role::Product, &key, "Resolved");
            live.settle(worker).await;
            live.advance(minutes(1));
            {
                let mut world = scene.world.lock();
                let now = world.now();
                let who = world.jira.user(Role::Product).unwrap().account_id.clone();
                let World { jira, journal, .. } = &mut *world;
                jira.force_status(&who, &key, "Open", now, journal);
            }
            let reports = live.settle(worker).await;
            assert_eq!(workflow(&scene, &finding), "NOTIFIED");
            let told = alerts(&reports);
            assert_eq!(
                told,
                [(
                    Audience::Team,
                    "Pat Product reopened this ticket.".to_owned()
                )]
            );
        })
        .await;
}

#[tokio::test]
async fn row_12_a_deleted_ticket_comes_back_twice_and_then_security_is_asked() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (first, finding) = an_open_ticket(&scene);
            let mut key = first.clone();
            for round in 0..2 {
                delete(&scene, &key);
                let events = live.events();
                let mut once = Vec::new();
                // The event comes twice within a second: that is one look.
                for event in events.iter().chain(&events) {
                    live.deliver(event).await;
                    once.extend(live.drain(worker).await);
                }
                assert!(
                    held(&once).iter().any(|why| why.contains("second read")),
                    "{round}"
                );
                assert!(
                    tickets_of(&scene, &finding).is_empty(),
                    "one 404 proves nothing"
                );
                live.advance(minutes(3));
                live.settle(worker).await;
                let old = std::mem::replace(&mut key, tickets_of(&scene, &finding)[0].clone());
                let world = scene.world.lock();
                let text = world
                    .jira
                    .issue(&key)
                    .unwrap()
                    .description
                    .as_ref()
                    .unwrap()
                    .to_string();
                assert!(text.contains(&format!("{old} was deleted")), "{text}");
            }
            assert_eq!(workflow(&scene, &finding), "NOTIFIED");
            // The third time people mean it, or something is wrong: security hears of it once.
            delete(&scene, &key);
            let mut told = Vec::new();
            for _ in 0..4 {
                live.advance(minutes(11));
                told.extend(alerts(&live.settle(worker).await));
            }
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].1.contains("security decides"), "{told:?}");
            assert!(tickets_of(&scene, &finding).is_empty());
            // It passes, and fails again: that is a new episode, and a new ticket.
            for compliance in ["PASSED", "FAILED"] {
                live.advance(minutes(20));
                set(&scene, std::slice::from_ref(&finding), compliance);
                live.settle(worker).await;
            }
            assert_eq!(tickets_of(&scene, &finding).len(), 1);
        })
        .await;
}

#[tokio::test]
async fn row_16_a_ticket_shows_new_content_when_the_finding_changes_by_value() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            let retitle = |title: &str| {
                in_hub(&scene, |hub, now, journal| {
                    let mut asff = hub.get(&finding.0, &finding.1).unwrap().clone();
                    asff["Title"] = title.into();
                    asff["UpdatedAt"] = now.to_string().into();
                    hub.import(asff, now, journal);
                });
            };
            retitle("Buckets must not be public");
            live.advance(minutes(11));
            live.settle(worker).await;
            let summary = |scene: &Scene| {
                let world = scene.world.lock();
                world.jira.issue(&key).unwrap().summary.clone()
            };
            assert!(summary(&scene).contains("Buckets must not be public"));
            let writes = scene.engine_writes();
            retitle("Buckets must not be public");
            live.advance(minutes(11));
            live.settle(worker).await;
            assert_eq!(scene.engine_writes(), writes, "the same again is no change");
        })
        .await;
}

#[tokio::test]
async fn comments_say_which_part_a_person_has_where_the_teams_are_known() {
    for (group, part) in [
        ("product-teams", "Pat Product (product team)"),
        (
            "jira-administrators",
            "Pat Product (neither product team nor security)",
        ),
    ] {
        let scene = Scene::with(3, 40, |text| {
            let line = format!("[jira]\nproduct_teams = {{ group = \"{group}\" }}\n");
            *text = text.replace("[jira]\n", &line);
        });
        scene
            .told(async |live, worker| {
                let (key, _) = an_open_ticket(&scene);
                transition(&scene, Role::Product, &key, "Resolved");
                live.settle(worker).await;
                let said = comments(&scene, &key).join("\n");
                assert!(said.starts_with(&format!("Resolved by {part};")), "{said}");
                live.advance(minutes(1));
                transition(&scene, Role::Reviewer, &key, "Open");
                let reports = live.settle(worker).await;
                assert!(
                    alerts(&reports)[0]
                        .1
                        .starts_with("Robin Reviewer (security)")
                );
            })
            .await;
    }
}
