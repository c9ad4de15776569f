//! What anybody with a login learns of a site: what runs there, on which plan, and of which kind its projects are.

use std::collections::BTreeMap;

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::wire::error::WireError;
use crate::wire::http::{Http, Operation, Request};

use super::{BadValue, Field, JiraClient, Jql, LABEL};

/// Projects named in one request (Jira REST v3: get projects paginated, `keys`).
const KEYS_MOST: usize = 50;
/// Projects on a page.
const PAGE: usize = 100;

/// What runs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// Jira Cloud.
    Cloud,
    /// Jira Data Center, or Server: another API, and no workflows by API.
    DataCenter,
}

/// A Jira server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What runs there.
    pub deployment: Deployment,
    /// Its version, as it says.
    pub version: String,
    /// Its clock.
    pub time: Option<Timestamp>,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Id.
    pub id: String,
    /// Key.
    pub key: String,
    /// Name.
    pub name: String,
    /// It has a workflow, roles and permissions of its own, which its administrators change (Jira: *next-gen*).
    pub team_managed: bool,
}

/// The issues of a project, about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Issues {
    /// All that may be seen.
    pub all: u64,
    /// Those with our label.
    pub ours: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerInfo {
    #[serde(default)]
    deployment_type: String,
    #[serde(default)]
    version: String,
    server_time: Option<String>,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
}

#[derive(Deserialize)]
struct License {
    #[serde(default)]
    applications: Vec<Application>,
}

#[derive(Deserialize)]
struct Application {
    #[serde(default)]
    id: String,
    #[serde(default)]
    plan: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    values: Vec<ProjectRow>,
    #[serde(default)]
    is_last: bool,
}

#[derive(Deserialize)]
struct ProjectRow {
    id: String,
    key: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    style: String,
    #[serde(default)]
    simplified: bool,
}

impl From<ProjectRow> for Project {
    fn from(row: ProjectRow) -> Self {
        Project {
            id: row.id,
            key: row.key,
            name: row.name,
            team_managed: row.style == "next-gen" || row.simplified,
        }
    }
}

/// Version 2, because Data Center has no other.
pub(super) async fn server(http: &Http) -> Result<Server, WireError> {
    let operation = Operation::read(
        "GET /rest/api/2/serverInfo",
        "ask what runs at the Jira site",
        "none",
    );
    let request = Request::new(Method::GET, "/rest/api/2/serverInfo");
    let info: ServerInfo = http.send(&operation, request).await?.decode(&operation)?;
    let deployment = if info.deployment_type.eq_ignore_ascii_case("cloud") {
        Deployment::Cloud
    } else {
        Deployment::DataCenter
    };
    Ok(Server {
        deployment,
        version: info.version,
        time: info.server_time.and_then(|at| at.parse().ok()),
    })
}

/// Free plans cannot edit permissions and roles (Atlassian: permissions for company-managed projects).
pub(super) async fn is_free(http: &Http) -> Result<bool, WireError> {
    let operation = Operation::read(
        "GET /rest/api/3/instance/license",
        "ask for the site's plan",
        "none",
    );
    let request = Request::new(Method::GET, "/rest/api/3/instance/license");
    let license: License = http.send(&operation, request).await?.decode(&operation)?;
    let jira = |id: &str| matches!(id, "jira-software" | "jira-core");
    let plans = license.applications.iter().filter(|one| jira(&one.id));
    let plans: Vec<&str> = plans.map(|one| one.plan.as_str()).collect();
    Ok(plans.contains(&"FREE") && !plans.contains(&"PAID"))
}

/// Those of these projects that exist and may be seen, by key.
pub(super) async fn projects(
    http: &Http,
    keys: &[&str],
) -> Result<BTreeMap<String, Project>, WireError> {
    let mut found = BTreeMap::new();
    for some in keys.chunks(KEYS_MOST) {
        let operation = operation(format!("look for {} projects", some.len()));
        let mut request =
            Request::new(Method::GET, "/rest/api/3/project/search").with("maxResults", PAGE);
        for key in some {
            request = request.with("keys", key);
        }
        let page: Page = http.send(&operation, request).await?.decode(&operation)?;
        let rows = page.values.into_iter().map(Project::from);
        found.extend(rows.map(|project| (project.key.clone(), project)));
    }
    Ok(found)
}

/// The first projects that may be seen, at most `most`.
pub(super) async fn all_projects(http: &Http, most: usize) -> Result<Vec<Project>, WireError> {
    let operation = operation("look for projects".to_owned());
    let mut found = Vec::new();
    while found.len() < most {
        let request = Request::new(Method::GET, "/rest/api/3/project/search")
            .with("startAt", found.len())
            .with("maxResults", PAGE);
        let page: Page = http.send(&operation, request).await?.decode(&operation)?;
        let last = page.is_last || page.values.is_empty();
        found.extend(page.values.into_iter().map(Project::from));
        if last {
            break;
        }
    }
    found.truncate(most);
    Ok(found)
}

/// How many issues a project has, and how many of them have our label. Search lags, so this is about.
pub(super) async fn issues(http: &Http, project: &str) -> Result<Issues, WireError> {
    let operation = Operation::read(
        "POST /rest/api/3/search/approximate-count",
        format!("count the issues of {project}"),
        "Browse projects",
    );
    let bad = |error: BadValue| WireError::Refused {
        what: operation.what.clone(),
        status: 0,
        code: None,
        message: error.to_string(),
    };
    let all = Jql::equals(Field::Project, project).map_err(bad)?;
    let ours = all.clone().and_equals(Field::Labels, LABEL).map_err(bad)?;
    let mut counts = [0; 2];
    for (count, jql) in counts.iter_mut().zip([all, ours]) {
        let request = Request::new(Method::POST, "/rest/api/3/search/approximate-count")
            .json(json!({ "jql": jql.to_string() }));
        let answer: Count = http.send(&operation, request).await?.decode(&operation)?;
        *count = answer.count;
        if *count == 0 {
            break;
        }
    }
    Ok(Issues {
        all: counts[0],
        ours: counts[1].min(counts[0]),
    })
}

fn operation(what: String) -> Operation {
    Operation::read("GET /rest/api/3/project/search", what, "Browse projects")
}

impl JiraClient {
    /// What runs at the site.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn server(&self) -> Result<Server, WireError> {
        server(&self.http).await
    }

    /// The site is on a plan that cannot edit permissions and roles.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn is_free(&self) -> Result<bool, WireError> {
        is_free(&self.http).await
    }

    /// The engine's own account.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn bot(&self) -> Result<&str, WireError> {
        Ok(&self.myself().await?.account_id)
    }

    /// About how many issues of a project the bot sees.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn issues(&self, project: &str) -> Result<Issues, WireError> {
        issues(&self.http, project).await
    }

    /// The first projects that the bot may see, at most `most`.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn all_projects(&self, most: usize) -> Result<Vec<Project>, WireError> {
        all_projects(&self.http, most).await
    }

    /// Those of these projects that exist and that the bot may see, by key.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn projects(&self, keys: &[&str]) -> Result<BTreeMap<String, Project>, WireError> {
        projects(&self.http, keys).await
    }
}
