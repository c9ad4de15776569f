//! Random histories of the engine, each decided by one number: `cargo run --release --example simulate -- --help`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../tests/scene/mod.rs"]
mod scene;
#[path = "../tests/simulation/sim/mod.rs"]
mod sim;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sim::{Mode, kept, many, on_a_large_stack, run};

/// As the program itself: histories are made of millions of small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Random histories of the engine against the emulated world.
#[derive(Parser)]
struct Arguments {
    /// Lives through this one.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Lives through all from the first up to, not including, the second: `0..20000`.
    #[arg(long, default_value = "0..2000", value_parser = range)]
    seeds: std::ops::Range<u64>,
    /// `steady`, `hostile` or `shared`; default all three.
    #[arg(long, value_parser = mode)]
    mode: Option<Mode>,
    /// Shows every step of the one seed.
    #[arg(long, requires = "seed")]
    trace: bool,
}

fn range(text: &str) -> Result<std::ops::Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("write FIRST..END")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    Ok(number(from)?..number(to)?)
}

fn mode(text: &str) -> Result<Mode, String> {
    Mode::named(text).ok_or_else(|| "there are the modes steady, hostile and shared".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let modes = arguments.mode.map_or(Mode::ALL.to_vec(), |mode| vec![mode]);
    let mut violations = 0;
    if let Some(seed) = arguments.seed {
        for mode in modes {
            let outcome = on_a_large_stack(move || run(seed, mode, arguments.trace));
            println!(
                "seed {seed}, mode {}, trace {}: {}",
                mode.name(),
                outcome.trace,
                outcome.counts
            );
            for violation in &outcome.violations {
                println!("{violation}");
            }
            violations += outcome.violations.len();
        }
    } else {
        for (seed, mode) in kept() {
            let outcome = on_a_large_stack(move || run(seed, mode, false));
            violations += outcome.violations.len();
        }
        for mode in modes {
            let begun = Instant::now();
            let (counts, failed) = many(arguments.seeds.clone(), mode);
            for failed in &failed {
                println!("{failed}");
            }
            let took = begun.elapsed().as_secs_f64();
            let seeds = arguments.seeds.end - arguments.seeds.start;
            let rate = seeds as f64 / took;
            println!(
                "mode {}: {seeds} seeds in {took:.0} s ({rate:.0}/s), {counts}",
                mode.name()
            );
            violations += failed.len();
        }
    }
    println!("violations: {violations}");
    if violations == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
