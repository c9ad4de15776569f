//! Tickets that people or another tool made are taken over: a plan first, and what stands in them stays. Each story that
//! takes over ends with a reconcile that plans nothing, and the audit.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scene;

use std::collections::BTreeMap;

use asaf::emulators::jira::Role;
use asaf::emulators::world::{Side, World};
use asaf::jobs::adopt::choice::Verdict;
use asaf::jobs::adopt::{Adoption, apply, maps, plan, text};
use asaf::wire::adf::plain_text;
use base64::Engine as _;
use scene::Scene;
use scene::acts::{Named, controls, id_of, in_hub, status_of, transition, workflow};
use serde_json::{Value, json};

const BY_ID: &str = r"description:(arn:aws:securityhub:\S+)";

/// Another tool, which uses the same account, makes a ticket in Jira.
async fn made(scene: &Scene, summary: &str, description: &str, more: Value) -> String {
    let (email, token) = {
        let world = scene.world.lock();
        let bot = world.jira.user(Role::Bot).unwrap();
        (bot.email.clone(), bot.token.clone())
    };
    let login = base64::engine::general_purpose::STANDARD.encode(format!("{email}:{token}"));
    let mut fields = json!({
        "project": { "key": "SEC" },
        "issuetype": { "name": scene.config.jira.issue_type },
        "summary": summary,
        "description": { "type": "doc", "version": 1, "content": [
            { "type": "paragraph", "content": [{ "type": "text", "text": description }] }
        ] },
    });
    for (key, value) in more.as_object().unwrap() {
        fields[key] = value.clone();
    }
    let request = http::Request::post("http://127.0.0.1:1/rest/api/3/issue")
        .header("authorization", format!("Basic {login}"))
        .header("content-type", "application/json")
        .body(json!({ "fields": fields }).to_string().into())
        .unwrap();
    let answer = scene
        .world
        .face(Side::Jira)
        .exchange(request)
        .await
        .unwrap();
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    body["key"]
        .as_str()
        .unwrap_or_else(|| panic!("{body}"))
        .to_owned()
}

async fn planned(scene: &Scene, map: &[&str]) -> Adoption {
    let clients = scene.clients(None).await;
    let typed: Vec<String> = map.iter().map(|map| (*map).to_owned()).collect();
    let store = scene.store();
    let maps = maps(&typed).unwrap();
    plan(&scene.config, &clients, &store, "project = SEC", &maps)
        .await
        .unwrap()
}

async fn adopted(scene: &Scene, map: &[&str]) -> Adoption {
    let mut adoption = planned(scene, map).await;
    let clients = scene.clients(None).await;
    let store = scene.store();
    apply(&mut adoption, &clients, &store).await.unwrap();
    assert!(adoption.failed.is_empty(), "{:?}", adoption.failed);
    adoption
}

fn verdicts(adoption: &Adoption) -> BTreeMap<String, Verdict> {
    let tickets = adoption.tickets.iter();
    tickets
        .map(|choice| (choice.ticket.key.clone(), choice.verdict.clone()))
        .collect()
}

/// Failing findings of controls.
fn failing(scene: &Scene) -> Vec<Named> {
    let world = scene.world.lock();
    let all = controls(&world, "FAILED").into_iter();
    // Config.1 is below the threshold.
    all.filter(|finding| !finding.1.contains("Config.1"))
        .collect()
}

/// Keys of all tickets about a resource.
fn about(scene: &Scene, finding: &Named) -> Vec<String> {
    let world = scene.world.lock();
    let of_finding = world.jira.issues().filter(|issue| {
        let findings = issue.property("asaf.link")["findings"].clone();
        let mut all = findings.as_array().into_iter().flatten();
        all.any(|one| one["id"] == finding.1.as_str())
    });
    of_finding.map(|issue| issue.key.clone()).collect()
}

fn said(scene: &Scene, key: &str) -> String {
    let world = scene.world.lock();
    let description = world.jira.issue(key).unwrap().description.clone().unwrap();
    plain_text(&description.value())
}

#[tokio::test]
async fn the_plan_says_of_every_ticket_what_becomes_of_it_and_writes_nothing() {
    let scene = Scene::new(3, 40);
    let all = failing(&scene);
    let of = |n: usize| format!("Prowler found {} .", all[n].1);
    let one = made(&scene, "one", &of(0), json!({})).await;
    let two = format!("{} {}", of(1), of(2));
    let several = made(&scene, "two", &two, json!({})).await;
    let silent = made(&scene, "three", "Something is wrong.", json!({})).await;
    let gone = "See arn:aws:securityhub:eu-west-1:1:security-control/S3.8/finding/0 .";
    let unknown = made(&scene, "four", gone, json!({})).await;
    let first = made(&scene, "five", &of(3), json!({})).await;
    let second = made(&scene, "six", &of(3), json!({})).await;
    let closed = made(&scene, "seven", &of(4), json!({})).await;
    scene::acts::force_closed(&scene, Role::Reviewer, &closed);
    let writes = |scene: &Scene| scene.world.lock().journal.entries.len();
    let before = writes(&scene);
    let adoption = planned(&scene, &[BY_ID]).await;
    assert_eq!(writes(&scene), before, "a plan writes nothing");
    let verdicts = verdicts(&adoption);
    assert!(matches!(&verdicts[&one], Verdict::Adopt { finding, .. } if *finding == all[0].1));
    assert!(matches!(&verdicts[&several], Verdict::Ambiguous { findings } if findings.len() == 2));
    assert_eq!(verdicts[&silent], Verdict::SaysNothing);
    assert!(matches!(&verdicts[&unknown], Verdict::NotFound { .. }));
    assert!(matches!(&verdicts[&first], Verdict::Rivals { with, .. } if *with == [second.clone()]));
    assert!(matches!(&verdicts[&second], Verdict::Rivals { with, .. } if *with == [first]));
    assert_eq!(verdicts[&closed], Verdict::Closed);
    let shown = text(&adoption);
    assert!(shown.starts_with(&format!("+ {one}")), "{shown}");
    assert!(
        shown.ends_with("1 of 7 tickets would be taken over. Do so with --apply.\n"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_ticket_that_was_taken_over_is_followed_like_any_other_and_keeps_its_words() {
    let scene = Scene::new(3, 40);
    let finding = failing(&scene)[0].clone();
    let words = format!("Kim looks at it. It is {} .", finding.1);
    let labels = json!({ "labels": ["prowler"] });
    let key = made(&scene, "Bucket is public", &words, labels).await;
    let adoption = adopted(&scene, &[BY_ID]).await;
    assert_eq!(adoption.adopted, Some(1));
    scene.settle().await;
    assert_eq!(
        about(&scene, &finding),
        [key.as_str()],
        "no second ticket is made"
    );
    assert_eq!(workflow(&scene, &finding), "NOTIFIED");
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(said(&scene, &key).trim(), words);
    let again = verdicts(&planned(&scene, &[BY_ID]).await);
    assert_eq!(again[&key], Verdict::Ours);
    let late = made(&scene, "again", &words, json!({})).await;
    let again = verdicts(&planned(&scene, &[BY_ID]).await);
    assert_eq!(again[&late], Verdict::Taken { by: key.clone() });
    // A change of the finding is told below people's words.
    scene.clock.advance(scene::acts::minutes(60));
    in_hub(&scene, |hub, now, journal| {
        let mut asff = hub.get(&finding.0, &finding.1).unwrap();
        asff["Severity"] = json!({ "Label": "CRITICAL" });
        asff["UpdatedAt"] = json!(now.to_string());
        hub.import(asff, now, journal);
    });
    scene.settle().await;
    let shown = said(&scene, &key);
    assert!(shown.starts_with(&words), "{shown}");
    assert!(shown.contains("What is wrong"), "{shown}");
    let world = scene.world.lock();
    let labels = &world.jira.issue(&key).unwrap().labels;
    for label in ["prowler", "asaf"] {
        assert!(labels.iter().any(|one| one == label), "{labels:?}");
    }
}

#[tokio::test]
async fn control_and_resource_in_a_summary_a_field_a_label_or_a_file_name_the_finding() {
    let scene = Scene::new(3, 40);
    let all = failing(&scene);
    let arn = {
        let world = scene.world.lock();
        let World { aws, .. } = &*world;
        let asff = aws.hub.get(&all[0].0, &all[0].1).unwrap();
        asff["Resources"][0]["Id"].as_str().unwrap().to_owned()
    };
    let control = all[0].1.split('/').nth(1).unwrap();
    let tail = |n: usize| all[n].1.rsplit('/').next().unwrap().to_owned();
    let summary = format!("{control} fails for {arn}");
    let by_summary = made(&scene, &summary, "-", json!({})).await;
    let label = json!({ "labels": [format!("finding-{}", tail(1))] });
    let by_label = made(&scene, "two", "-", label).await;
    let by_file = made(&scene, "three", "-", json!({})).await;
    let file = scene.folder.path().join("list.csv");
    std::fs::write(&file, format!("key,finding\n{by_file},{}\n", all[2].1)).unwrap();
    let listed = format!("csv:{}", file.display());
    let maps = [
        listed.as_str(),
        "label:^finding-(.*)$",
        r"summary:^(?<control>\S+) fails for (?<resource>\S+)$",
    ];
    let adoption = adopted(&scene, &maps).await;
    assert_eq!(adoption.adopted, Some(3), "{:?}", adoption.tickets);
    scene.settle().await;
    for (n, key) in [by_summary, by_label, by_file].into_iter().enumerate() {
        assert_eq!(about(&scene, &all[n]), [key]);
    }
}

#[tokio::test]
async fn a_run_that_ends_between_marking_and_linking_loses_nothing() {
    let scene = Scene::new(3, 40);
    let finding = failing(&scene)[0].clone();
    let key = made(&scene, "one", &format!("{} .", finding.1), json!({})).await;
    let adoption = planned(&scene, &[BY_ID]).await;
    let link = adoption.tickets[0].link.clone().unwrap();
    let clients = scene.clients(None).await;
    let property = asaf::read::adopt::property(&link, &[]);
    let id = id_of(&scene, &key);
    clients
        .jira
        .mark(id, &link.marker, &property)
        .await
        .unwrap();
    scene.settle().await;
    assert_eq!(about(&scene, &finding), [key]);
}

#[tokio::test]
async fn what_a_team_had_resolved_before_awaits_the_review() {
    let scene = Scene::new(3, 40);
    let finding = failing(&scene)[0].clone();
    let key = made(&scene, "one", &format!("{} .", finding.1), json!({})).await;
    transition(&scene, Role::Product, &key, "Resolved");
    scene.clock.advance(scene::acts::minutes(20));
    adopted(&scene, &[BY_ID]).await;
    scene.settle().await;
    assert_eq!(status_of(&scene, &key), "Resolved");
    assert_eq!(workflow(&scene, &finding), "RESOLVED");
}
