//! How a deployment switches from tickets of their own to shared ones, and back.

use asaf::config::Config;
use asaf::emulators::jira::Role;
use asaf::emulators::world::seed;
use asaf::jobs::reconcile::{Orders, Wish};
use asaf::model::finding::TICKET_FIELD;
use asaf::read::Keys;

use crate::scene::acts::{Named, comments, status_of, tickets, transition};
use crate::scene::{self, Fuse, Scene};
use crate::{BY_ACCOUNT, BY_TEAM, a_group, change, consolidated, groups, live};

/// The same deployment with another setting from now on.
fn switch(scene: &mut Scene, how: &str) {
    let bot = {
        let world = scene.world.lock();
        world.jira.user(Role::Bot).unwrap().email.clone()
    };
    let mut text = seed::config_text(
        "http://127.0.0.1:2",
        "http://127.0.0.1:1",
        &bot,
        "asaf.sqlite3",
        3,
    )
    .replace("env:ASAF_JIRA_TOKEN", "file:token");
    change(&mut text, how);
    scene.config = Config::parse(&text, &scene.folder.path().join("asaf.toml")).unwrap();
}

fn each_has_one_live_ticket(scene: &Scene) {
    for group in groups(scene).values() {
        for finding in group {
            let found = live(scene, finding);
            assert_eq!(found.len(), 1, "{}: {found:?}", finding.1);
        }
    }
}

/// Releases exactly the plan that the brake holds.
async fn release(scene: &Scene) {
    let plan = scene.plan().await;
    assert!(
        plan.braked.is_some(),
        "so many closes are looked at by a person first"
    );
    let orders = Orders {
        write: true,
        expect: Some(plan.digest),
        allow_removals: true,
        ..Orders::default()
    };
    scene
        .try_run(Wish::Full, orders, None)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_deployment_switches_by_plan_and_what_waits_for_a_review_stays_where_it_is() {
    let mut scene = consolidated("finding");
    scene.settle().await;
    let group = a_group(&scene, 3);
    let claimed = live(&scene, &group[0])[0].clone();
    let old = live(&scene, &group[1])[0].clone();
    transition(&scene, Role::Product, &claimed, "Resolved");
    scene.settle().await;
    let before = scene.world.lock().jira.issues().count();
    switch(&mut scene, BY_ACCOUNT);
    // The brake holds the closes, and with them the tickets that would take their place.
    scene.clock.advance(scene::acts::minutes(20));
    let report = scene.run(Wish::Full).await;
    assert!(report.braked.is_some());
    assert_eq!(scene.world.lock().jira.issues().count(), before);
    each_has_one_live_ticket(&scene);
    release(&scene).await;
    scene.settle().await;
    each_has_one_live_ticket(&scene);
    assert_eq!(status_of(&scene, &old), "Closed");
    let shared = live(&scene, &group[1])[0].clone();
    assert_eq!(live(&scene, &group[2]), [shared.as_str()]);
    let why = comments(&scene, &old).pop().unwrap();
    assert!(
        why.ends_with(&format!("It continues in {shared}.")),
        "{why}"
    );
    assert_eq!(live(&scene, &group[0]), [claimed.as_str()]);
    assert_eq!(status_of(&scene, &claimed), "Resolved");
    // And back.
    switch(&mut scene, "finding");
    scene.clock.advance(scene::acts::minutes(20));
    let braked = scene.run(Wish::Full).await.braked.is_some();
    if braked {
        release(&scene).await;
    }
    scene.settle().await;
    each_has_one_live_ticket(&scene);
    assert_eq!(status_of(&scene, &shared), "Closed");
}

/// Everything that was said in the chat.
fn posts(scene: &Scene) -> String {
    let world = scene.world.lock();
    let channels = world.slack.channels();
    let all = channels.flat_map(|channel| channel.messages.iter().map(|said| said.text.as_str()));
    all.collect::<Vec<_>>().join("\n")
}

async fn overview(scene: &Scene) -> asaf::figures::Overview {
    let source = asaf::figures::Source {
        config: &scene.config,
        store: &scene.store_beside(),
        now: scene.clock.now(),
    };
    let everything = asaf::figures::Filter::default();
    asaf::figures::overview(&source, &everything).await.unwrap()
}

#[tokio::test]
async fn a_switch_fixes_nothing_in_the_figures_and_is_no_news() {
    let mut scene = consolidated("finding");
    scene.settle().await;
    let own = tickets(&scene, "Open").len();
    switch(&mut scene, BY_ACCOUNT);
    scene.clock.advance(scene::acts::minutes(20));
    release(&scene).await;
    scene.settle().await;
    let shared = tickets(&scene, "Open").len();
    let merged = tickets(&scene, "Closed").len();
    assert!(shared < own && merged > 0);
    let made = shared + merged - own;
    let count = |n: usize| i64::try_from(n).unwrap();
    let figures = overview(&scene).await;
    assert_eq!(figures.open_now, shared as u64);
    assert_eq!(figures.flows.new, count(own + made));
    assert_eq!((figures.flows.fixed, figures.flows.removed), (0, 0));
    assert_eq!(figures.flows.moved, -count(merged));
    let said = posts(&scene);
    assert!(!said.contains("deletion of the resource"), "{said}");
    // And back: tickets of their own are no new findings.
    switch(&mut scene, "finding");
    scene.clock.advance(scene::acts::minutes(20));
    if scene.run(Wish::Full).await.braked.is_some() {
        release(&scene).await;
    }
    scene.settle().await;
    let figures = overview(&scene).await;
    assert_eq!(figures.open_now, tickets(&scene, "Open").len() as u64);
    assert_eq!(figures.flows.new, count(own + made));
    assert_eq!((figures.flows.fixed, figures.flows.removed), (0, 0));
}

/// The ticket that Security Hub's fields name, for every failing finding, is its live one.
fn each_is_noted(scene: &Scene) {
    for group in groups(scene).values() {
        for finding in group {
            let world = scene.world.lock();
            let asff = world.aws.hub.get(&finding.0, &finding.1).unwrap();
            drop(world);
            let noted = asff["UserDefinedFields"][TICKET_FIELD].as_str().unwrap();
            assert_eq!(live(scene, finding), [noted], "{}", finding.1);
            let note = asff["Note"]["Text"].as_str().unwrap();
            assert!(note.contains(noted), "{note} does not name {noted}");
        }
    }
}

#[tokio::test]
async fn after_a_switch_security_hub_names_the_ticket_in_which_each_finding_is_now() {
    let mut scene = Scene::with(2, 24, |text| change(text, "finding"));
    scene.settle().await;
    each_is_noted(&scene);
    for how in [BY_ACCOUNT, "finding", BY_TEAM, BY_ACCOUNT] {
        switch(&mut scene, how);
        scene.clock.advance(scene::acts::minutes(20));
        if scene.run(Wish::Full).await.braked.is_some() {
            release(&scene).await;
        }
        scene.settle().await;
        each_is_noted(&scene);
    }
}

#[tokio::test]
async fn a_switch_of_many_tickets_puts_every_note_right_too() {
    let mut scene = Scene::with(6, 130, |text| change(text, "finding"));
    let all: Vec<Named> = groups(&scene).into_values().flatten().collect();
    // Few at a time, as events bring them: then each note names its ticket.
    for some in all.chunks(20) {
        let findings = some.iter().map(|(_, id)| id.clone()).collect();
        let keys = Keys {
            findings,
            ..Keys::default()
        };
        scene.run(Wish::Named(keys)).await;
    }
    scene.settle().await;
    each_is_noted(&scene);
    assert!(
        groups(&scene).len() > 25,
        "more than share a run's own notes"
    );
    switch(&mut scene, BY_ACCOUNT);
    scene.clock.advance(scene::acts::minutes(20));
    release(&scene).await;
    scene.settle().await;
    each_is_noted(&scene);
}

#[tokio::test]
async fn a_switch_that_is_interrupted_anywhere_makes_no_second_ticket() {
    for (n, after_effect) in (1..40).step_by(3).zip([true, false].into_iter().cycle()) {
        let mut scene = Scene::with(2, 24, |text| change(text, "finding"));
        scene.settle().await;
        switch(&mut scene, BY_ACCOUNT);
        scene.clock.advance(scene::acts::minutes(20));
        let orders = Orders {
            write: true,
            ..Orders::default()
        };
        let fuse = Fuse::at(n, after_effect);
        scene.try_run(Wish::Full, orders, Some(&fuse)).await;
        scene.settle().await;
        each_has_one_live_ticket(&scene);
    }
}
