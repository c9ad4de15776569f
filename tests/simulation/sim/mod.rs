//! The simulator: one number decides a whole history of the real engine against the emulated world, in virtual time.
//!
//! Two processes share one store, of which one at a time may have it. At every request and every write to the store the
//! simulator decides whether the process goes on, is paused, fails or dies, and whether people or AWS do something
//! meanwhile. In the end all trouble stops, and what must hold is checked ([`check`]).

pub(crate) mod acts;
pub(crate) mod check;
pub(crate) mod counts;
pub(crate) mod dice;
pub(crate) mod door;
pub(crate) mod guarded;
pub(crate) mod outage;
pub(crate) mod outside;
pub(crate) mod process;
pub(crate) mod rest;
pub(crate) mod stage;
pub(crate) mod swarm;

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use counts::Counts;
use stage::Stage;

/// What may happen between two steps of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// People and AWS act between runs.
    Steady,
    /// They act between any two requests, and processes are paused for up to 40 minutes.
    Hostile,
}

impl Mode {
    pub(crate) const ALL: [Mode; 2] = [Mode::Steady, Mode::Hostile];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Mode::ALL.into_iter().find(|mode| mode.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Mode::Steady => "steady",
            Mode::Hostile => "hostile",
        }
    }
}

/// A history: all else follows from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) mode: Mode,
    /// There are more findings, and those of one control in one account share a ticket.
    pub(crate) shares: bool,
}

impl Case {
    /// In one of three, findings share tickets.
    pub(crate) fn of(seed: u64, mode: Mode) -> Self {
        let shares = seed % 3 == 2;
        Case { seed, mode, shares }
    }

    pub(crate) fn all(seeds: Range<u64>, mode: Mode) -> Vec<Self> {
        seeds.map(|seed| Case::of(seed, mode)).collect()
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shared = if self.shares { " --shared" } else { "" };
        write!(
            f,
            "--seed {} --mode {}{shared}",
            self.seed,
            self.mode.name()
        )
    }
}

/// What came of one seed.
pub(crate) struct Outcome {
    pub(crate) counts: Counts,
    /// What must not happen and did.
    pub(crate) violations: Vec<String>,
    /// A hash over everything that happened, in order.
    pub(crate) trace: String,
}

/// Futures of a whole history are large where nothing is optimised.
const STACK: usize = 64 << 20;

/// Lives through seeds on a thread of their own.
pub(crate) fn on_a_large_stack<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(work)
        .unwrap();
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Lives through one history. `print` shows every step as it is made.
pub(crate) fn run(case: Case, print: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut stage = Stage::new(case, print);
        Box::pin(stage.play()).await;
        Box::pin(stage.heal()).await;
        stage.outcome()
    })
}

/// A history that failed, and how.
pub(crate) struct Failed {
    pub(crate) case: Case,
    pub(crate) violations: Vec<String>,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        let replay = "cargo run --release --all-features --example simulate --";
        writeln!(f, "  {replay} {} --trace", self.case)
    }
}

/// Lives through many histories, on as many threads as the machine has cores. `done` is told of each.
pub(crate) fn many(
    cases: &[Case],
    done: &(dyn Fn(Option<&Failed>) + Sync),
) -> (Counts, Vec<Failed>) {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut counts, mut failed) = (Counts::default(), Vec::new());
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = run(*case, false);
            counts.add(&outcome.counts);
            let violations = outcome.violations;
            let case = *case;
            let failure = (!violations.is_empty()).then_some(Failed { case, violations });
            done(failure.as_ref());
            failed.extend(failure);
        }
        (counts, failed)
    };
    let (mut counts, mut failed) = (Counts::default(), Vec::new());
    std::thread::scope(|scope| {
        let workers = (0..threads).map(|_| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, work).unwrap()
        });
        for worker in workers.collect::<Vec<_>>() {
            let (some, bad) = worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            counts.add(&some);
            failed.extend(bad);
        }
    });
    failed.sort_by_key(|failed| failed.case.seed);
    (counts, failed)
}

/// Histories that failed once.
pub(crate) fn kept() -> Vec<Case> {
    let lines = include_str!("../seeds.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            Case {
                seed: words.next().unwrap().parse().unwrap(),
                mode: Mode::named(words.next().unwrap()).unwrap(),
                shares: words.next() == Some("shared"),
            }
        })
        .collect()
}
