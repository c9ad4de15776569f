//! Rules that cannot be read or used, and rules that hide too much: nothing moves, and people hear of it.

use asaf::emulators::faults::{Fault, When};
use asaf::emulators::github::{GitHubFault, Repository};
use asaf::emulators::world::seed;
use asaf::jobs::reconcile::{Orders, Wish};
use asaf::plan::HeldReason;
use asaf::store::rules::RuleMemory;
use jiff::SignedDuration;

use crate::acts::*;

#[tokio::test]
async fn conflicting_rules_change_nothing_and_security_is_told_once_a_day() {
    let (scene, control) = settled(4, 120).await;
    let ids = all_accounts(&scene);
    let text = rule("sites", &what(&control, &ids), "2027-01-31");
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    let hidden = done(&scene.run(Wish::Full).await).ignored;
    scene.settle().await;
    // Two pull requests, each right by itself, give two rules one id.
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let number = world.github.open_pull_request(
            seed::RULES,
            "pat",
            "Again",
            &[("ignore/other.toml", Some(&text))],
            now,
        );
        world
            .github
            .review(seed::RULES, number, "robin", "APPROVED", now)
            .unwrap();
        world
            .github
            .merge(seed::RULES, number, "robin", now)
            .unwrap();
    }
    for _ in 0..3 {
        scene.clock.advance(SignedDuration::from_mins(20));
        let report = scene.run(Wish::Full).await;
        assert!(report.plan.is_empty(), "{:?}", report.plan.actions);
        let said = report.plan.seen.rules.unwrap();
        assert!(
            said.contains("not read") && said.contains("another rule is called `sites`"),
            "{said}"
        );
    }
    assert_eq!(with_status(&scene.world.lock(), "SUPPRESSED").len(), hidden);
    let store = scene.store_beside();
    assert_eq!(
        store
            .told(&["ignore-unread:2026-11-24".into()])
            .await
            .unwrap()
            .len(),
        1
    );
    // The second rule goes, and all is as before.
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let number = world.github.open_pull_request(
            seed::RULES,
            "pat",
            "Undo",
            &[("ignore/other.toml", None)],
            now,
        );
        world
            .github
            .review(seed::RULES, number, "robin", "APPROVED", now)
            .unwrap();
        world
            .github
            .merge(seed::RULES, number, "robin", now)
            .unwrap();
    }
    scene.settle().await;
    assert_eq!(with_status(&scene.world.lock(), "SUPPRESSED").len(), hidden);
}

#[tokio::test]
async fn github_out_of_reach_hides_nothing_new_and_shows_nothing_again() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    let hidden = done(&scene.run(Wish::Full).await).ignored;
    scene.settle().await;
    let faults = [
        GitHubFault::Status(500),
        GitHubFault::BadCredentials,
        GitHubFault::DropBefore,
        GitHubFault::PrimaryLimit {
            reset_after_s: 3_000,
        },
    ];
    for kind in faults {
        scene.clock.advance(SignedDuration::from_hours(1));
        let fault = Fault {
            operation: String::new(),
            kind: kind.clone(),
            when: When::Next(50),
        };
        scene.world.lock().github.faults.arm(fault);
        let report = scene.run(Wish::Full).await;
        assert!(
            report.plan.is_empty(),
            "{kind:?}: {:?}",
            report.plan.actions
        );
        assert!(
            report.plan.held.is_empty(),
            "{kind:?}: {:?}",
            report.plan.held
        );
        assert!(
            report.plan.seen.rules.unwrap().contains("not read"),
            "{kind:?}"
        );
        scene.world.lock().github.faults.clear();
    }
    scene.clock.advance(SignedDuration::from_hours(1));
    scene.settle().await;
    assert_eq!(with_status(&scene.world.lock(), "SUPPRESSED").len(), hidden);
}

/// A listing that was cut short, a branch without protection, a folder that moved.
#[tokio::test]
async fn what_looks_like_no_rules_is_not_taken_for_no_rules() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    let hidden = done(&scene.run(Wish::Full).await).ignored;
    scene.settle().await;
    let unread = async |why: &str| {
        scene.clock.advance(SignedDuration::from_hours(1));
        let report = scene.run(Wish::Full).await;
        let said = report.plan.seen.rules.clone().unwrap();
        assert!(report.plan.is_empty() && said.contains(why), "{said}");
    };
    let repository = |change: &dyn Fn(&mut Repository)| {
        let mut world = scene.world.lock();
        change(world.github.repository_mut(seed::RULES).unwrap());
    };
    let (readme, moved) = ("ignore/README.md", "rules/teams.toml");
    merged_files(
        &mut scene.world.lock(),
        "Move",
        &[(FILE, None), (readme, None), (moved, Some(&text))],
    );
    unread("has no folder ignore").await;
    merged_files(
        &mut scene.world.lock(),
        "Move back",
        &[(FILE, Some(&text)), (readme, Some("x")), (moved, None)],
    );
    repository(&|it| it.longest_listing = 2);
    unread("cut short").await;
    repository(&|it| it.longest_listing = 1_000);
    let protections = {
        let mut world = scene.world.lock();
        let it = world.github.repository_mut(seed::RULES).unwrap();
        std::mem::take(&mut it.protections)
    };
    unread("is not protected").await;
    repository(&|it| it.protections = protections.clone());
    scene.settle().await;
    assert_eq!(with_status(&scene.world.lock(), "SUPPRESSED").len(), hidden);
}

#[tokio::test]
async fn while_rules_are_unread_a_finding_that_they_cover_gets_no_ticket() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    scene.run(Wish::Full).await;
    scene.settle().await;
    let before = scene.tickets().len();
    let (covered, other) = {
        let mut world = scene.world.lock();
        let now = world.now();
        (
            new_finding(&mut world, &control, "covered", now),
            new_finding(&mut world, "SNS.1", "other", now),
        )
    };
    let fault = Fault {
        operation: String::new(),
        kind: GitHubFault::Status(502),
        when: When::Next(50),
    };
    scene.world.lock().github.faults.arm(fault);
    let report = scene.run(Wish::Full).await;
    assert_eq!(done(&report).created, 1);
    let held: Vec<(&str, &HeldReason)> = report
        .plan
        .held
        .iter()
        .map(|held| (held.subject.finding.id.as_str(), &held.why))
        .collect();
    assert_eq!(held, [(covered.as_str(), &HeldReason::RulesUnread)]);
    scene.world.lock().github.faults.clear();
    scene.clock.advance(SignedDuration::from_mins(90));
    let report = scene.run(Wish::Due).await;
    assert_eq!(report.kind, "full", "nothing has changed there since");
    assert!(report.plan.held.is_empty());
    {
        let world = scene.world.lock();
        assert!(with_status(&world, "SUPPRESSED").contains(&covered));
        assert!(with_status(&world, "NOTIFIED").contains(&other));
    }
    assert_eq!(scene.tickets().len(), before + 1);
    scene.settle().await;
}

#[tokio::test]
async fn a_blanket_rule_that_was_merged_all_the_same_is_refused() {
    let (scene, control) = settled(4, 120).await;
    for what in [
        format!("controls = [\"{control}\"]"),
        format!("controls = [\"{control}\"]\nresources = [\"*\"]"),
        format!(
            "{}\nregions = [\"eu-west-1\"]",
            accounts(&all_accounts(&scene))
        ),
    ] {
        merged(
            &mut scene.world.lock(),
            "Everything",
            Some(&rule("all", &what, "2027-01-31")),
        );
        scene.clock.advance(SignedDuration::from_mins(20));
        let report = scene.run(Wish::Full).await;
        assert!(report.plan.is_empty(), "{what}");
        assert!(
            report.plan.seen.rules.unwrap().contains("cannot be used"),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_rule_that_would_hide_nearly_everything_waits_for_a_release_by_digest() {
    let (scene, _) = settled_with(4, 240, |text| {
        text.push_str("\n[limits]\nremovals = 10\nremovals_percent = 10\n")
    })
    .await;
    let all: Vec<(String, String)> = {
        let world = scene.world.lock();
        let failing = world
            .aws
            .hub
            .iter()
            .filter(|f| f["Compliance"]["Status"] == "FAILED");
        failing
            .map(|f| {
                (
                    f["Compliance"]["SecurityControlId"]
                        .as_str()
                        .unwrap()
                        .to_owned(),
                    f["Id"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    };
    let controls = [
        "S3.8", "S3.5", "EC2.19", "EC2.3", "EC2.8", "Lambda.1", "KMS.4",
    ];
    let share = all
        .iter()
        .filter(|(control, _)| controls.contains(&control.as_str()))
        .count()
        * 100
        / all.len();
    assert!(share >= 40, "{share} %");
    let quoted: Vec<String> = controls
        .iter()
        .map(|control| format!("\"{control}\""))
        .collect();
    let what = format!(
        "controls = [{}]\n{}",
        quoted.join(", "),
        accounts(&all_accounts(&scene))
    );
    merged(
        &mut scene.world.lock(),
        "Far too much",
        Some(&rule("far-too-much", &what, "2027-01-31")),
    );
    scene.clock.advance(SignedDuration::from_mins(20));
    let blocked = scene.run(Wish::Due).await;
    assert!(blocked.braked.is_some());
    assert_eq!(done(&blocked).ignored, 0);
    assert!(with_status(&scene.world.lock(), "SUPPRESSED").is_empty());
    // It stays visible: the next run is a full one again.
    assert_eq!(scene.run(Wish::Due).await.kind, "full");
    let digest = scene.plan().await.digest;
    let release = |expect: &str| Orders {
        write: true,
        expect: Some(expect.to_owned()),
        allow_removals: true,
        ..Orders::default()
    };
    assert!(
        scene
            .try_run(Wish::Full, release("000000000000"), None)
            .await
            .unwrap()
            .is_err()
    );
    let released = scene
        .try_run(Wish::Full, release(&digest), None)
        .await
        .unwrap()
        .unwrap();
    assert!(done(&released).ignored > 10);
    scene.settle().await;
}
