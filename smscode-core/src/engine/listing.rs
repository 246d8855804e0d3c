//! A supplier's list of what is open, read once for all look-ups that wait for it: after an outage many purchases are
//! unclear at once, and the list is as long as there are open orders.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Mutex;

use crate::port::{Activation, CallError};

/// What a read has brought; `None` if the list did not come in time.
pub(super) type Listed = Option<Result<Vec<Activation>, CallError>>;

/// The reads of one supplier's list.
#[derive(Default)]
pub(super) struct Listing {
    /// How many have begun.
    begun: AtomicU64,
    waiting: AtomicUsize,
    /// The newest with its number, while somebody waits for it. Numbers and SMS are in it.
    last: Mutex<Option<(u64, Arc<Listed>)>>,
}

/// Somebody who waits, until he does no more or is gone.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Listing {
    /// The list as a read brings it that begins from now on: this one, or one that begins for others while this one waits
    /// behind a read that began before. One read is under way at a time.
    pub(super) async fn read(&self, read: impl Future<Output = Listed>) -> Arc<Listed> {
        let asked = self.begun.load(Ordering::Acquire);
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let waiting = Waiting(&self.waiting);
        let mut last = self.last.lock().await;
        drop(waiting);
        let (number, listed) = match last.take() {
            Some((number, listed)) if number > asked => (number, listed),
            _ => (self.begun.fetch_add(1, Ordering::AcqRel) + 1, Arc::new(read.await)),
        };
        if self.waiting.load(Ordering::Acquire) > 0 {
            *last = Some((number, Arc::clone(&listed)));
        }
        listed
    }
}
