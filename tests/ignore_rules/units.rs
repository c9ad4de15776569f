//! Rules about organisational units: they follow the accounts, and an organisation that cannot be read moves nothing.

use std::collections::BTreeSet;

use asaf::emulators::aws::AwsFault;
use asaf::emulators::faults::{Fault, When};
use asaf::emulators::github::GitHubFault;
use asaf::emulators::world::World;
use asaf::jobs::reconcile::{Report, Wish};
use asaf::plan::HeldReason;
use jiff::SignedDuration;

use crate::acts::*;
use crate::scene::Scene;

/// A world in which a rule hides a control in one unit, and other units have findings of it too.
async fn hidden_in_a_unit() -> (Scene, String, BTreeSet<String>, usize) {
    let (scene, control) = settled(8, 240).await;
    let unit = {
        let world = scene.world.lock();
        let mut accounts = world.aws.organizations.accounts();
        let path = accounts.next().unwrap().path.clone();
        path[..=path[1..].find('/').unwrap()].to_owned()
    };
    let inside: BTreeSet<String> = {
        let world = scene.world.lock();
        let below = format!("{unit}/");
        let accounts = world.aws.organizations.accounts();
        let within = accounts.filter(|account| account.path.starts_with(&below));
        within.map(|account| account.id.clone()).collect()
    };
    let all = failing(&scene.world.lock(), &control);
    let expected: BTreeSet<String> = all
        .iter()
        .filter(|(_, account, _)| inside.contains(account))
        .map(|(id, ..)| id.clone())
        .collect();
    assert!(!expected.is_empty() && expected.len() < all.len());
    let what = format!("controls = [\"{control}\"]\nou = [\"{unit}\"]");
    let text = rule("unit", &what, "2027-01-31");
    merged(&mut scene.world.lock(), "Ignore in a unit", Some(&text));
    let report = scene.run(Wish::Full).await;
    assert_eq!(done(&report).ignored, expected.len());
    assert_eq!(suppressed(&scene.world.lock()), expected);
    scene.settle().await;
    (scene, control, inside, expected.len())
}

fn suppressed(world: &World) -> BTreeSet<String> {
    with_status(world, "SUPPRESSED").into_iter().collect()
}

fn held(report: &Report) -> Vec<(&str, &HeldReason)> {
    let held = report.plan.held.iter();
    held.map(|held| (held.subject.finding.id.as_str(), &held.why))
        .collect()
}

#[tokio::test]
async fn a_rule_about_a_unit_follows_the_accounts_that_move() {
    let (scene, control, inside, hidden) = hidden_in_a_unit().await;
    let (mover, of_mover) = {
        let world = scene.world.lock();
        let all = failing(&world, &control);
        let account = all
            .iter()
            .find(|(_, account, _)| inside.contains(account))
            .unwrap()
            .1
            .clone();
        let of_mover = all.iter().filter(|(_, of, _)| *of == account).count();
        (account, of_mover)
    };
    {
        let mut world = scene.world.lock();
        let tags = Default::default();
        let organization = &mut world.aws.organizations;
        organization.add_account(&mover, "moved", "/elsewhere/web", tags);
    }
    scene.clock.advance(SignedDuration::from_hours(2));
    let report = scene.run(Wish::Full).await;
    assert_eq!(done(&report).reopened, of_mover);
    assert_eq!(suppressed(&scene.world.lock()).len(), hidden - of_mover);
    scene.settle().await;
}

#[tokio::test]
async fn while_the_organisation_cannot_be_read_nothing_is_hidden_and_nothing_shown_again() {
    let (scene, control, inside, hidden) = hidden_in_a_unit().await;
    scene.clock.advance(SignedDuration::from_hours(2));
    let covered = {
        let mut world = scene.world.lock();
        let now = world.now();
        let is_inside = |account: &str| inside.contains(account);
        new_finding_in(&mut world, &control, "covered", is_inside, now)
    };
    let fault = Fault {
        operation: "ListRoots".to_owned(),
        kind: AwsFault::AccessDenied,
        when: When::Next(50),
    };
    scene.world.lock().aws.faults.arm(fault);
    let report = scene.run(Wish::Full).await;
    assert!(report.plan.is_empty(), "{:?}", report.plan.actions);
    assert_eq!(
        held(&report),
        [(covered.as_str(), &HeldReason::RulesUnread)]
    );
    let said = report.plan.seen.rules.clone().unwrap();
    assert!(said.contains("organisational units"), "{said}");
    scene.world.lock().aws.faults.clear();
    scene.clock.advance(SignedDuration::from_hours(1));
    scene.run(Wish::Due).await;
    let after = suppressed(&scene.world.lock());
    assert!(after.contains(&covered));
    assert_eq!(after.len(), hidden + 1);
    scene.settle().await;
}

/// The organisation can still be read then, so only what the rule covers has to wait.
#[tokio::test]
async fn while_github_is_away_only_findings_of_the_unit_wait() {
    let (scene, control, inside, hidden) = hidden_in_a_unit().await;
    scene.clock.advance(SignedDuration::from_hours(2));
    let (covered, other) = {
        let mut world = scene.world.lock();
        let now = world.now();
        let is_inside = |account: &str| inside.contains(account);
        let is_outside = |account: &str| !inside.contains(account);
        (
            new_finding_in(&mut world, &control, "covered", is_inside, now),
            new_finding_in(&mut world, &control, "other", is_outside, now),
        )
    };
    let fault = Fault {
        operation: String::new(),
        kind: GitHubFault::Status(503),
        when: When::Next(50),
    };
    scene.world.lock().github.faults.arm(fault);
    let report = scene.run(Wish::Full).await;
    assert_eq!(done(&report).created, 1);
    assert_eq!(
        held(&report),
        [(covered.as_str(), &HeldReason::RulesUnread)]
    );
    assert!(with_status(&scene.world.lock(), "NOTIFIED").contains(&other));
    assert_eq!(suppressed(&scene.world.lock()).len(), hidden);
    scene.world.lock().github.faults.clear();
    scene.clock.advance(SignedDuration::from_hours(1));
    scene.run(Wish::Due).await;
    assert!(suppressed(&scene.world.lock()).contains(&covered));
    scene.settle().await;
}
