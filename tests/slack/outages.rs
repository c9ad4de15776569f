//! Nothing is lost and nothing doubled, whatever Slack or the process does.

use asaf::emulators::faults::{Fault, When};
use asaf::emulators::jira::Role;
use asaf::emulators::slack::SlackFault;
use asaf::emulators::world::World;
use asaf::emulators::world::workspace::{FALLBACK_CHANNEL, channel_id};
use asaf::jobs::reconcile::{Orders, Wish};
use asaf::read::Keys;
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

/// How many tickets there are, after a run that was cut off at this request; each was told of once.
async fn told_of_every_ticket(scene: &Scene, request: i64) -> usize {
    until_told(scene).await;
    let tickets = scene.world.lock().jira.issues().count();
    let told = payments(scene).len();
    assert_eq!(told, tickets, "cut off at request {request}");
    tickets
}

/// The product makes it urgent, and only the finding's key still says which one it is.
#[tokio::test]
async fn a_ticket_whose_finding_went_before_anybody_was_told_is_told_still() {
    let mut told = 0;
    for request in 0.. {
        let scene = Scene::new(9, 0);
        let key = import(&scene, finding(&scene, 0, PAYMENTS, "HIGH", "guardduty"));
        let fuse = Fuse::at(request, true);
        let ended = scene.try_run(named(std::slice::from_ref(&key)), orders(), Some(&fuse));
        if ended.await.is_some() {
            break;
        }
        {
            let mut world = scene.world.lock();
            let now = world.now();
            let World { aws, journal, .. } = &mut *world;
            aws.hub.remove(&key.0, &key.1, now, journal);
        }
        scene.clock.advance(SignedDuration::from_mins(11));
        scene.run(Wish::Full).await;
        told += told_of_every_ticket(&scene, request).await;
    }
    assert!(told > 0);
}

/// The answer to a create was lost, and Jira's own event of the ticket comes before anybody has asked about the create.
#[tokio::test]
async fn a_ticket_whose_create_was_in_doubt_is_told_of_too() {
    let mut told = 0;
    for request in 0.. {
        let scene = Scene::new(9, 0);
        let key = separate(&scene, 0);
        let fuse = Fuse::at(request, true);
        let ended = scene.try_run(named(&[key]), orders(), Some(&fuse));
        if ended.await.is_some() {
            break;
        }
        let ticket_ids = {
            let world = scene.world.lock();
            world.jira.issues().map(|issue| issue.id).collect()
        };
        let keys = Keys {
            ticket_ids,
            ..Keys::default()
        };
        let orders = Orders {
            skip_probe: true,
            ..orders()
        };
        let ran = scene.try_run(Wish::Named(keys), orders, None).await;
        ran.unwrap().unwrap();
        told += told_of_every_ticket(&scene, request).await;
    }
    assert!(told > 0);
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

/// The team's channel as it should not be.
fn spoil(scene: &Scene, spoiled: impl Fn(&mut asaf::emulators::slack::Channel)) {
    let mut world = scene.world.lock();
    spoiled(world.slack.channel_mut(&channel_id(PAYMENTS)).unwrap());
}

#[tokio::test]
async fn a_channel_that_takes_no_messages_is_one_clear_alert_and_the_rest_goes_on() {
    for case in ["is_archived", "not_in_channel", "channel_not_found"] {
        let scene = Scene::new(9, 0);
        spoil(&scene, |channel| {
            channel.is_archived = case == "is_archived";
            channel.has_bot = case == "is_archived";
            channel.is_private = case == "channel_not_found";
        });
        let keys: Vec<(String, String)> = (0..3).map(|n| separate(&scene, n)).collect();
        let other = import(&scene, finding(&scene, 50, 2, "CRITICAL", "securityhub"));
        scene.run(named(&[&keys[..], &[other]].concat())).await;
        one_alert(&scene, case).await;
        spoil(&scene, |channel| {
            (channel.is_archived, channel.has_bot) = (false, true);
        });
        scene.clock.advance(SignedDuration::from_hours(2));
        until_told(&scene).await;
        told_of_each(&scene, 3);
    }
}

#[tokio::test]
async fn a_channel_that_does_not_exist_is_one_clear_alert_and_gets_its_messages_when_it_does() {
    let unknown = "C0NOSUCHONE";
    let scene = Scene::with(9, 0, |text| {
        *text = text.replace(&channel_id(PAYMENTS), unknown);
    });
    let keys: Vec<(String, String)> = (0..3).map(|n| separate(&scene, n)).collect();
    let other = import(&scene, finding(&scene, 50, 2, "CRITICAL", "securityhub"));
    scene.run(named(&[&keys[..], &[other]].concat())).await;
    one_alert(&scene, "channel_not_found").await;
    scene.world.lock().slack.add_channel(unknown, "payments");
    scene.clock.advance(SignedDuration::from_hours(2));
    until_told(&scene).await;
    assert_eq!(messages(&scene, unknown).len(), 3);
}

/// Three messages for one team wait; one alert says so, names Slack's word and the fix, and another team hears all the
/// same.
async fn one_alert(scene: &Scene, word: &str) {
    for _ in 0..3 {
        scene.clock.advance(SignedDuration::from_hours(2));
        scene.run(Wish::Incremental).await;
    }
    assert_eq!(messages(scene, &channel_id(2)).len(), 1, "another team");
    let alerts = messages(scene, FALLBACK_CHANNEL);
    let alerts: Vec<String> = alerts.iter().map(text).collect();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    for words in [
        "Messages to team payments do not arrive\n",
        word,
        "change slack_channel of team payments in asaf.toml",
        "3 messages wait",
    ] {
        assert!(alerts[0].contains(words), "{words}\n{}", alerts[0]);
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
