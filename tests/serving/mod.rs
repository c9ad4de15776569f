//! The real binary serving, and a client that sends exactly the bytes that a test wants.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub(crate) mod forgeries;
pub(crate) mod moto;
pub(crate) mod runs;
pub(crate) mod world;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_asaf");
pub(crate) const SECRET: &str = "It's a Secret to Everybody";
pub(crate) const WITHIN: Duration = Duration::from_secs(30);

/// A configuration whose other sides are not there: what is accepted stays in the queue.
pub(crate) fn alone(more: &str) -> String {
    format!(
        "[aws]\nregion = \"eu-west-1\"\nendpoint_url = \"http://127.0.0.1:9\"\n\n\
         [jira]\nurl = \"http://127.0.0.1:9\"\nemail = \"bot@example.com\"\ntoken = \"env:TOKEN\"\n\
         reviewers = {{ group = \"security-reviewers\" }}\n\n\
         [owners]\ndefault = {{ team = \"security\", project = \"SEC\" }}\n\n\
         [serve]\nlisten = \"127.0.0.1:0\"\n{more}\n"
    )
}

/// The same with one webhook secret.
pub(crate) fn signed() -> String {
    alone("[webhook]\nsecrets = [\"env:HOOK\"]")
}

/// `asaf serve`; killed when dropped.
pub(crate) struct Serve {
    process: Child,
    pub(crate) address: String,
    log: PathBuf,
}

impl Serve {
    /// Starts it in a folder and waits until it listens.
    pub(crate) fn start(folder: &Path, config: &str, env: &[(&str, &str)]) -> Self {
        let (path, ready) = (folder.join("asaf.toml"), folder.join("serve.json"));
        std::fs::write(&path, config).unwrap();
        let _ = std::fs::remove_file(&ready);
        let log = folder.join("serve.log");
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let process = Command::new(BINARY)
            .args(["serve", "--log-format", "json", "--ready-file"])
            .arg(&ready)
            .env("ASAF_CONFIG", &path)
            .env("TOKEN", "token")
            .env("HOOK", SECRET)
            .env("AWS_ACCESS_KEY_ID", "AKIA")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("ASAF_LOG", "info")
            .envs(env.iter().copied())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut serve = Serve {
            process,
            address: String::new(),
            log,
        };
        let listening = until(|| {
            assert!(
                serve.process.try_wait().unwrap().is_none(),
                "it ended: {}",
                serve.log()
            );
            std::fs::read_to_string(&ready).ok()
        });
        let listening: Value = serde_json::from_str(&listening).unwrap();
        serve.address = listening["listen"].as_str().unwrap().to_owned();
        serve
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.pid().to_string())
            .status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        let process = &mut self.process;
        until(|| process.try_wait().unwrap())
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::to(&self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.connect().send(
            &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"),
            b"",
        )
    }

    /// One delivery, signed with a secret, on a connection of its own.
    pub(crate) fn deliver(&self, secret: &str, body: &[u8]) -> Answer {
        let headers = format!("X-Hub-Signature: {}", signature(secret, body));
        self.connect().post(&headers, body)
    }

    /// The value of a figure; its labels are part of its name.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Resident memory in MiB (Linux).
    pub(crate) fn resident_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim()
            .trim_end_matches("kB")
            .trim()
            .parse::<u64>()
            .unwrap()
            / 1024
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A connection that is kept.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection(BufReader::new(stream))
    }

    /// One POST to the webhook with these header lines.
    pub(crate) fn post(&mut self, headers: &str, body: &[u8]) -> Answer {
        self.send(&head(headers, body.len()), body)
    }

    pub(crate) fn try_post(&mut self, headers: &str, body: &[u8]) -> std::io::Result<Answer> {
        self.write(head(headers, body.len()).as_bytes())?;
        self.write(body)?;
        self.answer()
    }

    pub(crate) fn send(&mut self, head: &str, body: &[u8]) -> Answer {
        self.write(head.as_bytes()).unwrap();
        self.write(body).unwrap();
        self.answer().unwrap()
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Reads one answer; an error when the connection ends before.
    pub(crate) fn answer(&mut self) -> std::io::Result<Answer> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let mut headers = Vec::new();
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut answer = Answer {
            status: status.unwrap_or(0),
            headers,
            text: String::new(),
        };
        let length = answer
            .header("content-length")
            .and_then(|length| length.parse().ok());
        match length {
            Some(length) => {
                let mut body = vec![0; length];
                self.0.read_exact(&mut body)?;
                answer.text = String::from_utf8(body).unwrap();
            }
            None => {
                self.0.read_to_string(&mut answer.text)?;
            }
        }
        Ok(answer)
    }
}

fn head(headers: &str, length: usize) -> String {
    let mut head =
        format!("POST /webhook/jira HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n");
    for line in headers.lines().filter(|line| !line.is_empty()) {
        let _ = write!(head, "{line}\r\n");
    }
    head + "\r\n"
}

/// As Jira signs.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// A change of a ticket of ours, as Jira tells it; `n` makes it another one.
pub(crate) fn change(ticket: u64, n: u64) -> Vec<u8> {
    let body = json!({ "timestamp": 1_795_000_000_000_u64 + n, "webhookEvent": "jira:issue_updated",
        "issue_event_type_name": "issue_generic",
        "issue": { "id": ticket.to_string(), "key": format!("SEC-{ticket}"), "fields": { "labels": ["asaf"] } },
        "changelog": { "id": n.to_string(), "items": [{ "field": "status", "fieldId": "status", "from": "1", "to": "2" }] } });
    body.to_string().into_bytes()
}

/// Waits for something to become true, and says after a while that it did not.
#[track_caller]
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + WITHIN;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "it did not happen within {WITHIN:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).unwrap()
    }
}
