//! Makes Jira follow the file, as a difference says: first what all projects share, then each project for itself. A
//! project that fails is named, and the others go on. What was done already is not done again by the next run.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::model::workflow::{Placed, Status};
use crate::wire::error::WireError;
use crate::wire::jira::admin::{JiraAdmin, Mapping, Role, Scheme, Sent};

use super::change::{Diff, ProjectChange};
use super::diff::grants;
use super::file::{Part, Wanted};
use super::shape;
use super::site::{ProjectFound, Site};

/// Projects that are changed at the same time.
const AT_ONCE: usize = 4;

/// What a run of apply did.
#[derive(Debug, Default, Serialize)]
pub struct Applied {
    /// Projects that follow the file now and did not before.
    pub projects: Vec<String>,
    /// Projects that could not be changed, with the reason.
    pub failed: BTreeMap<String, String>,
    /// Projects that wait for a person, because they hold other issues too.
    pub held: Vec<String>,
}

/// The ids of what the file names, once everything is there.
struct Ids {
    roles: BTreeMap<Part, Role>,
    resolutions: BTreeMap<String, String>,
    permission_scheme: String,
    scheme: Scheme,
    /// Status ids by lower-case name.
    statuses: BTreeMap<String, String>,
}

/// Applies a difference. Projects with other issues are left unless `shared` releases them.
///
/// # Errors
/// [`WireError`] for what all projects share; then no project was changed.
pub async fn apply(
    admin: &JiraAdmin,
    wanted: &Wanted,
    site: &Site,
    diff: &Diff,
    shared: bool,
    bar: &ProgressBar,
) -> Result<Applied, WireError> {
    let ids = share(admin, wanted, site, diff).await?;
    let (ids, mut applied) = (&ids, Applied::default());
    let mut due = Vec::new();
    for (key, change) in &diff.projects {
        match site.projects.get(key) {
            _ if change.is_shared() && !shared => applied.held.push(key.clone()),
            Some(found) => due.push((key, change, found)),
            None => {}
        }
    }
    bar.set_length(due.len() as u64);
    let each = due.into_iter().map(|(key, change, found)| async move {
        let done = project(admin, ids, change, found).await;
        bar.inc(1);
        (key.clone(), done)
    });
    let done: Vec<_> = futures_util::stream::iter(each)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    for (key, done) in done {
        match done {
            Ok(()) => applied.projects.push(key),
            Err(error) => drop(applied.failed.insert(key, error.to_string())),
        }
    }
    applied.projects.sort();
    Ok(applied)
}

/// What all projects share, each after what it names: roles and resolutions, the workflow, the two schemes.
async fn share(
    admin: &JiraAdmin,
    wanted: &Wanted,
    site: &Site,
    diff: &Diff,
) -> Result<Ids, WireError> {
    let mut roles = BTreeMap::new();
    for part in Part::ALL {
        let role = match site.role(wanted, part) {
            Some(role) => role.clone(),
            None => {
                let text = wanted.role(part);
                let id = admin.create_role(&text.name, &text.description).await?;
                let name = text.name.clone();
                Role { id, name }
            }
        };
        roles.insert(part, role);
    }
    let mut resolutions = site.resolutions.clone();
    for name in &diff.resolutions {
        let id = admin.create_resolution(name).await?;
        resolutions.insert(name.clone(), id);
    }
    let mut ids = Ids {
        roles,
        resolutions,
        permission_scheme: String::new(),
        scheme: Scheme::default(),
        statuses: BTreeMap::new(),
    };
    if diff.workflow.is_some() {
        let sent = sent(wanted, site, diff, &ids);
        match site.library.workflows.get(&wanted.name) {
            Some(known) => admin.update_workflow(&sent, known).await?,
            None => admin.create_workflow(&sent).await?,
        }
    }
    ids.scheme = workflow_scheme(admin, wanted, site, diff).await?;
    ids.permission_scheme = permission_scheme(admin, wanted, site, diff, &ids).await?;
    let statuses = if diff.statuses.is_empty() {
        site.statuses.clone()
    } else {
        admin.shared_statuses().await?
    };
    ids.statuses = statuses
        .into_iter()
        .map(|status| (status.name.to_lowercase(), status.id))
        .collect();
    Ok(ids)
}

/// The workflow as it is sent. A status that exists keeps its spelling, category and place in the editor.
fn sent(wanted: &Wanted, site: &Site, diff: &Diff, ids: &Ids) -> Sent {
    let statuses: Vec<Status> = wanted
        .statuses
        .iter()
        .map(|text| {
            site.status(&text.name).cloned().unwrap_or_else(|| Status {
                id: String::new(),
                name: text.name.clone(),
                description: String::new(),
                category: text.category,
            })
        })
        .collect();
    let spelt = |name: &str| {
        let lower = name.to_lowercase();
        let known = statuses.iter().find(|s| s.name.to_lowercase() == lower);
        known.map_or_else(|| name.to_owned(), |status| status.name.clone())
    };
    let known = site.library.workflows.get(&wanted.name);
    let places = statuses.iter().zip(0..).map(|(status, n)| {
        let mut before = known.iter().flat_map(|workflow| &workflow.statuses);
        let before = before.find(|place| !status.id.is_empty() && place.status == status.id);
        let layout = before.and_then(|place| place.layout.clone());
        Placed {
            status: status.name.clone(),
            properties: BTreeMap::new(),
            layout: layout.or_else(|| Some(serde_json::json!({"x": 200 * n, "y": 0}))),
        }
    });
    let places = places.collect();
    let transitions = shape::transitions(
        wanted,
        |part| {
            ids.roles
                .get(&part)
                .map_or_else(String::new, |role| role.id.clone())
        },
        |name| ids.resolutions.get(name).cloned().unwrap_or_default(),
        spelt,
    );
    let removed = diff
        .workflow
        .iter()
        .flat_map(|change| &change.statuses_removed);
    let moved = removed.filter_map(|(name, to)| {
        let mut used = site.library.statuses.values();
        let old = used.find(|status| status.name == *name)?;
        Some((old.id.clone(), spelt(to)))
    });
    let moved = moved.collect();
    Sent {
        name: wanted.name.clone(),
        description: wanted.description.clone(),
        statuses,
        places,
        transitions,
        moved,
    }
}

async fn workflow_scheme(
    admin: &JiraAdmin,
    wanted: &Wanted,
    site: &Site,
    diff: &Diff,
) -> Result<Scheme, WireError> {
    let Some(scheme) = &site.scheme else {
        let (name, text) = (&wanted.name, &wanted.description);
        return admin.create_scheme(name, text, name).await;
    };
    if diff.workflow_scheme.is_some() {
        let name = std::collections::BTreeSet::from([wanted.name.as_str()]);
        let library = admin.workflows(&name).await?;
        let workflow = library.workflows.get(&wanted.name);
        let id = workflow
            .map(|workflow| workflow.id.as_str())
            .unwrap_or_default();
        admin.update_scheme(scheme, &wanted.description, id).await?;
    }
    Ok(scheme.clone())
}

async fn permission_scheme(
    admin: &JiraAdmin,
    wanted: &Wanted,
    site: &Site,
    diff: &Diff,
    ids: &Ids,
) -> Result<String, WireError> {
    let grants = grants(wanted, |part| {
        ids.roles.get(&part).map(|role| role.id.clone())
    });
    let (name, text) = (&wanted.name, &wanted.description);
    let Some(scheme) = site.permission_scheme(name) else {
        return admin.create_permission_scheme(name, text, &grants).await;
    };
    if diff.permission_scheme.is_some() {
        admin
            .update_permission_scheme(&scheme.id, name, text, &grants)
            .await?;
    }
    Ok(scheme.id.clone())
}

/// Roles before permissions before the workflow: at no moment may the engine do less than it must, and the last step is
/// the one that takes closing from the team.
async fn project(
    admin: &JiraAdmin,
    ids: &Ids,
    change: &ProjectChange,
    found: &ProjectFound,
) -> Result<(), WireError> {
    let key = &found.project.key;
    for holders in &change.holders {
        if let Some(role) = ids.roles.get(&holders.part) {
            admin.set_holders(key, role, &holders.holders).await?;
        }
    }
    if change.permission_scheme.is_some() {
        admin
            .assign_permission_scheme(key, &ids.permission_scheme)
            .await?;
    }
    if change.workflow_scheme.is_some() {
        let mappings = mappings(ids, change, found);
        admin
            .assign_scheme((&found.project.id, key), &ids.scheme, &mappings)
            .await?;
    }
    Ok(())
}

fn mappings(ids: &Ids, change: &ProjectChange, found: &ProjectFound) -> Vec<Mapping> {
    let id_of = |name: &str| ids.statuses.get(&name.to_lowercase()).cloned();
    let types = found.types.iter().map(|(id, kind, statuses)| {
        let moved = statuses.iter().filter_map(|(old, name)| {
            let mut all = change.moved.iter();
            let (_, _, to) = all.find(|(of, from, _)| of == kind && from == name)?;
            Some((old.clone(), id_of(to)?))
        });
        Mapping {
            issue_type: id.clone(),
            statuses: moved.collect(),
        }
    });
    types
        .filter(|mapping| !mapping.statuses.is_empty())
        .collect()
}
