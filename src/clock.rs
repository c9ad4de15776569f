//! The one place where time comes from. Everything else is handed `now`, or a [`Clock`] to wait on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Real time, or time that only waiting moves (tests, simulation, figures for quota-bound runs).
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock; waiting really waits.
    #[default]
    System,
    /// Virtual time: waiting moves it and returns at once. Clones share it.
    Manual(Arc<Mutex<Timestamp>>),
    /// The machine's clock, set forward by what `advance` adds up to. Clones share it.
    Shifted(Arc<Mutex<SignedDuration>>),
}

impl Clock {
    /// Virtual time that starts at `start`.
    pub fn manual(start: Timestamp) -> Self {
        Clock::Manual(Arc::new(Mutex::new(start)))
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::System => Timestamp::now(),
            Clock::Manual(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
            Clock::Shifted(by) => {
                let by = *by.lock().unwrap_or_else(PoisonError::into_inner);
                Timestamp::now()
                    .saturating_add(by)
                    .unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Waits until `deadline`; returns at once if it has passed.
    pub async fn sleep_until(&self, deadline: Timestamp) {
        match self {
            Clock::System | Clock::Shifted(_) => {
                let left = deadline.duration_since(self.now());
                if let Ok(left) = Duration::try_from(left) {
                    tokio::time::sleep(left).await;
                }
            }
            Clock::Manual(at) => {
                {
                    let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
                    *at = (*at).max(deadline);
                }
                tokio::task::yield_now().await;
            }
        }
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        self.sleep_until(
            self.now()
                .saturating_add(duration)
                .unwrap_or(Timestamp::MAX),
        )
        .await;
    }

    /// Moves virtual or shifted time forward; does nothing to real time.
    pub fn advance(&self, by: SignedDuration) {
        match self {
            Clock::System => {}
            Clock::Manual(at) => {
                let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
                *at = at.saturating_add(by).unwrap_or(Timestamp::MAX);
            }
            Clock::Shifted(shift) => {
                let mut shift = shift.lock().unwrap_or_else(PoisonError::into_inner);
                *shift = shift.saturating_add(by);
            }
        }
    }
}
