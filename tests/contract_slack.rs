//! Slack's own Python SDK against the emulated workspace, and against what `asaf` sends there.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod served;

use std::process::Command;

use served::Served;

const MODULES: [&str; 1] = ["slack_sdk"];

/// The program with the configuration that the emulators wrote.
fn asaf(served: &Served, arguments: &[&str]) {
    let environment = served.ready["env"].as_object().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_asaf"))
        .args(arguments)
        .env("ASAF_CONFIG", served.ready["config"].as_str().unwrap())
        .envs(
            environment
                .iter()
                .map(|(name, value)| (name, value.as_str().unwrap())),
        )
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn slacks_own_sdk_works_unpatched_and_takes_our_messages() {
    let served = Served::start(&["--accounts", "8", "--findings", "90", "--quotas", "off"]);
    asaf(&served, &["reconcile", "--full", "--quiet"]);
    asaf(&served, &["digest", "--quiet"]);
    served.run("slack_client.py", &MODULES);
}

#[test]
fn slacks_own_sdk_waits_where_it_is_told_to() {
    let served = Served::start(&["--accounts", "2", "--findings", "0", "--quotas", "on"]);
    served.run("slack_limits.py", &MODULES);
}
