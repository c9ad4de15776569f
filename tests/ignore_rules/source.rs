//! Where rules are read, how often, and what the configuration says of it.

use asaf::jobs::reconcile::Wish;
use asaf::store::Store;
use asaf::store::rules::RuleMemory;
use asaf::store::sqlite::Sqlite;

use crate::acts::*;

#[tokio::test]
async fn rules_that_the_configuration_forgets_stay_in_force_until_it_ends_them() {
    let (mut scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    let hidden = done(&scene.run(Wish::Full).await).ignored;
    scene.settle().await;
    let kept = scene.config.ignore.take().unwrap();
    let report = scene.run(Wish::Full).await;
    assert!(report.plan.is_empty());
    assert!(
        report
            .plan
            .seen
            .rules
            .unwrap()
            .contains("names no ignore rules any more")
    );
    scene.config.ignore = Some(asaf::config::Ignore {
        repository: None,
        token: None,
        none: true,
        ..kept
    });
    let report = scene.run(Wish::Due).await;
    assert_eq!(done(&report).reopened, hidden);
    scene.settle().await;
    assert!(
        scene
            .store_beside()
            .remembered_rules()
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn reading_rules_costs_one_request_as_long_as_the_branch_stands() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    scene.run(Wish::Full).await;
    scene.settle().await;
    scene.world.lock().requests.github.clear();
    scene.run(Wish::Due).await;
    let sent = scene.world.lock().requests.github.clone();
    assert_eq!(
        Vec::from_iter(sent),
        [("GET /repos/{owner}/{repo}/branches/{branch}".to_owned(), 1)]
    );
    let known = scene
        .store_beside()
        .remembered_rules()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(known.commit.len(), 40);
    let runs = scene.store_beside().runs(1).await.unwrap();
    assert_eq!(runs[0].summary["rules"], known.commit.as_str());
    let origin = known.origins.values().next().unwrap();
    assert_eq!(
        (
            origin.pull_request,
            origin.author.as_deref(),
            origin.approved_by.as_slice()
        ),
        (Some(1), Some("pat"), &["robin".to_owned()][..])
    );
}

#[tokio::test]
async fn rules_from_a_clone_are_those_that_were_fetched_and_not_those_of_its_working_tree() {
    let clone = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let done = std::process::Command::new("git")
            .arg("-C")
            .arg(clone.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    let (mut scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    run(&["init", "--quiet", "--initial-branch=main"]);
    std::fs::create_dir(clone.path().join("ignore")).unwrap();
    std::fs::write(clone.path().join(FILE), &text).unwrap();
    run(&["add", "--all"]);
    run(&[
        "-c",
        "user.name=Robin",
        "-c",
        "user.email=r@example.com",
        "commit",
        "--quiet",
        "--message",
        "Ignore sites (#12)",
    ]);
    std::fs::write(clone.path().join(FILE), "").unwrap();
    // Another source of rules than before begins anew.
    let ignore = scene.config.ignore.take().unwrap();
    scene.config.ignore = Some(asaf::config::Ignore {
        repository: None,
        token: None,
        checkout: Some(clone.path().to_owned()),
        ..ignore
    });
    let report = scene.run(Wish::Due).await;
    assert!(done(&report).ignored > 0);
    let note = scene
        .world
        .lock()
        .aws
        .hub
        .iter()
        .find(|f| f["Workflow"]["Status"] == "SUPPRESSED")
        .unwrap()["Note"]["Text"]
        .clone();
    assert!(
        note.as_str().unwrap().contains("pull request #12"),
        "{note}"
    );
    let remembered: Sqlite = scene.store_beside();
    assert!(
        remembered
            .links()
            .await
            .unwrap()
            .iter()
            .any(|link| link.ignored_by.is_some())
    );
}
