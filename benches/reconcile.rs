//! Time and memory of the scheduled job at growing sizes: the real binary against served emulators without quotas, so
//! that nothing waits. Prints a table with the growth from row to row, and fails when processor time or memory grows faster
//! than the number of findings does. Processor time is the job's own: the clock on the wall counts the emulators too, and
//! whatever else the machine does.
//!
//! `cargo bench --bench reconcile` · `ASAF_BENCH_SIZES=1000,10000` chooses other sizes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_asaf");

/// A tenfold size may take this many times as long, or as much memory beyond the smallest run's: timers are noisy.
const TOLERANCE: f64 = 1.3;

struct Measured {
    seconds: f64,
    /// Processor time.
    cpu: f64,
    peak_mb: f64,
}

struct Row {
    findings: u64,
    first: Measured,
    unchanged: Measured,
}

fn main() {
    let sizes = std::env::var("ASAF_BENCH_SIZES").unwrap_or_else(|_| "1000,10000,100000".into());
    let sizes: Vec<u64> = sizes
        .split(',')
        .map(|n| n.trim().parse().unwrap())
        .collect();
    println!(
        "{:>9} {:>12} {:>10} {:>9} {:>14} {:>12} {:>10} {:>9}",
        "findings",
        "first run",
        "processor",
        "peak",
        "per finding",
        "no change",
        "processor",
        "peak"
    );
    let mut rows: Vec<Row> = Vec::new();
    for findings in sizes {
        let row = measure(findings);
        #[allow(clippy::cast_precision_loss)]
        let each_ms = row.first.cpu * 1000.0 / findings as f64;
        let (first, unchanged) = (&row.first, &row.unchanged);
        println!(
            "{findings:>9} {:>10.2} s {:>8.2} s {:>6.0} MB {each_ms:>11.3} ms {:>10.2} s {:>8.2} s {:>6.0} MB",
            first.seconds,
            first.cpu,
            first.peak_mb,
            unchanged.seconds,
            unchanged.cpu,
            unchanged.peak_mb
        );
        rows.push(row);
    }
    for pair in rows.windows(2) {
        let [small, large] = pair else { continue };
        grows_with_the_findings(small, large, &rows[0]);
    }
}

fn grows_with_the_findings(small: &Row, large: &Row, least: &Row) {
    #[allow(clippy::cast_precision_loss)]
    let size = large.findings as f64 / small.findings as f64;
    let time = large.first.cpu / small.first.cpu.max(0.5);
    println!(
        "{} → {}: {size:.0} × findings, {time:.1} × processor time, {:.1} × memory",
        small.findings,
        large.findings,
        large.first.peak_mb / small.first.peak_mb
    );
    assert!(
        time <= size * TOLERANCE,
        "processor time grows faster than the findings"
    );
    for (small, large, least) in [
        (&small.first, &large.first, &least.first),
        (&small.unchanged, &large.unchanged, &least.unchanged),
    ] {
        // What the process takes in any case is not counted.
        let of_findings = |peak: f64| (peak - least.peak_mb / 2.0).max(1.0);
        let memory = of_findings(large.peak_mb) / of_findings(small.peak_mb);
        assert!(
            memory <= size * TOLERANCE,
            "memory grows faster than the findings"
        );
    }
}

fn measure(findings: u64) -> Row {
    let folder = tempfile::tempdir().unwrap();
    let accounts = (findings / 30).clamp(10, 400);
    let file = folder.path().join("ready.json");
    let mut emulators = Command::new(BINARY)
        .args(["--quiet", "emulate", "--quotas", "off"])
        .args(["--findings", &findings.to_string()])
        .args(["--accounts", &accounts.to_string(), "--ready-file"])
        .arg(&file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while !file.exists() {
        assert!(Instant::now() < deadline, "the emulators are not ready");
        std::thread::sleep(Duration::from_millis(20));
    }
    let ready: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let store = folder.path().join("bench.sqlite3");
    let config = folder.path().join("asaf.toml");
    let text = std::fs::read_to_string(ready["config"].as_str().unwrap()).unwrap();
    std::fs::write(
        &config,
        text.replace("asaf.sqlite3", &store.to_string_lossy()),
    )
    .unwrap();
    let row = Row {
        findings,
        first: run(&ready, &config),
        unchanged: run(&ready, &config),
    };
    let _ = emulators.kill();
    let _ = emulators.wait();
    row
}

fn run(ready: &Value, config: &Path) -> Measured {
    let mut command = Command::new(BINARY);
    command
        .args(["--quiet", "reconcile", "--full"])
        .env("ASAF_CONFIG", config)
        .stdout(Stdio::null());
    for (name, value) in ready["env"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    let began = Instant::now();
    let mut process = command.spawn().unwrap();
    let (mut peak_kb, mut cpu) = (0, 0.0);
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        peak_kb = peak_kb.max(peak_of(&process));
        cpu = cpu_of(&process).unwrap_or(cpu);
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success(), "{status}");
    Measured {
        seconds: began.elapsed().as_secs_f64(),
        cpu,
        peak_mb: f64::from(peak_kb) / 1024.0,
    }
}

/// The most resident memory so far, as Linux counts it; elsewhere the column stays 0.
fn peak_of(process: &Child) -> u32 {
    std::fs::read_to_string(format!("/proc/{}/status", process.id()))
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(0)
}

/// Seconds of processor time so far, from the 14th and 15th field of Linux' `stat`, in hundredths (proc(5)).
fn cpu_of(process: &Child) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    // After the name comes the third field.
    Some((ticks(11)? + ticks(12)?) / 100.0)
}
