//! The event queue: from messages to keys in the work queue. `asaf serve` polls SQS with it; the Lambda function is
//! handed batches.
//!
//! A message leaves SQS only when everything that it names is durable here, or when it was kept for people because
//! nobody can read it. A message that cannot be read never keeps another one waiting.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::jobs::webhook;
use crate::store::queue::{Accepted, Delivery, Inbox, ResourceDeletion, WorkKey};
use crate::store::unread::{Arrived, Door, UnreadStore};
use crate::store::{Store, StoreError};
use crate::wire::error::WireError;
use crate::wire::events::{Event, event};
use crate::wire::jira::webhook::Named;
use crate::wire::signature::sha256;
use crate::wire::sqs::{Message, Queue, QueueSetup};

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What it names is durable, or concerns nobody: it may go.
    Done,
    /// It cannot be read and was kept for people: it may go, unless SQS itself puts it aside.
    GivenUp,
    /// It cannot be read; perhaps another version of us can.
    Again,
    /// The work queue is full: nothing was kept.
    Full,
}

/// Where messages go.
#[derive(Clone, Copy)]
pub struct Intake<'a, S> {
    /// The work queue, and the shelf for what cannot be read.
    pub store: &'a S,
    /// So many keys may wait.
    pub queue_most: u64,
    /// A message that cannot be read is given up at this receive.
    pub give_up_after: u32,
}

impl<S: Inbox + Store + UnreadStore> Intake<'_, S> {
    /// Takes one message in.
    ///
    /// # Errors
    /// [`StoreError`]: nothing was kept, the message must come again.
    pub async fn take(&self, message: &Message, now: Timestamp) -> Result<Verdict, StoreError> {
        let (verdict, word) = match event(message.body.as_bytes()) {
            // The scheduled runs have their own clock; whoever lets SQS wake them asks for a turn besides.
            Ok(Event::Other | Event::Schedule) => (Verdict::Done, "ignored"),
            Ok(Event::Webhook { named, delivery }) => self.ticket(&named, delivery, now).await?,
            Ok(Event::Deleted(deletion)) => {
                let delivery = delivery(message);
                self.accept(&delivery, &[], &[deletion], now).await?
            }
            Ok(Event::Findings { keys, problem }) => {
                if let Some(problem) = problem {
                    self.keep(message, &problem.to_string(), now).await?;
                }
                let keys: Vec<WorkKey> = keys.into_iter().map(WorkKey::Finding).collect();
                if keys.is_empty() {
                    (Verdict::Done, "ignored")
                } else {
                    self.accept(&delivery(message), &keys, &[], now).await?
                }
            }
            Err(why) if message.receives >= self.give_up_after => {
                tracing::warn!(
                    message.id,
                    receives = message.receives,
                    "a message of the event queue could not be read and was kept: {why}. See `asaf quarantine ls`"
                );
                self.keep(message, &why.to_string(), now).await?;
                (Verdict::GivenUp, "unreadable")
            }
            Err(_) => (Verdict::Again, "again"),
        };
        metrics::counter!("asaf_event_total", "result" => word).increment(1);
        Ok(verdict)
    }

    /// A webhook that was passed on: who has verified it may have had no store to ask.
    async fn ticket(
        &self,
        named: &Named,
        delivery: Delivery,
        now: Timestamp,
    ) -> Result<(Verdict, &'static str), StoreError> {
        self.store.hear(Door::Webhook, now).await?;
        match webhook::key(named, self.store).await? {
            Some(key) => self.accept(&delivery, &[key], &[], now).await,
            None => Ok((Verdict::Done, "ignored")),
        }
    }

    async fn accept(
        &self,
        delivery: &Delivery,
        keys: &[WorkKey],
        deletions: &[ResourceDeletion],
        now: Timestamp,
    ) -> Result<(Verdict, &'static str), StoreError> {
        let accepted = self
            .store
            .accept(delivery, keys, deletions, self.queue_most, now)
            .await?;
        Ok(match accepted {
            Accepted::Enqueued => (Verdict::Done, "accepted"),
            Accepted::Duplicate => (Verdict::Done, "duplicate"),
            Accepted::Full => (Verdict::Full, "full"),
        })
    }

    async fn keep(&self, message: &Message, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let arrived = Arrived {
            door: Door::Queue,
            id: Some(&message.id),
            why,
            body: message.body.as_bytes(),
            body_sha256: sha256(message.body.as_bytes()),
            at: now,
        };
        self.store.keep_unread(&arrived).await
    }
}

fn delivery(message: &Message) -> Delivery {
    Delivery {
        id: Some(message.id.clone()),
        body_sha256: sha256(message.body.as_bytes()),
    }
}

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A received message stays invisible to others so long, and is kept so before half of it is over.
    pub visibility: Duration,
    /// A message that cannot be read comes again after this.
    pub again_after: Duration,
    /// How often a full work queue is asked for room.
    pub room_every: Duration,
    /// The first and the longest wait after SQS failed.
    pub failed: [Duration; 2],
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            visibility: Duration::from_secs(120),
            again_after: Duration::from_secs(60),
            room_every: Duration::from_secs(2),
            failed: [Duration::from_secs(2), Duration::from_secs(60)],
        }
    }
}

/// Polls one SQS queue.
pub struct Consumer<'a, S> {
    queue: Queue<'a>,
    intake: Intake<'a, S>,
    clock: &'a Clock,
    pace: Pace,
    setup: QueueSetup,
}

impl<'a, S: Inbox + Store + UnreadStore> Consumer<'a, S> {
    /// A consumer that has received nothing yet.
    pub fn new(queue: Queue<'a>, intake: Intake<'a, S>, clock: &'a Clock, pace: Pace) -> Self {
        Consumer {
            queue,
            intake,
            clock,
            pace,
            setup: QueueSetup::default(),
        }
    }

    /// Receives until told to stop. What was received by then is finished or given back.
    pub async fn run(&mut self, stop: &CancellationToken) {
        let mut failures = 0;
        let mut known = false;
        while !stop.is_cancelled() {
            let turn = async {
                if !known {
                    self.look().await?;
                }
                self.queue.receive(self.pace.visibility).await
            };
            // A receive that is dropped loses nothing: its messages come again after their time-out.
            let received = tokio::select! {
                () = stop.cancelled() => return,
                received = turn => received,
            };
            let trouble = match received {
                Ok(messages) => {
                    known = true;
                    self.batch(messages, stop).await
                }
                Err(error) => Some(error.to_string()),
            };
            match trouble {
                None => failures = 0,
                Some(why) => {
                    metrics::counter!("asaf_event_poll_failures_total").increment(1);
                    let wait = self.wait(failures);
                    failures += 1;
                    if failures == 1 || failures % 30 == 0 {
                        tracing::error!(
                            failures,
                            "the event queue cannot be worked off: {}. It is tried again; the scheduled runs go on",
                            crate::talk::plain(&why)
                        );
                    }
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = self.clock.sleep(wait) => {}
                    }
                }
            }
        }
    }

    /// How the queue is set up. Where SQS puts messages aside by itself, that is the last receive that we see.
    async fn look(&mut self) -> Result<(), WireError> {
        self.setup = self.queue.setup().await?;
        match self.setup.dead_letters_after {
            Some(after) => self.intake.give_up_after = self.intake.give_up_after.min(after),
            None => tracing::warn!(
                "the event queue has no dead-letter queue: messages that cannot be read are kept in the store only"
            ),
        }
        Ok(())
    }

    /// Takes messages in, together, so that they share one write to disk. Returns what went wrong with SQS, if anything.
    async fn batch(&self, mut messages: Vec<Message>, stop: &CancellationToken) -> Option<String> {
        let mut kept_at = self.clock.now();
        for round in 0_u32.. {
            let sorted = self.sort(messages, round).await;
            let gone = self.queue.delete(&refs(&sorted.done)).await;
            let left = self
                .queue
                .keep(&refs(&sorted.again), self.pace.again_after)
                .await;
            messages = sorted.waiting;
            let trouble = undeleted(gone).or_else(|| left.err().map(|e| e.to_string()));
            if messages.is_empty() || trouble.is_some() {
                return trouble;
            }
            // Backpressure: nothing more is received until the worker has made room.
            tokio::select! {
                () = stop.cancelled() => {
                    let back = self.queue.keep(&refs(&messages), Duration::ZERO).await;
                    return back.err().map(|e| e.to_string());
                }
                () = self.clock.sleep(self.pace.room_every) => {}
            }
            let now = self.clock.now();
            let half = SignedDuration::try_from(self.pace.visibility / 2).unwrap_or_default();
            if now.duration_since(kept_at) >= half {
                kept_at = now;
                let held = refs(&messages);
                if let Err(error) = self.queue.keep(&held, self.pace.visibility).await {
                    return Some(error.to_string());
                }
            }
        }
        None
    }

    async fn sort(&self, messages: Vec<Message>, round: u32) -> Sorted {
        let now = self.clock.now();
        let taken = messages
            .iter()
            .map(|message| self.intake.take(message, now));
        let verdicts = join_all(taken).await;
        let mut sorted = Sorted::default();
        for (message, verdict) in messages.into_iter().zip(verdicts) {
            match verdict {
                Ok(Verdict::Done) => sorted.done.push(message),
                Ok(Verdict::GivenUp) if self.setup.dead_letters_after.is_none() => {
                    sorted.done.push(message);
                }
                Ok(Verdict::GivenUp | Verdict::Again) => sorted.again.push(message),
                Ok(Verdict::Full) => sorted.waiting.push(message),
                // Our own trouble must not count against the message: SQS would put it aside in the end.
                Err(error) => {
                    if round.is_multiple_of(30) && sorted.waiting.is_empty() {
                        tracing::error!(%error, "events cannot be kept; they wait in the event queue");
                    }
                    sorted.waiting.push(message);
                }
            }
        }
        sorted
    }

    fn wait(&self, failures: u32) -> Duration {
        let [first, longest] = self.pace.failed;
        first.saturating_mul(1 << failures.min(10)).min(longest)
    }
}

/// Messages by what happens to them next.
#[derive(Default)]
struct Sorted {
    done: Vec<Message>,
    again: Vec<Message>,
    waiting: Vec<Message>,
}

fn refs(messages: &[Message]) -> Vec<&Message> {
    messages.iter().collect()
}

/// Messages that could not be deleted come again, and are known then.
fn undeleted(outcome: Result<Vec<String>, WireError>) -> Option<String> {
    match outcome {
        Ok(ids) if ids.is_empty() => None,
        Ok(ids) => Some(format!("{} messages could not be deleted", ids.len())),
        Err(error) => Some(error.to_string()),
    }
}
