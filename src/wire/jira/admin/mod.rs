//! The Jira client of an administrator: workflows, schemes, roles, permissions, webhooks. It has credentials of its own,
//! and the engine never holds one.
//!
//! It reads and writes what it is told; what Jira should have is decided elsewhere.

mod people;
mod permissions;
mod rows;
mod schemes;
mod tasks;
mod webhooks;
mod workflows;

use std::collections::BTreeMap;

use http::Method;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::wire::budget::Budget;
use crate::wire::counts::Counts;
use crate::wire::error::WireError;
use crate::wire::http::{Answer, Auth, BadSetup, Http, HttpConfig, Operation, Request};
use crate::wire::transport::Transport;

use super::site::{self, Issues, Project, Server};

pub use people::{Account, Role};
pub use permissions::PermissionScheme;
pub use schemes::{Mapping, Scheme, TypeStatuses};
pub use webhooks::{Hook, HookText};
pub use workflows::{Library, Sent};

/// The permission that everything here needs.
const ADMINISTER: &str =
    "Administer Jira (global), and the scope manage:jira-configuration for a scoped token";

/// How to reach a site as an administrator.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// As for the engine's own client.
    pub url: String,
    /// The administrator's address.
    pub email: String,
    /// Their API token.
    pub token: SecretString,
}

/// A site, with an administrator's rights.
pub struct JiraAdmin {
    http: Http,
}

impl JiraAdmin {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// [`BadSetup`], when URL or token cannot be used.
    pub fn new(
        config: AdminConfig,
        transport: Transport,
        budget: Budget,
        counts: Counts,
    ) -> Result<Self, BadSetup> {
        let renew = format!(
            // Jira's workflow operations say 401 to who lacks the permission, too.
            "The API token of {} is wrong or has expired, or that account lacks the permission Administer Jira (global): \
             create a new token at https://id.atlassian.com/manage-profile/security/api-tokens and store it where \
             [jira.admin] points, or name an administrator there",
            config.email
        );
        let http = HttpConfig {
            api: "jira admin",
            base_url: config.url,
            auth: Auth::Basic {
                user: config.email,
                token: config.token,
            },
            renew,
        };
        Ok(JiraAdmin {
            http: Http::new(http, transport, budget, counts)?,
        })
    }

    /// What runs at the site.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn server(&self) -> Result<Server, WireError> {
        site::server(&self.http).await
    }

    /// The site is on a plan that cannot edit permissions and roles.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn is_free(&self) -> Result<bool, WireError> {
        site::is_free(&self.http).await
    }

    /// Those of these projects that exist, by key.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn projects(&self, keys: &[&str]) -> Result<BTreeMap<String, Project>, WireError> {
        site::projects(&self.http, keys).await
    }

    /// About how many issues of a project the administrator sees.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn issues(&self, project: &str) -> Result<Issues, WireError> {
        site::issues(&self.http, project).await
    }

    async fn get<T: DeserializeOwned>(
        &self,
        name: &'static str,
        what: impl Into<String>,
        request: Request,
    ) -> Result<T, WireError> {
        let operation = Operation::read(name, what, ADMINISTER);
        self.http
            .send(&operation, request)
            .await?
            .decode(&operation)
    }

    /// A read that Jira wants as a POST.
    async fn ask<T: DeserializeOwned>(
        &self,
        name: &'static str,
        what: impl Into<String>,
        body: Value,
    ) -> Result<T, WireError> {
        let path = name.trim_start_matches("POST ");
        let request = Request::new(Method::POST, path).json(body);
        self.get(name, what, request).await
    }

    async fn write(
        &self,
        name: &'static str,
        what: impl Into<String>,
        request: Request,
    ) -> Result<Answer, WireError> {
        let operation = Operation::write(name, what, ADMINISTER);
        self.http.send(&operation, request).await
    }

    /// A write whose repetition changes nothing.
    async fn set(
        &self,
        name: &'static str,
        what: impl Into<String>,
        request: Request,
    ) -> Result<Answer, WireError> {
        let operation = Operation::write(name, what, ADMINISTER).repeatable();
        self.http.send(&operation, request).await
    }
}

/// Reads an answer to a write.
fn decode<T: DeserializeOwned>(answer: &Answer, what: &str) -> Result<T, WireError> {
    answer.decode(&Operation::read("", what, ADMINISTER))
}

/// Numbers and texts are both ids in Jira's answers.
fn id(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
