//! Findings that share a ticket: a rule hides those that it covers, and the ticket goes on for the others.

use asaf::figures::{Filter, Source, ignored};
use asaf::jobs::reconcile::Wish;
use asaf::wire::adf::plain_text;
use jiff::SignedDuration;

use crate::acts::*;
use crate::scene::Scene;
use crate::scene::acts::status_of;

/// (id, account, resource)
type Shown = (String, String, String);

fn consolidated(text: &mut String) {
    let policy = "[policy]\nconsolidate = \"account_control\"\n\n[owners]";
    *text = text.replacen("[owners]", policy, 1);
}

/// A world with a first run behind it, a control, and its failing findings of the account with the most.
async fn shared() -> (Scene, String, Vec<Shown>) {
    let (scene, control) = settled_with(3, 90, consolidated).await;
    let all = failing(&scene.world.lock(), &control);
    let of_account = |account: &String| -> Vec<Shown> {
        let theirs = all.iter().filter(|(_, of, _)| of == account);
        theirs.cloned().collect()
    };
    let accounts = all_accounts(&scene);
    let groups = accounts.iter().map(of_account);
    let group = groups.max_by_key(Vec::len).unwrap();
    assert!(group.len() >= 3, "{group:?}");
    (scene, control, group)
}

/// The key of the live ticket that names the resource.
fn ticket(scene: &Scene, control: &str, resource: &str) -> String {
    let world = scene.world.lock();
    let names = |issue: &&asaf::emulators::jira::Issue| {
        let text = issue.description.as_ref();
        let text = text.map(|text| plain_text(&text.value()));
        issue.summary.contains(&format!(" {control}: "))
            && text.is_some_and(|text| text.contains(resource))
    };
    let mut found = world.jira.issues().filter(names);
    let key = found.next().unwrap().key.clone();
    assert!(found.next().is_none(), "they share one ticket");
    key
}

/// What the ticket's table says of the resource.
fn state(scene: &Scene, key: &str, resource: &str) -> String {
    let world = scene.world.lock();
    let description = world.jira.issue(key).unwrap().description.clone().unwrap();
    let shown = plain_text(&description.value());
    // Each cell is a line: resource, account, severity, state.
    let lines: Vec<&str> = shown.lines().collect();
    let row = lines.iter().position(|line| line.contains(resource));
    lines[row.unwrap_or_else(|| panic!("{resource} has no row: {shown}")) + 3].to_owned()
}

fn status(scene: &Scene, finding: &Shown) -> String {
    let world = scene.world.lock();
    let mut all = world.aws.hub.iter();
    let asff = all.find(|asff| asff["Id"] == finding.0.as_str()).unwrap();
    asff["Workflow"]["Status"].as_str().unwrap().to_owned()
}

/// Failing findings that rules hide, as the figures count them.
async fn hidden(scene: &Scene) -> u64 {
    let source = Source {
        config: &scene.config,
        store: &scene.store_beside(),
        now: scene.clock.now(),
    };
    let found = ignored(&source, &Filter::default()).await.unwrap();
    found.hidden
}

async fn merge(scene: &Scene, title: &str, text: &str) {
    merged(&mut scene.world.lock(), title, Some(text));
    scene.clock.advance(SignedDuration::from_mins(10));
    scene.run(Wish::Due).await;
    scene.settle().await;
}

#[tokio::test]
async fn a_rule_for_one_of_several_hides_that_one_until_it_ends() {
    let (scene, control, group) = shared().await;
    let key = ticket(&scene, &control, &group[0].2);
    let one = format!(
        "controls = [\"{control}\"]\naccounts = [\"{}\"]\nresources = [\"{}\"]",
        group[0].1, group[0].2
    );
    merge(&scene, "Ignore one", &rule("only-one", &one, "2026-12-10")).await;
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(status(&scene, &group[0]), "SUPPRESSED");
    let said = state(&scene, &key, &group[0].2);
    assert!(
        said.ends_with("ignored until 2026-12-10 by the rule only-one"),
        "{said}"
    );
    for finding in &group[1..] {
        assert_eq!(status(&scene, finding), "NOTIFIED");
        assert!(state(&scene, &key, &finding.2).ends_with("fails"));
    }
    assert_eq!(hidden(&scene).await, 1);
    // The rule ends: the finding is back in the ticket that was open all along.
    scene.clock.advance(SignedDuration::from_hours(24 * 17));
    scene.touch();
    scene.settle().await;
    assert_eq!(status(&scene, &group[0]), "NOTIFIED");
    assert_eq!(status_of(&scene, &key), "Open");
    assert!(state(&scene, &key, &group[0].2).ends_with("fails"));
    assert_eq!(hidden(&scene).await, 0);
}

#[tokio::test]
async fn the_ticket_is_ignored_with_the_last_of_its_findings_and_open_again_with_the_first() {
    let (scene, control, group) = shared().await;
    let key = ticket(&scene, &control, &group[0].2);
    let account = group[0].1.clone();
    let all = what(&control, std::slice::from_ref(&account));
    merge(
        &scene,
        "Ignore all of them",
        &rule("all-of-them", &all, "2027-01-31"),
    )
    .await;
    assert_eq!(status_of(&scene, &key), "Ignored");
    for finding in &group {
        assert_eq!(status(&scene, finding), "SUPPRESSED");
    }
    assert_eq!(
        hidden(&scene).await,
        group.len() as u64,
        "findings, not tickets"
    );
    // The rule is narrowed to the first: the others fail again, in the same ticket.
    let one = format!("{all}\nresources = [\"{}\"]", group[0].2);
    merge(
        &scene,
        "Ignore only one",
        &rule("all-of-them", &one, "2027-01-31"),
    )
    .await;
    assert_eq!(status_of(&scene, &key), "Open");
    assert_eq!(status(&scene, &group[0]), "SUPPRESSED");
    for finding in &group[1..] {
        assert_eq!(status(&scene, finding), "NOTIFIED");
        assert!(state(&scene, &key, &finding.2).ends_with("fails"));
    }
    assert_eq!(ticket(&scene, &control, &group[0].2), key);
    assert_eq!(hidden(&scene).await, 1);
}
