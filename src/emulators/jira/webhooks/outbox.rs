//! The deliveries of webhooks as a state machine: due, in flight, done, due again. At least once, in no order, best effort
//! (Jira Cloud: webhooks, delivery).

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::Sha256;

use crate::emulators::jira::Jira;
use crate::emulators::jira::faults::{FaultKind, span};

/// Retries after the first attempt (Jira Cloud: webhook retry policy).
const RETRIES_MOST: u32 = 5;
/// Between attempts, in seconds, drawn anew each time.
const WAIT_LEAST_S: u64 = 300;
const WAIT_MOST_S: u64 = 900;
/// A host that has failed this long gets one attempt for each delivery.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// Requests at a time to one host.
const PRIMARY_MOST: usize = 20;
const SECONDARY_MOST: usize = 10;
/// Larger bodies are never delivered.
const BODY_MOST: usize = 25 * 1024 * 1024;
/// How long a fault that reorders holds a delivery back, so that others overtake it.
const HELD_BACK: SignedDuration = SignedDuration::from_secs(30);

/// The lane of a delivery: `X-Atlassian-Webhook-Flow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What somebody did.
    Primary,
    /// What followed from it.
    Secondary,
}

/// A delivery to be sent now.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its handle for [`Jira::delivered`].
    pub id: u64,
    /// Where to.
    pub url: String,
    /// All headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body, exactly as it was signed.
    pub body: Bytes,
    /// The event's name, such as `jira:issue_updated`.
    pub event: String,
    /// 0 for the first attempt.
    pub retry: u32,
}

impl Delivery {
    /// As a request of the `http` crate.
    ///
    /// # Errors
    /// When the address or a header is not legal.
    pub fn request(&self) -> http::Result<http::Request<Bytes>> {
        let mut request = http::Request::post(&self.url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(self.body.clone())
    }
}

/// A delivery that waits or is on its way.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    hook: u64,
    url: String,
    host: String,
    identifier: String,
    event: String,
    lane: Lane,
    secret: Option<String>,
    body: Bytes,
    due: Timestamp,
    retry: u32,
    in_flight: bool,
}

impl Jira {
    pub(crate) fn enqueue(
        &mut self,
        hook: u64,
        event: &str,
        body: Option<Value>,
        lane: Lane,
        at: Timestamp,
    ) {
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let operation = format!("webhook {event}");
        let fault = self.faults.strike(&operation, FaultKind::is_of_webhooks);
        if body.len() > BODY_MOST || fault == Some(FaultKind::WebhookLost) {
            return;
        }
        let spread = match lane {
            Lane::Primary => self.webhook_spread.primary,
            Lane::Secondary => self.webhook_spread.secondary,
        };
        let spread_ms = u64::try_from(spread.as_millis()).unwrap_or(0);
        let drawn_ms = self.webhooks.below(spread_ms);
        let drawn = SignedDuration::from_millis(i64::try_from(drawn_ms).unwrap_or(0));
        let held = match &fault {
            Some(FaultKind::WebhookDelayed { seconds }) => span(*seconds),
            Some(FaultKind::WebhookReordered) => HELD_BACK,
            _ => SignedDuration::ZERO,
        };
        let Some(hook) = self.webhooks.hooks.get(&hook) else {
            return;
        };
        let host = hook.url.parse::<http::Uri>().ok();
        let host = host.and_then(|uri| uri.authority().map(ToString::to_string));
        self.webhooks.next_delivery += 1;
        let id = self.webhooks.next_delivery;
        let pending = Pending {
            hook: hook.id,
            url: hook.url.clone(),
            host: host.unwrap_or_default(),
            identifier: format!("a5af{:012x}", id.wrapping_mul(0x9e37_79b9)),
            event: event.to_owned(),
            lane,
            secret: hook.secret.clone(),
            body,
            due: at + drawn + held,
            retry: 0,
            in_flight: false,
        };
        if fault == Some(FaultKind::WebhookDuplicated) {
            // As if the answer to the first attempt had been lost.
            self.webhooks.next_delivery += 1;
            let again = Pending {
                retry: 1,
                ..pending.clone()
            };
            let second = self.webhooks.next_delivery;
            self.webhooks.pending.insert(second, again);
        }
        self.webhooks.pending.insert(id, pending);
    }

    /// The deliveries to be sent now, oldest first; each counts as on its way until [`Jira::delivered`] tells how it
    /// ended. At most 20 primary and 10 secondary ones are on their way to one host.
    pub fn due_deliveries(&mut self, now: Timestamp) -> Vec<Delivery> {
        let mut due: Vec<(Timestamp, u64)> = self
            .webhooks
            .pending
            .iter()
            .filter(|(_, one)| !one.in_flight && one.due <= now)
            .map(|(id, one)| (one.due, *id))
            .collect();
        due.sort_unstable();
        let mut out = Vec::new();
        for (_, id) in due {
            let Some(one) = self.webhooks.pending.get(&id) else {
                continue;
            };
            let flying = self.webhooks.pending.values();
            let flying = flying.filter(|p| p.in_flight && p.host == one.host && p.lane == one.lane);
            let most = match one.lane {
                Lane::Primary => PRIMARY_MOST,
                Lane::Secondary => SECONDARY_MOST,
            };
            if flying.count() >= most {
                continue;
            }
            out.push(one.delivery(id));
            if let Some(one) = self.webhooks.pending.get_mut(&id) {
                one.in_flight = true;
            }
        }
        out
    }

    /// When the next delivery is due; nothing when none waits.
    pub fn next_delivery_at(&self) -> Option<Timestamp> {
        let waiting = self.webhooks.pending.values().filter(|one| !one.in_flight);
        waiting.map(|one| one.due).min()
    }

    /// How a delivery ended: the status of the answer, or nothing for a refused connection and a time-out. Retried are
    /// these and 408, 409, 425, 429 and 5xx; other answers end it.
    pub fn delivered(&mut self, id: u64, status: Option<u16>, now: Timestamp) {
        let Some(mut one) = self.webhooks.pending.remove(&id) else {
            return;
        };
        let is_failure = status.is_none_or(|status| {
            matches!(status, 408 | 409 | 425 | 429) || (500..600).contains(&status)
        });
        if !is_failure {
            self.webhooks.failing.remove(&one.host);
            return;
        }
        let since = *self.webhooks.failing.entry(one.host.clone()).or_insert(now);
        let is_hopeless = now.duration_since(since) >= GIVE_UP_AFTER;
        let is_gone = !self.webhooks.hooks.contains_key(&one.hook);
        if one.retry >= RETRIES_MOST || is_hopeless || is_gone {
            return;
        }
        let wait_s = WAIT_LEAST_S + self.webhooks.below(WAIT_MOST_S - WAIT_LEAST_S + 1);
        one.due = now + span(wait_s);
        one.retry += 1;
        one.in_flight = false;
        self.webhooks.pending.insert(id, one);
    }
}

impl Pending {
    fn delivery(&self, id: u64) -> Delivery {
        let lane = match self.lane {
            Lane::Primary => "Primary",
            Lane::Secondary => "Secondary",
        };
        let mut headers = vec![
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("user-agent", "Atlassian Webhook HTTP Client".to_owned()),
            ("x-atlassian-webhook-identifier", self.identifier.clone()),
            ("x-atlassian-webhook-flow", lane.to_owned()),
        ];
        if self.retry > 0 {
            headers.push(("x-atlassian-webhook-retry", self.retry.to_string()));
        }
        if let Some(secret) = &self.secret {
            headers.push(("x-hub-signature", signature(secret, &self.body)));
        }
        Delivery {
            id,
            url: self.url.clone(),
            headers,
            body: self.body.clone(),
            event: self.event.clone(),
            retry: self.retry,
        }
    }
}

/// `method=signature` over the raw body (Jira Cloud: webhooks, `X-Hub-Signature`).
fn signature(secret: &str, body: &[u8]) -> String {
    match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(body);
            format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
        }
        // HMAC takes keys of any length.
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_documented_example_is_signed_as_documented() {
        let expected = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9";
        assert_eq!(
            super::signature("It's a Secret to Everybody", b"Hello World!"),
            expected
        );
    }
}
