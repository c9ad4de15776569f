//! One budget per API and scope: a rate that is never exceeded, and a gate that a `Retry-After` closes.
//!
//! Every request of a scope passes here first, so one 429 stops them all for as long as the answer asks, and a scope
//! that is not named in the answer goes on.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

/// A sustained rate with a burst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests a second, sustained.
    pub per_s: f64,
    /// Requests that may come at once after a pause.
    pub burst: u32,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, BudgetClock, NoOpMiddleware<Nanos>>;

/// The budget of one process for all its APIs; clones share it.
#[derive(Clone)]
pub struct Budget {
    clock: Clock,
    scopes: Arc<Mutex<HashMap<String, Scope>>>,
    writes_until: Arc<Mutex<Option<Timestamp>>>,
}

struct Scope {
    limiter: Option<Arc<Limiter>>,
    closed_until: Option<Timestamp>,
    /// Forgotten when nobody asked for so long; `None` stays.
    forgotten_after: Option<Timestamp>,
}

/// A process that stays writes to ever more tickets: their scopes are looked through when there are so many.
const SCOPES_MANY: usize = 4_096;
/// After this without a request every limit of one thing is whole again.
const SCOPE_IDLE: SignedDuration = SignedDuration::from_mins(2);

impl Budget {
    /// A budget without limits yet; scopes without a rate only have a gate.
    pub fn new(clock: Clock) -> Self {
        Budget {
            clock,
            scopes: Arc::default(),
            writes_until: Arc::default(),
        }
    }

    /// From then on no write begins: what a worker may do with its lease, less the longest that one request takes.
    pub fn writes_until(&self, until: Option<Timestamp>) {
        *self
            .writes_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// A write may begin now. Asked immediately before each attempt, because waiting for a budget takes time.
    pub fn may_write(&self) -> bool {
        let until = *self
            .writes_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_none_or(|until| self.clock.now() < until)
    }

    /// The same rates and gates, for writes that no lease binds.
    #[must_use]
    pub fn without_lease(&self) -> Self {
        Budget {
            writes_until: Arc::default(),
            ..self.clone()
        }
    }

    /// The clock it waits on.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Sets the rate of a scope, such as `securityhub GetFindings` or `jira POST /rest/api/3/issue/bulk`.
    pub fn limit(&self, scope: &str, rate: Rate) {
        let limiter = Some(Arc::new(limiter(rate, &self.clock)));
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        match scopes.get_mut(scope) {
            // A new rate must not open a gate that an answer closed.
            Some(known) => known.limiter = limiter,
            None => {
                let closed_until = None;
                let new = Scope {
                    limiter,
                    closed_until,
                    forgotten_after: None,
                };
                scopes.insert(scope.to_owned(), new);
            }
        }
    }

    /// Sets the rate only if the scope has none yet.
    pub fn limit_if_new(&self, scope: &str, rate: Rate) {
        let known = {
            let scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
            scopes
                .get(scope)
                .is_some_and(|scope| scope.limiter.is_some())
        };
        if !known {
            self.limit(scope, rate);
        }
    }

    /// Sets the rate of a scope of one thing, such as `jira issue 10001`, if it has none; it is forgotten when nobody
    /// has asked for a while.
    pub fn limit_for_a_while(&self, scope: &str, rate: Rate) {
        let now = self.clock.now();
        self.limit_if_new(scope, rate);
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scope) = scopes.get_mut(scope) {
            scope.forgotten_after = now.checked_add(SCOPE_IDLE).ok();
        }
        if scopes.len() > SCOPES_MANY {
            scopes.retain(|_, scope| {
                let waits = scope.closed_until.is_some_and(|until| now < until);
                waits || scope.forgotten_after.is_none_or(|after| now < after)
            });
        }
    }

    /// Waits until every one of `scopes` is open and within its rate.
    pub async fn acquire(&self, scopes: &[&str]) {
        for scope in scopes {
            while let Some(until) = self.not_before(scope) {
                self.clock.sleep_until(until).await;
            }
        }
    }

    /// Closes a scope for `wait`: what a 429 or 503 asked for. Never shortens an earlier wait.
    pub fn close(&self, scope: &str, wait: Duration) {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        let until = self
            .clock
            .now()
            .saturating_add(wait)
            .unwrap_or(Timestamp::MAX);
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        let scope = scopes.entry(scope.to_owned()).or_insert(Scope {
            limiter: None,
            closed_until: None,
            forgotten_after: None,
        });
        scope.closed_until = Some(
            scope
                .closed_until
                .map_or(until, |earlier| earlier.max(until)),
        );
    }

    /// How long a scope is closed still; zero when open.
    pub fn closed_for(&self, scope: &str) -> Duration {
        let scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        scopes
            .get(scope)
            .and_then(|scope| scope.closed_until)
            .and_then(|until| Duration::try_from(until.duration_since(self.clock.now())).ok())
            .unwrap_or(Duration::ZERO)
    }

    /// Takes a token, or says when to come back.
    fn not_before(&self, scope: &str) -> Option<Timestamp> {
        let now = self.clock.now();
        let limiter = {
            let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
            let scope = scopes.get_mut(scope)?;
            if let Some(until) = scope.closed_until {
                if now < until {
                    return Some(until);
                }
                scope.closed_until = None;
            }
            scope.limiter.clone()?
        };
        let refused = limiter.check().err()?;
        let wait = refused
            .wait_time_from(nanos(now))
            .max(Duration::from_millis(1));
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        Some(now.saturating_add(wait).unwrap_or(Timestamp::MAX))
    }
}

fn limiter(rate: Rate, clock: &Clock) -> Limiter {
    let period = Duration::from_secs_f64(1.0 / rate.per_s.max(0.001));
    let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(period).map_or_else(
        || Quota::per_second(burst),
        |quota| quota.allow_burst(burst),
    );
    RateLimiter::direct_with_clock(quota, BudgetClock(clock.clone()))
}

/// The process clock as the rate limiter reads it, so that virtual time drives it too.
#[derive(Clone)]
struct BudgetClock(Clock);

impl GovernorClock for BudgetClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        nanos(self.0.now())
    }
}

fn nanos(at: Timestamp) -> Nanos {
    let since_epoch = at.duration_since(Timestamp::UNIX_EPOCH);
    Nanos::new(u64::try_from(since_epoch.as_nanos()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn budget() -> (Budget, Clock) {
        let clock = Clock::manual("2026-11-24T00:00:00Z".parse().unwrap());
        (Budget::new(clock.clone()), clock)
    }

    #[tokio::test]
    async fn a_scope_keeps_its_sustained_rate_after_the_burst() {
        let (budget, clock) = budget();
        budget.limit(
            "hub",
            Rate {
                per_s: 3.0,
                burst: 6,
            },
        );
        let start = clock.now();
        for _ in 0..36 {
            budget.acquire(&["hub"]).await;
        }
        let seconds = clock.now().duration_since(start).as_secs_f64();
        assert!(
            (9.9..10.2).contains(&seconds),
            "36 requests took {seconds} s of virtual time"
        );
    }

    #[tokio::test]
    async fn a_new_rate_does_not_open_a_closed_scope() {
        let (budget, _) = budget();
        budget.close("a", Duration::from_secs(30));
        let rate = Rate {
            per_s: 1.0,
            burst: 1,
        };
        budget.limit_if_new("a", rate);
        assert_eq!(budget.closed_for("a").as_secs(), 30);
    }

    #[tokio::test]
    async fn scopes_of_single_things_are_forgotten_and_the_others_stay() {
        let (budget, clock) = budget();
        let rate = Rate {
            per_s: 1.0,
            burst: 1,
        };
        budget.limit("hub", rate);
        budget.close("jira issue 0", Duration::from_secs(3_600));
        for n in 0..50_000 {
            budget.limit_for_a_while(&format!("jira issue {n}"), rate);
            clock.advance(SignedDuration::from_millis(100));
        }
        let scopes = budget.scopes.lock().unwrap();
        assert!(scopes.len() <= SCOPES_MANY + 1, "{}", scopes.len());
        assert!(scopes.contains_key("hub") && scopes.contains_key("jira issue 49999"));
        assert!(!scopes.contains_key("jira issue 1"));
    }

    #[tokio::test]
    async fn a_scope_that_was_told_to_wait_is_not_forgotten() {
        let (budget, clock) = budget();
        let rate = Rate {
            per_s: 1.0,
            burst: 1,
        };
        budget.limit_for_a_while("jira issue 0", rate);
        budget.close("jira issue 0", Duration::from_secs(3_600));
        clock.advance(SignedDuration::from_mins(10));
        for n in 1..10_000 {
            budget.limit_for_a_while(&format!("jira issue {n}"), rate);
        }
        assert!(budget.closed_for("jira issue 0").as_secs() > 2_000);
    }

    #[tokio::test]
    async fn a_closed_scope_waits_and_another_goes_on() {
        let (budget, clock) = budget();
        let start = clock.now();
        budget.close("a", Duration::from_secs(30));
        budget.close("a", Duration::from_secs(5));
        budget.acquire(&["b"]).await;
        assert_eq!(clock.now(), start);
        budget.acquire(&["a"]).await;
        assert_eq!(clock.now().duration_since(start).as_secs(), 30);
    }
}
