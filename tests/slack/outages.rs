//! Nothing is lost and nothing doubled, whatever Slack or the process does.

use asaf::emulators::faults::{Fault, When};
use asaf::emulators::jira::Role;
use asaf::emulators::slack::SlackFault;
use asaf::emulators::world::World;
use asaf::emulators::world::workspace::{FALLBACK_CHANNEL, channel_id};
use asaf::jobs::reconcile::Wish;
use jiff::SignedDuration;

use crate::scene::{Fuse, Scene};
use crate::told::*;

#[tokio::test]
async fn an_hour_of_slack_outage_loses_none_and_doubles_none() {
    for (kind, loses_answers) in [
        (SlackFault::Status(503), false),
        (SlackFault::DropBefore, false),
        (SlackFault::DropAfter, true),
        (SlackFault::Refused("fatal_error".into()), false),
        (SlackFault::Refused("service_unavailable".into()), false),
        (SlackFault::Throttled { retry_after_s: 600 }, false),
    ] {
        let scene = Scene::new(9, 0);
        scene.run(Wish::Full).await;
        scene.world.lock().slack.faults.arm(Fault {
            operation: if loses_answers {
                "chat.postMessage".into()
            } else {
                String::new()
            },
            kind: kind.clone(),
            when: When::Next(u32::MAX),
        });
        for n in 0..12 {
            let key = separate(&scene, n);
            scene.run(named(&[key])).await;
            scene.clock.advance(SignedDuration::from_mins(5));
        }
        scene.world.lock().slack.faults.clear();
        until_told(&scene).await;
        told_of_each(&scene, 12);
        scene.audit();
    }
}

/// Every request to Slack is a moment at which the process may die, before or after its effect.
#[tokio::test]
async fn killed_at_any_request_each_message_is_sent_once() {
    let mut kills = 0;
    for after_effect in [false, true] {
        for request in 0.. {
            let scene = Scene::new(9, 0);
            let keys: Vec<(String, String)> = (0..3).map(|n| separate(&scene, n)).collect();
            let fuse = Fuse::at(request, after_effect);
            let ended = scene.try_run(named(&keys), orders(), Some(&fuse)).await;
            if let Some(report) = ended {
                report.unwrap();
                break;
            }
            kills += 1;
            scene.clock.advance(SignedDuration::from_mins(11));
            scene.run(Wish::Full).await;
            until_told(&scene).await;
            told_of_each(&scene, 3);
        }
    }
    println!("{kills} kills");
    assert!(kills >= 20, "{kills}");
}

/// Random faults on every side of Slack while findings come; then all heals, and each was told once.
#[tokio::test]
async fn in_the_simulation_nothing_is_lost_and_nothing_doubled() {
    for seed in 0..12_u64 {
        let scene = Scene::new(9, 0);
        scene.run(Wish::Full).await;
        {
            let mut world = scene.world.lock();
            let faults = &mut world.slack.faults;
            let permille = 60 + u32::try_from(seed * 31 % 140).unwrap();
            for (n, kind) in [
                SlackFault::DropBefore,
                SlackFault::DropAfter,
                SlackFault::Status(500),
                SlackFault::Refused("internal_error".into()),
                SlackFault::Throttled { retry_after_s: 7 },
            ]
            .into_iter()
            .enumerate()
            {
                let when = When::Chance {
                    permille,
                    seed: seed * 10 + n as u64,
                };
                faults.arm(Fault {
                    operation: String::new(),
                    kind,
                    when,
                });
            }
        }
        for n in 0..25 {
            let key = separate(&scene, n);
            if n % 4 == 3 {
                let fuse = Fuse::at(i64::try_from(seed).unwrap() % 6 + 4, seed % 2 == 0);
                scene.try_run(named(&[key]), orders(), Some(&fuse)).await;
            } else {
                scene.run(named(&[key])).await;
            }
            scene.clock.advance(SignedDuration::from_mins(3));
        }
        scene.world.lock().slack.faults.clear();
        scene.clock.advance(SignedDuration::from_mins(11));
        scene.run(Wish::Full).await;
        until_told(&scene).await;
        told_of_each(&scene, 25);
        scene.audit();
    }
}

#[tokio::test]
async fn an_archived_channel_is_one_clear_alert_and_the_rest_goes_on() {
    for break_channel in [
        (|world: &mut World| {
            world
                .slack
                .channel_mut(&channel_id(PAYMENTS))
                .unwrap()
                .is_archived = true
        }) as fn(&mut World),
        |world| {
            world
                .slack
                .channel_mut(&channel_id(PAYMENTS))
                .unwrap()
                .has_bot = false
        },
        |world| {
            world
                .slack
                .channel_mut(&channel_id(PAYMENTS))
                .unwrap()
                .is_private = true
        },
    ] {
        let scene = Scene::new(9, 0);
        break_channel(&mut scene.world.lock());
        scene
            .world
            .lock()
            .slack
            .channel_mut(&channel_id(PAYMENTS))
            .unwrap()
            .has_bot = false;
        let keys: Vec<(String, String)> = (0..3).map(|n| separate(&scene, n)).collect();
        let other = import(&scene, finding(&scene, 50, 2, "CRITICAL", "securityhub"));
        scene.run(named(&[&keys[..], &[other]].concat())).await;
        for _ in 0..3 {
            scene.clock.advance(SignedDuration::from_hours(2));
            scene.run(Wish::Incremental).await;
        }
        assert_eq!(
            messages(&scene, &channel_id(2)).len(),
            1,
            "another team hears all the same"
        );
        let alerts: Vec<String> = messages(&scene, FALLBACK_CHANNEL)
            .iter()
            .map(text)
            .collect();
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert!(
            alerts[0].starts_with("Messages to team payments do not arrive"),
            "{}",
            alerts[0]
        );
        assert!(
            alerts[0].contains("change slack_channel of team payments in asaf.toml"),
            "{}",
            alerts[0]
        );
        assert!(alerts[0].contains("3 messages wait"), "{}", alerts[0]);
        {
            let mut world = scene.world.lock();
            let channel = world.slack.channel_mut(&channel_id(PAYMENTS)).unwrap();
            (channel.is_archived, channel.has_bot) = (false, true);
        }
        scene.clock.advance(SignedDuration::from_hours(2));
        until_told(&scene).await;
        told_of_each(&scene, 3);
    }
}

#[tokio::test]
async fn a_revoked_token_keeps_every_message_and_says_so_in_the_report() {
    let scene = Scene::new(9, 0);
    scene.world.lock().slack.is_revoked = true;
    let keys: Vec<(String, String)> = (0..3).map(|n| separate(&scene, n)).collect();
    let report = scene.run(named(&keys)).await;
    let told = report.told.unwrap();
    assert_eq!((told.sent, told.waiting), (0, 3));
    assert_eq!(told.troubles.len(), 1, "{:?}", told.troubles);
    assert!(
        told.troubles[0].contains("token_revoked"),
        "{}",
        told.troubles[0]
    );
    let asked = scene.world.lock().requests.slack["chat.postMessage"];
    assert_eq!(asked, 1, "one request is enough to know");
    scene.world.lock().slack.is_revoked = false;
    scene.clock.advance(SignedDuration::from_mins(11));
    until_told(&scene).await;
    told_of_each(&scene, 3);
}

#[tokio::test]
async fn a_message_in_doubt_is_sent_again_when_the_channel_cannot_be_read() {
    let scene = Scene::new(9, 0);
    {
        let mut world = scene.world.lock();
        world.slack.scopes.remove("channels:history");
        world
            .slack
            .faults
            .arm(Fault::next("chat.postMessage", SlackFault::DropBefore));
    }
    let key = separate(&scene, 1);
    scene.run(named(&[key])).await;
    assert!(payments(&scene).is_empty());
    until_told(&scene).await;
    told_of_each(&scene, 1);
}

#[tokio::test]
async fn news_of_a_deleted_message_stands_alone() {
    let scene = Scene::new(9, 0);
    let key = import(
        &scene,
        finding(&scene, 1, PAYMENTS, "CRITICAL", "securityhub"),
    );
    scene.run(named(std::slice::from_ref(&key))).await;
    scene
        .world
        .lock()
        .slack
        .channel_mut(&channel_id(PAYMENTS))
        .unwrap()
        .messages
        .clear();
    scene.clock.advance(SignedDuration::from_hours(2));
    transition(&scene, Role::Product, &only_ticket(&scene), "Resolved");
    scene.run(Wish::Incremental).await;
    let posted = payments(&scene);
    assert_eq!((posted.len(), &posted[0].thread_ts), (1, &None));
}
