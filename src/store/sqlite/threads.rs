//! Who works on a store's file. Two threads as a rule: one writes, one reads, so that a long read delays no writer. Or the
//! callers themselves, where nothing else waits.
//!
//! Small writes that arrive while another one is being made durable share the next transaction, and so one fsync. Each
//! is a savepoint of its own: one that fails undoes only itself.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::open;
use super::rows::Fault;
use crate::store::StoreError;

/// The most small writes in one transaction: more would delay the first of them.
const SHARED_MOST: usize = 256;

/// Work that has the connection to itself.
pub(super) type Alone = Box<dyn FnOnce(&mut Connection) + Send>;

/// What the writing thread does next.
pub(super) enum Job {
    /// A transaction of its own, or several.
    Alone(Alone),
    /// A small write that may share a transaction.
    Small(Box<dyn Small>),
}

/// A small write: it runs in a transaction that others share, and answers when that has ended.
pub(super) trait Small: Send {
    fn run(&mut self, step: &mut Transaction<'_>);
    fn end(self: Box<Self>, ended: Result<(), String>);
}

/// A small write with its caller.
pub(super) struct Write<R, W> {
    work: Option<W>,
    outcome: Option<Result<R, Fault>>,
    answer: oneshot::Sender<Result<R, Fault>>,
}

impl<R, W> Write<R, W> {
    pub(super) fn new(work: W, answer: oneshot::Sender<Result<R, Fault>>) -> Self {
        Write {
            work: Some(work),
            outcome: None,
            answer,
        }
    }
}

impl<R: Send, W: FnOnce(&Connection) -> Result<R, Fault> + Send> Small for Write<R, W> {
    fn run(&mut self, step: &mut Transaction<'_>) {
        let Some(work) = self.work.take() else { return };
        let attempt = || {
            let own = step.savepoint()?;
            let done = work(&own)?;
            own.commit()?;
            Ok(done)
        };
        self.outcome = Some(attempt());
    }

    fn end(self: Box<Self>, ended: Result<(), String>) {
        let outcome = match (ended, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(Fault::Unfinished("it was not begun".to_owned())),
            (Err(why), _) => Err(Fault::Unfinished(why)),
        };
        // The caller may have gone (a dropped future); the work is done all the same.
        let _ = self.answer.send(outcome);
    }
}

/// Who does the work.
#[derive(Debug)]
pub(super) enum Hands {
    /// Both threads, with their queues.
    Threads(Threads),
    /// The callers, one after another.
    Callers(Mutex<Connection>),
}

impl Hands {
    pub(super) fn write(&self, job: Job) -> Result<(), StoreError> {
        match self {
            Hands::Threads(threads) => send(threads.writes.as_ref(), job),
            Hands::Callers(connection) => {
                let mut connection = connection.lock().map_err(|_| StoreError::Closed)?;
                match job {
                    Job::Alone(work) => work(&mut connection),
                    Job::Small(work) => drop(together(&mut connection, work, None)),
                }
                Ok(())
            }
        }
    }

    pub(super) fn read(&self, job: Alone) -> Result<(), StoreError> {
        match self {
            Hands::Threads(threads) => send(threads.reads.as_ref(), job),
            Hands::Callers(_) => self.write(Job::Alone(job)),
        }
    }
}

fn send<J>(queue: Option<&Sender<J>>, job: J) -> Result<(), StoreError> {
    let queue = queue.ok_or(StoreError::Closed)?;
    queue.send(job).map_err(|_| StoreError::Closed)
}

#[derive(Debug)]
pub(super) struct Threads {
    writes: Option<Sender<Job>>,
    reads: Option<Sender<Alone>>,
    running: Vec<JoinHandle<()>>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Without their senders the threads end, once what waits is done.
        self.writes = None;
        self.reads = None;
        for thread in self.running.drain(..) {
            // One that panicked has ended too.
            let _ = thread.join();
        }
    }
}

/// Opens the file to write. Whoever has the store to itself voids all claims: their workers are gone.
///
/// # Errors
/// When the file cannot be opened.
pub(super) fn writer(path: &Path, has_it_to_itself: bool) -> Result<Connection, StoreError> {
    let writer = open::open(path)?;
    if has_it_to_itself {
        open::check(&writer, path)?;
        open::void_claims(&writer, path)?;
    }
    Ok(writer)
}

/// Starts both threads, for who has the store to itself.
///
/// # Errors
/// When the file cannot be opened, or a thread not be started.
pub(super) fn start(path: &Path) -> Result<Threads, StoreError> {
    let writer = writer(path, true)?;
    let mut reader = open::open_to_read(path)?;
    let (writes, queue) = channel::<Job>();
    let writing = spawn("store", path, move || write(writer, &queue))?;
    let (reads, queue) = channel::<Alone>();
    let reading = spawn("store-reader", path, move || {
        while let Ok(work) = queue.recv() {
            work(&mut reader);
        }
    })?;
    Ok(Threads {
        writes: Some(writes),
        reads: Some(reads),
        running: vec![writing, reading],
    })
}

fn spawn(
    name: &str,
    path: &Path,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|e| StoreError::File {
            path: path.to_owned(),
            why: e.to_string(),
        })
}

fn write(mut connection: Connection, queue: &Receiver<Job>) {
    let mut next: Option<Job> = None;
    while let Some(job) = next.take().or_else(|| queue.recv().ok()) {
        match job {
            Job::Alone(work) => work(&mut connection),
            Job::Small(first) => next = together(&mut connection, first, Some(queue)),
        }
    }
}

/// Runs small writes in one transaction for as long as more of them wait; returns the job that ended the row.
fn together(
    connection: &mut Connection,
    first: Box<dyn Small>,
    queue: Option<&Receiver<Job>>,
) -> Option<Job> {
    let mut step = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(step) => step,
        Err(error) => {
            first.end(Err(error.to_string()));
            return None;
        }
    };
    let mut writes = vec![first];
    let mut other = None;
    let mut begun = 0;
    while let Some(write) = writes.get_mut(begun) {
        write.run(&mut step);
        begun += 1;
        if begun < SHARED_MOST {
            match queue.and_then(|queue| queue.try_recv().ok()) {
                Some(Job::Small(write)) => writes.push(write),
                Some(alone) => other = Some(alone),
                None => {}
            }
        }
    }
    let ended = step.commit().map_err(|error| error.to_string());
    for write in writes {
        write.end(ended.clone());
    }
    other
}
