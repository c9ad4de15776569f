//! The real binary against served emulators, killed with SIGKILL at random moments: one ticket for each finding.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_asaf");
const KILLS: u32 = 50;

struct Emulators {
    process: Child,
    ready: Value,
}

impl Drop for Emulators {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn emulators(folder: &Path) -> Emulators {
    let file = folder.join("ready.json");
    let process = Command::new(BINARY)
        .args([
            "--quiet",
            "emulate",
            "--accounts",
            "10",
            "--findings",
            "600",
            "--quotas",
            "off",
            "--ready-file",
        ])
        .arg(&file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !file.exists() {
        assert!(
            Instant::now() < deadline,
            "the emulators are not ready after 30 s"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let ready = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    Emulators { process, ready }
}

fn reconcile(emulators: &Emulators) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(["reconcile", "--full", "--output", "json"])
        .env("ASAF_CONFIG", emulators.ready["config"].as_str().unwrap());
    for (name, value) in emulators.ready["env"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Bodies of the control port, by a plain HTTP/1.0 request.
fn control(emulators: &Emulators, path: &str) -> Value {
    use std::io::{Read, Write};
    let address = emulators.ready["control"]
        .as_str()
        .unwrap()
        .trim_start_matches("http://")
        .to_owned();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn killed_fifty_times_the_real_binary_makes_one_ticket_each() {
    let folder = tempfile::tempdir().unwrap();
    let emulators = emulators(folder.path());
    let (mut kills, mut random) = (0, 12_345_u64);
    while kills < KILLS {
        let mut process = reconcile(&emulators)
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
        }
        process.wait().unwrap();
    }
    // Creates in doubt are settled once the quarantine of 2 s is over.
    let mut last = Value::Null;
    for _ in 0..8 {
        std::thread::sleep(Duration::from_millis(2_200));
        let done = reconcile(&emulators).output().unwrap();
        last = serde_json::from_slice(&done.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)));
        let idle = last["plan"]["actions"].as_array().unwrap().is_empty()
            && last["plan"]["held"].as_array().unwrap().is_empty();
        if done.status.success() && idle {
            break;
        }
    }
    assert!(
        last["plan"]["actions"].as_array().unwrap().is_empty(),
        "{last}"
    );
    assert_eq!(
        control(&emulators, "/audit")["violations"],
        serde_json::json!([])
    );
    let tickets = last["plan"]["seen"]["tickets"].as_u64().unwrap();
    println!("{kills} kills, {tickets} tickets, no finding with two");
    assert!(tickets > 450, "{tickets}");
}
