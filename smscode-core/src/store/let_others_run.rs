//! Giving way without a runtime.

use std::future::poll_fn;
use std::task::Poll;

/// Lets the other futures of this task, and the other tasks of its thread, run once. For adapters that work on their
/// callers' threads: before the one that commits takes what has queued up, and between two stretches of a long read.
/// Needs no runtime.
pub async fn let_others_run() {
    let mut paused = false;
    poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
