//! The decision table, exhaustively: from every combination of what a decision is made from, the plan is applied to a
//! small model of both sides until nothing is planned.
//!
//! `inputs` enumerates the states, `model` is the two sides and what applying does to them, `promises` says what must
//! hold on the way and at the end. Nothing here knows a row: the engine says which row it took, and the test only
//! counts that each was. After both sides agree, a day passes, then a month, and they must agree again.
//!
//! Every state runs under each combination of the policies that can matter to it; that the others do not is checked on
//! a sample. `ASAF_TABLE_STRIDE=1` walks all states, as `make simulate` does; the default walks one in 211, and
//! still reaches each row.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "decision_table/inputs.rs"]
mod inputs;
#[path = "decision_table/model.rs"]
mod model;
#[path = "decision_table/promises.rs"]
mod promises;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use asaf::decide::Policy;
use inputs::Input;
use jiff::SignedDuration;
use model::{Round, World};

/// Writing rounds that a state may take; one more must then plan nothing.
const ROUNDS_MOST: usize = 3;

/// Reads that a state may take to be sure of an absence.
const LOOKS_MOST: usize = 3;

/// Rows of the table that a state can reach; row 23 ("anything else") must never be.
const LAST_ROW: u8 = 22;

#[derive(Default)]
struct Tally {
    states: u64,
    runs: u64,
    decisions: u64,
    policies_compared: u64,
    rounds: BTreeMap<usize, u64>,
    rows: BTreeMap<u8, u64>,
    /// By the promise that breaks: how often, and one example.
    failures: BTreeMap<String, (u64, String)>,
}

impl Tally {
    fn broken(&mut self, why: &str, input: &Input, policy: &Policy) {
        let promise = why.lines().next().unwrap_or_default().to_owned();
        let example = format!("{why}\n  from {input:?}\n  under {policy:?}");
        self.failures.entry(promise).or_insert((0, example)).0 += 1;
    }

    fn add(&mut self, other: Tally) {
        self.states += other.states;
        self.runs += other.runs;
        self.decisions += other.decisions;
        self.policies_compared += other.policies_compared;
        for (rounds, times) in other.rounds {
            *self.rounds.entry(rounds).or_default() += times;
        }
        for (row, times) in other.rows {
            *self.rows.entry(row).or_default() += times;
        }
        for (promise, (times, example)) in other.failures {
            self.failures.entry(promise).or_insert((0, example)).0 += times;
        }
    }
}

/// One state in so many; a prime, so that no input keeps one value.
const STRIDE: u64 = 211;

/// One of so many states that are walked is walked under every policy.
const SAMPLE: u64 = 149;

fn stride() -> u64 {
    std::env::var("ASAF_TABLE_STRIDE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(STRIDE)
}

#[test]
fn every_state_settles_within_three_rounds_and_keeps_every_promise() {
    let stride = stride();
    let threads = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let every = &inputs::every_policy();
    let total = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let total = &total;
            scope.spawn(move || {
                let mut tally = Tally::default();
                let mut number = 0;
                inputs::each(|input| {
                    number += 1;
                    if number % stride == 0 && (number / stride) % threads == thread {
                        settle_under_each_policy(&input, every, &mut tally);
                    }
                });
                total.lock().unwrap().add(tally);
            });
        }
    });
    let tally = total.into_inner().unwrap();
    println!(
        "decision table: {} states (1 in {stride}), {} runs with policies, {} decisions, {} policies compared; writing \
         rounds {:?}; rows {:?}",
        tally.states,
        tally.runs,
        tally.decisions,
        tally.policies_compared,
        tally.rounds,
        tally.rows
    );
    let broken: Vec<String> = tally
        .failures
        .values()
        .map(|(times, example)| format!("{times} times: {example}"))
        .collect();
    assert!(
        broken.is_empty(),
        "broken promises:\n{}",
        broken.join("\n\n")
    );
    let reached: BTreeSet<u8> = tally.rows.keys().copied().collect();
    assert_eq!(reached, (1..=LAST_ROW).collect(), "rows reached");
}

fn settle_under_each_policy(input: &Input, every: &[Policy], tally: &mut Tally) {
    tally.states += 1;
    for policy in inputs::policies(input, every) {
        tally.runs += 1;
        if let Err(why) = settle(input, policy.clone(), tally) {
            tally.broken(&why, input, &policy);
        }
    }
    if tally.states.is_multiple_of(SAMPLE) {
        for policy in every {
            tally.policies_compared += 1;
            let mut aside = Tally::default();
            let all = settle(input, policy.clone(), &mut aside);
            let relevant = settle(input, inputs::relevant(input, policy), &mut aside);
            if all != relevant {
                tally.broken("a choice matters that should not", input, policy);
            }
        }
    }
}

/// Until both sides agree; then a day later, and a month later.
fn settle(input: &Input, policy: Policy, tally: &mut Tally) -> Result<Vec<String>, String> {
    let mut world = World::of(input, policy);
    let start = world.clone();
    let (rounds, mut story) = agree(&mut world, tally)?;
    *tally.rounds.entry(rounds).or_default() += 1;
    promises::kept(&start, &world).map_err(|why| format!("{why}\n  {}", story.join("\n  ")))?;
    for hours in [25, 31 * 24] {
        world.pass(SignedDuration::from_hours(hours));
        let (_, more) =
            agree(&mut world, tally).map_err(|why| format!("{hours} h later: {why}"))?;
        story.extend(more);
        promises::agreed(&world)
            .map_err(|why| format!("{hours} h later: {why}\n  {}", story.join("\n  ")))?;
    }
    Ok(story)
}

/// Rounds until one plans nothing and learns nothing; how many of them wrote.
fn agree(world: &mut World, tally: &mut Tally) -> Result<(usize, Vec<String>), String> {
    let mut story = Vec::new();
    let mut wrote = 0;
    for _ in 0..ROUNDS_MOST + LOOKS_MOST + 1 {
        tally.decisions += 1;
        let before = world.clone();
        let round = world.round();
        story.push(format!("{round}"));
        let told = |why: String| format!("{why}\n  {}", story.join("\n  "));
        for row in round.rows() {
            *tally.rows.entry(row).or_default() += 1;
        }
        match round {
            Round::Wrote(action) => {
                wrote += 1;
                promises::justified(&before, &action).map_err(told)?;
                if wrote > ROUNDS_MOST {
                    return Err(told(format!("more than {ROUNDS_MOST} rounds write")));
                }
            }
            Round::Looked => {}
            Round::Settled(_) | Round::Held(_) => return Ok((wrote, story)),
        }
    }
    Err(format!("it does not settle\n  {}", story.join("\n  ")))
}
