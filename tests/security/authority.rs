//! Threat 5: somebody ends a finding who may not. Every kind of person, every status that a ticket can be moved to, from
//! every status that it can have.

use asaf::emulators::jira::Role;
use asaf::jobs::reconcile::Wish;

use crate::scene::Scene;
use crate::scene::acts::{minutes, status_of, tickets, transition, workflow_of};

const STATUSES: [&str; 4] = ["Open", "Resolved", "Closed", "Ignored"];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Product,
    Reviewer,
    /// Runs the site, and is no reviewer.
    Admin,
    /// Was a reviewer until a moment ago.
    Former,
    /// A reviewer whose account was shut.
    Deactivated,
    /// The engine's own account, used by somebody else.
    Bot,
}

const EVERYBODY: [Who; 6] = [
    Who::Product,
    Who::Reviewer,
    Who::Admin,
    Who::Former,
    Who::Deactivated,
    Who::Bot,
];

/// Moves a ticket past the workflow: what conditions would stop is stopped by the engine, too.
fn force(scene: &Scene, account: &str, key: &str, to: &str) {
    let mut world = scene.world.lock();
    let now = world.now();
    let asaf::emulators::world::World { jira, journal, .. } = &mut *world;
    jira.force_status(account, key, to, now, journal);
}

/// A site on which the person has an account; the engine has looked at nothing of theirs yet.
async fn site(who: Who) -> (Scene, String) {
    let scene = Scene::new(3, 60);
    let account = {
        let mut world = scene.world.lock();
        let role = match who {
            Who::Product => Role::Product,
            Who::Admin => Role::Admin,
            Who::Bot => Role::Bot,
            Who::Reviewer | Who::Former | Who::Deactivated => Role::Reviewer,
        };
        let account = world.jira.user(role).unwrap().account_id.clone();
        let user = world.jira.user_mut(&account).unwrap();
        match who {
            Who::Former => user.groups.retain(|group| group != "security-reviewers"),
            Who::Deactivated => user.active = false,
            Who::Admin => user.groups.retain(|group| group != "security-reviewers"),
            Who::Product | Who::Reviewer | Who::Bot => {}
        }
        account
    };
    scene.run(Wish::Full).await;
    scene.clock.advance(minutes(20));
    scene.run(Wish::Full).await;
    (scene, account)
}

/// Brings an open ticket where the story begins, by the team's own hands where it may.
async fn begin(scene: &Scene, reviewer: &str, key: &str, from: &str) {
    match from {
        "Open" => {}
        "Resolved" => transition(scene, Role::Product, key, "Resolved"),
        other => force(scene, reviewer, key, other),
    }
}

#[tokio::test]
async fn threat_5_nobody_but_a_reviewer_ends_a_finding_whatever_they_move() {
    let mut tried = 0;
    for who in EVERYBODY {
        let (scene, account) = site(who).await;
        let open = tickets(&scene, "Open");
        let mut keys = open.iter();
        let mut moves = Vec::new();
        for from in STATUSES {
            for to in STATUSES {
                if from == to || from == "Closed" || from == "Ignored" {
                    // Both are reached by reviewers and rules alone: see the stories of those.
                    continue;
                }
                let key = keys.next().unwrap().clone();
                begin(&scene, &account, &key, from).await;
                moves.push((key, from, to));
            }
        }
        scene.clock.advance(minutes(20));
        scene.run(Wish::Full).await;
        scene.clock.advance(minutes(20));
        for (key, _, to) in &moves {
            force(&scene, &account, key, to);
        }
        for _ in 0..3 {
            scene.run(Wish::Full).await;
            scene.clock.advance(minutes(20));
        }
        for (key, from, to) in &moves {
            let told = (status_of(&scene, key), workflow_of(&scene, key));
            let told = (told.0.as_str(), told.1.as_str());
            let what = format!("{who:?} moved {key} from {from} to {to}: {told:?}");
            let may_close = who == Who::Reviewer;
            match *to {
                "Closed" if may_close => assert_eq!(told, ("Closed", "RESOLVED"), "{what}"),
                // Whose word does not count leaves what was agreed.
                "Closed" | "Ignored" if *from == "Open" => {
                    assert_ne!(told.1, "SUPPRESSED", "{what}");
                    assert_ne!(told.1, "RESOLVED", "{what}");
                }
                "Closed" | "Ignored" => {
                    assert_ne!(told.1, "SUPPRESSED", "{what}");
                    assert_ne!(told.0, "Ignored", "{what}");
                }
                // Everybody may say that it is mended; what the engine's account says is nobody's word.
                "Resolved" if who == Who::Bot => {}
                "Resolved" => assert_eq!(told, ("Resolved", "RESOLVED"), "{what}"),
                _ => assert_eq!(told.1, "NOTIFIED", "{what}"),
            }
            tried += 1;
        }
        // The world's own audit knows people by their part in the story: a reviewer is one, and the bot is the engine.
        if !matches!(who, Who::Former | Who::Deactivated | Who::Bot) {
            scene.audit();
        }
    }
    println!("{tried} moves by {} kinds of people", EVERYBODY.len());
    assert_eq!(tried, EVERYBODY.len() * 6);
}
