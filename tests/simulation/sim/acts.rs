//! What people and AWS do while the engine works: each act is a verb of the emulated world, so it happens only where the
//! world lets it happen.

use asaf::emulators::world::World;
use asaf::emulators::world::control::verbs::Verb;
use serde_json::{Value, json};

use super::dice::Dice;

/// Every act, with its weight.
pub(crate) const ACTS: &[(Act, u32)] = &[
    (Act::Pass, 12),
    (Act::Fail, 12),
    (Act::Warn, 2),
    (Act::Unclear, 3),
    (Act::Archive, 4),
    (Act::Reactivate, 3),
    (Act::Remove, 2),
    (Act::Touch, 3),
    (Act::Duplicate, 3),
    (Act::Appear, 4),
    (Act::BreakRule, 2),
    (Act::MendRule, 2),
    (Act::DeleteResource, 5),
    (Act::Suppress, 3),
    (Act::SuppressByRule, 2),
    (Act::ResolveInHub, 3),
    (Act::ResetInHub, 3),
    (Act::Resolve, 16),
    (Act::Close, 12),
    (Act::Reopen, 8),
    (Act::StartProgress, 3),
    (Act::CloseWithoutRight, 6),
    (Act::IgnoreWithoutRule, 3),
    (Act::DeleteTicket, 5),
    (Act::Relabel, 3),
    (Act::MoveProject, 3),
    (Act::Edit, 3),
    (Act::Comment, 2),
    (Act::Fight, 3),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Pass,
    Fail,
    Warn,
    Unclear,
    Archive,
    Reactivate,
    Remove,
    Touch,
    /// A second finding of the same control and resource, as per-standard controls make them.
    Duplicate,
    Appear,
    BreakRule,
    MendRule,
    DeleteResource,
    Suppress,
    SuppressByRule,
    ResolveInHub,
    ResetInHub,
    Resolve,
    Close,
    Reopen,
    StartProgress,
    CloseWithoutRight,
    IgnoreWithoutRule,
    DeleteTicket,
    Relabel,
    MoveProject,
    Edit,
    Comment,
    /// Undoes whatever the engine did last.
    Fight,
}

/// Does one act to something; returns what happened, or nothing where it could not.
pub(crate) fn act(world: &mut World, weights: &[u32], dice: &mut Dice) -> Option<String> {
    let total: u32 = weights.iter().sum();
    if total == 0 {
        return None;
    }
    let mut left = dice.below(u64::from(total)) as u32;
    let chosen = ACTS.iter().zip(weights).find(|(_, weight)| {
        let here = left < **weight;
        left = left.saturating_sub(**weight);
        here
    });
    let ((act, _), _) = chosen?;
    let keys: Vec<(String, String)> = world.aws.hub.keys(None).cloned().collect();
    if keys.is_empty() {
        return None;
    }
    let (product, id) = dice.pick(&keys);
    let asff = world.aws.hub.get(&product, &id)?;
    let verb = verb(world, *act, &asff, dice)?;
    let said = verb.to_string();
    let read = Verb::read(verb).unwrap_or_else(|refusal| panic!("{said}: {refusal:?}"));
    world.happen(&read).ok()?;
    Some(said)
}

fn verb(world: &World, act: Act, asff: &Value, dice: &mut Dice) -> Option<Value> {
    let finding = &asff["Id"];
    let one =
        |name: &str| json!({ "do": name, "finding": finding, "product_arn": asff["ProductArn"] });
    let set = |name: &str, status: &str| {
        let mut verb = one(name);
        verb["status"] = json!(status);
        verb
    };
    // Controls have a compliance; what GuardDuty finds has none.
    let is_control = asff["Compliance"]["Status"].is_string();
    let verb = match act {
        Act::Pass if is_control => one("finding_passes"),
        Act::Fail if is_control => one("finding_fails"),
        Act::Warn if is_control => one("finding_warns"),
        Act::Unclear if is_control => one("finding_becomes_unavailable"),
        Act::BreakRule if is_control => one("rule_breaks"),
        Act::MendRule if asff["Compliance"]["Status"] == "NOT_AVAILABLE" => one("rule_mends"),
        Act::Archive => one("finding_is_archived"),
        Act::Reactivate if asff["RecordState"] == "ARCHIVED" => one("finding_is_reactivated"),
        Act::Remove => one("finding_is_removed"),
        Act::Touch => one("finding_is_touched"),
        Act::Duplicate if is_control => duplicate(world, asff)?,
        Act::Appear => {
            let control = dice.pick(&["S3.8", "EC2.8", "KMS.4", "Lambda.1"]);
            json!({ "do": "finding_appears", "control": control })
        }
        Act::DeleteResource => {
            let arn = &asff["Resources"][0]["Id"];
            json!({ "do": "resource_is_deleted", "resource": arn })
        }
        Act::Suppress => set("analyst_sets_workflow", "SUPPRESSED"),
        Act::SuppressByRule => set("rule_sets_workflow", "SUPPRESSED"),
        Act::ResolveInHub => set("analyst_sets_workflow", "RESOLVED"),
        Act::ResetInHub => set("analyst_sets_workflow", dice.pick(&["NEW", "NOTIFIED"])),
        _ => return of_ticket(world, act, &ticket_of(world, asff)?, dice),
    };
    Some(verb)
}

fn of_ticket(world: &World, act: Act, key: &str, dice: &mut Dice) -> Option<Value> {
    let person = |name: &str, who: &str| json!({ "do": name, "ticket": key, "who": who });
    let to = |name: &str, who: &str, to: &str| {
        let mut verb = person(name, who);
        verb["to"] = json!(to);
        verb
    };
    let issue = world.jira.issue(key)?;
    let is = world.jira.status_name(issue.status);
    let verb = match act {
        Act::Resolve => person("person_resolves", dice.pick(&["product", "reviewer"])),
        Act::Close => person("person_closes", "reviewer"),
        Act::Reopen => person("person_reopens", dice.pick(&["product", "reviewer"])),
        Act::StartProgress => to("person_moves", "product", "In Progress"),
        Act::CloseWithoutRight if is != "Closed" => to("person_forces_status", "product", "Closed"),
        Act::IgnoreWithoutRule if is != "Ignored" => {
            to("person_forces_status", "product", "Ignored")
        }
        Act::DeleteTicket => person("person_deletes", "admin"),
        Act::MoveProject => {
            let project = dice.pick(&["SEC", "PAY", "WEB"]);
            json!({ "do": "person_moves_project", "ticket": key, "who": "admin", "project": project })
        }
        Act::Relabel => {
            let labels: Vec<&String> = issue.labels.iter().collect();
            let label = labels.get(dice.index(labels.len().max(1)))?;
            json!({ "do": "person_relabels", "ticket": key, "who": "product", "remove": [label], "add": ["mine"] })
        }
        Act::Edit => {
            let summary = format!("edited {}", dice.below(100));
            json!({ "do": "person_edits", "ticket": key, "who": "product", "fields": { "summary": summary } })
        }
        Act::Comment => {
            json!({ "do": "person_comments", "ticket": key, "who": "product", "text": "Looking at it." })
        }
        Act::Fight => {
            let back = if is == "Open" { "Closed" } else { "Open" };
            to("person_forces_status", "product", back)
        }
        _ => return None,
    };
    Some(verb)
}

/// A copy of a control's finding under another id, found just now.
fn duplicate(world: &World, asff: &Value) -> Option<Value> {
    let id = format!("{}-twin", asff["Id"].as_str()?);
    let product = asff["ProductArn"].as_str()?;
    if world.aws.hub.get(product, &id).is_some() {
        return None;
    }
    let mut copy = asff.clone();
    let now = world.now().to_string();
    copy["Id"] = json!(id);
    copy["Workflow"] = json!({ "Status": "NEW" });
    copy["CreatedAt"] = json!(now);
    copy["UpdatedAt"] = json!(now);
    copy["FirstObservedAt"] = json!(now);
    let fields = copy.as_object_mut()?;
    fields.remove("Note");
    fields.remove("UserDefinedFields");
    Some(json!({ "do": "finding_appears", "asff": copy }))
}

/// The newest ticket of a finding.
fn ticket_of(world: &World, asff: &Value) -> Option<String> {
    let names = |issue: &&asaf::emulators::jira::Issue| {
        let findings = issue.property("asaf.link")["findings"].as_array().cloned();
        findings
            .into_iter()
            .flatten()
            .any(|finding| finding["id"] == asff["Id"])
    };
    let newest = world
        .jira
        .issues()
        .filter(names)
        .max_by_key(|issue| issue.id);
    newest.map(|issue| issue.key.clone())
}
