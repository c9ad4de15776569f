//! What people read in tickets, and that what they write there stays. Each story ends with a reconcile that plans nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scene;

use asaf::emulators::jira::Role;
use asaf::emulators::world::World;
use asaf::jobs::reconcile::Wish;
use asaf::wire::adf::plain_text;
use scene::Scene;
use scene::acts::{an_open_ticket, comments, in_hub, requests, status_of};
use serde_json::{Value, json};

fn small() -> Scene {
    Scene::new(3, 40)
}

fn description(scene: &Scene, key: &str) -> Value {
    let world = scene.world.lock();
    let issue = world.jira.issue(key).unwrap();
    issue.description.clone().unwrap().value()
}

fn said(scene: &Scene, key: &str) -> String {
    plain_text(&description(scene, key))
}

/// A person edits the ticket in Jira.
fn edit(scene: &Scene, key: &str, fields: &Value) {
    let mut world = scene.world.lock();
    let now = world.now();
    let who = world.jira.user(Role::Admin).unwrap().account_id.clone();
    let World { jira, journal, .. } = &mut *world;
    jira.edit_as(&who, key, fields, now, journal).unwrap();
}

fn paragraph(text: &str) -> Value {
    json!({ "type": "paragraph", "content": [{ "type": "text", "text": text }] })
}

/// AWS changes members of a finding, and evaluates it again.
fn change(scene: &Scene, finding: &(String, String), members: Value) {
    let (product, id) = finding;
    in_hub(scene, |hub, now, journal| {
        let mut asff = hub.get(product, id).unwrap();
        for (key, value) in members.as_object().unwrap() {
            asff[key] = value.clone();
        }
        asff["UpdatedAt"] = json!(now.to_string());
        hub.import(asff, now, journal);
    });
}

#[tokio::test]
async fn a_ticket_says_what_is_wrong_where_why_how_to_fix_it_and_who_reviews() {
    let scene = small();
    scene.settle().await;
    let (key, (product, id)) = an_open_ticket(&scene);
    let shown = said(&scene, &key);
    let world = scene.world.lock();
    let asff = world.aws.hub.get(&product, &id).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for needed in [
        text(&asff["Title"]),
        text(&asff["Description"]),
        text(&asff["Remediation"]["Recommendation"]["Text"]),
        text(&asff["Resources"][0]["Id"]),
        text(&asff["AwsAccountId"]),
        text(&asff["AwsAccountName"]),
        text(&asff["Region"]),
        format!("{}, so the priority is", text(&asff["Severity"]["Label"])),
        "Set this ticket to Resolved when it is fixed".to_owned(),
        "Members of the Jira group security-reviewers".to_owned(),
    ] {
        assert!(shown.contains(&needed), "{needed}: {shown}");
    }
    let links = world.jira.issue(&key).unwrap().description.clone().unwrap();
    let links = links.value().to_string();
    assert!(links.contains("/go/view?arn="), "{links}");
    assert!(links.contains("/securityhub/home?region="), "{links}");
}

#[tokio::test]
async fn a_change_is_one_write_that_keeps_what_people_wrote_and_added() {
    let scene = small();
    scene.settle().await;
    let (key, finding) = an_open_ticket(&scene);
    let mut edited = description(&scene, &key);
    let nodes = edited["content"].as_array_mut().unwrap();
    nodes.insert(0, paragraph("Plan: Kim fixes it on Monday."));
    nodes.push(paragraph("See also the wiki."));
    edit(
        &scene,
        &key,
        &json!({ "fields": { "description": edited, "labels": ["asaf", marker(&scene, &key), "sprint-7"] } }),
    );
    scene.settle().await;
    let before = comments(&scene, &key).len();
    change(
        &scene,
        &finding,
        json!({ "Severity": { "Label": "CRITICAL" }, "Title": "Now much worse", "AwsAccountName": "renamed" }),
    );
    requests(&scene);
    scene.clock.advance(scene::acts::minutes(20));
    scene.run(Wish::Full).await;
    let jira = requests(&scene).jira;
    assert_eq!(
        jira.get("PUT /rest/api/3/issue/{issueIdOrKey}"),
        Some(&1),
        "{jira:?}"
    );
    let shown = said(&scene, &key);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "Plan: Kim fixes it on Monday.");
    assert_eq!(*lines.last().unwrap(), "See also the wiki.");
    assert_eq!(shown.matches("What is wrong").count(), 1);
    assert!(
        shown.contains("Now much worse") && shown.contains("renamed ("),
        "{shown}"
    );
    assert!(shown.contains(" → CRITICAL; title "), "{shown}");
    assert_eq!(comments(&scene, &key).len(), before, "no noise");
    {
        let world = scene.world.lock();
        let issue = world.jira.issue(&key).unwrap();
        assert!(issue.labels.contains(&"sprint-7".to_owned()));
        assert!(issue.summary.starts_with("[CRITICAL]"), "{}", issue.summary);
    }
    assert_eq!(status_of(&scene, &key), "Open");
    scene.settle().await;
}

fn marker(scene: &Scene, key: &str) -> String {
    let world = scene.world.lock();
    let labels = &world.jira.issue(key).unwrap().labels;
    labels
        .iter()
        .find(|label| label.len() == 37)
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_priority_that_a_person_chose_stays_until_the_severity_changes() {
    let scene = small();
    scene.settle().await;
    let (key, finding) = an_open_ticket(&scene);
    edit(
        &scene,
        &key,
        &json!({ "fields": { "priority": { "name": "Lowest" } } }),
    );
    change(&scene, &finding, json!({ "Title": "Another title" }));
    scene.settle().await;
    assert!(said(&scene, &key).contains("Another title"));
    let priority = |scene: &Scene| {
        scene
            .world
            .lock()
            .jira
            .issue(&key)
            .unwrap()
            .priority
            .clone()
    };
    assert_eq!(priority(&scene), "5");
    change(
        &scene,
        &finding,
        json!({ "Severity": { "Label": "CRITICAL" } }),
    );
    scene.settle().await;
    assert_eq!(priority(&scene), "1");
}

#[tokio::test]
async fn own_templates_and_mapped_fields_fill_tickets_and_follow_the_finding() {
    let templates = tempfile::tempdir().unwrap();
    std::fs::write(
        templates.path().join("default.md"),
        "# Ours: {{ title }}\n\nSeverity **{{ severity }}**\n",
    )
    .unwrap();
    let path = templates.path().display().to_string();
    let scene = Scene::with(3, 40, |text| {
        *text = text.replacen(
            "[jira.statuses]",
            "[jira.fields]\ncustomfield_10050 = \"{{ account.id }} {{ severity }}\"\n\n[jira.statuses]",
            1,
        );
        *text = text.replacen(
            "issue_type =",
            &format!("templates = \"{path}\"\nissue_type ="),
            1,
        );
    });
    {
        let mut world = scene.world.lock();
        let name = "Account and severity".to_owned();
        world
            .jira
            .custom_fields
            .insert("customfield_10050".to_owned(), name);
    }
    scene.settle().await;
    let (key, finding) = an_open_ticket(&scene);
    assert!(said(&scene, &key).contains("Ours: "));
    let field = |scene: &Scene| {
        let world = scene.world.lock();
        world.jira.issue(&key).unwrap().custom["customfield_10050"].clone()
    };
    let before = field(&scene);
    assert_eq!(
        before.as_str().unwrap().split(' ').next().unwrap().len(),
        12
    );
    change(
        &scene,
        &finding,
        json!({ "Severity": { "Label": "CRITICAL" } }),
    );
    scene.settle().await;
    assert!(said(&scene, &key).contains("Severity CRITICAL"));
    assert!(field(&scene).as_str().unwrap().ends_with(" CRITICAL"));
}

#[tokio::test]
async fn hostile_and_endless_text_of_a_finding_is_inert_and_cut_where_a_reader_sees_it() {
    let scene = small();
    scene.settle().await;
    let (key, finding) = an_open_ticket(&scene);
    let hostile =
        "**b** [x](https://evil.example/) @[~admin] {{ 7*7 }} <script>alert(1)</script> \u{202e}";
    change(
        &scene,
        &finding,
        json!({ "Title": format!("{hostile} {}", "long ".repeat(40)), "Description": "word ".repeat(20_000) }),
    );
    scene.settle().await;
    let shown = said(&scene, &key);
    assert!(
        shown.contains("**b** [x](https://evil.example/) @[~admin] {{ 7*7 }} <script>"),
        "{shown}"
    );
    assert!(shown.chars().count() <= 32_767);
    let nodes = description(&scene, &key).to_string();
    for never in ["\"https://evil.example/\"", "\"mention\"", "\u{202e}"] {
        assert!(!nodes.contains(never), "{never}");
    }
    let world = scene.world.lock();
    assert!(world.jira.issue(&key).unwrap().summary.chars().count() <= 255);
}
