//! Ignoring by pull request, told as stories: product teams open one, security reviews and merges it or turns it down,
//! and what is merged is what is hidden, for as long as it says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod scene;

use asaf::emulators::faults::{Fault, When};
use asaf::emulators::github::GitHubFault;
use asaf::emulators::jira::Role;
use asaf::emulators::world::{World, seed};
use asaf::jobs::reconcile::{Orders, Report, Wish};
use asaf::plan::HeldReason;
use asaf::store::Store;
use asaf::store::rules::RuleMemory;
use asaf::store::sqlite::Sqlite;
use jiff::SignedDuration;
use scene::Scene;
use serde_json::Value;

const FILE: &str = "ignore/teams.toml";

/// A rule as a team writes it.
fn rule(id: &str, what: &str, expires: &str) -> String {
    format!(
        "[[ignore]]\nid = \"{id}\"\n{what}\nreason = \"Intended, and reviewed with security.\"\nowner = \"web\"\n\
         requested_by = \"pat\"\nexpires = {expires}\n\n"
    )
}

fn accounts(ids: &[String]) -> String {
    let quoted: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    format!("accounts = [{}]", quoted.join(", "))
}

/// `controls` and `accounts` of a rule.
fn what(control: &str, ids: &[String]) -> String {
    format!("controls = [\"{control}\"]\n{}", accounts(ids))
}

/// Pat proposes, Robin approves and merges; gives the number.
fn merged(world: &mut World, title: &str, text: Option<&str>) -> u64 {
    let now = world.now();
    let number = world
        .github
        .open_pull_request(seed::RULES, "pat", title, &[(FILE, text)], now);
    world
        .github
        .review(seed::RULES, number, "robin", "APPROVED", now)
        .unwrap();
    world
        .github
        .merge(seed::RULES, number, "robin", now)
        .unwrap();
    number
}

/// Failing findings of a control as (id, account, resource).
fn failing(world: &World, control: &str) -> Vec<(String, String, String)> {
    let findings = world.aws.hub.iter().filter(|finding| {
        finding["Compliance"]["SecurityControlId"] == control
            && finding["Compliance"]["Status"] == "FAILED"
            && finding["RecordState"] == "ACTIVE"
    });
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .map(|f| {
            (
                text(&f["Id"]),
                text(&f["AwsAccountId"]),
                text(&f["Resources"][0]["Id"]),
            )
        })
        .collect()
}

/// Ids of findings with this workflow status.
fn with_status(world: &World, status: &str) -> Vec<String> {
    let findings = world
        .aws
        .hub
        .iter()
        .filter(|finding| finding["Workflow"]["Status"] == status);
    findings
        .map(|finding| finding["Id"].as_str().unwrap().to_owned())
        .collect()
}

/// How many tickets stand in a status.
fn tickets_in(world: &World, status: &str) -> usize {
    let workflow = &world.jira.workflow;
    world
        .jira
        .issues()
        .filter(|issue| {
            workflow
                .status(issue.status)
                .is_some_and(|known| known.name == status)
        })
        .count()
}

fn done(report: &Report) -> asaf::plan::Summary {
    report.applied.as_ref().unwrap().done
}

/// A world with a first run behind it, and the control with the most failing findings.
async fn settled(accounts: usize, findings: usize) -> (Scene, String) {
    settled_with(accounts, findings, |_| {}).await
}

async fn settled_with(
    accounts: usize,
    findings: usize,
    change: impl Fn(&mut String),
) -> (Scene, String) {
    let scene = Scene::with_rules(accounts, findings, change);
    scene.run(Wish::Due).await;
    scene.settle().await;
    let control = {
        let world = scene.world.lock();
        let controls = [
            "S3.8", "S3.5", "EC2.19", "EC2.3", "EC2.8", "Lambda.1", "KMS.4",
        ];
        controls
            .into_iter()
            .max_by_key(|control| failing(&world, control).len())
            .unwrap()
            .to_owned()
    };
    (scene, control)
}

fn all_accounts(scene: &Scene) -> Vec<String> {
    let world = scene.world.lock();
    world
        .aws
        .organizations
        .accounts()
        .map(|account| account.id.clone())
        .collect()
}

#[tokio::test]
async fn a_merged_rule_hides_what_it_names_and_notes_name_it() {
    let (scene, control) = settled(6, 160).await;
    let ids = all_accounts(&scene);
    let expected = failing(&scene.world.lock(), &control);
    assert!(expected.len() > 5, "{}", expected.len());
    let text = rule("public-sites", &what(&control, &ids), "2027-01-31");
    let number = merged(&mut scene.world.lock(), "Ignore public sites", Some(&text));
    scene.clock.advance(SignedDuration::from_mins(10));
    let report = scene.run(Wish::Due).await;
    // Nothing about the findings changed, yet the run looked at all of them.
    assert_eq!(report.kind, "full");
    assert_eq!(done(&report).ignored, expected.len());
    assert!(
        report
            .plan
            .seen
            .rules
            .as_ref()
            .unwrap()
            .contains("1 live at commit")
    );
    {
        let world = scene.world.lock();
        let mut hidden = with_status(&world, "SUPPRESSED");
        let mut ids: Vec<String> = expected.into_iter().map(|(id, ..)| id).collect();
        hidden.sort();
        ids.sort();
        assert_eq!(hidden, ids);
        assert_eq!(tickets_in(&world, "Ignored"), ids.len());
        for finding in world
            .aws
            .hub
            .iter()
            .filter(|f| f["Workflow"]["Status"] == "SUPPRESSED")
        {
            let note = finding["Note"]["Text"].as_str().unwrap();
            for part in [
                "public-sites",
                &format!("pull request #{number}"),
                "2027-01-31",
                "reviewed with security",
            ] {
                assert!(note.contains(part), "{part} is not in {note}");
            }
        }
        let ignored = world
            .jira
            .issues()
            .find(|issue| !issue.comments.is_empty())
            .unwrap();
        let comment = ignored.comments[0].body.to_string();
        assert!(
            comment.contains("public-sites") && comment.contains("#1"),
            "{comment}"
        );
    }
    scene.settle().await;
    assert_eq!(scene.run(Wish::Due).await.kind, "incremental");
}

#[tokio::test]
async fn a_rule_that_is_widened_narrowed_and_reverted_moves_just_the_difference() {
    let (scene, control) = settled(6, 160).await;
    let mut owners: Vec<String> = failing(&scene.world.lock(), &control)
        .into_iter()
        .map(|(_, account, _)| account)
        .collect();
    owners.sort();
    owners.dedup();
    let of = |ids: &[String]| {
        let world = scene.world.lock();
        failing(&world, &control)
            .iter()
            .filter(|(_, account, _)| ids.contains(account))
            .count()
    };
    let (one, all) = (owners[..1].to_vec(), owners.clone());
    let steps = [
        ("Ignore in one account", Some(one.clone()), of(&one), 0),
        ("Widen", Some(all.clone()), of(&all) - of(&one), 0),
        ("Narrow", Some(one.clone()), 0, of(&all) - of(&one)),
        ("Revert all", None, 0, of(&one)),
    ];
    for (title, ids, ignored, reopened) in steps {
        let text = ids.map(|ids| rule("sites", &what(&control, &ids), "2027-01-31"));
        merged(&mut scene.world.lock(), title, text.as_deref());
        scene.clock.advance(SignedDuration::from_mins(20));
        let report = scene.run(Wish::Due).await;
        assert_eq!(
            (done(&report).ignored, done(&report).reopened),
            (ignored, reopened),
            "{title}"
        );
        scene.settle().await;
    }
    let world = scene.world.lock();
    assert!(with_status(&world, "SUPPRESSED").is_empty());
    assert_eq!(tickets_in(&world, "Ignored"), 0);
    let said: String = world
        .jira
        .issues()
        .flat_map(|issue| &issue.comments)
        .map(|c| c.body.to_string())
        .collect();
    assert!(
        said.contains(
            "Ignore rule sites no longer covers this finding (it was narrowed or removed)"
        ),
        "{said}"
    );
}

#[tokio::test]
async fn a_rule_that_expires_shows_everything_again_after_two_warnings_to_its_owner() {
    let (scene, control) = settled(4, 120).await;
    let ids = all_accounts(&scene);
    let text = rule("for-a-month", &what(&control, &ids), "2026-12-20");
    merged(&mut scene.world.lock(), "Ignore for a month", Some(&text));
    let hidden = done(&scene.run(Wish::Full).await).ignored;
    assert!(hidden > 0);
    scene.settle().await;
    let told = |scene: &Scene| {
        let store = scene.store_beside();
        async move {
            store
                .told(&[
                    "ignore-ends:for-a-month:2026-12-20:14".into(),
                    "ignore-ends:for-a-month:2026-12-20:3".into(),
                ])
                .await
                .unwrap()
                .len()
        }
    };
    // 2026-11-24, then three weeks and a bit, a day at a time.
    let mut warned = Vec::new();
    for day in 1..=26 {
        scene.clock.advance(SignedDuration::from_hours(24));
        scene.touch();
        let report = scene.run(Wish::Due).await;
        warned.push(told(&scene).await);
        let reopened = done(&report).reopened;
        assert_eq!(reopened, 0, "day {day}");
    }
    assert_eq!(
        (warned[10], warned[11], warned[21], warned[22]),
        (0, 1, 1, 2),
        "{warned:?}"
    );
    scene.clock.advance(SignedDuration::from_hours(24));
    scene.touch();
    let report = scene.run(Wish::Due).await;
    assert_eq!(done(&report).reopened, hidden);
    assert!(
        report.plan.actions[0]
            .reason
            .sentence()
            .contains("ended on 2026-12-20")
    );
    scene.settle().await;
    assert!(with_status(&scene.world.lock(), "SUPPRESSED").is_empty());
}

#[tokio::test]
async fn what_is_proposed_withdrawn_or_turned_down_changes_nothing() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let github = &mut world.github;
        let open =
            github.open_pull_request(seed::RULES, "pat", "Open", &[(FILE, Some(&text))], now);
        let refused = github
            .merge(seed::RULES, open, "pat", now)
            .expect_err("nobody has approved");
        assert!(
            refused.contains("approving review is required"),
            "{refused}"
        );
        let withdrawn =
            github.open_pull_request(seed::RULES, "pat", "Withdrawn", &[(FILE, Some(&text))], now);
        github.withdraw(seed::RULES, withdrawn);
        let down = github.open_pull_request(
            seed::RULES,
            "pat",
            "Turned down",
            &[(FILE, Some(&text))],
            now,
        );
        github
            .review(seed::RULES, down, "robin", "CHANGES_REQUESTED", now)
            .unwrap();
        github
            .merge(seed::RULES, down, "robin", now)
            .expect_err("turned down");
    }
    scene.clock.advance(SignedDuration::from_mins(20));
    let report = scene.run(Wish::Full).await;
    assert!(report.plan.is_empty(), "{:?}", report.plan.actions);
    scene.settle().await;
}

#[tokio::test]
async fn conflicting_rules_change_nothing_and_security_is_told_once_a_day() {
    let (scene, control) = settled(4, 120).await;
    let ids = all_accounts(&scene);
    let text = rule("sites", &what(&control, &ids), "2027-01-31");
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    let hidden = done(&scene.run(Wish::Full).await).ignored;
    scene.settle().await;
    // Two pull requests, each right by itself, give two rules one id.
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let number = world.github.open_pull_request(
            seed::RULES,
            "pat",
            "Again",
            &[("ignore/other.toml", Some(&text))],
            now,
        );
        world
            .github
            .review(seed::RULES, number, "robin", "APPROVED", now)
            .unwrap();
        world
            .github
            .merge(seed::RULES, number, "robin", now)
            .unwrap();
    }
    for _ in 0..3 {
        scene.clock.advance(SignedDuration::from_mins(20));
        let report = scene.run(Wish::Full).await;
        assert!(report.plan.is_empty(), "{:?}", report.plan.actions);
        let said = report.plan.seen.rules.unwrap();
        assert!(
            said.contains("not read") && said.contains("another rule is called `sites`"),
            "{said}"
        );
    }
    assert_eq!(with_status(&scene.world.lock(), "SUPPRESSED").len(), hidden);
    let store = scene.store_beside();
    assert_eq!(
        store
            .told(&["ignore-unread:2026-11-24".into()])
            .await
            .unwrap()
            .len(),
        1
    );
    // The second rule goes, and all is as before.
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let number = world.github.open_pull_request(
            seed::RULES,
            "pat",
            "Undo",
            &[("ignore/other.toml", None)],
            now,
        );
        world
            .github
            .review(seed::RULES, number, "robin", "APPROVED", now)
            .unwrap();
        world
            .github
            .merge(seed::RULES, number, "robin", now)
            .unwrap();
    }
    scene.settle().await;
    assert_eq!(with_status(&scene.world.lock(), "SUPPRESSED").len(), hidden);
}

#[tokio::test]
async fn github_out_of_reach_hides_nothing_new_and_shows_nothing_again() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    let hidden = done(&scene.run(Wish::Full).await).ignored;
    scene.settle().await;
    let faults = [
        GitHubFault::Status(500),
        GitHubFault::BadCredentials,
        GitHubFault::DropBefore,
        GitHubFault::PrimaryLimit {
            reset_after_s: 3_000,
        },
    ];
    for kind in faults {
        scene.clock.advance(SignedDuration::from_hours(1));
        let fault = Fault {
            operation: String::new(),
            kind: kind.clone(),
            when: When::Next(50),
        };
        scene.world.lock().github.faults.arm(fault);
        let report = scene.run(Wish::Full).await;
        assert!(
            report.plan.is_empty(),
            "{kind:?}: {:?}",
            report.plan.actions
        );
        assert!(
            report.plan.held.is_empty(),
            "{kind:?}: {:?}",
            report.plan.held
        );
        assert!(
            report.plan.seen.rules.unwrap().contains("not read"),
            "{kind:?}"
        );
        scene.world.lock().github.faults.clear();
    }
    // A listing that was cut short, a branch without protection, a folder that moved: none of them is "no rules".
    let rule_file = |world: &mut World, title: &str, files: &[(&str, Option<&str>)]| {
        let now = world.now();
        let number = world
            .github
            .open_pull_request(seed::RULES, "pat", title, files, now);
        world
            .github
            .review(seed::RULES, number, "robin", "APPROVED", now)
            .unwrap();
        world
            .github
            .merge(seed::RULES, number, "robin", now)
            .unwrap();
    };
    scene.clock.advance(SignedDuration::from_hours(1));
    rule_file(
        &mut scene.world.lock(),
        "Move",
        &[
            (FILE, None),
            ("ignore/README.md", None),
            ("rules/teams.toml", Some(&text)),
        ],
    );
    let report = scene.run(Wish::Full).await;
    assert!(
        report.plan.is_empty()
            && report
                .plan
                .seen
                .rules
                .as_ref()
                .unwrap()
                .contains("has no folder ignore"),
        "{:?}",
        report.plan.seen.rules
    );
    rule_file(
        &mut scene.world.lock(),
        "Move back",
        &[
            (FILE, Some(&text)),
            ("ignore/README.md", Some("x")),
            ("rules/teams.toml", None),
        ],
    );
    scene
        .world
        .lock()
        .github
        .repository_mut(seed::RULES)
        .unwrap()
        .longest_listing = 2;
    let report = scene.run(Wish::Full).await;
    assert!(
        report.plan.is_empty()
            && report
                .plan
                .seen
                .rules
                .as_ref()
                .unwrap()
                .contains("cut short"),
        "{:?}",
        report.plan.seen.rules
    );
    scene
        .world
        .lock()
        .github
        .repository_mut(seed::RULES)
        .unwrap()
        .longest_listing = 1_000;
    let protection = scene
        .world
        .lock()
        .github
        .repository_mut(seed::RULES)
        .unwrap()
        .protections
        .remove("main")
        .unwrap();
    let report = scene.run(Wish::Full).await;
    assert!(
        report.plan.is_empty()
            && report
                .plan
                .seen
                .rules
                .as_ref()
                .unwrap()
                .contains("is not protected"),
        "{:?}",
        report.plan.seen.rules
    );
    scene
        .world
        .lock()
        .github
        .repository_mut(seed::RULES)
        .unwrap()
        .protections
        .insert("main".to_owned(), protection);
    scene.settle().await;
    assert_eq!(with_status(&scene.world.lock(), "SUPPRESSED").len(), hidden);
}

#[tokio::test]
async fn while_rules_are_unread_a_finding_that_they_cover_gets_no_ticket() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    scene.run(Wish::Full).await;
    scene.settle().await;
    let before = scene.tickets().len();
    let (covered, other) = {
        let mut world = scene.world.lock();
        let now = world.now();
        (
            new_finding(&mut world, &control, "covered", now),
            new_finding(&mut world, "SNS.1", "other", now),
        )
    };
    let fault = Fault {
        operation: String::new(),
        kind: GitHubFault::Status(502),
        when: When::Next(50),
    };
    scene.world.lock().github.faults.arm(fault);
    let report = scene.run(Wish::Full).await;
    assert_eq!(done(&report).created, 1);
    let held: Vec<(&str, &HeldReason)> = report
        .plan
        .held
        .iter()
        .map(|held| (held.subject.finding.id.as_str(), &held.why))
        .collect();
    assert_eq!(held, [(covered.as_str(), &HeldReason::RulesUnread)]);
    scene.world.lock().github.faults.clear();
    let report = scene.run(Wish::Full).await;
    assert!(report.plan.held.is_empty());
    {
        let world = scene.world.lock();
        assert!(with_status(&world, "SUPPRESSED").contains(&covered));
        assert!(with_status(&world, "NOTIFIED").contains(&other));
    }
    assert_eq!(scene.tickets().len(), before + 1);
    scene.settle().await;
}

/// Imports a failing finding like one that is there, about another resource; gives its id.
fn new_finding(world: &mut World, control: &str, name: &str, now: jiff::Timestamp) -> String {
    let like = world
        .aws
        .hub
        .iter()
        .find(|finding| finding["Compliance"]["SecurityControlId"] == control)
        .unwrap()
        .clone();
    let mut finding = like;
    let id = format!("{}-{name}", finding["Id"].as_str().unwrap());
    finding["Id"] = id.clone().into();
    finding["Resources"][0]["Id"] =
        format!("{}-{name}", finding["Resources"][0]["Id"].as_str().unwrap()).into();
    finding["Compliance"]["Status"] = "FAILED".into();
    finding["Severity"]["Label"] = "HIGH".into();
    finding["Workflow"]["Status"] = "NEW".into();
    finding["RecordState"] = "ACTIVE".into();
    for field in [
        "CreatedAt",
        "UpdatedAt",
        "FirstObservedAt",
        "LastObservedAt",
    ] {
        finding[field] = now.to_string().into();
    }
    let World { aws, journal, .. } = world;
    aws.hub.import(finding, now, journal);
    id
}

/// AWS keeps findings for a limited time: after it, the same failure comes back under a new id.
#[tokio::test]
async fn a_hidden_finding_that_expires_and_comes_back_under_a_new_id_stays_hidden() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-05-01",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    let hidden = done(&scene.run(Wish::Full).await).ignored;
    scene.settle().await;
    let moves_before = moves(&scene.world.lock());
    let (old, copy) = {
        let mut world = scene.world.lock();
        let now = world.now();
        let (id, ..) = failing(&world, &control).remove(0);
        let finding = world
            .aws
            .hub
            .iter()
            .find(|f| f["Id"] == id.as_str())
            .unwrap()
            .clone();
        let product = finding["ProductArn"].as_str().unwrap().to_owned();
        let World { aws, journal, .. } = &mut *world;
        aws.hub.archive(&product, &id, None, now, journal);
        (id, finding)
    };
    // A month later the archived record is gone, and reads say so more than once.
    scene.clock.advance(SignedDuration::from_hours(24 * 31));
    {
        let mut world = scene.world.lock();
        let now = world.now();
        let World { aws, journal, .. } = &mut *world;
        let all: Vec<(String, String)> = aws
            .hub
            .iter()
            .filter(|f| f["RecordState"] == "ACTIVE")
            .map(|f| {
                (
                    f["ProductArn"].as_str().unwrap().to_owned(),
                    f["Id"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        all.iter()
            .for_each(|(product, id)| aws.hub.touch(product, id, now));
        aws.hub.expire(now, journal);
        assert!(!aws.hub.iter().any(|f| f["Id"] == old.as_str()));
    }
    for _ in 0..3 {
        scene.clock.advance(SignedDuration::from_mins(20));
        let report = scene.run(Wish::Full).await;
        assert!(report.plan.is_empty(), "{:?}", report.plan.actions);
    }
    let back = {
        let mut world = scene.world.lock();
        let now = world.now();
        let mut finding = copy;
        let id = format!("{old}-back");
        finding["Id"] = id.clone().into();
        finding["Workflow"]["Status"] = "NEW".into();
        for field in [
            "CreatedAt",
            "UpdatedAt",
            "FirstObservedAt",
            "LastObservedAt",
        ] {
            finding[field] = now.to_string().into();
        }
        let World { aws, journal, .. } = &mut *world;
        aws.hub.import(finding, now, journal);
        id
    };
    scene.run(Wish::Full).await;
    scene.settle().await;
    let world = scene.world.lock();
    let suppressed = with_status(&world, "SUPPRESSED");
    assert!(suppressed.contains(&back));
    assert_eq!(suppressed.len(), hidden);
    assert_eq!(tickets_in(&world, "Ignored"), hidden);
    assert_eq!(
        moves(&world),
        moves_before,
        "no ticket moved in all that time"
    );
}

/// How often tickets changed status.
fn moves(world: &World) -> usize {
    world
        .journal
        .entries
        .iter()
        .filter(|entry| {
            matches!(
                entry.change,
                asaf::emulators::journal::Change::TicketMoved { .. }
            )
        })
        .count()
}

#[tokio::test]
async fn a_blanket_rule_that_was_merged_all_the_same_is_refused() {
    let (scene, control) = settled(4, 120).await;
    for what in [
        format!("controls = [\"{control}\"]"),
        format!("controls = [\"{control}\"]\nresources = [\"*\"]"),
        format!(
            "{}\nregions = [\"eu-west-1\"]",
            accounts(&all_accounts(&scene))
        ),
    ] {
        merged(
            &mut scene.world.lock(),
            "Everything",
            Some(&rule("all", &what, "2027-01-31")),
        );
        scene.clock.advance(SignedDuration::from_mins(20));
        let report = scene.run(Wish::Full).await;
        assert!(report.plan.is_empty(), "{what}");
        assert!(
            report.plan.seen.rules.unwrap().contains("cannot be used"),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_rule_that_would_hide_nearly_everything_waits_for_a_release_by_digest() {
    let (scene, _) = settled_with(4, 240, |text| {
        text.push_str("\n[limits]\nremovals = 10\nremovals_percent = 10\n")
    })
    .await;
    let all: Vec<(String, String)> = {
        let world = scene.world.lock();
        let failing = world
            .aws
            .hub
            .iter()
            .filter(|f| f["Compliance"]["Status"] == "FAILED");
        failing
            .map(|f| {
                (
                    f["Compliance"]["SecurityControlId"]
                        .as_str()
                        .unwrap()
                        .to_owned(),
                    f["Id"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    };
    let controls = ["S3.8", "S3.5", "EC2.19", "EC2.3", "EC2.8"];
    let share = all
        .iter()
        .filter(|(control, _)| controls.contains(&control.as_str()))
        .count()
        * 100
        / all.len();
    assert!(share >= 35, "{share} %");
    let quoted: Vec<String> = controls
        .iter()
        .map(|control| format!("\"{control}\""))
        .collect();
    let what = format!(
        "controls = [{}]\n{}",
        quoted.join(", "),
        accounts(&all_accounts(&scene))
    );
    merged(
        &mut scene.world.lock(),
        "Far too much",
        Some(&rule("far-too-much", &what, "2027-01-31")),
    );
    scene.clock.advance(SignedDuration::from_mins(20));
    let blocked = scene.run(Wish::Due).await;
    assert!(blocked.braked.is_some());
    assert_eq!(done(&blocked).ignored, 0);
    assert!(with_status(&scene.world.lock(), "SUPPRESSED").is_empty());
    // It stays visible: the next run is a full one again.
    assert_eq!(scene.run(Wish::Due).await.kind, "full");
    let digest = scene.plan().await.digest;
    let release = |expect: &str| Orders {
        write: true,
        expect: Some(expect.to_owned()),
        allow_removals: true,
        ..Orders::default()
    };
    assert!(
        scene
            .try_run(Wish::Full, release("000000000000"), None)
            .await
            .unwrap()
            .is_err()
    );
    let released = scene
        .try_run(Wish::Full, release(&digest), None)
        .await
        .unwrap()
        .unwrap();
    assert!(done(&released).ignored > 10);
    scene.settle().await;
}

#[tokio::test]
async fn a_suppression_outside_the_rules_is_reported_or_undone() {
    for policy in ["respect", "revert"] {
        let (scene, control) = settled_with(4, 120, |text| {
            text.push_str(&format!("\n[policy]\nsuppressed_by_hand = \"{policy}\"\n"))
        })
        .await;
        let id = {
            let mut world = scene.world.lock();
            let now = world.now();
            let (id, ..) = failing(&world, &control).remove(0);
            let product = world
                .aws
                .hub
                .iter()
                .find(|f| f["Id"] == id.as_str())
                .unwrap()["ProductArn"]
                .as_str()
                .unwrap()
                .to_owned();
            let World { aws, journal, .. } = &mut *world;
            let actor = asaf::emulators::journal::Actor::Person {
                id: "kim".to_owned(),
                role: "analyst".to_owned(),
            };
            aws.hub.set_workflow(
                actor,
                "arn:aws:sts::111111111111:assumed-role/analyst/kim",
                &product,
                &id,
                "SUPPRESSED",
                None,
                now,
                journal,
            );
            id
        };
        scene.clock.advance(SignedDuration::from_mins(20));
        let report = scene.run(Wish::Full).await;
        let action = &report.plan.actions[0];
        assert!(
            action.alerts.iter().any(|alert| alert.text.contains("kim")),
            "{action:?}"
        );
        let suppressed = with_status(&scene.world.lock(), "SUPPRESSED").contains(&id);
        assert_eq!(suppressed, policy == "respect", "{policy}");
        scene.settle().await;
    }
}

#[tokio::test]
async fn a_person_who_ignores_a_ticket_without_a_rule_is_told_of_rules() {
    let (scene, _) = settled(4, 120).await;
    let key = {
        let mut world = scene.world.lock();
        let now = world.now();
        let key = world.jira.issues().next().unwrap().key.clone();
        let admin = world.jira.user(Role::Admin).unwrap().account_id.clone();
        let World { jira, journal, .. } = &mut *world;
        jira.force_status(&admin, &key, "Ignored", now, journal);
        key
    };
    scene.clock.advance(SignedDuration::from_mins(20));
    assert_eq!(done(&scene.run(Wish::Full).await).reverted, 1);
    let world = scene.world.lock();
    let said = world.jira.issue(&key).unwrap().comments[0].body.to_string();
    assert!(said.contains("by a reviewed rule"), "{said}");
}

#[tokio::test]
async fn rules_that_the_configuration_forgets_stay_in_force_until_it_ends_them() {
    let (mut scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    let hidden = done(&scene.run(Wish::Full).await).ignored;
    scene.settle().await;
    let kept = scene.config.ignore.take().unwrap();
    let report = scene.run(Wish::Full).await;
    assert!(report.plan.is_empty());
    assert!(
        report
            .plan
            .seen
            .rules
            .unwrap()
            .contains("names no ignore rules any more")
    );
    scene.config.ignore = Some(asaf::config::Ignore {
        repository: None,
        token: None,
        none: true,
        ..kept
    });
    let report = scene.run(Wish::Due).await;
    assert_eq!(done(&report).reopened, hidden);
    scene.settle().await;
    assert!(
        scene
            .store_beside()
            .remembered_rules()
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn reading_rules_costs_one_request_as_long_as_the_branch_stands() {
    let (scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    merged(&mut scene.world.lock(), "Ignore sites", Some(&text));
    scene.run(Wish::Full).await;
    scene.settle().await;
    scene.world.lock().requests.github.clear();
    scene.run(Wish::Due).await;
    let sent = scene.world.lock().requests.github.clone();
    assert_eq!(
        Vec::from_iter(sent),
        [("GET /repos/{owner}/{repo}/branches/{branch}".to_owned(), 1)]
    );
    let known = scene
        .store_beside()
        .remembered_rules()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(known.commit.len(), 40);
    let origin = known.origins.values().next().unwrap();
    assert_eq!(
        (
            origin.pull_request,
            origin.author.as_deref(),
            origin.approved_by.as_slice()
        ),
        (Some(1), Some("pat"), &["robin".to_owned()][..])
    );
}

#[tokio::test]
async fn rules_from_a_clone_are_those_that_were_fetched_and_not_those_of_its_working_tree() {
    let clone = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let done = std::process::Command::new("git")
            .arg("-C")
            .arg(clone.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    let (mut scene, control) = settled(4, 120).await;
    let text = rule(
        "sites",
        &what(&control, &all_accounts(&scene)),
        "2027-01-31",
    );
    run(&["init", "--quiet", "--initial-branch=main"]);
    std::fs::create_dir(clone.path().join("ignore")).unwrap();
    std::fs::write(clone.path().join(FILE), &text).unwrap();
    run(&["add", "--all"]);
    run(&[
        "-c",
        "user.name=Robin",
        "-c",
        "user.email=r@example.com",
        "commit",
        "--quiet",
        "--message",
        "Ignore sites (#12)",
    ]);
    std::fs::write(clone.path().join(FILE), "").unwrap();
    // Another source of rules than before begins anew.
    let ignore = scene.config.ignore.take().unwrap();
    scene.config.ignore = Some(asaf::config::Ignore {
        repository: None,
        token: None,
        checkout: Some(clone.path().to_owned()),
        ..ignore
    });
    let report = scene.run(Wish::Due).await;
    assert!(done(&report).ignored > 0);
    let note = scene
        .world
        .lock()
        .aws
        .hub
        .iter()
        .find(|f| f["Workflow"]["Status"] == "SUPPRESSED")
        .unwrap()["Note"]["Text"]
        .clone();
    assert!(
        note.as_str().unwrap().contains("pull request #12"),
        "{note}"
    );
    let remembered: Sqlite = scene.store_beside();
    assert!(
        remembered
            .links()
            .await
            .unwrap()
            .iter()
            .any(|link| link.ignored_by.is_some())
    );
}
