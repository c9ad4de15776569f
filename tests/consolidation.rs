//! One ticket for several findings: its table, and what becomes of each of them. Each story ends with a reconcile that
//! plans nothing, and the audit.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "consolidation/lost.rs"]
mod lost;
mod scene;
#[path = "consolidation/switching.rs"]
mod switching;

use std::collections::{BTreeMap, BTreeSet};

use asaf::emulators::jira::Role;
use asaf::emulators::world::World;
use asaf::jobs::reconcile::Wish;
use asaf::read::Keys;
use asaf::review::{ConfigSays, Verdict};
use asaf::wire::adf::plain_text;
use scene::Scene;
use scene::acts::{
    Named, comments, controls, delete_resource, in_hub, set, set_by_hand, status_of, tickets,
    transition, workflow,
};
use serde_json::json;

const BY_ACCOUNT: &str = "account_control";
const BY_TEAM: &str = "control_team";

fn consolidated(how: &str) -> Scene {
    Scene::with(3, 60, |text| change(text, how))
}

fn change(text: &mut String, how: &str) {
    let policy = format!("[policy]\nconsolidate = \"{how}\"\n");
    *text = match text.find("[policy]\n") {
        Some(_) => text.replace("[policy]\n", &policy),
        None => text.replacen("[owners]", &format!("{policy}\n[owners]"), 1),
    };
}

/// Account and control of a finding of a control.
fn about(finding: &Named) -> (String, String) {
    let parts: Vec<&str> = finding.1.split([':', '/']).collect();
    (parts[4].to_owned(), parts[6].to_owned())
}

/// The failing findings of controls, by account and control. Config.1 is below the threshold.
fn groups(scene: &Scene) -> BTreeMap<(String, String), Vec<Named>> {
    let failing = controls(&scene.world.lock(), "FAILED");
    let mut groups: BTreeMap<_, Vec<Named>> = BTreeMap::new();
    for finding in failing
        .into_iter()
        .filter(|finding| about(finding).1 != "Config.1")
    {
        groups.entry(about(&finding)).or_default().push(finding);
    }
    groups
}

/// A group with so many findings at least.
fn a_group(scene: &Scene, least: usize) -> Vec<Named> {
    let mut groups = groups(scene).into_values();
    groups.find(|group| group.len() >= least).unwrap()
}

fn arn(world: &World, finding: &Named) -> String {
    let asff = world.aws.hub.get(&finding.0, &finding.1).unwrap();
    asff["Resources"][0]["Id"].as_str().unwrap().to_owned()
}

fn said(scene: &Scene, key: &str) -> String {
    let world = scene.world.lock();
    let description = world.jira.issue(key).unwrap().description.clone().unwrap();
    plain_text(&description.value())
}

/// The live tickets that name the resource of a finding.
fn live(scene: &Scene, finding: &Named) -> Vec<String> {
    let world = scene.world.lock();
    let arn = arn(&world, finding);
    let (_, control) = about(finding);
    let mut found = Vec::new();
    for issue in world.jira.issues() {
        let text = issue
            .description
            .as_ref()
            .map(|text| plain_text(&text.value()));
        let names = text.is_some_and(|text| text.contains(&arn));
        let open = world.jira.status_name(issue.status) != "Closed";
        if names && open && issue.summary.contains(&format!(" {control}: ")) {
            found.push(issue.key.clone());
        }
    }
    found
}

/// The state in the ticket's row of a finding.
fn state(scene: &Scene, key: &str, finding: &Named) -> String {
    let arn = arn(&scene.world.lock(), finding);
    let shown = said(scene, key);
    // Each cell is a line: resource, account, severity, state.
    let lines: Vec<&str> = shown.lines().collect();
    let row = lines.iter().position(|line| line.contains(&arn));
    let row = row.unwrap_or_else(|| panic!("{arn} has no row: {shown}"));
    lines[row + 3].to_owned()
}

/// A group of which Config records each resource.
fn a_recorded_group(scene: &Scene) -> Vec<Named> {
    let recorded = |finding: &Named| {
        let world = scene.world.lock();
        world.aws.config.item(&arn(&world, finding)).is_some()
    };
    let mut groups = groups(scene).into_values();
    let found = groups.find(|group| group.len() > 1 && group.iter().all(recorded));
    found.unwrap()
}

/// One more finding of the same control in the same account.
fn one_more(scene: &Scene, like: &Named) -> Named {
    let mut asff = scene.world.lock().aws.hub.get(&like.0, &like.1).unwrap();
    let id = format!("{}-more", like.1);
    asff["Id"] = json!(id);
    asff["Resources"][0]["Id"] = json!("arn:aws:s3:::one-more");
    asff["Workflow"]["Status"] = json!("NEW");
    asff.as_object_mut().unwrap().remove("Note");
    in_hub(scene, |hub, now, journal| {
        for at in [
            "CreatedAt",
            "UpdatedAt",
            "FirstObservedAt",
            "LastObservedAt",
        ] {
            asff[at] = json!(now.to_string());
        }
        hub.import(asff, now, journal);
    });
    (like.0.clone(), id)
}

#[tokio::test]
async fn findings_of_one_control_in_one_account_share_a_ticket_that_names_each() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let mut keys = BTreeSet::new();
    let groups = groups(&scene);
    for group in groups.values() {
        let first = live(&scene, &group[0]);
        assert_eq!(first.len(), 1, "{first:?}");
        for finding in group {
            assert_eq!(live(&scene, finding), first);
            assert_eq!(workflow(&scene, finding), "NOTIFIED");
            assert!(state(&scene, &first[0], finding).ends_with("fails"));
        }
        keys.extend(first);
    }
    assert_eq!(keys.len(), groups.len());
    let group = groups.values().find(|group| group.len() > 1).unwrap();
    let key = &live(&scene, &group[0])[0];
    let world = scene.world.lock();
    let summary = &world.jira.issue(key).unwrap().summary;
    let count = format!("· {} resources ·", group.len());
    assert!(summary.contains(&count), "{summary}");
}

#[tokio::test]
async fn the_ticket_is_resolved_with_the_last_one_that_is_fixed_and_says_which_were() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_group(&scene, 3);
    let key = live(&scene, &group[0])[0].clone();
    scene.clock.advance(scene::acts::minutes(60));
    set(&scene, &group[..1], "PASSED");
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(workflow(&scene, &group[0]), "RESOLVED");
    assert_eq!(workflow(&scene, &group[1]), "NOTIFIED");
    assert!(state(&scene, &key, &group[0]).ends_with("fixed"));
    assert!(comments(&scene, &key).is_empty());
    let all = group.len();
    let changed = format!("resources {all} → {}", all - 1);
    assert!(
        said(&scene, &key).contains(&changed),
        "{}",
        said(&scene, &key)
    );
    scene.clock.advance(scene::acts::minutes(60));
    set(&scene, &group[1..], "PASSED");
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Resolved");
    for finding in &group {
        assert_eq!(workflow(&scene, finding), "RESOLVED");
    }
    // One of them fails again: the same ticket is open again, and the others stay as they are.
    scene.clock.advance(scene::acts::minutes(60));
    set(&scene, &group[..1], "FAILED");
    scene.settle().await;
    assert_eq!(live(&scene, &group[0]), [key.as_str()]);
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(workflow(&scene, &group[0]), "NOTIFIED");
    assert_eq!(workflow(&scene, &group[1]), "RESOLVED");
}

#[tokio::test]
async fn what_a_reviewer_accepted_stays_accepted_when_another_resource_opens_the_ticket_again() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_group(&scene, 2);
    let key = live(&scene, &group[0])[0].clone();
    transition(&scene, Role::Product, &key, "Resolved");
    scene.settle().await;
    for finding in &group {
        assert_eq!(workflow(&scene, finding), "RESOLVED");
    }
    transition(&scene, Role::Reviewer, &key, "Closed");
    scene.settle().await;
    let new = one_more(&scene, &group[0]);
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(workflow(&scene, &new), "NOTIFIED");
    assert!(state(&scene, &key, &new).ends_with("fails"));
    for finding in &group {
        assert_eq!(workflow(&scene, finding), "RESOLVED");
        assert!(state(&scene, &key, finding).contains("accepted by"));
    }
    let why = comments(&scene, &key).pop().unwrap();
    assert!(why.contains("more of them fail now"), "{why}");
    // The reviewer opens it again: now all of them count.
    scene.clock.advance(scene::acts::minutes(60));
    set(&scene, std::slice::from_ref(&new), "PASSED");
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Resolved");
    assert_eq!(workflow(&scene, &group[0]), "RESOLVED");
}

#[tokio::test]
async fn one_that_is_suppressed_by_hand_leaves_the_ticket_to_the_others() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_group(&scene, 2);
    let key = live(&scene, &group[0])[0].clone();
    set_by_hand(&scene, &group[0], "SUPPRESSED");
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(workflow(&scene, &group[0]), "SUPPRESSED");
    assert!(state(&scene, &key, &group[0]).contains("suppressed in Security Hub by"));
    for finding in &group[1..] {
        set_by_hand(&scene, finding, "SUPPRESSED");
    }
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Ignored");
    set_by_hand(&scene, &group[0], "NEW");
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(workflow(&scene, &group[0]), "NOTIFIED");
    assert_eq!(workflow(&scene, &group[1]), "SUPPRESSED");
}

#[tokio::test]
async fn the_ticket_is_deleted_with_the_last_of_its_resources() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_recorded_group(&scene);
    let key = live(&scene, &group[0])[0].clone();
    for (n, finding) in group.iter().enumerate() {
        let resource = arn(&scene.world.lock(), finding);
        delete_resource(&scene, &resource);
        in_hub(&scene, |hub, now, journal| {
            hub.archive(&finding.0, &finding.1, None, now, journal);
        });
        scene.clock.advance(scene::acts::minutes(8 * 60));
        scene.settle().await;
        let is_last = n + 1 == group.len();
        let there = scene.world.lock().jira.issue(&key).is_some();
        assert_eq!(there, !is_last, "after {} of {}", n + 1, group.len());
        if !is_last {
            assert_eq!(status_of(&scene, &key), "Open");
            assert!(state(&scene, &key, finding).ends_with("resource deleted"));
        }
    }
}

#[tokio::test]
async fn an_event_of_one_finding_is_seen_with_its_whole_group() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_group(&scene, 2);
    let key = live(&scene, &group[0])[0].clone();
    let new = one_more(&scene, &group[0]);
    let keys = Keys {
        findings: vec![new.1.clone()],
        ..Keys::default()
    };
    scene.run(Wish::Named(keys)).await;
    assert_eq!(live(&scene, &new), [key.as_str()]);
    assert!(state(&scene, &key, &group[0]).ends_with("fails"));
    scene.clock.advance(scene::acts::minutes(60));
    set(&scene, &group[..1], "PASSED");
    let keys = Keys {
        findings: vec![group[0].1.clone()],
        ..Keys::default()
    };
    scene.run(Wish::Named(keys)).await;
    assert_eq!(status_of(&scene, &key), "Open");
    assert!(state(&scene, &key, &group[0]).ends_with("fixed"));
    scene.settle().await;
}

#[tokio::test]
async fn a_lost_store_finds_its_shared_tickets_again() {
    let scene = consolidated(BY_TEAM);
    scene.settle().await;
    let before = tickets(&scene, "Open");
    std::fs::remove_file(scene.store_path()).unwrap();
    scene.settle().await;
    assert_eq!(tickets(&scene, "Open"), before);
}

#[tokio::test]
async fn the_findings_of_a_team_share_a_ticket_across_accounts() {
    let scene = consolidated(BY_TEAM);
    scene.settle().await;
    let mut by_ticket: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for group in groups(&scene).values() {
        for finding in group {
            let found = live(&scene, finding);
            assert_eq!(found.len(), 1, "{found:?}");
            let (account, _) = about(finding);
            by_ticket
                .entry(found[0].clone())
                .or_default()
                .insert(account);
        }
    }
    let shared = by_ticket.iter().find(|(_, accounts)| accounts.len() > 1);
    if let Some((key, accounts)) = shared {
        let world = scene.world.lock();
        let summary = &world.jira.issue(key).unwrap().summary;
        assert!(
            summary.ends_with(&format!("{} accounts", accounts.len())),
            "{summary}"
        );
    }
    assert!(by_ticket.len() < groups(&scene).len() || shared.is_none());
}

#[tokio::test]
async fn a_reviewer_sees_the_evidence_of_every_finding_that_shares_the_ticket() {
    let scene = consolidated(BY_ACCOUNT);
    scene.settle().await;
    let group = a_group(&scene, 3);
    let key = live(&scene, &group[0])[0].clone();
    transition(&scene, Role::Product, &key, "Resolved");
    scene.settle().await;
    // Since then one was fixed, and another was evaluated once more, and fails.
    scene.clock.advance(scene::acts::minutes(60));
    set(&scene, &group[..1], "PASSED");
    let now = scene.clock.now();
    in_hub(&scene, |hub, _, _| hub.touch(&group[1].0, &group[1].1, now));
    let review = {
        let clients = scene.clients(None).await;
        let store = scene.store();
        scene::acts::requests(&scene);
        asaf::jobs::review::look(&scene.config, &clients, &store)
            .await
            .unwrap()
    };
    let spent = scene::acts::requests(&scene);
    let waiting = review.waiting.iter().find(|one| one.ticket == key).unwrap();
    assert_eq!(waiting.members.len(), group.len());
    assert_eq!(waiting.verdict, Verdict::StillFailing, "the worst of them");
    let said = |finding: &Named| {
        let resource = arn(&scene.world.lock(), finding);
        let mut members = waiting.members.iter();
        members
            .find(|one| one.resource == resource)
            .unwrap()
            .clone()
    };
    assert_eq!(said(&group[0]).verdict, Some(Verdict::Verified));
    assert_eq!(said(&group[1]).verdict, Some(Verdict::StillFailing));
    for finding in &group[2..] {
        assert_eq!(said(finding).verdict, Some(Verdict::NotCheckedSince));
    }
    for finding in &group {
        let recorded = {
            let world = scene.world.lock();
            world.aws.config.item(&arn(&world, finding)).is_some()
        };
        let exists = said(finding).config == ConfigSays::Exists;
        assert_eq!(exists, recorded, "{:?}", said(finding).config);
    }
    let text = asaf::review::render::text(&review, None);
    assert!(text.contains("STILL FAILING"), "{text}");
    // One read of the findings, one of the tickets and their moves, and Config's aggregate for all resources together.
    assert!(scene::acts::total(&spent) < 30, "{spent:?}");
    scene.settle().await;
}
