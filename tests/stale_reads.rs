//! Reads of Security Hub that are older than what was read before them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scene;

use asaf::apply::Watch;
use asaf::emulators::aws::AwsFault;
use asaf::emulators::faults::{Fault, When};
use asaf::jobs::reconcile::{Job, Orders, Report, Wish};
use asaf::read::Silent;
use scene::Scene;
use scene::acts::{Named, finding_of, held, minutes, set, tickets, workflow};

/// Tickets were created, and a read has shown their status since.
async fn seen() -> (Scene, Named) {
    let scene = Scene::new(1, 6);
    scene.run(Wish::Full).await;
    scene.clock.advance(minutes(2));
    let report = scene.run(Wish::Full).await;
    assert!(report.plan.is_empty(), "{:?}", report.plan);
    scene.clock.advance(minutes(2));
    let finding = finding_of(&scene, &tickets(&scene, "Open")[0]);
    assert_eq!(workflow(&scene, &finding), "NOTIFIED");
    (scene, finding)
}

/// A run whose listing shows what was before the first one.
async fn run_on_an_older_read(scene: &Scene) -> Report {
    let older = AwsFault::StaleRead { seconds: 600 };
    arm(scene, "GetFindings", older, When::Next(1));
    scene.run(Wish::Full).await
}

fn arm(scene: &Scene, operation: &str, kind: AwsFault, when: When) {
    let fault = Fault {
        operation: operation.to_owned(),
        kind,
        when,
    };
    scene.world.lock().aws.faults.arm(fault);
}

#[tokio::test]
async fn an_older_read_after_one_that_showed_our_write_changes_nothing() {
    let (scene, finding) = seen().await;
    let report = run_on_an_older_read(&scene).await;
    assert!(report.plan.is_empty(), "{:?}", report.plan);
    assert_eq!(workflow(&scene, &finding), "NOTIFIED");
    scene.settle().await;
}

/// Every step takes twenty minutes.
struct Slow(asaf::clock::Clock);

impl Watch for Slow {
    fn applied(&self, _: u64, _: u64) {
        self.0.advance(minutes(20));
    }
}

/// A status counts as under way for 15 minutes from its write; a run can decide it long before.
#[tokio::test]
async fn an_older_read_after_a_run_that_took_long_changes_nothing() {
    let scene = Scene::new(1, 6);
    let began = scene.clock.now();
    let (clients, store) = (scene.clients(None).await, scene.store());
    let job = Job {
        config: &scene.config,
        clients: &clients,
        findings: &clients.aws,
        store: &store,
        progress: &Silent,
        watch: &Slow(scene.clock.clone()),
    };
    let orders = Orders {
        write: true,
        ..Orders::default()
    };
    Box::pin(job.run(&Wish::Full, &orders)).await.unwrap();
    assert!(scene.clock.now().duration_since(began) >= minutes(20));
    drop(store);
    scene.clock.advance(minutes(1));
    let report = run_on_an_older_read(&scene).await;
    assert!(report.plan.is_empty(), "{:?}", report.plan);
    scene.settle().await;
}

#[tokio::test]
async fn what_aws_set_back_after_our_write_was_seen_begins_an_episode_at_once() {
    let (scene, finding) = seen().await;
    for compliance in ["PASSED", "FAILED"] {
        set(&scene, std::slice::from_ref(&finding), compliance);
        scene.clock.advance(minutes(1));
    }
    assert_eq!(workflow(&scene, &finding), "NEW");
    let report = scene.run(Wish::Full).await;
    assert_eq!(report.plan.actions.len(), 1, "{:?}", report.plan);
    assert_eq!(workflow(&scene, &finding), "NOTIFIED");
    scene.settle().await;
}

#[tokio::test]
async fn without_the_history_a_doubtful_read_is_held_and_nothing_is_written() {
    let (scene, _) = seen().await;
    // More often than requests are repeated.
    let failed = AwsFault::InternalError;
    arm(&scene, "GetFindingHistory", failed, When::Next(100));
    let report = run_on_an_older_read(&scene).await;
    assert!(report.plan.actions.is_empty(), "{:?}", report.plan);
    let why = held(&[report]);
    assert!(!why.is_empty());
    let said = why.iter().all(|why| why.contains("who set"));
    assert!(said, "{why:?}");
    scene.world.lock().aws.faults.clear();
    scene.settle().await;
}
