//! A wire between the engine and a world: it can be held, and cut after any byte.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Everything that is sent to `address` comes out at the other end.
pub(crate) struct Wire {
    pub(crate) address: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    held: AtomicBool,
    waiting: AtomicU64,
    /// The most bytes that a connection lives for; 0 for ever.
    bytes_most: AtomicU64,
    random: AtomicU64,
    cuts: AtomicU64,
}

impl State {
    /// After how many bytes a new connection is cut.
    fn life(&self) -> u64 {
        let most = self.bytes_most.load(Ordering::SeqCst);
        if most == 0 {
            return u64::MAX;
        }
        // Knuth's MMIX generator: enough for choosing.
        let next = |last: u64| {
            let product = last.wrapping_mul(6_364_136_223_846_793_005);
            Some(product.wrapping_add(1_442_695_040_888_963_407))
        };
        let order = Ordering::SeqCst;
        let last = self.random.fetch_update(order, order, next).unwrap();
        (last >> 33) % most
    }

    fn wait(&self) {
        if !self.held.load(Ordering::SeqCst) {
            return;
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        while self.held.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Wire {
    /// A wire to the address of a URL such as `http://127.0.0.1:1`.
    pub(crate) fn to(url: &str) -> Self {
        let there = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(&there) else {
                    continue;
                };
                join(near, far, &shared);
            }
        });
        Wire { address, state }
    }

    /// Nothing passes until it is let go.
    pub(crate) fn hold(&self) {
        self.state.held.store(true, Ordering::SeqCst);
    }

    pub(crate) fn let_go(&self) {
        self.state.held.store(false, Ordering::SeqCst);
    }

    /// How many connections wait with something to pass on.
    pub(crate) fn waiting(&self) -> u64 {
        self.state.waiting.load(Ordering::SeqCst)
    }

    /// New connections are cut after fewer bytes than this; 0 for never.
    pub(crate) fn cut_within(&self, bytes: u64) {
        self.state.bytes_most.store(bytes, Ordering::SeqCst);
    }

    /// How many connections were cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

/// Both directions share one life.
fn join(near: TcpStream, far: TcpStream, state: &Arc<State>) {
    let left = Arc::new(AtomicU64::new(state.life()));
    let ends = [(&near, &far), (&far, &near)];
    for (from, to) in ends {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let (state, left) = (Arc::clone(state), Arc::clone(&left));
        std::thread::spawn(move || pass(from, to, &state, &left));
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, state: &State, left: &AtomicU64) {
    let mut buffer = [0; 4096];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => read,
        };
        state.wait();
        let order = Ordering::SeqCst;
        let before = left
            .fetch_update(order, order, |left| Some(left.saturating_sub(read as u64)))
            .unwrap();
        let passes = read.min(usize::try_from(before).unwrap_or(usize::MAX));
        if to.write_all(&buffer[..passes]).is_err() {
            break;
        }
        if passes < read {
            if before > 0 {
                state.cuts.fetch_add(1, order);
            }
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
