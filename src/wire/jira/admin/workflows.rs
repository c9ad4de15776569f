//! Statuses, resolutions and workflows: read, validated, created, replaced.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Value, json};

use crate::model::workflow::{Placed, Status, Transition, Workflow};
use crate::wire::error::WireError;
use crate::wire::http::Request;

use super::rows::{
    Answered, ResolutionPage, ResolutionRow, StatusPage, Validated, Written, library,
};
use super::{JiraAdmin, decode};

/// Statuses on a page; Jira's default and, as far as documented, largest.
const STATUSES: usize = 200;
/// Resolutions on a page.
const RESOLUTIONS: usize = 50;
/// Workflows read at once; Jira names no limit.
const WORKFLOWS: usize = 25;

/// Workflows with the statuses that they use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Library {
    /// By name.
    pub workflows: BTreeMap<String, Workflow>,
    /// By id.
    pub statuses: BTreeMap<String, Status>,
}

/// A workflow as it is to be: statuses and transitions by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Its statuses; those with an id exist.
    pub statuses: Vec<Status>,
    /// How each stands in the workflow, by name.
    pub places: Vec<Placed>,
    /// Its transitions.
    pub transitions: Vec<Transition>,
    /// Where tickets go whose status it does not have any more: old status id, new status name.
    pub moved: Vec<(String, String)>,
}

impl JiraAdmin {
    /// The statuses that company-managed projects share.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn shared_statuses(&self) -> Result<Vec<Status>, WireError> {
        let (mut found, mut start) = (Vec::new(), 0);
        loop {
            let request = Request::new(Method::GET, "/rest/api/3/statuses/search")
                .with("startAt", start)
                .with("maxResults", STATUSES);
            let page: StatusPage = self
                .get(
                    "GET /rest/api/3/statuses/search",
                    "read the statuses",
                    request,
                )
                .await?;
            start += page.values.len();
            let last = page.is_last || page.values.is_empty();
            let shared = page.values.into_iter().filter(|row| {
                row.scope
                    .as_ref()
                    .is_none_or(|scope| scope.kind != "PROJECT")
            });
            found.extend(shared.map(Status::from));
            if last {
                return Ok(found);
            }
        }
    }

    /// Resolutions: name to id.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn resolutions(&self) -> Result<BTreeMap<String, String>, WireError> {
        let (mut found, mut start) = (BTreeMap::new(), 0);
        loop {
            let request = Request::new(Method::GET, "/rest/api/3/resolution/search")
                .with("startAt", start)
                .with("maxResults", RESOLUTIONS);
            let page: ResolutionPage = self
                .get(
                    "GET /rest/api/3/resolution/search",
                    "read the resolutions",
                    request,
                )
                .await?;
            start += page.values.len();
            let last = page.is_last || page.values.is_empty();
            found.extend(page.values.into_iter().map(|row| (row.name, row.id)));
            if last {
                return Ok(found);
            }
        }
    }

    /// Creates a resolution and gives its id.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn create_resolution(&self, name: &str) -> Result<String, WireError> {
        let what = format!("create the resolution {name}");
        let request = Request::new(Method::POST, "/rest/api/3/resolution")
            .json(json!({"name": name, "description": ""}));
        let answer = self
            .write("POST /rest/api/3/resolution", what.clone(), request)
            .await?;
        let row: ResolutionRow = decode(&answer, &what)?;
        Ok(row.id)
    }

    /// Workflows by name; one that is not there is left out.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn workflows(&self, names: &BTreeSet<&str>) -> Result<Library, WireError> {
        let names: Vec<&str> = names.iter().copied().collect();
        let mut found = Library::default();
        for some in names.chunks(WORKFLOWS) {
            let answered: Answered = self
                .ask(
                    "POST /rest/api/3/workflows",
                    format!("read {} workflows", some.len()),
                    json!({ "workflowNames": some }),
                )
                .await?;
            let read = library(answered);
            found.workflows.extend(read.workflows);
            found.statuses.extend(read.statuses);
        }
        Ok(found)
    }

    /// Creates a workflow with the statuses that are new, after Jira has validated it.
    ///
    /// # Errors
    /// [`WireError`]; what Jira finds wrong with it is [`WireError::Refused`].
    pub async fn create_workflow(&self, workflow: &Sent) -> Result<(), WireError> {
        let what = format!("create the workflow {}", workflow.name);
        let body = workflow.create();
        let name = "POST /rest/api/3/workflows/create/validation";
        self.validate(name, &what, &body).await?;
        let request = Request::new(Method::POST, "/rest/api/3/workflows/create").json(body);
        self.write("POST /rest/api/3/workflows/create", what, request)
            .await
            .map(drop)
    }

    /// Replaces a workflow, after Jira has validated it, and waits until tickets are where they belong.
    ///
    /// # Errors
    /// [`WireError`]; 409 when somebody has changed it since it was read.
    pub async fn update_workflow(&self, workflow: &Sent, of: &Workflow) -> Result<(), WireError> {
        let what = format!("change the workflow {}", workflow.name);
        let body = workflow.update(of);
        let name = "POST /rest/api/3/workflows/update/validation";
        self.validate(name, &what, &body).await?;
        let request = Request::new(Method::POST, "/rest/api/3/workflows/update").json(body);
        let answer = self
            .write("POST /rest/api/3/workflows/update", what.clone(), request)
            .await?;
        let written: Written = decode(&answer, &what)?;
        match written.task_id {
            Some(task) => self.follow(&task, &what).await,
            None => Ok(()),
        }
    }

    async fn validate(
        &self,
        name: &'static str,
        what: &str,
        body: &Value,
    ) -> Result<(), WireError> {
        let payload = json!({"payload": body, "validationOptions": {"levels": ["ERROR"]}});
        let validated: Validated = self
            .ask(name, format!("{what} (validation)"), payload)
            .await?;
        let errors = validated.errors.iter();
        let errors: Vec<&str> = errors
            .filter(|flaw| flaw.level != "WARNING")
            .map(|flaw| flaw.message.as_str())
            .collect();
        if errors.is_empty() {
            return Ok(());
        }
        Err(WireError::Refused {
            what: what.to_owned(),
            status: 400,
            code: None,
            message: crate::wire::http::plain(&errors.join("; "), 1_000),
        })
    }
}
