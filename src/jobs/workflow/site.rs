//! What Jira has of what the workflow file asks for: read as an administrator, and never written. A project that cannot
//! be read or managed is named with the reason; the others are read on.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;

use crate::config::{Config, Reviewers};
use crate::model::workflow::{Holder, Status};
use crate::wire::error::WireError;
use crate::wire::jira::admin::{JiraAdmin, Library, PermissionScheme, Role, Scheme, TypeStatuses};
use crate::wire::jira::{Deployment, JiraClient, Project};

use super::file::{Part, Wanted};
use super::shape::Names;

/// Projects that are asked about at the same time.
const AT_ONCE: usize = 8;

/// Why the rule cannot be installed anywhere on this site.
pub const DATA_CENTER: &str =
    "this is Jira Data Center: it has another API and no workflows by API. asaf needs Jira Cloud";
/// The same for a plan.
pub const FREE_PLAN: &str = "the site is on Jira's free plan, which cannot edit permissions and roles: whoever works in a project can close. \
     Move to a paid plan, or write [jira.workflow] kind = \"advisory\": asaf then undoes such closes and tells security";
/// The same for a project.
pub const TEAM_MANAGED: &str = "it is team-managed: its workflow and roles are its own, and its administrators change them, so \
     the rule cannot be kept there. Use a company-managed project, or accept advisory mode: asaf undoes such closes and \
     tells security";
/// The same for one that is not there.
pub const NOT_FOUND: &str = "Jira has no such project, it is archived, or the administrator may not see it: check the key in [owners]";

/// One project as it is.
#[derive(Clone, Debug)]
pub struct ProjectFound {
    /// Id, key, name.
    pub project: Project,
    /// Its workflow scheme.
    pub scheme: Scheme,
    /// The id of its permission scheme.
    pub permission_scheme: String,
    /// Who holds the roles that exist, with their names.
    pub holders: BTreeMap<Part, BTreeMap<Holder, String>>,
    /// Issues without our label; read only where the project does not follow the scheme yet.
    pub foreign: u64,
    /// Statuses by issue type, where tickets may have to move.
    pub types: Vec<TypeStatuses>,
}

/// A site as it is.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Why nothing can be installed.
    pub unfit: Option<&'static str>,
    /// Shared statuses.
    pub statuses: Vec<Status>,
    /// Resolutions: name to id.
    pub resolutions: BTreeMap<String, String>,
    /// Shared project roles.
    pub roles: Vec<Role>,
    /// The workflow, if it is there.
    pub library: Library,
    /// The workflow scheme, if it is there.
    pub scheme: Option<Scheme>,
    /// All permission schemes.
    pub permission_schemes: Vec<PermissionScheme>,
    /// All permissions that the site knows.
    pub permission_keys: BTreeSet<String>,
    /// Who is to hold the roles: group names to ids.
    pub groups: BTreeMap<String, String>,
    /// The engine's own account.
    pub bot: String,
    /// Projects by key.
    pub projects: BTreeMap<String, ProjectFound>,
    /// Projects that are left alone, by key, with the reason.
    pub left_alone: BTreeMap<String, String>,
}

impl Site {
    /// The role of a part, if it is there.
    pub fn role(&self, wanted: &Wanted, part: Part) -> Option<&Role> {
        let name = &wanted.role(part).name;
        self.roles.iter().find(|role| role.name == *name)
    }

    /// A shared status by name; upper and lower case are alike, as Jira has it.
    pub fn status(&self, name: &str) -> Option<&Status> {
        let name = name.to_lowercase();
        let mut all = self.statuses.iter();
        all.find(|status| status.name.to_lowercase() == name)
    }

    /// The permission scheme with a name.
    pub fn permission_scheme(&self, name: &str) -> Option<&PermissionScheme> {
        let mut all = self.permission_schemes.iter();
        all.find(|scheme| scheme.name == name)
    }

    /// Names by id.
    pub fn names(&self) -> Names {
        let shared = self.statuses.iter();
        let used = self.library.statuses.values();
        Names {
            statuses: used
                .chain(shared)
                .map(|status| (status.id.clone(), status.name.clone()))
                .collect(),
            roles: self
                .roles
                .iter()
                .map(|role| (role.id.clone(), role.name.clone()))
                .collect(),
            resolutions: self
                .resolutions
                .iter()
                .map(|(name, id)| (id.clone(), name.clone()))
                .collect(),
        }
    }
}

/// Names of the groups that are to hold a role.
fn group_names<'a>(config: &'a Config, keys: &[&str]) -> BTreeSet<&'a str> {
    let reviewers = match &config.jira.reviewers {
        Reviewers::Group(group) => Some(group.as_str()),
        Reviewers::Role { .. } | Reviewers::Accounts(_) => None,
    };
    let teams = match &config.jira.product_teams {
        Some(Reviewers::Group(group)) => Some(group.as_str()),
        _ => None,
    };
    let owned = config.owners.all();
    let owned = owned.filter(|owner| keys.contains(&owner.project.as_str()));
    let owned = owned.filter_map(|owner| owner.jira_group.as_deref());
    owned.chain(reviewers).chain(teams).collect()
}

/// Reads everything that the file speaks of.
///
/// # Errors
/// [`WireError`] for what all projects share. What fails for one project is in [`Site::left_alone`].
pub async fn read(
    admin: &JiraAdmin,
    engine: &JiraClient,
    config: &Config,
    wanted: &Wanted,
    keys: &[&str],
) -> Result<Site, WireError> {
    let mut site = Site::default();
    if admin.server().await?.deployment == Deployment::DataCenter {
        site.unfit = Some(DATA_CENTER);
        return Ok(site);
    }
    if admin.is_free().await? {
        site.unfit = Some(FREE_PLAN);
        return Ok(site);
    }
    engine.bot().await?.clone_into(&mut site.bot);
    site.statuses = admin.shared_statuses().await?;
    site.resolutions = admin.resolutions().await?;
    site.roles = admin.roles().await?;
    let workflows = BTreeSet::from([wanted.name.as_str()]);
    site.library = admin.workflows(&workflows).await?;
    site.scheme = admin.scheme_named(&wanted.name).await?;
    site.permission_schemes = admin.permission_schemes().await?;
    site.permission_keys = admin.permission_keys().await?;
    let names = group_names(config, keys);
    if !names.is_empty() {
        site.groups = admin.groups(&names).await?;
        let by_id = names
            .iter()
            .filter(|name| uuid::Uuid::try_parse(name).is_ok());
        let by_id: Vec<String> = by_id.map(|id| (*id).to_owned()).collect();
        site.groups
            .extend(by_id.into_iter().map(|id| (id.clone(), id)));
    }
    read_projects(admin, engine, wanted, keys, &mut site).await?;
    Ok(site)
}

async fn read_projects(
    admin: &JiraAdmin,
    engine: &JiraClient,
    wanted: &Wanted,
    keys: &[&str],
    site: &mut Site,
) -> Result<(), WireError> {
    let mut known = admin.projects(keys).await?;
    let mut managed = Vec::new();
    for key in keys {
        match known.remove(*key) {
            None => {
                site.left_alone
                    .insert((*key).to_owned(), NOT_FOUND.to_owned());
            }
            Some(project) if project.team_managed => {
                site.left_alone.insert(project.key, TEAM_MANAGED.to_owned());
            }
            Some(project) => managed.push(project),
        }
    }
    let ids: Vec<&str> = managed.iter().map(|project| project.id.as_str()).collect();
    let schemes = admin.schemes_of(&ids).await?;
    let read = {
        let site = &*site;
        let schemes = &schemes;
        let each = managed.into_iter().map(|project| async move {
            let scheme = schemes.get(&project.id).cloned().unwrap_or_default();
            let key = project.key.clone();
            let read = read_project(admin, engine, wanted, site, project, scheme);
            (key, read.await)
        });
        let each: Vec<_> = futures_util::stream::iter(each)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        each
    };
    for (key, read) in read {
        match read {
            Ok(found) => drop(site.projects.insert(key, found)),
            // Wrong credentials are no project's fault.
            Err(error @ WireError::Denied { status: 401, .. }) => return Err(error),
            Err(error) => drop(site.left_alone.insert(key, error.to_string())),
        }
    }
    Ok(())
}

async fn read_project(
    admin: &JiraAdmin,
    engine: &JiraClient,
    wanted: &Wanted,
    site: &Site,
    project: Project,
    scheme: Scheme,
) -> Result<ProjectFound, WireError> {
    let key = project.key.clone();
    let permission_scheme = admin.permission_scheme_of(&key).await?;
    let mut holders = BTreeMap::new();
    for part in Part::ALL {
        if let Some(role) = site.role(wanted, part) {
            holders.insert(part, admin.holders(&key, role).await?);
        }
    }
    let (mut foreign, mut types) = (0, Vec::new());
    if scheme.name != wanted.name {
        // Search shows each what they may see.
        let seen = [
            admin.issues(&key).await?,
            engine.issues(&key).await.unwrap_or_default(),
        ];
        foreign = seen
            .iter()
            .map(|seen| seen.all - seen.ours)
            .max()
            .unwrap_or(0);
        if seen.iter().any(|seen| seen.all > 0) {
            types = admin.type_statuses(&key).await?;
        }
    }
    Ok(ProjectFound {
        project,
        scheme,
        permission_scheme,
        holders,
        foreign,
        types,
    })
}
