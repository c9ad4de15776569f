//! The live worker, told as stories: events name keys, and both sides follow within one turn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod scene;

use std::collections::BTreeSet;

use asaf::emulators::jira::Role;
use asaf::emulators::journal::{Actor, Journal};
use asaf::emulators::world::World;
use asaf::jobs::live::Turn;
use asaf::jobs::reconcile::Wish;
use asaf::model::{Pause, PauseScope};
use asaf::read::Keys;
use asaf::store::Store;
use asaf::store::queue::{WorkKey, WorkQueue};
use jiff::SignedDuration;
use scene::Scene;
use scene::acts::{
    Named, an_open_ticket, comments, controls, delete_resource, id_of, minutes, named, requests,
    resource_of, set, status_of, tickets, tickets_of, total, transition, workflow_of,
};

#[tokio::test]
async fn each_side_follows_the_other_within_a_turn() {
    let scene = Scene::new(3, 60);
    {
        let live = scene.live().await;
        let mut worker = live.worker();
        live.settle(&mut worker).await;
        let key = tickets(&scene, "Open")[0].clone();
        assert_eq!(workflow_of(&scene, &key), "NOTIFIED");

        live.advance(minutes(1));
        transition(&scene, Role::Product, &key, "Resolved");
        live.settle(&mut worker).await;
        assert_eq!(workflow_of(&scene, &key), "RESOLVED");
        let said = comments(&scene, &key).join("\n");
        assert!(
            said.contains("Pat Product") && said.contains("awaits review"),
            "{said}"
        );

        live.advance(minutes(1));
        transition(&scene, Role::Reviewer, &key, "Open");
        live.settle(&mut worker).await;
        assert_eq!(workflow_of(&scene, &key), "NOTIFIED");

        live.advance(minutes(1));
        transition(&scene, Role::Product, &key, "Resolved");
        live.settle(&mut worker).await;
        live.advance(minutes(1));
        transition(&scene, Role::Reviewer, &key, "Closed");
        live.settle(&mut worker).await;
        assert_eq!(
            (
                status_of(&scene, &key).as_str(),
                workflow_of(&scene, &key).as_str()
            ),
            ("Closed", "RESOLVED")
        );
    }
    scene.settle().await;
}

#[tokio::test]
async fn a_hundred_changed_findings_cost_hardly_more_requests_than_one() {
    let cost = async |changed: usize| {
        let scene = Scene::new(5, 300);
        let worthy = |world: &World| -> Vec<Named> {
            let findings = world.aws.hub.iter().filter(|finding| {
                finding["Compliance"]["Status"] == "FAILED"
                    && finding["Severity"]["Original"] != "LOW"
            });
            findings.map(|finding| named(&finding)).take(100).collect()
        };
        let chosen = worthy(&scene.world.lock());
        set(&scene, &chosen, "PASSED");
        let live = scene.live().await;
        let mut worker = live.worker();
        live.settle(&mut worker).await;
        live.advance(minutes(1));
        set(&scene, &chosen[..changed], "FAILED");
        live.hear().await;
        requests(&scene);
        let reports = live.drain(&mut worker).await;
        let created: usize = reports
            .iter()
            .map(|report| report.applied.as_ref().unwrap().done.created)
            .sum();
        assert_eq!(created, changed);
        requests(&scene)
    };
    let (one, hundred) = (cost(1).await, cost(100).await);
    println!("1: {one:?}\n100: {hundred:?}");
    // Two creates of 50 and two searches by marker in place of one each, and one page of the newest findings.
    assert!(
        total(&hundred) <= total(&one) + 4,
        "{hundred:?} against {one:?}"
    );
}

#[tokio::test]
async fn many_resolved_tickets_share_everything_but_their_comments() {
    let cost = async |changed: usize| {
        let scene = Scene::new(5, 400);
        let live = scene.live().await;
        let mut worker = live.worker();
        live.settle(&mut worker).await;
        live.advance(minutes(1));
        for key in &tickets(&scene, "Open")[..changed] {
            transition(&scene, Role::Product, key, "Resolved");
        }
        live.hear().await;
        requests(&scene);
        live.drain(&mut worker).await;
        let sent = requests(&scene);
        let comments = sent.jira["POST /rest/api/3/issue/{issueIdOrKey}/comment"];
        assert_eq!(comments, changed as u64);
        total(&sent) - comments
    };
    let (one, hundred) = (cost(1).await, cost(100).await);
    println!("besides comments: {one} requests for 1 ticket, {hundred} for 100");
    // Findings that did not change themselves are read by id, 20 a call.
    assert!(hundred <= one + 5, "{hundred} against {one}");
}

#[tokio::test]
async fn the_echo_of_every_write_decides_to_nothing() {
    let scene = Scene::new(4, 120);
    scene.world.lock().aws.hub.visibility_delay = minutes(5);
    let live = scene.live().await;
    let mut worker = live.worker();
    let mut heard = 0;
    for act in 0..3 {
        if act > 0 {
            let mut world = scene.world.lock();
            if act == 1 {
                world.first_day()
            } else {
                world.second_day()
            };
        }
        // Reads show what was written in Security Hub five minutes later, the analyst's word too.
        live.advance(minutes(6));
        live.hear().await;
        live.drain(&mut worker).await;
        let writes = scene.engine_writes();
        // Every write comes back through both doors, twice, at once and while reads are stale, and once more later.
        let echoes = live.events();
        heard += echoes.len();
        for wait in [0, 2, 20] {
            live.advance(minutes(wait));
            for event in echoes.iter().chain(&echoes) {
                live.deliver(event).await;
            }
            for report in live.drain(&mut worker).await {
                assert!(
                    report.plan.is_empty(),
                    "act {act}: {:#?}",
                    report.plan.actions
                );
            }
            assert_eq!(scene.engine_writes(), writes, "act {act}, {wait} min later");
        }
    }
    assert!(heard > 200, "{heard}");
    drop(worker);
    drop(live);
    scene.settle().await;
}

#[tokio::test]
async fn without_any_event_the_incremental_run_brings_both_sides_in_step() {
    let scene = Scene::new(3, 60);
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let key = tickets(&scene, "Open")[0].clone();
    live.advance(minutes(3));
    transition(&scene, Role::Product, &key, "Resolved");
    assert!(
        matches!(worker.turn().await, Turn::Idle),
        "nothing was heard"
    );
    live.advance(minutes(10));
    let Turn::Scheduled(report) = worker.turn().await else {
        panic!("an incremental run is due");
    };
    assert_eq!(report.kind, "incremental");
    assert_eq!(workflow_of(&scene, &key), "RESOLVED");
    live.advance(SignedDuration::from_hours(24));
    let Turn::Scheduled(report) = worker.turn().await else {
        panic!("a full run is due");
    };
    assert_eq!(report.kind, "full");
}

#[tokio::test]
async fn a_restored_store_adopts_before_an_event_could_make_a_second_ticket() {
    let scene = Scene::new(3, 60);
    let backup = scene.folder.path().join("yesterday.sqlite3");
    let passing = {
        let live = scene.live().await;
        let mut worker = live.worker();
        live.settle(&mut worker).await;
        live.store.backup(&backup).await.unwrap();
        live.advance(minutes(5));
        let passing = controls(&scene.world.lock(), "PASSED");
        set(&scene, &passing, "FAILED");
        live.settle(&mut worker).await;
        passing
    };
    let before = scene.tickets();
    std::fs::copy(&backup, scene.store_path()).unwrap();
    for file in ["asaf.sqlite3-wal", "asaf.sqlite3-shm"] {
        let _ = std::fs::remove_file(scene.folder.path().join(file));
    }
    let live = scene.live().await;
    let mut worker = live.worker();
    let keys: Vec<WorkKey> = passing
        .into_iter()
        .map(|(product_arn, id)| WorkKey::Finding(asaf::model::FindingKey { product_arn, id }))
        .collect();
    live.store.enqueue(&keys, scene.clock.now()).await.unwrap();
    live.drain(&mut worker).await;
    assert_eq!(scene.tickets(), before);
    drop(worker);
    drop(live);
    scene.settle().await;
}

#[tokio::test]
async fn an_event_that_names_every_resource_deletes_the_ticket_without_asking_config() {
    let scene = Scene::new(3, 60);
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    live.advance(minutes(30));
    let (key, arn) = {
        let mut world = scene.world.lock();
        let now = world.now();
        let resource = |issue: &asaf::emulators::jira::Issue| {
            let link = issue.property("asaf.link");
            link["alias"]["resource"].as_str().unwrap().to_owned()
        };
        let found = world
            .jira
            .issues()
            .map(|issue| (issue.key.clone(), resource(issue)))
            .find(|(_, arn)| world.aws.config.item(arn).is_some())
            .unwrap();
        let World { aws, journal, .. } = &mut *world;
        aws.config.delete(&found.1, now, journal);
        found
    };
    requests(&scene);
    live.settle(&mut worker).await;
    let sent = requests(&scene);
    assert!(scene.world.lock().jira.issue(&key).is_none(), "{arn}");
    let config = [
        "SelectAggregateResourceConfig",
        "GetResourceConfigHistory",
        "AssumeRole",
    ];
    assert!(
        config.iter().all(|name| !sent.aws.contains_key(*name)),
        "{sent:?}"
    );
    let graves = live.store.tombstones().await.unwrap();
    assert!(graves.iter().any(|grave| grave.ticket.key == key));
    drop(worker);
    drop(live);
    scene.settle().await;
}

#[tokio::test]
async fn a_paused_project_is_read_and_not_written_until_it_is_resumed() {
    let scene = Scene::new(6, 120);
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let open = tickets(&scene, "Open");
    let project = open[0].split('-').next().unwrap().to_owned();
    let other = open.iter().find(|key| !key.starts_with(&project)).unwrap();
    let pause = Pause {
        scope: PauseScope::Project(project),
        why: "the workflow is being rebuilt".into(),
        by: "kim".into(),
        since: scene.clock.now(),
    };
    live.store.pause(&pause).await.unwrap();
    live.advance(minutes(2));
    for key in [&open[0], other] {
        transition(&scene, Role::Product, key, "Resolved");
    }
    let reports = live.settle(&mut worker).await;
    assert_eq!(workflow_of(&scene, other), "RESOLVED");
    assert_eq!(workflow_of(&scene, &open[0]), "NOTIFIED");
    let held: Vec<String> = reports
        .iter()
        .flat_map(|report| &report.plan.held)
        .map(|held| held.why.sentence())
        .collect();
    assert!(
        held.iter().any(|why| why.contains("paused by kim")),
        "{held:?}"
    );
    let run = live.store.runs(1).await.unwrap().remove(0);
    assert_eq!(run.summary["paused"][0]["by"], "kim");

    let ended = asaf::jobs::pause::end(&live.store, &pause.scope, scene.clock.now()).await;
    assert!(ended.unwrap());
    let reports = live.drain(&mut worker).await;
    assert_eq!(reports[0].kind, "full");
    assert_eq!(workflow_of(&scene, &open[0]), "RESOLVED");
    drop(worker);
    drop(live);
    scene.settle().await;
}

#[tokio::test]
async fn a_finding_that_flaps_reopens_its_ticket_once_in_a_hold_down() {
    let scene = Scene::new(3, 60);
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let finding = controls(&scene.world.lock(), "FAILED")[..1].to_vec();
    let mut moves = 0;
    for round in 0..12 {
        live.advance(minutes(2));
        let compliance = if round % 2 == 0 { "PASSED" } else { "FAILED" };
        set(&scene, &finding, compliance);
        for report in live.settle(&mut worker).await {
            let applied = report.applied.unwrap().done;
            moves += applied.reopened + applied.resolved;
        }
    }
    // It turned twelve times in 24 minutes: followed at once, and then once in 15 minutes.
    assert!((2..=3).contains(&moves), "{moves}");
    live.advance(minutes(16));
    live.settle(&mut worker).await;
    drop(worker);
    drop(live);
    scene.settle().await;
    let key = {
        let world = scene.world.lock();
        let of_finding = |issue: &&asaf::emulators::jira::Issue| {
            issue.property("asaf.link")["findings"][0]["id"] == finding[0].1.as_str()
        };
        let issue = world.jira.issues().find(of_finding).unwrap();
        issue.key.clone()
    };
    assert_eq!(status_of(&scene, &key), "Open", "it fails in the end");
}

#[tokio::test]
async fn poison_is_counted_quarantined_and_tried_again_and_its_neighbours_are_done() {
    let scene = Scene::new(3, 90);
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    // One link's row is damaged on disk, and one finding cannot be understood.
    let keys = tickets(&scene, "Open");
    let (damaged, healthy) = (&keys[3], [&keys[..3], &keys[4..20]].concat());
    let row = |new: Option<&str>| {
        let database = rusqlite::Connection::open(scene.store_path()).unwrap();
        let ticket = i64::try_from(id_of(&scene, damaged)).unwrap();
        let body = "SELECT body FROM link WHERE ticket = ?1";
        let old: String = database
            .query_row(body, [ticket], |row| row.get(0))
            .unwrap();
        if let Some(new) = new {
            let set = "UPDATE link SET body = ?2 WHERE ticket = ?1";
            database.execute(set, (ticket, new)).unwrap();
        }
        old
    };
    let sound = row(Some("{}"));
    let unreadable = {
        let mut world = scene.world.lock();
        let now = world.now();
        world.aws.hub.add_member("nonsense");
        let finding = serde_json::json!({
            "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub", "Id": "odd",
            "AwsAccountId": "nonsense", "UpdatedAt": now.to_string(), "Severity": {"Label": "HIGH"},
        });
        let World { aws, journal, .. } = &mut *world;
        aws.hub.import(finding.clone(), now, journal);
        named(&finding)
    };
    live.advance(minutes(1));
    for key in healthy.iter().chain([damaged]) {
        transition(&scene, Role::Product, key, "Resolved");
    }
    live.hear().await;
    live.drain(&mut worker).await;
    for key in &healthy {
        assert_eq!(workflow_of(&scene, key), "RESOLVED", "{key}");
    }
    let waiting = live.store.quarantine().await.unwrap();
    let names: BTreeSet<&str> = waiting.iter().map(|item| item.marker.as_str()).collect();
    assert_eq!(names.len(), 2, "{waiting:?}");
    assert!(waiting.iter().all(|item| item.attempts == 1));
    // Four more tries, each later than the last, and a person must look.
    for wait in [20, 80, 5 * 60, 20 * 60] {
        live.advance(SignedDuration::from_secs(wait));
        while !matches!(worker.turn().await, Turn::Idle | Turn::Failed(_)) {}
        live.advance(SignedDuration::from_secs(10));
        while !matches!(worker.turn().await, Turn::Idle | Turn::Failed(_)) {}
    }
    let waiting = live.store.quarantine().await.unwrap();
    assert!(
        waiting.iter().all(|item| item.attempts == 5),
        "{waiting:#?}"
    );
    assert!(
        waiting
            .iter()
            .all(|item| item.key.is_some() && !item.why.is_empty())
    );
    assert!(
        waiting.iter().any(|item| item.subject == "finding odd"),
        "{waiting:#?}"
    );
    // An event does not try it again; a person who has repaired it does.
    row(Some(&sound));
    let key = WorkKey::Ticket(id_of(&scene, damaged));
    let now = scene.clock.now();
    let named = std::slice::from_ref(&key);
    live.store.enqueue(named, now).await.unwrap();
    live.drain(&mut worker).await;
    assert_eq!(live.store.depth(now).await.unwrap().ready, 0);
    let item = waiting
        .iter()
        .find(|item| item.key.as_ref() == Some(&key))
        .unwrap();
    assert!(live.store.release(&item.marker).await.unwrap());
    live.store.enqueue(&[key], scene.clock.now()).await.unwrap();
    live.drain(&mut worker).await;
    assert_eq!(workflow_of(&scene, damaged), "RESOLVED");
    let (product, id) = unreadable;
    scene
        .world
        .lock()
        .aws
        .hub
        .remove(&product, &id, now, &mut Journal::default());
    drop(worker);
    drop(live);
    scene.settle().await;
}

#[tokio::test]
async fn an_outage_counts_against_nobody_and_everything_is_done_after_it() {
    let scene = Scene::new(3, 60);
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let keys = tickets(&scene, "Open")[..10].to_vec();
    live.advance(minutes(1));
    for key in &keys {
        transition(&scene, Role::Product, key, "Resolved");
    }
    live.hear().await;
    scene.refuse_jira("", 500, 10_000);
    let mut failed = 0;
    for _ in 0..40 {
        live.advance(minutes(1));
        failed += usize::from(matches!(worker.turn().await, Turn::Failed(_)));
    }
    assert!((5..30).contains(&failed), "{failed} tries in 40 minutes");
    assert!(live.store.quarantine().await.unwrap().is_empty());
    scene.heal();
    live.advance(minutes(6));
    live.drain(&mut worker).await;
    for key in &keys {
        assert_eq!(workflow_of(&scene, key), "RESOLVED", "{key}");
    }
    drop(worker);
    drop(live);
    scene.settle().await;
}

#[tokio::test]
async fn writes_that_fail_everywhere_are_nobodys_fault_and_one_that_is_refused_is() {
    let scene = Scene::new(3, 60);
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let keys = tickets(&scene, "Open")[..5].to_vec();
    live.advance(minutes(1));
    for key in &keys {
        transition(&scene, Role::Product, key, "Resolved");
    }
    // Comments fail for everybody: the server is in trouble.
    scene.refuse_jira("/comment$", 500, 1_000);
    live.hear().await;
    for _ in 0..8 {
        live.drain(&mut worker).await;
        live.advance(minutes(2));
    }
    let waiting = live.store.quarantine().await.unwrap();
    assert!(waiting.iter().all(|item| item.attempts == 0), "{waiting:?}");
    scene.heal();
    live.drain(&mut worker).await;
    assert_eq!(workflow_of(&scene, &keys[0]), "RESOLVED");
    // One is refused: that is its own trouble.
    transition(&scene, Role::Reviewer, &keys[0], "Open");
    transition(&scene, Role::Reviewer, &keys[1], "Open");
    live.settle(&mut worker).await;
    live.advance(minutes(1));
    for key in &keys[..2] {
        transition(&scene, Role::Product, key, "Resolved");
    }
    scene.refuse_jira("/comment$", 400, 1);
    live.settle(&mut worker).await;
    let struck = live.store.quarantine().await.unwrap();
    assert_eq!(
        struck.iter().map(|item| item.attempts).collect::<Vec<_>>(),
        [1]
    );
    live.advance(minutes(1));
    live.settle(&mut worker).await;
    assert!(
        live.store.quarantine().await.unwrap().is_empty(),
        "a success clears it"
    );
    drop(worker);
    drop(live);
    scene.settle().await;
}

#[tokio::test]
async fn no_write_begins_when_the_lease_could_end_before_its_answer() {
    let scene = Scene::new(3, 60);
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let keys = tickets(&scene, "Open")[..10].to_vec();
    live.advance(minutes(1));
    for key in &keys {
        transition(&scene, Role::Product, key, "Resolved");
    }
    // Jira lets each comment wait for almost two minutes.
    let times = u32::try_from(keys.len()).unwrap();
    scene.throttle_jira("/comment$", 110, times);
    live.hear().await;
    let began = scene.clock.now();
    let Turn::Batch { reports, .. } = worker.turn().await else {
        panic!("a batch is due");
    };
    let stopped = reports[0].applied.as_ref().unwrap().stopped;
    assert!((3..10).contains(&stopped), "{stopped}");
    let lease = SignedDuration::from_mins(10);
    let late = |scene: &Scene| {
        let world = scene.world.lock();
        let entries = world.journal.entries.iter().rev();
        let engine = entries.filter(|entry| entry.actor == Actor::Engine);
        engine.map(|entry| entry.at).max().unwrap()
    };
    let margin = SignedDuration::from_secs(65);
    assert!(
        late(&scene) <= began + (lease - margin),
        "{} {began}",
        late(&scene)
    );
    scene.heal();
    live.settle(&mut worker).await;
    for key in &keys {
        assert_eq!(workflow_of(&scene, key), "RESOLVED");
        assert_eq!(comments(&scene, key).len(), 1, "{key} was told once");
    }
    assert!(live.store.quarantine().await.unwrap().is_empty());
    drop(worker);
    drop(live);
    scene.settle().await;
}

#[tokio::test]
async fn a_worker_that_died_leaves_nothing_claimed() {
    let scene = Scene::new(3, 60);
    {
        let live = scene.live().await;
        let mut worker = live.worker();
        live.settle(&mut worker).await;
    }
    let key = tickets(&scene, "Open")[0].clone();
    scene.clock.advance(minutes(1));
    transition(&scene, Role::Product, &key, "Resolved");
    {
        let live = scene.live().await;
        let item = WorkKey::Ticket(id_of(&scene, &key));
        let now = scene.clock.now();
        live.store.enqueue(&[item], now).await.unwrap();
        let claimed = live.store.claim(10, now, minutes(10)).await.unwrap();
        assert_eq!(claimed.len(), 1);
    }
    let live = scene.live().await;
    let now = scene.clock.now();
    assert_eq!(live.store.depth(now).await.unwrap().leased, 1);
    let claimed = live.store.claim(10, now, minutes(10)).await.unwrap();
    assert_eq!(
        claimed.len(),
        1,
        "its store is ours now, so its claims are void"
    );
}

#[tokio::test]
async fn the_worker_runs_until_it_is_told_to_stop_and_wakes_for_events() {
    let scene = Scene::new(3, 60);
    let live = scene.live().await;
    let mut worker = live.worker();
    let stop = tokio_util::sync::CancellationToken::new();
    let story = async {
        let until = async |what: &dyn Fn() -> bool| {
            for _ in 0..1_000_000 {
                if what() {
                    return;
                }
                tokio::task::yield_now().await;
            }
            panic!("it does not come to pass");
        };
        until(&|| tickets(&scene, "Open").len() > 30).await;
        let key = tickets(&scene, "Open")[0].clone();
        until(&|| workflow_of(&scene, &key) == "NOTIFIED").await;
        live.advance(minutes(1));
        transition(&scene, Role::Product, &key, "Resolved");
        live.hear().await;
        until(&|| workflow_of(&scene, &key) == "RESOLVED").await;
        stop.cancel();
    };
    tokio::join!(worker.run(&stop), story);
    drop(worker);
    drop(live);
    scene.settle().await;
}

#[tokio::test]
async fn a_narrow_run_on_a_lost_store_adopts_the_ticket_instead_of_making_another() {
    let scene = Scene::new(3, 60);
    {
        let live = scene.live().await;
        let mut worker = live.worker();
        live.settle(&mut worker).await;
    }
    let (key, finding) = an_open_ticket(&scene);
    for file in ["asaf.sqlite3", "asaf.sqlite3-wal", "asaf.sqlite3-shm"] {
        let _ = std::fs::remove_file(scene.folder.path().join(file));
    }
    let named = Keys {
        findings: vec![finding.1.clone()],
        ..Keys::default()
    };
    let report = scene.run(Wish::Named(named)).await;
    assert_eq!(report.applied.unwrap().done.created, 0);
    assert_eq!(tickets_of(&scene, &finding), [key]);
}

#[tokio::test]
async fn many_small_batches_do_not_remove_together_what_one_run_could_not() {
    let scene = Scene::with(3, 90, |text| {
        text.push_str("\n[limits]\nremovals = 5\nremovals_percent = 5\n");
    });
    let live = scene.live().await;
    let mut worker = live.worker();
    live.settle(&mut worker).await;
    let known = scene.tickets().len();
    let mut blocked = 0;
    for _ in 0..5 {
        live.advance(minutes(2));
        for _ in 0..2 {
            let (key, _) = an_open_ticket(&scene);
            delete_resource(&scene, &resource_of(&scene, &key));
            live.hear().await;
            let reports = live.drain(&mut worker).await;
            blocked += reports.iter().filter(|r| r.braked.is_some()).count();
            if scene.world.lock().jira.issue(&key).is_some() {
                // Held: the next one that is found shall be another.
                transition(&scene, Role::Product, &key, "Resolved");
            }
        }
    }
    assert_eq!(scene.tickets().len(), known - 5, "no more than the limit");
    assert!(blocked >= 5, "{blocked}");
    // A day later there is room again.
    live.advance(SignedDuration::from_hours(25));
    live.drain(&mut worker).await;
    assert!(scene.tickets().len() < known - 5);
}
