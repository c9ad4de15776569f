//! `asaf demo` as somebody tries it who has nothing configured: the story with its figures, and then a world in which
//! the lines that it prints make Security Hub follow.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_asaf");
const WITHIN: Duration = Duration::from_secs(120);
/// What people may be asked to wait for the other side, in a debug build on a busy machine.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(15);

/// A running demo, and what it says line by line.
struct Demo {
    process: Child,
    said: Receiver<String>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Demo {
    fn start(temporary: &Path) -> Self {
        Demo::with(temporary, &["--accounts", "4", "--findings", "120"])
    }

    fn with(temporary: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new(BINARY)
            .arg("demo")
            .args(arguments)
            .env("TMPDIR", temporary)
            .env("NO_PROXY", "127.0.0.1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let (tell, said) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Demo { process, said }
    }

    /// Reads on to the line that fits.
    fn line(&self, within: Duration, fits: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + within;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(left) {
                Ok(line) if fits(&line) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("{error}; it said:\n{}", seen.join("\n")),
            }
        }
    }

    /// The command that stands below a line that begins like this.
    fn command(&self, title: &str) -> String {
        self.line(WITHIN, |line| line.starts_with(title));
        self.line(WITHIN, |line| line.starts_with("  curl "))
    }

    /// The address of the dashboard with the year in it.
    fn year(&self) -> String {
        let line = self.line(WITHIN, |line| {
            line.starts_with("A year of invented history")
        });
        let says = "from 728 open tickets in 30 accounts to 132 in six months: http://127.0.0.1:";
        assert!(line.contains(says), "{line}");
        line.rsplit(' ').next().unwrap().to_owned()
    }

    /// As Ctrl-C in a terminal.
    fn interrupt(&mut self) -> i32 {
        let interrupt = Command::new("kill")
            .args(["-INT", &self.process.id().to_string()])
            .status();
        assert!(interrupt.unwrap().success());
        self.process.wait().unwrap().code().unwrap()
    }
}

/// There is `curl`; without it a test is skipped, and fails where the proof is required.
fn has_curl() -> bool {
    let is_here = Command::new("curl").arg("--version").output().is_ok();
    assert!(
        is_here || std::env::var_os("CI").is_none(),
        "curl is not installed: run `make setup`"
    );
    is_here
}

fn shell(line: &str) -> String {
    let done = Command::new("sh")
        .args(["-c", line])
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    assert!(done.status.success(), "{line}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn the_lines_that_it_prints_make_security_hub_follow() {
    if !has_curl() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(temporary.path());
    // The year can be looked at while the story is told, and after it.
    let year = demo.year();
    assert!(shell(&format!("curl -sSf {year}")).contains("<b>132</b>"));
    demo.line(WITHIN, |line| line.contains("found 0 violations"));
    assert_eq!(demo.year(), year);
    let here = demo.line(WITHIN, |line| {
        line.starts_with("The dashboard of what happened here")
    });
    let here = here.rsplit(' ').next().unwrap();
    let review = shell(&format!("curl -sSf {here}review"));
    assert!(review.contains("<h1>Review queue</h1>"), "{review}");
    let page = demo.line(WITHIN, |line| line.starts_with("From now on asaf serves"));
    let page = page.rsplit(' ').next().unwrap();
    let resolve = demo.command("A product team resolves");
    let close = demo.command("A reviewer closes");
    let reopen = demo.command("Or a reviewer reopens");
    let look = demo.command("What Security Hub says");
    let page = shell(&format!("curl -sSf '{page}'"));
    assert!(page.contains("Resolve</button>"), "{page}");
    assert!(shell(&look).contains("\"NOTIFIED\""), "{}", shell(&look));
    // Only reviewers close: the site refuses it before the ticket is resolved, and so the engine has nothing to undo.
    assert!(shell(&close).contains("errorMessages"));
    for (act, moved, status) in [
        (&resolve, "to Resolved", "RESOLVED"),
        (&reopen, "to Open", "NOTIFIED"),
        (&resolve, "to Resolved", "RESOLVED"),
        (&close, "to Closed", "RESOLVED"),
    ] {
        assert_eq!(shell(act), "", "{act}");
        demo.line(FOLLOWS_WITHIN, |line| line.ends_with(moved));
        let began = Instant::now();
        while !shell(&look).contains(status) {
            assert!(
                began.elapsed() < FOLLOWS_WITHIN,
                "Security Hub does not say {status} after `{act}`"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        if moved == "to Resolved" {
            let followed = |line: &str| line.contains("asaf sets") && line.contains("to RESOLVED");
            demo.line(FOLLOWS_WITHIN, followed);
        }
    }
    let control = look
        .split('\'')
        .nth(1)
        .unwrap()
        .split("/state")
        .next()
        .unwrap();
    let audit = shell(&format!("curl -sSf {control}/audit"));
    assert_eq!(audit, "{\"violations\":[]}");
    // Nothing stays behind: no emulators, no pages, no files.
    assert_eq!(demo.interrupt(), 0);
    for gone in [control, &year] {
        let asked = Command::new("curl").args(["-sS", gone]).output().unwrap();
        assert!(!asked.status.success(), "{gone}");
    }
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn the_year_is_shown_at_once_and_alone_and_nothing_can_be_changed_in_it() {
    if !has_curl() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = Demo::with(temporary.path(), &["--year"]);
    let year = demo.year();
    let half = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * 181);
    let half = half.strftime("%Y-%m-%d");
    let overview = shell(&format!("curl -sSf '{year}api/v1/overview?from={half}'"));
    let overview: Value = serde_json::from_str(&overview).unwrap();
    assert_eq!(
        (&overview["open_at_start"], &overview["open_now"]),
        (&728.into(), &132.into())
    );
    for page in [
        "",
        "teams",
        "accounts",
        "controls",
        "review",
        "rules",
        "runs",
        "quarantine",
        "integrations",
    ] {
        let text = shell(&format!("curl -sSf {year}{page}"));
        assert!(!text.contains("method=\"post\""), "{page} acts: {text}");
        assert!(text.contains("<h1>"), "{page}: {text}");
    }
    assert_eq!(demo.interrupt(), 0);
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn a_story_that_is_interrupted_leaves_nothing_behind_and_says_so() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(temporary.path());
    demo.line(WITHIN, |line| line.contains("is ready"));
    assert_eq!(demo.interrupt(), 1);
    demo.line(WITHIN, |line| {
        line.contains("stopped before the story was told")
    });
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn emulators_do_not_outlive_a_demo_that_is_killed() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = Demo::start(temporary.path());
    demo.line(WITHIN, |line| line.contains("is ready"));
    let folder = std::fs::read_dir(temporary.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("ready.json").exists())
        .unwrap();
    let ready = std::fs::read_to_string(folder.join("ready.json")).unwrap();
    let ready: Value = serde_json::from_str(&ready).unwrap();
    let address = ready["control"]
        .as_str()
        .unwrap()
        .trim_start_matches("http://")
        .to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    demo.process.kill().unwrap();
    demo.process.wait().unwrap();
    let deadline = Instant::now() + WITHIN;
    while std::net::TcpStream::connect(&address).is_ok() {
        assert!(
            Instant::now() < deadline,
            "the emulators still serve on {address}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn told_once_it_ends_with_figures_and_says_nothing_else_on_stdout() {
    let done = Command::new(BINARY)
        .args(["--quiet", "demo", "--once", "--output", "json"])
        .args(["--accounts", "5", "--findings", "300", "--seed", "3"])
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.is_empty(), "{said}");
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(
        (&told["findings"], &told["accounts"]),
        (&300.into(), &5.into())
    );
    assert_eq!(told["audit"]["violations"], serde_json::json!([]));
    let memory = told["rss_max_bytes"].as_u64().unwrap();
    assert!((10_000_000..150_000_000).contains(&memory), "{memory}");
    let runs = told["runs"].as_array().unwrap();
    let members = [
        "created", "reopened", "resolved", "closed", "deleted", "reverted", "updated", "held",
    ];
    for run in runs {
        assert!(members.iter().all(|member| run[member].is_u64()), "{run}");
        assert!(
            run["seconds"].is_f64()
                && run["requests"]["aws"].is_object()
                && run["floor"].is_object()
        );
    }
    let sum = |member: &str| -> u64 { runs.iter().map(|run| run[member].as_u64().unwrap()).sum() };
    assert!(runs[0]["created"].as_u64().unwrap() > 50, "{}", runs[0]);
    assert!(
        sum("reverted") > 0 && sum("deleted") > 0 && sum("reopened") > 0,
        "{told}"
    );
    let last = runs.last().unwrap();
    assert!(
        members.iter().all(|member| last[member] == 0),
        "the last run plans nothing: {last}"
    );
}
