//! Threat 8: a side that answers with a redirect leads the engine, and its credentials, to another host.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::serving::runs::Runs;

/// Where the redirects lead: nobody must come.
struct Bait {
    address: String,
    came: Arc<AtomicU64>,
}

/// Answers each request with a redirect to the bait.
struct Trap {
    url: String,
    asked: Arc<AtomicU64>,
}

fn bait() -> Bait {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let came = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&came);
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    Bait { address, came }
}

fn trap(status: &str, bait: &Bait) -> Trap {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let answer = format!(
        "HTTP/1.1 {status} Elsewhere\r\nLocation: http://{}/latest/meta-data/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        bait.address
    );
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if answered(stream, &answer).is_some() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    Trap { url, asked }
}

/// Reads one request and answers it.
fn answered(stream: TcpStream, answer: &str) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let mut stream = stream;
    stream.write_all(answer.as_bytes()).ok()
}

#[test]
fn threat_8_a_redirect_is_never_followed() {
    let bait = bait();
    let sides = [
        ("aws", &["reconcile", "--full"][..]),
        ("jira", &["reconcile", "--full"]),
        ("github", &["ignore", "sync"]),
        ("slack", &["digest"]),
    ];
    for (side, args) in sides {
        for status in ["301", "302", "307", "308"] {
            let trap = trap(status, &bait);
            let runs = Runs::new(2, 20, |world, text| {
                let there = world.ready[side].as_str().unwrap();
                assert!(text.contains(there), "{side} is not in\n{text}");
                text.replace(there, &trap.url)
            });
            let said = runs.asaf(args);
            let asked = trap.asked.load(Ordering::SeqCst);
            assert!(asked > 0, "{side} was not asked: {said:?}");
            assert_eq!(bait.came.load(Ordering::SeqCst), 0, "{side}: {status}");
        }
    }
}
