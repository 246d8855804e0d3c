//! Reading: rows of a group for the judge, and what the port asks for.

use std::collections::BTreeSet;
use std::ops::Bound;

use redb::{Database, ReadTransaction, ReadableDatabase};
use smscode_core::store::codec::{self, Part, Table, keys};
use smscode_core::store::{
    Cursor, Index, LoadKey, Names, Page, Range, Record, Rows, Snapshot, Totals, let_others_run, limits,
};

use crate::fault::{Result, guarded};
use crate::tables::definition;

type Found = redb::AccessGuard<'static, &'static [u8]>;

/// Heads summed at a stretch by [`totals`]: well below a millisecond.
const HEADS_AT_A_STRETCH: usize = 1_000;

/// The rows that a group names, from the newest committed view. There is one writer, so nothing changes them meanwhile.
pub(crate) fn rows(database: &Database, names: &Names) -> Result<Rows> {
    let view = database.begin_read()?;
    let mut rows = Rows::default();
    for (id, found) in find(&view, Table::Operations, &names.operations, |id| id.0)? {
        rows.operations.insert(*id, codec::read_operation(found.value())?);
    }
    for (key, found) in find(&view, Table::Records, &names.records, keys::record)? {
        rows.records.insert(key.clone(), codec::read_record(found.value())?);
    }
    for (owner, found) in find(&view, Table::Heads, &names.heads, |owner| owner.0)? {
        rows.heads.insert(*owner, codec::read_head(found.value())?);
    }
    for (key, found) in find(&view, Table::Counters, &names.counters, keys::counter)? {
        rows.counters.insert(key.clone(), codec::read_counter(found.value())?);
    }
    for (id, _) in find(&view, Table::TransferIds, &names.transfers, |id| id.0.clone())? {
        rows.transfers.insert(id.clone());
    }
    if names.owned.is_empty() {
        return Ok(rows);
    }
    let records = view.open_table(definition(Table::Records))?;
    for (kind, owner) in &names.owned {
        let prefix = keys::family_prefix(kind, *owner);
        for row in records.range(prefix.as_slice()..)?.take(names.family_max()) {
            let (key, value) = row?;
            if !key.value().starts_with(&prefix) {
                break;
            }
            let key = keys::read_record(key.value())?;
            rows.records.insert(key, codec::read_record(value.value())?);
        }
    }
    Ok(rows)
}

/// Those of the wanted rows that there are, in order.
fn find<'k, K, B: AsRef<[u8]>>(
    view: &ReadTransaction,
    table: Table,
    wanted: &'k BTreeSet<K>,
    key_bytes: impl Fn(&K) -> B,
) -> Result<Vec<(&'k K, Found)>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let table = view.open_table(definition(table))?;
    let mut found = Vec::new();
    for key in wanted {
        if let Some(row) = table.get(key_bytes(key).as_ref())? {
            found.push((key, row));
        }
    }
    Ok(found)
}

pub(crate) fn load(view: &ReadTransaction, keys: &[LoadKey]) -> Result<Snapshot> {
    let records = view.open_table(definition(Table::Records))?;
    let heads = view.open_table(definition(Table::Heads))?;
    let counters = view.open_table(definition(Table::Counters))?;
    let mut snapshot = Snapshot::default();
    for key in keys {
        match key {
            LoadKey::Record(key) => {
                if let Some(row) = records.get(keys::record(key).as_slice())? {
                    snapshot.add_record(key.clone(), codec::read_record(row.value())?);
                }
            }
            LoadKey::Head(owner) => {
                if let Some(row) = heads.get(owner.0.as_slice())? {
                    snapshot.add_head(*owner, codec::read_head(row.value())?);
                }
            }
            LoadKey::Counter(counter) => {
                if let Some(row) = counters.get(keys::counter(counter).as_slice())? {
                    snapshot.add_counter(counter.clone(), codec::read_counter(row.value())?);
                }
            }
        }
    }
    Ok(snapshot)
}

pub(crate) fn scan(
    view: &ReadTransaction,
    index: &Index,
    range: &Range,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page> {
    let limit = limit.clamp(1, limits::PAGE_ROWS_MAX);
    let part = Part::of(index, range, after);
    let table = view.open_table(definition(part.table()))?;
    let records = view.open_table(definition(Table::Records))?;
    let record = |key: &[u8]| -> Result<Option<Record>> {
        Ok(records.get(key)?.map(|row| codec::read_record(row.value())).transpose()?)
    };
    let mut rows = Vec::new();
    for row in table.range::<&[u8]>(part.bounds())?.take(limit + 1) {
        let (key, value) = row?;
        rows.push(part.row(key.value(), value.value(), record)?);
    }
    Ok(Page::cut(rows, limit))
}

/// Sums every head, some at a stretch: between two stretches other tasks of the thread run. The view stays the same.
pub(crate) async fn totals(view: &ReadTransaction) -> Result<Totals> {
    let mut totals = guarded(|| house_totals(view))?;
    let mut after = Bound::Unbounded;
    while let Some(last) = guarded(|| add_heads(view, &after, &mut totals))? {
        after = Bound::Excluded(last);
        let_others_run().await;
    }
    Ok(totals)
}

fn house_totals(view: &ReadTransaction) -> Result<Totals> {
    let mut totals = Totals::default();
    for row in view.open_table(definition(Table::Totals))?.range::<&[u8]>(..)? {
        let (key, value) = row?;
        codec::add_total(&mut totals, key.value(), value.value())?;
    }
    Ok(totals)
}

/// Adds some heads; the last of them if there may be more.
fn add_heads(view: &ReadTransaction, after: &Bound<Vec<u8>>, totals: &mut Totals) -> Result<Option<Vec<u8>>> {
    let heads = view.open_table(definition(Table::Heads))?;
    let bounds = (after.as_ref().map(Vec::as_slice), Bound::Unbounded);
    let mut last = None;
    for (count, row) in heads.range::<&[u8]>(bounds)?.enumerate() {
        let (key, value) = row?;
        totals.add_head(&codec::read_head(value.value())?);
        if count + 1 == HEADS_AT_A_STRETCH {
            last = Some(key.value().to_vec());
            break;
        }
    }
    Ok(last)
}
