//! One person's own hands in Jira: what somebody may do is known when they have tried. Test users and an administrator
//! act through it when the rule is proven; the engine never does.

use std::collections::BTreeMap;

use http::Method;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::wire::budget::Budget;
use crate::wire::counts::Counts;
use crate::wire::error::WireError;
use crate::wire::http::{Auth, BadSetup, Http, HttpConfig, Operation, Request, encode};
use crate::wire::transport::Transport;

use super::decode::{Myself, TransitionList};
use super::write::issue_scope;
use super::{Fields, LINK_PROPERTY};

/// A person with a login.
pub struct Person {
    http: Http,
}

/// A transition that they are offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// The id of the status after it.
    pub to: String,
}

#[derive(Deserialize)]
struct Created {
    #[serde(deserialize_with = "super::decode::number")]
    id: u64,
}

#[derive(Deserialize)]
struct Permissions {
    permissions: BTreeMap<String, Held>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    #[serde(default)]
    have_permission: bool,
}

impl Person {
    /// A person at a site; nothing is sent yet.
    ///
    /// # Errors
    /// [`BadSetup`], when URL or token cannot be used.
    pub fn new(
        url: &str,
        email: &str,
        token: SecretString,
        transport: Transport,
        budget: Budget,
        counts: Counts,
    ) -> Result<Self, BadSetup> {
        let http = HttpConfig {
            api: "jira",
            base_url: url.to_owned(),
            auth: Auth::Basic {
                user: email.to_owned(),
                token,
            },
            renew: format!(
                "The API token of {email} is wrong or has expired: create a new one for that account and store it where \
                 the configuration points"
            ),
        };
        Ok(Person {
            http: Http::new(http, transport, budget, counts)?,
        })
    }

    /// Their account id.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn account(&self) -> Result<String, WireError> {
        let operation = read("GET /rest/api/3/myself", "read whose login it is");
        let request = Request::new(Method::GET, "/rest/api/3/myself");
        let answer = self.http.send(&operation, request).await?;
        Ok(answer.decode::<Myself>(&operation)?.account_id)
    }

    /// Which of these permissions they hold in a project.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn permissions(
        &self,
        project: &str,
        keys: &[&str],
    ) -> Result<BTreeMap<String, bool>, WireError> {
        let operation = read(
            "GET /rest/api/3/mypermissions",
            &format!("read the permissions in {project}"),
        );
        let request = Request::new(Method::GET, "/rest/api/3/mypermissions")
            .with("projectKey", project)
            .with("permissions", keys.join(","));
        let answer = self.http.send(&operation, request).await?;
        let held: Permissions = answer.decode(&operation)?;
        let held = held.permissions.into_iter();
        Ok(held
            .map(|(key, held)| (key, held.have_permission))
            .collect())
    }

    /// They can see a ticket.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn sees(&self, id: u64) -> Result<bool, WireError> {
        let operation = read(
            "GET /rest/api/3/issue/{id}",
            &format!("look at ticket {id}"),
        );
        let request =
            Request::new(Method::GET, format!("/rest/api/3/issue/{id}")).with("fields", "status");
        match self.http.send(&operation, request).await {
            Ok(_) => Ok(true),
            Err(error) if is_refusal(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What they are offered.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn offered(&self, id: u64) -> Result<Vec<Offered>, WireError> {
        let operation = read(
            "GET /rest/api/3/issue/{id}/transitions",
            &format!("read the transitions of ticket {id}"),
        );
        let path = format!("/rest/api/3/issue/{id}/transitions");
        let answer = self
            .http
            .send(&operation, Request::new(Method::GET, path))
            .await?;
        let list: TransitionList = answer.decode(&operation)?;
        let open = list.transitions.into_iter().filter(|t| t.is_available);
        Ok(open
            .map(|transition| Offered {
                id: transition.id,
                name: transition.name,
                to: transition.to.id,
            })
            .collect())
    }

    /// Takes a transition.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn take(
        &self,
        id: u64,
        transition: &str,
        fields: Option<&Fields>,
    ) -> Result<(), WireError> {
        let mut body = json!({"transition": {"id": transition}});
        if let Some(fields) = fields {
            body["fields"] = json!(fields);
        }
        let name = "POST /rest/api/3/issue/{id}/transitions";
        let path = format!("/rest/api/3/issue/{id}/transitions");
        let request = Request::new(Method::POST, path).json(body);
        self.try_on(name, &format!("take transition {transition}"), id, request)
            .await
    }

    /// Adds a label: what binds a ticket to its finding.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn label(&self, id: u64, label: &str) -> Result<(), WireError> {
        let request = Request::new(Method::PUT, format!("/rest/api/3/issue/{id}"))
            .json(json!({"update": {"labels": [{"add": label}]}}));
        self.try_on("PUT /rest/api/3/issue/{id}", "change labels", id, request)
            .await
    }

    /// Sets the property that holds what a ticket is linked to.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn set_link(&self, id: u64, value: &Value) -> Result<(), WireError> {
        let path = format!(
            "/rest/api/3/issue/{id}/properties/{}",
            encode(LINK_PROPERTY)
        );
        let request = Request::new(Method::PUT, path).json(value.clone());
        let name = "PUT /rest/api/3/issue/{id}/properties/{key}";
        self.try_on(name, "change the link property", id, request)
            .await
    }

    /// Deletes a ticket.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn delete(&self, id: u64) -> Result<(), WireError> {
        let request = Request::new(Method::DELETE, format!("/rest/api/3/issue/{id}"));
        self.try_on("DELETE /rest/api/3/issue/{id}", "delete", id, request)
            .await
    }

    /// Creates a ticket with these fields and gives its id.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn create(&self, fields: &Fields) -> Result<u64, WireError> {
        let operation = Operation::write(
            "POST /rest/api/3/issue",
            "create a ticket to try with",
            "Create issues",
        );
        let request =
            Request::new(Method::POST, "/rest/api/3/issue").json(json!({ "fields": fields }));
        let answer = self.http.send(&operation, request).await?;
        Ok(answer.decode::<Created>(&operation)?.id)
    }

    async fn try_on(
        &self,
        name: &'static str,
        what: &str,
        id: u64,
        request: Request,
    ) -> Result<(), WireError> {
        let what = format!("{what} (ticket {id})");
        let operation = Operation::write(name, what, "the right to").on(issue_scope(id));
        self.http.send(&operation, request).await.map(drop)
    }
}

fn read(name: &'static str, what: &str) -> Operation {
    Operation::read(name, what, "Browse projects")
}

/// Jira said no to the person, in one of its ways. A wrong token, an outage or a lost answer is something else.
pub fn is_refusal(error: &WireError) -> bool {
    matches!(
        error,
        WireError::Refused { .. }
            | WireError::NotFound { .. }
            | WireError::Denied {
                status: 403 | 404,
                ..
            }
    )
}
