//! What the stories have in common: rules as teams write them, pull requests, and what both sides show.

use asaf::emulators::world::{World, seed};
use asaf::jobs::reconcile::{Report, Wish};
use serde_json::Value;

use crate::scene::Scene;

pub(crate) const FILE: &str = "ignore/teams.toml";

/// A rule as a team writes it.
pub(crate) fn rule(id: &str, what: &str, expires: &str) -> String {
    format!(
        "[[ignore]]\nid = \"{id}\"\n{what}\nreason = \"Intended, and reviewed with security.\"\nowner = \"web\"\n\
         requested_by = \"pat\"\nexpires = {expires}\n\n"
    )
}

pub(crate) fn accounts(ids: &[String]) -> String {
    let quoted: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    format!("accounts = [{}]", quoted.join(", "))
}

/// `controls` and `accounts` of a rule.
pub(crate) fn what(control: &str, ids: &[String]) -> String {
    format!("controls = [\"{control}\"]\n{}", accounts(ids))
}

/// Pat proposes, Robin approves and merges; gives the number.
pub(crate) fn merged(world: &mut World, title: &str, text: Option<&str>) -> u64 {
    merged_files(world, title, &[(FILE, text)])
}

/// The same with several files; those without a text are removed.
pub(crate) fn merged_files(world: &mut World, title: &str, files: &[(&str, Option<&str>)]) -> u64 {
    let now = world.now();
    let github = &mut world.github;
    let number = github.open_pull_request(seed::RULES, "pat", title, files, now);
    github
        .review(seed::RULES, number, "robin", "APPROVED", now)
        .unwrap();
    github.merge(seed::RULES, number, "robin", now).unwrap();
    number
}

/// Failing findings of a control as (id, account, resource).
pub(crate) fn failing(world: &World, control: &str) -> Vec<(String, String, String)> {
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
pub(crate) fn with_status(world: &World, status: &str) -> Vec<String> {
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
pub(crate) fn tickets_in(world: &World, status: &str) -> usize {
    let id = world.jira.status_named(status).unwrap().id;
    let issues = world.jira.issues();
    issues.filter(|issue| issue.status == id).count()
}

pub(crate) fn done(report: &Report) -> asaf::plan::Summary {
    report.applied.as_ref().unwrap().done
}

/// A world with a first run behind it, and the control with the most failing findings.
pub(crate) async fn settled(accounts: usize, findings: usize) -> (Scene, String) {
    settled_with(accounts, findings, |_| {}).await
}

pub(crate) async fn settled_with(
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

pub(crate) fn all_accounts(scene: &Scene) -> Vec<String> {
    let world = scene.world.lock();
    world
        .aws
        .organizations
        .accounts()
        .map(|account| account.id.clone())
        .collect()
}

/// Imports a failing finding like one that is there, about another resource; gives its id.
pub(crate) fn new_finding(
    world: &mut World,
    control: &str,
    name: &str,
    now: jiff::Timestamp,
) -> String {
    new_finding_in(world, control, name, |_| true, now)
}

/// The same in an account of which something is true.
pub(crate) fn new_finding_in(
    world: &mut World,
    control: &str,
    name: &str,
    account_is: impl Fn(&str) -> bool,
    now: jiff::Timestamp,
) -> String {
    let mut finding = world
        .aws
        .hub
        .iter()
        .find(|finding| {
            finding["Compliance"]["SecurityControlId"] == control
                && account_is(finding["AwsAccountId"].as_str().unwrap())
        })
        .unwrap()
        .clone();
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
