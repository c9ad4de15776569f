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

use counts::Counts;
use stage::Stage;

/// What may happen between two steps of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// People and AWS act between runs.
    Steady,
    /// They act between any two requests, and processes are paused for up to 40 minutes.
    Hostile,
    /// As steady, with findings that share tickets.
    Shared,
}

impl Mode {
    pub(crate) const ALL: [Mode; 3] = [Mode::Steady, Mode::Hostile, Mode::Shared];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Mode::ALL.into_iter().find(|mode| mode.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Mode::Steady => "steady",
            Mode::Hostile => "hostile",
            Mode::Shared => "shared",
        }
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

/// Lives through one seed. `print` shows every step as it is made.
pub(crate) fn run(seed: u64, mode: Mode, print: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut stage = Stage::new(seed, mode, print);
        Box::pin(stage.play()).await;
        Box::pin(stage.heal()).await;
        stage.outcome()
    })
}

/// A seed that failed, and how.
pub(crate) struct Failed {
    pub(crate) seed: u64,
    pub(crate) mode: Mode,
    pub(crate) violations: Vec<String>,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seed, mode) = (self.seed, self.mode.name());
        writeln!(f, "seed {seed} in mode {mode}:")?;
        for violation in &self.violations {
            writeln!(f, "  {violation}")?;
        }
        let replay = "cargo run --example simulate --";
        writeln!(f, "  {replay} --seed {seed} --mode {mode} --trace")
    }
}

/// Lives through many seeds, on as many threads as the machine has cores.
pub(crate) fn many(seeds: Range<u64>, mode: Mode) -> (Counts, Vec<Failed>) {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let workers = (0..threads).map(|n| {
        let seeds = seeds.clone();
        let work = move || {
            let (mut counts, mut failed) = (Counts::default(), Vec::new());
            for seed in seeds.filter(|seed| seed % threads == n) {
                let Outcome {
                    counts: some,
                    violations,
                    ..
                } = run(seed, mode, false);
                counts.add(&some);
                if !violations.is_empty() {
                    failed.push(Failed {
                        seed,
                        mode,
                        violations,
                    });
                }
            }
            (counts, failed)
        };
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn(work).unwrap()
    });
    let workers: Vec<_> = workers.collect();
    let (mut counts, mut failed) = (Counts::default(), Vec::new());
    for worker in workers {
        let (some, bad) = worker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        counts.add(&some);
        failed.extend(bad);
    }
    failed.sort_by_key(|failed| failed.seed);
    (counts, failed)
}

/// Seeds that failed once, with their modes.
pub(crate) fn kept() -> Vec<(u64, Mode)> {
    let lines = include_str!("../seeds.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let seed = words.next().unwrap().parse().unwrap();
            (seed, Mode::named(words.next().unwrap()).unwrap())
        })
        .collect()
}
