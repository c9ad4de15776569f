//! What people and AWS do in a scene, and what can be seen of it afterwards.

use asaf::emulators::jira::Role;
use asaf::emulators::journal::{Actor, Journal};
use asaf::emulators::security_hub::SecurityHub;
use asaf::emulators::world::{Requests, World};
use asaf::jobs::reconcile::Report;
use asaf::ports::Audience;
use jiff::{SignedDuration, Timestamp};

use super::Scene;

/// Identity of a finding: product and id.
pub(crate) type Named = (String, String);

pub(crate) fn named(finding: &serde_json::Value) -> Named {
    let text = |field: &str| finding[field].as_str().unwrap().to_owned();
    (text("ProductArn"), text("Id"))
}

/// Findings of controls with this compliance, in the order of their ids.
pub(crate) fn controls(world: &World, compliance: &str) -> Vec<Named> {
    world
        .aws
        .hub
        .iter()
        .filter(|finding| finding["Compliance"]["Status"] == compliance)
        .map(|finding| named(&finding))
        .collect()
}

pub(crate) fn set(scene: &Scene, findings: &[Named], compliance: &str) {
    let mut world = scene.world.lock();
    let now = world.now();
    let World { aws, journal, .. } = &mut *world;
    for (product, id) in findings {
        aws.hub
            .set_compliance(product, id, compliance, now, journal);
    }
}

/// Keys of tickets in this status, in the order of their ids.
pub(crate) fn tickets(scene: &Scene, status: &str) -> Vec<String> {
    let world = scene.world.lock();
    let id = world.jira.status_named(status).unwrap().id;
    let issues = world.jira.issues().filter(|issue| issue.status == id);
    issues.map(|issue| issue.key.clone()).collect()
}

pub(crate) fn transition(scene: &Scene, role: Role, key: &str, to: &str) {
    let mut world = scene.world.lock();
    let now = world.now();
    let who = world.jira.user(role).unwrap().account_id.clone();
    let World { jira, journal, .. } = &mut *world;
    jira.transition_as(&who, key, to, now, journal).unwrap();
}

/// A hole in the workflow lets somebody close.
pub(crate) fn force_closed(scene: &Scene, role: Role, key: &str) {
    let mut world = scene.world.lock();
    let now = world.now();
    let who = world.jira.user(role).unwrap().account_id.clone();
    let World { jira, journal, .. } = &mut *world;
    jira.force_status(&who, key, "Closed", now, journal);
}

pub(crate) fn status_of(scene: &Scene, key: &str) -> String {
    let world = scene.world.lock();
    let issue = world.jira.issue(key).unwrap();
    world.jira.status_name(issue.status)
}

/// `Workflow.Status` of the finding that a ticket tracks.
pub(crate) fn workflow_of(scene: &Scene, key: &str) -> String {
    let world = scene.world.lock();
    let issue = world.jira.issue(key).unwrap();
    let link = issue.property("asaf.link");
    let finding = &link["findings"][0];
    let (product, id) = (&finding["product_arn"], &finding["id"]);
    let finding = world
        .aws
        .hub
        .get(product.as_str().unwrap(), id.as_str().unwrap())
        .unwrap();
    finding["Workflow"]["Status"].as_str().unwrap().to_owned()
}

/// The plain text of all comments on a ticket.
pub(crate) fn comments(scene: &Scene, key: &str) -> Vec<String> {
    fn text(node: &serde_json::Value, into: &mut String) {
        if let Some(own) = node["text"].as_str() {
            into.push_str(own);
        }
        for child in node["content"].as_array().into_iter().flatten() {
            text(child, into);
        }
    }
    let world = scene.world.lock();
    let issue = world.jira.issue(key).unwrap();
    let bodies = issue.comments.iter().map(|comment| {
        let mut said = String::new();
        text(&comment.body.value(), &mut said);
        said
    });
    bodies.collect()
}

pub(crate) fn requests(scene: &Scene) -> Requests {
    std::mem::take(&mut scene.world.lock().requests)
}

pub(crate) fn total(requests: &Requests) -> u64 {
    requests.aws.values().chain(requests.jira.values()).sum()
}

pub(crate) fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

/// Numeric ids of tickets, by key.
pub(crate) fn id_of(scene: &Scene, key: &str) -> u64 {
    scene.world.lock().jira.issue(key).unwrap().id
}

/// Something that AWS or an analyst does to Security Hub.
pub(crate) fn in_hub(scene: &Scene, act: impl FnOnce(&mut SecurityHub, Timestamp, &mut Journal)) {
    let mut world = scene.world.lock();
    let now = world.now();
    let World { aws, journal, .. } = &mut *world;
    act(&mut aws.hub, now, journal);
}

/// An analyst sets the status in Security Hub's console.
pub(crate) fn set_by_hand(scene: &Scene, finding: &Named, status: &str) {
    let identity = "arn:aws:sts::111111111111:assumed-role/analyst/kim";
    let actor = Actor::Person {
        id: identity.to_owned(),
        role: "analyst".to_owned(),
    };
    in_hub(scene, |hub, now, journal| {
        let (product, id) = finding;
        assert!(hub.set_workflow(actor, identity, product, id, status, None, now, journal));
    });
}

/// A resource is deleted.
pub(crate) fn delete_resource(scene: &Scene, arn: &str) {
    let mut world = scene.world.lock();
    let now = world.now();
    let World { aws, journal, .. } = &mut *world;
    aws.config.delete(arn, now, journal);
}

/// The finding that a ticket tracks.
pub(crate) fn finding_of(scene: &Scene, key: &str) -> Named {
    let world = scene.world.lock();
    let link = &world.jira.issue(key).unwrap().property("asaf.link")["findings"][0];
    let text = |field: &str| link[field].as_str().unwrap().to_owned();
    (text("product_arn"), text("id"))
}

/// Keys of the tickets of a finding, oldest first.
pub(crate) fn tickets_of(scene: &Scene, finding: &Named) -> Vec<String> {
    let world = scene.world.lock();
    let of_finding = world
        .jira
        .issues()
        .filter(|issue| issue.property("asaf.link")["findings"][0]["id"] == finding.1.as_str());
    of_finding.map(|issue| issue.key.clone()).collect()
}

/// `Workflow.Status` of a finding.
pub(crate) fn workflow(scene: &Scene, finding: &Named) -> String {
    let world = scene.world.lock();
    let asff = world.aws.hub.get(&finding.0, &finding.1).unwrap();
    asff["Workflow"]["Status"].as_str().unwrap().to_owned()
}

/// The text of a finding's note.
pub(crate) fn note(scene: &Scene, finding: &Named) -> String {
    let world = scene.world.lock();
    let asff = world.aws.hub.get(&finding.0, &finding.1).unwrap();
    asff["Note"]["Text"].as_str().unwrap_or_default().to_owned()
}

/// An open ticket of a control whose resource AWS Config knows.
pub(crate) fn an_open_ticket(scene: &Scene) -> (String, Named) {
    let open = tickets(scene, "Open");
    let world = scene.world.lock();
    let key = open.iter().find(|key| {
        let link = &world.jira.issue(key).unwrap().property("asaf.link");
        let arn = link["alias"]["resource"].as_str().unwrap();
        world.aws.config.item(arn).is_some()
    });
    let key = key.unwrap().clone();
    drop(world);
    let finding = finding_of(scene, &key);
    (key, finding)
}

/// All alerts of some runs: for whom, and what they say.
pub(crate) fn alerts(reports: &[Report]) -> Vec<(Audience, String)> {
    let actions = reports.iter().flat_map(|report| &report.plan.actions);
    let alerts = actions.flat_map(|action| &action.alerts);
    alerts.map(|alert| (alert.to, alert.text.clone())).collect()
}

/// Everything that some runs held, in words.
pub(crate) fn held(reports: &[Report]) -> Vec<String> {
    let held = reports.iter().flat_map(|report| &report.plan.held);
    held.map(|held| held.why.sentence()).collect()
}

/// The resource that a ticket is about.
pub(crate) fn resource_of(scene: &Scene, key: &str) -> String {
    let world = scene.world.lock();
    let link = &world.jira.issue(key).unwrap().property("asaf.link");
    link["alias"]["resource"].as_str().unwrap().to_owned()
}
