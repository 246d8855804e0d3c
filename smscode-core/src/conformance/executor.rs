//! A small executor: the suite asks for no runtime.

use std::io::Write;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use super::Failure;

/// How long nothing may happen before a case is given up: longer than any disk needs for one sync.
const SILENCE_MAX_S: u32 = 30;

struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Runs a future on this thread until it is done.
///
/// # Errors
///
/// That of the future, or that nothing woke it for 30 s: a call that the store never answers.
pub fn run<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let unpark = Arc::new(Unpark { thread: thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(unpark.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
        let mut silence_s = 0;
        while !unpark.woken.swap(false, Ordering::AcqRel) {
            if silence_s == SILENCE_MAX_S {
                return Err(Failure::new(format!(
                    "nothing happened for {SILENCE_MAX_S} s: the store left a call unanswered"
                )));
            }
            // may return early; then it only counts a second too soon
            thread::park_timeout(Duration::from_secs(1));
            silence_s += 1;
        }
    }
}

/// Prints lines past the test harness, so that they are seen when all is well: at once, newline and all, since other tests
/// print too.
pub(super) fn say(lines: &str) {
    // nobody reads it if it cannot be written
    drop(std::io::stderr().lock().write_all(format!("{lines}\n").as_bytes()));
}
