//! Token buckets that the emulators enforce, with the Retry-After windows that a client must honour.

use jiff::{SignedDuration, Timestamp};

/// What a bucket says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Served.
    Allowed,
    /// Refused; come back after this many whole seconds (at least 1). `inside_window` tells that the client had
    /// already been told to wait and came too early: a violation of S6.
    Refused {
        /// Whole seconds to wait.
        retry_after_s: u64,
        /// The request came inside an earlier Retry-After window.
        inside_window: bool,
    },
}

/// One token bucket: `rate_per_s` tokens a second, at most `burst` saved up.
#[derive(Clone, Debug)]
pub struct Bucket {
    rate_per_s: f64,
    burst: f64,
    tokens: f64,
    filled_at: Option<Timestamp>,
    closed_until: Option<Timestamp>,
}

impl Bucket {
    /// A full bucket.
    pub fn new(rate_per_s: f64, burst: f64) -> Self {
        Bucket {
            rate_per_s,
            burst,
            tokens: burst,
            filled_at: None,
            closed_until: None,
        }
    }

    /// Takes one token at `now`, or refuses.
    pub fn take(&mut self, now: Timestamp) -> Verdict {
        if let Some(until) = self.closed_until {
            if now < until {
                return Verdict::Refused {
                    retry_after_s: seconds_up(now, until),
                    inside_window: true,
                };
            }
            self.closed_until = None;
        }
        let elapsed_s = self
            .filled_at
            .map_or(0.0, |then| now.duration_since(then).as_secs_f64().max(0.0));
        self.tokens = (self.tokens + elapsed_s * self.rate_per_s).min(self.burst);
        self.filled_at = Some(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Verdict::Allowed;
        }
        self.close(now, 1);
        Verdict::Refused {
            retry_after_s: 1,
            inside_window: false,
        }
    }

    /// Takes one token at `now`, or refuses without a Retry-After window: AWS's way.
    pub fn take_or_refill(&mut self, now: Timestamp) -> Verdict {
        let verdict = self.take(now);
        self.closed_until = None;
        verdict
    }

    /// Refuses everything for `seconds` from `now`, as a fault or an exhausted hourly quota does.
    pub fn close(&mut self, now: Timestamp, seconds: i64) {
        let until = now + SignedDuration::from_secs(seconds);
        self.closed_until = Some(
            self.closed_until
                .map_or(until, |earlier| earlier.max(until)),
        );
    }
}

/// Whole seconds from `now` to `until`, rounded up, at least 1.
fn seconds_up(now: Timestamp, until: Timestamp) -> u64 {
    let ms = until.duration_since(now).as_millis().max(1);
    u64::try_from((ms + 999) / 1000).unwrap_or(1)
}
