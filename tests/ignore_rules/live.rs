//! Rules under the live worker: a merge is followed without an event, and events cost GitHub nothing.

use asaf::jobs::live::Turn;
use asaf::jobs::reconcile::Report;
use jiff::SignedDuration;

use crate::acts::*;
use crate::scene::Scene;

const BRANCH: &str = "GET /repos/{owner}/{repo}/branches/{branch}";

fn asked(scene: &Scene) -> u64 {
    let world = scene.world.lock();
    world.requests.github.get(BRANCH).copied().unwrap_or(0)
}

fn kinds(reports: &[Report]) -> Vec<&str> {
    reports.iter().map(|report| report.kind).collect()
}

#[tokio::test]
async fn a_merged_rule_is_followed_by_the_live_worker_without_an_event() {
    let (scene, control) = settled(4, 120).await;
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    let names = failing(&scene.world.lock(), &control).len();
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    live.advance(SignedDuration::from_mins(5));
    assert!(matches!(worker.turn().await, Turn::Idle), "nothing is due");
    live.advance(SignedDuration::from_mins(6));
    let reports = live.settle(&mut worker).await;
    assert_eq!(kinds(&reports)[..2], ["incremental", "full"]);
    assert_eq!(with_status(&scene.world.lock(), "SUPPRESSED").len(), names);
    for _ in 0..3 {
        live.advance(SignedDuration::from_mins(11));
        let reports = live.settle(&mut worker).await;
        assert_eq!(kinds(&reports), ["incremental"], "one full run is enough");
    }
    drop(worker);
    drop(live);
    scene.settle().await;
}

#[tokio::test]
async fn events_are_decided_by_the_rules_of_the_last_run_and_ask_github_nothing() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let before = (asked(&scene), scene.tickets().len());
    for n in 0..5 {
        live.advance(SignedDuration::from_secs(30));
        let hidden = {
            let mut world = scene.world.lock();
            let now = world.now();
            new_finding(&mut world, &control, &format!("new-{n}"), now)
        };
        let reports = live.settle(&mut worker).await;
        assert!(
            kinds(&reports).iter().all(|kind| *kind == "named"),
            "{:?}",
            kinds(&reports)
        );
        assert!(with_status(&scene.world.lock(), "SUPPRESSED").contains(&hidden));
    }
    assert_eq!((asked(&scene), scene.tickets().len()), before);
    drop(worker);
    drop(live);
    scene.settle().await;
}
