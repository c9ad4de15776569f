//! What a request to the emulators costs when they hold much: 10,000 tickets with 20,000 findings against 50,000 with
//! 100,000. Prints a table, and fails when a thing costs more than twice as much in the larger world, or when `asaf
//! emulate` takes longer than a second to start with that many findings.
//!
//! `cargo bench --bench emulators` · `ASAF_BENCH_TICKETS=1000,5000` chooses other sizes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod measure;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use measure::{Costs, measure};

/// A thing may cost so many times as much in the larger world.
const GROWTH_MOST: f64 = 2.0;
const START_MOST: Duration = Duration::from_secs(1);

fn main() {
    let sizes = std::env::var("ASAF_BENCH_TICKETS").unwrap_or_else(|_| "10000,50000".into());
    let sizes: Vec<usize> = sizes
        .split(',')
        .map(|n| n.trim().parse().unwrap())
        .collect();
    let measured: Vec<Costs> = sizes.into_iter().map(measure).collect();
    let (small, large) = (&measured[0], &measured[measured.len() - 1]);
    println!(
        "{:<26} {:>12} {:>12} {:>7}",
        "microseconds for each", small.tickets, large.tickets, "growth"
    );
    let mut slow = Vec::new();
    for ((name, before), (_, after)) in small.rows.iter().zip(&large.rows) {
        let growth = after / before;
        println!(
            "{name:<26} {:>12.1} {:>12.1} {growth:>6.2}x",
            before * 1e3,
            after * 1e3
        );
        if growth > GROWTH_MOST {
            slow.push(*name);
        }
    }
    for one in [small, large] {
        println!(
            "{} tickets and {} findings take {:.0} MB",
            one.tickets, one.findings, one.resident_mb
        );
    }
    let start = start(large.findings);
    println!(
        "asaf emulate is ready with {} findings after {start:.2?}",
        large.findings
    );
    assert!(
        slow.is_empty(),
        "more than {GROWTH_MOST} times as much: {slow:?}"
    );
    assert!(
        start <= START_MOST,
        "starting takes longer than {START_MOST:?}"
    );
}

/// How long the real binary takes until every address answers; the least of three.
fn start(findings: usize) -> Duration {
    let starts = (0..3).map(|_| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ready.json");
        let began = Instant::now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_asaf"))
            .args([
                "--quiet",
                "emulate",
                "--findings",
                &findings.to_string(),
                "--ready-file",
            ])
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !file.exists() {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "not ready after 60 s"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        let took = began.elapsed();
        let _ = process.kill();
        let _ = process.wait();
        took
    });
    starts.min().unwrap()
}
