//! A store as short as it can be and still keep the whole contract: a pattern for your own. `docs/adapters.md` is the
//! guide to it; its programs are compiled and run with the tests of `custom-supplier`, both chapters at once.
//!
//! All rows are in one ordered map in memory ([`map`]), and each group of commits is one frame of a file that is only
//! appended to ([`journal`]). The judge, the queue before it, the form of the rows and all reading of them are core's; what is
//! left for an adapter is finding rows and writing rows.
//!
//! It is a toy in three ways: the file never shrinks, everything must fit into memory, and after a failed write it
//! wants to be opened again by hand.

mod journal;
mod map;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;

use async_trait::async_trait;
use smscode_core::store::codec::Unreadable;
use smscode_core::store::ordered;
use smscode_core::store::{
    ChangeSet, CommitQueue, Cursor, Effect, Index, LoadKey, Names, Page, Pending, Range, Receipt, Refusal, Snapshot,
    Store, StoreError, StoreInfo, Totals, check_load, judge_group, limits,
};

use journal::{FORMAT, Journal};
use map::Map;

/// Its name in errors and in [`StoreInfo`].
const STORE: &str = "custom";

/// Commits that may wait: each has at most 1 MiB.
const QUEUE_MAX: usize = 1_024;

/// A [`Store`] in a journal file, for one process.
pub struct JournalStore {
    shared: Arc<Shared>,
    group_max: usize,
    writer: Option<JoinHandle<()>>,
}

/// What callers and the writer share.
struct Shared {
    queue: CommitQueue,
    map: RwLock<Map>,
}

impl JournalStore {
    /// Opens a journal, or makes it. Commits at most `group_max` ChangeSets at once. Blocks while the file is read.
    ///
    /// # Errors
    ///
    /// `Unavailable` if the file is in use or cannot be read, `Format` if a newer program wrote it, `Corrupt` if it is
    /// damaged or something else. A file that is not opened is left as it is.
    #[allow(clippy::disallowed_methods, reason = "this is no core: the one writer has a thread of its own")]
    pub fn open(path: impl AsRef<Path>, group_max: usize) -> Result<Self, StoreError> {
        let (mut journal, map) = Journal::open(path.as_ref())?;
        let group_max = group_max.clamp(1, limits::OPERATIONS_FORGOTTEN_MAX);
        let shared = Arc::new(Shared { queue: CommitQueue::new(STORE, QUEUE_MAX), map: RwLock::new(map) });
        let writer = std::thread::Builder::new().name("custom-store".to_owned()).spawn({
            let shared = shared.clone();
            move || shared.queue.serve_blocking(group_max, |group| commit(&shared, &mut journal, group))
        });
        let writer = writer.map_err(|error| unavailable(Effect::No, format!("no thread for its writer: {error}")))?;
        Ok(Self { shared, group_max, writer: Some(writer) })
    }
}

impl Drop for JournalStore {
    /// Commits what waits, and lets the file go.
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(writer) = self.writer.take() {
            // one that panicked has answered nobody, which his callers were told
            drop(writer.join());
        }
    }
}

/// Load, judge, write, and only then let it be seen. Nobody else writes, so what was loaded stays true; readers wait
/// for the last step alone, never for the disk.
fn commit(
    shared: &Shared,
    journal: &mut Journal,
    group: &[Pending],
) -> Result<Vec<Result<Receipt, Refusal>>, StoreError> {
    let members = || group.iter().map(|pending| &*pending.change_set);
    let map = shared.read();
    let (writes, results) = judge_group(ordered::rows(&*map, &Names::of(members())).map_err(corrupt)?, members());
    if writes.operations.is_empty() {
        return Ok(results); // all refused or made before: nothing to make durable
    }
    let rows = map::rows(ordered::changes(&*map, &writes).map_err(corrupt)?);
    drop(map);
    journal.append(&rows)?;
    shared.map.write().unwrap_or_else(PoisonError::into_inner).apply(rows);
    Ok(results)
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Map> {
        self.map.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn corrupt(what: Unreadable) -> StoreError {
    what.in_store(STORE)
}

fn unavailable(effect: Effect, reason: impl Into<String>) -> StoreError {
    StoreError::Unavailable { store: STORE, effect, reason: reason.into() }
}

#[async_trait]
impl Store for JournalStore {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        Ok(StoreInfo { name: STORE, format: FORMAT, durable: true, shared: false, group_max: self.group_max })
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        check_load(keys)?;
        ordered::load(&*self.shared.read(), keys).map_err(corrupt)
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        self.shared.queue.submit(change_set, async {}).await
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        ordered::scan(&*self.shared.read(), index, range, after, limit).map_err(corrupt)
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        ordered::totals(&*self.shared.read()).map_err(corrupt)
    }
}
