//! What would have to change in Jira so that it follows the file. Pure: the same site and file give the same difference.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Config, Reviewers};
use crate::model::workflow::{Grant, Grantee, Holder};

use super::change::{Change, Diff, GrantsChange, HoldersChange, ProjectChange, WorkflowChange};
use super::file::{Part, Wanted};
use super::shape;
use super::site::{ProjectFound, Site};

/// Compares.
///
/// # Errors
/// A sentence, when configuration and site do not fit together.
pub fn diff(config: &Config, wanted: &Wanted, site: &Site) -> Result<Diff, String> {
    if let Some(why) = site.unfit {
        return Ok(Diff {
            unfit: Some(why.to_owned()),
            ..Diff::default()
        });
    }
    fits(config, wanted, site)?;
    let resolutions: BTreeSet<&str> = wanted
        .transitions
        .iter()
        .filter_map(|one| one.resolution.as_deref())
        .filter(|name| !name.is_empty() && !site.resolutions.contains_key(*name))
        .collect();
    let roles = Part::ALL.into_iter();
    let roles = roles.filter(|part| site.role(wanted, *part).is_none());
    let statuses = wanted.statuses.iter();
    let statuses = statuses.filter(|status| site.status(&status.name).is_none());
    let mut diff = Diff {
        roles: roles.map(|part| wanted.role(part).name.clone()).collect(),
        resolutions: resolutions.into_iter().map(str::to_owned).collect(),
        statuses: statuses.map(|status| status.name.clone()).collect(),
        workflow: workflow(config, wanted, site),
        workflow_scheme: workflow_scheme(wanted, site),
        permission_scheme: permission_scheme(wanted, site),
        left_alone: site.left_alone.clone(),
        ..Diff::default()
    };
    for (key, found) in &site.projects {
        let change = project(config, wanted, site, key, found);
        if change.is_empty() {
            diff.in_step += 1;
        } else {
            diff.projects.insert(key.clone(), change);
        }
        diff.notes
            .extend(nobody_resolves(config, wanted, key, found));
    }
    Ok(diff)
}

/// What the configuration names must be there.
fn fits(config: &Config, wanted: &Wanted, site: &Site) -> Result<(), String> {
    let unknown = wanted
        .permissions
        .keys()
        .find(|key| !site.permission_keys.contains(*key));
    if let Some(key) = unknown {
        return Err(format!(
            "[permissions] {key} is no permission of this Jira site: correct the workflow file"
        ));
    }
    let missing = |group: &str| !site.groups.contains_key(group);
    let no_group = |place: &str, group: &str| {
        Err(format!(
            "{place} names the group {group}, which Jira does not have: create it, or name another"
        ))
    };
    for (place, people) in [
        ("jira.reviewers", Some(&config.jira.reviewers)),
        ("jira.product_teams", config.jira.product_teams.as_ref()),
    ] {
        if let Some(Reviewers::Group(group)) = people
            && missing(group)
        {
            return no_group(place, group);
        }
    }
    for owner in config.owners.all() {
        let concerns = site.projects.contains_key(&owner.project);
        if let Some(group) = owner.jira_group.as_deref().filter(|_| concerns)
            && missing(group)
        {
            return no_group(&format!("the owner of {}", owner.project), group);
        }
    }
    if let Reviewers::Role { role, .. } = &config.jira.reviewers
        && site.role(wanted, Part::Reviewer).is_none()
    {
        return Err(format!(
            "jira.reviewers names the role {role}, which Jira does not have: create it, or name a group"
        ));
    }
    Ok(())
}

fn workflow(config: &Config, wanted: &Wanted, site: &Site) -> Option<WorkflowChange> {
    let names = site.names();
    let new = shape::wanted(wanted);
    let Some(known) = site.library.workflows.get(&wanted.name) else {
        return Some(WorkflowChange {
            created: true,
            statuses_added: wanted.statuses.iter().map(|s| s.name.clone()).collect(),
            transitions: new
                .into_iter()
                .map(|(id, new)| {
                    (
                        id,
                        Change {
                            old: None,
                            new: Some(new),
                        },
                    )
                })
                .collect(),
            ..WorkflowChange::default()
        });
    };
    // A status that exists keeps its own spelling.
    let spelt = |name: &str| {
        let known = site.status(name);
        known.map_or_else(|| name.to_owned(), |status| status.name.clone())
    };
    let mut old = shape::found(known, &names);
    let mut change = WorkflowChange::default();
    for (id, mut shape) in new {
        shape.to = spelt(&shape.to);
        if shape.from != "creation" {
            let from: BTreeSet<String> = shape.from.split(", ").map(spelt).collect();
            shape.from = from.into_iter().collect::<Vec<_>>().join(", ");
        }
        let old = old.remove(&id);
        if old.as_ref() != Some(&shape) {
            let new = Some(shape);
            change.transitions.insert(id, Change { old, new });
        }
    }
    for (id, gone) in old {
        let gone = Change {
            old: Some(gone),
            new: None,
        };
        change.transitions.insert(id, gone);
    }
    let has: BTreeSet<String> = known
        .statuses
        .iter()
        .map(|place| names.status(&place.status))
        .collect();
    let needs: BTreeSet<String> = wanted.statuses.iter().map(|s| spelt(&s.name)).collect();
    change.statuses_added = needs.difference(&has).cloned().collect();
    for place in &known.statuses {
        let name = names.status(&place.status);
        if needs.contains(&name) {
            let properties = place.properties.keys();
            let rows = properties.map(|property| format!("{name}: {property}"));
            change.properties_removed.extend(rows);
        } else {
            let to = instead(config, wanted, site, &place.status, &name);
            change.statuses_removed.push((name, to));
        }
    }
    (change != WorkflowChange::default()).then_some(change)
}

/// Where a ticket goes whose status goes: to the status with the same meaning, else by category.
fn instead(config: &Config, wanted: &Wanted, site: &Site, id: &str, name: &str) -> String {
    use crate::model::TicketState;
    use crate::model::workflow::Category;
    let meaning = config.jira.statuses.state_of(id, name).unwrap_or_else(|| {
        let all = site.statuses.iter().chain(site.library.statuses.values());
        let category = all
            .clone()
            .find(|status| status.id == id)
            .map(|s| s.category);
        match category {
            Some(Category::Done) => TicketState::Closed,
            _ => TicketState::Open,
        }
    });
    let mut fitting = wanted.meaning_of(meaning);
    fitting.next().unwrap_or_default().to_owned()
}

fn workflow_scheme(wanted: &Wanted, site: &Site) -> Option<Change<String>> {
    let new = Some(wanted.name.clone());
    match &site.scheme {
        None => Some(Change { old: None, new }),
        Some(scheme) if scheme.default == wanted.name && scheme.by_type.is_empty() => None,
        Some(scheme) => {
            let own = scheme.by_type.values();
            let all: BTreeSet<&str> = own.chain([&scheme.default]).map(String::as_str).collect();
            let old = all.into_iter().collect::<Vec<_>>().join(", ");
            Some(Change {
                old: Some(old),
                new,
            })
        }
    }
}

/// The grants that the file asks for; roles that are not there yet are left out.
pub(super) fn grants(wanted: &Wanted, role: impl Fn(Part) -> Option<String>) -> BTreeSet<Grant> {
    let all = wanted.permissions.iter();
    all.flat_map(|(key, parts)| parts.iter().map(move |part| (key.clone(), *part)))
        .filter_map(|(key, part)| Some((key, Grantee::Role(role(part)?))))
        .collect()
}

fn permission_scheme(wanted: &Wanted, site: &Site) -> Option<GrantsChange> {
    let wants: BTreeSet<(String, String)> = wanted
        .permissions
        .iter()
        .flat_map(|(key, parts)| {
            let names = parts.iter().map(|part| wanted.role(*part).name.clone());
            names.map(move |name| (key.clone(), name))
        })
        .collect();
    let names = site.names();
    let has = site.permission_scheme(&wanted.name).map(|scheme| {
        let grants = scheme.grants.iter();
        let grants = grants.map(|(key, to)| (key.clone(), grantee_words(to, &names)));
        grants.collect::<BTreeSet<_>>()
    });
    let change = GrantsChange {
        created: has.is_none(),
        added: wants
            .difference(&has.clone().unwrap_or_default())
            .cloned()
            .collect(),
        removed: has
            .unwrap_or_default()
            .difference(&wants)
            .cloned()
            .collect(),
    };
    (change != GrantsChange::default()).then_some(change)
}

/// To whom something is granted, in words.
pub(super) fn grantee_words(to: &Grantee, names: &shape::Names) -> String {
    match to {
        Grantee::Anyone => "anyone on the internet".to_owned(),
        Grantee::Application(name) if name.is_empty() => "everybody with a login".to_owned(),
        Grantee::Application(name) => format!("everybody with access to {name}"),
        Grantee::Role(id) => names.role(id),
        Grantee::Group(id) => format!("the group {id}"),
        Grantee::User(id) => format!("the account {id}"),
        Grantee::Other(kind, text) => format!("{kind} {text}").trim_end().to_owned(),
    }
}

fn project(
    config: &Config,
    wanted: &Wanted,
    site: &Site,
    key: &str,
    found: &ProjectFound,
) -> ProjectChange {
    let mut change = ProjectChange {
        foreign_issues: found.foreign,
        ..ProjectChange::default()
    };
    if found.scheme.name != wanted.name {
        change.workflow_scheme = Some(Change {
            old: Some(found.scheme.name.clone()),
            new: Some(wanted.name.clone()),
        });
        for (_, kind, statuses) in &found.types {
            let gone = statuses.iter().filter(|(_, name)| {
                let name = name.to_lowercase();
                !wanted
                    .statuses
                    .iter()
                    .any(|status| status.name.to_lowercase() == name)
            });
            change.moved.extend(gone.map(|(id, name)| {
                let to = instead(config, wanted, site, id, name);
                (kind.clone(), name.clone(), to)
            }));
        }
    }
    let own = site.permission_scheme(&wanted.name);
    if own.is_none_or(|own| own.id != found.permission_scheme) {
        let mut all = site.permission_schemes.iter();
        let old = all.find(|scheme| scheme.id == found.permission_scheme);
        change.permission_scheme = Some(Change {
            old: old.map(|scheme| scheme.name.clone()),
            new: Some(wanted.name.clone()),
        });
    }
    for part in Part::ALL {
        change
            .holders
            .extend(holders(config, wanted, site, key, found, part));
    }
    change
}

/// Who is to hold a role; `None`: people decide that in Jira.
fn holders_wanted(config: &Config, site: &Site, key: &str, part: Part) -> Option<BTreeSet<Holder>> {
    let of = |people: &Reviewers| match people {
        Reviewers::Group(group) => {
            let id = site.groups.get(group)?;
            Some(BTreeSet::from([Holder::Group(id.clone())]))
        }
        Reviewers::Accounts(ids) => Some(ids.iter().cloned().map(Holder::User).collect()),
        Reviewers::Role { .. } => None,
    };
    match part {
        Part::Bot => Some(BTreeSet::from([Holder::User(site.bot.clone())])),
        Part::Reviewer => of(&config.jira.reviewers),
        Part::Product => {
            let teams = config.jira.product_teams.as_ref().and_then(of);
            let owners = config.owners.all().filter(|owner| owner.project == key);
            let groups = owners.filter_map(|owner| site.groups.get(owner.jira_group.as_deref()?));
            let groups = groups.map(|id| Holder::Group(id.clone()));
            let all: BTreeSet<Holder> = teams.into_iter().flatten().chain(groups).collect();
            (!all.is_empty()).then_some(all)
        }
    }
}

/// Nobody but those who are named may review or act for the engine; a product team may have more people.
fn holders(
    config: &Config,
    wanted: &Wanted,
    site: &Site,
    key: &str,
    found: &ProjectFound,
    part: Part,
) -> Option<HoldersChange> {
    let wants = holders_wanted(config, site, key, part)?;
    let none = BTreeMap::new();
    let has = found.holders.get(&part).unwrap_or(&none);
    let name = |holder: &Holder| match holder {
        holder if has.contains_key(holder) => has[holder].clone(),
        Holder::User(id) if *id == site.bot => config.jira.email.clone(),
        Holder::User(id) => format!("account {id}"),
        Holder::Group(id) => {
            let mut groups = site.groups.iter();
            let known = groups.find(|(_, known)| *known == id);
            format!(
                "group {}",
                known.map_or(id.as_str(), |(name, _)| name.as_str())
            )
        }
    };
    let added = wants.iter().filter(|holder| !has.contains_key(holder));
    let added: Vec<String> = added.map(name).collect();
    let surplus = has.keys().filter(|holder| !wants.contains(holder));
    let surplus: Vec<&Holder> = surplus.filter(|_| part != Part::Product).collect();
    if added.is_empty() && surplus.is_empty() {
        return None;
    }
    let mut holders = wants.clone();
    if part == Part::Product {
        holders.extend(has.keys().cloned());
    }
    Some(HoldersChange {
        role: wanted.role(part).name.clone(),
        added,
        removed: surplus.into_iter().map(name).collect(),
        part,
        holders,
    })
}

fn nobody_resolves(
    config: &Config,
    wanted: &Wanted,
    key: &str,
    found: &ProjectFound,
) -> Option<String> {
    let named = config.jira.product_teams.is_some()
        || config
            .owners
            .all()
            .any(|owner| owner.project == key && owner.jira_group.is_some());
    let held = found.holders.get(&Part::Product);
    if named || held.is_some_and(|held| !held.is_empty()) {
        return None;
    }
    Some(format!(
        "Nobody holds the role “{}” in {key}, so no team can work on its tickets: name the team's group with jira_group \
         at its owner, or all teams with jira.product_teams, or give the role to people in Jira.",
        wanted.role(Part::Product).name
    ))
}
