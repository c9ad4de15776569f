//! The real binary against served emulators, killed with SIGKILL at random moments: one ticket for each finding.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod serving;

use std::process::Stdio;
use std::time::Duration;

use serving::runs::Runs;

/// Kills of the short form; `ASAF_KILLS` asks for another number.
const KILLS: u32 = 50;

#[test]
fn killed_many_times_the_real_binary_makes_one_ticket_each() {
    let asked = std::env::var("ASAF_KILLS").ok();
    let wanted: u32 = asked.map_or(KILLS, |text| text.parse().unwrap());
    let runs = Runs::new(10, 600, |_, text| text);
    let (mut kills, mut random) = (0, 12_345_u64);
    while kills < wanted {
        let mut process = runs
            .command(&["reconcile", "--full"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        std::thread::sleep(Duration::from_millis(5 + (random >> 33) % 250));
        if process.try_wait().unwrap().is_none() {
            process.kill().unwrap();
            kills += 1;
            // Later kills meet changes, not only the first creates.
            if kills % 5 == 0 {
                something_happens(&runs, kills);
            }
        }
        process.wait().unwrap();
    }
    let tickets = runs.settle();
    println!("{kills} kills, {tickets} tickets, no finding with two");
    assert!(tickets > 450, "{tickets}");
}

/// Somebody resolves a ticket, where there is one yet.
fn something_happens(runs: &Runs, kills: u32) {
    let tickets = runs.world.tickets();
    if let Some(ticket) = tickets.get(kills as usize * 2)
        && runs.world.status(ticket) == "Open"
    {
        runs.world.move_ticket("product", ticket, "Resolved");
    }
}
