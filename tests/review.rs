//! What a reviewer sees of the tickets that wait: from both sides as they are now, or from the store. Looking changes
//! nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scene;
mod serving;

use std::process::{Command, Output};

use asaf::emulators::jira::Role;
use asaf::jobs::review::{look, remembered};
use asaf::review::{ConfigSays, How, Review, Source, Verdict, Why};
use asaf::store::Store;
use scene::Scene;
use scene::acts::{
    delete_resource, finding_of, force_closed, minutes, resource_of, set, set_by_hand, tickets,
    transition,
};
use scene::live::Live;
use serde_json::Value;
use serving::world::Emulators;
use serving::{BINARY, Serve, until};

fn small() -> Scene {
    Scene::new(3, 40)
}

/// What `asaf review` shows, and the proof that looking has changed nothing.
async fn reviewed(live: &Live<'_>) -> Review {
    let before = (
        live.scene.engine_writes(),
        live.store.links().await.unwrap(),
    );
    let looked = look(&live.scene.config, &live.clients, &live.store);
    let review = Box::pin(looked).await.unwrap();
    let after = (
        live.scene.engine_writes(),
        live.store.links().await.unwrap(),
    );
    assert_eq!(before, after, "a review writes nothing");
    assert!(review.gaps.is_empty(), "{:?}", review.gaps);
    review
}

fn keys(review: &Review) -> Vec<&str> {
    let rows = review.waiting.iter();
    rows.map(|row| row.ticket.as_str()).collect()
}

#[tokio::test]
async fn a_claim_waits_with_what_aws_says_now_until_a_reviewer_decides() {
    let scene = small();
    scene
        .told(async |live, worker| {
            assert!(reviewed(live).await.waiting.is_empty());
            let open = tickets(&scene, "Open");
            let (first, second) = (&open[1], &open[0]);
            for key in [first, second] {
                live.advance(minutes(1));
                transition(&scene, Role::Product, key, "Resolved");
                live.settle(worker).await;
            }
            let review = reviewed(live).await;
            assert_eq!(keys(&review), [first, second], "the longest waiting first");
            let row = &review.waiting[0];
            let claim = row.claim.as_ref().unwrap();
            assert_eq!((claim.how, claim.by.as_str()), (How::Jira, "Pat Product"));
            assert_eq!(row.since, claim.at);
            assert_eq!(row.verdict, Verdict::NotCheckedSince);
            assert_eq!(row.team, scene.config.owners.of(&row.account).team);
            // AWS looks again: one is fixed, the other is not.
            live.advance(minutes(30));
            set(&scene, &[finding_of(&scene, first)], "PASSED");
            set(&scene, &[finding_of(&scene, second)], "WARNING");
            let review = reviewed(live).await;
            let verdicts: Vec<Verdict> = review.waiting.iter().map(|row| row.verdict).collect();
            assert_eq!(verdicts, [Verdict::Verified, Verdict::StillFailing]);
            live.settle(worker).await;
            live.advance(minutes(1));
            transition(&scene, Role::Reviewer, first, "Closed");
            transition(&scene, Role::Reviewer, second, "Open");
            // A decision counts at once, whether or not a run has seen it.
            assert!(reviewed(live).await.waiting.is_empty());
            live.settle(worker).await;
            assert!(reviewed(live).await.waiting.is_empty());
        })
        .await;
}

#[tokio::test]
async fn a_ticket_that_no_run_has_seen_resolved_is_listed_and_the_store_does_not_know_it_yet() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let key = tickets(&scene, "Open")[0].clone();
            transition(&scene, Role::Product, &key, "Resolved");
            live.advance(minutes(2));
            assert_eq!(keys(&reviewed(live).await), [&key]);
            let now = scene.clock.now();
            let stored = remembered(&scene.config, &live.store, now).await.unwrap();
            assert!(stored.waiting.is_empty());
            live.settle(worker).await;
            let stored = remembered(&scene.config, &live.store, now).await.unwrap();
            assert_eq!(keys(&stored), [&key]);
            assert!(matches!(
                stored.source,
                Source::Store {
                    last_read_at: Some(_)
                }
            ));
            let claim = stored.waiting[0].claim.as_ref().unwrap();
            assert_eq!(claim.by, "Pat Product");
        })
        .await;
}

#[tokio::test]
async fn config_says_whether_the_resource_is_there() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let (key, finding) = scene::acts::an_open_ticket(&scene);
            transition(&scene, Role::Product, &key, "Resolved");
            live.settle(worker).await;
            assert_eq!(reviewed(live).await.waiting[0].config, ConfigSays::Exists);
            live.advance(minutes(5));
            delete_resource(&scene, &resource_of(&scene, &key));
            live.advance(minutes(15));
            let review = reviewed(live).await;
            let row = &review.waiting[0];
            assert!(matches!(row.config, ConfigSays::Deleted { .. }), "{row:?}");
            assert_eq!(row.verdict, Verdict::ResourceDeleted);
            let named = row.findings.iter().any(|key| key.id == finding.1);
            assert!(named, "{row:?}");
        })
        .await;
}

#[tokio::test]
async fn whoever_said_it_in_security_hub_is_named() {
    let scene = small();
    scene
        .told(async |live, worker| {
            let key = tickets(&scene, "Open")[0].clone();
            set_by_hand(&scene, &finding_of(&scene, &key), "RESOLVED");
            live.settle(worker).await;
            let review = reviewed(live).await;
            let claim = review.waiting[0].claim.as_ref().unwrap();
            assert_eq!(claim.how, How::SecurityHub);
            assert!(claim.by.ends_with("assumed-role/analyst/kim"), "{claim:?}");
        })
        .await;
}

#[tokio::test]
async fn a_close_that_is_held_waits_and_so_does_a_dispute() {
    let scene = Scene::with(3, 40, |text| {
        text.push_str("\n[policy]\nclose_while_failing = \"hold\"\n");
    });
    scene
        .told_of_a_policy(async |live, worker| {
            let open = tickets(&scene, "Open");
            let (closed, disputed) = (&open[0], &open[1]);
            transition(&scene, Role::Product, closed, "Resolved");
            live.settle(worker).await;
            live.advance(minutes(1));
            transition(&scene, Role::Reviewer, closed, "Closed");
            for _ in 0..4 {
                live.advance(minutes(30));
                force_closed(&scene, Role::Product, disputed);
                live.settle(worker).await;
            }
            let review = reviewed(live).await;
            let waits: Vec<(&str, Why)> = review
                .waiting
                .iter()
                .map(|row| (row.ticket.as_str(), row.why))
                .collect();
            let expected = [
                (closed.as_str(), Why::ClosedWhileFailing),
                (disputed.as_str(), Why::Dispute { row: 2 }),
            ];
            assert_eq!(waits, expected);
            // Both come to an end by what the list says.
            live.advance(minutes(30));
            transition(&scene, Role::Reviewer, closed, "Open");
            {
                let mut world = scene.world.lock();
                let now = world.now();
                let who = world.jira.user(Role::Reviewer).unwrap().account_id.clone();
                let asaf::emulators::world::World { jira, journal, .. } = &mut *world;
                jira.force_status(&who, disputed, "Open", now, journal);
                let edit = serde_json::json!({"update": {"labels": [{"remove": "asaf-disputed"}]}});
                jira.edit_as(&who, disputed, &edit, now, journal).unwrap();
            }
            assert!(reviewed(live).await.waiting.is_empty());
            live.settle(worker).await;
            assert!(reviewed(live).await.waiting.is_empty());
        })
        .await;
}

/// `asaf review` in a world that `asaf serve` keeps in step.
struct Desk {
    folder: tempfile::TempDir,
    emulated: Emulators,
}

impl Desk {
    fn run(&self, args: &[&str]) -> Output {
        Command::new(BINARY)
            .arg("review")
            .args(args)
            .env("ASAF_CONFIG", self.folder.path().join("asaf.toml"))
            .envs(self.emulated.env())
            .env("HOOK", serving::SECRET)
            .output()
            .unwrap()
    }

    fn text(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        let out = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), out)
    }
}

#[test]
fn the_command_lists_what_waits_beside_a_running_process() {
    let folder = tempfile::tempdir().unwrap();
    let emulated = Emulators::start(folder.path(), 3, 40);
    let config = emulated.config("[webhook]\nsecrets = [\"env:HOOK\"]");
    let serve = Serve::start(folder.path(), &config, &emulated.env());
    let desk = Desk { folder, emulated };
    let ticket = until(|| desk.emulated.tickets().into_iter().next());
    until(|| {
        (serve.figure("asaf_reconcile_total{kind=\"full\",outcome=\"ok\"}") > 0.0).then_some(())
    });
    let (code, text) = desk.text(&["--detailed-exitcode"]);
    assert_eq!(
        (code, text.as_str()),
        (0, "Nothing waits for security (read now).\n")
    );
    desk.emulated.register(&serve.address, serving::SECRET);
    desk.emulated.move_ticket("product", &ticket, "Resolved");
    until(|| {
        let (_, text) = desk.text(&["--offline"]);
        text.starts_with("1 ticket waits for security")
            .then_some(())
    });
    let (code, json) = desk.text(&["--output", "json", "--detailed-exitcode"]);
    let value: Value = serde_json::from_str(&json).unwrap();
    let row = &value["waiting"][0];
    assert_eq!((code, &value["source"]["read"]), (2, &Value::from("now")));
    assert_eq!(row["claim"]["by"], "Pat Product");
    assert_eq!(row["security_hub"]["workflow"], "RESOLVED");
    let team = row["team"].as_str().unwrap();
    let key = row["ticket"].as_str().unwrap();
    let (code, markdown) = desk.text(&["--output", "markdown", "--team", team]);
    let line = markdown.lines().last().unwrap();
    assert!(
        code == 0 && line.contains(&format!("| `{key}` |")),
        "{markdown}"
    );
    for nothing in [["--team", "nobody"], ["--longer-than", "1d"]] {
        let (code, text) = desk.text(&[&nothing[..], &["--detailed-exitcode"]].concat());
        assert!(
            code == 0 && text.starts_with("Nothing waits"),
            "{nothing:?}: {text}"
        );
    }
    assert_eq!(desk.run(&["--longer-than", "soon"]).status.code(), Some(64));
    // The other sides are gone: the store still answers, and the error says so.
    drop(serve);
    let Desk { folder, emulated } = desk;
    drop(emulated);
    let alone = Command::new(BINARY)
        .arg("review")
        .env("ASAF_CONFIG", folder.path().join("asaf.toml"))
        .env("AWS_ACCESS_KEY_ID", "a")
        .env("AWS_SECRET_ACCESS_KEY", "b")
        .env("ASAF_GITHUB_TOKEN", "c")
        .env("ASAF_SLACK_TOKEN", "d")
        .output()
        .unwrap();
    let said = String::from_utf8(alone.stderr).unwrap();
    assert_eq!(alone.status.code(), Some(1), "{said}");
    assert!(said.contains("asaf review --offline"), "{said}");
}
