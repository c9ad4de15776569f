//! Workflow schemes: which project follows which workflow.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::workflow::Version;
use crate::wire::error::WireError;
use crate::wire::http::Request;

use super::{JiraAdmin, decode, id};

/// Schemes on a page.
const PAGE: usize = 50;
/// Projects in one question (Jira REST v3: get workflow scheme project associations).
const PROJECTS_MOST: usize = 100;

/// A workflow scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scheme {
    /// Id; empty for Jira's own default scheme, which has none.
    pub id: String,
    /// Name.
    pub name: String,
    /// The workflow of issue types that have none of their own, by name.
    pub default: String,
    /// Workflow names by issue type id.
    pub by_type: BTreeMap<String, String>,
}

impl Scheme {
    /// The workflow of an issue type, by name.
    pub fn workflow_for(&self, issue_type: &str) -> &str {
        self.by_type.get(issue_type).unwrap_or(&self.default)
    }
}

/// Where the issues of a type go whose status a new workflow does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Issue type id.
    pub issue_type: String,
    /// Old status id, new status id.
    pub statuses: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    values: Vec<SchemeRow>,
    #[serde(default)]
    is_last: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SchemeRow {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    name: String,
    #[serde(default)]
    default_workflow: String,
    #[serde(default)]
    issue_type_mappings: BTreeMap<String, String>,
}

impl From<SchemeRow> for Scheme {
    fn from(row: SchemeRow) -> Self {
        Scheme {
            id: if row.id.is_null() {
                String::new()
            } else {
                id(&row.id)
            },
            name: row.name,
            default: row.default_workflow,
            by_type: row.issue_type_mappings,
        }
    }
}

#[derive(Deserialize)]
struct Associations {
    values: Vec<Association>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Association {
    project_ids: Vec<String>,
    workflow_scheme: SchemeRow,
}

#[derive(Deserialize)]
struct WithVersion {
    version: Version,
}

#[derive(Deserialize)]
struct TypeRow {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    statuses: Vec<StatusRow>,
}

#[derive(Deserialize)]
struct StatusRow {
    id: String,
    #[serde(default)]
    name: String,
}

/// An issue type of a project, with the statuses of its workflow.
pub type TypeStatuses = (String, String, Vec<(String, String)>);

impl JiraAdmin {
    /// The scheme with a name.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn scheme_named(&self, name: &str) -> Result<Option<Scheme>, WireError> {
        let mut start = 0;
        loop {
            let request = Request::new(Method::GET, "/rest/api/3/workflowscheme")
                .with("startAt", start)
                .with("maxResults", PAGE);
            let page: Page = self
                .get(
                    "GET /rest/api/3/workflowscheme",
                    "look for the workflow scheme",
                    request,
                )
                .await?;
            start += page.values.len();
            let last = page.is_last || page.values.is_empty();
            let mut rows = page.values.into_iter();
            if let Some(found) = rows.find(|row| row.name == name) {
                return Ok(Some(found.into()));
            }
            if last {
                return Ok(None);
            }
        }
    }

    /// Creates a scheme in which every issue type follows one workflow.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn create_scheme(
        &self,
        name: &str,
        description: &str,
        workflow: &str,
    ) -> Result<Scheme, WireError> {
        let what = format!("create the workflow scheme {name}");
        let request = Request::new(Method::POST, "/rest/api/3/workflowscheme")
            .json(json!({"name": name, "description": description, "defaultWorkflow": workflow}));
        let answer = self
            .write("POST /rest/api/3/workflowscheme", what.clone(), request)
            .await?;
        decode::<SchemeRow>(&answer, &what).map(Scheme::from)
    }

    /// Makes every issue type of a scheme follow one workflow, by id. It may be in use.
    ///
    /// # Errors
    /// [`WireError`]; 409 when somebody has changed it since.
    pub async fn update_scheme(
        &self,
        scheme: &Scheme,
        description: &str,
        workflow: &str,
    ) -> Result<(), WireError> {
        let what = format!("change the workflow scheme {}", scheme.name);
        let read: Vec<WithVersion> = self
            .ask(
                "POST /rest/api/3/workflowscheme/read",
                what.clone(),
                json!({ "workflowSchemeIds": [scheme.id] }),
            )
            .await?;
        let version = read.into_iter().next().map(|row| row.version);
        let request = Request::new(Method::POST, "/rest/api/3/workflowscheme/update").json(json!({
            "id": scheme.id, "name": scheme.name, "description": description, "version": version,
            "defaultWorkflowId": workflow, "workflowsForIssueTypes": [],
        }));
        self.submit("POST /rest/api/3/workflowscheme/update", &what, request)
            .await
    }

    /// The schemes of company-managed projects, by project id.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn schemes_of(
        &self,
        projects: &[&str],
    ) -> Result<BTreeMap<String, Scheme>, WireError> {
        let mut found = BTreeMap::new();
        for some in projects.chunks(PROJECTS_MOST) {
            let mut request = Request::new(Method::GET, "/rest/api/3/workflowscheme/project");
            for project in some {
                request = request.with("projectId", project);
            }
            let answered: Associations = self
                .get(
                    "GET /rest/api/3/workflowscheme/project",
                    format!("read the workflow schemes of {} projects", some.len()),
                    request,
                )
                .await?;
            for row in answered.values {
                let scheme = Scheme::from(row.workflow_scheme);
                let ids = row.project_ids.into_iter();
                found.extend(ids.map(|id| (id, scheme.clone())));
            }
        }
        Ok(found)
    }

    /// The issue types of a project: id, name, and the statuses (id, name) of the workflow that they follow.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn type_statuses(&self, project: &str) -> Result<Vec<TypeStatuses>, WireError> {
        let path = format!(
            "/rest/api/3/project/{}/statuses",
            crate::wire::http::encode(project)
        );
        let rows: Vec<TypeRow> = self
            .get(
                "GET /rest/api/3/project/{project}/statuses",
                format!("read the statuses of {project}"),
                Request::new(Method::GET, path),
            )
            .await?;
        let statuses = |row: &TypeRow| {
            let all = row.statuses.iter();
            all.map(|one| (one.id.clone(), one.name.clone())).collect()
        };
        Ok(rows
            .iter()
            .map(|row| (row.id.clone(), row.name.clone(), statuses(row)))
            .collect())
    }

    /// Gives a project another workflow scheme. Only a project without issues takes it at once; the issues of another
    /// are moved by a task, which is waited for.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn assign_scheme(
        &self,
        project: (&str, &str),
        scheme: &Scheme,
        mappings: &[Mapping],
    ) -> Result<(), WireError> {
        let (project, key) = project;
        let what = format!("give {key} the workflow scheme {}", scheme.name);
        let request = Request::new(Method::PUT, "/rest/api/3/workflowscheme/project")
            .json(json!({"projectId": project, "workflowSchemeId": scheme.id}));
        let name = "PUT /rest/api/3/workflowscheme/project";
        match self.submit(name, &what, request).await {
            Err(WireError::Refused { status: 400, .. }) => {}
            other => return other,
        }
        let rows: Vec<Value> = mappings
            .iter()
            .map(|mapping| {
                let statuses = mapping.statuses.iter();
                let statuses: Vec<Value> = statuses
                    .map(|(old, new)| json!({"oldStatusId": old, "newStatusId": new}))
                    .collect();
                json!({"issueTypeId": mapping.issue_type, "statusMappings": statuses})
            })
            .collect();
        let request =
            Request::new(Method::POST, "/rest/api/3/workflowscheme/project/switch").json(json!({
                "projectId": project, "targetSchemeId": scheme.id, "mappingsByIssueTypeOverride": rows,
            }));
        let name = "POST /rest/api/3/workflowscheme/project/switch";
        self.submit(name, &what, request).await
    }
}
