//! What can be known before the first ticket: permissions, the fields that a create takes, priorities, groups.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::wire::error::WireError;
use crate::wire::http::{Operation, Request, encode};

use super::decode::StatusRef;
use super::{Fields, JiraClient};

/// Rows on a page of create metadata.
const PAGE: usize = 200;
/// Groups that are listed.
const GROUPS: usize = 200;

/// A field of a create, as the project's screens and field configuration have it.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateField {
    /// Id, such as `customfield_10010`.
    pub id: String,
    /// Name.
    pub name: String,
    /// A create without it is refused.
    pub required: bool,
    /// Jira fills it in where it is left out.
    pub has_default: bool,
    /// The only values that it takes, where they are few and known.
    pub options: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Held {
    permissions: BTreeMap<String, HeldOne>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeldOne {
    #[serde(default)]
    have_permission: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Types {
    #[serde(default)]
    issue_types: Vec<TypeRow>,
}

#[derive(Deserialize)]
struct TypeRow {
    id: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct FieldsPage {
    #[serde(default)]
    fields: Vec<FieldRow>,
    #[serde(default)]
    total: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FieldRow {
    #[serde(default)]
    field_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    has_default_value: bool,
    allowed_values: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assignable {
    account_id: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Groups {
    #[serde(default)]
    groups: Vec<Named>,
}

impl JiraClient {
    /// Which of these permissions the bot holds, in a project or on the whole site.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn permissions(
        &self,
        project: Option<&str>,
        keys: &[&str],
    ) -> Result<BTreeMap<String, bool>, WireError> {
        let place = project.unwrap_or("the site");
        let operation = Operation::read(
            "GET /rest/api/3/mypermissions",
            format!("read the bot's permissions in {place}"),
            "none, but the scope read:jira-work for a scoped token",
        );
        let mut request = Request::new(Method::GET, "/rest/api/3/mypermissions")
            .with("permissions", keys.join(","));
        if let Some(project) = project {
            request = request.with("projectKey", project);
        }
        let held: Held = self
            .http
            .send(&operation, request)
            .await?
            .decode(&operation)?;
        let held = held.permissions.into_iter();
        Ok(held.map(|(key, one)| (key, one.have_permission)).collect())
    }

    /// Changes an issue that does not exist: tells whether the token's scopes let anything be written.
    ///
    /// # Errors
    /// [`WireError`] when they do not, or nobody answers.
    pub async fn may_write(&self) -> Result<(), WireError> {
        let operation = Operation::write(
            "PUT /rest/api/3/issue/{id}",
            "ask whether the token may write",
            "the scope write:jira-work",
        )
        .repeatable();
        let request = Request::new(Method::PUT, "/rest/api/3/issue/0")
            .json(serde_json::json!({"fields": {}}));
        match self.http.send(&operation, request).await {
            Ok(_) | Err(WireError::NotFound { .. } | WireError::Refused { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The issue types that the bot may create in a project: name to id.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn creatable(&self, project: &str) -> Result<BTreeMap<String, String>, WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/issue/createmeta/{project}/issuetypes",
            format!("read the issue types of {project}"),
            "Create issues",
        );
        let path = format!(
            "/rest/api/3/issue/createmeta/{}/issuetypes",
            encode(project)
        );
        let request = Request::new(Method::GET, path).with("maxResults", PAGE);
        let types: Types = self
            .http
            .send(&operation, request)
            .await?
            .decode(&operation)?;
        let types = types.issue_types.into_iter();
        Ok(types.map(|row| (row.name, row.id)).collect())
    }

    /// The fields that a create of this type takes.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn create_fields(
        &self,
        project: &str,
        issue_type: &str,
    ) -> Result<Vec<CreateField>, WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/issue/createmeta/{project}/issuetypes/{type}",
            format!("read the fields of new tickets in {project}"),
            "Create issues",
        );
        let path = format!(
            "/rest/api/3/issue/createmeta/{}/issuetypes/{}",
            encode(project),
            encode(issue_type)
        );
        let mut found = Vec::new();
        loop {
            let request = Request::new(Method::GET, path.clone())
                .with("startAt", found.len())
                .with("maxResults", PAGE);
            let page: FieldsPage = self
                .http
                .send(&operation, request)
                .await?
                .decode(&operation)?;
            let is_last = page.fields.is_empty();
            found.extend(page.fields.into_iter().map(|row| CreateField {
                id: row.field_id,
                name: row.name,
                required: row.required,
                has_default: row.has_default_value,
                options: row.allowed_values,
            }));
            if is_last || found.len() >= page.total {
                return Ok(found);
            }
        }
    }

    /// An account may be assigned tickets of a project.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn is_assignable(&self, project: &str, account: &str) -> Result<bool, WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/user/assignable/search",
            format!("ask who may be assigned tickets of {project}"),
            "Browse users and groups (global), or Assign issues",
        );
        let request = Request::new(Method::GET, "/rest/api/3/user/assignable/search")
            .with("project", project)
            .with("accountId", account);
        let found: Vec<Assignable> = self
            .http
            .send(&operation, request)
            .await?
            .decode(&operation)?;
        Ok(found.iter().any(|one| one.account_id == account))
    }

    /// The fields that the configuration adds to every new ticket.
    pub fn configured_fields(&self) -> &Fields {
        &self.create_fields
    }

    /// The groups of the site that the bot may see, at most 200.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn groups(&self) -> Result<Vec<String>, WireError> {
        let operation = Operation::read(
            "GET /rest/api/3/groups/picker",
            "look for groups",
            "Browse users and groups (global)",
        );
        let request =
            Request::new(Method::GET, "/rest/api/3/groups/picker").with("maxResults", GROUPS);
        let found: Groups = self
            .http
            .send(&operation, request)
            .await?
            .decode(&operation)?;
        Ok(found.groups.into_iter().map(|group| group.name).collect())
    }

    /// The names of the site's statuses, each once.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn status_names(&self) -> Result<Vec<String>, WireError> {
        let all: Vec<StatusRef> = self.site_statuses().await?;
        let mut names: Vec<String> = all.into_iter().map(|status| status.name).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The accounts that may close, the bot among them if the configuration says so; the error says why nobody does.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn reviewers(&self) -> Result<std::collections::BTreeSet<String>, WireError> {
        self.read_from(&self.reviewers).await
    }
}
