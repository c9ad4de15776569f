//! What the tables about the workflow must fulfil besides their types.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Found, address, project_key};
use crate::config::{Jira, WorkflowKind};

/// What a create always sets: a configured value would never count.
const OURS: [&str; 5] = ["project", "issuetype", "summary", "description", "labels"];

pub(super) fn workflow(jira: &Jira, found: &mut Found) {
    if let Some(admin) = &jira.admin {
        address("jira.admin.email", &admin.email, found);
        if admin.email == jira.email {
            found.add_with_help(
                "jira.admin.email",
                "is the engine's own user, which must not administer Jira",
                "name another account: the engine's user moves and deletes tickets, and nothing more",
            );
        }
    }
    if let Some(verify) = &jira.verify {
        address("jira.verify.product.email", &verify.product.email, found);
        address("jira.verify.reviewer.email", &verify.reviewer.email, found);
        let all = [&jira.email, &verify.product.email, &verify.reviewer.email];
        if BTreeSet::from(all).len() < all.len() {
            found.add(
                "jira.verify",
                "product, reviewer and the engine's own user are three accounts",
            );
        }
        if let Some(project) = &verify.project {
            project_key("jira.verify.project", project, found);
        }
    }
    if jira.workflow.kind != WorkflowKind::Asaf && jira.workflow.file.is_some() {
        found.add_with_help(
            "jira.workflow.file",
            "is installed only where the workflow is asaf's",
            "remove it, or write kind = \"asaf\"",
        );
    }
    for (i, status) in jira.statuses.via.iter().enumerate() {
        found.name(format!("jira.statuses.via[{i}]"), status, 255);
    }
    for (id, value) in &jira.fields {
        let path = format!("jira.fields.{id}");
        if OURS.contains(&id.as_str()) {
            found.add(path, "is set by asaf itself");
        } else {
            dates(&path, value, found);
        }
    }
    for (transition, fields) in &jira.transition_fields {
        for (id, value) in fields {
            dates(
                &format!("jira.transition_fields.{transition}.{id}"),
                value,
                found,
            );
        }
    }
}

/// TOML has dates, JSON has none.
fn dates(path: &str, value: &Value, found: &mut Found) {
    match value {
        Value::Object(members) if members.contains_key("$__toml_private_datetime") => {
            found.add_with_help(
                path,
                "is a date, which Jira takes as text",
                "put it in quotes",
            );
        }
        Value::Object(members) => members.values().for_each(|value| dates(path, value, found)),
        Value::Array(items) => items.iter().for_each(|value| dates(path, value, found)),
        _ => {}
    }
}
