//! Admin webhooks: the only kind that API tokens can register, and the only one that is signed (Jira Cloud: webhooks).

use http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::wire::error::WireError;
use crate::wire::http::{Request, encode};

use super::{JiraAdmin, id};

/// The member of `filters` that holds the JQL.
const JQL: &str = "issue-related-events-section";

/// What a webhook is to be.
#[derive(Clone, Debug)]
pub struct HookText {
    /// Name.
    pub name: String,
    /// Where it calls.
    pub url: String,
    /// Events.
    pub events: Vec<String>,
    /// Which issues it tells of.
    pub jql: String,
}

/// A registered webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Where it calls.
    pub url: String,
    /// Events, sorted.
    pub events: Vec<String>,
    /// Which issues it tells of.
    pub jql: String,
    /// It calls.
    pub enabled: bool,
    /// It has a secret.
    pub signed: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HookRow {
    #[serde(rename = "self", default)]
    link: String,
    id: Option<Value>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    filters: Value,
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    is_signed: bool,
}

impl From<HookRow> for Hook {
    fn from(row: HookRow) -> Self {
        // The id stands in the link to itself only.
        let of_link = row.link.rsplit('/').next().unwrap_or_default().to_owned();
        let mut events = row.events;
        events.sort();
        Hook {
            id: row.id.as_ref().map_or(of_link, id),
            name: row.name,
            url: row.url,
            events,
            jql: row.filters[JQL].as_str().unwrap_or_default().to_owned(),
            enabled: row.enabled,
            signed: row.is_signed,
        }
    }
}

impl JiraAdmin {
    /// All admin webhooks.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn hooks(&self) -> Result<Vec<Hook>, WireError> {
        let request = Request::new(Method::GET, "/rest/webhooks/1.0/webhook");
        let rows: Vec<HookRow> = self
            .get(
                "GET /rest/webhooks/1.0/webhook",
                "read the registered webhooks",
                request,
            )
            .await?;
        Ok(rows.into_iter().map(Hook::from).collect())
    }

    /// Registers a webhook.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn create_hook(
        &self,
        hook: &HookText,
        secret: &SecretString,
    ) -> Result<(), WireError> {
        let request = Request::new(Method::POST, "/rest/webhooks/1.0/webhook")
            .json(hook_json(hook, Some(secret)));
        self.write(
            "POST /rest/webhooks/1.0/webhook",
            "register the webhook",
            request,
        )
        .await
        .map(drop)
    }

    /// Changes a webhook; without a secret it keeps the one that it has.
    ///
    /// # Errors
    /// [`WireError`].
    pub async fn update_hook(
        &self,
        id: &str,
        hook: &HookText,
        secret: Option<&SecretString>,
    ) -> Result<(), WireError> {
        let path = format!("/rest/webhooks/1.0/webhook/{}", encode(id));
        let request = Request::new(Method::PUT, path).json(hook_json(hook, secret));
        self.set(
            "PUT /rest/webhooks/1.0/webhook/{id}",
            "change the webhook",
            request,
        )
        .await
        .map(drop)
    }
}

fn hook_json(hook: &HookText, secret: Option<&SecretString>) -> Value {
    let mut body = json!({
        "name": hook.name, "url": hook.url, "events": hook.events, "filters": {JQL: hook.jql},
        "excludeBody": false, "enabled": true,
    });
    if let Some(secret) = secret {
        body["secret"] = json!(secret.expose_secret());
    }
    body
}
