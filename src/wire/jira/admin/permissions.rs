//! Permission schemes, their grants, and which project has which.

use std::collections::BTreeSet;

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::model::workflow::{Grant, Grantee};
use crate::wire::error::WireError;
use crate::wire::http::{Request, encode};

use super::{JiraAdmin, decode, id};

/// A permission scheme of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionScheme {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Who is granted what.
    pub grants: BTreeSet<Grant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SchemeList {
    permission_schemes: Vec<SchemeRow>,
}

#[derive(Deserialize)]
struct SchemeRow {
    id: Value,
    #[serde(default)]
    name: String,
    #[serde(default)]
    permissions: Vec<GrantRow>,
}

#[derive(Deserialize)]
struct GrantRow {
    permission: String,
    holder: HolderRow,
}

#[derive(Deserialize)]
struct HolderRow {
    #[serde(rename = "type")]
    kind: String,
    parameter: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
struct All {
    permissions: Map<String, Value>,
}

impl From<SchemeRow> for PermissionScheme {
    fn from(row: SchemeRow) -> Self {
        let grants = row.permissions.into_iter();
        PermissionScheme {
            id: id(&row.id),
            name: row.name,
            grants: grants
                .map(|row| (row.permission, grantee(row.holder)))
                .collect(),
        }
    }
}

/// `value` is the stable id; `parameter` may be a name (Jira REST v3: permission schemes, holder object).
fn grantee(row: HolderRow) -> Grantee {
    let text = row.value.or(row.parameter).unwrap_or_default();
    match row.kind.as_str() {
        "anyone" => Grantee::Anyone,
        "applicationRole" => Grantee::Application(text),
        "projectRole" => Grantee::Role(text),
        "group" => Grantee::Group(text),
        "user" => Grantee::User(text),
        _ => Grantee::Other(row.kind, text),
    }
}

fn grant_json((permission, to): &Grant) -> Value {
    let (kind, value) = match to {
        Grantee::Anyone => ("anyone", None),
        Grantee::Application(name) => ("applicationRole", Some(name)),
        Grantee::Role(id) => ("projectRole", Some(id)),
        Grantee::Group(id) => ("group", Some(id)),
        Grantee::User(id) => ("user", Some(id)),
        Grantee::Other(kind, text) => (kind.as_str(), Some(text)),
    };
    let mut holder = json!({ "type": kind });
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        holder["value"] = json!(value);
    }
    json!({"permission": permission, "holder": holder})
}

fn scheme_json(name: &str, description: &str, grants: &BTreeSet<Grant>) -> Value {
    let grants: Vec<Value> = grants.iter().map(grant_json).collect();
    json!({"name": name, "description": description, "permissions": grants})
}

impl JiraAdmin {
    /// The keys of all permissions that the site knows.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn permission_keys(&self) -> Result<BTreeSet<String>, WireError> {
        let request = Request::new(Method::GET, "/rest/api/3/permissions");
        let all: All = self
            .get(
                "GET /rest/api/3/permissions",
                "read Jira's permissions",
                request,
            )
            .await?;
        Ok(all.permissions.into_iter().map(|(key, _)| key).collect())
    }

    /// All permission schemes with their grants.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn permission_schemes(&self) -> Result<Vec<PermissionScheme>, WireError> {
        let request =
            Request::new(Method::GET, "/rest/api/3/permissionscheme").with("expand", "permissions");
        let list: SchemeList = self
            .get(
                "GET /rest/api/3/permissionscheme",
                "read the permission schemes",
                request,
            )
            .await?;
        let rows = list.permission_schemes.into_iter();
        Ok(rows.map(PermissionScheme::from).collect())
    }

    /// Creates a scheme and gives its id.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn create_permission_scheme(
        &self,
        name: &str,
        description: &str,
        grants: &BTreeSet<Grant>,
    ) -> Result<String, WireError> {
        let what = format!("create the permission scheme {name}");
        let request = Request::new(Method::POST, "/rest/api/3/permissionscheme").json(scheme_json(
            name,
            description,
            grants,
        ));
        let answer = self
            .write("POST /rest/api/3/permissionscheme", what.clone(), request)
            .await?;
        let row: SchemeRow = decode(&answer, &what)?;
        Ok(id(&row.id))
    }

    /// Makes exactly these the grants of a scheme.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn update_permission_scheme(
        &self,
        scheme: &str,
        name: &str,
        description: &str,
        grants: &BTreeSet<Grant>,
    ) -> Result<(), WireError> {
        let path = format!("/rest/api/3/permissionscheme/{}", encode(scheme));
        let request = Request::new(Method::PUT, path).json(scheme_json(name, description, grants));
        self.set(
            "PUT /rest/api/3/permissionscheme/{scheme}",
            format!("change the permission scheme {name}"),
            request,
        )
        .await
        .map(drop)
    }

    /// The id of a project's scheme.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn permission_scheme_of(&self, project: &str) -> Result<String, WireError> {
        let path = format!("/rest/api/3/project/{}/permissionscheme", encode(project));
        let row: SchemeRow = self
            .get(
                "GET /rest/api/3/project/{project}/permissionscheme",
                format!("read the permission scheme of {project}"),
                Request::new(Method::GET, path),
            )
            .await?;
        Ok(id(&row.id))
    }

    /// Gives a project another scheme.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn assign_permission_scheme(
        &self,
        project: &str,
        scheme: &str,
    ) -> Result<(), WireError> {
        let path = format!("/rest/api/3/project/{}/permissionscheme", encode(project));
        let number: Value = scheme
            .parse::<u64>()
            .map_or_else(|_| json!(scheme), |number| json!(number));
        let request = Request::new(Method::PUT, path).json(json!({ "id": number }));
        self.set(
            "PUT /rest/api/3/project/{project}/permissionscheme",
            format!("give {project} its permission scheme"),
            request,
        )
        .await
        .map(drop)
    }
}
