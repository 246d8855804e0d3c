//! Reading everything, and filling an empty store.

use std::ops::{Bound, ControlFlow};

use super::changes::Changes;
use super::{Change, Table, View};
use crate::store::copy::{Part, Section, StoredRow};
use crate::store::{Writes, limits};

/// Rows of one part at most.
const PART_ROWS: usize = 500;
/// Rows of a table walked over for one part, where most are left out: well below a few milliseconds.
const WALKED_MAX: usize = 5_000;

/// One part of an export: [`Export::part`](crate::store::copy::Export::part).
///
/// # Errors
///
/// Those of the view.
pub fn part<V: View>(view: &V, section: Section, after: Option<&[u8]>) -> Result<Part, V::Error> {
    let table = section.table();
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let (mut part, mut walked) = (Part::default(), 0);
    view.walk(table, from, Bound::Unbounded, |key, value| {
        part.rows.extend(StoredRow::read(table, key, value)?);
        walked += 1;
        if part.rows.len() < PART_ROWS && walked < WALKED_MAX {
            return Ok(ControlFlow::Continue(()));
        }
        part.next = Some(key.to_vec());
        Ok(ControlFlow::Break(()))
    })?;
    Ok(part)
}

/// Whether nothing is in a store.
///
/// # Errors
///
/// Those of the view.
pub fn is_empty<V: View>(view: &V) -> Result<bool, V::Error> {
    let mut empty = true;
    for table in Table::ALL {
        view.walk(table, Bound::Unbounded, Bound::Unbounded, |_, _| {
            empty = false;
            Ok(ControlFlow::Break(()))
        })?;
    }
    Ok(empty)
}

/// What an import writes into an empty store: [`Import::write`](crate::store::copy::Import::write). Nothing is added up
/// and nothing forgotten: every row is as it was.
pub fn imported(writes: &Writes) -> Vec<Change> {
    debug_assert!(writes.operations.len() <= limits::OPERATIONS_FORGOTTEN_MAX, "a group is forgotten as a whole");
    let mut changes = Changes::default();
    changes.remember(writes);
    changes.rows(writes);
    changes.new_sums(writes);
    changes.0
}
