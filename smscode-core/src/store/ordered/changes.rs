//! What a judged group writes.

use std::ops::{Bound, ControlFlow};

use super::{Table, View};
use crate::store::codec::{self, keys};
use crate::store::{OperationId, Writes, limits};

/// A row that is put or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// In which table.
    pub table: Table,
    /// Under which key.
    pub key: Vec<u8>,
    /// What stands there from now on; `None`: nothing.
    pub value: Option<Vec<u8>>,
}

#[derive(Default)]
pub(super) struct Changes(pub(super) Vec<Change>);

impl Changes {
    fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, write: impl FnOnce(&mut Vec<u8>)) {
        let mut value = Vec::new();
        write(&mut value);
        self.0.push(Change { table, key: key.into(), value: Some(value) });
    }

    fn remove(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.0.push(Change { table, key: key.into(), value: None });
    }
}

/// What a judged group changes: each row once, by table, then by key. The view is the one that the judge saw, or one in
/// which nothing has changed since.
///
/// # Errors
///
/// Those of the view.
pub fn changes<V: View>(view: &V, writes: &Writes) -> Result<Vec<Change>, V::Error> {
    let mut changes = Changes::default();
    forget(&mut changes, view, writes)?;
    changes.remember(writes);
    changes.rows(writes);
    sums(&mut changes, view, writes)?;
    let mut changes = changes.0;
    // stable: of an operation that is forgotten and used anew in one group, the later change is kept
    changes.sort_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key)));
    changes.dedup_by(|later, kept| {
        let same = (later.table, &later.key) == (kept.table, &kept.key);
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
    Ok(changes)
}

impl Changes {
    /// Everything but operations and sums.
    pub(super) fn rows(&mut self, writes: &Writes) {
        self.records(writes);
        for (owner, head) in &writes.heads {
            self.put(Table::Heads, owner.0, |out| codec::put_head(out, head));
        }
        for (counter, value) in &writes.counters {
            self.put(Table::Counters, keys::counter(counter), |out| codec::put_counter(out, *value));
        }
        for event in &writes.events {
            let key = keys::numbered(event.owner, event.number);
            self.put(Table::Events, key, |out| codec::put_event(out, event));
        }
        for transfer in &writes.transfers {
            let put = |out: &mut Vec<u8>| codec::put_transfer(out, transfer);
            match &transfer.entry {
                Some(entry) => {
                    self.put(Table::TransferIds, transfer.id.0.as_slice(), |_| ());
                    self.put(Table::Transfers, keys::numbered(entry.owner, entry.number), put);
                }
                None => self.put(Table::TransferIds, transfer.id.0.as_slice(), put),
            }
        }
    }

    fn records(&mut self, writes: &Writes) {
        for (key, change) in &writes.records {
            let key = keys::record(key);
            let (go, come) = change.terms();
            for term in go {
                self.remove(Table::Terms, keys::term(&term.index, &term.at, &key));
            }
            for term in come {
                self.put(Table::Terms, keys::term(&term.index, &term.at, &key), |_| ());
            }
            match &change.after {
                Some(record) => self.put(Table::Records, key, |out| codec::put_record(out, record)),
                None => self.remove(Table::Records, key),
            }
        }
    }

    /// Sums of which there are none yet.
    pub(super) fn new_sums(&mut self, writes: &Writes) {
        for (currency, tally) in &writes.tallies {
            let open_holds = tally.open_holds.max(0).unsigned_abs();
            self.put(Table::Totals, keys::tally(*currency), |out| codec::put_tally(out, tally.transfers, open_holds));
        }
        for ((house, currency), sum) in &writes.house {
            self.put(Table::Totals, keys::house(*currency, house), |out| codec::put_house(out, i128::from(*sum)));
        }
    }

    pub(super) fn remember(&mut self, writes: &Writes) {
        for (id, operation) in &writes.operations {
            self.put(Table::Operations, id.0, |out| codec::put_operation(out, operation));
        }
        let mut ids: Vec<OperationId> = writes.operations.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        if let Some(first) = ids.first().copied() {
            let key = keys::group(writes.newest, first);
            self.put(Table::OperationGroups, key, |out| codec::put_group(out, ids));
        }
    }
}

/// Sums, with what is there.
fn sums<V: View>(changes: &mut Changes, view: &V, writes: &Writes) -> Result<(), V::Error> {
    let before = |key: &[u8]| view.get(Table::Totals, key, |value| Ok(value.to_vec()));
    for (currency, tally) in &writes.tallies {
        let (key, mut value) = (keys::tally(*currency), Vec::new());
        codec::add_tally(&mut value, before(&key)?.as_deref(), tally)?;
        changes.0.push(Change { table: Table::Totals, key, value: Some(value) });
    }
    for ((house, currency), by) in &writes.house {
        let (key, mut value) = (keys::house(*currency, house), Vec::new());
        codec::add_house(&mut value, before(&key)?.as_deref(), *by)?;
        changes.0.push(Change { table: Table::Totals, key, value: Some(value) });
    }
    Ok(())
}

/// Forgets some of the operations that are old enough.
fn forget<V: View>(changes: &mut Changes, view: &V, writes: &Writes) -> Result<(), V::Error> {
    let oldest = writes.newest.plus_seconds(-limits::OPERATION_HOURS * 3_600);
    let mut left = limits::OPERATIONS_FORGOTTEN_MAX;
    view.walk(Table::OperationGroups, Bound::Unbounded, Bound::Unbounded, |key, value| {
        let (time, ids) = (keys::read_group(key)?, codec::read_group(value)?);
        if time >= oldest || ids.len() > left {
            return Ok(ControlFlow::Break(()));
        }
        left -= ids.len();
        for id in ids {
            // one that was used again after its time is kept
            let time = view.get(Table::Operations, &id.0, codec::read_operation_time)?;
            if time.is_some_and(|time| time < oldest) {
                changes.remove(Table::Operations, id.0);
            }
        }
        changes.remove(Table::OperationGroups, key);
        Ok(ControlFlow::Continue(()))
    })
}
