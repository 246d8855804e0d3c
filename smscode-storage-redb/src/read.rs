//! Reading: rows of a group for the judge, and what the port asks for.

use std::collections::BTreeSet;
use std::ops::Bound;

use redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase};
use smscode_core::store::codec::{self, Unreadable, keys};
use smscode_core::store::{
    Cursor, Index, Kind, LoadKey, Names, Owner, Page, Range, Row, Rows, Snapshot, Totals, kind_position,
    let_others_run, limits,
};

use crate::fault::{Result, guarded};
use crate::tables::{self, Definition};

type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;
type Found = redb::AccessGuard<'static, &'static [u8]>;

/// Heads summed at a stretch by [`totals`]: well below a millisecond.
const HEADS_AT_A_STRETCH: usize = 1_000;

/// The rows that a group names, from the newest committed view. There is one writer, so nothing changes them meanwhile.
pub(crate) fn rows(database: &Database, names: &Names) -> Result<Rows> {
    let view = database.begin_read()?;
    let mut rows = Rows::default();
    for (id, found) in find(&view, tables::OPERATIONS, &names.operations, |id| id.0)? {
        rows.operations.insert(*id, codec::read_operation(found.value())?);
    }
    for (key, found) in find(&view, tables::RECORDS, &names.records, keys::record)? {
        rows.records.insert(key.clone(), codec::read_record(found.value())?);
    }
    for (owner, found) in find(&view, tables::HEADS, &names.heads, |owner| owner.0)? {
        rows.heads.insert(*owner, codec::read_head(found.value())?);
    }
    for (key, found) in find(&view, tables::COUNTERS, &names.counters, keys::counter)? {
        rows.counters.insert(key.clone(), codec::read_counter(found.value())?);
    }
    for (id, _) in find(&view, tables::TRANSFER_IDS, &names.transfers, |id| id.0.clone())? {
        rows.transfers.insert(id.clone());
    }
    if names.owned.is_empty() {
        return Ok(rows);
    }
    // the judge counts a family up to its limit, and members of the group may delete named records of it before
    let enough = limits::OWNED_MAX + 1 + names.records.len();
    let records = view.open_table(tables::RECORDS)?;
    for (kind, owner) in &names.owned {
        let prefix = keys::family_prefix(kind, *owner);
        for row in records.range(prefix.as_slice()..)?.take(enough) {
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
    table: Definition,
    wanted: &'k BTreeSet<K>,
    key_bytes: impl Fn(&K) -> B,
) -> Result<Vec<(&'k K, Found)>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let table = view.open_table(table)?;
    let mut found = Vec::new();
    for key in wanted {
        if let Some(row) = table.get(key_bytes(key).as_ref())? {
            found.push((key, row));
        }
    }
    Ok(found)
}

pub(crate) fn load(view: &ReadTransaction, keys: &[LoadKey]) -> Result<Snapshot> {
    let records = view.open_table(tables::RECORDS)?;
    let heads = view.open_table(tables::HEADS)?;
    let counters = view.open_table(tables::COUNTERS)?;
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

/// Where a scan begins and what it reads: a table, the keys in it, and how a row is told.
struct Walk {
    lower: Bound<Vec<u8>>,
    /// The first key no longer wanted.
    upper: Vec<u8>,
}

impl Walk {
    /// Keys from `from` on, or after `after` if that is further on.
    fn new(from: Vec<u8>, after: Option<Bound<Vec<u8>>>, upper: Vec<u8>) -> Self {
        let lower = match after {
            Some(Bound::Excluded(after)) if after >= from => Bound::Excluded(after),
            Some(Bound::Included(after)) if after > from => Bound::Included(after),
            _ => Bound::Included(from),
        };
        Self { lower, upper }
    }

    /// At most `count` rows.
    fn read(
        self,
        table: &Table,
        count: usize,
        mut row_of: impl FnMut(&[u8], &[u8]) -> Result<Row>,
    ) -> Result<Vec<Row>> {
        let (Bound::Included(lower) | Bound::Excluded(lower)) = &self.lower else {
            return Ok(Vec::new());
        };
        if *lower >= self.upper {
            return Ok(Vec::new());
        }
        let bounds = (self.lower.as_ref().map(Vec::as_slice), Bound::Excluded(self.upper.as_slice()));
        let mut rows = Vec::new();
        for row in table.range::<&[u8]>(bounds)?.take(count) {
            let (key, value) = row?;
            rows.push(row_of(key.value(), value.value())?);
        }
        Ok(rows)
    }
}

/// Bytes after all keys that begin with these; no key here has 256 bytes FF.
fn after_all(prefix: &[u8]) -> Vec<u8> {
    Range::prefix(prefix).until.unwrap_or_else(|| vec![0xFF; 256])
}

pub(crate) fn scan(
    view: &ReadTransaction,
    index: &Index,
    range: &Range,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page> {
    let limit = limit.clamp(1, limits::PAGE_ROWS_MAX);
    // lists whose keys are a prefix and the position
    let plain = |prefix: &[u8]| {
        let at = |position: &[u8]| [prefix, position].concat();
        Walk::new(
            at(&range.from),
            after.map(|cursor| Bound::Excluded(at(&cursor.position))),
            range.until.as_deref().map_or_else(|| after_all(prefix), at),
        )
    };
    let count = limit + 1;
    let mut rows = match index {
        Index::Term(name) => scan_terms(view, name, range, after, count)?,
        Index::Kind(kind) => {
            let walk = plain(&keys::kind_prefix(kind));
            walk.read(&view.open_table(tables::RECORDS)?, count, |key, value| {
                let key = keys::read_record(key)?;
                Ok(Row::Record { position: kind_position(&key), record: codec::read_record(value)?, key })
            })?
        }
        Index::Heads => plain(&[]).read(&view.open_table(tables::HEADS)?, count, |key, value| {
            let owner = Owner(key.try_into().map_err(|_| Unreadable("the key of a head"))?);
            Ok(Row::Head(owner, codec::read_head(value)?))
        })?,
        Index::Transfers(owner) => {
            plain(&owner.0).read(&view.open_table(tables::TRANSFERS)?, count, |key, value| {
                Ok(Row::Transfer(codec::read_transfer(key, value)?))
            })?
        }
        Index::Events(owner) => plain(&owner.0).read(&view.open_table(tables::EVENTS)?, count, |key, value| {
            Ok(Row::Event(codec::read_event(key, value)?))
        })?,
    };
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(Row::cursor);
    Ok(Page { rows, next })
}

fn scan_terms(
    view: &ReadTransaction,
    index: &Kind,
    range: &Range,
    after: Option<&Cursor>,
    count: usize,
) -> Result<Vec<Row>> {
    let at = |position: &[u8]| keys::term_prefix(index, position);
    let walk = Walk::new(
        at(&range.from),
        after.map(|cursor| match &cursor.key {
            Some(key) => Bound::Excluded(keys::term(index, &cursor.position, &keys::record(key))),
            None => Bound::Included(at(&cursor.position)),
        }),
        range.until.as_deref().map_or_else(|| after_all(&keys::kind_prefix(index)), at),
    );
    let records = view.open_table(tables::RECORDS)?;
    walk.read(&view.open_table(tables::TERMS)?, count, |key, _| {
        let (position, record_key) = keys::read_term(key)?;
        let Some(record) = records.get(record_key)? else {
            return Err(Unreadable("a term without its record").into());
        };
        Ok(Row::Record { position, key: keys::read_record(record_key)?, record: codec::read_record(record.value())? })
    })
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
    for row in view.open_table(tables::TOTALS)?.range::<&[u8]>(..)? {
        let (key, value) = row?;
        codec::add_total(&mut totals, key.value(), value.value())?;
    }
    Ok(totals)
}

/// Adds some heads; the last of them if there may be more.
fn add_heads(view: &ReadTransaction, after: &Bound<Vec<u8>>, totals: &mut Totals) -> Result<Option<Vec<u8>>> {
    let heads = view.open_table(tables::HEADS)?;
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
