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

mod directed;
#[path = "../scene/mod.rs"]
mod scene;
#[path = "../simulation/sim/mod.rs"]
mod sim;

use asaf::mutant;
use sim::{Case, Mode, many, on_a_large_stack};

/// A mutant that lives through this many seeds in each mode has survived.
const SEEDS_MOST: u64 = 200;
/// Seeds that are tried together.
const TOGETHER: u64 = 20;

/// Where it dies: in its story, or at the first seed that fails.
fn dies(name: &'static str) -> Option<String> {
    mutant::set(Some(name));
    let found = in_its_story(name).or_else(|| at_a_seed(name));
    mutant::set(None);
    found
}

fn in_its_story(name: &'static str) -> Option<String> {
    let told = on_a_large_stack(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(directed::story(name))
    });
    told.map(|what| format!("in its story: {what}"))
}

fn at_a_seed(name: &str) -> Option<String> {
    for from in (0..SEEDS_MOST).step_by(TOGETHER as usize) {
        for mode in Mode::ALL {
            let (_, failed) = many(&Case::all(from..from + TOGETHER, mode), &|_| ());
            if let Some(first) = failed.first() {
                println!("{name}: {first}");
                return Some(format!("at {}", first.case));
            }
        }
    }
    None
}

#[test]
fn every_mutant_dies_and_the_engine_lives() {
    for story in directed::STORIES {
        let told = in_its_story(story);
        assert_eq!(told, None, "the story of {story} without any mutant");
    }
    let only = std::env::var("ASAF_MUTANT").ok();
    let (mut killed, mut survived) = (Vec::new(), Vec::new());
    for (name, promise) in mutant::ALL {
        let named = |only: &String| only.split(',').any(|one| one == *name);
        if only.as_ref().is_some_and(|only| !named(only)) {
            continue;
        }
        match dies(name) {
            Some(how) => killed.push(format!("{name} {how}")),
            None => survived.push(format!("{name} ({promise})")),
        }
    }
    let all = if survived.is_empty() {
        "all"
    } else {
        "not all"
    };
    let (dead, count) = (killed.len(), survived.len());
    println!(
        "mutants killed: {all}, {dead} of {}:\n  {}",
        dead + count,
        killed.join("\n  ")
    );
    let names = survived.join("\n  ");
    assert!(survived.is_empty(), "survived {count}:\n  {names}");
}
