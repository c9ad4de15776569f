//! When a process rests: each part of it stands at a step, and nothing in it goes on by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use super::process::Living;

/// Rings when a part of the process can go on.
#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Lets a process go on until it rests, or has ended: then it is `true`. Where several parts of it are on their way, all of
/// them arrive before the simulator looks.
pub(crate) async fn until_rest(living: &mut Living) -> bool {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    loop {
        let mut turn = Context::from_waker(&waker);
        if living.as_mut().poll(&mut turn).is_ready() {
            return true;
        }
        // Who waits in virtual time is woken when the runtime has its turn.
        tokio::task::yield_now().await;
        if !bell.0.swap(false, Ordering::SeqCst) {
            return false;
        }
    }
}

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for work on a thread of the store. Nothing else goes on meanwhile: what does would depend on how fast that is.
pub(crate) fn finished<R>(work: impl Future<Output = R>) -> R {
    let waker = Waker::from(Arc::new(Parked(std::thread::current())));
    let mut work = std::pin::pin!(work);
    loop {
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}
