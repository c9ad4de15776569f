//! The real binary's emulators, served, and scripts of other people's clients that are run against them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    dead_code
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// `asaf emulate`, up until this is dropped.
pub(crate) struct Served {
    process: Child,
    folder: tempfile::TempDir,
    /// Addresses, users with tokens, configuration.
    pub(crate) ready: Value,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Served {
    /// Starts the emulators with these arguments and waits until they answer.
    pub(crate) fn start(arguments: &[&str]) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ready.json");
        let process = Command::new(env!("CARGO_BIN_EXE_asaf"))
            .args(["--quiet", "emulate", "--ready-file"])
            .arg(&file)
            .args(arguments)
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
        Served {
            process,
            folder,
            ready,
        }
    }

    /// Runs a script of `tests/contract` with the ready file's path in `ASAF_READY`. Without its Python modules it is
    /// skipped with a sentence, and fails where `CI` or `ASAF_REQUIRE_CONTRACT` is set.
    pub(crate) fn run(&self, script: &str, modules: &[&str]) {
        let Some(python) = python_with(modules) else {
            return;
        };
        let script = root().join("tests/contract").join(script);
        let output = Command::new(python)
            .arg(&script)
            .env("ASAF_READY", self.folder.path().join("ready.json"))
            .env("NO_PROXY", "127.0.0.1,localhost")
            .output()
            .unwrap();
        println!("{}", String::from_utf8_lossy(&output.stdout));
        assert!(
            output.status.success(),
            "{}:\n{}",
            script.display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// The Python that `make setup` made, when it has the modules.
fn python_with(modules: &[&str]) -> Option<PathBuf> {
    let python = root().join("target/venv/bin/python");
    let imports = modules.iter().map(|name| format!("import {name}"));
    let imports: Vec<String> = imports.collect();
    let found = Command::new(&python)
        .args(["-c", &imports.join("; ")])
        .stderr(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    let sentence = format!(
        "{} does not have {}: run `make setup`",
        python.display(),
        modules.join(", ")
    );
    let is_required = ["CI", "ASAF_REQUIRE_CONTRACT"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    assert!(!is_required, "{sentence}");
    println!("skipped: {sentence}");
    None
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
