//! What all parts of the engine share.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::{Notify, Semaphore, broadcast, mpsc, oneshot, watch};

use super::hints::Hints;
use super::line::Line;
use super::listing::Listing;
use super::settings::Settings;
use crate::account::AccountId;
use crate::catalogue::Catalogue;
use crate::order::content::{Epochs, hex};
use crate::port::{Clock, Entropy, Keyring, Rates, Supplier, SupplierInfo, Wakeups};
use crate::privacy::{NONCE_BYTES, OrderKey};
use crate::store::Store;
use crate::time::Timestamp;

/// Commands that wait for the engine at most: more than the largest server has connections.
pub(super) const TASKS_MAX: usize = 4_096;

/// Wake-ups that a slow reader may fall behind.
pub(super) const WAKE_UPS_MAX: usize = 1_024;

/// A command on its way to the engine.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Keys derived from the keyring's root.
pub(super) struct Keys {
    /// Of look-up hashes.
    pub(super) index: [u8; 32],
    /// Of public order numbers.
    pub(super) numbers: [u8; 32],
    /// Of quotes.
    pub(super) quotes: [u8; 32],
}

/// A supplier with what this node keeps about it.
pub(super) struct Slot {
    /// The line, as a supplier: whoever calls it goes through the line.
    pub(super) port: Arc<dyn Supplier>,
    pub(super) line: Arc<Line>,
    pub(super) info: SupplierInfo,
    /// Places for paid calls that this node has and are free.
    pub(super) calls: Semaphore,
    /// A number was bought, or the supplier has said something: poll soon.
    pub(super) bought: Notify,
    pub(super) hints: Hints,
    /// Reads of its list for unclear purchases.
    pub(super) listing: Listing,
    pub(super) state: Mutex<SlotState>,
}

/// What is known of a supplier.
#[derive(Default)]
pub(super) struct SlotState {
    pub(super) offers: Vec<crate::port::Offer>,
    pub(super) offers_at: Option<Timestamp>,
    pub(super) error: Option<&'static str>,
    /// Empty lists in a row; one alone does not wipe the shop.
    pub(super) empty_lists: u32,
    /// Open at the supplier and not ours, when its list was last read for orphans.
    pub(super) strangers: usize,
    /// Places for paid calls that this node has.
    pub(super) places: usize,
}

/// Order numbers that this node has taken and not given out.
#[derive(Default)]
pub(super) struct Numbers {
    pub(super) next: i64,
    pub(super) end: i64,
}

/// Ids of products and umbrellas that exist.
#[derive(Default)]
pub(super) struct CatalogueIds {
    pub(super) products: BTreeMap<Vec<u8>, u32>,
    pub(super) umbrellas: BTreeMap<Vec<u8>, u32>,
}

/// The shared inside of a platform.
pub(super) struct Inner {
    pub(super) store: Arc<dyn Store>,
    /// Whether other processes may use the store at the same time.
    pub(super) shared: bool,
    pub(super) suppliers: BTreeMap<String, Slot>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) keyring: Arc<dyn Keyring>,
    pub(super) rates: Arc<dyn Rates>,
    pub(super) settings: Settings,
    pub(super) keys: Keys,
    pub(super) catalogue: RwLock<Arc<Catalogue>>,
    pub(super) ids: tokio::sync::Mutex<CatalogueIds>,
    pub(super) epochs: RwLock<Arc<Epochs>>,
    /// Held while an epoch is begun, so that a node begins it once.
    pub(super) beginning: tokio::sync::Mutex<()>,
    pub(super) numbers: tokio::sync::Mutex<Numbers>,
    pub(super) tasks: mpsc::Sender<Task>,
    pub(super) waiting: Mutex<Option<mpsc::Receiver<Task>>>,
    pub(super) due: Notify,
    /// When the due worker wakes by itself, in microseconds.
    pub(super) due_next: AtomicI64,
    pub(super) supply: Notify,
    /// Orphans found by this node.
    pub(super) orphans: AtomicU64,
    /// SMS that came for orders that had ended, destroyed by this node.
    pub(super) late_sms: AtomicU64,
    /// Whether a supplier's offers are to be shown has changed.
    pub(super) standing: Arc<Notify>,
    pub(super) wake_ups: broadcast::Sender<Option<AccountId>>,
    /// Word of other nodes.
    pub(super) wakeups: Option<Arc<dyn Wakeups>>,
    pub(super) node: String,
    /// Whether recovery has been through and `run` is driving.
    pub(super) running: watch::Sender<bool>,
    pub(super) stopping: AtomicBool,
}

/// The engine is not being driven, or has too much to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotRunning(pub(super) &'static str);

impl Inner {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn epochs(&self) -> Arc<Epochs> {
        self.epochs.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    pub(super) fn nonce(&self) -> [u8; NONCE_BYTES] {
        self.random()
    }

    /// A fresh version of a record.
    pub(super) fn version(&self) -> u64 {
        u64::from_be_bytes(self.random())
    }

    pub(super) fn order_key(&self) -> OrderKey {
        OrderKey(zeroize::Zeroizing::new(self.random()))
    }

    /// A random name of 32 hexadecimal digits.
    pub(super) fn reference(&self) -> String {
        hex(&self.random::<16>())
    }

    /// Runs a command in the engine, so that a caller who goes away cannot stop it half way. The command answers
    /// through the sender, and may go on after that.
    pub(super) async fn in_engine<T, F, C>(&self, command: C) -> Result<T, NotRunning>
    where
        T: Send + 'static,
        F: Future<Output = ()> + Send + 'static,
        C: FnOnce(oneshot::Sender<T>) -> F,
    {
        if !*self.running.borrow() {
            return Err(NotRunning("the platform is not being run"));
        }
        let (reply, answer) = oneshot::channel();
        let task: Task = Box::pin(command(reply));
        self.tasks.try_send(task).map_err(|_| NotRunning("too many commands are waiting"))?;
        answer.await.map_err(|_| NotRunning("the platform is stopping"))
    }

    /// Runs a future with a limit on its time; `None` if it took longer.
    pub(super) async fn until<T>(&self, at: Timestamp, future: impl Future<Output = T>) -> Option<T> {
        let sleep = self.clock.sleep_until(at);
        tokio::pin!(future, sleep);
        tokio::select! {
            biased;
            done = &mut future => Some(done),
            () = &mut sleep => None,
        }
    }

    /// Wakes the due worker if this is earlier than what it waits for.
    pub(super) fn due_at(&self, at: Timestamp) {
        if at.0 < self.due_next.load(Ordering::Acquire) {
            self.due.notify_one();
        }
    }
}
