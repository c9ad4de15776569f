//! Who the bot is, and who may close. Reviewers who cannot be read are `None`: then nobody may close.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use http::Method;
use jiff::SignedDuration;

use crate::ports::People;
use crate::wire::error::WireError;
use crate::wire::http::{Operation, Request, encode};

use super::decode::{ActorGroup, GroupPage, Myself, Role};
use super::{JiraClient, PeopleFrom};

/// How long a reviewer who was removed may still count.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// Members on one page; Jira's default and largest.
const MEMBERS: usize = 50;
/// Members beyond this are not read: such a group does not name reviewers.
const LARGEST_GROUP: usize = 10_000;

/// Jira tells the roles of a project, and who holds them, only to who administers it; others get 404 (Jira REST v3: get
/// project roles for project).
const ADMINISTER: &str = "Administer projects";

impl JiraClient {
    /// The bot's own account, read once.
    pub(super) async fn myself(&self) -> Result<&Myself, WireError> {
        self.myself
            .get_or_try_init(|| async {
                let operation = Operation::read(
                    "GET /rest/api/3/myself",
                    "read the bot's own Jira account",
                    "access to Jira, and the scope read:jira-user for a scoped token",
                );
                let request = Request::new(Method::GET, "/rest/api/3/myself");
                self.http
                    .send(&operation, request)
                    .await?
                    .decode(&operation)
            })
            .await
    }

    /// Bot, reviewers and teams; kept for ten minutes once the reviewers were read.
    pub(super) async fn read_people(&self) -> Result<People, WireError> {
        let now = self.http.clock().now();
        let kept = {
            let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
            people.clone()
        };
        if let Some((read_at, people)) = kept
            && now.duration_since(read_at) < KEPT
        {
            return Ok(people);
        }
        let bot = self.myself().await?.account_id.clone();
        let teams = self.read_teams().await;
        match self.read_from(&self.reviewers).await {
            Ok(mut reviewers) => {
                // The bot acts for others and approves nothing by itself.
                reviewers.remove(&bot);
                let people = People {
                    bot,
                    reviewers: Some(reviewers),
                    teams,
                };
                let mut kept = self.people.lock().unwrap_or_else(PoisonError::into_inner);
                *kept = Some((now, people.clone()));
                Ok(people)
            }
            Err(error) => {
                tracing::warn!(%error, "the reviewers cannot be read, so nobody may close for now");
                Ok(People {
                    bot,
                    reviewers: None,
                    teams,
                })
            }
        }
    }

    /// The product teams decide nothing, so they may be unknown.
    async fn read_teams(&self) -> Option<BTreeSet<String>> {
        let from = self.teams.as_ref()?;
        match self.read_from(from).await {
            Ok(teams) => Some(teams),
            Err(error) => {
                tracing::warn!(%error, "the product teams cannot be read");
                None
            }
        }
    }

    pub(super) async fn read_from(&self, from: &PeopleFrom) -> Result<BTreeSet<String>, WireError> {
        match from {
            PeopleFrom::AccountIds(ids) => Ok(ids.iter().cloned().collect()),
            PeopleFrom::Group(group) => self.group_members(&group_param(group)).await,
            PeopleFrom::ProjectRole { project, role } => self.role_holders(project, role).await,
        }
    }

    async fn group_members(
        &self,
        (name, group): &(&'static str, String),
    ) -> Result<BTreeSet<String>, WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/group/member",
            format!("read the members of the group {group}"),
            "Browse users and groups (global), and the scope manage:jira-configuration for a scoped token",
        );
        let mut members = BTreeSet::new();
        let mut start = 0;
        while start < LARGEST_GROUP {
            let request = Request::new(Method::GET, "/rest/api/3/group/member")
                .with(name, group)
                .with("includeInactiveUsers", false)
                .with("startAt", start)
                .with("maxResults", MEMBERS);
            let answer = self.http.send(&operation, request).await?;
            let page: GroupPage = answer.decode(&operation)?;
            start += page.values.len();
            let last = page.is_last || page.values.is_empty();
            let active = page.values.into_iter().filter(|account| account.active);
            members.extend(active.map(|account| account.account_id));
            if last {
                break;
            }
        }
        Ok(members)
    }

    async fn role_holders(&self, project: &str, role: &str) -> Result<BTreeSet<String>, WireError> {
        let id = self.role_id(project, role).await?;
        let operation = Operation::read(
            "GET /rest/api/3/project/{project}/role/{role}",
            format!("read who holds the role {role} in project {project}"),
            ADMINISTER,
        );
        let path = format!(
            "/rest/api/3/project/{}/role/{}",
            encode(project),
            encode(&id)
        );
        let request = Request::new(Method::GET, path).with("excludeInactiveUsers", true);
        let answer = self.http.send(&operation, request).await;
        let found: Role = answer.map_err(may_be_denied)?.decode(&operation)?;
        let mut holders = BTreeSet::new();
        for actor in found.actors {
            if let Some(user) = actor.actor_user.filter(|user| user.active) {
                holders.insert(user.account_id);
            }
            if let Some(group) = actor.actor_group {
                holders.extend(self.group_members(&actor_group_param(group)).await?);
            }
        }
        Ok(holders)
    }

    /// A role's numeric id; the map of roles gives it only as the last segment of a link.
    pub(super) async fn role_id(&self, project: &str, role: &str) -> Result<String, WireError> {
        if !role.is_empty() && role.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(role.to_owned());
        }
        let operation = Operation::read(
            "GET /rest/api/3/project/{project}/role",
            format!("read the roles of project {project}"),
            ADMINISTER,
        );
        let path = format!("/rest/api/3/project/{}/role", encode(project));
        let request = Request::new(Method::GET, path);
        let answer = self
            .http
            .send(&operation, request)
            .await
            .map_err(may_be_denied)?;
        let roles: BTreeMap<String, String> = answer.decode(&operation)?;
        let named = roles
            .iter()
            .find(|(name, _)| name.to_lowercase() == role.to_lowercase());
        named
            .and_then(|(_, link)| link.rsplit('/').next())
            .map(str::to_owned)
            .ok_or_else(|| WireError::NotFound {
                what: operation.what,
                message: format!("it has no role named {role}"),
            })
    }
}

/// A missing permission on roles looks like a missing project.
fn may_be_denied(error: WireError) -> WireError {
    match error {
        WireError::NotFound { what, message } => WireError::Denied {
            what,
            status: 404,
            message,
            fix: format!(
                "Check the project's key, and that the bot holds the permission {ADMINISTER} there; reviewers by a \
                 group need it not"
            ),
        },
        other => other,
    }
}

fn group_param(group: &str) -> (&'static str, String) {
    if uuid::Uuid::try_parse(group).is_ok() {
        ("groupId", group.to_owned())
    } else {
        ("groupname", group.to_owned())
    }
}

fn actor_group_param(group: ActorGroup) -> (&'static str, String) {
    match group.group_id {
        Some(id) => ("groupId", id),
        None => ("groupname", group.name),
    }
}
