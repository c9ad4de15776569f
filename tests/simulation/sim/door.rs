//! Where a simulated process stops: before and after each request and each write to its store. The simulator looks at
//! the step, and says whether it goes on, fails, or is the last one that this process ever makes.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use asaf::emulators::world::{Shared, Side};
use asaf::store::StoreError;
use asaf::wire::transport::{Exchange, Exchanged, Lost, Transport};

use super::rest::finished;
use crate::scene::live::Event;

/// Where a process stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// A request is about to be sent.
    Request { side: &'static str, line: String },
    /// It has taken effect, and its answer is on the way. Changes of the world from this one on are its own.
    Answer { status: u16, from: usize },
    /// The store is about to be read or written.
    Store(&'static str),
    /// It was written, and does not know it yet.
    Stored(&'static str),
    /// Another process has the store.
    Locked,
    /// Nothing is due.
    Idle,
    /// A turn has ended.
    Turned,
    /// Waits for mail.
    Mailbox,
}

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Go,
    /// Nothing is sent; the store does nothing.
    Refuse,
    /// No answer comes, and nothing happens; or the answer is lost; or the store has written and says that it has not.
    Lose,
    /// No answer comes in time, and it takes effect later.
    Late,
}

/// A request that takes effect when its sender has given it up.
pub(crate) struct Straggler {
    pub(crate) side: Side,
    /// Where the journal was when it was sent.
    pub(crate) sent: usize,
    pub(crate) request: http::Request<bytes::Bytes>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    waiting: BTreeMap<u64, Step>,
    verdicts: BTreeMap<u64, Verdict>,
    wakers: Vec<Waker>,
    mail: VecDeque<(u64, Event)>,
    acknowledged: Vec<u64>,
    stragglers: Vec<Straggler>,
}

/// The door of one process; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Door(Arc<Mutex<Inner>>);

impl Door {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Stops at a step until there is a verdict.
    pub(crate) async fn pass(&self, step: Step) -> Verdict {
        let id = {
            let mut inner = self.lock();
            let id = inner.next;
            inner.next += 1;
            inner.waiting.insert(id, step);
            id
        };
        poll_fn(|cx| {
            let mut inner = self.lock();
            match inner.verdicts.remove(&id) {
                Some(verdict) => Poll::Ready(verdict),
                None => {
                    inner.wakers.push(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Work on the store between two steps.
    pub(crate) async fn store<R>(
        &self,
        name: &'static str,
        writes: bool,
        work: impl Future<Output = Result<R, StoreError>>,
    ) -> Result<R, StoreError> {
        if self.pass(Step::Store(name)).await != Verdict::Go {
            return Err(broken("no space left on device"));
        }
        let done = finished(work);
        if writes && self.pass(Step::Stored(name)).await != Verdict::Go {
            return Err(broken("input/output error"));
        }
        done
    }

    /// The next delivery.
    pub(crate) async fn mail(&self) -> (u64, Event) {
        loop {
            if let Some(mail) = self.lock().mail.pop_front() {
                return mail;
            }
            self.pass(Step::Mailbox).await;
        }
    }

    pub(crate) fn acknowledge(&self, id: u64) {
        self.lock().acknowledged.push(id);
    }

    // ---- what the simulator does ----

    /// The steps that wait, with their numbers.
    pub(crate) fn steps(&self) -> Vec<(u64, Step)> {
        let inner = self.lock();
        let steps = inner.waiting.iter();
        steps.map(|(id, step)| (*id, step.clone())).collect()
    }

    pub(crate) fn decide(&self, id: u64, verdict: Verdict) {
        let mut inner = self.lock();
        inner.waiting.remove(&id);
        inner.verdicts.insert(id, verdict);
        std::mem::take(&mut inner.wakers)
            .into_iter()
            .for_each(Waker::wake);
    }

    pub(crate) fn post(&self, id: u64, event: Event) {
        self.lock().mail.push_back((id, event));
    }

    pub(crate) fn has_mail(&self) -> bool {
        !self.lock().mail.is_empty()
    }

    pub(crate) fn acknowledged(&self) -> Vec<u64> {
        std::mem::take(&mut self.lock().acknowledged)
    }

    pub(crate) fn stragglers(&self) -> Vec<Straggler> {
        std::mem::take(&mut self.lock().stragglers)
    }

    /// The way to one side through this door.
    pub(crate) fn transport(&self, world: &Shared, side: Side) -> Transport {
        Transport::InProcess(Arc::new(Gated {
            door: self.clone(),
            world: world.clone(),
            side,
        }))
    }
}

fn broken(why: &str) -> StoreError {
    StoreError::File {
        path: "asaf.sqlite3".into(),
        why: why.to_owned(),
    }
}

struct Gated {
    door: Door,
    world: Shared,
    side: Side,
}

impl Exchange for Gated {
    fn exchange(&self, request: http::Request<bytes::Bytes>) -> Exchanged {
        let (door, world, side) = (self.door.clone(), self.world.clone(), self.side);
        Box::pin(async move {
            let step = Step::Request {
                side: word(side),
                line: format!("{} {}", request.method(), request.uri().path()),
            };
            match door.pass(step).await {
                Verdict::Go => {}
                Verdict::Refuse => {
                    return Err(Lost::BeforeSending("connection refused".to_owned()));
                }
                Verdict::Lose => return Err(Lost::AfterSending("timed out".to_owned())),
                Verdict::Late => {
                    let sent = world.lock().journal.entries.len();
                    let straggler = Straggler {
                        side,
                        sent,
                        request,
                    };
                    door.lock().stragglers.push(straggler);
                    return Err(Lost::AfterSending("timed out".to_owned()));
                }
            }
            let from = world.lock().journal.entries.len();
            let answer = world.face(side).exchange(request).await;
            let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
            if door.pass(Step::Answer { status, from }).await != Verdict::Go {
                world.lock().journal.lose(from);
                return Err(Lost::AfterSending("connection reset".to_owned()));
            }
            answer
        })
    }
}

fn word(side: Side) -> &'static str {
    match side {
        Side::Aws => "AWS",
        Side::Jira => "Jira",
        Side::GitHub => "GitHub",
        Side::Slack => "Slack",
    }
}
