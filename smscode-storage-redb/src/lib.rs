#![doc = include_str!("../README.md")]
//!
//! # What a commit costs
//!
//! A commit shares its transaction with what else is waiting, at most [`RedbOptions::group_max`] commits. A test keeps
//! this table true.
//!
//! | cost | once for a group | for each commit in it |
//! |---|---|---|
//! | read transactions | 1 | |
//! | rows looked up | | 1 for the operation id, each record, account, counter and transfer id that it names |
//! | write transactions | 1; none if all are refused or were made before | |
//! | syncs | as write transactions, twice with quick repair; 1 more when the file grows | |
//! | rows for operations | 1 | 1 |
//! | rows for records | | 1 for each put or deleted; 1 for each index term that came or went |
//! | rows for transfers | 1 for each currency and each house account | 2 for each; 1 between house accounts |
//! | rows for events | | 1 for each |
//! | rows for heads, counters | 1 for each that changed | |
//! | rows forgotten | up to 256 operation ids of 48 h before, and 1 for each of their groups | |
//!
//! # Threads
//!
//! One thread of the store's own writes. Reads run on the caller's thread: they are point reads and pages of at most
//! 1,000 rows, mostly from memory, each shorter than handing it to another thread would be worth; a cold page waits for
//! the disk. Sums over everything yield after every 1,000 accounts. Opening and closing block: do them before and after serving.

mod copying;
mod fault;
mod figures;
mod open;
mod read;
mod tables;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use smscode_core::store::ordered;
use smscode_core::store::{
    ChangeSet, CommitQueue, Cursor, Effect, Index, LoadKey, Page, Range, Receipt, Snapshot, Store, StoreError,
    StoreInfo, Totals, check_load, limits,
};

pub use figures::{RedbFigures, TableFigures};

use fault::{STORE, unavailable};
use open::{Engine, Opener};
use read::View;
use write::{Tallies, Writer};

/// The largest group there can be: as many operation ids as one group forgets.
const GROUP_MAX: usize = limits::OPERATIONS_FORGOTTEN_MAX;

/// How a store works. All have defaults that fit a small server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedbOptions {
    /// Memory for pages of the file, in bytes. Default 64 MiB.
    pub cache_bytes: usize,
    /// Whether every commit keeps what makes opening after a crash instant, at the price of a second sync. Without it,
    /// opening after a crash reads the whole file. Default on.
    pub quick_repair: bool,
    /// Commits that may wait; further ones are refused as unavailable. Each has at most 1 MiB. Default 1,024.
    pub queue_max: usize,
    /// Commits that share one transaction, 1 to 256. Default 64.
    pub group_max: usize,
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20, quick_repair: true, queue_max: 1_024, group_max: 64 }
    }
}

/// A [`Store`] in one file, for one process.
pub struct RedbStore {
    engine: Arc<Engine>,
    queue: Arc<CommitQueue>,
    tallies: Arc<Tallies>,
    options: RedbOptions,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl RedbStore {
    /// Opens a file, or makes it (readable by its user only). Blocks the thread; after a crash without quick repair for as
    /// long as reading the whole file takes.
    ///
    /// # Errors
    ///
    /// `Unavailable` if the file is in use or cannot be read or written, `Format` if a newer program wrote it, `Corrupt` if
    /// it is damaged or something else. A file that is not opened is left as it is.
    pub fn open(path: impl AsRef<Path>, options: RedbOptions) -> Result<Self, StoreError> {
        let opener = open::file_opener(path.as_ref(), &options);
        Self::with_opener(opener, options)
    }

    #[allow(clippy::disallowed_methods, reason = "this is no core: the one writer has a thread of its own")]
    fn with_opener(opener: Opener, mut options: RedbOptions) -> Result<Self, StoreError> {
        options.group_max = options.group_max.clamp(1, GROUP_MAX);
        let engine = Arc::new(Engine::open(opener).map_err(|fault| fault.tell(Effect::No))?);
        let queue = Arc::new(CommitQueue::new(STORE, options.queue_max));
        let tallies = Arc::new(Tallies::default());
        let writer = Writer {
            engine: engine.clone(),
            queue: queue.clone(),
            tallies: tallies.clone(),
            quick_repair: options.quick_repair,
            group_max: options.group_max,
        };
        let thread = std::thread::Builder::new()
            .name("smscode-redb".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| unavailable(Effect::No, format!("no thread for its writer: {error}")))?;
        Ok(Self { engine, queue, tallies, options, writer: Mutex::new(Some(thread)) })
    }

    /// Commits what waits, then closes the file. Blocks the thread meanwhile. What comes later is refused as unavailable.
    /// Dropping the store does the same.
    pub fn close(&self) {
        self.queue.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // one that panicked has answered nobody, which his callers were told
            drop(writer.join());
        }
        self.engine.close();
    }

    /// Runs a read, and notes if the engine failed in it.
    fn read<T>(&self, read: impl FnOnce(&View) -> fault::Result<T>) -> Result<T, StoreError> {
        self.told(fault::guarded(|| read(&self.engine.view()?)))
    }

    fn told<T>(&self, result: fault::Result<T>) -> Result<T, StoreError> {
        result.map_err(|fault| {
            if fault.needs_reopening() {
                self.engine.mark_failed();
            }
            fault.tell(Effect::No)
        })
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore").field("options", &self.options).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for RedbStore {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        Ok(StoreInfo {
            name: STORE,
            format: tables::FORMAT,
            durable: true,
            shared: false,
            group_max: self.options.group_max,
        })
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        check_load(keys)?;
        self.read(|view| ordered::load(view, keys))
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        self.queue.submit(change_set, async {}).await
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.read(|view| ordered::scan(view, index, range, after, limit))
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        let view = self.told(self.engine.view())?;
        self.told(read::totals(&view).await)
    }
}
