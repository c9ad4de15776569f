//! Admin webhooks: which are registered, what they are told, and the deliveries that are due. Opens no connection: a face
//! takes the due deliveries, sends them, and says how each ended.

pub(super) mod dynamic;
pub(super) mod events;
pub(super) mod hooks;
pub(super) mod outbox;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

pub use outbox::{Delivery, Lane};

use super::Jira;
use hooks::Hook;
use outbox::Pending;

/// How long after a change its webhook is sent at the latest; each delivery draws its own time below that, so they
/// arrive in any order. Zero: at once, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Of primary webhooks.
    pub primary: SignedDuration,
    /// Of secondary webhooks.
    pub secondary: SignedDuration,
}

impl Spread {
    /// 30 seconds and 15 minutes (Jira Cloud: webhooks, delivery).
    pub fn documented() -> Spread {
        Spread {
            primary: SignedDuration::from_secs(30),
            secondary: SignedDuration::from_mins(15),
        }
    }
}

/// Hooks and deliveries of a site.
#[derive(Clone, Debug, Default)]
pub(super) struct Webhooks {
    pub(super) hooks: BTreeMap<u64, Hook>,
    pub(super) pending: BTreeMap<u64, Pending>,
    /// Since when every delivery to a host has failed.
    pub(super) failing: BTreeMap<String, Timestamp>,
    pub(super) next_delivery: u64,
    /// The state of the generator that draws delays.
    pub(super) dice: u64,
}

impl Webhooks {
    /// A number below `n`, the same sequence for the same seed (SplitMix64).
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        if n == 0 { 0 } else { (z ^ (z >> 31)) % n }
    }
}

impl Jira {
    /// Seeds the delays of webhooks and of their retries.
    pub fn seed_webhooks(&mut self, seed: u64) {
        self.webhooks.dice = seed;
    }

    pub(super) fn webhook_ids(&self) -> BTreeSet<String> {
        self.webhooks
            .hooks
            .keys()
            .map(ToString::to_string)
            .collect()
    }
}
