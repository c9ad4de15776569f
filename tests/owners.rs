//! Who answers for a finding, told as stories: tickets go to their owners, and follow them. Each story ends with a
//! reconcile that plans nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod scene;

use asaf::config::Config;
use asaf::emulators::aws::AwsFault;
use asaf::emulators::faults::{Fault, When};
use asaf::emulators::jira::Role;
use asaf::emulators::world::{World, seed};
use asaf::jobs::owners;
use asaf::jobs::reconcile::{Orders, Wish};
use asaf::model::Routing;
use asaf::plan::Reason;
use asaf::ports::AccountFact;
use jiff::SignedDuration;
use scene::acts::{
    an_open_ticket, comments, finding_of, requests, status_of, tickets_of, workflow,
};
use scene::{Fuse, Scene};

/// The configuration with these owners in the place of the seed's.
fn owned(text: &mut String, owners: &str) {
    scene::without_slack(text);
    let start = text.find("[owners]").unwrap();
    text.truncate(start);
    if let Some(sla) = text.find("[sla]") {
        text.truncate(sla);
    }
    text.push_str(owners);
}

fn scene(owners: &str) -> Scene {
    Scene::with(6, 60, |text| owned(text, owners))
}

/// The same scene with other owners from now on.
fn reown(scene: &mut Scene, owners: &str) {
    let mut text =
        std::fs::read_to_string(scene.folder.path().join("asaf.toml")).unwrap_or_default();
    if text.is_empty() {
        text = scene_text(scene);
    }
    owned(&mut text, owners);
    scene.config = Config::parse(&text, &scene.folder.path().join("asaf.toml")).unwrap();
}

fn scene_text(scene: &Scene) -> String {
    let world = scene.world.lock();
    let bot = world.jira.user(Role::Bot).unwrap().clone();
    seed::config_text(
        "http://127.0.0.1:2",
        "http://127.0.0.1:1",
        &bot.email,
        "asaf.sqlite3",
        6,
    )
    .replace("env:ASAF_JIRA_TOKEN", "file:token")
}

const BY_TAG: &str = r#"
[owners]
default = { team = "security", project = "SEC" }

[owners.teams.payments]
project = "PAY"
component = "backend"
assignee = "lead"
labels = ["pci"]

[owners.teams.web]
project = "WEB"

[[owners.rules]]
products = ["guardduty"]
severities = ["CRITICAL", "HIGH"]
team = "incident"
project = "SEC"
labels = ["incident"]

[[owners.rules]]
account_tags = { owner = "payments" }
team = "payments"

[[owners.rules]]
ou = ["/dev"]
team = "web"
"#;

/// Keys of all tickets of an account, with their project.
fn projects(scene: &Scene, account: &str) -> Vec<String> {
    let world = scene.world.lock();
    let mine = world
        .jira
        .issues()
        .filter(|issue| issue.property("asaf.link")["alias"]["account"] == account);
    let mut found: Vec<String> = mine
        .map(|issue| issue.key.split('-').next().unwrap().to_owned())
        .collect();
    found.sort();
    found.dedup();
    found
}

#[tokio::test]
async fn tickets_go_to_the_owner_that_account_tags_units_and_products_name() {
    let scene = scene(BY_TAG);
    let lead = {
        let mut world = scene.world.lock();
        let backend = std::collections::BTreeSet::from(["backend".to_owned()]);
        world.jira.components.insert("PAY".to_owned(), backend);
        let lead = world.jira.user(Role::Product).unwrap().account_id.clone();
        world.jira.project_mut("PAY").unwrap().lead = Some(lead.clone());
        lead
    };
    scene.settle().await;
    // Account 1 is tagged payments, account 2 is in /dev/web; the others are neither.
    assert!(projects(&scene, &seed::account_id(1)).contains(&"PAY".to_owned()));
    assert!(projects(&scene, &seed::account_id(2)).contains(&"WEB".to_owned()));
    assert_eq!(projects(&scene, &seed::account_id(3)), ["SEC"]);
    let world = scene.world.lock();
    let mut paid = world
        .jira
        .issues()
        .filter(|issue| issue.key.starts_with("PAY-"));
    let ticket = paid.next().unwrap();
    assert_eq!(ticket.components, ["backend"]);
    assert_eq!(ticket.assignee.as_ref(), Some(&lead));
    assert!(ticket.labels.contains(&"pci".to_owned()));
    let of_guardduty =
        |issue: &&asaf::emulators::jira::Issue| issue.summary.contains("SSHBruteForce");
    let incident = world
        .jira
        .issues()
        .find(of_guardduty)
        .expect("a GuardDuty finding");
    assert!(incident.key.starts_with("SEC-"), "{}", incident.key);
    assert!(incident.labels.contains(&"incident".to_owned()));
}

const ALL_WEB: &str = r#"
[owners]
default = { team = "web", project = "WEB" }
"#;

const ALL_PAY: &str = r#"
[owners]
default = { team = "payments", project = "PAY" }
"#;

#[tokio::test]
async fn a_new_owner_gets_a_new_ticket_that_names_the_old_one_and_the_old_one_is_closed_once() {
    let mut scene = scene(ALL_WEB);
    scene.settle().await;
    let (old, finding) = an_open_ticket(&scene);
    reown(&mut scene, ALL_PAY);
    let plan = scene.plan().await.plan;
    assert!(plan.actions.iter().all(|action| matches!(
        &action.reason,
        Reason::OwnerChanged { from, to, .. } if from == "web" && to == "payments"
    )));
    scene.settle().await;
    let tickets = tickets_of(&scene, &finding);
    assert_eq!(tickets.len(), 2, "{tickets:?}");
    let new = &tickets[1];
    assert!(new.starts_with("PAY-"), "{new}");
    assert_eq!(status_of(&scene, &old), "Closed");
    assert_eq!(status_of(&scene, new), "Open");
    assert_eq!(workflow(&scene, &finding), "NOTIFIED");
    let said = comments(&scene, &old);
    assert_eq!(
        said,
        [format!(
            "It belongs to payments now, and no longer to web: a ticket in payments's project takes the place of {old}. \
             It continues in {new}."
        )]
    );
    assert!(comments(&scene, new).is_empty());
    let world = scene.world.lock();
    let description = world.jira.issue(new).unwrap().description.clone().unwrap();
    let shown = description.value().to_string();
    assert!(
        shown.contains("It belongs to payments now") && shown.contains(&old),
        "{shown}"
    );
}

#[tokio::test]
async fn a_new_owner_in_the_same_project_only_changes_what_the_ticket_says() {
    let mut scene = scene(ALL_WEB);
    scene.settle().await;
    let (key, finding) = an_open_ticket(&scene);
    reown(&mut scene, &ALL_WEB.replace("\"web\"", "\"frontend\""));
    scene.settle().await;
    assert_eq!(tickets_of(&scene, &finding), std::slice::from_ref(&key));
    let world = scene.world.lock();
    let description = world.jira.issue(&key).unwrap().description.clone().unwrap();
    assert!(description.value().to_string().contains("frontend"));
}

#[tokio::test]
async fn with_the_policy_keep_a_ticket_stays_where_it_is_and_names_its_new_owner() {
    let keep = |text: &str| format!("\n[policy]\nowner_change = \"keep\"\n{text}");
    let mut scene = scene(&keep(ALL_WEB));
    scene.settle().await;
    let (key, finding) = an_open_ticket(&scene);
    reown(&mut scene, &keep(ALL_PAY));
    scene.settle().await;
    assert_eq!(tickets_of(&scene, &finding), std::slice::from_ref(&key));
    let world = scene.world.lock();
    let description = world.jira.issue(&key).unwrap().description.clone().unwrap();
    assert!(description.value().to_string().contains("payments"));
}

#[tokio::test]
async fn an_engine_that_ends_anywhere_in_a_handover_never_makes_it_twice() {
    for after_effect in [false, true] {
        for request in 0..40 {
            let mut scene = Scene::with(1, 3, |text| owned(text, ALL_WEB));
            scene.settle().await;
            reown(&mut scene, ALL_PAY);
            let orders = Orders {
                write: true,
                ..Orders::default()
            };
            let fuse = Fuse::at(request, after_effect);
            let ended = scene.try_run(Wish::Full, orders, Some(&fuse)).await;
            scene.settle().await;
            let world = scene.world.lock();
            for issue in world.jira.issues() {
                let status = world.jira.status_name(issue.status);
                let project = issue.key.split('-').next().unwrap();
                assert_eq!(
                    project == "PAY",
                    status != "Closed",
                    "{}: {status}",
                    issue.key
                );
            }
            let all = world.jira.issues().count();
            let live = world
                .jira
                .issues()
                .filter(|issue| issue.key.starts_with("PAY"))
                .count();
            assert_eq!(
                all,
                2 * live,
                "request {request}, after its effect: {after_effect}"
            );
            drop(world);
            if ended.is_some() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn organizations_is_read_once_a_day_and_within_its_rates() {
    let scene = Scene::with(45, 60, |text| {
        owned(
            text,
            &BY_TAG.replace("component = \"backend\"\nassignee = \"lead\"\n", ""),
        );
        *text = text.replace("unlimited = true\n", "");
    });
    scene.world.lock().aws.organizations.quotas_enabled = true;
    let asked = |scene: &Scene| {
        let aws = requests(scene).aws;
        let of = |name: &str| aws.get(name).copied().unwrap_or(0);
        [
            of("ListAccounts"),
            of("ListTagsForResource"),
            of("ListRoots"),
        ]
    };
    scene.run(Wish::Full).await;
    let read = asked(&scene);
    assert_eq!(read[1], 45, "one request for each account");
    assert_eq!((read[0], read[2]), (3, 1));
    for _ in 0..3 {
        scene.clock.advance(SignedDuration::from_hours(7));
        scene.run(Wish::Full).await;
        assert_eq!(asked(&scene)[1..], [0, 0]);
    }
    scene.clock.advance(SignedDuration::from_hours(4));
    scene.run(Wish::Full).await;
    assert_eq!(asked(&scene)[1], 45);
    scene.settle().await;
}

#[tokio::test]
async fn while_organizations_was_never_read_no_ticket_goes_to_the_wrong_team() {
    let scene = scene(&BY_TAG.replace("component = \"backend\"\nassignee = \"lead\"\n", ""));
    let deny = |scene: &Scene| {
        let mut world = scene.world.lock();
        world.aws.faults.arm(Fault {
            when: When::Next(1_000),
            ..Fault::next("ListTagsForResource", AwsFault::AccessDenied)
        });
    };
    deny(&scene);
    let report = scene.run(Wish::Full).await;
    let held: Vec<String> = report
        .plan
        .held
        .iter()
        .map(|held| held.why.sentence())
        .collect();
    assert!(
        !held.is_empty()
            && held
                .iter()
                .all(|why| why.contains("organizations:ListTagsForResource")),
        "{held:?}"
    );
    // What an earlier rule decides needs no tags.
    {
        let world = scene.world.lock();
        assert!(
            world
                .jira
                .issues()
                .all(|issue| issue.labels.contains(&"incident".to_owned()))
        );
    }
    scene.world.lock().aws.faults.clear();
    scene.settle().await;
    assert!(projects(&scene, &seed::account_id(1)).contains(&"PAY".to_owned()));
    // Once read, it is used for as long as it cannot be read again.
    deny(&scene);
    scene.clock.advance(SignedDuration::from_hours(30));
    let report = scene.run(Wish::Full).await;
    assert!(
        report.plan.is_empty() && report.plan.held.is_empty(),
        "{:?}",
        report.plan
    );
    scene.world.lock().aws.faults.clear();
    scene.settle().await;
}

#[tokio::test]
async fn a_person_who_moves_a_ticket_to_another_project_changes_no_owner() {
    let scene = scene(ALL_WEB);
    scene.settle().await;
    let (key, _) = an_open_ticket(&scene);
    let finding = finding_of(&scene, &key);
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let who = world.jira.user(Role::Admin).unwrap().account_id.clone();
        let World { jira, journal, .. } = &mut *world;
        jira.move_project_as(&who, &key, "DATA", now, journal)
            .unwrap();
    }
    scene.settle().await;
    let tickets = tickets_of(&scene, &finding);
    assert_eq!(tickets.len(), 1);
    assert!(tickets[0].starts_with("DATA-"), "{tickets:?}");
}

#[tokio::test]
async fn check_reports_accounts_without_an_owner_and_why_names_the_rule() {
    let text = format!(
        "{}\n[[owners.rules]]\naccounts = [\"999999999999\"]\nteam = \"web\"\n",
        BY_TAG.replace("component = \"backend\"\nassignee = \"lead\"\n", "")
    );
    let scene = scene(&text);
    scene.settle().await;
    let clients = scene.clients(None).await;
    let store = scene.store();
    let routing: Routing = owners::routing(&scene.config, &clients, &store)
        .await
        .unwrap();
    let accounts = accounts(&scene);
    let orphans = owners::check(&scene.config, &routing, &accounts);
    assert_eq!(orphans.gone, [("999999999999".to_owned(), 4)]);
    let unowned: Vec<&str> = orphans
        .unowned
        .iter()
        .map(|one| one.account.as_str())
        .collect();
    assert!(
        unowned.contains(&seed::account_id(0).as_str()),
        "{unowned:?}"
    );
    assert!(
        !unowned.contains(&seed::account_id(1).as_str()),
        "{unowned:?}"
    );
    let listed = owners::list(&scene.config, &routing, &accounts);
    let of = |n: usize| {
        let id = seed::account_id(n);
        let one = listed.iter().find(|one| one.account == id).unwrap();
        (one.team.clone().unwrap(), one.rule)
    };
    assert_eq!(of(1), ("payments".to_owned(), Some(2)));
    assert_eq!(of(3), ("security".to_owned(), None));
    let world = scene.world.lock();
    let mut of_payments = world.aws.hub.iter().filter(|one| {
        one["AwsAccountId"] == seed::account_id(1) && one["Compliance"]["Status"] == "FAILED"
    });
    let asff = of_payments.next().unwrap();
    let finding = asaf::model::finding::asff::parse(&asff).unwrap().finding;
    let why = owners::why(&routing, &finding);
    assert_eq!((why.team.as_deref(), why.rule), (Some("payments"), Some(2)));
    assert_eq!(why.passed_over, [(1, "products")]);
}

fn accounts(scene: &Scene) -> Vec<AccountFact> {
    let world = scene.world.lock();
    let all = world.aws.organizations.accounts();
    all.map(|account| AccountFact {
        id: account.id.clone(),
        name: account.name.clone(),
        active: account.state == "ACTIVE",
    })
    .collect()
}
