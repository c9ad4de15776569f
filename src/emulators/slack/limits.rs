//! Rate limits (docs.slack.dev, rate limits): one message a second in a channel with short bursts, and a tier for every
//! other method, each refused with 429 and `Retry-After`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::emulators::quota::{Bucket, Verdict};

/// Buckets by method, and for messages by channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits(BTreeMap<String, Bucket>);

impl Limits {
    /// Takes a token; the second value tells that the request came inside a `Retry-After` window. Windows of faults
    /// bind even when quotas are off.
    pub(super) fn take(
        &mut self,
        method: &str,
        channel: &str,
        quotas: bool,
        now: Timestamp,
    ) -> (Result<(), u64>, bool) {
        let by_channel = format!("{method} {channel}");
        let names: &[&str] = match method {
            "chat.postMessage" => &[method, &by_channel],
            _ => &[method],
        };
        for name in names {
            let bucket = self.bucket(method, name, quotas);
            if let Verdict::Refused {
                retry_after_s,
                inside_window,
            } = bucket.take(now)
            {
                return (Err(retry_after_s), inside_window);
            }
        }
        (Ok(()), false)
    }

    /// Refuses a method for some seconds, as a fault does.
    pub(super) fn close(&mut self, method: &str, now: Timestamp, seconds: u64) {
        let bucket = self.bucket(method, method, false);
        bucket.close(now, i64::try_from(seconds).unwrap_or(i64::MAX));
    }

    fn bucket(&mut self, method: &str, name: &str, quotas: bool) -> &mut Bucket {
        let key = format!("{name} {quotas}");
        let whole_method = method == name;
        self.0.entry(key).or_insert_with(|| {
            if !quotas {
                return Bucket::new(1e9, 1e9);
            }
            let (per_minute, burst) = match method {
                // Several hundred messages a minute in a workspace; one a second in a channel, with short bursts.
                "chat.postMessage" if whole_method => (400.0, 60.0),
                "chat.postMessage" => (60.0, 5.0),
                "chat.update"
                | "conversations.history"
                | "conversations.replies"
                | "conversations.info" => (50.0, 20.0),
                _ => (100.0, 40.0),
            };
            Bucket::new(per_minute / 60.0, burst)
        })
    }
}
