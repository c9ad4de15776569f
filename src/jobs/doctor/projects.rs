//! The projects: each is looked at on its own, and what is wrong with one is one problem.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use serde_json::Value;

use crate::config::{Config, OwnerChange, ResourceDeleted};
use crate::jobs::workflow::site::NOT_FOUND;
use crate::model::{Owner, Severity};
use crate::template::is_mapped;
use crate::wire::error::WireError;
use crate::wire::jira::{CreateField, Fields, JiraClient};

use super::report::{Found, Problem};
use super::some;
use super::subject::Subject;

/// Projects that are asked about at the same time.
const AT_ONCE: usize = 8;
/// What the bot does in every project, by permission and by the name that administrators see.
const NEEDED: [(&str, &str); 5] = [
    ("BROWSE_PROJECTS", "Browse projects"),
    ("CREATE_ISSUES", "Create issues"),
    ("EDIT_ISSUES", "Edit issues"),
    ("TRANSITION_ISSUES", "Transition issues"),
    ("ADD_COMMENTS", "Add comments"),
];
/// Only where tickets of deleted resources are deleted.
const DELETE: (&str, &str) = ("DELETE_ISSUES", "Delete issues");
/// Fields that a create always sets, or that Jira fills in itself.
const SET: [&str; 6] = [
    "project",
    "issuetype",
    "summary",
    "description",
    "labels",
    "reporter",
];

pub(super) async fn projects(subject: &Subject) -> Found {
    let Ok(jira) = subject.jira() else {
        return Found::skipped("secrets");
    };
    let keys = subject.keys();
    let mut found = match jira.projects(&keys).await {
        Ok(found) => found,
        Err(error) => return Found::refused(&error),
    };
    let mut problems: Vec<Problem> = keys
        .iter()
        .filter(|key| !found.contains_key(**key))
        .map(|key| {
            Problem::wrong(
                format!("{key}: {NOT_FOUND}"),
                "check the key in [owners], and grant Browse projects to the bot there",
            )
        })
        .collect();
    let mut needed: Vec<(&str, &str)> = NEEDED.to_vec();
    if subject.config.policy.resource_deleted == ResourceDeleted::Delete {
        needed.push(DELETE);
    }
    let names: Vec<&str> = needed.iter().map(|(key, _)| *key).collect();
    let each = found.keys().cloned().map(|key| {
        let names = &names;
        async move {
            let held = jira.permissions(Some(&key), names).await;
            (key, held)
        }
    });
    let answers: Vec<_> = futures_util::stream::iter(each)
        .buffered(AT_ONCE)
        .collect()
        .await;
    for (key, held) in answers {
        let held = match held {
            Ok(held) => held,
            Err(error) => {
                problems.push(named(&key, Problem::refused(&error)));
                found.remove(&key);
                continue;
            }
        };
        let lacking: Vec<&str> = needed
            .iter()
            .filter(|(name, _)| held.get(*name) != Some(&true))
            .map(|(_, words)| *words)
            .collect();
        if !lacking.is_empty() {
            problems.push(Problem::wrong(
                format!("{key}: the bot lacks {}", lacking.join(", ")),
                "`asaf workflow apply` grants it; otherwise grant it in the project's permission scheme",
            ));
            found.remove(&key);
        }
    }
    if subject.config.policy.owner_change == OwnerChange::Move {
        problems.extend(moves(jira, found.keys()).await);
    }
    let says = format!(
        "{} of {} projects are the bot's to work in",
        found.len(),
        keys.len()
    );
    subject.known().projects = found;
    Found::of(says, problems)
}

/// Where a ticket cannot be moved to its new owner; there `policy.move_denied` says what happens instead.
async fn moves(jira: &JiraClient, keys: impl Iterator<Item = &String>) -> Vec<Problem> {
    let each = keys.map(|key| async move {
        match jira.permissions(Some(key), &["MOVE_ISSUES"]).await {
            Ok(held) if held.get("MOVE_ISSUES") == Some(&true) => None,
            Ok(_) => Some(Problem::warning(
                format!("{key}: the bot lacks Move issues, which policy.owner_change = \"move\" needs"),
                "add MOVE_ISSUES = [\"bot\"] to the permissions of your workflow file and run `asaf workflow apply`, or set owner_change to recreate or keep",
            )),
            Err(error) => Some(named(key, Problem::refused(&error))),
        }
    });
    let found: Vec<Option<Problem>> = futures_util::stream::iter(each)
        .buffered(AT_ONCE)
        .collect()
        .await;
    found.into_iter().flatten().collect()
}

/// A problem of one project.
fn named(key: &str, problem: Problem) -> Problem {
    Problem {
        finding: format!("{key}: {}", problem.finding),
        ..problem
    }
}

pub(super) async fn fields(subject: &Subject) -> Found {
    let Ok(jira) = subject.jira() else {
        return Found::skipped("secrets");
    };
    let keys: Vec<String> = subject.known().projects.keys().cloned().collect();
    let config = &subject.config;
    let each = keys.iter().map(|key| async move {
        match in_project(jira, config, key).await {
            Ok(problems) => problems,
            Err(error) => vec![named(key, Problem::refused(&error))],
        }
    });
    let problems: Vec<Vec<Problem>> = futures_util::stream::iter(each)
        .buffered(AT_ONCE)
        .collect()
        .await;
    let says = match subject.keys().len() - keys.len() {
        0 => format!("looked at {} projects", keys.len()),
        left => format!(
            "looked at {} projects; {left} are left out, see jira.projects",
            keys.len()
        ),
    };
    Found::of(says, problems.into_iter().flatten().collect())
}

/// What keeps tickets from being created in a project.
async fn in_project(
    jira: &JiraClient,
    config: &Config,
    key: &str,
) -> Result<Vec<Problem>, WireError> {
    let types: BTreeMap<String, String> = jira.creatable(key).await?;
    let owners: Vec<&Owner> = config
        .owners
        .all()
        .filter(|owner| owner.project == key)
        .collect();
    let wanted: BTreeSet<&str> = owners
        .iter()
        .map(|owner| {
            owner
                .issue_type
                .as_deref()
                .unwrap_or(&config.jira.issue_type)
        })
        .collect();
    let mut problems: Vec<Problem> = assignees(jira, key, &owners).await?;
    for wanted in wanted {
        let Some(id) = types.get(wanted) else {
            problems.push(Problem::wrong(
                format!("{key} has no issue type “{wanted}” that the bot may create"),
                format!(
                    "name one of these in jira.issue_type, or as issue_type of the owner, or add it to the project: {}",
                    some(types.keys().map(String::as_str))
                ),
            ));
            continue;
        };
        let fields = jira.create_fields(key, id).await?;
        let found = required(key, &fields, &config.jira.fields)
            .into_iter()
            .chain(off_screen(key, &fields, config))
            .chain(options(key, &fields, config))
            .chain(of_owners(key, &fields, &owners));
        for problem in found {
            // Two types of one project often have the same screen.
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    Ok(problems)
}

/// Accounts that owners name, and that cannot be assigned tickets there: one request for each.
async fn assignees(
    jira: &JiraClient,
    key: &str,
    owners: &[&Owner],
) -> Result<Vec<Problem>, WireError> {
    let named = owners.iter().filter_map(|owner| owner.assignee.as_deref());
    let accounts: BTreeSet<&str> = named.filter(|whom| *whom != "lead").collect();
    let mut problems = Vec::new();
    for account in accounts {
        if !jira.is_assignable(key, account).await? {
            problems.push(Problem::wrong(
                format!("{key}: the account “{account}” cannot be assigned tickets"),
                format!(
                    "name another as assignee of the owner, or give this one the permission Assignable user in {key}"
                ),
            ));
        }
    }
    Ok(problems)
}

/// Components and assignees that owners name, and the project does not take.
fn of_owners(key: &str, fields: &[CreateField], owners: &[&Owner]) -> Vec<Problem> {
    let on_screen = |id: &str| fields.iter().find(|field| field.id == id);
    let components: BTreeSet<&str> = owners
        .iter()
        .filter_map(|owner| owner.component.as_deref())
        .collect();
    let mut problems = Vec::new();
    for component in components {
        let known = on_screen("components").and_then(|field| field.options.as_deref());
        let known: Vec<&str> = known.into_iter().flatten().filter_map(words).collect();
        if !known.contains(&component) {
            problems.push(Problem::wrong(
                format!("{key} has no component “{component}” that a new ticket takes"),
                format!(
                    "add it to the project, with the field Components on its create screen, or name one of these: {}",
                    some(known)
                ),
            ));
        }
    }
    let assigns = owners.iter().any(|owner| owner.assignee.is_some());
    if assigns && on_screen("assignee").is_none() {
        problems.push(Problem::wrong(
            format!("{key} has no field assignee on its create screen"),
            "add it to the create screen, or remove the owners' assignee",
        ));
    }
    problems
}

/// Fields that Jira asks for and nobody fills in.
fn required(key: &str, fields: &[CreateField], given: &Fields) -> Vec<Problem> {
    let lacking = fields.iter().filter(|field| {
        field.required
            && !field.has_default
            && !SET.contains(&field.id.as_str())
            && !given.contains_key(&field.id)
    });
    lacking
        .map(|field| {
            Problem::wrong(
                format!("{key} requires the field {} ({}), which asaf does not fill in", field.name, field.id),
                format!("give it a value in [jira.fields], such as {} = \"…\", or make it optional there", field.id),
            )
        })
        .collect()
}

/// Fields that asaf fills in and Jira does not take.
fn off_screen(key: &str, fields: &[CreateField], config: &Config) -> Vec<Problem> {
    let has = |id: &str| fields.iter().any(|field| field.id == id);
    let ours = ["description", "labels"].into_iter();
    let priorities = priorities(config).next().map(|_| "priority");
    let configured = config.jira.fields.keys().map(String::as_str);
    ours.chain(priorities)
        .chain(configured)
        .filter(|id| !has(id))
        .map(|id| {
            let fix = match id {
                "priority" => {
                    "add it to the create screen, or leave the names in [jira.priorities] empty"
                }
                "description" | "labels" => "add it to the create screen",
                _ => "add it to the create screen, or remove it from [jira.fields]",
            };
            Problem::wrong(format!("{key} has no field {id} on its create screen"), fix)
        })
        .collect()
}

/// The names of priorities that tickets get.
fn priorities(config: &Config) -> impl Iterator<Item = &str> {
    let all = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Informational,
    ];
    all.into_iter()
        .filter(|severity| *severity >= config.policy.threshold)
        .filter_map(|severity| config.jira.priorities.of(severity))
}

/// Values that a field does not take.
fn options(key: &str, fields: &[CreateField], config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    for field in fields {
        let Some(options) = field
            .options
            .as_deref()
            .filter(|options| !options.is_empty())
        else {
            continue;
        };
        let mut wrong: Vec<String> = Vec::new();
        if field.id == "priority" {
            let unknown =
                priorities(config).filter(|name| !options.iter().any(|one| one["name"] == *name));
            wrong.extend(unknown.map(str::to_owned));
        } else if let Some(value) = config.jira.fields.get(&field.id) {
            let values = value
                .as_array()
                .map_or(std::slice::from_ref(value), Vec::as_slice);
            let unknown = values
                .iter()
                .filter(|value| !is_mapped(value))
                .filter(|value| !options.iter().any(|one| is_option(value, one)));
            wrong.extend(unknown.map(Value::to_string));
        }
        if !wrong.is_empty() {
            let known: Vec<&str> = options.iter().filter_map(words).collect();
            let place = if field.id == "priority" {
                "[jira.priorities]"
            } else {
                "[jira.fields]"
            };
            problems.push(Problem::wrong(
                format!(
                    "{key}: the field {} ({}) does not take {}",
                    field.name,
                    field.id,
                    wrong.join(", ")
                ),
                format!("use one of these in {place}: {}", some(known)),
            ));
        }
    }
    problems
}

/// An option is named by id, value, name or key.
fn is_option(given: &Value, option: &Value) -> bool {
    ["id", "value", "name", "key"].iter().any(|member| {
        let known = &option[*member];
        !known.is_null() && (given[*member] == *known || given == known)
    })
}

fn words(option: &Value) -> Option<&str> {
    ["name", "value", "key", "id"]
        .iter()
        .find_map(|member| option[*member].as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_option_is_known_by_any_of_its_names() {
        let option = json!({"id": "10001", "value": "Security"});
        for (given, known) in [
            (json!({"value": "Security"}), true),
            (json!({"id": "10001"}), true),
            (json!("Security"), true),
            (json!({"value": "Other"}), false),
            (json!({"name": "Security"}), false),
        ] {
            assert_eq!(is_option(&given, &option), known, "{given}");
        }
    }
}
