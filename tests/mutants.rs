//! The simulation notices every defect that is made on purpose: each mutant of the engine fails within so many seeds.
//!
//! `cargo test --features mutants --test mutants -- --nocapture` says which seed each one failed at.
#![cfg(feature = "mutants")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    dead_code
)]

mod scene;
#[path = "simulation/sim/mod.rs"]
mod sim;

use asaf::mutant;
use sim::{Mode, many};

/// A mutant that lives through this many seeds in each mode has survived.
const SEEDS_MOST: u64 = 400;
/// Seeds that are tried together.
const TOGETHER: u64 = 20;

/// The mode and the first seed of the batch in which it fails.
fn dies_at(name: &'static str) -> Option<(Mode, u64)> {
    mutant::set(Some(name));
    let mut found = None;
    'search: for from in (0..SEEDS_MOST).step_by(TOGETHER as usize) {
        for mode in Mode::ALL {
            let (_, failed) = many(from..from + TOGETHER, mode);
            if let Some(first) = failed.first() {
                println!("{name}: {first}");
                found = Some((mode, first.seed));
                break 'search;
            }
        }
    }
    mutant::set(None);
    found
}

#[test]
fn every_mutant_dies() {
    let only = std::env::var("ASAF_MUTANT").ok();
    let (mut killed, mut survived) = (Vec::new(), Vec::new());
    for (name, promise) in mutant::ALL {
        if only
            .as_ref()
            .is_some_and(|only| !only.split(',').any(|one| one == *name))
        {
            continue;
        }
        match dies_at(name) {
            Some((mode, seed)) => killed.push(format!("{name} at seed {seed}, {}", mode.name())),
            None => survived.push(format!("{name} ({promise})")),
        }
    }
    println!("killed {}:\n  {}", killed.len(), killed.join("\n  "));
    assert!(
        survived.is_empty(),
        "survived {}:\n  {}",
        survived.len(),
        survived.join("\n  ")
    );
}
