//! What is merged is what is hidden, for as long as it says.

use asaf::emulators::world::{World, seed};
use asaf::jobs::reconcile::Wish;
use asaf::store::rules::RuleMemory;
use jiff::SignedDuration;

use crate::acts::*;
use crate::scene::Scene;

#[tokio::test]
async fn a_merged_rule_hides_what_it_names_and_notes_name_it() {
    let (scene, control) = settled(6, 160).await;
    let ids = all_accounts(&scene);
    let expected = failing(&scene.world.lock(), &control);
    assert!(expected.len() > 5, "{}", expected.len());
    let text = rule("public-sites", &what(&control, &ids), "2027-01-31");
    let number = merged(&mut scene.world.lock(), "Ignore public sites", Some(&text));
    scene.clock.advance(SignedDuration::from_mins(10));
    let report = scene.run(Wish::Due).await;
    // Nothing about the findings changed, yet the run looked at all of them.
    assert_eq!(report.kind, "full");
    assert_eq!(done(&report).ignored, expected.len());
    assert!(
        report
            .plan
            .seen
            .rules
            .as_ref()
            .unwrap()
            .contains("1 live at commit")
    );
    {
        let world = scene.world.lock();
        let mut hidden = with_status(&world, "SUPPRESSED");
        let mut ids: Vec<String> = expected.into_iter().map(|(id, ..)| id).collect();
        hidden.sort();
        ids.sort();
        assert_eq!(hidden, ids);
        assert_eq!(tickets_in(&world, "Ignored"), ids.len());
        for finding in world
            .aws
            .hub
            .iter()
            .filter(|f| f["Workflow"]["Status"] == "SUPPRESSED")
        {
            let note = finding["Note"]["Text"].as_str().unwrap();
            for part in [
                "public-sites",
                &format!("pull request #{number}"),
                "2027-01-31",
                "reviewed with security",
            ] {
                assert!(note.contains(part), "{part} is not in {note}");
            }
        }
        let ignored = world
            .jira
            .issues()
            .find(|issue| !issue.comments.is_empty())
            .unwrap();
        let comment = ignored.comments[0].body.to_string();
        assert!(
            comment.contains("public-sites") && comment.contains("#1"),
            "{comment}"
        );
    }
    scene.settle().await;
    assert_eq!(scene.run(Wish::Due).await.kind, "incremental");
}

#[tokio::test]
async fn a_rule_that_is_widened_narrowed_and_reverted_moves_just_the_difference() {
    let (scene, control) = settled(6, 160).await;
    let mut owners: Vec<String> = failing(&scene.world.lock(), &control)
        .into_iter()
        .map(|(_, account, _)| account)
        .collect();
    owners.sort();
    owners.dedup();
    let of = |ids: &[String]| {
        let world = scene.world.lock();
        failing(&world, &control)
            .iter()
            .filter(|(_, account, _)| ids.contains(account))
            .count()
    };
    let (one, all) = (owners[..1].to_vec(), owners.clone());
    let steps = [
        ("Ignore in one account", Some(one.clone()), of(&one), 0),
        ("Widen", Some(all.clone()), of(&all) - of(&one), 0),
        ("Narrow", Some(one.clone()), 0, of(&all) - of(&one)),
        ("Revert all", None, 0, of(&one)),
    ];
    for (title, ids, ignored, reopened) in steps {
        let text = ids.map(|ids| rule("sites", &what(&control, &ids), "2027-01-31"));
        merged(&mut scene.world.lock(), title, text.as_deref());
        scene.clock.advance(SignedDuration::from_mins(20));
        let report = scene.run(Wish::Due).await;
        assert_eq!(
            (done(&report).ignored, done(&report).reopened),
            (ignored, reopened),
            "{title}"
        );
        scene.settle().await;
    }
    let world = scene.world.lock();
    assert!(with_status(&world, "SUPPRESSED").is_empty());
    assert_eq!(tickets_in(&world, "Ignored"), 0);
    let said: String = world
        .jira
        .issues()
        .flat_map(|issue| &issue.comments)
        .map(|c| c.body.to_string())
        .collect();
    assert!(
        said.contains(
            "Ignore rule sites no longer covers this finding (it was narrowed or removed)"
        ),
        "{said}"
    );
}

#[tokio::test]
async fn a_rule_that_expires_shows_everything_again_after_two_warnings_to_its_owner() {
    let (scene, control) = settled(4, 120).await;
    let ids = all_accounts(&scene);
    let text = rule("for-a-month", &what(&control, &ids), "2026-12-20");
    merged(&mut scene.world.lock(), "Ignore for a month", Some(&text));
    let hidden = done(&scene.run(Wish::Full).await).ignored;
    assert!(hidden > 0);
    scene.settle().await;
    let told = |scene: &Scene| {
        let store = scene.store_beside();
        async move {
            store
                .told(&[
                    "ignore-ends:for-a-month:2026-12-20:14".into(),
                    "ignore-ends:for-a-month:2026-12-20:3".into(),
                ])
                .await
                .unwrap()
                .len()
        }
    };
    // 2026-11-24, then three weeks and a bit, a day at a time.
    let mut warned = Vec::new();
    for day in 1..=26 {
        scene.clock.advance(SignedDuration::from_hours(24));
        scene.touch();
        let report = scene.run(Wish::Due).await;
        warned.push(told(&scene).await);
        let reopened = done(&report).reopened;
        assert_eq!(reopened, 0, "day {day}");
    }
    assert_eq!(
        (warned[10], warned[11], warned[21], warned[22]),
        (0, 1, 1, 2),
        "{warned:?}"
    );
    scene.clock.advance(SignedDuration::from_hours(24));
    scene.touch();
    let report = scene.run(Wish::Due).await;
    assert_eq!(done(&report).reopened, hidden);
    assert!(
        report.plan.actions[0]
            .reason
            .sentence()
            .contains("ended on 2026-12-20")
    );
    scene.settle().await;
    assert!(with_status(&scene.world.lock(), "SUPPRESSED").is_empty());
}

#[tokio::test]
async fn what_is_proposed_withdrawn_or_turned_down_changes_nothing() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let github = &mut world.github;
        let open =
            github.open_pull_request(seed::RULES, "pat", "Open", &[(FILE, Some(&text))], now);
        let refused = github
            .merge(seed::RULES, open, "pat", now)
            .expect_err("nobody has approved");
        assert!(
            refused.contains("approving review is required"),
            "{refused}"
        );
        let withdrawn =
            github.open_pull_request(seed::RULES, "pat", "Withdrawn", &[(FILE, Some(&text))], now);
        github.withdraw(seed::RULES, withdrawn);
        let down = github.open_pull_request(
            seed::RULES,
            "pat",
            "Turned down",
            &[(FILE, Some(&text))],
            now,
        );
        github
            .review(seed::RULES, down, "robin", "CHANGES_REQUESTED", now)
            .unwrap();
        github
            .merge(seed::RULES, down, "robin", now)
            .expect_err("turned down");
    }
    scene.clock.advance(SignedDuration::from_mins(20));
    let report = scene.run(Wish::Full).await;
    assert!(report.plan.is_empty(), "{:?}", report.plan.actions);
    scene.settle().await;
}

/// AWS keeps findings for a limited time: after it, the same failure comes back under a new id.
#[tokio::test]
async fn a_hidden_finding_that_expires_and_comes_back_under_a_new_id_stays_hidden() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-05-01",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    let hidden = done(&scene.run(Wish::Full).await).ignored;
    scene.settle().await;
    let moves_before = moves(&scene.world.lock());
    let (old, copy) = {
        let mut world = scene.world.lock();
        let now = world.now();
        let (id, ..) = failing(&world, &control).remove(0);
        let finding = world
            .aws
            .hub
            .iter()
            .find(|f| f["Id"] == id.as_str())
            .unwrap()
            .clone();
        let product = finding["ProductArn"].as_str().unwrap().to_owned();
        let World { aws, journal, .. } = &mut *world;
        aws.hub.archive(&product, &id, None, now, journal);
        (id, finding)
    };
    // A month later the archived record is gone, and reads say so more than once.
    scene.clock.advance(SignedDuration::from_hours(24 * 31));
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let World { aws, journal, .. } = &mut *world;
        let all: Vec<(String, String)> = aws
            .hub
            .iter()
            .filter(|f| f["RecordState"] == "ACTIVE")
            .map(|f| {
                (
                    f["ProductArn"].as_str().unwrap().to_owned(),
                    f["Id"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        all.iter()
            .for_each(|(product, id)| aws.hub.touch(product, id, now));
        aws.hub.expire(now, journal);
        assert!(!aws.hub.iter().any(|f| f["Id"] == old.as_str()));
    }
    for _ in 0..3 {
        scene.clock.advance(SignedDuration::from_mins(20));
        let report = scene.run(Wish::Full).await;
        assert!(report.plan.is_empty(), "{:?}", report.plan.actions);
    }
    let back = {
        let mut world = scene.world.lock();
        let now = world.now();
        let mut finding = copy;
        let id = format!("{old}-back");
        finding["Id"] = id.clone().into();
        finding["Workflow"]["Status"] = "NEW".into();
        for field in [
            "CreatedAt",
            "UpdatedAt",
            "FirstObservedAt",
            "LastObservedAt",
        ] {
            finding[field] = now.to_string().into();
        }
        let World { aws, journal, .. } = &mut *world;
        aws.hub.import(finding, now, journal);
        id
    };
    scene.run(Wish::Full).await;
    scene.settle().await;
    let world = scene.world.lock();
    let suppressed = with_status(&world, "SUPPRESSED");
    assert!(suppressed.contains(&back));
    assert_eq!(suppressed.len(), hidden);
    assert_eq!(tickets_in(&world, "Ignored"), hidden);
    assert_eq!(
        moves(&world),
        moves_before,
        "no ticket moved in all that time"
    );
}

/// How often tickets changed status.
fn moves(world: &World) -> usize {
    world
        .journal
        .entries
        .iter()
        .filter(|entry| {
            matches!(
                entry.change,
                asaf::emulators::journal::Change::TicketMoved { .. }
            )
        })
        .count()
}
