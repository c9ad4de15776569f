//! The scheduled reconcile job, told as stories against the emulators in this process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod scene;

use asaf::emulators::aws::AwsFault;
use asaf::emulators::faults::Fault;
use asaf::emulators::jira::{FaultKind, Role};
use asaf::emulators::world::{Requests, World};
use asaf::jobs::reconcile::{Orders, Wish};
use asaf::plan::HeldReason;
use jiff::SignedDuration;
use scene::{Fuse, Scene};

fn orders() -> Orders {
    Orders {
        write: true,
        ..Orders::default()
    }
}

fn requests(world: &mut World) -> Requests {
    std::mem::take(&mut world.requests)
}

#[tokio::test]
async fn a_first_run_makes_one_ticket_for_each_failing_finding_and_then_rests() {
    let scene = Scene::new(6, 120);
    let report = scene.run(Wish::Due).await;
    let created = report.applied.unwrap().done.created;
    assert!(created > 80, "{created}");
    assert_eq!(scene.tickets().len(), created);
    scene.settle().await;
    let notified = {
        let world = scene.world.lock();
        world
            .aws
            .hub
            .iter()
            .filter(|finding| finding["Workflow"]["Status"] == "NOTIFIED")
            .count()
    };
    assert_eq!(notified, created);
}

#[tokio::test]
async fn two_days_of_life_end_in_agreement_without_a_violation() {
    let scene = Scene::new(8, 200);
    scene.run(Wish::Due).await;
    scene.world.lock().first_day();
    let second = scene.run(Wish::Due).await.applied.unwrap();
    assert_eq!(second.done.reverted, 1);
    assert_eq!(second.done.ignored, 1);
    assert!(second.done.deleted > 0);
    let day = scene.world.lock().second_day();
    assert!(day.failed_again > 0 && day.closed_by_reviewers > 0);
    let third = scene.run(Wish::Due).await.applied.unwrap();
    assert!(third.done.reopened >= day.failed_again.min(1));
    scene.settle().await;
}

#[tokio::test]
async fn a_plan_writes_nothing_outside() {
    let scene = Scene::new(3, 40);
    let before = scene.world.lock().journal.entries.len();
    let report = scene.plan().await;
    assert!(report.plan.summary().created > 20);
    assert_eq!(scene.world.lock().journal.entries.len(), before);
}

#[tokio::test]
async fn a_run_without_changes_writes_nothing() {
    let scene = Scene::new(4, 80);
    scene.run(Wish::Due).await;
    scene.settle().await;
    requests(&mut scene.world.lock());
    scene.run(Wish::Full).await;
    let sent = requests(&mut scene.world.lock());
    let reads = |name: &str| {
        name.starts_with("GET ")
            || ["search/jql", "bulkfetch"]
                .iter()
                .any(|read| name.ends_with(read))
            || name.starts_with("Get")
    };
    let writes: Vec<&String> = sent
        .aws
        .keys()
        .chain(sent.jira.keys())
        .filter(|name| !reads(name))
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test]
async fn an_incremental_run_costs_what_changed_and_not_what_exists() {
    let scene = Scene::with(10, 1_000, |text| {
        *text = text.replace("[run]\n", "[run]\nincremental_overlap = \"1m\"\n");
    });
    scene.run(Wish::Due).await;
    scene.settle().await;
    scene.clock.advance(SignedDuration::from_hours(2));
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let keys: Vec<String> = world
            .jira
            .issues()
            .take(3)
            .map(|issue| issue.key.clone())
            .collect();
        let product = world.jira.user(Role::Product).unwrap().account_id.clone();
        let World { jira, journal, .. } = &mut *world;
        for key in keys {
            jira.transition_as(&product, &key, "Resolved", now, journal)
                .unwrap();
        }
        requests(&mut world);
    }
    let report = scene.run(Wish::Incremental).await;
    assert_eq!(report.kind, "incremental");
    assert_eq!(report.applied.unwrap().done.updated, 3);
    let sent = requests(&mut scene.world.lock());
    let total: u64 = sent.aws.values().chain(sent.jira.values()).sum();
    assert!(total <= 25, "{total} requests for 3 changes: {sent:?}");
    scene.settle().await;
}

/// Every request of a first run is a point at which the process may die, before or after its effect.
#[tokio::test]
async fn killed_at_any_request_the_next_runs_still_make_one_ticket_each() {
    let mut kills = 0;
    for after_effect in [false, true] {
        for request in 0.. {
            let scene = Scene::new(2, 24);
            let fuse = Fuse::at(request, after_effect);
            let ended = scene.try_run(Wish::Due, orders(), Some(&fuse)).await;
            if let Some(report) = ended {
                report.unwrap();
                break;
            }
            kills += 1;
            scene.clock.advance(SignedDuration::from_secs(30));
            scene.run(Wish::Due).await;
            scene.settle().await;
            assert!(
                scene.tickets().values().all(|count| *count == 1),
                "killed at request {request}"
            );
            assert!(scene.tickets().len() > 15);
        }
    }
    println!("{kills} kills, each followed by one ticket for each finding");
    assert!(kills >= 14, "{kills}");
}

/// The same in the middle of a day's work: deletions, reverts, comments, reopenings.
#[tokio::test]
async fn killed_at_any_request_of_a_later_run_nothing_is_doubled_or_lost() {
    let mut kills = 0;
    for after_effect in [false, true] {
        for request in 0.. {
            let scene = Scene::new(2, 30);
            scene.run(Wish::Due).await;
            scene.world.lock().first_day();
            let fuse = Fuse::at(request, after_effect);
            let ended = scene.try_run(Wish::Due, orders(), Some(&fuse)).await;
            if ended.is_some() {
                break;
            }
            kills += 1;
            scene.clock.advance(SignedDuration::from_secs(30));
            scene.settle().await;
            let world = scene.world.lock();
            for issue in world.jira.issues() {
                let mut said: Vec<String> = issue
                    .comments
                    .iter()
                    .map(|comment| comment.body.to_string())
                    .collect();
                let all = said.len();
                said.sort();
                said.dedup();
                assert_eq!(
                    said.len(),
                    all,
                    "{} was told the same twice, killed at {request}",
                    issue.key
                );
            }
        }
    }
    println!("{kills} kills");
    assert!(kills >= 30, "{kills}");
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_and_not_made_again() {
    let scene = Scene::new(3, 60);
    let fault = Fault::next("issue/bulk$", FaultKind::ApplyThenDrop);
    scene.world.lock().jira.faults.arm(fault);
    let first = scene.run(Wish::Due).await.applied.unwrap();
    assert!(first.in_doubt > 0);
    scene.clock.advance(SignedDuration::from_secs(30));
    scene.settle().await;
    assert!(scene.tickets().values().all(|count| *count == 1));
}

#[tokio::test]
async fn a_store_that_is_lost_or_restored_adopts_what_exists() {
    let scene = Scene::new(3, 60);
    let first = scene.run(Wish::Due).await.applied.unwrap().done.created;
    let backup = scene.folder.path().join("yesterday.sqlite3");
    scene.back_up(&backup).await;
    // More fails after the backup was made.
    scene.clock.advance(SignedDuration::from_hours(1));
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let passing: Vec<(String, String)> = world
            .aws
            .hub
            .iter()
            .filter(|finding| finding["Compliance"]["Status"] == "PASSED")
            .map(|f| {
                (
                    f["ProductArn"].as_str().unwrap().to_owned(),
                    f["Id"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        assert!(!passing.is_empty());
        let World { aws, journal, .. } = &mut *world;
        for (product, id) in passing {
            aws.hub
                .set_compliance(&product, &id, "FAILED", now, journal);
        }
    }
    let second = scene.run(Wish::Due).await.applied.unwrap().done.created;
    assert!(second > 0);
    for restored in [Some(&backup), None] {
        for file in ["asaf.sqlite3", "asaf.sqlite3-wal", "asaf.sqlite3-shm"] {
            let _ = std::fs::remove_file(scene.folder.path().join(file));
        }
        if let Some(backup) = restored {
            std::fs::copy(backup, scene.store_path()).unwrap();
        }
        let again = scene.run(Wish::Full).await.applied.unwrap();
        assert_eq!(again.done.created, 0);
        scene.settle().await;
        assert_eq!(scene.tickets().len(), first + second);
        assert!(scene.tickets().values().all(|count| *count == 1));
    }
}

#[tokio::test]
async fn an_empty_or_truncated_listing_or_a_lost_region_removes_nothing() {
    for fault in [
        AwsFault::EmptyListing,
        AwsFault::TruncatedListing,
        AwsFault::LostRegion {
            region: "eu-west-1".to_owned(),
        },
    ] {
        let scene = Scene::new(4, 260);
        scene.run(Wish::Due).await;
        scene.settle().await;
        for _ in 0..2 {
            scene.clock.advance(SignedDuration::from_mins(20));
            let next = Fault::next("GetFindings", fault.clone());
            scene.world.lock().aws.faults.arm(next);
            let report = scene.run(Wish::Full).await;
            let done = report.applied.unwrap().done;
            assert_eq!(
                (done.deleted, done.closed, done.resolved),
                (0, 0, 0),
                "{fault:?}"
            );
        }
    }
}

#[tokio::test]
async fn too_many_removals_are_blocked_and_released_by_name() {
    let scene = Scene::with(4, 200, |text| {
        text.push_str("\n[limits]\nremovals = 5\nremovals_percent = 1\n")
    });
    scene.run(Wish::Due).await;
    scene.settle().await;
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let arns: Vec<(String, String, String)> = world
            .aws
            .hub
            .iter()
            .filter(|f| {
                f["Resources"][0]["Type"] == "AwsS3Bucket" && f["Compliance"]["Status"] == "FAILED"
            })
            .map(|f| ["ProductArn", "Id"].map(|k| f[k].as_str().unwrap().to_owned()))
            .zip(std::iter::repeat(()))
            .map(|([product, id], ())| (product, id, String::new()))
            .collect();
        let World { aws, journal, .. } = &mut *world;
        for (product, id, _) in arns {
            let arn = aws.hub.get(&product, &id).unwrap()["Resources"][0]["Id"]
                .as_str()
                .unwrap()
                .to_owned();
            aws.config.delete(&arn, now, journal);
            aws.hub.archive(&product, &id, None, now, journal);
        }
    }
    scene.clock.advance(SignedDuration::from_mins(20));
    let blocked = scene.run(Wish::Full).await;
    assert!(blocked.braked.is_some());
    assert_eq!(blocked.applied.as_ref().unwrap().done.deleted, 0);
    assert!(
        blocked
            .plan
            .held
            .iter()
            .any(|held| matches!(held.why, HeldReason::Brake { .. }))
    );
    let wrong = Orders {
        write: true,
        expect: Some("000000000000".to_owned()),
        allow_removals: true,
        ..Orders::default()
    };
    assert!(
        scene
            .try_run(Wish::Full, wrong, None)
            .await
            .unwrap()
            .is_err()
    );
    let digest = scene.plan().await.digest;
    let release = Orders {
        write: true,
        expect: Some(digest),
        allow_removals: true,
        ..Orders::default()
    };
    let released = scene
        .try_run(Wish::Full, release, None)
        .await
        .unwrap()
        .unwrap();
    assert!(released.applied.unwrap().done.deleted > 5);
    scene.settle().await;
}

#[tokio::test]
async fn throttling_of_every_kind_delays_and_never_breaks_a_window() {
    let scene = Scene::new(4, 150);
    {
        let mut world = scene.world.lock();
        world.set_quotas(true);
        for reason in [
            "jira-burst-based",
            "jira-quota-global-based",
            "jira-quota-tenant-based",
        ] {
            let kind = FaultKind::TooManyRequests {
                reason: reason.to_owned(),
                retry_after_s: 7,
            };
            world.jira.faults.arm(Fault::next("issue/bulk$", kind));
        }
        for kind in [
            AwsFault::Throttled,
            AwsFault::InternalError,
            AwsFault::Throttled,
        ] {
            let fault = Fault::next("Findings", kind);
            world.aws.faults.arm(fault);
        }
    }
    let applied = scene.run(Wish::Due).await.applied.unwrap();
    assert!(
        applied.failures.is_empty() && applied.in_doubt == 0,
        "{:?}",
        applied.failures
    );
    scene.settle().await;
}

#[tokio::test]
async fn a_partly_refused_update_is_finished_by_the_next_run() {
    let scene = Scene::new(3, 60);
    for code in ["ConcurrentUpdateError", "InvalidInput"] {
        let kind = AwsFault::Unprocessed {
            code: code.to_owned(),
            every_nth: 7,
        };
        let fault = Fault::next("BatchUpdateFindings", kind);
        scene.world.lock().aws.faults.arm(fault);
    }
    scene.run(Wish::Due).await;
    scene.settle().await;
}

#[tokio::test]
async fn our_own_writes_that_show_late_decide_nothing() {
    let scene = Scene::new(3, 60);
    scene.world.lock().aws.hub.visibility_delay = SignedDuration::from_mins(5);
    scene.run(Wish::Due).await;
    for _ in 0..3 {
        scene.clock.advance(SignedDuration::from_mins(1));
        let report = scene.run(Wish::Full).await;
        assert!(report.plan.is_empty(), "{:?}", report.plan.actions.first());
    }
    scene.settle().await;
}

/// The figure is virtual time: waiting for quotas is all that takes any.
#[tokio::test]
async fn with_quotas_on_a_first_run_takes_hardly_longer_than_the_quotas_ask() {
    let scene = Scene::with(40, 4_000, |text| {
        *text = text.replace("unlimited = true", "unlimited = false");
        // What people are told has its own rate and its own stories.
        scene::without_slack(text);
    });
    scene.world.lock().set_quotas(true);
    let began = scene.clock.now();
    let report = scene.run(Wish::Due).await;
    let took_s = scene.clock.now().duration_since(began).as_secs_f64();
    let applied = report.applied.unwrap();
    assert!(applied.failures.is_empty() && applied.in_doubt == 0);
    // Security Hub: reads 3/s after 6, updates 10/s after 30. Jira: bulk creates 100/s after 100.
    let calls =
        |items: usize, per_call: usize| f64::from(u32::try_from(items.div_ceil(per_call)).unwrap());
    let wait_s = |calls: f64, rate: f64, burst: f64| ((calls - burst) / rate).max(0.0);
    let bound_s = wait_s(calls(4_000, 100), 3.0, 6.0)
        + wait_s(calls(applied.done.created, 100), 10.0, 30.0)
        + wait_s(calls(applied.done.created, 50), 100.0, 100.0);
    let ratio = took_s / bound_s;
    println!("{took_s:.1} s of virtual time, the quotas ask for {bound_s:.1} s: {ratio:.3}");
    assert!(ratio <= 1.1, "{ratio}");
    let total = report.requests.total();
    let floor: u64 = report
        .floor
        .aws
        .values()
        .chain(report.floor.jira.values())
        .sum();
    println!("{total} requests, the floor is {floor}");
    // Who we are, who may close, the statuses, the plan and kind of the projects, our tickets, and a last page.
    assert!(
        total <= floor + 7,
        "{:?} against {:?}",
        report.requests,
        report.floor
    );
    scene.audit();
}
