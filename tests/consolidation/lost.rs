//! Shared tickets whose runs ended early, whose store was lost, or whose findings are absent: none is forgotten.

use asaf::emulators::jira::Role;
use asaf::jobs::reconcile::{Orders, Wish};

use crate::scene::acts::{
    Named, comments, force_closed, in_hub, set, status_of, transition, workflow,
};
use crate::scene::{self, Fuse, Scene};
use crate::{BY_ACCOUNT, BY_TEAM, a_group, consolidated, groups, live, one_more, state};

fn lose_the_store(scene: &Scene) {
    std::fs::remove_file(scene.store_path()).unwrap();
}

fn remove(scene: &Scene, findings: &[Named]) {
    in_hub(scene, |hub, now, journal| {
        for (product, id) in findings {
            hub.remove(product, id, now, journal);
        }
    });
}

#[tokio::test]
async fn a_lost_store_follows_shared_tickets_whose_findings_have_stopped_since() {
    for how in [BY_ACCOUNT, BY_TEAM] {
        let scene = consolidated(how);
        scene.settle().await;
        let group = a_group(&scene, 3);
        let key = live(&scene, &group[0])[0].clone();
        lose_the_store(&scene);
        scene.clock.advance(scene::acts::minutes(60));
        for finding in groups(&scene).values().flatten() {
            if live(&scene, finding).contains(&key) {
                set(&scene, std::slice::from_ref(finding), "PASSED");
            }
        }
        remove(&scene, &group[..1]);
        scene.settle().await;
        assert_eq!(status_of(&scene, &key), "Resolved");
        assert_eq!(workflow(&scene, &group[1]), "RESOLVED");
    }
}

#[tokio::test]
async fn a_lost_store_undoes_a_close_without_right_though_nothing_fails_any_more() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_group(&scene, 2);
    let key = live(&scene, &group[0])[0].clone();
    lose_the_store(&scene);
    force_closed(&scene, Role::Product, &key);
    scene.clock.advance(scene::acts::minutes(60));
    set(&scene, &group, "PASSED");
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Resolved");
}

#[tokio::test]
async fn a_run_that_ends_anywhere_leaves_no_shared_ticket_whose_findings_nobody_looks_for() {
    for n in 0.. {
        let scene = consolidated(BY_ACCOUNT);
        let group = a_group(&scene, 3);
        let orders = Orders {
            write: true,
            ..Orders::default()
        };
        let fuse = Fuse::at(n, true);
        let ended = scene.try_run(Wish::Full, orders, Some(&fuse)).await;
        // Meanwhile all of it is fixed, and one has gone altogether.
        scene.clock.advance(scene::acts::minutes(60));
        let made = live(&scene, &group[0]);
        set(&scene, &group, "PASSED");
        remove(&scene, &group[..1]);
        scene.settle().await;
        for key in made {
            assert_eq!(status_of(&scene, &key), "Resolved", "after {n} requests");
        }
        if ended.is_some() {
            break;
        }
    }
}

#[tokio::test]
async fn a_shared_ticket_is_resolved_when_the_last_of_its_findings_is_gone() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_group(&scene, 3);
    let key = live(&scene, &group[0])[0].clone();
    remove(&scene, &group[..1]);
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Open");
    assert!(comments(&scene, &key).is_empty());
    remove(&scene, &group[1..]);
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Resolved");
    let why = comments(&scene, &key).pop().unwrap();
    assert!(why.contains("gone from Security Hub"), "{why}");
}

#[tokio::test]
async fn what_fails_after_a_reviewer_closed_the_ticket_is_no_part_of_that_though_one_run_sees_both()
{
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_group(&scene, 2);
    let key = live(&scene, &group[0])[0].clone();
    transition(&scene, Role::Product, &key, "Resolved");
    scene.settle().await;
    transition(&scene, Role::Reviewer, &key, "Closed");
    scene.clock.advance(scene::acts::minutes(5));
    let new = one_more(&scene, &group[0]);
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(workflow(&scene, &new), "NOTIFIED");
    assert!(state(&scene, &key, &new).ends_with("fails"));
    for finding in &group {
        assert_eq!(workflow(&scene, finding), "RESOLVED");
        assert!(state(&scene, &key, finding).contains("accepted by"));
    }
}
