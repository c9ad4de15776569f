//! A world of five times the size answers each request at hardly more cost. The short form of `make scale`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../benches/emulators/measure.rs"]
mod measure;

/// Searching everything for each thing would cost five times as much; twice is the aim, and a busy machine adds some.
const GROWTH_MOST: f64 = 3.0;

#[test]
fn five_times_as_much_hardly_changes_what_one_thing_costs() {
    let small = measure::measure(1_000);
    let large = measure::measure(5_000);
    assert_eq!((large.tickets, large.findings), (5_000, 10_000));
    for ((name, before), (_, after)) in small.rows.iter().zip(&large.rows) {
        let growth = after / before;
        println!("{name}: {before:.3} ms, {after:.3} ms: {growth:.2} times as much");
        assert!(
            growth < GROWTH_MOST,
            "{name} costs {growth:.2} times as much"
        );
    }
    println!("{:.0} MB", large.resident_mb);
}
