//! What reaches the engine from outside: events with their fates, and requests that take effect too late.

use std::collections::BTreeMap;

use asaf::emulators::world::Shared;
use jiff::{SignedDuration, Timestamp};

use super::counts::Counts;
use super::dice::Dice;
use super::door::Straggler;
use super::swarm::Swarm;
use crate::scene::live::{Event, event};

struct Letter {
    id: u64,
    due: Timestamp,
    event: Event,
    /// Which process has it, and has not said yet that it keeps it.
    handed_to: Option<usize>,
}

/// Everything that is under way.
#[derive(Default)]
pub(crate) struct Outside {
    heard: usize,
    next: u64,
    letters: Vec<Letter>,
    late: Vec<(Timestamp, Straggler)>,
    /// Each change that came late, and where the journal was when the request behind it was sent.
    pub(crate) sent: BTreeMap<u64, usize>,
}

impl Outside {
    /// What happened since the last time becomes events: lost, doubled, delayed, and in any order.
    pub(crate) fn hear(
        &mut self,
        world: &Shared,
        swarm: &Swarm,
        dice: &mut Dice,
        counts: &mut Counts,
    ) {
        let world = world.lock();
        let entries = &world.journal.entries[self.heard..];
        self.heard = world.journal.entries.len();
        for event in entries.iter().filter_map(event) {
            if dice.permille(swarm.mail_lost) {
                counts.fault("event lost");
                continue;
            }
            let copies = 1 + u64::from(dice.permille(swarm.mail_doubled));
            if copies > 1 {
                counts.fault("event doubled");
            }
            for _ in 0..copies {
                let delay = if dice.permille(swarm.mail_delayed) {
                    counts.fault("event delayed");
                    SignedDuration::from_secs(dice.between(1, 5_400))
                } else {
                    SignedDuration::ZERO
                };
                // A retry keeps the identifier half of the time; otherwise it is a replay under a new one.
                let again = copies > 1 && dice.permille(500);
                self.next += u64::from(!again);
                self.letters.push(Letter {
                    id: self.next,
                    due: world.now() + delay,
                    event: event.clone(),
                    handed_to: None,
                });
            }
        }
    }

    /// One letter that is due for a process that takes letters in.
    pub(crate) fn hand(
        &mut self,
        to: usize,
        now: Timestamp,
        dice: &mut Dice,
    ) -> Option<(u64, Event)> {
        let due: Vec<usize> = (0..self.letters.len())
            .filter(|n| self.letters[*n].handed_to.is_none() && self.letters[*n].due <= now)
            .collect();
        if due.is_empty() {
            return None;
        }
        let letter = &mut self.letters[dice.pick(&due)];
        letter.handed_to = Some(to);
        Some((letter.id, letter.event.clone()))
    }

    /// The process keeps it.
    pub(crate) fn kept(&mut self, by: usize, id: u64) {
        let kept = |letter: &Letter| letter.id == id && letter.handed_to == Some(by);
        if let Some(n) = self.letters.iter().position(kept) {
            self.letters.remove(n);
        }
    }

    /// The process is gone: what it did not acknowledge is sent again.
    pub(crate) fn gone(&mut self, process: usize) {
        for letter in &mut self.letters {
            if letter.handed_to == Some(process) {
                letter.handed_to = None;
            }
        }
    }

    pub(crate) fn straggle(&mut self, at: Timestamp, straggler: Straggler) {
        self.late.push((at, straggler));
    }

    /// Requests whose time has come take effect; nobody hears of it. Whether one was asked to wait.
    pub(crate) fn arrive(&mut self, world: &Shared, counts: &mut Counts) -> bool {
        let now = world.lock().now();
        let late = std::mem::take(&mut self.late);
        let (due, rest): (Vec<_>, Vec<_>) = late.into_iter().partition(|(at, _)| *at <= now);
        self.late = rest;
        let mut told_to_wait = false;
        for (_, straggler) in due {
            let Straggler {
                side,
                sent,
                request,
            } = straggler;
            let mut world = world.lock();
            let from = world.journal.entries.len();
            let answer = world.answer(side, &request);
            told_to_wait |= answer.is_some_and(|answer| may_ask_to_wait(answer.status().as_u16()));
            world.journal.lose(from);
            let to = world.journal.entries.len();
            self.sent.extend((from..to).map(|at| (at as u64, sent)));
            if to > from {
                counts.reach("late effect");
            }
        }
        told_to_wait
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.late.is_empty()
    }
}

/// Whether an answer may carry a `Retry-After`; GitHub sends it with a 403.
pub(crate) fn may_ask_to_wait(status: u16) -> bool {
    matches!(status, 403 | 429)
}
