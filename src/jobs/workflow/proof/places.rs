//! What is read of each project before it is judged: its workflow, what the statuses mean, permissions, and who holds
//! what. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;

use crate::jobs::workflow::shape::Names;
use crate::jobs::workflow::site::{DATA_CENTER, FREE_PLAN, NOT_FOUND, TEAM_MANAGED};
use crate::jobs::workflow::{Setup, Trouble};
use crate::model::TicketState;
use crate::model::workflow::{Grantee, Holder, Workflow};
use crate::ports::TicketsReader as _;
use crate::wire::error::WireError;
use crate::wire::jira::admin::{Account, PermissionScheme, Role, Scheme};
use crate::wire::jira::{Deployment, Project};

use super::passing::{People, named};

/// Projects that are asked about at the same time.
const AT_ONCE: usize = 8;

/// One project, ready to be judged.
pub(crate) struct Place {
    pub(crate) key: String,
    pub(crate) workflow: Workflow,
    /// What its statuses mean, by id; those without a meaning are absent.
    pub(crate) meanings: BTreeMap<String, TicketState>,
    pub(crate) people: People,
    /// Workflow and permission scheme: places with the same are of one kind.
    kind: (String, String),
}

/// All projects, and what they share.
#[derive(Default)]
pub(crate) struct Places {
    pub(crate) all: BTreeMap<String, Place>,
    /// Projects that cannot have the rule, or cannot be read, with the reason.
    pub(crate) left_alone: BTreeMap<String, String>,
    pub(crate) names: Names,
    /// Names of accounts, as far as they are known.
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) reviewers: BTreeSet<String>,
    pub(crate) bot: String,
    /// Accounts that administer Jira.
    pub(crate) admins: BTreeSet<String>,
}

/// What all projects share, while they are read.
struct Shared {
    schemes: BTreeMap<String, Scheme>,
    workflows: BTreeMap<String, Workflow>,
    permission_schemes: Vec<PermissionScheme>,
    roles: Vec<Role>,
    issue_type: Option<String>,
}

/// One project as it is read: its workflow's name, its permission scheme, holders of the roles that matter.
struct Read {
    project: Project,
    workflow: String,
    scheme: PermissionScheme,
    roles: BTreeMap<String, BTreeMap<Holder, String>>,
}

impl Places {
    /// Reads these projects.
    ///
    /// # Errors
    /// What all projects share cannot be read. A project that cannot is in [`Places::left_alone`].
    pub(crate) async fn read(setup: &Setup, keys: &[&str]) -> Result<Self, Trouble> {
        let (admin, mut places) = (&setup.admin, Places::default());
        let nowhere = if admin.server().await?.deployment == Deployment::DataCenter {
            Some(DATA_CENTER)
        } else if admin.is_free().await? {
            Some(FREE_PLAN)
        } else {
            None
        };
        if let Some(why) = nowhere {
            let all = keys.iter().map(|key| ((*key).to_owned(), why.to_owned()));
            places.left_alone = all.collect();
            return Ok(places);
        }
        let people = setup.clients.jira.people().await?;
        places.bot = people.bot;
        places.reviewers = people.reviewers.ok_or_else(|| {
            Trouble::Configuration(
                "the reviewers (jira.reviewers) cannot be read, so nobody may close: correct that first".to_owned(),
            )
        })?;
        let managed = places.managed(setup, keys).await?;
        let shared = share(setup, &managed, &mut places).await?;
        let each = managed.into_iter().map(|project| {
            let shared = &shared;
            async move {
                let key = project.key.clone();
                (key, read_one(setup, shared, project).await)
            }
        });
        let read: Vec<_> = futures_util::stream::iter(each)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut good = Vec::new();
        for (key, one) in read {
            match one {
                Ok(one) => good.push(one),
                Err(error @ WireError::Denied { status: 401, .. }) => return Err(error.into()),
                Err(error) => drop(places.left_alone.insert(key, error.to_string())),
            }
        }
        let groups = places.members(setup, &shared, &good).await?;
        for one in good {
            places.place(setup, &shared, &groups, one);
        }
        places.find_admins(setup).await?;
        Ok(places)
    }

    /// The projects that have schemes at all.
    async fn managed(&mut self, setup: &Setup, keys: &[&str]) -> Result<Vec<Project>, WireError> {
        let mut known = setup.admin.projects(keys).await?;
        let mut managed = Vec::new();
        for key in keys {
            let why = match known.remove(*key) {
                None => NOT_FOUND,
                Some(project) if project.team_managed => TEAM_MANAGED,
                Some(project) => {
                    managed.push(project);
                    continue;
                }
            };
            self.left_alone.insert((*key).to_owned(), why.to_owned());
        }
        Ok(managed)
    }

    /// Members of every group that a condition, a grant or a role names: by group id.
    async fn members(
        &mut self,
        setup: &Setup,
        shared: &Shared,
        read: &[Read],
    ) -> Result<BTreeMap<String, BTreeSet<String>>, WireError> {
        let mut wanted = BTreeSet::new();
        for one in read {
            let holders = one.roles.values().flat_map(BTreeMap::iter);
            for (holder, name) in holders {
                match holder {
                    Holder::Group(id) => drop(wanted.insert(id.clone())),
                    Holder::User(id) => {
                        let account = Account {
                            name: name.clone(),
                            is_app: false,
                        };
                        self.accounts.entry(id.clone()).or_insert(account);
                    }
                }
            }
            for (_, to) in &one.scheme.grants {
                if let Grantee::Group(id) = to {
                    wanted.insert(id.clone());
                }
            }
            if let Some(workflow) = shared.workflows.get(&one.workflow) {
                let all = workflow.transitions.iter();
                wanted.extend(all.flat_map(|transition| named(&transition.conditions).1));
            }
        }
        let mut groups = BTreeMap::new();
        for id in wanted {
            match setup.admin.members(&id).await {
                Ok(members) => {
                    groups.insert(id, members.keys().cloned().collect());
                    self.accounts.extend(members);
                }
                // A group that is gone or cannot be read counts as open where it is named.
                Err(error) if crate::wire::jira::person::is_refusal(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(groups)
    }

    fn place(
        &mut self,
        setup: &Setup,
        shared: &Shared,
        groups: &BTreeMap<String, BTreeSet<String>>,
        read: Read,
    ) {
        let Some(workflow) = shared.workflows.get(&read.workflow) else {
            let why = format!("its workflow {} cannot be read", read.workflow);
            self.left_alone.insert(read.project.key, why);
            return;
        };
        let statuses = &setup.config.jira.statuses;
        let meaning = |id: &String| {
            let state = statuses.state_of(id, &self.names.status(id))?;
            Some((id.clone(), state))
        };
        let placed = workflow.statuses.iter().map(|place| &place.status);
        let people = People {
            roles: read
                .roles
                .into_iter()
                .map(|(role, holders)| (role, holders.into_keys().collect()))
                .collect(),
            groups: groups.clone(),
            grants: read.scheme.grants,
        };
        let place = Place {
            key: read.project.key.clone(),
            meanings: placed.filter_map(meaning).collect(),
            workflow: workflow.clone(),
            people,
            kind: (read.workflow, read.scheme.id),
        };
        self.all.insert(read.project.key, place);
    }

    /// Of those who hold what product teams must not, the administrators of Jira: they can change it anyway.
    async fn find_admins(&mut self, setup: &Setup) -> Result<(), WireError> {
        let mut suspects = BTreeSet::new();
        for place in self.all.values() {
            for (key, _) in crate::jobs::workflow::file::NOT_FOR_TEAMS {
                suspects.extend(place.people.permission(key).accounts);
            }
        }
        for suspect in suspects {
            let known = suspect == self.bot || self.reviewers.contains(&suspect);
            if !known && setup.admin.administers(&suspect).await? {
                self.admins.insert(suspect);
            }
        }
        Ok(())
    }

    /// In which projects to try: the sandbox, if it is of the kind, else the first of each kind; with the projects for
    /// which each stands.
    pub(crate) fn chosen(&self, sandbox: Option<&str>) -> Vec<(String, Vec<String>)> {
        let mut kinds: BTreeMap<&(String, String), Vec<&str>> = BTreeMap::new();
        for (key, place) in &self.all {
            kinds.entry(&place.kind).or_default().push(key);
        }
        let chosen = kinds.values().map(|keys| {
            let own = keys.iter().find(|key| sandbox == Some(**key));
            let one = own.or(keys.first()).copied().unwrap_or_default();
            let all = keys.iter().map(|key| (*key).to_owned()).collect();
            (one.to_owned(), all)
        });
        chosen.collect()
    }

    /// The name of an account.
    pub(crate) fn account(&self, id: &str) -> String {
        let known = self
            .accounts
            .get(id)
            .filter(|account| !account.name.is_empty());
        known.map_or_else(|| format!("account {id}"), |account| account.name.clone())
    }
}

async fn share(
    setup: &Setup,
    managed: &[Project],
    places: &mut Places,
) -> Result<Shared, WireError> {
    let admin = &setup.admin;
    let ids: Vec<&str> = managed.iter().map(|project| project.id.as_str()).collect();
    let schemes = admin.schemes_of(&ids).await?;
    // Only a scheme that parts issue types needs to know which one is ours.
    let parted = schemes.values().any(|scheme| !scheme.by_type.is_empty());
    let mut issue_type = None;
    if let Some(project) = managed.first().filter(|_| parted) {
        let name = setup.config.jira.issue_type.to_lowercase();
        let types = admin.type_statuses(&project.key).await?;
        let mut types = types.into_iter();
        issue_type = types
            .find(|(_, kind, _)| kind.to_lowercase() == name)
            .map(|(id, ..)| id);
    }
    let of_type = issue_type.as_deref().unwrap_or_default();
    let names: BTreeSet<&str> = schemes
        .values()
        .map(|scheme| scheme.workflow_for(of_type))
        .collect();
    let library = admin.workflows(&names).await?;
    let roles = admin.roles().await?;
    places.names = Names {
        statuses: library
            .statuses
            .values()
            .map(|status| (status.id.clone(), status.name.clone()))
            .collect(),
        roles: roles
            .iter()
            .map(|role| (role.id.clone(), role.name.clone()))
            .collect(),
        ..Names::default()
    };
    Ok(Shared {
        workflows: library.workflows,
        permission_schemes: admin.permission_schemes().await?,
        schemes,
        roles,
        issue_type,
    })
}

async fn read_one(setup: &Setup, shared: &Shared, project: Project) -> Result<Read, WireError> {
    let admin = &setup.admin;
    let of_type = shared.issue_type.as_deref().unwrap_or_default();
    let scheme = shared.schemes.get(&project.id);
    let workflow = scheme.map(|scheme| scheme.workflow_for(of_type).to_owned());
    let workflow = workflow.unwrap_or_default();
    let id = admin.permission_scheme_of(&project.key).await?;
    let mut all = shared.permission_schemes.iter();
    let scheme = all.find(|scheme| scheme.id == id).cloned();
    let scheme = scheme.ok_or_else(|| WireError::NotFound {
        what: format!("read the permission scheme of {}", project.key),
        message: format!("Jira lists no scheme {id}"),
    })?;
    let mut wanted = BTreeSet::new();
    for (_, to) in &scheme.grants {
        if let Grantee::Role(id) = to {
            wanted.insert(id.clone());
        }
    }
    if let Some(workflow) = shared.workflows.get(&workflow) {
        let all = workflow.transitions.iter();
        wanted.extend(all.flat_map(|transition| named(&transition.conditions).0));
    }
    let mut roles = BTreeMap::new();
    for role in shared.roles.iter().filter(|role| wanted.contains(&role.id)) {
        roles.insert(role.id.clone(), admin.holders(&project.key, role).await?);
    }
    Ok(Read {
        project,
        workflow,
        scheme,
        roles,
    })
}
