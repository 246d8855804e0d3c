//! A store in memory: for tests, examples and the simulation. Nothing survives the process.

mod copying;
mod figures;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::limits::{OPERATION_HOURS, OPERATIONS_FORGOTTEN_MAX, PAGE_ROWS_MAX};
use super::{
    ChangeSet, CommitQueue, CounterKey, Cursor, Event, Head, House, Index, Key, Kind, LoadKey, Names, OperationId,
    Owner, Page, Pending, Range, Receipt, Record, Row, Rows, Snapshot, Store, StoreError, StoreInfo, StoredOperation,
    Totals, Transfer, TransferId, Writes, check_load, judge_group, kind_position, let_others_run,
};
use crate::money::Currency;
use crate::time::Timestamp;

pub use figures::MemoryFigures;

/// The largest group: as in the embedded store, so that both meet the same cases.
const GROUP_MAX: usize = 64;

/// Commits that may wait: each is at most 1 MiB.
const QUEUE_MAX: usize = 1_024;

/// A [`Store`] in memory.
///
/// ```
/// use std::sync::Arc;
/// use smscode_core::store::{ChangeSet, Body, MemoryStore, OperationId, Store};
/// use smscode_core::time::Timestamp;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), smscode_core::store::StoreError> {
/// let store = MemoryStore::new();
/// let nothing = ChangeSet::new(OperationId([1; 16]), Timestamp::EPOCH).seal(Body::empty());
/// store.commit(Arc::new(nothing)).await?;
/// assert_eq!(store.describe().await?.name, "memory");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    group_max: usize,
    queue: CommitQueue,
    data: Mutex<Data>,
}

#[derive(Debug, Default)]
struct Data {
    operations: BTreeMap<OperationId, StoredOperation>,
    operation_times: BTreeSet<(Timestamp, OperationId)>,
    records: BTreeMap<Key, Record>,
    terms: BTreeSet<(Kind, Vec<u8>, Key)>,
    heads: BTreeMap<Owner, Head>,
    counters: BTreeMap<CounterKey, i64>,
    transfer_ids: BTreeSet<TransferId>,
    transfers: BTreeMap<(Owner, u64), Transfer>,
    /// Those that stand on no statement.
    house_transfers: BTreeMap<TransferId, Transfer>,
    events: BTreeMap<(Owner, u64), Event>,
    totals: Totals,
    /// Tallies for [`MemoryFigures`].
    commits: u64,
    groups: u64,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_group_max(GROUP_MAX)
    }

    /// An empty store that commits at most so many ChangeSets at once.
    pub fn with_group_max(group_max: usize) -> Self {
        Self {
            group_max: group_max.clamp(1, GROUP_MAX),
            queue: CommitQueue::new("memory", QUEUE_MAX),
            data: Mutex::new(Data::default()),
        }
    }

    /// Everything the store holds, as bytes: for tests that look for what must not be there.
    #[cfg(feature = "conformance")]
    pub fn raw_bytes(&self) -> Vec<u8> {
        let data = self.lock();
        let mut raw = Vec::new();
        let mut add = |bytes: &[u8]| {
            raw.extend_from_slice(bytes);
            raw.push(b'\n');
        };
        for (key, record) in &data.records {
            add(key.kind.as_str().as_bytes());
            add(&key.id);
            add(record.body.as_bytes());
        }
        for (index, at, _) in &data.terms {
            add(index.as_str().as_bytes());
            add(at);
        }
        for counter in data.counters.keys() {
            add(counter.name.as_bytes());
            add(counter.period.as_bytes());
        }
        for event in data.events.values() {
            add(event.body.as_bytes());
        }
        for operation in data.operations.values() {
            add(operation.receipt.outcome.as_bytes());
        }
        for id in &data.transfer_ids {
            add(&id.0);
        }
        for transfer in data.transfers.values().chain(data.house_transfers.values()) {
            for text in [&transfer.subject, &transfer.reason, &transfer.actor] {
                add(text.as_bytes());
            }
        }
        for house in data.totals.currencies.values().flat_map(|line| line.house.keys()) {
            add(house.0.as_bytes());
        }
        raw
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits all that waits, group by group. To stop after one group would leave the caller's own ChangeSet to
    /// others, who may have gone away by then.
    fn commit_waiting(&self) {
        // no more rounds than ChangeSets can wait: the caller's own is among them
        for _ in 0..QUEUE_MAX {
            let mut data = self.lock();
            let group = self.queue.take(self.group_max);
            if group.is_empty() {
                return;
            }
            let sets = || group.iter().map(|pending| &*pending.change_set);
            let (writes, results) = judge_group(data.rows(&Names::of(sets())), sets());
            let newest = writes.newest;
            data.write(writes);
            data.forget(newest);
            drop(data);
            Pending::answer_all(group, Ok(results));
        }
    }
}

impl Data {
    fn rows(&self, names: &Names) -> Rows {
        fn pick<K: Ord + Clone, V: Clone>(from: &BTreeMap<K, V>, wanted: &BTreeSet<K>) -> BTreeMap<K, V> {
            wanted.iter().filter_map(|key| Some((key.clone(), from.get(key)?.clone()))).collect()
        }
        let mut records = pick(&self.records, &names.records);
        for (kind, owner) in &names.owned {
            let first = Key::owned(kind.clone(), *owner, []);
            let family = self.records.range(first..).take_while(|(key, _)| key.kind == *kind && key.owner == *owner);
            records.extend(family.map(|(key, record)| (key.clone(), record.clone())));
        }
        Rows {
            operations: pick(&self.operations, &names.operations),
            records,
            heads: pick(&self.heads, &names.heads),
            counters: pick(&self.counters, &names.counters),
            transfers: names.transfers.intersection(&self.transfer_ids).cloned().collect(),
        }
    }

    fn write(&mut self, writes: Writes) {
        self.commits += writes.operations.len() as u64;
        self.groups += u64::from(!writes.operations.is_empty());
        for (key, change) in writes.records {
            for term in change.before.iter().flat_map(|record| &record.terms) {
                self.terms.remove(&(term.index.clone(), term.at.clone(), key.clone()));
            }
            match change.after {
                Some(record) => {
                    for term in &record.terms {
                        self.terms.insert((term.index.clone(), term.at.clone(), key.clone()));
                    }
                    self.records.insert(key, record);
                }
                None => {
                    self.records.remove(&key);
                }
            }
        }
        self.heads.extend(writes.heads);
        self.counters.extend(writes.counters);
        for transfer in writes.transfers {
            self.transfer_ids.insert(transfer.id.clone());
            match transfer.entry {
                Some(entry) => drop(self.transfers.insert((entry.owner, entry.number), transfer)),
                None => drop(self.house_transfers.insert(transfer.id.clone(), transfer)),
            }
        }
        self.events.extend(writes.events.into_iter().map(|event| ((event.owner, event.number), event)));
        for ((house, currency), by) in writes.house {
            *self.line(currency).house.entry(house).or_insert(0) += i128::from(by);
        }
        for (currency, tally) in writes.tallies {
            let line = self.line(currency);
            line.transfers += tally.transfers;
            line.open_holds = line.open_holds.saturating_add_signed(tally.open_holds);
        }
        for (id, operation) in writes.operations {
            let time = operation.time;
            if let Some(older) = self.operations.insert(id, operation) {
                // an id used anew after 48 h: forgetting its first meaning must not take the second
                self.operation_times.remove(&(older.time, id));
            }
            self.operation_times.insert((time, id));
        }
    }

    /// Forgets some of the operations that are 48 h older than the newest.
    fn forget(&mut self, newest: Timestamp) {
        let oldest = newest.plus_seconds(-OPERATION_HOURS * 3_600);
        for _ in 0..OPERATIONS_FORGOTTEN_MAX {
            match self.operation_times.first().copied() {
                Some((time, id)) if time < oldest => {
                    self.operation_times.remove(&(time, id));
                    self.operations.remove(&id);
                }
                _ => break,
            }
        }
    }

    fn totals(&self) -> Totals {
        let mut totals = self.totals.clone();
        for head in self.heads.values() {
            totals.add_head(head);
        }
        totals
    }

    fn line(&mut self, currency: Currency) -> &mut super::CurrencyTotals {
        self.totals.currencies.entry(currency).or_default()
    }

    fn scan_terms(&self, index: &Kind, range: &Range, after: Option<&Cursor>) -> impl Iterator<Item = Row> {
        let first = (index.clone(), range.from.clone(), Key::free(Kind::of(""), []));
        let past = move |at: &[u8], key: &Key| {
            after.is_none_or(|cursor| (at, Some(key)) > (cursor.position.as_slice(), cursor.key.as_ref()))
        };
        self.terms
            .range(first..)
            .take_while(move |(name, at, _)| name == index && range.contains(at))
            .filter(move |(_, at, key)| past(at, key))
            .filter_map(|(_, at, key)| {
                let record = self.records.get(key)?.clone();
                Some(Row::Record { position: at.clone(), key: key.clone(), record })
            })
    }
}

/// The smallest number that a scan of transfers or events can want, so that it need not begin at 1.
fn first_number(range: &Range, after: Option<&Cursor>) -> u64 {
    let number = |position: &[u8]| {
        let mut bytes = [0; 8];
        let count = position.len().min(8);
        bytes[..count].copy_from_slice(&position[..count]);
        u64::from_be_bytes(bytes)
    };
    number(&range.from).max(after.map_or(0, |cursor| number(&cursor.position)))
}

#[async_trait]
impl Store for MemoryStore {
    async fn describe(&self) -> Result<StoreInfo, StoreError> {
        Ok(StoreInfo { name: "memory", format: 1, durable: false, shared: false, group_max: self.group_max })
    }

    async fn load(&self, keys: &[LoadKey]) -> Result<Snapshot, StoreError> {
        check_load(keys)?;
        let data = self.lock();
        let mut snapshot = Snapshot::default();
        for key in keys {
            match key {
                LoadKey::Record(key) => {
                    if let Some(record) = data.records.get(key) {
                        snapshot.add_record(key.clone(), record.clone());
                    }
                }
                LoadKey::Head(owner) => {
                    if let Some(head) = data.heads.get(owner) {
                        snapshot.add_head(*owner, *head);
                    }
                }
                LoadKey::Counter(counter) => {
                    if let Some(value) = data.counters.get(counter) {
                        snapshot.add_counter(counter.clone(), *value);
                    }
                }
            }
        }
        Ok(snapshot)
    }

    async fn commit(&self, change_set: Arc<ChangeSet>) -> Result<Receipt, StoreError> {
        // one of the callers commits for all that wait; the pause lets others of the same task set queue up
        let lead = async {
            let_others_run().await;
            self.commit_waiting();
        };
        self.queue.submit(change_set, lead).await
    }

    async fn scan(
        &self,
        index: &Index,
        range: &Range,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, PAGE_ROWS_MAX);
        let data = self.lock();
        let past = |position: &[u8]| after.is_none_or(|cursor| position > cursor.position.as_slice());
        let wanted = |position: &[u8]| range.contains(position) && past(position);
        let rows: Vec<Row> = match index {
            Index::Term(name) => data.scan_terms(name, range, after).take(limit + 1).collect(),
            Index::Kind(kind) => data
                .records
                .range(Key::free(kind.clone(), [])..)
                .take_while(|(key, _)| key.kind == *kind)
                .map(|(key, record)| (kind_position(key), key, record))
                .filter(|(position, _, _)| wanted(position))
                .map(|(position, key, record)| Row::Record { position, key: key.clone(), record: record.clone() })
                .take(limit + 1)
                .collect(),
            Index::Heads => data
                .heads
                .iter()
                .filter(|(owner, _)| wanted(&owner.0))
                .map(|(owner, head)| Row::Head(*owner, *head))
                .take(limit + 1)
                .collect(),
            Index::Transfers(owner) => data
                .transfers
                .range((*owner, first_number(range, after))..=(*owner, u64::MAX))
                .filter(|((_, number), _)| wanted(&number.to_be_bytes()))
                .map(|(_, transfer)| Row::Transfer(transfer.clone()))
                .take(limit + 1)
                .collect(),
            Index::Events(owner) => data
                .events
                .range((*owner, first_number(range, after))..=(*owner, u64::MAX))
                .filter(|((_, number), _)| wanted(&number.to_be_bytes()))
                .map(|(_, event)| Row::Event(event.clone()))
                .take(limit + 1)
                .collect(),
        };
        Ok(Page::cut(rows, limit))
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        Ok(self.lock().totals())
    }
}

/// The house accounts of the totals, folded: kept here so that every store folds alike.
impl super::CurrencyTotals {
    /// What is on a house account.
    pub fn house(&self, house: &House) -> i128 {
        self.house.get(house).copied().unwrap_or(0)
    }
}
