//! Registration of admin webhooks: `/rest/webhooks/1.0/webhook`, for administrators only (Jira Cloud: webhooks).

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::emulators::jira::Jira;
use crate::emulators::jira::issues::strings;
use crate::emulators::jira::jql::{self, Jql, JqlError};
use crate::emulators::jira::reply::{Outcome, Reply, created, no_content, ok, refusal};
use crate::emulators::jira::route::Call;

/// The events that the emulator sends.
pub(crate) const EVENTS: [&str; 6] = [
    "jira:issue_created",
    "jira:issue_updated",
    "jira:issue_deleted",
    "comment_created",
    "comment_updated",
    "comment_deleted",
];

/// The member of `filters` that holds the JQL.
const JQL_SECTION: &str = "issue-related-events-section";

/// A registered webhook.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) events: Vec<String>,
    pub(crate) jql_text: String,
    pub(crate) jql: Option<Jql>,
    pub(crate) exclude_body: bool,
    pub(crate) enabled: bool,
    /// Written once and never shown.
    pub(crate) secret: Option<String>,
    pub(crate) by: String,
    pub(crate) updated: Timestamp,
}

impl Jira {
    fn hook_json(&self, hook: &Hook) -> Value {
        let name = self.account(&hook.by).map(|user| user.display_name.clone());
        json!({
            "self": format!("{}/rest/webhooks/1.0/webhook/{}", self.site, hook.id), "name": hook.name,
            "url": hook.url, "events": hook.events, "filters": {JQL_SECTION: hook.jql_text},
            "excludeBody": hook.exclude_body, "enabled": hook.enabled, "isSigned": hook.secret.is_some(),
            "lastUpdated": hook.updated.as_millisecond(), "lastUpdatedUser": hook.by,
            "lastUpdatedDisplayName": name,
        })
    }

    pub(crate) fn get_hooks(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let all = self.webhooks.hooks.values();
        ok(all.map(|hook| self.hook_json(hook)).collect())
    }

    pub(crate) fn get_hook(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        ok(self.hook_json(self.hook(call)?))
    }

    fn hook(&self, call: &Call<'_>) -> Result<&Hook, Reply> {
        let id = call.param(0).parse().unwrap_or(0);
        let known = self.webhooks.hooks.get(&id);
        known.ok_or_else(|| refusal(404, format!("The webhook {id} does not exist.")))
    }

    pub(crate) fn create_hook(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let id = self.webhooks.hooks.keys().max().map_or(1, |id| id + 1);
        let blank = Hook {
            id,
            name: String::new(),
            url: String::new(),
            events: Vec::new(),
            jql_text: String::new(),
            jql: None,
            exclude_body: false,
            enabled: true,
            secret: None,
            by: call.user.account_id.clone(),
            updated: call.now,
        };
        let hook = read_hook(blank, call)?;
        let body = self.hook_json(&hook);
        self.webhooks.hooks.insert(id, hook);
        created(body)
    }

    /// What the body leaves out stays; the secret can be replaced, never read.
    pub(crate) fn update_hook(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let known = self.hook(call)?.clone();
        let hook = read_hook(known, call)?;
        let body = self.hook_json(&hook);
        self.webhooks.hooks.insert(hook.id, hook);
        ok(body)
    }

    pub(crate) fn delete_hook(&mut self, call: &mut Call<'_>) -> Outcome {
        self.require_admin(call)?;
        let id = self.hook(call)?.id;
        self.webhooks.hooks.remove(&id);
        no_content()
    }
}

fn read_hook(mut hook: Hook, call: &Call<'_>) -> Result<Hook, Reply> {
    call.require_closed(&[
        "name",
        "description",
        "url",
        "events",
        "filters",
        "excludeBody",
        "enabled",
        "secret",
    ])?;
    let body = &call.body;
    for (member, place) in [("name", &mut hook.name), ("url", &mut hook.url)] {
        if let Some(text) = body[member].as_str() {
            text.trim().clone_into(place);
        }
        if place.is_empty() {
            return Err(refusal(400, format!("The webhook needs a {member}.")));
        }
    }
    // Jira insists on HTTPS and on some ports; here receivers on this machine are taken too.
    let uri = hook.url.parse::<http::Uri>().ok();
    let scheme = uri.as_ref().and_then(|uri| uri.scheme_str());
    if !matches!(scheme, Some("http" | "https")) {
        return Err(refusal(400, "The URL of the webhook is not valid."));
    }
    if body["events"].is_array() {
        hook.events = strings(&body["events"]);
    }
    if hook.events.is_empty() {
        return Err(refusal(400, "The webhook needs at least one event."));
    }
    if let Some(event) = hook
        .events
        .iter()
        .find(|event| !EVENTS.contains(&event.as_str()))
    {
        let text = format!(
            "The emulator does not send the event {event}. It sends {}.",
            EVENTS.join(", ")
        );
        return Err(refusal(501, text));
    }
    if let Some(text) = body["filters"][JQL_SECTION].as_str() {
        hook.jql = read_filter(text)?;
        text.clone_into(&mut hook.jql_text);
    }
    if let Some(secret) = body["secret"].as_str() {
        hook.secret = (!secret.is_empty()).then(|| secret.to_owned());
    }
    hook.exclude_body = body["excludeBody"].as_bool().unwrap_or(hook.exclude_body);
    hook.enabled = body["enabled"].as_bool().unwrap_or(hook.enabled);
    call.user.account_id.clone_into(&mut hook.by);
    hook.updated = call.now;
    Ok(hook)
}

/// Any JQL; empty fits every issue.
fn read_filter(text: &str) -> Result<Option<Jql>, Reply> {
    let jql = jql::parse(text).map_err(|error| match error {
        JqlError::Syntax(text) => refusal(400, text),
        JqlError::NotEmulated(what) => refusal(501, format!("The emulator does not know {what}.")),
    })?;
    Ok(jql.filter.is_some().then_some(jql))
}
