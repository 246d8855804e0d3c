//! The writer: one thread that commits groups.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{Durability, ReadableTable, WriteTransaction};
use smscode_core::store::codec::{self, Table, Unreadable, keys};
use smscode_core::store::{
    CommitQueue, Effect, Key, Names, OperationId, Pending, Receipt, RecordChange, Refusal, Writes, judge_group, limits,
};
use smscode_core::time::Timestamp;

use crate::fault::{Fault, Result};
use crate::open::Engine;
use crate::read;
use crate::tables::definition;

/// What the writer has done since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    pub(crate) commits: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) rows_written: AtomicU64,
}

pub(crate) struct Writer {
    pub(crate) engine: Arc<Engine>,
    pub(crate) queue: Arc<CommitQueue>,
    pub(crate) tallies: Arc<Tallies>,
    pub(crate) quick_repair: bool,
    pub(crate) group_max: usize,
}

impl Drop for Writer {
    /// However the thread ends, nobody waits for it in vain.
    fn drop(&mut self) {
        self.queue.close();
        drop(self.queue.take(usize::MAX));
    }
}

impl Writer {
    /// Commits groups until the queue is closed and empty.
    pub(crate) fn run(self) {
        while let Some(group) = self.queue.take_blocking(self.group_max) {
            let committed = catch_unwind(AssertUnwindSafe(|| self.commit(&group)));
            match committed.unwrap_or(Err((Fault::Panicked, Effect::Unknown))) {
                Ok(results) => Pending::answer_all(group, Ok(results)),
                Err((fault, effect)) => {
                    if matches!(fault, Fault::Engine(_) | Fault::Panicked) {
                        self.engine.mark_failed();
                    }
                    Pending::answer_all(group, Err(fault.tell(effect)));
                }
            }
        }
    }

    fn commit(
        &self,
        group: &[Pending],
    ) -> std::result::Result<Vec<std::result::Result<Receipt, Refusal>>, (Fault, Effect)> {
        let before = |fault| (fault, Effect::No);
        let members = || group.iter().map(|pending| &*pending.change_set);
        let opened = self.engine.for_writing().map_err(before)?;
        let database = opened.database().map_err(before)?;
        let rows = read::rows(database, &Names::of(members())).map_err(before)?;
        let (writes, results) = judge_group(rows, members());
        if writes.operations.is_empty() {
            return Ok(results); // all refused or made before: nothing to make durable
        }
        let begin = || -> Result<WriteTransaction> {
            let mut transaction = database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            transaction.set_quick_repair(self.quick_repair);
            Ok(transaction)
        };
        let transaction = begin().map_err(before)?;
        let commits = writes.operations.len() as u64;
        let rows_written = write(&transaction, writes).map_err(before)?;
        transaction.commit().map_err(|error| (error.into(), Effect::Unknown))?;
        self.tallies.commits.fetch_add(commits, Ordering::Relaxed);
        self.tallies.groups.fetch_add(1, Ordering::Relaxed);
        self.tallies.rows_written.fetch_add(rows_written, Ordering::Relaxed);
        Ok(results)
    }
}

type Rows<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

/// An open table with the number of rows written to it and room for one value.
struct Sheet<'t> {
    table: Rows<'t>,
    value: Vec<u8>,
    written: u64,
}

impl<'t> Sheet<'t> {
    fn open(transaction: &'t WriteTransaction, table: Table) -> Result<Self> {
        Ok(Self { table: transaction.open_table(definition(table))?, value: Vec::new(), written: 0 })
    }

    fn put(&mut self, key: &[u8], write_value: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        self.value.clear();
        write_value(&mut self.value);
        self.table.insert(key, self.value.as_slice())?;
        self.written += 1;
        Ok(())
    }

    /// Puts what `write_value` makes of the row that is there.
    fn change(
        &mut self,
        key: &[u8],
        write_value: impl FnOnce(&mut Vec<u8>, Option<&[u8]>) -> std::result::Result<(), Unreadable>,
    ) -> Result<()> {
        self.value.clear();
        {
            let before = self.table.get(key)?;
            write_value(&mut self.value, before.as_ref().map(|row| row.value()))?;
        }
        self.table.insert(key, self.value.as_slice())?;
        self.written += 1;
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        self.table.remove(key)?;
        self.written += 1;
        Ok(())
    }
}

/// Writes what a judged group changes, each table in the order of its keys, and returns the number of rows.
fn write(transaction: &WriteTransaction, writes: Writes) -> Result<u64> {
    let mut written = write_records(transaction, &writes.records)?;
    written += write_money(transaction, &writes)?;
    if !writes.counters.is_empty() {
        let mut counters = Sheet::open(transaction, Table::Counters)?;
        for (counter, value) in &writes.counters {
            counters.put(&keys::counter(counter), |out| codec::put_counter(out, *value))?;
        }
        written += counters.written;
    }
    if !writes.events.is_empty() {
        let mut sorted: Vec<_> = writes.events.iter().collect();
        sorted.sort_by_key(|event| (event.owner, event.number));
        let mut events = Sheet::open(transaction, Table::Events)?;
        for event in sorted {
            events.put(&keys::numbered(event.owner, event.number), |out| {
                codec::put_event(out, event);
            })?;
        }
        written += events.written;
    }
    Ok(written + write_operations(transaction, writes)?)
}

fn write_records(transaction: &WriteTransaction, changes: &BTreeMap<Key, RecordChange>) -> Result<u64> {
    if changes.is_empty() {
        return Ok(0);
    }
    let mut records = Sheet::open(transaction, Table::Records)?;
    let (mut gone, mut new) = (BTreeSet::new(), BTreeSet::new());
    for (key, change) in changes {
        let key = keys::record(key);
        let (go, come) = change.terms();
        gone.extend(go.iter().map(|term| keys::term(&term.index, &term.at, &key)));
        new.extend(come.iter().map(|term| keys::term(&term.index, &term.at, &key)));
        match &change.after {
            Some(record) => records.put(&key, |out| codec::put_record(out, record))?,
            None => records.remove(&key)?,
        }
    }
    if gone.is_empty() && new.is_empty() {
        return Ok(records.written);
    }
    let mut terms = Sheet::open(transaction, Table::Terms)?;
    for key in &gone {
        terms.remove(key)?;
    }
    for key in &new {
        terms.put(key, |_| ())?;
    }
    Ok(records.written + terms.written)
}

/// Heads, transfers and totals.
fn write_money(transaction: &WriteTransaction, writes: &Writes) -> Result<u64> {
    let mut written = 0;
    if !writes.heads.is_empty() {
        let mut heads = Sheet::open(transaction, Table::Heads)?;
        for (owner, head) in &writes.heads {
            heads.put(&owner.0, |out| codec::put_head(out, head))?;
        }
        written += heads.written;
    }
    if writes.transfers.is_empty() {
        return Ok(written); // and so no totals
    }
    let mut ids = Sheet::open(transaction, Table::TransferIds)?;
    let mut transfers = Sheet::open(transaction, Table::Transfers)?;
    let mut sorted: Vec<_> = writes.transfers.iter().collect();
    sorted.sort_by(|a, b| a.id.cmp(&b.id));
    for transfer in &sorted {
        ids.put(&transfer.id.0, |out| {
            if transfer.entry.is_none() {
                codec::put_transfer(out, transfer);
            }
        })?;
    }
    sorted.sort_by_key(|transfer| transfer.entry.map(|entry| (entry.owner, entry.number)));
    for transfer in sorted {
        if let Some(entry) = &transfer.entry {
            transfers.put(&keys::numbered(entry.owner, entry.number), |out| {
                codec::put_transfer(out, transfer);
            })?;
        }
    }
    let mut totals = Sheet::open(transaction, Table::Totals)?;
    for (currency, tally) in &writes.tallies {
        totals.change(&keys::tally(*currency), |out, before| codec::add_tally(out, before, tally))?;
    }
    for ((house, currency), by) in &writes.house {
        totals.change(&keys::house(*currency, house), |out, before| codec::add_house(out, before, *by))?;
    }
    Ok(written + ids.written + transfers.written + totals.written)
}

/// Remembers the operations of this group, and forgets some that are old enough.
fn write_operations(transaction: &WriteTransaction, writes: Writes) -> Result<u64> {
    let mut operations = Sheet::open(transaction, Table::Operations)?;
    let mut groups = Sheet::open(transaction, Table::OperationGroups)?;
    let mut remembered = writes.operations;
    remembered.sort_by_key(|(id, _)| *id);
    let Some((first, _)) = remembered.first() else {
        return Ok(0);
    };
    groups.put(&keys::group(writes.newest, *first), |out| {
        codec::put_group(out, remembered.iter().map(|(id, _)| *id));
    })?;
    for (id, operation) in &remembered {
        operations.put(&id.0, |out| codec::put_operation(out, operation))?;
    }
    let oldest = writes.newest.plus_seconds(-limits::OPERATION_HOURS * 3_600);
    let mut left = limits::OPERATIONS_FORGOTTEN_MAX;
    while let Some((key, time, ids)) = oldest_group(&groups.table)? {
        if time >= oldest || ids.len() > left {
            break;
        }
        left -= ids.len();
        for id in ids {
            // one that was used again after its time is kept
            let old = match operations.table.get(id.0.as_slice())? {
                Some(row) => codec::read_operation_time(row.value())? < oldest,
                None => false,
            };
            if old {
                operations.remove(&id.0)?;
            }
        }
        groups.remove(&key)?;
    }
    Ok(operations.written + groups.written)
}

/// Key, newest time and operation ids of the oldest group.
#[allow(clippy::type_complexity, reason = "used once, just above")]
fn oldest_group(groups: &Rows<'_>) -> Result<Option<(Vec<u8>, Timestamp, Vec<OperationId>)>> {
    let Some((key, ids)) = groups.first()? else {
        return Ok(None);
    };
    Ok(Some((key.value().to_vec(), keys::read_group(key.value())?, codec::read_group(ids.value())?)))
}
