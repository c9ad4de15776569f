//! Random histories of the engine, each decided by one number: `cargo run --release --example simulate -- --help`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

#[path = "../tests/scene/mod.rs"]
mod scene;
#[path = "../tests/simulation/sim/mod.rs"]
mod sim;

use std::ops::Range;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use sim::{Case, Failed, Mode, kept, many, on_a_large_stack, run};

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
    seeds: Range<u64>,
    /// `steady` or `hostile`; default both.
    #[arg(long, value_parser = mode)]
    mode: Option<Mode>,
    /// Findings share tickets in the one seed; of several, in one of three.
    #[arg(long, requires = "seed")]
    shared: bool,
    /// Shows every step of the one seed.
    #[arg(long, requires = "seed")]
    trace: bool,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("write FIRST..END")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    let seeds = number(from)?..number(to)?;
    if seeds.is_empty() {
        return Err(
            "there is no seed in this range: the second number must be the larger one".to_owned(),
        );
    }
    Ok(seeds)
}

fn mode(text: &str) -> Result<Mode, String> {
    Mode::named(text).ok_or_else(|| "there are the modes steady and hostile".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let modes = arguments.mode.map_or(Mode::ALL.to_vec(), |mode| vec![mode]);
    let failed = match arguments.seed {
        Some(seed) => {
            let shares = arguments.shared;
            let cases = modes.iter().map(|mode| Case {
                seed,
                mode: *mode,
                shares,
            });
            cases.flat_map(|case| one(case, arguments.trace)).collect()
        }
        None => several(&arguments.seeds, &modes),
    };
    for failed in &failed {
        println!("{failed}");
    }
    let violations: usize = failed.iter().map(|failed| failed.violations.len()).sum();
    println!("violations: {violations}");
    if violations == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn one(case: Case, trace: bool) -> Option<Failed> {
    let outcome = on_a_large_stack(move || run(case, trace));
    println!("{case}, trace {}: {}", outcome.trace, outcome.counts);
    let violations = outcome.violations;
    (!violations.is_empty()).then_some(Failed { case, violations })
}

/// Those that failed once, and then all of the range.
fn several(seeds: &Range<u64>, modes: &[Mode]) -> Vec<Failed> {
    let kept = kept();
    let each = seeds.end.saturating_sub(seeds.start);
    let bar = ProgressBar::new(kept.len() as u64 + each * modes.len() as u64);
    let style = "{pos} of {len} histories, {elapsed_precise}, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).unwrap());
    let done = |failed: Option<&Failed>| {
        bar.inc(1);
        if let Some(failed) = failed {
            bar.suspend(|| eprintln!("{failed}"));
        }
    };
    let (_, mut failed) = many(&kept, &done);
    for mode in modes {
        let begun = Instant::now();
        let (counts, some) = many(&Case::all(seeds.clone(), *mode), &done);
        let took = begun.elapsed().as_secs_f64();
        let (name, rate) = (mode.name(), each as f64 / took);
        bar.suspend(|| {
            println!("mode {name}: {each} seeds in {took:.0} s ({rate:.0}/s), {counts}");
        });
        failed.extend(some);
    }
    bar.finish_and_clear();
    failed
}
