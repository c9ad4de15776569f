//! Served emulators, `asaf emulate` or a world of the test's own, and software by others that talks to them.
//!
//! Python scripts stand in `tests/contract`. They need packages that `make setup` installs into `target/venv`: without
//! them a test says that it is skipped, and fails where `CI` or `ASAF_REQUIRE_CONTRACT` is set.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    dead_code
)]

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use asaf::emulators::world::{Shared, World, serve};
use serde_json::{Value, json};

/// Emulators that are served as long as this value lives.
pub(crate) struct Served {
    /// What `asaf emulate` says when it is ready.
    pub(crate) ready: Value,
    /// The world, if it is served in this process.
    pub(crate) world: Option<Shared>,
    process: Option<Child>,
    folder: tempfile::TempDir,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Served {
    /// Starts `asaf emulate` with these arguments and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ready.json");
        let process = Command::new(env!("CARGO_BIN_EXE_asaf"))
            .args(["--quiet", "emulate"])
            .args(arguments)
            .arg("--ready-file")
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !file.exists() {
            assert!(
                Instant::now() < deadline,
                "asaf emulate is not ready after 60 s"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Served {
            ready: serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap(),
            world: None,
            process: Some(process),
            folder,
            runtime: None,
        }
    }

    /// Serves a world of the test's own in this process; `make` is handed the address of Jira's site.
    pub(crate) fn world(make: impl FnOnce(&str) -> World) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (urls, world) = runtime.block_on(async {
            let bound = serve::bind(0, 0, 0, 0).await.unwrap();
            let urls = bound.urls.clone();
            let world = Shared::new(make(&urls.jira));
            serve::serve(bound, &world);
            (urls, world)
        });
        Served {
            ready: json!({ "aws": urls.aws, "jira": urls.jira, "github": urls.github, "control": urls.control, "env": {} }),
            world: Some(world),
            process: None,
            folder: tempfile::tempdir().unwrap(),
            runtime: Some(runtime),
        }
    }

    /// A member of what `asaf emulate` says, as text: `aws`, `jira`, `github`, `control`, `config`, `queue`.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_default()
    }

    /// Sends a request to the control port; returns the status and the JSON of the answer.
    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let address = self.text("control").trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Runs a script of `tests/contract` against these emulators; it reads what `asaf emulate` says from the file that
    /// `ASAF_READY` names. Without its packages it is skipped, or fails where the proof is required.
    pub(crate) fn run(&self, script: &str, packages: &[&str]) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let Some(python) = python_with(packages) else {
            return;
        };
        let ready = self.folder.path().join("for-python.json");
        std::fs::write(&ready, self.ready.to_string()).unwrap();
        let done = Command::new(python)
            .arg(root.join("tests/contract").join(script))
            .env("ASAF_READY", &ready)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env_remove("AWS_PROFILE")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        println!("{said}");
        assert!(
            done.status.success(),
            "{script} failed:\n{said}\n{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

/// The Python that has all these packages. Without it the test is skipped, or fails where the proof is required.
pub(crate) fn python_with(packages: &[&str]) -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/python");
    let imports = packages
        .iter()
        .map(|package| format!("import {package}"))
        .collect::<Vec<_>>()
        .join("; ");
    let found = Command::new(&python)
        .args(["-c", &imports])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if found {
        return Some(python);
    }
    let required = ["CI", "ASAF_REQUIRE_CONTRACT"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let what = format!(
        "{} cannot import {}: run `make setup`",
        python.display(),
        packages.join(", ")
    );
    assert!(!required, "{what}");
    println!("skipped: {what}");
    None
}
