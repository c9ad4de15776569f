//! Microsoft Teams, through workflows with the trigger *When a Teams webhook request is received*
//! (learn.microsoft.com, "Post a workflow when a webhook request is received").
//!
//! A workflow only takes cards: nothing can be edited, answered in a thread or read back. Its address is its secret, so
//! it stands in no message and in no log line.

pub mod card;

use std::collections::BTreeMap;

use http::Method;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::notify::chat::{Address, At, Chat, Undelivered};
use crate::notify::message::Message;
use crate::wire::budget::{Budget, Rate};
use crate::wire::counts::Counts;
use crate::wire::error::WireError;
use crate::wire::http::{Auth, BadSetup, Http, HttpConfig, Operation, Request};
use crate::wire::transport::Transport;

/// Requests to one workflow, below the four a second at which Teams begins to refuse (learn.microsoft.com, incoming
/// webhooks).
const RATE: Rate = Rate {
    per_s: 1.0,
    burst: 2,
};

/// Hosts of workflows (learn.microsoft.com, Power Automate: HTTP triggers and their addresses, before and after
/// 2025-11).
const HOSTS: [&str; 3] = [
    ".logic.azure.com",
    ".api.powerplatform.com",
    ".webhook.office.com",
];

/// The workflows of some channels.
pub struct TeamsClient {
    channels: BTreeMap<String, Hook>,
    budget: Budget,
}

struct Hook {
    http: Http,
    path: String,
}

impl TeamsClient {
    /// A client for channels by name; nothing is sent yet.
    ///
    /// # Errors
    /// [`BadSetup`], when an address is none of a workflow.
    pub fn new(
        addresses: BTreeMap<String, SecretString>,
        transport: &Transport,
        budget: &Budget,
        counts: &Counts,
    ) -> Result<Self, BadSetup> {
        let mut channels = BTreeMap::new();
        for (channel, address) in addresses {
            let hook = hook(&channel, &address, transport, budget, counts)?;
            channels.insert(channel, hook);
        }
        Ok(TeamsClient {
            channels,
            budget: budget.clone(),
        })
    }

    /// Whether there is a workflow for this channel.
    pub fn has(&self, channel: &str) -> bool {
        self.channels.contains_key(channel)
    }
}

/// Host and path apart: the path holds the signature and must not be shown.
fn hook(
    channel: &str,
    address: &SecretString,
    transport: &Transport,
    budget: &Budget,
    counts: &Counts,
) -> Result<Hook, BadSetup> {
    let refused = |why: &str| BadSetup::BaseUrl {
        url: format!("the Teams address of {channel}"),
        why: why.to_owned(),
    };
    let url =
        reqwest::Url::parse(address.expose_secret().trim()).map_err(|_| refused("it is no URL"))?;
    let host = url.host_str().unwrap_or_default();
    let loopback = crate::config::is_loopback(url.as_str());
    let known = HOSTS.iter().any(|suffix| host.ends_with(suffix));
    let encrypted = url.scheme() == "https";
    let accepted = loopback || (known && encrypted);
    if !accepted {
        return Err(refused(
            "its host is none of Power Automate's (…logic.azure.com, …api.powerplatform.com)",
        ));
    }
    let config = HttpConfig {
        api: "teams",
        base_url: url.origin().ascii_serialization(),
        auth: Auth::Anonymous,
        renew: "Copy the workflow's address again".to_owned(),
    };
    Ok(Hook {
        http: Http::new(config, transport.clone(), budget.clone(), counts.clone())?,
        path: match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        },
    })
}

impl Chat for TeamsClient {
    async fn post(&self, to: &Address, message: &Message, _key: &str) -> Result<At, Undelivered> {
        let hook = self.channels.get(&to.channel).ok_or_else(|| {
            Undelivered::Channel(format!("[teams_webhook] has no address for {}", to.channel))
        })?;
        let scope = format!("channel {}", to.channel);
        self.budget.limit_if_new(&format!("teams {scope}"), RATE);
        let operation = Operation::write(
            "POST workflow",
            format!("send a card to the Teams channel of {}", to.channel),
            "the workflow to be shared with anyone who has its address",
        )
        .on(scope);
        let request = Request::new(Method::POST, &hook.path).json(card::payload(message));
        hook.http
            .send(&operation, request)
            .await
            .map_err(undelivered)?;
        Ok(At {
            channel: to.channel.clone(),
            id: String::new(),
        })
    }

    async fn update(&self, at: &At, _: &Message, _: &str) -> Result<(), Undelivered> {
        Err(Undelivered::Message(format!(
            "a card in the Teams channel of {} cannot be changed",
            at.channel
        )))
    }

    async fn find(&self, to: &Address, _: &str, _: Timestamp) -> Result<Option<At>, Undelivered> {
        Err(Undelivered::Message(format!(
            "the Teams channel of {} cannot be read",
            to.channel
        )))
    }
}

fn undelivered(error: WireError) -> Undelivered {
    match error {
        WireError::Throttled { retry_after, .. } => Undelivered::Later {
            why: error.to_string(),
            after: Some(retry_after),
        },
        WireError::Unreachable { .. } | WireError::TooLate { .. } => Undelivered::Later {
            why: error.to_string(),
            after: None,
        },
        // A workflow that was deleted, disabled or orphaned answers 400, 401, 403 or 404.
        WireError::Denied { .. }
        | WireError::Misconfigured { .. }
        | WireError::NotFound { .. }
        | WireError::Refused { .. } => Undelivered::Channel(error.to_string()),
        WireError::Unknown { .. } | WireError::Server { .. } | WireError::Decode { .. } => {
            Undelivered::InDoubt(error.to_string())
        }
    }
}

#[cfg(test)]
mod tests;
