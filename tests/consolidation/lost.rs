//! Shared tickets whose runs ended early, whose store was lost, or whose findings are absent: none is forgotten.

use asaf::emulators::jira::Role;
use asaf::jobs::reconcile::{Orders, Wish};

use asaf::read::Keys;

use crate::scene::acts::{
    Named, comments, delete_resource, force_closed, in_hub, set, set_by_hand, status_of,
    transition, workflow,
};
use crate::scene::{self, Fuse, Scene};
use crate::{
    BY_ACCOUNT, BY_TEAM, a_group, a_recorded_group, arn, consolidated, groups, live, one_more,
    state,
};

fn lose_the_store(scene: &Scene) {
    for file in ["asaf.sqlite3", "asaf.sqlite3-wal", "asaf.sqlite3-shm"] {
        let _ = std::fs::remove_file(scene.folder.path().join(file));
    }
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

#[tokio::test]
async fn a_ticket_opened_for_what_was_deleted_since_is_closed_again_for_what_was_accepted() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_recorded_group(&scene);
    let (new, accepted) = group.split_first().unwrap();
    let key = live(&scene, new)[0].clone();
    set(&scene, std::slice::from_ref(new), "PASSED");
    scene.settle().await;
    transition(&scene, Role::Product, &key, "Resolved");
    scene.settle().await;
    transition(&scene, Role::Reviewer, &key, "Closed");
    scene.settle().await;
    scene.clock.advance(scene::acts::minutes(60));
    set(&scene, std::slice::from_ref(new), "FAILED");
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Open");
    let resource = arn(&scene.world.lock(), new);
    delete_resource(&scene, &resource);
    in_hub(&scene, |hub, now, journal| {
        hub.archive(&new.0, &new.1, None, now, journal);
    });
    scene.clock.advance(scene::acts::minutes(8 * 60));
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Closed");
    let why = comments(&scene, &key).pop().unwrap();
    assert!(why.contains("closed what still fails"), "{why}");
    for finding in accepted {
        assert_eq!(live(&scene, finding), [""; 0]);
        assert_eq!(workflow(&scene, finding), "RESOLVED");
    }
}

#[tokio::test]
async fn what_the_console_takes_back_after_the_close_is_open_again_without_the_others() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_group(&scene, 2);
    let key = live(&scene, &group[0])[0].clone();
    transition(&scene, Role::Product, &key, "Resolved");
    scene.settle().await;
    transition(&scene, Role::Reviewer, &key, "Closed");
    scene.clock.advance(scene::acts::minutes(5));
    set_by_hand(&scene, &group[0], "NEW");
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(workflow(&scene, &group[0]), "NOTIFIED");
    assert!(state(&scene, &key, &group[0]).ends_with("fails"));
    for finding in &group[1..] {
        assert_eq!(workflow(&scene, finding), "RESOLVED");
        assert!(state(&scene, &key, finding).contains("accepted by"));
    }
}

#[tokio::test]
async fn a_restored_store_deletes_no_ticket_that_it_does_not_know_to_be_shared_with_more() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_recorded_group(&scene);
    let key = live(&scene, &group[0])[0].clone();
    let backup = scene.folder.path().join("backup.sqlite3");
    scene.back_up(&backup).await;
    scene.clock.advance(scene::acts::minutes(60));
    let new = one_more(&scene, &group[0]);
    scene.settle().await;
    lose_the_store(&scene);
    std::fs::copy(&backup, scene.store_path()).unwrap();
    for finding in &group {
        let resource = arn(&scene.world.lock(), finding);
        delete_resource(&scene, &resource);
    }
    in_hub(&scene, |hub, now, journal| {
        for (product, id) in &group {
            hub.archive(product, id, None, now, journal);
        }
    });
    scene.clock.advance(scene::acts::minutes(8 * 60));
    let keys = Keys {
        findings: group.iter().map(|finding| finding.1.clone()).collect(),
        ..Keys::default()
    };
    let report = scene.run(Wish::Named(keys)).await;
    let held = scene::acts::held(&[report]);
    assert!(
        held.iter().any(|why| why.contains("next full reconcile")),
        "{held:?}"
    );
    scene.settle().await;
    assert_eq!(live(&scene, &new), [key.as_str()]);
    assert_eq!(workflow(&scene, &new), "NOTIFIED");
}

#[tokio::test]
async fn a_claim_waits_for_a_finding_of_its_ticket_that_cannot_be_read() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_group(&scene, 3);
    let key = live(&scene, &group[0])[0].clone();
    remove(&scene, &group[..1]);
    transition(&scene, Role::Product, &key, "Resolved");
    let keys = Keys {
        tickets: vec![key.clone()],
        ..Keys::default()
    };
    // A narrow run cannot tell what is gone from what it was not shown.
    scene.run(Wish::Named(keys)).await;
    assert_eq!(workflow(&scene, &group[1]), "NOTIFIED");
    scene.settle().await;
    assert_eq!(workflow(&scene, &group[1]), "RESOLVED");
    assert_eq!(status_of(&scene, &key), "Resolved");
}

#[tokio::test]
async fn a_claim_is_about_what_the_ticket_named_wherever_the_run_before_it_ended() {
    for n in 0.. {
        let scene = consolidated(BY_ACCOUNT);
        scene.settle().await;
        let group = a_group(&scene, 2);
        let key = live(&scene, &group[0])[0].clone();
        let new = one_more(&scene, &group[0]);
        let orders = Orders {
            write: true,
            ..Orders::default()
        };
        let fuse = Fuse::at(n, false);
        let ended = scene.try_run(Wish::Full, orders, Some(&fuse)).await;
        let named = live(&scene, &new).contains(&key);
        scene.clock.advance(scene::acts::minutes(5));
        transition(&scene, Role::Product, &key, "Resolved");
        scene.settle().await;
        if !named {
            assert_eq!(status_of(&scene, &key), "Open", "after {n} requests");
            assert_eq!(workflow(&scene, &new), "NOTIFIED", "after {n} requests");
        }
        if ended.is_some() {
            assert_eq!(status_of(&scene, &key), "Resolved");
            assert_eq!(workflow(&scene, &new), "RESOLVED");
            break;
        }
    }
}
