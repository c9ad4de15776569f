//! One standard queue: messages that can be received, that wait, and that are too old.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::attributes::Settings;
use super::message::Message;

/// "Maximum 120,000 messages in flight" (SQS developer guide, quotas).
pub(super) const MOST_IN_FLIGHT: usize = 120_000;

/// A queue.
pub(super) struct Queue {
    pub(super) settings: Settings,
    pub(super) created_at: Timestamp,
    pub(super) changed_at: Timestamp,
    pub(super) purged_at: Option<Timestamp>,
    messages: BTreeMap<u64, Message>,
    /// Can be received now, oldest first.
    ready: BTreeSet<u64>,
    /// In flight or delayed, by the time when they can be received.
    waiting: BTreeSet<(Timestamp, u64)>,
    /// By the time when they were sent.
    by_age: BTreeSet<(Timestamp, u64)>,
    in_flight: usize,
}

impl Queue {
    pub(super) fn new(settings: Settings, now: Timestamp) -> Self {
        Queue {
            settings,
            created_at: now,
            changed_at: now,
            purged_at: None,
            messages: BTreeMap::new(),
            ready: BTreeSet::new(),
            waiting: BTreeSet::new(),
            by_age: BTreeSet::new(),
            in_flight: 0,
        }
    }

    /// Keeps a message, to be received from `due` on.
    pub(super) fn put(&mut self, mut message: Message, due: Timestamp) {
        message.visible_at = due;
        self.by_age.insert((message.sent_at, message.number));
        self.waiting.insert((due, message.number));
        self.messages.insert(message.number, message);
    }

    /// Lets time pass: what is due becomes ready, what is older than the retention period goes.
    pub(super) fn settle(&mut self, now: Timestamp) {
        while let Some((due, number)) = self.waiting.first().copied() {
            if due > now {
                break;
            }
            self.waiting.pop_first();
            self.ready.insert(number);
            self.land(number);
        }
        let retention = SignedDuration::from_secs(self.settings.retention_s);
        while let Some((sent_at, number)) = self.by_age.first().copied() {
            if now.duration_since(sent_at) < retention {
                break;
            }
            self.take(number);
        }
    }

    /// The oldest message that can be received.
    pub(super) fn next(&self) -> Option<u64> {
        self.ready.first().copied()
    }

    pub(super) fn get(&self, number: u64) -> Option<&Message> {
        self.messages.get(&number)
    }

    /// The message is received: hidden until a time.
    pub(super) fn receive(
        &mut self,
        number: u64,
        until: Timestamp,
        now: Timestamp,
    ) -> Option<&Message> {
        let message = self.messages.get_mut(&number)?;
        if self.ready.remove(&number) {
            self.in_flight += 1;
            message.in_flight = true;
        }
        self.waiting.insert((until, number));
        message.received += 1;
        message.first_received_at.get_or_insert(now);
        message.visible_at = until;
        Some(message)
    }

    /// Changes when a message in flight can be received again.
    pub(super) fn hide(&mut self, number: u64, until: Timestamp) {
        if let Some(message) = self.messages.get_mut(&number) {
            self.waiting.remove(&(message.visible_at, number));
            message.visible_at = until;
            self.waiting.insert((until, number));
        }
    }

    /// Whether a message was received and is hidden.
    pub(super) fn is_in_flight(&self, number: u64) -> bool {
        let message = self.messages.get(&number);
        message.is_some_and(|message| message.in_flight)
    }

    /// A message is no longer in flight.
    fn land(&mut self, number: u64) {
        if let Some(message) = self.messages.get_mut(&number)
            && std::mem::take(&mut message.in_flight)
        {
            self.in_flight -= 1;
        }
    }

    /// Takes a message out for good.
    pub(super) fn take(&mut self, number: u64) -> Option<Message> {
        self.land(number);
        let message = self.messages.remove(&number)?;
        self.ready.remove(&number);
        self.waiting.remove(&(message.visible_at, number));
        self.by_age.remove(&(message.sent_at, number));
        Some(message)
    }

    /// Takes all messages out.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.ready.clear();
        self.waiting.clear();
        self.by_age.clear();
        self.in_flight = 0;
    }

    /// To be received, in flight, delayed.
    pub(super) fn depth(&self) -> (usize, usize, usize) {
        let delayed = self.waiting.len() - self.in_flight;
        (self.ready.len(), self.in_flight, delayed)
    }

    /// The messages that can be received now, oldest first.
    pub(super) fn ready(&self) -> impl Iterator<Item = &Message> {
        let found = self.ready.iter();
        found.filter_map(|number| self.messages.get(number))
    }

    /// All messages, oldest number first.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.values()
    }
}
