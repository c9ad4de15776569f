//! Every kind of fault: how it shows on the wire, and that the engine, once it is over, leaves the world in agreement.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod kinds;
#[path = "../scene/mod.rs"]
mod scene;
mod wire;

use std::collections::BTreeSet;

use asaf::emulators::aws::AwsFault;
use asaf::emulators::faults::{Fault, When};
use asaf::emulators::jira::FaultKind;
use asaf::emulators::world::World;
use asaf::emulators::world::control::verbs::Verb;
use asaf::jobs::reconcile::{Orders, Wish};
use jiff::SignedDuration;
use scene::Scene;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// A fault of either side.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Aws(AwsFault),
    Jira(FaultKind),
}

impl Kind {
    pub(crate) fn arm(&self, world: &mut World, operation: &str, times: u32) {
        let operation = operation.to_owned();
        let when = When::Next(times);
        match self.clone() {
            Kind::Aws(kind) => world.aws.faults.arm(Fault {
                operation,
                kind,
                when,
            }),
            Kind::Jira(kind) => world.jira.faults.arm(Fault {
                operation,
                kind,
                when,
            }),
        }
    }
}

fn armed(world: &World) -> u32 {
    let left = |when: &When| match when {
        When::Next(left) => *left,
        When::Chance { .. } => 0,
    };
    let aws = world
        .aws
        .faults
        .armed()
        .iter()
        .map(|fault| left(&fault.when));
    let jira = world.jira.faults.armed().iter();
    aws.chain(jira.map(|fault| left(&fault.when))).sum()
}

/// The names of an enum's variants, as serde spells them.
fn variants<K: DeserializeOwned>() -> BTreeSet<String> {
    let error = serde_json::from_value::<K>(json!("?"))
        .err()
        .unwrap()
        .to_string();
    let (_, names) = error.split_once("expected one of ").unwrap();
    names
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn name<K: Serialize>(kind: &K) -> String {
    match json!(kind) {
        Value::String(name) => name,
        Value::Object(fields) => fields.keys().next().unwrap().clone(),
        other => panic!("{other}"),
    }
}

#[test]
fn every_kind_of_fault_has_an_example() {
    let examples: BTreeSet<String> = kinds::aws().iter().map(name).collect();
    assert_eq!(examples, variants::<AwsFault>());
    let examples: BTreeSet<String> = kinds::jira().iter().map(name).collect();
    assert_eq!(examples, variants::<FaultKind>());
}

#[test]
fn every_kind_of_fault_shows_on_the_wire() {
    for kind in kinds::all() {
        wire::show(&kind);
    }
}

#[tokio::test]
async fn after_any_fault_of_aws_the_world_agrees() {
    let kinds: Vec<Kind> = kinds::aws().into_iter().map(Kind::Aws).collect();
    survive_all(&kinds).await;
}

#[tokio::test]
async fn after_any_fault_of_jira_the_world_agrees() {
    let kinds: Vec<Kind> = kinds::jira().into_iter().map(Kind::Jira).collect();
    survive_all(&kinds).await;
}

async fn survive_all(kinds: &[Kind]) {
    for kind in kinds {
        for operation in kinds::met_by_the_engine(kind) {
            survive(kind, operation).await;
        }
    }
}

/// A day's work under a fault: whatever the run makes of it, no invariant breaks, and once the fault is over everything
/// that was to be done is done, once.
async fn survive(kind: &Kind, operation: &str) {
    let scene = Scene::new(1, 60);
    listen(&scene);
    scene.run(Wish::Full).await;
    scene.settle().await;
    kind.arm(&mut scene.world.lock(), operation, 2);
    let before = armed(&scene.world.lock());
    live_a_day(&scene);
    for _ in 0..3 {
        let orders = Orders {
            write: true,
            ..Orders::default()
        };
        // An error is an answer, too: what counts is what it leaves behind.
        let _ = scene.try_run(Wish::Full, orders, None).await.unwrap();
        scene.audit();
        scene.clock.advance(SignedDuration::from_secs(40));
    }
    let left = armed(&scene.world.lock());
    assert!(left < before, "{kind:?} never struck {operation}");
    {
        let mut world = scene.world.lock();
        world.aws.faults.clear();
        world.jira.faults.clear();
    }
    scene.world.lock().advance(SignedDuration::from_hours(30));
    scene.settle().await;
    done(&scene, kind, operation);
    println!("{kind:?} at {operation}: survived");
}

/// A webhook, so that there is something that its faults can strike.
fn listen(scene: &Scene) {
    let mut world = scene.world.lock();
    let (status, _) = wire::jira(
        &mut world,
        "POST",
        "/rest/webhooks/1.0/webhook",
        &wire::hook(),
    )
    .unwrap();
    assert_eq!(status, 201);
}

/// Tickets by what is to become of them, in the order of their ids.
const RESOLVED: std::ops::Range<usize> = 0..8;
const PASSED: std::ops::Range<usize> = 10..17;
const DELETED: std::ops::Range<usize> = 20..27;
const FORCED: usize = 30;

/// Enough of everything that the engine uses its bulk operations, too.
fn live_a_day(scene: &Scene) {
    let mut world = scene.world.lock();
    let tickets: Vec<(String, String, String)> = tracked(&world);
    for (.., resource) in &tickets[DELETED] {
        happen(
            &mut world,
            json!({ "do": "resource_is_deleted", "resource": resource }),
        );
    }
    // What is gone is not checked again: that is how the engine notices.
    world.advance(SignedDuration::from_hours(30));
    let mut verbs = Vec::new();
    for (key, ..) in &tickets[RESOLVED] {
        verbs.push(json!({ "do": "person_resolves", "ticket": key, "who": "product" }));
    }
    for (_, finding, _) in &tickets[PASSED] {
        verbs.push(json!({ "do": "finding_passes", "finding": finding }));
    }
    let forced = &tickets[FORCED].0;
    verbs.push(
        json!({ "do": "person_forces_status", "ticket": forced, "who": "product", "to": "Closed" }),
    );
    for control in ["EC2.8", "KMS.4"] {
        verbs.push(json!({ "do": "finding_appears", "control": control }));
    }
    for verb in verbs {
        happen(&mut world, verb);
    }
}

fn happen(world: &mut World, verb: Value) {
    world.happen(&Verb::read(verb).unwrap()).unwrap();
}

/// Key, finding and resource of the tickets of controls whose resource Config knows.
fn tracked(world: &World) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = world.jira.issues().filter_map(|issue| {
        let link = issue.property("asaf.link");
        let resource = text(&link["alias"]["resource"]);
        let is_known = world.aws.config.item(&resource).is_some();
        let finding = text(&link["findings"][0]["id"]);
        is_known.then(|| (issue.key.clone(), finding, resource))
    });
    rows.collect()
}

/// Everything of the day is done: one ticket each, the deleted ones gone, the rest where it belongs.
fn done(scene: &Scene, kind: &Kind, operation: &str) {
    let doubled: Vec<String> = scene
        .tickets()
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(marker, _)| marker)
        .collect();
    assert!(doubled.is_empty(), "{kind:?} at {operation}: {doubled:?}");
    let world = scene.world.lock();
    let status = |name: &str| {
        let id = world.jira.status_named(name).unwrap().id;
        world
            .jira
            .issues()
            .filter(|issue| issue.status == id)
            .count()
    };
    let found = (status("Resolved"), status("Closed"), status("Ignored"));
    let wanted = (RESOLVED.len() + PASSED.len(), 0, 0);
    assert_eq!(found, wanted, "{kind:?} at {operation}");
    let failing = world
        .aws
        .hub
        .iter()
        .filter(|finding| finding["Workflow"]["Status"] == "NOTIFIED");
    assert_eq!(failing.count(), status("Open"), "{kind:?} at {operation}");
}
