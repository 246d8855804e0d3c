//! The rows: one ordered map, by table and key.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use smscode_core::store::codec::Unreadable;
use smscode_core::store::ordered::{Change, Table, View};

type Result<T> = std::result::Result<T, Unreadable>;

/// A key, the byte of its table before it, and what stands there from now on; `None`: nothing.
pub(crate) type Row = (Vec<u8>, Option<Vec<u8>>);

#[derive(Default)]
pub(crate) struct Map(BTreeMap<Vec<u8>, Vec<u8>>);

fn at(table: Table, key: &[u8]) -> Vec<u8> {
    [&[table.byte()], key].concat()
}

/// What is to be written, as rows of the map.
pub(crate) fn rows(changes: Vec<Change>) -> Vec<Row> {
    changes.into_iter().map(|change| (at(change.table, &change.key), change.value)).collect()
}

impl Map {
    pub(crate) fn apply(&mut self, rows: Vec<Row>) {
        for (key, value) in rows {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }
}

impl View for Map {
    type Error = Unreadable;

    fn get<T>(&self, table: Table, key: &[u8], read: impl FnOnce(&[u8]) -> Result<T>) -> Result<Option<T>> {
        self.0.get(&at(table, key)).map(|value| read(value)).transpose()
    }

    fn walk(
        &self,
        table: Table,
        from: Bound<&[u8]>,
        until: Bound<&[u8]>,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let from = match from.map(|key| at(table, key)) {
            Bound::Unbounded => Bound::Included(at(table, &[])),
            bound => bound,
        };
        let until = match until.map(|key| at(table, key)) {
            Bound::Unbounded => Bound::Excluded(vec![table.byte() + 1]),
            bound => bound,
        };
        for (key, value) in self.0.range((from, until)) {
            if each(&key[1..], value)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
