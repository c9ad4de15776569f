//! What the security team does in Jira and in Security Hub, one story for each row of the decision table that is about
//! it, and who counts as a reviewer. A story ends with a reconcile that plans nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scene;

use std::collections::BTreeSet;

use asaf::emulators::jira::Role;
use asaf::plan::HeldReason;
use asaf::ports::{Audience, TicketsReader};
use asaf::store::Store;
use jiff::SignedDuration;
use scene::Scene;
use scene::acts::{
    Named, alerts, an_open_ticket, comments, force_closed, held, minutes, set, set_by_hand,
    status_of, tickets, transition, workflow, workflow_of,
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
async fn row_3_a_reviewers_word_keeps_a_ticket_open_after_the_finding_has_passed() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            set(&scene, one(&finding), "PASSED");
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Resolved");
            live.advance(minutes(1));
            transition(&scene, Role::Reviewer, &key, "Open");
            live.settle(worker).await;
            live.advance(minutes(30));
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Open");
            assert_eq!(
                workflow(&scene, &finding),
                "RESOLVED",
                "AWS says that it passes"
            );
        })
        .await;
}

/// A ticket that a team has resolved and a reviewer closes, while the finding fails.
async fn closed_while_failing(scene: &Scene) -> (String, Named, Vec<String>) {
    let mut seen = None;
    scene
        .told_of_a_policy(async |live, worker| {
            let (key, finding) = an_open_ticket(scene);
            transition(scene, Role::Product, &key, "Resolved");
            live.settle(worker).await;
            live.advance(minutes(1));
            transition(scene, Role::Reviewer, &key, "Closed");
            let reports = live.settle(worker).await;
            let held = held(&reports);
            if !held.is_empty() {
                // Held stays held until somebody acts: here the reviewer takes it back.
                live.advance(minutes(1));
                transition(scene, Role::Reviewer, &key, "Open");
                live.settle(worker).await;
            }
            seen = Some((key, finding, held));
        })
        .await;
    seen.unwrap()
}

#[tokio::test]
async fn row_7_a_reviewers_close_counts_although_the_finding_still_fails() {
    let scene = small();
    let (key, finding, held) = closed_while_failing(&scene).await;
    assert!(held.is_empty(), "{held:?}");
    scene.audit();
    assert_eq!(status_of(&scene, &key), "Closed");
    assert_eq!(workflow(&scene, &finding), "RESOLVED");
}

#[tokio::test]
async fn row_7_can_be_held_or_reopened_by_policy() {
    let scene = with_policy("close_while_failing = \"reopen\"");
    let (key, finding, _) = closed_while_failing(&scene).await;
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(workflow(&scene, &finding), "NOTIFIED");
    let said = comments(&scene, &key).join("\n");
    assert!(
        said.contains("the policy keeps such tickets open"),
        "{said}"
    );
    let scene = with_policy("close_while_failing = \"hold\"");
    let (_, _, held) = closed_while_failing(&scene).await;
    assert!(
        held.iter()
            .any(|why| why.contains("Robin Reviewer closed it while it fails")),
        "{held:?}"
    );
}

#[tokio::test]
async fn row_8_a_reviewer_who_reopens_sends_it_back_to_the_team() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            for (role, to, expected) in [
                (Role::Product, "Resolved", "RESOLVED"),
                (Role::Reviewer, "Open", "NOTIFIED"),
                (Role::Product, "Resolved", "RESOLVED"),
                (Role::Reviewer, "Closed", "RESOLVED"),
                (Role::Reviewer, "Open", "NOTIFIED"),
            ] {
                live.advance(minutes(1));
                transition(&scene, role, &key, to);
                let reports = live.settle(worker).await;
                assert_eq!(workflow(&scene, &finding), expected, "after {to}");
                let team = alerts(&reports)
                    .into_iter()
                    .filter(|(to, _)| *to == Audience::Team)
                    .count();
                assert_eq!(team, usize::from(to == "Open"));
            }
        })
        .await;
}

#[tokio::test]
async fn row_9_a_suppression_by_hand_is_respected_and_reported() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            set_by_hand(&scene, &finding, "SUPPRESSED");
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Ignored");
            let said = comments(&scene, &key).join("\n");
            assert!(
                said.contains("assumed-role/analyst/kim suppressed the finding"),
                "{said}"
            );
            // And when it is lifted, the ticket opens again.
            live.advance(minutes(1));
            set_by_hand(&scene, &finding, "NEW");
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Open");
            assert_eq!(workflow(&scene, &finding), "NOTIFIED");
        })
        .await;
}

#[tokio::test]
async fn row_10_a_suppression_by_hand_is_reverted_by_policy_and_disputed_when_repeated() {
    let scene = with_policy("suppressed_by_hand = \"revert\"");
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            set_by_hand(&scene, &finding, "SUPPRESSED");
            let reports = live.settle(worker).await;
            assert_eq!(workflow(&scene, &finding), "NOTIFIED");
            assert_eq!(alerts(&reports).len(), 1);
            live.advance(minutes(1));
            set_by_hand(&scene, &finding, "SUPPRESSED");
            let reports = live.settle(worker).await;
            assert_eq!(
                workflow(&scene, &finding),
                "SUPPRESSED",
                "the engine does not argue"
            );
            assert!(
                alerts(&reports)[0].1.contains("keeps changing back"),
                "{reports:?}"
            );
            // The analyst gives in.
            live.advance(minutes(20));
            set_by_hand(&scene, &finding, "NOTIFIED");
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Open");
        })
        .await;
}

#[tokio::test]
async fn row_11_resolved_in_security_hub_resolves_the_ticket_and_awaits_review() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = an_open_ticket(&scene);
            set_by_hand(&scene, &finding, "RESOLVED");
            live.settle(worker).await;
            assert_eq!(status_of(&scene, &key), "Resolved");
            assert_eq!(workflow(&scene, &finding), "RESOLVED");
            let said = comments(&scene, &key).join("\n");
            assert!(
                said.contains("set the finding to RESOLVED in Security Hub")
                    && said.contains("awaits review")
            );
            // A reviewer does not agree.
            live.advance(minutes(1));
            transition(&scene, Role::Reviewer, &key, "Open");
            live.settle(worker).await;
            assert_eq!(workflow(&scene, &finding), "NOTIFIED");
        })
        .await;
}

#[tokio::test]
async fn row_17_a_status_that_sticks_on_a_failing_finding_is_flagged_once_or_reopened() {
    for (policy, reopens) in [
        ("recheck = \"flag\"", false),
        ("recheck = \"reopen\"", true),
    ] {
        let scene = with_policy(policy);
        scene
            .told(async |live, worker| {
                let (key, finding) = an_open_ticket(&scene);
                transition(&scene, Role::Product, &key, "Resolved");
                live.settle(worker).await;
                let mut told = Vec::new();
                for _ in 0..3 {
                    live.advance(SignedDuration::from_hours(25));
                    told.extend(alerts(&live.drain(worker).await));
                }
                assert_eq!(told.len(), 1, "{policy}: {told:?}");
                assert!(
                    told[0].1.contains("but the finding still fails"),
                    "{told:?}"
                );
                let expected = if reopens {
                    ("Open", "NOTIFIED")
                } else {
                    ("Resolved", "RESOLVED")
                };
                let (status, hub) = (status_of(&scene, &key), workflow(&scene, &finding));
                assert_eq!((status.as_str(), hub.as_str()), expected, "{policy}");
            })
            .await;
    }
}

#[tokio::test]
async fn row_19_what_aws_sees_pass_is_verified_for_the_reviewer_and_closed_by_policy() {
    for (policy, expected) in [
        ("auto_close_verified = false", "Resolved"),
        ("auto_close_verified = true", "Closed"),
    ] {
        let scene = with_policy(policy);
        scene
            .told(async |live, worker| {
                let (key, finding) = an_open_ticket(&scene);
                transition(&scene, Role::Product, &key, "Resolved");
                live.settle(worker).await;
                live.advance(minutes(1));
                set(&scene, one(&finding), "PASSED");
                live.settle(worker).await;
                assert_eq!(status_of(&scene, &key), expected);
                let said = comments(&scene, &key);
                let verified = said.iter().filter(|said| said.starts_with("Verified"));
                assert_eq!(verified.count(), 1, "{said:?}");
            })
            .await;
    }
}

#[tokio::test]
async fn a_reviewer_who_was_removed_may_close_no_longer_than_ten_minutes() {
    let scene = Scene::new(3, 60);
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let keys = tickets(&scene, "Open");
    let leave = || {
        let mut world = scene.world.lock();
        let who = world.jira.user(Role::Reviewer).unwrap().account_id.clone();
        let user = world.jira.user_mut(&who).unwrap();
        user.groups.retain(|group| group != "security-reviewers");
    };
    live.advance(minutes(1));
    force_closed(&scene, Role::Reviewer, &keys[0]);
    live.settle(&mut worker).await;
    assert_eq!(workflow_of(&scene, &keys[0]), "RESOLVED");
    leave();
    live.advance(minutes(10));
    force_closed(&scene, Role::Reviewer, &keys[1]);
    live.settle(&mut worker).await;
    assert_eq!(status_of(&scene, &keys[1]), "Open");
    assert_eq!(workflow_of(&scene, &keys[1]), "NOTIFIED");
    assert_eq!(
        status_of(&scene, &keys[0]),
        "Closed",
        "what was accepted stays"
    );
}

#[tokio::test]
async fn while_the_reviewers_cannot_be_read_nobody_may_close_and_nothing_is_lost() {
    let scene = Scene::new(3, 60);
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let keys = tickets(&scene, "Open");
    scene.refuse_jira("group/member", 403, 50);
    live.advance(minutes(11));
    force_closed(&scene, Role::Product, &keys[0]);
    force_closed(&scene, Role::Reviewer, &keys[1]);
    let reports = live.settle(&mut worker).await;
    let unknown = |why: &HeldReason| matches!(why, HeldReason::ReviewersUnknown { .. });
    let held: BTreeSet<_> = reports
        .iter()
        .flat_map(|report| &report.plan.held)
        .filter(|held| unknown(&held.why))
        .map(|held| held.subject.ticket.clone().unwrap())
        .collect();
    assert_eq!(held, keys[..2].iter().cloned().collect());
    for key in &keys[..2] {
        assert_eq!(status_of(&scene, key), "Closed");
        assert_eq!(workflow_of(&scene, key), "NOTIFIED");
    }
    scene.heal();
    live.advance(minutes(6));
    live.settle(&mut worker).await;
    assert_eq!(status_of(&scene, &keys[0]), "Open");
    assert_eq!(workflow_of(&scene, &keys[1]), "RESOLVED");
    drop(worker);
    drop(live);
    scene.settle().await;
}

#[tokio::test]
async fn the_bot_approves_nothing_though_it_stands_in_the_group() {
    let scene = Scene::new(3, 60);
    {
        let mut world = scene.world.lock();
        let bot = world.jira.user(Role::Bot).unwrap().account_id.clone();
        let groups = &mut world.jira.user_mut(&bot).unwrap().groups;
        groups.push("security-reviewers".to_owned());
    }
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let key = tickets(&scene, "Open")[0].clone();
    live.advance(minutes(1));
    // Somebody uses the bot's token, or its automation closes.
    force_closed(&scene, Role::Bot, &key);
    live.settle(&mut worker).await;
    assert_ne!(workflow_of(&scene, &key), "RESOLVED");
    let links = live.store.links().await.unwrap();
    let link = links
        .iter()
        .find(|link| link.ticket.as_ref().is_some_and(|ticket| ticket.key == key));
    let decision = &link.unwrap().decision;
    assert!(decision.is_none(), "{decision:?}");
    let people = live.clients.jira.people().await.unwrap();
    assert!(!people.reviewers.unwrap().contains(&people.bot));
}
