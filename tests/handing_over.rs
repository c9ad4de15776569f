//! A new owner with another project: Jira moves the ticket there, or says that the bot may not. Each story ends with a
//! reconcile that plans nothing, and the audit.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scene;

use std::collections::BTreeMap;

use asaf::config::Config;
use asaf::emulators::faults::{Fault, When};
use asaf::emulators::jira::{FaultKind, Role};
use asaf::emulators::world::{Side, seed};
use asaf::jobs::reconcile::{Orders, Wish};
use asaf::model::finding::TICKET_FIELD;
use base64::Engine as _;
use scene::acts::{Named, an_open_ticket, comments, id_of, note, requests, status_of, workflow};
use scene::{Fuse, Scene};
use serde_json::{Value, json};

const WEB: &str = "default = { team = \"web\", project = \"WEB\" }\n";
const PAY: &str = "default = { team = \"payments\", project = \"PAY\", assignee = \"lead\" }\n";
const MOVE: &str = "owner_change = \"move\"\n";

/// The configuration with this policy and these owners in the place of the seed's.
fn owned(text: &mut String, policy: &str, owners: &str) {
    scene::without_slack(text);
    let start = text.find("[owners]").unwrap();
    text.truncate(start);
    if let Some(sla) = text.find("[sla]") {
        text.truncate(sla);
    }
    text.push_str(&format!("\n[policy]\n{policy}\n[owners]\n{owners}"));
}

/// Everything belongs to the web team.
fn of_web(policy: &str, accounts: usize, findings: usize) -> Scene {
    Scene::with(accounts, findings, |text| owned(text, policy, WEB))
}

/// From now on everything belongs to the payments team.
fn to_payments(scene: &mut Scene, policy: &str) {
    let bot = {
        let world = scene.world.lock();
        world.jira.user(Role::Bot).unwrap().email.clone()
    };
    let mut text = seed::config_text(
        "http://127.0.0.1:2",
        "http://127.0.0.1:1",
        &bot,
        "asaf.sqlite3",
        6,
    )
    .replace("env:ASAF_JIRA_TOKEN", "file:token");
    owned(&mut text, policy, PAY);
    scene.config = Config::parse(&text, &scene.folder.path().join("asaf.toml")).unwrap();
}

/// What an administrator does in Jira.
async fn as_admin(scene: &Scene, method: &str, path: &str, body: Value) -> Value {
    let login = {
        let world = scene.world.lock();
        let admin = world.jira.user(Role::Admin).unwrap();
        format!("{}:{}", admin.email, admin.token)
    };
    let login = base64::engine::general_purpose::STANDARD.encode(login);
    let request = http::Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:1/rest/api/3/{path}"))
        .header("authorization", format!("Basic {login}"))
        .header("content-type", "application/json")
        .body(body.to_string().into())
        .unwrap();
    let face = scene.world.face(Side::Jira);
    let answer = face.exchange(request).await.unwrap();
    assert!(answer.status().is_success(), "{path}: {answer:?}");
    serde_json::from_slice(answer.body()).unwrap_or_default()
}

/// The bot may move issues out of every project.
async fn may_move(scene: &Scene) {
    let bot = {
        let world = scene.world.lock();
        world.jira.user(Role::Bot).unwrap().account_id.clone()
    };
    let scheme = as_admin(scene, "GET", "project/WEB/permissionscheme", Value::Null).await;
    let grant =
        json!({ "permission": "MOVE_ISSUES", "holder": { "type": "user", "parameter": bot } });
    let path = format!("permissionscheme/{}/permission", scheme["id"]);
    as_admin(scene, "POST", &path, grant).await;
}

/// Keys by id.
fn keys(scene: &Scene) -> BTreeMap<u64, String> {
    let world = scene.world.lock();
    let issues = world.jira.issues();
    issues.map(|issue| (issue.id, issue.key.clone())).collect()
}

/// How often a ticket has changed its project.
fn journeys(scene: &Scene, key: &str) -> usize {
    let world = scene.world.lock();
    let history = &world.jira.issue(key).unwrap().history;
    let items = history.iter().flat_map(|group| &group.items);
    items.filter(|item| item.field_id == "project").count()
}

fn noted(scene: &Scene, finding: &Named) -> String {
    let world = scene.world.lock();
    let asff = world.aws.hub.get(&finding.0, &finding.1).unwrap();
    asff["UserDefinedFields"][TICKET_FIELD]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn the_ticket_goes_to_the_new_owners_project_and_stays_the_same_ticket() {
    let mut scene = of_web(MOVE, 2, 12);
    may_move(&scene).await;
    let lead = {
        let mut world = scene.world.lock();
        let lead = world.jira.user(Role::Product).unwrap().account_id.clone();
        world.jira.project_mut("PAY").unwrap().lead = Some(lead.clone());
        lead
    };
    scene.settle().await;
    let before = keys(&scene);
    let (old, finding) = an_open_ticket(&scene);
    let id = id_of(&scene, &old);
    assert_eq!(noted(&scene, &finding), old);
    to_payments(&mut scene, MOVE);
    scene.clock.advance(scene::acts::minutes(20));
    requests(&scene);
    scene.run(Wish::Full).await;
    let spent = requests(&scene).jira;
    let count = |what: &str| -> u64 {
        let of = spent.iter().filter(|(name, _)| name.contains(what));
        of.map(|(_, n)| n).sum()
    };
    assert_eq!(count("bulk/issues/move"), 1, "all go together: {spent:?}");
    assert_eq!(count("mypermissions"), 3, "{spent:?}");
    scene.settle().await;
    let after = keys(&scene);
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>(),
        "no ticket is made or deleted"
    );
    let new = &after[&id];
    assert!(new.starts_with("PAY-"), "{new}");
    assert_eq!(status_of(&scene, new), "Open");
    assert_eq!(status_of(&scene, &old), "Open", "the old key leads to it");
    assert_eq!(
        comments(&scene, new),
        [format!(
            "It belongs to payments now, and no longer to web: {old} has moved to payments's project."
        )]
    );
    assert_eq!(workflow(&scene, &finding), "NOTIFIED");
    assert_eq!(noted(&scene, &finding), *new, "{}", note(&scene, &finding));
    let world = scene.world.lock();
    for issue in world.jira.issues() {
        assert!(issue.key.starts_with("PAY-"), "{}", issue.key);
        assert_eq!(issue.assignee.as_ref(), Some(&lead));
        let description = issue.description.clone().unwrap().value().to_string();
        assert!(description.contains("payments"), "{description}");
    }
}

#[tokio::test]
async fn a_ticket_of_several_findings_goes_with_all_of_them() {
    let policy = format!("{MOVE}consolidate = \"account_control\"\n");
    let mut scene = of_web(&policy, 2, 30);
    may_move(&scene).await;
    scene.settle().await;
    let before = keys(&scene);
    to_payments(&mut scene, &policy);
    scene.settle().await;
    let after = keys(&scene);
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    assert!(
        after.values().all(|key| key.starts_with("PAY-")),
        "{after:?}"
    );
}

#[tokio::test]
async fn an_engine_that_ends_anywhere_in_a_move_never_moves_twice_and_makes_no_ticket() {
    for after_effect in [false, true] {
        for request in 0..45 {
            let mut scene = of_web(MOVE, 1, 3);
            may_move(&scene).await;
            scene.settle().await;
            let before = keys(&scene);
            to_payments(&mut scene, MOVE);
            let orders = Orders {
                write: true,
                ..Orders::default()
            };
            let fuse = Fuse::at(request, after_effect);
            let ended = scene.try_run(Wish::Full, orders, Some(&fuse)).await;
            scene.settle().await;
            let after = keys(&scene);
            assert_eq!(
                after.keys().collect::<Vec<_>>(),
                before.keys().collect::<Vec<_>>(),
                "request {request}"
            );
            for key in after.values() {
                assert!(key.starts_with("PAY-"), "request {request}: {key}");
                assert_eq!(status_of(&scene, key), "Open", "request {request}");
                assert_eq!(journeys(&scene, key), 1, "request {request}");
            }
            if ended.is_some() {
                break;
            }
            assert!(request < 44, "more requests than this story looks at");
        }
    }
}

#[tokio::test]
async fn a_bot_that_may_not_move_says_what_it_lacks_and_makes_a_new_ticket() {
    let mut scene = of_web(MOVE, 2, 12);
    scene.settle().await;
    let (old, finding) = an_open_ticket(&scene);
    to_payments(&mut scene, MOVE);
    scene.settle().await;
    let new = noted(&scene, &finding);
    assert!(new.starts_with("PAY-"), "{new}");
    assert_eq!(status_of(&scene, &old), "Closed");
    assert_eq!(
        comments(&scene, &old),
        [format!(
            "It belongs to payments now, and no longer to web: a ticket in payments's project takes the place of {old}, \
             which asaf may not move: it lacks Move issues in WEB. It continues in {new}."
        )]
    );
    assert_eq!(journeys(&scene, &old), 0);
}

#[tokio::test]
async fn with_the_policy_keep_it_stays_says_why_once_and_names_the_new_owner() {
    let policy = format!("{MOVE}move_denied = \"keep\"\n");
    let mut scene = of_web(&policy, 2, 12);
    may_move(&scene).await;
    scene.settle().await;
    let bot = {
        let world = scene.world.lock();
        world.jira.user(Role::Bot).unwrap().account_id.clone()
    };
    scene
        .world
        .lock()
        .jira
        .revoked
        .insert(bot, ["BULK_CHANGE".into()].into());
    let before = keys(&scene);
    let (key, _) = an_open_ticket(&scene);
    to_payments(&mut scene, &policy);
    scene.settle().await;
    assert_eq!(keys(&scene), before);
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(
        comments(&scene, &key),
        [format!(
            "It belongs to payments now, and no longer to web: {key} stays in its project, because asaf may not move it: \
             it lacks the global permission Make bulk changes."
        )]
    );
    let world = scene.world.lock();
    let description = world.jira.issue(&key).unwrap().description.clone().unwrap();
    assert!(description.value().to_string().contains("payments"));
}

#[tokio::test]
async fn while_jira_does_not_say_what_the_bot_may_everything_stays_and_the_plan_says_so() {
    let mut scene = of_web(MOVE, 1, 6);
    may_move(&scene).await;
    scene.settle().await;
    let before = keys(&scene);
    to_payments(&mut scene, MOVE);
    scene.world.lock().jira.faults.arm(Fault {
        operation: "mypermissions".into(),
        kind: FaultKind::ServerError(500),
        when: When::Next(1_000),
    });
    scene.clock.advance(scene::acts::minutes(20));
    let report = scene.run(Wish::Full).await;
    let held: Vec<String> = report
        .plan
        .held
        .iter()
        .map(|held| held.why.sentence())
        .collect();
    assert_eq!(held.len(), before.len(), "{held:?}");
    for why in held {
        assert!(
            why.ends_with("may be moved to PAY could not be read"),
            "{why}"
        );
    }
    assert_eq!(keys(&scene), before);
    scene.world.lock().jira.faults.clear();
    scene.settle().await;
    assert!(keys(&scene).values().all(|key| key.starts_with("PAY-")));
}

#[tokio::test]
async fn a_task_that_fails_dies_or_is_lost_on_the_way_is_finished_by_the_next_run() {
    for kind in [
        FaultKind::BulkTaskFails { issues: 2 },
        FaultKind::BulkTaskDies { after: 1 },
        FaultKind::BulkTaskSlow { seconds: 900 },
        FaultKind::ApplyThenDrop,
        FaultKind::DropBefore,
    ] {
        let mut scene = of_web(MOVE, 1, 6);
        may_move(&scene).await;
        scene.settle().await;
        let before = keys(&scene);
        to_payments(&mut scene, MOVE);
        let fault = Fault::next("bulk/issues/move", kind.clone());
        scene.world.lock().jira.faults.arm(fault);
        scene.clock.advance(scene::acts::minutes(20));
        scene.run(Wish::Full).await;
        scene.clock.advance(scene::acts::minutes(20));
        scene.settle().await;
        let after = keys(&scene);
        assert_eq!(after.len(), before.len(), "{kind:?}");
        for key in after.values() {
            assert!(key.starts_with("PAY-"), "{kind:?}: {key}");
            assert_eq!(journeys(&scene, key), 1, "{kind:?}: {key}");
        }
    }
}
