//! Slack's own troubles: it is away for an hour now and then.

use asaf::emulators::faults::{Fault, When};
use asaf::emulators::slack::{Slack, SlackFault};
use jiff::{SignedDuration, Timestamp};

use super::dice::Dice;
use super::door::Step;

/// Histories below are older than these troubles: those that are kept stay what they were.
const FROM_SEED: u64 = 1_000;
/// So many of 1,000 rounds begin with an outage.
const OUTAGE_PERMILLE: u32 = 200;

/// When Slack is away, and what is known of messages that may come twice.
pub(crate) struct Outage {
    on: bool,
    dice: Dice,
    until: Option<Timestamp>,
    /// Somebody was held up, or lost what they knew, between looking for a message and sending it.
    pub(crate) may_double: bool,
}

impl Outage {
    pub(crate) fn new(seed: u64) -> Self {
        Outage {
            on: seed >= FROM_SEED,
            // Its own, so that other choices do not depend on it.
            dice: Dice::new(!seed),
            until: None,
            may_double: false,
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Before a round: Slack goes away, or is back.
    pub(crate) fn turn(&mut self, slack: &mut Slack, now: Timestamp) -> Option<&'static str> {
        match self.until {
            Some(until) if until > now => None,
            Some(_) => {
                slack.faults.clear();
                self.until = None;
                Some("Slack is back")
            }
            None if self.on && self.dice.permille(OUTAGE_PERMILLE) => {
                let kind = self.dice.pick(&[
                    SlackFault::Status(503),
                    SlackFault::DropBefore,
                    SlackFault::DropAfter,
                    SlackFault::Refused("service_unavailable".to_owned()),
                    SlackFault::Throttled { retry_after_s: 600 },
                ]);
                // What is in doubt is looked for, and found: reading back works again first.
                let loses = kind == SlackFault::DropAfter;
                slack.faults.arm(Fault {
                    operation: if loses { "chat.postMessage" } else { "" }.to_owned(),
                    kind,
                    when: When::Next(u32::MAX),
                });
                self.until = Some(now + SignedDuration::from_hours(1));
                Some("an hour without Slack")
            }
            None => None,
        }
    }

    /// A step is a request to Slack.
    pub(crate) fn is_asked(&self, step: &Step) -> bool {
        matches!(step, Step::Request { side: "Slack", .. })
    }
}
