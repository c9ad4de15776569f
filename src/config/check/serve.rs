//! What can be wrong with `[serve]`, `[webhook]` and `[queue]`.

use std::collections::BTreeSet;

use super::{Found, is_loopback};
use crate::config::{Config, Queue, Serve, Webhook};
use crate::wire::signature::SECRETS_MAX;

/// The longest wait for a stop that makes sense: supervisors kill much earlier.
const GRACE_LONGEST_SECS: i64 = 600;

pub(super) fn serve(serve: &Serve, found: &mut Found) {
    let port = serve.listen.rsplit_once(':').and_then(|(host, port)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let named = !host.is_empty() && !host.contains(char::is_whitespace);
        port.parse::<u16>().ok().filter(|_| named)
    });
    if port.is_none() {
        found.add_with_help(
            "serve.listen",
            format!("`{}` is no address and port", serve.listen),
            "such as \"127.0.0.1:8484\", or \"0.0.0.0:8484\" for every network",
        );
    }
    if !(1..=GRACE_LONGEST_SECS).contains(&serve.shutdown_grace.duration().as_secs()) {
        found.add("serve.shutdown_grace", "is 1s to 10m");
    }
    if serve.queue_most == 0 {
        found.add("serve.queue_most", "a queue for nothing takes nothing in");
    }
}

pub(super) fn webhook(webhook: &Webhook, found: &mut Found) {
    if let Some((why, help)) = webhook.url.as_deref().and_then(wrong_door) {
        found.add_with_help("webhook.url", why, help);
    }
    if webhook.secrets.len() > SECRETS_MAX {
        found.add_with_help(
            format!("webhook.secrets[{SECRETS_MAX}]"),
            "at most two secrets are active at once",
            "keep the present one and the one that replaces it",
        );
    }
    let mut known = BTreeSet::new();
    for (i, secret) in webhook.secrets.iter().enumerate() {
        if !known.insert(secret.to_string()) {
            found.add(
                format!("webhook.secrets[{i}]"),
                format!("`{secret}` stands here twice"),
            );
        }
    }
}

pub(super) fn queue(queue: &Queue, config: &Config, found: &mut Found) {
    if !(1..=1000).contains(&queue.give_up_after) {
        found.add("queue.give_up_after", "is 1 to 1000");
    }
    let path = "queue.url";
    let Ok(url) = queue.url.parse::<http::Uri>() else {
        return found.add(path, "is no URL");
    };
    match url.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback(&queue.url) => {}
        Some("http") => found.add(path, "http would send messages in the clear; use https"),
        _ => found.add(path, "is no URL with https and a host"),
    }
    let steps: Vec<&str> = url.path().split('/').skip(1).collect();
    let shaped = matches!(steps.as_slice(), [account, name]
        if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty());
    let user = url.authority().is_some_and(|at| at.as_str().contains('@'));
    if !shaped || user || url.query().is_some() {
        found.add_with_help(
            path,
            "is no URL of an SQS queue",
            "such as \"https://sqs.eu-west-1.amazonaws.com/123456789012/asaf-events\"; `aws sqs get-queue-url` shows it",
        );
    }
    // General reference, "Amazon SQS endpoints and quotas": sqs.REGION.…, and the older REGION.queue.….
    let host = url.host().unwrap_or_default();
    let region = host
        .strip_prefix("sqs.")
        .or_else(|| host.strip_prefix("sqs-fips."))
        .and_then(|rest| rest.split_once(".amazonaws."))
        .or_else(|| host.split_once(".queue.amazonaws."))
        .map(|(region, _)| region);
    if let Some(region) = region.filter(|region| *region != config.aws.region) {
        found.add(
            path,
            format!(
                "the queue is in {region}, but aws.region is {}: events arrive in the home Region",
                config.aws.region
            ),
        );
    }
}

/// What is wrong with an address at which Jira is to call, and what to do. Jira takes HTTPS only (Jira Cloud: Webhooks,
/// "Registering a webhook"); http is for emulators.
pub(crate) fn wrong_door(url: &str) -> Option<(&'static str, &'static str)> {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return Some((
            "is no URL",
            "such as \"https://asaf.example.com/webhook/jira\"",
        ));
    };
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback(url) => {}
        _ => {
            return Some((
                "is no URL with https",
                "Jira calls public https addresses only: put a load balancer with TLS before asaf",
            ));
        }
    }
    let bare =
        uri.query().is_none() && uri.authority().is_some_and(|at| !at.as_str().contains('@'));
    (!bare || !uri.path().ends_with(crate::config::WEBHOOK_PATH)).then_some((
        "is not where asaf listens",
        "asaf listens at the path /webhook/jira: such as \"https://asaf.example.com/webhook/jira\"",
    ))
}
