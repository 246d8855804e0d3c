//! What the judge wants to see, and the reads of the port.

use std::ops::{Bound, ControlFlow};

use super::part::Part;
use super::{Table, View};
use crate::store::codec::{self, Unreadable, keys};
use crate::store::{
    CounterKey, Cursor, Head, Index, Key, LoadKey, Names, Owner, Page, Range, Record, Rows, Snapshot, Totals, limits,
};

/// Heads that [`add_heads`] adds at a stretch: well below a millisecond.
const HEADS_AT_A_STRETCH: usize = 1_000;

fn record<V: View>(view: &V, key: &Key) -> Result<Option<Record>, V::Error> {
    view.get(Table::Records, &keys::record(key), codec::read_record)
}

fn head<V: View>(view: &V, owner: Owner) -> Result<Option<Head>, V::Error> {
    view.get(Table::Heads, &owner.0, codec::read_head)
}

fn counter<V: View>(view: &V, counter: &CounterKey) -> Result<Option<i64>, V::Error> {
    view.get(Table::Counters, &keys::counter(counter), codec::read_counter)
}

/// The rows that a group names, for [`judge_group`](crate::store::judge_group).
///
/// # Errors
///
/// Those of the view.
pub fn rows<V: View>(view: &V, names: &Names) -> Result<Rows, V::Error> {
    let mut rows = Rows::default();
    for id in &names.operations {
        let found = view.get(Table::Operations, &id.0, codec::read_operation)?;
        rows.operations.extend(found.map(|operation| (*id, operation)));
    }
    for key in &names.records {
        rows.records.extend(record(view, key)?.map(|record| (key.clone(), record)));
    }
    for (kind, owner) in &names.owned {
        let (prefix, mut left) = (keys::family_prefix(kind, *owner), names.family_max());
        view.walk(Table::Records, Bound::Included(&prefix), Bound::Unbounded, |key, value| {
            if left == 0 || !key.starts_with(&prefix) {
                return Ok(ControlFlow::Break(()));
            }
            left -= 1;
            rows.records.insert(keys::read_record(key)?, codec::read_record(value)?);
            Ok(ControlFlow::Continue(()))
        })?;
    }
    for owner in &names.heads {
        rows.heads.extend(head(view, *owner)?.map(|head| (*owner, head)));
    }
    for key in &names.counters {
        rows.counters.extend(counter(view, key)?.map(|value| (key.clone(), value)));
    }
    for id in &names.transfers {
        rows.transfers.extend(view.get(Table::TransferIds, &id.0, |_| Ok(id.clone()))?);
    }
    Ok(rows)
}

/// [`Store::load`](crate::store::Store::load), of at most so many keys as [`check_load`](crate::store::check_load) lets through.
///
/// # Errors
///
/// Those of the view.
pub fn load<V: View>(view: &V, wanted: &[LoadKey]) -> Result<Snapshot, V::Error> {
    let mut found = Snapshot::default();
    for key in wanted {
        match key {
            LoadKey::Record(key) => record(view, key)?.into_iter().for_each(|it| found.add_record(key.clone(), it)),
            LoadKey::Head(owner) => head(view, *owner)?.into_iter().for_each(|it| found.add_head(*owner, it)),
            LoadKey::Counter(key) => counter(view, key)?.into_iter().for_each(|it| found.add_counter(key.clone(), it)),
        }
    }
    Ok(found)
}

/// [`Store::scan`](crate::store::Store::scan), its limit cut to what the port allows.
///
/// # Errors
///
/// Those of the view.
pub fn scan<V: View>(
    view: &V,
    index: &Index,
    range: &Range,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page, V::Error> {
    let limit = limit.clamp(1, limits::PAGE_ROWS_MAX);
    let part = Part::of(index, range, after);
    let (from, until) = part.bounds();
    let mut rows = Vec::new();
    view.walk(part.table(), from, until, |key, value| {
        rows.push(part.row(view, key, value)?);
        // one more than a page, to see whether there is more
        Ok(if rows.len() > limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(Page::cut(rows, limit))
}

/// [`Store::totals`](crate::store::Store::totals) at one stretch. A store with many accounts begins with [`sums`] and
/// lets others run between two calls of [`add_heads`].
///
/// # Errors
///
/// Those of the view.
pub fn totals<V: View>(view: &V) -> Result<Totals, V::Error> {
    let mut totals = sums(view)?;
    let mut after = None;
    while let Some(last) = add_heads(view, &mut totals, after)? {
        after = Some(last);
    }
    Ok(totals)
}

/// The house accounts and tallies of the totals.
///
/// # Errors
///
/// Those of the view.
pub fn sums<V: View>(view: &V) -> Result<Totals, V::Error> {
    let mut totals = Totals::default();
    view.walk(Table::Totals, Bound::Unbounded, Bound::Unbounded, |key, value| {
        codec::add_total(&mut totals, key, value)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(totals)
}

/// Adds up to 1,000 heads to the totals, those after an owner; gives the last of them if there may be more.
///
/// # Errors
///
/// Those of the view.
pub fn add_heads<V: View>(view: &V, totals: &mut Totals, after: Option<Owner>) -> Result<Option<Owner>, V::Error> {
    let from = after.as_ref().map_or(Bound::Unbounded, |owner| Bound::Excluded(&owner.0[..]));
    let (mut last, mut left) = (None, HEADS_AT_A_STRETCH);
    view.walk(Table::Heads, from, Bound::Unbounded, |key, value| {
        totals.add_head(&codec::read_head(value)?);
        left -= 1;
        if left > 0 {
            return Ok(ControlFlow::Continue(()));
        }
        last = Some(Owner(key.try_into().map_err(|_| Unreadable("the key of a head"))?));
        Ok(ControlFlow::Break(()))
    })?;
    Ok(last)
}
